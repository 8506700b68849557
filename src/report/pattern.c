#include "report/pattern.h"

#include "base/clock.h"

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
	struct span text; /* of the token; of a string what is between the quotes */
	struct pattern *out;
	unsigned depth;
	enum err err;
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

static size_t number_length(struct span s)
{
	size_t i = s.at[0] == '-' || s.at[0] == '+', digits = i;

	while (i < s.len && is_digit(s.at[i]))
		i++;
	digits = i - digits;
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

static void next(struct parser *p)
{
	struct span s = p->rest;
	size_t n, cut = 0;

	while (s.len > 0 && s.at[0] != '\0' && strchr(" \t\r\n\v\f", s.at[0]) != NULL)
		s = span_from(s, 1);
	p->rest = s;
	p->token = END;
	p->text = SPAN("");
	if (s.len == 0)
		return;
	if (s.at[0] == '\'') {
		p->token = STRING;
		n = string_length(s);
		cut = 1;
	} else if (is_letter(s.at[0])) {
		p->token = NAME;
		n = name_length(s);
	} else if (is_digit(s.at[0]) || s.at[0] == '-' || s.at[0] == '+') {
		p->token = NUMBER;
		n = number_length(s);
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

static void wrong(struct parser *p)
{
	if (p->err == OK)
		p->err = ERR_SYNTAX;
	p->token = WRONG;
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
	struct span type, steps[3];
	size_t count; /* of steps, also of those beyond */
};

static bool steps_are(const struct path *p, const char *type, const char *a, const char *b)
{
	return span_is(p->type, type) && p->count == (b != NULL ? 2 : 1) && span_is(p->steps[0], a) &&
	       (b == NULL || span_is(p->steps[1], b));
}

static void keep(struct parser *p, const struct path *path, bool string, struct span value)
{
	struct pattern_group *g = &p->out->groups[p->out->group_count - 1];

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

static void path_read(struct parser *p, struct path *out)
{
	*out = (struct path){ .type = p->text };
	if (p->token != NAME)
		wrong(p);
	next(p);
	expect(p, ":");
	for (;;) {
		if (p->token != NAME && (p->token != STRING || out->count == 0))
			wrong(p);
		if (p->err != OK)
			return;
		if (out->count < 3)
			out->steps[out->count] = p->text;
		out->count++;
		next(p);
		while (accept(p, "[")) {
			if (!is(p, "*") && p->token != NUMBER)
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

static bool is_time(struct span s)
{
	int64_t ms;

	return s.len > 0 && s.at[s.len - 1] == 'Z' && clock_parse_rfc3339(s, &ms) == OK;
}

/* Text between quotes behind the letter that says what it is. */
static void marked_read(struct parser *p, char mark)
{
	next(p);
	if (p->token != STRING || !(mark == 'h'	  ? is_hex(p->text)
				    : mark == 'b' ? is_base64(p->text)
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
	} while (accept(p, ","));
	expect(p, ")");
	if (p->err == OK)
		p->out->groups[p->out->group_count - 1].any = true;
}

static void comparison_read(struct parser *p)
{
	static const char *const ordering[] = { "<", ">", "<=", ">=" };
	bool negated, string, equal, text_only;
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
	if (!equal && !text_only && !is(p, "!=") && !is(p, "<>") && !is(p, ordering[0]) && !is(p, ordering[1]) &&
	    !is(p, ordering[2]) && !is(p, ordering[3]))
		wrong(p);
	next(p);
	if (p->err != OK || !literal_read(p, &string, &value) || (text_only && !string))
		wrong(p);
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
		if (p->err == OK && is(p, "OR"))
			p->out->groups[p->out->group_count - 1].any = true;
	} while (accept(p, "AND") || accept(p, "OR"));
	p->depth--;
}

static void group_read(struct parser *p)
{
	struct pattern *o = p->out;
	void *at = more(p, o->groups, o->group_count, &o->group_room, sizeof(*o->groups));

	if (at == NULL)
		return;
	o->groups = at;
	o->groups[o->group_count++] = (struct pattern_group){ 0 };
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

static void count_read(struct parser *p, const char *unit)
{
	if (p->token != NUMBER || p->text.at[0] == '-')
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
			count_read(p, "SECONDS");
		} else if (accept(p, "REPEATS")) {
			which = 2;
			count_read(p, "TIMES");
		} else if (accept(p, "START")) {
			which = 4;
			time_read(p);
			expect(p, "STOP");
			time_read(p);
		} else {
			return;
		}
		if (once && (seen & which) != 0)
			wrong(p);
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

enum err pattern_read(struct arena *a, struct span text, struct pattern *out)
{
	struct parser p = { .arena = a, .rest = text, .out = out };

	*out = (struct pattern){ 0 };
	next(&p);
	observations_read(&p);
	if (p.err == OK && p.token != END)
		p.err = ERR_SYNTAX;
	return p.err;
}
