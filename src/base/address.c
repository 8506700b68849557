#include "base/address.h"

#include <assert.h>

#define GROUPS 8

static inline unsigned digit(const char *p, const char *end)
{
	return p < end ? (unsigned)(*p - '0') : 10;
}

/* Four decimal octets, unrolled: reports hold millions of them. */
static inline enum err quad_parse(const char *p, size_t n, bool loose, uint32_t *out)
{
	const char *end = p + n;
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned octet = digit(p, end), next;

		if (octet > 9)
			return ERR_ADDRESS;
		if ((next = digit(++p, end)) <= 9) {
			if (octet == 0 && !loose)
				return ERR_ADDRESS;
			octet = octet * 10 + next;
			if ((next = digit(++p, end)) <= 9) {
				octet = octet * 10 + next;
				p++;
			}
		}
		if (octet > 255 || (i < 3 ? p == end || *p++ != '.' : p != end))
			return ERR_ADDRESS;
		v = v << 8 | octet;
	}
	*out = v;
	return OK;
}

static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* What was read of an IPv6 text: the groups before and behind the "::", which stands at `gap` (-1: nowhere). */
struct groups {
	uint16_t group[GROUPS];
	int count, gap;
};

static enum err groups_add(struct groups *g, unsigned v)
{
	if (g->count == GROUPS)
		return ERR_ADDRESS;
	g->group[g->count++] = (uint16_t)v;
	return OK;
}

static enum err groups_add_quad(struct groups *g, const char *p, const char *end)
{
	uint32_t v;

	if (quad_parse(p, (size_t)(end - p), false, &v) != OK || groups_add(g, v >> 16) != OK)
		return ERR_ADDRESS;
	return groups_add(g, v & 0xffff);
}

static enum err groups_read(struct groups *g, const char *p, const char *end)
{
	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		g->gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *start = p;
		unsigned v = 0;

		for (; p < end && p - start < 4 && hex_value(*p) < 16; p++)
			v = v << 4 | hex_value(*p);
		if (p < end && *p == '.')
			return groups_add_quad(g, start, end);
		if (p == start || groups_add(g, v) != OK)
			return ERR_ADDRESS;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return ERR_ADDRESS;
		if (*p == ':') {
			if (g->gap >= 0)
				return ERR_ADDRESS;
			g->gap = g->count;
			p++;
		}
	}
	return OK;
}

static enum err ipv6_parse(struct span s, struct address *out)
{
	struct groups g = { .gap = -1 };
	uint64_t half[2] = { 0, 0 };

	if (s.len >= ADDRESS_TEXT || groups_read(&g, s.at, s.at + s.len) != OK)
		return ERR_ADDRESS;
	if (g.gap < 0 ? g.count != GROUPS : g.count == GROUPS)
		return ERR_ADDRESS;
	for (int i = 0; i < g.count; i++) {
		int at = g.gap >= 0 && i >= g.gap ? GROUPS - g.count + i : i;

		half[at / 4] |= (uint64_t)g.group[i] << (48 - at % 4 * 16);
	}
	*out = (struct address){ half[0], half[1], FAMILY_IPV6 };
	return OK;
}

/* A quad has its first point, IPv6 its first colon, within five characters. */
static bool looks_like_ipv6(struct span s)
{
	for (size_t i = 0; i < s.len && i < 5; i++)
		if (s.at[i] == ':')
			return true;
	return false;
}

static enum err parse(struct span s, bool loose, struct address *out)
{
	uint32_t v;

	if (s.len == 0)
		return ERR_ADDRESS;
	if (looks_like_ipv6(s))
		return ipv6_parse(s, out);
	if (quad_parse(s.at, s.len, loose, &v) != OK)
		return ERR_ADDRESS;
	*out = address_ipv4(v);
	return OK;
}

enum err address_parse(struct span s, struct address *out)
{
	return parse(s, false, out);
}

enum err address_parse_loose(struct span s, struct address *out)
{
	return parse(s, true, out);
}

static char *decimal(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *quad_format(char *p, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		p = decimal(p, v >> shift & 255);
		if (shift > 0)
			*p++ = '.';
	}
	return p;
}

static char *group_format(char *p, unsigned v)
{
	static const char digits[] = "0123456789abcdef";

	if (v >= 0x1000)
		*p++ = digits[v >> 12];
	if (v >= 0x100)
		*p++ = digits[v >> 8 & 15];
	if (v >= 0x10)
		*p++ = digits[v >> 4 & 15];
	*p++ = digits[v & 15];
	return p;
}

static unsigned group_of(struct address a, int i)
{
	return (unsigned)((i < 4 ? a.high : a.low) >> (48 - i % 4 * 16) & 0xffff);
}

/* The longest run of zero groups, the first of equals; a single one is no run (RFC 5952 section 4.2). */
static int longest_run(struct address a, int *start)
{
	int longest = 1, run = 0;

	for (int i = 0; i < GROUPS; i++) {
		run = group_of(a, i) == 0 ? run + 1 : 0;
		if (run > longest) {
			longest = run;
			*start = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

static bool is_mapped(struct address a)
{
	return a.family == FAMILY_IPV6 && a.high == 0 && a.low >> 32 == 0xffff;
}

/* IPv4 is written as a quad only where the prefix says that it is IPv4 (section 5): not in "::102:304". */
static char *ipv6_format(char *p, struct address a)
{
	int start = GROUPS, run = longest_run(a, &start);

	if (is_mapped(a)) {
		memcpy(p, "::ffff:", 7);
		return quad_format(p + 7, (uint32_t)a.low);
	}
	for (int i = 0; i < GROUPS; i++) {
		if (run > 0 && i == start) {
			*p++ = ':';
			i += run - 1;
			if (i == GROUPS - 1)
				*p++ = ':';
			continue;
		}
		if (i > 0)
			*p++ = ':';
		p = group_format(p, group_of(a, i));
	}
	return p;
}

size_t address_format(struct address a, char out[ADDRESS_TEXT])
{
	char *end = a.family == FAMILY_IPV4 ? quad_format(out, (uint32_t)a.low) : ipv6_format(out, a);

	*end = '\0';
	return (size_t)(end - out);
}

static unsigned width(struct address a)
{
	return a.family == FAMILY_IPV4 ? 32 : 128;
}

/* The top n of 64 bits. */
static uint64_t top(unsigned n)
{
	return n == 0 ? 0 : ~(uint64_t)0 << (64 - n);
}

static struct address mask(struct address like, unsigned length)
{
	if (like.family == FAMILY_IPV4)
		return address_ipv4((uint32_t)(top(length) >> 32));
	return (struct address){ top(length < 64 ? length : 64), top(length < 64 ? 0 : length - 64), FAMILY_IPV6 };
}

struct prefix prefix_of(struct address a, unsigned length)
{
	struct address m;

	assert(length <= width(a));
	m = mask(a, length);
	a.high &= m.high;
	a.low &= m.low;
	return (struct prefix){ a, (uint8_t)length };
}

enum err prefix_parse(struct span s, struct prefix *out)
{
	struct span rest = s, text = span_cut(&rest, '/');
	struct address a;
	uint64_t length;

	if (address_parse(text, &a) != OK)
		return ERR_PREFIX;
	length = width(a);
	if (rest.at != NULL && span_u64(rest, width(a), &length) != OK)
		return ERR_PREFIX;
	*out = prefix_of(a, (unsigned)length);
	return address_equal(out->address, a) ? OK : ERR_PREFIX;
}

size_t prefix_format(struct prefix p, char out[PREFIX_TEXT])
{
	size_t n = address_format(p.address, out);
	char *end;

	out[n] = '/';
	end = decimal(out + n + 1, p.length);
	*end = '\0';
	return (size_t)(end - out);
}

int address_compare(struct address a, struct address b)
{
	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

bool address_next(struct address *a)
{
	struct address last = prefix_last((struct prefix){ { 0, 0, a->family }, 0 });

	if (address_equal(*a, last))
		return false;
	if (++a->low == 0)
		a->high++;
	return true;
}

bool address_previous(struct address *a)
{
	if (a->high == 0 && a->low == 0)
		return false;
	if (a->low-- == 0)
		a->high--;
	return true;
}

struct address prefix_first(struct prefix p)
{
	return p.address;
}

struct address prefix_last(struct prefix p)
{
	struct address m = mask(p.address, p.length), all = mask(p.address, width(p.address));

	return (struct address){ p.address.high | (all.high ^ m.high), p.address.low | (all.low ^ m.low),
				 p.address.family };
}

bool prefix_covers(struct prefix p, struct address a)
{
	struct address m = mask(p.address, p.length);

	return p.address.family == a.family && (a.high & m.high) == p.address.high && (a.low & m.low) == p.address.low;
}

bool prefix_contains(struct prefix outer, struct prefix inner)
{
	return outer.length <= inner.length && prefix_covers(outer, inner.address);
}

int prefix_compare(struct prefix a, struct prefix b)
{
	int order = address_compare(a.address, b.address);

	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool range_covers(struct range r, struct address a)
{
	return r.first.family == a.family && address_compare(r.first, a) <= 0 && address_compare(a, r.last) <= 0;
}

/* Where each form keeps the IPv4 address: bits 96 to 127; 96 to 127; 16 to 47; 96 to 127, inverted. */
const char *address_embedded(struct address a, struct address *out)
{
	if (is_mapped(a)) {
		*out = address_ipv4((uint32_t)a.low);
		return "ipv4-mapped";
	}
	if (a.family == FAMILY_IPV6 && a.high == 0x0064ff9b00000000 && a.low >> 32 == 0) {
		*out = address_ipv4((uint32_t)a.low);
		return "nat64";
	}
	if (a.family == FAMILY_IPV6 && a.high >> 48 == 0x2002) {
		*out = address_ipv4((uint32_t)(a.high >> 16));
		return "6to4";
	}
	if (a.family == FAMILY_IPV6 && a.high >> 32 == 0x20010000) {
		*out = address_ipv4(~(uint32_t)a.low);
		return "teredo";
	}
	return NULL;
}

/*
 * The special-purpose registries of IANA (RFC 6890 and what followed), rows that are not globally reachable, with
 * multicast and the reserved quarter. The first match counts, so exceptions (without a name) stand before the block
 * that they are cut from. Blocks that IANA calls globally reachable (AS112, AMT) are ordinary addresses.
 */
static const struct {
	uint32_t first;
	uint8_t length;
	const char *name;
} special_ipv4[] = {
	{ 0x00000000, 32, "unspecified" },
	{ 0x00000000, 8, "this-network" },	    /* 0.0.0.0/8, RFC 791 */
	{ 0x0a000000, 8, "private" },		    /* 10.0.0.0/8, RFC 1918 */
	{ 0x64400000, 10, "shared" },		    /* 100.64.0.0/10, RFC 6598: behind a carrier's NAT */
	{ 0x7f000000, 8, "loopback" },		    /* 127.0.0.0/8, RFC 1122 */
	{ 0xa9fe0000, 16, "link-local" },	    /* 169.254.0.0/16, RFC 3927 */
	{ 0xac100000, 12, "private" },		    /* 172.16.0.0/12, RFC 1918 */
	{ 0xc0000009, 32, NULL },		    /* 192.0.0.9, RFC 7723: PCP anycast */
	{ 0xc000000a, 32, NULL },		    /* 192.0.0.10, RFC 8155: TURN anycast */
	{ 0xc0000000, 24, "protocol-assignments" }, /* 192.0.0.0/24, RFC 6890 */
	{ 0xc0000200, 24, "documentation" },	    /* 192.0.2.0/24, RFC 5737 */
	{ 0xc0586300, 24, "6to4-relay" },	    /* 192.88.99.0/24, RFC 7526: withdrawn */
	{ 0xc0a80000, 16, "private" },		    /* 192.168.0.0/16, RFC 1918 */
	{ 0xc6120000, 15, "benchmarking" },	    /* 198.18.0.0/15, RFC 2544 */
	{ 0xc6336400, 24, "documentation" },	    /* 198.51.100.0/24, RFC 5737 */
	{ 0xcb007100, 24, "documentation" },	    /* 203.0.113.0/24, RFC 5737 */
	{ 0xe0000000, 4, "multicast" },		    /* 224.0.0.0/4, RFC 5771 */
	{ 0xffffffff, 32, "broadcast" },	    /* RFC 8190 */
	{ 0xf0000000, 4, "reserved" },		    /* 240.0.0.0/4, RFC 1112 */
};

static const struct {
	uint64_t high, low;
	uint8_t length;
	const char *name;
} special_ipv6[] = {
	{ 0, 0, 128, "unspecified" },
	{ 0, 1, 128, "loopback" },
	{ 0x0064ff9b00010000, 0, 48, "nat64-local" },	       /* 64:ff9b:1::/48, RFC 8215 */
	{ 0x0100000000000000, 0, 64, "discard" },	       /* 100::/64, RFC 6666 */
	{ 0x0100000000000001, 0, 64, "dummy" },		       /* 100:0:0:1::/64, RFC 9780 */
	{ 0x2001000100000000, 1, 128, NULL },		       /* 2001:1::1, RFC 7723: PCP anycast */
	{ 0x2001000100000000, 2, 128, NULL },		       /* 2001:1::2, RFC 8155: TURN anycast */
	{ 0x2001000100000000, 3, 128, NULL },		       /* 2001:1::3, RFC 9665: service registration anycast */
	{ 0x2001000200000000, 0, 48, "benchmarking" },	       /* 2001:2::/48, RFC 5180 */
	{ 0x2001000300000000, 0, 32, NULL },		       /* 2001:3::/32, RFC 7450: AMT */
	{ 0x2001000401120000, 0, 48, NULL },		       /* 2001:4:112::/48, RFC 7535: AS112 */
	{ 0x2001002000000000, 0, 28, NULL },		       /* 2001:20::/28, RFC 7343: ORCHIDv2 */
	{ 0x2001003000000000, 0, 28, NULL },		       /* 2001:30::/28, RFC 9374: DRIP */
	{ 0x2001000000000000, 0, 23, "protocol-assignments" }, /* 2001::/23, RFC 2928 */
	{ 0x20010db800000000, 0, 32, "documentation" },	       /* 2001:db8::/32, RFC 3849 */
	{ 0x3fff000000000000, 0, 20, "documentation" },	       /* 3fff::/20, RFC 9637 */
	{ 0x2000000000000000, 0, 3, NULL },		       /* the only global unicast there is, RFC 4291 */
	{ 0x5f00000000000000, 0, 16, "segment-routing" },      /* 5f00::/16, RFC 9602 */
	{ 0xfc00000000000000, 0, 7, "unique-local" },	       /* fc00::/7, RFC 4193 */
	{ 0xfe80000000000000, 0, 10, "link-local" },	       /* fe80::/10, RFC 4291 */
	{ 0xfec0000000000000, 0, 10, "site-local" },	       /* fec0::/10, RFC 3879: withdrawn */
	{ 0xff00000000000000, 0, 8, "multicast" },	       /* ff00::/8, RFC 4291 */
	{ 0, 0, 0, "unallocated" },
};

/* The first octets of all rows: most addresses need no look at the table. */
static bool may_be_special(uint32_t v)
{
	switch (v >> 24) {
	case 0:
	case 10:
	case 100:
	case 127:
	case 169:
	case 172:
	case 192:
	case 198:
	case 203:
		return true;
	default:
		return v >> 24 >= 224;
	}
}

static const char *ipv4_special(uint32_t v)
{
	if (!may_be_special(v))
		return NULL;
	for (size_t i = 0; i < sizeof(special_ipv4) / sizeof(special_ipv4[0]); i++)
		if ((v ^ special_ipv4[i].first) >> (32 - special_ipv4[i].length) == 0)
			return special_ipv4[i].name;
	return NULL;
}

static const char *ipv6_special(struct address a)
{
	for (size_t i = 0; i < sizeof(special_ipv6) / sizeof(special_ipv6[0]); i++) {
		struct address first = { special_ipv6[i].high, special_ipv6[i].low, FAMILY_IPV6 };

		if (prefix_covers((struct prefix){ first, special_ipv6[i].length }, a))
			return special_ipv6[i].name;
	}
	return NULL;
}

/* What stands for an IPv4 address is as special as that one: 2002:a00:1:: leads to 10.0.0.1. */
const char *address_special(struct address a)
{
	struct address inner;

	if (address_embedded(a, &inner) != NULL)
		a = inner;
	return a.family == FAMILY_IPV4 ? ipv4_special((uint32_t)a.low) : ipv6_special(a);
}

enum err asn_parse(struct span s, bool bare, uint32_t *out)
{
	uint64_t v;

	if (span_starts(s, "AS"))
		s = span_from(s, 2);
	else if (!bare)
		return ERR_NUMBER;
	if (span_u64(s, UINT32_MAX - 1, &v) != OK || v == 0)
		return ERR_NUMBER;
	*out = (uint32_t)v;
	return OK;
}
