/* What the operator lets run when others order a plan of its parties to stop (`recall-hook`): for each recall that nobody of the
 * party has answered yet, by a thread that whatever is logged wakes. One program at a time, without a shell: PROGRAM PLAN REQUEST
 * STOP-BY, the same in COMITY_PLAN, COMITY_REQUEST and COMITY_STOP_BY; STOP-BY is empty if the plan does not say how fast it stops.
 *
 * Exit 0: the node logs `answer working`: of itself if the plan is its own, else `for` the party `via node`, as the keeper of its
 * statement may, so that everyone sees that a machine said it; the party's own key, which may lie here, signs nothing that the
 * party did not see. Another exit, a signal or the end of its time: an error in the log, and another try, later each time. What was
 * begun when the server ends is killed and begins again with it: a hook may run more than once for one recall. */
#ifndef EXCHANGE_RECALL_HOOK_H
#define EXCHANGE_RECALL_HOOK_H

#include "exchange/server.h"

struct recall_hook;
enum err recall_hook_start(struct server *s, struct recall_hook **out);
/* Something was logged, or the configuration is another: look. Any thread, never blocks. NULL is fine. */
void recall_hook_wake(struct recall_hook *h);
/* Ends the thread and what it runs, before sequencer_stop. NULL is fine. */
void recall_hook_stop(struct recall_hook *h);
void recall_hook_free(struct recall_hook *h); /* when nobody wakes it any more. NULL is fine. */

#endif
