/* What commands share that sign and log statements. */
#ifndef CLI_ACTING_H
#define CLI_ACTING_H

#include "cli/cli.h"

/* Opens the node for writing and begins a batch. */
enum err act_begin(struct cli *c, struct node **n);

/* Whose key signs: --from, or the node's own. */
enum err act_signer(struct cli *c, struct node *n, const struct signer **out);

/* The key of that party: the node's own, or one that is kept here. */
enum err act_signer_of(struct node *n, struct span party, const struct signer **out);

/* Signs the writer's statement and adds it to the batch; the writer is freed. */
enum err act_add(struct node *n, struct statement_writer *w, const struct signer *key, struct appended *out);

/* Whoever signs or submits here is at a door too: ERR_SUSPENDED (regime/suspension.h). In an open batch. */
enum err act_check_suspended(struct node *n, struct span note);

/* A party that was named by an option or operand; NULL: none, *out is empty. ERR_USAGE: no domain, and nothing is looked up by it. */
enum err act_party(const char *text, struct span *out);

/* Commits and publishes if e is OK, else abandons; closes the node. Gives the first error. */
enum err act_end(struct node *n, enum err e);

/* A command that says one thing: a batch of one statement, which write writes, signed by act_signer's key; reports it as what, or
 * the error. out may be NULL. Gives the exit code. write begins the writer and may fail at any point. */
typedef enum err act_write(void *context, struct cli *c, struct node *n, const struct signer *key,
			   struct statement_writer *w);
int act_say(struct cli *c, const char *what, act_write *write, void *context, struct appended *out);

/* The same: withdraws the matter in the first operand. only: of this kind, or ERR_USAGE; KIND_COUNT: of any. */
int act_withdraw(struct cli *c, enum kind only, struct appended *out);

/* The statement at one place of a ledger, in the arena. logged_ms may be NULL. */
enum err act_statement(struct cli *c, struct node *n, enum ledger_id l, uint64_t index, struct statement *out,
		       int64_t *logged_ms);

/* A full id, or the start of one (8 digits or more) of a matter in either ledger. */
enum err cli_matter(struct cli *c, const struct state *st, const char *text, struct matter *out);

/* --evidence: what shows something, sealed. */
struct act_evidence {
	struct span payload; /* at NULL: none */
	struct body_reference body;
	uint8_t salt[SEAL_SALT_SIZE];
};
enum err act_evidence_read(struct cli *c, struct act_evidence *out);
/* For an answer to that matter. */
void act_evidence_seal(struct act_evidence *v, struct hash matter, const struct signer *key);

/* Says that a statement was logged: a line, or an object. */
void act_report(struct cli *c, const char *what, const struct appended *a);

#endif
