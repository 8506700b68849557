/* Where an agreement is found, and how what is said of it gets to its depositary. */
#ifndef CLI_AGREEING_H
#define CLI_AGREEING_H

#include "cli/acting.h"
#include "cli/reading.h"
#include "regime/agreement.h"

/* The agreement with that id, or one of its statements' (8 digits or more), here or in a mirror. from is open where it was found
 * and is ended by the caller, with it a's spans. ERR_MATTER_UNKNOWN. */
enum err agreeing_find(struct cli *c, const char *text, struct reading *from, struct agreement *out);
/* All, of one party or of all (empty): own ledgers first. */
typedef enum err agreeing_each(void *context, const struct state *st, const struct agreement *a);
enum err agreeing_walk(struct cli *c, struct span party, agreeing_each *each, void *context);
/* The statement of that side, in c's arena. */
enum err agreeing_statement(struct cli *c, const struct reading *from, const struct agreement *a, unsigned side,
			    struct statement *out);

/* What is to be filed with the depositary. write adds the headers behind ledger, from and key; what it needs is in its context. n
 * is open for writing. */
struct filing {
	enum kind kind;
	const char *what;	/* "offer" */
	struct span depositary; /* in c's arena */
	enum err (*write)(void *context, struct cli *c, struct node *n, struct span from, struct statement_writer *w);
	void *context;
};
/* Signs it as --from, or the node. Logs it here, or sends it to the depositary's node at --at, or where its party statement says;
 * and says so. */
enum err agreeing_file(struct cli *c, const struct filing *f);

#endif
