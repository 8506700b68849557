/* Signed notes (C2SP signed-note v1.0.0): a text, an empty line, signature lines.
 *
 * House rules, where the text is loose: base64 is canonical; every line of a known key is verified, not only the first;
 * at most NOTE_LINES lines. Ed25519 is verified by libsodium alone, so that no note is good on one node and bad on
 * another (note_self_test refuses a libsodium that judges otherwise). */
#ifndef NOTE_NOTE_H
#define NOTE_NOTE_H

#include "base/arena.h"
#include "base/hash.h"
#include "note/key.h"

#define NOTE_LINES 100

struct note_line {
	struct span name;
	uint32_t key_id;
	struct span signature; /* decoded, without the key id; in the arena */
};

struct note {
	struct span text; /* what is signed, with its final LF */
	struct span whole;
	const struct note_line *lines;
	size_t line_count;
};

/* Takes a note apart without verifying. Everything points into `whole` and the arena. Text rules: valid UTF-8, no byte
 * below 0x20 but LF, split at the last empty line. ERR_NOTE, ERR_ENCODING. */
enum err note_parse(struct arena *a, struct span whole, struct note *out);

/* Every line of a known key must verify and at least one must be there. *verified gets one bit per key of `keys` (at
 * most 64) that signed; may be NULL. ERR_NOTE_UNSIGNED, ERR_NOTE_SIGNATURE. */
enum err note_verify(const struct note *n, const struct verifier *keys, size_t key_count, uint64_t *verified);

/* Appends the text, the empty line and one line of this key (type 01). The text must end with LF and obey the rules:
 * ERR_NOTE. */
enum err note_sign(struct buffer *out, struct span text, const struct signer *key);

/* Appends one signature line over text: for notes of several signers. */
enum err note_add_line(struct buffer *out, struct span text, const struct signer *key);

/* Compares libsodium's judgement on vectors that tell the known rules apart (reference: cofactorless equation, no
 * small-order keys). To be run at start. ERR_CRYPTO_SELF_TEST. */
enum err note_self_test(void);

#endif
