/*
 * Erasing
 *
 * The position is noted durably, then the state byte is set and synced, then the payload is zeroed and synced, then the
 * note goes. So no payload ever fails a checksum that still counts, and an erasure that a crash cut short is finished
 * by the next writer.
 */
#include "store/journal_file.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static enum err note_erasure(struct journal *j, uint64_t position)
{
	char *path = NULL, text[24];
	enum err e;

	if (asprintf(&path, "%s/" ERASE_NAME, j->dir) == -1)
		return fail(ERR_NO_MEMORY, "%s", j->dir);
	snprintf(text, sizeof(text), "%" PRIu64, position);
	e = file_write(path, span_of(text), 0600);
	free(path);
	return e;
}

bool journal_erasing(const struct journal *j, uint64_t position)
{
	char text[24];
	uint64_t noted;
	ssize_t n;
	int fd = openat(j->dir_fd, ERASE_NAME, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 && span_u64(span_make(text, (size_t)n), UINT64_MAX, &noted) == OK && noted == position;
}

static enum err zero_payload(struct journal *j, int fd, uint64_t offset, uint32_t length)
{
	static const uint8_t zeros[64 << 10];
	enum err e = OK;

	for (uint32_t done = 0; e == OK && done < length; done += sizeof(zeros))
		e = write_all_at(j, fd, zeros, length - done < sizeof(zeros) ? length - done : sizeof(zeros),
				 offset + done);
	return e;
}

static enum err overwrite(struct journal *j, struct frame *f, uint64_t start)
{
	uint8_t header[FRAME_HEADER];
	char name[SEGMENT_NAME];
	int fd;
	enum err e;

	segment_name(start, name);
	if ((fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC)) == -1)
		return fail_errno("%s/%s", j->dir, name);
	f->erased = true;
	frame_encode(f, j->first_crc, header);
	if ((e = write_all_at(j, fd, header, sizeof(header), f->position - start)) == OK &&
	    (e = journal_sync(j, fd)) == OK)
		e = zero_payload(j, fd, f->position + FRAME_HEADER - start, f->length);
	if (e == OK)
		e = journal_sync(j, fd);
	close(fd);
	return e;
}

/* The frame of a record and where its segment starts. ERR_NOT_FOUND. */
static enum err find_frame(struct journal *j, uint64_t position, struct frame *f, uint64_t *start)
{
	uint8_t header[FRAME_HEADER];
	enum err e = ERR_NOT_FOUND;
	ptrdiff_t i;
	int fd;

	pthread_mutex_lock(&j->mutex);
	if (position < atomic_load(&j->end) && (i = segment_of(j, position)) >= 0 &&
	    (e = segment_fd(j, (size_t)i, &fd)) == OK) {
		*start = j->segments[i].start;
		e = file_read_at(fd, header, sizeof(header), position - *start);
	}
	pthread_mutex_unlock(&j->mutex);
	if (e == ERR_SHORT ||
	    (e == OK && (position - *start < SEGMENT_HEADER || !frame_decode(header, j->first_crc, position, f))))
		e = ERR_NOT_FOUND;
	return e == ERR_NOT_FOUND ? fail(e, "%s: no record begins at %" PRIu64, j->dir, position) : e;
}

static enum err erase_at(struct journal *j, uint64_t position)
{
	struct frame f;
	uint64_t start = 0;
	enum err e = find_frame(j, position, &f, &start);

	if (e != OK)
		return e;
	if (f.kind != RECORD_BODY && f.kind != RECORD_RAW)
		return fail(ERR_USAGE, "only bodies and raw reports can be erased");
	if ((e = note_erasure(j, position)) == OK)
		e = overwrite(j, &f, start);
	if (e == OK && unlinkat(j->dir_fd, ERASE_NAME, 0) == -1)
		e = fail_errno("%s/" ERASE_NAME, j->dir);
	return journal_broken(j, e);
}

enum err journal_erase(struct journal *j, uint64_t position)
{
	assert(j->writer && !atomic_load(&j->lent));
	if (j->broken != OK)
		return fail(j->broken, "%s: an earlier write failed; start again", j->dir);
	return erase_at(j, position);
}

/* The note is written whole or not at all (file_write), so it can be believed. */
enum err journal_erase_resume(struct journal *j)
{
	struct arena *a;
	uint64_t position;
	struct span text;
	char *path = NULL;
	enum err e;

	if (faccessat(j->dir_fd, ERASE_NAME, F_OK, 0) == -1)
		return OK;
	if ((a = arena_new(4096)) == NULL)
		return fail(ERR_NO_MEMORY, "%s", j->dir);
	if ((path = arena_print(a, "%s/" ERASE_NAME, j->dir)) == NULL)
		e = fail(ERR_NO_MEMORY, "%s", j->dir);
	else if ((e = file_read(a, path, 24, &text)) == OK && (e = span_u64(text, UINT64_MAX, &position)) != OK)
		e = fail(ERR_DAMAGED, "%s: not a position", path);
	if (e == OK)
		e = erase_at(j, position);
	if (e == ERR_NOT_FOUND || e == ERR_USAGE) /* its batch was cut off: nothing is left to erase */
		e = unlinkat(j->dir_fd, ERASE_NAME, 0) == 0 ? OK : fail_errno("%s", path);
	arena_free(a);
	return e;
}
