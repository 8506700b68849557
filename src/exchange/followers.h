/* Those who wait for news: streams and long polls. Each waits for the next stamp; after every batch that is durable they are
 * woken. Ten thousand that sleep cost one list. */
#ifndef EXCHANGE_FOLLOWERS_H
#define EXCHANGE_FOLLOWERS_H

#include "base/err.h"

#include <stdint.h>

struct followers;
enum err followers_new(struct followers **out);
void followers_free(struct followers *f); /* none may be left */

/* One that waits. It belongs to the caller and stays where it is until followers_leave. wake is called on any thread, must not
 * block, and may call followers_wait again. */
struct follower {
	void (*wake)(struct follower *f);
	void *context;
	int64_t until_ms; /* woken then in any case (clock_now_ms); 0: no end */
	/* private */
	struct follower *next, *previous;
	uint64_t seen;
	bool waits;
};
/* Waits for a stamp greater than `seen`; if it is there already, it is woken in the next round. Who waits already goes on, with
 * this `seen`. */
void followers_wait(struct followers *f, struct follower *one, uint64_t seen);
void followers_leave(struct followers *f, struct follower *one); /* afterwards wake is not called any more */
/* Everything up to this stamp is durable and readable. Never blocks: a thread of its own does the waking. */
void followers_tell(struct followers *f, uint64_t stamp);
/* How many wait at this moment. */
size_t followers_count(struct followers *f);

#endif
