/* Reads a published ledger. Nothing is verified here but the shape of files: a proof made of what is read shows by its
 * verification whether it was right. */
#ifndef LEDGER_LEDGER_READER_H
#define LEDGER_LEDGER_READER_H

#include "base/arena.h"
#include "ledger/merkle.h"

/* Any number of readers; each belongs to one thread. Keeps a few tiles in memory. */
struct ledger_reader;
enum err ledger_reader_open(const char *dir, struct ledger_reader **out);
/* The note of DIR/checkpoint, in the arena. ERR_NOT_FOUND: nothing is published yet. */
enum err ledger_reader_checkpoint(struct ledger_reader *r, struct arena *a, struct span *note);
/* A merkle_fetch over tiles of a tree of `size` leaves (set before use): context is the reader. The size is that of a
 * published checkpoint, best the last one: roots and proofs of smaller trees come out of its tiles too.
 * ERR_TILE: beyond the size, or a file is missing or misshapen. */
void ledger_reader_set_size(struct ledger_reader *r, uint64_t size);
enum err ledger_reader_fetch(void *reader, unsigned level, uint64_t index, struct hash *out);
/* One entry, in the arena. ERR_TILE. */
enum err ledger_reader_entry(struct ledger_reader *r, struct arena *a, uint64_t index, struct span *entry);
void ledger_reader_close(struct ledger_reader *r);

#endif
