#include "report/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/hash.h"
#include "report/zip.h"

#define BUFFER_SIZE ((size_t)256 << 10)
#define WINDOW_LOG_MAX 27 /* 128 MiB: as much memory as a zstd frame may ask for */

/* Reports pack to a tenth or a thirtieth, seldom to a hundredth. */
#define BOMB_SIZE ((uint64_t)64 << 20)
#define BOMB_RATIO 250
#define PEEK_SIZE 4

enum packing { PLAIN, GZIP, ZSTD, ZIP };

struct input {
	int fd;
	bool owned;  /* fd is closed with it */
	bool at_end; /* of the file */
	enum packing packing;
	bool between; /* no member or frame is begun and not ended */
	enum err err; /* once failed, for good */
	char *name;
	uint64_t size, consumed, given; /* of the file as it lies there, in all and read; unpacked */
	bool regular, begun;
	struct timespec modified; /* at the start */
	struct zip_member member;
	uint64_t member_left; /* packed */
	uint32_t crc;
	unsigned char peek[PEEK_SIZE]; /* the first unpacked bytes, looked at before they are given */
	size_t peek_at, peek_len;
	z_stream gzip;
	bool gzip_ready;
	ZSTD_DStream *zstd;
	size_t at, len; /* what is left of buffer */
	unsigned char buffer[BUFFER_SIZE];
};

static enum err read_some(struct input *in, void *out, size_t n, size_t *got)
{
	ssize_t k;

	if (in->packing == ZIP && n > in->member_left)
		n = (size_t)in->member_left;
	do
		k = read(in->fd, out, n);
	while (k == -1 && errno == EINTR);
	if (k == -1)
		return fail_errno("%s: cannot read", in->name);
	*got = (size_t)k;
	in->at_end = k == 0;
	in->consumed += (size_t)k;
	if (in->packing == ZIP)
		in->member_left -= (size_t)k;
	return OK;
}

/* Refills the empty buffer. */
static enum err buffer_fill(struct input *in)
{
	in->at = in->len = 0;
	return read_some(in, in->buffer, sizeof(in->buffer), &in->len);
}

/* What a file is says its start; its name may lie. */
static enum packing packing_of(const unsigned char *p, size_t len)
{
	if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return GZIP;
	if (len >= 4 && (memcmp(p, "PK\3\4", 4) == 0 || memcmp(p, "PK\5\6", 4) == 0))
		return ZIP;
	/* 0xfd2fb528, and the sixteen numbers of frames to be skipped, RFC 8878 section 3.1 */
	if (len >= 4 && ((p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd) ||
			 ((p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)))
		return ZSTD;
	return PLAIN;
}

static enum err packing_find(struct input *in)
{
	while (in->len < 4 && !in->at_end) {
		size_t got;
		enum err e = read_some(in, in->buffer + in->len, sizeof(in->buffer) - in->len, &got);

		if (e != OK)
			return e;
		in->len += got;
	}
	in->packing = packing_of(in->buffer, in->len);
	return OK;
}

/* What was read so far is forgotten: the file is read from its member on. */
static enum err zip_open(struct input *in, const char *path)
{
	char *name;
	enum err e;

	if (!in->regular)
		return fail(ERR_COMPRESSION, "%s: a zip archive is read from a file, not from a pipe", path);
	if ((e = zip_find(in->fd, in->size, path, &in->member)) != OK)
		return e;
	if (lseek(in->fd, (off_t)in->member.offset, SEEK_SET) == -1)
		return fail_errno("%s", path);
	in->at = in->len = 0;
	in->at_end = false;
	in->member_left = in->member.packed;
	in->consumed = in->size - in->member.packed; /* so that progress ends at the size */
	if ((name = strdup(in->member.name)) == NULL)
		return fail(ERR_NO_MEMORY, "no room to read %s", path);
	free(in->name);
	in->name = name;
	return OK;
}

static enum err unpacker_new(struct input *in, const char *path)
{
	enum err e = in->packing == ZIP ? zip_open(in, path) : OK;

	if (e != OK)
		return e;
	if (in->packing == GZIP || in->packing == ZIP) {
		if (inflateInit2(&in->gzip, in->packing == GZIP ? 15 + 16 : -15) != Z_OK)
			return fail(ERR_NO_MEMORY, "%s: no room to unpack", in->name);
		in->gzip_ready = true;
	}
	if (in->packing == ZSTD) {
		if ((in->zstd = ZSTD_createDStream()) == NULL ||
		    ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
			return fail(ERR_NO_MEMORY, "%s: no room to unpack", in->name);
	}
	in->between = in->packing != ZIP;
	return OK;
}

static char *name_without_packing(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct span name = span_of(slash != NULL ? slash + 1 : path);
	static const char *const endings[] = { ".gz", ".zst", ".zstd", ".zip" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (span_ends(name, endings[i])) {
			name.len -= strlen(endings[i]);
			break;
		}
	}
	return span_duplicate(name);
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
		in->regular = true;
		in->modified = s.st_mtim;
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
		e = unpacker_new(in, path);
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

static enum err zip_end(struct input *in)
{
	in->between = true;
	return in->crc == in->member.crc && in->member_left == 0 && in->at == in->len ? OK
										      : damaged(in, "its checksum");
}

/* Deflate without gzip's frame (RFC 1951), or bytes as they are. */
static enum err read_zip(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	z_stream *z = &in->gzip;
	size_t have = in->len - in->at;
	int status = Z_OK;

	if (in->member.deflated) {
		z->next_in = in->buffer + in->at;
		z->avail_in = (unsigned)have;
		z->next_out = out;
		z->avail_out = n > BUFFER_SIZE ? BUFFER_SIZE : (unsigned)n;
		status = inflate(z, Z_NO_FLUSH);
		in->at = in->len - z->avail_in;
		*got = (size_t)(z->next_out - out);
		if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
			return damaged(in, z->msg != NULL ? z->msg : "no deflate");
	} else {
		*got = have < n ? have : n;
		memcpy(out, in->buffer + in->at, *got);
		in->at += *got;
	}
	in->crc = crc32_add(in->crc, out, *got);
	if (status == Z_STREAM_END || (!in->member.deflated && in->member_left == 0 && in->at == in->len))
		return zip_end(in);
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
		if (in->packing == ZIP)
			e = read_zip(in, out, n, got);
		else
			e = in->packing == GZIP ? read_gzip(in, out, n, got) : read_zstd(in, out, n, got);
		if (e != OK || *got > 0)
			return e;
		if (in->at_end && in->at == before)
			return in->between ? OK : damaged(in, "it ends too early");
	}
}

/* A regular file must be at the end what it was at the start. */
static enum err unchanged(const struct input *in)
{
	struct stat s;

	if (!in->regular)
		return OK;
	if (fstat(in->fd, &s) == -1)
		return fail_errno("%s", in->name);
	if ((uint64_t)s.st_size == in->size && s.st_mtim.tv_sec == in->modified.tv_sec &&
	    s.st_mtim.tv_nsec == in->modified.tv_nsec)
		return OK;
	return fail(ERR_GROWING, "%s: changed while it was read, from %llu to %llu bytes", in->name,
		    (unsigned long long)in->size, (unsigned long long)s.st_size);
}

/* As read_unpacked, and what must hold of the whole. */
static enum err read_checked(struct input *in, unsigned char *out, size_t n, size_t *got)
{
	enum err e = read_unpacked(in, out, n, got);
	uint64_t read = in->consumed - (in->len - in->at);

	if (in->packing == ZIP)
		read -= in->size - in->member.packed;
	in->given += *got;
	if (e != OK)
		return e;
	if (in->packing != PLAIN && in->given > BOMB_SIZE && in->given / BOMB_RATIO > read)
		return fail(ERR_UNPACKED, "%s: its first %llu bytes unpack to %llu", in->name, (unsigned long long)read,
			    (unsigned long long)in->given);
	return *got == 0 ? unchanged(in) : OK;
}

/* What is packed once more is not unpacked: bombs are made that way, reports are not. */
static enum err begin(struct input *in)
{
	in->begun = true;
	while (in->packing != PLAIN && in->peek_len < PEEK_SIZE) {
		size_t k = 0;
		enum err e = read_checked(in, in->peek + in->peek_len, PEEK_SIZE - in->peek_len, &k);

		in->peek_len += k;
		if (e != OK || k == 0)
			return e;
	}
	if (packing_of(in->peek, in->peek_len) == PLAIN)
		return OK;
	in->peek_len = 0;
	return fail(ERR_UNPACKED, "%s: packed twice; unpack it once", in->name);
}

enum err input_read(struct input *in, void *out, size_t n, size_t *got)
{
	*got = 0;
	if (!in->begun)
		in->err = begin(in);
	for (; *got < n && in->peek_at < in->peek_len; in->peek_at++)
		((unsigned char *)out)[(*got)++] = in->peek[in->peek_at];
	while (in->err == OK && *got < n) {
		size_t k = 0;

		in->err = read_checked(in, (unsigned char *)out + *got, n - *got, &k);
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
