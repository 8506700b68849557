/* Rules that look at several properties of a type at once, and at the keys of its dictionaries. */
#include "stix/pattern.h"
#include "stix/validate_private.h"

#define WORK_MAX ((size_t)16 << 20)

static yyjson_val *get(yyjson_val *o, const char *name)
{
	return yyjson_obj_get(o, name);
}

static bool has(yyjson_val *o, const char *name)
{
	return get(o, name) != NULL;
}

bool judge_work(struct judge *j, size_t steps)
{
	j->work += steps;
	return j->work <= WORK_MAX;
}

/* Both valid, else others have said so. */
static void check_times(struct judge *j, yyjson_val *o, const char *early, const char *late, bool equal)
{
	yyjson_val *a = get(o, early), *b = get(o, late);
	int d;

	if (!yyjson_is_str(a) || !yyjson_is_str(b) || !value_is_time(text_of(a)) || !value_is_time(text_of(b)))
		return;
	d = value_compare_times(text_of(a), text_of(b));
	if (d > 0 || (d == 0 && !equal))
		judge_find_at(j, RULE_TIME_ORDER, late, "must be later than%s %s", equal ? " or equal to" : "", early);
}

void check_order(struct judge *j, yyjson_val *o)
{
	check_times(j, o, "created", "modified", true);
}

/* ---- domain objects, relationships ---- */

void check_seen(struct judge *j, yyjson_val *o)
{
	check_times(j, o, "first_seen", "last_seen", true);
}

void check_location(struct judge *j, yyjson_val *o)
{
	bool latitude = has(o, "latitude"), longitude = has(o, "longitude");
	yyjson_val *country = get(o, "country");

	if (!has(o, "region") && !has(o, "country") && !(latitude && longitude))
		judge_find(j, RULE_LOCATION, "needs region, country, or latitude and longitude");
	if (latitude != longitude)
		judge_find(j, RULE_LOCATION, "latitude and longitude go together");
	if (has(o, "precision") && !(latitude && longitude))
		judge_find_at(j, RULE_LOCATION, "precision", "needs latitude and longitude");
	if (yyjson_is_str(country)) {
		struct span s = text_of(country);
		char upper[2];

		for (size_t i = 0; s.len == 2 && i < 2; i++)
			upper[i] = s.at[i] >= 'a' && s.at[i] <= 'z' ? (char)(s.at[i] - 32) : s.at[i];
		if (s.len != 2 || !value_is_word(word_countries, span_make(upper, 2)))
			judge_find_at(j, WARN_COUNTRY, "country", "should be a code of ISO 3166-1 with two letters");
	}
}

void check_malware(struct judge *j, yyjson_val *o)
{
	check_seen(j, o);
	if (yyjson_is_true(get(o, "is_family")) && !has(o, "name"))
		judge_find(j, RULE_MALWARE, "a family needs a name");
}

void check_malware_analysis(struct judge *j, yyjson_val *o)
{
	yyjson_val *product = get(o, "product");

	if (!has(o, "result") && !has(o, "analysis_sco_refs"))
		judge_find(j, RULE_MALWARE_ANALYSIS, "needs result or analysis_sco_refs");
	if (!yyjson_is_str(product))
		return;
	for (size_t i = 0; i < yyjson_get_len(product); i++) {
		char c = yyjson_get_str(product)[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
			judge_find_at(j, WARN_PRODUCT, "product", "should be lower case with hyphens between words");
			return;
		}
	}
}

void check_observed_data(struct judge *j, yyjson_val *o)
{
	yyjson_val *refs = get(o, "object_refs"), *ref;
	bool observable = false;
	size_t i, n;

	check_times(j, o, "first_observed", "last_observed", true);
	if (has(o, "objects") == has(o, "object_refs"))
		judge_find(j, RULE_OBSERVED_DATA, "needs either object_refs or objects");
	if (has(o, "objects"))
		judge_find_at(j, WARN_DEPRECATED, "objects", "should be object_refs now");
	if (!yyjson_is_arr(refs) || yyjson_get_len(refs) == 0)
		return;
	yyjson_arr_foreach(refs, i, n, ref)
	{
		observable = observable || !value_is_word("relationship sighting", value_id_type(text_of(ref)));
	}
	if (!observable)
		judge_find_at(j, RULE_OBSERVED_DATA, "object_refs", "needs at least one observable");
}

void check_relationship(struct judge *j, yyjson_val *o)
{
	yyjson_val *name = get(o, "relationship_type"), *source = get(o, "source_ref"), *target = get(o, "target_ref");

	check_times(j, o, "start_time", "stop_time", false);
	if (!yyjson_is_str(name))
		return;
	for (size_t i = 0; i < yyjson_get_len(name) || i == 0; i++) {
		char c = yyjson_get_str(name)[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
			judge_find_at(j, RULE_RELATIONSHIP_TYPE, "relationship_type", "is written in a-z, 0-9 and -");
			return;
		}
	}
	if (yyjson_is_str(source) && yyjson_is_str(target) &&
	    !relationship_suggested(value_id_type(text_of(source)), text_of(name), value_id_type(text_of(target))))
		judge_find_at(j, WARN_RELATIONSHIP, "relationship_type",
			      "is not one that STIX suggests between these types");
}

/* ---- patterns ---- */

struct pattern_judge {
	struct judge *j;
};

static bool is_pattern_property(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(s.at[i] >= 'a' && s.at[i] <= 'z') && !(s.at[i] >= '0' && s.at[i] <= '9') && s.at[i] != '_')
			return false;
	return s.len >= 3 && s.len <= 250;
}

static bool is_hash_word(struct span name, const char *word)
{
	size_t i = 0;

	for (; *word != '\0'; word++, i++) {
		while (i < name.len && name.at[i] == '-')
			i++;
		if (i >= name.len || (name.at[i] & ~0x20) != (*word & ~0x20))
			return false;
	}
	return i == name.len;
}

/* file:hashes.'SHA-256' = '…': the digits that this algorithm has. */
static void check_pattern_hash(struct judge *j, struct span algorithm, struct span value)
{
	static const struct {
		const char *name;
		size_t digits;
	} known[] = { { "MD5", 32 },	 { "RIPEMD160", 40 }, { "SHA1", 40 },	  { "SHA224", 56 },
		      { "SHA256", 64 },	 { "SHA384", 96 },    { "SHA512", 128 },  { "SHA3224", 56 },
		      { "SHA3256", 64 }, { "SHA3384", 96 },   { "SHA3512", 128 }, { "WHIRLPOOL", 128 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is_hash_word(algorithm, known[i].name) && !value_is_hex(value, known[i].digits))
			judge_find(j, RULE_PATTERN, "'%.*s' is no %.*s hash", SPAN_FORMAT(judge_shown(value)),
				   SPAN_FORMAT(judge_shown(algorithm)));
}

static void pattern_comparison(void *context, const struct pattern_comparison *c)
{
	struct judge *j = context;
	const struct stix_type *type = type_find(c->type);

	if (type == NULL || type->family != OBSERVABLE) {
		struct span s = c->type;

		if (!value_is_type_name(s) && !(s.len > 3 && s.at[0] == '-' && value_is_type_name(span_from(s, 1))))
			judge_find(j, RULE_PATTERN_NAME, "'%.*s' is no name of a type", SPAN_FORMAT(judge_shown(s)));
	} else if (shape_find(&type->shape, c->first) == NULL &&
		   shape_find(&shape_common_observable, c->first) == NULL && !is_pattern_property(c->first)) {
		judge_find(j, RULE_PATTERN_NAME, "'%.*s' is no name of a property", SPAN_FORMAT(judge_shown(c->first)));
	}
	if (type == NULL && !is_pattern_property(c->first))
		judge_find(j, RULE_PATTERN_NAME, "'%.*s' is no name of a property", SPAN_FORMAT(judge_shown(c->first)));
	if (c->hashes && c->text && c->steps > 1)
		check_pattern_hash(j, c->last, c->value);
}

void check_indicator(struct judge *j, yyjson_val *o)
{
	yyjson_val *pattern = get(o, "pattern"), *type = get(o, "pattern_type");
	struct place here = { j->place, SPAN("pattern"), 0 };
	struct pattern_fault fault = { 0 };

	check_times(j, o, "valid_from", "valid_until", false);
	if (!has(o, "name") || !has(o, "description"))
		judge_find(j, WARN_INDICATOR, "should have a name and a description");
	if (!yyjson_is_str(pattern) || !yyjson_is_str(type) || !span_is(text_of(type), "stix"))
		return;
	j->place = &here;
	switch (pattern_check(text_of(pattern), pattern_comparison, j, &fault)) {
	case OK:
		break;
	case ERR_DEPTH:
		judge_find(j, RULE_PATTERN, "parentheses are nested too deeply");
		break;
	default:
		judge_find(j, RULE_PATTERN, "at byte %zu: %s", fault.at, fault.what);
	}
	j->place = here.up;
}

/* ---- observables ---- */

void check_artifact(struct judge *j, yyjson_val *o)
{
	if (has(o, "payload_bin") == has(o, "url"))
		judge_find(j, RULE_ARTIFACT, "needs either payload_bin or url");
	if (has(o, "url") && !has(o, "hashes"))
		judge_find(j, RULE_ARTIFACT, "a url needs hashes beside it");
	if (has(o, "decryption_key") && !has(o, "encryption_algorithm"))
		judge_find_at(j, RULE_ARTIFACT, "decryption_key", "needs encryption_algorithm beside it");
}

void check_email_message(struct judge *j, yyjson_val *o)
{
	yyjson_val *multipart = get(o, "is_multipart"), *parts = get(o, "body_multipart"), *part;
	struct place name = { j->place, SPAN("body_multipart"), 0 }, here = { .up = &name };
	size_t i, n;

	if (yyjson_is_true(multipart) && has(o, "body"))
		judge_find_at(j, RULE_EMAIL, "body", "is for mails of one part");
	if (yyjson_is_false(multipart) && has(o, "body_multipart"))
		judge_find_at(j, RULE_EMAIL, "body_multipart", "is for mails of several parts");
	if (!yyjson_is_arr(parts))
		return;
	j->place = &here;
	yyjson_arr_foreach(parts, i, n, part)
	{
		here.index = i;
		if (yyjson_is_obj(part) && has(part, "body") == has(part, "body_raw_ref"))
			judge_find(j, RULE_EMAIL, "a part has either body or body_raw_ref");
	}
	j->place = name.up;
}

void check_file(struct judge *j, yyjson_val *o)
{
	if (!has(o, "hashes") && !has(o, "name"))
		judge_find(j, RULE_FILE, "needs hashes or name");
}

void check_traffic(struct judge *j, yyjson_val *o)
{
	check_times(j, o, "start", "end", true);
	if (!has(o, "src_ref") && !has(o, "dst_ref"))
		judge_find(j, RULE_TRAFFIC, "needs src_ref or dst_ref");
	if (yyjson_is_true(get(o, "is_active")) && has(o, "end"))
		judge_find_at(j, RULE_TRAFFIC, "end", "is not there while is_active");
	if (!has(o, "src_port") || !has(o, "dst_port"))
		judge_find(j, WARN_PORTS, "should have src_port and dst_port");
}

void check_something(struct judge *j, yyjson_val *o)
{
	const struct shape *s = &j->type->shape;

	for (size_t i = 0; i < s->count; i++)
		if (has(o, s->properties[i].name))
			return;
	if (!has(o, "extensions"))
		judge_find(j, RULE_NOTHING_SAID, "a %s needs at least one of its properties", s->name);
}

void check_process(struct judge *j, yyjson_val *o)
{
	yyjson_val *windows = get(get(o, "extensions"), "windows-process-ext"), *priority = get(windows, "priority");

	check_something(j, o);
	if (yyjson_is_str(priority) && !(yyjson_get_len(priority) > 6 && span_ends(text_of(priority), "_CLASS")))
		judge_find_at(j, WARN_PRIORITY, "extensions.windows-process-ext.priority", "should end in _CLASS");
}

/* ---- meta objects ---- */

void check_extension_definition(struct judge *j, yyjson_val *o)
{
	yyjson_val *types = get(o, "extension_types"), *type;
	bool top = false;
	size_t i, n;

	if (yyjson_is_arr(types))
		yyjson_arr_foreach(types, i, n, type) top =
			top || yyjson_equals_str(type, "toplevel-property-extension");
	if (has(o, "extension_properties") && !top)
		judge_find_at(j, RULE_EXTENSION_DEFINITION, "extension_properties",
			      "is for a toplevel-property-extension");
	if (!has(o, "created_by_ref"))
		judge_find(j, RULE_MISSING, "needs the property created_by_ref");
	if (!has(o, "description"))
		judge_find(j, WARN_EXTENSION_DESCRIPTION, "should have a description");
	if (top && !has(o, "extension_properties"))
		judge_find(j, WARN_EXTENSION_PROPERTIES, "should name its extension_properties");
}

/* The four of TLP 1 are as they are in 7.2.1.4; there are no others. */
static void check_tlp(struct judge *j, yyjson_val *o, yyjson_val *definition)
{
	static const struct {
		const char *id, *name, *tlp;
	} known[] = {
		{ "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "TLP:WHITE", "white" },
		{ "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN", "green" },
		{ "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER", "amber" },
		{ "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED", "red" },
	};
	static const char members[] = "type id spec_version name created definition definition_type";
	bool right = false;
	yyjson_val *key, *value;
	size_t i, n;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		right = right || (yyjson_equals_str(get(o, "id"), known[i].id) &&
				  yyjson_equals_str(get(o, "name"), known[i].name) &&
				  yyjson_equals_str(get(definition, "tlp"), known[i].tlp));
	right = right && yyjson_equals_str(get(o, "created"), "2017-01-20T00:00:00.000Z") &&
		yyjson_equals_str(get(o, "spec_version"), "2.1");
	yyjson_obj_foreach(o, i, n, key, value)
	{
		right = right && value_is_word(members, text_of(key));
	}
	if (!right)
		judge_find(j, RULE_MARKING_TLP, "a TLP marking is one of the four of the standard, to the letter");
}

void check_marking_definition(struct judge *j, yyjson_val *o)
{
	yyjson_val *type = get(o, "definition_type"), *definition = get(o, "definition");

	if (type == NULL && definition == NULL && has(o, "extensions"))
		return;
	if (!has(o, "extensions") && (type == NULL || definition == NULL)) {
		judge_find(j, RULE_MARKING_DEFINITION, "needs definition_type and definition, or an extension");
		return;
	}
	if (definition != NULL && !yyjson_is_obj(definition))
		judge_find_at(j, RULE_MARKING_DEFINITION, "definition", "must be an object");
	if (yyjson_equals_str(type, "tlp"))
		check_tlp(j, o, definition);
	else if (yyjson_equals_str(type, "statement") && !yyjson_is_str(get(definition, "statement")))
		judge_find_at(j, RULE_MARKING_DEFINITION, "definition", "needs a statement");
	else if (!yyjson_equals_str(type, "statement") && !has(o, "extensions"))
		judge_find_at(j, WARN_EXTENSION_USE, "definition_type", "markings of your own should be extensions");
}

void check_bundle(struct judge *j, yyjson_val *o)
{
	struct place name = { j->place, SPAN("objects"), 0 }, here = { .up = &name };
	yyjson_val *objects = get(o, "objects"), *a, *b;
	size_t i, k, n, m;

	if (!yyjson_is_arr(objects))
		return;
	j->place = &here;
	yyjson_arr_foreach(objects, i, n, a)
	{
		yyjson_val *id = get(a, "id"), *modified = get(a, "modified");

		here.index = i;
		if (yyjson_equals_str(get(a, "type"), "bundle"))
			judge_find(j, RULE_BUNDLE, "a bundle holds no bundles");
		if (!yyjson_is_str(id) || !yyjson_is_str(modified))
			continue;
		yyjson_arr_foreach(objects, k, m, b)
		{
			if (k >= i || !judge_work(j, 1))
				break;
			if (yyjson_equals(get(b, "id"), id) && yyjson_equals(get(b, "modified"), modified)) {
				judge_find(j, WARN_DUPLICATE, "the same id and modified stand twice");
				break;
			}
		}
	}
	j->place = name.up;
}

/* ---- parts ---- */

/* CVE-2026-00012, at least four digits, of which the first is 0 only in numbers of four. */
static bool is_cve(struct span s)
{
	size_t digits;

	if (!span_starts(s, "CVE-") || s.len < 13 || s.at[8] != '-')
		return false;
	digits = s.len - 9;
	for (size_t i = 4; i < s.len; i++)
		if (i != 8 && (s.at[i] < '0' || s.at[i] > '9'))
			return false;
	return s.at[9] != '0' || digits == 4;
}

static bool is_capec(struct span s)
{
	for (size_t i = 6; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.len > 6 && span_starts(s, "CAPEC-");
}

void check_external_reference(struct judge *j, yyjson_val *v)
{
	yyjson_val *source = get(v, "source_name"), *id = get(v, "external_id"), *hashes = get(v, "hashes"), *key,
		   *value;
	struct span name = text_of(source), number = text_of(id);
	size_t i, n;

	if (!yyjson_is_obj(v) || !yyjson_is_str(source))
		return;
	if (span_is(name, "cve") || (yyjson_is_str(id) && is_cve(number))) {
		if (!span_is(name, "cve") || !yyjson_is_str(id) || !is_cve(number))
			judge_find(j, RULE_EXTERNAL_REFERENCE,
				   "source_name cve and an external_id as CVE-2026-0001 go together");
	} else if (span_is(name, "capec") || (yyjson_is_str(id) && is_capec(number))) {
		if (!span_is(name, "capec") || !yyjson_is_str(id) || !is_capec(number))
			judge_find(j, RULE_EXTERNAL_REFERENCE,
				   "source_name capec and an external_id as CAPEC-1 go together");
	} else if (id == NULL && !has(v, "description") && !has(v, "url")) {
		judge_find(j, RULE_EXTERNAL_REFERENCE, "needs a description, url or external_id");
	}
	if (has(v, "url") && hashes == NULL)
		judge_find(j, WARN_EXTERNAL_HASH, "a url should have hashes beside it");
	if (yyjson_is_obj(hashes))
		yyjson_obj_foreach(hashes, i, n, key, value) if (!value_is_word(word_hash_algorithms, text_of(key)))
			judge_find_at(j, RULE_HASH_KEY, "hashes", "names an algorithm that is not of STIX's list");
}

static void check_translation(struct judge *j, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (!yyjson_is_obj(v)) {
		judge_find(j, RULE_LANGUAGE_CONTENT, "must be a dictionary of translated properties");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_DICTIONARY, "translates nothing");
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		if (!is_pattern_property(here.name))
			judge_find(j, RULE_LANGUAGE_CONTENT, "is no name of a property");
		judge_anything(j, value);
	}
	j->place = here.up;
}

void check_contents(struct judge *j, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (!yyjson_is_obj(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a dictionary of languages");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_DICTIONARY, "translates nothing");
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		if (!value_is_language(here.name))
			judge_find(j, RULE_LANGUAGE, "is no language tag (RFC 5646)");
		check_translation(j, value);
	}
	j->place = here.up;
}

/* ---- dictionaries with keys or values of their own ---- */

static bool is_socket_option(struct span s)
{
	static const char *const families[] = { "SO_", "ICMP_", "ICMP6_", "IP_", "IPV6_", "MCAST_", "TCP_", "IRLMP_" };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (span_starts(s, families[i]) && s.len > strlen(families[i]))
			return true;
	return false;
}

static void check_startup(struct judge *j, struct span key, yyjson_val *v)
{
	if (value_is_word("lpDesktop lpTitle dwFillAttribute dwFlags wShowWindow hStdInput hStdOutput hStdError",
			  key)) {
		if (!yyjson_is_str(v))
			judge_find(j, RULE_VALUE_TYPE, "must be a string");
	} else if (value_is_word("cb dwX dwY dwXSize dwYSize dwXCountChars dwYCountChars", key)) {
		if (!yyjson_is_int(v))
			judge_find(j, RULE_VALUE_TYPE, "must be a whole number");
	} else if (span_is(key, "cbReserved2")) {
		if (!yyjson_is_int(v) || yyjson_get_num(v) != 0)
			judge_find(j, RULE_VALUE_TYPE, "must be 0");
	} else if (value_is_word("lpReserved lpReserved2", key)) {
		if (!yyjson_is_null(v))
			judge_find(j, RULE_VALUE_TYPE, "must be null");
	} else {
		judge_find(j, RULE_DICTIONARY_KEY, "is no member of STARTUPINFO");
	}
}

static bool is_strings(yyjson_val *v, size_t least)
{
	yyjson_val *item;
	size_t i, n;

	if (!yyjson_is_arr(v) || yyjson_get_len(v) < least)
		return false;
	yyjson_arr_foreach(v, i, n, item) if (!yyjson_is_str(item)) return false;
	return true;
}

static void check_header_field(struct judge *j, struct span key, yyjson_val *v)
{
	if (value_is_word("date received_lines content_type from_ref sender_ref to_refs cc_refs bcc_refs subject", key))
		judge_find(j, RULE_EMAIL, "has a property of its own");
	if (!yyjson_is_str(v) && !is_strings(v, 2))
		judge_find(j, RULE_VALUE_TYPE, "must be a string, or a list of several");
}

static void check_exif(struct judge *j, struct span key, yyjson_val *v)
{
	if (key.len < 2 || key.at[0] < 'A' || key.at[0] > 'Z')
		judge_find(j, RULE_DICTIONARY_KEY, "an EXIF tag begins with a capital");
	if (!yyjson_is_str(v) && !yyjson_is_int(v))
		judge_find(j, RULE_VALUE_TYPE, "must be a string or a whole number");
}

static void check_entry(struct judge *j, enum rule r, struct span key, yyjson_val *v)
{
	switch (r) {
	case RULE_EMAIL:
		check_header_field(j, key, v);
		break;
	case RULE_FILE:
		check_exif(j, key, v);
		break;
	case RULE_DICTIONARY_KEY:
		check_startup(j, key, v);
		break;
	case WARN_PDF:
		if (!yyjson_is_str(v))
			judge_find(j, RULE_VALUE_TYPE, "must be a string");
		if (!value_is_word(word_pdf_keys, key))
			judge_find(j, r, "is no key of a PDF document's information");
		break;
	case WARN_HTTP_HEADER:
		if (!is_strings(v, 1))
			judge_find(j, RULE_VALUE_TYPE, "must be a list of strings");
		if (!value_is_word(word_http_headers, key))
			judge_find(j, r, "is no known header of requests");
		break;
	case WARN_SOCKET_OPTION:
		if (!yyjson_is_int(v))
			judge_find(j, RULE_VALUE_TYPE, "must be a whole number");
		if (!is_socket_option(key))
			judge_find(j, RULE_DICTIONARY_KEY, "is no name of a socket option");
		else if (!value_is_word(word_socket_options, key))
			judge_find(j, r, "is no known socket option");
		break;
	case WARN_IPFIX:
		if (!yyjson_is_str(v) && !yyjson_is_int(v))
			judge_find(j, RULE_VALUE_TYPE, "must be a string or a whole number");
		if (key.len < 2 || key.at[0] < 'a' || key.at[0] > 'z' || key.at[1] == '_' || key.at[1] == '-')
			judge_find(j, r, "is no name of an IPFIX element");
		break;
	default:
		judge_anything(j, v);
	}
}

void check_dictionary(struct judge *j, const struct property *p, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (!yyjson_is_obj(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a dictionary");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_DICTIONARY, "an empty dictionary");
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		if (!value_is_key(here.name))
			judge_find(j, RULE_DICTIONARY_KEY, "a key has at most 250 of a-z, A-Z, 0-9, - and _");
		check_entry(j, p->rule, here.name, value);
	}
	j->place = here.up;
}
