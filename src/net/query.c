#include "net/query.h"

#include "base/clock.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 3986, 3.4, and what browsers leave raw: brackets, '|' and the like. Controls, spaces, '"', '<', '>', '\', '^', '`', '{',
 * '}' and bytes above ASCII must be encoded. */
static bool may_stand_raw(char c)
{
	return c > ' ' && c < 0x7f && strchr("\"<>\\^`{}#", c) == NULL;
}

static enum err decode(struct arena *a, struct span text, struct span *out)
{
	char *at = arena_alloc(a, text.len);
	size_t n = 0;

	if (at == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%') {
			int high = text.len - i > 2 ? hex_value(text.at[i + 1]) : -1;
			int low = text.len - i > 2 ? hex_value(text.at[i + 2]) : -1;

			if (high == -1 || low == -1)
				return fail(ERR_USAGE, "query: '%%' stands without two hexadecimal digits behind it");
			c = (char)(high << 4 | low);
			i += 2;
		} else if (!may_stand_raw(c)) {
			return fail(ERR_USAGE, "query: byte 0x%02x must be percent-encoded", (unsigned char)c);
		} else if (c == '+') {
			c = ' ';
		}
		at[n++] = c;
	}
	*out = span_make(at, n);
	if (memchr(at, '\0', n) != NULL)
		return fail(ERR_ENCODING, "query: a NUL");
	return span_is_utf8(*out) ? OK : fail(ERR_ENCODING, "query: not UTF-8");
}

static enum err read_field(struct arena *a, struct span field, struct query *out)
{
	struct query_field *f = &out->fields[out->count];
	struct span value = field, name;
	enum err e;

	if (out->count == QUERY_MAX)
		return fail(ERR_TOO_LONG, "query: more than %d fields", QUERY_MAX);
	name = span_cut(&value, '=');
	if (value.at == NULL)
		value = span_make("", 0);
	if ((e = decode(a, name, &f->name)) != OK || (e = decode(a, value, &f->value)) != OK)
		return e;
	if (f->name.len == 0)
		return fail(ERR_USAGE, "query: a value without a name");
	out->count++;
	return OK;
}

enum err query_read(struct arena *a, struct span text, struct query *out)
{
	struct span rest = text;
	enum err e = OK;

	out->count = 0;
	if (text.len == 0)
		return OK;
	while (e == OK && rest.at != NULL) {
		struct span field = span_cut(&rest, '&');

		if (field.len > 0)
			e = read_field(a, field, out);
	}
	return e;
}

enum err query_get(const struct query *q, const char *name, struct span *value)
{
	const struct query_field *found = NULL;

	for (size_t i = 0; i < q->count; i++) {
		if (!span_is(q->fields[i].name, name))
			continue;
		if (found != NULL)
			return fail(ERR_USAGE, "query: %s stands there twice", name);
		found = &q->fields[i];
	}
	if (found == NULL)
		return ERR_NOT_FOUND;
	*value = found->value;
	return OK;
}

static bool is_among(struct span name, const char *names)
{
	struct span rest = span_of(names);

	while (rest.at != NULL)
		if (span_equal(span_trim(span_cut(&rest, ',')), name))
			return true;
	return false;
}

enum err query_knows(const struct query *q, const char *names)
{
	for (size_t i = 0; i < q->count; i++)
		if (!is_among(q->fields[i].name, names))
			return fail(ERR_USAGE, "the query knows %s", names);
	return OK;
}

enum err query_text(const struct query *q, const char *name, struct span *value)
{
	enum err e = query_get(q, name, value);

	return e == ERR_NOT_FOUND ? OK : e;
}

enum err query_domain(const struct query *q, const char *name, struct span *value)
{
	enum err e = query_get(q, name, value);

	if (e == OK && !span_is_domain(*value))
		e = fail(ERR_USAGE, "%s: a domain", name);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err query_number(const struct query *q, const char *name, uint64_t least, uint64_t most, uint64_t *value)
{
	struct span text;
	uint64_t number = 0;
	enum err e = query_get(q, name, &text);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK && (span_u64(text, most, &number) != OK || number < least))
		e = fail(ERR_USAGE, "%s: a number from %ju to %ju", name, (uintmax_t)least, (uintmax_t)most);
	if (e == OK)
		*value = number;
	return e;
}

enum err query_time(const struct query *q, const char *name, int64_t *ms)
{
	struct span text;
	int64_t at = 0;
	enum err e = query_get(q, name, &text);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK && (clock_parse_rfc3339(text, &at) != OK || at < 0))
		e = fail(ERR_USAGE, "%s: a time like 2026-11-22T20:45:00Z", name);
	if (e == OK)
		*ms = at;
	return e;
}
