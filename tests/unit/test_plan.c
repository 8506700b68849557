#include "regime/plan.h"

#include "regime.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1790812800000) /* 2026-10-01T00:00:00Z: every plan below is logged about then */

/* ---- one plan, one observation ---- */

static struct address ip(const char *text)
{
	struct address a = { 0 };

	assert_int_equal(address_parse(span_of(text), &a), OK);
	return a;
}

static const char *time_of(struct arena *a, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_copy(a, text, strlen(text));
}

static struct hash file(struct bare *b, int64_t logged_ms, int64_t start, int64_t end, const char *lines)
{
	struct hash id;
	const char *all = arena_print(b->arena, "activity scan\nstart %s\nend %s\npurpose entry %ju\n%s",
				      time_of(b->arena, start), time_of(b->arena, end), (uintmax_t)b->size[0], lines);

	assert_int_equal(bare_fold(b, statement_text(b->arena, KIND_PLAN, "cert.example/public", b->node, all, &id),
				   LEDGER_PUBLIC, logged_ms),
			 OK);
	return id;
}

static struct plan_match see(struct bare *b, const char *source, const char *target, int64_t time_ms)
{
	struct observation o = { .source = ip(source), .has_target = target != NULL, .time_ms = time_ms };
	struct plan_match m;
	struct plans *p;

	if (target != NULL)
		o.target = ip(target);
	assert_int_equal(plans_load(&b->st, &p), OK);
	m = plans_match(p, &o);
	plans_free(p);
	return m;
}

static void expect(struct plan_match m, enum plan_verdict verdict, const char *term, const struct hash *plan)
{
	if (m.verdict != verdict)
		fail_msg("%s, not %s", plan_verdict_name(m.verdict), plan_verdict_name(verdict));
	if (term == NULL)
		assert_null(m.term);
	else
		assert_string_equal(m.term, term);
	if (plan != NULL)
		assert_true(hash_equal(m.plan, *plan));
}

static void edges_of_the_window(void **state)
{
	struct bare *b = bare_new(*state, "views");
	int64_t start = T0 + HOUR, end = T0 + 2 * HOUR;
	struct hash id = file(b, T0, start, end, "source 198.51.100.0/24\ntarget any\n");
	static const struct {
		int64_t after_start;
		enum plan_verdict verdict;
	} cases[] = {
		{ 0, PLAN_EXPLAINED },
		{ -PLAN_SKEW_MS, PLAN_EXPLAINED },
		{ -PLAN_SKEW_MS - 1, PLAN_UNDECLARED },
		{ HOUR, PLAN_EXPLAINED },
		{ HOUR + PLAN_SKEW_MS, PLAN_EXPLAINED },
		{ HOUR + PLAN_SKEW_MS + 1, PLAN_UNDECLARED },
	};

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		expect(see(b, "198.51.100.7", "192.0.2.1", start + cases[i].after_start), cases[i].verdict, NULL,
		       cases[i].verdict == PLAN_EXPLAINED ? &id : NULL);
	expect(see(b, "198.51.101.0", "192.0.2.1", start), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "198.51.99.255", "192.0.2.1", start), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "198.51.100.255", NULL, start), PLAN_EXPLAINED, NULL, &id);
	expect(see(b, "::ffff:198.51.100.7", "192.0.2.1", start), PLAN_EXPLAINED, NULL, &id);
	bare_free(b);
}

/* A plan that was logged after the event explains nothing, be it by a millisecond. */
static void late_never_explains(void **state)
{
	struct bare *b = bare_new(*state, "views");
	struct hash id = file(b, T0 + HOUR + 500, T0, T0 + 2 * HOUR, "source 198.51.100.0/24\ntarget 192.0.2.0/24\n");

	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR), PLAN_LATE, "filed", &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 499), PLAN_LATE, "filed", &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 500), PLAN_EXPLAINED, NULL, &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 1000), PLAN_EXPLAINED, NULL, &id);
	/* Late and not even right: it says nothing. */
	expect(see(b, "198.51.100.7", "203.0.113.1", T0 + HOUR), PLAN_UNDECLARED, NULL, NULL);
	/* The skew helps the window, never the filing. */
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 - PLAN_SKEW_MS), PLAN_LATE, "filed", &id);
	bare_free(b);
}

static void terms(void **state)
{
	struct bare *b = bare_new(*state, "views");
	int64_t during = T0 + HOUR;
	struct hash any =
		file(b, T0, T0, T0 + 2 * HOUR, "source 198.51.100.0/24\ntarget any\nexclude 192.0.2.128/25\n");
	struct hash some =
		file(b, T0, T0, T0 + 2 * HOUR,
		     "source 203.0.113.0/24\ntarget 192.0.2.0/24\ntarget 2001:db8::/32\nexclude 192.0.2.5/32\n");
	struct hash wide = file(b, T0, T0, T0 + 2 * HOUR, "source 203.0.112.0/23\ntarget 198.18.0.0/15\n");

	expect(see(b, "198.51.100.7", "192.0.2.127", during), PLAN_EXPLAINED, NULL, &any);
	expect(see(b, "198.51.100.7", "192.0.2.128", during), PLAN_BREACH, "exclusion", &any);
	expect(see(b, "203.0.113.1", "192.0.2.4", during), PLAN_EXPLAINED, NULL, &some);
	expect(see(b, "203.0.113.1", "192.0.2.5", during), PLAN_BREACH, "exclusion", &some);
	expect(see(b, "203.0.113.1", "2001:db8:1::1", during), PLAN_EXPLAINED, NULL, &some);
	expect(see(b, "203.0.113.1", "10.0.0.1", during), PLAN_BREACH, "target", &some);
	/* The wider plan explains what the narrower one does not declare. */
	expect(see(b, "203.0.113.1", "198.18.0.1", during), PLAN_EXPLAINED, NULL, &wide);
	expect(see(b, "203.0.112.1", "192.0.2.4", during), PLAN_BREACH, "target", &wide);
	/* Without a target only `any` explains. */
	expect(see(b, "198.51.100.7", NULL, during), PLAN_EXPLAINED, NULL, &any);
	expect(see(b, "203.0.113.1", NULL, during), PLAN_UNDECLARED, "target-unknown", NULL);
	bare_free(b);
}

static void end_a_plan(struct bare *b, enum kind k, struct hash id, const char *more, int64_t logged_ms)
{
	const char *lines = arena_print(b->arena, "re %s\n%s", hex_of(b->arena, id), more);

	assert_int_equal(bare_fold(b, statement_text(b->arena, k, "cert.example/public", b->node, lines, NULL),
				   LEDGER_PUBLIC, logged_ms),
			 OK);
}

static void no_longer_in_force(void **state)
{
	struct bare *b = bare_new(*state, "views");
	struct hash one = file(b, T0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\n");
	struct hash two = file(b, T0, T0, T0 + 9 * HOUR, "source 203.0.113.0/24\ntarget any\n");

	end_a_plan(b, KIND_WITHDRAW, one, "text called off\n", T0 + 3 * HOUR);
	end_a_plan(b, KIND_ANSWER, two, "outcome closed\n", T0 + 4 * HOUR);
	expect(see(b, "198.51.100.1", NULL, T0 + 3 * HOUR - 1), PLAN_EXPLAINED, NULL, &one);
	expect(see(b, "198.51.100.1", NULL, T0 + 3 * HOUR), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "203.0.113.1", NULL, T0 + 4 * HOUR - 1), PLAN_EXPLAINED, NULL, &two);
	expect(see(b, "203.0.113.1", NULL, T0 + 4 * HOUR), PLAN_UNDECLARED, NULL, NULL);
	bare_free(b);
}

static void nothing_filed(void **state)
{
	struct bare *b = bare_new(*state, "views");

	expect(see(b, "198.51.100.1", "192.0.2.1", T0), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "2001:db8::1", NULL, T0), PLAN_UNDECLARED, NULL, NULL);
	bare_free(b);
}

/* ---- against a loop ---- */

#define PLANS 60
#define PREFIXES 6

struct drawn {
	struct hash id;
	int64_t logged, start, end, until;
	struct prefix source[PREFIXES], target[PREFIXES], exclude[PREFIXES];
	size_t sources, targets, excludes;
	bool any;
};

/* Nested and equal prefixes are the rule: few bits vary, at the edges of octets. */
static struct prefix draw_prefix(uint64_t *seed, unsigned least)
{
	struct address a;
	unsigned length;

	if (test_below(seed, 3) > 0) {
		static const uint32_t bases[] = { 0x0a000000, 0x0affff00, 0x0b000000, 0xfffffe00, 0xff000000 };
		uint32_t v = bases[test_below(seed, 5)] | (uint32_t)(test_random(seed) & 0x00ff0301);

		length = least + (unsigned)test_below(seed, 33 - least);
		return prefix_of(address_ipv4(v), length);
	}
	a = (struct address){ 0x20010db800000000 | (test_random(seed) & 0x0003000100000003), test_random(seed) & 3,
			      FAMILY_IPV6 };
	if (test_below(seed, 8) == 0)
		a.high = a.low = UINT64_MAX;
	length = 2 * least + (unsigned)test_below(seed, 129 - 2 * least);
	return prefix_of(a, length);
}

static struct address draw_near(uint64_t *seed, struct prefix p)
{
	struct address a = test_below(seed, 2) == 0 ? prefix_first(p) : prefix_last(p);

	switch (test_below(seed, 4)) {
	case 0:
		address_next(&a);
		break;
	case 1:
		address_previous(&a);
		break;
	default:
		break;
	}
	return a;
}

static const char *add_prefix(struct arena *a, const char *lines, const char *name, struct prefix p)
{
	char text[PREFIX_TEXT];

	prefix_format(p, text);
	return arena_print(a, "%s%s %s\n", lines, name, text);
}

static const char *draw_list(struct arena *a, uint64_t *seed, const char *lines, const char *name, unsigned least,
			     struct prefix *list, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		list[i] = draw_prefix(seed, least);
		lines = add_prefix(a, lines, name, list[i]);
	}
	return lines;
}

static void draw_plan(struct bare *b, uint64_t *seed, struct drawn *d)
{
	const char *lines = "";

	*d = (struct drawn){ .until = INT64_MAX };
	d->sources = 1 + test_below(seed, PREFIXES);
	d->targets = test_below(seed, PREFIXES);
	d->excludes = test_below(seed, 3) == 0 ? test_below(seed, PREFIXES) : 0;
	d->any = d->targets == 0 || test_below(seed, 6) == 0;
	lines = draw_list(b->arena, seed, lines, "source", 8, d->source, &d->sources);
	lines = draw_list(b->arena, seed, lines, "target", 2, d->target, &d->targets);
	lines = draw_list(b->arena, seed, lines, "exclude", 8, d->exclude, &d->excludes);
	if (d->any)
		lines = arena_print(b->arena, "%starget any\n", lines);
	d->logged = T0 + (int64_t)test_below(seed, 5) * HOUR + (int64_t)test_below(seed, 3) * 500;
	d->start = T0 + (int64_t)test_below(seed, 5) * HOUR;
	d->end = d->start + (int64_t)(1 + test_below(seed, 5)) * HOUR;
	d->id = file(b, d->logged, d->start, d->end, lines);
}

static bool in_any(const struct prefix *list, size_t count, struct address a)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_covers(list[i], a))
			return true;
	return false;
}

/* 0 excluded, 1 explained, 2 breach, 3 late, 4 target unknown, 5 nothing */
static int judge_by_loop(const struct drawn *d, const struct observation *o)
{
	bool excluded = o->has_target && in_any(d->exclude, d->excludes, o->target);
	bool declared = d->any || (o->has_target && in_any(d->target, d->targets, o->target));

	if (o->time_ms < d->start - PLAN_SKEW_MS || o->time_ms > d->end + PLAN_SKEW_MS)
		return 5;
	if (o->time_ms < d->logged)
		return declared && !excluded ? 3 : 5;
	if (o->time_ms >= d->until)
		return 5;
	if (excluded)
		return 0;
	if (declared)
		return 1;
	return o->has_target ? 2 : 4;
}

/* The longest source that covers decides between plans of one judgement, then the order of filing. */
static struct plan_match by_loop(const struct drawn *plans, size_t count, const struct observation *o)
{
	static const struct {
		enum plan_verdict verdict;
		const char *term;
	} meanings[] = {
		{ PLAN_BREACH, "exclusion" },
		{ PLAN_EXPLAINED, NULL },
		{ PLAN_BREACH, "target" },
		{ PLAN_LATE, "filed" },
		{ PLAN_UNDECLARED, "target-unknown" },
		{ PLAN_UNDECLARED, NULL },
	};
	struct plan_match m = { 0 };
	int best = 5, best_length = -1;

	for (size_t i = 0; i < count; i++) {
		int length = -1, judged = judge_by_loop(&plans[i], o);

		for (size_t k = 0; k < plans[i].sources; k++)
			if (prefix_covers(plans[i].source[k], o->source) && plans[i].source[k].length > length)
				length = plans[i].source[k].length;
		if (length < 0 || judged > best || (judged == best && length <= best_length))
			continue;
		best = judged;
		best_length = length;
		m.plan = plans[i].id;
	}
	m.verdict = meanings[best].verdict;
	m.term = meanings[best].term;
	return m;
}

static struct observation draw_observation(uint64_t *seed, const struct drawn *plans)
{
	const struct drawn *d = &plans[test_below(seed, PLANS)];
	struct observation o = { .source = draw_near(seed, d->source[test_below(seed, d->sources)]) };
	static const int64_t steps[] = {
		-PLAN_SKEW_MS - 1, -PLAN_SKEW_MS, -1, 0, 1, 500, PLAN_SKEW_MS, PLAN_SKEW_MS + 1
	};
	const int64_t marks[] = { d->logged, d->start, d->end, d->until };

	if ((o.has_target = test_below(seed, 5) > 0)) {
		const struct drawn *other = test_below(seed, 2) == 0 ? d : &plans[test_below(seed, PLANS)];

		if (other->excludes > 0 && test_below(seed, 3) == 0)
			o.target = draw_near(seed, other->exclude[test_below(seed, other->excludes)]);
		else if (other->targets > 0)
			o.target = draw_near(seed, other->target[test_below(seed, other->targets)]);
		else
			o.target = draw_near(seed, draw_prefix(seed, 8));
	}
	o.time_ms = marks[test_below(seed, 4)];
	if (o.time_ms == INT64_MAX)
		o.time_ms = d->start + HOUR / 2;
	o.time_ms += steps[test_below(seed, 8)];
	return o;
}

static void agrees_with_a_loop(void **state)
{
	uint64_t seed = test_seed();
	unsigned seen[PLAN_VERDICT_COUNT] = { 0 };

	for (int round = 0; round < 40; round++) {
		struct bare *b = bare_new(*state, arena_print(((struct scratch *)*state)->arena, "views%d", round));
		struct drawn drawn[PLANS];
		struct plans *p;

		for (size_t i = 0; i < PLANS; i++)
			draw_plan(b, &seed, &drawn[i]);
		for (size_t i = 0; i < PLANS; i += 5) {
			drawn[i].until = T0 + (int64_t)(5 + test_below(&seed, 4)) * HOUR;
			end_a_plan(b, KIND_WITHDRAW, drawn[i].id, "", drawn[i].until);
		}
		assert_int_equal(plans_load(&b->st, &p), OK);
		assert_int_equal(plans_count(p), PLANS);
		for (int i = 0; i < 5000; i++) {
			struct observation o = draw_observation(&seed, drawn);
			struct plan_match got = plans_match(p, &o), expected = by_loop(drawn, PLANS, &o);

			expect(got, expected.verdict, expected.term,
			       expected.verdict != PLAN_UNDECLARED ? &expected.plan : NULL);
			seen[got.verdict]++;
		}
		plans_free(p);
		bare_free(b);
	}
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		assert_true(seen[v] > 5000); /* else the drawing is worth nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_filed, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(edges_of_the_window, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(late_never_explains, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(terms, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_longer_in_force, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(agrees_with_a_loop, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
