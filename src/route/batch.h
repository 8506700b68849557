/* A batch on its way: rows in, notices out. Only for this room. */
#ifndef ROUTE_BATCH_H
#define ROUTE_BATCH_H

#include <zstd.h>

#include "route/pipeline.h"
#include "route/stix.h"

/* A notice that waits for its commit. */
struct prepared {
	uint32_t addressee;
	enum rsit_class class;
	uint64_t events, verdicts[PLAN_VERDICT_COUNT];
	struct statement_writer statement;
	struct body_reference body;
	uint8_t salt[SEAL_SALT_SIZE];
	size_t at, len; /* of the payload in the batch's bodies */
	struct hash id;
};

struct batch {
	size_t number;
	const struct batch_plan *plan;
	uint64_t duplicates, events, unanswered, verdicts[PLAN_VERDICT_COUNT], countries[COUNTRY_CODES];
	struct mark *marks; /* new ones: sorted, each once */
	size_t mark_count, mark_room;
	struct prepared *notices; /* those behind notice_count keep their memory for the next */
	size_t notice_count, notice_room;
	struct buffer bodies;
	struct buffer unanswered_rows; /* lines of JSON in zstd frames */
	bool ready;
};
void batch_start(struct batch *b, size_t number, const struct batch_plan *plan); /* keeps the memory */
void batch_free(struct batch *b);

/* What one thread needs to prepare batches. */
struct maker {
	struct routing *r;
	int64_t date_ms;
	pthread_rwlock_t *marks_lock; /* nobody looks marks up while they are added to */
	ZSTD_CCtx *zstd;
	struct batch_rows rows; /* of the batch in hand */
	struct sort_key *keys;	/* 2 * key_room */
	uint32_t *order;
	uint8_t *found; /* key_room of each */
	size_t key_room;
	struct buffer plain;
	struct stix_id node;
	struct buffer identity, tables, text, seed;
};
enum err maker_start(struct maker *m, struct routing *r, int64_t date_ms, pthread_rwlock_t *marks_lock);
void maker_end(struct maker *m);

/* Text, duplicates, order, notices: from the entries in m->rows. */
enum err batch_prepare(struct maker *m, struct batch *b);

/* One notice, or rows that nobody answers for: entries order[0 … count - 1] of m->rows, of one addressee and class,
 * sorted by section and time. */
enum err notice_texts(struct maker *m); /* what all notices of the run have in common */
enum err notice_make(struct maker *m, struct batch *b, const uint32_t *order, size_t count);
enum err unanswered_list(struct maker *m, struct batch *b, const uint32_t *order, size_t count);

/* The list of rows that nobody answers for: DIR/unanswered/<time>.jsonl.zst. What a crash left is cleaned up first. */
struct unanswered;
enum err unanswered_open(struct routing *r, int64_t date_ms, struct unanswered **out);
/* Before the commit of the batch; the batch's first mark tells later whether it was committed. */
enum err unanswered_write(struct unanswered *u, const struct batch *b);
enum err unanswered_close(struct unanswered *u, bool failed, struct route_summary *out);

#endif
