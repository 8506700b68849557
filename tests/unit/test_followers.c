#include "test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "exchange/followers.h"

struct one {
	struct follower follower; /* the first */
	struct followers *all;
	sem_t woken;
	atomic_uint count;
	atomic_bool waits_again;
	atomic_uint_fast64_t seen;
};

static void on_wake(struct follower *f)
{
	struct one *o = (struct one *)f;
	uint64_t seen = o->seen; /* behind the post it is the test's again */

	o->count++;
	sem_post(&o->woken);
	if (o->waits_again)
		followers_wait(o->all, f, seen);
}

static void begin(struct one *o, struct followers *all)
{
	*o = (struct one){ .follower = { .wake = on_wake }, .all = all };
	sem_init(&o->woken, 0, 0);
}

/* Nothing of this test needs more than an instant; a minute is for machines that stand still. */
static void expect_wake(struct one *o)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 60;
	assert_int_equal(sem_timedwait(&o->woken, &limit), 0);
}

static struct followers *made(void)
{
	struct followers *f = NULL;

	assert_int_equal(followers_new(&f), OK);
	return f;
}

static void news_wakes_who_waits(void **state)
{
	struct followers *f = made();
	struct one a, b;

	(void)state;
	begin(&a, f);
	begin(&b, f);
	followers_wait(f, &a.follower, 0);
	followers_wait(f, &b.follower, 0);
	assert_int_equal(followers_count(f), 2);
	assert_int_equal(a.count, 0);
	followers_tell(f, 7);
	expect_wake(&a);
	expect_wake(&b);
	assert_int_equal(followers_count(f), 0);
	followers_tell(f, 8); /* nobody waits */
	followers_leave(f, &a.follower);
	followers_leave(f, &b.follower);
	assert_int_equal(a.count, 1);
	assert_int_equal(b.count, 1);
	followers_free(f);
}

static void what_is_there_already_wakes_too(void **state)
{
	struct followers *f = made();
	struct one a;

	(void)state;
	begin(&a, f);
	followers_tell(f, 7);
	followers_wait(f, &a.follower, 6);
	expect_wake(&a);
	followers_wait(f, &a.follower, 7); /* nothing behind that yet */
	assert_int_equal(followers_count(f), 1);
	assert_int_equal(a.count, 1);
	followers_leave(f, &a.follower);
	followers_free(f);
}

static void who_left_is_not_woken(void **state)
{
	struct followers *f = made();
	struct one a, b;

	(void)state;
	begin(&a, f);
	begin(&b, f);
	followers_wait(f, &a.follower, 0);
	followers_wait(f, &b.follower, 0);
	followers_leave(f, &a.follower);
	followers_tell(f, 1);
	expect_wake(&b);
	followers_leave(f, &b.follower);
	assert_int_equal(a.count, 0);
	followers_leave(f, &a.follower); /* twice is fine */
	followers_free(f);
}

static void time_wakes_too(void **state)
{
	struct followers *f = made();
	struct one a, b;

	(void)state;
	begin(&a, f);
	begin(&b, f);
	a.follower.until_ms = clock_now_ms() + 3600 * 1000;
	followers_wait(f, &a.follower, 0);
	b.follower.until_ms = clock_now_ms() + 20;
	followers_wait(f, &b.follower, 0);
	expect_wake(&b);
	assert_true(clock_now_ms() >= b.follower.until_ms);
	assert_int_equal(a.count, 0);
	followers_leave(f, &a.follower);
	followers_leave(f, &b.follower);
	followers_free(f);
}

static void a_wake_may_wait_again(void **state)
{
	struct followers *f = made();
	struct one a;

	(void)state;
	begin(&a, f);
	a.waits_again = true;
	followers_wait(f, &a.follower, 0);
	for (uint64_t stamp = 1; stamp <= 20; stamp++) {
		a.seen = stamp; /* what it will have looked at when it waits again */
		followers_tell(f, stamp);
		expect_wake(&a);
	}
	a.waits_again = false;
	followers_leave(f, &a.follower);
	assert_int_equal(a.count, 20);
	followers_free(f);
}

/* It looked at less than there is: no news are needed for it to be woken again. */
static void who_is_behind_is_woken_again(void **state)
{
	struct followers *f = made();
	struct one a;

	(void)state;
	begin(&a, f);
	a.waits_again = true;
	a.seen = 5;
	followers_wait(f, &a.follower, 0);
	followers_tell(f, 9);
	for (int i = 0; i < 10; i++)
		expect_wake(&a);
	a.waits_again = false;
	followers_leave(f, &a.follower);
	followers_free(f);
}

/* Many come and go while others tell: who left is never woken (its memory is overwritten), and who stays misses nothing. */
struct storm {
	struct followers *all;
	uint64_t seed;
	atomic_bool *ending;
};

static void *come_and_go(void *argument)
{
	struct storm *s = argument;

	for (int i = 0; i < 3000; i++) {
		struct one *o = malloc(sizeof(*o));

		assert_non_null(o);
		begin(o, s->all);
		o->waits_again = test_below(&s->seed, 2) == 0;
		o->seen = UINT64_MAX;
		if (test_below(&s->seed, 4) == 0)
			o->follower.until_ms = clock_now_ms() + (int64_t)test_below(&s->seed, 3);
		followers_wait(s->all, &o->follower, test_below(&s->seed, 2) == 0 ? 0 : UINT64_MAX);
		if (test_below(&s->seed, 8) == 0)
			sched_yield();
		o->waits_again = false;
		followers_leave(s->all, &o->follower);
		sem_destroy(&o->woken);
		memset(o, 0xff, sizeof(*o));
		free(o);
	}
	return NULL;
}

static void *tell(void *argument)
{
	struct storm *s = argument;

	for (uint64_t stamp = 1; !*s->ending; stamp++) {
		followers_tell(s->all, stamp);
		sched_yield();
	}
	return NULL;
}

static void many_come_and_go(void **state)
{
	struct followers *f = made();
	atomic_bool ending = false;
	struct storm storms[4];
	pthread_t threads[4], teller;
	struct one stays;

	(void)state;
	begin(&stays, f);
	followers_wait(f, &stays.follower, 0);
	for (size_t i = 0; i < TABLE_LENGTH(storms); i++) {
		storms[i] = (struct storm){ f, test_seed() + i, &ending };
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &storms[i]), 0);
	}
	assert_int_equal(pthread_create(&teller, NULL, tell, &storms[0]), 0);
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	ending = true;
	pthread_join(teller, NULL);
	expect_wake(&stays);
	followers_leave(f, &stays.follower);
	assert_int_equal(followers_count(f), 0);
	followers_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_wakes_who_waits),	 cmocka_unit_test(what_is_there_already_wakes_too),
		cmocka_unit_test(who_left_is_not_woken), cmocka_unit_test(time_wakes_too),
		cmocka_unit_test(a_wake_may_wait_again), cmocka_unit_test(who_is_behind_is_woken_again),

		cmocka_unit_test(many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
