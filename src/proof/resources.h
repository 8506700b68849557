/* Inside of the room only: addresses and AS numbers as RFC 3779 writes them, in certificates and (without "inherit", which RFC 9323
 * section 4.3 leaves out) in checklists. Kept as ranges that ascend, neither touch nor overlap. */
#ifndef PROOF_RESOURCES_H
#define PROOF_RESOURCES_H

#include "base/arena.h"
#include "proof/der.h"
#include "proof/rsc.h"

#define RESOURCES_MAX 20000 /* ranges of either sort; the widest certificates of today have some thousands */

struct resources {
	struct range *addresses;
	size_t address_count;
	struct as_range *numbers;
	size_t number_count;
};

/* The content of an IPAddrBlocks (RFC 3779 section 2.2.3) and of an ASIdentifiers (section 3.2.3); in the arena. The canonical form
 * is asked for but where two ranges touch, which are then joined. ERR_EVIDENCE: another form, "inherit", too many. */
enum err resources_read_addresses(struct arena *a, struct span blocks, struct resources *out);
enum err resources_read_numbers(struct arena *a, struct span identifiers, struct resources *out);

bool resources_contain(const struct resources *outer, const struct resources *inner);
/* The ranges of addresses cut into the fewest prefixes; in the arena. ERR_EVIDENCE: more than RESOURCES_MAX. */
enum err resources_prefixes(struct arena *a, const struct resources *r, struct prefix **out, size_t *count);

#endif
