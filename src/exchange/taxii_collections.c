/* Stored collections are those of the configuration. The others are made from the ledgers and cannot be written: their ids
 * follow from the node's name and their alias, so that they are the same after a new start and on every copy of the node. */
#include "exchange/taxii.h"

#include <stdlib.h>

static const struct derived {
	enum taxii_source source;
	const char *alias, *title, *description;
} derived[] = {
	{ SOURCE_NOTICES, "notices", "Notices to me",
	  "Notices addressed to the party that asks, or to what it answers for, as reports." },
	{ SOURCE_PARTIES, "parties", "Parties", "Who takes part, as identities." },
	{ SOURCE_PLANS, "plans", "Plans", "Scans, exercises and takedowns declared ahead, as groupings." },
	{ SOURCE_STATEMENTS, "statements", "Statements", "All statements that the party that asks may see." },
};
#define DERIVED_COUNT (sizeof(derived) / sizeof(derived[0]))

static struct collection_id derived_id(const struct server *s, const struct derived *d)
{
	struct span parts[] = { SPAN("comity/collection/v1\n"), node_name(s->node), SPAN("\n"), span_of(d->alias) };
	struct hash h = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	struct collection_id id;

	memcpy(id.bytes, h.bytes, UUID_SIZE);
	id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	return id;
}

static struct taxii_collection of_rule(const struct caller *c, const struct collection_rule *rule)
{
	return (struct taxii_collection){ .source = SOURCE_STORED,
					  .id = rule->id,
					  .alias = rule->alias,
					  .title = rule->title,
					  .description = rule->description,
					  .rule = rule,
					  .reach = readership_collection(c, rule) };
}

/* What nobody owns has no notices. A stored collection may take one of our aliases; then that one is not there. */
static bool is_there(const struct server *s, const struct caller *c, const struct derived *d)
{
	for (size_t i = 0; i < s->config->collection_count; i++)
		if (span_is(s->config->collections[i].alias, d->alias))
			return false;
	return (c->rights & RIGHT_READ) != 0 && (d->source != SOURCE_NOTICES || c->party.len > 0);
}

static struct taxii_collection of_derived(const struct server *s, const struct derived *d)
{
	return (struct taxii_collection){ .source = d->source,
					  .id = derived_id(s, d),
					  .alias = span_of(d->alias),
					  .title = span_of(d->title),
					  .description = span_of(d->description),
					  .reach = { .read = true } };
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct taxii_collection *)a)->id.bytes, ((const struct taxii_collection *)b)->id.bytes,
		      UUID_SIZE);
}

struct taxii_collection *taxii_collections(const struct server *s, const struct caller *c, struct arena *a,
					   size_t *count)
{
	const struct config *config = s->config;
	struct taxii_collection *all = arena_array(a, config->collection_count + DERIVED_COUNT, sizeof(*all));

	*count = 0;
	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < config->collection_count; i++) {
		struct taxii_collection one = of_rule(c, &config->collections[i]);

		if (one.reach.read || one.reach.write)
			all[(*count)++] = one;
	}
	for (size_t i = 0; i < DERIVED_COUNT; i++)
		if (is_there(s, c, &derived[i]))
			all[(*count)++] = of_derived(s, &derived[i]);
	qsort(all, *count, sizeof(*all), by_id);
	return all;
}

/* A UUID may be written in upper case. */
static bool read_id(struct span name, struct collection_id *out)
{
	char lower[COLLECTION_ID_TEXT];

	if (name.len >= sizeof(lower))
		return false;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'F' ? name.at[i] + 32 : name.at[i]);
	return collection_id_parse(span_make(lower, name.len), out) == OK;
}

bool taxii_collection_find(const struct server *s, const struct caller *c, struct span name,
			   struct taxii_collection *out)
{
	struct collection_id id;
	bool is_id = read_id(name, &id);

	for (size_t i = 0; i < s->config->collection_count; i++) {
		const struct collection_rule *rule = &s->config->collections[i];

		if (!span_equal(rule->alias, name) && !(is_id && memcmp(&rule->id, &id, sizeof(id)) == 0))
			continue;
		*out = of_rule(c, rule);
		return out->reach.read || out->reach.write;
	}
	for (size_t i = 0; i < DERIVED_COUNT; i++) {
		struct taxii_collection one;

		if (!is_there(s, c, &derived[i]))
			continue;
		one = of_derived(s, &derived[i]);
		if (!span_equal(one.alias, name) && !(is_id && memcmp(&one.id, &id, sizeof(id)) == 0))
			continue;
		*out = one;
		return true;
	}
	return false;
}

void taxii_collection_print(const struct taxii_collection *c, struct json *j)
{
	char id[COLLECTION_ID_TEXT];

	collection_id_print(&c->id, id);
	json_object(j, NULL);
	json_text(j, "id", id);
	json_string(j, "title", c->title);
	if (c->description.len > 0)
		json_string(j, "description", c->description);
	json_string(j, "alias", c->alias);
	json_bool(j, "can_read", c->reach.read);
	json_bool(j, "can_write", c->reach.write);
	json_array(j, "media_types");
	json_text(j, NULL, "application/stix+json;version=2.1");
	if (c->source == SOURCE_STORED)
		json_text(j, NULL, "application/stix+json;version=2.0");
	json_array_end(j);
	json_object_end(j);
}
