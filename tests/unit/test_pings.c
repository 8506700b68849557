/* When pings go: within what was said, by nothing but secret and last ping, and the first one once in each length of time. */
#include "exchange/pings.h"

#include "test.h"

#define MINUTE INT64_C(60000)
#define DAY (24 * 60 * MINUTE)
#define T0 INT64_C(1800000000000)

static struct hash draw_hash(uint64_t *seed)
{
	struct hash h;

	test_bytes(seed, h.bytes, sizeof(h.bytes));
	return h;
}

/* The first whole minute from `from` on at which it is due; `until`: at none. */
static int64_t first_due(struct hash secret, const struct last_ping *last, int64_t every, int64_t from, int64_t until)
{
	for (int64_t t = from; t < until; t += MINUTE)
		if (ping_is_due(secret, last, every, t))
			return t;
	return until;
}

static void the_next_lies_between_half_and_one_and_a_half(void **state)
{
	uint64_t seed = test_seed();
	int64_t sum = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct last_ping last = { true, draw_hash(&seed), T0 };
		struct hash secret = draw_hash(&seed);
		int64_t due = first_due(secret, &last, 2 * DAY, T0, T0 + 5 * DAY) - T0;

		assert_in_range(due, DAY, 3 * DAY + MINUTE);
		assert_true(ping_is_due(secret, &last, 2 * DAY, T0 + 100 * DAY)); /* it was not there: late is due */
		sum += due;
	}
	assert_in_range(sum / 200, 2 * DAY - DAY / 5, 2 * DAY + DAY / 5);
}

static void nobody_else_can_tell(void **state)
{
	uint64_t seed = test_seed();
	unsigned same = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct last_ping last = { true, draw_hash(&seed), T0 };
		struct hash secret = draw_hash(&seed), other = draw_hash(&seed);

		same += first_due(secret, &last, 2 * DAY, T0, T0 + 4 * DAY) ==
			first_due(other, &last, 2 * DAY, T0, T0 + 4 * DAY);
	}
	assert_true(same < 5);
}

/* Of parties that are all known for long, few are due in any one hour: no burst when pings are switched on. */
static void the_first_ones_are_spread(void **state)
{
	uint64_t seed = test_seed();
	struct hash secret = draw_hash(&seed);
	unsigned total = 0, most = 0;
	enum { PARTIES = 100, HOURS = 8 * 24 };
	static struct last_ping known[PARTIES];

	(void)state;
	for (int i = 0; i < PARTIES; i++)
		known[i] = (struct last_ping){ false, draw_hash(&seed), T0 - (int64_t)test_below(&seed, 100) * DAY };
	for (int hour = 0; hour < HOURS; hour++) {
		unsigned now = 0;

		for (int i = 0; i < PARTIES; i++)
			if (!known[i].any && first_due(secret, &known[i], 4 * DAY, T0 + hour * 60 * MINUTE,
						       T0 + (hour + 1) * 60 * MINUTE) < T0 + (hour + 1) * 60 * MINUTE) {
				known[i].any = true;
				now++;
			}
		total += now;
		most = now > most ? now : most;
	}
	assert_int_equal(total, PARTIES); /* twice that time has one whole length of it */
	assert_true(most < 10);
}

/* A party whose statement is of later than now: a clock ran backwards. */
static void not_before_it_is_known(void **state)
{
	uint64_t seed = test_seed();
	struct last_ping last = { false, draw_hash(&seed), T0 };

	(void)state;
	assert_false(ping_is_due(draw_hash(&seed), &last, DAY, T0 - DAY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_lies_between_half_and_one_and_a_half),
		cmocka_unit_test(nobody_else_can_tell),
		cmocka_unit_test(the_first_ones_are_spread),
		cmocka_unit_test(not_before_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
