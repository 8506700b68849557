/* How much each addressee answers for, kept for the API: it is counted anew when the table is another one, and at most once a minute
 * when it is asked for, so that claims count that were approved since. */
#ifndef EXCHANGE_EXPOSURE_CACHE_H
#define EXCHANGE_EXPOSURE_CACHE_H

#include "base/arena.h"
#include "territory/exposure.h"

struct exposure_cache;
/* dir: the node's directory; must outlive it. */
enum err exposure_cache_new(const char *dir, struct exposure_cache **out);
/* Any thread; the spans of out go into the arena. *known false: there is no table, or it gives the party nothing. */
enum err exposure_cache_find(struct exposure_cache *x, const struct state *st, struct arena *a,
			     const struct addressee *party, struct exposure *out, bool *known);
void exposure_cache_free(struct exposure_cache *x); /* NULL is fine */

#endif
