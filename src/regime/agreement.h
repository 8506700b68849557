/* Agreements between two: restraint and help in exchange for the same, term by term.
 *
 *	comity/1 agreement
 *	ledger a.example/public			the depositary's
 *	from a.example
 *	key …
 *	to b.example
 *	party a.example				both, sorted
 *	party b.example
 *	depositary a.example			the node whose ledgers are counted, and no other's
 *	start 2027-01-01T00:00:00Z
 *	end 2030-01-01T00:00:00Z		at most 10 years on
 *	exit-notice 90d				at least 7 days: so long it holds after one of them withdrew
 *	consult 14d				1 to 90 days; 14 if absent
 *	restore 2				1 to 12 good windows in a row; 2 if absent
 *	codes 1,3,7				core codes (core_code.h) that both recognise
 *	term …					at least one; `of DOMAIN` marks one that binds only that party
 *	asset SET COMMITMENT DOMAIN		of restraint: what that party wants left alone
 *	re <id>					of the second: the offer
 *
 * Each party files the same lines. The agreement is SHA-256("comity/1 agreement" 0A lines): the lines from `party` to the last
 * `asset` and `demonstration`, sorted by their bytes, each with a LF behind it. It is offered when the first stands in the
 * ledger, countersigned when both do, in force from `start`; an offer that nobody signed by `start` lapses. A statement by a key
 * that was revoked before both had signed counts as none. Terms that ended are not offered again as they are; two parties have
 * at most AGREEMENTS_BETWEEN at a time.
 *
 * A term without `of` binds both alike; asymmetry is marked by `of`. Terms contradict if two have one name, or bind the same
 * party on the same metric and set with different thresholds: ERR_TERM. A restraint binds a party to leave alone assets of the
 * other, so there must be some.
 *
 * Commitment: SHA-256("comity/1 asset" 0A salt(32) resource as `to` writes it). An asset's breach is alleged by `answer`,
 * `outcome breach-alleged`, `re` the agreement, `term NAME`, `opens COMMITMENT`, `asset RESOURCE`, `salt HEX`, `evidence <id>`:
 * a plan of the other party whose targets meet the asset and whose activity is one of the term's (it stands at once), or a
 * notice to the other party alone (it stands after 14 days unless that party answers `disputed`; then both are shown and neither
 * counts). What is addressed to more than one party is evidence against none. One piece of evidence counts once.
 *
 * Answers, by either party itself and `re` either statement: `objected` declines an offer; `resolved` with `term NAME` is one
 * side of a resolution, of a term in consultation or suspended. Who withdraws its offer takes it back; who withdraws its
 * statement when both have signed gives notice of exit.
 *
 * Time. A window closes at the first entry of the depositary's ledgers that was logged at its end or later; so does a
 * consultation. Before an entry is folded, all that ended before it is closed, in the order of time. State is the same wherever
 * the depositary's ledgers are folded: at its own node, and in the mirrors of others. In any other node's own ledgers an
 * agreement is only kept.
 *
 * The floor. Notices, their answers, plans, releases, withdrawals, help for critical infrastructure: never suspended, whatever
 * is agreed. Only what a term `gives` is. */
#ifndef REGIME_AGREEMENT_H
#define REGIME_AGREEMENT_H

#include "regime/course.h"
#include "regime/pledge.h"

#define AGREEMENT_CONSULT_MS (INT64_C(14) * 24 * 60 * 60 * 1000)
#define AGREEMENT_RESTORE 2
#define AGREEMENTS_BETWEEN 16 /* offered, countersigned or in force, of the same two */
#define BREACH_STANDS_MS (INT64_C(14) * 24 * 60 * 60 * 1000)

enum agreement_phase {
	AGREEMENT_OFFERED,
	AGREEMENT_COUNTERSIGNED,
	AGREEMENT_IN_FORCE, /* each term has its own course */
	AGREEMENT_ENDED,    /* withdrawn before it was countersigned, lapsed, its end, or the exit notice ran out */
	AGREEMENT_PHASE_COUNT
};
const char *agreement_phase_name(enum agreement_phase p);

/* The last window of one side of one term. */
struct term_side {
	struct measure last; /* .until_ms 0: none closed yet */
	enum window judged;
};
struct agreement_term {
	struct term term;
	struct course course;
	struct term_side sides[2]; /* by the order of parties; of the other, if `of` names one: nothing */
};
struct agreement {
	struct hash id;		  /* of the terms */
	struct hash statement[2]; /* by the order of parties; zero: not signed */
	struct span party[2];	  /* sorted */
	struct span depositary, offered_by;
	int64_t offered_ms, countersigned_ms, start_ms, end_ms;
	int64_t exit_notice_ms, leaves_ms; /* leaves: when a withdrawal takes effect; 0: nobody leaves */
	int64_t ended_ms;		   /* 0: it has not */
	struct course_rules rules;
	enum agreement_phase phase;
	uint32_t codes;
	bool demonstration;
	struct agreement_term terms[TERMS_MAX];
	size_t term_count;
	struct agreed_asset {
		struct asset asset;
		unsigned side; /* whose */
	} * assets;	       /* in st->arena */
	size_t asset_count;
};
/* As of the last entry of st. id: of the agreement, or of either statement. ERR_MATTER_UNKNOWN. Under a millisecond, however
 * much the two said to each other. Spans point into the snapshot. */
enum err state_agreement(const struct state *st, struct hash id, struct agreement *out);
typedef enum err agreement_each(void *context, const struct agreement *a);
/* Of one party, or all (empty). */
enum err state_agreements(const struct state *st, struct span party, agreement_each *each, void *context);

/* Breaches that were alleged, in the order of the ledger. */
struct breach {
	struct hash agreement, answer, evidence;
	struct span term, by; /* who says so; the other is who is said to have done it */
	struct addressee asset;
	int64_t alleged_ms, stands_ms; /* stands: from when it counts; INT64_MAX: it is disputed */
	bool disputed;
};
typedef enum err breach_each(void *context, const struct breach *b);
enum err agreement_breaches(const struct state *st, struct hash agreement, breach_each *each, void *context);

/* The commitment to an asset, and whether a resource opens it. */
struct hash asset_commitment(const uint8_t salt[32], const struct addressee *resource);

/* Whether that may flow between two parties: false only if an agreement of theirs in force has a term that gives it, and that
 * term is suspended. *by: that one; may be NULL. st: of the depositary. */
enum err agreement_allows(const struct state *st, struct span a, struct span b, enum gives g, bool *yes,
			  struct agreement *by);

/* One JSON object, the same bytes on every machine. */
void agreement_print(const struct agreement *a, struct buffer *out);

#endif
