/* What agreements withhold at this node's doors: what a suspended term gives (agreement.h). Asked where something is about to be
 * sent or taken, and never in a fold; whatever is in a ledger stays, and the floor is not asked about.
 *
 * Of agreements whose depositary is this node its own state says it; of others the mirrors of their depositaries, as far as they
 * were folded. What no mirror here knows withholds nothing; nor does a mirror that has keys of the two that this node never had,
 * nor an agreement of a mirror whose end has come by this node's clock, even if its depositary has fallen silent. */
#ifndef REGIME_SUSPENSION_H
#define REGIME_SUSPENSION_H

#include "regime/agreement.h"

/* What the mirrors say, read again when it is SUSPENSIONS_FRESH_MS old. A mirror that cannot be read just then counts as it did;
 * one that forked counts no more. Any number of threads. */
struct suspensions;
#define SUSPENSIONS_FRESH_MS 5000
/* dir: the node's. */
enum err suspensions_new(const char *dir, struct suspensions **out);
void suspensions_free(struct suspensions *s); /* NULL is fine */

/* ERR_SUSPENDED, which names term and agreement: what g stands for may not flow between the two. own: this node's state. s NULL:
 * no mirror is asked. */
enum err suspensions_check(struct suspensions *s, const struct state *own, struct span a, struct span b, enum gives g);

/* Whether an agreement in another's ledgers is one of those whom this node knows by these names: it knows one of the two, and no
 * key there is strange to it. */
enum err suspension_is_theirs(const struct state *own, const struct state *theirs, const struct agreement *a,
			      bool *yes);

/* Of any statement, before it is sent or taken: OK unless it is a request for help that is not in the floor, and suspended
 * between its author and one whom it is addressed to. Of one to all: between its author and this node. */
enum err suspensions_check_help(struct suspensions *s, const struct state *own, const struct statement *request);
/* The same for one receiver. */
enum err suspensions_check_help_to(struct suspensions *s, const struct state *own, const struct statement *request,
				   struct span receiver);

#endif
