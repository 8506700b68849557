#include "ledger/recent.h"

#include <stdlib.h>

/*
 * A tail goes on from a frontier and keeps every node that is completed behind it. Why a proof of its leaves needs no others but that
 * frontier's: growth.c, points 1 and 3.
 *
 * To forget, there are two tails: what is added goes to both, proofs come from the older one. As soon as nothing before the
 * younger one's beginning is asked for any more, it takes the place of the older, and a new one begins. So what is kept is what came since
 * about the last but one time that something could be forgotten.
 */

#define LEVELS 64
#define FIRST_ROOM 64

struct level {
	struct hash *nodes;
	size_t count, room;
};

struct tail {
	struct frontier base;
	struct level levels[LEVELS];
};

struct recent {
	struct frontier now;
	struct tail *older, *younger;
};

static struct tail *tail_new(const struct frontier *from)
{
	struct tail *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->base = *from;
	return t;
}

static void tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	for (unsigned k = 0; k < LEVELS; k++)
		free(t->levels[k].nodes);
	free(t);
}

static enum err level_add(struct level *l, struct hash node)
{
	if (l->count == l->room) {
		size_t room = l->room == 0 ? FIRST_ROOM : 2 * l->room;
		struct hash *more = reallocarray(l->nodes, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		l->nodes = more;
		l->room = room;
	}
	l->nodes[l->count++] = node;
	return OK;
}

static enum err fetch(void *context, unsigned level, uint64_t index, struct hash *out)
{
	const struct tail *t = context;
	uint64_t first = t->base.size >> level;

	if (level < LEVELS && index >= first && index - first < t->levels[level].count)
		*out = t->levels[level].nodes[index - first];
	else if (level < LEVELS && index + 1 == first && (first & 1) == 1)
		*out = t->base.edge[level];
	else
		return fail(ERR_PROOF, "node %ju of level %u is not kept", (uintmax_t)index, level);
	return OK;
}

/* The leaf, and whatever it completes. index: of the node in hand. */
static enum err tail_add(struct tail *t, struct hash node)
{
	uint64_t index = t->base.size + t->levels[0].count;
	enum err e = level_add(&t->levels[0], node);

	for (unsigned k = 0; e == OK && k + 1 < LEVELS && (index & 1) == 1; k++, index >>= 1) {
		struct hash left;

		if ((e = fetch(t, k, index - 1, &left)) == OK) {
			node = merkle_node(left, node);
			e = level_add(&t->levels[k + 1], node);
		}
	}
	return e;
}

enum err recent_new(const struct frontier *from, struct recent **out)
{
	struct recent *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NO_MEMORY;
	r->now = *from;
	r->older = tail_new(from);
	r->younger = tail_new(from);
	if (r->older == NULL || r->younger == NULL) {
		recent_free(r);
		return ERR_NO_MEMORY;
	}
	*out = r;
	return OK;
}

void recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	tail_free(r->older);
	tail_free(r->younger);
	free(r);
}

enum err recent_add(struct recent *r, struct hash leaf)
{
	enum err e = tail_add(r->older, leaf);

	if (e == OK && r->younger->base.size > r->older->base.size)
		e = tail_add(r->younger, leaf);
	frontier_add(&r->now, leaf);
	return e;
}

/* Equal tails are one: the younger begins when there is something to forget. */
enum err recent_forget(struct recent *r, uint64_t from)
{
	struct tail *fresh;

	if (from <= r->older->base.size)
		return OK;
	if (r->younger->base.size > r->older->base.size && from < r->younger->base.size)
		return OK;
	if ((fresh = tail_new(&r->now)) == NULL)
		return ERR_NO_MEMORY;
	if (r->younger->base.size > r->older->base.size) {
		tail_free(r->older);
		r->older = r->younger;
	} else {
		tail_free(r->younger);
	}
	r->younger = fresh;
	return OK;
}

uint64_t recent_first(const struct recent *r)
{
	return r->older->base.size;
}

uint64_t recent_size(const struct recent *r)
{
	return r->now.size;
}

enum err recent_proof(const struct recent *r, uint64_t index, struct merkle_proof *out)
{
	if (index < r->older->base.size)
		return fail(ERR_PROOF, "entry %ju is not kept", (uintmax_t)index);
	return merkle_inclusion(index, r->now.size, fetch, r->older, out);
}
