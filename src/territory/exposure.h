/* How much each addressee answers for: so many IPv4 blocks of 256 addresses, by the first address of each. */
#ifndef TERRITORY_EXPOSURE_H
#define TERRITORY_EXPOSURE_H

#include "regime/standing.h"
#include "territory/resolve.h"

/* blocks: room for resolver_addressees(r). Number 0, nobody, counts too. */
void exposure_count(const struct resolver *r, uint64_t *blocks);

/* Of all of them, by name; needs neither the resolver nor its table any more. path: of the compiled table, for its digest. A tenth
 * of a second. */
struct exposures;
enum err exposures_new(const struct resolver *r, const char *path, struct exposures **out);
/* Spans in out point into x. False: the tables and claims give it nothing. */
bool exposures_find(const struct exposures *x, const struct addressee *party, struct exposure *out);
void exposures_free(struct exposures *x);

/* The SHA-256 of a compiled table as a file. */
enum err exposure_digest(const char *path, struct hash *out);

#endif
