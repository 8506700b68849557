#include "regime/plan_life_private.h"
#include "regime/restraint_private.h"

/* Evidence of a breach: whether a plan or a notice shows what is alleged. */

#define VERSIONS_MAX 64 /* so far back the first version is looked for */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static bool overlap(struct prefix a, struct prefix b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

static bool is_excluded(const struct plan_terms *t, struct prefix p)
{
	for (size_t i = 0; i < t->exclude_count; i++)
		if (prefix_contains(t->excludes[i], p))
			return true;
	return false;
}

static bool meets_prefix(const struct plan_terms *t, struct prefix asset)
{
	if (t->any_target && !is_excluded(t, asset))
		return true;
	for (size_t i = 0; i < t->target_count; i++) {
		struct prefix target = t->targets[i];

		if (overlap(target, asset) && !is_excluded(t, prefix_contains(asset, target) ? target : asset))
			return true;
	}
	return false;
}

static bool meets(const struct plan_terms *t, const struct addressee *asset)
{
	if (asset->type == TO_PREFIX)
		return meets_prefix(t, asset->prefix);
	if (t->any_target)
		return true;
	for (size_t i = 0; i < t->target_as_count && asset->type == TO_AS; i++)
		if (t->target_as[i] == asset->asn)
			return true;
	for (size_t i = 0; i < t->target_country_count && asset->type == TO_COUNTRY; i++)
		if (memcmp(t->target_countries[i], asset->country, 2) == 0)
			return true;
	for (size_t i = 0; i < t->target_domain_count && asset->type == TO_PARTY; i++)
		if (span_equal(t->target_domains[i], asset->domain))
			return true;
	return false;
}

/* One of its windows lies at least in part between these. */
static bool is_open_between(const struct plan_terms *t, int64_t from_ms, int64_t until_ms)
{
	int64_t period = t->repeat == REPEAT_DAILY ? DAY_MS : t->repeat == REPEAT_WEEKLY ? 7 * DAY_MS : 0;
	int64_t start = t->start_ms, end = t->end_ms;
	int64_t skip = period > 0 && from_ms >= end ? (from_ms - end) / period + 1 : 0;

	if (skip >= (int64_t)t->repeat_count && skip > 0)
		return false;
	start += skip * period;
	end += skip * period;
	return start < until_ms && end > from_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

static enum err check_begun(const struct state *st, const struct restraint_promise *p, const struct matter *m,
			    const struct plan_terms *t)
{
	int64_t until = earlier(earlier(earlier(st->logged_ms + 1, m->withdrawn_ms), m->closed_ms), m->passed_on_ms);
	struct plan_course c;
	enum err e = plan_course_get(st, m->index, &c);

	if (e == OK && (c.word == 1 + OUTCOME_DELAYED ||
			!is_open_between(t, p->from_ms, until < p->until_ms ? until : p->until_ms)))
		e = fail(ERR_BREACH, "evidence: nothing of that plan has begun while it was in force");
	return e;
}

static enum err check_plan(const struct state *st, const struct statement *s, const struct restraint_promise *p,
			   const struct allegation *a, const struct matter *m)
{
	struct plan_terms t;
	struct said said;
	enum err e;

	if (!span_equal(m->from, p->party))
		return fail(ERR_BREACH, "evidence: a plan of %.*s", SPAN_FORMAT(m->from));
	e = plan_terms_get(st, m->index, &t);
	if (e == OK && t.sealed)
		e = fail(ERR_BREACH, "evidence: it is sealed, and says nothing");
	if (e == OK && (p->term->activities & BIT(t.activity)) == 0)
		e = fail(ERR_BREACH, "evidence: %s is not what was promised to be left",
			 activity_name((enum activity)t.activity));
	if (e == OK && !meets(&t, &a->asset))
		e = fail(ERR_BREACH, "evidence: its targets do not meet the asset");
	if (e == OK)
		e = check_begun(st, p, m, &t);
	if (e == OK)
		e = plan_said_get(st, m->index, s->from, &said);
	if (e == OK && said.accepted_ms != 0 && said.objected_ms <= said.accepted_ms)
		e = fail(ERR_BREACH, "evidence: you accepted that plan");
	return e;
}

static enum err check_notice(const struct statement *s, const struct restraint_promise *p, const struct matter *m)
{
	struct addressee to;

	if (!span_equal(m->from, s->from))
		return fail(ERR_BREACH, "evidence: a notice of another; say it in your own");
	if (m->to_count != 1 || m->cc_count != 0)
		return fail(ERR_BREACH, "evidence: it fits more than one party, so it shows nothing about one");
	if (!matter_addressee(m, 0, &to) || to.type != TO_PARTY || !span_equal(to.domain, p->party))
		return fail(ERR_BREACH, "evidence: it is not to %.*s", SPAN_FORMAT(p->party));
	if (m->withdrawn)
		return fail(ERR_BREACH, "evidence: it was withdrawn");
	if (m->logged_ms < p->from_ms || m->logged_ms >= p->until_ms)
		return fail(ERR_BREACH, "evidence: it was filed while it was not in force");
	return OK;
}

enum err restraint_evidence(const struct state *st, struct hash id, struct matter *m, struct hash *first)
{
	struct place at;
	struct matter before;
	enum err e = place_get(st, id, &at);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "evidence: nothing of that id is known here");
	if (e == OK && at.kind != KIND_PLAN && at.kind != KIND_NOTICE)
		e = fail(ERR_BREACH, "evidence: a plan or a notice; that one is of the kind %s", kind_name(at.kind));
	if (e == OK && (e = matter_get(st, at.ledger, at.index, m)) == ERR_NOT_FOUND)
		e = fail(ERR_MATTER_UNKNOWN, "evidence: its body is all that is known");
	*first = id;
	before = *m;
	for (int i = 0; e == OK && i < VERSIONS_MAX && before.has_before; i++) {
		struct hash next = before.before;

		e = place_get(st, next, &at);
		if (e == OK && at.kind == m->kind)
			e = matter_get(st, at.ledger, at.index, &before);
		else if (e == OK)
			e = ERR_NOT_FOUND;
		if (e == OK)
			*first = next;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err restraint_evidence_check(const struct state *st, const struct statement *s, const struct restraint_promise *p,
				  const struct allegation *a)
{
	struct matter m;
	struct hash first;
	uint64_t used;
	enum err e = restraint_evidence(st, a->evidence, &m, &first);

	if (e != OK)
		return e;
	if (m.demonstration != p->demonstration)
		return fail(ERR_BREACH, "evidence: one of the two is for a demonstration");
	if ((e = breach_use_get(st, first, p->id, &used)) == OK)
		return fail(ERR_BREACH, "evidence: it was used before");
	if (e != ERR_NOT_FOUND)
		return e;
	return m.kind == KIND_PLAN ? check_plan(st, s, p, a, &m) : check_notice(s, p, &m);
}
