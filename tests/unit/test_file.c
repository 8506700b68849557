#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

static int fsync_error, fsync_calls, fsync_fails_at;

/* Stands in for the C library's, so that a test can make it fail. */
int fsync(int fd)
{
	fsync_calls++;
	if (fsync_error != 0 && fsync_calls == fsync_fails_at) {
		errno = fsync_error;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void fsync_is_to_fail(int call, int error)
{
	fsync_calls = 0;
	fsync_fails_at = call;
	fsync_error = error;
}

struct place {
	char folder[64];
	struct arena *arena;
	char *file; /* folder/file, which does not exist yet */
};

static int place_make(void **state)
{
	static struct place p;

	p = (struct place){ .folder = "/tmp/comity-test-XXXXXX", .arena = arena_new(1 << 22) };
	if (p.arena == NULL || mkdtemp(p.folder) == NULL)
		return -1;
	fsync_is_to_fail(0, 0);
	p.file = arena_print(p.arena, "%s/file", p.folder);
	*state = &p;
	return 0;
}

static int place_remove(void **state)
{
	struct place *p = *state;
	int left;

	unlink(p->file);
	left = rmdir(p->folder); /* fails if a .tmp was left behind */
	arena_free(p->arena);
	return left;
}

static void what_is_written_is_read(void **state)
{
	struct place *p = *state;
	char *large = arena_alloc(p->arena, 1000000);
	struct span out;
	struct stat st;

	memset(large, 'x', 1000000);
	assert_false(file_exists(p->file));
	assert_int_equal(file_write(p->file, SPAN("one"), 0600), OK);
	assert_int_equal(fsync_calls, 2); /* the file and its folder */
	assert_true(file_exists(p->file));
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(p->arena, p->file, 3, &out), OK);
	assert_span(out, "one");
	assert_int_equal(file_write_lazily(p->file, span_make(large, 1000000), 0644), OK);
	assert_int_equal(fsync_calls, 2);
	assert_int_equal(file_read(p->arena, p->file, 1 << 20, &out), OK);
	assert_true(span_equal(out, span_make(large, 1000000)));
	assert_int_equal(file_write(p->file, SPAN(""), 0644), OK);
	assert_int_equal(file_read(p->arena, p->file, 0, &out), OK);
	assert_span(out, "");
}

static void reading_has_limits(void **state)
{
	struct place *p = *state;
	struct arena *small = arena_new(10);
	struct span out = SPAN("untouched");

	assert_int_equal(file_read(p->arena, p->file, 10, &out), ERR_NOT_FOUND);
	assert_int_equal(file_read(p->arena, p->folder, 10, &out), ERR_IO);
	assert_int_equal(file_write(p->file, SPAN("0123456789"), 0600), OK);
	assert_int_equal(file_read(p->arena, p->file, 9, &out), ERR_TOO_LONG);
	assert_int_equal(file_read(small, p->file, 10, &out), ERR_NO_MEMORY);
	assert_int_equal(file_read(p->arena, "/dev/zero", 100000, &out), ERR_TOO_LONG);
	assert_span(out, "untouched");
	assert_int_equal(file_read(p->arena, "/proc/self/status", 100000, &out), OK); /* tells no size */
	assert_true(span_starts(out, "Name:"));
	arena_free(small);
}

static void a_failed_fsync_says_so(void **state)
{
	struct place *p = *state;
	struct span out;

	assert_int_equal(file_write(p->file, SPAN("old"), 0600), OK);
	fsync_is_to_fail(1, EIO);
	assert_int_equal(file_write(p->file, SPAN("new"), 0600), ERR_SYNC);
	assert_true(strstr(err_detail(), "fsync") != NULL);
	assert_int_equal(file_read(p->arena, p->file, 10, &out), OK);
	assert_span(out, "old");
	fsync_is_to_fail(2, EIO);
	assert_int_equal(file_write(p->file, SPAN("new"), 0600), ERR_SYNC);
	fsync_is_to_fail(1, EIO);
	assert_int_equal(folder_sync(p->folder), ERR_SYNC);
	fsync_is_to_fail(1, EINVAL);
	assert_int_equal(folder_sync(p->folder), OK);
	assert_int_equal(folder_sync(p->file), ERR_IO);
}

static void a_tmp_left_behind_is_replaced(void **state)
{
	struct place *p = *state;
	char *tmp = arena_print(p->arena, "%s.tmp", p->file);
	int fd = open(tmp, O_WRONLY | O_CREAT, 0666);
	struct stat st;

	assert_true(fd != -1);
	assert_int_equal(file_write_all(fd, "a longer text from before", 25), OK);
	close(fd);
	assert_int_equal(file_write(p->file, SPAN("secret"), 0600), OK);
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 6);
	assert_false(file_exists(tmp));
}

static void writing_where_it_cannot(void **state)
{
	struct place *p = *state;
	char *nowhere = arena_print(p->arena, "%s/none/file", p->folder);
	char *endless = arena_alloc(p->arena, 10000);
	int full = open("/dev/full", O_WRONLY);

	memset(endless, 'x', 9999);
	endless[9999] = '\0';
	assert_int_equal(file_write(nowhere, SPAN("x"), 0600), ERR_NOT_FOUND);
	assert_int_equal(file_write(endless, SPAN("x"), 0600), ERR_IO);
	assert_int_equal(file_write(p->folder, SPAN("x"), 0600), ERR_IO); /* a folder stands there */
	assert_int_equal(folder_make(endless, 0700), ERR_IO);
	assert_true(full != -1);
	assert_int_equal(file_write_all(full, "x", 1), ERR_DISK_FULL);
	assert_int_equal(file_write_all(full, NULL, 0), OK);
	close(full);
}

static void folders_are_made_down_to_the_last(void **state)
{
	struct place *p = *state;
	char *deep = arena_print(p->arena, "%s/a/b//c/", p->folder), *file = arena_print(p->arena, "%s/x", deep);

	assert_int_equal(folder_make(deep, 0700), OK);
	assert_int_equal(folder_make(deep, 0700), OK);
	assert_int_equal(folder_make("/", 0700), OK);
	assert_int_equal(folder_make_durable(deep, 0700), OK);
	assert_int_equal(file_write(file, SPAN("x"), 0600), OK);
	assert_int_equal(folder_make(file, 0700), ERR_IO);
	assert_int_equal(folder_make(arena_print(p->arena, "%s/y", file), 0700), ERR_IO);
	assert_int_equal(folder_make_durable(file, 0700), ERR_IO);
	unlink(file);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(folder_make_durable(deep, 0700), OK);
	for (const char *const *part = (const char *const[]){ "a/b/c", "a/b", "a", NULL }; *part != NULL; part++)
		assert_int_equal(rmdir(arena_print(p->arena, "%s/%s", p->folder, *part)), 0);
}

static void parts_are_read_whole_or_not(void **state)
{
	struct place *p = *state;
	char out[8] = "";
	int fd;

	assert_int_equal(file_write(p->file, SPAN("0123456789"), 0600), OK);
	assert_true((fd = open(p->file, O_RDONLY)) != -1);
	assert_int_equal(file_read_at(fd, out, 4, 6), OK);
	assert_string_equal(out, "6789");
	assert_int_equal(file_read_at(fd, out, 5, 6), ERR_SHORT);
	assert_int_equal(file_read_at(fd, out, 1, 10), ERR_SHORT);
	assert_int_equal(file_read_at(fd, out, 1, UINT64_MAX), ERR_SHORT);
	assert_int_equal(file_read_at(fd, out, 0, 10), OK);
	close(fd);
	assert_int_equal(file_read_at(-1, out, 1, 0), ERR_IO);
}

static void mapping(void **state)
{
	struct place *p = *state;
	struct mapped m = { NULL, 7 };

	assert_int_equal(file_map(p->file, &m), ERR_NOT_FOUND);
	assert_int_equal(file_map(p->folder, &m), ERR_IO);
	assert_int_equal(m.len, 7);
	assert_int_equal(file_write(p->file, SPAN("mapped"), 0600), OK);
	assert_int_equal(file_map(p->file, &m), OK);
	assert_int_equal(file_write(p->file, SPAN(""), 0600), OK); /* replaced: the map stays as it was */
	assert_span(span_make(m.at, m.len), "mapped");
	file_unmap(&m);
	assert_int_equal(file_map(p->file, &m), OK);
	assert_int_equal(m.len, 0);
	file_unmap(&m);
	file_unmap(&m);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_is_written_is_read),     IN_PLACE(reading_has_limits),
		IN_PLACE(a_failed_fsync_says_so),      IN_PLACE(a_tmp_left_behind_is_replaced),
		IN_PLACE(writing_where_it_cannot),     IN_PLACE(folders_are_made_down_to_the_last),
		IN_PLACE(parts_are_read_whole_or_not), IN_PLACE(mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
