/* Tables of announced prefixes with their origins. Prefixes nest; the longest match counts.
 *
 *	RIPE RIS whois dump	origin TAB prefix TAB number of peers that see it; '%' comments
 *	pyasn			prefix TAB origin; ';' comments
 *	CAIDA pfx2as		address TAB length TAB origin
 *
 * An origin is an AS number, an AS set ("{1,2}", CAIDA "1,2") or several origins (CAIDA "1_2"). */
#include <stdio.h>

#include "territory/source.h"

/* Shorter ones are default routes that leaked: they would give every unrouted address an origin. */
#define SHORTEST_IPV4 8
#define SHORTEST_IPV6 16

static size_t split(struct span line, struct span field[3])
{
	size_t n = 0;

	while (line.at != NULL && n < 3)
		field[n++] = span_trim(span_cut(&line, '\t'));
	return line.at == NULL ? n : 4;
}

static void add(struct source *s, struct span line, struct span prefix, struct span origins, uint64_t peers)
{
	uint32_t first, second;
	enum family f;
	struct row row;
	enum err e = source_prefix(prefix, &row, &f);

	if (e == OK && row.length < (f == FAMILY_IPV4 ? SHORTEST_IPV4 : SHORTEST_IPV6))
		e = ERR_PREFIX;
	if (e == OK)
		e = source_origins(origins, &first, &second);
	if (e != OK) {
		source_reject(s, e, line);
		return;
	}
	row.value = first;
	row.rival = second;
	row.weight = (uint32_t)peers;
	source_row(s, ROW_ORIGIN, f, &row);
}

static bool is_prefix(struct span s)
{
	struct prefix p;

	return memchr(s.at, '/', s.len) != NULL && prefix_parse(s, &p) == OK;
}

static bool is_origin(struct span s)
{
	uint32_t first, second;

	return s.len > 0 && source_origins(s, &first, &second) == OK;
}

static bool fits_ris(struct span line)
{
	struct span f[3];

	return split(line, f) == 3 && is_prefix(f[1]) && is_origin(f[0]);
}

static void read_ris(struct source *s)
{
	struct span line, f[3];

	source_name(s, "RIPE RIS whois dump");
	while (source_line(s, &line)) {
		uint64_t peers;

		if (split(line, f) != 3 || span_u64(f[2], UINT32_MAX, &peers) != OK)
			source_reject(s, ERR_SYNTAX, line);
		else
			add(s, line, f[1], f[0], peers);
	}
}

static bool fits_pyasn(struct span line)
{
	struct span f[3];

	return split(line, f) == 2 && is_prefix(f[0]) && is_origin(f[1]);
}

static void read_pyasn(struct source *s)
{
	struct span line, f[3];

	source_name(s, "pyasn table");
	while (source_line(s, &line)) {
		if (split(line, f) != 2)
			source_reject(s, ERR_SYNTAX, line);
		else
			add(s, line, f[0], f[1], 0);
	}
}

/* CAIDA writes address and length apart. */
static struct span join(const struct span *f, char text[PREFIX_TEXT])
{
	int n = snprintf(text, PREFIX_TEXT, "%.*s/%.*s", SPAN_FORMAT(f[0]), SPAN_FORMAT(f[1]));

	return span_make(text, n > 0 && n < PREFIX_TEXT ? (size_t)n : 0);
}

static bool fits_pfx2as(struct span line)
{
	char text[PREFIX_TEXT];
	struct span f[3];

	return split(line, f) == 3 && f[0].len < ADDRESS_TEXT && f[1].len > 0 && f[1].len < 4 &&
	       is_prefix(join(f, text)) && is_origin(f[2]);
}

static void read_pfx2as(struct source *s)
{
	struct span line, f[3];
	char text[PREFIX_TEXT];

	source_name(s, "CAIDA pfx2as");
	while (source_line(s, &line)) {
		if (split(line, f) != 3 || f[0].len >= ADDRESS_TEXT || f[1].len > 3)
			source_reject(s, ERR_SYNTAX, line);
		else
			add(s, line, join(f, text), f[2], 0);
	}
}

const struct source_format format_ris = { "RIPE RIS whois dump", "%", true, true, fits_ris, read_ris };
const struct source_format format_pyasn = { "pyasn table", ";", true, true, fits_pyasn, read_pyasn };
const struct source_format format_pfx2as = { "CAIDA pfx2as", "#", true, true, fits_pfx2as, read_pfx2as };
