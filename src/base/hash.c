#include "base/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/encoding.h"

struct hash_stream {
	EVP_MD_CTX *context;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static EVP_MD *sha256;
static _Thread_local EVP_MD_CTX *own; /* this thread's, for messages that come whole */

/* No SHA-256, no ledger: nothing sensible can be done without. */
static void need(bool worked)
{
	if (worked)
		return;
	fputs("comity: the cryptographic library computes no SHA-256\n", stderr);
	abort();
}

static void free_context(void *context)
{
	EVP_MD_CTX_free(context);
}

/* Fetching costs more than hashing a short message. */
static void start(void)
{
	need((sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL);
	need(pthread_key_create(&at_thread_end, free_context) == 0);
}

static EVP_MD_CTX *context_new(void)
{
	EVP_MD_CTX *context;

	pthread_once(&once, start);
	if ((context = EVP_MD_CTX_new()) != NULL)
		need(EVP_DigestInit_ex2(context, sha256, NULL) == 1);
	return context;
}

static EVP_MD_CTX *own_context(void)
{
	if (own == NULL) {
		need((own = context_new()) != NULL);
		need(pthread_setspecific(at_thread_end, own) == 0);
	}
	return own;
}

static void add(EVP_MD_CTX *context, const void *from, size_t n)
{
	if (n > 0)
		need(EVP_DigestUpdate(context, from, n) == 1);
}

/* Leaves the context ready for the next message. */
static struct hash end(EVP_MD_CTX *context)
{
	struct hash h;

	need(EVP_DigestFinal_ex(context, h.bytes, NULL) == 1);
	need(EVP_DigestInit_ex2(context, NULL, NULL) == 1);
	return h;
}

struct hash hash_bytes(const void *from, size_t n)
{
	EVP_MD_CTX *context = own_context();

	add(context, from, n);
	return end(context);
}

struct hash hash_span(struct span s)
{
	return hash_bytes(s.at, s.len);
}

struct hash hash_parts(const struct span *parts, size_t count)
{
	EVP_MD_CTX *context = own_context();

	for (size_t i = 0; i < count; i++)
		add(context, parts[i].at, parts[i].len);
	return end(context);
}

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *h = malloc(sizeof(*h));

	if (h != NULL && (h->context = context_new()) == NULL) {
		free(h);
		h = NULL;
	}
	return h;
}

void hash_stream_add(struct hash_stream *h, const void *from, size_t n)
{
	add(h->context, from, n);
}

struct hash hash_stream_end(struct hash_stream *h)
{
	return end(h->context);
}

void hash_stream_free(struct hash_stream *h)
{
	if (h != NULL)
		EVP_MD_CTX_free(h->context);
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
