/* Reading statements: one, its body, its receipt; lists. */
#include <stdlib.h>

#include "exchange/api.h"
#include "exchange/readership.h"
#include "ledger/entry.h"

enum err api_entry(const struct server *s, struct arena *a, const struct state *st, enum ledger_id l, uint64_t index,
		   struct api_statement *out)
{
	struct span text;
	struct entry entry;
	enum err e = node_entry(s->node, a, l, index, &text);

	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK)
		e = statement_parse(a, entry.note, &out->s);
	if (e == OK)
		e = feed_stamp(st->snapshot, l, index, &out->stamp);
	out->ledger = l;
	out->index = index;
	out->logged_ms = entry.logged_ms;
	out->is_guest = entry.is_guest;
	out->home_ms = entry.home_ms;
	return e;
}

static void print_headers(struct json *j, const struct statement *s)
{
	json_array(j, "headers");
	for (size_t i = 0; i < s->header_count; i++) {
		json_object(j, NULL);
		json_string(j, "name", s->headers[i].name);
		json_string(j, "value", s->headers[i].value);
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_body(struct json *j, const struct body_reference *b)
{
	char hex[HASH_HEX + 1];

	json_object(j, "body");
	json_string(j, "media_type", b->media_type);
	json_number(j, "size", (int64_t)b->size);
	json_bool(j, "sealed", b->sealed);
	hash_hex(b->hash, hex);
	json_text(j, "hash", hex);
	json_object_end(j);
}

static void print_home(struct json *j, const struct api_statement *a)
{
	char logged[CLOCK_TEXT];
	struct span node;
	enum ledger_id l;

	if (statement_home(&a->s, &node, &l) != OK)
		return;
	json_string(j, "home", node);
	clock_format_ms(a->home_ms, logged);
	json_text(j, "home_logged", logged);
}

void api_print(const struct api_statement *a, struct buffer *out)
{
	struct json j = { .out = out };
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT];

	json_object(&j, NULL);
	hash_hex(a->s.id, hex);
	json_text(&j, "id", hex);
	json_string(&j, "kind", a->s.kind_name);
	json_text(&j, "ledger", ledger_name(a->ledger));
	json_number(&j, "index", (int64_t)a->index);
	json_number(&j, "position", (int64_t)a->stamp);
	clock_format_ms(a->logged_ms, logged);
	json_text(&j, "logged", logged);
	if (a->is_guest)
		print_home(&j, a);
	json_string(&j, "from", a->s.from);
	if (a->s.has_re) {
		hash_hex(a->s.re, hex);
		json_text(&j, "re", hex);
	}
	print_headers(&j, &a->s);
	if (a->s.has_body)
		print_body(&j, &a->s.body);
	json_string(&j, "note", a->s.note.whole);
	json_object_end(&j);
}

void api_answer(struct http_answer *out, unsigned status, const char *media_type, struct buffer *body)
{
	out->status = status;
	out->media_type = media_type;
	out->body = buffer_view(body);
	out->owned = body->at;
	*body = BUFFER(0);
}

void api_answer_private(struct http_answer *out, const char *media_type, struct buffer *body)
{
	http_add_header(out, "Cache-Control", SPAN("private, no-cache"));
	api_answer(out, 200, media_type, body);
}

enum err api_end(struct http_answer *out, enum err e, struct buffer *body)
{
	if (e == OK)
		e = body->err;
	if (e == OK)
		api_answer_private(out, "application/json", body);
	buffer_free(body);
	return e;
}

/* ---- one statement ---- */

/* What the caller may not see is not there. */
enum err api_find(const struct server *s, struct http_request *r, struct state *st, struct api_statement *out)
{
	struct hash id;
	enum ledger_id l;
	uint64_t index;
	bool may = false;
	enum err e = hash_from_hex(r->parts[0], &id);

	if (e != OK)
		return fail(ERR_NOT_FOUND, "an id is 64 digits of lower-case hex");
	if ((e = state_find(st, id, &l, &index)) == OK)
		e = api_entry(s, r->arena, st, l, index, out);
	if (e == OK)
		e = readership_statement(st, r->caller, l, &out->s, out->logged_ms, s->config->circle_delay_ms, &may);
	if (e == ERR_NOT_FOUND || (e == OK && !may))
		return fail(ERR_NOT_FOUND, "no statement of that id that you may see");
	return e;
}

/* The last state of a public body and of an entry: they never change. */
static void for_ever(struct http_answer *out, enum ledger_id l)
{
	http_add_header(out, "Cache-Control",
			l == LEDGER_PUBLIC ? SPAN("public, max-age=31536000, immutable") : SPAN("private, no-cache"));
}

bool api_wants(const struct http_request *r, const char *media_type)
{
	struct span accept;

	return http_header(r, "Accept", &accept) && accept.len > 0 &&
	       memmem(accept.at, accept.len, media_type, strlen(media_type)) != NULL;
}

enum http_next api_with_state(void *context, struct http_request *r, struct http_answer *out, api_reading *read)
{
	const struct server *s = context;
	struct state st;
	enum err e = server_read(s, r, &st);

	if (e == OK) {
		e = read(s, r, &st, out);
		snapshot_end(st.snapshot);
	}
	if (e != OK)
		server_fail(s, r, e, out);
	return HTTP_NOW;
}

static enum err read_one(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(8 * STATEMENT_MAX);
	struct api_statement a;
	enum err e = api_find(s, r, st, &a);

	if (e != OK)
		return e;
	for_ever(out, a.ledger);
	http_add_header(out, "Vary", SPAN("Accept"));
	if (api_wants(r, "text/plain")) {
		out->status = 200;
		out->media_type = "text/plain; charset=utf-8";
		out->body = a.s.note.whole;
		return OK;
	}
	api_print(&a, &body);
	e = body.err;
	if (e == OK)
		api_answer(out, 200, "application/json", &body);
	buffer_free(&body);
	return e;
}

static enum err read_body(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct api_statement a;
	const uint8_t *salt = NULL;
	struct span payload;
	bool may = false;
	enum err e = api_find(s, r, st, &a);

	if (e == OK && !a.s.has_body)
		e = fail(ERR_NOT_FOUND, "that statement has no body");
	if (e == OK)
		e = readership_body(st, r->caller, a.ledger, &a.s, &may);
	if (e == OK && !may)
		e = fail(ERR_NOT_YOURS, "its body is for its author and addressees");
	if (e == OK)
		e = node_body(s->node, r->arena, a.s.body.hash, &salt, &payload);
	if (e != OK)
		return e;
	out->status = 200;
	out->media_type = arena_copy(r->arena, a.s.body.media_type.at, a.s.body.media_type.len);
	out->body = payload;
	http_add_header(out, "Cache-Control",
			a.s.body.sealed ? SPAN("private, no-store") : SPAN("public, max-age=31536000"));
	http_add_header(out, "Content-Disposition", SPAN("attachment")); /* never shown as a page of ours */
	if (a.s.body.sealed) {
		char *hex = arena_alloc(r->arena, 2 * SEAL_SALT_SIZE + 1);

		if (hex == NULL)
			return ERR_NO_MEMORY;
		hex_encode(salt, SEAL_SALT_SIZE, hex);
		http_add_header(out, "Comity-Salt", span_make(hex, 2 * SEAL_SALT_SIZE));
	}
	return out->media_type != NULL ? OK : ERR_NO_MEMORY;
}

static enum err read_receipt(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct api_statement a;
	enum err e = api_find(s, r, st, &a);

	if (e == OK)
		e = node_receipt(s->node, r->arena, a.ledger, a.index, &out->body);
	if (e != OK)
		return e;
	out->status = 200;
	out->media_type = "text/plain; charset=utf-8";
	http_add_header(out, "Cache-Control", SPAN("no-cache"));
	return OK;
}

enum http_next api_get(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_one);
}

enum http_next api_get_body(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_body);
}

enum http_next api_get_receipt(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_receipt);
}

/* ---- lists ---- */

static enum err filter_party(struct span value, struct api_filter *out)
{
	out->has_party = true;
	if (addressee_parse(value, &out->party) == OK && out->party.type != TO_ALL)
		return OK;
	return fail(ERR_USAGE, "party: a domain, AS64500, prefix 192.0.2.0/24 or country EE");
}

static enum err filter_kind(struct span value, struct api_filter *out)
{
	for (int k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++)
		if (span_is(value, kind_name((enum kind)k))) {
			out->kind = (enum kind)k;
			return OK;
		}
	return fail(ERR_USAGE, "kind: no kind of that name");
}

static enum err filter_matter(struct span value, struct api_filter *out)
{
	out->has_matter = true;
	if (hash_from_hex(value, &out->matter) == OK)
		return OK;
	return fail(ERR_USAGE, "matter: the id of a statement, 64 digits of lower-case hex");
}

static enum err filter_after(struct span value, struct api_filter *out)
{
	if (span_u64(value, INT64_MAX, &out->after) == OK)
		return OK;
	return fail(ERR_USAGE, "after: a position, a plain number");
}

static enum err filter_limit(struct span value, struct api_filter *out)
{
	if (span_u64(value, INT64_MAX, &out->limit) != OK || out->limit == 0)
		return fail(ERR_USAGE, "limit: a plain number, at least 1");
	if (out->limit > API_LIMIT_MAX)
		out->limit = API_LIMIT_MAX;
	return OK;
}

static enum err filter_wait(struct span value, struct api_filter *out)
{
	uint64_t seconds;

	if (span_u64(value, INT32_MAX, &seconds) != OK)
		return fail(ERR_USAGE, "wait: seconds, a plain number");
	out->wait_s = seconds > API_WAIT_MAX_S ? API_WAIT_MAX_S : (unsigned)seconds;
	return OK;
}

static const struct {
	const char *name;
	enum err (*read)(struct span value, struct api_filter *out);
} filters[] = {
	{ "kind", filter_kind },   { "party", filter_party }, { "matter", filter_matter },
	{ "after", filter_after }, { "limit", filter_limit }, { "wait", filter_wait },
};
#define FILTER_COUNT (sizeof(filters) / sizeof(filters[0]))

enum err api_filter_read(const struct query *q, struct api_filter *out)
{
	enum err e = query_knows(q, "kind, party, matter, after, limit, wait");

	*out = (struct api_filter){ .limit = API_LIMIT_DEFAULT };
	for (size_t i = 0; e == OK && i < FILTER_COUNT; i++) {
		struct span value;

		if ((e = query_get(q, filters[i].name, &value)) == OK)
			e = filters[i].read(value, out);
		else if (e == ERR_NOT_FOUND)
			e = OK;
	}
	return e;
}

struct walking {
	const struct server *server;
	struct arena *arena;
	const struct state *st;
	const struct caller *caller;
	const struct api_filter *filter;
	api_put *put;
	void *context;
	struct api_page *page;
};

#define FULL ERR_EXISTS /* ends the walk; never leaves this file */

/* In a matter's feed may stand what refers to it and is for others. */
static enum err may_list(const struct walking *w, const struct api_statement *a, bool *may)
{
	*may = true;
	return w->filter->has_matter ? readership_statement(w->st, w->caller, a->ledger, &a->s, a->logged_ms,
							    w->server->config->circle_delay_ms, may)
				     : OK;
}

static enum err look(void *context, const struct feed_entry *entry)
{
	struct walking *w = context;
	struct api_statement a;
	bool may;
	enum err e;

	arena_reset(w->arena);
	if ((e = api_entry(w->server, w->arena, w->st, entry->ledger, entry->index, &a)) != OK)
		return e;
	if ((e = may_list(w, &a, &may)) != OK || !may)
		return e;
	if (w->page->count == w->filter->limit) {
		w->page->more = true;
		return FULL;
	}
	w->page->last = entry->stamp;
	if (w->filter->has_matter && w->filter->kind != KIND_UNKNOWN && a.s.kind != w->filter->kind)
		return OK; /* a matter has one feed for all kinds */
	w->put(w->context, &a);
	w->page->count++;
	return OK;
}

#define ONE_MAX ((size_t)16 * STATEMENT_MAX) /* an entry, parsed */

enum err api_walk(const struct server *s, const struct state *st, const struct caller *c, const struct api_filter *f,
		  api_put *put, void *context, struct api_page *out)
{
	struct walking w = { s, arena_new(ONE_MAX), st, c, f, put, context, out };
	struct feed feeds[FEEDS_MAX];
	size_t count = 0;
	uint64_t reached = 0;
	enum err e = w.arena == NULL ? ERR_NO_MEMORY
				     : readership_feeds(st, c, f->kind, f->has_party ? &f->party : NULL,
							f->has_matter ? &f->matter : NULL, feeds, &count);

	*out = (struct api_page){ .last = f->after };
	if (e == OK)
		e = feed_reached(st->snapshot, &reached);
	if (e == OK)
		e = feed_walk(st->snapshot, feeds, count, f->after, look, &w);
	out->reached = e == OK && reached > out->last ? reached : out->last;
	if (w.arena != NULL)
		arena_free(w.arena);
	return e == FULL ? OK : e;
}

static void put_json(void *context, const struct api_statement *a)
{
	struct buffer *out = context;

	if (out->len > 0 && out->at[out->len - 1] == '}')
		buffer_byte(out, ',');
	api_print(a, out);
}

#define LIST_MAX ((size_t)256 << 20)

static enum err read_list(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(LIST_MAX);
	struct api_filter f;
	struct api_page page;
	struct query q;
	enum err e = query_read(r->arena, r->query, &q);

	if (e == OK)
		e = api_filter_read(&q, &f);
	if (e != OK)
		return e;
	if (api_wants(r, "text/event-stream"))
		return api_follow(s, r, &f, true, out);
	if (f.wait_s > 0)
		return api_follow(s, r, &f, false, out);
	buffer_text(&body, "{\"statements\":[");
	e = api_walk(s, st, r->caller, &f, put_json, &body, &page);
	if (e == OK)
		buffer_print(&body, "],\"next\":%ju,\"more\":%s}\n", (uintmax_t)page.last,
			     page.more ? "true" : "false");
	return api_end(out, e, &body);
}

enum http_next api_list(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_list);
}

/* ---- public bodies by their hash ---- */

static enum err read_public_body(const struct server *s, struct http_request *r, struct state *st,
				 struct http_answer *out)
{
	const uint8_t *salt = NULL;
	struct hash hash;
	struct span payload;
	enum err e;

	(void)st;
	if (hash_from_hex(r->parts[0], &hash) != OK)
		return fail(ERR_NOT_FOUND, "a body's address is 64 digits of lower-case hex");
	e = node_body(s->node, r->arena, hash, &salt, &payload);
	if (e == OK && salt != NULL)
		e = ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "no public body of that hash");
	if (e != OK)
		return e;
	out->status = 200;
	out->media_type = "application/octet-stream";
	out->body = payload;
	http_add_header(out, "Cache-Control", SPAN("public, max-age=31536000, immutable"));
	http_add_header(out, "Content-Disposition", SPAN("attachment"));
	return OK;
}

enum http_next api_public_body(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_public_body);
}

/* ---- the description ---- */

enum http_next api_openapi(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context;
	(void)r;
	out->status = 200;
	out->media_type = "application/json";
	out->body = span_make(openapi_json, openapi_json_length);
	http_add_header(out, "Cache-Control", SPAN("public, max-age=3600"));
	return HTTP_NOW;
}
