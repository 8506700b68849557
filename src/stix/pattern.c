/* The grammar of STIX patterns (STIX 2.1, 9), by descent. The reader of reports takes a little more than the grammar: names
 * with hyphens in paths without quotes, words of the language as names, numbers with leading zeros. */
#include "stix/pattern.h"

#define DEPTH_MAX 32

enum token {
	END,
	WRONG,
	NAME,	/* a word that begins with a letter or underscore, and keywords */
	STRING, /* 'text' */
	NUMBER,
	SYMBOL /* one or two characters of punctuation */
};

struct parser {
	struct arena *arena;
	struct span rest; /* behind the token in hand */
	enum token token;
	struct span text;    /* of the token; of a string what is between the quotes */
	const char *at;	     /* where it begins */
	struct pattern *out; /* NULL: only the grammar is wanted */
	unsigned depth;
	enum err err;
	bool exact; /* to the letter of the grammar */
	void (*each)(void *context, const struct pattern_comparison *c);
	void *context;
	const char *wrong_at; /* the first fault */
	const char *what;
};

/* ---- tokens ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t string_length(struct span s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.at[i] == '\'')
			return i + 1;
		if (s.at[i] == '\\') {
			if (i + 1 >= s.len || (s.at[i + 1] != '\'' && s.at[i + 1] != '\\'))
				return 0;
			i++;
		}
	}
	return 0;
}

static size_t number_length(struct span s, bool exact)
{
	size_t i = s.at[0] == '-' || s.at[0] == '+', digits = i;
	bool padded;

	while (i < s.len && is_digit(s.at[i]))
		i++;
	padded = i - digits > 1 && s.at[digits] == '0';
	digits = i - digits;
	if (exact && padded && (i >= s.len || s.at[i] != '.'))
		return 0;
	if (i < s.len && s.at[i] == '.') {
		size_t point = i++;

		while (i < s.len && is_digit(s.at[i]))
			i++;
		if (i - point < 2)
			return 0;
		digits += i - point - 1;
	}
	return digits > 0 ? i : 0;
}

static size_t name_length(struct span s)
{
	size_t i = 0;

	while (i < s.len && (is_letter(s.at[i]) || is_digit(s.at[i]) || s.at[i] == '-'))
		i++;
	return i;
}

static size_t symbol_length(struct span s)
{
	static const char *const two[] = { "==", "!=", "<>", "<=", ">=" };

	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++)
		if (span_starts(s, two[i]))
			return 2;
	return s.at[0] != '\0' && strchr("[]().,:=<>*", s.at[0]) != NULL;
}

/* Of white space or a comment at its beginning; 0: neither. */
static size_t space_length(struct span s)
{
	static const char *const wide[] = { "\xc2\x85",	    "\xc2\xa0",	    "\xe1\x9a\x80", "\xe2\x80\xa8",
					    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };
	size_t i = 2;

	if (s.len == 0 || s.at[0] == '\0')
		return 0;
	if (strchr(" \t\r\n\v\f", s.at[0]) != NULL)
		return 1;
	if (span_starts(s, "//")) {
		while (i < s.len && s.at[i] != '\n' && s.at[i] != '\r')
			i++;
		return i;
	}
	if (span_starts(s, "/*")) {
		while (i + 1 < s.len && (s.at[i] != '*' || s.at[i + 1] != '/'))
			i++;
		return i + 1 < s.len ? i + 2 : 0;
	}
	for (i = 0; (s.at[0] & 0x80) != 0 && i < sizeof(wide) / sizeof(wide[0]); i++)
		if (span_starts(s, wide[i]))
			return strlen(wide[i]);
	return span_starts(s, "\xe2\x80") && s.len > 2 && (uint8_t)s.at[2] <= 0x8a ? 3 : 0;
}

static void next(struct parser *p)
{
	struct span s = p->rest;
	size_t n, cut = 0;

	while ((n = space_length(s)) > 0)
		s = span_from(s, n);
	p->rest = s;
	p->token = END;
	p->text = SPAN("");
	p->at = s.at;
	if (s.len == 0)
		return;
	if (s.at[0] == '\'') {
		p->token = STRING;
		n = string_length(s);
		cut = 1;
	} else if (is_letter(s.at[0])) {
		p->token = NAME;
		n = name_length(s);
	} else if (is_digit(s.at[0]) || s.at[0] == '-' || s.at[0] == '+' ||
		   (s.at[0] == '.' && s.len > 1 && is_digit(s.at[1]))) {
		p->token = NUMBER;
		n = number_length(s, p->exact);
	} else {
		p->token = SYMBOL;
		n = symbol_length(s);
	}
	if (n == 0) {
		p->token = WRONG;
		return;
	}
	p->text = span_make(s.at + cut, n - 2 * cut);
	p->rest = span_from(s, n);
}

static bool is(const struct parser *p, const char *text)
{
	return (p->token == SYMBOL || p->token == NAME) && span_is(p->text, text);
}

static void wrong_because(struct parser *p, const char *what)
{
	if (p->err == OK) {
		p->err = ERR_SYNTAX;
		p->wrong_at = p->at;
		p->what = what;
	}
	p->token = WRONG;
}

static void wrong(struct parser *p)
{
	wrong_because(p, p->token == END     ? "it ends too early"
			 : p->token == WRONG ? "no word, string or number of the language"
					     : "this may not stand here");
}

static bool accept(struct parser *p, const char *text)
{
	if (p->err != OK || !is(p, text))
		return false;
	next(p);
	return true;
}

static void expect(struct parser *p, const char *text)
{
	if (!accept(p, text))
		wrong(p);
}

static bool enter(struct parser *p)
{
	if (++p->depth <= DEPTH_MAX)
		return true;
	if (p->err == OK)
		p->err = ERR_DEPTH;
	return false;
}

/* ---- what is kept ---- */

/* Room for one more. */
static void *more(struct parser *p, void *at, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room == 0 ? 4 : *room * 2;

	if (count < *room)
		return at;
	at = arena_resize(p->arena, at, *room * size, wanted * size);
	if (at == NULL) {
		p->err = ERR_NO_MEMORY;
		return NULL;
	}
	*room = wanted;
	return at;
}

static void keep_address(struct parser *p, struct span text, enum pattern_role role)
{
	struct pattern *o = p->out;
	void *at = more(p, o->addresses, o->address_count, &o->address_room, sizeof(*o->addresses));

	if (at == NULL)
		return;
	o->addresses = at;
	o->addresses[o->address_count++] = (struct pattern_address){ text, role, o->group_count - 1 };
}

static void keep_port(uint16_t *port, unsigned *ports, struct span text)
{
	uint64_t n;

	if (span_u64(text, UINT16_MAX, &n) == OK)
		*port = ++*ports == 1 ? (uint16_t)n : 0;
}

/* A path as far as it matters here. */
struct path {
	struct span type, steps[3], last;
	size_t count; /* of steps, also of those beyond */
	bool hashes;  /* one of them is of that name */
};

static bool steps_are(const struct path *p, const char *type, const char *a, const char *b)
{
	return span_is(p->type, type) && p->count == (b != NULL ? 2 : 1) && span_is(p->steps[0], a) &&
	       (b == NULL || span_is(p->steps[1], b));
}

static void keep(struct parser *p, const struct path *path, bool string, struct span value)
{
	struct pattern_group *g;

	if (p->out == NULL)
		return;
	g = &p->out->groups[p->out->group_count - 1];
	if (!string && steps_are(path, "network-traffic", "src_port", NULL))
		keep_port(&g->source_port, &g->source_ports, value);
	else if (!string && steps_are(path, "network-traffic", "dst_port", NULL))
		keep_port(&g->target_port, &g->target_ports, value);
	else if (!string)
		return;
	else if (steps_are(path, "ipv4-addr", "value", NULL) || steps_are(path, "ipv6-addr", "value", NULL) ||
		 steps_are(path, "domain-name", "resolves_to_refs", "value"))
		keep_address(p, value, PATTERN_ADDRESS);
	else if (steps_are(path, "network-traffic", "src_ref", "value"))
		keep_address(p, value, PATTERN_SOURCE);
	else if (steps_are(path, "network-traffic", "dst_ref", "value"))
		keep_address(p, value, PATTERN_TARGET);
}

/* ---- grammar ---- */

static bool is_keyword(struct span s)
{
	static const char *const words[] = { "AND",	   "OR",       "NOT",	  "FOLLOWEDBY", "LIKE",	 "MATCHES",
					     "ISSUPERSET", "ISSUBSET", "EXISTS",  "IN",		"START", "STOP",
					     "SECONDS",	   "WITHIN",   "REPEATS", "TIMES",	"true",	 "false" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_is(s, words[i]))
			return true;
	return false;
}

/* One step of a path, or its type. */
static bool is_name(const struct parser *p, bool type)
{
	if (p->token != NAME)
		return false;
	return !p->exact || (!is_keyword(p->text) && (type || memchr(p->text.at, '-', p->text.len) == NULL));
}

static bool is_whole(const struct parser *p)
{
	return p->token == NUMBER && (!p->exact || memchr(p->text.at, '.', p->text.len) == NULL);
}

static void compared(struct parser *p, const struct path *path, bool string, struct span value)
{
	struct pattern_comparison c = { .type = path->type,
					.first = path->steps[0],
					.last = path->last,
					.steps = path->count,
					.hashes = path->hashes,
					.text = string,
					.value = value };

	if (p->each != NULL && p->err == OK)
		p->each(p->context, &c);
}

static void path_read(struct parser *p, struct path *out)
{
	*out = (struct path){ .type = p->text };
	if (!is_name(p, true))
		wrong(p);
	next(p);
	expect(p, ":");
	for (;;) {
		if (!is_name(p, false) && p->token != STRING)
			wrong(p);
		if (p->err != OK)
			return;
		if (out->count < 3)
			out->steps[out->count] = p->text;
		out->last = p->text;
		out->hashes = out->hashes || span_is(p->text, "hashes");
		out->count++;
		next(p);
		while (accept(p, "[")) {
			if (!is(p, "*") && !is_whole(p))
				wrong(p);
			next(p);
			expect(p, "]");
		}
		if (!accept(p, "."))
			return;
	}
}

static bool is_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '\0' || strchr("0123456789abcdefABCDEF", s.at[i]) == NULL)
			return false;
	return s.len % 2 == 0;
}

static bool is_base64(struct span s)
{
	size_t padding = 0;

	while (padding < 2 && padding < s.len && s.at[s.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < s.len - padding; i++)
		if (!is_digit(s.at[i]) && (!is_letter(s.at[i]) || s.at[i] == '_') && s.at[i] != '+' && s.at[i] != '/')
			return false;
	return s.len % 4 == 0;
}

/* The form alone: 30 February passes, as it does elsewhere. */
static bool is_time(struct span s)
{
	static const char form[] = "0000-00-00T00:00:00";
	struct span rest;

	if (s.len <= sizeof(form) - 1 || s.at[s.len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? !is_digit(s.at[i]) : s.at[i] != form[i])
			return false;
	if (memcmp(s.at + 5, "01", 2) < 0 || memcmp(s.at + 5, "12", 2) > 0 || memcmp(s.at + 8, "01", 2) < 0 ||
	    memcmp(s.at + 8, "31", 2) > 0 || memcmp(s.at + 11, "23", 2) > 0 || memcmp(s.at + 14, "59", 2) > 0 ||
	    memcmp(s.at + 17, "60", 2) > 0)
		return false;
	rest = span_make(s.at + sizeof(form) - 1, s.len - sizeof(form));
	if (rest.len == 0)
		return true;
	for (size_t i = 1; i < rest.len; i++)
		if (!is_digit(rest.at[i]))
			return false;
	return rest.at[0] == '.' && rest.len > 1;
}

/* Text between quotes behind the letter that says what it is. */
static void marked_read(struct parser *p, char mark)
{
	next(p);
	if (p->token != STRING || !(mark == 'h'	  ? is_hex(p->text)
				    : mark == 'b' ? is_base64(p->text) && (p->text.len > 0 || !p->exact)
						  : is_time(p->text)))
		wrong(p);
}

static bool is_marked(const struct parser *p)
{
	return p->token == NAME && p->text.len == 1 && strchr("hbt", p->text.at[0]) != NULL && p->rest.len > 0 &&
	       p->rest.at[0] == '\'';
}

/* A string, number, truth, h'00', b'AA==' or t'2026-11-22T20:45:00Z'. */
static bool literal_read(struct parser *p, bool *string, struct span *value)
{
	*string = p->token == STRING;
	*value = p->text;
	if (is_marked(p))
		marked_read(p, p->text.at[0]);
	else if (p->token != STRING && p->token != NUMBER && !is(p, "true") && !is(p, "false"))
		return false;
	if (p->token == WRONG)
		return false;
	next(p);
	return p->err == OK;
}

static void set_read(struct parser *p, const struct path *path, bool negated)
{
	struct span value;
	bool string;

	expect(p, "(");
	if (accept(p, ")"))
		return;
	do {
		if (!literal_read(p, &string, &value))
			wrong(p);
		if (p->err == OK && !negated)
			keep(p, path, string, value);
		compared(p, path, string, value);
	} while (accept(p, ","));
	expect(p, ")");
	if (p->err == OK && p->out != NULL)
		p->out->groups[p->out->group_count - 1].any = true;
}

static void comparison_read(struct parser *p)
{
	bool negated, string, equal, same, ordered, text_only;
	struct span value;
	struct path path;

	path_read(p, &path);
	negated = accept(p, "NOT");
	if (accept(p, "IN")) {
		set_read(p, &path, negated);
		return;
	}
	text_only = is(p, "LIKE") || is(p, "MATCHES") || is(p, "ISSUPERSET") || is(p, "ISSUBSET");
	equal = is(p, "=") || is(p, "==") || is(p, "ISSUBSET");
	same = is(p, "=") || is(p, "==") || is(p, "!=") || is(p, "<>");
	ordered = is(p, "<") || is(p, ">") || is(p, "<=") || is(p, ">=");
	if (!same && !text_only && !ordered)
		wrong(p);
	next(p);
	if (p->exact && ordered && p->token == NAME && !is_marked(p))
		wrong_because(p, "true and false have no order");
	if (p->err != OK || !literal_read(p, &string, &value) || (text_only && !string))
		wrong(p);
	if (p->err != OK)
		return;
	compared(p, &path, string && same, value);
	if (p->err == OK && equal && !negated)
		keep(p, &path, string, value);
}

static void comparisons_read(struct parser *p)
{
	if (!enter(p))
		return;
	do {
		if (accept(p, "(")) {
			comparisons_read(p);
			expect(p, ")");
		} else if (accept(p, "EXISTS")) {
			struct path path;

			path_read(p, &path);
		} else {
			comparison_read(p);
		}
		if (p->err == OK && is(p, "OR") && p->out != NULL)
			p->out->groups[p->out->group_count - 1].any = true;
	} while (accept(p, "AND") || accept(p, "OR"));
	p->depth--;
}

static void group_read(struct parser *p)
{
	struct pattern *o = p->out;
	void *at = NULL;

	if (o != NULL) {
		at = more(p, o->groups, o->group_count, &o->group_room, sizeof(*o->groups));
		if (at == NULL)
			return;
		o->groups = at;
		o->groups[o->group_count++] = (struct pattern_group){ 0 };
	}
	comparisons_read(p);
	expect(p, "]");
}

static void time_read(struct parser *p)
{
	if (!is_marked(p) || p->text.at[0] != 't')
		wrong(p);
	else
		marked_read(p, 't');
	next(p);
}

static void count_read(struct parser *p, const char *unit, bool whole)
{
	if (p->token != NUMBER || p->text.at[0] == '-' || (whole && !is_whole(p)))
		wrong(p);
	next(p);
	expect(p, unit);
}

/* Behind square brackets each at most once. */
static void qualifiers_read(struct parser *p, bool once)
{
	unsigned seen = 0, which;

	for (;; seen |= which) {
		if (accept(p, "WITHIN")) {
			which = 1;
			count_read(p, "SECONDS", false);
		} else if (accept(p, "REPEATS")) {
			which = 2;
			count_read(p, "TIMES", true);
		} else if (accept(p, "START")) {
			which = 4;
			time_read(p);
			expect(p, "STOP");
			time_read(p);
		} else {
			return;
		}
		if (once && (seen & which) != 0)
			wrong_because(p, "a qualifier in front of this stands twice");
	}
}

static void observations_read(struct parser *p)
{
	if (!enter(p))
		return;
	do {
		bool bare = !is(p, "(");

		if (accept(p, "(")) {
			observations_read(p);
			expect(p, ")");
		} else if (accept(p, "[")) {
			group_read(p);
		} else {
			wrong(p);
		}
		qualifiers_read(p, bare);
	} while (accept(p, "AND") || accept(p, "OR") || accept(p, "FOLLOWEDBY"));
	p->depth--;
}

static enum err whole_read(struct parser *p)
{
	next(p);
	observations_read(p);
	if (p->err == OK && p->token != END)
		wrong(p);
	return p->err;
}

enum err pattern_read(struct arena *a, struct span text, struct pattern *out)
{
	struct parser p = { .arena = a, .rest = text, .out = out };

	*out = (struct pattern){ 0 };
	return whole_read(&p);
}

enum err pattern_check(struct span text, void (*each)(void *context, const struct pattern_comparison *c), void *context,
		       struct pattern_fault *fault)
{
	struct parser p = { .rest = text, .exact = true, .each = each, .context = context, .at = text.at };
	enum err e = whole_read(&p);

	*fault = (struct pattern_fault){ 0 };
	if (e == ERR_SYNTAX)
		*fault = (struct pattern_fault){ (size_t)(p.wrong_at - text.at), p.what };
	return e;
}
