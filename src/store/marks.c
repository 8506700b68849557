/*
 * Runs
 *
 * A run is a sorted array of marks that came from one stretch of the journal, (from, to]. The runs stand in the order
 * of the journal without gaps, and each is more than twice as long as the next: adding merges the newest two until that
 * holds again. So n marks make about log2(n) runs at most, and each mark is copied about as often.
 *
 * Runs of at least FILE_MIN marks are files, mapped; shorter ones live in memory and go to a file at the close. Nothing
 * is synced: a file carries a checksum, and what is missing or torn after a power cut comes from the journal again.
 *
 *	FROM-TO.run	magic[8] count:8 from:8 to:8 sum:8, zeros, crc:4 at byte 60, then the marks
 */
#include "store/marks.h"

#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

#define FILE_MIN ((size_t)64 << 10)
#define RUN_HEADER 64
#define RUN_MAGIC "comity-m"
#define RUNS_MAX 64
#define STEP ((size_t)128 << 10)      /* marks that are read before their pages are given back; a multiple of 8 */
#define SINK_MARKS ((size_t)32 << 10) /* a multiple of 64 bytes, as the sum wants it */

struct run {
	const struct mark *marks;
	size_t count;
	uint64_t from, to;
	struct mark *owned;   /* in memory */
	struct mapped mapped; /* or a file */
};

struct marks {
	char *dir;
	struct run runs[RUNS_MAX];
	size_t count;
	uint64_t position;
	char *damaged; /* the first file that failed its checksum; NULL: none did */
	bool writer;   /* somebody added: what is in memory goes to a file at the close */
};

static inline uint64_t mark_head(const struct mark *m)
{
	uint64_t v;

	memcpy(&v, m->bytes, sizeof(v));
	return be64toh(v);
}

static inline bool mark_less(const struct mark *a, const struct mark *b)
{
	uint64_t x = mark_head(a), y = mark_head(b);

	return x != y ? x < y : memcmp(a->bytes + 8, b->bytes + 8, MARK_SIZE - 8) < 0;
}

static inline bool mark_equal(const struct mark *a, const struct mark *b)
{
	return memcmp(a->bytes, b->bytes, MARK_SIZE) == 0;
}

/* ---- checksum ---- */

/* Eight sums side by side, none of whose steps loses anything: as fast as memory, and a changed bit always shows. */
struct sum {
	uint64_t lane[8], bytes;
};

#define SUM_PRIME 0x9E3779B97F4A7C15u

static struct sum sum_begin(void)
{
	struct sum s = { .bytes = 0 };

	for (size_t i = 0; i < 8; i++)
		s.lane[i] = SUM_PRIME * (i + 1);
	return s;
}

/* All pieces but the last are multiples of 64 bytes. */
static void sum_add(struct sum *s, const void *from, size_t n)
{
	const uint8_t *p = from;

	s->bytes += n;
	while (n > 0) {
		uint64_t w[8] = { 0 };
		size_t step = n < sizeof(w) ? n : sizeof(w);

		memcpy(w, p, step);
		for (size_t i = 0; i < 8; i++)
			s->lane[i] = (s->lane[i] ^ le64toh(w[i])) * SUM_PRIME;
		p += step;
		n -= step;
	}
}

static uint64_t sum_end(const struct sum *s)
{
	uint64_t v = s->bytes;

	for (size_t i = 0; i < 8; i++)
		v = (v ^ s->lane[i] ^ s->lane[i] >> 29) * SUM_PRIME;
	return v ^ v >> 32;
}

/* ---- one run ---- */

static void run_header(const struct run *r, uint64_t sum, uint8_t out[RUN_HEADER])
{
	uint64_t fields[4] = { htobe64(r->count), htobe64(r->from), htobe64(r->to), htobe64(sum) };
	uint32_t crc;

	memset(out, 0, RUN_HEADER);
	memcpy(out, RUN_MAGIC, 8);
	memcpy(out + 8, fields, sizeof(fields));
	crc = htobe32(crc32_add(0, out, RUN_HEADER - 4));
	memcpy(out + RUN_HEADER - 4, &crc, sizeof(crc));
}

static bool run_path(const struct marks *m, const struct run *r, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%020" PRIu64 "-%020" PRIu64 ".run", m->dir, r->from, r->to);

	return n > 0 && n < PATH_MAX;
}

static void run_release(struct run *r)
{
	free(r->owned);
	if (r->mapped.at != NULL)
		file_unmap(&r->mapped);
	*r = (struct run){ 0 };
}

static void run_unlink(const struct marks *m, const struct run *r)
{
	char path[PATH_MAX];

	if (run_path(m, r, path))
		unlink(path);
}

/* Pages that are read in passing would count as memory of ours for as long as they are mapped. */
static void give_back(const struct run *r, const struct mark *from, const struct mark *to)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)from & ~(page - 1), end = (uintptr_t)to & ~(page - 1);

	if (r->mapped.at != NULL && end > first)
		madvise((void *)first, end - first, MADV_DONTNEED);
}

/* The header must be the one that we would write over these marks. false: not a whole run. */
static bool run_map(struct marks *m, struct run *r)
{
	struct sum s = sum_begin();
	uint8_t header[RUN_HEADER];
	char path[PATH_MAX];
	struct mapped f;

	if (!run_path(m, r, path) || file_map(path, &f) != OK)
		return false;
	if (f.len >= RUN_HEADER && (f.len - RUN_HEADER) % MARK_SIZE == 0) {
		r->marks = (const struct mark *)(const void *)(f.at + RUN_HEADER);
		r->count = (f.len - RUN_HEADER) / MARK_SIZE;
		r->mapped = f;
		for (size_t i = 0, n; i < r->count; i += n) {
			n = r->count - i < STEP ? r->count - i : STEP;
			sum_add(&s, r->marks + i, n * MARK_SIZE);
			give_back(r, r->marks + i, r->marks + i + n);
		}
		run_header(r, sum_end(&s), header);
		if (memcmp(header, f.at, RUN_HEADER) == 0)
			return true;
		r->mapped = (struct mapped){ 0 };
	}
	file_unmap(&f);
	if (m->damaged == NULL)
		m->damaged = strdup(path);
	return false;
}

/* ---- making runs ---- */

/* Where merged marks go: into memory, or through a buffer into a file. */
struct sink {
	struct mark *at;
	size_t n, room;
	int fd; /* -1: memory */
	struct sum sum;
	enum err err;
};

static void sink_flush(struct sink *s)
{
	sum_add(&s->sum, s->at, s->n * MARK_SIZE);
	if (s->err == OK)
		s->err = file_write_all(s->fd, s->at, s->n * MARK_SIZE);
	s->n = 0;
}

static inline void sink_put(struct sink *s, const struct mark *m)
{
	if (s->n == s->room)
		sink_flush(s);
	s->at[s->n++] = *m;
}

static void merge(const struct run *a, const struct run *b, struct sink *out)
{
	static const struct mark none;
	const struct mark *x = a->count > 0 ? a->marks : &none, *x_end = x + a->count;
	const struct mark *y = b->count > 0 ? b->marks : &none, *y_end = y + b->count;

	while (x < x_end || y < y_end) {
		const struct mark *x_from = x, *y_from = y;
		size_t left = STEP;

		for (; left > 0 && x < x_end && y < y_end; left--)
			sink_put(out, mark_less(y, x) ? y++ : x++);
		for (; left > 0 && x < x_end && y == y_end; left--)
			sink_put(out, x++);
		for (; left > 0 && y < y_end && x == x_end; left--)
			sink_put(out, y++);
		give_back(a, x_from, x);
		give_back(b, y_from, y);
	}
}

static enum err merge_to_file(struct marks *m, const struct run *a, const struct run *b, struct run *r)
{
	struct sink s = { .room = SINK_MARKS, .sum = sum_begin() };
	char path[PATH_MAX], tmp[PATH_MAX];
	uint8_t header[RUN_HEADER];

	if (!run_path(m, r, path) || snprintf(tmp, sizeof(tmp), "%s/run.tmp", m->dir) >= (int)sizeof(tmp))
		return fail(ERR_IO, "%s: the path is too long", m->dir);
	if ((s.at = malloc(s.room * sizeof(*s.at))) == NULL)
		return fail(ERR_NO_MEMORY, "%s", m->dir);
	if ((s.fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) == -1) {
		free(s.at);
		return fail_errno("%s", tmp);
	}
	if (lseek(s.fd, RUN_HEADER, SEEK_SET) == -1)
		s.err = fail_errno("%s", tmp);
	merge(a, b, &s);
	sink_flush(&s);
	r->count = a->count + b->count;
	run_header(r, sum_end(&s.sum), header);
	if (s.err == OK && pwrite(s.fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		s.err = fail_errno("%s", tmp);
	close(s.fd);
	free(s.at);
	if (s.err == OK && rename(tmp, path) == -1)
		s.err = fail_errno("%s", path);
	if (s.err == OK && !run_map(m, r))
		s.err = fail(ERR_DAMAGED, "%s: reads back otherwise than written", path);
	return s.err;
}

static enum err merge_in_memory(const struct run *a, const struct run *b, struct run *r)
{
	struct sink s = { .fd = -1, .room = a->count + b->count };

	if ((s.at = malloc((s.room + 1) * sizeof(*s.at))) == NULL)
		return fail(ERR_NO_MEMORY, "%zu marks", s.room);
	merge(a, b, &s);
	r->marks = r->owned = s.at;
	r->count = s.n;
	return OK;
}

/* Two neighbours become one; b may be empty. The old files go last. */
static enum err run_merge(struct marks *m, struct run *a, struct run *b, bool file)
{
	struct run r = { .from = a->from, .to = b->to };
	enum err e;

	if (file || a->count + b->count >= FILE_MIN)
		e = merge_to_file(m, a, b, &r);
	else
		e = merge_in_memory(a, b, &r);
	if (e != OK)
		return e;
	if (a->mapped.at != NULL && a->to != r.to)
		run_unlink(m, a);
	if (b->mapped.at != NULL && b->from != r.from)
		run_unlink(m, b);
	run_release(a);
	run_release(b);
	*a = r;
	return OK;
}

static enum err merge_newest(struct marks *m)
{
	enum err e = OK;

	while (e == OK && m->count >= 2) {
		struct run *a = &m->runs[m->count - 2], *b = a + 1;

		if (a->count > 2 * b->count)
			break;
		if ((e = run_merge(m, a, b, false)) == OK)
			m->count--;
	}
	return e;
}

/* ---- opening and closing ---- */

static bool parse_name(const char *name, struct run *r)
{
	struct span s = span_of(name);

	return s.len == 45 && s.at[20] == '-' && span_ends(s, ".run") &&
	       span_u64_loose(span_make(s.at, 20), UINT64_MAX, &r->from) == OK &&
	       span_u64_loose(span_make(s.at + 21, 20), UINT64_MAX, &r->to) == OK && r->from < r->to;
}

static int by_place(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to > y->to ? -1 : x->to < y->to; /* the longer first: it holds what the shorter ones hold */
}

static enum err list_runs(const struct marks *m, struct run **out, size_t *count)
{
	struct run *list = NULL;
	size_t room = 0, n = 0;
	const struct dirent *d;
	DIR *dir = opendir(m->dir);
	struct run r = { 0 };

	if (dir == NULL)
		return fail_errno("%s", m->dir);
	while ((d = readdir(dir)) != NULL) {
		if (!parse_name(d->d_name, &r))
			continue;
		if (n == room) {
			struct run *more = reallocarray(list, room = room * 2 + 16, sizeof(*list));

			if (more == NULL) {
				free(list);
				closedir(dir);
				return fail(ERR_NO_MEMORY, "%s", m->dir);
			}
			list = more;
		}
		list[n++] = r;
	}
	closedir(dir);
	if (n > 0)
		qsort(list, n, sizeof(*list), by_place);
	*out = list;
	*count = n;
	return OK;
}

/* One of the same stretch was mapped before: its marks are the same. */
static bool run_known(struct marks *known, struct run *r)
{
	for (size_t i = 0; known != NULL && i < known->count; i++) {
		struct run *k = &known->runs[i];

		if (k->mapped.at != NULL && k->from == r->from && k->to == r->to) {
			*r = *k;
			*k = (struct run){ 0 };
			return true;
		}
	}
	return false;
}

/* Takes the chain of whole runs from the journal's beginning; what does not belong to it is left over from a merge that
 * was cut short, or stands behind a damaged run. Such files are only passed over: this may be a reader, and the writer
 * may be merging. They are replaced or removed when the same stretch is written again. */
static enum err load(struct marks *m, struct marks *known)
{
	struct run *list = NULL;
	size_t n = 0;
	enum err e = list_runs(m, &list, &n);

	for (size_t i = 0; e == OK && i < n && m->count < RUNS_MAX - 1; i++) {
		if (list[i].from != m->position || !(run_known(known, &list[i]) || run_map(m, &list[i])))
			continue;
		m->position = list[i].to;
		m->runs[m->count++] = list[i];
	}
	free(list);
	return e;
}

/* The first that adds clears away what the chain passed over. */
static enum err become_writer(struct marks *m)
{
	struct run *list = NULL;
	size_t n = 0;
	enum err e = list_runs(m, &list, &n);

	for (size_t i = 0; e == OK && i < n; i++) {
		bool used = false;

		for (size_t k = 0; k < m->count; k++)
			used = used || (m->runs[k].from == list[i].from && m->runs[k].to == list[i].to);
		if (!used)
			run_unlink(m, &list[i]);
	}
	free(list);
	m->writer = e == OK;
	return e;
}

enum err marks_open(const char *dir, struct marks **out)
{
	struct marks *m = calloc(1, sizeof(*m));
	enum err e;

	if (m == NULL || (m->dir = strdup(dir)) == NULL) {
		free(m);
		return fail(ERR_NO_MEMORY, "%s", dir);
	}
	if ((e = folder_make(dir, 0700)) == OK)
		e = load(m, NULL);
	if (e != OK) {
		marks_close(m);
		return e;
	}
	*out = m;
	return OK;
}

/* The newest run reaches as far as the position: moved if it is in memory, merged with nothing if it is a short file. So a
 * stretch without marks makes no file of its own each time. */
static enum err reach_position(struct marks *m)
{
	struct run *last = m->count > 0 ? &m->runs[m->count - 1] : NULL;
	struct run none = { .from = m->position, .to = m->position };

	if (last != NULL && last->mapped.at == NULL)
		last->to = m->position;
	else if (last != NULL && last->count < FILE_MIN)
		return run_merge(m, last, &none, false);
	else
		m->runs[m->count++] = (struct run){ .from = last != NULL ? last->to : 0, .to = m->position };
	return OK;
}

/* What is in memory becomes one file that also holds the position. */
void marks_save(struct marks *m)
{
	struct run *last;
	enum err e = OK;

	if (m->position > (m->count > 0 ? m->runs[m->count - 1].to : 0))
		e = reach_position(m);
	while (e == OK && m->count >= 2 && m->runs[m->count - 2].mapped.at == NULL)
		if ((e = run_merge(m, &m->runs[m->count - 2], &m->runs[m->count - 1], false)) == OK)
			m->count--;
	if (e == OK)
		e = merge_newest(m);
	m->writer = false; /* who adds next begins anew */
	if (e != OK || m->count == 0)
		return;
	last = &m->runs[m->count - 1];
	if (last->mapped.at == NULL) {
		struct run none = { .from = last->to, .to = last->to };

		run_merge(m, last, &none, true);
	}
}

void marks_close(struct marks *m)
{
	if (m == NULL)
		return;
	if (m->writer)
		marks_save(m);
	for (size_t i = 0; i < m->count; i++)
		run_release(&m->runs[i]);
	free(m->damaged);
	free(m->dir);
	free(m);
}

enum err marks_reload(struct marks *m)
{
	struct marks known = *m;
	enum err e;

	m->count = 0;
	m->position = 0;
	m->writer = false;
	e = load(m, &known);
	for (size_t i = 0; i < known.count; i++)
		run_release(&known.runs[i]);
	return e;
}

enum err marks_damaged(const struct marks *m)
{
	if (m == NULL || m->damaged == NULL)
		return OK;
	return fail(ERR_DAMAGED, "%s: any command that writes makes it anew", m->damaged);
}

uint64_t marks_position(const struct marks *m)
{
	return m->position;
}

uint64_t marks_count(const struct marks *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->count; i++)
		n += m->runs[i].count;
	return n;
}

/* ---- adding ---- */

void marks_advance(struct marks *m, uint64_t position)
{
	assert(position >= m->position);
	if (position > m->position && (m->writer || become_writer(m) == OK))
		m->position = position;
}

enum err marks_add(struct marks *m, const struct mark *sorted, size_t count, uint64_t position)
{
	uint64_t from = m->count > 0 ? m->runs[m->count - 1].to : 0;
	struct run r = { .marks = sorted, .count = count, .from = from, .to = position };
	struct run none = { .from = position, .to = position };
	enum err e = OK;

	assert(position > m->position);
	if (!m->writer)
		e = become_writer(m);
	if (e == OK)
		e = run_merge(m, &r, &none, false);
	if (e != OK)
		return e;
	m->runs[m->count++] = r;
	m->position = position;
	return merge_newest(m);
}

/* ---- finding ---- */

/* First place at or after `low` whose mark is not less than q. `guess` is where it should be, `step` how far off that
 * may be: the walk doubles its step away from the guess, then halves. */
static size_t seek(const struct run *r, size_t low, size_t guess, size_t step, const struct mark *q)
{
	size_t high = r->count;

	if (guess >= high)
		guess = high - 1;
	if (mark_less(&r->marks[guess], q)) {
		for (low = guess + 1; high - low > step && mark_less(&r->marks[low + step], q); step *= 2)
			low += step + 1;
		if (high - low > step)
			high = low + step;
	} else {
		for (high = guess; high - low > step && !mark_less(&r->marks[high - step], q); step *= 2)
			high -= step;
		if (high - low > step)
			low = high - step + 1;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mark_less(&r->marks[middle], q))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t about_root(size_t n)
{
	return (size_t)1 << (64 - (unsigned)__builtin_clzll(n)) / 2;
}

/* Marks are hashes, so evenly spread: from one place the next can be computed, off by about the root of the distance.
 * Short distances are walked. Whoever grinds out marks that lie close together only makes the walk logarithmic. */
static void find_in(const struct run *r, const struct mark *sorted, size_t count, uint8_t *found)
{
	double density = (double)r->count / 18446744073709551616.0; /* 2^64 */
	uint64_t last = 0;
	size_t at = 0;

	for (size_t i = 0; i < count && at < r->count; i++) {
		uint64_t head = mark_head(&sorted[i]);
		double gap = (double)(head - last) * density;

		if (gap < 24) {
			size_t stop = at + 48 < r->count ? at + 48 : r->count;

			while (at < stop && mark_less(&r->marks[at], &sorted[i]))
				at++;
			if (at == stop && at < r->count)
				at = seek(r, at, at, 16, &sorted[i]);
		} else {
			at = seek(r, at, at + (size_t)gap, about_root((size_t)gap), &sorted[i]);
		}
		last = head;
		if (at < r->count && mark_equal(&r->marks[at], &sorted[i]))
			found[i] = 1;
	}
}

void marks_find(const struct marks *m, const struct mark *sorted, size_t count, uint8_t *found)
{
	memset(found, 0, count);
	for (size_t i = 0; i < m->count; i++)
		if (m->runs[i].count > 0)
			find_in(&m->runs[i], sorted, count, found);
}
