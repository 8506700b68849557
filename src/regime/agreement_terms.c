#include "regime/agreement_private.h"

#include <stdlib.h>

#include "regime/core_code.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define EXIT_LEAST_MS (7 * DAY_MS)
#define CONSULT_LEAST_MS DAY_MS
#define CONSULT_MOST_MS (90 * DAY_MS)
#define RESTORE_MOST 12

/* ---- the id ---- */

static bool is_agreed(struct span name)
{
	static const char *const names[] = { "party",	"depositary", "start", "end",	"exit-notice",	"consult",
					     "restore", "codes",      "term",  "asset", "demonstration" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

/* As whole lines: no name is the beginning of another. */
static int compare_lines(const void *a, const void *b)
{
	const struct header *x = *(const struct header *const *)a, *y = *(const struct header *const *)b;
	int order = span_compare(x->name, y->name);

	return order != 0 ? order : span_compare(x->value, y->value);
}

static enum err hash_lines(struct arena *arena, const struct statement *s, struct hash *out)
{
	const struct header **lines = arena_array(arena, s->header_count + 1, sizeof(const struct header *));
	struct buffer text = BUFFER(STATEMENT_MAX);
	size_t count = 0;
	enum err e;

	if (lines == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++)
		if (is_agreed(s->headers[i].name))
			lines[count++] = &s->headers[i];
	qsort(lines, count, sizeof(const struct header *), compare_lines);
	buffer_text(&text, "comity/1 agreement\n");
	for (size_t i = 0; i < count; i++) {
		buffer_span(&text, lines[i]->name);
		buffer_byte(&text, ' ');
		buffer_span(&text, lines[i]->value);
		buffer_byte(&text, '\n');
	}
	*out = hash_span(buffer_view(&text));
	e = text.err;
	buffer_free(&text);
	return e;
}

/* ---- who and when ---- */

static enum err read_parties(const struct statement *s, struct agreement *a)
{
	const struct header *depositary = statement_header(s, "depositary");
	unsigned count = 0;

	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "party") && count < 2)
			a->party[count++] = s->headers[i].value;
	if (count != 2 || !span_is_domain(a->party[0]) || !span_is_domain(a->party[1]) ||
	    span_compare(a->party[0], a->party[1]) >= 0)
		return fail(ERR_STATEMENT_HEADER, "party: two domains, sorted");
	if (depositary == NULL || !span_is_domain(depositary->value))
		return fail(ERR_STATEMENT_HEADER, "depositary: the domain of a node");
	a->depositary = depositary->value;
	return OK;
}

static enum err read_duration(const struct statement *s, const char *name, int64_t least, int64_t most, int64_t *out)
{
	const struct header *h = statement_header(s, name);
	char low[CLOCK_TEXT], high[CLOCK_TEXT];

	if (h == NULL)
		return OK;
	if (clock_parse_duration(h->value, out) == OK && *out >= least && *out <= most)
		return OK;
	clock_format_duration(least, low);
	clock_format_duration(most, high);
	return fail(ERR_STATEMENT_HEADER, "%s: from %s to %s", name, low, high);
}

static enum err read_times(const struct statement *s, struct agreement *a)
{
	uint64_t restore = AGREEMENT_RESTORE;
	enum err e;

	if (statement_header(s, "start") == NULL || statement_header(s, "end") == NULL ||
	    statement_header(s, "exit-notice") == NULL)
		return fail(ERR_STATEMENT_HEADER, "start, end, exit-notice: each stands there once");
	a->rules.consult_ms = AGREEMENT_CONSULT_MS;
	e = value_time(s, "start", &a->start_ms);
	if (e == OK)
		e = value_time(s, "end", &a->end_ms);
	if (e == OK)
		e = read_duration(s, "exit-notice", EXIT_LEAST_MS, PLEDGE_MOST_MS, &a->exit_notice_ms);
	if (e == OK)
		e = read_duration(s, "consult", CONSULT_LEAST_MS, CONSULT_MOST_MS, &a->rules.consult_ms);
	if (e == OK)
		e = value_number(s, "restore", RESTORE_MOST, &restore);
	if (e == OK && restore == 0)
		e = fail(ERR_STATEMENT_HEADER, "restore: from 1 to %d good windows in a row", RESTORE_MOST);
	a->rules.restore = (unsigned)restore;
	if (e == OK && a->end_ms <= a->start_ms)
		e = fail(ERR_AGREEMENT, "end: not behind start");
	if (e == OK && a->end_ms - a->start_ms > PLEDGE_MOST_MS)
		e = fail(ERR_AGREEMENT, "end: more than ten years behind start");
	return e;
}

/* "1,3,7": rising, so that a set has one spelling. */
static enum err read_codes(const struct statement *s, struct agreement *a)
{
	struct span rest = statement_value(s, "codes");
	uint64_t last = 0;

	while (rest.at != NULL) {
		uint64_t code;

		if (span_u64(span_cut(&rest, ','), CORE_CODE_COUNT_MAX, &code) != OK || code <= last ||
		    core_code_find((unsigned)code) == NULL)
			return fail(ERR_STATEMENT_HEADER, "codes: numbers of core codes, rising, with a comma between");
		a->codes |= 1u << (code - 1);
		last = code;
	}
	return OK;
}

/* ---- terms ---- */

static enum err read_term(struct span value, struct agreement *a)
{
	struct term *t = &a->terms[a->term_count].term;
	enum err e;

	if (a->term_count == TERMS_MAX)
		return fail(ERR_TERM, "term: more than %d", TERMS_MAX);
	if ((e = term_parse(value, t)) != OK)
		return e;
	if (!metric_rule(t->metric)->in_agreements)
		return fail(ERR_TERM, "%.*s: %s is nothing that can be counted between two", SPAN_FORMAT(t->name),
			    metric_rule(t->metric)->name);
	if (t->of.len > 0 && !span_equal(t->of, a->party[0]) && !span_equal(t->of, a->party[1]))
		return fail(ERR_TERM, "%.*s: of %.*s, who is no party to it", SPAN_FORMAT(t->name), SPAN_FORMAT(t->of));
	if (t->window_ms > a->end_ms - a->start_ms)
		return fail(ERR_TERM, "%.*s: its first window would end after the agreement", SPAN_FORMAT(t->name));
	a->term_count++;
	return OK;
}

#define WHOLE UINT64_C(10000) /* 100 %, in hundredths of a per cent */

/* What one gives of all that both gave, the other did not give. */
static enum err check_balance(const struct agreement *a)
{
	uint64_t most[2] = { 0, 0 };

	for (size_t i = 0; i < a->term_count; i++)
		for (unsigned side = 0; side < 2; side++)
			if (a->terms[i].term.metric == METRIC_BALANCE && term_binds(a, &a->terms[i], side) &&
			    a->terms[i].term.threshold > most[side])
				most[side] = a->terms[i].term.threshold;
	return most[0] + most[1] <= WHOLE ? OK : fail(ERR_TERM, "balance: together they would give more than all");
}

static enum err check_contradictions(const struct agreement *a)
{
	for (size_t i = 0; i < a->term_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct term *x = &a->terms[i].term, *y = &a->terms[j].term;
			bool together = x->of.len == 0 || y->of.len == 0 || span_equal(x->of, y->of);

			if (span_equal(x->name, y->name))
				return fail(ERR_TERM, "%.*s: two terms have that name", SPAN_FORMAT(x->name));
			if (together && x->metric == y->metric && span_equal(x->asset_set, y->asset_set) &&
			    x->threshold != y->threshold)
				return fail(ERR_TERM, "%.*s and %.*s ask the same of the same party, and not as much",
					    SPAN_FORMAT(y->name), SPAN_FORMAT(x->name));
		}
	return OK;
}

/* ---- assets ---- */

static enum err read_asset(struct span value, const struct agreement *a, struct agreed_asset *out)
{
	struct span rest = value, set = span_cut(&rest, ' '), commitment = span_cut(&rest, ' ');

	out->asset.set = set;
	if (rest.at == NULL || hash_from_hex(commitment, &out->asset.commitment) != OK ||
	    agreement_side(a, rest, &out->side) != OK)
		return fail(ERR_TERM, "asset: its set, its commitment in hex, and whose it is");
	for (size_t i = 0; i < a->term_count; i++)
		if (span_equal(a->terms[i].term.asset_set, set) && term_binds(a, &a->terms[i], 1 - out->side))
			return OK;
	return fail(ERR_TERM, "asset: no term has the other party leave %.*s alone", (int)(set.len < 64 ? set.len : 64),
		    set.at);
}

static int compare_assets(const void *a, const void *b)
{
	const struct agreed_asset *x = a, *y = b;
	int order = hash_compare(x->asset.commitment, y->asset.commitment);

	return order != 0 ? order : span_compare(x->asset.set, y->asset.set);
}

/* Sorted, so that the order of lines is none of the state's. One commitment is in one set: or one thing would be broken twice. */
static enum err read_assets(struct arena *arena, const struct statement *s, struct agreement *a)
{
	enum err e = OK;

	for (size_t i = 0; i < s->header_count; i++)
		a->asset_count += span_is(s->headers[i].name, "asset");
	if (a->asset_count > ASSETS_MAX)
		return fail(ERR_TERM, "asset: more than %d", ASSETS_MAX);
	a->assets = arena_array(arena, a->asset_count + 1, sizeof(*a->assets));
	if (a->assets == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0, n = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "asset"))
			e = read_asset(s->headers[i].value, a, &a->assets[n++]);
	if (e != OK)
		return e;
	qsort(a->assets, a->asset_count, sizeof(*a->assets), compare_assets);
	for (size_t i = 1; i < a->asset_count; i++)
		if (hash_equal(a->assets[i].asset.commitment, a->assets[i - 1].asset.commitment))
			return fail(ERR_TERM, "asset: one commitment twice");
	return OK;
}

static bool has_assets(const struct agreement *a, struct span set, unsigned side)
{
	for (size_t i = 0; i < a->asset_count; i++)
		if (a->assets[i].side == side && span_equal(a->assets[i].asset.set, set))
			return true;
	return false;
}

/* Who is bound to restraint must be told of something to leave alone. */
static enum err check_restraint(const struct agreement *a)
{
	for (size_t i = 0; i < a->term_count; i++) {
		const struct agreement_term *t = &a->terms[i];

		for (unsigned side = 0; t->term.metric == METRIC_RESTRAINT && side < 2; side++)
			if (term_binds(a, t, side) && !has_assets(a, t->term.asset_set, 1 - side))
				return fail(ERR_TERM,
					    "%.*s: no asset of %.*s in %.*s; a term that binds one of them has `of`",
					    SPAN_FORMAT(t->term.name), SPAN_FORMAT(a->party[1 - side]),
					    SPAN_FORMAT(t->term.asset_set));
	}
	return OK;
}

/* ---- all of it ---- */

static int compare_terms(const void *a, const void *b)
{
	const struct agreement_term *x = a, *y = b;

	return span_compare(x->term.name, y->term.name);
}

enum err agreement_side(const struct agreement *a, struct span party, unsigned *side)
{
	*side = span_equal(party, a->party[1]);
	return *side == 1 || span_equal(party, a->party[0]) ? OK
							    : fail(ERR_NOT_YOURS, "only the two that agreed say that");
}

enum err agreement_read(struct arena *arena, const struct statement *s, struct agreement *out)
{
	struct agreement *a = out;
	enum err e;

	*a = (struct agreement){ .phase = AGREEMENT_OFFERED };
	e = read_parties(s, a);
	if (e == OK)
		e = read_times(s, a);
	if (e == OK)
		e = read_codes(s, a);
	if (e == OK)
		e = value_yes(s, "demonstration", &a->demonstration);
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "term"))
			e = read_term(s->headers[i].value, a);
	if (e == OK && a->term_count == 0)
		e = fail(ERR_TERM, "term: an agreement has at least one");
	if (e == OK)
		e = check_contradictions(a);
	if (e == OK)
		e = check_balance(a);
	if (e != OK)
		return e;
	qsort(a->terms, a->term_count, sizeof(a->terms[0]), compare_terms);
	e = read_assets(arena, s, a);
	if (e == OK)
		e = check_restraint(a);
	return e == OK ? hash_lines(arena, s, &a->id) : e;
}

enum err agreement_term_named(const struct agreement *a, const struct statement *s, size_t *out)
{
	const struct header *found = NULL;

	for (size_t i = 0; i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, "term"))
			continue;
		if (found != NULL)
			return fail(ERR_STATEMENT_HEADER, "term: one of them");
		found = &s->headers[i];
	}
	if (found == NULL)
		return fail(ERR_STATEMENT_HEADER, "term: which of the agreement");
	for (*out = 0; *out < a->term_count; ++*out)
		if (span_equal(a->terms[*out].term.name, found->value))
			return OK;
	return fail(ERR_TERM, "term: the agreement has none of that name");
}
