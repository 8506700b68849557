/* What the files of the sending side share. Only for this room. */
#ifndef EXCHANGE_DELIVERY_PRIVATE_H
#define EXCHANGE_DELIVERY_PRIVATE_H

#include <pthread.h>

#include "exchange/delivery.h"
#include "exchange/delivery_mail.h"
#include "exchange/delivery_wire.h"
#include "net/door_pool.h"
#include "regime/outbox.h"
#include "regime/suspension.h"

#define DELIVERY_URL_MAX 1024

/* Where a peer is. The thread of delivery alone moves it, but for LOGGED. */
enum peer_step {
	PEER_IDLE,
	PEER_DELIVERING,
	PEER_INTRODUCING,
	PEER_TO_LOG, /* there are events, and the sequencer has no room for them yet */
	PEER_LOGGING /* it has them */
};

/* A statement on its way. */
struct parcel {
	struct hash id;
	bool accompanies; /* a party statement that is nobody's item */
	enum ledger_id ledger;
	uint64_t index;
	uint32_t attempts;
	bool has_event;
	struct outbox_event event; /* what became of it */
};

#define STEPS_MAX 32 /* of our keys, that a peer may have missed; introductions have a limit of their own there */

#define PARCELS_OF_RECORD 64
#define PEER_RECORDS (DELIVERY_STATEMENTS_MAX / PARCELS_OF_RECORD)

/* Another node: what is known of it while this program runs. */
struct peer {
	struct peer *next, *next_logged;
	struct delivery *delivery;
	char domain[254];
	size_t domain_length;
	enum peer_step step;
	uint64_t seen;		   /* the scan that found it last */
	struct hash told, telling; /* our own party statement, as it went there last; all 0: it did not */
	size_t most;		   /* statements that it takes at once */
	int64_t hold_us;	   /* not before; after what should not happen */
	int64_t blocked_us;	   /* until then the first that waits is not due, and holds up what came behind it */
	bool with_parties;	   /* the authors' party statements come along */
	bool introduced;	   /* we did that, and it let us in */
	bool leading;		   /* with what led to our present key: */
	uint64_t steps[STEPS_MAX];
	size_t step_count, step_at;
	bool again; /* there may be more for it, or another try with the above */

	/* One attempt; spans and parcels are in the arena. */
	struct arena *arena;
	struct node_receipts *published[LEDGER_COUNT]; /* those that were asked for */
	char base[DELIVERY_URL_MAX], url[DELIVERY_URL_MAX + 16];
	struct buffer text, lines[3]; /* the body; header lines with the signature */
	struct parcel *parcels;
	size_t count;
	struct buffer records[PEER_RECORDS];
	size_t record_count;
	struct submission submission;
	uint64_t handed_over, refused, failed;
	char why[256]; /* of what was refused or failed, for the log */
	int64_t wait_ms;
};

#define PEER_BUCKETS 1024

struct delivery {
	struct delivery_options o;
	struct door_limits limits;
	struct door_pool *pool;
	struct suspensions *suspensions;
	struct mail_line *mail; /* NULL: there is no mail server */
	struct arena *arena;
	struct peer *peers[PEER_BUCKETS];
	struct peer **ready; /* found by the scan in hand */
	size_t ready_count;
	uint64_t scan;
	int64_t look_us, looked_us; /* when to look next, and when it looked last; */
	int64_t rest_us;	    /* not sooner behind it */
	bool unpublished;	    /* something is not yet under a published checkpoint */
	struct delivery_result sums;
	delivery_progress *progress;
	void *context;

	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;
	bool stopping, woken, broken;
	struct peer *logged; /* whose events were logged, the last one first */
};

static inline struct span peer_name(const struct peer *p)
{
	return span_make(p->domain, p->domain_length);
}

/* Begins an attempt: puts together what waits for the peer, signs it, sends it. Then the peer is DELIVERING; or IDLE, if there is
 * nothing to send now; or TO_LOG, if that failed at once. st: a fresh snapshot. Other errors than OK are the machine's. */
enum err push_begin(struct delivery *d, struct peer *p, const struct state *st);
/* What came back: then the peer is INTRODUCING, TO_LOG, or IDLE and to be begun `again`. */
enum err push_ended(struct delivery *d, struct peer *p, const struct door_done *done);
/* The attempt is over and nothing of it is needed any more. */
void push_over(struct delivery *d, struct peer *p);

#endif
