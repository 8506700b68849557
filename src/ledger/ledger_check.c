#include "ledger/ledger_check.h"

#include "ledger/edge.h"
#include "ledger/tile.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
	const char *dir;
	uint64_t size;
	struct arena *arena;
	struct span *where;
	ledger_each *each;
	void *context;
	struct buffer bundle, file;
	struct span entries[TILE_WIDTH];
	struct edge edge;
};

static enum err differs(struct check *c, const char *name, const char *how)
{
	if (c->where != NULL) {
		char *copy = arena_print(c->arena, "%s", name);

		*c->where = copy == NULL ? SPAN("") : span_of(copy);
	}
	return fail(ERR_LEDGER_DIFFERS, "%s/%s: %s", c->dir, name, how);
}

static enum err tile_differs(struct check *c, struct tile t, const char *how)
{
	char name[TILE_PATH_MAX];

	tile_path(t, name);
	return differs(c, name, how);
}

/* A file that cannot be a tile or is not there is a difference; a broken machine is not. */
static enum err read_tile(struct check *c, struct tile t, struct buffer *out, struct tile *found)
{
	enum err e = tile_read(c->dir, t, out, found);

	if (e == ERR_NOT_FOUND)
		return tile_differs(c, t, "missing");
	return e == ERR_TILE ? tile_differs(c, *found, "too long") : e;
}

/* What a tile must hold: where its first 1, 2, … parts end. */
struct expected {
	struct span bytes;
	const struct span *entries; /* NULL: hashes */
};

static struct span first_parts(struct expected x, unsigned width)
{
	if (x.entries == NULL)
		return span_make(x.bytes.at, (size_t)width * HASH_SIZE);
	return span_make(x.bytes.at, (size_t)(x.entries[width - 1].at + x.entries[width - 1].len - x.bytes.at));
}

/* The widths that stand beside a tile: DIR/tile/0/005.p/ may hold those of earlier checkpoints. */
static enum err check_earlier_partials(struct check *c, struct tile t, struct expected x, unsigned width)
{
	char name[TILE_PATH_MAX], path[PATH_MAX];
	struct dirent *d;
	enum err e = OK;
	DIR *folder;

	tile_path((struct tile){ t.level, t.n, 0 }, name);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s.p", c->dir, name) >= sizeof(path))
		return fail(ERR_IO, "%s: the path is too long", c->dir);
	if ((folder = opendir(path)) == NULL)
		return OK;
	while (e == OK && (d = readdir(folder)) != NULL) {
		struct tile partial = { t.level, t.n, 0 }, found;
		uint64_t w;

		if (span_u64(span_of(d->d_name), TILE_WIDTH - 1, &w) != OK || w == 0 || w > width)
			continue;
		partial.width = (unsigned)w;
		e = read_tile(c, partial, &c->file, &found);
		if (e == OK && found.width == partial.width &&
		    !span_equal(buffer_view(&c->file), first_parts(x, partial.width)))
			e = tile_differs(c, partial, "other bytes than the entries give");
	}
	closedir(folder);
	return e;
}

static enum err check_hashes(struct check *c, int level, uint64_t n, unsigned width)
{
	struct tile t = { level, n, width == TILE_WIDTH ? 0 : width }, found;
	struct expected x = { span_make(c->edge.levels[level], (size_t)width * HASH_SIZE), NULL };
	enum err e = read_tile(c, t, &c->file, &found);
	struct span have = buffer_view(&c->file);

	if (e != OK)
		return e;
	if (found.width != t.width && have.len > x.bytes.len)
		have.len = x.bytes.len; /* the first part of the full tile */
	if (!span_equal(have, x.bytes))
		return tile_differs(c, found, "other bytes than the entries give");
	return check_earlier_partials(c, t, x, width);
}

static enum err show_entries(struct check *c, uint64_t n, unsigned width)
{
	enum err e = OK;

	for (unsigned i = 0; e == OK && c->each != NULL && i < width; i++)
		e = c->each(c->context, n * TILE_WIDTH + i, c->entries[i]);
	return e;
}

/* One bundle, the tile of its leaves, and the tiles above that it fills. */
static enum err check_bundle(struct check *c, uint64_t n)
{
	unsigned width = tile_width(0, n, c->size), filled = 0;
	struct tile t = { TILE_ENTRIES, n, width == TILE_WIDTH ? 0 : width }, found;
	struct expected x = { { NULL, 0 }, c->entries };
	struct span rest;
	enum err e = read_tile(c, t, &c->bundle, &found);

	if (e != OK)
		return e;
	x.bytes = rest = buffer_view(&c->bundle);
	for (unsigned i = 0; i < width; i++) {
		if (bundle_next(&rest, &c->entries[i]) != OK)
			return tile_differs(c, found, "ends too early");
		filled = edge_add(&c->edge, merkle_leaf(c->entries[i]));
	}
	if (rest.len != 0 && found.width == t.width)
		return tile_differs(c, found, "goes on behind its entries");
	if ((e = check_hashes(c, 0, n, width)) != OK || (e = check_earlier_partials(c, t, x, width)) != OK)
		return e;
	for (unsigned level = 1; level < filled && level < TILE_LEVELS; level++)
		if ((e = check_hashes(c, (int)level, n >> (8 * level), TILE_WIDTH)) != OK)
			return e;
	return show_entries(c, n, width);
}

static enum err check_all(struct check *c, struct hash root)
{
	enum err e = OK;

	for (uint64_t n = 0; e == OK && tile_width(0, n, c->size) > 0; n++)
		e = check_bundle(c, n);
	for (int level = 1; e == OK && level < TILE_LEVELS; level++) {
		uint64_t n = tile_last(level, c->size);
		unsigned width = tile_width(level, n, c->size);

		if (width > 0)
			e = check_hashes(c, level, n, width);
	}
	if (e == OK && !hash_equal(frontier_root(&c->edge.frontier), root))
		e = differs(c, "checkpoint", "another root than the entries give");
	return e;
}

enum err ledger_check(const char *dir, uint64_t size, struct hash root, ledger_each *each, void *context,
		      struct arena *a, struct span *where)
{
	struct check *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NO_MEMORY;
	c->dir = dir;
	c->size = size;
	c->arena = a;
	c->where = where;
	c->each = each;
	c->context = context;
	e = check_all(c, root);
	buffer_free(&c->bundle);
	buffer_free(&c->file);
	free(c);
	return e;
}
