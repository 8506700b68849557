/* A bare state on rules 2 with some parties, for tests of proofs and holdings. Times are seconds. */
#ifndef REGIME_PROOF_TEST_H
#define REGIME_PROOF_TEST_H

#include "regime.h"
#include "regime/policy.h"
#include "regime/proof.h"

#define HOME "cert.example/public"
#define PROOF_BODY                                                                                                     \
	"body " PROOF_MEDIA_TYPE " 100 sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define PEOPLE 8

static const char *const people[PEOPLE] = { "a.example", "b.example", "c.example", "d.example",
					    "e.example", "f.example", "g.example", "gov.example" };

struct lab {
	struct bare *b;
	struct arena *arena;
	struct signer *who[PEOPLE];
	struct hash party[PEOPLE];
};

static inline void fold(struct lab *l, struct span note, int64_t s)
{
	assert_int_equal(bare_fold(l->b, note, LEDGER_PUBLIC, s * 1000), OK);
}

static inline enum err door(struct lab *l, struct span note, int64_t s)
{
	struct statement parsed;

	assert_int_equal(statement_parse(l->arena, note, &parsed), OK);
	l->b->st.ledger = LEDGER_PUBLIC;
	l->b->st.index = l->b->size[LEDGER_PUBLIC];
	l->b->st.logged_ms = s * 1000;
	return state_check(&l->b->st, &parsed);
}

static inline struct lab *lab_new(struct scratch *s, const char *name, bool rules)
{
	struct lab *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->b = bare_new(s, name);
	l->arena = l->b->arena;
	if (rules)
		fold(l, statement_text(l->arena, KIND_RULES, HOME, l->b->node, "version 2\n", NULL), 2);
	for (int i = 0; i < PEOPLE; i++) {
		l->who[i] = signer_of(people[i]);
		fold(l,
		     party_text(l->arena, HOME, l->who[i],
				i == PEOPLE - 1 ? "role government\n" : "role operator\nclaim AS64500\n", &l->party[i]),
		     3);
	}
	return l;
}

static inline void lab_free(struct lab *l)
{
	for (int i = 0; i < PEOPLE; i++)
		signer_free(l->who[i]);
	bare_free(l->b);
	free(l);
}

static inline const char *key_of_person(struct lab *l, int who)
{
	return hex_of(l->arena, verifier_fingerprint(signer_verifier(l->who[who])));
}

static inline struct span proof_text(struct lab *l, int who, const char *lines, struct hash *id)
{
	return statement_text(l->arena, KIND_PROOF, HOME, l->who[who], arena_print(l->arena, "%s" PROOF_BODY, lines),
			      id);
}

static inline struct hash prove(struct lab *l, int who, const char *lines, int64_t s)
{
	struct hash id;

	fold(l, proof_text(l, who, lines, &id), s);
	return id;
}

/* `who` saw the key of another at its domain. */
static inline const char *saw(struct lab *l, int whom)
{
	return arena_print(l->arena, "method observed\nto %s\nseen-key %s\n", people[whom], key_of_person(l, whom));
}

static inline struct span answer_text(struct lab *l, const struct signer *by, struct hash re, const char *lines)
{
	return statement_text(l->arena, KIND_ANSWER, HOME, by,
			      arena_print(l->arena, "re %s\n%s", hex_of(l->arena, re), lines), NULL);
}

static inline const char *until(struct lab *l, int64_t s)
{
	char text[CLOCK_TEXT];

	clock_format(s * 1000, text);
	return arena_print(l->arena, "outcome accepted\nuntil %s\n", text);
}

static inline void accepted(struct lab *l, struct hash proof, int64_t until_s, int64_t s)
{
	char date[CLOCK_TEXT];
	struct span note;

	clock_format(s * 1000, date); /* said twice it would be one statement */
	note = answer_text(l, l->b->node, proof, arena_print(l->arena, "%sdate %s\n", until(l, until_s), date));
	assert_int_equal(door(l, note, s), OK);
	fold(l, note, s);
}

static inline void objected(struct lab *l, struct hash proof, int64_t s)
{
	struct span note = answer_text(l, l->b->node, proof, "outcome objected\nreason evidence-revoked\n");

	assert_int_equal(door(l, note, s), OK);
	fold(l, note, s);
}

static inline void withdrawn(struct lab *l, int who, struct hash id, int64_t s)
{
	fold(l,
	     statement_text(l->arena, KIND_WITHDRAW, HOME, l->who[who],
			    arena_print(l->arena, "re %s\n", hex_of(l->arena, id)), NULL),
	     s);
}

static inline struct addressee resource_of(const char *text)
{
	struct addressee r;

	assert_int_equal(addressee_parse(span_of(text), &r), OK);
	return r;
}

static inline bool holds_ms(struct lab *l, int who, const char *resource, unsigned bases, int64_t ms,
			    struct holding *out)
{
	struct addressee r = resource_of(resource);
	bool held = false;

	assert_int_equal(holding_at(&l->b->st, span_of(people[who]), &r, bases, ms, &held, out), OK);
	return held;
}

/* From this second to that one, to the millisecond, and not outside. */
#define assert_held(l, who, resource, basis, from_s, until_s)                                                          \
	do {                                                                                                           \
		assert_false(holds_ms(l, who, resource, BASIS_BIT(basis), (from_s)*1000 - 1, NULL));                   \
		assert_true(holds_ms(l, who, resource, BASIS_BIT(basis), (from_s)*1000, NULL));                        \
		assert_true(holds_ms(l, who, resource, BASIS_BIT(basis), (until_s)*1000 - 1, NULL));                   \
		assert_false(holds_ms(l, who, resource, BASIS_BIT(basis), (until_s)*1000, NULL));                      \
	} while (0)

#endif
