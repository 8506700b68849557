/* Walks an object beside the tables of validate_types.c. Nesting is bounded by the shapes: what they do not know is not
 * entered, but by judge_case, which stops at DEPTH_MAX. A finding names the path of what it is about. */
#include "stix/validate_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"

#define DEPTH_MAX 64
#define SHOWN_MAX 80 /* bytes of a value that a finding repeats */

static const struct stix_rule rules[] = {
#define X(value, name, section, must) [value] = { name, section, must },
	STIX_RULES(X)
#undef X
};

/* ---- findings ---- */

static void path_print(struct buffer *out, const struct place *p)
{
	const struct place *chain[DEPTH_MAX + 16];
	size_t n = 0;

	for (; p != NULL && n < sizeof(chain) / sizeof(chain[0]); p = p->up)
		chain[n++] = p;
	while (n-- > 0) {
		if (chain[n]->name.at == NULL) {
			buffer_print(out, "[%zu]", chain[n]->index);
			continue;
		}
		if (out->len > 0)
			buffer_byte(out, '.');
		buffer_span(out,
			    chain[n]->name.len > SHOWN_MAX ? span_make(chain[n]->name.at, SHOWN_MAX) : chain[n]->name);
	}
}

/* Refusals stand first; when there is no room a refusal drives out the last warning. */
static struct stix_finding *finding_new(struct stix_verdict *v, bool must)
{
	size_t at = must ? v->refusals : v->count;

	if (at >= STIX_FINDINGS_MAX)
		return NULL;
	if (v->count == STIX_FINDINGS_MAX)
		v->count--;
	memmove(&v->findings[at + 1], &v->findings[at], (v->count - at) * sizeof(v->findings[0]));
	v->count++;
	v->refusals += must;
	return &v->findings[at];
}

static void find(struct judge *j, enum rule r, const char *format, va_list list)
{
	struct stix_finding *f = finding_new(j->out, rules[r].must);
	struct buffer text = BUFFER(4096);
	char what[512];
	char *copy;

	if (f == NULL)
		return;
	vsnprintf(what, sizeof(what), format, list);
	path_print(&text, j->place);
	if (text.len > 0)
		buffer_text(&text, ": ");
	buffer_text(&text, what);
	copy = text.err == OK ? arena_copy(j->arena, text.at, text.len) : NULL;
	if (copy == NULL)
		j->err = ERR_NO_MEMORY;
	*f = (struct stix_finding){ &rules[r], copy != NULL ? copy : "" };
	buffer_free(&text);
}

void judge_find(struct judge *j, enum rule r, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	find(j, r, format, list);
	va_end(list);
}

void judge_find_at(struct judge *j, enum rule r, const char *name, const char *format, ...)
{
	struct place here = { j->place, span_of(name), 0 };
	va_list list;

	j->place = &here;
	va_start(list, format);
	find(j, r, format, list);
	va_end(list);
	j->place = here.up;
}

/* As much of it as a finding shows, whole characters. */
struct span judge_shown(struct span s)
{
	if (s.len <= SHOWN_MAX)
		return s;
	s.len = SHOWN_MAX;
	while (s.len > 0 && (s.at[s.len] & 0xC0) == 0x80)
		s.len--;
	return s;
}

/* ---- values whose type we do not know ---- */

static bool ends_in(struct span name, const char *tail)
{
	return name.len > strlen(tail) && span_ends(name, tail);
}

/* Inside of such a value nothing is judged: its author's types are not known here. */
void judge_anything(struct judge *j, yyjson_val *v)
{
	if (yyjson_is_null(v))
		judge_find(j, RULE_NULL, "null is no value of STIX");
	else if (yyjson_is_arr(v) && yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_LIST, "an empty list; leave the property out instead");
}

/* A property that the standard does not know (11.1). */
static void judge_custom(struct judge *j, struct span name, yyjson_val *v)
{
	if (!value_is_property_name(name))
		judge_find(j, RULE_PROPERTY_NAME,
			   "a property is named with 3 to 250 of a-z, 0-9 and _, beginning with a letter");
	if (ends_in(name, "_hex") && !(yyjson_is_str(v) && value_is_hex(text_of(v), 0)))
		judge_find(j, RULE_HEX, "what ends in _hex is pairs of hexadecimal digits");
	else if (ends_in(name, "_bin") && !(yyjson_is_str(v) && value_is_base64(text_of(v))))
		judge_find(j, RULE_BINARY, "what ends in _bin is base64");
	else
		judge_anything(j, v);
}

static void warn_custom(struct judge *j, struct span name, bool extended)
{
	if (extended)
		return;
	judge_find(j, WARN_EXTENSION_USE, "a property of your own should come with an extension");
	if (!span_starts(name, "x_"))
		judge_find(j, WARN_CUSTOM_PREFIX_LAX, "a property of your own should begin with x_");
	if (!span_starts(name, "x_") || memchr(name.at + 2, '_', name.len - 2) == NULL)
		judge_find(j, WARN_CUSTOM_PREFIX,
			   "a property of your own should begin with x_ and a name of its source");
}

/* ---- single values ---- */

static bool wants_text(enum kind k)
{
	switch (k) {
	case BOOL:
	case INTEGER:
	case NUMBER:
	case HASHES:
	case DICTIONARY:
	case SHAPED:
	case EXTERNAL_REFERENCE:
	case GRANULAR_MARKINGS:
	case EXTENSIONS:
	case OBSERVABLES:
	case CONTENTS:
	case BUNDLED:
	case ANYTHING:
		return false;
	default:
		return true;
	}
}

/* References of observables were keys once (2.13), and OASIS's validator takes them in any spelling. So do we, but for one
 * that begins with a wrong type. */
static struct span loose_type(struct span s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.at[i] == '-' && s.at[i + 1] == '-')
			return span_make(s.at, i);
	return SPAN("");
}

static void judge_reference(struct judge *j, const char *words, struct span s)
{
	struct span type;
	bool except = words != NULL && words[0] == '!';

	if (j->siblings != NULL) {
		bool can = judge_work(j, yyjson_get_len(j->siblings));
		yyjson_val *other = can ? yyjson_obj_getn(j->siblings, s.at, s.len) : NULL;
		yyjson_val *its = yyjson_obj_get(other, "type");

		if (other == NULL)
			judge_find(j, RULE_REFERENCE_KEY, "'%.*s' is none of the objects", SPAN_FORMAT(judge_shown(s)));
		if (!yyjson_is_str(its))
			return;
		type = text_of(its);
	} else if (value_is_id(s)) {
		type = value_id_type(s);
	} else if (j->observable) {
		type = loose_type(s);
		if (type.len == 0)
			return;
	} else {
		judge_find(j, RULE_ID, "'%.*s' is no id: a type, two dashes and a UUID", SPAN_FORMAT(judge_shown(s)));
		return;
	}
	if (words != NULL && value_is_word(words + except, type) == except)
		judge_find(j, RULE_REFERENCE_TYPE, "may not lead to '%.*s'", SPAN_FORMAT(judge_shown(type)));
}

static void judge_time(struct judge *j, enum kind k, struct span s)
{
	if (!value_is_time(s))
		judge_find(j, RULE_TIME, "'%.*s' is no time as 2026-11-23T05:00:00.000Z", SPAN_FORMAT(judge_shown(s)));
	else if (k == TIME_MILLIS && value_fraction(s) < 3)
		judge_find(j, RULE_TIME, "needs milliseconds");
	else if (k == TIME_SECONDS && s.len != 20)
		judge_find(j, RULE_TIME, "has whole seconds only");
}

static void judge_vocabulary(struct judge *j, const struct property *p, struct span s)
{
	if (value_is_word(p->words, s))
		return;
	judge_find(j, p->rule, "'%.*s' is not one of the suggested values", SPAN_FORMAT(judge_shown(s)));
	if (!value_is_lower(s))
		judge_find(j, WARN_VOCABULARY_FORMAT, "should be lower case with hyphens between words");
}

static bool is_truncated_hive(struct span s)
{
	struct span rest = s, hive = span_cut(&rest, '\\');
	static const char *const hives[] = { "HKLM", "HKCC", "HKCR", "HKCU", "HKU" };

	for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++)
		if (span_equal_nocase(hive, span_of(hives[i])))
			return true;
	return false;
}

static void judge_marking_ref(struct judge *j, struct span s)
{
	yyjson_val *id = yyjson_obj_get(j->top, "id");

	if (!value_is_id(s))
		judge_find(j, RULE_ID, "'%.*s' is no id: a type, two dashes and a UUID", SPAN_FORMAT(judge_shown(s)));
	else if (!span_is(value_id_type(s), "marking-definition"))
		judge_find(j, RULE_MARKING_REF, "must lead to a marking-definition");
	else if (yyjson_is_str(id) && span_equal(s, text_of(id)))
		judge_find(j, RULE_MARKING_SELF, "a marking does not mark itself");
}

static bool is_protocol(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!value_is_key(span_make(s.at + i, 1)) || s.at[i] == '_')
			return false;
	return s.len >= 1 && s.len <= 15;
}

static void judge_text(struct judge *j, const struct property *p, struct span s)
{
	struct span shown = judge_shown(s);

#define UNLESS(ok, rule, text)                                                                                         \
	if (!(ok))                                                                                                     \
		judge_find(j, rule, text, SPAN_FORMAT(shown));                                                         \
	break
	switch ((enum kind)p->kind) {
	case TIME:
	case TIME_MILLIS:
	case TIME_SECONDS:
		judge_time(j, p->kind, s);
		break;
	case REFERENCE:
		judge_reference(j, p->words, s);
		break;
	case MARKING_REF:
		judge_marking_ref(j, s);
		break;
	case VOCABULARY:
		judge_vocabulary(j, p, s);
		break;
	case ENUMERATION:
		UNLESS(value_is_word(p->words, s), RULE_ENUM, "'%.*s' is not one of the values that may stand there");
	case HEX:
		UNLESS(value_is_hex(s, 0), RULE_HEX, "'%.*s' is not pairs of hexadecimal digits");
	case BINARY:
		UNLESS(value_is_base64(s), RULE_BINARY, "'%.*s' is no base64");
	case URL:
		UNLESS(value_is_url(s), RULE_URL, "'%.*s' is no URL (RFC 3986)");
	case LANGUAGE:
		UNLESS(value_is_language(s), RULE_LANGUAGE, "'%.*s' is no language tag (RFC 5646)");
	case IPV4:
		UNLESS(value_is_ipv4(s), RULE_ADDRESS, "'%.*s' is no IPv4 address or network");
	case IPV6:
		UNLESS(value_is_ipv6(s), RULE_ADDRESS, "'%.*s' is no IPv6 address or network");
	case MAC:
		UNLESS(value_is_mac(s), RULE_ADDRESS, "'%.*s' is no MAC address as 00:00:5e:00:53:af");
	case DOMAIN:
		UNLESS(value_is_domain(s), RULE_ADDRESS, "'%.*s' is no domain name");
	case MAILBOX:
		UNLESS(value_is_mailbox(s), RULE_ADDRESS, "'%.*s' is no mail address");
	case MEDIA_TYPE:
		UNLESS(value_is_media_type(s), RULE_MEDIA_TYPE, "'%.*s' is no media type");
	case MEDIA_TYPE_OUGHT:
		UNLESS(value_is_media_type(s), WARN_MEDIA_TYPE, "'%.*s' is no media type");
	case CHARSET:
		UNLESS(value_is_word(word_charsets, s), RULE_CHARSET, "'%.*s' is no character set of IANA");
	case CPE:
		UNLESS(value_is_cpe(s), RULE_CPE, "'%.*s' is no CPE 2.3 name");
	case REGISTRY_KEY:
		UNLESS(!is_truncated_hive(s), RULE_REGISTRY_KEY, "'%.*s': the name of the hive is written out");
	case PROTOCOL:
		UNLESS(is_protocol(s), WARN_PROTOCOL, "'%.*s' is no name of a protocol");
	case PROPERTY_NAME:
		UNLESS(value_is_property_name(s), RULE_PROPERTY_NAME, "'%.*s' is no name of a property");
	case KILL_CHAIN_NAME:
		UNLESS(value_is_lower(s), WARN_KILL_CHAIN, "'%.*s' should be lower case with hyphens between words");
	default:
		break;
	}
#undef UNLESS
}

static bool is_whole(yyjson_val *v)
{
	double d = yyjson_get_num(v);

	return yyjson_is_int(v) ||
	       (yyjson_is_real(v) && d >= -9007199254740991.0 && d <= 9007199254740991.0 && d == (double)(int64_t)d);
}

static void judge_number(struct judge *j, const struct property *p, yyjson_val *v)
{
	double d = yyjson_get_num(v);
	bool bounded = p->low != 0 || p->high != 0;

	if (p->kind == INTEGER ? !is_whole(v) : !yyjson_is_num(v))
		judge_find(j, RULE_VALUE_TYPE, "must be a%s number", p->kind == INTEGER ? " whole" : "");
	else if (bounded && (d < (double)p->low || d > (double)p->high))
		judge_find(j, RULE_RANGE, "must be from %lld to %lld", (long long)p->low, (long long)p->high);
}

static void judge_hashes(struct judge *j, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (!yyjson_is_obj(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a dictionary of hashes");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_DICTIONARY, "an empty dictionary");
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		if (here.name.len < 3 || !value_is_key(here.name))
			judge_find(j, RULE_HASH_KEY, "an algorithm is named with 3 to 250 of a-z, A-Z, 0-9, - and _");
		else if (!yyjson_is_str(value))
			judge_find(j, RULE_VALUE_TYPE, "must be a string");
		else if (!value_is_hash(here.name, text_of(value)))
			judge_find(j, RULE_HASH, "'%.*s' is no such hash", SPAN_FORMAT(judge_shown(text_of(value))));
		if (here.name.len > 30)
			judge_find(j, WARN_HASH_LENGTH, "an algorithm's name should have at most 30 characters");
		if (!value_is_word(word_hash_algorithms, here.name) && !span_starts(here.name, "x_"))
			judge_find(j, WARN_HASH, "not one of the suggested algorithms");
	}
	j->place = here.up;
}

/* ---- extensions (3.2, 7.3) ---- */

#define EXTENSION_TYPES "new-sdo new-sco new-sro property-extension toplevel-property-extension"

static const struct shape *extension_shape(const struct judge *j, struct span name)
{
	for (size_t i = 0; j->type != NULL && i < j->type->extension_count; i++)
		if (span_is(name, j->type->extensions[i].name))
			return j->type->extensions[i].shape;
	return NULL;
}

static bool is_definition(struct span name)
{
	return value_is_id(name) && span_is(value_id_type(name), "extension-definition");
}

/* x-SOURCE-… */
static bool has_source(struct span name)
{
	return name.len > 3 && memchr(name.at + 3, '-', name.len - 3) != NULL;
}

static void judge_extension(struct judge *j, struct span name, yyjson_val *v)
{
	const struct shape *own = extension_shape(j, name);
	bool marking = j->type != NULL && span_is(span_of(j->type->shape.name), "marking-definition");
	yyjson_val *key, *value, *kind;
	struct place here = { .up = j->place };
	size_t i, n;

	if (!yyjson_is_obj(v) || yyjson_get_len(v) == 0) {
		judge_find(j, RULE_EXTENSION_NAME, "an extension is an object that says something");
		return;
	}
	if (own != NULL) {
		judge_shape(j, own, v);
		return;
	}
	if (is_definition(name)) {
		kind = yyjson_obj_get(v, "extension_type");
		if (!yyjson_is_str(kind) || !value_is_word(EXTENSION_TYPES, text_of(kind)))
			judge_find(j, RULE_EXTENSION_TYPE, "needs an extension_type: one of %s", EXTENSION_TYPES);
	} else if (marking || !span_ends(name, "-ext") || !value_is_type_name(name)) {
		judge_find(j, RULE_EXTENSION_NAME, "an extension is named by the id of its extension-definition");
	} else if (j->type != NULL && j->type->extension_count > 0 && !j->extended_own) {
		judge_find(j, WARN_EXTENSION_USE, "an extension of your own should have an extension-definition");
		if (!span_starts(name, "x-") || !has_source(span_make(name.at, name.len - strlen("-ext"))))
			judge_find(j, WARN_CUSTOM_PREFIX,
				   "an extension of your own should begin with x- and a name of its source");
		if (!span_starts(name, "x-"))
			judge_find(j, WARN_CUSTOM_PREFIX_LAX, "an extension of your own should begin with x-");
	}
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		judge_custom(j, here.name, value);
	}
	j->place = here.up;
}

static void judge_extensions(struct judge *j, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (!yyjson_is_obj(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a dictionary of extensions");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_DICTIONARY, "an empty dictionary");
	j->place = &here;
	yyjson_obj_foreach(v, i, n, key, value)
	{
		here.name = text_of(key);
		judge_extension(j, here.name, value);
	}
	j->place = here.up;
}

/* What they bring, before anything else is looked at. */
static void extensions_note(struct judge *j)
{
	yyjson_val *all = yyjson_obj_get(j->top, "extensions"), *key, *value;
	size_t i, n;

	j->extended_top = j->extended_own = j->extended_new = false;
	if (!yyjson_is_obj(all))
		return;
	yyjson_obj_foreach(all, i, n, key, value)
	{
		yyjson_val *kind = yyjson_obj_get(value, "extension_type");

		if (!yyjson_is_str(kind))
			continue;
		j->extended_top = j->extended_top || span_is(text_of(kind), "toplevel-property-extension");
		j->extended_own = j->extended_own || span_is(text_of(kind), "property-extension");
		j->extended_new = j->extended_new || value_is_word("new-sdo new-sco new-sro", text_of(kind));
	}
}

/* ---- properties ---- */

static void judge_objects_inside(struct judge *j, yyjson_val *v, bool observables)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (observables ? !yyjson_is_obj(v) : !yyjson_is_arr(v)) {
		judge_find(j, RULE_VALUE_TYPE,
			   observables ? "must be a dictionary of objects" : "must be a list of objects");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, observables ? RULE_EMPTY_DICTIONARY : RULE_EMPTY_LIST, "holds nothing");
	if (j->siblings != NULL || (!observables && j->depth > 0)) {
		judge_find(j, RULE_DEPTH, "objects do not nest");
		return;
	}
	for (i = 0, n = yyjson_get_len(v), key = observables ? unsafe_yyjson_get_first(v) : NULL,
	    value = n == 0	  ? NULL
		    : observables ? key + 1
				  : unsafe_yyjson_get_first(v);
	     i < n && j->err == OK; i++) {
		struct judge inner = {
			.arena = j->arena, .out = j->out, .place = &here, .depth = j->depth + 1, .work = j->work
		};

		here.name = observables ? text_of(key) : (struct span){ NULL, 0 };
		here.index = i;
		inner.siblings = observables ? v : NULL;
		j->place = &here;
		if (observables && (here.name.len == 0 || strspn(here.name.at, "0123456789") < here.name.len))
			judge_find(j, WARN_OBJECT_KEYS, "keys should be whole numbers");
		judge_object(&inner, value);
		j->err = inner.err;
		j->work = inner.work;
		j->place = here.up;
		key = observables ? unsafe_yyjson_get_next(value) : NULL;
		value = observables ? key + 1 : unsafe_yyjson_get_next(value);
	}
}

static void judge_value(struct judge *j, const struct property *p, yyjson_val *v)
{
	if (wants_text(p->kind)) {
		if (yyjson_is_str(v))
			judge_text(j, p, text_of(v));
		else
			judge_find(j, RULE_VALUE_TYPE, "must be a string");
		return;
	}
	switch ((enum kind)p->kind) {
	case BOOL:
		if (!yyjson_is_bool(v))
			judge_find(j, RULE_VALUE_TYPE, "must be true or false");
		break;
	case INTEGER:
	case NUMBER:
		judge_number(j, p, v);
		break;
	case HASHES:
		judge_hashes(j, v);
		break;
	case DICTIONARY:
		check_dictionary(j, p, v);
		break;
	case SHAPED:
		judge_shape(j, p->shape, v);
		break;
	case EXTERNAL_REFERENCE:
		judge_shape(j, &shape_external_reference, v);
		check_external_reference(j, v);
		break;
	case GRANULAR_MARKINGS:
		check_granular_markings(j, v);
		break;
	case EXTENSIONS:
		judge_extensions(j, v);
		break;
	case OBSERVABLES:
		judge_objects_inside(j, v, true);
		break;
	case BUNDLED:
		judge_objects_inside(j, v, false);
		break;
	case CONTENTS:
		check_contents(j, v);
		break;
	default:
		judge_anything(j, v);
		break;
	}
}

static void judge_list(struct judge *j, const struct property *p, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *item;
	size_t i, n;

	if (!yyjson_is_arr(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a list");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_LIST, "an empty list; leave the property out instead");
	j->place = &here;
	yyjson_arr_foreach(v, i, n, item)
	{
		here.index = i;
		judge_value(j, p, item);
	}
	j->place = here.up;
}

static void judge_property(struct judge *j, const struct property *p, yyjson_val *v)
{
	if ((p->flags & LIST) != 0)
		judge_list(j, p, v);
	else
		judge_value(j, p, v);
}

static void judge_missing(struct judge *j, const struct shape *s, uint64_t seen)
{
	for (size_t i = 0; i < s->count; i++)
		if ((s->properties[i].flags & MUST) != 0 && (seen >> i & 1) == 0)
			judge_find(j, RULE_MISSING, "needs the property %s", s->properties[i].name);
}

void judge_shape(struct judge *j, const struct shape *s, yyjson_val *object)
{
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	uint64_t seen = 0;
	size_t i, n;

	if (!yyjson_is_obj(object)) {
		judge_find(j, RULE_VALUE_TYPE, "must be an object");
		return;
	}
	j->place = &here;
	yyjson_obj_foreach(object, i, n, key, value)
	{
		const struct property *p = shape_find(s, here.name = text_of(key));

		if (p != NULL) {
			seen |= UINT64_C(1) << (p - s->properties);
			judge_property(j, p, value);
		} else if (s->closed) {
			judge_find(j, RULE_PROPERTY_UNKNOWN, "a %s has no such property", s->name);
		} else {
			judge_custom(j, here.name, value);
			if (j->observable)
				warn_custom(j, here.name, false);
		}
	}
	j->place = here.up;
	judge_missing(j, s, seen);
	if (s->some && seen == 0)
		judge_find(j, RULE_NOTHING_SAID, "a %s needs at least one of its properties", s->name);
}

/* ---- objects ---- */

static const struct shape *common_of(const struct judge *j)
{
	if (j->type == NULL)
		return yyjson_obj_get(j->top, "created") == NULL && yyjson_obj_get(j->top, "modified") == NULL
			       ? &shape_common_observable
			       : &shape_common;
	if (j->type->family == OBSERVABLE)
		return &shape_common_observable;
	if (j->type->family == BUNDLE)
		return &shape_common_bundle;
	return span_is(span_of(j->type->shape.name), "marking-definition") ? &shape_common_marking : &shape_common;
}

static void judge_type(struct judge *j, struct span type)
{
	if (span_is(type, "action"))
		judge_find_at(j, RULE_TYPE_RESERVED, "type", "'action' is kept for later versions of STIX");
	else if (j->type == NULL && !value_is_type_name(type))
		judge_find_at(j, RULE_TYPE_NAME, "type", "a type is named with 3 to 250 of a-z, 0-9 and -");
	if (j->type != NULL || span_is(type, "action") || j->extended_new || j->old)
		return;
	judge_find_at(j, WARN_EXTENSION_USE, "type", "a type of your own should come with an extension");
	if (!span_starts(type, "x-"))
		judge_find_at(j, WARN_CUSTOM_PREFIX_LAX, "type", "a type of your own should begin with x-");
	if (!span_starts(type, "x-") || !has_source(type))
		judge_find_at(j, WARN_CUSTOM_PREFIX, "type",
			      "a type of your own should begin with x- and a name of its source");
}

static void judge_uuid(struct judge *j, struct span id)
{
	char version = value_uuid_version(id);
	const char *from = j->type != NULL ? j->type->contributing : NULL;
	bool process = j->type != NULL && j->type->check == check_process, any = from == NULL;

	while (!any && from != NULL && *from != '\0') {
		size_t n = strcspn(from, " ");

		any = yyjson_obj_getn(j->top, from, n) != NULL;
		from += n;
		from += *from == ' ';
	}
	if ((process || !any) && version != '4')
		judge_find_at(j, RULE_ID_RANDOM, "id",
			      "needs a random UUID (version 4): nothing here makes another one");
	else if (j->observable && !process && any && version != '5')
		judge_find_at(j, WARN_UUID, "id", "should have a UUID of version 5");
	else if (!j->observable && version != '4')
		judge_find_at(j, WARN_UUID, "id", "should have a random UUID (version 4)");
}

static void judge_id(struct judge *j, struct span type, struct span id)
{
	if (!value_is_id(id))
		judge_find_at(j, RULE_ID, "id", "'%.*s' is no id: a type, two dashes and a UUID",
			      SPAN_FORMAT(judge_shown(id)));
	else if (!span_equal(value_id_type(id), type))
		judge_find_at(j, RULE_ID_TYPE, "id", "must begin with the type, '%.*s'",
			      SPAN_FORMAT(judge_shown(type)));
	else
		judge_uuid(j, id);
}

static void judge_version(struct judge *j)
{
	yyjson_val *v = yyjson_obj_get(j->top, "spec_version");

	if (j->type != NULL && j->type->family == BUNDLE)
		return;
	if (yyjson_is_str(v) && !value_is_word("2.0 2.1", text_of(v)))
		judge_find_at(j, RULE_SPEC_VERSION, "spec_version", "must be 2.1");
}

static bool has_capital(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] >= 'A' && s.at[i] <= 'Z')
			return true;
	return false;
}

/* Names of dictionaries in observables: lower case, but where they are names of something else. */
static void judge_case(struct judge *j, yyjson_val *object)
{
	static const char free_names[] =
		"hashes file_header_hashes request_header additional_header_fields document_info_dict "
		"exif_tags ipfix options environment_variables key startup_info";
	struct place here = { .up = j->place };
	yyjson_val *key, *value;
	size_t i, n;

	if (j->depth >= DEPTH_MAX)
		return;
	j->place = &here;
	j->depth++;
	yyjson_obj_foreach(object, i, n, key, value)
	{
		here.name = text_of(key);
		if (has_capital(here.name))
			judge_find(j, WARN_DICTIONARY_KEYS, "should be lower case");
		if (yyjson_is_obj(value) && !value_is_word(free_names, here.name))
			judge_case(j, value);
	}
	j->depth--;
	j->place = here.up;
}

static void judge_member(struct judge *j, const struct shape *common, uint64_t seen[2], struct span name, yyjson_val *v)
{
	const struct property *p = j->type != NULL && !j->old ? shape_find(&j->type->shape, name) : NULL;

	if (p != NULL) {
		seen[0] |= UINT64_C(1) << (p - j->type->shape.properties);
		judge_property(j, p, v);
		return;
	}
	p = shape_find(common, name);
	if (p != NULL) {
		seen[1] |= UINT64_C(1) << (p - common->properties);
		judge_property(j, p, v);
		return;
	}
	if (value_is_word("severity action username phone_numbers", name)) {
		judge_find(j, RULE_PROPERTY_RESERVED, "is kept for later versions of STIX");
		return;
	}
	judge_custom(j, name, v);
	if (span_is(name, "lang") && !(yyjson_is_str(v) && value_is_language(text_of(v))))
		judge_find(j, RULE_LANGUAGE, "is no language tag (RFC 5646)");
	if (j->type != NULL && !j->old)
		warn_custom(j, name, j->extended_top);
}

static void judge_members(struct judge *j)
{
	const struct shape *common = common_of(j);
	struct place here = { .up = j->place };
	uint64_t seen[2] = { 0, 0 };
	yyjson_val *key, *value;
	size_t i, n;

	j->place = &here;
	yyjson_obj_foreach(j->top, i, n, key, value)
	{
		here.name = text_of(key);
		judge_member(j, common, seen, here.name, value);
	}
	j->place = here.up;
	judge_missing(j, common, j->old ? seen[1] | 1u << 1 : seen[1]); /* spec_version is second everywhere */
	if (j->type != NULL && !j->old)
		judge_missing(j, &j->type->shape, seen[0]);
	check_order(j, j->top);
}

/* An object of STIX 2.0: it says so, or stands in a bundle without saying anything. */
static bool is_old(const struct judge *j, yyjson_val *object)
{
	yyjson_val *v = yyjson_obj_get(object, "spec_version");

	if (j->type != NULL && j->type->family == BUNDLE)
		return false;
	return yyjson_equals_str(v, "2.0") ||
	       (v == NULL && j->siblings == NULL && j->depth > 0 && yyjson_obj_get(object, "created") != NULL);
}

void judge_object(struct judge *j, yyjson_val *object)
{
	yyjson_val *type, *id;

	j->top = object;
	if (!yyjson_is_obj(object)) {
		judge_find(j, RULE_OBJECT, "is no JSON object");
		return;
	}
	type = yyjson_obj_get(object, "type");
	id = yyjson_obj_get(object, "id");
	j->type = yyjson_is_str(type) ? type_find(text_of(type)) : NULL;
	j->observable = j->type != NULL && j->type->family == OBSERVABLE;
	j->old = j->old || is_old(j, object);
	extensions_note(j);
	if (yyjson_is_str(type))
		judge_type(j, text_of(type));
	if (yyjson_is_str(type) && yyjson_is_str(id))
		judge_id(j, text_of(type), text_of(id));
	judge_version(j);
	judge_members(j);
	if (j->observable && !j->old)
		judge_case(j, object);
	if (j->type != NULL && j->type->check != NULL && !j->old)
		j->type->check(j, object);
}

static enum err judge(struct arena *a, const struct yyjson_val *value, bool old, struct stix_verdict *out)
{
	struct judge j = { .arena = a, .out = out, .old = old };

	out->refusals = out->count = 0;
	judge_object(&j, (yyjson_val *)(uintptr_t)value);
	return j.err;
}

enum err stix_validate_value(struct arena *a, const struct yyjson_val *value, struct stix_verdict *out)
{
	return judge(a, value, false, out);
}

enum err stix_validate(struct arena *a, const struct stix_object *o, struct stix_verdict *out)
{
	return judge(a, o->value, o->spec == STIX_2_0, out);
}
