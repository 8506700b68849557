/* How much each addressee answers for: so many IPv4 blocks of 256 addresses, by the first address of each. */
#ifndef TERRITORY_EXPOSURE_H
#define TERRITORY_EXPOSURE_H

#include "territory/resolve.h"

/* blocks: room for resolver_addressees(r). Number 0, nobody, counts too. */
void exposure_count(const struct resolver *r, uint64_t *blocks);

#endif
