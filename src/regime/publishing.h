/* Tiles and checkpoint files, written on a thread of their own behind a thread that commits. Only for this room. */
#ifndef REGIME_PUBLISHING_H
#define REGIME_PUBLISHING_H

#include "regime/node_private.h"

struct publishing;

/* From here to the stop n->publications belong to it; everything committed must be published already.
 * interval_ms: the least time between two publications. */
enum err publishing_start(struct node *n, unsigned interval_ms, struct publishing **out);

/* A newer point to publish, in time; it is copied. What was not yet begun before is passed over: checkpoints in between
 * need no file. Any thread. */
void publishing_reach(struct publishing *p, const struct reached *r);

/* What stands in the files now. Its first failure, after which nothing more is published; the node is then broken. */
enum err publishing_last(struct publishing *p, struct checkpoint out[LEDGER_COUNT]);

/* Publishes now what was reached and returns when that stands in the files; until the next publishing_reach
 * n->publications are the caller's. Its first failure. */
enum err publishing_settle(struct publishing *p);
/* n->publications were opened anew: goes on from them. */
void publishing_go_on(struct publishing *p);

enum err publishing_stop(struct publishing *p); /* publishes what is left. NULL is fine */

#endif
