/* Submitting a statement: the note as text, or an object with its body. Answered when it is durable. The text is signed, so
 * whoever brings it may; what is behind it is judged by the sequencer. */
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "exchange/api.h"
#include "exchange/readership.h"

struct submit {
	struct submission s;
	const struct server *server;
	struct http_request *request;
	struct http_answer *out;
	struct statement asked; /* of a request */
};

/* It is there already and counts once. Who sent it again wants to know where (its first answer may have been lost). */
static enum err find_repeated(struct submit *one, struct appended *at)
{
	const struct server *s = one->server;
	struct http_request *r = one->request;
	struct api_statement a;
	struct statement parsed;
	struct state st;
	enum err e = statement_parse(r->arena, one->s.note, &parsed);

	if (e == OK)
		e = server_read(s, r, &st);
	if (e != OK)
		return e;
	if ((e = state_find(&st, parsed.id, &at->ledger, &at->index)) == OK)
		e = api_entry(s, r->arena, &st, at->ledger, at->index, &a);
	snapshot_end(st.snapshot);
	at->id = parsed.id;
	at->logged_ms = a.logged_ms;
	return e;
}

/* The eyes of who signed; of nobody if that is not who it says. */
static enum err eyes_of_author(const struct state *st, const struct statement *s, struct caller *out)
{
	struct party p;
	enum err e = state_party(st, s->from, &p);

	*out = (struct caller){ .how = CALLER_ANONYMOUS, .rights = RIGHT_READ };
	if (e != OK || note_verify(&s->note, &p.key, 1, NULL) != OK)
		return err_is_machine(e) ? e : OK;
	out->how = CALLER_SIGNED;
	out->party = s->from;
	return access_is_member(st, s->from, &out->member);
}

enum err api_caller_sees(const struct server *server, struct arena *arena, const struct state *st,
			 const struct caller *who, struct hash id, bool *yes)
{
	struct api_statement a;
	enum ledger_id l;
	uint64_t index;
	enum err e = state_find(st, id, &l, &index);

	*yes = false;
	if (e == OK)
		e = api_entry(server, arena, st, l, index, &a);
	return e == OK ? readership_statement(st, who, l, &a.s, a.logged_ms, server->config->circle_delay_ms, yes) : e;
}

enum err api_author_sees(const struct server *server, struct arena *arena, const struct state *st,
			 const struct statement *s, bool *yes)
{
	struct caller author;
	enum err e = eyes_of_author(st, s, &author);

	*yes = false;
	return e == OK ? api_caller_sees(server, arena, st, &author, s->re, yes) : e;
}

/* Why it was refused. If it refers to what its author may not see, then as if that were not there. Body and
 * signature are looked at before. */
static enum err why_refused(struct submit *one)
{
	static const struct hash absent;
	enum err refused = fail(one->s.err, "%s", one->s.detail), e;
	struct statement s;
	struct state st;
	bool sees = true;

	if (err_is_machine(refused) || refused == ERR_BODY || refused == ERR_NOTE_SIGNATURE || refused == ERR_BUSY ||
	    statement_parse(one->request->arena, one->s.note, &s) != OK || !s.has_re)
		return fail(one->s.err, "%s", one->s.detail);
	if ((e = server_read(one->server, one->request, &st)) != OK)
		return e;
	e = api_author_sees(one->server, one->request->arena, &st, &s, &sees);
	s.re = absent;
	st.is_guest = one->s.home_receipt.at != NULL;
	if (e == OK && !sees)
		e = state_check(&st, &s);
	snapshot_end(st.snapshot);
	if (e == OK || e == ERR_NOT_FOUND)
		e = fail(one->s.err, "%s", one->s.detail);
	return e;
}

static void answer(struct submit *one, const struct appended *at, struct span receipt, bool again)
{
	struct buffer body = BUFFER((size_t)1 << 20);
	struct json j = { .out = &body };
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT], *location;

	hash_hex(at->id, hex);
	clock_format_ms(at->logged_ms, logged);
	json_object(&j, NULL);
	json_text(&j, "id", hex);
	json_text(&j, "ledger", ledger_name(at->ledger));
	json_number(&j, "index", (int64_t)at->index);
	json_text(&j, "logged", logged);
	json_bool(&j, "repeated", again);
	if (receipt.len > 0)
		json_string(&j, "receipt", receipt);
	json_object_end(&j);
	buffer_byte(&body, '\n');
	location = arena_print(one->request->arena, "/statements/%s", hex);
	if (body.err != OK || location == NULL) {
		buffer_free(&body);
		server_fail(one->server, one->request, ERR_NO_MEMORY, one->out);
		return;
	}
	http_add_header(one->out, "Location", span_of(location));
	api_answer(one->out, again ? 200 : 201, "application/json", &body);
}

static void done(struct submission *s)
{
	struct submit *one = s->context;

	if (s->err == OK) {
		metrics_add(one->server->metrics, METRIC_STATEMENTS, 1);
		answer(one, &s->appended, s->receipt, false);
	} else if (s->err == ERR_STATEMENT_REPEATED) {
		struct appended at = { 0 };
		enum err e = find_repeated(one, &at);

		if (e == OK)
			answer(one, &at, SPAN(""), true);
		else
			server_fail(one->server, one->request, e, one->out);
	} else {
		server_fail(one->server, one->request, why_refused(one), one->out);
	}
	http_answer_now(one->request);
}

/* ---- what was sent ---- */

static enum err member(const yyjson_val *object, const char *name, bool needed, struct span *out)
{
	yyjson_val *v = yyjson_obj_get((yyjson_val *)object, name);

	*out = (struct span){ 0 };
	if (v == NULL)
		return needed ? fail(ERR_FIELD_MISSING, "%s", name) : OK;
	if (!yyjson_is_str(v))
		return fail(ERR_FIELD, "%s: a string", name);
	*out = span_make(yyjson_get_str(v), yyjson_get_len(v));
	return OK;
}

static enum err read_body(struct arena *a, struct span base64, struct submission *s)
{
	size_t length;
	char *bytes;

	if (base64.at == NULL)
		return OK;
	if ((bytes = arena_alloc(a, base64.len + 1)) == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(base64, bytes, base64.len + 1, &length) != OK)
		return fail(ERR_ENCODING, "body: base64 with its padding, without line breaks");
	s->body = span_make(bytes, length);
	return OK;
}

static enum err read_salt(struct arena *a, struct span hex, struct submission *s)
{
	uint8_t *salt;

	if (hex.at == NULL)
		return OK;
	if ((salt = arena_alloc(a, SEAL_SALT_SIZE)) == NULL)
		return ERR_NO_MEMORY;
	if (hex_decode(hex, salt, SEAL_SALT_SIZE) != OK)
		return fail(ERR_ENCODING, "salt: 64 digits of lower-case hex");
	s->salt = salt;
	return OK;
}

static enum err read_object(struct http_request *r, struct submission *s)
{
	struct yyjson_doc *doc = NULL;
	struct span body, salt, receipt;
	enum err e = json_read_strict(r->arena, r->body, &doc);

	if (e != OK)
		return e;
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		return fail(ERR_JSON, "an object with note, and body, salt and receipt if it has them");
	if ((e = member(yyjson_doc_get_root(doc), "note", true, &s->note)) == OK)
		e = member(yyjson_doc_get_root(doc), "body", false, &body);
	if (e == OK)
		e = member(yyjson_doc_get_root(doc), "salt", false, &salt);
	if (e == OK)
		e = member(yyjson_doc_get_root(doc), "receipt", false, &receipt);
	if (e == OK && receipt.len > RECEIPT_TEXT_MAX)
		e = fail(ERR_TOO_LONG, "receipt: %zu bytes, at most %d", receipt.len, RECEIPT_TEXT_MAX);
	if (e == OK)
		s->home_receipt = receipt;
	if (e == OK)
		e = read_body(r->arena, body, s);
	if (e == OK)
		e = read_salt(r->arena, salt, s);
	if (e == OK && s->salt != NULL && s->body.at == NULL)
		e = fail(ERR_FIELD_MISSING, "body: there is a salt");
	return e;
}

static bool is_media_type(struct span value, const char *type)
{
	return span_equal_nocase(span_trim(span_cut(&value, ';')), span_of(type));
}

static enum err check_type(const struct http_request *r, const char *wanted)
{
	struct span type;

	if (!http_header(r, "Content-Type", &type) || is_media_type(type, wanted))
		return OK;
	return fail(ERR_MEDIA_TYPE, "Content-Type: %s", wanted);
}

/* Evidence is what a proof is, and nobody could bring it later. */
static enum err check_proof(const struct submission *s)
{
	if (!span_starts(s->note, "comity/1 proof\n") || s->body.at != NULL)
		return OK;
	return fail(ERR_BODY, "a proof comes with its body: POST /statements/with-body");
}

static enum err read_note(struct http_request *r, struct submission *s)
{
	enum err e = check_type(r, "text/plain");

	if (e == OK && r->body.len == 0)
		e = fail(ERR_EMPTY, "the body is the signed note");
	s->note = r->body;
	return e;
}

static enum err read_with_body(struct http_request *r, struct submission *s)
{
	enum err e = check_type(r, "application/json");

	return e == OK ? read_object(r, s) : e;
}

typedef enum err submission_read(struct http_request *r, struct submission *s);

/* On the sequencing thread, as the state is then. */
static enum err take_request(struct node *n, struct submission *s)
{
	struct submit *one = s->context;
	enum err e = suspensions_check_help(one->server->suspensions, node_batch_state(n), &one->asked);

	return e == OK ? submission_add(n, s, &s->appended) : e;
}

/* What is no statement is the sequencer's to refuse. */
static void look_at_request(struct submit *one)
{
	if (span_starts(one->s.note, "comity/1 request\n") &&
	    statement_parse(one->request->arena, one->s.note, &one->asked) == OK)
		one->s.work = take_request;
}

static enum http_next submit(const struct server *server, struct http_request *r, struct http_answer *out,
			     submission_read *read)
{
	struct submit *one = arena_array(r->arena, 1, sizeof(*one));
	enum err e = one != NULL ? OK : ERR_NO_MEMORY;

	if (e == OK) {
		*one = (struct submit){ .server = server, .request = r, .out = out };
		one->s.done = done;
		one->s.context = one;
		e = read(r, &one->s);
	}
	if (e == OK)
		e = check_proof(&one->s);
	if (e == OK)
		look_at_request(one);
	if (e == OK)
		e = sequencer_offer(server->sequencer, &one->s);
	if (e == OK)
		return HTTP_LATER;
	server_fail(server, r, e, out);
	return HTTP_NOW;
}

enum http_next api_submit(void *context, struct http_request *r, struct http_answer *out)
{
	return submit(context, r, out, read_note);
}

enum http_next api_submit_with_body(void *context, struct http_request *r, struct http_answer *out)
{
	return submit(context, r, out, read_with_body);
}

/* A note says itself whose it is. A body is only taken from who is known, since it is large. */
#define WITH_BODY_MOST ((uint64_t)16 << 20)

const struct http_door api_doors[] = {
	{ HTTP_POST, "/statements", STATEMENT_MAX, DOOR_OPEN, api_submit },
	{ HTTP_POST, "/statements/with-body", WITH_BODY_MOST, DOOR_KNOWN, api_submit_with_body },
	{ HTTP_GET, "/statements", 0, DOOR_OPEN, api_list },
	{ HTTP_GET, "/statements/*", 0, DOOR_OPEN, api_get },
	{ HTTP_GET, "/statements/*/body", 0, DOOR_OPEN, api_get_body },
	{ HTTP_GET, "/statements/*/receipt", 0, DOOR_OPEN, api_get_receipt },
	{ HTTP_GET, "/matters/*", 0, DOOR_OPEN, api_matter },
	{ HTTP_GET, "/parties/*", 0, DOOR_OPEN, api_party },
	{ HTTP_GET, "/pledges", 0, DOOR_OPEN, api_pledges },
	{ HTTP_GET, "/agreements", 0, DOOR_OPEN, api_agreements },
	{ HTTP_GET, "/agreements/*", 0, DOOR_OPEN, api_agreement },
	{ HTTP_GET, "/requests", 0, DOOR_OPEN, api_requests },
	{ HTTP_GET, "/requests/*", 0, DOOR_OPEN, api_request },
	{ HTTP_GET, "/standing", 0, DOOR_OPEN, api_standing_all },
	{ HTTP_GET, "/standing/*", 0, DOOR_OPEN, api_standing },
	{ HTTP_GET, "/promises", 0, DOOR_OPEN, api_promises_all },
	{ HTTP_GET, "/promises/*", 0, DOOR_OPEN, api_promises },
	{ HTTP_GET, "/certificates", 0, DOOR_OPEN, api_certificates },
	{ HTTP_GET, "/certificates/*", 0, DOOR_OPEN, api_certificate },
	{ HTTP_GET, "/body/*", 0, DOOR_OPEN, api_public_body },
	{ HTTP_GET, "/openapi.json", 0, DOOR_OPEN, api_openapi },
};
const size_t api_door_count = sizeof(api_doors) / sizeof(api_doors[0]);
