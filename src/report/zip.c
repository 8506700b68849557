#include "report/zip.h"

#include <stdlib.h>

#include "base/file.h"

/*
 * An archive ends with a record of 22 bytes and a comment; it says where the directory is. An entry of that is 46 bytes,
 * name, extra and comment; it says where the file's own header is, 30 bytes, name and extra, and behind that its bytes.
 * Sizes and checksums are taken from the directory alone: the header may lack them.
 */
#define END_SIZE 22
#define ENTRY_SIZE 46
#define HEADER_SIZE 30
#define COMMENT_MAX 65535
#define DIRECTORY_MAX ((size_t)1 << 20)
#define ENCRYPTED 1

struct entry {
	uint32_t flags, method, crc, packed, size, header;
	struct span name;
	size_t length; /* of the entry */
};

static uint32_t u16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const unsigned char *p)
{
	return u16(p) | u16(p + 2) << 16;
}

static enum err damaged(const char *path)
{
	return fail(ERR_COMPRESSION, "%s: a damaged zip archive", path);
}

/* The record at the end, whose comment reaches to the end exactly; NULL: none. */
static const unsigned char *end_find(const unsigned char *tail, size_t len)
{
	for (size_t i = len < END_SIZE ? 0 : len - END_SIZE + 1; i-- > 0;)
		if (memcmp(tail + i, "PK\5\6", 4) == 0 && u16(tail + i + 20) == len - i - END_SIZE)
			return tail + i;
	return NULL;
}

static bool entry_read(const unsigned char *p, size_t len, struct entry *e)
{
	uint32_t name;

	if (len < ENTRY_SIZE || memcmp(p, "PK\1\2", 4) != 0)
		return false;
	name = u16(p + 28);
	*e = (struct entry){
		.flags = u16(p + 8),
		.method = u16(p + 10),
		.crc = u32(p + 16),
		.packed = u32(p + 20),
		.size = u32(p + 24),
		.header = u32(p + 42),
		.name = { (const char *)p + ENTRY_SIZE, name },
		.length = ENTRY_SIZE + (size_t)name + u16(p + 30) + u16(p + 32),
	};
	return e->length <= len;
}

/* Folders, and what one system adds beside each file. */
static bool is_file(const struct entry *e)
{
	return e->name.len > 0 && e->name.at[e->name.len - 1] != '/' && !span_starts(e->name, "__MACOSX/");
}

static enum err only_file(const unsigned char *p, size_t len, const char *path, struct entry *out)
{
	struct entry e;
	size_t files = 0;

	for (size_t at = 0; at < len; at += e.length) {
		if (!entry_read(p + at, len - at, &e))
			return damaged(path);
		if (is_file(&e) && files++ == 0)
			*out = e;
	}
	if (files != 1)
		return fail(ERR_COMPRESSION, "%s: a zip archive of %zu files; unpack it and give each of them", path,
			    files);
	return OK;
}

static enum err member_set(int fd, uint64_t length, const char *path, const struct entry *e, struct zip_member *out)
{
	unsigned char header[HEADER_SIZE];
	struct span name = e->name, folder;
	enum err err;

	if ((e->flags & ENCRYPTED) != 0)
		return fail(ERR_COMPRESSION, "%s: an encrypted zip archive", path);
	if (e->method != 0 && e->method != 8)
		return fail(ERR_COMPRESSION, "%s: a zip archive packed by method %u; unpack it first", path, e->method);
	if (e->packed == UINT32_MAX || e->size == UINT32_MAX || e->header == UINT32_MAX)
		return fail(ERR_COMPRESSION, "%s: a zip archive of more than 4 GiB; unpack it first", path);
	if ((uint64_t)e->header + HEADER_SIZE > length)
		return damaged(path);
	if ((err = file_read_at(fd, header, HEADER_SIZE, e->header)) != OK)
		return err;
	*out = (struct zip_member){ .packed = e->packed, .size = e->size, .crc = e->crc, .deflated = e->method == 8 };
	out->offset = (uint64_t)e->header + HEADER_SIZE + u16(header + 26) + u16(header + 28);
	if (memcmp(header, "PK\3\4", 4) != 0 || out->offset > length || e->packed > length - out->offset ||
	    (e->method == 0 && e->packed != e->size))
		return damaged(path);
	while (memchr(name.at, '/', name.len) != NULL) {
		folder = span_cut(&name, '/');
		(void)folder;
	}
	memcpy(out->name, name.at, name.len < ZIP_NAME ? name.len : ZIP_NAME - 1);
	return OK;
}

static enum err directory_read(int fd, uint64_t length, const char *path, const unsigned char *end,
			       struct zip_member *out)
{
	size_t len = u32(end + 12);
	uint64_t at = u32(end + 16);
	unsigned char *directory;
	struct entry e = { 0 };
	enum err err;

	if (len > DIRECTORY_MAX || at > length || len > length - at)
		return damaged(path);
	if ((directory = malloc(len + 1)) == NULL)
		return fail(ERR_NO_MEMORY, "no room to read %s", path);
	if ((err = file_read_at(fd, directory, len, at)) == OK && (err = only_file(directory, len, path, &e)) == OK)
		err = member_set(fd, length, path, &e, out);
	free(directory);
	return err;
}

enum err zip_find(int fd, uint64_t length, const char *path, struct zip_member *out)
{
	size_t len = length < END_SIZE + COMMENT_MAX ? (size_t)length : END_SIZE + COMMENT_MAX;
	unsigned char *tail = malloc(len + 1);
	const unsigned char *end;
	enum err err;

	if (tail == NULL)
		return fail(ERR_NO_MEMORY, "no room to read %s", path);
	if ((err = file_read_at(fd, tail, len, length - len)) == OK)
		err = (end = end_find(tail, len)) != NULL ? directory_read(fd, length, path, end, out) : damaged(path);
	free(tail);
	return err;
}
