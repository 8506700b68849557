/* Keys: an Ed25519 key that carries a name (C2SP signed-note, "verifier key"). A party's key is named by its domain, a
 * ledger's by its origin. They are different keys. */
#ifndef NOTE_KEY_H
#define NOTE_KEY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/hash.h"

#define KEY_PUBLIC_SIZE 32
#define KEY_SEED_SIZE 32
#define KEY_SIGNATURE_SIZE 64
#define KEY_NAME_MAX 255

enum key_algorithm { KEY_ED25519 = 1 /* signature type 01 */ };

/* A name as signed notes allow it: UTF-8, not empty, no Unicode space, no '+', no control byte. */
bool key_name_valid(struct span name);

/* Whom to believe: a name, its public key, and the key id derived from both. The name is a copy. */
struct verifier {
	char name[KEY_NAME_MAX + 1];
	uint32_t key_id;
	enum key_algorithm algorithm;
	uint8_t public_key[KEY_PUBLIC_SIZE];
};

/* Who signs. The secret lives in locked memory (sodium_malloc). */
struct signer;

/* Name and point are checked (canonical, on the curve, not of small order): ERR_KEY. */
enum err verifier_make(struct span name, const uint8_t public_key[KEY_PUBLIC_SIZE], struct verifier *out);
/* "name+hex+base64" as in C2SP signed-note. ERR_KEY. */
enum err verifier_parse(struct span text, struct verifier *out);
void verifier_print(const struct verifier *v, struct buffer *out);
/* Verdict of libsodium's strict rule on one detached signature. */
bool verifier_check(const struct verifier *v, struct span text, const uint8_t signature[KEY_SIGNATURE_SIZE]);

/* SHA-256 of the algorithm byte and the public key: the `key` header of statements, in hex there. */
struct hash verifier_fingerprint(const struct verifier *v);

/* A new key from the system's randomness. signer_free erases it. */
enum err signer_new(struct span name, struct signer **out);
enum err signer_from_seed(struct span name, const uint8_t seed[KEY_SEED_SIZE], struct signer **out);
/* Go's private form "PRIVATE+KEY+name+hex+base64" and a LF in a file of mode 0600. Saving refuses to replace
 * (ERR_EXISTS); loading refuses a file that others may read (ERR_KEY, with what to do). Durable on OK. */
enum err signer_save(const struct signer *s, const char *path);
enum err signer_load(const char *path, struct signer **out);
const struct verifier *signer_verifier(const struct signer *s);
void signer_sign(const struct signer *s, struct span text, uint8_t signature[KEY_SIGNATURE_SIZE]);
void signer_free(struct signer *s);

#endif
