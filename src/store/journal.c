#include "store/journal_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"

#define NFS_MAGIC 0x6969
#define SMB_MAGIC 0x517B
#define SMB2_MAGIC 0xFE534D42
#define CIFS_MAGIC 0xFF534D42

/* ---- the folder ---- */

static bool segment_of_name(const char *name, uint64_t *start)
{
	struct span s = span_of(name);
	char again[SEGMENT_NAME];

	if (s.len != SEGMENT_NAME - 1 || !span_ends(s, SEGMENT_SUFFIX) ||
	    span_u64_loose(span_make(s.at, 20), INT64_MAX, start) != OK)
		return false;
	segment_name(*start, again);
	return strcmp(again, name) == 0;
}

static int by_start(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static enum err list_segments(struct journal *j)
{
	DIR *dir = opendir(j->dir);
	const struct dirent *d;
	enum err e = OK;
	uint64_t start;

	if (dir == NULL)
		return fail_errno("%s", j->dir);
	while (e == OK && (d = readdir(dir)) != NULL)
		if (segment_of_name(d->d_name, &start))
			e = segment_add(j, start);
	closedir(dir);
	if (j->count > 0)
		qsort(j->segments, j->count, sizeof(*j->segments), by_start);
	return e;
}

/* Each segment begins where the one before ends: none is missing, none has another length than it had. */
static enum err check_segments(struct journal *j)
{
	if (j->count == 0)
		return fail(ERR_NOT_FOUND, "%s: no segment of the journal is here; put the newest copy of it back",
			    j->dir);
	if (j->segments[0].start != 0)
		return fail(ERR_DAMAGED, "%s: the first segment is missing; put it back from the newest copy", j->dir);
	for (size_t i = 0; i + 1 < j->count; i++) {
		uint64_t length = j->segments[i + 1].start - j->segments[i].start;
		char name[SEGMENT_NAME];
		struct stat st;

		segment_name(j->segments[i].start, name);
		if (fstatat(j->dir_fd, name, &st, 0) == -1)
			return fail_errno("%s/%s", j->dir, name);
		if ((uint64_t)st.st_size != length)
			return fail(ERR_DAMAGED, "%s/%s: %jd bytes, and the next segment begins at %" PRIu64, j->dir,
				    name, (intmax_t)st.st_size, length);
	}
	return OK;
}

static enum err refuse_network(const struct journal *j)
{
	struct statfs f;

	if (fstatfs(j->dir_fd, &f) == -1)
		return fail_errno("%s", j->dir);
	switch ((uint32_t)f.f_type) {
	case NFS_MAGIC:
	case SMB_MAGIC:
	case SMB2_MAGIC:
	case CIFS_MAGIC:
		return fail(ERR_IO, "%s: a network file system keeps neither locks nor syncs; use a local disk",
			    j->dir);
	default:
		return OK;
	}
}

/* flock, never fcntl: those locks vanish when any descriptor of the file is closed. */
enum err journal_take_lock(const char *dir, int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	if (errno == EWOULDBLOCK)
		return fail(ERR_BUSY, "%s: another process writes to this journal", dir);
	return fail_errno("%s/" LOCK_NAME, dir);
}

enum err journal_lock(const char *dir, int *lock)
{
	char *path = NULL;
	enum err e;
	int fd;

	if (asprintf(&path, "%s/" LOCK_NAME, dir) == -1)
		return fail(ERR_NO_MEMORY, "%s", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	e = fd == -1 ? fail_errno("%s", path) : journal_take_lock(dir, fd);
	free(path);
	if (e == OK)
		*lock = fd;
	else if (fd != -1)
		close(fd);
	return e;
}

static enum err allocate(const char *dir, struct journal **out)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL || (j->dir = strdup(dir)) == NULL) {
		free(j);
		return fail(ERR_NO_MEMORY, "%s", dir);
	}
	j->fd = j->lock_fd = -1;
	pthread_mutex_init(&j->mutex, NULL);
	if ((j->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		enum err e = fail_errno("%s", dir);

		journal_close(j);
		return e;
	}
	*out = j;
	return OK;
}

enum err journal_create(const char *dir)
{
	struct journal *j = NULL;
	uint64_t seed;
	enum err e;

	if ((e = folder_make_durable(dir, 0700)) != OK || (e = allocate(dir, &j)) != OK)
		return e;
	if ((e = refuse_network(j)) == OK)
		e = list_segments(j);
	if (e == OK && j->count > 0)
		e = fail(ERR_EXISTS, "%s: a journal is here already", dir);
	if (e == OK && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		e = fail_errno("randomness");
	if (e == OK) {
		journal_seed(j, seed);
		e = segment_make(j, 0);
	}
	journal_close(j);
	return e;
}

/* ---- opening ---- */

static enum err open_both(struct journal *j)
{
	int fd;
	enum err e = list_segments(j);

	if (e == OK)
		e = check_segments(j);
	if (e == OK)
		e = segment_fd(j, 0, &fd); /* brings the seed */
	return e;
}

enum err journal_open_locked(const char *dir, int lock, journal_judge *judge, void *context, struct journal **out)
{
	struct journal *j = NULL;
	enum err e = allocate(dir, &j);

	if (e != OK) {
		close(lock);
		return e;
	}
	j->writer = true;
	j->lock_fd = lock;
	if ((e = refuse_network(j)) == OK)
		e = open_both(j);
	if (e == OK && (j->buffer = malloc(JOURNAL_BUFFER)) == NULL)
		e = fail(ERR_NO_MEMORY, "%s", dir);
	if (e == OK)
		e = journal_recover(j, 0, judge, context);
	if (e == OK)
		e = journal_erase_resume(j);
	if (e != OK) {
		journal_close(j);
		return e;
	}
	*out = j;
	return OK;
}

enum err journal_open_writer_if(const char *dir, journal_judge *judge, void *context, struct journal **out)
{
	int lock = -1;
	enum err e = journal_lock(dir, &lock);

	return e == OK ? journal_open_locked(dir, lock, judge, context, out) : e;
}

enum err journal_open_writer(const char *dir, struct journal **out)
{
	return journal_open_writer_if(dir, NULL, NULL, out);
}

/* A writer that rolls just now truncates one segment and begins the next: whoever comes in between looks again. */
enum err journal_open_reader_from(const char *dir, uint64_t position, struct journal **out)
{
	struct journal *j = NULL;
	enum err e = OK;

	for (int round = 0; round < 3; round++) {
		if ((e = allocate(dir, &j)) != OK)
			return e;
		if ((e = open_both(j)) == OK && (e = journal_find_end(j, position)) == OK)
			break;
		journal_close(j);
		if (e != ERR_DAMAGED)
			return e;
	}
	if (e == OK)
		*out = j;
	return e;
}

enum err journal_open_reader(const char *dir, struct journal **out)
{
	return journal_open_reader_from(dir, 0, out);
}

void journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->open)
		journal_abandon(j);
	for (size_t i = 0; i < j->count; i++)
		if (j->segments[i].fd != -1)
			close(j->segments[i].fd);
	if (j->fd != -1)
		close(j->fd);
	if (j->lock_fd != -1)
		close(j->lock_fd);
	if (j->dir_fd != -1)
		close(j->dir_fd);
	pthread_mutex_destroy(&j->mutex);
	free(j->segments);
	free(j->buffer);
	free(j->dir);
	free(j);
}
