/* Inside this room only: the one file of a zip archive (APPNOTE 6.3), as reports are attached to mails. */
#ifndef REPORT_ZIP_H
#define REPORT_ZIP_H

#include "base/span.h"

#define ZIP_NAME 256

struct zip_member {
	uint64_t offset, packed, size; /* of its bytes in the file; unpacked */
	uint32_t crc;
	bool deflated;	     /* else stored */
	char name[ZIP_NAME]; /* without folders; cut */
};

/* From the archive's directory, which stands at its end; fd is a regular file of `length` bytes. ERR_COMPRESSION: no
 * zip, damaged, encrypted, of another method, of more than 4 GiB, or with another number of files than one. ERR_IO. */
enum err zip_find(int fd, uint64_t length, const char *path, struct zip_member *out);

#endif
