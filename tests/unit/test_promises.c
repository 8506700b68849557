#include "regime.h"

#include "base/clock.h"
#include "regime/metric_private.h"
#include "regime/promises.h"

#define PUBLIC "cert.example/public"
#define CIRCLE "cert.example/circle"
#define BEGIN INT64_C(1767225600000) /* 2026-01-01 */
#define HOUR INT64_C(3600000)

struct scene {
	struct bare *b;
	struct signer *one, *two, *reporter;
	int64_t now;
};

/* Each is another statement by its date. */
static struct hash say_in(struct scene *s, enum ledger_id l, int64_t ms, enum kind k, const struct signer *who,
			  const char *lines)
{
	char date[CLOCK_TEXT];
	const char *all;
	struct hash id;

	assert_true(ms >= s->now);
	s->now = ms;
	clock_format(BEGIN - 400 * DAY + 1000 * (int64_t)(s->b->size[LEDGER_PUBLIC] + s->b->size[LEDGER_CIRCLE]), date);
	all = arena_print(s->b->arena, "date %s\n%s", date, lines);
	assert_non_null(all);
	assert_int_equal(bare_fold(s->b,
				   statement_text(s->b->arena, k, l == LEDGER_CIRCLE ? CIRCLE : PUBLIC, who, all, &id),
				   l, ms),
			 OK);
	if (!s->b->st.effective)
		fail_msg("folds to nothing: %s\n%s", err_detail(), all);
	return id;
}

static struct hash say_at(struct scene *s, int64_t ms, enum kind k, const struct signer *who, const char *lines)
{
	bool circle = k == KIND_NOTICE || k == KIND_ANSWER || k == KIND_REQUEST;

	return say_in(s, circle ? LEDGER_CIRCLE : LEDGER_PUBLIC, ms, k, who, lines);
}

static struct hash answer_at(struct scene *s, int64_t ms, struct hash re, const struct signer *who, const char *outcome)
{
	return say_at(s, ms, KIND_ANSWER, who,
		      arena_print(s->b->arena, "re %s\noutcome %s\n", hex_of(s->b->arena, re), outcome));
}

static struct signer *join(struct scene *s, const char *domain)
{
	struct signer *key = signer_of(domain);

	assert_int_equal(bare_fold(s->b, party_text(s->b->arena, PUBLIC, key, "role operator\nrole researcher\n", NULL),
				   LEDGER_PUBLIC, s->now),
			 OK);
	assert_true(s->b->st.effective);
	return key;
}

static struct scene scene_new(void **state)
{
	struct scene s = { .b = bare_new(*state, "state"), .now = BEGIN - 400 * DAY };

	say_at(&s, s.now, KIND_RULES, s.b->node, "version 3\n");
	s.one = join(&s, "one.example");
	s.two = join(&s, "two.example");
	s.reporter = join(&s, "reporter.example");
	return s;
}

static void scene_free(struct scene *s)
{
	signer_free(s->one);
	signer_free(s->two);
	signer_free(s->reporter);
	bare_free(s->b);
}

#define NOTICE(to) "to " to "\nclass malicious-code/infected-system\nevents 3\n" SEALED_BODY

static struct term term_of(const char *text)
{
	struct term t;

	assert_int_equal(term_parse(span_of(text), &t), OK);
	return t;
}

static struct measure measured(struct scene *s, const char *term, const char *party)
{
	struct term t = term_of(term);
	struct windows w = { .t = &t, .start_ms = BEGIN, .length_ms = t.window_ms, .count = 1 };
	struct plan_facts plans = { 0 };
	struct metric_facts f = { .st = &s->b->st, .party = span_of(party), .plans = &plans };
	struct measure m;

	assert_int_equal(metric_last(f.st, &w.last_ms), OK);
	assert_int_equal(metric_windows(&f, &w, (struct hash){ { 0 } }, &m), OK);
	metric_facts_free(&f);
	plan_facts_free(&plans);
	return m;
}

#define assert_share(m, n, of, not_known)                                                                              \
	do {                                                                                                           \
		struct measure m_ = (m);                                                                               \
		assert_int_equal(m_.share.numerator, n);                                                               \
		assert_int_equal(m_.share.denominator, of);                                                            \
		assert_int_equal(m_.share.unknown, not_known);                                                         \
	} while (0)

#define SWIFT "swift acknowledged at-least 90% within 2d each 30d"
#define FALSE "right false-notices at-most 5% each 60d"

static void notices_from_a_ledger(void **state)
{
	struct scene s = scene_new(state);
	struct hash id;

	say_at(&s, BEGIN + HOUR, KIND_NOTICE, s.one, NOTICE("one.example")); /* to itself */
	id = say_at(&s, BEGIN + 2 * HOUR, KIND_NOTICE, s.reporter, NOTICE("two.example\nto one.example"));
	answer_at(&s, BEGIN + 3 * HOUR, id, s.one, "received");
	answer_at(&s, BEGIN + 4 * HOUR, id, s.one, "working");
	say_at(&s, BEGIN + 5 * HOUR, KIND_NOTICE, s.two, NOTICE("one.example"));
	say_at(&s, BEGIN + 6 * HOUR, KIND_NOTICE, s.two, NOTICE("one.example\nto two.example")); /* the same again */
	assert_share(measured(&s, SWIFT, "one.example"), 0, 0, 2); /* not due before the last entry */
	id = say_at(&s, BEGIN + 2 * DAY, KIND_NOTICE, s.two, NOTICE("one.example"));
	say_in(&s, LEDGER_CIRCLE, BEGIN + 3 * DAY, KIND_WITHDRAW, s.two,
	       arena_print(s.b->arena, "re %s\n", hex_of(s.b->arena, id)));
	say_at(&s, BEGIN + 40 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	assert_share(measured(&s, SWIFT, "one.example"), 1, 2, 0);
	assert_share(measured(&s, SWIFT, "two.example"), 1, 1, 0);
	assert_share(measured(&s, SWIFT, "nobody.example"), 0, 0, 0);
	assert_share(measured(&s, FALSE, "two.example"), 1, 2, 0);
	assert_share(measured(&s, FALSE, "one.example"), 0, 0, 0);
	scene_free(&s);
}

static void help_and_pings(void **state)
{
	struct scene s = scene_new(state);
	struct hash id;

	id = say_at(&s, BEGIN, KIND_REQUEST, s.one, "to two.example\nto reporter.example\nneed help\n");
	answer_at(&s, BEGIN + HOUR, id, s.reporter, "offered");
	say_at(&s, BEGIN + DAY, KIND_REQUEST, s.one, "to all\nneed help\n");
	id = say_at(&s, BEGIN + 2 * DAY, KIND_REQUEST, s.one, "to two.example\nneed ping\n");
	answer_at(&s, BEGIN + 2 * DAY + HOUR, id, s.two, "acknowledged");
	say_at(&s, BEGIN + 4 * DAY, KIND_REQUEST, s.one, "to two.example\nneed ping\n");
	say_at(&s, BEGIN + 31 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
#define HELP "help help-answered at-least 90% within 1d each 30d"
#define LIVE "live contact-live at-least 90% within 1d each 30d"
	assert_share(measured(&s, HELP, "reporter.example"), 1, 1, 0);
	assert_share(measured(&s, HELP, "two.example"), 0, 0, 1); /* another was faster, in time */
	assert_share(measured(&s, LIVE, "two.example"), 1, 2, 0);
	assert_share(measured(&s, LIVE, "reporter.example"), 0, 0, 0);
	scene_free(&s);
}

#define PLAN "activity scan\nsource 198.51.100.0/24\ntarget any\npurpose a test\nstart 2026-01-02T00:00:00Z\n"

static void plans_of_a_party(void **state)
{
	struct scene s = scene_new(state);
	struct hash closed, seen;

	closed = say_at(&s, BEGIN, KIND_PLAN, s.one, PLAN "end 2026-01-03T00:00:00Z\n");
	seen = say_at(&s, BEGIN, KIND_PLAN, s.one, PLAN "end 2026-01-04T00:00:00Z\n");
	say_at(&s, BEGIN, KIND_PLAN, s.two, PLAN "end 2026-01-05T00:00:00Z\n");
	say_in(&s, LEDGER_PUBLIC, BEGIN + 2 * DAY + HOUR / 4, KIND_ANSWER, s.one,
	       arena_print(s.b->arena, "re %s\noutcome closed\n", hex_of(s.b->arena, closed)));
	say_in(&s, LEDGER_PUBLIC, BEGIN + 5 * DAY, KIND_ANSWER, s.two,
	       arena_print(s.b->arena, "re %s\noutcome re-observed\nseen 2026-01-05T12:00:00Z\n",
			   hex_of(s.b->arena, seen)));
	say_at(&s, BEGIN + 31 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	assert_share(measured(&s, "close plan-overdue at-most 10% each 30d", "one.example"), 1, 2, 0);
	assert_share(measured(&s, "close plan-overdue at-most 10% each 30d", "two.example"), 1, 1, 0);
	assert_int_equal(measured(&s, "out plan-breach at-most 0 each 30d", "one.example").value, 1);
	assert_int_equal(measured(&s, "out plan-breach at-most 0 each 30d", "two.example").value, 0);
	scene_free(&s);
}

/* ---- between two ---- */

struct between {
	struct scene *s;
	matter_each *each;
	void *context;
	int64_t from_ms, until_ms;
	unsigned walks;
};

static enum err between_one(void *context, const struct matter *m)
{
	struct between *b = context;
	struct addressee to;
	bool one = span_is(m->from, "one.example"), two = span_is(m->from, "two.example");

	for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &to); i++) {
		one |= span_is(to.domain, "one.example");
		two |= span_is(to.domain, "two.example");
	}
	return one && two && m->logged_ms >= b->from_ms && m->logged_ms < b->until_ms ? b->each(b->context, m) : OK;
}

static enum err walk_between(void *context, int64_t from_ms, int64_t until_ms, matter_each *each, void *each_context)
{
	struct between *b = context;

	b->each = each;
	b->context = each_context;
	b->from_ms = from_ms;
	b->until_ms = until_ms;
	b->walks++;
	return state_matters(&b->s->b->st, LEDGER_CIRCLE, KIND_UNKNOWN, 0, between_one, b);
}

static struct measure paired(struct scene *s, const char *term, const char *party, const char *other, int64_t from_ms)
{
	struct term t = term_of(term);
	struct between b = { .s = s };
	struct measure m;

	assert_int_equal(metric_pair(&s->b->st, &t, (struct hash){ { 0 } }, span_of(party), span_of(other), from_ms,
				     from_ms + t.window_ms, false, walk_between, &b, &m),
			 OK);
	assert_true(b.walks == 1);
	return m;
}

static void between_two(void **state)
{
	struct scene s = scene_new(state);
	struct hash id;

	id = say_at(&s, BEGIN + 30 * DAY - HOUR, KIND_NOTICE, s.two, NOTICE("one.example"));
	say_at(&s, BEGIN + 30 * DAY, KIND_NOTICE, s.reporter, NOTICE("one.example"));
	answer_at(&s, BEGIN + 30 * DAY + HOUR, id, s.one, "fixed");
	say_at(&s, BEGIN + 30 * DAY + 2 * HOUR, KIND_NOTICE, s.two, NOTICE("one.example"));
	say_at(&s, BEGIN + 30 * DAY + 3 * HOUR, KIND_NOTICE, s.two, NOTICE("one.example")); /* repeats */
	id = say_at(&s, BEGIN + 31 * DAY, KIND_NOTICE, s.one, NOTICE("two.example"));
	answer_at(&s, BEGIN + 31 * DAY + HOUR, id, s.two, "fixed");
	id = say_at(&s, BEGIN + 31 * DAY + 2 * HOUR, KIND_REQUEST, s.two, "to one.example\nneed ping\n");
	answer_at(&s, BEGIN + 31 * DAY + 3 * HOUR, id, s.one, "acknowledged");
	say_at(&s, BEGIN + 31 * DAY + 4 * HOUR, KIND_REQUEST, s.two, "to one.example\nneed help\n");
	say_at(&s, BEGIN + 200 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	assert_share(paired(&s, SWIFT, "one.example", "two.example", BEGIN + 30 * DAY), 1, 2, 0);
	assert_share(paired(&s, SWIFT, "two.example", "one.example", BEGIN + 30 * DAY), 1, 1, 0);
	assert_share(paired(&s, SWIFT, "one.example", "two.example", BEGIN + 60 * DAY), 0, 0, 0);
	assert_share(paired(&s, "mend fixed at-least 50% within 7d each 30d", "one.example", "two.example",
			    BEGIN + 30 * DAY),
		     1, 2, 0);
	assert_share(paired(&s, "even balance at-least 30% each 90d", "one.example", "two.example", BEGIN), 1, 2, 0);
	assert_share(paired(&s, "right false-notices at-most 5% each 90d", "two.example", "one.example", BEGIN), 0, 2,
		     0);
	assert_share(paired(&s, "again re-offence at-most 5% each 90d", "one.example", "two.example", BEGIN), 0, 1, 0);
	assert_share(paired(&s, LIVE, "one.example", "two.example", BEGIN + 30 * DAY), 1, 1, 0);
	assert_share(paired(&s, HELP, "one.example", "two.example", BEGIN + 30 * DAY), 0, 1, 0);
	/* The second of a day that the window before shares is a repeat here too. */
	assert_share(paired(&s, "swift acknowledged at-least 90% within 2h each 1d", "one.example", "two.example",
			    BEGIN + 30 * DAY + 5 * HOUR),
		     0, 0, 0);
	scene_free(&s);
}

/* ---- promises ---- */

struct told {
	struct buffer text;
};

static enum err tell_term(void *context, const struct promise_term *t)
{
	struct told *b = context;

	buffer_print(&b->text, "%.*s %zu/%zu/%zu of %zu%s; ", SPAN_FORMAT(t->term->name), t->met, t->missed, t->too_few,
		     t->closed, t->window_count > t->closed ? "+" : "");
	assert_true(t->closed == 0 || (t->windows[t->closed - 1].closed && t->all.closed));
	assert_true(t->window_count == t->closed || !t->windows[t->closed].closed);
	return OK;
}

static enum err tell_declaration(void *context, const struct pledge *p)
{
	struct told *b = context;

	buffer_print(&b->text, "declared %s; ", p->norm->id);
	return OK;
}

static void promised(struct scene *s, const char *party, int64_t from_ms, int64_t until_ms, const char *expected)
{
	struct promises_ask ask = { .from_ms = from_ms, .until_ms = until_ms };
	struct told b = { BUFFER(4096) };

	assert_int_equal(promises_walk(&s->b->st, span_of(party), &ask, tell_term, tell_declaration, &b), OK);
	assert_span(buffer_view(&b.text), expected);
	buffer_free(&b.text);
}

static struct hash pledge_at(struct scene *s, int64_t ms, const struct signer *who, const char *lines)
{
	return say_at(s, ms, KIND_PLEDGE, who, lines);
}

static void windows_of_pledges(void **state)
{
	struct scene s = scene_new(state);
	struct hash id = pledge_at(&s, BEGIN, s.one, "norm un 2015 c\nterm " SWIFT "\n");

	pledge_at(&s, BEGIN, s.one, "norm un 2015 f\n");
	promised(&s, "one.example", 0, 0, "swift 0/0/0 of 0+; declared f; ");
	say_at(&s, BEGIN + 30 * DAY - 1, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 0/0/0 of 0+; declared f; ");
	say_at(&s, BEGIN + 30 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 0/0/1 of 1+; declared f; ");
	for (int i = 0; i < 40; i++) { /* each by the same author, a day apart, in the windows from day 30 on */
		struct hash notice = say_at(&s, BEGIN + (32 + i) * DAY, KIND_NOTICE, s.two, NOTICE("one.example"));

		answer_at(&s, s.now + HOUR, notice, s.one, "acknowledged");
	}
	say_at(&s, BEGIN + 95 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 1/0/2 of 3+; declared f; ");
	promised(&s, "one.example", BEGIN + 60 * DAY, 0, "swift 1/0/1 of 2+; declared f; ");
	promised(&s, "one.example", BEGIN + 60 * DAY + 1, 0, "swift 0/0/1 of 1+; declared f; ");
	promised(&s, "one.example", 0, BEGIN + 60 * DAY, "swift 0/0/1 of 1; declared f; ");
	promised(&s, "one.example", 0, BEGIN + 60 * DAY + 1, "swift 1/0/1 of 2; declared f; ");
	promised(&s, "one.example", BEGIN + 300 * DAY, 0, "swift 0/0/0 of 0; declared f; ");
	/* A window that is cut short is none, and what is over stays told. */
	say_at(&s, BEGIN + 100 * DAY, KIND_WITHDRAW, s.one, arena_print(s.b->arena, "re %s\n", hex_of(s.b->arena, id)));
	say_at(&s, BEGIN + 200 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 1/0/2 of 3; declared f; ");
	promised(&s, "two.example", 0, 0, "");
	scene_free(&s);
}

/* From its first day to its last. */
static void pledges_begin_and_end(void **state)
{
	struct scene s = scene_new(state);

	pledge_at(&s, BEGIN, s.one,
		  "norm un 2015 c\nstart 2026-02-01T00:00:00Z\nend 2026-04-02T00:00:00Z\nterm " SWIFT "\n");
	promised(&s, "one.example", 0, 0, "swift 0/0/0 of 0; ");
	say_at(&s, BEGIN + 31 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 0/0/0 of 0+; ");
	say_at(&s, BEGIN + 300 * DAY, KIND_NOTICE, s.two, NOTICE("reporter.example"));
	promised(&s, "one.example", 0, 0, "swift 0/0/2 of 2; ");
	scene_free(&s);
}

static enum err add_name(void *context, struct span name)
{
	buffer_print(context, "%.*s ", SPAN_FORMAT(name));
	return OK;
}

static void as_objects(void **state)
{
	struct scene s = scene_new(state);
	struct promises_ask ask = { 0 };
	struct buffer out = BUFFER(65536), again = BUFFER(65536);
	bool empty;

	pledge_at(&s, BEGIN, s.two, "norm un 2015 c\nterm " SWIFT "\n");
	pledge_at(&s, BEGIN, s.one, "norm un 2015 f\ndemonstration yes\n");
	assert_int_equal(promises_parties(&s.b->st, false, add_name, &out), OK);
	assert_span(buffer_view(&out), "two.example ");
	pledge_at(&s, BEGIN, s.one, "norm un 2015 f\ntext we leave it alone\n");
	buffer_clear(&out);
	assert_int_equal(promises_parties(&s.b->st, false, add_name, &out), OK);
	assert_span(buffer_view(&out), "one.example two.example ");
	buffer_clear(&out);
	assert_int_equal(promises_print(&s.b->st, SPAN("reporter.example"), &ask, &out, &empty), OK);
	assert_true(empty && out.len == 0);
	assert_int_equal(promises_print(&s.b->st, SPAN("one.example"), &ask, &out, &empty), OK);
	assert_false(empty);
	buffer_byte(&out, 0);
	assert_non_null(strstr(out.at, "\"pledges\":[],\"declarations\":[{"));
	assert_true(strstr(out.at, "\"met\"") == NULL && strstr(out.at, "\"windows\"") == NULL); /* no score */
	assert_non_null(strstr(out.at, "we leave it alone"));
	ask.demonstration = true;
	buffer_clear(&out);
	assert_int_equal(promises_print(&s.b->st, SPAN("two.example"), &ask, &out, &empty), OK);
	assert_true(empty);
	ask.demonstration = false;
	assert_int_equal(promises_shared_new(&ask.shared), OK);
	assert_int_equal(promises_print(&s.b->st, SPAN("two.example"), &ask, &out, &empty), OK);
	assert_int_equal(promises_print(&s.b->st, SPAN("two.example"), &(struct promises_ask){ 0 }, &again, &empty),
			 OK);
	assert_true(span_equal(buffer_view(&out), buffer_view(&again)));
	promises_shared_free(ask.shared);
	buffer_free(&out);
	buffer_free(&again);
	scene_free(&s);
}

static void in_plain_words(void **state)
{
	static const struct {
		const char *term, *says;
	} rows[] = {
		{ SWIFT, "at least 90 % of the notices to it acknowledged by a person within 2 days, each 30 days" },
		{ "x fixed at-least 99.5% within 36h each 90d",
		  "at least 99.5 % of the notices to it fixed within 36 hours, each "
		  "90 days" },
		{ "x re-offence at-most 0.25% each 1d",
		  "at most 0.25 % of what it fixed seen again within 30 days, each 1 day" },
		{ "x acknowledge-p90 at-most 90m each 7d",
		  "nine of ten notices to it acknowledged within 90 minutes, each 7 days" },
		{ "x plan-breach at-most 0 each 7d",
		  "at most 0 of its plans seen outside what they declare, each 7 days" },
		{ "x restraint scan,exercise in power each 90d", "no scan or exercise in power, each 90 days" },
	};
	struct buffer b = BUFFER(4096);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct term t = term_of(rows[i].term);

		buffer_clear(&b);
		promise_tell(&t, &b);
		assert_span(buffer_view(&b), rows[i].says);
	}
	buffer_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(notices_from_a_ledger, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(help_and_pings, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(plans_of_a_party, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(between_two, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(windows_of_pledges, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(pledges_begin_and_end, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(as_objects, scratch_setup, scratch_teardown),
		cmocka_unit_test(in_plain_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
