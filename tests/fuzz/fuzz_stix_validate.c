/* Judging is a matter of the value alone: twice the same object gets the same verdict, refusals stand first, and what is
 * wrong with an object is wrong with it in a bundle too. A pattern that keeps to the grammar can be read for reports. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "stix/pattern.h"
#include "stix/validate.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void verdict_check(const struct stix_verdict *v)
{
	check(v->refusals <= v->count && v->count <= STIX_FINDINGS_MAX);
	for (size_t i = 0; i < v->count; i++) {
		check(v->findings[i].rule->must == (i < v->refusals));
		check(v->findings[i].text[0] != '\0' && span_is_utf8(span_of(v->findings[i].text)));
	}
}

static void bundle_check(struct arena *a, struct span text, const struct stix_verdict *alone)
{
	struct buffer bundle = BUFFER((size_t)1 << 22);
	struct stix_verdict v;
	struct yyjson_doc *doc;

	buffer_text(&bundle,
		    "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":[");
	buffer_span(&bundle, text);
	buffer_text(&bundle, "]}");
	if (bundle.err == OK && json_read(a, buffer_view(&bundle), &doc) == OK) {
		check(stix_validate_value(a, yyjson_doc_get_root(doc), &v) == OK);
		verdict_check(&v);
		check(alone->refusals > 0 || v.refusals == 0);
	}
	buffer_free(&bundle);
}

static void pattern_law(struct arena *a, struct span text)
{
	struct pattern_fault fault;
	struct pattern p;
	enum err e = pattern_check(text, NULL, NULL, &fault);

	check(e == OK || e == ERR_SYNTAX || e == ERR_DEPTH);
	check(e != ERR_SYNTAX || (fault.what != NULL && fault.at <= text.len));
	check(e != OK || pattern_read(a, text, &p) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct span text = span_make(data, size);
	struct stix_verdict one, two;
	struct yyjson_doc *doc;
	yyjson_val *root;

	if (a == NULL && (a = arena_new((size_t)1 << 27)) == NULL)
		abort();
	arena_reset(a);
	if (json_read(a, text, &doc) != OK) {
		pattern_law(a, text);
		return 0;
	}
	root = yyjson_doc_get_root(doc);
	check(stix_validate_value(a, root, &one) == OK && stix_validate_value(a, root, &two) == OK);
	verdict_check(&one);
	check(one.count == two.count && one.refusals == two.refusals);
	for (size_t i = 0; i < one.count; i++)
		check(one.findings[i].rule == two.findings[i].rule &&
		      strcmp(one.findings[i].text, two.findings[i].text) == 0);
	if (!span_is(span_make(yyjson_get_str(yyjson_obj_get(root, "type")),
			       yyjson_get_len(yyjson_obj_get(root, "type"))),
		     "bundle"))
		bundle_check(a, text, &one);
	if (yyjson_is_str(yyjson_obj_get(root, "pattern")))
		pattern_law(a, span_make(yyjson_get_str(yyjson_obj_get(root, "pattern")),
					 yyjson_get_len(yyjson_obj_get(root, "pattern"))));
	return 0;
}
