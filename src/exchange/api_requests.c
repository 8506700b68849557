/* Requests for help and pings, as far as the caller may see them. */
#include "exchange/api.h"
#include "exchange/readership.h"
#include "regime/help.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define ENTRY_ARENA ((size_t)1 << 20)
#define FULL ERR_EXISTS /* ends the walk; never leaves this file */

struct asked {
	struct span to; /* empty: of everybody */
	bool pings;
	uint64_t limit;
};

static enum err read_to(const struct query *q, struct asked *out)
{
	enum err e = query_get(q, "to", &out->to);

	if (e == ERR_NOT_FOUND) {
		out->to = SPAN("");
		return OK;
	}
	return e == OK && !span_is_domain(out->to) ? fail(ERR_USAGE, "to: a party's domain") : e;
}

static enum err read_query(struct http_request *r, struct asked *out)
{
	static const char *const known[] = { "to", "need", "limit" };
	struct query q;
	struct span need, limit;
	enum err e = query_read(r->arena, r->query, &q);

	*out = (struct asked){ .limit = API_LIMIT_DEFAULT };
	for (size_t i = 0; e == OK && i < q.count; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			found |= span_is(q.fields[i].name, known[k]);
		if (!found)
			e = fail(ERR_USAGE, "the query knows to, need, limit");
	}
	if (e == OK)
		e = read_to(&q, out);
	if (e == OK && (e = query_get(&q, "need", &need)) == OK) {
		out->pings = span_is(need, "ping");
		if (!out->pings && !span_is(need, "help"))
			e = fail(ERR_USAGE, "need: help or ping");
	}
	if ((e == OK || e == ERR_NOT_FOUND) && (e = query_get(&q, "limit", &limit)) == OK &&
	    (span_u64(limit, API_LIMIT_MAX, &out->limit) != OK || out->limit == 0))
		e = fail(ERR_USAGE, "limit: 1 to %d", API_LIMIT_MAX);
	return e == ERR_NOT_FOUND ? OK : e;
}

struct listing {
	const struct server *server;
	const struct state *st;
	const struct caller *caller;
	struct arena *arena; /* of one entry */
	struct json j;
	int64_t now_ms;
	uint64_t left;
	bool more;
};

static enum err put_one(void *context, const struct help *h)
{
	struct listing *l = context;
	bool sees = false;
	enum err e;

	arena_reset(l->arena);
	e = api_caller_sees(l->server, l->arena, l->st, l->caller, h->matter.id, &sees);
	if (e != OK || !sees)
		return e;
	if (l->left == 0) {
		l->more = true;
		return FULL;
	}
	l->left--;
	json_object(&l->j, NULL);
	help_print(h, l->now_ms, &l->j);
	json_object_end(&l->j);
	return l->j.out->err;
}

/* Members ask about anybody. Others about themselves: what else is to be seen of them stands among their own statements. */
static enum err walk(struct listing *l, const struct asked *asked)
{
	struct addressee everyone = { .type = TO_ALL };
	struct span to = asked->to, own = l->caller->party;
	bool all = false;
	enum err e = readership_standing(l->st, l->caller, &everyone, &all);

	if (e != OK || (!all && own.len == 0) || (!all && to.len > 0 && !span_equal(to, own)))
		return e;
	e = state_helps(l->st, all ? to : own, asked->pings, put_one, l);
	return e == FULL ? OK : e;
}

static enum err read_all(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct listing l = { .server = s,
			     .st = st,
			     .caller = r->caller,
			     .arena = arena_new(ENTRY_ARENA),
			     .j = { .out = &body },
			     .now_ms = clock_now_ms() };
	struct asked asked;
	enum err e = l.arena == NULL ? ERR_NO_MEMORY : read_query(r, &asked);

	json_object(&l.j, NULL);
	json_array(&l.j, "requests");
	if (e == OK) {
		l.left = asked.limit;
		e = walk(&l, &asked);
	}
	json_array_end(&l.j);
	json_bool(&l.j, "more", l.more);
	json_object_end(&l.j);
	if (e == OK)
		e = body.err;
	if (e == OK)
		api_answer_private(out, "application/json", &body);
	buffer_free(&body);
	arena_free(l.arena);
	return e;
}

enum http_next api_requests(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_all);
}

static enum err put_offer(void *context, const struct help_offer *o)
{
	help_offer_print(o, context);
	return OK;
}

static enum err read_one(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct json j = { .out = &body };
	struct api_statement a;
	struct help h;
	enum err e = api_find(s, r, st, &a);

	if (e == OK && (e = state_help(st, a.s.id, &h)) == ERR_MATTER_UNKNOWN)
		e = fail(ERR_NOT_FOUND, "no request for help");
	json_object(&j, NULL);
	if (e == OK) {
		help_print(&h, clock_now_ms(), &j);
		json_array(&j, "offered");
		e = help_offers(st, a.s.id, put_offer, &j);
		json_array_end(&j);
	}
	json_object_end(&j);
	if (e == OK)
		e = body.err;
	if (e == OK)
		api_answer_private(out, "application/json", &body);
	buffer_free(&body);
	return e;
}

enum http_next api_request(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_one);
}
