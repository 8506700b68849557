/* Delivery: the outbox, emptied. One thread beside the server takes what is due, pushes it to the nodes of those concerned (all
 * that waits for one node in one request, in the order of the ledger, one request at a time for each node), and logs what became of
 * it through the sequencer. Another sends what goes by mail (delivery_mail.h). `comity deliver` does the same once, where nothing
 * serves.
 *
 * On the wire: POST URL/delivery, signed by the node's key (RFC 9421), JSON:
 *
 *	{"statements": [{"note": "…", "receipt": "…", "body": "<base64>", "salt": "<hex>"}, …]}
 *	{"statements": [{"id": "…", "status": "taken|repeated|refused|later", "code": "…", "detail": "…"}, …]}
 *
 * in the same order. `taken` and `repeated` mean: it is durable there. A node that does not know the sender answers 401; then
 * the sender introduces itself, POST URL/introduction {"note": …, "receipt": …} with its own party statement, and tries again.
 * A node that knows a former key of the sender refuses that (`key`); then come what announced the later keys, and it again.
 * The receiver logs a notice as a guest and, in the same batch, signs `answer received` for it, which comes back by its own
 * outbox: that, not the HTTP status, is the proof of arrival. */
#ifndef EXCHANGE_DELIVERY_H
#define EXCHANGE_DELIVERY_H

#include "mail/mail_work.h"
#include "exchange/server.h"

#define DELIVERY_STATEMENTS_MAX 256
#define DELIVERY_BYTES_MAX ((size_t)8 << 20)

/* ---- sending ---- */

struct delivery;
struct delivery_options {
	const struct config *config; /* lives as long */
	struct node *node;
	struct sequencer *sequencer;
	struct metrics *metrics; /* NULL: nobody counts */
};
/* *out NULL: the configuration says `deliver no`. */
enum err delivery_start(const struct delivery_options *o, struct delivery **out);
void delivery_stop(
	struct delivery *d); /* ends the thread, before sequencer_stop; what is under way is dropped. NULL is fine */
void delivery_free(struct delivery *d); /* when nobody wakes it any more. NULL is fine */
/* Something was logged: look. Any thread, never blocks. NULL is fine */
void delivery_wake(struct delivery *d);

/* Without a server: delivers all that is due now, waits for none that is not. ERR_BUSY: a server has this node and delivers
 * by itself. */
struct delivery_result {
	uint64_t handed_over, refused, failed; /* failed: for now */
	uint64_t waiting;		       /* afterwards, due or not; mails too */
	struct mail_worked mails;
};
typedef void delivery_progress(void *context, const struct delivery_result *so_far);
enum err delivery_once(const char *dir, const struct config *config, delivery_progress *progress, void *context,
		       struct delivery_result *out);

/* ---- receiving ---- */

struct receiving; /* how much each peer may bring */
enum err receiving_new(const struct config *c, struct receiving **out);
void receiving_free(struct receiving *r);
void receiving_configure(struct receiving *r, const struct config *c); /* another one */

extern const struct http_door delivery_doors[];
extern const size_t delivery_door_count;

#endif
