/* Names and shapes of tiles and entry bundles (C2SP tlog-tiles v0.1.0). A tile holds up to 256 hashes of one level; hash i
 * of tile n at level l is the subtree of 256^l leaves that begins at leaf (256 n + i) 256^l. An entry bundle holds the
 * entries under one level-0 tile. */
#ifndef LEDGER_TILE_H
#define LEDGER_TILE_H

#include "base/buffer.h"

#define TILE_WIDTH 256
#define TILE_LEVELS 8 /* of a tree below 2^64 leaves */
#define ENTRY_MAX 65535
#define TILE_PATH_MAX 128

/* One name of a tile. level TILE_ENTRIES: an entry bundle. width 0: full. */
#define TILE_ENTRIES (-1)
struct tile {
	int level;
	uint64_t n;
	unsigned width;
};
size_t tile_path(struct tile t, char out[TILE_PATH_MAX]);     /* "tile/0/x001/234.p/5" */
enum err tile_parse_path(struct span path, struct tile *out); /* one spelling per tile. ERR_TILE */

/* How many hashes (or entries) tile n of a level has in a tree of `size` leaves: up to 256; 0: there is none. */
unsigned tile_width(int level, uint64_t n, uint64_t size);

/* The tile of a level on the right edge of a tree, the only one that can be partial: its n. */
uint64_t tile_last(int level, uint64_t size);

/* Entry bundles: each entry with its length before it. The entry has at most ENTRY_MAX bytes (assert). */
void bundle_append(struct buffer *bundle, struct span entry);
/* Cuts the next entry off *rest, until rest->len is 0. ERR_TILE: cut short. */
enum err bundle_next(struct span *rest, struct span *entry);

/* The file of a tile under dir, into out, which is cleared first. A partial tile that is not there (any more) is looked
 * for as the full one, whose first part it is: *found says which was read. ERR_NOT_FOUND, ERR_TILE (longer than a tile
 * can be), ERR_IO. */
enum err tile_read(const char *dir, struct tile t, struct buffer *out, struct tile *found);

#endif
