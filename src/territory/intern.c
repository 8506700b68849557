#include "territory/intern.h"

#include <stdlib.h>

#include "territory/row.h"

#define MOST ((size_t)1 << 26)
#define FIRST_SLOTS 1024

static uint64_t mix(const uint8_t *p, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15;

	for (; n > 0; n -= n < 8 ? n : 8, p += 8) {
		uint64_t word = 0;

		memcpy(&word, p, n < 8 ? n : 8);
		h = (h ^ word) * 0xbf58476d1ce4e5b9;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

/* The slot that holds the value or the free one where it belongs. */
static uint32_t *seek(const struct intern *t, const void *value)
{
	size_t i = mix(value, t->size) & (t->slot_count - 1);

	while (t->slots[i] != 0 && memcmp(t->at + (t->slots[i] - 1) * t->size, value, t->size) != 0)
		i = (i + 1) & (t->slot_count - 1);
	return &t->slots[i];
}

/* At most half of the slots are taken. */
static enum err make_slots(struct intern *t)
{
	size_t count = t->slot_count == 0 ? FIRST_SLOTS : t->slot_count * 2;
	uint32_t *slots;

	if (t->count * 2 < t->slot_count)
		return OK;
	if ((slots = calloc(count, sizeof(*slots))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu values", t->count);
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
	for (size_t i = 0; i < t->count; i++)
		*seek(t, t->at + i * t->size) = (uint32_t)i + 1;
	return OK;
}

enum err intern(struct intern *t, const void *value, uint32_t *number)
{
	enum err e = make_slots(t);
	void *at = t->at;
	uint32_t *slot;

	if (e != OK)
		return e;
	slot = seek(t, value);
	if (*slot == 0) {
		e = grow(&at, &t->room, t->count, t->size, MOST);
		t->at = at;
		if (e != OK)
			return e;
		memcpy(t->at + t->count * t->size, value, t->size);
		*slot = (uint32_t)++t->count;
	}
	*number = *slot - 1;
	return OK;
}

bool intern_find(const struct intern *t, const void *value, uint32_t *number)
{
	const uint32_t *slot = t->slot_count > 0 ? seek(t, value) : NULL;

	if (slot == NULL || *slot == 0)
		return false;
	*number = *slot - 1;
	return true;
}

void intern_free(struct intern *t)
{
	free(t->at);
	free(t->slots);
	*t = (struct intern){ .size = t->size };
}
