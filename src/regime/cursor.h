/* How far the exchange with another server got: private records (tag 'U') and the view OWN. Written in the same batch as what
 * was taken, so it never runs ahead of it. */
#ifndef REGIME_CURSOR_H
#define REGIME_CURSOR_H

#include "base/buffer.h"
#include "regime/state.h"

#define CURSOR_PART_MAX 4096

struct cursor {
	uint64_t sent;		   /* push: the stamp up to which everything was sent; 0: nothing */
	uint64_t sent_deletions;   /* the same for deletions */
	struct span next;	   /* pull: the other server's token for the page to ask for; empty: none */
	struct span added_after;   /* pull: as the other server gave it; empty: from the beginning */
	struct span deleted_after; /* pull: the same for deletions */
};

/* of: a hash of what is exchanged with whom in which direction. The payload of the record. */
void cursor_write(struct buffer *record, struct hash of, const struct cursor *c);
/* Spans point into the snapshot. All empty if there is none yet. */
enum err cursor_find(const struct state *st, struct hash of, struct cursor *out);

#endif
