/* What plans declare a second is summed over all who report, in threads, and never counted too high. */
#include "regime/plans_private.h"

#include <pthread.h>

#include "test.h"

#define T0 INT64_C(1790812800000)
#define THREADS 4

static struct plan_source sources[2];
static const struct plan_interval always = { 0, INT64_MAX };

static struct plan_entry *entry(struct plans *p, size_t i, uint64_t rate, uint64_t each)
{
	struct plan_entry *f = arena_array(plans_arena(p), 1, sizeof(*f));

	assert_non_null(f);
	sources[i] = (struct plan_source){ prefix_of(address_ipv4(0xc6336400 + (uint32_t)i * 256), 24), &always, 1 };
	f->id = hash_bytes(&i, sizeof(i));
	f->until_ms = INT64_MAX;
	f->terms = (struct plan_terms){ .any_target = true,
					.start_ms = T0,
					.end_ms = T0 + INT64_C(86400000),
					.repeat_count = 1,
					.rate = rate,
					.rate_each = each };
	f->sources = &sources[i];
	f->source_count = 1;
	plans_add(p, f);
	return f;
}

static struct plans *two_plans(uint64_t rate, uint64_t each)
{
	struct plans *p;

	assert_int_equal(plans_new(&p), OK);
	entry(p, 0, rate, each);
	entry(p, 1, 0, 0);
	assert_int_equal(plans_compile(p), OK);
	return p;
}

static struct observation seen(uint32_t source, uint32_t target, int64_t ms)
{
	return (struct observation){ .source = address_ipv4(source),
				     .has_target = target != 0,
				     .target = address_ipv4(target),
				     .time_ms = ms,
				     .seen = SEEN_HANDSHAKE };
}

static enum plan_verdict add(struct plans *p, struct plan_rates *r, struct observation o, uint64_t count)
{
	struct plan_match m = plans_match(p, &o);

	assert_int_equal(m.verdict, PLAN_EXPLAINED);
	plan_rates_add(r, &o, count, &m);
	if (m.verdict == PLAN_BREACH)
		assert_string_equal(m.term, "rate");
	return m.verdict;
}

static void what_is_beyond_is_a_breach(void **state)
{
	struct plans *p = two_plans(10, 3);
	struct plan_rates *r;
	struct plan_match late = { .verdict = PLAN_LATE };
	struct observation o = seen(0xc6336401, 1, T0);

	(void)state;
	assert_int_equal(plan_rates_new(p, &r), OK);
	assert_int_equal(add(p, r, seen(0xc6336401, 1, T0), 3), PLAN_EXPLAINED);
	assert_int_equal(add(p, r, seen(0xc6336401, 1, T0 + 999), 1), PLAN_BREACH); /* the fourth for one target */
	assert_int_equal(add(p, r, seen(0xc6336401, 1, T0 + 1000), 3), PLAN_EXPLAINED);
	assert_int_equal(add(p, r, seen(0xc6336402, 2, T0), 3), PLAN_EXPLAINED);
	assert_int_equal(add(p, r, seen(0xc6336403, 3, T0), 3), PLAN_EXPLAINED);
	assert_int_equal(add(p, r, seen(0xc6336403, 4, T0), 1), PLAN_BREACH); /* the eleventh of all */
	assert_int_equal(add(p, r, seen(0xc6336403, 0, T0), 1), PLAN_BREACH);
	/* A plan that declares none is not counted, nor what is no match. */
	assert_int_equal(add(p, r, seen(0xc6336501, 1, T0), UINT64_MAX), PLAN_EXPLAINED);
	assert_int_equal(add(p, r, seen(0xc6336501, 1, T0), UINT64_MAX), PLAN_EXPLAINED);
	assert_false(plans_rated(p, &late));
	plan_rates_add(r, &o, 1, &late);
	assert_int_equal(late.verdict, PLAN_LATE);
	/* A count that does not fit any number stays at the largest. */
	assert_int_equal(add(p, r, seen(0xc6336401, 9, T0 + 2000), UINT64_MAX), PLAN_BREACH);
	assert_int_equal(add(p, r, seen(0xc6336401, 9, T0 + 2000), 2), PLAN_BREACH);
	plan_rates_free(r);
	plans_free(p);
}

struct thread {
	struct plans *plans;
	struct plan_rates *rates;
	pthread_t id;
	unsigned broken;
};

static void *count(void *context)
{
	struct thread *t = context;

	for (uint32_t i = 0; i < 100000; i++)
		t->broken +=
			add(t->plans, t->rates, seen(0xc6336400 + i % 256, 0, T0 + (i % 100) * 1000), 1) == PLAN_BREACH;
	return NULL;
}

/* All that is beyond, no more and no less, whoever counts. */
static void threads_count_together(void **state)
{
	struct plans *p = two_plans(1500, 0);
	struct thread t[THREADS];
	struct plan_rates *r;
	unsigned broken = 0;

	(void)state;
	assert_int_equal(plan_rates_new(p, &r), OK);
	for (size_t i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ .plans = p, .rates = r };
		assert_int_equal(pthread_create(&t[i].id, NULL, count, &t[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i].id, NULL), 0);
		broken += t[i].broken;
	}
	assert_int_equal(broken, 100 * (THREADS * 1000 - 1500));
	plan_rates_free(r);
	plans_free(p);
}

/* More seconds and targets than there are places: none is accused for what was forgotten. */
static void forgetting_accuses_nobody(void **state)
{
	struct plans *p = two_plans(40, 1);
	struct plan_rates *r;

	(void)state;
	assert_int_equal(plan_rates_new(p, &r), OK);
	for (uint32_t second = 0; second < 40000; second++)
		for (uint32_t k = 1; k <= 40; k++)
			assert_int_equal(add(p, r, seen(0xc6336400, k, T0 + (int64_t)second * 1000), 1),
					 PLAN_EXPLAINED);
	plan_rates_free(r);
	plans_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_beyond_is_a_breach),
		cmocka_unit_test(threads_count_together),
		cmocka_unit_test(forgetting_accuses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
