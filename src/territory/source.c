#include "territory/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "territory/unpack.h"

#define PROBE_LINES 64
#define AS_MAX ((size_t)4 << 20)
#define NAMES_MAX ((size_t)256 << 20)
#define NAME_LONGEST 1000
#define COMMENT_LINES 100

static const struct source_format *const formats[] = {
	&format_delegated,	&format_ris,	 &format_pyasn,	   &format_pfx2as,  &format_asn_ranges,
	&format_country_ranges, &format_vrp_csv, &format_vrp_json, &format_asnames,
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

void source_begin(struct source *s, const char *path, build_reject *on_reject, void *context)
{
	*s = (struct source){ .path = path, .on_reject = on_reject, .context = context };
	s->as_seen = INTERN(uint32_t);
	s->names = BUFFER(NAMES_MAX);
	s->now_ms = clock_now_ms();
}

void source_free(struct source *s)
{
	for (int k = 0; k < ROW_KINDS; k++)
		for (int f = 0; f < 2; f++)
			rows_free(&s->rows[k][f]);
	free(s->as);
	intern_free(&s->as_seen);
	buffer_free(&s->names);
}

static bool is_comment(struct span line, const char *marks)
{
	line = span_trim(line);
	return line.len == 0 || (line.at[0] != '\0' && strchr(marks, line.at[0]) != NULL);
}

bool source_line(struct source *s, struct span *line)
{
	while (s->err == OK && span_line(&s->rest, line)) {
		s->line++;
		if (!is_comment(*line, s->format->comment))
			return true;
	}
	return false;
}

void source_reject(struct source *s, enum err why, struct span row)
{
	s->rejected++;
	if (s->on_reject != NULL)
		s->on_reject(s->context, s->path, s->line, why, row);
}

void source_row(struct source *s, enum row_kind kind, enum family f, const struct row *row)
{
	enum err e = rows_add(&s->rows[kind][f == FAMILY_IPV6], row);

	if (e != OK)
		s->err = e;
	else
		s->good++;
}

static uint32_t add_name(struct source *s, struct span name)
{
	uint32_t at = (uint32_t)s->names.len;
	bool valid = span_is_utf8(name);

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		buffer_byte(&s->names, c < 0x20 || c == 0x7f ? ' ' : c >= 0x80 && !valid ? '?' : c);
	}
	if (s->names.err != OK)
		s->err = s->names.err;
	return at;
}

/* At most NAME_LONGEST bytes, cut between characters. */
static struct span cut_name(struct span name)
{
	name = span_trim(name);
	if (name.len > NAME_LONGEST) {
		name.len = NAME_LONGEST;
		while (name.len > 0 && ((unsigned char)name.at[name.len] & 0xc0) == 0x80)
			name.len--;
	}
	return name;
}

void source_as(struct source *s, uint32_t asn, uint32_t country, struct span name)
{
	size_t known = s->as_seen.count;
	struct as_note note = { asn, country, 0, 0 };
	uint32_t number;
	void *at = s->as;
	enum err e = intern(&s->as_seen, &asn, &number);

	if (e == OK && number == known) {
		e = grow(&at, &s->as_room, s->as_count, sizeof(*s->as), AS_MAX);
		s->as = at;
		if (e == OK)
			s->as[s->as_count++] = note;
	}
	if (e != OK) {
		s->err = e;
		return;
	}
	if (s->as[number].country == 0)
		s->as[number].country = country;
	if (s->as[number].length == 0 && name.len > 0) {
		name = cut_name(name);
		s->as[number].name = add_name(s, name);
		s->as[number].length = (uint32_t)name.len;
	}
}

void source_name(struct source *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(s->name, sizeof(s->name), format, arguments);
	va_end(arguments);
	for (char *p = s->name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
}

void source_dated(struct source *s, int64_t ms)
{
	if (ms > s->dated_ms)
		s->dated_ms = ms;
}

static bool digits(struct span s, size_t at, size_t n, unsigned *out)
{
	*out = 0;
	if (s.len < at + n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(s.at[i] - '0');
	}
	return true;
}

int64_t source_date(struct span text)
{
	size_t gap = text.len > 4 && text.at[4] == '-' ? 1 : 0, end = 8 + 2 * gap;
	unsigned year, month, day, hour = 0, minute = 0;
	char plain[32];
	int64_t ms;
	int n;

	if (!digits(text, 0, 4, &year) || !digits(text, 4 + gap, 2, &month) || !digits(text, 6 + 2 * gap, 2, &day))
		return 0;
	if (text.len > end && (text.at[end] == ' ' || text.at[end] == 'T') &&
	    (!digits(text, end + 1, 2, &hour) || !digits(text, end + 4, 2, &minute)))
		hour = minute = 0;
	n = snprintf(plain, sizeof(plain), "%04u-%02u-%02u %02u:%02u:00", year, month, day, hour, minute);
	if (n != 19 || clock_parse_plain(span_make(plain, 19), &ms) != OK)
		return 0;
	return ms;
}

enum err source_prefix(struct span text, struct row *row, enum family *f)
{
	struct prefix p;

	if (prefix_parse(text, &p) != OK)
		return ERR_PREFIX;
	*f = (enum family)p.address.family;
	*row = (struct row){ .first = wide_of(prefix_first(p)), .last = wide_of(prefix_last(p)), .length = p.length };
	return OK;
}

/* Sets come from aggregated routes, several origins from more than one announcement: which of them is meant nobody can
 * say, so the first stands and the second is kept beside it. */
enum err source_origins(struct span text, uint32_t *first, uint32_t *second)
{
	unsigned count = 0;

	*first = *second = 0;
	while (text.len > 0) {
		size_t n = 0;
		uint32_t asn;

		while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
			n++;
		if (n > 0) {
			if (asn_parse(span_make(text.at, n), true, &asn) != OK)
				return ERR_NUMBER;
			if (count++ == 0)
				*first = asn;
			else if (*second == 0 && asn != *first)
				*second = asn;
		} else if (text.at[0] != '\0' && strchr("{},_ ", text.at[0]) != NULL) {
			n = 1;
		} else {
			return ERR_NUMBER;
		}
		text = span_from(text, n);
	}
	return count > 0 ? OK : ERR_NUMBER;
}

/* How many of the first lines fit a format; 0 if that is less than a quarter: prose fits nothing well. */
static unsigned count_fitting(const struct source_format *f, struct span text)
{
	unsigned hits = 0, seen = 0, lines = 0;
	struct span line;

	while (seen < PROBE_LINES && lines++ < PROBE_LINES + 1000 && span_line(&text, &line)) {
		if (is_comment(line, f->comment))
			continue;
		seen++;
		hits += f->fits(line) ? 1 : 0;
	}
	return hits * 4 >= seen ? hits : 0;
}

/* The format that most of the first lines fit; of equals the first of the list. */
static const struct source_format *detect(struct span text)
{
	const struct source_format *best = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < FORMATS; i++) {
		unsigned hits = count_fitting(formats[i], text);

		if (hits > most) {
			most = hits;
			best = formats[i];
		}
	}
	return best;
}

/* A date that stands in the comments at the head. */
static void date_from_comments(struct source *s, struct span text)
{
	struct span line;

	for (int i = 0; i < COMMENT_LINES && s->dated_ms == 0 && span_line(&text, &line); i++) {
		if (line.len == 0 || strchr("#;%", line.at[0]) == NULL)
			continue;
		for (size_t at = 0; at + 8 <= line.len && s->dated_ms == 0; at++)
			if (at == 0 || line.at[at - 1] < '0' || line.at[at - 1] > '9')
				s->dated_ms = source_date(span_from(line, at));
	}
}

enum err source_read_text(struct source *s, struct span text)
{
	if (span_starts(text, "\xef\xbb\xbf"))
		text = span_from(text, 3);
	if ((s->format = detect(text)) == NULL)
		return fail(ERR_FORMAT_UNKNOWN, "%s: no registry format that is known", s->path);
	s->rest = text;
	s->line = 0;
	s->format->read(s);
	if (s->err != OK)
		return s->err;
	if (s->good == 0)
		return fail(ERR_TABLE_SOURCE, "%s: not one good row of %s, %llu rejected", s->path, s->format->name,
			    (unsigned long long)s->rejected);
	date_from_comments(s, text);
	return OK;
}

enum err source_read(struct source *s)
{
	struct unpacked u;
	enum err e = unpack(s->path, SOURCE_BYTES_MAX, &u);

	if (e != OK)
		return e;
	e = source_read_text(s, u.text);
	if (e == OK && s->dated_ms == 0)
		s->dated_ms = u.modified_ms;
	unpack_free(&u);
	return e;
}
