/* What the store costs on this machine: durable batches, duplicate marks. Prints numbers; run it on the
 * disk that the node will use: bench_journal [folder]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/journal.h"
#include "store/marks.h"

#define RECORD 600
#define RUN_US 1500000

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* ---- journal ---- */

static void batches(struct journal *j, size_t size)
{
	static char record[RECORD];
	static int64_t took[200000];
	struct span part = span_make(record, RECORD);
	int64_t begin = clock_monotonic_us(), now = begin;
	size_t n = 0;

	memset(record, 'r', sizeof(record));
	while (now - begin < RUN_US && n < sizeof(took) / sizeof(took[0])) {
		int64_t before = now;

		need(journal_begin(j));
		for (size_t i = 0; i < size; i++)
			need(journal_add(j, RECORD_ENTRY, 0, &part, 1, NULL));
		need(journal_commit(j));
		now = clock_monotonic_us();
		took[n++] = now - before;
	}
	qsort(took, n, sizeof(took[0]), by_value);
	printf("journal: batches of %4zu x %d bytes: %8.0f records/s, p50 %5" PRId64 " us, p99 %5" PRId64 " us\n", size,
	       RECORD, (double)(n * size) * 1e6 / (double)(now - begin), took[n / 2], took[n * 99 / 100]);
}

static void large(struct journal *j, size_t megabytes)
{
	size_t n = megabytes << 20;
	char *body = malloc(n);
	struct span part = span_make(body, n);
	int64_t begin = clock_monotonic_us(), now = begin;
	int rounds = 0;

	if (body == NULL)
		need(ERR_NO_MEMORY);
	memset(body, 'b', n);
	for (; rounds < 8; rounds++) {
		need(journal_begin(j));
		need(journal_add(j, RECORD_BODY, 0, &part, 1, NULL));
		need(journal_commit(j));
	}
	now = clock_monotonic_us();
	printf("journal: one body of %zu MiB: %.0f ms, %.2f GB/s\n", megabytes, (double)(now - begin) / 1e3 / rounds,
	       (double)n * rounds / 1e3 / (double)(now - begin));
	free(body);
}

static enum err count_record(void *context, const struct record *r)
{
	*(uint64_t *)context += r->payload.len;
	return OK;
}

static void tail(struct journal *j)
{
	uint64_t bytes = 0;
	int64_t begin = clock_monotonic_us();

	need(journal_tail(j, 0, count_record, &bytes));
	printf("journal: reading all %" PRIu64 " MB: %.2f GB/s\n", bytes / 1000000,
	       (double)bytes / 1e3 / (double)(clock_monotonic_us() - begin));
}

/* ---- marks ---- */

static struct mark *draw(size_t n, uint64_t *seed)
{
	struct mark *m = malloc(n * sizeof(*m));

	if (m == NULL)
		need(ERR_NO_MEMORY);
	for (size_t i = 0; i < n; i++) {
		uint64_t v[3] = { next_random(seed), next_random(seed), next_random(seed) };

		memcpy(m[i].bytes, v, MARK_SIZE);
	}
	return m;
}

static double rate(size_t n, int64_t begin)
{
	return (double)n / (double)(clock_monotonic_us() - begin);
}

static void find(const struct marks *m, size_t n, uint64_t *seed)
{
	struct mark *query = draw(n, seed);
	uint8_t *found = malloc(n);
	int64_t begin;
	double best = 0;

	if (found == NULL)
		need(ERR_NO_MEMORY);
	marks_sort(query, n);
	for (int round = 0; round < 3; round++) {
		begin = clock_monotonic_us();
		marks_find(m, query, n, found);
		if (rate(n, begin) > best)
			best = rate(n, begin);
	}
	printf("marks: find %7zu among %" PRIu64 ": %.1f M/s\n", n, marks_count(m), best);
	free(found);
	free(query);
}

static void marks(const char *dir)
{
	static const size_t sizes[] = { 40000, 1000000, 10000000 };
	struct marks *m = NULL;
	uint64_t seed = 1, position = 0;
	int64_t begin, total;

	for (size_t i = 0; i < 3; i++) {
		struct mark *all = draw(sizes[i], &seed);

		begin = clock_monotonic_us();
		marks_sort(all, sizes[i]);
		printf("marks: sort %8zu: %.1f M/s\n", sizes[i], rate(sizes[i], begin));
		free(all);
	}
	need(marks_open(dir, &m));
	total = 0;
	for (size_t i = 0; i < 250; i++) {
		struct mark *batch = draw(40000, &seed);

		marks_sort(batch, 40000);
		begin = clock_monotonic_us();
		need(marks_add(m, batch, 40000, ++position));
		total += clock_monotonic_us() - begin;
		free(batch);
	}
	printf("marks: add 250 x 40000, merges included: %.1f M/s\n", 10e6 / (double)total);
	find(m, 10000, &seed);
	find(m, 100000, &seed);
	find(m, 1000000, &seed);
	marks_close(m);
	begin = clock_monotonic_us();
	need(marks_open(dir, &m));
	printf("marks: open with checksums: %.1f ms\n", (double)(clock_monotonic_us() - begin) / 1e3);
	marks_close(m);
}

int main(int argc, char **argv)
{
	char dir[256], path[300];
	struct journal *j;

	snprintf(dir, sizeof(dir), "%s/bench_journal.XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(dir) == NULL)
		need(fail_errno("%s", dir));
	snprintf(path, sizeof(path), "%s/journal", dir);
	need(journal_create(path));
	need(journal_open_writer(path, &j));
	batches(j, 1);
	batches(j, 16);
	batches(j, 64);
	batches(j, 256);
	large(j, 4);
	large(j, 40);
	tail(j);
	journal_close(j);
	snprintf(path, sizeof(path), "%s/marks", dir);
	marks(path);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	return system(path) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
