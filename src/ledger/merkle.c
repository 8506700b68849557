#include "ledger/merkle.h"

/* RFC 6962 section 2.1: leaves and nodes are hashed with different first bytes, so that none passes for the other. */
#define LEAF_BYTE "\x00"
#define NODE_BYTE 1

struct hash merkle_empty(void)
{
	return hash_bytes("", 0);
}

struct hash merkle_leaf(struct span entry)
{
	const struct span parts[2] = { { LEAF_BYTE, 1 }, entry };

	return hash_parts(parts, 2);
}

struct hash merkle_leaf_of(struct span head, struct span rest)
{
	const struct span parts[3] = { { LEAF_BYTE, 1 }, head, rest };

	return hash_parts(parts, 3);
}

struct hash merkle_node(struct hash left, struct hash right)
{
	uint8_t both[1 + 2 * HASH_SIZE] = { NODE_BYTE };

	memcpy(both + 1, left.bytes, HASH_SIZE);
	memcpy(both + 1 + HASH_SIZE, right.bytes, HASH_SIZE);
	return hash_bytes(both, sizeof(both));
}

static unsigned bit(uint64_t v, unsigned i)
{
	return (unsigned)(v >> i) & 1;
}

/* Adding a leaf is adding 1 to the size: every bit that carries joins two subtrees. */
unsigned frontier_add_levels(struct frontier *f, struct hash leaf, struct hash roots[FRONTIER_LEVELS])
{
	struct hash h = leaf;
	unsigned i = 0, levels = 0;

	while (bit(f->size, i) == 1) {
		h = merkle_node(f->edge[i], h);
		i++;
		if (i % 8 == 0)
			roots[levels++] = h;
	}
	f->edge[i] = h;
	f->size++;
	return levels;
}

void frontier_add(struct frontier *f, struct hash leaf)
{
	struct hash roots[FRONTIER_LEVELS];

	frontier_add_levels(f, leaf, roots);
}

struct hash frontier_root(const struct frontier *f)
{
	struct hash root = merkle_empty();
	bool any = false;

	for (unsigned i = 0; i < 64; i++) {
		if (bit(f->size, i) == 0)
			continue;
		root = any ? merkle_node(f->edge[i], root) : f->edge[i];
		any = true;
	}
	return root;
}

/* A run of leaves of the tree: `first` is a multiple of the smallest power of two that is not below `count`, so the run is
 * a subtree, perfect or on the right edge. */
struct run {
	uint64_t first, count;
};

/* MTH of a run: its perfect subtrees are the bits of count, smallest on the right. */
static enum err run_root(struct run r, merkle_fetch *fetch, void *context, struct hash *out)
{
	uint64_t end = r.first + r.count;
	bool any = false;
	enum err e;

	for (unsigned i = 0; i < 64; i++) {
		struct hash h;

		if (bit(r.count, i) == 0)
			continue;
		end -= (uint64_t)1 << i;
		if ((e = fetch(context, i, end >> i, &h)) != OK)
			return e;
		*out = any ? merkle_node(h, *out) : h;
		any = true;
	}
	return OK;
}

enum err merkle_root(uint64_t size, merkle_fetch *fetch, void *context, struct hash *out)
{
	if (size == 0) {
		*out = merkle_empty();
		return OK;
	}
	return run_root((struct run){ 0, size }, fetch, context, out);
}

/* Largest power of two below n (n at least 2): where a tree of n leaves divides. */
static uint64_t split(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/*
 * Both proofs are one walk down from the root. At each step the tree divides in two; the walk goes on into one half and
 * the proof gets the root of the other. Written down, that is the order from the root; RFC 9162 lists them from the
 * bottom, so the list is turned around at the end. PATH and SUBPROOF of the RFC differ only in where they stop:
 *
 *   inclusion     goes towards the leaf, until the run is that leaf;
 *   consistency   goes towards the last leaf of the old tree, until the run ends where the old tree ends. That run's own
 *                 root is the first hash of the proof, unless the run is the whole old tree, which the verifier knows.
 */
static enum err walk_down(uint64_t target, uint64_t stop_end, struct run *r, merkle_fetch *fetch, void *context,
			  struct merkle_proof *out)
{
	while (r->count > 1 && r->first + r->count != stop_end) {
		uint64_t k = split(r->count);
		struct run left = { r->first, k }, right = { r->first + k, r->count - k };
		bool goes_left = target < right.first;
		enum err e = run_root(goes_left ? right : left, fetch, context, &out->hashes[out->count]);

		if (e != OK)
			return e;
		out->count++;
		*r = goes_left ? left : right;
	}
	return OK;
}

static void turn_around(struct merkle_proof *p)
{
	for (size_t i = 0; i < p->count / 2; i++) {
		struct hash h = p->hashes[i];

		p->hashes[i] = p->hashes[p->count - 1 - i];
		p->hashes[p->count - 1 - i] = h;
	}
}

enum err merkle_inclusion(uint64_t index, uint64_t size, merkle_fetch *fetch, void *context, struct merkle_proof *out)
{
	struct run r = { 0, size };
	enum err e;

	out->count = 0;
	if (index >= size)
		return fail(ERR_PROOF, "entry %ju of a tree of %ju", (uintmax_t)index, (uintmax_t)size);
	e = walk_down(index, 0, &r, fetch, context, out); /* no run ends at 0 */
	turn_around(out);
	return e;
}

enum err merkle_consistency(uint64_t old, uint64_t size, merkle_fetch *fetch, void *context, struct merkle_proof *out)
{
	struct run r = { 0, size };
	enum err e;

	out->count = 0;
	if (old == 0 || old > size)
		return fail(ERR_PROOF, "from a tree of %ju to one of %ju", (uintmax_t)old, (uintmax_t)size);
	e = walk_down(old - 1, old, &r, fetch, context, out);
	if (e == OK && r.first != 0) {
		if (out->count == MERKLE_PROOF_MAX) /* only beyond 2^63 leaves */
			return fail(ERR_PROOF, "over %d hashes", MERKLE_PROOF_MAX);
		e = run_root(r, fetch, context, &out->hashes[out->count]);
		out->count++;
	}
	turn_around(out);
	return e;
}

/* Up one level, and on as long as the node is a left child without a right sibling. */
static void climb(uint64_t *fn, uint64_t *sn, bool was_last)
{
	if (was_last)
		while ((*fn & 1) == 0 && *fn != 0) {
			*fn >>= 1;
			*sn >>= 1;
		}
	*fn >>= 1;
	*sn >>= 1;
}

enum err merkle_verify_inclusion(uint64_t index, uint64_t size, struct hash leaf, const struct hash *proof,
				 size_t count, struct hash root)
{
	uint64_t fn = index, sn = size - 1;
	struct hash r = leaf;

	if (index >= size)
		return ERR_PROOF;
	for (size_t i = 0; i < count; i++) {
		bool on_the_left = (fn & 1) == 1 || fn == sn;

		if (sn == 0)
			return ERR_PROOF;
		r = on_the_left ? merkle_node(proof[i], r) : merkle_node(r, proof[i]);
		climb(&fn, &sn, on_the_left);
	}
	return sn == 0 && hash_equal(r, root) ? OK : ERR_PROOF;
}

enum err merkle_verify_consistency(uint64_t old, uint64_t size, const struct hash *proof, size_t count,
				   struct hash old_root, struct hash root)
{
	uint64_t fn = old - 1, sn = size - 1;
	bool whole = (old & (old - 1)) == 0; /* the old tree is one perfect subtree: its root is not in the proof */
	struct hash fr, sr;

	if (old == 0 || old > size)
		return ERR_PROOF;
	if (old == size)
		return count == 0 && hash_equal(old_root, root) ? OK : ERR_PROOF;
	if (count == 0)
		return ERR_PROOF;
	for (; (fn & 1) == 1; fn >>= 1)
		sn >>= 1;
	fr = sr = whole ? old_root : proof[0];
	for (size_t i = whole ? 0 : 1; i < count; i++) {
		bool on_the_left = (fn & 1) == 1 || fn == sn;

		if (sn == 0)
			return ERR_PROOF;
		if (on_the_left)
			fr = merkle_node(proof[i], fr);
		sr = on_the_left ? merkle_node(proof[i], sr) : merkle_node(sr, proof[i]);
		climb(&fn, &sn, on_the_left);
	}
	return sn == 0 && hash_equal(fr, old_root) && hash_equal(sr, root) ? OK : ERR_PROOF;
}
