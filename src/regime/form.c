#include "regime/form.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

struct checking {
	struct arena *arena;
	bool closed;
	struct form_names *names;
};

static enum err wrong(const char *place, const char *name, const char *what)
{
	return fail(ERR_CERTIFICATE, "%s.%s: %s", place, name, what);
}

static int compare_names(const void *a, const void *b)
{
	return span_compare(((const struct form_name *)a)->text, ((const struct form_name *)b)->text);
}

enum err form_names_sort(struct form_names *names)
{
	if (names->count > 1)
		qsort(names->at, names->count, sizeof(*names->at), compare_names);
	for (size_t i = 1; i < names->count; i++)
		if (span_equal(names->at[i - 1].text, names->at[i].text))
			return fail(ERR_CERTIFICATE, "bom-ref: %.*s stands there twice",
				    names->at[i].text.len > 80 ? 80 : (int)names->at[i].text.len, names->at[i].text.at);
	names->sorted = true;
	return OK;
}

static enum err gather(struct checking *c, struct span text, unsigned of)
{
	struct form_names *n = c->names;

	if (n == NULL || n->sorted)
		return OK;
	if (n->count == n->room) {
		size_t room = n->room == 0 ? 64 : 2 * n->room;
		struct form_name *at = arena_resize(c->arena, n->at, n->room * sizeof(*n->at), room * sizeof(*n->at));

		if (at == NULL)
			return ERR_NO_MEMORY;
		n->at = at;
		n->room = room;
	}
	n->at[n->count++] = (struct form_name){ text, of };
	return OK;
}

static bool resolves(const struct checking *c, yyjson_val *v, unsigned of)
{
	struct form_name wanted = { json_string_of(v), of }, *found;

	if (c->names == NULL || !c->names->sorted || of == 0)
		return true;
	if (c->names->count == 0)
		return false;
	found = bsearch(&wanted, c->names->at, c->names->count, sizeof(wanted), compare_names);
	return found != NULL && found->of == of;
}

static bool is_word(yyjson_val *v)
{
	return yyjson_is_str(v) && yyjson_get_len(v) > 0;
}

static bool is_time(yyjson_val *v)
{
	int64_t ms;

	return yyjson_is_str(v) && clock_parse_rfc3339(json_string_of(v), &ms) == OK;
}

static bool is_digest(yyjson_val *v)
{
	struct hash h;

	return yyjson_is_str(v) && hash_from_hex(json_string_of(v), &h) == OK;
}

static bool is_share(yyjson_val *v)
{
	return yyjson_is_num(v) && yyjson_get_num(v) >= 0 && yyjson_get_num(v) <= 1;
}

static enum err check_object(struct checking *c, yyjson_val *object, const struct form *form, const char *place);

static enum err check_objects(struct checking *c, yyjson_val *v, const struct form *f, const char *place)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(v);
	yyjson_val *one;
	enum err e = OK;

	while (e == OK && (one = yyjson_arr_iter_next(&all)) != NULL) {
		char within[160];

		snprintf(within, sizeof(within), "%s.%s[%zu]", place, f->name, all.idx - 1);
		e = check_object(c, one, f->sub, within);
	}
	return e;
}

static enum err check_texts(struct checking *c, yyjson_val *v, const struct form *f, const char *place)
{
	yyjson_arr_iter all = yyjson_arr_iter_with(v);
	yyjson_val *one;

	while ((one = yyjson_arr_iter_next(&all)) != NULL) {
		if (f->type == FORM_REFERS_MANY ? !is_word(one) : !yyjson_is_str(one))
			return wrong(place, f->name, "a list of texts");
		if (f->type == FORM_REFERS_MANY && !resolves(c, one, f->of))
			return fail(ERR_CERTIFICATE, "%s.%s: %.*s is nothing there", place, f->name,
				    yyjson_get_len(one) > 80 ? 80 : (int)yyjson_get_len(one), yyjson_get_str(one));
	}
	return OK;
}

static enum err check_value(struct checking *c, yyjson_val *v, const struct form *f, const char *place)
{
	char within[160];

	switch (f->type) {
	case FORM_ANY:
		return OK;
	case FORM_TEXT:
		return yyjson_is_str(v) ? OK : wrong(place, f->name, "a text");
	case FORM_FLAG:
		return yyjson_is_bool(v) ? OK : wrong(place, f->name, "true or false");
	case FORM_SHARE:
		return is_share(v) ? OK : wrong(place, f->name, "a number from 0 to 1");
	case FORM_TIME:
		return is_time(v) ? OK : wrong(place, f->name, "a time like 2026-11-22T20:45:00Z");
	case FORM_DIGEST:
		return is_digest(v) ? OK : wrong(place, f->name, "64 digits of lower-case hex");
	case FORM_WORD:
		return is_word(v) ? OK : wrong(place, f->name, "a text that is not empty");
	case FORM_NAMES:
		return is_word(v) ? gather(c, json_string_of(v), f->of)
				  : wrong(place, f->name, "a text that is not empty");
	case FORM_REFERS:
		if (!is_word(v))
			return wrong(place, f->name, "a text that is not empty");
		return resolves(c, v, f->of) ? OK : wrong(place, f->name, "it is nothing there");
	case FORM_TEXTS:
	case FORM_REFERS_MANY:
		return yyjson_is_arr(v) ? check_texts(c, v, f, place) : wrong(place, f->name, "a list");
	case FORM_OBJECT:
		snprintf(within, sizeof(within), "%s.%s", place, f->name);
		return check_object(c, v, f->sub, within);
	case FORM_OBJECTS:
		return yyjson_is_arr(v) ? check_objects(c, v, f, place) : wrong(place, f->name, "a list");
	}
	return OK;
}

static const struct form *find(const struct form *form, yyjson_val *key)
{
	for (; form->name != NULL; form++)
		if (span_is(json_string_of(key), form->name))
			return form;
	return NULL;
}

/* As deep as the tables are. */
static enum err check_object(struct checking *c, yyjson_val *object, const struct form *form, const char *place)
{
	yyjson_obj_iter all = yyjson_obj_iter_with(object);
	yyjson_val *key;
	enum err e = OK;

	if (!yyjson_is_obj(object))
		return fail(ERR_CERTIFICATE, "%s: an object", place);
	while (e == OK && (key = yyjson_obj_iter_next(&all)) != NULL) {
		const struct form *f = find(form, key);

		if (f != NULL)
			e = check_value(c, yyjson_obj_iter_get_val(key), f, place);
		else if (c->closed)
			e = fail(ERR_CERTIFICATE, "%s: it has no \"%.*s\"", place,
				 yyjson_get_len(key) > 80 ? 80 : (int)yyjson_get_len(key), yyjson_get_str(key));
	}
	for (; e == OK && form->name != NULL; form++)
		if (form->needed && yyjson_obj_get(object, form->name) == NULL)
			e = wrong(place, form->name, "missing");
	return e;
}

enum err form_check(struct arena *a, yyjson_val *object, const struct form *form, bool closed, struct form_names *names,
		    const char *place)
{
	struct checking c = { a, closed, names };

	return check_object(&c, object, form, place);
}
