#include "regime/state.h"

#include "regime.h"

/* ---- parties and claims ---- */

struct seen {
	char text[2000];
	size_t len;
	unsigned count, approved;
};

static enum err see_claim(void *context, const struct claim *c)
{
	struct seen *s = context;
	struct addressee a = { .type = c->type, .asn = c->asn, .prefix = c->prefix };
	struct buffer b = BUFFER(1000);

	memcpy(a.country, c->country, sizeof(a.country));
	addressee_print(&a, &b);
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%.*s %.*s%s;", SPAN_FORMAT(c->party),
				   SPAN_FORMAT(buffer_view(&b)), c->approved ? " yes" : "");
	s->count++;
	s->approved += c->approved;
	assert_int_equal(c->approved_ms != 0, c->approved);
	buffer_free(&b);
	return OK;
}

static const char *claims_of(struct world *w, bool approved_only)
{
	struct seen s = { .len = 0 };
	struct state st;
	const char *text;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_claims(&st, approved_only, see_claim, &s), OK);
	snapshot_end(st.snapshot);
	text = arena_copy(w->arena, s.text, s.len);
	return text;
}

static void say(struct world *w, enum kind k, const char *ledger, const struct signer *from, const char *lines)
{
	assert_int_equal(world_add(w, statement_text(w->arena, k, ledger, from, lines, NULL), NULL), OK);
}

static void answer(struct world *w, const struct signer *from, const char *ledger, struct hash re, const char *more)
{
	say(w, KIND_ANSWER, ledger, from, arena_print(w->arena, "re %s\n%s", hex_of(w->arena, re), more));
}

static void claims(void **state)
{
	struct world *w = world_new(*state);
	const struct signer *node = node_signer(w->n);
	struct hash second, third;
	struct state st;
	struct party p;

	assert_string_equal(claims_of(w, true), "");
	assert_string_equal(claims_of(w, false),
			    "op.example AS64500;op.example prefix 192.0.2.0/24;op.example country EE;");
	answer(w, node, "cert.example/public", w->party_op, "outcome accepted\n");
	assert_string_equal(claims_of(w, true),
			    "op.example AS64500 yes;op.example prefix 192.0.2.0/24 yes;op.example country EE yes;");
	/* A later statement: what is unchanged stays approved, what is new waits, what is gone is gone. */
	assert_int_equal(world_add(w,
				   party_text(w->arena, "cert.example/public", w->op,
					      "role operator\nrole vendor\nclaim AS64500\nclaim prefix 2001:db8::/32\n"
					      "claim prefix 198.51.100.0/24\n",
					      &second),
				   NULL),
			 OK);
	assert_string_equal(claims_of(w, false), "op.example AS64500 yes;op.example prefix 198.51.100.0/24;"
						 "op.example prefix 2001:db8::/32;");
	/* The old statement can no longer be decided about. */
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "cert.example/public", node,
						     arena_print(w->arena, "re %s\noutcome objected\n",
								 hex_of(w->arena, w->party_op)),
						     NULL)),
			 ERR_MATTER_UNKNOWN);
	answer(w, node, "cert.example/public", second, "outcome objected\n");
	assert_string_equal(claims_of(w, true), "");
	answer(w, node, "cert.example/public", second, "outcome accepted\ntext after a call\n");
	assert_string_equal(claims_of(w, true), "op.example AS64500 yes;op.example prefix 198.51.100.0/24 yes;"
						"op.example prefix 2001:db8::/32 yes;");
	/* Another party may claim the same, and both are kept. */
	assert_int_equal(world_add(w,
				   party_text(w->arena, "cert.example/public", w->res,
					      "role researcher\nclaim AS64500\n", &third),
				   NULL),
			 OK);
	answer(w, node, "cert.example/public", third, "outcome accepted\n");
	assert_string_equal(claims_of(w, true), "op.example AS64500 yes;op.example prefix 198.51.100.0/24 yes;"
						"op.example prefix 2001:db8::/32 yes;res.example AS64500 yes;");
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("op.example"), &p), OK);
	assert_true(hash_equal(p.statement, second));
	assert_int_equal(p.role, ROLE_OPERATOR);
	assert_int_equal(p.roles, 1u << ROLE_OPERATOR | 1u << ROLE_VENDOR);
	assert_memory_equal(p.key.public_key, signer_verifier(w->op)->public_key, KEY_PUBLIC_SIZE);
	assert_int_equal(p.key.key_id, signer_verifier(w->op)->key_id);
	assert_string_equal(p.key.name, "op.example");
	assert_int_equal(state_party(&st, SPAN("nobody.example"), &p), ERR_PARTY_UNKNOWN);
	assert_int_equal(state_party(&st, SPAN("op.exampl"), &p), ERR_PARTY_UNKNOWN);
	snapshot_end(st.snapshot);
	world_free(w);
}

static enum err see_party(void *context, const struct party *p)
{
	struct seen *s = context;

	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%.*s=%.*s;", SPAN_FORMAT(p->domain),
				   SPAN_FORMAT(p->title));
	return OK;
}

static void withdrawn_party(void **state)
{
	struct world *w = world_new(*state);
	struct seen s = { .len = 0 };
	struct state st;
	struct party p;

	answer(w, node_signer(w->n), "cert.example/public", w->party_op, "outcome accepted\n");
	say(w, KIND_WITHDRAW, "cert.example/public", w->op,
	    arena_print(w->arena, "re %s\n", hex_of(w->arena, w->party_op)));
	assert_string_equal(claims_of(w, false), "");
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "cert.example/circle", w->op,
						     arena_print(w->arena, "re %s\noutcome fixed\n",
								 hex_of(w->arena, w->notice)),
						     NULL)),
			 ERR_PARTY_UNKNOWN);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("op.example"), &p), ERR_PARTY_UNKNOWN);
	assert_int_equal(state_parties(&st, see_party, &s), OK);
	assert_string_equal(s.text, "cert.example=The test's team;res.example=;team.example=;");
	snapshot_end(st.snapshot);
	/* It may come back with its key. */
	assert_int_equal(
		world_add(w, party_text(w->arena, "cert.example/public", w->op, "role operator\n", NULL), NULL), OK);
	answer(w, w->op, "cert.example/circle", w->notice, "outcome fixed\n");
	/* The node's own stays. */
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("cert.example"), &p), OK);
	snapshot_end(st.snapshot);
	assert_int_equal(
		world_try(w, statement_text(w->arena, KIND_WITHDRAW, "cert.example/public", node_signer(w->n),
					    arena_print(w->arena, "re %s\n", hex_of(w->arena, p.statement)), NULL)),
		ERR_NOT_YOURS);
	world_free(w);
}

/* ---- matters ---- */

static struct matter matter_of(struct world *w, struct hash id)
{
	struct matter m = { 0 };
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_matter(&st, id, &m), OK);
	m.from = span_make(arena_copy(w->arena, m.from.at, m.from.len), m.from.len);
	m.addressees = span_make(arena_copy(w->arena, m.addressees.at, m.addressees.len), m.addressees.len);
	m.body.media_type =
		span_make(arena_copy(w->arena, m.body.media_type.at, m.body.media_type.len), m.body.media_type.len);
	snapshot_end(st.snapshot);
	return m;
}

static void life_of_a_notice(void **state)
{
	struct world *w = world_new(*state);
	const struct signer *node = node_signer(w->n);
	struct matter m = matter_of(w, w->notice);
	int64_t due = m.due_ms;

	assert_int_equal(m.kind, KIND_NOTICE);
	assert_int_equal(m.ledger, LEDGER_CIRCLE);
	assert_int_equal(m.class, CLASS_INFECTED_SYSTEM);
	assert_int_equal(m.events, 3);
	assert_int_equal(m.to_count, 1);
	assert_span(m.from, "cert.example");
	assert_int_equal(due, m.logged_ms + 3 * DAY);
	assert_true(m.has_body && m.body.sealed && m.body.size == 10);
	assert_span(m.body.media_type, "application/vnd.comity.evidence+zstd");
	assert_false(m.answered || m.ended || m.withdrawn);

	answer(w, w->op, "cert.example/circle", w->notice, "outcome received\n");
	m = matter_of(w, w->notice);
	assert_true(m.answered && m.outcome == OUTCOME_RECEIVED && m.answers == 1);
	assert_int_equal(m.answered_ms, 0); /* a machine has it, nobody answered */

	answer(w, node, "cert.example/circle", w->notice, "outcome working\nfor op.example\nvia mail\n");
	m = matter_of(w, w->notice);
	assert_true(m.mediated && m.answered_ms > 0 && !m.ended && m.outcome == OUTCOME_WORKING);

	answer(w, w->op, "cert.example/circle", w->notice, "outcome fixed\n");
	m = matter_of(w, w->notice);
	assert_true(m.ended && !m.mediated && m.ended_ms > 0 && m.outcome == OUTCOME_FIXED && m.answers == 3);
	assert_int_equal(m.due_ms, due);

	answer(w, node, "cert.example/circle", w->notice, "outcome re-observed\n");
	m = matter_of(w, w->notice);
	assert_true(!m.ended && m.ended_ms == 0 && m.answered_ms == 0 && m.outcome == OUTCOME_RE_OBSERVED);
	assert_true(m.due_ms >= due);

	answer(w, w->op, "cert.example/circle", w->notice, "outcome not-ours\n");
	assert_true(matter_of(w, w->notice).ended);
	answer(w, node, "cert.example/circle", w->notice, "outcome closed\n");
	assert_true(matter_of(w, w->notice).ended);

	say(w, KIND_WITHDRAW, "cert.example/circle", node,
	    arena_print(w->arena, "re %s\n", hex_of(w->arena, w->notice)));
	m = matter_of(w, w->notice);
	assert_true(m.withdrawn && m.withdrawn_ms > 0 && m.due_ms == 0);
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "cert.example/circle", w->op,
						     arena_print(w->arena, "re %s\noutcome disputed\n",
								 hex_of(w->arena, w->notice)),
						     NULL)),
			 ERR_OUTCOME);
	world_free(w);
}

static void addressees(void **state)
{
	struct world *w = world_new(*state);
	struct matter m = matter_of(w, w->notice_as);
	struct addressee a;

	assert_int_equal(m.to_count, 2);
	assert_int_equal(m.to.type, TO_AS);
	assert_int_equal(m.to.asn, 64500);
	assert_true(matter_addressee(&m, 1, &a));
	assert_int_equal(a.type, TO_PREFIX);
	assert_int_equal(a.prefix.length, 25);
	assert_int_equal(a.prefix.address.low, 0xc0000280);
	assert_false(matter_addressee(&m, 2, &a));
	m = matter_of(w, w->plan);
	assert_int_equal(m.to.type, TO_ALL);
	assert_int_equal(m.due_ms, 0);
	world_free(w);
}

/* A notice may give more time than its class does, never less. */
static void due(void **state)
{
	static const struct {
		const char *lines;
		int64_t logged_ms, due_ms; /* 0: refused */
	} cases[] = {
		{ "", 1000, 1000 + 3 * DAY },
		{ "due 1970-01-04T00:00:01Z\n", 1000, 1000 + 3 * DAY },
		{ "due 1970-01-04T00:00:02Z\n", 1000, 2000 + 3 * DAY },
		{ "due 1970-01-04T00:00:00Z\n", 1000, 0 },
		{ "due 1970-01-04T00:00:00Z\n", 1999, 0 },
		/* counted by the sender from its own date */
		{ "date 1970-01-01T00:00:00Z\ndue 1970-01-04T00:00:00Z\n", 5000, 5000 + 3 * DAY },
		/* a date ahead of the clock gains nothing */
		{ "date 1971-01-01T00:00:00Z\n", 5000, 5000 + 3 * DAY },
		{ "due 1971-01-01T00:00:00Z\n", 0, 365 * DAY },
		{ "due 1971-02-01T00:00:00Z\n", 0, 0 },
	};
	struct bare *b = bare_new(*state, "views");

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct matter m;
		struct hash id;
		struct span note = statement_text(b->arena, KIND_NOTICE, "cert.example/circle", b->node,
						  arena_print(b->arena,
							      "to AS%zu\nclass malicious-code/infected-system\n"
							      "events 1\n%s" SEALED_BODY,
							      i + 1, cases[i].lines),
						  &id);

		assert_int_equal(bare_fold(b, note, LEDGER_CIRCLE, cases[i].logged_ms), OK);
		assert_int_equal(state_matter(&b->st, id, &m), cases[i].due_ms != 0 ? OK : ERR_MATTER_UNKNOWN);
		if (cases[i].due_ms != 0)
			assert_int_equal(m.due_ms, cases[i].due_ms);
	}
	bare_free(b);
}

static enum err see_matter(void *context, const struct matter *m)
{
	struct seen *s = context;

	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s %ju;", kind_name(m->kind),
				   (uintmax_t)m->index);
	return OK;
}

static void in_order(void **state)
{
	struct world *w = world_new(*state);
	struct seen all = { .len = 0 }, plans = { .len = 0 }, circle = { .len = 0 }, late = { .len = 0 };
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_matters(&st, LEDGER_PUBLIC, KIND_UNKNOWN, 0, see_matter, &all), OK);
	assert_int_equal(state_matters(&st, LEDGER_PUBLIC, KIND_PLAN, 0, see_matter, &plans), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_UNKNOWN, 0, see_matter, &circle), OK);
	assert_int_equal(state_matters(&st, LEDGER_CIRCLE, KIND_UNKNOWN, 1, see_matter, &late), OK);
	snapshot_end(st.snapshot);
	/* 1 is `rules 2` */
	assert_string_equal(all.text, "party 0;party 2;party 3;party 4;plan 5;");
	assert_string_equal(plans.text, "plan 5;");
	assert_string_equal(circle.text, "notice 0;notice 1;");
	assert_string_equal(late.text, "notice 1;");
	world_free(w);
}

/* ---- the fold ---- */

/* What the door refuses folds to its id alone, and an id counts once. */
static void total(void **state)
{
	struct bare *b = bare_new(*state, "views");
	struct signer *stranger = signer_of("stranger.example");
	const struct span notes[] = {
		statement_text(b->arena, KIND_NOTICE, "cert.example/public", b->node, "to AS1\n", NULL),
		statement_text(b->arena, KIND_NOTICE, "cert.example/circle", b->node, "to AS1\nclass x\n" SEALED_BODY,
			       NULL),
		statement_text(b->arena, KIND_PLAN, "cert.example/public", b->node, "activity scan\n", NULL),
		statement_text(b->arena, KIND_ANSWER, "cert.example/public", b->node, "outcome fixed\n", NULL),
		statement_text(b->arena, KIND_TICK, "cert.example/public", stranger, "checkpoint x\n", NULL),
		statement_text(b->arena, KIND_WITHDRAW, "other.example/public", b->node, "text x\n", NULL),
		statement_text(b->arena, KIND_ADVISORY, "cert.example/public", b->node, "norm x\n", NULL),
		statement_text(b->arena, KIND_RULES, "cert.example/circle", b->node, "version 1\n", NULL),
		/* right in itself, but folded where it does not belong */
		party_text(b->arena, "cert.example/public", stranger, "role vendor\n", NULL),
	};
	struct party p;
	uint64_t version;

	for (size_t i = 0; i < TABLE_LENGTH(notes); i++) {
		struct hash before, after;
		struct statement s;
		enum ledger_id l;
		uint64_t index;

		assert_int_equal(bare_fold(b, notes[i], LEDGER_CIRCLE, 5000), OK);
		assert_int_equal(statement_parse(b->arena, notes[i], &s), OK);
		assert_int_equal(state_find(&b->st, s.id, &l, &index), OK);
		assert_int_equal(index, i);
		assert_int_equal(state_digest(&b->st, &before), OK);
		assert_int_equal(bare_fold(b, notes[i], LEDGER_CIRCLE, 6000), OK);
		b->size[LEDGER_CIRCLE]--;
		assert_int_equal(state_digest(&b->st, &after), OK);
		assert_true(hash_equal(before, after));
	}
	assert_int_equal(state_party(&b->st, SPAN("stranger.example"), &p), ERR_PARTY_UNKNOWN);
	assert_int_equal(state_rules(&b->st, &version), OK);
	assert_int_equal(version, 0);
	signer_free(stranger);
	bare_free(b);
}

/* The same entries give the same bytes, and a check changes nothing. */
static void same_bytes(void **state)
{
	static const char *const ledgers[LEDGER_COUNT] = { "cert.example/public", "cert.example/circle" };
	struct bare *one = bare_new(*state, "one"), *two = bare_new(*state, "two");
	uint64_t seed = test_seed();
	struct hash ids[400], first, second;

	for (size_t i = 0; i < TABLE_LENGTH(ids); i++) {
		size_t what = i < 20 ? 0 : test_below(&seed, 4);
		enum ledger_id l = what == 1 ? LEDGER_PUBLIC : LEDGER_CIRCLE;
		struct hash re = ids[i == 0 ? 0 : test_below(&seed, i)];
		struct statement s;
		struct span note;

		if (what == 0)
			note = statement_text(
				one->arena, KIND_NOTICE, ledgers[l], one->node,
				arena_print(one->arena,
					    "to AS%zu\nclass vulnerable/weak-crypto\nevents %zu\n" SEALED_BODY,
					    1 + test_below(&seed, 5), i + 1),
				&ids[i]);
		else if (what == 1)
			note = statement_text(one->arena, KIND_PLAN, ledgers[l], one->node,
					      arena_print(one->arena,
							  "activity scan\nstart 2026-01-01T00:00:00Z\n"
							  "end 2026-01-02T00:00:00Z\nsource 11.%zu.0.0/16\ntarget any\n"
							  "purpose %zu\n",
							  test_below(&seed, 256), i),
					      &ids[i]);
		else if (what == 2)
			note = statement_text(
				one->arena, KIND_ANSWER, ledgers[test_below(&seed, 2)], one->node,
				arena_print(one->arena, "re %s\noutcome %s\ntext %zu\n", hex_of(one->arena, re),
					    outcome_name((enum outcome)test_below(&seed, OUTCOME_COUNT)), i),
				&ids[i]);
		else
			note = statement_text(one->arena, KIND_WITHDRAW, ledgers[test_below(&seed, 2)], one->node,
					      arena_print(one->arena, "re %s\ntext %zu\n", hex_of(one->arena, re), i),
					      &ids[i]);
		assert_int_equal(statement_parse(one->arena, note, &s), OK);
		state_check(&one->st, &s);
		assert_int_equal(bare_fold(one, note, l, (int64_t)(2000 + i)), OK);
		assert_int_equal(bare_fold(two, note, l, (int64_t)(2000 + i)), OK);
	}
	assert_int_equal(state_digest(&one->st, &first), OK);
	assert_int_equal(state_digest(&two->st, &second), OK);
	assert_true(hash_equal(first, second));
	bare_free(one);
	bare_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(claims, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(withdrawn_party, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(life_of_a_notice, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(addressees, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(due, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(in_order, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(total, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(same_bytes, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
