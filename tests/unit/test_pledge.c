#include "vouch_test.h"

#include "regime/pledge.h"

#define TERM "term swift acknowledged at-least 90% within 1d each 30d\n"
#define COMMITMENT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HOLD "term hold restraint scan,exercise in power each 90d\n"

struct people {
	struct folk f;
	struct signer *op, *res;
};

static void people_new(struct people *p, struct scratch *s, const char *name, const char *rules)
{
	folk_new(&p->f, s, name);
	p->op = signer_of("op.example");
	p->res = signer_of("res.example");
	folk_party(&p->f, p->op, "");
	folk_party(&p->f, p->res, "");
	if (rules != NULL)
		folk_say(&p->f, KIND_RULES, p->f.b->node, rules, NULL);
}

static void people_free(struct people *p)
{
	signer_free(p->op);
	signer_free(p->res);
	bare_free(p->f.b);
}

static struct hash pledge(struct people *p, const struct signer *who, const char *lines)
{
	struct hash id;

	folk_say(&p->f, KIND_PLEDGE, who, lines, &id);
	return id;
}

static struct pledge read_back(struct people *p, struct hash id)
{
	struct pledge out;

	if (state_pledge(&p->f.b->st, id, &out) != OK)
		fail_msg("%s", err_detail());
	return out;
}

/* Each line of the reader's contract with what it must say. */
static void each_refusal_has_its_name(void **state)
{
	static const struct {
		const char *lines;
		enum err expected;
		const char *says;
	} rows[] = {
		{ "norm un 2015 c\n", OK, "" },
		{ "norm un 2015 c\n" TERM, OK, "" },
		{ "norm un 2015 c\n" TERM "unilateral yes\ntext We mean it.\ndate 2026-01-01T00:00:00Z\n", OK, "" },
		{ "norm un 2015 f\n" HOLD "asset power " COMMITMENT "\nasset power " OTHER "\n", OK, "" },
		{ "norm un 2015 c\nterm a acknowledged at-least 90% within 1d each 30d\nterm b acknowledged at-least "
		  "99% "
		  "within 7d each 30d\n",
		  OK, "" },
		{ TERM, ERR_STATEMENT_HEADER, "norm: missing" },
		{ "norm un 2015 c\nnorm un 2015 h\n", ERR_STATEMENT_HEADER, "norm: 2 times" },
		{ "norm un 2018 c\n", ERR_NORM, "no version 2018" },
		{ "norm un 2015 x\n", ERR_NORM, "has no x" },
		{ "norm goodwill 2015 c\n", ERR_NORM, "no set" },
		{ "norm un 2015 i\n" TERM, ERR_NORM, "acknowledged is no metric of un 2015 i" },
		{ "norm un 2015 e\n" TERM, ERR_NORM, "no metric of un 2015 e" },
		{ "norm un 2015 c\nterm swift goodwill at-least 90% each 30d\n", ERR_TERM, "no metric" },
		{ "norm un 2015 c\nterm swift acknowledged at-least 0% within 1d each 30d\n", ERR_TERM, "everybody" },
		{ "norm un 2015 c\nterm swift acknowledged at-least 90% within 1d each 1s\n", ERR_TERM, "each" },
		{ "norm un 2015 c\n" TERM TERM, ERR_TERM, "contradicts" },
		{ "norm un 2015 c\n" TERM "term x acknowledged at-least 80% within 1d each 30d\n", ERR_TERM,
		  "x: contradicts swift" },
		{ "norm un 2015 c\nterm x acknowledged at-least 80% within 1d each 30d gives share\n", ERR_TERM,
		  "agreements only" },
		{ "norm un 2015 c\nterm x acknowledged at-least 80% within 1d each 30d of op.example\n", ERR_TERM,
		  "agreements only" },
		{ "norm un 2015 f\n" HOLD, ERR_TERM, "no asset line" },
		{ "norm un 2015 f\n" HOLD "asset water " COMMITMENT "\n", ERR_TERM, "no term is about water" },
		{ "norm un 2015 c\n" TERM "asset power " COMMITMENT "\n", ERR_TERM, "no term is about power" },
		{ "norm un 2015 f\n" HOLD "asset power " COMMITMENT "\nasset power " COMMITMENT "\n",
		  ERR_STATEMENT_HEADER, "one commitment twice" },
		{ "norm un 2015 f\n" HOLD "asset power 0011\n", ERR_STATEMENT_HEADER, "64 digits" },
		{ "norm un 2015 f\n" HOLD "asset power\n", ERR_STATEMENT_HEADER, "64 digits" },
		{ "norm un 2015 f\n" HOLD "asset Power " COMMITMENT "\n", ERR_STATEMENT_HEADER, "the name of a set" },
		{ "norm un 2015 c\nunilateral no\n", ERR_STATEMENT_HEADER, "unilateral" },
		{ "norm un 2015 c\ndemonstration perhaps\n", ERR_STATEMENT_HEADER, "demonstration" },
		{ "norm un 2015 c\nstart soon\n", ERR_STATEMENT_HEADER, "start: a time" },
		{ "norm un 2015 c\nstart 2036-01-03T00:00:00Z\n", ERR_STATEMENT_HEADER, "over ten years" },
		{ "norm un 2015 c\nend 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER, "not after the start" },
		{ "norm un 2015 c\nstart 2027-01-01T00:00:00Z\nend 2026-06-01T00:00:00Z\n", ERR_STATEMENT_HEADER,
		  "not after the start" },
		{ "norm un 2015 c\nend 2036-01-03T00:00:00Z\n", ERR_STATEMENT_HEADER, "over ten years" },
		{ "norm un 2015 c\nend 2036-01-01T00:00:00Z\n", OK, "" },
		{ "norm un 2015 c\n" TERM "end 2026-01-30T00:00:00Z\n", ERR_TERM, "ends before its first window" },
		{ "norm un 2015 c\n" TERM "end 2026-01-31T00:00:00Z\n", OK, "" },
		{ "norm un 2015 c\n" TERM "start 2025-12-31T23:59:00Z\nend 2026-01-30T23:59:00Z\n", OK, "" },
		{ "norm un 2015 c\nre " COMMITMENT "\n", ERR_STATEMENT_HEADER, "refers to nothing" },
		{ "norm un 2015 c\nbody text/plain 1 sha256:" COMMITMENT "\n", ERR_STATEMENT_HEADER, "body" },
	};
	struct people p;

	people_new(&p, *state, "names", "version 3\n");
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		enum err e = folk_try_lines(&p.f, KIND_PLEDGE, p.op, rows[i].lines);

		if (e != rows[i].expected || (e != OK && strstr(err_detail(), rows[i].says) == NULL))
			fail_msg("%s: %s\n%s", err_code(e), err_detail(), rows[i].lines);
	}
	people_free(&p);
}

static void sizes_have_their_ends(void **state)
{
	struct buffer many = BUFFER(100000);
	struct people p;

	people_new(&p, *state, "sizes", "version 3\n");
	buffer_print(&many, "norm un 2015 f\n" HOLD);
	for (int i = 0; i < ASSETS_MAX; i++)
		buffer_print(&many, "asset power %064x\n", i);
	buffer_byte(&many, 0);
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, many.at), OK);
	assert_int_equal(read_back(&p, pledge(&p, p.op, many.at)).asset_count, ASSETS_MAX);
	many.len--;
	buffer_print(&many, "asset power %064x\n%c", ASSETS_MAX, 0);
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, many.at), ERR_STATEMENT_HEADER);
	buffer_clear(&many);
	buffer_print(&many, "norm un 2015 c\n");
	for (int i = 0; i < TERMS_MAX; i++)
		buffer_print(&many, "term t%d fixed at-least 90%% within %dd each 30d\n", i, i + 1);
	buffer_byte(&many, 0);
	assert_int_equal(read_back(&p, pledge(&p, p.op, many.at)).term_count, TERMS_MAX);
	many.len--;
	buffer_print(&many, "term t fixed at-least 90%% within 29d each 30d\n%c", 0);
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, many.at), ERR_STATEMENT_HEADER);
	buffer_clear(&many);
	buffer_print(&many, "norm un 2015 c\ntext %0281d\n%c", 0, 0);
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, many.at), ERR_STATEMENT_HEADER);
	buffer_free(&many);
	people_free(&p);
}

static void so_many_and_no_more(void **state)
{
	struct people p;

	people_new(&p, *state, "so-many", "version 3\n");
	for (int i = 0; i < PLEDGES_MAX; i++) {
		char lines[64];

		snprintf(lines, sizeof(lines), "norm un 2015 e\ntext %d\n", i);
		pledge(&p, p.op, lines);
	}
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, "norm un 2015 e\ntext more\n"), ERR_TOO_LONG);
	people_free(&p);
}

static void what_was_pledged_is_read_back(void **state)
{
	struct people p;
	struct pledge x;
	struct hash id;

	people_new(&p, *state, "back", "version 3\n");
	id = pledge(&p, p.op,
		    "norm un 2015 c\nstart 2026-03-01T00:00:00Z\nend 2027-03-01T00:00:00Z\n" TERM
		    "term again re-offence at-most 2.5% each 90d least 40\nunilateral yes\ntext We mean it.\n");
	x = read_back(&p, id);
	assert_true(hash_equal(x.id, id));
	assert_span(x.party, "op.example");
	assert_int_equal(x.index, p.f.b->size[LEDGER_PUBLIC] - 1);
	assert_string_equal(x.set->name, "un");
	assert_int_equal(x.set->version, 2015);
	assert_string_equal(x.norm->id, "c");
	assert_int_equal(x.start_ms, START + 59 * DAY);
	assert_int_equal(x.end_ms, START + 424 * DAY);
	assert_true(x.unilateral && !x.withdrawn && !x.demonstration);
	assert_int_equal(x.term_count, 2);
	assert_span(x.terms[0].name, "swift");
	assert_int_equal(x.terms[0].threshold, 9000);
	assert_int_equal(x.terms[1].metric, METRIC_RE_OFFENCE);
	assert_int_equal(x.terms[1].least, 40);
	assert_span(x.text, "We mean it.");

	id = pledge(&p, p.res,
		    "norm osce 2016 3\nstart 2020-01-01T00:00:00Z\n" HOLD "asset power " COMMITMENT
		    "\nasset power " OTHER "\ndemonstration yes\n");
	x = read_back(&p, id);
	assert_int_equal(x.start_ms, START); /* never before it was logged */
	assert_int_equal(x.end_ms, INT64_MAX);
	assert_true(x.demonstration && !x.unilateral);
	assert_int_equal(x.asset_count, 2);
	assert_span(x.assets[1].set, "power");
	assert_string_equal(hex_of(p.f.b->arena, x.assets[1].commitment), OTHER);
	assert_int_equal(x.text.len, 0);

	assert_int_equal(state_pledge(&p.f.b->st, hash_bytes("x", 1), &x), ERR_MATTER_UNKNOWN);
	people_free(&p);
}

/* What was promised to the words of one version stays so, whatever versions there are. */
static void an_old_pledge_keeps_its_set(void **state)
{
	struct people p;
	struct pledge old, new;

	people_new(&p, *state, "sets", "version 3\n");
	old = read_back(&p, pledge(&p, p.op, "norm un 2015 c\n" TERM));
	new = read_back(&p, pledge(&p, p.op, "norm un 2021 c\n" TERM));
	assert_int_equal(old.set->version, 2015);
	assert_int_equal(new.set->version, 2021);
	assert_string_not_equal(old.norm->text, new.norm->text);
	people_free(&p);
}

static enum err name_it(void *context, const struct pledge *p)
{
	struct buffer *b = context;

	buffer_print(b, "%.*s %s%s, ", SPAN_FORMAT(p->party), p->norm->id, p->withdrawn ? " withdrawn" : "");
	return OK;
}

static void all_are_told_by_name_and_ledger(void **state)
{
	struct buffer b = BUFFER(1000);
	struct people p;
	struct hash id;

	people_new(&p, *state, "all", "version 3\n");
	pledge(&p, p.res, "norm un 2015 j\n");
	id = pledge(&p, p.op, "norm un 2015 c\n");
	pledge(&p, p.op, "norm un 2015 a\n");
	folk_withdraw(&p.f, p.op, id, "");
	assert_int_equal(state_pledges(&p.f.b->st, SPAN(""), name_it, &b), OK);
	assert_span(buffer_view(&b), "op.example c withdrawn, op.example a, res.example j, ");
	buffer_clear(&b);
	assert_int_equal(state_pledges(&p.f.b->st, SPAN("res.example"), name_it, &b), OK);
	assert_span(buffer_view(&b), "res.example j, ");
	buffer_clear(&b);
	assert_int_equal(state_pledges(&p.f.b->st, SPAN("es.example"), name_it, &b), OK);
	assert_int_equal(b.len, 0);
	buffer_free(&b);
	people_free(&p);
}

static void a_withdrawal_ends_it(void **state)
{
	struct people p;
	struct pledge x;
	struct hash id, later;

	people_new(&p, *state, "withdrawn", "version 3\n");
	id = pledge(&p, p.op, "norm un 2015 c\nend 2027-01-01T00:00:00Z\n" TERM);
	later = pledge(&p, p.op, "norm un 2015 c\nstart 2026-06-01T00:00:00Z\n" TERM);
	p.f.now_ms += 40 * DAY;
	assert_int_equal(folk_try_lines(&p.f, KIND_WITHDRAW, p.res,
					arena_print(p.f.b->arena, "re %s\n", hex_of(p.f.b->arena, id))),
			 ERR_NOT_YOURS);
	folk_withdraw(&p.f, p.op, id, "text We cannot keep it.\n");
	x = read_back(&p, id);
	assert_true(x.withdrawn);
	assert_int_equal(x.end_ms, START + 40 * DAY);
	assert_int_equal(x.term_count, 1); /* it stays told */
	assert_int_equal(folk_try_lines(&p.f, KIND_WITHDRAW, p.op,
					arena_print(p.f.b->arena, "re %s\n", hex_of(p.f.b->arena, id))),
			 ERR_OUTCOME);
	folk_withdraw(&p.f, p.op, later, "");
	x = read_back(&p, later);
	assert_int_equal(x.end_ms, x.start_ms); /* it never began */

	id = pledge(&p, p.op, "norm un 2015 c\nend 2026-04-01T00:00:00Z\n" TERM);
	p.f.now_ms += 300 * DAY;
	folk_withdraw(&p.f, p.op, id, "");
	assert_int_equal(read_back(&p, id).end_ms, START + 90 * DAY); /* it had ended before */
	people_free(&p);
}

static void nobody_answers_a_pledge_but_by_restraint(void **state)
{
	static const char *const outcomes[] = { "acknowledged", "accepted", "objected", "fixed", "closed", "resolved" };
	struct people p;
	struct hash id;

	people_new(&p, *state, "answers", "version 3\n");
	id = pledge(&p, p.op, "norm un 2015 c\n" TERM);
	for (size_t i = 0; i < TABLE_LENGTH(outcomes); i++)
		assert_int_not_equal(folk_try_lines(&p.f, KIND_ANSWER, p.res,
						    arena_print(p.f.b->arena, "re %s\noutcome %s\n",
								hex_of(p.f.b->arena, id), outcomes[i])),
				     OK);
	people_free(&p);
}

/* ---- due ---- */

/* What is asked of whom, in days from when it was logged; the notice names another due if `due` says so. */
static int64_t due_of(struct people *p, const char *to, const char *class, const char *due, struct hash *id)
{
	struct matter m;
	struct hash unused;
	struct arena *a = p->f.b->arena;
	const char *lines = arena_print(a, "to %s\nclass %s\nevents %ju\n%s" SEALED_BODY, to, class,
					(uintmax_t)p->f.b->size[LEDGER_CIRCLE] + 1, due);

	if (id == NULL)
		id = &unused;
	assert_int_equal(bare_fold(p->f.b, statement_text(a, KIND_NOTICE, "cert.example/circle", p->res, lines, id),
				   LEDGER_CIRCLE, p->f.now_ms),
			 OK);
	if (state_matter(&p->f.b->st, *id, &m) != OK)
		fail_msg("folds to nothing: %s", lines);
	assert_int_equal(m.first_due_ms, m.due_ms);
	return m.due_ms - p->f.now_ms;
}

#define INFECTED "malicious-code/infected-system" /* 3 days */
#define WEAK "vulnerable/weak-crypto"		  /* 14 days */
#define PHISHING "fraud/phishing"		  /* 1 day */

static void a_pledge_shortens_and_never_lengthens(void **state)
{
	struct people p;
	struct hash id;

	people_new(&p, *state, "due", "version 3\n");
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY);
	id = pledge(&p, p.op, "norm un 2015 c\nterm a acknowledged at-least 90% within 5d each 30d\n");
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY); /* the class is shorter */
	assert_int_equal(due_of(&p, "op.example", WEAK, "", NULL), 5 * DAY);
	assert_int_equal(due_of(&p, "op.example", PHISHING, "", NULL), DAY);
	pledge(&p, p.op, "norm un 2015 c\nterm a fixed at-least 90% within 1h each 30d\n"); /* no word of answering */
	assert_int_equal(due_of(&p, "op.example", WEAK, "", NULL), 5 * DAY);
	pledge(&p, p.op,
	       "norm un 2015 h\nterm a acknowledged at-least 99% within 8d each 30d\n"
	       "term b acknowledged at-least 50% within 36h each 30d\n");
	assert_int_equal(due_of(&p, "op.example", WEAK, "", NULL), 36 * HOUR);
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 36 * HOUR);
	assert_int_equal(due_of(&p, "op.example", PHISHING, "", NULL), DAY);

	/* Of who is addressed first, and of nobody else. */
	assert_int_equal(due_of(&p, "other.example", WEAK, "", NULL), 14 * DAY);
	assert_int_equal(due_of(&p, "other.example\nto op.example", WEAK, "", NULL), 14 * DAY);
	assert_int_equal(due_of(&p, "op.example\nto other.example", WEAK, "", NULL), 36 * HOUR);
	assert_int_equal(due_of(&p, "AS64500", WEAK, "", NULL), 14 * DAY);
	assert_int_equal(due_of(&p, "p.example", WEAK, "", NULL), 14 * DAY);

	/* A notice may only give more: more than the pledge does, now. */
	assert_int_equal(due_of(&p, "op.example", WEAK, "due 2026-01-04T00:00:00Z\n", NULL), 3 * DAY);
	assert_int_equal(bare_fold(p.f.b,
				   statement_text(p.f.b->arena, KIND_NOTICE, "cert.example/circle", p.res,
						  "to op.example\nclass " WEAK
						  "\nevents 1\ndue 2026-01-02T11:59:59Z\n" SEALED_BODY,
						  &id),
				   LEDGER_CIRCLE, p.f.now_ms),
			 OK);
	assert_int_equal(state_matter(&p.f.b->st, id, &(struct matter){ 0 }), ERR_MATTER_UNKNOWN);
	people_free(&p);
}

/* A notice whose home knew of a pledge that never came here; when it is due here, in days, or -1 if it folds to nothing. */
static int64_t guest_due(struct people *p)
{
	struct matter m;
	struct hash id;
	enum err e;

	p->f.b->st.is_guest = true;
	p->f.b->st.home_ms = p->f.now_ms;
	assert_int_equal(bare_fold(p->f.b,
				   statement_text(p->f.b->arena, KIND_NOTICE, "far.example/circle", p->res,
						  "to op.example\nclass " WEAK
						  "\nevents 1\ndue 2026-01-03T00:00:00Z\n" SEALED_BODY,
						  &id),
				   LEDGER_CIRCLE, p->f.now_ms),
			 OK);
	p->f.b->st.is_guest = false;
	e = state_matter(&p->f.b->st, id, &m);
	return e == OK ? (m.due_ms - p->f.now_ms) / DAY : -1;
}

static void a_guest_is_not_lost_for_a_pledge_that_is_unknown_here(void **state)
{
	struct people p;

	people_new(&p, *state, "guest", "version 3\n");
	assert_int_equal(guest_due(&p), 14); /* the accused loses nothing by it */
	people_free(&p);
	people_new(&p, *state, "guest-before", NULL);
	assert_int_equal(guest_due(&p), -1); /* as it always was */
	people_free(&p);
}

static void due_follows_the_time_of_the_pledge(void **state)
{
	struct people p;
	struct hash id, notice;
	struct matter m;

	people_new(&p, *state, "times", "version 3\n");
	pledge(&p, p.op, "norm un 2015 c\nstart 2026-02-01T00:00:00Z\nend 2026-04-01T00:00:00Z\n" TERM);
	pledge(&p, p.op, "norm un 2015 c\ndemonstration yes\nterm a acknowledged at-least 9% within 1h each 30d\n");
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", &notice), 3 * DAY); /* not yet */
	p.f.now_ms = START + 31 * DAY;
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), DAY);

	/* Opened again, its clock is that of now. */
	assert_int_equal(bare_fold(p.f.b,
				   statement_text(p.f.b->arena, KIND_ANSWER, "cert.example/circle", p.op,
						  arena_print(p.f.b->arena, "re %s\noutcome fixed\n",
							      hex_of(p.f.b->arena, notice)),
						  NULL),
				   LEDGER_CIRCLE, p.f.now_ms),
			 OK);
	assert_int_equal(bare_fold(p.f.b,
				   statement_text(p.f.b->arena, KIND_ANSWER, "cert.example/circle", p.res,
						  arena_print(p.f.b->arena, "re %s\noutcome re-observed\n",
							      hex_of(p.f.b->arena, notice)),
						  NULL),
				   LEDGER_CIRCLE, p.f.now_ms),
			 OK);
	assert_int_equal(state_matter(&p.f.b->st, notice, &m), OK);
	assert_int_equal(m.due_ms, p.f.now_ms + DAY);
	assert_int_equal(m.first_due_ms, START + 3 * DAY); /* which never moves */

	p.f.now_ms = START + 90 * DAY;
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY); /* no longer */
	id = pledge(&p, p.op, "norm un 2015 c\n" TERM);
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", &notice), DAY);
	folk_withdraw(&p.f, p.op, id, "");
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY);
	assert_int_equal(state_matter(&p.f.b->st, notice, &m), OK);
	assert_int_equal(m.due_ms, p.f.now_ms + DAY); /* what was told in its time stays */
	people_free(&p);
}

static enum err count_it(void *context, struct span key, struct span value)
{
	(void)key;
	(void)value;
	(*(size_t *)context)++;
	return OK;
}

/* Before rules 3 a pledge is an id and nothing else. */
static void older_rules_fold_as_before(void **state)
{
	struct people p;
	struct hash id;
	size_t count = 0;

	people_new(&p, *state, "old", NULL);
	assert_int_equal(folk_try_lines(&p.f, KIND_PLEDGE, p.op, "norm un 2015 c\n" TERM), ERR_RULES);
	assert_int_equal(bare_fold(p.f.b,
				   statement_text(p.f.b->arena, KIND_PLEDGE, "cert.example/public", p.op,
						  "norm un 2015 c\n" TERM, &id),
				   LEDGER_PUBLIC, START),
			 OK);
	assert_false(p.f.b->st.effective);
	assert_int_equal(view_walk(p.f.b->st.snapshot, VIEW_STATE, SPAN("G"), SPAN(""), count_it, &count), OK);
	assert_int_equal(count, 0);
	assert_int_equal(state_pledge(&p.f.b->st, id, &(struct pledge){ 0 }), ERR_MATTER_UNKNOWN);
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY);

	/* Nor does it come to life when the rules change. */
	folk_say(&p.f, KIND_RULES, p.f.b->node, "version 3\n", NULL);
	assert_int_equal(state_pledge(&p.f.b->st, id, &(struct pledge){ 0 }), ERR_MATTER_UNKNOWN);
	assert_int_equal(due_of(&p, "op.example", INFECTED, "", NULL), 3 * DAY);
	people_free(&p);
}

static void one_ledger_gives_one_state(void **state)
{
	struct hash digest[2];

	for (int i = 0; i < 2; i++) {
		struct people p;
		struct hash id;

		people_new(&p, *state, i == 0 ? "one" : "two", "version 3\n");
		id = pledge(&p, p.op, "norm un 2015 c\n" TERM "text once\n");
		pledge(&p, p.res, "norm un 2015 f\n" HOLD "asset power " COMMITMENT "\n");
		due_of(&p, "op.example", WEAK, "", NULL);
		p.f.now_ms += 5 * DAY;
		folk_withdraw(&p.f, p.op, id, "");
		due_of(&p, "op.example", WEAK, "", NULL);
		assert_int_equal(state_digest(&p.f.b->st, &digest[i]), OK);
		people_free(&p);
	}
	assert_true(hash_equal(digest[0], digest[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_refusal_has_its_name, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sizes_have_their_ends, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(so_many_and_no_more, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_was_pledged_is_read_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(an_old_pledge_keeps_its_set, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(all_are_told_by_name_and_ledger, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_withdrawal_ends_it, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(nobody_answers_a_pledge_but_by_restraint, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_pledge_shortens_and_never_lengthens, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_guest_is_not_lost_for_a_pledge_that_is_unknown_here, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(due_follows_the_time_of_the_pledge, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(older_rules_fold_as_before, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(one_ledger_gives_one_state, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
