/* Credentials of tools: a tool (a TAXII client, a script) has no key of a party, so the operator binds it to a party and to
 * what it may do. Private records (tag 'C') and the view OWN; secrets are kept as hashes only. */
#ifndef REGIME_CREDENTIAL_H
#define REGIME_CREDENTIAL_H

#include "base/buffer.h"
#include "regime/state.h"

enum credential_type { CREDENTIAL_PASSWORD, CREDENTIAL_TOKEN, CREDENTIAL_CERTIFICATE, CREDENTIAL_COUNT };
const char *credential_type_name(enum credential_type t); /* "password", "token", "certificate" */

/* Bits. WRITE does not imply READ. OPERATE: sees what the node sees, and may change its settings. */
enum { RIGHT_READ = 1, RIGHT_WRITE = 2, RIGHT_OPERATE = 4 };

#define CREDENTIAL_NAME_MAX 64
bool credential_name_valid(struct span name);
#define CREDENTIAL_CHECK_MAX 128

struct credential {
	enum credential_type type;
	struct span name;  /* of the tool; the user name for Basic; unique. a-z A-Z 0-9 . _ - */
	struct span party; /* whose eyes it has: a domain; the node's own name too */
	unsigned rights;
	int64_t expires_ms; /* 0: never */
	/* password: libsodium's Argon2id string; token: SHA-256 of the secret; certificate: SHA-256 of its DER. */
	struct span check;
};

/* What is no credential or no name makes the record's error ERR_USAGE. A later record takes the name from an earlier one, and
 * a token or a certificate from an earlier name. */
void credential_write(struct buffer *record, const struct credential *c);
void credential_write_removal(struct buffer *record, struct span name);

/* Spans point into the snapshot. ERR_NOT_FOUND. */
enum err credential_find(const struct state *st, struct span name, struct credential *out);
/* By the SHA-256 of a token or of a certificate. ERR_NOT_FOUND. */
enum err credential_of(const struct state *st, enum credential_type t, struct hash check, struct credential *out);
typedef enum err credential_each(void *context, const struct credential *c);
enum err credentials_walk(const struct state *st, credential_each *each, void *context);

#endif
