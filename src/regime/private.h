/* What the node's private records have in common. Only for this room.
 *
 * A record begins with its tag. What the bytes mean stands in the file of each; a record with a tag that is not known here
 * is kept and folds to nothing. In the view OWN these stand beside "heads", each under its own letter:
 *
 *	key					value
 *	a addressee, u8 source			contact (contact.c)
 *	b u8 way, addressee, u8 ledger, u64 index	nothing: an item of the outbox that waits (outbox.c)
 *	c name					credential (credential.c)
 *	d addressee				directive (directive.c)
 *	e mailbox				its health (contact.c)
 *	k u8 type, 32 check			name of the credential
 *	l u8 format, type			header line last seen (seen.c)
 *	n u8 way, u64 time, u8 ledger, u64 index, addressee	nothing: the same by when it is due
 *	o u8 ledger, u64 index, u8 way, addressee	an item of the outbox (outbox.c)
 *	p 16 id					a post (posting.c)
 *	q u64 time, 16 id			the same by its time
 *	r addressee				u64 when its waiting rows last went out
 *	u 32 hash				how far another server was read (cursor.c)
 *	w addressee, u8 class, u64 position	a pack that waits (waiting.c)
 *
 * addressee: u8 type (enum addressee_type), then domain 00 | u32 AS number | prefix | 2 letters | nothing. No addressee is
 * the beginning of another one. Records write it in the same way. */
#ifndef REGIME_PRIVATE_H
#define REGIME_PRIVATE_H

#include "regime/state_private.h"
#include "store/journal.h"

enum private_tag {
	TAG_CREDENTIAL = 'C',
	TAG_DIRECTIVE = 'D',
	TAG_CONTACT = 'K',
	TAG_SEEN = 'L',
	TAG_OUTBOX = 'O',
	TAG_POSTING = 'P', /* RECORD_RAW */
	TAG_RELEASE = 'R',
	TAG_SIGHTINGS = 'S',
	TAG_CURSOR = 'U',
	TAG_PACK = 'W', /* RECORD_RAW; the others without a word are RECORD_PRIVATE */
};

enum own_letter {
	OWN_CONTACT = 'a',
	OWN_WAITING = 'b',
	OWN_CREDENTIAL = 'c',
	OWN_DIRECTIVE = 'd',
	OWN_HEALTH = 'e',
	OWN_CHECK = 'k',
	OWN_SEEN = 'l',
	OWN_DUE = 'n',
	OWN_ITEM = 'o',
	OWN_POSTING = 'p',
	OWN_POSTED = 'q',
	OWN_RELEASED = 'r',
	OWN_CURSOR = 'u',
	OWN_UNDELIVERABLE = 'v',
	OWN_PACK = 'w'
};

/* Whether this node writes records of this kind with this tag. */
bool private_written(uint8_t kind, uint8_t tag);

/* Takes a record's payload into the views: the one way for a batch, for a rebuild, for the audit. Uses the arena.
 * ERR_DAMAGED: it does not read; nothing is known of how far it went then. */
enum err private_fold(struct state *st, uint8_t kind, uint64_t position, struct span payload);
enum err private_damaged(const char *what); /* a record of ours that does not read: ERR_DAMAGED */

enum err contact_fold(struct state *st, struct span payload);
enum err credential_fold(struct state *st, struct span payload);
enum err cursor_fold(struct state *st, struct span payload);
enum err directive_fold(struct state *st, struct span payload);
enum err outbox_fold(struct state *st, struct span payload);
enum err posting_fold(struct state *st, uint64_t position, struct span payload);
enum err seen_fold(struct state *st, struct span payload);
enum err release_fold(struct state *st, struct span payload);
enum err sightings_fold(struct state *st, struct span payload);
enum err pack_fold(struct state *st, uint64_t position, struct span payload);

/* An entry that had an effect goes into the outbox, if it concerns others; an answer tells what arrived. */
enum err outbox_enter(struct state *st, const struct statement *s);

/* The health of a mailbox (contact.c). answered: to what was sent to it then. forgiven: the operator set it again. */
enum err health_sent(struct state *st, struct span mail, int64_t at_ms);
enum err health_bounced(struct state *st, struct span mail, int64_t at_ms, bool for_good);
enum err health_answered(struct state *st, struct span mail, int64_t sent_ms, int64_t at_ms);
enum err health_forgiven(struct state *st, struct span mail);

void key_add_addressee(struct state_key *k, const struct addressee *to);
void write_addressee(struct buffer *b, const struct addressee *to);
/* Strict: what is no addressee sets the reader's error. */
void read_addressee(struct reader *r, struct addressee *out);
void read_class(struct reader *r, enum rsit_class *out);
/* Times have 48 bits, enough for the year 9999; 0: none. What lies outside is written as none. */
#define TIME_MAX ((INT64_C(1) << 48) - 1)
static inline uint64_t time_known(int64_t ms)
{
	return ms > 0 && ms <= TIME_MAX ? (uint64_t)ms : 0;
}

#endif
