/* All claims that count for a node: those that its own operator approved, and those that the operators of the nodes approved that
 * it follows (regime/mirror.h). */
#ifndef TERRITORY_KNOWN_CLAIMS_H
#define TERRITORY_KNOWN_CLAIMS_H

#include "base/arena.h"
#include "regime/state.h"
#include "territory/resolve.h"

/* dir: the node's directory; st: its state. In the arena, for resolver_new. Of a followed node counts what its operator approved
 * for a party that is known here too, by the same key: so that a notice to it can be logged here, and is for whom that node means.
 * A mirror that forked is left out, and one that cannot be read now, of which left_out (may be NULL) is told: what our own
 * operator approved goes on. */
typedef void claims_left_out(void *context, struct span node, const char *why);
enum err claims_known(const char *dir, const struct state *st, struct arena *a, claims_left_out *left_out,
		      void *context, struct territory_claim **out, size_t *count);

#endif
