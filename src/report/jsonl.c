#include "report/layout.h"

#include <yyjson.h>

#include "report/csv_blocks.h"

#define DEPTH_MAX 64

enum role {
	KEY_SOURCE,
	KEY_NETWORK, /* of the source: counts where there is no address */
	KEY_SOURCE_PORT,
	KEY_TARGET,
	KEY_TARGET_PORT,
	KEY_TIME,
	KEY_PROTOCOL,
	KEY_CLASS,
	KEY_MALWARE,
	KEY_COUNT
};

#define KEY(name, role)                                                                                                \
	{                                                                                                              \
		name, sizeof(name) - 1, role                                                                           \
	}

/* IntelMQ's keys and what others write. Where an object has several for one role, the first of the table counts. */
static const struct {
	const char *name;
	uint8_t length;
	uint8_t role; /* enum role */
} keys[] = {
	KEY("source.ip", KEY_SOURCE),
	KEY("source.network", KEY_NETWORK),
	KEY("source.port", KEY_SOURCE_PORT),
	KEY("destination.ip", KEY_TARGET),
	KEY("destination.port", KEY_TARGET_PORT),
	KEY("time.source", KEY_TIME),
	KEY("protocol.transport", KEY_PROTOCOL),
	KEY("classification.type", KEY_CLASS),
	KEY("source_ip", KEY_SOURCE),
	KEY("src_ip", KEY_SOURCE),
	KEY("ip", KEY_SOURCE),
	KEY("address", KEY_SOURCE),
	KEY("source_address", KEY_SOURCE),
	KEY("src_addr", KEY_SOURCE),
	KEY("ip_address", KEY_SOURCE),
	KEY("network", KEY_NETWORK),
	KEY("cidr", KEY_NETWORK),
	KEY("prefix", KEY_NETWORK),
	KEY("source_port", KEY_SOURCE_PORT),
	KEY("src_port", KEY_SOURCE_PORT),
	KEY("port", KEY_SOURCE_PORT),
	KEY("destination_ip", KEY_TARGET),
	KEY("dest_ip", KEY_TARGET),
	KEY("dst_ip", KEY_TARGET),
	KEY("target_ip", KEY_TARGET),
	KEY("destination_address", KEY_TARGET),
	KEY("destination_port", KEY_TARGET_PORT),
	KEY("dest_port", KEY_TARGET_PORT),
	KEY("dst_port", KEY_TARGET_PORT),
	KEY("target_port", KEY_TARGET_PORT),
	KEY("time", KEY_TIME),
	KEY("timestamp", KEY_TIME),
	KEY("@timestamp", KEY_TIME),
	KEY("source_time", KEY_TIME),
	KEY("event_time", KEY_TIME),
	KEY("datetime", KEY_TIME),
	KEY("last_seen", KEY_TIME),
	KEY("time.observation", KEY_TIME),
	KEY("protocol", KEY_PROTOCOL),
	KEY("proto", KEY_PROTOCOL),
	KEY("transport", KEY_PROTOCOL),
	KEY("class", KEY_CLASS),
	KEY("classification", KEY_CLASS),
	KEY("malware.name", KEY_MALWARE),
	KEY("malware_name", KEY_MALWARE),
	KEY("malware", KEY_MALWARE),
	KEY("malware_family", KEY_MALWARE),
	KEY("infection", KEY_MALWARE),
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS < 64, "a bit for each key");

/* What IntelMQ's other keys begin with or are. */
static const char *const families[] = { "source.",	   "destination.", "time.",    "feed.",
					"classification.", "protocol.",	   "malware.", "event_description.",
					"extra.",	   "misp." };
static const char *const others[] = { "__type", "raw",	   "extra",   "comment",     "event_hash",
				      "tlp",	"status",  "rtir_id", "output",	     "screenshot_url",
				      "feed",	"malware", "source",  "destination", "event_description" };

static size_t slot_of(struct span name)
{
	const unsigned char *p = (const unsigned char *)name.at;

	return (name.len * 31 + p[0] * 7u + p[name.len / 2] * 13u + p[name.len - 1] * 17u) % KEY_SLOTS;
}

void jsonl_prepare(struct scratch *s)
{
	memset(s->keys, 0, sizeof(s->keys));
	for (size_t i = 0; i < KEYS; i++) {
		size_t slot = slot_of(span_of(keys[i].name));

		while (s->keys[slot] != 0)
			slot = (slot + 1) % KEY_SLOTS;
		s->keys[slot] = (uint8_t)(i + 1);
	}
}

/* KEYS: not one of ours. */
static size_t key_find(const struct scratch *s, struct span name)
{
	if (name.len == 0)
		return KEYS;
	for (size_t slot = slot_of(name); s->keys[slot] != 0; slot = (slot + 1) % KEY_SLOTS) {
		size_t key = s->keys[slot] - 1u;

		if (keys[key].length == name.len && memcmp(name.at, keys[key].name, name.len) == 0)
			return key;
	}
	return KEYS;
}

static bool is_deep(struct span text)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{') && ++depth > DEPTH_MAX)
			return true;
		else if (!quoted && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}

/* Brackets that open within strings count too: at most DEPTH_MAX of them cannot nest deeper. Both kinds are '{' once
 * the bit is set by which they differ. */
static bool may_be_deep(struct span text)
{
	return bytes_count(text, '[' ^ '{', '{') > DEPTH_MAX;
}

/* The object of a line, in the scratch's pool until the next; NULL: it is none. *why: ERR_JSON, ERR_DEPTH. */
static yyjson_val *object_read(struct scratch *s, struct span text, enum err *why)
{
	yyjson_alc pool;
	yyjson_doc *doc;

	*why = may_be_deep(text) && is_deep(text) ? ERR_DEPTH : ERR_JSON;
	if (text.len > REPORT_ROW_MAX || *why == ERR_DEPTH)
		return NULL;
	if (!yyjson_alc_pool_init(&pool, s->pool, sizeof(s->pool)))
		return NULL;
	/* reads only: it writes to the text if told to work in place */
	doc = yyjson_read_opts((char *)(uintptr_t)text.at, text.len, YYJSON_READ_NOFLAG, &pool, NULL);
	return doc != NULL && yyjson_is_obj(yyjson_doc_get_root(doc)) ? yyjson_doc_get_root(doc) : NULL;
}

/* What an object says in each role. */
struct found {
	yyjson_val *value[KEY_COUNT];
	size_t key[KEY_COUNT]; /* by which key: the lowest counts */
	uint64_t seen;
	const char *twice; /* a key that stands there twice; NULL: none */
};

static void found_add(struct found *f, size_t key, yyjson_val *v)
{
	unsigned role = keys[key].role;

	if ((f->seen >> key & 1) != 0)
		f->twice = keys[key].name;
	f->seen |= (uint64_t)1 << key;
	if (yyjson_is_null(v) || yyjson_is_ctn(v) || (f->value[role] != NULL && f->key[role] < key))
		return;
	f->value[role] = v;
	f->key[role] = key;
}

static struct span key_text(yyjson_val *key)
{
	return (struct span){ yyjson_get_str(key), yyjson_get_len(key) };
}

/* {"source": {"ip": …}} says what {"source.ip": …} says. */
static void nested_find(const struct scratch *s, struct span outer, yyjson_val *object, struct found *f)
{
	char name[32];
	size_t index, count;
	yyjson_val *key, *value;

	if (outer.len > 16)
		return;
	memcpy(name, outer.at, outer.len);
	name[outer.len] = '.';
	yyjson_obj_foreach(object, index, count, key, value)
	{
		struct span inner = key_text(key);
		size_t found;

		if (inner.len == 0 || outer.len + 1 + inner.len > sizeof(name))
			continue;
		memcpy(name + outer.len + 1, inner.at, inner.len);
		if ((found = key_find(s, (struct span){ name, outer.len + 1 + inner.len })) != KEYS)
			found_add(f, found, value);
	}
}

static void keys_find(const struct scratch *s, yyjson_val *object, struct found *f)
{
	size_t index, count;
	yyjson_val *key, *value;

	*f = (struct found){ 0 };
	yyjson_obj_foreach(object, index, count, key, value)
	{
		struct span name = key_text(key);
		size_t found;

		if (yyjson_is_obj(value))
			nested_find(s, name, value, f);
		else if ((found = key_find(s, name)) != KEYS)
			found_add(f, found, value);
	}
}

/* Strings as they are; whole numbers as their digits. */
static struct span value_text(yyjson_val *v, char digits[24])
{
	size_t n = 0;
	uint64_t number;

	if (yyjson_is_str(v))
		return key_text(v);
	if (!yyjson_is_uint(v))
		return SPAN("?");
	number = yyjson_get_uint(v);
	do
		digits[23 - n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return (struct span){ digits + 24 - n, n };
}

static enum err time_read(yyjson_val *v, int64_t *ms)
{
	char digits[24];
	double seconds;

	if (!yyjson_is_real(v))
		return time_parse_any(value_text(v, digits), ms);
	seconds = yyjson_get_real(v);
	if (!(seconds >= 0 && seconds < 1e11))
		return ERR_TIME;
	*ms = (int64_t)(seconds * 1000);
	return OK;
}

/* An address, or a network in its place. */
static enum err source_read(struct span text, bool network, struct event *e)
{
	struct prefix p;

	if (!network && (text.len == 0 || memchr(text.at, '/', text.len) == NULL))
		return address_parse(text, &e->source);
	if (prefix_parse(text, &p) != OK)
		return ERR_PREFIX;
	source_set(e, p);
	return OK;
}

/* The last row's class is most often this one's, too. */
static enum err class_read(const struct layout *l, struct scratch *s, struct span text, enum rsit_class *out)
{
	enum rsit_class c;
	enum err e;

	if (text.len == 0)
		return OK;
	if (text.len == s->class_name_length && memcmp(text.at, s->class_name, text.len) == 0) {
		c = s->class;
	} else {
		if ((e = class_parse(text, &c)) != OK)
			return e == ERR_CLASS_UNKNOWN && l->class_given ? OK : e;
		if (text.len <= sizeof(s->class_name)) {
			memcpy(s->class_name, text.at, text.len);
			s->class_name_length = text.len;
			s->class = c;
		}
	}
	if (!l->class_given)
		*out = c;
	return OK;
}

static enum err port_read(yyjson_val *v, uint16_t *out)
{
	char digits[24];

	return v == NULL ? OK : port_parse(value_text(v, digits), out);
}

/* As with tables: what routing needs must be right, the other side is left out if it is not. */
static enum err event_read(const struct parse *p, const struct found *f, struct event *e, const char **name)
{
	char digits[24];
	enum role source = f->value[KEY_SOURCE] != NULL ? KEY_SOURCE : KEY_NETWORK;
	enum err err;

	if ((*name = f->twice) != NULL)
		return ERR_DUPLICATE_KEY;
	*name = keys[f->key[KEY_CLASS]].name;
	if (f->value[KEY_CLASS] != NULL &&
	    (err = class_read(p->layout, p->scratch, value_text(f->value[KEY_CLASS], digits), &e->class)) != OK)
		return err;
	*name = keys[f->key[KEY_TIME]].name;
	e->time_ms = p->layout->date_ms;
	if (f->value[KEY_TIME] != NULL && (err = time_read(f->value[KEY_TIME], &e->time_ms)) != OK)
		return err;
	if ((f->value[KEY_TIME] != NULL || e->time_ms != 0) && (err = time_check(p->layout, e->time_ms)) != OK)
		return err;
	*name = keys[f->key[source]].name;
	if (f->value[source] == NULL)
		return ERR_ADDRESS;
	if ((err = source_read(value_text(f->value[source], digits), source == KEY_NETWORK, e)) != OK)
		return err;
	if ((err = source_check(&e->source)) != OK)
		return err;
	*name = keys[f->key[KEY_SOURCE_PORT]].name;
	if ((err = port_read(f->value[KEY_SOURCE_PORT], &e->source_port)) != OK)
		return err;
	if (f->value[KEY_TARGET] != NULL)
		e->has_target = address_parse(value_text(f->value[KEY_TARGET], digits), &e->target) == OK;
	if (port_read(f->value[KEY_TARGET_PORT], &e->target_port) != OK)
		e->target_port = 0;
	if (f->value[KEY_PROTOCOL] != NULL)
		e->transport = transport_parse(value_text(f->value[KEY_PROTOCOL], digits));
	if (yyjson_is_str(f->value[KEY_MALWARE]))
		e->malware = key_text(f->value[KEY_MALWARE]);
	return OK;
}

/* The line at an end of Spamhaus's lists that says when the list was made and whose it is. */
static bool is_metadata(yyjson_val *object)
{
	return span_is(key_text(yyjson_obj_get(object, "type")), "metadata");
}

/* "asn" and "asname", "domain" or "rir" as in ASN-DROP: a network, and no address that could be at fault. */
static bool is_network(yyjson_val *object)
{
	return yyjson_is_uint(yyjson_obj_get(object, "asn"));
}

static bool has_address(const struct found *f)
{
	return f->value[KEY_SOURCE] != NULL || f->value[KEY_NETWORK] != NULL;
}

/* ERR_EMPTY: the line is a comment. */
static enum err line_read(const struct parse *p, struct span raw, struct event *e, const char **name)
{
	struct found f;
	yyjson_val *object;
	enum err err;

	if (raw.len > p->layout->row_max)
		return ERR_TOO_LONG;
	if ((err = parse_encoding(p, raw)) != OK)
		return err;
	if ((object = object_read(p->scratch, raw, &err)) == NULL)
		return err;
	keys_find(p->scratch, object, &f);
	if (!has_address(&f) && is_metadata(object))
		return ERR_EMPTY;
	if (!has_address(&f) && is_network(object)) {
		*name = "asn";
		return ERR_NO_ADDRESS;
	}
	return event_read(p, &f, e, name);
}

enum err jsonl_parse(struct parse *p)
{
	struct lines lines = { .text = p->rows, .row_max = p->layout->row_max };
	struct place at;
	enum err e = OK;

	while (e == OK && lines_next(&lines, &at)) {
		struct event event = { .class = p->layout->class };
		const char *name = NULL;
		enum err why;

		if (at.raw.len <= p->layout->row_max && span_trim(at.raw).len == 0)
			continue;
		if ((why = line_read(p, at.raw, &event, &name)) == ERR_EMPTY)
			continue;
		e = why == OK ? parse_event(p, &at, &event) : parse_reject(p, &at, why, name);
	}
	return e;
}

static bool is_known(const struct scratch *s, struct span name)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (span_starts(name, families[i]))
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (span_is(name, others[i]))
			return true;
	return key_find(s, name) != KEYS;
}

static void type_find(const struct scratch *s, yyjson_val *object, const struct found *f, struct layout *l)
{
	size_t index, count;
	yyjson_val *key, *value;

	if ((f->value[KEY_SOURCE] != NULL && f->key[KEY_SOURCE] == key_find(s, SPAN("source.ip"))) ||
	    (f->value[KEY_CLASS] != NULL && f->key[KEY_CLASS] == key_find(s, SPAN("classification.type"))))
		l->type = SPAN("intelmq");
	yyjson_obj_foreach(object, index, count, key, value) l->unknown_columns += !is_known(s, key_text(key));
}

/* What the last line says of all, where the head holds it. */
static void date_find(struct scratch *s, struct span text, struct layout *l)
{
	const char *before;
	yyjson_val *object;
	enum err why;
	int64_t ms;

	while (text.len > 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r'))
		text.len--;
	before = text.len > 0 ? memrchr(text.at, '\n', text.len) : NULL;
	if (before != NULL)
		text = span_from(text, (size_t)(before - text.at) + 1);
	if (text.len > REPORT_ROW_MAX || (object = object_read(s, text, &why)) == NULL || !is_metadata(object))
		return;
	if (l->date_ms == 0 && time_read(yyjson_obj_get(object, "timestamp"), &ms) == OK)
		l->date_ms = ms;
}

bool jsonl_detect(struct scratch *s, struct span text, struct layout *l)
{
	struct lines lines = { .text = text, .row_max = REPORT_ROW_MAX };
	struct place at;

	l->type = SPAN("json");
	l->type_known = true;
	l->class = CLASS_UNDETERMINED;
	for (int i = 0; i < DETECT_ROWS && lines_next(&lines, &at); i++) {
		enum err why;
		yyjson_val *object = object_read(s, at.raw, &why);
		struct found f;

		if (object == NULL)
			continue;
		keys_find(s, object, &f);
		if (!has_address(&f) && !is_network(object))
			continue;
		type_find(s, object, &f, l);
		date_find(s, text, l);
		return true;
	}
	return false;
}
