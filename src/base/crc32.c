#include "base/hash.h"

#include <zlib.h>

/*
 * zlib sums a gigabyte a second, which is most of what reading a journal costs. Processors that multiply polynomials do it
 * ten times as fast: 16 bytes are a polynomial over GF(2), and what a block contributes at the end is the block times a
 * power of x modulo the CRC's own polynomial. So blocks are folded onto those behind them with constants that are such
 * powers, until 16 bytes are left, which are then reduced (Gopal and others, "Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ", Intel 2009; the constants are those for the reflected polynomial 0x04C11DB7). The result is zlib's,
 * which does the rest of what is no multiple of 16, and everything elsewhere.
 */
#if defined(__x86_64__)
#include <immintrin.h>

#define BLOCK 16

static inline __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i block, __m128i constants, __m128i onto)
{
	__m128i low = _mm_clmulepi64_si128(block, constants, 0x00);
	__m128i high = _mm_clmulepi64_si128(block, constants, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

/* 128 bits to 32: two foldings, then Barrett's reduction. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t reduce(__m128i x, __m128i by_16)
{
	const __m128i low_words = _mm_setr_epi32(-1, 0, -1, 0);
	const __m128i by_8 = _mm_set_epi64x(0, 0x0163cd6124);
	const __m128i barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);
	__m128i t;

	x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, by_16, 0x10));
	t = _mm_clmulepi64_si128(_mm_and_si128(x, low_words), by_8, 0x00);
	x = _mm_xor_si128(_mm_srli_si128(x, 4), t);
	t = _mm_clmulepi64_si128(_mm_and_si128(x, low_words), barrett, 0x10);
	t = _mm_clmulepi64_si128(_mm_and_si128(t, low_words), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, t), 1);
}

/* n is a multiple of 16 and not 0; crc as it is inside, not inverted at its ends. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t crc_blocks(uint32_t crc, const uint8_t *p, size_t n)
{
	const __m128i by_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
	const __m128i by_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
	__m128i x = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)crc));

	if (n >= 4 * BLOCK) {
		__m128i x1 = load(p + 16), x2 = load(p + 32), x3 = load(p + 48);

		for (p += 64, n -= 64; n >= 4 * BLOCK; p += 64, n -= 64) {
			x = fold(x, by_64, load(p));
			x1 = fold(x1, by_64, load(p + 16));
			x2 = fold(x2, by_64, load(p + 32));
			x3 = fold(x3, by_64, load(p + 48));
		}
		x = fold(fold(fold(x, by_16, x1), by_16, x2), by_16, x3);
	} else {
		p += BLOCK;
		n -= BLOCK;
	}
	for (; n > 0; p += BLOCK, n -= BLOCK)
		x = fold(x, by_16, load(p));
	return reduce(x, by_16);
}

static size_t crc_fast(uint32_t *crc, const uint8_t *p, size_t n)
{
	size_t whole = n - n % BLOCK;

	if (whole == 0 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
		return 0;
	*crc = ~crc_blocks(~*crc, p, whole);
	return whole;
}
#else
static size_t crc_fast(uint32_t *crc, const uint8_t *p, size_t n)
{
	(void)crc;
	(void)p;
	(void)n;
	return 0;
}
#endif

uint32_t crc32_add(uint32_t crc, const void *from, size_t n)
{
	size_t done = crc_fast(&crc, from, n);

	return n > done ? (uint32_t)crc32_z(crc, (const uint8_t *)from + done, n - done) : crc;
}
