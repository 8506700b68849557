/* A batch on its way: rows in, notices out. Only for this room. */
#ifndef ROUTE_BATCH_H
#define ROUTE_BATCH_H

#include <zstd.h>

#include "regime/waiting.h"
#include "route/lines.h"
#include "route/pipeline.h"
#include "stix/write.h"

/* A notice that waits for its commit. */
struct prepared {
	uint32_t addressee;
	enum rsit_class class;
	uint64_t events, verdicts[PLAN_VERDICT_COUNT];
	struct statement_writer statement;
	struct body_reference body;
	uint8_t salt[SEAL_SALT_SIZE];
	size_t at, len;		 /* of the payload in the batch's bodies */
	bool of_round;		 /* its addressee's directive has an interval: it hears no more until that is over */
	uint64_t repeats, again; /* events held before that it tells as a number; sources that came back */
	struct hash id;
};

/* Rows that wait for their addressee's next round. */
struct waiting {
	struct pack pack;
	size_t at, len; /* of the rows in the batch's bodies */
};

struct batch {
	size_t number;
	const struct batch_plan *plan;
	uint64_t duplicates, events, verdicts[PLAN_VERDICT_COUNT], countries[COUNTRY_CODES];
	/* What became of the events that are no duplicates; lines that came back. */
	uint64_t told, held, waiting, thin, unanswered, again;
	struct mark *marks; /* new ones: sorted, each once */
	size_t mark_count, mark_room;
	struct prepared *notices; /* those behind notice_count keep their memory for the next */
	size_t notice_count, notice_room;
	struct waiting *packs;
	size_t pack_count, pack_room;
	struct buffer bodies;
	struct buffer unanswered_rows; /* lines of JSON in zstd frames */
	struct hash *relapses;	       /* matters that were fixed and are seen again */
	size_t relapse_count, relapse_room;
	struct buffer sightings; /* the record of what the batch adds to its lines; empty: nothing */
	bool ready;
};
void batch_start(struct batch *b, size_t number, const struct batch_plan *plan); /* keeps the memory */
void batch_free(struct batch *b);

/* Notices of one addressee and class, for relapses: in the arena. */
struct told_matter {
	struct hash id;
	int64_t first_ms, last_ms;
	int64_t fixed_ms; /* when it ended so; 0: it has not */
};
struct told_matters {
	struct told_matter *at; /* the newest first */
	size_t count, room;
	bool loaded, fixed; /* fixed: one of them is */
};

/* What one thread needs to prepare batches. */
struct maker {
	struct routing *r;
	int64_t date_ms;
	struct arena *arena;		  /* reset for each batch */
	struct state state;		  /* as it was before the batch */
	struct lines lines;		  /* of the notice in hand */
	struct lines *divided;		  /* of the rows of one source that lie in several batches */
	struct told_matters told_matters; /* of the addressee and class in hand */
	bool whole;			  /* what is made is no part of a greater notice */
	uint32_t *line_of;		  /* by entry */
	uint32_t *aside;		  /* entries that are put in another order; both as keys below */
	pthread_rwlock_t *marks_lock;	  /* nobody looks marks up while they are added to */
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

/* All new rows of one addressee and class, entries order[0 … count - 1] of m->rows, sorted by section and time: counted,
 * and told, held back, set to wait or listed. May change their order. */
enum err rows_tell(struct maker *m, struct batch *b, uint32_t *order, size_t count);

/* One notice, rows that wait for one, or rows that are only listed: of one addressee and class. reason: NULL: nobody
 * answers for them. */
enum err notice_texts(struct maker *m); /* what all notices of the run have in common */
enum err notice_make(struct maker *m, struct batch *b, const uint32_t *order, size_t count);
enum err pack_make(struct maker *m, struct batch *b, const uint32_t *order, size_t count);
enum err unanswered_list(struct maker *m, struct batch *b, const char *reason, const uint32_t *order, size_t count);

/* Relapses: what was fixed, as the addressee said, and is seen again. start: for another addressee or class. look: whether a line that
 * was told before is back; then the batch will say so. add: in the open batch. */
void relapse_start(struct maker *m);
enum err relapse_look(struct maker *m, struct batch *b, const struct addressee *to, enum rsit_class class,
		      const struct sighting *before, int64_t event_ms, bool *back);
enum err relapses_add(struct routing *r, const struct batch *b, int64_t date_ms);

/* Whether what comes for an addressee that was told at last_ms (0: never) waits. What this run itself told does not count:
 * all notices of a run are one round. */
static inline bool round_waits(const struct directive *d, int64_t last_ms, int64_t now_ms)
{
	return d->interval_ms > 0 && last_ms != 0 && last_ms < now_ms && now_ms - last_ms < d->interval_ms;
}
int row_compare(const struct row_entry *a, const struct row_entry *b); /* by time, source, mark */

/* A notice whose rows have waited; p->to, class, counts and times are their sums. The body is added to `body`. */
struct packed {
	struct pack sum;
	const struct span *rows;
	size_t count;
};
enum err notice_from_packs(struct maker *m, const struct resolved *to, const struct packed *from, struct buffer *body,
			   struct prepared *out);

/* To whoever asked to hear of each notice. */
enum err notice_tell(const struct routing *r, const struct prepared *p, const struct resolved *to);

/* Packs whose addressee is due become notices; each stands in one batch with their release. */
enum err packs_release(struct routing *r, int64_t now_ms);

/* The list of rows that nobody answers for: DIR/unanswered/<time>.jsonl.zst. What a crash left is cleaned up first. */
struct unanswered;
enum err unanswered_open(struct routing *r, int64_t date_ms, struct unanswered **out);
/* Before the commit of the batch; the batch's first mark tells later whether it was committed. */
enum err unanswered_write(struct unanswered *u, const struct batch *b);
enum err unanswered_close(struct unanswered *u, bool failed, struct route_summary *out);

#endif
