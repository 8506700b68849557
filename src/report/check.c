#include "report/check.h"

#include "report/document.h"

bool word_in(struct span word, const char *words)
{
	for (struct span rest = span_of(words); rest.at != NULL;)
		if (span_equal(span_cut(&rest, ' '), word))
			return true;
	return false;
}

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       (unsigned char)c >= 0x80;
}

bool host_is(struct span s)
{
	size_t label = 0;

	if (s.len == 0 || s.len > 253)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '.' && label > 0)
			label = 0;
		else if (!is_host_byte(s.at[i]) || ++label > 63)
			return false;
	}
	return true;
}

bool mailbox_is(struct span s)
{
	const char *at = s.len > 0 ? memrchr(s.at, '@', s.len) : NULL;

	if (at == NULL || at == s.at || s.len > 320)
		return false;
	for (const char *p = s.at; p < at; p++)
		if ((unsigned char)*p <= ' ' || *p == '@')
			return false;
	return host_is(span_from(s, (size_t)(at - s.at) + 1));
}

static bool uuid_is(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		char c = s.at[i];

		if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return s.len == 36;
}

static bool integer_is(yyjson_val *v, const struct rule *r)
{
	int64_t n = yyjson_get_sint(v);

	if (!yyjson_is_int(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX))
		return false;
	return n >= r->least && (r->most == 0 || n <= r->most);
}

static bool ports_are(yyjson_val *v, const struct rule *r)
{
	size_t index, count;
	yyjson_val *item;

	if (!yyjson_is_arr(v))
		return integer_is(v, r);
	yyjson_arr_foreach(v, index, count, item) if (!integer_is(item, r)) return false;
	return true;
}

static bool texts_are(yyjson_val *v, const struct rule *r)
{
	size_t index, count;
	yyjson_val *item;

	if (!yyjson_is_arr(v) || (r->most > 0 && yyjson_arr_size(v) > (uint64_t)r->most))
		return false;
	yyjson_arr_foreach(v, index, count, item) if (!yyjson_is_str(item)) return false;
	return true;
}

static bool fits(size_t n, const struct rule *r)
{
	return n >= (uint64_t)r->least && (r->most == 0 || n <= (uint64_t)r->most);
}

static enum err text_check(struct span s, const struct rule *r)
{
	struct address a;
	int64_t ms;

	switch (r->must) {
	case MUST_WORD:
		return word_in(s, r->of) ? OK : ERR_FIELD;
	case MUST_HOST:
		return host_is(s) ? OK : ERR_FIELD;
	case MUST_MAIL:
		return mailbox_is(s) ? OK : ERR_FIELD;
	case MUST_UUID:
		return uuid_is(s) ? OK : ERR_FIELD;
	case MUST_TIME:
		return time_parse_any(s, &ms);
	case MUST_ADDRESS:
		return address_parse(s, &a);
	default:
		return fits(s.len, r) ? OK : ERR_FIELD;
	}
}

static bool value_is(yyjson_val *v, const struct rule *r)
{
	switch (r->must) {
	case MUST_INTEGER:
		return integer_is(v, r);
	case MUST_PORTS:
		return ports_are(v, r);
	case MUST_NUMBER:
		return yyjson_is_num(v) && yyjson_get_num(v) >= (double)r->least &&
		       yyjson_get_num(v) <= (double)r->most;
	case MUST_BOOL:
		return yyjson_is_bool(v);
	case MUST_OBJECT:
		return yyjson_is_obj(v);
	case MUST_TEXTS:
		return texts_are(v, r);
	default:
		return yyjson_is_arr(v) && fits(yyjson_arr_size(v), r);
	}
}

static enum err rule_check(yyjson_val *v, const struct rule *r)
{
	if (v == NULL || yyjson_is_null(v))
		return r->required ? ERR_FIELD_MISSING : OK;
	if (r->must <= MUST_UUID)
		return yyjson_is_str(v) ? text_check(value_string(v), r) : ERR_FIELD;
	return value_is(v, r) ? OK : ERR_FIELD;
}

enum err members_check(yyjson_val *object, const struct rule *rules, size_t count, const char **field)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < count; i++) {
		*field = rules[i].name != NULL ? rules[i].name : rules[i].key;
		e = rule_check(yyjson_obj_get(object, rules[i].key), &rules[i]);
	}
	return e;
}

enum err members_named(yyjson_val *object, const char *const *keys, const char **field)
{
	for (; *keys != NULL; keys++) {
		yyjson_val *v = yyjson_obj_get(object, *keys);

		*field = *keys;
		if (v == NULL || yyjson_is_null(v))
			return ERR_FIELD_MISSING;
	}
	return OK;
}
