/* A cursor holds all that is needed to go on: base64url of u8 1, u64 position, the filters, and a MAC of these and of what is
 * walked. So the node keeps nothing for it, the same cursor gives the same page for ever, and whoever drops the filters on
 * the second page (Elastic does) gets what was asked for on the first. The MAC keeps others from making cursors up; what a
 * caller may see is judged anew on each page and is no part of it. */
#include "exchange/taxii.h"

#include <assert.h>
#include <sodium.h>

#include "base/encoding.h"
#include "base/reader.h"

#define MAKE 1
#define MAC_SIZE 16
#define HEAD_SIZE 9
#define CURSOR_MAX (HEAD_SIZE + TAXII_FILTERS_MAX + MAC_SIZE)

static void authenticate(const uint8_t secret[32], struct span scope, struct span body, uint8_t mac[MAC_SIZE])
{
	static const char purpose[] = "comity/taxii-next/1";
	crypto_generichash_state h;
	uint8_t length[4] = { (uint8_t)(scope.len >> 24), (uint8_t)(scope.len >> 16), (uint8_t)(scope.len >> 8),
			      (uint8_t)scope.len };

	crypto_generichash_init(&h, secret, 32, MAC_SIZE);
	crypto_generichash_update(&h, (const uint8_t *)purpose, sizeof(purpose));
	crypto_generichash_update(&h, length, sizeof(length));
	crypto_generichash_update(&h, (const uint8_t *)scope.at, scope.len);
	crypto_generichash_update(&h, (const uint8_t *)body.at, body.len);
	crypto_generichash_final(&h, mac, MAC_SIZE);
}

/* RFC 4648 section 5, without padding. */
static void to_url(char *at, size_t *len)
{
	while (*len > 0 && at[*len - 1] == '=')
		(*len)--;
	for (size_t i = 0; i < *len; i++)
		at[i] = at[i] == '+' ? '-' : at[i] == '/' ? '_' : at[i];
}

void taxii_cursor_write(const uint8_t secret[32], struct span scope, const struct taxii_cursor *c, struct buffer *out)
{
	struct buffer raw = BUFFER(CURSOR_MAX);
	uint8_t mac[MAC_SIZE];
	size_t length;
	char *to;

	buffer_byte(&raw, MAKE);
	buffer_u64(&raw, c->position);
	buffer_span(&raw, c->filters);
	authenticate(secret, scope, buffer_view(&raw), mac);
	buffer_bytes(&raw, mac, sizeof(mac));
	to = buffer_room(out, BASE64_LENGTH(raw.len) + 1);
	if (raw.err == OK && to != NULL) {
		base64_encode(raw.at, raw.len, to);
		length = BASE64_LENGTH(raw.len);
		to_url(to, &length);
		out->len += length;
	} else if (out->err == OK) {
		out->err = raw.err;
	}
	buffer_free(&raw);
}

static enum err refused(void)
{
	return fail(ERR_USAGE, "next: not one that this server gave for this collection; begin again without it");
}

/* Back to standard base64 with its padding. */
static enum err from_url(struct arena *a, struct span text, struct span *raw)
{
	size_t padded = (text.len + 3) / 4 * 4, length;
	char *copy;
	uint8_t *bytes;

	if (text.len > BASE64_LENGTH(CURSOR_MAX))
		return refused();
	if ((copy = arena_alloc(a, padded + 1)) == NULL || (bytes = arena_alloc(a, padded)) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < padded; i++) {
		char c = i < text.len ? text.at[i] : '=';

		if (i < text.len && (c == '+' || c == '/' || c == '='))
			return refused();
		copy[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	if (base64_decode(span_make(copy, padded), bytes, padded, &length) != OK)
		return refused();
	*raw = span_make(bytes, length);
	return OK;
}

enum err taxii_cursor_read(struct arena *a, const uint8_t secret[32], struct span scope, struct span text,
			   struct taxii_cursor *out)
{
	uint8_t mac[MAC_SIZE];
	struct span raw = SPAN(""), body;
	struct reader r;
	enum err e = from_url(a, text, &raw);

	if (e != OK)
		return e;
	if (raw.len < HEAD_SIZE + MAC_SIZE)
		return refused();
	body = span_make(raw.at, raw.len - MAC_SIZE);
	authenticate(secret, scope, body, mac);
	if (sodium_memcmp(mac, raw.at + body.len, MAC_SIZE) != 0)
		return refused();
	r = reader_of(body);
	if (read_u8(&r) != MAKE)
		return refused();
	out->position = read_u64(&r);
	out->filters = span_make(r.at, reader_left(&r));
	return OK;
}
