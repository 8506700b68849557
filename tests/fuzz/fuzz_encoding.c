/* One text for one value: what is decoded is encoded as the same text, and any bytes go round. */
#include <stdlib.h>

#include "base/encoding.h"

#define LONGEST 4096

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(struct span text)
{
	static char bytes[LONGEST], again[2 * LONGEST + 1];
	size_t n;

	if (base64_decode(text, bytes, sizeof(bytes), &n) == OK) {
		base64_encode(bytes, n, again);
		check(span_is(text, again));
	}
	if (hex_decode(text, bytes, text.len / 2) == OK) {
		hex_encode(bytes, text.len / 2, again);
		check(span_is(text, again));
	}
}

static void check_bytes(struct span in)
{
	static char text[2 * LONGEST + 1], bytes[LONGEST];
	size_t n = 0;

	base64_encode(in.at, in.len, text);
	check(base64_decode(span_of(text), bytes, in.len, &n) == OK && span_equal(in, span_make(bytes, n)));
	hex_encode(in.at, in.len, text);
	check(hex_decode(span_of(text), bytes, in.len) == OK && span_equal(in, span_make(bytes, in.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };

	if (size > LONGEST)
		return 0;
	check_text(in);
	check_bytes(in);
	return 0;
}
