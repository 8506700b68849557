/* Sixty-four bytes at once: where commas, quotes and line ends stand, as bits. Bit i is byte i. */
#ifndef REPORT_CSV_BLOCKS_H
#define REPORT_CSV_BLOCKS_H

#include "base/span.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct masks {
	uint64_t commas, quotes, breaks;
};

/* Eight bytes at a time in a word: a byte that is equal becomes 0, a 0 becomes a high bit, and the product brings the
 * eight high bits together. */
static inline uint64_t bits_plain(const uint64_t words[8], char c)
{
	const uint64_t ones = 0x0101010101010101, low = 0x7f7f7f7f7f7f7f7f;
	uint64_t bits = 0;

	for (int i = 7; i >= 0; i--) {
		uint64_t x = words[i] ^ ones * (unsigned char)c;

		x = ~(((x & low) + low) | x | low);
		bits = bits << 8 | (x >> 7) * 0x0102040810204080 >> 56;
	}
	return bits;
}

static inline struct masks masks_plain(const char *p)
{
	uint64_t words[8];

	memcpy(words, p, sizeof(words));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (int i = 0; i < 8; i++)
		words[i] = __builtin_bswap64(words[i]);
#endif
	return (struct masks){ bits_plain(words, ','), bits_plain(words, '"'), bits_plain(words, '\n') };
}

#if defined(__SSE2__)

static inline __attribute__((always_inline)) uint64_t bits_sse2(__m128i a, __m128i b, __m128i d, __m128i e, char c)
{
	__m128i wanted = _mm_set1_epi8(c);

	return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(a, wanted)) |
	       (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(b, wanted)) << 16 |
	       (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(d, wanted)) << 32 |
	       (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(e, wanted)) << 48;
}

static inline __attribute__((always_inline)) struct masks masks_of(const char *p)
{
	const __m128i *v = (const __m128i *)(const void *)p;
	__m128i a = _mm_loadu_si128(v), b = _mm_loadu_si128(v + 1), d = _mm_loadu_si128(v + 2),
		e = _mm_loadu_si128(v + 3);

	return (struct masks){ bits_sse2(a, b, d, e, ','), bits_sse2(a, b, d, e, '"'), bits_sse2(a, b, d, e, '\n') };
}

#else

static inline __attribute__((always_inline)) struct masks masks_of(const char *p)
{
	return masks_plain(p);
}

#endif

/* Bit i: whether an odd number of bits up to and with i is set. */
static inline __attribute__((always_inline)) uint64_t parity(uint64_t bits)
{
	bits ^= bits << 1;
	bits ^= bits << 2;
	bits ^= bits << 4;
	bits ^= bits << 8;
	bits ^= bits << 16;
	return bits ^ bits << 32;
}

/* How many bits are set. Without the instruction, which not every processor has, the compiler's own is a call. */
static inline unsigned bits_count(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	return (unsigned)(((v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
}

/* How many bytes of s are c once the bits of `set` are set in them. */
static inline uint64_t bytes_count(struct span s, uint8_t set, uint8_t c)
{
	typedef uint8_t bytes16 __attribute__((vector_size(16)));
	uint64_t count = 0;
	size_t i = 0;

	while (s.len - i >= 16) {
		bytes16 sum = { 0 };
		uint8_t each[16];

		for (int turns = 0; turns < 255 && s.len - i >= 16; turns++, i += 16) {
			bytes16 v;

			memcpy(&v, s.at + i, 16);
			sum -= (bytes16)((v | set) == c); /* a hit is -1 */
		}
		memcpy(each, &sum, 16);
		for (int k = 0; k < 16; k++)
			count += each[k];
	}
	for (; i < s.len; i++)
		count += ((uint8_t)s.at[i] | set) == c;
	return count;
}

static inline uint64_t lines_in(struct span s)
{
	return bytes_count(s, 0, '\n');
}

#endif
