/* Receipts (tlog-proof files). */
#include "vectors.h"

#include "coop.h"
#include "ledger/receipt.h"

static void files(void **state)
{
	yyjson_val *root = vectors_json("proof/tlog_proof_vectors.json"), *c, *h;
	struct buffer out = BUFFER(1 << 16);
	struct receipt r;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "parse_good")
	{
		yyjson_val *extra = yyjson_obj_get(c, "extra_b64");
		struct span bytes = SPAN("");
		size_t i = 0;

		if (receipt_parse(vectors_arena, text(c, "file"), &r) != OK)
			fail_msg("%s: %s", name_of(c), err_detail());
		assert_int_equal(r.index, number(c, "index"));
		assert_true(span_equal(r.checkpoint_note, text(c, "checkpoint")));
		FOR_EACH(h, c, "hashes")
		assert_true(hash_equal(r.proof.hashes[i++], as_hash(h)));
		assert_int_equal(r.proof.count, i);
		assert_true(extra == NULL || from_base64(as_text(extra), &bytes));
		assert_true(span_equal(r.extra, bytes));
		buffer_clear(&out);
		receipt_print(&r, &out);
		assert_true(span_equal(buffer_view(&out), text(c, "file")));
		vectors++;
	}
	FOR_EACH(c, root, "parse_bad")
	{
		if (receipt_parse(vectors_arena, text(c, "file"), &r) != ERR_RECEIPT)
			fail_msg("accepted: %s", name_of(c));
		vectors++;
	}
	buffer_free(&out);
	count_message("proof/tlog_proof_vectors.json, files", vectors);
}

/* The first `log` line of a policy; later lines of the kind are not needed by these vectors. */
static struct verifier ledger_of(yyjson_val *c, bool *asks_witnesses)
{
	struct span rest = text(c, "policy"), line;
	struct verifier v = { .algorithm = KEY_ED25519 };

	*asks_witnesses = true;
	while (span_line(&rest, &line)) {
		if (span_is(line, "quorum none"))
			*asks_witnesses = false;
		if (span_starts(line, "log ")) {
			struct span words = span_from(line, strlen("log "));

			assert_int_equal(verifier_parse(span_cut(&words, ' '), &v), OK);
		}
	}
	return v;
}

/* What a refusal needs: the vectors that are refused only for their cosignatures are for the witness to come. */
static bool refused_for_witnesses(yyjson_val *c)
{
	static const char *const names[] = {
		"one of three",
		"no witness",
		"one witness twice",
		"cosignatures for another checkpoint",
		"plain signature of a witness key instead of a cosignature",
		"timestamp changed after signing",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name_of(c), names[i]) == 0)
			return true;
	return false;
}

static void verified(void **state)
{
	yyjson_val *root = vectors_json("proof/tlog_proof_vectors.json"), *c;
	size_t vectors = 0, left = 0;

	(void)state;
	FOR_EACH(c, root, "verify")
	{
		bool asks_witnesses, ok;
		struct verifier v = ledger_of(c, &asks_witnesses);
		struct receipt r;

		if (refused_for_witnesses(c)) {
			left++;
			continue;
		}
		ok = receipt_parse(vectors_arena, text(c, "proof"), &r) == OK &&
		     receipt_verify(vectors_arena, &r, from_hex(text(c, "entry_hex")), &v, NULL) == OK;
		if (ok != flag(c, "ok"))
			fail_msg("%s: %s", name_of(c), err_detail());
		vectors++;
	}
	print_message("# proof/tlog_proof_vectors.json: %zu verified by the key of the log, %zu left to the witness\n",
		      vectors, left);
	assert_int_equal(left, 6);
}

static void quorums(void **state)
{
	(void)state;
	print_message(
		"skipped: receipts refused only for their cosignatures or quorum come with the witness: six vectors of "
		"proof/\n");
	skip();
}

static void receipts_of_a_whole_ledger(void **state)
{
	yyjson_val *root = vectors_json("generated/c2sp_vectors.json"), *c, *h;
	struct buffer out = BUFFER(1 << 16);
	struct verifier v;
	size_t vectors = 0;

	(void)state;
	assert_int_equal(verifier_parse(text(field(root, "log"), "vkey"), &v), OK);
	FOR_EACH(c, root, "proofs")
	{
		uint64_t size = number(c, "size"), index = number(c, "index");
		struct checkpoint k;
		struct receipt r;
		struct merkle_proof p;
		size_t i = 0;

		assert_true(hash_equal(coop_leaves[index], hash_field(c, "leaf_hash")));
		assert_int_equal(merkle_inclusion(index, size, coop_fetch, NULL, &p), OK);
		FOR_EACH(h, c, "proof")
		assert_true(hash_equal(p.hashes[i++], as_hash(h)));
		assert_int_equal(p.count, i);
		assert_int_equal(receipt_parse(vectors_arena, text(c, "tlog_proof"), &r), OK);
		assert_int_equal(receipt_verify(vectors_arena, &r, coop_entry(index), &v, &k), OK);
		assert_int_equal(k.size, size);
		r.proof = p;
		buffer_clear(&out);
		receipt_print(&r, &out);
		assert_true(span_equal(buffer_view(&out), text(c, "tlog_proof")));
		vectors++;
	}
	buffer_free(&out);
	count_message("generated/c2sp_vectors.json, proofs", vectors);
}

/* "old <size>", the hashes of a consistency proof, an empty line, the checkpoint. */
static void growth(void **state)
{
	yyjson_val *root = vectors_json("generated/c2sp_vectors.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "add_checkpoint")
	{
		uint64_t old = number(c, "old"), size = number(c, "new");
		struct span rest = text(c, "body"), line;
		struct merkle_proof p = { .count = 0 };

		span_line(&rest, &line);
		if (old > 0)
			assert_int_equal(merkle_consistency(old, size, coop_fetch, NULL, &p), OK);
		for (size_t i = 0; i < p.count; i++) {
			char base64[BASE64_LENGTH(HASH_SIZE) + 1];

			assert_true(span_line(&rest, &line));
			base64_encode(p.hashes[i].bytes, HASH_SIZE, base64);
			assert_true(span_is(line, base64));
		}
		assert_true(span_line(&rest, &line));
		assert_int_equal(line.len, 0);
		vectors++;
	}
	count_message("generated/c2sp_vectors.json, add_checkpoint", vectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),   cmocka_unit_test(verified),
		cmocka_unit_test(quorums), cmocka_unit_test(receipts_of_a_whole_ledger),
		cmocka_unit_test(growth),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, coop_setup, NULL) : SKIPPED;
}
