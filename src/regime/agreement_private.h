/* What the files of agreements share: agreement.c (the kind), agreement_terms.c (headers), agreement_codec.c (bytes),
 * agreement_time.c and agreement_waits.c (what time brings). Breaches: restraint_private.h. Only for this room. */
#ifndef REGIME_AGREEMENT_PRIVATE_H
#define REGIME_AGREEMENT_PRIVATE_H

#include "regime/agreement.h"
#include "regime/kinds_private.h"

/* ---- headers ---- */

/* What a statement says, and its id; assets in the arena, all else into the statement. ERR_STATEMENT_HEADER, ERR_TERM,
 * ERR_AGREEMENT. */
enum err agreement_read(struct arena *a, const struct statement *s, struct agreement *out);
/* Which of the two it is. ERR_NOT_YOURS: neither. */
enum err agreement_side(const struct agreement *a, struct span party, unsigned *side);
/* What that term asks of that side; false: nothing, it binds the other only. */
static inline bool term_binds(const struct agreement *a, const struct agreement_term *t, unsigned side)
{
	return t->term.of.len == 0 || span_equal(t->term.of, a->party[side]);
}
/* The term that `term` of an answer names. ERR_STATEMENT_HEADER: missing or twice. ERR_TERM: the agreement has none of that
 * name. */
enum err agreement_term_named(const struct agreement *a, const struct statement *s, size_t *out);

/* ---- bytes ---- */

/* ERR_MATTER_UNKNOWN. Without its assets if they are not wanted: they may be 500. */
enum agreement_assets { ASSETS_LEFT, ASSETS_WANTED };
/* Spans point into the snapshot. */
enum err agreement_get(const struct state *st, struct hash id, enum agreement_assets how, struct agreement *out);
/* The same with all of it in the arena, for who is about to write. */
enum err agreement_own(const struct state *st, struct hash id, struct agreement *out);
/* A new one: with its assets, under both parties, nothing of its courses. */
enum err agreement_add(struct state *st, const struct agreement *a);
/* What moves after that: phase, signatures, times. before: how it was. */
enum err agreement_change(struct state *st, enum agreement_phase before, const struct agreement *a);
enum err agreement_name_statement(struct state *st, const struct agreement *a, struct hash statement);
enum err course_put(struct state *st, const struct agreement *a, size_t term);

/* Those of these two that are in force; of `party` with anybody; those of the two that are not ended. */
typedef enum err agreement_id_each(void *context, struct hash id);
enum err agreements_in_force(const struct state *st, struct span a, struct span b, agreement_id_each *each,
			     void *context);
enum err agreements_of(const struct state *st, struct span party, agreement_id_each *each, void *context);
enum err agreements_count(const struct state *st, struct span a, struct span b, size_t *open);

/* ---- what waits for its time (agreement_waits.c) ---- */

/* In the state by number. At one instant an agreement's come in this order: a consultation ends before a window, as course.h has
 * it. */
enum waiting_for { WAITS_START, WAITS_CONSULT, WAITS_WINDOW, WAITS_END, WAITS_COUNT };
struct waiting {
	int64_t ms;
	struct hash agreement;
	enum waiting_for what;
	size_t term; /* of a consultation or window */
};
/* The first of all. *found false: nothing waits. */
enum err waits_first(const struct state *st, struct waiting *out, bool *found);
/* It is known that nothing waits for what the entry in hand brings. */
bool waits_quiet(const struct state *st);
enum err waits_put(struct state *st, const struct agreement *a, enum waiting_for what, size_t term, int64_t ms);
/* Also where it does not wait. */
enum err waits_drop(struct state *st, const struct agreement *a, enum waiting_for what, size_t term, int64_t ms);

/* When the next window of a term ends; false: it would end behind the agreement. */
bool agreement_next_window(const struct agreement *a, size_t term, int64_t *end_ms);
/* When it ends as things stand. */
static inline int64_t agreement_last_ms(const struct agreement *a)
{
	return a->leaves_ms != 0 && a->leaves_ms < a->end_ms ? a->leaves_ms : a->end_ms;
}

/* It was offered: waits for its start. */
enum err agreement_wait(struct state *st, const struct agreement *a);
/* Its start has come and both have signed. */
enum err agreement_begin(struct state *st, struct agreement *a);
/* It is over: nothing waits any more. */
enum err agreement_end(struct state *st, struct agreement *a, int64_t at_ms);
/* One of them leaves, at a->leaves_ms. */
enum err agreement_leave(struct state *st, const struct agreement *a);
/* Writes the course of a term that was moved, and whether its consultation waits. before: how it was. */
enum err agreement_moved(struct state *st, const struct agreement *a, size_t term, const struct course *before);

#endif
