/* What the files of metrics share: the facts that are counted, gathered once for all terms and windows of a party. Only for this
 * room.
 *
 * A fact is one thing that can fall due: a notice, a request, a plan, a release. What it says was so at
 * the end of the ledger; each metric asks only for what had happened when its window ended. */
#ifndef REGIME_METRIC_PRIVATE_H
#define REGIME_METRIC_PRIVATE_H

#include "regime/kinds_private.h"
#include "regime/metric.h"
#include "regime/term.h"

#define METRIC_DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define METRIC_DISPUTE_MS (14 * METRIC_DAY_MS)	    /* a dispute that its author has not closed by then stands */
#define METRIC_RELAPSE_MS (30 * METRIC_DAY_MS)	    /* re-offence: seen again within */
#define METRIC_FIXED_MS (366 * METRIC_DAY_MS)	    /* re-offence: what was fixed later counts no more */
#define METRIC_JUDGED_MS (30 * METRIC_DAY_MS)	    /* false-notices: what has become of one by then */
#define METRIC_OVERDUE_MS (INT64_C(30) * 60 * 1000) /* plan-overdue: no word within */

/* Where a metric's facts come from. */
enum fact_source {
	FACTS_TO,	/* notices to the party by others */
	FACTS_BY,	/* notices by the party to others */
	FACTS_BOTH,	/* between two: both */
	FACTS_HELP,	/* requests for help to it alone or beside others, not to all */
	FACTS_PINGS,	/* pings to it */
	FACTS_PLANS,	/* its plans, but sealed filings */
	FACTS_RELEASES, /* its releases */
	FACTS_COUNT,
	FACTS_NOWHERE = FACTS_COUNT /* nothing measures it yet; or what is no fact: controls, breaches of restraint */
};
enum fact_source metric_source(enum metric m);

/* Times are 0: it did not happen. */
struct fact {
	uint64_t index;	   /* in its ledger */
	struct span other; /* who filed it; of FACTS_BY whom it goes to first, packed */
	int64_t at_ms;	   /* its time runs from: logged; of a plan the end of its last window */
	int64_t withdrawn_ms, closed_ms, disputed_ms, settled_ms;
	int64_t answered_ms;  /* acknowledged; of requests the first human answer by the party */
	int64_t elsewhere_ms; /* of requests: the first human answer by anybody */
	int64_t fixed_ms, again_ms,
		not_ours_ms; /* of plans again: seen outside; not_ours: a later version took its place */
	uint64_t events, explained;
	uint64_t lag_ms; /* of releases */
	bool broken;	 /* of releases: unequal, or a region left out; lag_ms may still grow */
	bool left_out;
	bool given; /* of FACTS_BOTH: by the party */
	bool demonstration;
	enum rsit_class class;
	/* Repeats: when the last of the earlier ones of the same parties, class and day was withdrawn; INT64_MAX: one never was; 0: it
	 * is the first. */
	int64_t before_ms;
};
struct facts {
	struct fact *at;
	size_t count, room;
};
enum err facts_add(struct facts *f, const struct fact *one); /* ERR_NO_MEMORY */
/* In the order of the ledger, and what repeats what is found. */
enum err facts_end(struct facts *f);
struct fact fact_of(const struct matter *m);
/* Whether the window that ends at until_ms counts it not, because an earlier one says the same. */
static inline bool fact_repeats(const struct fact *f, int64_t until_ms)
{
	return f->before_ms >= until_ms;
}

/* A plan as metrics see it: of all parties, read once. */
struct plan_fact {
	struct span party;
	struct fact fact;
};
struct plan_facts {
	struct plan_fact *at; /* by party, then by index */
	size_t count, room;
	bool known;
};
void plan_facts_free(struct plan_facts *p);

/* All that is known of a party, source by source, read when first asked for. */
struct metric_facts {
	const struct state *st;
	struct span party;
	struct plan_facts *plans; /* shared by all parties of one walk */
	struct facts from[FACTS_COUNT];
	bool known[FACTS_COUNT];
};
/* Spans of the facts point into the snapshot. */
enum err metric_facts_need(struct metric_facts *f, enum fact_source s);
void metric_facts_free(struct metric_facts *f);

enum err facts_of_helps(const struct state *st, struct span party, bool pings, struct facts *out);
struct help;
enum err fact_of_help(const struct state *st, const struct help *h, struct span party, struct fact *out);
enum err facts_of_releases(const struct state *st, struct span maker, struct facts *out);

/* Windows of one term, one behind the other. last_ms: what is logged then or later the ledger does not know. */
struct windows {
	const struct term *t;
	int64_t start_ms, length_ms, last_ms;
	size_t count;
	bool demonstration;
};
enum err metric_last(const struct state *st, int64_t *last_ms);
/* How long after it begins a fact falls due. */
int64_t metric_lag(const struct term *t);
/* Fills in when they lie, and makes shares of what was added up. windows_count does both. */
void windows_begin(const struct windows *w, struct measure *out);
void windows_end(const struct windows *w, struct measure *out);
enum err windows_count(const struct windows *w, const struct facts *f, struct measure *out);
enum err windows_uplift(const struct state *st, const struct windows *w, struct span party, struct measure *out);

/* Windows of a term that binds the party to everybody: notices from all, and so on. Repeats count once: of the notices of one
 * author to one addressee of one class on one UTC day only the first. What a party says to itself, demonstrations (unless the
 * windows are of one, and then only these), and what was withdrawn before its window ended, count nowhere; but a false notice is
 * counted that was withdrawn. promise: the pledge that the term is of; restraint needs it. */
enum err metric_windows(struct metric_facts *f, const struct windows *w, struct hash promise, struct measure *out);

/* The members of measure_print. */
void measure_print_members(struct json *j, const struct term *t, const struct measure *m);

#endif
