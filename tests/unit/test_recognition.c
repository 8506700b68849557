/* What an addressee does not recognise goes to the next that answers, on a node that routes reports: nothing is lost by it. */
#include "test.h"

#include "ledger/entry.h"
#include "regime/directive.h"
#include "regime/words.h"
#include "route/follow_up.h"
#include "route_test.h"

#define HOUR INT64_C(3600000)

struct scene {
	struct place *p;
	struct signer *net, *team;
	int64_t now;
};

static void say(struct scene *s, struct span note)
{
	struct appended out;

	assert_int_equal(node_begin(s->p->n), OK);
	if (node_add_statement(s->p->n, note, &out) != OK)
		fail_msg("%s\n%.*s", err_detail(), SPAN_FORMAT(note));
	assert_int_equal(node_commit(s->p->n), OK);
}

static void join(struct scene *s, const struct signer *who, const char *claim)
{
	struct arena *a = s->p->arena;
	struct hash id;

	say(s, party_text(a, "cert.example/public", who, arena_print(a, "role operator\nclaim %s\n", claim), &id));
	say(s, statement_text(a, KIND_ANSWER, "cert.example/public", node_signer(s->p->n),
			      arena_print(a, "re %s\noutcome accepted\n", hex_of(a, id)), NULL));
}

static void later(struct scene *s, int64_t ms)
{
	s->now += ms;
	clock_simulate(s->now);
	s->p->options.report.now_ms = s->now + 60000;
}

/* Takes these codes from now on. */
static void takes(struct scene *s, const struct signer *who, const char *lines)
{
	later(s, 1000);
	say(s, statement_text(s->p->arena, KIND_VOCABULARY, "cert.example/public", who,
			      arena_print(s->p->arena, "codes 1\n%s", lines), NULL));
	later(s, 1000);
}

static struct scene scene_new(void **state)
{
	struct scene s = { .p = place_new(*state),
			   .net = signer_of("net.example"),
			   .team = signer_of("ee-team.example") };
	struct state st;
	uint64_t rules = 0;

	join(&s, s.net, "AS64501");
	join(&s, s.team, "country EE");
	assert_int_equal(node_read(s.p->n, s.p->arena, &st), OK);
	assert_int_equal(state_rules(&st, &rules), OK);
	snapshot_end(st.snapshot);
	if (rules < 2)
		say(&s, statement_text(s.p->arena, KIND_RULES, "cert.example/public", node_signer(s.p->n),
				       "version 2\n", NULL));
	s.now = clock_now_ms();
	later(&s, HOUR);
	return s;
}

static void scene_free(struct scene *s)
{
	clock_simulate(0);
	signer_free(s->net);
	signer_free(s->team);
	place_free(s->p);
}

/* Open services, code 19: one row for each word, an hour ago. */
static void route_rows(struct scene *s, const char *words)
{
	struct buffer text = BUFFER(1 << 20);
	struct span rest = span_of(words), word;
	char time[CLOCK_TEXT];

	clock_format(s->now - HOUR, time);
	buffer_text(&text, "timestamp,ip,protocol,port,tag\n");
	while (rest.len > 0) {
		word = span_cut(&rest, ' ');
		buffer_print(&text, "%.10s %.8s,%.*s,tcp,22,x\n", time, time + 11, SPAN_FORMAT(word));
	}
	assert_int_equal(scratch_write(s->p->s, "2026-11-01-scan_ssh-test.csv", buffer_view(&text)), OK);
	buffer_free(&text);
	place_must_route(s->p, scratch_path(s->p->s, "2026-11-01-scan_ssh-test.csv"));
}

/* ---- what there is ---- */

struct listing {
	struct scene *s;
	struct buffer text; /* "AS64501+ee-team.example 3;" of each notice: to and cc, events */
	struct hash last;
	bool said; /* the last one says why */
};

static enum err list_one(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct addressee to;

	for (unsigned i = 0; matter_addressee(m, i, &to); i++) {
		if (i > 0)
			buffer_byte(&l->text, '+');
		addressee_print(&to, &l->text);
	}
	buffer_print(&l->text, " %llu;", (unsigned long long)m->events);
	l->last = m->id;
	return OK;
}

static enum err ignore(void *context, const struct evidence_row *row)
{
	(void)context;
	(void)row;
	return OK;
}

static void look_at_summary(struct listing *l, const struct state *st)
{
	struct matter m;
	const uint8_t *salt;
	struct span payload, summary;

	assert_int_equal(state_matter(st, l->last, &m), OK);
	assert_int_equal(node_body(l->s->p->n, l->s->p->arena, m.body.hash, &salt, &payload), OK);
	assert_int_equal(evidence_read(l->s->p->arena, payload, 1 << 20, &summary, ignore, NULL), OK);
	l->said = memmem(summary.at, summary.len, "does not take", 13) != NULL;
}

static bool are(struct scene *s, const char *expected, bool said)
{
	struct listing l = { .s = s, .text = BUFFER(1 << 16) };
	struct state st;
	bool same;

	assert_int_equal(node_read(s->p->n, s->p->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, list_one, &l), OK);
	if (l.text.len > 0)
		look_at_summary(&l, &st);
	snapshot_end(st.snapshot);
	same = span_is(buffer_view(&l.text), expected) && l.said == said;
	if (!same)
		print_error("%.*s, said %d\n", SPAN_FORMAT(buffer_view(&l.text)), l.said);
	buffer_free(&l.text);
	return same;
}

/* ---- routing ---- */

static void to_the_resource(void **state)
{
	struct scene s = scene_new(state);

	route_rows(&s, "5.45.0.1 5.45.0.2");
	assert_true(are(&s, "net.example 2;", false));
	takes(&s, s.net, "recognise 2\n");
	route_rows(&s, "5.45.0.3 5.45.0.4 5.45.0.5");
	assert_int_equal(s.p->out.told, 3);
	assert_int_equal(s.p->out.unanswered, 0);
	assert_true(are(&s, "net.example 2;AS64501 3;", true));
	takes(&s, s.net, "recognise 2\nrecognise 19\n");
	route_rows(&s, "5.45.0.6");
	assert_true(are(&s, "net.example 2;AS64501 3;net.example 1;", false));
	scene_free(&s);
}

/* The resource finds it under its own name, and the party that claims it may answer. */
static void it_counts_for_the_resource(void **state)
{
	struct scene s = scene_new(state);
	struct addressee as = { .type = TO_AS, .asn = 64501 };
	struct listing l = { .s = &s, .text = BUFFER(1 << 16) };
	struct state st;

	takes(&s, s.net, "");
	route_rows(&s, "5.45.0.1");
	assert_int_equal(node_read(s.p->n, s.p->arena, &st), OK);
	assert_int_equal(state_matters_to(&st, &as, CLASS_NONE, list_one, &l), OK);
	snapshot_end(st.snapshot);
	assert_true(span_is(buffer_view(&l.text), "AS64501 1;"));
	buffer_free(&l.text);
	say(&s, statement_text(s.p->arena, KIND_ANSWER, "cert.example/circle", s.net,
			       arena_print(s.p->arena, "re %s\noutcome fixed\n", hex_of(s.p->arena, l.last)), NULL));
	scene_free(&s);
}

static void copies_and_countries(void **state)
{
	struct scene s = scene_new(state);

	route_rows(&s, "5.44.0.1 5.47.0.1");
	assert_true(are(&s, "AS64500+ee-team.example 1;ee-team.example 1;", false) ||
		    are(&s, "ee-team.example 1;AS64500+ee-team.example 1;", false));
	takes(&s, s.team, "recognise 3\n");
	route_rows(&s, "5.44.0.2");
	route_rows(&s, "5.47.0.2");
	assert_true(are(&s, "AS64500+ee-team.example 1;ee-team.example 1;AS64500 1;country EE 1;", true) ||
		    are(&s, "ee-team.example 1;AS64500+ee-team.example 1;AS64500 1;country EE 1;", true));
	scene_free(&s);
}

/* What this node itself does not give goes to resources alone. */
static void our_own_vocabulary(void **state)
{
	struct scene s = scene_new(state);

	takes(&s, node_signer(s.p->n), "recognise 2\n");
	route_rows(&s, "5.45.0.1");
	route_rows(&s, "5.47.0.1");
	assert_true(are(&s, "AS64501 1;country EE 1;", true));
	scene_free(&s);
}

/* What waits for a round when the party changes its mind. */
static void what_waits(void **state)
{
	struct scene s = scene_new(state);
	struct buffer record = BUFFER(1024);
	struct addressee net = { .type = TO_PARTY, .domain = SPAN("net.example") };
	struct directive d = directive_default();
	struct span part;

	d.interval_ms = 24 * HOUR;
	directive_write(&record, &net, &d, false);
	part = buffer_view(&record);
	assert_int_equal(node_begin(s.p->n), OK);
	assert_int_equal(node_add_private(s.p->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(s.p->n), OK);
	buffer_free(&record);
	route_rows(&s, "5.45.0.1");
	later(&s, HOUR);
	route_rows(&s, "5.45.0.2 5.45.0.3");
	assert_int_equal(s.p->out.waiting, 2);
	takes(&s, s.net, "recognise 2\n");
	later(&s, 30 * HOUR);
	route_rows(&s, "5.46.0.1");
	assert_int_equal(s.p->out.released, 2);
	assert_true(are(&s, "net.example 1;AS64502 1;AS64501 2;", true));
	later(&s, 30 * HOUR);
	route_rows(&s, "5.46.0.2");
	assert_int_equal(s.p->out.released, 0);
	scene_free(&s);
}

/* ---- what follows on others ---- */

static struct follow_up_result follow(struct scene *s)
{
	struct follow_up_result r = { 0 };

	if (follow_up_due(s->p->n, s->p->resolver, clock_now_ms(), 1000, NULL, NULL, NULL, &r) != OK)
		fail_msg("%s", err_detail());
	return r;
}

static void follow_ups_pass_over(void **state)
{
	struct scene s = scene_new(state);

	route_rows(&s, "5.44.0.1");
	assert_true(are(&s, "AS64500+ee-team.example 1;", false));
	takes(&s, s.team, "recognise 3\n");
	later(&s, 24 * HOUR * (int64_t)(class_due_days(CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE) + 1));
	assert_int_equal(follow(&s).overdue, 1);
	assert_true(are(&s, "AS64500+ee-team.example 1;country EE 1;", false));
	scene_free(&s);
}

static void whom_an_answer_names(void **state)
{
	struct scene s = scene_new(state);
	struct listing l = { .s = &s, .text = BUFFER(1 << 16) };
	struct state st;

	route_rows(&s, "5.45.0.1");
	takes(&s, s.team, "recognise 3\n");
	assert_int_equal(node_read(s.p->n, s.p->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, list_one, &l), OK);
	snapshot_end(st.snapshot);
	buffer_free(&l.text);
	say(&s, statement_text(s.p->arena, KIND_ANSWER, "cert.example/circle", s.net,
			       arena_print(s.p->arena, "re %s\noutcome not-ours\nbetter ee-team.example\n",
					   hex_of(s.p->arena, l.last)),
			       NULL));
	later(&s, HOUR);
	assert_int_equal(follow(&s).not_ours, 1);
	assert_true(are(&s, "net.example 1;AS64501 1;", false));
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_the_resource, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(it_counts_for_the_resource, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(copies_and_countries, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(our_own_vocabulary, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_waits, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(follow_ups_pass_over, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(whom_an_answer_names, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
