#include "regime/in_toto.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/jcs.h"
#include "base/json.h"
#include "regime/certificate_private.h"
#include "regime/form.h"

static enum err wrong(const char *what)
{
	return fail(ERR_CERTIFICATE, "statement: %s", what);
}

/* ---- subjects ---- */

static enum err add_digest(struct arena *a, struct span hex, struct in_toto *out)
{
	struct hash h;
	const char *text;

	if (hash_from_hex(hex, &h) != OK)
		return wrong("subject: sha256: 64 digits of lower-case hex");
	if ((text = arena_print(a, "sha256:%.*s", SPAN_FORMAT(hex))) == NULL)
		return ERR_NO_MEMORY;
	out->subjects[out->subject_count++] = span_of(text);
	return OK;
}

static enum err add_purl(struct arena *a, struct span uri, yyjson_val *digest, struct in_toto *out)
{
	yyjson_val *name_hash = yyjson_obj_get(digest, "purlSha256");
	struct span text, general;
	struct hash h;
	enum err e = subject_parse(a, uri, &text, &general);

	if (e == OK && name_hash != NULL &&
	    (hash_from_hex(json_string_of(name_hash), &h) != OK || !hash_equal(h, hash_span(text))))
		e = wrong("subject: purlSha256 is not that of its package URL");
	if (e == OK)
		out->subjects[out->subject_count++] = text;
	return e;
}

static enum err read_subject(struct arena *a, yyjson_val *v, struct in_toto *out)
{
	yyjson_val *digest = yyjson_obj_get(v, "digest"), *sha256 = yyjson_obj_get(digest, "sha256"), *one;
	yyjson_obj_iter all = yyjson_obj_iter_with(digest);
	struct span uri = json_string_in(v, "uri");
	enum err e = OK;

	if (!yyjson_is_obj(v) || !yyjson_is_obj(digest) || yyjson_obj_size(digest) == 0)
		return wrong("subject: each has a digest");
	while ((one = yyjson_obj_iter_next(&all)) != NULL)
		if (!yyjson_is_str(yyjson_obj_iter_get_val(one)) || yyjson_get_len(yyjson_obj_iter_get_val(one)) == 0)
			return wrong("subject: a digest is a text");
	if ((yyjson_obj_get(v, "name") != NULL && !yyjson_is_str(yyjson_obj_get(v, "name"))) ||
	    (yyjson_obj_get(v, "uri") != NULL && !yyjson_is_str(yyjson_obj_get(v, "uri"))))
		return wrong("subject: name and uri are texts");
	if (sha256 != NULL)
		e = add_digest(a, json_string_of(sha256), out);
	if (e == OK && span_starts(uri, "pkg:"))
		e = add_purl(a, uri, digest, out);
	return e;
}

static enum err read_subjects(struct arena *a, yyjson_val *list, struct in_toto *out)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(list);
	size_t count = yyjson_arr_size(list), kept = 0;
	yyjson_val *one;
	enum err e = OK;

	if (count == 0 || count > IN_TOTO_SUBJECTS_MAX)
		return fail(ERR_CERTIFICATE, "statement: subject: a list of 1 to %d", IN_TOTO_SUBJECTS_MAX);
	if ((out->subjects = arena_array(a, 2 * count, sizeof(*out->subjects))) == NULL)
		return ERR_NO_MEMORY;
	while (e == OK && (one = yyjson_arr_iter_next(&all)) != NULL)
		e = read_subject(a, one, out);
	if (e != OK || out->subject_count == 0)
		return e;
	qsort(out->subjects, out->subject_count, sizeof(*out->subjects), span_order);
	for (size_t i = 0; i < out->subject_count; i++)
		if (i == 0 || !span_equal(out->subjects[i], out->subjects[kept - 1]))
			out->subjects[kept++] = out->subjects[i];
	out->subject_count = kept;
	return OK;
}

/* ---- our predicates ---- */

#define END                                                                                                            \
	{                                                                                                              \
		NULL, FORM_ANY, 0, NULL, false                                                                         \
	}
#define MEMBER(name, type)                                                                                             \
	{                                                                                                              \
		name, type, 0, NULL, false                                                                             \
	}
#define NEEDED(name, type)                                                                                             \
	{                                                                                                              \
		name, type, 0, NULL, true                                                                              \
	}
#define INSIDE(name, form)                                                                                             \
	{                                                                                                              \
		name, FORM_OBJECT, 0, form, false                                                                      \
	}
#define EVERY                                                                                                          \
	NEEDED("issuer", FORM_WORD), MEMBER("basis", FORM_TEXT), MEMBER("version_range", FORM_TEXT),                   \
		MEMBER("valid_from", FORM_TIME), MEMBER("valid_until", FORM_TIME), MEMBER("jurisdiction", FORM_TEXT),  \
		MEMBER("supersedes", FORM_DIGEST), MEMBER("revocation", FORM_TEXT)

static const struct form holder[] = {
	MEMBER("name", FORM_TEXT),
	MEMBER("contact", FORM_TEXT),
	MEMBER("website", FORM_TEXT),
	END,
};
static const struct form certification_body[] = { MEMBER("name", FORM_TEXT), MEMBER("nando_id", FORM_TEXT), END };

#define ASSESSED MEMBER("scheme", FORM_WORD), MEMBER("assurance_level", FORM_WORD), MEMBER("laboratory", FORM_WORD)

static const struct form evaluation[] = {
	EVERY,
	ASSESSED,
	MEMBER("certificate_id", FORM_TEXT),
	MEMBER("product_name", FORM_TEXT),
	MEMBER("product_type", FORM_TEXT),
	MEMBER("product_version", FORM_TEXT),
	INSIDE("holder", holder),
	INSIDE("certification_body", certification_body),
	MEMBER("national_authority", FORM_TEXT),
	MEMBER("cc_version", FORM_TEXT),
	MEMBER("cem_version", FORM_TEXT),
	MEMBER("ava_van_level", FORM_TEXT),
	MEMBER("package", FORM_TEXT),
	MEMBER("protection_profile", FORM_TEXT),
	MEMBER("report_reference", FORM_TEXT),
	MEMBER("report_sha256", FORM_DIGEST),
	MEMBER("issue_date", FORM_TEXT),
	MEMBER("modification", FORM_TEXT),
	END,
};

static const struct form validation[] = {
	EVERY,
	ASSESSED,
	NEEDED("statement", FORM_DIGEST),
	MEMBER("countersigning_body", FORM_TEXT),
	MEMBER("reservations", FORM_TEXTS),
	MEMBER("level_mapping", FORM_TEXT),
	END,
};

static const struct form declaration[] = {
	EVERY,
	ASSESSED,
	MEMBER("maker", FORM_TEXT),
	MEMBER("responsibility", FORM_TEXT),
	MEMBER("law", FORM_TEXTS),
	MEMBER("standards", FORM_TEXTS),
	MEMBER("notified_body", FORM_TEXT),
	MEMBER("notified_body_certificate", FORM_TEXT),
	MEMBER("place", FORM_TEXT),
	MEMBER("date", FORM_TEXT),
	MEMBER("sbom_sha256", FORM_TEXTS),
	MEMBER("support_end", FORM_TEXT),
	MEMBER("contact", FORM_TEXT),
	MEMBER("no_undisclosed_access", FORM_FLAG),
	END,
};

static const struct form counter[] = {
	EVERY, NEEDED("statement", FORM_DIGEST), MEMBER("objection", FORM_TEXT), MEMBER("evidence", FORM_TEXTS), END,
};

static const struct form status[] = {
	EVERY,
	NEEDED("statement", FORM_DIGEST),
	NEEDED("status", FORM_WORD),
	MEMBER("reason", FORM_TEXT),
	MEMBER("csaf", FORM_TEXT),
	END,
};

static const struct form canary[] = {
	EVERY, NEEDED("name", FORM_WORD), MEMBER("text", FORM_TEXT), MEMBER("beacon", FORM_TEXT), END,
};

static const struct form release[] = { EVERY, END };
static const struct form seen[] = { EVERY, NEEDED("statement", FORM_DIGEST), END };

static const struct form *const forms[PREDICATE_COUNT] = {
	[PREDICATE_EVALUATION] = evaluation,   [PREDICATE_VALIDATION] = validation,
	[PREDICATE_DECLARATION] = declaration, [PREDICATE_COUNTER] = counter,
	[PREDICATE_STATUS] = status,	       [PREDICATE_CANARY] = canary,
	[PREDICATE_RELEASE] = release,	       [PREDICATE_SEEN] = seen,
};

/* A time that was checked. 0 stands for what is not said. */
static enum err read_time(yyjson_val *predicate, const char *name, int64_t *out)
{
	if (yyjson_obj_get(predicate, name) == NULL)
		return OK;
	(void)clock_parse_rfc3339(json_string_in(predicate, name), out);
	return *out != 0 ? OK : wrong("predicate: valid_from and valid_until are no 1970-01-01T00:00:00Z");
}

static enum err read_predicate(struct arena *a, yyjson_val *v, struct in_toto *out)
{
	yyjson_val *declarations = yyjson_obj_get(v, "declarations");
	enum err e = form_check(a, v, forms[out->kind], false, NULL, "predicate");

	if (e == OK && declarations != NULL)
		e = declarations_check(a, declarations, out);
	if (e != OK)
		return e;
	out->scheme = json_string_in(v, "scheme");
	out->level = json_string_in(v, "assurance_level");
	out->laboratory = json_string_in(v, "laboratory");
	out->status = json_string_in(v, "status");
	out->name = json_string_in(v, "name");
	out->issuer = json_string_in(v, "issuer");
	out->has_statement = hash_from_hex(json_string_in(v, "statement"), &out->statement) == OK;
	err_clear();
	if (out->kind == PREDICATE_CANARY)
		out->remark = json_string_in(v, "text");
	else if (out->kind == PREDICATE_STATUS)
		out->remark = json_string_in(v, "reason");
	e = read_time(v, "valid_from", &out->start_ms);
	return e == OK ? read_time(v, "valid_until", &out->end_ms) : e;
}

enum err in_toto_parse(struct arena *a, struct span payload, struct in_toto *out)
{
	struct in_toto t = { .json = payload };
	yyjson_val *root, *type;
	yyjson_doc *doc;
	enum err e = json_read_strict(a, payload, &doc);

	if (e != OK)
		return e == ERR_NO_MEMORY ? e : fail(ERR_CERTIFICATE, "statement: %s", err_code(e));
	root = yyjson_doc_get_root(doc);
	if (!span_is(json_string_in(root, "_type"), IN_TOTO_STATEMENT_TYPE))
		return wrong("_type: " IN_TOTO_STATEMENT_TYPE);
	type = yyjson_obj_get(root, "predicateType");
	t.predicate = yyjson_obj_get(root, "predicate");
	if (!yyjson_is_str(type) || yyjson_get_len(type) == 0)
		return wrong("predicateType: missing");
	if (t.predicate != NULL && !yyjson_is_obj(t.predicate))
		return wrong("predicate: an object");
	t.predicate_type = json_string_of(type);
	if ((e = read_subjects(a, yyjson_obj_get(root, "subject"), &t)) != OK)
		return e;
	for (int p = 0; p < PREDICATE_COUNT; p++)
		if (span_is(t.predicate_type, predicate_type((enum predicate)p))) {
			t.ours = true;
			t.kind = (enum predicate)p;
		}
	if (t.ours && t.predicate == NULL)
		return wrong("predicate: missing");
	if (t.ours)
		e = read_predicate(a, t.predicate, &t);
	if (e == OK)
		*out = t;
	return e;
}

/* ---- writing ---- */

static void print_subject(struct json *j, struct span subject)
{
	bool is_digest = span_starts(subject, "sha256:");

	json_object(j, NULL);
	json_string(j, "name", subject);
	if (!is_digest)
		json_string(j, "uri", subject);
	json_object(j, "digest");
	if (is_digest)
		json_string(j, "sha256", span_from(subject, 7));
	else
		json_hash(j, "purlSha256", hash_span(subject));
	json_object_end(j);
	json_object_end(j);
}

static void print_word(struct json *j, const char *name, struct span value)
{
	if (value.len > 0)
		json_string(j, name, value);
}

static void print_terms(struct json *j, const struct in_toto *t)
{
	print_word(j, "issuer", t->issuer);
	print_word(j, "scheme", t->scheme);
	print_word(j, "assurance_level", t->level);
	print_word(j, "laboratory", t->laboratory);
	if (t->start_ms != 0)
		json_time(j, "valid_from", t->start_ms);
	if (t->end_ms != 0)
		json_time(j, "valid_until", t->end_ms);
	if (t->has_statement)
		json_hash(j, "statement", t->statement);
	print_word(j, "status", t->status);
	print_word(j, "name", t->name);
}

static bool is_term(struct span name)
{
	static const char *const terms[] = {
		"issuer",      "scheme",    "assurance_level", "laboratory", "valid_from",
		"valid_until", "statement", "status",	       "name",	     "declarations"
	};

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		if (span_is(name, terms[i]))
			return true;
	return false;
}

static enum err read_object(struct arena *a, struct span text, const char *what, yyjson_val **out)
{
	yyjson_doc *doc;
	enum err e = json_read_strict(a, text, &doc);

	if (e != OK)
		return e == ERR_NO_MEMORY ? e : fail(ERR_CERTIFICATE, "%s: %s: %s", what, err_code(e), err_detail());
	*out = yyjson_doc_get_root(doc);
	return yyjson_is_obj(*out) ? OK : fail(ERR_CERTIFICATE, "%s: an object", what);
}

static enum err print_member(struct json *j, struct span name, yyjson_val *v)
{
	if (j->comma)
		buffer_byte(j->out, ',');
	j->comma = true;
	json_escape(j->out, name);
	buffer_byte(j->out, ':');
	return jcs_write(v, NULL, NULL, j->out);
}

static enum err print_details(struct arena *a, struct json *j, struct span details)
{
	yyjson_val *root = NULL, *key;
	yyjson_obj_iter all;
	enum err e;

	if (details.len == 0)
		return OK;
	e = read_object(a, details, "details", &root);
	if (e != OK)
		return e;
	all = yyjson_obj_iter_with(root);
	while (e == OK && (key = yyjson_obj_iter_next(&all)) != NULL) {
		if (is_term(json_string_of(key)))
			return fail(ERR_CERTIFICATE, "details: \"%s\" has an option of its own", yyjson_get_str(key));
		e = print_member(j, json_string_of(key), yyjson_obj_iter_get_val(key));
	}
	return e;
}

static enum err print_declarations(struct arena *a, struct json *j, struct span text)
{
	yyjson_val *root = NULL;
	enum err e;

	if (text.len == 0)
		return OK;
	e = read_object(a, text, "declarations", &root);
	if (e == OK && yyjson_obj_get(root, "declarations") != NULL)
		root = yyjson_obj_get(root, "declarations");
	return e == OK ? print_member(j, SPAN("declarations"), root) : e;
}

enum err in_toto_print(struct arena *a, const struct in_toto *t, struct span details, struct span declarations,
		       struct buffer *out)
{
	struct json j = { out, false };
	struct in_toto again;
	size_t begin = out->len;
	enum err e;

	json_object(&j, NULL);
	json_text(&j, "_type", IN_TOTO_STATEMENT_TYPE);
	json_array(&j, "subject");
	for (size_t i = 0; i < t->subject_count; i++)
		print_subject(&j, t->subjects[i]);
	json_array_end(&j);
	json_text(&j, "predicateType", predicate_type(t->kind));
	json_object(&j, "predicate");
	print_terms(&j, t);
	e = print_details(a, &j, details);
	if (e == OK)
		e = print_declarations(a, &j, declarations);
	json_object_end(&j);
	json_object_end(&j);
	if (e == OK)
		e = out->err;
	/* What was given is read as everybody will. */
	return e == OK ? in_toto_parse(a, span_from(buffer_view(out), begin), &again) : e;
}

/* ---- body and header ---- */

static enum err differs(const char *name)
{
	return fail(ERR_CERTIFICATE, "body: its %s is not the header's", name);
}

static enum err compare_subjects(struct arena *a, const struct statement *s, const struct in_toto *t)
{
	struct span *subjects = arena_array(a, s->header_count + 1, sizeof(*subjects));
	size_t n = 0;

	if (subjects == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "subject"))
			subjects[n++] = s->headers[i].value;
	if (n > 1)
		qsort(subjects, n, sizeof(*subjects), span_order);
	if (n != t->subject_count)
		return fail(ERR_CERTIFICATE, "body: it has %zu subjects, the header %zu", t->subject_count, n);
	for (size_t i = 0; i < n; i++)
		if (!span_equal(subjects[i], t->subjects[i]))
			return fail(ERR_CERTIFICATE, "body: its subject %.*s is not the header's",
				    t->subjects[i].len > 100 ? 100 : (int)t->subjects[i].len, t->subjects[i].at);
	return OK;
}

static enum err compare_time(const struct statement *s, const char *name, int64_t ms)
{
	int64_t said = 0;

	if (statement_header(s, name) != NULL && clock_parse(statement_value(s, name), &said) != OK)
		return ERR_STATEMENT_HEADER;
	return said == ms ? OK : differs(name);
}

/* One of the two may leave it to the other. */
static enum err compare_remark(const struct statement *s, const struct in_toto *t)
{
	const char *name = t->ours && t->kind == PREDICATE_CANARY ? "text" : "reason";
	struct span said = statement_value(s, name);

	return said.len == 0 || t->remark.len == 0 || span_equal(said, t->remark) ? OK : differs(name);
}

static enum err compare(struct arena *a, const struct statement *s, const struct in_toto *t)
{
	const struct {
		const char *name;
		struct span in_body;
	} words[] = {
		{ "scheme", t->scheme }, { "level", t->level }, { "laboratory", t->laboratory },
		{ "status", t->status }, { "name", t->name },
	};
	enum predicate p;
	enum err e = predicate_parse(statement_value(s, "predicate"), &p);

	if (e == OK && (!t->ours || t->kind != p))
		e = fail(ERR_CERTIFICATE, "body: its predicateType is %.*s, not %s",
			 t->predicate_type.len > 100 ? 100 : (int)t->predicate_type.len, t->predicate_type.at,
			 predicate_type(p));
	if (e == OK && !span_equal(t->issuer, s->from))
		e = differs("issuer");
	for (size_t i = 0; e == OK && i < sizeof(words) / sizeof(words[0]); i++)
		if (!span_equal(statement_value(s, words[i].name), words[i].in_body))
			e = differs(words[i].name);
	if (e == OK)
		e = compare_remark(s, t);
	if (e == OK && (s->has_re != t->has_statement || (s->has_re && !hash_equal(s->re, t->statement))))
		e = differs("re");
	if (e == OK)
		e = compare_time(s, "start", t->start_ms);
	if (e == OK)
		e = compare_time(s, "end", t->end_ms);
	return e == OK ? compare_subjects(a, s, t) : e;
}

enum err certificate_body_check(struct arena *a, const struct statement *s, struct span body,
				const struct verifier *author)
{
	struct dsse *d = arena_alloc(a, sizeof(*d));
	struct in_toto t;
	enum err e;

	if (d == NULL)
		return ERR_NO_MEMORY;
	if (body.len > CERTIFICATE_BODY_MAX)
		return fail(ERR_CERTIFICATE, "body: over %zu bytes", CERTIFICATE_BODY_MAX);
	e = dsse_parse(a, body, d);
	if (e == OK && !span_is(d->payload_type, IN_TOTO_PAYLOAD_TYPE))
		e = fail(ERR_CERTIFICATE, "body: its payloadType is not " IN_TOTO_PAYLOAD_TYPE);
	if (e == OK)
		e = in_toto_parse(a, d->payload, &t);
	if (e == OK)
		e = compare(a, s, &t);
	if (e == OK && !dsse_signed_by(d, author))
		e = fail(ERR_CERTIFICATE, "body: %s did not sign it with its party key", author->name);
	return e;
}
