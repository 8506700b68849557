/* Received lines. Every mail server writes them in its own way; what they share is "from NAME (COMMENT) by NAME …; DATE",
 * where NAME is what the other side said of itself and the comment what the server saw. */
#include "base/clock.h"
#include "report/mail.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span skip_spaces(struct span s)
{
	while (s.len > 0 && is_space(s.at[0]))
		s = span_from(s, 1);
	return s;
}

static size_t word_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && !is_space(s.at[n]) && s.at[n] != '(' && s.at[n] != ')')
		n++;
	return n;
}

/* With its brackets; a comment that does not end takes all that is left. */
static size_t comment_length(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '(')
			depth++;
		else if (s.at[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

/* "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]", and Exim's "[192.0.2.1]:2525" and "[192.0.2.1:2525]". */
static bool literal_read(struct span s, struct received *r)
{
	struct span port = { "", 0 };
	uint64_t number;
	const char *end;

	while (s.len > 0 && (s.at[s.len - 1] == ',' || s.at[s.len - 1] == ';' || s.at[s.len - 1] == '.'))
		s.len--;
	if (s.len > 0 && s.at[0] == '[') {
		if ((end = memchr(s.at, ']', s.len)) == NULL)
			return false;
		port = span_from(s, (size_t)(end - s.at) + 1);
		if (port.len > 0 && port.at[0] == ':')
			port = span_from(port, 1);
		s = span_make(s.at + 1, (size_t)(end - s.at) - 1);
	}
	if (s.len > 5 && span_equal_nocase(span_make(s.at, 5), SPAN("IPv6:")))
		s = span_from(s, 5);
	if (address_parse(s, &r->address) != OK) {
		if ((end = memrchr(s.at, ':', s.len)) == NULL)
			return false;
		port = span_from(s, (size_t)(end - s.at) + 1);
		s.len = (size_t)(end - s.at);
		if (address_parse(s, &r->address) != OK || r->address.family != FAMILY_IPV4)
			return false;
	}
	r->has_address = true;
	r->port = span_u64(port, UINT16_MAX, &number) == OK ? (uint16_t)number : 0;
	return true;
}

/* The first address of a comment that the server put there: not what the other side said in its greeting. */
static bool comment_read(struct span comment, struct received *r)
{
	bool first = true;

	while (comment.len > 0) {
		struct span word;

		if (is_space(comment.at[0]) || comment.at[0] == '(' || comment.at[0] == ')') {
			comment = span_from(comment, 1);
			continue;
		}
		word = span_make(comment.at, word_length(comment));
		comment = span_from(comment, word.len);
		if (first && (span_equal_nocase(word, SPAN("HELO")) || span_equal_nocase(word, SPAN("EHLO")) ||
			      span_equal_nocase(word, SPAN("LHLO"))))
			return false;
		if (literal_read(word, r))
			return true;
		first = false;
	}
	return false;
}

/* A comment's address is worth more than one that stands for the name. */
static void from_read(struct span s, struct received *r)
{
	struct received name = { 0 };
	bool first = true;

	while ((s = skip_spaces(s)).len > 0) {
		struct span word;

		if (s.at[0] == '(') {
			word = span_make(s.at, comment_length(s));
			if (comment_read(word, r))
				return;
		} else if (s.at[0] == ')') {
			word = span_make(s.at, 1);
		} else {
			word = span_make(s.at, word_length(s));
			if (span_equal_nocase(word, SPAN("by")))
				break;
			if (first)
				(void)literal_read(word, &name);
			first = false;
		}
		s = span_from(s, word.len);
	}
	if (name.has_address) {
		r->has_address = true;
		r->address = name.address;
		r->port = name.port;
	}
}

struct received received_read(struct span value)
{
	struct received r = { 0 };
	const char *date = memrchr(value.at, ';', value.len);

	if (value.len == 0)
		return r;
	if (date != NULL && clock_parse_rfc5322(span_from(value, (size_t)(date - value.at) + 1), &r.time_ms) != OK)
		r.time_ms = 0;
	value = skip_spaces(value);
	if (value.len > 5 && span_equal_nocase(span_make(value.at, 4), SPAN("from")) && is_space(value.at[4]))
		from_read(span_from(value, 5), &r);
	return r;
}
