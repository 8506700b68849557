#include "agreement_test.h"

#include "regime/restraint.h"

#define HOLD "term hold restraint scan,exercise in power each 90d\n"
#define ONE_SIDED "term quiet restraint scan in water each 90d of x.example\n"

static const char *salt_hex(struct two *t, uint8_t fill)
{
	struct hash salt;

	memset(salt.bytes, fill, sizeof(salt.bytes));
	return hex_of(t->b->arena, salt);
}

static const char *commit_hex(struct two *t, uint8_t fill, const char *resource)
{
	struct hash salt;
	struct addressee to;

	memset(salt.bytes, fill, sizeof(salt.bytes));
	assert_int_equal(addressee_parse(span_of(resource), &to), OK);
	return hex_of(t->b->arena, asset_commitment(salt.bytes, &to));
}

#define NET "prefix 192.0.2.0/24"
#define OTHER_NET "prefix 203.0.113.0/24"

/* x has two nets, an AS, a domain and a country among its assets, y a net and one in another set. */
static const char *agreed(struct two *t)
{
	return arena_print(t->b->arena,
			   "%s" HOLD ONE_SIDED "asset power %s x.example\nasset power %s x.example\n"
			   "asset power %s x.example\nasset power %s x.example\n"
			   "asset power %s x.example\nasset power %s y.example\n"
			   "asset water %s y.example\n",
			   AGREED, commit_hex(t, 1, NET), commit_hex(t, 2, OTHER_NET), commit_hex(t, 3, "AS64500"),
			   commit_hex(t, 4, "grid.example"), commit_hex(t, 5, "country EE"),
			   commit_hex(t, 6, "prefix 198.51.100.0/25"), commit_hex(t, 7, NET));
}

struct scene {
	struct two t;
	struct hash offer;
};

/* In force since yesterday. */
static struct scene scene_new(void **state, const char *name)
{
	struct scene s;

	two_new(&s.t, *state, name);
	s.offer = two_agree(&s.t, agreed(&s.t));
	s.t.now_ms = BEGIN + DAY;
	return s;
}

static const char *when(struct two *t, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_copy(t->b->arena, text, strlen(text) + 1);
}

/* Of an hour that began half an hour ago, unless `more` says when. */
static struct hash plan(struct two *t, const struct signer *who, const char *activity, const char *more)
{
	struct hash id;
	const char *times = strstr(more, "start ") != NULL
				    ? ""
				    : arena_print(t->b->arena, "start %s\nend %s\n", when(t, t->now_ms + HOUR / 2),
						  when(t, t->now_ms + HOUR));

	two_say(t, KIND_PLAN, who,
		arena_print(t->b->arena, "activity %s\n%spurpose test %ju\nsource 198.51.100.0/24\n%s", activity, times,
			    (uintmax_t)t->number++, more),
		&id);
	return id;
}

static const char *breach_lines(struct two *t, struct hash re, const char *term, uint8_t salt, const char *asset,
				struct hash evidence)
{
	return arena_print(t->b->arena,
			   "re %s\noutcome breach-alleged\nterm %s\nopens %s\nasset %s\nsalt %s\nevidence %s\n"
			   "date-of-test %ju\n",
			   hex_of(t->b->arena, re), term, commit_hex(t, salt, asset), asset, salt_hex(t, salt),
			   hex_of(t->b->arena, evidence), (uintmax_t)t->number++);
}

/* x alleges that the evidence shows a breach of `hold` in its first net. */
static void expect(struct scene *s, struct hash evidence, enum err expected, const char *says)
{
	enum err e = two_try(&s->t, KIND_ANSWER, s->t.x, breach_lines(&s->t, s->offer, "hold", 1, NET, evidence));

	if (e != expected || (says != NULL && strstr(err_detail(), says) == NULL))
		fail_msg("%s: %s; expected %s: %s", err_code(e), err_detail(), err_code(expected), says);
}

static struct hash allege(struct scene *s, struct hash evidence)
{
	struct hash id;

	two_say(&s->t, KIND_ANSWER, s->t.x, breach_lines(&s->t, s->offer, "hold", 1, NET, evidence), &id);
	return id;
}

static struct measure measured(struct scene *s, const char *party, int64_t from_ms, int64_t until_ms)
{
	struct measure m = { 0 };

	assert_int_equal(restraint_measure(&s->t.b->st, two_read(&s->t, s->offer).id, SPAN("hold"), span_of(party),
					   from_ms, until_ms, &m),
			 OK);
	assert_true(m.has_value);
	return m;
}

struct seen {
	struct breach last;
	size_t count;
};

static enum err see(void *context, const struct breach *b)
{
	struct seen *s = context;

	s->last = *b;
	s->count++;
	return OK;
}

static struct seen breaches(struct scene *s)
{
	struct seen seen = { .count = 0 };

	assert_int_equal(agreement_breaches(&s->t.b->st, two_read(&s->t, s->offer).id, see, &seen), OK);
	return seen;
}

/* As anybody computes it: printf 'comity/1 asset\n' and what follows, piped to sha256sum. */
static void commitment_as_documented(void **state)
{
	uint8_t salt[32];
	struct addressee to;
	struct hash expected, swapped;

	(void)state;
	memset(salt, 0x11, sizeof(salt));
	assert_int_equal(addressee_parse(SPAN("prefix 192.0.2.0/24"), &to), OK);
	assert_int_equal(
		hash_from_hex(SPAN("036f8afcdd33bc23d9bca4bff23a11d69522598a6298baae54db11f0647a1bc2"), &expected), OK);
	assert_true(hash_equal(asset_commitment(salt, &to), expected));
	salt[31] ^= 1;
	swapped = asset_commitment(salt, &to);
	assert_false(hash_equal(swapped, expected));
}

static void a_plan_stands_at_once(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash evidence = plan(&s.t, s.t.y, "scan", "target 192.0.2.128/25\n"), answer;
	struct seen seen;
	int64_t now;

	now = s.t.now_ms += HOUR;
	answer = allege(&s, evidence);
	seen = breaches(&s);
	assert_int_equal(seen.count, 1);
	assert_true(hash_equal(seen.last.answer, answer) && hash_equal(seen.last.evidence, evidence));
	assert_span(seen.last.term, "hold");
	assert_span(seen.last.by, "x.example");
	assert_int_equal(seen.last.asset.type, TO_PREFIX);
	assert_int_equal(seen.last.alleged_ms, now);
	assert_int_equal(seen.last.stands_ms, now);
	assert_false(seen.last.disputed);
	assert_int_equal(measured(&s, "y.example", BEGIN, now + 1).value, 1);
	assert_int_equal(measured(&s, "y.example", now, now + 1).value, 1);
	assert_int_equal(measured(&s, "y.example", BEGIN, now).value, 0);
	assert_int_equal(measured(&s, "y.example", now + 1, BEGIN + 90 * DAY).value, 0);
	assert_int_equal(measured(&s, "x.example", BEGIN, BEGIN + 90 * DAY).value, 0);
	/* Its own word is not disputed. */
	assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.y,
				 two_about(&s.t, s.offer,
					   arena_print(s.t.b->arena, "outcome disputed\nevidence %s\n",
						       hex_of(s.t.b->arena, evidence)))),
			 ERR_OUTCOME);
	two_free(&s.t);
}

static enum err try_dispute(struct scene *s, const struct signer *who, struct hash evidence)
{
	return two_try(&s->t, KIND_ANSWER, who,
		       two_about(&s->t, s->offer,
				 arena_print(s->t.b->arena, "outcome disputed\nevidence %s\n",
					     hex_of(s->t.b->arena, evidence))));
}

static void a_notice_stands_after_14_days(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash evidence = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	int64_t alleged = s.t.now_ms += HOUR, stands = alleged + BREACH_STANDS_MS;

	assert_int_equal(try_dispute(&s, s.t.y, evidence), ERR_MATTER_UNKNOWN);
	allege(&s, evidence);
	assert_int_equal(breaches(&s).last.stands_ms, stands);
	assert_int_equal(measured(&s, "y.example", alleged, stands).value, 0);
	assert_int_equal(measured(&s, "y.example", stands, stands + 1).value, 1);
	s.t.now_ms = stands - 1;
	assert_int_equal(try_dispute(&s, s.t.x, evidence), ERR_NOT_YOURS);
	assert_int_equal(try_dispute(&s, s.t.z, evidence), ERR_NOT_YOURS);
	assert_int_equal(try_dispute(&s, s.t.y, evidence), OK);
	s.t.now_ms = stands;
	assert_int_equal(try_dispute(&s, s.t.y, evidence), ERR_OUTCOME);
	two_free(&s.t);
}

static void disputed_neither_counts(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash evidence = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	int64_t alleged = s.t.now_ms += HOUR;
	struct measure m;

	allege(&s, evidence);
	s.t.now_ms += 13 * DAY;
	two_say(&s.t, KIND_ANSWER, s.t.y,
		two_about(&s.t, s.offer,
			  arena_print(s.t.b->arena, "outcome disputed\nevidence %s\n", hex_of(s.t.b->arena, evidence))),
		NULL);
	assert_true(breaches(&s).last.disputed);
	assert_int_equal(breaches(&s).last.stands_ms, INT64_MAX);
	m = measured(&s, "y.example", alleged, alleged + 90 * DAY);
	assert_int_equal(m.value, 0);
	assert_int_equal(m.disputed, 1);
	assert_int_equal(measured(&s, "y.example", alleged + 1, INT64_MAX).disputed, 0);
	assert_int_equal(try_dispute(&s, s.t.y, evidence), ERR_OUTCOME);
	expect(&s, evidence, ERR_BREACH, "used before");
	two_free(&s.t);
}

/* Before it was alleged, and after; too late changes nothing. */
static void disputing_the_notice_disputes_the_breach(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash before = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	struct hash after = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	struct hash late = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");

	two_answer(&s.t, s.t.y, before, "disputed");
	allege(&s, before);
	assert_true(breaches(&s).last.disputed);
	s.t.now_ms += HOUR;
	allege(&s, after);
	allege(&s, late);
	assert_int_equal(measured(&s, "y.example", BEGIN, INT64_MAX).value, 2);
	s.t.now_ms += DAY;
	two_answer(&s.t, s.t.y, after, "disputed");
	assert_int_equal(measured(&s, "y.example", BEGIN, INT64_MAX).value, 1);
	assert_int_equal(measured(&s, "y.example", BEGIN, INT64_MAX).disputed, 2);
	s.t.now_ms += BREACH_STANDS_MS;
	two_answer(&s.t, s.t.y, late, "disputed");
	assert_int_equal(measured(&s, "y.example", BEGIN, INT64_MAX).value, 1);
	two_free(&s.t);
}

static void what_the_lines_must_say(void **state)
{
	static const char *const names[] = { "term", "opens", "asset", "salt", "evidence" };
	struct scene s = scene_new(state, "a");
	struct arena *a = s.t.b->arena;
	struct hash evidence = plan(&s.t, s.t.y, "scan", "target 192.0.2.0/24\n");
	const char *good;

	s.t.now_ms += HOUR;
	good = breach_lines(&s.t, s.offer, "hold", 1, NET, evidence);
	assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.x, good), OK);
	for (size_t i = 0; i < TABLE_LENGTH(names); i++) {
		struct span rest = span_of(good), line;
		struct buffer without = BUFFER(4096), twice = BUFFER(4096);

		while (span_line(&rest, &line)) {
			struct span value = line, name = span_cut(&value, ' ');
			bool is = span_is(name, names[i]);

			for (int n = 0; n < 2; n++) {
				struct buffer *b = n == 0 ? &without : &twice;

				for (int k = 0; k < (is ? 2 * n : 1); k++) {
					buffer_span(b, line);
					buffer_byte(b, '\n');
				}
			}
		}
		buffer_byte(&without, '\0');
		buffer_byte(&twice, '\0');
		if (two_try(&s.t, KIND_ANSWER, s.t.x, without.at) != ERR_STATEMENT_HEADER ||
		    two_try(&s.t, KIND_ANSWER, s.t.x, twice.at) != ERR_STATEMENT_HEADER)
			fail_msg("%s: not missed, or not counted", names[i]);
		buffer_free(&without);
		buffer_free(&twice);
	}
	/* Another salt, another asset, another commitment: it does not open. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.x,
					 arena_print(a,
						     "re %s\noutcome breach-alleged\nterm hold\nopens %s\nasset "
						     "%s\nsalt %s\nevidence %s\n",
						     hex_of(a, s.offer), commit_hex(&s.t, i == 0 ? 2 : 1, NET),
						     i == 1 ? "prefix 192.0.2.0/25" : NET,
						     salt_hex(&s.t, i == 2 ? 2 : 1), hex_of(a, evidence))),
				 ERR_SEALED);
	assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.x,
				 arena_print(a,
					     "re %s\noutcome breach-alleged\nterm hold\nopens %s\nasset all\nsalt %s\n"
					     "evidence %s\n",
					     hex_of(a, s.offer), commit_hex(&s.t, 1, NET), salt_hex(&s.t, 1),
					     hex_of(a, evidence))),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.x, arena_print(a, "%sfor x.example\nvia desk\n", good)),
			 ERR_NOT_YOURS);
	two_free(&s.t);
}

static void who_may_open_what(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash of_y = plan(&s.t, s.t.y, "scan", "target any\n"), of_x = plan(&s.t, s.t.x, "scan", "target any\n");
	const struct {
		const struct signer *who;
		const char *term;
		uint8_t salt;
		const char *asset;
		struct hash evidence;
		enum err expected;
	} rows[] = {
		{ s.t.x, "hold", 1, NET, of_y, OK },
		{ s.t.y, "hold", 6, "prefix 198.51.100.0/25", of_x, OK },
		{ s.t.y, "quiet", 7, NET, of_x, OK },
		{ s.t.z, "hold", 1, NET, of_y, ERR_NOT_YOURS },
		{ s.t.x, "hole", 1, NET, of_y, ERR_TERM },
		{ s.t.x, "swift", 1, NET, of_y, ERR_TERM },
		{ s.t.x, "quiet", 1, NET, of_y, ERR_TERM }, /* it binds x alone */
		{ s.t.x, "hold", 9, NET, of_y, ERR_AGREEMENT },
		{ s.t.x, "hold", 6, "prefix 198.51.100.0/25", of_y, ERR_AGREEMENT }, /* the other's asset */
		{ s.t.y, "hold", 7, NET, of_x, ERR_AGREEMENT },			     /* of another set */
	};

	s.t.now_ms += HOUR;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		enum err e = two_try(
			&s.t, KIND_ANSWER, rows[i].who,
			breach_lines(&s.t, s.offer, rows[i].term, rows[i].salt, rows[i].asset, rows[i].evidence));

		if (e != rows[i].expected)
			fail_msg("row %zu: %s: %s", i, err_code(e), err_detail());
	}
	two_free(&s.t);
}

static void only_while_it_is_in_force(void **state)
{
	struct two t;
	struct scene s;
	struct hash early, evidence;

	two_new(&t, *state, "a");
	s = (struct scene){ .t = t, .offer = two_offer(&t, agreed(&t)) };
	s.t = t;
	early = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	expect(&s, early, ERR_AGREEMENT, "signed by both");
	two_sign(&s.t, s.offer, agreed(&s.t));
	expect(&s, early, ERR_AGREEMENT, "not in force yet");
	s.t.now_ms = BEGIN;
	expect(&s, early, ERR_BREACH, "filed while it was not in force");
	evidence = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	expect(&s, evidence, OK, NULL);
	s.t.now_ms = BEGIN + 200 * DAY;
	two_say(&s.t, KIND_WITHDRAW, s.t.y, two_about(&s.t, two_read(&s.t, s.offer).statement[1], ""), NULL);
	s.t.now_ms += 90 * DAY - 1;
	expect(&s, evidence, OK, NULL);
	s.t.now_ms += 1;
	expect(&s, evidence, ERR_AGREEMENT, "over");
	two_free(&s.t);
}

static void plans_that_show_nothing(void **state)
{
	static const struct {
		const char *activity, *lines, *says;
	} rows[] = {
		{ "scan", "target 192.0.2.7/32\n", NULL },
		{ "exercise", "target 192.0.0.0/16\n", NULL },
		{ "scan", "target any\n", NULL },
		{ "scan", "target any\nexclude 192.0.2.0/25\n", NULL },
		{ "research", "target 192.0.2.0/24\n", "not what was promised" },
		{ "scan", "target 192.0.3.0/24\n", "do not meet" },
		{ "scan", "target AS64500\ntarget country EE\ntarget grid.example\n", "do not meet" },
		{ "scan", "target any\nexclude 192.0.0.0/16\n", "do not meet" },
		{ "scan", "target 192.0.2.0/25\nexclude 192.0.2.0/25\n", "do not meet" },
		{ "scan", "target 192.0.0.0/16\nexclude 192.0.2.0/24\n", "do not meet" },
		{ "scan", "target any\nstart 2027-01-02T02:00:00Z\nend 2027-01-02T03:00:00Z\n", "has begun" },
		{ "scan", "target any\ndemonstration yes\n", "demonstration" },
	};
	struct scene s = scene_new(state, "a");

	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		int64_t now = s.t.now_ms;
		struct hash evidence = plan(&s.t, s.t.y, rows[i].activity, rows[i].lines);

		s.t.now_ms = now + HOUR;
		expect(&s, evidence, rows[i].says == NULL ? OK : ERR_BREACH, rows[i].says);
		s.t.now_ms = now;
	}
	two_free(&s.t);
}

/* A plan that was over before the agreement began, and one whose second day lies in it. */
static void plans_of_before(void **state)
{
	struct two t;
	struct scene s;
	struct hash over, goes_on, weekly;

	two_new(&t, *state, "a");
	t.now_ms = BEGIN - 10 * DAY;
	over = plan(&t, t.y, "scan", "target any\nstart 2026-12-31T20:00:00Z\nend 2026-12-31T21:00:00Z\n");
	goes_on = plan(&t, t.y, "scan",
		       "target any\nstart 2026-12-31T20:00:00Z\nend 2026-12-31T21:00:00Z\nrepeat daily 2\n");
	weekly = plan(&t, t.y, "scan",
		      "target any\nstart 2026-12-26T20:00:00Z\nend 2026-12-26T21:00:00Z\nrepeat weekly 3\n");
	s.offer = two_agree(&t, agreed(&t));
	s.t = t;
	s.t.now_ms = BEGIN + DAY;
	expect(&s, over, ERR_BREACH, "has begun");
	expect(&s, goes_on, OK, NULL);
	expect(&s, weekly, ERR_BREACH, "has begun");
	s.t.now_ms = BEGIN + 2 * DAY; /* 2 January, 20:00, it began */
	expect(&s, weekly, OK, NULL);
	two_free(&s.t);
}

static void plans_that_did_not_happen(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash withdrawn = plan(&s.t, s.t.y, "scan", "target any\n");
	struct hash during = plan(&s.t, s.t.y, "scan", "target any\n");
	struct hash delayed = plan(&s.t, s.t.y, "scan", "target any\n");
	struct hash accepted = plan(&s.t, s.t.y, "scan", "target any\n");
	struct hash regretted = plan(&s.t, s.t.y, "scan", "target any\n");
	struct hash changed = plan(&s.t, s.t.y, "scan", "target any\n"), later;
	struct hash sealed, own = plan(&s.t, s.t.x, "scan", "target any\n");

	two_say(&s.t, KIND_PLAN, s.t.y,
		arena_print(s.t.b->arena, "commitment %s\n", hex_of(s.t.b->arena, hash_bytes("x", 1))), &sealed);
	two_say(&s.t, KIND_WITHDRAW, s.t.y, two_about(&s.t, withdrawn, ""), NULL);
	two_say(&s.t, KIND_ANSWER, s.t.x, two_about(&s.t, accepted, "outcome accepted\n"), NULL);
	two_say(&s.t, KIND_ANSWER, s.t.x, two_about(&s.t, regretted, "outcome accepted\n"), NULL);
	s.t.now_ms += HOUR / 4;
	two_say(&s.t, KIND_ANSWER, s.t.x, two_about(&s.t, regretted, "outcome objected\n"), NULL);
	later = plan(
		&s.t, s.t.y, "scan",
		arena_print(s.t.b->arena, "target any\nexclude 10.0.0.0/8\nre %s\n", hex_of(s.t.b->arena, changed)));
	s.t.now_ms += HOUR / 2;
	two_say(&s.t, KIND_ANSWER, s.t.y, two_about(&s.t, delayed, "outcome delayed\n"), NULL);
	two_say(&s.t, KIND_WITHDRAW, s.t.y, two_about(&s.t, during, ""), NULL);
	s.t.now_ms += HOUR;
	expect(&s, withdrawn, ERR_BREACH, "has begun");
	expect(&s, delayed, ERR_BREACH, "has begun");
	expect(&s, accepted, ERR_BREACH, "accepted");
	expect(&s, changed, ERR_BREACH, "has begun");
	expect(&s, sealed, ERR_BREACH, "sealed");
	expect(&s, own, ERR_BREACH, "plan of x.example");
	expect(&s, s.t.party_y, ERR_BREACH, "kind party");
	expect(&s, s.offer, ERR_BREACH, "kind agreement");
	expect(&s, hash_bytes("nothing", 7), ERR_MATTER_UNKNOWN, NULL);
	expect(&s, regretted, OK, NULL);
	expect(&s, during, OK, NULL);
	/* One plan in two versions is one piece of evidence. */
	expect(&s, later, OK, NULL);
	allege(&s, later);
	expect(&s, later, ERR_BREACH, "used before");
	expect(&s, changed, ERR_BREACH, "used before");
	two_free(&s.t);
}

static struct hash notice_lines(struct scene *s, const struct signer *from, const char *lines)
{
	struct hash id;

	two_say(&s->t, KIND_NOTICE, from,
		arena_print(s->t.b->arena, "%sclass information-gathering/scanner\nevents %ju\n" SEALED_BODY, lines,
			    (uintmax_t)++s->t.number),
		&id);
	return id;
}

static void notices_that_show_nothing(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash good = notice_lines(&s, s.t.x, "to y.example\n");
	struct hash withdrawn = notice_lines(&s, s.t.x, "to y.example\n");

	expect(&s, good, OK, NULL);
	expect(&s, notice_lines(&s, s.t.x, "to y.example\nto z.example\n"), ERR_BREACH, "more than one party");
	expect(&s, notice_lines(&s, s.t.x, "to y.example\ncc z.example\n"), ERR_BREACH, "more than one party");
	expect(&s, notice_lines(&s, s.t.x, "to z.example\n"), ERR_BREACH, "not to y.example");
	expect(&s, notice_lines(&s, s.t.x, "to AS64500\n"), ERR_BREACH, "not to y.example");
	expect(&s, notice_lines(&s, s.t.z, "to y.example\n"), ERR_BREACH, "notice of another");
	expect(&s, notice_lines(&s, s.t.x, "to y.example\ndemonstration yes\n"), ERR_BREACH, "demonstration");
	assert_true(two_fold_in(&s.t, LEDGER_CIRCLE, KIND_WITHDRAW, s.t.x, two_about(&s.t, withdrawn, ""), NULL));
	expect(&s, withdrawn, ERR_BREACH, "withdrawn");
	two_free(&s.t);
}

/* A notice that follows on another is about the same act. */
static void a_reminder_is_no_more_evidence(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash first = notice_lines(&s, s.t.x, "to y.example\n"), second;

	s.t.now_ms += 60 * DAY;
	second = notice_lines(
		&s, s.t.x,
		arena_print(s.t.b->arena, "to y.example\nre %s\nreason overdue\n", hex_of(s.t.b->arena, first)));
	expect(&s, second, OK, NULL);
	allege(&s, first);
	expect(&s, first, ERR_BREACH, "used before");
	expect(&s, second, ERR_BREACH, "used before");
	/* Disputing either disputes it. */
	two_answer(&s.t, s.t.y, second, "disputed");
	assert_true(breaches(&s).last.disputed);
	two_free(&s.t);
}

/* A commitment may be opened again, if something else happened; other kinds of assets are met by their own targets. */
static void opened_twice(void **state)
{
	static const struct {
		uint8_t salt;
		const char *asset, *target;
	} rows[] = {
		{ 3, "AS64500", "target AS64500\n" },
		{ 4, "grid.example", "target grid.example\n" },
		{ 5, "country EE", "target country EE\n" },
		{ 2, OTHER_NET, "target any\n" },
	};
	struct scene s = scene_new(state, "a");
	struct hash one = plan(&s.t, s.t.y, "scan", "target any\n"), two = plan(&s.t, s.t.y, "scan", "target any\n");

	s.t.now_ms += HOUR;
	allege(&s, one);
	/* The same act against another asset of the set is no second breach. */
	assert_int_equal(two_try(&s.t, KIND_ANSWER, s.t.x, breach_lines(&s.t, s.offer, "hold", 2, OTHER_NET, one)),
			 ERR_BREACH);
	allege(&s, two);
	assert_int_equal(breaches(&s).count, 2);
	assert_int_equal(measured(&s, "y.example", BEGIN, INT64_MAX).value, 2);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct hash evidence = plan(&s.t, s.t.y, "scan", rows[i].target);

		s.t.now_ms += HOUR;
		two_say(&s.t, KIND_ANSWER, s.t.x,
			breach_lines(&s.t, s.offer, "hold", rows[i].salt, rows[i].asset, evidence), NULL);
		assert_int_equal(breaches(&s).count, 3 + i);
	}
	two_free(&s.t);
}

/* One notice may show that several promises were broken; all are disputed with it. */
static void evidence_for_several_promises(void **state)
{
	struct scene s = scene_new(state, "a");
	struct hash pledges[3], evidence;

	for (size_t i = 0; i < TABLE_LENGTH(pledges); i++)
		two_say(&s.t, KIND_PLEDGE, s.t.y,
			arena_print(s.t.b->arena, "norm un 2015 f\n" HOLD "asset power %s\ntext %zu\n",
				    commit_hex(&s.t, 1, NET), i),
			&pledges[i]);
	s.t.now_ms += HOUR;
	evidence = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");
	allege(&s, evidence);
	for (size_t i = 0; i < TABLE_LENGTH(pledges); i++)
		two_say(&s.t, KIND_ANSWER, s.t.x, breach_lines(&s.t, pledges[i], "hold", 1, NET, evidence), NULL);
	two_answer(&s.t, s.t.y, evidence, "disputed");
	assert_true(breaches(&s).last.disputed);
	for (size_t i = 0; i < TABLE_LENGTH(pledges); i++) {
		struct seen seen = { .count = 0 };

		assert_int_equal(agreement_breaches(&s.t.b->st, pledges[i], see, &seen), OK);
		assert_int_equal(seen.count, 1);
		assert_true(seen.last.disputed);
	}
	two_free(&s.t);
}

/* A promise to everybody: whoever was told the salt may say that it was broken, but not its party. */
static void pledges_of_restraint(void **state)
{
	struct two t;
	struct hash pledge, evidence, notice;
	struct measure m = { 0 };
	struct seen seen = { .count = 0 };

	two_new(&t, *state, "a");
	two_say(&t, KIND_PLEDGE, t.y,
		arena_print(t.b->arena, "norm un 2015 f\n" HOLD "asset power %s\nunilateral yes\n",
			    commit_hex(&t, 1, NET)),
		&pledge);
	t.now_ms += DAY;
	evidence = plan(&t, t.y, "scan", "target any\n");
	notice = two_notice(&t, t.z, t.y, "information-gathering/scanner");
	t.now_ms += HOUR;
	assert_int_equal(two_try(&t, KIND_ANSWER, t.y, breach_lines(&t, pledge, "hold", 1, NET, evidence)),
			 ERR_NOT_YOURS);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, breach_lines(&t, pledge, "hold", 2, NET, evidence)),
			 ERR_AGREEMENT);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, breach_lines(&t, pledge, "held", 1, NET, evidence)), ERR_TERM);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, breach_lines(&t, pledge, "hold", 1, NET, notice)), ERR_BREACH);
	two_say(&t, KIND_ANSWER, t.x, breach_lines(&t, pledge, "hold", 1, NET, evidence), NULL);
	two_say(&t, KIND_ANSWER, t.z, breach_lines(&t, pledge, "hold", 1, NET, notice), NULL);
	assert_int_equal(restraint_measure(&t.b->st, pledge, SPAN("hold"), SPAN("y.example"), 0, INT64_MAX, &m), OK);
	assert_int_equal(m.value, 2);
	two_say(&t, KIND_ANSWER, t.y,
		two_about(&t, pledge,
			  arena_print(t.b->arena, "outcome disputed\nevidence %s\n", hex_of(t.b->arena, notice))),
		NULL);
	assert_int_equal(restraint_measure(&t.b->st, pledge, SPAN("hold"), SPAN("y.example"), 0, INT64_MAX, &m), OK);
	assert_int_equal(m.value, 1);
	assert_int_equal(m.disputed, 1);
	assert_int_equal(agreement_breaches(&t.b->st, pledge, see, &seen), OK);
	assert_int_equal(seen.count, 2);
	assert_span(seen.last.by, "z.example");
	two_free(&t);
}

/* The same entries give the same bytes. */
static void folded_twice(void **state)
{
	struct hash digests[2];

	for (int i = 0; i < 2; i++) {
		struct scene s = scene_new(state, i == 0 ? "a" : "b");
		struct hash one = two_notice(&s.t, s.t.x, s.t.y, "information-gathering/scanner");

		s.t.now_ms += HOUR;
		allege(&s, one);
		two_answer(&s.t, s.t.y, one, "disputed");
		assert_int_equal(state_digest(&s.t.b->st, &digests[i]), OK);
		two_free(&s.t);
	}
	assert_true(hash_equal(digests[0], digests[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commitment_as_documented),
		IN_A_FOLDER(a_plan_stands_at_once),
		IN_A_FOLDER(a_notice_stands_after_14_days),
		IN_A_FOLDER(disputed_neither_counts),
		IN_A_FOLDER(disputing_the_notice_disputes_the_breach),
		IN_A_FOLDER(what_the_lines_must_say),
		IN_A_FOLDER(who_may_open_what),
		IN_A_FOLDER(only_while_it_is_in_force),
		IN_A_FOLDER(plans_that_show_nothing),
		IN_A_FOLDER(plans_of_before),
		IN_A_FOLDER(plans_that_did_not_happen),
		IN_A_FOLDER(notices_that_show_nothing),
		IN_A_FOLDER(a_reminder_is_no_more_evidence),
		IN_A_FOLDER(opened_twice),
		IN_A_FOLDER(pledges_of_restraint),
		IN_A_FOLDER(evidence_for_several_promises),
		IN_A_FOLDER(folded_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
