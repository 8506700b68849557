#include "regime/kinds_private.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define TEXT_MAX 280

/*
 * Who may move a matter
 *
 *	matter		outcome				who
 *	party		accepted, objected		the node: its operator decides about claims
 *	plan		started, closed			who filed it
 *			acknowledged, objected, accepted	any other party, or the node for one
 *	notice		re-observed, closed		who sent it
 *			all others			an addressee, or the node for one; where a resource is
 *							addressed, also whoever holds an approved claim that covers
 *							it, and the node
 *
 * The node for a party: `for` names the party, `via` says how it reached the node. Such answers are marked, since the node
 * could have made them up.
 */

struct asked {
	const struct addressee *resource;
	bool covered;
};

static enum err look_at_claim(void *context, const struct claim *c)
{
	struct asked *a = context;

	if (!c->approved || c->type != a->resource->type)
		return OK;
	switch (c->type) {
	case TO_AS:
		a->covered |= c->asn == a->resource->asn;
		break;
	case TO_PREFIX:
		a->covered |= prefix_contains(c->prefix, a->resource->prefix);
		break;
	case TO_COUNTRY:
		a->covered |= memcmp(c->country, a->resource->country, 2) == 0;
		break;
	case TO_PARTY:
	case TO_ALL:
		break;
	}
	return OK;
}

static bool is_resource(const struct addressee *to)
{
	return to->type == TO_AS || to->type == TO_PREFIX || to->type == TO_COUNTRY;
}

/* The signer itself is addressed. */
static enum err addressed(const struct state *st, const struct statement *s, const struct matter *m, bool *yes)
{
	struct addressee to;
	enum err e = OK;

	for (unsigned i = 0; e == OK && !*yes && matter_addressee(m, i, &to); i++) {
		struct asked a = { &to, false };

		if (to.type == TO_PARTY) {
			*yes = span_equal(to.domain, s->from);
		} else if (is_resource(&to)) {
			e = claims_walk(st, s->from, look_at_claim, &a);
			*yes = a.covered || from_node(st, s);
		}
	}
	return e;
}

/* The party that the node answers for is addressed. Nobody else may hold a resource's answer against it, so where a
 * resource is addressed the node may name any party. */
static bool addressed_for(const struct statement *s, const struct matter *m)
{
	struct addressee to, party;

	if (addressee_parse(s->for_party, &party) != OK)
		return false;
	for (unsigned i = 0; matter_addressee(m, i, &to); i++)
		if (addressee_equal(&to, &party) || (party.type == TO_PARTY && is_resource(&to)))
			return true;
	return false;
}

static enum err not_yours(const char *who)
{
	return fail(ERR_NOT_YOURS, "only %s may answer that", who);
}

static enum err check_who_notice(const struct state *st, const struct statement *s, const struct matter *m,
				 enum outcome o)
{
	bool yes = false;
	enum err e = OK;

	if (o == OUTCOME_RE_OBSERVED || o == OUTCOME_CLOSED)
		return span_equal(s->from, m->from) && s->for_party.len == 0 ? OK : not_yours("who sent the notice");
	if (s->for_party.len > 0)
		yes = addressed_for(s, m);
	else
		e = addressed(st, s, m, &yes);
	return e == OK && !yes ? not_yours("an addressee of the notice") : e;
}

static enum err check_who_plan(const struct statement *s, const struct matter *m, enum outcome o)
{
	bool own = span_equal(s->from, m->from) && s->for_party.len == 0;

	if (o == OUTCOME_STARTED || o == OUTCOME_CLOSED)
		return own ? OK : not_yours("who filed the plan");
	return own ? not_yours("another than who filed the plan") : OK;
}

static enum err check_who_party(const struct state *st, const struct statement *s, const struct matter *m)
{
	struct party p;
	enum err e;

	if (!from_node(st, s) || s->for_party.len > 0)
		return not_yours("the node");
	e = party_get(st, m->from, &p);
	if (e == OK && !hash_equal(p.statement, m->id))
		e = fail(ERR_MATTER_UNKNOWN, "re: a later statement of %.*s has taken its place", SPAN_FORMAT(m->from));
	return e;
}

static enum err read_outcome(const struct statement *s, const struct matter *m, enum outcome *out)
{
	enum err e = outcome_parse(statement_header(s, "outcome")->value, out);

	if (e == OK && (kind_rules(m->kind)->outcomes & BIT(*out)) == 0)
		e = fail(ERR_OUTCOME, "%s does not fit a %s", outcome_name(*out), kind_name(m->kind));
	return e;
}

enum err answer_check(const struct state *st, const struct statement *s)
{
	struct matter m;
	enum outcome o;
	enum err e = matter_referred(st, s, kind_rules(KIND_ANSWER)->refers, &m);

	if (e == OK)
		e = read_outcome(s, &m, &o);
	if (e == OK)
		e = value_mediated(st, s);
	if (e == OK)
		e = value_text(s, "text", TEXT_MAX);
	if (e == OK && m.withdrawn)
		e = fail(ERR_OUTCOME, "re: it was withdrawn");
	if (e != OK)
		return e;
	switch (m.kind) {
	case KIND_NOTICE:
		return check_who_notice(st, s, &m, o);
	case KIND_PLAN:
		return check_who_plan(s, &m, o);
	default:
		return check_who_party(st, s, &m);
	}
}

static bool by_author(enum outcome o)
{
	return o == OUTCOME_RE_OBSERVED || o == OUTCOME_CLOSED || o == OUTCOME_STARTED;
}

/* What happens again after it was said to be over opens the matter again, and its clock runs anew. */
static void move(const struct state *st, struct matter *m, enum outcome o)
{
	m->answered = true;
	m->outcome = o;
	m->answers++;
	if (!by_author(o) && o != OUTCOME_RECEIVED && m->answered_ms == 0)
		m->answered_ms = st->logged_ms;
	if ((kind_rules(m->kind)->ends & BIT(o)) != 0 && !m->ended) {
		m->ended = true;
		m->ended_ms = st->logged_ms;
	} else if (o == OUTCOME_RE_OBSERVED && m->ended) {
		m->ended = false;
		m->ended_ms = 0;
		m->answered_ms = 0;
		m->due_ms = st->logged_ms + (int64_t)class_due_days(m->class) * DAY_MS;
	}
}

enum err answer_fold(struct state *st, const struct statement *s)
{
	struct matter m;
	enum outcome o;
	enum err e = matter_referred(st, s, kind_rules(KIND_ANSWER)->refers, &m);

	if (e == OK)
		e = read_outcome(s, &m, &o);
	if (e != OK)
		return e;
	move(st, &m, o);
	m.mediated = s->for_party.len > 0;
	if (m.kind == KIND_PARTY)
		e = party_decide(st, &m, o == OUTCOME_ACCEPTED, s->id);
	return e == OK ? matter_put(st, &m) : e;
}
