/* answer, withdraw, submit: what moves a matter on. */
#include "cli/acting.h"

#include "cli/resolving.h"
#include "route/follow_up.h"

/* Whom the node speaks for, and how that came; what was said besides. */
static void add_manner(struct cli *c, struct statement_writer *w)
{
	const char *for_party = cli_option(c, "for"), *via = cli_option(c, "via"), *text = cli_option(c, "text");

	if (for_party != NULL)
		statement_add(w, "for", span_of(for_party));
	if (via != NULL)
		statement_add(w, "via", span_of(via));
	if (text != NULL)
		statement_add(w, "text", span_of(text));
}

static enum err write_answer(struct cli *c, struct node *n, const struct matter *m, enum outcome outcome,
			     const struct signer *key, struct act_evidence *v, struct appended *out)
{
	const char *better = cli_option(c, "better");
	struct statement_writer w = { 0 };
	enum err e;

	statement_begin(&w, KIND_ANSWER, node_origin(n, m->ledger), signer_verifier(key));
	statement_add(&w, "to", m->from);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", m->id);
	statement_add(&w, "outcome", span_of(outcome_name(outcome)));
	if (better != NULL)
		statement_add(&w, "better", span_of(better));
	add_manner(c, &w);
	if (v->payload.at != NULL) {
		act_evidence_seal(v, m->id, key);
		statement_add_body(&w, &v->body);
	}
	e = act_add(n, &w, key, out);
	return e == OK && v->payload.at != NULL ? node_add_body(n, &v->body, v->salt, &v->payload, 1) : e;
}

/* The national team, where tables and claims tell it. */
static enum err national_team(struct cli *c, struct node *n, const struct matter *m, struct addressee *out, bool *found)
{
	struct resolving resolving;
	enum err e = resolving_with(c, n, &resolving);

	*found = false;
	if (e == ERR_TABLE_MISSING)
		return OK;
	if (e == OK)
		e = follow_up_country(n, node_batch_state(n), c->arena, resolving.resolver, m, out, found);
	resolving_end(&resolving);
	return e;
}

/* Who filed the notice is asked, and the national team. */
static enum err write_request(struct cli *c, struct node *n, struct hash id, const struct signer *key,
			      struct appended *out)
{
	const char *need = cli_option(c, "need");
	struct statement_writer w = { 0 };
	struct addressee team;
	struct matter m;
	bool found = false;
	enum err e = state_matter(node_batch_state(n), id, &m);

	if (e == OK)
		e = national_team(c, n, &m, &team, &found);
	if (e != OK)
		return e;
	statement_begin(&w, KIND_REQUEST, node_origin(n, m.ledger), signer_verifier(key));
	statement_add(&w, "to", m.from);
	if (found && !span_equal(team.domain, m.from) && !span_is(team.domain, signer_verifier(key)->name))
		statement_add_to(&w, &team);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", m.id);
	statement_add(&w, "need", span_of(need != NULL ? need : "help"));
	add_manner(c, &w);
	if (m.demonstration)
		statement_add(&w, "demonstration", SPAN("yes"));
	return act_add(n, &w, key, out);
}

static void tell_meaning(const struct cli *c, enum outcome outcome)
{
	if (c->json)
		return;
	if (outcome == OUTCOME_ACKNOWLEDGED)
		printf("Acknowledging is not admitting: it says that the notice was read.\n");
	if (outcome == OUTCOME_NOT_OURS)
		printf("`comity follow-up` takes it on, to whom you named or one level up.\n");
}

/* The first `cannot` to a notice asks for help, and any that says what is needed. */
static bool asks(struct cli *c, const struct matter *m, enum outcome outcome)
{
	return m->kind == KIND_NOTICE && outcome == OUTCOME_CANNOT &&
	       (m->cannot_ms == 0 || cli_option(c, "need") != NULL);
}

struct answering {
	enum outcome outcome;
	struct act_evidence evidence;
	bool asked; /* for help besides */
	struct appended answer, request;
};

static enum err read_answer(struct cli *c, struct answering *a)
{
	enum err e = outcome_parse(span_of(c->operands[1]), &a->outcome);

	if (e == OK && cli_option(c, "need") != NULL && a->outcome != OUTCOME_CANNOT)
		e = fail(ERR_USAGE, "--need goes with cannot");
	if (e == OK)
		e = act_evidence_read(c, &a->evidence);
	if (e == OK && a->evidence.payload.at != NULL && a->outcome != OUTCOME_DISPUTED &&
	    a->outcome != OUTCOME_RECOVERED)
		e = fail(ERR_USAGE, "--evidence goes with disputed and with recovered");
	return e;
}

static enum err log_answer(struct cli *c, struct node *n, struct answering *a)
{
	const struct signer *key;
	struct matter m;
	enum err e = cli_matter(c, node_batch_state(n), c->operands[0], &m);

	if (e == OK)
		e = act_signer(c, n, &key);
	if (e != OK)
		return e;
	a->asked = asks(c, &m, a->outcome);
	e = write_answer(c, n, &m, a->outcome, key, &a->evidence, &a->answer);
	return e == OK && a->asked ? write_request(c, n, m.id, key, &a->request) : e;
}

int cmd_answer(struct cli *c)
{
	struct answering a = { .asked = false };
	struct node *n = NULL;
	enum err e = read_answer(c, &a);

	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, log_answer(c, n, &a));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "answer", &a.answer);
	if (a.asked)
		act_report(c, "request", &a.request);
	tell_meaning(c, a.outcome);
	return EXIT_OK;
}

int cmd_withdraw(struct cli *c)
{
	return act_withdraw(c, KIND_COUNT, NULL);
}
