#include "exchange/statement_view.h"

#include <stdio.h>

#include "stix/tlp.h"

#define EXTENSION "extension-definition--2784c119-7561-4003-b680-5f786171108e"
#define EXTENSION_VERSION "1.0.0"

const char *statement_view_type(enum kind k)
{
	switch (k) {
	case KIND_PARTY:
		return "identity";
	case KIND_PLAN:
		return "grouping";
	case KIND_NOTICE:
		return "report";
	default:
		return "note";
	}
}

/* A hash is as good as random: shaped as a version-4 UUID, which STIX recommends for objects that are no observables. */
struct stix_id statement_view_id(enum kind k, struct span from, struct hash id)
{
	uint8_t uuid[16];

	if (k == KIND_PARTY)
		return stix_identity_id(from);
	memcpy(uuid, id.bytes, sizeof(uuid));
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return stix_id_of(statement_view_type(k), uuid);
}

static void add_header(struct json *j, const char *key, const struct statement *s, const char *name)
{
	struct span value = statement_value(s, name);

	if (value.len > 0)
		json_string(j, key, value);
}

/* All values of that header; nothing if there are none, for STIX knows no empty lists. */
static void add_list(struct json *j, const char *key, const struct statement *s, const char *name)
{
	bool open = false;

	for (size_t i = 0; i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, name))
			continue;
		if (!open)
			json_array(j, key);
		open = true;
		json_string(j, NULL, s->headers[i].value);
	}
	if (open)
		json_array_end(j);
}

static void add_extension(struct json *j, const struct statement *s)
{
	char hex[HASH_HEX + 1];

	json_object(j, "extensions");
	json_object(j, EXTENSION);
	json_text(j, "extension_type", "property-extension");
	json_string(j, "kind", s->kind_name);
	hash_hex(s->id, hex);
	json_text(j, "statement_id", hex);
	json_string(j, "ledger", s->ledger);
	json_string(j, "from_party", s->from);
	add_list(j, "addressees", s, "to");
	add_list(j, "copied_to", s, "cc");
	add_header(j, "refers_to", s, "re");
	add_header(j, "outcome", s, "outcome");
	add_header(j, "on_behalf_of", s, "for");
	add_header(j, "rsit_class", s, "class");
	add_header(j, "due", s, "due");
	json_string(j, "signed_note", s->note.whole);
	json_object_end(j);
	json_object_end(j);
}

static void add_marking(struct json *j, const struct statement *s)
{
	enum tlp t;

	if (tlp_parse(statement_value(s, "tlp"), &t) != OK)
		return;
	json_array(j, "object_marking_refs");
	json_text(j, NULL, tlp_marking(t));
	json_array_end(j);
}

/* A grouping, report or note must name at least one object. */
static void add_references(struct json *j, const struct statement *s, const struct matter *re)
{
	struct stix_id id = stix_identity_id(s->from);

	if (re != NULL)
		id = statement_view_id(re->kind, re->from, re->id);
	else if ((s->kind == KIND_NOTICE || s->kind == KIND_PROOF) && s->to_count > 0 && s->to[0].type == TO_PARTY)
		id = stix_identity_id(s->to[0].domain);
	json_array(j, "object_refs");
	json_text(j, NULL, id.text);
	json_array_end(j);
}

static void add_party(struct json *j, const struct statement *s)
{
	struct span title = statement_value(s, "title");

	json_string(j, "name", title.len > 0 ? title : s->from);
	json_text(j, "identity_class", "organization");
	add_list(j, "roles", s, "role");
}

static void add_plan(struct json *j, const struct statement *s)
{
	struct buffer text = BUFFER(STATEMENT_MAX);

	buffer_print(&text, "%.*s by %.*s", SPAN_FORMAT(statement_value(s, "activity")), SPAN_FORMAT(s->from));
	json_string(j, "name", buffer_view(&text));
	buffer_clear(&text);
	buffer_print(&text, "From %.*s to %.*s. %.*s", SPAN_FORMAT(statement_value(s, "start")),
		     SPAN_FORMAT(statement_value(s, "end")), SPAN_FORMAT(statement_value(s, "purpose")));
	json_string(j, "description", buffer_view(&text));
	json_text(j, "context", "unspecified");
	buffer_free(&text);
}

static void add_notice(struct json *j, const struct statement *s, int64_t logged_ms)
{
	struct span class = statement_value(s, "class");
	struct buffer text = BUFFER(STATEMENT_MAX);

	buffer_print(&text, "Notice to %.*s: %.*s", SPAN_FORMAT(statement_value(s, "to")), SPAN_FORMAT(class));
	json_string(j, "name", buffer_view(&text));
	buffer_clear(&text);
	buffer_print(&text, "%.*s events", SPAN_FORMAT(statement_value(s, "events")));
	if (statement_value(s, "first").len > 0)
		buffer_print(&text, " from %.*s to %.*s", SPAN_FORMAT(statement_value(s, "first")),
			     SPAN_FORMAT(statement_value(s, "last")));
	buffer_text(&text, ". The rows are the statement's body, for its author and addressees.");
	json_string(j, "description", buffer_view(&text));
	json_array(j, "report_types");
	json_text(j, NULL, "observed-data");
	json_array_end(j);
	stix_time(j, "published", logged_ms);
	json_array(j, "labels");
	json_string(j, NULL, class);
	json_array_end(j);
	buffer_free(&text);
}

static void describe_answer(const struct statement *s, struct buffer *out)
{
	buffer_print(out, "%.*s answers: %.*s.", SPAN_FORMAT(s->for_party.len > 0 ? s->for_party : s->from),
		     SPAN_FORMAT(statement_value(s, "outcome")));
	if (s->via.len > 0)
		buffer_print(out, " Recorded by %.*s, by way of %.*s.", SPAN_FORMAT(s->from), SPAN_FORMAT(s->via));
	if (statement_value(s, "until").len > 0)
		buffer_print(out, " Until %.*s.", SPAN_FORMAT(statement_value(s, "until")));
	if (statement_value(s, "reason").len > 0)
		buffer_print(out, " Reason: %.*s.", SPAN_FORMAT(statement_value(s, "reason")));
	if (statement_value(s, "text").len > 0)
		buffer_print(out, " \"%.*s\"", SPAN_FORMAT(statement_value(s, "text")));
	buffer_text(out, " Acknowledging is not admitting.");
}

static void describe_proof(const struct statement *s, struct buffer *out)
{
	struct span about = statement_value(s, "to").len > 0 ? statement_value(s, "to") : s->from;
	const char *between = " speaks for ";

	buffer_print(out, "Evidence (%.*s) by %.*s that the key of %.*s", SPAN_FORMAT(statement_value(s, "method")),
		     SPAN_FORMAT(s->from), SPAN_FORMAT(about));
	if (statement_value(s, "subject").len > 0)
		buffer_print(out, " is that of %.*s", SPAN_FORMAT(statement_value(s, "subject")));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "resource")) {
			buffer_print(out, "%s%.*s", between, SPAN_FORMAT(s->headers[i].value));
			between = ", ";
		}
	if (between[1] == 's' && statement_value(s, "subject").len == 0)
		buffer_text(out, " is its own");
	buffer_text(out, ". It counts where a node's verdict accepts it, until then.");
}

static void describe_pledge(const struct statement *s, struct buffer *out)
{
	const char *between = ", measured by ";

	buffer_print(out, "%.*s pledges %.*s", SPAN_FORMAT(s->from), SPAN_FORMAT(statement_value(s, "norm")));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "term")) {
			buffer_print(out, "%s\"%.*s\"", between, SPAN_FORMAT(s->headers[i].value));
			between = ", ";
		}
	buffer_text(out, between[2] == 'm' ? ": declared, not measured." : ".");
	if (statement_value(s, "text").len > 0)
		buffer_print(out, " \"%.*s\"", SPAN_FORMAT(statement_value(s, "text")));
}

static void describe_agreement(const struct statement *s, struct buffer *out)
{
	const char *between = ": ";

	buffer_print(out, "%.*s %s an agreement with %.*s from %.*s to %.*s, kept by %.*s", SPAN_FORMAT(s->from),
		     s->has_re ? "signs" : "offers", SPAN_FORMAT(statement_value(s, "to")),
		     SPAN_FORMAT(statement_value(s, "start")), SPAN_FORMAT(statement_value(s, "end")),
		     SPAN_FORMAT(statement_value(s, "depositary")));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "term")) {
			buffer_print(out, "%s\"%.*s\"", between, SPAN_FORMAT(s->headers[i].value));
			between = ", ";
		}
	buffer_text(out, ".");
}

/* What it is, of what, and where it is short of that, what it says of another. */
static void describe_certificate(const struct statement *s, struct buffer *text)
{
	struct span subject = statement_value(s, "subject"), product = statement_value(s, "product"),
		    status = statement_value(s, "status"), scheme = statement_value(s, "scheme"),
		    level = statement_value(s, "level"), words = statement_value(s, "text");
	size_t subjects = 0;

	for (size_t i = 0; i < s->header_count; i++)
		subjects += span_is(s->headers[i].name, "subject");
	buffer_print(text, "%.*s by %.*s", SPAN_FORMAT(statement_value(s, "predicate")), SPAN_FORMAT(s->from));
	if (status.len > 0)
		buffer_print(text, ": %.*s", SPAN_FORMAT(status));
	if (product.len > 0)
		buffer_print(text, " of %.*s %.*s", SPAN_FORMAT(product), SPAN_FORMAT(statement_value(s, "version")));
	else if (subject.len > 0)
		buffer_print(text, " of %.*s", SPAN_FORMAT(subject));
	if (subjects > 1)
		buffer_print(text, " and %zu more", subjects - 1);
	if (scheme.len > 0)
		buffer_print(text, ", scheme %.*s", SPAN_FORMAT(scheme));
	if (level.len > 0)
		buffer_print(text, ", level %.*s", SPAN_FORMAT(level));
	buffer_byte(text, '.');
	if (words.len > 0)
		buffer_print(text, " \"%.*s\"", SPAN_FORMAT(words));
}

static void add_note(struct json *j, const struct statement *s)
{
	struct buffer text = BUFFER(STATEMENT_MAX);

	json_string(j, "abstract", s->kind_name);
	if (s->kind == KIND_ANSWER) {
		describe_answer(s, &text);
	} else if (s->kind == KIND_PROOF) {
		describe_proof(s, &text);
	} else if (s->kind == KIND_PLEDGE) {
		describe_pledge(s, &text);
	} else if (s->kind == KIND_AGREEMENT) {
		describe_agreement(s, &text);
	} else if (s->kind == KIND_CERTIFICATE) {
		describe_certificate(s, &text);
	} else {
		buffer_print(&text, "%.*s by %.*s.", SPAN_FORMAT(s->kind_name), SPAN_FORMAT(s->from));
		if (statement_value(s, "text").len > 0)
			buffer_print(&text, " \"%.*s\"", SPAN_FORMAT(statement_value(s, "text")));
	}
	json_string(j, "content", buffer_view(&text));
	json_array(j, "authors");
	json_string(j, NULL, s->from);
	json_array_end(j);
	buffer_free(&text);
}

void statement_view(const struct statement *s, int64_t logged_ms, const struct matter *re, struct buffer *out)
{
	struct stix_id id = statement_view_id(s->kind, s->from, s->id), author = stix_identity_id(s->from);
	struct json j = { .out = out };

	stix_object(&j, statement_view_type(s->kind), &id);
	stix_time(&j, "created", s->kind == KIND_PARTY ? STIX_IDENTITY_CREATED_MS : logged_ms);
	stix_time(&j, "modified", logged_ms);
	if (s->kind == KIND_PARTY) {
		add_party(&j, s);
	} else {
		json_text(&j, "created_by_ref", author.text);
		if (s->kind == KIND_PLAN)
			add_plan(&j, s);
		else if (s->kind == KIND_NOTICE)
			add_notice(&j, s, logged_ms);
		else
			add_note(&j, s);
		add_references(&j, s, re);
	}
	add_marking(&j, s);
	add_extension(&j, s);
	json_object_end(&j);
}

void statement_view_extension(struct buffer *out)
{
	struct json j = { .out = out };
	struct stix_id author = stix_identity(&j, SPAN("comity"));

	json_object(&j, NULL);
	json_text(&j, "type", "extension-definition");
	json_text(&j, "spec_version", "2.1");
	json_text(&j, "id", EXTENSION);
	stix_created(&j, STIX_IDENTITY_CREATED_MS);
	json_text(&j, "created_by_ref", author.text);
	json_text(&j, "name", "comity-statement");
	json_text(&j, "description", "A signed statement (docs/statement.abnf) that an object is the view of.");
	json_text(&j, "schema",
		  "{\"type\":\"object\",\"required\":[\"extension_type\",\"kind\",\"statement_id\",\"ledger\","
		  "\"from_party\",\"signed_note\"]}");
	json_text(&j, "version", EXTENSION_VERSION);
	json_array(&j, "extension_types");
	json_text(&j, NULL, "property-extension");
	json_array_end(&j);
	json_object_end(&j);
}
