#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "exchange/limits.h"

static struct limits *made(uint64_t per_minute, unsigned at_once)
{
	struct limits *l = NULL;

	assert_int_equal(limits_new(per_minute, at_once, &l), OK);
	return l;
}

/* How many of `tries` requests at this moment are let in. */
static unsigned taken(struct limits *l, const char *who, int64_t now_ms, unsigned tries)
{
	unsigned n = 0, wait_s = 0;

	for (unsigned i = 0; i < tries; i++)
		n += limits_take(l, span_of(who), now_ms, &wait_s);
	return n;
}

static void a_sixth_of_a_minute_may_come_at_once(void **state)
{
	struct limits *l = made(600, 1);

	(void)state;
	assert_int_equal(taken(l, "a", 5000, 500), 100);
	assert_int_equal(taken(l, "b", 5000, 500), 100);
	limits_free(l);
}

static void at_least_ten_may_come_at_once(void **state)
{
	struct limits *l = made(1, 1);

	(void)state;
	assert_int_equal(taken(l, "a", 0, 50), 10);
	limits_free(l);
}

static void time_makes_room_again_and_no_more_than_there_was(void **state)
{
	struct limits *l = made(600, 1);

	(void)state;
	assert_int_equal(taken(l, "a", 0, 500), 100);
	assert_int_equal(taken(l, "a", 99, 500), 0);
	assert_int_equal(taken(l, "a", 100, 500), 1);
	assert_int_equal(taken(l, "a", 1100, 500), 10);
	assert_int_equal(taken(l, "a", INT64_MAX, 500), 100);
	assert_int_equal(taken(l, "a", 5, 500), 0); /* a clock that runs backwards gives nothing */
	limits_free(l);
}

/* After the seconds that it says there is room, and a second before there is none. */
static void retry_is_neither_too_early_nor_late(void **state)
{
	static const uint64_t rates[] = { 1, 7, 59, 60, 61, 600, 100000 };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rates); i++) {
		struct limits *l = made(rates[i], 1);
		unsigned wait_s = 0;

		while (limits_take(l, SPAN("a"), 1000, &wait_s))
			;
		assert_in_range(wait_s, 1, 61);
		if (wait_s > 1)
			assert_int_equal(taken(l, "a", 1000 + ((int64_t)wait_s - 1) * 1000, 1), 0);
		assert_int_equal(taken(l, "a", 1000 + (int64_t)wait_s * 1000, 1), 1);
		limits_free(l);
	}
}

static void without_a_rate_all_is_let_in(void **state)
{
	struct limits *l = made(0, 1);

	(void)state;
	assert_int_equal(taken(l, "a", 0, 100000), 100000);
	limits_set(l, 60);
	assert_int_equal(taken(l, "a", 0, 100), 10);
	limits_set(l, 0);
	assert_int_equal(taken(l, "a", 0, 100), 100);
	limits_free(l);
}

/* However many come once, who is over its limit stays over it. */
static void a_crowd_does_not_wash_out_who_is_over(void **state)
{
	struct limits *l = made(600, 1);
	unsigned wait_s;
	char name[32];

	(void)state;
	assert_int_equal(taken(l, "greedy", 1000, 500), 100);
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "passer-by %u", i);
		limits_take(l, span_of(name), 1000, &wait_s);
	}
	assert_int_equal(taken(l, "greedy", 1000, 500), 0);
	limits_free(l);
}

static void at_once_is_counted_for_each(void **state)
{
	struct limits *l = made(0, 3);
	unsigned a[4], b;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(limits_begin(l, SPAN("a"), &a[i]));
	assert_false(limits_begin(l, SPAN("a"), &a[3]));
	assert_true(limits_begin(l, SPAN("b"), &b));
	limits_end(l, a[1]);
	assert_true(limits_begin(l, SPAN("a"), &a[1]));
	assert_false(limits_begin(l, SPAN("a"), &a[3]));
	for (int i = 0; i < 3; i++)
		limits_end(l, a[i]);
	limits_end(l, b);
	assert_true(limits_begin(l, SPAN("a"), &a[0]));
	limits_end(l, a[0]);
	limits_free(l);
}

/* Against counts that nobody can get wrong. */
static void agrees_with_plain_counts(void **state)
{
	enum { WHO = 40, MOST = 5 };
	struct limits *l = made(0, MOST);
	unsigned held[WHO][MOST], count[WHO] = { 0 };
	uint64_t seed = test_seed();
	char name[16];

	(void)state;
	for (int round = 0; round < 100000; round++) {
		size_t w = test_below(&seed, WHO);
		unsigned slot = 0;

		snprintf(name, sizeof(name), "w%zu", w);
		if (test_below(&seed, 2) == 0) {
			bool may = limits_begin(l, span_of(name), &slot);

			assert_int_equal(may, count[w] < MOST);
			if (may)
				held[w][count[w]++] = slot;
		} else if (count[w] > 0) {
			limits_end(l, held[w][--count[w]]);
		}
	}
	limits_free(l);
}

struct crowd {
	struct limits *limits;
	atomic_uint let_in;
};

static void *take_many(void *argument)
{
	struct crowd *c = argument;
	unsigned wait_s, slot;

	for (int i = 0; i < 20000; i++) {
		if (limits_take(c->limits, SPAN("one"), 1000, &wait_s))
			c->let_in++;
		if (limits_begin(c->limits, SPAN("one"), &slot))
			limits_end(c->limits, slot);
	}
	return NULL;
}

static void threads_share_one_limit(void **state)
{
	struct crowd c = { .limits = made(6000, 2) };
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &c), 0);
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(c.let_in, 1000);
	limits_free(c.limits);
}

static void addresses_stand_for_their_network(void **state)
{
	static const struct {
		const char *address, *stands_for;
	} table[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2::9", "2001:db8:1:2::/64" },
		{ "2001:db8:1:3::9", "2001:db8:1:3::/64" },
		{ "::1", "::/64" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "ffff:ffff:ffff:ffff::", "ffff:ffff:ffff:ffff::/64" },
		{ "nonsense", "?" },
		{ "", "?" },
	};
	char out[LIMITS_ADDRESS];

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		assert_span(limits_address(span_of(table[i].address), out), table[i].stands_for);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sixth_of_a_minute_may_come_at_once),
		cmocka_unit_test(at_least_ten_may_come_at_once),
		cmocka_unit_test(time_makes_room_again_and_no_more_than_there_was),
		cmocka_unit_test(retry_is_neither_too_early_nor_late),
		cmocka_unit_test(without_a_rate_all_is_let_in),
		cmocka_unit_test(a_crowd_does_not_wash_out_who_is_over),
		cmocka_unit_test(at_once_is_counted_for_each),
		cmocka_unit_test(agrees_with_plain_counts),
		cmocka_unit_test(threads_share_one_limit),
		cmocka_unit_test(addresses_stand_for_their_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
