#include "exchange/markings.h"

#include <stdlib.h>
#include <yyjson.h>

/* Ids of the statement markings that came along, sorted. */
struct along {
	struct span *ids;
	size_t count;
};

static bool is_statement_marking(const struct stix_object *o)
{
	yyjson_val *type;

	if (!span_is(o->type, "marking-definition"))
		return false;
	type = yyjson_obj_get((yyjson_val *)(uintptr_t)o->value, "definition_type");
	return yyjson_is_str(type) && span_is(span_make(yyjson_get_str(type), yyjson_get_len(type)), "statement");
}

static enum err collect(struct arena *a, struct stix_object *const *objects, size_t count, struct along *out)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		most += is_statement_marking(objects[i]);
	*out = (struct along){ arena_array(a, most, sizeof(struct span)), 0 };
	if (out->ids == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (is_statement_marking(objects[i]))
			out->ids[out->count++] = objects[i]->id;
	qsort(out->ids, out->count, sizeof(struct span), span_order);
	return OK;
}

static enum err restricts(struct snapshot *s, const struct collection_id *c, enum tlp level, const struct along *along,
			  struct span id, bool *out)
{
	enum err e = objects_marking(s, c, level, id, out);

	if (e != ERR_NOT_FOUND)
		return e;
	*out = along->count == 0 || bsearch(&id, along->ids, along->count, sizeof(struct span), span_order) == NULL;
	return OK;
}

enum err markings_settle(struct arena *a, struct snapshot *s, const struct collection_id *c, enum tlp level,
			 enum tlp unmarked, struct stix_object *const *objects, size_t count)
{
	struct along along;
	enum err e = collect(a, objects, count, &along);

	for (size_t i = 0; i < count && e == OK; i++) {
		struct stix_object *o = objects[i];

		for (size_t m = 0; m < o->other_marking_count && e == OK && o->tlp != TLP_RED; m++) {
			bool hides = true;

			if ((e = restricts(s, c, level, &along, o->other_markings[m], &hides)) == OK && hides) {
				o->tlp = TLP_RED;
				o->marked = true;
			}
		}
		if (!o->marked)
			o->tlp = unmarked;
		o->marked = true;
	}
	return e;
}
