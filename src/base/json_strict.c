/* What RFC 7493 (I-JSON) asks beyond RFC 8259. */
#include "base/json.h"

#include <stdlib.h>
#include <yyjson.h>

#define KEYS_PAIRWISE 32		      /* as many keys are compared each with each */
#define INTEGER_MAX (((uint64_t)1 << 53) - 1) /* from there on a double is not exact */
#define INTEGER_DIGITS 16
#define NAME_SHOWN 80

static struct span text_of(yyjson_val *v)
{
	return span_make(yyjson_get_str(v), yyjson_get_len(v));
}

static int compare_keys(const void *a, const void *b)
{
	yyjson_val *const *x = a, *const *y = b;

	return span_compare(text_of(*x), text_of(*y));
}

static enum err unique_of_many(yyjson_val *object, struct span *name)
{
	size_t n = 0, index, count;
	yyjson_val **keys = calloc(yyjson_obj_size(object), sizeof(yyjson_val *)), *key, *value;
	enum err e = OK;

	if (keys == NULL)
		return ERR_NO_MEMORY;
	yyjson_obj_foreach(object, index, count, key, value) keys[n++] = key;
	qsort(keys, n, sizeof(keys[0]), compare_keys);
	for (size_t i = 1; e == OK && i < n; i++)
		if (compare_keys(&keys[i - 1], &keys[i]) == 0) {
			*name = text_of(keys[i]);
			e = ERR_DUPLICATE_KEY;
		}
	free(keys);
	return e;
}

static enum err unique_in(yyjson_val *object, struct span *name)
{
	struct span seen[KEYS_PAIRWISE];
	size_t index, count;
	yyjson_val *key, *value;

	if (yyjson_obj_size(object) > KEYS_PAIRWISE)
		return unique_of_many(object, name);
	yyjson_obj_foreach(object, index, count, key, value)
	{
		seen[index] = text_of(key);
		for (size_t i = 0; i < index; i++)
			if (span_equal(seen[i], seen[index])) {
				*name = seen[i];
				return ERR_DUPLICATE_KEY;
			}
	}
	return OK;
}

/* Values of a document lie one behind the other: all objects are found without descending. */
enum err json_unique(struct yyjson_doc *doc, struct span *name)
{
	yyjson_val *v = yyjson_doc_get_root(doc);
	enum err e = OK;

	for (size_t n = yyjson_doc_get_val_count(doc); e == OK && n > 0; n--, v++)
		if (yyjson_is_obj(v))
			e = unique_in(v, name);
	return e;
}

/* Integers beyond 64 bits are doubles to the parser. How a number is spelled shows in the text alone. */
static bool has_long_integer(struct span text)
{
	const char *p = text.at, *end = text.at + text.len;

	while (p < end) {
		const char *start = p;
		bool fraction = false;

		if (*p++ == '"')
			p = json_skip_string(p, end);
		if (*start != '-' && (*start < '0' || *start > '9'))
			continue;
		for (; p < end && strchr("0123456789+-.eE", *p) != NULL && *p != '\0'; p++)
			fraction = fraction || (*p < '0' && *p != '-') || *p > '9';
		if (!fraction && p - start - (*start == '-') > INTEGER_DIGITS)
			return true;
	}
	return false;
}

static enum err check_integers(struct yyjson_doc *doc, struct span text)
{
	yyjson_val *v = yyjson_doc_get_root(doc);
	bool large = false;

	for (size_t n = yyjson_doc_get_val_count(doc); n > 0; n--, v++) {
		double d = yyjson_is_real(v) ? yyjson_get_real(v) : 0;

		large = large || d > (double)INTEGER_MAX || d < -(double)INTEGER_MAX;
		if ((yyjson_is_uint(v) && yyjson_get_uint(v) > INTEGER_MAX) ||
		    (yyjson_is_sint(v) && yyjson_get_sint(v) < -(int64_t)INTEGER_MAX))
			return fail(ERR_NUMBER, "%s%llu is an integer beyond 2^53 - 1", yyjson_is_uint(v) ? "" : "-",
				    (unsigned long long)(yyjson_is_uint(v) ? yyjson_get_uint(v) : -yyjson_get_uint(v)));
	}
	if (large && has_long_integer(text))
		return fail(ERR_NUMBER, "an integer of over %d digits, beyond 2^53 - 1", INTEGER_DIGITS);
	return OK;
}

static size_t first_bad(struct span s)
{
	size_t at = 0, n;

	while ((n = span_utf8_length(span_from(s, at))) > 0)
		at += n;
	return at;
}

enum err json_read_strict(struct arena *a, struct span text, struct yyjson_doc **out)
{
	struct span name;
	enum err e;

	if (span_starts(text, "\xef\xbb\xbf"))
		return fail(ERR_ENCODING, "begins with a byte order mark");
	if (!span_is_utf8(text))
		return fail(ERR_ENCODING, "byte %zu: not UTF-8", first_bad(text));
	if ((e = json_read(a, text, out)) != OK)
		return e;
	if ((e = json_unique(*out, &name)) == ERR_DUPLICATE_KEY)
		return fail(e, "the name \"%.*s\" stands twice in one object",
			    (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN), name.at);
	if (e != OK)
		return fail(e, "no room to compare the names of an object");
	return check_integers(*out, text);
}
