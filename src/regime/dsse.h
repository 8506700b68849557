/* DSSE envelopes: {"payloadType":…,"payload":base64,"signatures":[{"keyid":…,"sig":base64}]}. Signed is the pre-authentication
 * encoding: "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload. Several may sign one payload; key ids that are not known are
 * passed over. Source: secure-systems-lab/dsse, protocol v1. */
#ifndef REGIME_DSSE_H
#define REGIME_DSSE_H

#include "base/arena.h"
#include "base/span.h"
#include "note/key.h"

#define DSSE_MAX ((size_t)4 << 20) /* the text of an envelope */
#define DSSE_SIGNATURES_MAX 64
#define IN_TOTO_PAYLOAD_TYPE "application/vnd.in-toto+json"

struct dsse_signature {
	struct span keyid; /* of parties here: the fingerprint in hex, as in `key` */
	struct span signature;
};
struct dsse {
	struct span payload_type, payload; /* payload decoded */
	struct dsse_signature signatures[DSSE_SIGNATURES_MAX];
	size_t signature_count;
};
/* Strict JSON, standard or URL-safe base64 with its padding, no member twice; other members are passed over. ERR_CERTIFICATE. */
enum err dsse_parse(struct arena *a, struct span text, struct dsse *out);
/* What is signed. */
void dsse_encoding(const struct dsse *d, struct buffer *out);
/* Whether that key signed: any of the signatures with its fingerprint as keyid, or with no keyid. Ed25519. */
bool dsse_signed_by(const struct dsse *d, const struct verifier *key);
/* Whether that one of the signatures is good by that key, whatever its keyid. */
bool dsse_signature_is_good(const struct dsse *d, size_t which, const struct verifier *key);
/* Adds a signature to what is there (several signers sign one after the other). A key signs once: ERR_EXISTS, and nothing is
 * changed. ERR_CERTIFICATE: there are as many as there may be. */
enum err dsse_sign(struct arena *a, struct dsse *d, const struct signer *key);
/* What dsse_parse reads as the same: standard base64, no spaces. */
void dsse_print(const struct dsse *d, struct buffer *out);

#endif
