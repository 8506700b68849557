/* The journal: one ordered sequence of records, the truth of a node. What must happen together is one batch: wholly
 * there or not at all. A batch is acknowledged after one fdatasync.
 *
 * This is the seam behind which another engine (a replicated one) can stand: append a batch, read by position, tail.
 * Positions are opaque, only their order means something; 0 is before the first record. One process appends (flock);
 * any number of processes read what is committed. Threads may share a handle for reading; one of them appends and
 * erases. A writer may lend the journal to another process and take it back. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/arena.h"
#include "base/span.h"

enum record_kind {
	RECORD_ENTRY = 1,   /* a ledger entry; `ledger` says which ledger */
	RECORD_BODY = 2,    /* a private or public body; erasable */
	RECORD_RAW = 3,	    /* a raw report; erasable */
	RECORD_MARKS = 4,   /* sorted duplicate marks (store/marks.h) */
	RECORD_PRIVATE = 5, /* outbox, credentials, routing counts */
};

struct record {
	uint8_t kind;
	uint8_t ledger; /* for entries, else 0 */
	bool erased;	/* the payload is gone, its length remains */
	uint64_t position;
	uint64_t next; /* the position behind it: where a tail goes on */
	struct span payload;
};

struct journal;

/* Makes an empty journal in a new folder. ERR_EXISTS. */
enum err journal_create(const char *dir);

/* For appending: takes the lock (ERR_BUSY: another process has it), recovers: an unfinished last batch is cut off,
 * damage before it is ERR_DAMAGED with file and offset in the detail. */
enum err journal_open_writer(const char *dir, struct journal **out);
/* The same, but asks before anything is cut off: whoever knows that more was acknowledged than what is left gives an
 * error (journal_short), and the files stay as they are. */
typedef enum err journal_judge(void *context, struct journal *j, uint64_t end);
enum err journal_open_writer_if(const char *dir, journal_judge *judge, void *context, struct journal **out);
/* The same in two steps, for who must wait for the lock: it alone, as a descriptor (ERR_BUSY at once; closing it gives
 * the lock back), and the opening with it, which takes the descriptor whatever happens. */
enum err journal_lock(const char *dir, int *lock);
enum err journal_open_locked(const char *dir, int lock, journal_judge *judge, void *context, struct journal **out);
/* ERR_DAMAGED: the journal once reached further. The detail names file, byte, and what to do. */
enum err journal_short(const struct journal *j, uint64_t reached);
enum err journal_open_reader(const char *dir, struct journal **out);
/* The same by who knows of a position that a whole batch ends there (the views do): what lies before is not looked at until it is
 * read. */
enum err journal_open_reader_from(const char *dir, uint64_t position, struct journal **out);
void journal_close(struct journal *j);

/* One batch at a time. The parts are joined to one payload (at most 1 GiB: ERR_TOO_LONG). *position is where it will
 * be; position may be NULL. After any error but ERR_USAGE the batch is abandoned; after a failure of the machine
 * the journal refuses all further work, with the same code. */
enum err journal_begin(struct journal *j);
enum err journal_add(struct journal *j, uint8_t kind, uint8_t ledger, const struct span *parts, size_t count,
		     uint64_t *position);
enum err journal_commit(struct journal *j); /* one fdatasync; durable on OK */
void journal_abandon(struct journal *j);

/* So much at most lies between the end of one batch and the first record of the next: the head of a segment. */
#define JOURNAL_GAP 32

/* The position behind the last committed record. A reader looks anew at each call. */
enum err journal_end(struct journal *j, uint64_t *position);

/* One committed record, its payload in the arena. ERR_NOT_FOUND: no record begins there; ERR_DAMAGED. Any thread. */
enum err journal_read(struct journal *j, struct arena *a, uint64_t position, struct record *out);

/* All committed records from `from` on, in order. An error of the callback stops the walk and is returned. Payloads
 * are valid during the call only. */
typedef enum err journal_each(void *context, const struct record *r);
enum err journal_tail(struct journal *j, uint64_t from, journal_each *each, void *context);

/* ---- a loan ----
 *
 * A writer without an open batch gives up the lock and keeps its handle, which from here on reads as a reader's does:
 * every thread sees what the borrower commits. It appends and erases nothing until it has the journal back. */
enum err journal_lend(struct journal *j);
/* The lock again, and nothing more. ERR_BUSY at once: a borrower has it. */
enum err journal_lend_end(struct journal *j);
/* With the lock: brings the journal's end in order as an opening writer does, and is the writer again. All but ERR_BUSY
 * ends the handle's writing. */
enum err journal_regain(struct journal *j, journal_judge *judge, void *context);

/* Overwrites the payload of a body or raw report with zeros, durably. ERR_USAGE for other kinds. */
enum err journal_erase(struct journal *j, uint64_t position);

#endif
