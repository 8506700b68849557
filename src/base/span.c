#include "base/span.h"

#include <stdlib.h>

#define DOMAIN_MAX 253
#define LABEL_MAX 63

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool span_equal_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool span_starts(struct span s, const char *text)
{
	size_t n = strlen(text);

	return n == 0 || (s.len >= n && memcmp(s.at, text, n) == 0);
}

bool span_ends(struct span s, const char *text)
{
	size_t n = strlen(text);

	return n == 0 || (s.len >= n && memcmp(s.at + (s.len - n), text, n) == 0);
}

struct span span_from(struct span s, size_t offset)
{
	if (offset == 0) /* also keeps NULL out of the sum */
		return s;
	return (struct span){ s.at + offset, s.len - offset };
}

struct span span_trim(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* strndup would look for a zero. */
char *span_duplicate(struct span s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	copy[s.len] = 0;
	return copy;
}

int span_compare(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.at, b.at, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int span_order(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

struct span span_cut(struct span *rest, char c)
{
	struct span part = *rest;
	const char *found = part.len > 0 ? memchr(part.at, c, part.len) : NULL;

	if (found == NULL) {
		*rest = (struct span){ NULL, 0 };
		return part;
	}
	part.len = (size_t)(found - part.at);
	*rest = span_from(*rest, part.len + 1);
	return part;
}

bool span_line(struct span *rest, struct span *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	*line = *rest;
	if ((end = memchr(rest->at, '\n', rest->len)) == NULL) {
		*rest = span_from(*rest, rest->len);
		return true;
	}
	line->len = (size_t)(end - line->at);
	*rest = span_from(*rest, line->len + 1);
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

static enum err digits(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return ERR_NUMBER;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.at[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v))
			return ERR_NUMBER;
	}
	if (v > max)
		return ERR_NUMBER;
	*out = v;
	return OK;
}

enum err span_u64(struct span s, uint64_t max, uint64_t *out)
{
	if (s.len > 1 && s.at[0] == '0')
		return ERR_NUMBER;
	return digits(s, max, out);
}

enum err span_u64_loose(struct span s, uint64_t max, uint64_t *out)
{
	return digits(s, max, out);
}

static bool continues(const unsigned char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* The second byte's range excludes overlong forms, surrogates and what lies over U+10FFFF (RFC 3629 section 4). */
size_t span_utf8_length(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.at;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return s.len >= 2 && continues(p, 2) ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		if (s.len < 3 || !continues(p, 3) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if (s.len < 4 || !continues(p, 4) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/* Nearly everything is ASCII: eight bytes at a time. */
static size_t ascii_run(const char *at, size_t len)
{
	size_t i = 0;
	uint64_t word;

	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	while (i < len && (unsigned char)at[i] < 0x80)
		i++;
	return i;
}

bool span_is_utf8(struct span s)
{
	while (s.len > 0) {
		size_t n = ascii_run(s.at, s.len);

		if (n == 0 && (n = span_utf8_length(s)) == 0)
			return false;
		s = span_from(s, n);
	}
	return true;
}

static bool is_label(struct span s)
{
	if (s.len == 0 || s.len > LABEL_MAX || s.at[0] == '-' || s.at[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static bool is_numeric(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return true;
}

bool span_is_domain(struct span s)
{
	struct span rest = s, label = s;
	unsigned labels = 0;

	if (s.len == 0 || s.len > DOMAIN_MAX)
		return false;
	for (; rest.at != NULL; labels++) {
		label = span_cut(&rest, '.');
		if (!is_label(label))
			return false;
	}
	return labels >= 2 && !is_numeric(label); /* else 192.0.2.1 would be a name */
}
