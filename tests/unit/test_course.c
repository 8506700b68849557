#include "test.h"

#include "regime/course.h"

#define DAY INT64_C(86400000)

/* A walk of windows of 30 days, with resolutions and times between them. */
enum step_kind { STEP_WINDOW, STEP_RESOLVE, STEP_TIME };
struct step {
	enum step_kind kind;
	int64_t at_ms;
	enum window window;
	unsigned side;
};
#define STEPS 120

static void take(struct course *c, const struct course_rules *r, const struct step *s)
{
	if (s->kind == STEP_WINDOW)
		course_window(c, r, s->window, s->at_ms);
	else if (s->kind == STEP_RESOLVE)
		course_resolve(c, s->side, s->at_ms);
	else
		course_time(c, s->at_ms);
}

static struct course_rules draw_rules(uint64_t *seed)
{
	return (struct course_rules){ .consult_ms = (int64_t)(1 + test_below(seed, 90)) * DAY,
				      .restore = 1 + (unsigned)test_below(seed, 12) };
}

/* bad, few: of a hundred windows. */
static enum window draw_window(uint64_t *seed, unsigned bad, unsigned few)
{
	size_t n = test_below(seed, 100);

	return n < bad ? WINDOW_MISSED : n < bad + few ? WINDOW_TOO_FEW : WINDOW_MET;
}

static void draw(uint64_t *seed, struct step *out, size_t n)
{
	unsigned bad = (unsigned)test_below(seed, 101), few = (unsigned)test_below(seed, 101 - bad);
	int64_t at = 0, window = 0;

	for (size_t i = 0; i < n; i++) {
		struct step s = { .kind = (enum step_kind)test_below(seed, 3) };

		if (s.kind == STEP_WINDOW) {
			window += 30 * DAY;
			at = window;
			s.window = draw_window(seed, bad, few);
		} else { /* somewhere between two windows, perhaps at the same instant as what was before */
			at += (int64_t)test_below(seed, (size_t)(window + 30 * DAY - at) + 1);
			s.side = (unsigned)test_below(seed, 2);
		}
		s.at_ms = at;
		out[i] = s;
	}
}

static bool same(const struct course *a, const struct course *b)
{
	return a->state == b->state && a->since_ms == b->since_ms && a->consult_until_ms == b->consult_until_ms &&
	       a->good == b->good && a->resolved == b->resolved && a->met == b->met && a->missed == b->missed &&
	       a->too_few == b->too_few && a->suspensions == b->suspensions;
}

/* A row of windows from the beginning: m missed, g met, f too few. */
static struct course after(const char *windows, const struct course_rules *r)
{
	struct course c;

	course_begin(&c, 0);
	for (size_t i = 0; windows[i] != '\0'; i++)
		course_window(&c, r,
			      windows[i] == 'm'	  ? WINDOW_MISSED
			      : windows[i] == 'g' ? WINDOW_MET
						  : WINDOW_TOO_FEW,
			      (int64_t)(i + 1) * 30 * DAY);
	return c;
}

static void table_of_transitions(void **state)
{
	static const struct {
		const char *windows;
		enum course_state state;
		int64_t since_days;
		unsigned good, suspensions;
	} rows[] = {
		{ "", COURSE_IN_FORCE, 0, 0, 0 },	    { "f", COURSE_IN_FORCE, 0, 0, 0 },
		{ "ggg", COURSE_IN_FORCE, 0, 0, 0 },	    { "m", COURSE_STRAINED, 30, 0, 0 },
		{ "mf", COURSE_STRAINED, 30, 0, 0 },	    { "mg", COURSE_IN_FORCE, 60, 0, 0 },
		{ "mfg", COURSE_IN_FORCE, 90, 0, 0 },	    { "mgmgm", COURSE_STRAINED, 150, 0, 0 },
		{ "mm", COURSE_CONSULT, 60, 0, 0 },	    { "mfm", COURSE_CONSULT, 90, 0, 0 },
		{ "mmf", COURSE_SUSPENDED, 74, 0, 1 },	    { "mmm", COURSE_SUSPENDED, 74, 0, 1 },
		{ "mmg", COURSE_SUSPENDED, 74, 1, 1 },	    { "mmgm", COURSE_SUSPENDED, 74, 0, 1 },
		{ "mmgf", COURSE_SUSPENDED, 74, 1, 1 },	    { "mmgmg", COURSE_SUSPENDED, 74, 1, 1 },
		{ "mmgg", COURSE_RESTORED, 120, 0, 1 },	    { "mmgfg", COURSE_RESTORED, 150, 0, 1 },
		{ "mmggf", COURSE_RESTORED, 120, 0, 1 },    { "mmggg", COURSE_IN_FORCE, 150, 0, 1 },
		{ "mmggm", COURSE_STRAINED, 150, 0, 1 },    { "mmggmm", COURSE_CONSULT, 180, 0, 1 },
		{ "mmggmmm", COURSE_SUSPENDED, 194, 0, 2 },
	};
	const struct course_rules r = { .consult_ms = 14 * DAY, .restore = 2 };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct course c = after(rows[i].windows, &r);

		if (c.state != rows[i].state || c.since_ms != rows[i].since_days * DAY || c.good != rows[i].good ||
		    c.suspensions != rows[i].suspensions)
			fail_msg("%s: %s since day %d, %u good, suspended %u times", rows[i].windows,
				 course_state_name(c.state), (int)(c.since_ms / DAY), c.good, (unsigned)c.suspensions);
	}
}

/* In a consultation as long as three windows these change nothing but their counts. */
static void windows_wait_for_a_consultation(void **state)
{
	const struct course_rules r = { .consult_ms = 90 * DAY, .restore = 1 };
	struct course c = after("mm", &r), d;

	(void)state;
	d = after("mmgm", &r);
	assert_int_equal(d.state, COURSE_CONSULT);
	assert_int_equal(d.since_ms, c.since_ms);
	assert_int_equal(d.consult_until_ms, 150 * DAY);
	assert_int_equal(d.met, 1);
	assert_int_equal(d.missed, 3);
	/* The one that ends at the same instant as the consultation comes after it. */
	d = after("mmmmg", &r);
	assert_int_equal(d.state, COURSE_RESTORED);
	assert_int_equal(d.suspensions, 1);
}

static void a_consultation_ends_at_its_time(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct course_rules r = draw_rules(&seed);
		struct course c = after("mm", &r), before = c;
		int64_t end = 60 * DAY + r.consult_ms;

		assert_int_equal(c.consult_until_ms, end);
		course_time(&c, end - 1);
		course_time(&c, 60 * DAY + (int64_t)test_below(&seed, (size_t)r.consult_ms));
		assert_true(same(&c, &before));
		assert_true(course_flows(&c));
		course_time(&c, end + (int64_t)test_below(&seed, 3) * DAY);
		assert_int_equal(c.state, COURSE_SUSPENDED);
		assert_int_equal(c.since_ms, end);
		assert_false(course_flows(&c));
		before = c;
		course_time(&c, INT64_MAX);
		assert_true(same(&c, &before));
	}
}

static void one_side_resolves_nothing(void **state)
{
	const struct course_rules r = { .consult_ms = 14 * DAY, .restore = 2 };

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		struct course c = after("mm", &r);

		course_resolve(&c, side, 61 * DAY);
		course_resolve(&c, side, 62 * DAY);
		assert_int_equal(c.state, COURSE_CONSULT);
		assert_int_equal(c.consult_until_ms, 74 * DAY);
		course_time(&c, 74 * DAY);
		assert_int_equal(c.state, COURSE_SUSPENDED);
		course_resolve(&c, side, 75 * DAY);
		assert_int_equal(c.state, COURSE_SUSPENDED);
		/* It had given its word; now the other does. */
		course_resolve(&c, 1 - side, 76 * DAY);
		assert_int_equal(c.state, COURSE_RESTORED);
		assert_int_equal(c.since_ms, 76 * DAY);
		assert_int_equal(c.resolved, 0);
	}
}

static void both_sides_resolve(void **state)
{
	const struct course_rules r = { .consult_ms = 14 * DAY, .restore = 2 };
	static const char *const elsewhere[] = { "", "m", "mmgg" };
	struct course c = after("mm", &r);

	(void)state;
	course_resolve(&c, 1, 61 * DAY);
	course_resolve(&c, 0, 62 * DAY);
	assert_int_equal(c.state, COURSE_IN_FORCE);
	assert_int_equal(c.since_ms, 62 * DAY);
	assert_int_equal(c.suspensions, 0);
	/* A word that was said for one consultation is none in the next. */
	course_window(&c, &r, WINDOW_MISSED, 90 * DAY);
	course_window(&c, &r, WINDOW_MISSED, 120 * DAY);
	course_resolve(&c, 0, 121 * DAY);
	assert_int_equal(c.state, COURSE_CONSULT);
	/* On the instant at which it ends it is too late for the consultation. */
	c = after("mm", &r);
	course_resolve(&c, 0, 74 * DAY - 1);
	course_resolve(&c, 1, 74 * DAY);
	assert_int_equal(c.state, COURSE_RESTORED);
	assert_int_equal(c.suspensions, 1);
	for (size_t i = 0; i < TABLE_LENGTH(elsewhere); i++) {
		struct course before = after(elsewhere[i], &r);

		c = before;
		course_resolve(&c, 0, 500 * DAY);
		course_resolve(&c, 1, 500 * DAY);
		assert_true(same(&c, &before));
	}
}

/* However the good ones lie: where no two missed windows follow on one another, everything flows. Windows with too few between
 * two missed ones part them not. */
static void no_single_miss_suspends(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct course_rules r = draw_rules(&seed);
		struct course c;
		bool last_missed = false;

		course_begin(&c, 0);
		for (int i = 1; i <= STEPS; i++) {
			enum window w = draw_window(&seed, 45, 20);

			if (w == WINDOW_MISSED && last_missed)
				w = WINDOW_MET;
			if (w != WINDOW_TOO_FEW)
				last_missed = w == WINDOW_MISSED;
			course_window(&c, &r, w, (int64_t)i * 30 * DAY);
			course_time(&c, (int64_t)i * 30 * DAY + (int64_t)test_below(&seed, (size_t)(30 * DAY)));
			assert_true(c.state == (last_missed ? COURSE_STRAINED : COURSE_IN_FORCE));
			assert_int_equal(c.suspensions, 0);
		}
	}
}

/* Whatever came before: k good windows in a row, with any number of too few among them, and it flows again; not one earlier. */
static void good_windows_restore(void **state)
{
	uint64_t seed = test_seed();
	struct step steps[STEPS];
	size_t suspended = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct course_rules r = draw_rules(&seed);
		struct course c;
		int64_t at;

		course_begin(&c, 0);
		draw(&seed, steps, STEPS);
		for (size_t i = 0; i < STEPS; i++)
			take(&c, &r, &steps[i]);
		if (c.state != COURSE_SUSPENDED)
			continue;
		suspended++;
		at = steps[STEPS - 1].at_ms + 30 * DAY;
		course_window(&c, &r, WINDOW_MISSED, at);
		for (unsigned good = 0; good < r.restore;) {
			assert_int_equal(c.state, COURSE_SUSPENDED);
			assert_int_equal(c.good, good);
			at += 30 * DAY;
			if (test_below(&seed, 3) == 0) {
				course_window(&c, &r, WINDOW_TOO_FEW, at);
			} else {
				course_window(&c, &r, WINDOW_MET, at);
				good++;
			}
		}
		assert_int_equal(c.state, COURSE_RESTORED);
		assert_int_equal(c.since_ms, at);
		course_window(&c, &r, WINDOW_MET, at + 30 * DAY);
		assert_int_equal(c.state, COURSE_IN_FORCE);
	}
	assert_true(suspended > 100);
}

static void too_few_hold_everything(void **state)
{
	uint64_t seed = test_seed();
	struct step steps[STEPS];
	unsigned seen = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct course_rules r = draw_rules(&seed);
		size_t n = test_below(&seed, STEPS) + 1;
		struct course c, d;
		int64_t at;

		course_begin(&c, 0);
		draw(&seed, steps, n);
		for (size_t i = 0; i < n; i++)
			take(&c, &r, &steps[i]);
		at = steps[n - 1].at_ms;
		course_time(&c, at);
		d = c;
		course_window(&d, &r, WINDOW_TOO_FEW, at);
		assert_int_equal(d.too_few, c.too_few + 1);
		d.too_few = c.too_few;
		assert_true(same(&c, &d));
		seen |= 1u << c.state;
	}
	assert_int_equal(seen, (1u << COURSE_STATE_COUNT) - 1);
}

/* The whole equals its two halves, and it does not matter how often the caller says what time it is. */
static void a_function_of_what_came(void **state)
{
	uint64_t seed = test_seed();
	struct step steps[STEPS];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct course_rules r = draw_rules(&seed);
		size_t cut = test_below(&seed, STEPS + 1);
		struct course whole, halves, told;

		draw(&seed, steps, STEPS);
		course_begin(&whole, 0);
		course_begin(&halves, 0);
		course_begin(&told, 0);
		for (size_t i = 0; i < STEPS; i++)
			take(&whole, &r, &steps[i]);
		for (size_t i = 0; i < cut; i++)
			take(&halves, &r, &steps[i]);
		struct course kept = halves; /* as it comes back from the state */
		for (size_t i = cut; i < STEPS; i++)
			take(&kept, &r, &steps[i]);
		assert_true(same(&whole, &kept));
		for (size_t i = 0; i < STEPS; i++) {
			course_time(&told, steps[i].at_ms);
			take(&told, &r, &steps[i]);
			course_time(&told, steps[i].at_ms);
		}
		course_time(&whole, steps[STEPS - 1].at_ms);
		assert_true(same(&whole, &told));
	}
}

/* What is true after every step of any walk. */
static void what_always_holds(void **state)
{
	uint64_t seed = test_seed();
	struct step steps[STEPS];

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct course_rules r = draw_rules(&seed);
		struct course c;

		course_begin(&c, 0);
		draw(&seed, steps, STEPS);
		for (size_t i = 0; i < STEPS; i++) {
			struct course before = c;

			take(&c, &r, &steps[i]);
			assert_true(c.since_ms >= before.since_ms && c.since_ms <= steps[i].at_ms);
			assert_true((c.consult_until_ms != 0) == (c.state == COURSE_CONSULT));
			assert_true(c.good == 0 || (c.state == COURSE_SUSPENDED && c.good < r.restore));
			assert_true(c.resolved == 0 ||
				    ((c.state == COURSE_SUSPENDED || c.state == COURSE_CONSULT) && c.resolved < 3));
			assert_true(c.suspensions <= c.missed / 2);
			/* Never from flowing to not flowing but by the end of a consultation. */
			if (course_flows(&before) && !course_flows(&c)) {
				assert_int_equal(before.state, COURSE_CONSULT);
				assert_int_equal(c.since_ms, before.consult_until_ms);
				assert_int_equal(c.suspensions, before.suspensions + 1);
			}
		}
	}
}

static void both_sides_of_one_window(void **state)
{
	static const enum window expected[3][3] = {
		[WINDOW_MET] = { [WINDOW_MET] = WINDOW_MET,
				 [WINDOW_MISSED] = WINDOW_MISSED,
				 [WINDOW_TOO_FEW] = WINDOW_MET },
		[WINDOW_MISSED] = { [WINDOW_MET] = WINDOW_MISSED,
				    [WINDOW_MISSED] = WINDOW_MISSED,
				    [WINDOW_TOO_FEW] = WINDOW_MISSED },
		[WINDOW_TOO_FEW] = { [WINDOW_MET] = WINDOW_MET,
				     [WINDOW_MISSED] = WINDOW_MISSED,
				     [WINDOW_TOO_FEW] = WINDOW_TOO_FEW },
	};

	(void)state;
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			assert_int_equal(window_of_both((enum window)a, (enum window)b), expected[a][b]);
}

static void states_have_names(void **state)
{
	static const char *const names[] = { "in-force", "strained", "consult", "suspended", "restored" };

	(void)state;
	for (int i = 0; i < COURSE_STATE_COUNT; i++)
		assert_string_equal(course_state_name((enum course_state)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_transitions),
		cmocka_unit_test(windows_wait_for_a_consultation),
		cmocka_unit_test(a_consultation_ends_at_its_time),
		cmocka_unit_test(one_side_resolves_nothing),
		cmocka_unit_test(both_sides_resolve),
		cmocka_unit_test(no_single_miss_suspends),
		cmocka_unit_test(good_windows_restore),
		cmocka_unit_test(too_few_hold_everything),
		cmocka_unit_test(a_function_of_what_came),
		cmocka_unit_test(what_always_holds),
		cmocka_unit_test(both_sides_of_one_window),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
