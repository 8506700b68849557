/* Dated statements that lapse. */
#include "cli/acting.h"
#include "cli/reading.h"
#include "regime/release.h"

/* ---- canary say ---- */

struct finding {
	struct span name;
	struct hash newest;
	bool found;
};

static enum err find_newest(void *context, const struct canary *c)
{
	struct finding *f = context;

	if (span_equal(c->name, f->name)) {
		f->newest = c->statement;
		f->found = true;
	}
	return OK;
}

static enum err write_canary(void *context, struct cli *c, struct node *n, const struct signer *key,
			     struct statement_writer *w)
{
	struct finding f = { .name = span_of(c->operands[0]) };
	int64_t until_ms = 0;
	enum err e = cli_time(c, "until", 0, &until_ms);

	(void)context;
	if (e == OK && until_ms == 0)
		e = fail(ERR_USAGE, "--until TIME says when it lapses, unless it is renewed before");
	if (e == OK)
		e = state_canaries(node_batch_state(n), span_of(signer_verifier(key)->name), find_newest, &f);
	if (e != OK)
		return e;
	statement_begin(w, KIND_CERTIFICATE, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "predicate", SPAN("canary"));
	statement_add(w, "name", f.name);
	statement_add_time(w, "end", until_ms);
	if (f.found)
		statement_add_hash(w, "re", f.newest);
	if (cli_option(c, "text") != NULL)
		statement_add(w, "text", span_of(cli_option(c, "text")));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	return OK;
}

int cmd_canary_say(struct cli *c)
{
	return act_say(c, "canary", write_canary, NULL, NULL);
}

/* ---- canary list ---- */

struct listing {
	struct cli *c;
	struct reading *from;
	size_t count;
};

/* What it says; empty where only headers of another's ledger are kept here. */
static enum err text_of(const struct listing *l, const struct canary *one, struct span *out)
{
	struct certificate known;
	const struct header *h;
	struct statement s;
	enum err e;

	*out = (struct span){ "", 0 };
	if (l->from->n == NULL)
		return OK;
	if ((e = state_certificate(&l->from->st, one->statement, &known)) != OK ||
	    (e = act_statement(l->c, l->from->n, LEDGER_PUBLIC, known.index, &s, NULL)) != OK)
		return e;
	if ((h = statement_header(&s, "text")) != NULL)
		*out = h->value;
	return OK;
}

static void object_canary(struct cli *c, const struct canary *one, struct span text)
{
	struct json *j = cli_object(c);

	json_string(j, "from", one->from);
	json_string(j, "name", one->name);
	json_hash(j, "statement", one->statement);
	json_time(j, "since", one->since_ms);
	json_time(j, "renewed", one->renewed_ms);
	json_time(j, "until", one->until_ms);
	json_bool(j, "lapsed", one->lapsed);
	json_number(j, "renewals", one->renewals);
	json_number(j, "gaps", one->gaps);
	if (text.len > 0)
		json_string(j, "text", text);
	json_bool(j, "demonstration", one->demonstration);
	cli_object_end(c);
}

static enum err on_canary(void *context, const struct canary *one)
{
	struct listing *l = context;
	char since[CLOCK_TEXT], until[CLOCK_TEXT];
	struct span text;
	enum err e = OK;

	if (l->c->operand_count > 0 && !span_is(one->from, l->c->operands[0]))
		return OK;
	l->count++;
	if ((e = text_of(l, one, &text)) != OK)
		return e;
	if (l->c->json) {
		object_canary(l->c, one, text);
		return OK;
	}
	cli_date(one->since_ms, since);
	cli_date(one->until_ms, until);
	cli_column(one->from, 28);
	cli_column(one->name, 20);
	printf("%s %s, first said %s, renewed %u time%s, %u gap%s\n", one->lapsed ? "lapsed since" : "in force until",
	       until, since, one->renewals, one->renewals == 1 ? "" : "s", one->gaps, one->gaps == 1 ? "" : "s");
	if (text.len > 0) {
		printf("  ");
		cli_print(text);
		putchar('\n');
	}
	return OK;
}

int cmd_canary_list(struct cli *c)
{
	struct reading from;
	struct listing l = { .c = c, .from = &from };
	enum err e = reading_begin(c, &from);

	if (e == OK)
		e = state_canaries(&from.st, SPAN(""), on_canary, &l);
	reading_end(&from);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf(l.count == 0 ? "no canaries\n" : "A lapse says that nobody renewed it, and nothing else.\n");
	return EXIT_OK;
}
