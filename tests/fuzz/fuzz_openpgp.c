/* What is let through to GnuPG: let through once, it is so again and unchanged; and it holds no packet that unpacks. The first byte
 * chooses: a key or a signature. */
#include <stdlib.h>

#include "proof/openpgp_packets.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum err (*take)(struct span, struct buffer *) = openpgp_take_key;
	struct buffer once = BUFFER(1 << 18), again = BUFFER(1 << 18);

	if (size == 0 || size > 1 << 17)
		return 0;
	if (data[0] % 2 == 1)
		take = openpgp_take_signature;
	if (take(span_make(data + 1, size - 1), &once) == OK) {
		check(once.len > 0 && (once.at[0] & 0x80) != 0 && once.len < size);
		check(take(buffer_view(&once), &again) == OK && span_equal(buffer_view(&once), buffer_view(&again)));
	}
	buffer_free(&once);
	buffer_free(&again);
	return 0;
}
