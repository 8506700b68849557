/* Receipts (C2SP tlog-proof): inclusion proof and checkpoint in one file, verifiable offline for ever. Times and
 * witness quorums are for the caller's policy; `extra` is not authenticated. */
#ifndef LEDGER_RECEIPT_H
#define LEDGER_RECEIPT_H

#include "ledger/checkpoint.h"
#include "ledger/merkle.h"

struct receipt {
	uint64_t index;
	struct span extra; /* decoded; empty if absent */
	struct merkle_proof proof;
	struct span checkpoint_note;
};

/* The parts point into text and the arena. ERR_RECEIPT. */
enum err receipt_parse(struct arena *a, struct span text, struct receipt *out);
void receipt_print(const struct receipt *r, struct buffer *out);

/* The entry at hand is in the ledger whose key this is. *out (may be NULL) is the checkpoint.
 * ERR_NOTE*, ERR_CHECKPOINT, ERR_PROOF. */
enum err receipt_verify(struct arena *a, const struct receipt *r, struct span entry, const struct verifier *ledger,
			struct checkpoint *out);
/* The same; many receipts share one checkpoint, whose signature is verified once (checkpoint_open_cached). */
enum err receipt_verify_cached(struct arena *a, const struct receipt *r, struct span entry,
			       const struct verifier *ledger, struct checkpoint_cache *cache, struct checkpoint *out);

#endif
