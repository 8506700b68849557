#include "vouch_test.h"

/* A party with two sponsors that hold something, and keys that may follow. */
struct case_of {
	struct folk f;
	struct signer *op, *a, *b, *c;
	struct signer *next, *other;
};

static struct signer *another_key(const char *domain, const char *seed)
{
	struct hash h = hash_bytes(seed, strlen(seed));
	struct signer *s = NULL;

	assert_int_equal(signer_from_seed(span_of(domain), h.bytes, &s), OK);
	return s;
}

static void case_new(struct case_of *x, struct scratch *s, const char *name)
{
	folk_new(&x->f, s, name);
	x->op = signer_of("op.example");
	x->a = signer_of("a.example");
	x->b = signer_of("b.example");
	x->c = signer_of("c.example");
	x->next = another_key("op.example", "next");
	x->other = another_key("op.example", "other");
	folk_holder(&x->f, x->op, 1);
	folk_holder(&x->f, x->a, 2);
	folk_holder(&x->f, x->b, 3);
	folk_holder(&x->f, x->c, 4);
	x->f.now_ms += HOUR;
}

static void case_free(struct case_of *x)
{
	struct signer *all[] = { x->op, x->a, x->b, x->c, x->next, x->other };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		signer_free(all[i]);
	bare_free(x->f.b);
}

static const char *announcing(struct case_of *x, const struct signer *next)
{
	return arena_print(x->f.b->arena, "claim AS64501\nnext-key %s\n", fingerprint_of(&x->f, next));
}

static enum err try_party(struct case_of *x, const struct signer *key)
{
	return folk_try(&x->f,
			party_text(x->f.b->arena, "cert.example/public", key, "role operator\ntitle tried\n", NULL));
}

static struct party op_of(struct case_of *x)
{
	struct party p;

	assert_int_equal(state_party_known(&x->f.b->st, SPAN("op.example"), &p), OK);
	return p;
}

static bool holds(struct case_of *x)
{
	struct sponsorship s = folk_sponsorship(&x->f, x->op, x->f.now_ms);

	return s.established;
}

static void recover(struct case_of *x, const struct signer *from, const struct signer *key)
{
	folk_vouch(&x->f, from, key, "recovery yes\n");
}

struct seen {
	unsigned count;
	struct party_key keys[8];
};

static enum err see(void *context, const struct party_key *k)
{
	struct seen *s = context;

	assert_true(s->count < 8);
	s->keys[s->count++] = *k;
	return OK;
}

static void rotation(void **state)
{
	struct seen s = { .count = 0 };
	bool leads = false;
	struct case_of x;

	case_new(&x, *state, "rotation");
	assert_int_equal(try_party(&x, x.next), ERR_KEY); /* not announced */
	folk_party(&x.f, x.op, announcing(&x, x.next));
	assert_int_equal(try_party(&x, x.other), ERR_KEY); /* another */
	assert_int_equal(try_party(&x, x.op), OK);	   /* announced, not used: the old one goes on */
	assert_int_equal(folk_try_lines(&x.f, KIND_VOUCH, x.next, vouch_lines(&x.f, x.a, "")), ERR_KEY_UNKNOWN);
	x.f.now_ms += HOUR;
	folk_party(&x.f, x.next, "claim AS64501\n");
	assert_memory_equal(op_of(&x).key.public_key, signer_verifier(x.next)->public_key, KEY_PUBLIC_SIZE);
	assert_true(holds(&x)); /* its claim stays approved */
	assert_int_equal(try_party(&x, x.op), ERR_KEY);
	assert_int_equal(folk_try_lines(&x.f, KIND_VOUCH, x.op, vouch_lines(&x.f, x.a, "")), ERR_KEY_UNKNOWN);
	assert_int_equal(folk_try_lines(&x.f, KIND_VOUCH, x.next, vouch_lines(&x.f, x.a, "")), OK);
	assert_int_equal(party_keys(&x.f.b->st, SPAN("op.example"), see, &s), OK);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.keys[0].until_ms, s.keys[1].from_ms);
	assert_int_equal(s.keys[1].from_ms, x.f.now_ms);
	assert_int_equal(s.keys[1].until_ms, INT64_MAX);
	assert_memory_equal(s.keys[0].key.public_key, signer_verifier(x.op)->public_key, KEY_PUBLIC_SIZE);
	assert_int_equal(
		party_key_leads(&x.f.b->st, SPAN("op.example"), verifier_fingerprint(signer_verifier(x.op)), &leads),
		OK);
	assert_true(leads);
	/* A former key is not taken up again, announced or not. */
	folk_party(&x.f, x.next, announcing(&x, x.op));
	assert_int_equal(try_party(&x, x.op), ERR_KEY);
	case_free(&x);
}

static void vouches_stay_with_the_line(void **state)
{
	struct case_of x;

	case_new(&x, *state, "line");
	folk_vouch(&x.f, x.a, x.op, "");
	folk_vouch(&x.f, x.b, x.op, "");
	folk_party(&x.f, x.op, announcing(&x, x.next));
	folk_party(&x.f, x.next, "");
	assert_true(folk_sponsorship(&x.f, x.op, x.f.now_ms + 1).sponsored);
	case_free(&x);
}

static void older_rules_know_none_of_it(void **state)
{
	struct signer *op = signer_of("op.example"), *next = another_key("op.example", "next");
	struct folk f = { bare_new(*state, "older"), START };
	struct hash id;

	folk_say(&f, KIND_RULES, f.b->node, "version 1\n", NULL);
	id = folk_party(&f, op, arena_print(f.b->arena, "next-key %s\n", fingerprint_of(&f, next)));
	assert_int_equal(folk_try(&f, party_text(f.b->arena, "cert.example/public", next, "role operator\n", NULL)),
			 ERR_KEY);
	folk_withdraw(&f, op, id, "reason key-compromised\n");
	assert_int_equal(folk_try(&f, party_text(f.b->arena, "cert.example/public", op, "role operator\n", NULL)), OK);
	bare_free(f.b);
	signer_free(op);
	signer_free(next);
}

static void revoked(void **state)
{
	struct case_of x;
	struct hash id;

	case_new(&x, *state, "revoked");
	id = folk_party(&x.f, x.op, announcing(&x, x.next));
	assert_int_equal(folk_try_lines(&x.f, KIND_WITHDRAW, x.op,
					arena_print(x.f.b->arena, "re %s\nreason bored\n", hex_of(x.f.b->arena, id))),
			 ERR_STATEMENT_HEADER);
	folk_withdraw(&x.f, x.op, id, "reason key-compromised\n");
	assert_true(op_of(&x).revoked && op_of(&x).withdrawn);
	assert_false(holds(&x));
	assert_int_equal(try_party(&x, x.op), ERR_KEY);
	assert_int_equal(try_party(&x, x.next), ERR_KEY); /* a thief may have announced it */
	assert_int_equal(folk_try_lines(&x.f, KIND_VOUCH, x.op, vouch_lines(&x.f, x.a, "")), ERR_PARTY_UNKNOWN);
	/* Two who are not related, and then the wait. */
	recover(&x, x.a, x.other);
	assert_int_equal(try_party(&x, x.other), ERR_KEY);
	x.f.now_ms += HOUR;
	recover(&x, x.b, x.other);
	x.f.now_ms += RECOVERY_WAIT_MS - 1;
	assert_int_equal(try_party(&x, x.other), ERR_KEY);
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	x.f.now_ms += 1;
	assert_int_equal(try_party(&x, x.other), OK);
	folk_party(&x.f, x.other, "claim AS64501\n");
	assert_false(op_of(&x).revoked || op_of(&x).withdrawn);
	assert_int_equal(try_party(&x, x.op), ERR_KEY);
	case_free(&x);
}

static void lost_and_recovered(void **state)
{
	bool leads = true;
	struct case_of x;

	case_new(&x, *state, "lost");
	recover(&x, x.a, x.next);
	recover(&x, x.b, x.next);
	x.f.now_ms += RECOVERY_WAIT_MS;
	assert_true(holds(&x));
	folk_party(&x.f, x.next, "claim AS64501\n");
	/* Its claims wait for the operator again. But two vouch for its key now. */
	assert_int_equal(folk_sponsorship(&x.f, x.op, x.f.now_ms).sponsors, 2);
	assert_int_equal(
		party_key_leads(&x.f.b->st, SPAN("op.example"), verifier_fingerprint(signer_verifier(x.op)), &leads),
		OK);
	assert_false(leads);
	case_free(&x);
}

static void found(void **state)
{
	struct case_of x;

	case_new(&x, *state, "found");
	recover(&x, x.a, x.next);
	recover(&x, x.b, x.next);
	x.f.now_ms += RECOVERY_WAIT_MS - HOUR;
	folk_vouch(&x.f, x.op, x.c, ""); /* the old key signs */
	x.f.now_ms += 10 * DAY;
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	/* Lost again, and vouched for anew. */
	folk_vouch(&x.f, x.a, x.next, "recovery yes\nvisited yes\n");
	folk_vouch(&x.f, x.b, x.next, "recovery yes\nvisited yes\n");
	x.f.now_ms += RECOVERY_WAIT_MS - 1;
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	x.f.now_ms += 1;
	assert_int_equal(try_party(&x, x.next), OK);
	case_free(&x);
}

static void sponsors_of_a_recovery(void **state)
{
	struct hash id;
	struct case_of x;

	case_new(&x, *state, "sponsors");
	recover(&x, x.a, x.next);
	id = folk_vouch(&x.f, x.b, x.next, "recovery yes\n");
	folk_vouch(&x.f, x.a, x.b, ""); /* related now */
	x.f.now_ms += RECOVERY_WAIT_MS;
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	recover(&x, x.c, x.next);
	x.f.now_ms += RECOVERY_WAIT_MS;
	assert_int_equal(try_party(&x, x.next), OK);
	/* What is withdrawn recovers nothing, without notice; and the wait begins with what completes the rest. */
	folk_withdraw(&x.f, x.b, id, "");
	assert_int_equal(try_party(&x, x.next), OK);
	folk_vouch(&x.f, x.c, x.a, "");
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	/* A vouch for another key, or without the word, is none. */
	recover(&x, x.b, x.other);
	x.f.now_ms += RECOVERY_WAIT_MS;
	assert_int_equal(try_party(&x, x.next), ERR_KEY);
	assert_int_equal(try_party(&x, x.other), ERR_KEY);
	case_free(&x);
}

/* In a node: the audit verifies each statement with the key of its time, and the views made anew are the same. */
static void audited(void **state)
{
	struct world *w = world_new(*state);
	struct signer *next = another_key("op.example", "next");
	struct audit before = { 0 };
	struct hash digest;

	assert_int_equal(
		world_add(w,
			  party_text(w->arena, "cert.example/public", w->op,
				     arena_print(w->arena, "role operator\nnext-key %s\n",
						 hex_of(w->arena, verifier_fingerprint(signer_verifier(next)))),
				     NULL),
			  NULL),
		OK);
	assert_int_equal(world_add(w, party_text(w->arena, "cert.example/public", next, "role operator\n", NULL), NULL),
			 OK);
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_ANSWER, "cert.example/circle", next,
						  arena_print(w->arena, "re %s\noutcome acknowledged\n",
							      hex_of(w->arena, w->notice)),
						  NULL),
				   NULL),
			 OK);
	digest = world_digest(w);
	node_close(w->n);
	assert_int_equal(node_open(w->dir, NODE_READ, &w->n), OK);
	assert_int_equal(node_audit(w->n, NULL, NULL, &before), OK);
	assert_true(hash_equal(before.state, digest));
	signer_free(next);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rotation, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(vouches_stay_with_the_line, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(older_rules_know_none_of_it, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(revoked, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(lost_and_recovered, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(found, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sponsors_of_a_recovery, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(audited, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
