#include "base/json.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/clock.h"

#define DEPTH_MAX 64
#define TEXT_MAX ((size_t)16 << 20)
#define DIGITS_MAX 17

/* What must not stand in a string as it is; from 0x80 on it must be proven UTF-8 first. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void escape_one(struct buffer *out, unsigned char c)
{
	static const char short_forms[256] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};

	if (short_forms[c] == '\0') {
		buffer_print(out, "\\u%04x", c);
		return;
	}
	buffer_byte(out, '\\');
	buffer_byte(out, (uint8_t)short_forms[c]);
}

/* The character that s begins with; returns how many bytes of s it took. */
static size_t escape_next(struct buffer *out, struct span s)
{
	size_t n;

	if ((unsigned char)s.at[0] < 0x80) {
		escape_one(out, (unsigned char)s.at[0]);
		return 1;
	}
	if ((n = span_utf8_length(s)) == 0) {
		buffer_text(out, "\xef\xbf\xbd"); /* U+FFFD */
		return 1;
	}
	buffer_bytes(out, s.at, n);
	return n;
}

void json_escape(struct buffer *out, struct span value)
{
	buffer_byte(out, '"');
	while (value.len > 0) {
		size_t plain = 0;

		while (plain < value.len && is_plain((unsigned char)value.at[plain]))
			plain++;
		buffer_bytes(out, value.at, plain);
		value = span_from(value, plain);
		if (value.len > 0)
			value = span_from(value, escape_next(out, value));
	}
	buffer_byte(out, '"');
}

/* What stands before every value. */
static struct buffer *begin(struct json *j, const char *key)
{
	if (j->comma)
		buffer_byte(j->out, ',');
	j->comma = true;
	if (key != NULL) {
		json_escape(j->out, span_of(key));
		buffer_byte(j->out, ':');
	}
	return j->out;
}

static void open_with(struct json *j, const char *key, char bracket)
{
	buffer_byte(begin(j, key), (uint8_t)bracket);
	j->comma = false;
}

static void close_with(struct json *j, char bracket)
{
	buffer_byte(j->out, (uint8_t)bracket);
	j->comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_with(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, '[');
}

void json_array_end(struct json *j)
{
	close_with(j, ']');
}

void json_string(struct json *j, const char *key, struct span value)
{
	json_escape(begin(j, key), value);
}

void json_text(struct json *j, const char *key, const char *value)
{
	if (value == NULL)
		json_null(j, key);
	else
		json_string(j, key, span_of(value));
}

void json_number(struct json *j, const char *key, int64_t value)
{
	struct buffer *out = begin(j, key);

	if (value < 0)
		buffer_byte(out, '-');
	buffer_decimal(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* JSON knows no infinity and no "not a number". The point is put right if the locale has another. */
void json_fraction(struct json *j, const char *key, double value, int digits)
{
	char text[384], *comma;

	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	digits = digits < 0 ? 0 : digits > DIGITS_MAX ? DIGITS_MAX : digits;
	snprintf(text, sizeof(text), "%.*f", digits, value);
	if ((comma = strchr(text, ',')) != NULL)
		*comma = '.';
	buffer_text(begin(j, key), text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	buffer_text(begin(j, key), value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	buffer_text(begin(j, key), "null");
}

void json_time(struct json *j, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format_ms(ms, text);
	json_text(j, key, ms == 0 ? NULL : text);
}

void json_hash(struct json *j, const char *key, struct hash h)
{
	char hex[HASH_HEX + 1];

	hash_hex(h, hex);
	json_text(j, key, hex);
}

/* Where the first quote or backslash stands among the eight bytes of a word; 8: nowhere. Of the bits that mark them the
 * lowest is right, whatever is borrowed above it. */
static unsigned first_mark(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
	uint64_t marks = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;

	return marks == 0 ? 8 : (unsigned)__builtin_ctzll(marks) / 8;
}

/* Most strings are too short for memchr to pay. */
const char *json_skip_string(const char *p, const char *end)
{
	while (p < end) {
		uint64_t word;
		unsigned n = 0;

		if (end - p >= 8) {
			memcpy(&word, p, sizeof(word));
			if ((n = first_mark(le64toh(word))) == 8) {
				p += 8;
				continue;
			}
		}
		p += n;
		if (*p == '"')
			return p + 1;
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	}
	return end;
}

/* A loop, since what is nested too deep must not reach anything that recurses. Whether the brackets pair up is left to
 * the parser. */
static bool is_too_deep(struct span s, size_t most)
{
	const char *p = s.at, *end = s.at + s.len;
	size_t depth = 0;

	while (p < end) {
		switch (*p++) {
		case '"':
			p = json_skip_string(p, end);
			break;
		case '[':
		case '{':
			if (++depth > most)
				return true;
			break;
		case ']':
		case '}':
			depth -= depth > 0;
		}
	}
	return false;
}

static void *from_arena(void *context, size_t size)
{
	return arena_alloc(context, size);
}

static void *resize_in_arena(void *context, void *old, size_t old_size, size_t size)
{
	return arena_resize(context, old, old_size, size);
}

static void left_to_arena(void *context, void *p)
{
	(void)context;
	(void)p;
}

enum err json_read_within(struct arena *a, struct span text, size_t most, size_t depth, struct yyjson_doc **out)
{
	yyjson_alc memory = { from_arena, resize_in_arena, left_to_arena, a };
	yyjson_read_err why;
	yyjson_doc *doc;

	if (text.len > most)
		return fail(ERR_TOO_LONG, "JSON of %zu bytes, at most %zu", text.len, most);
	if (text.len == 0)
		return fail(ERR_JSON, "no JSON at all");
	if (is_too_deep(text, depth))
		return fail(ERR_DEPTH, "nested over %zu levels deep", depth);
	/* without the flag for reading in place it does not write to the text */
	doc = yyjson_read_opts((char *)(uintptr_t)text.at, text.len, YYJSON_READ_NOFLAG, &memory, &why);
	if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return fail(ERR_NO_MEMORY, "no room to read JSON of %zu bytes", text.len);
	if (doc == NULL)
		return fail(ERR_JSON, "byte %zu: %s", why.pos, why.msg);
	*out = doc;
	return OK;
}

enum err json_read(struct arena *a, struct span text, struct yyjson_doc **out)
{
	return json_read_within(a, text, TEXT_MAX, DEPTH_MAX, out);
}

struct span json_string_of(struct yyjson_val *v)
{
	return yyjson_is_str(v) ? span_make(yyjson_get_str(v), yyjson_get_len(v)) : SPAN("");
}

struct span json_string_in(struct yyjson_val *object, const char *name)
{
	return json_string_of(yyjson_obj_get(object, name));
}
