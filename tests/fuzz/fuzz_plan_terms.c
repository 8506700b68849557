/* What a plan declares, as header lines. Terms that are read are packed, unpacked and packed to the same bytes; whether they are open
 * at a time is what a walk over all windows says. And bytes that unpack by themselves are packed and unpacked to what was there. */
#include <stdlib.h>

#include "note/statement_grammar.h"
#include "regime/plan_terms.h"

#define HEADERS_MAX 4096
#define DAY_MS INT64_C(86400000)

static struct arena *arena;

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* As a door would have let them through. */
static void read_lines(struct span text, struct statement *s)
{
	struct header *headers = arena_array(arena, HEADERS_MAX, sizeof(*headers));
	struct span line;

	check(headers != NULL);
	*s = (struct statement){ .kind = KIND_PLAN, .headers = headers };
	while (s->header_count < HEADERS_MAX && span_line(&text, &line)) {
		struct span name = span_cut(&line, ' ');

		if (line.at != NULL && statement_word_valid(name) && statement_value_valid(line))
			headers[s->header_count++] = (struct header){ .name = name, .value = line };
	}
}

static bool is_open(const struct plan_terms *t, int64_t ms, int64_t skew)
{
	int64_t period = t->repeat == REPEAT_DAILY ? DAY_MS : t->repeat == REPEAT_WEEKLY ? 7 * DAY_MS : 0;

	if (t->end_ms == 0)
		return true;
	for (uint32_t n = 0; n < t->repeat_count; n++)
		if (ms >= t->start_ms + n * period - skew && ms <= t->end_ms + n * period + skew)
			return true;
	return false;
}

static void look_around(const struct plan_terms *t, int64_t ms, int64_t skew)
{
	for (int64_t by = -1; by <= 1; by++) {
		check(plan_terms_open(t, ms + by, skew) == is_open(t, ms + by, skew));
		check(plan_terms_open(t, ms + skew + by, skew) == is_open(t, ms + skew + by, skew));
		check(plan_terms_open(t, ms - skew + by, skew) == is_open(t, ms - skew + by, skew));
	}
}

/* The edges of the first windows, of one in the middle and of the last. */
static void check_windows(const struct plan_terms *t)
{
	static const int64_t skews[] = { 0, 1, 60000 };
	int64_t length = t->end_ms - t->start_ms;

	for (size_t k = 0; k < 3; k++)
		for (int i = -1; i <= 3; i++) {
			look_around(t, t->start_ms + i * DAY_MS, skews[k]);
			look_around(t, t->end_ms + i * DAY_MS, skews[k]);
			look_around(t, t->start_ms + length / 2 + i * 7 * DAY_MS, skews[k]);
			look_around(t, plan_terms_last_ms(t) + i * DAY_MS - length, skews[k]);
			look_around(t, plan_terms_last_ms(t) + i * DAY_MS, skews[k]);
		}
}

/* In the arena: terms that were unpacked point into it. */
static struct span packed(const struct plan_terms *t)
{
	struct buffer b = BUFFER((size_t)4 << 20);
	struct span out;

	plan_terms_pack(t, &b);
	check(b.err == OK);
	out = span_make(arena_copy(arena, b.at, b.len), b.len);
	buffer_free(&b);
	return out;
}

static void check_bytes(const struct plan_terms *t)
{
	struct span first = packed(t);
	struct plan_terms again;

	check(plan_terms_unpack(arena, first, &again) == OK);
	check(span_equal(packed(&again), first));
	check(again.source_count == t->source_count && again.target_count == t->target_count &&
	      again.exclude_count == t->exclude_count && again.port_count == t->port_count &&
	      again.marker_count == t->marker_count && again.start_ms == t->start_ms && again.end_ms == t->end_ms &&
	      again.stop_within_ms == t->stop_within_ms && span_equal(again.contact, t->contact) &&
	      span_equal(again.purpose, t->purpose) && plan_terms_last_ms(&again) == plan_terms_last_ms(t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_terms t;
	struct statement s;

	if (arena == NULL)
		check((arena = arena_new((size_t)64 << 20)) != NULL);
	arena_reset(arena);
	read_lines(span_make(data, size), &s);
	if (plan_terms_read(arena, &s, &t) == OK) {
		check(t.sealed || (t.source_count > 0 && t.end_ms > t.start_ms && t.repeat_count >= 1));
		check_bytes(&t);
		check_windows(&t);
	}
	if (plan_terms_unpack(arena, span_make(data, size), &t) == OK)
		check_bytes(&t);
	return 0;
}
