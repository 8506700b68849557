/* Reads binary formats with a sticky error: after the first failure every read yields zeros and the caller looks once.
 * Integers are big-endian. Nothing is copied: spans point into the input. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/span.h"

struct reader {
	const uint8_t *at, *end;
	enum err err;
};

struct reader reader_of(struct span s);
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
struct span read_span(struct reader *r, size_t n); /* checks n against what is left: ERR_SHORT */
void read_bytes(struct reader *r, void *out, size_t n);
static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

#endif
