/* One spelling per tile: what is accepted is printed again. Bundles: what is cut is joined again. */
#include <stdlib.h>

#include "ledger/tile.h"

static void check_bundle(struct span in)
{
	static struct buffer out = BUFFER(1 << 22);
	struct span rest = in, entry;

	buffer_clear(&out);
	while (rest.len > 0 && bundle_next(&rest, &entry) == OK)
		bundle_append(&out, entry);
	buffer_span(&out, rest);
	if (!span_equal(buffer_view(&out), in))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make(data, size);
	char path[TILE_PATH_MAX];
	struct tile t;

	if (tile_parse_path(in, &t) == OK && !span_equal(span_make(path, tile_path(t, path)), in))
		abort();
	check_bundle(in);
	return 0;
}
