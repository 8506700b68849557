#include "regime/agreement_private.h"

/*
 * What time brings
 *
 * An entry is checked against the state as the entry before it left that, at the door and in a rebuild alike. Then all that
 * ended before it was logged happens, in the order of T: by time, at one instant by agreement, and within one a consultation
 * before a window before the end. Then the entry is folded. So when a window closes, the state holds what was logged before its
 * end and nothing else, however long the ledger slept: windows that end in one such sleep are measured one by one over the same
 * matters.
 *
 * A node, its rebuild, its audit and a mirror come to the same bytes because nothing else moves an agreement in time, and each
 * entry that the state has not met yet moves it, also one that folds to nothing but its id.
 *
 * Matters between two who have an agreement in force are listed under it (P) as they are filed; a window walks those that may
 * have fallen due in it. What was filed before `start` is none of them: nobody is measured by what was asked before it was
 * promised. Where nothing is due a transaction costs one look at T, an entry nothing, and a notice one look at B.
 */

/* ---- what stands between the two ---- */

static struct state_key key_pair(struct hash agreement)
{
	struct state_key k = key_of(STATE_PAIR);

	key_add(&k, agreement.bytes, HASH_SIZE);
	return k;
}

#define AT_ONCE (2 * AGREEMENTS_BETWEEN) /* more are never in force between two */

struct listing {
	struct hash ids[AT_ONCE];
	size_t count;
};

static enum err list(void *context, struct hash id)
{
	struct listing *l = context;

	if (l->count == AT_ONCE)
		return state_damaged("more agreements between two than there can be");
	l->ids[l->count++] = id;
	return OK;
}

/* Whether an addressee before this one was the same party. */
static bool is_again(const struct matter *m, unsigned i, const struct addressee *to)
{
	struct addressee earlier;

	for (unsigned j = 0; j < i; j++)
		if (matter_addressee(m, j, &earlier) && addressee_equal(&earlier, to))
			return true;
	return false;
}

enum err agreement_matter(struct state *st, const struct matter *m)
{
	struct addressee to;
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < m->to_count && matter_addressee(m, i, &to); i++) {
		struct listing l = { .count = 0 };

		if (to.type != TO_PARTY || span_equal(to.domain, m->from) || is_again(m, i, &to))
			continue;
		e = agreements_in_force(st, m->from, to.domain, list, &l);
		for (size_t j = 0; e == OK && j < l.count; j++) {
			struct state_key k = key_pair(l.ids[j]);

			key_add_u64(&k, (uint64_t)m->logged_ms);
			key_add_u64(&k, m->index);
			e = view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
		}
	}
	return e;
}

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

struct between {
	const struct state *st;
	const struct agreement *agreement;
	int64_t until_ms;
	matter_each *each;
	void *context;
};

static enum err show_between(void *context, struct span key, struct span value)
{
	struct between *b = context;
	struct reader r = reader_of(span_from(key, 1 + HASH_SIZE));
	int64_t logged_ms = (int64_t)read_u64(&r);
	uint64_t index = read_u64(&r);
	struct matter m;
	enum err e;

	(void)value;
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("matter between two");
	if (logged_ms >= b->until_ms)
		return ENOUGH;
	e = matter_get(b->st, LEDGER_CIRCLE, index, &m);
	return e == OK ? b->each(b->context, &m) : e;
}

/* metric_between */
static enum err walk_between(void *context, int64_t from_ms, int64_t until_ms, matter_each *each, void *each_context)
{
	struct between *b = context;
	struct state_key prefix = key_pair(b->agreement->id), from = prefix;
	enum err e;

	b->until_ms = until_ms;
	b->each = each;
	b->context = each_context;
	if (from_ms > 0)
		key_add_u64(&from, (uint64_t)from_ms);
	e = view_walk(b->st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&from), show_between, b);
	return e == ENOUGH ? OK : e;
}

/* ---- a window closes ---- */

static enum err measure_side(const struct state *st, const struct agreement *a, struct agreement_term *t, unsigned side,
			     int64_t end_ms)
{
	struct between b = { .st = st, .agreement = a };
	struct measure m = { .from_ms = end_ms - t->term.window_ms, .until_ms = end_ms, .closed = true };
	enum err e = metric_pair(st, &t->term, a->id, a->party[side], a->party[1 - side], m.from_ms, m.until_ms,
				 a->demonstration, walk_between, &b, &m);

	if (e != OK)
		return e;
	t->sides[side].last = m;
	t->sides[side].judged = term_judge(&t->term, &m, 1);
	return OK;
}

static enum err close_window(struct state *st, struct agreement *a, size_t term, int64_t end_ms)
{
	struct agreement_term *t = &a->terms[term];
	struct course before = t->course;
	enum window judged[2] = { WINDOW_TOO_FEW, WINDOW_TOO_FEW };
	int64_t next_ms;
	enum err e = OK;

	for (unsigned side = 0; e == OK && side < 2; side++)
		if (term_binds(a, t, side)) {
			e = measure_side(st, a, t, side, end_ms);
			judged[side] = t->sides[side].judged;
		}
	if (e != OK)
		return e;
	course_window(&t->course, &a->rules, window_of_both(judged[0], judged[1]), end_ms);
	e = agreement_moved(st, a, term, &before);
	if (e == OK && agreement_next_window(a, term, &next_ms))
		e = waits_put(st, a, WAITS_WINDOW, term, next_ms);
	return e;
}

static enum err end_consultation(struct state *st, struct agreement *a, size_t term, int64_t at_ms)
{
	struct course before = a->terms[term].course;

	course_time(&a->terms[term].course, at_ms);
	return agreement_moved(st, a, term, &before);
}

/* ---- the order of time ---- */

/* w has left its place already. st->arena is this one's alone. */
static enum err happens(struct state *st, const struct waiting *w)
{
	struct agreement a;
	enum err e = agreement_own(st, w->agreement, &a);

	if (e == ERR_MATTER_UNKNOWN || (e == OK && w->term >= a.term_count))
		return state_damaged("what time brings");
	if (e == OK)
		e = waits_drop(st, &a, w->what, w->term, w->ms);
	if (e != OK)
		return e;
	switch (w->what) {
	case WAITS_START:
		return a.phase == AGREEMENT_COUNTERSIGNED ? agreement_begin(st, &a) : agreement_end(st, &a, w->ms);
	case WAITS_CONSULT:
		return end_consultation(st, &a, w->term, w->ms);
	case WAITS_WINDOW:
		return close_window(st, &a, w->term, w->ms);
	case WAITS_END:
	case WAITS_COUNT:
		break;
	}
	return agreement_end(st, &a, w->ms);
}

#define ARENA_MAX ((size_t)16 << 20)

enum err agreement_time(struct state *st)
{
	struct state then = *st; /* with memory of its own: a ledger may have slept for years */
	struct waiting w;
	bool found;
	enum err e;

	if (waits_quiet(st))
		return OK;
	e = waits_first(st, &w, &found);
	if (e != OK || !found || w.ms > st->logged_ms)
		return e;
	if ((then.arena = arena_new(ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	then.is_guest = false;
	while (e == OK && found && w.ms <= st->logged_ms) {
		arena_reset(then.arena);
		e = happens(&then, &w);
		if (e == OK)
			e = waits_first(&then, &w, &found);
	}
	arena_free(then.arena);
	return e;
}
