/* Who held what, from when till when, and on what basis. A holding begins when this node's operator approves a claim of a party's
 * statement, or when the node accepts a proof. It ends when the proof expires, and earlier when the proof is withdrawn or found
 * bad, the claim is dropped, the party withdraws or its key is revoked. None is taken back: what was held at a time stays held at
 * that time, so a plan is judged by the proof that it had when it was seen.
 *
 * Holdings are what counts wherever a claim is acted on: notices are diverted by them, plans rest on them, answers for a resource
 * come from who has one. A claim without one is shown, and does nothing. */
#ifndef REGIME_HOLDING_H
#define REGIME_HOLDING_H

#include "regime/state.h"

/* How the node knows. Also the `method` of a proof; in the state by number: only add at the end. */
enum basis {
	BASIS_OPERATOR, /* "operator": this node's operator approved the claim, by means of its own */
	BASIS_RSC,	/* "rsc": RPKI Signed Checklist over the key statement (RFC 9323) */
	BASIS_DNSSEC,	/* "dnssec": TXT with its chain of signatures, of a domain or in a reverse zone */
	BASIS_OBSERVED, /* "observed": two or more unrelated parties saw the TXT or the file at the domain */
	BASIS_LEGAL,	/* "legal": the key statement signed under an X.509 chain: a legal person, says a CA */
	BASIS_OPENPGP,	/* "openpgp": the key statement signed by a team's OpenPGP key */
	BASIS_MANDATE, /* "mandate": a government's statement that a party speaks for the country; the operator recognised it */
	BASIS_COUNT
};
const char *basis_name(enum basis b);
enum err basis_parse(struct span name, enum basis *out); /* ERR_STATEMENT_HEADER */
#define BASIS_BIT(b) (1u << (unsigned)(b))

struct holding {
	struct span party;
	struct addressee
		resource; /* TO_AS, TO_PREFIX, TO_COUNTRY; TO_PARTY: the domain; of legal and openpgp the party's own */
	enum basis basis;
	int64_t from_ms;
	int64_t until_ms;    /* not held from here on; INT64_MAX: no end known yet */
	struct hash because; /* the proof; of BASIS_OPERATOR the answer that approved */
};

/* Whether the party held the resource, or a prefix around it, at that time, on one of these bases (bits). *out: the strongest of
 * them (by the order of struct holding's ranking in holding.c: rsc, dnssec, operator, mandate, observed), may be NULL. */
enum err holding_at(const struct state *st, struct span party, const struct addressee *resource, unsigned bases,
		    int64_t at_ms, bool *held, struct holding *out);

typedef enum err holding_each(void *context, const struct holding *h);
/* All that ever were, of one party (empty: of all), in one order. */
enum err holdings_walk(const struct state *st, struct span party, holding_each *each, void *context);
/* Those that hold at that time on one of these bases. */
enum err holdings_at(const struct state *st, unsigned bases, int64_t at_ms, holding_each *each, void *context);

/* What one party holds at that time on one of these bases. */
enum err holdings_of(const struct state *st, struct span party, unsigned bases, int64_t at_ms, holding_each *each,
		     void *context);
/* Who holds that resource at that time, or a prefix around it: the narrowest first, then by name. Costs by what it yields. */
enum err holders_at(const struct state *st, const struct addressee *resource, unsigned bases, int64_t at_ms,
		    holding_each *each, void *context);

/* What is known of a party at a time: a profile, never one number. */
struct profile {
	unsigned bases;			       /* bits of what holds now, of any resource */
	unsigned domain;		       /* bits, of its own domain */
	unsigned prefixes, numbers, countries; /* resources that it holds */
	int64_t next_end_ms;		       /* when the first of them ends; 0: none */
	unsigned vouches, sponsors;	       /* in force; unrelated ones that count (vouch.h) */
	int64_t last_answered_ms;	       /* to one of the newest 1000 notices to it; 0: to none */
};
enum err profile_of(const struct state *st, struct span party, int64_t at_ms, struct profile *out);

#endif
