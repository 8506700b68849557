#include "report/csv.h"

#include "report/csv_blocks.h"

/*
 * How rows are found
 *
 * Text is looked at in blocks of 64 bytes; three masks say where its commas, quotes and line ends stand
 * (csv_blocks.h). The running parity of the quotes tells inside from outside: bit i of `in` is set from an opening
 * quote up to, not including, the closing one; a doubled quote closes and opens again at once. Commas and line ends
 * outside are the ends of fields and rows.
 *
 * Parity alone would take any quote for a good one, and one stray quote would turn the rest of the report inside out.
 * So each block is checked by the same masks:
 *
 *   1. A quote that opens must follow a comma, a line end, the start of a row, or a quote (doubled).
 *   2. A quote that closes must be followed by a comma, a line end (or CR and line end), a quote, or the end of the
 *      text.
 *
 * In 1, the byte before is outside quotes by definition, so a comma there is a separator; the check is exact. A row
 * with a wrong quote, one that does not end within row_max bytes, and one that is open where the text ends, go to
 * walk(), which takes a byte at a time and has the last word. Such a row loses its first line; the next line begins a
 * row.
 *
 * This costs at most twice the text. walk() goes beyond the first line only inside quotes, so every line that it
 * passes has an even number of quotes; it goes far only from a line with an odd number, and meets no other such line
 * on its way.
 *
 * Whether a row is good, and where the next begins, depends on at most row_max + 1 bytes from its start. So the place
 * where a report is cut changes nothing, as long as it is cut where a row begins: csv_boundary finds such a place by
 * the same rules, and waits for more where row_max + 1 bytes are not there yet.
 */

enum walked {
	WALKED_ROW,
	WALKED_BROKEN, /* length is that of the first line */
	WALKED_LONG,   /* not even a line ends within row_max bytes */
	WALKED_OPEN    /* more is needed to tell; only if the text is not the last */
};

/* What walk() found: a row or first line of `length` bytes, without its line end. */
struct walk {
	size_t length, fields;
	uint32_t *field_ends; /* NULL: not wanted */
};

static void field_end(struct walk *w, size_t at)
{
	if (w->field_ends != NULL && w->fields <= CSV_FIELDS_MAX)
		w->field_ends[w->fields] = (uint32_t)at;
	w->fields++;
}

static enum walked broken(struct span text, size_t row_max, bool last, struct walk *w)
{
	size_t seen = text.len > row_max ? row_max + 1 : text.len;
	const char *end = memchr(text.at, '\n', seen);

	if (end == NULL && text.len <= row_max && !last)
		return WALKED_OPEN;
	w->length = end != NULL ? (size_t)(end - text.at) : seen;
	return end == NULL && text.len > row_max ? WALKED_LONG : WALKED_BROKEN;
}

/* Reads one row a byte at a time. */
static enum walked walk(struct span text, size_t row_max, bool last, struct walk *w)
{
	enum { AT_START, BARE, QUOTED, CLOSED } state = AT_START;
	size_t seen = text.len > row_max ? row_max + 1 : text.len;

	for (size_t i = 0; i < seen; i++) {
		char c = text.at[i];

		if (state == QUOTED) {
			state = c == '"' ? CLOSED : QUOTED;
		} else if (c == '\n') {
			field_end(w, i);
			w->length = i;
			return WALKED_ROW;
		} else if (c == ',') {
			field_end(w, i);
			state = AT_START;
		} else if (c == '"') {
			if (state == BARE)
				return broken(text, row_max, last, w);
			state = QUOTED;
		} else if (state == CLOSED && !(c == '\r' && (i + 1 == text.len || text.at[i + 1] == '\n'))) {
			return broken(text, row_max, last, w);
		} else if (state != CLOSED) {
			state = BARE;
		}
	}
	if (text.len <= row_max && !last)
		return WALKED_OPEN;
	if (text.len > row_max || state == QUOTED)
		return broken(text, row_max, last, w);
	field_end(w, text.len);
	w->length = text.len;
	return WALKED_ROW;
}

/* Where the line ends that goes on at `at`: behind its line end. SIZE_MAX: not in this text. */
static size_t line_behind(const char *text, size_t len, size_t at)
{
	const char *end = len > at ? memchr(text + at, '\n', len - at) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : SIZE_MAX;
}

#define AT_ROW ((struct csv_carry){ .opening = 1 })

/* The next block is one that begins at a row. */
static void restart(struct csv *c, size_t row)
{
	c->row = c->next = row;
	c->ends = c->breaks = 0;
	c->carry = AT_ROW;
	c->wrong = SIZE_MAX;
}

void csv_open(struct csv *c, struct span text, size_t row_max)
{
	c->text = text.at;
	c->len = text.len;
	c->row_max = row_max;
	c->line = 0;
	c->inner = 0;
	restart(c, 0);
}

/* The last block of a text: what lies behind is none of the three. */
static __attribute__((noinline)) struct masks masks_of_tail(const char *p, size_t len)
{
	char tail[64] = { 0 };

	memcpy(tail, p, len);
	return masks_of(tail);
}

/* Rule 2 allows a CR between the quote and the line end, and the end of the text. */
static __attribute__((noinline, cold)) uint64_t wrong_behind(const char *text, size_t len, size_t block, uint64_t wrong)
{
	for (uint64_t left = wrong; left != 0; left &= left - 1) {
		size_t at = block + (size_t)__builtin_ctzll(left);

		if (at >= len || (text[at] == '\r' && (at + 1 == len || text[at + 1] == '\n')))
			wrong &= ~(left & -left);
	}
	return wrong;
}

/* What a block says when it is read behind the one before. */
struct block {
	struct masks m;
	uint64_t in, wrong;
};

static inline __attribute__((always_inline)) struct block block_read(const char *text, size_t len, size_t next,
								     struct csv_carry *carry)
{
	struct block b;
	uint64_t ends, opens, closes;

	b.m = len - next >= 64 ? masks_of(text + next) : masks_of_tail(text + next, len - next);
	b.in = parity(b.m.quotes) ^ carry->inside;
	ends = b.m.commas | b.m.breaks | b.m.quotes;
	opens = b.m.quotes & b.in;
	closes = b.m.quotes & ~b.in;
	b.wrong = (closes << 1 | carry->closed) & ~ends;
	if (__builtin_expect(b.wrong != 0, 0))
		b.wrong = wrong_behind(text, len, next, b.wrong);
	b.wrong |= opens & ~(ends << 1 | carry->opening);
	*carry = (struct csv_carry){ -(b.in >> 63), ends >> 63, closes >> 63 };
	return b;
}

/* false: the text is at its end, or the row too long to be one. */
static inline bool next_block(struct csv *c)
{
	struct block b;

	if (c->next >= c->len || c->next > c->row + c->row_max + 64)
		return false;
	b = block_read(c->text, c->len, c->next, &c->carry);
	if (b.wrong != 0 && c->wrong == SIZE_MAX)
		c->wrong = c->next + (size_t)__builtin_ctzll(b.wrong);
	c->ends = (b.m.commas | b.m.breaks) & ~b.in;
	c->breaks = b.m.breaks;
	c->next += 64;
	if ((b.m.breaks & b.in) != 0)
		c->inner = c->next;
	return true;
}

static struct span without_end(const char *at, size_t len)
{
	if (len > 0 && at[len - 1] == '\r')
		len--;
	return (struct span){ at, len };
}

/* A row that ends before `end`, where its line end stands or the text does. */
static void row_take(struct csv *c, struct csv_row *row, size_t end, size_t fields)
{
	size_t last = fields - 1;

	row->err = OK;
	row->raw = without_end(c->text + c->row, end - c->row);
	row->offset = c->row;
	row->line = c->line;
	row->fields = fields;
	row->field_ends = c->field_ends;
	if (last < CSV_FIELDS_MAX)
		c->field_ends[last] = (uint32_t)row->raw.len;
	if (c->inner > c->row)
		c->line += lines_in((struct span){ c->text + c->row, end - c->row });
	c->line += end < c->len;
	c->row = end < c->len ? end + 1 : c->len;
}

/* The way of rows that the masks do not vouch for. */
static void row_walk(struct csv *c, struct csv_row *row)
{
	struct span text = { c->text + c->row, c->len - c->row };
	struct walk w = { .field_ends = c->field_ends };
	enum walked found = walk(text, c->row_max, true, &w);
	size_t start = c->row, next;

	if (found == WALKED_ROW) {
		c->inner = start + w.length;
		row_take(c, row, start + w.length, w.fields);
		restart(c, c->row);
		return;
	}
	next = line_behind(c->text, c->len, start + w.length);
	*row = (struct csv_row){ .err = found == WALKED_LONG ? ERR_TOO_LONG : ERR_CSV,
				 .offset = start,
				 .line = c->line };
	row->raw = without_end(text.at, (next == SIZE_MAX ? c->len : next - 1) - start);
	c->line += next != SIZE_MAX;
	restart(c, next == SIZE_MAX ? c->len : next);
}

/* Writes where the ends of a block are. Eight at a time, wanted or not: few blocks have more, and to know how many
 * there are before each would take a guess that is often wrong. */
static inline void ends_write(uint32_t *out, uint64_t ends, uint32_t start)
{
	const uint64_t last = (uint64_t)1 << 63; /* keeps the count of zeros defined */

	do {
		for (int i = 0; i < 8; i++, ends &= ends - 1)
			out[i] = start + (uint32_t)__builtin_ctzll(ends | last);
		out += 8;
	} while (ends != 0);
}

static void row_read(struct csv *c, struct csv_row *row)
{
	size_t fields = 0, start = c->row;

	do {
		size_t block = c->next - 64;
		uint64_t breaks = c->ends & c->breaks;
		uint64_t ends = c->ends & (breaks ^ (breaks - 1)); /* up to the first line end, or all */

		if (ends == 0)
			continue;
		ends_write(c->field_ends + (fields < CSV_FIELDS_MAX ? fields : CSV_FIELDS_MAX), ends,
			   (uint32_t)(block - start));
		fields += bits_count(ends);
		c->ends ^= ends;
		if (breaks != 0) {
			size_t at = block + (size_t)__builtin_ctzll(breaks);

			if (at > c->wrong || at - start > c->row_max)
				row_walk(c, row);
			else
				row_take(c, row, at, fields);
			return;
		}
	} while (next_block(c));
	if (c->next < c->len || c->carry.inside != 0 || c->wrong != SIZE_MAX || c->len - start > c->row_max)
		row_walk(c, row);
	else
		row_take(c, row, c->len, fields + 1);
}

bool csv_next(struct csv *c, struct csv_row *row)
{
	while (c->row < c->len) {
		row_read(c, row);
		if (row->err != OK || row->raw.len > 0)
			return true;
	}
	return false;
}

struct span csv_unescape(struct span field, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < field.len; i++) {
		out[n++] = field.at[i];
		if (field.at[i] == '"' && i + 1 < field.len && field.at[i + 1] == '"')
			i++;
	}
	return (struct span){ out, n };
}

/* From a row's start as far as the masks can tell: the start of the last row that begins in the text. */
static size_t rows_skip(struct span text, size_t row, size_t row_max)
{
	struct csv_carry carry = AT_ROW;

	for (size_t next = row; next < text.len && next <= row + row_max; next += 64) {
		struct block b = block_read(text.at, text.len, next, &carry);
		uint64_t breaks = b.m.breaks & ~b.in;

		if (b.wrong != 0)
			breaks &= (b.wrong & -b.wrong) - 1;
		if (breaks != 0) {
			size_t first = next + (size_t)__builtin_ctzll(breaks);

			if (first - row > row_max)
				return row;
			row = next + 64 - (size_t)__builtin_clzll(breaks);
		}
		if (b.wrong != 0)
			return row;
	}
	return row;
}

size_t csv_boundary(struct span chunk, size_t row_max, bool last, bool *inside)
{
	size_t row = 0;

	*inside = false;
	while (row < chunk.len) {
		struct span rest;
		struct walk w = { 0 };
		enum walked found;

		if (row_max >= 64 && (row = rows_skip(chunk, row, row_max)) == chunk.len)
			break;
		rest = span_from(chunk, row);
		found = walk(rest, row_max, last, &w);
		if (found == WALKED_OPEN)
			break;
		row = line_behind(chunk.at, chunk.len, row + w.length);
		if (row == SIZE_MAX) {
			*inside = found == WALKED_LONG;
			return chunk.len;
		}
	}
	return row;
}
