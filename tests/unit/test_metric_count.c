#include "regime.h"

#include "regime/metric_private.h"

#define BEGIN INT64_C(1735689600000) /* 2025-01-01T00:00:00Z */
#define HOUR INT64_C(3600000)

static struct term term_of(const char *text)
{
	struct term t;

	if (term_parse(span_of(text), &t) != OK)
		fail_msg("%s: %s", text, err_detail());
	return t;
}

static struct windows windows_of(const struct term *t, size_t count)
{
	return (struct windows){
		.t = t, .start_ms = BEGIN, .length_ms = t->window_ms, .last_ms = BEGIN + 1000 * DAY, .count = count
	};
}

static uint64_t next_index;

/* Each by another author, so that none repeats another. */
static struct fact notice_at(int64_t ms)
{
	static char names[4096][16];
	char *name = names[next_index % TABLE_LENGTH(names)];

	snprintf(name, sizeof(names[0]), "r%ju.example", (uintmax_t)next_index);
	return (struct fact){
		.index = next_index++, .other = span_of(name), .at_ms = ms, .class = CLASS_SCANNER, .events = 1
	};
}

static void counted(const struct windows *w, const struct fact *at, size_t n, struct measure *out)
{
	struct facts f = { 0 };

	for (size_t i = 0; i < n; i++)
		assert_int_equal(facts_add(&f, &at[i]), OK);
	assert_int_equal(facts_end(&f), OK);
	assert_int_equal(windows_count(w, &f, out), OK);
	free(f.at);
}

/* What becomes of one fact in the first window of the term: numerator, denominator, unknown. */
#define assert_one(term_text, fact, n, of, not_known)                                                                  \
	do {                                                                                                           \
		struct term one_term = term_of(term_text);                                                             \
		struct windows one_window = windows_of(&one_term, 1);                                                  \
		struct measure m_;                                                                                     \
		counted(&one_window, &(fact), 1, &m_);                                                                 \
		assert_int_equal(m_.share.numerator, n);                                                               \
		assert_int_equal(m_.share.denominator, of);                                                            \
		assert_int_equal(m_.share.unknown, not_known);                                                         \
	} while (0)

#define SWIFT "swift acknowledged at-least 90% within 2d each 30d"

static void the_edges_of_a_window(void **state)
{
	struct term t = term_of(SWIFT);
	struct windows w = windows_of(&t, 2);
	struct measure m[2];
	static const struct {
		int64_t due_ms;
		unsigned first, second;
	} rows[] = {
		{ BEGIN - 1, 0, 0 },
		{ BEGIN, 1, 0 },
		{ BEGIN + 30 * DAY - 1, 1, 0 },
		{ BEGIN + 30 * DAY, 0, 1 },
		{ BEGIN + 60 * DAY - 1, 0, 1 },
		{ BEGIN + 60 * DAY, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct fact f = notice_at(rows[i].due_ms - 2 * DAY);

		counted(&w, &f, 1, m);
		assert_int_equal(m[0].share.denominator, rows[i].first);
		assert_int_equal(m[1].share.denominator, rows[i].second);
	}
	assert_int_equal(m[0].from_ms, BEGIN);
	assert_int_equal(m[0].until_ms, m[1].from_ms);
	assert_int_equal(m[1].until_ms, BEGIN + 60 * DAY);
}

/* A window is closed by an entry at its end, and not a millisecond before. */
static void when_it_is_closed(void **state)
{
	struct term t = term_of(SWIFT);
	struct windows w = windows_of(&t, 2);
	struct fact f = notice_at(BEGIN + 20 * DAY);
	struct measure m[2];

	(void)state;
	w.last_ms = BEGIN + 30 * DAY - 1;
	counted(&w, &f, 1, m);
	assert_false(m[0].closed);
	w.last_ms++;
	counted(&w, &f, 1, m);
	assert_true(m[0].closed && !m[1].closed);
	/* As long as it is not due nothing is known of it, whatever was said. */
	f.answered_ms = f.at_ms + HOUR;
	w.last_ms = f.at_ms + 2 * DAY;
	counted(&w, &f, 1, m);
	assert_int_equal(m[0].share.unknown, 1);
	assert_int_equal(m[0].share.denominator, 0);
	w.last_ms++;
	counted(&w, &f, 1, m);
	assert_int_equal(m[0].share.numerator, 1);
}

static void acknowledged_in_time(void **state)
{
	struct fact f = notice_at(BEGIN);

	(void)state;
	assert_one(SWIFT, f, 0, 1, 0); /* open ones count */
	f.answered_ms = f.at_ms + 2 * DAY;
	assert_one(SWIFT, f, 1, 1, 0);
	f.answered_ms++;
	assert_one(SWIFT, f, 0, 1, 0);
	f.closed_ms = f.at_ms + 2 * DAY; /* its author took it back before */
	assert_one(SWIFT, f, 0, 0, 1);
	f.closed_ms++;
	assert_one(SWIFT, f, 0, 1, 0);
	f.answered_ms = f.closed_ms = f.at_ms + HOUR;
	assert_one(SWIFT, f, 1, 1, 0);
	f.withdrawn_ms = BEGIN + 30 * DAY; /* too late for that window */
	assert_one(SWIFT, f, 1, 1, 0);
	f.withdrawn_ms--;
	assert_one(SWIFT, f, 0, 0, 0);
	f.withdrawn_ms = 0;
	f.demonstration = true;
	assert_one(SWIFT, f, 0, 0, 0);
}

#define FIXED "mend fixed at-least 50% within 14d each 30d"
#define AGAIN "again re-offence at-most 10% each 90d"
#define FALSE "false false-notices at-most 5% each 90d"
#define HELP "help help-answered at-least 90% within 1d each 30d"
#define EXPLAINED "plans plan-explained at-least 80% each 30d"
#define BALANCE "even balance at-least 30% each 90d"
#define OVERDUE "close plan-overdue at-most 10% each 30d"
#define EQUAL "equal artefact-equal at-least 100% each 30d"

static void fixed_in_time(void **state)
{
	struct fact f = notice_at(BEGIN);

	(void)state;
	f.answered_ms = BEGIN + HOUR;
	assert_one(FIXED, f, 0, 1, 0);
	f.fixed_ms = BEGIN + 14 * DAY;
	assert_one(FIXED, f, 1, 1, 0);
	f.fixed_ms++;
	assert_one(FIXED, f, 0, 1, 0);
	f.not_ours_ms = BEGIN + DAY;
	assert_one(FIXED, f, 0, 0, 1);
	f.not_ours_ms = BEGIN + 15 * DAY;
	assert_one(FIXED, f, 0, 1, 0);
	f.closed_ms = BEGIN + 14 * DAY;
	assert_one(FIXED, f, 0, 0, 1);
}

/* Counted from the fix: the window is that in which 30 days are over. */
static void seen_again(void **state)
{
	struct fact f = notice_at(BEGIN - 300 * DAY);

	(void)state;
	assert_one(AGAIN, f, 0, 0, 0);
	f.fixed_ms = BEGIN + DAY;
	assert_one(AGAIN, f, 0, 1, 0);
	f.again_ms = f.fixed_ms + 30 * DAY;
	assert_one(AGAIN, f, 1, 1, 0);
	f.again_ms++;
	assert_one(AGAIN, f, 0, 1, 0);
	f.at_ms = f.fixed_ms - 366 * DAY;
	assert_one(AGAIN, f, 0, 1, 0);
	f.at_ms--; /* fixed after more than a year */
	assert_one(AGAIN, f, 0, 0, 0);
	f.again_ms = 0;
	f.at_ms = BEGIN;
	f.fixed_ms = BEGIN + 60 * DAY - 1;
	assert_one(AGAIN, f, 0, 1, 0);
	f.fixed_ms++;
	assert_one(AGAIN, f, 0, 0, 0); /* the next window's */
}

static void false_notices(void **state)
{
	struct fact f = notice_at(BEGIN);

	(void)state;
	assert_one(FALSE, f, 0, 1, 0);
	f.withdrawn_ms = BEGIN + 30 * DAY; /* taken back is false, by the day on which it is judged */
	assert_one(FALSE, f, 1, 1, 0);
	f.withdrawn_ms++;
	assert_one(FALSE, f, 0, 1, 0);
	f.not_ours_ms = BEGIN + 30 * DAY;
	assert_one(FALSE, f, 1, 1, 0);
	f.not_ours_ms = 0;
	f.disputed_ms = BEGIN + 16 * DAY; /* stands when it is judged */
	assert_one(FALSE, f, 1, 1, 0);
	f.disputed_ms++; /* not yet */
	assert_one(FALSE, f, 0, 0, 1);
	f.settled_ms = f.disputed_ms + DAY;
	assert_one(FALSE, f, 0, 1, 0);
	f.disputed_ms = BEGIN + DAY;
	f.settled_ms = f.disputed_ms + 14 * DAY; /* too late */
	assert_one(FALSE, f, 1, 1, 0);
	f.settled_ms--;
	assert_one(FALSE, f, 0, 1, 0);
	f.before_ms = INT64_MAX; /* facts_end alone says what repeats what */
	assert_one(FALSE, f, 0, 0, 0);
}

static void help_is_answered(void **state)
{
	struct fact f = notice_at(BEGIN);

	(void)state;
	assert_one(HELP, f, 0, 1, 0);
	f.elsewhere_ms = BEGIN + HOUR; /* nobody has to answer after another did */
	assert_one(HELP, f, 0, 0, 1);
	f.answered_ms = BEGIN + DAY;
	assert_one(HELP, f, 1, 1, 0);
	f.answered_ms++;
	f.elsewhere_ms = f.answered_ms;
	assert_one(HELP, f, 0, 1, 0);
	assert_one("live contact-live at-least 90% within 1d each 30d", f, 0, 1, 0);
	f.answered_ms--;
	assert_one("live contact-live at-least 90% within 1d each 30d", f, 1, 1, 0);
}

static void plans(void **state)
{
	struct term t = term_of("out plan-breach at-most 0 each 30d");
	struct windows w = windows_of(&t, 2);
	struct fact f = notice_at(BEGIN), two[2];
	struct measure m[2];

	(void)state;
	f.events = 10;
	f.explained = 7;
	assert_one(EXPLAINED, f, 7, 10, 0);
	assert_one(OVERDUE, f, 1, 1, 0);
	f.closed_ms = BEGIN + HOUR / 2;
	assert_one(OVERDUE, f, 0, 1, 0);
	f.closed_ms++;
	assert_one(OVERDUE, f, 1, 1, 0);
	f.withdrawn_ms = BEGIN + HOUR / 2; /* cancelled in time; later it changes nothing */
	assert_one(OVERDUE, f, 0, 0, 0);
	f.withdrawn_ms++;
	assert_one(OVERDUE, f, 1, 1, 0);
	f.not_ours_ms = BEGIN + 1;
	assert_one(OVERDUE, f, 0, 0, 0);
	two[0] = two[1] = f;
	two[1].again_ms = BEGIN + 30 * DAY;
	counted(&w, two, 2, m);
	assert_true(m[0].has_value && m[0].value == 0);
	assert_true(m[1].has_value && m[1].value == 1);
	assert_int_equal(m[1].share.denominator, 0);
}

static void releases(void **state)
{
	struct term t = term_of("even update-lag at-most 2d each 30d");
	struct windows w = windows_of(&t, 1);
	struct fact f[3] = { notice_at(BEGIN), notice_at(BEGIN + DAY), notice_at(BEGIN + 2 * DAY) };
	struct measure m;

	(void)state;
	counted(&w, f, 0, &m);
	assert_false(m.has_value);
	f[1].lag_ms = (uint64_t)(2 * DAY);
	counted(&w, f, 3, &m);
	assert_true(m.has_value && m.value == (uint64_t)(2 * DAY));
	assert_int_equal(m.share.numerator, 3);
	assert_int_equal(term_judge(&t, &m, 20), WINDOW_MET);
	f[1].lag_ms++;
	f[2].left_out = f[2].broken = true;
	counted(&w, f, 3, &m);
	assert_int_equal(m.share.numerator, 1);
	assert_int_equal(term_judge(&t, &m, 20), WINDOW_MISSED);
	assert_one(EQUAL, f[0], 1, 1, 0);
	assert_one(EQUAL, f[2], 0, 1, 0);
}

static void balance(void **state)
{
	struct fact f = notice_at(BEGIN);

	(void)state;
	f.answered_ms = BEGIN + HOUR; /* read is not yet useful */
	assert_one(BALANCE, f, 0, 0, 0);
	f.fixed_ms = BEGIN + 30 * DAY;
	assert_one(BALANCE, f, 0, 1, 0);
	f.given = true;
	assert_one(BALANCE, f, 1, 1, 0);
	f.fixed_ms++;
	assert_one(BALANCE, f, 0, 0, 0);
}

/* Disputed figures stand both ways; settled before 14 days are over it is none any more. */
static void disputes(void **state)
{
	static const struct {
		int settled_day, until_day; /* after the dispute; 0: never */
		unsigned disputed;
	} rows[] = { { 0, 5, 1 }, { 0, 20, 1 }, { 13, 20, 0 }, { 13, 13, 1 }, { 14, 20, 1 }, { 15, 20, 1 } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct term t = term_of(SWIFT);
		struct windows w = windows_of(&t, 1);
		struct fact f[2] = { notice_at(BEGIN), notice_at(BEGIN) };
		struct measure m;

		f[0].disputed_ms = f[0].answered_ms = BEGIN + 30 * DAY - rows[i].until_day * DAY;
		f[0].answered_ms = BEGIN + HOUR;
		f[0].settled_ms = rows[i].settled_day > 0 ? f[0].disputed_ms + rows[i].settled_day * DAY : 0;
		counted(&w, f, 2, &m);
		assert_int_equal(m.share.numerator, 1);
		assert_int_equal(m.share.denominator, 2);
		assert_int_equal(m.disputed, rows[i].disputed);
		assert_int_equal(m.undisputed.numerator, 1 - rows[i].disputed);
		assert_int_equal(m.undisputed.denominator, 2 - rows[i].disputed);
	}
}

/* Of one author, class and UTC day only the first counts; one that was withdrawn when the window ended is not the first. */
static void repeats_merge(void **state)
{
	struct term t = term_of(SWIFT);
	struct windows w = windows_of(&t, 2);
	struct fact f[6];
	struct measure m[2];

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(f); i++) {
		f[i] = notice_at(BEGIN + 5 * DAY + (int64_t)i * HOUR);
		f[i].other = SPAN("r.example");
	}
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 1);
	f[1].class = CLASS_C2_SERVER;
	f[2].other = SPAN("s.example");
	f[3].at_ms = BEGIN + 6 * DAY; /* the next day begins */
	f[4].at_ms = BEGIN + 6 * DAY - 1;
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 4);
	f[0].withdrawn_ms = BEGIN + 30 * DAY - 1; /* f[4] takes its place */
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 4);
	f[0].withdrawn_ms++;
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 4);
	f[0].withdrawn_ms--;
	f[4].demonstration = f[5].demonstration = true;
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 3);
	w.demonstration = true;
	counted(&w, f, 6, m);
	assert_int_equal(m[0].share.denominator, 1);
	/* A day that two windows share: the second asks what had become of the first by its own end. */
	w.demonstration = false;
	f[0] = notice_at(BEGIN + 28 * DAY - HOUR);
	f[1] = notice_at(BEGIN + 28 * DAY);
	f[0].other = f[1].other = SPAN("r.example");
	w.start_ms = BEGIN + 12 * HOUR;
	f[0].at_ms += 12 * HOUR;
	f[1].at_ms += 12 * HOUR;
	counted(&w, f, 2, m);
	assert_int_equal(m[0].share.denominator, 1);
	assert_int_equal(m[1].share.denominator, 0);
	f[0].withdrawn_ms = m[0].until_ms;
	counted(&w, f, 2, m);
	assert_int_equal(m[0].share.denominator, 1);
	assert_int_equal(m[1].share.denominator, 1);
}

/* The figure is the time itself; the promise is kept if it is no longer. */
static void times(void **state)
{
	struct term half = term_of("half acknowledge-p50 at-most 1d each 30d"),
		    most = term_of("most acknowledge-p90 at-most 1d each 30d");
	struct windows w = windows_of(&half, 1);
	struct fact f[10];
	struct measure m;

	(void)state;
	for (int i = 0; i < 10; i++) {
		f[i] = notice_at(BEGIN + i * HOUR);
		f[i].answered_ms = i < 5 ? f[i].at_ms + (10 - i) * HOUR : 0;
	}
	counted(&w, f, 10, &m);
	assert_true(m.has_value && m.value == (uint64_t)(10 * HOUR));
	assert_int_equal(m.share.numerator, 5);
	f[4].answered_ms = 0;
	counted(&w, f, 10, &m);
	assert_false(m.has_value);
	assert_int_equal(term_judge(&half, &m, 1), WINDOW_MISSED);
	assert_int_equal(term_judge(&half, &m, 20), WINDOW_TOO_FEW);
	for (int i = 4; i < 9; i++)
		f[i].answered_ms = f[i].at_ms + DAY;
	w.t = &most;
	counted(&w, f, 10, &m);
	assert_true(m.has_value && m.value == (uint64_t)DAY);
	assert_int_equal(term_judge(&most, &m, 1), WINDOW_MET);
	f[8].answered_ms++;
	counted(&w, f, 10, &m);
	assert_int_equal(m.value, DAY + 1);
	assert_int_equal(m.share.numerator, 8);
	assert_int_equal(term_judge(&most, &m, 1), WINDOW_MISSED);
	f[8].closed_ms = f[8].at_ms + HOUR; /* taken back: neither quick nor slow */
	counted(&w, f, 10, &m);
	assert_int_equal(m.share.denominator, 9);
	assert_int_equal(m.share.unknown, 1);
	assert_false(m.has_value); /* one of nine is open: more than a tenth */
	counted(&w, f, 1, &m);
	assert_int_equal(m.value, 10 * HOUR);
}

/* Nothing is not good. */
static void nothing_is_blank(void **state)
{
	struct buffer b = BUFFER(65536);
	struct json j = { .out = &b };
	struct measure m;

	(void)state;
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_rule *r = metric_rule((enum metric)i);
		struct term t = { .metric = (enum metric)i,
				  .at_most = r->at_most,
				  .threshold = r->unit == UNIT_SHARE  ? 9000
					       : r->unit == UNIT_TIME ? (uint64_t)DAY
								      : 0,
				  .window_ms = 30 * DAY,
				  .within_ms = r->needs_within ? DAY : 0,
				  .least = 1 };
		struct windows w = windows_of(&t, 1);

		counted(&w, NULL, 0, &m);
		if (r->unit == UNIT_COUNT)
			continue;
		assert_int_equal(m.share.denominator, 0);
		assert_true(m.share.blank && !m.has_value);
		assert_int_equal(term_judge(&t, &m, 1), WINDOW_TOO_FEW);
		buffer_clear(&b);
		measure_print(&j, NULL, &t, &m);
		buffer_byte(&b, 0);
		assert_null(strstr(b.at, "\"rate\":0"));
		assert_non_null(strstr(b.at, "\"rate\":null"));
	}
	buffer_free(&b);
}

/* ---- the same as a loop that nobody would run ---- */

static int64_t draw_time(uint64_t *seed, int64_t after, int64_t most)
{
	int64_t ms = after + (int64_t)test_below(seed, (size_t)most);

	return test_below(seed, 3) == 0	  ? 0
	       : test_below(seed, 3) == 0 ? ms - ms % DAY
					  : ms; /* often at the same instant as others */
}

static struct fact draw_fact(uint64_t *seed, uint64_t index, int64_t *now)
{
	static const struct span by[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
	struct fact f = { .index = index,
			  .class = (enum rsit_class)(1 + test_below(seed, 2)),
			  .other = by[test_below(seed, 3)] };

	f.at_ms = *now += (int64_t)test_below(seed, (size_t)(6 * HOUR));
	f.answered_ms = draw_time(seed, f.at_ms, 6 * DAY);
	f.fixed_ms = draw_time(seed, f.at_ms, 40 * DAY);
	f.closed_ms = test_below(seed, 5) == 0 ? draw_time(seed, f.at_ms, 20 * DAY) : 0;
	f.not_ours_ms = test_below(seed, 5) == 0 ? draw_time(seed, f.at_ms, 20 * DAY) : 0;
	f.withdrawn_ms = test_below(seed, 4) == 0 ? draw_time(seed, f.at_ms, 40 * DAY) : 0;
	f.disputed_ms = test_below(seed, 4) == 0 ? draw_time(seed, f.at_ms, 20 * DAY) : 0;
	f.settled_ms = f.disputed_ms != 0 ? draw_time(seed, f.disputed_ms, 28 * DAY) : 0;
	f.again_ms = f.fixed_ms != 0 ? draw_time(seed, f.fixed_ms, 60 * DAY) : 0;
	f.events = 1 + test_below(seed, 9);
	f.explained = test_below(seed, f.events + 1);
	f.demonstration = test_below(seed, 10) == 0;
	return f;
}

static bool is_repeat(const struct fact *all, size_t i, int64_t until)
{
	for (size_t k = 0; k < i; k++)
		if (span_equal(all[k].other, all[i].other) && all[k].class == all[i].class &&
		    all[k].demonstration == all[i].demonstration && all[k].at_ms / DAY == all[i].at_ms / DAY &&
		    (all[k].withdrawn_ms == 0 || all[k].withdrawn_ms >= until))
			return true;
	return false;
}

struct naive {
	uint64_t in, of, unknown, disputed, in_calm;
};

static struct naive naive_window(const struct term *t, const struct fact *all, size_t n, int64_t from, int64_t until)
{
	struct naive sum = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct fact *f = &all[i];
		bool again = t->metric == METRIC_RE_OFFENCE, settled, in, off;
		int64_t due = again ? f->fixed_ms + 30 * DAY : f->at_ms + t->within_ms;
		uint64_t one = t->metric == METRIC_PLAN_EXPLAINED ? f->events : 1, yes = 0;

		if ((again && f->fixed_ms == 0) || due < from || due >= until || f->demonstration ||
		    (f->withdrawn_ms != 0 && f->withdrawn_ms < until) || is_repeat(all, i, until))
			continue;
		settled = f->settled_ms != 0 && f->settled_ms < until && f->settled_ms < f->disputed_ms + 14 * DAY;
		in = t->metric == METRIC_ACKNOWLEDGED ? f->answered_ms != 0 && f->answered_ms <= due
		     : again			      ? f->again_ms != 0 && f->again_ms <= due
						      : f->fixed_ms != 0 && f->fixed_ms <= due;
		off = !again && ((f->closed_ms != 0 && f->closed_ms <= due) ||
				 (t->metric == METRIC_FIXED && f->not_ours_ms != 0 && f->not_ours_ms <= due));
		if (t->metric == METRIC_PLAN_EXPLAINED) {
			yes = f->explained;
		} else if (!in && off) {
			sum.unknown++;
			continue;
		} else {
			yes = in;
		}
		sum.in += yes;
		sum.of += one;
		if (f->disputed_ms != 0 && f->disputed_ms < until && !settled)
			sum.disputed += one;
		else
			sum.in_calm += yes;
	}
	return sum;
}

static void as_a_naive_loop(void **state)
{
	static const char *const texts[] = { SWIFT,
					     FIXED,
					     AGAIN,
					     EXPLAINED,
					     "day acknowledged at-least 50% within 1d each 1d",
					     "odd fixed at-least 10% within 3h each 59h" };
	uint64_t seed = test_seed();
	struct fact all[600];
	struct measure *m = calloc(400, sizeof(*m));

	(void)state;
	assert_non_null(m);
	for (int round = 0; round < 60; round++) {
		struct term t = term_of(texts[test_below(&seed, TABLE_LENGTH(texts))]);
		struct windows w = windows_of(&t, 1 + test_below(&seed, 300));
		size_t n = test_below(&seed, TABLE_LENGTH(all));
		int64_t now = BEGIN - 20 * DAY;
		struct facts f = { 0 };

		w.start_ms += (int64_t)test_below(&seed, (size_t)DAY);
		for (size_t i = 0; i < n; i++)
			all[i] = draw_fact(&seed, i, &now);
		for (size_t i = n; i-- > 0;) /* they come in any order */
			assert_int_equal(facts_add(&f, &all[i]), OK);
		assert_int_equal(facts_end(&f), OK);
		assert_int_equal(windows_count(&w, &f, m), OK);
		for (size_t i = 0; i < w.count; i++) {
			struct naive s = naive_window(&t, all, n, w.start_ms + (int64_t)i * t.window_ms,
						      w.start_ms + (int64_t)(i + 1) * t.window_ms);

			assert_int_equal(m[i].share.numerator, s.in);
			assert_int_equal(m[i].share.denominator, s.of);
			assert_int_equal(m[i].share.unknown, s.unknown);
			assert_int_equal(m[i].disputed, s.disputed);
			assert_int_equal(m[i].undisputed.numerator, s.in_calm);
			assert_int_equal(m[i].undisputed.denominator, s.of - s.disputed);
		}
		free(f.at);
	}
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_edges_of_a_window),
		cmocka_unit_test(when_it_is_closed),
		cmocka_unit_test(acknowledged_in_time),
		cmocka_unit_test(fixed_in_time),
		cmocka_unit_test(seen_again),
		cmocka_unit_test(false_notices),
		cmocka_unit_test(help_is_answered),
		cmocka_unit_test(plans),
		cmocka_unit_test(releases),
		cmocka_unit_test(balance),
		cmocka_unit_test(disputes),
		cmocka_unit_test(repeats_merge),
		cmocka_unit_test(times),
		cmocka_unit_test(nothing_is_blank),
		cmocka_unit_test(as_a_naive_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
