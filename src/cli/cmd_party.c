#include "cli/acting.h"

static void write_party(struct cli *c, struct node *n, struct statement_writer *w, const struct signer *key)
{
	const struct verifier *v = signer_verifier(key);
	uint8_t algorithm_and_key[1 + KEY_PUBLIC_SIZE] = { (uint8_t)v->algorithm };
	char base64[BASE64_LENGTH(sizeof(algorithm_and_key)) + 1];
	const char *title = cli_option(c, "title"), *value;
	size_t at = 0;

	memcpy(algorithm_and_key + 1, v->public_key, KEY_PUBLIC_SIZE);
	base64_encode(algorithm_and_key, sizeof(algorithm_and_key), base64);
	statement_begin(w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), v);
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "public-key", span_of(base64));
	if (cli_option(c, "role") == NULL)
		statement_add(w, "role", span_of(role_name(ROLE_OPERATOR)));
	while ((value = cli_next(c, "role", &at)) != NULL)
		statement_add(w, "role", span_of(value));
	if (title != NULL)
		statement_add(w, "title", span_of(title));
	for (at = 0; (value = cli_next(c, "claim", &at)) != NULL;)
		statement_add(w, "claim", span_of(value));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
}

static enum err judge(struct node *n, struct hash party_statement, enum outcome outcome, struct appended *out)
{
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", party_statement);
	statement_add(&w, "outcome", span_of(outcome_name(outcome)));
	return act_add(n, &w, node_signer(n), out);
}

int cmd_party_add(struct cli *c)
{
	struct span domain = span_of(c->operands[0]);
	const struct signer *key;
	struct statement_writer w = { 0 };
	struct appended party, approval;
	struct node *n = NULL;
	bool approve = cli_flag(c, "approve");
	enum err e = span_is_domain(domain) ? act_begin(c, &n)
					    : fail(ERR_DOMAIN, "`%s` cannot name a party", c->operands[0]);

	if (e == OK)
		e = node_party_signer(n, domain, true, &key);
	if (e == OK) {
		write_party(c, n, &w, key);
		e = act_add(n, &w, key, &party);
	}
	if (e == OK && approve)
		e = judge(n, party.id, OUTCOME_ACCEPTED, &approval);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "party", &party);
	if (approve)
		act_report(c, "approval", &approval);
	return EXIT_OK;
}

int cmd_party_approve(struct cli *c)
{
	enum outcome outcome = cli_flag(c, "object") ? OUTCOME_OBJECTED : OUTCOME_ACCEPTED;
	struct appended answer;
	struct party p;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = state_party(node_batch_state(n), span_of(c->operands[0]), &p);
	if (e == OK)
		e = judge(n, p.statement, outcome, &answer);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, outcome == OUTCOME_ACCEPTED ? "approval" : "objection", &answer);
	return EXIT_OK;
}

struct listing {
	struct cli *c;
	const struct state *st;
	const struct party *p;
	size_t claims, shown;
};

static char *claim_text(struct cli *c, const struct claim *claim)
{
	struct addressee as = { .type = claim->type,
				.asn = claim->asn,
				.prefix = claim->prefix,
				.country = { claim->country[0], claim->country[1], 0 } };

	return cli_addressee(c, &as);
}

static enum err list_claim(void *context, const struct claim *claim)
{
	struct listing *l = context;
	char *text;

	if (!span_equal(claim->party, l->p->domain))
		return OK;
	text = claim_text(l->c, claim);
	if (l->c->json) {
		json_object(&l->c->object, NULL);
		json_text(&l->c->object, "resource", text);
		json_bool(&l->c->object, "approved", claim->approved);
		json_object_end(&l->c->object);
	} else if (l->claims < 3) {
		printf("%s%s%s", l->claims == 0 ? "" : ", ", text, claim->approved ? "" : " (waits for approval)");
	}
	l->claims++;
	return OK;
}

static enum err list_party(void *context, const struct party *p)
{
	struct listing *l = context;
	enum err e;

	l->p = p;
	l->claims = 0;
	if (l->c->json) {
		struct json *j = cli_object(l->c);

		json_string(j, "party", p->domain);
		json_string(j, "title", p->title);
		json_text(j, "role", role_name(p->role));
		json_bool(j, "demonstration", p->demonstration);
		cli_json_hash(j, "statement", p->statement);
		json_array(j, "claims");
		e = state_claims(l->st, false, list_claim, l);
		json_array_end(j);
		cli_object_end(l->c);
	} else {
		cli_column(p->domain, 28);
		cli_column(span_of(role_name(p->role)), 14);
		cli_column(p->title, 32);
		e = state_claims(l->st, false, list_claim, l);
		if (l->claims > 3)
			printf(", and %zu more", l->claims - 3);
		printf("%s\n", p->demonstration ? "  [demonstration]" : "");
	}
	l->shown++;
	return e;
}

int cmd_party_list(struct cli *c)
{
	struct listing l = { .c = c };
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		l.st = &st;
		e = state_parties(&st, list_party, &l);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
