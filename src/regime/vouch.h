/* Sponsors: a party puts its name to another's key. `vouch`, public: `to m.example`, `vouched-key <hex>`, `visited yes`,
 * `until TIME` (at most 366 days after it was logged, which is also what holds without it), `recovery yes`.
 *
 * What counts (vouch.c):
 *	- a vouch counts while it is in force and its author is established: it holds something by a proof or by the operator's
 *	  approval, or is itself sponsored. The smallest set that obeys this: a ring of parties that only vouch for one another
 *	  is established by nothing.
 *	- two sponsors are related if one vouches for the other, or the same party vouches for both: related ones count as one.
 *	- who vouches for its own sponsor is none.
 *	- sponsored is who has SPONSORS_LEAST unrelated ones.
 * A withdrawn vouch is in force for VOUCH_NOTICE_MS more, for all who rest on it too: nobody falls without notice. */
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
	unsigned vouches;  /* in force for its present key */
	unsigned sponsors; /* unrelated, established */
	bool sponsored, established;
	int64_t ends_ms; /* when it stops being sponsored unless vouches are renewed; 0: it is not */
};
enum err sponsorship_of(const struct state *st, struct span party, int64_t at_ms, struct sponsorship *out);

/* Keys. A party's statement may name `next-key <hex>`, the fingerprint of the key that will follow: a later party statement signed
 * by that key takes its place (rotation). `withdraw` of the party statement with `reason key-compromised` revokes the key: nothing
 * signed by it enters any more, and holdings end. A lost or revoked key is replaced when SPONSORS_LEAST unrelated, established
 * parties vouch with `recovery yes` for the new key: from RECOVERY_WAIT_MS after the vouch that completes them the new key may file
 * the party statement, unless the old one, if it was not revoked, signed anything meanwhile: a key that was found ends the recovery.
 * Former keys stay known, so that what they signed can be verified. */
struct party_key {
	struct hash fingerprint;
	struct verifier key;
	int64_t from_ms, until_ms; /* INT64_MAX: the present one */
	bool revoked;
};
typedef enum err party_key_each(void *context, const struct party_key *k);
enum err party_keys(const struct state *st, struct span party, party_key_each *each, void *context);
/* Whether a party statement by this key may take the place of the present one, and why not: ERR_KEY. */
enum err party_may_follow(const struct state *st, const struct party *p, struct hash fingerprint);

#endif
