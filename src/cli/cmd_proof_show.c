/* proof: reading them, and verifying them again from what was kept. */
#include "cli/proving.h"

#include "base/file.h"

/* ---- list ---- */

struct listing {
	struct cli *c;
	struct node *n;
	const struct state *st;
	const char *party;
};

static void verdict_members(struct json *j, bool has, const struct proof_verdict *v)
{
	if (!has) {
		json_text(j, "verdict", NULL);
		return;
	}
	json_text(j, "verdict", outcome_name(v->accepted ? OUTCOME_ACCEPTED : OUTCOME_OBJECTED));
	json_time(j, "judged", v->at_ms);
	json_time(j, "until", v->accepted ? v->until_ms : 0);
	if (!v->accepted)
		json_string(j, "reason", v->reason);
	json_hash(j, "answer", v->answer);
}

static void proof_members(struct json *j, const struct statement *s, int64_t logged_ms)
{
	json_hash(j, "id", s->id);
	json_string(j, "from", s->from);
	json_time(j, "logged", logged_ms);
	json_string(j, "method", statement_value(s, "method"));
	json_array(j, "resources");
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "resource"))
			json_string(j, NULL, s->headers[i].value);
	json_array_end(j);
	if (statement_value(s, "subject").len > 0)
		json_string(j, "subject", statement_value(s, "subject"));
	if (statement_value(s, "to").len > 0)
		json_string(j, "about", statement_value(s, "to"));
}

static struct span about_of(const struct statement *s)
{
	return statement_value(s, "to").len > 0 ? statement_value(s, "to") : s->from;
}

static void print_row(struct listing *l, const struct matter *m, const struct statement *s, const char *stands)
{
	char hex[HASH_HEX + 1];
	size_t shown = 0;

	hash_hex(m->id, hex);
	printf("%.12s  ", hex);
	cli_column(about_of(s), 28);
	cli_column(statement_value(s, "method"), 9);
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "resource") && shown++ < 3) {
			printf("%s", shown > 1 ? ", " : "");
			cli_print(s->headers[i].value);
		}
	if (shown > 3)
		printf(" and %zu more", shown - 3);
	printf("%s%s%s%s%s\n", shown > 0 ? "  " : "", cli_bold(l->c), m->withdrawn ? "withdrawn" : stands,
	       cli_plain(l->c), span_equal(about_of(s), s->from) ? "" : "  said by another");
}

static enum err list_proof(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct proof_verdict v;
	struct statement s;
	bool has;
	enum err e = act_statement(l->c, l->n, m->ledger, m->index, &s, NULL);

	if (e != OK || (l->party != NULL && !span_is(about_of(&s), l->party) && !span_is(s.from, l->party)))
		return e;
	e = proof_verdict(l->st, m->id, &v);
	if ((has = e == OK) == false && e != ERR_NOT_FOUND)
		return e;
	if (l->c->json) {
		struct json *j = cli_object(l->c);

		proof_members(j, &s, m->logged_ms);
		json_bool(j, "withdrawn", m->withdrawn);
		verdict_members(j, has, &v);
		cli_object_end(l->c);
	} else {
		print_row(l, m, &s, proving_stands(l->c, has, &v));
	}
	return OK;
}

int cmd_proof_list(struct cli *c)
{
	struct state st = { 0 };
	struct listing l = { .c = c, .st = &st, .party = cli_option(c, "party") };
	enum err e = node_open(c->dir, NODE_READ, &l.n);

	if (e == OK && (e = node_read(l.n, c->arena, &st)) == OK) {
		e = state_matters(&st, LEDGER_PUBLIC, KIND_PROOF, 0, list_proof, &l);
		snapshot_end(st.snapshot);
	}
	node_close(l.n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- one ---- */

static void evidence_members(struct json *j, const struct evidence *e)
{
	json_object(j, "evidence");
	json_time(j, "obtained", e->obtained_ms);
	json_array(j, "parts");
	for (size_t i = 0; i < e->count; i++) {
		json_object(j, NULL);
		json_text(j, "role", part_role_name(e->parts[i].role));
		json_number(j, "size", (int64_t)e->parts[i].bytes.len);
		json_hash(j, "sha256", hash_span(e->parts[i].bytes));
		if (e->parts[i].source.len > 0)
			json_string(j, "source", e->parts[i].source);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void show_json(struct cli *c, const struct found_proof *p, const struct evidence *e)
{
	struct json *j = cli_object(c);

	proof_members(j, &p->s, p->logged_ms);
	json_string(j, "node", p->node);
	verdict_members(j, p->has_verdict, &p->verdict);
	if (e != NULL)
		evidence_members(j, e);
	cli_object_end(c);
}

static void print_field(const char *name, struct span value)
{
	printf("  %-10s ", name);
	cli_print(value);
	putchar('\n');
}

static void show_text(struct cli *c, const struct found_proof *p, const struct evidence *e)
{
	char hex[HASH_HEX + 1], when[CLOCK_TEXT];

	hash_hex(p->s.id, hex);
	cli_date(p->logged_ms, when);
	printf("%sproof %s%s\n", cli_bold(c), hex, cli_plain(c));
	printf("  %-10s %s, in the ledger of %.*s\n", "logged", when, SPAN_FORMAT(p->node));
	print_field("by", p->s.from);
	if (statement_value(&p->s, "to").len > 0)
		print_field("about", statement_value(&p->s, "to"));
	print_field("method", statement_value(&p->s, "method"));
	for (size_t i = 0; i < p->s.header_count; i++)
		if (span_is(p->s.headers[i].name, "resource"))
			print_field("resource", p->s.headers[i].value);
	if (statement_value(&p->s, "subject").len > 0)
		print_field("subject", statement_value(&p->s, "subject"));
	printf("  %-10s %s\n", "verdict", proving_stands(c, p->has_verdict, &p->verdict));
	for (size_t i = 0; e != NULL && i < e->count; i++) {
		printf("  %-10s %s, %zu bytes", "evidence", part_role_name(e->parts[i].role), e->parts[i].bytes.len);
		if (e->parts[i].source.len > 0) {
			printf(", ");
			cli_print(e->parts[i].source);
		}
		putchar('\n');
	}
	if (e == NULL)
		printf("  %-10s not kept here, or not readable\n", "evidence");
}

static enum err open_and_find(struct cli *c, struct found_proof *out)
{
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = proving_find(c, n, &st, c->operands[0], out);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e;
}

int cmd_proof_show(struct cli *c)
{
	struct found_proof p;
	struct evidence evidence;
	bool readable;
	enum err e = open_and_find(c, &p);

	if (e != OK)
		return cli_fail(c, e);
	readable = p.body.at != NULL && evidence_parse(c->arena, p.body, &evidence) == OK;
	if (c->json)
		show_json(c, &p, readable ? &evidence : NULL);
	else
		show_text(c, &p, readable ? &evidence : NULL);
	return EXIT_OK;
}

/* ---- again ---- */

/* A statement as `GET /statements/ID` gives it as text, and its body. No ledger is asked: what the evidence shows about the key
 * that the statement names is the same everywhere. */
static enum err read_files(struct cli *c, struct found_proof *out)
{
	const char *body = cli_option(c, "body");
	struct span note;
	enum err e = body != NULL ? OK : fail(ERR_USAGE, "a statement from a file wants its --body FILE");

	*out = (struct found_proof){ .node = SPAN("") };
	if (e == OK)
		e = file_read(c->arena, c->operands[0], STATEMENT_MAX, &note);
	if (e == OK)
		e = statement_parse(c->arena, note, &out->s);
	return e == OK ? file_read(c->arena, body, PROOF_BODY_MAX, &out->body) : e;
}

static void tell_holds(struct cli *c, const struct found_proof *p, const struct verdict *v, int64_t at_ms)
{
	char at[CLOCK_TEXT], until[CLOCK_TEXT];

	if (c->json) {
		struct json *j = cli_object(c);

		proof_members(j, &p->s, p->logged_ms);
		json_bool(j, "holds", true);
		json_time(j, "at", at_ms);
		json_time(j, "until", v->until_ms);
		if (v->anchor.len > 0)
			json_string(j, "anchor", v->anchor);
		if (v->subject.len > 0)
			json_string(j, "shown_subject", v->subject);
		verdict_members(j, p->has_verdict, &p->verdict);
		cli_object_end(c);
		return;
	}
	cli_date(at_ms, at);
	cli_date(v->until_ms, until);
	printf("%sholds%s at %s, until %s", cli_bold(c), cli_plain(c), at, until);
	if (v->anchor.len > 0) {
		printf(", under ");
		cli_print(v->anchor);
	}
	putchar('\n');
	if (p->node.len > 0)
		printf("  the verdict of %.*s: %s\n", SPAN_FORMAT(p->node),
		       proving_stands(c, p->has_verdict, &p->verdict));
}

int cmd_proof_verify(struct cli *c)
{
	bool file = strchr(c->operands[0], '/') != NULL || strchr(c->operands[0], '.') != NULL ||
		    cli_option(c, "body") != NULL;
	struct found_proof p;
	struct anchors *anchors = NULL;
	struct verdict v;
	int64_t at_ms;
	enum err e = file ? read_files(c, &p) : open_and_find(c, &p);

	if (e == OK)
		e = cli_time(c, "at", clock_now_ms(), &at_ms);
	if (e == OK)
		e = proving_anchors(c, &anchors);
	if (e == OK)
		e = verify_statement(c->arena, anchors, &p.s, p.body, at_ms, &v);
	if (e == OK)
		tell_holds(c, &p, &v, at_ms);
	anchors_free(anchors);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
