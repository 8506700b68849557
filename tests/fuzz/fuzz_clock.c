/* A time that any form parses is formatted and parsed to itself. */
#include <stdlib.h>

#include "base/clock.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	char out[CLOCK_TEXT];
	int64_t ms, again;

	if (clock_parse(text, &ms) == OK) {
		clock_format(ms, out);
		check(span_is(text, out)); /* one spelling per value */
		check(clock_parse_rfc3339(text, &again) == OK && again == ms);
	}
	if (clock_parse_plain(text, &ms) == OK || clock_parse_rfc3339(text, &ms) == OK ||
	    clock_parse_rfc5322(text, &ms) == OK) {
		clock_format_ms(ms, out);
		check(clock_parse_rfc3339(span_of(out), &again) == OK && again == ms);
	}
	if (clock_parse_duration(text, &ms) == OK) {
		clock_format_duration(ms, out);
		check(clock_parse_duration(span_of(out), &again) == OK && again == ms);
	}
	return 0;
}
