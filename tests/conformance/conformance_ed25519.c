/* Ed25519: the rule of acceptance, on everybody's edge cases. */
#include "vectors.h"

#include "note/note.h"

/* A verifier without the check of its key: the vectors are to show that signatures of bad keys fail on their own. */
static struct verifier raw(struct span key)
{
	struct verifier v = { .algorithm = KEY_ED25519 };

	assert_int_equal(key.len, KEY_PUBLIC_SIZE);
	memcpy(v.public_key, key.at, key.len);
	return v;
}

/* As note_verify does: another length than 64 fails. */
static bool accepts(struct span key, struct span message, struct span signature)
{
	struct verifier v = raw(key);

	return signature.len == KEY_SIGNATURE_SIZE && verifier_check(&v, message, (const uint8_t *)signature.at);
}

static bool key_accepted(struct span key)
{
	struct verifier v;

	return verifier_make(SPAN("a.example"), (const uint8_t *)key.at, &v) == OK;
}

static void signs_as(struct span seed, struct span key, struct span message, struct span signature)
{
	uint8_t made[KEY_SIGNATURE_SIZE];
	struct signer *s = NULL;

	assert_int_equal(seed.len, KEY_SEED_SIZE);
	assert_int_equal(signer_from_seed(SPAN("a.example"), (const uint8_t *)seed.at, &s), OK);
	assert_memory_equal(signer_verifier(s)->public_key, key.at, KEY_PUBLIC_SIZE);
	signer_sign(s, message, made);
	assert_memory_equal(made, signature.at, KEY_SIGNATURE_SIZE);
	assert_true(verifier_check(signer_verifier(s), message, made));
	signer_free(s);
}

static void self_test(void **state)
{
	(void)state;
	assert_int_equal(note_self_test(), OK);
}

static void rfc8032(void **state)
{
	yyjson_val *root = vectors_json("ed25519/rfc8032.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "vectors")
	{
		signs_as(from_hex(text(c, "sk")), from_hex(text(c, "pk")), from_hex(text(c, "msg")),
			 from_hex(text(c, "sig")));
		vectors++;
	}
	count_message("ed25519/rfc8032.json", vectors);
}

static void sign_input(void **state)
{
	struct span rest = vectors_file("ed25519/sign_input.txt"), line;
	size_t vectors = 0;

	(void)state;
	while (span_line(&rest, &line)) {
		struct span seed, key, signature;

		if (line.len == 0 || line.at[0] == '#')
			continue;
		seed = from_hex(span_cut(&line, ':'));
		key = from_hex(span_cut(&line, ':'));
		signature = from_hex(span_cut(&line, ':'));
		signs_as(seed, key, from_hex(line), signature);
		vectors++;
	}
	assert_true(vectors > 0);
	count_message("ed25519/sign_input.txt", vectors);
}

static void wycheproof(void **state)
{
	yyjson_val *root = vectors_json("ed25519/wycheproof.json"), *group, *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(group, root, "testGroups")
	{
		struct span key = from_hex(text(field(group, "publicKey"), "pk"));

		FOR_EACH(c, group, "tests")
		{
			bool ok = accepts(key, from_hex(text(c, "msg")), from_hex(text(c, "sig")));

			if (ok != span_is(text(c, "result"), "valid"))
				fail_msg("case %ju", (uintmax_t)number(c, "tcId"));
			if (ok)
				assert_true(key_accepted(key));
			vectors++;
		}
	}
	assert_int_equal(vectors, number(root, "numberOfTests"));
	count_message("ed25519/wycheproof.json", vectors);
}

/* A key that is refused when it is registered must have no signature that passes, and the other way round no accepted
 * signature may come from a key that is refused. */
static void judge(uintmax_t which, struct span key, struct span message, struct span signature, bool expected)
{
	bool ok = accepts(key, message, signature);

	if (ok != expected)
		fail_msg("case %ju", which);
	if (ok && !key_accepted(key))
		fail_msg("case %ju: its key is refused", which);
}

static void cctv(void **state)
{
	yyjson_val *root = vectors_json("ed25519/cctv.json"), *c;
	size_t vectors = 0, accepted = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		bool expected = flag(c, "strict_accept");

		judge(number(c, "number"), from_hex(text(c, "key")), text(c, "msg"), from_hex(text(c, "sig")),
		      expected);
		accepted += expected;
		vectors++;
	}
	print_message("# ed25519/cctv.json: %zu accepted\n", accepted);
	count_message("ed25519/cctv.json", vectors);
}

static void speccheck(void **state)
{
	yyjson_val *root = vectors_json("ed25519/speccheck.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		judge(number(c, "case"), from_hex(text(c, "pub_key")), from_hex(text(c, "message")),
		      from_hex(text(c, "signature")), flag(c, "strict_accept"));
		vectors++;
	}
	count_message("ed25519/speccheck.json", vectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self_test),  cmocka_unit_test(rfc8032), cmocka_unit_test(sign_input),
		cmocka_unit_test(wycheproof), cmocka_unit_test(cctv),	 cmocka_unit_test(speccheck),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
