#include "mail/rdap.h"

#include <ctype.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"

#define DAY_MS INT64_C(86400000)
#define ANSWER_MOST ((size_t)1 << 20)
#define ENTITIES_DEEP 8

struct rdap {
	struct door_limits limits;
	struct door *door;
	struct span server;
	uint64_t daily, used; /* on this day */
	int64_t day;
};

struct counting {
	int64_t day;
	uint64_t used;
};

static enum err count(void *context, const struct addressee *to, const struct contact *c)
{
	struct counting *n = context;

	(void)to;
	n->used += c->source == CONTACT_RDAP && c->since_ms / DAY_MS == n->day;
	return OK;
}

enum err rdap_open(const struct config *config, const struct state *st, struct rdap **out)
{
	struct counting n = { .day = clock_now_ms() / DAY_MS };
	struct rdap *r;
	enum err e;

	*out = NULL;
	if (config->rdap_server.len == 0)
		return OK;
	if ((e = contacts_walk(st, count, &n)) != OK)
		return e;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return fail(ERR_NO_MEMORY, "no room to ask the register");
	r->limits = config_door_limits(config);
	r->limits.most_bytes = ANSWER_MOST;
	r->server = config->rdap_server;
	while (r->server.len > 0 && r->server.at[r->server.len - 1] == '/')
		r->server.len--;
	r->daily = config->rdap_daily;
	r->used = n.used;
	r->day = n.day;
	if ((e = door_open(&r->limits, NULL, NULL, &r->door)) == OK)
		*out = r;
	else
		free(r);
	return e;
}

void rdap_close(struct rdap *r)
{
	if (r == NULL)
		return;
	door_close(r->door);
	free(r);
}

/* The widest prefix that begins where the range does and ends in it. */
static struct prefix block_of(struct range r)
{
	unsigned most = r.first.family == FAMILY_IPV4 ? 32 : 128;

	for (unsigned n = 0; n < most; n++) {
		struct prefix p = prefix_of(r.first, n);

		if (address_equal(prefix_first(p), r.first) && address_compare(prefix_last(p), r.last) <= 0)
			return p;
	}
	return prefix_of(r.first, most);
}

static bool registered_block(const struct table *t, struct prefix p, struct prefix *out)
{
	struct table_record record;
	const struct range *r;

	if (t == NULL)
		return false;
	table_record(t, table_find(t, prefix_first(p)), &record);
	r = record.country[0] != '\0' ? &record.country_range : record.asn != 0 ? &record.origin_range : NULL;
	if (r == NULL)
		return false;
	*out = block_of(*r);
	return true;
}

bool rdap_knows(const struct table *t, const struct addressee *to)
{
	struct prefix unused;

	return to->type == TO_AS || (to->type == TO_PREFIX && registered_block(t, to->prefix, &unused));
}

static enum err url_of(const struct rdap *r, const struct table *t, const struct addressee *to, struct arena *a,
		       char **out)
{
	char text[PREFIX_TEXT];
	struct prefix block;

	if (to->type == TO_AS) {
		*out = arena_print(a, "%.*s/autnum/%u", SPAN_FORMAT(r->server), to->asn);
	} else if (to->type == TO_PREFIX && registered_block(t, to->prefix, &block)) {
		prefix_format(block, text);
		*out = arena_print(a, "%.*s/ip/%s", SPAN_FORMAT(r->server), text);
	} else {
		return fail(ERR_NOT_FOUND, "the register is not asked about that");
	}
	return *out != NULL ? OK : ERR_NO_MEMORY;
}

/* ---- what it says ---- */

static bool has_role(yyjson_val *entity)
{
	yyjson_val *roles = yyjson_obj_get(entity, "roles"), *role;
	size_t i, n;

	yyjson_arr_foreach(roles, i, n, role)
	{
		if (yyjson_is_str(role) &&
		    span_equal_nocase(span_make(yyjson_get_str(role), yyjson_get_len(role)), SPAN("abuse")))
			return true;
	}
	return false;
}

/* A jCard (RFC 7095): ["vcard", [["email", {}, "text", "abuse@a.example"], …]] */
static enum err card_mail(struct arena *a, yyjson_val *entity, struct span *mail)
{
	yyjson_val *lines = yyjson_arr_get(yyjson_obj_get(entity, "vcardArray"), 1), *line;
	size_t i, n;

	yyjson_arr_foreach(lines, i, n, line)
	{
		yyjson_val *name = yyjson_arr_get(line, 0), *value = yyjson_arr_get(line, 3);
		struct span text;
		char *copy;

		if (!yyjson_is_str(name) || !yyjson_is_str(value) ||
		    !span_equal_nocase(span_make(yyjson_get_str(name), yyjson_get_len(name)), SPAN("email")))
			continue;
		text = span_trim(span_make(yyjson_get_str(value), yyjson_get_len(value)));
		if (text.len > CONTACT_MAIL_MAX)
			continue;
		if ((copy = arena_copy(a, text.at, text.len)) == NULL)
			return ERR_NO_MEMORY;
		for (char *p = memchr(copy, '@', text.len); p != NULL && p < copy + text.len; p++)
			*p = (char)tolower((unsigned char)*p);
		text.at = copy;
		if (contact_mail_check(text) == OK) {
			*mail = text;
			return OK;
		}
	}
	return OK;
}

static enum err look_into(struct arena *a, yyjson_val *object, unsigned deep, struct span *mail)
{
	yyjson_val *entities = yyjson_obj_get(object, "entities"), *entity;
	enum err e = OK;
	size_t i, n;

	if (deep == ENTITIES_DEEP)
		return OK;
	yyjson_arr_foreach(entities, i, n, entity)
	{
		if (has_role(entity))
			e = card_mail(a, entity, mail);
		if (e == OK && mail->len == 0)
			e = look_into(a, entity, deep + 1, mail);
		if (e != OK || mail->len > 0)
			return e;
	}
	return OK;
}

enum err rdap_read(struct arena *a, struct span json, struct span *mail)
{
	struct yyjson_doc *doc;
	enum err e = json_read(a, json, &doc);

	*mail = SPAN("");
	return e == OK ? look_into(a, yyjson_doc_get_root(doc), 0, mail) : e;
}

static enum err spend(struct rdap *r, int64_t now_ms)
{
	if (now_ms / DAY_MS != r->day) {
		r->day = now_ms / DAY_MS;
		r->used = 0;
	}
	if (r->used >= r->daily)
		return fail(ERR_RATE, "the register was asked %ju times today, as often as `rdap-daily` allows",
			    (uintmax_t)r->used);
	r->used++;
	return OK;
}

enum err rdap_ask(struct rdap *r, const struct table *t, const struct addressee *to, struct arena *a, int64_t now_ms,
		  struct contact *out)
{
	static const char *const headers[] = { "Accept: application/rdap+json" };
	struct door_request q = { .method = "GET", .headers = headers, .header_count = 1 };
	struct door_answer answer;
	char *url = NULL;
	enum err e = url_of(r, t, to, a, &url);

	*out = (struct contact){ .mail = SPAN(""), .source = CONTACT_RDAP, .openpgp = SPAN(""), .since_ms = now_ms };
	if (e == OK)
		e = spend(r, now_ms);
	q.url = url;
	if (e == OK)
		e = door_ask(r->door, &q, &answer);
	if (e != OK || answer.status == 404) /* it has no such thing: there is nobody to write to */
		return e;
	if (answer.status != 200)
		return fail(ERR_UNREACHABLE, "%s: status %u", url, answer.status);
	e = rdap_read(a, answer.body, &out->mail);
	return e == OK || err_is_machine(e) ? e : fail(ERR_PEER, "%s: the answer is no RDAP: %s", url, err_code(e));
}
