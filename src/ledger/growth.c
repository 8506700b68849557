#include "ledger/growth.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Which hashes a proof of a new leaf needs
 *
 * Let the tree have N leaves before the batch and M behind it. A proof asks for roots of perfect subtrees of 2^k leaves:
 * node j of level k is over the leaves [j 2^k, (j + 1) 2^k).
 *
 *   1. Nodes that were complete before the batch have j < N >> k. Of these the proof of a new leaf only ever needs the
 *	last of a level, j = (N >> k) - 1, and only where bit k of N is set: a sibling that ends at or before N, while
 *	its parent goes beyond N, is a subtree of N's own right edge. That is frontier.edge[k].
 *   2. The nodes that the batch completes are j from N >> k to (M >> k) - 1. Their two children are of the same sort, or
 *	the left one is the edge of point 1. So each level comes from the one below, and all levels together have at most
 *	twice as many nodes as the batch has leaves.
 *   3. The right edge of the new tree that is not complete is put together by merkle_inclusion itself.
 */

#define LEVELS 64
#define FIRST_ROOM 256

struct growth {
	struct frontier before, after;
	struct hash *leaves; /* level 0 of the batch */
	size_t count, room;
	struct hash *nodes; /* levels 1 and up, one behind the other */
	size_t nodes_room;
	struct hash *levels[LEVELS]; /* where each begins; NULL: it has none */
};

enum err growth_new(const struct frontier *from, struct growth **out)
{
	struct growth *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return ERR_NO_MEMORY;
	g->before = g->after = *from;
	*out = g;
	return OK;
}

void growth_free(struct growth *g)
{
	if (g == NULL)
		return;
	free(g->leaves);
	free(g->nodes);
	free(g);
}

enum err growth_add(struct growth *g, struct hash leaf)
{
	if (g->count == g->room) {
		size_t room = g->room == 0 ? FIRST_ROOM : 2 * g->room;
		struct hash *more = reallocarray(g->leaves, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		g->leaves = more;
		g->room = room;
	}
	g->leaves[g->count++] = leaf;
	return OK;
}

size_t growth_count(const struct growth *g)
{
	return g->count;
}

const struct hash *growth_leaves(const struct growth *g)
{
	return g->leaves;
}

static uint64_t completed(const struct growth *g, unsigned level)
{
	return (g->after.size >> level) - (g->before.size >> level);
}

static enum err fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	const struct growth *g = context;
	uint64_t first = g->before.size >> level;

	if (index >= first && index - first < completed(g, level))
		*out = g->levels[level][index - first];
	else if (index + 1 == first && (first & 1) == 1)
		*out = g->before.edge[level];
	else
		return fail(ERR_PROOF, "node %ju of level %u is not of this batch", (uintmax_t)index, level);
	return OK;
}

/* Point 2. The level below is there. */
static enum err sum_level(struct growth *g, unsigned level, struct hash *at)
{
	uint64_t first = g->before.size >> level, count = completed(g, level);
	enum err e = OK;

	g->levels[level] = at;
	for (uint64_t i = 0; e == OK && i < count; i++) {
		struct hash left, right;

		e = fetch(g, level - 1, 2 * (first + i), &left);
		if (e == OK && (e = fetch(g, level - 1, 2 * (first + i) + 1, &right)) == OK)
			at[i] = merkle_node(left, right);
	}
	return e;
}

static enum err make_room(struct growth *g)
{
	size_t need = 0;
	struct hash *more;

	for (unsigned level = 1; level < LEVELS && completed(g, level) > 0; level++)
		need += (size_t)completed(g, level);
	if (need <= g->nodes_room)
		return OK;
	if ((more = reallocarray(g->nodes, need, sizeof(*more))) == NULL)
		return ERR_NO_MEMORY;
	g->nodes = more;
	g->nodes_room = need;
	return OK;
}

/* A level without new nodes has none above it either: its nodes pair up. */
enum err growth_sum(struct growth *g, uint64_t *size, struct hash *root)
{
	struct hash *at;
	enum err e;

	g->after.size = g->before.size + g->count;
	if ((e = make_room(g)) != OK)
		return e;
	g->levels[0] = g->leaves;
	at = g->nodes;
	for (unsigned level = 1; e == OK && level < LEVELS && completed(g, level) > 0; level++) {
		e = sum_level(g, level, at);
		at += completed(g, level);
	}
	for (unsigned level = 0; e == OK && level < LEVELS; level++)
		if ((g->after.size >> level & 1) == 1)
			e = fetch(g, level, (g->after.size >> level) - 1, &g->after.edge[level]);
	*size = g->after.size;
	*root = frontier_root(&g->after);
	return e;
}

enum err growth_proof(struct growth *g, uint64_t index, struct merkle_proof *out)
{
	assert(g->after.size == g->before.size + g->count);
	if (index < g->before.size)
		return fail(ERR_PROOF, "entry %ju is not of this batch", (uintmax_t)index);
	return merkle_inclusion(index, g->after.size, fetch, g, out);
}

void growth_keep(struct growth *g)
{
	assert(g->after.size == g->before.size + g->count);
	g->before = g->after;
	g->count = 0;
}

void growth_drop(struct growth *g)
{
	g->after = g->before;
	g->count = 0;
}
