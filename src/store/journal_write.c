/*
 * One batch, one fdatasync
 *
 * Frames gather in a buffer of 1 MiB; a batch that fits goes to the kernel in one write at its commit, a larger one in
 * pieces as it comes. Nothing of a batch counts before its close frame, so an abandoned one is only cut off.
 *
 * A file that grows makes fdatasync wait for the file system's own log as well, which doubles its time. So when a small
 * batch reaches the end of the file, a step of zeros is written ahead with it and the batches after it only overwrite.
 * A batch of more than STEP grows the file anyway, and the sync is not what it waits for.
 */
#include "store/journal_file.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/hash.h"

#define STEP ((size_t)1 << 20)

enum err journal_broken(struct journal *j, enum err e)
{
	if (j->broken == OK && e != OK)
		j->broken = err_is_machine(e) ? e : ERR_IO;
	return e == OK ? OK : j->broken;
}

static enum err write_at(struct journal *j, const void *from, size_t n, uint64_t position)
{
	return journal_broken(j, write_all_at(j, j->fd, from, n, position - j->start));
}

enum err journal_sync(struct journal *j, int fd)
{
	if (fdatasync(fd) == 0)
		return OK;
	fail_errno("%s: fdatasync", j->dir);
	return journal_broken(j, ERR_SYNC);
}

/* Zeros from limit on, so that `end` and some more lies inside. */
static enum err write_ahead(struct journal *j, uint64_t end)
{
	static const uint8_t zeros[64 << 10];
	uint64_t to = end + STEP;
	enum err e = OK;

	for (uint64_t at = j->limit > end ? j->limit : end; e == OK && at < to; at += sizeof(zeros))
		e = write_at(j, zeros, to - at < sizeof(zeros) ? (size_t)(to - at) : sizeof(zeros), at);
	if (e == OK)
		j->limit = to;
	return e;
}

static enum err flush(struct journal *j)
{
	enum err e = write_at(j, j->buffer, j->held, j->flushed);

	if (e != OK)
		return e;
	j->flushed += j->held;
	j->held = 0;
	if (j->limit < j->flushed)
		j->limit = j->flushed;
	return OK;
}

/* Into the buffer; what would fill it alone goes straight to the kernel. */
static enum err hold(struct journal *j, const void *from, size_t n)
{
	enum err e = OK;

	if (n > JOURNAL_BUFFER - j->held)
		e = flush(j);
	if (e != OK || n == 0)
		return e;
	if (n < JOURNAL_BUFFER) {
		memcpy(j->buffer + j->held, from, n);
		j->held += n;
		return OK;
	}
	if ((e = write_at(j, from, n, j->flushed)) == OK)
		j->flushed += n;
	return e;
}

/* ---- segments ---- */

/* The old segment loses the zeros behind its end and is synced; only then the new one appears. */
static enum err roll(struct journal *j)
{
	uint64_t end = atomic_load(&j->end);
	char name[SEGMENT_NAME];
	enum err e;

	if (ftruncate(j->fd, (off_t)(end - j->start)) == -1)
		return journal_broken(j, fail_errno("%s: closing a segment", j->dir));
	if (fsync(j->fd) == -1) {
		fail_errno("%s: fsync", j->dir);
		return journal_broken(j, ERR_SYNC);
	}
	if ((e = segment_make(j, end)) != OK)
		return journal_broken(j, e);
	segment_name(end, name);
	close(j->fd);
	if ((j->fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC)) == -1)
		return journal_broken(j, fail_errno("%s/%s", j->dir, name));
	pthread_mutex_lock(&j->mutex);
	e = segment_add(j, end);
	pthread_mutex_unlock(&j->mutex);
	j->start = end;
	j->limit = end + SEGMENT_HEADER;
	return journal_broken(j, e);
}

/* ---- a batch ---- */

enum err journal_begin(struct journal *j)
{
	uint64_t end = atomic_load(&j->end);
	enum err e = OK;

	assert(j->writer && !j->open && !atomic_load(&j->lent));
	if (j->broken != OK)
		return fail(j->broken, "%s: an earlier write failed; start again", j->dir);
	if (end - j->start >= SEGMENT_ROLL && (e = roll(j)) != OK)
		return e;
	j->batch = end == j->start ? end + SEGMENT_HEADER : end;
	j->at = j->flushed = j->batch;
	j->held = 0;
	j->frames = j->chain = 0;
	j->open = true;
	return OK;
}

static enum err add_frame(struct journal *j, uint8_t kind, uint8_t ledger, const struct span *parts, size_t count,
			  uint32_t length)
{
	struct frame f = { .kind = kind, .ledger = ledger, .length = length, .batch = j->batch, .position = j->at };
	uint8_t header[FRAME_HEADER];
	enum err e;

	for (size_t i = 0; i < count; i++)
		f.payload_crc = crc32_add(f.payload_crc, parts[i].at, parts[i].len);
	frame_encode(&f, j->first_crc, header);
	e = hold(j, header, sizeof(header));
	for (size_t i = 0; e == OK && i < count; i++)
		e = hold(j, parts[i].at, parts[i].len);
	if (e != OK)
		return e;
	j->chain = chain_add(j->chain, &f);
	j->frames++;
	j->at = frame_end(&f);
	return OK;
}

enum err journal_add(struct journal *j, uint8_t kind, uint8_t ledger, const struct span *parts, size_t count,
		     uint64_t *position)
{
	uint64_t length = 0, at = j->at;
	enum err e;

	if (!j->open || kind == 0 || kind == FRAME_CLOSE)
		return fail(ERR_USAGE, "%s: no batch is open, or no kind", j->dir);
	for (size_t i = 0; i < count; i++) {
		length += parts[i].len;
		if (parts[i].len > PAYLOAD_MAX || length > PAYLOAD_MAX) {
			journal_abandon(j);
			return fail(ERR_TOO_LONG, "a record of over %" PRIu32 " bytes", PAYLOAD_MAX);
		}
	}
	if ((e = add_frame(j, kind, ledger, parts, count, (uint32_t)length)) != OK) {
		journal_abandon(j);
		return e;
	}
	if (position != NULL)
		*position = at;
	return OK;
}

static enum err close_batch(struct journal *j)
{
	uint8_t sums[CLOSE_PAYLOAD];
	struct span part = span_make(sums, sizeof(sums));
	enum err e;

	close_encode(j->frames, j->chain, sums);
	if ((e = add_frame(j, FRAME_CLOSE, 0, &part, 1, sizeof(sums))) != OK)
		return e;
	if (j->at > j->limit && j->at - j->batch < STEP && (e = write_ahead(j, j->at)) != OK)
		return e;
	if ((e = flush(j)) != OK)
		return e;
	return journal_sync(j, j->fd);
}

enum err journal_commit(struct journal *j)
{
	enum err e = OK;

	if (!j->open)
		return fail(ERR_USAGE, "%s: no batch is open", j->dir);
	if (j->frames > 0 && (e = close_batch(j)) != OK) {
		journal_abandon(j);
		return e;
	}
	if (j->frames > 0)
		atomic_store(&j->end, j->at);
	j->open = false;
	return OK;
}

/* What went to the kernel is cut off, so that nothing of it stands behind the next batch. */
void journal_abandon(struct journal *j)
{
	if (!j->open)
		return;
	j->open = false;
	if (j->flushed == j->batch || j->broken != OK)
		return;
	if (ftruncate(j->fd, (off_t)(j->batch - j->start)) == -1)
		journal_broken(j, fail_errno("%s: cutting off an abandoned batch", j->dir));
	j->limit = j->batch;
}
