#include "report/layout.h"

#include "report/date.h"
#include "report/quad.h"

#define CERT_FIELDS 10
#define NAMED_FIELDS 32
#define HEADER_DATE_MAX 200 /* a longer comment is no date */

static bool is_comment(struct span line)
{
	return line.len > 0 && (line.at[0] == '#' || line.at[0] == ';');
}

/* What stands before a blank or a separator. */
static struct span token(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t' && line.at[n] != ',' && line.at[n] != ';' &&
	       line.at[n] != '|' && line.at[n] != '#')
		n++;
	return (struct span){ line.at, n };
}

/* From first to last as one prefix. A row is one event, so a range that would need several is refused. */
static enum err range_set(struct event *e, struct address first, struct address last)
{
	unsigned width = first.family == FAMILY_IPV4 ? 32 : 128;

	if (first.family != last.family)
		return ERR_PREFIX;
	for (unsigned length = 0; length <= width; length++) {
		struct prefix p = prefix_of(first, length);

		if (address_equal(p.address, first) && address_equal(prefix_last(p), last)) {
			source_set(e, p);
			return OK;
		}
	}
	return ERR_PREFIX;
}

static enum err range_read(struct span text, struct event *e)
{
	struct span last = text, first = span_cut(&last, '-');
	struct address a, b;

	if (address_parse_loose(span_trim(first), &a) != OK || address_parse_loose(span_trim(last), &b) != OK)
		return ERR_ADDRESS;
	return range_set(e, a, b);
}

/* "192.0.2.1", "192.0.2.0/24 ; SBL1", "192.0.2.0-192.0.2.255", "192.0.2.1<tab>4". "AS64500 ; EE | X" names a network and
 * no address. */
static enum err plain_read(struct span line, struct event *e)
{
	struct span first = token(line), rest;
	struct prefix p;
	uint32_t asn;

	if (address_parse_loose(first, &e->source) == OK) {
		rest = span_trim(span_from(line, first.len));
		if (rest.len > 1 && rest.at[0] == '-') {
			rest = span_trim(span_from(rest, 1));
			rest = token(rest);
			return range_read((struct span){ line.at, (size_t)(rest.at - line.at) + rest.len }, e);
		}
		return OK;
	}
	if (first.len > 0 && memchr(first.at, '/', first.len) != NULL) {
		if (prefix_parse(first, &p) != OK)
			return ERR_PREFIX;
		source_set(e, p);
		return OK;
	}
	if (first.len > 0 && memchr(first.at, '-', first.len) != NULL)
		return range_read(first, e);
	return asn_parse(first, false, &asn) == OK ? ERR_NO_ADDRESS : ERR_ADDRESS;
}

/* start TAB end TAB prefix length TAB … */
static enum err block_read(struct span line, struct event *e)
{
	struct span rest = line, start = span_trim(span_cut(&rest, '\t')), end, length;
	struct address first, last;
	uint64_t n;
	enum err err;

	if (rest.at == NULL)
		return ERR_ADDRESS;
	end = span_trim(span_cut(&rest, '\t'));
	if (address_parse_loose(start, &first) != OK || address_parse_loose(end, &last) != OK)
		return ERR_ADDRESS;
	if (rest.at == NULL)
		return ERR_PREFIX;
	length = span_trim(span_cut(&rest, '\t'));
	if (span_u64(length, 128, &n) != OK || (err = range_set(e, first, last)) != OK)
		return ERR_PREFIX;
	return n == e->source_length || (e->source_length == 0 && n >= 32) ? OK : ERR_PREFIX;
}

/* Cuts the part behind the last bar off; false: there is none. */
static bool cut_last(struct span *line, struct span *part)
{
	const char *bar = line->len > 0 ? memrchr(line->at, '|', line->len) : NULL;

	if (bar == NULL)
		return false;
	*part = span_trim(span_from(*line, (size_t)(bar - line->at) + 1));
	line->len = (size_t)(bar - line->at);
	return true;
}

/* asn | name | address | last seen | category: the name may hold bars, so the rest is taken from the end. */
static enum err pipes_read(struct span line, struct event *e, struct span *seen)
{
	struct span address, category, name;

	if (!cut_last(&line, &category) || !cut_last(&line, seen) || !cut_last(&line, &address))
		return ERR_ADDRESS;
	if (!cut_last(&line, &name))
		return ERR_ADDRESS;
	return address_parse_loose(address, &e->source);
}

static size_t fields_cut(struct span line, struct span fields[CERT_FIELDS])
{
	size_t n = 0;

	for (struct span rest = line; n < CERT_FIELDS && rest.at != NULL; n++)
		fields[n] = span_trim(span_cut(&rest, ','));
	return n;
}

static bool is_unknown(struct span s)
{
	return s.len == 0 || span_is(s, "?") || span_is(s, "-");
}

/* address, ASn, country, Unix time, name, domain, remote address, remote port, local port, protocol. "?", "-" and other
 * things stand for what is not known. */
static enum err cert_read(struct span line, struct event *e, struct span *seen)
{
	struct span f[CERT_FIELDS];

	if (fields_cut(line, f) < CERT_FIELDS || address_parse_loose(f[0], &e->source) != OK)
		return ERR_ADDRESS;
	*seen = f[3];
	if (!is_unknown(f[4]))
		e->malware = f[4];
	e->has_target = address_parse(f[6], &e->target) == OK;
	if (port_parse(f[7], &e->target_port) != OK)
		e->target_port = 0;
	if (port_parse(f[8], &e->source_port) != OK)
		e->source_port = 0;
	if (!is_unknown(f[9]))
		e->transport = transport_parse(f[9]);
	return OK;
}

/* ---- columns that a line above names ---- */

/* The next of comma-separated fields, without blanks and quotes around it; rest->at becomes NULL behind the last.
 * ERR_CSV: quotes otherwise than around a whole field. */
static enum err field_cut(struct span *rest, struct span *out)
{
	const char *end;

	*rest = span_trim(*rest);
	if (rest->len == 0 || rest->at[0] != '"') {
		*out = span_trim(span_cut(rest, ','));
		return out->len > 0 && memchr(out->at, '"', out->len) != NULL ? ERR_CSV : OK;
	}
	*out = span_from(*rest, 1);
	if ((end = memchr(out->at, '"', out->len)) == NULL)
		return ERR_CSV;
	out->len = (size_t)(end - out->at);
	*rest = span_trim(span_from(*rest, out->len + 2));
	return span_cut(rest, ',').len == 0 ? OK : ERR_CSV;
}

/* "Last_Online (UTC)" is "lastonline": letters alone, the zone left out. */
static bool is_named(struct span field, const char *name)
{
	size_t at = 0;

	for (size_t i = 0; i < field.len && field.at[i] != '('; i++) {
		char c = (char)(field.at[i] | 0x20);

		if (c < 'a' || c > 'z')
			continue;
		if (c != name[at++])
			return false;
	}
	return name[at] == '\0';
}

static const struct {
	const char *name;
	size_t column; /* of struct columns */
} column_names[] = {
	{ "lastonline", offsetof(struct columns, time) },
	{ "lastseen", offsetof(struct columns, time) },
	{ "lastseenutc", offsetof(struct columns, time) },
	{ "firstseen", offsetof(struct columns, time_else) },
	{ "firstseenutc", offsetof(struct columns, time_else) },
	{ "dstip", offsetof(struct columns, source) },
	{ "ip", offsetof(struct columns, source) },
	{ "ipaddress", offsetof(struct columns, source) },
	{ "address", offsetof(struct columns, source) },
	{ "host", offsetof(struct columns, source) },
	{ "dstport", offsetof(struct columns, source_port) },
	{ "port", offsetof(struct columns, source_port) },
	{ "malware", offsetof(struct columns, malware) },
};

/* The column of a page's or list's table with that name; NULL: none of those that we look for. */
static int *column_of(struct columns *c, struct span field)
{
	for (size_t i = 0; i < sizeof(column_names) / sizeof(column_names[0]); i++)
		if (is_named(field, column_names[i].name))
			return (int *)(void *)((char *)c + column_names[i].column);
	return NULL;
}

void list_columns_clear(struct columns *c)
{
	*c = (struct columns){ -1, -1, -1, -1, -1, -1, -1, { -1, -1 } };
}

void list_column_name(struct columns *c, struct span name, int number)
{
	int *column = column_of(c, name);

	if (column != NULL && *column == -1)
		*column = number;
}

/* A line of names, of which one is that of an address and one that of something else that counts. */
static bool names_find(struct span line, struct columns *out)
{
	struct columns c;
	struct span rest = line, field;
	int n = 0;

	list_columns_clear(&c);
	for (; rest.at != NULL && n < NAMED_FIELDS; n++) {
		if (field_cut(&rest, &field) != OK)
			return false;
		list_column_name(&c, field, n);
	}
	if (c.source == -1 || (c.source == 0 && c.source_port == -1))
		return false;
	*out = c;
	return true;
}

static struct span field_of(const struct span *fields, int n, int column)
{
	return column >= 0 && column < n ? fields[column] : SPAN("");
}

enum err list_row_read(const struct columns *c, const struct span *fields, int n, struct event *e, struct span *seen)
{
	if (address_parse_loose(field_of(fields, n, c->source), &e->source) != OK)
		return ERR_ADDRESS;
	e->malware = field_of(fields, n, c->malware[0]);
	*seen = field_of(fields, n, c->time);
	if (seen->len == 0)
		*seen = field_of(fields, n, c->time_else);
	if (seen->len == 0)
		seen->at = NULL;
	return port_parse(field_of(fields, n, c->source_port), &e->source_port);
}

static enum err named_read(const struct columns *c, struct span line, struct event *e, struct span *seen)
{
	struct span fields[NAMED_FIELDS], rest = line;
	int n = 0;

	for (; rest.at != NULL && n < NAMED_FIELDS; n++)
		if (field_cut(&rest, &fields[n]) != OK)
			return ERR_CSV;
	return list_row_read(c, fields, n, e, seen);
}

/* ---- rows ---- */

static enum err address_read(const struct layout *l, struct span line, struct event *e, struct span *seen)
{
	*seen = (struct span){ NULL, 0 };
	switch (l->style) {
	case LIST_BLOCK:
		return block_read(line, e);
	case LIST_PIPES:
		return pipes_read(line, e, seen);
	case LIST_CERT:
		return cert_read(line, e, seen);
	case LIST_NAMED:
		return named_read(&l->columns, line, e, seen);
	default:
		return plain_read(line, e);
	}
}

static enum err line_read(const struct parse *p, struct span raw, struct span line, struct event *e, const char **name)
{
	const struct layout *l = p->layout;
	struct span seen;
	enum err err;

	if ((err = parse_encoding(p, raw)) != OK)
		return err;
	err = address_read(l, line, e, &seen);
	*name = err == ERR_NUMBER ? "port" : err == ERR_CSV ? NULL : "address";
	if (err != OK || (err = source_check(&e->source)) != OK)
		return err;
	*name = "time";
	e->time_ms = l->date_ms;
	if (seen.at == NULL)
		return OK;
	if ((err = date_read(seen, &e->time_ms)) != OK)
		return err;
	return time_check(l, e->time_ms);
}

/* The quick way of the commonest row: a quad, and nothing before or behind it but other columns. Everything else,
 * good or bad, is left to line_read. */
static bool quad_line(const struct parse *p, struct lines *lines, struct event *e)
{
	const char *start = lines->text.at + lines->at, *end;
	size_t left = lines->text.len - lines->at, n;
	uint32_t v;

	if (lines->at < QUAD_BEFORE || left <= QUAD_ROOM || (n = quad_read(start, true, &v)) == 0)
		return false;
	end = start + n;
	if (*end != '\n') {
		if (*end != '\t' && *end != ',' && *end != ';' && *end != '|')
			return false;
		if (end[1] == '-' || end[1] == ' ' || end[1] == '\t') /* perhaps a range */
			return false;
		end = memchr(end, '\n', left - n);
		if (end == NULL || end[-1] == '\r' || (size_t)(end - start) > lines->row_max)
			return false;
	}
	if (quad_is_suspect(v))
		return false;
	e->source = address_ipv4(v);
	e->raw = (struct span){ start, (size_t)(end - start) };
	e->line = p->line + lines->count++;
	e->offset = p->offset + lines->at;
	lines->at += e->raw.len + 1;
	return true;
}

static enum err line_parse(const struct parse *p, const struct place *at)
{
	struct event event = { .class = p->layout->class };
	struct span line = span_trim(at->raw);
	const char *name = NULL;
	enum err why;

	if (at->raw.len > p->layout->row_max)
		return parse_reject(p, at, ERR_TOO_LONG, NULL);
	if (line.len == 0 || is_comment(line))
		return OK;
	why = line_read(p, at->raw, line, &event, &name);
	return why == OK ? parse_event(p, at, &event) : parse_reject(p, at, why, name);
}

enum err list_parse(struct parse *p)
{
	const struct layout *l = p->layout;
	struct lines lines = { .text = p->rows, .row_max = l->row_max };
	bool quick = p->clean && l->style == LIST_PLAIN && l->row_max >= QUAD_ROOM;
	/* the quick way changes little of it */
	struct event event = { .class = l->class, .time_ms = l->date_ms, .format = FORMAT_LIST };
	struct place at;
	enum err e = OK;

	while (e == OK) {
		if (quick && quad_line(p, &lines, &event))
			e = p->sink->event(p->sink->context, &event);
		else if (lines_next(&lines, &at))
			e = line_parse(p, &at);
		else
			break;
	}
	return e;
}

static bool style_find(struct span line, const struct columns *names, struct layout *l)
{
	static const enum list_style order[] = { LIST_NAMED, LIST_PIPES, LIST_CERT, LIST_BLOCK, LIST_PLAIN };
	struct layout try = { .columns = *names };

	for (size_t i = names->source == -1; i < sizeof(order) / sizeof(order[0]); i++) {
		struct event e;
		struct span seen;
		int64_t ms;

		try.style = order[i];
		if (address_read(&try, line, &e, &seen) != OK)
			continue;
		if (seen.at != NULL && date_read(seen, &ms) != OK)
			continue;
		l->style = order[i];
		l->columns = *names;
		if (l->style == LIST_NAMED && names->malware[0] != -1 && names->source_port != -1)
			l->class = CLASS_C2_SERVER; /* where malware calls home */
		return true;
	}
	return false;
}

/* What a comment says, without the marks that frame it. */
static struct span comment_text(struct span s)
{
	while (s.len > 0 && (is_comment(s) || s.at[0] == ' ' || s.at[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.at[s.len - 1] == '#' || s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* "Last update: Sat, 22 Aug 2026 03:00:29 +0200", "Last-Modified: …", "This File Date : …", "Generated on …" */
static void date_find(struct span comment, int64_t *ms)
{
	static const char *const words[] = { "last update",   "last updated",  "last-update", "last-updated",
					     "last-modified", "last modified", "updated",     "generated",
					     "generated at",  "generated on",  "date",	      "file date",
					     "this file date" };
	struct span s = comment_text(comment);
	size_t longest = 0;

	if (s.len > HEADER_DATE_MAX)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (n > longest && s.len > n && (s.at[n] == ':' || s.at[n] == ' ') &&
		    span_equal_nocase((struct span){ s.at, n }, span_of(words[i])))
			longest = n;
	}
	if (longest == 0)
		return;
	s = span_trim(span_from(s, longest));
	if (s.len > 0 && s.at[0] == ':')
		s = span_from(s, 1);
	if (date_read(s, ms) != OK)
		*ms = 0;
}

/* A line of column names: begins with a letter, and its first word could not be an address. */
static bool is_header(struct span line)
{
	char c = (char)(line.at[0] | 0x20);
	struct span first = token(line);

	if (line.at[0] == '"')
		return true;
	return c >= 'a' && c <= 'z' && memchr(first.at, ':', first.len) == NULL &&
	       memchr(first.at, '.', first.len) == NULL;
}

/* What a line above the rows says: the date, the names of columns. */
static void head_read(struct span line, bool comment, struct columns *names, struct layout *l)
{
	if (comment && l->date_ms == 0)
		date_find(line, &l->date_ms);
	if (names->source == -1)
		names_find(comment ? comment_text(line) : line, names);
}

bool list_detect(struct span text, bool whole, struct layout *l)
{
	struct lines lines = { .text = text, .row_max = REPORT_ROW_MAX };
	struct columns names;
	struct place at;
	size_t skip = 0;
	uint64_t skip_lines = 0;
	int rows = 0, networks = 0;
	uint32_t asn;

	l->type = SPAN("list");
	l->type_known = true;
	l->class = CLASS_UNDETERMINED;
	list_columns_clear(&names);
	while (rows < DETECT_ROWS && lines_next(&lines, &at)) {
		struct span line = span_trim(at.raw);

		if (line.len == 0)
			continue;
		if (lines.at == text.len && text.at[text.len - 1] != '\n' && !whole)
			break; /* the head's last line may be cut */
		if (rows == 0)
			head_read(line, is_comment(line), &names, l);
		if (is_comment(line))
			continue;
		if (style_find(line, &names, l)) {
			l->skip = skip;
			l->skip_lines = skip_lines;
			return true;
		}
		networks += asn_parse(token(line), false, &asn) == OK;
		if (rows++ == 0 && networks == 0 && is_header(line)) {
			skip = lines.at;
			skip_lines = lines.count;
		}
	}
	l->style = LIST_PLAIN;
	return networks > 0; /* each a reject */
}
