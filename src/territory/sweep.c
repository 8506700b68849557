#include "territory/sweep.h"

#include <stdlib.h>

/*
 * Flattening by one pass over the sorted rows
 *
 * A heap holds the rows that cover the place in hand, the narrowest on top. Rows are taken in the order of their first
 * address; before one is taken, the stretch since the place in hand is given out to whoever is on top:
 *
 *   1. The top of the heap, once the rows that ended are dropped from it, wins at the place in hand.
 *   2. It wins until it ends or until the next row begins, for only a new row can be narrower.
 *   3. When it ends, the next of the heap resumes, or nobody does: a gap is a step of its own.
 *
 * So a row that ended may lie in the heap under a wider one for a while, which costs nothing: it is dropped when it
 * comes up. Each row enters and leaves once: n log n, and sorted input without nesting never has a heap of over two.
 * "The address behind a row" is computed only where the row ends below another bound, so the last address of a family
 * never overflows.
 */

struct heap {
	const struct row *rows;
	uint32_t *at;
	size_t count;
};

static bool narrower(const struct heap *h, uint32_t a, uint32_t b)
{
	wide x = h->rows[a].last - h->rows[a].first, y = h->rows[b].last - h->rows[b].first;

	return x != y ? x < y : a < b; /* of two that merely overlap and are equally wide, the one that begins first */
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct heap *h, uint32_t row)
{
	size_t i = h->count++;

	for (h->at[i] = row; i > 0 && narrower(h, h->at[i], h->at[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&h->at[i], &h->at[(i - 1) / 2]);
}

static void heap_pop(struct heap *h)
{
	h->at[0] = h->at[--h->count];
	for (size_t i = 0, child; (child = 2 * i + 1) < h->count; i = child) {
		if (child + 1 < h->count && narrower(h, h->at[child + 1], h->at[child]))
			child++;
		if (!narrower(h, h->at[child], h->at[i]))
			break;
		swap(&h->at[child], &h->at[i]);
	}
}

static enum err step_add(struct steps *s, wide first, uint32_t row)
{
	void *at = s->at;
	enum err e;

	if (s->count > 0 && s->at[s->count - 1].row == row)
		return OK;
	e = grow(&at, &s->room, s->count, sizeof(*s->at), 2 * ROWS_MAX + 1);
	s->at = at;
	if (e == OK)
		s->at[s->count++] = (struct step){ first, row };
	return e;
}

/* Gives out the stretch from `place` to `limit`. */
static enum err give_out(struct heap *h, wide place, wide limit, struct steps *out)
{
	for (;;) {
		enum err e;

		while (h->count > 0 && h->rows[h->at[0]].last < place)
			heap_pop(h);
		if (h->count == 0)
			return step_add(out, place, NO_ROW);
		e = step_add(out, place, h->at[0]);
		if (e != OK || h->rows[h->at[0]].last >= limit)
			return e;
		place = h->rows[h->at[0]].last + 1; /* no overflow: it is below limit */
	}
}

enum err sweep(const struct rows *r, enum family f, struct steps *out)
{
	struct heap h = { r->at, malloc((r->count + 1) * sizeof(uint32_t)), 0 };
	enum err e = h.at != NULL ? OK : fail(ERR_NO_MEMORY, "no room to flatten %zu rows", r->count);
	wide place = 0;

	*out = (struct steps){ 0 };
	for (size_t i = 0; e == OK && i < r->count; i++) {
		wide first = r->at[i].first;

		if (first > place)
			e = give_out(&h, place, first - 1, out);
		place = first;
		heap_push(&h, (uint32_t)i);
	}
	if (e == OK)
		e = give_out(&h, place, wide_last(f), out);
	free(h.at);
	if (e != OK)
		steps_free(out);
	return e;
}

void steps_free(struct steps *s)
{
	free(s->at);
	*s = (struct steps){ 0 };
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return (x->weight < y->weight) - (x->weight > y->weight);
}

/* Merge sort keeps the order of equals; most files are sorted already, so runs are looked for first. */
static bool is_sorted(const struct rows *r)
{
	for (size_t i = 1; i < r->count; i++)
		if (compare(&r->at[i - 1], &r->at[i]) > 0)
			return false;
	return true;
}

static void merge(const struct row *from, size_t left, size_t middle, size_t right, struct row *to)
{
	size_t a = left, b = middle;

	for (size_t i = left; i < right; i++)
		to[i] = a < middle && (b >= right || compare(&from[a], &from[b]) <= 0) ? from[a++] : from[b++];
}

static enum err sort(struct rows *r)
{
	struct row *other, *from = r->at, *to;

	if (is_sorted(r))
		return OK;
	if ((other = malloc(r->count * sizeof(*other))) == NULL)
		return fail(ERR_NO_MEMORY, "no room to sort %zu rows", r->count);
	to = other;
	for (size_t width = 1; width < r->count; width *= 2) {
		struct row *was = from;

		for (size_t left = 0; left < r->count; left += 2 * width) {
			size_t middle = left + width < r->count ? left + width : r->count;
			size_t right = left + 2 * width < r->count ? left + 2 * width : r->count;

			merge(from, left, middle, right, to);
		}
		from = to;
		to = was;
	}
	if (from != r->at)
		memcpy(r->at, from, r->count * sizeof(*r->at));
	free(other);
	return OK;
}

enum err sweep_sort(struct rows *r, uint64_t *overlaps)
{
	enum err e = sort(r);
	size_t kept = 0;
	uint64_t count = 0;
	wide reach = 0;

	if (e != OK)
		return e;
	for (size_t i = 0; i < r->count; i++) {
		struct row *before = kept > 0 ? &r->at[kept - 1] : NULL;

		if (i > 0 && r->at[i].first <= reach)
			count++;
		if (i == 0 || r->at[i].last > reach)
			reach = r->at[i].last;
		if (before == NULL || before->first != r->at[i].first || before->last != r->at[i].last)
			r->at[kept++] = r->at[i];
		else if (before->rival == 0 && before->value != r->at[i].value)
			before->rival = r->at[i].value;
	}
	r->count = kept;
	if (overlaps != NULL)
		*overlaps += count;
	return OK;
}
