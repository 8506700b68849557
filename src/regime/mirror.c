#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "regime/mirror_private.h"
#include "regime/state_private.h"

/*
 * One mirror, many users
 *
 * LMDB allows one open of a folder in a process, so what is open stands in a list and is shared. Who folds holds the lock of
 * DIR/followed/NODE/folding, which other processes see. Readers of other processes need nothing: each has its snapshot.
 */
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mirror *list;

/* u64 next of each ledger, u64 logged_ms of each, u8 anew */
enum err mirror_heads_put(struct snapshot *s, const struct mirror_heads *h)
{
	struct buffer b = BUFFER(256);
	enum err e;

	for (int l = 0; l < LEDGER_COUNT; l++)
		buffer_u64(&b, h->next[l]);
	for (int l = 0; l < LEDGER_COUNT; l++)
		buffer_u64(&b, (uint64_t)h->logged_ms[l]);
	buffer_byte(&b, h->anew);
	e = b.err == OK ? view_put(s, VIEW_OWN, SPAN("mirror"), buffer_view(&b)) : b.err;
	buffer_free(&b);
	return e;
}

enum err mirror_heads_get(struct snapshot *s, struct mirror_heads *out)
{
	struct span value;
	struct reader r;
	enum err e = view_get(s, VIEW_OWN, SPAN("mirror"), &value);

	*out = (struct mirror_heads){ 0 };
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = reader_of(value);
	for (int l = 0; l < LEDGER_COUNT; l++)
		out->next[l] = read_u64(&r);
	for (int l = 0; l < LEDGER_COUNT; l++)
		out->logged_ms[l] = (int64_t)read_u64(&r);
	out->anew = read_u8(&r) != 0;
	return r.err == OK ? OK : state_damaged("reach of the mirror");
}

static char *path_of(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) == -1 ? NULL : path;
}

static void release(struct mirror *m)
{
	views_close(m->views);
	if (m->lock != -1)
		close(m->lock);
	pthread_mutex_destroy(&m->folding);
	free(m->dir);
	free(m);
}

static enum err take_lock(struct mirror *m)
{
	char *path = path_of(m->dir, "folding");
	enum err e = OK;

	if (path == NULL)
		return ERR_NO_MEMORY;
	if ((m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		e = fail_errno("%s", path);
	else if (flock(m->lock, LOCK_EX | LOCK_NB) == -1)
		e = errno == EWOULDBLOCK ? fail(ERR_BUSY, "%s: another process folds this mirror", m->dir)
					 : fail_errno("%s", path);
	free(path);
	return e;
}

/* Damaged views are made anew from the tiles, by whoever folds. */
static enum err open_views(struct mirror *m)
{
	char *path = path_of(m->dir, "state");
	enum err e = path == NULL ? ERR_NO_MEMORY : views_open(path, m->write, &m->views);

	if (e == ERR_DAMAGED && m->write && (e = views_destroy(path)) == OK)
		e = views_open(path, true, &m->views);
	free(path);
	return e;
}

static enum err open_one(const char *dir, struct span node, bool write, struct mirror **out)
{
	struct mirror *m;
	enum err e = OK;

	if (node.len >= MIRROR_NAME_MAX)
		return fail(ERR_NOT_FOUND, "%s: no name of a node", dir);
	if (!file_exists(dir))
		return fail(ERR_NOT_FOUND, "%s: nothing is mirrored there", dir);
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&m->folding, NULL);
	m->lock = -1;
	m->write = write;
	memcpy(m->name, node.at, node.len);
	m->node = span_make(m->name, node.len);
	if ((m->dir = strdup(dir)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && write)
		e = take_lock(m);
	if (e == OK)
		e = open_views(m);
	if (e != OK) {
		release(m);
		return e;
	}
	m->users = 1;
	m->next = list;
	list = m;
	*out = m;
	return OK;
}

enum err mirror_open(const char *dir, struct span node, bool write, struct mirror **out)
{
	char *real = realpath(dir, NULL);
	const char *name = real != NULL ? real : dir;
	struct mirror *m;
	enum err e = OK;

	pthread_mutex_lock(&list_lock);
	m = list;
	while (m != NULL && strcmp(m->dir, name) != 0)
		m = m->next;
	if (m == NULL) {
		e = open_one(name, node, write, out);
	} else if (write && !m->write) {
		e = fail(ERR_BUSY, "%s: it is being read here", dir);
	} else {
		m->users++;
		*out = m;
	}
	pthread_mutex_unlock(&list_lock);
	free(real);
	return e;
}

void mirror_close(struct mirror *m)
{
	struct mirror **at = &list;

	if (m == NULL)
		return;
	pthread_mutex_lock(&list_lock);
	if (--m->users == 0) {
		while (*at != m)
			at = &(*at)->next;
		*at = m->next;
		release(m);
	}
	pthread_mutex_unlock(&list_lock);
}

enum err mirror_read(struct mirror *m, struct arena *a, struct state *out)
{
	struct mirror_heads heads;
	struct snapshot *s = NULL;
	enum err e = views_read(m->views, &s);

	if (e == OK)
		e = mirror_heads_get(s, &heads);
	if (e == OK && heads.anew)
		e = fail(ERR_BUSY, "%s: its state is being made anew", m->dir);
	if (e != OK) {
		snapshot_end(s);
		return e;
	}
	*out = (struct state){ .snapshot = s, .node = m->node, .arena = a };
	return OK;
}

enum err mirror_reach(struct mirror *m, struct mirror_reach *out)
{
	struct arena *a = arena_new(MIRROR_ARENA_MAX);
	struct mirror_heads heads;
	struct snapshot *s = NULL;
	enum err e = a == NULL ? ERR_NO_MEMORY : views_read(m->views, &s);

	*out = (struct mirror_reach){ 0 };
	if (e == OK)
		e = mirror_heads_get(s, &heads);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++) {
		struct checkpoint c = { 0 };
		struct span note;

		e = mirror_checkpoint(m->dir, a, (enum ledger_id)l, &c, &note);
		if (e == ERR_NOT_FOUND)
			e = OK;
		out->size[l] = c.size;
		out->folded[l] = heads.next[l];
		if (heads.logged_ms[l] > out->logged_ms)
			out->logged_ms = heads.logged_ms[l];
	}
	snapshot_end(s);
	arena_free(a);
	return e;
}
