/* answer, withdraw, submit: what moves a matter on. */
#include "cli/acting.h"

#include <unistd.h>

static enum err write_answer(struct cli *c, struct node *n, const struct matter *m, enum outcome outcome,
			     const struct signer *key, struct appended *out)
{
	const char *for_party = cli_option(c, "for"), *via = cli_option(c, "via"), *text = cli_option(c, "text");
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_ANSWER, node_origin(n, m->ledger), signer_verifier(key));
	statement_add(&w, "to", m->from);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", m->id);
	statement_add(&w, "outcome", span_of(outcome_name(outcome)));
	if (for_party != NULL)
		statement_add(&w, "for", span_of(for_party));
	if (via != NULL)
		statement_add(&w, "via", span_of(via));
	if (text != NULL)
		statement_add(&w, "text", span_of(text));
	return act_add(n, &w, key, out);
}

int cmd_answer(struct cli *c)
{
	struct matter m;
	struct appended answer;
	const struct signer *key;
	enum outcome outcome;
	struct node *n = NULL;
	enum err e = outcome_parse(span_of(c->operands[1]), &outcome);

	if (e == OK)
		e = act_begin(c, &n);
	if (e == OK)
		e = cli_matter(c, node_batch_state(n), c->operands[0], &m);
	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK)
		e = write_answer(c, n, &m, outcome, key, &answer);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "answer", &answer);
	if (!c->json && outcome == OUTCOME_ACKNOWLEDGED)
		printf("Acknowledging is not admitting: it says that the notice was read.\n");
	return EXIT_OK;
}

static enum err write_withdrawal(struct cli *c, struct node *n, struct hash id, enum ledger_id l,
				 const struct signer *key, struct appended *out)
{
	const char *text = cli_option(c, "text");
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_WITHDRAW, node_origin(n, l), signer_verifier(key));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", id);
	if (text != NULL)
		statement_add(&w, "text", span_of(text));
	return act_add(n, &w, key, out);
}

int cmd_withdraw(struct cli *c)
{
	struct matter m;
	struct appended withdrawal;
	const struct signer *key;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = cli_matter(c, node_batch_state(n), c->operands[0], &m);
	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK)
		e = write_withdrawal(c, n, m.id, m.ledger, key, &withdrawal);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "withdrawal", &withdrawal);
	return EXIT_OK;
}
