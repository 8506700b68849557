#include "test.h"

#include <pthread.h>

#include "base/hash.h"

static void known_values(void **state)
{
	/* FIPS 180-4's examples, and the empty message */
	static const char *table[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct hash h = hash_span(span_of(table[i][0])), back;
		char text[HASH_HEX + 1];

		hash_hex(h, text);
		assert_string_equal(text, table[i][1]);
		assert_int_equal(hash_from_hex(span_of(text), &back), OK);
		assert_true(hash_equal(h, back));
		assert_int_equal(hash_compare(h, back), 0);
	}
	assert_true(hash_equal(hash_bytes(NULL, 0), hash_span(SPAN(""))));
	assert_int_equal(hash_from_hex(SPAN("e3b0"), &(struct hash){ { 0 } }), ERR_ENCODING);
}

static void however_it_is_cut(void **state)
{
	uint64_t seed = test_seed();
	struct hash_stream *stream = hash_stream_new();

	(void)state;
	assert_non_null(stream);
	for (int round = 0; round < 300; round++) {
		char bytes[900];
		struct span parts[4], rest = { bytes, test_below(&seed, sizeof(bytes)) };
		struct hash whole;

		test_bytes(&seed, bytes, rest.len);
		whole = hash_span(rest);
		for (int i = 0; i < 4; i++) {
			parts[i] = span_make(rest.at, i == 3 ? rest.len : test_below(&seed, rest.len + 1));
			rest = span_from(rest, parts[i].len);
			hash_stream_add(stream, parts[i].at, parts[i].len);
		}
		assert_true(hash_equal(whole, hash_parts(parts, 4)));
		assert_true(hash_equal(whole, hash_stream_end(stream)));
	}
	assert_true(hash_equal(hash_stream_end(stream), hash_parts(NULL, 0)));
	hash_stream_free(stream);
	hash_stream_free(NULL);
}

static void *hash_many(void *out)
{
	struct hash h = { { 0 } };

	for (int i = 0; i < 2000; i++)
		h = hash_bytes(h.bytes, HASH_SIZE);
	*(struct hash *)out = h;
	return NULL;
}

static void threads_do_not_meet(void **state)
{
	pthread_t thread[4];
	struct hash got[4], expected;

	(void)state;
	hash_many(&expected);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hash_many, &got[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_true(hash_equal(got[i], expected));
	}
}

static void crc_goes_on(void **state)
{
	(void)state;
	assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926); /* the check value that every catalogue gives */
	assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5), 0xcbf43926);
	assert_int_equal(crc32_add(0xcbf43926, NULL, 0), 0xcbf43926);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(however_it_is_cut),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(crc_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
