#include "territory/cover.h"

#include <stdio.h>

struct prefix range_cover(struct range r)
{
	unsigned length = r.first.family == FAMILY_IPV4 ? 32 : 128;
	struct prefix p = prefix_of(r.first, length);

	while (length > 0 && !prefix_covers(p, r.last))
		p = prefix_of(r.first, --length);
	return p;
}

bool range_is_prefix(struct range r)
{
	struct prefix p = range_cover(r);

	return address_equal(prefix_first(p), r.first) && address_equal(prefix_last(p), r.last);
}

size_t range_format(struct range r, char out[RANGE_TEXT])
{
	char last[ADDRESS_TEXT];
	size_t n;

	if (range_is_prefix(r))
		return prefix_format(range_cover(r), out);
	n = address_format(r.first, out);
	address_format(r.last, last);
	return n + (size_t)snprintf(out + n, RANGE_TEXT - n, " to %s", last);
}
