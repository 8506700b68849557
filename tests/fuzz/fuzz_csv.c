/* Rows are what they are however the text is cut, lie where they say, and their fields make them up. */
#include <stdlib.h>

#include "report/csv.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_row(struct span text, const struct csv_row *row, size_t row_max)
{
	size_t at = 0;

	check(row->raw.at == text.at + row->offset && row->offset + row->raw.len <= text.len);
	if (row->err != OK) {
		check((row->err == ERR_CSV || row->err == ERR_TOO_LONG) && row->fields == 0);
		check(row->err == ERR_CSV || row->raw.len >= row_max); /* a CR may have gone */
		check(memchr(row->raw.at, '\n', row->raw.len) == NULL);
		return;
	}
	check(row->fields > 0 && row->raw.len <= row_max);
	for (size_t i = 0; i < row->fields && i < CSV_FIELDS_MAX; i++) {
		struct span field = csv_field(row, i);

		check(row->field_ends[i] >= at && row->field_ends[i] <= row->raw.len);
		check(i + 1 == row->fields || row->raw.at[row->field_ends[i]] == ',');
		check(field.len <= row->field_ends[i] - at);
		at = row->field_ends[i] + 1u;
	}
	check(row->fields > CSV_FIELDS_MAX || at == row->raw.len + 1);
}

/* A row of the whole text again, out of a chunk of it. */
static void check_same(struct csv *whole, const struct csv_row *cut, size_t offset, uint64_t line)
{
	struct csv_row row;

	check(csv_next(whole, &row));
	check(row.err == cut->err && row.offset == cut->offset + offset && row.line == cut->line + line);
	check(row.fields == cut->fields);
	if (row.err != ERR_TOO_LONG) /* of which a chunk may hold but the beginning */
		check(span_equal(row.raw, cut->raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv whole, part;
	struct span text;
	size_t step, row_max, take, at = 0;
	uint64_t line = 0;
	struct csv_row row;
	bool inside = false;

	if (size < 2)
		return 0;
	text = span_make(data + 2, size - 2);
	step = 1u + data[0];
	row_max = data[1] < 250 ? 1u + data[1] : 100000;
	csv_open(&whole, text, row_max);
	for (take = step; at < text.len;) {
		struct span chunk = span_from(text, at);
		bool last = chunk.len <= take;
		size_t n = 0;

		if (!last)
			chunk.len = take;
		if (inside) { /* the rest of a row that was too long */
			const char *end = memchr(chunk.at, '\n', chunk.len);

			n = end != NULL ? (size_t)(end - chunk.at) + 1 : chunk.len;
			inside = end == NULL;
		} else {
			n = csv_boundary(chunk, row_max, last, &inside);
			check(n <= chunk.len && (n > 0 || (!last && take <= row_max)) && (!last || n == chunk.len));
			csv_open(&part, (struct span){ chunk.at, n }, row_max);
			while (csv_next(&part, &row)) {
				check_row((struct span){ chunk.at, n }, &row, row_max);
				check_same(&whole, &row, at, line);
			}
		}
		take = n == 0 ? take + step : step;
		for (size_t i = 0; i < n; i++)
			line += chunk.at[i] == '\n';
		at += n;
	}
	check(!csv_next(&whole, &row));
	return 0;
}
