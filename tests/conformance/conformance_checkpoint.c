/* Checkpoints: their text, their signatures, the same bytes from the same key. */
#include "vectors.h"

#include "coop.h"
#include "ledger/checkpoint.h"

static void bodies(void **state)
{
	yyjson_val *root = vectors_json("checkpoint/checkpoint_vectors.json"), *c;
	struct buffer out = BUFFER(1 << 16);
	struct checkpoint k;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "body_good")
	{
		yyjson_val *extension = yyjson_obj_get(c, "extension");

		if (checkpoint_parse(text(c, "text"), &k) != OK)
			fail_msg("refused: %s", yyjson_get_str(field(c, "text")));
		assert_true(span_equal(k.origin, text(c, "origin")));
		assert_int_equal(k.size, number(c, "size"));
		assert_true(hash_equal(k.root, hash_field(c, "root")));
		assert_true(span_equal(k.extensions, extension != NULL ? as_text(extension) : SPAN("")));
		buffer_clear(&out);
		checkpoint_print(&k, &out);
		buffer_span(&out, k.extensions);
		assert_true(span_equal(buffer_view(&out), text(c, "text")));
		vectors++;
	}
	FOR_EACH(c, root, "body_bad")
	{
		if (checkpoint_parse(text(c, "text"), &k) != ERR_CHECKPOINT)
			fail_msg("accepted: %s", yyjson_get_str(field(c, "why")));
		vectors++;
	}
	buffer_free(&out);
	count_message("checkpoint/checkpoint_vectors.json", vectors);
}

/* The one signed checkpoint there is of a log whose origin is not its key's name, which our house rule refuses; its
 * signature is good all the same. */
static void signed_by_others(void **state)
{
	yyjson_val *root = vectors_json("checkpoint/checkpoint_vectors.json"), *c;

	(void)state;
	FOR_EACH(c, root, "signed")
	{
		struct verifier v;
		struct checkpoint k;
		struct note n;

		assert_int_equal(verifier_parse(text(c, "vkey"), &v), OK);
		assert_int_equal(note_parse(vectors_arena, text(c, "checkpoint"), &n), OK);
		assert_int_equal(note_verify(&n, &v, 1, NULL) == OK, flag(c, "ok"));
		assert_int_equal(checkpoint_parse(n.text, &k), OK);
		assert_int_equal(checkpoint_open(vectors_arena, text(c, "checkpoint"), &v, &k),
				 span_is(k.origin, v.name) ? OK : ERR_CHECKPOINT);
	}
}

static void signed_again(void **state)
{
	yyjson_val *root = vectors_json("generated/c2sp_vectors.json"), *log = field(root, "log"), *c;
	struct span seed = from_hex(text(log, "seed"));
	struct buffer out = BUFFER(1 << 16);
	struct signer *s = NULL;
	size_t vectors = 0;

	(void)state;
	assert_int_equal(signer_from_seed(text(log, "origin"), (const uint8_t *)seed.at, &s), OK);
	verifier_print(signer_verifier(s), &out);
	assert_true(span_equal(buffer_view(&out), text(log, "vkey")));
	FOR_EACH(c, root, "checkpoints")
	{
		struct checkpoint k = { text(log, "origin"), number(c, "size"), coop_root(number(c, "size")),
					SPAN("") };

		buffer_clear(&out);
		checkpoint_print(&k, &out);
		assert_true(span_equal(buffer_view(&out), text(c, "body")));
		buffer_clear(&out);
		assert_int_equal(checkpoint_sign(&k, s, &out), OK);
		assert_true(span_equal(buffer_view(&out), text(c, "signed")));
		/* lines of witnesses that nobody asked about are no harm */
		assert_int_equal(checkpoint_open(vectors_arena, text(c, "cosigned"), signer_verifier(s), &k), OK);
		assert_int_equal(k.size, number(c, "size"));
		vectors++;
	}
	signer_free(s);
	buffer_free(&out);
	count_message("generated/c2sp_vectors.json, checkpoints", vectors);
}

static void logs_of_others(void **state)
{
	struct verifier v;
	struct checkpoint k;

	(void)state;
	assert_int_equal(verifier_parse(first_line(vectors_file("logs/vkey.txt")), &v), OK);
	for (uint64_t size = 0; size <= 15; size++) {
		const char *name = arena_print(vectors_arena, "logs/steps-0-15/checkpoint.%ju", (uintmax_t)size);

		assert_int_equal(checkpoint_open(vectors_arena, vectors_file(name), &v, &k), OK);
		assert_int_equal(k.size, size);
	}
	assert_int_equal(checkpoint_open(vectors_arena, vectors_file("logs/size-600/checkpoint"), &v, &k), OK);
	assert_int_equal(k.size, 600);
	count_message("logs/", 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(signed_by_others),
		cmocka_unit_test(signed_again),
		cmocka_unit_test(logs_of_others),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, coop_setup, NULL) : SKIPPED;
}
