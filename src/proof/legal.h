/* Legal persons: the key statement, signed (CMS, detached) under an X.509 chain with kept revocation lists, to a root of the node's
 * own choice. And teams: the key statement, signed by an OpenPGP key, which comes along. */
#ifndef PROOF_LEGAL_H
#define PROOF_LEGAL_H

#include "proof/verify.h"

/* The rows of verify_proof for BASIS_LEGAL and BASIS_OPENPGP. subject: organisation and country of the certificate, "O=…, C=…";
 * fingerprint and first user id of the key. */
enum err legal_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			    const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			    struct verdict *out);
enum err openpgp_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			      const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			      struct verdict *out);

#endif
