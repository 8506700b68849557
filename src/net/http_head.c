/*
 * What the library lets pass
 *
 * libmicrohttpd 0.9.75 (Debian 12) takes much that RFC 9112 forbids: Content-Length beside Transfer-Encoding, fields given
 * twice, codings that it does not know, names with spaces. These can be seen in the fields that it reports. Some cannot:
 *
 *   - a folded line is appended to the NAME of the field before it, so its beginning vanishes;
 *   - a NUL ends the value early, also the target, and the whole head where a line begins with it; a bare LF ends the
 *     line; several spaces count as one.
 *
 * It reads the head in place: each ':' behind a name and each byte of a line's end becomes a NUL, nothing else changes, and
 * `method` with the size of the head says where all that lies. So a second look at these bytes finds all three: a
 * line is name, NUL, value, NUL, NUL, and the next line begins with no space. From 1.0 on the library refuses them itself at
 * its level 1, and keeps the head differently; there is no second look.
 */
#include "net/http_private.h"

/* Fields of which there may be one (RFC 9110, 5.3); all others are lists. */
enum single { SINGLE_HOST, SINGLE_LENGTH, SINGLE_CODING, SINGLE_EXPECT, SINGLE_REST };
static const struct {
	struct span name;
	enum single what;
} singles[] = {
	{ { "host", 4 }, SINGLE_HOST },
	{ { "content-length", 14 }, SINGLE_LENGTH },
	{ { "transfer-encoding", 17 }, SINGLE_CODING },
	{ { "expect", 6 }, SINGLE_EXPECT },
	{ { "authorization", 13 }, SINGLE_REST },
	{ { "content-type", 12 }, SINGLE_REST },
	{ { "content-encoding", 16 }, SINGLE_REST },
	{ { "content-digest", 14 }, SINGLE_REST },
	{ { "content-range", 13 }, SINGLE_REST },
	{ { "date", 4 }, SINGLE_REST },
	{ { "from", 4 }, SINGLE_REST },
	{ { "if-modified-since", 17 }, SINGLE_REST },
	{ { "if-range", 8 }, SINGLE_REST },
	{ { "if-unmodified-since", 19 }, SINGLE_REST },
	{ { "last-event-id", 13 }, SINGLE_REST },
	{ { "max-forwards", 12 }, SINGLE_REST },
	{ { "proxy-authorization", 19 }, SINGLE_REST },
	{ { "range", 5 }, SINGLE_REST },
	{ { "referer", 7 }, SINGLE_REST },
	{ { "user-agent", 10 }, SINGLE_REST },
};
#define SINGLES (sizeof(singles) / sizeof(singles[0]))

struct fields {
	const char *why;
	unsigned seen[SINGLES];
	struct span host, length, coding;
	uint64_t names[32]; /* of lists, by a short hash: whether one came twice */
	size_t count;
	bool repeats;
};

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t b = (uint8_t)s.at[i], letter = b | 0x20;

		if ((letter < 'a' || letter > 'z') && b != '-' && (b < '0' || b > '9') &&
		    (b == 0 || strchr("!#$%&'*+.^_`|~", b) == NULL))
			return false;
	}
	return s.len > 0;
}

/* RFC 9110, 5.5: visible characters, spaces, tabs, and bytes above ASCII. */
static bool is_value(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((uint8_t)s.at[i] < ' ' && s.at[i] != '\t') || s.at[i] == 0x7f)
			return false;
	return true;
}

/* Two names of one hash only make http_header look at all fields. */
static void note_list(struct fields *f, struct span name)
{
	uint64_t hash = name.len;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 31 + (uint8_t)(name.at[i] | 0x20);
	for (size_t i = 0; i < f->count && i < 32; i++)
		f->repeats = f->repeats || f->names[i] == hash;
	if (f->count < 32)
		f->names[f->count] = hash;
	else
		f->repeats = true;
	f->count++;
}

static void note_single(struct fields *f, size_t i, struct span value)
{
	if (f->seen[i]++ > 0) {
		f->why = "a field that may stand once stands there twice";
		return;
	}
	if (singles[i].what == SINGLE_HOST)
		f->host = value;
	else if (singles[i].what == SINGLE_LENGTH)
		f->length = value;
	else if (singles[i].what == SINGLE_CODING)
		f->coding = value;
}

static enum MHD_Result look(void *context, enum MHD_ValueKind kind, const char *name, size_t name_length,
			    const char *value, size_t value_length)
{
	struct span n = span_make(name, name_length), v = span_make(value, value != NULL ? value_length : 0);
	struct fields *f = context;

	(void)kind;
	if (!is_token(n))
		f->why = "a field's name has bytes that no name may have";
	else if (!is_value(v))
		f->why = "a field's value has control characters";
	if (f->why != NULL)
		return MHD_NO;
	for (size_t i = 0; i < SINGLES; i++)
		if (span_equal_nocase(singles[i].name, n)) {
			note_single(f, i, span_trim(v));
			return f->why == NULL ? MHD_YES : MHD_NO;
		}
	note_list(f, n);
	return MHD_YES;
}

#if MHD_VERSION < 0x00097701
/* The second look, at the bytes themselves. */
static const char *head_bytes(struct http_connection *c, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	const char *end, *at = version + 8; /* it is HTTP/1.0 or HTTP/1.1 */

	if (info == NULL || info->header_size < 12 || version < method || version > method + info->header_size - 12)
		return "the head cannot be found";
	if ((size_t)(version - method) != strlen(method) + c->target_length + 2)
		return "the first line is not method, target and version, with one space between";
	end = method + info->header_size;
	if (at[0] != '\0' || at[1] != '\0')
		return "the first line does not end with CR and LF";
	at += 2;
	while (end - at > 2) {
		const char *stop;

		if (*at == ' ' || *at == '\t')
			return "a line goes on in the next one";
		if (*at == '\0') /* the library takes it for the empty line */
			return "a line begins with NUL";
		for (int half = 0; half < 2; half++) {
			if ((stop = memchr(at, '\0', (size_t)(end - at))) == NULL)
				return "a line without an end";
			at = stop + 1;
		}
		if (at == end || *at != '\0')
			return "a line has a NUL, or does not end with CR and LF";
		at++;
	}
	return end - at == 2 && at[0] == '\0' && at[1] == '\0' ? NULL : "the head does not end with CR and LF";
}
#endif

static bool is_host(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t b = (uint8_t)s.at[i];

		if (b <= ' ' || b >= 0x7f || memchr("/?#@,\\\"<>^`{|}", b, 15) != NULL)
			return false;
	}
	return s.len > 0;
}

static const char *body_check(struct http_connection *c, const struct fields *f, bool old)
{
	c->chunked = f->coding.at != NULL;
	if (c->chunked && f->length.at != NULL)
		return "Content-Length and Transfer-Encoding exclude each other";
	if (c->chunked && (old || !span_equal_nocase(f->coding, SPAN("chunked"))))
		return "a transfer coding that this server does not take";
	if (f->length.at != NULL && span_u64_loose(f->length, UINT64_MAX / 2, &c->length) != OK)
		return "Content-Length is no number";
	return NULL;
}

const char *head_check(struct http_connection *c, const char *method, const char *version)
{
	struct fields f = { 0 };
	bool old = strcmp(version, "HTTP/1.0") == 0;

	if (c->bad_target != NULL)
		return c->bad_target;
	if (!old && strcmp(version, "HTTP/1.1") != 0)
		return "the version is neither HTTP/1.1 nor HTTP/1.0";
#if MHD_VERSION < 0x00097701
	if ((f.why = head_bytes(c, method, version)) != NULL)
		return f.why;
#endif
	if (!is_token(span_of(method)))
		return "the method has bytes that no method may have";
	MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, look, &f);
	if (f.why != NULL)
		return f.why;
	if (f.host.at == NULL && !old)
		return "there is no Host";
	if (f.host.at != NULL && !is_host(f.host))
		return "Host is no host";
	c->repeats = f.repeats;
	return body_check(c, &f, old);
}

/* An absolute target (RFC 9112, 3.2.2): its authority counts, whatever Host says. */
static bool cut_absolute(struct http_connection *c, struct span *target)
{
	struct span rest;
	size_t scheme;

	if (target->len >= 7 && span_equal_nocase(span_make(target->at, 7), SPAN("http://")))
		scheme = 7;
	else if (target->len >= 8 && span_equal_nocase(span_make(target->at, 8), SPAN("https://")))
		scheme = 8;
	else
		return false;
	rest = span_from(*target, scheme);
	for (c->authority = span_make(rest.at, 0); c->authority.len < rest.len; c->authority.len++)
		if (strchr("/?", rest.at[c->authority.len]) != NULL)
			break;
	*target = span_from(rest, c->authority.len);
	return is_host(c->authority);
}

const char *head_target(struct http_connection *c, struct span target)
{
	const char *question;

	if (target.len > TARGET_MOST)
		return "the target is too long";
	for (size_t i = 0; i < target.len; i++)
		if ((uint8_t)target.at[i] <= ' ' || (uint8_t)target.at[i] >= 0x7f || target.at[i] == '#')
			return "the target has bytes that must be percent-encoded";
	if (target.len == 0 || (target.at[0] != '/' && !cut_absolute(c, &target)))
		return "the target is no path";
	question = target.len > 0 ? memchr(target.at, '?', target.len) : NULL;
	c->request.path = question != NULL ? span_make(target.at, (size_t)(question - target.at)) : target;
	if (question != NULL)
		c->request.query = span_from(target, c->request.path.len + 1);
	if (c->request.path.len == 0)
		c->request.path = SPAN("/");
	return NULL;
}
