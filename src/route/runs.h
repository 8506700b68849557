/* Rows between reading and noticing. Each thread fills a run; a full run is sorted by addressee and class and put away:
 * in memory as long as there is room, then in an unlinked file. Later the rows come back batch by batch, each batch all
 * rows of some notices from all runs. Only for this room. */
#ifndef ROUTE_RUNS_H
#define ROUTE_RUNS_H

#include "base/address.h"
#include "base/sort.h"
#include "store/marks.h"

/* What is known of a row beside its text. */
struct row_entry {
	uint64_t order;	      /* row_order */
	int64_t time_ms;      /* 0: none */
	uint64_t high, low;   /* the source's address */
	uint32_t length : 24; /* of the text, with its line end */
	uint32_t verdict : 8;
	uint32_t detail;  /* what tells its line apart from others of the source: a port, the number of a malware */
	uint16_t section; /* which table of the notice */
	uint16_t country; /* of registration of the source: 1 + 26 * first letter + second; 0 unknown */
	uint8_t family;	  /* of the source, enum family */
	uint8_t source_length; /* 0: a single address; else the prefix length of a network */
	uint8_t lacks;	       /* bits of enum row_lacks */
	struct mark mark;
};

enum row_lacks {
	LACKS_PORT = 1,	       /* it names no source port */
	LACKS_SERVICE_PORT = 2 /* it is about an exposed service, and its report has a column for the port */
};

/* Rows of a notice are dealt out by their source first, so that all of one source stay together, then by their mark. */
#define ROW_SOURCE_BITS 12
#define ROW_MARK_BITS 12
#define ROW_DEAL_BITS (ROW_SOURCE_BITS + ROW_MARK_BITS)

static inline uint64_t row_order(uint64_t notice, uint64_t high, uint64_t low, const struct mark *m)
{
	uint64_t h = (high ^ low * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return notice << ROW_DEAL_BITS | h >> (64 - ROW_SOURCE_BITS) << ROW_MARK_BITS | (uint64_t)m->bytes[0] << 4 |
	       m->bytes[1] >> 4;
}

static inline uint64_t row_notice(const struct row_entry *e)
{
	return e->order >> ROW_DEAL_BITS;
}

struct run_fill {
	char *rows;
	size_t len, limit;
	struct row_entry *entries;
	size_t count, entry_room;
	struct sort_key *keys;
	size_t key_room;
	int fd; /* -1: nothing spilled yet */
	uint64_t fd_len;
	char *stage;
};

/* A stretch of notices that is committed at once: one part of a great notice, or some whole ones. */
struct batch_plan {
	uint64_t end; /* first order behind it */
	uint32_t part, parts;
	bool divided; /* rows of one source may lie in the next batch too */
	bool follows; /* or in the one before */
	uint64_t rows, bytes;
};

/* Born as { 0 }; the memory is used again from batch to batch. */
struct batch_rows {
	struct row_entry *entries;
	uint32_t *at; /* where each entry's text is in rows */
	size_t count, room;
	char *rows;
	size_t len, rows_room;
	struct extent {
		const char *rows; /* of a run in memory, else NULL */
		int fd;
		uint64_t at;
		size_t len;
	} * extents;
	size_t extent_count, extent_room;
};

struct runs;
/* folder: for the files of runs that do not stay in memory. resident: bytes that may. */
enum err runs_new(const char *folder, size_t resident, struct runs **out);
void runs_free(struct runs *r);

/* One thread's run of about `limit` bytes. */
enum err run_fill_start(struct run_fill *f, size_t limit);
void run_fill_end(struct run_fill *f);
/* What an entry costs until its run is put away: itself, two sort keys, where its row begins. */
#define RUN_FILL_ENTRY (sizeof(struct row_entry) + 2 * sizeof(struct sort_key) + sizeof(uint32_t))
static inline bool run_fill_full(const struct run_fill *f, size_t more)
{
	return f->len + more + f->count * RUN_FILL_ENTRY > f->limit;
}
/* One more entry, not filled in yet. NULL: no memory. */
struct row_entry *run_fill_entry(struct run_fill *f);

/* Sorts and puts away; f is empty afterwards. Any thread. */
enum err runs_put(struct runs *r, struct run_fill *f);
uint64_t runs_dropped(const struct runs *r); /* rows that stood in their run before, by their marks */

/* How all rows fall into batches of about `bytes`. Owned by r. Nothing is put from here on. */
enum err runs_plan(struct runs *r, size_t bytes, const struct batch_plan **out, size_t *count);

/* The entries of the next batch, in the order of the plan, one thread at a time; then their text, any thread. */
enum err runs_take(struct runs *r, const struct batch_plan *p, struct batch_rows *out);
enum err runs_read(struct batch_rows *b);
void batch_rows_free(struct batch_rows *b);

#endif
