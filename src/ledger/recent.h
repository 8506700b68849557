/* The last leaves of a tree that grows, with all that stands above them, so that each of them can be proved in the tree as it is
 * now. From memory alone, in the time of a proof. One thread at a time. */
#ifndef LEDGER_RECENT_H
#define LEDGER_RECENT_H

#include "ledger/merkle.h"

struct recent;

/* Goes on from a tree. ERR_NO_MEMORY. */
enum err recent_new(const struct frontier *from, struct recent **out);
void recent_free(struct recent *r);			 /* NULL is fine */
enum err recent_add(struct recent *r, struct hash leaf); /* ERR_NO_MEMORY: of no use from here, free it */

/* Leaves before `from` need not be provable any more: these are forgotten some time. ERR_NO_MEMORY: likewise. */
enum err recent_forget(struct recent *r, uint64_t from);
uint64_t recent_first(const struct recent *r); /* the first that can be proved; recent_size: none can */
uint64_t recent_size(const struct recent *r);  /* of the tree */
/* ERR_PROOF: it is none of them. */
enum err recent_proof(const struct recent *r, uint64_t index, struct merkle_proof *out);

#endif
