/* What a server does by itself every minute: notices that follow on others (route/follow_up.h), and answers to who
 * asks before a takedown (route/deconfliction.h). */
#ifndef EXCHANGE_ROUNDS_H
#define EXCHANGE_ROUNDS_H

#include "exchange/server.h"

struct rounds;
/* A thread that looks whether anything is due, and if so offers it to the sequencer in steps. Without a table of the territory nobody
 * can be found, and nothing is done until there is one. */
enum err rounds_start(struct server *s, const char *dir, struct rounds **out);
/* Before sequencer_stop. Ends what it is doing with the step under way. NULL is fine. */
void rounds_stop(struct rounds *r);

#endif
