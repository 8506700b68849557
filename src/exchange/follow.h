/* Another node's ledgers, mirrored: tiles over HTTP, every byte verified under the keys that the node's party statement names
 * before it counts, resumed where it stopped. A mirror holds the tiles, the last checkpoint of each ledger and the state folded
 * from them, so that standing and claims are computed here from what that node logged. A checkpoint that does not extend the last
 * one is kept as evidence and the mirror stands still: the ledger forked.
 *
 *	DIR/followed/b.example/url
 *	DIR/followed/b.example/public/, circle/	 tiles and checkpoint, as in DIR/ledger
 *	DIR/followed/b.example/state/		 LMDB, rebuildable
 *	DIR/followed/b.example/fork-…		 both checkpoints, if there was one */
#ifndef EXCHANGE_FOLLOW_H
#define EXCHANGE_FOLLOW_H

#include "exchange/config.h"
#include "exchange/door.h"
#include "exchange/home.h"

struct follow_result {
	struct span node; /* in the arena */
	uint64_t entries[LEDGER_COUNT], fresh[LEDGER_COUNT];
	bool circle_open; /* its circle may be read by us */
};
typedef void follow_progress(void *context, enum ledger_id l, uint64_t done, uint64_t total);
/* The first time: learns who that is from its own party statement, which is logged here as a guest. ERR_LEDGER_FORK,
 * ERR_PEER, ERR_UNREACHABLE. */
enum err follow_url(struct home *h, struct arena *a, const char *url, const struct door_limits *limits,
		    const struct signer *signer, follow_progress *progress, void *context, struct follow_result *out);

#endif
