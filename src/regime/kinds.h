/* The kind table: for each kind its home, its headers, its body types, who may sign it, what it may refer to and which
 * outcomes fit it. A new kind is a new row here and one file of rules. */
#ifndef REGIME_KINDS_H
#define REGIME_KINDS_H

#include "note/statement.h"

/* One origin and tree for each readership. */
enum ledger_id { LEDGER_PUBLIC, LEDGER_CIRCLE, LEDGER_COUNT };
const char *ledger_name(enum ledger_id l); /* "public", "circle" */

/* In the state by number: only add at the end. */
enum role {
	ROLE_NODE,
	ROLE_RESPONSE_TEAM,
	ROLE_OPERATOR,
	ROLE_VENDOR,
	ROLE_RESEARCHER,
	ROLE_EXERCISE,	 /* runs exercises and tests that break in, with consent */
	ROLE_GOVERNMENT, /* gives mandates */
	ROLE_COUNT
};
const char *role_name(enum role r); /* "node", "response-team", … */
enum err role_parse(struct span name, enum role *out);

enum outcome {
	OUTCOME_RECEIVED,
	OUTCOME_ACKNOWLEDGED,
	OUTCOME_WORKING,
	OUTCOME_FIXED,
	OUTCOME_RE_OBSERVED,
	OUTCOME_NOT_OURS,
	OUTCOME_CANNOT,
	OUTCOME_DISPUTED,
	OUTCOME_ACCEPTED,
	OUTCOME_OBJECTED,
	OUTCOME_STARTED,
	OUTCOME_CLOSED,
	OUTCOME_DELAYED,	/* of a plan: it begins later */
	OUTCOME_SUSPENDED,	/* of a plan: it stands still */
	OUTCOME_OFFERED,	/* of a request for help */
	OUTCOME_RECOVERED,	/* of a request for help, with evidence */
	OUTCOME_RESOLVED,	/* of a term of an agreement: one side of a resolution */
	OUTCOME_BREACH_ALLEGED, /* of a term of an agreement, or a pledge of restraint */
	OUTCOME_COUNT
};
const char *outcome_name(enum outcome o);
enum err outcome_parse(struct span name, enum outcome *out);

struct state; /* regime/state.h */
struct matter;

struct header_rule {
	const char *name;
	unsigned least, most; /* how often it may stand there */
};

struct kind_rules {
	enum kind kind;
	unsigned ledgers;		   /* bit set of ledger_id: where it may stand */
	unsigned roles;			   /* bit set of role */
	const struct header_rule *headers; /* beside ledger, from, key; ends with a NULL name */
	const char *const *bodies;	   /* media types; NULL: no body */
	unsigned refers;		   /* bit set of kind that `re` may name; 0: no re */
	unsigned outcomes;		   /* bit set of outcome that an answer to it may carry */
	unsigned ends;			   /* bit set of outcome that end the matter */
	bool guests;			   /* it may come from another node's ledger */
	unsigned since;			   /* the rules that it came with; under older ones it folds to nothing */
	/* The kind's own rules and its fold. check sees the state before the statement and changes nothing. */
	enum err (*check)(const struct state *st, const struct statement *s);
	enum err (*fold)(struct state *st, const struct statement *s);
	/* What follows for the kind when one of it is answered, or taken back; NULL: nothing but what becomes of the matter. m: as it
	 * will be, about to be written; it points nowhere into the snapshot. */
	enum err (*answered)(struct state *st, const struct statement *answer, const struct matter *m, enum outcome o);
	enum err (*withdrawn)(struct state *st, const struct matter *m);
};

/* NULL for kinds that this version only keeps. */
const struct kind_rules *kind_rules(enum kind k);

#endif
