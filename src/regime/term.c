#include "regime/term.h"

#include <assert.h>

#include "regime/plan_terms.h"

#define WHOLE UINT64_C(10000) /* 100 %, in hundredths of a per cent */
#define COUNT_MOST UINT64_C(1000000)
#define LEAST_MOST UINT64_C(1000000)
#define FAST_LEAST_MS (INT64_C(60) * 1000) /* what is to be done by people takes a minute */

__extension__ typedef unsigned __int128 wide;

static const char *const given[GIVES_COUNT] = {
	[GIVES_NOTHING] = "nothing",
	[GIVES_SHARE] = "share",
	[GIVES_HELP] = "help",
};

static const char *const windows[] = {
	[WINDOW_MET] = "met",
	[WINDOW_MISSED] = "missed",
	[WINDOW_TOO_FEW] = "too-few",
};

const char *gives_name(enum gives g)
{
	assert((unsigned)g < GIVES_COUNT);
	return given[g];
}

const char *window_name(enum window w)
{
	assert((unsigned)w <= WINDOW_TOO_FEW);
	return windows[w];
}

/* ---- words ---- */

static int shown(struct span s)
{
	return s.len > 40 ? 40 : (int)s.len;
}

bool term_name_valid(struct span s)
{
	if (s.len == 0 || s.len > TERM_NAME_MAX || s.at[0] < 'a' || s.at[0] > 'z')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		char c = s.at[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
			return false;
	}
	return true;
}

static enum err read_length(const char *what, struct span word, int64_t least, int64_t most, int64_t *out)
{
	char low[CLOCK_TEXT], high[CLOCK_TEXT];

	if (clock_parse_duration(word, out) == OK && *out >= least && *out <= most)
		return OK;
	clock_format_duration(least, low);
	clock_format_duration(most, high);
	return fail(ERR_TERM, "%s: a time like 30d, from %s to %s", what, low, high);
}

/* "90%", "99.5%", "99.95%": no more digits than it needs. */
static enum err read_share(struct span word, uint64_t *out)
{
	struct span rest = word, whole;
	uint64_t percent, part = 0;

	if (!span_ends(word, "%"))
		return fail(ERR_TERM, "%.*s: this metric is a share, like 90%% or 99.5%%", shown(word), word.at);
	rest.len--;
	whole = span_cut(&rest, '.');
	if (span_u64(whole, 100, &percent) != OK)
		return fail(ERR_TERM, "%.*s: a share from 0%% to 100%%", shown(word), word.at);
	if (rest.at != NULL) {
		if (rest.len == 0 || rest.len > 2 || rest.at[rest.len - 1] == '0' ||
		    span_u64_loose(rest, 99, &part) != OK)
			return fail(ERR_TERM, "%.*s: one or two digits behind the point, the last not 0", shown(word),
				    word.at);
		part *= rest.len == 1 ? 10 : 1;
	}
	*out = percent * 100 + part;
	return *out <= WHOLE ? OK : fail(ERR_TERM, "%.*s: more than everything", shown(word), word.at);
}

static enum err read_threshold(const struct metric_rule *rule, struct span word, uint64_t *out)
{
	int64_t ms;
	enum err e;

	switch (rule->unit) {
	case UNIT_SHARE:
		e = read_share(word, out);
		if (e == OK && *out == (rule->at_most ? WHOLE : 0))
			return fail(ERR_TERM, "%s %.*s: everybody meets that", rule->at_most ? "at-most" : "at-least",
				    shown(word), word.at);
		return e;
	case UNIT_TIME:
		e = read_length(rule->name, word, FAST_LEAST_MS, TERM_WINDOW_MOST_MS, &ms);
		if (e == OK)
			*out = (uint64_t)ms;
		return e;
	case UNIT_COUNT:
		return span_u64(word, COUNT_MOST, out) == OK
			       ? OK
			       : fail(ERR_TERM, "%s: this metric is a number, at most %ju", rule->name,
				      (uintmax_t)COUNT_MOST);
	}
	return fail(ERR_TERM, "%s: no unit", rule->name);
}

/* "scan,exercise", each once. */
static enum err read_activities(struct span list, unsigned *out)
{
	*out = 0;
	while (list.at != NULL) {
		struct span one = span_cut(&list, ',');
		int a = 0;

		while (a < ACTIVITY_COUNT && !span_is(one, activity_name((enum activity)a)))
			a++;
		if (a == ACTIVITY_COUNT)
			return fail(ERR_TERM, "restraint: no activity %.*s", shown(one), one.len > 0 ? one.at : "");
		if ((*out & 1u << a) != 0)
			return fail(ERR_TERM, "restraint: %.*s twice", shown(one), one.at);
		*out |= 1u << a;
	}
	return OK;
}

/* ---- clauses: what follows the promise itself, each a word and its value, in any order, each once ---- */

enum clause { CLAUSE_WITHIN, CLAUSE_EACH, CLAUSE_LEAST, CLAUSE_GIVES, CLAUSE_OF, CLAUSE_COUNT };
static const char *const clauses[CLAUSE_COUNT] = { "within", "each", "least", "gives", "of" };

static enum err read_gives(struct span value, enum gives *out)
{
	for (int g = GIVES_NOTHING + 1; g < GIVES_COUNT; g++)
		if (span_is(value, given[g])) {
			*out = (enum gives)g;
			return OK;
		}
	return fail(ERR_TERM, "gives: share or help");
}

static enum err read_clause(enum clause c, struct span value, struct term *t)
{
	uint64_t n;

	switch (c) {
	case CLAUSE_WITHIN:
		return read_length("within", value, FAST_LEAST_MS, TERM_WINDOW_MOST_MS, &t->within_ms);
	case CLAUSE_EACH:
		return read_length("each", value, TERM_WINDOW_LEAST_MS, TERM_WINDOW_MOST_MS, &t->window_ms);
	case CLAUSE_LEAST:
		if (span_u64(value, LEAST_MOST, &n) != OK || n == 0)
			return fail(ERR_TERM, "least: a number from 1 to %ju", (uintmax_t)LEAST_MOST);
		t->least = (uint32_t)n;
		return OK;
	case CLAUSE_GIVES:
		return read_gives(value, &t->gives);
	case CLAUSE_OF:
		if (!span_is_domain(value))
			return fail(ERR_TERM, "of: the domain of the party that it binds");
		t->of = value;
		return OK;
	default:
		return fail(ERR_TERM, "no such clause");
	}
}

static enum err read_clauses(struct span rest, struct term *t, unsigned *seen)
{
	while (rest.at != NULL) {
		struct span word = span_cut(&rest, ' ');
		int c = 0;
		enum err e;

		while (c < CLAUSE_COUNT && !span_is(word, clauses[c]))
			c++;
		if (c == CLAUSE_COUNT)
			return fail(ERR_TERM, "%.*s: within, each, least, gives or of", shown(word),
				    word.len > 0 ? word.at : "");
		if ((*seen & 1u << c) != 0)
			return fail(ERR_TERM, "%s: twice", clauses[c]);
		if (rest.at == NULL)
			return fail(ERR_TERM, "%s: nothing behind it", clauses[c]);
		*seen |= 1u << c;
		e = read_clause((enum clause)c, span_cut(&rest, ' '), t);
		if (e != OK)
			return e;
	}
	return OK;
}

/* What the clauses say together. */
static enum err judge_clauses(const struct metric_rule *rule, const struct term *t, unsigned seen)
{
	bool within = (seen & 1u << CLAUSE_WITHIN) != 0;

	if ((seen & 1u << CLAUSE_EACH) == 0)
		return fail(ERR_TERM, "each: missing, how long a window is");
	if (rule->needs_within && !within)
		return fail(ERR_TERM, "within: missing, how fast; %s needs it", rule->name);
	if (!rule->needs_within && within)
		return fail(ERR_TERM, "within: of no use with %s", rule->name);
	if (t->within_ms > t->window_ms)
		return fail(ERR_TERM, "within: longer than the window");
	if (rule->unit == UNIT_TIME && t->threshold > (uint64_t)t->window_ms)
		return fail(ERR_TERM, "%s: longer than the window", rule->name);
	if (rule->unit == UNIT_COUNT && (seen & 1u << CLAUSE_LEAST) != 0)
		return fail(ERR_TERM, "least: of no use with %s, which is a count", rule->name);
	return OK;
}

/* ---- the term ---- */

static enum err read_restraint(struct span *rest, struct term *t)
{
	enum err e = rest->at == NULL ? fail(ERR_TERM, "restraint: from which activities, in which assets")
				      : read_activities(span_cut(rest, ' '), &t->activities);

	if (e != OK)
		return e;
	if (rest->at == NULL || !span_is(span_cut(rest, ' '), "in") || rest->at == NULL)
		return fail(ERR_TERM, "restraint: `in` and the name of a set of assets");
	t->asset_set = span_cut(rest, ' ');
	return term_name_valid(t->asset_set) ? OK : fail(ERR_TERM, "in: a-z, 0-9 and -, at most %d", TERM_NAME_MAX);
}

static enum err read_promise(const struct metric_rule *rule, struct span *rest, struct term *t)
{
	struct span word = rest->at == NULL ? SPAN("") : span_cut(rest, ' ');

	if (!span_is(word, "at-least") && !span_is(word, "at-most"))
		return fail(ERR_TERM, "%s: at-least or at-most", rule->name);
	t->at_most = span_is(word, "at-most");
	if (t->at_most != rule->at_most)
		return fail(ERR_TERM, "%s: the other way round it is no promise; %s", rule->name,
			    rule->at_most ? "at-most" : "at-least");
	if (rest->at == NULL)
		return fail(ERR_TERM, "%.*s: nothing behind it", shown(word), word.at);
	return read_threshold(rule, span_cut(rest, ' '), &t->threshold);
}

enum err term_parse(struct span value, struct term *out)
{
	struct term t = { .least = 1, .of = SPAN(""), .asset_set = SPAN("") };
	struct span rest = value.at == NULL ? SPAN("") : value;
	const struct metric_rule *rule;
	unsigned seen = 0;
	enum err e;

	t.name = span_cut(&rest, ' ');
	if (!term_name_valid(t.name))
		return fail(ERR_TERM, "its name: a-z, 0-9 and -, a letter first, at most %d", TERM_NAME_MAX);
	if (rest.at == NULL)
		return fail(ERR_TERM, "%.*s: a metric is missing", shown(t.name), t.name.at);
	e = metric_parse(span_cut(&rest, ' '), &t.metric);
	if (e != OK)
		return e;
	rule = metric_rule(t.metric);
	if (t.metric == METRIC_RESTRAINT) {
		t.at_most = true;
		e = read_restraint(&rest, &t);
	} else {
		e = read_promise(rule, &rest, &t);
	}
	if (e == OK)
		e = read_clauses(rest, &t, &seen);
	if (e == OK)
		e = judge_clauses(rule, &t, seen);
	if (e == OK)
		*out = t;
	return e;
}

static void print_length(struct buffer *out, const char *word, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format_duration(ms, text);
	buffer_print(out, " %s %s", word, text);
}

static void print_share(struct buffer *out, uint64_t hundredths)
{
	unsigned part = (unsigned)(hundredths % 100);

	buffer_print(out, " %ju", (uintmax_t)(hundredths / 100));
	if (part % 10 != 0)
		buffer_print(out, ".%02u", part);
	else if (part != 0)
		buffer_print(out, ".%u", part / 10);
	buffer_byte(out, '%');
}

static void print_promise(const struct term *t, struct buffer *out)
{
	const struct metric_rule *rule = metric_rule(t->metric);
	const char *way = t->at_most ? "at-most" : "at-least";

	if (rule->unit == UNIT_TIME) {
		print_length(out, way, (int64_t)t->threshold);
		return;
	}
	buffer_print(out, " %s", way);
	if (rule->unit == UNIT_SHARE)
		print_share(out, t->threshold);
	else
		buffer_print(out, " %ju", (uintmax_t)t->threshold);
}

static void print_restraint(const struct term *t, struct buffer *out)
{
	char before = ' ';

	for (int a = 0; a < ACTIVITY_COUNT; a++)
		if ((t->activities & 1u << a) != 0) {
			buffer_byte(out, (uint8_t)before);
			buffer_text(out, activity_name((enum activity)a));
			before = ',';
		}
	buffer_text(out, " in ");
	buffer_span(out, t->asset_set);
}

void term_print(const struct term *t, struct buffer *out)
{
	buffer_span(out, t->name);
	buffer_print(out, " %s", metric_rule(t->metric)->name);
	if (t->metric == METRIC_RESTRAINT)
		print_restraint(t, out);
	else
		print_promise(t, out);
	if (t->within_ms > 0)
		print_length(out, "within", t->within_ms);
	print_length(out, "each", t->window_ms);
	if (t->least > 1)
		buffer_print(out, " least %u", (unsigned)t->least);
	if (t->gives != GIVES_NOTHING)
		buffer_print(out, " gives %s", gives_name(t->gives));
	if (t->of.len > 0) {
		buffer_text(out, " of ");
		buffer_span(out, t->of);
	}
}

bool terms_contradict(const struct term *a, const struct term *b)
{
	if (span_equal(a->name, b->name))
		return true;
	if (a->metric != b->metric || a->within_ms != b->within_ms || !span_equal(a->asset_set, b->asset_set))
		return false;
	return (a->of.len == 0 || b->of.len == 0 || span_equal(a->of, b->of)) && a->threshold != b->threshold;
}

/* ---- judging ---- */

static bool share_holds(const struct term *t, const struct measure *m)
{
	wide got = (wide)m->share.numerator * WHOLE, asked = (wide)t->threshold * m->share.denominator;

	if (m->has_value)
		return t->at_most ? m->value <= t->threshold : m->value >= t->threshold;
	return t->at_most ? got <= asked : got >= asked;
}

enum window term_judge(const struct term *t, const struct measure *m, uint32_t at_least)
{
	const struct metric_rule *rule = metric_rule(t->metric);
	uint64_t least = t->least;

	if (rule->unit == UNIT_COUNT) {
		if (!m->has_value)
			return WINDOW_TOO_FEW;
		return m->value <= t->threshold ? WINDOW_MET : WINDOW_MISSED;
	}
	if (!rule->whole && at_least > least)
		least = at_least;
	if (m->share.denominator < least)
		return WINDOW_TOO_FEW;
	if (rule->unit == UNIT_SHARE)
		return share_holds(t, m) ? WINDOW_MET : WINDOW_MISSED;
	/* A time without a figure was not reached at all. */
	return m->has_value && m->value <= t->threshold ? WINDOW_MET : WINDOW_MISSED;
}
