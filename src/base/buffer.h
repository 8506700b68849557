/* Bytes that grow, with a maximum given at birth and a sticky error: after the first failure every call does nothing,
 * so code writes straight on and looks once at the end. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/span.h"

struct buffer {
	char *at;
	size_t len, room, max;
	enum err err; /* ERR_NO_MEMORY or ERR_TOO_LONG */
};

#define BUFFER(maximum) ((struct buffer){ .max = (maximum) })

void buffer_bytes(struct buffer *b, const void *from, size_t n);
void buffer_span(struct buffer *b, struct span s);
void buffer_text(struct buffer *b, const char *text);
void buffer_byte(struct buffer *b, uint8_t byte);
void buffer_u16(struct buffer *b, uint16_t v); /* big-endian, as all binary formats of ours */
void buffer_u32(struct buffer *b, uint32_t v);
void buffer_u64(struct buffer *b, uint64_t v);
void buffer_decimal(struct buffer *b, uint64_t v);
void buffer_print(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes at b->at + b->len, to be filled by the caller, who then adds to b->len. NULL on failure. */
char *buffer_room(struct buffer *b, size_t n);

static inline struct span buffer_view(const struct buffer *b)
{
	return span_make(b->at, b->len);
}

void buffer_clear(struct buffer *b); /* keeps the memory, clears the error */
void buffer_free(struct buffer *b);  /* usable again afterwards */

#endif
