#include "regime/plan.h"

#include "regime/kinds_private.h"
#include "regime/plan_terms.h"

/* Whoever holds a response team's key warns and helps; it does not break in, whatever else it may be. */
static enum err check_roles(const struct state *st, const struct statement *s)
{
	struct party p;
	enum err e = party_get(st, s->from, &p);

	if (e == OK && (p.roles & BIT(ROLE_RESPONSE_TEAM)) != 0)
		e = fail(ERR_ROLE, "intrusive: a response team's key cannot sign an intrusive plan");
	return e;
}

enum err plan_check(const struct state *st, const struct statement *s)
{
	struct plan_terms t;
	bool demonstration;
	enum err e = plan_terms_read(st->arena, s, &t);

	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	return e == OK && t.intrusive ? check_roles(st, s) : e;
}

enum err plan_fold(struct state *st, const struct statement *s)
{
	struct state_key k = key_filed(st->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	struct plan_terms t;
	struct matter m;
	enum err e = plan_terms_read(st->arena, s, &t);

	if (e == OK)
		e = matter_make(st, s, &m);
	if (e == OK)
		e = matter_add(st, &m);
	if (e == OK) {
		plan_terms_pack(&t, &b);
		e = state_put(st, &k, &b);
	}
	buffer_free(&b);
	return e;
}

static const char *const verdicts[PLAN_VERDICT_COUNT] = {
	[PLAN_UNDECLARED] = "undeclared",
	[PLAN_EXPLAINED] = "explained",
	[PLAN_SPOOFABLE] = "spoofable",
	[PLAN_SEALED] = "sealed",
	[PLAN_BREACH] = "breach",
	[PLAN_EXPIRED_PROOF] = "expired-proof",
	[PLAN_LATE] = "late",
};

const char *plan_verdict_name(enum plan_verdict v)
{
	return (unsigned)v < PLAN_VERDICT_COUNT ? verdicts[v] : verdicts[PLAN_UNDECLARED];
}
