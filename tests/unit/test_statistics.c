#include "test.h"

#include <math.h>

#include "regime/statistics.h"

#define DAY INT64_C(86400000)

static void near_to(double got, double expected, double by)
{
	if (!(fabs(got - expected) <= by))
		fail_msg("%.9f is not %.9f", got, expected);
}

/* R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson's score), and 873-890, table II, method 10. */
static void wilson_as_published(void **state)
{
	static const struct {
		uint64_t numerator, denominator;
		double low, high;
	} rows[] = { { 81, 263, 0.2553, 0.3662 },
		     { 15, 148, 0.0624, 0.1605 },
		     { 0, 20, 0, 0.1611 },
		     { 1, 29, 0.0061, 0.1718 } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct proportion s = proportion_of(rows[i].numerator, rows[i].denominator, 0);

		assert_false(s.blank);
		near_to(s.low, rows[i].low, 0.00005);
		near_to(s.high, rows[i].high, 0.00005);
	}
}

static void newcombe_as_published(void **state)
{
	struct proportion a = proportion_of(56, 70, 0), b = proportion_of(48, 80, 0);
	struct difference d = proportion_difference(&a, &b);

	(void)state;
	assert_false(d.blank);
	near_to(d.value, 0.2, 1e-12);
	near_to(d.low, 0.0524, 0.00005);
	near_to(d.high, 0.3339, 0.00005);
}

static void few_are_blank(void **state)
{
	struct proportion none = proportion_of(0, 0, 0), few = proportion_of(19, 19, 3),
			  enough = proportion_of(20, 20, 0);
	struct difference d = proportion_difference(&few, &enough);
	struct times t = { 0 };
	struct survival s = times_survival(&t);
	struct quantiles q = times_quantiles(&t);
	struct buffer b = BUFFER(4096);
	struct json j = { .out = &b };

	(void)state;
	assert_true(none.blank && few.blank && !enough.blank && d.blank);
	assert_true(s.blank && q.blank && !q.has_p50 && !q.has_p90);
	for (int i = 0; i < STATISTICS_DAYS; i++)
		assert_true(!s.days[i].known && !s.days[i].has_interval);
	proportion_print(&j, NULL, &few);
	assert_span(buffer_view(&b),
		    "{\"numerator\":19,\"denominator\":19,\"unknown\":3,\"rate\":null,\"low\":null,\"high\":null}");
	buffer_free(&b);
	for (int i = 0; i < 19; i++)
		assert_int_equal(times_add(&t, DAY, true), OK);
	assert_true(times_survival(&t).blank && times_quantiles(&t).blank && !times_quantiles(&t).has_p50);
	assert_int_equal(times_add(&t, DAY, true), OK);
	assert_true(!times_survival(&t).blank && times_quantiles(&t).has_p90);
	times_free(&t);
}

static void rates_from_integers(void **state)
{
	static const struct {
		uint64_t numerator, denominator;
		const char *text;
	} rows[] = { { 1, 32, "0.0313" }, { 3, 32, "0.0938" },	  { 2, 3, "0.6667" },	 { 20, 20, "1.0000" },
		     { 7, 2, "3.5000" },  { 0, 20, "0.0000" },	  { 1, 0, "null" },	 { 99999, 100000, "1.0000" },
		     { 1, 6, "0.1667" },  { 1, 20000, "0.0001" }, { 1, 20001, "0.0000" } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct buffer b = BUFFER(64);
		struct json j = { .out = &b };

		ratio_print(&j, NULL, rows[i].numerator, rows[i].denominator);
		assert_span(buffer_view(&b), rows[i].text);
		buffer_free(&b);
	}
}

/* The remission times of Freireich and others (1963) under 6-mercaptopurine, in weeks, here as days: the textbook's example. */
static void kaplan_meier_as_published(void **state)
{
	static const struct {
		int at;
		bool ended;
	} rows[] = { { 6, true },   { 6, true },   { 6, true },	  { 6, false }, { 7, true },   { 9, false },
		     { 10, true },  { 10, false }, { 11, false }, { 13, true }, { 16, true },  { 17, false },
		     { 19, false }, { 20, false }, { 22, true },  { 23, true }, { 25, false }, { 32, false },
		     { 32, false }, { 34, false }, { 35, false } };
	struct times t = { 0 };
	struct survival s;
	struct quantiles q;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		assert_int_equal(times_add(&t, rows[i].at * DAY, rows[i].ended), OK);
	s = times_survival(&t);
	assert_int_equal(s.ended, 9);
	near_to(1 - s.days[0].done, 1, 0);
	assert_true(s.days[0].known && !s.days[0].has_interval);
	near_to(1 - s.days[1].done, 0.8067, 0.00005);
	near_to(1 - s.days[2].done, 0.6902, 0.00005);
	near_to(1 - s.days[3].done, 0.4482, 0.00005);
	assert_int_equal(s.days[3].at_risk, 4);
	/* log-log interval at 7: R's survfit(conf.type = "log-log") */
	near_to(1 - s.days[1].high, 0.5631, 0.0001);
	near_to(1 - s.days[1].low, 0.9228, 0.0001);
	q = times_quantiles(&t);
	assert_true(q.has_p50 && !q.has_p90);
	assert_int_equal(q.p50_ms, 23 * DAY);
	times_free(&t);
}

/* By the definition: for each instant a product over all instants up to it, with loops over all. */
static double brute(const struct times *t, int64_t until_ms, double *variance)
{
	double open = 1;

	*variance = 0;
	for (size_t i = 0; i < t->count; i++) {
		int64_t now = (int64_t)(t->at[i] >> 1);
		uint64_t risk = 0, ended = 0;
		bool first = true;

		for (size_t k = 0; k < t->count; k++) {
			int64_t other = (int64_t)(t->at[k] >> 1);

			risk += other >= now;
			ended += other == now && (t->at[k] & 1) == 0;
			first &= other != now || k >= i;
		}
		if (!first || now > until_ms || ended == 0)
			continue;
		open *= (double)(risk - ended) / (double)risk;
		if (risk > ended)
			*variance += (double)ended / ((double)risk * (double)(risk - ended));
	}
	return open;
}

static void shuffle(uint64_t *seed, struct times *t)
{
	for (size_t i = t->count; i > 1; i--) {
		size_t k = test_below(seed, i);
		timed kept = t->at[i - 1];

		t->at[i - 1] = t->at[k];
		t->at[k] = kept;
	}
}

static void compare_with_brute(const struct times *t, const struct survival *s, const struct quantiles *q)
{
	double variance, open;

	for (int d = 0; d < STATISTICS_DAYS; d++) {
		if (!s->days[d].known)
			continue;
		open = brute(t, statistics_days[d] * DAY, &variance);
		near_to(s->days[d].done, 1 - open, 1e-9);
		if (!s->days[d].has_interval)
			continue;
		near_to(log(-log(1 - s->days[d].low)) - log(-log(open)),
			-1.959963984540054 * sqrt(variance) / fabs(log(open)), 1e-6);
		assert_true(s->days[d].low <= s->days[d].done && s->days[d].done <= s->days[d].high);
	}
	if (q->has_p50) {
		assert_true(brute(t, q->p50_ms, &variance) <= 0.5 + 1e-9);
		assert_true(brute(t, q->p50_ms - 1, &variance) > 0.5 - 1e-9);
	} else {
		assert_true(brute(t, INT64_MAX, &variance) > 0.5 - 1e-9);
	}
}

static void kaplan_meier_as_a_loop(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 400; round++) {
		size_t n = 20 + test_below(&seed, 60), open = test_below(&seed, 5);
		int64_t grain = test_below(&seed, 2) ? DAY / 2 : 1;
		struct times t = { 0 };
		struct survival a, b;
		struct quantiles q;

		for (size_t i = 0; i < n; i++)
			assert_int_equal(times_add(&t, (int64_t)test_below(&seed, (size_t)(45 * DAY / grain)) * grain,
						   test_below(&seed, 5) >= open),
					 OK);
		a = times_survival(&t);
		q = times_quantiles(&t);
		compare_with_brute(&t, &a, &q);
		shuffle(&seed, &t);
		b = times_survival(&t);
		assert_memory_equal(&a, &b, sizeof(a)); /* the order of what comes in makes no difference */
		times_free(&t);
	}
}

static void beyond_what_was_watched(void **state)
{
	struct times t = { 0 };
	struct survival s;

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(times_add(&t, i < 10 ? DAY / 2 : 5 * DAY, i < 10), OK);
	s = times_survival(&t);
	assert_true(s.days[0].known && s.days[0].has_interval && s.days[0].at_risk == 20);
	assert_true(!s.days[1].known && !s.days[2].known); /* nobody was watched for a week */
	times_clear(&t);
	for (int i = 0; i < 30; i++)
		assert_int_equal(times_add(&t, DAY / 2, true), OK);
	s = times_survival(&t);
	for (int i = 0; i < STATISTICS_DAYS; i++)
		assert_true(s.days[i].known && !s.days[i].has_interval);
	near_to(s.days[3].done, 1, 0);
	times_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wilson_as_published),
		cmocka_unit_test(newcombe_as_published),
		cmocka_unit_test(few_are_blank),
		cmocka_unit_test(rates_from_integers),
		cmocka_unit_test(kaplan_meier_as_published),
		cmocka_unit_test(kaplan_meier_as_a_loop),
		cmocka_unit_test(beyond_what_was_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
