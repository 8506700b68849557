#include "exchange/home.h"

enum err home_open(struct home *h)
{
	return h->node != NULL ? OK : node_open(h->dir, NODE_WRITE, &h->node);
}

/* The lender publishes what a borrower wrote. */
void home_rest(struct home *h)
{
	if (h->node == NULL || !node_is_borrowed(h->node))
		return;
	node_close(h->node);
	h->node = NULL;
}

enum err home_close(struct home *h)
{
	enum err e = h->node != NULL ? node_publish(h->node) : OK;

	node_close(h->node);
	h->node = NULL;
	return e;
}
