#include "test.h"

#include <inttypes.h>
#include <stdio.h>

static void cutting_goes_round(void **state)
{
	static const struct {
		const char *text, *parts[5];
	} table[] = {
		{ "a,b,c", { "a", "b", "c" } }, { "a", { "a" } },      { "", { "" } }, { ",", { "", "" } },
		{ "a,,b", { "a", "", "b" } },	{ "a,", { "a", "" } },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct span rest = span_of(table[i].text);
		unsigned n = 0;

		for (; rest.at != NULL; n++) {
			assert_non_null(table[i].parts[n]);
			assert_span(span_cut(&rest, ','), table[i].parts[n]);
		}
		assert_null(table[i].parts[n]);
		assert_int_equal(rest.len, 0);
	}
}

static void lines_end_in_lf_or_crlf(void **state)
{
	static const struct {
		const char *text, *lines[4];
	} table[] = {
		{ "", { NULL } },	    { "\n", { "" } },
		{ "a\nb\n", { "a", "b" } }, { "a\r\n\r\nb", { "a", "", "b" } },
		{ "a\rb\r", { "a\rb\r" } }, { "\r\r\n", { "\r" } },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct span rest = span_of(table[i].text), line;
		unsigned n = 0;

		for (; span_line(&rest, &line); n++) {
			assert_non_null(table[i].lines[n]);
			assert_span(line, table[i].lines[n]);
		}
		assert_null(table[i].lines[n]);
	}
}

static void numbers_have_one_spelling(void **state)
{
	static const char *bad[] = {
		"",    "01", "00", "+1", "-1", " 1", "1 ", "1a", "18446744073709551616", "99999999999999999999999",
		"1.0", "0x1"
	};
	uint64_t v = 99, seed = test_seed();

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_int_equal(span_u64(span_of(bad[i]), UINT64_MAX, &v), ERR_NUMBER);
	assert_int_equal(v, 99);
	assert_int_equal(span_u64(SPAN("256"), 255, &v), ERR_NUMBER);
	assert_int_equal(span_u64_loose(SPAN("061"), 255, &v), OK);
	assert_int_equal(v, 61);
	assert_int_equal(span_u64_loose(SPAN("000"), 255, &v), OK);
	assert_int_equal(v, 0);
	assert_int_equal(span_u64_loose(SPAN(""), 255, &v), ERR_NUMBER);
	for (int i = 0; i < 10000; i++) {
		uint64_t drawn = test_random(&seed) >> test_below(&seed, 64);
		char text[32];

		snprintf(text, sizeof(text), "%" PRIu64, drawn);
		assert_int_equal(span_u64(span_of(text), UINT64_MAX, &v), OK);
		assert_true(v == drawn);
		assert_int_equal(span_u64(span_of(text), drawn, &v), OK);
		if (drawn > 0)
			assert_int_equal(span_u64(span_of(text), drawn - 1, &v), ERR_NUMBER);
	}
}

/* Decodes by RFC 3629's table of code points and refuses what has a shorter form. */
static bool utf8_by_code_point(const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t more = p[0] < 0x80 ? 0 : p[0] >> 5 == 6 ? 1 : p[0] >> 4 == 14 ? 2 : p[0] >> 3 == 30 ? 3 : 9;
		uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

		if (more >= n)
			return false;
		for (size_t i = 1; i <= more; i++) {
			if (p[i] >> 6 != 2)
				return false;
			c = c << 6 | (p[i] & 63);
		}
		if ((more == 1 && c < 0x80) || (more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
		p += more + 1;
		n -= more + 1;
	}
	return true;
}

static void utf8_agrees_with_a_decoder(void **state)
{
	static const unsigned char likely[] = { 'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
						0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff };
	uint64_t seed = test_seed();
	unsigned good = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		unsigned char text[24];
		size_t n = test_below(&seed, 5), ascii = test_below(&seed, 2) * test_below(&seed, 19);

		memset(text, 'x', ascii);
		for (size_t k = 0; k < n; k++)
			text[ascii + k] = likely[test_below(&seed, sizeof(likely))];
		assert_int_equal(span_is_utf8(span_make(text, ascii + n)), utf8_by_code_point(text, ascii + n));
		good += utf8_by_code_point(text + ascii, n) && n > 1;
	}
	assert_true(good > 1000);
	assert_true(span_is_utf8(SPAN("Grüße, 世界, 🙂")));
	assert_true(span_is_utf8((struct span){ NULL, 0 }));
	assert_int_equal(span_utf8_length(SPAN("🙂x")), 4);
	assert_int_equal(span_utf8_length(SPAN("")), 0);
}

static void domains(void **state)
{
	static const char *good[] = { "cert.example",
				      "a.b",
				      "xn--bcher-kva.example",
				      "1.2.3.x4",
				      "r3---sn.example",
				      "as64500.example",
				      "a23456789012345678901234567890123456789012345678901234567890123.example" };
	static const char *bad[] = { "",
				     "example",
				     ".example",
				     "cert.example.",
				     "a..b",
				     "Cert.example",
				     "-a.b",
				     "a-.b",
				     "a_b.c",
				     "a b.c",
				     "192.0.2.1",
				     "b\xc3\xbc.example",
				     "xn--.example",
				     "a.b/c",
				     "a.b:1",
				     "a234567890123456789012345678901234567890123456789012345678901234.example" };
	char longest[254] = "";

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(good); i++)
		assert_true(span_is_domain(span_of(good[i])));
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_false(span_is_domain(span_of(bad[i])));
	for (int i = 0; i < 253; i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	assert_true(span_is_domain(span_make(longest, 253)));
	assert_false(span_is_domain(span_make(longest, 254)));
	assert_false(span_is_domain((struct span){ NULL, 0 }));
}

static void comparing(void **state)
{
	(void)state;
	assert_true(span_compare(SPAN("a"), SPAN("b")) < 0);
	assert_true(span_compare(SPAN("a"), SPAN("ab")) < 0);
	assert_true(span_compare(SPAN("b"), SPAN("ab")) > 0);
	assert_true(span_compare(SPAN("\xff"), SPAN("a")) > 0);
	assert_int_equal(span_compare(SPAN(""), (struct span){ NULL, 0 }), 0);
	assert_true(span_equal(SPAN(""), (struct span){ NULL, 0 }));
	assert_true(span_equal_nocase(SPAN("AbC@["), SPAN("aBc@[")));
	assert_false(span_equal_nocase(SPAN("@"), SPAN("`")));
	assert_false(span_equal_nocase(SPAN("a"), SPAN("ab")));
	assert_true(span_starts(SPAN("abc"), "ab") && span_starts(SPAN("abc"), "") && !span_starts(SPAN("a"), "ab"));
	assert_true(span_ends(SPAN("abc"), "bc") && span_ends((struct span){ NULL, 0 }, "") &&
		    !span_ends(SPAN("c"), "bc"));
	assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
	assert_span(span_trim(SPAN(" \t ")), "");
	assert_span(span_from(SPAN("abc"), 1), "bc");
	assert_span(span_from(SPAN("abc"), 3), "");
	assert_true(span_is(SPAN("a"), "a") && !span_is(SPAN("a"), "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cutting_goes_round),
		cmocka_unit_test(lines_end_in_lf_or_crlf),
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(utf8_agrees_with_a_decoder),
		cmocka_unit_test(domains),
		cmocka_unit_test(comparing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
