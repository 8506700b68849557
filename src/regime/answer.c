#include "regime/kinds_private.h"
#include "regime/policy.h"
#include "regime/restraint.h"

#define TEXT_MAX 280

/*
 * Who may move a matter
 *
 *	matter		outcome				who
 *	party		accepted, objected		the node: its operator decides about claims
 *	proof		accepted, objected		the node, as often as it judges anew
 *	plan		started, delayed, suspended, closed	who filed it
 *			acknowledged, objected, accepted	any other party, or the node for one
 *			re-observed			any other party: `seen` at a time
 *	agreement	objected			who was asked; resolved: either of the two (agreement.c)
 *	notice, request	re-observed, closed		who sent it
 *			all others			an addressee, or a node for one; where a resource is
 *							addressed, also whoever holds it, or a prefix around it
 *							(policy.h), or its node for it, and the node where it was filed
 *	help, ping	accepted, recovered, closed	who asked
 *			all others			as of a notice; of one to all, everybody else (help_answer.c)
 *
 * A node for a party: `for` names the party, `via` says how it reached the node. The node that keeps the party's statement speaks for
 * it (`via node` for what it says by itself: that a notice arrived); for resources and parties that no other node keeps, the node
 * in whose ledger the matter was filed, as recorder. Such answers are marked, since the node could have made them up.
 *
 * Acknowledging is not admitting: it says that the notice was read.
 */

static bool is_resource(const struct addressee *to)
{
	return to->type == TO_AS || to->type == TO_PREFIX || to->type == TO_COUNTRY;
}

/* The party holds the resource when it answers, or a prefix around it. */
static enum err covers(const struct state *st, struct span party, const struct addressee *resource, bool *yes)
{
	return policy_allows(st, POLICY_DIVERT, party, resource, st->logged_ms, yes, NULL);
}

/* The signer itself is addressed. */
static enum err addressed(const struct state *st, const struct statement *s, const struct matter *m, bool *yes)
{
	struct addressee to;
	enum err e = OK;

	for (unsigned i = 0; e == OK && !*yes && i < m->to_count && matter_addressee(m, i, &to); i++) {
		if (to.type == TO_PARTY) {
			*yes = span_equal(to.domain, s->from);
		} else if (is_resource(&to)) {
			e = covers(st, s->from, &to, yes);
			*yes |= span_equal(s->from, m->home);
		} else {
			*yes = true; /* a request for help to all */
		}
	}
	return e;
}

/* The party that the node answers for is addressed. Of the node where the matter was filed nobody else may hold a resource's
 * answer against it, so where a resource is addressed it may name any party; another node only one whose claim covers it. */
static enum err addressed_for(const struct state *st, const struct statement *s, const struct matter *m, bool *yes)
{
	struct addressee to, party;
	enum err e = OK;

	if (addressee_parse(s->for_party, &party) != OK)
		return OK;
	for (unsigned i = 0; e == OK && !*yes && i < m->to_count && matter_addressee(m, i, &to); i++) {
		if (addressee_equal(&to, &party) || (to.type == TO_ALL && party.type == TO_PARTY))
			*yes = true;
		else if (party.type == TO_PARTY && is_resource(&to) && span_equal(s->from, m->home))
			*yes = true;
		else if (party.type == TO_PARTY && is_resource(&to))
			e = covers(st, party.domain, &to, yes);
	}
	return e;
}

static enum err not_yours(const char *who)
{
	return fail(ERR_NOT_YOURS, "only %s may answer that", who);
}

static bool is_way(struct span via)
{
	static const char *const ways[] = { "mail", "web", "taxii", "desk", "node" };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (span_is(via, ways[i]))
			return true;
	return false;
}

/* Whether who signs may speak for the party. Nobody keeps a resource. */
static enum err check_mediated(const struct state *st, const struct statement *s, const struct matter *m)
{
	bool recorder = span_equal(s->from, m->home), kept = false;
	struct addressee whom;
	struct party p = { 0 };
	enum err e;

	if (s->for_party.len == 0 && s->via.len == 0)
		return OK;
	if (s->for_party.len > 0 && s->via.len == 0)
		return fail(ERR_STATEMENT_HEADER, "via: missing beside for");
	if (!is_way(s->via))
		return fail(ERR_STATEMENT_HEADER, "via: mail, web, taxii, desk or node");
	if (s->for_party.len > 0 && addressee_parse(s->for_party, &whom) == OK && whom.type == TO_PARTY) {
		if ((e = party_get(st, whom.domain, &p)) != OK && e != ERR_PARTY_UNKNOWN)
			return e;
		kept = e == OK && p.home.len > 0;
	}
	if (kept && !span_equal(p.home, m->home))
		recorder = false;
	if (kept ? !span_equal(p.home, s->from) && !recorder : !recorder || span_is(s->via, "node"))
		return fail(ERR_NOT_YOURS,
			    "for: only the node that keeps the party speaks for it, and for those that no "
			    "node keeps the one where the matter was filed");
	return OK;
}

enum err answer_check_addressee(const struct state *st, const struct statement *s, const struct matter *m)
{
	bool yes = false;
	enum err e = check_mediated(st, s, m);

	if (e == OK && s->for_party.len > 0)
		e = addressed_for(st, s, m, &yes);
	else if (e == OK)
		e = addressed(st, s, m, &yes);
	return e == OK && !yes ? not_yours("an addressee") : e;
}

static enum err check_who_notice(const struct state *st, const struct statement *s, const struct matter *m,
				 enum outcome o)
{
	if (o == OUTCOME_RE_OBSERVED || o == OUTCOME_CLOSED)
		return span_equal(s->from, m->from) && s->for_party.len == 0 ? OK : not_yours("who filed it");
	return answer_check_addressee(st, s, m);
}

static enum err check_who_plan(const struct statement *s, const struct matter *m, enum outcome o)
{
	bool own = span_equal(s->from, m->from) && s->for_party.len == 0;

	if (o == OUTCOME_STARTED || o == OUTCOME_DELAYED || o == OUTCOME_SUSPENDED || o == OUTCOME_CLOSED)
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

static enum err check_who_proof(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o)
{
	if (!from_node(st, s) || s->for_party.len > 0)
		return not_yours("the node");
	return proof_check_answer(st, s, m, o);
}

/* Of requests for help, its own rules. */
static enum err check_request(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	bool help = false;
	enum err e = help_is(st, m, &help);

	if (e == OK)
		e = help_answer_check(st, s, m, o);
	return e == OK && !help ? check_who_notice(st, s, m, o) : e;
}

static enum err read_outcome(const struct statement *s, const struct matter *m, enum outcome *out)
{
	enum err e = outcome_parse(statement_header(s, "outcome")->value, out);

	if (e == OK && (kind_rules(m->kind)->outcomes & BIT(*out)) == 0)
		e = fail(ERR_OUTCOME, "%s does not fit a %s", outcome_name(*out), kind_name(m->kind));
	return e;
}

/* Whom the addressee names instead of itself. *found false: nobody. */
static enum err read_better(const struct statement *s, const struct matter *m, enum outcome o, struct addressee *out,
			    bool *found)
{
	const struct header *h = statement_header(s, "better");
	struct addressee to;

	*found = h != NULL;
	if (h == NULL)
		return OK;
	if (o != OUTCOME_NOT_OURS)
		return fail(ERR_STATEMENT_HEADER, "better: only beside outcome not-ours");
	if (addressee_parse(h->value, out) != OK || out->type == TO_ALL)
		return fail(ERR_STATEMENT_HEADER, "better: a party, an AS, a prefix or a country, written as in `to`");
	for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &to); i++)
		if (addressee_equal(&to, out))
			return fail(ERR_STATEMENT_HEADER, "better: it was addressed already");
	return OK;
}

static enum err check_evidence(const struct statement *s, const struct matter *m, enum outcome o)
{
	if (!s->has_body)
		return OK;
	if (!(m->kind == KIND_NOTICE && o == OUTCOME_DISPUTED) &&
	    !(m->kind == KIND_REQUEST && (o == OUTCOME_ACCEPTED || o == OUTCOME_RECOVERED)))
		return fail(ERR_STATEMENT_HEADER,
			    "body: beside outcome disputed, to a notice, or accepted, to a request");
	if (!s->body.sealed)
		return fail(ERR_STATEMENT_HEADER, "body: it is private; bind it with sealed-sha256");
	return OK;
}

enum err answer_check(const struct state *st, const struct statement *s)
{
	struct matter m;
	struct addressee better;
	enum outcome o;
	bool found;
	enum err e = matter_referred(st, s, kind_rules(KIND_ANSWER)->refers, &m);

	if (e == OK)
		e = read_outcome(s, &m, &o);
	if (e == OK)
		e = check_mediated(st, s, &m);
	if (e == OK)
		e = value_text(s, "text", TEXT_MAX);
	if (e == OK)
		e = read_better(s, &m, o, &better, &found);
	if (e == OK)
		e = check_evidence(s, &m, o);
	if (e == OK && m.withdrawn && m.kind != KIND_AGREEMENT) /* that still holds for its notice of exit */
		e = fail(ERR_OUTCOME, "re: it was withdrawn");
	if (e != OK)
		return e;
	switch (m.kind) {
	case KIND_AGREEMENT:
		return agreement_answer_check(st, s, &m, o);
	case KIND_PLEDGE:
		return restraint_answer_check(st, s, &m, o);
	case KIND_NOTICE:
		return check_who_notice(st, s, &m, o);
	case KIND_REQUEST:
		return check_request(st, s, &m, o);
	case KIND_PLAN:
		e = plan_answer_check(s, &m, o);
		if (e == OK)
			e = check_who_plan(s, &m, o);
		return e == OK && o == OUTCOME_STARTED ? deconflict_check_start(st, &m) : e;
	case KIND_PROOF:
		return check_who_proof(st, s, &m, o);
	default:
		return check_who_party(st, s, &m);
	}
}

static bool by_author(enum outcome o)
{
	return o == OUTCOME_RE_OBSERVED || o == OUTCOME_CLOSED || o == OUTCOME_STARTED || o == OUTCOME_DELAYED ||
	       o == OUTCOME_SUSPENDED;
}

static bool first_time(int64_t *ms, int64_t now)
{
	if (*ms != 0)
		return false;
	*ms = now;
	return true;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* What an addressee's answer says of it. */
static void note_times(struct matter *m, enum outcome o, int64_t now, bool mediated)
{
	first_time(&m->arrived_ms, now);
	if (o == OUTCOME_RECEIVED)
		return;
	if (m->answered_ms == 0)
		m->answered_ms = now;
	if (first_time(&m->acknowledged_ms, now))
		m->acknowledged_mediated = mediated;
	if (o == OUTCOME_FIXED && first_time(&m->fixed_ms, now))
		m->fixed_mediated = mediated;
	if (o == OUTCOME_NOT_OURS)
		first_time(&m->not_ours_ms, now);
	if (o == OUTCOME_CANNOT)
		first_time(&m->cannot_ms, now);
	if (o == OUTCOME_DISPUTED)
		first_time(&m->disputed_ms, now);
}

/* What happens again after it was said to be over opens the matter again, and its clock runs anew: from when it was logged here,
 * for nobody is late because another's clock is. */
static void reopen(struct matter *m, int64_t now, int64_t due_ms)
{
	if (m->fixed_ms != 0) {
		first_time(&m->re_observed_ms, later(now, m->fixed_ms));
		m->re_observed++;
	}
	m->ended = false;
	m->ended_ms = 0;
	m->answered_ms = 0;
	m->due_ms = due_ms;
}

/* now: when the answer counts from. own: its author's. due_ms: when the next is due, if that opens the matter again. */
static void move(struct matter *m, enum outcome o, bool own, int64_t now, int64_t due_ms, bool mediated)
{
	m->answers++;
	if (o != OUTCOME_RECEIVED || !m->answered) { /* a machine's word takes no one's place */
		m->outcome = o;
		m->mediated = mediated;
	}
	m->answered = true;
	if (!own)
		note_times(m, o, now, mediated);
	if (o == OUTCOME_CLOSED)
		first_time(&m->closed_ms, now);
	if (o == OUTCOME_CLOSED && m->disputed_ms != 0)
		first_time(&m->settled_ms, later(now, m->disputed_ms));
	if ((kind_rules(m->kind)->ends & BIT(o)) != 0 && !m->ended) {
		m->ended = true;
		m->ended_ms = now;
	} else if (o == OUTCOME_RE_OBSERVED && m->ended) {
		reopen(m, now, due_ms);
	}
}

enum err answer_fold(struct state *st, const struct statement *s)
{
	struct matter before, m;
	struct addressee better;
	enum outcome o;
	enum err (*answered)(struct state *, const struct statement *, const struct matter *, enum outcome);
	bool found = false, help = false;
	int64_t length = 0;
	enum err e = matter_referred(st, s, kind_rules(KIND_ANSWER)->refers, &before);

	if (e == OK)
		e = read_outcome(s, &before, &o);
	if (e == OK)
		e = read_better(s, &before, o, &better, &found);
	if (e == OK)
		e = help_is(st, &before, &help);
	if (e == OK && o == OUTCOME_RE_OBSERVED)
		e = notice_due_length(st, before.class, &before.to, &length);
	if (e != OK)
		return e;
	m = before;
	move(&m, o, help ? help_by_author(o) : by_author(o), matter_time(st, &m), st->logged_ms + length,
	     s->for_party.len > 0);
	m.moved_ms = st->logged_ms;
	answered = kind_rules(m.kind)->answered;
	if (answered != NULL)
		e = answered(st, s, &m, o);
	return e == OK ? matter_change(st, &before, &m, found ? &better : NULL) : e;
}
