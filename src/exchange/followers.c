#include "exchange/followers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

/*
 * One list, one thread that wakes
 *
 * Who waits stands in the list `waiting`. The waking thread moves all that are to be woken to `due` and then takes them off
 * one by one; the lock is free while a wake runs. So telling costs the sequencing thread a signal, whatever the
 * number of followers, and a wake may wait again: it lands in `waiting`, which this pass does not look at.
 *
 * Leaving takes the follower off whichever list it is on. If its wake is running at that moment, leaving waits for it.
 *
 * Times: the whole list is looked through for those whose time has come, at most once in TICK_MS.
 *
 * Everyone who is woken looks whether there is something for it, so while batches come quickly a crowd would do nothing else.
 * Behind each round the thread rests for a time in proportion to how many it woke: three followers hear of each batch, ten
 * thousand of what came in the last half second. The first news after a rest is told at once.
 */

#define TICK_MS 100
#define REST_US 50 /* for each that was woken */

/* A ring with a head: who leaves need not know on which list it is. */
struct followers {
	pthread_mutex_t mutex;
	pthread_cond_t news;  /* for the thread */
	pthread_cond_t woken; /* for who leaves: `now` has changed */
	struct follower waiting, due;
	struct follower *now; /* its wake is running */
	pthread_t thread;
	uint64_t reached, told;
	int64_t earliest_ms; /* of all `until_ms` in waiting, or before it; 0: none has one */
	int64_t rest_until_ms;
	bool late; /* somebody waits for what is there already */
	bool ending;
};

static void ring_clear(struct follower *head)
{
	head->next = head->previous = head;
}

static void ring_add(struct follower *head, struct follower *one)
{
	one->previous = head->previous;
	one->next = head;
	one->previous->next = one->next->previous = one;
}

static void ring_take(struct follower *one)
{
	one->previous->next = one->next;
	one->next->previous = one->previous;
	one->next = one->previous = NULL;
}

/* ---- the waking thread ---- */

/* Those whose time has come. Under the lock. */
static void find_due(struct followers *f, int64_t now_ms)
{
	struct follower *next;

	f->earliest_ms = 0;
	for (struct follower *one = f->waiting.next; one != &f->waiting; one = next) {
		next = one->next;
		if (one->until_ms == 0)
			continue;
		if (one->until_ms <= now_ms) {
			ring_take(one);
			ring_add(&f->due, one);
		} else if (f->earliest_ms == 0 || one->until_ms < f->earliest_ms) {
			f->earliest_ms = one->until_ms;
		}
	}
}

static size_t wake_due(struct followers *f)
{
	size_t count = 0;

	while (f->due.next != &f->due) {
		struct follower *one = f->due.next;

		ring_take(one);
		one->waits = false;
		f->now = one;
		pthread_mutex_unlock(&f->mutex);
		one->wake(one);
		pthread_mutex_lock(&f->mutex);
		f->now = NULL;
		pthread_cond_broadcast(&f->woken);
		count++;
	}
	return count;
}

static bool is_told(const struct followers *f)
{
	return f->reached == f->told && !f->late;
}

/* When to look up if nothing happens; 0: not at all. */
static int64_t next_look(const struct followers *f, int64_t not_before_ms)
{
	if (!is_told(f))
		return f->rest_until_ms;
	if (f->earliest_ms == 0)
		return 0;
	return f->earliest_ms > not_before_ms ? f->earliest_ms : not_before_ms;
}

/* Until there is news that may be told, or somebody's time may have come. */
static void wait_for_news(struct followers *f, int64_t not_before_ms)
{
	while (!f->ending) {
		int64_t at = next_look(f, not_before_ms);
		struct timespec when = { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };

		if (at == 0 && is_told(f))
			pthread_cond_wait(&f->news, &f->mutex);
		else if (clock_now_ms() >= at)
			return;
		else
			pthread_cond_timedwait(&f->news, &f->mutex, &when);
	}
}

/* Those for whom there is news. Under the lock. */
static void find_behind(struct followers *f)
{
	struct follower *next;

	for (struct follower *one = f->waiting.next; one != &f->waiting; one = next) {
		next = one->next;
		if (one->seen < f->reached) {
			ring_take(one);
			ring_add(&f->due, one);
		}
	}
}

static void tell_all(struct followers *f)
{
	f->told = f->reached;
	f->late = false;
	find_behind(f);
	f->rest_until_ms = clock_now_ms() + (int64_t)(wake_due(f) * REST_US / 1000);
}

static void *run(void *argument)
{
	struct followers *f = argument;
	int64_t looked_ms = 0;

	pthread_mutex_lock(&f->mutex);
	while (!f->ending) {
		wait_for_news(f, looked_ms + TICK_MS);
		if (f->ending)
			break;
		if (!is_told(f)) {
			tell_all(f);
		} else {
			looked_ms = clock_now_ms();
			find_due(f, looked_ms);
			wake_due(f);
		}
	}
	pthread_mutex_unlock(&f->mutex);
	return NULL;
}

/* ---- the others ---- */

enum err followers_new(struct followers **out)
{
	struct followers *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return ERR_NO_MEMORY;
	ring_clear(&f->waiting);
	ring_clear(&f->due);
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->news, NULL);
	pthread_cond_init(&f->woken, NULL);
	if (pthread_create(&f->thread, NULL, run, f) != 0) {
		free(f);
		return fail(ERR_NO_MEMORY, "a thread that wakes followers");
	}
	*out = f;
	return OK;
}

void followers_free(struct followers *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->mutex);
	f->ending = true;
	pthread_cond_signal(&f->news);
	pthread_mutex_unlock(&f->mutex);
	pthread_join(f->thread, NULL);
	pthread_cond_destroy(&f->woken);
	pthread_cond_destroy(&f->news);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

void followers_wait(struct followers *f, struct follower *one, uint64_t seen)
{
	pthread_mutex_lock(&f->mutex);
	one->seen = seen;
	if (!one->waits) {
		one->waits = true;
		ring_add(&f->waiting, one);
	}
	if (f->reached > seen) {
		f->late = true;
		pthread_cond_signal(&f->news);
	}
	if (one->until_ms != 0 && (f->earliest_ms == 0 || one->until_ms < f->earliest_ms)) {
		f->earliest_ms = one->until_ms;
		pthread_cond_signal(&f->news);
	}
	pthread_mutex_unlock(&f->mutex);
}

void followers_leave(struct followers *f, struct follower *one)
{
	pthread_mutex_lock(&f->mutex);
	if (one->waits) {
		one->waits = false;
		ring_take(one);
	}
	while (f->now == one && !pthread_equal(pthread_self(), f->thread))
		pthread_cond_wait(&f->woken, &f->mutex);
	if (one->waits) { /* that wake waited again */
		one->waits = false;
		ring_take(one);
	}
	pthread_mutex_unlock(&f->mutex);
}

void followers_tell(struct followers *f, uint64_t stamp)
{
	pthread_mutex_lock(&f->mutex);
	if (stamp > f->reached) {
		f->reached = stamp;
		pthread_cond_signal(&f->news);
	}
	pthread_mutex_unlock(&f->mutex);
}

size_t followers_count(struct followers *f)
{
	size_t n = 0;

	pthread_mutex_lock(&f->mutex);
	for (const struct follower *one = f->waiting.next; one != &f->waiting; one = one->next)
		n++;
	pthread_mutex_unlock(&f->mutex);
	return n;
}
