/* How fast mails may go: never more than the hour's share and a minute's in any hour, and never less than asked in the long run. */
#include "test.h"

#include "exchange/delivery_mail.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

static void a_minutes_share_goes_at_once(void **state)
{
	struct mail_rate r = { .per_hour = 600 };
	int64_t now = 5 * HOUR;

	(void)state;
	assert_int_equal(mail_rate_room(&r, now, 64), 10);
	assert_int_equal(mail_rate_room(&r, now, 3), 3);
	mail_rate_spend(&r, now, 10);
	assert_int_equal(mail_rate_room(&r, now, 64), 0);
	assert_int_equal(mail_rate_next_us(&r), now + 6 * SECOND);
	assert_int_equal(mail_rate_room(&r, now + 6 * SECOND - 1, 64), 0);
	assert_int_equal(mail_rate_room(&r, now + 6 * SECOND, 64), 1);
	assert_int_equal(mail_rate_room(&r, now + 60 * SECOND, 64), 10);
	assert_int_equal(mail_rate_room(&r, now + 9 * HOUR, 64), 10);
}

static void the_slowest_and_none(void **state)
{
	struct mail_rate one = { .per_hour = 1 }, any = { 0 };

	(void)state;
	assert_int_equal(mail_rate_room(&one, HOUR, 64), 1);
	mail_rate_spend(&one, HOUR, 1);
	assert_int_equal(mail_rate_room(&one, 2 * HOUR - 1, 64), 0);
	assert_int_equal(mail_rate_room(&one, 2 * HOUR, 64), 1);
	mail_rate_spend(&any, HOUR, 1000000);
	assert_int_equal(mail_rate_room(&any, HOUR, 64), 64);
}

static void no_hour_has_more(void **state)
{
	static const uint64_t rates[] = { 1, 7, 59, 60, 61, 600, 3601, 100000 };

	uint64_t seed = test_seed();

	(void)state;
	for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
		struct mail_rate r = { .per_hour = rates[k] };
		int64_t now = HOUR;
		uint64_t sent = 0, burst = rates[k] / 60 > 1 ? rates[k] / 60 : 1;

		for (int turn = 0; turn < 20000 && now < 11 * HOUR; turn++) {
			size_t room = mail_rate_room(&r, now, 64);

			mail_rate_spend(&r, now, room);
			sent += room;
			assert_true(sent <= (uint64_t)((now - HOUR) / HOUR + 1) * rates[k] + burst + 1);
			now += (int64_t)(test_random(&seed) % (uint64_t)(2 * HOUR / (int64_t)rates[k] + 1));
			if (mail_rate_room(&r, now, 1) == 0)
				assert_true(mail_rate_next_us(&r) > now);
		}
		assert_true(sent > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_share_goes_at_once),
		cmocka_unit_test(the_slowest_and_none),
		cmocka_unit_test(no_hour_has_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
