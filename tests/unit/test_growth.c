#include "test.h"

#include "ledger/growth.h"

#define MOST 4096
#define LEVELS 13

/* The naive twin: all complete nodes of all levels, made anew whenever a leaf comes. */
struct naive {
	struct frontier frontier;
	struct hash nodes[LEVELS][MOST];
};

static void naive_add(struct naive *n, struct hash leaf)
{
	uint64_t index = n->frontier.size;

	frontier_add(&n->frontier, leaf);
	n->nodes[0][index] = leaf;
	for (unsigned level = 1; level < LEVELS && (index & 1) == 1; level++) {
		index >>= 1;
		n->nodes[level][index] =
			merkle_node(n->nodes[level - 1][2 * index], n->nodes[level - 1][2 * index + 1]);
	}
}

static enum err naive_fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	const struct naive *n = context;

	assert_true(level < LEVELS && (index + 1) << level <= n->frontier.size);
	*out = n->nodes[level][index];
	return OK;
}

static struct hash leaf_of(uint64_t *seed)
{
	struct hash h;

	test_bytes(seed, h.bytes, HASH_SIZE);
	return h;
}

static void check_batch(struct growth *g, struct naive *n, uint64_t before)
{
	struct merkle_proof proof, expected;
	struct hash root;
	uint64_t size;

	assert_int_equal(growth_sum(g, &size, &root), OK);
	assert_int_equal(size, n->frontier.size);
	assert_true(hash_equal(root, frontier_root(&n->frontier)));
	for (uint64_t i = before; i < size; i++) {
		assert_int_equal(growth_proof(g, i, &proof), OK);
		assert_int_equal(merkle_inclusion(i, size, naive_fetch, n, &expected), OK);
		assert_int_equal(proof.count, expected.count);
		assert_memory_equal(proof.hashes, expected.hashes, proof.count * HASH_SIZE);
		assert_int_equal(merkle_verify_inclusion(i, size, n->nodes[0][i], proof.hashes, proof.count, root), OK);
	}
	assert_int_equal(growth_proof(g, size, &proof), ERR_PROOF);
	if (before > 0)
		assert_int_equal(growth_proof(g, before - 1, &proof), ERR_PROOF);
}

/* From every size of a small tree, by every small batch. */
static void from_every_size(void **state)
{
	struct naive *n = calloc(1, sizeof(*n));
	uint64_t seed = test_seed();

	(void)state;
	assert_non_null(n);
	for (uint64_t before = 0; before <= 40; before++)
		for (uint64_t count = 0; count <= 40; count++) {
			struct growth *g = NULL;

			n->frontier.size = 0;
			for (uint64_t i = 0; i < before; i++)
				naive_add(n, leaf_of(&seed));
			assert_int_equal(growth_new(&n->frontier, &g), OK);
			for (uint64_t i = 0; i < count; i++) {
				struct hash leaf = leaf_of(&seed);

				assert_int_equal(growth_add(g, leaf), OK);
				naive_add(n, leaf);
			}
			check_batch(g, n, before);
			growth_free(g);
		}
	free(n);
}

/* One tree by batches of random lengths; some are dropped, before or after their sum. */
static void by_random_batches(void **state)
{
	struct naive *n = calloc(1, sizeof(*n));
	uint64_t seed = test_seed(), size;
	struct growth *g = NULL;
	struct hash root;

	(void)state;
	assert_non_null(n);
	assert_int_equal(growth_new(&n->frontier, &g), OK);
	while (n->frontier.size < MOST - 300) {
		uint64_t before = n->frontier.size, count = test_below(&seed, test_below(&seed, 2) == 0 ? 300 : 3);

		for (size_t i = test_below(&seed, 20); i > 0; i--)
			assert_int_equal(growth_add(g, leaf_of(&seed)), OK);
		if (test_below(&seed, 2) == 0)
			assert_int_equal(growth_sum(g, &size, &root), OK);
		growth_drop(g);
		assert_int_equal(growth_count(g), 0);
		for (uint64_t i = 0; i < count; i++) {
			struct hash leaf = leaf_of(&seed);

			assert_int_equal(growth_add(g, leaf), OK);
			naive_add(n, leaf);
		}
		assert_int_equal(growth_count(g), count);
		check_batch(g, n, before);
		growth_keep(g);
	}
	growth_free(g);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_every_size),
		cmocka_unit_test(by_random_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
