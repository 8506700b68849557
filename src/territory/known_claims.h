/* All claims that count for a node at a time: what is held by its own policy (regime/policy.h), and what is held at the nodes that it
 * follows (regime/mirror.h), by their policy and on a basis that suffices here too. */
#ifndef TERRITORY_KNOWN_CLAIMS_H
#define TERRITORY_KNOWN_CLAIMS_H

#include "base/arena.h"
#include "regime/state.h"
#include "territory/resolve.h"

/* dir: the node's directory; st: its state. In the arena, for resolver_new. Of a followed node counts what it holds true
 * of a party that is known here too, by the same key: so that a notice to it can be logged here, and is for whom that node means.
 * A mirror that forked is left out, and one that cannot be read now, of which left_out (may be NULL) is told: what is held
 * here goes on. */
typedef void claims_left_out(void *context, struct span node, const char *why);
enum err claims_known(const char *dir, const struct state *st, int64_t at_ms, struct arena *a,
		      claims_left_out *left_out, void *context, struct territory_claim **out, size_t *count);

#endif
