/* IDEA0 (JSON): one event for each address of each source. A range is cut into prefixes, at most RANGE_PREFIXES. */
#include "regime/speech.h"
#include "report/check.h"
#include "report/document.h"

#define RANGE_PREFIXES 16

/* Our own table; the longest name counts that the category is or begins with. Those that judge content are refused. */
static const struct {
	const char *name;
	enum rsit_class class;
} categories[] = {
	{ "Abusive", CLASS_UNDETERMINED },
	{ "Abusive.Spam", CLASS_SPAM },
	{ "Abusive.Harassment", CLASS_HARMFUL_SPEECH },
	{ "Abusive.Child", CLASS_VIOLENCE },
	{ "Abusive.Sexual", CLASS_VIOLENCE },
	{ "Abusive.Violence", CLASS_VIOLENCE },
	{ "Malware", CLASS_INFECTED_SYSTEM },
	{ "Recon", CLASS_SCANNER },
	{ "Recon.Sniffing", CLASS_SNIFFING },
	{ "Recon.SocialEngineering", CLASS_SOCIAL_ENGINEERING },
	{ "Attempt", CLASS_IDS_ALERT },
	{ "Attempt.Login", CLASS_BRUTE_FORCE },
	{ "Attempt.NewSignature", CLASS_EXPLOIT },
	{ "Intrusion", CLASS_SYSTEM_COMPROMISE },
	{ "Intrusion.AdminCompromise", CLASS_PRIVILEGED_ACCOUNT_COMPROMISE },
	{ "Intrusion.UserCompromise", CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE },
	{ "Intrusion.AppCompromise", CLASS_APPLICATION_COMPROMISE },
	{ "Intrusion.Botnet", CLASS_INFECTED_SYSTEM },
	{ "Availability", CLASS_DOS },
	{ "Availability.DDoS", CLASS_DDOS },
	{ "Availability.Sabotage", CLASS_SABOTAGE },
	{ "Availability.Outage", CLASS_OUTAGE },
	{ "Information", CLASS_UNDETERMINED },
	{ "Information.UnauthorizedAccess", CLASS_UNAUTHORISED_INFORMATION_ACCESS },
	{ "Information.UnauthorizedModification", CLASS_UNAUTHORISED_INFORMATION_MODIFICATION },
	{ "Fraud", CLASS_OTHER },
	{ "Fraud.UnauthorizedUsage", CLASS_UNAUTHORISED_USE_OF_RESOURCES },
	{ "Fraud.Copyright", CLASS_COPYRIGHT },
	{ "Fraud.Masquerade", CLASS_MASQUERADE },
	{ "Fraud.Phishing", CLASS_PHISHING },
	{ "Vulnerable", CLASS_VULNERABLE_SYSTEM },
	{ "Vulnerable.Open", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE },
	{ "Anomaly", CLASS_UNDETERMINED },
	{ "Other", CLASS_OTHER },
	{ "Test", CLASS_TEST },
};

static const struct rule rules[] = {
	{ "Format", NULL, MUST_WORD, true, 0, 0, "IDEA0" },  { "ID", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "DetectTime", NULL, MUST_TIME, true, 0, 0, NULL }, { "EventTime", NULL, MUST_TIME, false, 0, 0, NULL },
	{ "Category", NULL, MUST_TEXTS, true, 0, 0, NULL },  { "Source", NULL, MUST_ARRAY, false, 0, 0, NULL },
	{ "Target", NULL, MUST_ARRAY, false, 0, 0, NULL },
};

static const struct rule source_rules[] = {
	{ "IP4", "Source.IP4", MUST_TEXTS, false, 0, 0, NULL },
	{ "IP6", "Source.IP6", MUST_TEXTS, false, 0, 0, NULL },
	{ "Type", "Source.Type", MUST_TEXTS, false, 0, 0, NULL },
	{ "Port", "Source.Port", MUST_ARRAY, false, 0, 0, NULL },
	{ "Proto", "Source.Proto", MUST_TEXTS, false, 0, 0, NULL },
};

/* A document in hand. */
struct idea {
	const struct parse *p;
	const struct place *at;
	yyjson_val *root;
	struct event e; /* what all events share */
	size_t share;	/* of each of the two parts that rows have in common */
	struct buffer shared, of_source;
	struct whole whole;
};

static size_t category_length(struct span category, const char *name)
{
	size_t n = strlen(name);

	return span_starts(category, name) && (category.len == n || category.at[n] == '.') ? n : 0;
}

static enum rsit_class category_class(struct span category)
{
	enum rsit_class found = CLASS_NONE;
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
		size_t n = category_length(category, categories[i].name);

		if (n > longest) {
			longest = n;
			found = categories[i].class;
		}
	}
	return found;
}

/* The first category that says something; none may judge content or be a test. */
static enum err class_find(const struct layout *l, yyjson_val *list, enum rsit_class *out)
{
	enum rsit_class best = CLASS_NONE;
	size_t index, count;
	yyjson_val *v;

	if (yyjson_arr_size(list) == 0)
		return ERR_FIELD_MISSING;
	yyjson_arr_foreach(list, index, count, v)
	{
		enum rsit_class c = category_class(value_string(v));

		if (class_is_content(c) || (c == CLASS_NONE && speech_asked(value_string(v), NULL)))
			return ERR_CLASS_CONTENT;
		if (c == CLASS_TEST)
			return ERR_TEST;
		if (best == CLASS_NONE || best == CLASS_UNDETERMINED)
			best = c != CLASS_NONE ? c : best;
	}
	*out = l->class_given ? l->class : best == CLASS_NONE ? CLASS_UNDETERMINED : best;
	return OK;
}

static bool array_has(yyjson_val *list, const char *word)
{
	size_t index, count;
	yyjson_val *v;

	yyjson_arr_foreach(list, index, count, v) if (span_is(value_string(v), word)) return true;
	return false;
}

/* What the host is that the address belongs to can say more than the category. */
static enum rsit_class class_of_source(const struct idea *d, yyjson_val *source)
{
	yyjson_val *types = member_array(source, "Type");

	if (d->p->layout->class_given || types == NULL)
		return d->e.class;
	if (array_has(types, "CC"))
		return CLASS_C2_SERVER;
	if (d->e.class == CLASS_INFECTED_SYSTEM && array_has(types, "Malware"))
		return CLASS_MALWARE_DISTRIBUTION;
	return d->e.class;
}

/* The first port: a number, or a text that begins with one ("6000-6010"). */
static uint16_t first_port(yyjson_val *object)
{
	yyjson_val *list = object != NULL ? member_array(object, "Port") : NULL, *v = yyjson_arr_get_first(list);
	struct span text = value_string(v);
	uint16_t port = 0;

	if (yyjson_is_uint(v) && yyjson_get_uint(v) <= UINT16_MAX)
		return (uint16_t)yyjson_get_uint(v);
	return text.len > 0 && port_parse(span_cut(&text, '-'), &port) == OK ? port : 0;
}

static uint8_t first_transport(yyjson_val *object)
{
	yyjson_val *list = object != NULL ? member_array(object, "Proto") : NULL, *v;
	size_t index, count;

	yyjson_arr_foreach(list, index, count, v)
	{
		uint8_t t = transport_parse(value_string(v));

		if (t != TRANSPORT_UNKNOWN && t != TRANSPORT_OTHER)
			return t;
	}
	return TRANSPORT_UNKNOWN;
}

static bool is_set(yyjson_val *object, const char *key)
{
	return yyjson_is_true(yyjson_obj_get(object, key));
}

/* One that stands for itself, not for a network, nor for whoever it was before it was made anonymous. */
static bool target_read(yyjson_val *target, struct address *out)
{
	static const char *const keys[] = { "IP4", "IP6" };

	if (is_set(target, "Anonymised") || is_set(target, "Spoofed") || is_set(target, "Imprecise"))
		return false;
	for (int i = 0; i < 2; i++) {
		yyjson_val *list = member_array(target, keys[i]);

		if (list != NULL && address_parse(value_string(yyjson_arr_get_first(list)), out) == OK)
			return true;
	}
	return false;
}

static void targets_read(yyjson_val *list, struct event *e)
{
	size_t index, count;
	yyjson_val *target;

	yyjson_arr_foreach(list, index, count, target)
	{
		if (!yyjson_is_obj(target))
			continue;
		if (e->target_port == 0)
			e->target_port = first_port(target);
		if (e->transport == TRANSPORT_UNKNOWN)
			e->transport = first_transport(target);
		if (!e->has_target)
			e->has_target = target_read(target, &e->target);
	}
}

/* Keys that begin with an underscore are local to whoever wrote them. */
static bool skip_shared(struct span key)
{
	return span_is(key, "Source") || span_starts(key, "_");
}

static bool skip_addresses(struct span key)
{
	return span_is(key, "IP4") || span_is(key, "IP6") || span_starts(key, "_");
}

static enum err event_give(struct idea *d, const struct event *of_source, struct prefix p, const char *key)
{
	struct buffer *raw = &d->p->scratch->raw;
	struct event e = *of_source;
	char text[PREFIX_TEXT];
	size_t n;

	if (source_check(&p.address) != OK)
		return parse_reject(d->p, d->at, ERR_ADDRESS_SPECIAL, key);
	source_set(&e, p);
	n = e.source_length > 0 ? prefix_format(p, text) : address_format(e.source, text);
	buffer_clear(raw);
	buffer_byte(raw, '{');
	buffer_span(raw, buffer_view(&d->shared));
	buffer_text(raw, d->shared.len > 0 ? ",\"Source\":[{" : "\"Source\":[{");
	buffer_span(raw, buffer_view(&d->of_source));
	buffer_text(raw, d->of_source.len > 0 ? ",\"" : "\"");
	buffer_text(raw, strchr(key, '.') + 1);
	buffer_text(raw, "\":[\"");
	buffer_bytes(raw, text, n);
	buffer_text(raw, "\"]}]}");
	return raw->err != OK ? raw->err : parse_event_as(d->p, d->at, &e, buffer_view(raw));
}

/* The largest block that begins at first and does not go beyond last. */
static struct prefix block_of(struct address first, struct address last)
{
	struct prefix p = prefix_of(first, first.family == FAMILY_IPV4 ? 32 : 128);

	while (p.length > 0) {
		struct prefix larger = prefix_of(first, p.length - 1u);

		if (!address_equal(larger.address, first) || address_compare(prefix_last(larger), last) > 0)
			break;
		p = larger;
	}
	return p;
}

/* *count 0: more than fit. */
static void range_cut(struct address first, struct address last, struct prefix out[RANGE_PREFIXES], size_t *count)
{
	size_t n = 0;
	bool more = true;

	*count = 0;
	while (more && address_compare(first, last) <= 0) {
		if (n == RANGE_PREFIXES)
			return;
		out[n] = block_of(first, last);
		first = prefix_last(out[n++]);
		more = address_next(&first);
	}
	*count = n;
}

/* "a", "a/24" or "a-b". */
static enum err range_read(struct span text, struct prefix out[RANGE_PREFIXES], size_t *count)
{
	const char *dash = text.len > 0 ? memchr(text.at, '-', text.len) : NULL;
	struct address first, last;

	*count = 1;
	if (dash == NULL && text.len > 0 && memchr(text.at, '/', text.len) != NULL)
		return prefix_parse(text, &out[0]);
	if (dash == NULL) {
		if (address_parse(text, &first) != OK)
			return ERR_ADDRESS;
		out[0] = prefix_of(first, first.family == FAMILY_IPV4 ? 32 : 128);
		return OK;
	}
	if (address_parse(span_make(text.at, (size_t)(dash - text.at)), &first) != OK ||
	    address_parse(span_from(text, (size_t)(dash - text.at) + 1), &last) != OK)
		return ERR_ADDRESS;
	if (first.family != last.family || address_compare(first, last) > 0)
		return ERR_PREFIX;
	range_cut(first, last, out, count);
	return *count > 0 ? OK : ERR_PREFIX;
}

static enum err addresses_read(struct idea *d, yyjson_val *list, const struct event *of_source, const char *key)
{
	struct prefix prefixes[RANGE_PREFIXES];
	size_t index, count, n;
	enum err e = OK, why;
	yyjson_val *v;

	yyjson_arr_foreach(list, index, count, v)
	{
		why = range_read(value_string(v), prefixes, &n);
		if (why != OK)
			e = parse_reject(d->p, d->at, why, key);
		for (size_t i = 0; e == OK && why == OK && i < n; i++)
			e = event_give(d, of_source, prefixes[i], key);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err source_read(struct idea *d, yyjson_val *source)
{
	yyjson_val *list4, *list6;
	struct event e = d->e;
	const char *field;
	enum err why;

	if (!yyjson_is_obj(source))
		return parse_reject(d->p, d->at, ERR_FIELD, "Source");
	if ((why = members_check(source, source_rules, sizeof(source_rules) / sizeof(source_rules[0]), &field)) != OK)
		return parse_reject(d->p, d->at, why, field);
	if (is_set(source, "Spoofed"))
		return parse_reject(d->p, d->at, ERR_SPOOFED, "Source");
	list4 = member_array(source, "IP4");
	list6 = member_array(source, "IP6");
	if (is_set(source, "Anonymised") || yyjson_arr_size(list4) + yyjson_arr_size(list6) == 0)
		return parse_reject(d->p, d->at, ERR_NO_ADDRESS, "Source");
	e.class = class_of_source(d, source);
	e.source_port = first_port(source);
	if (first_transport(source) != TRANSPORT_UNKNOWN)
		e.transport = first_transport(source);
	buffer_clear(&d->of_source);
	line_members(&d->of_source, d->share, source, skip_addresses, &d->whole);
	if ((why = d->of_source.err) == OK)
		why = addresses_read(d, list4, &e, "Source.IP4");
	return why == OK ? addresses_read(d, list6, &e, "Source.IP6") : why;
}

static enum err document_check(struct idea *d, const char **field)
{
	struct span event_time;
	enum err e = document_read(d->p, d->at->raw, &d->root, field);

	if (e == OK)
		e = members_check(d->root, rules, sizeof(rules) / sizeof(rules[0]), field);
	if (e != OK)
		return e;
	*field = "Category";
	if ((e = class_find(d->p->layout, member_array(d->root, "Category"), &d->e.class)) != OK)
		return e;
	event_time = member_text(d->root, "EventTime");
	*field = event_time.len > 0 ? "EventTime" : "DetectTime";
	if ((e = time_parse_any(event_time.len > 0 ? event_time : member_text(d->root, "DetectTime"), &d->e.time_ms)) !=
	    OK)
		return e;
	return time_check(d->p->layout, d->e.time_ms);
}

static size_t address_count(yyjson_val *sources)
{
	size_t index, count, n = 0;
	yyjson_val *v;

	yyjson_arr_foreach(sources, index, count, v)
	{
		if (yyjson_is_obj(v))
			n += 1 + yyjson_arr_size(member_array(v, "IP4")) + yyjson_arr_size(member_array(v, "IP6"));
	}
	return n;
}

enum err idea_row(const struct parse *p, const struct place *at)
{
	struct idea d = { .p = p,
			  .at = at,
			  .e = { .format = FORMAT_IDEA },
			  .whole = { .text = at->raw },
			  .shared = BUFFER(REPORT_ROW_MAX),
			  .of_source = BUFFER(REPORT_ROW_MAX) };
	const char *field = NULL;
	yyjson_val *sources, *source;
	enum err e = document_check(&d, &field);
	size_t index, count;

	if (e != OK)
		return parse_reject(p, at, e, field);
	sources = member_array(d.root, "Source");
	if (yyjson_arr_size(sources) == 0)
		return parse_reject(p, at, ERR_NO_ADDRESS, "Source");
	if (member_array(d.root, "Target") != NULL)
		targets_read(member_array(d.root, "Target"), &d.e);
	d.share = document_share(at->raw.len, address_count(sources));
	line_members(&d.shared, d.share, d.root, skip_shared, &d.whole);
	e = d.shared.err;
	yyjson_arr_foreach(sources, index, count, source) if (e == OK) e = source_read(&d, source);
	buffer_free(&d.shared);
	buffer_free(&d.of_source);
	return e;
}
