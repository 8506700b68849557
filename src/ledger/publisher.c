#include "ledger/publisher.h"

#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/edge.h"
#include "ledger/ledger_reader.h"
#include "ledger/tile.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What may lie in the folder, and when
 *
 * DIR/checkpoint is the commit point of publishing. Let P be its size. Tiles are written without fsync as they fill;
 * publishing to size S writes the partial tiles of S, syncs everything written, and only then replaces the checkpoint,
 * itself with fsync. So at any moment, and after any crash:
 *
 *   1. Every tile that the tree of P needs, full or partial, is durable and right. Nobody rewrites it: other bytes for a
 *      full tile below P mean that the disk or the journal lies, which no program may paper over (ERR_LEDGER_DIFFERS).
 *      The same holds for its entries: when the tree grows past P anew, its root there must be that of the checkpoint.
 *   2. Of tiles beyond P anything may be there: whole, empty, torn, or full of zeros, since a rename may reach the disk
 *      before the bytes do. No checkpoint speaks of them, so no reader asks for them. A full one is compared when its
 *      turn comes and replaced if it differs; a partial one is removed at start (a later checkpoint could be of another
 *      width, and the leftover would stay beside it).
 *   3. "Below P" for tile n of level l means that the tile is full in the tree of P: (n + 1) 256^(l + 1) <= P.
 *   4. A leftover with the right bytes may still be unsynced (kill -9, no power cut): it is synced like one just written.
 *      So may be the folders; the first publishing after a start syncs them all the way up.
 *   5. Partial tiles of earlier checkpoints stay until the full tile is durable and published; then their folder goes.
 *      Removing needs no fsync: what comes back after a crash is right, as it was published.
 *
 * Names never show half a file: each is written under .tmp and renamed.
 *
 * Syncing: up to MANY files are kept open and synced one by one (0.1 to 0.3 ms each), which leaves the rest of the file
 * system alone. Beyond that one syncfs(2) costs less. It must be asked on a descriptor that was open before the writing:
 * it then reports (since Linux 5.8) any write-back error in between. After a failed sync nothing is known any more: the
 * caller stops the process (ERR_SYNC).
 */
#define MANY 16

#define FILE_MODE 0644
#define FOLDER_MODE 0755
#define NOTE_MAX ((size_t)1 << 20)
#define BUNDLE_MAX ((size_t)TILE_WIDTH * (2 + ENTRY_MAX))

struct written {
	int fd;
	bool new_folder; /* the folders above the last one may be new too */
	char name[TILE_PATH_MAX];
};

struct publisher {
	char *dir;
	int dir_fd;
	enum err err;
	struct edge edge;
	struct buffer bundle; /* the entries of the last, partial bundle */
	struct arena *arena;  /* for one checkpoint or one entry */
	/* DIR/checkpoint; size 0 if there is none */
	uint64_t published;
	struct hash published_root;
	/* since the last publishing */
	uint64_t partials_size; /* whose partial tiles are there and synced */
	bool first;
	bool many; /* too many to keep: written[] is empty, syncfs will do */
	struct written written[MANY];
	size_t written_count;
};

const struct frontier *publisher_frontier(const struct publisher *p)
{
	return &p->edge.frontier;
}

static enum err path_of(const struct publisher *p, const char *name, const char *end, char out[PATH_MAX])
{
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s%s", p->dir, name, end) >= PATH_MAX)
		return fail(ERR_IO, "%s: the path is too long", p->dir);
	return OK;
}

/* Keeps the descriptor for the sync to come, or gives up keeping them. */
static void remember(struct publisher *p, int fd, const char *name, bool new_folder)
{
	struct written *w;

	if (!p->many && p->written_count == MANY) {
		while (p->written_count > 0)
			close(p->written[--p->written_count].fd);
		p->many = true;
	}
	if (p->many) {
		close(fd);
		return;
	}
	w = &p->written[p->written_count++];
	w->fd = fd;
	w->new_folder = new_folder || p->first;
	snprintf(w->name, sizeof(w->name), "%s", name);
}

static enum err make_parent(char path[PATH_MAX])
{
	char *slash = strrchr(path, '/');
	enum err e;

	*slash = '\0';
	e = folder_make(path, FOLDER_MODE);
	*slash = '/';
	return e;
}

static enum err write_tile(struct publisher *p, struct tile t, struct span content)
{
	char name[TILE_PATH_MAX], path[PATH_MAX], temporary[PATH_MAX];
	bool new_folder = false;
	enum err e;
	int fd;

	tile_path(t, name);
	if ((e = path_of(p, name, "", path)) != OK || (e = path_of(p, name, ".tmp", temporary)) != OK)
		return e;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd == -1 && errno == ENOENT) {
		if ((e = make_parent(path)) != OK)
			return e;
		new_folder = true;
		fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	}
	if (fd == -1)
		return fail_errno("%s", temporary);
	e = file_write_all(fd, content.at, content.len);
	if (e == OK && rename(temporary, path) == -1)
		e = fail_errno("%s", path);
	if (e == OK)
		remember(p, fd, name, new_folder);
	else
		close(fd);
	return e;
}

/* Whether the file holds just these bytes; if so *fd is left open. A file that is not there does not. */
static enum err compare(const char *path, struct span content, bool *exists, bool *same, int *fd)
{
	char part[8192];
	struct stat st;
	enum err e = OK;

	*exists = *same = false;
	if ((*fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return errno == ENOENT ? OK : fail_errno("%s", path);
	*exists = true;
	if (fstat(*fd, &st) == -1)
		e = fail_errno("%s", path);
	*same = e == OK && S_ISREG(st.st_mode) && (uintmax_t)st.st_size == content.len;
	for (size_t at = 0; *same && at < content.len; at += sizeof(part)) {
		size_t n = content.len - at < sizeof(part) ? content.len - at : sizeof(part);

		e = file_read_at(*fd, part, n, at);
		*same = e == OK && memcmp(part, content.at + at, n) == 0;
	}
	if (!*same) {
		close(*fd);
		*fd = -1;
	}
	return e;
}

/* A tile or bundle that is now full: essay, points 1, 2 and 4. */
static enum err write_full(struct publisher *p, int level, uint64_t n, struct span content)
{
	bool below = tile_width(level, n, p->published) == TILE_WIDTH, exists, same;
	char name[TILE_PATH_MAX], path[PATH_MAX];
	struct tile t = { level, n, 0 };
	enum err e;
	int fd;

	tile_path(t, name);
	if ((e = path_of(p, name, "", path)) != OK || (e = compare(path, content, &exists, &same, &fd)) != OK)
		return e;
	if (same)
		remember(p, fd, name, true);
	else if (exists && below)
		e = fail(ERR_LEDGER_DIFFERS, "%s: other bytes are already published", path);
	else
		e = write_tile(p, t, content);
	return e;
}

static enum err write_filled(struct publisher *p, unsigned filled)
{
	uint64_t last = p->edge.frontier.size - 1;
	enum err e = write_full(p, TILE_ENTRIES, last / TILE_WIDTH, buffer_view(&p->bundle));

	for (unsigned level = 0; e == OK && level < filled && level < TILE_LEVELS; level++)
		e = write_full(p, (int)level, (last >> (8 * level)) / TILE_WIDTH,
			       span_make(p->edge.levels[level], sizeof(p->edge.levels[level])));
	buffer_clear(&p->bundle);
	return e;
}

enum err publisher_add(struct publisher *p, struct span entry)
{
	unsigned filled;

	if (p->err != OK)
		return p->err;
	if (entry.len > ENTRY_MAX)
		return fail(ERR_TOO_LONG, "an entry of %zu bytes; at most %d", entry.len, ENTRY_MAX);
	bundle_append(&p->bundle, entry);
	p->err = p->bundle.err;
	filled = edge_add(&p->edge, merkle_leaf(entry));
	if (p->err == OK && filled > 0)
		p->err = write_filled(p, filled);
	if (p->err == OK && p->edge.frontier.size == p->published &&
	    !hash_equal(frontier_root(&p->edge.frontier), p->published_root))
		p->err = fail(ERR_LEDGER_DIFFERS, "%s: the published ledger of %ju entries has another root", p->dir,
			      (uintmax_t)p->published);
	return p->err;
}

/* Whether a level has as many hashes in both trees: then so has its partial tile. */
static bool level_same(int level, uint64_t a, uint64_t b)
{
	return tile_last(level, a) == tile_last(level, b) &&
	       tile_width(level, tile_last(level, a), a) == tile_width(level, tile_last(level, b), b);
}

static enum err write_partials(struct publisher *p)
{
	uint64_t size = p->edge.frontier.size;
	enum err e = OK;

	for (int level = 0; e == OK && level < TILE_LEVELS; level++) {
		struct tile t = { level, tile_last(level, size), 0 };

		t.width = tile_width(level, t.n, size);
		if (t.width == 0 || level_same(level, size, p->partials_size))
			continue;
		e = write_tile(p, t, span_make(p->edge.levels[level], (size_t)t.width * HASH_SIZE));
		t.level = TILE_ENTRIES;
		if (e == OK && level == 0)
			e = write_tile(p, t, buffer_view(&p->bundle));
	}
	return e;
}

/* Whether an earlier file of this round had this folder synced: its own folder always, those above if they may be new. */
static bool folder_done(const struct publisher *p, size_t before, const char *name, size_t length)
{
	for (size_t i = 0; i < before; i++) {
		const struct written *w = &p->written[i];
		bool inside = length == 0 || (strncmp(w->name, name, length) == 0 && w->name[length] == '/');

		if (inside && (w->new_folder || strchr(w->name + length + 1, '/') == NULL))
			return true;
	}
	return false;
}

static enum err sync_folders(struct publisher *p, size_t i)
{
	struct written *w = &p->written[i];
	char path[PATH_MAX], name[TILE_PATH_MAX];
	enum err e = OK;
	char *slash;

	memcpy(name, w->name, sizeof(name));
	while ((slash = strrchr(name, '/')) != NULL) {
		*slash = '\0';
		if (!folder_done(p, i, name, strlen(name)) && (e = path_of(p, name, "", path)) == OK)
			e = folder_sync(path);
		if (e != OK || !w->new_folder)
			return e;
	}
	return folder_done(p, i, "", 0) ? OK : folder_sync(p->dir);
}

static enum err sync_written(struct publisher *p)
{
	enum err e = OK;

	if (p->many && syncfs(p->dir_fd) == -1)
		e = fail(ERR_SYNC, "%s: syncfs: %s", p->dir, strerror(errno));
	for (size_t i = 0; e == OK && i < p->written_count; i++)
		if (fsync(p->written[i].fd) == -1)
			e = fail(ERR_SYNC, "%s/%s: fsync: %s", p->dir, p->written[i].name, strerror(errno));
	for (size_t i = 0; e == OK && i < p->written_count; i++)
		e = sync_folders(p, i);
	while (p->written_count > 0)
		close(p->written[--p->written_count].fd);
	p->many = false;
	return e;
}

/* Empties DIR/tile/<level>/<n>.p of every width over `keep`, and of anything that is no width. */
static void remove_partials(const struct publisher *p, int level, uint64_t n, unsigned keep)
{
	char name[TILE_PATH_MAX], path[PATH_MAX];
	struct dirent *d;
	uint64_t width;
	DIR *folder;

	tile_path((struct tile){ level, n, 0 }, name);
	if (path_of(p, name, ".p", path) != OK || (folder = opendir(path)) == NULL)
		return;
	while ((d = readdir(folder)) != NULL)
		if (span_u64(span_of(d->d_name), TILE_WIDTH - 1, &width) != OK || width == 0 || width > keep)
			unlinkat(dirfd(folder), d->d_name, 0); /* fails for . and .., and no harm if it fails else */
	closedir(folder);
	if (keep == 0)
		rmdir(path);
}

/* Tiles that became full since the last checkpoint need no partial ones any more. */
static void remove_outgrown(const struct publisher *p, uint64_t before, uint64_t size)
{
	for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++)
		for (uint64_t n = tile_last(level, before); n < tile_last(level, size); n++)
			remove_partials(p, level, n, 0);
}

/* The note of a checkpoint without its signature: whoever made it has checked that. */
static enum err read_checkpoint(struct publisher *p, struct span text, struct checkpoint *out)
{
	struct note n;
	enum err e = note_parse(p->arena, text, &n);

	return e == OK ? checkpoint_parse(n.text, out) : e;
}

enum err publisher_publish(struct publisher *p, struct span checkpoint_note)
{
	uint64_t size = p->edge.frontier.size, before = p->published;
	struct checkpoint c = { 0 };
	char path[PATH_MAX];
	enum err e;

	if (p->err != OK)
		return p->err;
	arena_reset(p->arena);
	if ((e = read_checkpoint(p, checkpoint_note, &c)) != OK)
		return e;
	assert(c.size == size && hash_equal(c.root, frontier_root(&p->edge.frontier)));
	if (size < p->published)
		p->err = fail(ERR_LEDGER_DIFFERS, "%s: %ju entries are already published, more than %ju", p->dir,
			      (uintmax_t)p->published, (uintmax_t)size);
	if (p->err == OK)
		p->err = write_partials(p);
	if (p->err == OK)
		p->err = sync_written(p);
	if (p->err == OK)
		p->err = path_of(p, "checkpoint", "", path);
	if (p->err == OK)
		p->err = file_write(path, checkpoint_note, FILE_MODE);
	if (p->err != OK)
		return p->err;
	p->first = false;
	p->partials_size = p->published = size;
	p->published_root = c.root;
	remove_outgrown(p, before, size);
	return OK;
}

static enum err read_published(struct publisher *p)
{
	struct checkpoint c = { 0 };
	char path[PATH_MAX];
	struct span text;
	enum err e = path_of(p, "checkpoint", "", path);

	if (e == OK)
		e = file_read(p->arena, path, NOTE_MAX, &text);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK)
		return e;
	if (read_checkpoint(p, text, &c) != OK)
		return fail(ERR_DAMAGED, "%s: not a checkpoint; move the folder away and publish anew", path);
	p->published = c.size;
	p->published_root = c.root;
	return OK;
}

/* The hashes of the right edge at `size`, which may be smaller than what is published. */
static enum err read_edge(struct edge *edge, uint64_t size, struct ledger_reader *r)
{
	enum err e = OK;

	edge->frontier.size = size;
	for (unsigned i = 0; e == OK && i < 64; i++)
		if ((size >> i & 1) != 0)
			e = ledger_reader_fetch(r, i, (size >> i) - 1, &edge->frontier.edge[i]);
	for (unsigned level = 0; e == OK && level < TILE_LEVELS; level++) {
		uint64_t n = tile_last((int)level, size);
		unsigned width = tile_width((int)level, n, size);

		for (unsigned i = 0; e == OK && i < width; i++)
			e = ledger_reader_fetch(r, 8 * level, n * TILE_WIDTH + i, &edge->levels[level][i]);
	}
	return e;
}

/* The tree of `size` must be the beginning of the published one. All hashes of the edge enter its root, so this checks
 * each of them. */
static enum err check_edge(const struct publisher *p, struct ledger_reader *r)
{
	struct hash root = frontier_root(&p->edge.frontier);
	struct merkle_proof proof;
	enum err e = merkle_consistency(p->edge.frontier.size, p->published, ledger_reader_fetch, r, &proof);

	if (e == OK && merkle_verify_consistency(p->edge.frontier.size, p->published, proof.hashes, proof.count, root,
						 p->published_root) != OK)
		e = fail(ERR_TILE, "%s: the tiles do not fit the checkpoint", p->dir);
	return e;
}

static enum err read_bundle(struct publisher *p, struct ledger_reader *r)
{
	uint64_t size = p->edge.frontier.size, first = size - size % TILE_WIDTH;
	enum err e = OK;

	for (uint64_t i = first; e == OK && i < size; i++) {
		struct span entry;

		arena_reset(p->arena);
		e = ledger_reader_entry(r, p->arena, i, &entry);
		if (e == OK && !hash_equal(merkle_leaf(entry), p->edge.levels[0][i - first]))
			e = fail(ERR_TILE, "%s: entry %ju does not fit its tile", p->dir, (uintmax_t)i);
		if (e == OK) {
			bundle_append(&p->bundle, entry);
			e = p->bundle.err;
		}
	}
	return e;
}

static enum err go_on(struct publisher *p, uint64_t size)
{
	struct ledger_reader *r = NULL;
	enum err e;

	if (size > p->published)
		return fail(ERR_TILE, "%s: %ju entries are published, not %ju", p->dir, (uintmax_t)p->published,
			    (uintmax_t)size);
	if ((e = ledger_reader_open(p->dir, &r)) != OK)
		return e;
	ledger_reader_set_size(r, p->published);
	e = read_edge(&p->edge, size, r);
	if (e == OK)
		e = check_edge(p, r);
	if (e == OK)
		e = read_bundle(p, r);
	if (e == OK && size == p->published)
		p->partials_size = size;
	ledger_reader_close(r);
	return e;
}

/* Essay, points 2 and 5: partial tiles beyond the checkpoint, and those that it outgrew just before a crash. */
static void remove_leftovers(const struct publisher *p)
{
	for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
		uint64_t n = tile_last(level, p->published);

		remove_partials(p, level, n, tile_width(level, n, p->published));
		if (n > 0)
			remove_partials(p, level, n - 1, 0);
	}
}

enum err publisher_open(const char *dir, uint64_t size, struct publisher **out)
{
	struct publisher *p = calloc(1, sizeof(*p));
	enum err e = size == 0 ? folder_make(dir, FOLDER_MODE) : OK;

	if (p == NULL)
		return ERR_NO_MEMORY;
	p->dir_fd = -1;
	p->first = true;
	p->bundle = BUFFER(BUNDLE_MAX);
	if (e == OK && ((p->dir = strdup(dir)) == NULL || (p->arena = arena_new(4 * NOTE_MAX)) == NULL))
		e = ERR_NO_MEMORY;
	if (e == OK && (p->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		e = fail_errno("%s", dir);
	if (e == OK)
		e = read_published(p);
	if (e == OK && size > 0)
		e = go_on(p, size);
	if (e != OK) {
		publisher_close(p);
		return e;
	}
	remove_leftovers(p);
	*out = p;
	return OK;
}

void publisher_close(struct publisher *p)
{
	if (p == NULL)
		return;
	while (p->written_count > 0)
		close(p->written[--p->written_count].fd);
	if (p->dir_fd != -1)
		close(p->dir_fd);
	buffer_free(&p->bundle);
	arena_free(p->arena);
	free(p->dir);
	free(p);
}
