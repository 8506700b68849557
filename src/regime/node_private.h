/* What the files of the node share. Only for this room. */
#ifndef REGIME_NODE_PRIVATE_H
#define REGIME_NODE_PRIVATE_H

#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "ledger/tiles.h"
#include "regime/node.h"
#include "regime/state_private.h"
#include "store/journal.h"

#define NODE_FORMAT "1"
#define NODE_ARENA_MAX ((size_t)64 << 20)
#define BODY_MAX ((size_t)1 << 30)

/* How far the ledgers reach. In the view OWN under "heads", put with every batch. */
struct heads {
	uint64_t size[LEDGER_COUNT];
	int64_t logged_ms;	  /* of the last entry of all */
	enum ledger_id logged_in; /* and its ledger */
	uint64_t stamp;		  /* the greatest that was given (feed.h) */
};

struct held_key {
	struct held_key *next;
	struct signer *signer;
};

/* What a batch logged, in order: for who keeps the trees. */
struct batch_leaf {
	enum ledger_id ledger;
	struct hash leaf;
};

struct batch {
	bool open;
	enum err err; /* sticky: the machine failed in the middle of an entry */
	struct state state;
	struct heads heads;
	size_t records, bytes; /* marks left aside */
	struct mark *marks;
	size_t mark_count;
	struct batch_leaf *leaves;
	size_t leaf_count, leaf_room;
};

/* One ledger's published side. */
struct publication {
	struct publisher *publisher;
	bool published;		/* a checkpoint stands there */
	struct checkpoint last; /* its size and root; the origin is the node's */
	uint64_t next;		/* journal position from which entries are not yet fed */
};

/* Where the ledgers stood at some commit, and the checkpoints that were signed there. */
#define CHECKPOINT_NOTE_MAX 2048
struct reached {
	uint64_t end; /* of the journal */
	struct signed_checkpoint {
		uint64_t size;
		struct hash root;
		size_t length; /* of the note; 0: nothing is to be published */
		char note[CHECKPOINT_NOTE_MAX];
	} ledgers[LEDGER_COUNT];
};

struct node {
	char *dir;
	enum node_mode mode;
	int serving; /* DIR/serving, held by us; -1: we lend to nobody */
	bool lent;
	char name_text[KEY_NAME_MAX + 1], origin_text[LEDGER_COUNT][KEY_NAME_MAX + 1];
	struct span name, origin[LEDGER_COUNT];
	struct verifier party_key, ledger_key[LEDGER_COUNT];
	struct signer *_Atomic party; /* NODE_WRITE; another takes its place when the key changes (node_keys.c) */
	struct signer *ledger_signer[LEDGER_COUNT];
	struct held_key *held, *former;
	bool settled; /* the opening finished a change of the node's own key */
	struct journal *journal;
	struct views *views;
	struct marks *marks;
	struct arena *arena; /* of the statement or record in hand */
	struct buffer own;   /* the note in hand of node_add_own */
	char mended[512];    /* why the views were made anew at the opening */
	enum err broken;     /* the machine failed: nothing more is done */
	struct heads heads;
	struct batch batch;
	struct publication publications[LEDGER_COUNT];
};

/* DIR/<name> and what follows, in a fresh string; NULL: no memory. */
char *node_path(const struct node *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens journal, views and marks of a node whose names and keys are set, and catches up. */
enum err node_open_stores(struct node *n);
enum err node_catch_up(struct node *n);
/* Each file in DIR/keys holds the key that it should, as far as this user may read them. ERR_DAMAGED. */
enum err node_check_keys(struct node *n);
enum err node_write_file(const struct node *n);
/* The key that the ledger names. ERR_PARTY_UNKNOWN. */
enum err node_present_key(struct node *n, struct span domain, struct hash *out);
enum err node_open_publications(struct node *n);
void node_close_publications(struct node *n);
/* The journal's lock, waiting for the turn if another process lends the node. */
enum err node_take_journal(const struct node *n, const char *journal, int *lock);
/* In the open batch: a tick that names these checkpoints. */
enum err node_add_tick(struct node *n, const struct checkpoint published[LEDGER_COUNT], struct appended *out);
enum err node_tick_due(const struct state *st, bool *due);
/* Publishes just that. May run beside the thread that writes, which then must leave n->publications alone; n->broken is
 * not set. ERR_LEDGER_DIFFERS: the journal gives another root than the one that was signed. */
enum err node_publish_reached(struct node *n, const struct reached *r);

enum err heads_get(struct snapshot *s, struct heads *out); /* all 0 if there are none */
enum err heads_put(struct snapshot *s, const struct heads *h);
/* Gives the next stamp. A rebuild must come to the same ones from what is left in the journal: so the records that may be
 * erased must not be all that says how many were given. */
uint64_t heads_stamp(struct heads *h, int64_t logged_ms);
struct state_key key_entry(enum ledger_id l,
			   uint64_t index); /* of the view ENTRIES; the value: u64 position, u64 stamp */
enum err position_put(struct snapshot *s, enum view v, struct span key, uint64_t position);
enum err position_get(struct snapshot *s, enum view v, struct span key, uint64_t *position);

/* An entry at the place in st takes its place in the feeds (feed.h). */
enum err feeds_enter(const struct state *st, const struct statement *s, uint64_t stamp);

/* What a fold needs, beside the entry's place. */
struct state node_state(const struct node *n, struct snapshot *s, struct arena *a);

/* Takes one committed record into the views; st and heads go on by it. Marks are left alone. */
enum err record_fold(struct state *st, struct heads *heads, const struct record *r);
/* The same for an entry at the place in st that passed state_check_unsigned there a moment ago. */
enum err entry_enter(struct state *st, struct heads *heads, uint64_t position, const struct statement *s);

/* The first byte of a body's record. */
enum body_flags { BODY_SEALED = 1, BODY_OBJECTS = 2, BODY_RECEIPT = 4 };

/* How much work its fold is, in entries: so that a transaction does not grow too large. */
static inline uint64_t record_weight(const struct record *r)
{
	if (r->kind == RECORD_BODY && !r->erased && r->payload.len > 0 && (r->payload.at[0] & BODY_OBJECTS) != 0)
		return 1 + r->payload.len / 256; /* each object changes a page or two */
	return 1 + (r->kind == RECORD_PRIVATE ? r->payload.len / 64 : 0);
}

/* A body's record: u8 flags, 32 hash, if sealed 32 salt, if it has an index of objects (objects_private.h) u32 its length
 * and the index, then the payload. */
struct body_record {
	struct hash hash;
	const uint8_t *salt; /* NULL: not sealed */
	bool is_receipt;     /* of a guest (guest.h): nobody's body, so node_body never gives it */
	struct span index;   /* empty: none */
	struct span payload;
};
enum err body_unpack(struct span record, struct body_record *out);
/* The key in the view BODIES: the hash; of receipts the hash and a byte more, so that no statement can name one as its body. */
struct state_key key_body(struct hash hash, bool is_receipt);
/* The sealed body of the share that the batch logged last. If that fails, so does the batch. */
enum err node_add_objects(struct node *n, const struct body_reference *ref, const uint8_t *salt, struct span index,
			  struct span payload);

#endif
