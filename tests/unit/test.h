/* What every unit test includes: cmocka with what it wants before it, and a random source that can be repeated. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's fail() would hide the one of base/err.h. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                                                  \
	do {                                                                                                           \
		print_error(__VA_ARGS__);                                                                              \
		print_error("\n");                                                                                     \
		_fail(__FILE__, __LINE__);                                                                             \
	} while (0)

#include "base/span.h"

/* The same at every run, unless TEST_SEED names another number. */
static inline uint64_t test_seed(void)
{
	const char *text = getenv("TEST_SEED");
	uint64_t seed = 1;

	if (text != NULL && span_u64(span_of(text), UINT64_MAX, &seed) != OK)
		fail_msg("TEST_SEED is no number");
	return seed;
}

/* SplitMix64. */
static inline uint64_t test_random(uint64_t *seed)
{
	uint64_t v = *seed += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

static inline size_t test_below(uint64_t *seed, size_t n)
{
	return (size_t)(test_random(seed) % n);
}

static inline void test_bytes(uint64_t *seed, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)out)[i] = (unsigned char)test_random(seed);
}

/* A macro, so that a failure names the caller's line. */
#define assert_span(got, expected)                                                                                     \
	do {                                                                                                           \
		struct span got_ = (got), expected_ = span_of(expected);                                               \
		if (!span_equal(got_, expected_))                                                                      \
			fail_msg("\"%.*s\" is not \"%.*s\"", SPAN_FORMAT(got_), SPAN_FORMAT(expected_));               \
	} while (0)

#define TABLE_LENGTH(table) (sizeof(table) / sizeof((table)[0]))

#endif
