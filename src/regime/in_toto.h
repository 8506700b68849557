/* in-toto Statements v1, as certificates have them: {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":…,"digest":{"sha256":…}}],"predicateType":…,"predicate":{…}}. The predicates
 * of certificate.h have CycloneDX 1.6 `declarations` inside (assessors, attestations, claims, evidence with counterEvidence, conformance); what is no such form is refused. */
#ifndef REGIME_IN_TOTO_H
#define REGIME_IN_TOTO_H

#include "regime/certificate.h"
#include "regime/dsse.h"

struct in_toto {
	struct span *subjects; /* "sha256:<hex>", sorted; other digests are kept out */
	size_t subject_count;
	struct span predicate_type;
	/* Of ours: as in the header. Empty and 0: not said. */
	struct span scheme, level, laboratory;
	int64_t start_ms, end_ms;
	size_t claims, evidence, counter_evidence, conformance; /* how many the declarations have */
	struct span json;					/* the payload itself */
};
/* ERR_CERTIFICATE, which says where. */
enum err in_toto_parse(struct arena *a, struct span payload, struct in_toto *out);
/* Whether the body says what the header says, and the author signed it. author: the key that signed the statement. ERR_CERTIFICATE. */
enum err certificate_body_check(struct arena *a, const struct statement *s, struct span body,
				const struct verifier *author);

#endif
