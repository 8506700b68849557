/* What parses is formatted to a text that parses to the same value, and prefixes cover their own ends. */
#include <stdlib.h>

#include "base/address.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_address(struct span text)
{
	struct address a, b;
	char out[ADDRESS_TEXT], again[ADDRESS_TEXT];

	if (address_parse_loose(text, &a) != OK) {
		check(address_parse(text, &a) == ERR_ADDRESS);
		return;
	}
	check(address_parse(span_make(out, address_format(a, out)), &b) == OK && address_equal(a, b));
	address_format(b, again);
	check(strcmp(out, again) == 0);
	address_special(a);
	if (address_embedded(a, &b) != NULL)
		check(b.family == FAMILY_IPV4 && address_special(a) == address_special(b));
}

static void check_prefix(struct span text)
{
	struct prefix p, q;
	char out[PREFIX_TEXT];

	if (prefix_parse(text, &p) != OK)
		return;
	check(prefix_parse(span_make(out, prefix_format(p, out)), &q) == OK && prefix_compare(p, q) == 0);
	check(prefix_covers(p, prefix_first(p)) && prefix_covers(p, prefix_last(p)) && prefix_contains(p, q));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	uint32_t asn;

	check_address(text);
	check_prefix(text);
	check(asn_parse(text, true, &asn) != OK || asn != 0);
	return 0;
}
