/* The table of --dir with the claims of its node over it. A directory that holds a table and no node will do: then
 * nobody has claimed anything. */
#ifndef CLI_RESOLVING_H
#define CLI_RESOLVING_H

#include "cli/cli.h"

/* DIR/territory.table. */
enum err cli_table(struct cli *c, struct table **out);
/* The approved claims of the node's parties, and those of the nodes that it follows, in the arena, for resolver_new. */
enum err cli_claims(struct cli *c, const struct state *st, struct territory_claim **out, size_t *count);

struct resolving {
	struct table *table;
	struct resolver *resolver;
};

enum err resolving_begin(struct cli *c, struct resolving *out); /* on an error *out is empty */
/* With the claims of a node that is open. */
enum err resolving_with(struct cli *c, struct node *n, struct resolving *out);
void resolving_end(struct resolving *r);

#endif
