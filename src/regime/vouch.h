/* Sponsors: a party puts its name to another's key. `vouch`, public: `to m.example`, `vouched-key <hex>` (the party's present key;
 * with recovery another), `visited yes`, `until TIME` (at most 366 days after it was logged, which is also what holds without it),
 * `recovery yes`, `text`.
 *
 * What counts (vouch.c):
 *	- a vouch counts while it is in force and its author is established: it holds something by a proof (not by an OpenPGP key or
 *	  observers, which cost nothing) or by the operator's approval, or is itself sponsored. The smallest set that obeys this: a
 *	  ring of parties that only vouch for one another is established by nothing.
 *	- two sponsors are related if one vouches for the other, or the same party vouches for both: related ones count as one. A
 *	  vouch relates nobody if its author would not even be established were no two parties related: else anyone could make
 *	  all sponsors relatives by vouching for them.
 *	- who vouches for its own sponsor is none.
 *	- a vouch is for a key: it counts for the keys that this one announced one after the other, and for no recovered one. What
 *	  was signed by a key that was revoked later counts no more from then on.
 *	- sponsored is who has SPONSORS_LEAST unrelated ones.
 * A withdrawn vouch is in force for VOUCH_NOTICE_MS more, for all who rest on it too: nobody falls without notice. One with
 * `recovery yes` recovers nothing from its withdrawal on. All times are those at which this node logged. */
#ifndef REGIME_VOUCH_H
#define REGIME_VOUCH_H

#include "regime/state.h"

#define SPONSORS_LEAST 2
#define VOUCH_NOTICE_MS (INT64_C(14) * 24 * 60 * 60 * 1000)
#define VOUCH_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)
#define RECOVERY_WAIT_MS (INT64_C(72) * 60 * 60 * 1000)

struct vouch {
	struct hash id;
	struct span from, to;
	struct hash vouched_key;
	bool visited, recovery;
	int64_t from_ms, until_ms; /* in force; a withdrawal shortens it */
	int64_t withdrawn_ms;	   /* 0: not */
};
typedef enum err vouch_each(void *context, const struct vouch *v);
enum err vouches_for(const struct state *st, struct span party, vouch_each *each, void *context);
enum err vouches_by(const struct state *st, struct span party, vouch_each *each, void *context);

struct sponsorship {
	unsigned vouches; /* in force for its present key */
	unsigned
		sponsors; /* unrelated, established: as many as are found, at least SPONSORS_LEAST if there are these */
	bool sponsored, established;
	int64_t ends_ms; /* till when it is sponsored at least, if no vouch is renewed and nothing else comes; 0: it is not */
	bool cut;	 /* more would have had to be looked at */
};
/* Costs by the vouches for the party, for their authors, and so on; at most VOUCHES_LOOKED, and VOUCHES_COMPARED steps to tell
 * who is related. Beyond the first it is not sponsored, beyond the second whoever is left counts as related. */
#define VOUCHES_LOOKED 20000
#define VOUCHES_COMPARED 1000000
enum err sponsorship_of(const struct state *st, struct span party, int64_t at_ms, struct sponsorship *out);
/* Whether two parties are related as sponsors are; one with itself is. Who cannot be told in these bounds is. */
enum err vouch_related(const struct state *st, struct span a, struct span b, int64_t at_ms, bool *related);

/* Keys. A party's statement may name `next-key <hex>`, the fingerprint of the key that will follow: a later party statement signed
 * by that key takes its place (rotation). `withdraw` of the party statement with `reason key-compromised` revokes the key: nothing
 * signed by it enters any more, and holdings end; after that only sponsors can put another in its place, since whoever stole it may
 * have announced one. A lost or revoked key is replaced when SPONSORS_LEAST unrelated, established
 * parties vouch with `recovery yes` for the new key (it is no former one): from RECOVERY_WAIT_MS after the vouch that completes
 * them the new key may file the party statement, unless the old one, if it was not revoked, signed anything meanwhile: a key that
 * was found ends the recovery, and what was vouched for it until then counts no more. Claims of a recovered party wait for approval
 * anew: sponsors alone give no one a resource. All this from `rules 2` on. Keys of ledgers do not change.
 * Former keys stay known, so that what they signed can be verified. */
struct party_key {
	struct hash fingerprint;
	struct verifier key;
	int64_t from_ms, until_ms; /* INT64_MAX: the present one */
	bool revoked;
};
typedef enum err party_key_each(void *context, const struct party_key *k);
enum err party_keys(const struct state *st, struct span party, party_key_each *each, void *context);
/* Whether the party's present key came from this one, which announced the next, and so on: no sponsors came between, and it was not
 * revoked. One comes from itself. */
enum err party_key_leads(const struct state *st, struct span party, struct hash fingerprint, bool *leads);
/* The party statements that lead to its present key, each announced the key of the next, the earliest first: their places in the
 * public ledger. Whoever knows the party by a former key takes the present statement only behind them. from: begins with that key,
 * and is nothing if the present one does not come from it; NULL: all. */
typedef enum err party_step(void *context, uint64_t index);
enum err party_steps(const struct state *st, struct span party, const struct hash *from, party_step *each,
		     void *context);
/* Whether a party statement by this key may take the place of the present one, and why not: ERR_KEY. */
enum err party_may_follow(const struct state *st, const struct party *p, struct hash fingerprint);

#endif
