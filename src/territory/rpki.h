/* Route origin validation (RFC 6811) against validated RPKI payloads. */
#ifndef TERRITORY_RPKI_H
#define TERRITORY_RPKI_H

#include "territory/row.h"
#include "territory/table.h"

/* VRPs of one family, ready to be asked. An empty set answers ROUTE_UNKNOWN. */
struct vrps {
	const struct row *at; /* sorted by first address, wide before narrow */
	uint32_t *outer;      /* for each the next wider one around it; NO_ROW: none */
	size_t count;
};

/* Sorts the rows, which must outlive *out. ERR_NO_MEMORY. */
enum err vrps_make(struct rows *rows, struct vrps *out);
void vrps_free(struct vrps *v);

/* Of a route: valid if a VRP that covers it names its AS and allows its length; invalid if it is covered and none does;
 * else not found. With NO_LENGTH (a range, whose announced prefixes are not known) only the AS is compared. AS 0 fits
 * nobody. */
enum route_validity vrps_validate(const struct vrps *v, wide first, wide last, uint8_t length, uint32_t asn);

#endif
