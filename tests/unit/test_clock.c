#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define LAST_MS INT64_C(253402300799999)

typedef enum err parser(struct span s, int64_t *ms);

struct row {
	const char *text;
	int64_t ms;
};

static void all_parse(parser *parse, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t ms = -1;

		if (parse(span_of(rows[i].text), &ms) != OK)
			fail_msg("\"%s\" does not parse", rows[i].text);
		if (ms != rows[i].ms)
			fail_msg("\"%s\" is %" PRId64 ", not %" PRId64, rows[i].text, ms, rows[i].ms);
	}
}

static void none_parses(parser *parse, const char *const *texts, size_t n)
{
	int64_t ms = -1;

	for (size_t i = 0; i < n; i++)
		if (parse(span_of(texts[i]), &ms) != ERR_TIME || ms != -1)
			fail_msg("\"%s\" parses", texts[i]);
	assert_int_equal(parse((struct span){ NULL, 0 }, &ms), ERR_TIME);
}

static void the_form_of_statements(void **state)
{
	static const struct row good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01Z", 1000 },
		{ "2000-02-29T12:00:00Z", INT64_C(951825600000) },
		{ "2026-11-22T20:45:00Z", INT64_C(1795380300000) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799000) },
	};
	static const char *const bad[] = {
		"",
		"2026-11-22T20:45:00",
		"2026-11-22T20:45:00z",
		"2026-11-22t20:45:00Z",
		"2026-11-22 20:45:00Z",
		"2026-11-22T20:45:00.0Z",
		"2026-11-22T20:45:00+00:00",
		"2026-11-22T20:45:60Z",
		"2026-11-22T20:60:00Z",
		"2026-11-22T24:00:00Z",
		"2026-13-22T20:45:00Z",
		"2026-00-22T20:45:00Z",
		"2026-11-00T20:45:00Z",
		"2026-11-31T20:45:00Z",
		"2026-02-29T20:45:00Z",
		"1900-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z",
		" 2026-11-22T20:45:00Z",
		"2026-11-22T20:45:00Z ",
		"2026-1-22T20:45:00ZZ",
		"+026-11-22T20:45:00Z",
		"2026-11-22T2a:45:00Z",
		"2026/11/22T20:45:00Z",
		"2026-11-22T20.45.00Z",
		"-026-11-22T20:45:00Z",
		"20 6-11-22T20:45:00Z",
		"2026-11-22T20:45:0\xffZ",
	};

	(void)state;
	all_parse(clock_parse, good, TABLE_LENGTH(good));
	none_parses(clock_parse, bad, TABLE_LENGTH(bad));
}

static void the_form_without_a_mark(void **state)
{
	static const struct row good[] = {
		{ "1970-01-01 00:00:00", 0 },
		{ "2026-11-22 20:45:00", INT64_C(1795380300000) },
	};
	static const char *const bad[] = { "",
					   "2026-11-22T20:45:00",
					   "2026-11-22 20:45:00Z",
					   "2026-11-22 20:45",
					   "2026-11-22 20:45:60",
					   "2026-11-31 20:45:00",
					   "2023-02-29 20:45:00",
					   "1969-12-31 23:59:59" };

	(void)state;
	all_parse(clock_parse_plain, good, TABLE_LENGTH(good));
	none_parses(clock_parse_plain, bad, TABLE_LENGTH(bad));
}

static void rfc3339_in_full(void **state)
{
	static const struct row good[] = {
		{ "1985-04-12T23:20:50.52Z", INT64_C(482196050520) }, /* the document's own examples */
		{ "1996-12-19T16:39:57-08:00", INT64_C(851042397000) },
		{ "1990-12-31T23:59:60Z", INT64_C(662687999000) },
		{ "1990-12-31T15:59:60-08:00", INT64_C(662687999000) },
		{ "2026-11-22t20:45:00z", INT64_C(1795380300000) },
		{ "2026-11-22 20:45:00Z", INT64_C(1795380300000) },
		{ "2026-11-22T20:45:00.1Z", INT64_C(1795380300100) },
		{ "2026-11-22T20:45:00.0019999999Z", INT64_C(1795380300001) },
		{ "2026-11-22T20:45:00-00:00", INT64_C(1795380300000) },
		{ "2026-11-23T02:15:00+05:30", INT64_C(1795380300000) },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:00:00-01:00", 0 },
	};
	static const char *const bad[] = {
		"",
		"2026-11-22T20:45:00",
		"2026-11-22T20:45Z",
		"2026-11-22T20:45:00.Z",
		"2026-11-22T20:45:00,1Z",
		"2026-11-22T20:45:00.1",
		"2026-11-22T20:45:00+0100",
		"2026-11-22T20:45:00+24:00",
		"2026-11-22T20:45:00+01:60",
		"2026-11-22T20:45:00+1:00",
		"2026-11-22T20:45:00ZZ",
		"2026-11-22_20:45:00Z",
		"2026-11-22T20:45:61Z",
		"1970-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-00:01",
		"2026-11-22T20:45:00 Z",
		"0000-01-01T00:00:00+23:59",
		"2026-11-22T20:45:00.123456+",
		"2026-11-22T20:45:00*01:00",
	};

	(void)state;
	all_parse(clock_parse_rfc3339, good, TABLE_LENGTH(good));
	none_parses(clock_parse_rfc3339, bad, TABLE_LENGTH(bad));
}

static void dates_of_mail(void **state)
{
	static const struct row good[] = {
		{ "Sat, 22 Aug 2026 03:00:29 +0200", INT64_C(1787360429000) },
		{ "22 Aug 2026 03:00:29 +0200", INT64_C(1787360429000) },
		{ "Sat,22 Aug 2026 01:00:29 GMT", INT64_C(1787360429000) },
		{ "sat, 22 AUG 2026 01:00:29 utc", INT64_C(1787360429000) },
		{ "Mon, 22 Aug 2026 01:00:29 Z", INT64_C(1787360429000) },
		{ "Sat, 22 Aug 2026 03:00:29 +0200 (CEST)", INT64_C(1787360429000) },
		{ " Sat (a (nested\\) one)) , 22\r\n Aug\t2026 03:00 : 29 +0200 ", INT64_C(1787360429000) },
		{ "Fri, 21 Aug 2026 20:00:29 EST", INT64_C(1787360429000) },
		{ "Fri, 21 Aug 2026 18:00:29 PDT", INT64_C(1787360429000) },
		{ "1 Jan 1970 00:00 -0000", 0 },
		{ "01 Jan 70 00:00:00 +0000", 0 },
		{ "1 Jan 100 00:00:00 +0000", INT64_C(946684800000) },
		{ "1 Jan 00 00:00:00 +0000", INT64_C(946684800000) },
	};
	static const char *const bad[] = {
		"",
		"Sat",
		"Sat,",
		"Sat, 22",
		"Sat, 22 Aug",
		"Sat, 22 Aug 2026",
		"Sat, 22 Aug 2026 03:00:29",
		"Sat 22 Aug 2026 03:00:29 +0200",
		"Sa, 22 Aug 2026 03:00:29 +0200",
		"Sat, 32 Aug 2026 03:00:29 +0200",
		"Sat, 31 Feb 2026 03:00:29 +0200",
		"Sat, 22 Augu 2026 03:00:29 +0200",
		"Sat, 022 Aug 2026 03:00:29 +0200",
		"Sat, 22 Aug 2026 3:00:29 +0200",
		"Sat, 22 Aug 2026 24:00:29 +0200",
		"Sat, 22 Aug 2026 03:00:60 +0200",
		"Sat, 22 Aug 2026 03:00:29 CEST",
		"Sat, 22 Aug 2026 03:00:29 A",
		"Sat, 22 Aug 2026 03:00:29 +020",
		"Sat, 22 Aug 2026 03:00:29 +02:00",
		"Sat, 22 Aug 2026 03:00:29 +0260",
		"Sat, 22 Aug 2026 03:00:29 +0200 x",
		"Sat, 22 Aug 2026 03:00:29 +0200 (open",
		"(open",
		"((((",
		"Sat, 22 Aug 20266 03:00:29 +0200",
		"Sat, 22 Aug 6 03:00:29 +0200",
		"Sat, -2 Aug 2026 03:00:29 +0200",
		"1 Jan 1970 00:00 +0100",
		"22-Aug-2026 03:00:29 +0200",
		"Sat, 22 Aug 2026 03:00: +0200",
		"Sat, 22 Aug 2026 03::29 +0200",
		"(\\",
	};

	(void)state;
	all_parse(clock_parse_rfc5322, good, TABLE_LENGTH(good));
	none_parses(clock_parse_rfc5322, bad, TABLE_LENGTH(bad));
}

/* Every day from 1970 to 9999, counted one by one. */
static void every_day_has_its_date(void **state)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t day = 0, ms;

	(void)state;
	for (int year = 1970; year <= 9999; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		for (int month = 1; month <= 12; month++) {
			int last = length[month - 1] + (leap && month == 2);

			for (int d = 1; d <= last; d++, day++) {
				char text[64], back[CLOCK_TEXT];

				snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year, month, d);
				if (clock_parse(span_of(text), &ms) != OK || ms != day * 86400000)
					fail_msg("%s", text);
				clock_format(ms, back);
				if (strcmp(text, back) != 0)
					fail_msg("%s is not %s", back, text);
			}
		}
	}
	assert_true(day * 86400000 == LAST_MS + 1);
}

static void formatting_agrees_with_libc(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t ms = (int64_t)(test_random(&seed) % (LAST_MS + 1)), back;
		time_t seconds = (time_t)(ms / 1000);
		char mine[CLOCK_TEXT], theirs[64];
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm);
		clock_format(ms, mine);
		assert_string_equal(mine, theirs);
		assert_int_equal(clock_parse(span_of(mine), &back), OK);
		assert_true(back == ms - ms % 1000);
		clock_format_ms(ms, mine);
		assert_int_equal(clock_parse_rfc3339(span_of(mine), &back), OK);
		assert_true(back == ms);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S +0000", &tm);
		assert_int_equal(clock_parse_rfc5322(span_of(theirs), &back), OK);
		assert_true(back == ms - ms % 1000);
	}
}

static void beyond_the_ends(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	clock_format_ms(-1, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_format_ms(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_format_ms(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	clock_format(LAST_MS + 1, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void lengths_of_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *again; /* NULL: the same */
	} good[] = {
		{ "0", 0, NULL },	   { "1s", 1000, NULL },
		{ "90m", 5400000, NULL },  { "60m", 3600000, "1h" },
		{ "24h", 86400000, "1d" }, { "7d", 604800000, NULL },
		{ "0h", 0, "0" },	   { "3653d", CLOCK_DURATION_MAX, NULL },
	};
	static const char *const bad[] = {
		"",
		"1",
		"d",
		"-1d",
		"+1d",
		"01d",
		"1.5h",
		"1 d",
		"1D",
		"1w",
		"3654d",
		"87673h",
		"99999999999999999999d",
		"1h30m",
	};
	char text[CLOCK_TEXT];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(good); i++) {
		assert_int_equal(clock_parse_duration(span_of(good[i].text), &ms), OK);
		assert_int_equal(ms, good[i].ms);
		clock_format_duration(ms, text);
		assert_string_equal(text, good[i].again != NULL ? good[i].again : good[i].text);
	}
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_int_equal(clock_parse_duration(span_of(bad[i]), &ms), ERR_TIME);
	clock_format_duration(999, text);
	assert_string_equal(text, "0");
	clock_format_duration(1999, text);
	assert_string_equal(text, "1s");
	clock_format_duration(INT64_MAX, text);
	assert_true(strlen(text) < CLOCK_TEXT);
}

static void now(void **state)
{
	int64_t before = clock_monotonic_us();

	(void)state;
	assert_true(clock_now_ms() > INT64_C(1577836800000)); /* 2020 */
	assert_true(clock_now_ms() < LAST_MS);
	assert_true(clock_monotonic_us() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_of_statements),
		cmocka_unit_test(the_form_without_a_mark),
		cmocka_unit_test(rfc3339_in_full),
		cmocka_unit_test(dates_of_mail),
		cmocka_unit_test(every_day_has_its_date),
		cmocka_unit_test(formatting_agrees_with_libc),
		cmocka_unit_test(beyond_the_ends),
		cmocka_unit_test(lengths_of_time),
		cmocka_unit_test(now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
