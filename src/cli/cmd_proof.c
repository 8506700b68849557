/* proof: making proofs and judging them. What is filed is verified before, so nobody files what this node would refuse. */
#include "cli/proving.h"

#include "base/file.h"
#include "proof/dnssec.h"
#include "proof/observed.h"

/* ---- the key statement ---- */

static enum err party_key(const struct state *st, const struct node *n, const char *domain, struct key_statement *out)
{
	struct party p;
	enum err e = state_party(st, domain != NULL ? span_of(domain) : node_name(n), &p);

	if (e == OK)
		*out = (struct key_statement){ p.domain, p.fingerprint };
	return e;
}

struct places {
	struct cli *c;
	struct span party, txt;
	bool json;
};

static void put_place(struct places *p, const struct addressee *resource)
{
	char name[256];

	if (dnssec_name(resource, name) != OK)
		return;
	if (p->json) {
		json_object(&p->c->object, NULL);
		addressee_json(&p->c->object, "resource", resource);
		json_text(&p->c->object, "name", name);
		json_object_end(&p->c->object);
	} else {
		printf("%s. IN TXT \"%.*s\"\n", name, SPAN_FORMAT(p->txt));
	}
}

static enum err put_claim(void *context, const struct claim *claim)
{
	struct places *p = context;
	struct addressee resource = { .type = claim->type, .prefix = claim->prefix };

	if (claim->type == TO_PREFIX && span_equal(claim->party, p->party))
		put_place(p, &resource);
	return OK;
}

/* At the party's own domain, and in the reverse zones of the prefixes that it claims. */
static enum err put_places(struct places *p, const struct state *st)
{
	struct addressee domain = { .type = TO_PARTY, .domain = p->party };

	put_place(p, &domain);
	return state_claims(st, false, put_claim, p);
}

static enum err show_text(struct cli *c, const struct state *st, const struct key_statement *k)
{
	struct buffer text = BUFFER(4096), txt = BUFFER(4096);
	struct places places = { c, k->party, { 0 }, c->json };
	struct hash hash;
	enum err e;

	key_statement_print(k, &text);
	key_statement_print_txt(k, &txt);
	places.txt = buffer_view(&txt);
	hash = hash_span(buffer_view(&text));
	if ((e = text.err != OK ? text.err : txt.err) == OK && c->json) {
		struct json *j = cli_object(c);

		json_string(j, "party", k->party);
		json_string(j, "statement", buffer_view(&text));
		json_hash(j, "sha256", hash);
		json_string(j, "txt", places.txt);
		json_array(j, "names");
		e = put_places(&places, st);
		json_array_end(j);
		if (e == OK)
			cli_object_end(c);
	} else if (e == OK && cli_flag(c, "txt")) {
		e = put_places(&places, st);
	} else if (e == OK) {
		fwrite(text.at, 1, text.len, stdout);
	}
	buffer_free(&text);
	buffer_free(&txt);
	return e;
}

int cmd_proof_text(struct cli *c)
{
	struct key_statement k;
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		if ((e = party_key(&st, n, cli_option(c, "party"), &k)) == OK)
			e = show_text(c, &st, &k);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- evidence from the DNS ---- */

static enum err read_resource(const char *text, struct addressee *out)
{
	enum err e = addressee_parse(span_of(text), out);

	if (e != OK || out->type == TO_ALL)
		return fail(ERR_USAGE,
			    "`%s` is no resource: a domain, AS64500, \"prefix 192.0.2.0/24\" or \"country EE\"", text);
	return OK;
}

static enum err gather(struct cli *c, struct evidence *out)
{
	const char *resource = cli_option(c, "resource"), *resolver;
	struct addressee to;
	unsigned port;
	enum err e = resource != NULL ? read_resource(resource, &to) : fail(ERR_USAGE, "whose? give --resource");

	if (e == OK)
		e = proving_resolver(c, &resolver, &port);
	return e == OK ? dnssec_gather(c->arena, resolver, port, &to, out) : e;
}

int cmd_proof_gather(struct cli *c)
{
	const char *path = cli_option(c, "out");
	struct buffer body = BUFFER(2 * PROOF_BODY_MAX);
	struct evidence evidence;
	enum err e = strcmp(c->operands[0], "dnssec") == 0
			     ? gather(c, &evidence)
			     : fail(ERR_USAGE, "`%s`: only dnssec is gathered; other evidence comes in files",
				    c->operands[0]);

	if (e == OK)
		e = evidence_print(&evidence, &body);
	if (e == OK && path != NULL)
		e = file_write(path, buffer_view(&body), 0644);
	else if (e == OK)
		printf("%.*s\n", SPAN_FORMAT(buffer_view(&body)));
	buffer_free(&body);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- filing ---- */

struct filing {
	struct cli *c;
	struct node *n;
	const struct signer *key;
	struct evidence evidence;
	struct proof proof;
	struct key_statement about;
	struct anchors *anchors;
	struct buffer body, note;
	struct statement s;
	struct body_reference reference;
	struct verdict verdict;
	struct appended filed, judged;
	int64_t now_ms;
};

static enum err read_resources(struct filing *f)
{
	struct cli *c = f->c;
	struct addressee *all = arena_array(c->arena, c->given_count + 1, sizeof(*all));
	const char *text;
	size_t at = 0;
	enum err e = all != NULL ? OK : ERR_NO_MEMORY;

	f->proof.resources = all;
	while (e == OK && (text = cli_next(c, "resource", &at)) != NULL)
		e = read_resource(text, &all[f->proof.resource_count++]);
	return e;
}

/* Certificates say names in any script, headers are ASCII. */
static enum err plain_subject(struct cli *c, struct span subject, struct span *out)
{
	char *copy = arena_copy(c->arena, subject.at, subject.len > 200 ? 200 : subject.len);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	for (char *p = copy; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	*out = span_trim(span_of(copy));
	return OK;
}

static bool about_another(enum basis b)
{
	return b == BASIS_OBSERVED || b == BASIS_MANDATE;
}

static void write_proof(struct filing *f, struct statement_writer *w)
{
	const struct proof *p = &f->proof;

	statement_begin(w, KIND_PROOF, node_origin(f->n, LEDGER_PUBLIC), signer_verifier(f->key));
	statement_add_time(w, "date", f->now_ms);
	statement_add(w, "method", span_of(basis_name(p->method)));
	for (size_t i = 0; i < p->resource_count; i++) {
		struct buffer text = BUFFER(1024);

		addressee_print(&p->resources[i], &text);
		statement_add_buffer(w, "resource", &text);
	}
	if (p->subject.len > 0)
		statement_add(w, "subject", p->subject);
	if (about_another(p->method)) {
		statement_add(w, "to", p->about);
		statement_add_hash(w, "seen-key", p->seen_key);
	}
	statement_add_body(w, &f->reference);
}

/* The statement as it would be logged, and whether it says what the evidence shows. */
static enum err make(struct filing *f)
{
	struct arena *a = f->c->arena;
	struct statement_writer w = { 0 };
	struct hash id;
	enum err e = evidence_print(&f->evidence, &f->body);

	if (e != OK)
		return e;
	e = verify_proof(a, f->anchors, &f->proof, &f->about, &f->evidence, f->now_ms, &f->verdict);
	if (e == OK && f->verdict.subject.len > 0)
		e = plain_subject(f->c, f->verdict.subject, &f->proof.subject);
	if (e != OK)
		return e;
	f->reference = (struct body_reference){ .media_type = SPAN(PROOF_MEDIA_TYPE),
						.size = f->body.len,
						.hash = hash_span(buffer_view(&f->body)) };
	write_proof(f, &w);
	e = statement_end(&w, f->key, &f->note, &id);
	statement_writer_free(&w);
	if (e == OK)
		e = statement_parse(a, buffer_view(&f->note), &f->s);
	return e == OK ? verify_statement(a, f->anchors, &f->s, buffer_view(&f->body), f->now_ms, &f->verdict) : e;
}

/* accepted: until then; objected: why. */
static enum err judge(struct node *n, struct hash proof, enum outcome outcome, int64_t until_ms, const char *reason,
		      struct appended *out)
{
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_hash(&w, "re", proof);
	statement_add(&w, "outcome", span_of(outcome_name(outcome)));
	if (outcome == OUTCOME_ACCEPTED)
		statement_add_time(&w, "until", until_ms);
	else
		statement_add(&w, "reason", span_of(reason));
	return act_add(n, &w, node_signer(n), out);
}

static enum err file_all(struct filing *f)
{
	struct span body;
	enum err e = make(f);

	body = buffer_view(&f->body);
	if (e == OK)
		e = node_add_statement(f->n, buffer_view(&f->note), &f->filed);
	if (e == OK)
		e = node_add_body(f->n, &f->reference, NULL, &body, 1);
	if (e == OK && f->proof.method != BASIS_MANDATE)
		e = judge(f->n, f->filed.id, OUTCOME_ACCEPTED, f->verdict.until_ms, NULL, &f->judged);
	return e;
}

/* Statement, body and the node's verdict, in one batch. */
static int file_proof(struct filing *f, enum err e)
{
	struct cli *c = f->c;

	f->body = BUFFER(2 * PROOF_BODY_MAX);
	f->note = BUFFER(STATEMENT_MAX);
	f->now_ms = clock_now_ms();
	if (e == OK)
		e = proving_anchors(c, &f->anchors);
	if (e == OK)
		e = file_all(f);
	e = act_end(f->n, e);
	anchors_free(f->anchors);
	buffer_free(&f->body);
	buffer_free(&f->note);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "proof", &f->filed);
	if (f->proof.method != BASIS_MANDATE)
		act_report(c, "verdict", &f->judged);
	else if (!c->json)
		printf("It counts where an operator accepts it: comity proof accept.\n");
	return EXIT_OK;
}

/* Opens the node and finds who signs and what is said of whom. */
static enum err begin(struct filing *f)
{
	const char *party = about_another(f->evidence.method) ? cli_option(f->c, "party") : NULL;
	const char *domain = NULL;
	enum err e = act_begin(f->c, &f->n);

	if (e == OK)
		e = act_signer(f->c, f->n, &f->key);
	if (e == OK)
		e = party_key(node_batch_state(f->n), f->n, party != NULL ? party : signer_verifier(f->key)->name,
			      &f->about);
	if (e == OK && (domain = arena_copy(f->c->arena, f->about.party.at, f->about.party.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e != OK)
		return e;
	f->about.party = f->proof.about = span_of(domain); /* the snapshot moves on */
	f->proof.method = f->evidence.method;
	f->proof.seen_key = f->about.key;
	return OK;
}

int cmd_proof_file(struct cli *c)
{
	struct filing f = { .c = c };
	enum basis method;
	enum err e = basis_parse(span_of(c->operands[0]), &method);

	if (e != OK || about_another(method) || method == BASIS_OPERATOR)
		e = fail(ERR_USAGE, "`%s` cannot be filed so: rsc, dnssec, legal, openpgp", c->operands[0]);
	if (e == OK && method == BASIS_DNSSEC && cli_option(c, "evidence") == NULL) {
		e = gather(c, &f.evidence);
		if (e == ERR_EVIDENCE_INSECURE && f.evidence.count > 0)
			e = OK; /* an anchor of ours below the unsigned zone is enough */
	} else if (e == OK) {
		e = proving_read(c, method, &f.evidence);
	}
	if (e == OK)
		e = read_resources(&f);
	if (e == OK)
		e = begin(&f);
	return file_proof(&f, e);
}

/* ---- what others show ---- */

/* What the node knows of the party, before anything is asked: the network must not keep the writer waiting. */
static enum err wanted_key(struct cli *c, struct key_statement *out)
{
	const char *party = cli_option(c, "party");
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = party != NULL ? node_open(c->dir, NODE_READ, &n) : fail(ERR_USAGE, "whose? give --party");

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = party_key(&st, n, party, out);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	out->party = span_of(party != NULL ? party : "");
	return e;
}

static enum err observe(struct cli *c, struct evidence *out)
{
	const char *by = cli_option(c, "by"), *resolver;
	struct span domain = span_of(c->operands[0]);
	struct key_statement wanted = { 0 };
	struct door_limits limits;
	unsigned port;
	enum err e = span_is_domain(domain) ? wanted_key(c, &wanted) : fail(ERR_DOMAIN, "`%s`", c->operands[0]);

	if (e == OK && by != NULL && strcmp(by, "https") == 0) {
		if ((e = proving_door(c, &limits)) == OK)
			e = observe_https(c->arena, &limits, domain, &wanted, out);
	} else if (e == OK && (by == NULL || strcmp(by, "dns") == 0)) {
		if ((e = proving_resolver(c, &resolver, &port)) == OK)
			e = observe_dns(c->arena, resolver, port, domain, &wanted, out);
	} else if (e == OK) {
		e = fail(ERR_USAGE, "--by dns or https, not `%s`", by);
	}
	return e;
}

int cmd_proof_observe(struct cli *c)
{
	struct addressee domain = { .type = TO_PARTY, .domain = span_of(c->operands[0]) };
	struct filing f = { .c = c, .proof = { .resources = &domain, .resource_count = 1 } };
	enum err e = observe(c, &f.evidence);

	if (e == OK)
		e = begin(&f);
	return file_proof(&f, e);
}

int cmd_proof_mandate(struct cli *c)
{
	struct addressee country = { .type = TO_COUNTRY };
	struct filing f = { .c = c, .proof = { .resources = &country, .resource_count = 1 } };
	const char *path = cli_option(c, "text"), *text = arena_print(c->arena, "country %s", c->operands[0]);
	struct span file = SPAN("");
	struct part part;
	enum err e = text == NULL ? ERR_NO_MEMORY : OK;

	f.evidence = (struct evidence){ .method = BASIS_MANDATE, .obtained_ms = clock_now_ms() / 1000 * 1000 };
	if (e == OK && addressee_parse(span_of(text), &country) != OK)
		e = fail(ERR_USAGE, "`%s` is no country: two upper-case letters", c->operands[0]);
	if (e == OK && cli_option(c, "party") == NULL)
		e = fail(ERR_USAGE, "who speaks for the country? give --party");
	if (e == OK && path != NULL)
		e = file_read(c->arena, path, PROOF_BODY_MAX / 2, &file);
	part = (struct part){ .role = PART_TEXT, .source = SPAN(""), .bytes = file };
	if (file.len > 0) {
		f.evidence.parts = &part;
		f.evidence.count = 1;
	}
	if (e == OK)
		e = begin(&f);
	return file_proof(&f, e);
}

/* ---- the operator ---- */

/* A mandate holds as long as the operator says, anything else as its evidence does. */
static enum err until_when(struct cli *c, struct node *n, const struct found_proof *p, int64_t *until_ms)
{
	int64_t now = clock_now_ms(), most = now + PROOF_LIFE_MAX_MS;
	struct anchors *anchors = NULL;
	struct verdict v;
	struct proof proof;
	enum err e = proof_read(c->arena, &p->s, &proof);

	if (e == OK)
		e = proving_anchors(c, &anchors);
	if (e == OK)
		e = verify_statement(c->arena, anchors, &p->s, p->body, now, &v);
	if (e == OK)
		e = verify_key_is_present(node_batch_state(n), &p->s, &proof);
	if (e == OK && proof.method != BASIS_MANDATE)
		most = v.until_ms;
	if (e == OK)
		e = cli_time(c, "until", most / 1000 * 1000, until_ms);
	if (e == OK && (*until_ms <= now || *until_ms > most))
		e = fail(ERR_USAGE, "--until: between now and the end of what the proof shows");
	anchors_free(anchors);
	return e;
}

static int decide(struct cli *c, enum outcome outcome)
{
	const char *reason = cli_option(c, "reason");
	struct found_proof p = { 0 };
	struct appended answer;
	int64_t until_ms = 0;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = proving_find(c, n, node_batch_state(n), c->operands[0], &p);
	if (e == OK && p.mirrored)
		e = fail(ERR_NOT_YOURS, "it was filed at %.*s, whose operator decides about it", SPAN_FORMAT(p.node));
	if (e == OK && outcome == OUTCOME_ACCEPTED)
		e = until_when(c, n, &p, &until_ms);
	if (e == OK && outcome == OUTCOME_OBJECTED && reason == NULL)
		e = fail(ERR_USAGE, "why? give --reason, such as evidence-revoked");
	if (e == OK)
		e = judge(n, p.s.id, outcome, until_ms, reason, &answer);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, outcome == OUTCOME_ACCEPTED ? "verdict" : "objection", &answer);
	return EXIT_OK;
}

int cmd_proof_accept(struct cli *c)
{
	return decide(c, OUTCOME_ACCEPTED);
}

int cmd_proof_object(struct cli *c)
{
	return decide(c, OUTCOME_OBJECTED);
}
