/* The keys of a party as the state holds them: key j, one record for each key that it ever had, the present one last. Only for
 * this room. */
#ifndef REGIME_PARTY_KEYS_H
#define REGIME_PARTY_KEYS_H

#include "regime/state_private.h"
#include "regime/vouch.h"

struct key_record {
	struct party_key key;
	int64_t line_ms;  /* when its line began: keys that were each announced by the one before them */
	int64_t found_ms; /* when it last signed while sponsors vouched for another in its place; 0: it did not */
	bool has_next;
	struct hash next; /* as the party's statement announces it */
	uint64_t
		index; /* of the newest party statement that it signed: of a former one that which announced the next */
};
typedef enum err key_each(void *context, const struct key_record *r);
enum err keys_walk(const struct state *st, struct span party, key_each *each, void *context);
/* ERR_NOT_FOUND: it has none yet. */
enum err keys_present(const struct state *st, struct span party, struct key_record *out);
/* The record of one key, present or former. ERR_NOT_FOUND. */
enum err keys_find(const struct state *st, struct span party, struct hash fingerprint, struct key_record *out);

/* A party statement by this key was folded. before: the party until now, NULL if it is new. *recovered: sponsors put the key in the
 * place of another. */
enum err keys_fold(struct state *st, const struct statement *s, const struct verifier *key, const struct party *before,
		   bool *recovered);
/* The present key is worth nothing from now on. */
enum err keys_revoke(struct state *st, struct span party);
/* A sponsor vouched for another key in place of the present one. Marks the party. */
enum err keys_recovering(struct state *st, struct span party);
/* The party's present key signed the entry in hand: if it was thought to be lost, it is found. */
enum err keys_signed(struct state *st, const struct statement *s);
/* Who must have signed a statement whose `key` is not the party's present one; see state_signer. */
enum err keys_other(const struct state *st, const struct statement *s, const struct party *p, struct verifier *key);
/* `next-key` of a party statement. *has: it has one, and the rules know it. ERR_STATEMENT_HEADER. */
enum err keys_read_next(const struct state *st, const struct statement *s, bool *has, struct hash *out);

/* Which vouches count for a party whose key is to be replaced: by `recovery yes`, for this key, after that time, not withdrawn. */
struct recovery {
	struct hash fingerprint;
	int64_t after_ms;
};
/* As sponsorship_of. recovery: NULL, or only these vouches count for the party itself. *complete_ms: since when it has
 * SPONSORS_LEAST unrelated, established ones; INT64_MAX: it has not. */
enum err sponsorship_by(const struct state *st, struct span party, const struct recovery *recovery, int64_t at_ms,
			struct sponsorship *out, int64_t *complete_ms);

struct state_key key_vouches_for(struct span party);
enum err vouch_unpack(const struct state *st, struct span key, struct span value, struct vouch *out,
		      struct hash *signed_by);

#endif
