/* RPKI Signed Checklists (RFC 9323): who holds addresses and AS numbers signs a list of files. Verified with libcrypto alone: the
 * CMS, the certificate path with its revocation lists, RFC 3779 containment on the path and of the list in its certificate. */
#ifndef PROOF_RSC_H
#define PROOF_RSC_H

#include "proof/verify.h"

/* What is believed of one that verifies. */
struct rsc {
	struct prefix *prefixes; /* in the arena; ranges are cut into prefixes */
	size_t prefix_count;
	struct as_range {
		uint32_t first, last;
	} * numbers;
	size_t number_count;
	int64_t until_ms;	     /* the first end of certificates and revocation lists */
	const struct anchor *anchor; /* the locator above it; lives as long as the anchors */
};
/* checklist: the DER of the .sig; certificates and crls: DER, any order, the trust anchor's own among them. file_hash: SHA-256 of
 * the file that must be listed. As of at_ms, under the RPKI anchors. Errors as verify_proof's. Takes at most a megabyte of the
 * arena, and only on OK. */
enum err rsc_verify(struct arena *a, const struct anchors *anchors, struct span checklist,
		    const struct span *certificates, size_t certificate_count, const struct span *crls,
		    size_t crl_count, struct hash file_hash, int64_t at_ms, struct rsc *out);
/* The row of verify_proof for BASIS_RSC. */
enum err rsc_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			  const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			  struct verdict *out);

#endif
