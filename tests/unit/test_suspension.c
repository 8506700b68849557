#include "agreement_test.h"

#include "regime/suspension.h"

#define AID "term aid acknowledged at-least 90% within 2d each 30d gives help\n"
#define WINDOW (30 * DAY)

struct scene {
	struct scratch *folder;
	struct two t;
	struct suspensions *known;
	struct hash offer;
};

static struct scene scene_new(void **state)
{
	struct scene s;

	s.folder = *state;
	two_new(&s.t, *state, "a");
	s.offer = two_agree(&s.t, AGREED AID);
	assert_int_equal(suspensions_new(scratch_path(*state, "nobody-is-followed"), &s.known), OK);
	return s;
}

static void scene_free(struct scene *s)
{
	suspensions_free(s->known);
	two_free(&s->t);
}

/* Window i, in which y is asked and answers or not; then it is over. */
static void play(struct scene *s, int i, bool answered)
{
	struct hash asked;

	s->t.now_ms = BEGIN + i * WINDOW + DAY;
	asked = two_notice(&s->t, s->t.x, s->t.y, "malicious-code/infected-system");
	s->t.now_ms += HOUR;
	if (answered)
		two_answer(&s->t, s->t.y, asked, "acknowledged");
	s->t.now_ms = BEGIN + (i + 1) * WINDOW;
	two_tick(&s->t);
}

static void expect(struct scene *s, enum course_state state, enum err share)
{
	const struct state *st = &s->t.b->st;
	struct agreement a = two_read(&s->t, s->offer);

	for (size_t i = 0; i < a.term_count; i++)
		assert_string_equal(course_state_name(a.terms[i].course.state), course_state_name(state));
	assert_int_equal(suspensions_check(s->known, st, SPAN("x.example"), SPAN("y.example"), GIVES_SHARE), share);
	assert_int_equal(suspensions_check(s->known, st, SPAN("y.example"), SPAN("x.example"), GIVES_SHARE), share);
	assert_int_equal(suspensions_check(NULL, st, SPAN("y.example"), SPAN("x.example"), GIVES_HELP), share);
	/* Between others, and of what nobody gives: nothing is withheld. */
	assert_int_equal(suspensions_check(s->known, st, SPAN("x.example"), SPAN("z.example"), GIVES_SHARE), OK);
	assert_int_equal(suspensions_check(s->known, st, SPAN("x.example"), SPAN("x.example"), GIVES_SHARE), OK);
	assert_int_equal(suspensions_check(s->known, st, SPAN(""), SPAN("x.example"), GIVES_SHARE), OK);
	assert_int_equal(suspensions_check(s->known, st, SPAN("x.example"), SPAN("y.example"), GIVES_NOTHING), OK);
}

/* Two missed windows and a consultation in which nobody signs. */
static void suspend(struct scene *s)
{
	play(s, 0, false);
	play(s, 1, false);
	s->t.now_ms += AGREEMENT_CONSULT_MS;
	two_tick(&s->t);
}

static void as_the_course_goes(void **state)
{
	struct scene s = scene_new(state);

	s.t.now_ms = BEGIN;
	two_tick(&s.t);
	expect(&s, COURSE_IN_FORCE, OK);
	play(&s, 0, false);
	expect(&s, COURSE_STRAINED, OK);
	play(&s, 1, false);
	expect(&s, COURSE_CONSULT, OK);
	s.t.now_ms += AGREEMENT_CONSULT_MS - 1;
	two_tick(&s.t);
	expect(&s, COURSE_CONSULT, OK);
	s.t.now_ms += 1;
	two_tick(&s.t);
	expect(&s, COURSE_SUSPENDED, ERR_SUSPENDED);
	play(&s, 2, true);
	expect(&s, COURSE_SUSPENDED, ERR_SUSPENDED);
	play(&s, 3, true);
	expect(&s, COURSE_RESTORED, OK);
	play(&s, 4, true);
	expect(&s, COURSE_IN_FORCE, OK);
	scene_free(&s);
}

static enum err ask(struct scene *s, enum kind k, const struct signer *from, const char *lines)
{
	struct statement parsed;

	assert_int_equal(statement_parse(s->t.b->arena, two_text(&s->t, k, from, lines, NULL), &parsed), OK);
	return suspensions_check_help(s->known, &s->t.b->st, &parsed);
}

/* All that may be said between the two beside help; the door has no word against it. */
static void floor_is_open(struct scene *s)
{
	struct hash notice = two_notice(&s->t, s->t.x, s->t.y, "malicious-code/infected-system");
	const char *re = arena_print(s->t.b->arena, "re %s\n", hex_of(s->t.b->arena, notice));
	const struct {
		enum kind kind;
		const char *lines;
	} rows[] = {
		{ KIND_NOTICE, "to x.example\nclass malicious-code/infected-system\nevents 1\n" SEALED_BODY },
		{ KIND_ANSWER, arena_print(s->t.b->arena, "%soutcome acknowledged\n", re) },
		{ KIND_WITHDRAW, re },
		{ KIND_PLAN, "to x.example\nactivity scan\n" },
		{ KIND_CERTIFICATE, "predicate release\n" },
		{ KIND_REQUEST, "to x.example\nneed ping\n" },
		{ KIND_REQUEST, "to x.example\nneed help\ncritical energy\n" },
		{ KIND_REQUEST, "to all\nneed help\ncritical energy\n" },
		{ KIND_REQUEST, arena_print(s->t.b->arena, "to x.example\nneed forensics\n%s", re) },
		{ KIND_REQUEST, arena_print(s->t.b->arena, "to x.example\nneed help\n%s", re) },
		{ KIND_REQUEST, arena_print(s->t.b->arena, "to x.example\nneed recall\n%s", re) },
	};

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		if (ask(s, rows[i].kind, s->t.y, rows[i].lines) != OK)
			fail_msg("row %zu: %s", i, err_detail());
	assert_true(two_fold_in(&s->t, LEDGER_CIRCLE, KIND_ANSWER, s->t.y,
				arena_print(s->t.b->arena, "%soutcome acknowledged\n", re), NULL));
	assert_int_equal(two_try(&s->t, KIND_REQUEST, s->t.y, "to x.example\nneed help\ncritical energy\n"), OK);
	assert_int_equal(two_try(&s->t, KIND_REQUEST, s->t.x, "to y.example\nneed ping\n"), OK);
}

static void only_help_is_withheld(void **state)
{
	static const struct {
		const char *lines;
		enum err expected;
	} rows[] = {
		{ "to x.example\nneed help\n", ERR_SUSPENDED },
		{ "to z.example\nto x.example\nneed help\n", ERR_SUSPENDED },
		{ "to z.example\ncc x.example\nneed help\n", ERR_SUSPENDED },
		{ "to z.example\nneed help\n", OK },
		{ "to all\nneed help\n", OK }, /* this node has no agreement with y */
	};
	struct scene s = scene_new(state);

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		assert_int_equal(ask(&s, KIND_REQUEST, s.t.y, rows[i].lines), OK);
	suspend(&s);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		if (ask(&s, KIND_REQUEST, s.t.y, rows[i].lines) != rows[i].expected)
			fail_msg("row %zu: %s", i, err_detail());
	assert_int_equal(ask(&s, KIND_REQUEST, s.t.x, "to y.example\nneed help\n"), ERR_SUSPENDED);
	assert_non_null(strstr(err_detail(), "term aid of agreement"));
	/* The node speaks for whom it keeps. */
	assert_int_equal(ask(&s, KIND_REQUEST, s.t.b->node, "to x.example\nneed help\n"), OK);
	assert_int_equal(ask(&s, KIND_REQUEST, s.t.b->node, "to x.example\nneed help\nfor y.example\nvia desk\n"),
			 ERR_SUSPENDED);
	/* The fold knows nothing of doors: what is in the ledger counts. */
	two_say(&s.t, KIND_REQUEST, s.t.y, "to x.example\nneed help\n", NULL);
	floor_is_open(&s);
	scene_free(&s);
}

/* Whoever floods the other with notices gets a missed window out of it, and in the end a suspended term, which binds itself as
 * well. The floor is as it was, and windows go on as before. */
static void a_flood_moves_nothing_but_the_term(void **state)
{
	struct scene s = scene_new(state);

	for (int i = 0; i < 2; i++) {
		s.t.now_ms = BEGIN + i * WINDOW + DAY;
		for (int n = 0; n < 300; n++) {
			s.t.now_ms += HOUR;
			two_notice(&s.t, s.t.y, s.t.x, "malicious-code/infected-system");
		}
		floor_is_open(&s);
		s.t.now_ms = BEGIN + (i + 1) * WINDOW;
		two_tick(&s.t);
	}
	s.t.now_ms += AGREEMENT_CONSULT_MS;
	two_tick(&s.t);
	expect(&s, COURSE_SUSPENDED, ERR_SUSPENDED);
	floor_is_open(&s);
	play(&s, 2, true);
	play(&s, 3, true);
	expect(&s, COURSE_RESTORED, OK);
	scene_free(&s);
}

/* A node that knows these two, or NULL, asks about the agreement. */
static void only_with(struct scene *s, const struct agreement *a, const struct signer *x, const struct signer *y,
		      bool expected)
{
	static unsigned number;
	char name[32];
	struct bare *own;
	bool yes = !expected;

	snprintf(name, sizeof(name), "own-%u", number++);
	own = bare_new(s->folder, name);
	for (int i = 0; i < 2; i++) {
		const struct signer *who = i == 0 ? x : y;

		if (who != NULL)
			assert_int_equal(
				bare_fold(own,
					  party_text(own->arena, "cert.example/public", who, "role operator\n", NULL),
					  LEDGER_PUBLIC, BEGIN),
				OK);
	}
	assert_int_equal(suspension_is_theirs(&own->st, &s->t.b->st, a, &yes), OK);
	assert_int_equal(yes, expected);
	bare_free(own);
}

/* Whoever is followed may put a party's name to a key of its own making: a suspension between such two is nobody's. */
static void only_of_those_whom_we_know(void **state)
{
	struct scene s = scene_new(state);
	struct agreement a = two_read(&s.t, s.offer);
	struct hash seed = hash_bytes("another", 7);
	const struct signer *none = NULL;
	struct signer *false_x = NULL;
	assert_int_equal(signer_from_seed(SPAN("x.example"), seed.bytes, &false_x), OK);
	only_with(&s, &a, none, none, false); /* nobody is known here */
	only_with(&s, &a, s.t.x, none, true); /* one of them, by the same key */
	only_with(&s, &a, none, s.t.y, true);
	only_with(&s, &a, false_x, none, false);
	only_with(&s, &a, false_x, s.t.y, false);
	only_with(&s, &a, s.t.x, s.t.y, true);
	signer_free(false_x);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(as_the_course_goes),
		IN_A_FOLDER(only_help_is_withheld),
		IN_A_FOLDER(a_flood_moves_nothing_but_the_term),
		IN_A_FOLDER(only_of_those_whom_we_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
