/* What became of one matter, statement by statement: itself, what refers to it, and what refers to that (answers, withdrawals,
 * notices that took it further, requests for help). From the node's ledgers and feeds. */
#ifndef REGIME_HISTORY_H
#define REGIME_HISTORY_H

#include "base/json.h"
#include "regime/node.h"

struct history_line {
	enum ledger_id ledger;
	uint64_t index;
	int64_t logged_ms;
	bool is_guest; /* logged first at its home, at home_ms */
	int64_t home_ms;
	struct statement s; /* ends with the call */
};

/* In the order in which this node logged them. The callback ends the walk with another result than OK. */
typedef enum err history_each(void *context, const struct history_line *l);
enum err history_walk(struct node *n, const struct state *st, const struct matter *m, history_each *each,
		      void *context);

/* One plain sentence without a stop: who did what to whom, and why. */
void history_says(const struct matter *m, const struct history_line *l, struct buffer *out);

/* The same for programs: an object for each line, and the members of the matter itself. */
enum err history_print(const struct matter *m, const struct history_line *l, struct json *j);
void history_print_matter(const struct matter *m, struct json *j);

#define HISTORY_NOTE "Acknowledging is not admitting."

#endif
