#include "note/statement.h"

#include "note/statement_grammar.h"

#define VERSION_PREFIX "comity/"
#define VERSION "1"

static const char *const kinds[KIND_COUNT] = {
	[KIND_UNKNOWN] = "unknown", [KIND_PARTY] = "party",
	[KIND_PROOF] = "proof",	    [KIND_VOUCH] = "vouch",
	[KIND_PLAN] = "plan",	    [KIND_CERTIFICATE] = "certificate",
	[KIND_NOTICE] = "notice",   [KIND_SHARE] = "share",
	[KIND_REQUEST] = "request", [KIND_CASE] = "case",
	[KIND_EMBARGO] = "embargo", [KIND_ADVISORY] = "advisory",
	[KIND_PLEDGE] = "pledge",   [KIND_AGREEMENT] = "agreement",
	[KIND_ANSWER] = "answer",   [KIND_WITHDRAW] = "withdraw",
	[KIND_TICK] = "tick",	    [KIND_RULES] = "rules",
	[KIND_CONTROL] = "control", [KIND_VOCABULARY] = "vocabulary",
};

const char *kind_name(enum kind k)
{
	return (unsigned)k < KIND_COUNT ? kinds[k] : kinds[KIND_UNKNOWN];
}

static enum kind kind_of(struct span name)
{
	for (int k = KIND_UNKNOWN + 1; k < KIND_COUNT; k++)
		if (span_is(name, kinds[k]))
			return (enum kind)k;
	return KIND_UNKNOWN;
}

bool statement_word_valid(struct span word)
{
	if (word.len == 0 || word.len > STATEMENT_WORD_MAX || word.at[0] < 'a' || word.at[0] > 'z')
		return false;
	for (size_t i = 1; i < word.len; i++) {
		char c = word.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

bool statement_value_valid(struct span value)
{
	if (value.len == 0 || value.at[0] == ' ' || value.at[value.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] < 0x20 || value.at[i] > 0x7e)
			return false;
	return true;
}

/* The headers that every kind shares. A reader gets a value that keeps the rule for values. */

static enum err read_ledger(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	s->ledger = value;
	return value.len <= KEY_NAME_MAX && key_name_valid(value) ? OK : ERR_STATEMENT_HEADER;
}

static enum err read_from(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	s->from = value;
	return span_is_domain(value) ? OK : ERR_STATEMENT_HEADER;
}

static enum err read_key(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	return hash_from_hex(value, &s->key);
}

static enum err read_to(struct span value, struct statement *s, struct addressee *to)
{
	(void)s;
	return addressee_parse(value, to);
}

static enum err read_cc(struct span value, struct statement *s, struct addressee *to)
{
	struct addressee copied;

	(void)s;
	(void)to;
	return addressee_parse(value, &copied);
}

static enum err read_re(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	s->has_re = true;
	return hash_from_hex(value, &s->re);
}

static enum err read_date(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	s->has_date = true;
	return clock_parse(value, &s->date_ms);
}

static enum err read_for(struct span value, struct statement *s, struct addressee *to)
{
	struct addressee party;

	(void)to;
	s->for_party = value;
	return addressee_parse(value, &party) == OK && party.type != TO_ALL ? OK : ERR_STATEMENT_HEADER;
}

static enum err read_via(struct span value, struct statement *s, struct addressee *to)
{
	(void)to;
	s->via = value;
	return statement_word_valid(value) ? OK : ERR_STATEMENT_HEADER;
}

/* What a class may be is the regime's business; here it is there once at most. */
static enum err read_class(struct span value, struct statement *s, struct addressee *to)
{
	(void)value;
	(void)s;
	(void)to;
	return OK;
}

/* type "/" subtype, parameters behind it as they come, no space */
static bool media_type_valid(struct span s)
{
	const char *slash = memchr(s.at, '/', s.len);

	return slash != NULL && slash != s.at && slash != s.at + s.len - 1 && s.len <= 255;
}

static enum err read_body(struct span value, struct statement *s, struct addressee *to)
{
	struct body_reference *b = &s->body;
	struct span rest = value, size;

	(void)to;
	s->has_body = true;
	b->media_type = span_cut(&rest, ' ');
	if (rest.at == NULL || !media_type_valid(b->media_type))
		return ERR_STATEMENT_HEADER;
	size = span_cut(&rest, ' ');
	if (rest.at == NULL || span_u64(size, INT64_MAX, &b->size) != OK)
		return ERR_STATEMENT_HEADER;
	b->sealed = span_starts(rest, "sealed-");
	if (b->sealed)
		rest = span_from(rest, strlen("sealed-"));
	return span_starts(rest, "sha256:") ? hash_from_hex(span_from(rest, strlen("sha256:")), &b->hash)
					    : ERR_STATEMENT_HEADER;
}

static const struct shared {
	const char *name;
	bool once;
	enum err (*read)(struct span value, struct statement *s, struct addressee *to);
	const char *wants;
} shared[] = {
	{ "ledger", true, read_ledger, "the name of a ledger" },
	{ "from", true, read_from, "a domain in lower case" },
	{ "key", true, read_key, "64 lower-case hex digits" },
	{ "to", false, read_to, "a domain, an AS, a prefix, a country or all" },
	{ "cc", false, read_cc, "a domain, an AS, a prefix, a country or all" },
	{ "re", true, read_re, "64 lower-case hex digits" },
	{ "date", true, read_date, "a time like 2026-11-22T20:45:00Z" },
	{ "class", true, read_class, "a class" },
	{ "body", true, read_body, "media type, bytes, sha256:hex or sealed-sha256:hex" },
	{ "for", true, read_for, "a domain, an AS, a prefix or a country" },
	{ "via", true, read_via, "a lower-case word" },
};

#define SHARED_COUNT (sizeof(shared) / sizeof(shared[0]))
_Static_assert(SHARED_COUNT <= 8 * sizeof(unsigned), "one bit for each");

enum err statement_header_read(struct header h, unsigned *seen, struct statement *s, struct addressee *to)
{
	if (!statement_word_valid(h.name))
		return fail(ERR_STATEMENT_HEADER, "a header's name has lower-case letters, digits and '-'");
	if (!statement_value_valid(h.value))
		return fail(ERR_STATEMENT_HEADER, "%.*s: a value is printable ASCII without a space at its ends",
			    SPAN_FORMAT(h.name));
	for (size_t i = 0; i < SHARED_COUNT; i++) {
		unsigned bit = 1u << i;

		if (!span_is(h.name, shared[i].name))
			continue;
		if (shared[i].once && (*seen & bit) != 0)
			return fail(ERR_STATEMENT_HEADER, "%s: may be there only once", shared[i].name);
		*seen |= bit;
		if (shared[i].read(h.value, s, to) != OK)
			return fail(ERR_STATEMENT_HEADER, "%s: must be %s", shared[i].name, shared[i].wants);
		break;
	}
	return OK;
}

/* "comity/1 notice" */
static enum err parse_first_line(struct span line, struct statement *s)
{
	struct span rest = line, version = span_cut(&rest, ' ');
	uint64_t number;

	if (!span_starts(version, VERSION_PREFIX))
		return fail(ERR_STATEMENT, "the first line begins with " VERSION_PREFIX VERSION);
	version = span_from(version, strlen(VERSION_PREFIX));
	if (span_u64(version, UINT64_MAX, &number) != OK)
		return fail(ERR_STATEMENT, "the first line begins with " VERSION_PREFIX VERSION);
	if (!span_is(version, VERSION))
		return fail(ERR_STATEMENT_VERSION, "version %.*s; this program reads " VERSION, SPAN_FORMAT(version));
	if (rest.at == NULL || !statement_word_valid(rest))
		return fail(ERR_STATEMENT, "behind the version stands the kind, a lower-case word");
	s->kind_name = rest;
	s->kind = kind_of(rest);
	return OK;
}

static struct header split_header(struct span line)
{
	struct span rest = line, name = span_cut(&rest, ' ');

	return (struct header){ name, rest.at == NULL ? SPAN("") : rest };
}

/* Room for every header and every `to`, found by counting lines first. */
static enum err make_room(struct arena *a, struct span text, size_t *count, struct header **headers,
			  struct addressee **to)
{
	size_t lines = 0, addressees = 0;

	for (struct span rest = text, line; span_line(&rest, &line); lines++)
		addressees += span_starts(line, "to ");
	if (lines > STATEMENT_TEXT_HEADERS)
		return fail(ERR_TOO_LONG, "%zu headers; at most %d", lines, STATEMENT_TEXT_HEADERS);
	*count = lines;
	*headers = arena_array(a, lines, sizeof(**headers));
	*to = arena_array(a, addressees, sizeof(**to));
	return *headers == NULL || *to == NULL ? ERR_NO_MEMORY : OK;
}

static enum err parse_headers(struct arena *a, struct span text, struct statement *s)
{
	static const char *const first[] = { "ledger", "from", "key" };
	struct addressee *to = NULL;
	struct header *headers = NULL;
	unsigned seen = 0;
	enum err e = make_room(a, text, &s->header_count, &headers, &to);

	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		struct span line = { NULL, 0 };

		span_line(&text, &line);
		headers[i] = split_header(line);
		if (i < 3 && !span_is(headers[i].name, first[i]))
			return fail(ERR_STATEMENT_HEADER, "header %zu must be %s", i + 1, first[i]);
		e = statement_header_read(headers[i], &seen, s, &to[s->to_count]);
		s->to_count += e == OK && span_is(headers[i].name, "to");
	}
	if (e == OK && s->header_count < 3)
		return fail(ERR_STATEMENT_HEADER, "header %zu must be %s", s->header_count + 1, first[s->header_count]);
	s->headers = headers;
	s->to = to;
	return e;
}

enum err statement_parse(struct arena *a, struct span whole, struct statement *out)
{
	struct statement s = { 0 };
	struct span rest, line;
	enum err e;

	if (whole.len > STATEMENT_MAX)
		return fail(ERR_TOO_LONG, "a statement of %zu bytes; at most %d", whole.len, STATEMENT_MAX);
	if ((e = note_parse(a, whole, &s.note)) != OK)
		return e;
	rest = s.note.text;
	line = (struct span){ NULL, 0 };
	span_line(&rest, &line);
	if ((e = parse_first_line(line, &s)) != OK || (e = parse_headers(a, rest, &s)) != OK)
		return e;
	if (s.note.line_count != 1)
		return fail(ERR_STATEMENT, "one signature line, not %zu", s.note.line_count);
	if (!span_equal(s.note.lines[0].name, s.from))
		return fail(ERR_STATEMENT, "signed in the name of %.*s, but from %.*s",
			    SPAN_FORMAT(s.note.lines[0].name), SPAN_FORMAT(s.from));
	s.id = hash_span(s.note.text);
	*out = s;
	return OK;
}

const struct header *statement_header(const struct statement *s, const char *name)
{
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, name))
			return &s->headers[i];
	return NULL;
}

struct span statement_value(const struct statement *s, const char *name)
{
	const struct header *h = statement_header(s, name);

	return h != NULL ? h->value : SPAN("");
}
