#include "test.h"

#include "ledger/entry.h"

static void printed_and_parsed(void **state)
{
	static const int64_t times[] = { 0, 1, 999, INT64_C(1795380300123), INT64_C(253402300799999) };
	struct buffer out = BUFFER(1000);
	struct entry e;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(times); i++) {
		buffer_clear(&out);
		entry_print(times[i], SPAN("a\nnote"), &out);
		assert_int_equal(entry_parse(buffer_view(&out), &e), OK);
		assert_int_equal(e.logged_ms, times[i]);
		assert_span(e.note, "a\nnote");
	}
	buffer_clear(&out);
	entry_print(INT64_C(1795380300123), SPAN("n\n"), &out);
	assert_span(buffer_view(&out), "logged 2026-11-22T20:45:00.123Z\nn\n");
	buffer_free(&out);
}

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void guests(void **state)
{
	const char *text = "logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z " SUM "\ncomity/1 answer\n";
	struct buffer out = BUFFER(1000);
	struct entry e;

	(void)state;
	assert_int_equal(entry_parse(span_of(text), &e), OK);
	assert_true(e.is_guest);
	assert_int_equal(e.logged_ms - e.home_ms, 2122);
	assert_span(e.note, "comity/1 answer\n");
	entry_print_guest(e.logged_ms, e.home_ms, e.receipt, e.note, &out);
	assert_span(buffer_view(&out), text);
	buffer_free(&out);
}

static void one_spelling_of_a_time(void **state)
{
	static const char *const table[] = {
		"",
		"logged 2026-11-22T20:45:00.123Z",
		"logged 2026-11-22T20:45:00.123Z\n",
		"logged 2026-11-22T20:45:00Z\nn",
		"logged 2026-11-22T20:45:00.12Z\nn",
		"logged 2026-11-22T20:45:00.1230Z\nn",
		"logged 2026-11-22T20:45:00.123z\nn",
		"logged 2026-11-22t20:45:00.123Z\nn",
		"logged 2026-11-22 20:45:00.123Z\nn",
		"logged 2026-11-22T20:45:00.123+00:00\nn",
		"logged 2026-11-22T20:45:00.123Z \nn",
		"logged  2026-11-22T20:45:00.123Z\nn",
		"logged 2026-11-22T20:45:00.123Z\r\nn",
		"logged 2026-02-30T20:45:00.123Z\nn",
		"logged\nn",
		"Logged 2026-11-22T20:45:00.123Z\nn",
		"\nlogged 2026-11-22T20:45:00.123Z\nn",
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z " SUM,
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z " SUM "\n",
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58Z " SUM "\nn",
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z " SUM "0\nn",
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z  " SUM "\nn",
		"logged 2026-11-22T20:45:00.123Z\nhome 2026-11-22T20:44:58.001Z\nn",
		"logged 2026-11-22T20:45:00.123Z\nhome \nn",
	};
	struct entry e;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if (entry_parse(span_of(table[i]), &e) != ERR_STATEMENT)
			fail_msg("accepted: %s", table[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printed_and_parsed),
		cmocka_unit_test(guests),
		cmocka_unit_test(one_spelling_of_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
