#include "regime/pledge.h"

#include "regime/promises.h"

static void print_term(struct json *j, const struct term *t, struct buffer *text)
{
	json_object(j, NULL);
	buffer_clear(text);
	term_print(t, text);
	json_string(j, "term", buffer_view(text));
	buffer_clear(text);
	promise_tell(t, text);
	json_string(j, "says", buffer_view(text));
	json_text(j, "metric", metric_rule(t->metric)->name);
	json_object_end(j);
}

void pledge_print(struct json *j, const char *key, const struct pledge *p)
{
	struct buffer text = BUFFER(4096);

	json_object(j, key);
	json_hash(j, "id", p->id);
	json_string(j, "party", p->party);
	buffer_print(&text, "%s %u %s", p->set->name, p->set->version, p->norm->id);
	json_string(j, "norm", buffer_view(&text));
	json_text(j, "title", p->norm->title);
	json_text(j, "grade", norm_grade_name(p->norm->grade));
	json_time(j, "start", p->start_ms);
	json_time(j, "end", p->end_ms == INT64_MAX ? 0 : p->end_ms);
	json_bool(j, "withdrawn", p->withdrawn);
	json_bool(j, "unilateral", p->unilateral);
	json_bool(j, "demonstration", p->demonstration);
	json_bool(j, "declaration", p->term_count == 0);
	json_array(j, "terms");
	for (size_t i = 0; i < p->term_count; i++)
		print_term(j, &p->terms[i], &text);
	json_array_end(j);
	json_array(j, "assets");
	for (size_t i = 0; i < p->asset_count; i++) {
		json_object(j, NULL);
		json_string(j, "set", p->assets[i].set);
		json_hash(j, "commitment", p->assets[i].commitment);
		json_object_end(j);
	}
	json_array_end(j);
	if (p->text.len > 0)
		json_string(j, "text", p->text);
	else
		json_null(j, "text");
	json_object_end(j);
	if (text.err != OK)
		j->out->err = text.err;
	buffer_free(&text);
}
