/* IODEF version 2 (RFC 7970).
 *
 * One event for each address of a System whose category is source. A Flow that names no source but an intermediate
 * system, which took part in the event (an open proxy, a reflector), is told to that one's holder instead. Of the
 * others a target is the event's target, a sensor has only watched, and infrastructure carried the document.
 *
 * What an EventData does not say it has from the one around it, and at last from the Incident. */
#include "base/clock.h"
#include "regime/speech.h"
#include "report/csv_blocks.h"
#include "report/layout.h"
#include "report/xml_json.h"

#define NAMESPACE "urn:ietf:params:xml:ns:iodef-2.0"
#define RAW_LEAST ((size_t)1024)
#define RAW_MOST ((size_t)REPORT_ROW_MAX - 2048) /* the shares below and what stands between them */
#define FLOW_SYSTEMS 16				 /* of the other systems of a flow as many are kept */

struct reading {
	const struct parse *p;
	const struct place *document;
	bool exact; /* places inside the document can be told */
	struct span text;
	const char *counted;
	uint64_t lines;	   /* line ends in the document before `counted` */
	struct place at;   /* of the incident in hand */
	enum err sink_err; /* what the sink or the machine said: not the document's fault */
	const char *field; /* that the root element is refused for */
	bool found;	   /* the incident in hand gave an event or a reject */
	uint64_t children; /* of the root that were incidents */
	struct buffer raw;
	struct json json;
	size_t raw_max;
};

struct said {
	const char *name; /* of the element; NULL: nothing is said */
	struct span text;
};

/* An EventData, or the Incident, with what it says itself or has from those around it. Looked up once for each, since
 * it may hold any number of others. */
struct level {
	const struct xml_node *node;
	unsigned depth;
	struct said seen, told; /* times */
	enum rsit_class class;
	enum err class_err;
};

/* What all systems of a flow share. */
struct flow {
	const struct level *level;
	const struct xml_node *target;
	struct event event;
};

/* ---- rejects and events ---- */

static enum err reject(struct reading *r, enum err why, const char *field)
{
	r->found = true;
	return r->sink_err = parse_reject(r->p, &r->at, why, field);
}

/* An incident's own place. Of a text that was decoded first only the document's is known. */
static void place_set(struct reading *r, struct span raw)
{
	struct span before = { r->counted, 0 };

	r->at = *r->document;
	if (!r->exact)
		return;
	before.len = (size_t)(raw.at - before.at);
	r->lines += lines_in(before);
	r->counted = raw.at;
	r->at.offset += (size_t)(raw.at - r->document->raw.at);
	r->at.line += r->lines;
	r->at.raw = raw;
}

/* ---- what is kept ---- */

static const char *const skip_events[] = { "EventData", NULL };
static const char *const skip_flows[] = { "EventData", "Flow", NULL };
static const char *const skip_addresses[] = { "Address", NULL };
static const char *const least[] = { "IncidentID", "StartTime", "DetectTime", "ReportTime", "GenerationTime", NULL };

/* As much of n as goes into `share` bytes. */
static void keep(struct reading *r, const char *key, const struct xml_node *n, size_t share, const char *const *skip)
{
	static const struct xml_limits steps[] = { { 2048, 128, 64, NULL, NULL },
						   { 256, 16, 8, NULL, NULL },
						   { 64, 8, 3, NULL, least } };
	const struct json before = r->json;
	size_t len = r->raw.len;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct xml_limits limits = steps[i];

		limits.skip = skip;
		r->raw.max = len + share;
		xml_json(&r->json, key, n, &limits);
		r->raw.max = 2 * REPORT_ROW_MAX;
		if (r->raw.err != ERR_TOO_LONG)
			return;
		r->raw.err = OK;
		r->raw.len = len;
		r->json = before;
	}
	json_null(&r->json, key);
}

static void keep_incident(struct reading *r, const struct xml_node *incident)
{
	buffer_clear(&r->raw);
	r->json = (struct json){ .out = &r->raw };
	json_object(&r->json, NULL);
	keep(r, "Incident", incident, r->raw_max / 2, skip_events);
	json_array(&r->json, "EventData");
}

static bool is_category(const struct xml_node *system, const char *category)
{
	return span_is(xml_attribute(system, "category"), category);
}

/* Behind the levels. */
static void keep_flow(struct reading *r, const struct xml_node *flow, const char *source)
{
	size_t count = 0;

	json_array_end(&r->json);
	json_array(&r->json, "Flow");
	for (const struct xml_node *n = xml_child(flow, "System"); n != NULL && count < FLOW_SYSTEMS;
	     n = xml_again(n)) {
		if (is_category(n, source))
			continue;
		count++;
		keep(r, NULL, n, r->raw_max / 8 / FLOW_SYSTEMS, NULL);
	}
	json_array_end(&r->json);
}

/* ---- values ---- */

static void said_find(const struct xml_node *n, const char *const *names, struct said *out)
{
	for (; *names != NULL; names++) {
		const struct xml_node *found = xml_child(n, *names);

		if (found == NULL)
			continue;
		*out = (struct said){ *names, found->text };
		return;
	}
}

/* When it was seen; else when it was told, or written. */
static enum err time_read(const struct layout *layout, const struct level *l, int64_t *ms, const char **name)
{
	const struct said *said = l->seen.name != NULL ? &l->seen : &l->told;

	*name = said->name;
	if (clock_parse_rfc3339(said->text, ms) != OK)
		return ERR_TIME;
	return time_check(layout, *ms);
}

/* A word of the taxonomy, in any case and with blanks for hyphens; CLASS_NONE: it is none. ERR_CLASS_CONTENT. */
static enum err class_word(struct span text, enum rsit_class *out)
{
	char word[64];

	*out = CLASS_NONE;
	if (speech_asked(text, NULL))
		return ERR_CLASS_CONTENT;
	if (text.len == 0 || text.len > sizeof(word))
		return OK;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		word[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c == ' ' || c == '_' ? '-' : c);
	}
	return class_parse(span_make(word, text.len), out) == ERR_CLASS_CONTENT ? ERR_CLASS_CONTENT : OK;
}

static enum err class_of_elements(const struct xml_node *n, enum rsit_class *out)
{
	enum err e = OK;

	for (*out = CLASS_NONE; n != NULL && *out == CLASS_NONE && e == OK; n = xml_again(n))
		e = class_word(n->text, out);
	return e;
}

static enum err class_of_additions(const struct xml_node *n, enum rsit_class *out)
{
	static const char *const meanings[] = { "rsit", "class", "classification", "taxonomy", "incident-class" };
	enum err e = OK;

	for (*out = CLASS_NONE; n != NULL && *out == CLASS_NONE && e == OK; n = xml_again(n))
		for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]) && *out == CLASS_NONE; i++)
			if (span_equal_nocase(xml_attribute(n, "meaning"), span_of(meanings[i])))
				e = class_word(n->text, out);
	return e;
}

/* Assessment's categories and the texts of Method, where a sender who knows the taxonomy puts its words. */
static enum err class_of_level(const struct xml_node *level, enum rsit_class *out)
{
	static const char *const in_methods[] = { "Description", "AttackPattern", "Malware", "Classification" };
	const struct xml_node *n;
	enum err e = OK;

	*out = CLASS_NONE;
	for (n = xml_child(level, "Assessment"); n != NULL && *out == CLASS_NONE && e == OK; n = xml_again(n))
		e = class_of_elements(xml_child(n, "IncidentCategory"), out);
	for (n = xml_child(level, "Method"); n != NULL && *out == CLASS_NONE && e == OK; n = xml_again(n))
		for (size_t i = 0; i < sizeof(in_methods) / sizeof(in_methods[0]) && *out == CLASS_NONE; i++)
			if ((e = class_of_elements(xml_child(n, in_methods[i]), out)) != OK)
				break;
	return *out != CLASS_NONE || e != OK ? e : class_of_additions(xml_child(level, "AdditionalData"), out);
}

/* outer NULL: the incident itself, which has been checked. */
static struct level level_of(const struct xml_node *n, const struct level *outer)
{
	static const char *const seen[] = { "DetectTime", "StartTime", "EndTime", NULL };
	static const char *const told[] = { "ReportTime", "GenerationTime", NULL };
	struct level l = { .node = n };
	enum rsit_class class;

	if (outer != NULL) {
		l = *outer;
		l.node = n;
		l.depth++;
	}
	said_find(n, seen, &l.seen);
	said_find(n, told, &l.told);
	if ((l.class_err = class_of_level(n, &class)) == OK && class != CLASS_NONE)
		l.class = class;
	else if (l.class_err == OK && outer != NULL)
		l.class_err = outer->class_err;
	return l;
}

/* What the system was there for. */
static enum rsit_class class_of_role(const struct xml_node *system)
{
	static const struct {
		const char *role;
		enum rsit_class class;
	} roles[] = {
		{ "c2-server", CLASS_C2_SERVER },      { "malware-distribution", CLASS_MALWARE_DISTRIBUTION },
		{ "phishing-site", CLASS_PHISHING },   { "spear-phishing-site", CLASS_PHISHING },
		{ "reflector", CLASS_DDOS_AMPLIFIER },
	};

	for (const struct xml_node *n = xml_child(system, "NodeRole"); n != NULL; n = xml_again(n))
		for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
			if (is_category(n, roles[i].role))
				return roles[i].class;
	return CLASS_NONE;
}

/* "192.0.2.0/255.255.255.0" */
static enum err masked_parse(struct span text, struct prefix *out)
{
	struct span mask_text = text, net = span_cut(&mask_text, '/');
	struct address a, mask;
	uint32_t bits;

	if (mask_text.at == NULL || address_parse(net, &a) != OK || address_parse(mask_text, &mask) != OK ||
	    a.family != FAMILY_IPV4 || mask.family != FAMILY_IPV4)
		return ERR_PREFIX;
	bits = ~(uint32_t)mask.low;
	if ((bits & (bits + 1)) != 0 || ((uint32_t)a.low & bits) != 0)
		return ERR_PREFIX;
	*out = (struct prefix){ a, (uint8_t)(32 - bits_count(bits)) };
	return OK;
}

/* ERR_NO_ADDRESS: names something else, or hides the address. */
static enum err address_read(const struct xml_node *n, struct event *e)
{
	struct span category = xml_attribute(n, "category"), text = n->text;
	struct prefix p;

	if (category.at == NULL || span_is(category, "ipv4-addr") || span_is(category, "ipv6-addr")) {
		e->source_length = 0;
		if (address_parse(text, &e->source) != OK)
			return ERR_ADDRESS;
		return category.at == NULL || (category.at[3] == '4') == (e->source.family == FAMILY_IPV4)
			       ? OK
			       : ERR_ADDRESS;
	}
	if (!span_starts(category, "ipv4-net") && !span_starts(category, "ipv6-net"))
		return ERR_NO_ADDRESS;
	if (span_ends(category, "-masked") && memchr(text.at, 'x', text.len) != NULL)
		return ERR_NO_ADDRESS;
	if ((span_ends(category, "-mask") ? masked_parse(text, &p) : prefix_parse(text, &p)) != OK)
		return ERR_PREFIX;
	if ((category.at[3] == '4') != (p.address.family == FAMILY_IPV4))
		return ERR_PREFIX;
	source_set(e, p);
	return OK;
}

/* A list of ports names none. */
static enum err service_read(const struct xml_node *service, uint16_t *port, uint8_t *transport)
{
	const struct xml_node *n;
	struct span protocol;

	if (service == NULL)
		return OK;
	if ((protocol = xml_attribute(service, "ip-protocol")).len > 0)
		*transport = transport_parse(protocol);
	if ((n = xml_child(service, "Port")) != NULL)
		return port_parse(n->text, port);
	if ((n = xml_child(service, "Portlist")) != NULL && port_parse(n->text, port) != OK)
		*port = 0;
	return OK;
}

static void target_read(struct flow *f)
{
	struct event other = { 0 };

	if (f->target == NULL)
		return;
	if (service_read(xml_child(f->target, "Service"), &f->event.target_port, &f->event.transport) != OK)
		f->event.target_port = 0;
	for (const struct xml_node *n = xml_child(f->target, "Node"); n != NULL; n = xml_again(n)) {
		for (const struct xml_node *a = xml_child(n, "Address"); a != NULL; a = xml_again(a)) {
			if (address_read(a, &other) != OK || other.source_length != 0)
				continue;
			f->event.has_target = true;
			f->event.target = other.source;
			return;
		}
	}
}

/* ---- from the incident to its addresses ---- */

static enum err address_event(struct reading *r, struct event *event, const struct xml_node *address)
{
	const struct json json = r->json;
	size_t len = r->raw.len;
	enum err e = source_check(&event->source);

	if (e != OK)
		return reject(r, e, "Address");
	keep(r, "Address", address, RAW_LEAST / 4, NULL);
	json_object_end(&r->json);
	if (r->raw.err != OK)
		return r->sink_err = fail(r->raw.err, "no room for what is kept of an event");
	r->found = true;
	r->sink_err = parse_event_as(r->p, &r->at, event, buffer_view(&r->raw));
	r->raw.len = len;
	r->json = json;
	return r->sink_err;
}

static enum err addresses_read(struct reading *r, struct event *event, const struct xml_node *system)
{
	bool any = false;

	for (const struct xml_node *n = xml_child(system, "Node"); n != NULL; n = xml_again(n)) {
		for (const struct xml_node *a = xml_child(n, "Address"); a != NULL; a = xml_again(a)) {
			enum err e = address_read(a, event);

			if (e == ERR_NO_ADDRESS)
				continue;
			any = true;
			if ((e != OK ? reject(r, e, "Address") : address_event(r, event, a)) != OK)
				return r->sink_err;
		}
	}
	return any ? OK : reject(r, ERR_NO_ADDRESS, "Address");
}

static enum err event_fill(struct reading *r, const struct flow *f, const struct xml_node *system, struct event *event,
			   const char **field)
{
	const struct layout *l = r->p->layout;
	enum rsit_class class;
	enum err e;

	*field = "spoofed";
	if (span_is(xml_attribute(system, "spoofed"), "yes"))
		return ERR_SPOOFED;
	*field = "IncidentCategory";
	if (f->level->class_err != OK)
		return f->level->class_err;
	class = f->level->class != CLASS_NONE ? f->level->class : class_of_role(system);
	if (l->class_given || class == CLASS_NONE)
		class = l->class != CLASS_NONE ? l->class : CLASS_UNDETERMINED;
	event->class = class;
	if ((e = time_read(l, f->level, &event->time_ms, field)) != OK)
		return e;
	*field = "Port";
	return service_read(xml_child(system, "Service"), &event->source_port, &event->transport);
}

static enum err system_read(struct reading *r, const struct flow *f, const struct xml_node *system)
{
	const struct json json = r->json;
	size_t len = r->raw.len;
	struct event event = f->event;
	const char *field;
	enum err e = event_fill(r, f, system, &event, &field);

	if (e != OK)
		return reject(r, e, field);
	keep(r, "System", system, r->raw_max / 8, skip_addresses);
	e = addresses_read(r, &event, system);
	r->raw.len = len;
	r->json = json;
	return e;
}

static const struct xml_node *system_of(const struct xml_node *flow, const char *category)
{
	const struct xml_node *n = xml_child(flow, "System");

	while (n != NULL && !is_category(n, category))
		n = xml_again(n);
	return n;
}

static enum err flow_read(struct reading *r, const struct level *level, const struct xml_node *node)
{
	struct flow f = { .level = level, .event = { .format = FORMAT_IODEF } };
	const char *source = system_of(node, "source") != NULL ? "source" : "intermediate";
	const struct json json = r->json;
	size_t len = r->raw.len;
	enum err e = OK;

	if (system_of(node, source) == NULL)
		return reject(r, ERR_NO_ADDRESS, "System");
	f.target = system_of(node, "target");
	target_read(&f);
	keep_flow(r, node, source);
	for (const struct xml_node *n = xml_child(node, "System"); n != NULL && e == OK; n = xml_again(n))
		if (is_category(n, source))
			e = system_read(r, &f, n);
	r->raw.len = len;
	r->json = json;
	return e;
}

/* xml_read lets nothing be nested deeper than XML_DEPTH_MAX. */
static enum err level_read(struct reading *r, const struct level *l)
{
	const struct json json = r->json;
	size_t len = r->raw.len;
	enum err e = OK;

	if (l->depth > 0)
		keep(r, NULL, l->node, r->raw_max >> (2 + (l->depth < 16 ? l->depth : 16)), skip_flows);
	for (const struct xml_node *n = xml_child(l->node, "Flow"); n != NULL && e == OK; n = xml_again(n))
		e = flow_read(r, l, n);
	for (const struct xml_node *n = xml_child(l->node, "EventData"); n != NULL && e == OK; n = xml_again(n)) {
		struct level inner = level_of(n, l);

		e = level_read(r, &inner);
	}
	r->raw.len = len;
	r->json = json;
	return e;
}

/* How many events it may give. */
static uint64_t addresses_in(const struct xml_node *n)
{
	uint64_t count = n->ours && strcmp(n->name, "Address") == 0;

	for (n = n->child; n != NULL; n = n->next)
		count += addresses_in(n);
	return count;
}

static enum err incident_check(const struct layout *l, const struct xml_node *n, const char **field)
{
	static const char *const purposes[] = { "traceback", "mitigation", "reporting", "watch", "other", "ext-value" };
	const struct xml_node *id = xml_child(n, "IncidentID"), *time = xml_child(n, "GenerationTime");
	struct span purpose = xml_attribute(n, "purpose");
	int64_t ms;

	*field = "purpose";
	if (purpose.len == 0)
		return ERR_FIELD_MISSING;
	for (size_t i = 0; !span_is(purpose, purposes[i]); i++)
		if (i + 1 == sizeof(purposes) / sizeof(purposes[0]))
			return ERR_FIELD;
	*field = "IncidentID";
	if (id == NULL || id->text.len == 0)
		return ERR_FIELD_MISSING;
	*field = "IncidentID@name";
	if (xml_attribute(id, "name").len == 0)
		return ERR_FIELD_MISSING;
	*field = "GenerationTime";
	if (time == NULL)
		return ERR_FIELD_MISSING;
	if (clock_parse_rfc3339(time->text, &ms) != OK)
		return ERR_TIME;
	*field = "Contact";
	if (xml_child(n, "Contact") == NULL)
		return ERR_FIELD_MISSING;
	*field = "GenerationTime";
	return time_check(l, ms);
}

static enum err incident_read(struct reading *r, const struct xml_node *n, size_t length)
{
	struct level level;
	const char *field;
	enum err e = incident_check(r->p->layout, n, &field);
	uint64_t count = addresses_in(n);

	if (e != OK)
		return reject(r, e, field);
	/* what is said once for many addresses is kept with each: all of it must stay within bounds */
	r->raw_max = (4 * length + ((size_t)1 << 20)) / (count + 1);
	r->raw_max = r->raw_max < RAW_LEAST ? RAW_LEAST : r->raw_max > RAW_MOST ? RAW_MOST : r->raw_max;
	keep_incident(r, n);
	level = level_of(n, NULL);
	if (level_read(r, &level) != OK)
		return r->sink_err;
	return r->found ? OK : reject(r, ERR_NO_ADDRESS, "EventData");
}

static enum err on_root(void *context, const struct xml_node *root, const char *space)
{
	struct reading *r = context;
	struct span version = xml_attribute(root, "version");

	r->field = "IODEF-Document";
	if (strcmp(root->name, "IODEF-Document") != 0)
		return ERR_FIELD;
	r->field = "xmlns";
	if (*space == '\0')
		return ERR_FIELD_MISSING;
	if (strcmp(space, NAMESPACE) != 0)
		return ERR_FIELD;
	r->field = "version";
	if (version.len == 0)
		return ERR_FIELD_MISSING;
	if (!span_is(version, "2.00"))
		return ERR_FIELD;
	r->field = NULL;
	return OK;
}

static enum err on_child(void *context, const struct xml_node *n, struct span raw)
{
	struct reading *r = context;

	if (n != NULL && (!n->ours || strcmp(n->name, "Incident") != 0))
		return OK;
	r->children++;
	r->found = false;
	place_set(r, raw);
	return n == NULL ? reject(r, ERR_TOO_LONG, "Incident") : incident_read(r, n, raw.len);
}

enum err iodef_row(const struct parse *p, const struct place *at)
{
	struct reading r = { .p = p, .document = at, .raw = BUFFER(2 * REPORT_ROW_MAX), .at = *at };
	const struct xml_sink sink = { on_root, on_child, &r };
	struct arena *a = arena_new(2 * REPORT_DOCUMENT_MAX);
	struct span rest;
	enum err e;

	if (a == NULL)
		return fail(ERR_NO_MEMORY, "no room to read XML");
	if ((e = xml_decode(a, at->raw, &r.text)) == OK) {
		r.exact = r.text.at + r.text.len == at->raw.at + at->raw.len && at->raw.at == p->rows.at + at->offset;
		r.counted = at->raw.at;
		e = xml_read(r.text, &sink, &rest);
		if (e != OK && r.sink_err == OK && r.field == NULL)
			place_set(&r, rest);
	}
	if (r.sink_err == OK && e == ERR_NO_MEMORY)
		r.sink_err = fail(e, "no room to read XML");
	else if (r.sink_err == OK && e != OK)
		r.sink_err = parse_reject(p, &r.at, e, r.field);
	else if (r.sink_err == OK && r.children == 0)
		r.sink_err = parse_reject(p, &r.at, ERR_FIELD_MISSING, "Incident");
	buffer_free(&r.raw);
	arena_free(a);
	return r.sink_err;
}

bool iodef_is(struct span text)
{
	return xml_root_is(text, "IODEF-Document");
}
