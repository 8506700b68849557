#include "report/references.h"

#include <stdlib.h>

enum err references_new(struct references *r, size_t most)
{
	*r = (struct references){ .room = most, .slot_count = 64 };
	while (r->slot_count < 2 * most)
		r->slot_count *= 2;
	r->names = malloc((most + 1) * sizeof(r->names[0]));
	r->slots = calloc(r->slot_count, sizeof(r->slots[0]));
	if (r->names == NULL || r->slots == NULL) {
		references_free(r);
		return fail(ERR_NO_MEMORY, "no room for %zu references", most);
	}
	randombytes_buf(r->key, sizeof(r->key));
	return OK;
}

uint32_t references_number(struct references *r, struct span name, bool *is_new)
{
	unsigned char tag[crypto_shorthash_BYTES];
	uint64_t at;

	crypto_shorthash(tag, (const unsigned char *)name.at, name.len, r->key);
	memcpy(&at, tag, sizeof(at));
	at &= r->slot_count - 1;
	while (r->slots[at] != 0 && !span_equal(r->names[r->slots[at] - 1], name))
		at = (at + 1) & (r->slot_count - 1);
	*is_new = r->slots[at] == 0;
	if (*is_new) {
		r->names[r->count] = name;
		r->slots[at] = (uint32_t)++r->count;
	}
	return r->slots[at] - 1;
}

void references_free(struct references *r)
{
	free(r->names);
	free(r->slots);
	*r = (struct references){ 0 };
}

/* Takes away what nothing needs, and then what nothing of the rest needs, until there is nothing more to take away: what is left goes in a
 * circle, or is needed by what does. first[i] to first[i + 1]: where the needs of i are in sorted. */
static size_t take_away(const uint32_t *first, const uint32_t *sorted, uint32_t *needed, uint32_t *ready, size_t things)
{
	size_t taken = 0, known = 0;

	for (size_t i = 0; i < things; i++)
		if (needed[i] == 0)
			ready[known++] = (uint32_t)i;
	for (; taken < known; taken++) {
		uint32_t thing = ready[taken];

		for (uint32_t i = first[thing]; i < first[thing + 1]; i++)
			if (--needed[sorted[i]] == 0)
				ready[known++] = sorted[i];
	}
	return taken;
}

enum err needs_circle(const struct need *needs, size_t count, size_t things, bool *circle)
{
	uint32_t *first = calloc(things + 2, sizeof(uint32_t)), *sorted = malloc((count + 1) * sizeof(uint32_t));
	uint32_t *needed = calloc(things + 1, sizeof(uint32_t)), *ready = malloc((things + 1) * sizeof(uint32_t));
	enum err e = OK;

	if (first == NULL || sorted == NULL || needed == NULL || ready == NULL) {
		e = fail(ERR_NO_MEMORY, "no room for %zu dependencies", count);
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		needed[needs[i].to]++;
		first[needs[i].from + 2]++;
	}
	for (size_t i = 2; i < things + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < count; i++)
		sorted[first[needs[i].from + 1]++] = needs[i].to;
	*circle = take_away(first, sorted, needed, ready, things) < things;
out:
	free(first);
	free(sorted);
	free(needed);
	free(ready);
	return e;
}
