/* Proofs: evidence, filed for all to verify again, that a key speaks for a resource, a domain or a person.
 *
 *	comity/1 proof
 *	ledger cert.example/public
 *	from as64500.example
 *	key …
 *	method rsc
 *	resource prefix 192.0.2.0/24	0 to 200 times; a domain, AS, prefix or country as in `to`
 *	subject Example Networks OU	legal, openpgp: who, as the evidence says
 *	to m.example			only in what is said of another party: observed, mandate
 *	seen-key <hex>			beside `to`: the key that was seen, or is meant
 *	body application/vnd.comity.proof+json <size> sha256:…
 *
 * The body is public: it holds the raw evidence (proof/evidence.h), so that a third node verifies again. What the node makes of it
 * is an `answer` to the proof, signed by the node: outcome `accepted` with `until TIME`, or `objected` with `reason CODE`
 * (stable, err.h). until: after the answer is logged, at most 366 days. The evidence must be for the party's present key. Only
 * accepted ones make holdings; a later `objected` (revoked, expired evidence) ends them, and a withdrawal.
 * A mandate is accepted by the operator only, never by itself. One observation holds nothing; two in force of one domain and key,
 * by unrelated parties, do, from the acceptance of the second to the end of the last such pair.
 *
 *	method		resources				beside
 *	rsc		1 to 200 prefixes and AS numbers
 *	dnssec		one domain or prefix
 *	observed	none (the party's own domain) or one domain	to, seen-key
 *	legal, openpgp	none					subject
 *	mandate		one country				to, seen-key; by the role government */
#ifndef REGIME_PROOF_H
#define REGIME_PROOF_H

#include "regime/holding.h"

#define PROOF_MEDIA_TYPE "application/vnd.comity.proof+json"
#define PROOF_BODY_MAX ((size_t)1 << 20)
#define PROOF_RESOURCES_MAX 200

/* A proof's headers, typed. Spans point into the statement. */
struct proof {
	enum basis method;
	struct addressee *resources; /* in the arena */
	size_t resource_count;
	struct span subject, about; /* about: whom it speaks of; its author but for observed and mandate */
	struct hash seen_key;	    /* of observed and mandate; else the author's own */
};
enum err proof_read(struct arena *a, const struct statement *s,
		    struct proof *out); /* ERR_STATEMENT_HEADER, ERR_PREFIX */

/* The node's verdict on a proof, as its answer says. */
struct proof_verdict {
	bool accepted;
	int64_t at_ms, until_ms;
	struct hash answer;
	struct span reason; /* of objected */
};
/* ERR_NOT_FOUND: none yet. */
enum err proof_verdict(const struct state *st, struct hash proof, struct proof_verdict *out);
/* Proofs filed here that the node has given no verdict on, and that are not withdrawn; in the order of the ledger. Guests are not
 * among them. */
enum err proofs_waiting(const struct state *st, matter_each *each, void *context);
/* Proofs that are accepted, also long past their end, and whose acceptance ends at this time or before: to be verified again, or told
 * of. The first to end first; one that is judged anew leaves its place. */
enum err proofs_ending(const struct state *st, int64_t before_ms, matter_each *each, void *context);

#endif
