/* Flattens rows that nest and overlap: at each address the narrowest row wins, and an outer one resumes behind those
 * inside it. */
#ifndef TERRITORY_SWEEP_H
#define TERRITORY_SWEEP_H

#include "territory/row.h"

#define NO_ROW UINT32_MAX

/* From here on this row wins, up to the next step. */
struct step {
	wide first;
	uint32_t row; /* NO_ROW: none */
};

struct steps {
	struct step *at; /* ascending; the first is at 0 if there is any */
	size_t count, room;
};

/* Sorts by first address, wide before narrow, and joins rows of equal range into one: the heaviest, then the one that
 * came first, with the best of the others as its rival. Counts rows that overlap one before them into *overlaps (may be
 * NULL). ERR_NO_MEMORY. */
enum err sweep_sort(struct rows *r, uint64_t *overlaps);

/* The rows must be sorted. ERR_NO_MEMORY. */
enum err sweep(const struct rows *r, enum family f, struct steps *out);
void steps_free(struct steps *s);

#endif
