/* Each promise beside what the ledger shows: pledges and agreements of a party, term by term, window by window. */
#ifndef REGIME_PROMISES_H
#define REGIME_PROMISES_H

#include "regime/agreement.h"
#include "regime/pledge.h"

/* What walks over several parties share: plans are read once for all. One for each snapshot. */
struct promises_shared;
enum err promises_shared_new(struct promises_shared **out); /* ERR_NO_MEMORY */
void promises_shared_free(struct promises_shared *s);

struct promises_ask {
	int64_t from_ms, until_ms;	/* windows that end from, before until; until 0: what the ledger knows */
	bool demonstration;		/* only what was promised for a demonstration, from what was marked so */
	struct promises_shared *shared; /* NULL: nothing */
};
struct promise_term { /* one term of one pledge */
	const struct pledge *pledge;
	const struct term *term;
	size_t met, missed, too_few;   /* of the closed windows in the period */
	const struct measure *windows; /* closed ones, the earliest first; then the open one, if there is one */
	const enum window *judged;     /* of each; of the open one as it looks now */
	size_t window_count, closed;
	struct measure all; /* over all closed ones as one */
};
typedef enum err promise_each(void *context, const struct promise_term *t);
typedef enum err declaration_each(void *context, const struct pledge *p);
/* Of one party, or of all in the order of names (empty); pledges in that of the ledger. Either callback may be NULL. */
enum err promises_walk(const struct state *st, struct span party, const struct promises_ask *ask, promise_each *promise,
		       declaration_each *declaration, void *context);
/* Who pledged or agreed anything, in the order of names, each once. Ended and withdrawn promises too. name: ends with the
 * snapshot. */
typedef enum err promises_party(void *context, struct span name);
enum err promises_parties(const struct state *st, bool demonstration, promises_party *each, void *context);
/* The promise in plain words: "at least 90 % of the notices to it acknowledged by a person within 2 days, each 30 days". */
void promise_tell(const struct term *t, struct buffer *out);

/* One JSON object a party: {"party":…,"pledges":[{"norm":…,"terms":[{…,"windows":[…]}]}],"declarations":[…],"agreements":[…]}.
 * The same bytes on every machine. *empty: it promised nothing, and out is left alone. */
enum err promises_print(const struct state *st, struct span party, const struct promises_ask *ask, struct buffer *out,
			bool *empty);

#endif
