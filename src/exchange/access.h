/* Who asks: parties by what they sign (HTTP message signatures, RFC 9421, with their party key), tools by Basic (RFC 7617),
 * Bearer (RFC 6750) or a client certificate, each bound to a party (regime/credential.h). Decided from the head of the request. */
#ifndef EXCHANGE_ACCESS_H
#define EXCHANGE_ACCESS_H

#include "net/http.h"
#include "regime/credential.h"

enum caller_how { CALLER_ANONYMOUS, CALLER_SIGNED, CALLER_PASSWORD, CALLER_TOKEN, CALLER_CERTIFICATE };

struct caller {
	enum caller_how how;
	struct span party; /* a domain; empty: nobody's */
	struct span tool;  /* the credential's name; empty: the party itself */
	unsigned rights;   /* RIGHT_*; a party that signs has READ and WRITE; anonymous has READ */
	bool member;	   /* the node's operator accepted the party's statement; the node itself is one */
	bool is_node;	   /* the node's own eyes: party is the node, and RIGHT_OPERATE */
};

struct access;
/* Reads the state through the node; threads share it. Password hashing is queued, few at once, and what was verified is
 * remembered (by a keyed hash) until the credential changes. */
enum err access_new(struct node *n, struct access **out);
void access_free(struct access *a);
/* Signatures count only if they were made for this server's name (config's `url`), so that what is sent to one node is no
 * use at another. Empty: any name. Before the doors open. */
enum err access_for(struct access *a, struct span url);

/* Whether the node's operator accepted the party's present statement; the node itself is one. */
enum err access_is_member(const struct state *st, struct span domain, bool *yes);

/* In the request's arena. OK with CALLER_ANONYMOUS: no credentials were given. ERR_CREDENTIALS: given and not good (401); the
 * detail does not say which half was wrong, and it takes the same time. ERR_BUSY: too many are being checked (503). ERR_RATE:
 * too many failures from there (429). */
enum err access_who(struct access *a, const struct http_request *r, struct caller **out);

/* When the body is there and before the handler sees it: whether it is what Content-Digest says, which a signature must cover.
 * r->caller is set. ERR_FIELD: it is another. ERR_CREDENTIALS: signed, and nothing said of the body. */
enum err access_body(const struct http_request *r);

/* Signs a request as RFC 9421 says, for the outgoing side: gives the values of Signature-Input and Signature over @method,
 * @target-uri's path and query, @authority, and the content's digest (RFC 9530) if there is a body. created: now. */
enum err access_sign(const struct signer *key, enum http_method m, struct span authority, struct span path_and_query,
		     struct span body, struct buffer *signature_input, struct buffer *signature, struct buffer *digest);

#endif
