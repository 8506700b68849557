/* STIX 2.1: observed-data with an address, and a network-traffic where the row knows ports or a target. */
#include "route/rendering.h"

static void comma(struct rendering *r)
{
	buffer_text(&r->out, ",\n");
}

void stix_begin(struct rendering *r)
{
	char content[HASH_HEX + 16] = "notice ";
	struct stix_id bundle;
	struct json j = { .out = &r->out };

	hash_hex(r->context->notice, content + strlen(content));
	bundle = stix_id("bundle", false, span_of(content));
	buffer_text(&r->out, "{\"type\":\"bundle\",\"id\":\"");
	buffer_text(&r->out, bundle.text);
	buffer_text(&r->out, "\",\"objects\":[\n");
	r->node = stix_identity(&j, r->context->from);
}

void stix_end(struct rendering *r)
{
	buffer_text(&r->out, "\n]}\n");
}

/* Whether this observable was written lately; it is from now on. The same object may stand in a bundle again: the memory
 * for telling is bounded. */
static bool seen(struct rendering *r, const struct stix_id *id)
{
	uint8_t *slot = r->seen[(id->uuid[0] << 8 | id->uuid[1]) % STIX_SEEN];
	bool known = memcmp(slot, id->uuid, sizeof(id->uuid)) == 0;

	memcpy(slot, id->uuid, sizeof(id->uuid));
	return known;
}

static struct stix_id address_object(struct rendering *r, enum family family, const char *value)
{
	const char *type = family == FAMILY_IPV4 ? "ipv4-addr" : "ipv6-addr";
	struct json j = { .out = &r->out };
	char content[PREFIX_TEXT + 16];
	struct stix_id id;
	int n = snprintf(content, sizeof(content), "{\"value\":\"%s\"}", value);

	id = stix_id(type, true, span_make(content, (size_t)n));
	if (seen(r, &id))
		return id;
	comma(r);
	stix_object(&j, type, &id);
	json_text(&j, "value", value);
	json_object_end(&j);
	return id;
}

static const char *transport_name(uint8_t transport)
{
	return transport == TRANSPORT_TCP    ? "tcp"
	       : transport == TRANSPORT_UDP  ? "udp"
	       : transport == TRANSPORT_ICMP ? "icmp"
					     : NULL;
}

/* The properties that an identifier is made of (6.12), in the order of RFC 8785. */
static void traffic_content(struct json *j, const struct event *e, const struct stix_id *source,
			    const struct stix_id *target)
{
	const char *transport = transport_name(e->transport);

	if (e->target_port > 0)
		json_number(j, "dst_port", e->target_port);
	if (target != NULL)
		json_text(j, "dst_ref", target->text);
	json_array(j, "protocols");
	json_text(j, NULL, e->source.family == FAMILY_IPV4 ? "ipv4" : "ipv6");
	if (transport != NULL)
		json_text(j, NULL, transport);
	json_array_end(j);
	if (e->source_port > 0)
		json_number(j, "src_port", e->source_port);
	json_text(j, "src_ref", source->text);
}

static struct stix_id traffic_object(struct rendering *r, const struct event *e, const struct stix_id *source,
				     const struct stix_id *target)
{
	struct buffer content = BUFFER(1024);
	struct json j = { .out = &content }, k = { .out = &r->out };
	struct stix_id id;

	json_object(&j, NULL);
	traffic_content(&j, e, source, target);
	json_object_end(&j);
	id = stix_id("network-traffic", true, buffer_view(&content));
	if (content.err != OK)
		r->out.err = content.err;
	buffer_free(&content);
	if (seen(r, &id))
		return id;
	comma(r);
	stix_object(&k, "network-traffic", &id);
	traffic_content(&k, e, source, target);
	json_object_end(&k);
	return id;
}

static void observed(struct rendering *r, const struct evidence_row *row, const struct stix_id *refs, size_t count)
{
	struct json j = { .out = &r->out };
	struct stix_id id;
	char content[HASH_HEX + 40] = "row ", label[32];
	int64_t when = row_time(r, row);

	hash_hex(r->context->notice, content + strlen(content));
	snprintf(content + strlen(content), 24, " %llu", (unsigned long long)r->rows);
	id = stix_id("observed-data", false, span_of(content));
	comma(r);
	stix_object(&j, "observed-data", &id);
	stix_created(&j, r->noted_ms != 0 ? r->noted_ms : when);
	json_text(&j, "created_by_ref", r->node.text);
	stix_time(&j, "first_observed", when);
	stix_time(&j, "last_observed", when);
	json_number(&j, "number_observed", 1);
	json_array(&j, "object_refs");
	for (size_t i = 0; i < count; i++)
		json_text(&j, NULL, refs[i].text);
	json_array_end(&j);
	json_array(&j, "labels");
	json_text(&j, NULL, class_name(r->context->class));
	if (row->verdict != PLAN_UNDECLARED) {
		snprintf(label, sizeof(label), "plan:%s", plan_verdict_name(row->verdict));
		json_text(&j, NULL, label);
	}
	json_array_end(&j);
	json_object_end(&j);
}

void render_stix_row(struct rendering *r, const struct evidence_row *row)
{
	const struct event *e = &row->event;
	char text[PREFIX_TEXT];
	struct stix_id refs[3];
	size_t count = 0, target = 0;

	source_text(e, text);
	refs[count++] = address_object(r, (enum family)e->source.family, text);
	if (e->has_target) {
		address_format(e->target, text);
		target = count;
		refs[count++] = address_object(r, (enum family)e->target.family, text);
	}
	if (e->has_target || e->source_port > 0 || e->target_port > 0 || transport_name(e->transport) != NULL) {
		refs[count] = traffic_object(r, e, &refs[0], target > 0 ? &refs[target] : NULL);
		count++;
	}
	observed(r, row, refs, count);
}
