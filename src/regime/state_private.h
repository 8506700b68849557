/* The bytes of the view STATE. Only for this room.
 *
 * A key begins with one letter; numbers are big-endian, so keys of one letter sort by number. `…` is the rest.
 *
 *	key				value
 *	a addressee, u8 class, u64 index	nothing: a notice in the circle to this addressee
 *	b domain 00, u64 index		nothing: a notice in the circle by this party
 *	D …				who asked whom before a takedown (deconflict_rules.c)
 *	e u64 until_ms, u64 index	nothing: a proof whose acceptance ends then (proof.c)
 *	g u64 index			what the party of a plan confirmed (plan_life.c)
 *	h domain 00 resource, u64 index holding, by the entry that began it (holding.c)
 *	H resource, domain 00, u64 index	nothing: who ever held that resource (holding.c)
 *	j domain 00 u64 from_ms		a key of the party, present and former ones (party_keys.c)
 *	o u64 index			proof, and the node's verdict on it (proof.c)
 *	O domain 00, 32 group, u64 index	nothing: an accepted observation of that party (proof.c)
 *	q u64 index			orders to a plan: recalls (plan_life.c)
 *	s prefix, u64 index		nothing: a plan with that source (plan.c); s 00 00, u64 index: a sealed filing
 *	u u64 index			how it goes with a plan; u u64 index domain: what that party said of it (plan_life.c)
 *	U u64 index			nothing: a proof filed here that waits for the node's verdict (proof.c)
 *	v domain 00 u64 index		a vouch for that party (vouch.c); w domain 00 u64 index: by that party
 *	x u64 time, u64 index		nothing: a plan that is overdue from then on unless it is closed (plan_life.c)
 *	y domain 00 u64 from_ms		vocabulary (words.c)
 *	z				policy (policy.c)
 *	c domain 00 resource		claim: u8 approved, u64 approved_ms, 32 approval
 *	d u64 due_ms, u64 index		nothing: a notice filed here whose answer is still waited for
 *	f u64 index			filed plan: its terms (plan.c)
 *	i 32 id				place: u8 ledger, u64 index, u8 kind
 *	k domain 00, u8 class, u64 last	control: control.c
 *	l				last entry: u64 logged_ms
 *	m u8 ledger, u64 index		matter: state_matter.c
 *	n u64 time, u64 index		a notice filed here that is not its addressee's, as said at that time, and that
 *					went no further: the better addressee, or nothing
 *	p domain			party (party_put below)
 *	r				rules: u64 version
 *	t				newest tick: u64 logged_ms, 32 statement
 *	t origin			checkpoint: u64 size, 32 root
 *
 *	A 32 agreement			agreement; A 32 statement: the agreement that it signs (agreement_codec.c)
 *	B domain 00 domain 00, u8 class, 32 agreement	nothing: an agreement of these two, in both orders (agreement_codec.c)
 *	C u64 index			certificate (certificate.c)
 *	F 00 u64 index			request for help, or ping; F 01 u64 index domain: what that party said of it (help_codec.c)
 *	G domain 00, u64 index		pledge (pledge.c)
 *	K domain 00, u64 index		nothing: a certificate by that party (certificate.c)
 *	L 32 agreement, u8 term		its course (agreement_codec.c)
 *	N 32 id, u64 index		nothing: a certificate that is re or cites that one (certificate.c)
 *	P 32 agreement, u64 time, u64 index	nothing: a matter between the two (agreement_time.c)
 *	Q 32 agreement, u64 index	a breach that was alleged (restraint_codec.c)
 *	R 00 domain 00 u64 index	what that party said of a release (release.c)
 *	R 01 32 of product, 32 of version, u64 index	the domain of who said it (release.c)
 *	R 02 domain 00 name 00 u64 index	nothing: a canary (canary.c)
 *	S 32 of subject, u64 index	nothing: a certificate about that subject (certificate.c)
 *	T u64 time, 32 agreement, u8 what, u8 term	nothing: what time brings to an agreement (agreement_waits.c)
 *	V domain 00, u64 index		nothing: a request for help, or a ping, to that party; of `to all` without domain (help_codec.c)
 *
 * addressee: u8 type (enum addressee_type), then a resource or a short domain. resource: u8 type, then u32 AS number | prefix | 2
 * letters. prefix: u8 family, u8 length, 4 or 16 bytes of address. Every value has one spelling, so that two nodes with the same
 * entries hold the same bytes. */
#ifndef REGIME_STATE_PRIVATE_H
#define REGIME_STATE_PRIVATE_H

#include "base/buffer.h"
#include "base/reader.h"
#include "regime/state.h"

enum state_letter {
	STATE_AGREEMENT = 'A',
	STATE_BETWEEN = 'B',
	STATE_CERTIFICATE = 'C',
	STATE_HELP = 'F',
	STATE_PLEDGE = 'G',
	STATE_ISSUED = 'K',
	STATE_COURSE_OF_TERM = 'L',
	STATE_CITING = 'N',
	STATE_PAIR = 'P',
	STATE_BREACH = 'Q',
	STATE_RELEASE = 'R',
	STATE_SUBJECT = 'S',
	STATE_TIME = 'T',
	STATE_HELP_TO = 'V',
	STATE_TO = 'a',
	STATE_BY = 'b',
	STATE_CLAIM = 'c',
	STATE_DUE = 'd',
	STATE_ENDING = 'e',
	STATE_FILED = 'f',
	STATE_CONFIRMED = 'g',
	STATE_HOLDING = 'h',
	STATE_HOLDER = 'H',
	STATE_ID = 'i',
	STATE_KEYS = 'j',
	STATE_CONTROL = 'k',
	STATE_LAST = 'l',
	STATE_MATTER = 'm',
	STATE_NOT_OURS = 'n',
	STATE_PROOF = 'o',
	STATE_OBSERVED = 'O',
	STATE_PARTY = 'p',
	STATE_ORDER = 'q',
	STATE_RULES = 'r',
	STATE_SOURCE = 's',
	STATE_TICK = 't',
	STATE_COURSE = 'u',
	STATE_UNJUDGED = 'U',
	STATE_VOUCH_FOR = 'v',
	STATE_VOUCH_BY = 'w',
	STATE_DECONFLICT = 'D',
	STATE_OVERDUE = 'x',
	STATE_WORDS = 'y',
	STATE_POLICY = 'z'
};

/* Where the sources have the sealed filings, which name none: no prefix has this family. */
#define SOURCE_OF_SEALED "\0\0"

#define STATE_KEY_MAX 352 /* the longest are those of the view SIGHTINGS */
#define STATE_VALUE_MAX (1 << 20)

struct state_key {
	uint8_t bytes[STATE_KEY_MAX];
	size_t len;
};

struct state_key key_of(enum state_letter letter);
void key_add(struct state_key *k, const void *from, size_t n);
void key_add_u8(struct state_key *k, uint8_t v);
void key_add_u64(struct state_key *k, uint64_t v);
/* A name and a 0 behind it; where these and so many bytes that follow have no room, 01 and the name's SHA-256. */
void key_add_name(struct state_key *k, struct span name, size_t behind);
static inline struct span key_view(const struct state_key *k)
{
	return span_make(k->bytes, k->len);
}

struct state_key key_id(struct hash id);
struct state_key key_matter(enum ledger_id l, uint64_t index);
struct state_key key_filed(uint64_t index);
struct state_key key_party(struct span domain);
struct state_key key_claims(struct span domain); /* what all claims of the party begin with */
struct state_key key_claim(struct span domain, const struct addressee *resource);
struct state_key key_tick(struct span origin);

enum err state_get(const struct state *st, const struct state_key *k, struct span *value);
/* A value that is one number; what: for ERR_DAMAGED, else. */
enum err state_get_u64(const struct state *st, const struct state_key *k, const char *what, uint64_t *number);
enum err state_put(struct state *st, const struct state_key *k, const struct buffer *value); /* and its sticky error */
enum err state_put_u64(struct state *st, const struct state_key *k, uint64_t number);
enum err state_delete(struct state *st, const struct state_key *k);
enum err state_damaged(const char *what); /* a value of ours that does not read: ERR_DAMAGED */

struct place {
	enum ledger_id ledger;
	uint64_t index;
	enum kind kind;
};
enum err place_get(const struct state *st, struct hash id, struct place *out); /* ERR_NOT_FOUND */
enum err place_unpack(struct span value, struct place *out);
/* Every entry has one, so here it is also kept when the last of them was logged. */
enum err place_put(struct state *st, const struct statement *s);

enum err party_get(const struct state *st, struct span domain, struct party *out); /* withdrawn ones too */
enum err party_unpack(struct span key, struct span value, struct party *out);
enum err party_put(struct state *st, const struct party *p);
/* Copies what its spans point to: before it is written over. */
enum err party_own(struct arena *a, struct party *p);
/* false for whom nobody knows. */
enum err party_is_recovering(const struct state *st, struct span domain, bool *out);
/* Onto p->more: all contacts, then all ledger keys. */
void party_pack_contact(struct buffer *b, struct span mail);
void party_pack_ledger_key(struct buffer *b, enum ledger_id l, const struct verifier *key);

enum err matter_get(const struct state *st, enum ledger_id l, uint64_t index, struct matter *out);
enum err matter_unpack(const struct state *st, struct span key, struct span value, struct matter *out);
/* The beginning of a matter: what the statement itself says. Packs the addressees into the arena. */
enum err matter_make(const struct state *st, const struct statement *s, struct matter *out);
/* Writes a matter that is new, with the places where it is found. */
enum err matter_add(struct state *st, const struct matter *m);
/* Writes it as it is now; before is how it was. Neither may point into the snapshot. better: if it is not its addressee's, whose
 * it is, as that says; may be NULL. */
enum err matter_change(struct state *st, const struct matter *before, const struct matter *m,
		       const struct addressee *better);

/* As state_matters_to and state_matters_from, in any order and faster: for who adds up. With a cursor on the state. */
enum err matters_gather_to(const struct state *st, struct view_cursor *c, const struct addressee *to, matter_each *each,
			   void *context);
enum err matters_gather_from(const struct state *st, struct view_cursor *c, struct span from, matter_each *each,
			     void *context);

enum err claim_unpack(struct span key, struct span value, struct claim *out);
enum err claim_put(struct state *st, struct span domain, const struct addressee *resource, const struct claim *c);
/* All claims of one party. */
enum err claims_walk(const struct state *st, struct span domain, claim_each *each, void *context);

/* A claim and the resource it is about. */
struct addressee claim_resource(const struct claim *c);

void pack_hash(struct buffer *b, struct hash h);
struct hash unpack_hash(struct reader *r);
/* At most 255 bytes: names, titles, media types. */
void pack_short(struct buffer *b, struct span s);
struct span unpack_short(struct reader *r);
void pack_prefix(struct buffer *b, struct prefix p);
struct prefix unpack_prefix(struct reader *r);
void pack_addressee(struct buffer *b, const struct addressee *to);
enum err unpack_addressee(struct reader *r, struct addressee *out);

/* state_check but for the signature; *key is the one that must have signed. */
enum err state_check_unsigned(const struct state *st, const struct statement *s, struct verifier *key);
/* What only a door asks: no text of the statement is for speech. ERR_CLASS_CONTENT. */
enum err texts_check(const struct statement *s);
/* The key that must have signed, and whether its party may issue this kind. *key only on OK. */
enum err state_signer(const struct state *st, const struct statement *s, struct verifier *key);
/* Folds what passed state_check a moment ago. st->ledger is its home. */
enum err fold_checked(struct state *st, const struct statement *s);
/* The machine failed, not the input. */
bool state_failed(enum err e);

#endif
