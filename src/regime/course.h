/* How it goes with one term of an agreement. Nothing but arithmetic: no ledger, no clock, so that it can be simulated and proven.
 *
 *	in-force, restored	window missed			-> strained
 *	strained		met / missed			-> in-force / consult
 *	consult			both signed a resolution	-> in-force
 *				none in time			-> suspended
 *	suspended		k windows met in a row		-> restored
 *				both signed a resolution	-> restored
 *	restored		met				-> in-force
 *	any			too few				unchanged; also the row of good windows
 *
 * One missed window never suspends. Windows that end during a consultation change nothing. A consultation that is over by the
 * time that is handed in ends first. Who signed a resolution in a consultation has still signed it when that ends in a
 * suspension. Times never go back. */
#ifndef REGIME_COURSE_H
#define REGIME_COURSE_H

#include "regime/term.h"

/* In the state by number: only add at the end. */
enum course_state {
	COURSE_IN_FORCE,
	COURSE_STRAINED,
	COURSE_CONSULT,
	COURSE_SUSPENDED,
	COURSE_RESTORED,
	COURSE_STATE_COUNT
};
const char *course_state_name(enum course_state s); /* "in-force", … */

struct course_rules {
	int64_t consult_ms; /* 14 days unless agreed otherwise */
	unsigned restore;   /* k: so many good windows in a row restore; at least 1 */
};
struct course {
	enum course_state state;
	int64_t since_ms;	       /* of the state */
	int64_t consult_until_ms;      /* in consult; else 0 */
	unsigned good;		       /* in suspended: good windows in a row so far */
	unsigned resolved;	       /* in consult and suspended: bit set of the sides that signed a resolution */
	uint32_t met, missed, too_few; /* windows so far */
	uint32_t suspensions;	       /* how often it came to that */
};
void course_begin(struct course *c, int64_t at_ms);
void course_window(struct course *c, const struct course_rules *r, enum window w, int64_t end_ms);
/* side: 0 or 1. Nothing, unless it is in consult or suspended. */
void course_resolve(struct course *c, unsigned side, int64_t at_ms);
/* Of a consultation whose time is over at at_ms or before; else nothing. */
void course_time(struct course *c, int64_t at_ms);
/* Of one term that binds both: missed if one side missed, met if one met and the other did not miss. */
enum window window_of_both(enum window a, enum window b);
/* Whether what the term gives may flow. */
static inline bool course_flows(const struct course *c)
{
	return c->state != COURSE_SUSPENDED;
}

#endif
