#include "report/report.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "report/csv_blocks.h"
#include "report/layout.h"
#include "report/quad.h"

#define SCRATCH_ARENA_MAX (8 * REPORT_DOCUMENT_MAX)
#define YEAR_2000_MS INT64_C(946684800000)

static const char *const formats[FORMAT_COUNT] = {
	[FORMAT_UNKNOWN] = "unknown",
	[FORMAT_SHADOWSERVER] = "shadowserver",
	[FORMAT_JSON_LINES] = "json-lines",
	[FORMAT_LIST] = "list",
	[FORMAT_XARF] = "xarf",
	[FORMAT_IDEA] = "idea",
	[FORMAT_STIX] = "stix",
	[FORMAT_IODEF] = "iodef",
	[FORMAT_ARF] = "arf",
	[FORMAT_MAIL] = "mail",
	[FORMAT_HTML] = "html",
};

const char *format_name(enum format f)
{
	return (unsigned)f < FORMAT_COUNT ? formats[f] : formats[FORMAT_UNKNOWN];
}

enum err format_parse(struct span name, enum format *out)
{
	for (int f = FORMAT_UNKNOWN + 1; f < FORMAT_COUNT; f++) {
		if (span_is(name, formats[f])) {
			*out = (enum format)f;
			return OK;
		}
	}
	if (span_is(name, "intelmq") || span_is(name, "jsonl") || span_is(name, "ndjson")) {
		*out = FORMAT_JSON_LINES;
		return OK;
	}
	return fail(
		ERR_FORMAT_UNKNOWN,
		"\"%.*s\" is no format; there are shadowserver, json-lines (intelmq), list, xarf, idea, stix, iodef, "
		"arf, mail and html",
		SPAN_FORMAT(name));
}

bool format_is_document(enum format f)
{
	return f >= FORMAT_XARF && f < FORMAT_COUNT;
}

enum format layout_format(const struct layout *l)
{
	return l->format;
}

size_t layout_row_max(const struct layout *l)
{
	return l->row_max;
}

struct span layout_type(const struct layout *l)
{
	return l->type;
}

struct span layout_header(const struct layout *l)
{
	return l->header;
}

size_t layout_columns(const struct layout *l)
{
	return l->header.len > 0 ? l->field_count : 0;
}

size_t layout_unknown_columns(const struct layout *l)
{
	return l->unknown_columns;
}

bool layout_has_port(const struct layout *l)
{
	return l->format == FORMAT_SHADOWSERVER && l->columns.source_port >= 0;
}

bool layout_spoken(const struct layout *l)
{
	return l->format == FORMAT_SHADOWSERVER && report_type_spoken(l->type);
}

bool layout_type_known(const struct layout *l)
{
	return l->type_known;
}

struct report_cursor report_start(const struct layout *l)
{
	return (struct report_cursor){ .offset = l->skip, .line = l->skip_lines + 1 };
}

size_t lines_boundary(struct span chunk, size_t row_max, bool *inside)
{
	const char *end = chunk.len > 0 ? memrchr(chunk.at, '\n', chunk.len) : NULL;

	*inside = end == NULL && chunk.len > row_max;
	if (end != NULL)
		return (size_t)(end - chunk.at) + 1;
	return *inside ? chunk.len : 0;
}

size_t report_boundary(const struct layout *l, struct report_cursor *at, struct span chunk, bool last)
{
	size_t n = 0;
	bool inside = at->inside, ended;

	if (inside && !last) {
		n = frame_rest(l, chunk, &ended);
		inside = !ended;
	}
	if (last) {
		n = chunk.len;
	} else if (!inside) {
		struct span rest = span_from(chunk, n);

		if (l->framing == FRAME_CSV)
			n += csv_boundary(rest, l->row_max, false, &inside);
		else if (l->framing == FRAME_LINES)
			n += lines_boundary(rest, l->row_max, &inside);
		else
			n += frame_boundary(l, rest, &inside);
	}
	at->offset += n;
	at->line += lines_in((struct span){ chunk.at, n });
	at->inside = inside;
	return n;
}

enum err scratch_new(struct scratch **out)
{
	struct scratch *s = malloc(sizeof(*s));

	if (s == NULL)
		return fail(ERR_NO_MEMORY, "no room to read reports");
	memset(s->time, 0, sizeof(s->time));
	s->time_ms = 0;
	s->class_name_length = 0;
	s->large = false;
	s->raw = BUFFER(REPORT_DOCUMENT_MAX);
	if ((s->arena = arena_new(SCRATCH_ARENA_MAX)) == NULL) {
		free(s);
		return fail(ERR_NO_MEMORY, "no room to read reports");
	}
	jsonl_prepare(s);
	*out = s;
	return OK;
}

void scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	arena_free(s->arena);
	buffer_free(&s->raw);
	free(s);
}

/* Whether no byte is NUL or beyond ASCII: of either, or of either less one, the high bit is set. */
static bool is_clean(struct span text)
{
	typedef uint8_t bytes16 __attribute__((vector_size(16)));
	bytes16 seen = { 0 };
	uint64_t halves[2];
	uint8_t rest = 0;
	size_t i = 0;

	for (; text.len - i >= 16; i += 16) {
		bytes16 v;

		memcpy(&v, text.at + i, 16);
		seen |= v | (v - 1);
	}
	for (; i < text.len; i++)
		rest |= (uint8_t)text.at[i] | (uint8_t)(text.at[i] - 1);
	memcpy(halves, &seen, 16);
	return ((halves[0] | halves[1]) & 0x8080808080808080) == 0 && rest < 0x80;
}

/* For the next document. What a large one needed is given back: a thread does not sit on it. */
static void scratch_renew(struct scratch *s, size_t len)
{
	struct arena *fresh;

	buffer_clear(&s->raw);
	if (s->large && (fresh = arena_new(SCRATCH_ARENA_MAX)) != NULL) {
		arena_free(s->arena);
		s->arena = fresh;
	}
	arena_reset(s->arena);
	s->large = len > REPORT_ROW_MAX;
}

static enum err documents_parse(struct parse *p)
{
	static enum err (*const rows[FORMAT_COUNT])(const struct parse *, const struct place *) = {
		[FORMAT_XARF] = xarf_row,   [FORMAT_IDEA] = idea_row, [FORMAT_STIX] = stix_row,
		[FORMAT_IODEF] = iodef_row, [FORMAT_ARF] = mail_row,  [FORMAT_MAIL] = mail_row,
		[FORMAT_HTML] = html_row,
	};
	struct place at = { 0, 0, { p->rows.at, 0 } };
	enum err why = OK, e = OK;

	if (rows[p->layout->format] == NULL)
		return fail(ERR_FORMAT_UNKNOWN, "a layout without a format");
	while (e == OK && frame_next(p->layout, p->rows, &at, &why)) {
		scratch_renew(p->scratch, at.raw.len);
		e = why != OK ? parse_reject(p, &at, why, NULL) : rows[p->layout->format](p, &at);
	}
	return e;
}

enum err report_parse(const struct layout *l, struct scratch *s, struct span rows, const struct report_cursor *from,
		      const struct report_sink *sink)
{
	struct parse p = { l, s, sink, rows, from->offset, from->line, false };

	if (from->inside) {
		bool ended;
		size_t n = frame_rest(l, rows, &ended);

		p.rows = span_from(rows, ended ? n : rows.len);
		p.offset += n;
		p.line += lines_in((struct span){ rows.at, n });
	}
	if (p.rows.len == 0)
		return OK;
	p.clean = is_clean(p.rows);
	switch (l->format) {
	case FORMAT_SHADOWSERVER:
		return shadowserver_parse(&p);
	case FORMAT_JSON_LINES:
		return jsonl_parse(&p);
	case FORMAT_LIST:
		return list_parse(&p);
	default:
		return documents_parse(&p);
	}
}

/* The limit is on what stands before the line end: a CR is taken off only from a line that keeps to it. */
bool lines_next(struct lines *l, struct place *out)
{
	const char *at = l->text.at + l->at, *end;
	size_t left = l->text.len - l->at, len;

	if (left == 0)
		return false;
	end = memchr(at, '\n', left);
	len = end != NULL ? (size_t)(end - at) : left;
	*out = (struct place){ l->at, l->count, { at, len } };
	l->at += end != NULL ? len + 1 : len;
	l->count += end != NULL;
	if (len > 0 && len <= l->row_max && at[len - 1] == '\r')
		out->raw.len--;
	return true;
}

enum err parse_event(const struct parse *p, const struct place *at, struct event *e)
{
	return parse_event_as(p, at, e, at->raw);
}

enum err parse_event_as(const struct parse *p, const struct place *at, struct event *e, struct span raw)
{
	if (e->format == FORMAT_UNKNOWN)
		e->format = (uint8_t)p->layout->format;
	assert(raw.len <= REPORT_ROW_MAX);
	e->raw = raw;
	e->line = p->line + at->line;
	e->offset = p->offset + at->offset;
	return p->sink->event(p->sink->context, e);
}

enum err parse_reject(const struct parse *p, const struct place *at, enum err why, const char *field)
{
	struct reject r = { why, p->line + at->line, p->offset + at->offset, at->raw, field };
	size_t max = REPORT_REJECT_MAX;

	if (why == ERR_TOO_LONG && frame_limit(p->layout) < max) /* of such a row we may have no more */
		max = frame_limit(p->layout);
	if (r.raw.len > max)
		r.raw.len = max;
	return p->sink->reject(p->sink->context, &r);
}

enum err parse_encoding(const struct parse *p, struct span raw)
{
	if (p->clean || raw.len == 0)
		return OK;
	return memchr(raw.at, '\0', raw.len) == NULL && span_is_utf8(raw) ? OK : ERR_ENCODING;
}

/* Most addresses are cleared by their first bits; address_special has the last word on the rest. */
enum err source_check(const struct address *a)
{
	unsigned first = (unsigned)(a->high >> 48), second = (unsigned)(a->high >> 32) & 0xffff;

	if (a->family == FAMILY_IPV4 && !quad_is_suspect((uint32_t)a->low))
		return OK;
	if (a->family == FAMILY_IPV6 &&
	    ((first > 0x2002 && first < 0x3fff) || (first == 0x2001 && second > 0x1ff && second != 0xdb8)))
		return OK;
	return address_special(*a) == NULL ? OK : ERR_ADDRESS_SPECIAL;
}

void source_set(struct event *e, struct prefix p)
{
	e->source = p.address;
	e->source_length = p.length == (p.address.family == FAMILY_IPV4 ? 32 : 128) ? 0 : p.length;
}

enum err time_check(const struct layout *l, int64_t ms)
{
	if (ms < YEAR_2000_MS)
		return ERR_TIME;
	return ms > l->latest_ms ? ERR_TIME_FUTURE : OK;
}

enum err port_parse(struct span s, uint16_t *out)
{
	uint64_t v = 0;

	if (s.len > 0 && span_u64(s, UINT16_MAX, &v) != OK)
		return ERR_NUMBER;
	*out = (uint16_t)v;
	return OK;
}

uint8_t transport_parse(struct span s)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {
		{ "tcp", TRANSPORT_TCP },    { "udp", TRANSPORT_UDP },	{ "icmp", TRANSPORT_ICMP },
		{ "tcp6", TRANSPORT_TCP },   { "udp6", TRANSPORT_UDP }, { "icmp6", 58 },
		{ "tcp/ip", TRANSPORT_TCP }, { "ipv6-icmp", 58 },	{ "sctp", 132 },
	};
	uint64_t number;

	if (s.len == 0)
		return TRANSPORT_UNKNOWN;
	if (s.len == 3 && memcmp(s.at, "tcp", 3) == 0)
		return TRANSPORT_TCP;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_equal_nocase(s, span_of(names[i].name)))
			return names[i].number;
	if (span_u64(s, 254, &number) == OK)
		return (uint8_t)number;
	return TRANSPORT_OTHER;
}

/* "2026-11-22T20:45:00.123456+0000": an offset without its colon, which RFC 3339 does not allow and some programs
 * write. */
static enum err time_without_colon(struct span s, int64_t *ms)
{
	char text[48];
	size_t n = s.len;

	if (n < 24 || n + 1 > sizeof(text) || (s.at[n - 5] != '+' && s.at[n - 5] != '-'))
		return ERR_TIME;
	memcpy(text, s.at, n - 2);
	text[n - 2] = ':';
	memcpy(text + n - 1, s.at + n - 2, 2);
	return clock_parse_rfc3339((struct span){ text, n + 1 }, ms);
}

/* Seconds since 1970, with a fraction or not; twelve digits and more are milliseconds. */
static enum err time_epoch(struct span s, int64_t *ms)
{
	struct span rest = s, whole = span_cut(&rest, '.');
	uint64_t v, fraction = 0;

	if (span_u64(whole, INT64_MAX / 1000, &v) != OK || (rest.at != NULL && rest.len == 0))
		return ERR_TIME;
	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] < '0' || rest.at[i] > '9')
			return ERR_TIME;
	for (size_t i = 0; i < 3; i++)
		fraction = fraction * 10 + (i < rest.len ? (unsigned)(rest.at[i] - '0') : 0);
	*ms = whole.len >= 12 ? (int64_t)v : (int64_t)(v * 1000 + fraction);
	return OK;
}

enum err time_parse_any(struct span s, int64_t *ms)
{
	if (clock_parse_rfc3339(s, ms) == OK || clock_parse_plain(s, ms) == OK)
		return OK;
	if (time_epoch(s, ms) == OK)
		return OK;
	return time_without_colon(s, ms);
}
