/* UUIDs of collections, as they are written. */
#include <stdio.h>

#include "base/encoding.h"
#include "net/config.h"

enum err collection_id_parse(struct span text, struct collection_id *out)
{
	static const uint8_t dashes[] = { 8, 13, 18, 23 };
	char digits[2 * UUID_SIZE];
	size_t n = 0, dash = 0;

	if (text.len != COLLECTION_ID_TEXT - 1)
		return ERR_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		if (dash < sizeof(dashes) && i == dashes[dash]) {
			if (text.at[i] != '-')
				return ERR_SYNTAX;
			dash++;
		} else {
			digits[n++] = text.at[i];
		}
	}
	return hex_decode(span_make(digits, n), out->bytes, UUID_SIZE) == OK ? OK : ERR_SYNTAX;
}

void collection_id_print(const struct collection_id *id, char out[COLLECTION_ID_TEXT])
{
	char digits[2 * UUID_SIZE + 1];

	hex_encode(id->bytes, UUID_SIZE, digits);
	snprintf(out, COLLECTION_ID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
		 digits + 20);
}
