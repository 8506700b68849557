/* A node's directory: its name, keys, ledgers, journal, views. Whatever changes anything goes through here.
 *
 *	DIR/node		 name and format version
 *	DIR/keys/		 party.key, public.key, circle.key and keys of parties held here, 0600
 *	DIR/journal/		 the truth
 *	DIR/views/		 LMDB and mark runs, rebuildable
 *	DIR/ledger/public/, DIR/ledger/circle/	 checkpoint and tiles, rebuildable
 *	DIR/territory.table	 the compiled registry tables
 *	DIR/rejects/		 rows that could not be read
 *	DIR/serving		 how a process that lends the node and those who ask for it find each other
 *
 * A batch is all or nothing: journal first with one fdatasync, then the views. Statements are checked against the state
 * that the batch has reached so far. */
#ifndef REGIME_NODE_H
#define REGIME_NODE_H

#include "regime/state.h"
#include "store/marks.h"

struct node;
enum node_mode { NODE_READ, NODE_WRITE };

/* Makes the directory, three keys, an empty journal, and logs the first statements: `rules 2` and the node's own party
 * statement. ERR_NODE_EXISTS. */
enum err node_init(const char *dir, struct span name, struct span title);

/* NODE_READ works beside a writer and changes nothing: it sees what the views reflect, which may be behind the journal.
 * ERR_DAMAGED: the views must be made anew; any NODE_WRITE does that.
 * Runs the self-test, takes the writer's lock if asked (ERR_BUSY: another process has it, and does not lend the node, or not
 * within half a minute), catches the views and tiles up with the journal. ERR_NODE_MISSING. */
enum err node_open(const char *dir, enum node_mode mode, struct node **out);
void node_close(struct node *n);

/* Why the views were thrown away and made anew at the opening, "" if they were not. */
const char *node_mended(const struct node *n);

/* ---- lending ----
 *
 * A process that holds the node open for writing all the time lends it: whoever opens it for writing meanwhile waits for its
 * turn, gets the node as if nobody else had it, and gives it back with node_close. A loan goes to one borrower; then the lender
 * has its turn. A borrower that dies gives back what it had committed. Only the thread that writes calls these. */

/* From here to node_close the node can be asked for. ERR_BUSY: another process lends it; this one is its borrower. */
enum err node_serve(struct node *n);
/* Whether another process lends the node, so that whoever has it should not keep it while doing something else. */
bool node_is_borrowed(const struct node *n);
/* Whether somebody waits for the node. */
bool node_asked(const struct node *n);
/* Gives it up: no batch is open, nothing publishes. Until it is back reading goes on from any thread and sees what the borrower
 * does; nothing else may be called but node_regain and node_close. */
enum err node_lend(struct node *n);
/* ERR_BUSY: it is still lent; ask again in a moment. OK: it is here again, caught up and published. Any other: the machine
 * failed. */
enum err node_regain(struct node *n);

const char *node_dir(const struct node *n);
struct span node_name(const struct node *n);
struct span node_origin(const struct node *n, enum ledger_id l); /* "cert.example/circle" */
const struct verifier *node_ledger_key(const struct node *n, enum ledger_id l);
const struct signer *node_signer(const struct node *n); /* the node's own party key; NODE_WRITE only */
/* A secret of this node for one purpose, named by a text that is no note and no statement: the hash of a signature over it by the
 * circle's key, which stays when the party's changes. NODE_WRITE only. */
struct hash node_secret(const struct node *n, struct span purpose);
/* The key of a party that this node holds; made if missing and `make` is set. Owned by the node. */
enum err node_party_signer(struct node *n, struct span domain, bool make, const struct signer **out);
/* The key that shall take the place of a held party's: DIR/keys/NAME.key.next, made if there is none, and on the disk. The caller's to
 * free. */
enum err node_next_signer(struct node *n, struct span domain, struct signer **out);
/* Puts that key into the place of the other once the ledger names it; the old file is kept, with the date. Done for the node itself
 * whenever it is opened for writing, for others when their key is asked for. *finished: it was to be done. What an open batch says is
 * not looked at. */
enum err node_settle_key(struct node *n, struct span domain, bool *finished);
/* Whether the opening finished a change of the node's own key that was interrupted. */
bool node_settled(const struct node *n);

/* A snapshot to read the state from; ends with snapshot_end(out->snapshot). */
enum err node_read(struct node *n, struct arena *a, struct state *out);

/* One batch. NODE_WRITE, one thread. */
enum err node_begin(struct node *n);
/* The state that the batch has reached so far. */
const struct state *node_batch_state(const struct node *n);
struct appended {
	enum ledger_id ledger;
	uint64_t index;
	int64_t logged_ms;
	struct hash id;
	struct hash leaf; /* of its entry in the ledger's tree */
};
/* A signed statement. Refused with its reason (state_check), the batch goes on without it. */
enum err node_add_statement(struct node *n, struct span note, struct appended *out);
/* The same for a note whose signature was verified before, perhaps on another thread. It is verified again if the state
 * now asks for another key, or if it is not that note. NULL: as node_add_statement. */
struct verified {
	struct hash id;
	uint8_t signature[KEY_SIGNATURE_SIZE];
	struct verifier key;
	bool with_receipt;	/* the receipt too, of just this note: */
	struct verifier ledger; /* under this key of its home's ledger, */
	struct hash receipt;	/* the SHA-256 of its text */
};
enum err node_add_verified(struct node *n, struct span note, const struct verified *v, struct appended *out);
/* A guest: a statement whose home is another node's ledger, with the receipt that proves it (a C2SP tlog-proof; its `extra` is
 * the entry there). Checked: the receipt under the key that the home's party statement names (its own, if this is that
 * statement), then as any other. The receipt is kept as a body. ERR_RECEIPT, ERR_PROOF, ERR_KEY_UNKNOWN; ERR_PARTY_UNKNOWN: the
 * home is not known here, so its party statement has to come first. ERR_TOO_LONG: over RECEIPT_TEXT_MAX bytes. */
enum err node_add_guest(struct node *n, struct span note, struct span receipt, struct appended *out);
/* The same, if note and receipt were verified before (as node_add_verified). v may be NULL. */
enum err node_add_guest_verified(struct node *n, struct span note, struct span receipt, const struct verified *v,
				 struct appended *out);
#define RECEIPT_TEXT_MAX (160 * 1024) /* an entry in base64, the longest proof, a checkpoint with all its lines */
/* The receipt that a guest came with, complete with its `extra`. ERR_NOT_FOUND: it is no guest. */
enum err node_guest_receipt(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt);
/* A statement of the node's own: ends the writer with the node's key and adds it. Everything is checked but the
 * signature that was made this moment; the audit verifies them all. */
enum err node_add_own(struct node *n, struct statement_writer *w, struct appended *out);
/* A private body (salt and payload) or a public one (salt NULL) that a statement refers to; the reference is checked by
 * whoever adds. Parts are joined. */
enum err node_add_body(struct node *n, const struct body_reference *ref, const uint8_t *salt, const struct span *parts,
		       size_t count);
/* Sorted, unique, none of them known, also not added before in this batch. Copied. */
enum err node_add_marks(struct node *n, const struct mark *sorted, size_t count);
/* A private record (sighting.h, directive.h, waiting.h): folded at once into the views that the batch sees. kind:
 * RECORD_PRIVATE, or RECORD_RAW for rows that may be erased later. ERR_USAGE: not one that this node writes. The first
 * byte of the joined parts is its tag. */
enum err node_add_private(struct node *n, uint8_t kind, const struct span *parts, size_t count);
/* Reads such a record back, into the arena. ERR_NOT_FOUND. */
enum err node_private(struct node *n, struct arena *a, uint64_t position, struct span *payload);
/* Durable on OK; then folded into the views. A failure of the machine ends the node. */
enum err node_commit(struct node *n);
void node_abandon(struct node *n);

/* NODE_READ: those that a writer has put into files, which may be fewer; NULL if there are none. */
const struct marks *node_marks(const struct node *n);

/* Signs checkpoints of what is committed and writes tiles. After the commit, off its path; also done by node_open. */
enum err node_publish(struct node *n);

/* Logs a tick with the checkpoints of both ledgers if the last is over an hour old (or force). */
enum err node_tick(struct node *n, bool force);

/* Reading back. Entry text and body payload in the arena. */
enum err node_entry(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *entry);
enum err node_find(struct node *n, struct hash id, enum ledger_id *l, uint64_t *index); /* ERR_NOT_FOUND */
enum err node_body(struct node *n, struct arena *a, struct hash hash, const uint8_t **salt, struct span *payload);
/* Overwrites a body in the journal, durably, and takes what came with it out of the views; its hash stays in the ledger.
 * NODE_WRITE, the thread that writes, no batch open. OK if it was erased before. ERR_NOT_FOUND; ERR_USAGE: the body of a
 * share that deleted objects, which would come back without it. */
enum err node_erase_body(struct node *n, struct hash hash);
/* The receipt (C2SP tlog-proof) of an entry under the published checkpoint. */
enum err node_receipt(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt);
/* Many of them, under the checkpoint that is published at the opening: its tiles are read once. One thread. */
struct node_receipts;
struct receipt;
enum err node_receipts_open(struct node *n, enum ledger_id l, struct node_receipts **out);
void node_receipts_close(struct node_receipts *r); /* NULL is fine */
/* The checkpoint is valid until the close. ERR_NOT_FOUND: it is not yet under that checkpoint. */
enum err node_receipts_make(struct node_receipts *r, uint64_t index, struct receipt *out);

/* Recomputes everything: journal checksums, every entry's leaf, signature and tile, checkpoints, and the whole state
 * into a fresh view, compared byte for byte. The detail names the first difference. ERR_LEDGER_DIFFERS. */
struct audit {
	uint64_t entries[LEDGER_COUNT], signatures, state_keys, marks;
	uint64_t guests;		     /* whose home's receipt was verified again */
	uint64_t bodies, bodies_erased;	     /* erased ones: only their references remain */
	uint64_t sightings, sighting_events; /* lines, and events counted in them */
	uint64_t waiting;		     /* packs of rows that wait for their addressee's interval */
	uint64_t objects, objects_deleted;   /* shared STIX objects, versions of them that were deleted */
	struct hash root[LEDGER_COUNT], state;
	struct hash views; /* of all that is made from the journal: the same for every rebuild */
};
/* progress may be NULL; done and total are journal positions. */
typedef void audit_progress(void *context, uint64_t done, uint64_t total);
enum err node_audit(struct node *n, audit_progress *progress, void *context, struct audit *out);

#endif
