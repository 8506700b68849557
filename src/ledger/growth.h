/* A tree that grows by batches: the root behind each batch, and inclusion proofs for its leaves, from memory alone. What
 * is kept between two batches is the frontier. One thread at a time. */
#ifndef LEDGER_GROWTH_H
#define LEDGER_GROWTH_H

#include "ledger/merkle.h"

struct growth;

/* Goes on from a tree. ERR_NO_MEMORY. */
enum err growth_new(const struct frontier *from, struct growth **out);
void growth_free(struct growth *g); /* NULL is fine */

/* A leaf of the batch in hand. ERR_NO_MEMORY: drop the batch. */
enum err growth_add(struct growth *g, struct hash leaf);
size_t growth_count(const struct growth *g);		  /* leaves of the batch in hand */
const struct hash *growth_leaves(const struct growth *g); /* these, until the next call */

/* The batch is complete: the tree with it. Nothing is added from here to keep or drop. ERR_NO_MEMORY. */
enum err growth_sum(struct growth *g, uint64_t *size, struct hash *root);
/* After the sum: the proof of one of the batch's leaves in that tree. ERR_PROOF: it is none of them. */
enum err growth_proof(struct growth *g, uint64_t index, struct merkle_proof *out);

void growth_keep(struct growth *g); /* after the sum: the next batch comes on top */
void growth_drop(struct growth *g); /* as if the batch had never been */

#endif
