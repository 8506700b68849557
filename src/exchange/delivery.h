/* Delivery: the outbox, emptied. One thread beside the server takes what is due, pushes it to the nodes of those concerned (all
 * that waits for one node in one request, in the order of the ledger, one request at a time for each node), hands the rest to
 * the mailer, and logs what became of it through the sequencer. `comity deliver` does the same once, where nothing serves.
 *
 * On the wire: POST URL/delivery, signed by the node's key (RFC 9421), JSON:
 *
 *	{"statements": [{"note": "…", "receipt": "…", "body": "<base64>", "salt": "<hex>"}, …]}
 *	{"statements": [{"id": "…", "status": "taken|repeated|refused|later", "code": "…", "detail": "…"}, …]}
 *
 * in the same order. `taken` and `repeated` mean: it is durable there. A node that does not know the sender answers 401; then
 * the sender introduces itself, POST URL/introduction {"note": …, "receipt": …} with its own party statement, and tries again.
 * The receiver logs a notice as a guest and, in the same batch, signs `answer received` for it, which comes back by its own
 * outbox: that, not the HTTP status, is the proof of arrival. */
#ifndef EXCHANGE_DELIVERY_H
#define EXCHANGE_DELIVERY_H

#include "exchange/server.h"

#define DELIVERY_STATEMENTS_MAX 256
#define DELIVERY_BYTES_MAX ((size_t)8 << 20)

struct delivery;
struct delivery_options {
	const struct config *config;
	struct node *node;
	struct sequencer *sequencer;
	struct metrics *metrics;
};
enum err delivery_start(const struct delivery_options *o, struct delivery **out);
void delivery_stop(struct delivery *d); /* before sequencer_stop; NULL is fine */
/* Something was logged: look. Any thread, never blocks. */
void delivery_wake(struct delivery *d);

/* Without a server: delivers all that is due now, waits for none that is not. */
struct delivery_result {
	uint64_t handed_over, refused, failed, waiting;
};
enum err delivery_once(const char *dir, const struct config *config, struct delivery_result *out);

extern const struct http_door delivery_doors[];
extern const size_t delivery_door_count;

#endif
