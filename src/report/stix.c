/* STIX 2.1 bundles (and single objects, and TAXII envelopes): what was observed, what was sighted, what indicates. */
#include <stdlib.h>

#include "base/clock.h"
#include "regime/speech.h"
#include "report/document.h"
#include "stix/pattern.h"

/*
 * Which events a bundle has
 *
 *	observed-data	one for each network-traffic that it refers to: src_ref is at fault, dst_ref is the target; and one
 *			for each address that it refers to which is no part of these
 *	indicator	one for each address of its pattern. Of network-traffic:dst_ref the address is at fault, too: a
 *			pattern names what is bad to talk to
 *	sighting	none of its own. What it names (observed data, else the indicator) is read once, however many
 *			sightings name it, and takes class and time from the sighting and what that is of
 *
 * An indicator whose sightings name observed data of this bundle gives no event: the data says the same, and more. All
 * other objects are no reports. Only where a whole document has nothing for us is that said, once.
 *
 * An older version of an object, in the same bundle as a newer one, is passed over.
 */

#define SHARE_ALL ((size_t)64 << 20) /* of memory for what rows say of the objects of a document */
#define SHARE_LEAST 200
#define SHARE_MOST 8192

enum type {
	TYPE_OTHER,
	TYPE_OBSERVED,
	TYPE_INDICATOR,
	TYPE_SIGHTING,
	TYPE_TRAFFIC,
	TYPE_ADDRESS,
	TYPE_MALWARE,
	TYPE_LINK
};

struct object {
	yyjson_val *v;
	struct span id, version;
	enum type type;
	bool used;		 /* gives no event: an older version, or named by a sighting whose data is here */
	size_t part_of;		 /* the observed data that last had it, as an end of traffic or by itself; 0: none */
	struct object *sighting; /* which names it */
	struct object *of;	 /* what the sighting that names it is of; of an indicator, the malware */
	struct span line;	 /* its members, once written */
};

/* Objects that refer to each other: those of a bundle, or those within observed data (STIX 2.0). */
struct scope {
	struct object *objects; /* in the order of the document */
	struct object **by_id;	/* sorted by id, then version */
	size_t count, id_count;
};

struct stix {
	const struct parse *p;
	const struct place *at;
	struct scope bundle;
	size_t share, observed; /* number of the observed data in hand, from 1 */
	struct whole whole;
	bool any; /* an event or reject came of it */
};

static const struct {
	const char *name;
	enum type type;
} types[] = {
	{ "observed-data", TYPE_OBSERVED },  { "indicator", TYPE_INDICATOR }, { "sighting", TYPE_SIGHTING },
	{ "network-traffic", TYPE_TRAFFIC }, { "ipv4-addr", TYPE_ADDRESS },   { "ipv6-addr", TYPE_ADDRESS },
	{ "malware", TYPE_MALWARE },	     { "relationship", TYPE_LINK },
};

static enum type type_of(yyjson_val *v)
{
	struct span name = member_text(v, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(name, types[i].name))
			return types[i].type;
	return TYPE_OTHER;
}

/* ---- objects by their id ---- */

static int compare_objects(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	int order = span_compare(x->id, y->id);

	if (order == 0)
		order = span_compare(x->version, y->version);
	return order != 0 ? order : (x > y) - (x < y);
}

/* The newest with this id; NULL: none. */
static struct object *find(const struct scope *s, struct span id)
{
	size_t low = 0, high = s->id_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (span_compare(s->by_id[middle]->id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return id.len > 0 && low > 0 && span_equal(s->by_id[low - 1]->id, id) ? s->by_id[low - 1] : NULL;
}

static enum err scope_index(struct arena *a, struct scope *s)
{
	if ((s->by_id = arena_array(a, s->count, sizeof(*s->by_id))) == NULL)
		return ERR_TOO_LONG;
	for (size_t i = 0; i < s->count; i++)
		if (s->objects[i].id.len > 0)
			s->by_id[s->id_count++] = &s->objects[i];
	qsort(s->by_id, s->id_count, sizeof(*s->by_id), compare_objects);
	for (size_t i = 1; i < s->id_count; i++)
		if (span_equal(s->by_id[i - 1]->id, s->by_id[i]->id))
			s->by_id[i - 1]->used = true;
	return OK;
}

static void object_add(struct scope *s, yyjson_val *v, struct span id)
{
	s->objects[s->count++] =
		(struct object){ .v = v, .id = id, .version = member_text(v, "modified"), .type = type_of(v) };
}

static enum err scope_of_array(struct arena *a, yyjson_val *list, struct scope *s)
{
	size_t index, count;
	yyjson_val *v;

	if ((s->objects = arena_array(a, yyjson_arr_size(list), sizeof(*s->objects))) == NULL)
		return ERR_TOO_LONG;
	yyjson_arr_foreach(list, index, count, v) if (yyjson_is_obj(v)) object_add(s, v, member_text(v, "id"));
	return scope_index(a, s);
}

/* STIX 2.0: { "0": {…}, "1": {…} } within observed data; their keys are what they refer to each other by. */
static enum err scope_of_object(struct arena *a, yyjson_val *object, struct scope *s)
{
	size_t index, count;
	yyjson_val *key, *v;

	if ((s->objects = arena_array(a, yyjson_obj_size(object), sizeof(*s->objects))) == NULL)
		return ERR_TOO_LONG;
	yyjson_obj_foreach(object, index, count, key, v) if (yyjson_is_obj(v)) object_add(s, v, value_string(key));
	return scope_index(a, s);
}

/* How long what a row says of an object may be, so that all of them fit into memory. */
static size_t share_of(const struct scope *s)
{
	size_t ours = 1, share;

	for (size_t i = 0; i < s->count; i++)
		ours += (s->objects[i].type != TYPE_OTHER) +
			yyjson_obj_size(yyjson_obj_get(s->objects[i].v, "objects"));
	share = SHARE_ALL / ours;
	return share < SHARE_LEAST ? SHARE_LEAST : share > SHARE_MOST ? SHARE_MOST : share;
}

/* ---- what names what ---- */

static bool is_later(const struct object *a, const struct object *b)
{
	struct span x = member_text(a->v, "last_seen"), y = member_text(b->v, "last_seen");

	return span_compare(x, y) > 0;
}

static void sighting_take(struct stix *s, struct object *sighting)
{
	struct object *of = find(&s->bundle, member_text(sighting->v, "sighting_of_ref")), *data;
	yyjson_val *refs = member_array(sighting->v, "observed_data_refs"), *v;
	size_t index, count;
	bool seen = false;

	yyjson_arr_foreach(refs, index, count, v)
	{
		data = find(&s->bundle, value_string(v));
		if (data == NULL || data->type != TYPE_OBSERVED)
			continue;
		seen = true;
		if (data->sighting == NULL) {
			data->sighting = sighting;
			data->of = of;
		}
	}
	if (of == NULL || of->type != TYPE_INDICATOR)
		return;
	if (seen)
		of->used = true;
	if (of->sighting == NULL || is_later(sighting, of->sighting))
		of->sighting = sighting;
}

/* An indicator indicates malware. */
static void link_take(struct stix *s, struct object *link)
{
	struct object *from = find(&s->bundle, member_text(link->v, "source_ref"));
	struct object *to = find(&s->bundle, member_text(link->v, "target_ref"));

	if (span_is(member_text(link->v, "relationship_type"), "indicates") && from != NULL && to != NULL &&
	    from->type == TYPE_INDICATOR && to->type == TYPE_MALWARE)
		from->of = to;
}

static void names_take(struct stix *s)
{
	for (size_t i = 0; i < s->bundle.count; i++) {
		struct object *o = &s->bundle.objects[i];

		if (o->type == TYPE_SIGHTING && !o->used)
			sighting_take(s, o);
		else if (o->type == TYPE_LINK && !o->used)
			link_take(s, o);
	}
}

/* ---- classes ---- */

struct word_class {
	const char *word;
	enum rsit_class class;
};

static const struct word_class indicator_types[] = {
	{ "compromised", CLASS_SYSTEM_COMPROMISE },
	{ "anonymization", CLASS_OTHER },
};

static const struct word_class phases[] = {
	{ "reconnaissance", CLASS_SCANNER },
	{ "delivery", CLASS_MALWARE_DISTRIBUTION },
	{ "exploitation", CLASS_IDS_ALERT },
	{ "command-and-control", CLASS_C2_SERVER },
};

static enum rsit_class word_find(struct span word, const struct word_class *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_is(word, words[i].word))
			return words[i].class;
	return CLASS_NONE;
}

/* A label that is a class by its full name, as we write them ourselves. ERR_CLASS_CONTENT: that, or words for what is said. */
static enum err label_class(yyjson_val *v, enum rsit_class *out)
{
	size_t index, count;
	yyjson_val *label;

	yyjson_arr_foreach(member_array(v, "labels"), index, count, label)
	{
		struct span name = value_string(label);
		enum rsit_class c;
		enum err e;

		if (speech_asked(name, NULL))
			return ERR_CLASS_CONTENT;
		if (name.len == 0 || memchr(name.at, '/', name.len) == NULL)
			continue;
		if ((e = class_parse(name, &c)) == ERR_CLASS_CONTENT)
			return e;
		if (e == OK && *out == CLASS_NONE)
			*out = c;
	}
	return OK;
}

static enum rsit_class indicator_class(yyjson_val *v)
{
	enum rsit_class c = CLASS_NONE;
	size_t index, count;
	yyjson_val *item;

	yyjson_arr_foreach(member_array(v, "kill_chain_phases"), index, count, item)
	{
		if (c == CLASS_NONE && yyjson_is_obj(item))
			c = word_find(member_text(item, "phase_name"), phases, sizeof(phases) / sizeof(phases[0]));
	}
	yyjson_arr_foreach(member_array(v, "indicator_types"), index, count, item)
	{
		if (c == CLASS_NONE)
			c = word_find(value_string(item), indicator_types,
				      sizeof(indicator_types) / sizeof(indicator_types[0]));
	}
	return c;
}

/* By what says most: labels, then what was sighted. */
static enum err class_find(const struct stix *s, const struct object *o, struct event *e)
{
	const struct object *all[] = { o, o->sighting, o->of };
	enum rsit_class c = CLASS_NONE;
	enum err err;

	for (int i = 0; i < 3; i++)
		if (all[i] != NULL && (err = label_class(all[i]->v, &c)) != OK)
			return err;
	for (int i = 0; i < 3 && c == CLASS_NONE; i++)
		if (all[i] != NULL && all[i]->type == TYPE_INDICATOR)
			c = indicator_class(all[i]->v);
	if (o->of != NULL && o->of->type == TYPE_MALWARE) {
		e->malware = member_text(o->of->v, "name");
		if (c == CLASS_NONE && o->type == TYPE_OBSERVED)
			c = CLASS_INFECTED_SYSTEM;
	} else if (o->of != NULL && o->of->of != NULL) {
		e->malware = member_text(o->of->of->v, "name");
	}
	e->class = s->p->layout->class_given ? s->p->layout->class : c == CLASS_NONE ? CLASS_UNDETERMINED : c;
	return OK;
}

/* ---- rows ---- */

static enum err reject(struct stix *s, enum err why, const char *field)
{
	s->any = true;
	return parse_reject(s->p, s->at, why, field);
}

/* What is listed elsewhere or written beside. */
static bool skip_lists(struct span key)
{
	return span_is(key, "objects") || span_is(key, "object_refs") || span_is(key, "observed_data_refs");
}

/* Its members, bounded, and worked out once. */
static bool object_line(struct stix *s, struct object *o)
{
	struct buffer b = BUFFER(s->share);

	if (o->line.at != NULL)
		return true;
	line_members(&b, s->share, o->v, skip_lists, &s->whole);
	o->line = span_make(b.err == OK ? arena_copy(s->p->scratch->arena, b.at, b.len) : NULL, b.len);
	buffer_free(&b);
	return o->line.at != NULL;
}

struct part {
	const char *key;
	struct object *o; /* NULL: it has none */
};

/* One line of all parts. Where they do not fit into memory the event is refused, not cut. */
static enum err event_give(struct stix *s, struct event *e, const struct part *parts, size_t count, const char *field)
{
	struct buffer *raw = &s->p->scratch->raw;

	if (source_check(&e->source) != OK)
		return reject(s, ERR_ADDRESS_SPECIAL, field);
	buffer_clear(raw);
	buffer_byte(raw, '{');
	for (size_t i = 0; i < count; i++) {
		if (parts[i].o == NULL)
			continue;
		if (!object_line(s, parts[i].o))
			return reject(s, ERR_TOO_LONG, field);
		buffer_print(raw, "%s\"%s\":{", raw->len > 1 ? "," : "", parts[i].key);
		buffer_span(raw, parts[i].o->line);
		buffer_byte(raw, '}');
	}
	buffer_byte(raw, '}');
	s->any = true;
	return raw->err != OK ? raw->err : parse_event_as(s->p, s->at, e, buffer_view(raw));
}

/* ---- times ---- */

/* The first of these that is there; *field says which. */
static enum err time_find(const struct stix *s, yyjson_val *const *from, const char *const *keys, size_t count,
			  int64_t *ms, const char **field)
{
	*field = keys[count - 1];
	for (size_t i = 0; i < count; i++) {
		struct span text = from[i] != NULL ? member_text(from[i], keys[i]) : SPAN("");
		enum err e;

		if (text.len == 0)
			continue;
		*field = keys[i];
		e = clock_parse_rfc3339(text, ms);
		return e == OK ? time_check(s->p->layout, *ms) : e;
	}
	return ERR_FIELD_MISSING;
}

/* ---- observed data ---- */

/* An address, or a network in its place. */
static enum err value_read(struct span value, struct event *e)
{
	struct prefix p;

	if (value.len == 0 || memchr(value.at, '/', value.len) == NULL)
		return address_parse(value, &e->source);
	if (prefix_parse(value, &p) != OK)
		return ERR_PREFIX;
	source_set(e, p);
	return OK;
}

static uint16_t port_of(yyjson_val *v, const char *key)
{
	yyjson_val *port = yyjson_obj_get(v, key);

	return yyjson_is_uint(port) && yyjson_get_uint(port) <= UINT16_MAX ? (uint16_t)yyjson_get_uint(port) : 0;
}

static uint8_t transport_of(yyjson_val *traffic)
{
	size_t index, count;
	yyjson_val *v;

	yyjson_arr_foreach(member_array(traffic, "protocols"), index, count, v)
	{
		uint8_t t = transport_parse(value_string(v));

		if (t != TRANSPORT_UNKNOWN && t != TRANSPORT_OTHER)
			return t;
	}
	return TRANSPORT_UNKNOWN;
}

/* An end of traffic: no source by itself. */
static struct object *end_of(const struct stix *s, const struct scope *scope, struct object *traffic, const char *key)
{
	struct object *o = find(scope, member_text(traffic->v, key));

	if (o == NULL || o->type != TYPE_ADDRESS)
		return NULL;
	o->part_of = s->observed;
	return o;
}

static enum err traffic_read(struct stix *s, const struct scope *scope, struct object *data, struct object *traffic,
			     const struct event *shared)
{
	struct object *source = end_of(s, scope, traffic, "src_ref"), *target = end_of(s, scope, traffic, "dst_ref");
	const struct part parts[] = {
		{ "observed-data", data }, { "network-traffic", traffic }, { "src", source },
		{ "dst", target },	   { "sighting", data->sighting }, { "sighting_of", data->of }
	};
	yyjson_val *const from[] = { traffic->v };
	static const char *const start[] = { "start" };
	struct event e = *shared;
	const char *field;
	enum err why;

	if (source == NULL)
		return OK;
	if ((why = value_read(member_text(source->v, "value"), &e)) != OK)
		return reject(s, why, "src_ref");
	why = time_find(s, from, start, 1, &e.time_ms, &field);
	if (why != OK && why != ERR_FIELD_MISSING)
		return reject(s, why, field);
	e.source_port = port_of(traffic->v, "src_port");
	e.target_port = port_of(traffic->v, "dst_port");
	e.transport = transport_of(traffic->v);
	if (target != NULL)
		e.has_target = address_parse(member_text(target->v, "value"), &e.target) == OK;
	return event_give(s, &e, parts, sizeof(parts) / sizeof(parts[0]), "src_ref");
}

static enum err address_read(struct stix *s, struct object *data, struct object *address, const struct event *shared)
{
	const struct part parts[] = { { "observed-data", data },
				      { "src", address },
				      { "sighting", data->sighting },
				      { "sighting_of", data->of } };
	struct event e = *shared;
	enum err why = value_read(member_text(address->v, "value"), &e);

	if (why != OK)
		return reject(s, why, "value");
	return event_give(s, &e, parts, sizeof(parts) / sizeof(parts[0]), "value");
}

/* What observed data refers to, one by one: of the bundle, or all that it holds itself. */
static struct object *referred(const struct scope *scope, yyjson_val *refs, yyjson_arr_iter *iterator, size_t *i)
{
	yyjson_val *v;

	if (refs == NULL)
		return *i < scope->count ? &scope->objects[(*i)++] : NULL;
	while ((v = yyjson_arr_iter_next(iterator)) != NULL) {
		struct object *o = find(scope, value_string(v));

		if (o != NULL)
			return o;
	}
	return NULL;
}

/* Traffic first: it says which addresses are its ends. */
static enum err observed_parts(struct stix *s, const struct scope *scope, yyjson_val *refs, struct object *data,
			       const struct event *shared)
{
	enum err e = OK;

	for (int turn = 0; turn < 2; turn++) {
		yyjson_arr_iter iterator;
		struct object *o;
		size_t i = 0;

		yyjson_arr_iter_init(refs, &iterator);
		while (e == OK && (o = referred(scope, refs, &iterator, &i)) != NULL) {
			if (o->type != (turn == 0 ? TYPE_TRAFFIC : TYPE_ADDRESS) || o->part_of == s->observed)
				continue;
			o->part_of = s->observed; /* named twice is named once */
			e = turn == 0 ? traffic_read(s, scope, data, o, shared) : address_read(s, data, o, shared);
		}
	}
	return e;
}

static enum err observed_read(struct stix *s, struct object *data)
{
	static const char *const keys[] = { "last_observed", "first_observed", "last_seen" };
	yyjson_val *sighting = data->sighting != NULL ? data->sighting->v : NULL;
	yyjson_val *const from[] = { data->v, data->v, sighting };
	yyjson_val *refs = member_array(data->v, "object_refs"), *inside = member_object(data->v, "objects");
	struct event e = { .format = FORMAT_STIX };
	struct scope own = { 0 };
	const char *field;
	enum err why;

	if (refs == NULL && inside == NULL)
		return reject(s, ERR_FIELD_MISSING, "object_refs");
	if (yyjson_is_true(yyjson_obj_get(data->v, "revoked")))
		return reject(s, ERR_FIELD, "revoked");
	if ((why = time_find(s, from, keys, 3, &e.time_ms, &field)) != OK)
		return reject(s, why, field);
	if ((why = class_find(s, data, &e)) != OK)
		return reject(s, why, "labels");
	s->observed++;
	if (refs != NULL)
		return observed_parts(s, &s->bundle, refs, data, &e);
	if ((why = scope_of_object(s->p->scratch->arena, inside, &own)) != OK)
		return reject(s, why, "objects");
	return observed_parts(s, &own, NULL, data, &e);
}

/* ---- indicators ---- */

static bool is_role(const struct pattern *p, size_t group, enum pattern_role role, size_t from, size_t *at)
{
	for (*at = from; *at < p->address_count && p->addresses[*at].group == group; ++*at)
		if (p->addresses[*at].role == role)
			return true;
	return false;
}

/* Where all comparisons of a pair of brackets must hold, a source and a target belong together. */
static enum err group_read(struct stix *s, struct object *indicator, const struct pattern *p, size_t first,
			   const struct event *shared)
{
	const struct part parts[] = { { "indicator", indicator },
				      { "sighting", indicator->sighting },
				      { "malware", indicator->of } };
	size_t group = p->addresses[first].group, target = 0, other;
	const struct pattern_group *g = &p->groups[group];
	bool together = !g->any && is_role(p, group, PATTERN_SOURCE, first, &other) &&
			is_role(p, group, PATTERN_TARGET, first, &target);
	enum err e = OK;

	for (size_t i = first; e == OK && i < p->address_count && p->addresses[i].group == group; i++) {
		const struct pattern_address *a = &p->addresses[i];
		struct event event = *shared;
		enum err why = value_read(a->text, &event);

		if (together && a->role == PATTERN_TARGET)
			continue;
		event.source_port = a->role == PATTERN_TARGET ? g->target_port : g->source_port;
		if (a->role == PATTERN_TARGET && event.class == CLASS_UNDETERMINED && !s->p->layout->class_given)
			event.class = CLASS_C2_SERVER;
		if (together) {
			event.has_target = address_parse(p->addresses[target].text, &event.target) == OK;
			event.target_port = g->target_port;
		}
		e = why != OK ? reject(s, why, "pattern") : event_give(s, &event, parts, 3, "pattern");
	}
	return e;
}

static enum err pattern_events(struct stix *s, struct object *indicator, const struct event *shared)
{
	struct pattern p;
	enum err e = pattern_read(s->p->scratch->arena, member_text(indicator->v, "pattern"), &p);
	size_t group = SIZE_MAX;

	if (e != OK)
		return reject(s, e == ERR_NO_MEMORY ? ERR_TOO_LONG : e, "pattern");
	for (size_t i = 0; e == OK && i < p.address_count; i++) {
		if (p.addresses[i].group == group)
			continue;
		group = p.addresses[i].group;
		e = group_read(s, indicator, &p, i, shared);
	}
	return e;
}

static bool has_word(yyjson_val *list, const char *word)
{
	size_t index, count;
	yyjson_val *v;

	yyjson_arr_foreach(list, index, count, v) if (span_is(value_string(v), word)) return true;
	return false;
}

/* Withdrawn, past, or harmless. */
static enum err validity_check(const struct stix *s, yyjson_val *v, const char **field)
{
	struct span until = member_text(v, "valid_until");
	int64_t ms;

	*field = "revoked";
	if (yyjson_is_true(yyjson_obj_get(v, "revoked")))
		return ERR_FIELD;
	*field = "valid_until";
	if (until.len > 0 && (clock_parse_rfc3339(until, &ms) != OK || ms <= s->p->layout->latest_ms - REPORT_SKEW_MS))
		return ERR_TIME;
	*field = "indicator_types";
	return has_word(member_array(v, "indicator_types"), "benign") ? ERR_FIELD : OK;
}

static enum err indicator_read(struct stix *s, struct object *o)
{
	static const char *const keys[] = { "last_seen", "first_seen", "valid_from" };
	yyjson_val *sighting = o->sighting != NULL ? o->sighting->v : NULL;
	yyjson_val *const from[] = { sighting, sighting, o->v };
	struct span language = member_text(o->v, "pattern_type");
	struct event e = { .format = FORMAT_STIX };
	const char *field;
	enum err why;

	if (language.len > 0 && !span_is(language, "stix"))
		return OK;
	if ((why = validity_check(s, o->v, &field)) != OK)
		return reject(s, why, field);
	if (member_text(o->v, "pattern").len == 0)
		return reject(s, ERR_FIELD_MISSING, "pattern");
	if ((why = time_find(s, from, keys, 3, &e.time_ms, &field)) != OK)
		return reject(s, why, field);
	if ((why = class_find(s, o, &e)) != OK)
		return reject(s, why, "labels");
	return pattern_events(s, o, &e);
}

/* ---- documents ---- */

static enum err bundle_read(struct stix *s, yyjson_val *root)
{
	yyjson_val *list = member_array(root, "objects");
	struct arena *a = s->p->scratch->arena;
	enum err e = OK;

	if (list != NULL) {
		e = scope_of_array(a, list, &s->bundle);
	} else {
		if ((s->bundle.objects = arena_array(a, 1, sizeof(struct object))) == NULL)
			return reject(s, ERR_TOO_LONG, NULL);
		object_add(&s->bundle, root, member_text(root, "id"));
		e = scope_index(a, &s->bundle);
	}
	if (e != OK)
		return reject(s, e, "objects");
	s->share = share_of(&s->bundle);
	names_take(s);
	for (size_t i = 0; e == OK && i < s->bundle.count; i++) {
		struct object *o = &s->bundle.objects[i];

		if (o->type == TYPE_OBSERVED && !o->used)
			e = observed_read(s, o);
		else if (o->type == TYPE_INDICATOR && !o->used)
			e = indicator_read(s, o);
	}
	return e == OK && !s->any ? reject(s, ERR_NO_ADDRESS, "objects") : e;
}

enum err stix_row(const struct parse *p, const struct place *at)
{
	struct stix s = { .p = p, .at = at, .whole = { .text = at->raw } };
	const char *field = NULL;
	yyjson_val *root;
	enum err e = document_read(p, at->raw, &root, &field);

	return e == OK ? bundle_read(&s, root) : parse_reject(p, at, e, field);
}
