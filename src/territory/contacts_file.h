/* The file of the contacts' table. Only for this room.
 *
 *	head	struct contacts_head, with SHA-256 sums of itself and of all that follows
 *	AS	sorted by number
 *	IPv4	ranges sorted by first address, then the wider first
 *	IPv6	the same
 *	text	mailboxes
 *
 * In the byte order of the machine, each at a multiple of 8. A range's `above` is one more than the place of the last range before
 * it that ends where it ends or behind; 0: there is none. So what covers an address is found from the last range that begins
 * at or before it, upwards. */
#ifndef TERRITORY_CONTACTS_FILE_H
#define TERRITORY_CONTACTS_FILE_H

#include "base/hash.h"

#define CONTACTS_MAGIC "comity whois 1\n"
#define CONTACTS_BYTE_ORDER 0x01020304u

enum contacts_section { CONTACTS_AS, CONTACTS_IPV4, CONTACTS_IPV6, CONTACTS_TEXT, CONTACTS_SECTIONS };

struct contacts_head {
	char magic[16];
	uint32_t byte_order, head_size;
	uint64_t file_size;
	int64_t built_ms;
	uint64_t objects, rejected, mailboxes;
	struct {
		uint64_t offset, size;
	} sections[CONTACTS_SECTIONS];
	struct hash content, head; /* head: of what stands before it here */
};

struct disk_mail {
	uint32_t at; /* in the text */
	uint8_t length, rank;
	uint16_t unused;
};

struct disk_contact_as {
	uint32_t asn, unused;
	struct disk_mail mail;
};

struct disk_contact4 {
	uint32_t first, last, above, unused;
	struct disk_mail mail;
};

struct disk_contact6 {
	uint64_t first_high, first_low, last_high, last_low;
	uint32_t above, unused;
	struct disk_mail mail;
};

#endif
