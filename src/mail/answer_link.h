/* The link in a mail, by which one answers without an account. It names the notice, for whom, and until when, with a MAC by a key
 * made from the node's own; nothing is stored for it. A GET shows the page and does nothing, since scanners follow links; only
 * the form's POST answers, and the node signs as recorder (`for`, `via mail`). */
#ifndef MAIL_ANSWER_LINK_H
#define MAIL_ANSWER_LINK_H

#include "regime/node.h"

#define ANSWER_LINK_MAX 160
struct answer_link {
	struct hash notice;
	unsigned addressee; /* its number among the notice's, `to` and then `cc` */
	int64_t until_ms;   /* whole hours: rounded up in the link */
	struct hash
		contact; /* hash_span of the mail address, so that its health can be told; the link has its first 8 bytes */
};
/* The token: URL-safe, behind "/answer/". The node is open for NODE_WRITE. */
void answer_link_print(const struct node *n, const struct answer_link *l, char out[ANSWER_LINK_MAX]);
/* ERR_NOT_FOUND: no token of this node; ERR_EXPIRED: it was one. */
enum err answer_link_read(const struct node *n, struct span token, int64_t now_ms, struct answer_link *out);

/* The same under the key itself, which answer_link_key makes from the node's. */
#define ANSWER_KEY_SIZE 32
void answer_link_key(const struct node *n, uint8_t key[ANSWER_KEY_SIZE]);
void answer_token_print(const uint8_t key[ANSWER_KEY_SIZE], const struct answer_link *l, char out[ANSWER_LINK_MAX]);
enum err answer_token_read(const uint8_t key[ANSWER_KEY_SIZE], struct span token, int64_t now_ms,
			   struct answer_link *out);

#endif
