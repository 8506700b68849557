/* Inside the journal only: the form of its files, and what writing, reading and recovering share. */
#ifndef STORE_JOURNAL_FILE_H
#define STORE_JOURNAL_FILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/journal.h"

/*
 * The form of the journal
 *
 * A position is a byte offset over all segments, so a record is read without any index. A segment is a file named by
 * the position of its first byte and begins with a segment header; the next segment begins where it ends.
 *
 *	segment header	magic[8] version:4 seed:8 start:8 crc:4			32 bytes
 *	frame		magic:4 kind:1 ledger:1 state:1 0:1 length:4 payload crc:4
 *			batch:8 position:8 crc:4				36 bytes, then the payload
 *	batch		frames, then a frame of kind FRAME_CLOSE with count:4 chain:4
 *
 * Big-endian. `batch` is the position of the batch's first frame, so it grows from batch to batch and needs no counter.
 * The header's crc covers the header, so also the payload's crc; `chain` is a crc over the header crcs of the batch: a
 * closed batch answers for every byte of it. Headers are summed with a seed that is drawn once for each journal: bytes
 * in a payload that somebody sent us cannot pass for a frame, nor can remains of another journal.
 *
 * Erasing overwrites a payload with zeros and leaves the rest: length, payload crc, chain. Only the state byte changes,
 * which the header's crc leaves out; its two values differ in every bit, so a flipped bit is neither of them.
 *
 * A segment may end in zeros: room that was written ahead (journal_write.c). They read as the end.
 */
#define SEGMENT_HEADER JOURNAL_GAP
#define SEGMENT_ROLL ((uint64_t)16 << 20) /* no batch begins in a segment of that size; a start reads the last one */
#define SEGMENT_SUFFIX ".journal"
#define SEGMENT_NAME (20 + sizeof(SEGMENT_SUFFIX))
#define FRAME_HEADER 36
#define FRAME_CLOSE 0xC1
#define CLOSE_PAYLOAD 8
#define JOURNAL_BUFFER ((size_t)1 << 20)
#define PAYLOAD_MAX ((uint32_t)1 << 30)
#define LOCK_NAME "lock"
#define ERASE_NAME "erase" /* the position of an erasure under way */

struct frame {
	uint8_t kind, ledger;
	bool erased;
	uint32_t length, payload_crc;
	uint64_t batch, position;
	uint32_t crc;
};

struct segment {
	uint64_t start;
	int fd;		/* -1: not open */
	unsigned users; /* threads that are reading it */
};

struct journal {
	char *dir;
	int dir_fd, lock_fd;
	bool writer;
	uint64_t seed;	       /* drawn for this journal */
	uint32_t first_crc;    /* of the seed: what header crcs go on from */
	pthread_mutex_t mutex; /* over segments; a reader's looking for the end */
	struct segment *segments;
	size_t count, room;
	_Atomic uint64_t end;
	atomic_bool lent; /* a writer's: somebody else may append */
	uint64_t bad;	  /* where reading stopped at the opening, and why */
	const char *why;

	/* the writer's */
	enum err broken;    /* after a failed write nothing more is written */
	int fd;		    /* the last segment */
	bool open;	    /* a batch is */
	uint64_t start;	    /* of the last segment */
	uint64_t limit;	    /* how far it has been written, zeros included */
	uint64_t batch, at; /* the batch's first frame, the next frame */
	uint64_t flushed;   /* before that all is with the kernel */
	uint64_t own_end;   /* where it was lent */
	uint32_t frames, chain;
	uint8_t *buffer;
	size_t held;
};

/* Bytes of one segment, read in large pieces. Begin with { .fd = fd, .start = segment's start }. */
struct window {
	int fd;
	uint64_t start;
	uint64_t from; /* position of at[0] */
	uint8_t *at;
	size_t len, room;
};

/* *out is valid until the next call. ERR_SHORT (without detail): the segment ends before. */
enum err window_get(struct window *w, uint64_t position, size_t n, uint8_t **out);
void window_free(struct window *w);

void journal_seed(struct journal *j, uint64_t seed);
void segment_name(uint64_t start, char out[SEGMENT_NAME]);
/* Makes the file of a new segment, durably, and opens it for writing. */
enum err segment_make(struct journal *j, uint64_t start);
/* The segment that holds a position, -1 before the first; under the mutex. */
ptrdiff_t segment_of(const struct journal *j, uint64_t position);
/* Its descriptor for reading, header checked; stays open. Under the mutex. */
enum err segment_fd(struct journal *j, size_t i, int *fd);
/* The same for a thread that goes on reading without the mutex, and its end. */
enum err segment_enter(struct journal *j, size_t i, int *fd);
void segment_leave(struct journal *j, size_t i);
enum err segment_add(struct journal *j, uint64_t start);
enum err segment_damaged(const struct journal *j, uint64_t start, uint64_t position, const char *why);

void frame_encode(struct frame *f, uint32_t first_crc, uint8_t out[FRAME_HEADER]); /* sets f->crc */
bool frame_decode(const uint8_t in[FRAME_HEADER], uint32_t first_crc, uint64_t position, struct frame *f);
void close_encode(uint32_t count, uint32_t chain, uint8_t out[CLOSE_PAYLOAD]);
bool frame_closes(const struct frame *f, const void *payload, uint32_t count, uint32_t chain);
uint32_t chain_add(uint32_t chain, const struct frame *f);
bool is_zero(const void *from, size_t n);
/* All of it, going on after EINTR and short writes. The detail names the journal. */
enum err write_all_at(const struct journal *j, int fd, const void *from, size_t n, uint64_t offset);
static inline uint64_t frame_end(const struct frame *f)
{
	return f->position + FRAME_HEADER + f->length;
}

/* Looking for whole batches from `at` on, by their headers or by their payloads too. */
struct scan {
	uint64_t at;   /* in: where a batch may begin; out: behind the last whole batch */
	uint64_t last; /* begin of the last whole batch; 0: there was none */
	uint64_t bad;  /* the first place that is no frame of a whole batch */
	const char *why;
};
enum err scan_batches(struct window *w, uint32_t first_crc, bool payloads, struct scan *s);
/* One batch with its payloads. *whole, and if it is not, bad and why. */
enum err scan_batch(struct window *w, uint32_t first_crc, uint64_t batch, bool payloads, bool *whole, struct scan *s);
/* Where a good frame of a batch later than `batch` stands behind `from`; 0: nowhere. */
enum err scan_later(struct window *w, uint32_t first_crc, uint64_t from, uint64_t batch, uint64_t *found);

/* Brings the last segment in order for the writer and sets end, start, limit. judge may be NULL. from: what is known to
 * be good of it, 0 if nothing is. */
enum err journal_recover(struct journal *j, uint64_t from, journal_judge *judge, void *context);
/* The lock of that folder's journal, on its open file. ERR_BUSY at once. */
enum err journal_take_lock(const char *dir, int fd);
/* Goes on to the last whole batch that is there. */
enum err journal_look_on(struct journal *j);
/* Sets end for a reader that has just opened. from: behind what is known to be good, 0 if nothing is. */
enum err journal_find_end(struct journal *j, uint64_t from);
/* The first failed write stays: what is on disk is no longer known. Returns OK for OK. */
enum err journal_broken(struct journal *j, enum err e);
enum err journal_sync(struct journal *j, int fd);
/* Goes on with an erasure that was cut short. */
enum err journal_erase_resume(struct journal *j);
/* Whether an erasure of that position is under way. */
bool journal_erasing(const struct journal *j, uint64_t position);

#endif
