#include "test.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json.h"

static struct arena *arena;

static void what_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		const char *detail; /* a part of it */
	} rows[] = {
		{ "{\"a\":1,\"b\":{\"a\":[{\"a\":1}]}}", OK, NULL },
		{ "\xef\xbb\xbf{}", ERR_ENCODING, "byte order mark" },
		{ "{\"a\":\"\xff\"}", ERR_ENCODING, "byte 6" },
		{ "{\"a\":\"\xed\xa0\x80\"}", ERR_ENCODING, "byte 6" },
		{ "{\"a\":\"\\ud800\"}", ERR_JSON, "surrogate" },
		{ "{\"a\":\"\\udc00\\ud800\"}", ERR_JSON, "surrogate" },
		{ "{\"a\":1,\"a\":2}", ERR_DUPLICATE_KEY, "\"a\"" },
		{ "[1,{\"b\":[{\"c\":{\"a\":1,\"b\":2,\"\\u0061\":2}}]}]", ERR_DUPLICATE_KEY, "\"a\"" },
		{ "{\"\":1,\"\":2}", ERR_DUPLICATE_KEY, "\"\"" },
		{ "{\"a\":1,\"a\\u0000\":2,\"A\":3}", OK, NULL },
		{ "", ERR_JSON, "no JSON" },
		{ "{", ERR_JSON, "byte 1" },
		{ "9007199254740991", OK, NULL },
		{ "-9007199254740991", OK, NULL },
		{ "9007199254740992", ERR_NUMBER, "9007199254740992" },
		{ "[-9007199254740992]", ERR_NUMBER, "-9007199254740992" },
		{ "[-9223372036854775808]", ERR_NUMBER, "-9223372036854775808" },
		{ "{\"a\":18446744073709551615}", ERR_NUMBER, "18446744073709551615" },
		{ "{\"a\":18446744073709551616}", ERR_NUMBER, "digits" },
		{ "[\"\\\"1\",-100000000000000000000000000000000]", ERR_NUMBER, "digits" },
		{ "[1e30,-1E+30,100000000000000000000000.5,18446744073709551616e0]", OK, NULL },
		{ "[\"18446744073709551616\",1e30]", OK, NULL },
		{ "[\"\\\\\",1e30,\"\\\\\\\"18446744073709551616\"]", OK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		yyjson_doc *doc;
		enum err e = json_read_strict(arena, span_of(rows[i].text), &doc);

		if (e != rows[i].err)
			fail_msg("%s: %s, not %s", rows[i].text, err_code(e), err_code(rows[i].err));
		if (e != OK && strstr(err_detail(), rows[i].detail) == NULL)
			fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].text, err_detail(), rows[i].detail);
		arena_reset(arena);
	}
}

/* Small and large objects are looked through in two ways. */
static void names_of_any_number(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (size_t n = 2; n < 300; n += n < 40 ? 1 : 50) {
		for (int twice = 0; twice < 2; twice++) {
			size_t a = test_below(&seed, n - 1);
			size_t b = a + 1 + test_below(&seed, n - 1 - a);
			struct buffer text = BUFFER(1 << 16);
			struct span name = SPAN("");
			yyjson_doc *doc;
			char expected[24];

			for (size_t i = 0; i < n; i++)
				buffer_print(&text, "%c\"k%zu\":{}", i == 0 ? '{' : ',', twice && i == b ? a : i);
			buffer_byte(&text, '}');
			assert_int_equal(json_read(arena, buffer_view(&text), &doc), OK);
			assert_int_equal(json_unique(doc, &name), twice ? ERR_DUPLICATE_KEY : OK);
			snprintf(expected, sizeof(expected), "k%zu", a);
			if (twice)
				assert_span(name, expected);
			buffer_free(&text);
			arena_reset(arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(names_of_any_number),
	};
	int failed;

	if ((arena = arena_new(1 << 22)) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
