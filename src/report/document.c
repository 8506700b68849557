#include "report/document.h"

#include <stdlib.h>

#include "base/json.h"
#include "report/csv_blocks.h"

#define DEPTH_MAX 64

/* ---- which format ---- */

static const struct {
	const char *key, *value; /* what the value begins with; NULL: anything */
	enum format format;
	bool weak; /* counts only where the object is cut off and says nothing better */
} hints[] = {
	{ "xarf_version", NULL, FORMAT_XARF, false },
	{ "ReporterInfo", NULL, FORMAT_XARF, false },
	{ "Version", "\"3\"", FORMAT_XARF, false },
	{ "Format", "\"IDEA", FORMAT_IDEA, false },
	{ "type", "\"bundle\"", FORMAT_STIX, false },
	{ "spec_version", "\"2.", FORMAT_STIX, false },
	{ "source_identifier", NULL, FORMAT_XARF, true },
	{ "evidence", NULL, FORMAT_XARF, true },
	{ "Report", NULL, FORMAT_XARF, true },
	{ "DetectTime", NULL, FORMAT_IDEA, true },
	{ "Attach", NULL, FORMAT_IDEA, true },
	{ "objects", NULL, FORMAT_STIX, true },
};

/* A walk over the first object of a text that may be cut off anywhere. */
struct walk {
	struct span text;
	size_t at;
};

static char walk_char(struct walk *w)
{
	while (w->at < w->text.len && strchr(" \t\r\n", w->text.at[w->at]) != NULL && w->text.at[w->at] != '\0')
		w->at++;
	return w->at < w->text.len ? w->text.at[w->at] : '\0';
}

/* A string without its quotes; false: there is none, or it is cut off. */
static bool walk_string(struct walk *w, struct span *out)
{
	size_t start, end;

	if (walk_char(w) != '"')
		return false;
	start = w->at + 1;
	end = json_string_end(w->text, start);
	if (end >= w->text.len || w->text.at[end] != '"')
		return false;
	*out = span_make(w->text.at + start, end - start);
	w->at = end + 1;
	return true;
}

/* Over a value, up to the comma or brace behind it; false: cut off. */
static bool walk_value(struct walk *w)
{
	size_t depth = 0;

	for (; w->at < w->text.len; w->at++) {
		char c = w->text.at[w->at];

		if (c == '"') {
			if ((w->at = json_string_end(w->text, w->at + 1)) >= w->text.len)
				return false;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
			return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

enum format json_document(struct span text)
{
	struct walk w = { text, 0 };
	enum format weak = FORMAT_UNKNOWN;
	struct span key;

	while (walk_char(&w) == '[')
		w.at++;
	if (walk_char(&w) != '{')
		return FORMAT_UNKNOWN;
	do {
		w.at++;
		if (!walk_string(&w, &key) || walk_char(&w) != ':')
			break;
		w.at++;
		walk_char(&w);
		for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
			if (!span_is(key, hints[i].key) ||
			    (hints[i].value != NULL && !span_starts(span_from(text, w.at), hints[i].value)))
				continue;
			if (!hints[i].weak)
				return hints[i].format;
			if (weak == FORMAT_UNKNOWN)
				weak = hints[i].format;
		}
		if (!walk_value(&w))
			break;
	} while (w.text.at[w.at] == ',');
	return w.at >= text.len || walk_char(&w) != '}' ? weak : FORMAT_UNKNOWN;
}

/* ---- reading ---- */

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

/* A loop, since what is nested too deep must not reach anything that recurses. */
static bool is_deep(struct span text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '"')
			i = json_string_end(text, i + 1);
		else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX)
			return true;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}

/* ERR_DUPLICATE_KEY: *field stands twice in an object. */
static enum err twice_anywhere(yyjson_doc *doc, const char **field)
{
	struct span name = { NULL, 0 };
	enum err e = json_unique(doc, &name);

	*field = name.at;
	return e == ERR_NO_MEMORY ? ERR_TOO_LONG : e;
}

enum err document_read(const struct parse *p, struct span text, yyjson_val **out, const char **field)
{
	struct arena *a = p->scratch->arena;
	yyjson_alc memory = { from_arena, resize_in_arena, left_to_arena, a };
	yyjson_read_err why;
	yyjson_doc *doc;

	if (parse_encoding(p, text) != OK)
		return ERR_ENCODING;
	if (bytes_count(text, '[' ^ '{', '{') > DEPTH_MAX && is_deep(text))
		return ERR_DEPTH;
	if (text.len == 0)
		return ERR_JSON;
	/* reads only: it writes to the text if told to work in place */
	doc = yyjson_read_opts((char *)(uintptr_t)text.at, text.len, YYJSON_READ_NOFLAG, &memory, &why);
	if (doc == NULL)
		return why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? ERR_TOO_LONG : ERR_JSON;
	*out = yyjson_doc_get_root(doc);
	if (!yyjson_is_obj(*out))
		return ERR_JSON;
	return twice_anywhere(doc, field);
}

struct span member_text(yyjson_val *object, const char *key)
{
	return value_string(yyjson_obj_get(object, key));
}

yyjson_val *member_array(yyjson_val *object, const char *key)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	return yyjson_is_arr(v) ? v : NULL;
}

yyjson_val *member_object(yyjson_val *object, const char *key)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	return yyjson_is_obj(v) ? v : NULL;
}

/* ---- writing ---- */

static void size_and_hash(struct line *l, size_t size, struct hash hash)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	buffer_print(l->out, "{\"size\":%zu,\"sha256\":\"%s\"}", size, hex);
}

static void line_string(struct line *l, struct span s)
{
	if (s.len <= l->string_max) {
		json_escape(l->out, s);
		return;
	}
	l->cut = true;
	size_and_hash(l, s.len, hash_bytes(s.at, s.len));
}

void line_key(struct line *l, struct span key)
{
	if (l->comma)
		buffer_byte(l->out, ',');
	l->comma = false;
	if (key.len > l->string_max) {
		key.len = 0;
		l->cut = true;
	}
	json_escape(l->out, key);
	buffer_byte(l->out, ':');
}

static void line_number(struct line *l, yyjson_val *v)
{
	char text[40], *comma;

	if (yyjson_is_uint(v)) {
		buffer_decimal(l->out, yyjson_get_uint(v));
		return;
	}
	if (yyjson_is_sint(v)) {
		buffer_byte(l->out, '-');
		buffer_decimal(l->out, -(uint64_t)yyjson_get_sint(v));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, yyjson_get_real(v));
		if ((comma = strchr(text, ',')) != NULL)
			*comma = '.';
		if (strtod(text, NULL) == yyjson_get_real(v))
			break;
	}
	buffer_text(l->out, text);
}

static void line_array(struct line *l, yyjson_val *array)
{
	size_t index, count;
	yyjson_val *v;

	buffer_byte(l->out, '[');
	l->comma = false;
	yyjson_arr_foreach(array, index, count, v)
	{
		if (l->comma)
			buffer_byte(l->out, ',');
		l->comma = false;
		if (index == l->items_max) {
			buffer_print(l->out, "{\"items\":%zu}", count);
			l->cut = true;
			break;
		}
		line_value(l, v);
		if (l->out->err != OK)
			return;
	}
	buffer_byte(l->out, ']');
}

static void line_object(struct line *l, yyjson_val *object)
{
	size_t index, count;
	yyjson_val *key, *v;

	buffer_byte(l->out, '{');
	l->comma = false;
	yyjson_obj_foreach(object, index, count, key, v)
	{
		if (index == l->items_max) {
			l->cut = true;
			break;
		}
		line_member(l, value_string(key), v);
		if (l->out->err != OK)
			return;
	}
	buffer_byte(l->out, '}');
}

/* Nested no deeper than DEPTH_MAX: document_read has seen to that. */
void line_value(struct line *l, yyjson_val *v)
{
	if (yyjson_is_obj(v))
		line_object(l, v);
	else if (yyjson_is_arr(v))
		line_array(l, v);
	else if (yyjson_is_str(v))
		line_string(l, value_string(v));
	else if (yyjson_is_num(v))
		line_number(l, v);
	else
		buffer_text(l->out, yyjson_is_true(v) ? "true" : yyjson_is_false(v) ? "false" : "null");
	l->comma = true;
}

void line_member(struct line *l, struct span key, yyjson_val *v)
{
	line_key(l, key);
	line_value(l, v);
}

#define DOCUMENT_KEY "_document" /* ours alone */
#define DOCUMENT_MEMBER 140	 /* what that member takes, with its comma */

static bool members_fit(struct line *l, yyjson_val *object, line_skip *skip)
{
	size_t index, count, written = 0;
	yyjson_val *key, *v;

	yyjson_obj_foreach(object, index, count, key, v)
	{
		if (span_is(value_string(key), DOCUMENT_KEY) || (skip != NULL && skip(value_string(key))))
			continue;
		if (written++ == l->items_max) {
			l->cut = true;
			break;
		}
		line_member(l, value_string(key), v);
		if (l->out->err != OK)
			return false;
	}
	return true;
}

static void whole_hash(struct whole *w)
{
	if (!w->hashed)
		w->hash = hash_bytes(w->text.at, w->text.len);
	w->hashed = true;
}

void line_members(struct buffer *out, size_t max, yyjson_val *object, line_skip *skip, struct whole *whole)
{
	static const struct {
		size_t string_max, items_max;
	} measures[] = { { 2048, 1000 }, { 512, 100 }, { 200, 20 }, { 80, 8 }, { 40, 3 }, { 0, 0 } };
	size_t start = out->len, limit = out->max;

	if (out->err == OK && max > limit - start)
		out->err = ERR_TOO_LONG;
	for (size_t i = 0; out->err == OK && i < sizeof(measures) / sizeof(measures[0]); i++) {
		struct line l = { out, measures[i].string_max, measures[i].items_max, false, false };

		out->len = start;
		out->max = start + max - DOCUMENT_MEMBER;
		if (!members_fit(&l, object, skip) && out->err == ERR_TOO_LONG) {
			out->err = OK;
			continue;
		}
		out->max = start + max;
		if (l.cut) {
			whole_hash(whole);
			line_key(&l, SPAN(DOCUMENT_KEY));
			size_and_hash(&l, whole->text.len, whole->hash);
		}
		break;
	}
	out->max = limit;
}

size_t document_share(size_t len, size_t events)
{
	size_t share = events > 0 ? 16 * len / events : 16 * len;

	return share < 512 ? 512 : share > 8192 ? 8192 : share;
}
