#include "base/hash.h"

/* These functions take no memory and start nothing, so they cannot fail; what OpenSSL recommends in their place loads a
 * provider first, takes 5,000 pieces of memory for that, and crashes if it gets one of them not. The same code computes. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/encoding.h"

struct hash_stream {
	SHA256_CTX context;
};

static void add(SHA256_CTX *context, const void *from, size_t n)
{
	if (n > 0)
		SHA256_Update(context, from, n);
}

static struct hash end(SHA256_CTX *context)
{
	struct hash h;

	SHA256_Final(h.bytes, context);
	return h;
}

struct hash hash_bytes(const void *from, size_t n)
{
	SHA256_CTX context;

	SHA256_Init(&context);
	add(&context, from, n);
	return end(&context);
}

struct hash hash_span(struct span s)
{
	return hash_bytes(s.at, s.len);
}

struct hash hash_parts(const struct span *parts, size_t count)
{
	SHA256_CTX context;

	SHA256_Init(&context);
	for (size_t i = 0; i < count; i++)
		add(&context, parts[i].at, parts[i].len);
	return end(&context);
}

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *h = malloc(sizeof(*h));

	if (h != NULL)
		SHA256_Init(&h->context);
	return h;
}

void hash_stream_add(struct hash_stream *h, const void *from, size_t n)
{
	add(&h->context, from, n);
}

struct hash hash_stream_end(struct hash_stream *h)
{
	struct hash result = end(&h->context);

	SHA256_Init(&h->context);
	return result;
}

void hash_stream_free(struct hash_stream *h)
{
	free(h);
}

void hash_hex(struct hash h, char out[HASH_HEX + 1])
{
	hex_encode(h.bytes, HASH_SIZE, out);
}

enum err hash_from_hex(struct span s, struct hash *out)
{
	return hex_decode(s, out->bytes, HASH_SIZE);
}

uint32_t crc32_add(uint32_t crc, const void *from, size_t n)
{
	return n > 0 ? (uint32_t)crc32_z(crc, from, n) : crc; /* zlib takes NULL as "begin anew" */
}
