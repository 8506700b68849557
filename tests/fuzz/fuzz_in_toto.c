/* A statement that is taken says the same when its JSON is spelt in another way (RFC 8785), and what it says of itself can be written as a
 * statement of ours. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/jcs.h"
#include "base/json.h"
#include "regime/in_toto.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_same(const struct in_toto *a, const struct in_toto *b)
{
	check(a->subject_count == b->subject_count && a->ours == b->ours && a->kind == b->kind);
	for (size_t i = 0; i < a->subject_count; i++)
		check(span_equal(a->subjects[i], b->subjects[i]));
	check(span_equal(a->scheme, b->scheme) && span_equal(a->level, b->level) &&
	      span_equal(a->laboratory, b->laboratory) && span_equal(a->status, b->status) &&
	      span_equal(a->name, b->name) && span_equal(a->issuer, b->issuer));
	check(a->start_ms == b->start_ms && a->end_ms == b->end_ms && a->has_statement == b->has_statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buffer spelt = BUFFER((size_t)64 << 20), printed = BUFFER((size_t)64 << 20);
	struct in_toto t, again;
	yyjson_doc *doc;

	if (a == NULL && (a = arena_new((size_t)512 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (in_toto_parse(a, span_make(data, size), &t) != OK)
		return 0;
	for (size_t i = 1; i < t.subject_count; i++)
		check(span_compare(t.subjects[i - 1], t.subjects[i]) < 0);
	check(json_read_strict(a, span_make(data, size), &doc) == OK);
	if (jcs_write(yyjson_doc_get_root(doc), NULL, NULL, &spelt) == OK) {
		check(in_toto_parse(a, buffer_view(&spelt), &again) == OK);
		check_same(&t, &again);
		check(t.claims == again.claims && t.evidence == again.evidence &&
		      t.counter_evidence == again.counter_evidence && t.conformance == again.conformance);
	}
	if (t.ours && t.subject_count > 0 && in_toto_print(a, &t, SPAN(""), SPAN(""), &printed) == OK) {
		check(in_toto_parse(a, buffer_view(&printed), &again) == OK);
		check_same(&t, &again);
	}
	buffer_free(&spelt);
	buffer_free(&printed);
	return 0;
}
