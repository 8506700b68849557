/*
 * Package URLs, pkg:type/namespace/name@version?qualifiers#subpath (ECMA-427), as far as they name what is looked up
 *
 * Tools spell one package in several ways: upper case where the type has none, "+" or "%2B", "@" or "%40", slashes too
 * many. Here each part is decoded and written anew: letters, digits and .-_~: stay, all else is %XX in upper case. A "/"
 * in a version or name stays encoded, and one in a namespace's segment is refused, because it would name another package.
 * Qualifiers (architecture, distribution, where it was fetched) and the subpath say which file of the package, and are
 * left out.
 */
#include "regime/purl.h"

#include "base/buffer.h"

#define SEGMENTS_MAX 32

enum lower { NOTHING = 0, NAMESPACE = 1, NAME = 2, BOTH = 3, DASHES = 4 /* "_" is "-" */ };

/* Types whose packages are found whatever the case. All others keep it. */
static const struct {
	const char *type;
	unsigned lower;
} types[] = {
	{ "alpm", BOTH },     { "apk", BOTH }, { "bitbucket", BOTH },	  { "bitnami", NAME },
	{ "composer", BOTH }, { "deb", BOTH }, { "github", BOTH },	  { "gitlab", BOTH },
	{ "golang", BOTH },   { "hex", BOTH }, { "luarocks", BOTH },	  { "npm", BOTH },
	{ "oci", NAME },      { "pub", NAME }, { "pypi", NAME | DASHES }, { "qpkg", NAMESPACE },
	{ "rpm", NAMESPACE },
};

static enum err no_purl(const char *why)
{
	return fail(ERR_CERTIFICATE, "no package URL: %s", why);
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place of the three characters the one that they stand for. */
static enum err decode(struct arena *a, struct span s, struct span *out)
{
	char *text = arena_copy(a, s.at, s.len);
	size_t n = 0;

	if (text == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c == '%') {
			int high = i + 2 < s.len ? hex_value(s.at[i + 1]) : -1,
			    low = i + 2 < s.len ? hex_value(s.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return no_purl("% without two digits of hex");
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return no_purl("a control character");
		text[n++] = (char)c;
	}
	*out = span_make(text, n);
	return span_is_utf8(*out) ? OK : no_purl("not UTF-8");
}

static void encode(struct buffer *b, struct span s, bool lower, bool dashes)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)(lower ? to_lower(s.at[i]) : s.at[i]);

		if (dashes && c == '_')
			c = '-';
		if (is_letter(to_lower((char)c)) || is_digit((char)c) || memchr(".-_~:", c, 5) != NULL) {
			buffer_byte(b, c);
			continue;
		}
		buffer_byte(b, '%');
		buffer_byte(b, (uint8_t)digits[c >> 4]);
		buffer_byte(b, (uint8_t)digits[c & 15]);
	}
}

static struct span before(struct span s, char c)
{
	return span_cut(&s, c);
}

/* The first part: "pkg:", slashes that mean nothing, the type. */
static enum err cut_type(struct arena *a, struct span *rest, struct span *type)
{
	char *text;

	if (rest->len < 4 || !span_equal_nocase(span_make(rest->at, 4), SPAN("pkg:")))
		return no_purl("it does not begin with pkg:");
	*rest = span_from(*rest, 4);
	while (rest->len > 0 && rest->at[0] == '/')
		*rest = span_from(*rest, 1);
	*type = span_cut(rest, '/');
	if (rest->at == NULL)
		return no_purl("nothing behind its type");
	if ((text = arena_copy(a, type->at, type->len)) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < type->len; i++) {
		text[i] = to_lower(text[i]);
		if (!is_letter(text[i]) && (i == 0 || (!is_digit(text[i]) && text[i] != '.' && text[i] != '-')))
			return no_purl("its type is not letters, digits, . and -");
	}
	*type = span_make(text, type->len);
	return type->len > 0 ? OK : no_purl("no type");
}

/* The last "@" behind the last "/": some write the one of a scope as it is. */
static void cut_version(struct span *path, struct span *version)
{
	size_t at = path->len;

	*version = SPAN("");
	while (at > 0 && path->at[at - 1] != '@' && path->at[at - 1] != '/')
		at--;
	if (at < 2 || path->at[at - 1] == '/' || path->at[at - 2] == '/')
		return;
	*version = span_from(*path, at);
	path->len = at - 1;
}

static enum err write_path(struct arena *a, struct span path, unsigned lower, struct buffer *b)
{
	struct span segments[SEGMENTS_MAX];
	size_t n = 0;
	enum err e = OK;

	while (path.at != NULL) {
		struct span s = span_cut(&path, '/');

		if (s.len == 0)
			continue;
		if (n == SEGMENTS_MAX)
			return no_purl("too many parts");
		segments[n++] = s;
	}
	if (n == 0)
		return no_purl("no name");
	for (size_t i = 0; e == OK && i < n; i++) {
		struct span s;
		bool name = i + 1 == n;

		e = decode(a, segments[i], &s);
		if (e == OK && !name && memchr(s.at, '/', s.len) != NULL)
			e = no_purl("a slash within a part");
		if (e != OK)
			break;
		buffer_byte(b, '/');
		encode(b, s, (lower & (name ? NAME : NAMESPACE)) != 0, name && (lower & DASHES) != 0);
	}
	return e;
}

static enum err write_all(struct arena *a, struct span type, struct span path, struct span raw, struct buffer *b,
			  size_t *bare)
{
	unsigned lower = NOTHING;
	struct span version;
	enum err e;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(type, types[i].type))
			lower = types[i].lower;
	buffer_text(b, "pkg:");
	buffer_span(b, type);
	e = write_path(a, path, lower, b);
	*bare = b->len;
	if (e == OK)
		e = decode(a, raw, &version);
	if (e == OK && version.len > 0)
		encode(b, version, false, false);
	return e == OK ? b->err : e;
}

enum err purl_parse(struct arena *a, struct span text, struct span *without_version, struct span *version)
{
	struct buffer b = BUFFER(3 * PURL_MAX);
	struct span path = text, type = SPAN(""), raw;
	size_t bare = 0;
	const char *copy;
	enum err e;

	if (text.len > PURL_MAX)
		return no_purl("too long");
	path = before(before(path, '#'), '?');
	e = cut_type(a, &path, &type);
	if (e != OK)
		return e;
	cut_version(&path, &raw);
	e = write_all(a, type, path, raw, &b, &bare);
	if (e == OK && b.len > PURL_MAX)
		e = no_purl("too long");
	copy = e == OK ? arena_copy(a, b.at, b.len) : NULL;
	if (e == OK && copy == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK) {
		*without_version = span_make(copy, bare);
		*version = span_make(copy + bare, b.len - bare);
	}
	buffer_free(&b);
	return e;
}
