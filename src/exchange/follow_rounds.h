/* Following while the server serves: all nodes that the configuration names (`follow URL`), again and again, on a thread of its own.
 * What is to be logged goes through the sequencer. */
#ifndef EXCHANGE_FOLLOW_ROUNDS_H
#define EXCHANGE_FOLLOW_ROUNDS_H

#include "exchange/server.h"

struct follow_rounds;
/* The sequencer runs and stays until the stop. Each round looks at the configuration anew. */
enum err follow_rounds_start(const struct server *s, struct follow_rounds **out);
/* Ends the round in hand at its next answer, and waits for that. Before sequencer_stop; NULL is fine. */
void follow_rounds_stop(struct follow_rounds *f);

#endif
