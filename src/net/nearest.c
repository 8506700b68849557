#include "net/nearest.h"

unsigned word_distance(struct span a, struct span b)
{
	unsigned row[WORD_DISTANCE_MAX + 1];

	if (a.len > WORD_DISTANCE_MAX || b.len > WORD_DISTANCE_MAX)
		return WORD_DISTANCE_MAX;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		unsigned corner = row[0]; /* of the row before */

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b.len; j++) {
			unsigned least = corner + (a.at[i] != b.at[j]);

			corner = row[j + 1];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j + 1] + 1 < least)
				least = row[j + 1] + 1;
			row[j + 1] = least;
		}
	}
	return row[b.len];
}
