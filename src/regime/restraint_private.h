/* What the files of restraint share: restraint.c (answers), restraint_evidence.c (whether it shows what is alleged),
 * restraint_codec.c (bytes, and reading them). Only for this room. */
#ifndef REGIME_RESTRAINT_PRIVATE_H
#define REGIME_RESTRAINT_PRIVATE_H

#include "regime/restraint.h"

/* What an answer alleges. */
struct allegation {
	struct span term;
	struct hash opens, salt, evidence;
	struct addressee asset;
};

/* What it is about: an agreement, or a pledge. */
struct restraint_promise {
	struct hash id;
	struct span party; /* who promised it to who alleges */
	int64_t from_ms, until_ms;
	bool demonstration;
	const struct term *term; /* that was alleged to be broken; NULL: none was */
	union {
		struct agreement agreement;
		struct pledge pledge;
	} of;
};

/* ---- evidence (restraint_evidence.c) ---- */

/* The matter of that id, and the first of those that it follows on, under which its use is noted. ERR_MATTER_UNKNOWN,
 * ERR_BREACH: it is neither plan nor notice. */
enum err restraint_evidence(const struct state *st, struct hash id, struct matter *m, struct hash *first);
/* Whether it shows what is alleged, and was not used before. ERR_BREACH, ERR_MATTER_UNKNOWN. */
enum err restraint_evidence_check(const struct state *st, const struct statement *s, const struct restraint_promise *p,
				  const struct allegation *a);

/* ---- bytes (restraint_codec.c) ---- */

struct breach_kept {
	struct breach b;
	struct span against; /* who is said to have done it */
};
/* Of the answer of that index, in the arena. */
enum err breach_get(const struct state *st, struct hash promise, uint64_t index, struct breach_kept *out);
enum err breach_put(struct state *st, uint64_t index, const struct breach_kept *k);

/* Which breach of that promise rests on that evidence. ERR_NOT_FOUND: none. */
enum err breach_use_get(const struct state *st, struct hash evidence, struct hash promise, uint64_t *index);
enum err breach_use_put(struct state *st, struct hash evidence, struct hash promise, uint64_t index);
/* All of that evidence: 32 promise behind it; the value is the index. */
struct state_key key_breach_uses(struct hash evidence);

#endif
