/* For tests of reports: what a text reads as, at once and in every kind of chunk. */
#ifndef REPORT_TEST_H
#define REPORT_TEST_H

#include "../report_law.h"
#include "report/layout.h"
#include "test.h"

#define TEST_NOW INT64_C(1795380000000) /* 2026-11-22T20:40:00Z */

/* "" or the code of the error, then what report_law.h writes for each row. */
static inline void reads_as_span(const char *name, struct span text, struct report_options options,
				 struct span expected)
{
	struct arena *a = arena_new(1 << 20);
	struct law whole = { .out = BUFFER(1 << 20) };
	struct scratch *s;
	struct layout *l;
	enum err e;

	if (options.now_ms == 0)
		options.now_ms = TEST_NOW;
	assert_int_equal(scratch_new(&s), OK);
	e = report_detect(a, span_of(name), text, &options, &l);
	if (e != OK) {
		assert_true(err_detail()[0] != '\0');
		if (!span_is(expected, err_code(e)))
			fail_msg("%s: %s is not %.*s", err_code(e), err_detail(), SPAN_FORMAT(expected));
	} else {
		law_read(l, s, text, text.len + 1, l->row_max, &whole);
		if (!span_equal(buffer_view(&whole.out), expected))
			fail_msg("\"%.*s\" is not \"%.*s\"", SPAN_FORMAT(buffer_view(&whole.out)),
				 SPAN_FORMAT(expected));
		for (size_t step = 1; step < 40; step++)
			assert_true(law_holds(l, s, text, step, l->row_max));
	}
	buffer_free(&whole.out);
	scratch_free(s);
	arena_free(a);
}

static inline void reads_as(const char *name, struct span text, struct report_options options, const char *expected)
{
	reads_as_span(name, text, options, span_of(expected));
}

/* Text made of a report's own pieces and of noise, for the law of chunks. */
static inline size_t draw_report(uint64_t *seed, const char *const *pieces, size_t count, char *out, size_t room)
{
	size_t n = 0, target = test_below(seed, room);

	while (n < target) {
		const char *piece = pieces[test_below(seed, count)];
		size_t len = strlen(piece);

		if (test_below(seed, 40) == 0) {
			out[n++] = (char)test_random(seed);
			continue;
		}
		if (n + len > target)
			break;
		memcpy(out + n, piece, len);
		n += len;
	}
	return n;
}

/* Random reports under one layout, whose rows may be long or short, read in random steps. */
static inline void keeps_the_law(const char *name, const char *head, const char *const *pieces, size_t count)
{
	static const size_t limits[] = { 5, 40, 64, 130, 400, REPORT_ROW_MAX };
	static char text[3000];
	struct arena *a = arena_new(1 << 20);
	uint64_t seed = test_seed();
	struct report_options options = { .now_ms = TEST_NOW };
	struct scratch *s;
	struct layout *l;

	assert_int_equal(scratch_new(&s), OK);
	assert_int_equal(report_detect(a, span_of(name), span_of(head), &options, &l), OK);
	l->skip = l->skip_lines = 0;
	for (int round = 0; round < 4000; round++) {
		size_t n = draw_report(&seed, pieces, count, text, sizeof(text));
		size_t step = 1 + test_below(&seed, test_below(&seed, 2) == 0 ? 20 : 700);

		l->row_max = limits[test_below(&seed, TABLE_LENGTH(limits))];
		if (!law_holds(l, s, span_make(text, n), step, l->row_max))
			fail_msg("round %d: %zu bytes, steps of %zu, rows of at most %zu", round, n, step, l->row_max);
	}
	scratch_free(s);
	arena_free(a);
}

#endif
