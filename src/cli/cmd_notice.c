#include "cli/acting.h"

#include "ledger/entry.h"
#include "regime/directive.h"
#include "regime/waiting.h"
#include "route/render.h"

#define EVIDENCE_MAX ((size_t)4 << 30)

struct filter {
	struct cli *c;
	const char *to;
	enum rsit_class class;
	bool open;
	uint64_t limit, shown;
};

static const char *standing(const struct matter *m)
{
	if (m->withdrawn)
		return "withdrawn";
	if (m->answered)
		return outcome_name(m->outcome);
	return m->due_ms != 0 && clock_now_ms() > m->due_ms ? "overdue" : "waiting";
}

static void notice_object(struct cli *c, const struct matter *m)
{
	struct json *j = cli_object(c);

	json_hash(j, "id", m->id);
	json_string(j, "from", m->from);
	addressee_json(j, "to", &m->to);
	json_text(j, "class", class_name(m->class));
	json_number(j, "events", (int64_t)m->events);
	json_time(j, "logged", m->logged_ms);
	json_time(j, "due", m->due_ms);
	json_text(j, "standing", standing(m));
	json_number(j, "answers", m->answers);
	json_bool(j, "ended", m->ended);
	cli_object_end(c);
}

static enum err list_notice(void *context, const struct matter *m)
{
	struct filter *f = context;
	char hex[HASH_HEX + 1], count[32], logged[CLOCK_TEXT];

	if (f->shown == f->limit || (f->class != CLASS_NONE && m->class != f->class) || (f->open && m->ended) ||
	    (f->to != NULL && strcmp(cli_addressee(f->c, &m->to), f->to) != 0))
		return OK;
	f->shown++;
	if (f->c->json) {
		notice_object(f->c, m);
		return OK;
	}
	hash_hex(m->id, hex);
	cli_thousands(m->events, count);
	cli_date(m->logged_ms, logged);
	printf("%.12s  %s  ", hex, logged);
	cli_column(span_of(cli_addressee(f->c, &m->to)), 28);
	cli_column(span_of(class_name(m->class)), 36);
	printf("%10s  %s\n", count, standing(m));
	return OK;
}

int cmd_notice_list(struct cli *c)
{
	const char *class = cli_option(c, "class");
	struct filter f = { .c = c, .to = cli_option(c, "to"), .open = cli_flag(c, "open") };
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = cli_number(c, "limit", UINT64_MAX, UINT64_MAX, &f.limit);

	if (e == OK && class != NULL)
		e = class_parse(span_of(class), &f.class);
	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, list_notice, &f);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* The answers stand behind the notice in the same ledger; the state says how many there are. */
static enum err show_answers(struct cli *c, struct node *n, const struct matter *m)
{
	uint32_t left = m->answers;
	enum err e = OK;

	for (uint64_t i = m->index + 1; e == OK && left > 0; i++) {
		struct statement s;
		const struct header *outcome, *text;
		char logged_text[CLOCK_TEXT];
		int64_t logged;

		if ((e = act_statement(c, n, m->ledger, i, &s, &logged)) != OK)
			break;
		if (s.kind != KIND_ANSWER || !s.has_re || !hash_equal(s.re, m->id))
			continue;
		left--;
		outcome = statement_header(&s, "outcome");
		text = statement_header(&s, "text");
		cli_date(logged, logged_text);
		printf("  %s  %.*s from %.*s", logged_text, SPAN_FORMAT(outcome->value), SPAN_FORMAT(s.from));
		if (s.for_party.len > 0)
			printf(" for %.*s", SPAN_FORMAT(s.for_party));
		if (text != NULL) {
			printf(": ");
			cli_print(text->value);
		}
		putchar('\n');
	}
	return e;
}

static enum err show_statement(struct cli *c, struct node *n, const struct matter *m)
{
	struct statement s;
	int64_t logged;
	char text[CLOCK_TEXT];
	enum err e = act_statement(c, n, m->ledger, m->index, &s, &logged);

	if (e != OK)
		return e;
	clock_format_ms(logged, text);
	printf("%snotice, entry %llu of the %s ledger%s, logged %s\n", cli_bold(c), (unsigned long long)m->index,
	       ledger_name(m->ledger), cli_plain(c), text);
	for (size_t i = 0; i < s.header_count; i++)
		printf("  %-9.*s %.*s\n", SPAN_FORMAT(s.headers[i].name), SPAN_FORMAT(s.headers[i].value));
	clock_format(m->due_ms, text);
	printf("\nStanding: %s", standing(m));
	if (m->due_ms != 0 && !m->ended)
		printf("; an answer is due by %s", text);
	printf(". Acknowledging is not admitting.\n");
	return show_answers(c, n, m);
}

static enum err wanted_format(const struct state *st, const struct matter *m, const char *as, enum render_format *out)
{
	struct directive d;
	bool own;
	enum err e;

	if (strcmp(as, "directed") != 0)
		return render_format_parse(span_of(as), out);
	if ((e = directive_find(st, &m->to, &d, &own)) != OK)
		return e;
	*out = (enum render_format)d.format;
	return d.format < RENDER_COUNT ? OK : fail(ERR_FORMAT_UNKNOWN, "the directive's format is of a later version");
}

static enum err show_evidence(struct cli *c, struct node *n, const struct state *st, const struct matter *m,
			      const char *as)
{
	struct render_context context = { .from = node_name(n), .notice = m->id, .class = m->class };
	const uint8_t *salt;
	struct span payload;
	enum render_format format;
	enum err e = wanted_format(st, m, as, &format);

	if (e == OK && !m->has_body)
		e = fail(ERR_NOT_FOUND, "this notice has no body");
	if (e == OK && (e = node_body(n, c->arena, m->body.hash, &salt, &payload)) == OK)
		e = render_evidence(c->arena, payload, EVIDENCE_MAX, format, &context, stdout);
	return e;
}

int cmd_notice_show(struct cli *c)
{
	const char *as = cli_option(c, "as");
	struct state st = { 0 };
	struct matter m;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = cli_matter(c, &st, c->operands[0], &m);
		if (e == OK && m.kind != KIND_NOTICE)
			e = fail(ERR_MATTER_UNKNOWN, "%s is a %s, not a notice", c->operands[0], kind_name(m.kind));
		if (e == OK && as != NULL)
			e = show_evidence(c, n, &st, &m, as);
		else if (e == OK && c->json)
			notice_object(c, &m);
		else if (e == OK)
			e = show_statement(c, n, &m);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- waiting ---- */

struct waiting {
	struct cli *c;
	struct state st;
	int64_t now_ms;
};

/* The next time that a routing run may send it. */
static enum err due(const struct waiting *w, const struct addressee *to, int64_t *out)
{
	struct directive d;
	int64_t last_ms;
	bool own;
	enum err e = directive_find(&w->st, to, &d, &own);

	if (e == OK)
		e = released_find(&w->st, to, &last_ms);
	if (e == OK)
		*out = d.interval_ms > 0 && last_ms > 0 && last_ms <= w->now_ms ? last_ms + d.interval_ms : w->now_ms;
	return e;
}

static enum err list_waiting(void *context, const struct pack *p)
{
	struct waiting *w = context;
	char count[32], since[CLOCK_TEXT], then[CLOCK_TEXT];
	int64_t due_ms;
	enum err e = due(w, &p->to, &due_ms);

	if (e != OK)
		return e;
	if (w->c->json) {
		struct json *j = cli_object(w->c);

		addressee_json(j, "to", &p->to);
		json_text(j, "class", class_name(p->class));
		json_number(j, "events", (int64_t)p->events);
		json_number(j, "repeats", (int64_t)p->repeats);
		json_number(j, "again", (int64_t)p->again);
		json_time(j, "first", p->first_ms);
		json_time(j, "last", p->last_ms);
		json_time(j, "since", p->since_ms);
		json_time(j, "due", due_ms);
		json_bool(j, "is_due", due_ms <= w->now_ms);
		cli_object_end(w->c);
		return OK;
	}
	cli_thousands(p->events, count);
	cli_date(p->since_ms, since);
	cli_date(due_ms, then);
	cli_column(span_of(cli_addressee(w->c, &p->to)), 28);
	cli_column(span_of(class_name(p->class)), 36);
	printf("%10s  since %s  %s%s\n", count, since, due_ms <= w->now_ms ? "due at the next route" : "due ",
	       due_ms <= w->now_ms ? "" : then);
	return OK;
}

int cmd_notice_waiting(struct cli *c)
{
	struct waiting w = { .c = c, .now_ms = clock_now_ms() };
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &w.st)) == OK) {
		e = packs_walk(&w.st, NULL, list_waiting, &w);
		snapshot_end(w.st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
