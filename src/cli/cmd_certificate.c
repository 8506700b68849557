/* Certificates: making envelopes, filing them, and saying what became of a certificate. */
#include "base/file.h"
#include "cli/acting.h"
#include "regime/in_toto.h"
#include "regime/purl.h"

#define WORDS_MAX ((size_t)8 << 20) /* of details and declarations */

/* ---- what it says ---- */

static enum err hash_file(struct cli *c, const char *path, struct span *out)
{
	struct mapped m;
	char hex[HASH_HEX + 1];
	const char *text;
	enum err e = file_map(path, &m);

	if (e != OK)
		return e;
	hash_hex(hash_bytes(m.at, m.len), hex);
	file_unmap(&m);
	if ((text = arena_print(c->arena, "sha256:%s", hex)) == NULL)
		return ERR_NO_MEMORY;
	*out = span_of(text);
	return OK;
}

/* sha256:…, pkg:… or a file, whose hash it then is. */
static enum err read_subject(struct cli *c, const char *text, struct span *out)
{
	struct span bare, version;
	const char *whole;
	enum err e;

	*out = span_of(text);
	if (span_starts(*out, "sha256:"))
		return OK;
	if (!span_starts(*out, "pkg:"))
		return hash_file(c, text, out);
	if ((e = purl_parse(c->arena, *out, &bare, &version)) != OK)
		return e;
	whole = arena_print(c->arena, "%.*s%s%.*s", SPAN_FORMAT(bare), version.len > 0 ? "@" : "",
			    SPAN_FORMAT(version));
	if (whole == NULL)
		return ERR_NO_MEMORY;
	*out = span_of(whole);
	return OK;
}

static enum err read_subjects(struct cli *c, struct in_toto *t)
{
	const char *text;
	size_t at = 0;
	enum err e = OK;

	if ((t->subjects = arena_array(c->arena, c->given_count + 1, sizeof(*t->subjects))) == NULL)
		return ERR_NO_MEMORY;
	while (e == OK && (text = cli_next(c, "subject", &at)) != NULL)
		e = read_subject(c, text, &t->subjects[t->subject_count++]);
	return e;
}

static struct span option(const struct cli *c, const char *name)
{
	const char *text = cli_option(c, name);

	return text != NULL ? span_of(text) : SPAN("");
}

static enum err read_document(struct cli *c, const char *name, struct span *out)
{
	const char *path = cli_option(c, name);

	*out = SPAN("");
	return path != NULL ? file_read(c->arena, path, WORDS_MAX, out) : OK;
}

static int64_t whole_seconds(int64_t ms)
{
	return ms - ms % 1000;
}

static enum err read_terms(struct cli *c, const struct state *st, struct in_toto *t)
{
	const char *predicate = cli_option(c, "predicate"), *re = cli_option(c, "re");
	struct matter m;
	enum err e = predicate != NULL
			     ? predicate_parse(span_of(predicate), &t->kind)
			     : fail(ERR_USAGE, "what is it? --predicate evaluation, validation or declaration");

	if (e == OK && !predicate_is_claim(t->kind))
		e = fail(ERR_USAGE, "`%s` has a command of its own", predicate);
	if (e == OK)
		e = read_subjects(c, t);
	if (e == OK && t->subject_count == 0)
		e = fail(ERR_USAGE, "of what? --subject FILE, sha256:… or pkg:…");
	if (e == OK)
		e = cli_time(c, "start", 0, &t->start_ms);
	if (e == OK)
		e = cli_time(c, "until", 0, &t->end_ms);
	if (e == OK && re != NULL && (e = cli_matter(c, st, re, &m)) == OK) {
		t->has_statement = true;
		t->statement = m.id;
	}
	t->start_ms = whole_seconds(t->start_ms);
	t->end_ms = whole_seconds(t->end_ms);
	t->scheme = option(c, "scheme");
	t->level = option(c, "level");
	t->laboratory = option(c, "laboratory");
	return e;
}

/* ---- the envelope ---- */

struct issuing {
	struct cli *c;
	struct node *n;
	const struct signer *key;
	struct dsse *d;
	struct in_toto t; /* as the envelope has it */
	struct buffer payload, body;
	struct body_reference reference;
	struct hash *cites;
	size_t cite_count;
	bool demonstration;
};

static void issuing_free(struct issuing *i)
{
	buffer_free(&i->payload);
	buffer_free(&i->body);
}

static struct issuing issuing_of(struct cli *c)
{
	return (struct issuing){ .c = c,
				 .payload = BUFFER(2 * CERTIFICATE_BODY_MAX),
				 .body = BUFFER(2 * DSSE_MAX),
				 .demonstration = cli_flag(c, "demonstration") };
}

static enum err read_envelope(struct cli *c, const char *path, struct dsse **d, struct in_toto *t)
{
	struct span text;
	enum err e = file_read(c->arena, path, DSSE_MAX, &text);

	if (e == OK && (*d = arena_alloc(c->arena, sizeof(**d))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = dsse_parse(c->arena, text, *d);
	if (e == OK && !span_is((*d)->payload_type, IN_TOTO_PAYLOAD_TYPE))
		e = fail(ERR_CERTIFICATE, "%s: its payloadType is not " IN_TOTO_PAYLOAD_TYPE, path);
	return e == OK ? in_toto_parse(c->arena, (*d)->payload, t) : e;
}

/* From the terms a new one. */
static enum err make_envelope(struct issuing *i, struct in_toto *terms)
{
	struct cli *c = i->c;
	struct span details, declarations;
	enum err e = read_document(c, "details", &details);

	terms->issuer = span_of(signer_verifier(i->key)->name);
	if (e == OK)
		e = read_document(c, "declarations", &declarations);
	if (e == OK)
		e = in_toto_print(c->arena, terms, details, declarations, &i->payload);
	if (e == OK && (i->d = arena_alloc(c->arena, sizeof(*i->d))) == NULL)
		e = ERR_NO_MEMORY;
	if (e != OK)
		return e;
	i->d->payload_type = SPAN(IN_TOTO_PAYLOAD_TYPE);
	i->d->payload = buffer_view(&i->payload);
	i->d->signature_count = 0;
	return in_toto_parse(c->arena, i->d->payload, &i->t);
}

/* Signed by the author, if it is not yet. */
static enum err seal_envelope(struct issuing *i)
{
	enum err e = dsse_sign(i->c->arena, i->d, i->key);

	if (e != OK && e != ERR_EXISTS)
		return e;
	dsse_print(i->d, &i->body);
	i->reference = (struct body_reference){ .media_type = SPAN(CERTIFICATE_MEDIA_TYPE),
						.size = i->body.len,
						.hash = hash_span(buffer_view(&i->body)) };
	return i->body.err;
}

static enum err read_cites(struct issuing *i)
{
	struct cli *c = i->c;
	const char *text;
	size_t at = 0;
	enum err e = OK;

	if ((i->cites = arena_array(c->arena, c->given_count + 1, sizeof(*i->cites))) == NULL)
		return ERR_NO_MEMORY;
	while (e == OK && (text = cli_next(c, "cites", &at)) != NULL) {
		struct hash *h = &i->cites[i->cite_count++];
		struct matter m;

		/* A whole id may be of what is not known here. */
		if (hash_from_hex(span_of(text), h) == OK)
			continue;
		if ((e = cli_matter(c, node_batch_state(i->n), text, &m)) == OK)
			*h = m.id;
	}
	return e;
}

static void add_word(struct statement_writer *w, const char *name, struct span value)
{
	if (value.len > 0)
		statement_add(w, name, value);
}

/* The header repeats what the envelope says. */
static void write_header(struct issuing *i, struct statement_writer *w, const char *text)
{
	const struct in_toto *t = &i->t;

	statement_begin(w, KIND_CERTIFICATE, node_origin(i->n, LEDGER_PUBLIC), signer_verifier(i->key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "predicate", span_of(predicate_name(t->kind)));
	for (size_t s = 0; s < t->subject_count; s++)
		statement_add(w, "subject", t->subjects[s]);
	add_word(w, "scheme", t->scheme);
	add_word(w, "level", t->level);
	add_word(w, "laboratory", t->laboratory);
	add_word(w, "name", t->name);
	add_word(w, "status", t->status);
	if (t->start_ms != 0)
		statement_add_time(w, "start", t->start_ms);
	if (t->end_ms != 0)
		statement_add_time(w, "end", t->end_ms);
	if (t->has_statement)
		statement_add_hash(w, "re", t->statement);
	for (size_t s = 0; s < i->cite_count; s++)
		statement_add_hash(w, "cites", i->cites[s]);
	if (text != NULL)
		statement_add(w, "text", span_of(text));
	if (i->demonstration)
		statement_add(w, "demonstration", SPAN("yes"));
	if (i->body.len > 0)
		statement_add_body(w, &i->reference);
}

/* As at the server's door: what the body says is looked at before anything is logged. */
static enum err log_it(struct issuing *i, const char *text, struct appended *out)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct span body = buffer_view(&i->body);
	struct statement s;
	struct hash id;
	enum err e;

	write_header(i, &w, text);
	e = statement_end(&w, i->key, &note, &id);
	statement_writer_free(&w);
	if (e == OK)
		e = statement_parse(i->c->arena, buffer_view(&note), &s);
	if (e == OK && body.len > 0)
		e = certificate_body_check(i->c->arena, &s, body, signer_verifier(i->key));
	if (e == OK)
		e = node_add_statement(i->n, buffer_view(&note), out);
	if (e == OK && body.len > 0)
		e = node_add_body(i->n, &i->reference, NULL, &body, 1);
	buffer_free(&note);
	return e;
}

/* With --draft nothing is logged, and *out is not set. */
static enum err issue(struct issuing *i, struct appended *out)
{
	struct cli *c = i->c;
	const char *given = cli_option(c, "envelope");
	struct in_toto terms = { .subject_count = 0 };
	enum err e = act_signer(c, i->n, &i->key);

	if (e == OK && given != NULL)
		e = read_envelope(c, given, &i->d, &i->t);
	else if (e == OK && (e = read_terms(c, node_batch_state(i->n), &terms)) == OK)
		e = make_envelope(i, &terms);
	if (e == OK && !i->t.ours)
		e = fail(ERR_CERTIFICATE, "%s: its predicateType is none of a certificate here", given);
	if (e == OK)
		e = seal_envelope(i);
	if (e == OK && cli_option(c, "draft") == NULL)
		e = read_cites(i);
	return e == OK && cli_option(c, "draft") == NULL ? log_it(i, NULL, out) : e;
}

static int drafted(struct issuing *i)
{
	const char *path = cli_option(i->c, "draft");
	enum err e = file_write(path, buffer_view(&i->body), 0644);

	if (e != OK)
		return cli_fail(i->c, e);
	if (i->c->json) {
		struct json *j = cli_object(i->c);

		json_text(j, "draft", path);
		json_number(j, "signatures", (int64_t)i->d->signature_count);
		cli_object_end(i->c);
	} else {
		printf("%s: signed, not filed; others add theirs with `comity certificate cosign`\n", path);
	}
	return EXIT_OK;
}

int cmd_certificate_issue(struct cli *c)
{
	struct issuing i = issuing_of(c);
	struct appended filed;
	bool draft = cli_option(c, "draft") != NULL;
	int code = EXIT_OK;
	enum err e = act_begin(c, &i.n);

	if (e == OK)
		e = issue(&i, &filed);
	if (e == OK && draft) {
		node_abandon(i.n);
		node_close(i.n);
		code = drafted(&i);
	} else {
		e = act_end(i.n, e);
		if (e == OK)
			act_report(c, "certificate", &filed);
	}
	issuing_free(&i);
	return e == OK ? code : cli_fail(c, e);
}

/* ---- one more signature ---- */

static enum err cosign(struct cli *c, struct node *n, struct dsse **d, struct buffer *out)
{
	const struct signer *key;
	struct in_toto t;
	enum err e = read_envelope(c, c->operands[0], d, &t);

	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK)
		e = dsse_sign(c->arena, *d, key);
	if (e == OK) {
		dsse_print(*d, out);
		e = out->err;
	}
	return e;
}

int cmd_certificate_cosign(struct cli *c)
{
	const char *path = cli_option(c, "out") != NULL ? cli_option(c, "out") : c->operands[0];
	struct buffer out = BUFFER(2 * DSSE_MAX);
	struct dsse *d = NULL;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_WRITE, &n);

	if (e == OK)
		e = cosign(c, n, &d, &out);
	node_close(n);
	if (e == OK)
		e = file_write(path, buffer_view(&out), 0644);
	buffer_free(&out);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "envelope", path);
		json_number(j, "signatures", (int64_t)d->signature_count);
		cli_object_end(c);
	} else {
		printf("%s: %zu signatures\n", path, d->signature_count);
	}
	return EXIT_OK;
}

/* ---- about another ---- */

/* The certificate that the operand names. Its spans are copied. */
static enum err find_it(struct cli *c, const struct state *st, struct certificate *out)
{
	struct state mine = *st;
	struct matter m;
	enum err e = cli_matter(c, st, c->operands[0], &m);

	mine.arena = c->arena;
	if (e == OK && m.kind != KIND_CERTIFICATE)
		e = fail(ERR_MATTER_UNKNOWN, "%s is a %s, no certificate", c->operands[0], kind_name(m.kind));
	if (e == OK)
		e = state_certificate(&mine, m.id, out);
	for (size_t i = 0; e == OK && i < out->subject_count; i++) {
		const char *copy = arena_copy(c->arena, out->subjects[i].at, out->subjects[i].len);

		out->subjects[i].at = copy;
		e = copy != NULL ? OK : ERR_NO_MEMORY;
	}
	return e;
}

/* With declarations it has an envelope too, about the same subjects. */
static enum err counter(struct issuing *i, struct appended *out)
{
	struct cli *c = i->c;
	struct certificate of;
	enum err e = find_it(c, node_batch_state(i->n), &of);

	if (e == OK)
		e = act_signer(c, i->n, &i->key);
	if (e != OK)
		return e;
	i->t = (struct in_toto){ .kind = PREDICATE_COUNTER, .has_statement = true, .statement = of.id };
	if (cli_option(c, "declarations") != NULL) {
		struct in_toto terms = i->t;

		terms.subjects = of.subjects;
		terms.subject_count = of.subject_count;
		if (terms.subject_count == 0)
			return fail(ERR_USAGE, "what it is about has no subjects that an envelope could name");
		e = make_envelope(i, &terms);
		if (e == OK)
			e = seal_envelope(i);
	}
	if (e == OK)
		e = read_cites(i);
	return e == OK ? log_it(i, cli_option(c, "text"), out) : e;
}

int cmd_certificate_counter(struct cli *c)
{
	struct issuing i = issuing_of(c);
	struct appended filed;
	enum err e = cli_option(c, "text") != NULL || cli_option(c, "declarations") != NULL
			     ? act_begin(c, &i.n)
			     : fail(ERR_USAGE, "what is wrong with it? --text, --declarations, or both");

	if (e == OK)
		e = act_end(i.n, counter(&i, &filed));
	issuing_free(&i);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "counter", &filed);
	return EXIT_OK;
}

struct status_word {
	enum certificate_status status;
	bool counts; /* its author says so, or its laboratory */
};

static enum err write_status(void *context, struct cli *c, struct node *n, const struct signer *key,
			     struct statement_writer *w)
{
	struct status_word *says = context;
	const char *reason = cli_option(c, "reason");
	struct span who = span_of(signer_verifier(key)->name);
	struct certificate of;
	enum err e = find_it(c, node_batch_state(n), &of);

	if (e != OK)
		return e;
	says->counts = span_equal(of.from, who) || span_equal(of.laboratory, who);
	statement_begin(w, KIND_CERTIFICATE, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "predicate", SPAN("status"));
	statement_add_hash(w, "re", of.id);
	statement_add(w, "status", span_of(certificate_status_name(says->status)));
	if (reason != NULL)
		statement_add(w, "reason", span_of(reason));
	return OK;
}

int cmd_certificate_status(struct cli *c)
{
	struct status_word says = { .counts = false };
	int code;

	if (certificate_status_parse(span_of(c->operands[1]), &says.status) != OK)
		return cli_fail(c, fail(ERR_USAGE, "`%s`: valid, conditional, suspended or withdrawn", c->operands[1]));
	code = act_say(c, "status", write_status, &says, NULL);
	if (code == EXIT_OK && !says.counts && !c->json)
		printf("Who says so is neither its author nor its laboratory: it stands beside it, as a "
		       "counter-claim.\n");
	return code;
}

int cmd_certificate_withdraw(struct cli *c)
{
	return act_withdraw(c, KIND_CERTIFICATE, NULL);
}
