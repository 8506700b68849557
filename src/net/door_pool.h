/* Many conversations through the outgoing door at once, by one thread (libcurl's multi interface). The rules are those of
 * door.h: https, address checked at connect, no redirects, capped. */
#ifndef NET_DOOR_POOL_H
#define NET_DOOR_POOL_H

#include "net/door.h"

struct door_pool;
/* most: requests under way at once. limits must live as long. */
enum err door_pool_new(const struct door_limits *limits, unsigned most, struct door_pool **out);
void door_pool_free(struct door_pool *p); /* what is under way is dropped without a word. NULL is fine */

/* Begins a request; all that it points to stays as it is until its end. ERR_BUSY: `most` are under way. */
enum err door_pool_ask(struct door_pool *p, const struct door_request *r, void *context);
unsigned door_pool_under_way(const struct door_pool *p);

struct door_done {
	void *context;
	enum err err; /* as door_ask */
	char detail[256];
	struct door_answer answer; /* OK; valid until the next call with this pool */
};
/* Waits at most wait_ms for one that ended. *ended: one did. door_pool_wake ends the wait, from any thread. */
enum err door_pool_wait(struct door_pool *p, unsigned wait_ms, struct door_done *out, bool *ended);
void door_pool_wake(struct door_pool *p);

#endif
