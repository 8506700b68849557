#include "agreement_test.h"

#include "regime/kinds_private.h"

#include <stdio.h>

#define WINDOW (30 * DAY)

static struct two setup(void **state, const char *name)
{
	struct two t;

	two_new(&t, *state, name);
	return t;
}

static void at(struct two *t, int64_t ms)
{
	t->now_ms = ms;
	two_tick(t);
}

static struct agreement read_at(struct two *t, struct hash id, int64_t ms)
{
	at(t, ms);
	return two_read(t, id);
}

/* ---- an agreement ---- */

static void lapses_and_begins(void **state)
{
	struct two t = setup(state, "a");
	struct hash open = two_offer(&t, AGREED), both = two_agree(&t, AGREED "restore 3\n");

	assert_int_equal(read_at(&t, both, BEGIN - 1).phase, AGREEMENT_COUNTERSIGNED);
	assert_int_equal(two_read(&t, open).phase, AGREEMENT_OFFERED);
	assert_int_equal(read_at(&t, both, BEGIN).phase, AGREEMENT_IN_FORCE);
	assert_int_equal(two_read(&t, both).terms[0].course.state, COURSE_IN_FORCE);
	assert_int_equal(two_read(&t, both).terms[0].course.since_ms, BEGIN);
	assert_int_equal(two_read(&t, open).phase, AGREEMENT_ENDED);
	assert_int_equal(two_read(&t, open).ended_ms, BEGIN);
	two_free(&t);
}

static void ends(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED);
	int64_t end_ms = two_read(&t, id).end_ms;
	struct agreement a;

	assert_int_equal(read_at(&t, id, end_ms - 1).phase, AGREEMENT_IN_FORCE);
	a = read_at(&t, id, end_ms);
	assert_int_equal(a.phase, AGREEMENT_ENDED);
	assert_int_equal(a.ended_ms, end_ms);
	assert_int_equal(a.terms[0].course.too_few, 36); /* 1096 days, 30 at a time */
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, "outcome resolved\nterm swift\n")),
			 ERR_AGREEMENT);
	at(&t, end_ms + 1000 * DAY);
	assert_int_equal(two_read(&t, id).terms[0].course.too_few, 36);
	two_free(&t);
}

static void exit_notice(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = two_offer(&t, AGREED), second = two_sign(&t, offer, AGREED);
	int64_t said_ms = BEGIN + 45 * DAY;
	struct agreement a;

	t.now_ms = said_ms;
	two_say(&t, KIND_WITHDRAW, t.y, two_about(&t, second, ""), NULL);
	a = two_read(&t, offer);
	assert_int_equal(a.phase, AGREEMENT_IN_FORCE);
	assert_int_equal(a.leaves_ms, said_ms + 90 * DAY);
	t.now_ms += DAY; /* the other too, later: the first notice counts */
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, offer, ""), NULL);
	assert_int_equal(two_read(&t, offer).leaves_ms, said_ms + 90 * DAY);
	assert_int_equal(read_at(&t, offer, said_ms + 90 * DAY - 1).phase, AGREEMENT_IN_FORCE);
	a = read_at(&t, offer, said_ms + 90 * DAY);
	assert_int_equal(a.phase, AGREEMENT_ENDED);
	assert_int_equal(a.ended_ms, said_ms + 90 * DAY);
	assert_int_equal(a.terms[0].course.too_few, 4);
	two_free(&t);
}

/* Notice that is given before the start runs from when it was given; what is left of it after the start is lived through. */
static void leaves_before_it_begins(void **state)
{
	static const struct {
		int64_t before_ms;
		enum agreement_phase at_start;
	} rows[] = {
		{ 8 * DAY, AGREEMENT_ENDED },	     { 7 * DAY + 1, AGREEMENT_ENDED },
		{ 7 * DAY, AGREEMENT_ENDED }, /* it begins and ends at one instant */
		{ 7 * DAY - 1, AGREEMENT_IN_FORCE }, { DAY, AGREEMENT_IN_FORCE },
	};
	static const char lines[] =
		PARTIES "start 2027-01-01T00:00:00Z\nend 2030-01-01T00:00:00Z\nexit-notice 7d\n" CODES SWIFT;

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct two t = setup(state, arena_print(((struct scratch *)*state)->arena, "%zu", i));
		struct hash id = two_agree(&t, lines);

		t.now_ms = BEGIN - rows[i].before_ms;
		two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, id, ""), NULL);
		assert_int_equal(read_at(&t, id, BEGIN).phase, rows[i].at_start);
		assert_int_equal(read_at(&t, id, BEGIN + 7 * DAY).phase, AGREEMENT_ENDED);
		assert_int_equal(two_read(&t, id).ended_ms, BEGIN - rows[i].before_ms + 7 * DAY);
		at(&t, BEGIN + 400 * DAY);
		two_free(&t);
	}
}

/* Nothing is left waiting for what has ended. */
static enum err any(void *context, struct span key, struct span value)
{
	(void)key;
	(void)value;
	++*(size_t *)context;
	return OK;
}

static size_t keys(struct two *t, const char *letter)
{
	size_t n = 0;

	assert_int_equal(view_walk(t->b->st.snapshot, VIEW_STATE, span_of(letter), SPAN(""), any, &n), OK);
	return n;
}

static void nothing_waits_for_what_ended(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED "term b help-answered at-least 5% within 1d each 7d\n"),
		    declined = two_offer(&t, AGREED);

	assert_int_equal(keys(&t, "T"), 2);
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, declined, "outcome objected\n"), NULL);
	assert_int_equal(keys(&t, "T"), 1);
	at(&t, BEGIN);
	assert_int_equal(keys(&t, "T"), 3);
	at(&t, BEGIN + 100 * DAY);
	assert_int_equal(keys(&t, "T"), 3);
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, id, ""), NULL);
	assert_int_equal(keys(&t, "T"), 3);
	at(&t, BEGIN + 190 * DAY);
	assert_int_equal(keys(&t, "T"), 0);
	assert_int_equal(two_read(&t, id).phase, AGREEMENT_ENDED);
	two_free(&t);
}

/* ---- windows ---- */

static const char *const classes[] = { "malicious-code/infected-system", "vulnerable/weak-crypto",
				       "intrusion-attempts/brute-force" };

/* One window of the term, from now on: x asks y, who answers in time (g), too late (l) or never (m); f: nothing is asked. Ends
 * where the window does, before an entry there. */
static void play(struct two *t, int64_t from_ms, char how)
{
	struct hash notice;

	t->now_ms = from_ms + 5 * DAY;
	if (how != 'f') {
		notice = two_notice(t, t->x, t->y, classes[0]);
		t->now_ms += how == 'l' ? 3 * DAY : DAY;
		if (how != 'm')
			two_answer(t, t->y, notice, "acknowledged");
	}
	t->now_ms = from_ms + WINDOW;
}

static struct agreement played(struct two *t, struct hash id, const char *windows)
{
	int64_t ms = BEGIN;

	for (; *windows != '\0'; windows++, ms += WINDOW)
		play(t, ms, *windows);
	return read_at(t, id, ms);
}

/* The rows of the table, through statements. */
static void table(void **state)
{
	static const struct {
		const char *windows;
		enum course_state state;
		int64_t since_days;
		unsigned good, suspensions;
	} rows[] = {
		{ "f", COURSE_IN_FORCE, 0, 0, 0 },	 { "ggg", COURSE_IN_FORCE, 0, 0, 0 },
		{ "m", COURSE_STRAINED, 30, 0, 0 },	 { "l", COURSE_STRAINED, 30, 0, 0 },
		{ "mf", COURSE_STRAINED, 30, 0, 0 },	 { "mg", COURSE_IN_FORCE, 60, 0, 0 },
		{ "gmgmg", COURSE_IN_FORCE, 150, 0, 0 }, { "mm", COURSE_CONSULT, 60, 0, 0 },
		{ "mlf", COURSE_SUSPENDED, 74, 0, 1 },	 { "mmg", COURSE_SUSPENDED, 74, 1, 1 },
		{ "mmgm", COURSE_SUSPENDED, 74, 0, 1 },	 { "mmgf", COURSE_SUSPENDED, 74, 1, 1 },
		{ "mmgg", COURSE_RESTORED, 120, 0, 1 },	 { "mmgfg", COURSE_RESTORED, 150, 0, 1 },
		{ "mmggf", COURSE_RESTORED, 120, 0, 1 }, { "mmggg", COURSE_IN_FORCE, 150, 0, 1 },
		{ "mmggm", COURSE_STRAINED, 150, 0, 1 }, { "mmggmmm", COURSE_SUSPENDED, 194, 0, 2 },
	};

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct two t = setup(state, rows[i].windows);
		struct hash id = two_agree(&t, AGREED);
		struct agreement a = played(&t, id, rows[i].windows);
		const struct course *c = &a.terms[0].course;
		bool share, help;

		if (c->state != rows[i].state || c->since_ms != BEGIN + rows[i].since_days * DAY ||
		    c->good != rows[i].good || c->suspensions != rows[i].suspensions)
			fail_msg("%s: %s since day %jd, good %u, suspended %u", rows[i].windows,
				 course_state_name(c->state), (intmax_t)((c->since_ms - BEGIN) / DAY), c->good,
				 c->suspensions);
		assert_int_equal(
			agreement_allows(&t.b->st, SPAN("x.example"), SPAN("y.example"), GIVES_SHARE, &share, NULL),
			OK);
		assert_int_equal(
			agreement_allows(&t.b->st, SPAN("y.example"), SPAN("x.example"), GIVES_HELP, &help, NULL), OK);
		assert_int_equal(share, c->state != COURSE_SUSPENDED);
		assert_true(help);
		two_free(&t);
	}
}

static const char resolved[] = "outcome resolved\nterm swift\n";

static void resolutions(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED);
	struct agreement a;

	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved)), ERR_AGREEMENT);
	a = played(&t, id, "m");
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved)), ERR_AGREEMENT);
	play(&t, BEGIN + WINDOW, 'm');
	a = read_at(&t, id, BEGIN + 2 * WINDOW);
	assert_int_equal(a.terms[0].course.state, COURSE_CONSULT);
	assert_int_equal(a.terms[0].course.consult_until_ms, BEGIN + 74 * DAY);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.z, two_about(&t, id, resolved)), ERR_NOT_YOURS);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, "outcome resolved\n")), ERR_STATEMENT_HEADER);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, "outcome resolved\nterm slow\n")), ERR_TERM);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, "outcome resolved\nterm swift\nterm swift\n")),
			 ERR_STATEMENT_HEADER);
	two_say(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved), NULL);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved)), ERR_AGREEMENT);
	t.now_ms = BEGIN + 74 * DAY - 1;
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, id, resolved), NULL);
	assert_int_equal(two_read(&t, id).terms[0].course.state, COURSE_IN_FORCE);
	a = read_at(&t, id, BEGIN + 80 * DAY); /* the consultation is not waited for any more */
	assert_int_equal(a.terms[0].course.state, COURSE_IN_FORCE);
	assert_int_equal(a.terms[0].course.suspensions, 0);
	two_free(&t);
}

/* One signs in time, the other when it is suspended: that restores. */
static void resolved_late(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED);

	played(&t, id, "mm");
	two_say(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved), NULL);
	t.now_ms = BEGIN + 74 * DAY; /* this entry itself ends the consultation, before it is folded */
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, id, resolved), NULL);
	assert_int_equal(two_read(&t, id).terms[0].course.state, COURSE_RESTORED);
	assert_int_equal(two_read(&t, id).terms[0].course.suspensions, 1);
	two_free(&t);
}

/* The side that was asked nothing holds nothing up; the side that missed misses for both; of a term of one the other is nothing. */
static void both_sides(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, PARTIES TIMES CODES "term a acknowledged at-least 50% within 2d each 30d\n"
							   "term b acknowledge-p50 at-most 2d each 30d of x.example\n"),
		    to_x, to_y;
	struct agreement a;

	t.now_ms = BEGIN + DAY;
	to_y = two_notice(&t, t.x, t.y, classes[0]);
	two_notice(&t, t.x, t.y, classes[1]);
	to_x = two_notice(&t, t.y, t.x, classes[0]);
	two_notice(&t, t.y, t.x, classes[1]);
	two_notice(&t, t.y, t.x, classes[2]);
	t.now_ms += DAY;
	two_answer(&t, t.y, to_y, "acknowledged");
	two_answer(&t, t.x, to_x, "acknowledged");
	a = read_at(&t, id, BEGIN + WINDOW);
	assert_int_equal(a.terms[0].sides[0].judged, WINDOW_MISSED);
	assert_int_equal(a.terms[0].sides[1].judged, WINDOW_MET);
	assert_int_equal(a.terms[0].sides[0].last.share.numerator, 1);
	assert_int_equal(a.terms[0].sides[0].last.share.denominator, 3);
	assert_int_equal(a.terms[0].sides[0].last.from_ms, BEGIN);
	assert_int_equal(a.terms[0].sides[0].last.until_ms, BEGIN + WINDOW);
	assert_int_equal(a.terms[0].sides[1].last.share.numerator, 1);
	assert_int_equal(a.terms[0].sides[1].last.share.denominator, 2);
	assert_int_equal(a.terms[0].course.state, COURSE_STRAINED);
	assert_int_equal(a.terms[1].sides[0].judged, WINDOW_MISSED);
	assert_int_equal(a.terms[1].sides[1].last.until_ms, 0);
	assert_int_equal(a.terms[1].course.state, COURSE_STRAINED);
	two_free(&t);
}

/* What is filed `within` before the end of a window or later falls due in the next one; what was asked before the start in none. */
static void edges(void **state)
{
	static const struct {
		int64_t filed_ms; /* from the start */
		int64_t answered_ms;
		uint64_t of[2]; /* in the first two windows */
		uint64_t in[2];
	} rows[] = {
		{ -1, 0, { 0, 0 }, { 0, 0 } },
		{ 0, DAY, { 1, 0 }, { 1, 0 } },
		{ 0, 2 * DAY, { 1, 0 }, { 1, 0 } },
		{ 0, 2 * DAY + 1, { 1, 0 }, { 0, 0 } },
		{ 28 * DAY - 1, WINDOW - 1, { 1, 0 }, { 1, 0 } },
		{ 28 * DAY - 1, WINDOW, { 1, 0 }, { 0, 0 } },
		{ 28 * DAY, WINDOW - 1, { 0, 1 }, { 0, 1 } },
		{ 28 * DAY, WINDOW, { 0, 1 }, { 0, 1 } },
		{ WINDOW, WINDOW + DAY, { 0, 1 }, { 0, 1 } },
		{ 2 * WINDOW - 2 * DAY, 2 * WINDOW - DAY, { 0, 0 }, { 0, 0 } },
	};

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct two t = setup(state, arena_print(((struct scratch *)*state)->arena, "%zu", i));
		struct hash id = two_agree(&t, AGREED), notice;
		uint64_t of[2], in[2];

		for (int window = 0; window < 2; window++) {
			struct agreement a;

			if (rows[i].filed_ms < (window + 1) * WINDOW && rows[i].filed_ms >= (window - 1) * WINDOW &&
			    (window == 0 || rows[i].filed_ms >= WINDOW)) {
				t.now_ms = BEGIN + rows[i].filed_ms;
				notice = two_notice(&t, t.x, t.y, classes[0]);
			}
			if (rows[i].answered_ms > 0 && rows[i].answered_ms < (window + 1) * WINDOW &&
			    (window == 0 || rows[i].answered_ms >= WINDOW)) {
				t.now_ms = BEGIN + rows[i].answered_ms;
				two_answer(&t, t.y, notice, "acknowledged");
			}
			a = read_at(&t, id, BEGIN + (window + 1) * WINDOW);
			of[window] = a.terms[0].sides[1].last.share.denominator;
			in[window] = a.terms[0].sides[1].last.share.numerator;
		}
		if (of[0] != rows[i].of[0] || of[1] != rows[i].of[1] || in[0] != rows[i].in[0] ||
		    in[1] != rows[i].in[1])
			fail_msg("row %zu: %ju of %ju, %ju of %ju", i, (uintmax_t)in[0], (uintmax_t)of[0],
				 (uintmax_t)in[1], (uintmax_t)of[1]);
		two_free(&t);
	}
}

/* A window is open at the millisecond before its end. */
static void closes_at_its_end(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED);

	play(&t, BEGIN, 'm');
	assert_int_equal(read_at(&t, id, BEGIN + WINDOW - 1).terms[0].course.state, COURSE_IN_FORCE);
	assert_int_equal(read_at(&t, id, BEGIN + WINDOW).terms[0].course.state, COURSE_STRAINED);
	two_free(&t);
}

/* An entry that folds to nothing but its id moves time; one that was refused at the door is none. */
static void any_entry_moves_time(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED);

	t.now_ms = BEGIN + WINDOW;
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, id, resolved)), ERR_AGREEMENT);
	assert_int_equal(two_read(&t, id).phase, AGREEMENT_COUNTERSIGNED);
	assert_false(two_fold_in(&t, LEDGER_PUBLIC, KIND_ANSWER, t.x, two_about(&t, id, resolved), NULL));
	assert_int_equal(two_read(&t, id).phase, AGREEMENT_IN_FORCE);
	assert_int_equal(two_read(&t, id).terms[0].course.too_few, 1);
	two_free(&t);
}

/* ---- a ledger that slept ---- */

static void same_agreement(const struct agreement *a, const struct agreement *b)
{
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->ended_ms, b->ended_ms);
	assert_int_equal(a->term_count, b->term_count);
	for (size_t i = 0; i < a->term_count; i++) {
		const struct course *c = &a->terms[i].course, *d = &b->terms[i].course;

		assert_true(c->state == d->state && c->since_ms == d->since_ms && c->good == d->good &&
			    c->met == d->met && c->missed == d->missed && c->too_few == d->too_few &&
			    c->suspensions == d->suspensions && c->consult_until_ms == d->consult_until_ms &&
			    c->resolved == d->resolved);
		for (int side = 0; side < 2; side++) {
			const struct term_side *s = &a->terms[i].sides[side], *u = &b->terms[i].sides[side];

			assert_true(s->judged == u->judged && s->last.from_ms == u->last.from_ms &&
				    s->last.until_ms == u->last.until_ms &&
				    s->last.share.numerator == u->last.share.numerator &&
				    s->last.share.denominator == u->last.share.denominator &&
				    s->last.value == u->last.value && s->last.has_value == u->last.has_value);
		}
	}
}

#define MANY                                                                                                           \
	AGREED "term b help-answered at-least 50% within 1d each 7d\nterm c acknowledge-p90 at-most 3d each 14d "      \
	       "gives help\n"                                                                                          \
	       "term d balance at-least 20% each 90d of x.example\n"

/* Whether it slept for years or somebody wrote an entry each day: what follows from the same matters is the same. */
static void slept(void **state)
{
	struct two asleep = setup(state, "asleep"), awake = setup(state, "awake");
	struct hash one = two_agree(&asleep, MANY), other = two_agree(&awake, MANY);
	uint64_t seed = test_seed();
	int64_t ms = BEGIN;

	for (int nap = 0; nap < 12; nap++) {
		int64_t wake = ms + (int64_t)test_below(&seed, (size_t)(200 * DAY));
		struct agreement a, b;

		for (int64_t day = ms; day < wake; day += 12 * HOUR)
			at(&awake, day);
		if (test_below(&seed, 2) == 0) { /* what is filed then is filed in both */
			bool answered = test_below(&seed, 2) == 0;

			for (int i = 0; i < 2; i++) {
				struct two *t = i == 0 ? &asleep : &awake;
				struct hash notice;

				t->now_ms = wake;
				notice = two_notice(t, t->x, t->y, classes[0]);
				t->now_ms += HOUR;
				if (answered)
					two_answer(t, t->y, notice, "acknowledged");
			}
			wake += HOUR;
		}
		a = read_at(&asleep, one, wake);
		b = read_at(&awake, other, wake);
		same_agreement(&a, &b);
		ms = wake;
	}
	at(&asleep, BEGIN + 4000 * DAY);
	at(&awake, BEGIN + 4000 * DAY);
	{
		struct agreement a = two_read(&asleep, one), b = two_read(&awake, other);

		assert_int_equal(a.phase, AGREEMENT_ENDED);
		same_agreement(&a, &b);
	}
	two_free(&asleep);
	two_free(&awake);
}

/* ---- what is never touched ---- */

/* A flood of notices is one notice a class and day, and moves nothing else. */
static void flood(void **state)
{
	struct two t = setup(state, "a");
	struct hash id = two_agree(&t, AGREED "term talk false-notices at-most 50% each 30d\n");
	struct agreement a;
	struct hash first;

	t.now_ms = BEGIN + 3 * DAY;
	first = two_notice(&t, t.x, t.y, classes[0]);
	for (int i = 0; i < 300; i++) {
		t.now_ms += 60000;
		two_notice(&t, t.x, t.y, classes[0]);
	}
	two_answer(&t, t.y, first, "acknowledged");
	a = read_at(&t, id, BEGIN + WINDOW);
	assert_int_equal(a.terms[0].sides[1].last.share.denominator, 1);
	assert_int_equal(a.terms[0].sides[1].judged, WINDOW_MET);
	assert_int_equal(a.terms[0].course.state, COURSE_IN_FORCE);
	two_free(&t);
}

/* What the door says to what is in the floor, whatever becomes of the agreement. */
static void floor_stands(void **state)
{
	static const char *const histories[] = { "f", "m", "mm", "mmm", "mmgg" };

	for (size_t i = 0; i < TABLE_LENGTH(histories); i++) {
		struct two t = setup(state, histories[i]);
		struct hash id = two_agree(&t, AGREED), notice;

		played(&t, id, histories[i]);
		t.now_ms += HOUR;
		notice = two_notice(&t, t.y, t.x, classes[0]);
		two_answer(&t, t.x, notice, "acknowledged");
		two_answer(&t, t.x, notice, "fixed");
		two_say(&t, KIND_PLAN, t.x,
			"to y.example\nactivity scan\nstart 2028-01-01T00:00:00Z\nend 2028-02-01T00:00:00Z\nsource "
			"198.51.100.0/24\n"
			"target any\npurpose a test\n",
			NULL);
		assert_true(two_fold_in(&t, LEDGER_CIRCLE, KIND_WITHDRAW, t.y, two_about(&t, notice, ""), NULL));
		two_free(&t);
	}
}

/* ---- random histories against a twin that has nothing but a list ---- */

struct asked {
	int64_t filed_ms, answered_ms;
	unsigned side; /* who was asked */
};
struct twin {
	struct asked asked[2000];
	size_t count;
};

/* Of a term "acknowledged at-least 60% within 2d each 20d least 2". */
static enum window twin_judges(const struct twin *w, unsigned side, int64_t from_ms, int64_t until_ms)
{
	unsigned in = 0, of = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct asked *q = &w->asked[i];
		int64_t due_ms = q->filed_ms + 2 * DAY;

		if (q->side != side || due_ms < from_ms || due_ms >= until_ms)
			continue;
		if (due_ms == from_ms && from_ms == BEGIN)
			continue;
		of++;
		in += q->answered_ms != 0 && q->answered_ms <= due_ms;
	}
	if (of < 2)
		return WINDOW_TOO_FEW;
	return in * 100 >= of * 60 ? WINDOW_MET : WINDOW_MISSED;
}

/* The rules again, in other words: a row of windows, and what they come to. */
struct told {
	enum course_state state;
	int64_t consult_until_ms;
	unsigned good;
};

static void twin_window(struct told *c, enum window w, int64_t end_ms, unsigned k)
{
	if (c->state == COURSE_CONSULT && end_ms >= c->consult_until_ms) {
		c->state = COURSE_SUSPENDED;
		c->good = 0;
	}
	if (w == WINDOW_TOO_FEW || c->state == COURSE_CONSULT)
		return;
	if (c->state == COURSE_SUSPENDED) {
		c->good = w == WINDOW_MET ? c->good + 1 : 0;
		if (c->good >= k)
			c->state = COURSE_RESTORED;
	} else if (w == WINDOW_MET) {
		c->state = COURSE_IN_FORCE;
	} else if (c->state == COURSE_STRAINED) {
		c->state = COURSE_CONSULT;
		c->consult_until_ms = end_ms + 3 * DAY;
	} else {
		c->state = COURSE_STRAINED;
	}
}

static void histories(void **state)
{
	static const char lines[] = PARTIES TIMES CODES
		"consult 3d\nrestore 3\nterm a acknowledged at-least 60% within 2d each 20d least 2 gives share\n";
	static struct twin w;
	uint64_t seed = test_seed();
	unsigned suspended = 0, restored = 0;

	for (int round = 0; round < 12; round++) {
		struct two t = setup(state, arena_print(((struct scratch *)*state)->arena, "%d", round));
		struct hash id = two_agree(&t, lines);
		struct told c = { COURSE_IN_FORCE, 0, 0 };
		enum course_state before = COURSE_IN_FORCE;
		unsigned missed = 0;
		size_t good_at[2] = { test_below(&seed, 101), 60 + test_below(&seed, 41) };
		int64_t ms = BEGIN;

		w.count = 0;
		for (int window = 0; window < 30; window++) {
			int64_t end_ms = BEGIN + (window + 1) * 20 * DAY;
			struct agreement a;

			/* On days of their own, so that none is a repeat. */
			for (ms = end_ms - 20 * DAY + HOUR; ms < end_ms - 3 * DAY;
			     ms += DAY + (int64_t)test_below(&seed, (size_t)(4 * DAY))) {
				struct asked *q = &w.asked[w.count++];
				unsigned side = (unsigned)test_below(&seed, 2);
				struct hash notice;

				*q = (struct asked){ .filed_ms = ms, .side = side };
				t.now_ms = ms;
				notice = two_notice(&t, side == 0 ? t.y : t.x, side == 0 ? t.x : t.y, classes[0]);
				if (test_below(&seed, 100) < good_at[side]) {
					q->answered_ms = t.now_ms = ms + (int64_t)test_below(&seed, (size_t)(DAY / 2));
					two_answer(&t, side == 0 ? t.x : t.y, notice, "acknowledged");
				}
				ms = t.now_ms;
			}
			if (test_below(&seed, 4) == 0)
				good_at[test_below(&seed, 2)] = test_below(&seed, 101);
			a = read_at(&t, id, end_ms + (int64_t)test_below(&seed, (size_t)HOUR));
			{
				enum window one = twin_judges(&w, 0, end_ms - 20 * DAY, end_ms),
					    two = twin_judges(&w, 1, end_ms - 20 * DAY, end_ms),
					    both = one == WINDOW_MISSED || two == WINDOW_MISSED ? WINDOW_MISSED
						   : one == WINDOW_MET || two == WINDOW_MET	? WINDOW_MET
												: WINDOW_TOO_FEW;

				assert_int_equal(a.terms[0].sides[0].judged, one);
				assert_int_equal(a.terms[0].sides[1].judged, two);
				twin_window(&c, both, end_ms, 3);
				missed += both == WINDOW_MISSED;
				assert_int_equal(a.terms[0].course.state, c.state);
				if (both == WINDOW_TOO_FEW) /* holds, unless a consultation ended */
					assert_true(c.state == before ||
						    (before == COURSE_CONSULT && c.state == COURSE_SUSPENDED));
				if (c.state == COURSE_SUSPENDED && before != COURSE_SUSPENDED)
					assert_true(missed >= 2);
				suspended += c.state == COURSE_SUSPENDED && before != COURSE_SUSPENDED;
				restored += c.state == COURSE_RESTORED && before == COURSE_SUSPENDED;
				before = c.state;
			}
		}
		two_free(&t);
	}
	assert_true(suspended > 5 && restored > 2); /* or it showed nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(lapses_and_begins),
		IN_A_FOLDER(ends),
		IN_A_FOLDER(exit_notice),
		IN_A_FOLDER(leaves_before_it_begins),
		IN_A_FOLDER(nothing_waits_for_what_ended),
		IN_A_FOLDER(table),
		IN_A_FOLDER(resolutions),
		IN_A_FOLDER(resolved_late),
		IN_A_FOLDER(both_sides),
		IN_A_FOLDER(edges),
		IN_A_FOLDER(closes_at_its_end),
		IN_A_FOLDER(any_entry_moves_time),
		IN_A_FOLDER(slept),
		IN_A_FOLDER(flood),
		IN_A_FOLDER(floor_stands),
		IN_A_FOLDER(histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
