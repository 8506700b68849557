/* Tables of ranges as the ip-location-db packages have them, first and last address inclusive:
 *
 *	asn	1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."
 *	country	1.0.0.0,1.0.0.255,AU
 *
 * The -num variants write addresses as decimal numbers; one that does not fit 32 bits makes the row IPv6. */
#include "territory/source.h"

/* The next field; a quoted one may hold commas and doubled quotes, which stay doubled. False: quote not closed. */
static bool next_field(struct span *rest, struct span *field)
{
	struct span all = *rest;
	size_t end = 1;

	if (all.len == 0 || all.at[0] != '"') {
		*field = span_cut(rest, ',');
		return true;
	}
	while (end < all.len && (all.at[end] != '"' || (end + 1 < all.len && all.at[end + 1] == '"')))
		end += all.at[end] == '"' ? 2 : 1;
	if (end >= all.len || (end + 1 < all.len && all.at[end + 1] != ','))
		return false;
	*field = span_make(all.at + 1, end - 1);
	*rest = end + 1 < all.len ? span_from(all, end + 2) : (struct span){ NULL, 0 };
	return true;
}

static bool parse_number(struct span s, wide *out)
{
	wide v = 0;

	if (s.len == 0 || s.len > 39)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.at[i] - (unsigned)'0';

		if (digit > 9 || v > (~(wide)0 - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static enum err parse_range(struct span first, struct span last, struct row *row, enum family *f)
{
	struct address a, b;

	if (parse_number(first, &row->first)) {
		if (!parse_number(last, &row->last))
			return ERR_ADDRESS;
		*f = row->last > UINT32_MAX ? FAMILY_IPV6 : FAMILY_IPV4;
	} else {
		if (address_parse(first, &a) != OK || address_parse(last, &b) != OK || a.family != b.family)
			return ERR_ADDRESS;
		row->first = wide_of(a);
		row->last = wide_of(b);
		*f = (enum family)a.family;
	}
	return row->first <= row->last ? OK : ERR_ADDRESS;
}

static size_t split(struct span line, struct span field[4])
{
	size_t n = 0;

	while (line.at != NULL && n < 4)
		if (!next_field(&line, &field[n++]))
			return 0;
	return line.at == NULL ? n : 5;
}

static bool fits_asn(struct span line)
{
	struct span field[4];
	struct row row;
	enum family f;
	uint32_t asn;

	return split(line, field) == 4 && parse_range(field[0], field[1], &row, &f) == OK &&
	       asn_parse(field[2], true, &asn) == OK;
}

static bool fits_country(struct span line)
{
	struct span field[4];
	struct row row;
	enum family f;

	return split(line, field) == 3 && parse_range(field[0], field[1], &row, &f) == OK &&
	       (country_parse(field[2], &row.value) || span_is(field[2], "ZZ"));
}

/* Doubled quotes back to single ones. */
static struct span unquote(struct span s, char *room, size_t size)
{
	size_t n = 0;

	if (memchr(s.at, '"', s.len) == NULL)
		return s;
	for (size_t i = 0; i < s.len && n < size; i++) {
		room[n++] = s.at[i];
		if (s.at[i] == '"' && i + 1 < s.len && s.at[i + 1] == '"')
			i++;
	}
	return span_make(room, n);
}

static void read_asn(struct source *s)
{
	struct span line, field[4];
	char room[2048];

	source_name(s, "AS ranges");
	while (source_line(s, &line)) {
		struct row row = { .length = NO_LENGTH };
		enum err e = ERR_CSV;
		enum family f;

		if (split(line, field) == 4 && (e = parse_range(field[0], field[1], &row, &f)) == OK)
			e = asn_parse(field[2], true, &row.value);
		if (e != OK) {
			source_reject(s, e, line);
			continue;
		}
		source_row(s, ROW_ORIGIN, f, &row);
		source_as(s, row.value, 0, field[3].len > 0 ? unquote(field[3], room, sizeof(room)) : SPAN(""));
	}
}

static void read_country(struct source *s)
{
	struct span line, field[4];

	source_name(s, "country ranges");
	while (source_line(s, &line)) {
		struct row row = { .length = NO_LENGTH };
		enum err e = ERR_CSV;
		enum family f;

		if (split(line, field) == 3 && (e = parse_range(field[0], field[1], &row, &f)) == OK &&
		    !country_parse(field[2], &row.value))
			e = span_is(field[2], "ZZ") ? OK : ERR_SYNTAX;
		if (e != OK)
			source_reject(s, e, line);
		else if (row.value == 0)
			s->good++;
		else
			source_row(s, ROW_COUNTRY, f, &row);
	}
}

const struct source_format format_asn_ranges = { "AS ranges (CSV)", "#", false, false, fits_asn, read_asn };
const struct source_format format_country_ranges = { "country ranges (CSV)", "#",	  false, false,
						     fits_country,	     read_country };
