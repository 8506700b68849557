#include "test.h"

#include "base/json.h"
#include "report/references.h"
#include "report/sbom.h"

#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define CYCLONEDX "\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\""
#define SPDX "\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"SPDXRef-DOCUMENT\""

static struct arena *arena;

static int begin(void **state)
{
	(void)state;
	arena = arena_new((size_t)1 << 30);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct sbom parsed(const char *text)
{
	struct sbom s;
	enum err e;

	arena_reset(arena);
	if ((e = sbom_parse(arena, span_of(text), &s)) != OK)
		fail_msg("%s: %s", err_code(e), err_detail());
	return s;
}

static void says(const struct sbom_component *c, const char *name, const char *version, const char *purl,
		 const char *sha256)
{
	assert_span(c->name, name);
	assert_span(c->version, version);
	assert_span(c->purl, purl);
	assert_span(c->sha256, sha256);
}

static void reads_cyclonedx(void **state)
{
	struct sbom s = parsed(
		"\xef\xbb\xbf{" CYCLONEDX
		",\"metadata\":{\"component\":{\"name\":\"app\",\"version\":\"1\",\"bom-ref\":"
		"\"r\",\"components\":[{\"name\":\"inner\"}]}},\"components\":[{\"name\":\"a\",\"version\":\"1.0\","
		"\"purl\":\"pkg:npm/a@1.0\",\"hashes\":[{\"alg\":\"SHA-1\",\"content\":\"00\"},{\"alg\":\"SHA-256\","
		"\"content\":\"" DIGEST "\"}],\"components\":[{\"name\":\"b\",\"components\":[{\"name\":\"c\"}]},"
		"{\"name\":\"d\"}]},{\"name\":\"e\",\"version\":null,\"components\":[]}],"
		"\"dependencies\":[{\"ref\":\"r\",\"dependsOn\":[\"x\",\"y\"]},{\"ref\":\"x\"},"
		"{\"ref\":\"y\",\"dependsOn\":[\"x\"]}]}");
	static const char *const order[] = { "inner", "a", "b", "c", "d", "e" };

	(void)state;
	assert_int_equal(s.form, SBOM_CYCLONEDX);
	assert_span(s.version, "1.6");
	says(&s.subject, "app", "1", "", "");
	assert_int_equal(s.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_span(s.components[i].name, order[i]);
	says(&s.components[1], "a", "1.0", "pkg:npm/a@1.0", DIGEST);
	assert_int_equal(s.dependencies, 3);
	assert_false(s.has_cycle);
	for (char v = '2'; v <= '7'; v++) {
		char text[80];

		snprintf(text, sizeof(text), "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.%c\"}", v);
		assert_int_equal(parsed(text).count, 0);
	}
}

static void reads_spdx(void **state)
{
	struct sbom s = parsed(
		"{" SPDX
		",\"packages\":[{\"name\":\"app\",\"SPDXID\":\"SPDXRef-0\"},{\"name\":\"a\",\"SPDXID\":\"SPDXRef-1\","
		"\"versionInfo\":\"1.0\",\"checksums\":[{\"algorithm\":\"SHA256\",\"checksumValue\":\"" DIGEST "\"}],"
		"\"externalRefs\":[{\"referenceType\":\"cpe23Type\",\"referenceLocator\":\"cpe:2.3:a\"},"
		"{\"referenceCategory\":\"PACKAGE-MANAGER\",\"referenceType\":\"purl\",\"referenceLocator\":"
		"\"pkg:deb/debian/a@1.0?arch=all\"}]},{\"packageName\":\"b\",\"SPDXID\":\"SPDXRef-2\"}],"
		"\"relationships\":[{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":\"DESCRIBES\","
		"\"relatedSpdxElement\":\"SPDXRef-0\"},{\"spdxElementId\":\"SPDXRef-0\",\"relationshipType\":\"DEPENDS_"
		"ON\","
		"\"relatedSpdxElement\":\"SPDXRef-1\"},{\"spdxElementId\":\"SPDXRef-2\",\"relationshipType\":"
		"\"RUNTIME_DEPENDENCY_OF\",\"relatedSpdxElement\":\"SPDXRef-1\"},{\"spdxElementId\":\"SPDXRef-0\","
		"\"relationshipType\":\"CONTAINS\",\"relatedSpdxElement\":\"SPDXRef-1\"}]}");

	(void)state;
	assert_int_equal(s.form, SBOM_SPDX);
	assert_span(s.version, "2.3");
	says(&s.subject, "app", "", "", "");
	assert_int_equal(s.count, 2);
	says(&s.components[0], "a", "1.0", "pkg:deb/debian/a@1.0?arch=all", DIGEST);
	says(&s.components[1], "b", "", "", "");
	assert_int_equal(s.dependencies, 2);
	assert_false(s.has_cycle);
	/* several things described: no one subject */
	s = parsed("{\"spdxVersion\":\"SPDX-2.2\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"documentDescribes\":[\"SPDXRef-1\","
		   "\"SPDXRef-2\"],\"packages\":[{\"name\":\"a\",\"SPDXID\":\"SPDXRef-1\"},{\"name\":\"b\",\"SPDXID\":"
		   "\"SPDXRef-2\"}]}");
	assert_int_equal(s.subject.name.len, 0);
	assert_int_equal(s.count, 2);
}

/* Capital digits are one spelling more of the same hash. */
static void lowers_digests(void **state)
{
	char upper[] = DIGEST, text[512];

	(void)state;
	for (size_t i = 0; upper[i] != '\0'; i++)
		if (upper[i] >= 'a')
			upper[i] = (char)(upper[i] - 'a' + 'A');
	snprintf(text, sizeof(text),
		 "{" CYCLONEDX ",\"components\":[{\"name\":\"a\",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"%s\"},"
		 "{\"alg\":\"SHA-256\",\"content\":\"" DIGEST "\"}]}]}",
		 upper);
	assert_span(parsed(text).components[0].sha256, DIGEST);
}

static void tells_circles(void **state)
{
	(void)state;
	assert_true(parsed("{" CYCLONEDX ",\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":[\"b\"]},{\"ref\":\"b\","
			   "\"dependsOn\":[\"c\"]},{\"ref\":\"c\",\"dependsOn\":[\"a\"]}]}")
			    .has_cycle);
	assert_true(parsed("{" CYCLONEDX ",\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":[\"a\"]}]}").has_cycle);
	assert_false(parsed("{" CYCLONEDX
			    ",\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":[\"b\",\"b\"]},{\"ref\":\"a\","
			    "\"dependsOn\":[\"b\"]}]}")
			     .has_cycle);
	assert_true(
		parsed("{" SPDX ",\"relationships\":[{\"spdxElementId\":\"a\",\"relationshipType\":\"DEPENDS_ON\","
		       "\"relatedSpdxElement\":\"b\"},{\"spdxElementId\":\"a\",\"relationshipType\":\"DEPENDENCY_OF\","
		       "\"relatedSpdxElement\":\"b\"}]}")
			.has_cycle);
}

static const struct {
	const char *text;
	enum err e;
	const char *detail; /* begins so */
} refused[] = {
	{ "", ERR_JSON, "" },
	{ "<bom/>", ERR_JSON, "" },
	{ "[]", ERR_SBOM, "the document: not an object" },
	{ "{}", ERR_SBOM, "neither" },
	{ "{\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\",\"@graph\":[]}", ERR_SBOM, "neither" },
	{ "{\"bomFormat\":\"CycloneDX\",\"spdxVersion\":\"SPDX-2.3\"}", ERR_SBOM, "neither" },
	{ "{\"bomFormat\":7}", ERR_SBOM, "the document: no text \"bomFormat\"" },
	{ "{\"bomFormat\":\"CycloneDX\"}", ERR_SBOM, "CycloneDX  is not read" },
	{ "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"2.0\"}", ERR_SBOM, "CycloneDX 2.0 is not read" },
	{ "{\"bomFormat\":\"CycloneDX\",\"specVersion\":1.6}", ERR_SBOM, "the document: no text \"specVersion\"" },
	{ "{" CYCLONEDX "," CYCLONEDX "}", ERR_SBOM, "the document: twice \"bomFormat\"" },
	{ "{" CYCLONEDX ",\"components\":{}}", ERR_SBOM, "components: no array \"components\"" },
	{ "{" CYCLONEDX ",\"components\":[7]}", ERR_SBOM, "components[0]: not an object" },
	{ "{" CYCLONEDX ",\"components\":[{}]}", ERR_SBOM, "components[0]: no name" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"\"}]}", ERR_SBOM, "components[0]: no name" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"a\"},{\"name\":\"b\",\"components\":[{\"name\":7}]}]}", ERR_SBOM,
	  "components[1].components[0]: no text \"name\"" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"a\",\"purl\":\"pkg:npm/a\",\"purl\":\"pkg:npm/b\"}]}", ERR_SBOM,
	  "components[0]: twice \"purl\"" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"a\",\"bom-ref\":\"x\"},{\"name\":\"b\",\"bom-ref\":\"x\"}]}",
	  ERR_SBOM, "components[1]: the reference stands there twice: \"x\"" },
	{ "{" CYCLONEDX
	  ",\"metadata\":{\"component\":{\"name\":\"a\",\"bom-ref\":\"x\"}},\"components\":[{\"name\":\"b\","
	  "\"bom-ref\":\"x\"}]}",
	  ERR_SBOM, "components[0]: the reference" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"a\",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"00\"}]}]}",
	  ERR_SBOM, "components[0]: no SHA-256 \"00\"" },
	{ "{" CYCLONEDX ",\"components\":[{\"name\":\"a\",\"hashes\":[{\"alg\":\"SHA-256\",\"content\":\"" DIGEST
	  "\"},{\"alg\":\"SHA-256\",\"content\":\"af86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}]}"
	  "]}",
	  ERR_SBOM, "components[0]: two different" },
	{ "{" CYCLONEDX ",\"metadata\":[]}", ERR_SBOM, "metadata: not an object" },
	{ "{" CYCLONEDX ",\"metadata\":{\"component\":7}}", ERR_SBOM, "metadata.component: not an object" },
	{ "{" CYCLONEDX ",\"metadata\":{\"component\":{}}}", ERR_SBOM, "metadata.component: no name" },
	{ "{" CYCLONEDX ",\"dependencies\":[{}]}", ERR_SBOM, "dependencies[0]: no ref" },
	{ "{" CYCLONEDX ",\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":\"b\"}]}", ERR_SBOM,
	  "dependencies[0]: no array" },
	{ "{" CYCLONEDX ",\"dependencies\":[{\"ref\":\"a\",\"dependsOn\":[7]}]}", ERR_SBOM,
	  "dependencies[0]: dependsOn" },
	{ "{\"spdxVersion\":2}", ERR_SBOM, "the document: no text" },
	{ "{\"spdxVersion\":\"SPDX-3.0\"}", ERR_SBOM, "SPDX 3.0 is not read" },
	{ "{\"spdxVersion\":\"SPDX-2.3\",\"SPDXID\":\"\"}", ERR_SBOM, "SPDXID:" },
	{ "{" SPDX ",\"packages\":[{\"name\":\"a\"}]}", ERR_SBOM, "packages[0]: no SPDXID" },
	{ "{" SPDX ",\"packages\":[{\"SPDXID\":\"a\"}]}", ERR_SBOM, "packages[0]: no name" },
	{ "{" SPDX ",\"packages\":[{\"name\":\"a\",\"SPDXID\":\"a\"},{\"name\":\"b\",\"SPDXID\":\"a\"}]}", ERR_SBOM,
	  "packages[1]: the reference" },
	{ "{" SPDX ",\"relationships\":[{\"spdxElementId\":\"a\"}]}", ERR_SBOM, "relationships[0]: a relationship" },
};

static void refuses(void **state)
{
	struct sbom s;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(refused); i++) {
		enum err e;

		arena_reset(arena);
		err_clear();
		e = sbom_parse(arena, span_of(refused[i].text), &s);
		if (e != refused[i].e || !span_starts(span_of(err_detail()), refused[i].detail))
			fail_msg("%s: %s: %s", refused[i].text, err_code(e), err_detail());
	}
}

/* A component in a component in a component, so many levels deep. */
static enum err nested(size_t levels)
{
	struct buffer b = BUFFER(1 << 20);
	struct sbom s;
	enum err e;

	buffer_text(&b, "{" CYCLONEDX);
	for (size_t i = 0; i < levels; i++)
		buffer_text(&b, ",\"components\":[{\"name\":\"a\"");
	for (size_t i = 0; i < levels; i++)
		buffer_text(&b, "}]");
	buffer_byte(&b, '}');
	arena_reset(arena);
	e = sbom_parse(arena, buffer_view(&b), &s);
	assert_true(e != OK || s.count == levels);
	buffer_free(&b);
	return e;
}

static void keeps_its_limits(void **state)
{
	struct buffer b = BUFFER((size_t)1 << 27);
	struct sbom s;

	(void)state;
	assert_int_equal(nested(SBOM_DEPTH_MAX), OK);
	assert_int_equal(nested(SBOM_DEPTH_MAX + 1), ERR_SBOM);
	assert_int_equal(nested(5000), ERR_DEPTH);
	buffer_text(&b, "{" CYCLONEDX ",\"components\":[{\"name\":\"a\"}");
	for (size_t i = 1; i < SBOM_COMPONENTS_MAX; i++)
		buffer_text(&b, ",{\"name\":\"a\"}");
	for (unsigned more = 0; more < 2; more++) {
		struct buffer text = BUFFER((size_t)1 << 27);

		buffer_span(&text, buffer_view(&b));
		buffer_text(&text, more > 0 ? ",{\"name\":\"a\"}]}" : "]}");
		arena_reset(arena);
		assert_int_equal(sbom_parse(arena, buffer_view(&text), &s), more > 0 ? ERR_SBOM : OK);
		assert_true(more > 0 || s.count == SBOM_COMPONENTS_MAX);
		buffer_free(&text);
	}
	buffer_free(&b);
}

/* A chain of needs that is as long as the bill: nothing may descend along it. */
static void follows_long_chains(void **state)
{
	struct buffer b = BUFFER((size_t)1 << 27);
	struct sbom s;

	(void)state;
	for (unsigned closed = 0; closed < 2; closed++) {
		buffer_clear(&b);
		buffer_text(&b, "{" CYCLONEDX ",\"dependencies\":[{\"ref\":\"0\",\"dependsOn\":[\"1\"]}");
		for (unsigned i = 1; i < 300000; i++)
			buffer_print(&b, ",{\"ref\":\"%u\",\"dependsOn\":[\"%u\"]}", i, i + 1);
		buffer_text(&b, closed ? ",{\"ref\":\"300000\",\"dependsOn\":[\"0\"]}]}" : "]}");
		arena_reset(arena);
		assert_int_equal(sbom_parse(arena, buffer_view(&b), &s), OK);
		assert_int_equal(s.dependencies, 300000 + closed);
		assert_int_equal(s.has_cycle, closed == 1);
	}
	buffer_free(&b);
}

#define THINGS 9

/* Which thing reaches which, by three loops. */
static bool circle_by_loops(const struct need *needs, size_t count)
{
	bool reaches[THINGS][THINGS] = { { false } };

	for (size_t i = 0; i < count; i++)
		reaches[needs[i].from][needs[i].to] = true;
	for (size_t k = 0; k < THINGS; k++)
		for (size_t i = 0; i < THINGS; i++)
			for (size_t j = 0; j < THINGS; j++)
				reaches[i][j] = reaches[i][j] || (reaches[i][k] && reaches[k][j]);
	for (size_t i = 0; i < THINGS; i++)
		if (reaches[i][i])
			return true;
	return false;
}

static void agrees_with_loops(void **state)
{
	uint64_t seed = test_seed();
	unsigned circles = 0;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct need needs[12];
		size_t count = test_below(&seed, 12);
		bool circle = false, expected;

		for (size_t i = 0; i < count; i++)
			needs[i] = (struct need){ (uint32_t)test_below(&seed, THINGS),
						  (uint32_t)test_below(&seed, THINGS) };
		expected = circle_by_loops(needs, count);
		assert_int_equal(needs_circle(needs, count, THINGS, &circle), OK);
		assert_int_equal(circle, expected);
		circles += circle;
	}
	assert_in_range(circles, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cyclonedx),
		cmocka_unit_test(reads_spdx),
		cmocka_unit_test(lowers_digests),
		cmocka_unit_test(tells_circles),
		cmocka_unit_test(refuses),
		cmocka_unit_test(keeps_its_limits),
		cmocka_unit_test(follows_long_chains),
		cmocka_unit_test(agrees_with_loops),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
