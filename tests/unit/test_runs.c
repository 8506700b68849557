/* Sorting, and rows on their way through runs to batches. */
#include "test.h"

#include "route/runs.h"
#include "scratch.h"

static int by_key(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void sorts_as_qsort_does(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 47, 48, 49, 1000, 30000 };
	uint64_t seed = test_seed();

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(sizes); i++) {
		for (unsigned bits = 0; bits <= 64; bits += 16) {
			size_t n = sizes[i];
			struct sort_key *a = calloc(2 * n + 1, sizeof(*a)), *b = calloc(n + 1, sizeof(*b)), *sorted;

			for (size_t k = 0; k < n; k++)
				a[k] = (struct sort_key){ bits == 0 ? 7 : test_random(&seed) >> (64 - bits),
							  (uint32_t)k };
			if (n > 0)
				memcpy(b, a, n * sizeof(*b));
			qsort(b, n, sizeof(*b), by_key); /* equal keys by place: stable */
			sorted = sort_keys(a, a + n, n);
			for (size_t k = 0; k < n; k++)
				assert_true(sorted[k].key == b[k].key && sorted[k].at == b[k].at);
			free(a);
			free(b);
		}
	}
}

/* One row in all: the number of its notice and a number of its own as text. */
struct twin {
	uint64_t notice, order, host;
	size_t batch; /* 1 + its number; 0: not seen */
	bool divided; /* of that batch: it may share the source with its neighbours */
};

static void put_row(struct runs *r, struct run_fill *f, uint64_t *seed, struct twin *t, uint32_t number, size_t notices,
		    size_t hosts)
{
	struct row_entry *e;
	char text[64];
	int n = snprintf(text, sizeof(text), "%u%*s\n", number, (int)test_below(seed, 40), "");

	if (run_fill_full(f, sizeof(text)))
		assert_int_equal(runs_put(r, f), OK);
	assert_non_null(e = run_fill_entry(f));
	*e = (struct row_entry){ .length = (uint32_t)n & 0xffffff };
	test_bytes(seed, e->mark.bytes, MARK_SIZE);
	/* Some notices are far greater than others. */
	t->notice = test_below(seed, 3) == 0 ? notices / 2 : test_below(seed, notices);
	e->low = test_below(seed, hosts);
	e->order = row_order(t->notice, 0, e->low, &e->mark);
	t->order = e->order;
	t->host = e->low;
	memcpy(f->rows + f->len, text, (size_t)n);
	f->len += (size_t)n;
}

static void check_batch(const struct batch_rows *b, const struct batch_plan *p, size_t number, uint64_t begin,
			struct twin *rows)
{
	for (size_t i = 0; i < b->count; i++) {
		const char *text = b->rows + b->at[i];
		struct twin *t = &rows[strtoul(text, NULL, 10)];

		assert_int_equal(text[b->entries[i].length - 1], '\n');
		assert_true(b->entries[i].order == t->order);
		assert_int_equal(t->batch, 0);
		t->batch = number + 1;
		t->divided = p->divided || p->follows;
		assert_true(t->order >= begin && t->order < p->end);
	}
}

/* The rows of a source and notice lie in one batch, or in neighbours that say so. */
static void sources_stay_together(const struct twin *rows, uint32_t count, size_t hosts)
{
	const struct twin **first = calloc(hosts, sizeof(*first));

	for (uint32_t i = 0; i < count; i++) {
		const struct twin **f = &first[rows[i].host];

		if (*f == NULL || (*f)->notice != rows[i].notice)
			*f = &rows[i]; /* of some notice: enough of them are compared */
		assert_true((*f)->batch == rows[i].batch || ((*f)->divided && rows[i].divided));
	}
	free(first);
}

/* Every row comes back once, in the batch that it belongs to, and no batch is much greater than was asked. */
static void rows_come_back_batch_by_batch(struct scratch *s, uint64_t *seed, uint32_t count, size_t notices,
					  size_t hosts, size_t resident, size_t batch)
{
	struct twin *rows = calloc(count + 1, sizeof(*rows));
	const struct batch_plan *plans;
	struct batch_rows b = { 0 };
	struct run_fill fills[2];
	struct runs *r;
	uint64_t begin = 0, total = 0;
	size_t plan_count;

	assert_int_equal(runs_new(s->dir, resident, &r), OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(run_fill_start(&fills[i], 100000), OK);
	for (uint32_t i = 0; i < count; i++)
		put_row(r, &fills[test_below(seed, 2)], seed, &rows[i], i, notices, hosts);
	for (int i = 0; i < 2; i++)
		assert_int_equal(runs_put(r, &fills[i]), OK);
	for (int i = 0; i < 2; i++)
		run_fill_end(&fills[i]);
	assert_int_equal(runs_plan(r, batch, &plans, &plan_count), OK);
	for (size_t i = 0; i < plan_count; i++) {
		assert_int_equal(runs_take(r, &plans[i], &b), OK);
		assert_int_equal(runs_read(&b), OK);
		check_batch(&b, &plans[i], i, begin, rows);
		assert_true(plans[i].parts == 0 || (plans[i].part >= 1 && plans[i].part <= plans[i].parts));
		assert_true(b.len <= 2 * batch);
		begin = plans[i].end;
		total += b.count;
	}
	assert_int_equal(total, count);
	sources_stay_together(rows, count, hosts);
	batch_rows_free(&b);
	runs_free(r);
	free(rows);
}

static void every_row_comes_back_once(void **state)
{
	uint64_t seed = test_seed();

	rows_come_back_batch_by_batch(*state, &seed, 0, 1, 10, 0, 1 << 20);
	rows_come_back_batch_by_batch(*state, &seed, 1, 1, 10, 0, 1 << 20);
	rows_come_back_batch_by_batch(*state, &seed, 20000, 500, 300, 0, 1 << 19);		 /* all spilled */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 500, 300, (size_t)1 << 30, 1 << 19); /* none */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 500, 300, 300000, 1 << 19);		 /* some */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 1, 5000, 300000, 1 << 18);		 /* one great notice */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 1, 5, 300000, 1 << 18);		 /* of few sources */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 1, 1, 0, 1 << 18);			 /* of one */
	rows_come_back_batch_by_batch(*state, &seed, 20000, 20000, 300, 300000, 1 << 18);	 /* many small ones */
}

static void great_notices_are_cut_into_parts(void **state)
{
	struct scratch *s = *state;
	uint64_t seed = test_seed();
	const struct batch_plan *plans;
	struct twin t;
	struct run_fill f;
	struct runs *r;
	size_t count;

	assert_int_equal(runs_new(s->dir, 0, &r), OK);
	assert_int_equal(run_fill_start(&f, 100000), OK);
	for (uint32_t i = 0; i < 10000; i++)
		put_row(r, &f, &seed, &t, i, 1, 5000);
	assert_int_equal(runs_put(r, &f), OK);
	run_fill_end(&f);
	assert_int_equal(runs_plan(r, 1 << 18, &plans, &count), OK);
	assert_true(count > 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(plans[i].part, i + 1);
		assert_int_equal(plans[i].parts, count);
	}
	assert_true(plans[count - 1].end > t.order && plans[count - 1].end <= (t.notice + 1) << ROW_DEAL_BITS);
	runs_free(r);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_as_qsort_does),
		IN_A_FOLDER(every_row_comes_back_once),
		IN_A_FOLDER(great_notices_are_cut_into_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
