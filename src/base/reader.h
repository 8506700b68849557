/* Reads binary formats with a sticky error: after the first failure every read yields zeros and the caller looks once.
 * Integers are big-endian. Nothing is copied: spans point into the input. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <endian.h>

#include "base/span.h"

struct reader {
	const uint8_t *at, *end;
	enum err err;
};

static inline struct reader reader_of(struct span s)
{
	static const uint8_t nothing[1];

	if (s.at == NULL)
		return (struct reader){ .at = nothing, .end = nothing };
	return (struct reader){ .at = (const uint8_t *)s.at, .end = (const uint8_t *)s.at + s.len };
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

/* The next n bytes, and past them. NULL: there are fewer. */
static inline const uint8_t *reader_take(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->err == OK && reader_left(r) < n)
		r->err = ERR_SHORT;
	if (r->err != OK)
		return NULL;
	r->at += n;
	return p;
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);

	return p != NULL ? *p : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);

	return p != NULL ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t read_u32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);

	return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t read_u64(struct reader *r)
{
	const uint8_t *p = reader_take(r, 8);
	uint64_t big;

	if (p == NULL)
		return 0;
	memcpy(&big, p, sizeof(big));
	return be64toh(big);
}

struct span read_span(struct reader *r, size_t n); /* checks n against what is left: ERR_SHORT */
void read_bytes(struct reader *r, void *out, size_t n);

#endif
