/* The token is base64url, without padding, of
 *
 *	u8 1, 32 bytes notice, u8 addressee, u32 hours since 1970, 8 bytes of the contact's hash, 16 bytes MAC
 *
 * big-endian; the MAC is keyed BLAKE2b over all before it. The key is a secret of the node (node_secret), so
 * links outlive a restart and a change of the party's key, and nothing is stored for them. */
#include "mail/answer_link.h"

#include <assert.h>
#include <sodium.h>

#include "base/encoding.h"
#include "base/reader.h"

#define MAKE 1
#define CONTACT_SIZE 8
#define MAC_SIZE 16
#define BODY_SIZE (1 + HASH_SIZE + 1 + 4 + CONTACT_SIZE)
#define TOKEN_SIZE (BODY_SIZE + MAC_SIZE)
#define HOUR_MS INT64_C(3600000)

void answer_link_key(const struct node *n, uint8_t key[ANSWER_KEY_SIZE])
{
	struct hash h = node_secret(n, SPAN("comity: the secret of this node's links to answer with; no statement"));

	memcpy(key, h.bytes, ANSWER_KEY_SIZE);
	sodium_memzero(&h, sizeof(h));
}

static void authenticate(const uint8_t key[ANSWER_KEY_SIZE], const uint8_t body[BODY_SIZE], uint8_t mac[MAC_SIZE])
{
	static const char purpose[] = "comity/answer-link/1";
	crypto_generichash_state h;

	crypto_generichash_init(&h, key, ANSWER_KEY_SIZE, MAC_SIZE);
	crypto_generichash_update(&h, (const uint8_t *)purpose, sizeof(purpose));
	crypto_generichash_update(&h, body, BODY_SIZE);
	crypto_generichash_final(&h, mac, MAC_SIZE);
}

static void put(uint8_t **at, const void *from, size_t n)
{
	memcpy(*at, from, n);
	*at += n;
}

void answer_token_print(const uint8_t key[ANSWER_KEY_SIZE], const struct answer_link *l, char out[ANSWER_LINK_MAX])
{
	uint64_t hours = (uint64_t)((l->until_ms + HOUR_MS - 1) / HOUR_MS);
	uint8_t raw[TOKEN_SIZE], *at = raw;
	const uint8_t head = MAKE, addressee = (uint8_t)l->addressee,
		      time[4] = { (uint8_t)(hours >> 24), (uint8_t)(hours >> 16), (uint8_t)(hours >> 8),
				  (uint8_t)hours };

	static_assert(BASE64_LENGTH(TOKEN_SIZE) < ANSWER_LINK_MAX, "a token has room");
	assert(l->addressee <= UINT8_MAX && l->until_ms >= 0 && hours <= UINT32_MAX);
	put(&at, &head, 1);
	put(&at, l->notice.bytes, HASH_SIZE);
	put(&at, &addressee, 1);
	put(&at, time, sizeof(time));
	put(&at, l->contact.bytes, CONTACT_SIZE);
	authenticate(key, raw, at);
	base64_encode(raw, sizeof(raw), out);
	for (char *c = out; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
}

static enum err forged(void)
{
	return fail(ERR_NOT_FOUND, "no link that this node gave");
}

/* Back to standard base64 with its padding: one text for one value. */
static enum err decode(struct span token, uint8_t raw[TOKEN_SIZE])
{
	char text[BASE64_LENGTH(TOKEN_SIZE)];
	size_t length;

	if (token.len != (TOKEN_SIZE * 8 + 5) / 6)
		return forged();
	for (size_t i = 0; i < sizeof(text); i++) {
		char c = i < token.len ? token.at[i] : '=';

		if (i < token.len && (c == '+' || c == '/' || c == '='))
			return forged();
		text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	if (base64_decode(span_make(text, sizeof(text)), raw, TOKEN_SIZE, &length) != OK || length != TOKEN_SIZE)
		return forged();
	return OK;
}

enum err answer_token_read(const uint8_t key[ANSWER_KEY_SIZE], struct span token, int64_t now_ms,
			   struct answer_link *out)
{
	uint8_t raw[TOKEN_SIZE], mac[MAC_SIZE];
	struct reader r = reader_of(span_make(raw, BODY_SIZE));
	enum err e = decode(token, raw);

	if (e != OK)
		return e;
	authenticate(key, raw, mac);
	if (sodium_memcmp(mac, raw + BODY_SIZE, MAC_SIZE) != 0 || read_u8(&r) != MAKE)
		return forged();
	*out = (struct answer_link){ 0 };
	read_bytes(&r, out->notice.bytes, HASH_SIZE);
	out->addressee = read_u8(&r);
	out->until_ms = (int64_t)read_u32(&r) * HOUR_MS;
	read_bytes(&r, out->contact.bytes, CONTACT_SIZE);
	return now_ms < out->until_ms ? OK : fail(ERR_EXPIRED, "the link is no longer good");
}

void answer_link_print(const struct node *n, const struct answer_link *l, char out[ANSWER_LINK_MAX])
{
	uint8_t key[ANSWER_KEY_SIZE];

	answer_link_key(n, key);
	answer_token_print(key, l, out);
	sodium_memzero(key, sizeof(key));
}

enum err answer_link_read(const struct node *n, struct span token, int64_t now_ms, struct answer_link *out)
{
	uint8_t key[ANSWER_KEY_SIZE];
	enum err e;

	answer_link_key(n, key);
	e = answer_token_read(key, token, now_ms, out);
	sodium_memzero(key, sizeof(key));
	return e;
}
