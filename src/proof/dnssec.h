/* The TXT record that names the key, with all signatures from the root of the DNS down to it (RFC 4033 to 4035, like RFC 9102): who
 * holds a domain or a reverse zone binds the key, and anyone verifies it later, as of the time at which it was had. */
#ifndef PROOF_DNSSEC_H
#define PROOF_DNSSEC_H

#include "proof/verify.h"

/* Where the record stands: _comity.<domain>; of a prefix _comity.<its reverse zone>, for which its length must be one at which
 * reverse zones begin: /8, /16, /24, /32 in in-addr.arpa, each fourth bit in ip6.arpa. Whoever holds another prefix proves the
 * parts of it that begin so, each by a proof of its own; names behind a CNAME (RFC 2317) do not count. ERR_EVIDENCE: another
 * length, or an AS or a country, which have no zone. */
enum err dnssec_name(const struct addressee *resource, char out[256]);

/* The row of verify_proof for BASIS_DNSSEC: one proof, one resource. Parts of role rrset: the TXT first, then in any order the keys
 * of the zone that signed it, that zone's DS, the keys of the zone that signed those, … Each is the records in canonical order
 * and then their RRSIGs, all in canonical wire form (RFC 4034 section 6). Parts that are not needed do no harm. Until: the first end
 * of the signatures used. The nearest anchor decides: who has one for a zone does not ask the zones above it.
 *	ERR_EVIDENCE		not that form; a CNAME; more keys and signatures to try than an honest zone has
 *	ERR_EVIDENCE_SIGNATURE	a key of the zone has the signature's tag, and it does not verify
 *	ERR_EVIDENCE_CHAIN	keys or DS are missing, or no key is the one that DS or anchor name
 *	ERR_EVIDENCE_OVERCLAIM	signed by a zone that does not hold the name
 *	ERR_EVIDENCE_EXPIRED	the signature ended, or has not begun
 *	ERR_EVIDENCE_KEY	no TXT there names this key of this party
 *	ERR_EVIDENCE_RESOURCE	the record stands at another name, or comes from a wildcard
 *	ERR_EVIDENCE_INSECURE	no signature, or only of SHA-1, MD5 or algorithms that nobody knows */
enum err dnssec_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			     const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			     struct verdict *out);

/* Asks a resolver (address, or NULL for the system's) for the record and its whole chain; port 0: 53. Answers of up to 64 KiB, by
 * TCP where they are cut. The parts are in the arena. Nothing is verified. What was had is in *out on errors too, as far as it goes:
 * an anchor below the root needs no more. ERR_UNREACHABLE; ERR_NOT_FOUND: no record there; ERR_PEER: what answers is no resolver;
 * ERR_EVIDENCE_INSECURE: the zone, or one above it, is not signed; ERR_EVIDENCE: a CNAME, or more than is kept. */
enum err dnssec_gather(struct arena *a, const char *resolver, unsigned port, const struct addressee *resource,
		       struct evidence *out);

#endif
