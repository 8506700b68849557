/*
 * What a plan's life is folded from
 *
 * The phase is never stored: it follows from what was said and the time asked for (plan_life.c). Stored is what was said, in four
 * places:
 *
 *	u u64 plan		its course: u64 when its party spoke last, u8 what (1 + outcome; 0: nothing), u64 first recall,
 *				u64 stopped after that, u64 first seen outside, u64 overdue from (0: not at all),
 *				u64 first suspended, u64 resumed after the last suspension
 *	u u64 plan, domain	what another said: u64 acknowledged, u64 signed (acknowledged by its own key), u64 objected,
 *				u64 accepted
 *	q u64 plan, u64 request	what was asked of its party: u8 need, then of a `confirm` prefix, u64 first, u64 last
 *	g u64 request		what it confirmed: 32 plan, prefix, u64 first, u64 last
 *
 * and the key x of its course's last number. Numbers of plans are indexes of the public ledger, those of requests of the circle.
 */
#include "regime/plan_life_private.h"

static const char *const needs[NEED_COUNT] = { "recall", "explain", "confirm", "deconflict" };

const char *plan_need_name(enum need n)
{
	return needs[n];
}

/* ---- bytes ---- */

static struct state_key key_course(uint64_t plan)
{
	struct state_key k = key_of(STATE_COURSE);

	key_add_u64(&k, plan);
	return k;
}

static struct state_key key_overdue(int64_t ms, uint64_t plan)
{
	struct state_key k = key_of(STATE_OVERDUE);

	key_add_u64(&k, (uint64_t)ms);
	key_add_u64(&k, plan);
	return k;
}

static struct state_key key_order(uint64_t plan, uint64_t request)
{
	struct state_key k = key_of(STATE_ORDER);

	key_add_u64(&k, plan);
	key_add_u64(&k, request);
	return k;
}

enum err plan_course_get(const struct state *st, uint64_t plan, struct plan_course *out)
{
	struct state_key k = key_course(plan);
	struct span value;
	struct reader r;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("plan without its course") : e;
	r = reader_of(value);
	out->spoke_ms = (int64_t)read_u64(&r);
	out->word = read_u8(&r);
	out->recalled_ms = (int64_t)read_u64(&r);
	out->stopped_ms = (int64_t)read_u64(&r);
	out->seen_ms = (int64_t)read_u64(&r);
	out->overdue_ms = (int64_t)read_u64(&r);
	out->paused_ms = (int64_t)read_u64(&r);
	out->resumed_ms = (int64_t)read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 && out->word <= OUTCOME_COUNT ? OK : state_damaged("plan's course");
}

/* And moves its place among those that are overdue. before: NULL, it had none. */
static enum err course_put(struct state *st, uint64_t plan, const struct plan_course *before,
			   const struct plan_course *c)
{
	struct state_key k = key_course(plan), old, now = key_overdue(c->overdue_ms, plan);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	int64_t was = before != NULL ? before->overdue_ms : 0;
	enum err e;

	buffer_u64(&b, (uint64_t)c->spoke_ms);
	buffer_byte(&b, c->word);
	buffer_u64(&b, (uint64_t)c->recalled_ms);
	buffer_u64(&b, (uint64_t)c->stopped_ms);
	buffer_u64(&b, (uint64_t)c->seen_ms);
	buffer_u64(&b, (uint64_t)c->overdue_ms);
	buffer_u64(&b, (uint64_t)c->paused_ms);
	buffer_u64(&b, (uint64_t)c->resumed_ms);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	if (e == OK && was != 0 && was != c->overdue_ms) {
		old = key_overdue(was, plan);
		e = state_delete(st, &old);
	}
	if (e == OK && c->overdue_ms != 0 && was != c->overdue_ms)
		e = view_put(st->snapshot, VIEW_STATE, key_view(&now), SPAN(""));
	return e;
}

static enum err said_unpack(struct span value, struct said *out)
{
	struct reader r = reader_of(value);

	out->acknowledged_ms = (int64_t)read_u64(&r);
	out->signed_ms = (int64_t)read_u64(&r);
	out->objected_ms = (int64_t)read_u64(&r);
	out->accepted_ms = (int64_t)read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("answer to a plan");
}

static struct state_key key_said(uint64_t plan, struct span who)
{
	struct state_key k = key_course(plan);

	key_add(&k, who.at, who.len);
	return k;
}

enum err plan_said_get(const struct state *st, uint64_t plan, struct span who, struct said *out)
{
	struct state_key k = key_said(plan, who);
	struct span value;
	enum err e = state_get(st, &k, &value);

	*out = (struct said){ 0 };
	return e == ERR_NOT_FOUND ? OK : e == OK ? said_unpack(value, out) : e;
}

static enum err said_put(struct state *st, const struct state_key *k, const struct said *s)
{
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_u64(&b, (uint64_t)s->acknowledged_ms);
	buffer_u64(&b, (uint64_t)s->signed_ms);
	buffer_u64(&b, (uint64_t)s->objected_ms);
	buffer_u64(&b, (uint64_t)s->accepted_ms);
	e = state_put(st, k, &b);
	buffer_free(&b);
	return e;
}

/* ---- it begins and ends ---- */

/* Only who filed here is asked by this node where a plan has gone. What was ordered of the version before is ordered of this one. */
enum err plan_life_begin(struct state *st, const struct plan_terms *t, const struct hash *before)
{
	struct plan_course c = { 0 };
	struct matter old;
	enum err e = OK;

	if (before != NULL && (e = state_matter(st, *before, &old)) == OK)
		e = plan_course_get(st, old.index, &c);
	if (e != OK)
		return e;
	c.seen_ms = c.overdue_ms = 0;
	if (!t->sealed && !st->is_guest)
		c.overdue_ms = plan_terms_last_ms(t) + PLAN_UNCERTAIN_MS;
	return course_put(st, st->index, NULL, &c);
}

enum err plan_life_over(struct state *st, const struct matter *m)
{
	struct plan_course before, c;
	enum err e = plan_course_get(st, m->index, &before);

	if (e != OK)
		return e;
	c = before;
	c.overdue_ms = 0;
	if (c.recalled_ms != 0 && c.stopped_ms == 0 && (m->withdrawn || m->passed_on_ms == 0))
		c.stopped_ms = st->logged_ms;
	return course_put(st, m->index, &before, &c);
}

struct counting {
	size_t ahead;	   /* of the domain in the key */
	int64_t before_ms; /* what counts was said before */
	struct plan_life *life;
};

static enum err count_said(void *context, struct span key, struct span value)
{
	struct counting *c = context;
	struct said s;
	enum err e = said_unpack(value, &s);

	if (e != OK)
		return e;
	c->life->acknowledged += s.acknowledged_ms != 0;
	c->life->countersigned += s.signed_ms != 0 && s.signed_ms < c->before_ms;
	if (s.objected_ms > s.accepted_ms)
		c->life->objected++;
	else if (s.accepted_ms != 0)
		c->life->accepted++;
	(void)key;
	return OK;
}

/* Of all the others. */
enum err plan_said_count(const struct state *st, uint64_t plan, int64_t before_ms, struct plan_life *life)
{
	struct state_key prefix = key_course(plan), from = prefix;
	struct counting c = { prefix.len, before_ms, life };

	key_add_u8(&from, 0); /* behind the course itself; no domain begins so */
	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&from), count_said, &c);
}

enum err plan_life_reveal(const struct state *st, const struct matter *before, struct plan_terms *t)
{
	struct plan_life life = { 0 };
	enum err e = plan_said_count(st, before->index, INT64_MAX, &life);

	if (e == OK && life.countersigned >= COUNTERSIGNERS_LEAST)
		t->filed_ms = before->logged_ms;
	return e;
}

/* ---- answers ---- */

static enum err read_seen(const struct statement *s, int64_t *out)
{
	if (statement_header(s, "seen") == NULL)
		return fail(ERR_STATEMENT_HEADER, "seen: missing; when it was seen");
	return value_time(s, "seen", out);
}

enum err plan_answer_check(const struct statement *s, const struct matter *m, enum outcome o)
{
	int64_t seen;

	if (o == OUTCOME_RE_OBSERVED)
		return m->ended ? fail(ERR_OUTCOME, "re: it is over; what is seen now is no plan's")
				: read_seen(s, &seen);
	if (statement_header(s, "seen") != NULL)
		return fail(ERR_STATEMENT_HEADER, "seen: only beside re-observed");
	if (m->ended && (o == OUTCOME_STARTED || o == OUTCOME_DELAYED || o == OUTCOME_SUSPENDED))
		return fail(ERR_OUTCOME, "re: it is over");
	return OK;
}

static enum err own_word(struct state *st, const struct matter *m, enum outcome o)
{
	struct plan_course before, c;
	enum err e = plan_course_get(st, m->index, &before);

	if (e != OK)
		return e;
	c = before;
	c.spoke_ms = st->logged_ms;
	c.word = (uint8_t)(1 + o);
	if (o == OUTCOME_SUSPENDED) {
		c.paused_ms = c.paused_ms != 0 ? c.paused_ms : matter_time(st, m);
		c.resumed_ms = 0;
	}
	if (o == OUTCOME_STARTED && c.paused_ms != 0 && c.resumed_ms == 0)
		c.resumed_ms = matter_time(st, m);
	if ((o == OUTCOME_SUSPENDED || o == OUTCOME_CLOSED) && c.recalled_ms != 0 && c.stopped_ms == 0)
		c.stopped_ms = st->logged_ms;
	if (o == OUTCOME_CLOSED)
		c.overdue_ms = 0;
	return course_put(st, m->index, &before, &c);
}

static enum err seen_again(struct state *st, const struct statement *s, const struct matter *m)
{
	struct plan_course before, c;
	struct plan_terms t;
	int64_t seen = 0;
	enum err e = read_seen(s, &seen);

	if (e == OK)
		e = plan_terms_get(st, m->index, &t);
	if (e == OK)
		e = plan_course_get(st, m->index, &before);
	if (e != OK || t.sealed || before.seen_ms != 0 || plan_terms_open(&t, seen, PLAN_SKEW_MS))
		return e;
	c = before;
	c.seen_ms = st->logged_ms;
	if (c.overdue_ms > c.seen_ms)
		c.overdue_ms = c.seen_ms;
	return course_put(st, m->index, &before, &c);
}

/* Who speaks: the signer, or for whom. */
static struct span speaker(const struct statement *s)
{
	struct addressee to;

	if (s->for_party.len > 0 && addressee_parse(s->for_party, &to) == OK && to.type == TO_PARTY)
		return to.domain;
	return s->for_party.len > 0 ? SPAN("") : s->from;
}

static enum err other_said(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct span who = speaker(s);
	struct state_key k = key_said(m->index, who);
	struct said said;
	int64_t now = matter_time(st, m);
	enum err e;

	/* Nobody consents for another to its own plan. */
	if (who.len == 0 || span_equal(s->from, m->from) || span_equal(who, m->from))
		return OK;
	if ((e = plan_said_get(st, m->index, who, &said)) != OK)
		return e;
	if (said.acknowledged_ms == 0)
		said.acknowledged_ms = now;
	if (s->for_party.len == 0 && o == OUTCOME_ACKNOWLEDGED && said.signed_ms == 0)
		said.signed_ms = now;
	if (o == OUTCOME_OBJECTED && said.objected_ms <= said.accepted_ms)
		said.objected_ms = now > said.accepted_ms ? now : said.accepted_ms + 1;
	if (o == OUTCOME_ACCEPTED && (said.accepted_ms == 0 || said.accepted_ms < said.objected_ms))
		said.accepted_ms = now > said.objected_ms ? now : said.objected_ms;
	return said_put(st, &k, &said);
}

enum err plan_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	switch (o) {
	case OUTCOME_STARTED:
	case OUTCOME_DELAYED:
	case OUTCOME_SUSPENDED:
	case OUTCOME_CLOSED:
		return own_word(st, m, o);
	case OUTCOME_RE_OBSERVED:
		return seen_again(st, s, m);
	default:
		return other_said(st, s, m, o);
	}
}

/* ---- who holds what ---- */

struct holder {
	const struct plan_terms *terms;
	bool yes;
};

static bool overlap(struct prefix a, struct prefix b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

static enum err hits(void *context, const struct holding *held)
{
	const struct addressee *r = &held->resource;
	struct holder *h = context;
	const struct plan_terms *t = h->terms;

	h->yes |= t->any_target && r->type != TO_COUNTRY;
	for (size_t i = 0; r->type == TO_PREFIX && i < t->target_count; i++)
		h->yes |= overlap(r->prefix, t->targets[i]);
	for (size_t i = 0; r->type == TO_AS && i < t->target_as_count; i++)
		h->yes |= r->asn == t->target_as[i];
	for (size_t i = 0; r->type == TO_PARTY && i < t->target_domain_count; i++)
		h->yes |= span_equal(r->domain, t->target_domains[i]);
	return OK;
}

static enum err hits_country(void *context, const struct holding *held)
{
	const struct addressee *r = &held->resource;
	struct holder *h = context;
	const struct plan_terms *t = h->terms;

	h->yes |= t->any_target && r->type == TO_COUNTRY;
	for (size_t i = 0; r->type == TO_COUNTRY && i < t->target_country_count; i++)
		h->yes |= memcmp(r->country, t->target_countries[i], 2) == 0;
	return OK;
}

/* A part of what the plan aims at is the party's now. */
static enum err holds_target(const struct state *st, struct span party, const struct plan_terms *t, bool *yes)
{
	struct holder h = { t, false };
	unsigned divert = 0, country = 0;
	enum err e = state_policy(st, POLICY_DIVERT, &divert);

	if (e == OK)
		e = state_policy(st, POLICY_COUNTRY, &country);
	if (e == OK)
		e = holdings_of(st, party, divert, st->logged_ms, hits, &h);
	if (e == OK)
		e = holdings_of(st, party, country, st->logged_ms, hits_country, &h);
	*yes = h.yes;
	return e;
}

/* ---- requests ---- */

static enum need need_of(const struct statement *s)
{
	struct span word = statement_header(s, "need")->value;
	int n = 0;

	while (n < NEED_COUNT && !span_is(word, needs[n]))
		n++;
	return (enum need)n;
}

static enum err read_question(const struct statement *s, struct question *q)
{
	const struct header *h = statement_header(s, "source");
	enum err e;

	if (h == NULL || statement_header(s, "first") == NULL || statement_header(s, "last") == NULL)
		return fail(ERR_STATEMENT_HEADER, "need: confirm names source, first and last");
	if ((e = plan_prefix_read("source", h->value, &q->source)) == OK)
		e = value_time(s, "first", &q->first_ms);
	if (e == OK)
		e = value_time(s, "last", &q->last_ms);
	if (e == OK && q->last_ms < q->first_ms)
		e = fail(ERR_STATEMENT_HEADER, "last: before first");
	return e;
}

static enum err check_recall(const struct state *st, const struct statement *s, const struct matter *plan)
{
	struct plan_terms t;
	struct addressee to;
	bool yes = from_node(st, s);
	enum err e = OK;

	for (unsigned i = 0; !yes && i < plan->to_count && matter_addressee(plan, i, &to); i++)
		yes = to.type == TO_PARTY && span_equal(to.domain, s->from);
	if (!yes && (e = plan_terms_get(st, plan->index, &t)) == OK)
		e = holds_target(st, s->from, &t, &yes);
	if (e == OK && !yes)
		e = fail(ERR_NOT_YOURS, "need: only an addressee of the plan, who holds a target of it, and the node "
					"may order a recall");
	return e;
}

enum err plan_request_check(const struct state *st, const struct statement *s, const struct matter *plan)
{
	struct question q;
	bool asked = false;
	enum need need = need_of(s);

	if (need == NEED_COUNT)
		return fail(ERR_STATEMENT_HEADER, "need: of a plan's party recall, explain or confirm");
	if (s->for_party.len > 0)
		return fail(ERR_NOT_YOURS, "for: who asks a plan's party signs it itself");
	if (plan->withdrawn && need == NEED_RECALL && !st->is_guest)
		return fail(ERR_OUTCOME, "re: it was withdrawn");
	if (plan->ended && need == NEED_RECALL && !st->is_guest)
		return fail(ERR_OUTCOME, "re: it is over");
	for (size_t i = 0; i < s->to_count; i++)
		asked |= s->to[i].type == TO_PARTY && span_equal(s->to[i].domain, plan->from);
	if (!asked)
		return fail(ERR_STATEMENT_HEADER, "to: %.*s, whose plan it is", SPAN_FORMAT(plan->from));
	if (span_equal(s->from, plan->from))
		return fail(ERR_NOT_YOURS, "re: your own plan");
	if (need == NEED_RECALL)
		return check_recall(st, s, plan);
	return need == NEED_CONFIRM ? read_question(s, &q) : OK;
}

static enum err note_recall(struct state *st, const struct matter *plan)
{
	struct plan_course before, c;
	enum err e = plan_course_get(st, plan->index, &before);

	if (e != OK || before.recalled_ms != 0 || plan->ended || plan->withdrawn)
		return e;
	c = before;
	c.recalled_ms = st->logged_ms;
	return course_put(st, plan->index, &before, &c);
}

static enum err stop_by(const struct state *st, const struct matter *plan, int64_t *out)
{
	struct plan_terms t;
	enum err e = plan_terms_get(st, plan->index, &t);

	*out = e == OK && t.stop_within_ms != 0 ? st->logged_ms + t.stop_within_ms : 0;
	return e;
}

enum err plan_requested(struct state *st, const struct statement *s, const struct matter *plan, struct matter *request)
{
	struct state_key k = key_order(plan->index, st->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum need need = need_of(s);
	struct question q;
	enum err e = OK;

	request->has_before = true;
	request->before = s->re;
	if (need == NEED_EXPLAIN)
		request->due_ms = st->logged_ms + PLAN_EXPLAIN_MS;
	if (need == NEED_RECALL)
		e = stop_by(st, plan, &request->due_ms);
	request->first_due_ms = request->due_ms;
	buffer_byte(&b, (uint8_t)need);
	if (e == OK && need == NEED_CONFIRM && (e = read_question(s, &q)) == OK) {
		pack_prefix(&b, q.source);
		buffer_u64(&b, (uint64_t)q.first_ms);
		buffer_u64(&b, (uint64_t)q.last_ms);
	}
	if (e == OK)
		e = state_put(st, &k, &b);
	buffer_free(&b);
	return e == OK && need == NEED_RECALL ? note_recall(st, plan) : e;
}

enum err plan_order_read(struct span value, enum need *need, struct question *q)
{
	struct reader r = reader_of(value);

	*need = (enum need)read_u8(&r);
	if (*need == NEED_CONFIRM) {
		q->source = unpack_prefix(&r);
		q->first_ms = (int64_t)read_u64(&r);
		q->last_ms = (int64_t)read_u64(&r);
	}
	return r.err == OK && reader_left(&r) == 0 && *need < NEED_COUNT ? OK : state_damaged("request to a plan");
}

static enum err put_confirmed(struct state *st, const struct state_key *k, struct hash plan, const struct question *q)
{
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_hash(&b, plan);
	pack_prefix(&b, q->source);
	buffer_u64(&b, (uint64_t)q->first_ms);
	buffer_u64(&b, (uint64_t)q->last_ms);
	e = state_put(st, k, &b);
	buffer_free(&b);
	return e;
}

/* Only the party itself knows whether it was it. Anything but yes takes an earlier yes back. */
enum err plan_request_answered(struct state *st, const struct statement *s, const struct matter *request,
			       enum outcome o)
{
	struct state_key k, confirmed = key_of(STATE_CONFIRMED);
	struct matter plan;
	struct question q;
	struct span value;
	enum need need;
	enum err e = state_matter(st, request->before, &plan);

	if (e != OK || o == OUTCOME_RECEIVED || s->for_party.len > 0 || !span_equal(s->from, plan.from))
		return e == ERR_MATTER_UNKNOWN ? OK : e;
	k = key_order(plan.index, request->index);
	if ((e = state_get(st, &k, &value)) == ERR_NOT_FOUND)
		return state_damaged("request without its order");
	if (e == OK)
		e = plan_order_read(value, &need, &q);
	if (e != OK || need != NEED_CONFIRM)
		return e;
	key_add_u64(&confirmed, request->index);
	if (o == OUTCOME_ACCEPTED)
		return put_confirmed(st, &confirmed, plan.id, &q);
	e = state_get(st, &confirmed, &value);
	return e == OK ? state_delete(st, &confirmed) : e == ERR_NOT_FOUND ? OK : e;
}
