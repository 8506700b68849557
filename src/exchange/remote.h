/* Another TAXII 2.1 server, of unknown quality (TAXII 2.1 as a client): pull what it has into a collection of this node,
 * push a collection of this node to it. Both go on where they stopped, and lose nothing. */
#ifndef EXCHANGE_REMOTE_H
#define EXCHANGE_REMOTE_H

#include "net/config.h"
#include "net/door.h"
#include "exchange/home.h"

/* What to say to it. Texts end with a 0. */
struct remote {
	struct span url;		   /* of a collection, an API root, the discovery, or of the host alone */
	struct span collection;		   /* id, alias or title, where url names none */
	struct span user, password, token; /* empty: none */
	struct span certificate, key;	   /* PEM files; empty: none */
	const struct signer *signer;	   /* signs requests (access.h) if nothing else is given; NULL: not */
	const struct door_limits *limits;
};

/* One page, or one post, is a step. */
struct remote_result {
	uint64_t seen, added, repeated, conflicts, refused, deleted, steps;
};

/* Who wants to know. refused: an object that this node does not keep, or the other one does not take, and why; its text is
 * empty where the other side judged. */
struct remote_watcher {
	void (*progress)(void *context, const struct remote_result *so_far);
	void (*refused)(void *context, struct span id, struct span why, struct span object);
	void *context;
};

/* All versions of all objects, and deletions where the other side tells them (as a Comity node does). Each page is one batch,
 * together with where it ended; while the other side is asked the node is free.
 * ERR_PEER: the other server repeats or contradicts itself, with what it did. ERR_CREDENTIALS, ERR_NOT_FOUND,
 * ERR_UNREACHABLE; the machine's. What was taken before an error stays, and *out tells of it. */
enum err remote_pull(struct home *h, const struct remote *r, const struct collection_rule *into,
		     const struct remote_watcher *watcher, struct remote_result *out);

/* Objects up to most_tlp, in posts that the other side takes, and deletions. Each post's status is waited for; what it
 * refuses is counted as refused and not sent again, a post that got lost is. */
enum err remote_push(struct home *h, const struct remote *r, const struct collection_rule *from, enum tlp most_tlp,
		     const struct remote_watcher *watcher, struct remote_result *out);

#endif
