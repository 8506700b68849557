/* Merkle trees: hashes, roots, proofs, and what a verifier must refuse. */
#include "vectors.h"

#include "coop.h"

/* False: some "hash" of the proof has not 32 bytes, which no struct merkle_proof can hold. */
static bool read_proof(yyjson_val *list, struct merkle_proof *out)
{
	yyjson_arr_iter at = yyjson_arr_iter_with(list); /* null is an empty list */
	yyjson_val *h;

	out->count = 0;
	while ((h = yyjson_arr_iter_next(&at)) != NULL) {
		struct span bytes;

		if (!from_base64(as_text(h), &bytes) || bytes.len != HASH_SIZE)
			return false;
		assert_true(out->count < MERKLE_PROOF_MAX);
		memcpy(out->hashes[out->count++].bytes, bytes.at, HASH_SIZE);
	}
	return true;
}

/* False: not 32 bytes, which no struct hash can hold. */
static bool read_hash(yyjson_val *c, const char *name, struct hash *out)
{
	struct span bytes = SPAN("");

	if (!from_base64(text(c, name), &bytes) || bytes.len != HASH_SIZE)
		return false;
	memcpy(out->bytes, bytes.at, HASH_SIZE);
	return true;
}

/* Some probes have words in place of both roots; their hashes stand for them, so that equal stays equal. */
static struct hash root_or_word(yyjson_val *c, const char *name)
{
	struct hash h;

	return read_hash(c, name, &h) ? h : hash_span(text(c, name));
}

static void inclusion_probes(void **state)
{
	yyjson_val *root = vectors_json("merkle/inclusion_probes.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		struct hash leaf, tree;
		struct merkle_proof p;
		bool ok = read_hash(c, "leafHash", &leaf) && read_hash(c, "root", &tree) &&
			  read_proof(field(c, "proof"), &p) &&
			  merkle_verify_inclusion(number(c, "leafIdx"), number(c, "treeSize"), leaf, p.hashes, p.count,
						  tree) == OK;

		if (ok == flag(c, "wantErr"))
			fail_msg("%s", name_of(c));
		vectors++;
	}
	count_message("merkle/inclusion_probes.json", vectors);
}

static void consistency_probes(void **state)
{
	yyjson_val *root = vectors_json("merkle/consistency_probes.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		struct hash old_root = root_or_word(c, "root1"), tree = root_or_word(c, "root2");
		struct merkle_proof p;
		bool ok = read_proof(field(c, "proof"), &p) &&
			  merkle_verify_consistency(number(c, "size1"), number(c, "size2"), p.hashes, p.count, old_root,
						    tree) == OK;

		if (ok == flag(c, "wantErr"))
			fail_msg("%s", name_of(c));
		vectors++;
	}
	count_message("merkle/consistency_probes.json", vectors);
}

static struct hash hash_of_kind(yyjson_val *c)
{
	struct span kind = text(c, "kind");
	struct span parts[3];

	if (span_is(kind, "empty"))
		return merkle_empty();
	if (span_is(kind, "leaf"))
		return merkle_leaf(from_hex(text(c, "data")));
	assert_true(span_is(kind, "node")); /* of four bytes each in this file: not made by merkle_node */
	parts[0] = SPAN("\1");
	parts[1] = from_hex(text(c, "left"));
	parts[2] = from_hex(text(c, "right"));
	return hash_parts(parts, 3);
}

static void rfc6962(void **state)
{
	yyjson_val *root = vectors_json("merkle/rfc6962_vectors.json"), *c;
	struct frontier f = { 0 };
	yyjson_val *expected = field(root, "roots");
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "hash")
	{
		assert_true(hash_equal(hash_of_kind(c), hex_hash(text(c, "hash"))));
		vectors++;
	}
	assert_true(hash_equal(frontier_root(&f), hex_hash(as_text(yyjson_arr_get(expected, 0)))));
	FOR_EACH(c, root, "leaves")
	{
		frontier_add(&f, merkle_leaf(from_hex(as_text(c))));
		assert_true(hash_equal(frontier_root(&f), hex_hash(as_text(yyjson_arr_get(expected, f.size)))));
		vectors++;
	}
	count_message("merkle/rfc6962_vectors.json", vectors);
}

static bool in_digest(uint64_t i, uint64_t n, uint64_t last)
{
	return n <= 64 || i % 17 == 0 || i == last;
}

static void add_proof(struct hash_stream *h, const struct merkle_proof *p)
{
	for (size_t i = 0; i < p->count; i++)
		hash_stream_add(h, p->hashes[i].bytes, HASH_SIZE);
}

static void exhaustive_digest(void **state)
{
	yyjson_val *root = vectors_json("merkle/exhaustive_digest.json");
	struct hash_stream *h = hash_stream_new();
	size_t proofs = 0;

	(void)state;
	for (uint64_t n = 1; n <= 300; n++) {
		struct hash tree = coop_root(n);
		struct merkle_proof p;

		hash_stream_add(h, tree.bytes, HASH_SIZE);
		for (uint64_t i = 0; i < n; i++) {
			if (!in_digest(i, n, n - 1))
				continue;
			assert_int_equal(merkle_inclusion(i, n, coop_fetch, NULL, &p), OK);
			assert_int_equal(merkle_verify_inclusion(i, n, coop_leaves[i], p.hashes, p.count, tree), OK);
			add_proof(h, &p);
			proofs++;
		}
		for (uint64_t m = 1; m <= n; m++) {
			if (!in_digest(m, n, n))
				continue;
			assert_int_equal(merkle_consistency(m, n, coop_fetch, NULL, &p), OK);
			assert_int_equal(merkle_verify_consistency(m, n, p.hashes, p.count, coop_root(m), tree), OK);
			add_proof(h, &p);
			proofs++;
		}
	}
	assert_int_equal(proofs, number(root, "proofs"));
	assert_true(hash_equal(hash_stream_end(h), hex_hash(text(root, "sha256"))));
	hash_stream_free(h);
	count_message("merkle/exhaustive_digest.json", proofs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inclusion_probes),
		cmocka_unit_test(consistency_probes),
		cmocka_unit_test(rfc6962),
		cmocka_unit_test(exhaustive_digest),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, coop_setup, NULL) : SKIPPED;
}
