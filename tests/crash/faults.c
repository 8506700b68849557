/* A machine that fails: put before a program with LD_PRELOAD, this refuses the n-th call of the kinds named.
 *
 *	FAULTS_UNDER	only files under this folder count; memory always counts
 *	FAULTS_KINDS	of write sync rename map truncate open memory, with commas
 *	FAULTS_AT	which call, from 0; without it calls are only counted
 *	FAULTS_ERROR	the number of the error
 *	FAULTS_SHORT	1: a write writes half of it, and that is no failure
 *	FAULTS_LAST	1: all calls from there on fail, not only this one
 *	FAULTS_LOG	where to say how many calls there were, which one failed, and what was written to a file after a
 *			failed sync of it
 *
 * Not for programs that sync in several threads. Calls count from the beginning of main. They are counted in the order of their
 * coming, so a run is the same each time only with one thread. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, MAP, TRUNCATE, OPEN, MEMORY, KINDS };
static const char *const names[KINDS] = { "write", "sync", "rename", "map", "truncate", "open", "memory" };

static struct {
	bool on, kinds[KINDS], half, last;
	long at; /* -1: none */
	int error, log;
	char under[PATH_MAX];
	atomic_long calls;
	atomic_bool failed;
	char distrusted[PATH_MAX]; /* the file whose sync failed */
} f;

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? value : otherwise;
}

/* Without the C library's own calls, which may be ours. */
static void say(const char *what, const char *path, long number)
{
	char text[PATH_MAX + 100];
	int error = errno, n = snprintf(text, sizeof(text), "%s %ld %s\n", what, number, path);

	if (f.log != -1 && n > 0)
		syscall(SYS_write, f.log, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
	errno = error;
}

static void begin(void)
{
	const char *kinds = setting("FAULTS_KINDS", ""), *log = setting("FAULTS_LOG", "/dev/null");

	for (int k = 0; k < KINDS; k++) {
		const char *found = strstr(kinds, names[k]);

		f.kinds[k] = found != NULL;
	}
	f.at = strtol(setting("FAULTS_AT", "-1"), NULL, 10);
	f.error = (int)strtol(setting("FAULTS_ERROR", "5"), NULL, 10);
	f.half = *setting("FAULTS_SHORT", "0") == '1';
	f.last = *setting("FAULTS_LAST", "0") == '1';
	snprintf(f.under, sizeof(f.under), "%s", setting("FAULTS_UNDER", "/"));
	f.log = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	unsetenv("LD_PRELOAD");
	f.on = true;
}

__attribute__((destructor)) static void end(void)
{
	if (f.on)
		say("calls", "-", atomic_load(&f.calls));
}

typedef int main_function(int, char **, char **);
static main_function *real_main;

static int main_after_begin(int argc, char **argv, char **environment)
{
	begin();
	return real_main(argc, argv, environment);
}

int __libc_start_main(main_function *program, int argc, char **argv, void (*first)(void), void (*last)(void),
		      void (*loader)(void), void *stack);
int __libc_start_main(main_function *program, int argc, char **argv, void (*first)(void), void (*last)(void),
		      void (*loader)(void), void *stack)
{
	int (*start)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)(&start) = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = program;
	return start(main_after_begin, argc, argv, first, last, loader, stack);
}

/* ---- whose turn it is ---- */

static bool fails(enum kind k, const char *path)
{
	long call;

	if (!f.on || !f.kinds[k])
		return false;
	call = atomic_fetch_add(&f.calls, 1);
	if (f.at < 0 || (f.last ? call < f.at : call != f.at))
		return false;
	if (!atomic_exchange(&f.failed, true))
		say("failed", path, call);
	return true;
}

static bool path_counts(const char *path)
{
	return f.on && strncmp(path, f.under, strlen(f.under)) == 0;
}

/* path: room for PATH_MAX. */
static bool fd_counts(int fd, char *path)
{
	char name[40];
	ssize_t n;

	path[0] = '\0';
	if (!f.on || fd == f.log)
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlink, name, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	return path_counts(path);
}

/* Nothing more may go into a file whose sync failed. */
static void written(const char *path)
{
	if (strcmp(path, f.distrusted) == 0)
		say("written-after-failed-sync", path, 0);
}

static void distrust(int fd, const char *path)
{
	struct stat st;

	if (syscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode))
		snprintf(f.distrusted, sizeof(f.distrusted), "%s", path);
}

static int refused(void)
{
	errno = f.error;
	return -1;
}

/* ---- writing ---- */

ssize_t write(int fd, const void *from, size_t n)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path)) {
		written(path);
		if (fails(WRITE, path)) {
			if (f.half && n > 1)
				return syscall(SYS_write, fd, from, n / 2);
			if (!f.half)
				return refused();
		}
	}
	return syscall(SYS_write, fd, from, n);
}

/* A full disk may still have taken a part. */
ssize_t pwrite(int fd, const void *from, size_t n, off_t offset)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path)) {
		written(path);
		if (fails(WRITE, path)) {
			if (f.half && n > 1)
				return syscall(SYS_pwrite64, fd, from, n / 2, offset);
			if (!f.half) {
				syscall(SYS_pwrite64, fd, from, n / 2, offset);
				return refused();
			}
		}
	}
	return syscall(SYS_pwrite64, fd, from, n, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off_t offset)
{
	return pwrite(fd, from, n, offset);
}

static bool vector_fails(int fd)
{
	char path[PATH_MAX];

	if (!fd_counts(fd, path))
		return false;
	written(path);
	return fails(WRITE, path);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (vector_fails(fd)) {
		if (!f.half)
			return refused();
		if (parts[0].iov_len > 1)
			return syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len / 2);
	}
	return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	if (vector_fails(fd)) {
		if (!f.half)
			return refused();
		if (parts[0].iov_len > 1)
			return syscall(SYS_pwrite64, fd, parts[0].iov_base, parts[0].iov_len / 2, offset);
	}
	return syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
	return pwritev(fd, parts, count, offset);
}

/* ---- syncing ---- */

static int sync_with(long call, int fd)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path) && fails(SYNC, path)) {
		distrust(fd, path);
		return refused();
	}
	return (int)syscall(call, fd);
}

int fsync(int fd)
{
	return sync_with(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_with(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return sync_with(SYS_syncfs, fd);
}

int sync_file_range(int fd, off_t offset, off_t n, unsigned flags)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path) && fails(SYNC, path)) {
		distrust(fd, path);
		return refused();
	}
	return (int)syscall(SYS_sync_file_range, fd, offset, n, flags);
}

/* ---- names ---- */

int rename(const char *from, const char *to)
{
	if (path_counts(to) && fails(RENAME, to))
		return refused();
	return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char path[PATH_MAX];

	if ((*to == '/' ? path_counts(to) : fd_counts(to_dir, path)) && fails(RENAME, to))
		return refused();
	return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int link(const char *from, const char *to)
{
	if (path_counts(to) && fails(RENAME, to))
		return refused();
	return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
	if (path_counts(path) && fails(OPEN, path))
		return refused();
	return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* ---- sizes ---- */

int ftruncate(int fd, off_t n)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path)) {
		written(path);
		if (fails(TRUNCATE, path))
			return refused();
	}
	return (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off_t n)
{
	return ftruncate(fd, n);
}

int truncate(const char *path, off_t n)
{
	if (path_counts(path) && fails(TRUNCATE, path))
		return refused();
	return (int)syscall(SYS_truncate, path, n);
}

int fallocate(int fd, int mode, off_t offset, off_t n)
{
	char path[PATH_MAX];

	if (fd_counts(fd, path) && fails(TRUNCATE, path))
		return refused();
	return (int)syscall(SYS_fallocate, fd, mode, offset, n);
}

/* ---- opening ---- */

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

static int open_with(int dir, const char *name, int flags, mode_t mode)
{
	char path[PATH_MAX];
	bool counts = *name == '/' ? path_counts(name) : dir != AT_FDCWD && fd_counts(dir, path);

	if (counts && fails(OPEN, name))
		return refused();
	return (int)syscall(SYS_openat, dir, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_with(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_with(AT_FDCWD, name, flags, mode);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_with(dir, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_with(dir, name, flags, mode);
}

DIR *opendir(const char *name)
{
	int fd;

	if (path_counts(name) && fails(OPEN, name)) {
		errno = f.error;
		return NULL;
	}
	fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd == -1 ? NULL : fdopendir(fd);
}

/* ---- memory ---- */

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	char path[PATH_MAX];
	bool counts = fd == -1 || (flags & MAP_ANONYMOUS) != 0 ? f.on : fd_counts(fd, path);

	if (counts && fails(MAP, fd == -1 ? "memory" : path)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, n, protection, flags, fd, offset);
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *at, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static bool no_memory(void)
{
	if (!fails(MEMORY, "memory"))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t each)
{
	return no_memory() ? NULL : __libc_calloc(n, each);
}

void *realloc(void *at, size_t n)
{
	return no_memory() ? NULL : __libc_realloc(at, n);
}

void *reallocarray(void *at, size_t n, size_t each)
{
	size_t all;

	if (__builtin_mul_overflow(n, each, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(at, all);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return no_memory() ? NULL : __libc_memalign(alignment, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
	void *at = no_memory() ? NULL : __libc_memalign(alignment, n);

	if (at == NULL)
		return ENOMEM;
	*out = at;
	return 0;
}
