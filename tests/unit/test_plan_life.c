#include "regime/plan_life.h"

#include "regime.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define T0 INT64_C(1790812800000) /* 2026-10-01T00:00:00Z */
#define LEDGER "cert.example/public"
#define CIRCLE_LEDGER "cert.example/circle"

/* ---- parties, plans, answers ---- */

struct scene {
	struct bare *b;
	struct signer *scan, *op, *res, *team;
	int64_t now;
};

static struct hash said(struct scene *s, enum kind k, enum ledger_id l, const struct signer *who, const char *lines)
{
	struct hash id;
	struct span note = statement_text(s->b->arena, k, l == LEDGER_PUBLIC ? LEDGER : CIRCLE_LEDGER, who, lines, &id);

	assert_int_equal(bare_fold(s->b, note, l, s->now), OK);
	return id;
}

/* What the door would say. */
static enum err tried(struct scene *s, enum kind k, enum ledger_id l, const struct signer *who, const char *lines)
{
	struct state st = s->b->st;
	struct statement parsed;

	st.ledger = l;
	st.index = s->b->size[l];
	st.logged_ms = s->now;
	assert_int_equal(statement_parse(s->b->arena,
					 statement_text(s->b->arena, k, l == LEDGER_PUBLIC ? LEDGER : CIRCLE_LEDGER,
							who, lines, NULL),
					 &parsed),
			 OK);
	return state_check(&st, &parsed);
}

static struct signer *join(struct scene *s, const char *domain, const char *lines, bool approve)
{
	struct signer *key = signer_of(domain);
	struct hash id;

	assert_int_equal(bare_fold(s->b, party_text(s->b->arena, LEDGER, key, lines, &id), LEDGER_PUBLIC, s->now), OK);
	if (approve)
		said(s, KIND_ANSWER, LEDGER_PUBLIC, s->b->node,
		     arena_print(s->b->arena, "re %s\noutcome accepted\n", hex_of(s->b->arena, id)));
	return key;
}

static struct scene scene_new(void **state, const char *name)
{
	struct scene s = { .b = bare_new(*state, name), .now = T0 };

	said(&s, KIND_RULES, LEDGER_PUBLIC, s.b->node, "version 2\n");
	s.scan = join(&s, "scan.example", "role researcher\n", false);
	s.op = join(&s, "op.example", "role operator\nclaim prefix 192.0.2.0/24\nclaim AS64500\n", true);
	s.res = join(&s, "res.example", "role researcher\nclaim prefix 203.0.113.0/24\n", false);
	s.team = join(&s, "team.example", "role response-team\nrole researcher\n", false);
	return s;
}

static void scene_free(struct scene *s)
{
	signer_free(s->scan);
	signer_free(s->op);
	signer_free(s->res);
	signer_free(s->team);
	bare_free(s->b);
}

static const char *when(struct scene *s, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_copy(s->b->arena, text, strlen(text));
}

static const char *plan_lines(struct scene *s, int64_t start, int64_t end, const char *more)
{
	return arena_print(s->b->arena, "activity scan\nstart %s\nend %s\npurpose test\nsource 198.51.100.0/24\n%s",
			   when(s, start), when(s, end), more);
}

static struct hash file(struct scene *s, int64_t start, int64_t end, const char *more)
{
	return said(s, KIND_PLAN, LEDGER_PUBLIC, s->scan, plan_lines(s, start, end, more));
}

static const char *about(struct scene *s, struct hash id, const char *lines)
{
	return arena_print(s->b->arena, "re %s\n%s", hex_of(s->b->arena, id), lines);
}

static struct hash answer(struct scene *s, const struct signer *who, struct hash plan, const char *lines)
{
	return said(s, KIND_ANSWER, LEDGER_PUBLIC, who,
		    about(s, plan, arena_print(s->b->arena, "outcome %s\n", lines)));
}

static enum err try_answer(struct scene *s, const struct signer *who, struct hash plan, const char *lines)
{
	return tried(s, KIND_ANSWER, LEDGER_PUBLIC, who,
		     about(s, plan, arena_print(s->b->arena, "outcome %s\n", lines)));
}

static struct plan_life life_of(struct scene *s, struct hash plan, int64_t now)
{
	struct plan_life life;

	assert_int_equal(plan_life(&s->b->st, plan, now, &life), OK);
	return life;
}

static void expect_phase(struct scene *s, struct hash plan, int64_t now, enum plan_phase phase)
{
	enum plan_phase got = life_of(s, plan, now).phase;

	if (got != phase)
		fail_msg("%s, not %s", plan_phase_name(got), plan_phase_name(phase));
}

static enum err count(void *context, const struct matter *m)
{
	(void)m;
	++*(unsigned *)context;
	return OK;
}

static unsigned overdue(struct scene *s, int64_t now)
{
	unsigned n = 0;

	assert_int_equal(plans_overdue(&s->b->st, now, count, &n), OK);
	return n;
}

/* ---- the way of a plan ---- */

static void every_phase(void **state)
{
	struct scene s = scene_new(state, "views");
	int64_t start = T0 + HOUR, end = T0 + 2 * HOUR;
	struct hash id = file(&s, start, end, "target any\nto all\n"),
		    other = file(&s, start, end, "target any\nrate 7\n");

	assert_false(life_of(&s, id, start).short_notice);
	expect_phase(&s, id, T0, PHASE_FILED);
	expect_phase(&s, id, start - 1, PHASE_FILED);
	expect_phase(&s, id, start, PHASE_ACTIVE);
	answer(&s, s.op, id, "acknowledged");
	answer(&s, s.res, id, "objected\ntext our desk is not staffed then");
	assert_int_equal(life_of(&s, id, T0).acknowledged, 2);
	assert_int_equal(life_of(&s, id, T0).objected, 1);
	answer(&s, s.res, id, "accepted");
	assert_int_equal(life_of(&s, id, T0).objected, 0);
	assert_int_equal(life_of(&s, id, T0).accepted, 1);
	answer(&s, s.scan, id, "delayed");
	expect_phase(&s, id, start, PHASE_DELAYED);
	s.now = start + 10 * MINUTE;
	answer(&s, s.scan, id, "started");
	expect_phase(&s, id, s.now, PHASE_ACTIVE);
	answer(&s, s.scan, id, "suspended");
	expect_phase(&s, id, s.now, PHASE_SUSPENDED);
	/* At the very second. */
	expect_phase(&s, id, end + 30 * MINUTE - 1, PHASE_SUSPENDED);
	expect_phase(&s, id, end + 30 * MINUTE, PHASE_UNCERTAIN);
	expect_phase(&s, id, end + 2 * HOUR - 1, PHASE_UNCERTAIN);
	expect_phase(&s, id, end + 2 * HOUR, PHASE_ALERT);
	assert_int_equal(overdue(&s, end + 30 * MINUTE - 1), 0);
	assert_int_equal(overdue(&s, end + 30 * MINUTE), 2);
	/* A word puts the alarm off. */
	s.now = end + HOUR;
	answer(&s, s.scan, id, "started\ntext it takes longer");
	expect_phase(&s, id, end + 2 * HOUR, PHASE_UNCERTAIN);
	expect_phase(&s, id, end + 3 * HOUR, PHASE_ALERT);
	answer(&s, s.scan, id, "closed");
	expect_phase(&s, id, end + 3 * HOUR, PHASE_CLOSED);
	assert_int_equal(overdue(&s, end + 30 * MINUTE), 1);
	said(&s, KIND_WITHDRAW, LEDGER_PUBLIC, s.scan, about(&s, other, ""));
	expect_phase(&s, other, end + 3 * HOUR, PHASE_CANCELLED);
	assert_int_equal(overdue(&s, INT64_MAX), 0);
	scene_free(&s);
}

static void who_may_say_what(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash id = file(&s, T0 + HOUR, T0 + 2 * HOUR, "target any\n");
	static const char *const own[] = { "started", "delayed", "suspended", "closed" };
	static const char *const others[] = { "acknowledged", "objected", "accepted",
					      "re-observed\nseen 2026-10-01T09:00:00Z" };

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(try_answer(&s, s.scan, id, own[i]), OK);
		assert_int_equal(try_answer(&s, s.op, id, own[i]), ERR_NOT_YOURS);
		assert_int_equal(try_answer(&s, s.op, id, others[i]), OK);
		assert_int_equal(try_answer(&s, s.scan, id, others[i]), ERR_NOT_YOURS);
	}
	assert_int_equal(try_answer(&s, s.op, id, "re-observed"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.op, id, "acknowledged\nseen 2026-10-01T09:00:00Z"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.op, id, "fixed"), ERR_OUTCOME);
	answer(&s, s.scan, id, "closed");
	assert_int_equal(try_answer(&s, s.scan, id, "started"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.op, id, "re-observed\nseen 2026-10-01T09:00:00Z"), ERR_OUTCOME);
	scene_free(&s);
}

/* Seen outside: at once, and from then on until it is closed. Inside its window, or within what clocks differ: nothing. */
static void distress(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash id = file(&s, T0 + HOUR, T0 + 2 * HOUR, "target any\nrepeat daily 2\n");

	answer(&s, s.op, id, "re-observed\nseen 2026-10-01T01:30:00Z");
	answer(&s, s.op, id, "re-observed\nseen 2026-10-01T02:01:00Z");
	expect_phase(&s, id, T0 + 3 * HOUR, PHASE_ACTIVE);
	assert_int_equal(overdue(&s, T0 + 24 * HOUR), 0);
	s.now = T0 + 4 * HOUR;
	answer(&s, s.res, id, "re-observed\nseen 2026-10-01T02:01:01Z");
	expect_phase(&s, id, T0 + 4 * HOUR, PHASE_DISTRESS);
	assert_int_equal(overdue(&s, s.now - 1), 0);
	assert_int_equal(overdue(&s, s.now), 1);
	answer(&s, s.scan, id, "closed");
	expect_phase(&s, id, T0 + 90 * HOUR, PHASE_CLOSED);
	assert_int_equal(overdue(&s, INT64_MAX), 0);
	scene_free(&s);
}

static void short_notice(void **state)
{
	struct scene s = scene_new(state, "views");
	static const struct {
		const char *activity;
		int64_t notice;
	} cases[] = { { "scan", 0 }, { "maintenance", 3 * DAY }, { "exercise", 14 * DAY }, { "takedown", HOUR } };

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		for (int late = 0; late < 2; late++) {
			int64_t start = T0 + cases[i].notice - late * 1000;
			const char *lines = arena_print(
				s.b->arena,
				"activity %s\nstart %s\nend %s\npurpose test\nsource 198.51.100.0/24\ntarget any\n",
				cases[i].activity, when(&s, start), when(&s, start + HOUR));

			assert_int_equal(
				life_of(&s, said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, lines), T0).short_notice, late);
		}
	scene_free(&s);
}

/* ---- changes ---- */

static void changes_go_forward(void **state)
{
	struct scene s = scene_new(state, "views");
	int64_t start = T0 + HOUR, end = T0 + 3 * HOUR;
	struct hash one = file(&s, start, end, "target any\n"), two;

	s.now = T0 + 2 * HOUR;
	assert_int_equal(
		tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.op, about(&s, one, plan_lines(&s, start, end, "target any\n"))),
		ERR_NOT_YOURS);
	/* Not what is before it: neither by beginning earlier nor by ending before now. */
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			       about(&s, one, plan_lines(&s, start - 1000, end, "target any\n"))),
			 ERR_PLAN_WINDOW);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			       about(&s, one, plan_lines(&s, start, s.now, "target any\n"))),
			 ERR_PLAN_WINDOW);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			       about(&s, one, plan_lines(&s, s.now - 1000, end, "target any\n"))),
			 ERR_PLAN_WINDOW);
	two = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
		   about(&s, one, plan_lines(&s, start, end + HOUR, "target any\n")));
	expect_phase(&s, one, s.now, PHASE_CHANGED);
	expect_phase(&s, two, s.now, PHASE_ACTIVE);
	assert_true(life_of(&s, one, s.now).has_after && hash_equal(life_of(&s, one, s.now).after, two));
	assert_true(life_of(&s, two, s.now).has_before && hash_equal(life_of(&s, two, s.now).before, one));
	assert_int_equal(
		tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, one, plan_lines(&s, start, end, "target any\n"))),
		ERR_OUTCOME);
	assert_int_equal(overdue(&s, end + 30 * MINUTE), 0);
	assert_int_equal(overdue(&s, end + HOUR + 30 * MINUTE), 1);
	scene_free(&s);
}

/* ---- sealed ---- */

#define NONCE "abababababababababababababababababababababababababababababababab"

static const char *commitment(struct scene *s, const char *author, const char *terms)
{
	uint8_t nonce[SEAL_SALT_SIZE];

	memset(nonce, 0xab, sizeof(nonce));
	return hex_of(s->b->arena,
		      seal_commitment(span_of(author), SPAN(""), SPAN("text/plain"), nonce, span_of(terms)));
}

static void sealed_and_revealed(void **state)
{
	struct scene s = scene_new(state, "views");
	const char *terms = plan_lines(&s, T0 + HOUR, T0 + 2 * HOUR, "target any\n");
	const char *reveal = arena_print(s.b->arena, "nonce " NONCE "\n%s", terms);
	struct hash id = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			      arena_print(s.b->arena, "commitment %s\n", commitment(&s, "scan.example", terms)));
	struct hash shown;
	struct matter m;

	expect_phase(&s, id, T0 + 99 * HOUR, PHASE_SEALED);
	assert_int_equal(overdue(&s, INT64_MAX), 0);
	answer(&s, s.op, id, "acknowledged");
	assert_int_equal(life_of(&s, id, T0).countersigned, 1);
	answer(&s, s.res, id, "acknowledged");
	answer(&s, s.res, id, "acknowledged\ntext twice is once");
	said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.b->node,
	     about(&s, id, "outcome acknowledged\nfor team.example\nvia mail\n"));
	assert_int_equal(life_of(&s, id, T0).countersigned, 2);
	s.now = T0 + 3 * HOUR;
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, id, terms)), ERR_SEALED);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			       about(&s, id, arena_print(s.b->arena, "nonce " NONCE "\n%srate 5\n", terms))),
			 ERR_SEALED);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
			       about(&s, id, arena_print(s.b->arena, "nonce cd%s\n%s", &NONCE[2], terms))),
			 ERR_SEALED);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.res, about(&s, id, reveal)), ERR_NOT_YOURS);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, reveal), ERR_STATEMENT_HEADER);
	shown = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, id, reveal));
	expect_phase(&s, id, s.now, PHASE_REVEALED);
	expect_phase(&s, shown, s.now, PHASE_UNCERTAIN);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, id, reveal)), ERR_STATEMENT_REPEATED);
	/* It was filed before its start, says the seal, though it was shown after the end. */
	assert_false(life_of(&s, shown, s.now).short_notice);
	/* Who signs after the reveal countersigns nothing. */
	answer(&s, s.team, id, "acknowledged");
	assert_int_equal(life_of(&s, id, s.now).countersigned, 2);
	assert_int_equal(state_matter(&s.b->st, shown, &m), OK);
	scene_free(&s);
}

/* One countersignature is too few: then it was filed when it was shown. Who copies a commitment cannot open it. */
static void sealed_alone(void **state)
{
	struct scene s = scene_new(state, "views");
	const char *terms = plan_lines(&s, T0 + HOUR, T0 + 2 * HOUR, "target any\n");
	const char *c = arena_print(s.b->arena, "commitment %s\n", commitment(&s, "scan.example", terms));
	const char *reveal = arena_print(s.b->arena, "nonce " NONCE "\n%s", terms);
	struct hash id = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, c),
		    copy = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.res, c);
	struct hash narrow =
		said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
		     arena_print(s.b->arena, "%sstart 2026-10-01T01:00:01Z\nend 2026-10-01T03:00:00Z\n", c));

	answer(&s, s.op, id, "acknowledged");
	s.now = T0 + 3 * HOUR;
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.res, about(&s, copy, reveal)), ERR_SEALED);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, narrow, reveal)), ERR_SEALED);
	assert_true(life_of(&s, said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, about(&s, id, reveal)), s.now).short_notice);
	scene_free(&s);
}

/* ---- who breaks in ---- */

#define BREAK_IN                                                                                                       \
	"activity red-team\nstart 2026-10-20T00:00:00Z\nend 2026-10-21T00:00:00Z\npurpose test\nsource "               \
	"198.51.100.0/24\n"

static void intrusive(void **state)
{
	struct scene s = scene_new(state, "views");
	static const struct {
		const char *lines;
		enum err e;
	} cases[] = {
		{ BREAK_IN "target 192.0.2.0/25\nto op.example\n", OK },
		{ BREAK_IN "target AS64500\nto op.example\n", OK },
		{ BREAK_IN "target any\nto op.example\n", ERR_CONSENT },
		{ BREAK_IN "target country EE\nto op.example\n", ERR_CONSENT },
		{ BREAK_IN "target op.example\nto op.example\n", ERR_CONSENT },
		{ BREAK_IN "target 192.0.2.0/25\n", ERR_CONSENT },
		{ BREAK_IN "target 192.0.2.0/25\nto all\n", ERR_CONSENT },
		{ BREAK_IN "target 192.0.2.0/25\nto AS64500\n", ERR_CONSENT },
	};

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, cases[i].lines), cases[i].e);
		/* A response team's key, whatever else its party is. */
		assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, cases[i].lines), ERR_ROLE);
	}
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, plan_lines(&s, T0, T0 + HOUR, "target any\n")),
			 OK);
	scene_free(&s);
}

/* An open plan of a response team does not become intrusive by a change, nor by what a seal hid. */
static void response_team_by_the_back_door(void **state)
{
	struct scene s = scene_new(state, "views");
	const char *harm = BREAK_IN "target 192.0.2.0/25\nto op.example\n";
	struct hash open = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, plan_lines(&s, T0, T0 + HOUR, "target any\n"));
	struct hash sealed = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.team,
				  arena_print(s.b->arena, "commitment %s\n", commitment(&s, "team.example", harm)));
	const char *reveal = about(&s, sealed, arena_print(s.b->arena, "nonce " NONCE "\n%s", harm));

	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, about(&s, open, harm)), ERR_ROLE);
	assert_int_equal(tried(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, reveal), ERR_ROLE);
	said(&s, KIND_PLAN, LEDGER_PUBLIC, s.team, reveal); /* and if it were logged all the same: nothing */
	expect_phase(&s, sealed, T0, PHASE_SEALED);
	scene_free(&s);
}

static void consent(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash id = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, BREAK_IN "target 192.0.2.0/25\nto op.example\n");
	struct hash both = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
				BREAK_IN "target 192.0.2.0/25\ntarget 203.0.113.0/24\nto op.example\nto res.example\n");

	assert_true(life_of(&s, id, T0).needs_consent);
	assert_false(life_of(&s, id, T0).has_consent);
	answer(&s, s.res, id, "accepted"); /* who is not asked does not consent */
	assert_false(life_of(&s, id, T0).has_consent);
	answer(&s, s.op, id, "accepted");
	assert_true(life_of(&s, id, T0).has_consent);
	s.now += HOUR;
	answer(&s, s.op, id, "objected");
	assert_false(life_of(&s, id, T0).has_consent);
	s.now = T0 + 19 * DAY + 1; /* after the start */
	answer(&s, s.op, id, "accepted");
	assert_false(life_of(&s, id, T0).has_consent);
	/* Both said yes, but nobody knows that the second prefix is res.example's. */
	s.now = T0 + DAY;
	answer(&s, s.op, both, "accepted");
	answer(&s, s.res, both, "accepted");
	assert_false(life_of(&s, both, T0).has_consent);
	scene_free(&s);
}

/* Its party statement anew, without the claims: what it held ends. */
static void drop_claims(struct scene *s)
{
	struct hash id;

	assert_int_equal(
		bare_fold(s->b, party_text(s->b->arena, LEDGER, s->op, "role operator\n", &id), LEDGER_PUBLIC, s->now),
		OK);
}

/* What counts is what was held when the plan began. */
static void consent_of_who_held_it_then(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash id = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, BREAK_IN "target 192.0.2.0/25\nto op.example\n");

	answer(&s, s.op, id, "accepted");
	assert_true(life_of(&s, id, T0).has_consent);
	s.now = T0 + 19 * DAY + 1;
	drop_claims(&s);
	assert_true(life_of(&s, id, s.now).has_consent);
	scene_free(&s);

	s = scene_new(state, "views2");
	id = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan, BREAK_IN "target 192.0.2.0/25\nto op.example\n");
	answer(&s, s.op, id, "accepted");
	s.now = T0 + DAY;
	drop_claims(&s);
	assert_false(life_of(&s, id, s.now).has_consent);
	scene_free(&s);
}

/* ---- orders ---- */

static enum err take_order(void *context, const struct plan_order *o)
{
	*(struct plan_order *)context = *o;
	return OK;
}

static void recall(void **state)
{
	struct scene s = scene_new(state, "views");
	int64_t start = T0 + HOUR, end = T0 + 9 * HOUR;
	struct hash id = file(&s, start, end, "target 192.0.2.128/25\nto res.example\nstop-within 30m\n");
	const char *order = about(&s, id, "to scan.example\nneed recall\n");
	struct plan_order o = { .ordered_ms = 0 };
	struct hash request;

	s.now = start + HOUR;
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.team, order), ERR_NOT_YOURS);
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.scan, order), ERR_NOT_YOURS);
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.res, order), OK);	/* named in `to` */
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.b->node, order), OK); /* the node */
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, order), OK); /* holds a part of a target's net */
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, about(&s, id, "to res.example\nneed recall\n")),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, about(&s, id, "to scan.example\nneed money\n")),
			 ERR_STATEMENT_HEADER);
	request = said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, order);
	assert_int_equal(plan_recalls(&s.b->st, take_order, &o), OK);
	assert_true(hash_equal(o.request, request) && hash_equal(o.plan, id) && span_is(o.from, "op.example"));
	assert_int_equal(o.stop_by_ms, s.now + 30 * MINUTE);
	assert_int_equal(life_of(&s, id, s.now).recalled_ms, s.now);
	assert_false(life_of(&s, id, s.now + 30 * MINUTE).stopped_late);
	assert_true(life_of(&s, id, s.now + 30 * MINUTE + 1).stopped_late);
	said(&s, KIND_ANSWER, LEDGER_CIRCLE, s.scan, about(&s, request, "outcome working\n"));
	o.ordered_ms = 0;
	assert_int_equal(plan_recalls(&s.b->st, take_order, &o), OK);
	assert_int_equal(o.ordered_ms, 0);
	s.now += 30 * MINUTE;
	answer(&s, s.scan, id, "suspended");
	assert_int_equal(life_of(&s, id, end).stopped_ms, s.now);
	assert_false(life_of(&s, id, end).stopped_late);
	answer(&s, s.scan, id, "closed");
	assert_int_equal(life_of(&s, id, end).stopped_ms, start + HOUR + 30 * MINUTE);
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, order), ERR_STATEMENT_REPEATED);
	assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op,
			       about(&s, id, "to scan.example\nneed recall\ntext again\n")),
			 ERR_OUTCOME);
	scene_free(&s);
}

/* By who holds a target when it orders, whichever prefix is the wider; not who held it once, nor by a mere claim. */
static void recall_by_who_holds_it(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash part = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target 192.0.2.128/25\n"),
		    whole = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target 192.0.0.0/16\n"),
		    number = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target AS64500\n"),
		    any = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target any\n"),
		    other = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target 203.0.113.0/24\n");
	const struct hash its[] = { part, whole, number, any };

	s.now = T0 + 2 * HOUR;
	for (size_t i = 0; i < 4; i++) {
		const char *order = about(&s, its[i], "to scan.example\nneed recall\n");

		assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, order), OK);
		assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.res, order), ERR_NOT_YOURS);
	}
	assert_int_equal(
		tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, about(&s, other, "to scan.example\nneed recall\n")),
		ERR_NOT_YOURS);
	drop_claims(&s);
	s.now += 1;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op,
				       about(&s, its[i], "to scan.example\nneed recall\n")),
				 ERR_NOT_YOURS);
	scene_free(&s);
}

/* A change does not shake a recall off. */
static void recall_follows_a_change(void **state)
{
	struct scene s = scene_new(state, "views");
	int64_t start = T0 + HOUR, end = T0 + 9 * HOUR;
	struct hash id = file(&s, start, end, "target 192.0.2.0/24\nstop-within 30m\n"), next;
	struct plan_order o = { .ordered_ms = 0 };

	s.now = start + HOUR;
	said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.op, about(&s, id, "to scan.example\nneed recall\n"));
	s.now += 10 * MINUTE;
	next = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.scan,
		    about(&s, id, plan_lines(&s, start, end, "target 192.0.2.0/24\nstop-within 30m\nrate 3\n")));
	assert_int_equal(life_of(&s, next, s.now).recalled_ms, start + HOUR);
	assert_true(life_of(&s, next, start + HOUR + 31 * MINUTE).stopped_late);
	assert_int_equal(plan_recalls(&s.b->st, take_order, &o), OK);
	assert_int_equal(o.ordered_ms, start + HOUR);
	scene_free(&s);
}

static enum err take_confirmation(void *context, const struct plan_confirmation *c)
{
	assert_false(hash_equal(((struct plan_confirmation *)context)->plan, c->plan)); /* only one */
	*(struct plan_confirmation *)context = *c;
	return OK;
}

static void explain_and_confirm(void **state)
{
	struct scene s = scene_new(state, "views");
	struct hash id = file(&s, T0 + HOUR, T0 + 9 * HOUR, "target any\n"), asked;
	const char *ask = about(&s, id,
				"to scan.example\nneed confirm\nsource 198.51.100.7/32\nfirst "
				"2026-10-01T01:00:00Z\nlast 2026-10-01T01:05:00Z\n");
	struct plan_confirmation c = { .first_ms = 0 };
	struct plan_order o = { .ordered_ms = 0 };
	struct matter m;

	assert_int_equal(
		tried(&s, KIND_REQUEST, LEDGER_CIRCLE, s.res, about(&s, id, "to scan.example\nneed confirm\n")),
		ERR_STATEMENT_HEADER);
	asked = said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.team, about(&s, id, "to scan.example\nneed explain\n"));
	assert_int_equal(state_matter(&s.b->st, asked, &m), OK);
	assert_int_equal(m.due_ms, s.now + 48 * HOUR);
	asked = said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.res, ask);
	assert_int_equal(plan_orders(&s.b->st, id, take_order, &o), OK);
	assert_true(hash_equal(o.request, asked) && span_is(o.need, "confirm"));
	assert_int_equal(tried(&s, KIND_ANSWER, LEDGER_CIRCLE, s.op, about(&s, asked, "outcome accepted\n")),
			 ERR_NOT_YOURS);
	said(&s, KIND_ANSWER, LEDGER_CIRCLE, s.scan, about(&s, asked, "outcome acknowledged\n"));
	assert_int_equal(plan_confirmations(&s.b->st, take_confirmation, &c), OK);
	assert_int_equal(c.first_ms, 0); /* reading is not admitting */
	said(&s, KIND_ANSWER, LEDGER_CIRCLE, s.scan, about(&s, asked, "outcome accepted\n"));
	assert_int_equal(plan_confirmations(&s.b->st, take_confirmation, &c), OK);
	assert_true(hash_equal(c.plan, id) && c.source.length == 32 && c.last_ms - c.first_ms == 5 * MINUTE);
	said(&s, KIND_ANSWER, LEDGER_CIRCLE, s.scan, about(&s, asked, "outcome objected\n"));
	c = (struct plan_confirmation){ .first_ms = 0 };
	assert_int_equal(plan_confirmations(&s.b->st, take_confirmation, &c), OK);
	assert_int_equal(c.first_ms, 0);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_phase, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(who_may_say_what, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(distress, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(short_notice, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(changes_go_forward, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sealed_and_revealed, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sealed_alone, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(intrusive, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(response_team_by_the_back_door, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(consent, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(consent_of_who_held_it_then, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(recall_by_who_holds_it, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(recall, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(recall_follows_a_change, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(explain_and_confirm, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
