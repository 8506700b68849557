/* The outbox: what of this node's own statements still has to reach somebody, and what became of it.
 *
 * Nobody puts anything into it. When an entry of the circle is folded whose home is here (a notice, an answer, a withdrawal, a
 * request), or a plan or what is said about one, its receivers follow from the state: the nodes that keep the parties concerned,
 * and for addressees of a notice that have no node, a mailbox. So what is logged is queued in the same instant, and a rebuild
 * queues the same. What is done about an item is a private record (RECORD_PRIVATE, tag 'O'), and so is the health of contacts,
 * which follows from these. View OWN.
 *
 * Whom a statement concerns: `to` and `cc`; of what refers to a matter, also who filed that and whom it was for. Not this node
 * itself, nor who signed. One item for each receiver, however often it stands there. Mail goes out for notices and requests for
 * help only: to the resources and to the parties kept here that have a contact (their statement's, or the operator's); other
 * parties kept here read here. What was made for a demonstration is never mailed to a resource, behind which there are real people. */
#ifndef REGIME_OUTBOX_H
#define REGIME_OUTBOX_H

#include "base/buffer.h"
#include "regime/state.h"

enum outbox_way { OUTBOX_NODE, OUTBOX_MAIL };

enum outbox_step {
	OUTBOX_WAITING,	      /* to be sent when next_ms is reached */
	OUTBOX_HANDED_OVER,   /* the other node logged it, or a mail server took it */
	OUTBOX_ARRIVED,	      /* the receiver signed an answer to it, or opened the link. By the fold alone */
	OUTBOX_REFUSED,	      /* the other node said why; it is not sent again */
	OUTBOX_BOUNCED,	      /* a mail came back for good: of events only, the item is WAITING for the next contact */
	OUTBOX_UNDELIVERABLE, /* nothing is left to try */
	OUTBOX_STEP_COUNT
};
const char *outbox_step_name(enum outbox_step s); /* "waiting", "handed-over", … */

/* Which one: what identifies an item. */
struct outbox_key {
	enum outbox_way way;
	struct addressee to; /* OUTBOX_NODE: the node, a party; OUTBOX_MAIL: whom it is for */
	enum ledger_id ledger;
	uint64_t index;
};

struct outbox_item {
	struct outbox_key key;
	struct hash id;	    /* of the statement */
	struct hash matter; /* its `re`, or itself */
	enum outbox_step step;
	uint32_t attempts; /* that failed since it was queued or got another contact */
	int64_t queued_ms, next_ms, done_ms;
	int64_t since_ms; /* from when OUTBOX_GIVE_UP_MS counts: queued, given another contact, or set waiting by hand */
	struct span contact; /* OUTBOX_MAIL: the address that has it or had it last; empty: none yet */
	struct span detail;  /* of the last failure: code and sentence; empty: none */
	struct span tried;   /* OUTBOX_MAIL: packed, the addresses from which it came back for good: outbox_was_tried */
};
bool outbox_was_tried(const struct outbox_item *i, struct span mail);

/* What is done about an item; the fold of it moves the item and the contact's health. What the fold decides by itself, so that
 * whoever sends need not:
 *
 *	WAITING with a detail	it failed for now and is tried again at next_ms; if OUTBOX_GIVE_UP_MS are over since since_ms, a
 *				node becomes UNDELIVERABLE, a mail is treated as BOUNCED
 *				(a mail that a server had taken waits again: that server gave it up)
 *	WAITING without		somebody wants it tried (again) at next_ms, whatever became of it: failures count from 0
 *	BOUNCED, of mail also REFUSED	the contact joins the tried ones and the item is WAITING, due at once: whoever sends takes the
 *				next contact that was not tried and is not quarantined (mail/contact_choice.h), or, if there
 *				is none, writes UNDELIVERABLE. Only for the contact that has it: a bounce of an earlier one
 *				counts for that one's health alone
 *	ARRIVED			is never written. An item that arrived stays so, whatever is written afterwards */
struct outbox_event {
	struct outbox_key key;
	enum outbox_step step;
	int64_t at_ms, next_ms;
	struct span contact; /* mail: the address that was tried, or that bounced. What is no mailbox is left out */
	struct span detail;  /* cut to OUTBOX_DETAIL_MAX */
};
#define OUTBOX_DETAIL_MAX 400
/* The payload of the record for node_add_private; at most 64 KiB of events in one. */
void outbox_write(struct buffer *record, const struct outbox_event *events, size_t count);

/* ERR_NOT_FOUND. Spans point into the snapshot. */
enum err outbox_find(const struct state *st, const struct outbox_key *key, struct outbox_item *out);
typedef enum err outbox_each(void *context, const struct outbox_item *i);
/* WAITING ones of one way whose next_ms is reached, in the order of next_ms. Costs by what it yields. The callback may read the
 * state; it ends the walk by any error of its own, which is returned. */
enum err outbox_due(const struct state *st, enum outbox_way way, int64_t now_ms, outbox_each *each, void *context);
/* When the next one is due; 0: none waits. */
enum err outbox_next_due(const struct state *st, enum outbox_way way, int64_t *next_ms);
/* WAITING ones to one receiver in the order of the ledger, due or not: so that what is sent is sent in order. */
enum err outbox_waiting(const struct state *st, enum outbox_way way, const struct addressee *to, outbox_each *each,
			void *context);
/* UNDELIVERABLE ones in the order in which they became so, from behind one of them by its done_ms and its statement's index. */
enum err outbox_undeliverable(const struct state *st, int64_t after_ms, uint64_t after_index, outbox_each *each,
			      void *context);
/* All, of one statement if id is not NULL. */
enum err outbox_walk(const struct state *st, const struct hash *id, outbox_each *each, void *context);

/* For programs: the members of an object. */
void outbox_print(const struct outbox_item *i, struct json *j);

/* How long to wait after the n-th failure in a row, n from 1: 30 s doubled up to 6 h, a quarter more or less by `random`. */
int64_t outbox_back_off_ms(uint32_t n, uint32_t random);
#define OUTBOX_GIVE_UP_MS (INT64_C(7) * 86400000) /* a receiver that was not reached for so long is undeliverable */

#endif
