#include "vouch_test.h"

#define PEOPLE 16

struct town {
	struct folk f;
	struct signer *who[PEOPLE];
};

static void town_new(struct town *t, struct scratch *s, const char *name, unsigned holders)
{
	folk_new(&t->f, s, name);
	for (unsigned i = 0; i < PEOPLE; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "p%u.example", i);
		t->who[i] = signer_of(domain);
		if (i < holders)
			folk_holder(&t->f, t->who[i], i);
		else
			folk_party(&t->f, t->who[i], "");
	}
}

static void town_free(struct town *t)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		signer_free(t->who[i]);
	bare_free(t->f.b);
}

static struct hash says(struct town *t, unsigned from, unsigned to)
{
	return folk_vouch(&t->f, t->who[from], t->who[to], "");
}

static struct sponsorship of(struct town *t, unsigned who)
{
	return folk_sponsorship(&t->f, t->who[who], t->f.now_ms);
}

static bool are_related(struct town *t, unsigned a, unsigned b)
{
	bool related = false;

	assert_int_equal(vouch_related(&t->f.b->st, span_of(signer_verifier(t->who[a])->name),
				       span_of(signer_verifier(t->who[b])->name), t->f.now_ms, &related),
			 OK);
	return related;
}

/* ---- who counts ---- */

static void two_who_hold_something(void **state)
{
	struct town t;

	town_new(&t, *state, "two", 2);
	assert_true(of(&t, 0).established && !of(&t, 0).sponsored);
	says(&t, 0, 5);
	assert_int_equal(of(&t, 5).vouches, 1);
	assert_int_equal(of(&t, 5).sponsors, 1);
	assert_false(of(&t, 5).sponsored || of(&t, 5).established);
	folk_vouch(&t.f, t.who[0], t.who[5], "visited yes\n"); /* twice is once */
	assert_int_equal(of(&t, 5).vouches, 1);
	assert_false(of(&t, 5).sponsored);
	says(&t, 1, 5);
	assert_int_equal(of(&t, 5).vouches, 2);
	assert_int_equal(of(&t, 5).sponsors, 2);
	assert_true(of(&t, 5).sponsored && of(&t, 5).established);
	assert_int_equal(of(&t, 5).ends_ms, START + VOUCH_MAX_MS);
	assert_false(of(&t, 5).cut);
	town_free(&t);
}

/* The proof, and the node's word that it holds. */
static void proven(struct town *t, unsigned by, const char *lines)
{
	struct folk *f = &t->f;
	char until[CLOCK_TEXT];
	struct hash id;

	clock_format((f->now_ms + 48 * HOUR) / 1000 * 1000, until);
	folk_say(f, KIND_PROOF, t->who[by],
		 arena_print(f->b->arena,
			     "%sbody application/vnd.comity.proof+json 9 "
			     "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
			     lines),
		 &id);
	folk_say(f, KIND_ANSWER, f->b->node,
		 arena_print(f->b->arena, "re %s\noutcome accepted\nuntil %s\n", hex_of(f->b->arena, id), until), NULL);
}

/* Neither a key of one's own making nor the word of two others: else two names were enough to take anybody's key. */
static void what_costs_nothing_establishes_nobody(void **state)
{
	const char *seen;
	struct town t;

	town_new(&t, *state, "nothing", 0);
	proven(&t, 0, "method openpgp\nsubject Anybody\n");
	assert_false(of(&t, 0).established);
	seen = arena_print(t.f.b->arena, "method observed\nto %s\nseen-key %s\n", signer_verifier(t.who[1])->name,
			   fingerprint_of(&t.f, t.who[1]));
	proven(&t, 2, seen);
	proven(&t, 3, seen);
	assert_false(of(&t, 1).established);
	says(&t, 0, 5);
	says(&t, 1, 5);
	assert_false(of(&t, 5).sponsored);
	proven(&t, 0, arena_print(t.f.b->arena, "method dnssec\nresource %s\n", signer_verifier(t.who[0])->name));
	proven(&t, 1, "method legal\nsubject O=One\n");
	assert_true(of(&t, 0).established && of(&t, 1).established && of(&t, 5).sponsored);
	town_free(&t);
}

static void a_ring_is_established_by_nothing(void **state)
{
	struct town t;

	town_new(&t, *state, "ring", 1);
	for (unsigned a = 1; a < 8; a++)
		for (unsigned b = 1; b < 8; b++)
			if (a != b && (b + 7 - a) % 7 < 3)
				says(&t, a, b);
	for (unsigned a = 1; a < 8; a++)
		assert_false(of(&t, a).sponsored || of(&t, a).established);
	/* One that holds something is not two, however many of the ring join it. */
	for (unsigned a = 1; a < 8; a++)
		says(&t, 0, a);
	for (unsigned a = 1; a < 8; a++) {
		assert_int_equal(of(&t, a).sponsors, 1);
		assert_false(of(&t, a).sponsored);
	}
	town_free(&t);
}

static void relatives_count_as_one(void **state)
{
	struct town t;

	town_new(&t, *state, "parent", 5);
	says(&t, 0, 5);
	says(&t, 1, 5);
	assert_true(of(&t, 5).sponsored);
	assert_false(are_related(&t, 0, 1));
	says(&t, 2, 0);
	assert_true(of(&t, 5).sponsored);
	says(&t, 2, 1); /* the same party vouches for both */
	assert_true(are_related(&t, 0, 1));
	assert_false(of(&t, 5).sponsored);
	assert_int_equal(of(&t, 5).sponsors, 1);
	says(&t, 3, 5); /* related to neither */
	assert_true(of(&t, 5).sponsored);
	assert_int_equal(of(&t, 5).sponsors, 2);
	/* One vouches for the other. */
	says(&t, 3, 6);
	says(&t, 4, 6);
	assert_true(of(&t, 6).sponsored);
	says(&t, 3, 4);
	assert_true(are_related(&t, 3, 4));
	assert_true(are_related(&t, 4, 3));
	assert_true(are_related(&t, 4, 4));
	assert_false(of(&t, 6).sponsored);
	town_free(&t);
}

/* Who is nobody cannot make relatives of others, not with many puppets either. */
static void nobody_makes_relatives(void **state)
{
	struct town t;

	town_new(&t, *state, "grief", 2);
	says(&t, 0, 5);
	says(&t, 1, 5);
	for (unsigned a = 8; a < PEOPLE; a++) {
		says(&t, a, 0);
		says(&t, a, 1);
		says(&t, a, a == PEOPLE - 1 ? 8 : a + 1);
	}
	assert_false(are_related(&t, 0, 1));
	assert_true(of(&t, 5).sponsored);
	town_free(&t);
}

static void who_vouches_for_its_own_sponsor_is_none(void **state)
{
	struct town t;

	town_new(&t, *state, "mutual", 3);
	says(&t, 0, 5);
	says(&t, 1, 5);
	assert_true(of(&t, 5).sponsored);
	says(&t, 5, 1);
	assert_false(of(&t, 5).sponsored);
	assert_int_equal(of(&t, 5).vouches, 2);
	assert_int_equal(of(&t, 5).sponsors, 1);
	says(&t, 2, 5);
	assert_true(of(&t, 5).sponsored);
	town_free(&t);
}

/* ---- time ---- */

static void ends_at_the_edge(void **state)
{
	const int64_t end = START + 10 * DAY;
	struct town t;
	char text[CLOCK_TEXT];

	town_new(&t, *state, "edge", 2);
	says(&t, 0, 5);
	clock_format(end, text);
	folk_vouch(&t.f, t.who[1], t.who[5], arena_print(t.f.b->arena, "until %s\nvisited yes\n", text));
	assert_int_equal(of(&t, 5).ends_ms, end);
	assert_true(folk_sponsorship(&t.f, t.who[5], end - 1).sponsored);
	assert_false(folk_sponsorship(&t.f, t.who[5], end).sponsored);
	assert_false(folk_sponsorship(&t.f, t.who[5], START - 1).sponsored);
	/* Without `until` it is a year and a day. */
	assert_int_equal(folk_sponsorship(&t.f, t.who[5], START + VOUCH_MAX_MS - 1).vouches, 1);
	assert_int_equal(folk_sponsorship(&t.f, t.who[5], START + VOUCH_MAX_MS).vouches, 0);
	town_free(&t);
}

/* Three levels: 2 rests on 0 and 1, 3 on 2 and 4, 5 on 3 and 6. All know for two weeks. */
static void a_withdrawal_comes_with_notice(void **state)
{
	struct hash id;
	struct town t;

	town_new(&t, *state, "cascade", 2);
	folk_holder(&t.f, t.who[4], 4);
	folk_holder(&t.f, t.who[6], 6);
	says(&t, 0, 2);
	id = says(&t, 1, 2);
	says(&t, 2, 3);
	says(&t, 4, 3);
	says(&t, 3, 5);
	says(&t, 6, 5);
	for (unsigned i = 2; i <= 5; i++)
		assert_true(of(&t, i).established);
	t.f.now_ms += 3 * DAY;
	folk_withdraw(&t.f, t.who[1], id, "");
	for (unsigned i = 2; i <= 5; i += i == 3 ? 2 : 1) {
		struct sponsorship s = of(&t, i);

		assert_true(s.sponsored);
		assert_int_equal(s.ends_ms, t.f.now_ms + VOUCH_NOTICE_MS);
	}
	t.f.now_ms += VOUCH_NOTICE_MS - 1;
	assert_true(of(&t, 2).sponsored && of(&t, 3).sponsored && of(&t, 5).sponsored);
	t.f.now_ms += 1;
	assert_false(of(&t, 2).sponsored || of(&t, 3).sponsored || of(&t, 5).sponsored);
	assert_int_equal(of(&t, 2).vouches, 1);
	town_free(&t);
}

static enum err take_vouch(void *context, const struct vouch *v)
{
	struct vouch *out = context;

	*out = *v;
	return OK;
}

static void what_is_kept(void **state)
{
	struct vouch v = { .until_ms = 0 };
	struct hash id;
	struct town t;

	town_new(&t, *state, "kept", 2);
	id = folk_vouch(&t.f, t.who[0], t.who[5], "visited yes\n");
	assert_int_equal(vouches_for(&t.f.b->st, SPAN("p5.example"), take_vouch, &v), OK);
	assert_true(hash_equal(v.id, id));
	assert_span(v.from, "p0.example");
	assert_span(v.to, "p5.example");
	assert_true(v.visited && !v.recovery && v.withdrawn_ms == 0);
	assert_int_equal(v.from_ms, START);
	assert_int_equal(v.until_ms, START + VOUCH_MAX_MS);
	t.f.now_ms += 360 * DAY;
	folk_withdraw(&t.f, t.who[0], id, "");
	assert_int_equal(vouches_by(&t.f.b->st, SPAN("p0.example"), take_vouch, &v), OK);
	assert_span(v.from, "p0.example");
	assert_span(v.to, "p5.example");
	assert_int_equal(v.withdrawn_ms, START + 360 * DAY);
	assert_int_equal(v.until_ms, START + VOUCH_MAX_MS); /* a notice makes none longer */
	/* Once only, and by its author. */
	assert_int_equal(folk_try_lines(&t.f, KIND_WITHDRAW, t.who[0],
					arena_print(t.f.b->arena, "re %s\ntext again\n", hex_of(t.f.b->arena, id))),
			 ERR_OUTCOME);
	assert_int_equal(folk_try_lines(&t.f, KIND_WITHDRAW, t.who[1],
					arena_print(t.f.b->arena, "re %s\n", hex_of(t.f.b->arena, id))),
			 ERR_NOT_YOURS);
	town_free(&t);
}

/* ---- what is refused ---- */

static enum err try_vouch(struct town *t, unsigned from, const char *lines)
{
	return folk_try_lines(&t->f, KIND_VOUCH, t->who[from], lines);
}

static void refused(void **state)
{
	struct signer *stranger = signer_of("nobody.example");
	struct town t;
	struct folk old;
	const char *key;

	town_new(&t, *state, "refused", 2);
	key = fingerprint_of(&t.f, t.who[5]);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "")), OK);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[0], "")), ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, stranger, "")), ERR_PARTY_UNKNOWN);
	assert_int_equal(try_vouch(&t, 0, arena_print(t.f.b->arena, "to AS64500\nvouched-key %s\n", key)),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, "to p5.example\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, "to p5.example\nvouched-key 00\n"), ERR_STATEMENT_HEADER);
	/* Another key: only for a recovery; and that is for another. */
	assert_int_equal(try_vouch(&t, 0, arena_print(t.f.b->arena, "to p6.example\nvouched-key %s\n", key)), ERR_KEY);
	assert_int_equal(
		try_vouch(&t, 0, arena_print(t.f.b->arena, "to p6.example\nvouched-key %s\nrecovery yes\n", key)), OK);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "recovery yes\n")), ERR_KEY);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "recovery no\n")), ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "visited perhaps\n")), ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "until 2026-01-01T00:00:00Z\n")),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "until 2026-01-01T00:00:01Z\n")), OK);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "until 2027-01-02T00:00:00Z\n")), OK);
	assert_int_equal(try_vouch(&t, 0, vouch_lines(&t.f, t.who[5], "until 2027-01-02T00:00:01Z\n")),
			 ERR_STATEMENT_HEADER);
	/* A ledger of older rules has no such kind. */
	old = (struct folk){ bare_new(*state, "old"), START };
	folk_say(&old, KIND_RULES, old.b->node, "version 1\n", NULL);
	folk_party(&old, t.who[5], "");
	assert_int_equal(folk_try_lines(&old, KIND_VOUCH, old.b->node, vouch_lines(&old, t.who[5], "")), ERR_RULES);
	bare_free(old.b);
	signer_free(stranger);
	town_free(&t);
}

/* ---- many ---- */

static void puppets(void **state)
{
	enum { MANY = 10000 };
	struct signer **puppet = calloc(MANY, sizeof(*puppet));
	struct sponsorship s;
	struct folk f;

	assert_non_null(puppet);
	folk_new(&f, *state, "puppets");
	puppet[0] = signer_of("master.example");
	folk_holder(&f, puppet[0], 0);
	for (unsigned i = 1; i < MANY; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "x%u.example", i);
		puppet[i] = signer_of(domain);
		folk_party(&f, puppet[i], "");
		folk_vouch(&f, puppet[0], puppet[i], ""); /* one vouches for all */
		if (i > 1)
			folk_vouch(&f, puppet[i - 1], puppet[i], "");
	}
	folk_vouch(&f, puppet[MANY - 1], puppet[1], ""); /* and they in a circle */
	for (unsigned i = 1; i < MANY; i += 3333) {
		s = folk_sponsorship(&f, puppet[i], f.now_ms);
		assert_int_equal(s.vouches, 2);
		assert_int_equal(s.sponsors, 1);
		assert_false(s.sponsored || s.cut);
	}
	/* More than is looked at: nobody is sponsored by it. */
	for (unsigned i = 1; i < MANY; i++)
		folk_vouch(&f, puppet[i], puppet[0], "");
	s = folk_sponsorship(&f, puppet[1], f.now_ms);
	assert_true(s.cut);
	assert_false(s.sponsored || s.established);
	s = folk_sponsorship(&f, puppet[0], f.now_ms);
	assert_true(s.cut && s.established);
	for (unsigned i = 0; i < MANY; i++)
		signer_free(puppet[i]);
	free(puppet);
	bare_free(f.b);
}

/* ---- against a naive fixed point ---- */

struct naive {
	bool holds[PEOPLE];
	int64_t from[PEOPLE][PEOPLE], until[PEOPLE][PEOPLE]; /* 0: none */
	bool withdrawn[PEOPLE][PEOPLE];
	bool could[PEOPLE], is[PEOPLE];
	int64_t at_ms;
};

static bool in_force(const struct naive *n, unsigned a, unsigned b)
{
	return n->from[a][b] != 0 && n->from[a][b] <= n->at_ms && n->at_ms < n->until[a][b];
}

static bool counts_for(const struct naive *n, unsigned a, unsigned b)
{
	return in_force(n, a, b) && !in_force(n, b, a);
}

static bool naive_related(const struct naive *n, unsigned a, unsigned b)
{
	if ((n->could[a] && in_force(n, a, b)) || (n->could[b] && in_force(n, b, a)))
		return true;
	for (unsigned u = 0; u < PEOPLE; u++)
		if (n->could[u] && in_force(n, u, a) && in_force(n, u, b))
			return true;
	return false;
}

static bool naive_sponsored(const struct naive *n, const bool *is, unsigned p, int64_t past_ms, bool relations)
{
	for (unsigned a = 0; a < PEOPLE; a++)
		for (unsigned b = 0; b < a; b++)
			if (is[a] && is[b] && counts_for(n, a, p) && counts_for(n, b, p) && n->until[a][p] > past_ms &&
			    n->until[b][p] > past_ms && !(relations && naive_related(n, a, b)))
				return true;
	return false;
}

static void naive_fix(const struct naive *n, bool *is, int64_t past_ms, bool relations)
{
	bool moved = true;

	for (unsigned p = 0; p < PEOPLE; p++)
		is[p] = n->holds[p];
	while (moved) {
		moved = false;
		for (unsigned p = 0; p < PEOPLE; p++)
			if (!is[p] && naive_sponsored(n, is, p, past_ms, relations))
				is[p] = moved = true;
	}
}

/* The first end of a vouch at which it would be sponsored no longer. */
static int64_t naive_end(const struct naive *n, unsigned p)
{
	int64_t best = INT64_MAX;

	for (unsigned a = 0; a < PEOPLE; a++)
		for (unsigned b = 0; b < PEOPLE; b++) {
			bool is[PEOPLE];

			if (!in_force(n, a, b) || n->until[a][b] >= best)
				continue;
			naive_fix(n, is, n->until[a][b], true);
			if (!naive_sponsored(n, is, p, n->until[a][b], true))
				best = n->until[a][b];
		}
	return best;
}

static void compare(struct town *t, struct naive *n, unsigned *sponsored)
{
	n->at_ms = t->f.now_ms;
	memset(n->could, 0, sizeof(n->could));
	naive_fix(n, n->could, 0, false);
	naive_fix(n, n->is, 0, true);
	for (unsigned p = 0; p < PEOPLE; p++) {
		struct sponsorship s = of(t, p);
		bool expected = naive_sponsored(n, n->is, p, 0, true);
		unsigned vouches = 0;

		for (unsigned a = 0; a < PEOPLE; a++)
			vouches += in_force(n, a, p);
		assert_int_equal(s.vouches, vouches);
		assert_int_equal(s.sponsored, expected);
		assert_int_equal(s.established, n->is[p]);
		assert_int_equal(s.sponsors >= SPONSORS_LEAST, expected);
		assert_int_equal(s.ends_ms, expected ? naive_end(n, p) : 0);
		*sponsored += expected;
		for (unsigned a = 0; a < p; a++)
			assert_int_equal(are_related(t, a, p), naive_related(n, a, p));
	}
}

static void step(struct town *t, struct naive *n, struct hash ids[PEOPLE][PEOPLE], uint64_t *seed)
{
	unsigned a = (unsigned)test_below(seed, PEOPLE), b = (unsigned)test_below(seed, PEOPLE);
	int64_t until;
	char text[CLOCK_TEXT];

	t->f.now_ms += (int64_t)test_below(seed, 12) * HOUR;
	n->at_ms = t->f.now_ms;
	if (a == b)
		return;
	if (n->from[a][b] == 0) {
		until = t->f.now_ms + (int64_t)(1 + test_below(seed, 60)) * DAY;
		clock_format(until, text);
		ids[a][b] = folk_vouch(&t->f, t->who[a], t->who[b], arena_print(t->f.b->arena, "until %s\n", text));
		n->from[a][b] = t->f.now_ms;
		n->until[a][b] = until;
	} else if (in_force(n, a, b) && !n->withdrawn[a][b]) {
		folk_withdraw(&t->f, t->who[a], ids[a][b], "");
		if (n->until[a][b] > t->f.now_ms + VOUCH_NOTICE_MS)
			n->until[a][b] = t->f.now_ms + VOUCH_NOTICE_MS;
		n->withdrawn[a][b] = true;
	}
}

static void same_as_the_naive_one(void **state)
{
	uint64_t seed = test_seed();
	unsigned sponsored = 0;

	for (unsigned round = 0; round < 24; round++) {
		struct hash ids[PEOPLE][PEOPLE] = { { { { 0 } } } };
		struct naive n = { .at_ms = 0 };
		struct town t;
		char name[32];

		snprintf(name, sizeof(name), "round%u", round);
		town_new(&t, *state, name, 6);
		for (unsigned p = 0; p < 6; p++)
			n.holds[p] = true;
		for (unsigned i = 0; i < 20 + round * 5; i++)
			step(&t, &n, ids, &seed);
		compare(&t, &n, &sponsored);
		t.f.now_ms += 20 * DAY;
		compare(&t, &n, &sponsored);
		town_free(&t);
	}
	assert_true(sponsored > 20); /* else it compared nothing with nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_who_hold_something, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_costs_nothing_establishes_nobody, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_ring_is_established_by_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(relatives_count_as_one, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(nobody_makes_relatives, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(who_vouches_for_its_own_sponsor_is_none, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(ends_at_the_edge, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_withdrawal_comes_with_notice, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_kept, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(puppets, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(same_as_the_naive_one, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
