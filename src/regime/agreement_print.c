/* An agreement as JSON. */
#include "regime/agreement_private.h"

static void print_duration(struct json *j, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format_duration(ms, text);
	json_text(j, key, text);
}

static void print_course(struct json *j, const struct agreement *a, const struct agreement_term *t)
{
	const struct course *c = &t->course;

	json_text(j, "state", course_state_name(c->state));
	json_time(j, "since", c->since_ms);
	json_time(j, "consult_until", c->consult_until_ms);
	json_number(j, "good", c->good);
	json_array(j, "resolved");
	for (unsigned side = 0; side < 2; side++)
		if ((c->resolved & BIT(side)) != 0)
			json_string(j, NULL, a->party[side]);
	json_array_end(j);
	json_number(j, "met", c->met);
	json_number(j, "missed", c->missed);
	json_number(j, "too_few", c->too_few);
	json_number(j, "suspensions", c->suspensions);
}

/* What each side did in the last window. */
static void print_sides(struct json *j, const struct agreement *a, const struct agreement_term *t)
{
	json_array(j, "sides");
	for (unsigned side = 0; side < 2; side++) {
		if (!term_binds(a, t, side))
			continue;
		json_object(j, NULL);
		json_string(j, "party", a->party[side]);
		if (t->sides[side].last.until_ms != 0) {
			json_text(j, "judged", window_name(t->sides[side].judged));
			measure_print(j, "last", &t->term, &t->sides[side].last);
		} else {
			json_null(j, "judged");
			json_null(j, "last");
		}
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_term(struct json *j, const struct agreement *a, const struct agreement_term *t)
{
	struct buffer line = BUFFER(STATEMENT_MAX);

	term_print(&t->term, &line);
	json_object(j, NULL);
	json_string(j, "name", t->term.name);
	json_string(j, "term", buffer_view(&line));
	json_text(j, "gives", gives_name(t->term.gives));
	if (t->term.of.len > 0)
		json_string(j, "of", t->term.of);
	if (t->course.since_ms != 0) {
		print_course(j, a, t);
		print_sides(j, a, t);
	}
	json_object_end(j);
	if (j->out->err == OK)
		j->out->err = line.err;
	buffer_free(&line);
}

static void print_signatures(struct json *j, const struct agreement *a)
{
	static const struct hash none = { { 0 } };

	json_array(j, "signed");
	for (unsigned side = 0; side < 2; side++) {
		if (hash_equal(a->statement[side], none))
			continue;
		json_object(j, NULL);
		json_string(j, "party", a->party[side]);
		json_hash(j, "statement", a->statement[side]);
		json_object_end(j);
	}
	json_array_end(j);
}

static void print_lists(struct json *j, const struct agreement *a)
{
	json_array(j, "codes");
	for (unsigned code = 1; code <= 32; code++)
		if ((a->codes & BIT(code - 1)) != 0)
			json_number(j, NULL, code);
	json_array_end(j);
	json_array(j, "terms");
	for (size_t i = 0; i < a->term_count; i++)
		print_term(j, a, &a->terms[i]);
	json_array_end(j);
	json_array(j, "assets");
	for (size_t i = 0; i < a->asset_count; i++) {
		json_object(j, NULL);
		json_string(j, "set", a->assets[i].asset.set);
		json_hash(j, "commitment", a->assets[i].asset.commitment);
		json_string(j, "party", a->party[a->assets[i].side]);
		json_object_end(j);
	}
	json_array_end(j);
}

void agreement_print(const struct agreement *a, struct buffer *out)
{
	struct json j = { .out = out };

	json_object(&j, NULL);
	json_hash(&j, "id", a->id);
	json_text(&j, "phase", agreement_phase_name(a->phase));
	json_array(&j, "parties");
	for (unsigned side = 0; side < 2; side++)
		json_string(&j, NULL, a->party[side]);
	json_array_end(&j);
	json_string(&j, "depositary", a->depositary);
	json_string(&j, "offered_by", a->offered_by);
	print_signatures(&j, a);
	json_time(&j, "offered", a->offered_ms);
	json_time(&j, "countersigned", a->countersigned_ms);
	json_time(&j, "start", a->start_ms);
	json_time(&j, "end", a->end_ms);
	json_time(&j, "leaves", a->leaves_ms);
	json_time(&j, "ended", a->ended_ms);
	print_duration(&j, "exit_notice", a->exit_notice_ms);
	print_duration(&j, "consult", a->rules.consult_ms);
	json_number(&j, "restore", a->rules.restore);
	json_bool(&j, "demonstration", a->demonstration);
	print_lists(&j, a);
	json_object_end(&j);
}
