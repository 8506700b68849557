/* The mail of a node: what is due is sent (mail_work.h) and what became of it is logged, by a thread beside the one that pushes, or
 * by a command where nothing serves. At most `mail-per-hour` go out, a minute's share of that at once; the rest waits. */
#ifndef EXCHANGE_DELIVERY_MAIL_H
#define EXCHANGE_DELIVERY_MAIL_H

#include "mail/mail_work.h"
#include "exchange/metrics.h"
#include "regime/sequencer.h"

struct mail_line;
struct mail_line_options {
	const struct config *config; /* lives as long */
	struct node *node;
	struct sequencer
		*sequencer;	 /* logs; NULL: the caller alone has the node, and each event is a batch of its own */
	struct metrics *metrics; /* NULL: nobody counts */
	/* What became of one, before it is logged. Spans are valid in the call only. May be NULL. */
	void (*told)(void *context, const struct outbox_event *e);
	void *context;
};
/* *out NULL: the configuration names no mail server. */
enum err mail_line_new(const struct mail_line_options *o, struct mail_line **out);
void mail_line_free(struct mail_line *l); /* when nobody wakes it any more. NULL is fine */

enum err mail_line_start(struct mail_line *l);
void mail_line_wake(struct mail_line *l); /* something was logged: look. Any thread, never blocks. NULL is fine */
/* Ends the thread, before sequencer_stop. A mail under way is dropped and goes again, as the same mail. NULL is fine */
void mail_line_stop(struct mail_line *l);

/* Without a thread: all that is due now, at most `mail-per-hour` of it. Added to *sum, whose `down` says how it ended. */
enum err mail_line_once(struct mail_line *l, struct mail_worked *sum);

/* How many may go at now_us, at most `most`, and when the next one may; 0 an hour: any number. For tests too. */
struct mail_rate {
	uint64_t per_hour;
	int64_t full_us; /* when all that was sent counts no more */
};
size_t mail_rate_room(const struct mail_rate *r, int64_t now_us, size_t most);
int64_t mail_rate_next_us(const struct mail_rate *r);
void mail_rate_spend(struct mail_rate *r, int64_t now_us, uint64_t count);

#endif
