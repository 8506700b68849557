/* What decides who asks, apart from where it comes from. Only for this room. */
#ifndef EXCHANGE_ACCESS_PRIVATE_H
#define EXCHANGE_ACCESS_PRIVATE_H

#include "exchange/access.h"
#include "exchange/signatures.h"

/* The head of a request; at NULL: not there. */
struct access_head {
	struct span authorization, signature_input, signature;
	struct span certificate; /* DER, verified */
	struct span peer;
	struct signed_message message;
	bool changes; /* neither GET nor HEAD: must not be repeated */
	bool secure;
};
enum err access_check(struct access *a, struct arena *arena, const struct access_head *h, struct caller **out);

/* "Basic dXNlcjpwYXNz" and "Bearer token", strict. ERR_CREDENTIALS: another scheme, or it does not read. */
struct authorization {
	bool basic;
	struct span name, secret;
};
enum err authorization_read(struct arena *a, struct span field, struct authorization *out);

/* Host as signatures see it: lower case, without the scheme's own port. In the arena. */
enum err access_authority(struct arena *a, struct span host, bool secure, struct span *out);

#endif
