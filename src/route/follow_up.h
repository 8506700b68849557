/* Notices that follow on others: what nobody answered in time goes one level up, once; what is not the addressee's goes to whom
 * it names, or on; what no contact takes goes on likewise. From whom to whom is told by the evidence's addresses, the claims and the
 * tables: claimed prefix, claimed AS, registry's holder, national team, country. */
#ifndef ROUTE_FOLLOW_UP_H
#define ROUTE_FOLLOW_UP_H

#include "regime/node.h"
#include "territory/resolve.h"

/* The addressee one level up from m's, by the first address of its evidence that can be resolved; for what is not theirs, whom they
 * named. Nobody is asked twice about a matter, nor who filed it, nor this node. *found false: there is none (it was the last, it went
 * on too often, or the body is erased). Parts in the arena. m may point into st. */
enum err follow_up_whom(struct node *n, const struct state *st, struct arena *a, const struct resolver *r,
			const struct matter *m, enum follow_up reason, const struct addressee *better,
			struct addressee *out, bool *found);
/* The national team for m's first address that can be resolved. *found false: no party claims the country. */
enum err follow_up_country(struct node *n, const struct state *st, struct arena *a, const struct resolver *r,
			   const struct matter *m, struct addressee *out, bool *found);
/* In the open batch: the notice with `re` m and this reason, with the same evidence sealed anew. ERR_NOT_FOUND: the body is
 * erased. */
enum err follow_up_add(struct node *n, struct arena *a, const struct matter *m, enum follow_up reason,
		       const struct addressee *to, struct appended *out);

/* Where a round stands: what lies before was looked at, and nobody was found for what is still there of it. {0}: at the beginning.
 * Whoever keeps it from round to round pays for what is new alone, and begins anew when the tables or the claims have changed. */
struct follow_up_mark {
	int64_t due_ms, said_ms, undeliverable_ms;
	uint64_t due_index, said_index, undeliverable_index;
};
struct follow_up_result {
	uint64_t overdue, not_ours, undeliverable, nowhere;
	bool more; /* `most` was reached */
};
/* What was done about one matter. whom NULL: nobody is left to be told. */
typedef enum err follow_up_each(void *context, const struct matter *m, enum follow_up reason,
				const struct addressee *whom, const struct appended *notice);
/* One batch: all that is due at now_ms, at most `most` matters looked at. each may be NULL; mark NULL: from the beginning. The node
 * is open for writing, no batch is open. The result is added to. */
enum err follow_up_due(struct node *n, const struct resolver *r, int64_t now_ms, size_t most,
		       struct follow_up_mark *mark, follow_up_each *each, void *context, struct follow_up_result *out);
/* Whether a round would find anything behind the mark. */
enum err follow_up_is_due(const struct state *st, int64_t now_ms, const struct follow_up_mark *mark, bool *yes);
/* The same as follow_up_due in a batch that is open: for whoever has others to do in it. */
enum err follow_up_add_due(struct node *n, const struct resolver *r, int64_t now_ms, size_t most,
			   struct follow_up_mark *mark, follow_up_each *each, void *context,
			   struct follow_up_result *out);

#endif
