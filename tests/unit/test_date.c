#include "test.h"

#include "base/clock.h"
#include "report/date.h"

/* "" : none. */
static void reads_dates(void **state)
{
	static const struct {
		const char *text, *date;
	} cases[] = {
		{ "2026-11-22", "2026-11-22T00:00:00Z" },
		{ "2026/11/22", "2026-11-22T00:00:00Z" },
		{ "2026.11.22 01:00", "2026-11-22T01:00:00Z" },
		{ "2026-11-22 01:00:29", "2026-11-22T01:00:29Z" },
		{ "2026-11-22T01:00:29", "2026-11-22T01:00:29Z" },
		{ "2026-11-22T01:00Z", "2026-11-22T01:00:00Z" },
		{ "2026-11-22T01:00:29.5+02:00", "2026-11-21T23:00:29Z" },
		{ "2026-11-22 01:00:29 (UTC)", "2026-11-22T01:00:29Z" },
		{ " 2026-11-22 01:00:29 UTC ", "2026-11-22T01:00:29Z" },
		{ "2026-11-22 at 01:00 +0200", "2026-11-21T23:00:00Z" },
		{ "Sun, 22 Nov 2026 03:00:29 +0200", "2026-11-22T01:00:29Z" },
		{ "Sun Nov 22 01:00:29 UTC 2026", "2026-11-22T01:00:29Z" },
		{ "Sun Nov 22 01:00:29 2026", "2026-11-22T01:00:29Z" },
		{ "Sunday, November 1st, 2026", "2026-11-01T00:00:00Z" },
		{ "22 november 2026 01:00 GMT", "2026-11-22T01:00:00Z" },
		{ "22nd Nov 2026 -01:30", "2026-11-22T01:30:00Z" },
		{ "1795309229", "2026-11-22T01:00:29Z" },
		{ "1795309229.5", "2026-11-22T01:00:29Z" },
		{ "1795309229000", "2026-11-22T01:00:29Z" },
		/* in two ways, or in none */
		{ "11/12/2026", "" },
		{ "11-12-2026", "" },
		{ "22 Nov", "" },
		{ "Nov 2026", "" },
		{ "2026-02-30", "" },
		{ "2026-13-01", "" },
		{ "2026-11/22", "" },
		{ "22 Nov 2026 25:00", "" },
		{ "22 Nov 2026 1:00", "" },
		{ "22 Nov 2026 01:00:29 CET", "" },
		{ "22 Nov Dec 2026", "" },
		{ "22 23 Nov 2026", "" },
		{ "22 Nov 2026 2027", "" },
		{ "22 Nov 2026 UTC UTC", "" },
		{ "22 Nov 2026 01:00Z +0100", "" },
		{ "22 Nov 2026 +01", "" },
		{ "0 Nov 2026", "" },
		{ "2026-11-22T", "" },
		{ "2026-11-22X01:00", "" },
		{ "yesterday", "" },
		{ "", "" },
		{ "  ", "" },
		{ ",", "" },
		{ "Sun", "" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		char text[CLOCK_TEXT] = "";
		int64_t ms;

		if (date_read(span_of(cases[i].text), &ms) == OK)
			clock_format(ms, text);
		if (strcmp(text, cases[i].date) != 0)
			fail_msg("\"%s\" gives \"%s\", not \"%s\"", cases[i].text, text, cases[i].date);
	}
}

/* Whatever the words, nothing beyond them is looked at. */
static void reads_anything(void **state)
{
	static const char *const pieces[] = { "2026", "-", "/", "11", "22", " ", ":",  "01",	"Nov", "Sun",
					      "UTC",  "T", "Z", ",",  "at", "(", "nd", "+0200", ".5" };
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char text[120];
		size_t n = 0, count = test_below(&seed, 14);
		int64_t ms;
		char *exact;

		for (size_t i = 0; i < count; i++) {
			const char *piece = pieces[test_below(&seed, TABLE_LENGTH(pieces))];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
		}
		exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		if (date_read(span_make(exact, n), &ms) == OK)
			assert_true(ms >= 0);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_dates),
		cmocka_unit_test(reads_anything),
	};

	return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
