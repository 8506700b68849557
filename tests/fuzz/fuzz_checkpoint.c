/* What is accepted is printed again byte for byte, its extension lines behind it. */
#include <stdlib.h>

#include "ledger/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buffer out = BUFFER(1 << 20);
	struct span in = span_make(data, size);
	struct checkpoint c;

	if (checkpoint_parse(in, &c) != OK)
		return 0;
	buffer_clear(&out);
	checkpoint_print(&c, &out);
	buffer_span(&out, c.extensions);
	if (!span_equal(buffer_view(&out), in))
		abort();
	return 0;
}
