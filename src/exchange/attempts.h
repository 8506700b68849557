/* Who failed too often to prove who it is. Bounded: of those that hardly fail the oldest are forgotten. Only for this room.
 * Any thread. */
#ifndef EXCHANGE_ATTEMPTS_H
#define EXCHANGE_ATTEMPTS_H

#include "base/hash.h"

#define ATTEMPTS_MOST 20      /* at once, then */
#define ATTEMPTS_EACH_MS 6000 /* one more in each of these */

struct attempts;
enum err attempts_new(struct attempts **out);
void attempts_free(struct attempts *a);
bool attempts_left(struct attempts *a, struct hash who, int64_t now_ms);
void attempts_failed(struct attempts *a, struct hash who, int64_t now_ms);

#endif
