#include "regime/in_toto.h"

#include <yyjson.h>

#include "base/file.h"
#include "regime.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_HEX "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SUBJECT "\"subject\":[{\"name\":\"firmware.bin\",\"digest\":{\"sha256\":\"" HEX "\"}}]"
#define TYPE "\"_type\":\"" IN_TOTO_STATEMENT_TYPE "\""
#define WHOLE(predicate)                                                                                               \
	"{" TYPE "," SUBJECT                                                                                           \
	",\"predicateType\":\"comity:evaluation/v1\",\"predicate\":{\"issuer\":\"lab.example\"" predicate "}}"
#define SUBJECTS(list)                                                                                                 \
	"{" TYPE ",\"subject\":[" list "],\"predicateType\":\"https://other.example/v1\",\"predicate\":{}}"
#define DECLARED(members) WHOLE(",\"declarations\":{" members "}")

static struct arena *arena;

static const struct {
	const char *what, *text;
	enum err err;
} forms[] = {
	{ "an evaluation", WHOLE(""), OK },
	{ "with its fields",
	  WHOLE(",\"scheme\":\"eucc\",\"assurance_level\":\"high\",\"laboratory\":\"lab.example\",\"valid_from\":"
		"\"2026-01-01T00:00:00Z\",\"valid_until\":\"2027-01-01T00:00:00+01:00\",\"certificate_id\":\"EUCC-1\","
		"\"holder\":{\"name\":\"A "
		"maker\",\"website\":\"https://maker.example\"},\"certification_body\":{\"name\":\"B\","
		"\"nando_id\":\"1234\"},\"ava_van_level\":\"AVA_VAN.3\",\"report_sha256\":\"" HEX "\",\"more\":[1,2]"),
	  OK },
	{ "of another's predicate", "{" TYPE "," SUBJECT ",\"predicateType\":\"https://slsa.dev/provenance/v1\"}", OK },
	{ "v0.1",
	  "{\"_type\":\"https://in-toto.io/Statement/v0.1\"," SUBJECT ",\"predicateType\":\"x\",\"predicate\":{}}",
	  ERR_CERTIFICATE },
	{ "no type", "{" SUBJECT ",\"predicateType\":\"x\",\"predicate\":{}}", ERR_CERTIFICATE },
	{ "no subject", "{" TYPE ",\"predicateType\":\"x\",\"predicate\":{}}", ERR_CERTIFICATE },
	{ "no predicateType", "{" TYPE "," SUBJECT ",\"predicate\":{}}", ERR_CERTIFICATE },
	{ "ours without predicate", "{" TYPE "," SUBJECT ",\"predicateType\":\"comity:evaluation/v1\"}",
	  ERR_CERTIFICATE },
	{ "predicate a text", "{" TYPE "," SUBJECT ",\"predicateType\":\"x\",\"predicate\":\"y\"}", ERR_CERTIFICATE },
	{ "no issuer", "{" TYPE "," SUBJECT ",\"predicateType\":\"comity:evaluation/v1\",\"predicate\":{}}",
	  ERR_CERTIFICATE },
	{ "a member twice", "{" TYPE "," SUBJECT "," SUBJECT ",\"predicateType\":\"x\",\"predicate\":{}}",
	  ERR_CERTIFICATE },
	{ "a subject without digest", SUBJECTS("{\"name\":\"a\"}"), ERR_CERTIFICATE },
	{ "a digest without a value", SUBJECTS("{\"name\":\"a\",\"digest\":{}}"), ERR_CERTIFICATE },
	{ "a digest that is a number", SUBJECTS("{\"name\":\"a\",\"digest\":{\"sha256\":1}}"), ERR_CERTIFICATE },
	{ "a short digest", SUBJECTS("{\"name\":\"a\",\"digest\":{\"sha256\":\"00\"}}"), ERR_CERTIFICATE },
	{ "another digest", SUBJECTS("{\"name\":\"a\",\"digest\":{\"gitCommit\":\"00\"}}"), OK },
	{ "a name that is a number", SUBJECTS("{\"name\":1,\"digest\":{\"gitCommit\":\"00\"}}"), ERR_CERTIFICATE },
	{ "a package", SUBJECTS("{\"uri\":\"pkg:deb/debian/openssl\",\"digest\":{\"gitCommit\":\"00\"}}"), OK },
	{ "a package's wrong digest",
	  SUBJECTS("{\"uri\":\"pkg:deb/debian/openssl\",\"digest\":{\"purlSha256\":\"" HEX "\"}}"), ERR_CERTIFICATE },
	{ "no package", SUBJECTS("{\"uri\":\"pkg:deb\",\"digest\":{\"gitCommit\":\"00\"}}"), ERR_CERTIFICATE },
	{ "another URI", SUBJECTS("{\"uri\":\"https://a.example\",\"digest\":{\"gitCommit\":\"00\"}}"), OK },
	{ "scheme no text", WHOLE(",\"scheme\":1"), ERR_CERTIFICATE },
	{ "scheme empty", WHOLE(",\"scheme\":\"\""), ERR_CERTIFICATE },
	{ "time no time", WHOLE(",\"valid_until\":\"tomorrow\""), ERR_CERTIFICATE },
	{ "holder no object", WHOLE(",\"holder\":\"A maker\""), ERR_CERTIFICATE },
	{ "holder's name no text", WHOLE(",\"holder\":{\"name\":1}"), ERR_CERTIFICATE },
	{ "report no digest", WHOLE(",\"report_sha256\":\"abc\""), ERR_CERTIFICATE },
	{ "declarations no object", WHOLE(",\"declarations\":[]"), ERR_CERTIFICATE },
	{ "declarations, empty", DECLARED(""), OK },
	{ "an unknown member", DECLARED("\"klaims\":[]"), ERR_CERTIFICATE },
	{ "a signature of their own", DECLARED("\"signature\":{}"), ERR_CERTIFICATE },
	{ "claims no list", DECLARED("\"claims\":{}"), ERR_CERTIFICATE },
	{ "claims of texts", DECLARED("\"claims\":[\"a\"]"), ERR_CERTIFICATE },
	{ "claim: unknown member", DECLARED("\"claims\":[{\"says\":\"a\"}]"), ERR_CERTIFICATE },
	{ "claim: evidence is there",
	  DECLARED("\"claims\":[{\"bom-ref\":\"c\",\"evidence\":[\"e\"]}],\"evidence\":[{\"bom-ref\":\"e\"}]"), OK },
	{ "claim: evidence is not there", DECLARED("\"claims\":[{\"bom-ref\":\"c\",\"evidence\":[\"e\"]}]"),
	  ERR_CERTIFICATE },
	{ "claim: evidence is a claim",
	  DECLARED("\"claims\":[{\"bom-ref\":\"c\",\"evidence\":[\"d\"]},{\"bom-ref\":\"d\"}]"), ERR_CERTIFICATE },
	{ "claim: counter-evidence is not there",
	  DECLARED("\"claims\":[{\"bom-ref\":\"c\",\"counterEvidence\":[\"e\"]}]"), ERR_CERTIFICATE },
	{ "claim: target is there",
	  DECLARED("\"claims\":[{\"target\":\"t\"}],\"targets\":{\"components\":[{\"bom-ref\":\"t\",\"type\":"
		   "\"firmware\","
		   "\"name\":\"f\"}]}"),
	  OK },
	{ "claim: target is not there", DECLARED("\"claims\":[{\"target\":\"t\"}]"), ERR_CERTIFICATE },
	{ "two of one name", DECLARED("\"claims\":[{\"bom-ref\":\"c\"}],\"evidence\":[{\"bom-ref\":\"c\"}]"),
	  ERR_CERTIFICATE },
	{ "an empty name", DECLARED("\"claims\":[{\"bom-ref\":\"\"}]"), ERR_CERTIFICATE },
	{ "an assessor that is there",
	  DECLARED("\"assessors\":[{\"bom-ref\":\"a\",\"thirdParty\":true,\"organization\":{\"name\":"
		   "\"Lab\"}}],\"attestations\":[{\"assessor\":\"a\"}]"),
	  OK },
	{ "an assessor that is not", DECLARED("\"attestations\":[{\"assessor\":\"a\"}]"), ERR_CERTIFICATE },
	{ "a requirement elsewhere", DECLARED("\"attestations\":[{\"map\":[{\"requirement\":\"cra-1\"}]}]"), OK },
	{ "conformance over 1", DECLARED("\"attestations\":[{\"map\":[{\"conformance\":{\"score\":1.01}}]}]"),
	  ERR_CERTIFICATE },
	{ "confidence below 0", DECLARED("\"attestations\":[{\"map\":[{\"confidence\":{\"score\":-0.01}}]}]"),
	  ERR_CERTIFICATE },
	{ "created at no time", DECLARED("\"evidence\":[{\"created\":\"2026\"}]"), ERR_CERTIFICATE },
	{ "components no list", DECLARED("\"targets\":{\"components\":{}}"), ERR_CERTIFICATE },
	{ "a component without a name", DECLARED("\"targets\":{\"components\":[{\"type\":\"firmware\"}]}"),
	  ERR_CERTIFICATE },
	{ "nothing", "", ERR_CERTIFICATE },
	{ "a list", "[]", ERR_CERTIFICATE },
};

static void of_that_form(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(forms); i++) {
		struct in_toto t;
		enum err e = in_toto_parse(arena, span_of(forms[i].text), &t);

		if (e == forms[i].err)
			continue;
		print_error("%s: %s (%s)\n", forms[i].what, err_code(e), err_detail());
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void subjects_sorted_once(void **state)
{
	static const char text[] =
		SUBJECTS("{\"digest\":{\"sha256\":\"" OTHER_HEX "\"}},"
			 "{\"digest\":{\"sha256\":\"" HEX "\",\"sha512\":\"00\"},\"uri\":\"pkg:deb/debian/OpenSSL@1\"},"
			 "{\"digest\":{\"sha256\":\"" HEX "\"}},{\"digest\":{\"sha1\":\"00\"}}");
	struct in_toto t;

	(void)state;
	assert_int_equal(in_toto_parse(arena, span_of(text), &t), OK);
	assert_int_equal(t.subject_count, 3);
	assert_true(span_is(t.subjects[0], "pkg:deb/debian/openssl@1"));
	assert_true(span_is(t.subjects[1], "sha256:" HEX));
	assert_true(span_is(t.subjects[2], "sha256:" OTHER_HEX));
	assert_false(t.ours);
}

#define CDX                                                                                                            \
	"{\"assessors\":[{\"bom-ref\":\"a\",\"thirdParty\":true}],"                                                    \
	"\"attestations\":[{\"assessor\":\"a\",\"map\":[{\"requirement\":\"r1\",\"claims\":[\"c1\"],"                  \
	"\"counterClaims\":[\"c2\"],"                                                                                  \
	"\"conformance\":{\"score\":0.5,\"mitigationStrategies\":[\"e1\"]},\"confidence\":{\"score\":1}},{"            \
	"\"requirement\":\"r2\"}]}],"                                                                                  \
	"\"claims\":[{\"bom-ref\":\"c1\",\"predicate\":\"no back "                                                     \
	"door\",\"evidence\":[\"e1\"],\"counterEvidence\":[\"e2\",\"e3\"]},"                                           \
	"{\"bom-ref\":\"c2\",\"predicate\":\"there is one\"}],"                                                        \
	"\"evidence\":[{\"bom-ref\":\"e1\"},{\"bom-ref\":\"e2\"},{\"bom-ref\":\"e3\"}]}"

static struct in_toto some_terms(void)
{
	static struct span subjects[] = { { "pkg:deb/debian/openssl@1", 24 }, { "sha256:" HEX, 71 } };

	return (struct in_toto){ .subjects = subjects,
				 .subject_count = 2,
				 .kind = PREDICATE_EVALUATION,
				 .issuer = SPAN("body.example"),
				 .scheme = SPAN("eucc"),
				 .level = SPAN("high"),
				 .laboratory = SPAN("lab.example"),
				 .end_ms = INT64_C(1798761600000) };
}

static void printed_and_read(void **state)
{
	struct in_toto t = some_terms(), again;
	struct buffer b = BUFFER(1 << 20);

	(void)state;
	assert_int_equal(in_toto_print(arena, &t, SPAN("{\"certificate_id\":\"EUCC-1\",\"z\":{\"a\":[1,null,\"x\"]}}"),
				       SPAN("{\"bomFormat\":\"CycloneDX\",\"declarations\":" CDX "}"), &b),
			 OK);
	assert_int_equal(in_toto_parse(arena, buffer_view(&b), &again), OK);
	assert_true(again.ours && again.kind == PREDICATE_EVALUATION);
	assert_int_equal(again.subject_count, 2);
	assert_true(span_equal(again.subjects[0], t.subjects[0]) && span_equal(again.subjects[1], t.subjects[1]));
	assert_true(span_equal(again.issuer, t.issuer) && span_equal(again.scheme, t.scheme) &&
		    span_equal(again.level, t.level) && span_equal(again.laboratory, t.laboratory));
	assert_int_equal(again.start_ms, 0);
	assert_int_equal(again.end_ms, t.end_ms);
	assert_false(again.has_statement);
	assert_int_equal(again.claims, 2);
	assert_int_equal(again.evidence, 3);
	assert_int_equal(again.counter_evidence, 3);
	assert_int_equal(again.conformance, 1);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(again.predicate, "certificate_id")), "EUCC-1");

	buffer_clear(&b);
	assert_int_equal(in_toto_print(arena, &t, SPAN("{\"scheme\":\"other\"}"), SPAN(""), &b), ERR_CERTIFICATE);
	buffer_clear(&b);
	assert_int_equal(in_toto_print(arena, &t, SPAN("[]"), SPAN(""), &b), ERR_CERTIFICATE);
	buffer_clear(&b);
	assert_int_equal(in_toto_print(arena, &t, SPAN(""), SPAN("{\"claims\":[{\"target\":\"t\"}]}"), &b),
			 ERR_CERTIFICATE);
	buffer_free(&b);
}

/* ---- header and body ---- */

#define LINES                                                                                                          \
	"predicate evaluation\nsubject sha256:" HEX "\nsubject pkg:deb/debian/openssl@1\nscheme eucc\nlevel high\n"    \
	"laboratory lab.example\nend 2027-01-01T00:00:00Z\n"

static struct span envelope(const struct in_toto *t, const struct signer *first, const struct signer *second,
			    const char *type)
{
	struct buffer payload = BUFFER(1 << 20), text = BUFFER(1 << 20);
	struct dsse *d = arena_alloc(arena, sizeof(*d));
	struct span out;

	assert_int_equal(in_toto_print(arena, t, SPAN(""), SPAN(CDX), &payload), OK);
	*d = (struct dsse){ .payload_type = span_of(type), .payload = buffer_view(&payload) };
	assert_int_equal(dsse_sign(arena, d, first), OK);
	if (second != NULL)
		assert_int_equal(dsse_sign(arena, d, second), OK);
	dsse_print(d, &text);
	out = span_make(arena_copy(arena, text.at, text.len), text.len);
	buffer_free(&payload);
	buffer_free(&text);
	return out;
}

static enum err check(const struct signer *author, const char *lines, struct span body)
{
	struct statement s;

	assert_int_equal(
		statement_parse(
			arena, statement_text(arena, KIND_CERTIFICATE, "cert.example/public", author, lines, NULL), &s),
		OK);
	err_clear();
	return certificate_body_check(arena, &s, body, signer_verifier(author));
}

static void body_says_what_the_header_says(void **state)
{
	struct signer *author = signer_of("body.example"), *other = signer_of("lab.example");
	struct in_toto t = some_terms(), o;
	struct span one[] = { SPAN("sha256:" HEX) };

	(void)state;
	assert_int_equal(check(author, LINES, envelope(&t, author, NULL, IN_TOTO_PAYLOAD_TYPE)), OK);
	assert_int_equal(check(author, LINES, envelope(&t, other, author, IN_TOTO_PAYLOAD_TYPE)), OK);
	assert_int_equal(check(author, LINES, envelope(&t, other, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	assert_int_equal(check(author, LINES, envelope(&t, author, NULL, "application/json")), ERR_CERTIFICATE);
	assert_int_equal(check(author, LINES, SPAN("{}")), ERR_CERTIFICATE);
	assert_int_equal(
		check(author, LINES "start 2026-01-01T00:00:00Z\n", envelope(&t, author, NULL, IN_TOTO_PAYLOAD_TYPE)),
		ERR_CERTIFICATE);
	assert_int_equal(check(author, LINES "subject pkg:a/b\n", envelope(&t, author, NULL, IN_TOTO_PAYLOAD_TYPE)),
			 ERR_CERTIFICATE);
	assert_int_equal(check(author, LINES "re " HEX "\n", envelope(&t, author, NULL, IN_TOTO_PAYLOAD_TYPE)),
			 ERR_CERTIFICATE);
	o = t;
	o.scheme = SPAN("other");
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	o = t;
	o.level = SPAN("");
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	o = t;
	o.issuer = SPAN("lab.example");
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	o = t;
	o.end_ms += 1000;
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	o = t;
	o.kind = PREDICATE_DECLARATION;
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	o = t;
	o.subjects = one;
	o.subject_count = 1;
	assert_int_equal(check(author, LINES, envelope(&o, author, NULL, IN_TOTO_PAYLOAD_TYPE)), ERR_CERTIFICATE);
	signer_free(author);
	signer_free(other);
}

/* Signed by the author, as it stands. */
static struct span sealed(const struct signer *author, const char *payload)
{
	struct buffer text = BUFFER(1 << 20);
	struct dsse *d = arena_alloc(arena, sizeof(*d));
	struct span out;

	*d = (struct dsse){ .payload_type = SPAN(IN_TOTO_PAYLOAD_TYPE), .payload = span_of(payload) };
	assert_int_equal(dsse_sign(arena, d, author), OK);
	dsse_print(d, &text);
	out = span_make(arena_copy(arena, text.at, text.len), text.len);
	buffer_free(&text);
	return out;
}

#define PAYLOAD(kind, more)                                                                                            \
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"" HEX                   \
	"\"}}],\"predicateType\":\"comity:" kind "/v1\",\"predicate\":{\"issuer\":\"body.example\"," more "}}"
#define CANARY "predicate canary\nsubject sha256:" HEX "\nname c\nend 2026-12-01T00:00:00Z\n"
#define CANARY_SAYS(text) PAYLOAD("canary", "\"name\":\"c\",\"valid_until\":\"2026-12-01T00:00:00Z\"" text)
#define STATUS "predicate status\nsubject sha256:" HEX "\nre " HEX "\nstatus suspended\n"
#define STATUS_SAYS(reason) PAYLOAD("status", "\"status\":\"suspended\",\"statement\":\"" HEX "\"" reason)
#define DECLARED_ON "predicate declaration\nsubject sha256:" HEX "\n"

static const struct {
	const char *lines, *payload;
	enum err err;
} said[] = {
	{ CANARY "text nobody asked\n", CANARY_SAYS(",\"text\":\"nobody asked\""), OK },
	{ CANARY "text nobody asked\n", CANARY_SAYS(",\"text\":\"somebody asked\""), ERR_CERTIFICATE },
	{ CANARY "text nobody asked\n", CANARY_SAYS(""), OK },
	{ CANARY, CANARY_SAYS(",\"text\":\"nobody asked\""), OK },
	{ STATUS "reason a flaw\n", STATUS_SAYS(",\"reason\":\"a flaw\""), OK },
	{ STATUS "reason a flaw\n", STATUS_SAYS(",\"reason\":\"no flaw\""), ERR_CERTIFICATE },
	{ DECLARED_ON, PAYLOAD("declaration", "\"place\":\"here\""), OK },
	/* over since 1970: not the same as without an end */
	{ DECLARED_ON, PAYLOAD("declaration", "\"valid_until\":\"1970-01-01T00:00:00Z\""), ERR_CERTIFICATE },
	{ DECLARED_ON, PAYLOAD("declaration", "\"valid_from\":\"1970-01-01T00:00:00Z\""), ERR_CERTIFICATE },
};

static void body_leaves_nothing_otherwise(void **state)
{
	struct signer *author = signer_of("body.example");

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(said); i++) {
		enum err e = check(author, said[i].lines, sealed(author, said[i].payload));

		if (e != said[i].err)
			fail_msg("%s%s: %s, %s", said[i].lines, said[i].payload, err_code(e), err_detail());
	}
	signer_free(author);
}

/* Claims that many maps name, the same one many times: the first that attests counts. */
static void claims_told(void **state)
{
	static const char payload[] = PAYLOAD(
		"declaration",
		"\"declarations\":{\"assessors\":[{\"bom-ref\":\"a\",\"thirdParty\":true},{\"bom-ref\":\"b\"}],"
		"\"attestations\":[{\"assessor\":\"a\",\"map\":[{\"requirement\":\"r1\",\"claims\":[\"c\",\"c\"]},"
		"{\"requirement\":\"r2\",\"claims\":[\"d\"],\"counterClaims\":[\"e\",\"e\"]}]},{\"assessor\":\"b\","
		"\"map\":["
		"{\"requirement\":\"r3\",\"claims\":[\"d\",\"c\",\"f\"]}]}],\"claims\":[{\"bom-ref\":\"f\"},"
		"{\"predicate\":\"no name\"},{\"bom-ref\":\"e\"},{\"bom-ref\":\"d\"},{\"bom-ref\":\"c\"},"
		"{\"bom-ref\":\"z\"}]}");
	static const char *const requirements[] = { "r3", NULL, NULL, "r2", "r1", NULL };
	struct told_claim *claims;
	struct in_toto t;
	size_t count;

	(void)state;
	assert_int_equal(in_toto_parse(arena, span_of(payload), &t), OK);
	assert_int_equal(in_toto_claims(arena, &t, &claims, &count), OK);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(claims[i].assessed, requirements[i] != NULL);
		assert_int_equal(claims[i].counter, i == 2);
		if (claims[i].assessed)
			assert_true(span_is(claims[i].requirement, requirements[i]));
	}
	assert_false(claims[0].third_party);
	assert_true(claims[3].third_party);
}

/* What others wrote. All but one are of version 0.1; that one has 40 digits of SHA-1 under "sha256", and is read when it has 64. */
static void of_others(void **state)
{
	static const char path[] = "../shared/data/disclosure/attestations/certify-novuln-v02.json";
	static const char old[] = "../shared/data/disclosure/attestations/crev-review.json";
	static const char sha1[] = "3a2bd2c5cc4c978e8aefd8bd0ef335fb42ee31d1";
	struct span text;
	struct in_toto t;
	const char *at;

	(void)state;
	if (file_read(arena, path, 1 << 20, &text) != OK) {
		print_message("skipped: ../shared/data/disclosure/attestations is absent\n");
		return;
	}
	assert_int_equal(in_toto_parse(arena, text, &t), ERR_CERTIFICATE);
	assert_non_null(strstr(err_detail(), "sha256"));
	at = strstr(arena_copy(arena, text.at, text.len), sha1);
	assert_non_null(at);
	at = arena_print(arena, "%.*s%s%.*s", (int)(text.len - strlen(at)), text.at, HEX, (int)(strlen(at) - 40),
			 at + 40);
	assert_int_equal(in_toto_parse(arena, span_of(at), &t), OK);
	assert_false(t.ours);
	assert_true(span_is(t.predicate_type, "https://in-toto.io/attestation/vulns/v0.2"));
	assert_int_equal(t.subject_count, 2);
	assert_true(span_is(t.subjects[0], "pkg:maven/org.apache.logging.log4j/log4j-core@2.8.1"));
	assert_int_equal(file_read(arena, old, 1 << 20, &text), OK);
	assert_int_equal(in_toto_parse(arena, text, &t), ERR_CERTIFICATE);
	assert_non_null(strstr(err_detail(), "_type"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_that_form),
		cmocka_unit_test(subjects_sorted_once),
		cmocka_unit_test(printed_and_read),
		cmocka_unit_test(body_says_what_the_header_says),
		cmocka_unit_test(body_leaves_nothing_otherwise),
		cmocka_unit_test(claims_told),
		cmocka_unit_test(of_others),
	};
	int failed;

	arena = arena_new((size_t)1 << 28);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
