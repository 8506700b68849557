#include "regime/policy.h"

#include "regime_proof.h"

#define BITS(a, b) (BASIS_BIT(a) | BASIS_BIT(b))

static struct span rules(struct lab *l, const char *lines)
{
	return statement_text(l->arena, KIND_RULES, HOME, l->b->node, lines, NULL);
}

static unsigned policy(struct lab *l, enum policy_action a)
{
	unsigned bits = 0;

	assert_int_equal(state_policy(&l->b->st, a, &bits), OK);
	return bits;
}

static void lines(void **state)
{
	static const struct {
		const char *what, *lines;
		enum err err;
	} cases[] = {
		{ "one action", "version 2\npolicy divert rsc\n", OK },
		{ "all",
		  "version 2\npolicy divert rsc dnssec operator\npolicy plan-sources rsc\npolicy country mandate\n",
		  OK },
		{ "the next rules, nothing else", "version 4\n", ERR_RULES }, /* this program does not know them */
		{ "the same, nothing new", "version 2\ndate 2026-11-22T20:45:00Z\n", ERR_RULES },
		{ "older", "version 1\npolicy divert rsc\n", ERR_RULES },
		{ "an action twice", "version 2\npolicy divert rsc\npolicy divert dnssec\n", ERR_STATEMENT_HEADER },
		{ "a basis twice", "version 2\npolicy divert rsc rsc\n", ERR_STATEMENT_HEADER },
		{ "no basis", "version 2\npolicy divert\n", ERR_STATEMENT_HEADER },
		{ "no such basis", "version 2\npolicy divert vouches\n", ERR_STATEMENT_HEADER },
		{ "no such action", "version 2\npolicy attack rsc\n", ERR_STATEMENT_HEADER },
		{ "what says nothing of addresses", "version 2\npolicy divert legal\n", ERR_STATEMENT_HEADER },
		{ "what says nothing of countries", "version 2\npolicy country rsc\n", ERR_STATEMENT_HEADER },
		{ "more than there are",
		  "version 2\npolicy divert rsc\npolicy plan-sources rsc\npolicy country mandate\npolicy divert rsc\n",
		  ERR_STATEMENT_HEADER },
	};
	struct lab *l = lab_new(*state, "views", true);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (door(l, rules(l, cases[i].lines), 10) != cases[i].err)
			fail_msg("%s: %s", cases[i].what, err_detail());
	assert_int_equal(
		door(l, statement_text(l->arena, KIND_RULES, HOME, l->who[0], "version 2\npolicy divert rsc\n", NULL),
		     10),
		ERR_ROLE);
	lab_free(l);
}

static void in_force(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct addressee as = resource_of("AS64500"), prefix = resource_of("prefix 192.0.2.0/25"),
			 country = resource_of("country EE");
	struct hash proof = prove(l, 1, "method rsc\nresource prefix 192.0.2.0/24\n", 5);
	struct holding h;
	bool yes;

	assert_int_equal(policy(l, POLICY_DIVERT), BITS(BASIS_OPERATOR, BASIS_RSC) | BASIS_BIT(BASIS_DNSSEC));
	assert_int_equal(policy(l, POLICY_SOURCES), policy(l, POLICY_DIVERT));
	assert_int_equal(policy(l, POLICY_COUNTRY), BITS(BASIS_OPERATOR, BASIS_MANDATE));
	fold(l, answer_text(l, l->b->node, l->party[0], "outcome accepted\n"), 6);
	accepted(l, proof, 1000, 7);
#define ALLOWS(action, who, what)                                                                                      \
	(assert_int_equal(policy_allows(&l->b->st, action, SPAN(who), what, 50000, &yes, &h), OK), yes)
	assert_true(ALLOWS(POLICY_DIVERT, "a.example", &as));
	assert_int_equal(h.basis, BASIS_OPERATOR);
	assert_true(ALLOWS(POLICY_DIVERT, "b.example", &prefix));
	assert_int_equal(h.basis, BASIS_RSC);

	fold(l, rules(l, "version 2\npolicy divert rsc dnssec\n"), 10);
	assert_int_equal(policy(l, POLICY_DIVERT), BITS(BASIS_RSC, BASIS_DNSSEC));
	assert_int_equal(policy(l, POLICY_COUNTRY), BITS(BASIS_OPERATOR, BASIS_MANDATE));
	assert_false(ALLOWS(POLICY_DIVERT, "a.example", &as)); /* the operator's word no longer suffices */
	assert_true(ALLOWS(POLICY_SOURCES, "a.example", &as));
	assert_true(ALLOWS(POLICY_DIVERT, "b.example", &prefix));

	/* A line replaces what was said of its action; the others stay. */
	fold(l, rules(l, "version 2\npolicy plan-sources dnssec\n"), 20);
	assert_int_equal(policy(l, POLICY_DIVERT), BITS(BASIS_RSC, BASIS_DNSSEC));
	assert_false(ALLOWS(POLICY_SOURCES, "b.example", &prefix));

	/* Countries by their own line, whatever is asked. */
	proof = prove(l, PEOPLE - 1,
		      arena_print(l->arena, "method mandate\nresource country EE\nto c.example\nseen-key %s\n",
				  key_of_person(l, 2)),
		      30);
	accepted(l, proof, 1000, 31);
	assert_true(ALLOWS(POLICY_DIVERT, "c.example", &country));
	assert_int_equal(h.basis, BASIS_MANDATE);
	fold(l, rules(l, "version 2\npolicy country operator\n"), 40);
	assert_false(ALLOWS(POLICY_DIVERT, "c.example", &country));
	assert_false(ALLOWS(POLICY_DIVERT, "c.example", &((struct addressee){ .type = TO_ALL })));
	lab_free(l);
}

/* On older rules the new kinds are refused at the door with what to do, and fold to nothing but their ids. */
static void since(void **state)
{
	struct lab *l = lab_new(*state, "views", false);
	struct hash id;
	struct span note = proof_text(l, 0, "method rsc\nresource AS64500\n", &id);
	enum ledger_id ledger;
	struct matter m;
	uint64_t index, version;

	assert_int_equal(door(l, note, 5), ERR_RULES);
	assert_non_null(strstr(err_detail(), "comity policy set"));
	fold(l, rules(l, "version 1\n"), 6);
	assert_int_equal(door(l, note, 7), ERR_RULES);
	fold(l, note, 8);
	assert_int_equal(state_find(&l->b->st, id, &ledger, &index), OK);
	assert_int_equal(state_matter(&l->b->st, id, &m), ERR_MATTER_UNKNOWN);
	fold(l, rules(l, "version 2\npolicy divert rsc\n"), 9);
	assert_int_equal(state_rules(&l->b->st, &version), OK);
	assert_int_equal(version, 2);
	note = proof_text(l, 0, "method rsc\nresource AS64501\n", &id);
	assert_int_equal(door(l, note, 10), OK);
	fold(l, note, 10);
	assert_int_equal(state_matter(&l->b->st, id, &m), OK);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(in_force, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(since, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
