#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

#define STEP ((size_t)65536)

static void close_if_open(int fd)
{
	if (fd != -1)
		close(fd);
}

static ssize_t read_again(int fd, void *out, size_t n)
{
	ssize_t got;

	do
		got = read(fd, out, n);
	while (got == -1 && errno == EINTR);
	return got;
}

/* What tells its size: straight into the arena. A file that shrinks meanwhile gives what is left of it. */
static enum err read_sized(struct arena *a, const char *path, int fd, size_t size, struct span *out)
{
	char *at = arena_alloc(a, size + 1);
	size_t len = 0;
	ssize_t got = 1;

	if (at == NULL)
		return fail(ERR_NO_MEMORY, "%s: no room for %zu bytes", path, size);
	while (len < size && (got = read_again(fd, at + len, size - len)) > 0)
		len += (size_t)got;
	if (got == -1)
		return fail_errno("%s", path);
	at[len] = '\0';
	*out = span_make(at, len);
	return OK;
}

/* Pipes, and files of /proc that say 0. One byte over max is asked for, to see whether there is more. */
static enum err read_unsized(struct arena *a, const char *path, int fd, size_t max, struct span *out)
{
	struct buffer b = BUFFER(max < SIZE_MAX ? max + 1 : max);
	const char *copy = NULL;
	ssize_t got = 1;

	while (got > 0 && b.len < b.max) {
		size_t n = b.max - b.len < STEP ? b.max - b.len : STEP;
		char *to = buffer_room(&b, n);

		got = to != NULL ? read_again(fd, to, n) : -1;
		if (got > 0)
			b.len += (size_t)got;
	}
	if (b.err == OK && got == -1)
		b.err = fail_errno("%s", path);
	else if (b.err == OK && b.len > max)
		b.err = fail(ERR_TOO_LONG, "%s: over %zu bytes", path, max);
	else if (b.err == OK && (copy = arena_copy(a, b.at, b.len)) == NULL)
		b.err = fail(ERR_NO_MEMORY, "%s: no room for %zu bytes", path, b.len);
	if (b.err == OK)
		*out = span_make(copy, b.len);
	free(b.at);
	return b.err;
}

enum err file_read(struct arena *a, const char *path, size_t max, struct span *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	enum err e;

	if (fd == -1)
		return fail_errno("%s", path);
	if (fstat(fd, &st) == -1)
		e = fail_errno("%s", path);
	else if (!S_ISREG(st.st_mode) || st.st_size == 0)
		e = read_unsized(a, path, fd, max, out);
	else if ((uintmax_t)st.st_size > max)
		e = fail(ERR_TOO_LONG, "%s: %jd bytes, at most %zu", path, (intmax_t)st.st_size, max);
	else
		e = read_sized(a, path, fd, (size_t)st.st_size, out);
	close(fd);
	return e;
}

enum err file_write_all(int fd, const void *from, size_t n)
{
	const char *p = from;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_errno("writing %zu bytes", n);
		p += done;
		n -= (size_t)done;
	}
	return OK;
}

enum err file_read_at(int fd, void *out, size_t n, uint64_t offset)
{
	char *to = out;

	if (offset > INT64_MAX - n)
		return fail(ERR_SHORT, "reading at byte %ju, past any end", (uintmax_t)offset);
	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)offset);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return fail_errno("reading %zu bytes at byte %ju", n, (uintmax_t)offset);
		if (got == 0)
			return fail(ERR_SHORT, "%zu bytes are missing at byte %ju", n, (uintmax_t)offset);
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return OK;
}

static enum err sync_failed(const char *path)
{
	fail_errno("%s: fsync", path);
	return ERR_SYNC;
}

enum err folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e;

	if (fd == -1)
		return fail_errno("%s", path);
	e = fsync(fd) == 0 || errno == EINVAL ? OK : sync_failed(path); /* EINVAL: a file system without such a thing */
	close(fd);
	return e;
}

static enum err sync_parent(const char *path)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);

	if (n >= sizeof(folder))
		return fail(ERR_IO, "%s: the path is too long", path);
	if (n > 0) {
		memcpy(folder, path, n);
		folder[n] = '\0';
	}
	return folder_sync(folder);
}

/* A file that an earlier crash left goes first: its mode may be wider than ours. */
static int create(const char *path, unsigned mode)
{
	if (unlink(path) == -1 && errno != ENOENT)
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
}

/* One writer per path at a time: two would share the .tmp. */
static enum err write_and_rename(const char *path, struct span content, unsigned mode, bool durable)
{
	char tmp[PATH_MAX];
	int n = snprintf(tmp, sizeof(tmp), "%s.tmp", path), fd = -1;
	enum err e;

	if (n < 0 || (size_t)n >= sizeof(tmp))
		return fail(ERR_IO, "%s: the path is too long", path);
	if ((fd = create(tmp, mode)) == -1)
		return fail_errno("%s", tmp);
	e = file_write_all(fd, content.at, content.len);
	if (e == OK && durable && fsync(fd) == -1)
		e = sync_failed(tmp);
	if (close(fd) == -1 && e == OK)
		e = fail_errno("%s", tmp);
	if (e == OK && rename(tmp, path) == -1)
		e = fail_errno("%s", path);
	if (e != OK)
		unlink(tmp);
	return e == OK && durable ? sync_parent(path) : e;
}

enum err file_write(const char *path, struct span content, unsigned mode)
{
	return write_and_rename(path, content, mode, true);
}

enum err file_write_lazily(const char *path, struct span content, unsigned mode)
{
	return write_and_rename(path, content, mode, false);
}

static enum err make_one(const char *path, unsigned mode, bool durable)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0)
		return durable ? sync_parent(path) : OK;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return OK;
	return fail_errno("%s", path);
}

static enum err make_all(const char *path, unsigned mode, bool durable)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	enum err e;

	if (n >= sizeof(part))
		return fail(ERR_IO, "%s: the path is too long", path);
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if ((e = make_one(part, mode, durable)) != OK)
			return e;
	}
	if ((e = make_one(path, mode, durable)) != OK || !durable)
		return e;
	return sync_parent(path); /* it may have been there, made by somebody who was killed before this */
}

enum err folder_make(const char *path, unsigned mode)
{
	return make_all(path, mode, false);
}

enum err folder_make_durable(const char *path, unsigned mode)
{
	return make_all(path, mode, true);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

enum err file_map(const char *path, struct mapped *out)
{
	static const uint8_t nothing[1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = OK;
	void *at = NULL;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		e = fail_errno("%s", path);
	else if (!S_ISREG(st.st_mode))
		e = fail(ERR_IO, "%s: not a file", path);
	else if (st.st_size == 0)
		*out = (struct mapped){ nothing, 0 };
	else if ((at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		e = fail_errno("%s", path);
	else
		*out = (struct mapped){ at, (size_t)st.st_size };
	close_if_open(fd);
	return e;
}

void file_unmap(struct mapped *m)
{
	if (m->len > 0)
		munmap((void *)(uintptr_t)m->at, m->len);
	*m = (struct mapped){ NULL, 0 };
}
