/* Folders that reports are put into: what lies there, and what of it is a report. */
#ifndef ROUTE_INBOX_H
#define ROUTE_INBOX_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define INBOX_DEPTH 16		/* folders below the first */
#define INBOX_FILES_MAX 1000000 /* of all of them */

struct inbox_file {
	const char *path; /* the folder as it was given, a slash, the name below it */
	/* OK: a report. ERR_SYMLINK: not followed. ERR_FORMAT_UNKNOWN: a pipe, a socket, a device. ERR_DEPTH: a folder
	 * too deep to look into. ERR_USAGE: a folder, where none is looked into. ERR_IO: a folder that cannot be read. */
	enum err err;
	const char *passed_over; /* NULL; else why it is not meant to be read: "hidden", "unfinished", "a reason" */
	uint64_t inode, size;	 /* of a report, and so are these */
	int64_t modified_ns, changed_ns;
};

struct inbox {
	struct inbox_file *at; /* sorted by path, byte by byte */
	size_t count, room;
	bool maildir; /* it has cur, new and tmp: the mails of new and cur are its reports, nothing else is looked at */
};

/* All in the arena. deep: folders in it too. ERR_NOT_FOUND, ERR_IO, ERR_TOO_LONG (more files than that). */
enum err inbox_read(struct arena *a, const char *folder, bool deep, struct inbox *out);

#endif
