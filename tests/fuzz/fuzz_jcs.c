/* The canonical text of a value reads as a value whose canonical text is the same. What is I-JSON has one. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/jcs.h"
#include "base/json.h"

#define INTEGER_LIMIT 9007199254740992.0 /* 2^53 */

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* 1e17 is written as ECMAScript does, 100000000000000000, and that is no integer that I-JSON lets pass. */
static bool has_large(struct yyjson_doc *doc)
{
	yyjson_val *v = yyjson_doc_get_root(doc);

	for (size_t n = yyjson_doc_get_val_count(doc); n > 0; n--, v++)
		if (yyjson_is_real(v) && (yyjson_get_real(v) >= INTEGER_LIMIT || yyjson_get_real(v) <= -INTEGER_LIMIT))
			return true;
	return false;
}

static void check_document(struct arena *a, struct span text, struct buffer *once, struct buffer *twice)
{
	struct yyjson_doc *doc, *again, *strict;
	enum err e;

	if (json_read(a, text, &doc) != OK)
		return;
	e = jcs_write(yyjson_doc_get_root(doc), NULL, NULL, once);
	check(e == OK || (e == ERR_NUMBER && json_read_strict(a, text, &strict) != OK));
	if (e != OK || has_large(doc))
		return;
	check(json_read(a, buffer_view(once), &again) == OK);
	check(jcs_write(yyjson_doc_get_root(again), NULL, NULL, twice) == OK);
	check(span_equal(buffer_view(once), buffer_view(twice)));
	check(yyjson_doc_get_val_count(doc) == yyjson_doc_get_val_count(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buffer once = BUFFER(8 * size + 64), twice = BUFFER(8 * size + 64);

	if (size > 1 << 16)
		return 0;
	if (a == NULL)
		check((a = arena_new(32 << 20)) != NULL);
	check_document(a, span_make(data, size), &once, &twice);
	buffer_free(&once);
	buffer_free(&twice);
	arena_reset(a);
	return 0;
}
