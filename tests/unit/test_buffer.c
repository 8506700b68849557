#include "test.h"

#include "base/buffer.h"
#include "base/reader.h"

static void what_is_written_is_read_again(void **state)
{
	struct buffer b = BUFFER(100000);
	struct reader r;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		buffer_byte(&b, (uint8_t)i);
		buffer_u16(&b, (uint16_t)(i * 31));
		buffer_u32(&b, i * 0x10203);
		buffer_u64(&b, i * UINT64_C(0x102030405060708));
	}
	assert_int_equal(b.err, OK);
	r = reader_of(buffer_view(&b));
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(read_u8(&r), i & 255);
		assert_int_equal(read_u16(&r), (i * 31) & 0xffff);
		assert_int_equal(read_u32(&r), i * 0x10203);
		assert_true(read_u64(&r) == i * UINT64_C(0x102030405060708));
	}
	assert_int_equal(r.err, OK);
	assert_int_equal(reader_left(&r), 0);
	buffer_free(&b);
}

static void integers_are_big_endian(void **state)
{
	struct buffer b = BUFFER(100);

	(void)state;
	buffer_u16(&b, 0x0102);
	buffer_u32(&b, 0x03040506);
	buffer_u64(&b, 0x0708090a0b0c0d0e);
	assert_int_equal(b.len, 14);
	for (int i = 0; i < 14; i++)
		assert_int_equal(b.at[i], i + 1);
	buffer_free(&b);
}

static void texts(void **state)
{
	struct buffer b = BUFFER(1000);

	(void)state;
	buffer_text(&b, "a");
	buffer_span(&b, SPAN("bc"));
	buffer_span(&b, (struct span){ NULL, 0 });
	buffer_decimal(&b, 0);
	buffer_decimal(&b, UINT64_MAX);
	buffer_print(&b, "-%s-%d", "x", -5);
	buffer_print(&b, "%s", "");
	assert_span(buffer_view(&b), "abc018446744073709551615-x--5");
	buffer_clear(&b);
	buffer_print(&b, "%500d", 7); /* longer than the first room */
	assert_int_equal(b.err, OK);
	assert_int_equal(b.len, 500);
	assert_int_equal(b.at[499], '7');
	buffer_free(&b);
	assert_span(buffer_view(&b), "");
	buffer_text(&b, "again");
	assert_span(buffer_view(&b), "again");
	buffer_free(&b);
}

static void the_maximum_is_exact_and_the_error_stays(void **state)
{
	struct buffer b = BUFFER(10);

	(void)state;
	buffer_print(&b, "%s", "0123456789");
	assert_int_equal(b.err, OK);
	assert_span(buffer_view(&b), "0123456789");
	buffer_byte(&b, 'x');
	assert_int_equal(b.err, ERR_TOO_LONG);
	b.len = 0;
	buffer_text(&b, "no");
	assert_int_equal(b.len, 0);
	assert_null(buffer_room(&b, 0));
	buffer_clear(&b);
	buffer_print(&b, "%s", "0123456789a");
	assert_int_equal(b.err, ERR_TOO_LONG);
	assert_int_equal(b.len, 0);
	buffer_clear(&b);
	assert_null(buffer_room(&b, SIZE_MAX));
	buffer_free(&b);
	b = BUFFER(SIZE_MAX);
	assert_null(buffer_room(&b, SIZE_MAX));
	assert_int_equal(b.err, ERR_TOO_LONG);
	buffer_free(&b);
	b = BUFFER(0);
	buffer_text(&b, "");
	assert_int_equal(b.err, OK);
	buffer_text(&b, "x");
	assert_int_equal(b.err, ERR_TOO_LONG);
	buffer_free(&b);
}

static void agrees_with_a_plain_array(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 200; round++) {
		static char plain[5000], piece[700];
		struct buffer b = BUFFER(test_below(&seed, sizeof(plain)));
		size_t len = 0;

		for (int i = 0; i < 20; i++) {
			size_t n = test_below(&seed, sizeof(piece));

			test_bytes(&seed, piece, n);
			buffer_bytes(&b, piece, n);
			if (len + n > b.max)
				break;
			memcpy(plain + len, piece, n);
			len += n;
			assert_int_equal(b.err, OK);
		}
		assert_true(span_equal(buffer_view(&b), span_make(plain, len)));
		buffer_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(texts),
		cmocka_unit_test(the_maximum_is_exact_and_the_error_stays),
		cmocka_unit_test(agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
