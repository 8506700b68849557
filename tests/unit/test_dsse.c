#include "regime/dsse.h"

#include "base/encoding.h"
#include "base/file.h"
#include "test.h"

#include <stdio.h>

static struct arena *arena;

static struct signer *signer_of(const char *name)
{
	struct hash seed = hash_bytes(name, strlen(name));
	struct signer *s = NULL;

	assert_int_equal(signer_from_seed(span_of(name), seed.bytes, &s), OK);
	return s;
}

static struct dsse *parsed(const char *text)
{
	struct dsse *d = arena_alloc(arena, sizeof(*d));
	enum err e;

	assert_non_null(d);
	e = dsse_parse(arena, span_of(text), d);
	if (e != OK)
		fail_msg("%s: %s", err_detail(), text);
	return d;
}

/* From the protocol's own text. */
static void encoding_of_the_protocol(void **state)
{
	struct dsse d = { .payload_type = SPAN("http://example.com/HelloWorld"), .payload = SPAN("hello world") };
	struct buffer b = BUFFER(1000);

	(void)state;
	dsse_encoding(&d, &b);
	assert_true(span_is(buffer_view(&b), "DSSEv1 29 http://example.com/HelloWorld 11 hello world"));
	buffer_clear(&b);
	d.payload_type = SPAN("\xc3\xa9"); /* lengths are of bytes */
	d.payload = SPAN("");
	dsse_encoding(&d, &b);
	assert_true(span_is(buffer_view(&b), "DSSEv1 2 \xc3\xa9 0 "));
	buffer_free(&b);
}

static const struct {
	const char *what, *text;
	enum err err;
} forms[] = {
	{ "one", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}", OK },
	{ "other members",
	  "{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"AAAA\",\"cert\":1,\"keyid\":\"\"}],\"x\":"
	  "[]}",
	  OK },
	{ "URL-safe", "{\"payloadType\":\"t\",\"payload\":\"-_-_\",\"signatures\":[{\"sig\":\"AA_-\"}]}", OK },
	{ "standard", "{\"payloadType\":\"t\",\"payload\":\"+/+/\",\"signatures\":[{\"sig\":\"AA/+\"}]}", OK },
	{ "mixed", "{\"payloadType\":\"t\",\"payload\":\"+_+/\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "without padding", "{\"payloadType\":\"t\",\"payload\":\"aGk\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "spare bits", "{\"payloadType\":\"t\",\"payload\":\"aGl=\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "no base64", "{\"payloadType\":\"t\",\"payload\":\"a?k=\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "sig no base64", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"A AA\"}]}",
	  ERR_CERTIFICATE },
	{ "empty sig", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"\"}]}",
	  ERR_CERTIFICATE },
	{ "no sig", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"keyid\":\"a\"}]}",
	  ERR_CERTIFICATE },
	{ "keyid no text",
	  "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\",\"keyid\":1}]}",
	  ERR_CERTIFICATE },
	{ "no signatures", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[]}", ERR_CERTIFICATE },
	{ "signatures missing", "{\"payloadType\":\"t\",\"payload\":\"aGk=\"}", ERR_CERTIFICATE },
	{ "type missing", "{\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}", ERR_CERTIFICATE },
	{ "type empty", "{\"payloadType\":\"\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "payload missing", "{\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\"}]}", ERR_CERTIFICATE },
	{ "payload twice",
	  "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
	{ "sig twice",
	  "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\",\"sig\":\"AAAB\"}]}",
	  ERR_CERTIFICATE },
	{ "a list", "[]", ERR_CERTIFICATE },
	{ "nothing", "", ERR_CERTIFICATE },
	{ "cut", "{\"payloadType\":\"t\",\"payload\":\"aGk=\"", ERR_CERTIFICATE },
	{ "behind it", "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]} x",
	  ERR_CERTIFICATE },
	{ "bad UTF-8", "{\"payloadType\":\"\xff\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}",
	  ERR_CERTIFICATE },
};

static void strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(forms); i++) {
		struct dsse *d = arena_alloc(arena, sizeof(*d));
		enum err e = dsse_parse(arena, span_of(forms[i].text), d);

		if (e != forms[i].err)
			fail_msg("%s: %s", forms[i].what, err_code(e));
	}
	assert_true(span_equal(parsed(forms[2].text)->payload, parsed(forms[3].text)->payload));
}

static const char *many(size_t n)
{
	struct buffer b = BUFFER(1 << 20);
	const char *copy;

	buffer_text(&b, "{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}");
	for (size_t i = 1; i < n; i++)
		buffer_text(&b, ",{\"sig\":\"AAAA\"}");
	buffer_text(&b, "]}");
	copy = arena_copy(arena, b.at, b.len);
	buffer_free(&b);
	return copy;
}

/* Two under one keyid: the good one does not make the other good. */
static void each_by_itself(void **state)
{
	struct signer *s = signer_of("a.example"), *other = signer_of("b.example");
	struct dsse *d = parsed("{\"payloadType\":\"t\",\"payload\":\"aGk=\",\"signatures\":[{\"sig\":\"AAAA\"}]}");
	uint8_t bad[KEY_SIGNATURE_SIZE] = { 1 };

	(void)state;
	d->signature_count = 0;
	assert_int_equal(dsse_sign(arena, d, s), OK);
	d->signatures[1] = (struct dsse_signature){ d->signatures[0].keyid, span_make(bad, sizeof(bad)) };
	d->signatures[2] = (struct dsse_signature){ d->signatures[0].keyid, SPAN("short") };
	d->signature_count = 3;
	assert_true(dsse_signature_is_good(d, 0, signer_verifier(s)));
	assert_false(dsse_signature_is_good(d, 1, signer_verifier(s)));
	assert_false(dsse_signature_is_good(d, 2, signer_verifier(s)));
	assert_false(dsse_signature_is_good(d, 0, signer_verifier(other)));
	assert_true(dsse_signed_by(d, signer_verifier(s)));
	signer_free(s);
	signer_free(other);
}

static void at_most_64(void **state)
{
	struct dsse *d = arena_alloc(arena, sizeof(*d));
	struct signer *one = signer_of("one.example");

	(void)state;
	assert_int_equal(dsse_parse(arena, span_of(many(65)), d), ERR_CERTIFICATE);
	assert_int_equal(dsse_parse(arena, span_of(many(64)), d), OK);
	assert_int_equal(d->signature_count, 64);
	assert_int_equal(dsse_sign(arena, d, one), ERR_CERTIFICATE);
	assert_int_equal(d->signature_count, 64);
	signer_free(one);
}

static void several_sign(void **state)
{
	struct signer *one = signer_of("one.example"), *two = signer_of("two.example"),
		      *three = signer_of("three.example");
	struct dsse
		*d = parsed(
			"{\"payloadType\":\"" IN_TOTO_PAYLOAD_TYPE
			"\",\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"of nobody known\",\"sig\":\"AAAA\"}]}"),
		*again;
	struct buffer b = BUFFER(1 << 16);

	(void)state;
	assert_false(dsse_signed_by(d, signer_verifier(one)));
	assert_int_equal(dsse_sign(arena, d, one), OK);
	assert_int_equal(dsse_sign(arena, d, two), OK);
	assert_int_equal(dsse_sign(arena, d, one), ERR_EXISTS);
	assert_int_equal(d->signature_count, 3);
	dsse_print(d, &b);
	buffer_byte(&b, '\0');
	again = parsed(b.at);
	assert_int_equal(again->signature_count, 3);
	assert_true(dsse_signed_by(again, signer_verifier(one)));
	assert_true(dsse_signed_by(again, signer_verifier(two)));
	assert_false(dsse_signed_by(again, signer_verifier(three)));
	again->payload = SPAN("{ }");
	assert_false(dsse_signed_by(again, signer_verifier(one)));
	again->payload = d->payload;
	again->payload_type = SPAN("application/json");
	assert_false(dsse_signed_by(again, signer_verifier(one)));
	again->payload_type = d->payload_type;
	again->signatures[1].keyid = SPAN(""); /* it names nobody: every key is tried */
	assert_true(dsse_signed_by(again, signer_verifier(one)));
	again->signatures[1].keyid = again->signatures[2].keyid; /* another's name: passed over */
	assert_false(dsse_signed_by(again, signer_verifier(one)));
	buffer_free(&b);
	signer_free(one);
	signer_free(two);
	signer_free(three);
}

static void a_real_one(void **state)
{
	struct dsse *d = arena_alloc(arena, sizeof(*d));
	struct span text;

	(void)state;
	if (file_read(arena, "../shared/data/disclosure/attestations/oci-dsse-att.json", 1 << 20, &text) != OK) {
		print_message("skipped: ../shared/data/disclosure/attestations is absent\n");
		return;
	}
	assert_int_equal(dsse_parse(arena, text, d), OK);
	assert_true(span_is(d->payload_type, IN_TOTO_PAYLOAD_TYPE));
	assert_true(d->signature_count >= 1 && d->signatures[0].signature.len > 0);
	assert_true(span_starts(d->payload, "{\"_type\":\"https://in-toto.io/Statement/v0.1\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoding_of_the_protocol),
		cmocka_unit_test(strict),
		cmocka_unit_test(each_by_itself),
		cmocka_unit_test(at_most_64),
		cmocka_unit_test(several_sign),
		cmocka_unit_test(a_real_one),
	};
	int failed;

	arena = arena_new((size_t)1 << 26);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
