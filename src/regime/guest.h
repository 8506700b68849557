/* What proves that a guest is in its home's ledger. Only for this room. */
#ifndef REGIME_GUEST_H
#define REGIME_GUEST_H

#include "regime/node_private.h"

struct guest {
	int64_t home_ms;
	struct span text;	/* of the whole receipt, as it came */
	struct receipt receipt; /* extra: the entry at home */
	struct buffer bare;	/* the receipt without its extra, as it is kept; the caller's to free */
	struct hash hash;	/* of that */
};

/* Takes apart the receipt that came with the statement, whose entry must be of just this note. The spans point into text
 * and the arena. ERR_RECEIPT, ERR_TOO_LONG, ERR_STATEMENT_LEDGER. */
enum err guest_read(struct arena *a, const struct statement *s, struct span text, struct guest *g);

/* The key of the home's ledger in this state: as the home's party statement names it, or s itself if it is that statement.
 * ERR_PARTY_UNKNOWN, ERR_KEY_UNKNOWN. */
enum err guest_ledger_key(const struct state *st, const struct statement *s, struct verifier *out);
/* The receipt under that key, unless v says that it was verified under it. ERR_PROOF, ERR_NOTE*, ERR_CHECKPOINT. */
enum err guest_check(const struct state *st, const struct statement *s, const struct guest *g,
		     const struct verified *v);

/* The receipt whole again, from what is kept of it: *extra is made in b, which must outlive it. ERR_RECEIPT. */
enum err guest_restore(struct arena *a, const struct entry *e, struct span bare, struct buffer *b, struct receipt *out);
/* What the node keeps under that hash, into the arena. ERR_NOT_FOUND, ERR_DAMAGED. */
enum err guest_bare(struct node *n, struct snapshot *s, struct arena *a, struct hash hash, struct span *bare);

#endif
