/* SHA-256 (FIPS 180-4) by OpenSSL. Takes no memory and cannot fail. Any thread. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"

#define HASH_SIZE 32
#define HASH_HEX 64

struct hash {
	uint8_t bytes[HASH_SIZE];
};

struct hash hash_bytes(const void *from, size_t n);
struct hash hash_span(struct span s);
struct hash hash_parts(const struct span *parts, size_t count); /* of the parts one after the other */

/* For what comes in pieces. The context belongs to one thread. */
struct hash_stream;
struct hash_stream *hash_stream_new(void); /* NULL: no memory */
void hash_stream_add(struct hash_stream *h, const void *from, size_t n);
struct hash hash_stream_end(struct hash_stream *h); /* and ready for the next message */
void hash_stream_free(struct hash_stream *h);

static inline bool hash_equal(struct hash a, struct hash b)
{
	return memcmp(a.bytes, b.bytes, HASH_SIZE) == 0;
}
static inline int hash_compare(struct hash a, struct hash b)
{
	return memcmp(a.bytes, b.bytes, HASH_SIZE);
}
void hash_hex(struct hash h, char out[HASH_HEX + 1]);
enum err hash_from_hex(struct span s, struct hash *out); /* 64 lower-case digits. ERR_ENCODING */

/* CRC-32 of zlib over n bytes, going on from crc (0 at first): for records on disk, against accidents only. */
uint32_t crc32_add(uint32_t crc, const void *from, size_t n);

#endif
