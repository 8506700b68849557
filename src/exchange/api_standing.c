/* What follows from the ledgers: how a matter came along, and who stands how. */
#include "exchange/api.h"
#include "exchange/exposure_cache.h"
#include "exchange/readership.h"
#include "exchange/standing_view.h"
#include "regime/history.h"
#include "regime/outbox.h"
#include "regime/promises.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define STIX_TYPE "application/stix+json"

/* ---- a matter ---- */

struct telling {
	const struct server *server;
	const struct caller *caller;
	const struct state *st;
	const struct matter *m;
	struct json *j;
};

static enum err put_line(void *context, const struct history_line *l)
{
	struct telling *t = context;
	bool may = false;
	enum err e = readership_statement(t->st, t->caller, l->ledger, &l->s, l->logged_ms,
					  t->server->config->circle_delay_ms, &may);

	return e == OK && may ? history_print(t->m, l, t->j) : e;
}

static enum err put_item(void *context, const struct outbox_item *i)
{
	json_object(context, NULL);
	outbox_print(i, context);
	json_object_end(context);
	return OK;
}

static enum err put_delivery(void *context, const struct history_line *l)
{
	struct telling *t = context;

	return outbox_walk(t->st, &l->s.id, put_item, t->j);
}

static enum err print_matter(struct telling *t)
{
	enum err e;

	json_object(t->j, NULL);
	history_print_matter(t->m, t->j);
	json_array(t->j, "history");
	e = history_walk(t->server->node, t->st, t->m, put_line, t);
	json_array_end(t->j);
	if (e == OK && t->caller->is_node && (t->caller->rights & RIGHT_READ) != 0) { /* the outbox is the node's own */
		json_array(t->j, "delivery");
		e = history_walk(t->server->node, t->st, t->m, put_delivery, t);
		json_array_end(t->j);
	}
	json_text(t->j, "note", HISTORY_NOTE);
	json_object_end(t->j);
	return e;
}

static enum err read_matter(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	struct api_statement a;
	struct matter m;
	struct telling t = { s, r->caller, st, &m, &j };
	enum err e = api_find(s, r, st, &a);

	if (e == OK && (e = state_matter(st, a.s.id, &m)) == ERR_MATTER_UNKNOWN)
		e = fail(ERR_NOT_FOUND, "that statement is no matter");
	if (e == OK)
		e = print_matter(&t);
	return api_end(out, e, &body);
}

enum http_next api_matter(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_matter);
}

/* ---- standing ---- */

struct asked {
	struct standing_ask ask;
	bool addresses;
	struct span after;
	uint64_t limit;
};

static enum err read_yes(const struct query *q, const char *name, bool *out)
{
	struct span value;
	enum err e = query_get(q, name, &value);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK && !span_is(value, "yes"))
		e = fail(ERR_USAGE, "%s: yes, or leave it out", name);
	*out = e == OK;
	return e;
}

/* What is asked for: one party's standing, a page of all, and the same of promises. */
enum asking { ASK_ONE, ASK_PAGE, ASK_PROMISES };

static enum err read_query(struct http_request *r, enum asking what, struct asked *out)
{
	static const char *const known[] = { [ASK_ONE] = "from, to, demonstration, addresses",
					     [ASK_PAGE] = "from, to, demonstration, limit, after",
					     [ASK_PROMISES] = "from, to, demonstration" };
	struct query q;
	enum err e = query_read(r->arena, r->query, &q);

	*out = (struct asked){ .limit = API_LIMIT_DEFAULT, .after = SPAN("") };
	if (e == OK)
		e = query_knows(&q, known[what]);
	if (e == OK)
		e = query_time(&q, "from", &out->ask.from_ms);
	if (e == OK)
		e = query_time(&q, "to", &out->ask.until_ms);
	if (e == OK)
		e = read_yes(&q, "demonstration", &out->ask.demonstration);
	if (e == OK)
		e = read_yes(&q, "addresses", &out->addresses);
	if (e == OK)
		e = query_number(&q, "limit", 1, API_LIMIT_MAX, &out->limit);
	return e == OK ? query_text(&q, "after", &out->after) : e;
}

/* A prefix has a slash, which a path may only have as %2F: `_` stands for it too. */
static enum err read_party(struct http_request *r, struct addressee *out)
{
	char *name = arena_copy(r->arena, r->parts[0].at, r->parts[0].len);

	if (name == NULL)
		return ERR_NO_MEMORY;
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '_' ? '/' : *p;
	if (addressee_parse(span_make(name, r->parts[0].len), out) != OK || out->type == TO_ALL)
		return fail(ERR_NOT_FOUND, "a domain, AS64500, prefix 192.0.2.0_24 or country EE");
	return OK;
}

/* What was logged last may be hidden from who is no member, and so may be when: to them it reaches to the last tick, which is
 * public. */
static enum err end_at_tick(const struct state *st, const struct caller *c, struct standing_ask *ask)
{
	struct addressee everyone = { .type = TO_ALL };
	struct tick t;
	bool may = false;
	enum err e = readership_standing(st, c, &everyone, &may);

	if (e != OK || may)
		return e;
	if ((e = state_tick(st, &t)) == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "there is no tick yet that it could reach to");
	if (e == OK && (ask->until_ms == 0 || ask->until_ms > t.logged_ms))
		ask->until_ms = t.logged_ms;
	return e;
}

/* Without a table, or where it gives the party nothing: no figure. */
static enum err print_standing(const struct server *s, const struct http_request *r, const struct state *st,
			       const struct asked *asked, const struct standing *standing, struct buffer *body)
{
	struct exposure room;
	bool known = false;
	enum err e = OK;

	if (api_wants(r, STIX_TYPE)) {
		standing_view(standing, body);
		return body->err;
	}
	if (asked->addresses)
		e = exposure_cache_find(s->exposure, st, r->arena, &standing->party, &room, &known);
	if (e == OK)
		standing_print(standing, known ? &room : NULL, body);
	return e == OK ? body->err : e;
}

static enum err read_standing(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct standing *standing = arena_alloc(r->arena, sizeof(*standing));
	struct addressee party;
	struct asked asked;
	bool may = false;
	enum err e = standing == NULL ? ERR_NO_MEMORY : read_query(r, ASK_ONE, &asked);

	if (e == OK)
		e = read_party(r, &party);
	if (e == OK)
		e = readership_standing(st, r->caller, &party, &may);
	if (e == OK && !may)
		e = fail(ERR_NOT_FOUND, "no standing that you may see");
	if (e == OK)
		e = end_at_tick(st, r->caller, &asked.ask);
	if (e == OK)
		e = standing_of(st, &party, &asked.ask, standing);
	if (e == OK)
		e = print_standing(s, r, st, &asked, standing, &body);
	if (e == OK) {
		http_add_header(out, "Vary", SPAN("Accept"));
		api_answer_private(out, api_wants(r, STIX_TYPE) ? STIX_TYPE ";version=2.1" : "application/json", &body);
	}
	buffer_free(&body);
	return e;
}

enum http_next api_standing(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_standing);
}

struct listing {
	struct arena *arena;
	const struct state *st;
	struct buffer *body;
	uint64_t left;
	struct span last;
	bool more;
};

#define FULL ERR_EXISTS /* ends the walk; never leaves this file */

/* Makes room for one more in the list. */
static enum err next(struct listing *l)
{
	if (l->left == 0) {
		l->more = true;
		return FULL;
	}
	l->left--;
	if (l->last.len > 0)
		buffer_byte(l->body, ',');
	return OK;
}

/* The name stays when the walk has gone on. */
static enum err keep_name(struct listing *l, const struct addressee *party)
{
	struct buffer name = BUFFER(1024);
	const char *copy;

	addressee_print(party, &name);
	copy = arena_copy(l->arena, name.at, name.len);
	l->last = span_make(copy, name.len);
	buffer_free(&name);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

static enum err put_standing(void *context, const struct standing *s)
{
	struct listing *l = context;
	enum err e = next(l);

	if (e != OK)
		return e;
	standing_print(s, NULL, l->body);
	return l->body->err != OK ? l->body->err : keep_name(l, &s->party);
}

static void end_list(const struct listing *l)
{
	struct json j = { .out = l->body, .comma = true };

	buffer_byte(l->body, ']');
	if (l->more)
		json_string(&j, "next", l->last);
	else
		json_null(&j, "next");
	json_bool(&j, "more", l->more);
	buffer_text(l->body, "}\n");
}

/* Only who may see everybody's gets a list: nobody else's could be told from counting. */
static enum err read_all(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct addressee everyone = { .type = TO_ALL };
	struct buffer body = BUFFER(ANSWER_MAX);
	struct listing l = { .arena = r->arena, .st = st, .body = &body };
	struct asked asked;
	bool may = false;
	enum err e = read_query(r, ASK_PAGE, &asked);

	(void)s;
	if (e == OK)
		e = readership_standing(st, r->caller, &everyone, &may);
	buffer_text(&body, "{\"standings\":[");
	l.left = asked.limit;
	if (e == OK && may)
		e = standing_all(st, &asked.ask, asked.after, put_standing, &l);
	end_list(&l);
	return api_end(out, e == FULL ? OK : e, &body);
}

enum http_next api_standing_all(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_all);
}

/* ---- promises ---- */

static struct promises_ask promises_asked(const struct asked *a)
{
	return (struct promises_ask){ .from_ms = a->ask.from_ms,
				      .until_ms = a->ask.until_ms,
				      .demonstration = a->ask.demonstration };
}

/* That a party pledged is public; how it was kept is counted from the circle. */
static enum err read_promises(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct promises_ask ask;
	struct addressee party;
	struct asked asked;
	bool may = false, empty = true;
	enum err e = read_query(r, ASK_PROMISES, &asked);

	(void)s;
	if (e == OK)
		e = read_party(r, &party);
	if (e == OK && party.type == TO_PARTY)
		e = readership_standing(st, r->caller, &party, &may);
	if (e == OK && may)
		e = end_at_tick(st, r->caller, &asked.ask);
	ask = promises_asked(&asked);
	if (e == OK && may)
		e = promises_print(st, party.domain, &ask, &body, &empty);
	if (e == OK && empty)
		e = fail(ERR_NOT_FOUND, "no promises whose keeping you may see");
	return api_end(out, e, &body);
}

enum http_next api_promises(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_promises);
}

struct promising {
	struct listing list;
	struct span after;
	struct promises_ask ask;
};

static enum err put_promises(void *context, struct span name)
{
	struct promising *p = context;
	struct listing *l = &p->list;
	bool empty;
	enum err e;

	if (span_compare(name, p->after) <= 0)
		return OK;
	if ((e = next(l)) != OK)
		return e;
	e = promises_print(l->st, name, &p->ask, l->body, &empty);
	l->last = name; /* ends with the snapshot */
	return e;
}

static enum err read_all_promises(const struct server *s, struct http_request *r, struct state *st,
				  struct http_answer *out)
{
	struct addressee everyone = { .type = TO_ALL };
	struct buffer body = BUFFER(ANSWER_MAX);
	struct promising p = { .list = { .arena = r->arena, .st = st, .body = &body } };
	struct asked asked;
	bool may = false;
	enum err e = read_query(r, ASK_PAGE, &asked);

	(void)s;
	if (e == OK)
		e = readership_standing(st, r->caller, &everyone, &may);
	p.ask = promises_asked(&asked);
	p.after = asked.after;
	p.list.left = asked.limit;
	if (e == OK)
		e = promises_shared_new(&p.ask.shared);
	buffer_text(&body, "{\"promises\":[");
	if (e == OK && may)
		e = promises_parties(st, p.ask.demonstration, put_promises, &p);
	end_list(&p.list);
	promises_shared_free(p.ask.shared);
	return api_end(out, e == FULL ? OK : e, &body);
}

enum http_next api_promises_all(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_all_promises);
}
