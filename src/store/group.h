/* Group commit without a timer. Submitters wait; one thread takes all that waits at once, works on it (one batch, one
 * fdatasync), then wakes them all. While it works the next group gathers. */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include "base/err.h"

struct group_item {
	struct group_item *next;
	enum err err; /* set by the worker */
	int done;     /* private */
};

/* Called on the group's thread with all items in the order of their coming. */
typedef void group_work(void *context, struct group_item *first);

struct group;

/* limit: most items that may wait; more are refused (ERR_BUSY) rather than queued without end. */
enum err group_start(group_work *work, void *context, size_t limit, struct group **out);

/* Blocks until the worker is done with the item; returns item->err, or ERR_BUSY. Any thread. */
enum err group_submit(struct group *g, struct group_item *item);

void group_stop(struct group *g); /* works off what waits. NULL is fine */

#endif
