#include "exchange/nonces.h"

#include <pthread.h>
#include <stdlib.h>

/* An open table that is at most half full. When it is, it is made anew without what is over, and larger if that was little. */
#define LEAST 64

struct slot {
	uint64_t one[2];  /* half of the hash: nobody can choose what another says */
	int64_t until_ms; /* 0: empty */
};

struct nonces {
	pthread_mutex_t lock;
	struct slot *slots;
	size_t room, used, most;
};

enum err nonces_new(size_t most, struct nonces **out)
{
	struct nonces *n = calloc(1, sizeof(*n));

	if (n == NULL || (n->slots = calloc(LEAST, sizeof(*n->slots))) == NULL) {
		free(n);
		return ERR_NO_MEMORY;
	}
	n->room = LEAST;
	n->most = most;
	pthread_mutex_init(&n->lock, NULL);
	*out = n;
	return OK;
}

void nonces_free(struct nonces *n)
{
	if (n == NULL)
		return;
	pthread_mutex_destroy(&n->lock);
	free(n->slots);
	free(n);
}

/* Where it is or would be. */
static struct slot *place(struct slot *slots, size_t room, const uint64_t one[2])
{
	size_t i = (size_t)one[0] & (room - 1);

	while (slots[i].until_ms != 0 && (slots[i].one[0] != one[0] || slots[i].one[1] != one[1]))
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static enum err make_room(struct nonces *n, int64_t now_ms)
{
	size_t alive = 0, room = LEAST;
	struct slot *slots;

	for (size_t i = 0; i < n->room; i++)
		alive += n->slots[i].until_ms > now_ms;
	if (alive >= n->most)
		return fail(ERR_BUSY, "too many signed requests within ten minutes");
	while (room < alive * 4)
		room *= 2;
	if ((slots = calloc(room, sizeof(*slots))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n->room; i++)
		if (n->slots[i].until_ms > now_ms)
			*place(slots, room, n->slots[i].one) = n->slots[i];
	free(n->slots);
	n->slots = slots;
	n->room = room;
	n->used = alive;
	return OK;
}

static enum err add(struct nonces *n, struct slot new, int64_t now_ms)
{
	struct slot *s = place(n->slots, n->room, new.one);
	enum err e = OK;

	if (s->until_ms > now_ms)
		return ERR_EXISTS;
	if (s->until_ms == 0 && (n->used >= n->room / 2 || n->used >= n->most)) {
		e = make_room(n, now_ms);
		if (e == OK)
			s = place(n->slots, n->room, new.one);
	}
	if (e == OK) {
		n->used += s->until_ms == 0;
		*s = new;
	}
	return e;
}

enum err nonces_add(struct nonces *n, struct hash one, int64_t until_ms, int64_t now_ms)
{
	struct slot new = { .until_ms = until_ms };
	enum err e;

	memcpy(new.one, one.bytes, sizeof(new.one));
	pthread_mutex_lock(&n->lock);
	e = until_ms > now_ms ? add(n, new, now_ms) : OK;
	pthread_mutex_unlock(&n->lock);
	return e;
}
