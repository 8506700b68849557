#include "regime/help_private.h"
#include "regime/pledge.h"

/* Asking for help, and pings: what may be asked of whom, and until when a ping has time. */

#define WORD_MAX 63
#define AFFECTED_MAX UINT32_MAX

unsigned help_lines(const struct statement *s, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, name);
	return n;
}

enum err help_word(const char *name, struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		char c = word.at[i];

		if (!(c >= 'a' && c <= 'z') && (i == 0 || (!(c >= '0' && c <= '9') && c != '-')))
			return fail(ERR_STATEMENT_HEADER, "%s: one word of a-z, 0-9 and -", name);
	}
	if (word.len > WORD_MAX)
		return fail(ERR_STATEMENT_HEADER, "%s: %zu characters, at most %d", name, word.len, WORD_MAX);
	return OK;
}

static enum err check_details(const struct statement *s, bool ping)
{
	static const struct {
		const char *name;
		unsigned most;
	} lines[] = { { "critical", 1 }, { "affected", 1 }, { "skill", HELP_SKILLS_MAX } };
	uint64_t affected = 0;
	enum err e = OK;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		unsigned n = help_lines(s, lines[i].name);

		if (n > 0 && ping)
			return fail(ERR_STATEMENT_HEADER, "%s: not in a ping", lines[i].name);
		if (n > lines[i].most)
			return fail(ERR_STATEMENT_HEADER, "%s: %u times, at most %u", lines[i].name, n, lines[i].most);
	}
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		const struct header *h = &s->headers[i];

		if (span_is(h->name, "critical"))
			e = help_word("critical", h->value);
		else if (span_is(h->name, "skill"))
			e = help_word("skill", h->value);
	}
	return e == OK ? value_number(s, "affected", AFFECTED_MAX, &affected) : e;
}

/* Parties, each once, or everybody. */
static enum err check_asked(const struct statement *s, bool ping)
{
	for (size_t i = 0; i < s->to_count; i++) {
		const struct addressee *to = &s->to[i];

		if (to->type == TO_ALL && s->to_count > 1)
			return fail(ERR_STATEMENT_HEADER, "to: all, or those who are named");
		if (to->type != TO_ALL && to->type != TO_PARTY)
			return fail(ERR_STATEMENT_HEADER, "to: parties, or all");
		if (to->type == TO_PARTY && span_equal(to->domain, s->from))
			return fail(ERR_STATEMENT_HEADER, "to: another than %.*s itself", SPAN_FORMAT(s->from));
		for (size_t j = 0; j < i; j++)
			if (addressee_equal(to, &s->to[j]))
				return fail(ERR_STATEMENT_HEADER, "to: %.*s twice", SPAN_FORMAT(to->domain));
	}
	if (ping && (s->to_count != 1 || s->to[0].type != TO_PARTY || statement_header(s, "cc") != NULL))
		return fail(ERR_STATEMENT_HEADER, "to: a ping goes to one party");
	return OK;
}

enum err help_check(const struct state *st, const struct statement *s)
{
	struct span need = statement_header(s, "need")->value;
	bool ping = span_is(need, "ping");
	uint64_t rules = 0;
	enum err e = state_rules(st, &rules);

	if (e == OK && rules < RULES_PROMISES)
		e = fail(ERR_STATEMENT_HEADER, "re: missing in a request");
	if (e == OK && !ping && !span_is(need, "help"))
		e = fail(ERR_STATEMENT_HEADER, "need: without re it is help or ping");
	if (e == OK && s->for_party.len > 0)
		e = fail(ERR_NOT_YOURS, "for: who asks for help signs it itself");
	if (e == OK && s->has_body)
		e = fail(ERR_STATEMENT_HEADER, "body: only beside need deconflict");
	if (e == OK)
		e = check_asked(s, ping);
	return e == OK ? check_details(s, ping) : e;
}

static enum err put_asked(struct state *st, const struct statement *s)
{
	struct buffer nothing = BUFFER(1);
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->to_count; i++) {
		struct state_key k = key_help_asked(s->to[i].type == TO_ALL ? SPAN("") : s->to[i].domain);

		key_add_u64(&k, st->index);
		e = state_put(st, &k, &nothing);
	}
	buffer_free(&nothing);
	return e;
}

struct promised {
	int64_t at_ms, within_ms;
};

static enum err see_promise(void *context, const struct pledge *p)
{
	struct promised *w = context;

	if (p->demonstration || w->at_ms < p->start_ms || w->at_ms >= p->end_ms)
		return OK;
	for (size_t i = 0; i < p->term_count; i++)
		if (p->terms[i].metric == METRIC_CONTACT_LIVE && p->terms[i].within_ms < w->within_ms)
			w->within_ms = p->terms[i].within_ms;
	return OK;
}

/* Within a day, or sooner if the party pledged so. */
static enum err ping_due(const struct state *st, const struct addressee *to, int64_t *due_ms)
{
	struct promised w = { st->logged_ms, HELP_PING_DUE_MS };
	enum err e = state_pledges(st, to->domain, see_promise, &w);

	*due_ms = st->logged_ms + w.within_ms;
	return e;
}

enum err help_requested(struct state *st, const struct statement *s, struct matter *request)
{
	struct help_kept h = { .critical = statement_value(s, "critical"), .first_human = SPAN("") };
	enum err e = value_number(s, "affected", AFFECTED_MAX, &h.affected);

	if (span_is(statement_header(s, "need")->value, "ping"))
		h.flags |= HELP_FLAG_PING;
	if (s->to[0].type == TO_ALL)
		h.flags |= HELP_FLAG_ALL;
	if (e == OK && (h.flags & HELP_FLAG_PING) != 0)
		e = ping_due(st, &s->to[0], &request->due_ms);
	request->first_due_ms = request->due_ms;
	if (e == OK)
		e = help_kept_put(st, st->index, &h);
	return e == OK ? put_asked(st, s) : e;
}
