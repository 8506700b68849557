/* Each promise beside what the ledger shows: pledges and agreements of a party, term by term, window by window. */
#ifndef REGIME_PROMISES_H
#define REGIME_PROMISES_H

#include "regime/agreement.h"
#include "regime/pledge.h"

struct promises_ask {
	int64_t from_ms, until_ms; /* windows that end from, before until; until 0: what the ledger knows */
	bool demonstration;
};
struct promise_term { /* one term of one pledge */
	const struct pledge *pledge;
	const struct term *term;
	size_t met, missed, too_few;   /* of the closed windows in the period */
	const struct measure *windows; /* closed ones, the earliest first; then the open one, if there is one */
	size_t window_count;
	struct measure all; /* over all of the period as one */
};
typedef enum err promise_each(void *context, const struct promise_term *t);
typedef enum err declaration_each(void *context, const struct pledge *p);
/* Of one party, or of all in the order of names (empty); pledges in that of the ledger. Either callback may be NULL. */
enum err promises_walk(const struct state *st, struct span party, const struct promises_ask *ask, promise_each *promise,
		       declaration_each *declaration, void *context);
/* One JSON object a party: {"party":…,"pledges":[{"norm":…,"terms":[{…,"windows":[…]}]}],"declarations":[…],"agreements":[…]}. The same bytes on
 * every machine. *empty: it promised nothing, and out is left alone. */
enum err promises_print(const struct state *st, struct span party, const struct promises_ask *ask, struct buffer *out,
			bool *empty);

#endif
