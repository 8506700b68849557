/* `comity standing --pledges`: who promised what, and how it was kept, as one text for everybody or as an object a party. */
#ifndef CLI_STANDING_PLEDGES_H
#define CLI_STANDING_PLEDGES_H

#include "cli/cli.h"
#include "regime/promises.h"

/* party empty: all who promised anything. ERR_NOT_FOUND: that one promised nothing. */
enum err standing_pledges(struct cli *c, const struct state *st, struct span party, const struct promises_ask *ask);

#endif
