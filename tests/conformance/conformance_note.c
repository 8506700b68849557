/* Signed notes, their keys, the statement as a log entry, commitments. */
#include "vectors.h"

#include "ledger/merkle.h"
#include "ledger/tile.h"
#include "note/statement.h"

#include <unistd.h>

#define MOST_KEYS 8

static size_t parse_keys(yyjson_val *list, struct verifier *out)
{
	yyjson_arr_iter at = yyjson_arr_iter_with(list);
	yyjson_val *key;
	size_t count = 0;

	while ((key = yyjson_arr_iter_next(&at)) != NULL) {
		assert_true(count < MOST_KEYS);
		assert_int_equal(verifier_parse(as_text(key), &out[count++]), OK);
	}
	return count;
}

static struct span note_of(yyjson_val *c)
{
	yyjson_val *hex = yyjson_obj_get(c, "note_hex");

	return hex != NULL ? from_hex(as_text(hex)) : text(c, "note");
}

/* Who is named as verified must be just who verified. */
static void assert_verified(yyjson_val *c, const struct verifier *keys, size_t count, uint64_t verified)
{
	uint64_t expected = 0;
	yyjson_val *name;

	FOR_EACH(name, c, "verified")
	for (size_t k = 0; k < count; k++)
		if (span_is(as_text(name), keys[k].name))
			expected |= (uint64_t)1 << k;
	if (verified != expected)
		fail_msg("%s: verified by others than expected", name_of(c));
}

static void verify_vectors(void **state)
{
	yyjson_val *root = vectors_json("note/note_vectors.json"), *c, *key;
	struct verifier keys[MOST_KEYS], v;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "verify")
	{
		size_t count = parse_keys(field(c, "vkeys"), keys);
		uint64_t verified = 0;
		struct note n;
		bool ok = note_parse(vectors_arena, text(c, "note"), &n) == OK &&
			  note_verify(&n, keys, count, &verified) == OK;

		if (ok != flag(c, "ok"))
			fail_msg("%s: %s", name_of(c), err_detail());
		if (ok)
			assert_verified(c, keys, count, verified);
		vectors++;
	}
	FOR_EACH(key, root, "vkeys_good")
	{
		assert_int_equal(verifier_parse(as_text(key), &v), OK);
		vectors++;
	}
	FOR_EACH(c, root, "vkeys_bad")
	{
		assert_int_equal(verifier_parse(text(c, "vkey"), &v), ERR_KEY);
		vectors++;
	}
	count_message("note/note_vectors.json", vectors);
}

/* "PRIVATE+KEY+name+hex+base64": the file form, so through a file. */
static struct signer *signer_of(struct span private_key)
{
	char path[] = "/tmp/comity-conformance-XXXXXX";
	struct signer *s = NULL;
	int fd = mkstemp(path);

	assert_true(fd != -1);
	assert_int_equal(file_write_all(fd, private_key.at, private_key.len), OK);
	close(fd);
	assert_int_equal(signer_load(path, &s), OK);
	unlink(path);
	return s;
}

static void sign_vectors(void **state)
{
	yyjson_val *root = vectors_json("note/note_vectors.json"), *c;
	struct buffer out = BUFFER(1 << 16);

	(void)state;
	FOR_EACH(c, root, "sign")
	{
		struct signer *s = signer_of(text(c, "skey"));

		buffer_clear(&out);
		assert_int_equal(note_sign(&out, text(c, "text"), s), OK);
		assert_true(span_equal(buffer_view(&out), text(c, "note")));
		signer_free(s);
	}
	buffer_free(&out);
}

static bool also_malformed(yyjson_val *c)
{
	return yyjson_obj_get(c, "also") != NULL;
}

static void open_group(yyjson_val *root, const char *group, const char *default_keys, size_t *vectors)
{
	yyjson_val *c;

	FOR_EACH(c, root, group)
	{
		yyjson_val *list = yyjson_obj_get(c, "vkeys");
		struct span expected = text(c, "result");
		struct verifier keys[MOST_KEYS];
		size_t count = parse_keys(list != NULL ? list : field(root, default_keys), keys);
		uint64_t verified = 0;
		struct note n;
		bool parsed = note_parse(vectors_arena, note_of(c), &n) == OK;
		bool ok = parsed && note_verify(&n, keys, count, &verified) == OK;

		if (ok != span_is(expected, "ok"))
			fail_msg("%s: %s", name_of(c), err_detail());
		if (span_is(expected, "malformed") || span_is(expected, "strict_malformed"))
			assert_false(parsed);
		if (span_is(expected, "reject") && !parsed && !also_malformed(c))
			fail_msg("%s: a note, but refused as none: %s", name_of(c), err_detail());
		if (ok)
			assert_verified(c, keys, count, verified);
		++*vectors;
	}
}

static void open_vectors(void **state)
{
	yyjson_val *root = vectors_json("note/open_vectors.json");
	size_t vectors = 0;

	(void)state;
	open_group(root, "upstream", "vkeys_upstream", &vectors);
	open_group(root, "own", "vkeys_own", &vectors);
	count_message("note/open_vectors.json", vectors);
}

static bool is_cosigner_key(struct span vkey)
{
	struct span rest = vkey, bytes;

	span_cut(&rest, '+');
	span_cut(&rest, '+');
	return rest.at != NULL && from_base64(rest, &bytes) && bytes.len == 33 && bytes.at[0] == 4;
}

static void vkey_vectors(void **state)
{
	yyjson_val *root = vectors_json("note/vkey_vectors.json"), *c;
	struct buffer out = BUFFER(1000);
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		struct verifier v;
		bool ok = verifier_parse(text(c, "vkey"), &v) == OK;

		if (is_cosigner_key(text(c, "vkey")))
			continue; /* see below */
		if (ok != flag(c, "ok"))
			fail_msg("%s", name_of(c));
		if (ok) {
			buffer_clear(&out);
			verifier_print(&v, &out);
			assert_true(span_equal(buffer_view(&out), text(c, "vkey")));
		}
		vectors++;
	}
	buffer_free(&out);
	count_message("note/vkey_vectors.json", vectors);
}

static void key_ids(void **state)
{
	yyjson_val *root = vectors_json("note/key_id_vectors.json");
	struct span public_key = from_hex(text(root, "public_key_hex"));
	struct signer *s = signer_of(text(root, "go_private_key"));
	struct buffer out = BUFFER(1000);
	struct verifier v;
	char hex[9];

	(void)state;
	assert_int_equal(verifier_make(text(root, "name"), (const uint8_t *)public_key.at, &v), OK);
	snprintf(hex, sizeof(hex), "%08x", v.key_id);
	assert_true(span_is(text(field(root, "key_ids"), "01"), hex));
	verifier_print(&v, &out);
	assert_true(span_equal(buffer_view(&out), text(field(root, "vkeys"), "01")));
	assert_memory_equal(signer_verifier(s), &v, sizeof(v));
	signer_free(s);
	buffer_free(&out);
}

static void keys_of_cosigners(void **state)
{
	(void)state;
	print_message("skipped: keys of type 04 (cosigners) come with the witness: two vectors of note/\n");
	skip();
}

static void statement_as_entry(void **state)
{
	yyjson_val *root = vectors_json("generated/statement_leaf.json");
	struct buffer record = BUFFER(1 << 17);
	struct verifier v;
	struct note n;

	(void)state;
	assert_int_equal(verifier_parse(text(root, "vkey"), &v), OK);
	assert_int_equal(note_parse(vectors_arena, text(root, "note"), &n), OK);
	assert_int_equal(note_verify(&n, &v, 1, NULL), OK);
	assert_int_equal(n.whole.len, number(root, "entry_bytes"));
	assert_true(hash_equal(merkle_leaf(n.whole), hex_hash(text(root, "leaf_hash_hex"))));
	bundle_append(&record, n.whole);
	assert_true(span_equal(buffer_view(&record), from_hex(text(root, "bundle_record_hex"))));
	buffer_free(&record);
}

static void commitments(void **state)
{
	yyjson_val *root = vectors_json("generated/commitment_vectors.json"), *c;
	size_t vectors = 0;

	(void)state;
	FOR_EACH(c, root, "cases")
	{
		struct span salt = from_hex(text(c, "salt_hex")), payload = from_hex(text(c, "payload_hex"));
		struct hash h;

		assert_int_equal(salt.len, SEAL_SALT_SIZE);
		h = seal_commitment(text(c, "author"), text(c, "case_id"), text(c, "media_type"),
				    (const uint8_t *)salt.at, payload);
		assert_true(hash_equal(h, hex_hash(text(c, "commitment_hex"))));
		assert_true(hash_equal(h, hash_span(from_hex(text(c, "preimage_hex")))));
		vectors++;
	}
	count_message("generated/commitment_vectors.json", vectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_vectors),
		cmocka_unit_test(sign_vectors),
		cmocka_unit_test(open_vectors),
		cmocka_unit_test(vkey_vectors),
		cmocka_unit_test(key_ids),
		cmocka_unit_test(keys_of_cosigners),
		cmocka_unit_test(statement_as_entry),
		cmocka_unit_test(commitments),
	};

	return vectors_present() ? cmocka_run_group_tests(tests, NULL, NULL) : SKIPPED;
}
