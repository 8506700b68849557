/*
 * One ledger, followed
 *
 * What is believed is the checkpoint that the node signed, of N entries with one root; all else must lead to that root before it
 * is kept. Let K be the size that is kept here.
 *
 *   1. The checkpoint is of the key and the origin that the node's party statement names, else it is nobody's.
 *   2. It extends the one that is kept: by a consistency proof, made of the peer's own tiles. If N is not above K, what is kept
 *	gives the root of N by itself. Two checkpoints of one key that cannot both be true are a fork; that they cannot is proven
 *	before it is said: by equal sizes, by our own tiles, or by tiles that lead to the new root and give another one for K.
 *	Tiles that lead nowhere prove nothing but that the peer answers nonsense (ERR_PEER).
 *   3. The hashes of tile level 1, each of 256 entries, are fetched for all that is new. With the kept tiles on the left and
 *	the entries of the last, partial bundle on the right they give the root of N. From here on each of them is as good as
 *	the checkpoint.
 *   4. Each bundle of 256 entries is hashed, compared with its one hash of level 1, and only then handed to the publisher, which
 *	writes tiles as a node does for its own ledger (publisher.c): the checkpoint is replaced last. All lower and higher tiles
 *	are computed: less to ask for, and nothing to trust.
 *
 * Killed at any moment it goes on: full bundles that lie there beyond K are hashed and compared as if they had come just now, and
 * are not fetched again.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "exchange/follow_private.h"
#include "ledger/tiles.h"
#include "regime/mirror.h"

#define CHECKPOINT_MAX ((size_t)64 << 10)
#define BUNDLE_MAX ((size_t)TILE_WIDTH * (2 + ENTRY_MAX))
#define TILE_MAX ((size_t)TILE_WIDTH * HASH_SIZE)
#define BUNDLES_MAX ((uint64_t)1 << 22) /* new ones in a round: a thousand million entries */
#define AHEAD 6				/* bundles under way */
#define SLOTS 24			/* tiles of a proof: two right edges */
#define PATH_ROOM (TILE_PATH_MAX + 32)

struct remote_tile {
	bool used;
	int level;
	uint64_t n;
	unsigned width;
	struct hash nodes[TILE_WIDTH];
};

struct sync {
	struct ledger_round *round;
	struct arena *arena;
	char *dir; /* of the ledger's mirror */
	bool is_signed;
	struct checkpoint kept, shown; /* kept: size 0 if there is none */
	struct span kept_note, shown_note;
	struct ledger_reader *reader; /* of what is kept */
	struct remote_tile *tiles;
	size_t next_tile;
	struct hash *level1;	  /* from bundle `first` on */
	uint64_t first, full;	  /* bundles: the first that is not kept in full, and how many are full at N */
	struct buffer tail, file; /* the last, partial bundle; a bundle of the disk */
};

static void ledger_path(const struct sync *s, const char *rest, char out[PATH_ROOM])
{
	snprintf(out, PATH_ROOM, "/ledger/%s/%s", ledger_name(s->round->ledger), rest);
}

static void tile_url(const struct sync *s, struct tile t, char out[PATH_ROOM])
{
	char name[TILE_PATH_MAX];

	tile_path(t, name);
	ledger_path(s, name, out);
}

static enum err wrong(const struct sync *s, const char *what)
{
	return fail(ERR_PEER, "%s, %s ledger: %s", peer_url(s->round->peer), ledger_name(s->round->ledger), what);
}

/* A tile that is not there any more may be the first part of the full one. A tile that is closed to us now was open a moment
 * ago. */
static enum err get_tile(struct sync *s, struct tile t, size_t most, struct span *body, bool *whole)
{
	char path[PATH_ROOM];
	enum err e;

	tile_url(s, t, path);
	*whole = t.width == 0;
	e = peer_get(s->round->peer, path, s->is_signed, most, body);
	if (e == ERR_NOT_FOUND && !*whole) {
		*whole = true;
		t.width = 0;
		tile_url(s, t, path);
		e = peer_get(s->round->peer, path, s->is_signed, most, body);
	}
	if (e == ERR_NOT_FOUND || e == ERR_CREDENTIALS)
		return fail(ERR_PEER, "%s", err_detail());
	return e;
}

/* ---- the checkpoints ---- */

static enum err read_kept(struct sync *s)
{
	char *path = arena_print(s->arena, "%s/checkpoint", s->dir);
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(s->arena, path, CHECKPOINT_MAX, &s->kept_note);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK)
		e = checkpoint_open(s->arena, s->kept_note, s->round->key, &s->kept);
	if (e != OK && !err_is_machine(e))
		return fail(ERR_DAMAGED, "%s: not a checkpoint of %s; remove the mirror and follow anew", path,
			    s->round->key->name);
	if (e == OK && (e = ledger_reader_open(s->dir, &s->reader)) == OK)
		ledger_reader_set_size(s->reader, s->kept.size);
	return e;
}

static enum err read_shown(struct sync *s)
{
	char path[PATH_ROOM], why[200];
	struct span body;
	const char *copy;
	enum err e;

	ledger_path(s, "checkpoint", path);
	if ((e = peer_get(s->round->peer, path, s->is_signed, CHECKPOINT_MAX, &body)) != OK)
		return e;
	if ((copy = arena_copy(s->arena, body.at, body.len)) == NULL)
		return ERR_NO_MEMORY;
	s->shown_note = span_make(copy, body.len);
	e = checkpoint_open(s->arena, s->shown_note, s->round->key, &s->shown);
	if (e == OK || err_is_machine(e))
		return e;
	snprintf(why, sizeof(why), "%s", err_detail());
	return fail(ERR_PEER, "%s%s: no checkpoint of %s: %s", peer_url(s->round->peer), path, s->round->key->name,
		    why[0] != '\0' ? why : err_code(e));
}

static enum err forked(struct sync *s)
{
	enum err e = mirror_fork_keep(s->round->dir, s->round->ledger, s->kept_note, s->shown_note);

	return e != OK ? e
		       : fail(ERR_LEDGER_FORK, "%s: its %ju entries do not extend the %ju that it showed before",
			      s->round->key->name, (uintmax_t)s->shown.size, (uintmax_t)s->kept.size);
}

/* ---- a proof from the peer's tiles ---- */

static enum err load_tile(struct sync *s, int level, uint64_t n, struct remote_tile **out)
{
	struct remote_tile *t = &s->tiles[s->next_tile++ % SLOTS];
	unsigned width = tile_width(level, n, s->shown.size);
	struct span body;
	bool whole;
	enum err e;

	t->used = false;
	if (width == 0)
		return ERR_TILE;
	e = get_tile(s, (struct tile){ level, n, width == TILE_WIDTH ? 0 : width }, TILE_MAX, &body, &whole);
	if (e != OK)
		return e;
	if (body.len != (whole ? TILE_MAX : (size_t)width * HASH_SIZE))
		return wrong(s, "a tile is not as long as it must be");
	*t = (struct remote_tile){ .used = true, .level = level, .n = n, .width = width };
	memcpy(t->nodes, body.at, (size_t)width * HASH_SIZE);
	*out = t;
	return OK;
}

static enum err fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	struct sync *s = context;
	unsigned inside = level % 8;
	uint64_t first = index << inside, n = first / TILE_WIDTH;
	struct remote_tile *t = NULL;
	struct frontier f = { 0 };
	size_t at = first % TILE_WIDTH;
	enum err e = OK;

	if (level >= 8 * TILE_LEVELS || first >> inside != index)
		return ERR_TILE;
	for (size_t i = 0; i < SLOTS; i++)
		if (s->tiles[i].used && s->tiles[i].level == (int)(level / 8) && s->tiles[i].n == n)
			t = &s->tiles[i];
	if (t == NULL)
		e = load_tile(s, (int)(level / 8), n, &t);
	if (e != OK)
		return e;
	if (at + (1u << inside) > t->width)
		return ERR_TILE;
	for (unsigned i = 0; i < 1u << inside; i++)
		frontier_add(&f, t->nodes[at + i]);
	*out = frontier_root(&f);
	return OK;
}

/* Essay, point 2. */
static enum err check_extends(struct sync *s)
{
	struct hash theirs;
	struct merkle_proof proof;
	enum err e = merkle_root(s->kept.size, fetch, s, &theirs);

	if (e == OK)
		e = merkle_consistency(s->kept.size, s->shown.size, fetch, s, &proof);
	if (e == OK && merkle_verify_consistency(s->kept.size, s->shown.size, proof.hashes, proof.count, theirs,
						 s->shown.root) != OK)
		e = wrong(s, "its tiles do not lead to its checkpoint");
	if (e == ERR_TILE || e == ERR_PROOF)
		e = wrong(s, "its tiles give no proof");
	return e == OK && !hash_equal(theirs, s->kept.root) ? forked(s) : e;
}

static enum err check_history(struct sync *s)
{
	struct hash ours;
	enum err e;

	if (s->kept.size == 0)
		return OK;
	if (s->shown.size > s->kept.size)
		return check_extends(s);
	if ((e = merkle_root(s->shown.size, ledger_reader_fetch, s->reader, &ours)) != OK)
		return e == ERR_TILE ? fail(ERR_DAMAGED, "%s: %s", s->dir, err_detail()) : e;
	if (!hash_equal(ours, s->shown.root))
		return forked(s);
	return s->shown.size == s->kept.size ? OK : wrong(s, "it shows fewer entries than it did before");
}

/* ---- what must be there ---- */

static enum err get_level1(struct sync *s)
{
	uint64_t count = s->full - s->first;

	if (count > BUNDLES_MAX)
		return fail(ERR_TOO_LONG, "%s: %ju new entries are more than one round can take", s->round->key->name,
			    (uintmax_t)(s->shown.size - s->kept.size));
	if ((s->level1 = calloc(count + 1, sizeof(*s->level1))) == NULL)
		return ERR_NO_MEMORY;
	for (uint64_t at = s->first; at < s->full;) {
		uint64_t n = at / TILE_WIDTH, from = at % TILE_WIDTH;
		unsigned width = tile_width(1, n, s->shown.size);
		struct span body;
		bool whole;
		enum err e =
			get_tile(s, (struct tile){ 1, n, width == TILE_WIDTH ? 0 : width }, TILE_MAX, &body, &whole);

		if (e == OK && body.len != (whole ? TILE_MAX : (size_t)width * HASH_SIZE))
			e = wrong(s, "a tile is not as long as it must be");
		if (e != OK)
			return e;
		memcpy(&s->level1[at - s->first], body.at + from * HASH_SIZE, (size_t)(width - from) * HASH_SIZE);
		at += width - from;
	}
	return OK;
}

/* The root of the leaves of a bundle, of which `width` are wanted. */
static enum err sum_bundle(const struct sync *s, struct span bytes, unsigned width, bool to_the_end, struct frontier *f)
{
	struct span entry;

	*f = (struct frontier){ 0 };
	for (unsigned i = 0; i < width; i++) {
		if (bytes.len == 0 || bundle_next(&bytes, &entry) != OK)
			return wrong(s, "a bundle of entries ends too early");
		frontier_add(f, merkle_leaf(entry));
	}
	return bytes.len == 0 || !to_the_end ? OK : wrong(s, "a bundle goes on behind its entries");
}

static enum err get_tail(struct sync *s, struct frontier *f)
{
	unsigned width = (unsigned)(s->shown.size % TILE_WIDTH);
	struct span body;
	bool whole;
	enum err e;

	*f = (struct frontier){ 0 };
	if (width == 0)
		return OK;
	e = get_tile(s, (struct tile){ TILE_ENTRIES, s->full, width }, BUNDLE_MAX, &body, &whole);
	if (e == OK)
		e = sum_bundle(s, body, width, !whole, f);
	if (e != OK)
		return e;
	buffer_span(&s->tail, body);
	return s->tail.err;
}

/* Essay, point 3: the perfect subtrees of the left, then what is new, then the partial bundle. */
static enum err check_root(struct sync *s)
{
	struct frontier bundles = { .size = s->first }, last;
	struct hash root;
	enum err e = get_tail(s, &last);

	for (unsigned i = 0; e == OK && i < 56; i++)
		if ((s->first >> i & 1) != 0)
			e = ledger_reader_fetch(s->reader, 8 + i, (s->first >> i) - 1, &bundles.edge[i]);
	if (e != OK)
		return e == ERR_TILE ? fail(ERR_DAMAGED, "%s: %s", s->dir, err_detail()) : e;
	for (uint64_t n = s->first; n < s->full; n++)
		frontier_add(&bundles, s->level1[n - s->first]);
	root = last.size > 0 ? frontier_root(&last) : frontier_root(&bundles);
	for (unsigned i = 0; last.size > 0 && i < 56; i++)
		if ((bundles.size >> i & 1) != 0)
			root = merkle_node(bundles.edge[i], root);
	return hash_equal(root, s->shown.root) ? OK : wrong(s, "its tiles do not lead to its checkpoint");
}

/* ---- bundles ---- */

static enum err check_bundle(const struct sync *s, uint64_t n, struct span bytes)
{
	struct frontier f;
	enum err e = sum_bundle(s, bytes, TILE_WIDTH, true, &f);

	if (e == OK && !hash_equal(frontier_root(&f), s->level1[n - s->first]))
		e = wrong(s, "a bundle of entries does not fit its tile");
	return e;
}

/* Left there by a round that was interrupted. */
static bool is_there(struct sync *s, uint64_t n)
{
	struct tile found;
	bool good = tile_read(s->dir, (struct tile){ TILE_ENTRIES, n, 0 }, &s->file, &found) == OK &&
		    check_bundle(s, n, buffer_view(&s->file)) == OK;

	err_clear();
	return good;
}

static void want(struct sync *s, uint64_t n)
{
	char path[PATH_ROOM], file[PATH_MAX], name[TILE_PATH_MAX];

	for (uint64_t i = n + 1; i <= n + AHEAD && i < s->full; i++) {
		tile_path((struct tile){ TILE_ENTRIES, i, 0 }, name);
		if (snprintf(file, sizeof(file), "%s/%s", s->dir, name) < (int)sizeof(file) && file_exists(file))
			continue;
		tile_url(s, (struct tile){ TILE_ENTRIES, i, 0 }, path);
		peer_want(s->round->peer, path, s->is_signed);
	}
}

static enum err add_entries(struct publisher *p, struct span bytes, uint64_t skip)
{
	struct span entry;
	enum err e = OK;

	while (e == OK && bytes.len > 0) {
		e = bundle_next(&bytes, &entry);
		if (e == OK && skip > 0)
			skip--;
		else if (e == OK)
			e = publisher_add(p, entry);
	}
	return e;
}

static void tell(const struct sync *s, uint64_t size)
{
	if (s->round->host->progress != NULL)
		s->round->host->progress(s->round->host->context, s->round->ledger, size, s->shown.size);
}

static enum err take_bundles(struct sync *s, struct publisher *p)
{
	uint64_t skip = s->kept.size % TILE_WIDTH;
	enum err e = OK;

	for (uint64_t n = s->first; e == OK && n < s->full; n++) {
		struct span body;
		bool whole;

		if (is_there(s, n)) {
			body = buffer_view(&s->file);
		} else {
			e = get_tile(s, (struct tile){ TILE_ENTRIES, n, 0 }, BUNDLE_MAX, &body, &whole);
			want(s, n);
			if (e == OK)
				e = check_bundle(s, n, body);
		}
		if (e == OK)
			e = add_entries(p, body, n == s->first ? skip : 0);
		tell(s, (n + 1) * TILE_WIDTH);
	}
	if (e == OK && s->tail.len > 0)
		e = add_entries(p, buffer_view(&s->tail), s->first == s->full ? skip : 0);
	return e;
}

/* The bundle of the tail may be longer than is wanted, where the full one stands in for it. */
static enum err cut_tail(struct sync *s)
{
	struct span rest = buffer_view(&s->tail), entry;
	unsigned width = (unsigned)(s->shown.size % TILE_WIDTH);
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < width; i++)
		e = bundle_next(&rest, &entry);
	s->tail.len -= rest.len;
	return e;
}

static enum err grow(struct sync *s)
{
	struct publisher *p = NULL;
	enum err e;

	s->first = s->kept.size / TILE_WIDTH;
	s->full = s->shown.size / TILE_WIDTH;
	if ((e = get_level1(s)) != OK || (e = check_root(s)) != OK || (e = cut_tail(s)) != OK)
		return e;
	e = publisher_open(s->dir, s->kept.size, &p);
	if (e == ERR_TILE)
		e = fail(ERR_DAMAGED, "%s", err_detail());
	if (e == OK)
		e = take_bundles(s, p);
	if (e == OK)
		e = publisher_publish(p, s->shown_note);
	publisher_close(p);
	return e;
}

static enum err run(struct sync *s)
{
	enum err e = read_kept(s);

	if (e == OK)
		e = read_shown(s);
	if (e == OK)
		e = check_history(s);
	if (e == OK && (s->shown.size > s->kept.size || s->kept_note.len == 0))
		e = grow(s);
	if (e == OK) {
		s->round->fresh += s->shown.size - s->kept.size;
		s->round->size = s->shown.size;
	} else {
		s->round->size = s->kept.size;
	}
	return e;
}

enum err ledger_follow(struct ledger_round *r)
{
	struct sync s = { .round = r, .arena = arena_new((size_t)8 << 20), .is_signed = r->is_signed };
	enum err e = OK;

	s.tail = s.file = BUFFER(BUNDLE_MAX);
	s.tiles = calloc(SLOTS, sizeof(*s.tiles));
	if (s.arena == NULL || s.tiles == NULL ||
	    (s.dir = arena_print(s.arena, "%s/%s", r->dir, ledger_name(r->ledger))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = run(&s);
	ledger_reader_close(s.reader);
	buffer_free(&s.tail);
	buffer_free(&s.file);
	free(s.level1);
	free(s.tiles);
	arena_free(s.arena);
	return e;
}
