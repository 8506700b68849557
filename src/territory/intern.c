#include "territory/intern.h"

#include <stdlib.h>

#include "territory/row.h"

#define MOST ((size_t)1 << 26)
#define FIRST_SLOTS 1024

static uint32_t mix(const uint8_t *p, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15;

	while (n > 0) {
		size_t part = n < 8 ? n : 8;
		uint64_t word = 0;

		memcpy(&word, p, part);
		p += part;
		n -= part;
		h = (h ^ word) * 0xbf58476d1ce4e5b9;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

/* The slot that holds the value or the free one where it belongs. */
static struct intern_slot *seek(const struct intern *t, const void *value, uint32_t tag)
{
	size_t i = tag & (t->slot_count - 1);

	while (t->slots[i].number != 0 &&
	       (t->slots[i].tag != tag || memcmp(t->at + (t->slots[i].number - 1) * t->size, value, t->size) != 0))
		i = (i + 1) & (t->slot_count - 1);
	return &t->slots[i];
}

/* At most half of the slots are taken. Moving them needs no look at the values: they differ. */
static enum err make_slots(struct intern *t)
{
	size_t count = t->slot_count == 0 ? FIRST_SLOTS : t->slot_count * 2;
	struct intern_slot *slots;

	if (t->count * 2 < t->slot_count)
		return OK;
	if ((slots = calloc(count, sizeof(*slots))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu values", t->count);
	for (size_t i = 0; i < t->slot_count; i++) {
		size_t to = t->slots[i].tag & (count - 1);

		if (t->slots[i].number == 0)
			continue;
		while (slots[to].number != 0)
			to = (to + 1) & (count - 1);
		slots[to] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
	return OK;
}

enum err intern(struct intern *t, const void *value, uint32_t *number)
{
	enum err e = make_slots(t);
	uint32_t tag = mix(value, t->size);
	struct intern_slot *slot;
	void *at = t->at;

	if (e != OK)
		return e;
	slot = seek(t, value, tag);
	if (slot->number == 0) {
		e = grow(&at, &t->room, t->count, t->size, MOST);
		t->at = at;
		if (e != OK)
			return e;
		memcpy(t->at + t->count * t->size, value, t->size);
		*slot = (struct intern_slot){ tag, (uint32_t)++t->count };
	}
	*number = slot->number - 1;
	return OK;
}

bool intern_find(const struct intern *t, const void *value, uint32_t *number)
{
	const struct intern_slot *slot = t->slot_count > 0 ? seek(t, value, mix(value, t->size)) : NULL;

	if (slot == NULL || slot->number == 0)
		return false;
	*number = slot->number - 1;
	return true;
}

void intern_free(struct intern *t)
{
	free(t->at);
	free(t->slots);
	*t = (struct intern){ .size = t->size };
}
