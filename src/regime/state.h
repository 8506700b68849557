/* State = fold(entries): who is who, which plans are in force, how each matter stands. A pure function of the ledgers:
 * the same bytes on every node that folds the same entries in the order of `logged`, public before circle at the same
 * instant. Kept in the view STATE; keys and values are canonical bytes, described in state.c. */
#ifndef REGIME_STATE_H
#define REGIME_STATE_H

#include "regime/kinds.h"
#include "regime/vocabulary.h"
#include "store/views.h"

/* What a fold works on: a snapshot and the place of the entry in hand. */
struct state {
	struct snapshot *snapshot;
	struct span node; /* the name of the node whose ledgers these are */
	struct arena *arena;
	enum ledger_id ledger;
	uint64_t index;
	int64_t logged_ms;
};

/* Spans in what the readers below give out point into the snapshot: they end with it, or with the next write to it. */

/* Whether the statement may enter now: grammar of its kind, home, signer's key and role, reference, repetition, and the
 * kind's own rules. The signature itself is verified here too. Changes nothing. */
enum err state_check(const struct state *st, const struct statement *s);

/* Folds an entry that is in the ledger. It never refuses: what does not pass state_check folds to nothing but its id;
 * errors are the machine's only. Signatures are not verified again: whoever lets entries in does that, and the audit. */
enum err state_fold(struct state *st, const struct statement *s);

/* Which of the node's ledgers the statement names as its home. ERR_STATEMENT_LEDGER: none. */
enum err state_ledger(const struct state *st, const struct statement *s, enum ledger_id *out);

struct party {
	struct span domain, title;
	struct verifier key;
	struct hash fingerprint; /* of the key: the `key` header of its statements */
	enum role role;		 /* the first that it named */
	unsigned roles;		 /* bit set of all that it named */
	bool demonstration;	 /* made for a demonstration: never a real party */
	bool withdrawn;		 /* not shown by the readers below: it must file anew before it may do anything else */
	struct hash statement;	 /* the present one */
	uint64_t index;		 /* of that statement in the public ledger */
	int64_t logged_ms;
};
enum err state_party(const struct state *st, struct span domain, struct party *out); /* ERR_PARTY_UNKNOWN */
typedef enum err party_each(void *context, const struct party *p);
enum err state_parties(const struct state *st, party_each *each, void *context);

/* A claim to answer for a resource. It counts once the node's operator approved the party statement that makes it. */
struct claim {
	struct span party;
	enum addressee_type type; /* TO_AS, TO_PREFIX, TO_COUNTRY */
	uint32_t asn;
	struct prefix prefix;
	char country[3];
	bool approved;
	int64_t approved_ms;
	struct hash approval; /* the answer that approved it */
};
typedef enum err claim_each(void *context, const struct claim *c);
enum err state_claims(const struct state *st, bool approved_only, claim_each *each, void *context);

/* A notice, a plan, a party statement: what can be answered. */
struct matter {
	struct hash id;
	enum kind kind;
	enum ledger_id ledger;
	uint64_t index;
	int64_t logged_ms;
	int64_t answered_ms; /* the addressee's first answer since it was filed or opened again, or the node's for it.
			      * 0: none yet. `received` does not count: it says that a machine has it */
	int64_t due_ms;	     /* when an answer is due. 0: no clock runs */
	struct span from;
	struct addressee to; /* the first of them; TO_ALL if it names none */
	unsigned to_count;
	struct span addressees; /* all of them, packed: matter_addressee */
	enum rsit_class class;	/* CLASS_NONE if it has none */
	bool ended, withdrawn, answered;
	bool mediated; /* the last answer came through the node, for a party without a key */
	bool demonstration;
	enum outcome outcome; /* of the last answer, if answered; the author's re-observed and closed are among them */
	int64_t ended_ms, withdrawn_ms; /* 0: not */
	uint32_t answers;
	uint64_t events; /* as its header says; 0 if it does not */
	bool has_body;
	struct body_reference body;
};
/* Addressee i of m->to_count; false behind the last. */
bool matter_addressee(const struct matter *m, unsigned i, struct addressee *out);
enum err state_matter(const struct state *st, struct hash id, struct matter *out); /* ERR_MATTER_UNKNOWN */
typedef enum err matter_each(void *context, const struct matter *m);
/* In the order of the ledger, from entry `from` on. KIND_UNKNOWN: all kinds. */
enum err state_matters(const struct state *st, enum ledger_id l, enum kind k, uint64_t from, matter_each *each,
		       void *context);

/* Where a statement of any kind stands. ERR_NOT_FOUND. */
enum err state_find(const struct state *st, struct hash id, enum ledger_id *l, uint64_t *index);
/* All whose ids begin with these bytes. */
typedef enum err place_each(void *context, struct hash id, enum kind k, enum ledger_id l, uint64_t index);
enum err state_find_beginning(const struct state *st, struct span bytes, place_each *each, void *context);

/* The rules in force (`rules N`); 0 before the first. */
#define RULES_KNOWN 1 /* what this program can fold */
enum err state_rules(const struct state *st, uint64_t *version);

/* The newest tick. ERR_NOT_FOUND: none yet. */
struct tick {
	int64_t logged_ms;
	struct hash statement;
};
enum err state_tick(const struct state *st, struct tick *out);

/* SHA-256 over every key and value in order: two nodes that agree print the same. */
enum err state_digest(const struct state *st, struct hash *out);

#endif
