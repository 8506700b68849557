#include "test.h"

#include "note/key.h"
#include "scratch.h"

#include <fcntl.h>

#include "base/encoding.h"

#define ALPHA "party.example.org/alpha+42db40c4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx"
#define ALPHA_PRIVATE "PRIVATE+KEY+party.example.org/alpha+42db40c4+AVd6GZAcnGJA5ZTPoBYtjnH0Pf5SWYkb24sLWg64dPHm"

static void names(void **state)
{
	static const struct {
		struct span name;
		bool valid;
	} table[] = {
		{ SPAN("cert.example"), true },
		{ SPAN("cert.example/circle"), true },
		{ SPAN("a"), true },
		{ SPAN("\x7f"), true },
		{ SPAN("z\xc3\xbcrich.example"), true },
		{ SPAN("\xf0\x9f\x8c\x8d"), true },
		{ SPAN(""), false },
		{ SPAN("a b"), false },
		{ SPAN("a+b"), false },
		{ SPAN("a\tb"), false },
		{ SPAN("a\nb"), false },
		{ SPAN("a\0b"), false },
		{ SPAN("a\xff"), false },
		{ SPAN("a\xc2\x85"), false },	  /* next line */
		{ SPAN("a\xc2\xa0"), false },	  /* no-break space */
		{ SPAN("\xe1\x9a\x80"), false },  /* ogham space */
		{ SPAN("\xe2\x80\x80"), false },  /* en quad */
		{ SPAN("\xe2\x80\x8a"), false },  /* hair space */
		{ SPAN("\xe2\x80\xa8"), false },  /* line separator */
		{ SPAN("\xe2\x80\xaf"), false },  /* narrow no-break space */
		{ SPAN("\xe2\x81\x9f"), false },  /* medium mathematical space */
		{ SPAN("\xe3\x80\x80x"), false }, /* ideographic space */
		{ SPAN("\xe2\x80\x8b"), true },	  /* zero width space is no white space to Unicode */
		{ SPAN("\xe2\x80\x94"), true },	  /* em dash */
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (key_name_valid(table[i].name) != table[i].valid)
			fail_msg("name %zu is judged wrongly", i);
}

static void names_have_a_maximum(void **state)
{
	char name[KEY_NAME_MAX + 1];
	uint8_t public_key[KEY_PUBLIC_SIZE];
	struct verifier v;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(verifier_parse(SPAN(ALPHA), &v), OK);
	memcpy(public_key, v.public_key, sizeof(public_key));
	assert_int_equal(verifier_make(span_make(name, KEY_NAME_MAX), public_key, &v), OK);
	assert_int_equal(strlen(v.name), KEY_NAME_MAX);
	assert_int_equal(verifier_make(span_make(name, KEY_NAME_MAX + 1), public_key, &v), ERR_KEY);
}

static void a_verifier_is_printed_as_it_was_read(void **state)
{
	struct buffer out = BUFFER(1024);
	struct verifier v;

	(void)state;
	assert_int_equal(verifier_parse(SPAN(ALPHA), &v), OK);
	assert_string_equal(v.name, "party.example.org/alpha");
	assert_int_equal(v.key_id, 0x42db40c4);
	verifier_print(&v, &out);
	assert_span(buffer_view(&out), ALPHA);
	buffer_free(&out);
}

static void bad_verifiers(void **state)
{
	static const char *const table[] = {
		"",
		"+",
		"++",
		"party.example.org/alpha",
		"party.example.org/alpha+42db40c4",
		"party.example.org/alpha+42db40c4+",
		"party.example.org/alpha+42db40c4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx\n",
		"party.example.org/alpha+42db40c4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWb",
		"party.example.org/alpha+42DB40C4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx",
		"party.example.org/alpha+42db40c5+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx",
		"party.example.org/alphb+42db40c4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx",
		"party.example.org/alpha+042db40c4+ARbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx",
		"party.example.org/alpha+42db40c4+AhbDr4OAouuBd8N6IvYTqYwBZwa4ZIMagy5Nl3KepWbx",
	};
	struct verifier v;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (verifier_parse(span_of(table[i]), &v) != ERR_KEY)
			fail_msg("accepted: %s", table[i]);
}

/* y = 1, -1, 0 (two signs), the four points of order 8, and their other spellings */
static const char *const small_order[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static enum err make_hex(const char *hex)
{
	uint8_t point[KEY_PUBLIC_SIZE];
	struct verifier v;

	assert_int_equal(hex_decode(span_of(hex), point, sizeof(point)), OK);
	return verifier_make(SPAN("a.example"), point, &v);
}

static void points_that_may_be_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(small_order); i++)
		if (make_hex(small_order[i]) != ERR_KEY)
			fail_msg("accepted: %s", small_order[i]);
	/* the base point; y = 3 twice, the second time as p + 3; y = 2, which no point of the curve has */
	assert_int_equal(make_hex("5866666666666666666666666666666666666666666666666666666666666666"), OK);
	assert_int_equal(make_hex("0300000000000000000000000000000000000000000000000000000000000000"), OK);
	assert_int_equal(make_hex("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), ERR_KEY);
	assert_int_equal(make_hex("0200000000000000000000000000000000000000000000000000000000000000"), ERR_KEY);
	/* of mixed order: honest keys are not, but the rule for signatures lets them pass, so this one must */
	assert_int_equal(make_hex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"), OK);
}

static void fingerprint_is_the_hash_of_algorithm_and_key(void **state)
{
	uint8_t typed[1 + KEY_PUBLIC_SIZE] = { 1 };
	struct verifier v;

	(void)state;
	assert_int_equal(verifier_parse(SPAN(ALPHA), &v), OK);
	memcpy(typed + 1, v.public_key, KEY_PUBLIC_SIZE);
	assert_true(hash_equal(verifier_fingerprint(&v), hash_bytes(typed, sizeof(typed))));
}

static void signs_and_verifies(void **state)
{
	uint8_t signature[KEY_SIGNATURE_SIZE];
	struct signer *s = NULL, *other = NULL;
	uint64_t seed = test_seed();

	(void)state;
	assert_int_equal(signer_new(SPAN("a.example"), &s), OK);
	assert_int_equal(signer_new(SPAN("a.example"), &other), OK);
	signer_sign(s, SPAN("text"), signature);
	assert_true(verifier_check(signer_verifier(s), SPAN("text"), signature));
	assert_false(verifier_check(signer_verifier(s), SPAN("Text"), signature));
	assert_false(verifier_check(signer_verifier(other), SPAN("text"), signature));
	for (int i = 0; i < 50; i++) {
		size_t bit = test_below(&seed, 8 * sizeof(signature));

		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(verifier_check(signer_verifier(s), SPAN("text"), signature));
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	signer_free(s);
	signer_free(other);
	assert_int_equal(signer_new(SPAN("a example"), &s), ERR_KEY);
}

static void a_key_file_comes_back(void **state)
{
	struct scratch *s = *state;
	const char *path = scratch_path(s, "key");
	struct signer *made = NULL, *loaded = NULL;
	struct stat st;

	assert_int_equal(signer_new(SPAN("cert.example"), &made), OK);
	assert_int_equal(signer_save(made, path), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_false(scratch_has(s, "key.tmp"));
	assert_int_equal(signer_load(path, &loaded), OK);
	assert_memory_equal(signer_verifier(made), signer_verifier(loaded), sizeof(struct verifier));
	signer_free(made);
	signer_free(loaded);
}

static void the_private_form_is_that_of_others(void **state)
{
	struct scratch *s = *state;
	struct signer *loaded = NULL;
	struct verifier v;

	assert_int_equal(verifier_parse(SPAN(ALPHA), &v), OK);
	assert_int_equal(scratch_write(s, "key", SPAN(ALPHA_PRIVATE)), OK);
	assert_int_equal(signer_load(scratch_path(s, "key"), &loaded), OK);
	assert_memory_equal(signer_verifier(loaded), &v, sizeof(v));
	assert_int_equal(signer_save(loaded, scratch_path(s, "again")), OK);
	assert_span(scratch_read(s, "again"), ALPHA_PRIVATE "\n");
	signer_free(loaded);
}

static void a_key_is_never_replaced(void **state)
{
	struct scratch *s = *state;
	struct signer *k = NULL;

	assert_int_equal(signer_new(SPAN("cert.example"), &k), OK);
	assert_int_equal(scratch_write(s, "key", SPAN("something")), OK);
	assert_int_equal(signer_save(k, scratch_path(s, "key")), ERR_EXISTS);
	assert_span(scratch_read(s, "key"), "something");
	/* what an attempt left that was cut short is in nobody's way */
	assert_int_equal(scratch_write(s, "other.tmp", SPAN("PRIVATE")), OK);
	assert_int_equal(signer_save(k, scratch_path(s, "other")), OK);
	assert_false(scratch_has(s, "other.tmp"));
	assert_int_equal(signer_save(k, scratch_path(s, "no/such/folder")), ERR_NOT_FOUND);
	signer_free(k);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0660, 0644, 0601, 0610 };
	struct scratch *s = *state;
	const char *path = scratch_path(s, "key");
	struct signer *k = NULL;

	assert_int_equal(scratch_write(s, "key", SPAN(ALPHA_PRIVATE "\n")), OK);
	for (size_t i = 0; i < TABLE_LENGTH(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(signer_load(path, &k), ERR_KEY);
		assert_non_null(strstr(err_detail(), "chmod"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(signer_load(path, &k), OK);
	signer_free(k);
}

static void bad_key_files(void **state)
{
	static const char *const table[] = {
		"",
		"\n",
		ALPHA,
		ALPHA_PRIVATE "\n\n",
		ALPHA_PRIVATE " ",
		"PRIVATE+KEY+party.example.org/alpha+42db40c5+AVd6GZAcnGJA5ZTPoBYtjnH0Pf5SWYkb24sLWg64dPHm\n",
		"PRIVATE+KEY+party.example.org/alpha+42db40c4+AVd6GZAcnGJA5ZTPoBYtjnH0Pf5SWYkb24sLWg64dPHn\n",
		"PRIVATE+KEY+party.example.org/alpha+42db40c4+BVd6GZAcnGJA5ZTPoBYtjnH0Pf5SWYkb24sLWg64dPHm\n",
		"PRIVATE+KEY+42db40c4+AVd6GZAcnGJA5ZTPoBYtjnH0Pf5SWYkb24sLWg64dPHm\n",
	};
	struct scratch *s = *state;
	struct signer *k = NULL;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(scratch_write(s, "key", span_of(table[i])), OK);
		if (signer_load(scratch_path(s, "key"), &k) != ERR_KEY)
			fail_msg("accepted: %s", table[i]);
	}
	assert_int_equal(signer_load(scratch_path(s, "none"), &k), ERR_NOT_FOUND);
	assert_int_equal(signer_load(s->dir, &k), ERR_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(names_have_a_maximum),
		cmocka_unit_test(a_verifier_is_printed_as_it_was_read),
		cmocka_unit_test(bad_verifiers),
		cmocka_unit_test(points_that_may_be_keys),
		cmocka_unit_test(fingerprint_is_the_hash_of_algorithm_and_key),
		cmocka_unit_test(signs_and_verifies),
		cmocka_unit_test_setup_teardown(a_key_file_comes_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_private_form_is_that_of_others, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_key_is_never_replaced, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_key_that_others_may_read_is_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(bad_key_files, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
