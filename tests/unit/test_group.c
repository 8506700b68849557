#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "store/group.h"

struct item {
	struct group_item item;
	unsigned submitter, number;
};

#define SUBMITTERS 24
#define EACH 400

struct log {
	unsigned next[SUBMITTERS]; /* the number that must come next */
	unsigned count, groups;
	int wrong;
	atomic_bool hold, busy; /* the worker waits while hold is set, and says so */
};

/* Only the worker touches the log: ThreadSanitizer would see any other. */
static void work(void *context, struct group_item *first)
{
	struct log *l = context;

	l->groups++;
	for (struct group_item *i = first; i != NULL; i = i->next) {
		struct item *it = (struct item *)i;

		l->wrong += l->next[it->submitter]++ != it->number;
		l->count++;
		i->err = it->number % 7 == 3 ? ERR_USAGE : OK;
	}
	while (atomic_load(&l->hold)) {
		atomic_store(&l->busy, true);
		usleep(100);
	}
}

struct submitter {
	struct group *group;
	unsigned self;
	int wrong;
};

static void *submit(void *argument)
{
	struct submitter *s = argument;

	for (unsigned i = 0; i < EACH; i++) {
		struct item it = { .submitter = s->self, .number = i };
		enum err e = group_submit(s->group, &it.item);

		s->wrong += e != (i % 7 == 3 ? ERR_USAGE : OK);
	}
	return NULL;
}

static void every_item_is_worked_on_once_in_order(void **state)
{
	static struct log l;
	struct submitter s[SUBMITTERS];
	pthread_t threads[SUBMITTERS];
	struct group *g = NULL;

	(void)state;
	assert_int_equal(group_start(work, &l, SUBMITTERS, &g), OK);
	for (unsigned i = 0; i < SUBMITTERS; i++) {
		s[i] = (struct submitter){ .group = g, .self = i };
		assert_int_equal(pthread_create(&threads[i], NULL, submit, &s[i]), 0);
	}
	for (unsigned i = 0; i < SUBMITTERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(s[i].wrong, 0);
	}
	group_stop(g);
	assert_int_equal(l.wrong, 0);
	assert_int_equal(l.count, SUBMITTERS * EACH);
	assert_true(l.groups <= l.count);
}

static atomic_int refused;

static void *submit_one(void *argument)
{
	struct submitter *s = argument;
	struct item it = { .submitter = s->self };
	enum err e = group_submit(s->group, &it.item);

	s->wrong = e != OK && e != ERR_BUSY;
	if (e == ERR_BUSY)
		atomic_fetch_add(&refused, 1);
	return NULL;
}

/* While the worker is busy with one item `limit` more may wait, and the rest is refused. */
static void the_queue_has_a_limit(void **state)
{
	static struct log l;
	struct submitter s[12];
	pthread_t threads[12];
	struct group *g = NULL;

	(void)state;
	atomic_store(&l.hold, true);
	assert_int_equal(group_start(work, &l, 5, &g), OK);
	for (unsigned i = 0; i < 12; i++) {
		s[i] = (struct submitter){ .group = g, .self = i };
		assert_int_equal(pthread_create(&threads[i], NULL, submit_one, &s[i]), 0);
		while (!atomic_load(&l.busy))
			usleep(100);
	}
	while (atomic_load(&refused) < 6)
		usleep(100);
	atomic_store(&l.hold, false);
	for (unsigned i = 0; i < 12; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(s[i].wrong, 0);
	}
	group_stop(g);
	group_stop(NULL);
	assert_int_equal(atomic_load(&refused), 6);
	assert_int_equal(l.count, 6);
	assert_int_equal(l.groups, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_item_is_worked_on_once_in_order),
		cmocka_unit_test(the_queue_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
