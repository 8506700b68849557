/* A configuration that is accepted is printed so that it reads back as the same; what is wrong is told with its line. */
#include <stdlib.h>

#include "net/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buffer first = BUFFER(1 << 20), second = BUFFER(1 << 20);
	struct config c;

	if (a == NULL && (a = arena_new((size_t)1 << 24)) == NULL)
		abort();
	if (config_parse(a, span_make(data, size), "/nowhere/config", NULL, NULL, &c) == OK) {
		config_print(&c, &first);
		if (first.err != OK || config_parse(a, buffer_view(&first), "/nowhere/config", NULL, NULL, &c) != OK)
			abort();
		config_print(&c, &second);
		if (!span_equal(buffer_view(&first), buffer_view(&second)))
			abort();
	} else if (!span_starts(span_of(err_detail()), "/nowhere/config line ")) {
		abort();
	}
	buffer_free(&first);
	buffer_free(&second);
	arena_reset(a);
	return 0;
}
