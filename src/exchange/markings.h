/* What the markings of objects come to, for whoever takes them in. */
#ifndef EXCHANGE_MARKINGS_H
#define EXCHANGE_MARKINGS_H

#include "regime/objects.h"

/* Sets tlp and marked of each for good: the strictest TLP that it names; RED if it names a marking that restricts in a way
 * which nobody here understands, or one that is not known; `unmarked` if it names none. A statement marking (STIX 2.1,
 * 7.2.1.3) restricts nothing. Markings are looked up in the collection first, as far as `level` sees, then among these objects: what
 * is known already is not to be changed by what comes. Allocates in the arena. */
enum err markings_settle(struct arena *a, struct snapshot *s, const struct collection_id *c, enum tlp level,
			 enum tlp unmarked, struct stix_object *const *objects, size_t count);

#endif
