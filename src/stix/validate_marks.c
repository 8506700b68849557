/* Granular markings (STIX 2.1, 7.2.3): what they mark must be there. */
#include "stix/validate_private.h"

static bool is_selector_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* "[12]". */
static bool is_index(struct span step, uint64_t *index)
{
	return step.len >= 3 && step.at[0] == '[' && step.at[step.len - 1] == ']' &&
	       span_u64_loose(span_make(step.at + 1, step.len - 2), UINT32_MAX, index) == OK;
}

static bool is_selector(struct span s)
{
	struct span rest = s, step = span_cut(&rest, '.');
	uint64_t index;

	if (step.len < 3 ? !span_is(s, "id") : step.len > 250)
		return false;
	for (bool first = true;; first = false) {
		if (first || !is_index(step, &index)) {
			for (size_t i = 0; i < step.len; i++)
				if (!is_selector_character(step.at[i]) ||
				    (first && step.at[i] >= 'A' && step.at[i] <= 'Z'))
					return false;
			if (step.len == 0 || step.len > 250)
				return false;
		}
		if (rest.at == NULL)
			return true;
		step = span_cut(&rest, '.');
	}
}

static bool resolves(struct judge *j, struct span selector)
{
	yyjson_val *v = j->top;
	struct span rest = selector;
	uint64_t index;

	while (v != NULL && rest.at != NULL && judge_work(j, yyjson_get_len(v) + 1)) {
		struct span step = span_cut(&rest, '.');

		if (yyjson_is_arr(v))
			v = is_index(step, &index) ? yyjson_arr_get(v, index) : NULL;
		else
			v = yyjson_is_obj(v) ? yyjson_obj_getn(v, step.at, step.len) : NULL;
	}
	return v != NULL && rest.at == NULL;
}

static void check_selectors(struct judge *j, yyjson_val *list)
{
	struct place name = { .up = j->place, .name = SPAN("selectors") }, here = { .up = &name };
	yyjson_val *item;
	size_t i, n;

	j->place = &name;
	if (!yyjson_is_arr(list)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a list of selectors");
	} else if (yyjson_get_len(list) == 0) {
		judge_find(j, RULE_EMPTY_LIST, "marks nothing");
	} else {
		j->place = &here;
		yyjson_arr_foreach(list, i, n, item)
		{
			struct span s = text_of(item);

			here.index = i;
			if (!yyjson_is_str(item) || !is_selector(s))
				judge_find(j, RULE_SELECTOR, "must be names and [n], with dots between them");
			else if (!resolves(j, s))
				judge_find(j, RULE_SELECTOR_UNRESOLVED, "'%.*s' is not in this object",
					   SPAN_FORMAT(judge_shown(s)));
		}
	}
	j->place = name.up;
}

static void check_marking(struct judge *j, yyjson_val *mark)
{
	yyjson_val *ref = yyjson_obj_get(mark, "marking_ref"), *lang = yyjson_obj_get(mark, "lang");
	yyjson_val *id = yyjson_obj_get(j->top, "id");

	if (!yyjson_is_obj(mark)) {
		judge_find(j, RULE_VALUE_TYPE, "must be an object");
		return;
	}
	check_selectors(j, yyjson_obj_get(mark, "selectors"));
	if ((ref == NULL) == (lang == NULL))
		judge_find(j, RULE_GRANULAR, "needs either marking_ref or lang");
	if (ref != NULL && !(yyjson_is_str(ref) && value_is_id(text_of(ref))))
		judge_find_at(j, RULE_ID, "marking_ref", "is no id: a type, two dashes and a UUID");
	else if (ref != NULL && !span_is(value_id_type(text_of(ref)), "marking-definition"))
		judge_find_at(j, RULE_MARKING_REF, "marking_ref", "must lead to a marking-definition");
	else if (ref != NULL && yyjson_is_str(id) && span_equal(text_of(ref), text_of(id)))
		judge_find_at(j, RULE_MARKING_SELF, "marking_ref", "a marking does not mark itself");
	if (lang != NULL && !(yyjson_is_str(lang) && value_is_language(text_of(lang))))
		judge_find_at(j, RULE_LANGUAGE, "lang", "is no language tag (RFC 5646)");
}

void check_granular_markings(struct judge *j, yyjson_val *v)
{
	struct place here = { .up = j->place };
	yyjson_val *item;
	size_t i, n;

	if (!yyjson_is_arr(v)) {
		judge_find(j, RULE_VALUE_TYPE, "must be a list of markings");
		return;
	}
	if (yyjson_get_len(v) == 0)
		judge_find(j, RULE_EMPTY_LIST, "an empty list; leave the property out instead");
	j->place = &here;
	yyjson_arr_foreach(v, i, n, item)
	{
		here.index = i;
		check_marking(j, item);
	}
	j->place = here.up;
}
