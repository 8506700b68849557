#include "cli/acting.h"
#include "cli/vouching.h"
#include "exchange/party_view.h"

static void write_claims(struct cli *c, struct statement_writer *w)
{
	const char *value;

	for (size_t at = 0; (value = cli_next(c, "claim", &at)) != NULL;)
		statement_add(w, "claim", span_of(value));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
}

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
	write_claims(c, w);
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
		json_hash(j, "statement", p->statement);
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

/* ---- one party ---- */

static enum err show_claim(void *context, const struct claim *claim)
{
	struct listing *l = context;

	if (l->c->json || !span_equal(claim->party, l->p->domain))
		return list_claim(context, claim);
	printf("  %-12s %s%s\n", "claims", claim_text(l->c, claim), claim->approved ? "" : " (waits for approval)");
	return OK;
}

static void print_field(const char *name, struct span value)
{
	printf("  %-12s ", name);
	cli_print(value);
	putchar('\n');
}

static struct span ledger_key_text(struct cli *c, const struct party *p, enum ledger_id l)
{
	struct buffer text = BUFFER(1024);
	struct verifier key;
	const char *copy = NULL;
	size_t length = 0;

	if (party_ledger_key(p, l, &key) == OK) {
		verifier_print(&key, &text);
		copy = arena_copy(c->arena, text.at, text.len);
		length = copy != NULL ? text.len : 0;
	}
	buffer_free(&text);
	return span_make(copy, length);
}

/* What it holds and how that was shown, each with its end and who else holds it; never one number. */
static void show_held(struct cli *c, const struct party_held *held)
{
	char until[CLOCK_TEXT];

	printf("  %-12s %s by %s", held->now ? "holds" : "held", cli_addressee(c, &held->h.resource),
	       basis_name(held->h.basis));
	if (held->h.until_ms != INT64_MAX) {
		cli_date(held->h.until_ms, until);
		printf(", until %s", until);
	}
	for (size_t i = 0; i < held->rival_count; i++) {
		printf("%s", i == 0 ? "; so does " : ", ");
		cli_print(held->rivals[i]);
	}
	putchar('\n');
}

static void show_profile(struct cli *c, const struct party_view *v)
{
	char when[CLOCK_TEXT];

	for (size_t i = 0; i < v->count; i++)
		show_held(c, &v->held[i]);
	if (v->count == 0)
		printf("  %-12s nothing has been proven, and no claim approved\n", "holds");
	if (v->profile.last_answered_ms != 0)
		cli_date(v->profile.last_answered_ms, when);
	printf("  %-12s %s\n", "answered", v->profile.last_answered_ms != 0 ? when : "never");
}

static enum err show_as_json(struct cli *c, struct listing *l, const struct party *p, const struct party_view *v)
{
	struct json *j = cli_object(c);
	struct span value;
	enum err e;

	party_print(p, j);
	json_array(j, "contacts");
	for (unsigned i = 0; party_contact(p, i, &value); i++)
		json_string(j, NULL, value);
	json_array_end(j);
	json_array(j, "ledger_keys");
	for (int i = 0; i < LEDGER_COUNT; i++)
		if ((value = ledger_key_text(c, p, (enum ledger_id)i)).len > 0)
			json_string(j, NULL, value);
	json_array_end(j);
	json_array(j, "claims");
	e = state_claims(l->st, false, show_claim, l);
	json_array_end(j);
	if (e == OK)
		e = show_keys(c, l->st, p);
	if (e == OK)
		e = show_sponsorship(c, l->st, p);
	party_view_print(v, true, j);
	cli_object_end(c);
	return e;
}

static enum err show_party(struct cli *c, struct listing *l, const struct party *p)
{
	char logged[CLOCK_TEXT], hex[HASH_HEX + 1];
	struct party_view view;
	struct span value;
	enum err e = party_view(l->st, c->arena, p->domain, clock_now_ms(), &view);

	if (e != OK)
		return e;
	if (c->json)
		return show_as_json(c, l, p, &view);
	printf("%s", cli_bold(c));
	cli_print(p->domain);
	printf("%s%s\n", cli_plain(c), p->demonstration ? "  [demonstration]" : "");
	if (p->title.len > 0)
		print_field("title", p->title);
	for (int r = 0; r < ROLE_COUNT; r++)
		if ((p->roles & (1u << r)) != 0)
			print_field("role", span_of(role_name((enum role)r)));
	print_field("kept by", p->home);
	if (p->url.len > 0)
		print_field("url", p->url);
	for (unsigned i = 0; party_contact(p, i, &value); i++)
		print_field("contact", value);
	for (int i = 0; i < LEDGER_COUNT; i++)
		if ((value = ledger_key_text(c, p, (enum ledger_id)i)).len > 0)
			print_field("ledger key", value);
	cli_date(p->logged_ms, logged);
	hash_hex(p->statement, hex);
	printf("  %-12s %s, logged %s\n", "statement", hex, logged);
	if ((e = show_keys(c, l->st, p)) == OK)
		e = show_sponsorship(c, l->st, p);
	if (e == OK && (e = state_claims(l->st, false, show_claim, l)) == OK)
		show_profile(c, &view);
	return e;
}

int cmd_party_show(struct cli *c)
{
	struct listing l = { .c = c };
	struct state st = { 0 };
	struct node *n = NULL;
	struct party p;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		l.st = &st;
		l.p = &p;
		e = state_party(&st, c->operand_count > 0 ? span_of(c->operands[0]) : node_name(n), &p);
		if (e == OK)
			e = show_party(c, &l, &p);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- filing it anew ---- */

static void write_reach(struct cli *c, struct statement_writer *w)
{
	const char *value;

	for (size_t at = 0; (value = cli_next(c, "contact", &at)) != NULL;)
		statement_add_print(w, "contact", "mailto:%s", value);
	write_claims(c, w);
}

/* A header of the statement in force: whether what was given takes its place. */
static bool replaced(struct cli *c, struct node *n, const struct statement *s, struct span name)
{
	return span_is(name, "ledger") || span_is(name, "from") || span_is(name, "key") || span_is(name, "date") ||
	       (span_is(name, "title") && cli_option(c, "title") != NULL) ||
	       (span_is(name, "url") && cli_option(c, "url") != NULL) ||
	       (span_is(name, "contact") && cli_option(c, "contact") != NULL) ||
	       (span_is(name, "claim") && cli_option(c, "claim") != NULL) ||
	       (span_is(name, "demonstration") && cli_flag(c, "demonstration")) || span_is(name, "next-key") ||
	       (span_is(name, "ledger-key") && span_equal(s->from, node_name(n)));
}

static void write_again(struct cli *c, struct node *n, const struct statement *s, const struct signer *key,
			struct statement_writer *w)
{
	const char *title = cli_option(c, "title"), *url = cli_option(c, "url");

	statement_begin(w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	for (size_t i = 0; i < s->header_count; i++) {
		const struct header *h = &s->headers[i];
		const char *name = arena_copy(c->arena, h->name.at, h->name.len);

		if (name == NULL)
			w->err = ERR_NO_MEMORY;
		else if (!replaced(c, n, s, h->name))
			statement_add(w, name, h->value);
	}
	if (title != NULL)
		statement_add(w, "title", span_of(title));
	if (url != NULL)
		statement_add(w, "url", span_of(url));
	write_reach(c, w);
	for (int l = 0; l < LEDGER_COUNT && span_equal(s->from, node_name(n)); l++) {
		struct buffer text = BUFFER(1024);

		verifier_print(node_ledger_key(n, (enum ledger_id)l), &text);
		statement_add_buffer(w, "ledger-key", &text);
	}
}

static enum err write_update(void *context, struct cli *c, struct node *n, const struct signer *key,
			     struct statement_writer *w)
{
	struct statement present;
	struct party p;
	enum err e = state_party(node_batch_state(n), span_of(signer_verifier(key)->name), &p);

	(void)context;
	if (e == OK)
		e = act_statement(c, n, LEDGER_PUBLIC, p.index, &present, NULL);
	if (e == OK)
		write_again(c, n, &present, key, w);
	return e;
}

int cmd_party_update(struct cli *c)
{
	return act_say(c, "party", write_update, NULL, NULL);
}
