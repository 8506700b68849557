#include "regime/plan.h"

#include "regime/kinds_private.h"
#include "regime/plan_terms.h"

#define INTRUSIVE_RULES 2 /* the rules from which on intrusive plans name whom they hit */

enum err plan_terms_get(const struct state *st, uint64_t index, struct plan_terms *out)
{
	struct state_key k = key_filed(index);
	struct span value;
	enum err e = state_get(st, &k, &value);

	if (e == ERR_NOT_FOUND)
		return state_damaged("plan without its terms");
	return e == OK ? plan_terms_unpack(st->arena, value, out) : e;
}

/* Whoever holds a response team's key warns and helps; it does not break in, whatever else it may be. */
static enum err check_roles(const struct state *st, const struct statement *s)
{
	struct party p;
	enum err e = party_get(st, s->from, &p);

	if (e == OK && (p.roles & BIT(ROLE_RESPONSE_TEAM)) != 0)
		e = fail(ERR_ROLE, "intrusive: a response team's key cannot sign an intrusive plan");
	return e;
}

/* Those who are to be broken into are named, so that they can say yes or no. */
static enum err check_victims(const struct state *st, const struct statement *s, const struct plan_terms *t)
{
	uint64_t rules;
	enum err e = state_rules(st, &rules);

	if (e != OK || rules < INTRUSIVE_RULES)
		return e;
	if (t->any_target || t->target_country_count > 0 || t->target_domain_count > 0)
		return fail(ERR_CONSENT, "target: an intrusive plan names prefixes and AS, nothing else");
	if (s->to_count == 0)
		return fail(ERR_CONSENT, "to: an intrusive plan names who holds its targets");
	for (size_t i = 0; i < s->to_count; i++)
		if (s->to[i].type != TO_PARTY)
			return fail(ERR_CONSENT, "to: an intrusive plan names the parties that hold its targets");
	return OK;
}

/* What is over stays as it was: who saw something before now judges it by the terms of then. */
static enum err check_change(const struct state *st, const struct plan_terms *old, const struct plan_terms *t)
{
	if (t->sealed)
		return fail(ERR_STATEMENT_HEADER, "commitment: an open plan is not sealed again");
	if (t->start_ms != old->start_ms && t->start_ms < state_time(st))
		return fail(ERR_PLAN_WINDOW, "start: a change begins after it is filed, or keeps the start");
	if (plan_terms_last_ms(t) <= state_time(st))
		return fail(ERR_PLAN_WINDOW, "end: a change cannot touch what is before it");
	return OK;
}

/* The commitment is over author, nonce and terms, so it opens only for who made it, and only to what was meant. */
static enum err check_reveal(const struct statement *s, const struct plan_terms *old, const struct plan_terms *t)
{
	const struct header *h = statement_header(s, "nonce");
	struct buffer terms = BUFFER(STATEMENT_MAX);
	struct hash nonce;
	enum err e = OK;

	if (t->sealed || h == NULL)
		return fail(ERR_SEALED, "nonce: missing; a sealed filing is revealed or withdrawn");
	if (hash_from_hex(h->value, &nonce) != OK)
		return fail(ERR_STATEMENT_HEADER, "nonce: 64 digits of 0-9 and a-f");
	e = plan_terms_text(s, &terms);
	if (e == OK && !hash_equal(old->commitment, seal_commitment(s->from, SPAN(""), SPAN("text/plain"), nonce.bytes,
								    buffer_view(&terms))))
		e = fail(ERR_SEALED, "nonce: with these terms it is not what the filing commits to");
	if (e == OK && old->end_ms != 0 &&
	    (t->start_ms < old->start_ms || plan_terms_last_ms(t) > plan_terms_last_ms(old)))
		e = fail(ERR_SEALED, "start: outside the window that the sealed filing names");
	buffer_free(&terms);
	return e;
}

static enum err check_version(const struct state *st, const struct statement *s, const struct plan_terms *t)
{
	struct plan_terms old;
	struct matter m;
	enum err e;

	if (!s->has_re)
		return statement_header(s, "nonce") == NULL
			       ? OK
			       : fail(ERR_STATEMENT_HEADER, "nonce: only with `re`, to reveal what was sealed");
	if ((e = matter_referred(st, s, BIT(KIND_PLAN), &m)) == ERR_MATTER_UNKNOWN && st->is_guest)
		return OK; /* its home has judged what it changes */
	if (e == OK && !span_equal(m.from, s->from))
		e = fail(ERR_NOT_YOURS, "re: only %.*s may change it", SPAN_FORMAT(m.from));
	if (e == OK && m.withdrawn)
		e = fail(ERR_OUTCOME, "re: it was withdrawn");
	if (e == OK && m.ended)
		e = fail(ERR_OUTCOME, m.passed_on_ms != 0 ? "re: another version took its place" : "re: it is closed");
	if (e == OK)
		e = plan_terms_get(st, m.index, &old);
	if (e != OK)
		return e;
	if (!old.sealed && statement_header(s, "nonce") != NULL)
		return fail(ERR_STATEMENT_HEADER, "nonce: what `re` names was not sealed");
	return old.sealed ? check_reveal(s, &old, t) : check_change(st, &old, t);
}

enum err plan_check(const struct state *st, const struct statement *s)
{
	struct plan_terms t;
	bool demonstration;
	enum err e = plan_terms_read(st->arena, s, &t);

	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	if (e == OK && t.intrusive)
		e = check_roles(st, s);
	if (e == OK && t.intrusive)
		e = check_victims(st, s, &t);
	return e == OK ? check_version(st, s, &t) : e;
}

static enum err put_sources(struct state *st, const struct plan_terms *t)
{
	enum err e = OK;

	if (t->sealed) {
		struct state_key k = key_of(STATE_SOURCE);

		key_add(&k, SOURCE_OF_SEALED, sizeof(SOURCE_OF_SEALED) - 1);
		key_add_u64(&k, st->index);
		return view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
	}
	for (size_t i = 0; e == OK && i < t->source_count; i++) {
		struct state_key k = key_of(STATE_SOURCE);
		struct buffer b = BUFFER(STATE_KEY_MAX);

		pack_prefix(&b, t->sources[i]);
		if ((e = b.err) == OK) {
			key_add(&k, b.at, b.len);
			key_add_u64(&k, st->index);
			e = view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
		}
		buffer_free(&b);
	}
	return e;
}

/* The version before is over from now on. */
static enum err take_place(struct state *st, const struct statement *s, struct plan_terms *t, struct matter *m)
{
	struct matter before, after;
	struct plan_terms old;
	enum err e = matter_referred(st, s, BIT(KIND_PLAN), &before);

	if (e == ERR_MATTER_UNKNOWN)
		return OK;
	if (e == OK)
		e = plan_terms_get(st, before.index, &old);
	if (e == OK && old.sealed)
		e = plan_life_reveal(st, &before, t);
	if (e != OK)
		return e;
	m->has_before = true;
	m->before = s->re;
	after = before;
	after.passed_on_ms = after.ended_ms = matter_time(st, &before);
	after.next = s->id;
	after.ended = true;
	after.moved_ms = st->logged_ms;
	e = matter_change(st, &before, &after, NULL);
	return e == OK ? plan_life_over(st, &after) : e;
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
	if (e == OK && s->has_re)
		e = take_place(st, s, &t, &m);
	if (e == OK)
		e = matter_add(st, &m);
	if (e == OK) {
		plan_terms_pack(&t, &b);
		e = state_put(st, &k, &b);
	}
	if (e == OK)
		e = put_sources(st, &t);
	if (e == OK)
		e = plan_life_begin(st, &t, m.has_before ? &m.before : NULL);
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
