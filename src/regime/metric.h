/* What can be measured, and its rules: docs/pledges.md has them for people. All of it comes from what the ledger logged; the same
 * ledger gives the same figures everywhere. */
#ifndef REGIME_METRIC_H
#define REGIME_METRIC_H

#include "regime/state.h"
#include "regime/statistics.h"

/* In the state by number: only add at the end. */
enum metric {
	METRIC_ACKNOWLEDGED,	/* share of notices to it that a person acknowledged `within`; `received` is none */
	METRIC_ACKNOWLEDGE_P50, /* time in which half were acknowledged */
	METRIC_ACKNOWLEDGE_P90, /* and nine tenths */
	METRIC_FIXED,		/* share fixed `within` */
	METRIC_UPLIFT, /* share gone beyond that of look-alikes after 14 days, of the notices that it files (control.h) */
	METRIC_RE_OFFENCE,	/* share seen again within 30 days of the fix */
	METRIC_FALSE_NOTICES,	/* of the notices that it files: withdrawn, not theirs, or the dispute stands */
	METRIC_HELP_ANSWERED,	/* share of requests for help to it that a person answered `within` */
	METRIC_CONTACT_LIVE,	/* share of pings that its duty contact answered `within` */
	METRIC_PLAN_EXPLAINED,	/* share of events in notices to it that its plans had explained before */
	METRIC_PLAN_OVERDUE,	/* share of its plans that ended with no word within half an hour */
	METRIC_PLAN_BREACH,	/* count of its plans that others saw outside their windows */
	METRIC_REPORT_ANSWERED, /* vulnerability reports acknowledged: cases come later; blank until then */
	METRIC_REMEDY_TIME,	/* days from report to remedy: blank until then */
	METRIC_UPDATE_LAG,	/* the longest time between a release's first and last region (release.h) */
	METRIC_ARTEFACT_EQUAL,	/* share of its releases with one hash in all regions, and none left out */
	METRIC_BALANCE, /* of the notices between two that their receiver confirmed as useful, the share that it gave */
	METRIC_RESTRAINT, /* count of breaches that stand (agreement.h) */
	METRIC_COUNT
};
enum metric_unit { UNIT_SHARE, UNIT_TIME, UNIT_COUNT };
struct metric_rule {
	enum metric metric;
	const char *name; /* "acknowledged", "acknowledge-p90", … */
	enum metric_unit unit;
	bool at_most; /* the direction in which it is a promise: at most so much, else at least */
	bool needs_within;
	bool in_agreements; /* it can be counted between two */
	bool later;	    /* nothing measures it yet: always blank */
	bool whole; /* each case is looked at, none stands for others: few are enough, only the term's own `least` counts */
	const char *counts; /* one sentence: what over what */
};
const struct metric_rule *metric_rule(enum metric m);
enum err metric_parse(struct span name, enum metric *out); /* ERR_TERM */

/* One window of one party. */
struct measure {
	int64_t from_ms, until_ms;
	/* The ledger has an entry at its end or later: nothing in it changes any more, but for what other nodes' ledgers prove
	 * to be older. */
	bool closed;
	struct proportion share; /* of shares, and of times: within the threshold over all */
	uint64_t disputed;	 /* of the denominator: disputed, and the dispute was not settled */
	struct proportion
		undisputed; /* the same without these; of METRIC_UPLIFT what look-alikes did, who were told nothing */
	bool has_value;	    /* of times and counts: the figure itself; of METRIC_UPLIFT too */
	uint64_t value;	    /* milliseconds, or a number, or hundredths of a per cent (0 if less) */
};

struct term;
/* One window of a term between two: what `other` asked of `party` (METRIC_BALANCE: both ways). agreement: whose breaches
 * METRIC_RESTRAINT counts. matters: walks those between the two, filed from from_ms before until_ms, each once. What the entry in
 * hand and later ones say is not known. What is counted twice, or not at all, as in promises to everybody (metric_private.h).
 * demonstration: only what was marked so. */
typedef enum err metric_between(void *context, int64_t from_ms, int64_t until_ms, matter_each *each,
				void *each_context);
enum err metric_pair(const struct state *st, const struct term *t, struct hash agreement, struct span party,
		     struct span other, int64_t from_ms, int64_t until_ms, bool demonstration, metric_between *matters,
		     void *context, struct measure *out);

/* {"from":…,"to":…,"closed":…,"share":{…},…}: as docs/pledges.md tells. */
void measure_print(struct json *j, const char *key, const struct term *t, const struct measure *m);

#endif
