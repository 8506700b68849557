/* Whatever a registry file holds: the rows that come out of it are good ones, and flattened they cover what they did. */
#include <stdlib.h>

#include "territory/source.h"
#include "territory/sweep.h"

static void check_row(const struct row *r, enum row_kind kind, enum family f)
{
	if (r->first > r->last || r->last > wide_last(f))
		abort();
	if (kind == ROW_ORIGIN && (r->value == 0 || r->value == UINT32_MAX || r->value == r->rival))
		abort();
	if (kind == ROW_COUNTRY &&
	    (r->value >> 8 < 'A' || r->value >> 8 > 'Z' || (r->value & 255) < 'A' || (r->value & 255) > 'Z'))
		abort();
	if (kind == ROW_VRP && r->longest < r->length)
		abort();
}

static void check_steps(const struct rows *rows, const struct steps *s, enum family f)
{
	if (s->count == 0 || s->at[0].first != 0)
		abort();
	for (size_t i = 0; i < s->count; i++) {
		wide last = i + 1 < s->count ? s->at[i + 1].first - 1 : wide_last(f);
		const struct row *r = s->at[i].row != NO_ROW ? &rows->at[s->at[i].row] : NULL;

		if (i > 0 && (s->at[i].first <= s->at[i - 1].first || s->at[i].row == s->at[i - 1].row))
			abort();
		if (r != NULL && (r->first > s->at[i].first || r->last < last))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;

	source_begin(&s, "fuzz", NULL, NULL);
	s.now_ms = 1795132800000;
	if (source_read_text(&s, span_make(data, size)) == OK && s.good == 0)
		abort();
	for (int kind = 0; kind < ROW_KINDS; kind++)
		for (int i = 0; i < 2; i++) {
			enum family f = i == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
			struct rows *rows = &s.rows[kind][i];
			struct steps steps;

			for (size_t k = 0; k < rows->count; k++)
				check_row(&rows->at[k], (enum row_kind)kind, f);
			if (sweep_sort(rows, NULL) != OK || sweep(rows, f, &steps) != OK)
				abort();
			check_steps(rows, &steps, f);
			steps_free(&steps);
		}
	for (size_t i = 0; i < s.as_count; i++)
		if (s.as[i].asn == 0 || s.as[i].name > s.names.len || s.as[i].length > s.names.len - s.as[i].name)
			abort();
	source_free(&s);
	return 0;
}
