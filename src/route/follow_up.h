/* Notices that follow on others: what nobody answered in time goes one level up, once; what is not the addressee's goes to whom
 * it names, or on; what no contact takes goes on likewise. From whom to whom is told by the evidence's addresses and the tables:
 * claimed prefix, claimed AS, registry's holder, national team. */
#ifndef ROUTE_FOLLOW_UP_H
#define ROUTE_FOLLOW_UP_H

#include "regime/node.h"
#include "territory/resolve.h"

/* The addressee one level up from m's, by the first address of its evidence that can be resolved. *found false: there is none
 * (it was the last, or the body is erased). Parts in the arena. */
enum err follow_up_whom(struct node *n, struct arena *a, const struct resolver *r, const struct matter *m,
			enum follow_up reason, const struct addressee *better, struct addressee *out, bool *found);
/* In the open batch: the notice with `re` m and this reason, with the same evidence sealed anew. */
enum err follow_up_add(struct node *n, struct arena *a, const struct matter *m, enum follow_up reason,
		       const struct addressee *to, struct appended *out);
/* One batch: all that is due at now_ms, at most `most`. */
struct follow_up_result {
	uint64_t overdue, not_ours, undeliverable, nowhere;
};
enum err follow_up_due(struct node *n, const struct resolver *r, int64_t now_ms, size_t most,
		       struct follow_up_result *out);

#endif
