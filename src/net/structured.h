/* Structured fields of HTTP (RFC 8941): dictionaries, as signatures and digests are written. Strict: one text for one value
 * but for spaces between members, and a key that stands twice is refused, where the RFC lets the last one count. */
#ifndef NET_STRUCTURED_H
#define NET_STRUCTURED_H

#include "base/arena.h"
#include "base/buffer.h"

#define FIELD_MEMBERS_MAX 16
#define FIELD_ITEMS_MAX 32
#define FIELD_PARAMETERS_MAX 16
#define FIELD_TEXT_MAX 8192

enum field_type { FIELD_INTEGER, FIELD_DECIMAL, FIELD_STRING, FIELD_TOKEN, FIELD_BYTES, FIELD_BOOLEAN };

struct field_value {
	enum field_type type;
	int64_t number;	  /* integers; decimals in thousandths; booleans as 0 and 1 */
	struct span text; /* strings without quotes and escapes, tokens, bytes decoded */
};
struct field_parameters {
	struct field_parameter {
		struct span key;
		struct field_value value;
	} * at;
	size_t count;
};
struct field_item {
	struct field_value value;
	struct field_parameters parameters;
};
struct field_member {
	struct span key;
	bool list; /* an inner list; else items[0] alone, whose parameters are the member's */
	struct field_item *items;
	size_t count;
	struct field_parameters parameters; /* of the inner list */
};
struct dictionary {
	struct field_member *members;
	size_t count;
};

/* In the arena. ERR_SYNTAX, ERR_TOO_LONG. */
enum err dictionary_read(struct arena *a, struct span text, struct dictionary *out);
/* The canonical text. What was read is printed so that it reads the same. */
void dictionary_print(const struct dictionary *d, struct buffer *out);
/* The canonical text of a member's value: what signatures sign. */
void field_member_print(const struct field_member *m, struct buffer *out);
void field_item_print(const struct field_item *i, struct buffer *out);

/* NULL: absent. */
const struct field_member *dictionary_find(const struct dictionary *d, struct span key);
const struct field_value *parameter_find(const struct field_parameters *p, const char *key);

#endif
