/* The state of another node, folded from a mirror of its ledgers (exchange/follow.h), which were verified as they came. */
#ifndef REGIME_MIRROR_H
#define REGIME_MIRROR_H

#include "ledger/ledger_reader.h"
#include "regime/state.h"

/* A mirror that is open more than once in a process is shared: any number of threads may read; one folds. */
struct mirror;
/* dir: DIR/followed/<node>. write: for folding; one process at a time (ERR_BUSY; also while this one has it open for reading
 * only). ERR_NOT_FOUND: no such mirror, or nothing was folded yet. */
enum err mirror_open(const char *dir, struct span node, bool write, struct mirror **out);
void mirror_close(struct mirror *m); /* NULL is fine */
/* Folds what the verified tiles hold beyond what was folded, in the order of `logged`, public before circle at the same
 * instant; every signature is verified. What one ledger holds beyond the other's last entry waits, unless both are known to
 * stand where they stood together (mirror_together). A part that came later and belongs before what was folded, such as a
 * circle that opens, has all of it folded anew. ERR_PEER: an entry that no node may log; the state ends before it.
 * ERR_LEDGER_FORK: a tick names a checkpoint that the tiles do not give. ERR_BUSY: also when it was told to stop; what was folded
 * is kept, and the next one goes on from there. watch NULL: nobody watches. */
struct mirror_watch {
	bool (*stop)(void *context); /* NULL: never */
	void (*progress)(void *context, uint64_t done,
			 uint64_t total); /* entries folded, of both ledgers; may be NULL */
	void *context;
};
enum err mirror_catch_up(struct mirror *m, const struct mirror_watch *watch);
/* As node_read. ERR_BUSY: it is being folded anew. */
enum err mirror_read(struct mirror *m, struct arena *a, struct state *out);
/* How far it was folded. */
struct mirror_reach {
	uint64_t folded[LEDGER_COUNT], size[LEDGER_COUNT]; /* size: of the tiles */
	int64_t logged_ms;				   /* of the last entry that was folded; 0: none */
};
enum err mirror_reach(struct mirror *m, struct mirror_reach *out);
/* The receipt of an entry under the mirror's checkpoint, with the entry as its `extra`: as its node would give it. */
enum err mirror_receipt(const char *dir, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt);
/* The note of that entry. */
enum err mirror_note(const char *dir, struct arena *a, enum ledger_id l, uint64_t index, struct span *note);

/* Public bodies that were fetched with it, by their SHA-256, which is verified. ERR_NOT_FOUND. */
#define MIRROR_BODY_MAX ((size_t)1 << 20)
enum err mirror_body(const char *dir, struct arena *a, struct hash hash, struct span *payload);
/* payload has that hash. Durable on OK. */
enum err mirror_body_keep(const char *dir, struct arena *a, struct hash hash, struct span payload);
bool mirror_body_is_kept(const char *dir, struct arena *a, struct hash hash);
/* The entry of the public ledger from which on nobody has looked for bodies yet; set durably. */
enum err mirror_bodies_reached(const char *dir, struct arena *a, uint64_t *index);
enum err mirror_bodies_reach(const char *dir, struct arena *a, uint64_t index);

/* A party that this node kept and that withdrew there: the entries of its last statement and of what took that back, both of the
 * public ledger. st: of the mirror. ERR_PARTY_UNKNOWN: it did not withdraw, or was never kept there. */
enum err mirror_withdrawn(const char *dir, const struct state *st, struct arena *a, struct span domain, uint64_t *filed,
			  uint64_t *withdrawn);

/* Whoever mirrors says that these sizes were seen together: nothing of either ledger was missing behind them. */
enum err mirror_together(const char *dir, const uint64_t size[LEDGER_COUNT]);

/* Evidence of a fork: what was held to be true, and what was shown then. Durable on OK. */
enum err mirror_fork_keep(const char *dir, enum ledger_id l, struct span kept, struct span shown);
/* How many were kept; the mirror stands still from the first on. */
unsigned mirror_forks(const char *dir);

/* All mirrors of a node's directory. */
typedef enum err mirror_each(void *context, const char *dir, struct span node);
enum err mirrors_walk(const char *node_dir, mirror_each *each, void *context);

#endif
