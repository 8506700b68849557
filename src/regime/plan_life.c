#include "regime/plan_life_private.h"

/* Where a plan stands: read from what was said, at the time asked for. */

static const char *const phases[PHASE_COUNT] = {
	[PHASE_FILED] = "filed",	 [PHASE_ACTIVE] = "active",	  [PHASE_DELAYED] = "delayed",
	[PHASE_SUSPENDED] = "suspended", [PHASE_UNCERTAIN] = "uncertain", [PHASE_ALERT] = "alert",
	[PHASE_DISTRESS] = "distress",	 [PHASE_CLOSED] = "closed",	  [PHASE_CANCELLED] = "cancelled",
	[PHASE_CHANGED] = "changed",	 [PHASE_SEALED] = "sealed",	  [PHASE_REVEALED] = "revealed",
};

const char *plan_phase_name(enum plan_phase p)
{
	return (unsigned)p < PHASE_COUNT ? phases[p] : "unknown";
}

/* ---- consent ---- */

/* One of those who accepted, or the party itself, held all of the target when the plan began. */
static enum err is_covered(const struct state *st, const struct matter *m, const struct plan_terms *t,
			   const struct addressee *target, bool *yes)
{
	struct addressee to;
	enum err e = policy_allows(st, POLICY_DIVERT, m->from, target, t->start_ms, yes, NULL);

	for (unsigned i = 0; e == OK && !*yes && i < m->to_count && matter_addressee(m, i, &to); i++)
		if (to.type == TO_PARTY)
			e = policy_allows(st, POLICY_DIVERT, to.domain, target, t->start_ms, yes, NULL);
	return e;
}

static enum err all_covered(const struct state *st, const struct matter *m, const struct plan_terms *t, bool *yes)
{
	enum err e = OK;

	*yes = !t->any_target && t->target_country_count == 0;
	for (size_t i = 0; e == OK && *yes && i < t->target_count; i++) {
		struct addressee target = { .type = TO_PREFIX, .prefix = t->targets[i] };

		e = is_covered(st, m, t, &target, yes);
	}
	for (size_t i = 0; e == OK && *yes && i < t->target_as_count; i++) {
		struct addressee target = { .type = TO_AS, .asn = t->target_as[i] };

		e = is_covered(st, m, t, &target, yes);
	}
	for (size_t i = 0; e == OK && *yes && i < t->target_domain_count; i++) {
		struct addressee target = { .type = TO_PARTY, .domain = t->target_domains[i] };

		e = is_covered(st, m, t, &target, yes);
	}
	return e;
}

/* Everybody named in `to` said yes before the start and took nothing back, and no target is another's. */
static enum err judge_consent(const struct state *st, const struct matter *m, const struct plan_terms *t, bool *yes)
{
	struct addressee to;
	enum err e = OK;

	*yes = m->to_count > 0;
	for (unsigned i = 0; e == OK && *yes && i < m->to_count && matter_addressee(m, i, &to); i++) {
		struct said s = { 0 };

		if (to.type != TO_PARTY) {
			*yes = false;
		} else if (!span_equal(to.domain, m->from)) {
			e = plan_said_get(st, m->index, to.domain, &s);
			*yes = s.accepted_ms != 0 && s.accepted_ms <= t->start_ms && s.objected_ms <= s.accepted_ms;
		}
	}
	return e == OK && *yes ? all_covered(st, m, t, yes) : e;
}

/* ---- asking ---- */

/* Of a plan that is neither sealed nor over. */
static enum plan_phase phase_now(const struct plan_terms *t, const struct plan_course *c, int64_t now)
{
	int64_t last = plan_terms_last_ms(t), quiet = c->spoke_ms > last ? c->spoke_ms : last;

	if (c->seen_ms != 0)
		return PHASE_DISTRESS;
	if (now >= quiet + PLAN_ALERT_MS)
		return PHASE_ALERT;
	if (now >= last + PLAN_UNCERTAIN_MS)
		return PHASE_UNCERTAIN;
	if (c->word == 1 + OUTCOME_SUSPENDED)
		return PHASE_SUSPENDED;
	if (c->word == 1 + OUTCOME_DELAYED)
		return PHASE_DELAYED;
	return c->word == 1 + OUTCOME_STARTED || now >= t->start_ms ? PHASE_ACTIVE : PHASE_FILED;
}

static enum plan_phase phase_of(const struct matter *m, const struct plan_terms *t, const struct plan_course *c,
				int64_t now)
{
	if (m->withdrawn)
		return PHASE_CANCELLED;
	if (m->passed_on_ms != 0)
		return t->sealed ? PHASE_REVEALED : PHASE_CHANGED;
	if (m->ended)
		return PHASE_CLOSED;
	return t->sealed ? PHASE_SEALED : phase_now(t, c, now);
}

static bool is_short(const struct matter *m, const struct plan_terms *t)
{
	int64_t filed = t->filed_ms != 0 ? t->filed_ms : m->logged_ms;

	if (t->sealed)
		return t->start_ms != 0 && filed > t->start_ms;
	return filed > t->start_ms - activity_notice_ms(t->activity, t->intrusive);
}

static enum err plan_of(const struct state *st, struct hash plan, struct matter *m)
{
	enum err e = state_matter(st, plan, m);

	return e == OK && m->kind != KIND_PLAN ? fail(ERR_MATTER_UNKNOWN, "a %s, no plan", kind_name(m->kind)) : e;
}

enum err plan_life(const struct state *st, struct hash plan, int64_t now_ms, struct plan_life *out)
{
	struct plan_life life = { 0 };
	struct plan_terms t;
	struct plan_course c;
	struct matter m;
	enum err e = plan_of(st, plan, &m);

	if (e == OK)
		e = plan_terms_get(st, m.index, &t);
	if (e == OK)
		e = plan_course_get(st, m.index, &c);
	if (e == OK)
		e = plan_said_count(st, m.index, m.passed_on_ms != 0 ? m.passed_on_ms : INT64_MAX, &life);
	if (e == OK && (life.needs_consent = t.intrusive))
		e = judge_consent(st, &m, &t, &life.has_consent);
	if (e != OK)
		return e;
	life.phase = phase_of(&m, &t, &c, now_ms);
	life.short_notice = is_short(&m, &t);
	life.recalled_ms = c.recalled_ms;
	life.stopped_ms = c.stopped_ms;
	if (c.recalled_ms != 0 && t.stop_within_ms != 0)
		life.stopped_late = (c.stopped_ms != 0 ? c.stopped_ms : now_ms) > c.recalled_ms + t.stop_within_ms;
	life.has_before = m.has_before;
	life.before = m.before;
	life.has_after = m.passed_on_ms != 0;
	life.after = m.next;
	*out = life;
	return OK;
}

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

struct walking {
	const struct state *st;
	int64_t now_ms;
	bool recalls; /* only those, and only what nobody answered */
	matter_each *each;
	order_each *each_order;
	confirmation_each *each_confirmation;
	void *context;
};

static enum err show_overdue(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct matter m;
	enum err e;

	(void)value;
	if ((int64_t)read_u64(&r) > w->now_ms)
		return ENOUGH;
	e = matter_get(w->st, LEDGER_PUBLIC, read_u64(&r), &m);
	return e == OK ? w->each(w->context, &m) : e;
}

enum err plans_overdue(const struct state *st, int64_t now_ms, matter_each *each, void *context)
{
	struct walking w = { .st = st, .now_ms = now_ms, .each = each, .context = context };
	struct state_key prefix = key_of(STATE_OVERDUE);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_overdue, &w);

	return e == ENOUGH ? OK : e;
}

static enum err show_order(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct reader r = reader_of(span_from(key, 1));
	uint64_t index = read_u64(&r), at = read_u64(&r);
	struct matter plan, m;
	struct plan_order o;
	struct question q;
	enum need need;
	enum err e = plan_order_read(value, &need, &q);

	if (e != OK || (w->recalls && need != NEED_RECALL))
		return e;
	if ((e = matter_get(w->st, LEDGER_CIRCLE, at, &m)) == OK)
		e = matter_get(w->st, LEDGER_PUBLIC, index, &plan);
	if (e != OK || (w->recalls && (m.withdrawn || m.answered_ms != 0 || plan.withdrawn ||
				       (plan.ended && plan.passed_on_ms == 0) || !span_equal(plan.home, w->st->node))))
		return e;
	o = (struct plan_order){
		.plan = plan.id,
		.request = m.id,
		.need = span_of(plan_need_name(need)),
		.from = m.from,
		.ordered_ms = m.logged_ms,
		.stop_by_ms = need == NEED_RECALL ? m.due_ms : 0,
		.answered_ms = m.answered_ms,
		.outcome = m.outcome,
		.withdrawn = m.withdrawn,
	};
	return w->each_order(w->context, &o);
}

enum err plan_orders(const struct state *st, struct hash plan, order_each *each, void *context)
{
	struct walking w = { .st = st, .each_order = each, .context = context };
	struct state_key prefix = key_of(STATE_ORDER);
	struct matter m;
	enum err e = plan_of(st, plan, &m);

	if (e != OK)
		return e;
	key_add_u64(&prefix, m.index);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_order, &w);
}

enum err plan_recalls(const struct state *st, order_each *each, void *context)
{
	struct walking w = { .st = st, .recalls = true, .each_order = each, .context = context };
	struct state_key prefix = key_of(STATE_ORDER);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_order, &w);
}

static enum err show_confirmation(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct reader r = reader_of(value);
	struct plan_confirmation c = { .plan = unpack_hash(&r) };

	c.source = unpack_prefix(&r);
	c.first_ms = (int64_t)read_u64(&r);
	c.last_ms = (int64_t)read_u64(&r);
	(void)key;
	return r.err == OK && reader_left(&r) == 0 ? w->each_confirmation(w->context, &c)
						   : state_damaged("confirmation");
}

enum err plan_confirmations(const struct state *st, confirmation_each *each, void *context)
{
	struct walking w = { .st = st, .each_confirmation = each, .context = context };
	struct state_key prefix = key_of(STATE_CONFIRMED);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_confirmation, &w);
}
