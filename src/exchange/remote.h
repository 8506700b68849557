/* Another TAXII 2.1 server, of unknown quality (TAXII 2.1 as a client): pull what it has into a collection of this node,
 * push a collection of this node to it. Both go on where they stopped, and lose nothing. */
#ifndef EXCHANGE_REMOTE_H
#define EXCHANGE_REMOTE_H

#include "exchange/config.h"
#include "exchange/door.h"
#include "regime/node.h"

/* What to say to it. Secrets come from files or the environment, never from the command line. */
struct remote {
	struct span url;		   /* of a collection, an API root or the discovery */
	struct span collection;		   /* id, alias or title, where url names none */
	struct span user, password, token; /* empty: none */
	struct span certificate, key;	   /* PEM files; empty: none */
	const struct signer *signer;	   /* signs requests (access.h) if nothing else is given; NULL: not */
	const struct door_limits *limits;
};

struct remote_result {
	uint64_t seen, added, repeated, conflicts, refused, deleted, pages;
};
/* done: so far. */
typedef void remote_progress(void *context, const struct remote_result *done);

/* Pages are kept before the cursor is (a private record): after a stop the next pull goes on there. follow: goes on for
 * ever, asking again each interval. ERR_PEER: the other server repeats itself or contradicts itself, with what it did. */
enum err remote_pull(struct node *n, const struct remote *r, const struct collection_rule *into,
		     remote_progress *progress, void *context, struct remote_result *out);
/* Objects up to most_tlp. Waits for the status of each post; repeats only what failed for the machine's sake. */
enum err remote_push(struct node *n, const struct remote *r, const struct collection_rule *from, enum tlp most_tlp,
		     remote_progress *progress, void *context, struct remote_result *out);

#endif
