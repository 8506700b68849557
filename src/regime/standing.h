/* Standing: how notices to a party were answered, and a reporter's own record, for a period; from one node's ledgers alone, so
 * that whoever has them computes the same. Clocks run on what was logged; what happened at the end of the period or later is not
 * known. Every figure has numerator, denominator, unknown and an interval; below STANDING_LEAST it is blank. No data is blank,
 * never good. docs/standing.md tells each figure's rule. */
#ifndef REGIME_STANDING_H
#define REGIME_STANDING_H

#include "regime/control.h"
#include "regime/state.h"
#include "regime/statistics.h"

#define STANDING_LEAST STATISTICS_LEAST
#define STANDING_DAYS STATISTICS_DAYS
#define STANDING_DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define STANDING_DISPUTE_MS (14 * STANDING_DAY_MS) /* a dispute that its author has not closed by then stands */
#define STANDING_RELAPSE_MS (30 * STANDING_DAY_MS)
#define STANDING_SLOW_MS STANDING_DAY_MS /* a notice that comes later than that after its last event is late */

/* What notices did beyond what would have gone by itself: by a reporter's `control` statements, for one class. */
struct uplift {
	enum rsit_class class;
	uint64_t controls;						   /* statements that were added up */
	struct proportion notified[STANDING_DAYS], control[STANDING_DAYS]; /* gone by then */
	struct difference more[STANDING_DAYS];
};

struct standing_ask {
	int64_t from_ms,
		until_ms;   /* notices logged from, before until; looked at as of until. until 0, or behind the last
				     * entry: behind the last entry */
	bool demonstration; /* count those that were marked as made for a demonstration, and only those */
};

struct standing {
	struct span ledger_node; /* whose ledgers */
	struct addressee party;
	int64_t from_ms, until_ms;
	bool demonstration;

	/* As who answers. Notices that were withdrawn count nowhere but in `withdrawn`. */
	uint64_t notices, events, withdrawn;				 /* events: as the notices say */
	uint64_t arrived_so_far;					 /* of all, also the younger ones */
	struct proportion arrived;					 /* of those logged a day ago or longer */
	struct proportion acknowledged, acknowledged_by_itself, overdue; /* of those that are due */
	struct quantiles acknowledge;					 /* from logged to the first answer */
	struct survival fixed, fixed_undisputed; /* from logged to fixed; without the disputed ones */
	uint64_t fixed_by_node;			 /* of the fixed: the node said so for the party (`for`, `via`) */
	struct proportion disputed;		 /* of all */
	struct proportion disputed_standing;	 /* of the disputed */
	struct proportion reopened;		 /* seen again, of the fixed */
	struct proportion re_offence_30d;	 /* seen again within 30 days, of those fixed 30 days ago or longer */
	struct proportion not_ours, cannot;	 /* of all */

	/* As who reports. */
	uint64_t filed, filed_withdrawn, filed_not_ours, filed_disputed; /* disputed: the dispute stands */
	struct proportion false_notices;				 /* any of the three, of the filed */
	struct proportion late;		   /* of the filed that say when they were last seen */
	struct uplift uplift[CLASS_COUNT]; /* in the order of classes */
	size_t uplift_count;
};

/* ERR_USAGE: nothing is known of that period, or it ends before it begins. Spans in out point to st and party. */
enum err standing_of(const struct state *st, const struct addressee *party, const struct standing_ask *ask,
		     struct standing *out);
/* Every party and resource that has notices in the period or filed any, in the order of their names as printed. Reads the matters
 * once, and keeps what is added up for all in memory: 50 bytes for a matter, 500 for a name. after: only those behind this name;
 * empty: all. The callback ends the walk with another result than OK. */
typedef enum err standing_each(void *context, const struct standing *s);
enum err standing_all(const struct state *st, const struct standing_ask *ask, struct span after, standing_each *each,
		      void *context);
/* The period that is meant, as standing_of would take it. */
enum err standing_period(const struct state *st, struct standing_ask *ask);

/* The same for matters from elsewhere, one by one: to the party, then by it. */
struct standing_sum;
enum err standing_sum_new(const struct standing_ask *ask, struct standing_sum **out); /* until_ms is not 0 */
enum err standing_sum_to(struct standing_sum *sum, const struct matter *m);
void standing_sum_from(struct standing_sum *sum, const struct matter *m);
void standing_sum_control(struct standing_sum *sum, const struct control *c);
/* Gives the figures and begins anew. Leaves out whose standing it is. */
void standing_sum_end(struct standing_sum *sum, struct standing *out);
void standing_sum_free(struct standing_sum *sum);

/* How much there is that the party answers for, to be told by who knows the tables: IPv4 /24 blocks. */
struct exposure {
	uint64_t blocks;
	struct span table;  /* the tables' names */
	struct hash digest; /* SHA-256 of the compiled table, as in `control` statements */
	int64_t dated_ms;   /* of the oldest of them */
};

/* One JSON object; the same bytes on every machine (rates with four digits). exposure NULL: not known. */
void standing_print(const struct standing *s, const struct exposure *exposure, struct buffer *out);

#endif
