/* Whose is this address? One observation asked of this node and of all that it follows, and one line of answer. */
#ifndef CLI_WHOSE_H
#define CLI_WHOSE_H

#include "cli/cli.h"
#include "regime/plan.h"

struct whose; /* a node that is open for asking */
enum err whose_begin(struct cli *c, struct whose **out);
void whose_end(struct whose *w); /* NULL is fine */
/* Prints the best answer for people, all as JSON. The target's AS and country are looked up in DIR/territory.table where that
 * is there. */
enum err whose_of_observation(struct whose *w, const struct observation *o);

/* --target, --port, --transport, --handshake. */
enum err observation_options(struct cli *c, struct observation *o);
void observation_look_up(struct cli *c, struct observation *o);

#endif
