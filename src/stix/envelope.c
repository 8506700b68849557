/* What a server is sent: a list of objects. The parser keeps no places, so a second walk over the text, which is valid by
 * then, finds where each object begins and ends. */
#include <yyjson.h>

#include "base/json.h"
#include "stix/object.h"

struct walk {
	const char *at, *end;
};

static void skip_spaces(struct walk *w)
{
	while (w->at < w->end && (*w->at == ' ' || *w->at == '\t' || *w->at == '\n' || *w->at == '\r'))
		w->at++;
}

/* Over a comma or colon and the spaces around it; a bracket too. */
static void skip_mark(struct walk *w)
{
	skip_spaces(w);
	w->at += w->at < w->end;
	skip_spaces(w);
}

/* Over an array or object, w->at being behind its bracket. */
static void skip_inside(struct walk *w)
{
	static const bool matters[256] = { ['"'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true };
	size_t depth = 1;

	while (w->at < w->end && depth > 0) {
		char c = *w->at++;

		if (!matters[(unsigned char)c])
			continue;
		if (c == '"')
			w->at = json_skip_string(w->at, w->end);
		else if (c == '[' || c == '{')
			depth++;
		else
			depth--;
	}
}

/* The value that begins here. */
static struct span skip_value(struct walk *w)
{
	const char *start = w->at;
	char c = w->at < w->end ? *w->at++ : '\0';

	if (c == '"')
		w->at = json_skip_string(w->at, w->end);
	else if (c == '[' || c == '{')
		skip_inside(w);
	else
		while (w->at < w->end && strchr(",]} \t\r\n", *w->at) == NULL)
			w->at++;
	return span_make(start, (size_t)(w->at - start));
}

/* The text of the value of the n-th member of the object that is all of text. */
static struct span member_text(struct span text, size_t n)
{
	struct walk w = { text.at, text.at + text.len };
	struct span value;

	skip_mark(&w);
	for (;; n--) {
		skip_value(&w);
		skip_mark(&w);
		value = skip_value(&w);
		if (n == 0)
			return value;
		skip_mark(&w);
	}
}

static enum err read_objects(struct arena *a, struct span text, yyjson_val *array, struct stix_envelope *out)
{
	struct walk w = { text.at, text.at + text.len };
	size_t index, count;
	yyjson_val *v;

	if ((out->objects = arena_array(a, yyjson_arr_size(array), sizeof(out->objects[0]))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for a list of %zu objects", yyjson_arr_size(array));
	yyjson_arr_foreach(array, index, count, v)
	{
		skip_mark(&w); /* the bracket, later a comma */
		out->objects[index] = (struct stix_raw){ skip_value(&w), v };
	}
	out->count = count;
	return OK;
}

static enum err read_members(struct arena *a, struct span text, yyjson_val *root, struct stix_envelope *out)
{
	size_t index, count;
	yyjson_val *key, *v;
	enum err e = OK;

	yyjson_obj_foreach(root, index, count, key, v)
	{
		if (yyjson_equals_str(key, "more")) {
			if (!yyjson_is_bool(v))
				return fail(ERR_FIELD, "more is neither true nor false");
			out->more = yyjson_get_bool(v);
		} else if (yyjson_equals_str(key, "next")) {
			if (!yyjson_is_str(v))
				return fail(ERR_FIELD, "next is no text");
			out->next = span_make(yyjson_get_str(v), yyjson_get_len(v));
		} else if (yyjson_equals_str(key, "objects")) {
			if (!yyjson_is_arr(v))
				return fail(ERR_FIELD, "objects is no list");
			e = read_objects(a, member_text(text, index), v, out);
		}
		if (e != OK)
			return e;
	}
	return OK;
}

enum err stix_envelope_read(struct arena *a, struct span text, bool bundles, struct stix_envelope *out)
{
	struct yyjson_doc *doc;
	yyjson_val *root;
	enum err e;

	*out = (struct stix_envelope){ 0 };
	if ((e = json_read_strict(a, text, &doc)) != OK)
		return e;
	root = yyjson_doc_get_root(doc);
	if (!yyjson_is_obj(root))
		return fail(ERR_FIELD, "an envelope is a JSON object");
	if (!bundles && yyjson_equals_str(yyjson_obj_get(root, "type"), "bundle"))
		return fail(ERR_FIELD, "a STIX bundle; a TAXII envelope is wanted: {\"objects\": [...]}");
	if ((e = read_members(a, text, root, out)) != OK)
		return e;
	return out->count > 0 ? OK : fail(ERR_EMPTY, "no objects");
}
