/* Files: read whole with a maximum, write so that a crash leaves the old or the new. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/span.h"

/* The whole file, in the arena. ERR_NOT_FOUND, ERR_TOO_LONG (over max), ERR_IO. */
enum err file_read(struct arena *a, const char *path, size_t max, struct span *out);

/* path.tmp in the same folder, fsync, rename, fsync of the folder. mode e.g. 0600. One writer per path at a time.
 * ERR_SYNC, ERR_IO. */
enum err file_write(const char *path, struct span content, unsigned mode);

/* The same without any fsync, for what can be rebuilt: whoever reads sees the old or the new, never a part. */
enum err file_write_lazily(const char *path, struct span content, unsigned mode);

/* Makes the folder and those above it that are missing. */
enum err folder_make(const char *path, unsigned mode);
/* The same, and their names are on disk when it returns. */
enum err folder_make_durable(const char *path, unsigned mode);
enum err folder_sync(const char *path);

bool file_exists(const char *path);

/* Writes all of it, going on after EINTR and short writes. */
enum err file_write_all(int fd, const void *from, size_t n);
enum err file_read_at(int fd, void *out, size_t n, uint64_t offset); /* ERR_SHORT */

/* A file mapped for reading. */
struct mapped {
	const uint8_t *at;
	size_t len;
};
enum err file_map(const char *path, struct mapped *out); /* an empty file maps to length 0 */
void file_unmap(struct mapped *m);

#endif
