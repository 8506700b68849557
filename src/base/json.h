/* Writes JSON (RFC 8259) into a buffer, by hand: commas and escapes are right by construction. Bytes that are not valid
 * UTF-8 come out as U+FFFD. Reading is yyjson's, behind json_read. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/hash.h"

struct json {
	struct buffer *out;
	bool comma;
};

/* key NULL inside arrays and at the top. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, struct span value);
void json_text(struct json *j, const char *key, const char *value); /* NULL writes null */
void json_number(struct json *j, const char *key, int64_t value);
void json_fraction(struct json *j, const char *key, double value, int digits); /* digits after the point */
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_time(struct json *j, const char *key, int64_t ms);	/* "2026-11-22T20:45:00.123Z"; 0 writes null */
void json_hash(struct json *j, const char *key, struct hash h); /* 64 digits of hex */

/* The escaped string with its quotes, without key or comma. */
void json_escape(struct buffer *out, struct span value);

/* What was read: its text; empty if it is none. */
struct yyjson_val;
struct span json_string_of(struct yyjson_val *v);
struct span json_string_in(struct yyjson_val *object, const char *name);

/* Parses one JSON text of outside bytes into the arena; the document must not be freed. Refuses depth over 64 (yyjson
 * has no limit of its own) and what is over 16 MiB. An arena with room for 14 times the text and 1 KiB is
 * always enough. ERR_JSON, ERR_DEPTH, ERR_TOO_LONG, ERR_NO_MEMORY. */
struct yyjson_doc;
enum err json_read(struct arena *a, struct span text, struct yyjson_doc **out);
/* The same with other limits, of bytes and of levels, for files that their reader asked for. */
enum err json_read_within(struct arena *a, struct span text, size_t most, size_t depth, struct yyjson_doc **out);

/* I-JSON (RFC 7493): UTF-8 without a byte order mark, no name twice in an object, no integer beyond 2^53 - 1. As json_read,
 * and ERR_ENCODING, ERR_DUPLICATE_KEY, ERR_NUMBER. */
enum err json_read_strict(struct arena *a, struct span text, struct yyjson_doc **out);

/* ERR_DUPLICATE_KEY: *name stands twice in one object. ERR_NO_MEMORY. No detail; does not recurse. */
enum err json_unique(struct yyjson_doc *doc, struct span *name);
/* From the character behind an opening quote to the one behind the closing quote; end if there is none. */
const char *json_skip_string(const char *p, const char *end);

#endif
