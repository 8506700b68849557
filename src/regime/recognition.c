#include "regime/recognition.h"

#include <stdlib.h>

#include "base/file.h"

struct rule {
	struct span issuer, scheme, level, as; /* empty: any */
	bool refuse;
	unsigned line;
};

struct recognition {
	struct arena *arena;
	struct rule *rules; /* by issuer, then by line */
	size_t count;
};

static const char *const names[] = {
	[RECOGNISED_UNKNOWN] = "not recognised",
	[RECOGNISED] = "recognised",
	[RECOGNISED_REFUSED] = "refused",
};

const char *recognised_name(enum recognised v)
{
	return names[v];
}

/* The next word; empty behind the last. */
static struct span next_word(struct span *rest)
{
	struct span word;

	do
		word = span_cut(rest, ' ');
	while (word.len == 0 && rest->at != NULL);
	return word;
}

/* Which of the three it names; NULL: none. */
static struct span *part_of(struct rule *r, struct span name)
{
	if (span_is(name, "scheme"))
		return &r->scheme;
	if (span_is(name, "level"))
		return &r->level;
	return span_is(name, "as") ? &r->as : NULL;
}

/* What is wrong with the line; NULL: nothing. */
static const char *read_rule(struct span line, struct rule *out)
{
	struct span verb = next_word(&line), name, value;

	out->refuse = span_is(verb, "refuse");
	if (!out->refuse && !span_is(verb, "recognise"))
		return "begins neither with recognise nor with refuse";
	out->issuer = line.at != NULL ? next_word(&line) : SPAN("");
	if (!span_is_domain(out->issuer))
		return "names no issuer by its domain";
	while (line.at != NULL && (name = next_word(&line)).len > 0) {
		struct span *part = part_of(out, name);

		if (part == NULL)
			return "behind the issuer stand only scheme, level and as";
		if (part->len > 0)
			return "says one thing twice";
		value = line.at != NULL ? next_word(&line) : SPAN("");
		if (value.len == 0)
			return "ends before it says which";
		*part = value;
	}
	if (out->as.len > 0 && out->refuse)
		return "what is refused counts as nothing";
	return out->as.len > 0 && out->level.len == 0 ? "`as` wants the level that it stands for" : NULL;
}

/* Tabs are blanks, and a comment is none of the line. */
static struct span plain(struct span line)
{
	char *at = (char *)(uintptr_t)line.at; /* in the arena */
	struct span rest = line, text = span_cut(&rest, '#');

	for (size_t i = 0; i < text.len; i++)
		if (at[i] == '\t')
			at[i] = ' ';
	return span_trim(text);
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int c = span_compare(x->issuer, y->issuer);

	return c != 0 ? c : x->line < y->line ? -1 : x->line > y->line;
}

static enum err add_rule(struct recognition *r, const struct rule *one)
{
	struct rule *rules;

	if ((r->count & (r->count - 1)) == 0) {
		size_t room = r->count == 0 ? 1 : 2 * r->count;

		if ((rules = realloc(r->rules, room * sizeof(*rules))) == NULL)
			return fail(ERR_NO_MEMORY, "no room for %zu lines", room);
		r->rules = rules;
	}
	r->rules[r->count++] = *one;
	return OK;
}

static enum err read_lines(struct recognition *r, struct span text, const char *path)
{
	struct span line;
	unsigned number = 0;
	enum err e = OK;

	while (e == OK && span_line(&text, &line)) {
		struct rule one = { .line = ++number };
		const char *wrong;

		if (number > RECOGNITION_LINES_MAX)
			return fail(ERR_USAGE, "%s: over %u lines", path, RECOGNITION_LINES_MAX);
		if ((line = plain(line)).len == 0)
			continue;
		if ((wrong = read_rule(line, &one)) != NULL)
			return fail(ERR_USAGE, "%s line %u: %s", path, number, wrong);
		e = add_rule(r, &one);
	}
	if (e == OK && r->count > 1)
		qsort(r->rules, r->count, sizeof(*r->rules), compare_rules);
	return e;
}

enum err recognition_parse(struct span text, const char *path, struct recognition **out)
{
	struct recognition *r = calloc(1, sizeof(*r));
	const char *copy;
	enum err e = ERR_NO_MEMORY;

	if (r != NULL && (r->arena = arena_new(RECOGNITION_FILE_MAX + 1)) != NULL) {
		if (text.len > RECOGNITION_FILE_MAX)
			e = fail(ERR_USAGE, "%s: over %zu bytes", path, RECOGNITION_FILE_MAX);
		else if (!span_is_utf8(text) || (text.len > 0 && memchr(text.at, '\0', text.len) != NULL))
			e = fail(ERR_USAGE, "%s: not UTF-8", path);
		else if ((copy = arena_copy(r->arena, text.at, text.len)) != NULL)
			e = read_lines(r, span_make(copy, text.len), path);
	}
	if (e != OK)
		recognition_end(r);
	else
		*out = r;
	return e;
}

enum err recognition_read(const char *path, struct recognition **out)
{
	struct arena *a = arena_new(RECOGNITION_FILE_MAX + 1);
	struct span text = { "", 0 };
	enum err e = a == NULL ? ERR_NO_MEMORY : file_read(a, path, RECOGNITION_FILE_MAX, &text);

	if (e == ERR_TOO_LONG)
		e = fail(ERR_USAGE, "%s: over %zu bytes", path, RECOGNITION_FILE_MAX);
	if (e == OK || e == ERR_NOT_FOUND)
		e = recognition_parse(text, path, out);
	arena_free(a);
	return e;
}

void recognition_end(struct recognition *r)
{
	if (r == NULL)
		return;
	arena_free(r->arena);
	free(r->rules);
	free(r);
}

/* The first rule of this issuer, or where it would stand. */
static size_t first_of(const struct recognition *r, struct span issuer)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_compare(r->rules[middle].issuer, issuer) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct recognised_as recognition_of(const struct recognition *r, const struct certificate *c)
{
	for (size_t i = first_of(r, c->from); i < r->count && span_equal(r->rules[i].issuer, c->from); i++) {
		const struct rule *one = &r->rules[i];

		if ((one->scheme.len > 0 && !span_equal(one->scheme, c->scheme)) ||
		    (one->level.len > 0 && !span_equal(one->level, c->level)))
			continue;
		if (one->refuse)
			return (struct recognised_as){ RECOGNISED_REFUSED, one->line, SPAN("") };
		return (struct recognised_as){ RECOGNISED, one->line, one->as.len > 0 ? one->as : c->level };
	}
	return (struct recognised_as){ RECOGNISED_UNKNOWN, 0, SPAN("") };
}
