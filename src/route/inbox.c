#include "route/inbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"

struct reading {
	struct arena *arena;
	struct inbox *out;
	bool deep;
};

static const char *passed_over(const char *name)
{
	static const char *const unfinished[] = { ".tmp", ".part", ".crdownload", "~" };
	struct span s = span_of(name);

	if (name[0] == '.')
		return "hidden";
	for (size_t i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++)
		if (span_ends(s, unfinished[i]))
			return "unfinished";
	return span_ends(s, ".reason") ? "a reason" : NULL;
}

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static enum err add(struct reading *r, const struct inbox_file *f)
{
	struct inbox *x = r->out;

	if (x->count == INBOX_FILES_MAX)
		return fail(ERR_TOO_LONG, "%s: over %d files", f->path, INBOX_FILES_MAX);
	if (x->count == x->room) {
		size_t room = x->room == 0 ? 256 : 2 * x->room;
		struct inbox_file *bigger =
			arena_resize(r->arena, x->at, x->room * sizeof(*bigger), room * sizeof(*bigger));

		if (bigger == NULL)
			return fail(ERR_NO_MEMORY, "%s: no room for its names", f->path);
		x->at = bigger;
		x->room = room;
	}
	x->at[x->count++] = *f;
	return OK;
}

static bool has_folder(int fd, const char *name)
{
	struct stat s;

	return fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode);
}

static bool is_maildir(int fd)
{
	return has_folder(fd, "cur") && has_folder(fd, "new") && has_folder(fd, "tmp");
}

static enum err read_folder(struct reading *r, int fd, const char *path, unsigned depth);

/* Opens it without following a link: whoever may write above it must not lead us elsewhere. */
static enum err enter(struct reading *r, int parent, const char *name, const char *path, unsigned depth)
{
	struct inbox_file f = { .path = path, .err = ERR_IO };
	int fd;

	if (depth > INBOX_DEPTH)
		f.err = ERR_DEPTH;
	else if ((fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) != -1)
		return read_folder(r, fd, path, depth);
	else if (errno == ENOENT)
		return OK;
	else if (errno == EMFILE || errno == ENFILE)
		return fail_errno("%s", path);
	return add(r, &f);
}

static enum err look_at(struct reading *r, int fd, const char *folder, const char *name, unsigned depth)
{
	struct inbox_file f = { .path = arena_print(r->arena, "%s/%s", folder, name),
				.passed_over = passed_over(name) };
	struct stat s;

	if (f.path == NULL)
		return fail(ERR_NO_MEMORY, "%s: no room for its names", folder);
	if (fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? OK : fail_errno("%s", f.path);
	if (S_ISDIR(s.st_mode) && f.passed_over == NULL && r->deep)
		return enter(r, fd, name, f.path, depth + 1);
	if (S_ISDIR(s.st_mode))
		f.err = ERR_USAGE;
	else if (S_ISLNK(s.st_mode))
		f.err = ERR_SYMLINK;
	else if (!S_ISREG(s.st_mode))
		f.err = ERR_FORMAT_UNKNOWN;
	f.inode = s.st_ino;
	f.size = (uint64_t)s.st_size;
	f.modified_ns = nanoseconds(s.st_mtim);
	f.changed_ns = nanoseconds(s.st_ctim);
	return add(r, &f);
}

static enum err read_names(struct reading *r, DIR *d, const char *path, unsigned depth)
{
	const struct dirent *x;
	enum err e = OK;

	errno = 0;
	while (e == OK && (x = readdir(d)) != NULL) {
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			e = look_at(r, dirfd(d), path, x->d_name, depth);
		errno = 0;
	}
	return e == OK && errno != 0 ? fail_errno("%s", path) : e;
}

/* Takes the descriptor. */
static enum err read_folder(struct reading *r, int fd, const char *path, unsigned depth)
{
	bool maildir = is_maildir(fd);
	const char *new = arena_print(r->arena, "%s/new", path), *cur = arena_print(r->arena, "%s/cur", path);
	DIR *d = fdopendir(fd);
	enum err e;

	if (depth == 0)
		r->out->maildir = maildir;
	if (d == NULL || new == NULL || cur == NULL)
		e = d == NULL ? fail_errno("%s", path) : ERR_NO_MEMORY;
	else if (!maildir)
		e = read_names(r, d, path, depth);
	else if ((e = enter(r, fd, "new", new, depth + 1)) == OK)
		e = enter(r, fd, "cur", cur, depth + 1);
	if (d != NULL)
		closedir(d);
	else
		close(fd);
	return e;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct inbox_file *)a)->path, ((const struct inbox_file *)b)->path);
}

enum err inbox_read(struct arena *a, const char *folder, bool deep, struct inbox *out)
{
	struct reading r = { a, out, deep };
	size_t n = strlen(folder);
	const char *path;
	enum err e;
	int fd;

	*out = (struct inbox){ 0 };
	while (n > 1 && folder[n - 1] == '/')
		n--;
	if ((path = arena_copy(a, folder, n)) == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return fail_errno("%s", path);
	e = read_folder(&r, fd, path, 0);
	if (e == OK && out->count > 0)
		qsort(out->at, out->count, sizeof(*out->at), by_path);
	return e;
}
