/* Where a report comes from: a file or standard input; gzip (RFC 1952), zstd (RFC 8878) and a zip archive of one file
 * are seen through, by content. */
#ifndef REPORT_INPUT_H
#define REPORT_INPUT_H

#include "base/span.h"

struct input;

/* "-" is standard input. ERR_NOT_FOUND, ERR_IO; ERR_COMPRESSION: a zip archive of several files, from a pipe, or damaged. */
enum err input_open(const char *path, struct input **out);
/* The same for what lies in a folder that others write into: a link is not followed (ERR_SYMLINK), and only a regular
 * file is read (ERR_FORMAT_UNKNOWN). */
enum err input_open_file(const char *path, struct input **out);
/* Fills out as far as the report goes: less than n only at its end. *got holds what could be read before ERR_COMPRESSION:
 * damaged or truncated; ERR_UNPACKED: more than 64 MiB from less than a 250th of that, or packed twice; ERR_GROWING: a
 * regular file whose size or time is another than when it was opened. */
enum err input_read(struct input *in, void *out, size_t n, size_t *got);
struct span input_name(const struct input *in);	 /* without folders and .gz/.zst; in a zip its file's */
uint64_t input_size(const struct input *in);	 /* bytes of the file as it lies there; 0 unknown */
uint64_t input_consumed(const struct input *in); /* of these; for progress */
void input_close(struct input *in);

#endif
