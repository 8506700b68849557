/* Recomputes a published ledger. */
#ifndef LEDGER_LEDGER_CHECK_H
#define LEDGER_LEDGER_CHECK_H

#include "base/arena.h"
#include "base/hash.h"

/* Shown every entry in order; may stop the walk with an error of its own. An entry fits its level-0 tile when it is
 * shown; whether the tiles fit the root is known only at the end. */
typedef enum err ledger_each(void *context, uint64_t index, struct span entry);

/* Recomputes everything under dir up to `size`: each bundle's entries against the level-0 tiles, each tile against the
 * one above, the whole against root, and partial tiles of earlier checkpoints as far as they are kept. *where (in the
 * arena; may be NULL) names the first file that differs or is missing, "checkpoint" if it is the root. ERR_LEDGER_DIFFERS.
 * each may be NULL. What lies beyond `size` is not looked at. */
enum err ledger_check(const char *dir, uint64_t size, struct hash root, ledger_each *each, void *context,
		      struct arena *a, struct span *where);

#endif
