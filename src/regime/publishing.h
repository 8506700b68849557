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

enum err publishing_stop(struct publishing *p); /* publishes what is left. NULL is fine */

#endif
