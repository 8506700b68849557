#include "test.h"

#include "base/arena.h"

static void pieces_are_aligned_and_apart(void **state)
{
	uint64_t seed = test_seed();
	struct arena *a = arena_new(1 << 20);
	struct {
		unsigned char *at;
		size_t size;
	} piece[300];

	(void)state;
	assert_non_null(a);
	for (unsigned i = 0; i < 300; i++) {
		piece[i].size = test_below(&seed, i % 50 == 0 ? 9000 : 100);
		piece[i].at = arena_alloc(a, piece[i].size);
		assert_non_null(piece[i].at);
		assert_int_equal((uintptr_t)piece[i].at % _Alignof(max_align_t), 0);
		memset(piece[i].at, (int)(i & 255), piece[i].size);
	}
	for (unsigned i = 0; i < 300; i++)
		for (size_t k = 0; k < piece[i].size; k++)
			assert_int_equal(piece[i].at[k], i & 255);
	arena_free(a);
}

static void the_maximum_holds(void **state)
{
	struct arena *a = arena_new(1000);

	(void)state;
	assert_null(arena_alloc(a, 1001));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_array(a, SIZE_MAX / 2, 4));
	assert_null(arena_copy(a, "", SIZE_MAX));
	assert_non_null(arena_alloc(a, 1000));
	assert_null(arena_alloc(a, 1));
	assert_null(arena_print(a, "%d", 1));
	assert_non_null(arena_alloc(a, 0));
	arena_free(a);
	arena_free(NULL);
}

/* Whatever an arena held before, it has room for the same after a reset. */
static void a_reset_gives_all_of_it_back(void **state)
{
	struct arena *a = arena_new(100000);

	(void)state;
	arena_reset(a);
	for (int round = 0; round < 50; round++) {
		if (round % 2 == 0) {
			assert_non_null(arena_alloc(a, 100));
			assert_non_null(arena_alloc(a, 99900));
			assert_null(arena_alloc(a, 1));
		} else {
			for (int i = 0; i < 1000; i++)
				assert_non_null(arena_alloc(a, 100));
			assert_null(arena_alloc(a, 1));
		}
		arena_reset(a);
	}
	arena_free(a);
}

static void texts_and_arrays(void **state)
{
	struct arena *a = arena_new(1 << 16);
	char *text = arena_print(a, "%s-%d", "seven", 7);
	unsigned char *zeros = arena_array(a, 5000, 3);

	(void)state;
	assert_string_equal(text, "seven-7");
	assert_string_equal(arena_copy(a, "abcdef", 3), "abc");
	assert_string_equal(arena_copy(a, NULL, 0), "");
	for (int i = 0; i < 15000; i++)
		assert_int_equal(zeros[i], 0);
	assert_non_null(arena_array(a, 0, 8));
	arena_free(a);
}

static void resized_pieces_keep_their_bytes(void **state)
{
	uint64_t seed = test_seed();
	struct arena *a = arena_new(1 << 24);
	struct {
		unsigned char *at;
		size_t size;
	} piece[8] = { { NULL, 0 } };

	(void)state;
	for (int round = 0; round < 3000; round++) {
		unsigned i = (unsigned)test_below(&seed, round % 3 == 0 ? 8 : 1);
		size_t size = test_below(&seed, round % 20 == 0 ? 20000 : 300), kept;

		if (round % 100 == 0) {
			memset(piece, 0, sizeof(piece));
			arena_reset(a);
		}
		kept = piece[i].size < size ? piece[i].size : size;
		piece[i].at = arena_resize(a, piece[i].at, piece[i].size, size);
		assert_true(piece[i].at != NULL || piece[i].size + size == 0);
		for (size_t k = 0; k < kept; k++)
			assert_int_equal(piece[i].at[k], i + 1);
		if (size > 0)
			memset(piece[i].at, (int)i + 1, size);
		piece[i].size = size;
	}
	arena_free(a);
}

static void resizing_counts_what_is_asked_for(void **state)
{
	struct arena *a = arena_new(100000);
	char *piece = arena_alloc(a, 1000);

	(void)state;
	for (size_t size = 1000; size < 100000; size += 1000) /* in place: nothing is lost */
		assert_non_null(piece = arena_resize(a, piece, size, size + 1000));
	assert_null(arena_resize(a, piece, 100000, 100001));
	assert_null(arena_alloc(a, 1));
	assert_non_null(piece = arena_resize(a, piece, 100000, 50000));
	assert_non_null(arena_alloc(a, 20000));
	assert_null(arena_resize(a, piece, 50000, 60000)); /* no more the last one: would need all of it again */
	assert_null(arena_resize(a, piece, 50000, SIZE_MAX));
	assert_non_null(arena_alloc(a, 30000));
	arena_reset(a);
	assert_non_null(arena_alloc(a, 40000)); /* the same behind another piece, where the chunk has an end */
	assert_non_null(piece = arena_alloc(a, 1000));
	for (size_t size = 1000; size < 60000; size += 1000)
		assert_non_null(piece = arena_resize(a, piece, size, size + 1000));
	assert_null(arena_alloc(a, 1));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_apart),	   cmocka_unit_test(the_maximum_holds),
		cmocka_unit_test(a_reset_gives_all_of_it_back),	   cmocka_unit_test(texts_and_arrays),
		cmocka_unit_test(resized_pieces_keep_their_bytes), cmocka_unit_test(resizing_counts_what_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
