/* A bill of materials: what is read says the same when it is read again, every component has a name, hashes are hashes, and written
 * down flat the same components come back. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/json.h"
#include "report/sbom.h"

#define ROOM ((size_t)1 << 26)

static void check_one(const struct sbom_component *c)
{
	struct hash h;
	unsigned sum = 0;

	if (c->name.len == 0 || (c->sha256.len != 0 && hash_from_hex(c->sha256, &h) != OK))
		abort();
	/* each byte is there to be read */
	for (size_t i = 0; i < c->name.len; i++)
		sum += (unsigned char)c->name.at[i];
	for (size_t i = 0; i < c->version.len; i++)
		sum += (unsigned char)c->version.at[i];
	for (size_t i = 0; i < c->purl.len; i++)
		sum += (unsigned char)c->purl.at[i];
	if (sum == 0 && memchr(c->name.at, '\0', c->name.len) == NULL)
		abort();
}

static bool same(const struct sbom_component *a, const struct sbom_component *b)
{
	return span_equal(a->name, b->name) && span_equal(a->version, b->version) && span_equal(a->purl, b->purl) &&
	       span_equal(a->sha256, b->sha256);
}

static void must_be_same(const struct sbom *a, const struct sbom *b)
{
	if (a->count != b->count || !same(&a->subject, &b->subject))
		abort();
	for (size_t i = 0; i < a->count; i++)
		if (!same(&a->components[i], &b->components[i]))
			abort();
}

static void write_one(struct json *j, const char *key, const struct sbom_component *c)
{
	json_object(j, key);
	json_string(j, "name", c->name);
	json_string(j, "version", c->version);
	json_string(j, "purl", c->purl);
	if (c->sha256.len > 0) {
		json_array(j, "hashes");
		json_object(j, NULL);
		json_text(j, "alg", "SHA-256");
		json_string(j, "content", c->sha256);
		json_object_end(j);
		json_array_end(j);
	}
	json_object_end(j);
}

static void write_flat(const struct sbom *s, struct buffer *out)
{
	struct json j = { out, false };

	json_object(&j, NULL);
	json_text(&j, "bomFormat", "CycloneDX");
	json_text(&j, "specVersion", "1.6");
	if (s->subject.name.len > 0) {
		json_object(&j, "metadata");
		write_one(&j, "component", &s->subject);
		json_object_end(&j);
	}
	json_array(&j, "components");
	for (size_t i = 0; i < s->count; i++)
		write_one(&j, NULL, &s->components[i]);
	json_array_end(&j);
	json_object_end(&j);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct arena *first, *second;
	struct span text = span_make(data, size);
	struct buffer flat = BUFFER(ROOM);
	struct sbom a, b;
	enum err e;

	if (first == NULL && ((first = arena_new(ROOM)) == NULL || (second = arena_new(ROOM)) == NULL))
		abort();
	arena_reset(first);
	arena_reset(second);
	e = sbom_parse(first, text, &a);
	if (sbom_parse(second, text, &b) != e)
		abort();
	if (e != OK)
		return 0;
	must_be_same(&a, &b);
	if (a.dependencies != b.dependencies || a.has_cycle != b.has_cycle || a.form != b.form ||
	    a.count > SBOM_COMPONENTS_MAX || (a.has_cycle && a.dependencies == 0))
		abort();
	if (a.subject.name.len > 0)
		check_one(&a.subject);
	for (size_t i = 0; i < a.count; i++)
		check_one(&a.components[i]);
	write_flat(&a, &flat);
	arena_reset(second);
	if (flat.err != OK || sbom_parse(second, buffer_view(&flat), &b) != OK)
		abort();
	must_be_same(&a, &b);
	buffer_free(&flat);
	return 0;
}
