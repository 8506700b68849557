/* Inside of the room only: who reads which files of DIR/anchors. */
#ifndef PROOF_ANCHORS_PRIVATE_H
#define PROOF_ANCHORS_PRIVATE_H

#include "proof/anchors.h"

#define ANCHOR_FILE_MAX ((size_t)1 << 20)

/* Called for each anchor that a file holds; what it is given is copied by anchors.c. */
typedef enum err anchor_each(void *context, struct span bytes);

/* The readers: rows of a table in anchors.c. a: for what the reading itself needs. ERR_ANCHOR: not the form, or no anchor in it. */
enum err anchors_read_dnssec(struct arena *a, struct span file, anchor_each *each,
			     void *context); /* anchors_dnssec.c */
/* The root's own keys, where no file has others. */
enum err anchors_builtin_dnssec(struct arena *a, anchor_each *each, void *context);

#endif
