#include "test.h"

#include "base/buffer.h"
#include "regime/plan_terms.h"
#include "regime/term.h"

#define DAY (INT64_C(24) * 60 * 60 * 1000)

static struct term parsed(const char *text)
{
	struct term t;

	if (term_parse(span_of(text), &t) != OK)
		fail_msg("%s: %s", text, err_detail());
	return t;
}

static void prints(const char *text, const char *expected)
{
	struct term t = parsed(text);
	struct buffer b = BUFFER(1000);

	term_print(&t, &b);
	assert_int_equal(b.err, OK);
	assert_span(buffer_view(&b), expected);
	buffer_free(&b);
}

static void what_is_read_is_printed(void **state)
{
	static const char *const same[] = {
		"swift acknowledged at-least 90% within 2d each 30d least 5",
		"a acknowledged at-least 100% within 1m each 1d",
		"a acknowledged at-least 0.01% within 366d each 366d",
		"half acknowledge-p50 at-most 6h each 30d",
		"most acknowledge-p90 at-most 30d each 30d",
		"mend fixed at-least 99.95% within 14d each 90d gives share",
		"uplift uplift at-least 5% each 90d",
		"again re-offence at-most 0% each 90d",
		"noise false-notices at-most 2.5% each 30d least 1000000 gives help of a.example",
		"h help-answered at-least 80% within 4h each 90d",
		"l contact-live at-least 80% within 1h each 90d",
		"p plan-explained at-least 50% each 90d",
		"p plan-overdue at-most 10% each 90d",
		"p plan-breach at-most 0 each 90d",
		"p plan-breach at-most 1000000 each 90d",
		"r report-answered at-least 90% within 7d each 90d",
		"r remedy-time at-most 90d each 366d",
		"u update-lag at-most 24h each 90d",
		"u artefact-equal at-least 100% each 90d",
		"b balance at-least 30% each 90d gives share",
		"hold restraint scan in power each 90d",
		"hold restraint scan,exercise,takedown,maintenance,research,measurement,red-team,sinkhole,recovery in "
		"a234567890123456789012345678901 each 90d gives help of b.example",
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(same); i++)
		if (strstr(same[i], "24h") == NULL)
			prints(same[i], same[i]);
	prints("u update-lag at-most 24h each 90d", "u update-lag at-most 1d each 90d");
	prints("x fixed at-least 9% of b.example gives help least 3 each 720h within 2880m",
	       "x fixed at-least 9% within 2d each 30d least 3 gives help of b.example");
	prints("x restraint recovery,scan in power of b.example each 1d",
	       "x restraint scan,recovery in power each 1d of b.example");
	prints("x plan-explained at-least 1% least 1 each 1d", "x plan-explained at-least 1% each 1d");
}

static void every_part_arrives(void **state)
{
	struct term t = parsed("swift acknowledged at-least 99.5% within 2d each 30d least 5 gives share of b.example");

	(void)state;
	assert_span(t.name, "swift");
	assert_int_equal(t.metric, METRIC_ACKNOWLEDGED);
	assert_false(t.at_most);
	assert_int_equal(t.threshold, 9950);
	assert_int_equal(t.within_ms, 2 * DAY);
	assert_int_equal(t.window_ms, 30 * DAY);
	assert_int_equal(t.least, 5);
	assert_int_equal(t.gives, GIVES_SHARE);
	assert_span(t.of, "b.example");
	assert_int_equal(t.activities, 0);
	assert_int_equal(t.asset_set.len, 0);

	t = parsed("hold restraint exercise,red-team in power each 90d");
	assert_int_equal(t.metric, METRIC_RESTRAINT);
	assert_true(t.at_most);
	assert_int_equal(t.threshold, 0);
	assert_int_equal(t.activities, 1u << ACTIVITY_EXERCISE | 1u << ACTIVITY_RED_TEAM);
	assert_span(t.asset_set, "power");
	assert_int_equal(t.within_ms, 0);
	assert_int_equal(t.least, 1);
	assert_int_equal(t.gives, GIVES_NOTHING);
	assert_int_equal(t.of.len, 0);

	assert_int_equal(parsed("x update-lag at-most 90m each 1d").threshold, INT64_C(90) * 60 * 1000);
	assert_int_equal(parsed("x plan-breach at-most 7 each 1d").threshold, 7);
}

/* Each with a piece of the sentence that says what is wrong. */
static void what_no_program_could_judge_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} refused[] = {
		{ "", "its name" },
		{ " ", "its name" },
		{ "swift", "a metric is missing" },
		{ "Swift fixed at-least 9% within 1d each 1d", "its name" },
		{ "1a fixed at-least 9% within 1d each 1d", "its name" },
		{ "-a fixed at-least 9% within 1d each 1d", "its name" },
		{ "a_b fixed at-least 9% within 1d each 1d", "its name" },
		{ "a2345678901234567890123456789012 fixed at-least 9% within 1d each 1d", "its name" },
		/* metrics that are none */
		{ "a goodwill at-least 90% each 30d", "goodwill: no metric" },
		{ "a  at-least 90% each 30d", "no metric" },
		{ "a Fixed at-least 90% within 1d each 30d", "no metric" },
		{ "a acknowledge at-least 90% within 1d each 30d", "no metric" },
		/* direction */
		{ "a fixed", "at-least or at-most" },
		{ "a fixed exactly 90% within 1d each 30d", "at-least or at-most" },
		{ "a fixed at-most 90% within 1d each 30d", "no promise; at-least" },
		{ "a re-offence at-least 90% each 30d", "no promise; at-most" },
		{ "a update-lag at-least 1d each 30d", "no promise; at-most" },
		{ "a plan-breach at-least 1 each 30d", "no promise; at-most" },
		/* thresholds */
		{ "a fixed at-least", "nothing behind it" },
		{ "a fixed at-least 0% within 1d each 30d", "everybody meets" },
		{ "a re-offence at-most 100% each 30d", "everybody meets" },
		{ "a fixed at-least 101% within 1d each 30d", "0% to 100%" },
		{ "a fixed at-least 100.01% within 1d each 30d", "more than everything" },
		{ "a fixed at-least -1% within 1d each 30d", "0% to 100%" },
		{ "a fixed at-least 090% within 1d each 30d", "0% to 100%" },
		{ "a fixed at-least 90.0% within 1d each 30d", "the last not 0" },
		{ "a fixed at-least 90.% within 1d each 30d", "behind the point" },
		{ "a fixed at-least 90.125% within 1d each 30d", "behind the point" },
		{ "a fixed at-least 90.-1% within 1d each 30d", "behind the point" },
		{ "a fixed at-least % within 1d each 30d", "0% to 100%" },
		{ "a fixed at-least 18446744073709551617% within 1d each 30d", "0% to 100%" },
		/* units */
		{ "a fixed at-least 90 within 1d each 30d", "is a share" },
		{ "a fixed at-least 2d within 1d each 30d", "is a share" },
		{ "a update-lag at-most 90% each 30d", "a time like" },
		{ "a update-lag at-most 3 each 30d", "a time like" },
		{ "a plan-breach at-most 3% each 30d", "is a number" },
		{ "a plan-breach at-most 3d each 30d", "is a number" },
		{ "a plan-breach at-most 1000001 each 30d", "is a number" },
		{ "a plan-breach at-most -1 each 30d", "is a number" },
		{ "a update-lag at-most 0 each 30d", "from 1m" },
		{ "a update-lag at-most 1s each 30d", "from 1m" },
		{ "a update-lag at-most 367d each 30d", "366d" },
		{ "a update-lag at-most 31d each 30d", "longer than the window" },
		/* windows */
		{ "a balance at-least 30%", "each: missing" },
		{ "a balance at-least 30% each", "each: nothing behind it" },
		{ "a balance at-least 30% each 1s", "from 1d" },
		{ "a balance at-least 30% each 23h", "from 1d" },
		{ "a balance at-least 30% each 0", "from 1d" },
		{ "a balance at-least 30% each 367d", "to 366d" },
		{ "a balance at-least 30% each 36500d", "to 366d" },
		{ "a balance at-least 30% each 100y", "each: a time" },
		{ "a balance at-least 30% each -30d", "each: a time" },
		/* within */
		{ "a fixed at-least 90% each 30d", "within: missing" },
		{ "a balance at-least 90% within 1d each 30d", "within: of no use" },
		{ "a update-lag at-most 1d within 1d each 30d", "within: of no use" },
		{ "a fixed at-least 90% within 31d each 30d", "within: longer" },
		{ "a fixed at-least 90% within 0 each 30d", "within: a time" },
		{ "a fixed at-least 90% within 59s each 30d", "within: a time" },
		/* the rest */
		{ "a balance at-least 90% each 30d least 0", "least: a number" },
		{ "a balance at-least 90% each 30d least 1000001", "least: a number" },
		{ "a balance at-least 90% each 30d least many", "least: a number" },
		{ "a plan-breach at-most 1 each 30d least 2", "least: of no use" },
		{ "a balance at-least 90% each 30d gives nothing", "share or help" },
		{ "a balance at-least 90% each 30d gives notices", "share or help" },
		{ "a balance at-least 90% each 30d of nobody", "of: the domain" },
		{ "a balance at-least 90% each 30d of B.example", "of: the domain" },
		{ "a balance at-least 90% each 30d each 30d", "each: twice" },
		{ "a balance at-least 90% each 30d for ever", "for: within" },
		{ "a balance at-least 90% each 30d ", "within, each" },
		{ "a balance at-least 90%  each 30d", "within, each" },
		{ "a balance at-least 90% each  30d", "each: a time" },
		/* restraint */
		{ "a restraint", "from which activities" },
		{ "a restraint at-most 0 each 30d", "no activity at-most" },
		{ "a restraint attack in power each 30d", "no activity attack" },
		{ "a restraint scan,attack in power each 30d", "no activity attack" },
		{ "a restraint scan, in power each 30d", "no activity " },
		{ "a restraint ,scan in power each 30d", "no activity " },
		{ "a restraint scan,scan in power each 30d", "scan twice" },
		{ "a restraint scan", "name of a set" },
		{ "a restraint scan power each 30d", "name of a set" },
		{ "a restraint scan in", "name of a set" },
		{ "a restraint scan in Power each 30d", "in: a-z" },
		{ "a restraint scan in  each 30d", "in: a-z" },
		{ "a restraint scan in power", "each: missing" },
		{ "a restraint scan in power each 30d within 1d", "within: of no use" },
		{ "a restraint scan in power each 30d least 2", "least: of no use" },
		{ "a fixed at-least 9% within 1d in power each 30d", "in: within" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(refused); i++) {
		struct term t = { .least = 77 };

		if (term_parse(span_of(refused[i].text), &t) != ERR_TERM)
			fail_msg("\"%s\" was let pass", refused[i].text);
		if (strstr(err_detail(), refused[i].says) == NULL)
			fail_msg("\"%s\": \"%s\" says nothing of \"%s\"", refused[i].text, err_detail(),
				 refused[i].says);
		assert_int_equal(t.least, 77);
	}
	assert_int_equal(term_parse((struct span){ NULL, 0 }, &(struct term){ 0 }), ERR_TERM);
	assert_int_equal(term_parse(span_make("a\0b fixed", 9), &(struct term){ 0 }), ERR_TERM);
}

static void every_metric_has_its_rule(void **state)
{
	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_rule *r = metric_rule((enum metric)i);
		enum metric m;

		assert_int_equal(r->metric, i);
		assert_int_equal(metric_parse(span_of(r->name), &m), OK);
		assert_int_equal(m, i);
		assert_true(r->counts[0] >= 'A' && r->counts[0] <= 'Z' && span_ends(span_of(r->counts), "."));
		assert_true(r->unit == UNIT_SHARE || r->at_most); /* times and counts are promised to be small */
		assert_false(r->later && r->in_agreements);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(r->name, metric_rule((enum metric)j)->name);
	}
}

static void names_are_told(void **state)
{
	(void)state;
	assert_string_equal(gives_name(GIVES_NOTHING), "nothing");
	assert_string_equal(gives_name(GIVES_SHARE), "share");
	assert_string_equal(gives_name(GIVES_HELP), "help");
	assert_string_equal(window_name(WINDOW_MET), "met");
	assert_string_equal(window_name(WINDOW_MISSED), "missed");
	assert_string_equal(window_name(WINDOW_TOO_FEW), "too-few");
}

static enum window judged(const char *text, uint64_t numerator, uint64_t denominator, int64_t value, uint32_t at_least)
{
	struct term t = parsed(text);
	struct measure m = { .share = { .numerator = numerator, .denominator = denominator } };

	m.has_value = value >= 0;
	m.value = value >= 0 ? (uint64_t)value : 0;
	return term_judge(&t, &m, at_least);
}

static void windows_are_judged(void **state)
{
	static const char most[] = "a acknowledged at-least 90% within 2d each 30d",
			  many[] = "a acknowledged at-least 90% within 2d each 30d least 30",
			  few[] = "a re-offence at-most 2.5% each 30d",
			  time[] = "a acknowledge-p50 at-most 2h each 30d", lag[] = "a update-lag at-most 1d each 30d",
			  equal[] = "a artefact-equal at-least 100% each 30d",
			  count[] = "a plan-breach at-most 2 each 30d", rise[] = "a uplift at-least 5% each 30d",
			  hold[] = "a restraint scan in power each 30d", late[] = "a remedy-time at-most 9d each 30d";
	static const struct {
		const char *text;
		uint64_t numerator, denominator;
		int64_t value; /* -1: none */
		uint32_t at_least;
		enum window expected;
	} cases[] = {
		{ most, 18, 20, -1, 20, WINDOW_MET }, /* the edge itself */
		{ most, 17, 20, -1, 20, WINDOW_MISSED },
		{ most, 19, 19, -1, 20, WINDOW_TOO_FEW },
		{ most, 0, 19, -1, 20, WINDOW_TOO_FEW },
		{ most, 1, 1, -1, 1, WINDOW_MET },
		{ most, 0, 1, -1, 1, WINDOW_MISSED },
		{ most, 0, 0, -1, 1, WINDOW_TOO_FEW },
		{ most, 0, 0, -1, 0, WINDOW_TOO_FEW },
		{ many, 29, 29, -1, 20, WINDOW_TOO_FEW },
		{ many, 27, 30, -1, 20, WINDOW_MET },
		{ many, 30, 30, -1, 40, WINDOW_TOO_FEW },
		{ few, 1, 40, -1, 20, WINDOW_MET },
		{ few, 2, 79, -1, 20, WINDOW_MISSED },
		{ most, UINT64_MAX - UINT64_MAX / 100, UINT64_MAX, -1, 20, WINDOW_MET },
		{ most, UINT64_MAX / 2, UINT64_MAX, -1, 20, WINDOW_MISSED },
		{ few, UINT64_MAX / 2, UINT64_MAX, -1, 20, WINDOW_MISSED },
		{ time, 20, 20, 7200000, 20, WINDOW_MET },
		{ time, 20, 20, 7200001, 20, WINDOW_MISSED },
		{ time, 0, 20, -1, 20, WINDOW_MISSED }, /* never reached */
		{ time, 19, 19, 5, 20, WINDOW_TOO_FEW },
		{ late, 0, 0, -1, 1, WINDOW_TOO_FEW },	 /* nothing measures it */
		{ lag, 1, 1, 86400000, 20, WINDOW_MET }, /* every release is looked at */
		{ lag, 1, 1, 86400001, 20, WINDOW_MISSED },
		{ lag, 0, 0, -1, 20, WINDOW_TOO_FEW },
		{ equal, 1, 1, -1, 20, WINDOW_MET },
		{ equal, 99, 100, -1, 20, WINDOW_MISSED },
		{ equal, 0, 0, -1, 20, WINDOW_TOO_FEW },
		{ count, 0, 0, 2, 20, WINDOW_MET },
		{ count, 0, 0, 3, 20, WINDOW_MISSED },
		{ count, 0, 0, -1, 20, WINDOW_TOO_FEW },
		{ hold, 0, 0, 0, 20, WINDOW_MET },
		{ hold, 0, 0, 1, 20, WINDOW_MISSED },
		{ rise, 15, 20, 500, 20, WINDOW_MET },
		{ rise, 20, 20, 499, 20, WINDOW_MISSED },
		{ rise, 19, 19, 900, 20, WINDOW_TOO_FEW },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		enum window w = judged(cases[i].text, cases[i].numerator, cases[i].denominator, cases[i].value,
				       cases[i].at_least);

		if (w != cases[i].expected)
			fail_msg("case %zu, %s: %s", i, cases[i].text, window_name(w));
	}
}

static void windows_follow_on_one_another(void **state)
{
	struct term t = parsed("a balance at-least 90% each 366d");

	(void)state;
	assert_int_equal(term_window_end(&t, 5, 0), 5 + 366 * DAY);
	assert_int_equal(term_window_end(&t, 5, 9), 5 + INT64_C(3660) * DAY);
}

static void some_cannot_stand_together(void **state)
{
	static const struct {
		const char *a, *b;
		bool contradict;
	} cases[] = {
		{ "a balance at-least 30% each 30d", "a uplift at-least 3% each 30d", true }, /* one name */
		{ "a balance at-least 30% each 30d", "b balance at-least 40% each 30d", true },
		{ "a balance at-least 30% each 30d", "b balance at-least 40% each 90d", true },
		{ "a balance at-least 30% each 30d", "b balance at-least 30% each 90d", false },
		{ "a fixed at-least 30% within 1d each 30d", "b fixed at-least 90% within 14d each 30d", false },
		{ "a balance at-least 30% each 30d of a.example", "b balance at-least 40% each 30d of b.example",
		  false },
		{ "a balance at-least 30% each 30d of a.example", "b balance at-least 40% each 30d", true },
		{ "a balance at-least 30% each 30d of a.example", "b balance at-least 40% each 30d of a.example",
		  true },
		{ "a restraint scan in x each 30d", "b restraint exercise in x each 30d", false },
		{ "a restraint scan in x each 30d", "b restraint scan in y each 30d", false },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct term a = parsed(cases[i].a), b = parsed(cases[i].b);

		if (terms_contradict(&a, &b) != cases[i].contradict || terms_contradict(&b, &a) != cases[i].contradict)
			fail_msg("%s / %s", cases[i].a, cases[i].b);
	}
}

/* Random terms of all that the grammar has: printed and read they are the same. */
static void any_term_goes_there_and_back(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int i = 0; i < 5000; i++) {
		const struct metric_rule *r = metric_rule((enum metric)test_below(&seed, METRIC_COUNT));
		struct term t = { .name = SPAN("n-1"),
				  .metric = r->metric,
				  .at_most = r->at_most,
				  .least = 1,
				  .of = test_below(&seed, 2) ? SPAN("b.example") : SPAN(""),
				  .gives = (enum gives)test_below(&seed, GIVES_COUNT) },
			    again;
		struct buffer b = BUFFER(1000);

		t.window_ms = DAY + (int64_t)test_below(&seed, 365 * 86400) * 1000;
		if (r->needs_within)
			t.within_ms = 60000 + (int64_t)test_below(&seed, 86000) * 1000;
		if (r->unit != UNIT_COUNT)
			t.least = 1 + (uint32_t)test_below(&seed, 1000000);
		t.threshold =
			r->unit == UNIT_TIME ? (60 + test_below(&seed, 86000)) * 1000 : 1 + test_below(&seed, 9999);
		if (r->metric == METRIC_RESTRAINT) {
			t.threshold = 0;
			t.activities = 1 + (unsigned)test_below(&seed, (1u << ACTIVITY_COUNT) - 1);
			t.asset_set = SPAN("power");
		}
		term_print(&t, &b);
		if (term_parse(buffer_view(&b), &again) != OK)
			fail_msg("%.*s: %s", SPAN_FORMAT(buffer_view(&b)), err_detail());
		assert_true(again.metric == t.metric && again.at_most == t.at_most && again.threshold == t.threshold &&
			    again.window_ms == t.window_ms && again.within_ms == t.within_ms &&
			    again.least == t.least && again.gives == t.gives && span_equal(again.of, t.of) &&
			    again.activities == t.activities && span_equal(again.asset_set, t.asset_set));
		buffer_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_printed),
		cmocka_unit_test(every_part_arrives),
		cmocka_unit_test(what_no_program_could_judge_is_refused),
		cmocka_unit_test(every_metric_has_its_rule),
		cmocka_unit_test(names_are_told),
		cmocka_unit_test(windows_are_judged),
		cmocka_unit_test(windows_follow_on_one_another),
		cmocka_unit_test(some_cannot_stand_together),
		cmocka_unit_test(any_term_goes_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
