#include "route/names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "regime/sighting.h"

#define SLOTS (2 * (NAMES_MAX + 1))

struct name {
	uint8_t len;
	char text[SIGHTING_MALWARE_MAX];
};

struct names {
	pthread_mutex_t lock;
	struct name *at; /* number 1 is at[0] */
	size_t count, room;
	uint32_t slots[SLOTS]; /* numbers; 0 free */
};

enum err names_new(struct names **out)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&n->lock, NULL);
	*out = n;
	return OK;
}

void names_free(struct names *n)
{
	if (n == NULL)
		return;
	pthread_mutex_destroy(&n->lock);
	free(n->at);
	free(n);
}

/* Lower case; what no text may hold becomes a question mark. */
static struct name spell(struct span s)
{
	struct name n = { 0 };

	s = span_trim(s);
	n.len = (uint8_t)(s.len < SIGHTING_MALWARE_MAX ? s.len : SIGHTING_MALWARE_MAX);
	for (size_t i = 0; i < n.len; i++) {
		char c = s.at[i];

		n.text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c < ' ' || c > '~' ? '?' : c);
	}
	return n;
}

static uint32_t *slot_of(struct names *n, const struct name *x)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < x->len; i++)
		h = (h ^ (uint8_t)x->text[i]) * 16777619u;
	for (h %= SLOTS; n->slots[h] != 0; h = (h + 1) % SLOTS) {
		const struct name *there = &n->at[n->slots[h] - 1];

		if (there->len == x->len && memcmp(there->text, x->text, x->len) == 0)
			break;
	}
	return &n->slots[h];
}

static enum err add(struct names *n, const struct name *x, uint32_t *slot)
{
	if (n->count == n->room) {
		size_t room = 2 * n->room + 64;
		struct name *bigger = realloc(n->at, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		n->at = bigger;
		n->room = room;
	}
	n->at[n->count] = *x;
	*slot = (uint32_t)++n->count;
	return OK;
}

enum err names_number(struct names *n, struct span name, uint32_t *out)
{
	struct name x = spell(name);
	uint32_t *slot;
	enum err e = OK;

	*out = 0;
	if (x.len == 0)
		return OK;
	pthread_mutex_lock(&n->lock);
	slot = slot_of(n, &x);
	if (*slot == 0 && n->count < NAMES_MAX)
		e = add(n, &x, slot);
	*out = *slot;
	pthread_mutex_unlock(&n->lock);
	return e;
}

struct span names_at(const struct names *n, uint32_t number)
{
	return number == 0 || number > n->count ? SPAN("") : span_make(n->at[number - 1].text, n->at[number - 1].len);
}
