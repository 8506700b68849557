/* HTTP message signatures (RFC 9421) with the party's key, and digests of content (RFC 9530). Only for this room.
 *
 * What must be signed: @method, @authority, @path, @query, and content-digest if there is content; `created`, and `nonce` for
 * what changes something; keyid is the key's fingerprint in hex, alg ed25519. More may be signed: the fields below. */
#ifndef EXCHANGE_SIGNATURES_H
#define EXCHANGE_SIGNATURES_H

#include "base/arena.h"
#include "net/structured.h"
#include "note/key.h"

#define SIGNATURE_WINDOW_S 300
#define SIGNATURE_NONCE_MAX 128

enum signed_field {
	SIGNED_CONTENT_DIGEST,
	SIGNED_CONTENT_TYPE,
	SIGNED_CONTENT_LENGTH,
	SIGNED_ACCEPT,
	SIGNED_DATE,
	SIGNED_FIELDS
};
extern const char *const signed_fields[SIGNED_FIELDS]; /* "content-digest", … */

/* A message as signatures see it. */
struct signed_message {
	struct span method, authority; /* authority in lower case, without the scheme's own port */
	struct span path, query;       /* as sent; query without '?' */
	bool has_content;
	struct span fields[SIGNED_FIELDS]; /* at NULL: absent */
};

struct signature {
	struct hash key;	  /* keyid */
	int64_t created, expires; /* seconds; expires 0: not said */
	struct span nonce;
	const struct field_member *covered; /* components and parameters */
	uint8_t bytes[KEY_SIGNATURE_SIZE];
};

/* The first of them that may be a party's. In the arena. ERR_CREDENTIALS with what is wrong with it. */
enum err signature_read(struct arena *a, struct span input, struct span signatures, struct signature *out);
/* Whether it signs what it must, and is of now. ERR_CREDENTIALS. */
enum err signature_check(const struct signature *s, const struct signed_message *m, int64_t now_ms);
/* The text that is signed. ERR_CREDENTIALS: it names a component that the message has not, or that is unknown here. */
enum err signature_base(const struct signature *s, const struct signed_message *m, struct buffer *out);

/* Signs: fills the two fields' values. */
enum err signature_make(const struct signer *key, const struct signed_message *m, int64_t now_ms, struct span nonce,
			struct buffer *input, struct buffer *signature);

/* Content-Digest: "sha-256=:…:". */
void digest_print(struct span content, struct buffer *out);
/* ERR_FIELD: it does not read, or says the sha-256 of other content. *said: whether it says one. */
enum err digest_check(struct arena *a, struct span field, struct span content, bool *said);

#endif
