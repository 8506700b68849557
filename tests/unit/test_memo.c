#include "test.h"

#include <stdio.h>

#include "store/memo.h"

/* A memo may forget, but what it says is what was kept last: a naive table of the present values stands beside it. */

#define KEYS 3000
#define ROUNDS 400000
#define VALUE_MAX 300

struct twin {
	struct {
		char bytes[VALUE_MAX];
		size_t len;
		bool there;
	} at[KEYS];
};

static struct span key_of(uint64_t k, char out[64])
{
	int n = snprintf(out, 64, "%c%0*u", (char)('a' + k % 7), (int)(1 + k % 40), (unsigned)k);

	return span_make(out, (size_t)n);
}

static void change(struct twin *t, struct memo *m, uint64_t *seed, uint64_t k, struct span key)
{
	memo_drop(m, key);
	t->at[k].there = test_below(seed, 8) != 0;
	t->at[k].len = test_below(seed, VALUE_MAX);
	test_bytes(seed, t->at[k].bytes, t->at[k].len);
}

/* As a table's reader does: what is not kept is looked up and kept. */
static bool ask(const struct twin *t, struct memo *m, uint64_t k, struct span key)
{
	struct span value, truth = span_make(t->at[k].bytes, t->at[k].len);

	if (!memo_get(m, key, &value)) {
		if (t->at[k].there)
			memo_keep(m, key, truth);
		return false;
	}
	assert_true(t->at[k].there);
	assert_true(span_equal(value, truth));
	return true;
}

static void test_says_what_is(void **state)
{
	struct twin *t = calloc(1, sizeof(*t));
	struct memo *m = memo_new();
	uint64_t seed = test_seed();
	size_t found = 0;
	char text[64];

	(void)state;
	assert_non_null(t);
	assert_non_null(m);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t k = test_below(&seed, i % 1000 < 500 ? 50 : KEYS);
		struct span key = key_of(k, text);

		if (test_below(&seed, 5) == 0)
			change(t, m, &seed, k, key);
		else
			found += ask(t, m, k, key);
		if (test_below(&seed, 50000) == 0)
			memo_clear(m);
	}
	assert_true(found > ROUNDS / 10); /* it remembers something */
	memo_free(m);
	free(t);
}

static void test_values_stay(void **state)
{
	struct memo *m = memo_new();
	struct span first, value;
	char text[64], bytes[200];

	(void)state;
	assert_non_null(m);
	memset(bytes, 'x', sizeof(bytes));
	memo_keep(m, SPAN("first"), SPAN("stays"));
	assert_true(memo_get(m, SPAN("first"), &first));
	for (uint64_t k = 0; k < 100000; k++) /* more than there is room for */
		memo_keep(m, key_of(k, text), span_make(bytes, sizeof(bytes)));
	assert_span(first, "stays");
	assert_true(memo_get(m, SPAN("first"), &value));
	assert_ptr_equal(value.at, first.at);
	memo_drop(m, SPAN("other")); /* the first write empties what is full */
	assert_false(memo_get(m, SPAN("first"), &value));
	memo_free(m);
}

static void test_edges(void **state)
{
	struct memo *m = memo_new();
	char *large = calloc(1, 70000);
	struct span value;

	(void)state;
	assert_non_null(m);
	assert_non_null(large);
	memo_keep(m, SPAN("empty"), SPAN(""));
	assert_true(memo_get(m, SPAN("empty"), &value));
	assert_int_equal(value.len, 0);
	memo_keep(m, SPAN("large"), span_make(large, 70000));
	assert_false(memo_get(m, SPAN("large"), &value));
	memo_keep(m, span_make(large, 70000), SPAN("v"));
	assert_false(memo_get(m, span_make(large, 70000), &value));
	assert_false(memo_get(m, SPAN("emptY"), &value));
	assert_false(memo_get(m, SPAN("empty\0"), &value));
	memo_keep(m, SPAN("empty"),
		  SPAN("another")); /* who keeps twice without a write keeps the same: the first stands */
	assert_true(memo_get(m, SPAN("empty"), &value));
	assert_int_equal(value.len, 0);
	free(large);
	memo_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_is),
		cmocka_unit_test(test_values_stay),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
