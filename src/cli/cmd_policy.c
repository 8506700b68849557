#include "cli/acting.h"

#include "regime/policy.h"

static void policy_show(struct cli *c, enum policy_action a, unsigned bits)
{
	struct json *j = c->json ? cli_object(c) : NULL;

	if (j != NULL) {
		json_text(j, "action", policy_name(a));
		json_array(j, "bases");
	} else {
		printf("%-14s", policy_name(a));
	}
	for (int b = 0; b < BASIS_COUNT; b++) {
		if ((bits & BASIS_BIT(b)) == 0)
			continue;
		if (j != NULL)
			json_text(j, NULL, basis_name((enum basis)b));
		else
			printf(" %s", basis_name((enum basis)b));
	}
	if (j != NULL) {
		json_array_end(j);
		cli_object_end(c);
	} else {
		printf("\n");
	}
}

int cmd_policy_show(struct cli *c)
{
	struct node *n = NULL;
	struct state st = { 0 };
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		for (int a = 0; e == OK && a < POLICY_COUNT; a++) {
			unsigned bits = 0;

			if ((e = state_policy(&st, (enum policy_action)a, &bits)) == OK)
				policy_show(c, (enum policy_action)a, bits);
		}
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* "divert rsc dnssec". The bases themselves are judged where the statement is. */
static enum err read_line(struct cli *c, struct buffer *line)
{
	enum policy_action a;
	enum basis b;

	if (policy_parse(span_of(c->operands[0]), &a) != OK)
		return fail(ERR_USAGE, "`%s`: divert, plan-sources or country", c->operands[0]);
	for (unsigned i = 0; i < (unsigned)c->operand_count; i++) {
		if (i > 0 && basis_parse(span_of(c->operands[i]), &b) != OK)
			return fail(ERR_USAGE, "`%s`: operator, rsc, dnssec or mandate", c->operands[i]);
		buffer_print(line, "%s%s", i > 0 ? " " : "", c->operands[i]);
	}
	return line->err;
}

int cmd_policy_set(struct cli *c)
{
	struct buffer line = BUFFER(1000);
	struct statement_writer w = { 0 };
	struct appended out;
	struct node *n = NULL;
	enum err e = read_line(c, &line);

	if (e != OK) {
		buffer_free(&line);
		return cli_fail(c, e);
	}
	if ((e = act_begin(c, &n)) == OK) {
		statement_begin(&w, KIND_RULES, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
		statement_add_time(&w, "date", clock_now_ms());
		statement_add_print(&w, "version", "%d", RULES_KNOWN);
		statement_add(&w, "policy", buffer_view(&line));
		e = act_add(n, &w, node_signer(n), &out);
	}
	buffer_free(&line);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "policy", &out);
	return EXIT_OK;
}
