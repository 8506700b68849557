/* Holds the grammar of patterns against the vectors of OASIS's pattern validator in ../shared/data (or
 * $COMITY_SHARED/data), inside of an indicator, because that judges hashes too. Exits with 77 where the data is absent. */
#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"
#include "stix/validate.h"

/* Is there a finding of that rule? */
static bool is_refused(struct arena *a, yyjson_val *pattern)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *o = yyjson_mut_obj(doc);
	yyjson_doc *copy;
	struct stix_verdict v;
	bool refused = false;

	yyjson_mut_obj_add_str(doc, o, "type", "indicator");
	yyjson_mut_obj_add_str(doc, o, "pattern_type", "stix");
	yyjson_mut_obj_add_val(doc, o, "pattern", yyjson_val_mut_copy(doc, pattern));
	yyjson_mut_doc_set_root(doc, o);
	copy = yyjson_mut_doc_imut_copy(doc, NULL);
	if (copy == NULL || stix_validate_value(a, yyjson_doc_get_root(copy), &v) != OK)
		abort();
	for (size_t i = 0; i < v.count; i++)
		refused = refused || strcmp(v.findings[i].rule->name, "pattern") == 0;
	yyjson_doc_free(copy);
	yyjson_mut_doc_free(doc);
	return refused;
}

int main(int argc, char **argv)
{
	const char *shared = getenv("COMITY_SHARED");
	struct span text;
	struct arena *a = arena_new((size_t)1 << 28);
	unsigned right = 0, wrong = 0;
	struct yyjson_doc *doc;
	yyjson_val *vector;
	char path[4096];
	size_t i, n;

	snprintf(path, sizeof(path), "%s/data/taxii/stix21-pattern-vectors-half.json",
		 shared != NULL ? shared : "../shared");
	if (argc > 1)
		snprintf(path, sizeof(path), "%s", argv[1]);
	if (!file_exists(path)) {
		printf("skipped: no %s\n", path);
		return 77;
	}
	if (a == NULL || file_read(a, path, (size_t)16 << 20, &text) != OK || json_read(a, text, &doc) != OK)
		return 1;
	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, n, vector)
	{
		yyjson_val *pattern = yyjson_obj_get(vector, "pattern");
		bool expected = yyjson_get_bool(yyjson_obj_get(vector, "valid"));

		if (is_refused(a, pattern) != expected) {
			right++;
			continue;
		}
		wrong++;
		printf("FAILED expected %s: %s\n", expected ? "valid" : "invalid", yyjson_get_str(pattern));
	}
	printf("%u right, %u wrong\n", right, wrong);
	arena_free(a);
	return wrong > 0 || right == 0;
}
