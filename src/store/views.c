/*
 * Why commits need no sync
 *
 * Everything here can be made again from the journal, and the position is stored in the transaction that it describes.
 * A process that dies leaves its transactions in the kernel's cache, whole. Only when the machine itself goes down may
 * the file be torn, and LMDB cannot tell. So while a writer has the folder open, a file `boot` names the boot of the
 * machine; it goes after a sync at the clean close. Found with another boot's name, the views are not to be trusted.
 */
#include "store/views.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/reader.h"
#include "store/memo.h"

#define MAP_SIZE ((size_t)64 << 30)		       /* address space, not disk */
#define READERS_SIZE ((off_t)64 * (VIEWS_READERS + 2)) /* LMDB takes a line of the cache for each, and a head */
#define ROOM_LEFT 65536				       /* bytes: less is none */
#define BOOT_SIZE 64

struct views {
	MDB_env *env;
	MDB_dbi tables[VIEW_COUNT], meta;
	bool writer;
	struct memo *memo; /* of the state, for the writer: what an entry's checks ask for, its fold asks for again */
	char *dir;
};

struct snapshot {
	MDB_txn *txn;
	const struct views *views;
	bool writer;
	int64_t note;
};

static const char *const names[VIEW_COUNT] = { "state",	    "entries", "bodies",  "own",
					       "sightings", "feeds",   "objects", "object-keys" };

struct view_cursor {
	MDB_cursor *cursor;
	const char *dir;
	struct memo *memo;
	bool appends; /* what was added came behind everything so far */
};

const char *view_name(enum view t)
{
	assert((unsigned)t < VIEW_COUNT);
	return names[t];
}

/* LMDB calls a write that came out short an I/O error. On a disk without room it is the room that is lacking. */
static int cause(const char *dir, int rc)
{
	struct statvfs s;

	if (rc == EIO && statvfs(dir, &s) == 0 && (uint64_t)s.f_bavail * s.f_frsize < ROOM_LEFT)
		return ENOSPC;
	return rc;
}

static enum err failed(const char *dir, int rc)
{
	rc = cause(dir, rc);
	switch (rc) {
	case 0:
		return OK;
	case MDB_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return fail(ERR_DAMAGED, "%s: %s; remove that folder, and the next command that writes makes it anew",
			    dir, mdb_strerror(rc));
	case MDB_MAP_FULL:
		return fail(ERR_IO, "%s: the views have reached %zu GiB; stop long readers, then rebuild the views",
			    dir, MAP_SIZE >> 30);
	case MDB_READERS_FULL:
		return fail(ERR_BUSY, "%s: %d readers at once", dir, VIEWS_READERS);
	case ENOENT:
		return fail(ERR_NOT_FOUND, "%s: no views", dir);
	default:
		return fail(rc > 0 ? err_of_errno(rc) : ERR_IO, "%s: %s", dir, mdb_strerror(rc));
	}
}

/* ---- the boot ---- */

static enum err read_small(const char *path, char out[BOOT_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return errno == ENOENT ? ERR_NOT_FOUND : fail_errno("%s", path);
	n = read(fd, out, BOOT_SIZE - 1);
	close(fd);
	if (n == -1)
		return fail_errno("%s", path);
	out[n] = '\0';
	return OK;
}

static char *path_of(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) == -1 ? NULL : path;
}

/* A writer also leaves its own mark. */
static enum err boot_check(const char *dir, bool writer)
{
	char *path = path_of(dir, "boot"), now[BOOT_SIZE], then[BOOT_SIZE];
	enum err e;

	if (path == NULL)
		return fail(ERR_NO_MEMORY, "%s", dir);
	if ((e = read_small("/proc/sys/kernel/random/boot_id", now)) == ERR_NOT_FOUND)
		e = fail(ERR_IO, "/proc/sys/kernel/random/boot_id: not there; mount /proc");
	if (e == OK && (e = read_small(path, then)) == OK && strcmp(now, then) != 0)
		e = fail(ERR_DAMAGED, "%s: the machine went down while the views were in use", dir);
	if (e == ERR_NOT_FOUND)
		e = writer ? file_write(path, span_of(now), 0600) : OK;
	free(path);
	return e;
}

/* ---- opening ---- */

/* Views without a position are new: they are of the make of who opens them. Those of make 1 do not say so. */
static enum err check_make(struct views *v, MDB_txn *txn)
{
	MDB_val name = { 4, "make" }, position = { 8, "position" }, value;
	uint8_t make = VIEWS_MAKE;
	int rc = mdb_get(txn, v->meta, &name, &value);

	if (rc == 0 && (value.mv_size != 1 || *(const uint8_t *)value.mv_data != VIEWS_MAKE))
		return fail(ERR_DAMAGED, "%s: of another make", v->dir);
	if (rc != MDB_NOTFOUND)
		return failed(v->dir, rc);
	if ((rc = mdb_get(txn, v->meta, &position, &value)) == 0)
		return fail(ERR_DAMAGED, "%s: of an older make", v->dir);
	if (rc != MDB_NOTFOUND || !v->writer)
		return rc == MDB_NOTFOUND ? OK : failed(v->dir, rc);
	value = (MDB_val){ sizeof(make), &make };
	return failed(v->dir, mdb_put(txn, v->meta, &name, &value, 0));
}

static enum err open_tables(struct views *v)
{
	unsigned flags = v->writer ? MDB_CREATE : 0;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(v->env, NULL, v->writer ? 0 : MDB_RDONLY, &txn);
	enum err e;

	if (rc == 0)
		rc = mdb_dbi_open(txn, "meta", flags, &v->meta);
	for (int t = 0; rc == 0 && t < VIEW_COUNT; t++)
		rc = mdb_dbi_open(txn, names[t], flags, &v->tables[t]);
	e = rc == 0 ? check_make(v, txn) : failed(v->dir, rc);
	if (e == OK)
		return failed(v->dir, mdb_txn_commit(txn));
	mdb_txn_abort(txn);
	return e;
}

/* LMDB meets pages that make no tree, in a place where it cannot return: only damage does that. The exit code is that of
 * ERR_DAMAGED (cli.h). */
static void no_such_tree(MDB_env *env, const char *why)
{
	fprintf(stderr,
		"comity: damaged: %s: %s\n  Remove that folder, and the next command that writes makes it anew.\n",
		(const char *)mdb_env_get_userctx(env), why);
	_exit(4);
}

/* LMDB writes its table of readers through a mapping, and a full disk would kill us there (SIGBUS). So its blocks are
 * taken before, with an error that can be told. What cannot be made or reserved here is left to LMDB. */
static enum err reserve_readers(const struct views *v)
{
	char *path = path_of(v->dir, "lock.mdb");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	enum err e = path == NULL ? ERR_NO_MEMORY : OK;

	if (fd != -1 && fallocate(fd, 0, 0, READERS_SIZE) == -1 && err_of_errno(errno) == ERR_DISK_FULL)
		e = fail_errno("%s", path);
	if (fd != -1)
		close(fd);
	free(path);
	return e;
}

static enum err open_env(struct views *v)
{
	unsigned flags = MDB_NOTLS | (v->writer ? MDB_NOSYNC | MDB_NOMETASYNC : MDB_RDONLY);
	int rc = mdb_env_create(&v->env), dead;

	if (rc == 0)
		rc = mdb_env_set_userctx(v->env, v->dir);
	if (rc == 0)
		rc = mdb_env_set_assert(v->env, no_such_tree);
	if (rc == 0)
		rc = mdb_env_set_mapsize(v->env, MAP_SIZE);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(v->env, VIEW_COUNT + 1);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(v->env, VIEWS_READERS);
	if (rc == 0)
		rc = mdb_env_open(v->env, v->dir, flags, 0600);
	if (rc == 0)
		rc = mdb_reader_check(v->env, &dead); /* a killed reader would keep old pages alive */
	return failed(v->dir, rc);
}

static void release(struct views *v)
{
	if (v->env != NULL)
		mdb_env_close(v->env);
	memo_free(v->memo);
	free(v->dir);
	free(v);
}

enum err views_open(const char *dir, bool writer, struct views **out)
{
	struct views *v = calloc(1, sizeof(*v));
	enum err e = OK;

	if (v == NULL || (v->dir = strdup(dir)) == NULL) {
		free(v);
		return fail(ERR_NO_MEMORY, "%s", dir);
	}
	v->writer = writer;
	if (writer && (v->memo = memo_new()) == NULL)
		e = fail(ERR_NO_MEMORY, "%s", dir);
	if (e == OK && writer)
		e = folder_make(dir, 0700);
	if (e == OK)
		e = boot_check(dir, writer);
	if (e == OK)
		e = reserve_readers(v);
	if (e == OK)
		e = open_env(v);
	if (e == OK)
		e = open_tables(v);
	if (e != OK) {
		release(v);
		return e;
	}
	*out = v;
	return OK;
}

void views_close(struct views *v)
{
	char *boot;

	if (v == NULL)
		return;
	if (v->writer && mdb_env_sync(v->env, 1) == 0 && (boot = path_of(v->dir, "boot")) != NULL) {
		unlink(boot);
		free(boot);
	}
	release(v);
}

void views_leave(struct views *v)
{
	if (v != NULL)
		release(v);
}

enum err views_destroy(const char *dir)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "boot" };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = path_of(dir, files[i]);

		if (path == NULL)
			return fail(ERR_NO_MEMORY, "%s", dir);
		if (unlink(path) == -1 && errno != ENOENT)
			e = fail_errno("%s", path);
		free(path);
	}
	return e;
}

/* ---- transactions ---- */

static enum err begin(struct views *v, bool writer, struct snapshot **out)
{
	struct snapshot *s = malloc(sizeof(*s));
	int rc;

	if (s == NULL)
		return fail(ERR_NO_MEMORY, "%s", v->dir);
	*s = (struct snapshot){ .views = v, .writer = writer };
	if ((rc = mdb_txn_begin(v->env, NULL, writer ? 0 : MDB_RDONLY, &s->txn)) != 0) {
		free(s);
		return failed(v->dir, rc);
	}
	if (writer)
		memo_clear(v->memo);
	*out = s;
	return OK;
}

enum err views_read(struct views *v, struct snapshot **out)
{
	return begin(v, false, out);
}

enum err views_write(struct views *v, struct snapshot **out)
{
	if (!v->writer)
		return fail(ERR_USAGE, "%s: the views are open for reading only", v->dir);
	return begin(v, true, out);
}

enum err snapshot_commit(struct snapshot *s)
{
	enum err e = failed(s->views->dir, mdb_txn_commit(s->txn));

	free(s);
	return e;
}

int64_t *snapshot_note(struct snapshot *s)
{
	return &s->note;
}

void snapshot_end(struct snapshot *s)
{
	if (s == NULL)
		return;
	mdb_txn_abort(s->txn);
	free(s);
}

/* ---- values ---- */

static MDB_val val_of(struct span s)
{
	return (MDB_val){ .mv_size = s.len, .mv_data = (void *)(uintptr_t)s.at };
}

static struct span span_of_val(MDB_val v)
{
	return span_make(v.mv_data, v.mv_size);
}

static enum err get(struct snapshot *s, MDB_dbi table, struct span key, struct span *value)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_get(s->txn, table, &k, &v);

	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc == 0)
		*value = span_of_val(v);
	return failed(s->views->dir, rc);
}

static enum err put(struct snapshot *s, MDB_dbi table, struct span key, struct span value)
{
	MDB_val k = val_of(key), v = val_of(value);

	return failed(s->views->dir, mdb_put(s->txn, table, &k, &v, 0));
}

static struct memo *memo_of(const struct snapshot *s, enum view t)
{
	return s->writer && t == VIEW_STATE ? s->views->memo : NULL;
}

enum err view_get(struct snapshot *s, enum view t, struct span key, struct span *value)
{
	struct memo *memo = memo_of(s, t);
	enum err e;

	if (memo != NULL && memo_get(memo, key, value))
		return OK;
	e = get(s, s->views->tables[t], key, value);
	if (e == OK && memo != NULL)
		memo_keep(memo, key, *value);
	return e;
}

enum err view_put(struct snapshot *s, enum view t, struct span key, struct span value)
{
	if (memo_of(s, t) != NULL)
		memo_drop(memo_of(s, t), key);
	return put(s, s->views->tables[t], key, value);
}

enum err view_delete(struct snapshot *s, enum view t, struct span key)
{
	MDB_val k = val_of(key);
	int rc;

	if (memo_of(s, t) != NULL)
		memo_drop(memo_of(s, t), key);
	rc = mdb_del(s->txn, s->views->tables[t], &k, NULL);
	return rc == MDB_NOTFOUND ? ERR_NOT_FOUND : failed(s->views->dir, rc);
}

enum err view_walk(struct snapshot *s, enum view t, struct span prefix, struct span from, view_each *each,
		   void *context)
{
	struct span start = from.len > 0 && span_compare(from, prefix) > 0 ? from : prefix;
	MDB_val k = val_of(start), v;
	MDB_cursor *cursor;
	enum err e = OK;
	int rc = mdb_cursor_open(s->txn, s->views->tables[t], &cursor);

	if (rc != 0)
		return failed(s->views->dir, rc);
	rc = mdb_cursor_get(cursor, &k, &v, start.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && e == OK) {
		if (k.mv_size < prefix.len || (prefix.len > 0 && memcmp(k.mv_data, prefix.at, prefix.len) != 0))
			break;
		if ((e = each(context, span_of_val(k), span_of_val(v))) == OK)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return e != OK || rc == MDB_NOTFOUND ? e : failed(s->views->dir, rc);
}

/* ---- cursors ---- */

enum err view_cursor_open(struct snapshot *s, enum view t, struct view_cursor **out)
{
	struct view_cursor *c = malloc(sizeof(*c));
	int rc;

	if (c == NULL)
		return fail(ERR_NO_MEMORY, "%s", s->views->dir);
	c->dir = s->views->dir;
	c->memo = memo_of(s, t);
	c->appends = true;
	if ((rc = mdb_cursor_open(s->txn, s->views->tables[t], &c->cursor)) != 0) {
		free(c);
		return failed(s->views->dir, rc);
	}
	*out = c;
	return OK;
}

enum err view_cursor_get(struct view_cursor *c, struct span key, struct span *value)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_cursor_get(c->cursor, &k, &v, MDB_SET);

	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc == 0)
		*value = span_of_val(v);
	return failed(c->dir, rc);
}

static enum err moved(const struct view_cursor *c, int rc, MDB_val k, MDB_val v, struct span *key, struct span *value)
{
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc == 0) {
		*key = span_of_val(k);
		*value = span_of_val(v);
	}
	return failed(c->dir, rc);
}

enum err view_cursor_seek(struct view_cursor *c, struct span from, struct span *key, struct span *value)
{
	MDB_val k = val_of(from), v;
	int rc = mdb_cursor_get(c->cursor, &k, &v, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST);

	return moved(c, rc, k, v, key, value);
}

enum err view_cursor_next(struct view_cursor *c, struct span *key, struct span *value)
{
	MDB_val k, v;
	int rc = mdb_cursor_get(c->cursor, &k, &v, MDB_NEXT);

	return moved(c, rc, k, v, key, value);
}

enum err view_cursor_before(struct view_cursor *c, struct span end, struct span *key, struct span *value)
{
	MDB_val k = val_of(end), v;
	int rc = mdb_cursor_get(c->cursor, &k, &v, MDB_SET_RANGE);

	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c->cursor, &k, &v, rc == 0 ? MDB_PREV : MDB_LAST);
	return moved(c, rc, k, v, key, value);
}

/* LMDB halves a page that is full, and so leaves a third of it empty behind rows that always come last. Told that a key is
 * the last of the table, it begins a new page instead. It refuses what is not; then this cursor says so no more. */
enum err view_cursor_add(struct view_cursor *c, struct span key, struct span value, struct span *old)
{
	MDB_val k = val_of(key), v = val_of(value);
	int rc = MDB_KEYEXIST;

	if (c->memo != NULL)
		memo_drop(c->memo, key);
	if (c->appends)
		rc = mdb_cursor_put(c->cursor, &k, &v, MDB_APPEND);
	if (rc == MDB_KEYEXIST) {
		c->appends = false;
		rc = mdb_cursor_put(c->cursor, &k, &v, MDB_NOOVERWRITE);
	}
	if (rc != MDB_KEYEXIST)
		return failed(c->dir, rc);
	*old = span_of_val(v);
	return ERR_EXISTS;
}

enum err view_cursor_replace(struct view_cursor *c, struct span key, struct span value)
{
	MDB_val k = val_of(key), v = val_of(value);

	if (c->memo != NULL)
		memo_drop(c->memo, key);
	return failed(c->dir, mdb_cursor_put(c->cursor, &k, &v, MDB_CURRENT));
}

enum err view_cursor_delete(struct view_cursor *c)
{
	if (c->memo != NULL)
		memo_clear(c->memo);
	return failed(c->dir, mdb_cursor_del(c->cursor, 0));
}

void view_cursor_close(struct view_cursor *c)
{
	if (c == NULL)
		return;
	mdb_cursor_close(c->cursor);
	free(c);
}

/* ---- the digest ---- */

#define DIGEST_PIECE 65536

struct digesting {
	struct hash_stream *hash;
	struct buffer piece;
};

static void pour(struct digesting *d)
{
	hash_stream_add(d->hash, d->piece.at, d->piece.len);
	buffer_clear(&d->piece);
}

static void digest_span(struct digesting *d, struct span s)
{
	buffer_u64(&d->piece, s.len);
	if (d->piece.len + s.len > DIGEST_PIECE)
		pour(d);
	if (s.len > DIGEST_PIECE)
		hash_stream_add(d->hash, s.at, s.len);
	else
		buffer_span(&d->piece, s);
}

static enum err digest_one(void *context, struct span key, struct span value)
{
	struct digesting *d = context;

	digest_span(d, key);
	digest_span(d, value);
	return d->piece.err;
}

enum err views_digest(struct snapshot *s, struct hash *out)
{
	struct digesting d = { hash_stream_new(), BUFFER(DIGEST_PIECE + 8) };
	enum err e = d.hash == NULL ? ERR_NO_MEMORY : OK;

	for (int t = 0; e == OK && t < VIEW_COUNT; t++) {
		e = digest_one(&d, SPAN(""), span_of(names[t])); /* no key is empty, so a table never ends unseen */
		if (e == OK)
			e = view_walk(s, (enum view)t, SPAN(""), SPAN(""), digest_one, &d);
	}
	if (e == OK) {
		pour(&d);
		*out = hash_stream_end(d.hash);
	}
	hash_stream_free(d.hash);
	buffer_free(&d.piece);
	return e;
}

uint64_t views_position(struct snapshot *s)
{
	struct span value;
	struct reader r;

	if (get(s, s->views->meta, SPAN("position"), &value) != OK)
		return 0;
	r = reader_of(value);
	return read_u64(&r);
}

enum err views_set_position(struct snapshot *s, uint64_t position)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(position >> (56 - 8 * i));
	return put(s, s->views->meta, SPAN("position"), span_make(bytes, sizeof(bytes)));
}
