/* A file's content in memory: mapped if it is plain, unpacked if it is gzip (RFC 1952) or zstd (RFC 8878), told by its
 * first bytes. */
#ifndef TERRITORY_UNPACK_H
#define TERRITORY_UNPACK_H

#include "base/file.h"

struct unpacked {
	struct span text;
	int64_t modified_ms; /* of the file; 0 if that cannot be its data's date (packages set it to the 1980s) */
	struct mapped mapped;
	char *memory;
};

/* ERR_NOT_FOUND, ERR_IO, ERR_COMPRESSION (damaged or cut), ERR_TOO_LONG (over max unpacked). */
enum err unpack(const char *path, size_t max, struct unpacked *out);
void unpack_free(struct unpacked *u);

#endif
