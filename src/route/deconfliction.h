/* Deconfliction at work (regime/deconflict.h has its rules): asking every node before a takedown, answering for what is held here,
 * and reading what came back. */
#ifndef ROUTE_DECONFLICTION_H
#define ROUTE_DECONFLICTION_H

#include "regime/deconflict.h"
#include "regime/node.h"

/* In the open batch: one request to each node that is known and can be reached, this one too, with the list's marks under one fresh
 * salt; to those that were asked about this plan before and have not refused only if `again`. The key is the plan's party's.
 * *asked: how many. ERR_NOT_YOURS, ERR_RATE. */
enum err deconfliction_ask(struct node *n, struct arena *a, const struct signer *key, const struct matter *plan,
			   const struct deconflict_item *items, size_t count, bool again, size_t *asked);

/* In the open batch: answers at most `most` of the requests to this node, `accepted` with what is held of the list by parties that
 * filed sinkhole plans here, or `objected` if who asks speaks for no country by this node's policy, or the body does not read.
 * *answered: how many; *last: the last of these answers, if there is one. */
enum err deconfliction_answer(struct node *n, size_t most, size_t *answered, struct appended *last);
/* Whether there is one to answer. */
enum err deconfliction_waits(const struct state *st, bool *yes);

/* What is known of a plan's list by now. */
struct deconfliction {
	size_t asked, answered, objected, silent; /* nodes; silent: those that neither answered nor objected */
	struct deconfliction_held {
		size_t item;
		struct span node, party, contact;
	} * held; /* by item, then node */
	size_t held_count;
	size_t unread; /* answers that were not to this list, or do not read */
};
/* ERR_MATTER_UNKNOWN. In the arena. */
enum err deconfliction_read(struct node *n, const struct state *st, struct hash plan,
			    const struct deconflict_item *items, size_t count, struct deconfliction *out);

#endif
