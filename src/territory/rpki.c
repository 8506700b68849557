#include "territory/rpki.h"

#include <stdlib.h>

#include "territory/sweep.h"

/*
 * All VRPs around a route
 *
 * VRPs are prefixes, and prefixes nest or are apart. So in the order of first address, wide before narrow, the VRPs
 * around a route are the last one that does not sort behind the route, the one around that, and so on: the first of
 * this chain that covers the route is found by one binary search and a few steps outwards, and from there on all do.
 * `outer` is made with a stack in one pass.
 */

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return (x->value > y->value) - (x->value < y->value);
}

enum err vrps_make(struct rows *rows, struct vrps *out)
{
	uint32_t around = NO_ROW;

	*out = (struct vrps){ 0 };
	if (rows->count == 0)
		return OK;
	qsort(rows->at, rows->count, sizeof(*rows->at), compare);
	if ((out->outer = malloc(rows->count * sizeof(*out->outer))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu VRPs", rows->count);
	for (uint32_t i = 0; i < rows->count; i++) {
		while (around != NO_ROW && rows->at[around].last < rows->at[i].last)
			around = out->outer[around];
		out->outer[i] = around;
		around = i;
	}
	out->at = rows->at;
	out->count = rows->count;
	return OK;
}

void vrps_free(struct vrps *v)
{
	free(v->outer);
	*v = (struct vrps){ 0 };
}

/* The last VRP that does not sort behind the route. */
static uint32_t floor_of(const struct vrps *v, wide first, wide last)
{
	size_t low = 0, high = v->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct row *m = &v->at[middle];

		if (m->first < first || (m->first == first && m->last >= last))
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? (uint32_t)(low - 1) : NO_ROW;
}

enum route_validity vrps_validate(const struct vrps *v, wide first, wide last, uint8_t length, uint32_t asn)
{
	bool covered = false;

	if (v->count == 0)
		return ROUTE_UNKNOWN;
	for (uint32_t i = floor_of(v, first, last); i != NO_ROW; i = v->outer[i]) {
		const struct row *vrp = &v->at[i];

		if (vrp->last < last)
			continue;
		covered = true;
		if (vrp->value != 0 && vrp->value == asn && (length == NO_LENGTH || length <= vrp->longest))
			return ROUTE_VALID;
	}
	return covered ? ROUTE_INVALID : ROUTE_NOT_FOUND;
}

const char *route_validity_name(enum route_validity v)
{
	static const char *const names[] = {
		[ROUTE_UNKNOWN] = "unknown",
		[ROUTE_NOT_FOUND] = "not-found",
		[ROUTE_VALID] = "valid",
		[ROUTE_INVALID] = "invalid",
	};

	return (unsigned)v < sizeof(names) / sizeof(names[0]) ? names[v] : names[ROUTE_UNKNOWN];
}
