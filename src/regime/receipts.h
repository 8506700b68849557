/* Receipts of what was logged lately, from memory, under the checkpoint that was signed last: before the files have it. What
 * is signed is durable in the journal, so it is published by and by, or a longer ledger that goes on from it. Only for this
 * room. */
#ifndef REGIME_RECEIPTS_H
#define REGIME_RECEIPTS_H

#include "ledger/growth.h"
#include "ledger/receipt.h"
#include "regime/node_private.h"

struct receipts;
enum err receipts_new(struct receipts **out);
void receipts_free(struct receipts *r); /* NULL is fine */

/* All of the ledger is published: it goes on from there. */
enum err receipts_go_on(struct receipts *r, enum ledger_id l, const struct frontier *from);
/* A batch is committed, summed and signed: its leaves are those of the growth. published: what the files have for sure. */
enum err receipts_reach(struct receipts *r, struct growth *const growth[LEDGER_COUNT], const struct reached *reached,
			const struct checkpoint published[LEDGER_COUNT]);
/* Any thread. The checkpoint in the arena. ERR_NOT_FOUND: not one of the last entries; if it is one at all, the files have it. */
enum err receipts_make(struct receipts *r, struct arena *a, enum ledger_id l, uint64_t index, struct receipt *out);

#endif
