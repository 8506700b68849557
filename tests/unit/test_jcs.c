#include "test.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/jcs.h"
#include "base/json.h"

static struct arena *arena;

/* In the arena; an error as its code. */
static const char *canonical(struct span text, jcs_skip *skip)
{
	struct buffer b = BUFFER(1 << 20);
	yyjson_doc *doc = NULL;
	const char *result;
	enum err e;

	if (json_read(arena, text, &doc) != OK)
		fail_msg("%.*s: %s", SPAN_FORMAT(text), err_detail());
	e = jcs_write(yyjson_doc_get_root(doc), skip, NULL, &b);
	result = e == OK ? arena_copy(arena, b.at, b.len) : err_code(e);
	buffer_free(&b);
	assert_non_null(result);
	return result;
}

static void texts(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{ "null", "null" },
		{ " [ true , false,null ] ", "[true,false,null]" },
		{ "{}", "{}" },
		{ "[]", "[]" },
		{ "{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}" },
		/* RFC 8785, 3.2.2 and 3.2.3 */
		{ "{ \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
		  " \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
		  " \"literals\": [null, true, false] }",
		  "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
		  "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}" },
		{ "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With "
		  "Dagesh\","
		  "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
		  "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
		  "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
		  "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
		  "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
		  "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}" },
		/* the same behind eight equal bytes, and a prefix before what it begins */
		{ "{\"abcdefgh\\ufb33\":1,\"abcdefgh\\ud83d\\ude00\":2,\"abcdefgh\":3,\"abcdefgh\\u20ac\":4}",
		  "{\"abcdefgh\":3,\"abcdefgh\xe2\x82\xac\":4,\"abcdefgh\xf0\x9f\x98\x80\":2,"
		  "\"abcdefgh\xef\xac\xb3\":1}" },
		{ "{\"a\\u0000\":1,\"a\":2,\"\":3,\"a\\u0000\\u0000\":4}",
		  "{\"\":3,\"a\":2,\"a\\u0000\":1,\"a\\u0000\\u0000\":4}" },
		{ "\"\\b\\t\\n\\f\\r\\u001f\\u007f\\u2028 long enough for a word, and then a quote: \\\"\"",
		  "\"\\b\\t\\n\\f\\r\\u001f\x7f\xe2\x80\xa8 long enough for a word, and then a quote: \\\"\"" },
		/* nothing is normalised */
		{ "\"A\\u030a\\u00c5\"", "\"A\xcc\x8a\xc3\x85\"" },
		{ "[0,-0,-0.0,0.0,0e9,-1,10,1.0,100e-2]", "[0,0,0,0,0,-1,10,1,1]" },
		{ "[9007199254740991,-9007199254740991]", "[9007199254740991,-9007199254740991]" },
		{ "9007199254740992", "number" },
		{ "[-9007199254740992]", "number" },
		{ "{\"a\":[18446744073709551615]}", "number" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		assert_string_equal(canonical(span_of(rows[i].text), NULL), rows[i].canonical);
		arena_reset(arena);
	}
}

static const char *of_double(double d)
{
	struct buffer b = BUFFER(100);
	yyjson_doc *doc = NULL;
	const char *result;

	assert_int_equal(json_read(arena, SPAN("0.5"), &doc), OK);
	assert_true(yyjson_set_real(yyjson_doc_get_root(doc), d));
	result = err_code(jcs_write(yyjson_doc_get_root(doc), NULL, NULL, &b));
	if (strcmp(result, err_code(OK)) == 0)
		result = arena_copy(arena, b.at, b.len);
	buffer_free(&b);
	return result;
}

static double of_bits(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* RFC 8785, appendix B, and the edges of ECMAScript's layouts. */
static void numbers(void **state)
{
	static const struct {
		uint64_t bits;
		const char *text;
	} rows[] = {
		{ 0x0000000000000000, "0" },
		{ 0x8000000000000000, "0" },
		{ 0x0000000000000001, "5e-324" },
		{ 0x8000000000000001, "-5e-324" },
		{ 0x7fefffffffffffff, "1.7976931348623157e+308" },
		{ 0xffefffffffffffff, "-1.7976931348623157e+308" },
		{ 0x4340000000000000, "9007199254740992" },
		{ 0xc340000000000000, "-9007199254740992" },
		{ 0x4430000000000000, "295147905179352830000" },
		{ 0x44b52d02c7e14af5, "9.999999999999997e+22" },
		{ 0x44b52d02c7e14af6, "1e+23" },
		{ 0x44b52d02c7e14af7, "1.0000000000000001e+23" },
		{ 0x444b1ae4d6e2ef4e, "999999999999999700000" },
		{ 0x444b1ae4d6e2ef4f, "999999999999999900000" },
		{ 0x444b1ae4d6e2ef50, "1e+21" },
		{ 0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7" },
		{ 0x3eb0c6f7a0b5ed8d, "0.000001" },
		{ 0x41b3de4355555553, "333333333.3333332" },
		{ 0x41b3de4355555554, "333333333.33333325" },
		{ 0x41b3de4355555555, "333333333.3333333" },
		{ 0x41b3de4355555556, "333333333.3333334" },
		{ 0x41b3de4355555557, "333333333.33333343" },
		{ 0xbecbf647612f3696, "-0.0000033333333333333333" },
		{ 0x43143ff3c1cb0959, "1424953923781206.2" },
		{ 0x3d30000000000000, "5.684341886080802e-14" }, /* 2^-44: nearer is 801, which reads as another */
		{ 0x0010000000000000, "2.2250738585072014e-308" },
		{ 0x000fffffffffffff, "2.225073858507201e-308" },
		{ 0x3ff8000000000000, "1.5" },
		{ 0x7ff0000000000000, "number" },
		{ 0xfff0000000000000, "number" },
		{ 0x7ff8000000000000, "number" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		assert_string_equal(of_double(of_bits(rows[i].bits)), rows[i].text);
	arena_reset(arena);
}

/* How many digits a double needs at least: all counts are tried, and at a power of two, where the gap below is half of
 * the one above, the next larger digits too. */
static int digits_needed(double d)
{
	for (int n = 1; n < 17; n++) {
		char text[40], *end;
		long double step;

		snprintf(text, sizeof(text), "%.*e", n - 1, d);
		if (strtod(text, NULL) == d)
			return n;
		end = strchr(text, 'e');
		snprintf(text, sizeof(text), "1e%ld", strtol(end + 1, NULL, 10) - (n - 1));
		step = strtold(text, NULL);
		for (int up = -1; up <= 1; up += 2) {
			snprintf(text, sizeof(text), "%.*Le", n - 1, (long double)d + up * step);
			if (strtod(text, NULL) == d)
				return n;
		}
	}
	return 17;
}

static void random_doubles_are_shortest(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 30000; i++) {
		uint64_t bits = test_random(&seed);
		const char *text;
		size_t digits;
		double d;

		if (i % 4 == 0)
			bits &= UINT64_C(0xfff0000000000000); /* powers of two */
		if (i % 4 == 1)
			bits = (bits & UINT64_C(0x800fffffffffffff)) | (uint64_t)(1023 - 60 + i % 120) << 52;
		d = of_bits(bits);
		if (d != d || d > 1.7e308 || d < -1.7e308 || d == 0)
			continue;
		text = of_double(d);
		assert_true(strtod(text, NULL) == d);
		for (digits = 0, text += strspn(text, "-0."); *text != '\0' && *text != 'e'; text++)
			digits += *text != '.';
		while (digits > 0 && (text[-1] == '0' || text[-1] == '.') && *text != 'e') {
			digits -= text[-1] == '0';
			text--;
		}
		if (digits != (size_t)digits_needed(d))
			fail_msg("%.17g: %zu digits where %d do", d, digits, digits_needed(d));
		arena_reset(arena);
	}
}

/* Against a sort by UTF-16 code units that is written out. */
static size_t to_utf16(struct span s, uint16_t *out)
{
	size_t n = 0;

	while (s.len > 0) {
		size_t length = span_utf8_length(s);
		uint32_t c = (unsigned char)s.at[0];

		assert_int_not_equal(length, 0);
		c = length == 1 ? c : c & (0x7fu >> length);
		for (size_t i = 1; i < length; i++)
			c = c << 6 | ((unsigned char)s.at[i] & 0x3f);
		if (c >= 0x10000) {
			out[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		out[n++] = (uint16_t)c;
		s = span_from(s, length);
	}
	return n;
}

static bool stands_before(struct span a, struct span b)
{
	uint16_t x[64], y[64];
	size_t n = to_utf16(a, x), m = to_utf16(b, y);

	for (size_t i = 0; i < n && i < m; i++)
		if (x[i] != y[i])
			return x[i] < y[i];
	return n < m;
}

static void names_are_sorted(void **state)
{
	static const char *const pieces[] = { "a",
					      "b",
					      "\x7f",
					      "\xc2\x80",
					      "\xdf\xbf",
					      "\xe2\x82\xac",
					      "\xed\x9f\xbf",
					      "\xee\x80\x80",
					      "\xef\xac\xb3",
					      "\xef\xbf\xbd",
					      "\xf0\x90\x80\x80",
					      "\xf0\x9f\x98\x80",
					      "\xf4\x8f\xbf\xbf",
					      "aaaaaaa" };
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct buffer b = BUFFER(1 << 16);
		size_t n = 2 + test_below(&seed, round % 8 == 0 ? 80 : 8), index, count;
		yyjson_doc *doc = NULL;
		struct span before = SPAN("");
		yyjson_val *key, *v;

		for (size_t i = 0; i < n; i++) {
			buffer_text(&b, i == 0 ? "{\"" : ",\"");
			for (size_t k = test_below(&seed, 5); k < 5; k++)
				buffer_text(&b, pieces[test_below(&seed, TABLE_LENGTH(pieces))]);
			buffer_print(&b, "%zu\":%zu", i, i);
		}
		buffer_byte(&b, '}');
		assert_int_equal(json_read(arena, span_of(canonical(buffer_view(&b), NULL)), &doc), OK);
		assert_int_equal(yyjson_obj_size(yyjson_doc_get_root(doc)), n);
		yyjson_obj_foreach(yyjson_doc_get_root(doc), index, count, key, v)
		{
			struct span name = span_make(yyjson_get_str(key), yyjson_get_len(key));

			assert_true(index == 0 || stands_before(before, name));
			before = name;
		}
		buffer_free(&b);
		arena_reset(arena);
	}
}

static bool skip_x(void *context, struct span name, const yyjson_val *value)
{
	(void)context;
	return span_is(name, "x") && yyjson_is_false((yyjson_val *)(uintptr_t)value);
}

static void names_left_out(void **state)
{
	(void)state;
	assert_string_equal(canonical(SPAN("{\"x\":false,\"b\":{\"x\":false}}"), skip_x), "{\"b\":{\"x\":false}}");
	assert_string_equal(canonical(SPAN("{\"x\":true}"), skip_x), "{\"x\":true}");
	assert_string_equal(canonical(SPAN("{\"x\":false}"), skip_x), "{}");
	assert_string_equal(canonical(SPAN("[{\"x\":false}]"), skip_x), "[{\"x\":false}]");
	arena_reset(arena);
}

static void room_has_an_end(void **state)
{
	struct buffer b = BUFFER(10);
	yyjson_doc *doc = NULL;

	(void)state;
	assert_int_equal(json_read(arena, SPAN("[\"twelve bytes\"]"), &doc), OK);
	assert_int_equal(jcs_write(yyjson_doc_get_root(doc), NULL, NULL, &b), ERR_TOO_LONG);
	buffer_free(&b);
	arena_reset(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(numbers),
		cmocka_unit_test(random_doubles_are_shortest),
		cmocka_unit_test(names_are_sorted),
		cmocka_unit_test(names_left_out),
		cmocka_unit_test(room_has_an_end),
	};
	int failed;

	if ((arena = arena_new(1 << 22)) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
