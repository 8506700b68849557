#include "test.h"

#include "ledger/recent.h"

#define MOST 4096
#define LEVELS 13

/* The naive twin: all complete nodes of all levels of the whole tree. */
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

static void add(struct recent *r, struct naive *n, uint64_t *seed)
{
	struct hash leaf;

	test_bytes(seed, leaf.bytes, HASH_SIZE);
	assert_int_equal(recent_add(r, leaf), OK);
	naive_add(n, leaf);
}

static void check_one(const struct recent *r, struct naive *n, uint64_t index)
{
	struct merkle_proof proof, expected;

	assert_int_equal(recent_proof(r, index, &proof), OK);
	assert_int_equal(merkle_inclusion(index, n->frontier.size, naive_fetch, n, &expected), OK);
	assert_int_equal(proof.count, expected.count);
	assert_memory_equal(proof.hashes, expected.hashes, proof.count * HASH_SIZE);
}

static void check(const struct recent *r, struct naive *n)
{
	uint64_t first = recent_first(r), size = recent_size(r);
	struct merkle_proof proof;

	assert_int_equal(size, n->frontier.size);
	assert_true(first <= size);
	for (uint64_t i = first; i < size; i++)
		check_one(r, n, i);
	assert_int_equal(recent_proof(r, size, &proof), ERR_PROOF);
	if (first > 0)
		assert_int_equal(recent_proof(r, first - 1, &proof), ERR_PROOF);
}

static void from_every_size(void **state)
{
	struct naive *n = calloc(1, sizeof(*n));
	uint64_t seed = test_seed();
	struct hash leaf;

	(void)state;
	assert_non_null(n);
	for (uint64_t before = 0; before <= 40; before++) {
		struct recent *r = NULL;

		n->frontier.size = 0;
		for (uint64_t i = 0; i < before; i++) {
			test_bytes(&seed, leaf.bytes, HASH_SIZE);
			naive_add(n, leaf);
		}
		assert_int_equal(recent_new(&n->frontier, &r), OK);
		assert_int_equal(recent_first(r), before);
		for (int i = 0; i < 40; i++) {
			check(r, n);
			add(r, n, &seed);
		}
		assert_int_equal(recent_first(r), before); /* nothing was to be forgotten */
		recent_free(r);
	}
	free(n);
}

/* What may be forgotten runs behind by any distance: all from there on can be proved, and what is kept does not grow for ever. */
static void forgetting(void **state)
{
	struct naive *n = calloc(1, sizeof(*n));
	uint64_t seed = test_seed(), needed = 0;
	struct recent *r = NULL;

	(void)state;
	assert_non_null(n);
	assert_int_equal(recent_new(&n->frontier, &r), OK);
	while (n->frontier.size < MOST - 100) {
		for (size_t i = test_below(&seed, 100); i > 0; i--)
			add(r, n, &seed);
		if (test_below(&seed, 3) == 0)
			needed += test_below(&seed, n->frontier.size - needed + 1);
		assert_int_equal(recent_forget(r, needed), OK);
		assert_true(recent_first(r) <= needed);
		check(r, n);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(recent_forget(r, n->frontier.size), OK);
		add(r, n, &seed);
	}
	assert_true(recent_first(r) + 2 >= n->frontier.size);
	check(r, n);
	recent_free(r);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_every_size),
		cmocka_unit_test(forgetting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
