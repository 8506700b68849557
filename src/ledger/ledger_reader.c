#include "ledger/ledger_reader.h"

#include "base/file.h"
#include "ledger/tile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 32 /* tiles in memory: a proof needs one of each level and the right edge */
#define CHECKPOINT_MAX ((size_t)1 << 20)

/* A tile with the subtrees that lie wholly inside it, computed once: level r of them begins at level_at(r). */
struct slot {
	uint64_t used; /* when last, 0: empty */
	struct tile tile;
	unsigned width;
	struct hash nodes[2 * TILE_WIDTH];
};

struct ledger_reader {
	char *dir;
	uint64_t size, clock;
	struct buffer file;
	struct slot slots[SLOTS];
	/* the last bundle */
	bool has_bundle;
	struct tile bundle_tile;
	struct buffer bundle;
	struct span entries[TILE_WIDTH];
};

enum err ledger_reader_open(const char *dir, struct ledger_reader **out)
{
	struct ledger_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->dir = strdup(dir)) == NULL) {
		free(r);
		return ERR_NO_MEMORY;
	}
	*out = r;
	return OK;
}

void ledger_reader_close(struct ledger_reader *r)
{
	if (r == NULL)
		return;
	buffer_free(&r->file);
	buffer_free(&r->bundle);
	free(r->dir);
	free(r);
}

enum err ledger_reader_checkpoint(struct ledger_reader *r, struct arena *a, struct span *note)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/checkpoint", r->dir) >= sizeof(path))
		return fail(ERR_IO, "%s: the path is too long", r->dir);
	return file_read(a, path, CHECKPOINT_MAX, note);
}

void ledger_reader_set_size(struct ledger_reader *r, uint64_t size)
{
	r->size = size;
}

/* The tile as the tree of this size needs it. */
static enum err tile_needed(const struct ledger_reader *r, int level, uint64_t n, unsigned *width, struct tile *out)
{
	*width = tile_width(level, n, r->size);
	*out = (struct tile){ level, n, *width == TILE_WIDTH ? 0 : *width };
	return *width > 0 ? OK
			  : fail(ERR_TILE, "no tile %ju of level %d in a tree of %ju", (uintmax_t)n, level,
				 (uintmax_t)r->size);
}

static bool tile_equal(struct tile a, struct tile b)
{
	return a.level == b.level && a.n == b.n && a.width == b.width;
}

static enum err misshapen(struct tile t)
{
	char name[TILE_PATH_MAX];

	tile_path(t, name);
	return fail(ERR_TILE, "%s: not the length of such a tile", name);
}

/* Reads the file; what is missing is no tile of this ledger. */
static enum err read_needed(const struct ledger_reader *r, struct tile t, struct buffer *out, struct tile *found)
{
	enum err e = tile_read(r->dir, t, out, found);

	return e == ERR_NOT_FOUND ? ERR_TILE : e;
}

static size_t level_at(unsigned level)
{
	return 2 * TILE_WIDTH - (2 * TILE_WIDTH >> level); /* 0, 256, 384, … */
}

static void fill_subtrees(struct slot *s)
{
	for (unsigned level = 1; level < 8; level++) {
		const struct hash *below = s->nodes + level_at(level - 1);
		struct hash *at = s->nodes + level_at(level);

		for (unsigned i = 0; i < s->width >> level; i++)
			at[i] = merkle_node(below[2 * i], below[2 * i + 1]);
	}
}

static enum err load_slot(struct ledger_reader *r, struct tile t, unsigned width, struct slot *s)
{
	struct tile found;
	enum err e = read_needed(r, t, &r->file, &found);

	if (e != OK)
		return e;
	if (r->file.len != (size_t)(found.width == 0 ? TILE_WIDTH : found.width) * HASH_SIZE)
		return misshapen(found);
	memcpy(s->nodes, r->file.at, (size_t)width * HASH_SIZE);
	s->tile = t;
	s->width = width;
	fill_subtrees(s);
	return OK;
}

static enum err find_slot(struct ledger_reader *r, int level, uint64_t n, const struct slot **out)
{
	struct slot *oldest = &r->slots[0];
	unsigned width;
	struct tile t;
	enum err e = tile_needed(r, level, n, &width, &t);

	if (e != OK)
		return e;
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slots[i];

		if (s->used != 0 && tile_equal(s->tile, t)) {
			s->used = ++r->clock;
			*out = s;
			return OK;
		}
		if (s->used < oldest->used)
			oldest = s;
	}
	oldest->used = 0;
	if ((e = load_slot(r, t, width, oldest)) != OK)
		return e;
	oldest->used = ++r->clock;
	*out = oldest;
	return OK;
}

/* Levels between those of tiles lie inside them: level 11 is three above the hashes of tile level 1. */
enum err ledger_reader_fetch(void *reader, unsigned level, uint64_t index, struct hash *out)
{
	struct ledger_reader *r = reader;
	unsigned inside = level % 8;
	uint64_t first = index << inside, at;
	const struct slot *s;
	enum err e;

	if (level >= 8 * TILE_LEVELS || first >> inside != index)
		return fail(ERR_TILE, "no level %u, index %ju", level, (uintmax_t)index);
	if ((e = find_slot(r, (int)(level / 8), first / TILE_WIDTH, &s)) != OK)
		return e;
	at = first % TILE_WIDTH >> inside;
	if (at >= s->width >> inside)
		return fail(ERR_TILE, "level %u, index %ju is not complete in a tree of %ju", level, (uintmax_t)index,
			    (uintmax_t)r->size);
	*out = s->nodes[level_at(inside) + at];
	return OK;
}

static enum err load_bundle(struct ledger_reader *r, struct tile t, unsigned width)
{
	struct tile found;
	struct span rest;
	enum err e;

	r->has_bundle = false;
	if ((e = read_needed(r, t, &r->bundle, &found)) != OK)
		return e;
	rest = buffer_view(&r->bundle);
	for (unsigned i = 0; i < width; i++)
		if (bundle_next(&rest, &r->entries[i]) != OK)
			return misshapen(found);
	if (rest.len != 0 && tile_equal(found, t))
		return misshapen(found);
	r->bundle_tile = t;
	r->has_bundle = true;
	return OK;
}

enum err ledger_reader_entry(struct ledger_reader *r, struct arena *a, uint64_t index, struct span *entry)
{
	struct span found;
	unsigned width;
	struct tile t;
	char *copy;
	enum err e;

	if (index >= r->size)
		return fail(ERR_TILE, "no entry %ju in a ledger of %ju", (uintmax_t)index, (uintmax_t)r->size);
	if ((e = tile_needed(r, TILE_ENTRIES, index / TILE_WIDTH, &width, &t)) != OK)
		return e;
	if (!(r->has_bundle && tile_equal(r->bundle_tile, t)) && (e = load_bundle(r, t, width)) != OK)
		return e;
	found = r->entries[index % TILE_WIDTH];
	if ((copy = arena_copy(a, found.at, found.len)) == NULL)
		return ERR_NO_MEMORY;
	*entry = span_make(copy, found.len);
	return OK;
}
