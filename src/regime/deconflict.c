#include "regime/deconflict.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/encoding.h"
#include "base/json.h"

/*
 * Marks
 *
 * A mark is the beginning of SHA-256("comity/deconflict/v1" LF || salt || item), the item written as `to` has it. Names have the
 * marks of all domains above them down to two labels, addresses those of all prefixes around them down to /8, or to /16 in IPv6 at
 * borders of four bits: so who holds 192.0.2.0/24 is found by 192.0.2.7 without either telling the other what it has.
 */
#define LABEL "comity/deconflict/v1\n"
#define LEAST_IPV4 8
#define LEAST_IPV6 16
#define LEVELS_MAX 128 /* labels of a name; prefixes are fewer */
#define CONTACT_MAX 320

struct mark_key {
	uint8_t bytes[DECONFLICT_MARK_SIZE];
};

static struct mark_key mark_of(const uint8_t *salt, struct span text)
{
	const struct span parts[] = { SPAN(LABEL), span_make(salt, DECONFLICT_SALT_SIZE), text };
	struct hash h = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	struct mark_key m;

	memcpy(m.bytes, h.bytes, sizeof(m.bytes));
	return m;
}

static struct span item_text(const struct deconflict_item *i, char room[PREFIX_TEXT])
{
	return i->what.type == TO_PARTY ? i->what.domain : span_make(room, prefix_format(i->what.prefix, room));
}

static struct mark_key mark_item(const uint8_t *salt, const struct deconflict_item *i)
{
	char room[PREFIX_TEXT];

	return mark_of(salt, item_text(i, room));
}

/* The item that is the next wider one around it; false: there is none that counts. */
static bool widen(struct deconflict_item *i)
{
	struct prefix *p = &i->what.prefix;
	struct span rest = i->what.domain;
	unsigned step;

	if (i->what.type == TO_PARTY) {
		span_cut(&rest, '.');
		if (rest.at == NULL || memchr(rest.at, '.', rest.len) == NULL)
			return false;
		i->what.domain = rest;
		return true;
	}
	if (p->length <= (p->address.family == FAMILY_IPV4 ? LEAST_IPV4 : LEAST_IPV6))
		return false;
	step = p->address.family == FAMILY_IPV4 ? 1 : (p->length - 1) % 4 + 1;
	*p = prefix_of(p->address, p->length - step);
	return true;
}

/* ---- the list ---- */

static enum err read_item(struct arena *a, struct span line, uint64_t number, struct deconflict_item *out)
{
	char *lower;

	out->what = (struct addressee){ .type = TO_PREFIX };
	if (prefix_parse(line, &out->what.prefix) == OK) {
		if (out->what.prefix.address.family == FAMILY_IPV6 && out->what.prefix.length % 4 != 0)
			return fail(ERR_PREFIX, "line %ju: IPv6 prefixes end at a border of four bits here",
				    (uintmax_t)number);
		return OK;
	}
	if (line.len > 0 && line.at[line.len - 1] == '.')
		line.len--; /* the root's dot */
	if ((lower = arena_copy(a, line.at, line.len)) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < line.len; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] += 'a' - 'A';
	out->what = (struct addressee){ .type = TO_PARTY, .domain = span_make(lower, line.len) };
	if (!span_is_domain(out->what.domain))
		return fail(ERR_DOMAIN, "line %ju: neither a domain nor an address", (uintmax_t)number);
	return OK;
}

struct numbered {
	struct deconflict_item item;
	size_t number;
};

static int compare_items(const struct deconflict_item *a, const struct deconflict_item *b)
{
	if (a->what.type != b->what.type)
		return a->what.type < b->what.type ? -1 : 1;
	return a->what.type == TO_PARTY ? span_compare(a->what.domain, b->what.domain)
					: prefix_compare(a->what.prefix, b->what.prefix);
}

static int by_item(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = compare_items(&x->item, &y->item);

	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Drops what stands there again; the order stays. */
static enum err drop_repeated(struct arena *a, struct deconflict_item *items, size_t *count)
{
	struct numbered *all = arena_array(a, *count, sizeof(*all));
	size_t n = 0;

	if (all == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < *count; i++)
		all[i] = (struct numbered){ items[i], i };
	qsort(all, *count, sizeof(*all), by_item);
	for (size_t i = 0; i < *count; i++)
		if (n == 0 || compare_items(&all[n - 1].item, &all[i].item) != 0)
			all[n++] = all[i];
	qsort(all, n, sizeof(*all), by_number);
	for (size_t i = 0; i < n; i++)
		items[i] = all[i].item;
	*count = n;
	return OK;
}

enum err deconflict_read_list(struct arena *a, struct span text, struct deconflict_item **out, size_t *count)
{
	struct span line, rest = text;
	uint64_t number = 0;
	size_t lines = 0;

	*count = 0;
	while (span_line(&rest, &line))
		lines++;
	if ((*out = arena_array(a, lines, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	while (span_line(&text, &line)) {
		enum err e;

		number++;
		line = span_trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (*count == DECONFLICT_ITEMS_MAX)
			return fail(ERR_TOO_LONG, "line %ju: more than %d items", (uintmax_t)number,
				    DECONFLICT_ITEMS_MAX);
		if ((e = read_item(a, line, number, &(*out)[*count])) != OK)
			return e;
		(*count)++;
	}
	if (*count == 0)
		return fail(ERR_EMPTY, "no item in the list");
	return drop_repeated(a, *out, count);
}

/* ---- the question ---- */

static struct hash list_hash(const uint8_t *salt, const struct deconflict_item *items, size_t count)
{
	struct hash h = hash_bytes(salt, DECONFLICT_SALT_SIZE);

	for (size_t i = 0; i < count; i++) {
		char room[PREFIX_TEXT];
		const struct span parts[] = { span_make(h.bytes, HASH_SIZE), item_text(&items[i], room), SPAN("\n") };

		h = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	}
	return h;
}

bool deconflict_is_list(const struct deconflict_question *q, const struct deconflict_item *items, size_t count)
{
	return q->count == count && hash_equal(q->list, list_hash(q->salt, items, count));
}

enum err deconflict_question_print(const struct deconflict_item *items, size_t count,
				   const uint8_t salt[DECONFLICT_SALT_SIZE], struct buffer *out)
{
	char salt_hex[2 * DECONFLICT_SALT_SIZE + 1], list_hex[HASH_HEX + 1];

	hex_encode(salt, DECONFLICT_SALT_SIZE, salt_hex);
	hash_hex(list_hash(salt, items, count), list_hex);
	buffer_print(out, "{\"salt\":\"%s\",\"list\":\"%s\",\"items\":[", salt_hex, list_hex);
	for (size_t i = 0; i < count; i++) {
		struct deconflict_item at = items[i];
		struct mark_key marks[LEVELS_MAX];
		size_t n = 0;

		do {
			marks[n++] = mark_item(salt, &at);
		} while (n < LEVELS_MAX && widen(&at));
		buffer_text(out, i == 0 ? "\n\"" : ",\n\"");
		base64_append(out, marks, n * sizeof(marks[0]));
		buffer_byte(out, '"');
	}
	buffer_text(out, "]}\n");
	return out->err;
}

static bool text_member(yyjson_val *object, const char *name, struct span *out)
{
	yyjson_val *v = yyjson_obj_get(object, name);

	*out = span_make(yyjson_get_str(v), yyjson_get_len(v));
	return yyjson_is_str(v);
}

static enum err no_question(const char *what)
{
	return fail(ERR_SYNTAX, "%s: not the body of a deconflict request", what);
}

static enum err read_marks(struct arena *a, yyjson_val *v, struct deconflict_marks *out)
{
	size_t room = yyjson_get_len(v), length = 0;
	uint8_t *bytes;

	if (!yyjson_is_str(v) || room > BASE64_LENGTH(LEVELS_MAX * DECONFLICT_MARK_SIZE))
		return no_question("items");
	if ((bytes = arena_alloc(a, room)) == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(span_make(yyjson_get_str(v), room), bytes, room, &length) != OK || length == 0 ||
	    length % DECONFLICT_MARK_SIZE != 0)
		return no_question("items");
	*out = (struct deconflict_marks){ bytes, length / DECONFLICT_MARK_SIZE };
	return OK;
}

enum err deconflict_question_read(struct arena *a, struct span body, struct deconflict_question *out)
{
	struct yyjson_doc *doc = NULL;
	struct span salt, list;
	yyjson_val *root, *items, *v;
	size_t i, most;
	uint8_t *bytes;
	enum err e;

	*out = (struct deconflict_question){ 0 };
	if (body.len > DECONFLICT_BODY_MAX)
		return fail(ERR_TOO_LONG, "a deconflict request of %zu bytes", body.len);
	if ((e = json_read_strict(a, body, &doc)) != OK)
		return e;
	root = yyjson_doc_get_root(doc);
	items = yyjson_obj_get(root, "items");
	if (!text_member(root, "salt", &salt) || !text_member(root, "list", &list) || !yyjson_is_arr(items))
		return no_question("salt, list, items");
	if ((bytes = arena_alloc(a, DECONFLICT_SALT_SIZE)) == NULL)
		return ERR_NO_MEMORY;
	if (hex_decode(salt, bytes, DECONFLICT_SALT_SIZE) != OK || hash_from_hex(list, &out->list) != OK)
		return no_question("salt, list");
	out->salt = bytes;
	out->count = yyjson_arr_size(items);
	if (out->count == 0 || out->count > DECONFLICT_ITEMS_MAX)
		return no_question("items: 1 to 10000");
	if ((out->items = arena_array(a, out->count, sizeof(*out->items))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(items, i, most, v)
	{
		if ((e = read_marks(a, v, &out->items[i])) != OK)
			return e;
	}
	return OK;
}

/* ---- the answer ---- */

enum err deconflict_answer_print(const struct deconflict_held *held, size_t count, struct buffer *out)
{
	struct json j = { .out = out };

	json_object(&j, NULL);
	json_array(&j, "held");
	for (size_t i = 0; i < count; i++) {
		json_object(&j, NULL);
		json_number(&j, "item", (int64_t)held[i].item);
		json_string(&j, "party", held[i].party);
		json_string(&j, "contact", held[i].contact);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buffer_byte(out, '\n');
	return out->err;
}

static enum err read_held(yyjson_val *v, size_t items, size_t least, struct deconflict_held *out)
{
	yyjson_val *item = yyjson_obj_get(v, "item");
	uint64_t number = yyjson_get_uint(item);

	if (!yyjson_is_uint(item) || number >= items || number < least)
		return fail(ERR_SYNTAX, "item: a number of the list that was asked, in order");
	out->item = (size_t)number;
	if (!text_member(v, "party", &out->party) || !span_is_domain(out->party))
		return fail(ERR_SYNTAX, "party: a domain");
	if (!text_member(v, "contact", &out->contact) || out->contact.len > CONTACT_MAX)
		return fail(ERR_SYNTAX, "contact: at most %d bytes", CONTACT_MAX);
	return OK;
}

enum err deconflict_answer_read(struct arena *a, struct span body, size_t items, struct deconflict_held **out,
				size_t *count)
{
	struct yyjson_doc *doc = NULL;
	yyjson_val *held, *v;
	size_t i, most;
	enum err e;

	*count = 0;
	if (body.len > DECONFLICT_BODY_MAX)
		return fail(ERR_TOO_LONG, "a deconflict answer of %zu bytes", body.len);
	if ((e = json_read_strict(a, body, &doc)) != OK)
		return e;
	held = yyjson_obj_get(yyjson_doc_get_root(doc), "held");
	if (!yyjson_is_arr(held) || yyjson_arr_size(held) > items)
		return fail(ERR_SYNTAX, "held: at most one for each item");
	if ((*out = arena_array(a, yyjson_arr_size(held), sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(held, i, most, v)
	{
		if ((e = read_held(v, items, i == 0 ? 0 : (*out)[i - 1].item + 1, &(*out)[i])) != OK)
			return e;
		(*count)++;
	}
	return OK;
}

/* ---- comparing ---- */

/* A mark of what is held, or of what is around it. */
struct marked {
	struct mark_key mark;
	bool around;
	const struct deconflict_holding *holding;
};

static int by_mark(const void *a, const void *b)
{
	const struct marked *x = a, *y = b;
	int order = memcmp(&x->mark, &y->mark, sizeof(x->mark));

	if (order == 0 && x->around != y->around)
		order = x->around ? 1 : -1;
	return order != 0 ? order : (x->holding > y->holding) - (x->holding < y->holding);
}

/* An IPv6 prefix off the borders of four bits is so many on the next border, at most eight. */
static size_t border_prefixes(struct prefix p, struct deconflict_item out[8])
{
	unsigned up = p.address.family == FAMILY_IPV6 && p.length % 4 != 0 ? 4 - p.length % 4u : 0;
	struct address at = p.address;

	for (unsigned i = 0; i < 1u << up; i++) {
		out[i].what = (struct addressee){ .type = TO_PREFIX, .prefix = prefix_of(at, p.length + up) };
		at = prefix_last(out[i].what.prefix);
		address_next(&at); /* behind the last of all nothing follows */
	}
	return (size_t)1 << up;
}

struct marking {
	struct arena *arena;
	const uint8_t *salt;
	struct marked *at;
	size_t count, room;
};

static enum err add_mark(struct marking *m, const struct deconflict_item *i, bool around,
			 const struct deconflict_holding *holding)
{
	if (m->count == m->room) {
		size_t room = m->room == 0 ? 1024 : 2 * m->room;
		struct marked *more = arena_resize(m->arena, m->at, m->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		m->at = more;
		m->room = room;
	}
	m->at[m->count++] = (struct marked){ mark_item(m->salt, i), around, holding };
	return OK;
}

static enum err mark_holding(struct marking *m, const struct deconflict_holding *h)
{
	struct deconflict_item parts[8], at;
	size_t n = 1;
	enum err e = OK;

	parts[0] = h->item;
	if (h->item.what.type == TO_PREFIX)
		n = border_prefixes(h->item.what.prefix, parts);
	for (size_t i = 0; e == OK && i < n; i++)
		e = add_mark(m, &parts[i], false, h);
	for (at = parts[0]; e == OK && widen(&at);)
		e = add_mark(m, &at, true, h);
	return e;
}

/* The first with that mark; NULL: none. */
static const struct marked *find_mark(const struct marking *m, const uint8_t *mark)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&m->at[middle].mark, mark, DECONFLICT_MARK_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->count && memcmp(&m->at[low].mark, mark, DECONFLICT_MARK_SIZE) == 0 ? &m->at[low] : NULL;
}

/* What is held around the item, or else within it. */
static const struct deconflict_holding *find_held(const struct marking *m, const struct deconflict_marks *item)
{
	const struct marked *within = find_mark(m, item->at);

	for (size_t j = 0; j < item->count; j++) {
		const struct marked *found = find_mark(m, item->at + j * DECONFLICT_MARK_SIZE);

		if (found != NULL && !found->around)
			return found->holding;
	}
	return within != NULL ? within->holding : NULL;
}

enum err deconflict_compare(struct arena *a, const struct deconflict_question *q,
			    const struct deconflict_holding *holdings, size_t holding_count,
			    struct deconflict_held **out, size_t *count)
{
	struct marking m = { .arena = a, .salt = q->salt };
	enum err e = OK;

	*count = 0;
	if ((*out = arena_array(a, q->count, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < holding_count; i++)
		e = mark_holding(&m, &holdings[i]);
	if (e != OK)
		return e;
	if (m.count > 0)
		qsort(m.at, m.count, sizeof(*m.at), by_mark);
	for (size_t i = 0; i < q->count; i++) {
		const struct deconflict_holding *held = find_held(&m, &q->items[i]);

		if (held != NULL)
			(*out)[(*count)++] = (struct deconflict_held){ i, held->party, held->contact };
	}
	return OK;
}
