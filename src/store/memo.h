/* What was read of a table a moment ago, by its key: a copy, so that asking again costs no walk down the tree. For the one who writes:
 * each write tells of its key. Values stay where they are until the next memo_drop. One thread. */
#ifndef STORE_MEMO_H
#define STORE_MEMO_H

#include "base/span.h"

struct memo;
struct memo *memo_new(void); /* NULL: no memory */
void memo_free(struct memo *m);

bool memo_get(const struct memo *m, struct span key, struct span *value);
/* If there is room. */
void memo_keep(struct memo *m, struct span key, struct span value);
/* It is about to be another, or to go. What was given before is not to be looked at any more. */
void memo_drop(struct memo *m, struct span key);
void memo_clear(struct memo *m);

#endif
