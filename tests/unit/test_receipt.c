#include "test.h"

#include "ledger/receipt.h"

#define HASH_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define FIRST "c2sp.org/tlog-proof@v1\n"

static int setup(void **state)
{
	return (*state = arena_new(1 << 22)) == NULL;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void what_is_read_is_printed_again(void **state)
{
	static const struct {
		const char *text, *extra, *note;
		uint64_t index;
		size_t count;
	} table[] = {
		{ FIRST "index 0\n\nc\n", "", "c\n", 0, 0 },
		{ FIRST "index 18446744073709551615\n" HASH_A "\n" HASH_A "\n\na\n\nb\n", "", "a\n\nb\n", UINT64_MAX,
		  2 },
		{ FIRST "extra ZXh0cmE=\nindex 10\n" HASH_A "\n\nc\n", "extra", "c\n", 10, 1 },
		{ FIRST "index 0\n\n\n", "", "\n", 0, 0 },
		{ FIRST "index 0\n\nno LF at the end", "", "no LF at the end", 0, 0 },
	};
	struct buffer out = BUFFER(10000);
	struct receipt r;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(receipt_parse(*state, span_of(table[i].text), &r), OK);
		assert_span(r.extra, table[i].extra);
		assert_span(r.checkpoint_note, table[i].note);
		assert_int_equal(r.index, table[i].index);
		assert_int_equal(r.proof.count, table[i].count);
		buffer_clear(&out);
		receipt_print(&r, &out);
		assert_span(buffer_view(&out), table[i].text);
	}
	buffer_free(&out);
}

static void texts_that_are_no_receipts(void **state)
{
	static const char *const table[] = {
		"",
		"\n",
		FIRST,
		FIRST "index 0",
		FIRST "index 0\n",
		FIRST "index 0\n\n",
		FIRST "index 0\n" HASH_A "\nc\n",
		FIRST "index 0\n" HASH_A,
		FIRST "index 0\nAAAA\n\nc\n",
		FIRST "index 0\n" HASH_A " \n\nc\n",
		FIRST "index 01\n\nc\n",
		FIRST "index\n\nc\n",
		FIRST "index 0\nindex 0\n\nc\n",
		FIRST "index 0\nextra AAAA\n\nc\n",
		FIRST "extra \nindex 0\n\nc\n",
		FIRST "extra AAA\nindex 0\n\nc\n",
		FIRST "extra AAAA",
		FIRST "extra AAAA\n",
		FIRST "extra AAAA\nextra AAAA\nindex 0\n\nc\n",
		"c2sp.org/tlog-proof@v2\nindex 0\n\nc\n",
		"c2sp.org/tlog-proof@v1\r\nindex 0\n\nc\n",
	};
	struct receipt r;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (receipt_parse(*state, span_of(table[i]), &r) != ERR_RECEIPT)
			fail_msg("accepted: %s", table[i]);
}

static void hashes_have_a_maximum(void **state)
{
	struct buffer text = BUFFER(10000);
	struct receipt r;

	for (int count = MERKLE_PROOF_MAX; count <= MERKLE_PROOF_MAX + 1; count++) {
		buffer_clear(&text);
		buffer_text(&text, FIRST "index 0\n");
		for (int i = 0; i < count; i++)
			buffer_text(&text, HASH_A "\n");
		buffer_text(&text, "\nc\n");
		assert_int_equal(receipt_parse(*state, buffer_view(&text), &r),
				 count <= MERKLE_PROOF_MAX ? OK : ERR_RECEIPT);
	}
	buffer_free(&text);
}

/* A ledger of two: the proof of each entry is the other's leaf. */
static void verified_as_a_whole(void **state)
{
	struct hash leaves[2] = { merkle_leaf(SPAN("one")), merkle_leaf(SPAN("two")) };
	struct checkpoint made = { SPAN("l.example"), 2, merkle_node(leaves[0], leaves[1]), SPAN("") }, c;
	struct receipt r = { .index = 1, .proof = { { leaves[0] }, 1 } };
	struct signer *key = NULL, *other = NULL;
	struct checkpoint_cache cache = { 0 };
	struct buffer note = BUFFER(1000);

	assert_int_equal(signer_new(SPAN("l.example"), &key), OK);
	assert_int_equal(signer_new(SPAN("l.example"), &other), OK);
	assert_int_equal(checkpoint_sign(&made, key, &note), OK);
	r.checkpoint_note = buffer_view(&note);
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(key), &c), OK);
	assert_int_equal(c.size, 2);
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(key), NULL), OK);
	assert_int_equal(receipt_verify(*state, &r, SPAN("one"), signer_verifier(key), NULL), ERR_PROOF);
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(other), NULL), ERR_NOTE_UNSIGNED);
	r.index = 0;
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(key), NULL), ERR_PROOF);
	r.index = 2;
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(key), NULL), ERR_PROOF);
	r.index = 1;
	for (int i = 0; i < 2;
	     i++) { /* what was opened counts for the same note under the same key, and for nothing else */
		assert_int_equal(receipt_verify_cached(*state, &r, SPAN("two"), signer_verifier(key), &cache, NULL),
				 OK);
		assert_int_equal(receipt_verify_cached(*state, &r, SPAN("one"), signer_verifier(key), &cache, NULL),
				 ERR_PROOF);
		assert_int_equal(receipt_verify_cached(*state, &r, SPAN("two"), signer_verifier(other), &cache, NULL),
				 ERR_NOTE_UNSIGNED);
	}
	note.at[12]++;
	assert_int_equal(receipt_verify(*state, &r, SPAN("two"), signer_verifier(key), NULL), ERR_NOTE_SIGNATURE);
	assert_int_equal(receipt_verify_cached(*state, &r, SPAN("two"), signer_verifier(key), &cache, NULL),
			 ERR_NOTE_SIGNATURE);
	signer_free(key);
	signer_free(other);
	buffer_free(&note);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_read_is_printed_again),
		TEST(texts_that_are_no_receipts),
		TEST(hashes_have_a_maximum),
		TEST(verified_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
