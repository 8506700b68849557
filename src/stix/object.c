#include "stix/object.h"

#include <yyjson.h>

#include "base/jcs.h"

#define UUID_LENGTH 36
#define TYPE_MIN 3
#define MARKINGS_COMPARED 64 /* so many are looked through for repeats */

const char *stix_spec_name(enum stix_spec v)
{
	return v == STIX_2_0 ? "2.0" : "2.1";
}

static bool is_type(struct span s)
{
	if (s.len < TYPE_MIN || s.len > STIX_TYPE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= '0' && s.at[i] <= '9') || s.at[i] == '-'))
			return false;
	return true;
}

static bool is_uuid(const char *p)
{
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	}
	return true;
}

bool stix_is_id(struct span id)
{
	size_t type;

	if (id.len < TYPE_MIN + 2 + UUID_LENGTH)
		return false;
	type = id.len - 2 - UUID_LENGTH;
	return id.at[type] == '-' && id.at[type + 1] == '-' && is_type(span_make(id.at, type)) &&
	       is_uuid(id.at + type + 2);
}

bool stix_is_observable(struct span type)
{
	static const char *const observables[] = {
		"artifact",
		"autonomous-system",
		"directory",
		"domain-name",
		"email-addr",
		"email-message",
		"file",
		"ipv4-addr",
		"ipv6-addr",
		"mac-addr",
		"mutex",
		"network-traffic",
		"process",
		"software",
		"url",
		"user-account",
		"x509-certificate",
		"windows-registry-key",
	};

	for (size_t i = 0; i < sizeof(observables) / sizeof(observables[0]); i++)
		if (span_is(type, observables[i]))
			return true;
	return false;
}

/* ---- members ---- */

enum member {
	MEMBER_TYPE,
	MEMBER_ID,
	MEMBER_SPEC,
	MEMBER_CREATED,
	MEMBER_MODIFIED,
	MEMBER_CREATED_BY,
	MEMBER_REVOKED,
	MEMBER_OBJECT_MARKINGS,
	MEMBER_GRANULAR_MARKINGS,
	MEMBER_PATTERN_TYPE,
	MEMBER_COUNT
};

static const struct span names[MEMBER_COUNT] = {
	[MEMBER_TYPE] = SPAN("type"),
	[MEMBER_ID] = SPAN("id"),
	[MEMBER_SPEC] = SPAN("spec_version"),
	[MEMBER_CREATED] = SPAN("created"),
	[MEMBER_MODIFIED] = SPAN("modified"),
	[MEMBER_CREATED_BY] = SPAN("created_by_ref"),
	[MEMBER_REVOKED] = SPAN("revoked"),
	[MEMBER_OBJECT_MARKINGS] = SPAN("object_marking_refs"),
	[MEMBER_GRANULAR_MARKINGS] = SPAN("granular_markings"),
	[MEMBER_PATTERN_TYPE] = SPAN("pattern_type"),
};

struct reading {
	struct arena *arena;
	struct stix_object *out;
	yyjson_val *members[MEMBER_COUNT]; /* NULL: absent */
	struct span *others;
};

static struct span text_of(yyjson_val *v)
{
	return span_make(yyjson_get_str(v), yyjson_get_len(v));
}

static void find_members(struct reading *r, yyjson_val *object)
{
	size_t index, count;
	yyjson_val *key, *v;

	yyjson_obj_foreach(object, index, count, key, v)
	{
		struct span name = text_of(key);

		for (size_t i = 0; i < MEMBER_COUNT; i++)
			if (span_equal(name, names[i])) {
				r->members[i] = v;
				break;
			}
	}
}

/* Absent leaves *out empty. */
static enum err member_text(const struct reading *r, enum member m, struct span *out)
{
	yyjson_val *v = r->members[m];

	if (v != NULL && !yyjson_is_str(v))
		return fail(ERR_FIELD, "%s is no text", names[m].at);
	if (v != NULL)
		*out = text_of(v);
	return OK;
}

static enum err read_id(struct reading *r)
{
	struct stix_object *o = r->out;
	enum err e;

	for (enum member m = MEMBER_TYPE; m <= MEMBER_ID; m++)
		if (r->members[m] == NULL)
			return fail(ERR_FIELD_MISSING, "%s is missing", names[m].at);
	if ((e = member_text(r, MEMBER_TYPE, &o->type)) != OK || (e = member_text(r, MEMBER_ID, &o->id)) != OK)
		return e;
	if (!is_type(o->type))
		return fail(ERR_FIELD, "type is not 3 to %d characters of a-z, 0-9 and -", STIX_TYPE_MAX);
	if (span_is(o->type, "bundle"))
		return fail(ERR_FIELD, "type is bundle; send the objects in it");
	if (!stix_is_id(o->id))
		return fail(ERR_FIELD, "id is not a type, two dashes and a UUID in lower case");
	if (o->id.len - 2 - UUID_LENGTH != o->type.len || memcmp(o->id.at, o->type.at, o->type.len) != 0)
		return fail(ERR_FIELD, "id does not begin with the type");
	return OK;
}

static enum err read_spec(struct reading *r)
{
	struct span text = { NULL, 0 };
	enum err e = member_text(r, MEMBER_SPEC, &text);

	if (e != OK)
		return e;
	if (r->members[MEMBER_SPEC] == NULL)
		r->out->spec = stix_is_observable(r->out->type) ? STIX_2_1 : STIX_2_0;
	else if (span_is(text, "2.1"))
		r->out->spec = STIX_2_1;
	else if (span_is(text, "2.0"))
		r->out->spec = STIX_2_0;
	else
		return fail(ERR_FIELD, "spec_version is neither 2.1 nor 2.0");
	return OK;
}

static enum err read_time(struct reading *r, enum member m, struct span *text, struct instant *out)
{
	enum err e = member_text(r, m, text);

	if (e != OK || r->members[m] == NULL)
		return e;
	if (instant_parse(*text, out) != OK)
		return fail(ERR_TIME, "%s is not a time as 2016-04-06T20:03:48.000Z", names[m].at);
	return OK;
}

static enum err read_version(struct reading *r)
{
	struct stix_object *o = r->out;
	struct span created = { NULL, 0 };
	enum err e;

	if ((e = read_time(r, MEMBER_CREATED, &created, &o->created)) != OK ||
	    (e = read_time(r, MEMBER_MODIFIED, &o->modified_text, &o->version)) != OK)
		return e;
	if (r->members[MEMBER_MODIFIED] == NULL) {
		o->modified_text = created;
		o->version = o->created;
	}
	if ((e = member_text(r, MEMBER_CREATED_BY, &o->created_by)) != OK)
		return e;
	if (r->members[MEMBER_CREATED_BY] != NULL && !stix_is_id(o->created_by))
		return fail(ERR_FIELD, "created_by_ref is not an identifier");
	if (r->members[MEMBER_REVOKED] != NULL && !yyjson_is_bool(r->members[MEMBER_REVOKED]))
		return fail(ERR_FIELD, "revoked is neither true nor false");
	o->revoked = yyjson_is_true(r->members[MEMBER_REVOKED]);
	return OK;
}

/* ---- markings ---- */

static void add_other(struct reading *r, struct span id)
{
	size_t n = r->out->other_marking_count, i = n < MARKINGS_COMPARED ? 0 : n - MARKINGS_COMPARED;

	for (; i < n; i++)
		if (span_equal(r->others[i], id))
			return;
	r->others[n] = id;
	r->out->other_marking_count++;
}

static enum err add_marking(struct reading *r, enum member m, yyjson_val *ref)
{
	enum tlp tlp;

	if (!yyjson_is_str(ref) || !stix_is_id(text_of(ref)))
		return fail(ERR_FIELD, "%s names what is not an identifier", names[m].at);
	if (tlp_of_marking(text_of(ref), &tlp) != OK) {
		add_other(r, text_of(ref));
		return OK;
	}
	r->out->marked = true;
	if (tlp > r->out->tlp)
		r->out->tlp = tlp;
	return OK;
}

/* Of a granular marking only the reference counts: what marks a part marks the whole. One with `lang` has none. */
static enum err add_markings(struct reading *r, enum member m)
{
	size_t index, count;
	yyjson_val *v;
	enum err e = OK;

	yyjson_arr_foreach(r->members[m], index, count, v)
	{
		yyjson_val *ref = m == MEMBER_GRANULAR_MARKINGS ? yyjson_obj_get(v, "marking_ref") : v;

		if (m == MEMBER_GRANULAR_MARKINGS && !yyjson_is_obj(v))
			return fail(ERR_FIELD, "%s is not a list of objects", names[m].at);
		if (ref != NULL && (e = add_marking(r, m, ref)) != OK)
			break;
	}
	return e;
}

static enum err read_markings(struct reading *r)
{
	struct stix_object *o = r->out;
	size_t most = 0;
	enum tlp itself;
	enum err e;

	for (enum member m = MEMBER_OBJECT_MARKINGS; m <= MEMBER_GRANULAR_MARKINGS; m++) {
		if (r->members[m] != NULL && !yyjson_is_arr(r->members[m]))
			return fail(ERR_FIELD, "%s is no list", names[m].at);
		most += yyjson_arr_size(r->members[m]);
	}
	if (most > 0 && (r->others = arena_array(r->arena, most, sizeof(r->others[0]))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu markings", most);
	if ((e = add_markings(r, MEMBER_OBJECT_MARKINGS)) != OK ||
	    (e = add_markings(r, MEMBER_GRANULAR_MARKINGS)) != OK)
		return e;
	o->other_markings = r->others;
	if (tlp_of_marking(o->id, &itself) == OK)
		o->marked = true;
	return OK;
}

/* ---- digest ---- */

/* What STIX 2.1 (3.6) lets be left out: a property that stands at its default. */
static bool is_default(void *context, struct span name, const struct yyjson_val *value)
{
	struct reading *r = context;
	yyjson_val *v = (yyjson_val *)(uintptr_t)value;

	if (span_is(name, "revoked"))
		return yyjson_is_false(v);
	if (span_is(name, "defanged"))
		return yyjson_is_false(v) && stix_is_observable(r->out->type);
	if (span_is(name, "spec_version"))
		return yyjson_equals_str(v, "2.1") && stix_is_observable(r->out->type);
	if (span_is(name, "summary"))
		return yyjson_is_false(v) && span_is(r->out->type, "sighting");
	if (span_is(name, "pattern_version"))
		return span_is(r->out->type, "indicator") &&
		       yyjson_equals_str(r->members[MEMBER_PATTERN_TYPE], "stix") &&
		       yyjson_equals_str(v, stix_spec_name(r->out->spec));
	return false;
}

/* The canonical text is as long as the text at most, but for numbers: "1e20" takes 21 characters. */
static enum err read_digest(struct reading *r)
{
	struct buffer b = BUFFER(8 * r->out->text.len + 64);
	enum err e;

	buffer_room(&b, r->out->text.len);
	if ((e = jcs_write(r->out->value, is_default, r, &b)) == OK)
		r->out->digest = hash_span(buffer_view(&b));
	else if (e == b.err)
		fail(e, "no room for the canonical text");
	buffer_free(&b);
	return e;
}

enum err stix_object_read(struct arena *a, const struct stix_raw *raw, struct stix_object *out)
{
	struct reading r = { .arena = a, .out = out };
	enum err e;

	*out = (struct stix_object){ .text = raw->text, .value = raw->value };
	if (!yyjson_is_obj((yyjson_val *)(uintptr_t)raw->value))
		return fail(ERR_FIELD, "not a JSON object");
	find_members(&r, (yyjson_val *)(uintptr_t)raw->value);
	if ((e = read_id(&r)) != OK || (e = read_spec(&r)) != OK || (e = read_version(&r)) != OK ||
	    (e = read_markings(&r)) != OK)
		return e;
	return read_digest(&r);
}
