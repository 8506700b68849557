/* A party's own words: a signed map from its terms, in any language, to core codes.
 *
 *	comity/1 vocabulary
 *	ledger cert.example/public
 *	from cert.example
 *	key …
 *	codes 1				version of the core codes
 *	recognise 3			one line for each code that it takes from others, and gives
 *	body application/vnd.comity.vocabulary+json <size> sha256:…
 *
 * body: {"languages":["de","en"],"terms":[{"term":"Schadsoftware-Server","language":"de","code":3},…]}. The newest of a party is in
 * force; messages keep the version that they were filed under. A party without one recognises every code.
 *
 * Only codes that both recognise flow between a pair: a notice or request of another is refused with ERR_NOT_RECOGNISED, and no
 * detail. Nothing is lost by it: who routes goes on to the next that answers. */
#ifndef REGIME_WORDS_H
#define REGIME_WORDS_H

#include "base/arena.h"
#include "regime/core_code.h"
#include "regime/state.h"

#define VOCABULARY_MEDIA_TYPE "application/vnd.comity.vocabulary+json"
#define VOCABULARY_BODY_MAX ((size_t)512 << 10)
#define VOCABULARY_TERMS_MAX 2000
#define VOCABULARY_TERM_MAX 200 /* bytes */
#define VOCABULARY_LANGUAGES_MAX 50

struct vocabulary {
	struct hash statement;
	struct span party;
	uint32_t recognised; /* bit n-1 for code number n */
	int64_t from_ms;
	bool has_body;
	struct body_reference body;
};
/* In force at that time. ERR_NOT_FOUND: it has filed none. */
enum err state_vocabulary(const struct state *st, struct span party, int64_t at_ms, struct vocabulary *out);
/* What each party has in force at that time, in the order of their domains. */
typedef enum err vocabulary_each(void *context, const struct vocabulary *v);
enum err state_vocabularies(const struct state *st, int64_t at_ms, vocabulary_each *each, void *context);
/* Codes that both recognise, as bits. */
enum err codes_joint(const struct state *st, struct span a, struct span b, int64_t at_ms, uint32_t *out);
/* Whether a matter of this class may flow from a to b. Classes without a code only to who answers, as before. */
enum err codes_may_flow(const struct state *st, struct span a, struct span b, enum rsit_class c, int64_t at_ms,
			bool *may);

/* The map itself, from the body. */
struct word {
	struct span term, language;
	unsigned code;
	unsigned place; /* in the list, from 0 */
};
struct words {
	struct word *at; /* sorted by folded term */
	size_t count;
	struct span *languages; /* as listed */
	size_t language_count;
};
/* Strict JSON of that form and nothing beside. NFC is not asked for. One term may stand in several languages, but for one code.
 * ERR_VOCABULARY: not of that form, too large, a term twice, a code that is none, or a term for what is said (speech.h). */
enum err words_parse(struct arena *a, struct span body, struct words *out);
/* What words_parse reads as the same. */
void words_print(const struct words *w, struct buffer *out);
const struct word *words_find(const struct words *w, struct span term); /* case folded; NULL: none */
const struct word *words_of_code(const struct words *w, unsigned code,
				 struct span language); /* the first in the list; any language if empty. NULL: none */

#endif
