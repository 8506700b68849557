/* Agreements at a node: its state, its rebuild, its audit and the mirror of another come to the same bytes, whatever time brought. */
#include "agreement_test.h"

#include "ledger/checkpoint.h"
#include "regime/mirror.h"

struct followed {
	struct world *w;
	struct scratch *s;
	const char *dir;
	uint64_t number;
};

static uint64_t fetch(const struct followed *f, enum ledger_id l)
{
	const char *to = arena_print(f->s->arena, "%s/%s", f->dir, ledger_name(l));
	struct checkpoint c;
	struct note n;

	if (file_exists(to))
		take_away(to);
	copy(arena_print(f->s->arena, "%s/ledger/%s", f->w->dir, ledger_name(l)), to);
	assert_int_equal(
		note_parse(f->s->arena,
			   scratch_read(f->s, arena_print(f->s->arena, "node/ledger/%s/checkpoint", ledger_name(l))),
			   &n),
		OK);
	assert_int_equal(checkpoint_parse(n.text, &c), OK);
	return c.size;
}

static struct hash mirrored(const struct followed *f)
{
	uint64_t size[LEDGER_COUNT];
	struct mirror *m = NULL;
	struct hash digest;
	struct state st;

	assert_int_equal(node_publish(f->w->n), OK);
	for (int l = 0; l < LEDGER_COUNT; l++)
		size[l] = fetch(f, (enum ledger_id)l);
	assert_int_equal(mirror_together(f->dir, size), OK);
	assert_int_equal(mirror_open(f->dir, SPAN("cert.example"), true, &m), OK);
	if (mirror_catch_up(m, NULL) != OK)
		fail_msg("%s", err_detail());
	assert_int_equal(mirror_read(m, f->s->arena, &st), OK);
	assert_int_equal(state_digest(&st, &digest), OK);
	snapshot_end(st.snapshot);
	mirror_close(m);
	return digest;
}

static void rebuild(struct followed *f)
{
	struct world *w = f->w;

	node_close(w->n);
	w->n = NULL;
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
}

static struct hash say(struct followed *f, enum kind k, const struct signer *from, const char *lines)
{
	struct hash id;
	const char *ledger = k == KIND_NOTICE ? "cert.example/circle" : "cert.example/public";

	assert_int_equal(world_add(f->w, statement_text(f->w->arena, k, ledger, from, lines, &id), NULL), OK);
	return id;
}

#define OURS "party op.example\nparty res.example\ndepositary cert.example\n" TIMES "consult 5d\n" CODES

/* What may happen between two, at random; what the door refuses has not happened. */
static void something_happens(struct followed *f, struct hash agreement, struct hash *last, const struct signer **asked,
			      uint64_t *seed)
{
	struct world *w = f->w;
	const struct signer *one = test_below(seed, 2) == 0 ? w->op : w->res, *other = one == w->op ? w->res : w->op;
	const char *answer;

	switch (test_below(seed, 8)) {
	case 0:
	case 1:
	case 2:
		*asked = other;
		*last = say(f, KIND_NOTICE, one,
			    arena_print(w->arena,
					"to %s\nclass malicious-code/infected-system\nevents %ju\n" SEALED_BODY,
					signer_verifier(other)->name, (uintmax_t)++f->number));
		break;
	case 3:
		if (*asked == NULL)
			break;
		answer = arena_print(w->arena, "re %s\noutcome acknowledged\nnumber %ju\n", hex_of(w->arena, *last),
				     (uintmax_t)++f->number);
		assert_int_equal(
			world_add(w, statement_text(w->arena, KIND_ANSWER, "cert.example/circle", *asked, answer, NULL),
				  NULL),
			OK);
		break;
	case 4:
		answer = arena_print(w->arena, "re %s\noutcome resolved\nterm swift\nnumber %ju\n",
				     hex_of(w->arena, agreement), (uintmax_t)++f->number);
		{
			struct span note =
				statement_text(w->arena, KIND_ANSWER, "cert.example/public", one, answer, NULL);

			if (world_try(w, note) == OK)
				assert_int_equal(world_add(w, note, NULL), OK);
		}
		break;
	default:
		say(f, KIND_PARTY, w->team,
		    arena_print(w->arena, "public-key %s\nrole response-team\ntitle %ju\n",
				public_key_of(w->arena, w->team), (uintmax_t)++f->number));
		break;
	}
}

static void same_bytes_everywhere(void **state)
{
	static const char *const terms[] = { SWIFT, SWIFT "term even balance at-least 30% each 90d\n" };
	struct scratch *s = *state;
	uint64_t seed = test_seed();
	int64_t now_ms = BEGIN - 10 * DAY;
	struct followed f;
	struct hash ids[2], last = { { 0 } };
	const struct signer *asked = NULL;
	unsigned moved = 0;

	clock_simulate(now_ms);
	f = (struct followed){ world_new(s), s, scratch_path(s, "followed/cert.example"), 0 };
	assert_int_equal(folder_make(f.dir, 0700), OK);
	for (int i = 0; i < 2; i++) {
		const char *lines = arena_print(s->arena, "%s%s", OURS, terms[i]);

		ids[i] = say(&f, KIND_AGREEMENT, f.w->op, arena_print(s->arena, "to res.example\n%s", lines));
		say(&f, KIND_AGREEMENT, f.w->res,
		    arena_print(s->arena, "to op.example\n%sre %s\n", lines, hex_of(s->arena, ids[i])));
	}
	for (int i = 0; i < 60; i++) {
		for (size_t k = test_below(&seed, 6); k > 0; k--) {
			now_ms += (int64_t)test_below(&seed, (size_t)(6 * DAY));
			clock_simulate(now_ms);
			something_happens(&f, ids[k % 2], &last, &asked, &seed);
		}
		if (test_below(&seed, 8) == 0)
			now_ms += (int64_t)test_below(&seed, (size_t)(120 * DAY)); /* it sleeps */
		if (test_below(&seed, 4) == 0)
			assert_true(hash_equal(mirrored(&f), world_digest(f.w)));
		if (test_below(&seed, 10) == 0) {
			struct hash before = world_digest(f.w);

			rebuild(&f);
			assert_true(hash_equal(before, world_digest(f.w)));
		}
	}
	for (int i = 0; i < 2; i++) {
		struct agreement a;
		struct state st;

		assert_int_equal(node_read(f.w->n, s->arena, &st), OK);
		assert_int_equal(state_agreement(&st, ids[i], &a), OK);
		moved += a.terms[0].course.missed + a.terms[0].course.met;
		snapshot_end(st.snapshot);
	}
	assert_true(moved > 5); /* or it showed nothing */
	assert_true(hash_equal(mirrored(&f), world_digest(f.w)));
	assert_int_equal(node_publish(f.w->n), OK);
	if (audit(f.w) != OK)
		fail_msg("%s", err_detail());
	world_free(f.w);
	clock_simulate(0);
}

/* An abandoned batch takes back what time brought in it; the next one brings it again. */
static void abandoned_batches(void **state)
{
	struct scratch *s = *state;
	struct followed f;
	struct hash id, before;
	struct state st;
	struct agreement a;

	clock_simulate(BEGIN - DAY);
	f = (struct followed){ world_new(s), s, NULL, 0 };
	id = say(&f, KIND_AGREEMENT, f.w->op, arena_print(s->arena, "to res.example\n%s%s", OURS, SWIFT));
	say(&f, KIND_AGREEMENT, f.w->res,
	    arena_print(s->arena, "to op.example\n%s%sre %s\n", OURS, SWIFT, hex_of(s->arena, id)));
	before = world_digest(f.w);
	clock_simulate(BEGIN + 100 * DAY);
	for (int i = 0; i < 3; i++) {
		struct span note = party_text(s->arena, "cert.example/public", f.w->team,
					      arena_print(s->arena, "role response-team\ntitle %d\n", i), NULL);

		assert_int_equal(world_try(f.w, note), OK);
		assert_true(hash_equal(before, world_digest(f.w)));
	}
	say(&f, KIND_PARTY, f.w->team,
	    arena_print(s->arena, "public-key %s\nrole response-team\n", public_key_of(s->arena, f.w->team)));
	assert_int_equal(node_read(f.w->n, s->arena, &st), OK);
	assert_int_equal(state_agreement(&st, id, &a), OK);
	assert_int_equal(a.phase, AGREEMENT_IN_FORCE);
	assert_int_equal(a.terms[0].course.too_few, 3);
	snapshot_end(st.snapshot);
	world_free(f.w);
	clock_simulate(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(same_bytes_everywhere),
		IN_A_FOLDER(abandoned_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
