/* Standing: how notices to a party were answered, and a reporter's own record, for a period; from one node's ledgers alone, so
 * that whoever has them computes the same. Clocks run on what was logged; open cases count (Kaplan-Meier, censored at the end of
 * what is known); every figure has numerator, denominator, unknown and a Wilson interval; below STANDING_LEAST it is blank. What
 * a party said itself and what the node recorded for it (`for`, `via`) are counted apart too. Disputed matters are shown with and
 * without. No data is blank, never good. */
#ifndef REGIME_STANDING_H
#define REGIME_STANDING_H

#include "base/buffer.h"
#include "regime/state.h"

#define STANDING_LEAST 20 /* a smaller denominator gives no rate */
#define STANDING_DAYS 4	  /* 1, 7, 14, 30 */
extern const unsigned standing_days[STANDING_DAYS];

struct share { /* of a whole */
	uint64_t numerator, denominator;
	uint64_t unknown; /* of the denominator: not known yet, or not said */
	bool blank;	  /* denominator below STANDING_LEAST */
	double rate;	  /* unless blank; as are low and high */
	double low, high; /* Wilson, 95 % */
};
struct share share_of(uint64_t numerator, uint64_t denominator, uint64_t unknown);

/* Kaplan-Meier at the end of each of the days, with the numbers at risk and Greenwood's interval on the log-log scale. */
struct survival {
	uint64_t cases, events; /* events: fixed; the others were still open when last known of */
	bool blank;
	double done[STANDING_DAYS], low[STANDING_DAYS], high[STANDING_DAYS]; /* share fixed by then */
	uint64_t at_risk[STANDING_DAYS];
};

struct quantiles { /* of times in ms, open ones counted as not done: a quantile that is not reached is unknown */
	uint64_t done, cases;
	bool blank, has_p50, has_p90;
	int64_t p50_ms, p90_ms;
};

struct standing {
	struct span ledger_node; /* whose ledgers */
	struct addressee party;
	int64_t from_ms, until_ms; /* matters logged from, before until; looked at as of until */
	uint64_t notices, events;
	uint64_t withdrawn; /* of the notices: they count nowhere below */
	struct share arrived, acknowledged, acknowledged_by_itself;
	struct quantiles acknowledge;
	struct survival fixed, fixed_undisputed;
	struct share disputed, reopened, re_offence_30d, not_ours, cannot, overdue;
	struct share by_outcome[OUTCOME_COUNT];
	/* As a reporter */
	uint64_t filed;
	struct share false_notices; /* not-ours or disputed and not closed as upheld; withdrawn ones too */
};

/* ERR_USAGE: the period ends before it begins. until_ms 0: the last entry. */
enum err standing_of(const struct state *st, const struct addressee *party, int64_t from_ms, int64_t until_ms,
		     struct standing *out);
/* Every party and resource that has notices in the period or filed any, in the order of their bytes; one pass over the matters. */
typedef enum err standing_each(void *context, const struct standing *s);
enum err standing_all(const struct state *st, int64_t from_ms, int64_t until_ms, standing_each *each, void *context);

/* One JSON object; the same bytes on every machine (rates with four digits). */
void standing_print(const struct standing *s, struct buffer *out);

#endif
