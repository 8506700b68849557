#include "test.h"

#include <errno.h>
#include <pthread.h>

#include "base/err.h"

static void no_slot_is_empty_and_no_code_is_there_twice(void **state)
{
	(void)state;
	for (int e = 0; e < ERR_COUNT; e++) {
		const char *code = err_code((enum err)e), *advice = err_advice((enum err)e);

		if (code == NULL || advice == NULL)
			fail_msg("error %d has no text", e);
		assert_true(strlen(code) > 1);
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(code));
		assert_true(advice[0] >= 'A' && advice[0] <= 'Z');
		assert_true(span_ends(span_of(advice), "."));
		for (int other = 0; other < e; other++)
			assert_string_not_equal(code, err_code((enum err)other));
	}
	assert_string_equal(err_code(OK), "ok");
	assert_string_equal(err_code(ERR_NOTE_SIGNATURE), "note-signature");
}

static void the_detail_commands_no_terminal(void **state)
{
	(void)state;
	fail(ERR_IO, "%s", "a\033[2Jb\nc\177d\302\233e \303\251");
	assert_string_equal(err_detail(), "a?[2Jb?c?d??e \303\251");
}

static void the_detail_is_kept_and_cut(void **state)
{
	char long_text[2000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(fail(ERR_SHORT, "%s: ends at byte %d", "a file", 7), ERR_SHORT);
	assert_string_equal(err_detail(), "a file: ends at byte 7");
	assert_int_equal(fail(ERR_IO, "above: %s", err_detail()), ERR_IO);
	assert_string_equal(err_detail(), "above: a file: ends at byte 7");
	fail(ERR_IO, "%s", long_text);
	assert_int_equal(strlen(err_detail()), 511);
	errno = EIO;
	fail_errno("%s", long_text);
	assert_int_equal(strlen(err_detail()), 511);
	err_clear();
	assert_string_equal(err_detail(), "");
}

static void errno_finds_its_error(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(fail_errno("%s", "x"), ERR_NOT_FOUND);
	assert_string_equal(err_detail(), "x: No such file or directory");
	errno = ENOMEM;
	assert_int_equal(fail_errno("x"), ERR_NO_MEMORY);
	errno = EACCES;
	assert_int_equal(fail_errno("x"), ERR_IO);
	assert_int_equal(err_of_errno(ENOSPC), ERR_DISK_FULL);
	assert_int_equal(err_of_errno(EDQUOT), ERR_DISK_FULL);
	assert_int_equal(err_of_errno(EROFS), ERR_READ_ONLY);
	assert_int_equal(err_of_errno(EMFILE), ERR_HANDLES);
	assert_int_equal(err_of_errno(ENFILE), ERR_HANDLES);
	assert_true(err_is_machine(ERR_HANDLES) && err_is_machine(ERR_SYNC));
	assert_false(err_is_machine(OK) || err_is_machine(ERR_NOT_FOUND) || err_is_machine(ERR_DAMAGED));
}

static void *fail_elsewhere(void *unused)
{
	fail(ERR_IO, "elsewhere");
	return unused;
}

static void each_thread_has_its_own(void **state)
{
	pthread_t other;

	(void)state;
	fail(ERR_IO, "here");
	assert_int_equal(pthread_create(&other, NULL, fail_elsewhere, NULL), 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_string_equal(err_detail(), "here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_slot_is_empty_and_no_code_is_there_twice),
		cmocka_unit_test(the_detail_commands_no_terminal),
		cmocka_unit_test(the_detail_is_kept_and_cut),
		cmocka_unit_test(errno_finds_its_error),
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
