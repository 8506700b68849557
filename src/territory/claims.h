/* Claims that count, ready to be asked: by address, AS number, country. Inside the resolver only. */
#ifndef TERRITORY_CLAIMS_H
#define TERRITORY_CLAIMS_H

#include "territory/resolve.h"
#include "territory/sweep.h"

/* All claims to one resource, of each party one: first what was proven to us (rsc, dnssec), then what our own operator approved or
 * recognised, then the word of followed nodes; among these by the time from which they hold. */
struct claim_group {
	const struct territory_claim *at;
	size_t count;
};

#define CLAIMS_SLICES 65536
struct claims {
	struct territory_claim *all; /* sorted by resource, then in that order */
	struct claim_group *groups;  /* prefixes first, then AS numbers, then countries */
	size_t prefixes, numbers, countries;
	struct rows rows[2]; /* of the claimed prefixes, by family; value: the group's place */
	struct steps steps[2];
	/* IPv4: the steps, small. slices4: of each block of 65536 addresses the first step behind its first address. */
	struct {
		uint32_t first, group; /* NO_ROW: nobody claims it */
	} * near4;
	uint32_t *slices4;
	uint8_t map4[CLAIMS_SLICES / 8]; /* which blocks of 65536 IPv4 addresses hold claimed ones */
};

enum err claims_make(const struct territory_claim *from, size_t count, struct claims *out);
void claims_free(struct claims *c);

/* False: no claimed prefix is near the IPv4 address. */
static inline bool claims_maybe(const struct claims *c, uint32_t address)
{
	return (c->map4[address >> 19] >> (address >> 16 & 7) & 1) != 0;
}

/* The narrowest claimed prefix around the address: the group's place, or NO_ROW. */
uint32_t claims_prefix(const struct claims *c, struct address a);
const struct claim_group *claims_as(const struct claims *c, uint32_t asn);		 /* NULL: none */
const struct claim_group *claims_country(const struct claims *c, const char country[3]); /* NULL: none */

#endif
