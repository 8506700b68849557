/*
 * The file of a table
 *
 *	head	  struct table_head, with SHA-256 sums of itself and of all that follows
 *	sections  arrays in the byte order of the machine, each at a multiple of 64
 *
 * It is read as it lies there, so a machine of the other byte order builds its own. Rows and AS entries are counted from
 * 1, and 0 is none of them; records, classes and extras have an entry 0 that says "nothing known".
 *
 * IPv4: DIRECT4 has an entry for each block of 4096 addresses: the record, if the whole block has one; else, marked by
 * MORE4, which of the lines of NETS4 tells more: 16 entries, one for each 256 addresses, the record again or, marked, where
 * their fragment begins in FRAGMENTS4, in units of 16 bytes. A fragment is the number n of places where the record
 * changes inside the 256 addresses, and those places, ascending: a byte each, filled up to a multiple of 16 bytes; then
 * n + 1 records.
 *
 * IPv6: STEPS6 tells where the record changes: the upper halves of the first addresses, ascending, with their records;
 * LOW6 has the lower halves, which nearly all are 0: where not, the record is marked by LOW_MARK. SLOTS6 is a tree over the
 * upper halves: its first 65536 slots are for the upper 16 bits. A slot tells between how many steps to choose, and the
 * first of these; or, marked by MORE6, by how many of the next bits to go on, and where those slots begin.
 */
#ifndef TERRITORY_TABLE_FILE_H
#define TERRITORY_TABLE_FILE_H

#include "base/hash.h"

#define TABLE_MAGIC "comity table 1\n"
#define TABLE_BYTE_ORDER 0x01020304u
#define TABLE_ALIGNMENT 64
#define TABLE_RECORDS_MAX (1u << 28)

#define BLOCK_BITS 12
#define BLOCKS4 (1u << (32 - BLOCK_BITS))
#define NETS_IN_BLOCK 16u
#define MORE4 0x80000000u
#define FRAGMENT_UNIT 16u /* bytes */

#define LOW_MARK 0x80000000u
#define ROOT_BITS6 16u
#define MORE6 ((uint64_t)1 << 63)
#define SLOT_MANY_MAX 0x3fffffffu
/* What a slot says: `many` steps from `first` on; with MORE6 `many` bits, slots from `first` on. */
static inline uint64_t slot_pack(uint32_t many, uint32_t first)
{
	return (uint64_t)many << 32 | first;
}
static inline uint32_t slot_many(uint64_t slot)
{
	return (uint32_t)(slot >> 32) & SLOT_MANY_MAX;
}
static inline uint32_t slot_first(uint64_t slot)
{
	return (uint32_t)slot;
}

enum section {
	SECTION_DIRECT4,
	SECTION_NETS4,
	SECTION_FRAGMENTS4,
	SECTION_SLOTS6, /* uint64_t */
	SECTION_STEPS6, /* struct disk_step6 */
	SECTION_LOW6,
	SECTION_RECORDS,	/* struct disk_record by number */
	SECTION_RECORD_CLASSES, /* uint32_t by record */
	SECTION_CLASSES,	/* struct disk_class, sorted by AS entry, then country */
	SECTION_EXTRAS,
	SECTION_ORIGINS4,
	SECTION_ORIGINS6,
	SECTION_COUNTRIES4,
	SECTION_COUNTRIES6,
	SECTION_AS,   /* struct disk_as, sorted by AS number */
	SECTION_TEXT, /* names and what the sources say */
	SECTION_SOURCES,
	SECTION_COUNT
};

struct table_section {
	uint64_t offset, size;
};

struct table_head {
	char magic[16];
	uint32_t byte_order, head_size;
	uint64_t file_size;
	int64_t built_ms;
	int64_t vrps_until_ms; /* from then on the routes' validity is unknown; 0: it always was */
	uint64_t intervals_ipv4, intervals_ipv6, disagreements;
	uint32_t records, records_ipv4; /* numbers below records_ipv4 are of IPv4, but for 0 */
	struct table_section sections[SECTION_COUNT];
	struct hash content, head; /* head: of what stands before it here */
};

struct disk_step6 {
	uint64_t high;
	uint32_t record, unused;
};

struct disk_record {
	uint32_t origin, country, extra; /* rows of the record's family */
};

struct disk_class {
	uint32_t as, country; /* country_pack */
};

#define EXTRA_SPECIAL 1 /* flag: nobody answers for this space; the record's class is 0 */
struct disk_extra {
	uint32_t other_asn, passed_over_asn;
	uint16_t other_country;
	uint8_t origin_source, country_source, other_source, other_country_source, validity, flags;
};

struct disk_row4 {
	uint32_t first, last, value; /* AS entry, or country_pack */
};

struct disk_row6 {
	uint64_t first_high, first_low, last_high, last_low;
	uint32_t value, unused;
};

struct disk_text {
	uint32_t at, length;
};

struct disk_as {
	uint32_t asn, country;
	struct disk_text name;
};

struct disk_source {
	struct disk_text name, attribution, caution;
	int64_t dated_ms;
	uint64_t rows, rejected, overlaps;
};

#endif
