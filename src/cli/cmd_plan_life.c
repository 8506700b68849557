/* How it goes with a plan: what its party says of it, what others ask of its party, and where it stands. */
#include "cli/acting.h"

#include "regime/plan_life.h"
#include "regime/plan_terms.h"

/* ---- what its party says ---- */

/* The matter in the operand, which must be a plan. In the snapshot of the batch. */
static enum err find_plan(struct cli *c, const struct state *st, struct matter *m)
{
	enum err e = cli_matter(c, st, c->operands[0], m);

	return e == OK && m->kind != KIND_PLAN ? fail(ERR_MATTER_UNKNOWN, "a %s, no plan", kind_name(m->kind)) : e;
}

static void add_option(struct cli *c, struct statement_writer *w, const char *name)
{
	const char *value = cli_option(c, name);

	if (value != NULL)
		statement_add(w, name, span_of(value));
}

/* `outcome` in an answer to the plan; without one it is withdrawn. seen_ms 0: no such line. */
static enum err write_word(struct cli *c, struct node *n, const char *outcome, int64_t seen_ms, struct appended *out)
{
	struct statement_writer w = { 0 };
	const struct signer *key;
	struct matter m;
	enum err e = find_plan(c, node_batch_state(n), &m);

	if (e == OK)
		e = seen_ms != 0 ? act_signer(c, n, &key) : act_signer_of(n, m.from, &key);
	if (e != OK)
		return e;
	statement_begin(&w, outcome != NULL ? KIND_ANSWER : KIND_WITHDRAW, node_origin(n, LEDGER_PUBLIC),
			signer_verifier(key));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", m.id);
	if (outcome != NULL)
		statement_add(&w, "outcome", span_of(outcome));
	if (seen_ms != 0)
		statement_add_time(&w, "seen", seen_ms);
	add_option(c, &w, "text");
	return act_add(n, &w, key, out);
}

static int say(struct cli *c, const char *outcome, int64_t seen_ms)
{
	struct appended said;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = act_end(n, write_word(c, n, outcome, seen_ms, &said));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, outcome != NULL ? "answer" : "withdrawal", &said);
	return EXIT_OK;
}

int cmd_plan_start(struct cli *c)
{
	return say(c, "started", 0);
}

int cmd_plan_delay(struct cli *c)
{
	return say(c, "delayed", 0);
}

int cmd_plan_suspend(struct cli *c)
{
	return say(c, "suspended", 0);
}

int cmd_plan_close(struct cli *c)
{
	return say(c, "closed", 0);
}

int cmd_plan_cancel(struct cli *c)
{
	return say(c, NULL, 0);
}

int cmd_plan_seen(struct cli *c)
{
	int64_t seen_ms = 0;
	enum err e = cli_time(c, "time", clock_now_ms(), &seen_ms);

	return e == OK ? say(c, "re-observed", seen_ms) : cli_fail(c, e);
}

/* ---- what others ask of its party ---- */

static enum err add_question(struct cli *c, struct statement_writer *w)
{
	const char *source = cli_option(c, "source");
	char text[PREFIX_TEXT];
	struct prefix p;
	int64_t first, last;
	enum err e = cli_time(c, "first", 0, &first);

	if (e == OK)
		e = cli_time(c, "last", first, &last);
	if (e != OK)
		return e;
	if (source == NULL || cli_option(c, "first") == NULL)
		return fail(ERR_USAGE, "--source and --first: what was seen from where, and when");
	if (prefix_parse(span_of(source), &p) != OK)
		return fail(ERR_PREFIX, "--source `%s`", source);
	statement_add(w, "source", span_make(text, prefix_format(p, text)));
	statement_add_time(w, "first", first);
	statement_add_time(w, "last", last);
	return OK;
}

static enum err write_order(void *context, struct cli *c, struct node *n, const struct signer *key,
			    struct statement_writer *w)
{
	const char *need = *(const char **)context;
	struct matter m;
	enum err e = find_plan(c, node_batch_state(n), &m);

	if (e != OK)
		return e;
	statement_begin(w, KIND_REQUEST, node_origin(n, LEDGER_CIRCLE), signer_verifier(key));
	statement_add(w, "to", m.from);
	statement_add_time(w, "date", clock_now_ms());
	statement_add_hash(w, "re", m.id);
	statement_add(w, "need", span_of(need));
	if (strcmp(need, "confirm") == 0 && (e = add_question(c, w)) != OK)
		return e;
	add_option(c, w, "text");
	if (m.demonstration)
		statement_add(w, "demonstration", SPAN("yes"));
	return OK;
}

static int order(struct cli *c, const char *need)
{
	return act_say(c, "request", write_order, &need, NULL);
}

int cmd_plan_recall(struct cli *c)
{
	return order(c, "recall");
}

int cmd_plan_explain(struct cli *c)
{
	return order(c, "explain");
}

int cmd_plan_confirm(struct cli *c)
{
	return order(c, "confirm");
}

/* ---- where it stands ---- */

struct listing {
	struct cli *c;
	struct node *n;
	struct state st;
	int64_t now_ms;
	const char *party; /* NULL: all */
	struct json *orders;
};

static size_t count_of(const struct statement *s, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < s->header_count; i++)
		count += span_is(s->headers[i].name, name);
	return count;
}

static void json_values(struct json *j, const char *key, const struct statement *s, const char *name)
{
	json_array(j, key);
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, name))
			json_string(j, NULL, s->headers[i].value);
	json_array_end(j);
}

/* What the short form leaves out. Of what is not declared nothing, but empty lists. */
static void json_terms(struct json *j, const struct statement *s)
{
	static const char *const once[][2] = {
		{ "repeat", "repeat" },		  { "rate", "rate" },
		{ "rate_each", "rate-each" },	  { "contact", "contact" },
		{ "reference", "reference" },	  { "ethics", "ethics" },
		{ "stop_within", "stop-within" }, { "commitment", "commitment" },
	};
	static const char *const lists[][2] = {
		{ "to", "to" },
		{ "alternates", "alternate" },
		{ "targets", "target" },
		{ "excludes", "exclude" },
		{ "transports", "transport" },
		{ "ports", "port" },
		{ "markers", "marker" },
	};

	json_bool(j, "intrusive", span_is(statement_value(s, "intrusive"), "yes"));
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (statement_header(s, once[i][1]) != NULL)
			json_string(j, once[i][0], statement_value(s, once[i][1]));
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		json_values(j, lists[i][0], s, lists[i][1]);
}

static void json_life(struct json *j, const struct plan_life *life)
{
	json_text(j, "phase", plan_phase_name(life->phase));
	json_bool(j, "short_notice", life->short_notice);
	json_number(j, "acknowledged", life->acknowledged);
	json_number(j, "objected", life->objected);
	json_number(j, "accepted", life->accepted);
	json_number(j, "countersigned", life->countersigned);
	if (life->needs_consent)
		json_bool(j, "consent", life->has_consent);
	json_time(j, "recalled", life->recalled_ms);
	json_time(j, "stopped", life->stopped_ms);
	json_bool(j, "stopped_late", life->stopped_late);
	if (life->has_before)
		json_hash(j, "before", life->before);
	if (life->has_after)
		json_hash(j, "after", life->after);
}

/* Left open: who shows one plan adds what was asked about it. */
static struct json *plan_object(struct cli *c, const struct matter *m, const struct statement *s,
				const struct plan_life *life)
{
	struct json *j = cli_object(c);

	json_hash(j, "id", m->id);
	json_string(j, "from", m->from);
	json_string(j, "activity", statement_value(s, "activity"));
	json_string(j, "start", statement_value(s, "start"));
	json_string(j, "end", statement_value(s, "end"));
	json_time(j, "logged", m->logged_ms);
	json_string(j, "purpose", statement_value(s, "purpose"));
	json_bool(j, "withdrawn", m->withdrawn);
	json_bool(j, "demonstration", span_is(statement_value(s, "demonstration"), "yes"));
	json_values(j, "sources", s, "source");
	json_life(j, life);
	return j;
}

static enum err list_plan(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct plan_life life;
	struct statement s;
	char hex[HASH_HEX + 1];
	enum err e = OK;

	if (l->party != NULL && !span_is(m->from, l->party))
		return OK;
	e = act_statement(l->c, l->n, m->ledger, m->index, &s, NULL);
	if (e == OK)
		e = plan_life(&l->st, m->id, l->now_ms, &life);
	if (e != OK)
		return e;
	if (l->c->json) {
		plan_object(l->c, m, &s, &life);
		cli_object_end(l->c);
		return OK;
	}
	hash_hex(m->id, hex);
	printf("%.12s  ", hex);
	cli_column(m->from, 28);
	cli_column(statement_value(&s, "activity"), 11);
	cli_column(span_of(plan_phase_name(life.phase)), 10);
	printf("%.10s to %.10s  %zu source%s%s%s%s\n", statement_value(&s, "start").at, statement_value(&s, "end").at,
	       count_of(&s, "source"), count_of(&s, "source") == 1 ? "" : "s", m->withdrawn ? "  withdrawn" : "",
	       life.short_notice ? "  short notice" : "",
	       span_is(statement_value(&s, "demonstration"), "yes") ? "  [demonstration]" : "");
	return OK;
}

int cmd_plan_list(struct cli *c)
{
	struct listing l = { .c = c, .now_ms = clock_now_ms(), .party = cli_option(c, "party") };
	enum err e = node_open(c->dir, NODE_READ, &l.n);

	if (e == OK && (e = node_read(l.n, c->arena, &l.st)) == OK) {
		if (cli_flag(c, "overdue"))
			e = plans_overdue(&l.st, l.now_ms, list_plan, &l);
		else
			e = state_matters(&l.st, LEDGER_PUBLIC, KIND_PLAN, 0, list_plan, &l);
		snapshot_end(l.st.snapshot);
	}
	node_close(l.n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err show_order(void *context, const struct plan_order *o)
{
	struct listing *l = context;
	char hex[HASH_HEX + 1], ordered[CLOCK_TEXT], by[CLOCK_TEXT] = "";

	if (l->orders != NULL) {
		json_object(l->orders, NULL);
		json_hash(l->orders, "request", o->request);
		json_string(l->orders, "need", o->need);
		json_string(l->orders, "from", o->from);
		json_time(l->orders, "ordered", o->ordered_ms);
		json_time(l->orders, "stop_by", o->stop_by_ms);
		json_text(l->orders, "outcome", o->answered_ms != 0 ? outcome_name(o->outcome) : NULL);
		json_bool(l->orders, "withdrawn", o->withdrawn);
		json_object_end(l->orders);
		return OK;
	}
	hash_hex(o->request, hex);
	cli_date(o->ordered_ms, ordered);
	if (o->stop_by_ms != 0)
		cli_date(o->stop_by_ms, by);
	printf("  %.12s  %.*s by %.*s, %s%s%s: %s\n", hex, SPAN_FORMAT(o->need), SPAN_FORMAT(o->from), ordered,
	       o->stop_by_ms != 0 ? ", to stop by " : "", by,
	       o->withdrawn	     ? "withdrawn"
	       : o->answered_ms != 0 ? outcome_name(o->outcome)
				     : "no answer yet");
	return OK;
}

/* What people want to know of its life, a line for each that is so. */
static void print_life(const struct plan_life *life)
{
	char text[CLOCK_TEXT];

	if (life->short_notice)
		printf("  filed at short notice\n");
	if (life->acknowledged > 0)
		printf("  %u answered: %u accepted, %u objected\n", life->acknowledged, life->accepted, life->objected);
	if (life->countersigned > 0)
		printf("  countersigned by %u\n", life->countersigned);
	if (life->needs_consent)
		printf("  %s\n", life->has_consent ? "its targets consented before the start"
						   : "WITHOUT the consent of its targets");
	if (life->recalled_ms == 0)
		return;
	cli_date(life->recalled_ms, text);
	printf("  recalled %s", text);
	if (life->stopped_ms != 0)
		cli_date(life->stopped_ms, text);
	printf(", %s%s%s\n", life->stopped_ms != 0 ? "stopped " : "not stopped", life->stopped_ms != 0 ? text : "",
	       life->stopped_late ? ", LATE" : "");
}

static enum err show_plan(struct listing *l)
{
	struct plan_life life;
	struct statement s;
	struct matter m;
	char hex[HASH_HEX + 1];
	enum err e = find_plan(l->c, &l->st, &m);

	if (e == OK)
		e = act_statement(l->c, l->n, m.ledger, m.index, &s, NULL);
	if (e == OK)
		e = plan_life(&l->st, m.id, l->now_ms, &life);
	if (e != OK)
		return e;
	if (l->c->json) {
		l->orders = plan_object(l->c, &m, &s, &life);
		json_terms(l->orders, &s);
		json_array(l->orders, "orders");
		e = plan_orders(&l->st, m.id, show_order, l);
		json_array_end(l->orders);
		if (e == OK)
			cli_object_end(l->c);
		return e;
	}
	hash_hex(m.id, hex);
	printf("%s %s%s%s\n", hex, cli_bold(l->c), plan_phase_name(life.phase), cli_plain(l->c));
	for (size_t i = 0; i < s.header_count; i++) {
		cli_column(s.headers[i].name, 12);
		cli_print(s.headers[i].value);
		printf("\n");
	}
	print_life(&life);
	return plan_orders(&l->st, m.id, show_order, l);
}

int cmd_plan_show(struct cli *c)
{
	struct listing l = { .c = c, .now_ms = clock_now_ms() };
	enum err e = node_open(c->dir, NODE_READ, &l.n);

	if (e == OK && (e = node_read(l.n, c->arena, &l.st)) == OK) {
		e = show_plan(&l);
		snapshot_end(l.st.snapshot);
	}
	node_close(l.n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
