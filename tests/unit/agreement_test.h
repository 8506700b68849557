/* What the tests of agreements share: a depositary whose ledgers the test writes at what time it likes, and two who agree there. */
#ifndef AGREEMENT_TEST_H
#define AGREEMENT_TEST_H

#include "regime_node.h"

#include "base/clock.h"
#include "regime/agreement.h"

#define BEGIN INT64_C(1798761600000) /* 2027-01-01: when agreements start */
#define HOUR INT64_C(3600000)

struct two {
	struct bare *b;
	struct signer *x, *y, *z; /* x and y may agree; z looks on */
	struct hash party_x, party_y;
	int64_t now_ms;
	uint64_t number; /* no statement twice */
};

#define PARTIES "party x.example\nparty y.example\ndepositary cert.example\n"
#define TIMES "start 2027-01-01T00:00:00Z\nend 2030-01-01T00:00:00Z\nexit-notice 90d\n"
#define CODES "codes 1,3\n"
#define SWIFT "term swift acknowledged at-least 90% within 2d each 30d gives share\n"
#define AGREED PARTIES TIMES CODES SWIFT

static inline struct span two_text(struct two *t, enum kind k, const struct signer *from, const char *lines,
				   struct hash *id)
{
	const char *ledger = k == KIND_NOTICE || k == KIND_REQUEST ? "cert.example/circle" : "cert.example/public";

	return statement_text(t->b->arena, k, ledger, from, lines, id);
}

/* What the door says to it now. */
static inline enum err two_try(struct two *t, enum kind k, const struct signer *from, const char *lines)
{
	struct statement s;

	err_clear();
	assert_int_equal(statement_parse(t->b->arena, two_text(t, k, from, lines, NULL), &s), OK);
	t->b->st.ledger = k == KIND_NOTICE || k == KIND_REQUEST ? LEDGER_CIRCLE : LEDGER_PUBLIC;
	t->b->st.index = t->b->size[t->b->st.ledger];
	t->b->st.logged_ms = t->now_ms;
	return state_check(&t->b->st, &s);
}

/* Folds it; whether it came to more than its id. In the circle if it is about what stands there. */
static inline bool two_fold_in(struct two *t, enum ledger_id l, enum kind k, const struct signer *from,
			       const char *lines, struct hash *id)
{
	const char *ledger = l == LEDGER_CIRCLE ? "cert.example/circle" : "cert.example/public";

	err_clear();
	assert_int_equal(bare_fold(t->b, statement_text(t->b->arena, k, ledger, from, lines, id), l, t->now_ms), OK);
	return t->b->st.effective;
}

static inline void two_say(struct two *t, enum kind k, const struct signer *from, const char *lines, struct hash *id)
{
	enum ledger_id l = k == KIND_NOTICE || k == KIND_REQUEST ? LEDGER_CIRCLE : LEDGER_PUBLIC;

	if (!two_fold_in(t, l, k, from, lines, id))
		fail_msg("folds to nothing: %s\n%s", err_detail(), lines);
}

/* About what stands in the circle. */
static inline void two_answer(struct two *t, const struct signer *from, struct hash re, const char *outcome)
{
	const char *lines = arena_print(t->b->arena, "re %s\noutcome %s\ndate-of-test %ju\n", hex_of(t->b->arena, re),
					outcome, (uintmax_t)t->number++);

	if (!two_fold_in(t, LEDGER_CIRCLE, KIND_ANSWER, from, lines, NULL))
		fail_msg("folds to nothing: %s\n%s", err_detail(), lines);
}

/* An answer to what stands in the public ledger, or a withdrawal. */
static inline const char *two_about(struct two *t, struct hash re, const char *more)
{
	return arena_print(t->b->arena, "re %s\n%sdate-of-test %ju\n", hex_of(t->b->arena, re), more,
			   (uintmax_t)t->number++);
}

static inline struct hash two_notice(struct two *t, const struct signer *from, const struct signer *to,
				     const char *class)
{
	struct hash id;

	two_say(t, KIND_NOTICE, from,
		arena_print(t->b->arena, "to %s\nclass %s\nevents %ju\n" SEALED_BODY, signer_verifier(to)->name, class,
			    (uintmax_t)++t->number),
		&id);
	return id;
}

/* Nothing but time passes. */
static inline void two_tick(struct two *t)
{
	const char *lines = arena_print(t->b->arena, "role operator\ntitle %ju\n", (uintmax_t)t->number++);

	assert_int_equal(bare_fold(t->b, party_text(t->b->arena, "cert.example/public", t->z, lines, NULL),
				   LEDGER_PUBLIC, t->now_ms),
			 OK);
	assert_true(t->b->st.effective);
}

static inline void two_new(struct two *t, struct scratch *s, const char *name)
{
	*t = (struct two){ .b = bare_new(s, name),
			   .x = signer_of("x.example"),
			   .y = signer_of("y.example"),
			   .z = signer_of("z.example"),
			   .now_ms = BEGIN - 90 * DAY };
	two_say(t, KIND_RULES, t->b->node, "version 3\n", NULL);
	two_say(t, KIND_PARTY, t->x,
		arena_print(t->b->arena, "public-key %s\nrole operator\n", public_key_of(t->b->arena, t->x)),
		&t->party_x);
	two_say(t, KIND_PARTY, t->y,
		arena_print(t->b->arena, "public-key %s\nrole operator\n", public_key_of(t->b->arena, t->y)),
		&t->party_y);
	two_tick(t);
}

static inline void two_free(struct two *t)
{
	bare_free(t->b);
	signer_free(t->x);
	signer_free(t->y);
	signer_free(t->z);
}

static inline struct hash two_offer(struct two *t, const char *lines)
{
	struct hash id;

	two_say(t, KIND_AGREEMENT, t->x, arena_print(t->b->arena, "to y.example\n%s", lines), &id);
	return id;
}

static inline struct hash two_sign(struct two *t, struct hash offer, const char *lines)
{
	struct hash id;

	two_say(t, KIND_AGREEMENT, t->y,
		arena_print(t->b->arena, "to x.example\n%sre %s\n", lines, hex_of(t->b->arena, offer)), &id);
	return id;
}

/* Offered and signed now. The offer. */
static inline struct hash two_agree(struct two *t, const char *lines)
{
	struct hash offer = two_offer(t, lines);

	two_sign(t, offer, lines);
	return offer;
}

static inline struct agreement two_read(struct two *t, struct hash id)
{
	struct agreement a;

	if (state_agreement(&t->b->st, id, &a) != OK)
		fail_msg("%s", err_detail());
	return a;
}

#endif
