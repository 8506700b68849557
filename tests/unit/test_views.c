#include "test.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "scratch.h"
#include "store/views.h"

/* ---- the twin: a list ---- */

#define KEYS 200

struct twin {
	struct {
		char key[24], value[40];
		bool there;
	} at[VIEW_COUNT][KEYS];
	uint64_t position;
};

static void twin_begin(struct twin *t)
{
	memset(t, 0, sizeof(*t));
	for (int v = 0; v < VIEW_COUNT; v++)
		for (int k = 0; k < KEYS; k++)
			snprintf(t->at[v][k].key, sizeof(t->at[v][k].key), "%c%03d", 'a' + k / 50, k);
}

struct seen {
	const struct twin *twin;
	int view, next, last, count;
};

static enum err compare(void *context, struct span key, struct span value)
{
	struct seen *s = context;

	while (s->next <= s->last && !s->twin->at[s->view][s->next].there)
		s->next++;
	assert_true(s->next <= s->last);
	assert_span(key, s->twin->at[s->view][s->next].key);
	assert_span(value, s->twin->at[s->view][s->next].value);
	s->next++;
	s->count++;
	return OK;
}

/* From each key on and from between two, to the end. */
static void agrees_seeking(struct snapshot *s, const struct twin *t, int v)
{
	struct view_cursor *c;

	assert_int_equal(view_cursor_open(s, (enum view)v, &c), OK);
	for (int from = -1; from < KEYS; from += 17) {
		const char *key = from < 0 ? "" : t->at[v][from].key;
		char between[32];
		struct span k, value;
		enum err e;

		snprintf(between, sizeof(between), "%s%s", key, from >= 0 && from % 2 == 0 ? "x" : "");
		e = view_cursor_seek(c, span_of(between), &k, &value);
		for (int i = 0; i < KEYS; i++) {
			if (!t->at[v][i].there || strcmp(t->at[v][i].key, between) < 0)
				continue;
			assert_int_equal(e, OK);
			assert_span(k, t->at[v][i].key);
			assert_span(value, t->at[v][i].value);
			e = view_cursor_next(c, &k, &value);
		}
		assert_int_equal(e, ERR_NOT_FOUND);
	}
	view_cursor_close(c);
}

static void agrees(struct snapshot *s, const struct twin *t)
{
	static const char *const prefixes[] = { "", "a", "b", "c", "d", "b0", "z" };

	for (int v = 0; v < VIEW_COUNT; v++) {
		struct view_cursor *c;

		assert_int_equal(view_cursor_open(s, (enum view)v, &c), OK);
		for (int k = 0; k < KEYS; k++) {
			struct span value, again;
			enum err e = view_get(s, (enum view)v, span_of(t->at[v][k].key), &value);

			assert_int_equal(e, t->at[v][k].there ? OK : ERR_NOT_FOUND);
			assert_int_equal(view_cursor_get(c, span_of(t->at[v][k].key), &again), e);
			if (e == OK) {
				assert_span(value, t->at[v][k].value);
				assert_span(again, t->at[v][k].value);
			}
		}
		view_cursor_close(c);
		agrees_seeking(s, t, v);
		for (size_t p = 0; p < TABLE_LENGTH(prefixes); p++) {
			for (int from = -1; from < KEYS; from += 37) {
				struct span prefix = span_of(prefixes[p]);
				struct span start = from < 0 ? SPAN("") : span_of(t->at[v][from].key);
				struct seen seen = { .twin = t, .view = v, .last = -1 };
				int expected = 0;

				for (int k = 0; k < KEYS; k++) {
					bool in = span_starts(span_of(t->at[v][k].key), prefixes[p]) && k >= from;

					if (in && seen.last == -1)
						seen.next = k;
					if (in)
						seen.last = k;
					expected += in && t->at[v][k].there;
				}
				assert_int_equal(view_walk(s, (enum view)v, prefix, start, compare, &seen), OK);
				assert_int_equal(seen.count, expected);
			}
		}
	}
	assert_int_equal(views_position(s), t->position);
}

/* In no order and each key perhaps twice, as nobody would do it who wants to be fast. */
static void change_by_cursor(struct snapshot *s, struct twin *t, uint64_t *seed)
{
	size_t v = test_below(seed, VIEW_COUNT);
	struct view_cursor *c;

	assert_int_equal(view_cursor_open(s, (enum view)v, &c), OK);
	for (int i = 0; i < 60; i++) {
		size_t k = test_below(seed, KEYS);
		struct span key = span_of(t->at[v][k].key), old;
		char value[40];
		enum err e;

		snprintf(value, sizeof(value), "%0*llx", (int)(1 + test_below(seed, 30)),
			 (unsigned long long)test_random(seed));
		e = view_cursor_add(c, key, span_of(value), &old);
		assert_int_equal(e, t->at[v][k].there ? ERR_EXISTS : OK);
		if (e == ERR_EXISTS) {
			assert_span(old, t->at[v][k].value);
			if (test_below(seed, 2) == 0)
				continue;
			assert_int_equal(view_cursor_replace(c, key, span_of(value)), OK);
		}
		t->at[v][k].there = true;
		snprintf(t->at[v][k].value, sizeof(t->at[v][k].value), "%s", value);
	}
	view_cursor_close(c);
}

static void change(struct snapshot *s, struct twin *t, uint64_t *seed)
{
	change_by_cursor(s, t, seed);
	for (int i = 0; i < 60; i++) {
		size_t v = test_below(seed, VIEW_COUNT), k = test_below(seed, KEYS);

		if (test_below(seed, 3) > 0) {
			snprintf(t->at[v][k].value, sizeof(t->at[v][k].value), "%016llx",
				 (unsigned long long)test_random(seed));
			assert_int_equal(
				view_put(s, (enum view)v, span_of(t->at[v][k].key), span_of(t->at[v][k].value)), OK);
			t->at[v][k].there = true;
		} else {
			assert_int_equal(view_delete(s, (enum view)v, span_of(t->at[v][k].key)),
					 t->at[v][k].there ? OK : ERR_NOT_FOUND);
			t->at[v][k].there = false;
		}
	}
	t->position += 1 + test_below(seed, 1000);
	assert_int_equal(views_set_position(s, t->position), OK);
}

static void agrees_with_a_list(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "views");
	static struct twin committed, work, old;
	uint64_t seed = test_seed();
	struct views *v = NULL;

	twin_begin(&committed);
	assert_int_equal(views_open(dir, true, &v), OK);
	for (int round = 0; round < 40; round++) {
		struct snapshot *writer = NULL, *reader = NULL;

		old = work = committed;
		assert_int_equal(views_read(v, &reader), OK);
		assert_int_equal(views_write(v, &writer), OK);
		change(writer, &work, &seed);
		agrees(writer, &work);
		agrees(reader, &old);
		if (test_below(&seed, 4) == 0) {
			snapshot_end(writer);
		} else {
			assert_int_equal(snapshot_commit(writer), OK);
			committed = work;
		}
		agrees(reader, &old); /* a snapshot does not move */
		snapshot_end(reader);
		if (round % 10 == 9) {
			views_close(v);
			assert_int_equal(views_open(dir, true, &v), OK);
		}
		assert_int_equal(views_read(v, &reader), OK);
		agrees(reader, &committed);
		snapshot_end(reader);
	}
	views_close(v);
}

static void readers_only_read(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "views");
	struct views *v = NULL;
	struct snapshot *one = NULL, *two = NULL;
	struct span value;

	assert_int_not_equal(views_open(dir, false, &v), OK); /* nothing is there */
	assert_int_equal(views_open(dir, true, &v), OK);
	assert_int_equal(views_write(v, &one), OK);
	assert_int_equal(view_put(one, VIEW_STATE, SPAN("k"), SPAN("v")), OK);
	assert_int_equal(snapshot_commit(one), OK);
	views_close(v);
	assert_int_equal(views_open(dir, false, &v), OK);
	assert_int_equal(views_write(v, &one), ERR_USAGE);
	assert_int_equal(views_read(v, &one), OK);
	assert_int_equal(views_read(v, &two), OK); /* two in one thread */
	assert_int_equal(view_get(one, VIEW_STATE, SPAN("k"), &value), OK);
	assert_span(value, "v");
	assert_int_equal(view_get(two, VIEW_OWN, SPAN("k"), &value), ERR_NOT_FOUND);
	assert_int_not_equal(view_put(two, VIEW_STATE, SPAN("k"), SPAN("w")), OK);
	snapshot_end(one);
	snapshot_end(two);
	snapshot_end(NULL);
	views_close(v);
	views_close(NULL);
}

static enum err refuse(void *context, struct span key, struct span value)
{
	(void)key;
	(void)value;
	return ++*(int *)context == 3 ? ERR_USAGE : OK;
}

static void a_walk_ends_with_its_callback(void **state)
{
	struct scratch *s = *state;
	struct views *v = NULL;
	struct snapshot *w = NULL;
	int shown = 0;

	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	assert_int_equal(views_write(v, &w), OK);
	for (int i = 0; i < 10; i++) {
		char key[2] = { (char)('a' + i), 0 };

		assert_int_equal(view_put(w, VIEW_OWN, span_of(key), SPAN("")), OK);
	}
	assert_int_equal(view_walk(w, VIEW_OWN, SPAN(""), SPAN(""), refuse, &shown), ERR_USAGE);
	assert_int_equal(shown, 3);
	snapshot_end(w);
	views_close(v);
}

/* A folder that another boot of the machine left open is not to be trusted, nor is one with a torn file. */
static void what_another_boot_left_is_damaged(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "views");
	struct views *v = NULL, *reader = NULL;
	struct snapshot *w = NULL;

	assert_int_equal(views_open(dir, true, &v), OK);
	assert_int_equal(views_write(v, &w), OK);
	assert_int_equal(views_set_position(w, 5), OK);
	assert_int_equal(snapshot_commit(w), OK);
	assert_true(scratch_has(s, "views/boot"));
	views_close(v);
	assert_false(scratch_has(s, "views/boot"));
	/* left by this boot: a process died */
	assert_int_equal(views_open(dir, true, &v), OK);
	assert_int_equal(scratch_write(s, "views/keep", scratch_read(s, "views/boot")), OK);
	views_close(v);
	assert_int_equal(scratch_write(s, "views/boot", scratch_read(s, "views/keep")), OK);
	assert_int_equal(views_open(dir, true, &v), OK);
	views_close(v);
	/* left by another boot */
	assert_int_equal(scratch_write(s, "views/boot", SPAN("00000000-0000-0000-0000-000000000000\n")), OK);
	assert_int_equal(views_open(dir, false, &reader), ERR_DAMAGED);
	assert_int_equal(views_open(dir, true, &v), ERR_DAMAGED);
	assert_int_equal(views_destroy(dir), OK);
	assert_int_equal(views_open(dir, true, &v), OK);
	assert_int_equal(views_read(v, &w), OK);
	assert_int_equal(views_position(w), 0);
	snapshot_end(w);
	views_close(v);
	/* no file of LMDB's */
	assert_int_equal(scratch_write(s, "views/data.mdb", SPAN("this is nothing that LMDB ever wrote")), OK);
	assert_int_equal(views_open(dir, true, &v), ERR_DAMAGED);
	assert_int_equal(views_destroy(dir), OK);
	assert_int_equal(views_destroy(dir), OK);
}

/* Views that another version of the program made are not read as if they were ours. */
static void another_make_is_damaged(void **state)
{
	struct scratch *s = *state;
	static const char before[] = { VIEWS_MAKE - 1, 0 }, next[] = { VIEWS_MAKE + 1, 0 };
	static const char twice[] = { VIEWS_MAKE, VIEWS_MAKE, 0 };
	static const char *const makes[] = { NULL, "", "\1", before, next, twice };
	const char *dir = scratch_path(s, "views");

	for (size_t i = 0; i < TABLE_LENGTH(makes); i++) {
		MDB_val key = { 4, "make" }, value;
		struct views *v, *reader;
		struct snapshot *w;
		MDB_env *env;
		MDB_txn *txn;
		MDB_dbi meta;

		assert_int_equal(views_open(dir, true, &v), OK);
		views_close(v);
		assert_int_equal(views_open(dir, true, &v), OK); /* ours, and still empty */
		assert_int_equal(views_write(v, &w), OK);
		assert_int_equal(views_set_position(w, 5), OK);
		assert_int_equal(snapshot_commit(w), OK);
		views_close(v);
		assert_int_equal(mdb_env_create(&env), 0);
		assert_int_equal(mdb_env_set_maxdbs(env, VIEW_COUNT + 1), 0);
		assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
		assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
		assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
		assert_int_equal(mdb_del(txn, meta, &key, NULL), 0);
		if (makes[i] != NULL) {
			value = (MDB_val){ strlen(makes[i]), (void *)(uintptr_t)makes[i] };
			assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
		}
		assert_int_equal(mdb_txn_commit(txn), 0);
		mdb_env_close(env);
		assert_int_equal(views_open(dir, false, &reader), ERR_DAMAGED);
		assert_int_equal(views_open(dir, true, &v), ERR_DAMAGED);
		assert_int_equal(views_destroy(dir), OK);
	}
}

static struct hash digest_of(struct views *v)
{
	struct snapshot *r;
	struct hash h;

	assert_int_equal(views_read(v, &r), OK);
	assert_int_equal(views_digest(r, &h), OK);
	snapshot_end(r);
	return h;
}

/* The digest tells every table, key and value apart, and where one ends and the next begins. */
static void digests(void **state)
{
	struct scratch *s = *state;
	static char great[100000];
	const struct {
		enum view view;
		struct span key, value;
	} table[] = {
		{ VIEW_OWN, SPAN("ab"), SPAN("c") },	    { VIEW_OWN, SPAN("a"), SPAN("bc") },
		{ VIEW_SIGHTINGS, SPAN("ab"), SPAN("c") },  { VIEW_OWN, SPAN("a"), SPAN("") },
		{ VIEW_OWN, SPAN("a"), { great, 100000 } }, { VIEW_OWN, SPAN("a"), { great, 99999 } },
	};
	struct hash seen[TABLE_LENGTH(table) + 1];
	struct snapshot *w;
	struct views *v;

	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	seen[0] = digest_of(v);
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(views_write(v, &w), OK);
		assert_int_equal(view_put(w, table[i].view, table[i].key, table[i].value), OK);
		assert_int_equal(snapshot_commit(w), OK);
		seen[i + 1] = digest_of(v);
		for (size_t k = 0; k <= i; k++)
			assert_false(hash_equal(seen[k], seen[i + 1]));
		assert_int_equal(views_write(v, &w), OK);
		assert_int_equal(view_delete(w, table[i].view, table[i].key), OK);
		assert_int_equal(snapshot_commit(w), OK);
		assert_true(hash_equal(digest_of(v), seen[0]));
	}
	views_close(v);
}

/* ---- readers beside the writer ---- */

#define ROUNDS 300

struct reading {
	struct views *views;
	int failures, snapshots;
};

/* In one snapshot all keys have the value of one commit. */
static void *read_on(void *argument)
{
	struct reading *r = argument;
	uint64_t position = 0;

	while (position < ROUNDS) {
		struct snapshot *s = NULL;
		struct span a, b;

		if (views_read(r->views, &s) != OK) {
			r->failures++;
			break;
		}
		r->failures += views_position(s) < position;
		position = views_position(s);
		if (position > 0)
			r->failures += view_get(s, VIEW_STATE, SPAN("a"), &a) != OK ||
				       view_get(s, VIEW_OWN, SPAN("b"), &b) != OK || !span_equal(a, b) ||
				       a.len != position % 90;
		r->snapshots++;
		snapshot_end(s);
	}
	return NULL;
}

static void readers_see_whole_commits(void **state)
{
	struct scratch *s = *state;
	struct reading r[3] = { { 0 } };
	pthread_t threads[3];
	char value[100];
	struct views *v = NULL;

	memset(value, 'x', sizeof(value));
	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	for (int i = 0; i < 3; i++) {
		r[i].views = v;
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r[i]), 0);
	}
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct snapshot *w = NULL;

		assert_int_equal(views_write(v, &w), OK);
		assert_int_equal(view_put(w, VIEW_STATE, SPAN("a"), span_make(value, round % 90)), OK);
		assert_int_equal(view_put(w, VIEW_OWN, SPAN("b"), span_make(value, round % 90)), OK);
		assert_int_equal(views_set_position(w, round), OK);
		assert_int_equal(snapshot_commit(w), OK);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(r[i].failures, 0);
		assert_true(r[i].snapshots > 0);
	}
	views_close(v);
}

#define CROWD 64
#define EACH_HOLDS 4

struct crowd {
	struct views *views;
	pthread_barrier_t held, written;
	atomic_int failures;
};

static void *hold_some(void *argument)
{
	struct crowd *c = argument;
	struct snapshot *s[EACH_HOLDS] = { NULL };
	struct span value;

	for (int i = 0; i < EACH_HOLDS; i++)
		c->failures += views_read(c->views, &s[i]) != OK;
	pthread_barrier_wait(&c->held);
	pthread_barrier_wait(&c->written);
	for (int i = 0; i < EACH_HOLDS; i++) {
		c->failures +=
			s[i] == NULL || view_get(s[i], VIEW_STATE, SPAN("a"), &value) != OK || !span_is(value, "old");
		snapshot_end(s[i]);
	}
	for (int i = 0; i < 200; i++) {
		struct snapshot *now = NULL;

		c->failures += views_read(c->views, &now) != OK || view_get(now, VIEW_STATE, SPAN("a"), &value) != OK ||
			       !span_is(value, "new");
		snapshot_end(now);
	}
	return NULL;
}

static void set_a(struct views *v, const char *value)
{
	struct snapshot *w;

	assert_int_equal(views_write(v, &w), OK);
	assert_int_equal(view_put(w, VIEW_STATE, SPAN("a"), span_of(value)), OK);
	assert_int_equal(snapshot_commit(w), OK);
}

/* What a server has: many threads, some with several snapshots. One above the limit is told to wait, and can then. */
static void many_readers(void **state)
{
	struct crowd c = { .failures = 0 };
	struct snapshot *held[VIEWS_READERS], *more;
	pthread_t threads[CROWD];

	assert_int_equal(views_open(scratch_path(*state, "views"), true, &c.views), OK);
	set_a(c.views, "old");
	assert_int_equal(pthread_barrier_init(&c.held, NULL, CROWD + 1), 0);
	assert_int_equal(pthread_barrier_init(&c.written, NULL, CROWD + 1), 0);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_some, &c), 0);
	pthread_barrier_wait(&c.held);
	set_a(c.views, "new");
	pthread_barrier_wait(&c.written);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(c.failures, 0);
	pthread_barrier_destroy(&c.held);
	pthread_barrier_destroy(&c.written);
	for (int i = 0; i < VIEWS_READERS; i++)
		assert_int_equal(views_read(c.views, &held[i]), OK);
	assert_int_equal(views_read(c.views, &more), ERR_BUSY);
	snapshot_end(held[0]);
	assert_int_equal(views_read(c.views, &held[0]), OK);
	for (int i = 0; i < VIEWS_READERS; i++)
		snapshot_end(held[i]);
	views_close(c.views);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(agrees_with_a_list, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(readers_only_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_walk_ends_with_its_callback, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_another_boot_left_is_damaged, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(another_make_is_damaged, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(digests, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(readers_see_whole_commits, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(many_readers, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
