/* Space that nobody on the Internet answers for, as rows, so that a table can set it apart. Documentation space counts as
 * such only where no source names an AS: no real table does, and made-up ones live there. */
#ifndef TERRITORY_SPECIAL_H
#define TERRITORY_SPECIAL_H

#include "territory/row.h"

enum special { SPECIAL_NOT = 1 /* an exception inside special space */, SPECIAL_ALWAYS, SPECIAL_UNLESS_ROUTED };

/* Values are enum special. ERR_NO_MEMORY. */
enum err special_rows(enum family f, struct rows *out);

#endif
