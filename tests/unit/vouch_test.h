/* What the tests of vouches and of keys share: a state in which the test says when what was logged. */
#ifndef VOUCH_TEST_H
#define VOUCH_TEST_H

#include "regime.h"

#include "base/clock.h"
#include "regime/vouch.h"

#define START INT64_C(1767225600000) /* 2026-01-01 */
#define HOUR INT64_C(3600000)

struct folk {
	struct bare *b;
	int64_t now_ms;
};

static inline void folk_say(struct folk *f, enum kind k, const struct signer *from, const char *lines, struct hash *id)
{
	assert_int_equal(bare_fold(f->b, statement_text(f->b->arena, k, "cert.example/public", from, lines, id),
				   LEDGER_PUBLIC, f->now_ms),
			 OK);
	if (!f->b->st.effective)
		fail_msg("folds to nothing: %s\n%s", err_detail(), lines);
}

/* What the door says to it now. */
static inline enum err folk_try(struct folk *f, struct span note)
{
	struct statement s;
	enum err e;

	assert_int_equal(statement_parse(f->b->arena, note, &s), OK);
	f->b->st.ledger = LEDGER_PUBLIC;
	f->b->st.index = f->b->size[LEDGER_PUBLIC];
	f->b->st.logged_ms = f->now_ms;
	e = state_check(&f->b->st, &s);
	return e;
}

static inline enum err folk_try_lines(struct folk *f, enum kind k, const struct signer *from, const char *lines)
{
	return folk_try(f, statement_text(f->b->arena, k, "cert.example/public", from, lines, NULL));
}

static inline void folk_new(struct folk *f, struct scratch *s, const char *name)
{
	*f = (struct folk){ bare_new(s, name), START };
	folk_say(f, KIND_RULES, f->b->node, "version 2\n", NULL);
}

static inline struct hash folk_party(struct folk *f, const struct signer *who, const char *lines)
{
	struct hash id;
	struct span note = party_text(f->b->arena, "cert.example/public", who,
				      arena_print(f->b->arena, "role operator\n%s", lines), &id);

	assert_int_equal(bare_fold(f->b, note, LEDGER_PUBLIC, f->now_ms), OK);
	if (!f->b->st.effective)
		fail_msg("folds to nothing: %s", err_detail());
	return id;
}

/* One that holds something, by the operator's word. */
static inline struct hash folk_holder(struct folk *f, const struct signer *who, unsigned number)
{
	struct hash id = folk_party(f, who, arena_print(f->b->arena, "claim AS%u\n", 64500 + number));

	folk_say(f, KIND_ANSWER, f->b->node,
		 arena_print(f->b->arena, "re %s\noutcome accepted\n", hex_of(f->b->arena, id)), NULL);
	return id;
}

static inline const char *fingerprint_of(struct folk *f, const struct signer *who)
{
	return hex_of(f->b->arena, verifier_fingerprint(signer_verifier(who)));
}

static inline const char *vouch_lines(struct folk *f, const struct signer *to, const char *more)
{
	return arena_print(f->b->arena, "to %s\nvouched-key %s\n%s", signer_verifier(to)->name, fingerprint_of(f, to),
			   more);
}

static inline struct hash folk_vouch(struct folk *f, const struct signer *from, const struct signer *to,
				     const char *more)
{
	struct hash id;

	folk_say(f, KIND_VOUCH, from, vouch_lines(f, to, more), &id);
	return id;
}

static inline void folk_withdraw(struct folk *f, const struct signer *from, struct hash id, const char *more)
{
	folk_say(f, KIND_WITHDRAW, from, arena_print(f->b->arena, "re %s\n%s", hex_of(f->b->arena, id), more), NULL);
}

static inline struct sponsorship folk_sponsorship(struct folk *f, const struct signer *who, int64_t at_ms)
{
	struct sponsorship s;

	assert_int_equal(sponsorship_of(&f->b->st, span_of(signer_verifier(who)->name), at_ms, &s), OK);
	return s;
}

#endif
