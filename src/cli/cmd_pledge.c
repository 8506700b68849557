/* Promises to everybody: made, listed, shown, withdrawn. How they were kept is in cmd_standing.c. */
#include "cli/acting.h"
#include "cli/assets.h"
#include "regime/promises.h"

/* ---- pledge make ---- */

/* Times are given as RFC 3339 and stand in statements in seconds; what is not given is left to the fold. */
static enum err add_time(struct cli *c, struct statement_writer *w, const char *name)
{
	int64_t ms = 0;
	enum err e = cli_time(c, name, 0, &ms);

	if (e == OK && cli_option(c, name) != NULL)
		statement_add_time(w, name, ms);
	return e;
}

static enum err write_pledge(void *context, struct cli *c, struct node *n, const struct signer *key,
			     struct statement_writer *w)
{
	const char *norm = cli_option(c, "norm"), *term;
	struct asset *assets;
	size_t at = 0, count;
	char hex[HASH_HEX + 1];
	enum err e;

	(void)context;
	if (norm == NULL)
		return fail(ERR_USAGE, "--norm \"SET VERSION ID\" says what is pledged: `comity norm list`");
	if ((e = assets_commit(c, "asset", &assets, &count)) != OK)
		return e;
	statement_begin(w, KIND_PLEDGE, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "norm", span_of(norm));
	if ((e = add_time(c, w, "start")) != OK || (e = add_time(c, w, "end")) != OK)
		return e;
	while ((term = cli_next(c, "term", &at)) != NULL)
		statement_add(w, "term", span_of(term));
	for (size_t i = 0; i < count; i++) {
		hash_hex(assets[i].commitment, hex);
		statement_add_print(w, "asset", "%.*s %s", SPAN_FORMAT(assets[i].set), hex);
	}
	if (cli_flag(c, "unilateral"))
		statement_add(w, "unilateral", SPAN("yes"));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	if (cli_option(c, "text") != NULL)
		statement_add(w, "text", span_of(cli_option(c, "text")));
	return OK;
}

int cmd_pledge_make(struct cli *c)
{
	return act_say(c, "pledge", write_pledge, NULL, NULL);
}

/* ---- pledge withdraw ---- */

int cmd_pledge_withdraw(struct cli *c)
{
	int code = act_withdraw(c, KIND_PLEDGE, NULL);

	if (code == EXIT_OK && !c->json)
		printf("  its windows count no more from now on; those before stay told\n");
	return code;
}

/* ---- pledge list, pledge show ---- */

static const char *stands(const struct pledge *p, int64_t now_ms)
{
	if (p->withdrawn)
		return "withdrawn";
	if (now_ms < p->start_ms)
		return "not yet";
	return now_ms < p->end_ms ? "in force" : "ended";
}

/* Its own line of JSON, without the object that cli_object begins. */
static void print_json(struct cli *c, const struct pledge *p)
{
	struct buffer line = BUFFER((size_t)1 << 20);
	struct json j = { .out = &line };

	pledge_print(&j, NULL, p);
	printf("%.*s\n", SPAN_FORMAT(buffer_view(&line)));
	buffer_free(&line);
	(void)c;
}

static enum err list_one(void *context, const struct pledge *p)
{
	struct cli *c = context;
	char hex[HASH_HEX + 1], norm[64], start[CLOCK_TEXT], end[CLOCK_TEXT];

	if (c->json) {
		print_json(c, p);
		return OK;
	}
	hash_hex(p->id, hex);
	snprintf(norm, sizeof(norm), "%s %u %s", p->set->name, p->set->version, p->norm->id);
	cli_date(p->start_ms, start);
	if (p->end_ms != INT64_MAX)
		cli_date(p->end_ms, end);
	printf("%.12s  ", hex);
	cli_column(p->party, 28);
	cli_column(span_of(norm), 24);
	cli_column(span_of(stands(p, clock_now_ms())), 10);
	printf("from %.10s%s%.10s  ", start, p->end_ms == INT64_MAX ? "" : " to ", p->end_ms == INT64_MAX ? "" : end);
	if (p->term_count == 0)
		printf("declared\n");
	else
		printf("%zu term%s\n", p->term_count, p->term_count == 1 ? "" : "s");
	return OK;
}

int cmd_pledge_list(struct cli *c)
{
	struct state st = { 0 };
	struct node *n = NULL;
	struct span party;
	enum err e = act_party(c->operand_count > 0 ? c->operands[0] : NULL, &party);

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = state_pledges(&st, party, list_one, c);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static void show_terms(const struct pledge *p)
{
	struct buffer text = BUFFER(4096);

	for (size_t i = 0; i < p->term_count; i++) {
		buffer_clear(&text);
		promise_tell(&p->terms[i], &text);
		printf("  term       ");
		cli_column(p->terms[i].name, 12);
		cli_print(buffer_view(&text));
		buffer_clear(&text);
		term_print(&p->terms[i], &text);
		printf("\n             ");
		cli_print(buffer_view(&text));
		printf("\n");
	}
	if (p->term_count == 0)
		printf("  term       none: it is declared, not measured\n");
	buffer_free(&text);
}

static enum err show_assets(struct cli *c, const struct pledge *p)
{
	struct kept_asset *kept;
	size_t count;
	enum err e = assets_kept(c, &kept, &count);

	for (size_t i = 0; e == OK && i < p->asset_count; i++) {
		const struct kept_asset *k = assets_find(kept, count, p->assets[i].commitment);
		char hex[HASH_HEX + 1];

		hash_hex(p->assets[i].commitment, hex);
		printf("  asset      %.*s %s%s%s\n", SPAN_FORMAT(p->assets[i].set), hex, k != NULL ? "  " : "",
		       k != NULL ? cli_addressee(c, &k->resource) : "");
	}
	return e;
}

static enum err show(struct cli *c, const struct pledge *p)
{
	char hex[HASH_HEX + 1], start[CLOCK_TEXT], end[CLOCK_TEXT];

	hash_hex(p->id, hex);
	cli_date(p->start_ms, start);
	if (p->end_ms != INT64_MAX)
		cli_date(p->end_ms, end);
	printf("%s%.*s%s pledges %s %u %s, %s\n  %s\n", cli_bold(c), SPAN_FORMAT(p->party), cli_plain(c), p->set->name,
	       p->set->version, p->norm->id, p->norm->title, p->norm->text);
	printf("  id         %s\n  in         %s\n  holds      from %s %s%s, %s%s%s\n", hex, p->set->document, start,
	       p->end_ms == INT64_MAX ? "until it is withdrawn" : "to ", p->end_ms == INT64_MAX ? "" : end,
	       stands(p, clock_now_ms()), p->unilateral ? ", asking for nothing in return" : "",
	       p->demonstration ? ", a demonstration" : "");
	show_terms(p);
	if (p->text.len > 0) {
		printf("  text       ");
		cli_print(p->text);
		printf("\n");
	}
	return show_assets(c, p);
}

int cmd_pledge_show(struct cli *c)
{
	struct state st = { 0 };
	struct node *n = NULL;
	struct pledge p;
	struct matter m;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = cli_matter(c, &st, c->operands[0], &m);
		if (e == OK)
			e = state_pledge(&st, m.id, &p);
		if (e == OK && c->json)
			print_json(c, &p);
		else if (e == OK)
			e = show(c, &p);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
