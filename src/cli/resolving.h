/* The table of --dir with the claims of its node over it. A directory that holds a table and no node will do: then
 * nobody has claimed anything. */
#ifndef CLI_RESOLVING_H
#define CLI_RESOLVING_H

#include "cli/cli.h"

struct resolving {
	struct table *table;
	struct resolver *resolver;
};

enum err resolving_begin(struct cli *c, struct resolving *out); /* on an error *out is empty */
void resolving_end(struct resolving *r);

#endif
