/* Certificates: listing, showing, verifying, handing on. Nothing here adds up to a verdict. */
#include <stdarg.h>

#include "base/file.h"
#include "cli/acting.h"
#include "exchange/certificate_view.h"
#include "regime/vouch.h"

struct reading {
	struct cli *c;
	struct node *n;
	struct state st;
	int64_t at_ms;
	unsigned count;
};

static enum err begin(struct cli *c, struct reading *r)
{
	enum err e = node_open(c->dir, NODE_READ, &r->n);

	r->c = c;
	if (e == OK)
		e = cli_time(c, "at", clock_now_ms(), &r->at_ms);
	return e == OK ? node_read(r->n, c->arena, &r->st) : e;
}

static int end(struct reading *r, enum err e, int code)
{
	snapshot_end(r->st.snapshot);
	node_close(r->n);
	return e == OK ? code : cli_fail(r->c, e);
}

/* ---- words ---- */

static void put_id(struct hash id)
{
	char hex[HASH_HEX + 1];

	hash_hex(id, hex);
	printf("%.12s", hex);
}

/* In a buffer, a comma between them. */
static void put_words(const struct certificate *c, const struct certificate_standing *s, struct buffer *b)
{
	char date[CLOCK_TEXT];

	buffer_text(b, certificate_status_name(s->status));
	if (c->status_ms != 0) {
		cli_date(c->status_ms, date);
		buffer_print(b, " since %.10s", date);
	}
	if (c->withdrawn)
		buffer_text(b, " by its author");
	if (s->not_yet)
		buffer_text(b, ", not yet begun");
	if (s->expired)
		buffer_text(b, ", expired");
	if (s->key_revoked)
		buffer_text(b, ", signed by a key that was revoked");
	if (s->rests_on_bad)
		buffer_text(b, ", rests on what no longer holds");
	if (s->counters > 0)
		buffer_print(b, ", %u against it", s->counters);
}

static void print_line(const struct certificate *c, const struct certificate_standing *s)
{
	struct buffer b = BUFFER(4096);

	put_id(c->id);
	printf("  ");
	cli_column(span_of(predicate_name(c->predicate)), 11);
	cli_column(c->from, 24);
	put_words(c, s, &b);
	cli_print(buffer_view(&b));
	printf("\n");
	buffer_free(&b);
}

/* ---- list ---- */

static enum err on_listed(void *context, const struct certificate *c)
{
	struct reading *r = context;
	const char *from = cli_option(r->c, "from");
	struct certificate_standing s;
	enum err e;

	if (from != NULL && !span_is(c->from, from))
		return OK;
	if ((e = certificate_standing(&r->st, c, r->at_ms, &s)) != OK)
		return e;
	r->count++;
	if (r->c->json) {
		certificate_print(c, &s, cli_object(r->c));
		cli_object_end(r->c);
	} else {
		print_line(c, &s);
	}
	return OK;
}

/* sha256:…, pkg:…, or a file. */
static enum err list_subject(struct reading *r, const char *text)
{
	struct mapped m;
	char hex[HASH_HEX + 1], subject[HASH_HEX + 8];
	enum err e;

	if (span_starts(span_of(text), "sha256:") || span_starts(span_of(text), "pkg:"))
		return certificates_of(&r->st, span_of(text), on_listed, r);
	if ((e = file_map(text, &m)) != OK)
		return e;
	hash_hex(hash_bytes(m.at, m.len), hex);
	file_unmap(&m);
	snprintf(subject, sizeof(subject), "sha256:%s", hex);
	return certificates_of(&r->st, span_of(subject), on_listed, r);
}

int cmd_certificate_list(struct cli *c)
{
	const char *subject = cli_option(c, "subject");
	struct reading r = { 0 };
	struct span from;
	enum err e = act_party(cli_option(c, "from"), &from);

	if (e != OK)
		return cli_fail(c, e);
	e = begin(c, &r);
	if (e == OK && subject != NULL)
		e = list_subject(&r, subject);
	else if (e == OK)
		e = state_certificates(&r.st, from, on_listed, &r);
	if (e == OK && r.count == 0 && !c->json)
		printf("None.\n");
	return end(&r, e, EXIT_OK);
}

/* ---- one ---- */

static enum err find_it(struct reading *r, struct certificate *out)
{
	struct matter m;
	enum err e = cli_matter(r->c, &r->st, r->c->operands[0], &m);

	if (e == OK && m.kind != KIND_CERTIFICATE)
		e = fail(ERR_MATTER_UNKNOWN, "%s is a %s, no certificate", r->c->operands[0], kind_name(m.kind));
	return e == OK ? state_certificate(&r->st, m.id, out) : e;
}

/* Texts are long and columns are narrow: lines of whole words, the second and later ones indented. */
#define COLUMN 46
static size_t letters(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.at[i] & 0xc0) != 0x80;
	return n;
}

static void wrap(struct buffer *b, const char *lead, struct span text)
{
	size_t used = strlen(lead);
	bool first = true;

	buffer_text(b, lead);
	while (text.at != NULL) {
		struct span word = span_cut(&text, ' ');

		for (size_t i = 0; i < word.len; i++) /* a LF in it would break the columns */
			if ((unsigned char)word.at[i] < ' ')
				word.len = i;
		if (!first && used + 1 + letters(word) > COLUMN) {
			buffer_text(b, "\n    ");
			used = 4;
		} else if (!first) {
			buffer_byte(b, ' ');
			used++;
		}
		buffer_span(b, word);
		used += letters(word);
		first = false;
	}
	buffer_byte(b, '\n');
}

static void wrap_print(struct buffer *b, const char *lead, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void wrap_print(struct buffer *b, const char *lead, const char *format, ...)
{
	char text[2048];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	wrap(b, lead, span_of(text));
}

static void claim_lines(const struct told_claim *k, struct buffer *b)
{
	struct span text = k->text.len > 0 ? k->text : k->ref;

	wrap_print(b, "- ", "%.*s", SPAN_FORMAT(text));
	if (k->counter && !k->assessed)
		wrap(b, "  ", SPAN("as its own document has it"));
	else if (k->assessed)
		wrap_print(b, "  ", "assessed by %.*s%s", SPAN_FORMAT(k->assessor),
			   k->third_party ? ", a third party" : "");
	else
		wrap_print(b, "  ", "nobody assessed it");
	if (k->has_conformance)
		wrap_print(b, "  ", "conformance %.0f %%", 100 * k->conformance);
	wrap_print(b, "  ", "evidence: %zu", k->evidence);
}

static void claims_column(const struct told_certificate *t, struct buffer *b)
{
	bool any = false;

	for (size_t i = 0; i < t->claim_count; i++) {
		if (t->claims[i].counter)
			continue;
		claim_lines(&t->claims[i], b);
		any = true;
	}
	if (!any)
		wrap(b, "",
		     t->c.has_body && !t->here ? SPAN("its envelope is not kept here")
					       : SPAN("its header, and no claims of their own"));
}

static void against_column(const struct told_certificate *t, struct buffer *b)
{
	size_t begin_at = b->len;

	for (size_t i = 0; i < t->claim_count; i++) {
		if (t->claims[i].counter)
			claim_lines(&t->claims[i], b);
		if (t->claims[i].counter_evidence > 0)
			wrap_print(b, "- ", "its own document has counter-evidence to \"%.*s\": %zu",
				   SPAN_FORMAT(t->claims[i].text), t->claims[i].counter_evidence);
	}
	for (size_t i = 0; i < t->voice_count; i++) {
		const struct told_voice *v = &t->voices[i];
		const char *over = v->c.withdrawn ? " (taken back)" : v->standing.expired ? " (expired)" : "";

		if (!v->c.has_re || !hash_equal(v->c.re, t->c.id))
			continue;
		if (v->c.predicate == PREDICATE_COUNTER)
			wrap_print(b, "- ", "%.*s: %.*s%s", SPAN_FORMAT(v->c.from),
				   v->text.len > 0 ? (int)v->text.len : 15,
				   v->text.len > 0 ? v->text.at : "in its envelope", over);
		else if (v->c.predicate == PREDICATE_STATUS && !v->counts)
			wrap_print(b, "- ", "%.*s calls it %s%s%.*s%s", SPAN_FORMAT(v->c.from),
				   certificate_status_name(v->c.says), v->c.reason.len > 0 ? ": " : "",
				   (int)v->c.reason.len, v->c.reason.len > 0 ? v->c.reason.at : "", over);
	}
	if (b->len == begin_at)
		wrap(b, "", SPAN("nobody said anything"));
}

static void print_columns(struct buffer *left, struct buffer *right)
{
	struct span l = buffer_view(left), r = buffer_view(right), line;

	cli_column(SPAN("claimed"), COLUMN);
	printf("  against it\n");
	while (l.len > 0 || r.len > 0) {
		line = SPAN("");
		if (l.len > 0)
			span_line(&l, &line);
		cli_column(line, COLUMN);
		printf("  ");
		line = SPAN("");
		if (r.len > 0)
			span_line(&r, &line);
		cli_print(line);
		printf("\n");
	}
}

static void print_terms(const struct certificate *c)
{
	char from[CLOCK_TEXT], until[CLOCK_TEXT];

	if (c->scheme.len > 0)
		printf("scheme    %.*s\n", SPAN_FORMAT(c->scheme));
	if (c->level.len > 0)
		printf("level     %.*s\n", SPAN_FORMAT(c->level));
	if (c->laboratory.len > 0)
		printf("assessed  by %.*s\n", SPAN_FORMAT(c->laboratory));
	if (c->name.len > 0)
		printf("name      %.*s\n", SPAN_FORMAT(c->name));
	cli_date(c->start_ms, from);
	if (c->end_ms != INT64_MAX) {
		cli_date(c->end_ms, until);
		printf("valid     from %.10s until %.10s\n", from, until);
	} else {
		printf("valid     from %.10s\n", from);
	}
	for (size_t i = 0; i < c->subject_count && i < 20; i++)
		printf("subject   %.*s\n", SPAN_FORMAT(c->subjects[i]));
	if (c->subject_count > 20)
		printf("          and %zu more\n", c->subject_count - 20);
}

static enum err print_one_below(struct reading *r, const char *what, struct hash id)
{
	struct certificate_standing s;
	struct certificate c;
	enum err e = state_certificate(&r->st, id, &c);

	printf("%-10s", what);
	if (e == ERR_MATTER_UNKNOWN) {
		put_id(id);
		printf("  is not known here\n");
		return OK;
	}
	if (e == OK && (e = certificate_standing(&r->st, &c, r->at_ms, &s)) == OK)
		print_line(&c, &s);
	return e;
}

static enum err print_below(struct reading *r, const struct told_certificate *t)
{
	const struct certificate *c = &t->c;
	enum err e = OK;

	if (c->has_re)
		e = print_one_below(r, c->predicate == PREDICATE_VALIDATION ? "validates" : "about", c->re);
	for (size_t i = 0; e == OK && i < c->cite_count; i++)
		e = print_one_below(r, "rests on", c->cites[i]);
	if (e == OK && t->standing.rests_on_bad)
		e = print_one_below(r, "of these", t->standing.bad);
	return e;
}

static void print_about(const struct told_certificate *t)
{
	char date[CLOCK_TEXT];

	for (size_t i = 0; i < t->voice_count; i++) {
		const struct told_voice *v = &t->voices[i];

		cli_date(v->c.logged_ms, date);
		if (v->c.predicate == PREDICATE_STATUS && v->counts)
			printf("%.10s  %.*s: %s%s%.*s%s\n", date, SPAN_FORMAT(v->c.from),
			       certificate_status_name(v->c.says), v->c.reason.len > 0 ? ", " : "",
			       SPAN_FORMAT(v->c.reason), v->c.withdrawn ? " (taken back)" : "");
		else if (v->c.predicate != PREDICATE_COUNTER && v->c.predicate != PREDICATE_STATUS) {
			printf("%.10s  rested on by ", date);
			print_line(&v->c, &v->standing);
		}
	}
	if (t->more_voices)
		printf("and more\n");
}

static void print_signers(const struct told_certificate *t)
{
	for (size_t i = 0; i < t->signer_count; i++) {
		const struct told_signer *s = &t->signers[i];

		printf("signed    ");
		if (s->party.len > 0)
			printf("by %.*s%s\n", SPAN_FORMAT(s->party), s->good ? "" : ", and it does not verify");
		else {
			printf("by a key of nobody known here: ");
			cli_print(s->keyid);
			printf("\n");
		}
	}
	if (t->here && t->wrong != OK) {
		printf("envelope  ");
		cli_print(span_of(t->why_wrong));
		printf("\n");
	}
}

static enum err print_it(struct reading *r, const struct told_certificate *t)
{
	struct buffer left = BUFFER((size_t)4 << 20), right = BUFFER((size_t)4 << 20), words = BUFFER(4096);
	char hex[HASH_HEX + 1];
	enum err e;

	hash_hex(t->c.id, hex);
	printf("%s by %.*s%s\n%s\n", predicate_name(t->c.predicate), SPAN_FORMAT(t->c.from),
	       t->c.demonstration ? " (a demonstration)" : "", hex);
	print_terms(&t->c);
	if (t->c.predicate == PREDICATE_STATUS)
		printf("says      %s%s%.*s\n", certificate_status_name(t->c.says), t->c.reason.len > 0 ? ": " : "",
		       SPAN_FORMAT(t->c.reason));
	put_words(&t->c, &t->standing, &words);
	printf("status    %.*s\n", SPAN_FORMAT(buffer_view(&words)));
	if (t->c.predicate != PREDICATE_STATUS && t->c.reason.len > 0)
		printf("because   %.*s\n", SPAN_FORMAT(t->c.reason));
	e = print_below(r, t);
	print_signers(t);
	printf("\n");
	claims_column(t, &left);
	against_column(t, &right);
	print_columns(&left, &right);
	if (t->voice_count > 0)
		printf("\n");
	print_about(t);
	printf("\nThese are claims, and who makes them. Whom to believe is yours to say.\n");
	if (e == OK)
		e = left.err != OK ? left.err : right.err;
	buffer_free(&left);
	buffer_free(&right);
	buffer_free(&words);
	return e;
}

int cmd_certificate_show(struct cli *c)
{
	struct reading r = { 0 };
	struct told_certificate t;
	struct certificate it;
	enum err e = begin(c, &r);

	if (e == OK)
		e = find_it(&r, &it);
	if (e == OK)
		e = certificate_tell(r.n, c->arena, &r.st, &it, r.at_ms, &t);
	if (e == OK && c->json) {
		certificate_tell_print(&t, cli_object(c));
		cli_object_end(c);
	} else if (e == OK) {
		e = print_it(&r, &t);
	}
	return end(&r, e, EXIT_OK);
}

/* ---- verifying ---- */

static void report(struct cli *c, const struct told_certificate *t, bool agrees, const char *well, const char *why)
{
	size_t known = 0, bad = 0;

	for (size_t i = 0; i < t->signer_count; i++) {
		known += t->signers[i].party.len > 0;
		bad += t->signers[i].party.len > 0 && !t->signers[i].good;
	}
	if (c->json) {
		struct json *j = cli_object(c);

		json_bool(j, "agrees", agrees);
		json_text(j, "wrong", agrees ? NULL : why);
		json_array(j, "signers");
		for (size_t i = 0; i < t->signer_count; i++) {
			json_object(j, NULL);
			json_string(j, "keyid", t->signers[i].keyid);
			json_string(j, "party", t->signers[i].party);
			json_bool(j, "good", t->signers[i].good);
			json_object_end(j);
		}
		json_array_end(j);
		cli_object_end(c);
		return;
	}
	print_signers(t);
	printf("%zu signatures, %zu of keys known here, %zu of these do not verify\n", t->signer_count, known, bad);
	cli_print(span_of(agrees ? well : why));
	printf("\n");
}

static enum err verify_filed(struct reading *r, bool *agrees)
{
	struct told_certificate t;
	struct certificate it;
	enum err e = find_it(r, &it);

	if (e == OK)
		e = certificate_tell(r->n, r->c->arena, &r->st, &it, r->at_ms, &t);
	if (e == OK && !it.has_body)
		e = fail(ERR_NOT_FOUND, "it has no envelope: all that it says is its header");
	if (e == OK && !t.here)
		e = fail(ERR_NOT_FOUND, "its envelope is not kept here");
	if (e != OK)
		return e;
	*agrees = t.wrong == OK;
	report(r->c, &t, *agrees, "The envelope says what the header says, and its author signed it.", t.why_wrong);
	return OK;
}

struct unnamed {
	const struct dsse *d;
	struct told_certificate *t;
};

/* A signature need not name its key, and counts all the same where its statement is logged. */
static enum err on_issuer_key(void *context, const struct party_key *k)
{
	const struct unnamed *u = context;

	for (size_t i = 0; i < u->t->signer_count; i++) {
		struct told_signer *s = &u->t->signers[i];

		if (s->keyid.len > 0 || s->party.len > 0 || !dsse_signature_is_good(u->d, i, &k->key))
			continue;
		s->party = u->t->statement.issuer;
		s->good = true;
	}
	return OK;
}

/* A file has no header: its form, and who signed it. */
static enum err verify_file(struct reading *r, bool *agrees)
{
	struct told_certificate t = { .here = false };
	struct cli *c = r->c;
	struct dsse *d = arena_alloc(c->arena, sizeof(*d));
	struct span text;
	enum err e = d != NULL ? file_read(c->arena, c->operands[0], DSSE_MAX, &text) : ERR_NO_MEMORY;

	if (e == OK)
		e = dsse_parse(c->arena, text, d);
	if (e == OK)
		e = in_toto_parse(c->arena, d->payload, &t.statement);
	if (e == OK)
		e = certificate_signers(c->arena, &r->st, d, &t.signers, &t.signer_count);
	if (e == OK && span_is_domain(t.statement.issuer))
		e = party_keys(&r->st, t.statement.issuer, on_issuer_key, &(struct unnamed){ d, &t });
	if (e != OK)
		return e;
	*agrees = false;
	for (size_t i = 0; i < t.signer_count; i++)
		*agrees |= t.signers[i].good && span_equal(t.signers[i].party, t.statement.issuer);
	for (size_t i = 0; i < t.signer_count; i++)
		*agrees &= t.signers[i].party.len == 0 || t.signers[i].good;
	report(c, &t, *agrees, "Its issuer signed it, and all signatures of known keys verify.",
	       "Its issuer did not sign it with a key known here, or a signature does not verify.");
	return OK;
}

int cmd_certificate_verify(struct cli *c)
{
	struct reading r = { 0 };
	bool agrees = false;
	enum err e = begin(c, &r);

	if (e == OK)
		e = file_exists(c->operands[0]) ? verify_file(&r, &agrees) : verify_filed(&r, &agrees);
	return end(&r, e, agrees ? EXIT_OK : EXIT_DIFFERS);
}

/* ---- handing on ---- */

int cmd_certificate_export(struct cli *c)
{
	const char *path = cli_option(c, "out");
	struct reading r = { 0 };
	struct certificate it;
	struct dsse *d = arena_alloc(c->arena, sizeof(*d));
	const uint8_t *salt;
	struct span body;
	enum err e = d != NULL ? begin(c, &r) : ERR_NO_MEMORY;

	if (e == OK)
		e = find_it(&r, &it);
	if (e == OK && !it.has_body)
		e = fail(ERR_NOT_FOUND, "it has no envelope");
	if (e == OK)
		e = node_body(r.n, c->arena, it.body.hash, &salt, &body);
	if (e == OK && cli_flag(c, "payload") && (e = dsse_parse(c->arena, body, d)) == OK)
		body = d->payload;
	if (e == OK && path != NULL)
		e = file_write(path, body, 0644);
	else if (e == OK)
		fwrite(body.at, 1, body.len, stdout);
	return end(&r, e, EXIT_OK);
}
