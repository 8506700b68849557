#include "territory/special.h"

/* The blocks of IANA's special-purpose registries and the holes in them. What each of them is, address_special knows;
 * here they only say where its answer may change. */
static const char *const blocks[] = {
	"0.0.0.0/8",	 "10.0.0.0/8",	    "100.64.0.0/10",  "127.0.0.0/8",  "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24",	 "192.0.0.9",	    "192.0.0.10",     "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",	"::/3",
	"2001::/23",	 "2001::/32",	    "2001:1::1",      "2001:1::2",    "2001:1::3",	"2001:2::/48",
	"2001:3::/32",	 "2001:4:112::/48", "2001:20::/28",   "2001:30::/28", "2001:db8::/32",	"3fff::/20",
	"4000::/2",	 "8000::/1",
};

/* Asked of a block's last address: the first ones of some are another block's. Where an IPv4 address is embedded, that is
 * looked up, not this. */
static enum special special_of(struct address a)
{
	struct address inner;
	const char *name;

	if (address_embedded(a, &inner) != NULL || (name = address_special(a)) == NULL)
		return SPECIAL_NOT;
	return strcmp(name, "documentation") == 0 ? SPECIAL_UNLESS_ROUTED : SPECIAL_ALWAYS;
}

enum err special_rows(enum family f, struct rows *out)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct row row = { .length = NO_LENGTH };
		struct prefix p;

		if (prefix_parse(span_of(blocks[i]), &p) != OK || p.address.family != f)
			continue;
		row.first = wide_of(prefix_first(p));
		row.last = wide_of(prefix_last(p));
		row.value = special_of(prefix_last(p));
		e = rows_add(out, &row);
	}
	return e;
}
