#include "territory/exposure.h"

void exposure_count(const struct resolver *r, uint64_t *blocks)
{
	memset(blocks, 0, resolver_addressees(r) * sizeof(*blocks));
	for (uint32_t block = 0; block < 1u << 24; block++)
		blocks[resolver_find_ipv4(r, block << 8)]++;
}
