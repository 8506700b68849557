/* Requests. Beside a notice: who answered `cannot` says what is missing, to those who may have it. To the party of a plan: to
 * stop, to explain, to say whether it was it (plan_life.c). Beside nothing: for help, or a ping (help_ask.c). */
#include "regime/deconflict.h"
#include "regime/help_private.h"

#define TEXT_MAX 280

static enum err check_words(const struct statement *s)
{
	struct span need = statement_header(s, "need")->value;
	bool demonstration;
	enum err e = value_text(s, "text", TEXT_MAX);

	if (e == OK)
		e = help_word("need", need);
	for (size_t i = 0; e == OK && s->has_re && i < s->to_count; i++)
		if (s->to[i].type == TO_ALL)
			e = fail(ERR_STATEMENT_HEADER, "to: a request goes to who may help, not to all");
	return e == OK ? value_yes(s, "demonstration", &demonstration) : e;
}

/* A guest may come to a helper who was never shown the notice; its home has judged who may file it. */
enum err request_check(const struct state *st, const struct statement *s)
{
	struct matter m;
	enum err e = check_words(s);

	if (e == OK && !s->has_re)
		return help_check(st, s);
	if (e == OK && deconflict_is_request(s))
		return deconflict_check(st, s);
	if (e == OK && s->has_body)
		e = fail(ERR_STATEMENT_HEADER, "body: only beside need deconflict");
	if (e == OK)
		e = matter_referred(st, s, kind_rules(KIND_REQUEST)->refers, &m);
	if (e == ERR_MATTER_UNKNOWN && st->is_guest)
		return OK;
	if (e == OK && m.kind == KIND_PLAN)
		return plan_request_check(st, s, &m);
	if (e == OK && m.withdrawn)
		e = fail(ERR_OUTCOME, "re: it was withdrawn");
	if (e == OK && m.cannot_ms == 0 && !st->is_guest)
		e = fail(ERR_OUTCOME, "re: nobody answered cannot");
	if (e == OK)
		e = codes_check(st, s, m.class);
	return e == OK ? answer_check_addressee(st, s, &m) : e;
}

enum err request_fold(struct state *st, const struct statement *s)
{
	struct matter m, about;
	enum err e = matter_make(st, s, &m);

	if (e == OK && !s->has_re) {
		e = help_requested(st, s, &m);
		return e == OK ? matter_add(st, &m) : e;
	}
	if (e == OK)
		e = matter_referred(st, s, kind_rules(KIND_REQUEST)->refers, &about);
	if (e == OK && about.kind == KIND_PLAN)
		e = plan_requested(st, s, &about, &m);
	else if (e == ERR_MATTER_UNKNOWN)
		e = OK; /* a guest's */
	if (e == OK && deconflict_is_request(s))
		e = deconflict_requested(st, s);
	return e == OK ? matter_add(st, &m) : e;
}

enum err request_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	bool help = false;
	enum err e = help_is(st, m, &help);

	if (e == OK && m->has_before)
		e = plan_request_answered(st, s, m, o);
	if (e == OK && help)
		e = help_answered(st, s, m, o);
	return e == OK && o != OUTCOME_RECEIVED ? deconflict_answered(st, s, m) : e;
}
