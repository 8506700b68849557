/* Checkpoints (C2SP tlog-checkpoint v1.0.0): a signed note that says how long a ledger is and what its root is. */
#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

#include "note/note.h"

struct checkpoint {
	struct span origin;
	uint64_t size;
	struct hash root;
	struct span extensions; /* accepted and ignored; we write none */
};

/* The text of a note as a checkpoint. ERR_CHECKPOINT. */
enum err checkpoint_parse(struct span text, struct checkpoint *out);
void checkpoint_print(const struct checkpoint *c, struct buffer *out); /* the text only */

/* Parses the note, verifies it by the ledger's key (whose name must be the origin), parses the text.
 * ERR_NOTE*, ERR_CHECKPOINT. */
enum err checkpoint_open(struct arena *a, struct span note, const struct verifier *ledger, struct checkpoint *out);
/* The same. What was opened with this cache before is not verified again; all 0: nothing was. One thread at a time. NULL is fine. */
#define CHECKPOINT_CACHE 64
struct checkpoint_cache {
	struct hash opened[CHECKPOINT_CACHE]; /* over key and note */
};
enum err checkpoint_open_cached(struct arena *a, struct span note, const struct verifier *ledger,
				struct checkpoint_cache *cache, struct checkpoint *out);
enum err checkpoint_sign(const struct checkpoint *c, const struct signer *ledger, struct buffer *out);

#endif
