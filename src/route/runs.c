/*
 * Why runs
 *
 * A notice wants all rows of an addressee, which lie all over the report, and memory must not grow with the report. So
 * this is an external sort, but one without a merge: a run holds its rows in the order of notices, and a batch is the
 * same stretch of that order in every run. It is read with one sequential read for each run, and put in its final order
 * in memory.
 *
 *   1. The order is (notice number, some bits of a hash of the source, first bits of the mark). Only a notice that is
 *      greater than a batch is cut inside, between sources, so that a source has all its rows in one part. Only where
 *      the rows of one hash are greater than a batch (one host, flooding) they are cut too, by the bits of the mark:
 *      even parts whatever the rows are. Equal rows always fall into the same part; all but one of
 *      a run are dropped as it is put.
 *   2. Totals of each notice are added up as runs are put, so all batches are known before the first is taken. For the
 *      few great notices their entries are looked at once more, to cut them evenly.
 *   3. Batches are taken in order: each run has one cursor, which only goes forward.
 *   4. Each thread has a file of its own (two threads that write one file wait for each other in the kernel), unlinked
 *      as soon as it is made: nothing is left behind, whatever ends the program.
 *
 * Memory: the runs being filled, the resident ones, one small block of entries for each spilled run (in all BLOCKS
 * bytes, more only if there are over BLOCKS / 4.5 KiB runs, a report of a hundred gigabytes), 24 bytes for each notice.
 */
#include "route/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define STAGE ((size_t)512 << 10)
#define BLOCKS ((size_t)8 << 20)
#define BLOCK_LEAST 64
#define BLOCK_MOST 4096

struct run {
	char *rows; /* NULL: in the file */
	struct row_entry *entries;
	size_t count;
	int fd;
	uint64_t rows_at, entries_at;
	/* the cursor */
	size_t next;
	uint64_t row;
	struct row_entry *block;
	size_t block_from, block_count;
};

struct total {
	uint64_t notice, rows, bytes;
};

struct runs {
	char *folder;
	pthread_mutex_t lock;
	size_t resident; /* bytes that may still stay */
	struct run *runs;
	size_t count, room;
	struct total *totals; /* sorted */
	size_t total_count;
	int *fds;
	size_t fd_count;
	struct batch_plan *plans;
	size_t plan_count, plan_room;
	size_t block; /* entries in a cursor's block */
	uint64_t dropped;
};

enum err runs_new(const char *folder, size_t resident, struct runs **out)
{
	struct runs *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->folder = strdup(folder)) == NULL) {
		free(r);
		return ERR_NO_MEMORY;
	}
	r->resident = resident;
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return OK;
}

void runs_free(struct runs *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->runs[i].rows);
		free(r->runs[i].entries);
		free(r->runs[i].block);
	}
	for (size_t i = 0; i < r->fd_count; i++)
		close(r->fds[i]);
	free(r->fds);
	free(r->runs);
	free(r->totals);
	free(r->plans);
	free(r->folder);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- filling ---- */

enum err run_fill_start(struct run_fill *f, size_t limit)
{
	*f = (struct run_fill){ .limit = limit, .fd = -1 };
	f->rows = malloc(limit);
	return f->rows == NULL ? ERR_NO_MEMORY : OK;
}

void run_fill_end(struct run_fill *f)
{
	free(f->rows);
	free(f->entries);
	free(f->keys);
	free(f->stage);
	*f = (struct run_fill){ .fd = -1 };
}

struct row_entry *run_fill_entry(struct run_fill *f)
{
	if (f->count == f->entry_room) {
		size_t room = f->entry_room + f->entry_room / 4 + 4096;
		struct row_entry *bigger = realloc(f->entries, room * sizeof(*bigger));

		if (bigger == NULL)
			return NULL;
		f->entries = bigger;
		f->entry_room = room;
	}
	return &f->entries[f->count++];
}

/* Keys in the order of notices; `at` is the number of the entry. */
static enum err order(struct run_fill *f, struct sort_key **out)
{
	if (f->key_room < f->count) {
		free(f->keys);
		f->key_room = 0;
		if ((f->keys = malloc(2 * f->count * sizeof(*f->keys))) == NULL)
			return ERR_NO_MEMORY;
		f->key_room = f->count;
	}
	for (size_t i = 0; i < f->count; i++)
		f->keys[i] = (struct sort_key){ f->entries[i].order, (uint32_t)i };
	*out = sort_keys(f->keys, f->keys + f->count, f->count);
	return OK;
}

/* ---- putting away ---- */

/* Bytes on their way to a run: into its memory, or through the stage into the file. */
struct sink {
	char *at;
	size_t len, room;
	int fd;
	uint64_t file;
	enum err err;
};

static void sink_flush(struct sink *s)
{
	size_t done = 0;

	while (s->err == OK && done < s->len) {
		ssize_t n = pwrite(s->fd, s->at + done, s->len - done, (off_t)(s->file + done));

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			s->err = fail_errno("the file of rows that wait");
	}
	s->file += s->len;
	s->len = 0;
}

static inline void sink_add(struct sink *s, const void *from, size_t n)
{
	if (s->len + n > s->room)
		sink_flush(s);
	memcpy(s->at + s->len, from, n); /* a row is shorter than the stage */
	s->len += n;
}

/* Entries of a run lie in order of arrival, their rows too: the text of entry i begins where that of i - 1 ends. The
 * starts are kept in `order`, which the sort key holds as well. */
static void gather(const struct run_fill *f, const struct sort_key *keys, const uint32_t *starts, struct sink *rows,
		   struct sink *entries)
{
	for (size_t i = 0; rows != NULL && i < f->count; i++) {
		if (i + 8 < f->count) {
			const char *soon = f->rows + starts[keys[i + 8].at];

			for (size_t j = 0; j < 512; j += 64)
				__builtin_prefetch(soon + j);
		}
		sink_add(rows, f->rows + starts[keys[i].at], f->entries[keys[i].at].length);
	}
	for (size_t i = 0; entries != NULL && i < f->count; i++) {
		if (i + 8 < f->count)
			__builtin_prefetch(&f->entries[keys[i + 8].at]);
		sink_add(entries, &f->entries[keys[i].at], sizeof(*f->entries));
	}
}

static enum err stay(const struct run_fill *f, const struct sort_key *keys, const uint32_t *starts, struct run *run)
{
	struct sink rows = { .room = f->len }, entries = { .room = f->count * sizeof(*f->entries) };

	rows.at = run->rows = malloc(f->len);
	run->entries = malloc(entries.room);
	entries.at = (char *)run->entries;
	if (run->rows == NULL || run->entries == NULL) {
		free(run->rows);
		free(run->entries);
		return ERR_NO_MEMORY;
	}
	gather(f, keys, starts, &rows, &entries);
	return OK;
}

static enum err spill_open(struct runs *r, struct run_fill *f)
{
	int *bigger;

	f->fd = open(r->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd == -1) { /* a file system without such files */
		char path[4096];
		int n = snprintf(path, sizeof(path), "%s/rows-XXXXXX", r->folder);

		if (n < 0 || (size_t)n >= sizeof(path) || (f->fd = mkostemp(path, O_CLOEXEC)) == -1)
			return fail_errno("%s: a file for rows that wait", r->folder);
		unlink(path);
	}
	pthread_mutex_lock(&r->lock);
	bigger = realloc(r->fds, (r->fd_count + 1) * sizeof(*r->fds));
	if (bigger != NULL) {
		r->fds = bigger;
		r->fds[r->fd_count++] = f->fd;
	}
	pthread_mutex_unlock(&r->lock);
	if (bigger == NULL) {
		close(f->fd);
		f->fd = -1;
		return ERR_NO_MEMORY;
	}
	return OK;
}

static enum err spill(struct runs *r, struct run_fill *f, const struct sort_key *keys, const uint32_t *starts,
		      struct run *run)
{
	struct sink s = { .room = STAGE };
	enum err e = OK;

	if (f->stage == NULL && (f->stage = malloc(STAGE)) == NULL)
		return ERR_NO_MEMORY;
	if (f->fd == -1)
		e = spill_open(r, f);
	if (e != OK)
		return e;
	s.at = f->stage;
	s.fd = run->fd = f->fd;
	s.file = run->rows_at = f->fd_len;
	gather(f, keys, starts, &s, NULL);
	sink_flush(&s);
	run->entries_at = s.file;
	gather(f, keys, starts, NULL, &s);
	sink_flush(&s);
	f->fd_len = s.file;
	return s.err;
}

/* Merges what this run has of each notice into the totals. Under the lock. */
static enum err add_totals(struct runs *r, const struct total *more, size_t count)
{
	struct total *sum = malloc((r->total_count + count + 1) * sizeof(*sum));
	size_t i = 0, j = 0, n = 0;

	if (sum == NULL)
		return ERR_NO_MEMORY;
	while (i < r->total_count || j < count) {
		if (j == count || (i < r->total_count && r->totals[i].notice < more[j].notice)) {
			sum[n++] = r->totals[i++];
		} else if (i == r->total_count || r->totals[i].notice > more[j].notice) {
			sum[n++] = more[j++];
		} else {
			sum[n] = r->totals[i++];
			sum[n].rows += more[j].rows;
			sum[n++].bytes += more[j++].bytes;
		}
	}
	free(r->totals);
	r->totals = sum;
	r->total_count = n;
	return OK;
}

static enum err add_run(struct runs *r, const struct run *run)
{
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 64 : r->room * 2;
		struct run *bigger = realloc(r->runs, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		r->runs = bigger;
		r->room = room;
	}
	r->runs[r->count++] = *run;
	return OK;
}

static size_t count_totals(const struct run_fill *f, const struct sort_key *keys, struct total *out)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		uint64_t notice = keys[i].key >> ROW_DEAL_BITS;

		if (n == 0 || out[n - 1].notice != notice)
			out[n++] = (struct total){ .notice = notice };
		out[n - 1].rows++;
		out[n - 1].bytes += f->entries[keys[i].at].length;
	}
	return n;
}

static int by_mark(const void *a, const void *b, void *entries)
{
	const struct row_entry *x = (const struct row_entry *)entries + ((const struct sort_key *)a)->at;
	const struct row_entry *y = (const struct row_entry *)entries + ((const struct sort_key *)b)->at;

	return memcmp(&x->mark, &y->mark, sizeof(x->mark));
}

/* Of rows that say the same one stays. All that a batch takes of equal rows then is one from each run, so no report can
 * make a batch great by repeating itself. Returns how many stay. */
static size_t drop_equal(const struct run_fill *f, struct sort_key *keys)
{
	size_t kept = 0;

	for (size_t i = 0, j; i < f->count; i = j) {
		size_t first = kept;

		for (j = i + 1; j < f->count && keys[j].key == keys[i].key; j++)
			;
		if (j - i > 1)
			qsort_r(keys + i, j - i, sizeof(*keys), by_mark, f->entries);
		for (size_t k = i; k < j; k++)
			if (kept == first || by_mark(&keys[kept - 1], &keys[k], f->entries) != 0)
				keys[kept++] = keys[k];
	}
	return kept;
}

static enum err put(struct runs *r, struct run_fill *f, struct run *run, bool resident, struct total *totals,
		    uint32_t *starts)
{
	struct sort_key *keys;
	uint32_t at = 0;
	size_t n, dropped;
	enum err e = order(f, &keys);

	if (e != OK)
		return e;
	for (size_t i = 0; i < f->count; i++) {
		starts[i] = at;
		at += f->entries[i].length;
	}
	run->count = drop_equal(f, keys);
	dropped = f->count - run->count;
	f->count = run->count;
	n = count_totals(f, keys, totals);
	e = resident ? stay(f, keys, starts, run) : spill(r, f, keys, starts, run);
	if (e != OK)
		return e;
	pthread_mutex_lock(&r->lock);
	r->dropped += dropped;
	e = add_run(r, run);
	if (e == OK)
		e = add_totals(r, totals, n);
	else if (resident)
		free(run->rows), free(run->entries);
	pthread_mutex_unlock(&r->lock);
	return e;
}

enum err runs_put(struct runs *r, struct run_fill *f)
{
	size_t bytes = f->len + f->count * sizeof(*f->entries);
	struct run run = { .fd = -1 };
	struct total *totals = malloc(f->count * sizeof(*totals) + 1);
	uint32_t *starts = malloc(f->count * sizeof(*starts) + 1);
	bool resident;
	enum err e = totals == NULL || starts == NULL ? ERR_NO_MEMORY : OK;

	pthread_mutex_lock(&r->lock);
	resident = bytes <= r->resident;
	if (resident)
		r->resident -= bytes;
	pthread_mutex_unlock(&r->lock);
	if (e == OK && f->count > 0)
		e = put(r, f, &run, resident, totals, starts);
	free(totals);
	free(starts);
	f->count = f->len = 0;
	return e;
}

uint64_t runs_dropped(const struct runs *r)
{
	return r->dropped;
}

/* ---- planning ---- */

/* What a row costs in memory beside its text until its batch is written, and what a notice does. */
#define ROW_COST 160
#define NOTICE_COST 4096

static uint64_t cost(uint64_t notices, uint64_t rows, uint64_t bytes)
{
	return notices * NOTICE_COST + rows * ROW_COST + bytes;
}

/* The entries from the cursor on that are at hand. */
static enum err look(struct runs *r, struct run *run, const struct row_entry **at, size_t *count)
{
	size_t n = run->count - run->next;
	enum err e;

	if (run->entries != NULL) {
		*at = run->entries + run->next;
		*count = n;
		return OK;
	}
	if (run->next < run->block_from || run->next >= run->block_from + run->block_count) {
		n = n < r->block ? n : r->block;
		if (run->block == NULL && (run->block = malloc(r->block * sizeof(*run->block))) == NULL)
			return ERR_NO_MEMORY;
		e = n == 0 ? OK
			   : file_read_at(run->fd, run->block, n * sizeof(*run->block),
					  run->entries_at + run->next * sizeof(*run->block));
		if (e != OK)
			return e;
		run->block_from = run->next;
		run->block_count = n;
	}
	*at = run->block + (run->next - run->block_from);
	*count = run->block_from + run->block_count - run->next;
	return OK;
}

/* What a great notice has of each hash of a source. */
#define BUCKETS ((size_t)1 << ROW_SOURCE_BITS)
struct bucket {
	uint64_t rows, bytes;
};

/* Moves the run's cursor to its first entry at or behind `order`. */
static enum err seek(struct run *run, uint64_t order)
{
	size_t from = run->next, to = run->count;

	while (from < to) {
		size_t half = from + (to - from) / 2;
		uint64_t at;
		enum err e = OK;

		if (run->entries != NULL)
			at = run->entries[half].order;
		else
			e = file_read_at(run->fd, &at, sizeof(at),
					 run->entries_at + half * sizeof(struct row_entry) +
						 offsetof(struct row_entry, order));
		if (e != OK)
			return e;
		if (at < order)
			from = half + 1;
		else
			to = half;
	}
	run->next = from;
	return OK;
}

static enum err survey_run(struct runs *r, struct run *run, uint64_t notice, struct bucket *out)
{
	enum err e = seek(run, notice << ROW_DEAL_BITS);

	while (e == OK && run->next < run->count) {
		const struct row_entry *at;
		size_t count, n = 0;

		if ((e = look(r, run, &at, &count)) != OK)
			break;
		for (; n < count && row_notice(&at[n]) == notice; n++) {
			struct bucket *b = &out[at[n].order >> ROW_MARK_BITS & (BUCKETS - 1)];

			b->rows++;
			b->bytes += at[n].length;
		}
		run->next += n;
		if (n < count)
			break;
	}
	return e;
}

static enum err survey(struct runs *r, uint64_t notice, struct bucket *out)
{
	enum err e = OK;

	memset(out, 0, BUCKETS * sizeof(*out));
	for (size_t i = 0; e == OK && i < r->count; i++)
		e = survey_run(r, &r->runs[i], notice, out);
	return e;
}

static enum err plan_add(struct runs *r, struct batch_plan p)
{
	if (r->plan_count == r->plan_room) {
		size_t room = 2 * r->plan_room + 64;
		struct batch_plan *bigger = realloc(r->plans, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		r->plans = bigger;
		r->plan_room = room;
	}
	r->plans[r->plan_count++] = p;
	return OK;
}

/* Rows of one hash that are greater than a batch. */
static enum err plan_divided(struct runs *r, uint64_t order, const struct bucket *b, uint64_t parts)
{
	enum err e = OK;

	if (parts > (uint64_t)1 << ROW_MARK_BITS)
		parts = (uint64_t)1 << ROW_MARK_BITS;
	for (uint64_t i = 0; e == OK && i < parts; i++)
		e = plan_add(r, (struct batch_plan){
					.end = order + (((i + 1) << ROW_MARK_BITS) / parts),
					.divided = i + 1 < parts,
					.follows = i > 0,
					.rows = b->rows / parts,
					.bytes = b->bytes / parts,
				});
	return e;
}

static enum err plan_parts(struct runs *r, uint64_t notice, const struct bucket *buckets, size_t bytes)
{
	size_t first = r->plan_count;
	struct batch_plan open = { 0 };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < BUCKETS; i++) {
		const struct bucket *b = &buckets[i];
		uint64_t order = notice << ROW_DEAL_BITS | (uint64_t)i << ROW_MARK_BITS;

		if (b->rows == 0)
			continue;
		if (open.rows > 0 && cost(1, open.rows + b->rows, open.bytes + b->bytes) > bytes) {
			e = plan_add(r, open);
			open = (struct batch_plan){ 0 };
		}
		if (e == OK && cost(1, b->rows, b->bytes) > bytes) {
			e = plan_divided(r, order, b, cost(1, b->rows, b->bytes) / bytes + 1);
			continue;
		}
		open.end = order + ((uint64_t)1 << ROW_MARK_BITS);
		open.rows += b->rows;
		open.bytes += b->bytes;
	}
	if (e == OK && open.rows > 0)
		e = plan_add(r, open);
	for (size_t i = first; i < r->plan_count; i++) {
		r->plans[i].part = (uint32_t)(i - first + 1);
		r->plans[i].parts = (uint32_t)(r->plan_count - first);
	}
	return e;
}

static enum err plan_all(struct runs *r, struct bucket *buckets, size_t bytes)
{
	struct batch_plan open = { 0 };
	size_t notices = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < r->total_count; i++) {
		const struct total *t = &r->totals[i];

		if (open.rows > 0 && cost(notices + 1, open.rows + t->rows, open.bytes + t->bytes) > bytes) {
			e = plan_add(r, open);
			open = (struct batch_plan){ 0 };
			notices = 0;
		}
		if (e == OK && cost(1, t->rows, t->bytes) > bytes) {
			if ((e = survey(r, t->notice, buckets)) == OK)
				e = plan_parts(r, t->notice, buckets, bytes);
			continue;
		}
		notices++;
		open.end = (t->notice + 1) << ROW_DEAL_BITS;
		open.rows += t->rows;
		open.bytes += t->bytes;
	}
	return e == OK && open.rows > 0 ? plan_add(r, open) : e;
}

enum err runs_plan(struct runs *r, size_t bytes, const struct batch_plan **out, size_t *count)
{
	struct bucket *buckets = malloc(BUCKETS * sizeof(*buckets));
	enum err e;

	r->block = r->count > 0 ? BLOCKS / r->count / sizeof(struct row_entry) : 0;
	r->block = r->block < BLOCK_LEAST ? BLOCK_LEAST : r->block > BLOCK_MOST ? BLOCK_MOST : r->block;
	e = buckets == NULL ? ERR_NO_MEMORY : plan_all(r, buckets, bytes);
	free(buckets);
	for (size_t i = 0; i < r->count; i++)
		r->runs[i].next = 0;
	*out = r->plans;
	*count = r->plan_count;
	return e;
}

/* ---- taking ---- */

static enum err entries_room(struct batch_rows *b, size_t more)
{
	struct row_entry *bigger;
	uint32_t *at;

	if (b->count + more <= b->room)
		return OK;
	b->room = b->count + more + b->room / 4 + 1024;
	if ((bigger = realloc(b->entries, b->room * sizeof(*bigger))) != NULL)
		b->entries = bigger;
	if ((at = realloc(b->at, b->room * sizeof(*at))) != NULL)
		b->at = at;
	return bigger == NULL || at == NULL ? ERR_NO_MEMORY : OK;
}

static enum err take_run(struct runs *r, struct run *run, uint64_t end, struct batch_rows *b)
{
	uint64_t from = run->row;

	while (run->next < run->count) {
		const struct row_entry *at;
		size_t count, n = 0;
		enum err e = look(r, run, &at, &count);

		if (e != OK)
			return e;
		while (n < count && at[n].order < end)
			n++;
		if ((e = entries_room(b, n)) != OK)
			return e;
		for (size_t i = 0; i < n; i++) {
			b->entries[b->count] = at[i];
			b->at[b->count++] = (uint32_t)(b->len + (run->row - from));
			run->row += at[i].length;
		}
		run->next += n;
		if (n < count)
			break;
	}
	if (run->row > from) {
		b->extents[b->extent_count++] = (struct extent){
			.rows = run->rows != NULL ? run->rows + from : NULL,
			.fd = run->fd,
			.at = run->rows_at + from,
			.len = (size_t)(run->row - from),
		};
		b->len += (size_t)(run->row - from);
	}
	return OK;
}

enum err runs_take(struct runs *r, const struct batch_plan *p, struct batch_rows *out)
{
	enum err e = OK;

	out->count = out->len = out->extent_count = 0;
	if (out->extent_room < r->count) {
		free(out->extents);
		out->extents = malloc(r->count * sizeof(*out->extents));
		out->extent_room = out->extents == NULL ? 0 : r->count;
		e = out->extents == NULL ? ERR_NO_MEMORY : OK;
	}
	if (e == OK)
		e = entries_room(out, p->rows + p->rows / 8);
	for (size_t i = 0; e == OK && i < r->count; i++)
		e = take_run(r, &r->runs[i], p->end, out);
	return e;
}

enum err runs_read(struct batch_rows *b)
{
	size_t at = 0;
	enum err e = OK;

	if (b->rows_room < b->len) {
		free(b->rows);
		b->rows_room = b->len + b->len / 8;
		if ((b->rows = malloc(b->rows_room)) == NULL) {
			b->rows_room = 0;
			return ERR_NO_MEMORY;
		}
	}
	for (size_t i = 0; e == OK && i < b->extent_count; i++) {
		const struct extent *x = &b->extents[i];

		if (x->rows != NULL)
			memcpy(b->rows + at, x->rows, x->len);
		else
			e = file_read_at(x->fd, b->rows + at, x->len, x->at);
		at += x->len;
	}
	return e;
}

void batch_rows_free(struct batch_rows *b)
{
	free(b->entries);
	free(b->at);
	free(b->rows);
	free(b->extents);
	*b = (struct batch_rows){ 0 };
}
