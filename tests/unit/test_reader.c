#include "test.h"

#include "base/reader.h"

static void the_first_failure_stays(void **state)
{
	struct reader r = reader_of(SPAN("\x01\x02\x03"));
	char bytes[4] = "xxx";

	(void)state;
	assert_int_equal(read_u16(&r), 0x0102);
	assert_int_equal(read_u32(&r), 0);
	assert_int_equal(r.err, ERR_SHORT);
	assert_int_equal(read_u8(&r), 0); /* one byte is left, but the error stays */
	assert_null(read_span(&r, 0).at);
	read_bytes(&r, bytes, 3);
	assert_memory_equal(bytes, "\0\0\0", 3);
	assert_int_equal(reader_left(&r), 1);
}

static void spans_point_into_the_input(void **state)
{
	struct span in = SPAN("abcdef");
	struct reader r = reader_of(in);
	char two[2];

	(void)state;
	assert_ptr_equal(read_span(&r, 3).at, in.at);
	read_bytes(&r, two, 2);
	read_bytes(&r, NULL, 0);
	assert_memory_equal(two, "de", 2);
	assert_span(read_span(&r, 0), "");
	assert_int_equal(reader_left(&r), 1);
	assert_int_equal(read_span(&r, SIZE_MAX).len, 0);
	assert_int_equal(r.err, ERR_SHORT);
}

static void nothing_reads_as_nothing(void **state)
{
	struct reader r = reader_of((struct span){ NULL, 0 });

	(void)state;
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(read_span(&r, 0).len, 0);
	assert_int_equal(r.err, OK);
	assert_int_equal(read_u64(&r), 0);
	assert_int_equal(r.err, ERR_SHORT);
}

/* Cut anywhere, a message reads as short, and never past its end (what a sanitizer would see). */
static void every_cut_is_found(void **state)
{
	static const char whole[] = "\x00\x03"
				    "abc"
				    "\x01\x02\x03\x04\x05\x06\x07\x08";
	size_t all = sizeof(whole) - 1;

	(void)state;
	for (size_t n = 0; n <= all; n++) {
		char *part = malloc(n + (n == 0));
		struct reader r;

		assert_non_null(part);
		memcpy(part, whole, n);
		r = reader_of(span_make(part, n));
		read_span(&r, read_u16(&r));
		read_u64(&r);
		assert_int_equal(r.err, n == all ? OK : ERR_SHORT);
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_stays),
		cmocka_unit_test(spans_point_into_the_input),
		cmocka_unit_test(nothing_reads_as_nothing),
		cmocka_unit_test(every_cut_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
