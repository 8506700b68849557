/*
 * What a crash can leave, and what is done about it
 *
 * A batch is written with plain writes, then synced once, then acknowledged; the next begins only after that. Until the
 * sync the kernel may have put any of its pages on disk and not others.
 *
 *   1. So only the last batch can be incomplete. Every frame of it names the batch's begin, and its close frame sums
 *      the header of each: a batch is whole if all of that fits, and one that is not whole was never acknowledged.
 *   2. What follows the last whole batch is cut off, unless a good frame of a later batch stands behind it. A later
 *      batch can only have begun after the sync of the one before, so the bad place was good once: that is damage. The
 *      journal then stays closed, and file and byte are named. Nothing is repaired by guessing.
 *   3. Bytes that only look like a frame do not count: a frame's sum has a seed that no sender knows, and holds the
 *      frame's own position.
 *   4. The last whole batch may have been read from the cache of a kernel that failed to write it before. It is written
 *      again, as it is, and synced, before anything is built on it.
 *   5. Zeros behind the end were written ahead of need and may stay.
 *
 * Headers of the whole last segment are read here, payloads only of its last batch: those before were synced, and
 * whoever reads one checks it. Whether the truth once reached further than what is left is known to the views and the
 * signed checkpoints. One changed byte in the last batch looks like a torn one: so the node is asked before anything is
 * cut off (regime/node.c).
 */
#include "store/journal_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"

static enum err damaged_if_later(struct journal *j, struct window *w, uint64_t batch, const struct scan *s)
{
	uint64_t later;
	enum err e = scan_later(w, j->first_crc, s->bad, batch, &later);

	return e == OK && later != 0 ? segment_damaged(j, w->start, s->bad, s->why) : e;
}

/* The end of the last segment by the rules above, looked for from a batch's begin; 0: from the first. */
static enum err find_end(struct journal *j, struct window *w, uint64_t from, struct scan *s)
{
	bool whole = true;
	enum err e;

	*s = (struct scan){ .at = from > w->start + SEGMENT_HEADER ? from : w->start + SEGMENT_HEADER };
	if ((e = scan_batches(w, j->first_crc, false, s)) == OK)
		e = damaged_if_later(j, w, s->at, s);
	if (e == OK && s->last != 0 && (e = scan_batch(w, j->first_crc, s->last, true, &whole, s)) == OK && !whole) {
		s->at = s->last;
		s->last = 0; /* the batch before was synced */
		e = damaged_if_later(j, w, s->at, s);
	}
	j->bad = s->bad;
	j->why = s->why;
	return e;
}

enum err journal_short(const struct journal *j, uint64_t reached)
{
	uint64_t start = j->segments[j->count - 1].start;
	char name[SEGMENT_NAME];

	segment_name(start, name);
	return fail(
		ERR_DAMAGED,
		"%s/%s: byte %" PRIu64 ": %s; the journal once reached %" PRIu64 " and has %" PRIu64
		" left: put the newest copy of it back. To go on with what is left, and only if nobody holds receipts "
		"for more, remove the views folder",
		j->dir, name, j->bad - start, j->why != NULL ? j->why : "it ends", reached, atomic_load(&j->end));
}

static enum err rest_is_zero(struct window *w, uint64_t from, uint64_t size, bool *zero)
{
	*zero = true;
	while (*zero && from < w->start + size) {
		uint64_t left = w->start + size - from;
		size_t n = left < ((size_t)256 << 10) ? (size_t)left : (size_t)256 << 10;
		uint8_t *bytes;
		enum err e = window_get(w, from, n, &bytes);

		if (e != OK)
			return e;
		*zero = is_zero(bytes, n);
		from += n;
	}
	return OK;
}

static enum err write_again(struct journal *j, struct window *w, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t n = to - from < ((size_t)1 << 20) ? (size_t)(to - from) : (size_t)1 << 20;
		uint8_t *bytes;
		enum err e = window_get(w, from, n, &bytes);

		if (e != OK || (e = write_all_at(j, j->fd, bytes, n, from - w->start)) != OK)
			return e;
		from += n;
	}
	return OK;
}

static enum err settle(struct journal *j, struct window *w, const struct scan *s)
{
	off_t size = lseek(j->fd, 0, SEEK_END);
	bool zero;
	enum err e;

	if (size == -1)
		return fail_errno("%s", j->dir);
	if ((e = rest_is_zero(w, s->at, (uint64_t)size, &zero)) != OK)
		return e;
	if (!zero && ftruncate(j->fd, (off_t)(s->at - w->start)) == -1)
		return fail_errno("%s: cutting off an unfinished batch", j->dir);
	if (s->last != 0 && (e = write_again(j, w, s->last, s->at)) != OK)
		return e;
	if (fsync(j->fd) == -1) {
		fail_errno("%s: fsync", j->dir);
		return ERR_SYNC;
	}
	j->start = w->start;
	j->limit = zero ? w->start + (uint64_t)size : s->at;
	atomic_store(&j->end, s->at);
	return OK;
}

enum err journal_recover(struct journal *j, uint64_t from, journal_judge *judge, void *context)
{
	struct window w = { 0 };
	char name[SEGMENT_NAME];
	struct scan s;
	enum err e;

	pthread_mutex_lock(&j->mutex);
	w.start = j->segments[j->count - 1].start;
	e = segment_fd(j, j->count - 1, &w.fd); /* the last one stays open */
	pthread_mutex_unlock(&j->mutex);
	if (e != OK)
		return e;
	segment_name(w.start, name);
	if (j->fd != -1)
		close(j->fd);
	if ((j->fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC)) == -1)
		return fail_errno("%s/%s", j->dir, name);
	if ((e = find_end(j, &w, from, &s)) == OK && judge != NULL) {
		atomic_store(&j->end, s.at);
		e = judge(context, j, s.at);
	}
	if (e == OK)
		e = settle(j, &w, &s);
	window_free(&w);
	return e;
}

/* A batch of this journal ends there: its close frame says so, which nobody else could have made. */
static bool closes_at(const struct journal *j, struct window *w, uint64_t position)
{
	const uint64_t size = FRAME_HEADER + CLOSE_PAYLOAD;
	struct frame f;
	uint8_t *head;

	return position >= w->start + SEGMENT_HEADER + size &&
	       window_get(w, position - size, FRAME_HEADER, &head) == OK &&
	       frame_decode(head, j->first_crc, position - size, &f) && f.kind == FRAME_CLOSE &&
	       frame_end(&f) == position;
}

/* A reader cuts nothing off: it takes the last whole batch for the end. While a writer is at work, what looks like
 * damage may only be a batch that got finished meanwhile, so it looks twice. */
enum err journal_find_end(struct journal *j, uint64_t from)
{
	struct window w = { .start = j->segments[j->count - 1].start };
	struct scan s;
	enum err e = segment_fd(j, j->count - 1, &w.fd);

	if (e == OK && !closes_at(j, &w, from))
		from = 0; /* in another segment, or lost, or never there */
	if (e == OK && (e = find_end(j, &w, from, &s)) == ERR_DAMAGED) {
		w.len = 0;
		e = find_end(j, &w, 0, &s);
	}
	if (e == OK)
		atomic_store(&j->end, s.at);
	window_free(&w);
	return e;
}
