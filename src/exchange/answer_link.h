/* The link in a mail, by which one answers without an account. It names the notice, for whom, and until when, with a MAC by a key
 * made from the node's own; nothing is stored for it. A GET shows the page and does nothing, since scanners follow links; only
 * the form's POST answers, and the node signs as recorder (`for`, `via mail`). */
#ifndef EXCHANGE_ANSWER_LINK_H
#define EXCHANGE_ANSWER_LINK_H

#include "exchange/server.h"

#define ANSWER_LINK_MAX 160
struct answer_link {
	struct hash notice;
	unsigned addressee;  /* its number among the notice's, `to` and then `cc` */
	int64_t until_ms;    /* whole hours */
	struct hash contact; /* of the mail address, so that its health can be told; cut to 8 bytes in the link */
};
/* The token: URL-safe, behind "/answer/". */
void answer_link_print(const struct node *n, const struct answer_link *l, char out[ANSWER_LINK_MAX]);
/* ERR_NOT_FOUND: no token of this node; ERR_EXPIRED: it was one. */
enum err answer_link_read(const struct node *n, struct span token, int64_t now_ms, struct answer_link *out);

extern const struct http_door answer_doors[];
extern const size_t answer_door_count;

#endif
