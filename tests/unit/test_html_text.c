#include "net/html.h"

#include "test.h"

static void writes(struct span text, size_t most, const char *expected)
{
	struct buffer out = BUFFER(4096);

	html_text_cut(&out, text, most);
	assert_int_equal(out.err, OK);
	assert_span(buffer_view(&out), expected);
	buffer_free(&out);
}

static void what_means_something_is_written_as_text(void **state)
{
	static const struct {
		struct span text;
		const char *expected;
	} rows[] = {
		{ SPAN(""), "" },
		{ SPAN("plain"), "plain" },
		{ SPAN("<script>alert('x')</script>"), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
		{ SPAN("\" onfocus=\"x"), "&quot; onfocus=&quot;x" },
		{ SPAN("&lt;&amp;"), "&amp;lt;&amp;amp;" },
		{ SPAN("&"), "&amp;" },
		{ SPAN("a\nb\tc"), "a\nb\tc" },
		{ SPAN("a\0b"), "a\xef\xbf\xbd"
				"b" },
		{ SPAN("\r\x1b[31m\x7f"), "\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd" },
		{ SPAN("Tõnu Ülo 東京"), "Tõnu Ülo 東京" },
		{ SPAN("\xff<\xc3"), "\xef\xbf\xbd&lt;\xef\xbf\xbd" },
		{ SPAN("\xc0\xbcscript"), "\xef\xbf\xbd\xef\xbf\xbdscript" },	  /* '<' overlong */
		{ SPAN("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
		{ SPAN("gpj.\xe2\x80\xae.exe"), "gpj.\xef\xbf\xbd.exe" },	  /* right to left */
		{ SPAN("\xe2\x81\xa6x\xe2\x81\xa9\xd8\x9c"), "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd" },
		{ SPAN("\xc2\x85\xc2\xa0"), "\xef\xbf\xbd\xc2\xa0" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		writes(rows[i].text, SIZE_MAX, rows[i].expected);
}

static void it_is_cut_between_characters(void **state)
{
	(void)state;
	writes(SPAN("abcdef"), 6, "abcdef");
	writes(SPAN("abcdef"), 5, "abcde…");
	writes(SPAN("aüb"), 2, "a…");
	writes(SPAN("aüb"), 3, "aü…");
	writes(SPAN("a<b"), 2, "a&lt;…");
	writes(SPAN("東京"), 0, "…");
}

/* Of any bytes: nothing that begins a tag, ends a value or is no UTF-8; and nothing is left out. */
static void any_bytes_are_text(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		static const char odd[] = "<>&\"'\xc2\xe2\x80\xae\xd8\0\n;#";
		struct buffer out = BUFFER(4096);
		char text[64];
		size_t n = test_below(&seed, sizeof(text));
		struct span rest;

		for (size_t i = 0; i < n; i++)
			text[i] = test_below(&seed, 2) ? odd[test_below(&seed, sizeof(odd) - 1)]
						       : (char)test_random(&seed);
		html_text(&out, span_make(text, n));
		rest = buffer_view(&out);
		assert_int_equal(out.err, OK);
		assert_true(rest.len >= n / 4);
		assert_true(span_is_utf8(rest));
		for (size_t i = 0; i < rest.len; i++) {
			assert_null(rest.at[i] == '\0' ? "" : strchr("<>\"'", rest.at[i]));
			if (rest.at[i] == '&')
				assert_true(span_starts(span_from(rest, i), "&amp;") ||
					    span_starts(span_from(rest, i), "&lt;") ||
					    span_starts(span_from(rest, i), "&gt;") ||
					    span_starts(span_from(rest, i), "&quot;") ||
					    span_starts(span_from(rest, i), "&#39;"));
		}
		buffer_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_is_written_as_text),
		cmocka_unit_test(it_is_cut_between_characters),
		cmocka_unit_test(any_bytes_are_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
