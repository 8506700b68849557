/* Pledges and agreements: public, as their statements are. What was counted between two is for those who may read their standing. */
#include "exchange/api.h"
#include "exchange/readership.h"
#include "regime/agreement.h"

#define ENTRY_ARENA ((size_t)1 << 20)
#define ANSWER_MAX ((size_t)64 << 20)
#define FULL ERR_EXISTS /* ends a walk; never leaves this file */

struct listing {
	const struct state *st; /* its arena is of one entry: there may be more of them than a request has room for */
	const struct caller *caller;
	struct json j;
	struct span party; /* empty: of all */
	struct hash after;
	bool skipping; /* until that one */
	uint64_t left;
	bool more;
};

static enum err read_after(const struct query *q, struct listing *l)
{
	struct span id;
	enum err e = query_get(q, "after", &id);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK && hash_from_hex(id, &l->after) != OK)
		e = fail(ERR_USAGE, "after: an id, 64 digits of lower-case hex");
	l->skipping = true;
	return e;
}

static enum err read_query(struct http_request *r, struct listing *l)
{
	struct query q;
	enum err e = query_read(r->arena, r->query, &q);

	l->left = API_LIMIT_DEFAULT;
	l->party = SPAN("");
	if (e == OK)
		e = query_knows(&q, "party, after, limit");
	if (e == OK)
		e = read_after(&q, l);
	if (e == OK)
		e = query_number(&q, "limit", 1, API_LIMIT_MAX, &l->left);
	return e == OK ? query_domain(&q, "party", &l->party) : e;
}

/* *take: it is to be printed. */
static enum err next(struct listing *l, struct hash id, bool *take)
{
	*take = false;
	if (l->skipping) {
		l->skipping = !hash_equal(id, l->after);
		return OK;
	}
	if (l->left == 0) {
		l->more = true;
		return FULL;
	}
	l->left--;
	*take = true;
	return OK;
}

static enum err put_pledge(void *context, const struct pledge *p)
{
	struct listing *l = context;
	bool take;
	enum err e = next(l, p->id, &take);

	if (e == OK && take)
		pledge_print(&l->j, NULL, p);
	arena_reset(l->st->arena);
	return e == OK ? l->j.out->err : e;
}

/* Whose figures they are may be asked of either. */
static enum err may_count(const struct state *st, const struct caller *c, const struct agreement *a, bool *may)
{
	enum err e = OK;

	*may = false;
	for (unsigned side = 0; e == OK && !*may && side < 2; side++) {
		struct addressee party = { .type = TO_PARTY, .domain = a->party[side] };

		e = readership_standing(st, c, &party, may);
	}
	return e;
}

static enum err print_agreement(const struct state *st, const struct caller *c, const struct agreement *a,
				struct buffer *out)
{
	struct agreement shown = *a;
	bool may;
	enum err e = may_count(st, c, a, &may);

	for (size_t i = 0; i < shown.term_count && !may; i++)
		for (unsigned side = 0; side < 2; side++)
			shown.terms[i].sides[side].last.until_ms = 0;
	if (e == OK)
		agreement_print(&shown, out);
	return e == OK ? out->err : e;
}

static enum err put_agreement(void *context, const struct agreement *a)
{
	struct listing *l = context;
	bool take;
	enum err e = next(l, a->id, &take);

	if (e == OK && take) {
		if (l->j.comma)
			buffer_byte(l->j.out, ',');
		l->j.comma = true;
		e = print_agreement(l->st, l->caller, a, l->j.out);
	}
	arena_reset(l->st->arena);
	return e;
}

static enum err list(struct http_request *r, struct state *st, struct http_answer *out, const char *what,
		     enum err (*walk)(struct listing *))
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct state one = *st;
	struct listing l = { .st = &one, .caller = r->caller, .j = { .out = &body } };
	enum err e = read_query(r, &l);

	if ((one.arena = arena_new(ENTRY_ARENA)) == NULL)
		e = ERR_NO_MEMORY;

	json_object(&l.j, NULL);
	json_array(&l.j, what);
	if (e == OK)
		e = walk(&l);
	if (e == FULL)
		e = OK;
	json_array_end(&l.j);
	json_bool(&l.j, "more", l.more);
	json_object_end(&l.j);
	arena_free(one.arena);
	return api_end(out, e, &body);
}

static enum err walk_pledges(struct listing *l)
{
	return state_pledges(l->st, l->party, put_pledge, l);
}

static enum err walk_agreements(struct listing *l)
{
	return state_agreements(l->st, l->party, put_agreement, l);
}

static enum err read_pledges(const struct server *s, struct http_request *r, struct state *st, struct http_answer *out)
{
	(void)s;
	return list(r, st, out, "pledges", walk_pledges);
}

static enum err read_agreements(const struct server *s, struct http_request *r, struct state *st,
				struct http_answer *out)
{
	(void)s;
	return list(r, st, out, "agreements", walk_agreements);
}

static enum err read_agreement(const struct server *s, struct http_request *r, struct state *st,
			       struct http_answer *out)
{
	struct buffer body = BUFFER(ANSWER_MAX);
	struct agreement a;
	struct hash id;
	enum err e = hash_from_hex(r->parts[0], &id) == OK ? state_agreement(st, id, &a) : ERR_MATTER_UNKNOWN;

	(void)s;
	if (e == ERR_MATTER_UNKNOWN)
		e = fail(ERR_NOT_FOUND, "no agreement of that id is kept here");
	if (e == OK)
		e = print_agreement(st, r->caller, &a, &body);
	return api_end(out, e, &body);
}

enum http_next api_pledges(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_pledges);
}

enum http_next api_agreements(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_agreements);
}

enum http_next api_agreement(void *context, struct http_request *r, struct http_answer *out)
{
	return api_with_state(context, r, out, read_agreement);
}
