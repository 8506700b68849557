/* Pledges: a party promises to everybody, or declares.
 *
 *	comity/1 pledge
 *	ledger cert.example/public
 *	from as64500.example
 *	key …
 *	norm un 2015 c
 *	start 2027-01-01T00:00:00Z		when it was logged, if absent; never earlier
 *	end 2028-01-01T00:00:00Z		at most 10 years on; absent: until it is withdrawn
 *	term swift acknowledged at-least 90% within 2d each 30d
 *	unilateral yes				it asks for nothing in return
 *	asset power <64 hex>			of restraint: commitments to what is left alone (agreement.h)
 *	text …
 *
 * Without a term it is a declaration: shown as declared, never scored. A metric must be one that the norm knows. A pledge is
 * not changed: it is withdrawn, from when its windows count no more but stay told, and another is filed.
 *
 * A pledge is kept window by window; each is met, missed or too few (fewer than STATISTICS_LEAST, or than its `least`). There is
 * no sum over parties, and none over pledges that promise different things. */
#ifndef REGIME_PLEDGE_H
#define REGIME_PLEDGE_H

#include "regime/norms.h"
#include "regime/term.h"

#define PLEDGE_MOST_MS (INT64_C(3653) * 24 * 60 * 60 * 1000)
#define PLEDGES_MAX 1000 /* of one party, in all: each notice to it asks them when it is due. More: ERR_TOO_LONG */
#define ASSETS_MAX 500

struct asset { /* `asset SET COMMITMENT` */
	struct span set;
	struct hash commitment;
};

struct pledge {
	struct hash id;
	uint64_t index; /* in the public ledger */
	struct span party;
	const struct norm_set *set;
	const struct norm *norm;
	int64_t start_ms, end_ms; /* end INT64_MAX: until it is withdrawn; a withdrawal shortens it */
	bool withdrawn, unilateral, demonstration;
	struct term terms[TERMS_MAX]; /* none: a declaration */
	size_t term_count, asset_count;
	struct asset *assets; /* in st->arena */
	struct span text;
};
/* Spans end with the snapshot or the arena. */
enum err state_pledge(const struct state *st, struct hash id, struct pledge *out); /* ERR_MATTER_UNKNOWN */
typedef enum err pledge_each(void *context, const struct pledge *p);
/* Of one party, or of all (empty), in the order of names, then of the ledger; withdrawn and ended ones too. */
enum err state_pledges(const struct state *st, struct span party, pledge_each *each, void *context);

/* In how many days, as milliseconds, the party pledged at that time to acknowledge notices: the shortest `within` of its pledges
 * on METRIC_ACKNOWLEDGED. *found false: it did not. A pledge only shortens what the class gives. */
enum err pledged_due(const struct state *st, struct span party, int64_t at_ms, bool *found, int64_t *within_ms);

/* One JSON object, the same bytes on every machine. */
void pledge_print(struct json *j, const char *key, const struct pledge *p);

#endif
