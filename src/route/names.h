/* Names as numbers: what malware the rows of a run name, spelt in lower case. Any thread. Only for this room. */
#ifndef ROUTE_NAMES_H
#define ROUTE_NAMES_H

#include "base/span.h"

#define NAMES_MAX 65535 /* a run that names more has them counted without the name */

struct names;
enum err names_new(struct names **out);
void names_free(struct names *n);

/* 0: the empty name, or there are too many. Longer ones are cut at SIGHTING_MALWARE_MAX bytes. ERR_NO_MEMORY. */
enum err names_number(struct names *n, struct span name, uint32_t *out);
/* While no thread adds. The span lives as long as n. */
struct span names_at(const struct names *n, uint32_t number);

#endif
