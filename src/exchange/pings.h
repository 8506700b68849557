/* Pings at random times: a node that serves tests the duty contacts of the parties that its configuration names (`ping`).
 *
 * When the next one goes is drawn from a secret of the node and the last ping to that party, between half and one and a half of
 * `ping-every` after it: nobody else can tell it, and a restart changes nothing. The first one is drawn likewise: time since the
 * party's statement is cut into lengths of `ping-every`, and in each there is one moment. A node that was not there at that moment
 * waits for the next. */
#ifndef EXCHANGE_PINGS_H
#define EXCHANGE_PINGS_H

#include "exchange/server.h"

/* What was the last: of this node to that party. */
struct last_ping {
	bool any;
	struct hash id;	   /* else of the party's statement */
	int64_t logged_ms; /* likewise */
};
#define PINGS_LATE_MS 600000 /* so long after its moment the first one still goes */
bool ping_is_due(struct hash secret, const struct last_ping *last, int64_t every_ms, int64_t now_ms);

/* Sends those that are due. On a thread of its own; a is for the call. *count: how many went. */
enum err pings_round(const struct server *s, struct arena *a, size_t *count);

#endif
