/* How a party's key changes: by the old key's word, by its owner's alarm, by its sponsors. The files: regime/node_keys.c. */
#include "base/encoding.h"
#include "cli/acting.h"
#include "regime/vouch.h"

static struct span whose(struct cli *c, const struct node *n)
{
	const char *party = cli_option(c, "party");

	return party != NULL ? span_of(party) : node_name(n);
}

static void write_key(struct statement_writer *w, const struct verifier *v)
{
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { (uint8_t)v->algorithm };
	char text[BASE64_LENGTH(sizeof(bytes)) + 1];

	memcpy(bytes + 1, v->public_key, KEY_PUBLIC_SIZE);
	base64_encode(bytes, sizeof(bytes), text);
	statement_add(w, "public-key", span_of(text));
}

static bool is_of_key(struct span name)
{
	return span_is(name, "ledger") || span_is(name, "from") || span_is(name, "key") || span_is(name, "date") ||
	       span_is(name, "public-key") || span_is(name, "next-key");
}

/* The statement in force once more, by this key. next: the one that shall follow, or NULL. */
static enum err file_again(struct cli *c, struct node *n, const struct statement *s, const struct signer *key,
			   const struct signer *next, struct appended *out)
{
	struct statement_writer w = { 0 };
	enum err e = OK;

	statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(&w, "date", clock_now_ms());
	write_key(&w, signer_verifier(key));
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		const struct header *h = &s->headers[i];
		const char *name = arena_copy(c->arena, h->name.at, h->name.len);

		if (name == NULL)
			e = ERR_NO_MEMORY;
		else if (!is_of_key(h->name))
			statement_add(&w, name, h->value);
	}
	if (next != NULL)
		statement_add_hash(&w, "next-key", verifier_fingerprint(signer_verifier(next)));
	if (e == OK)
		return act_add(n, &w, key, out);
	statement_writer_free(&w);
	return e;
}

/* Commits, puts the new key into its place, and only then signs a tick. */
static enum err end(struct node *n, struct span domain, enum err e)
{
	bool finished;

	if (n == NULL)
		return e;
	if (e == OK)
		e = node_commit(n);
	else
		node_abandon(n);
	if (e == OK)
		e = node_settle_key(n, domain, &finished);
	if (e == OK)
		e = node_tick(n, false);
	if (e == OK)
		e = node_publish(n);
	node_close(n);
	return e;
}

static void report_key(struct cli *c, const char *what, const struct signer *s)
{
	char hex[HASH_HEX + 1];

	hash_hex(verifier_fingerprint(signer_verifier(s)), hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "what", what);
		json_text(j, "party", signer_verifier(s)->name);
		json_text(j, "fingerprint", hex);
		cli_object_end(c);
	} else {
		printf("%s of %s: %s\n", what, signer_verifier(s)->name, hex);
	}
}

/* What an earlier call began is finished before anything new is begun: then that was all. */
static enum err open_settled(struct cli *c, struct node **n, bool *finished)
{
	enum err e = node_open(c->dir, NODE_WRITE, n);
	bool here = false;

	*finished = false;
	if (e != OK)
		return e;
	cli_mended(*n);
	e = node_settle_key(*n, whose(c, *n), &here);
	*finished = here || (node_settled(*n) && span_equal(whose(c, *n), node_name(*n)));
	return e;
}

static enum err present_statement(struct cli *c, struct node *n, struct span domain, struct statement *out)
{
	struct party p;
	enum err e = state_party(node_batch_state(n), domain, &p);

	return e == OK ? act_statement(c, n, LEDGER_PUBLIC, p.index, out, NULL) : e;
}

int cmd_party_rotate(struct cli *c)
{
	const struct signer *key = NULL;
	struct signer *next = NULL;
	struct appended announced, filed;
	struct statement present;
	struct node *n = NULL;
	struct span domain = SPAN("");
	bool finished = false;
	enum err e = open_settled(c, &n, &finished);

	if (e == OK) {
		domain = whose(c, n);
		e = node_party_signer(n, domain, false, &key);
	}
	if (e == OK && finished) {
		report_key(c, "key that an earlier call had begun to change, now in its place:", key);
		node_close(n);
		return EXIT_OK;
	}
	if (e == OK)
		e = node_next_signer(n, domain, &next);
	if (e == OK && (e = node_begin(n)) == OK) {
		e = present_statement(c, n, domain, &present);
		if (e == OK)
			e = file_again(c, n, &present, key, next, &announced);
		if (e == OK)
			e = file_again(c, n, &present, next, NULL, &filed);
		e = end(n, domain, e);
	} else {
		node_close(n);
	}
	if (e == OK) {
		act_report(c, "announcement", &announced);
		act_report(c, "party", &filed);
		report_key(c, "new key", next);
	}
	signer_free(next);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_party_revoke(struct cli *c)
{
	struct statement_writer w = { 0 };
	const struct signer *key;
	struct appended out;
	struct node *n = NULL;
	struct party p;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = node_party_signer(n, whose(c, n), false, &key);
	if (e == OK)
		e = state_party(node_batch_state(n), whose(c, n), &p);
	if (e == OK) {
		statement_begin(&w, KIND_WITHDRAW, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
		statement_add_time(&w, "date", clock_now_ms());
		statement_add_hash(&w, "re", p.statement);
		statement_add(&w, "reason", SPAN("key-compromised"));
		e = act_add(n, &w, key, &out);
	}
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "revocation", &out);
	return EXIT_OK;
}

/* The last statement that stands, also of who withdrew it. */
static enum err last_statement(struct cli *c, struct node *n, struct span domain, struct statement *out)
{
	struct party p;
	enum err e = state_party_known(node_batch_state(n), domain, &p);

	return e == OK ? act_statement(c, n, LEDGER_PUBLIC, p.index, out, NULL) : e;
}

int cmd_party_recover(struct cli *c)
{
	struct signer *next = NULL;
	struct appended filed;
	struct statement last;
	struct node *n = NULL;
	struct span domain = SPAN("");
	bool finished = false;
	enum err e = open_settled(c, &n, &finished);

	if (e == OK) {
		domain = whose(c, n);
		if (span_equal(domain, node_name(n)))
			e = fail(ERR_USAGE, "--party DOMAIN: a node whose own key is lost cannot log its recovery");
	}
	if (e == OK && finished) {
		node_close(n);
		if (!c->json)
			printf("the new key is in its place\n");
		return EXIT_OK;
	}
	if (e == OK)
		e = node_next_signer(n, domain, &next);
	if (e == OK) {
		report_key(c, "new key, for the sponsors to vouch for", next);
		e = node_begin(n);
	}
	if (e == OK) {
		e = last_statement(c, n, domain, &last);
		if (e == OK)
			e = file_again(c, n, &last, next, NULL, &filed);
		e = end(n, domain, e);
	} else {
		node_close(n);
	}
	if (e == OK)
		act_report(c, "party", &filed);
	signer_free(next);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
