/*
 * What changed between two lists of names
 *
 *   1. Names that both have are paired. The longest stretch of pairs that are in the same order in both (the longest
 *      increasing subsequence of their old places) stays; other pairs have moved.
 *   2. What stays cuts both lists into gaps. Where a gap lost as many names as it gained, these were renamed, in order;
 *      else they were removed and added.
 */
#include "report/drift.h"

#include "report/csv.h"
#include "report/report.h"

#define NONE SIZE_MAX

struct names {
	struct span *at;
	size_t *pair; /* its place in the other list; NONE */
	bool *stays;
	size_t count;
};

static enum err names_read(struct arena *a, struct span header, struct names *n)
{
	struct csv *c = arena_alloc(a, sizeof(*c));
	struct csv_row row;

	if (c == NULL)
		return ERR_NO_MEMORY;
	csv_open(c, header, REPORT_ROW_MAX);
	if (!csv_next(c, &row) || row.err != OK || row.fields > CSV_FIELDS_MAX)
		return fail(ERR_CSV, "no header line");
	n->count = row.fields;
	n->at = arena_array(a, n->count, sizeof(*n->at));
	n->pair = arena_array(a, n->count, sizeof(*n->pair));
	n->stays = arena_array(a, n->count, sizeof(*n->stays));
	if (n->at == NULL || n->pair == NULL || n->stays == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n->count; i++) {
		struct span field = csv_field(&row, i);
		char *text = arena_alloc(a, field.len);

		if (text == NULL)
			return ERR_NO_MEMORY;
		n->at[i] = span_trim(csv_unescape(field, text));
		n->pair[i] = NONE;
	}
	return OK;
}

static void pair_up(struct names *before, struct names *now)
{
	for (size_t i = 0; i < now->count; i++) {
		/* mostly it stands where it stood */
		for (size_t k = 0; k < before->count && now->pair[i] == NONE; k++) {
			size_t at = (i + k) % before->count;

			if (before->pair[at] != NONE || !span_equal(before->at[at], now->at[i]))
				continue;
			before->pair[at] = i;
			now->pair[i] = at;
		}
	}
}

/* Patience: ends[k] is the place in `now` where the best stretch of k + 1 pairs ends. */
static enum err keep_longest(struct arena *a, struct names *before, struct names *now)
{
	size_t *ends = arena_array(a, now->count, sizeof(*ends)), *prior = arena_array(a, now->count, sizeof(*prior));
	size_t length = 0, at;

	if (ends == NULL || prior == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < now->count; i++) {
		size_t from = 0, to = length;

		if (now->pair[i] == NONE)
			continue;
		while (from < to) {
			size_t half = from + (to - from) / 2;

			if (now->pair[ends[half]] < now->pair[i])
				from = half + 1;
			else
				to = half;
		}
		prior[i] = from > 0 ? ends[from - 1] : NONE;
		ends[from] = i;
		length = from == length ? length + 1 : length;
	}
	at = length > 0 ? ends[length - 1] : NONE;
	for (; at != NONE; at = prior[at])
		now->stays[at] = before->stays[now->pair[at]] = true;
	return OK;
}

/* Names without a pair in a stretch of a list. */
static size_t lonely(const struct names *n, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++)
		count += n->pair[i] == NONE;
	return count;
}

static void gap(const struct names *before, size_t b_from, size_t b_to, const struct names *now, size_t n_from,
		size_t n_to, struct drift *out)
{
	bool renamed = lonely(before, b_from, b_to) == lonely(now, n_from, n_to);
	size_t first = out->renamed_count;

	for (size_t i = b_from; i < b_to; i++) {
		if (before->pair[i] != NONE)
			continue;
		if (renamed)
			out->renamed[out->renamed_count++].from = before->at[i];
		else
			out->removed[out->removed_count++] = before->at[i];
	}
	for (size_t i = n_from; i < n_to; i++) {
		if (now->pair[i] != NONE)
			out->moved[out->moved_count++] = now->at[i]; /* what stays bounds the gap */
		else if (renamed)
			out->renamed[first++].to = now->at[i];
		else
			out->added[out->added_count++] = now->at[i];
	}
}

enum err header_drift(struct arena *a, struct span before, struct span now, struct drift *out)
{
	struct names old = { 0 }, new = { 0 };
	size_t o = 0, n = 0;
	enum err e = names_read(a, before, &old);

	*out = (struct drift){ 0 };
	if (e == OK)
		e = names_read(a, now, &new);
	if (e != OK)
		return e;
	pair_up(&old, &new);
	out->added = arena_array(a, new.count, sizeof(*out->added));
	out->moved = arena_array(a, new.count, sizeof(*out->moved));
	out->removed = arena_array(a, old.count, sizeof(*out->removed));
	out->renamed = arena_array(a, old.count, sizeof(*out->renamed));
	if (out->added == NULL || out->moved == NULL || out->removed == NULL || out->renamed == NULL)
		return ERR_NO_MEMORY;
	if ((e = keep_longest(a, &old, &new)) != OK)
		return e;
	for (size_t i = 0; i <= new.count; i++) {
		size_t end = i < new.count ? new.pair[i] : old.count;

		if (i < new.count && !new.stays[i])
			continue;
		gap(&old, o, end, &new, n, i, out);
		o = end + 1;
		n = i + 1;
	}
	return OK;
}
