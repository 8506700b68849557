/* What commands share that make proofs, judge them and show them. */
#ifndef CLI_PROVING_H
#define CLI_PROVING_H

#include "cli/acting.h"
#include "net/door.h"
#include "proof/verify.h"

/* DIR/anchors. */
enum err proving_folder(struct cli *c, const char **out);
enum err proving_anchors(struct cli *c, struct anchors **out);

/* The evidence that the options name: --evidence, a ready body; else files, each in the part that its option says, PEM as what
 * stands in it. ERR_USAGE: an option that the method has no part for. */
enum err proving_read(struct cli *c, enum basis method, struct evidence *out);
/* --resolver ADDRESS[:PORT]; NULL and 0: the system's. */
enum err proving_resolver(struct cli *c, const char **address, unsigned *port);
/* How the one outgoing door is to be used: DIR/config, then --private, --plain and --authorities. */
enum err proving_door(struct cli *c, struct door_limits *out);

/* A proof wherever it is kept: in the node's own ledger, or in the mirror of another node. Everything is in the arena. */
struct found_proof {
	struct statement s;
	struct span body; /* at NULL: it is not here */
	struct span node; /* whose ledger */
	int64_t logged_ms;
	bool mirrored, has_verdict;
	struct proof_verdict verdict; /* that node's */
};
/* id: all of it, or the first 8 digits and more of one in the node's own ledger. */
enum err proving_find(struct cli *c, struct node *n, const struct state *st, const char *id, struct found_proof *out);

/* "accepted until 2026-11-24 10:00", "objected: evidence-revoked", "waits". */
char *proving_stands(struct cli *c, bool has_verdict, const struct proof_verdict *v);

#endif
