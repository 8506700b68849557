/* Reading the evidence table. Outside bytes: one spelling for each value, a maximum for each length; what is read would
 * be written again byte for byte. Memory: the window (8 MiB at most) and one row. */
#include "route/evidence.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/json.h"
#include "route/evidence_write.h"

#define WINDOW_LOG_MAX 23
#define STEP ((size_t)128 << 10)
#define SUMMARY_MAX ((size_t)1 << 20)
#define HEADER_MAX ((size_t)64 << 10)
#define ROW_MAX (EVIDENCE_TYPED_MAX + REPORT_ROW_MAX)
#define LINE_MAX_OF_ALL SUMMARY_MAX

struct unpack {
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer in;
	bool whole; /* the last frame is complete */
	char *at;
	size_t from, len, room; /* what is unpacked and not yet read: at[from … len) */
	size_t total, max;
	uint64_t lines;
};

static enum err wrong(const struct unpack *u, enum err e, const char *what)
{
	return fail(e, "evidence, line %llu: %s", (unsigned long long)u->lines + 1, what);
}

/* ---- lines ---- */

/* More text behind what is there. *any false: there is none. */
static enum err more(struct unpack *u, bool *any)
{
	ZSTD_outBuffer out;
	size_t n;

	memmove(u->at, u->at + u->from, u->len - u->from);
	u->len -= u->from;
	u->from = 0;
	out = (ZSTD_outBuffer){ u->at, u->room, u->len };
	while (out.pos == u->len) {
		if (u->in.pos == u->in.size && u->whole) {
			*any = false;
			return OK;
		}
		n = ZSTD_decompressStream(u->zstd, &out, &u->in);
		if (ZSTD_isError(n))
			return zstd_failed(n, "evidence");
		u->whole = n == 0;
		if (out.pos == u->len && u->in.pos == u->in.size && !u->whole)
			return fail(ERR_COMPRESSION, "evidence: cut off");
	}
	u->total += out.pos - u->len;
	if (u->total > u->max)
		return fail(ERR_TOO_LONG, "evidence: more than %zu bytes unpacked", u->max);
	u->len = out.pos;
	*any = true;
	return OK;
}

static size_t quotes(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += p[i] == '"';
	return count;
}

/* The next line without its LF. quoted: it ends at the first LF outside double quotes. *there false: at the end. */
static enum err next_line(struct unpack *u, bool quoted, size_t max, struct span *line, bool *there)
{
	size_t seen = 0, quote_count = 0;

	for (;;) {
		char *start = u->at + u->from, *end = NULL;
		size_t left = u->len - u->from;
		bool any;
		enum err e;

		while (end == NULL && seen < left && (end = memchr(start + seen, '\n', left - seen)) != NULL) {
			size_t stop = (size_t)(end - start);

			quote_count += quoted ? quotes(start + seen, stop - seen) : 0;
			seen = stop + 1;
			if (quote_count % 2 != 0)
				end = NULL;
		}
		if (end != NULL ? (size_t)(end - start) > max : left > max)
			return wrong(u, ERR_TOO_LONG, "longer than any may be");
		if (end != NULL) {
			*line = span_make(start, (size_t)(end - start));
			u->from += line->len + 1;
			u->lines++;
			*there = true;
			return OK;
		}
		quote_count += quoted && left > seen ? quotes(start + seen, left - seen) : 0;
		seen = left;
		if ((e = more(u, &any)) != OK)
			return e;
		if (!any && left > 0)
			return wrong(u, ERR_SYNTAX, "the last line does not end");
		if (!any) {
			*there = false;
			return OK;
		}
	}
}

static enum err need_line(struct unpack *u, bool quoted, size_t max, struct span *line)
{
	bool there;
	enum err e = next_line(u, quoted, max, line, &there);

	return e == OK && !there ? wrong(u, ERR_SYNTAX, "the text ends too early") : e;
}

/* ---- values ---- */

static bool read_time(struct span s, int64_t *out)
{
	if (s.len == 0)
		return true;
	if (s.len == sizeof("2026-11-22T20:45:00.123Z") - 1)
		return s.at[s.len - 1] == 'Z' && s.at[10] == 'T' && clock_parse_rfc3339(s, out) == OK &&
		       *out % 1000 != 0;
	return clock_parse(s, out) == OK && *out != 0;
}

static bool read_address(struct span s, struct address *out)
{
	char text[ADDRESS_TEXT];

	return address_parse(s, out) == OK && span_equal(s, span_make(text, address_format(*out, text)));
}

static bool read_number(struct span s, uint64_t max, uint64_t *out)
{
	*out = 0;
	return s.len == 0 || (span_u64(s, max, out) == OK && *out > 0);
}

static bool read_transport(struct span s, uint8_t *out)
{
	uint64_t n;

	*out = TRANSPORT_UNKNOWN;
	if (span_is(s, "tcp"))
		*out = TRANSPORT_TCP;
	else if (span_is(s, "udp"))
		*out = TRANSPORT_UDP;
	else if (span_is(s, "icmp"))
		*out = TRANSPORT_ICMP;
	else if (span_is(s, "other"))
		*out = TRANSPORT_OTHER;
	else if (!read_number(s, 254, &n) || n == TRANSPORT_TCP || n == TRANSPORT_UDP || n == TRANSPORT_ICMP)
		return false;
	else
		*out = (uint8_t)n;
	return true;
}

static bool read_verdict(struct span s, enum plan_verdict *out)
{
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		if (span_is(s, plan_verdict_name((enum plan_verdict)v))) {
			*out = (enum plan_verdict)v;
			return true;
		}
	return false;
}

static const char *const columns[] = { "time",	    "address", "length",      "port",
				       "transport", "target",  "target_port", "verdict" };
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Which value is wrong; NULL: none. */
static const char *read_values(const struct span v[COLUMNS], struct evidence_row *row)
{
	struct event *e = &row->event;
	uint64_t length, port, target_port;

	if (!read_time(v[0], &e->time_ms))
		return columns[0];
	if (!read_address(v[1], &e->source))
		return columns[1];
	if (!read_number(v[2], e->source.family == FAMILY_IPV4 ? 32 : 128, &length))
		return columns[2];
	if (!read_number(v[3], UINT16_MAX, &port))
		return columns[3];
	if (!read_transport(v[4], &e->transport))
		return columns[4];
	e->has_target = v[5].len > 0;
	if (e->has_target && !read_address(v[5], &e->target))
		return columns[5];
	if (!read_number(v[6], UINT16_MAX, &target_port))
		return columns[6];
	e->source_length = (uint8_t)length;
	e->source_port = (uint16_t)port;
	e->target_port = (uint16_t)target_port;
	return read_verdict(v[7], &row->verdict) ? NULL : columns[7];
}

static enum err read_row(const struct unpack *u, struct span line, struct evidence_row *row)
{
	struct span values[COLUMNS];
	const char *bad;

	row->event = (struct event){ 0 };
	for (size_t i = 0; i < COLUMNS; i++) {
		if (line.at == NULL)
			return wrong(u, ERR_CSV, "too few values");
		values[i] = span_cut(&line, ',');
	}
	if (line.at == NULL)
		return wrong(u, ERR_CSV, "too few values");
	if ((bad = read_values(values, row)) != NULL)
		return wrong(u, ERR_CSV, bad);
	row->event.raw = line;
	return OK;
}

/* ---- tables ---- */

static bool word_valid(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	return s.len > 0 && s.len <= 255;
}

static struct span keep(struct arena *a, struct span s)
{
	const char *copy = arena_copy(a, s.at, s.len);

	return span_make(copy, copy == NULL ? 0 : s.len);
}

/* "table <format> <type>" and the header line. What they say is kept in the arena. */
static enum err read_table(struct unpack *u, struct arena *a, struct span line, struct evidence_row *row)
{
	struct span rest = line, columns_line;
	enum err e;

	if (!span_is(span_cut(&rest, ' '), "table") || rest.at == NULL)
		return wrong(u, ERR_SYNTAX, "not the start of a table");
	row->format = span_cut(&rest, ' ');
	row->type = rest;
	if (rest.at == NULL || !word_valid(row->format) || !word_valid(row->type))
		return wrong(u, ERR_SYNTAX, "not the start of a table");
	row->format = keep(a, row->format);
	row->type = keep(a, row->type);
	if ((e = need_line(u, false, HEADER_MAX, &columns_line)) != OK)
		return e;
	if (!span_starts(columns_line, EVIDENCE_COLUMNS))
		return wrong(u, ERR_SYNTAX, "not the columns of a table");
	row->header = span_from(columns_line, sizeof(EVIDENCE_COLUMNS) - 1);
	if (row->header.len > 0) {
		if (row->header.at[0] != ',' || row->header.len == 1)
			return wrong(u, ERR_SYNTAX, "not the columns of a table");
		row->header = keep(a, span_from(row->header, 1));
	}
	return row->format.at == NULL || row->type.at == NULL || row->header.at == NULL ? ERR_NO_MEMORY : OK;
}

static enum err read_tables(struct unpack *u, struct arena *a, evidence_each *each, void *context)
{
	struct evidence_row row;
	struct span line;
	bool there;
	enum err e;

	while ((e = next_line(u, false, HEADER_MAX, &line, &there)) == OK && there) {
		row = (struct evidence_row){ 0 };
		if ((e = read_table(u, a, line, &row)) != OK)
			return e;
		for (;;) {
			if ((e = need_line(u, evidence_quoted(row.format), ROW_MAX, &line)) != OK || line.len == 0)
				break;
			if ((e = read_row(u, line, &row)) != OK || (each != NULL && (e = each(context, &row)) != OK))
				break;
		}
		if (e != OK)
			return e;
	}
	return e;
}

static enum err read_summary(struct unpack *u, struct arena *a, struct span *summary)
{
	struct yyjson_doc *doc;
	struct span line;
	enum err e = need_line(u, false, SUMMARY_MAX, &line);

	if (e != OK)
		return e;
	line = keep(a, line);
	if (line.at == NULL)
		return ERR_NO_MEMORY;
	if ((e = json_read(a, line, &doc)) != OK)
		return e == ERR_NO_MEMORY ? e : wrong(u, ERR_SYNTAX, "the summary is no JSON");
	*summary = line;
	return OK;
}

static enum err read_all(struct unpack *u, struct arena *a, struct span *summary, evidence_each *each, void *context)
{
	struct span line;
	enum err e = need_line(u, false, HEADER_MAX, &line);

	if (e == OK && !span_is(line, "comity-evidence/1"))
		e = wrong(u, ERR_SYNTAX, "not an evidence table of version 1");
	if (e == OK)
		e = read_summary(u, a, summary);
	return e == OK ? read_tables(u, a, each, context) : e;
}

enum err evidence_read(struct arena *a, struct span body, size_t max, struct span *summary, evidence_each *each,
		       void *context)
{
	struct unpack u = { .zstd = ZSTD_createDCtx(), .in = { body.at, body.len, 0 }, .max = max };
	enum err e = ERR_NO_MEMORY;

	*summary = span_make("", 0);
	u.room = LINE_MAX_OF_ALL + STEP;
	u.at = malloc(u.room);
	if (u.zstd != NULL && u.at != NULL) {
		ZSTD_DCtx_setParameter(u.zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
		u.whole = true;
		e = body.len == 0 ? fail(ERR_COMPRESSION, "evidence: empty") : read_all(&u, a, summary, each, context);
	}
	ZSTD_freeDCtx(u.zstd);
	free(u.at);
	return e;
}
