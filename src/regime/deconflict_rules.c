/* What the ledger says of deconfliction: who was asked about which takedown, and who has answered.
 *
 *	D 00 u64 request		nothing: a request to this node that it has not answered
 *	D 01 from 00 to 00 u64 logged_ms, u64 request	nothing: one asked another
 *
 * Numbers of requests are indexes of the circle's ledger. */
#include "regime/deconflict.h"
#include "regime/kinds_private.h"
#include "regime/plan_life.h"
#include "regime/plan_terms.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

enum { ASKED_OPEN, ASKED_BY };

bool deconflict_is_request(const struct statement *s)
{
	return s->kind == KIND_REQUEST && span_is(statement_value(s, "need"), "deconflict");
}

static struct state_key key_open(uint64_t request)
{
	struct state_key k = key_of(STATE_DECONFLICT);

	key_add_u8(&k, ASKED_OPEN);
	key_add_u64(&k, request);
	return k;
}

static struct state_key key_pair(struct span from, struct span to)
{
	struct state_key k = key_of(STATE_DECONFLICT);

	key_add_u8(&k, ASKED_BY);
	key_add(&k, from.at, from.len);
	key_add_u8(&k, 0);
	key_add_name(&k, to, 2 * sizeof(uint64_t));
	return k;
}

/* ---- asking ---- */

static enum err count_one(void *context, struct span key, struct span value)
{
	(void)key;
	(void)value;
	(*(unsigned *)context)++;
	return OK;
}

/* So many in a day, however they are spread over plans. */
static enum err check_rate(const struct state *st, const struct statement *s)
{
	struct state_key pair = key_pair(s->from, s->to[0].domain), from = pair;
	int64_t since = st->logged_ms > DAY_MS ? st->logged_ms - DAY_MS : 0;
	unsigned asked = 0;
	enum err e;

	key_add_u64(&from, (uint64_t)since);
	e = view_walk(st->snapshot, VIEW_STATE, key_view(&pair), key_view(&from), count_one, &asked);
	if (e == OK && asked >= DECONFLICT_PER_DAY)
		e = fail(ERR_RATE, "to: %.*s was asked %u times within a day", SPAN_FORMAT(s->to[0].domain), asked);
	return e;
}

static enum err check_form(const struct state *st, const struct statement *s)
{
	struct party p;
	enum err e;

	if (s->to_count != 1 || s->to[0].type != TO_PARTY)
		return fail(ERR_STATEMENT_HEADER, "to: one node");
	if (!s->has_body || !s->body.sealed || !span_is(s->body.media_type, DECONFLICT_REQUEST_TYPE))
		return fail(ERR_STATEMENT_HEADER, "body: %s, sealed", DECONFLICT_REQUEST_TYPE);
	if (s->body.size > DECONFLICT_BODY_MAX)
		return fail(ERR_STATEMENT_HEADER, "body: %ju bytes, at most %zu", (uintmax_t)s->body.size,
			    DECONFLICT_BODY_MAX);
	if (s->for_party.len > 0)
		return fail(ERR_NOT_YOURS, "for: who asks signs it itself");
	e = party_get(st, s->to[0].domain, &p);
	if (e == ERR_PARTY_UNKNOWN && st->is_guest)
		return OK;
	if (e == OK && (p.roles & BIT(ROLE_NODE)) == 0)
		e = fail(ERR_STATEMENT_HEADER, "to: %.*s is no node", SPAN_FORMAT(p.domain));
	return e;
}

enum err deconflict_check(const struct state *st, const struct statement *s)
{
	struct matter plan;
	enum err e = check_form(st, s);

	if (e == OK)
		e = check_rate(st, s);
	if (e == OK)
		e = matter_referred(st, s, BIT(KIND_PLAN), &plan);
	if (e == ERR_MATTER_UNKNOWN && st->is_guest)
		return OK; /* a plan of another node's ledger: that one has judged it */
	if (e == OK && !span_equal(plan.from, s->from))
		e = fail(ERR_NOT_YOURS, "re: the plan of %.*s, who asks for itself", SPAN_FORMAT(plan.from));
	return e;
}

enum err deconflict_requested(struct state *st, const struct statement *s)
{
	struct state_key by = key_pair(s->from, s->to[0].domain), open = key_open(st->index);
	struct buffer nothing = BUFFER(1);
	enum err e;

	key_add_u64(&by, (uint64_t)st->logged_ms);
	key_add_u64(&by, st->index);
	e = state_put(st, &by, &nothing);
	if (e == OK && span_equal(s->to[0].domain, st->node))
		e = state_put(st, &open, &nothing);
	buffer_free(&nothing);
	return e;
}

enum err deconflict_answered(struct state *st, const struct statement *s, const struct matter *request)
{
	struct state_key open = key_open(request->index);
	struct span value;
	enum err e = from_node(st, s) ? state_get(st, &open, &value) : ERR_NOT_FOUND;

	if (e == OK)
		e = state_delete(st, &open);
	return e == ERR_NOT_FOUND ? OK : e;
}

struct walking {
	const struct state *st;
	matter_each *each;
	void *context;
};

static enum err show_open(void *context, struct span key, struct span value)
{
	const struct walking *w = context;
	struct reader r = reader_of(span_from(key, 2));
	struct matter m;
	enum err e;

	(void)value;
	e = matter_get(w->st, LEDGER_CIRCLE, read_u64(&r), &m);
	return e == OK && !m.withdrawn ? w->each(w->context, &m) : e;
}

enum err deconflicts_waiting(const struct state *st, matter_each *each, void *context)
{
	struct walking w = { st, each, context };
	struct state_key prefix = key_of(STATE_DECONFLICT);

	key_add_u8(&prefix, ASKED_OPEN);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_open, &w);
}

/* ---- ready ---- */

/* Whom a plan's requests went to. */
struct asking {
	const struct state *st;
	int64_t now_ms;
	struct deconflict_asked *at;
	size_t count, room;
};

static enum err add_asked(struct asking *a, const struct plan_order *o)
{
	struct deconflict_asked one = {
		.request = o->request, .asked_ms = o->ordered_ms, .answered_ms = o->answered_ms, .outcome = o->outcome
	};
	struct addressee to;
	struct matter m;
	enum err e = state_matter(a->st, o->request, &m);

	if (e != OK || !matter_addressee(&m, 0, &to))
		return e;
	if ((one.node = span_make(arena_copy(a->st->arena, to.domain.at, to.domain.len), to.domain.len)).at == NULL)
		return ERR_NO_MEMORY;
	if (a->count == a->room) {
		size_t room = a->room == 0 ? 64 : 2 * a->room;
		struct deconflict_asked *more =
			arena_resize(a->st->arena, a->at, a->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		a->at = more;
		a->room = room;
	}
	a->at[a->count++] = one;
	return OK;
}

static enum err look_at_order(void *context, const struct plan_order *o)
{
	return span_is(o->need, "deconflict") && !o->withdrawn ? add_asked(context, o) : OK;
}

enum err deconflict_asked(const struct state *st, struct hash plan, struct deconflict_asked **out, size_t *count)
{
	struct asking a = { .st = st };
	struct matter m;
	enum err e = plan_orders(st, plan, look_at_order, &a);

	if (e == OK && (e = state_matter(st, plan, &m)) == OK && m.has_before)
		e = plan_orders(st, m.before, look_at_order,
				&a); /* the sealed filing that it reveals, or its last version */
	*out = a.at;
	*count = a.count;
	return e;
}

static enum err look_at_party(void *context, const struct party *p)
{
	struct asking *a = context;
	bool asked = false;

	if ((p->roles & BIT(ROLE_NODE)) == 0 || (p->url.len == 0 && !span_equal(p->domain, a->st->node)))
		return OK; /* it cannot be reached */
	for (size_t i = 0; i < a->count; i++) {
		if (!span_equal(a->at[i].node, p->domain))
			continue;
		if (a->at[i].answered_ms != 0 || a->now_ms - a->at[i].asked_ms >= DECONFLICT_WAIT_MS)
			return OK;
		asked = true;
	}
	return asked ? fail(ERR_DECONFLICTION, "%.*s was asked and has not answered yet", SPAN_FORMAT(p->domain))
		     : fail(ERR_DECONFLICTION, "%.*s was not asked", SPAN_FORMAT(p->domain));
}

enum err deconflict_ready(const struct state *st, struct hash plan, int64_t now_ms)
{
	struct asking a = { .st = st, .now_ms = now_ms };
	enum err e = deconflict_asked(st, plan, &a.at, &a.count);

	return e == OK ? state_parties(st, look_at_party, &a) : e;
}

enum err deconflict_check_start(const struct state *st, const struct matter *plan)
{
	struct plan_terms t;
	enum err e = plan_terms_get(st, plan->index, &t);

	if (e != OK || t.sealed || t.activity != ACTIVITY_TAKEDOWN || st->is_guest)
		return e; /* a guest's home has judged it */
	return deconflict_ready(st, plan->id, st->logged_ms);
}
