/* XARF 3 and its dialects: "3" by its schemas; "alpha" or no version at all, before them; "3.0" and "3.0.0" as some
 * programs write it, with Report.Source.IP and types in lower case. The schemas' rules hold for all three, as far as
 * the fields are there. */
#include "report/check.h"
#include "report/xarf.h"

enum dialect { DIALECT_SCHEMA, DIALECT_ALPHA, DIALECT_LATE };

enum base {
	BASE_ADDRESS, /* SourceIp */
	BASE_ANY,     /* SourceIp or SourceUrl */
	BASE_URL,     /* SourceUrl */
	BASE_ACCOUNT  /* Account, and neither of these */
};

/* Names without hyphens and in lower case. */
static const struct type {
	const char *name, *class_name, *sub_type;
	enum base base;
	enum rsit_class class;
	const char *needs[3];
} types[] = {
	{ "spam", "Activity", NULL, BASE_ADDRESS, CLASS_SPAM, { NULL } },
	{ "portscan", "Activity", NULL, BASE_ADDRESS, CLASS_SCANNER, { NULL } },
	{ "loginattack", "Activity", NULL, BASE_ADDRESS, CLASS_BRUTE_FORCE, { NULL } },
	{ "dos", "Activity", NULL, BASE_ADDRESS, CLASS_DOS, { NULL } },
	{ "ddos", "Activity", NULL, BASE_ADDRESS, CLASS_DDOS, { NULL } },
	{ "exploit", "Activity", NULL, BASE_ADDRESS, CLASS_IDS_ALERT, { NULL } },
	{ "malware", "Activity", "RPZ-Rewrite", BASE_ADDRESS, CLASS_INFECTED_SYSTEM, { NULL } },
	{ "malware", "Content", NULL, BASE_ANY, CLASS_MALWARE_DISTRIBUTION, { NULL } },
	{ "phishing", "Content", NULL, BASE_URL, CLASS_PHISHING, { NULL } },
	{ "botnet", "Content", NULL, BASE_ANY, CLASS_INFECTED_SYSTEM, { NULL } },
	{ "openservice", "Vulnerability", NULL, BASE_ANY, CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, { "ServiceName" } },
	{ "webcrawler", "Activity", NULL, BASE_ANY, CLASS_OTHER, { NULL } },
	{ "potentiallycompromisedaccount",
	  "Activity",
	  NULL,
	  BASE_ACCOUNT,
	  CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE,
	  { "Account" } },
	{ "copyright", "Content", NULL, BASE_ANY, CLASS_COPYRIGHT, { "InfringedMaterial" } },
	{ "trademark", "Content", NULL, BASE_ANY, CLASS_COPYRIGHT, { "TrademarkedMaterial" } },
	{ "childabuse", "Content", NULL, BASE_ANY, CLASS_VIOLENCE, { NULL } },
	{ "harassment", "Activity", NULL, BASE_ANY, CLASS_HARMFUL_SPEECH, { "Harasser", "HarassmentDescription" } },
};

static const struct rule top[] = {
	{ "ReporterInfo", NULL, MUST_OBJECT, true, 0, 0, NULL },
	{ "OnBehalfOf", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "Disclosure", NULL, MUST_BOOL, false, 0, 0, NULL },
	{ "InternalProcessing", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "Report", NULL, MUST_OBJECT, true, 0, 0, NULL },
};

static const struct rule disclosure[] = { { "Disclosure", NULL, MUST_BOOL, true, 0, 0, NULL } };

#define REPORTER_KEYS                                                                                                  \
	"ReporterType ReporterOrg ReporterOrgDomain ReporterOrgEmail ReporterOrgAddress ReporterContactEmail "         \
	"ReporterContactName ReporterContactPhone"

static const struct rule reporter[] = {
	{ "ReporterType", NULL, MUST_WORD, false, 0, 0, "Org Person" },
	{ "ReporterOrg", NULL, MUST_TEXT, false, 3, 0, NULL },
	{ "ReporterOrgDomain", NULL, MUST_HOST, false, 0, 0, NULL },
	{ "ReporterOrgEmail", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "ReporterOrgAddress", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "ReporterContactEmail", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "ReporterContactName", NULL, MUST_TEXT, false, 3, 0, NULL },
	{ "ReporterContactPhone", NULL, MUST_TEXT, false, 3, 0, NULL },
};
static const char *const reporter_needs[] = { "ReporterOrg", "ReporterOrgDomain", "ReporterOrgEmail", NULL };

static const struct rule complainant[] = {
	{ "ComplainantType", NULL, MUST_WORD, false, 0, 0, "Org Person" },
	{ "ComplainantOrg", NULL, MUST_TEXT, false, 3, 0, NULL },
	{ "ComplainantOrgDomain", NULL, MUST_HOST, false, 0, 0, NULL },
	{ "ComplainantOrgEmail", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "ComplainantContactEmail", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "ComplainantContactName", NULL, MUST_TEXT, false, 3, 0, NULL },
	{ "ComplainantContactPhone", NULL, MUST_TEXT, false, 3, 0, NULL },
};
static const char *const complainant_needs[] = { "ComplainantOrg", "ComplainantOrgDomain", "ComplainantOrgEmail",
						 NULL };

static const struct rule internal[] = {
	{ "SubscriberInformation", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "ContractInformation", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "EventTags", NULL, MUST_TEXTS, false, 0, 0, NULL },
};
static const struct rule identified[] = { { "ID", "InternalProcessing.ID", MUST_TEXT, false, 0, 0, NULL } };

static const struct rule report[] = {
	{ "ReportClass", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "ReportType", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "ReportSubType", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "ReporterCaseID", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "ReporterSeverity", NULL, MUST_WORD, false, 0, 0, "low medium high" },
	{ "ReporterNotes", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "Date", NULL, MUST_TIME, true, 0, 0, NULL },
	{ "FirstSeen", NULL, MUST_TIME, false, 0, 0, NULL },
	{ "SourceIp", NULL, MUST_ADDRESS, false, 0, 0, NULL },
	{ "SourceUrl", NULL, MUST_TEXT, false, 1, 0, NULL },
	{ "SourcePort", NULL, MUST_INTEGER, false, 0, 65535, NULL },
	{ "ASN", NULL, MUST_INTEGER, false, 1, INT64_C(4294967294), NULL },
	{ "DestinationIp", NULL, MUST_ADDRESS, false, 0, 0, NULL },
	{ "DestinationPort", NULL, MUST_PORTS, false, 0, 65535, NULL },
	{ "AttackerIp", NULL, MUST_ADDRESS, false, 0, 0, NULL },
	{ "AttackerPort", NULL, MUST_PORTS, false, 0, 65535, NULL },
	{ "TransportProtocol", NULL, MUST_WORD, false, 0, 0, "tcp udp" },
	{ "ServiceName", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "ServiceVersion", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "ByteCount", NULL, MUST_INTEGER, false, 0, INT64_MAX, NULL },
	{ "PacketCount", NULL, MUST_INTEGER, false, 0, INT64_MAX, NULL },
	{ "SmtpMailFromAddress", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "SmtpRcptToAddress", NULL, MUST_MAIL, false, 0, 0, NULL },
	{ "RpzDomain", NULL, MUST_HOST, false, 0, 0, NULL },
	{ "MalwareName", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "BotnetName", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "Ongoing", NULL, MUST_BOOL, false, 0, 0, NULL },
	{ "Samples", NULL, MUST_ARRAY, false, 1, 0, NULL },
	{ "FileName", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "FileSize", NULL, MUST_INTEGER, false, 0, INT64_MAX, NULL },
	{ "PasswordHash", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "Account", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "CVSS", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "CVE", NULL, MUST_TEXT, false, 13, 16, NULL },
	{ "Custom", NULL, MUST_OBJECT, false, 0, 0, NULL },
	{ "InfringedMaterial", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "MaterialType", NULL, MUST_TEXT, false, 0, 0, NULL },
	{ "CourtOrder", NULL, MUST_TEXT, false, 0, 0, NULL },
};

static const struct rule hash[] = {
	{ "HashValue", NULL, MUST_TEXT, true, 1, 0, NULL },
	{ "HashAlgorithm", NULL, MUST_WORD, true, 0, 0,
	  "sha1 sha2 sha3 sha256 sha512 md5 argon2id scrypt bcrypt pbkdf2" },
};

static const struct rule account[] = {
	{ "AccountIdentifier", NULL, MUST_TEXT, false, 1, 0, NULL },
	{ "AccountEmail", NULL, MUST_TEXT, false, 1, 0, NULL },
};

static const struct rule sample[] = {
	{ "ContentType", "Samples.ContentType", MUST_TEXT, true, 1, 0, NULL },
	{ "Payload", "Samples.Payload", MUST_TEXT, true, 0, 0, NULL },
	{ "Description", "Samples.Description", MUST_TEXT, false, 0, 0, NULL },
	{ "Base64Encoded", "Samples.Base64Encoded", MUST_BOOL, false, 0, 0, NULL },
};

static const struct rule cvss[] = {
	{ "Version", "CVSS.Version", MUST_WORD, true, 0, 0, "3.1 3.0 2" },
	{ "Vector", "CVSS.Vector", MUST_TEXT, true, 1, 200, NULL },
	{ "Score", "CVSS.Score", MUST_NUMBER, false, 0, 10, NULL },
};

#define RULES(r) (r), sizeof(r) / sizeof((r)[0])

static enum err dialect_find(yyjson_val *root, enum dialect *out)
{
	yyjson_val *v = yyjson_obj_get(root, "Version");
	struct span s = value_string(v);

	*out = DIALECT_ALPHA;
	if (v == NULL || yyjson_is_null(v) || span_is(s, "alpha"))
		return OK;
	*out = DIALECT_SCHEMA;
	if (span_is(s, "3") || (yyjson_is_uint(v) && yyjson_get_uint(v) == 3))
		return OK;
	*out = DIALECT_LATE;
	return span_is(s, "3.0") || span_is(s, "3.0.0") ? OK : ERR_FIELD;
}

/* A member that is an object, by its rules; absent is fine. */
static enum err member_check(yyjson_val *object, const char *key, const struct rule *rules, size_t count,
			     const char **field)
{
	yyjson_val *v = member_object(object, key);

	return v == NULL ? OK : members_check(v, rules, count, field);
}

static enum err parties_check(yyjson_val *root, enum dialect d, const char **field)
{
	yyjson_val *who = member_object(root, "ReporterInfo"), *whom = member_object(root, "OnBehalfOf"), *key, *v;
	size_t index, count;
	enum err e;

	yyjson_obj_foreach(who, index, count, key, v)
	{
		*field = yyjson_get_str(key);
		if (!word_in(value_string(key), REPORTER_KEYS))
			return ERR_FIELD;
	}
	if ((e = members_check(who, RULES(reporter), field)) != OK)
		return e;
	if (!span_is(member_text(who, "ReporterType"), "Person") &&
	    (e = members_named(who, reporter_needs, field)) != OK)
		return e;
	if (whom == NULL)
		return d == DIALECT_SCHEMA ? members_check(root, RULES(disclosure), field) : OK;
	if ((e = members_check(whom, RULES(complainant), field)) != OK)
		return e;
	if (!span_is(member_text(whom, "ComplainantType"), "Person") &&
	    (e = members_named(whom, complainant_needs, field)) != OK)
		return e;
	return d == DIALECT_SCHEMA ? members_check(root, RULES(disclosure), field) : OK;
}

/* Of a subscriber: ID, and in SubscriberData or ResolverData nothing but strings. */
static enum err subscriber_check(yyjson_val *v, const char *data, const char **field)
{
	yyjson_val *inner = v != NULL ? member_object(v, data) : NULL, *key, *value;
	enum err e = v != NULL ? members_check(v, RULES(identified), field) : OK;
	size_t index, count;

	if (inner == NULL || e != OK)
		return e;
	*field = data;
	yyjson_obj_foreach(inner, index, count, key, value) if (!yyjson_is_str(value)) return ERR_FIELD;
	return OK;
}

static enum err internal_check(yyjson_val *root, const char **field)
{
	yyjson_val *v = member_object(root, "InternalProcessing");
	enum err e = member_check(root, "InternalProcessing", RULES(internal), field);

	if (e == OK)
		e = subscriber_check(member_object(v, "SubscriberInformation"), "SubscriberData", field);
	return e == OK ? subscriber_check(member_object(v, "ContractInformation"), "ResolverData", field) : e;
}

/* "Login-Attack" is "login_attack" is "LoginAttack". */
static bool name_is(struct span s, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c == '-' || c == '_' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (name[n] != c || c == '\0')
			return false;
		n++;
	}
	return name[n] == '\0';
}

/* By its schemas a type has one class; elsewhere the class is whatever its author found fitting. */
static enum err type_find(yyjson_val *r, enum dialect d, const struct type **out, const char **field)
{
	struct span name = member_text(r, "ReportType"), class = member_text(r, "ReportClass");
	struct span sub = member_text(r, "ReportSubType");
	const struct type *found = NULL;

	*field = "ReportType";
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!name_is(name, types[i].name) || (types[i].sub_type != NULL && !span_is(sub, types[i].sub_type)))
			continue;
		if (found == NULL || span_is(class, types[i].class_name))
			found = &types[i];
	}
	if (found == NULL)
		return ERR_FIELD;
	*field = "ReportClass";
	*out = found;
	return d != DIALECT_SCHEMA || span_is(class, found->class_name) ? OK : ERR_FIELD;
}

/* "CVE-2021-44228" */
static bool is_cve(struct span s)
{
	struct span rest = s, word = span_cut(&rest, '-'), year = span_cut(&rest, '-');
	uint64_t n;

	return span_is(word, "CVE") && year.len == 4 && span_u64_loose(year, 9999, &n) == OK && rest.at != NULL &&
	       rest.len >= 4 && rest.len <= 7 && span_u64_loose(rest, 9999999, &n) == OK;
}

static enum err vector_check(yyjson_val *r, const char **field)
{
	yyjson_val *v = member_object(r, "CVSS");
	struct span vector = member_text(v, "Vector");
	bool second = span_is(member_text(v, "Version"), "2");
	enum err e = member_check(r, "CVSS", RULES(cvss), field);

	if (v == NULL || e != OK)
		return e;
	*field = "CVSS.Vector";
	if (second)
		return span_starts(vector, "AV:") || span_starts(vector, "(AV:") ? OK : ERR_FIELD;
	return span_starts(vector, "CVSS:3.0/AV:") || span_starts(vector, "CVSS:3.1/AV:") ? OK : ERR_FIELD;
}

/* A file named alone is a sample, too. */
static enum err samples_check(yyjson_val *r, const char **field)
{
	yyjson_val *item;
	size_t index, count;
	enum err e = OK;

	yyjson_arr_foreach(member_array(r, "Samples"), index, count, item)
	{
		*field = "Samples";
		if (!yyjson_is_obj(item))
			return ERR_FIELD;
		if (member_text(item, "FileName").len == 0 || yyjson_obj_get(item, "Payload") != NULL)
			e = members_check(item, RULES(sample), field);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err custom_check(yyjson_val *r, const char **field)
{
	yyjson_val *custom = member_object(r, "Custom"), *key, *v;
	size_t index, count;

	if (custom == NULL)
		return OK;
	*field = "Custom";
	yyjson_obj_foreach(custom, index, count, key, v) if (!yyjson_is_str(v) && !yyjson_is_int(v)) return ERR_FIELD;
	return OK;
}

static enum err account_check(yyjson_val *r, const char **field)
{
	yyjson_val *v = member_object(r, "Account");
	enum err e;

	if (v == NULL)
		return OK;
	*field = "Account";
	if (yyjson_obj_size(v) == 0)
		return ERR_FIELD;
	if ((e = members_check(v, RULES(account), field)) != OK)
		return e;
	*field = "AccountIdentifier";
	return mailbox_is(member_text(v, "AccountIdentifier")) ? ERR_FIELD : OK;
}

/* Before its schemas a hash was a string. */
static enum err hashes_check(yyjson_val *r, enum dialect d, const char **field)
{
	yyjson_val *file = yyjson_obj_get(r, "FileHash");
	enum err e = member_check(r, "PasswordHash", RULES(hash), field);

	if (e != OK || file == NULL || yyjson_is_null(file) || (d == DIALECT_ALPHA && yyjson_is_str(file)))
		return e;
	*field = "FileHash";
	return yyjson_is_obj(file) ? members_check(file, RULES(hash), field) : ERR_FIELD;
}

static enum err parts_check(yyjson_val *r, enum dialect d, const char **field)
{
	struct span cve = member_text(r, "CVE");
	enum err e = account_check(r, field);

	if (e == OK)
		e = samples_check(r, field);
	if (e == OK)
		e = hashes_check(r, d, field);
	if (e == OK)
		e = vector_check(r, field);
	if (e == OK)
		e = custom_check(r, field);
	if (e != OK || cve.len == 0)
		return e;
	*field = "CVE";
	return is_cve(cve) ? OK : ERR_FIELD;
}

/* Where the report says who it is about: SourceIp or SourceUrl, or as the late dialect has it. */
static struct span source_text(yyjson_val *r, const char *key, const char *late)
{
	struct span s = member_text(r, key);

	return s.len > 0 ? s : member_text(member_object(r, "Source"), late);
}

static enum err source_named(yyjson_val *r, const struct type *t, const char **field)
{
	bool ip = source_text(r, "SourceIp", "IP").len > 0, url = source_text(r, "SourceUrl", "URL").len > 0;

	*field = t->base == BASE_URL ? "SourceUrl" : "SourceIp";
	switch (t->base) {
	case BASE_ADDRESS:
		return ip ? OK : ERR_FIELD_MISSING;
	case BASE_ANY:
		return ip || url ? OK : ERR_FIELD_MISSING;
	case BASE_URL:
		return url ? OK : ERR_FIELD_MISSING;
	default:
		*field = ip ? "SourceIp" : "SourceUrl";
		return ip || url ? ERR_FIELD : OK;
	}
}

static enum err xarf3_check(yyjson_val *root, const struct type **type, const char **field)
{
	yyjson_val *r = member_object(root, "Report");
	const char *needs[4] = { NULL };
	enum dialect d;
	enum err e;

	*field = "Version";
	if ((e = dialect_find(root, &d)) != OK || (e = members_check(root, RULES(top), field)) != OK ||
	    (e = parties_check(root, d, field)) != OK || (e = internal_check(root, field)) != OK ||
	    (e = members_check(r, RULES(report), field)) != OK || (e = type_find(r, d, type, field)) != OK)
		return e;
	memcpy(needs, (*type)->needs, sizeof((*type)->needs));
	if ((e = members_named(r, needs, field)) != OK || (e = parts_check(r, d, field)) != OK)
		return e;
	return source_named(r, *type, field);
}

static enum err source_read(yyjson_val *r, struct event *e, const char **field)
{
	yyjson_val *source = member_object(r, "Source");
	struct span ip = source_text(r, "SourceIp", "IP"), url = source_text(r, "SourceUrl", "URL");

	e->source_port = xarf_port(r, "SourcePort");
	if (e->source_port == 0)
		e->source_port = xarf_port(source, "Port");
	*field = ip.len > 0 || url.len == 0 ? "SourceIp" : "SourceUrl";
	return xarf_source(ip.len > 0 ? ip : url, e);
}

static void other_side_read(yyjson_val *r, struct event *e)
{
	yyjson_val *more = member_object(r, "AdditionalInfo");
	struct span target = member_text(r, "DestinationIp"), protocol = member_text(r, "TransportProtocol");

	if (target.len == 0)
		target = member_text(more, "DestinationIP");
	e->has_target = address_parse(target, &e->target) == OK;
	e->target_port = xarf_port(r, "DestinationPort");
	if (e->target_port == 0)
		e->target_port = xarf_port(more, "DestinationPort");
	if (protocol.len == 0)
		protocol = member_text(r, "Protocol");
	if (protocol.len == 0)
		protocol = member_text(more, "Protocol");
	e->transport = span_equal_nocase(protocol, SPAN("smtp")) ? TRANSPORT_TCP : transport_parse(protocol);
	e->malware = member_text(r, "MalwareName");
	if (e->malware.len == 0)
		e->malware = member_text(r, "BotnetName");
	if (e->malware.len == 0)
		e->malware = member_text(more, "MalwareFamily");
}

enum err xarf3_read(const struct layout *l, yyjson_val *root, struct event *e, const char **field)
{
	yyjson_val *r = member_object(root, "Report");
	const struct type *type;
	enum err err = xarf3_check(root, &type, field);

	if (err != OK)
		return err;
	*field = "ReportType";
	if ((err = xarf_class(l, type->class, e)) != OK)
		return err;
	*field = "Date";
	if ((err = time_parse_any(member_text(r, "Date"), &e->time_ms)) != OK ||
	    (err = time_check(l, e->time_ms)) != OK)
		return err;
	other_side_read(r, e);
	return source_read(r, e, field);
}
