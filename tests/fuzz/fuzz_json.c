/* What is read can be written and read again as an equal document; what we escape is always read, whatever it was. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_document(struct arena *a, struct span text)
{
	struct yyjson_doc *doc, *again;
	char *written;
	size_t n;

	if (json_read(a, text, &doc) != OK)
		return;
	check((written = yyjson_write(doc, YYJSON_WRITE_NOFLAG, &n)) != NULL);
	check(json_read(a, span_make(written, n), &again) == OK);
	free(written);
	check(yyjson_get_type(yyjson_doc_get_root(doc)) == yyjson_get_type(yyjson_doc_get_root(again)));
	check(yyjson_doc_get_val_count(doc) == yyjson_doc_get_val_count(again));
}

static void check_escape(struct arena *a, struct span text)
{
	struct buffer b = BUFFER(1 << 20);
	struct yyjson_doc *doc = NULL;
	yyjson_val *root;

	json_escape(&b, text);
	check(b.err == OK && json_read(a, buffer_view(&b), &doc) == OK);
	root = yyjson_doc_get_root(doc);
	check(!span_is_utf8(text) || span_equal(text, span_make(yyjson_get_str(root), yyjson_get_len(root))));
	buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct span text = { (const char *)data, size };

	if (size > 1 << 16)
		return 0;
	if (a == NULL)
		check((a = arena_new(16 << 20)) != NULL);
	check_document(a, text);
	check_escape(a, text);
	arena_reset(a);
	return 0;
}
