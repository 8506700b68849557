/* Whose ledgers a command reads: the node's own, or with --ledger NODE those of another that it follows. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "cli/cli.h"
#include "regime/mirror.h"

struct reading {
	struct node *n; /* NULL: of another */
	struct mirror *mirror;
	struct state st;
};
enum err reading_begin(struct cli *c, struct reading *out);
void reading_end(struct reading *r); /* one that is all zeros too */

#endif
