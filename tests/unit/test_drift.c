#include "test.h"

#include <stdio.h>

#include "base/buffer.h"
#include "report/drift.h"

static void say(struct buffer *out, const char *what, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_print(out, "%s%.*s ", what, SPAN_FORMAT(names[i]));
}

static void headers_are_compared(void **state)
{
	static const struct {
		const char *before, *now, *says;
	} cases[] = {
		{ "a,b,c", "a,b,c", "" },
		{ "a,b,c", "\"a\", b ,\"c\"", "" },
		{ "a,b,c", "a,b,c,d", "+d " },
		{ "a,b,c", "x,a,b,c", "+x " },
		{ "a,b,c", "a,c", "-b " },
		{ "a,b,c", "a,x,c", "b>x " },
		{ "a,b,c", "a,x,y,c", "+x +y -b " },
		{ "a,b,c", "x,b,y", "a>x c>y " },
		{ "a,b,c,d", "a,c,b,d", "~c " },
		{ "a,b,c,d", "d,a,b,c", "~d " },
		{ "a,b,c,d", "a,d,x,b", "+x -c ~d " },
		{ "a", "b", "a>b " },
		{ "a,\"b,c\"\"d\"", "a,x", "b,c\"d>x " },
		{ "a,,b,", "a,,b,", "" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer text = BUFFER(1 << 16);
		struct drift d;

		assert_int_equal(header_drift(a, span_of(cases[i].before), span_of(cases[i].now), &d), OK);
		say(&text, "+", d.added, d.added_count);
		say(&text, "-", d.removed, d.removed_count);
		for (size_t k = 0; k < d.renamed_count; k++)
			buffer_print(&text, "%.*s>%.*s ", SPAN_FORMAT(d.renamed[k].from), SPAN_FORMAT(d.renamed[k].to));
		say(&text, "~", d.moved, d.moved_count);
		if (!span_is(buffer_view(&text), cases[i].says))
			fail_msg("%s to %s: %.*s", cases[i].before, cases[i].now, SPAN_FORMAT(buffer_view(&text)));
		assert_int_equal(drift_any(&d), cases[i].says[0] != '\0');
		buffer_free(&text);
	}
	arena_free(a);
}

static bool among(const struct span *names, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(names[i], name))
			return true;
	return false;
}

/* Whatever changed: what is new was not there, what is gone was, and the numbers add up. */
static void random_headers_add_up(void **state)
{
	uint64_t seed = test_seed();
	struct arena *a = arena_new(1 << 22);

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct span names[2][40];
		size_t count[2];
		struct buffer text[2] = { BUFFER(4096), BUFFER(4096) };
		struct drift d;

		arena_reset(a);
		for (unsigned h = 0; h < 2; h++) {
			size_t most = 1 + test_below(&seed, 12);
			unsigned used = 0;

			for (count[h] = 0; count[h] < most;) {
				unsigned k = (unsigned)test_below(&seed, 20);

				if ((used >> k & 1) != 0)
					continue;
				used |= 1u << k;
				names[h][count[h]] = span_of(arena_print(a, "n%u", k));
				buffer_print(&text[h], "%sn%u", count[h] > 0 ? "," : "", k);
				count[h]++;
			}
		}
		assert_int_equal(header_drift(a, buffer_view(&text[0]), buffer_view(&text[1]), &d), OK);
		assert_int_equal(count[0] + d.added_count, count[1] + d.removed_count);
		for (size_t i = 0; i < d.added_count; i++)
			assert_true(!among(names[0], count[0], d.added[i]) && among(names[1], count[1], d.added[i]));
		for (size_t i = 0; i < d.removed_count; i++)
			assert_true(among(names[0], count[0], d.removed[i]) &&
				    !among(names[1], count[1], d.removed[i]));
		for (size_t i = 0; i < d.renamed_count; i++)
			assert_true(!among(names[1], count[1], d.renamed[i].from) &&
				    !among(names[0], count[0], d.renamed[i].to));
		for (size_t i = 0; i < d.moved_count; i++)
			assert_true(among(names[0], count[0], d.moved[i]) && among(names[1], count[1], d.moved[i]));
		assert_int_equal(drift_any(&d), !span_equal(buffer_view(&text[0]), buffer_view(&text[1])));
		buffer_free(&text[0]);
		buffer_free(&text[1]);
	}
	arena_free(a);
}

static void what_is_no_header(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct drift d;

	(void)state;
	assert_int_equal(header_drift(a, SPAN(""), SPAN("a"), &d), ERR_CSV);
	assert_int_equal(header_drift(a, SPAN("a"), SPAN("a,\"b"), &d), ERR_CSV);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_compared),
		cmocka_unit_test(random_headers_add_up),
		cmocka_unit_test(what_is_no_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
