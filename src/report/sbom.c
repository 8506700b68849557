/*
 * What is trusted of a bill of materials
 *
 * Nothing. Its writer may be the one whom it accuses. So components are found by a loop with a stack of its own, and never by recursion;
 * what needs memory is counted first and compared with its limit; what refers to what is sorted out by numbers (references.c), for which
 * circles are no trouble. A bill is read whole or refused.
 */
#include "report/sbom.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/json.h"
#include "report/references.h"

#define NESTING_MAX (2 * SBOM_DEPTH_MAX + 64) /* of JSON: a nested component is an array and an object more */
#define PLACE_MAX 160
#define NAME_SHOWN 80

/* The components of one array. */
struct level {
	yyjson_val *at; /* the next */
	size_t next, count;
};

struct bill {
	struct arena *arena;
	struct sbom *out;
	const char *root; /* "components", "metadata.component.components", "packages" */
	struct level levels[SBOM_DEPTH_MAX];
	size_t depth;
	size_t count;
	struct references references; /* of components */
	struct references things;     /* of dependencies */
	struct need *needs;
	size_t need_count;
};

/* ---- saying where ---- */

/* "components[3].components[0]": the component in hand. */
static enum err bad(const struct bill *b, const char *what)
{
	char place[PLACE_MAX];
	size_t n = 0;

	if (b->depth == 0)
		return fail(ERR_SBOM, "%s: %s", b->root, what);
	for (size_t i = 0; i < b->depth && n < sizeof(place); i++)
		n += (size_t)snprintf(place + n, sizeof(place) - n, "%s[%zu]", i == 0 ? b->root : ".components",
				      b->levels[i].next - 1);
	return fail(ERR_SBOM, "%s%s: %s", place, n < sizeof(place) ? "" : "…", what);
}

static enum err bad_name(const struct bill *b, const char *what, struct span name)
{
	char text[2 * NAME_SHOWN];

	snprintf(text, sizeof(text), "%s \"%.*s\"", what, (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN),
		 name.at);
	return bad(b, text);
}

/* ---- one component ---- */

/* Which members are read; each at most once in an object. */
struct member {
	const char *name;
	yyjson_val *value;
};

static enum err take_members(const struct bill *b, yyjson_val *object, struct member *members, size_t count)
{
	size_t index, most;
	yyjson_val *key, *value;

	if (!yyjson_is_obj(object))
		return bad(b, "not an object");
	yyjson_obj_foreach(object, index, most, key, value)
	{
		for (size_t i = 0; i < count; i++) {
			if (!span_is(json_string_of(key), members[i].name))
				continue;
			if (members[i].value != NULL)
				return bad_name(b, "twice", json_string_of(key));
			members[i].value = value;
		}
	}
	return OK;
}

/* null is what some writers put where they have nothing to say. */
static enum err take_text(const struct bill *b, const struct member *m, struct span *out)
{
	*out = (struct span){ NULL, 0 };
	if (m->value == NULL || yyjson_is_null(m->value))
		return OK;
	if (!yyjson_is_str(m->value))
		return bad_name(b, "no text", span_of(m->name));
	*out = json_string_of(m->value);
	return OK;
}

static enum err take_array(const struct bill *b, const struct member *m, yyjson_val **out)
{
	*out = NULL;
	if (m->value == NULL || yyjson_is_null(m->value))
		return OK;
	if (!yyjson_is_arr(m->value))
		return bad_name(b, "no array", span_of(m->name));
	*out = m->value;
	return OK;
}

static enum err take_digest(const struct bill *b, struct span hex, struct span *out)
{
	char *lower = arena_copy(b->arena, hex.at, hex.len <= HASH_HEX ? hex.len : 0);
	struct hash h;

	if (lower == NULL)
		return fail(ERR_NO_MEMORY, "no room for a hash");
	for (size_t i = 0; i < hex.len && hex.len <= HASH_HEX; i++)
		if (lower[i] >= 'A' && lower[i] <= 'F')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	if (hex.len != HASH_HEX || hash_from_hex(span_make(lower, HASH_HEX), &h) != OK)
		return bad_name(b, "no SHA-256", hex);
	if (out->len > 0 && !span_equal(*out, span_make(lower, HASH_HEX)))
		return bad(b, "two different SHA-256");
	*out = span_make(lower, HASH_HEX);
	return OK;
}

/* "hashes" of CycloneDX, "checksums" of SPDX: the same under other names. */
static enum err take_digests(const struct bill *b, yyjson_val *array, const char *const names[3], struct span *out)
{
	size_t index, most;
	yyjson_val *one;

	yyjson_arr_foreach(array, index, most, one)
	{
		struct member m[] = { { names[0], NULL }, { names[1], NULL } };
		struct span algorithm, content;
		enum err e = take_members(b, one, m, 2);

		if (e == OK)
			e = take_text(b, &m[0], &algorithm);
		if (e == OK)
			e = take_text(b, &m[1], &content);
		if (e == OK && span_is(algorithm, names[2]))
			e = take_digest(b, content, out);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err take_reference(struct bill *b, const struct member *m)
{
	struct span reference;
	bool is_new;
	enum err e = take_text(b, m, &reference);

	if (e != OK || reference.len == 0)
		return e;
	references_number(&b->references, reference, &is_new);
	return is_new ? OK : bad_name(b, "the reference stands there twice:", reference);
}

static enum err read_cyclonedx(struct bill *b, yyjson_val *component, struct sbom_component *out)
{
	static const char *const digests[] = { "alg", "content", "SHA-256" };
	struct member m[] = {
		{ "name", NULL }, { "version", NULL }, { "purl", NULL }, { "bom-ref", NULL }, { "hashes", NULL }
	};
	yyjson_val *hashes = NULL;
	enum err e = take_members(b, component, m, 5);

	*out = (struct sbom_component){ 0 };
	if (e == OK)
		e = take_text(b, &m[0], &out->name);
	if (e == OK && out->name.len == 0)
		e = bad(b, "no name");
	if (e == OK)
		e = take_text(b, &m[1], &out->version);
	if (e == OK)
		e = take_text(b, &m[2], &out->purl);
	if (e == OK)
		e = take_reference(b, &m[3]);
	if (e == OK)
		e = take_array(b, &m[4], &hashes);
	return e == OK && hashes != NULL ? take_digests(b, hashes, digests, &out->sha256) : e;
}

/* ---- nested components ---- */

static enum err descend(struct bill *b, yyjson_val *array)
{
	if (b->depth == SBOM_DEPTH_MAX)
		return bad(b, "nested too deep");
	b->levels[b->depth++] = (struct level){ yyjson_arr_get_first(array), 0, yyjson_arr_size(array) };
	return OK;
}

/* The next of them, which is then the component in hand; NULL: no more. */
static yyjson_val *next_component(struct bill *b)
{
	struct level *l;
	yyjson_val *v;

	while (b->depth > 0 && b->levels[b->depth - 1].next == b->levels[b->depth - 1].count)
		b->depth--;
	if (b->depth == 0)
		return NULL;
	l = &b->levels[b->depth - 1];
	v = l->at;
	l->at = unsafe_yyjson_get_next(v);
	l->next++;
	return v;
}

typedef enum err component_each(struct bill *b, yyjson_val *component);

/* Each below `owner`, in the order of the file: what holds others comes before them. */
static enum err walk_components(struct bill *b, const char *root, yyjson_val *owner, component_each *each)
{
	struct member below = { "components", NULL };
	yyjson_val *array = NULL, *component;
	enum err e;

	b->root = root;
	b->depth = 0;
	if ((e = take_members(b, owner, &below, 1)) == OK)
		e = take_array(b, &below, &array);
	if (e == OK && array != NULL)
		e = descend(b, array);
	while (e == OK && (component = next_component(b)) != NULL) {
		below.value = NULL;
		if ((e = each(b, component)) == OK)
			e = take_members(b, component, &below, 1);
		if (e == OK)
			e = take_array(b, &below, &array);
		if (e == OK && array != NULL)
			e = descend(b, array);
	}
	return e;
}

static enum err walk_cyclonedx(struct bill *b, yyjson_val *root, yyjson_val *subject, component_each *each)
{
	enum err e = OK;

	if (subject != NULL)
		e = walk_components(b, "metadata.component.components", subject, each);
	return e == OK ? walk_components(b, "components", root, each) : e;
}

static enum err count_component(struct bill *b, yyjson_val *component)
{
	(void)component;
	if (++b->count > SBOM_COMPONENTS_MAX)
		return bad(b, "too many components");
	return OK;
}

static enum err add_cyclonedx(struct bill *b, yyjson_val *component)
{
	return read_cyclonedx(b, component, &b->out->components[b->out->count++]);
}

/* ---- dependencies ---- */

static void add_need(struct bill *b, struct span from, struct span to)
{
	bool is_new;
	uint32_t f = references_number(&b->things, from, &is_new);

	b->needs[b->need_count++] = (struct need){ f, references_number(&b->things, to, &is_new) };
}

static enum err needs_begin(struct bill *b, size_t most)
{
	if (most > SBOM_DEPENDENCIES_MAX)
		return bad(b, "too many dependencies");
	if ((b->needs = malloc((most + 1) * sizeof(b->needs[0]))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu dependencies", most);
	return references_new(&b->things, 2 * most);
}

/* `dependencies` of CycloneDX: [{"ref": …, "dependsOn": [ … ]}]. */
static enum err read_dependency(struct bill *b, yyjson_val *one, struct span *ref, yyjson_val **on)
{
	struct member m[] = { { "ref", NULL }, { "dependsOn", NULL } };
	enum err e = take_members(b, one, m, 2);

	if (e == OK)
		e = take_text(b, &m[0], ref);
	if (e == OK && ref->len == 0)
		e = bad(b, "no ref");
	return e == OK ? take_array(b, &m[1], on) : e;
}

static enum err needs_of(struct bill *b, struct span ref, yyjson_val *on)
{
	size_t index, most;
	yyjson_val *to;

	yyjson_arr_foreach(on, index, most, to)
	{
		if (!yyjson_is_str(to))
			return bad(b, "dependsOn: no text");
		add_need(b, ref, json_string_of(to));
	}
	return OK;
}

static enum err read_dependencies(struct bill *b, yyjson_val *array)
{
	struct span ref;
	yyjson_val *one, *on;
	size_t total = 0;
	enum err e = OK;

	b->root = "dependencies";
	for (unsigned round = 0; e == OK && round < 2; round++) {
		b->depth = 0;
		if (round == 1)
			e = needs_begin(b, total);
		if (e == OK)
			e = descend(b, array);
		while (e == OK && (one = next_component(b)) != NULL) {
			if ((e = read_dependency(b, one, &ref, &on)) == OK && on != NULL && round == 1)
				e = needs_of(b, ref, on);
			total += e == OK && on != NULL ? yyjson_arr_size(on) : 0;
		}
	}
	return e;
}

static enum err look_for_circles(struct bill *b)
{
	b->out->dependencies = b->need_count;
	if (b->need_count == 0)
		return OK;
	return needs_circle(b->needs, b->need_count, b->things.count, &b->out->has_cycle);
}

/* ---- CycloneDX ---- */

static enum err cyclonedx_subject(struct bill *b, yyjson_val *metadata, yyjson_val **subject)
{
	struct member m = { "component", NULL };
	enum err e;

	*subject = NULL;
	if (metadata == NULL || yyjson_is_null(metadata))
		return OK;
	b->root = "metadata";
	if ((e = take_members(b, metadata, &m, 1)) != OK || m.value == NULL || yyjson_is_null(m.value))
		return e;
	b->root = "metadata.component";
	*subject = m.value;
	return yyjson_is_obj(m.value) ? OK : bad(b, "not an object");
}

static enum err make_room(struct bill *b)
{
	enum err e = references_new(&b->references, b->count + 1);

	b->out->components = arena_array(b->arena, b->count, sizeof(b->out->components[0]));
	if (e == OK && b->out->components == NULL)
		e = fail(ERR_NO_MEMORY, "no room for %zu components", b->count);
	return e;
}

static enum err check_version(const struct bill *b, const char *const *known)
{
	for (; *known != NULL; known++)
		if (span_is(b->out->version, *known))
			return OK;
	return fail(ERR_SBOM, "%s %.*s is not read here", b->out->form == SBOM_SPDX ? "SPDX" : "CycloneDX",
		    (int)(b->out->version.len < NAME_SHOWN ? b->out->version.len : NAME_SHOWN),
		    b->out->version.len > 0 ? b->out->version.at : "without a version");
}

static enum err parse_cyclonedx(struct bill *b, yyjson_val *root)
{
	static const char *const versions[] = { "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", NULL };
	struct member m[] = { { "specVersion", NULL }, { "metadata", NULL }, { "dependencies", NULL } };
	yyjson_val *subject = NULL, *dependencies = NULL;
	enum err e = take_members(b, root, m, 3);

	if (e == OK)
		e = take_text(b, &m[0], &b->out->version);
	if (e == OK)
		e = check_version(b, versions);
	if (e == OK)
		e = take_array(b, &m[2], &dependencies);
	if (e == OK)
		e = cyclonedx_subject(b, m[1].value, &subject);
	if (e == OK)
		e = walk_cyclonedx(b, root, subject, count_component);
	if (e == OK)
		e = make_room(b);
	if (e == OK && subject != NULL) {
		b->root = "metadata.component";
		e = read_cyclonedx(b, subject, &b->out->subject);
	}
	if (e == OK)
		e = walk_cyclonedx(b, root, subject, add_cyclonedx);
	if (e == OK && dependencies != NULL)
		e = read_dependencies(b, dependencies);
	return e;
}

/* ---- SPDX ---- */

static enum err take_purl(const struct bill *b, yyjson_val *references, struct span *out)
{
	size_t index, most;
	yyjson_val *one;

	yyjson_arr_foreach(references, index, most, one)
	{
		struct member m[] = { { "referenceType", NULL }, { "referenceLocator", NULL } };
		struct span type, locator;
		enum err e = take_members(b, one, m, 2);

		if (e == OK)
			e = take_text(b, &m[0], &type);
		if (e == OK)
			e = take_text(b, &m[1], &locator);
		if (e != OK)
			return e;
		if (span_is(type, "purl") && out->len == 0) /* of several the first, as the main one */
			*out = locator;
	}
	return OK;
}

static enum err read_package(struct bill *b, yyjson_val *package, struct sbom_component *out, struct span *id)
{
	static const char *const digests[] = { "algorithm", "checksumValue", "SHA256" };
	struct member m[] = { { "name", NULL },	       { "packageName", NULL }, /* so the first writers of 2.2 */
			      { "versionInfo", NULL }, { "SPDXID", NULL },
			      { "checksums", NULL },   { "externalRefs", NULL } };
	yyjson_val *checksums = NULL, *references = NULL;
	enum err e = take_members(b, package, m, 6);

	*out = (struct sbom_component){ 0 };
	if (e == OK)
		e = take_text(b, &m[m[0].value != NULL ? 0 : 1], &out->name);
	if (e == OK && out->name.len == 0)
		e = bad(b, "no name");
	if (e == OK)
		e = take_text(b, &m[2], &out->version);
	if (e == OK)
		e = take_text(b, &m[3], id);
	if (e == OK && id->len == 0)
		e = bad(b, "no SPDXID");
	if (e == OK)
		e = take_reference(b, &m[3]);
	if (e == OK)
		e = take_array(b, &m[4], &checksums);
	if (e == OK)
		e = take_array(b, &m[5], &references);
	if (e == OK && checksums != NULL)
		e = take_digests(b, checksums, digests, &out->sha256);
	return e == OK && references != NULL ? take_purl(b, references, &out->purl) : e;
}

/* What the document describes: its subject, if it is one thing. */
struct described {
	struct span id;
	bool several;
};

static void describe(struct described *d, struct span id)
{
	d->several = d->several || (d->id.len > 0 && !span_equal(d->id, id));
	d->id = id;
}

static enum err read_described(struct bill *b, yyjson_val *array, struct described *d)
{
	size_t index, most;
	yyjson_val *one;

	b->root = "documentDescribes";
	yyjson_arr_foreach(array, index, most, one)
	{
		if (!yyjson_is_str(one))
			return bad(b, "no text");
		describe(d, json_string_of(one));
	}
	return OK;
}

enum direction { NEEDS_NOTHING, NEEDS, IS_NEEDED };

static enum direction direction_of(struct span type)
{
	if (span_is(type, "DEPENDS_ON") || span_is(type, "HAS_PREREQUISITE"))
		return NEEDS;
	return span_is(type, "PREREQUISITE_FOR") || span_ends(type, "DEPENDENCY_OF") ? IS_NEEDED : NEEDS_NOTHING;
}

/* relates: from needs to, or NEEDS_NOTHING. */
static enum err read_relationship(struct bill *b, yyjson_val *one, struct described *d, struct span ends[2],
				  enum direction *relates)
{
	struct member m[] = { { "spdxElementId", NULL }, { "relatedSpdxElement", NULL }, { "relationshipType", NULL } };
	struct span type;
	enum err e = take_members(b, one, m, 3);

	for (unsigned i = 0; e == OK && i < 2; i++)
		e = take_text(b, &m[i], &ends[i]);
	if (e == OK)
		e = take_text(b, &m[2], &type);
	if (e == OK && (ends[0].len == 0 || ends[1].len == 0 || type.len == 0))
		e = bad(b, "a relationship of less than two");
	if (e != OK)
		return e;
	*relates = direction_of(type);
	if (span_is(type, "DESCRIBES") && span_is(ends[0], "SPDXRef-DOCUMENT"))
		describe(d, ends[1]);
	if (span_is(type, "DESCRIBED_BY") && span_is(ends[1], "SPDXRef-DOCUMENT"))
		describe(d, ends[0]);
	return OK;
}

static enum err read_relationships(struct bill *b, yyjson_val *array, struct described *d)
{
	struct span ends[2];
	enum direction relates;
	size_t total = 0;
	yyjson_val *one;
	enum err e = OK;

	b->root = "relationships";
	for (unsigned round = 0; e == OK && round < 2; round++) {
		b->depth = 0;
		if (round == 1)
			e = needs_begin(b, total);
		if (e == OK)
			e = descend(b, array);
		while (e == OK && (one = next_component(b)) != NULL) {
			if ((e = read_relationship(b, one, d, ends, &relates)) != OK || relates == NEEDS_NOTHING)
				continue;
			if (round == 1)
				add_need(b, ends[relates == NEEDS ? 0 : 1], ends[relates == NEEDS ? 1 : 0]);
			total++;
		}
	}
	return e;
}

static enum err read_packages(struct bill *b, yyjson_val *array, const struct described *d)
{
	struct sbom *out = b->out;
	yyjson_val *package;
	struct span id;
	enum err e;

	b->root = "packages";
	b->depth = 0;
	b->count = yyjson_arr_size(array);
	if (b->count > SBOM_COMPONENTS_MAX)
		return bad(b, "too many");
	if ((e = make_room(b)) != OK || (e = descend(b, array)) != OK)
		return e;
	while (e == OK && (package = next_component(b)) != NULL) {
		struct sbom_component one;

		if ((e = read_package(b, package, &one, &id)) != OK)
			continue;
		if (!d->several && span_equal(id, d->id))
			out->subject = one;
		else
			out->components[out->count++] = one;
	}
	return e;
}

static enum err check_document(const struct bill *b, const struct member *m)
{
	struct span id;
	enum err e = take_text(b, m, &id);

	return e == OK && !span_is(id, "SPDXRef-DOCUMENT") ? fail(ERR_SBOM, "SPDXID: not SPDXRef-DOCUMENT") : e;
}

static enum err parse_spdx(struct bill *b, yyjson_val *root)
{
	static const char *const versions[] = { "2.2", "2.3", NULL };
	struct member m[] = { { "spdxVersion", NULL },
			      { "SPDXID", NULL },
			      { "packages", NULL },
			      { "relationships", NULL },
			      { "documentDescribes", NULL } };
	yyjson_val *packages = NULL, *relationships = NULL, *describes = NULL;
	struct described d = { 0 };
	enum err e = take_members(b, root, m, 5);

	if (e == OK)
		e = take_text(b, &m[0], &b->out->version);
	if (e == OK && span_starts(b->out->version, "SPDX-"))
		b->out->version = span_from(b->out->version, strlen("SPDX-"));
	if (e == OK)
		e = check_version(b, versions);
	if (e == OK)
		e = check_document(b, &m[1]);
	if (e == OK)
		e = take_array(b, &m[2], &packages);
	if (e == OK)
		e = take_array(b, &m[3], &relationships);
	if (e == OK)
		e = take_array(b, &m[4], &describes);
	if (e == OK && describes != NULL)
		e = read_described(b, describes, &d);
	if (e == OK && relationships != NULL)
		e = read_relationships(b, relationships, &d);
	return e == OK && packages != NULL ? read_packages(b, packages, &d) : e;
}

/* ---- both ---- */

static enum err parse(struct bill *b, yyjson_val *root)
{
	struct member m[] = { { "bomFormat", NULL }, { "spdxVersion", NULL } };
	struct span form;
	enum err e;

	b->root = "the document";
	if ((e = take_members(b, root, m, 2)) != OK)
		return e;
	if (m[1].value != NULL && m[0].value == NULL) {
		b->out->form = SBOM_SPDX;
		return parse_spdx(b, root);
	}
	if ((e = take_text(b, &m[0], &form)) != OK)
		return e;
	if (m[1].value != NULL || !span_is(form, "CycloneDX"))
		return fail(ERR_SBOM, "neither CycloneDX (bomFormat) nor SPDX 2 (spdxVersion)");
	b->out->form = SBOM_CYCLONEDX;
	return parse_cyclonedx(b, root);
}

enum err sbom_parse(struct arena *a, struct span text, struct sbom *out)
{
	struct bill b = { .arena = a, .out = out };
	struct yyjson_doc *doc;
	enum err e;

	*out = (struct sbom){ 0 };
	if (span_starts(text, "\xef\xbb\xbf")) /* some writers begin with it */
		text = span_from(text, 3);
	if ((e = json_read_within(a, text, SBOM_MAX, NESTING_MAX, &doc)) == OK)
		e = parse(&b, yyjson_doc_get_root(doc));
	if (e == OK)
		e = look_for_circles(&b);
	references_free(&b.references);
	references_free(&b.things);
	free(b.needs);
	return e;
}
