#include "test.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json.h"
#include "stix/pattern.h"
#include "stix/validate.h"

#define UUID "00000000-0000-4000-8000-000000000001"
#define UUID5 "00000000-0000-5000-8000-000000000001"
#define RED "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
#define TIMES "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\""
#define DOMAIN(type, rest)                                                                                             \
	"{\"type\":\"" type "\",\"spec_version\":\"2.1\",\"id\":\"" type "--" UUID "\"," TIMES rest "}"
#define CAMPAIGN(rest) DOMAIN("campaign", ",\"name\":\"n\"" rest)
#define INDICATOR(rest)                                                                                                \
	DOMAIN("indicator", ",\"name\":\"n\",\"description\":\"d\",\"pattern_type\":\"stix\","                         \
			    "\"valid_from\":\"2026-01-01T00:00:00Z\"" rest)
#define PATTERN(text) INDICATOR(",\"pattern\":\"" text "\"")
#define OBSERVABLE(type, rest) "{\"type\":\"" type "\",\"id\":\"" type "--" UUID5 "\"" rest "}"

static struct arena *arena;

static void judge(const char *text, struct stix_verdict *v)
{
	struct yyjson_doc *doc;

	arena_reset(arena);
	assert_int_equal(json_read(arena, span_of(text), &doc), OK);
	assert_int_equal(stix_validate_value(arena, yyjson_doc_get_root(doc), v), OK);
}

/* One object, and the only finding of it: "rule where"; NULL: none. */
struct row {
	const char *object, *finding;
};

static void rows_check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct stix_verdict v;
		char got[600] = "";

		judge(rows[i].object, &v);
		if (v.count > 0)
			snprintf(got, sizeof(got), "%s %.*s", v.findings[0].rule->name,
				 (int)strcspn(v.findings[0].text, ":"), v.findings[0].text);
		if (v.count > 1 || strcmp(got, rows[i].finding != NULL ? rows[i].finding : "") != 0)
			fail_msg("%s\n%zu findings, first: %s %s", rows[i].object, v.count, got,
				 v.count > 0 ? v.findings[0].text : "");
		if (v.count == 1)
			assert_int_equal(v.refusals, v.findings[0].rule->must);
	}
}
#define ROWS(rows) rows_check(rows, sizeof(rows) / sizeof((rows)[0]))

static void objects(void **state)
{
	static const struct row rows[] = {
		{ CAMPAIGN(""), NULL },
		{ "[]", "not-an-object is no JSON object" },
		{ "{\"type\":\"campaign\",\"spec_version\":\"2.1\"," TIMES ",\"name\":\"n\"}",
		  "property-missing needs the property id" },
		{ DOMAIN("campaign", ""), "property-missing needs the property name" },
		{ CAMPAIGN(",\"name2\":1,\"extensions\":{\"extension-definition--" UUID
			   "\":{\"extension_type\":\"toplevel-property-extension\"}}"),
		  NULL },
		{ CAMPAIGN(",\"description\":7"), "value-type description" },
		{ CAMPAIGN(",\"aliases\":[]"), "empty-list aliases" },
		{ CAMPAIGN(",\"aliases\":[\"a\",null]"), "value-type aliases[1]" },
		{ CAMPAIGN(",\"severity\":1"), "property-reserved severity" },
		{ CAMPAIGN(",\"confidence\":101"), "integer-range confidence" },
		{ CAMPAIGN(",\"confidence\":100.0"), NULL },
		{ CAMPAIGN(",\"confidence\":1.5"), "value-type confidence" },
		{ CAMPAIGN(",\"lang\":\"de-Latn-AT-1996-x-y\""), NULL },
		{ CAMPAIGN(",\"lang\":\"xx\""), "language-tag lang" },
		{ CAMPAIGN(",\"lang\":\"en_GB\""), "language-tag lang" },
		{ CAMPAIGN(",\"lang\":\"foo\""), "language-tag lang" },
		{ CAMPAIGN(",\"lang\":\"kok-IN\""), NULL },
		{ CAMPAIGN(",\"lang\":\"zh-cmn-Hans-CN\""), NULL },
		{ CAMPAIGN(",\"created_by_ref\":\"identity\""), "id-syntax created_by_ref" },
		{ CAMPAIGN(",\"first_seen\":\"2026-02-29T00:00:00Z\""), "timestamp first_seen" },
		{ CAMPAIGN(",\"first_seen\":\"2026-01-02T00:00:00.1Z\",\"last_seen\":\"2026-01-02T00:00:00.099Z\""),
		  "timestamp-order last_seen" },
		{ CAMPAIGN(",\"first_seen\":\"2026-01-02T00:00:00.10Z\",\"last_seen\":\"2026-01-02T00:00:00.1Z\""),
		  NULL },
		{ "{\"type\":\"campaign\",\"spec_version\":\"2.1\",\"id\":\"campaign--" UUID5 "\"," TIMES
		  ",\"name\":\"n\"}",
		  "uuid-check id" },
		{ "{\"type\":\"campaign\",\"spec_version\":\"2.1\",\"id\":\"malware--" UUID "\"," TIMES
		  ",\"name\":\"n\"}",
		  "id-type id" },
		{ "{\"type\":\"campaign\",\"spec_version\":\"2.1\",\"id\":\"campaign--1\"," TIMES ",\"name\":\"n\"}",
		  "id-syntax id" },
		{ "{\"type\":\"campaign\",\"spec_version\":\"3\",\"id\":\"campaign--" UUID "\"," TIMES
		  ",\"name\":\"n\"}",
		  "spec-version spec_version" },
		{ "{\"type\":\"campaign\",\"spec_version\":\"2.0\",\"id\":\"campaign--" UUID "\"," TIMES "}", NULL },
		{ "{\"type\":\"campaign\",\"id\":\"campaign--" UUID "\"," TIMES ",\"name\":\"n\"}",
		  "property-missing needs the property spec_version" },
		{ "{\"type\":\"action\",\"spec_version\":\"2.1\",\"id\":\"action--" UUID "\"," TIMES "}",
		  "type-reserved type" },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2026-12345\"}]"),
		  NULL },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2026-01234\"}]"),
		  "external-reference external_references[0]" },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"a\",\"external_id\":\"CAPEC-1\"}]"),
		  "external-reference external_references[0]" },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"a\"}]"),
		  "external-reference external_references[0]" },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"a\",\"url\":\"http://a/\"}]"),
		  "extref-hashes external_references[0]" },
		{ CAMPAIGN(",\"external_references\":[{\"source_name\":\"a\",\"url\":\"a b\",\"hashes\":{\"MD5\":"
			   "\"00000000000000000000000000000000\"}}]"),
		  "url external_references[0].url" },
	};

	(void)state;
	ROWS(rows);
}

static void types(void **state)
{
	static const struct row rows[] = {
		{ DOMAIN("location", ",\"latitude\":1,\"longitude\":2,\"precision\":3.5"), NULL },
		{ DOMAIN("location", ",\"region\":\"africa\",\"latitude\":1"),
		  "location latitude and longitude go together" },
		{ DOMAIN("location", ",\"latitude\":-91,\"longitude\":2"), "integer-range latitude" },
		{ DOMAIN("location", ",\"country\":\"zy\""), "countries country" },
		{ DOMAIN("malware", ",\"is_family\":true"), "malware-family a family needs a name" },
		{ DOMAIN("malware", ",\"is_family\":false,\"sample_refs\":[\"url--" UUID "\"]"),
		  "reference-type sample_refs[0]" },
		{ DOMAIN("malware", ",\"is_family\":false,\"malware_types\":[\"bot\"]"), NULL },
		{ DOMAIN("opinion", ",\"opinion\":\"maybe\",\"object_refs\":[\"note--" UUID "\"]"),
		  "enum-value opinion" },
		{ DOMAIN("relationship", ",\"relationship_type\":\"uses\",\"source_ref\":\"campaign--" UUID
					 "\",\"target_ref\":\"tool--" UUID "\""),
		  NULL },
		{ DOMAIN("relationship", ",\"relationship_type\":\"uses\",\"source_ref\":\"tool--" UUID
					 "\",\"target_ref\":\"campaign--" UUID "\""),
		  "relationship-types relationship_type" },
		{ DOMAIN("relationship", ",\"relationship_type\":\"uses\",\"source_ref\":\"sighting--" UUID
					 "\",\"target_ref\":\"tool--" UUID "\""),
		  "reference-type source_ref" },
		{ DOMAIN("sighting", ",\"sighting_of_ref\":\"malware--" UUID "\",\"count\":-1"),
		  "integer-range count" },
		{ DOMAIN("observed-data",
			 ",\"first_observed\":\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-01T00:00:00Z\","
			 "\"number_observed\":1,\"object_refs\":[\"relationship--" UUID "\"]"),
		  "observed-data object_refs" },
		{ DOMAIN("observed-data",
			 ",\"first_observed\":\"2026-01-01T00:00:00Z\",\"last_observed\":\"2026-01-01T00:00:00Z\","
			 "\"number_observed\":1,\"objects\":{\"0\":{\"type\":\"domain-name\",\"id\":\"domain-name-"
			 "-" UUID5 "\",\"value\":\"a.example\",\"resolves_to_refs\":[\"0\"]}}"),
		  "deprecated-properties objects" },
		{ DOMAIN("extension-definition",
			 ",\"created_by_ref\":\"identity--" UUID
			 "\",\"name\":\"n\",\"description\":\"d\",\"schema\":\"s\",\"version\":\"1.0.0\","
			 "\"extension_types\":[\"new-sdo\"],\"extension_properties\":[\"abc\"]"),
		  "extension-definition extension_properties" },
		{ DOMAIN("language-content",
			 ",\"object_ref\":\"campaign--" UUID "\",\"contents\":{\"de\":{\"name\":\"N\"}}"),
		  NULL },
		{ DOMAIN("language-content",
			 ",\"object_ref\":\"campaign--" UUID "\",\"contents\":{\"de\":{\"Name\":\"N\"}}"),
		  "language-content contents.de.Name" },
		{ OBSERVABLE("ipv4-addr", ",\"value\":\"192.0.2.0/24\""), NULL },
		{ OBSERVABLE("ipv4-addr", ",\"value\":\"192.0.2.0/33\""), "address value" },
		{ OBSERVABLE("ipv4-addr", ",\"value\":\"192.0.2.1\",\"resolves_to_refs\":[\"url--" UUID "\"]"),
		  "reference-type resolves_to_refs[0]" },
		{ OBSERVABLE("ipv6-addr", ",\"value\":\"2001:db8::1/129\""), "address value" },
		{ OBSERVABLE("ipv6-addr", ",\"value\":\"2001:db8::1%eth0\""), NULL },
		{ OBSERVABLE("email-addr", ",\"value\":\"a.b@example.org\""), NULL },
		{ OBSERVABLE("email-addr", ",\"value\":\"a b@example.org\""), "address value" },
		{ OBSERVABLE("email-addr", ",\"value\":\"a@exa/mple.org\""), "address value" },
		{ OBSERVABLE("mac-addr", ",\"value\":\"00:00:5E:00:53:af\""), "address value" },
		{ OBSERVABLE("file", ""), "file needs hashes or name" },
		{ OBSERVABLE("file", ",\"hashes\":{\"SHA-1\":\"00\"}"), "hash-value hashes.SHA-1" },
		{ OBSERVABLE("file", ",\"hashes\":{\"FOO\":\"00\"}"), "hash-algo hashes.FOO" },
		{ OBSERVABLE("file", ",\"name\":\"n\",\"name_enc\":\"bla\""), "character-set name_enc" },
		{ OBSERVABLE("file", ",\"name\":\"n\",\"extensions\":{\"pdf-ext\":{}}"),
		  "extension-name extensions.pdf-ext" },
		{ OBSERVABLE("file", ",\"name\":\"n\",\"extensions\":{\"windows-pebinary-ext\":{\"pe_type\":\"dll\","
				     "\"sections\":[{\"name\":\"s\",\"size\":-1}]}}"),
		  "integer-range extensions.windows-pebinary-ext.sections[0].size" },
		{ OBSERVABLE("artifact", ",\"payload_bin\":\"QUJD\",\"url\":\"http://a/\",\"hashes\":{\"x_a\":\"1\"}"),
		  "artifact needs either payload_bin or url" },
		{ OBSERVABLE("artifact", ",\"payload_bin\":\"QUJ=D\""), "binary payload_bin" },
		{ OBSERVABLE("process", ",\"pid\":1"), "id-not-random id" },
		{ "{\"type\":\"process\",\"id\":\"process--" UUID "\"}",
		  "nothing-said a process needs at least one of its properties" },
		{ OBSERVABLE("windows-registry-key", ",\"key\":\"hklm\\\\a\""), "registry-key key" },
		{ OBSERVABLE("software", ",\"name\":\"n\",\"cpe\":\"cpe:2.3:a:b:c\""), "cpe cpe" },
		{ OBSERVABLE("software", ",\"name\":\"n\",\"cpe\":\"cpe:2.3:a:b:c\\\\:d:1.0:*:*:*:*:*:*:*\""), NULL },
	};

	(void)state;
	ROWS(rows);
}

static void markings(void **state)
{
	static const struct row rows[] = {
		{ CAMPAIGN(",\"object_marking_refs\":[\"" RED "\"]"), NULL },
		{ CAMPAIGN(",\"object_marking_refs\":[\"identity--" UUID "\"]"),
		  "marking-reference object_marking_refs[0]" },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"name\",\"granular_markings.[0].selectors.[1]\"],"
			   "\"marking_ref\":\"" RED "\"}]"),
		  NULL },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"aliases.[0]\"],\"marking_ref\":\"" RED "\"}]"),
		  "selector-unresolved granular_markings[0].selectors[0]" },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"name.[0]\"],\"lang\":\"de\"}]"),
		  "selector-unresolved granular_markings[0].selectors[0]" },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"[0]\"],\"lang\":\"de\"}]"),
		  "selector-syntax granular_markings[0].selectors[0]" },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"name\"]}]"),
		  "granular-marking granular_markings[0]" },
		{ CAMPAIGN(",\"granular_markings\":[{\"selectors\":[\"name\"],\"lang\":\"de\",\"marking_ref\":\"" RED
			   "\"}]"),
		  "granular-marking granular_markings[0]" },
		{ "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" RED
		  "\",\"created\":\"2017-01-20T00:00:00.000Z\",\"definition_type\":\"tlp\",\"name\":\"TLP:RED\","
		  "\"definition\":{\"tlp\":\"red\"}}",
		  NULL },
		{ "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"" RED
		  "\",\"created\":\"2017-01-20T00:00:00.000Z\",\"definition_type\":\"tlp\",\"name\":\"TLP:RED\","
		  "\"definition\":{\"tlp\":\"amber\"}}",
		  "marking-tlp a TLP marking is one of the four of the standard, to the letter" },
		{ "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"marking-definition--" UUID
		  "\",\"created\":\"2017-01-20T00:00:00.000Z\",\"definition_type\":\"statement\",\"definition\":{}}",
		  "marking-definition definition" },
		{ "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\"marking-definition--" UUID
		  "\",\"created\":\"2017-01-20T00:00:00Z\",\"definition_type\":\"statement\",\"definition\":{"
		  "\"statement\":\"s\"},"
		  "\"object_marking_refs\":[\"marking-definition--" UUID "\"]}",
		  "marking-itself object_marking_refs[0]" },
	};

	(void)state;
	ROWS(rows);
}

static void patterns(void **state)
{
	static const struct row rows[] = {
		{ PATTERN("[a-b:c = 1]"), "pattern-name pattern" },
		{ PATTERN("[x-foo:value = 1]"), NULL },
		{ PATTERN("[file:hashes.MD5 = '0']"), "pattern pattern" },
		{ PATTERN("[file:hashes.'SHA-256' IN ('0')]"), "pattern pattern" },
		{ PATTERN("[file:name = 'a'"), "pattern pattern" },
		{ INDICATOR(",\"pattern\":\"[file:name = 'a']\",\"valid_until\":\"2026-01-01T00:00:00.0Z\""),
		  "timestamp-order valid_until" },
	};
	static const struct {
		const char *text;
		bool good;
	} grammar[] = {
		{ "[a:b = 1]", true },
		{ "  [ a : b == +1 ] // end", true },
		{ "/* a */[a:b <> -.5]", true },
		{ "[a:'b c'[0].d[*].'e' NOT IN ()]", true },
		{ "[a:b LIKE 'a\\'b%' AND (EXISTS c:d OR e:f ISSUBSET '192.0.2.0/24')]", true },
		{ "[a:b=h'00'] AND [a:b=b'AA=='] OR [a:b=t'2026-11-23T05:00:00.1Z'] FOLLOWEDBY [a:b=true]", true },
		{ "([a:b=1]) REPEATS 2 TIMES WITHIN 1.5 SECONDS REPEATS 3 TIMES", true },
		{ "[a:b=1] START t'2026-11-23T05:00:00Z' STOP t'2026-11-23T06:00:00Z'", true },
		{ "[a:b=1] WITHIN 1 SECONDS WITHIN 2 SECONDS", false },
		{ "[a:b=1] REPEATS 1.5 TIMES", false },
		{ "[a:b > true]", false },
		{ "[a:b-c = 1]", false },
		{ "[a:b[1.5] = 1]", false },
		{ "[a:AND = 1]", false },
		{ "[a:b = 01]", false },
		{ "[a:b = b'']", false },
		{ "[a:b = h'0']", false },
		{ "[a:b MATCHES 1]", false },
		{ "[a:b = 'a\\n']", false },
		{ "[a:b = 1", false },
		{ "[a:b = 1] x", false },
		{ "a:b = 1", false },
		{ "[]", false },
		{ "", false },
	};

	(void)state;
	ROWS(rows);
	for (size_t i = 0; i < sizeof(grammar) / sizeof(grammar[0]); i++) {
		struct pattern_fault fault;
		enum err e = pattern_check(span_of(grammar[i].text), NULL, NULL, &fault);

		if ((e == OK) != grammar[i].good)
			fail_msg("%s", grammar[i].text);
		if (e != OK) {
			assert_int_equal(e, ERR_SYNTAX);
			assert_non_null(fault.what);
			assert_true(fault.at <= strlen(grammar[i].text));
		}
	}
}

/* Refusals stand first and are all counted up to the most that a verdict holds, however many warnings came before. */
static void many(void **state)
{
	struct buffer text = BUFFER(1 << 20);
	struct stix_verdict v;

	(void)state;
	buffer_text(&text, "{\"type\":\"campaign\"");
	for (int i = 0; i < 40; i++)
		buffer_print(&text, ",\"warned%d\":1", i);
	for (int i = 0; i < 20; i++)
		buffer_print(&text, ",\"Refused%d\":1", i);
	buffer_bytes(&text, "}", 2);
	judge(text.at, &v);
	assert_int_equal(v.count, STIX_FINDINGS_MAX);
	assert_int_equal(v.refusals, 20 + 5); /* and what is missing */
	for (size_t i = 0; i < v.count; i++)
		assert_int_equal(v.findings[i].rule->must, i < v.refusals);
	buffer_free(&text);
}

/* A bundle is judged with what is in it, observed data with observables in it too. */
static void bundles(void **state)
{
#define BUNDLE(objects) "{\"type\":\"bundle\",\"id\":\"bundle--" UUID "\",\"objects\":[" objects "]}"
#define OBSERVED(objects)                                                                                              \
	DOMAIN("observed-data", ",\"first_observed\":\"2026-01-01T00:00:00Z\",\"number_observed\":1,"                  \
				"\"last_observed\":\"2026-01-01T00:00:00Z\",\"objects\":{" objects "}")
	static const struct row rows[] = {
		{ BUNDLE(CAMPAIGN("")), NULL },
		{ BUNDLE(CAMPAIGN("") "," CAMPAIGN("")), "duplicate-ids objects[1]" },
		{ BUNDLE(CAMPAIGN(",\"lang\":1")), "value-type objects[0].lang" },
		{ BUNDLE("{\"type\":\"campaign\",\"id\":\"campaign--" UUID "\"," TIMES "}"), NULL }, /* of 2.0 */
		{ BUNDLE(OBSERVED("\"0\":" OBSERVABLE("url", ",\"value\":\"http://a/\""))),
		  "deprecated-properties objects[0].objects" },
	};
	struct stix_verdict v;

	(void)state;
	ROWS(rows);
	judge(BUNDLE(BUNDLE(CAMPAIGN(""))), &v);
	assert_true(v.refusals > 0);
	judge(OBSERVED("\"0\":" OBSERVED("\"0\":" OBSERVABLE("url", ",\"value\":\"http://a/\""))), &v);
	assert_true(v.refusals > 0);
}

/* Long lists of selectors into long lists end early. */
static void work(void **state)
{
	struct buffer text = BUFFER((size_t)1 << 24);
	struct stix_verdict v;

	(void)state;
	buffer_text(&text, "{\"labels\":[[0]");
	for (int i = 0; i < 20000; i++)
		buffer_text(&text, ",[0]");
	buffer_text(&text, "],\"granular_markings\":[{\"lang\":\"de\",\"selectors\":[\"labels.[1]\"");
	for (int i = 0; i < 20000; i++)
		buffer_text(&text, ",\"labels.[20000]\"");
	buffer_bytes(&text, "]}]}", 5);
	judge(text.at, &v);
	assert_int_equal(v.count, STIX_FINDINGS_MAX);
	buffer_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects),  cmocka_unit_test(types),   cmocka_unit_test(markings),
		cmocka_unit_test(patterns), cmocka_unit_test(bundles), cmocka_unit_test(many),
		cmocka_unit_test(work),
	};
	int failed;

	arena = arena_new((size_t)1 << 28);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
