/* What a program does to files, for power_cuts (crash_power.py): put before it with LD_PRELOAD, this writes each change
 * to TRACE_LOG before it is made, and each sync after it is done.
 *
 *	TRACE_UNDER	only files under this folder
 *	TRACE_LOG	a file; records are appended to it whole
 *
 * A record is a line "WORD NUMBER NUMBER LENGTH", then LENGTH bytes:
 *
 *	open INODE 0 n path		made or cut to nothing by O_TRUNC (then NUMBER is 1)
 *	nameless INODE 0 0		made by O_TMPFILE
 *	write INODE OFFSET n bytes
 *	size INODE SIZE 0
 *	sync INODE 0 0			of a file or a folder
 *	syncall 0 0 0
 *	mkdir 0 0 n path
 *	rename 0 0 n path NUL path
 *	link 0 0 n path NUL path
 *	unlink 0 0 n path
 *	rmdir 0 0 n path
 *	said 0 0 n bytes		on standard output
 *
 * Not traced: changes through a shared mapping, which this program never makes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static char under[PATH_MAX];

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("TRACE_LOG"), *folder = getenv("TRACE_UNDER");

	if (path == NULL || folder == NULL)
		return;
	snprintf(under, sizeof(under), "%s", folder);
	trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	unsetenv("LD_PRELOAD");
}

/* A change and its record are one step, so that the records of threads stand in the order of what they did. */
static void enter(void)
{
	pthread_mutex_lock(&lock);
}

static void leave(void)
{
	pthread_mutex_unlock(&lock);
}

static void say(const char *word, uint64_t a, uint64_t b, const void *bytes, size_t n)
{
	char head[128];
	int error = errno, length = snprintf(head, sizeof(head), "%s %llu %llu %zu\n", word, (unsigned long long)a,
					     (unsigned long long)b, n);
	struct iovec parts[2] = { { head, (size_t)length }, { (void *)(uintptr_t)bytes, n } };

	syscall(SYS_writev, trace, parts, 2);
	errno = error;
}

static bool counts(const char *path)
{
	return trace != -1 && strncmp(path, under, strlen(under)) == 0;
}

static bool fd_counts(int fd, uint64_t *inode)
{
	char name[40], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (trace == -1 || fd == trace)
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlink, name, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (!counts(path) || syscall(SYS_fstat, fd, &st) != 0)
		return false;
	*inode = st.st_ino;
	return true;
}

/* An absolute path; names that are relative are so to a folder that is open. */
static bool path_at(int dir, const char *name, char out[PATH_MAX])
{
	char link[40], folder[PATH_MAX];
	ssize_t n;

	if (name[0] == '/') {
		snprintf(out, PATH_MAX, "%s", name);
	} else {
		if (dir == AT_FDCWD)
			snprintf(link, sizeof(link), "/proc/self/cwd");
		else
			snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = syscall(SYS_readlink, link, folder, sizeof(folder) - 1);
		folder[n > 0 ? n : 0] = '\0';
		if ((size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
			abort();
	}
	return counts(out);
}

/* ---- writing ---- */

static ssize_t traced_write(int fd, const void *from, size_t n, off_t offset, bool at)
{
	uint64_t inode;
	ssize_t done;

	enter();
	if (fd == STDOUT_FILENO && trace != -1) {
		say("said", 0, 0, from, n);
	} else if (fd_counts(fd, &inode)) {
		if (!at)
			offset = (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
		say("write", inode, (uint64_t)offset, from, n);
		done = syscall(SYS_pwrite64, fd, from, n, offset);
		if (done != (ssize_t)n)
			abort();
		if (!at)
			lseek(fd, offset + done, SEEK_SET);
		leave();
		return done;
	}
	leave();
	return at ? syscall(SYS_pwrite64, fd, from, n, offset) : syscall(SYS_write, fd, from, n);
}

ssize_t write(int fd, const void *from, size_t n)
{
	return traced_write(fd, from, n, 0, false);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t offset)
{
	return traced_write(fd, from, n, offset, true);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t offset)
{
	return traced_write(fd, from, n, offset, true);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ssize_t done = 0;

	for (int i = 0; i < count; i++)
		done += traced_write(fd, parts[i].iov_base, parts[i].iov_len, 0, false);
	return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	ssize_t done = 0;

	for (int i = 0; i < count; i++)
		done += traced_write(fd, parts[i].iov_base, parts[i].iov_len, offset + done, true);
	return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
	return pwritev(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size)
{
	uint64_t inode;
	int result;

	enter();
	if (fd_counts(fd, &inode))
		say("size", inode, (uint64_t)size, "", 0);
	result = (int)syscall(SYS_ftruncate, fd, size);
	leave();
	return result;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int truncate(const char *path, off_t size)
{
	struct stat st;
	int result;

	enter();
	if (counts(path) && stat(path, &st) == 0)
		say("size", st.st_ino, (uint64_t)size, "", 0);
	result = (int)syscall(SYS_truncate, path, size);
	leave();
	return result;
}

/* ---- syncing ---- */

static int traced_sync(long call, int fd)
{
	int result = (int)syscall(call, fd);
	uint64_t inode;

	enter();
	if (result == 0 && fd_counts(fd, &inode))
		say(call == SYS_syncfs ? "syncall" : "sync", inode, 0, "", 0);
	leave();
	return result;
}

int fsync(int fd)
{
	return traced_sync(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return traced_sync(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return traced_sync(SYS_syncfs, fd);
}

/* ---- names ---- */

static void say_two(const char *word, const char *a, const char *b)
{
	char both[2 * PATH_MAX];
	int n = snprintf(both, sizeof(both), "%s%c%s", a, 0, b);

	say(word, 0, 0, both, (size_t)n);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char a[PATH_MAX], b[PATH_MAX];
	int result;

	enter();
	result = (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (result == 0 && path_at(from_dir, from, a) && path_at(to_dir, to, b))
		say_two("rename", a, b);
	leave();
	return result;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int link(const char *from, const char *to)
{
	char a[PATH_MAX], b[PATH_MAX];
	int result;

	enter();
	result = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	if (result == 0 && path_at(AT_FDCWD, from, a) && path_at(AT_FDCWD, to, b))
		say_two("link", a, b);
	leave();
	return result;
}

int unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_MAX];
	int result;

	enter();
	result = (int)syscall(SYS_unlinkat, dir, name, flags);
	if (result == 0 && path_at(dir, name, path))
		say((flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", 0, 0, path, strlen(path));
	leave();
	return result;
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdir(const char *name, mode_t mode)
{
	char path[PATH_MAX];
	int result;

	enter();
	result = (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
	if (result == 0 && path_at(AT_FDCWD, name, path))
		say("mkdir", 0, 0, path, strlen(path));
	leave();
	return result;
}

static int traced_open(int dir, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (((flags & (O_CREAT | O_TRUNC)) == 0 && (flags & O_TMPFILE) != O_TMPFILE) || trace == -1)
		return (int)syscall(SYS_openat, dir, name, flags, mode);
	enter();
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		fd = (int)syscall(SYS_openat, dir, name, flags, mode);
		if (fd != -1 && syscall(SYS_fstat, fd, &st) == 0)
			say("nameless", st.st_ino, 0, "", 0);
		leave();
		return fd;
	}
	if (path_at(dir, name, path)) {
		bool there = lstat(path, &st) == 0;

		fd = (int)syscall(SYS_openat, dir, name, flags, mode);
		if (fd != -1 && syscall(SYS_fstat, fd, &st) == 0 && (!there || (flags & O_TRUNC) != 0))
			say("open", st.st_ino, there, path, strlen(path));
	} else {
		fd = (int)syscall(SYS_openat, dir, name, flags, mode);
	}
	leave();
	return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return traced_open(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return traced_open(AT_FDCWD, name, flags, mode);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return traced_open(dir, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return traced_open(dir, name, flags, mode);
}
