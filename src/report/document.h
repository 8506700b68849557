/* Inside this room only: documents of JSON, for the readers of XARF, IDEA and STIX: read with care, and written down
 * again as one line. */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include <yyjson.h>

#include "base/hash.h"
#include "report/layout.h"

/* The object of text, in p->scratch->arena; it ends with the document in hand. ERR_ENCODING, ERR_DEPTH, ERR_JSON,
 * ERR_DUPLICATE_KEY (then *field is the key), ERR_TOO_LONG (needs more memory than a document may). */
enum err document_read(const struct parse *p, struct span text, yyjson_val **out, const char **field);

/* Members of objects; keys are static text. Absent, null or of another kind: an empty span, NULL. */
struct span member_text(yyjson_val *object, const char *key);
yyjson_val *member_array(yyjson_val *object, const char *key);
yyjson_val *member_object(yyjson_val *object, const char *key);
static inline struct span value_string(yyjson_val *v)
{
	return yyjson_is_str(v) ? (struct span){ yyjson_get_str(v), yyjson_get_len(v) } : SPAN("");
}

/* Writes members of an object, with a comma before each but the first, for as long as they fit. What is long or many is
 * cut down: a string to its size and hash, a list to its first items and the number of all. cut says that this
 * happened. */
struct line {
	struct buffer *out;
	size_t string_max, items_max;
	bool comma, cut;
};
void line_key(struct line *l, struct span key);
void line_value(struct line *l, yyjson_val *v);
void line_member(struct line *l, struct span key, yyjson_val *v);

/* The text of a document, with its hash once somebody asks for it. */
struct whole {
	struct span text;
	struct hash hash;
	bool hashed;
};

/* All members of object but those that skip() names, within max bytes, without braces: "\"a\":1,\"b\":[2]". Where they
 * do not fit, strings and lists are cut down further; in the end a member "_document" with size and hash of the whole
 * says what there was. At most max bytes, at least 200. */
typedef bool line_skip(struct span key);
void line_members(struct buffer *out, size_t max, yyjson_val *object, line_skip *skip, struct whole *whole);

/* Of a document with several events each row says what they share. As many bytes of it that all rows together stay
 * within a small multiple of the document: 512 to 8192. */
size_t document_share(size_t len, size_t events);

#endif
