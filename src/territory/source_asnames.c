/* RIPE's list of AS names: `15169 GOOGLE, US`. The country is what stands behind the last comma, if it is one. */
#include "territory/source.h"

static bool parse(struct span line, uint32_t *asn, struct span *name, uint32_t *country)
{
	struct span rest = line, number = span_cut(&rest, ' ');

	if (rest.at == NULL || asn_parse(number, true, asn) != OK)
		return false;
	*name = span_trim(rest);
	*country = 0;
	for (size_t i = name->len; i-- > 0;) {
		if (name->at[i] != ',')
			continue;
		if (country_parse(span_trim(span_from(*name, i + 1)), country) ||
		    span_is(span_trim(span_from(*name, i + 1)), "ZZ"))
			*name = span_trim(span_make(name->at, i));
		break;
	}
	return name->len > 0;
}

static bool fits(struct span line)
{
	struct span name;
	uint32_t asn, country;

	return memchr(line.at, '\t', line.len) == NULL && parse(line, &asn, &name, &country);
}

static void read(struct source *s)
{
	struct span line, name;
	uint32_t asn, country;

	source_name(s, "RIPE AS names");
	while (source_line(s, &line)) {
		if (!parse(line, &asn, &name, &country)) {
			source_reject(s, ERR_SYNTAX, line);
			continue;
		}
		source_as(s, asn, country, span_is(name, "-Reserved AS-") ? SPAN("") : name);
		s->good++;
	}
}

const struct source_format format_asnames = { "RIPE AS names", "#", true, false, fits, read };
