/* Each object's text, read alone, is the parser's own value of it; objects made of these texts and other spaces have the
 * same digests. What a server must know of an object is as its header says. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "stix/object.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The text with spaces around all that is not in a string. */
static struct span spaced(struct arena *a, struct span text)
{
	char *to = arena_alloc(a, 3 * text.len + 1), *start = to;
	bool inside = false;

	check(to != NULL);
	for (size_t i = 0; i < text.len; i++) {
		bool mark = !inside && strchr("{}[],:", text.at[i]) != NULL;

		if (mark)
			*to++ = ' ';
		*to++ = text.at[i];
		if (inside && text.at[i] == '\\' && i + 1 < text.len)
			*to++ = text.at[++i];
		else if (text.at[i] == '"')
			inside = !inside;
		if (mark)
			*to++ = '\n';
	}
	return span_make(start, (size_t)(to - start));
}

static void check_object(const struct stix_object *o)
{
	enum tlp tlp;

	check(stix_is_id(o->id) && o->id.len == o->type.len + 38);
	check(memcmp(o->id.at, o->type.at, o->type.len) == 0 && o->id.len <= STIX_ID_MAX);
	check(o->tlp < TLP_COUNT && (o->marked || o->tlp == TLP_CLEAR));
	check((o->version.length == 0) == (o->modified_text.len == 0));
	check(o->created_by.len == 0 || stix_is_id(o->created_by));
	for (size_t i = 0; i < o->other_marking_count; i++)
		check(stix_is_id(o->other_markings[i]) && tlp_of_marking(o->other_markings[i], &tlp) == ERR_NOT_FOUND);
}

static void check_raw(struct arena *a, const struct stix_raw *raw)
{
	struct span again = spaced(a, raw->text);
	struct stix_raw other = { again, NULL };
	struct stix_object first, second;
	struct yyjson_doc *doc;
	enum err e;

	check(json_read(a, raw->text, &doc) == OK);
	check(yyjson_equals((yyjson_val *)(uintptr_t)raw->value, yyjson_doc_get_root(doc)));
	check(json_read_strict(a, again, &doc) == OK);
	other.value = yyjson_doc_get_root(doc);
	e = stix_object_read(a, raw, &first);
	check(stix_object_read(a, &other, &second) == e);
	check(e == OK || e == ERR_FIELD || e == ERR_FIELD_MISSING || e == ERR_TIME);
	if (e != OK)
		return;
	check(hash_equal(first.digest, second.digest) && span_equal(first.id, second.id));
	check(instant_compare(&first.version, &second.version) == 0 && first.tlp == second.tlp);
	check(span_equal(first.text, raw->text) && first.value == raw->value);
	check_object(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct span text = { (const char *)data, size };
	struct stix_envelope strict, loose;
	const char *before = text.at;
	enum err e;

	if (size > 1 << 14)
		return 0;
	if (a == NULL)
		check((a = arena_new((size_t)256 << 20)) != NULL);
	e = stix_envelope_read(a, text, true, &loose);
	check(e != ERR_NO_MEMORY);
	if (e == OK) {
		check(stix_envelope_read(a, text, false, &strict) == OK
			      ? strict.count == loose.count
			      : memmem(text.at, size, "bundle", 6) != NULL || memchr(text.at, '\\', size) != NULL);
		check(loose.count > 0);
		for (size_t i = 0; i < loose.count; i++) {
			check(loose.objects[i].text.at > before);
			before = loose.objects[i].text.at + loose.objects[i].text.len;
			check(before < text.at + size);
			check_raw(a, &loose.objects[i]);
		}
	}
	arena_reset(a);
	return 0;
}
