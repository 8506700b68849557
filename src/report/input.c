#include "report/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BUFFER_SIZE ((size_t)256 << 10)
#define WINDOW_LOG_MAX 27 /* 128 MiB: as much memory as a zstd frame may ask for */

enum packing { PLAIN, GZIP, ZSTD };

struct input {
	int fd;
	bool owned;  /* fd is closed with it */
	bool at_end; /* of the file */
	enum packing packing;
	bool between; /* no member or frame is begun and not ended */
	enum err err; /* once failed, for good */
	char *name;
	uint64_t size, consumed;
	z_stream gzip;
	bool gzip_ready;
	ZSTD_DStream *zstd;
	size_t at, len; /* what is left of buffer */
	unsigned char buffer[BUFFER_SIZE];
};

static enum err read_some(struct input *in, void *out, size_t n, size_t *got)
{
	ssize_t k;

	do
		k = read(in->fd, out, n);
	while (k == -1 && errno == EINTR);
	if (k == -1)
		return fail_errno("%s: cannot read", in->name);
	*got = (size_t)k;
	in->at_end = k == 0;
	in->consumed += (size_t)k;
	return OK;
}

/* Refills the empty buffer. */
static enum err buffer_fill(struct input *in)
{
	in->at = in->len = 0;
	return read_some(in, in->buffer, sizeof(in->buffer), &in->len);
}

/* What the file is says its start; its name may lie. */
static enum err packing_find(struct input *in)
{
	const unsigned char *p = in->buffer;

	while (in->len < 4 && !in->at_end) {
		size_t got;
		enum err e = read_some(in, in->buffer + in->len, sizeof(in->buffer) - in->len, &got);

		if (e != OK)
			return e;
		in->len += got;
	}
	if (in->len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		in->packing = GZIP;
	/* 0xfd2fb528, and the sixteen numbers of frames to be skipped, RFC 8878 section 3.1 */
	else if (in->len >= 4 && ((p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd) ||
				  ((p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)))
		in->packing = ZSTD;
	return OK;
}

static enum err unpacker_new(struct input *in)
{
	if (in->packing == GZIP) {
		if (inflateInit2(&in->gzip, 15 + 16) != Z_OK)
			return fail(ERR_NO_MEMORY, "%s: no room to unpack", in->name);
		in->gzip_ready = true;
	}
	if (in->packing == ZSTD) {
		if ((in->zstd = ZSTD_createDStream()) == NULL ||
		    ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
			return fail(ERR_NO_MEMORY, "%s: no room to unpack", in->name);
	}
	in->between = true;
	return OK;
}

static char *name_without_packing(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct span name = span_of(slash != NULL ? slash + 1 : path);
	static const char *const endings[] = { ".gz", ".zst", ".zstd" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_ends(name, endings[i])) {
			name.len -= strlen(endings[i]);
			break;
		}
	}
	return strndup(name.at, name.len);
}

/* What others put there may be a link to any file, or a pipe that would never give an end. */
static enum err descriptor_open(struct input *in, const char *path, bool regular)
{
	struct stat s;

	in->fd = open(path, O_RDONLY | O_CLOEXEC | (regular ? O_NOFOLLOW | O_NONBLOCK | O_NOCTTY : 0));
	if (in->fd == -1 && regular && errno == ELOOP)
		return fail(ERR_SYMLINK, "%s", path);
	if (in->fd == -1)
		return fail_errno("%s", path);
	in->owned = true;
	if (regular && (fstat(in->fd, &s) == -1 || !S_ISREG(s.st_mode)))
		return fail(ERR_FORMAT_UNKNOWN, "%s: no regular file", path);
	return OK;
}

static enum err file_open(struct input *in, const char *path, bool regular)
{
	struct stat s;
	enum err e;

	if (!regular && strcmp(path, "-") == 0)
		in->fd = STDIN_FILENO;
	else if ((e = descriptor_open(in, path, regular)) != OK)
		return e;
	if (fstat(in->fd, &s) == -1)
		return fail_errno("%s", path);
	if (S_ISREG(s.st_mode)) {
		in->size = (uint64_t)s.st_size;
		(void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
	}
	return OK;
}

static enum err input_begin(const char *path, bool regular, struct input **out)
{
	struct input *in = malloc(sizeof(*in));
	enum err e;

	if (in == NULL)
		return fail(ERR_NO_MEMORY, "no room to read %s", path);
	memset(in, 0, offsetof(struct input, buffer));
	in->fd = -1;
	if ((in->name = name_without_packing(path)) == NULL)
		e = fail(ERR_NO_MEMORY, "no room to read %s", path);
	else if ((e = file_open(in, path, regular)) == OK && (e = packing_find(in)) == OK)
		e = unpacker_new(in);
	if (e != OK) {
		input_close(in);
		return e;
	}
	*out = in;
	return OK;
}

enum err input_open(const char *path, struct input **out)
{
	return input_begin(path, false, out);
}

enum err input_open_file(const char *path, struct input **out)
{
	return input_begin(path, true, out);
}

static enum err damaged(struct input *in, const char *why)
{
	return fail(ERR_COMPRESSION, "%s: damaged near byte %llu: %s", in->name,
		    (unsigned long long)(in->consumed - (in->len - in->at)), why);
}

static enum err read_plain(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	size_t have = in->len - in->at;

	if (have > 0) {
		*got = have < n ? have : n;
		memcpy(out, in->buffer + in->at, *got);
		in->at += *got;
		return OK;
	}
	return read_some(in, out, n, got);
}

/* Zeros may fill up the end of the last block of a tape; anything else behind a member begins the next one. */
static enum err gzip_next_member(struct input *in)
{
	if (in->buffer[in->at] == 0) {
		while (in->at < in->len && in->buffer[in->at] == 0)
			in->at++;
		return in->at == in->len ? OK : damaged(in, "something stands behind its end");
	}
	if (inflateReset(&in->gzip) != Z_OK)
		return damaged(in, "cannot go on");
	in->between = false;
	return OK;
}

static enum err read_gzip(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	z_stream *z = &in->gzip;
	enum err e;
	int status;

	*got = 0;
	if (in->between && (e = gzip_next_member(in)) != OK)
		return e;
	if (in->between)
		return OK;
	z->next_in = in->buffer + in->at;
	z->avail_in = (unsigned)(in->len - in->at);
	z->next_out = out;
	z->avail_out = n > BUFFER_SIZE ? BUFFER_SIZE : (unsigned)n;
	status = inflate(z, Z_NO_FLUSH);
	in->at = in->len - z->avail_in;
	*got = (size_t)(z->next_out - out);
	if (status == Z_MEM_ERROR)
		return fail(ERR_NO_MEMORY, "no room to read %s", in->name);
	if (status == Z_STREAM_END)
		in->between = true;
	else if (status != Z_OK && status != Z_BUF_ERROR)
		return damaged(in, z->msg != NULL ? z->msg : "no gzip");
	return OK;
}

static enum err read_zstd(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	ZSTD_inBuffer from = { in->buffer, in->len, in->at };
	ZSTD_outBuffer to = { out, n, 0 };
	size_t status = ZSTD_decompressStream(in->zstd, &to, &from);

	in->at = from.pos;
	*got = to.pos;
	if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
		return fail(ERR_NO_MEMORY, "no room to read %s", in->name);
	if (ZSTD_isError(status))
		return damaged(in, ZSTD_getErrorName(status));
	in->between = status == 0;
	return OK;
}

/* Some bytes, at least one; *got == 0: the end. */
static enum err read_unpacked(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	enum err e;

	if (in->packing == PLAIN)
		return read_plain(in, out, n, got);
	for (;;) {
		size_t before = in->at;

		*got = 0;
		if (in->at == in->len && !in->at_end && (e = buffer_fill(in)) != OK)
			return e;
		if (in->at == in->len && in->between)
			return OK;
		e = in->packing == GZIP ? read_gzip(in, out, n, got) : read_zstd(in, out, n, got);
		if (e != OK || *got > 0)
			return e;
		if (in->at_end && in->at == before)
			return in->between ? OK : damaged(in, "it ends too early");
	}
}

enum err input_read(struct input *in, void *out, size_t n, size_t *got)
{
	*got = 0;
	while (in->err == OK && *got < n) {
		size_t k = 0;

		in->err = read_unpacked(in, (unsigned char *)out + *got, n - *got, &k);
		*got += k;
		if (k == 0)
			break;
	}
	return in->err;
}

struct span input_name(const struct input *in)
{
	return span_of(in->name);
}

uint64_t input_size(const struct input *in)
{
	return in->size;
}

uint64_t input_consumed(const struct input *in)
{
	return in->consumed;
}

void input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->gzip_ready)
		inflateEnd(&in->gzip);
	ZSTD_freeDStream(in->zstd);
	if (in->owned)
		close(in->fd);
	free(in->name);
	free(in);
}
