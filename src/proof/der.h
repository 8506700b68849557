/* Inside of the room only: DER (X.690 section 10), read with a sticky error and without recursion: definite lengths in their
 * shortest form, tags of one byte. Whoever reads says which element comes; another one is ERR_EVIDENCE. Nothing is copied. */
#ifndef PROOF_DER_H
#define PROOF_DER_H

#include "base/reader.h"

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_IA5_STRING = 0x16,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_PRIMITIVE = 0x80, /* + number */
	DER_CONTEXT = 0xa0,	      /* + number */
};

struct span der_take(struct reader *r, unsigned tag); /* the content of the next element */
struct reader der_into(struct reader *r, unsigned tag);
bool der_next_is(const struct reader *r, unsigned tag);
/* Between min and max. */
uint32_t der_number(struct reader *r, uint32_t min, uint32_t max);
/* An OBJECT IDENTIFIER with this content. */
void der_oid(struct reader *r, struct span content);
/* SHA-256, its parameters absent or NULL (RFC 5754 section 2). */
void der_sha256(struct reader *r);
void der_end(struct reader *r); /* nothing may be left */

#endif
