/* STIX patterns (STIX 2.1, 9): whether one keeps to the grammar; which addresses it names, and in which part. Nothing is
 * matched against anything. */
#ifndef STIX_PATTERN_H
#define STIX_PATTERN_H

#include "base/arena.h"
#include "base/span.h"

enum pattern_role {
	PATTERN_ADDRESS, /* ipv4-addr:value, ipv6-addr:value, an address that a domain resolves to */
	PATTERN_SOURCE,	 /* network-traffic:src_ref.value */
	PATTERN_TARGET	 /* network-traffic:dst_ref.value */
};

struct pattern_address {
	struct span text; /* as it stands between the quotes */
	enum pattern_role role;
	size_t group; /* addresses of one pair of square brackets have the same */
};

/* What else one pair of square brackets says. */
struct pattern_group {
	bool any;			   /* it has an OR: its addresses have nothing to do with each other */
	uint16_t source_port, target_port; /* 0: none, or several */
	unsigned source_ports, target_ports;
};

struct pattern {
	struct pattern_address *addresses;
	struct pattern_group *groups;
	size_t address_count, group_count, address_room, group_room;
};

/* Takes a little more than the grammar, for reports. In the arena; spans point into text. Comparisons that are negated do not
 * count. ERR_SYNTAX, ERR_DEPTH (parentheses), ERR_NO_MEMORY. */
enum err pattern_read(struct arena *a, struct span text, struct pattern *out);

/* One comparison, as it is met. */
struct pattern_comparison {
	struct span type, first, last; /* file:hashes.MD5: file, hashes, MD5 */
	size_t steps;
	bool hashes; /* a step is called hashes */
	bool text;   /* the value is a string that is compared for equality or stands in a set */
	struct span value;
};

struct pattern_fault {
	size_t at;	  /* byte */
	const char *what; /* static */
};

/* To the letter of the grammar; `each` may be NULL. Allocates nothing. ERR_SYNTAX with *fault set, ERR_DEPTH. */
enum err pattern_check(struct span text, void (*each)(void *context, const struct pattern_comparison *c), void *context,
		       struct pattern_fault *fault);

#endif
