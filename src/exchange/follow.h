/* Another node's ledgers, mirrored: tiles over HTTP, every byte verified under the keys that the node's party statement names
 * before it counts, resumed where it stopped. A mirror holds the tiles, the last checkpoint of each ledger and the state folded
 * from them (regime/mirror.h), so that standing and claims are computed here from what that node logged. A checkpoint that does
 * not extend the last one is kept as evidence and the mirror stands still: the ledger forked.
 *
 *	DIR/followed/b.example/url
 *	DIR/followed/b.example/party		 its party statement, which names the keys
 *	DIR/followed/b.example/public/, circle/	 tiles and checkpoint, as in DIR/ledger
 *	DIR/followed/b.example/together		 the sizes at which both were seen to stand
 *	DIR/followed/b.example/state/		 LMDB, rebuildable
 *	DIR/followed/b.example/body/, bodies	 the evidence of proofs, by its SHA-256, and how far it was looked for
 *	DIR/followed/b.example/fork-…		 what cannot both be true, if there was such a thing
 *	DIR/followed/b.example/lock, folding	 one process at a time */
#ifndef EXCHANGE_FOLLOW_H
#define EXCHANGE_FOLLOW_H

#include "net/door.h"
#include "regime/kinds.h"
#include "regime/state.h"

/* Who follows: a command with the node in its hand, or the server. */
struct follow_host {
	const char *dir;
	struct span node;	     /* our own name */
	const struct signer *signer; /* our party key, to show who asks for a circle; NULL: nobody in particular */
	/* A snapshot of our own state; ends with snapshot_end. */
	enum err (*read)(void *context, struct arena *a, struct state *out);
	/* Logs a guest (node_add_guest), durably. */
	enum err (*guest)(void *context, struct span note, struct span receipt);
	/* Time to end: asked between two answers and a few times a second. NULL: never. */
	bool (*stop)(void *context);
	void (*progress)(void *context, enum ledger_id l, uint64_t done, uint64_t total); /* NULL: nobody looks */
	void (*folding)(void *context, uint64_t done, uint64_t total); /* likewise, of both ledgers */
	void *context;
};

struct follow_result {
	struct span node; /* in the arena */
	struct hash fingerprint;
	bool first; /* not followed before: it was believed at first sight, or by the fingerprint that was given */
	uint64_t entries[LEDGER_COUNT], fresh[LEDGER_COUNT];
	bool circle_open; /* its circle may be read by us */
	/* Party statements logged here as guests: the node's own, and of parties with claims that it approved. */
	unsigned guests, refused;
	char why_refused[256];
};
/* One round. The first time it learns who that is from the node's own party statement; pin is the fingerprint that it must have,
 * NULL: any. ERR_LEDGER_FORK: now or in an earlier round. ERR_PEER: it answers against the protocol; what came before is kept.
 * ERR_KEY: another key than the one known here, or than the pin. ERR_UNREACHABLE, ERR_REFUSED_URL; ERR_BUSY: another process
 * is at it; ERR_USAGE: no address of a node. */
enum err follow_url(const struct follow_host *h, struct arena *a, struct span url, const struct door_limits *limits,
		    const struct hash *pin, struct follow_result *out);

/* What stands in a followed node's folder, for lists. In the arena. */
struct followed {
	struct span node, url;
	struct hash fingerprint;
	bool has_circle;
	uint64_t entries[LEDGER_COUNT], folded[LEDGER_COUNT];
	int64_t logged_ms; /* of the newest entry folded; 0: none */
	int64_t seen_ms;   /* the end of the last round that came through; 0: none yet */
	unsigned forks;
};
enum err followed_read(struct arena *a, const char *dir, struct span node, struct followed *out);
/* The digest of its folded state (state_digest): the same as the node's own, where both reach as far. ERR_NOT_FOUND: none yet. */
enum err followed_digest(const char *dir, struct span node, struct hash *out);
/* Forgets the mirror. What was logged here of it stays. ERR_NOT_FOUND; ERR_BUSY. */
enum err followed_remove(const char *node_dir, struct span node);

#endif
