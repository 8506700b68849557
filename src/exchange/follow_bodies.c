/* The evidence of proofs, kept beside the mirror of the ledger that they stand in, so that it is verified here again whatever
 * becomes of that node. A body that is not there, or not what its statement binds, is passed over: then nothing shows the proof. */
#include <stdio.h>

#include "exchange/follow_private.h"
#include "regime/mirror.h"
#include "regime/proof.h"

#define SOME 64 /* so many are wanted at once, and as much is done again after a crash */

struct listing {
	const char *dir;
	struct arena *arena;
	struct hash *hashes;
	size_t count;
	uint64_t next;
	bool more;
};

#define FULL ERR_EXISTS /* ends the walk; never leaves this file */

static enum err list_body(void *context, const struct matter *m)
{
	struct listing *l = context;

	if (l->count == SOME) {
		l->more = true;
		return FULL;
	}
	l->next = m->index + 1;
	if (m->has_body && !m->body.sealed && m->body.size <= PROOF_BODY_MAX &&
	    !mirror_body_is_kept(l->dir, l->arena, m->body.hash))
		l->hashes[l->count++] = m->body.hash;
	return OK;
}

/* Without a snapshot being held while the network is waited for. */
static enum err list_some(struct follow_bodies *b, struct arena *a, struct listing *l)
{
	struct mirror *m = NULL;
	struct mirror_reach reach;
	struct state st;
	enum err e = mirror_bodies_reached(b->dir, a, &l->next);

	if (e == OK && (l->hashes = arena_array(a, SOME, sizeof(*l->hashes))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = mirror_open(b->dir, b->node, false, &m);
	if (e == OK && (e = mirror_read(m, a, &st)) == OK) {
		e = state_matters(&st, LEDGER_PUBLIC, KIND_PROOF, l->next, list_body, l);
		snapshot_end(st.snapshot);
	}
	if (e == OK && (e = mirror_reach(m, &reach)) == OK) /* nothing in it was left out */
		l->next = reach.folded[LEDGER_PUBLIC] > l->next ? reach.folded[LEDGER_PUBLIC] : l->next;
	mirror_close(m);
	return e == FULL ? OK : e;
}

static enum err path_of(struct hash hash, char out[80])
{
	char hex[HASH_HEX + 1];

	hash_hex(hash, hex);
	return snprintf(out, 80, "/body/%s", hex) < 80 ? OK : ERR_TOO_LONG;
}

static enum err fetch(struct follow_bodies *b, struct arena *a, struct hash hash)
{
	struct span body;
	char path[80];
	enum err e = path_of(hash, path);

	if (e == OK)
		e = peer_get(b->peer, path, false, PROOF_BODY_MAX, &body);
	if (e == ERR_NOT_FOUND || e == ERR_CREDENTIALS || e == ERR_PEER ||
	    (e == OK && !hash_equal(hash_span(body), hash)))
		return OK;
	if (e == OK && (e = mirror_body_keep(b->dir, a, hash, body)) == OK)
		b->fresh++;
	return e;
}

static enum err fetch_some(struct follow_bodies *b, struct arena *a, bool *more)
{
	struct listing l = { .dir = b->dir, .arena = a };
	char path[80];
	enum err e = list_some(b, a, &l);

	for (size_t i = 0; e == OK && i < l.count; i++)
		if ((e = path_of(l.hashes[i], path)) == OK)
			peer_want(b->peer, path, false);
	for (size_t i = 0; e == OK && i < l.count; i++)
		e = fetch(b, a, l.hashes[i]);
	*more = l.more;
	return e == OK ? mirror_bodies_reach(b->dir, a, l.next) : e;
}

enum err bodies_follow(struct follow_bodies *b)
{
	struct arena *a = arena_new((size_t)16 << 20);
	bool more = true;
	enum err e = a == NULL ? ERR_NO_MEMORY : OK;

	while (e == OK && more && (b->host->stop == NULL || !b->host->stop(b->host->context))) {
		arena_reset(a);
		e = fetch_some(b, a, &more);
	}
	arena_free(a);
	/* What is verified already counts; the rest comes in the next round. */
	return e == ERR_UNREACHABLE || e == ERR_BUSY || e == ERR_NOT_FOUND ? OK : e;
}
