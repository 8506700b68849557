/* XARF 4 (JSON): the rules of its schemas that matter to whoever gets the notice, and the event. */
#include "report/xarf.h"

#include "regime/speech.h"
#include "report/check.h"

#define EVIDENCE_ITEMS 50
#define EVIDENCE_MAX ((size_t)5 << 20)

/* Our own table: which class of RSIT a type is, and what its schema asks for beyond the fields of its category.
 * CLASS_COPYRIGHT, CLASS_VIOLENCE: judges what is said, shown or copied, so it is refused. */
static const struct type {
	const char *category, *name;
	enum rsit_class class;
	const char *needs[3];
} types[] = {
	{ "messaging", "spam", CLASS_SPAM, { "protocol" } },
	{ "messaging", "bulk_messaging", CLASS_SPAM, { "protocol", "recipient_count" } },
	{ "connection", "login_attack", CLASS_BRUTE_FORCE, { NULL } },
	{ "connection", "port_scan", CLASS_SCANNER, { NULL } },
	{ "connection", "ddos", CLASS_DDOS, { NULL } },
	{ "connection", "infected_host", CLASS_INFECTED_SYSTEM, { "bot_type" } },
	{ "connection", "reconnaissance", CLASS_SCANNER, { "probed_resources" } },
	{ "connection", "scraping", CLASS_OTHER, { "total_requests" } },
	{ "connection", "sql_injection", CLASS_IDS_ALERT, { NULL } },
	{ "connection", "vulnerability_scan", CLASS_SCANNER, { "scan_type" } },
	{ "vulnerability", "cve", CLASS_VULNERABLE_SYSTEM, { "service", "service_port", "cve_id" } },
	{ "vulnerability", "open_service", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, { "service" } },
	{ "vulnerability", "misconfiguration", CLASS_VULNERABLE_SYSTEM, { "service" } },
	{ "infrastructure", "botnet", CLASS_INFECTED_SYSTEM, { "compromise_evidence" } },
	{ "infrastructure", "compromised_server", CLASS_SYSTEM_COMPROMISE, { "compromise_method" } },
	{ "reputation", "blocklist", CLASS_OTHER, { "threat_type" } },
	{ "reputation", "threat_intelligence", CLASS_OTHER, { "threat_type" } },
	{ "content", "phishing", CLASS_PHISHING, { "url" } },
	{ "content", "malware", CLASS_MALWARE_DISTRIBUTION, { "url" } },
	{ "content", "fraud", CLASS_OTHER, { "url", "fraud_type" } },
	{ "content", "csam", CLASS_VIOLENCE, { "url", "classification", "detection_method" } },
	{ "content", "csem", CLASS_VIOLENCE, { "url", "exploitation_type", "detection_method" } },
	{ "content", "exposed_data", CLASS_DATA_LEAK, { "url", "data_types", "exposure_method" } },
	{ "content", "brand_infringement", CLASS_COPYRIGHT, { "url", "infringement_type", "legitimate_site" } },
	{ "content",
	  "suspicious_registration",
	  CLASS_MASQUERADE,
	  { "url", "registration_date", "suspicious_indicators" } },
	{ "content", "remote_compromise", CLASS_APPLICATION_COMPROMISE, { "url", "compromise_type" } },
	{ "copyright", "copyright", CLASS_COPYRIGHT, { "infringing_url" } },
	{ "copyright", "cyberlocker", CLASS_COPYRIGHT, { "infringing_url", "hosting_service" } },
	{ "copyright", "link_site", CLASS_COPYRIGHT, { "infringing_url", "site_name" } },
	{ "copyright", "p2p", CLASS_COPYRIGHT, { "p2p_protocol" } },
	{ "copyright", "ugc_platform", CLASS_COPYRIGHT, { "infringing_url", "platform_name" } },
	{ "copyright", "usenet", CLASS_COPYRIGHT, { "newsgroup" } },
};

#define CATEGORIES "messaging content copyright connection vulnerability infrastructure reputation"

static const struct rule core[] = {
	{ "xarf_version", NULL, MUST_TEXT, true, 5, 20, NULL },
	{ "report_id", NULL, MUST_UUID, true, 0, 0, NULL },
	{ "timestamp", NULL, MUST_TIME, true, 0, 0, NULL },
	{ "reporter", NULL, MUST_OBJECT, true, 0, 0, NULL },
	{ "sender", NULL, MUST_OBJECT, true, 0, 0, NULL },
	{ "source_identifier", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "source_port", NULL, MUST_INTEGER, false, 1, 65535, NULL },
	{ "category", NULL, MUST_WORD, true, 0, 0, CATEGORIES },
	{ "type", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "evidence_source", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "evidence", NULL, MUST_ARRAY, false, 0, EVIDENCE_ITEMS, NULL },
	{ "tags", NULL, MUST_TEXTS, false, 0, 20, NULL },
	{ "confidence", NULL, MUST_NUMBER, false, 0, 1, NULL },
	{ "description", NULL, MUST_TEXT, false, 0, 4000, NULL }, /* of at most 1000 characters */
	{ "destination_ip", NULL, MUST_ADDRESS, false, 0, 0, NULL },
	{ "destination_port", NULL, MUST_INTEGER, false, 1, 65535, NULL },
	{ "service_port", NULL, MUST_INTEGER, false, 1, 65535, NULL },
	{ "first_seen", NULL, MUST_TIME, false, 0, 0, NULL },
	{ "last_seen", NULL, MUST_TIME, false, 0, 0, NULL },
};

#define PARTY(who)                                                                                                     \
	{ "org", who ".org", MUST_TEXT, true, 1, 800, NULL }, /* of at most 200 characters */                          \
		{ "contact", who ".contact", MUST_MAIL, true, 0, 0, NULL },                                            \
	{                                                                                                              \
		"domain", who ".domain", MUST_HOST, true, 0, 0, NULL                                                   \
	}
static const struct rule reporter[] = { PARTY("reporter") }, sender[] = { PARTY("sender") };

static const struct rule connection[] = {
	{ "protocol", NULL, MUST_WORD, true, 0, 0, "tcp udp icmp sctp mixed" },
	{ "first_seen", NULL, MUST_TIME, true, 0, 0, NULL },
};

static const struct rule evidence_item[] = {
	{ "content_type", "evidence.content_type", MUST_TEXT, true, 1, 0, NULL },
	{ "payload", "evidence.payload", MUST_TEXT, true, 0, 0, NULL },
	{ "description", "evidence.description", MUST_TEXT, false, 0, 2000, NULL }, /* 500 characters */
	{ "hash", "evidence.hash", MUST_TEXT, false, 5, 200, NULL },
	{ "size", "evidence.size", MUST_INTEGER, false, 0, EVIDENCE_MAX, NULL },
};

#define RULES(r) (r), sizeof(r) / sizeof((r)[0])

/* ---- for both versions ---- */

enum err xarf_class(const struct layout *l, enum rsit_class c, struct event *e)
{
	if (class_is_content(c))
		return ERR_CLASS_CONTENT;
	e->class = l->class_given ? l->class : c;
	return OK;
}

uint16_t xarf_port(yyjson_val *object, const char *key)
{
	yyjson_val *v = yyjson_obj_get(object, key);

	if (yyjson_is_arr(v))
		v = yyjson_arr_get_first(v);
	return yyjson_is_uint(v) && yyjson_get_uint(v) <= UINT16_MAX ? (uint16_t)yyjson_get_uint(v) : 0;
}

/* What stands between "scheme://" and the path, without a user; *port what is behind its colon. */
static struct span url_host(struct span text, struct span *port)
{
	const char *at = text.len > 2 ? memmem(text.at, text.len, "://", 3) : NULL;
	struct span host, rest;

	*port = SPAN("");
	if (at == NULL)
		return SPAN("");
	rest = span_from(text, (size_t)(at - text.at) + 3);
	for (host = rest, host.len = 0; host.len < rest.len && strchr("/?#", rest.at[host.len]) == NULL; host.len++)
		;
	if (host.len > 0 && (at = memrchr(host.at, '@', host.len)) != NULL)
		host = span_from(host, (size_t)(at - host.at) + 1);
	if (host.len > 0 && host.at[0] == '[') {
		at = memchr(host.at, ']', host.len);
		rest = at != NULL ? span_from(host, (size_t)(at - host.at) + 1) : SPAN("");
		host = at != NULL ? span_make(host.at + 1, (size_t)(at - host.at) - 1) : SPAN("");
	} else {
		at = host.len > 0 ? memchr(host.at, ':', host.len) : NULL;
		rest = at != NULL ? span_from(host, (size_t)(at - host.at)) : SPAN("");
		host.len -= rest.len;
	}
	if (rest.len > 1 && rest.at[0] == ':')
		*port = span_from(rest, 1);
	return host;
}

enum err xarf_source(struct span text, struct event *e)
{
	const char *slash = text.len > 0 ? memchr(text.at, '/', text.len) : NULL;
	struct span port;
	struct address a;
	struct prefix p;
	uint16_t number;

	if (slash != NULL && address_parse(span_make(text.at, (size_t)(slash - text.at)), &a) == OK) {
		if (prefix_parse(text, &p) != OK)
			return ERR_PREFIX;
		source_set(e, p);
		return OK;
	}
	if (address_parse(text, &e->source) == OK)
		return OK;
	if (address_parse(url_host(text, &port), &e->source) != OK)
		return ERR_NO_ADDRESS;
	if (e->source_port == 0 && port_parse(port, &number) == OK)
		e->source_port = number;
	return OK;
}

/* ---- version 4 ---- */

static bool version_is_4(struct span s)
{
	struct span rest = s, major = span_cut(&rest, '.'), minor = span_cut(&rest, '.');
	uint64_t n;

	return span_is(major, "4") && minor.len > 0 && rest.at != NULL && rest.len > 0 &&
	       span_u64(minor, 1000, &n) == OK && span_u64(rest, 1000, &n) == OK;
}

/* Without a branch for each byte: there may be megabytes. */
static bool is_base64(struct span s)
{
	size_t padding = 0;
	unsigned wrong = 0;

	while (padding < 2 && s.len > 0 && s.at[s.len - 1] == '=') {
		s.len--;
		padding++;
	}
	for (size_t i = 0; i < s.len; i++) {
		unsigned c = (uint8_t)s.at[i], letter = (c | 0x20) - 'a' < 26, digit = c - '0' < 10;

		wrong |= (letter | digit | (c == '+') | (c == '/')) ^ 1;
	}
	return wrong == 0 && (s.len + padding) % 4 == 0;
}

static bool is_hash(struct span s)
{
	struct span rest = s, name = span_cut(&rest, ':');

	if (!word_in(name, "md5 sha1 sha256 sha512") || rest.at == NULL || rest.len == 0)
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if (strchr("0123456789abcdefABCDEF", rest.at[i]) == NULL || rest.at[i] == '\0')
			return false;
	return true;
}

static enum err evidence_check(yyjson_val *evidence, const char **field)
{
	size_t index, count;
	yyjson_val *item;
	enum err e;

	yyjson_arr_foreach(evidence, index, count, item)
	{
		struct span payload = member_text(item, "payload");

		*field = "evidence";
		if (!yyjson_is_obj(item))
			return ERR_FIELD;
		if ((e = members_check(item, RULES(evidence_item), field)) != OK)
			return e;
		*field = "evidence.payload";
		if (payload.len / 4 * 3 > EVIDENCE_MAX + 2)
			return ERR_TOO_LONG;
		if (!is_base64(payload))
			return ERR_ENCODING;
		*field = "evidence.hash";
		if (member_text(item, "hash").len > 0 && !is_hash(member_text(item, "hash")))
			return ERR_FIELD;
	}
	return OK;
}

/* An organisation, its mailbox and its domain, and nothing else. */
static enum err party_check(yyjson_val *party, const struct rule *rules, size_t count, const char *name,
			    const char **field)
{
	enum err e = members_check(party, rules, count, field);

	if (e == OK && yyjson_obj_size(party) != count) {
		*field = name;
		e = ERR_FIELD;
	}
	return e;
}

static enum err tags_check(yyjson_val *tags, const char **field)
{
	size_t index, count;
	yyjson_val *tag;

	*field = "tags";
	yyjson_arr_foreach(tags, index, count, tag)
	{
		struct span rest = value_string(tag), name = span_cut(&rest, ':');

		if (name.len == 0 || rest.at == NULL || rest.len == 0)
			return ERR_FIELD;
	}
	return OK;
}

static const struct type *type_find(yyjson_val *root)
{
	struct span category = member_text(root, "category"), name = member_text(root, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(category, types[i].category) && span_is(name, types[i].name))
			return &types[i];
	return NULL;
}

/* Behind NAT a port tells who it was: some types need it, where the source is an address. */
static enum err category_check(yyjson_val *root, const struct type *t, const char **field)
{
	bool mail = strcmp(t->category, "messaging") == 0 && span_is(member_text(root, "protocol"), "smtp");
	struct address a;
	enum err e = OK;

	if (strcmp(t->category, "connection") == 0)
		e = members_check(root, RULES(connection), field);
	if (e != OK)
		return e;
	*field = "smtp_from";
	if (mail && member_text(root, "smtp_from").len == 0)
		return ERR_FIELD_MISSING;
	*field = "source_port";
	if (xarf_port(root, "source_port") == 0 &&
	    (mail || (t->class == CLASS_BRUTE_FORCE || strcmp(t->name, "port_scan") == 0 || t->class == CLASS_DDOS)) &&
	    address_parse(member_text(root, "source_identifier"), &a) == OK)
		return ERR_FIELD_MISSING;
	return OK;
}

static enum err xarf4_check(yyjson_val *root, const struct type **type, const char **field)
{
	const char *needs[4] = { NULL };
	enum err e = members_check(root, RULES(core), field);

	if (e != OK)
		return e;
	*field = "xarf_version";
	if (!version_is_4(member_text(root, "xarf_version")))
		return ERR_FIELD;
	if ((e = party_check(member_object(root, "reporter"), RULES(reporter), "reporter", field)) != OK ||
	    (e = party_check(member_object(root, "sender"), RULES(sender), "sender", field)) != OK)
		return e;
	*field = "type";
	if ((*type = type_find(root)) == NULL && speech_asked(member_text(root, "type"), NULL))
		return ERR_CLASS_CONTENT;
	if (*type == NULL)
		return ERR_FIELD;
	memcpy(needs, (*type)->needs, sizeof((*type)->needs));
	if ((e = category_check(root, *type, field)) != OK || (e = members_named(root, needs, field)) != OK)
		return e;
	e = evidence_check(yyjson_obj_get(root, "evidence"), field);
	return e == OK ? tags_check(yyjson_obj_get(root, "tags"), field) : e;
}

/* Bots that do their work in the open are no infection. */
static enum rsit_class class_of(yyjson_val *root, const struct type *t)
{
	struct span bot = member_text(root, "bot_type");

	return t->class == CLASS_INFECTED_SYSTEM && bot.len > 0 && !word_in(bot, "malicious unknown") ? CLASS_OTHER
												      : t->class;
}

static enum err xarf4_read(const struct layout *l, yyjson_val *root, struct event *e, const char **field)
{
	const struct type *type;
	enum err err = xarf4_check(root, &type, field);

	if (err != OK)
		return err;
	*field = "type";
	if ((err = xarf_class(l, class_of(root, type), e)) != OK)
		return err;
	*field = "timestamp";
	if ((err = time_parse_any(member_text(root, "timestamp"), &e->time_ms)) != OK ||
	    (err = time_check(l, e->time_ms)) != OK)
		return err;
	e->source_port = xarf_port(root, "source_port");
	if (e->source_port == 0)
		e->source_port = xarf_port(root, "service_port");
	*field = "source_identifier";
	if ((err = xarf_source(member_text(root, "source_identifier"), e)) != OK)
		return err;
	e->has_target = address_parse(member_text(root, "destination_ip"), &e->target) == OK;
	e->target_port = xarf_port(root, "destination_port");
	if (strcmp(type->category, "connection") == 0 && !span_is(member_text(root, "protocol"), "mixed"))
		e->transport = transport_parse(member_text(root, "protocol"));
	e->malware = member_text(root, "malware_family");
	if (e->malware.len == 0)
		e->malware = member_text(root, "malware_name");
	return OK;
}

/* ---- both ---- */

/* What its sender keeps to itself. */
static bool skip_internal(struct span key)
{
	return span_is(key, "_internal") || span_is(key, "InternalProcessing");
}

/* Disclosure false: whoever reported does not want to be named. */
static bool skip_reporter(struct span key)
{
	return skip_internal(key) || span_is(key, "ReporterInfo") || span_is(key, "OnBehalfOf");
}

static enum err report_read(const struct parse *p, struct span text, yyjson_val **root, struct event *e,
			    const char **field)
{
	enum err err = document_read(p, text, root, field);

	if (err != OK)
		return err;
	if (yyjson_obj_get(*root, "xarf_version") != NULL)
		err = xarf4_read(p->layout, *root, e, field);
	else
		err = xarf3_read(p->layout, *root, e, field);
	return err == OK ? source_check(&e->source) : err;
}

enum err xarf_row(const struct parse *p, const struct place *at)
{
	struct event e = { .format = FORMAT_XARF };
	struct buffer *raw = &p->scratch->raw;
	struct whole whole = { .text = at->raw };
	yyjson_val *root;
	const char *field = NULL;
	enum err why = report_read(p, at->raw, &root, &e, &field);
	bool named;

	if (why != OK)
		return parse_reject(p, at, why, field);
	named = !yyjson_is_false(yyjson_obj_get(root, "Disclosure"));
	buffer_byte(raw, '{');
	line_members(raw, REPORT_ROW_MAX - 2, root, named ? skip_internal : skip_reporter, &whole);
	buffer_byte(raw, '}');
	return raw->err != OK ? raw->err : parse_event_as(p, at, &e, buffer_view(raw));
}
