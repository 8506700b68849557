/* The tag of an envelope sender: where the notice stands, to whom, a piece of the mailbox's hash, and a MAC. A local part has 64
 * bytes in all, and some servers write it in capitals, so it is 20 bytes in 32 letters of base32. */
#include <assert.h>
#include <sodium.h>

#include "mail/mailer.h"

#define PLAIN 12
#define MAC 8

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static void mac(const struct node *n, const uint8_t plain[PLAIN], uint8_t out[MAC])
{
	struct hash key = node_secret(n, SPAN("comity: the secret of this node's tags of bounces; no statement"));
	uint8_t whole[crypto_auth_hmacsha256_BYTES];

	static_assert(sizeof(key.bytes) == crypto_auth_hmacsha256_KEYBYTES, "a hash is a key");
	crypto_auth_hmacsha256(whole, plain, PLAIN, key.bytes);
	memcpy(out, whole, MAC);
	explicit_bzero(&key, sizeof(key));
}

static void contact_key(struct span contact, uint8_t out[5])
{
	struct hash h = hash_span(contact);

	memcpy(out, h.bytes, 5);
}

void bounce_tag(const struct node *n, uint64_t index, unsigned addressee, struct span contact,
		char out[BOUNCE_TAG_SIZE])
{
	uint8_t bytes[PLAIN + MAC];

	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(index >> (40 - 8 * i));
	bytes[6] = (uint8_t)addressee;
	contact_key(contact, bytes + 7);
	mac(n, bytes, bytes + PLAIN);
	for (size_t i = 0; i < BOUNCE_TAG_SIZE - 1; i++) {
		unsigned bit = 5 * (unsigned)i, two = (unsigned)bytes[bit / 8] << 8;

		if (bit / 8 + 1 < sizeof(bytes))
			two |= bytes[bit / 8 + 1];
		out[i] = letters[two >> (11 - bit % 8) & 31];
	}
	out[BOUNCE_TAG_SIZE - 1] = '\0';
}

enum err bounce_tag_read(const struct node *n, struct span tag, struct bounce_of *out)
{
	uint8_t bytes[PLAIN + MAC] = { 0 }, good[MAC];

	if (tag.len != BOUNCE_TAG_SIZE - 1)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < tag.len; i++) {
		char c = tag.at[i] >= 'A' && tag.at[i] <= 'Z' ? (char)(tag.at[i] - 'A' + 'a') : tag.at[i];
		const char *found = c != '\0' ? strchr(letters, c) : NULL;
		unsigned bit = 5 * (unsigned)i, two;

		if (found == NULL)
			return ERR_NOT_FOUND;
		two = (unsigned)(found - letters) << (11 - bit % 8);
		bytes[bit / 8] |= (uint8_t)(two >> 8);
		if (bit / 8 + 1 < sizeof(bytes))
			bytes[bit / 8 + 1] |= (uint8_t)two;
	}
	mac(n, bytes, good);
	if (sodium_memcmp(good, bytes + PLAIN, MAC) != 0)
		return ERR_NOT_FOUND;
	*out = (struct bounce_of){ .addressee = bytes[6] };
	for (int i = 0; i < 6; i++)
		out->index = out->index << 8 | bytes[i];
	memcpy(out->contact_key, bytes + 7, sizeof(out->contact_key));
	return OK;
}

bool bounce_contact_is(const struct bounce_of *b, struct span contact)
{
	uint8_t key[5];

	contact_key(contact, key);
	return memcmp(key, b->contact_key, sizeof(key)) == 0;
}
