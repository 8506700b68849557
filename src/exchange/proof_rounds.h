/* What a server does by itself with proofs: whoever files one gets the node's verdict, as an answer, a moment later; and what was
 * accepted is verified again from its evidence when the operator believes other anchors. */
#ifndef EXCHANGE_PROOF_ROUNDS_H
#define EXCHANGE_PROOF_ROUNDS_H

#include "exchange/server.h"

struct proof_rounds;
/* A thread of its own: evidence is verified there, and only the answer is offered to the sequencer. Mandates wait for the
 * operator. dir: the node's. */
enum err proof_rounds_start(struct server *s, const char *dir, struct proof_rounds **out);
/* Something was logged. Any thread, never blocks for long. NULL is fine. */
void proof_rounds_wake(struct proof_rounds *r);
/* Before sequencer_stop; the verdict under way is the last. NULL is fine. */
void proof_rounds_stop(struct proof_rounds *r);
/* After sequencer_stop, for that may still wake it. NULL is fine. */
void proof_rounds_free(struct proof_rounds *r);

#endif
