/* What the publishers of known sources ask to be said beside their data, and what they say about it themselves. */
#ifndef TERRITORY_PUBLISHERS_H
#define TERRITORY_PUBLISHERS_H

#include "territory/source.h"

/* By the source's name; both empty if the publisher is not known. */
void publisher_says(struct span name, struct span *attribution, struct span *caution);

/* If the file lies in a package of known data, beside its package.json: its name with version ("@ip-location-db/asn
 * 2.3.2026061719") and the date in the version. False: it does not. */
bool publisher_package(const char *path, char name[SOURCE_NAME_MAX + 1], int64_t *dated_ms);

#endif
