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

static enum err read_query(struct http_request *r, struct asked *out)
{
	struct query q;
	struct span need = SPAN("help");
	enum err e = query_read(r->arena, r->query, &q);

	*out = (struct asked){ .to = SPAN(""), .limit = API_LIMIT_DEFAULT };
	if (e == OK)
		e = query_knows(&q, "to, need, limit");
	if (e == OK)
		e = query_domain(&q, "to", &out->to);
	if (e == OK)
		e = query_number(&q, "limit", 1, API_LIMIT_MAX, &out->limit);
	if (e == OK)
		e = query_text(&q, "need", &need);
	out->pings = span_is(need, "ping");
	return e == OK && !out->pings && !span_is(need, "help") ? fail(ERR_USAGE, "need: help or ping") : e;
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
	arena_free(l.arena);
	return api_end(out, e, &body);
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
	return api_end(out, e, &body);
}

enum http_next api_request(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_one);
}
