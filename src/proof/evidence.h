/* The body of a proof: raw evidence as it was had, named part by part, in JSON:
 *
 *	{"method":"rsc","obtained":"2026-11-23T10:00:00Z","parts":[{"role":"checklist","data":"<base64>"},…]}
 *
 * Roles: checklist, certificate, crl (rsc; any number of the last two), signature, certificate, crl (legal), key, signature
 * (openpgp), rrset (dnssec: an RRset with its RRSIGs in wire form, the record itself first, then the chain up to the root),
 * response (observed: what was seen; `source`: where, a URL or "dns:<name> from <address>"), text (mandate, optional). */
#ifndef PROOF_EVIDENCE_H
#define PROOF_EVIDENCE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "regime/proof.h"

enum part_role {
	PART_CHECKLIST,
	PART_CERTIFICATE,
	PART_CRL,
	PART_SIGNATURE,
	PART_KEY,
	PART_RRSET,
	PART_RESPONSE,
	PART_TEXT,
	PART_COUNT
};
const char *part_role_name(enum part_role r);
struct part {
	enum part_role role;
	struct span source; /* where it was had; may be empty */
	struct span bytes;
};
#define EVIDENCE_PARTS_MAX 256

struct evidence {
	enum basis method;
	int64_t obtained_ms;
	struct part *parts;
	size_t count;
};
/* At most PROOF_BODY_MAX bytes; strict: one spelling, the parts that the method has and needs, none of them empty. In the arena,
 * which needs 16 times the body. ERR_EVIDENCE. What is printed parses to the same. */
enum err evidence_parse(struct arena *a, struct span body, struct evidence *out);
enum err evidence_print(const struct evidence *e, struct buffer *out);
/* The next part of that role from *at on, which it moves behind it; NULL: none. */
const struct part *evidence_next(const struct evidence *e, enum part_role role, size_t *at);

#endif
