/* What clients say about media types, and how little of it is enough. Reference: a version parameter is only recommended, a
 * space behind the semicolon is common, and a 406 makes some clients fall back to TAXII 2.0 for good. So 406 is for those
 * who want nothing but another version. */
#include "exchange/taxii.h"

#define TAXII_TYPE "application/taxii+json"

/* The value of a parameter: behind '=', perhaps in quotes. */
static struct span parameter_value(struct span value)
{
	value = span_trim(value);
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		return span_make(value.at + 1, value.len - 2);
	return value;
}

static bool is_zero(struct span q)
{
	for (size_t i = 0; i < q.len; i++)
		if (q.at[i] != '0' && q.at[i] != '.')
			return false;
	return q.len > 0;
}

struct media {
	struct span type;
	struct span version; /* empty: none is named */
	bool refused;	     /* q=0 */
};

static struct media media_read(struct span text)
{
	struct media m = { .type = span_trim(span_cut(&text, ';')) };

	while (text.at != NULL) {
		struct span parameter = span_trim(span_cut(&text, ';')), name = span_trim(span_cut(&parameter, '='));

		if (parameter.at == NULL)
			continue;
		if (span_equal_nocase(name, SPAN("version")))
			m.version = parameter_value(parameter);
		else if (span_equal_nocase(name, SPAN("q")))
			m.refused = is_zero(parameter_value(parameter));
	}
	return m;
}

/* Another version of TAXII, or STIX 2.0 by the media type that TAXII 2.0 used. */
static bool of_another_version(const struct media *m)
{
	static const struct span old[] = { SPAN("application/vnd.oasis.taxii+json"),
					   SPAN("application/vnd.oasis.stix+json") };

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (span_equal_nocase(m->type, old[i]))
			return true;
	return span_equal_nocase(m->type, SPAN(TAXII_TYPE)) && m->version.len > 0 && !span_is(m->version, "2.1");
}

bool taxii_accept_text(struct span value)
{
	bool named = false;

	while (value.at != NULL) {
		struct media m = media_read(span_cut(&value, ','));

		if (m.type.len == 0 || m.refused)
			continue;
		named = true;
		if (!of_another_version(&m))
			return true;
	}
	return !named;
}

bool taxii_content_text(struct span value)
{
	struct media m = media_read(value);

	if (span_equal_nocase(m.type, SPAN("application/json")))
		return true;
	return span_equal_nocase(m.type, SPAN(TAXII_TYPE)) && !of_another_version(&m);
}

bool taxii_accepts(const struct http_request *r)
{
	struct span value;

	return !http_header(r, "Accept", &value) || taxii_accept_text(value);
}

bool taxii_content(const struct http_request *r)
{
	struct span value;

	return http_header(r, "Content-Type", &value) && taxii_content_text(value);
}
