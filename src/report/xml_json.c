#include "report/xml_json.h"

#include "base/hash.h"

static bool is_same(const char *a, const char *b)
{
	return a == b || (a[0] == b[0] && strcmp(a, b) == 0);
}

static bool is_listed(const char *name, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (is_same(name, *names))
			return true;
	return false;
}

static bool is_left_out(const struct xml_node *n, const struct xml_limits *limits)
{
	if (n->ours && is_listed(n->name, limits->skip))
		return true;
	return limits->only != NULL && !(n->ours && is_listed(n->name, limits->only));
}

static void put_text(struct json *j, const char *key, struct span text, const struct xml_limits *limits)
{
	char hex[HASH_HEX + 1];

	if (text.len <= limits->text) {
		json_string(j, key, text);
		return;
	}
	hash_hex(hash_span(text), hex);
	json_object(j, key);
	json_number(j, "#size", (int64_t)text.len);
	json_text(j, "#sha256", hex);
	json_object_end(j);
}

static void put_element(struct json *j, const char *key, const struct xml_node *n, const struct xml_limits *limits);

/* All siblings with the name of `first`, up to the last that is looked at. */
static void put_group(struct json *j, const struct xml_node *first, const struct xml_node *end,
		      const struct xml_limits *limits)
{
	const struct xml_node *next = first->next;

	while (next != end && !is_same(next->name, first->name))
		next = next->next;
	if (next == end) {
		put_element(j, first->name, first, limits);
		return;
	}
	json_array(j, first->name);
	for (const struct xml_node *n = first; n != end; n = n->next)
		if (is_same(n->name, first->name))
			put_element(j, NULL, n, limits);
	json_array_end(j);
}

static bool is_first(const struct xml_node *parent, const struct xml_node *n)
{
	const struct xml_node *before = parent->child;

	while (before != n && !is_same(before->name, n->name))
		before = before->next;
	return before == n;
}

/* A name has one group, so what is left out of it is left out as a whole. */
static void put_children(struct json *j, const struct xml_node *parent, const struct xml_limits *limits)
{
	struct xml_limits inner = *limits;
	const struct xml_node *end = parent->child;
	uint64_t more = 0;

	inner.only = NULL;
	inner.depth--;
	for (unsigned taken = 0; end != NULL && taken < limits->children; end = end->next)
		taken += !is_left_out(end, limits);
	for (const struct xml_node *n = parent->child; n != end && j->out->err == OK; n = n->next)
		if (!is_left_out(n, limits) && is_first(parent, n))
			put_group(j, n, end, &inner);
	for (; end != NULL; end = end->next)
		more += !is_left_out(end, limits);
	if (more > 0)
		json_number(j, "#more", (int64_t)more);
}

static void put_element(struct json *j, const char *key, const struct xml_node *n, const struct xml_limits *limits)
{
	if (n->attributes == NULL && n->child == NULL) {
		put_text(j, key, n->text, limits);
		return;
	}
	json_object(j, key);
	for (const struct xml_attribute *a = n->attributes; a != NULL && j->out->err == OK; a = a->next)
		put_text(j, a->key, a->value, limits);
	if (n->text.len > 0)
		put_text(j, "#text", n->text, limits);
	if (limits->depth > 0)
		put_children(j, n, limits);
	else if (n->child != NULL)
		json_number(j, "#more", 1);
	json_object_end(j);
}

void xml_json(struct json *j, const char *key, const struct xml_node *n, const struct xml_limits *limits)
{
	put_element(j, key, n, limits);
}
