#include "note/key.h"

#include "base/encoding.h"
#include "base/file.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define POINT_SIZE crypto_core_ed25519_BYTES
#define PRIVATE_PREFIX "PRIVATE+KEY+"
#define TYPED_KEY_SIZE (1 + KEY_PUBLIC_SIZE) /* what stands in base64: the type byte and the key or the seed */
#define PRIVATE_TEXT_MAX (sizeof(PRIVATE_PREFIX) + KEY_NAME_MAX + 1 + 8 + 1 + BASE64_LENGTH(TYPED_KEY_SIZE) + 1)

_Static_assert(KEY_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES && KEY_SEED_SIZE == crypto_sign_SEEDBYTES &&
		       KEY_SIGNATURE_SIZE == crypto_sign_BYTES && KEY_PUBLIC_SIZE == POINT_SIZE,
	       "the sizes of libsodium");

struct signer {
	struct verifier verifier;
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

/* Threads may come here at once; after the first call it is a flag behind a lock. */
static enum err sodium_ready(void)
{
	return sodium_init() < 0 ? fail(ERR_CRYPTO_SELF_TEST, "libsodium does not start") : OK;
}

/* The characters beyond ASCII that Unicode calls white space: how many bytes the one at p has, 0 if there is none. */
static size_t wide_space(const uint8_t *p, size_t n)
{
	if (n >= 2 && p[0] == 0xc2)
		return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0; /* U+0085, U+00A0 */
	if (n < 3)
		return 0;
	if (p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80) /* U+1680 */
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x80) /* U+2000 to U+200A, U+2028, U+2029, U+202F */
		return p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3 : 0;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f) /* U+205F */
		return 3;
	return p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80 ? 3 : 0; /* U+3000 */
}

bool key_name_valid(struct span name)
{
	const uint8_t *p = (const uint8_t *)name.at;

	for (size_t i = 0; i < name.len; i++)
		if (p[i] <= 0x20 || p[i] == '+' || (p[i] >= 0x80 && wide_space(p + i, name.len - i) != 0))
			return false;
	return name.len > 0 && span_is_utf8(name);
}

/*
 * Which points may be keys
 *
 * The rule (step 2 of the reference's rule of acceptance): canonical encoding, on the curve, not of small order. A point
 * with a component of small order is allowed, since crypto_sign_verify_detached allows it; so the ready-made
 * crypto_core_ed25519_is_valid_point, which wants the prime-order subgroup, refuses too much.
 *
 * crypto_core_ed25519_add decodes both operands, fails off the curve, and encodes its result canonically. Hence:
 *   P + identity = P, byte for byte    if and only if P is canonical and on the curve;
 *   8 P = identity                     if and only if the order of P divides 8, that is, P is of small order.
 */
static bool point_valid(const uint8_t point[POINT_SIZE])
{
	static const uint8_t identity[POINT_SIZE] = { 1 };
	uint8_t sum[POINT_SIZE];

	if (crypto_core_ed25519_add(sum, point, identity) != 0 || memcmp(sum, point, POINT_SIZE) != 0)
		return false;
	for (int doubling = 0; doubling < 3; doubling++)
		if (crypto_core_ed25519_add(sum, sum, sum) != 0)
			return false;
	return memcmp(sum, identity, POINT_SIZE) != 0;
}

static uint32_t key_id_of(struct span name, enum key_algorithm algorithm, const uint8_t public_key[KEY_PUBLIC_SIZE])
{
	const char separator[2] = { '\n', (char)algorithm };
	const struct span parts[3] = { name, { separator, 2 }, span_make(public_key, KEY_PUBLIC_SIZE) };
	struct hash h = hash_parts(parts, 3);

	return (uint32_t)h.bytes[0] << 24 | (uint32_t)h.bytes[1] << 16 | (uint32_t)h.bytes[2] << 8 | h.bytes[3];
}

enum err verifier_make(struct span name, const uint8_t public_key[KEY_PUBLIC_SIZE], struct verifier *out)
{
	enum err e = sodium_ready();

	if (e != OK)
		return e;
	if (name.len > KEY_NAME_MAX || !key_name_valid(name))
		return fail(ERR_KEY, "a key's name has 1 to %d bytes, no space and no plus sign", KEY_NAME_MAX);
	if (!point_valid(public_key))
		return fail(ERR_KEY, "key of %.*s: not a point that may be a public key", SPAN_FORMAT(name));
	*out = (struct verifier){ .key_id = key_id_of(name, KEY_ED25519, public_key), .algorithm = KEY_ED25519 };
	memcpy(out->name, name.at, name.len);
	memcpy(out->public_key, public_key, KEY_PUBLIC_SIZE);
	return OK;
}

/* Takes "name+hex+base64" apart. The base64 may hold plus signs, so only the first two cut. */
static enum err split_key_text(struct span text, struct span *name, struct span *hex, uint8_t typed[TYPED_KEY_SIZE])
{
	struct span rest = text;
	size_t length = 0;

	*name = span_cut(&rest, '+');
	if (rest.at == NULL)
		return fail(ERR_KEY, "a key is written name+hex+base64");
	*hex = span_cut(&rest, '+');
	if (rest.at == NULL || hex->len != 8)
		return fail(ERR_KEY, "a key is written name+hex+base64");
	if (base64_decode(rest, typed, TYPED_KEY_SIZE, &length) != OK || length != TYPED_KEY_SIZE)
		return fail(ERR_KEY, "key of %.*s: its base64 must hold one type byte and 32 bytes",
			    SPAN_FORMAT(*name));
	if (typed[0] != KEY_ED25519)
		return fail(ERR_KEY, "key of %.*s: type %02x is not known here", SPAN_FORMAT(*name), typed[0]);
	return OK;
}

static void key_id_hex(uint32_t id, char out[9])
{
	const uint8_t bytes[4] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id };

	hex_encode(bytes, sizeof(bytes), out);
}

static bool key_id_is(const struct verifier *v, struct span hex)
{
	char expected[9];

	key_id_hex(v->key_id, expected);
	return span_is(hex, expected);
}

enum err verifier_parse(struct span text, struct verifier *out)
{
	uint8_t typed[TYPED_KEY_SIZE];
	struct verifier v;
	struct span name, hex;
	enum err e = split_key_text(text, &name, &hex, typed);

	if (e == OK)
		e = verifier_make(name, typed + 1, &v);
	if (e == OK && !key_id_is(&v, hex))
		e = fail(ERR_KEY, "key of %s: its id is %08x, not %.*s", v.name, v.key_id, SPAN_FORMAT(hex));
	if (e == OK)
		*out = v;
	return e;
}

void verifier_print(const struct verifier *v, struct buffer *out)
{
	uint8_t typed[TYPED_KEY_SIZE] = { (uint8_t)v->algorithm };
	char hex[9];

	memcpy(typed + 1, v->public_key, KEY_PUBLIC_SIZE);
	key_id_hex(v->key_id, hex);
	buffer_text(out, v->name);
	buffer_byte(out, '+');
	buffer_text(out, hex);
	buffer_byte(out, '+');
	base64_append(out, typed, sizeof(typed));
}

bool verifier_check(const struct verifier *v, struct span text, const uint8_t signature[KEY_SIGNATURE_SIZE])
{
	return crypto_sign_verify_detached(signature, (const uint8_t *)text.at, text.len, v->public_key) == 0;
}

struct hash verifier_fingerprint(const struct verifier *v)
{
	uint8_t typed[TYPED_KEY_SIZE] = { (uint8_t)v->algorithm };

	memcpy(typed + 1, v->public_key, KEY_PUBLIC_SIZE);
	return hash_bytes(typed, sizeof(typed));
}

enum err signer_from_seed(struct span name, const uint8_t seed[KEY_SEED_SIZE], struct signer **out)
{
	uint8_t public_key[KEY_PUBLIC_SIZE];
	struct signer *s = NULL;
	enum err e = sodium_ready();

	if (e == OK && (s = sodium_malloc(sizeof(*s))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK) {
		crypto_sign_seed_keypair(public_key, s->secret, seed);
		e = verifier_make(name, public_key, &s->verifier);
	}
	if (e != OK) {
		signer_free(s);
		return e;
	}
	sodium_mprotect_readonly(s);
	*out = s;
	return OK;
}

enum err signer_new(struct span name, struct signer **out)
{
	uint8_t seed[KEY_SEED_SIZE];
	enum err e = sodium_ready();

	if (e != OK)
		return e;
	randombytes_buf(seed, sizeof(seed));
	e = signer_from_seed(name, seed, out);
	sodium_memzero(seed, sizeof(seed));
	return e;
}

/* Returns the length. Whoever calls erases the text. */
static size_t print_private(const struct signer *s, char text[PRIVATE_TEXT_MAX])
{
	uint8_t typed[TYPED_KEY_SIZE] = { KEY_ED25519 };
	char base64[BASE64_LENGTH(TYPED_KEY_SIZE) + 1];
	int n;

	crypto_sign_ed25519_sk_to_seed(typed + 1, s->secret);
	base64_encode(typed, sizeof(typed), base64);
	n = snprintf(text, PRIVATE_TEXT_MAX, PRIVATE_PREFIX "%s+%08x+%s\n", s->verifier.name, s->verifier.key_id,
		     base64);
	sodium_memzero(typed, sizeof(typed));
	sodium_memzero(base64, sizeof(base64));
	return (size_t)n;
}

static enum err parse_private(struct span text, struct signer **out)
{
	uint8_t typed[TYPED_KEY_SIZE];
	struct signer *s = NULL;
	struct span name, hex;
	enum err e;

	if (span_ends(text, "\n"))
		text.len--;
	if (!span_starts(text, PRIVATE_PREFIX))
		return fail(ERR_KEY, "a private key begins with " PRIVATE_PREFIX);
	e = split_key_text(span_from(text, strlen(PRIVATE_PREFIX)), &name, &hex, typed);
	if (e == OK)
		e = signer_from_seed(name, typed + 1, &s);
	sodium_memzero(typed, sizeof(typed));
	if (e == OK && !key_id_is(&s->verifier, hex)) {
		e = fail(ERR_KEY, "key of %s: its id is %08x, not %.*s", s->verifier.name, s->verifier.key_id,
			 SPAN_FORMAT(hex));
		signer_free(s);
	}
	if (e == OK)
		*out = s;
	return e;
}

static enum err write_private(const char *path, const struct signer *s)
{
	char text[PRIVATE_TEXT_MAX];
	size_t n = print_private(s, text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum err e = fd == -1 ? fail_errno("%s", path) : file_write_all(fd, text, n);

	sodium_memzero(text, sizeof(text));
	if (e == OK && fsync(fd) == -1)
		e = fail(ERR_SYNC, "%s: cannot be synced", path);
	if (fd != -1)
		close(fd);
	return e;
}

static enum err sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	char *folder;
	enum err e;

	if (slash == NULL)
		return folder_sync(".");
	if (n == 0)
		return folder_sync("/");
	if ((folder = strndup(path, n)) == NULL)
		return ERR_NO_MEMORY;
	e = folder_sync(folder);
	free(folder);
	return e;
}

/* A link to a finished, synced file: either all of the key is there under its name or nothing, and link() never
 * replaces what another process made meanwhile, as rename() would. */
enum err signer_save(const struct signer *s, const char *path)
{
	char *temporary = NULL;
	enum err e;

	if (file_exists(path))
		return fail(ERR_EXISTS, "%s: a key is never replaced", path);
	if (asprintf(&temporary, "%s.tmp", path) == -1)
		return ERR_NO_MEMORY;
	unlink(temporary); /* of an attempt that was cut short */
	e = write_private(temporary, s);
	if (e == OK && link(temporary, path) == -1)
		e = errno == EEXIST ? fail(ERR_EXISTS, "%s: a key is never replaced", path) : fail_errno("%s", path);
	unlink(temporary);
	if (e == OK)
		e = sync_parent(path);
	free(temporary);
	return e;
}

enum err signer_load(const char *path, struct signer **out)
{
	char text[PRIVATE_TEXT_MAX];
	struct stat st;
	enum err e = OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return fail_errno("%s", path);
	if (fstat(fd, &st) == -1)
		e = fail_errno("%s", path);
	else if (!S_ISREG(st.st_mode) || st.st_size > (off_t)sizeof(text))
		e = fail(ERR_KEY, "%s: not a key file", path);
	else if ((st.st_mode & 077) != 0)
		e = fail(ERR_KEY, "%s: others may read it (mode %04o); chmod 600 it, or better make a new key", path,
			 (unsigned)st.st_mode & 07777);
	else
		e = file_read_at(fd, text, (size_t)st.st_size, 0);
	close(fd);
	if (e == OK)
		e = parse_private(span_make(text, (size_t)st.st_size), out);
	sodium_memzero(text, sizeof(text));
	return e;
}

const struct verifier *signer_verifier(const struct signer *s)
{
	return &s->verifier;
}

void signer_sign(const struct signer *s, struct span text, uint8_t signature[KEY_SIGNATURE_SIZE])
{
	crypto_sign_detached(signature, NULL, (const uint8_t *)text.at, text.len, s->secret);
}

void signer_free(struct signer *s)
{
	sodium_free(s); /* erases; NULL is fine */
}
