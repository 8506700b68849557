/* An IPv4 address out of the midst of text, in the time of a look-up: reports hold millions of them.
 *
 * Finding where its numbers end by one look at sixteen bytes, and computing each from the four bytes before its end
 * whatever its length, takes no branch that depends on the digits; address_parse takes one for each and guesses a third
 * of them wrong. */
#ifndef REPORT_QUAD_H
#define REPORT_QUAD_H

#include "report/csv_blocks.h"

#define QUAD_BEFORE 3 /* bytes that must be readable before it */
#define QUAD_ROOM 16  /* and from its start */

/* Bit i: byte i is no digit; bits 16 to 19 are set. */
static inline uint32_t quad_ends(const char *p)
{
#if defined(__SSE2__)
	__m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8(10)), v)) | 0xf0000;
#else
	uint32_t ends = 0xf0000;

	for (int i = 0; i < QUAD_ROOM; i++)
		ends |= (uint32_t)((uint8_t)(p[i] - '0') > 9) << i;
	return ends;
#endif
}

/* The number of one to three digits that ends before `end`. */
static inline uint32_t quad_number(const char *end, uint32_t digits)
{
	uint32_t w, wanted = 0xffffffff << (32 - 8 * digits);

	memcpy(&w, end - 4, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap32(w);
#endif
	w = (w ^ 0x30303030) & wanted;
	return (w >> 24) + (w >> 16 & 255) * 10 + (w >> 8 & 255) * 100;
}

/* Returns the quad's length, 0 if none stands here. loose: zeros in front pass. What follows it is the caller's to
 * judge. */
static inline size_t quad_read(const char *p, bool loose, uint32_t *out)
{
	static const uint32_t least[4] = { 0, 0, 10, 100 }; /* with so many digits */
	uint32_t ends = quad_ends(p), start = 0, v = 0, bad = 0;

	for (int i = 0; i < 4; i++, ends &= ends - 1) {
		uint32_t end = (uint32_t)__builtin_ctz(ends), digits = end - start, n;

		if (digits - 1 > 2 || end >= QUAD_ROOM || (i < 3 && p[end] != '.'))
			return 0;
		n = quad_number(p + end, digits);
		bad |= (uint32_t)(n > 255) | (uint32_t)(!loose && n < least[digits]);
		v = v << 8 | n;
		start = end + 1;
	}
	*out = v;
	return bad ? 0 : start - 1;
}

/* Whether it may be a special address: by its first octet, 0, 10, 100, 127, 169, 172, 192, 198, 203, 224 to 255. */
static inline bool quad_is_suspect(uint32_t v)
{
	static const uint64_t octets[4] = { 0x401, 0x8000001000000000, 0x120000000000, 0xffffffff00000841 };

	return (octets[v >> 30] >> (v >> 24 & 63) & 1) != 0;
}

#endif
