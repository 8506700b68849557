/* What any bytes are read as is printed as a file that reads the same. */
#include <stdlib.h>

#include "report/probing.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = BUFFER(4 * PROBING_MAX), second = BUFFER(4 * PROBING_MAX);
	struct probing p, again;

	if (probing_parse(span_make(data, size), 0, &p) == OK) {
		check(p.contact_count > 0 && p.expires_ms > 0);
		check(probing_print(&p, &first) == OK);
		check(probing_parse(buffer_view(&first), 0, &again) == OK);
		check(again.contact_count == p.contact_count && again.expires_ms / 1000 == p.expires_ms / 1000);
		check(probing_print(&again, &second) == OK);
		check(span_equal(buffer_view(&first), buffer_view(&second)));
	}
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
