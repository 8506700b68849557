/* Holds the judge of STIX objects against the vectors of OASIS's validator in ../shared/data (or $COMITY_SHARED/data):
 * each is one object, the validator's options and its verdict. Warnings count where the options say `strict`, but for those
 * that they disable. Exits with 77 where the data is absent.
 *
 * With `--lines` it judges one object a line from standard input instead, and answers each with `refusals warnings`, then
 * the names of the rules: that is what the comparison with the validator itself (tests/e2e) reads. */
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"
#include "stix/validate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;

/* ---- what the options switch off ---- */

static const struct {
	const char *code, *name;
} codes[] = {
	{ "101", "custom-prefix" },
	{ "102", "custom-prefix-lax" },
	{ "103", "uuid-check" },
	{ "111", "open-vocab-format" },
	{ "121", "kill-chain-names" },
	{ "141", "observable-object-keys" },
	{ "142", "observable-dictionary-keys" },
	{ "143", "malware-analysis-product" },
	{ "149", "windows-process-priority-format" },
	{ "150", "hash-length" },
	{ "202", "relationship-types" },
	{ "203", "duplicate-ids" },
	{ "211", "attack-motivation" },
	{ "212", "attack-resource-level" },
	{ "213", "identity-class" },
	{ "214", "indicator-types" },
	{ "215", "industry-sector" },
	{ "216", "malware-types" },
	{ "218", "report-types" },
	{ "219", "threat-actor-types" },
	{ "220", "threat-actor-role" },
	{ "221", "threat-actor-sophistication" },
	{ "222", "tool-types" },
	{ "223", "region" },
	{ "225", "grouping-context" },
	{ "226", "implementation-languages" },
	{ "227", "infrastructure-types" },
	{ "228", "malware-capabilities" },
	{ "230", "processor-architecture" },
	{ "231", "malware-result" },
	{ "241", "hash-algo" },
	{ "243", "windows-pebinary-type" },
	{ "244", "account-type" },
	{ "245", "indicator-pattern-types" },
	{ "271", "mime-type" },
	{ "272", "protocols" },
	{ "273", "ipfix" },
	{ "274", "http-request-headers" },
	{ "275", "socket-options" },
	{ "276", "pdf-doc-info" },
	{ "277", "countries" },
	{ "301", "network-traffic-ports" },
	{ "302", "extref-hashes" },
	{ "303", "indicator-properties" },
	{ "304", "deprecated-properties" },
	{ "305", "extension-description" },
	{ "306", "extension-properties" },
	{ "401", "extensions-use" },
};

static const char *code_of(const char *name)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i].name, name) == 0)
			return codes[i].code;
	return "";
}

static bool listed(const char *list, const char *item)
{
	struct span rest = span_of(list != NULL ? list : "");

	while (rest.at != NULL)
		if (span_is(span_cut(&rest, ','), item))
			return true;
	return false;
}

/* By name, by code, or by the group that the code begins with. */
static bool is_off(const char *list, const char *name)
{
	const char *code = code_of(name);
	char group[2] = { code[0], '\0' };

	return listed(list, name) || (code[0] != '\0' && (listed(list, code) || listed(list, group)));
}

static bool counts(const char *name, const char *disabled, const char *enabled)
{
	bool prefixes = disabled != NULL && is_off(disabled, "extensions-use");

	if (disabled == NULL && enabled != NULL)
		return listed(enabled, name);
	if (strcmp(name, "custom-prefix") == 0)
		return prefixes && !is_off(disabled, name);
	if (strcmp(name, "custom-prefix-lax") == 0)
		return prefixes && is_off(disabled, "custom-prefix") && !is_off(disabled, name);
	return !is_off(disabled, name);
}

/* ---- vectors ---- */

#define PREFIX "asks for prefixes of names as before STIX 2.1, instead of extensions (11)"
#define VERSION "the verdict hangs on an option that the vector does not tell; the same object is valid in another"

/* Where we differ, and why. */
static const struct {
	const char *test;
	size_t number; /* of the vectors with that name, from 0 */
	const char *why;
} excused[] = {
	{ "attack_pattern_tests::test_custom_toplevel_property_with_extension", 1, PREFIX },
	{ "observed_data_tests::test_observable_object_custom_toplevel_property_with_extension", 0, PREFIX },
	{ "observed_data_tests::test_observable_object_custom_toplevel_property_with_extension", 3, PREFIX },
	{ "custom_obj_tests::test_invalid_type_name_lax", 1, PREFIX },
	{ "indicator_tests::test_pattern_custom_object_noprefix", 0, PREFIX },
	{ "bundle_tests::test_silent_and_verbose", 0, "the options contradict each other, the object is valid" },
	{ "spec_version_tests::test_all", 0, VERSION },
	{ "spec_version_tests::test_all", 1, VERSION },
	{ "spec_version_tests::test_cmd_and_bundle", 0, VERSION },
};

static const char *excuse(const char *test, size_t number, yyjson_val *options, bool expected)
{
	static const char *const lacking[] = { "strict_types", "strict_properties", "schema_dir", "interop" };

	for (size_t i = 0; !expected && i < COUNT(lacking); i++)
		if (yyjson_obj_get(options, lacking[i]) != NULL)
			return lacking[i];
	for (size_t i = 0; i < COUNT(excused); i++)
		if (strcmp(test, excused[i].test) == 0 && number == excused[i].number)
			return excused[i].why;
	return NULL;
}

static struct tally {
	const char *level;
	unsigned right, excused, wrong;
} tallies[] = { { .level = "ok" }, { .level = "must" }, { .level = "should-or-pattern" }, { .level = "unclassified" } };

static bool vector_is_valid(yyjson_val *vector, const struct stix_verdict *v)
{
	yyjson_val *options = yyjson_obj_get(vector, "options");
	const char *disabled = yyjson_get_str(yyjson_obj_get(options, "disabled"));
	const char *enabled = yyjson_get_str(yyjson_obj_get(options, "enabled"));

	if (v->refusals > 0)
		return false;
	for (size_t i = 0; i < v->count; i++)
		if (yyjson_is_true(yyjson_obj_get(options, "strict")) &&
		    counts(v->findings[i].rule->name, disabled, enabled))
			return false;
	return true;
}

static void vector_judge(yyjson_val *vector, size_t number)
{
	const char *test = yyjson_get_str(yyjson_obj_get(vector, "test"));
	const char *level = yyjson_get_str(yyjson_obj_get(vector, "level")), *why;
	yyjson_val *options = yyjson_obj_get(vector, "options");
	bool expected = yyjson_get_bool(yyjson_obj_get(vector, "valid")), got;
	struct stix_verdict v;
	struct tally *t = &tallies[0];

	while (t < &tallies[COUNT(tallies) - 1] && strcmp(t->level, level) != 0)
		t++;
	if (stix_validate_value(arena, yyjson_obj_get(vector, "object"), &v) != OK)
		abort();
	got = vector_is_valid(vector, &v);
	why = excuse(test, number, options, expected);
	if (got == expected) {
		t->right++;
		return;
	}
	if (why != NULL) {
		t->excused++;
		return;
	}
	t->wrong++;
	printf("FAILED %s %zu %s: expected %s\n", test, number, level, expected ? "valid" : "invalid");
	for (size_t i = 0; i < v.count; i++)
		printf("  %s %s: %s\n", v.findings[i].rule->must ? "must" : "should", v.findings[i].rule->name,
		       v.findings[i].text);
}

static int vectors_judge(yyjson_val *all)
{
	const char *last = "";
	unsigned wrong = 0;
	size_t number = 0, i, n;
	yyjson_val *vector;

	yyjson_arr_foreach(all, i, n, vector)
	{
		const char *test = yyjson_get_str(yyjson_obj_get(vector, "test"));

		number = strcmp(test, last) == 0 ? number + 1 : 0;
		last = test;
		vector_judge(vector, number);
	}
	for (i = 0; i < COUNT(tallies); i++) {
		printf("%-18s %3u right, %u excused, %u wrong\n", tallies[i].level, tallies[i].right,
		       tallies[i].excused, tallies[i].wrong);
		wrong += tallies[i].wrong;
	}
	return wrong > 0 || n == 0;
}

/* ---- one object a line ---- */

static int lines_judge(void)
{
	static char line[1 << 20];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct yyjson_doc *doc;
		struct stix_verdict v;

		arena_reset(arena);
		if (json_read(arena, span_of(line), &doc) != OK) {
			printf("unreadable\n");
			continue;
		}
		if (stix_validate_value(arena, yyjson_doc_get_root(doc), &v) != OK)
			return 1;
		printf("%zu %zu", v.refusals, v.count - v.refusals);
		for (size_t i = 0; i < v.count; i++)
			printf(" %s", v.findings[i].rule->name);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *shared = getenv("COMITY_SHARED");
	struct span text;
	struct yyjson_doc *doc;
	char path[4096];
	int result;

	arena = arena_new((size_t)1 << 30);
	if (arena == NULL)
		return 1;
	if (argc > 1 && strcmp(argv[1], "--lines") == 0)
		return lines_judge();
	snprintf(path, sizeof(path), "%s/data/taxii/stix21-validator-vectors-half.json",
		 shared != NULL ? shared : "../shared");
	if (argc > 1)
		snprintf(path, sizeof(path), "%s", argv[1]);
	if (!file_exists(path)) {
		printf("skipped: no %s\n", path);
		return 77;
	}
	if (file_read(arena, path, (size_t)16 << 20, &text) != OK || json_read(arena, text, &doc) != OK)
		return 1;
	result = vectors_judge(yyjson_doc_get_root(doc));
	arena_free(arena);
	return result;
}
