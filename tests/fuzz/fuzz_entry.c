/* What is accepted is printed again byte for byte. */
#include <stdlib.h>

#include "ledger/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buffer out = BUFFER(1 << 20);
	struct span in = span_make(data, size);
	struct entry e;

	if (entry_parse(in, &e) != OK)
		return 0;
	buffer_clear(&out);
	if (e.is_guest)
		entry_print_guest(e.logged_ms, e.home_ms, e.receipt, e.note, &out);
	else
		entry_print(e.logged_ms, e.note, &out);
	if (!span_equal(buffer_view(&out), in))
		abort();
	return 0;
}
