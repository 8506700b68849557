/* What `party show` says of keys and sponsors. */
#ifndef CLI_VOUCHING_H
#define CLI_VOUCHING_H

#include "cli/cli.h"

/* Lines, or with --json the members "keys" and "sponsorship" of the object in hand. */
enum err show_keys(struct cli *c, const struct state *st, const struct party *p);
enum err show_sponsorship(struct cli *c, const struct state *st, const struct party *p);

#endif
