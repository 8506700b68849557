/* The node for whoever writes to it now and then while talking to another server: it is opened when there is something to keep,
 * and given back in between where a server lends it, so that nobody here waits for somebody out there. */
#ifndef EXCHANGE_HOME_H
#define EXCHANGE_HOME_H

#include "regime/node.h"

struct home {
	const char *dir;
	struct node *node; /* NULL: not open */
};
/* Opens it for writing if it is not open. As node_open. */
enum err home_open(struct home *h);
/* Nothing is written for a while. */
void home_rest(struct home *h);
/* Publishes what was written, if the node is still open, and closes it. */
enum err home_close(struct home *h);

#endif
