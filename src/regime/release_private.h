/* Releases and what was seen of them, as the state has them. Only for this room. */
#ifndef REGIME_RELEASE_PRIVATE_H
#define REGIME_RELEASE_PRIVATE_H

#include "regime/release.h"
#include "regime/state_private.h"

/*
 * R 00 domain 00 u64 index: what that party said, in one statement
 *
 *	u8 predicate, u8 flags, u64 when it counts from, 32 id, short maker, u16 length and product, short version, u16 number of
 *	regions that were promised, 2 letters each, sorted; u16 number of lines, each 2 letters, 32 hash, u64 time
 *
 * R 01 32 SHA-256 of the product, 32 of the version, u64 index: the domain of who said it
 * R 02 domain 00 name 00 u64 index: nothing; a canary
 */
enum { RELEASE_SAID, RELEASE_OF, RELEASE_CANARY };

struct artefact_line {
	char region[3];
	struct hash hash;
	int64_t at_ms;
};
struct saying {
	enum predicate predicate; /* release or seen */
	uint64_t index;
	int64_t logged_ms; /* by state_time */
	struct hash id;
	struct span by, maker, product, version;
	bool demonstration, withdrawn; /* withdrawn: by the certificate; not packed */
	size_t promised_count, line_count;
	struct span promised, lines; /* packed */
};
#define PROMISED_SIZE 2
#define EVERYWHERE "ZZ" /* as a region */
#define LINE_SIZE (2 + HASH_SIZE + 8)
struct artefact_line saying_line(const struct saying *s, size_t i);

/* ERR_NOT_FOUND. Spans point into the snapshot; by into the caller's. */
enum err saying_get(const struct state *st, struct span by, uint64_t index, struct saying *out);
enum err saying_put(struct state *st, const struct saying *s);
enum err saying_unpack(struct span by, uint64_t index, struct span value, struct saying *out);

struct state_key key_said(struct span by); /* empty: of all */
struct state_key key_product(struct span product);
struct state_key key_release(struct span product, struct span version);
struct state_key key_canaries(struct span from);
/* The u64 that a key ends with. */
uint64_t key_index(struct span key);

#endif
