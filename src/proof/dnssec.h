/* The TXT record that names the key, with all signatures from the root of the DNS down to it (RFC 4033 to 4035, like RFC 9102): who
 * holds a domain or a reverse zone binds the key, and anyone verifies it later, as of the time at which it was had. */
#ifndef PROOF_DNSSEC_H
#define PROOF_DNSSEC_H

#include "net/door.h"
#include "proof/verify.h"

/* Where the record stands: _comity.<domain>; of a prefix _comity.<its reverse zone> (in-addr.arpa on octet borders, ip6.arpa on
 * nibble borders; a longer prefix stands at the shorter border's zone as _comity-<length>… : dnssec.c says how). ERR_EVIDENCE: an AS
 * or a country has no zone. */
enum err dnssec_name(const struct addressee *resource, char out[256]);

/* The row of verify_proof for BASIS_DNSSEC: one proof, one resource. */
enum err dnssec_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			     const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			     struct verdict *out);

/* Asks a resolver (address, or NULL for the system's) for the record and its whole chain; port 0: 53. Answers of up to 64 KiB, by
 * TCP where they are cut. The parts are in the arena. ERR_UNREACHABLE; ERR_EVIDENCE_INSECURE: the zone is not signed; what was
 * seen is in *out even so, for an observer's statement. */
enum err dnssec_gather(struct arena *a, const char *resolver, unsigned port, const struct addressee *resource,
		       struct evidence *out);

/* What an observer sees: the TXT as a resolver answers, signed or not, or https://<domain>/.well-known/comity.txt through the one
 * outgoing door. *out is evidence of BASIS_OBSERVED. ERR_EVIDENCE_KEY: something else stands there. */
enum err observe_dns(struct arena *a, const char *resolver, unsigned port, struct span domain,
		     const struct key_statement *wanted, struct evidence *out);
enum err observe_https(struct arena *a, const struct door_limits *limits, struct span domain,
		       const struct key_statement *wanted, struct evidence *out);
/* The row of verify_proof for BASIS_OBSERVED: that what was seen names the key. Whether enough unrelated parties saw it is the
 * regime's to count (holding.c). */
enum err observed_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			       const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			       struct verdict *out);

#endif
