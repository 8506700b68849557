/* Reads the STIX objects of others in ../shared/data/taxii (or $COMITY_SHARED/data/taxii): identifiers made of canonical
 * text, TLP's definitions, the examples of the standard, and every version of ATT&CK for Mobile and ICS. Exits with 77
 * where the data is absent. */
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/file.h"
#include "base/jcs.h"
#include "base/json.h"
#include "stix/object.h"
#include "stix/write.h"

#define TEXT_MAX ((size_t)64 << 20)
#define AT_ONCE 400 /* objects in one envelope */

static unsigned failures;
static struct arena *arena, *reading;

static void check(bool good, const char *file, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

static struct span text_of(yyjson_val *object, const char *name)
{
	yyjson_val *v = yyjson_obj_get(object, name);

	return span_make(yyjson_get_str(v), yyjson_get_len(v));
}

static yyjson_val *read_json(const char *path)
{
	struct span text = { NULL, 0 };
	struct yyjson_doc *doc = NULL;

	if (file_read(arena, path, TEXT_MAX, &text) == OK && json_read(arena, text, &doc) == OK)
		return yyjson_doc_get_root(doc);
	check(false, path, err_detail());
	return NULL;
}

/* An object that stands in a larger document. */
static enum err read_value(yyjson_val *v, struct stix_object *out)
{
	struct stix_envelope envelope;
	struct buffer b = BUFFER(TEXT_MAX);
	char *text = yyjson_val_write(v, YYJSON_WRITE_NOFLAG, NULL);
	struct span copy;
	enum err e;

	buffer_print(&b, "{\"objects\":[%s]}", text != NULL ? text : "");
	copy = span_make(arena_copy(reading, b.at, b.len), b.len);
	buffer_free(&b);
	free(text);
	e = stix_envelope_read(reading, copy, false, &envelope);
	return e == OK ? stix_object_read(reading, &envelope.objects[0], out) : e;
}

static void identifiers(const char *path)
{
	size_t index, count, matching = 0;
	yyjson_val *v;

	yyjson_arr_foreach(read_json(path), index, count, v)
	{
		struct buffer b = BUFFER(1 << 20);
		struct stix_id id;

		check(jcs_write(yyjson_obj_get(v, "contributing"), NULL, NULL, &b) == OK, path, "canonical text");
		check(span_equal(buffer_view(&b), text_of(v, "canonical")), path,
		      yyjson_get_str(yyjson_obj_get(v, "canonical")));
		id = stix_id(yyjson_get_str(yyjson_obj_get(v, "type")), true, buffer_view(&b));
		check(span_equal(span_of(id.text), text_of(v, "expected_id")), path, id.text);
		if (yyjson_is_true(yyjson_obj_get(v, "matches"))) {
			check(span_equal(span_of(id.text), text_of(v, "id_in_source")), path, id.text);
			matching++;
		}
		buffer_free(&b);
	}
	printf("%s: %zu canonical texts, %zu identifiers as in their source\n", path, count, matching);
	check(count == 117 && matching >= 47, path, "117 rows");
}

static void definitions(const char *path)
{
	static const char *const versions[] = { "tlp1", "tlp2" };
	size_t index, count, all = 0;
	yyjson_val *root = read_json(path), *v;

	for (size_t i = 0; i < 2; i++) {
		yyjson_arr_foreach(yyjson_obj_get(root, versions[i]), index, count, v)
		{
			struct span name = text_of(v, "name"); /* "TLP:AMBER+STRICT" */
			struct stix_object o;
			enum tlp named = TLP_COUNT, marking = TLP_COUNT;

			check(read_value(v, &o) == OK && o.marked && o.tlp == TLP_CLEAR, path, name.at);
			check(tlp_parse(span_from(name, 4), &named) == OK && tlp_of_marking(o.id, &marking) == OK &&
				      named == marking,
			      path, name.at);
			all++;
			arena_reset(reading);
		}
	}
	check(all == 9, path, "nine definitions");
}

/* Of the standard's own examples some have no proper identifier, or are pieces. */
static void examples(const char *path)
{
	size_t index, count, good = 0;
	yyjson_val *v;

	yyjson_arr_foreach(read_json(path), index, count, v)
	{
		struct stix_object o;
		enum err e = read_value(yyjson_obj_get(v, "object"), &o);

		if (e == OK)
			good++;
		else
			printf("  line %d: %s: %s\n", yyjson_get_int(yyjson_obj_get(v, "line")), err_code(e),
			       err_detail());
		arena_reset(reading);
	}
	printf("%s: %zu of %zu objects\n", path, good, count);
	check(count == 164 && good == 157, path, "all but three bundles, three identifiers that are none, and a piece");
}

static void bad_example(const char *path)
{
	struct stix_object o;

	check(read_value(yyjson_obj_get(read_json(path), "object"), &o) == ERR_TIME &&
		      strncmp(err_detail(), "created ", 8) == 0,
	      path, "its day is none");
	arena_reset(reading);
}

/* Valid objects must all be readable; what is refused of the others is no object that could be kept. */
static void vectors(const char *path)
{
	size_t index, count, valid = 0, kept = 0;
	yyjson_val *v;

	yyjson_arr_foreach(read_json(path), index, count, v)
	{
		yyjson_val *object = yyjson_obj_get(v, "object");
		bool is_bundle = yyjson_equals_str(yyjson_obj_get(object, "type"), "bundle");
		struct stix_object o;
		enum err e = read_value(object, &o);

		if (yyjson_is_true(yyjson_obj_get(v, "must_level_valid")) && !is_bundle) {
			valid++;
			check(e == OK, path, err_detail());
		}
		kept += e == OK;
		arena_reset(reading);
	}
	printf("%s: all of %zu valid objects, %zu of %zu in all\n", path, valid, kept, count);
	check(count == 273, path, "273 vectors");
}

/* ---- ATT&CK ---- */

static void read_packed(const char *path, struct buffer *out)
{
	const char *command = arena_print(arena, "xz -dc '%s'", path);
	FILE *f = popen(command, "r");
	size_t n = 0;
	char *to;

	do {
		to = f != NULL ? buffer_room(out, (size_t)1 << 20) : NULL;
		n = to != NULL ? fread(to, 1, (size_t)1 << 20, f) : 0;
		out->len += n;
	} while (n > 0);
	check(f != NULL && pclose(f) == 0 && out->err == OK, path, "unpacks with xz");
}

struct versions {
	size_t objects, revoked, marked, others;
	struct span ids[AT_ONCE], texts[AT_ONCE];
};

static void read_some(const char *path, const struct buffer *envelope_text, size_t count, struct versions *all)
{
	struct stix_envelope envelope;

	if (stix_envelope_read(reading, buffer_view(envelope_text), false, &envelope) != OK ||
	    envelope.count != count) {
		check(false, path, err_detail());
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct stix_object o;

		if (stix_object_read(reading, &envelope.objects[i], &o) != OK) {
			check(false, path, err_detail());
			continue;
		}
		check(span_equal(o.text, all->texts[i]), path, "the text is not as it was sent");
		check(o.version.length > 0 && o.modified_text.len > 0, path, "no version");
		all->revoked += o.revoked;
		all->marked += o.marked;
		all->others += o.other_marking_count;
	}
	all->objects += count;
}

static void all_versions(const char *path)
{
	struct buffer packed = BUFFER(TEXT_MAX), text = BUFFER(TEXT_MAX);
	struct span rest, line;
	static struct versions all;
	size_t n = 0;

	read_packed(path, &packed);
	rest = buffer_view(&packed);
	while (span_line(&rest, &line)) {
		const char *at = memmem(line.at, line.len, ",\"object\":", 10);

		if (at == NULL) {
			check(false, path, "a line without an object");
			break;
		}
		at += 10;
		all.texts[n] = span_make(at, (size_t)(line.at + line.len - at) - 1);
		buffer_text(&text, n == 0 ? "{\"objects\":[" : ",");
		buffer_span(&text, all.texts[n++]);
		if (n == AT_ONCE || rest.len == 0) {
			buffer_text(&text, "]}");
			read_some(path, &text, n, &all);
			buffer_clear(&text);
			arena_reset(reading);
			n = 0;
		}
	}
	printf("%s: %zu objects, %zu revoked, %zu marked, %zu other markings\n", path, all.objects, all.revoked,
	       all.marked, all.others);
	check(all.objects == 16208 && all.revoked == 201, path, "16,208 objects, 201 revoked");
	buffer_free(&text);
	buffer_free(&packed);
}

static void conflicts(const char *path)
{
	struct buffer packed = BUFFER(TEXT_MAX);
	struct yyjson_doc *doc = NULL;
	size_t index, count = 0;
	yyjson_val *v;

	read_packed(path, &packed);
	check(json_read(arena, buffer_view(&packed), &doc) == OK, path, "is JSON");
	yyjson_arr_foreach(yyjson_doc_get_root(doc), index, count, v)
	{
		struct stix_object a, b;

		check(read_value(yyjson_obj_get(v, "a"), &a) == OK && read_value(yyjson_obj_get(v, "b"), &b) == OK &&
			      span_equal(a.id, b.id) && instant_compare(&a.version, &b.version) == 0 &&
			      !hash_equal(a.digest, b.digest),
		      path, yyjson_get_str(yyjson_obj_get(v, "id")));
		arena_reset(reading);
	}
	printf("%s: %zu conflicts\n", path, count);
	check(count == 41, path, "41 pairs");
	buffer_free(&packed);
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED"), *folder;

	if ((arena = arena_new((size_t)1 << 30)) == NULL || (reading = arena_new((size_t)1 << 28)) == NULL)
		return 1;
	folder = arena_print(arena, "%s/data/taxii", shared != NULL ? shared : "../shared");
	if (!file_exists(arena_print(arena, "%s/SOURCES.md", folder))) {
		printf("SKIPPED: no objects in %s; set COMITY_SHARED\n", folder);
		return 77;
	}
	identifiers(arena_print(arena, "%s/sco-deterministic-id-vectors.json", folder));
	definitions(arena_print(arena, "%s/tlp-marking-definitions.json", folder));
	examples(arena_print(arena, "%s/stix21-spec-examples.json", folder));
	bad_example(arena_print(arena, "%s/bad-oasis-example.json", folder));
	vectors(arena_print(arena, "%s/stix21-validator-vectors-half.json", folder));
	if (system("xz --version >/dev/null 2>&1") == 0) {
		all_versions(arena_print(arena, "%s/attack/attack-mobile-ics-all-versions.ndjson.xz", folder));
		conflicts(arena_print(arena, "%s/attack/same-id-modified-conflicts.json.xz", folder));
	} else {
		printf("skipped: no xz to unpack ATT&CK with\n");
	}
	printf("%u failures\n", failures);
	arena_free(reading);
	arena_free(arena);
	return failures == 0 ? 0 : 1;
}
