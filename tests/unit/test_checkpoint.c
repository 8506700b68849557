#include "test.h"

#include "ledger/checkpoint.h"
#include "ledger/merkle.h"

#define ROOT "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0="
#define EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void texts_that_are_checkpoints(void **state)
{
	static const struct {
		const char *text, *origin, *extensions;
		uint64_t size;
	} table[] = {
		{ "l.example\n5\n" ROOT "\n", "l.example", "", 5 },
		{ "l.example\n0\n" EMPTY "\n", "l.example", "", 0 },
		{ "l.example\n0\n" EMPTY "\nx\n", "l.example", "x\n", 0 },
		{ "an origin with spaces + plus\n18446744073709551615\n" ROOT "\n", "an origin with spaces + plus", "",
		  UINT64_MAX },
		{ "l.example\n5\n" ROOT "\none\ntwo\n", "l.example", "one\ntwo\n", 5 },
	};
	struct buffer out = BUFFER(1000);
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(checkpoint_parse(span_of(table[i].text), &c), OK);
		assert_span(c.origin, table[i].origin);
		assert_span(c.extensions, table[i].extensions);
		assert_int_equal(c.size, table[i].size);
		buffer_clear(&out);
		checkpoint_print(&c, &out);
		buffer_span(&out, c.extensions);
		assert_span(buffer_view(&out), table[i].text);
	}
	buffer_free(&out);
}

static void texts_that_are_none(void **state)
{
	static const char *const table[] = {
		"",
		"\n",
		"l.example",
		"l.example\n5",
		"l.example\n5\n",
		"l.example\n5\n" ROOT,
		"\n5\n" ROOT "\n",
		"l.example\n\n" ROOT "\n",
		"l.example\n05\n" ROOT "\n",
		"l.example\n-5\n" ROOT "\n",
		"l.example\n+5\n" ROOT "\n",
		"l.example\n5 \n" ROOT "\n",
		"l.example\n5\r\n" ROOT "\n",
		"l.example\n18446744073709551616\n" ROOT "\n",
		"l.example\n5\nAAAA\n",
		"l.example\n5\n" ROOT "AAAA\n",
		"l.example\n5\n" ROOT "\n\n",
		"l.example\n5\n" ROOT "\nx",
		"l.example\n5\n" ROOT "\nx\n\n",
		"l.example\n5\n" ROOT "\nx\n\ny\n",
		"l.example\n0\n" ROOT "\n",
	};
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (checkpoint_parse(span_of(table[i]), &c) != ERR_CHECKPOINT)
			fail_msg("accepted: %s", table[i]);
}

static void signed_and_opened(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct buffer out = BUFFER(1000), other_text = BUFFER(1000);
	struct signer *key = NULL, *other = NULL;
	struct checkpoint made = { SPAN("l.example"), 7, merkle_leaf(SPAN("x")), SPAN("") }, c;

	(void)state;
	assert_int_equal(signer_new(SPAN("l.example"), &key), OK);
	assert_int_equal(signer_new(SPAN("l.example/other"), &other), OK);
	assert_int_equal(checkpoint_sign(&made, other, &out), ERR_CHECKPOINT);
	assert_int_equal(checkpoint_sign(&made, key, &out), OK);
	assert_int_equal(checkpoint_open(a, buffer_view(&out), signer_verifier(key), &c), OK);
	assert_int_equal(c.size, 7);
	assert_true(hash_equal(c.root, made.root));
	assert_int_equal(checkpoint_open(a, buffer_view(&out), signer_verifier(other), &c), ERR_NOTE_UNSIGNED);

	/* a key may not speak for another origin */
	checkpoint_print(&made, &other_text);
	buffer_clear(&out);
	assert_int_equal(note_sign(&out, buffer_view(&other_text), other), OK);
	assert_int_equal(checkpoint_open(a, buffer_view(&out), signer_verifier(other), &c), ERR_CHECKPOINT);

	buffer_clear(&out);
	assert_int_equal(note_sign(&out, SPAN("no checkpoint\n"), key), OK);
	assert_int_equal(checkpoint_open(a, buffer_view(&out), signer_verifier(key), &c), ERR_CHECKPOINT);
	assert_int_equal(checkpoint_open(a, SPAN("no note\n"), signer_verifier(key), &c), ERR_NOTE);
	signer_free(key);
	signer_free(other);
	buffer_free(&out);
	buffer_free(&other_text);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_that_are_checkpoints),
		cmocka_unit_test(texts_that_are_none),
		cmocka_unit_test(signed_and_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
