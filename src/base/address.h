/* Internet addresses, prefixes and autonomous systems as values. IPv4 and IPv6 at parity: one struct holds either, and
 * the two families never compare equal (an IPv4-mapped IPv6 address is turned into IPv4 only by address_embedded). */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/span.h"

enum family { FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

struct address {
	uint64_t high, low; /* IPv4: high is 0, low holds 32 bits */
	uint8_t family;	    /* enum family */
};

struct prefix {
	struct address address; /* bits behind the length are 0 */
	uint8_t length;		/* 0 to 32 or 0 to 128 */
};

/* Inclusive at both ends, one family. */
struct range {
	struct address first, last;
};

#define ADDRESS_TEXT 46 /* longest IPv6 text and a 0 */
#define PREFIX_TEXT 50

/* Strict: dotted quad without leading zeros; IPv6 as inet_pton takes it, no zone. ERR_ADDRESS. */
enum err address_parse(struct span s, struct address *out);
/* As feeds write them: leading zeros in a quad are decimal ("192.0.2.061"). ERR_ADDRESS. */
enum err address_parse_loose(struct span s, struct address *out);
/* Canonical text (RFC 5952; a quad inside IPv6 only for IPv4-mapped addresses). Returns its length. */
size_t address_format(struct address a, char out[ADDRESS_TEXT]);

/* "192.0.2.0/24"; bits behind the length must be 0; without a slash it is a host. ERR_PREFIX. */
enum err prefix_parse(struct span s, struct prefix *out);
size_t prefix_format(struct prefix p, char out[PREFIX_TEXT]); /* always with its length */

static inline struct address address_ipv4(uint32_t v)
{
	return (struct address){ 0, v, FAMILY_IPV4 };
}

int address_compare(struct address a, struct address b); /* IPv4 before IPv6 */
static inline bool address_equal(struct address a, struct address b)
{
	return a.family == b.family && a.high == b.high && a.low == b.low;
}
bool address_next(struct address *a);	  /* false: it was the last of its family; unchanged */
bool address_previous(struct address *a); /* false: it was the first */

struct address prefix_first(struct prefix p);
struct address prefix_last(struct prefix p);
bool prefix_covers(struct prefix p, struct address a);
bool prefix_contains(struct prefix outer, struct prefix inner); /* equal counts */
int prefix_compare(struct prefix a, struct prefix b);		/* by address, then shorter first */
/* The address cut to its first `length` bits. */
struct prefix prefix_of(struct address a, unsigned length);
bool range_covers(struct range r, struct address a);

/* Inside which IPv4 address the answerer must be looked for: IPv4-mapped (RFC 4291), NAT64 (RFC 6052, the
 * well-known prefix), 6to4 (RFC 3056) and Teredo (RFC 4380). Returns how it was embedded ("ipv4-mapped", "nat64",
 * "6to4", "teredo"), NULL if it was not; *out is set only when it was. */
const char *address_embedded(struct address a, struct address *out);

/* Why nobody on the Internet can answer for it ("private", "loopback", "documentation", "multicast", …, by the IANA
 * special-purpose registries, RFC 6890); NULL: an ordinary address. Where an IPv4 address is embedded it speaks of that
 * one. */
const char *address_special(struct address a);

/* "AS64500" (also "64500" when bare is true). 1 to 4294967294. ERR_NUMBER. */
enum err asn_parse(struct span s, bool bare, uint32_t *out);

#endif
