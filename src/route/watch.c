/*
 * When a file is ready, and where it goes
 *
 * Files come from programs that know nothing of us. Three mistakes are to be avoided: to read half a file, to move away a
 * file that was not read, and to overwrite one.
 *
 *   1. What lies in the folder says the folder. Events of the kernel only wake us and say that a file was closed or moved
 *      in, so nothing is lost when they overflow, or when a network file system sends none: we look now and then anyway.
 *   2. A file is ready when it was closed after writing or moved in whole, and has not changed since we saw that; or when
 *      size, times and inode stayed the same for WATCH_SETTLE_MS. In either case nobody may have it open for writing, as
 *      far as the kernel tells us (a read lease is not granted then).
 *   3. A file is moved only if it is still the one that was listed: same inode, size and time. That is looked at again
 *      after the move, since a name can be replaced at any moment; one that differs, or is written to, goes back.
 *   4. Moves never replace: RENAME_NOREPLACE, or a link and an unlink where that is unknown.
 *   5. A file is moved after its rows were committed. A crash between the two is harmless: the file is read again, and all
 *      its rows are duplicates.
 */
#include "route/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "route/inbox.h"

#define LOOK_WAITING_MS 200 /* something is not ready yet */
#define LOOK_IDLE_MS 5000
#define LOOK_BLIND_MS 1000 /* without events */
#define NAME_ROOM 256
#define NAME_CUT 230 /* so that a number and ".reason" fit behind it */
#define REASON_MAX 16384

struct entry {
	struct inbox_file f;
	int64_t since_us; /* it has been as it is */
	bool closed;	  /* since it has been as it is */
	bool told;
};

struct looked {
	struct arena *arena;
	struct entry *at; /* sorted by path */
	size_t count;
};

struct watch {
	char *folder, *reports; /* as given; where the reports lie: the same, or its new */
	bool maildir;
	int dir, done, failed; /* of reports; cur and cur in a Maildir */
	int events;	       /* inotify; -1: there is none here */
	int64_t began_us;
	struct looked now, before;
	struct entry **batch; /* what was handed out */
	size_t batch_count;
	char moved_to[4096], detail[640];
};

/* ---- opening ---- */

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static enum err open_target(struct watch *w, const char *name, int *out)
{
	if (mkdirat(w->dir, name, 0700) == -1 && errno != EEXIST)
		return fail_errno("%s/%s", w->reports, name);
	if ((*out = open_folder(w->dir, name)) != -1)
		return OK;
	if (errno == ELOOP || errno == ENOTDIR)
		return fail(ERR_SYMLINK, "%s/%s must be a folder, no link", w->reports, name);
	return fail_errno("%s/%s", w->reports, name);
}

static bool has(int dir, const char *name)
{
	int fd = open_folder(dir, name);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static enum err open_targets(struct watch *w)
{
	enum err e;
	int top;

	if ((w->dir = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return fail_errno("%s", w->folder);
	w->maildir = has(w->dir, "cur") && has(w->dir, "new") && has(w->dir, "tmp");
	if (!w->maildir) {
		if ((w->reports = strdup(w->folder)) == NULL)
			return ERR_NO_MEMORY;
		e = open_target(w, "done", &w->done);
		return e == OK ? open_target(w, "failed", &w->failed) : e;
	}
	if (asprintf(&w->reports, "%s/new", w->folder) == -1) {
		w->reports = NULL;
		return ERR_NO_MEMORY;
	}
	top = w->dir;
	w->done = open_folder(top, "cur");
	w->failed = open_folder(top, "cur");
	w->dir = open_folder(top, "new");
	close(top);
	return w->done == -1 || w->failed == -1 || w->dir == -1 ? fail_errno("%s", w->folder) : OK;
}

enum err watch_open(const char *folder, struct watch **out)
{
	struct watch *w = calloc(1, sizeof(*w));
	size_t n = strlen(folder);
	enum err e = ERR_NO_MEMORY;

	if (w == NULL)
		return ERR_NO_MEMORY;
	signal(SIGIO, SIG_IGN); /* sent to whoever has a lease on a file that another wants to write to */
	w->dir = w->done = w->failed = w->events = -1;
	while (n > 1 && folder[n - 1] == '/')
		n--;
	w->folder = strndup(folder, n);
	w->batch = calloc(WATCH_AT_ONCE, sizeof(*w->batch));
	w->now.arena = arena_new((size_t)1 << 30);
	w->before.arena = arena_new((size_t)1 << 30);
	if (w->folder != NULL && w->batch != NULL && w->now.arena != NULL && w->before.arena != NULL)
		e = open_targets(w);
	if (e == OK && (w->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) != -1 &&
	    inotify_add_watch(w->events, w->reports,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) ==
		    -1) {
		close(w->events);
		w->events = -1;
	}
	w->began_us = clock_monotonic_us();
	if (e != OK) {
		watch_close(w);
		return e;
	}
	*out = w;
	return OK;
}

static void close_if_open(int fd)
{
	if (fd != -1)
		close(fd);
}

void watch_close(struct watch *w)
{
	if (w == NULL)
		return;
	close_if_open(w->events);
	close_if_open(w->failed);
	close_if_open(w->done);
	close_if_open(w->dir);
	arena_free(w->now.arena);
	arena_free(w->before.arena);
	free(w->batch);
	free(w->reports);
	free(w->folder);
	free(w);
}

/* ---- what is there ---- */

struct names {
	const char **at;
	size_t count, room;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err note_closed(struct arena *a, struct names *n, const char *name)
{
	if (n->count == n->room) {
		size_t room = n->room == 0 ? 64 : 2 * n->room;
		const char **bigger = arena_resize(a, n->at, n->room * sizeof(*bigger), room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		n->at = bigger;
		n->room = room;
	}
	n->at[n->count] = arena_copy(a, name, strlen(name));
	return n->at[n->count++] == NULL ? ERR_NO_MEMORY : OK;
}

static enum err gone(const struct watch *w)
{
	return fail(ERR_NOT_FOUND, "%s: the watched folder is gone", w->reports);
}

/* The names of files that were closed or moved in, sorted. */
static enum err read_events(struct watch *w, struct arena *a, struct names *closed)
{
	_Alignas(struct inotify_event) char text[16384];
	ssize_t got = 0;
	enum err e = OK;

	while (e == OK && w->events != -1 && (got = read(w->events, text, sizeof(text))) > 0) {
		const struct inotify_event *x;

		for (const char *p = text; e == OK && p < text + got; p += sizeof(*x) + x->len) {
			x = (const struct inotify_event *)(const void *)p;
			if ((x->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0)
				e = gone(w);
			else if (x->len > 0 && (x->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
				e = note_closed(a, closed, x->name);
		}
	}
	if (closed->count > 0)
		qsort(closed->at, closed->count, sizeof(*closed->at), by_name);
	return e;
}

static const char *name_of(const struct inbox_file *f)
{
	return strrchr(f->path, '/') + 1;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->f.path, ((const struct entry *)b)->f.path);
}

static bool same_file(const struct inbox_file *a, const struct inbox_file *b)
{
	return a->inode == b->inode && a->size == b->size && a->modified_ns == b->modified_ns && a->err == b->err;
}

/* It has not been touched for so long, by the clock of this machine. */
static bool is_old(const struct inbox_file *f)
{
	int64_t last = f->modified_ns > f->changed_ns ? f->modified_ns : f->changed_ns;

	return last / 1000000 < clock_now_ms() - WATCH_SETTLE_MS;
}

static void fill_entry(struct watch *w, struct entry *x, const struct inbox_file *f, const struct names *closed,
		       int64_t now_us)
{
	const char *name = name_of(f);
	const struct entry *old;

	*x = (struct entry){ .f = *f, .since_us = now_us };
	old = w->before.count == 0 ? NULL : bsearch(x, w->before.at, w->before.count, sizeof(*w->before.at), by_path);
	if (old == NULL && is_old(f))
		x->since_us = now_us - WATCH_SETTLE_MS * 1000;
	if (old != NULL && same_file(&old->f, f)) {
		x->since_us = old->since_us;
		x->closed = old->closed;
		x->told = old->told;
	}
	if (closed->count > 0 && bsearch(&name, closed->at, closed->count, sizeof(name), by_name) != NULL)
		x->closed = true;
}

static enum err look(struct watch *w)
{
	struct looked last = w->before;
	struct names closed = { 0 };
	int64_t now_us = clock_monotonic_us();
	struct inbox found;
	enum err e;

	w->before = w->now;
	w->now = (struct looked){ .arena = last.arena };
	arena_reset(w->now.arena);
	e = read_events(w, w->now.arena, &closed);
	if (e == OK && (e = inbox_read(w->now.arena, w->reports, false, &found)) == ERR_NOT_FOUND)
		e = gone(w);
	if (e != OK)
		return e;
	if ((w->now.at = arena_array(w->now.arena, found.count, sizeof(*w->now.at))) == NULL)
		return fail(ERR_NO_MEMORY, "%s: no room for its names", w->reports);
	for (size_t i = 0; i < found.count; i++)
		if (found.at[i].passed_over == NULL)
			fill_entry(w, &w->now.at[w->now.count++], &found.at[i], &closed, now_us);
	return OK;
}

/* ---- what is ready ---- */

/* No lease on a file that somebody may still write to. Where leases are unknown or not ours to take, nobody is known. */
static bool is_being_written(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool busy;

	if (fd == -1)
		return false;
	busy = fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EAGAIN;
	close(fd);
	return busy;
}

static bool is_ready(const struct watch *w, const struct entry *x)
{
	if (w->maildir)
		return true; /* mails come into new whole */
	if (!x->closed && clock_monotonic_us() - x->since_us < WATCH_SETTLE_MS * 1000)
		return false;
	return !is_being_written(w->dir, name_of(&x->f));
}

static bool is_ours(const struct watch *w, const struct entry *x)
{
	const char *name = name_of(&x->f);

	return !w->maildir && x->f.err == ERR_USAGE && (strcmp(name, "done") == 0 || strcmp(name, "failed") == 0);
}

static void add_odd(struct watch_batch *b, struct entry *x, enum err e)
{
	if (x->told)
		return;
	x->told = true;
	b->odd[b->odd_count++] = (struct watch_odd){ x->f.path, e };
}

/* false: something there is not ready yet. */
static bool gather(struct watch *w, struct watch_batch *b)
{
	bool all = true;

	w->batch_count = 0;
	for (size_t i = 0; i < w->now.count; i++) {
		struct entry *x = &w->now.at[i];

		if (is_ours(w, x))
			continue;
		if (x->f.err != OK) {
			add_odd(b, x, x->f.err == ERR_USAGE ? OK : x->f.err);
		} else if (b->count < WATCH_AT_ONCE && is_ready(w, x)) {
			w->batch[w->batch_count++] = x;
			b->paths[b->count++] = (char *)(uintptr_t)x->f.path;
		} else {
			all = false;
		}
	}
	return all;
}

static enum err look_and_gather(struct watch *w, struct watch_batch *out, bool *all)
{
	enum err e = look(w);

	*out = (struct watch_batch){ 0 };
	if (e != OK)
		return e;
	out->paths = arena_array(w->now.arena, w->now.count, sizeof(*out->paths));
	out->odd = arena_array(w->now.arena, w->now.count, sizeof(*out->odd));
	if (out->paths == NULL || out->odd == NULL)
		return fail(ERR_NO_MEMORY, "%s: no room for its names", w->reports);
	*all = gather(w, out);
	return OK;
}

/* Until something happens there. */
static bool wait_stopped(const struct watch *w, int stop_fd, int ms)
{
	struct pollfd fds[] = { { stop_fd, POLLIN, 0 }, { w->events, POLLIN, 0 } };

	return poll(fds, 2, ms) > 0 && fds[0].revents != 0;
}

/* With once: what was there had the time to settle. What still changes is left where it is. */
static void leave(struct watch *w, struct watch_batch *b)
{
	for (size_t i = 0; i < w->now.count; i++)
		if (w->now.at[i].f.err == OK)
			add_odd(b, &w->now.at[i], ERR_GROWING);
}

enum err watch_next(struct watch *w, int stop_fd, bool once, struct watch_batch *out)
{
	int64_t began_us = clock_monotonic_us();
	bool all = true, in_time;
	enum err e;

	*out = (struct watch_batch){ .over = wait_stopped(w, stop_fd, 0) };
	while (!out->over && clock_monotonic_us() - began_us < WATCH_IDLE_MS * (int64_t)1000) {
		in_time = clock_monotonic_us() - w->began_us <= (WATCH_SETTLE_MS + LOOK_WAITING_MS) * 1000;
		if ((e = look_and_gather(w, out, &all)) != OK || out->count > 0 || out->odd_count > 0)
			return e;
		if (once && (all || !in_time)) {
			leave(w, out);
			out->over = out->odd_count == 0;
			return OK;
		}
		out->over = wait_stopped(w, stop_fd,
					 !all		   ? LOOK_WAITING_MS
					 : w->events == -1 ? LOOK_BLIND_MS
							   : LOOK_IDLE_MS);
	}
	return OK;
}

/* ---- where it goes ---- */

const char *watch_result_name(enum watch_result r)
{
	static const char *const names[] = { "done", "failed", "again", "gone" };

	return names[r];
}

/* A file of which no row could be read has failed, unless its sender wants nothing of us. */
static enum err verdict(struct watch *w, const struct route_outcome *o)
{
	w->detail[0] = '\0';
	if (o->err != OK) {
		snprintf(w->detail, sizeof(w->detail), "%s", o->detail);
		return o->err;
	}
	if (o->events > 0 || o->rejected == 0 || o->first_reject == ERR_TEST || o->first_reject == ERR_SPOOFED)
		return OK;
	snprintf(w->detail, sizeof(w->detail), "none of its %llu rows could be taken", (unsigned long long)o->rejected);
	return o->first_reject;
}

static enum err reason_text(const struct route_outcome *o, const struct watch_settled *s, const char *name,
			    const char *rejects, struct buffer *out)
{
	struct json j = { .out = out };
	char time[CLOCK_TEXT];

	clock_format_ms(clock_now_ms(), time);
	json_object(&j, NULL);
	json_text(&j, "file", name);
	json_text(&j, "code", err_code(s->why));
	json_text(&j, "detail", s->detail);
	json_text(&j, "advice", err_advice(s->why));
	json_number(&j, "events", (int64_t)o->events);
	json_number(&j, "rejected", (int64_t)o->rejected);
	json_text(&j, "rejects", o->rejected > 0 && rejects[0] != '\0' ? rejects : NULL);
	json_text(&j, "time", time);
	json_object_end(&j);
	buffer_byte(out, '\n');
	return out->err;
}

/* false: errno says why. */
static bool move_no_replace(int from, const char *name, int to, const char *new_name)
{
	if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return linkat(from, name, to, new_name, 0) == 0 && unlinkat(from, name, 0) == 0;
}

static bool is_still(int dir, const char *name, const struct inbox_file *f)
{
	struct stat s;

	return fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && s.st_ino == f->inode &&
	       (uint64_t)s.st_size == f->size &&
	       (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec == f->modified_ns;
}

/* The n-th name to try; a Maildir's flags stay at the end. */
static void target_name(const struct watch *w, const char *name, bool failed, unsigned n, char out[NAME_ROOM])
{
	int len = (int)strnlen(name, NAME_CUT);
	const char *flags = !w->maildir ? "" : failed ? ":2,FS" : ":2,S", *colon = strchr(name, ':');

	if (w->maildir && colon != NULL && colon - name < len)
		len = (int)(colon - name);
	if (n == 0)
		snprintf(out, NAME_ROOM, "%.*s%s", len, name, flags);
	else
		snprintf(out, NAME_ROOM, "%.*s.%u%s", len, name, n, flags);
}

static enum err write_reason(int dir, const char *name, int flags, struct span text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	enum err e;

	if (fd == -1 && errno == EEXIST)
		return ERR_EXISTS;
	if (fd == -1)
		return fail_errno("%s", name);
	e = file_write_all(fd, text.at, text.len);
	close(fd);
	if (e != OK && (flags & O_EXCL) != 0)
		unlinkat(dir, name, 0);
	return e;
}

/* What was moved by mistake goes back under its own name, or one like it. */
static enum err put_back(struct watch *w, int from, const char *moved, const char *name)
{
	char back[NAME_ROOM];

	for (unsigned n = 0; n < 1000000; n++) {
		target_name(w, name, false, n, back);
		if (move_no_replace(from, moved, w->dir, n == 0 ? name : back))
			return OK;
		if (errno != EEXIST)
			break;
	}
	return fail_errno("%s/%s: cannot be put back", w->reports, name);
}

/* One name: ERR_EXISTS if it is taken. */
static enum err try_move(struct watch *w, const struct entry *x, int to, const char *target, struct span reason,
			 enum watch_result *result)
{
	char beside[NAME_ROOM + 8];
	const char *name = name_of(&x->f);
	enum err e = OK;

	snprintf(beside, sizeof(beside), "%s.reason", target);
	if (!w->maildir && (e = write_reason(to, beside, O_EXCL, reason)) != OK)
		return e;
	if (!move_no_replace(w->dir, name, to, target)) {
		*result = WATCH_GONE;
		e = errno == EEXIST ? ERR_EXISTS : errno == ENOENT ? OK : fail_errno("%s", x->f.path);
	} else if (!is_still(to, target, &x->f) || is_being_written(to, target)) {
		*result = WATCH_AGAIN;
		e = put_back(w, to, target, name);
	} else {
		return OK;
	}
	if (!w->maildir)
		unlinkat(to, beside, 0);
	return e;
}

static enum err move(struct watch *w, const struct entry *x, struct span reason, struct watch_settled *s)
{
	bool failed = s->result == WATCH_FAILED;
	int to = failed ? w->failed : w->done;
	char target[NAME_ROOM];
	enum err e = ERR_EXISTS;

	for (unsigned n = 0; e == ERR_EXISTS && n < 1000000; n++) {
		target_name(w, name_of(&x->f), failed, n, target);
		e = try_move(w, x, to, target, reason, &s->result);
	}
	if (e != OK || (s->result != WATCH_DONE && s->result != WATCH_FAILED))
		return e;
	snprintf(w->moved_to, sizeof(w->moved_to), "%s/%s/%s", w->folder,
		 w->maildir ? "cur" : watch_result_name(s->result), target);
	s->moved_to = w->moved_to;
	return w->maildir ? write_reason(w->dir, "../comity-reasons.jsonl", O_APPEND, reason) : OK;
}

enum err watch_settle(struct watch *w, const struct route_outcome *o, const char *rejects, struct watch_settled *out)
{
	struct buffer reason = BUFFER(REASON_MAX);
	struct entry *x = w->batch[o->report];
	const char *name = name_of(&x->f);
	enum err e;

	*out = (struct watch_settled){ .why = verdict(w, o), .detail = w->detail };
	out->result = out->why == OK ? WATCH_DONE : WATCH_FAILED;
	if (out->why == ERR_NOT_FOUND) {
		out->result = WATCH_GONE;
		return OK;
	}
	if (out->why == ERR_GROWING || !is_still(w->dir, name, &x->f)) {
		out->result = WATCH_AGAIN;
		out->why = ERR_GROWING;
		x->closed = false;
		x->since_us = clock_monotonic_us();
		return OK;
	}
	e = reason_text(o, out, name, rejects, &reason);
	if (e == OK)
		e = move(w, x, buffer_view(&reason), out);
	buffer_free(&reason);
	return e;
}
