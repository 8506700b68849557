/* Inside of the room only: what the proofs of persons and of teams share. */
#ifndef PROOF_LEGAL_PRIVATE_H
#define PROOF_LEGAL_PRIVATE_H

#include "proof/verify.h"

/* Text of others as a header can hold it: what is not printable ASCII as \xx, and so are `,` and `\` (after RFC 4514 section 2.4). */
void subject_append(struct buffer *b, struct span text);
/* The only part of that role; ERR_EVIDENCE. */
enum err only_part(const struct evidence *e, enum part_role role, struct span *out);
/* Such a proof is of the party itself: it names no resource, or the party's own domain. ERR_EVIDENCE_RESOURCE. */
enum err only_of_party(const struct proof *p, const struct key_statement *key);

#endif
