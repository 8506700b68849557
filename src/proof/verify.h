/* One question for all methods: does this evidence show what the proof says, as of a time, under this node's anchors? Offline:
 * nothing is fetched. Each refusal has a code of its own. */
#ifndef PROOF_VERIFY_H
#define PROOF_VERIFY_H

#include "proof/anchors.h"
#include "proof/evidence.h"
#include "proof/key_statement.h"

struct verdict {
	int64_t until_ms;    /* how long it holds: the first end of all that it rests on, at most PROOF_LIFE_MAX_MS */
	struct span subject; /* legal, openpgp: who, as the evidence says; in the arena */
	struct span anchor;  /* which anchor it ends at, for people; in the arena */
};
#define PROOF_LIFE_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)

/* OK: it holds. Refusals (each its own):
 *	ERR_EVIDENCE		not the form that the method asks for
 *	ERR_EVIDENCE_SIGNATURE	a signature does not verify: tampered with
 *	ERR_EVIDENCE_CHAIN	no path to an anchor of this node
 *	ERR_EVIDENCE_OVERCLAIM	the list or record names more than its certificate or zone holds
 *	ERR_EVIDENCE_BEYOND	a certificate names resources that the one above it does not
 *	ERR_EVIDENCE_REVOKED, ERR_EVIDENCE_EXPIRED (also: not yet valid), ERR_EVIDENCE_STALE (revocation list missing or out of date)
 *	ERR_EVIDENCE_FILE	another file than the key statement
 *	ERR_EVIDENCE_KEY	another key or party
 *	ERR_EVIDENCE_RESOURCE	it is sound, but does not cover a resource that the proof names
 *	ERR_EVIDENCE_INSECURE	DNS without signatures, or with a signed denial of them: ask observers */
enum err verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
		      const struct key_statement *key, const struct evidence *e, int64_t at_ms, struct verdict *out);

/* The same of a proof as it was filed, with its body (at NULL: there is none): the statement is read, the body compared with what
 * it binds and parsed. ERR_BODY beside the above. Whose key it is, and whether still, is verify_key_is_present's to say. */
enum err verify_statement(struct arena *a, const struct anchors *anchors, const struct statement *s, struct span body,
			  int64_t at_ms, struct verdict *out);
#define VERIFY_ARENA_MAX ((size_t)64 << 20) /* enough for the largest body and what a method makes of it */

/* The key that a proof speaks for: the author's, or the one that was seen or is meant. */
struct hash proof_key(const struct statement *s, const struct proof *p);
/* Whether that is the present key of the party. ERR_EVIDENCE_KEY, ERR_PARTY_UNKNOWN. */
enum err verify_key_is_present(const struct state *st, const struct statement *s, const struct proof *p);

#endif
