#include "exchange/access_private.h"

#include <pthread.h>
#include <sodium.h>

#include "exchange/attempts.h"
#include "exchange/nonces.h"
#include "exchange/passwords.h"
#include "regime_node.h"
#include "store/journal.h"

/* ---- structured fields ---- */

static void structured_fields(void **state)
{
	static const struct {
		const char *text, *canonical; /* NULL: refused */
	} table[] = {
		{ "", "" },
		{ "a", "a" },
		{ "a=1, b=-12,c=?0", "a=1, b=-12, c=?0" },
		{ "a=?1;x;y=?1;z=?0", "a;x;y;z=?0" },
		{ "  a=( \"x\"  y;q=1 :AAAA: );k=\"v\\\"\\\\\" \t,\tb", "a=(\"x\" y;q=1 :AAAA:);k=\"v\\\"\\\\\", b" },
		{ "a=()", "a=()" },
		{ "a=1.50, b=0.125, c=-3.0, d=7.20", "a=1.5, b=0.125, c=-3.0, d=7.2" },
		{ "a=999999999999999", "a=999999999999999" },
		{ "a=0012", "a=12" },
		{ "*a_-.*=tok/en:1", "*a_-.*=tok/en:1" },
		{ "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
		  "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:" },
		{ "a=9999999999999999", NULL },
		{ "a=1234567890123.1", NULL },
		{ "a=1.", NULL },
		{ "a=1.1234", NULL },
		{ "a=-", NULL },
		{ "a=", NULL },
		{ "A=1", NULL },
		{ "a=1,", NULL },
		{ "a=1,,b", NULL },
		{ "a=1 b=2", NULL },
		{ "a=1, a=2", NULL },
		{ "a;x=1;x=2", NULL },
		{ "a=\"x", NULL },
		{ "a=\"\\n\"", NULL },
		{ "a=\"\\", NULL },
		{ "a=\"\x7f\"", NULL },
		{ "a=\"\xc3\xa9\"", NULL },
		{ "a=(1 2", NULL },
		{ "a=(1(2))", NULL },
		{ "a=(\"x\"\"y\")", NULL },
		{ "a=:AA:", NULL },
		{ "a=:AB==:", NULL }, /* spare bits */
		{ "a=:AAAA", NULL },
		{ "a=?2", NULL },
		{ "a=?", NULL },
		{ "a;", NULL },
		{ "a=@1", NULL },
		{ ",", NULL },
	};
	struct arena *a = arena_new((size_t)1 << 20);

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct buffer out = BUFFER(4096);
		struct dictionary d;
		enum err e = dictionary_read(a, span_of(table[i].text), &d);

		if ((e == OK) != (table[i].canonical != NULL))
			fail_msg("%s: %s", table[i].text, err_code(e));
		if (e == OK) {
			dictionary_print(&d, &out);
			assert_span(buffer_view(&out), table[i].canonical);
		} else {
			assert_int_equal(e, ERR_SYNTAX);
		}
		buffer_free(&out);
		arena_reset(a);
	}
	arena_free(a);
}

static void structured_fields_are_bounded(void **state)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct buffer text = BUFFER((size_t)1 << 20);
	struct dictionary d;

	(void)state;
	for (int i = 0; i < FIELD_MEMBERS_MAX; i++)
		buffer_print(&text, "%sa%d", i > 0 ? "," : "", i);
	assert_int_equal(dictionary_read(a, buffer_view(&text), &d), OK);
	buffer_text(&text, ",b");
	assert_int_equal(dictionary_read(a, buffer_view(&text), &d), ERR_TOO_LONG);
	buffer_clear(&text);
	buffer_text(&text, "a=(");
	for (int i = 0; i < FIELD_ITEMS_MAX + 1; i++)
		buffer_text(&text, "1 ");
	buffer_text(&text, ")");
	assert_int_equal(dictionary_read(a, buffer_view(&text), &d), ERR_TOO_LONG);
	buffer_clear(&text);
	buffer_text(&text, "a");
	for (int i = 0; i < FIELD_PARAMETERS_MAX + 1; i++)
		buffer_print(&text, ";p%d", i);
	assert_int_equal(dictionary_read(a, buffer_view(&text), &d), ERR_TOO_LONG);
	buffer_clear(&text);
	while (text.len <= FIELD_TEXT_MAX)
		buffer_text(&text, "aaaaaaaa");
	assert_int_equal(dictionary_read(a, buffer_view(&text), &d), ERR_TOO_LONG);
	buffer_free(&text);
	arena_free(a);
}

/* ---- RFC 9421, B.2.6 ---- */

static void published_signature(void **state)
{
	static const uint8_t public_key[KEY_PUBLIC_SIZE] = {
		0x26, 0xb4, 0x0b, 0x8f, 0x93, 0xff, 0xf3, 0xd8, 0x97, 0x11, 0x2f, 0x7e, 0xbc, 0x58, 0x2b, 0x23,
		0x2d, 0xbd, 0x72, 0x51, 0x7d, 0x08, 0x2f, 0xe8, 0x3c, 0xfb, 0x30, 0xdd, 0xce, 0x43, 0xd1, 0xbb,
	};
	struct signed_message m = { .method = SPAN("POST"),
				    .authority = SPAN("example.com"),
				    .path = SPAN("/foo"),
				    .query = SPAN("param=Value&Pet=dog"),
				    .fields = { [SIGNED_DATE] = SPAN("Tue, 20 Apr 2021 02:07:55 GMT"),
						[SIGNED_CONTENT_TYPE] = SPAN("application/json"),
						[SIGNED_CONTENT_LENGTH] = SPAN("18") } };
	struct arena *a = arena_new((size_t)1 << 20);
	struct buffer base = BUFFER(4096);
	struct dictionary input, made;
	struct verifier key;
	struct signature s;

	(void)state;
	assert_int_equal(verifier_make(SPAN("test-key-ed25519"), public_key, &key), OK);
	assert_int_equal(dictionary_read(a,
					 SPAN("sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
					      "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\""),
					 &input),
			 OK);
	assert_int_equal(
		dictionary_read(a,
				SPAN("sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w"
				     "6vuQv5lIp5WPpBKRCw==:"),
				&made),
		OK);
	s = (struct signature){ .covered = &input.members[0] };
	assert_int_equal(signature_base(&s, &m, &base), OK);
	assert_int_equal(made.members[0].items[0].value.text.len, KEY_SIGNATURE_SIZE);
	assert_true(verifier_check(&key, buffer_view(&base), (const uint8_t *)made.members[0].items[0].value.text.at));
	buffer_clear(&base);
	m.path = SPAN("/fop");
	assert_int_equal(signature_base(&s, &m, &base), OK);
	assert_false(verifier_check(&key, buffer_view(&base), (const uint8_t *)made.members[0].items[0].value.text.at));
	buffer_free(&base);
	arena_free(a);
}

/* RFC 9530, B.1. */
static void published_digest(void **state)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct buffer out = BUFFER(4096);
	bool said;

	(void)state;
	digest_print(SPAN("{\"hello\": \"world\"}\n"), &out);
	assert_span(buffer_view(&out), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	assert_int_equal(digest_check(a, buffer_view(&out), SPAN("{\"hello\": \"world\"}\n"), &said), OK);
	assert_true(said);
	assert_int_equal(digest_check(a, buffer_view(&out), SPAN("{\"hello\": \"world\"}"), &said), ERR_FIELD);
	assert_int_equal(digest_check(a, SPAN("sha-512=:AAAA:"), SPAN("x"), &said), OK);
	assert_false(said);
	assert_int_equal(digest_check(a, SPAN("sha-256=AAAA"), SPAN("x"), &said), ERR_FIELD);
	assert_int_equal(digest_check(a, SPAN("sha-256"), SPAN("x"), &said), ERR_FIELD);
	assert_int_equal(digest_check(a, SPAN("sha-256="), SPAN("x"), &said), ERR_FIELD);
	buffer_free(&out);
	arena_free(a);
}

/* ---- a node with tools ---- */

#define PASSWORD "a horse, of course"
#define OTHER_PASSWORD "another horse"

struct fixture {
	struct world *w;
	struct access *access;
};

static void keep(struct world *w, const struct credential *c)
{
	struct buffer record = BUFFER(4096);
	struct span part;

	credential_write(&record, c);
	assert_int_equal(record.err, OK);
	part = buffer_view(&record);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(w->n), OK);
	buffer_free(&record);
}

static void let_in(struct world *w, enum credential_type t, const char *name, const char *party, unsigned rights,
		   const char *secret, int64_t expires_ms)
{
	struct credential c = {
		.type = t, .name = span_of(name), .party = span_of(party), .rights = rights, .expires_ms = expires_ms
	};
	struct hash h = hash_bytes(secret, strlen(secret));
	char check[crypto_pwhash_STRBYTES];

	c.check = span_make(h.bytes, HASH_SIZE);
	if (t == CREDENTIAL_PASSWORD) {
		assert_int_equal(crypto_pwhash_str(check, secret, strlen(secret), crypto_pwhash_OPSLIMIT_INTERACTIVE,
						   crypto_pwhash_MEMLIMIT_INTERACTIVE),
				 0);
		c.check = span_of(check);
	}
	keep(w, &c);
}

static void remove_tool(struct world *w, const char *name)
{
	struct buffer record = BUFFER(4096);
	struct span part;

	credential_write_removal(&record, span_of(name));
	part = buffer_view(&record);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(w->n), OK);
	buffer_free(&record);
}

static void judge(struct world *w, struct hash party_statement, const char *outcome, const char *text)
{
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_ANSWER, "cert.example/public", node_signer(w->n),
						  arena_print(w->arena, "re %s\noutcome %s\ntext %s\n",
							      hex_of(w->arena, party_statement), outcome, text),
						  NULL),
				   NULL),
			 OK);
}

static struct fixture begin(void **state)
{
	struct fixture f = { .w = world_new(*state) };

	assert_int_equal(access_new(f.w->n, &f.access), OK);
	return f;
}

static void end(struct fixture *f)
{
	access_free(f->access);
	world_free(f->w);
}

static struct span basic(struct arena *a, const char *name, const char *password)
{
	struct buffer b = BUFFER(4096);
	char *plain = arena_print(a, "%s:%s", name, password), *text;

	buffer_text(&b, "Basic ");
	base64_append(&b, plain, strlen(plain));
	text = arena_copy(a, b.at, b.len);
	buffer_free(&b);
	return span_of(text);
}

static struct span bearer(struct arena *a, const char *token)
{
	return span_of(arena_print(a, "Bearer %s", token));
}

static enum err who(struct fixture *f, struct span authorization, struct caller **c)
{
	struct access_head h = { .authorization = authorization, .peer = SPAN("192.0.2.1") };

	*c = NULL;
	return access_check(f->access, f->w->arena, &h, c);
}

static void authorizations(void **state)
{
	static const char *const bad[] = {
		"",
		"Basic",
		"Basic ",
		"Basic ZGVzaw==", /* no colon */
		"Basic ZGVzazp4=",
		"Basic OnBhc3N3b3Jk", /* no name */
		"Basic ZGVzazoKeA==", /* a newline */
		"Digest username=\"desk\"",
		"Bearer",
		"Bearer a b",
		"Bearer =",
		"Bearer a=b",
		"Bearer \xc3\xa9",
		"Bearerx",
	};
	struct arena *a = arena_new((size_t)1 << 20);
	struct authorization got;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(bad); i++)
		assert_int_equal(authorization_read(a, span_of(bad[i]), &got), ERR_CREDENTIALS);
	assert_int_equal(authorization_read(a, SPAN("bAsIc   ZGVzazphOmI="), &got), OK);
	assert_true(got.basic);
	assert_span(got.name, "desk");
	assert_span(got.secret, "a:b");
	assert_int_equal(authorization_read(a, SPAN("BEARER a-._~+/Z9=="), &got), OK);
	assert_false(got.basic);
	assert_span(got.secret, "a-._~+/Z9==");
	arena_free(a);
}

static void nobody_in_particular(void **state)
{
	struct fixture f = begin(state);
	struct caller *c;

	assert_int_equal(who(&f, span_make(NULL, 0), &c), OK);
	assert_int_equal(c->how, CALLER_ANONYMOUS);
	assert_int_equal(c->rights, RIGHT_READ);
	assert_int_equal(c->party.len, 0);
	assert_false(c->member || c->is_node);
	end(&f);
}

static void passwords(void **state)
{
	struct fixture f = begin(state);
	struct arena *a = f.w->arena;
	struct caller *c;

	let_in(f.w, CREDENTIAL_PASSWORD, "desk", "op.example", RIGHT_READ | RIGHT_WRITE, PASSWORD, 0);
	let_in(f.w, CREDENTIAL_PASSWORD, "over", "op.example", RIGHT_READ, PASSWORD, 1);
	let_in(f.w, CREDENTIAL_TOKEN, "feed", "op.example", RIGHT_READ, PASSWORD, 0);
	for (int i = 0; i < 2; i++) { /* once by work, once remembered */
		assert_int_equal(who(&f, basic(a, "desk", PASSWORD), &c), OK);
		assert_int_equal(c->how, CALLER_PASSWORD);
		assert_span(c->party, "op.example");
		assert_span(c->tool, "desk");
		assert_int_equal(c->rights, RIGHT_READ | RIGHT_WRITE);
		assert_false(c->member || c->is_node);
	}
	assert_int_equal(who(&f, basic(a, "desk", OTHER_PASSWORD), &c), ERR_CREDENTIALS);
	assert_null(c);
	assert_int_equal(who(&f, basic(a, "desk", ""), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, basic(a, "nobody", PASSWORD), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, basic(a, "over", PASSWORD), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, basic(a, "feed", PASSWORD), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, basic(a, "Desk", PASSWORD), &c), ERR_CREDENTIALS);
	/* The same particulars, whatever was wrong. */
	assert_string_equal(err_detail(), "they are not good here");
	/* Fewer rights, another password, gone: each at once. */
	let_in(f.w, CREDENTIAL_PASSWORD, "desk", "op.example", RIGHT_READ, OTHER_PASSWORD, 0);
	assert_int_equal(who(&f, basic(a, "desk", PASSWORD), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, basic(a, "desk", OTHER_PASSWORD), &c), OK);
	assert_int_equal(c->rights, RIGHT_READ);
	remove_tool(f.w, "desk");
	assert_int_equal(who(&f, basic(a, "desk", OTHER_PASSWORD), &c), ERR_CREDENTIALS);
	end(&f);
}

static void tokens_and_certificates(void **state)
{
	struct fixture f = begin(state);
	struct access_head h = { .certificate = SPAN("der"), .peer = SPAN("192.0.2.1") };
	struct arena *a = f.w->arena;
	struct caller *c;

	let_in(f.w, CREDENTIAL_TOKEN, "feed", "op.example", RIGHT_READ, "secret", 0);
	let_in(f.w, CREDENTIAL_TOKEN, "over", "op.example", RIGHT_READ, "older", 1);
	let_in(f.w, CREDENTIAL_TOKEN, "eyes", "cert.example", RIGHT_READ | RIGHT_OPERATE, "node", 0);
	let_in(f.w, CREDENTIAL_TOKEN, "half", "cert.example", RIGHT_READ, "half", 0);
	let_in(f.w, CREDENTIAL_CERTIFICATE, "box", "team.example", RIGHT_WRITE, "der", 0);
	assert_int_equal(who(&f, bearer(a, "secret"), &c), OK);
	assert_int_equal(c->how, CALLER_TOKEN);
	assert_span(c->tool, "feed");
	assert_false(c->member || c->is_node);
	assert_int_equal(who(&f, bearer(a, "secreu"), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, bearer(a, "older"), &c), ERR_CREDENTIALS);
	assert_int_equal(who(&f, bearer(a, "der"), &c), ERR_CREDENTIALS); /* a certificate is no token */
	assert_int_equal(who(&f, bearer(a, "node"), &c), OK);
	assert_true(c->is_node && c->member);
	assert_int_equal(who(&f, bearer(a, "half"), &c), OK);
	assert_true(!c->is_node && c->member);
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	assert_int_equal(c->how, CALLER_CERTIFICATE);
	assert_span(c->party, "team.example");
	assert_int_equal(c->rights, RIGHT_WRITE);
	h.authorization = bearer(a, "secret"); /* what is said counts before what is shown */
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	assert_int_equal(c->how, CALLER_TOKEN);
	h.authorization = bearer(a, "wrong");
	assert_int_equal(access_check(f.access, a, &h, &c), ERR_CREDENTIALS);
	h = (struct access_head){ .certificate = SPAN("other"), .peer = SPAN("192.0.2.1") };
	assert_int_equal(access_check(f.access, a, &h, &c), ERR_CREDENTIALS);
	remove_tool(f.w, "feed");
	assert_int_equal(who(&f, bearer(a, "secret"), &c), ERR_CREDENTIALS);
	end(&f);
}

/* A party is a member while the node's last word about its present statement is a yes. */
static void members(void **state)
{
	struct fixture f = begin(state);
	struct arena *a = f.w->arena;
	struct caller *c;

	let_in(f.w, CREDENTIAL_TOKEN, "t", "op.example", RIGHT_READ, "t", 0);
	assert_int_equal(who(&f, bearer(a, "t"), &c), OK);
	assert_false(c->member);
	judge(f.w, f.w->party_op, "accepted", "1");
	assert_int_equal(who(&f, bearer(a, "t"), &c), OK);
	assert_true(c->member);
	judge(f.w, f.w->party_op, "objected", "2");
	assert_int_equal(who(&f, bearer(a, "t"), &c), OK);
	assert_false(c->member);
	judge(f.w, f.w->party_op, "accepted", "3");
	assert_int_equal(world_add(f.w,
				   party_text(a, "cert.example/public", f.w->op, "role operator\nclaim AS64501\n",
					      &f.w->party_op),
				   NULL),
			 OK);
	assert_int_equal(who(&f, bearer(a, "t"), &c), OK);
	assert_false(c->member); /* another statement, not yet accepted */
	end(&f);
}

/* ---- signatures ---- */

struct signing {
	struct buffer input, signature, digest;
	struct access_head h;
};

static void sign_at(struct signing *s, const struct signer *key, const char *method, const char *path,
		    const char *query, const char *body, const char *nonce, int64_t at_ms)
{
	*s = (struct signing){ BUFFER(4096), BUFFER(4096), BUFFER(4096), { .peer = SPAN("192.0.2.1") } };
	s->h.message = (struct signed_message){ .method = span_of(method),
						.authority = SPAN("cert.example:8443"),
						.path = span_of(path),
						.query = span_of(query),
						.has_content = body[0] != '\0' };
	s->h.changes = strcmp(method, "GET") != 0;
	if (body[0] != '\0') {
		digest_print(span_of(body), &s->digest);
		s->h.message.fields[SIGNED_CONTENT_DIGEST] = buffer_view(&s->digest);
	}
	assert_int_equal(signature_make(key, &s->h.message, at_ms, span_of(nonce), &s->input, &s->signature), OK);
	s->h.signature_input = buffer_view(&s->input);
	s->h.signature = buffer_view(&s->signature);
}

static void signing_free(struct signing *s)
{
	buffer_free(&s->input);
	buffer_free(&s->signature);
	buffer_free(&s->digest);
}

static enum err signed_by(struct fixture *f, struct signing *s)
{
	struct caller *c = NULL;
	enum err e = access_check(f->access, f->w->arena, &s->h, &c);

	if (e == OK) {
		assert_int_equal(c->how, CALLER_SIGNED);
		assert_int_equal(c->rights, RIGHT_READ | RIGHT_WRITE);
		assert_int_equal(c->tool.len, 0);
		assert_false(c->is_node);
	}
	return e;
}

static void signatures(void **state)
{
	struct fixture f = begin(state);
	int64_t now = clock_now_ms();
	struct caller *c;
	struct signing s;

	sign_at(&s, f.w->op, "GET", "/v1/statements", "kind=notice", "", "n", now);
	assert_int_equal(signed_by(&f, &s), OK);
	assert_int_equal(signed_by(&f, &s), OK); /* to read twice changes nothing */
	assert_int_equal(access_check(f.access, f.w->arena, &s.h, &c), OK);
	assert_span(c->party, "op.example");
	assert_false(c->member);
	/* Whatever is changed, it is good no more. */
	s.h.message.path = SPAN("/v1/statement");
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.message.path = SPAN("/v1/statements");
	s.h.message.query = SPAN("kind=notices");
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.message.query = SPAN("kind=notice");
	s.h.message.method = SPAN("POST");
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.message.method = SPAN("GET");
	s.h.message.authority = SPAN("cert.example");
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.message.authority = SPAN("cert.example:8443");
	assert_int_equal(signed_by(&f, &s), OK);
	s.h.message.has_content = true; /* content that it does not cover */
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.message.has_content = false;
	s.h.signature = span_make(NULL, 0);
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	s.h.signature = buffer_view(&s.signature);
	s.h.authorization = SPAN("Bearer x");
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	signing_free(&s);
	sign_at(&s, f.w->stranger, "GET", "/", "", "", "n", now);
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS); /* nobody's key */
	signing_free(&s);
	sign_at(&s, node_signer(f.w->n), "GET", "/", "", "", "n", now);
	assert_int_equal(access_check(f.access, f.w->arena, &s.h, &c), OK);
	assert_true(c->member && !c->is_node);
	signing_free(&s);
	end(&f);
}

static void signatures_of_another_time(void **state)
{
	struct fixture f = begin(state);
	int64_t now = clock_now_ms();
	struct signing s;

	for (int early = -1; early <= 1; early += 2) {
		sign_at(&s, f.w->op, "GET", "/", "", "", "n", now + early * (SIGNATURE_WINDOW_S - 60) * INT64_C(1000));
		assert_int_equal(signed_by(&f, &s), OK);
		signing_free(&s);
		sign_at(&s, f.w->op, "GET", "/", "", "", "n", now + early * (SIGNATURE_WINDOW_S + 60) * INT64_C(1000));
		assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
		signing_free(&s);
	}
	/* What was signed before this run began may have been heard by the last one. */
	sign_at(&s, f.w->op, "POST", "/", "", "x", "n", now - 60000);
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	signing_free(&s);
	end(&f);
}

static void signatures_are_said_once(void **state)
{
	struct fixture f = begin(state);
	int64_t now = clock_now_ms();
	struct signing s;
	bool said;

	sign_at(&s, f.w->op, "POST", "/v1/statements", "", "body", "nonce-1", now);
	assert_int_equal(signed_by(&f, &s), OK);
	assert_int_equal(digest_check(f.w->arena, buffer_view(&s.digest), SPAN("body"), &said), OK);
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	signing_free(&s);
	sign_at(&s, f.w->op, "POST", "/v1/statements", "", "body", "nonce-2", now);
	assert_int_equal(signed_by(&f, &s), OK);
	signing_free(&s);
	sign_at(&s, f.w->op, "DELETE", "/v1/statements", "", "", "nonce-2", now);
	assert_int_equal(signed_by(&f, &s), ERR_CREDENTIALS);
	signing_free(&s);
	sign_at(&s, f.w->res, "POST", "/v1/statements", "", "body", "nonce-2", now); /* another party's word */
	assert_int_equal(signed_by(&f, &s), OK);
	signing_free(&s);
	end(&f);
}

/* What the two fields say is not believed before it is read whole. */
static void signatures_that_say_little(void **state)
{
	static const char *const inputs[] = {
		"",
		"x",
		"s=(\"@method\"",
		"s=()",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\");created=CREATED;keyid=\"KEY\"",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\");keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\");created=CREATED;nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" "
		"\"@query\");created=CREATED;keyid=\"KEY\";alg=\"hmac-sha256\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" "
		"\"@query\");created=CREATED;expires=1;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\");created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" @query);created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\";req);created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@method\" \"@authority\" \"@path\" "
		"\"@query\");created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\" "
		"\"x-other\");created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\" "
		"\"date\");created=CREATED;keyid=\"KEY\";nonce=\"n\"",
		/* the last is good */
		"s=(\"@method\" \"@authority\" \"@path\" \"@query\");created=CREATED;keyid=\"KEY\";nonce=\"n\"",
	};
	struct fixture f = begin(state);
	struct signing s;
	char now[32], key[HASH_HEX + 1];

	snprintf(now, sizeof(now), "%jd", (intmax_t)(clock_now_ms() / 1000));
	hash_hex(verifier_fingerprint(signer_verifier(f.w->op)), key);
	for (size_t i = 0; i < TABLE_LENGTH(inputs); i++) {
		struct buffer input = BUFFER(4096), base = BUFFER(8192), signature = BUFFER(4096);
		struct dictionary d;
		struct signature made = { 0 };
		uint8_t bytes[KEY_SIGNATURE_SIZE] = { 0 };

		for (const char *c = inputs[i]; *c != '\0';) {
			bool is_key = strncmp(c, "KEY", 3) == 0, is_time = strncmp(c, "CREATED", 7) == 0;

			if (is_key || is_time)
				buffer_text(&input, is_key ? key : now);
			else
				buffer_byte(&input, (uint8_t)*c);
			c += is_key ? 3 : is_time ? 7 : 1;
		}
		sign_at(&s, f.w->op, "POST", "/", "", "", "unused", clock_now_ms());
		if (dictionary_read(f.w->arena, buffer_view(&input), &d) == OK && d.count == 1) {
			made.covered = &d.members[0];
			if (signature_base(&made, &s.h.message, &base) == OK)
				signer_sign(f.w->op, buffer_view(&base), bytes);
		}
		buffer_text(&signature, "s=:");
		base64_append(&signature, bytes, sizeof(bytes));
		buffer_text(&signature, ":");
		s.h.signature_input = buffer_view(&input);
		s.h.signature = buffer_view(&signature);
		if (signed_by(&f, &s) != (i + 1 == TABLE_LENGTH(inputs) ? OK : ERR_CREDENTIALS))
			fail_msg("%s: %s", inputs[i], err_detail());
		signing_free(&s);
		buffer_free(&input);
		buffer_free(&base);
		buffer_free(&signature);
	}
	end(&f);
}

static void signatures_for_this_host(void **state)
{
	static const struct {
		const char *url;
		bool ours;
	} table[] = {
		{ "", true },
		{ "https://cert.example:8443", true },
		{ "https://CERT.example:8443/", true },
		{ "https://cert.example", false },
		{ "https://other.example:8443", false },
	};
	struct fixture f = begin(state);
	struct signing s;
	struct span authority;

	sign_at(&s, f.w->op, "GET", "/", "", "", "n", clock_now_ms());
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(access_for(f.access, span_of(table[i].url)), OK);
		assert_int_equal(signed_by(&f, &s), table[i].ours ? OK : ERR_CREDENTIALS);
	}
	signing_free(&s);
	assert_int_equal(access_authority(f.w->arena, SPAN("Cert.Example:443"), true, &authority), OK);
	assert_span(authority, "cert.example");
	assert_int_equal(access_authority(f.w->arena, SPAN("cert.example:443"), false, &authority), OK);
	assert_span(authority, "cert.example:443");
	assert_int_equal(access_authority(f.w->arena, SPAN("[::1]:80"), false, &authority), OK);
	assert_span(authority, "[::1]");
	end(&f);
}

/* What goes out from here is taken in there. */
static void what_we_sign(void **state)
{
	struct fixture f = begin(state);
	struct buffer input = BUFFER(4096), signature = BUFFER(4096), digest = BUFFER(4096);
	struct access_head h = { .peer = SPAN("192.0.2.1"), .changes = true };
	struct caller *c;

	assert_int_equal(access_sign(f.w->op, HTTP_POST, SPAN("cert.example"), SPAN("/a/b?c=d&e"), SPAN("content"),
				     &input, &signature, &digest),
			 OK);
	h.signature_input = buffer_view(&input);
	h.signature = buffer_view(&signature);
	h.message = (struct signed_message){ .method = SPAN("POST"),
					     .authority = SPAN("cert.example"),
					     .path = SPAN("/a/b"),
					     .query = SPAN("c=d&e"),
					     .has_content = true };
	h.message.fields[SIGNED_CONTENT_DIGEST] = SPAN("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	assert_int_equal(access_check(f.access, f.w->arena, &h, &c), ERR_CREDENTIALS);
	h.message.fields[SIGNED_CONTENT_DIGEST] = buffer_view(&digest);
	assert_int_equal(access_check(f.access, f.w->arena, &h, &c), OK);
	assert_span(c->party, "op.example");
	buffer_clear(&input);
	buffer_clear(&signature);
	buffer_clear(&digest);
	assert_int_equal(
		access_sign(f.w->op, HTTP_GET, SPAN("cert.example"), SPAN("/"), SPAN(""), &input, &signature, &digest),
		OK);
	assert_int_equal(digest.len, 0);
	h = (struct access_head){ .peer = SPAN("192.0.2.1"),
				  .signature_input = buffer_view(&input),
				  .signature = buffer_view(&signature),
				  .message = { .method = SPAN("GET"),
					       .authority = SPAN("cert.example"),
					       .path = SPAN("/"),
					       .query = SPAN("") } };
	assert_int_equal(access_check(f.access, f.w->arena, &h, &c), OK);
	buffer_free(&input);
	buffer_free(&signature);
	buffer_free(&digest);
	end(&f);
}

/* ---- those who try again and again ---- */

static void attempts_run_out_and_come_back(void **state)
{
	struct hash me = hash_bytes("me", 2), you = hash_bytes("you", 3);
	struct attempts *a;
	int64_t now = 1000000;

	(void)state;
	assert_int_equal(attempts_new(&a), OK);
	for (int i = 0; i < ATTEMPTS_MOST; i++) {
		assert_true(attempts_left(a, me, now));
		attempts_failed(a, me, now);
	}
	assert_false(attempts_left(a, me, now));
	attempts_failed(a, me, now);
	assert_true(attempts_left(a, you, now));
	now += ATTEMPTS_EACH_MS;
	assert_true(attempts_left(a, me, now));
	attempts_failed(a, me, now);
	assert_false(attempts_left(a, me, now));
	now += ATTEMPTS_EACH_MS * ATTEMPTS_MOST;
	for (int i = 0; i < ATTEMPTS_MOST; i++) {
		assert_true(attempts_left(a, me, now));
		attempts_failed(a, me, now);
	}
	assert_false(attempts_left(a, me, now));
	/* Whoever else comes, and however many: they are bounded. */
	for (int i = 0; i < 100000; i++)
		attempts_failed(a, hash_bytes(&i, sizeof(i)), now);
	attempts_free(a);
}

static void who_failed_too_often_waits(void **state)
{
	struct fixture f = begin(state);
	struct access_head h = { .authorization = SPAN("Bearer wrong"), .peer = SPAN("2001:db8::1") };
	struct arena *a = f.w->arena;
	struct caller *c;

	let_in(f.w, CREDENTIAL_PASSWORD, "desk", "op.example", RIGHT_READ, PASSWORD, 0);
	let_in(f.w, CREDENTIAL_PASSWORD, "late", "op.example", RIGHT_READ, PASSWORD, 0);
	let_in(f.w, CREDENTIAL_TOKEN, "feed", "op.example", RIGHT_READ, "right", 0);
	h.authorization = basic(a, "desk", PASSWORD);
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	h.authorization = SPAN("Bearer wrong");
	for (int i = 0; i < ATTEMPTS_MOST; i++)
		assert_int_equal(access_check(f.access, a, &h, &c), ERR_CREDENTIALS);
	assert_int_equal(access_check(f.access, a, &h, &c), ERR_RATE);
	h.peer = SPAN("2001:db8::ffff:0:0:2"); /* the same site */
	assert_int_equal(access_check(f.access, a, &h, &c), ERR_RATE);
	h.authorization = basic(a, "late", PASSWORD); /* good, but that would be work */
	assert_int_equal(access_check(f.access, a, &h, &c), ERR_RATE);
	h.authorization = basic(a, "desk", PASSWORD); /* remembered */
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	h.authorization = SPAN("Bearer right");
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	h.peer = SPAN("2001:db8:0:1::1"); /* another site */
	h.authorization = basic(a, "late", PASSWORD);
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	/* Behind a proxy on this machine they are told apart by name. */
	h.peer = SPAN("127.0.0.1");
	let_in(f.w, CREDENTIAL_PASSWORD, "new", "op.example", RIGHT_READ, PASSWORD, 0);
	h.authorization = SPAN("Bearer wrong");
	for (int i = 0; i < ATTEMPTS_MOST; i++)
		assert_int_equal(access_check(f.access, a, &h, &c), ERR_CREDENTIALS);
	h.authorization = basic(a, "new", PASSWORD);
	assert_int_equal(access_check(f.access, a, &h, &c), OK);
	end(&f);
}

static void nonces(void **state)
{
	struct nonces *n;
	int64_t now = 1000;

	(void)state;
	assert_int_equal(nonces_new(1000, &n), OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(nonces_add(n, hash_bytes(&i, sizeof(i)), now + 100 + i, now), OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(nonces_add(n, hash_bytes(&i, sizeof(i)), now + 9999, now), ERR_EXISTS);
	assert_int_equal(nonces_add(n, hash_bytes("x", 1), now + 9999, now), ERR_BUSY);
	now += 600; /* half of them are over */
	assert_int_equal(nonces_add(n, hash_bytes("x", 1), now + 9999, now), OK);
	assert_int_equal(nonces_add(n, hash_bytes("x", 1), now + 9999, now), ERR_EXISTS);
	for (int i = 501; i < 1000; i++)
		assert_int_equal(nonces_add(n, hash_bytes(&i, sizeof(i)), now + 9999, now), ERR_EXISTS);
	for (int i = 0; i <= 500; i++)
		assert_int_equal(nonces_add(n, hash_bytes(&i, sizeof(i)), now + 1, now), i < 500 ? OK : ERR_BUSY);
	nonces_free(n);
}

/* ---- threads ---- */

struct asking {
	struct fixture *f;
	pthread_t thread;
	unsigned number, good;
};

static void *ask(void *context)
{
	struct asking *t = context;
	struct arena *a = arena_new((size_t)1 << 22);
	struct access_head h = { .peer = SPAN("192.0.2.1") };
	char nonce[32];
	struct signing s;
	struct caller *c;

	for (unsigned i = 0; i < 24; i++) {
		arena_reset(a);
		h.authorization = i % 2 == 0 ? bearer(a, "secret") : basic(a, "desk", PASSWORD);
		t->good += access_check(t->f->access, a, &h, &c) == OK;
		snprintf(nonce, sizeof(nonce), "%u", i); /* each is said by all of them */
		sign_at(&s, t->f->w->op, "POST", "/", "", "x", nonce, clock_now_ms());
		t->good += access_check(t->f->access, a, &s.h, &c) == OK;
		signing_free(&s);
	}
	arena_free(a);
	return NULL;
}

static void many_at_once(void **state)
{
	struct fixture f = begin(state);
	struct asking threads[4];
	unsigned good = 0;

	let_in(f.w, CREDENTIAL_PASSWORD, "desk", "op.example", RIGHT_READ, PASSWORD, 0);
	let_in(f.w, CREDENTIAL_TOKEN, "feed", "op.example", RIGHT_READ, "secret", 0);
	for (unsigned i = 0; i < 4; i++) {
		threads[i] = (struct asking){ .f = &f, .number = i };
		assert_int_equal(pthread_create(&threads[i].thread, NULL, ask, &threads[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
		good += threads[i].good;
	}
	assert_int_equal(good, 4 * 24 + 24); /* every login, and each nonce once */
	end(&f);
}

/* More than wait in line are sent away, and everybody is answered. */
struct knocking {
	struct passwords *p;
	pthread_t thread;
	enum err e;
};

static void *knock(void *context)
{
	struct knocking *k = context;
	bool good;

	k->e = passwords_verify(k->p, SPAN("nobody"), SPAN("no password"), SPAN(""), &good);
	assert_false(good);
	return NULL;
}

static void the_line_is_short(void **state)
{
	struct knocking threads[PASSWORDS_AT_ONCE + PASSWORDS_WAITING + 10];
	struct passwords *p;
	unsigned done = 0;

	(void)state;
	assert_int_equal(passwords_new(&p), OK);
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++) {
		threads[i] = (struct knocking){ .p = p };
		assert_int_equal(pthread_create(&threads[i].thread, NULL, knock, &threads[i]), 0);
	}
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++) {
		assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
		assert_true(threads[i].e == OK || threads[i].e == ERR_BUSY);
		done += threads[i].e == OK;
	}
	assert_true(done >= PASSWORDS_AT_ONCE + PASSWORDS_WAITING);
	passwords_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structured_fields),
		cmocka_unit_test(structured_fields_are_bounded),
		cmocka_unit_test(published_signature),
		cmocka_unit_test(published_digest),
		cmocka_unit_test(authorizations),
		cmocka_unit_test(attempts_run_out_and_come_back),
		cmocka_unit_test(nonces),
		cmocka_unit_test(the_line_is_short),
		IN_A_FOLDER(nobody_in_particular),
		IN_A_FOLDER(passwords),
		IN_A_FOLDER(tokens_and_certificates),
		IN_A_FOLDER(members),
		IN_A_FOLDER(signatures),
		IN_A_FOLDER(signatures_of_another_time),
		IN_A_FOLDER(signatures_are_said_once),
		IN_A_FOLDER(signatures_that_say_little),
		IN_A_FOLDER(signatures_for_this_host),
		IN_A_FOLDER(what_we_sign),
		IN_A_FOLDER(who_failed_too_often_waits),
		IN_A_FOLDER(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
