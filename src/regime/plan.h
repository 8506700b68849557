/* Plans: scans, exercises, takedowns declared ahead, and the matching of what is seen against them. A match explains;
 * it never excuses. A plan that was logged after the event explains nothing. plan_terms.h says what a plan declares,
 * plan_life.h where it stands. */
#ifndef REGIME_PLAN_H
#define REGIME_PLAN_H

#include "base/address.h"
#include "regime/state.h"

/* In the order in which they count, but that an excluded target is always a breach (reference: regime 5.3). */
enum plan_verdict {
	PLAN_UNDECLARED, /* none of the others */
	PLAN_EXPLAINED, /* filed before, proof valid then; time, target, method, port and rate fit; and a handshake, a marker
			     * or the party's confirmation shows that the source was not forged */
	PLAN_SPOOFABLE,	    /* all terms fit, and nothing shows that; the party denies or is silent */
	PLAN_SEALED,	    /* who holds that source has a sealed filing: ask */
	PLAN_BREACH,	    /* source and time fit, a term is broken */
	PLAN_EXPIRED_PROOF, /* fits, but its party did not hold the source then */
	PLAN_LATE,	    /* fits, but was filed after the observation */
	PLAN_VERDICT_COUNT
};
const char *plan_verdict_name(enum plan_verdict v); /* "undeclared", "expired-proof", … */
const char *plan_verdict_says(enum plan_verdict v); /* one plain sentence for people */

/* All plans of a state, compiled for matching. Immutable: any number of threads may ask it. Stands alone: the snapshot
 * it was made from may end. */
struct plans;
enum err plans_load(const struct state *st, struct plans **out);
/* And those of the nodes that it follows (regime/mirror.h): of parties that are known here by the same key, with what that node
 * knows of their holdings, on the bases that this node's policy takes. dir: the node's directory. A mirror that forked is left out,
 * and one that cannot be read now, of which left_out (may be NULL) is told. */
typedef void plans_left_out(void *context, struct span node, const char *why);
enum err plans_load_known(const char *dir, const struct state *st, plans_left_out *left_out, void *context,
			  struct plans **out);
void plans_free(struct plans *p);
size_t plans_count(const struct plans *p);

/* What shows that the source address was not forged. */
#define SEEN_HANDSHAKE 1u /* both sides spoke: TCP was established, or a question of ours was answered */
#define SEEN_MARKER 2u	  /* a marker that the plan declares was in it: checked by whoever fills this in */

struct observation {
	struct address source;
	bool has_target;
	struct address target;
	int64_t time_ms;
	uint8_t transport;    /* IANA protocol number; 0: unknown */
	uint16_t target_port; /* 0: unknown */
	uint8_t seen;	      /* SEEN_… */
	uint32_t target_as;   /* 0: unknown. Plans for an AS or a country fit only if the caller looked these up */
	char target_country[3];
	struct span
		uri; /* a Probe Description URI that it brought; empty: none. plan_whose takes it for a marker if the plan declares it */
};

struct plan_match {
	enum plan_verdict verdict;
	struct hash plan; /* of SEALED the sealed filing; of UNDECLARED only from plan_whose */
	/* Static, else NULL. BREACH: the term that is broken ("target", "exclusion", "transport", "port", "rate", "consent");
	 * LATE: "filed"; EXPIRED_PROOF: "proof"; SPOOFABLE: "source"; UNDECLARED: "target-unknown" if a plan fits but for its
	 * targets, and the observation has none. */
	const char *term;
	uint32_t at; /* plan_rates_add finds the plan by it */
};

/* How much a match counts beside others: the least counts most. An excluded target before all, then in the order of the verdicts. */
unsigned plan_match_rank(const struct plan_match *m);

/* Clocks of reporters differ: an event this long outside the window still fits it. It never helps against LATE. */
#define PLAN_SKEW_MS (60 * 1000)

/* A plan is filed if it was logged at or before the event's time; one that was withdrawn, closed or changed is in force for
 * events before that, one that was suspended not from the first `suspended` to the `started` behind the last. Without a target only
 * plans for any target explain. What the observation does not know of transport and port breaks no term.
 * Most specific source prefix first, then the earliest filed; of sealed filings the earliest. The first of the verdicts above, but
 * an excluded target is always BREACH. A plan whose party did not hold the source is EXPIRED_PROOF if all else fits, and else says
 * nothing. */
struct plan_match plans_match(const struct plans *p, const struct observation *o);

/* The rate of a plan is summed over all reporters, so it cannot be told from one observation: explained ones are counted here, by
 * plan and second. One for each run, not beyond the plans; any number of threads. */
struct plan_rates;
enum err plan_rates_new(const struct plans *p, struct plan_rates **out);
void plan_rates_free(struct plan_rates *r);
/* Whether a match counts: EXPLAINED or SPOOFABLE, and its plan declares a rate. */
bool plans_rated(const struct plans *p, const struct plan_match *match);
/* Counts `count` packets or connections of such a match, and gives the verdict with the rate judged: those beyond what the plan
 * declares, for all targets or for one, are BREACH "rate". Any other match stays as it is. Memory is bounded; what is forgotten
 * for that makes a count too low, never too high. */
void plan_rates_add(struct plan_rates *r, const struct observation *o, uint64_t count, struct plan_match *match);

/* Whose is this address? Straight from the state, without loading all plans: for one question. At most `most` answers, the best
 * first: of each plan that says anything its own verdict, by the bases that the state's node takes. Also those that are UNDECLARED
 * because the target is not known. */
struct plan_whose {
	struct plan_match match;
	struct span party, activity, contact, purpose; /* in the snapshot; of a sealed filing only the party */
	int64_t start_ms, end_ms;		       /* of all its windows; 0: a sealed filing that says neither */
	const char *proven_by; /* static: the basis on which the party held the source then; NULL: it did not */
};
enum err plan_whose(const struct state *st, const struct observation *o, struct plan_whose *out, size_t most,
		    size_t *count);

#endif
