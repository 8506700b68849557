/* The parts of the audit. Only for this room. */
#ifndef REGIME_NODE_AUDIT_H
#define REGIME_NODE_AUDIT_H

#include "regime/node_private.h"

/* Signatures are verified on all processors, beside the walk. */
struct signature_checker;
enum err signature_checker_new(struct signature_checker **out);
/* Copies the note of a statement, whose one line was signed by this key, or was not. */
enum err signature_checker_add(struct signature_checker *c, const struct note *note, const struct verifier *key,
			       enum ledger_id l, uint64_t index);
/* ERR_LEDGER_DIFFERS names the first entry that fails. */
enum err signature_checker_finish(struct signature_checker *c, uint64_t *verified);
void signature_checker_free(struct signature_checker *c);

#define AUDIT_VIEWS_ADVICE "remove the folder views, it is made again from the journal"

/* Every key and value of the fresh view stands in the live one, and no others. */
enum err audit_compare(const struct node *n, struct snapshot *fresh, struct snapshot *live, struct journal *j,
		       enum view v, uint64_t *keys);

/* Counts the sightings, and reads every pack that waits from its record. */
enum err audit_check_private(struct node *n, struct snapshot *fresh, struct snapshot *live, struct arena *a,
			     struct audit *out);

/* The published side: checkpoint, tiles, bundles, and the checkpoints that ticks name. */
struct audit_published {
	bool there;
	struct checkpoint checkpoint;
	struct hash root; /* of the journal's entries at that size, once they are seen */
	bool root_seen;
};
/* Reads what is published now. ERR_LEDGER_DIFFERS: a checkpoint of another key. */
enum err audit_read_published(struct node *n, enum ledger_id l, struct arena *a, struct audit_published *out);
enum err audit_check_published(struct node *n, enum ledger_id l, struct arena *a, const struct audit_published *p);

#endif
