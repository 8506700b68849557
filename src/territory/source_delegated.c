/* RIR statistics: what each registry allocated or assigned, to which country.
 *
 *	2.3|apnic|20260617|83000|19830613|20260616|+1000		version|registry|serial|records|start|end|offset
 *	apnic|*|ipv4|*|48000|summary
 *	apnic|AU|ipv4|1.0.0.0|256|20110811|assigned|A91872ED		a number of addresses, not always a power of two
 *	apnic|JP|ipv6|2001:200::|35|19990813|allocated|A916		a prefix length
 *	apnic|JP|asn|173|1|20020801|allocated|A917			a number of AS numbers
 *
 * The country is where the resource is registered, not where the host is. */
#include "territory/source.h"

#define FIELDS 8
#define AS_BLOCK_MAX 10000

static size_t split(struct span line, struct span field[FIELDS])
{
	size_t n = 0;

	while (line.at != NULL && n < FIELDS)
		field[n++] = span_trim(span_cut(&line, '|'));
	return n;
}

static bool is_version(struct span s)
{
	return s.len > 0 && (s.at[0] == '2' || s.at[0] == '1') && (s.len == 1 || s.at[1] == '.');
}

static bool fits(struct span line)
{
	struct span f[FIELDS];
	size_t n = split(line, f);

	if (n == 6 && span_is(f[5], "summary"))
		return true;
	if (n >= 7 && is_version(f[0]))
		return true;
	return n >= 7 && (span_is(f[2], "ipv4") || span_is(f[2], "ipv6") || span_is(f[2], "asn"));
}

static void read_version(struct source *s, const struct span *f)
{
	source_name(s, "%.*s %s", SPAN_FORMAT(f[1]), f[0].len > 1 ? "delegated-extended" : "delegated");
	source_dated(s, source_date(f[5]));
}

static enum err ipv4_row(const struct span *f, struct row *row)
{
	struct address a;
	uint64_t count;

	if (address_parse(f[3], &a) != OK || a.family != FAMILY_IPV4)
		return ERR_ADDRESS;
	if (span_u64(f[4], (uint64_t)1 << 32, &count) != OK || count == 0 || a.low + count > (uint64_t)1 << 32)
		return ERR_NUMBER;
	row->first = a.low;
	row->last = a.low + count - 1;
	return OK;
}

static enum err ipv6_row(const struct span *f, struct row *row)
{
	struct address a;
	struct prefix p;
	uint64_t length;

	if (address_parse(f[3], &a) != OK || a.family != FAMILY_IPV6)
		return ERR_ADDRESS;
	if (span_u64(f[4], 128, &length) != OK)
		return ERR_NUMBER;
	p = prefix_of(a, (unsigned)length);
	if (!address_equal(p.address, a))
		return ERR_PREFIX;
	row->first = wide_of(prefix_first(p));
	row->last = wide_of(prefix_last(p));
	return OK;
}

static enum err as_block(struct source *s, const struct span *f, uint32_t country)
{
	uint64_t first, count;

	if (span_u64(f[3], UINT32_MAX - 1, &first) != OK || span_u64(f[4], AS_BLOCK_MAX, &count) != OK || count == 0 ||
	    first + count > UINT32_MAX)
		return ERR_NUMBER;
	for (uint64_t i = 0; i < count; i++)
		if (first + i > 0)
			source_as(s, (uint32_t)(first + i), country, SPAN(""));
	s->good++;
	return OK;
}

static enum err read_record(struct source *s, const struct span *f)
{
	struct row row = { .length = NO_LENGTH };
	bool ipv4 = span_is(f[2], "ipv4");
	enum err e;

	if (span_is(f[6], "available") || span_is(f[6], "reserved")) {
		s->good++; /* nobody holds it: a good row that says nothing */
		return OK;
	}
	if (!span_is(f[6], "allocated") && !span_is(f[6], "assigned"))
		return ERR_SYNTAX;
	if (f[1].len > 0 && !country_parse(f[1], &row.value) && !span_is(f[1], "ZZ"))
		return ERR_SYNTAX;
	if (span_is(f[2], "asn"))
		return as_block(s, f, row.value);
	if (!ipv4 && !span_is(f[2], "ipv6"))
		return ERR_SYNTAX;
	if ((e = ipv4 ? ipv4_row(f, &row) : ipv6_row(f, &row)) != OK)
		return e;
	if (row.value == 0)
		s->good++;
	else
		source_row(s, ROW_COUNTRY, ipv4 ? FAMILY_IPV4 : FAMILY_IPV6, &row);
	return OK;
}

static void read(struct source *s)
{
	struct span line, f[FIELDS];
	bool version = false;

	source_name(s, "delegated");
	while (source_line(s, &line)) {
		size_t n = split(line, f);
		enum err e = ERR_SYNTAX;

		if (n == 6 && span_is(f[5], "summary"))
			continue;
		if (n >= 7 && !version && is_version(f[0])) {
			read_version(s, f);
			version = true;
			continue;
		}
		if (n >= 7)
			e = read_record(s, f);
		if (e != OK)
			source_reject(s, e, line);
	}
}

const struct source_format format_delegated = { "RIR delegated", "#", true, false, fits, read };
