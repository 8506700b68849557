#include "test.h"

#include "ledger/merkle.h"

#include <stdio.h>

#define MOST 300

/* The naive twin: RFC 6962 section 2.1 as it stands there, on a table of all runs of leaves. */
static struct hash mth[MOST + 1][MOST + 1]; /* of the leaves first to end - 1 */

static size_t largest_power_below(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static struct hash hash_two(uint8_t byte, struct hash a, struct hash b)
{
	uint8_t all[65] = { byte };

	memcpy(all + 1, a.bytes, 32);
	memcpy(all + 33, b.bytes, 32);
	return hash_bytes(all, 65);
}

static int setup(void **state)
{
	(void)state;
	for (size_t n = 1; n <= MOST; n++)
		for (size_t first = 0; first + n <= MOST; first++) {
			size_t k = n > 1 ? largest_power_below(n) : 0;
			char leaf[32] = { 0 };
			size_t length = (size_t)snprintf(leaf + 1, sizeof(leaf) - 1, "leaf %zu", first);

			mth[first][first + n] = n == 1 ? hash_bytes(leaf, 1 + length)
						       : hash_two(1, mth[first][first + k], mth[first + k][first + n]);
		}
	return 0;
}

static enum err fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	uint64_t first = index << level, end = (index + 1) << level;

	assert_true(end <= *(const uint64_t *)context); /* nothing beyond the tree is asked for */
	*out = mth[first][end];
	return OK;
}

/* PATH(m, D[first:end]) */
static void naive_path(size_t m, size_t first, size_t end, struct merkle_proof *out)
{
	size_t k;

	if (end - first == 1)
		return;
	k = first + largest_power_below(end - first);
	naive_path(m, m < k ? first : k, m < k ? k : end, out);
	out->hashes[out->count++] = m < k ? mth[k][end] : mth[first][k];
}

/* SUBPROOF(m, D[first:end], whole), m counted from leaf 0 */
static void naive_subproof(size_t m, size_t first, size_t end, bool whole, struct merkle_proof *out)
{
	size_t k;

	if (m == end) {
		if (!whole)
			out->hashes[out->count++] = mth[first][end];
		return;
	}
	k = first + largest_power_below(end - first);
	if (m <= k)
		naive_subproof(m, first, k, whole, out);
	else
		naive_subproof(m, k, end, false, out);
	out->hashes[out->count++] = m <= k ? mth[k][end] : mth[first][k];
}

static bool same(const struct merkle_proof *a, const struct merkle_proof *b)
{
	return a->count == b->count && memcmp(a->hashes, b->hashes, a->count * sizeof(a->hashes[0])) == 0;
}

static void empty_leaf_and_node(void **state)
{
	struct hash zero = { { 0 } };

	(void)state;
	assert_true(hash_equal(merkle_empty(), hash_bytes("", 0)));
	assert_true(hash_equal(merkle_leaf(SPAN("")), hash_bytes("\0", 1)));
	assert_true(hash_equal(merkle_leaf(SPAN("x")), hash_bytes("\0x", 2)));
	assert_true(hash_equal(merkle_node(mth[0][1], zero), hash_two(1, mth[0][1], zero)));
}

static void roots_of_all_sizes(void **state)
{
	struct frontier f = { 0 };
	struct hash root;

	(void)state;
	assert_true(hash_equal(frontier_root(&f), merkle_empty()));
	for (uint64_t n = 1; n <= MOST; n++) {
		frontier_add(&f, mth[n - 1][n]);
		assert_int_equal(f.size, n);
		assert_true(hash_equal(frontier_root(&f), mth[0][n]));
		assert_int_equal(merkle_root(n, fetch, &n, &root), OK);
		assert_true(hash_equal(root, mth[0][n]));
	}
	assert_int_equal(merkle_root(0, NULL, NULL, &root), OK);
	assert_true(hash_equal(root, merkle_empty()));
}

static void completed_levels_are_told(void **state)
{
	struct hash roots[FRONTIER_LEVELS];
	struct frontier f = { 0 };

	(void)state;
	for (size_t n = 1; n <= MOST; n++) {
		unsigned levels = frontier_add_levels(&f, mth[n - 1][n], roots);

		assert_int_equal(levels, n == 256 ? 1 : 0);
	}
	assert_true(hash_equal(roots[0], mth[0][256]));
	/* by numbers alone: the leaf that completes 2^24 leaves completes three levels */
	f = (struct frontier){ .size = ((uint64_t)1 << 24) - 1 };
	assert_int_equal(frontier_add_levels(&f, mth[0][1], roots), 3);
	f = (struct frontier){ .size = ((uint64_t)1 << 56) - 1 };
	assert_int_equal(frontier_add_levels(&f, mth[0][1], roots), 7);
}

static void all_inclusion_proofs(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= MOST; n++)
		for (uint64_t i = 0; i < n; i++) {
			struct merkle_proof got, expected = { .count = 0 };

			naive_path(i, 0, n, &expected);
			assert_int_equal(merkle_inclusion(i, n, fetch, &n, &got), OK);
			assert_true(same(&got, &expected));
			assert_int_equal(merkle_verify_inclusion(i, n, mth[i][i + 1], got.hashes, got.count, mth[0][n]),
					 OK);
		}
}

static void all_consistency_proofs(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= MOST; n++)
		for (uint64_t m = 1; m <= n; m++) {
			struct merkle_proof got, expected = { .count = 0 };

			naive_subproof(m, 0, n, true, &expected);
			assert_int_equal(merkle_consistency(m, n, fetch, &n, &got), OK);
			assert_true(same(&got, &expected));
			assert_int_equal(merkle_verify_consistency(m, n, got.hashes, got.count, mth[0][m], mth[0][n]),
					 OK);
		}
}

/* One change each: a bit of a hash, a hash more or less, two swapped, another index or size. */
static void changed_inclusion_proofs_fail(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint64_t n = 2 + test_below(&seed, MOST - 1), i = test_below(&seed, n), size = n, index = i;
		struct hash leaf = mth[i][i + 1];
		struct merkle_proof p;

		merkle_inclusion(i, n, fetch, &n, &p);
		switch (test_below(&seed, 6)) {
		case 0:
			p.hashes[test_below(&seed, p.count)].bytes[test_below(&seed, 32)] ^=
				(uint8_t)(1 << test_below(&seed, 8));
			break;
		case 1:
			p.count--;
			break;
		case 2:
			p.hashes[p.count++] = mth[0][1];
			break;
		case 3:
			if (p.count < 2)
				continue;
			p.hashes[p.count] = p.hashes[0];
			memmove(p.hashes, p.hashes + 1, p.count * sizeof(p.hashes[0]));
			break;
		case 4:
			index = test_below(&seed, 2 * MOST);
			if (index == i)
				continue;
			break;
		case 5:
			leaf.bytes[test_below(&seed, 32)] ^= 1;
			break;
		}
		if (merkle_verify_inclusion(index, size, leaf, p.hashes, p.count, mth[0][n]) == OK)
			fail_msg("entry %ju as %ju of %ju", (uintmax_t)i, (uintmax_t)index, (uintmax_t)n);
	}
}

static void changed_consistency_proofs_fail(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint64_t n = 2 + test_below(&seed, MOST - 1), m = 1 + test_below(&seed, n - 1);
		struct hash old_root = mth[0][m], root = mth[0][n];
		struct merkle_proof p;

		merkle_consistency(m, n, fetch, &n, &p);
		switch (test_below(&seed, 5)) {
		case 0:
			p.hashes[test_below(&seed, p.count)].bytes[test_below(&seed, 32)] ^=
				(uint8_t)(1 << test_below(&seed, 8));
			break;
		case 1:
			p.count--;
			break;
		case 2:
			p.hashes[p.count++] = mth[0][1];
			break;
		case 3:
			old_root.bytes[test_below(&seed, 32)] ^= 1;
			break;
		case 4:
			root.bytes[test_below(&seed, 32)] ^= 1;
			break;
		}
		if (merkle_verify_consistency(m, n, p.hashes, p.count, old_root, root) == OK)
			fail_msg("from %ju to %ju", (uintmax_t)m, (uintmax_t)n);
	}
}

static void sizes_that_do_not_fit(void **state)
{
	uint64_t n = 5;
	struct merkle_proof p;

	(void)state;
	assert_int_equal(merkle_inclusion(5, n, fetch, &n, &p), ERR_PROOF);
	assert_int_equal(merkle_inclusion(0, 0, fetch, &n, &p), ERR_PROOF);
	assert_int_equal(merkle_consistency(0, n, fetch, &n, &p), ERR_PROOF);
	assert_int_equal(merkle_consistency(6, n, fetch, &n, &p), ERR_PROOF);
	assert_int_equal(merkle_verify_inclusion(0, 0, mth[0][1], NULL, 0, mth[0][1]), ERR_PROOF);
	assert_int_equal(merkle_verify_inclusion(1, 1, mth[0][1], NULL, 0, mth[0][1]), ERR_PROOF);
	assert_int_equal(merkle_verify_consistency(0, 0, NULL, 0, merkle_empty(), merkle_empty()), ERR_PROOF);
	assert_int_equal(merkle_verify_consistency(0, 5, NULL, 0, merkle_empty(), mth[0][5]), ERR_PROOF);
	assert_int_equal(merkle_verify_consistency(5, 4, NULL, 0, mth[0][5], mth[0][4]), ERR_PROOF);
	assert_int_equal(merkle_verify_consistency(5, 5, NULL, 0, mth[0][5], mth[0][5]), OK);
	assert_int_equal(merkle_verify_consistency(5, 5, NULL, 0, mth[0][5], mth[0][4]), ERR_PROOF);
	assert_int_equal(merkle_verify_consistency(5, 5, mth[0], 1, mth[0][5], mth[0][5]), ERR_PROOF);
}

static enum err fetch_number(void *context, unsigned level, uint64_t index, struct hash *out)
{
	uint64_t size = *(const uint64_t *)context;

	assert_true(level < 64 && index < size >> level);
	*out = hash_bytes(&(struct { uint64_t l, i; }){ level, index }, 16);
	return OK;
}

/* Trees that nobody will see: shifts and room must hold. */
static void the_largest_trees(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 63, ((uint64_t)1 << 63) + 1,
					  INT64_MAX };
	uint64_t seed = test_seed();

	(void)state;
	for (size_t s = 0; s < TABLE_LENGTH(sizes); s++)
		for (int round = 0; round < 200; round++) {
			uint64_t n = sizes[s], i = test_random(&seed) % n;
			struct hash root, leaf;
			struct merkle_proof p;

			fetch_number(&n, 0, i, &leaf);
			assert_int_equal(merkle_root(n, fetch_number, &n, &root), OK);
			assert_int_equal(merkle_inclusion(i, n, fetch_number, &n, &p), OK);
			assert_true(p.count <= MERKLE_PROOF_MAX);
			merkle_verify_inclusion(i, n, leaf, p.hashes, p.count, root);
			if (merkle_consistency(i + 1, n, fetch_number, &n, &p) == OK)
				merkle_verify_consistency(i + 1, n, p.hashes, p.count, root, root);
		}
}

static enum err fetch_fails(void *context, unsigned level, uint64_t index, struct hash *out)
{
	(void)context;
	(void)level;
	(void)index;
	(void)out;
	return ERR_TILE;
}

static void what_fetch_returns_is_passed_on(void **state)
{
	struct hash root;
	struct merkle_proof p;

	(void)state;
	assert_int_equal(merkle_root(3, fetch_fails, NULL, &root), ERR_TILE);
	assert_int_equal(merkle_inclusion(1, 3, fetch_fails, NULL, &p), ERR_TILE);
	assert_int_equal(merkle_consistency(2, 3, fetch_fails, NULL, &p), ERR_TILE);
	assert_int_equal(merkle_consistency(3, 3, fetch_fails, NULL, &p), OK); /* nothing to fetch */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_leaf_and_node),
		cmocka_unit_test(roots_of_all_sizes),
		cmocka_unit_test(completed_levels_are_told),
		cmocka_unit_test(all_inclusion_proofs),
		cmocka_unit_test(all_consistency_proofs),
		cmocka_unit_test(changed_inclusion_proofs_fail),
		cmocka_unit_test(changed_consistency_proofs_fail),
		cmocka_unit_test(sizes_that_do_not_fit),
		cmocka_unit_test(the_largest_trees),
		cmocka_unit_test(what_fetch_returns_is_passed_on),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
