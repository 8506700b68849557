/* The right edge of a growing tree in tiles: the hashes of each level's last tile. Only for this room. */
#ifndef LEDGER_EDGE_H
#define LEDGER_EDGE_H

#include "ledger/merkle.h"
#include "ledger/tile.h"

struct edge {
	struct frontier frontier;
	struct hash levels[TILE_LEVELS][TILE_WIDTH];
};

/* Adds a leaf. Returns how many tiles it filled: levels 0 to one below that. Their hashes stand in `levels` until the
 * next call. */
unsigned edge_add(struct edge *e, struct hash leaf);

#endif
