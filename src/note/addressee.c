#include "note/statement.h"

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* As they are written in `to`: one spelling each, told apart by their first word. */
enum err addressee_parse(struct span value, struct addressee *out)
{
	struct addressee to = { .type = TO_PARTY };
	char canonical[PREFIX_TEXT];
	struct span rest = value, word = span_cut(&rest, ' ');

	if (span_is(value, "all")) {
		to.type = TO_ALL;
	} else if (rest.at != NULL && span_is(word, "country")) {
		if (rest.len != 2 || !upper(rest.at[0]) || !upper(rest.at[1]))
			return fail(ERR_STATEMENT_HEADER, "a country has two upper-case letters");
		to.type = TO_COUNTRY;
		memcpy(to.country, rest.at, 2);
	} else if (rest.at != NULL && span_is(word, "prefix")) {
		to.type = TO_PREFIX;
		if (prefix_parse(rest, &to.prefix) != OK ||
		    !span_equal(rest, span_make(canonical, prefix_format(to.prefix, canonical))))
			return fail(ERR_STATEMENT_HEADER, "a prefix is written like 192.0.2.0/24 or 2001:db8::/32");
	} else if (rest.at == NULL && span_is_domain(value)) {
		to.domain = value;
	} else if (rest.at == NULL && asn_parse(value, false, &to.asn) == OK) {
		to.type = TO_AS;
	} else {
		return fail(ERR_STATEMENT_HEADER, "neither a domain nor AS, prefix, country, all");
	}
	*out = to;
	return OK;
}

void addressee_print(const struct addressee *to, struct buffer *out)
{
	char text[PREFIX_TEXT];

	switch (to->type) {
	case TO_PARTY:
		buffer_span(out, to->domain);
		break;
	case TO_AS:
		buffer_text(out, "AS");
		buffer_decimal(out, to->asn);
		break;
	case TO_PREFIX:
		buffer_text(out, "prefix ");
		buffer_bytes(out, text, prefix_format(to->prefix, text));
		break;
	case TO_COUNTRY:
		buffer_text(out, "country ");
		buffer_text(out, to->country);
		break;
	case TO_ALL:
		buffer_text(out, "all");
		break;
	}
}

bool addressee_equal(const struct addressee *a, const struct addressee *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case TO_PARTY:
		return span_equal(a->domain, b->domain);
	case TO_AS:
		return a->asn == b->asn;
	case TO_PREFIX:
		return prefix_compare(a->prefix, b->prefix) == 0;
	case TO_COUNTRY:
		return memcmp(a->country, b->country, 2) == 0;
	case TO_ALL:
		return true;
	}
	return false;
}

void addressee_json(struct json *j, const char *key, const struct addressee *to)
{
	struct buffer text = BUFFER(1024);

	addressee_print(to, &text);
	json_string(j, key, buffer_view(&text));
	buffer_free(&text);
}
