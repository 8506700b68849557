/* Inside of the room only: from a certificate up to an anchor of this node, with the revocation lists that were kept, as of a time
 * (RFC 5280 section 6 by libcrypto; RFC 6487 and RFC 3779 for the RPKI). Nothing is fetched. */
#ifndef PROOF_PATH_H
#define PROOF_PATH_H

#include <openssl/x509v3.h>

#include "proof/verify.h"

#define PATH_CERTIFICATES_MAX 64
#define PATH_LISTS_MAX 64
#define PATH_DEPTH_MAX 32
#define PATH_FILE_MAX ((size_t)4 << 20) /* certificate or revocation list; the longest list of today has a third */

struct path {
	enum anchor_kind kind; /* ANCHOR_RPKI: certificates by RFC 6487 and 7935; ANCHOR_LEGAL */
	const struct anchors *anchors;
	STACK_OF(X509) * certificates;
	STACK_OF(X509_CRL) * lists;
	X509_STORE *store;
	/* of the last path_verify that was OK */
	int64_t until_ms;
	const struct anchor *end;
};

/* DER each, or PEM where the kind is legal. ERR_EVIDENCE; close it in any case. */
enum err path_open(struct path *p, enum anchor_kind kind, const struct anchors *anchors,
		   const struct span *certificates, size_t certificate_count, const struct span *lists,
		   size_t list_count);
/* leaf: its form is the caller's to check, but for the RPKI's key and signature algorithms. Refusals as in verify.h. */
enum err path_verify(struct path *p, X509 *leaf, int64_t at_ms);
void path_close(struct path *p);

/* A whole certificate: ERR_EVIDENCE. */
enum err certificate_read(enum anchor_kind kind, struct span bytes, X509 **out);
/* By RFC 7935: RSA with 2048 bits and exponent 65537, or P-256; signed with the one or the other over SHA-256. */
bool certificate_has_rpki_key(const X509 *x);
/* What each extension of RFC 6487 section 4.8 must be for the end of a path that signs one object, without SIA (RFC 9323 section
 * 2) */
bool certificate_signs_checklists(X509 *x);

#endif
