/* The ledgers as any tile client reads them (C2SP tlog-tiles), and proofs of single entries (C2SP tlog-proof).
 *
 * Paths have one spelling: what is asked for is parsed, and the file's name is made from the result. A partial tile that is
 * gone is the first part of the full one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "exchange/readership.h"
#include "exchange/server_private.h"
#include "ledger/entry.h"
#include "ledger/tiles.h"

#define CHECKPOINT_MAX 65536
#define TILE_BYTES ((size_t)TILE_WIDTH * (2 + ENTRY_MAX))

static enum err nothing(void)
{
	return ERR_NOT_FOUND;
}

static enum err which_ledger(const struct http_request *r, enum ledger_id *out)
{
	for (int l = 0; l < LEDGER_COUNT; l++)
		if (span_is(r->parts[0], ledger_name((enum ledger_id)l))) {
			*out = (enum ledger_id)l;
			return OK;
		}
	return nothing();
}

/* Whether the caller may read all entries up to this one. What is not there, nobody may. */
static enum err may_read(const struct server *s, struct http_request *r, enum ledger_id l, uint64_t newest)
{
	struct span text;
	struct entry entry;
	int64_t logged_ms = INT64_MAX;
	enum err e;

	if (l == LEDGER_PUBLIC || readership_tiles(request_caller(r), l, logged_ms, 0, 0))
		return OK;
	if ((e = node_entry(s->node, r->arena, l, newest, &text)) == OK && (e = entry_parse(text, &entry)) == OK)
		logged_ms = entry.logged_ms;
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	return e == OK && readership_tiles(request_caller(r), l, logged_ms, clock_now_ms(), s->config->circle_delay_ms)
		       ? OK
		       : nothing();
}

/* A cache that others share may keep what everyone may see. */
static void cache(struct http_answer *out, enum ledger_id l, const char *public_for, const char *private_for)
{
	http_add_header(out, "Cache-Control", span_of(l == LEDGER_PUBLIC ? public_for : private_for));
}

/* ---- checkpoint ---- */

static enum err read_checkpoint(const struct server *s, struct http_request *r, enum ledger_id l, struct span *note,
				uint64_t *size)
{
	char *path = arena_print(r->arena, "%s/ledger/%s/checkpoint", node_dir(s->node), ledger_name(l));
	struct note n;
	struct checkpoint c;
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(r->arena, path, CHECKPOINT_MAX, note);

	if (e == OK && (e = note_parse(r->arena, *note, &n)) == OK && (e = checkpoint_parse(n.text, &c)) == OK)
		*size = c.size;
	return e;
}

/* A list of tags, or `*` (RFC 9110, 13.1.2); ours has no comma in it. */
static bool has_tag(const struct http_request *r, struct span tag)
{
	struct span rest;

	if (!http_header(r, "If-None-Match", &rest))
		return false;
	while (rest.at != NULL) {
		struct span one = span_trim(span_cut(&rest, ','));

		if (span_starts(one, "W/"))
			one = span_from(one, 2);
		if (span_equal(one, tag) || span_is(one, "*"))
			return true;
	}
	return false;
}

static enum err checkpoint(const struct server *s, struct http_request *r, struct http_answer *out)
{
	enum ledger_id l = LEDGER_PUBLIC;
	char hex[HASH_HEX + 1], *tag;
	struct span note;
	uint64_t size = 0;
	enum err e = which_ledger(r, &l);

	if (e == OK)
		e = read_checkpoint(s, r, l, &note, &size);
	if (e == OK && l != LEDGER_PUBLIC)
		e = may_read(s, r, l, size > 0 ? size - 1 : 0);
	if (e != OK)
		return e;
	hash_hex(hash_span(note), hex);
	if ((tag = arena_print(r->arena, "\"%.32s\"", hex)) == NULL)
		return ERR_NO_MEMORY;
	out->status = 200;
	if (has_tag(r, span_of(tag))) {
		out->status = 304;
	} else {
		out->media_type = "text/plain; charset=utf-8";
		out->body = note;
	}
	http_add_header(out, "ETag", span_of(tag));
	cache(out, l, "public, max-age=1", "private, no-cache");
	return OK;
}

/* ---- tiles ---- */

/* The last entry under a tile. */
static enum err last_under(struct tile t, uint64_t *out)
{
	uint64_t end = t.n;

	if (__builtin_mul_overflow(end, (uint64_t)TILE_WIDTH, &end) ||
	    __builtin_add_overflow(end, (uint64_t)(t.width != 0 ? t.width : TILE_WIDTH), &end))
		return nothing();
	for (int level = 0; level < t.level; level++)
		if (__builtin_mul_overflow(end, (uint64_t)TILE_WIDTH, &end))
			return nothing();
	*out = end - 1;
	return OK;
}

static enum err open_tile(struct http_request *r, const char *dir, struct tile t, int *fd, uint64_t *size)
{
	char relative[TILE_PATH_MAX], *path;
	struct stat st;

	tile_path(t, relative);
	if ((path = arena_print(r->arena, "%s/%s", dir, relative)) == NULL)
		return ERR_NO_MEMORY;
	if ((*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return fail_errno("%s", path);
	if (fstat(*fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(*fd);
		*fd = -1;
		return fail(ERR_IO, "%s: no file", path);
	}
	*size = (uint64_t)st.st_size;
	return OK;
}

/* The first part of the full tile, for a partial one that is gone. */
static enum err part_of_full(const char *dir, struct tile t, struct http_answer *out)
{
	struct buffer full = BUFFER(TILE_BYTES);
	struct tile found;
	struct span rest, entry;
	enum err e = tile_read(dir, t, &full, &found);
	size_t length = (size_t)t.width * HASH_SIZE;

	rest = buffer_view(&full);
	if (t.level == TILE_ENTRIES) {
		for (unsigned i = 0; e == OK && i < t.width; i++)
			e = rest.len > 0 ? bundle_next(&rest, &entry) : ERR_TILE;
		length = full.len - rest.len;
	}
	if (e == OK && length > full.len)
		e = fail(ERR_DAMAGED, "%s: a tile is too short", dir);
	if (e != OK) {
		buffer_free(&full);
		return e;
	}
	out->body = span_make(full.at, length);
	out->owned = full.at;
	return OK;
}

static enum err tile(const struct server *s, struct http_request *r, struct http_answer *out)
{
	enum ledger_id l = LEDGER_PUBLIC;
	struct tile t = { 0 };
	uint64_t last = 0;
	char *dir;
	enum err e = which_ledger(r, &l);

	if (e == OK && tile_parse_path(span_from(r->path, strlen("/ledger//") + r->parts[0].len), &t) != OK)
		e = nothing();
	if (e == OK && (e = last_under(t, &last)) == OK)
		e = may_read(s, r, l, last);
	if (e != OK)
		return e;
	if ((dir = arena_print(r->arena, "%s/ledger/%s", node_dir(s->node), ledger_name(l))) == NULL)
		return ERR_NO_MEMORY;
	e = open_tile(r, dir, t, &out->file, &out->file_size);
	if (e == ERR_NOT_FOUND && t.width != 0)
		e = part_of_full(dir, t, out);
	if (e != OK)
		return e;
	out->status = 200;
	out->media_type = "application/octet-stream";
	cache(out, l, "public, max-age=31536000, immutable", "private, max-age=31536000, immutable");
	return OK;
}

/* ---- proof ---- */

static enum err proof(const struct server *s, struct http_request *r, struct http_answer *out)
{
	enum ledger_id l = LEDGER_PUBLIC;
	uint64_t index = 0;
	enum err e = which_ledger(r, &l);

	if (e == OK && span_u64(r->parts[1], INT64_MAX, &index) != OK)
		e = nothing();
	if (e == OK)
		e = may_read(s, r, l, index);
	if (e == OK)
		e = node_receipt(s->node, r->arena, l, index, &out->body);
	if (e != OK)
		return e;
	out->status = 200;
	out->media_type = "text/plain; charset=utf-8";
	cache(out, l, "public, no-cache", "private, no-cache");
	return OK;
}

/* ---- doors ---- */

typedef enum err tile_answer(const struct server *s, struct http_request *r, struct http_answer *out);

static enum http_next give(const struct server *s, struct http_request *r, tile_answer *answer, struct http_answer *out)
{
	enum err e = answer(s, r, out);

	if (e != OK)
		server_fail(s, r, e, out);
	return HTTP_NOW;
}

static enum http_next get_checkpoint(void *context, struct http_request *r, struct http_answer *out)
{
	return give(context, r, checkpoint, out);
}

static enum http_next get_tile(void *context, struct http_request *r, struct http_answer *out)
{
	return give(context, r, tile, out);
}

static enum http_next get_proof(void *context, struct http_request *r, struct http_answer *out)
{
	return give(context, r, proof, out);
}

/* A tile's index has one to seven groups of digits, and a partial one its width behind them. */
const struct http_door tile_doors[] = {
	{ HTTP_GET, "/ledger/*/checkpoint", 0, DOOR_OPEN, get_checkpoint },
	{ HTTP_GET, "/ledger/*/proof/*", 0, DOOR_OPEN, get_proof },
	{ HTTP_GET, "/ledger/*/tile/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*/*/*/*/*", 0, DOOR_OPEN, get_tile },
	{ HTTP_GET, "/ledger/*/tile/*/*/*/*/*/*/*/*/*", 0, DOOR_OPEN, get_tile },
};
const size_t tile_door_count = sizeof(tile_doors) / sizeof(tile_doors[0]);
