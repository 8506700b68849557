#include "store/memo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * An open table of slots and one block of bytes, filled from the front. Nothing moves while somebody may look at it: a full memo takes
 * no more, and is emptied at the next write. What was dropped leaves its slot taken (no key, so that a search goes on behind it).
 */

#define SLOTS 2048 /* a power of two; what is small stays near the processor */
#define SLOTS_MOST (SLOTS / 2)
#define BYTES ((size_t)1 << 18)
#define LONGEST 2048 /* key and value: what is longer is seldom asked for twice */

struct slot {
	uint32_t at; /* of the key, the value behind it; 0: never used */
	uint16_t key, value;
	uint32_t mark; /* of the hash */
	bool dropped;
};

struct memo {
	struct slot slots[SLOTS];
	size_t used;	/* slots */
	size_t written; /* bytes; from 1 on */
	char bytes[BYTES];
};

struct memo *memo_new(void)
{
	struct memo *m = malloc(sizeof(*m));

	if (m != NULL)
		memo_clear(m);
	return m;
}

void memo_clear(struct memo *m)
{
	memset(m->slots, 0, sizeof(m->slots));
	m->used = 0;
	m->written = 1;
}

void memo_free(struct memo *m)
{
	free(m);
}

/* Keys come from the ledger, so somebody may choose some that meet: then a search looks at more slots, at most half of them. */
static uint64_t sum(struct span key)
{
	uint64_t h = key.len * UINT64_C(0x9e3779b97f4a7c15), word;
	size_t i = 0;

	for (; i + sizeof(word) <= key.len; i += sizeof(word)) {
		memcpy(&word, key.at + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
		h ^= h >> 29;
	}
	for (; i < key.len; i++)
		h = (h ^ (uint8_t)key.at[i]) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 32;
}

/* The slot of the key, or the free one where it would stand. */
static const struct slot *find(const struct memo *m, struct span key, uint64_t hash)
{
	for (size_t i = hash % SLOTS;; i = (i + 1) % SLOTS) {
		const struct slot *s = &m->slots[i];

		if (s->at == 0 || (!s->dropped && s->mark == (uint32_t)(hash >> 32) && s->key == key.len &&
				   memcmp(m->bytes + s->at, key.at, key.len) == 0))
			return s;
	}
}

bool memo_get(const struct memo *m, struct span key, struct span *value)
{
	const struct slot *s = find(m, key, sum(key));

	if (s->at == 0)
		return false;
	*value = span_make(m->bytes + s->at + s->key, s->value);
	return true;
}

void memo_keep(struct memo *m, struct span key, struct span value)
{
	size_t size = key.len + value.len;
	uint64_t hash = sum(key);
	struct slot *s;

	if (size > LONGEST || size > BYTES - m->written || m->used == SLOTS_MOST)
		return;
	s = &m->slots[find(m, key, hash) - m->slots];
	if (s->at != 0)
		return;
	*s = (struct slot){ (uint32_t)m->written, (uint16_t)key.len, (uint16_t)value.len, (uint32_t)(hash >> 32),
			    false };
	memcpy(m->bytes + m->written, key.at, key.len);
	if (value.len > 0)
		memcpy(m->bytes + m->written + key.len, value.at, value.len);
	m->written += size;
	m->used++;
}

void memo_drop(struct memo *m, struct span key)
{
	struct slot *s;

	if (m->used == SLOTS_MOST || m->written > BYTES - LONGEST) {
		memo_clear(m);
		return;
	}
	s = &m->slots[find(m, key, sum(key)) - m->slots];
	if (s->at != 0)
		s->dropped = true;
}
