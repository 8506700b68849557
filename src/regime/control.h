/* Controls (kind `control`, circle ledger): what became of look-alikes that were not notified, so that the effect of notices can be
 * told from what would have gone by itself. A reporter signs, for a class and a period, how many sources it notified and how many
 * like them it did not, how many of each were gone after 1, 7, 14 and 30 days, and the tables that it counted with.
 *
 *	class malicious-code/infected-system
 *	first 2026-01-01T00:00:00Z
 *	last 2026-02-01T00:00:00Z
 *	notified 1000
 *	notified-gone 100 300 400 500
 *	control 900
 *	control-gone 40 150 210 300
 *	table NAME DATE sha256:HEX		(as notices have them)
 *
 * The newest for each party, class and `last` counts: a later one takes its place. One that was withdrawn counts no more. */
#ifndef REGIME_CONTROL_H
#define REGIME_CONTROL_H

#include "regime/state.h"

#define CONTROL_DAYS 4 /* 1, 7, 14, 30 */

struct control {
	struct hash id;
	uint64_t index; /* in the circle's ledger */
	int64_t logged_ms;
	struct span from;
	enum rsit_class class;
	int64_t first_ms, last_ms; /* the period, from first to before last */
	uint64_t notified, control;
	bool demonstration;
	uint64_t notified_gone[CONTROL_DAYS], control_gone[CONTROL_DAYS]; /* by then; never falling, at most all */
};

/* Spans point into the snapshot. In the order of party, class and `last`. from empty: of all parties. */
typedef enum err control_each(void *context, const struct control *c);
enum err state_controls(const struct state *st, struct span from, control_each *each, void *context);

#endif
