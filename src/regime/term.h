/* A term: what is promised, as one line that a program can judge. Pledges and agreements are made of terms.
 *
 *	term NAME METRIC at-least|at-most VALUE [within DURATION] each DURATION [least N] [gives share|help] [of DOMAIN]
 *	term NAME restraint KIND[,KIND…] in SET each DURATION [gives share|help] [of DOMAIN]
 *
 *	term swift acknowledged at-least 90% within 2d each 30d least 5
 *	term hold restraint scan,exercise in power each 90d
 *
 * Behind the promise itself the parts may stand in any order; they are printed in this one. Shares are 90%, 99.5% or 99.95%.
 *
 * `each` is the length of a window: windows follow on one another from the start. `within` says how fast, of metrics that need
 * it. What a window counts is what fell due in it: filed at least `within` before it ends. So all of it is known when it ends.
 * `least`: a window with fewer holds the state as it is. `gives`, `of`: only in agreements (agreement.h). */
#ifndef REGIME_TERM_H
#define REGIME_TERM_H

#include "regime/metric.h"

#define TERMS_MAX 16
#define TERM_NAME_MAX 31 /* a-z, 0-9, -; begins with a letter */
#define TERM_WINDOW_LEAST_MS (INT64_C(24) * 60 * 60 * 1000)
#define TERM_WINDOW_MOST_MS (INT64_C(366) * TERM_WINDOW_LEAST_MS)

/* What is exchanged beyond the floor while the term is not suspended. In the state by number: only add at the end. */
enum gives {
	GIVES_NOTHING,
	GIVES_SHARE, /* objects of collections, read and added over TAXII */
	GIVES_HELP,  /* requests for help that are not for critical infrastructure */
	GIVES_COUNT
};
const char *gives_name(enum gives g); /* "nothing", "share", "help" */

/* a-z, 0-9 and -, a letter first: of terms, and of sets of assets. */
bool term_name_valid(struct span name);

struct term {
	struct span name;
	enum metric metric;
	bool at_most;
	/* By the metric's unit: shares in hundredths of a per cent, times in milliseconds, counts. */
	uint64_t threshold;
	int64_t window_ms, within_ms; /* within 0: the metric needs none */
	uint32_t least;		      /* at least 1 */
	enum gives gives;
	struct span of;	       /* empty: it binds both */
	unsigned activities;   /* of restraint: bit set of enum activity (plan_terms.h) */
	struct span asset_set; /* of restraint: its name, as asset lines have it */
};

/* ERR_TERM, which says what is wrong: a metric that is none, the wrong direction or unit, a threshold that everybody meets or
 * nobody can (at-least 0 %, at-most 100 %, more than 100 %, a time under a minute), a window under a day or over 366 days,
 * `within` longer than its window, missing or of no use, a part twice, what is no part. Spans point into value; `of` and
 * `asset_set` are empty, never NULL. */
enum err term_parse(struct span value, struct term *out);
/* The one spelling of it; what term_parse reads as the same. */
void term_print(const struct term *t, struct buffer *out);

/* Two that cannot stand beside each other: of one name, or binding the same party on the same metric, as fast, in the same set,
 * to another threshold. */
bool terms_contradict(const struct term *a, const struct term *b);

/* How window i from start_ms lies. Every window has the same length in UTC. */
static inline int64_t term_window_end(const struct term *t, int64_t start_ms, uint64_t i)
{
	return start_ms + (int64_t)(i + 1) * t->window_ms;
}

enum window { WINDOW_MET, WINDOW_MISSED, WINDOW_TOO_FEW };
const char *window_name(enum window w); /* "met", "missed", "too-few" */
/* at_least: the larger of that and the term's own `least` counts. Pledges hand in STATISTICS_LEAST, agreements 1. Counts that
 * shall be at most something (breaches, restraint) need no least number, and metrics that are `whole` only the term's own. A
 * count without a figure is too few; a time without one was not reached. */
enum window term_judge(const struct term *t, const struct measure *m, uint32_t at_least);

#endif
