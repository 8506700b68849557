#include "regime/help_private.h"

/*
 * Answering: what fits a request for help, who may say it, and what is kept of that
 *
 * Who asks or helps may be at home on different nodes, and an answer come here by a longer way than the one that goes on from
 * it. So of guests only the form is judged, and what their home let pass counts here.
 */

bool help_by_author(enum outcome o)
{
	return o == OUTCOME_ACCEPTED || o == OUTCOME_RECOVERED || o == OUTCOME_CLOSED;
}

static enum err check_outcome(const struct help_kept *h, enum outcome o)
{
	bool ping = (h->flags & HELP_FLAG_PING) != 0;

	switch (o) {
	case OUTCOME_RECEIVED:
	case OUTCOME_ACKNOWLEDGED:
	case OUTCOME_CLOSED:
		return OK;
	case OUTCOME_WORKING:
	case OUTCOME_OFFERED:
	case OUTCOME_OBJECTED:
	case OUTCOME_ACCEPTED:
	case OUTCOME_RECOVERED:
		return ping ? fail(ERR_OUTCOME, "%s does not fit a ping", outcome_name(o)) : OK;
	default:
		return fail(ERR_OUTCOME, "%s does not fit a request for help", outcome_name(o));
	}
}

static enum err check_whom(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	const struct header *whom = statement_header(s, "whom");
	struct addressee who;
	struct help_offer said;
	enum err e;

	if (o != OUTCOME_ACCEPTED)
		return whom != NULL ? fail(ERR_STATEMENT_HEADER, "whom: only beside outcome accepted") : OK;
	if (help_lines(s, "whom") != 1)
		return fail(ERR_STATEMENT_HEADER, "whom: one, whose offer is accepted");
	if (addressee_parse(whom->value, &who) != OK || who.type != TO_PARTY)
		return fail(ERR_STATEMENT_HEADER, "whom: a party");
	if (st->is_guest)
		return OK;
	if ((e = help_said_get(st, m->index, who.domain, &said)) != OK)
		return e;
	if (said.offered_ms == 0)
		return fail(ERR_OUTCOME, "whom: %.*s made no offer", SPAN_FORMAT(who.domain));
	if (said.last == OUTCOME_OBJECTED)
		return fail(ERR_OUTCOME, "whom: %.*s took its offer back", SPAN_FORMAT(who.domain));
	return said.accepted_ms != 0 ? fail(ERR_OUTCOME, "whom: it was accepted before") : OK;
}

static enum err check_shown(const struct statement *s, enum outcome o)
{
	if (o != OUTCOME_RECOVERED)
		return s->has_body ? fail(ERR_STATEMENT_HEADER, "body: beside outcome recovered") : OK;
	if (!s->has_body)
		return fail(ERR_STATEMENT_HEADER, "body: recovered is shown by one");
	if (!s->body.sealed)
		return fail(ERR_STATEMENT_HEADER, "body: it is private; bind it with sealed-sha256");
	return OK;
}

/* Once it is over nobody begins anything; who still says that it read it does no harm. */
static enum err check_not_over(const struct matter *m, const struct help_kept *h, enum outcome o)
{
	if (m->ended && (o == OUTCOME_OFFERED || o == OUTCOME_ACCEPTED))
		return fail(ERR_OUTCOME, "re: it is over");
	if (o == OUTCOME_CLOSED && m->closed_ms != 0)
		return fail(ERR_OUTCOME, "re: it was closed before");
	if (o == OUTCOME_RECOVERED && (m->closed_ms != 0 || h->recovered_ms != 0))
		return fail(ERR_OUTCOME, "re: it is over");
	return OK;
}

static enum err check_who(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct span who = s->for_party.len > 0 ? s->for_party : s->from;

	if (help_by_author(o))
		return span_equal(s->from, m->from) && s->for_party.len == 0
			       ? OK
			       : fail(ERR_NOT_YOURS, "only who asked may answer that");
	if (span_equal(who, m->from))
		return fail(ERR_NOT_YOURS, "only another than who asked may answer that");
	return answer_check_addressee(st, s, m);
}

enum err help_answer_check(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct help_kept h;
	enum err e = help_kept_get(st, m, &h);

	if (e == ERR_NOT_FOUND && (o == OUTCOME_OFFERED || o == OUTCOME_RECOVERED))
		return fail(ERR_OUTCOME, "%s does not fit a request beside a notice or a plan", outcome_name(o));
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = check_outcome(&h, o);
	if (e == OK)
		e = check_who(st, s, m, o);
	if (e == OK)
		e = check_shown(s, o);
	if (e == OK)
		e = check_whom(st, s, m, o);
	return e == OK && !st->is_guest ? check_not_over(m, &h, o) : e;
}

static enum err accept_offer(struct state *st, const struct statement *s, const struct matter *m, struct help_kept *h)
{
	struct help_offer said;
	struct span whom = statement_header(s, "whom")->value;
	enum err e = help_said_get(st, m->index, whom, &said);

	if (e != OK || said.accepted_ms != 0)
		return e;
	said.accepted_ms = matter_time(st, m);
	h->accepted++;
	return help_said_put(st, m->index, &said);
}

static bool earlier(int64_t *first_ms, int64_t now_ms)
{
	if (*first_ms != 0 && *first_ms <= now_ms)
		return false;
	*first_ms = now_ms;
	return true;
}

/* `received` takes no other word's place. */
static enum err hear(struct state *st, const struct statement *s, const struct matter *m, enum outcome o,
		     struct help_kept *h)
{
	struct span who = s->for_party.len > 0 ? s->for_party : s->from;
	bool human = o != OUTCOME_RECEIVED && !span_is(s->via, "node");
	int64_t now = matter_time(st, m);
	struct help_offer said;
	enum err e = help_said_get(st, m->index, who, &said);

	if (e != OK)
		return e;
	if (human && earlier(&said.first_human_ms, now) && earlier(&h->first_human_ms, now))
		h->first_human = who;
	if (o == OUTCOME_OFFERED && said.offered_ms == 0) {
		said.offered_ms = now;
		said.answer = s->id;
		h->offers++;
	}
	if (o == OUTCOME_WORKING && said.accepted_ms != 0)
		h->flags |= HELP_FLAG_WORKING;
	if (o != OUTCOME_RECEIVED || said.last_ms == 0 || said.last == OUTCOME_RECEIVED) {
		said.last_ms = now;
		said.last = o;
	}
	return help_said_put(st, m->index, &said);
}

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

enum err help_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct help_kept h;
	enum err e = help_kept_get(st, m, &h);

	if (e == OK)
		e = own(st->arena, &h.critical);
	if (e == OK)
		e = own(st->arena, &h.first_human);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	if (o == OUTCOME_RECOVERED && h.recovered_ms == 0)
		h.recovered_ms = matter_time(st, m);
	if (o == OUTCOME_ACCEPTED)
		e = accept_offer(st, s, m, &h);
	else if (!help_by_author(o))
		e = hear(st, s, m, o, &h);
	return e == OK ? help_kept_put(st, m->index, &h) : e;
}
