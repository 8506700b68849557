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
	bool is_guest;	 /* the entry's home is another node's ledger */
	int64_t home_ms; /* of a guest: when its home logged it */
	bool effective; /* the entry that was folded last is more than an id: it passed its checks, and it is the first of it */
};

/* When the entry in hand counts: as logged; a guest from when its home logged it, which the receipt proves, but never later than
 * it was logged here. So nobody is late because the reporter's node was slow to log its answer. */
int64_t state_time(const struct state *st);

/* Spans in what the readers below give out point into the snapshot: they end with it, or with the next write to it. */

/* Whether the statement may enter now: grammar of its kind, home, signer's key and role, reference, repetition, and the
 * kind's own rules. The signature itself is verified here too. Changes nothing. */
enum err state_check(const struct state *st, const struct statement *s);

/* Folds an entry that is in the ledger. It never refuses: what does not pass state_check folds to nothing but its id;
 * errors are the machine's only. Signatures are not verified again: whoever lets entries in does that, and the audit. */
enum err state_fold(struct state *st, const struct statement *s);

/* Which of the node's ledgers the statement names as its home. ERR_STATEMENT_LEDGER: none. */
enum err state_ledger(const struct state *st, const struct statement *s, enum ledger_id *out);
/* The home of any statement: "a.example/circle" is the circle of a.example. ERR_STATEMENT_LEDGER: no such form. */
enum err statement_home(const struct statement *s, struct span *node, enum ledger_id *out);

struct party {
	struct span domain, title;
	struct verifier key;
	struct hash fingerprint; /* of the key: the `key` header of its statements */
	enum role role;		 /* the first that it named */
	unsigned roles;		 /* bit set of all that it named */
	bool demonstration;	 /* made for a demonstration: never a real party */
	bool withdrawn;		 /* not shown by the readers below: it must file anew before it may do anything else */
	bool revoked;	       /* its key is known to others: it must file anew with another (vouch.h); withdrawn too */
	bool recovering;       /* sponsors vouched for another key in place of its own */
	struct hash statement; /* the present one */
	uint64_t index;	       /* of that statement in the public ledger */
	int64_t logged_ms;
	int64_t stated_ms;	/* when its home logged it, by the home's clock */
	struct span home;	/* the node that keeps its statement; st->node for those filed here */
	struct span url;	/* of a node: where it is reached, "https://b.example"; empty: nowhere */
	unsigned contact_count; /* mail addresses, the first is to be tried first: party_contact */
	unsigned ledger_key_count;
	struct span more; /* packed: contacts, then ledger keys */
};
bool party_contact(const struct party *p, unsigned i, struct span *mail);
/* The key of one of a node's own ledgers, as its party statement names it (`ledger-key`, a C2SP vkey). ERR_KEY_UNKNOWN. */
enum err party_ledger_key(const struct party *p, enum ledger_id l, struct verifier *out);
enum err state_party(const struct state *st, struct span domain, struct party *out); /* ERR_PARTY_UNKNOWN */
/* Withdrawn ones too. */
enum err state_party_known(const struct state *st, struct span domain, struct party *out);
typedef enum err party_each(void *context, const struct party *p);
enum err state_parties(const struct state *st, party_each *each, void *context);

/* A claim to answer for a resource. By itself it does nothing: what counts are holdings (regime/holding.h), and the operator's
 * approval of the party statement begins one. */
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

/* `reason` of a notice that follows on another (`re`). */
enum follow_up {
	FOLLOW_NONE,
	FOLLOW_OVERDUE,	      /* "overdue": nobody answered in time; it goes one level up, once */
	FOLLOW_NOT_OURS,      /* "not-ours": the addressee says so; it goes to whom it named, or on */
	FOLLOW_UNDELIVERABLE, /* "undeliverable": no contact works */
	FOLLOW_COUNT
};
const char *follow_up_name(enum follow_up f);
enum err follow_up_parse(struct span name, enum follow_up *out); /* ERR_STATEMENT_HEADER */

/* A notice, a plan, a party statement, a request: what can be answered. */
struct matter {
	struct hash id;
	enum kind kind;
	enum ledger_id ledger;
	uint64_t index;
	int64_t logged_ms;
	int64_t answered_ms;  /* the addressee's first answer since it was filed or opened again, or the node's for it.
			      * 0: none yet. `received` does not count: it says that a machine has it */
	int64_t due_ms;	      /* when an answer is due. 0: no clock runs */
	int64_t first_due_ms; /* of a notice: when the first answer was due as it was filed; never moved */
	struct span from;
	struct addressee to; /* the first of them; TO_ALL if it names none */
	unsigned to_count, cc_count;
	struct span addressees; /* all of them, packed: first `to`, then `cc`: matter_addressee */
	enum rsit_class class;	/* CLASS_NONE if it has none */
	bool ended, withdrawn, answered;
	bool mediated; /* the last answer was a node's, `for` another */
	bool demonstration;
	enum outcome
		outcome; /* of the last answer, if answered; the author's re-observed and closed are among them. `received`
			       * is it only until there is another */
	int64_t ended_ms, withdrawn_ms; /* 0: not */
	int64_t moved_ms;		/* the last answer or the withdrawal, as logged here; 0: none */
	uint32_t answers;
	uint64_t events;    /* as its header says; 0 if it does not */
	uint64_t explained; /* of them: those that a plan explained, as its header says */
	bool has_body;
	struct body_reference body;
	struct span home; /* the node whose ledger it was filed in; st->node but for guests */

	/* What standing is computed from: the first time that each happened, by state_time; 0: never. None is ever taken back. */
	int64_t arrived_ms;	 /* the addressee, or its node, has it: any answer of theirs */
	int64_t acknowledged_ms; /* any but `received` */
	int64_t fixed_ms;
	int64_t re_observed_ms; /* seen again after `fixed`: said of a matter that had ended, and was fixed before */
	int64_t not_ours_ms, cannot_ms, disputed_ms, closed_ms;
	int64_t settled_ms;	    /* its author closed it after it was disputed */
	unsigned re_observed;	    /* how often */
	bool acknowledged_mediated; /* that first answer was a node's, `for` another */
	bool fixed_mediated;
	int64_t first_ms, last_ms; /* of the events, as its headers say; 0: they do not */

	/* Notices that follow on another (`re`): why, and what became of the first. */
	enum follow_up reason;
	bool has_before;
	struct hash before;
	int64_t passed_on_ms; /* another notice took this matter further; 0: none did */
	struct hash next;     /* the first that did */
	unsigned followed;    /* bit set of enum follow_up: for which reasons others did; once for each */
};

/* Addressee i of m->to_count + m->cc_count; false behind the last. */
bool matter_addressee(const struct matter *m, unsigned i, struct addressee *out);
enum err state_matter(const struct state *st, struct hash id, struct matter *out); /* ERR_MATTER_UNKNOWN */
typedef enum err matter_each(void *context, const struct matter *m);
/* In the order of the ledger, from entry `from` on. KIND_UNKNOWN: all kinds. */
enum err state_matters(const struct state *st, enum ledger_id l, enum kind k, uint64_t from, matter_each *each,
		       void *context);

/* Notices filed here that nobody has answered, whose `due` is past at `now_ms`, and that no other notice took further: in the
 * order of `due`, from the first on. Costs by what it yields, not by how many are open. */
enum err state_due(const struct state *st, int64_t now_ms, matter_each *each, void *context);
/* The same from behind one of them, by its due_ms and index, so that a walk can be taken up again. */
enum err state_due_after(const struct state *st, int64_t after_ms, uint64_t after_index, int64_t now_ms,
			 matter_each *each, void *context);
/* When the next of them will be due; 0: none waits. */
enum err state_next_due(const struct state *st, int64_t *due_ms);
/* Notices filed here whose addressee said last that they are not its own, and that no other notice took further: in the order in
 * which that was said, from behind one of them by its moved_ms and index. better: whom the addressee named; NULL: nobody. */
typedef enum err not_ours_each(void *context, const struct matter *m, const struct addressee *better);
enum err state_not_ours(const struct state *st, int64_t after_ms, uint64_t after_index, not_ours_each *each,
			void *context);
/* Notices to (not cc) this addressee, of this class (CLASS_NONE: all), the newest first. */
enum err state_matters_to(const struct state *st, const struct addressee *to, enum rsit_class c, matter_each *each,
			  void *context);
/* Notices by this party, the newest first. */
enum err state_matters_from(const struct state *st, struct span from, matter_each *each, void *context);

/* Where a statement of any kind stands. ERR_NOT_FOUND. */
enum err state_find(const struct state *st, struct hash id, enum ledger_id *l, uint64_t *index);
/* All whose ids begin with these bytes. */
typedef enum err place_each(void *context, struct hash id, enum kind k, enum ledger_id l, uint64_t index);
enum err state_find_beginning(const struct state *st, struct span bytes, place_each *each, void *context);

/* The rules in force (`rules N`); 0 before the first. */
#define RULES_KNOWN 3 /* what this program can fold */
#define RULES_KEYS 2  /* from when a party may change its key */
#define RULES_PROMISES                                                                                                 \
	3 /* certificates, pledges, agreements; help that stands beside no notice; a pledge shortens `due` */
enum err state_rules(const struct state *st, uint64_t *version);

/* When the last entry was logged that the state reflects: how far it knows. ERR_NOT_FOUND: there is none. */
enum err state_last(const struct state *st, int64_t *logged_ms);

/* The newest tick. ERR_NOT_FOUND: none yet. */
struct tick {
	int64_t logged_ms;
	struct hash statement;
};
enum err state_tick(const struct state *st, struct tick *out);

/* SHA-256 over every key and value in order: two nodes that agree print the same. */
enum err state_digest(const struct state *st, struct hash *out);

#endif
