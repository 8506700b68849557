/* Whom this node believes where no ledger can tell: files in DIR/anchors, put there by its operator.
 *
 *	*.tal	RPKI trust anchor locators (RFC 8630)
 *	*.pem	X.509 roots for legal persons
 *	*.ds, *.key	DNSSEC trust anchors, DS or DNSKEY records in zone-file form; none: the root's own keys of 2017 and 2024
 */
#ifndef PROOF_ANCHORS_H
#define PROOF_ANCHORS_H

#include "base/arena.h"
#include "base/span.h"

struct anchors;
/* dir: that folder, DIR/anchors. One that is not there has no files; files of other names are passed over. Does not change once
 * it is open: any number of threads may ask. ERR_ANCHOR with the file's name: one that cannot be read. */
enum err anchors_open(const char *dir, struct anchors **out);
void anchors_free(struct anchors *a); /* NULL is fine */

enum anchor_kind { ANCHOR_RPKI, ANCHOR_LEGAL, ANCHOR_DNSSEC, ANCHOR_COUNT };
struct anchor {
	enum anchor_kind kind;
	const char *name; /* the file's */
	/* rpki: SubjectPublicKeyInfo (DER) of the locator; legal: certificate (DER); dnssec: a record in wire form */
	struct span bytes;
};
size_t anchors_count(const struct anchors *a);
const struct anchor *anchors_at(const struct anchors *a, size_t i);

/* Puts a file there under its own name, durably, after it was read: ERR_ANCHOR, ERR_EXISTS. Removes it: ERR_NOT_FOUND. */
enum err anchors_add(const char *dir, const char *path);
enum err anchors_remove(const char *dir, const char *name);

#endif
