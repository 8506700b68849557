#include "store/journal_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/reader.h"

#define FRAME_MAGIC 0xC03F17A1u
#define STATE_LIVE 0x5A
#define STATE_ERASED 0xA5
#define STATE_AT 6
#define SEGMENT_VERSION 1
#define PIECE ((size_t)256 << 10)
#define OPEN_SEGMENTS 256 /* so many of the newest stay open; an older one is opened for each reading */

static const char segment_magic[8] = { 'c', 'o', 'm', 'i', 't', 'y', '-', 'j' };

/* ---- frames ---- */

static void put_u32(uint8_t *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof(v));
}

static void put_u64(uint8_t *to, uint64_t v)
{
	v = htobe64(v);
	memcpy(to, &v, sizeof(v));
}

static uint32_t header_crc(const uint8_t in[FRAME_HEADER], uint32_t first_crc)
{
	uint32_t crc = crc32_add(first_crc, in, STATE_AT);

	return crc32_add(crc, in + STATE_AT + 1, FRAME_HEADER - 4 - STATE_AT - 1);
}

void frame_encode(struct frame *f, uint32_t first_crc, uint8_t out[FRAME_HEADER])
{
	put_u32(out, FRAME_MAGIC);
	out[4] = f->kind;
	out[5] = f->ledger;
	out[STATE_AT] = f->erased ? STATE_ERASED : STATE_LIVE;
	out[7] = 0;
	put_u32(out + 8, f->length);
	put_u32(out + 12, f->payload_crc);
	put_u64(out + 16, f->batch);
	put_u64(out + 24, f->position);
	f->crc = header_crc(out, first_crc);
	put_u32(out + 32, f->crc);
}

bool frame_decode(const uint8_t in[FRAME_HEADER], uint32_t first_crc, uint64_t position, struct frame *f)
{
	struct reader r = reader_of(span_make(in, FRAME_HEADER));
	uint32_t magic = read_u32(&r);
	uint8_t state, zero;

	f->kind = read_u8(&r);
	f->ledger = read_u8(&r);
	state = read_u8(&r);
	zero = read_u8(&r);
	f->length = read_u32(&r);
	f->payload_crc = read_u32(&r);
	f->batch = read_u64(&r);
	f->position = read_u64(&r);
	f->crc = read_u32(&r);
	f->erased = state == STATE_ERASED;
	return magic == FRAME_MAGIC && (f->erased || state == STATE_LIVE) && zero == 0 && f->length <= PAYLOAD_MAX &&
	       f->position == position && f->batch <= position && f->crc == header_crc(in, first_crc);
}

void close_encode(uint32_t count, uint32_t chain, uint8_t out[CLOSE_PAYLOAD])
{
	put_u32(out, count);
	put_u32(out + 4, chain);
}

bool frame_closes(const struct frame *f, const void *payload, uint32_t count, uint32_t chain)
{
	uint8_t wanted[CLOSE_PAYLOAD];

	close_encode(count, chain, wanted);
	return f->kind == FRAME_CLOSE && f->length == CLOSE_PAYLOAD && memcmp(payload, wanted, CLOSE_PAYLOAD) == 0;
}

uint32_t chain_add(uint32_t chain, const struct frame *f)
{
	uint8_t crc[4];

	put_u32(crc, f->crc);
	return crc32_add(chain, crc, sizeof(crc));
}

bool is_zero(const void *from, size_t n)
{
	const uint8_t *p = from;

	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

enum err write_all_at(const struct journal *j, int fd, const void *from, size_t n, uint64_t offset)
{
	const char *p = from;

	while (n > 0) {
		ssize_t done = pwrite(fd, p, n, (off_t)offset);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return fail_errno("%s: writing at byte %" PRIu64 " of a segment", j->dir, offset);
		p += done;
		offset += (uint64_t)done;
		n -= (size_t)done;
	}
	return OK;
}

/* ---- reading a segment in pieces ---- */

static enum err window_fill(struct window *w, uint64_t position, size_t n)
{
	size_t want = n > PIECE ? n : PIECE;

	if (want > w->room) {
		uint8_t *at = realloc(w->at, want);

		if (at == NULL)
			return fail(ERR_NO_MEMORY, "no room for a record of %zu bytes", n);
		w->at = at;
		w->room = want;
	}
	w->from = position;
	w->len = 0;
	while (w->len < want) {
		ssize_t got = pread(w->fd, w->at + w->len, want - w->len, (off_t)(position - w->start + w->len));

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return fail_errno("reading the journal at %" PRIu64, position);
		if (got == 0)
			break;
		w->len += (size_t)got;
	}
	return OK;
}

enum err window_get(struct window *w, uint64_t position, size_t n, uint8_t **out)
{
	enum err e;

	if (position < w->from || position - w->from > w->len || w->len - (position - w->from) < n) {
		if ((e = window_fill(w, position, n)) != OK)
			return e;
		if (w->len < n)
			return ERR_SHORT;
	}
	*out = w->at + (position - w->from);
	return OK;
}

void window_free(struct window *w)
{
	free(w->at);
	w->at = NULL;
}

/* ---- looking for batches ---- */

static enum err not_whole(struct scan *s, uint64_t at, const char *why)
{
	s->bad = at;
	s->why = why;
	return OK;
}

enum err scan_batch(struct window *w, uint32_t first_crc, uint64_t batch, bool payloads, bool *whole, struct scan *s)
{
	uint64_t at = batch;
	uint32_t chain = 0;

	*whole = false;
	for (uint32_t count = 0;; count++) {
		uint8_t *bytes = NULL;
		struct frame f;
		enum err e = window_get(w, at, FRAME_HEADER, &bytes);

		if (e == ERR_SHORT)
			return not_whole(s, at, "the batch is not closed");
		if (e != OK)
			return e;
		if (!frame_decode(bytes, first_crc, at, &f) || f.batch != batch)
			return not_whole(s, at,
					 is_zero(bytes, FRAME_HEADER) ? "the batch is not closed" : "not a good frame");
		if (payloads || f.kind == FRAME_CLOSE)
			e = window_get(w, at + FRAME_HEADER, f.length, &bytes);
		if (e == ERR_SHORT)
			return not_whole(s, at, "the record is cut short");
		if (e != OK)
			return e;
		if (!f.erased && (payloads || f.kind == FRAME_CLOSE) && crc32_add(0, bytes, f.length) != f.payload_crc)
			return not_whole(s, at, "the record's checksum is wrong");
		if (f.kind == FRAME_CLOSE) {
			if (!frame_closes(&f, bytes, count, chain))
				return not_whole(s, at, "the batch's sum is wrong");
			s->at = frame_end(&f);
			*whole = true;
			return OK;
		}
		chain = chain_add(chain, &f);
		at = frame_end(&f);
	}
}

enum err scan_batches(struct window *w, uint32_t first_crc, bool payloads, struct scan *s)
{
	bool whole = true;
	enum err e = OK;

	s->last = 0;
	while (e == OK && whole) {
		uint64_t batch = s->at;

		e = scan_batch(w, first_crc, batch, payloads, &whole, s);
		if (whole)
			s->last = batch;
	}
	return e;
}

enum err scan_later(struct window *w, uint32_t first_crc, uint64_t from, uint64_t batch, uint64_t *found)
{
	uint8_t magic[4];
	enum err e = OK;

	put_u32(magic, FRAME_MAGIC);
	*found = 0;
	for (uint64_t at = from; e == OK;) {
		const uint8_t *bytes, *p, *end;
		struct frame f;

		if ((e = window_fill(w, at, PIECE)) != OK || w->len < FRAME_HEADER)
			break;
		bytes = w->at;
		end = bytes + w->len;
		for (p = bytes; (p = memmem(p, (size_t)(end - p), magic, sizeof(magic))) != NULL; p++) {
			if (end - p < FRAME_HEADER)
				break;
			if (frame_decode(p, first_crc, at + (uint64_t)(p - bytes), &f) && f.batch > batch) {
				*found = f.position;
				return OK;
			}
		}
		if (w->len < PIECE)
			break;
		at += w->len - (FRAME_HEADER - 1);
	}
	return e;
}

/* ---- segments ---- */

void segment_name(uint64_t start, char out[SEGMENT_NAME])
{
	snprintf(out, SEGMENT_NAME, "%020" PRIu64 SEGMENT_SUFFIX, start);
}

enum err segment_damaged(const struct journal *j, uint64_t start, uint64_t position, const char *why)
{
	char name[SEGMENT_NAME];

	segment_name(start, name);
	return fail(ERR_DAMAGED, "%s/%s: byte %" PRIu64 ": %s", j->dir, name, position - start, why);
}

void journal_seed(struct journal *j, uint64_t seed)
{
	uint8_t bytes[8];

	put_u64(bytes, seed);
	j->seed = seed;
	j->first_crc = crc32_add(0, bytes, sizeof(bytes));
}

enum err segment_make(struct journal *j, uint64_t start)
{
	uint8_t header[SEGMENT_HEADER];
	char name[SEGMENT_NAME], *path = NULL;
	enum err e;

	memcpy(header, segment_magic, 8);
	put_u32(header + 8, SEGMENT_VERSION);
	put_u64(header + 12, j->seed);
	put_u64(header + 20, start);
	put_u32(header + 28, crc32_add(0, header, 28));
	segment_name(start, name);
	if (asprintf(&path, "%s/%s", j->dir, name) == -1)
		return fail(ERR_NO_MEMORY, "%s", j->dir);
	e = file_write(path, span_make(header, sizeof(header)), 0600);
	free(path);
	return e;
}

static enum err header_check(struct journal *j, uint64_t start, int fd)
{
	uint8_t header[SEGMENT_HEADER];
	struct reader r = reader_of(span_make(header, sizeof(header)));
	uint8_t magic[8];
	uint32_t version;
	uint64_t seed;
	enum err e = file_read_at(fd, header, sizeof(header), 0);

	if (e == ERR_SHORT)
		return segment_damaged(j, start, start, "the segment has no header");
	if (e != OK)
		return e;
	read_bytes(&r, magic, sizeof(magic));
	version = read_u32(&r);
	seed = read_u64(&r);
	if (memcmp(magic, segment_magic, sizeof(magic)) != 0 || read_u64(&r) != start ||
	    read_u32(&r) != crc32_add(0, header, 28) || (start != 0 && seed != j->seed))
		return segment_damaged(j, start, start, "not the header of this segment");
	if (version != SEGMENT_VERSION)
		return fail(ERR_DAMAGED, "%s: journal of version %" PRIu32 ", this program reads %d", j->dir, version,
			    SEGMENT_VERSION);
	if (start == 0) /* opened first, before there are threads */
		journal_seed(j, seed);
	return OK;
}

ptrdiff_t segment_of(const struct journal *j, uint64_t position)
{
	size_t low = 0, high = j->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (j->segments[middle].start <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return (ptrdiff_t)low - 1;
}

enum err segment_fd(struct journal *j, size_t i, int *fd)
{
	struct segment *s = &j->segments[i];
	char name[SEGMENT_NAME];
	enum err e;

	*fd = s->fd;
	if (s->fd != -1)
		return OK;
	segment_name(s->start, name);
	if ((*fd = openat(j->dir_fd, name, O_RDONLY | O_CLOEXEC)) == -1)
		return fail_errno("%s/%s", j->dir, name);
	if ((e = header_check(j, s->start, *fd)) != OK)
		close(*fd);
	else
		s->fd = *fd;
	return e;
}

enum err segment_enter(struct journal *j, size_t i, int *fd)
{
	enum err e = segment_fd(j, i, fd);

	j->segments[i].users += e == OK;
	return e;
}

void segment_leave(struct journal *j, size_t i)
{
	struct segment *s = &j->segments[i];

	s->users--;
	if (s->users == 0 && i != 0 && j->count - i > OPEN_SEGMENTS) {
		close(s->fd);
		s->fd = -1;
	}
}

enum err segment_add(struct journal *j, uint64_t start)
{
	if (j->count == j->room) {
		size_t room = j->room == 0 ? 16 : j->room * 2;
		struct segment *s = reallocarray(j->segments, room, sizeof(*s));

		if (s == NULL)
			return fail(ERR_NO_MEMORY, "%s: %zu segments", j->dir, room);
		j->segments = s;
		j->room = room;
	}
	j->segments[j->count++] = (struct segment){ .start = start, .fd = -1 };
	return OK;
}
