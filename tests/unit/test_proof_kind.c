#include "regime/proof.h"

#include "regime_proof.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define GOV (PEOPLE - 1)

static void refusals(void **state)
{
	static const struct {
		const char *what;
		int who;
		const char *lines; /* with the body, unless they name one */
		enum err err;
	} cases[] = {
		{ "rsc", 0, "method rsc\nresource AS64500\nresource prefix 192.0.2.0/24\n", OK },
		{ "dnssec of a domain", 0, "method dnssec\nresource a.example\n", OK },
		{ "dnssec of a prefix", 0, "method dnssec\nresource prefix 192.0.2.0/24\n", OK },
		{ "observed", 0, "method observed\nto b.example\nseen-key " KEY "\n", OK },
		{ "observed elsewhere", 0, "method observed\nto b.example\nseen-key " KEY "\nresource b.org\n", OK },
		{ "legal", 0, "method legal\nsubject O=A, C=EE\n", OK },
		{ "openpgp", 0, "method openpgp\nsubject 0011 a@a.example\n", OK },
		{ "mandate", GOV, "method mandate\nto b.example\nseen-key " KEY "\nresource country EE\n", OK },
		{ "no method", 0, "resource AS64500\n", ERR_STATEMENT_HEADER },
		{ "two methods", 0, "method rsc\nmethod rsc\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "no such method", 0, "method belief\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "the operator's", 0, "method operator\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "rsc of nothing", 0, "method rsc\n", ERR_STATEMENT_HEADER },
		{ "rsc of a domain", 0, "method rsc\nresource a.example\n", ERR_STATEMENT_HEADER },
		{ "rsc of a country", 0, "method rsc\nresource country EE\n", ERR_STATEMENT_HEADER },
		{ "one twice", 0, "method rsc\nresource AS64500\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "bits behind the length", 0, "method rsc\nresource prefix 192.0.2.1/24\n", ERR_STATEMENT_HEADER },
		{ "of all", 0, "method rsc\nresource all\n", ERR_STATEMENT_HEADER },
		{ "dnssec of an AS", 0, "method dnssec\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "dnssec of two", 0, "method dnssec\nresource a.example\nresource b.example\n", ERR_STATEMENT_HEADER },
		{ "dnssec of none", 0, "method dnssec\n", ERR_STATEMENT_HEADER },
		{ "rsc about another", 0, "method rsc\nresource AS64500\nto b.example\n", ERR_STATEMENT_HEADER },
		{ "rsc of another key", 0, "method rsc\nresource AS64500\nseen-key " KEY "\n", ERR_STATEMENT_HEADER },
		{ "rsc with a subject", 0, "method rsc\nresource AS64500\nsubject me\n", ERR_STATEMENT_HEADER },
		{ "legal without a subject", 0, "method legal\n", ERR_STATEMENT_HEADER },
		{ "legal of an AS", 0, "method legal\nsubject me\nresource AS64500\n", ERR_STATEMENT_HEADER },
		{ "observed, by nobody's name", 0, "method observed\nseen-key " KEY "\n", ERR_STATEMENT_HEADER },
		{ "observed, an AS", 0, "method observed\nto AS64500\nseen-key " KEY "\n", ERR_STATEMENT_HEADER },
		{ "observed, itself", 0, "method observed\nto a.example\nseen-key " KEY "\n", ERR_NOT_YOURS },
		{ "observed, no key", 0, "method observed\nto b.example\n", ERR_STATEMENT_HEADER },
		{ "observed, half a key", 0, "method observed\nto b.example\nseen-key 0011\n", ERR_STATEMENT_HEADER },
		{ "observed, a prefix", 0,
		  "method observed\nto b.example\nseen-key " KEY "\nresource prefix 192.0.2.0/24\n",
		  ERR_STATEMENT_HEADER },
		{ "mandate by no government", 0,
		  "method mandate\nto b.example\nseen-key " KEY "\nresource country EE\n", ERR_ROLE },
		{ "mandate for itself", GOV, "method mandate\nto gov.example\nseen-key " KEY "\nresource country EE\n",
		  ERR_NOT_YOURS },
		{ "mandate for two", GOV,
		  "method mandate\nto b.example\nseen-key " KEY "\nresource country EE\nresource country FI\n",
		  ERR_STATEMENT_HEADER },
		{ "mandate for an AS", GOV, "method mandate\nto b.example\nseen-key " KEY "\nresource AS64500\n",
		  ERR_STATEMENT_HEADER },
		{ "a sealed body", 0,
		  "method rsc\nresource AS64500\nbody " PROOF_MEDIA_TYPE " 1 sealed-sha256:" KEY "\n",
		  ERR_STATEMENT_HEADER },
		{ "another type", 0, "method rsc\nresource AS64500\nbody text/plain 1 sha256:" KEY "\n",
		  ERR_STATEMENT_HEADER },
		{ "a MiB", 0, "method rsc\nresource AS64500\nbody " PROOF_MEDIA_TYPE " 1048576 sha256:" KEY "\n", OK },
		{ "a byte more", 0, "method rsc\nresource AS64500\nbody " PROOF_MEDIA_TYPE " 1048577 sha256:" KEY "\n",
		  ERR_TOO_LONG },
	};
	struct lab *l = lab_new(*state, "views", true);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool has_body = strstr(cases[i].lines, "body ") != NULL;
		struct span note = has_body ? statement_text(l->arena, KIND_PROOF, HOME, l->who[cases[i].who],
							     cases[i].lines, NULL)
					    : proof_text(l, cases[i].who, cases[i].lines, NULL);
		enum err e = door(l, note, 10);

		if (e != cases[i].err)
			fail_msg("%s: %s %s", cases[i].what, err_code(e), err_detail());
	}
	assert_int_equal(
		door(l, statement_text(l->arena, KIND_PROOF, HOME, l->who[0], "method rsc\nresource AS64500\n", NULL),
		     10),
		ERR_STATEMENT_HEADER); /* no body */
	assert_int_equal(door(l,
			      statement_text(l->arena, KIND_PROOF, "cert.example/circle", l->who[0],
					     "method rsc\nresource AS64500\n" PROOF_BODY, NULL),
			      10),
			 ERR_STATEMENT_LEDGER);
	lab_free(l);
}

static void many(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	const char *lines = "method rsc\n";

	for (int i = 1; i <= PROOF_RESOURCES_MAX; i++)
		lines = arena_print(l->arena, "%sresource AS%d\n", lines, i);
	assert_int_equal(door(l, proof_text(l, 0, lines, NULL), 10), OK);
	lines = arena_print(l->arena, "%sresource AS999\n", lines);
	assert_int_equal(door(l, proof_text(l, 0, lines, NULL), 10), ERR_STATEMENT_HEADER);
	lab_free(l);
}

#define YEAR (366 * 86400)

static void verdicts(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash proof = prove(l, 0, "method rsc\nresource AS64501\n", 10),
		    other = prove(l, 1, arena_print(l->arena, "method observed\nto a.example\nseen-key " KEY "\n"), 10),
		    unknown =
			    prove(l, 1, arena_print(l->arena, "method observed\nto z.example\nseen-key " KEY "\n"), 10);
	struct proof_verdict v;

	assert_int_equal(proof_verdict(&l->b->st, proof, &v), ERR_NOT_FOUND);
	assert_int_equal(proof_verdict(&l->b->st, l->party[0], &v), ERR_NOT_FOUND);
#define TRY(by, id, lines) door(l, answer_text(l, by, id, lines), 20)
	assert_int_equal(TRY(l->b->node, proof, until(l, 21)), OK);
	assert_int_equal(TRY(l->b->node, proof, until(l, 20)), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, until(l, 20 + YEAR)), OK);
	assert_int_equal(TRY(l->b->node, proof, until(l, 21 + YEAR)), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome accepted\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome accepted\nuntil tomorrow\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, arena_print(l->arena, "%sreason x\n", until(l, 21))),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome objected\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome objected\nreason It is wrong\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome objected\nreason evidence-expired\n"), OK);
	assert_int_equal(TRY(l->b->node, proof, "outcome objected\nreason x\nuntil 2026-11-22T20:45:00Z\n"),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(TRY(l->b->node, proof, "outcome fixed\n"), ERR_OUTCOME);
	assert_int_equal(TRY(l->who[0], proof, until(l, 21)), ERR_NOT_YOURS);
	assert_int_equal(TRY(l->who[1], proof, "outcome objected\nreason x\n"), ERR_NOT_YOURS);
	assert_int_equal(TRY(l->b->node, proof, arena_print(l->arena, "%sfor a.example\nvia mail\n", until(l, 21))),
			 ERR_NOT_YOURS);
	/* Evidence for another key than the present one, or for nobody here; it can be objected to. */
	assert_int_equal(TRY(l->b->node, other, until(l, 21)), ERR_KEY);
	assert_int_equal(TRY(l->b->node, other, "outcome objected\nreason evidence-key\n"), OK);
	assert_int_equal(TRY(l->b->node, unknown, until(l, 21)), ERR_PARTY_UNKNOWN);
	/* What the door refuses folds to nothing. */
	fold(l, answer_text(l, l->b->node, other, until(l, 100)), 20);
	assert_int_equal(proof_verdict(&l->b->st, other, &v), ERR_NOT_FOUND);

	accepted(l, proof, 100, 30);
	assert_int_equal(proof_verdict(&l->b->st, proof, &v), OK);
	assert_true(v.accepted && v.at_ms == 30000 && v.until_ms == 100000 && v.reason.len == 0);
	accepted(l, proof, 200, 40);
	assert_int_equal(proof_verdict(&l->b->st, proof, &v), OK);
	assert_true(v.accepted && v.at_ms == 40000 && v.until_ms == 200000);
	assert_held(l, 0, "AS64501", BASIS_RSC, 30, 200); /* renewed: one holding */
	objected(l, proof, 50);
	assert_int_equal(proof_verdict(&l->b->st, proof, &v), OK);
	assert_true(!v.accepted && v.at_ms == 50000);
	assert_span(v.reason, "evidence-revoked");
	assert_held(l, 0, "AS64501", BASIS_RSC, 30, 50);
	withdrawn(l, 0, proof, 60);
	assert_int_equal(door(l, answer_text(l, l->b->node, proof, until(l, 100)), 70), ERR_OUTCOME);
	lab_free(l);
}

/* The end may come earlier than was said, and time runs out by itself: then a renewal begins a holding of its own. */
static void ends(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash proof = prove(l, 0, "method rsc\nresource AS64501\n", 10);

	accepted(l, proof, 100, 20);
	accepted(l, proof, 60, 30);
	assert_held(l, 0, "AS64501", BASIS_RSC, 20, 60);
	accepted(l, proof, 90, 60); /* in the very moment in which it ends */
	assert_held(l, 0, "AS64501", BASIS_RSC, 20, 90);
	accepted(l, proof, 200, 150);
	assert_held(l, 0, "AS64501", BASIS_RSC, 150, 200);
	assert_held(l, 0, "AS64501", BASIS_RSC, 20, 90);
	/* The party withdraws: nothing is held, and nothing can be accepted. */
	withdrawn(l, 0, l->party[0], 160);
	assert_held(l, 0, "AS64501", BASIS_RSC, 150, 160);
	assert_int_equal(door(l, answer_text(l, l->b->node, proof, until(l, 300)), 170), ERR_PARTY_UNKNOWN);
	fold(l, party_text(l->arena, HOME, l->who[0], "role operator\nclaim AS64500\nclaim AS64501\n", NULL), 180);
	assert_false(holds_ms(l, 0, "AS64501", ~0u, 190000, NULL));
	accepted(l, proof, 300, 190);
	assert_held(l, 0, "AS64501", BASIS_RSC, 190, 300);
	lab_free(l);
}

static enum err list(void *context, const struct matter *m)
{
	struct buffer *out = context;

	buffer_print(out, "%ju ", (uintmax_t)m->index);
	return out->err;
}

static const char *listed(struct lab *l, int64_t before_s)
{
	struct buffer b = BUFFER(1000);
	const char *copy;

	if (before_s == 0)
		assert_int_equal(proofs_waiting(&l->b->st, list, &b), OK);
	else
		assert_int_equal(proofs_ending(&l->b->st, before_s * 1000, list, &b), OK);
	copy = arena_copy(l->arena, b.at, b.len);
	buffer_free(&b);
	return copy;
}

static enum err stop(void *context, const struct matter *m)
{
	(void)context;
	(void)m;
	return ERR_EXISTS;
}

static void lists(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct hash at[4];
	uint64_t first = l->b->size[LEDGER_PUBLIC];
#define NTH(n) arena_print(l->arena, "%ju ", (uintmax_t)(first + (n)))

	assert_string_equal(listed(l, 0), "");
	for (int i = 0; i < 4; i++)
		at[i] = prove(l, i, "method rsc\nresource AS64501\n", 10);
	assert_string_equal(listed(l, 0), arena_print(l->arena, "%s%s%s%s", NTH(0), NTH(1), NTH(2), NTH(3)));
	withdrawn(l, 3, at[3], 11);
	accepted(l, at[1], 100, 20);
	accepted(l, at[2], 50, 20);
	assert_string_equal(listed(l, 0), NTH(0));
	assert_string_equal(listed(l, 49), "");
	assert_string_equal(listed(l, 50), NTH(2));
	assert_string_equal(listed(l, 100), arena_print(l->arena, "%s%s", NTH(2), NTH(1)));
	assert_int_equal(proofs_ending(&l->b->st, 100000, stop, NULL), ERR_EXISTS); /* the caller's own end */
	accepted(l, at[2], 150, 30);
	assert_string_equal(listed(l, 149), NTH(1));
	objected(l, at[1], 40);
	assert_string_equal(listed(l, 1000), NTH(2));
	withdrawn(l, 2, at[2], 45);
	assert_string_equal(listed(l, 1000), "");
	objected(l, at[0], 50);
	assert_string_equal(listed(l, 0), "");
	lab_free(l);
}

static void reading(void **state)
{
	struct lab *l = lab_new(*state, "views", true);
	struct statement s;
	struct proof p;

	assert_int_equal(
		statement_parse(l->arena,
				proof_text(l, 0, "method rsc\nresource AS64500\nresource prefix 192.0.2.0/24\n", NULL),
				&s),
		OK);
	assert_int_equal(proof_read(l->arena, &s, &p), OK);
	assert_int_equal(p.method, BASIS_RSC);
	assert_int_equal(p.resource_count, 2);
	assert_int_equal(p.resources[0].asn, 64500);
	assert_int_equal(p.resources[1].prefix.length, 24);
	assert_span(p.about, "a.example");
	assert_true(hash_equal(p.seen_key, s.key));
	assert_int_equal(statement_parse(l->arena, proof_text(l, 1, saw(l, 0), NULL), &s), OK);
	assert_int_equal(proof_read(l->arena, &s, &p), OK);
	assert_span(p.about, "a.example");
	assert_true(hash_equal(p.seen_key, verifier_fingerprint(signer_verifier(l->who[0]))));
	assert_int_equal(p.resource_count, 0);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refusals, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(many, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(verdicts, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(ends, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(lists, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(reading, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
