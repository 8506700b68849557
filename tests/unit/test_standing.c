#include "regime.h"

#include "regime/standing.h"

#define BEGIN INT64_C(1735689600000)
#define HOUR INT64_C(3600000)

/* A notice of the second day of a year, as standing sees it at the end of the year. */
static struct matter notice_at(int64_t ms)
{
	return (struct matter){ .kind = KIND_NOTICE,
				.ledger = LEDGER_CIRCLE,
				.logged_ms = ms,
				.due_ms = ms + 3 * DAY,
				.first_due_ms = ms + 3 * DAY,
				.events = 2 };
}

static struct standing_sum *sum_of(int64_t from_ms, int64_t until_ms)
{
	struct standing_ask ask = { .from_ms = from_ms, .until_ms = until_ms };
	struct standing_sum *sum = NULL;

	assert_int_equal(standing_sum_new(&ask, &sum), OK);
	return sum;
}

static struct standing *standing_for(const struct matter *m, int copies, int64_t until_ms)
{
	struct standing_sum *sum = sum_of(0, until_ms);
	struct standing *s = malloc(sizeof(*s));

	assert_non_null(s);
	for (int i = 0; i < copies; i++) {
		assert_int_equal(standing_sum_to(sum, m), OK);
		standing_sum_from(sum, m);
	}
	standing_sum_end(sum, s);
	standing_sum_free(sum);
	return s;
}

#define assert_proportion(p, n, of, not_known)                                                                         \
	do {                                                                                                           \
		assert_int_equal((p).numerator, n);                                                                    \
		assert_int_equal((p).denominator, of);                                                                 \
		assert_int_equal((p).unknown, not_known);                                                              \
		assert_int_equal((p).blank, (of) < STANDING_LEAST);                                                    \
	} while (0)

/* Nothing is not good: no figure of an empty standing has a rate. */
static void nothing_is_blank(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s = standing_for(&m, 0, BEGIN + 30 * DAY);
	struct buffer b = BUFFER(65536);
	struct span rest, line;
	unsigned rates = 0;

	(void)state;
	s->party = (struct addressee){ .type = TO_PARTY, .domain = SPAN("b.example") };
	standing_print(s, NULL, &b);
	assert_int_equal(b.err, OK);
	rest = buffer_view(&b);
	while (rest.at != NULL) {
		line = span_cut(&rest, '"');
		if (span_is(line, "rate") || span_is(line, "low") || span_is(line, "high") || span_is(line, "share") ||
		    span_is(line, "p50_ms")) {
			rates++;
			assert_true(span_starts(rest, ":null"));
		}
	}
	assert_true(rates > 40);
	buffer_free(&b);
	free(s);
}

static void what_happened_later_is_not_known(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s;

	(void)state;
	m.arrived_ms = BEGIN + HOUR;
	m.acknowledged_ms = BEGIN + 2 * DAY;
	m.fixed_ms = BEGIN + 10 * DAY;
	m.re_observed_ms = BEGIN + 20 * DAY;
	m.withdrawn_ms = BEGIN + 90 * DAY;
	s = standing_for(&m, 1, BEGIN + DAY); /* not a day old yet */
	assert_proportion(s->arrived, 0, 0, 1);
	free(s);
	s = standing_for(&m, 1, BEGIN + DAY + 1);
	assert_proportion(s->arrived, 1, 1, 0);
	assert_proportion(s->acknowledged, 0, 0, 1);
	free(s);
	s = standing_for(&m, 1, BEGIN + 3 * DAY); /* acknowledged, but others of that time are not due */
	assert_proportion(s->acknowledged, 0, 0, 1);
	assert_int_equal(s->acknowledge.ended, 1);
	free(s);
	s = standing_for(&m, 1, BEGIN + 10 * DAY); /* what happens at the very end is not known */
	assert_proportion(s->acknowledged, 1, 1, 0);
	assert_proportion(s->overdue, 0, 1, 0);
	assert_int_equal(s->fixed.ended, 0);
	assert_proportion(s->reopened, 0, 0, 0);
	free(s);
	s = standing_for(&m, 1, BEGIN + 40 * DAY); /* 30 days after the fix */
	assert_proportion(s->reopened, 1, 1, 0);
	assert_proportion(s->re_offence_30d, 0, 0, 1);
	free(s);
	s = standing_for(&m, 1, BEGIN + 40 * DAY + 1);
	assert_proportion(s->re_offence_30d, 1, 1, 0);
	free(s);
	s = standing_for(&m, 3, BEGIN + 91 * DAY); /* withdrawn: nowhere but there */
	assert_int_equal(s->notices, 3);
	assert_int_equal(s->withdrawn, 3);
	assert_int_equal(s->events, 0);
	assert_proportion(s->arrived, 0, 0, 0);
	assert_int_equal(s->fixed.cases, 0);
	assert_proportion(s->false_notices, 3, 3, 0);
	free(s);
}

static void late_answers_are_overdue(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s;

	(void)state;
	m.acknowledged_ms = m.first_due_ms; /* at the very moment: in time */
	m.due_ms = BEGIN + 50 * DAY;	    /* moved on by a relapse: the first counts */
	s = standing_for(&m, 1, BEGIN + 20 * DAY);
	assert_proportion(s->overdue, 0, 1, 0);
	free(s);
	m.acknowledged_ms++;
	m.acknowledged_mediated = true;
	s = standing_for(&m, 1, BEGIN + 20 * DAY);
	assert_proportion(s->overdue, 1, 1, 0);
	assert_proportion(s->acknowledged, 1, 1, 0);
	assert_proportion(s->acknowledged_by_itself, 0, 1, 0);
	free(s);
}

/* Who closes its notice at once makes nobody late. */
static void taken_back(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s;

	(void)state;
	m.closed_ms = m.first_due_ms;
	s = standing_for(&m, 25, BEGIN + 20 * DAY);
	assert_proportion(s->overdue, 0, 0, 25);
	assert_proportion(s->acknowledged, 0, 0, 25);
	free(s);
	m.closed_ms++;
	s = standing_for(&m, 25, BEGIN + 20 * DAY);
	assert_proportion(s->overdue, 25, 25, 0);
	free(s);
	m.closed_ms = BEGIN + HOUR;
	m.acknowledged_ms = BEGIN + HOUR;
	s = standing_for(&m, 25, BEGIN + 20 * DAY);
	assert_proportion(s->acknowledged, 25, 25, 0);
	free(s);
}

static void disputes_stand_unless_closed(void **state)
{
	static const struct {
		int closed_day; /* after the dispute; 0: never */
		int look_day;
		unsigned standing, settled, open;
	} rows[] = {
		{ 0, 14, 0, 0, 1 }, { 0, 15, 1, 1, 0 }, { 13, 14, 0, 1, 0 }, { 13, 12, 0, 0, 1 }, { 14, 30, 1, 1, 0 }
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++) {
		struct matter m = notice_at(BEGIN);
		struct standing *s;

		m.disputed_ms = BEGIN + DAY;
		m.settled_ms = rows[i].closed_day > 0 ? m.disputed_ms + rows[i].closed_day * DAY : 0;
		m.closed_ms = i % 2 == 1 && m.settled_ms != 0 ? BEGIN + 1 : m.settled_ms; /* or before that */
		s = standing_for(&m, 1, m.disputed_ms + rows[i].look_day * DAY);
		assert_proportion(s->disputed, 1, 1, 0);
		assert_proportion(s->disputed_standing, rows[i].standing, rows[i].settled, rows[i].open);
		assert_proportion(s->false_notices, rows[i].standing, 1 - rows[i].open, rows[i].open);
		assert_int_equal(s->fixed.cases, 1);
		assert_int_equal(s->fixed_undisputed.cases, 0);
		free(s);
	}
}

/* Whose matter it is no more, that is not watched any longer; who cannot still has it. */
static void open_ones_are_watched_until(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s;

	(void)state;
	s = standing_for(&m, 25, BEGIN + 40 * DAY);
	assert_int_equal(s->fixed.days[3].at_risk, 25);
	free(s);
	m.cannot_ms = BEGIN + DAY;
	s = standing_for(&m, 25, BEGIN + 40 * DAY);
	assert_int_equal(s->fixed.days[3].at_risk, 25);
	assert_proportion(s->cannot, 25, 25, 0);
	free(s);
	m.not_ours_ms = BEGIN + 8 * DAY;
	s = standing_for(&m, 25, BEGIN + 40 * DAY);
	assert_int_equal(s->fixed.days[1].at_risk, 25);
	assert_int_equal(s->fixed.days[2].at_risk, 0);
	assert_true(s->fixed.days[1].known && !s->fixed.days[2].known);
	free(s);
	m.closed_ms = BEGIN + 2 * DAY;
	s = standing_for(&m, 25, BEGIN + 40 * DAY);
	assert_int_equal(s->fixed.days[1].at_risk, 0);
	free(s);
	m.fixed_ms = BEGIN + 9 * DAY; /* but a fix counts when it comes */
	s = standing_for(&m, 25, BEGIN + 40 * DAY);
	assert_int_equal(s->fixed.ended, 25);
	free(s);
}

static void what_counts(void **state)
{
	struct matter m = notice_at(BEGIN + DAY);
	struct standing_sum *sum = sum_of(BEGIN, BEGIN + 2 * DAY);
	struct standing *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	assert_int_equal(standing_sum_to(sum, &m), OK);
	m.logged_ms = BEGIN; /* the first instant counts, the last does not */
	assert_int_equal(standing_sum_to(sum, &m), OK);
	m.logged_ms = BEGIN + 2 * DAY;
	assert_int_equal(standing_sum_to(sum, &m), OK);
	m.logged_ms = BEGIN - 1;
	assert_int_equal(standing_sum_to(sum, &m), OK);
	m.logged_ms = BEGIN + DAY;
	m.demonstration = true;
	assert_int_equal(standing_sum_to(sum, &m), OK);
	m.demonstration = false;
	m.kind = KIND_REQUEST;
	assert_int_equal(standing_sum_to(sum, &m), OK);
	standing_sum_end(sum, s);
	assert_int_equal(s->notices, 2);
	assert_int_equal(s->events, 4);
	standing_sum_end(sum, s); /* begun anew */
	assert_int_equal(s->notices, 0);
	assert_int_equal(s->fixed.cases, 0);
	standing_sum_free(sum);
	free(s);
}

static void late_notices(void **state)
{
	struct matter m = notice_at(BEGIN);
	struct standing *s = standing_for(&m, 2, BEGIN + DAY);

	(void)state;
	assert_proportion(s->late, 0, 0, 2);
	free(s);
	m.last_ms = BEGIN - DAY;
	s = standing_for(&m, 1, BEGIN + DAY);
	assert_proportion(s->late, 0, 1, 0);
	free(s);
	m.last_ms--;
	s = standing_for(&m, 1, BEGIN + DAY);
	assert_proportion(s->late, 1, 1, 0);
	free(s);
	m.reason = FOLLOW_OVERDUE; /* it repeats what is old */
	s = standing_for(&m, 1, BEGIN + DAY);
	assert_proportion(s->late, 0, 0, 0);
	free(s);
}

static struct control control_of(enum rsit_class class, int first_day, int last_day, uint64_t told)
{
	return (struct control){ .class = class,
				 .logged_ms = BEGIN + 200 * DAY,
				 .first_ms = BEGIN + first_day * DAY,
				 .last_ms = BEGIN + last_day * DAY,
				 .notified = told,
				 .control = 100,
				 .notified_gone = { told / 10, told / 4, told / 2, told },
				 .control_gone = { 5, 10, 20, 40 } };
}

static void controls_add_up(void **state)
{
	struct standing_sum *sum = sum_of(BEGIN, BEGIN + 300 * DAY);
	struct standing *s = malloc(sizeof(*s));
	struct control rows[] = {
		control_of(CLASS_SCANNER, 0, 30, 100),	/* counts */
		control_of(CLASS_SCANNER, 29, 60, 100), /* begins within the one before */
		control_of(CLASS_SCANNER, 30, 70, 50),	/* counts */
		control_of(CLASS_SCANNER, -1, 80, 50),	/* began before the period */
		control_of(CLASS_SCANNER, 90, 301, 50), /* ends behind it */
		control_of(CLASS_DDOS, 0, 30, 19),	/* counts, too few */
	};

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < TABLE_LENGTH(rows); i++)
		standing_sum_control(sum, &rows[i]);
	rows[0].class = CLASS_SPAM;
	rows[0].demonstration = true; /* counts among those alone */
	standing_sum_control(sum, &rows[0]);
	rows[0].demonstration = false;
	rows[0].logged_ms = BEGIN + 300 * DAY; /* not known then */
	rows[0].class = CLASS_SPAM;
	standing_sum_control(sum, &rows[0]);
	standing_sum_end(sum, s);
	assert_int_equal(s->uplift_count, 2);
	assert_int_equal(s->uplift[0].class, CLASS_SCANNER);
	assert_int_equal(s->uplift[0].controls, 2);
	assert_proportion(s->uplift[0].notified[3], 150, 150, 0);
	assert_proportion(s->uplift[0].control[3], 80, 200, 0);
	assert_true(!s->uplift[0].more[3].blank && s->uplift[0].more[3].low > 0.5 && s->uplift[0].more[3].high < 0.7);
	assert_int_equal(s->uplift[1].class, CLASS_DDOS);
	assert_true(s->uplift[1].more[0].blank);
	standing_sum_free(sum);
	free(s);
}

/* From entries: what standing_of and standing_all say is what comes of adding up the matters by hand. */
static enum err keep_party(void *context, const struct standing *s)
{
	struct buffer *names = context;

	addressee_print(&s->party, names);
	buffer_print(names, "=%ju/%ju ", (uintmax_t)s->notices, (uintmax_t)s->filed);
	return OK;
}

static void from_a_ledger(void **state)
{
	struct bare *b = bare_new(*state, "ledger");
	struct signer *reporter = signer_of("res.example"), *op = signer_of("op.example");
	struct standing_ask ask = { 0 };
	struct standing *s = malloc(sizeof(*s));
	struct buffer names = BUFFER(4096);
	struct addressee party = { .type = TO_PARTY, .domain = SPAN("op.example") };
	struct hash id;

	assert_non_null(s);
	assert_int_equal(bare_fold(b, party_text(b->arena, "cert.example/public", reporter, "role researcher\n", NULL),
				   LEDGER_PUBLIC, BEGIN),
			 OK);
	assert_int_equal(bare_fold(b, party_text(b->arena, "cert.example/public", op, "role operator\n", NULL),
				   LEDGER_PUBLIC, BEGIN),
			 OK);
	assert_int_equal(bare_fold(b,
				   statement_text(b->arena, KIND_NOTICE, "cert.example/circle", reporter,
						  "to op.example\nto AS64500\nclass malicious-code/infected-system\n"
						  "events 3\n" SEALED_BODY,
						  &id),
				   LEDGER_CIRCLE, BEGIN + DAY),
			 OK);
	assert_int_equal(
		bare_fold(b,
			  statement_text(b->arena, KIND_ANSWER, "cert.example/circle", op,
					 arena_print(b->arena, "re %s\noutcome fixed\n", hex_of(b->arena, id)), NULL),
			  LEDGER_CIRCLE, BEGIN + 9 * DAY),
		OK);
	assert_int_equal(standing_of(&b->st, &party, &ask, s), OK);
	assert_int_equal(s->until_ms, BEGIN + 9 * DAY + 1); /* behind the last entry */
	assert_span(s->ledger_node, "cert.example");
	assert_proportion(s->acknowledged, 1, 1, 0);
	assert_proportion(s->overdue, 1, 1, 0);
	assert_int_equal(s->fixed.ended, 1);
	ask.until_ms = BEGIN + 2 * DAY;
	assert_int_equal(standing_of(&b->st, &party, &ask, s), OK);
	assert_int_equal(s->fixed.ended, 0);
	assert_int_equal(s->notices, 1);
	ask.until_ms = BEGIN + 900 * DAY; /* nothing is known of that */
	assert_int_equal(standing_all(&b->st, &ask, SPAN(""), keep_party, &names), OK);
	assert_span(buffer_view(&names), "AS64500=1/0 op.example=1/0 res.example=0/1 ");
	buffer_clear(&names);
	assert_int_equal(standing_all(&b->st, &ask, SPAN("op.example"), keep_party, &names), OK);
	assert_span(buffer_view(&names), "res.example=0/1 ");
	ask.from_ms = BEGIN + 10 * DAY;
	assert_int_equal(standing_of(&b->st, &party, &ask, s), ERR_USAGE);
	ask = (struct standing_ask){ .from_ms = BEGIN + 2 * DAY, .until_ms = BEGIN + DAY };
	assert_int_equal(standing_of(&b->st, &party, &ask, s), ERR_USAGE);
	/* What it tells itself is no figure. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			bare_fold(
				b,
				statement_text(b->arena, KIND_NOTICE, "cert.example/circle", op,
					       arena_print(b->arena,
							   "to op.example\n%sclass other/other\nevents 1\n" SEALED_BODY,
							   i == 0 ? "" : "to AS64500\n"),
					       &id),
				LEDGER_CIRCLE, BEGIN + 10 * DAY),
			OK);
	ask = (struct standing_ask){ 0 };
	assert_int_equal(standing_of(&b->st, &party, &ask, s), OK);
	assert_int_equal(s->notices, 1);
	assert_int_equal(s->filed, 1);
	buffer_free(&names);
	free(s);
	signer_free(reporter);
	signer_free(op);
	bare_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_blank),
		cmocka_unit_test(what_happened_later_is_not_known),
		cmocka_unit_test(late_answers_are_overdue),
		cmocka_unit_test(taken_back),
		cmocka_unit_test(disputes_stand_unless_closed),
		cmocka_unit_test(open_ones_are_watched_until),
		cmocka_unit_test(what_counts),
		cmocka_unit_test(late_notices),
		cmocka_unit_test(controls_add_up),
		cmocka_unit_test_setup_teardown(from_a_ledger, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
