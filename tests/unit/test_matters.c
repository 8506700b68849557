/* The clocks of matters, how they are found, and what follows on them; requests and controls. */
#include "regime/control.h"

#include "regime.h"

#define CLASS "class malicious-code/infected-system\n"

struct lab {
	struct bare *b;
	struct signer *op, *other;
	int64_t now;
};

static struct lab lab_new(void **state)
{
	struct lab l = { .b = bare_new(*state, "views"), .op = signer_of("op.example"), .now = 10000 };

	l.other = signer_of("other.example");
	assert_int_equal(bare_fold(l.b, party_text(l.b->arena, "cert.example/public", l.op, "role operator\n", NULL),
				   LEDGER_PUBLIC, 2000),
			 OK);
	assert_int_equal(bare_fold(l.b, party_text(l.b->arena, "cert.example/public", l.other, "role operator\n", NULL),
				   LEDGER_PUBLIC, 3000),
			 OK);
	return l;
}

static void lab_free(struct lab *l)
{
	signer_free(l->op);
	signer_free(l->other);
	bare_free(l->b);
}

static enum err check_of(struct lab *l, struct span note)
{
	struct statement s;

	assert_int_equal(statement_parse(l->b->arena, note, &s), OK);
	l->b->st.ledger = LEDGER_CIRCLE;
	l->b->st.index = l->b->size[LEDGER_CIRCLE];
	l->b->st.logged_ms = l->now;
	return state_check(&l->b->st, &s);
}

/* Checks, folds, and gives what the check says; the fold agrees with it. */
static enum err put(struct lab *l, enum kind k, const struct signer *from, const char *lines, struct hash *id)
{
	struct hash unused;
	struct span note =
		statement_text(l->b->arena, k, "cert.example/circle", from, lines, id != NULL ? id : &unused);
	enum err e = check_of(l, note);

	assert_int_equal(bare_fold(l->b, note, LEDGER_CIRCLE, l->now), OK);
	l->now += 1000;
	return e;
}

static struct hash notice(struct lab *l, const char *lines)
{
	struct hash id;

	assert_int_equal(
		put(l, KIND_NOTICE, l->b->node,
		    arena_print(l->b->arena, "%sevents 1\npart 1/%jd\n" SEALED_BODY, lines, (intmax_t)l->now / 1000),
		    &id),
		OK);
	return id;
}

static enum err answer(struct lab *l, const struct signer *from, struct hash re, const char *lines)
{
	return put(l, KIND_ANSWER, from,
		   arena_print(l->b->arena, "re %s\noutcome %stext %jd\n", hex_of(l->b->arena, re), lines,
			       (intmax_t)l->now),
		   NULL);
}

static enum err follow(struct lab *l, const struct signer *from, struct hash re, const char *reason, const char *to,
		       struct hash *id)
{
	return put(l, KIND_NOTICE, from,
		   arena_print(l->b->arena, "to %s\n" CLASS "events 1\nre %s\nreason %s\npart 1/%jd\n" SEALED_BODY, to,
			       hex_of(l->b->arena, re), reason, (intmax_t)l->now / 1000),
		   id);
}

static struct matter matter_of(struct lab *l, struct hash id)
{
	struct matter m = { 0 };

	assert_int_equal(state_matter(&l->b->st, id, &m), OK);
	return m;
}

/* ---- clocks ---- */

static void times(void **state)
{
	struct lab l = lab_new(state);
	struct hash id = notice(&l, "to op.example\ncc other.example\n" CLASS
				    "first 1970-01-01T00:00:01Z\nlast 1970-01-01T00:00:02Z\n");
	struct addressee to;
	struct matter m = matter_of(&l, id);

	assert_int_equal(m.to_count, 1);
	assert_int_equal(m.cc_count, 1);
	assert_true(matter_addressee(&m, 1, &to));
	assert_span(to.domain, "other.example");
	assert_false(matter_addressee(&m, 2, &to));
	assert_span(m.home, "cert.example");
	assert_int_equal(m.first_ms, 1000);
	assert_int_equal(m.last_ms, 2000);
	assert_int_equal(m.due_ms, m.logged_ms + 3 * DAY);
	assert_int_equal(m.arrived_ms, 0);

	assert_int_equal(answer(&l, l.other, id, "working\n"), ERR_NOT_YOURS); /* a copy is no question */
	l.now = 100000;
	assert_int_equal(answer(&l, l.op, id, "received\n"), OK);
	m = matter_of(&l, id);
	assert_true(m.arrived_ms == 100000 && m.acknowledged_ms == 0 && m.answered_ms == 0 && m.moved_ms == 100000);
	l.now = 200000;
	assert_int_equal(answer(&l, l.b->node, id, "working\nfor op.example\nvia mail\n"), OK);
	m = matter_of(&l, id);
	assert_true(m.acknowledged_ms == 200000 && m.acknowledged_mediated && m.arrived_ms == 100000);
	l.now = 300000;
	assert_int_equal(answer(&l, l.op, id, "received\n"), OK);
	assert_int_equal(matter_of(&l, id).outcome, OUTCOME_WORKING); /* a machine's word takes no one's place */
	l.now = 400000;
	assert_int_equal(answer(&l, l.op, id, "fixed\n"), OK);
	m = matter_of(&l, id);
	assert_true(m.fixed_ms == 400000 && !m.fixed_mediated && m.ended && m.re_observed == 0);
	l.now = 500000;
	assert_int_equal(answer(&l, l.b->node, id, "re-observed\n"), OK);
	m = matter_of(&l, id);
	assert_true(m.re_observed == 1 && m.re_observed_ms == 500000 && !m.ended && m.fixed_ms == 400000);
	assert_int_equal(m.due_ms, 500000 + 3 * DAY);
	assert_int_equal(answer(&l, l.b->node, id, "re-observed\n"), OK);
	assert_int_equal(matter_of(&l, id).re_observed, 1); /* it had not ended */
	l.now = 600000;
	assert_int_equal(answer(&l, l.op, id, "disputed\n"), OK);
	assert_int_equal(answer(&l, l.op, id, "cannot\n"), OK);
	l.now = 700000;
	assert_int_equal(answer(&l, l.b->node, id, "closed\n"), OK);
	m = matter_of(&l, id);
	assert_true(m.disputed_ms == 600000 && m.cannot_ms == 601000 && m.closed_ms == 700000 && m.ended);
	assert_int_equal(m.acknowledged_ms, 200000);
	lab_free(&l);
}

static void not_ours_and_evidence(void **state)
{
	static const struct {
		const char *lines;
		enum err err;
	} cases[] = {
		{ "not-ours\nbetter other.example\n", OK },
		{ "not-ours\nbetter AS64501\n", OK },
		{ "not-ours\nbetter country DE\n", OK },
		{ "not-ours\nbetter op.example\n", ERR_STATEMENT_HEADER },
		{ "not-ours\nbetter all\n", ERR_STATEMENT_HEADER },
		{ "not-ours\nbetter nonsense here\n", ERR_STATEMENT_HEADER },
		{ "not-ours\nbetter AS1\nbetter AS2\n", ERR_STATEMENT_HEADER },
		{ "working\nbetter AS64501\n", ERR_STATEMENT_HEADER },
		{ "disputed\n" SEALED_BODY, OK },
		{ "disputed\nbody text/plain 10 sealed-sha256:"
		  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		  OK },
		{ "disputed\nbody text/plain 10 sha256:"
		  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		  ERR_STATEMENT_HEADER },
		{ "disputed\nbody text/html 10 sealed-sha256:"
		  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		  ERR_STATEMENT_HEADER },
		{ "fixed\n" SEALED_BODY, ERR_STATEMENT_HEADER },
	};
	struct lab l = lab_new(state);
	struct hash id = notice(&l, "to op.example\n" CLASS);

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		enum err e = answer(&l, l.op, id, cases[i].lines);

		if (e != cases[i].err)
			fail_msg("%s: %s", cases[i].lines, err_code(e));
	}
	lab_free(&l);
}

/* ---- what follows on a notice ---- */

static void follow_ups(void **state)
{
	struct lab l = lab_new(state);
	struct hash id = notice(&l, "to op.example\n" CLASS), next, second;
	struct matter m = { 0 };

	assert_int_equal(follow(&l, l.b->node, id, "overdue", "other.example", NULL), ERR_OUTCOME);
	assert_int_equal(follow(&l, l.b->node, id, "not-ours", "other.example", NULL), ERR_OUTCOME);
	assert_int_equal(follow(&l, l.op, id, "undeliverable", "other.example", NULL), ERR_NOT_YOURS);
	assert_int_equal(follow(&l, l.b->node, id, "boredom", "other.example", NULL), ERR_STATEMENT_HEADER);
	assert_int_equal(
		put(&l, KIND_NOTICE, l.b->node, "to AS1\n" CLASS "events 1\nreason overdue\n" SEALED_BODY, NULL),
		ERR_STATEMENT_HEADER);
	assert_int_equal(
		put(&l, KIND_NOTICE, l.b->node,
		    arena_print(l.b->arena, "to AS1\n" CLASS "events 1\nre %s\n" SEALED_BODY, hex_of(l.b->arena, id)),
		    NULL),
		ERR_STATEMENT_HEADER);
	l.now = matter_of(&l, id).due_ms;
	assert_int_equal(follow(&l, l.b->node, id, "overdue", "other.example", NULL), ERR_OUTCOME); /* to the ms */
	assert_int_equal(follow(&l, l.b->node, id, "overdue", "other.example", &next), OK);
	m = matter_of(&l, id);
	assert_true(m.passed_on_ms == l.now - 1000 && hash_equal(m.next, next) && m.followed == 1u << FOLLOW_OVERDUE);
	m = matter_of(&l, next);
	assert_true(m.has_before && hash_equal(m.before, id) && m.reason == FOLLOW_OVERDUE);
	/* once for each reason, and the first stays */
	assert_int_equal(follow(&l, l.b->node, id, "overdue", "AS64501", NULL), ERR_OUTCOME);
	assert_int_equal(follow(&l, l.b->node, id, "undeliverable", "AS64501", NULL), OK);
	assert_true(hash_equal(matter_of(&l, id).next, next));
	/* it may go on from there */
	assert_int_equal(answer(&l, l.other, next, "not-ours\nbetter AS64501\n"), OK);
	assert_int_equal(follow(&l, l.b->node, next, "not-ours", "AS64501", &second), OK);
	assert_int_equal(
		put(&l, KIND_WITHDRAW, l.b->node, arena_print(l.b->arena, "re %s\n", hex_of(l.b->arena, second)), NULL),
		OK);
	m = matter_of(&l, second);
	assert_true(m.withdrawn && m.ended && m.due_ms == 0);
	assert_int_equal(follow(&l, l.b->node, second, "undeliverable", "AS1", NULL), ERR_OUTCOME);
	lab_free(&l);
}

/* ---- requests ---- */

static void requests(void **state)
{
	struct lab l = lab_new(state);
	struct arena *a = l.b->arena;
	struct hash id = notice(&l, "to op.example\n" CLASS), request;
	const char *re = arena_print(a, "re %s\n", hex_of(a, id)), *to = arena_print(a, "%sto other.example\n", re);

	assert_int_equal(put(&l, KIND_REQUEST, l.op, arena_print(a, "%sneed access\n", to), NULL), ERR_OUTCOME);
	assert_int_equal(answer(&l, l.op, id, "cannot\n"), OK);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, to, NULL), ERR_STATEMENT_HEADER);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, "to other.example\nneed access\n", NULL), ERR_STATEMENT_HEADER);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, arena_print(a, "%sneed access\n", re), NULL),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, arena_print(a, "%sneed Two words\n", to), NULL),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, arena_print(a, "%sto all\nneed access\n", re), NULL),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(put(&l, KIND_REQUEST, l.other, arena_print(a, "%sneed access\n", to), NULL), ERR_NOT_YOURS);
	assert_int_equal(put(&l, KIND_REQUEST, l.b->node,
			     arena_print(a, "%sneed legal\nfor op.example\nvia mail\ntext we may not\n", to), NULL),
			 OK);
	assert_int_equal(put(&l, KIND_REQUEST, l.op, arena_print(a, "%sneed access\ntext now\n", to), &request), OK);
	assert_int_equal(answer(&l, l.op, request, "accepted\n"), ERR_NOT_YOURS);
	assert_int_equal(answer(&l, l.other, request, "fixed\n"), ERR_OUTCOME);
	assert_int_equal(answer(&l, l.other, request, "accepted\n"), OK);
	assert_int_equal(answer(&l, l.other, request, "closed\n"), ERR_NOT_YOURS);
	assert_int_equal(answer(&l, l.op, request, "closed\n"), OK);
	assert_true(matter_of(&l, request).ended);
	assert_int_equal(matter_of(&l, request).due_ms, 0);
	lab_free(&l);
}

/* ---- another node's clock ---- */

/* What another node logged at home_ms comes in now. */
static void put_guest(struct lab *l, enum kind k, const struct signer *from, const char *lines, int64_t home_ms,
		      struct hash *id)
{
	struct span note = statement_text(l->b->arena, k, "b.example/circle", from, lines, id);

	l->b->st.is_guest = true;
	l->b->st.home_ms = home_ms;
	assert_int_equal(check_of(l, note), OK);
	assert_int_equal(bare_fold(l->b, note, LEDGER_CIRCLE, l->now), OK);
	l->b->st.is_guest = false;
	l->now += 1000;
}

/* A clock that is years behind, or says 0, makes nobody late and undoes nothing. */
static void clocks_behind(void **state)
{
	struct lab l = lab_new(state);
	struct arena *a = l.b->arena;
	struct hash first, next, back, id;
	struct matter m;

	l.now = 100 * DAY;
	put_guest(&l, KIND_NOTICE, l.other, "to op.example\n" CLASS "events 1\n" SEALED_BODY, 0, &first);
	m = matter_of(&l, first);
	assert_int_equal(m.due_ms, 100 * DAY + 3 * DAY);
	assert_int_equal(m.first_due_ms, m.due_ms);
	put_guest(&l, KIND_NOTICE, l.other,
		  arena_print(a, "to other.example\n" CLASS "events 1\nre %s\nreason undeliverable\n" SEALED_BODY,
			      hex_of(a, first)),
		  0, &next);
	m = matter_of(&l, first);
	assert_int_equal(m.passed_on_ms, m.logged_ms);
	assert_true(hash_equal(m.next, next));
	put_guest(&l, KIND_WITHDRAW, l.other, arena_print(a, "re %s\n", hex_of(a, first)), 0, &id);
	m = matter_of(&l, first);
	assert_int_equal(m.withdrawn_ms, m.logged_ms);
	assert_true(m.withdrawn && m.ended && m.ended_ms == m.logged_ms);

	/* Seen again: not before it was fixed, and due from now. */
	assert_int_equal(put(&l, KIND_NOTICE, l.other, "to op.example\n" CLASS "events 2\n" SEALED_BODY, &back), OK);
	l.now = 150 * DAY;
	assert_int_equal(answer(&l, l.op, back, "fixed\n"), OK);
	l.now = 160 * DAY;
	put_guest(&l, KIND_ANSWER, l.other, arena_print(a, "re %s\noutcome re-observed\n", hex_of(a, back)), 0, &id);
	m = matter_of(&l, back);
	assert_int_equal(m.re_observed_ms, m.fixed_ms);
	assert_int_equal(m.due_ms, 160 * DAY + 3 * DAY);
	lab_free(&l);
}

/* Who closed a matter may still settle a dispute that came later. */
static void settled(void **state)
{
	struct lab l = lab_new(state);
	struct hash id = notice(&l, "to op.example\n" CLASS);

	assert_int_equal(answer(&l, l.b->node, id, "closed\n"), OK);
	l.now = 200000;
	assert_int_equal(answer(&l, l.op, id, "disputed\n"), OK);
	assert_int_equal(matter_of(&l, id).settled_ms, 0);
	l.now = 300000;
	assert_int_equal(answer(&l, l.b->node, id, "closed\n"), OK);
	assert_int_equal(answer(&l, l.b->node, id, "closed\n"), OK);
	assert_int_equal(matter_of(&l, id).settled_ms, 300000);
	assert_true(matter_of(&l, id).closed_ms < 200000);
	lab_free(&l);
}

/* ---- controls ---- */

static enum err see_control(void *context, const struct control *c)
{
	struct buffer *b = context;

	buffer_print(b, "%s%.*s %s %jd-%jd %ju/%ju %ju/%ju;", c->demonstration ? "demonstration " : "",
		     SPAN_FORMAT(c->from), class_name(c->class), (intmax_t)c->first_ms, (intmax_t)c->last_ms,
		     (uintmax_t)c->notified_gone[3], (uintmax_t)c->notified, (uintmax_t)c->control_gone[0],
		     (uintmax_t)c->control);
	return OK;
}

static const char *controls_of(struct lab *l, const char *from)
{
	struct buffer b = BUFFER(10000);
	const char *copy;

	assert_int_equal(state_controls(&l->b->st, span_of(from), see_control, &b), OK);
	copy = arena_copy(l->b->arena, b.at, b.len);
	buffer_free(&b);
	return copy;
}

#define PERIOD "first 1970-01-01T00:00:01Z\nlast 1970-01-01T00:00:02Z\n"

static void controls(void **state)
{
	static const char *const wrong[] = {
		PERIOD "notified 10\nnotified-gone 1 2 3 4\ncontrol 5\ncontrol-gone 1 1 1 6\n",
		PERIOD "notified 10\nnotified-gone 1 2 3\ncontrol 5\ncontrol-gone 1 1 1 1\n",
		PERIOD "notified 10\nnotified-gone 1 2 3 4 5\ncontrol 5\ncontrol-gone 1 1 1 1\n",
		PERIOD "notified 10\nnotified-gone 4 3 2 1\ncontrol 5\ncontrol-gone 1 1 1 1\n",
		PERIOD "notified -1\nnotified-gone 0 0 0 0\ncontrol 5\ncontrol-gone 1 1 1 1\n",
		PERIOD "notified 10\ncontrol 5\ncontrol-gone 1 1 1 1\n",
		"first 1970-01-01T00:00:02Z\nlast 1970-01-01T00:00:02Z\nnotified 1\nnotified-gone 0 0 0 0\ncontrol 5\n"
		"control-gone 1 1 1 1\n",
	};
	struct lab l = lab_new(state);
	struct hash newest;

	for (size_t i = 0; i < TABLE_LENGTH(wrong); i++)
		assert_int_equal(put(&l, KIND_CONTROL, l.op, arena_print(l.b->arena, CLASS "%s", wrong[i]), NULL),
				 ERR_STATEMENT_HEADER);
	assert_string_equal(controls_of(&l, ""), "");
	assert_int_equal(put(&l, KIND_CONTROL, l.op,
			     CLASS PERIOD "notified 10\nnotified-gone 1 2 3 4\ncontrol 5\ncontrol-gone 1 1 1 1\n"
					  "table asn 2026-11-22 sha256:00\n",
			     NULL),
			 OK);
	assert_int_equal(put(&l, KIND_CONTROL, l.other,
			     CLASS PERIOD "notified 0\nnotified-gone 0 0 0 0\ncontrol 7\ncontrol-gone 2 2 2 2\n", NULL),
			 OK);
	assert_string_equal(controls_of(&l, ""), "op.example malicious-code/infected-system 1000-2000 4/10 1/5;"
						 "other.example malicious-code/infected-system 1000-2000 0/0 2/7;");
	assert_int_equal(put(&l, KIND_CONTROL, l.op,
			     CLASS PERIOD "notified 10\nnotified-gone 1 2 3 9\ncontrol 5\ncontrol-gone 1 1 1 1\n",
			     &newest),
			 OK);
	assert_string_equal(controls_of(&l, "op.example"),
			    "op.example malicious-code/infected-system 1000-2000 9/10 1/5;");
	assert_int_equal(
		put(&l, KIND_WITHDRAW, l.op, arena_print(l.b->arena, "re %s\n", hex_of(l.b->arena, newest)), NULL), OK);
	assert_string_equal(controls_of(&l, "op.example"), "");
	assert_int_equal(put(&l, KIND_CONTROL, l.op,
			     CLASS PERIOD "notified 10\nnotified-gone 1 2 3 9\ncontrol 6\ncontrol-gone 1 1 1 1\n"
					  "demonstration yes\n",
			     NULL),
			 OK);
	assert_string_equal(controls_of(&l, "op.example"),
			    "demonstration op.example malicious-code/infected-system 1000-2000 9/10 1/6;");
	lab_free(&l);
}

/* ---- the indexes against the whole ---- */

#define NOTICES_MAX 600

struct found {
	uint64_t at[NOTICES_MAX];
	size_t count;
	/* the naive walk asks for */
	const struct addressee *to;
	enum rsit_class class;
	const char *from;
	bool due, not_ours;
	int64_t due_ms;
};

static enum err add_found(void *context, const struct matter *m)
{
	struct found *f = context;

	assert_true(f->count < NOTICES_MAX);
	f->at[f->count++] = m->index;
	return OK;
}

static enum err add_not_ours(void *context, const struct matter *m, const struct addressee *better)
{
	(void)better;
	return add_found(context, m);
}

static bool same_addressee(const struct addressee *a, const struct addressee *b)
{
	struct buffer one = BUFFER(1000), two = BUFFER(1000);
	bool same;

	addressee_print(a, &one);
	addressee_print(b, &two);
	same = span_equal(buffer_view(&one), buffer_view(&two));
	buffer_free(&one);
	buffer_free(&two);
	return same;
}

static enum err look(void *context, const struct matter *m)
{
	struct found *f = context;
	bool yes = f->class == CLASS_NONE || m->class == f->class;

	if (f->to != NULL) {
		struct addressee to;
		bool is_to = false;

		for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &to); i++)
			is_to |= same_addressee(&to, f->to);
		yes &= is_to;
	}
	if (f->from != NULL)
		yes &= span_is(m->from, f->from);
	if (f->due)
		yes &= !m->withdrawn && !m->ended && m->answered_ms == 0 && m->passed_on_ms == 0 && m->due_ms != 0 &&
		       m->due_ms < f->due_ms;
	if (f->not_ours)
		yes &= !m->withdrawn && m->passed_on_ms == 0 && m->answered && m->outcome == OUTCOME_NOT_OURS;
	return yes ? add_found(f, m) : OK;
}

static int by_index(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void naive(struct lab *l, struct found *f)
{
	assert_int_equal(state_matters(&l->b->st, LEDGER_CIRCLE, KIND_NOTICE, 0, look, f), OK);
}

struct order {
	int64_t last;
	size_t count;
};

static enum err in_order(void *context, const struct matter *m)
{
	struct order *o = context;

	assert_true(m->due_ms >= o->last);
	o->last = m->due_ms;
	o->count++;
	return OK;
}

static void compare(const struct found *got, const struct found *wanted)
{
	assert_int_equal(got->count, wanted->count);
	assert_memory_equal(got->at, wanted->at, got->count * sizeof(got->at[0]));
}

static void turn(struct found *f)
{
	for (size_t i = 0; i < f->count / 2; i++) {
		uint64_t x = f->at[i];

		f->at[i] = f->at[f->count - 1 - i];
		f->at[f->count - 1 - i] = x;
	}
}

static void compare_all(struct lab *l, int64_t now)
{
	static const char *const tos[] = { "op.example",	  "other.example", "AS64500",	    "AS64501",
					   "prefix 192.0.2.0/24", "country EE",	   "nobody.example" };
	static const enum rsit_class classes[] = { CLASS_NONE, CLASS_INFECTED_SYSTEM, CLASS_WEAK_CRYPTO, CLASS_SPAM };
	struct found got = { .count = 0 }, wanted = { .due = true, .due_ms = now };
	struct order o = { 0, 0 };
	int64_t next;

	naive(l, &wanted);
	assert_int_equal(state_due(&l->b->st, now, add_found, &got), OK);
	assert_int_equal(state_due(&l->b->st, now, in_order, &o), OK);
	assert_int_equal(o.count, got.count);
	qsort(got.at, got.count, sizeof(got.at[0]), by_index);
	compare(&got, &wanted);
	assert_int_equal(state_next_due(&l->b->st, &next), OK);
	assert_true((next != 0 && next < now) == (wanted.count > 0));

	got = (struct found){ .count = 0 };
	wanted = (struct found){ .not_ours = true };
	naive(l, &wanted);
	assert_int_equal(state_not_ours(&l->b->st, 0, 0, add_not_ours, &got), OK);
	qsort(got.at, got.count, sizeof(got.at[0]), by_index);
	compare(&got, &wanted);

	for (size_t i = 0; i < TABLE_LENGTH(tos); i++)
		for (size_t c = 0; c < TABLE_LENGTH(classes); c++) {
			struct addressee to;

			assert_int_equal(addressee_parse(span_of(tos[i]), &to), OK);
			got = (struct found){ .count = 0 };
			wanted = (struct found){ .to = &to, .class = classes[c] };
			naive(l, &wanted);
			turn(&wanted);
			assert_int_equal(state_matters_to(&l->b->st, &to, classes[c], add_found, &got), OK);
			compare(&got, &wanted);
		}
	for (int i = 0; i < 3; i++) {
		static const char *const froms[] = { "cert.example", "op.example", "nobody.example" };

		got = (struct found){ .count = 0 };
		wanted = (struct found){ .from = froms[i] };
		naive(l, &wanted);
		turn(&wanted);
		assert_int_equal(state_matters_from(&l->b->st, span_of(froms[i]), add_found, &got), OK);
		compare(&got, &wanted);
	}
}

static void random_step(struct lab *l, uint64_t *seed, struct hash *ids, size_t *count)
{
	static const char *const tos[] = { "to op.example\n", "to AS64500\nto op.example\n",
					   "to AS64501\n",    "to prefix 192.0.2.0/24\ncc other.example\n",
					   "to country EE\n", "to other.example\n" };
	static const char *const classes[] = { CLASS, "class vulnerable/weak-crypto\n",
					       "class abusive-content/spam\n" };
	static const char *const outcomes[] = { "received\n",	 "working\n", "fixed\n",
						"not-ours\n",	 "cannot\n",  "disputed\n",
						"re-observed\n", "closed\n",  "not-ours\nbetter AS7\n" };
	static const char *const reasons[] = { "overdue", "not-ours", "undeliverable" };
	size_t what = test_below(seed, 8);
	const struct signer *who[] = { l->b->node, l->op, l->other };
	struct hash re = ids[*count > 0 ? test_below(seed, *count) : 0];

	l->now += (int64_t)test_below(seed, (size_t)DAY);
	if (*count == 0 || what < 3) {
		struct span note =
			statement_text(l->b->arena, KIND_NOTICE, "cert.example/circle", who[test_below(seed, 2)],
				       arena_print(l->b->arena, "%s%sevents %zu\n" SEALED_BODY,
						   tos[test_below(seed, TABLE_LENGTH(tos))],
						   classes[test_below(seed, TABLE_LENGTH(classes))], *count + 1),
				       &ids[*count]);

		assert_int_equal(check_of(l, note), OK);
		assert_int_equal(bare_fold(l->b, note, LEDGER_CIRCLE, l->now), OK);
		(*count)++;
	} else if (what < 6) {
		answer(l, who[test_below(seed, 3)], re, outcomes[test_below(seed, TABLE_LENGTH(outcomes))]);
	} else if (what == 6) {
		if (follow(l, l->b->node, re, reasons[test_below(seed, 3)], "AS64501", &ids[*count]) == OK)
			(*count)++;
	} else if (test_below(seed, 4) == 0) {
		put(l, KIND_WITHDRAW, who[test_below(seed, 2)],
		    arena_print(l->b->arena, "re %s\n", hex_of(l->b->arena, re)), NULL);
	}
}

static void indexes_are_the_whole(void **state)
{
	struct lab l = lab_new(state);
	uint64_t seed = test_seed();
	struct hash ids[NOTICES_MAX] = { { { 0 } } };
	size_t count = 0;

	for (int i = 0; i < 800 && count < NOTICES_MAX; i++) {
		random_step(&l, &seed, ids, &count);
		if (i % 40 == 39)
			compare_all(&l, l.now - (int64_t)test_below(&seed, (size_t)(5 * DAY)));
	}
	compare_all(&l, INT64_MAX);
	lab_free(&l);
}

/* Taken up behind any of them, the walk goes on with the next. */
static void due_is_taken_up(void **state)
{
	struct lab l = lab_new(state);
	struct found all = { .count = 0 }, rest = { .count = 0 };
	struct matter m = { 0 };

	for (int i = 0; i < 10; i++) {
		struct hash id = notice(&l, "to AS64500\n" CLASS);

		if (i == 4)
			m = matter_of(&l, id);
	}
	assert_int_equal(state_due(&l.b->st, l.now + 30 * DAY, add_found, &all), OK);
	assert_int_equal(all.count, 10);
	assert_int_equal(state_due_after(&l.b->st, m.due_ms, m.index, l.now + 30 * DAY, add_found, &rest), OK);
	assert_int_equal(rest.count, 5);
	assert_int_equal(rest.at[0], m.index + 1);
	lab_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(not_ours_and_evidence, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(follow_ups, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(requests, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(clocks_behind, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(settled, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(controls, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(indexes_are_the_whole, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(due_is_taken_up, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
