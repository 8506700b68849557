#include "test.h"

#include <openssl/evp.h>

#include "base/encoding.h"

static void hex_goes_round(void **state)
{
	static const char *bad[] = { "", "0", "000", "0000", "0A", "0g", "g0", " 0", "0x", "/0", ":0", "`0" };
	uint8_t all[256], back[256];
	char text[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	hex_encode(all, 256, text);
	assert_int_equal(strlen(text), 512);
	assert_int_equal(hex_decode(span_of(text), back, 256), OK);
	assert_memory_equal(all, back, 256);
	hex_encode("\x9f\x0a", 2, text);
	assert_string_equal(text, "9f0a");
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_int_equal(hex_decode(span_of(bad[i]), back, 1), ERR_ENCODING);
	assert_int_equal(hex_decode((struct span){ NULL, 0 }, NULL, 0), OK);
}

static void base64_vectors(void **state)
{
	/* RFC 4648 section 10 */
	static const char *table[][2] = { { "", "" },
					  { "f", "Zg==" },
					  { "fo", "Zm8=" },
					  { "foo", "Zm9v" },
					  { "foob", "Zm9vYg==" },
					  { "fooba", "Zm9vYmE=" },
					  { "foobar", "Zm9vYmFy" } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		char text[16], back[16];
		size_t n = 99;

		base64_encode(table[i][0], strlen(table[i][0]), text);
		assert_string_equal(text, table[i][1]);
		assert_int_equal(base64_decode(span_of(text), back, 6, &n), OK);
		assert_span(span_make(back, n), table[i][0]);
	}
}

static void base64_has_one_text_for_one_value(void **state)
{
	static const char *bad[] = { "Z",	 "Zg",	 "Zg=",	 "Zh==", "Zm9=",      "Zg==Zg==",
				     "Zm8=Zm8=", "====", "=Zg=", "Z===", "Zg=a",      "Zm9v\n",
				     "Zm 9v===", "Zm9-", "Zm9_", "Zm9*", "\xc3\xbcxx" };
	char out[16];
	size_t n = 99;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_int_equal(base64_decode(span_of(bad[i]), out, sizeof(out), &n), ERR_ENCODING);
	assert_int_equal(base64_decode(SPAN("Zm9vYg=="), out, 3, &n), ERR_TOO_LONG);
	assert_int_equal(n, 99);
	assert_int_equal(base64_decode(SPAN("Zm9vYg=="), out, 4, &n), OK);
}

static void base64_agrees_with_another(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint8_t bytes[200], back[200];
		char mine[300], theirs[300];
		size_t n = test_below(&seed, sizeof(bytes)), length = 0;
		struct buffer b = BUFFER(300);

		test_bytes(&seed, bytes, n);
		base64_encode(bytes, n, mine);
		EVP_EncodeBlock((unsigned char *)theirs, bytes, (int)n);
		assert_string_equal(mine, theirs);
		assert_int_equal(strlen(mine), BASE64_LENGTH(n));
		base64_append(&b, bytes, n);
		assert_span(buffer_view(&b), mine);
		buffer_free(&b);
		assert_int_equal(base64_decode(span_of(mine), back, n, &length), OK);
		assert_int_equal(length, n);
		assert_memory_equal(bytes, back, n);
	}
}

static void appending_stops_at_the_maximum(void **state)
{
	struct buffer b = BUFFER(4);

	(void)state;
	base64_append(&b, "abc", 3);
	assert_span(buffer_view(&b), "YWJj");
	base64_append(&b, "", 0);
	assert_int_equal(b.err, OK);
	base64_append(&b, "d", 1);
	assert_int_equal(b.err, ERR_TOO_LONG);
	assert_int_equal(b.len, 4);
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_round),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_has_one_text_for_one_value),
		cmocka_unit_test(base64_agrees_with_another),
		cmocka_unit_test(appending_stops_at_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
