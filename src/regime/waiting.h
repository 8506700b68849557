/* What waits for an addressee whose directive has an interval: packs of rows, in the journal (RECORD_RAW, tag 'W': erasable)
 * and, while they wait, in the view OWN. A release (RECORD_PRIVATE, tag 'R') stands in the batch of the notice that took
 * them, so that a row goes out once. */
#ifndef REGIME_WAITING_H
#define REGIME_WAITING_H

#include "base/buffer.h"
#include "regime/state.h"

struct pack {
	struct addressee to;
	enum rsit_class class;
	uint64_t position; /* in the journal; set by the reader */
	int64_t since_ms;  /* when it began to wait */
	uint64_t events, explained, breach;
	uint64_t repeats;	   /* events held before, of the sources in it */
	uint64_t again;		   /* sources in it that came back after they were quiet */
	int64_t first_ms, last_ms; /* of the events; 0: none has a time */
	char country[3];	   /* of all rows, "" if they differ */
	bool demonstration;	   /* made for a demonstration: so is the notice that takes it */
};

/* The head of the pack's record; the rows follow it as further parts. */
void pack_write(struct buffer *head, const struct pack *p);
/* Splits a record's payload. ERR_DAMAGED. */
enum err pack_read(struct span payload, struct pack *out, struct span *rows);

/* Those of `to` and class up to `through` wait no more, and a notice went out at now_ms. */
void release_write(struct buffer *record, const struct addressee *to, enum rsit_class c, uint64_t through,
		   int64_t now_ms);
/* When the last notice went to `to` by a directive with an interval; 0: never. */
enum err released_find(const struct state *st, const struct addressee *to, int64_t *last_ms);

/* Packs that wait, in the order of addressee, class, position. One whose rows were erased (node_private: ERR_NOT_FOUND) may
 * still be among them: it has nothing to send, a release takes it away. */
typedef enum err pack_each(void *context, const struct pack *p);
enum err packs_walk(const struct state *st, const struct addressee *to, pack_each *each, void *context);

#endif
