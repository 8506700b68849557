/* Contacts: the mailbox of whoever answers for a resource or is a party without a node, as this node knows it, and how well
 * each works. Set by the operator or found in a register (RECORD_PRIVATE, tag 'K'; view OWN); the contacts that a party's own
 * statement names need no record. */
#ifndef REGIME_CONTACT_H
#define REGIME_CONTACT_H

#include "base/buffer.h"
#include "regime/state.h"

#define CONTACT_BOUNCES_MAX 3
#define CONTACT_OPENPGP_MAX 32768
#define CONTACT_MAIL_MAX 254 /* RFC 5321, 4.5.3.1.3 without its brackets */

enum contact_source { CONTACT_OPERATOR, CONTACT_PARTY, CONTACT_WHOIS, CONTACT_RDAP, CONTACT_SOURCE_COUNT };
const char *contact_source_name(enum contact_source s); /* "operator", "party", "whois", "rdap" */

struct contact {
	struct span mail;	    /* as it is written in a mail, checked by contact_mail_check */
	enum contact_source source; /* CONTACT_OPERATOR before CONTACT_PARTY before WHOIS before RDAP */
	struct span openpgp; /* a public key, binary; empty: none, so what goes there is signed but not encrypted */
	int64_t since_ms;
};

/* A mailbox that can stand in a mail's header and in SMTP without any quoting: dot-atom @ A-label domain. ERR_SYNTAX. */
enum err contact_mail_check(struct span mail);

/* The payload of the record: sets the contact of `to` by this source (one of each source, never PARTY), or takes it away (mail
 * empty). One of RDAP with an empty mail and a since_ms says that the register names none, and is kept for that. */
void contact_write(struct buffer *record, const struct addressee *to, const struct contact *c);

/* Those of an addressee in the order to try, also the party statement's; quarantined ones last. */
typedef enum err contact_each(void *context, const struct contact *c);
enum err contacts_of(const struct state *st, const struct addressee *to, contact_each *each, void *context);
/* The record of one source, also one of RDAP that names no mailbox. ERR_NOT_FOUND. */
enum err contact_find(const struct state *st, const struct addressee *to, enum contact_source source,
		      struct contact *out);
/* All that have a record; to is given with each. */
typedef enum err contact_row(void *context, const struct addressee *to, const struct contact *c);
enum err contacts_walk(const struct state *st, contact_row *each, void *context);

/* How well a mailbox works, from the outbox's events and the answers that came by its links. */
struct contact_health {
	uint64_t sent, bounced_for_good, bounced_for_now, answered;
	uint32_t bounces_in_a_row;				 /* for good, since anything last worked */
	int64_t last_sent_ms, last_bounced_ms, last_answered_ms; /* 0: never */
	int64_t answer_sum_ms;					 /* of the times from mail to first answer */
	bool quarantined; /* CONTACT_BOUNCES_MAX for good in a row: not written to, until the operator sets it again */
};
enum err contact_health(const struct state *st, struct span mail, struct contact_health *out); /* unknown: all 0 */

#endif
