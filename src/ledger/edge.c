#include "ledger/edge.h"

unsigned edge_add(struct edge *e, struct hash leaf)
{
	struct hash roots[FRONTIER_LEVELS];
	uint64_t index = e->frontier.size;
	unsigned filled = frontier_add_levels(&e->frontier, leaf, roots);

	e->levels[0][index % TILE_WIDTH] = leaf;
	for (unsigned level = 1; level <= filled && level < TILE_LEVELS; level++)
		e->levels[level][(index >> (8 * level)) % TILE_WIDTH] = roots[level - 1];
	return filled;
}
