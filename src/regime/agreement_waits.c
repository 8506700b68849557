#include "regime/agreement_private.h"

/*
 * What waits for its time
 *
 * T u64 time, 32 agreement, u8 what, u8 term: one key for each thing that time will bring, so the first of all is found by one
 * look. What an agreement waits for follows from how it stands:
 *
 *	offered, countersigned		its start; if somebody leaves before that, its end
 *	in force			its end; of each term the end of its next window, unless that lies behind `end`, and of its
 *					consultation
 *	ended				nothing
 *
 * The time of the first is noted beside the transaction, so that not every entry looks for it.
 */

static struct state_key key_waiting(const struct agreement *a, enum waiting_for what, size_t term, int64_t ms)
{
	struct state_key k = key_of(STATE_TIME);

	key_add_u64(&k, (uint64_t)ms);
	key_add(&k, a->id.bytes, HASH_SIZE);
	key_add_u8(&k, (uint8_t)what);
	key_add_u8(&k, (uint8_t)term);
	return k;
}

static enum err waiting_unpack(struct span key, struct waiting *out)
{
	struct reader r = reader_of(span_from(key, 1));

	out->ms = (int64_t)read_u64(&r);
	out->agreement = unpack_hash(&r);
	out->what = (enum waiting_for)read_u8(&r);
	out->term = read_u8(&r);
	return r.err == OK && reader_left(&r) == 0 && out->what < WAITS_COUNT && out->term < TERMS_MAX
		       ? OK
		       : state_damaged("what time brings");
}

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

static enum err take_first(void *context, struct span key, struct span value)
{
	enum err e = waiting_unpack(key, context);

	(void)value;
	return e == OK ? ENOUGH : e;
}

enum err waits_first(const struct state *st, struct waiting *out, bool *found)
{
	struct state_key prefix = key_of(STATE_TIME);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), take_first, out);

	*found = e == ENOUGH;
	if (e == OK || e == ENOUGH)
		*snapshot_note(st->snapshot) = *found ? out->ms : INT64_MAX;
	return e == ENOUGH ? OK : e;
}

bool waits_quiet(const struct state *st)
{
	return st->logged_ms < *snapshot_note(st->snapshot);
}

enum err waits_put(struct state *st, const struct agreement *a, enum waiting_for what, size_t term, int64_t ms)
{
	struct state_key k = key_waiting(a, what, term, ms);

	if (ms < *snapshot_note(st->snapshot))
		*snapshot_note(st->snapshot) = ms;
	return view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
}

enum err waits_drop(struct state *st, const struct agreement *a, enum waiting_for what, size_t term, int64_t ms)
{
	struct state_key k = key_waiting(a, what, term, ms);
	enum err e = state_delete(st, &k);

	return e == ERR_NOT_FOUND ? OK : e;
}

bool agreement_next_window(const struct agreement *a, size_t term, int64_t *end_ms)
{
	const struct course *c = &a->terms[term].course;
	uint64_t closed = (uint64_t)c->met + c->missed + c->too_few;

	*end_ms = term_window_end(&a->terms[term].term, a->start_ms, closed);
	return *end_ms <= a->end_ms;
}

/* ---- how an agreement goes ---- */

enum err agreement_wait(struct state *st, const struct agreement *a)
{
	return waits_put(st, a, WAITS_START, 0, a->start_ms);
}

enum err agreement_begin(struct state *st, struct agreement *a)
{
	int64_t end_ms;
	enum err e;

	a->phase = AGREEMENT_IN_FORCE;
	e = agreement_change(st, AGREEMENT_COUNTERSIGNED, a);
	if (e == OK)
		e = waits_put(st, a, WAITS_END, 0, agreement_last_ms(a));
	for (size_t i = 0; e == OK && i < a->term_count; i++) {
		course_begin(&a->terms[i].course, a->start_ms);
		e = course_put(st, a, i);
		if (e == OK && agreement_next_window(a, i, &end_ms))
			e = waits_put(st, a, WAITS_WINDOW, i, end_ms);
	}
	return e;
}

enum err agreement_end(struct state *st, struct agreement *a, int64_t at_ms)
{
	enum agreement_phase before = a->phase;
	int64_t end_ms;
	enum err e = waits_drop(st, a, WAITS_END, 0, agreement_last_ms(a));

	if (e == OK && before != AGREEMENT_IN_FORCE)
		e = waits_drop(st, a, WAITS_START, 0, a->start_ms);
	for (size_t i = 0; e == OK && before == AGREEMENT_IN_FORCE && i < a->term_count; i++) {
		e = waits_drop(st, a, WAITS_CONSULT, i, a->terms[i].course.consult_until_ms);
		if (e == OK && agreement_next_window(a, i, &end_ms))
			e = waits_drop(st, a, WAITS_WINDOW, i, end_ms);
	}
	a->phase = AGREEMENT_ENDED;
	a->ended_ms = at_ms;
	return e == OK ? agreement_change(st, before, a) : e;
}

enum err agreement_leave(struct state *st, const struct agreement *a)
{
	enum err e = agreement_change(st, a->phase, a);

	if (e == OK && a->phase == AGREEMENT_IN_FORCE)
		e = waits_drop(st, a, WAITS_END, 0, a->end_ms);
	if (e == OK && (a->phase == AGREEMENT_IN_FORCE || a->leaves_ms < a->start_ms))
		e = waits_put(st, a, WAITS_END, 0, agreement_last_ms(a));
	return e;
}

enum err agreement_moved(struct state *st, const struct agreement *a, size_t term, const struct course *before)
{
	const struct course *c = &a->terms[term].course;
	enum err e = course_put(st, a, term);

	if (before->consult_until_ms == c->consult_until_ms)
		return e;
	if (e == OK && before->consult_until_ms != 0)
		e = waits_drop(st, a, WAITS_CONSULT, term, before->consult_until_ms);
	if (e == OK && c->consult_until_ms != 0)
		e = waits_put(st, a, WAITS_CONSULT, term, c->consult_until_ms);
	return e;
}
