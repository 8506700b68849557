/* The ledger of generated/c2sp_vectors.json and merkle/exhaustive_digest.json: entry i is "statement <i>", repeated
 * 1 + i % 5 times. */
#ifndef COOP_H
#define COOP_H

#include "ledger/merkle.h"
#include "vectors.h"

#define COOP_SIZE 600

static struct hash coop_leaves[COOP_SIZE];

static inline struct span coop_entry(uint64_t i)
{
	char *once = arena_print(vectors_arena, "statement %ju", (uintmax_t)i);
	struct buffer all = BUFFER(1000);
	struct span entry;

	for (uint64_t k = 0; k <= i % 5; k++)
		buffer_text(&all, once);
	entry = span_make(arena_copy(vectors_arena, all.at, all.len), all.len);
	buffer_free(&all);
	return entry;
}

static inline int coop_setup(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < COOP_SIZE; i++)
		coop_leaves[i] = merkle_leaf(coop_entry(i));
	return 0;
}

/* Perfect subtrees from the leaves up. */
static inline enum err coop_fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	struct hash left, right;

	if (level == 0) {
		assert_true(index < COOP_SIZE);
		*out = coop_leaves[index];
		return OK;
	}
	coop_fetch(context, level - 1, 2 * index, &left);
	coop_fetch(context, level - 1, 2 * index + 1, &right);
	*out = merkle_node(left, right);
	return OK;
}

static inline struct hash coop_root(uint64_t size)
{
	struct hash root;

	assert_int_equal(merkle_root(size, coop_fetch, NULL, &root), OK);
	return root;
}

#endif
