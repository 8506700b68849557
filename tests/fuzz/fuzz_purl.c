/* A package URL that is taken is written anew as the same, and qualifiers change nothing. */
#include <stdlib.h>

#include "regime/purl.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct span in = span_make(data, size), bare, version, again, version_again;
	const char *text;

	if (a == NULL && (a = arena_new((size_t)1 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (purl_parse(a, in, &bare, &version) != OK)
		return 0;
	text = arena_print(a, "%.*s%s%.*s", SPAN_FORMAT(bare), version.len > 0 ? "@" : "", SPAN_FORMAT(version));
	check(text != NULL);
	if (strlen(text) <= PURL_MAX) {
		check(purl_parse(a, span_of(text), &again, &version_again) == OK);
		check(span_equal(again, bare) && span_equal(version_again, version));
	}
	text = arena_print(a, "%s?arch=a@b/c&x=%%#d@e", text);
	if (strlen(text) <= PURL_MAX) {
		check(purl_parse(a, span_of(text), &again, &version_again) == OK);
		check(span_equal(again, bare) && span_equal(version_again, version));
	}
	return 0;
}
