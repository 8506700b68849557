#include "regime/holding.h"

#include <inttypes.h>

#include "regime_proof.h"

#define RSC BASIS_BIT(BASIS_RSC)
#define OPERATOR BASIS_BIT(BASIS_OPERATOR)
#define ALL (~0u)

/* ---- the operator's word ---- */

static void by_the_operator(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct holding h = { 0 };
	struct hash next;

	assert_false(holds_ms(l, 0, "AS64500", ALL, 100000, NULL)); /* a claim by itself */
	fold(l, answer_text(l, l->b->node, l->party[0], "outcome accepted\n"), 10);
	assert_false(holds_ms(l, 0, "AS64500", OPERATOR, 9999, NULL));
	assert_true(holds_ms(l, 0, "AS64500", OPERATOR, 10000, &h));
	assert_span(h.party, "a.example");
	assert_int_equal(h.basis, BASIS_OPERATOR);
	assert_int_equal(h.from_ms, 10000);
	assert_int_equal(h.until_ms, INT64_MAX);
	assert_true(holds_ms(l, 0, "AS64500", OPERATOR, INT64_MAX - 1, NULL));
	assert_false(holds_ms(l, 0, "AS64500", RSC, 10000, NULL));
	assert_false(holds_ms(l, 0, "AS64501", OPERATOR, 10000, NULL));
	assert_false(holds_ms(l, 1, "AS64500", OPERATOR, 10000, NULL));

	/* Claimed again: it goes on. Dropped: it ends, and stays what it was. */
	fold(l, party_text(l->arena, HOME, l->who[0], "role operator\nclaim AS64500\nclaim AS64501\n", NULL), 20);
	assert_true(holds_ms(l, 0, "AS64500", OPERATOR, 20000, &h));
	assert_int_equal(h.from_ms, 10000);
	assert_false(holds_ms(l, 0, "AS64501", OPERATOR, 20000, NULL));
	fold(l, party_text(l->arena, HOME, l->who[0], "role operator\n", NULL), 30);
	assert_held(l, 0, "AS64500", BASIS_OPERATOR, 10, 30);

	/* Approved anew, objected to, approved once more: three in all. */
	fold(l, party_text(l->arena, HOME, l->who[0], "role operator\ntitle A\nclaim AS64500\n", &next), 40);
	fold(l, answer_text(l, l->b->node, next, "outcome accepted\n"), 50);
	fold(l, answer_text(l, l->b->node, next, "outcome accepted\ntext again\n"), 55);
	fold(l, answer_text(l, l->b->node, next, "outcome objected\n"), 60);
	assert_held(l, 0, "AS64500", BASIS_OPERATOR, 50, 60);
	fold(l, answer_text(l, l->b->node, next, "outcome accepted\ntext once more\n"), 70);
	assert_false(holds_ms(l, 0, "AS64500", OPERATOR, 69999, NULL));
	assert_true(holds_ms(l, 0, "AS64500", OPERATOR, 70000, NULL));
	withdrawn(l, 0, next, 80);
	assert_held(l, 0, "AS64500", BASIS_OPERATOR, 70, 80);
	assert_held(l, 0, "AS64500", BASIS_OPERATOR, 10, 30);
	lab_free(l);
}

/* ---- around a prefix; rivals; the strongest ---- */

static enum err list(void *context, const struct holding *h)
{
	struct buffer *out = context;

	buffer_print(out, "%.*s:", SPAN_FORMAT(h->party));
	addressee_print(&h->resource, out);
	buffer_print(out, " %s;", basis_name(h->basis));
	return out->err;
}

static const char *holders(struct lab *l, const char *resource, int64_t s)
{
	struct addressee r = resource_of(resource);
	struct buffer b = BUFFER(10000);
	const char *copy;

	assert_int_equal(holders_at(&l->b->st, &r, ALL, s * 1000, list, &b), OK);
	copy = arena_copy(l->arena, b.at, b.len);
	buffer_free(&b);
	return copy;
}

static void around(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash one = prove(l, 0, "method rsc\nresource prefix 192.0.2.0/24\nresource prefix 2001:db8::/32\n", 10),
		    two = prove(l, 1, "method rsc\nresource prefix 192.0.0.0/16\nresource AS64500\n", 10), three;
	struct holding h;

	accepted(l, one, 100, 20);
	accepted(l, two, 200, 30);
	assert_held(l, 0, "prefix 192.0.2.0/24", BASIS_RSC, 20, 100);
	assert_held(l, 0, "prefix 192.0.2.7/32", BASIS_RSC, 20, 100);
	assert_held(l, 0, "prefix 2001:db8:1::/48", BASIS_RSC, 20, 100);
	assert_held(l, 1, "prefix 192.0.2.0/24", BASIS_RSC, 30, 200);
	assert_false(holds_ms(l, 0, "prefix 192.0.2.0/23", RSC, 50000, NULL));
	assert_false(holds_ms(l, 0, "prefix 192.0.3.0/24", RSC, 50000, NULL));
	assert_false(holds_ms(l, 0, "prefix 0.0.0.0/0", RSC, 50000, NULL));
	assert_false(holds_ms(l, 0, "prefix 2001:db9::/32", RSC, 50000, NULL));
	assert_false(holds_ms(l, 0, "all", RSC, 50000, NULL));
	/* both, the narrower first */
	assert_string_equal(holders(l, "prefix 192.0.2.128/25", 50),
			    "a.example:prefix 192.0.2.0/24 rsc;b.example:prefix 192.0.0.0/16 rsc;");
	assert_string_equal(holders(l, "prefix 192.0.2.128/25", 150), "b.example:prefix 192.0.0.0/16 rsc;");
	assert_string_equal(holders(l, "AS64500", 50), "b.example:AS64500 rsc;");
	assert_string_equal(holders(l, "country EE", 50), "");

	/* The same prefix by two, and by two ways: the strongest is given. */
	fold(l, answer_text(l, l->b->node, l->party[1], "outcome accepted\n"), 31);
	assert_true(holds_ms(l, 1, "AS64500", ALL, 50000, &h));
	assert_int_equal(h.basis, BASIS_RSC);
	assert_true(hash_equal(h.because, two));
	assert_true(holds_ms(l, 1, "AS64500", ALL, 250000, &h));
	assert_int_equal(h.basis, BASIS_OPERATOR);
	three = prove(l, 2, "method dnssec\nresource prefix 192.0.2.0/24\n", 40);
	accepted(l, three, 300, 40);
	assert_string_equal(holders(l, "prefix 192.0.2.0/24", 50),
			    "a.example:prefix 192.0.2.0/24 rsc;c.example:prefix 192.0.2.0/24 dnssec;"
			    "b.example:prefix 192.0.0.0/16 rsc;");
	lab_free(l);
}

/* One proof's holding is its own: a second one of the same resource outlives it. */
static void apart(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash one = prove(l, 0, "method rsc\nresource AS64501\n", 10),
		    two = prove(l, 0, "method rsc\nresource AS64501\nresource AS64502\n", 10);
	struct addressee r = resource_of("AS64501");
	struct profile p;
	bool yes;

	accepted(l, one, 1000, 20);
	accepted(l, two, 500, 30);
	objected(l, one, 40);
	assert_true(holds_ms(l, 0, "AS64501", RSC, 40000, NULL));
	withdrawn(l, 0, two, 60);
	assert_held(l, 0, "AS64501", BASIS_RSC, 20, 60);
	assert_held(l, 0, "AS64502", BASIS_RSC, 30, 60);
	accepted(l, one, 1000, 70);
	assert_false(holds_ms(l, 0, "AS64501", RSC, 69999, NULL));
	assert_true(holds_ms(l, 0, "AS64501", RSC, 70000, NULL));
	assert_int_equal(policy_allows(&l->b->st, POLICY_DIVERT, SPAN("a.example"), &r, 70000, &yes, NULL), OK);
	assert_true(yes);
	assert_int_equal(profile_of(&l->b->st, SPAN("a.example"), 70000, &p), OK);
	assert_int_equal(p.bases, RSC);
	assert_int_equal(p.numbers, 1);
	assert_int_equal(p.prefixes + p.countries + p.domain, 0);
	assert_int_equal(p.next_end_ms, 1000000);
	assert_int_equal(profile_of(&l->b->st, SPAN("a.example"), 1000000, &p), OK);
	assert_int_equal(p.bases, 0);
	assert_int_equal(p.next_end_ms, 0);
	lab_free(l);
}

/* ---- observers ---- */

static void observers(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash one = prove(l, 1, saw(l, 0), 10), two = prove(l, 2, saw(l, 0), 10), again, three;

	accepted(l, one, 100, 20);
	assert_false(holds_ms(l, 0, "a.example", ALL, 50000, NULL)); /* one is none */
	again = prove(l, 1, arena_print(l->arena, "%sdate 2026-11-22T20:45:00Z\n", saw(l, 0)), 21);
	accepted(l, again, 400, 22);
	assert_false(holds_ms(l, 0, "a.example", ALL, 50000, NULL)); /* nor one that says it twice */
	accepted(l, two, 300, 30);
	/* b until 400, c until 300 */
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 300);
	objected(l, again, 40); /* b until 100 is left */
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 100);
	three = prove(l, 3, saw(l, 0), 50);
	accepted(l, three, 250, 50);
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 250);
	accepted(l, three, 280, 60); /* renewed */
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 280);
	withdrawn(l, 2, two, 70);
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 100);
	/* They all lapse; another pair is another holding. */
	accepted(l, one, 500, 150);
	assert_held(l, 0, "a.example", BASIS_OBSERVED, 30, 100);
	assert_false(holds_ms(l, 0, "a.example", ALL, 149999, NULL));
	assert_true(holds_ms(l, 0, "a.example", ALL, 150000, NULL));
	assert_false(holds_ms(l, 0, "a.example", ALL, 280000, NULL));
	objected(l, three, 160);
	assert_true(holds_ms(l, 0, "a.example", ALL, 159999, NULL));
	assert_false(holds_ms(l, 0, "a.example", ALL, 160000, NULL));
	lab_free(l);
}

/* Another domain, another key, or two that the same other node keeps are no pair. */
static void no_pair(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct signer *far[2] = { signer_of("x.example"), signer_of("y.example") };
	struct hash one = prove(l, 1, saw(l, 0), 10),
		    two = prove(l, 2, arena_print(l->arena, "%sresource other.example\n", saw(l, 0)), 10);

	accepted(l, one, 100, 20);
	accepted(l, two, 100, 20);
	assert_false(holds_ms(l, 0, "a.example", ALL, 50000, NULL));
	assert_false(holds_ms(l, 0, "other.example", ALL, 50000, NULL));
	l->b->st.is_guest = true;
	for (int i = 0; i < 2; i++) {
		struct hash id;

		l->b->st.home_ms = 30000;
		fold(l, party_text(l->arena, "far.example/public", far[i], "role operator\n", NULL), 30);
		fold(l,
		     statement_text(l->arena, KIND_PROOF, "far.example/public", far[i],
				    arena_print(l->arena, "%sresource third.example\n" PROOF_BODY, saw(l, 0)), &id),
		     31);
		l->b->st.is_guest = false;
		accepted(l, id, 100, 40);
		l->b->st.is_guest = true;
	}
	l->b->st.is_guest = false;
	assert_false(holds_ms(l, 0, "third.example", ALL, 50000, NULL));
	accepted(l, prove(l, 3, arena_print(l->arena, "%sresource third.example\n", saw(l, 0)), 45), 90, 45);
	assert_held(l, 0, "third.example", BASIS_OBSERVED, 45, 90);
	signer_free(far[0]);
	signer_free(far[1]);
	lab_free(l);
}

/* ---- against a naive scan ---- */

struct twin {
	struct holding at[4096];
	size_t count;
};

static enum err copy(void *context, const struct holding *h)
{
	struct twin *t = context;

	assert_true(t->count < 4096);
	t->at[t->count++] = *h;
	return OK;
}

static bool contains(const struct addressee *wide, const struct addressee *narrow)
{
	if (wide->type == TO_PREFIX && narrow->type == TO_PREFIX)
		return prefix_contains(wide->prefix, narrow->prefix);
	return addressee_equal(wide, narrow);
}

static unsigned naive(const struct twin *t, struct span party, const struct addressee *r, unsigned bases, int64_t ms)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct holding *h = &t->at[i];

		n += (party.len == 0 || span_equal(h->party, party)) && contains(&h->resource, r) &&
		     (bases & BASIS_BIT(h->basis)) != 0 && h->from_ms <= ms && ms < h->until_ms;
	}
	return n;
}

static const char *draw_resource(struct lab *l, uint64_t *seed)
{
	unsigned length = 20 + (unsigned)test_below(seed, 13);
	struct prefix p = prefix_of(address_ipv4(0xc0000000u + (uint32_t)test_below(seed, 4096)), length);
	char text[PREFIX_TEXT];

	if (test_below(seed, 4) == 0)
		return arena_print(l->arena, "AS%zu", 1 + test_below(seed, 3));
	if (test_below(seed, 4) == 0)
		p = prefix_of((struct address){ 0x20010db800000000 + (test_random(seed) & 0xffff), test_random(seed),
						FAMILY_IPV6 },
			      test_below(seed, 129));
	prefix_format(p, text);
	return arena_print(l->arena, "prefix %s", text);
}

static enum err count_one(void *context, const struct holding *h)
{
	(void)h;
	++*(unsigned *)context;
	return OK;
}

static void step(struct lab *l, uint64_t *seed, struct hash *proofs, int *owners, size_t *count, int64_t s)
{
	size_t which = *count > 0 ? test_below(seed, *count) : 0;
	int who = (int)test_below(seed, PEOPLE - 1);

	if (*count < 60 && (*count == 0 || test_below(seed, 3) == 0)) {
		const char *lines = "method rsc\n", *one = draw_resource(l, seed), *two = draw_resource(l, seed);

		lines = arena_print(l->arena, "%sresource %s\n", lines, one);
		if (strcmp(one, two) != 0)
			lines = arena_print(l->arena, "%sresource %s\n", lines, two);
		if (test_below(seed, 4) == 0)
			lines = saw(l, (who + 1) % (PEOPLE - 1));
		owners[*count] = who;
		proofs[*count] =
			prove(l, who, arena_print(l->arena, "%sdate 2026-11-22T20:45:%02zuZ\n", lines, *count), s);
		++*count;
	} else if (test_below(seed, 3) != 0) {
		fold(l, answer_text(l, l->b->node, proofs[which], until(l, s + 1 + (int64_t)test_below(seed, 60))), s);
	} else if (test_below(seed, 3) != 0) {
		fold(l,
		     answer_text(l, l->b->node, proofs[which],
				 arena_print(l->arena, "outcome objected\nreason x%" PRId64 "\n", s)),
		     s);
	} else if (test_below(seed, 4) == 0) {
		withdrawn(l, owners[which], proofs[which], s);
	} else {
		fold(l,
		     answer_text(l, l->b->node, l->party[who],
				 arena_print(l->arena, "outcome %s\ntext %" PRId64 "\n",
					     test_below(seed, 2) == 0 ? "accepted" : "objected", s)),
		     s);
	}
}

/* What a walk gives is what the questions are answered from; what was held before this moment never changes; and a second fold
 * of the same entries gives the same bytes. */
static void as_a_scan(void **state)
{
	uint64_t seed = test_seed(), same = seed;
	struct lab *l = lab_new(*state, "one", true), *m = lab_new(*state, "two", true);
	struct hash proofs[60], proofs2[60], first, second;
	int owners[60], owners2[60];
	size_t count = 0, count2 = 0;
	struct twin *t = calloc(1, sizeof(*t)), *before = calloc(1, sizeof(*before));

	for (int64_t s = 10; s < 400; s++) {
		step(l, &seed, proofs, owners, &count, s);
		step(m, &same, proofs2, owners2, &count2, s);
		if (s % 20 != 0)
			continue;
		t->count = 0;
		assert_int_equal(holdings_walk(&l->b->st, SPAN(""), copy, t), OK);
		for (int i = 0; i < 300; i++) {
			int who = (int)test_below(&seed, PEOPLE - 1);
			struct addressee r = resource_of(draw_resource(l, &seed));
			unsigned bases = (unsigned)test_random(&seed) & 0x7f, n = 0, expected;
			int64_t ms = 1000 * (int64_t)test_below(&seed, 460) + (int64_t)test_below(&seed, 3) - 1;
			struct holding h;
			bool held;

			assert_int_equal(holding_at(&l->b->st, span_of(people[who]), &r, bases, ms, &held, &h), OK);
			assert_int_equal(held, naive(t, span_of(people[who]), &r, bases, ms) > 0);
			if (held)
				assert_true(contains(&h.resource, &r) && (bases & BASIS_BIT(h.basis)) != 0 &&
					    span_equal(h.party, span_of(people[who])));
			expected = naive(t, SPAN(""), &r, bases, ms);
			assert_int_equal(holders_at(&l->b->st, &r, bases, ms, count_one, &n), OK);
			assert_int_equal(n, expected);
			/* what was so stays so */
			if (s > 20 && ms < (s - 20) * 1000)
				assert_int_equal(naive(before, SPAN(""), &r, bases, ms), expected);
		}
		same = seed; /* the questions drew from it too */
		*before = *t;
	}
	assert_int_equal(state_digest(&l->b->st, &first), OK);
	assert_int_equal(state_digest(&m->b->st, &second), OK);
	assert_true(hash_equal(first, second));
	assert_true(t->count > 20);
	free(t);
	free(before);
	lab_free(l);
	lab_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_the_operator, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(around, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(apart, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(observers, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_pair, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(as_a_scan, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
