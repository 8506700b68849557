#include "store/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

#define FIRST_READ 4096 /* most records come with their header in one call */

struct place {
	size_t segment;
	int fd;
	uint64_t start, stop; /* of the segment; stop: the next one's start */
};

static enum err place_of(struct journal *j, uint64_t position, struct place *p)
{
	enum err e = OK;
	ptrdiff_t i;

	pthread_mutex_lock(&j->mutex);
	if ((i = segment_of(j, position)) < 0)
		e = ERR_NOT_FOUND;
	else if ((e = segment_enter(j, (size_t)i, &p->fd)) == OK) {
		p->segment = (size_t)i;
		p->start = j->segments[i].start;
		p->stop = (size_t)i + 1 < j->count ? j->segments[i + 1].start : UINT64_MAX;
	}
	pthread_mutex_unlock(&j->mutex);
	return e;
}

static void place_leave(struct journal *j, const struct place *p)
{
	pthread_mutex_lock(&j->mutex);
	segment_leave(j, p->segment);
	pthread_mutex_unlock(&j->mutex);
}

/* ---- the end ---- */

/* A writer's batch is seen here once its close frame is written, which may be a moment before its sync is done. If that
 * sync fails the writer stops, and the next one starts by bringing the last batch to disk or by cutting it off. */

/* A writer that rolled has begun a new file at the end of ours. */
static enum err next_segment(struct journal *j, bool *more)
{
	uint64_t end = atomic_load(&j->end);
	char name[SEGMENT_NAME];

	segment_name(end, name);
	*more = j->segments[j->count - 1].start != end && faccessat(j->dir_fd, name, F_OK, 0) == 0;
	return *more ? segment_add(j, end) : OK;
}

enum err journal_look_on(struct journal *j)
{
	enum err e = OK;
	bool more = true;

	pthread_mutex_lock(&j->mutex);
	while (e == OK && more) {
		struct window w = { .start = j->segments[j->count - 1].start };
		uint64_t end = atomic_load(&j->end);
		struct scan s = { .at = end == w.start ? end + SEGMENT_HEADER : end };

		if ((e = segment_fd(j, j->count - 1, &w.fd)) == OK)
			e = scan_batches(&w, j->first_crc, true, &s);
		window_free(&w);
		if (e != OK)
			break;
		if (s.last != 0)
			atomic_store(&j->end, s.at);
		e = next_segment(j, &more);
	}
	pthread_mutex_unlock(&j->mutex);
	return e;
}

/* A lender that is not one any more has its end from the borrower's batches: so it is asked before the end is read. */
enum err journal_end(struct journal *j, uint64_t *position)
{
	enum err e = !j->writer || atomic_load(&j->lent) ? journal_look_on(j) : OK;

	*position = atomic_load(&j->end);
	return e;
}

/* Who asks for a position knows it from a batch that is whole. A body of it that was being erased may have spoiled the
 * first look. */
static enum err committed(struct journal *j, uint64_t position, bool *is)
{
	uint64_t end = atomic_load(&j->end);
	enum err e = OK;

	for (int look = 0; look < 2 && e == OK && position >= end; look++)
		e = journal_end(j, &end);
	*is = position < end;
	return e;
}

/* ---- one record ---- */

/* Zeros, or an erasure is at work on it. It may finish between our two looks, so the payload is read once more. */
static enum err erased_check(struct journal *j, const struct place *p, const struct frame *f, void *payload)
{
	enum err e;

	if (is_zero(payload, f->length) || journal_erasing(j, f->position))
		return OK;
	if ((e = file_read_at(p->fd, payload, f->length, f->position + FRAME_HEADER - p->start)) != OK)
		return e;
	if (is_zero(payload, f->length))
		return OK;
	return segment_damaged(j, p->start, f->position, "an erased record holds bytes");
}

/* A wrong checksum may mean that the record was erased between reading its header and its payload. */
static bool erased_meanwhile(struct journal *j, const struct place *p, const struct frame *f)
{
	uint8_t header[FRAME_HEADER];
	struct frame now;

	return file_read_at(p->fd, header, sizeof(header), f->position - p->start) == OK &&
	       frame_decode(header, j->first_crc, f->position, &now) && now.erased;
}

/* A payload that is gone comes out as zeros. */
static enum err payload_check(struct journal *j, const struct place *p, struct frame *f, void *payload)
{
	if (!f->erased && crc32_add(0, payload, f->length) != f->payload_crc) {
		if (!erased_meanwhile(j, p, f))
			return segment_damaged(j, p->start, f->position, "the record's checksum is wrong");
		f->erased = true;
	}
	if (f->erased) {
		enum err e = erased_check(j, p, f, payload);

		if (e != OK)
			return e;
		memset(payload, 0, f->length);
	}
	return OK;
}

static void record_of(const struct frame *f, const void *payload, struct record *out)
{
	*out = (struct record){ .kind = f->kind,
				.ledger = f->ledger,
				.erased = f->erased,
				.position = f->position,
				.next = frame_end(f),
				.payload = span_make(payload, f->length) };
}

static enum err read_record(struct journal *j, struct arena *a, uint64_t position, const struct place *p,
			    struct record *out)
{
	uint8_t first[FIRST_READ];
	ssize_t got;
	struct frame f;
	char *payload;
	size_t have;
	enum err e;

	do
		got = pread(p->fd, first, sizeof(first), (off_t)(position - p->start));
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return fail_errno("%s: reading at %" PRIu64, j->dir, position);
	if (got < FRAME_HEADER || !frame_decode(first, j->first_crc, position, &f))
		return fail(ERR_NOT_FOUND, "%s: no record begins at %" PRIu64, j->dir, position);
	if (f.kind == FRAME_CLOSE)
		return fail(ERR_NOT_FOUND, "%s: a batch ends at %" PRIu64, j->dir, position);
	if ((payload = arena_alloc(a, f.length)) == NULL)
		return fail(ERR_NO_MEMORY, "a record of %" PRIu32 " bytes", f.length);
	have = (size_t)got - FRAME_HEADER < f.length ? (size_t)got - FRAME_HEADER : f.length;
	if (f.length > 0)
		memcpy(payload, first + FRAME_HEADER, have);
	if (have < f.length)
		e = file_read_at(p->fd, payload + have, f.length - have, position + FRAME_HEADER + have - p->start);
	else
		e = OK;
	if (e == ERR_SHORT)
		return segment_damaged(j, p->start, position, "the record is cut short");
	if (e == OK)
		e = payload_check(j, p, &f, payload);
	if (e == OK)
		record_of(&f, payload, out);
	return e;
}

enum err journal_read(struct journal *j, struct arena *a, uint64_t position, struct record *out)
{
	struct place p;
	bool is;
	enum err e = committed(j, position, &is);

	if (e != OK)
		return e;
	if (!is)
		return fail(ERR_NOT_FOUND, "%s: no record begins at %" PRIu64, j->dir, position);
	if ((e = place_of(j, position, &p)) != OK)
		return e;
	if (position - p.start < SEGMENT_HEADER)
		e = fail(ERR_NOT_FOUND, "%s: no record begins at %" PRIu64, j->dir, position);
	else
		e = read_record(j, a, position, &p, out);
	place_leave(j, &p);
	return e;
}

/* ---- all records ---- */

/* What is known of the batch that the walk is in. A walk that starts inside one cannot sum it. */
struct walk {
	journal_each *each;
	void *context;
	uint64_t batch; /* 0: between two batches */
	uint32_t count, chain;
	bool summed, started;
};

static enum err walk_frame(struct journal *j, const struct place *p, struct walk *k, struct frame *f, void *payload)
{
	struct record r;
	enum err e;

	if (f->position == f->batch && k->batch == 0) {
		k->batch = f->batch;
		k->count = k->chain = 0;
		k->summed = true;
	} else if (!k->started) {
		k->batch = f->batch;
	}
	k->started = true;
	if (f->batch != k->batch)
		return segment_damaged(j, p->start, f->position, "a frame of another batch");
	if ((e = payload_check(j, p, f, payload)) != OK)
		return e;
	if (f->kind == FRAME_CLOSE) {
		k->batch = 0;
		return !k->summed || frame_closes(f, payload, k->count, k->chain)
			       ? OK
			       : segment_damaged(j, p->start, f->position, "the batch's sum is wrong");
	}
	k->count++;
	k->chain = chain_add(k->chain, f);
	record_of(f, payload, &r);
	return k->each(k->context, &r);
}

static enum err walk_segment(struct journal *j, const struct place *p, uint64_t *at, uint64_t stop, struct walk *k)
{
	struct window w = { .fd = p->fd, .start = p->start };
	enum err e = OK;

	while (e == OK && *at < stop) {
		uint8_t *bytes;
		struct frame f;

		if ((e = window_get(&w, *at, FRAME_HEADER, &bytes)) == OK &&
		    !frame_decode(bytes, j->first_crc, *at, &f))
			e = segment_damaged(j, p->start, *at, "not a good frame");
		if (e == OK && (e = window_get(&w, *at, FRAME_HEADER + f.length, &bytes)) == OK)
			e = walk_frame(j, p, k, &f, bytes + FRAME_HEADER);
		else if (e == ERR_SHORT)
			e = segment_damaged(j, p->start, *at, "the record is cut short");
		if (e == OK)
			*at = frame_end(&f);
	}
	window_free(&w);
	return e;
}

enum err journal_tail(struct journal *j, uint64_t from, journal_each *each, void *context)
{
	struct walk k = { .each = each, .context = context };
	uint64_t end, at = from;
	enum err e = journal_end(j, &end);

	while (e == OK && at < end) {
		struct place p;

		if ((e = place_of(j, at, &p)) != OK)
			break;
		if (at == p.start)
			at += SEGMENT_HEADER;
		if (at == 0 || at < p.start + SEGMENT_HEADER)
			e = segment_damaged(j, p.start, at, "no record begins here");
		else
			e = walk_segment(j, &p, &at, end < p.stop ? end : p.stop, &k);
		place_leave(j, &p);
	}
	return e;
}
