#include "note/statement.h"

#include <assert.h>

#include "base/encoding.h"

static void big_endian_16(size_t n, char out[2])
{
	assert(n <= UINT16_MAX); /* names, ids and media types come out of statements: far shorter */
	out[0] = (char)(n >> 8);
	out[1] = (char)n;
}

struct hash seal_commitment(struct span author, struct span matter, struct span media_type,
			    const uint8_t salt[SEAL_SALT_SIZE], struct span payload)
{
	char lengths[3][2];
	const struct span parts[] = {
		SPAN("comity/commit/v1\n"),
		{ lengths[0], 2 },
		author,
		{ lengths[1], 2 },
		matter,
		{ lengths[2], 2 },
		media_type,
		span_make(salt, SEAL_SALT_SIZE),
		payload,
	};

	big_endian_16(author.len, lengths[0]);
	big_endian_16(matter.len, lengths[1]);
	big_endian_16(media_type.len, lengths[2]);
	return hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
}

bool statement_binds(const struct statement *s, const uint8_t *salt, struct span payload)
{
	char hex[HASH_HEX + 1];
	struct span matter = SPAN("");

	if (!s->has_body || s->body.size != payload.len || s->body.sealed != (salt != NULL))
		return false;
	if (salt == NULL)
		return hash_equal(hash_span(payload), s->body.hash);
	if (s->has_re) {
		hash_hex(s->re, hex);
		matter = span_of(hex);
	}
	return hash_equal(seal_commitment(s->from, matter, s->body.media_type, salt, payload), s->body.hash);
}
