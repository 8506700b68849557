/* Whose ledgers a command reads: the node's own, or those of another that it follows. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "cli/cli.h"
#include "regime/mirror.h"

/* Begun by one of three, of which each may fail, and ended in any case. What is read of st is in c's arena. */
struct reading {
	struct node *n; /* NULL: of another */
	struct mirror *mirror;
	const char *dir; /* of the mirror; in c's arena */
	struct state st;
};
enum err reading_own(struct cli *c, struct reading *out);
/* dir: as mirrors_walk gives it. ERR_NOT_FOUND: nothing was folded yet; ERR_BUSY: just now it is folded anew. */
enum err reading_mirror(struct cli *c, const char *dir, struct span node, struct reading *out);
/* --ledger NODE, or without it the own ones. */
enum err reading_begin(struct cli *c, struct reading *out);
void reading_end(struct reading *r); /* one that is all zeros too */

#endif
