/* A file unpacks to the same bytes and ends with the same answer however many bytes are asked for at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "report/input.h"

#define UNPACKED_MAX ((size_t)1 << 20)

static enum err read_all(const char *path, size_t step, struct buffer *out)
{
	struct input *in;
	enum err e = input_open(path, &in);
	size_t got = step;

	if (e != OK)
		return e;
	while (e == OK && got == step && out->len + step <= UNPACKED_MAX) {
		char *room = buffer_room(out, step);

		if (room == NULL)
			abort();
		e = input_read(in, room, step, &got);
		if (got > step || (e != OK && e != ERR_COMPRESSION && e != ERR_UNPACKED))
			abort();
		out->len += got;
	}
	input_close(in);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer small = BUFFER(UNPACKED_MAX), large = BUFFER(UNPACKED_MAX);
	int fd = memfd_create("report", MFD_CLOEXEC);
	size_t shorter;
	char path[64];
	enum err a, b;

	if (fd == -1 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	a = read_all(path, 61, &small);
	b = read_all(path, UNPACKED_MAX / 4, &large);
	shorter = small.len < large.len ? small.len : large.len;
	if (shorter > 0 && memcmp(small.at, large.at, shorter) != 0)
		abort();
	if (small.len < UNPACKED_MAX - 61 && large.len < UNPACKED_MAX &&
	    (a != b || (a == OK && small.len != large.len)))
		abort(); /* how much of a damaged file can be read is up to the libraries */
	buffer_free(&small);
	buffer_free(&large);
	close(fd);
	return 0;
}
