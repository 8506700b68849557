/* How an event stands to the plans that were filed. Only for this room. */
#ifndef ROUTE_VERDICT_H
#define ROUTE_VERDICT_H

#include "route/pipeline.h"

/* Of one run, which has plans: what it counts for the plans' rates. */
struct verdicts;
enum err verdicts_new(const struct routing *r, struct verdicts **out);
void verdicts_free(struct verdicts *v); /* NULL is fine */
/* Any thread, until the run's marks are added to the node's. v NULL: UNDECLARED. */
enum plan_verdict verdict_of(struct verdicts *v, const struct section *s, const struct event *e, const struct mark *m);

#endif
