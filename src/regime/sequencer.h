/* Submissions from many threads, one order. Signatures are verified on worker threads, against the key that the state
 * names; then one thread checks each statement against the state that the batch has reached, commits all that is ready
 * with one fdatasync, signs the checkpoint, and gives out the receipts. Tiles are written behind that.
 *
 * Statements are judged and logged in the order in which they were offered.
 *
 * If the node is lent (node.h), other processes have their turn between two batches; what is offered meanwhile waits. Behind
 * each of them all that was checked here has its own, so neither side can keep the other off. */
#ifndef REGIME_SEQUENCER_H
#define REGIME_SEQUENCER_H

#include "ledger/receipt.h"
#include <semaphore.h>

#include "regime/node.h"

struct sequencer;

struct sequencer_options {
	unsigned workers;    /* threads that verify; 0: one for each processor */
	size_t limit;	     /* most submissions under way, more are refused; 0: 4096 */
	unsigned publish_ms; /* least time between two checkpoint files; 0: 1000 */
	bool ticks;	     /* logs a tick when the last is over an hour old */
	bool lends;	     /* the node is lent to other processes that ask for it */
	/* After each batch, when it is durable and readers can see it, before its `done` calls, and after a loan, in which
	 * something may have changed: the greatest stamp (feed.h) that there is now. On the sequencing thread; must not block. May
	 * be NULL. */
	void (*reached)(void *context, uint64_t stamp);
	void *context;
};

/* The node is open for writing, has no open batch, and is published. Until the stop nobody else begins a batch, publishes
 * or ticks; reading (node_read, node_entry, node_body, node_receipt) goes on from any thread and waits for nobody.
 * ERR_BUSY: another process lends this node. */
enum err sequencer_start(struct node *n, const struct sequencer_options *options, struct sequencer **out);

#define SUBMISSION_DETAIL 256

/* One note on its way. It and its note are the submitter's and stay as they are until `done` is called, once, on a thread
 * of the sequencer: it must not block. It may offer the same submission again. */
struct submission {
	struct span note;
	/* The body that the note refers to, if it comes along: checked against the reference's size and hash, or with the salt
	 * against its commitment (ERR_BODY), and logged in the same batch if the note is accepted. at NULL: none. */
	struct span body;
	const uint8_t *salt; /* NULL: not sealed */
	/* The note is a guest's (node_add_guest), and this its home's receipt. at NULL: it is at home here. */
	struct span home_receipt;
	/* Work in its turn, on the sequencing thread, in the open batch; NULL: adds the note. It may add what it likes by
	 * node_add_*, statements too; if it logged any, it sets s->appended to one of them, whose receipt is given out (say, the
	 * first). What it refuses, it refuses before it adds anything: once something was added, it takes what it can and returns OK.
	 * If there is a note, its signature and receipt are verified by the workers as any other's, and if they are bad the
	 * work never runs; it is logged only if the work calls submission_add. note.at NULL: nothing is verified. Of the
	 * sequencer it calls nothing else. */
	enum err (*work)(struct node *n, struct submission *s);
	void (*done)(struct submission *s);
	void *context;

	/* For done to read. ERR_STATEMENT_REPEATED: it is in the ledger, appended is not set. err_is_machine or ERR_DAMAGED:
	 * nothing more is taken, the process should end. Any other: this statement is refused, and it alone. */
	enum err err;
	char detail[SUBMISSION_DETAIL];
	struct appended appended;
	struct span receipt; /* a C2SP tlog-proof; valid until done returns; empty: work that logged nothing */

	/* private */
	struct submission *next;
	int step;
	bool is_verified;
	struct verified verified;
	struct body_reference reference; /* of the body that came along */
	sem_t *ended;			 /* who waits for the end */
};

/* For work: the submission's note, as it would be added without work, guest and body too; *out may be &s->appended. Refused
 * with its reason: nothing was added. A failure of the machine or ERR_DAMAGED: return that. */
enum err submission_add(struct node *n, struct submission *s, struct appended *out);

/* Never blocks. On another result than OK done is not called. ERR_BUSY: too many are under way, or it is stopping; any
 * other: the machine failed earlier. Any thread. */
enum err sequencer_offer(struct sequencer *q, struct submission *s);

/* The same, waiting for the end: its result, with the detail. `done` is the sequencer's own, and there is no receipt then. Not from
 * within `done`. */
enum err sequencer_finish(struct sequencer *q, struct submission *s);
/* The same for a note alone, with its receipt in the arena. */
struct accepted {
	struct appended appended;
	struct span receipt;
};
enum err sequencer_submit(struct sequencer *q, struct span note, struct arena *a, struct accepted *out);

/* The receipt of an entry under the checkpoint that was signed last, as soon as it is logged. Only of the last entries:
 * ERR_NOT_FOUND, of all others; then the files have it (node_receipts_make), or it came in a loan and they will. Any thread. */
enum err sequencer_receipt(struct sequencer *q, struct arena *a, enum ledger_id l, uint64_t index, struct receipt *out);

/* Whether another process has the node at this moment. Any thread. */
bool sequencer_lent(struct sequencer *q);

/* Works off what is under way, publishes it, ends the threads; the node is the caller's again. The first failure of the
 * machine, if there was one. NULL is fine. A loan is waited for only if something is under way; else the node stays lent, and
 * node_close is all that may be called on it. */
enum err sequencer_stop(struct sequencer *q);

#endif
