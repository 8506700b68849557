/* Which events are told: the decision case by case, and rows made into lines against a twin that compares each with all. */
#include "test.h"

#include <stdio.h>

#include "route/lines.h"
#include "route/names.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T0 INT64_C(1793491200000)

static struct directive usual(void)
{
	return (struct directive){ .window_ms = DAY, .quiet_ms = 7 * DAY, .threshold = 1000 };
}

static void the_decision(void **state)
{
	static const struct {
		const char *what;
		bool known;
		struct sighting before; /* times: hours after T0; 0 stays */
		struct directive d;	/* zero: the usual one */
		uint64_t count;
		int64_t last; /* hours after T0 */
		enum line_word word;
	} cases[] = {
		{ "first", .last = 1, .count = 1, .word = LINE_FIRST },
		{ "never told",
		  true,
		  { .count = 5, .held = 5, .last_ms = 1 },
		  .count = 1,
		  .last = 2,
		  .word = LINE_FIRST },
		{ "an hour later",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  .count = 9,
		  .last = 2,
		  .word = LINE_HELD },
		{ "the same time",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  .count = 1,
		  .last = 1,
		  .word = LINE_HELD },
		{ "older than what was told",
		  true,
		  { .count = 1, .told = 1, .last_ms = 30, .told_ms = 30 },
		  .count = 1,
		  .last = 1,
		  .word = LINE_HELD },
		{ "just inside the window",
		  true,
		  { .count = 1, .told = 1, .last_ms = 20, .told_ms = 1 },
		  .count = 1,
		  .last = 24,
		  .word = LINE_HELD },
		{ "at the window's end",
		  true,
		  { .count = 1, .told = 1, .last_ms = 20, .told_ms = 1 },
		  .count = 1,
		  .last = 25,
		  .word = LINE_STILL },
		{ "quiet for a week",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  .count = 1,
		  .last = 169,
		  .word = LINE_AGAIN },
		{ "seen but not told for a week",
		  true,
		  { .count = 1, .told = 1, .last_ms = 150, .told_ms = 1 },
		  .count = 1,
		  .last = 169,
		  .word = LINE_STILL },
		{ "one short of the threshold",
		  true,
		  { .count = 999, .held = 998, .told = 1, .last_ms = 2, .told_ms = 1 },
		  .count = 1,
		  .last = 3,
		  .word = LINE_HELD },
		{ "the threshold",
		  true,
		  { .count = 999, .held = 998, .told = 1, .last_ms = 2, .told_ms = 1 },
		  .count = 2,
		  .last = 3,
		  .word = LINE_MANY },
		{ "more held than the threshold",
		  true,
		  { .count = 9999, .held = UINT64_MAX, .told = 1, .last_ms = 2, .told_ms = 1 },
		  .count = 1,
		  .last = 3,
		  .word = LINE_MANY },
		{ "no threshold",
		  true,
		  { .count = 1, .held = 5000, .told = 1, .last_ms = 2, .told_ms = 1 },
		  { .window_ms = DAY, .quiet_ms = 7 * DAY },
		  .count = 5000,
		  .last = 3,
		  .word = LINE_HELD },
		{ "no window",
		  true,
		  { .count = 1, .told = 1, .last_ms = 9, .told_ms = 9 },
		  { .quiet_ms = 7 * DAY },
		  .count = 1,
		  .last = 2,
		  .word = LINE_STILL },
		{ "quiet has no meaning",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  { .window_ms = 90 * DAY },
		  .count = 1,
		  .last = 999,
		  .word = LINE_HELD },
		{ "quiet comes before a longer window",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  { .window_ms = 90 * DAY, .quiet_ms = DAY },
		  .count = 1,
		  .last = 25,
		  .word = LINE_AGAIN },
		{ "many hosts behind it",
		  true,
		  { .count = 1, .told = 1, .last_ms = 1, .told_ms = 1 },
		  { .window_ms = DAY, .quiet_ms = 7 * DAY, .carrier_nat = true },
		  .count = 1,
		  .last = 2,
		  .word = LINE_EACH },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		static const struct directive none;
		struct directive d = memcmp(&cases[i].d, &none, sizeof(d)) == 0 ? usual() : cases[i].d;
		struct sighting before = cases[i].before;
		struct sighting_change now = { .count = cases[i].count,
					       .first_ms = T0,
					       .last_ms = T0 + cases[i].last * HOUR };

		before.last_ms = T0 + before.last_ms * HOUR;
		before.told_ms = before.told == 0 ? 0 : T0 + before.told_ms * HOUR;
		if (line_decide(cases[i].known ? &before : NULL, &d, &now) != cases[i].word)
			fail_msg("%s", cases[i].what);
	}
}

static bool same(const struct row_entry *a, const struct row_entry *b)
{
	return row_notice(a) == row_notice(b) && a->high == b->high && a->low == b->low && a->detail == b->detail &&
	       a->family == b->family && a->source_length == b->source_length;
}

static void check_line(const struct line *l, const struct row_entry *entries, const uint32_t *order, size_t count,
		       const struct row_entry *one)
{
	struct sighting_change c = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct row_entry *e = &entries[order[i]];

		if (!same(e, one))
			continue;
		c.count++;
		if (e->time_ms != 0 && (c.first_ms == 0 || e->time_ms < c.first_ms))
			c.first_ms = e->time_ms;
		c.last_ms = e->time_ms > c.last_ms ? e->time_ms : c.last_ms;
	}
	assert_true(l->now.count == c.count && l->now.first_ms == c.first_ms && l->now.last_ms == c.last_ms);
	assert_true(l->high == one->high && l->low == one->low && l->detail == one->detail &&
		    l->family == one->family && l->length == one->source_length);
}

static void rows_become_lines(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 7, 40, 900 };
	uint64_t seed = test_seed();
	struct lines lines = { 0 };

	(void)state;
	for (size_t round = 0; round < 60; round++) {
		size_t n = counts[round % TABLE_LENGTH(counts)], variety = 1 + test_below(&seed, n + 1), most = 0;
		struct row_entry *e = calloc(n + 1, sizeof(*e));
		uint32_t *order = calloc(n + 1, sizeof(*order)), *line_of = calloc(n + 1, sizeof(*line_of));

		for (size_t i = 0; i < n; i++) {
			e[i].low = test_below(&seed, variety);
			e[i].high = test_below(&seed, 2);
			e[i].family = test_below(&seed, 5) == 0 ? FAMILY_IPV6 : FAMILY_IPV4;
			e[i].source_length = (uint8_t)(test_below(&seed, 9) == 0 ? 24 : 0);
			e[i].detail = (uint32_t)test_below(&seed, 3);
			e[i].time_ms = test_below(&seed, 4) == 0 ? 0 : T0 + (int64_t)test_below(&seed, 1000);
			order[i] = (uint32_t)(n - 1 - i);
		}
		assert_int_equal(lines_group(&lines, e, order, n, line_of), OK);
		for (size_t i = 0; i < n; i++) {
			uint32_t at = line_of[order[i]];

			assert_true(at <= most && at < lines.count); /* in the order of their first rows */
			most = at == most ? most + 1 : most;
			check_line(&lines.at[at], e, order, n, &e[order[i]]);
		}
		assert_int_equal(most, lines.count);
		free(e);
		free(order);
		free(line_of);
	}
	lines_free(&lines);
}

static void names_are_numbers(void **state)
{
	struct names *n;
	uint32_t a, b, c;
	char text[200];

	(void)state;
	assert_int_equal(names_new(&n), OK);
	assert_int_equal(names_number(n, SPAN(""), &a), OK);
	assert_int_equal(a, 0);
	assert_int_equal(names_number(n, SPAN(" Mirai "), &a), OK);
	assert_int_equal(names_number(n, SPAN("mirai"), &b), OK);
	assert_int_equal(names_number(n, SPAN("mir\xc3\xa1i"), &c), OK);
	assert_true(a == b && a != c && a != 0 && c != 0);
	assert_span(names_at(n, a), "mirai");
	assert_span(names_at(n, c), "mir??i");
	assert_span(names_at(n, 0), "");
	memset(text, 'X', sizeof(text));
	assert_int_equal(names_number(n, span_make(text, sizeof(text)), &b), OK);
	assert_int_equal(names_at(n, b).len, SIGHTING_MALWARE_MAX);
	for (unsigned i = 0; i < NAMES_MAX + 10; i++) {
		snprintf(text, sizeof(text), "name %u", i);
		assert_int_equal(names_number(n, span_of(text), &c), OK);
		assert_true((c == 0) == (i >= NAMES_MAX - 3));
	}
	assert_int_equal(names_number(n, SPAN("name 7"), &c), OK);
	assert_span(names_at(n, c), "name 7");
	names_free(n);
	names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_decision),
		cmocka_unit_test(rows_become_lines),
		cmocka_unit_test(names_are_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
