#include "test.h"

#include "scratch.h"
#include "store/marks.h"

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, MARK_SIZE);
}

/* Evenly spread, or ground out to share leading bytes. */
static void draw(uint64_t *seed, struct mark *m, size_t n, size_t shared)
{
	for (size_t i = 0; i < n; i++) {
		test_bytes(seed, m[i].bytes, MARK_SIZE);
		memset(m[i].bytes, 0x5A, shared);
	}
}

static size_t unique(struct mark *m, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(&m[i], &m[kept - 1], MARK_SIZE) != 0)
			m[kept++] = m[i];
	return kept;
}

static void sorts_like_qsort(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 39, 40, 41, 1000, 70000 };
	uint64_t seed = test_seed();

	(void)state;
	for (size_t k = 0; k < TABLE_LENGTH(sizes); k++) {
		for (size_t shared = 0; shared <= MARK_SIZE; shared += 6) {
			size_t n = sizes[k], bytes = n * sizeof(struct mark);
			struct mark *a = malloc(bytes + 1), *b = malloc(bytes + 1);

			draw(&seed, a, n, shared);
			if (n > 10)
				memcpy(&a[n / 2], &a[3], sizeof(*a)); /* twins */
			memcpy(b, a, bytes);
			marks_sort(a, n);
			qsort(b, n, sizeof(*b), by_bytes);
			assert_memory_equal(a, b, bytes);
			free(a);
			free(b);
		}
	}
}

/* The twin: one array, searched with bsearch. */
struct twin {
	struct mark *marks;
	size_t count;
};

static void twin_add(struct twin *t, const struct mark *m, size_t n)
{
	t->marks = reallocarray(t->marks, t->count + n + 1, sizeof(*m));
	assert_non_null(t->marks);
	memcpy(t->marks + t->count, m, n * sizeof(*m));
	t->count += n;
	qsort(t->marks, t->count, sizeof(*m), by_bytes);
}

/* Half of what is asked for is known; some of the rest differs in the last byte only. */
static void agrees(const struct marks *m, const struct twin *t, uint64_t *seed)
{
	size_t n = test_below(seed, 3) == 0 ? test_below(seed, 30) : test_below(seed, 20000), k;
	struct mark *q = malloc((n + 1) * sizeof(*q));
	uint8_t *found = malloc(n + 1);

	draw(seed, q, n, test_below(seed, 4) == 0 ? 3 : 0);
	for (k = 0; k < n && t->count > 0; k++) {
		if (test_below(seed, 2) == 0)
			q[k] = t->marks[test_below(seed, t->count)];
		if (test_below(seed, 8) == 0)
			q[k].bytes[MARK_SIZE - 1] ^= 1;
	}
	marks_sort(q, n);
	n = unique(q, n);
	marks_find(m, q, n, found);
	for (k = 0; k < n; k++) {
		bool is = bsearch(&q[k], t->marks, t->count, sizeof(*q), by_bytes) != NULL;

		assert_int_equal(found[k], is);
	}
	assert_int_equal(marks_count(m), t->count);
	free(q);
	free(found);
}

static void finds_what_was_added(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "marks");
	uint64_t seed = test_seed(), position = 0, kept;
	struct marks *m = NULL;
	struct twin t = { 0 };

	assert_int_equal(marks_open(dir, &m), OK);
	for (int round = 0; round < 60; round++) {
		size_t n = test_below(&seed, 4) == 0 ? test_below(&seed, 50000) : test_below(&seed, 300);
		struct mark *batch = malloc((n + 1) * sizeof(*batch));

		draw(&seed, batch, n, test_below(&seed, 5) == 0 ? 3 : 0);
		marks_sort(batch, n);
		n = unique(batch, n);
		position += 1 + test_below(&seed, 1000);
		assert_int_equal(marks_add(m, batch, n, position), OK);
		twin_add(&t, batch, n);
		free(batch);
		agrees(m, &t, &seed);
		if (round % 7 == 3)
			marks_advance(m, position += 5);
		if (round % 10 == 9) {
			marks_close(m);
			assert_int_equal(marks_open(dir, &m), OK);
			assert_int_equal(marks_position(m), position);
			agrees(m, &t, &seed);
		}
	}
	kept = marks_position(m);
	assert_int_equal(kept, position);
	marks_close(m);
	free(t.marks);
}

/* A torn file and all behind it are dropped: the position says from where the journal must give them again. */
static void a_damaged_run_is_dropped(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "marks");
	uint64_t seed = test_seed();
	static struct mark big[200000], small[70000];
	static const char first[] = "marks/00000000000000000000-00000000000000000007.run";
	static const char second[] = "marks/00000000000000000007-00000000000000000009.run";
	struct marks *m = NULL;
	struct span whole;

	draw(&seed, big, TABLE_LENGTH(big), 0);
	draw(&seed, small, TABLE_LENGTH(small), 0);
	marks_sort(big, TABLE_LENGTH(big));
	marks_sort(small, TABLE_LENGTH(small));
	assert_int_equal(marks_open(dir, &m), OK);
	assert_int_equal(marks_add(m, big, TABLE_LENGTH(big), 7), OK);
	assert_int_equal(marks_add(m, small, TABLE_LENGTH(small), 9), OK);
	marks_close(m);
	for (int round = 0; round < 40; round++) {
		const char *name = round % 2 == 0 ? first : second;
		size_t at;

		whole = scratch_read(s, name);
		assert_true(whole.len > 64);
		at = round < 20 ? test_below(&seed, 64) : test_below(&seed, whole.len);
		((char *)(uintptr_t)whole.at)[at] ^= (char)(1 << test_below(&seed, 8));
		assert_int_equal(scratch_write(s, name, whole), OK);
		assert_int_equal(marks_open(dir, &m), OK);
		assert_int_equal(marks_position(m), round % 2 == 0 ? 0 : 7);
		assert_int_equal(marks_damaged(m), ERR_DAMAGED);
		assert_non_null(strstr(err_detail(), name));
		if (round % 2 == 0)
			assert_int_equal(marks_add(m, big, TABLE_LENGTH(big), 7), OK);
		assert_int_equal(marks_add(m, small, TABLE_LENGTH(small), 9), OK);
		marks_close(m);
		assert_int_equal(marks_open(dir, &m), OK);
		assert_int_equal(marks_position(m), 9);
		assert_int_equal(marks_damaged(m), OK);
		assert_int_equal(marks_count(m), TABLE_LENGTH(big) + TABLE_LENGTH(small));
		marks_close(m);
		arena_reset(s->arena);
		dir = scratch_path(s, "marks");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_like_qsort),
		cmocka_unit_test_setup_teardown(finds_what_was_added, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_damaged_run_is_dropped, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
