/* To which mailbox a notice goes: the operator's table, the party's own statement, the registers' dump (territory/contacts.h), the
 * register asked by RDAP (rdap.h, only where the operator allows it), in this order. */
#ifndef MAIL_CONTACT_CHOICE_H
#define MAIL_CONTACT_CHOICE_H

#include "net/config.h"
#include "regime/contact.h"
#include "regime/node.h"
#include "regime/outbox.h"

struct contact_chooser;
/* Maps DIR/contacts.table and DIR/territory.table, where they are. st: for counting what was asked today, only for the call. dir and
 * config live as long. One thread. */
enum err contact_chooser_open(const char *dir, const struct config *config, const struct state *st,
			      struct contact_chooser **out);
void contact_chooser_close(struct contact_chooser *c); /* NULL is fine */
/* Takes tables that were swapped in since. Now and then, between choices: what was chosen before points into the old ones. */
enum err contact_chooser_refresh(struct contact_chooser *c);

enum contact_choice {
	CONTACT_CHOSEN, /* *out; its spans end with the snapshot, or the next refresh or close */
	CONTACT_NONE,	/* nothing is left: the item is undeliverable */
	CONTACT_ASK_RDAP /* nothing is left that is known, but the register may be asked: contact_ask, then choose again */
};
/* The next for an item of the outbox (OUTBOX_MAIL): not tried for it before, not quarantined. Of a prefix for which nothing is
 * left: what is known for the AS in which it lies. */
enum err contact_choose(struct contact_chooser *c, const struct state *st, const struct outbox_item *i, struct arena *a,
			enum contact_choice *choice, struct contact *out);
/* Asks the register about that for which the last contact_choose said CONTACT_ASK_RDAP, and writes the record (contact_write) to be
 * logged by node_add_private before choosing again. Uses the network: no snapshot should be held. ERR_RATE: as often as
 * `rdap-daily` allows was asked today; ERR_UNREACHABLE, ERR_PEER: no answer, or none that can be used; ERR_NOT_FOUND: there is
 * nothing to ask. */
enum err contact_ask(struct contact_chooser *c, struct arena *a, struct buffer *record);
/* The same about any addressee. ERR_NOT_FOUND too where no register is configured. */
enum err contact_ask_about(struct contact_chooser *c, struct arena *a, const struct addressee *to,
			   struct buffer *record);
/* All for an addressee in the order to try, also those that would be passed over. */
enum err contacts_known(struct contact_chooser *c, const struct state *st, struct arena *a, const struct addressee *to,
			contact_each *each, void *context);

#endif
