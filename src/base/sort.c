#include "base/sort.h"

#include <string.h>

#define DIGITS 8
#define VALUES 256
#define FEW 48

static void insert(struct sort_key *keys, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct sort_key k = keys[i];
		size_t j = i;

		for (; j > 0 && keys[j - 1].key > k.key; j--)
			keys[j] = keys[j - 1];
		keys[j] = k;
	}
}

static void pass(const struct sort_key *from, struct sort_key *to, size_t n, unsigned shift, uint32_t places[VALUES])
{
	for (size_t i = 0; i < n; i++)
		to[places[from[i].key >> shift & 0xff]++] = from[i];
}

struct sort_key *sort_keys(struct sort_key *keys, struct sort_key *spare, size_t n)
{
	uint32_t counts[DIGITS][VALUES] = { { 0 } };
	uint64_t all = n > 0 ? keys[0].key : 0, any = all;

	if (n <= FEW) {
		insert(keys, n);
		return keys;
	}
	for (size_t i = 0; i < n; i++) {
		all &= keys[i].key;
		any |= keys[i].key;
		for (unsigned d = 0; d < DIGITS; d++)
			counts[d][keys[i].key >> 8 * d & 0xff]++;
	}
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t sum = 0;
		struct sort_key *swap = keys;

		if (((all ^ any) >> 8 * d & 0xff) == 0)
			continue;
		for (size_t v = 0; v < VALUES; v++) {
			uint32_t c = counts[d][v];

			counts[d][v] = sum;
			sum += c;
		}
		pass(keys, spare, n, 8 * d, counts[d]);
		keys = spare;
		spare = swap;
	}
	return keys;
}
