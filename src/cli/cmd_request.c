/* Help: asked for, offered, accepted, worked on, recovered; and pings, whether a party's duty contact is there. */
#include "cli/acting.h"

#include "regime/help.h"
#include "regime/history.h"

/* ---- asking ---- */

static void add_options(struct cli *c, struct statement_writer *w, const char *name)
{
	const char *value;

	for (size_t at = 0; (value = cli_next(c, name, &at)) != NULL;)
		statement_add(w, name, span_of(value));
}

static enum err add_addressee(struct statement_writer *w, const char *text)
{
	struct addressee to;

	if (addressee_parse(span_of(text), &to) != OK || (to.type != TO_PARTY && to.type != TO_ALL))
		return fail(ERR_USAGE, "`%s`: a party's domain, or all", text);
	statement_add_to(w, &to);
	return OK;
}

static enum err write_request(void *context, struct cli *c, struct node *n, const struct signer *key,
			      struct statement_writer *w)
{
	bool ping = *(bool *)context;
	const char *to;
	enum err e = OK;

	statement_begin(w, KIND_REQUEST, node_origin(n, LEDGER_CIRCLE), signer_verifier(key));
	if (ping)
		e = add_addressee(w, c->operands[0]);
	for (size_t at = 0; e == OK && !ping && (to = cli_next(c, "to", &at)) != NULL;)
		e = add_addressee(w, to);
	if (e != OK)
		return e;
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "need", ping ? SPAN("ping") : SPAN("help"));
	if (!ping) {
		add_options(c, w, "critical");
		add_options(c, w, "skill");
		add_options(c, w, "affected");
	}
	add_options(c, w, "text");
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	return OK;
}

static int ask(struct cli *c, bool ping)
{
	if (!ping && cli_option(c, "to") == NULL)
		return cli_fail(c, fail(ERR_USAGE, "--to: who is asked, or all"));
	return act_say(c, ping ? "ping" : "request", write_request, &ping, NULL);
}

int cmd_request_help(struct cli *c)
{
	return ask(c, false);
}

int cmd_ping(struct cli *c)
{
	return ask(c, true);
}

/* ---- answering ---- */

static enum err find_request(struct cli *c, const struct state *st, struct help *out)
{
	struct matter m;
	enum err e = cli_matter(c, st, c->operands[0], &m);

	return e == OK ? state_help(st, m.id, out) : e;
}

/* What the author says is signed by its key, unless --from says whose. */
static enum err signer_for(struct cli *c, struct node *n, const struct help *h, enum outcome o,
			   const struct signer **out)
{
	bool author = o == OUTCOME_ACCEPTED || o == OUTCOME_RECOVERED || o == OUTCOME_CLOSED;

	return author && cli_option(c, "from") == NULL ? act_signer_of(n, h->matter.from, out) : act_signer(c, n, out);
}

static enum err write_answer(struct cli *c, struct node *n, enum outcome o, struct act_evidence *v,
			     struct appended *out)
{
	const char *for_party = cli_option(c, "for"), *via = cli_option(c, "via"), *whom = cli_option(c, "whom");
	struct statement_writer w = { 0 };
	const struct signer *key;
	struct help h;
	enum err e = find_request(c, node_batch_state(n), &h);

	if (e == OK)
		e = signer_for(c, n, &h, o, &key);
	if (e != OK)
		return e;
	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(key));
	statement_add(&w, "to", h.matter.from);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", h.matter.id);
	statement_add(&w, "outcome", span_of(outcome_name(o)));
	if (whom != NULL)
		statement_add(&w, "whom", span_of(whom));
	if (for_party != NULL)
		statement_add(&w, "for", span_of(for_party));
	if (via != NULL)
		statement_add(&w, "via", span_of(via));
	add_options(c, &w, "text");
	if (v->payload.at != NULL) {
		act_evidence_seal(v, h.matter.id, key);
		statement_add_body(&w, &v->body);
	}
	e = act_add(n, &w, key, out);
	return e == OK && v->payload.at != NULL ? node_add_body(n, &v->body, v->salt, &v->payload, 1) : e;
}

static int answer(struct cli *c, enum outcome o)
{
	struct act_evidence evidence = { .payload = { NULL, 0 } };
	struct appended said;
	struct node *n = NULL;
	enum err e = o == OUTCOME_RECOVERED ? act_evidence_read(c, &evidence) : OK;

	if (e == OK && o == OUTCOME_RECOVERED && evidence.payload.at == NULL)
		e = fail(ERR_USAGE, "--evidence: what shows that you recovered");
	if (e == OK && o == OUTCOME_ACCEPTED && cli_option(c, "whom") == NULL)
		e = fail(ERR_USAGE, "--whom: whose offer is accepted");
	if (e == OK)
		e = act_begin(c, &n);
	if (e == OK)
		e = act_end(n, write_answer(c, n, o, &evidence, &said));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "answer", &said);
	return EXIT_OK;
}

int cmd_request_offer(struct cli *c)
{
	return answer(c, OUTCOME_OFFERED);
}

int cmd_request_accept(struct cli *c)
{
	return answer(c, OUTCOME_ACCEPTED);
}

int cmd_request_progress(struct cli *c)
{
	return answer(c, OUTCOME_WORKING);
}

int cmd_request_decline(struct cli *c)
{
	return answer(c, OUTCOME_OBJECTED);
}

int cmd_request_recovered(struct cli *c)
{
	return answer(c, OUTCOME_RECOVERED);
}

int cmd_request_close(struct cli *c)
{
	return answer(c, OUTCOME_CLOSED);
}

/* ---- lists ---- */

struct listing {
	struct cli *c;
	bool open;
	uint64_t limit, shown;
	int64_t now_ms;
};

static char *asked_of(struct cli *c, const struct help *h)
{
	struct addressee to;
	char *text = NULL;

	for (unsigned i = 0; i < h->matter.to_count && matter_addressee(&h->matter, i, &to); i++) {
		const char *one = cli_addressee(c, &to);

		text = text == NULL ? arena_print(c->arena, "%s", one) : arena_print(c->arena, "%s, %s", text, one);
		if (text == NULL)
			break;
	}
	return text != NULL ? text : arena_copy(c->arena, "?", 1);
}

/* "answered in 3m by one.example": of the first word of a person. */
static void print_answered(const struct help *h, int64_t now_ms)
{
	enum help_reply a = help_answered_by(h, now_ms);
	char took[CLOCK_TEXT];

	if (h->first_human_ms == 0) {
		printf("%s", a == HELP_WAITING ? "no person has answered yet" : "no person answered");
		return;
	}
	clock_format_duration(h->first_human_ms - h->matter.logged_ms, took);
	printf("%s in %s by ", a == HELP_LATE ? "late, answered" : "answered",
	       h->first_human_ms - h->matter.logged_ms < 1000 ? "less than a second" : took);
	cli_print(h->first_human);
}

static enum err list_one(void *context, const struct help *h)
{
	struct listing *l = context;
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT];

	if (l->shown == l->limit || (l->open && h->matter.ended))
		return OK;
	l->shown++;
	if (l->c->json) {
		help_print(h, l->now_ms, cli_object(l->c));
		cli_object_end(l->c);
		return OK;
	}
	hash_hex(h->matter.id, hex);
	cli_date(h->matter.logged_ms, logged);
	printf("%.12s  %s  ", hex, logged);
	cli_column(h->matter.from, 20);
	cli_column(span_of(asked_of(l->c, h)), 24);
	if (!h->ping)
		printf("%-10s", help_phase_name(h->phase));
	if (!h->ping && h->critical.len > 0)
		printf("critical: %.*s; ", SPAN_FORMAT(h->critical));
	print_answered(h, l->now_ms);
	putchar('\n');
	return OK;
}

static int list(struct cli *c, bool pings)
{
	struct span to;
	struct listing l = { .c = c, .open = cli_flag(c, "open"), .now_ms = clock_now_ms() };
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = cli_number(c, "limit", UINT64_MAX, UINT64_MAX, &l.limit);

	if (e == OK)
		e = act_party(cli_option(c, "to"), &to);
	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = state_helps(&st, to, pings, list_one, &l);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_request_list(struct cli *c)
{
	return list(c, false);
}

int cmd_ping_list(struct cli *c)
{
	return list(c, true);
}

/* ---- one ---- */

struct telling {
	struct cli *c;
	const struct help *h;
	struct json *j;
};

static enum err show_line(void *context, const struct history_line *l)
{
	struct telling *t = context;
	struct buffer says = BUFFER((size_t)4 * STATEMENT_MAX);
	char when[CLOCK_TEXT];
	enum err e;

	if (t->j != NULL)
		return history_print(&t->h->matter, l, t->j);
	cli_date(l->is_guest ? l->home_ms : l->logged_ms, when);
	history_says(&t->h->matter, l, &says);
	e = says.err;
	printf("  %s  ", when);
	cli_print(buffer_view(&says));
	putchar('\n');
	buffer_free(&says);
	return e;
}

static enum err show_offer(void *context, const struct help_offer *o)
{
	struct telling *t = context;
	char when[CLOCK_TEXT];

	if (t->j != NULL) {
		help_offer_print(o, t->j);
		return OK;
	}
	cli_date(o->offered_ms, when);
	printf("  offer of %.*s%s%s%s%s%s\n", SPAN_FORMAT(o->from), o->offered_ms != 0 ? ", " : "",
	       o->offered_ms != 0 ? when : "", o->accepted_ms != 0 ? ", accepted" : "",
	       o->last_ms != 0 ? ", last word: " : "", o->last_ms != 0 ? outcome_name(o->last) : "");
	return OK;
}

static void show_head(struct cli *c, const struct help *h, const struct statement *s)
{
	char hex[HASH_HEX + 1], when[CLOCK_TEXT];

	hash_hex(h->matter.id, hex);
	cli_date(h->matter.logged_ms, when);
	printf("%s%s %.12s%s, logged %s\n  %.*s asks %s\n", cli_bold(c), h->ping ? "ping" : "request for help", hex,
	       cli_plain(c), when, SPAN_FORMAT(h->matter.from), asked_of(c, h));
	if (h->critical.len > 0)
		printf("  for critical infrastructure: %.*s, so it is never suspended\n", SPAN_FORMAT(h->critical));
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "skill"))
			printf("  skill %.*s\n", SPAN_FORMAT(s->headers[i].value));
	if (h->affected > 0)
		printf("  affected %ju\n", (uintmax_t)h->affected);
	printf("  %s; ", help_phase_name(h->phase));
	print_answered(h, clock_now_ms());
	printf("\n\n");
}

static enum err show_plain(struct telling *t, struct node *n, const struct state *st)
{
	struct statement s;
	enum err e = act_statement(t->c, n, t->h->matter.ledger, t->h->matter.index, &s, NULL);

	if (e != OK)
		return e;
	show_head(t->c, t->h, &s);
	e = history_walk(n, st, &t->h->matter, show_line, t);
	if (e == OK && t->h->offers + t->h->accepted > 0)
		putchar('\n');
	return e == OK ? help_offers(st, t->h->matter.id, show_offer, t) : e;
}

static enum err show_json(struct telling *t, struct node *n, const struct state *st)
{
	struct statement s;
	enum err e = act_statement(t->c, n, t->h->matter.ledger, t->h->matter.index, &s, NULL);

	if (e != OK)
		return e;
	t->j = cli_object(t->c);
	help_print(t->h, clock_now_ms(), t->j);
	json_array(t->j, "skills");
	for (size_t i = 0; i < s.header_count; i++)
		if (span_is(s.headers[i].name, "skill"))
			json_string(t->j, NULL, s.headers[i].value);
	json_array_end(t->j);
	json_array(t->j, "offered");
	e = help_offers(st, t->h->matter.id, show_offer, t);
	json_array_end(t->j);
	json_array(t->j, "history");
	if (e == OK)
		e = history_walk(n, st, &t->h->matter, show_line, t);
	json_array_end(t->j);
	if (e == OK)
		cli_object_end(t->c);
	return e;
}

int cmd_request_show(struct cli *c)
{
	struct state st = { 0 };
	struct node *n = NULL;
	struct help h;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		struct telling t = { .c = c, .h = &h };

		e = find_request(c, &st, &h);
		if (e == OK)
			e = c->json ? show_json(&t, n, &st) : show_plain(&t, n, &st);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
