/* TLS of the server, with GnuTLS: 1.2 and 1.3, forward secrecy and AEAD only, no early data. Which certificate counts is decided
 * as each connection begins, so it can be replaced while others go on. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/arena.h"
#include "base/buffer.h"

/* GnuTLS's words for it: TLS 1.2 without what RFC 9113, appendix A, forbids. */
#define TLS_PRIORITIES                                                                                                 \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-KX-ALL:" \
	"+ECDHE-ECDSA:+ECDHE-RSA:%SERVER_PRECEDENCE"

struct tls;
struct tls_credentials; /* what one connection began with */

/* authorities: those who sign clients' certificates; empty: none are asked for. ERR_USAGE: these are no certificate (chain) with
 * its key, or no authorities. */
enum err tls_new(struct span certificate_pem, struct span key_pem, struct span authorities_pem, struct tls **out);
/* For connections that begin afterwards. On an error the old ones stay. Any thread. */
enum err tls_reload(struct tls *t, struct span certificate_pem, struct span key_pem, struct span authorities_pem);
void tls_free(struct tls *t); /* every connection has ended */

/* session: a gnutls_session_t before its handshake. tls_end: behind its end. NULL: no memory; it keeps what it has. */
struct tls_credentials *tls_begin(struct tls *t, void *session);
void tls_end(struct tls_credentials *c); /* NULL is fine */

/* The client's certificate, in the arena, if the authorities of that moment vouch for it now. */
bool tls_client_certificate(struct tls_credentials *c, void *session, struct arena *a, struct span *der);
/* What fits without waiting; for a last word. */
void tls_send(void *session, struct span text);

/* A self-signed certificate for trying things out: ECDSA on P-256, 90 days, for localhost, 127.0.0.1, ::1 and these names (or
 * addresses). Whoever uses it must be told to trust it. */
enum err tls_make_development(const struct span *names, size_t count, struct buffer *certificate_pem,
			      struct buffer *key_pem);

#endif
