#include "route/lines.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_SLOTS 16

enum line_word line_decide(const struct sighting *before, const struct directive *d, const struct sighting_change *now)
{
	if (before == NULL || before->told == 0)
		return LINE_FIRST;
	if (d->carrier_nat)
		return LINE_EACH;
	if (d->quiet_ms > 0 && now->last_ms - before->last_ms >= d->quiet_ms)
		return LINE_AGAIN;
	if (d->window_ms <= 0 || now->last_ms - before->told_ms >= d->window_ms)
		return LINE_STILL;
	if (d->threshold > 0 && (before->held >= d->threshold || now->count >= d->threshold - before->held))
		return LINE_MANY;
	return LINE_HELD;
}

void lines_free(struct lines *l)
{
	free(l->at);
	free(l->slots);
	*l = (struct lines){ 0 };
}

static uint64_t hash_of(const struct line *x)
{
	uint64_t h = x->high ^ (x->low + x->notice) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 29 ^ ((uint64_t)x->detail << 16 | (uint64_t)x->family << 8 | x->length)) *
	    UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->low == b->low && a->high == b->high && a->detail == b->detail && a->notice == b->notice &&
	       a->family == b->family && a->length == b->length;
}

static uint32_t *slot_of(const struct lines *l, const struct line *x)
{
	size_t i = hash_of(x) & (l->slot_count - 1);

	while (l->slots[i] != 0 && !same(&l->at[l->slots[i] - 1], x))
		i = (i + 1) & (l->slot_count - 1);
	return &l->slots[i];
}

static enum err slots_make(struct lines *l, size_t count)
{
	l->slot_count = count;
	if (count > l->slot_room) {
		free(l->slots);
		l->slot_room = 0;
		if ((l->slots = malloc(count * sizeof(*l->slots))) == NULL)
			return ERR_NO_MEMORY;
		l->slot_room = count;
	}
	memset(l->slots, 0, count * sizeof(*l->slots));
	for (size_t i = 0; i < l->count; i++)
		*slot_of(l, &l->at[i]) = (uint32_t)i + 1;
	return OK;
}

enum err lines_clear(struct lines *l, size_t expected)
{
	size_t count = LEAST_SLOTS;

	while (count < 2 * expected)
		count *= 2;
	l->count = 0;
	return slots_make(l, count);
}

struct line *lines_add(struct lines *l, const struct line *like, bool *added)
{
	uint32_t *slot;

	if (2 * (l->count + 1) > l->slot_count &&
	    slots_make(l, l->slot_count == 0 ? LEAST_SLOTS : 2 * l->slot_count) != OK)
		return NULL;
	slot = slot_of(l, like);
	if ((*added = *slot == 0)) {
		if (l->count == l->room) {
			size_t room = l->room + l->room / 2 + 64;
			struct line *bigger = realloc(l->at, room * sizeof(*bigger));

			if (bigger == NULL)
				return NULL;
			l->at = bigger;
			l->room = room;
		}
		l->at[l->count] = *like;
		*slot = (uint32_t)++l->count;
	}
	return &l->at[*slot - 1];
}

static void count_in(struct sighting_change *c, const struct row_entry *e)
{
	c->count++;
	if (e->time_ms == 0)
		return;
	if (c->first_ms == 0 || e->time_ms < c->first_ms)
		c->first_ms = e->time_ms;
	if (e->time_ms > c->last_ms)
		c->last_ms = e->time_ms;
}

enum err lines_group(struct lines *l, const struct row_entry *entries, const uint32_t *order, size_t count,
		     uint32_t *line_of)
{
	enum err e = lines_clear(l, count);

	for (size_t i = 0; e == OK && i < count; i++) {
		const struct row_entry *x = &entries[order[i]];
		struct line like = { .notice = row_notice(x),
				     .high = x->high,
				     .low = x->low,
				     .detail = x->detail,
				     .family = x->family,
				     .length = x->source_length };
		bool added;
		struct line *line = lines_add(l, &like, &added);

		if (line == NULL)
			return ERR_NO_MEMORY;
		count_in(&line->now, x);
		line_of[order[i]] = (uint32_t)(line - l->at);
	}
	return e;
}
