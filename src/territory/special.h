/* Space that nobody on the Internet answers for, as rows, so that a table can set it apart. Documentation space is left
 * out: no real table knows it, and made-up ones live there. */
#ifndef TERRITORY_SPECIAL_H
#define TERRITORY_SPECIAL_H

#include "territory/row.h"

/* Value 1: special; 2: an exception inside. ERR_NO_MEMORY. */
enum err special_rows(enum family f, struct rows *out);

#endif
