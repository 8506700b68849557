/* Which class has a core code, against ../shared/data/regime/rsit-neutrality.json (or $COMITY_SHARED/data/regime/…). Exits with 77
 * where it is absent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"
#include "regime/core_code.h"

static unsigned failures;

static void check(bool good, const char *class, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", class, what);
}

/* "group:type" as we write it. */
static enum rsit_class class_of(const char *name)
{
	for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
		const char *own = class_name((enum rsit_class)c);
		size_t group = strcspn(own, "/");

		if (strlen(own) == strlen(name) && memcmp(own, name, group) == 0 && name[group] == ':' &&
		    strcmp(own + group + 1, name + group + 1) == 0)
			return (enum rsit_class)c;
	}
	return CLASS_NONE;
}

static void one(const char *name, const char *flow)
{
	enum rsit_class c = class_of(name);
	unsigned code = core_code_of(c);
	bool never = c == CLASS_OTHER || c == CLASS_UNDETERMINED || c == CLASS_TEST; /* they say nothing to act on */

	check(c != CLASS_NONE, name, "no class here");
	if (strcmp(flow, "refuse") == 0) {
		check(code == 0, name, "refused, and has a code");
		check(class_is_content(c), name, "refused, and no content class here");
	} else if (strcmp(flow, "allow-narrow-form-if-jointly-recognised") == 0) {
		check(never ? code == 0 : core_code_find(code) != NULL, name,
		      "mixed: one code, or none if it says nothing");
		check(never == (core_code_narrow(c) == NULL), name, "mixed: a narrow form");
	} else {
		check(strcmp(flow, "allow-if-jointly-recognised") == 0, name, "another flow");
		check(never ? code == 0 : core_code_find(code) != NULL, name, "allowed, and has no code");
		check(core_code_narrow(c) == NULL, name, "allowed, and narrow");
	}
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	struct arena *a = arena_new((size_t)16 << 20);
	struct yyjson_doc *doc = NULL;
	struct span text;
	char path[4096];
	size_t index, count;
	yyjson_val *v, *list;

	snprintf(path, sizeof(path), "%s/data/regime/rsit-neutrality.json", shared != NULL ? shared : "../shared");
	if (a == NULL || file_read(a, path, 1 << 20, &text) != OK) {
		printf("skipped: %s is absent\n", path);
		arena_free(a);
		return 77;
	}
	if (json_read(a, text, &doc) != OK) {
		printf("FAILED %s\n", path);
		return 1;
	}
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "classes");
	yyjson_arr_foreach(list, index, count, v)
	{
		one(yyjson_get_str(yyjson_obj_get(v, "class")), yyjson_get_str(yyjson_obj_get(v, "default_flow")));
	}
	check(yyjson_arr_size(list) == CLASS_COUNT - 1, path, "39 classes");
	arena_free(a);
	return failures != 0;
}
