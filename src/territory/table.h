/* The compiled registry tables: which network and country an address belongs to, by range. One memory-mapped file that
 * is replaced by rename; an open table never changes, any number of threads may ask it at once. Asking allocates
 * nothing and uses no network. */
#ifndef TERRITORY_TABLE_H
#define TERRITORY_TABLE_H

#include "base/address.h"
#include "base/arena.h"

struct table;

/* ERR_TABLE_MISSING: not there (the detail says how to build one). ERR_TABLE_DAMAGED: checksum or version. Fast: the
 * checksum covers the head; the sections are checked for bounds, the whole by table_check. */
enum err table_open(const char *path, struct table **out);
enum err table_check(const struct table *t); /* checksum over everything */
void table_close(struct table *t);

/* Where the route's validity by RPKI (RFC 6811) stands. */
enum route_validity { ROUTE_UNKNOWN, ROUTE_NOT_FOUND, ROUTE_VALID, ROUTE_INVALID };
const char *route_validity_name(enum route_validity v);

/* A record: what all addresses of one stretch have in common. Number 0: nothing is known. */
struct table_record {
	uint32_t asn;			       /* 0: no origin known */
	struct span holder;		       /* of the AS; empty if unknown; ends with the table */
	char country[3];		       /* of the registration; "" if unknown; upper case */
	char as_country[3];		       /* where the AS is registered; "" if unknown */
	struct range origin_range;	       /* the row or prefix that gave the AS; valid if asn is not 0 */
	struct range country_range;	       /* valid if country is not "" */
	uint8_t origin_source, country_source; /* index for table_source */
	enum route_validity validity;
	uint32_t other_asn; /* another source disagrees: its AS, 0 if none does */
	char other_country[3];
	uint8_t other_source;
	uint32_t passed_over_asn;     /* an RPKI-invalid origin that was not taken; 0 if none */
	uint8_t other_country_source; /* whose other_country is; other_source goes with other_asn */
};

/* The record's number: dense, below table_records. Same number, same answer. The hot path. */
static inline uint32_t table_find(const struct table *t, struct address a);
/* Many at once, hiding memory latency. */
void table_find_ipv4(const struct table *t, const uint32_t *addresses, size_t count, uint32_t *records);
void table_find_ipv6(const struct table *t, const struct address *addresses, size_t count, uint32_t *records);
uint32_t table_find_one_ipv4(const struct table *t, uint32_t address);
uint32_t table_find_one_ipv6(const struct table *t, uint64_t high, uint64_t low);
uint32_t table_records(const struct table *t);
void table_record(const struct table *t, uint32_t number, struct table_record *out);

/* Records that have AS and country in common are of one class, dense again: who answers is decided by class, while a
 * record also knows its ranges and sources. Classes are sorted by AS number, then country; class 0 has neither: it is
 * also that of special space (private, loopback, …), whatever the sources say of it; of documentation space, unless an
 * AS announces it. */
uint32_t table_classes(const struct table *t);
uint32_t table_class(const struct table *t, uint32_t record);
struct table_class_facts {
	uint32_t asn;
	char country[3], as_country[3];
};
void table_class_facts(const struct table *t, uint32_t class, struct table_class_facts *out);

/* Of an AS number by itself. False: unknown to the tables. */
bool table_as(const struct table *t, uint32_t asn, struct span *holder, char country[3]);

/* Where the data came from. */
struct table_source {
	struct span name;	 /* "ripencc delegated-extended", "@ip-location-db/asn 2.3.2026061719" */
	struct span attribution; /* what the publisher asks to be shown; may be empty */
	struct span caution;	 /* known errors; may be empty */
	int64_t dated_ms;	 /* the data's own date; 0 unknown */
	uint64_t rows, rejected, overlaps;
};
size_t table_sources(const struct table *t);
void table_source(const struct table *t, size_t i, struct table_source *out);

struct table_facts {
	int64_t built_ms;
	uint64_t intervals_ipv4, intervals_ipv6, as_numbers, disagreements, bytes;
};
void table_facts(const struct table *t, struct table_facts *out);

/* Inline, so that an address that was just put together travels in registers: by memory, each look-up would wait for
 * the one before. */
static inline uint32_t table_find(const struct table *t, struct address a)
{
	return a.family == FAMILY_IPV4 ? table_find_one_ipv4(t, (uint32_t)a.low)
				       : table_find_one_ipv6(t, a.high, a.low);
}

#endif
