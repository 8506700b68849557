/* Counters of a running server, printed in OpenMetrics text. Any thread. */
#ifndef EXCHANGE_METRICS_H
#define EXCHANGE_METRICS_H

#include "base/buffer.h"

struct metrics;
enum err metrics_new(struct metrics **out);
void metrics_free(struct metrics *m);

enum metric_door { METRIC_API, METRIC_TAXII, METRIC_TILES, METRIC_HEALTH, METRIC_ANSWER, METRIC_NONE, METRIC_DOORS };
void metrics_request(struct metrics *m, enum metric_door d, unsigned status, uint64_t bytes_in, uint64_t bytes_out,
		     uint64_t micros);
enum counter {
	METRIC_STATEMENTS,
	METRIC_OBJECTS_ADDED,
	METRIC_OBJECTS_REFUSED,
	METRIC_AUTHENTICATION_FAILED,
	METRIC_LIMITED,
	METRIC_LINK_ANSWERS,
	METRIC_FOLLOWED_UP,
	METRIC_NOWHERE,
	METRIC_PROOFS_ACCEPTED, /* verdicts that the server gave by itself */
	METRIC_PROOFS_REFUSED,
	METRIC_DELIVERY_HANDED_OVER, /* what went to other nodes */
	METRIC_DELIVERY_REFUSED,
	METRIC_DELIVERY_FAILED,
	METRIC_DELIVERY_TAKEN, /* what came from them */
	METRIC_DELIVERY_DECLINED,
	METRIC_MAILS_SENT,
	METRIC_MAILS_REFUSED,
	METRIC_MAILS_LATER,
	METRIC_MAILS_UNDELIVERABLE,
	METRIC_COUNTERS
};
void metrics_add(struct metrics *m, enum counter what, uint64_t n);
/* Gauges are given at the time of printing. */
struct gauges {
	uint64_t connections, followers, ledger_size[2], journal_bytes, views_bytes, resident_bytes;
};
void metrics_print(struct metrics *m, const struct gauges *g, struct buffer *out);

#endif
