#include "note/note.h"

#include "base/encoding.h"

#include <assert.h>

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define KEY_ID_SIZE 4

/* What holds for a whole note and so for its text. */
static bool controls_allowed(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.at[i] < 0x20 && s.at[i] != '\n')
			return false;
	return true;
}

/* Eight bytes at once: where none is below 0x20, nothing is borrowed into a byte's highest bit. */
static bool bytes_allowed(struct span s)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t eight;
	size_t i = 0;

	for (; s.len - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, s.at + i, sizeof(eight));
		if (((eight - each * 0x20) & ~eight & (each * 0x80)) != 0 &&
		    !controls_allowed(span_make(s.at + i, sizeof(eight))))
			return false;
	}
	return controls_allowed(span_from(s, i)) && span_is_utf8(s);
}

/* "— name base64", its LF already cut off. */
static enum err parse_line(struct arena *a, struct span line, struct note_line *out)
{
	struct span rest;
	size_t length = 0;
	uint8_t *blob;

	if (!span_starts(line, DASH))
		return fail(ERR_NOTE, "a signature line begins with an em dash and a space");
	rest = span_from(line, strlen(DASH));
	out->name = span_cut(&rest, ' ');
	if (rest.at == NULL || !key_name_valid(out->name))
		return fail(ERR_NOTE, "a signature line has a key's name, a space, a signature");
	if ((blob = arena_alloc(a, rest.len / 4 * 3)) == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(rest, blob, rest.len / 4 * 3, &length) != OK)
		return fail(ERR_ENCODING, "signature of %.*s: not canonical base64", SPAN_FORMAT(out->name));
	if (length <= KEY_ID_SIZE)
		return fail(ERR_NOTE, "signature of %.*s: nothing behind the key id", SPAN_FORMAT(out->name));
	out->key_id = (uint32_t)blob[0] << 24 | (uint32_t)blob[1] << 16 | (uint32_t)blob[2] << 8 | blob[3];
	out->signature = span_make(blob + KEY_ID_SIZE, length - KEY_ID_SIZE);
	return OK;
}

/* Where the signature lines begin: behind the last empty line. 0: there is none, or no text before it. */
static size_t signatures_offset(struct span whole)
{
	for (size_t i = whole.len; i >= 2; i--)
		if (whole.at[i - 1] == '\n' && whole.at[i - 2] == '\n')
			return i;
	return 0;
}

enum err note_parse(struct arena *a, struct span whole, struct note *out)
{
	size_t at = signatures_offset(whole), count = 0;
	struct note_line *lines;
	struct span rest;

	if (at == 0 || at == whole.len || whole.at[whole.len - 1] != '\n')
		return fail(ERR_NOTE, "a note is a text, an empty line and whole signature lines");
	if (!bytes_allowed(whole))
		return fail(ERR_ENCODING, "a note is UTF-8 without control characters (no tab, no CR)");
	rest = span_from(whole, at);
	for (size_t i = 0; i < rest.len; i++)
		count += rest.at[i] == '\n';
	if (count > NOTE_LINES)
		return fail(ERR_NOTE, "%zu signature lines; at most %d are read", count, NOTE_LINES);
	if ((lines = arena_array(a, count, sizeof(*lines))) == NULL)
		return ERR_NO_MEMORY;
	rest.len--; /* the last LF, so that cutting ends with the last line */
	for (size_t i = 0; i < count; i++) {
		enum err e = parse_line(a, span_cut(&rest, '\n'), &lines[i]);

		if (e != OK)
			return e;
	}
	*out = (struct note){ span_make(whole.at, at - 1), whole, lines, count };
	return OK;
}

enum err note_verify(const struct note *n, const struct verifier *keys, size_t key_count, uint64_t *verified)
{
	uint64_t seen = 0;

	assert(key_count <= 64);
	for (size_t i = 0; i < n->line_count; i++) {
		const struct note_line *line = &n->lines[i];

		for (size_t k = 0; k < key_count; k++) {
			if (line->key_id != keys[k].key_id || !span_is(line->name, keys[k].name))
				continue;
			if (line->signature.len != KEY_SIGNATURE_SIZE ||
			    !verifier_check(&keys[k], n->text, (const uint8_t *)line->signature.at))
				return fail(ERR_NOTE_SIGNATURE, "the signature of %s does not fit the text",
					    keys[k].name);
			seen |= (uint64_t)1 << k;
		}
	}
	if (seen == 0)
		return fail(ERR_NOTE_UNSIGNED, "no signature by a key that is known here");
	if (verified != NULL)
		*verified = seen;
	return OK;
}

enum err note_add_line(struct buffer *out, struct span text, const struct signer *key)
{
	const struct verifier *v = signer_verifier(key);
	uint8_t blob[KEY_ID_SIZE + KEY_SIGNATURE_SIZE] = { (uint8_t)(v->key_id >> 24), (uint8_t)(v->key_id >> 16),
							   (uint8_t)(v->key_id >> 8), (uint8_t)v->key_id };

	signer_sign(key, text, blob + KEY_ID_SIZE);
	buffer_text(out, DASH);
	buffer_text(out, v->name);
	buffer_byte(out, ' ');
	base64_append(out, blob, sizeof(blob));
	buffer_byte(out, '\n');
	return out->err;
}

enum err note_sign(struct buffer *out, struct span text, const struct signer *key)
{
	if (text.len == 0 || text.at[text.len - 1] != '\n' || !bytes_allowed(text))
		return fail(ERR_NOTE, "a note's text is UTF-8 without control characters and ends with a LF");
	buffer_span(out, text);
	buffer_byte(out, '\n');
	return note_add_line(out, text, key);
}

/*
 * The self-test
 *
 * Implementations of Ed25519 agree on honest signatures and differ on crafted ones. What is accepted decides what enters
 * a ledger, so two nodes must never differ, and a later libsodium may judge otherwise (its development branch multiplies
 * by the cofactor). The vectors are those of RFC 8032 (section 7.1) and of ed25519-speccheck; "why" says which rule a
 * library that answers otherwise follows.
 */
static const struct trial {
	const char *message, *key, *signature;
	bool accept, key_valid;
	const char *why;
} trials[] = {
	{ "72", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	  true, true, "an honest signature is refused" },
	{ "73", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	  false, true, "a signature of another message is accepted" },
	{ "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
	  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
	  "0000000000000000000000000000000000000000000000000000000000000000",
	  false, false, "a key and R of small order are accepted" },
	{ "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
	  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	  "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
	  "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
	  false, false, "a key of small order is accepted" },
	{ "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
	  "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
	  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
	  "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
	  false, true, "R of small order is accepted" },
	{ "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
	  "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
	  "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
	  "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
	  true, true, "points of mixed order are refused" },
	{ "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
	  "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
	  "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
	  "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
	  false, true, "the equation is multiplied by the cofactor" },
	{ "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
	  "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
	  "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
	  "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
	  false, true, "the equation is multiplied by the cofactor" },
	{ "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
	  "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
	  "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
	  "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
	  false, true, "S is not reduced" },
	{ "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
	  "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
	  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
	  "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
	  false, true, "an R that is not canonical is accepted" },
};

static enum err run_trial(const struct trial *t)
{
	struct verifier v = { .algorithm = KEY_ED25519 }, checked;
	uint8_t message[32], signature[KEY_SIGNATURE_SIZE];
	size_t n = strlen(t->message) / 2;

	if (hex_decode(span_of(t->message), message, n) != OK ||
	    hex_decode(span_of(t->key), v.public_key, sizeof(v.public_key)) != OK ||
	    hex_decode(span_of(t->signature), signature, sizeof(signature)) != OK)
		return fail(ERR_CRYPTO_SELF_TEST, "a vector is damaged");
	if (verifier_check(&v, span_make(message, n), signature) != t->accept)
		return fail(ERR_CRYPTO_SELF_TEST, "%s", t->why);
	if ((verifier_make(SPAN("self.test"), v.public_key, &checked) == OK) != t->key_valid)
		return fail(ERR_CRYPTO_SELF_TEST, "a key is judged otherwise than its signatures");
	return OK;
}

/* Signing is deterministic: replicas of a node sign the same bytes. The seed and signature are those of RFC 8032. */
static enum err run_signing_trial(void)
{
	static const char seed_hex[] = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
	uint8_t seed[KEY_SEED_SIZE], signature[KEY_SIGNATURE_SIZE];
	char hex[2 * KEY_SIGNATURE_SIZE + 1];
	struct signer *s = NULL;
	enum err e = hex_decode(span_of(seed_hex), seed, sizeof(seed));

	if (e == OK)
		e = signer_from_seed(SPAN("self.test"), seed, &s);
	if (e != OK)
		return e;
	signer_sign(s, SPAN("r"), signature);
	signer_free(s);
	hex_encode(signature, sizeof(signature), hex);
	return strcmp(hex, trials[0].signature) == 0 ? OK : fail(ERR_CRYPTO_SELF_TEST, "signing gives other bytes");
}

enum err note_self_test(void)
{
	enum err e = run_signing_trial();

	for (size_t i = 0; e == OK && i < sizeof(trials) / sizeof(trials[0]); i++)
		e = run_trial(&trials[i]);
	if (e == OK)
		err_clear(); /* the details of keys that were rightly refused */
	return e;
}
