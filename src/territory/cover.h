/* Ranges as prefixes. */
#ifndef TERRITORY_COVER_H
#define TERRITORY_COVER_H

#include "base/address.h"

/* The smallest prefix that holds the whole range. */
struct prefix range_cover(struct range r);
/* Whether it holds nothing else. */
bool range_is_prefix(struct range r);

#define RANGE_TEXT (2 * ADDRESS_TEXT + 4)
/* "192.0.2.0/24", else "192.0.2.0 to 192.0.2.9". */
size_t range_format(struct range r, char out[RANGE_TEXT]);

#endif
