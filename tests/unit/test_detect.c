#include "report_test.h"

static void names_formats(void **state)
{
	enum format f;

	(void)state;
	for (int i = FORMAT_UNKNOWN + 1; i < FORMAT_COUNT; i++) {
		assert_int_equal(format_parse(span_of(format_name((enum format)i)), &f), OK);
		assert_int_equal(f, i);
	}
	assert_int_equal(format_parse(SPAN("intelmq"), &f), OK);
	assert_int_equal(f, FORMAT_JSON_LINES);
	assert_int_equal(format_parse(SPAN("unknown"), &f), ERR_FORMAT_UNKNOWN);
	assert_int_equal(format_parse(SPAN(""), &f), ERR_FORMAT_UNKNOWN);
	assert_string_equal(format_name(FORMAT_COUNT), "unknown");
}

static void detects(void **state)
{
	static const struct {
		struct span name, head;
		enum err err;
		enum format format;
		const char *type;
	} cases[] = {
		{ SPAN("2026-11-22-scan_ssh-example.csv"), SPAN("timestamp,ip\n"), OK, FORMAT_SHADOWSERVER,
		  "scan_ssh" },
		{ SPAN("scan_ssh.csv"), SPAN("\"ip\",\"timestamp\"\r\n"), OK, FORMAT_SHADOWSERVER, "scan_ssh" },
		{ SPAN("2026-11-22-scan6_ssh-a-b.csv"), SPAN("timestamp,ip\n"), OK, FORMAT_SHADOWSERVER, "scan6_ssh" },
		{ SPAN("my event4_honeypot_darknet (2).csv"), SPAN("timestamp,src_ip\n"), OK, FORMAT_SHADOWSERVER,
		  "event4_honeypot_darknet" },
		{ SPAN(""), SPAN("timestamp,src_ip\n"), OK, FORMAT_SHADOWSERVER, "shadowserver" },
		{ SPAN(""), SPAN("\"timestamp\",\"src_ip\",\"client_version\",\"payload_url\"\n"), OK,
		  FORMAT_SHADOWSERVER, "event4_honeypot_brute_force" },
		{ SPAN("events"), SPAN("{\"ip\":\"8.8.4.4\"}\n"), OK, FORMAT_JSON_LINES, "json" },
		{ SPAN("events"), SPAN("\xef\xbb\xbf{\"source.ip\":\"8.8.4.4\"}\n"), OK, FORMAT_JSON_LINES, "intelmq" },
		{ SPAN("scan_ssh.csv"), SPAN("8.8.4.4\n"), OK, FORMAT_LIST, "list" },
		{ SPAN("x"), SPAN(""), ERR_EMPTY, 0, "" },
		{ SPAN("x"), SPAN("\xef\xbb\xbf\r\n \t"), ERR_EMPTY, 0, "" },
		{ SPAN("x"), SPAN("\xff\xfet\0i\0"), ERR_ENCODING, 0, "" },
		{ SPAN("x"), SPAN("\xfe\xff\0t\0i"), ERR_ENCODING, 0, "" },
		{ SPAN("x"), SPAN("t\0i\0m\0"), ERR_ENCODING, 0, "" },
		{ SPAN("x"), SPAN("timestamp,ip,\0\n"), ERR_ENCODING, 0, "" },
		{ SPAN("x"),
		  SPAN("\x7f"
		       "ELF\2\1\1\0\0\0"),
		  ERR_FORMAT_UNKNOWN, 0, "" },
		{ SPAN("x"), SPAN("<html>8.8.4.4</html>\n"), ERR_FORMAT_UNKNOWN, 0, "" },
		{ SPAN("x"), SPAN("[{\"ip\":\"8.8.4.4\"}]"), ERR_FORMAT_UNKNOWN, 0, "" },
		{ SPAN("x"), SPAN("time,place\nnow,here\n"), ERR_FORMAT_UNKNOWN, 0, "" },
	};
	struct arena *a = arena_new(1 << 20);
	const struct report_options options = { .now_ms = TEST_NOW };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct layout *l;
		enum err e = report_detect(a, cases[i].name, cases[i].head, &options, &l);

		if (e != cases[i].err)
			fail_msg("case %zu: %s, %s", i, err_code(e), err_detail());
		if (e != OK)
			continue;
		assert_int_equal(layout_format(l), cases[i].format);
		assert_span(layout_type(l), cases[i].type);
		assert_true(report_start(l).offset <= cases[i].head.len);
	}
	arena_free(a);
}

/* A head that ends inside a row, or inside the header. */
static void takes_heads_cut_anywhere(void **state)
{
	static char text[REPORT_HEAD + 10];
	struct arena *a = arena_new(1 << 22);
	const struct report_options options = { .now_ms = TEST_NOW };
	struct layout *l;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "timestamp,ip,", 13);
	assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), ERR_CSV);
	text[500] = '\n';
	assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), OK);
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"ip\":\"8.8.4.4\",", 16);
	assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), OK);
	assert_int_equal(layout_format(l), FORMAT_JSON_LINES);
	memset(text, '#', sizeof(text));
	assert_int_equal(report_detect(a, SPAN("x"), span_make(text, REPORT_HEAD), &options, &l), ERR_FORMAT_UNKNOWN);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_formats),
		cmocka_unit_test(detects),
		cmocka_unit_test(takes_heads_cut_anywhere),
	};

	return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
