#include "net/html.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const char *reference_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* C1 controls (U+0080 to U+009F), and what reorders the characters around it: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066
 * to U+2069. A name that reads backwards is another name. */
static bool deceives(const char *at, size_t length)
{
	const uint8_t *c = (const uint8_t *)at;

	if (length == 2)
		return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
	if (length != 3 || c[0] != 0xe2)
		return false;
	return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae))) ||
	       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

static bool is_control(char c)
{
	return ((uint8_t)c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

void html_text(struct buffer *out, struct span text)
{
	size_t from = 0, at = 0;

	while (at < text.len) {
		size_t length = span_utf8_length(span_from(text, at));
		const char *instead = length == 1 ? reference_of(text.at[at]) : NULL;

		if (length == 0 || (length == 1 && is_control(text.at[at])) || deceives(text.at + at, length))
			instead = REPLACEMENT;
		if (instead != NULL) {
			buffer_bytes(out, text.at + from, at - from);
			buffer_text(out, instead);
			from = at + (length > 0 ? length : 1);
		}
		at += length > 0 ? length : 1;
	}
	buffer_bytes(out, text.at + from, at - from);
}

void html_text_cut(struct buffer *out, struct span text, size_t most)
{
	size_t n = 0;

	if (text.len <= most) {
		html_text(out, text);
		return;
	}
	while (n < most) {
		size_t length = span_utf8_length(span_from(text, n));

		length = length > 0 ? length : 1;
		if (n + length > most)
			break;
		n += length;
	}
	html_text(out, span_make(text.at, n));
	buffer_text(out, "…");
}
