#include "territory/unpack.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buffer.h"

#define STEP ((size_t)1 << 20)
#define YEAR_2000_MS 946684800000

/* NULL at the maximum. */
static char *room_for_step(struct buffer *b)
{
	size_t left = b->max - b->len;

	return buffer_room(b, left == 0 ? 1 : left < STEP ? left : STEP);
}

/* Gzip members may follow one another. */
static enum err unpack_gzip(const char *path, struct mapped m, struct buffer *out)
{
	z_stream z = { 0 };
	size_t left = m.len;
	int state = Z_OK;

	if (m.len > UINT_MAX || inflateInit2(&z, 15 + 16) != Z_OK)
		return fail(ERR_NO_MEMORY, "%s: cannot unpack", path);
	z.next_in = (Bytef *)(uintptr_t)m.at;
	z.avail_in = (uInt)left;
	while (state != Z_STREAM_END || z.avail_in > 0) {
		char *to = room_for_step(out);
		uInt room = (uInt)(out->room - out->len < STEP ? out->room - out->len : STEP);

		if (to == NULL)
			break;
		if (state == Z_STREAM_END && inflateReset(&z) != Z_OK)
			break;
		z.next_out = (Bytef *)to;
		z.avail_out = room;
		state = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
		if (state != Z_OK && state != Z_STREAM_END)
			break;
	}
	inflateEnd(&z);
	if (out->err != OK)
		return fail(out->err, "%s: more than %zu bytes unpacked", path, out->max);
	if (state == Z_MEM_ERROR)
		return fail(ERR_NO_MEMORY, "%s: cannot unpack", path);
	return state == Z_STREAM_END ? OK : fail(ERR_COMPRESSION, "%s: damaged or cut gzip", path);
}

static enum err unpack_zstd(const char *path, struct mapped m, struct buffer *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { m.at, m.len, 0 };
	size_t left = 1;

	if (z == NULL)
		return fail(ERR_NO_MEMORY, "%s: cannot unpack", path);
	while (out->err == OK && (in.pos < in.size || left != 0)) {
		char *to = room_for_step(out);
		size_t room = out->room - out->len, before = in.pos;
		ZSTD_outBuffer o = { to, room, 0 };

		if (to == NULL)
			break;
		left = ZSTD_decompressStream(z, &o, &in);
		out->len += o.pos;
		if (ZSTD_isError(left) || (left != 0 && o.pos == 0 && in.pos == before))
			break;
	}
	ZSTD_freeDCtx(z);
	if (out->err != OK)
		return fail(out->err, "%s: more than %zu bytes unpacked", path, out->max);
	if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
		return fail(ERR_NO_MEMORY, "%s: cannot unpack", path);
	return left == 0 ? OK : fail(ERR_COMPRESSION, "%s: damaged or cut zstd", path);
}

enum err unpack(const char *path, size_t max, struct unpacked *out)
{
	struct buffer b = BUFFER(max);
	struct stat st;
	enum err e;

	*out = (struct unpacked){ 0 };
	if ((e = file_map(path, &out->mapped)) != OK)
		return e;
	out->text = span_make(out->mapped.at, out->mapped.len);
	if (stat(path, &st) == 0 && (int64_t)st.st_mtime * 1000 > YEAR_2000_MS)
		out->modified_ms = (int64_t)st.st_mtime * 1000;
	if (span_starts(out->text, "\x1f\x8b"))
		e = unpack_gzip(path, out->mapped, &b);
	else if (span_starts(out->text, "\x28\xb5\x2f\xfd"))
		e = unpack_zstd(path, out->mapped, &b);
	else if (out->mapped.len > max)
		e = fail(ERR_TOO_LONG, "%s: %zu bytes, at most %zu", path, out->mapped.len, max);
	else
		return OK;
	file_unmap(&out->mapped);
	out->memory = b.at;
	out->text = buffer_view(&b);
	if (e != OK)
		unpack_free(out);
	return e;
}

void unpack_free(struct unpacked *u)
{
	file_unmap(&u->mapped);
	free(u->memory);
	*u = (struct unpacked){ 0 };
}
