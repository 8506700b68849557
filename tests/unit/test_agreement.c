#include "agreement_test.h"

#include "regime/deconflict.h"
#include "regime/kinds_private.h"

#include <stdio.h>

static struct two setup(void **state, const char *name)
{
	struct two t;

	two_new(&t, *state, name);
	return t;
}

static void offered_and_signed(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = two_offer(&t, AGREED), second;
	struct agreement a = two_read(&t, offer), by_statement, by_id;

	assert_int_equal(a.phase, AGREEMENT_OFFERED);
	assert_span(a.offered_by, "x.example");
	assert_span(a.party[0], "x.example");
	assert_span(a.party[1], "y.example");
	assert_span(a.depositary, "cert.example");
	assert_int_equal(a.offered_ms, t.now_ms);
	assert_int_equal(a.start_ms, BEGIN);
	assert_int_equal(a.exit_notice_ms, 90 * DAY);
	assert_int_equal(a.rules.consult_ms, AGREEMENT_CONSULT_MS);
	assert_int_equal(a.rules.restore, AGREEMENT_RESTORE);
	assert_int_equal(a.codes, 1u << 0 | 1u << 2);
	assert_int_equal(a.term_count, 1);
	assert_span(a.terms[0].term.name, "swift");
	assert_int_equal(a.terms[0].term.gives, GIVES_SHARE);
	assert_true(hash_equal(a.statement[0], offer));
	t.now_ms += DAY;
	second = two_sign(&t, offer, AGREED);
	by_statement = two_read(&t, second);
	by_id = two_read(&t, a.id);
	assert_int_equal(by_statement.phase, AGREEMENT_COUNTERSIGNED);
	assert_int_equal(by_statement.countersigned_ms, t.now_ms);
	assert_true(hash_equal(by_statement.statement[0], offer) && hash_equal(by_statement.statement[1], second));
	assert_true(hash_equal(by_id.id, a.id) && hash_equal(by_statement.id, a.id));
	two_free(&t);
}

/* The id is what anybody computes from the lines. */
static void id_of_the_lines(void **state)
{
	static const char sorted[] =
		"comity/1 agreement\ncodes 1,3\ndepositary cert.example\nend 2030-01-01T00:00:00Z\n"
		"exit-notice 90d\nparty x.example\nparty y.example\nstart 2027-01-01T00:00:00Z\n"
		"term even balance at-least 40% each 90d\n" SWIFT;
	struct two t = setup(state, "a");
	struct hash offer, second;

	offer = two_offer(&t, AGREED "term even balance at-least 40% each 90d\n");
	assert_true(hash_equal(two_read(&t, offer).id, hash_span(span_of(sorted))));
	second = two_sign(&t, offer, "term even balance at-least 40% each 90d\n" SWIFT CODES TIMES PARTIES);
	assert_true(hash_equal(two_read(&t, second).id, hash_span(span_of(sorted))));
	assert_span(two_read(&t, second).terms[0].term.name, "even");
	two_free(&t);
}

struct refused {
	const char *what, *lines;
	enum err err;
};

#define ASSET_X "asset power 0011223344556677001122334455667700112233445566770011223344556677 x.example\n"
#define ASSET_Y "asset power 1111223344556677001122334455667700112233445566770011223344556677 y.example\n"
#define HOLD "term hold restraint scan,exercise in power each 90d\n"

static const struct refused offers[] = {
	{ "as it should be", "to y.example\n" AGREED, OK },
	{ "with everything",
	  "to y.example\n" AGREED "consult 90d\nrestore 12\ndemonstration yes\n" HOLD ASSET_X ASSET_Y, OK },
	{ "restraint of one",
	  "to y.example\n" AGREED "term hold restraint scan in power each 90d of x.example\n" ASSET_Y, OK },
	{ "to nobody", AGREED, ERR_STATEMENT_HEADER },
	{ "to another", "to z.example\n" AGREED, ERR_STATEMENT_HEADER },
	{ "to itself", "to x.example\n" AGREED, ERR_STATEMENT_HEADER },
	{ "to a resource", "to AS64500\n" AGREED, ERR_STATEMENT_HEADER },
	{ "to two", "to y.example\nto z.example\n" AGREED, ERR_STATEMENT_HEADER },
	{ "one party", "to y.example\nparty x.example\ndepositary cert.example\n" TIMES CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "three parties", "to y.example\nparty z.example\n" AGREED, ERR_STATEMENT_HEADER },
	{ "not sorted", "to y.example\nparty y.example\nparty x.example\ndepositary cert.example\n" TIMES CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "twice the same",
	  "to x.example\nparty x.example\nparty x.example\ndepositary cert.example\n" TIMES CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "of others", "to y.example\nparty y.example\nparty z.example\ndepositary cert.example\n" TIMES CODES SWIFT,
	  ERR_NOT_YOURS },
	{ "with who is not known",
	  "to who.example\nparty who.example\nparty x.example\ndepositary cert.example\n" TIMES CODES SWIFT,
	  ERR_PARTY_UNKNOWN },
	{ "another depositary",
	  "to y.example\nparty x.example\nparty y.example\ndepositary a.example\n" TIMES CODES SWIFT,
	  ERR_STATEMENT_LEDGER },
	{ "no depositary", "to y.example\nparty x.example\nparty y.example\n" TIMES CODES SWIFT, ERR_STATEMENT_HEADER },
	{ "no start", "to y.example\n" PARTIES "end 2030-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "start is past",
	  "to y.example\n" PARTIES
	  "start 2026-01-01T00:00:00Z\nend 2030-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_AGREEMENT },
	{ "end before start",
	  "to y.example\n" PARTIES
	  "start 2027-01-01T00:00:00Z\nend 2026-12-31T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_AGREEMENT },
	{ "end at start",
	  "to y.example\n" PARTIES
	  "start 2027-01-01T00:00:00Z\nend 2027-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_AGREEMENT },
	{ "of ten years",
	  "to y.example\n" PARTIES
	  "start 2027-01-01T00:00:00Z\nend 2037-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  OK },
	{ "of a century",
	  "to y.example\n" PARTIES
	  "start 2027-01-01T00:00:00Z\nend 2127-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_AGREEMENT },
	{ "no date", "to y.example\n" PARTIES "start tomorrow\nend 2030-01-01T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "exit at once",
	  "to y.example\n" PARTIES "start 2027-01-01T00:00:00Z\nend 2030-01-01T00:00:00Z\nexit-notice 6d\n" CODES SWIFT,
	  ERR_STATEMENT_HEADER },
	{ "consult of an hour", "to y.example\n" AGREED "consult 1h\n", ERR_STATEMENT_HEADER },
	{ "consult of 91 days", "to y.example\n" AGREED "consult 91d\n", ERR_STATEMENT_HEADER },
	{ "restore never", "to y.example\n" AGREED "restore 0\n", ERR_STATEMENT_HEADER },
	{ "restore late", "to y.example\n" AGREED "restore 13\n", ERR_STATEMENT_HEADER },
	{ "no codes", "to y.example\n" PARTIES TIMES SWIFT, ERR_STATEMENT_HEADER },
	{ "codes that fall", "to y.example\n" PARTIES TIMES SWIFT "codes 3,1\n", ERR_STATEMENT_HEADER },
	{ "a code twice", "to y.example\n" PARTIES TIMES SWIFT "codes 1,1\n", ERR_STATEMENT_HEADER },
	{ "no such code", "to y.example\n" PARTIES TIMES SWIFT "codes 1,21\n", ERR_STATEMENT_HEADER },
	{ "code 0", "to y.example\n" PARTIES TIMES SWIFT "codes 0\n", ERR_STATEMENT_HEADER },
	{ "no term", "to y.example\n" PARTIES TIMES CODES, ERR_STATEMENT_HEADER },
	{ "a term that is none", "to y.example\n" PARTIES TIMES CODES "term be good\n", ERR_TERM },
	{ "a threshold of 0",
	  "to y.example\n" PARTIES TIMES CODES "term a acknowledged at-least 0% within 2d each 30d\n", ERR_TERM },
	{ "a window of a second",
	  "to y.example\n" PARTIES TIMES CODES "term a acknowledged at-least 9% within 2d each 1s\n", ERR_TERM },
	{ "a window of a century",
	  "to y.example\n" PARTIES TIMES CODES "term a acknowledged at-least 9% within 2d each 36500d\n", ERR_TERM },
	{ "a window longer than it",
	  "to y.example\n" PARTIES
	  "start 2027-01-01T00:00:00Z\nend 2027-01-30T00:00:00Z\nexit-notice 90d\n" CODES SWIFT,
	  ERR_TERM },
	{ "not between two", "to y.example\n" PARTIES TIMES CODES "term a uplift at-least 5% each 30d\n", ERR_TERM },
	{ "of who is no party",
	  "to y.example\n" PARTIES TIMES CODES "term a acknowledged at-least 9% within 2d each 30d of z.example\n",
	  ERR_TERM },
	{ "two of a name", "to y.example\n" AGREED "term swift help-answered at-least 9% within 2d each 30d\n",
	  ERR_TERM },
	{ "contradict", "to y.example\n" AGREED "term slow acknowledged at-least 10% within 2d each 30d\n", ERR_TERM },
	{ "contradict in part",
	  "to y.example\n" AGREED "term slow acknowledged at-least 10% within 2d each 30d of x.example\n", ERR_TERM },
	{ "each its own",
	  "to y.example\n" PARTIES TIMES CODES "term a acknowledged at-least 10% within 2d each 30d of x.example\n"
	  "term b acknowledged at-least 90% within 2d each 30d of y.example\n",
	  OK },
	{ "both give more than half", "to y.example\n" AGREED "term even balance at-least 51% each 90d\n", ERR_TERM },
	{ "together more than all",
	  "to y.example\n" AGREED
	  "term a balance at-least 80% each 90d of x.example\nterm b balance at-least 21% each 90d of y.example\n",
	  ERR_TERM },
	{ "nothing to leave alone", "to y.example\n" AGREED HOLD, ERR_TERM },
	{ "only one has assets", "to y.example\n" AGREED HOLD ASSET_X, ERR_TERM },
	{ "assets of the wrong one",
	  "to y.example\n" AGREED "term hold restraint scan in power each 90d of x.example\n" ASSET_X, ERR_TERM },
	{ "a set of no term", "to y.example\n" AGREED ASSET_X, ERR_TERM },
	{ "an asset twice", "to y.example\n" AGREED HOLD ASSET_X ASSET_Y ASSET_Y, ERR_TERM },
	{ "an asset of two",
	  "to y.example\n" AGREED HOLD ASSET_X
	  "asset power 0011223344556677001122334455667700112233445566770011223344556677 y.example\n",
	  ERR_TERM },
	{ "no commitment", "to y.example\n" AGREED HOLD ASSET_X "asset power 192.0.2.1 y.example\n", ERR_TERM },
	{ "an asset of nobody",
	  "to y.example\n" AGREED HOLD ASSET_X
	  "asset power 2211223344556677001122334455667700112233445566770011223344556677\n",
	  ERR_TERM },
	{ "demonstration no", "to y.example\n" AGREED "demonstration no\n", ERR_STATEMENT_HEADER },
};

static void refusals(void **state)
{
	struct two t = setup(state, "a");
	size_t wrong = 0;

	for (size_t i = 0; i < TABLE_LENGTH(offers); i++) {
		enum err e = two_try(&t, KIND_AGREEMENT, t.x, offers[i].lines);

		if (e == offers[i].err)
			continue;
		print_error("%s: %s (%s), not %s\n", offers[i].what, err_code(e), err_detail(),
			    err_code(offers[i].err));
		wrong++;
	}
	assert_int_equal(wrong, 0);
	two_free(&t);
}

static enum err try_second(struct two *t, const struct signer *from, const char *to, const char *lines, struct hash re)
{
	return two_try(t, KIND_AGREEMENT, from,
		       arena_print(t->b->arena, "to %s\n%sre %s\n", to, lines, hex_of(t->b->arena, re)));
}

static void second_signature(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = two_offer(&t, AGREED), notice = two_notice(&t, t.x, t.y, "malicious-code/infected-system");
	struct agreement a = two_read(&t, offer);

	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, offer), OK);
	assert_int_equal(try_second(&t, t.x, "y.example", AGREED, offer), ERR_AGREEMENT);
	assert_int_equal(try_second(&t, t.z, "x.example", AGREED, offer), ERR_NOT_YOURS);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED "restore 3\n", offer), ERR_AGREEMENT);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED "demonstration yes\n", offer), ERR_AGREEMENT);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, notice), ERR_MATTER_UNKNOWN);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, t.party_x), ERR_MATTER_UNKNOWN);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, a.id), ERR_MATTER_UNKNOWN);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.y, "to x.example\n" AGREED), ERR_AGREEMENT);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\ndate 2026-11-22T20:45:00Z\n" AGREED),
			 ERR_AGREEMENT);
	t.now_ms = BEGIN;
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, offer), ERR_AGREEMENT);
	t.now_ms = BEGIN - 1;
	two_sign(&t, offer, AGREED);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED "date 2026-11-22T20:45:00Z\n", offer), ERR_AGREEMENT);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\ndate 2026-11-22T20:45:00Z\n" AGREED),
			 ERR_AGREEMENT);
	two_free(&t);
}

/* Codes are looked at when the second signs: what one of them does not take cannot be agreed. */
static void codes_of_both(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = two_offer(&t, AGREED);

	two_say(&t, KIND_VOCABULARY, t.y, "codes 1\nrecognise 1\n", NULL);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, offer), ERR_NOT_RECOGNISED);
	two_say(&t, KIND_VOCABULARY, t.y, "codes 1\nrecognise 1\nrecognise 3\n", NULL);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, offer), OK);
	two_free(&t);
}

static void offers_that_end(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = two_offer(&t, AGREED);

	assert_int_equal(two_try(&t, KIND_ANSWER, t.x, two_about(&t, offer, "outcome objected\n")), ERR_NOT_YOURS);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.z, two_about(&t, offer, "outcome objected\n")), ERR_NOT_YOURS);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.b->node,
				 two_about(&t, offer, "outcome objected\nfor y.example\nvia mail\n")),
			 ERR_NOT_YOURS);
	assert_int_equal(two_try(&t, KIND_ANSWER, t.y, two_about(&t, offer, "outcome accepted\n")), ERR_OUTCOME);
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, offer, "outcome objected\n"), NULL);
	assert_int_equal(two_read(&t, offer).phase, AGREEMENT_ENDED);
	assert_int_equal(two_read(&t, offer).ended_ms, t.now_ms);
	assert_int_equal(try_second(&t, t.y, "x.example", AGREED, offer), ERR_AGREEMENT);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\ndate 2026-11-22T20:45:00Z\n" AGREED),
			 ERR_AGREEMENT);

	offer = two_offer(&t, AGREED "restore 3\n");
	assert_int_equal(two_try(&t, KIND_WITHDRAW, t.y, two_about(&t, offer, "")), ERR_NOT_YOURS);
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, offer, ""), NULL);
	assert_int_equal(two_read(&t, offer).phase, AGREEMENT_ENDED);

	offer = two_agree(&t, AGREED "restore 4\n");
	assert_int_equal(two_try(&t, KIND_ANSWER, t.y, two_about(&t, offer, "outcome objected\n")), ERR_AGREEMENT);
	two_free(&t);
}

/* Who signed with a key that others have now has signed nothing; when both had signed before, it stays. */
static void revoked_keys(void **state)
{
	struct two t = setup(state, "a");
	struct hash open = two_offer(&t, AGREED), signed_by_both = two_agree(&t, AGREED "restore 3\n"), by_y;

	two_say(&t, KIND_AGREEMENT, t.y, "to x.example\n" AGREED "restore 4\n", &by_y);
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, t.party_x, "reason key-compromised\n"), NULL);
	assert_int_equal(two_read(&t, open).phase, AGREEMENT_ENDED);
	assert_int_equal(two_read(&t, signed_by_both).phase, AGREEMENT_COUNTERSIGNED);
	assert_int_equal(two_read(&t, by_y).phase, AGREEMENT_OFFERED);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\n" AGREED "restore 6\n"), ERR_PARTY_UNKNOWN);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.y, "to x.example\n" AGREED "restore 5\n"), ERR_PARTY_UNKNOWN);
	two_free(&t);
}

static void so_many_at_a_time(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer = { { 0 } };

	for (unsigned i = 0; i < AGREEMENTS_BETWEEN; i++)
		offer = two_offer(&t, arena_print(t.b->arena, "%sconsult %ud\n", AGREED, i + 20));
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\n" AGREED), ERR_AGREEMENT);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.y, "to x.example\n" AGREED), ERR_AGREEMENT);
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, offer, ""), NULL);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, t.x, "to y.example\n" AGREED), OK);
	two_free(&t);
}

/* Before rules 3 it folds to nothing, as it always did. */
static void older_rules(void **state)
{
	struct bare *b = bare_new(*state, "a");
	struct signer *x = signer_of("x.example"), *y = signer_of("y.example");
	struct two t = { .b = b, .x = x, .y = y, .now_ms = BEGIN - DAY };

	two_say(&t, KIND_RULES, b->node, "version 2\n", NULL);
	assert_int_equal(bare_fold(b, party_text(b->arena, "cert.example/public", x, "role operator\n", NULL),
				   LEDGER_PUBLIC, t.now_ms),
			 OK);
	assert_int_equal(bare_fold(b, party_text(b->arena, "cert.example/public", y, "role operator\n", NULL),
				   LEDGER_PUBLIC, t.now_ms),
			 OK);
	assert_int_equal(two_try(&t, KIND_AGREEMENT, x, "to y.example\n" AGREED), ERR_RULES);
	assert_false(two_fold_in(&t, LEDGER_PUBLIC, KIND_AGREEMENT, x, "to y.example\n" AGREED, NULL));
	signer_free(x);
	signer_free(y);
	bare_free(b);
}

static enum err count(void *context, const struct agreement *a)
{
	(void)a;
	++*(size_t *)context;
	return OK;
}

static size_t count_of(struct two *t, const char *party)
{
	size_t n = 0;

	assert_int_equal(state_agreements(&t->b->st, span_of(party), count, &n), OK);
	return n;
}

static void lists(void **state)
{
	struct two t = setup(state, "a");
	struct hash offer;

	assert_int_equal(count_of(&t, ""), 0);
	two_agree(&t, AGREED);
	offer = two_offer(&t, AGREED "restore 3\n");
	two_say(&t, KIND_AGREEMENT, t.x,
		"to z.example\nparty x.example\nparty z.example\ndepositary cert.example\n" TIMES CODES SWIFT, NULL);
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, offer, "outcome objected\n"), NULL);
	assert_int_equal(count_of(&t, ""), 3);
	assert_int_equal(count_of(&t, "x.example"), 3);
	assert_int_equal(count_of(&t, "y.example"), 2);
	assert_int_equal(count_of(&t, "z.example"), 1);
	assert_int_equal(count_of(&t, "y.exampl"), 0);
	two_free(&t);
}

/* At any node but the depositary a copy is a matter, and no agreement. */
static void copies_elsewhere(void **state)
{
	struct two t = setup(state, "a");
	struct state *st = &t.b->st;
	struct agreement a;
	struct addressee to;
	struct statement s;
	struct matter m;
	struct hash id;
	struct span note = statement_text(
		t.b->arena, KIND_AGREEMENT, "dep.example/public", t.x,
		"to y.example\nparty x.example\nparty y.example\ndepositary dep.example\n" TIMES CODES SWIFT, &id);

	assert_int_equal(statement_parse(t.b->arena, note, &s), OK);
	st->ledger = LEDGER_PUBLIC;
	st->index = t.b->size[LEDGER_PUBLIC]++;
	st->logged_ms = BEGIN + 400 * DAY; /* it began long ago */
	st->home_ms = t.now_ms;
	st->is_guest = true;
	assert_int_equal(state_check(st, &s), OK);
	assert_int_equal(state_fold(st, &s), OK);
	assert_true(st->effective);
	st->is_guest = false;
	assert_int_equal(state_matter(st, id, &m), OK);
	assert_int_equal(m.kind, KIND_AGREEMENT);
	assert_true(matter_addressee(&m, 0, &to) && to.type == TO_PARTY && span_is(to.domain, "y.example"));
	assert_int_equal(state_agreement(st, id, &a), ERR_MATTER_UNKNOWN);
	assert_int_equal(count_of(&t, ""), 0);
	t.now_ms = BEGIN + 400 * DAY;
	assert_int_equal(two_try(&t, KIND_ANSWER, t.z, two_about(&t, id, "outcome objected\n")), ERR_NOT_YOURS);
	two_say(&t, KIND_ANSWER, t.y, two_about(&t, id, "outcome objected\n"), NULL);
	two_free(&t);
}

/* The values of the state read as what was filed. */
static void five_hundred_assets(void **state)
{
	struct two t = setup(state, "a");
	struct buffer lines = BUFFER((size_t)1 << 20);
	struct hash offer;
	struct agreement a;
	size_t of_x = 0;

	buffer_text(&lines, AGREED HOLD);
	for (unsigned i = 0; i < ASSETS_MAX; i++)
		buffer_print(&lines, "asset power %064x %c.example\n", i + 1, i % 5 == 0 ? 'y' : 'x');
	buffer_byte(&lines, 0);
	assert_int_equal(lines.err, OK);
	offer = two_agree(&t, lines.at);
	a = two_read(&t, offer);
	assert_int_equal(a.asset_count, ASSETS_MAX);
	for (size_t i = 0; i < a.asset_count; i++) {
		of_x += a.assets[i].side == 0;
		assert_span(a.assets[i].asset.set, "power");
		assert_true(i == 0 || hash_compare(a.assets[i - 1].asset.commitment, a.assets[i].asset.commitment) < 0);
	}
	assert_int_equal(of_x, 400);
	assert_int_equal(a.terms[0].term.activities, 3);
	buffer_free(&lines);
	two_free(&t);
}

/* A thief who offered as much as there is room for does not keep the owner from revoking the key. */
static void much_offered_by_a_thief(void **state)
{
	struct two t = setup(state, "a");
	struct arena *small = arena_new((size_t)256 << 10), *all = t.b->st.arena;
	struct hash filed[AGREEMENTS_BETWEEN];

	for (unsigned n = 0; n < AGREEMENTS_BETWEEN; n++) {
		struct buffer lines = BUFFER((size_t)1 << 20);

		buffer_print(&lines, "%sconsult %ud\n%s", AGREED, n + 20, HOLD);
		for (unsigned i = 0; i < ASSETS_MAX; i++)
			buffer_print(&lines, "asset power %064x %c.example\n", i + 1, i % 5 == 0 ? 'y' : 'x');
		buffer_byte(&lines, 0);
		filed[n] = two_offer(&t, lines.at);
		buffer_free(&lines);
	}
	assert_non_null(small);
	t.b->st.arena = small;
	two_say(&t, KIND_WITHDRAW, t.x, two_about(&t, t.party_x, "reason key-compromised\n"), NULL);
	t.b->st.arena = all;
	for (unsigned n = 0; n < AGREEMENTS_BETWEEN; n++)
		assert_int_equal(two_read(&t, filed[n]).phase, AGREEMENT_ENDED);
	arena_free(small);
	two_free(&t);
}

static void printed(void **state)
{
	struct two t = setup(state, "a");
	struct buffer out = BUFFER(10000);
	struct hash offer = two_offer(&t, AGREED "term hold restraint scan in power each 90d of x.example\n" ASSET_Y);
	struct agreement a = two_read(&t, offer);
	const char *expected = arena_print(
		t.b->arena,
		"{\"id\":\"%s\",\"phase\":\"offered\",\"parties\":[\"x.example\",\"y.example\"],"
		"\"depositary\":\"cert.example\",\"offered_by\":\"x.example\","
		"\"signed\":[{\"party\":\"x.example\",\"statement\":\"%s\"}],"
		"\"offered\":\"2026-10-03T00:00:00.000Z\",\"countersigned\":null,"
		"\"start\":\"2027-01-01T00:00:00.000Z\",\"end\":\"2030-01-01T00:00:00.000Z\",\"leaves\":null,"
		"\"ended\":null,\"exit_notice\":\"90d\",\"consult\":\"14d\",\"restore\":2,\"demonstration\":false,"
		"\"codes\":[1,3],\"terms\":["
		"{\"name\":\"hold\",\"term\":\"hold restraint scan in power each 90d of "
		"x.example\",\"gives\":\"nothing\","
		"\"of\":\"x.example\"},"
		"{\"name\":\"swift\",\"term\":\"swift acknowledged at-least 90%% within 2d each 30d gives share\","
		"\"gives\":\"share\"}],"
		"\"assets\":[{\"set\":\"power\","
		"\"commitment\":\"1111223344556677001122334455667700112233445566770011223344556677\","
		"\"party\":\"y.example\"}]}",
		hex_of(t.b->arena, a.id), hex_of(t.b->arena, offer));

	agreement_print(&a, &out);
	assert_int_equal(out.err, OK);
	assert_span(buffer_view(&out), expected);
	buffer_free(&out);
	two_free(&t);
}

/* x asks a node of that name what it holds, in another's ledger. */
static void ask_for_names(struct two *t, const char *of)
{
	const char *lines = arena_print(t->b->arena,
					"to %s\nneed deconflict\nre %064d\nbody " DECONFLICT_REQUEST_TYPE
					" 10 sealed-sha256:%064d\n",
					of, 1, 2);

	t->b->st.is_guest = true;
	t->b->st.home_ms = t->now_ms;
	assert_int_equal(bare_fold(t->b,
				   statement_text(t->b->arena, KIND_REQUEST, "far.example/circle", t->x, lines, NULL),
				   LEDGER_CIRCLE, t->now_ms),
			 OK);
	t->b->st.is_guest = false;
	if (!t->b->st.effective)
		fail_msg("%s", err_detail());
}

/* Two whose names are as long as names can be: no key of the state has room for both. */
static void long_names(void **state)
{
	struct two t;
	char label[62];
	const char *name[2];
	struct agreement a;
	struct hash offer;

	two_new(&t, *state, "long");
	memset(label, 'a', 61);
	label[61] = '\0';
	for (int i = 0; i < 2; i++)
		name[i] = arena_print(t.b->arena, "%c.%s.%s.%s.%s", "xy"[i], label, label, label, label);
	signer_free(t.x);
	signer_free(t.y);
	t.x = signer_of(name[0]);
	t.y = signer_of(name[1]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(bare_fold(t.b,
					   party_text(t.b->arena, "cert.example/public", i == 0 ? t.x : t.y,
						      "role operator\n", NULL),
					   LEDGER_PUBLIC, t.now_ms),
				 OK);
	two_notice(&t, t.x, t.y, "malicious-code/infected-system");
	for (int i = 0; i < 2; i++) {
		const char *lines = arena_print(t.b->arena, "to %s\nparty %s\nparty %s\ndepositary cert.example\n%s",
						name[1 - i], name[0], name[1], TIMES CODES SWIFT);

		if (i == 0)
			two_say(&t, KIND_AGREEMENT, t.x, lines, &offer);
		else
			two_say(&t, KIND_AGREEMENT, t.y,
				arena_print(t.b->arena, "%sre %s\n", lines, hex_of(t.b->arena, offer)), NULL);
	}
	t.now_ms = BEGIN + DAY;
	two_answer(&t, t.y, two_notice(&t, t.x, t.y, "malicious-code/infected-system"), "acknowledged");
	t.now_ms = BEGIN + 30 * DAY;
	two_tick(&t);
	a = two_read(&t, offer);
	assert_int_equal(a.phase, AGREEMENT_IN_FORCE);
	assert_int_equal(a.terms[0].course.met, 1);
	assert_int_equal(a.terms[0].sides[1].last.share.denominator, 1);
	ask_for_names(&t, arena_print(t.b->arena, "w%s", name[1] + 1)); /* unknown here */
	two_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(offered_and_signed),
		IN_A_FOLDER(id_of_the_lines),
		IN_A_FOLDER(refusals),
		IN_A_FOLDER(second_signature),
		IN_A_FOLDER(codes_of_both),
		IN_A_FOLDER(offers_that_end),
		IN_A_FOLDER(revoked_keys),
		IN_A_FOLDER(so_many_at_a_time),
		IN_A_FOLDER(older_rules),
		IN_A_FOLDER(lists),
		IN_A_FOLDER(long_names),
		IN_A_FOLDER(copies_elsewhere),
		IN_A_FOLDER(five_hundred_assets),
		IN_A_FOLDER(much_offered_by_a_thief),
		IN_A_FOLDER(printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
