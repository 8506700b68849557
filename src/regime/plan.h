/* Plans: scans, exercises, takedowns declared ahead, and the matching of what is seen against them. A match explains;
 * it never excuses. A plan that was logged after the event explains nothing. */
#ifndef REGIME_PLAN_H
#define REGIME_PLAN_H

#include "base/address.h"
#include "regime/state.h"

enum plan_verdict { PLAN_UNDECLARED, PLAN_EXPLAINED, PLAN_BREACH, PLAN_LATE, PLAN_VERDICT_COUNT };
const char *plan_verdict_name(enum plan_verdict v); /* "undeclared", … */

/* All plans of a state, compiled for matching. Immutable: any number of threads may ask it. Stands alone: the snapshot
 * it was made from may end. */
struct plans;
enum err plans_load(const struct state *st, struct plans **out);
void plans_free(struct plans *p);
size_t plans_count(const struct plans *p);

struct observation {
	struct address source;
	bool has_target;
	struct address target;
	int64_t time_ms;
};

struct plan_match {
	enum plan_verdict verdict;
	struct hash plan; /* unless UNDECLARED */
	/* Static, else NULL. BREACH: the term that is broken ("target", "exclusion"); LATE: "filed"; UNDECLARED:
	 * "target-unknown" if a plan fits but for its targets, and the observation has none. */
	const char *term;
};

/* Clocks of reporters differ: an event this long outside the window still fits it. It never helps against LATE. */
#define PLAN_SKEW_MS (60 * 1000)

/* A plan is filed if it was logged at or before the event's time; one that was withdrawn or closed is in force for
 * events before that. Without a target only plans for any target explain.
 * Most specific source prefix first, then the earliest filed. EXPLAINED beats BREACH beats LATE, but an excluded target
 * is always BREACH. */
struct plan_match plans_match(const struct plans *p, const struct observation *o);

#endif
