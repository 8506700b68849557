/* Duplicate marks: "this event was counted". A mark is the first 24 bytes of a SHA-256, so that nobody can make two
 * events that share one. The journal holds them as sorted arrays, one for each batch; this view keeps them as sorted
 * runs in mapped files, merged by size like a log-structured tree, and is rebuilt from the journal when behind. */
#ifndef STORE_MARKS_H
#define STORE_MARKS_H

#include "base/hash.h"
#include "store/journal.h"

#define MARK_SIZE 24

struct mark {
	uint8_t bytes[MARK_SIZE];
};

struct marks;

enum err marks_open(const char *dir, struct marks **out); /* runs with a wrong checksum are dropped with all behind */
void marks_close(struct marks *m);			  /* saves */
/* What was added goes into files, for others to open. Failing is harmless: they take it from the journal. */
void marks_save(struct marks *m);
/* Another process may have added and saved since: the runs are those of the files, and what is not in them is to be added
 * again from the position on. Nobody else looks meanwhile. */
enum err marks_reload(struct marks *m);
/* ERR_DAMAGED: a run was dropped since its checksum is wrong; the detail names the file. NULL is fine. */
enum err marks_damaged(const struct marks *m);
uint64_t marks_position(const struct marks *m);
uint64_t marks_count(const struct marks *m);

/* found[i] = 1 if sorted[i] is known. The marks are sorted. Any thread while nobody adds. */
void marks_find(const struct marks *m, const struct mark *sorted, size_t count, uint8_t *found);

/* Takes in one committed record: sorted, unique marks; position: behind that record. May merge runs. Not durable by
 * itself: what a crash loses, the next start takes from the journal again. */
enum err marks_add(struct marks *m, const struct mark *sorted, size_t count, uint64_t position);

/* Nothing of interest up to there: moves the position. */
void marks_advance(struct marks *m, uint64_t position);

void marks_sort(struct mark *marks, size_t count);

#endif
