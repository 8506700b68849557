/* The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: hashing, proofs, verification. Pure: no input or
 * output. Stored hashes are asked for by a callback in tile coordinates. */
#ifndef LEDGER_MERKLE_H
#define LEDGER_MERKLE_H

#include "base/hash.h"

#define MERKLE_PROOF_MAX 64

struct merkle_proof {
	struct hash hashes[MERKLE_PROOF_MAX];
	size_t count;
};

struct hash merkle_empty(void);
struct hash merkle_leaf(struct span entry);
struct hash merkle_leaf_of(struct span head, struct span rest); /* of an entry in two parts */
struct hash merkle_node(struct hash left, struct hash right);

/* Every size is fed by one append: at most 64 hashes, the roots of the perfect subtrees on the right edge. */
struct frontier {
	uint64_t size;
	struct hash edge[64]; /* edge[i]: perfect subtree of 2^i leaves, valid where bit i of size is set */
};
void frontier_add(struct frontier *f, struct hash leaf);
/* The same, and tells what the leaf completed: roots[k - 1] is the subtree of 256^k leaves that ends with it, for k from 1
 * to the number returned. These are the hashes of the tiles above level 0. */
#define FRONTIER_LEVELS 8
unsigned frontier_add_levels(struct frontier *f, struct hash leaf, struct hash roots[FRONTIER_LEVELS]);
struct hash frontier_root(const struct frontier *f);

/* Gives MTH(D[index * 2^level : (index + 1) * 2^level]). */
typedef enum err merkle_fetch(void *context, unsigned level, uint64_t index, struct hash *out);

enum err merkle_root(uint64_t size, merkle_fetch *fetch, void *context, struct hash *out);
enum err merkle_inclusion(uint64_t index, uint64_t size, merkle_fetch *fetch, void *context, struct merkle_proof *out);
enum err merkle_consistency(uint64_t old, uint64_t size, merkle_fetch *fetch, void *context, struct merkle_proof *out);

/* The three above pass on what fetch returns; an index or old size that does not fit the size: ERR_PROOF (old 0 too). */

/* RFC 9162 2.1.3.2 and 2.1.4.2. ERR_PROOF. An old size of 0 is refused. */
enum err merkle_verify_inclusion(uint64_t index, uint64_t size, struct hash leaf, const struct hash *proof,
				 size_t count, struct hash root);
enum err merkle_verify_consistency(uint64_t old, uint64_t size, const struct hash *proof, size_t count,
				   struct hash old_root, struct hash root);

#endif
