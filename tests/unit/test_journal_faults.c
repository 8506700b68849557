/* A disk that fails: the N-th write, sync or rename of a run is refused, or writes only half. The calls are caught here:
 * a program's own functions come before the C library's. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "scratch.h"
#include "store/journal.h"

static struct {
	int calls, at; /* the call that fails; -1: none */
	bool half;     /* a write writes half of it, and that is no failure */
	int error;
} fault = { .at = -1 };

static bool fails(void)
{
	return fault.calls++ == fault.at;
}

int fdatasync(int fd)
{
	if (!fails() || fault.half)
		return (int)syscall(SYS_fdatasync, fd);
	errno = fault.error;
	return -1;
}

int fsync(int fd)
{
	if (!fails() || fault.half)
		return (int)syscall(SYS_fsync, fd);
	errno = fault.error;
	return -1;
}

int rename(const char *from, const char *to)
{
	if (!fails() || fault.half)
		return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
	errno = fault.error;
	return -1;
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t offset)
{
	if (fails()) {
		if (fault.half && n > 1)
			n /= 2;
		else if (!fault.half) {
			syscall(SYS_pwrite64, fd, from, n / 2, offset); /* what a full disk leaves */
			errno = fault.error;
			return -1;
		}
	}
	return syscall(SYS_pwrite64, fd, from, n, offset);
}

/* ---- one run: batches until the first failure ---- */

#define BATCHES 6

static size_t size_of(unsigned batch)
{
	return batch == 3 ? (size_t)3 << 20 : 300 + batch; /* one that goes to the disk in pieces */
}

static void fill(char *out, unsigned batch, unsigned record, size_t n)
{
	memset(out, 'a' + (int)batch, n);
	out[0] = (char)('0' + record);
}

static enum err add_batch(struct journal *j, unsigned batch)
{
	static char payload[3 << 20];
	enum err e = journal_begin(j);

	for (unsigned r = 0; e == OK && r < 2; r++) {
		struct span part = span_make(payload, size_of(batch));

		fill(payload, batch, r, part.len);
		e = journal_add(j, RECORD_BODY, 0, &part, 1, NULL);
	}
	return e == OK ? journal_commit(j) : e;
}

struct content {
	unsigned records;
	bool wrong, erased;
	uint64_t first;
};

static enum err look(void *context, const struct record *r)
{
	static char payload[3 << 20];
	struct content *c = context;
	unsigned batch = c->records / 2;

	fill(payload, batch, c->records % 2, size_of(batch));
	if (c->records == 0)
		c->first = r->position;
	c->erased = c->erased || r->erased;
	c->wrong = c->wrong || r->payload.len != size_of(batch) ||
		   (!r->erased && memcmp(r->payload.at, payload, r->payload.len) != 0);
	c->records++;
	return OK;
}

/* What a run got acknowledged must be there afterwards, and nothing by half. */
static void check(const char *dir, unsigned acknowledged, bool erased)
{
	struct journal *j = NULL;
	struct content c = { 0 };

	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_tail(j, 0, look, &c), OK);
	assert_false(c.wrong);
	assert_int_equal(c.records % 2, 0);
	assert_true(c.records / 2 >= acknowledged && c.records / 2 <= acknowledged + 1);
	if (c.records / 2 < BATCHES)
		assert_int_equal(add_batch(j, c.records / 2), OK); /* and it goes on */
	assert_true(c.erased || !erased);
	journal_close(j);
}

static bool run(const char *dir, unsigned *acknowledged, bool *erased)
{
	struct journal *j = NULL;
	struct content c = { 0 };
	bool failed;

	*acknowledged = 0;
	*erased = false;
	if (journal_open_writer(dir, &j) != OK)
		return true;
	while (*acknowledged < BATCHES && add_batch(j, *acknowledged) == OK)
		++*acknowledged;
	failed = *acknowledged < BATCHES;
	if (failed) { /* and then it refuses all further work, with the same verdict */
		enum err e = journal_begin(j);

		assert_true(e == ERR_IO || e == ERR_DISK_FULL || e == ERR_SYNC);
		assert_int_equal(journal_begin(j), e);
		assert_int_equal(journal_erase(j, 32), e);
	} else {
		assert_int_equal(journal_tail(j, 0, look, &c), OK);
		failed = journal_erase(j, c.first) != OK;
		*erased = !failed;
	}
	journal_close(j);
	return failed;
}

static void every_call_may_fail(void **state)
{
	static const int errors[] = { EIO, ENOSPC };
	struct scratch *s = *state;
	bool failed = true, erased;
	char name[40];

	for (int at = 0; failed; at++) {
		unsigned acknowledged;
		const char *dir;

		snprintf(name, sizeof(name), "journal%d", at);
		dir = scratch_path(s, name);
		fault.at = -1;
		assert_int_equal(journal_create(dir), OK);
		fault.calls = 0;
		fault.at = at;
		fault.error = errors[at % 2];
		failed = run(dir, &acknowledged, &erased);
		assert_true(failed == (fault.calls > at));
		fault.at = -1;
		check(dir, acknowledged, erased);
	}
}

static void half_a_write_is_no_failure(void **state)
{
	struct scratch *s = *state;
	bool more = true, erased;
	char name[40];

	fault.half = true;
	for (int at = 0; more; at++) {
		unsigned acknowledged;
		const char *dir;

		snprintf(name, sizeof(name), "journal%d", at);
		dir = scratch_path(s, name);
		fault.at = -1;
		assert_int_equal(journal_create(dir), OK);
		fault.calls = 0;
		fault.at = at;
		assert_false(run(dir, &acknowledged, &erased));
		more = fault.calls > at;
		fault.at = -1;
		check(dir, BATCHES, erased);
	}
	fault.half = false;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_call_may_fail, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(half_a_write_is_no_failure, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
