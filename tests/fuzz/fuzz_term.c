/* What parses as a term prints as one that parses to the same, and prints as itself. Whatever is measured, one verdict comes. */
#include <stdlib.h>

#include "base/buffer.h"
#include "regime/term.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool same(const struct term *a, const struct term *b)
{
	return span_equal(a->name, b->name) && a->metric == b->metric && a->at_most == b->at_most &&
	       a->threshold == b->threshold && a->window_ms == b->window_ms && a->within_ms == b->within_ms &&
	       a->least == b->least && a->gives == b->gives && span_equal(a->of, b->of) &&
	       a->activities == b->activities && span_equal(a->asset_set, b->asset_set);
}

/* Worse figures never turn a missed window into a met one. */
static void check_judgement(const struct term *t)
{
	uint64_t best = t->at_most ? 0 : 1000000;
	struct measure m = { .share = { .numerator = t->at_most ? 0 : 1000, .denominator = 1000 } };

	if (metric_rule(t->metric)->unit != UNIT_SHARE) {
		m.has_value = true;
		m.value = best;
	}
	check(t->least > 1000 || term_judge(t, &m, 20) == WINDOW_MET);
	for (int i = 0; i < 3; i++) {
		m.share.numerator = t->at_most ? 1000 : 0;
		m.value = t->at_most ? UINT64_MAX - (uint64_t)i : 0;
		check(term_judge(t, &m, 20) != WINDOW_MET);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct buffer first = BUFFER((size_t)1 << 20), second = BUFFER((size_t)1 << 20);
	struct term t, again;

	if (term_parse(text, &t) != OK)
		return 0;
	check(t.window_ms >= TERM_WINDOW_LEAST_MS && t.window_ms <= TERM_WINDOW_MOST_MS && t.least >= 1);
	check(t.within_ms <= t.window_ms && (t.within_ms > 0) == metric_rule(t.metric)->needs_within);
	check(t.name.len >= 1 && t.name.len <= TERM_NAME_MAX && t.at_most == metric_rule(t.metric)->at_most);
	check((t.metric == METRIC_RESTRAINT) == (t.activities != 0));
	term_print(&t, &first);
	check(first.err == OK && term_parse(buffer_view(&first), &again) == OK && same(&t, &again));
	term_print(&again, &second);
	check(span_equal(buffer_view(&first), buffer_view(&second)));
	check_judgement(&t);
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
