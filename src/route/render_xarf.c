/* XARF v4.2: one report a line. A type is chosen whose required fields the row has; where none fits, the report says
 * what is known as threat intelligence. */
#include "base/encoding.h"
#include "route/evidence_write.h"
#include "route/rendering.h"

enum shape {
	SHAPE_INTELLIGENCE, /* reputation/threat_intelligence: threat_type */
	SHAPE_CONNECTION,   /* protocol, first_seen, source_port */
	SHAPE_SCAN,	    /* connection/port_scan, without a port connection/vulnerability_scan */
	SHAPE_INFECTED,	    /* connection/infected_host, else infrastructure/botnet */
	SHAPE_BOTNET,	    /* infrastructure/botnet: compromise_evidence */
	SHAPE_COMPROMISED,  /* infrastructure/compromised_server: compromise_method */
	SHAPE_OPEN,	    /* vulnerability/open_service: service */
	SHAPE_MISCONFIGURED /* vulnerability/misconfiguration: service */
};

static const struct kind_of {
	enum shape shape;
	const char *type; /* of a connection */
} kinds[CLASS_COUNT] = {
	[CLASS_INFECTED_SYSTEM] = { SHAPE_INFECTED, NULL },
	[CLASS_C2_SERVER] = { SHAPE_BOTNET, NULL },
	[CLASS_MALWARE_DISTRIBUTION] = { SHAPE_COMPROMISED, NULL },
	[CLASS_MALWARE_CONFIGURATION] = { SHAPE_COMPROMISED, NULL },
	[CLASS_SCANNER] = { SHAPE_SCAN, "port_scan" },
	[CLASS_BRUTE_FORCE] = { SHAPE_CONNECTION, "login_attack" },
	[CLASS_PRIVILEGED_ACCOUNT_COMPROMISE] = { SHAPE_COMPROMISED, NULL },
	[CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE] = { SHAPE_COMPROMISED, NULL },
	[CLASS_APPLICATION_COMPROMISE] = { SHAPE_COMPROMISED, NULL },
	[CLASS_SYSTEM_COMPROMISE] = { SHAPE_COMPROMISED, NULL },
	[CLASS_DOS] = { SHAPE_CONNECTION, "ddos" },
	[CLASS_DDOS] = { SHAPE_CONNECTION, "ddos" },
	[CLASS_MISCONFIGURATION] = { SHAPE_MISCONFIGURED, NULL },
	[CLASS_WEAK_CRYPTO] = { SHAPE_MISCONFIGURED, NULL },
	[CLASS_DDOS_AMPLIFIER] = { SHAPE_OPEN, NULL },
	[CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE] = { SHAPE_OPEN, NULL },
	[CLASS_INFORMATION_DISCLOSURE] = { SHAPE_OPEN, NULL },
	[CLASS_VULNERABLE_SYSTEM] = { SHAPE_OPEN, NULL },
};

static const char *protocol_of(const struct event *e)
{
	switch (e->transport) {
	case TRANSPORT_TCP:
		return "tcp";
	case TRANSPORT_UDP:
		return "udp";
	case TRANSPORT_ICMP:
		return "icmp";
	case 132:
		return "sctp";
	default:
		return NULL;
	}
}

/* "brute-force" of "intrusion-attempts/brute-force". */
static const char *class_type(enum rsit_class c)
{
	const char *name = class_name(c), *slash = strchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

/* Of a scan report the service is in its name: "scan_ntp" and "scan6_ssh". */
static struct span service_of(const struct evidence_row *row)
{
	if (span_starts(row->type, "scan_"))
		return span_from(row->type, strlen("scan_"));
	if (span_starts(row->type, "scan6_"))
		return span_from(row->type, strlen("scan6_"));
	return row->type;
}

static enum shape shape_of(const struct rendering *r, const struct event *e)
{
	enum shape s = kinds[r->context->class].shape;
	const char *protocol = protocol_of(e);
	bool timed = e->time_ms != 0 && protocol != NULL;

	switch (s) {
	case SHAPE_CONNECTION:
		return timed && e->source_port > 0 ? s : SHAPE_INTELLIGENCE;
	case SHAPE_SCAN:
		return e->time_ms != 0 ? s : SHAPE_INTELLIGENCE;
	case SHAPE_INFECTED:
		return timed && (e->transport == TRANSPORT_TCP || e->transport == TRANSPORT_UDP) ? s : SHAPE_BOTNET;
	default:
		return s;
	}
}

static void kind(struct json *j, const char *category, const char *type)
{
	json_text(j, "category", category);
	json_text(j, "type", type);
}

static void connection(struct json *j, const struct event *e, const char *type)
{
	kind(j, "connection", type);
	json_text(j, "protocol", protocol_of(e));
	stix_time(j, "first_seen", e->time_ms);
}

static void scan(struct json *j, const struct event *e)
{
	const char *protocol = protocol_of(e);

	if (e->source_port > 0 && protocol != NULL) {
		connection(j, e, "port_scan");
		return;
	}
	kind(j, "connection", "vulnerability_scan");
	json_text(j, "scan_type", "port_scan");
	json_text(j, "protocol", protocol == NULL || e->transport == 132 ? "mixed" : protocol);
	stix_time(j, "first_seen", e->time_ms);
}

static void vulnerability(struct json *j, const struct evidence_row *row, const char *type)
{
	kind(j, "vulnerability", type);
	json_string(j, "service", service_of(row));
	if (row->event.source_port > 0)
		json_number(j, "service_port", row->event.source_port);
}

static void kind_and_fields(struct rendering *r, struct json *j, const struct evidence_row *row)
{
	enum rsit_class class = r->context->class;
	const struct event *e = &row->event;

	switch (shape_of(r, e)) {
	case SHAPE_CONNECTION:
		connection(j, e, kinds[class].type);
		break;
	case SHAPE_SCAN:
		scan(j, e);
		break;
	case SHAPE_INFECTED:
		connection(j, e, "infected_host");
		json_text(j, "bot_type", "malicious");
		break;
	case SHAPE_BOTNET:
		kind(j, "infrastructure", "botnet");
		json_text(j, "compromise_evidence", class_says(class));
		break;
	case SHAPE_COMPROMISED:
		kind(j, "infrastructure", "compromised_server");
		json_text(j, "compromise_method", class_type(class));
		break;
	case SHAPE_OPEN:
		vulnerability(j, row, "open_service");
		break;
	case SHAPE_MISCONFIGURED:
		vulnerability(j, row, "misconfiguration");
		break;
	default:
		kind(j, "reputation", "threat_intelligence");
		json_text(j, "threat_type", class_type(class));
		break;
	}
}

/* Who sends: the node, by default with the mailbox that RFC 2142 gives to it. */
static void contact(struct rendering *r, struct json *j, const char *key)
{
	char mailbox[300];
	int n = snprintf(mailbox, sizeof(mailbox), "abuse@%.*s", SPAN_FORMAT(r->context->from));

	json_object(j, key);
	json_string(j, "org", r->context->from);
	json_string(j, "contact",
		    r->context->contact.len > 0
			    ? r->context->contact
			    : span_make(mailbox, n > 0 && (size_t)n < sizeof(mailbox) ? (size_t)n : 0));
	json_string(j, "domain", r->context->from);
	json_object_end(j);
}

/* The row as it came, with its header where it has one. */
static void evidence(struct rendering *r, struct json *j, const struct evidence_row *row)
{
	struct buffer item = BUFFER((size_t)1 << 20), text = BUFFER((size_t)2 << 20);
	bool csv = evidence_quoted(row->format), text_lines = span_is(row->format, "list");
	char hash[HASH_HEX + 8] = "sha256:";

	if (row->header.len > 0) {
		buffer_span(&item, row->header);
		buffer_byte(&item, '\n');
	}
	buffer_span(&item, row->event.raw);
	buffer_byte(&item, '\n');
	base64_append(&text, item.at, item.len);
	hash_hex(hash_bytes(item.at, item.len), hash + strlen(hash));
	json_array(j, "evidence");
	json_object(j, NULL);
	json_text(j, "content_type", csv ? "text/csv" : text_lines ? "text/plain" : "application/json");
	json_text(j, "description", "The row of the report as it came.");
	json_string(j, "payload", buffer_view(&text));
	json_text(j, "hash", hash);
	json_number(j, "size", (int64_t)item.len);
	json_object_end(j);
	json_array_end(j);
	if (item.err != OK || text.err != OK)
		r->out.err = item.err != OK ? item.err : text.err;
	buffer_free(&item);
	buffer_free(&text);
}

static void tags(struct rendering *r, struct json *j, const struct evidence_row *row)
{
	char tag[64];

	json_array(j, "tags");
	snprintf(tag, sizeof(tag), "rsit:%s", class_type(r->context->class));
	json_text(j, NULL, tag);
	if (row->verdict != PLAN_UNDECLARED) {
		snprintf(tag, sizeof(tag), "plan:%s", plan_verdict_name(row->verdict));
		json_text(j, NULL, tag);
	}
	json_array_end(j);
}

void render_xarf_row(struct rendering *r, const struct evidence_row *row)
{
	const struct event *e = &row->event;
	struct json j = { .out = &r->out };
	char text[PREFIX_TEXT], content[HASH_HEX + 40] = "xarf ";
	struct stix_id id;

	hash_hex(r->context->notice, content + strlen(content));
	snprintf(content + strlen(content), 24, " %llu", (unsigned long long)r->rows);
	id = stix_id("x", false, span_of(content));
	json_object(&j, NULL);
	json_text(&j, "xarf_version", "4.2.0");
	json_text(&j, "report_id", id.text + strlen("x--"));
	stix_time(&j, "timestamp", row_time(r, row));
	contact(r, &j, "reporter");
	contact(r, &j, "sender");
	json_string(&j, "source_identifier", span_make(text, source_text(e, text)));
	if (e->source_port > 0)
		json_number(&j, "source_port", e->source_port);
	kind_and_fields(r, &j, row);
	if (e->has_target)
		json_string(&j, "destination_ip", span_make(text, address_format(e->target, text)));
	if (e->target_port > 0)
		json_number(&j, "destination_port", e->target_port);
	json_text(&j, "description", class_says(r->context->class));
	evidence(r, &j, row);
	tags(r, &j, row);
	json_object_end(&j);
	buffer_byte(&r->out, '\n');
}
