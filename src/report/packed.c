/* Files that come packed in a mail: gzip (RFC 1952), one file, and ZIP (APPNOTE 6.3), the first few of its files, stored
 * or deflated. Only what the central directory of a ZIP names is read. */
#include <zlib.h>

#include "base/hash.h"
#include "report/mail.h"

#define ZIP_END 22 /* length of the record at the end, without comment */
#define ZIP_ENTRY 46
#define ZIP_LOCAL 30
#define ZIP_FILES_MAX 16

static uint32_t little(const char *p, int bytes)
{
	uint32_t v = 0;

	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* window: as for inflateInit2. A second stream behind the first is left. */
static enum err inflate_whole(struct arena *a, struct span in, int window, struct span *out)
{
	size_t room = in.len < REPORT_ROW_MAX ? REPORT_ROW_MAX : in.len;
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.at, .avail_in = (unsigned)in.len };
	char *to = arena_alloc(a, room);
	enum err e = OK;
	int status = Z_OK;

	if (to == NULL || inflateInit2(&z, window) != Z_OK)
		return ERR_NO_MEMORY;
	while (e == OK && status == Z_OK) {
		z.next_out = (Bytef *)to + z.total_out;
		z.avail_out = (unsigned)(room - z.total_out);
		status = inflate(&z, Z_NO_FLUSH);
		if (status == Z_OK && z.avail_out == 0) {
			char *more = room < REPORT_DOCUMENT_MAX ? arena_resize(a, to, room, 2 * room) : NULL;

			e = room >= REPORT_DOCUMENT_MAX ? ERR_UNPACKED : more == NULL ? ERR_NO_MEMORY : OK;
			to = more != NULL ? more : to;
			room *= 2;
		}
	}
	inflateEnd(&z);
	*out = span_make(to, z.total_out);
	return e != OK ? e : status == Z_STREAM_END ? OK : ERR_COMPRESSION;
}

bool packed_is(struct span content)
{
	return content.len >= 4 && (memcmp(content.at, "\x1f\x8b", 2) == 0 || memcmp(content.at, "PK\3\4", 4) == 0);
}

/* Where the central directory begins; content.len: nowhere. */
static size_t directory_find(struct span content)
{
	size_t last = content.len < ZIP_END ? 0 : content.len - ZIP_END;

	for (size_t i = 0; content.len >= ZIP_END && i <= last && i <= UINT16_MAX; i++) {
		const char *p = content.at + last - i;

		if (memcmp(p, "PK\5\6", 4) == 0)
			return little(p + 16, 4) < last ? little(p + 16, 4) : content.len;
	}
	return content.len;
}

/* The file that the directory's entry at p speaks of. */
static enum err zip_file(struct arena *a, struct span content, const char *p, struct span *out)
{
	uint32_t flags = little(p + 8, 2), method = little(p + 10, 2), packed = little(p + 20, 4),
		 size = little(p + 24, 4), local = little(p + 42, 4);
	size_t begin;
	enum err e = OK;

	if ((flags & 1) != 0 || (method != 0 && method != 8)) /* encrypted, or a method of its own */
		return ERR_COMPRESSION;
	if (content.len < ZIP_LOCAL || local > content.len - ZIP_LOCAL || memcmp(content.at + local, "PK\3\4", 4) != 0)
		return ERR_COMPRESSION;
	begin = local + ZIP_LOCAL + little(content.at + local + 26, 2) + little(content.at + local + 28, 2);
	if (begin > content.len || packed > content.len - begin)
		return ERR_COMPRESSION;
	if (size > REPORT_DOCUMENT_MAX)
		return ERR_UNPACKED;
	*out = span_make(content.at + begin, packed);
	if (method == 8)
		e = inflate_whole(a, *out, -MAX_WBITS, out);
	if (e == OK && (out->len != size || crc32_add(0, out->at, out->len) != little(p + 16, 4)))
		return ERR_COMPRESSION;
	return e;
}

static enum err zip_read(struct arena *a, struct span content, size_t number, struct span *name, struct span *out)
{
	size_t at = directory_find(content);

	for (size_t i = 0; i < ZIP_FILES_MAX && content.len - at >= ZIP_ENTRY; i++) {
		const char *p = content.at + at;
		size_t length = little(p + 28, 2), all = ZIP_ENTRY + length + little(p + 30, 2) + little(p + 32, 2);

		if (memcmp(p, "PK\1\2", 4) != 0)
			break;
		if (all > content.len - at)
			return ERR_COMPRESSION;
		*name = span_make(p + ZIP_ENTRY, length);
		if (i == number)
			return zip_file(a, content, p, out);
		at += all;
	}
	return number == 0 ? ERR_COMPRESSION : ERR_NOT_FOUND;
}

enum err packed_read(struct arena *a, struct span content, size_t number, struct span *name, struct span *out)
{
	if (content.at[0] == 'P')
		return zip_read(a, content, number, name, out);
	if (span_ends(*name, ".gz"))
		name->len -= 3;
	return number == 0 ? inflate_whole(a, content, 16 + MAX_WBITS, out) : ERR_NOT_FOUND;
}
