/* A segment of any bytes: opening and reading it never crashes; what a reader shows, a writer keeps; and when a writer
 * has opened it, it can append, and finds its own record again behind what was there.
 *
 * The first byte says what comes of the rest: even, as it is; odd, put behind the header of a segment as frames whose
 * checksums are made right, so that the fuzzer gets past them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "store/journal_file.h"

#define INPUT_MAX 8192

static char dir[64], path[128];

static void remove_all(void)
{
	char other[128];

	unlink(path);
	snprintf(other, sizeof(other), "%s/lock", dir);
	unlink(other);
	rmdir(dir);
}

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s/fuzz-journal-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/00000000000000000000.journal", dir);
	atexit(remove_all);
}

/* ---- input as frames ---- */

struct maker {
	uint8_t *out;
	uint64_t at, batch;
	uint32_t first_crc, chain, count;
};

static void put(struct maker *m, struct frame f, const uint8_t *payload, size_t n)
{
	f.batch += m->batch;
	f.position = m->at;
	f.payload_crc = crc32_add(0, payload, n);
	frame_encode(&f, m->first_crc, m->out + m->at);
	memcpy(m->out + m->at + FRAME_HEADER, payload, n);
	m->chain = chain_add(m->chain, &f);
	m->count++;
	m->at += FRAME_HEADER + n;
}

static void put_close(struct maker *m)
{
	uint8_t sums[CLOSE_PAYLOAD];

	close_encode(m->count, m->chain, sums);
	put(m, (struct frame){ .kind = FRAME_CLOSE, .length = sizeof(sums) }, sums, sizeof(sums));
	m->chain = m->count = 0;
	m->batch = m->at;
}

static void put_header(struct maker *m)
{
	struct journal j = { .dir = dir };
	int fd;

	journal_seed(&j, 7);
	if (segment_make(&j, 0) != OK || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    file_read_at(fd, m->out, SEGMENT_HEADER, 0) != OK)
		abort();
	close(fd);
	m->first_crc = j.first_crc;
	m->at = m->batch = SEGMENT_HEADER;
}

/* Four bytes say what comes: a record, the end of the batch, or a frame that is right but does not belong. */
static size_t frames(const uint8_t *data, size_t size, uint8_t *out)
{
	struct maker m = { .out = out };

	put_header(&m);
	while (size >= 4 && m.at < INPUT_MAX) {
		const uint8_t *op = data;
		size_t n = op[3] < size - 4 ? op[3] : size - 4;
		struct frame f = { .kind = op[1], .ledger = op[2], .length = (uint32_t)n };

		data += 4;
		size -= 4;
		if (op[0] % 4 == 0) {
			put_close(&m);
			continue;
		}
		if (op[0] % 4 == 1) {
			f.erased = (op[0] & 4) != 0;
			f.batch = (op[0] & 8) != 0 ? op[2] : 0;
			f.length = (op[0] & 16) != 0 ? (uint32_t)op[2] << 8 : f.length;
		}
		put(&m, f, data, n);
		data += n;
		size -= n;
	}
	return m.at;
}

struct list {
	uint64_t positions[1024], count, bytes;
};

static enum err note(void *context, const struct record *r)
{
	struct list *l = context;

	if (l->count < 1024)
		l->positions[l->count] = r->position;
	l->count++;
	l->bytes += r->payload.len;
	return OK;
}

static void check(bool append)
{
	struct journal *reader = NULL, *writer = NULL;
	struct list shown = { .count = 0 }, kept = { .count = 0 }, after = { .count = 0 };
	struct arena *a = arena_new((size_t)4 << 20);
	struct span mine = SPAN("mine");
	enum err shows = journal_open_reader(dir, &reader), e;
	uint64_t position;
	struct record r;

	if (a == NULL)
		abort();
	if (shows == OK) {
		shows = journal_tail(reader, 0, note, &shown);
		for (uint64_t i = 0; i < shown.count && i < 1024; i++)
			if (journal_read(reader, a, shown.positions[i], &r) != OK)
				abort();
		journal_read(reader, a, 40, &r);
		journal_close(reader);
	}
	if (journal_open_writer(dir, &writer) == OK) {
		if ((e = journal_tail(writer, 0, note, &kept)) != OK && e != ERR_DAMAGED)
			abort();
		if (shows == OK && (e != OK || kept.count != shown.count || kept.bytes != shown.bytes))
			abort();
		if (append &&
		    (journal_begin(writer) != OK || journal_add(writer, RECORD_ENTRY, 0, &mine, 1, &position) != OK ||
		     journal_commit(writer) != OK || journal_read(writer, a, position, &r) != OK ||
		     !span_equal(r.payload, mine)))
			abort();
		journal_close(writer);
		if (journal_open_writer(dir, &writer) != OK)
			abort();
		if (journal_tail(writer, 0, note, &after) == OK && after.count != kept.count + append)
			abort();
		journal_close(writer);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[2 * INPUT_MAX + 4096];
	size_t n;
	int fd;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	if (dir[0] == '\0')
		make_dir();
	if (data[0] % 2 == 1) {
		n = frames(data + 1, size - 1, file);
	} else {
		n = size - 1;
		memcpy(file, data + 1, n);
	}
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) == -1 ||
	    file_write_all(fd, file, n) != OK)
		abort();
	close(fd);
	check(data[0] % 16 < 2); /* appending writes a megabyte ahead */
	return 0;
}
