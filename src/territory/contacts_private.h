/* What reader and writer of the contacts' table share. Only for this room. */
#ifndef TERRITORY_CONTACTS_PRIVATE_H
#define TERRITORY_CONTACTS_PRIVATE_H

#include "base/hash.h"
#include "territory/contacts.h"
#include "territory/intern.h"

/* Numbers of handles and mailboxes are from 1; 0: none. */
struct handle {
	uint32_t abuse_mail, plain_mail; /* of a role, person, irt or organisation */
	uint32_t abuse_c;		 /* of an organisation: a handle */
};

/* What an object says of whom to write to: plain bytes, so that equal ones are kept once. */
struct how {
	uint32_t abuse_c, org, irt, desk; /* handles */
	uint32_t abuse_mail, plain_mail;  /* in the object itself */
};

struct resource_as {
	uint32_t asn, how;
};
struct resource4 {
	uint32_t first, last, how;
};
struct resource6 {
	struct address first, last;
	uint32_t how;
};

/* Growing arrays. */
struct contacts_list {
	void *at;
	size_t size, count, room;
};

struct contacts_build {
	struct intern handle_names, mail_names, hows; /* names by the first half of their SHA-256 */
	struct contacts_list handles;		      /* struct handle by number - 1 */
	struct contacts_list mails;		      /* uint32_t: where each begins in the text, by number - 1 */
	struct buffer text;			      /* mailboxes, each with u8 of its length before it */
	struct contacts_list as, ipv4, ipv6;
	uint64_t objects, rejected;
	enum err err; /* the machine failed: sticky */
	contacts_reject *on_reject;
	void *context;
	const char *path; /* in hand */
	uint64_t line;
};

#endif
