/* Splits CSV (RFC 4180) into rows and fields without copying: spans into the text, and offsets.
 *
 * Strict: a quote stands where a field begins or ends, or doubled inside a quoted one. A row whose quotes are
 * otherwise, or do not close within row_max bytes, is rejected together with its first line only, and the next line
 * begins a new row: one stray quote never costs more than its own line. */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include "base/span.h"

#define CSV_FIELDS_MAX 1024

/* What the next block must know of the one before. */
struct csv_carry {
	uint64_t inside;	  /* all ones if it ended inside quotes */
	uint64_t opening, closed; /* bit 0: a quote may open here; the byte before closed one */
};

struct csv {
	const char *text;
	size_t len, row_max;
	size_t row;	 /* offset of the next row */
	uint64_t line;	 /* line ends before it */
	size_t next;	 /* offset of the next block of 64 bytes */
	uint64_t ends;	 /* of the block before: commas and line ends outside quotes that are still to come */
	uint64_t breaks; /* which of them are line ends */
	struct csv_carry carry;
	size_t wrong;				  /* offset of the first wrong quote that was seen; SIZE_MAX: none */
	size_t inner;				  /* line ends inside quotes were seen before this offset */
	uint32_t field_ends[CSV_FIELDS_MAX + 72]; /* a block's are written before they are counted */
};

struct csv_row {
	enum err err;	 /* ERR_CSV, ERR_TOO_LONG: then raw is the first line, and there are no fields */
	struct span raw; /* without its line end */
	size_t offset;
	uint64_t line; /* line ends before it */
	size_t fields; /* may be more than CSV_FIELDS_MAX: only so many can be asked for */
	const uint32_t *field_ends;
};

void csv_open(struct csv *c, struct span text, size_t row_max);
/* Passes over empty lines. false: no more rows. The row is valid until the next call. */
bool csv_next(struct csv *c, struct csv_row *row);

/* A field without the quotes around it; doubled quotes within stay doubled. Empty behind the last. */
static inline struct span csv_field(const struct csv_row *r, size_t i)
{
	struct span f;
	uint32_t start;

	if (i >= r->fields || i >= CSV_FIELDS_MAX)
		return (struct span){ "", 0 };
	start = i == 0 ? 0 : r->field_ends[i - 1] + 1;
	f = (struct span){ r->raw.at + start, r->field_ends[i] - start };
	if (f.len >= 2 && f.at[0] == '"')
		f = (struct span){ f.at + 1, f.len - 2 };
	return f;
}

/* Doubled quotes made single; out has room for field.len bytes. */
struct span csv_unescape(struct span field, char *out);

/* How much of chunk is whole rows (report_boundary). The chunk begins at a row; *inside is set if it ends inside a row
 * that is longer than row_max. */
size_t csv_boundary(struct span chunk, size_t row_max, bool last, bool *inside);

#endif
