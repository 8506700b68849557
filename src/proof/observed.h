/* What an observer sees where no signature proves it: the TXT as a resolver answers, or a file on the domain's web server. It is
 * evidence of BASIS_OBSERVED, and worth only as much as those who say so: regime/holding.h counts them. */
#ifndef PROOF_OBSERVED_H
#define PROOF_OBSERVED_H

#include "net/door.h"
#include "proof/verify.h"

#define OBSERVED_LIFE_MS (INT64_C(90) * 24 * 60 * 60 * 1000) /* what was seen is believed for 90 days */
#define OBSERVED_PATH "/.well-known/comity.txt"

/* TXT of _comity.<domain>, signed or not, always by TCP: nobody on the side can put an answer in. One part, the set as dnssec.h has
 * it, its source "dns:<name> from <address>". Resolver and port as of dnssec_gather. ERR_EVIDENCE_KEY: something else stands there;
 * it is in *out. ERR_UNREACHABLE, ERR_NOT_FOUND, ERR_PEER; ERR_DOMAIN: no host name, or an address. */
enum err observe_dns(struct arena *a, const char *resolver, unsigned port, struct span domain,
		     const struct key_statement *wanted, struct evidence *out);
/* https://<domain>/.well-known/comity.txt through the one outgoing door, so no redirect, and no private address unless the limits
 * allow it (ERR_REFUSED_URL). limits NULL: door_default. One part, the text, its source the URL. Errors as above and the door's. */
enum err observe_https(struct arena *a, const struct door_limits *limits, struct span domain,
		       const struct key_statement *wanted, struct evidence *out);

/* The row of verify_proof for BASIS_OBSERVED: one domain, and all that was seen was seen there and names the key. */
enum err observed_verify_proof(struct arena *a, const struct anchors *anchors, const struct proof *p,
			       const struct key_statement *key, const struct evidence *e, int64_t at_ms,
			       struct verdict *out);

#endif
