/* Notices that follow on others, and what is seen again after it was fixed: on a node that routed reports. */
#include "test.h"

#include "ledger/entry.h"
#include "regime/outbox.h"
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

static void at(struct scene *s, int64_t ms)
{
	s->now = ms;
	clock_simulate(ms);
	s->p->options.report.now_ms = ms + 60000;
}

static struct scene scene_new(void **state)
{
	struct scene s = { .p = place_new(*state),
			   .net = signer_of("net.example"),
			   .team = signer_of("ee-team.example") };

	join(&s, s.net, "AS64501");
	join(&s, s.team, "country EE");
	at(&s, clock_now_ms() + HOUR);
	return s;
}

static void scene_free(struct scene *s)
{
	clock_simulate(0);
	signer_free(s->net);
	signer_free(s->team);
	place_free(s->p);
}

/* One row for each word, an hour ago. */
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
	struct matter at[64];
	size_t count;
};

static enum err list_one(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct matter *copy = &l->at[l->count++];

	assert_true(l->count <= TABLE_LENGTH(l->at));
	*copy = *m;
	copy->addressees =
		span_make(arena_copy(l->s->p->arena, m->addressees.at, m->addressees.len), m->addressees.len);
	assert_true(matter_addressee(copy, 0, &copy->to));
	copy->from = span_make(arena_copy(l->s->p->arena, m->from.at, m->from.len), m->from.len);
	copy->body.media_type = span_make(arena_copy(l->s->p->arena, m->body.media_type.at, m->body.media_type.len),
					  m->body.media_type.len);
	copy->home = SPAN("cert.example");
	return OK;
}

static struct listing notices(struct scene *s)
{
	struct listing l = { .s = s };
	struct state st;

	assert_int_equal(node_read(s->p->n, s->p->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, list_one, &l), OK);
	snapshot_end(st.snapshot);
	return l;
}

static struct matter newest(struct scene *s)
{
	struct listing l = notices(s);

	assert_true(l.count > 0);
	return l.at[l.count - 1];
}

static struct follow_up_result follow(struct scene *s, struct follow_up_mark *mark)
{
	struct follow_up_result r = { 0 };

	if (follow_up_due(s->p->n, s->p->resolver, clock_now_ms(), 1000, mark, NULL, NULL, &r) != OK)
		fail_msg("%s", err_detail());
	return r;
}

static void answer(struct scene *s, const struct signer *who, struct hash re, const char *lines)
{
	struct arena *a = s->p->arena;

	say(s, statement_text(a, KIND_ANSWER, "cert.example/circle", who,
			      arena_print(a, "re %s\noutcome %s", hex_of(a, re), lines), NULL));
}

static void is_to(struct scene *s, const struct matter *m, const char *to)
{
	assert_string_equal(to_text(s->p->arena, &m->to), to);
}

/* It has the same evidence, bound to the matter that it follows on. */
static void follows_on(struct scene *s, const struct matter *m, const struct matter *before, const char *header)
{
	struct node *n = s->p->n;
	struct arena *a = s->p->arena;
	const uint8_t *salt, *old;
	struct span payload, first, entry;
	struct statement said;
	struct entry e;

	assert_true(m->has_before && hash_equal(m->before, before->id));
	assert_int_equal(m->events, before->events);
	assert_int_equal(m->class, before->class);
	assert_true(m->first_ms == before->first_ms && m->last_ms == before->last_ms);
	assert_int_equal(node_body(n, a, before->body.hash, &old, &first), OK);
	assert_int_equal(node_body(n, a, m->body.hash, &salt, &payload), OK);
	assert_true(span_equal(first, payload));
	assert_memory_not_equal(salt, old, SEAL_SALT_SIZE);
	assert_int_equal(node_entry(n, a, LEDGER_CIRCLE, m->index, &entry), OK);
	assert_int_equal(entry_parse(entry, &e), OK);
	assert_int_equal(statement_parse(a, e.note, &said), OK);
	assert_true(statement_binds(&said, salt, payload));
	assert_non_null(statement_header(&said, "reason"));
	assert_string_equal(arena_copy(a, statement_header(&said, "reason")->value.at,
				       statement_header(&said, "reason")->value.len),
			    header);
}

/* ---- overdue ---- */

static void overdue_goes_up_once(void **state)
{
	static const char *const levels[] = { "net.example", "AS64501", "country FI" };
	struct scene s = scene_new(state);
	struct follow_up_result r;
	struct matter m, before;
	size_t count;

	route_rows(&s, "5.45.0.1 5.45.0.2");
	m = newest(&s);
	is_to(&s, &m, "net.example");
	for (size_t i = 1; i < TABLE_LENGTH(levels); i++) {
		r = follow(&s, NULL);
		assert_int_equal(r.overdue + r.nowhere, 0); /* there is time left */
		at(&s, m.due_ms + 1000);
		r = follow(&s, NULL);
		assert_true(r.overdue == 1 && r.not_ours == 0 && r.nowhere == 0);
		r = follow(&s, NULL);
		assert_int_equal(r.overdue + r.nowhere, 0); /* once */
		before = m;
		m = newest(&s);
		is_to(&s, &m, levels[i]);
		assert_int_equal(m.reason, FOLLOW_OVERDUE);
		follows_on(&s, &m, &before, "overdue");
	}
	at(&s, m.due_ms + 1000);
	count = notices(&s).count;
	r = follow(&s, NULL);
	assert_true(r.overdue == 0 && r.nowhere == 1);
	assert_int_equal(notices(&s).count, count);
	ledger_size(s.p); /* the audit */
	scene_free(&s);
}

/* An answer in time keeps it where it is; that a machine has it is none. */
static void answered_stays(void **state)
{
	struct scene s = scene_new(state);
	struct follow_up_result r;
	struct matter m;

	route_rows(&s, "5.45.0.1");
	m = newest(&s);
	answer(&s, s.net, m.id, "acknowledged\n");
	at(&s, m.due_ms + 1000);
	r = follow(&s, NULL);
	assert_int_equal(r.overdue + r.nowhere, 0);
	route_rows(&s, "5.45.0.9");
	m = newest(&s);
	answer(&s, s.net, m.id, "received\n");
	at(&s, m.due_ms + 1000);
	assert_int_equal(follow(&s, NULL).overdue, 1);
	scene_free(&s);
}

/* The national team is asked last, and nobody behind it. */
static void country_party_is_last(void **state)
{
	struct scene s = scene_new(state);
	struct follow_up_mark mark = { 0 };
	struct follow_up_result r;
	struct matter m;

	route_rows(&s, "5.44.0.1");
	m = newest(&s);
	is_to(&s, &m, "AS64500");
	at(&s, m.due_ms + 1000);
	assert_int_equal(follow(&s, &mark).overdue, 1);
	m = newest(&s);
	is_to(&s, &m, "ee-team.example");
	at(&s, m.due_ms + 1000);
	r = follow(&s, &mark);
	assert_true(r.overdue == 0 && r.nowhere == 1);
	r = follow(&s, &mark); /* looked at before */
	assert_int_equal(r.nowhere, 0);
	r = follow(&s, NULL); /* looked at anew */
	assert_int_equal(r.nowhere, 1);
	scene_free(&s);
}

/* ---- not theirs ---- */

static void not_theirs(void **state)
{
	struct scene s = scene_new(state);
	struct follow_up_result r;
	struct matter first, m;

	route_rows(&s, "5.45.0.1");
	first = newest(&s);
	answer(&s, s.net, first.id, "not-ours\nbetter ee-team.example\n");
	r = follow(&s, NULL);
	assert_true(r.not_ours == 1 && r.overdue == 0 && r.nowhere == 0);
	m = newest(&s);
	is_to(&s, &m, "ee-team.example");
	follows_on(&s, &m, &first, "not-ours");
	/* Back to who refused it: it goes up instead. */
	answer(&s, s.team, m.id, "not-ours\nbetter net.example\n");
	first = m;
	assert_int_equal(follow(&s, NULL).not_ours, 1);
	m = newest(&s);
	is_to(&s, &m, "AS64501");
	follows_on(&s, &m, &first, "not-ours");
	/* Nobody named: up again, and then there is nobody. */
	answer(&s, node_signer(s.p->n), m.id, "not-ours\nfor AS64501\nvia mail\n");
	assert_int_equal(follow(&s, NULL).not_ours, 1);
	m = newest(&s);
	is_to(&s, &m, "country FI");
	answer(&s, node_signer(s.p->n), m.id, "not-ours\nfor country FI\nvia mail\n");
	r = follow(&s, NULL);
	assert_true(r.not_ours == 0 && r.nowhere == 1);
	ledger_size(s.p);
	scene_free(&s);
}

/* Each names another who was not asked yet: it ends all the same. */
static void it_ends(void **state)
{
	struct scene s = scene_new(state);
	size_t count = 0;

	route_rows(&s, "5.45.0.1");
	answer(&s, s.net, newest(&s).id, "not-ours\nbetter AS1\n");
	while (follow(&s, NULL).not_ours == 1) {
		struct matter m = newest(&s);

		count++;
		assert_true(count < 20);
		answer(&s, node_signer(s.p->n), m.id,
		       arena_print(s.p->arena, "not-ours\nfor %s\nvia mail\nbetter AS%zu\n", to_text(s.p->arena, &m.to),
				   count + 1));
	}
	assert_int_equal(count, 8);
	scene_free(&s);
}

static void erased_goes_nowhere(void **state)
{
	struct scene s = scene_new(state);
	struct follow_up_result r;
	struct matter m;

	route_rows(&s, "5.45.0.1");
	m = newest(&s);
	answer(&s, s.net, m.id, "not-ours\nbetter ee-team.example\n");
	assert_int_equal(node_erase_body(s.p->n, m.body.hash), OK);
	r = follow(&s, NULL);
	assert_true(r.not_ours == 0 && r.nowhere == 1);
	assert_int_equal(notices(&s).count, 1);
	scene_free(&s);
}

/* In small steps it comes to the same, each matter once. */
static void in_steps(void **state)
{
	struct scene s = scene_new(state);
	struct follow_up_mark mark = { 0 };
	uint64_t overdue = 0, steps = 0;
	bool due;
	struct state st;

	for (int i = 0; i < 7; i++) {
		route_rows(&s, arena_print(s.p->arena, "5.45.0.%d", i + 1));
		at(&s, s.now + HOUR);
	}
	at(&s, newest(&s).due_ms + 1000);
	for (;;) {
		struct follow_up_result r = { 0 };

		assert_int_equal(node_read(s.p->n, s.p->arena, &st), OK);
		assert_int_equal(follow_up_is_due(&st, clock_now_ms(), &mark, &due), OK);
		snapshot_end(st.snapshot);
		if (!due)
			break;
		assert_int_equal(follow_up_due(s.p->n, s.p->resolver, clock_now_ms(), 3, &mark, NULL, NULL, &r), OK);
		overdue += r.overdue;
		assert_true(r.overdue <= 3);
		steps++;
	}
	assert_int_equal(overdue, 7);
	assert_int_equal(steps, 3);
	assert_int_equal(notices(&s).count, 14);
	scene_free(&s);
}

/* ---- undeliverable ---- */

static enum err give_up(void *context, const struct outbox_item *i)
{
	struct buffer *record = context;
	struct outbox_event ev = {
		.key = i->key, .step = OUTBOX_UNDELIVERABLE, .at_ms = clock_now_ms(), .detail = SPAN("x")
	};

	outbox_write(record, &ev, 1);
	return OK;
}

static void undeliverable_goes_on(void **state)
{
	struct scene s = scene_new(state);
	struct buffer record = BUFFER(1 << 16);
	struct follow_up_mark mark = { 0 };
	struct follow_up_result r;
	struct matter m, next;
	struct span part;
	struct state st;

	route_rows(&s, "5.44.0.1");
	m = newest(&s);
	is_to(&s, &m, "AS64500");
	assert_int_equal(node_read(s.p->n, s.p->arena, &st), OK);
	assert_int_equal(outbox_walk(&st, &m.id, give_up, &record), OK);
	snapshot_end(st.snapshot);
	part = buffer_view(&record);
	assert_true(part.len > 0);
	assert_int_equal(follow(&s, &mark).undeliverable, 0);
	assert_int_equal(node_begin(s.p->n), OK);
	assert_int_equal(node_add_private(s.p->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(s.p->n), OK);
	buffer_free(&record);
	r = follow(&s, &mark);
	assert_true(r.undeliverable == 1 && r.overdue == 0 && r.nowhere == 0);
	next = newest(&s);
	is_to(&s, &next, "ee-team.example");
	follows_on(&s, &next, &m, "undeliverable");
	assert_int_equal(follow(&s, NULL).undeliverable, 0);
	at(&s, m.due_ms + 1000); /* once: nobody waits for the first any more */
	r = follow(&s, NULL);
	assert_int_equal(r.overdue + r.undeliverable, 0);
	ledger_size(s.p);
	scene_free(&s);
}

/* ---- seen after it was fixed ---- */

static void relapse(void **state)
{
	struct scene s = scene_new(state);
	struct matter m;

	route_rows(&s, "5.45.0.1 5.45.0.2");
	m = newest(&s);
	at(&s, s.now + 2 * HOUR);
	answer(&s, s.net, m.id, "fixed\n");
	/* What was seen before the fix was made, though heard of later, is none. */
	at(&s, s.now + HOUR / 2);
	route_rows(&s, "5.45.0.1");
	assert_int_equal(s.p->out.held, 1);
	assert_int_equal(notices(&s).at[0].re_observed, 0);
	/* An hour after it, within the day in which nothing is told twice. */
	at(&s, s.now + 2 * HOUR);
	route_rows(&s, "5.45.0.1");
	assert_true(s.p->out.told == 1 && s.p->out.again == 1 && s.p->out.held == 0);
	m = notices(&s).at[0];
	assert_true(m.re_observed == 1 && !m.ended && m.re_observed_ms > m.fixed_ms);
	/* Said once. */
	at(&s, s.now + HOUR);
	route_rows(&s, "5.45.0.2");
	assert_int_equal(notices(&s).at[0].re_observed, 1);
	ledger_size(s.p);
	scene_free(&s);
}

/* It may have stood in a notice that nobody said was fixed: nothing is claimed. */
static void no_relapse_in_doubt(void **state)
{
	struct scene s = scene_new(state);
	struct listing l;

	route_rows(&s, "5.45.0.1");
	route_rows(&s, "5.45.0.2"); /* the same second */
	l = notices(&s);
	assert_int_equal(l.count, 2);
	at(&s, s.now + HOUR);
	answer(&s, s.net, l.at[1].id, "fixed\n");
	at(&s, s.now + 2 * HOUR);
	route_rows(&s, "5.45.0.1");
	assert_int_equal(s.p->out.held, 1);
	assert_int_equal(notices(&s).at[1].re_observed, 0);
	answer(&s, s.net, l.at[0].id, "fixed\n");
	at(&s, s.now + 2 * HOUR);
	route_rows(&s, "5.45.0.1");
	assert_int_equal(s.p->out.again, 1);
	assert_int_equal(notices(&s).at[1].re_observed, 1);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(overdue_goes_up_once, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(answered_stays, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(country_party_is_last, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(not_theirs, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(it_ends, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(erased_goes_nowhere, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(undeliverable_goes_on, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(in_steps, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(relapse, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_relapse_in_doubt, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
