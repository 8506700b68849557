#include "test.h"

#include "note/statement.h"

#include <stdio.h>

#define KEY_HEX "9216c2d64c4eedcbf4a9d02c5fd5a2fba5a4f15cfd8ae0a1ed0bd4f0d9a3cd2c"
#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD                                                                                                           \
	"comity/1 notice\nledger cert.example/circle\nfrom cert.example\n"                                             \
	"key " KEY_HEX "\n"

struct fixture {
	struct arena *arena;
	struct signer *signer;
	struct buffer out;
	struct statement_writer writer;
};

static int setup(void **state)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->arena = arena_new(1 << 22)) == NULL ||
	    signer_from_seed(SPAN("cert.example"), seed, &f->signer) != OK)
		return -1;
	f->out = BUFFER(1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	signer_free(f->signer);
	buffer_free(&f->out);
	statement_writer_free(&f->writer);
	free(f);
	return 0;
}

static enum err sign_and_parse(struct fixture *f, struct span text, struct statement *s)
{
	arena_reset(f->arena);
	buffer_clear(&f->out);
	if (note_sign(&f->out, text, f->signer) != OK)
		return ERR_NOTE;
	return statement_parse(f->arena, buffer_view(&f->out), s);
}

static void every_shared_header_is_read(void **state)
{
	static const char text[] =
		HEAD "to as64500.example\nto AS64500\nto prefix 2001:db8::/32\nto country EE\ncc all\n"
		     "re " HEX_A "\ndate 2026-11-22T20:45:00Z\nclass malicious-code/infected-system\n"
		     "tlp AMBER\nfor AS64501\nvia mail\n"
		     "body application/vnd.comity.evidence+zstd 18233 sealed-sha256:" HEX_A "\n";
	struct fixture *f = *state;
	struct statement s;

	assert_int_equal(sign_and_parse(f, span_of(text), &s), OK);
	assert_true(hash_equal(s.id, hash_span(span_of(text))));
	assert_int_equal(s.kind, KIND_NOTICE);
	assert_span(s.kind_name, "notice");
	assert_span(s.ledger, "cert.example/circle");
	assert_span(s.from, "cert.example");
	assert_true(s.has_date);
	assert_int_equal(s.date_ms, INT64_C(1795380300000));
	assert_int_equal(s.to_count, 4);
	assert_int_equal(s.to[0].type, TO_PARTY);
	assert_span(s.to[0].domain, "as64500.example");
	assert_int_equal(s.to[1].type, TO_AS);
	assert_int_equal(s.to[1].asn, 64500);
	assert_int_equal(s.to[2].type, TO_PREFIX);
	assert_int_equal(s.to[2].prefix.length, 32);
	assert_int_equal(s.to[3].type, TO_COUNTRY);
	assert_string_equal(s.to[3].country, "EE");
	assert_true(s.has_re);
	assert_int_equal(s.re.bytes[31], 0xaa);
	assert_span(s.for_party, "AS64501");
	assert_span(s.via, "mail");
	assert_true(s.has_body && s.body.sealed);
	assert_span(s.body.media_type, "application/vnd.comity.evidence+zstd");
	assert_int_equal(s.body.size, 18233);
	assert_int_equal(s.header_count, 15);
	assert_span(s.headers[0].name, "ledger");
	assert_span(statement_header(&s, "tlp")->value, "AMBER");
	assert_span(statement_header(&s, "to")->value, "as64500.example");
	assert_null(statement_header(&s, "tl"));
	assert_int_equal(note_verify(&s.note, signer_verifier(f->signer), 1, NULL), OK);
}

static void the_least_statement(void **state)
{
	struct fixture *f = *state;
	struct statement s;

	assert_int_equal(sign_and_parse(f, SPAN(HEAD), &s), OK);
	assert_false(s.has_date || s.has_re || s.has_body);
	assert_int_equal(s.to_count, 0);
	assert_int_equal(s.for_party.len + s.via.len, 0);
}

static void kinds_have_names(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER(4096);
	struct statement s;

	for (int k = 0; k < KIND_COUNT; k++) {
		buffer_clear(&text);
		buffer_print(&text, "comity/1 %s\n%s", kind_name((enum kind)k), strchr(HEAD, '\n') + 1);
		assert_int_equal(sign_and_parse(f, buffer_view(&text), &s), OK);
		assert_int_equal(s.kind, k);
	}
	assert_string_equal(kind_name(KIND_COUNT), "unknown");
	buffer_free(&text);
}

#define AFTER_KIND "\nledger cert.example/circle\nfrom cert.example\nkey " KEY_HEX "\n"
#define W10 "abcdefghij"

static void texts_and_verdicts(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} table[] = {
		/* the first line */
		{ "comity/1 zebra-2" AFTER_KIND, OK },
		{ "comity/1 " W10 W10 W10 W10 W10 W10 "abc" AFTER_KIND, OK },
		{ "comity/1 " W10 W10 W10 W10 W10 W10 "abcd" AFTER_KIND, ERR_STATEMENT },
		{ "comity/1" AFTER_KIND, ERR_STATEMENT },
		{ "comity/1 " AFTER_KIND, ERR_STATEMENT },
		{ "comity/1  notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity/1 notice " AFTER_KIND, ERR_STATEMENT },
		{ "comity/1 Notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity/1 1notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity/1 notice 2" AFTER_KIND, ERR_STATEMENT },
		{ "comity/2 notice" AFTER_KIND, ERR_STATEMENT_VERSION },
		{ "comity/10 notice" AFTER_KIND, ERR_STATEMENT_VERSION },
		{ "comity/0" AFTER_KIND, ERR_STATEMENT_VERSION },
		{ "comity/01 notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity/ notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity/x notice" AFTER_KIND, ERR_STATEMENT },
		{ "Comity/1 notice" AFTER_KIND, ERR_STATEMENT },
		{ "comity notice" AFTER_KIND, ERR_STATEMENT },
		{ "\n", ERR_STATEMENT },
		{ "comity/1 notice\n", ERR_STATEMENT_HEADER },
		/* the first three headers and their order */
		{ "comity/1 notice\nledger cert.example/circle\nfrom cert.example\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nfrom cert.example\nledger cert.example/circle\nkey " KEY_HEX "\n",
		  ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nto all\nfrom cert.example\nkey " KEY_HEX "\n",
		  ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nkey " KEY_HEX "\nfrom cert.example\n", ERR_STATEMENT_HEADER },
		{ HEAD "ledger cert.example/circle\n", ERR_STATEMENT_HEADER },
		{ HEAD "from cert.example\n", ERR_STATEMENT_HEADER },
		{ HEAD "key " KEY_HEX "\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger a b\nfrom cert.example\nkey " KEY_HEX "\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger a+b\nfrom cert.example\nkey " KEY_HEX "\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nfrom Cert.example\nkey " KEY_HEX "\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nfrom cert\nkey " KEY_HEX "\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nfrom other.example\nkey " KEY_HEX "\n", ERR_STATEMENT },
		{ "comity/1 notice\nledger l.example\nfrom cert.example\nkey " HEX_A "a\n", ERR_STATEMENT_HEADER },
		{ "comity/1 notice\nledger l.example\nfrom cert.example\nkey abcd\n", ERR_STATEMENT_HEADER },
		/* header lines */
		{ HEAD "x y\n", OK },
		{ HEAD "x2-y y\nx2-y y\n", OK },
		{ HEAD "x y  z\n", OK },
		{ HEAD "x ~!\n", OK },
		{ HEAD "x\n", ERR_STATEMENT_HEADER },
		{ HEAD "x \n", ERR_STATEMENT_HEADER },
		{ HEAD "x  y\n", ERR_STATEMENT_HEADER },
		{ HEAD "x y \n", ERR_STATEMENT_HEADER },
		{ HEAD " x y\n", ERR_STATEMENT_HEADER },
		{ HEAD "X y\n", ERR_STATEMENT_HEADER },
		{ HEAD "2x y\n", ERR_STATEMENT_HEADER },
		{ HEAD "-x y\n", ERR_STATEMENT_HEADER },
		{ HEAD "x_y y\n", ERR_STATEMENT_HEADER },
		{ HEAD "x: y\n", ERR_STATEMENT_HEADER },
		{ HEAD "x \x7f\n", ERR_STATEMENT_HEADER },
		{ HEAD "x z\xc3\xbcrich\n", ERR_STATEMENT_HEADER },
		{ HEAD "\nx y\n", ERR_STATEMENT_HEADER },
		{ HEAD "x y\n\n", ERR_STATEMENT_HEADER },
		{ HEAD W10 W10 W10 W10 W10 W10 "abc y\n", OK },
		{ HEAD W10 W10 W10 W10 W10 W10 "abcd y\n", ERR_STATEMENT_HEADER },
		/* addressees */
		{ HEAD "to all\nto all\n", OK },
		{ HEAD "to AS4294967294\n", OK },
		{ HEAD "to prefix 192.0.2.0/24\n", OK },
		{ HEAD "cc prefix 192.0.2.1/32\ncc country US\n", OK },
		{ HEAD "to\n", ERR_STATEMENT_HEADER },
		{ HEAD "to All\n", ERR_STATEMENT_HEADER },
		{ HEAD "to localhost\n", ERR_STATEMENT_HEADER },
		{ HEAD "to as64500\n", ERR_STATEMENT_HEADER },
		{ HEAD "to AS0\n", ERR_STATEMENT_HEADER },
		{ HEAD "to AS064500\n", ERR_STATEMENT_HEADER },
		{ HEAD "to AS4294967295\n", ERR_STATEMENT_HEADER },
		{ HEAD "to AS 64500\n", ERR_STATEMENT_HEADER },
		{ HEAD "to prefix 192.0.2.0\n", ERR_STATEMENT_HEADER },
		{ HEAD "to prefix 192.0.2.1/24\n", ERR_STATEMENT_HEADER },
		{ HEAD "to prefix 2001:DB8::/32\n", ERR_STATEMENT_HEADER },
		{ HEAD "to prefix 2001:db8:0::/32\n", ERR_STATEMENT_HEADER },
		{ HEAD "to 192.0.2.0/24\n", ERR_STATEMENT_HEADER },
		{ HEAD "to country ee\n", ERR_STATEMENT_HEADER },
		{ HEAD "to country EST\n", ERR_STATEMENT_HEADER },
		{ HEAD "to country  EE\n", ERR_STATEMENT_HEADER },
		{ HEAD "cc nobody\n", ERR_STATEMENT_HEADER },
		/* the others that every kind shares */
		{ HEAD "re " HEX_A "\n", OK },
		{ HEAD "re " HEX_A "\nre " HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "re abcd\n", ERR_STATEMENT_HEADER },
		{ HEAD "date 2026-11-22T20:45:00Z\ndate 2026-11-22T20:45:00Z\n", ERR_STATEMENT_HEADER },
		{ HEAD "date 2026-11-22T20:45:00.000Z\n", ERR_STATEMENT_HEADER },
		{ HEAD "date 2026-11-22\n", ERR_STATEMENT_HEADER },
		{ HEAD "class a/b\nclass c/d\n", ERR_STATEMENT_HEADER },
		{ HEAD "for a.example\n", OK },
		{ HEAD "for country EE\n", OK },
		{ HEAD "for all\n", ERR_STATEMENT_HEADER },
		{ HEAD "for nobody\n", ERR_STATEMENT_HEADER },
		{ HEAD "for a.example\nfor a.example\n", ERR_STATEMENT_HEADER },
		{ HEAD "via mail\nvia mail\n", ERR_STATEMENT_HEADER },
		{ HEAD "via E-mail\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 0 sha256:" HEX_A "\n", OK },
		{ HEAD "body text/plain 9223372036854775807 sha256:" HEX_A "\n", OK },
		{ HEAD "body text/plain 9223372036854775808 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 01 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain  1 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1 sha256:" HEX_A " x\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1 sha256:" HEX_A "0\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1 sealed-sealed-sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1 md5:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text 1 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body /plain 1 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/ 1 sha256:" HEX_A "\n", ERR_STATEMENT_HEADER },
		{ HEAD "body text/plain 1 sha256:" HEX_A "\nbody text/plain 1 sha256:" HEX_A "\n",
		  ERR_STATEMENT_HEADER },
	};
	struct fixture *f = *state;
	struct statement s;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		enum err e = sign_and_parse(f, span_of(table[i].text), &s);

		if (e != table[i].e)
			fail_msg("%s, not %s: %s", err_code(e), err_code(table[i].e), table[i].text);
		if (e != OK && e != ERR_NO_MEMORY && err_detail()[0] == '\0')
			fail_msg("nothing is said about: %s", table[i].text);
	}
}

static void one_signature_line(void **state)
{
	struct fixture *f = *state;
	struct statement s;

	note_sign(&f->out, SPAN(HEAD), f->signer);
	note_add_line(&f->out, SPAN(HEAD), f->signer);
	assert_int_equal(statement_parse(f->arena, buffer_view(&f->out), &s), ERR_STATEMENT);
	assert_int_equal(statement_parse(f->arena, SPAN(HEAD), &s), ERR_NOTE);
}

/* The largest statement and one byte more. */
static void statements_have_a_maximum(void **state)
{
	struct fixture *f = *state;
	size_t line = strlen("\xe2\x80\x94 cert.example ") + 92 + 1,
	       fill = STATEMENT_MAX - strlen(HEAD) - 2 - 1 - line - 1;
	struct buffer text = BUFFER(1 << 17);
	struct statement s;

	for (size_t extra = 0; extra < 2; extra++) {
		buffer_clear(&text);
		buffer_text(&text, HEAD "x ");
		memset(buffer_room(&text, fill + extra), 'y', fill + extra);
		text.len += fill + extra;
		buffer_byte(&text, '\n');
		assert_int_equal(sign_and_parse(f, buffer_view(&text), &s), extra == 0 ? OK : ERR_TOO_LONG);
		assert_int_equal(f->out.len, STATEMENT_MAX + extra);
	}
	buffer_free(&text);
}

static void headers_have_a_maximum(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER(1 << 17);
	struct statement s;

	buffer_text(&text, HEAD);
	for (int i = 3; i < STATEMENT_TEXT_HEADERS; i++)
		buffer_text(&text, "x y\n");
	assert_int_equal(sign_and_parse(f, buffer_view(&text), &s), OK);
	assert_int_equal(s.header_count, STATEMENT_TEXT_HEADERS);
	buffer_text(&text, "x y\n");
	assert_int_equal(sign_and_parse(f, buffer_view(&text), &s), ERR_TOO_LONG);
	buffer_free(&text);
}

static void written_and_parsed(void **state)
{
	const struct addressee to[] = {
		{ .type = TO_PARTY, .domain = SPAN("as64500.example") },
		{ .type = TO_AS, .asn = 64500 },
		{ .type = TO_COUNTRY, .country = "EE" },
		{ .type = TO_ALL },
	};
	struct body_reference body = { SPAN("text/csv"), 12, false, hash_bytes("x", 1) };
	struct fixture *f = *state;
	struct statement_writer *w = &f->writer;
	struct statement s;
	struct hash id;

	for (int round = 0; round < 2; round++) { /* the writer is free for the next begin */
		buffer_clear(&f->out);
		statement_begin(w, KIND_ANSWER, SPAN("cert.example"), signer_verifier(f->signer));
		for (size_t i = 0; i < TABLE_LENGTH(to); i++)
			statement_add_to(w, &to[i]);
		statement_add_hash(w, "re", hash_bytes("y", 1));
		statement_add_time(w, "date", INT64_C(1795380300000));
		statement_add_print(w, "count", "%d of %d", 3, 7);
		statement_add(w, "outcome", SPAN("fixed"));
		statement_add_body(w, &body);
		assert_int_equal(statement_end(w, f->signer, &f->out, &id), OK);
		assert_int_equal(statement_parse(f->arena, buffer_view(&f->out), &s), OK);
		assert_true(hash_equal(s.id, id));
		assert_true(hash_equal(s.key, verifier_fingerprint(signer_verifier(f->signer))));
		assert_int_equal(s.kind, KIND_ANSWER);
		assert_int_equal(s.to_count, 4);
		assert_int_equal(s.date_ms, INT64_C(1795380300000));
		assert_true(hash_equal(s.body.hash, body.hash) && !s.body.sealed && s.body.size == 12);
		assert_span(statement_header(&s, "count")->value, "3 of 7");
		assert_int_equal(note_verify(&s.note, signer_verifier(f->signer), 1, NULL), OK);
	}
}

static void the_writer_refuses_what_the_reader_would(void **state)
{
	static const struct {
		const char *name, *value;
	} table[] = {
		{ "x", "" },
		{ "x", " y" },
		{ "x", "y " },
		{ "x", "y\nz a" },
		{ "X", "y" },
		{ "", "y" },
		{ "x y", "z" },
		{ "to", "me" },
		{ "ledger", "a" },
		{ "from", "a.example" },
		{ "key", HEX_A },
		{ "date", "today" },
		{ "re", "x" },
		{ "body", "none at all" },
		{ "via", "E" },
		{ "for", "all" },
		{ "x", "z\xc3\xbcrich" },
	};
	struct fixture *f = *state;
	struct statement_writer *w = &f->writer;
	struct hash id;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		statement_begin(w, KIND_NOTICE, SPAN("cert.example"), signer_verifier(f->signer));
		statement_add(w, table[i].name, span_of(table[i].value));
		statement_add(w, "good", SPAN("too late")); /* sticky */
		if (statement_end(w, f->signer, &f->out, &id) != ERR_STATEMENT_HEADER || f->out.len != 0)
			fail_msg("accepted: %s %s", table[i].name, table[i].value);
	}
	statement_begin(w, KIND_NOTICE, SPAN("cert.example"), signer_verifier(f->signer));
	statement_add(w, "via", SPAN("mail"));
	statement_add(w, "via", SPAN("mail"));
	assert_int_equal(statement_end(w, f->signer, &f->out, &id), ERR_STATEMENT_HEADER);
	statement_begin(w, KIND_UNKNOWN, SPAN("cert.example"), signer_verifier(f->signer));
	assert_int_equal(statement_end(w, f->signer, &f->out, &id), ERR_STATEMENT_KIND);
	statement_begin(w, KIND_NOTICE, SPAN("a b"), signer_verifier(f->signer));
	assert_int_equal(statement_end(w, f->signer, &f->out, &id), ERR_STATEMENT_HEADER);
}

static void the_writer_keeps_the_maxima(void **state)
{
	struct fixture *f = *state;
	struct statement_writer *w = &f->writer;
	struct hash id;

	statement_begin(w, KIND_NOTICE, SPAN("cert.example"), signer_verifier(f->signer));
	for (int i = 0; i < STATEMENT_TEXT_HEADERS; i++)
		statement_add(w, "x", SPAN("y"));
	assert_int_equal(statement_end(w, f->signer, &f->out, &id), ERR_TOO_LONG);
	statement_begin(w, KIND_NOTICE, SPAN("cert.example"), signer_verifier(f->signer));
	for (int i = 0; i < 700; i++)
		statement_add_print(w, "x", "%097d", i);
	assert_int_equal(statement_end(w, f->signer, &f->out, &id), ERR_TOO_LONG);
	assert_int_equal(f->out.len, 0);
}

static void one_key_begins_and_ends(void **state)
{
	struct fixture *f = *state;
	struct signer *other = NULL;
	struct hash id;

	assert_int_equal(signer_new(SPAN("cert.example"), &other), OK);
	statement_begin(&f->writer, KIND_NOTICE, SPAN("cert.example"), signer_verifier(f->signer));
	assert_int_equal(statement_end(&f->writer, other, &f->out, &id), ERR_KEY);
	signer_free(other);
}

static void addressees_come_back_as_written(void **state)
{
	static const char *const table[] = { "a.example",    "xn--zrich-kva.example", "AS1",
					     "AS4294967294", "prefix 0.0.0.0/0",      "prefix 192.0.2.0/24",
					     "prefix ::/0",  "prefix 2001:db8::/32",  "country EE",
					     "all" };
	struct buffer out = BUFFER(1000);
	struct addressee to;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		buffer_clear(&out);
		assert_int_equal(addressee_parse(span_of(table[i]), &to), OK);
		addressee_print(&to, &out);
		assert_span(buffer_view(&out), table[i]);
	}
	buffer_free(&out);
}

static void a_seal_binds_every_part(void **state)
{
	uint8_t salt[SEAL_SALT_SIZE] = { 7 };
	struct hash h = seal_commitment(SPAN("a.example"), SPAN("m"), SPAN("text/plain"), salt, SPAN("payload"));
	char preimage[200];
	size_t n;

	(void)state;
	n = (size_t)snprintf(preimage, sizeof(preimage), "comity/commit/v1\n%c%ca.example%c%cm%c%ctext/plain", 0, 9, 0,
			     1, 0, 10);
	memcpy(preimage + n, salt, sizeof(salt));
	memcpy(preimage + n + sizeof(salt), "payload", 7);
	assert_true(hash_equal(h, hash_bytes(preimage, n + sizeof(salt) + 7)));
	/* no byte may move from one part to the next */
	assert_false(hash_equal(
		h, seal_commitment(SPAN("a.examplem"), SPAN(""), SPAN("text/plain"), salt, SPAN("payload"))));
	salt[31] = 1;
	assert_false(hash_equal(
		h, seal_commitment(SPAN("a.example"), SPAN("m"), SPAN("text/plain"), salt, SPAN("payload"))));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_shared_header_is_read),
		TEST(the_least_statement),
		TEST(kinds_have_names),
		TEST(texts_and_verdicts),
		TEST(one_signature_line),
		TEST(statements_have_a_maximum),
		TEST(headers_have_a_maximum),
		TEST(written_and_parsed),
		TEST(the_writer_refuses_what_the_reader_would),
		TEST(the_writer_keeps_the_maxima),
		TEST(one_key_begins_and_ends),
		cmocka_unit_test(addressees_come_back_as_written),
		cmocka_unit_test(a_seal_binds_every_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
