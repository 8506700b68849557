#include "regime/agreement.h"

#include <assert.h>

#include "regime/agreement_private.h"
#include "regime/restraint.h"
#include "regime/words.h"

/*
 * The kind
 *
 * A statement is checked and folded where its ledger is: at the depositary. There its terms are read once, kept under their own
 * id (the same for both statements, whatever the order of their lines), and everything later is said of that: by the other
 * statement, by answers and withdrawals of either statement, by time. To other nodes it comes as a guest, is read by the same
 * rules of form, and is nothing but a matter there.
 *
 * What time brings since the last entry happens between check and fold (agreement_time.c). So a fold looks at the
 * phase again, and what has ended in between is left as it is.
 */

static const char *const phases[AGREEMENT_PHASE_COUNT] = {
	[AGREEMENT_OFFERED] = "offered",
	[AGREEMENT_COUNTERSIGNED] = "countersigned",
	[AGREEMENT_IN_FORCE] = "in-force",
	[AGREEMENT_ENDED] = "ended",
};

const char *agreement_phase_name(enum agreement_phase p)
{
	assert((unsigned)p < AGREEMENT_PHASE_COUNT);
	return phases[p];
}

static bool is_kept_here(const struct state *st, const struct agreement *a)
{
	return !st->is_guest && span_equal(a->depositary, st->node);
}

/* ---- check ---- */

static enum err check_who(const struct statement *s, const struct agreement *a)
{
	struct span home, rest = s->ledger;
	unsigned side;
	enum err e = agreement_side(a, s->from, &side);

	home = span_cut(&rest, '/');
	if (e == OK &&
	    (s->to_count != 1 || s->to[0].type != TO_PARTY || !span_equal(s->to[0].domain, a->party[1 - side])))
		e = fail(ERR_STATEMENT_HEADER, "to: the other of the two, %.*s", SPAN_FORMAT(a->party[1 - side]));
	if (e == OK && !span_equal(home, a->depositary))
		e = fail(ERR_STATEMENT_LEDGER, "ledger: an agreement stands in that of its depositary, %.*s",
			 SPAN_FORMAT(a->depositary));
	return e;
}

static enum err check_offer(const struct state *st, const struct agreement *a)
{
	struct agreement known;
	size_t open;
	enum err e = agreement_get(st, a->id, ASSETS_LEFT, &known);

	if (e == OK && known.phase == AGREEMENT_OFFERED)
		return fail(ERR_AGREEMENT, "re: %.*s offered these terms; name that statement",
			    SPAN_FORMAT(known.offered_by));
	if (e == OK)
		return fail(ERR_AGREEMENT, "these terms are %s already; others differ by a line",
			    agreement_phase_name(known.phase));
	if (e != ERR_MATTER_UNKNOWN)
		return e;
	e = agreements_count(st, a->party[0], a->party[1], &open);
	if (e == OK && open >= AGREEMENTS_BETWEEN)
		e = fail(ERR_AGREEMENT, "%zu agreements or offers stand between the two; no more at a time", open);
	return e;
}

static enum err check_second(const struct state *st, const struct statement *s, const struct agreement *a)
{
	struct agreement offer;
	uint32_t joint;
	enum err e = agreement_get(st, s->re, ASSETS_LEFT, &offer);

	if (e == OK && hash_equal(offer.id, s->re))
		e = fail(ERR_MATTER_UNKNOWN, "re: the statement of the offer, not the agreement");
	if (e == OK && !hash_equal(offer.id, a->id))
		e = fail(ERR_AGREEMENT, "re: not the terms of that offer; sign the same lines");
	if (e == OK && offer.phase != AGREEMENT_OFFERED)
		e = fail(ERR_AGREEMENT, "re: it is %s", agreement_phase_name(offer.phase));
	if (e == OK && span_equal(offer.offered_by, s->from))
		e = fail(ERR_AGREEMENT, "re: it is your own offer");
	if (e == OK)
		e = codes_joint(st, a->party[0], a->party[1], st->logged_ms, &joint);
	if (e == OK && (a->codes & ~joint) != 0)
		e = fail(ERR_NOT_RECOGNISED, "codes: not all are recognised by both");
	return e;
}

enum err agreement_check(const struct state *st, const struct statement *s)
{
	struct agreement a;
	struct party other;
	enum err e = agreement_read(st->arena, s, &a);

	if (e == OK)
		e = check_who(s, &a);
	if (e != OK || !is_kept_here(st, &a))
		return e;
	e = state_party(st, s->to[0].domain, &other);
	if (e == OK && a.start_ms <= st->logged_ms)
		e = fail(ERR_AGREEMENT, "start: it is past; both sign before it begins");
	if (e != OK)
		return e;
	return s->has_re ? check_second(st, s, &a) : check_offer(st, &a);
}

/* ---- fold ---- */

static enum err fold_offer(struct state *st, const struct statement *s, struct agreement *a, unsigned side)
{
	enum err e;

	a->statement[side] = s->id;
	a->offered_by = s->from;
	a->offered_ms = st->logged_ms;
	e = agreement_add(st, a);
	if (e == OK)
		e = agreement_name_statement(st, a, s->id);
	return e == OK ? agreement_wait(st, a) : e;
}

static enum err fold_second(struct state *st, const struct statement *s, unsigned side)
{
	struct agreement a;
	enum err e = agreement_own(st, s->re, &a);

	if (e != OK || a.phase != AGREEMENT_OFFERED)
		return e;
	a.statement[side] = s->id;
	a.countersigned_ms = st->logged_ms;
	a.phase = AGREEMENT_COUNTERSIGNED;
	e = agreement_change(st, AGREEMENT_OFFERED, &a);
	return e == OK ? agreement_name_statement(st, &a, s->id) : e;
}

enum err agreement_fold(struct state *st, const struct statement *s)
{
	struct agreement a;
	struct matter m;
	unsigned side = 0;
	enum err e = matter_make(st, s, &m);

	if (e == OK)
		e = matter_add(st, &m);
	if (e == OK)
		e = agreement_read(st->arena, s, &a);
	if (e == OK)
		e = agreement_side(&a, s->from, &side);
	if (e != OK || !is_kept_here(st, &a))
		return e;
	return s->has_re ? fold_second(st, s, side) : fold_offer(st, s, &a, side);
}

/* ---- what is said of it ---- */

/* The agreement that the statement belongs to. *found false: none, for it is another node's. */
static enum err of_matter(const struct state *st, const struct matter *m, struct agreement *a, bool *found)
{
	enum err e = agreement_own(st, m->id, a);

	*found = e == OK;
	return e == ERR_MATTER_UNKNOWN ? OK : e;
}

enum err agreement_withdraw(struct state *st, const struct matter *m)
{
	struct agreement a;
	bool found;
	enum err e = of_matter(st, m, &a, &found);

	if (e != OK || !found || a.phase == AGREEMENT_ENDED || a.leaves_ms != 0)
		return e;
	if (a.phase == AGREEMENT_OFFERED)
		return agreement_end(st, &a, st->logged_ms);
	a.leaves_ms = st->logged_ms + a.exit_notice_ms;
	return agreement_leave(st, &a);
}

static enum err check_declined(const struct statement *s, const struct agreement *a)
{
	if (a->phase != AGREEMENT_OFFERED)
		return fail(ERR_AGREEMENT, "outcome: it is %s; who signed it withdraws",
			    agreement_phase_name(a->phase));
	return span_equal(s->from, a->offered_by) ? fail(ERR_NOT_YOURS, "outcome: who offered it withdraws") : OK;
}

static enum err check_resolved(const struct statement *s, const struct agreement *a, unsigned side)
{
	const struct course *c;
	size_t term;
	enum err e = agreement_term_named(a, s, &term);

	if (e == OK && a->phase != AGREEMENT_IN_FORCE)
		e = fail(ERR_AGREEMENT, "outcome: it is %s", agreement_phase_name(a->phase));
	if (e != OK)
		return e;
	c = &a->terms[term].course;
	if (c->state != COURSE_CONSULT && c->state != COURSE_SUSPENDED)
		return fail(ERR_AGREEMENT, "term: it is %s, there is nothing to resolve", course_state_name(c->state));
	if ((c->resolved & BIT(side)) != 0)
		return fail(ERR_AGREEMENT, "term: signed already; the other has yet to");
	return OK;
}

enum err agreement_answer_check(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o)
{
	struct agreement a;
	struct addressee to;
	unsigned side = 0;
	bool found;
	enum err e;

	if (s->for_party.len > 0 || s->via.len > 0)
		return fail(ERR_NOT_YOURS, "for: of an agreement each of the two speaks for itself");
	if (!span_equal(s->from, m->from) &&
	    (!matter_addressee(m, 0, &to) || to.type != TO_PARTY || !span_equal(s->from, to.domain)))
		return fail(ERR_NOT_YOURS, "only the two that agreed may answer that");
	e = of_matter(st, m, &a, &found);
	if (e != OK || !found)
		return e;
	e = agreement_side(&a, s->from, &side);
	if (e != OK)
		return e;
	switch (o) {
	case OUTCOME_OBJECTED:
		return check_declined(s, &a);
	case OUTCOME_RESOLVED:
		return check_resolved(s, &a, side);
	case OUTCOME_BREACH_ALLEGED:
	case OUTCOME_DISPUTED:
		return restraint_answer_check(st, s, m, o);
	default:
		return OK;
	}
}

static enum err resolve(struct state *st, const struct statement *s, struct agreement *a)
{
	struct course before;
	unsigned side = 0;
	size_t term = 0;
	enum err e = agreement_side(a, s->from, &side);

	if (e == OK)
		e = agreement_term_named(a, s, &term);
	if (e != OK || a->phase != AGREEMENT_IN_FORCE)
		return e;
	before = a->terms[term].course;
	course_resolve(&a->terms[term].course, side, st->logged_ms);
	return agreement_moved(st, a, term, &before);
}

enum err agreement_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct agreement a;
	bool found;
	enum err e = of_matter(st, m, &a, &found);

	if (e != OK || !found)
		return e;
	if (o == OUTCOME_OBJECTED && a.phase == AGREEMENT_OFFERED)
		return agreement_end(st, &a, st->logged_ms);
	if (o == OUTCOME_BREACH_ALLEGED || o == OUTCOME_DISPUTED)
		return restraint_answered(st, s, m, o);
	return o == OUTCOME_RESOLVED ? resolve(st, s, &a) : OK;
}

/* ---- a key that is worth nothing ---- */

struct collected {
	struct arena *arena;
	struct hash *ids;
	size_t count, room;
};

static enum err collect(void *context, struct hash id)
{
	struct collected *c = context;

	if (c->count == c->room) {
		size_t room = c->room == 0 ? 16 : 2 * c->room;
		struct hash *more = arena_resize(c->arena, c->ids, c->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		c->ids = more;
		c->room = room;
	}
	c->ids[c->count++] = id;
	return OK;
}

#define ARENA_MAX ((size_t)16 << 20)

/* With memory of its own for each in turn: whoever stole the key may have offered much. */
enum err agreement_revoked(struct state *st, struct span party)
{
	struct collected c = { .arena = st->arena };
	struct state one = *st;
	enum err e = agreements_of(st, party, collect, &c);

	if (e != OK || c.count == 0)
		return e;
	if ((one.arena = arena_new(ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < c.count; i++) {
		struct agreement a;

		arena_reset(one.arena);
		e = agreement_own(&one, c.ids[i], &a);
		if (e == OK && a.phase == AGREEMENT_OFFERED && span_equal(a.offered_by, party))
			e = agreement_end(&one, &a, st->logged_ms);
	}
	arena_free(one.arena);
	return e;
}

/* ---- what may flow ---- */

struct asking {
	const struct state *st;
	enum gives gives;
	bool no;
	struct agreement *by;
};

static enum err ask_one(void *context, struct hash id)
{
	struct asking *q = context;
	struct agreement a;
	enum err e = q->no ? OK : agreement_get(q->st, id, ASSETS_LEFT, &a);

	if (e != OK || q->no)
		return e;
	for (size_t i = 0; i < a.term_count && !q->no; i++)
		q->no = a.terms[i].term.gives == q->gives && !course_flows(&a.terms[i].course);
	if (q->no && q->by != NULL)
		e = agreement_get(q->st, id, ASSETS_WANTED, q->by);
	return e;
}

enum err agreement_allows(const struct state *st, struct span a, struct span b, enum gives g, bool *yes,
			  struct agreement *by)
{
	struct asking q = { .st = st, .gives = g, .by = by };
	enum err e = g != GIVES_NOTHING ? agreements_in_force(st, a, b, ask_one, &q) : OK;

	*yes = !q.no;
	return e;
}
