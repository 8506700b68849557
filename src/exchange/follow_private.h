/* What the files of following share. Only for this room. */
#ifndef EXCHANGE_FOLLOW_PRIVATE_H
#define EXCHANGE_FOLLOW_PRIVATE_H

#include "exchange/follow.h"
#include "ledger/checkpoint.h"
#include "note/key.h"

/* ---- follow_peer.c: the other node, asked by GET alone ---- */

struct peer;
/* url: "https://b.example" or with a port; nothing behind it. ERR_USAGE. */
enum err peer_open(const struct follow_host *h, struct span url, const struct door_limits *limits, struct peer **out);
void peer_close(struct peer *p); /* NULL is fine */
const char *peer_url(const struct peer *p);
/* It may be asked for this soon: begins now, if there is room. Signed: shows who we are. */
void peer_want(struct peer *p, const char *path, bool is_signed);
/* The whole body; valid until the next peer_get. At most `most` bytes: more is ERR_PEER. ERR_NOT_FOUND (404), ERR_CREDENTIALS
 * (401, 403, and 429 to what is signed: who is not known is let try only so often), ERR_UNREACHABLE (also 429 and 5xx, after some
 * patience; or it is time to end), ERR_PEER. */
enum err peer_get(struct peer *p, const char *path, bool is_signed, size_t most, struct span *body);

/* ---- follow_ledger.c ---- */

struct ledger_round {
	struct peer *peer;
	const struct follow_host *host;
	const char *dir; /* DIR/followed/b.example */
	enum ledger_id ledger;
	const struct verifier *key;
	bool is_signed;	      /* shows who we are */
	uint64_t size, fresh; /* what is there now, and how much of it is new */
};
/* Brings the mirror of one ledger up to the checkpoint that the node shows now. ERR_NOT_FOUND, ERR_CREDENTIALS: the checkpoint
 * is not for us. ERR_LEDGER_FORK: proven, and kept. */
enum err ledger_follow(struct ledger_round *r);

/* ---- follow_bodies.c ---- */

struct follow_bodies {
	struct peer *peer;
	const struct follow_host *host;
	const char *dir;
	struct span node;
	uint64_t fresh; /* fetched now */
};
/* Fetches the bodies of the proofs that the mirror's state has and that were not looked for yet. */
enum err bodies_follow(struct follow_bodies *b);

#endif
