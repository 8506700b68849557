/* Writes the published form of a ledger: bundles, tiles, and DIR/checkpoint last. */
#ifndef LEDGER_PUBLISHER_H
#define LEDGER_PUBLISHER_H

#include "ledger/merkle.h"

/* Publishes a ledger: fed entry by entry (in order, from the first), it keeps the right edge in memory and writes
 * bundles and tiles. Not thread safe, and the only writer of its folder. After the first failure every call fails with
 * the same error: close it; what to do next is said by the error. */
struct publisher;

/* Starts or goes on: `size` entries are already published and their right edge is read back from dir (checked by hash
 * against DIR/checkpoint). With size 0 dir is made if it is missing; what is already published there stays and must come
 * out the same.
 * ERR_TILE: files are missing or differ, or less than size is published; publish anew from 0.
 * ERR_DAMAGED: DIR/checkpoint is no checkpoint; the folder must be moved away. */
enum err publisher_open(const char *dir, uint64_t size, struct publisher **out);
/* Entry at most ENTRY_MAX bytes: ERR_TOO_LONG. Full bundles and tiles are written as they fill.
 * ERR_LEDGER_DIFFERS: other entries are already published. ERR_IO. */
enum err publisher_add(struct publisher *p, struct span entry);
const struct frontier *publisher_frontier(const struct publisher *p);
/* Writes the partial tiles of the present size, syncs everything written since the last call, then replaces
 * DIR/checkpoint. The checkpoint must be of this size and root (assert); its signature is not looked at.
 * ERR_SYNC, ERR_IO, ERR_LEDGER_DIFFERS (a longer ledger is already published). */
enum err publisher_publish(struct publisher *p, struct span checkpoint_note);
void publisher_close(struct publisher *p);

#endif
