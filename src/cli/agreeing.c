#include "cli/agreeing.h"

#include <yyjson.h>

#include "base/json.h"
#include "cli/proving.h"
#include "net/door.h"

#define ID_START_MIN 8
#define FOUND ERR_EXISTS /* ends a walk; never leaves this file */

/* ---- found ---- */

struct walking {
	struct cli *c;
	struct span party; /* empty: all */
	agreeing_each *each;
	void *context;
	struct reading from; /* open behind a walk: what it was stopped in */
};

static enum err walk_one(void *context, const struct agreement *a)
{
	struct walking *w = context;

	return w->each(w->context, &w->from.st, a);
}

static enum err walk_mirror(void *context, const char *dir, struct span node)
{
	struct walking *w = context;
	enum err e = reading_mirror(w->c, dir, node, &w->from);

	if (e == OK)
		e = state_agreements(&w->from.st, w->party, walk_one, w);
	else if (e == ERR_NOT_FOUND || e == ERR_BUSY)
		e = OK; /* nothing folded yet, or just now being folded anew */
	if (e == OK)
		reading_end(&w->from);
	return e;
}

static enum err walk(struct walking *w)
{
	enum err e = reading_own(w->c, &w->from);

	if (e == OK)
		e = state_agreements(&w->from.st, w->party, walk_one, w);
	if (e != OK)
		return e;
	reading_end(&w->from);
	return mirrors_walk(w->c->dir, walk_mirror, w);
}

enum err agreeing_walk(struct cli *c, struct span party, agreeing_each *each, void *context)
{
	struct walking w = { .c = c, .party = party, .each = each, .context = context };
	enum err e = walk(&w);

	reading_end(&w.from);
	return e;
}

struct seeking {
	struct span start; /* hex */
	struct agreement *out;
};

static bool begins(struct hash id, struct span start)
{
	static const struct hash none = { { 0 } };
	char hex[HASH_HEX + 1];

	hash_hex(id, hex);
	return !hash_equal(id, none) && memcmp(hex, start.at, start.len) == 0;
}

static enum err seek_one(void *context, const struct state *st, const struct agreement *a)
{
	struct seeking *s = context;

	(void)st;
	if (!begins(a->id, s->start) && !begins(a->statement[0], s->start) && !begins(a->statement[1], s->start))
		return OK;
	*s->out = *a;
	return FOUND;
}

enum err agreeing_find(struct cli *c, const char *text, struct reading *from, struct agreement *out)
{
	struct seeking s = { span_of(text), out };
	struct walking w = { .c = c, .party = SPAN(""), .each = seek_one, .context = &s };
	enum err e;

	*from = (struct reading){ 0 };
	if (s.start.len < ID_START_MIN || s.start.len > HASH_HEX)
		return fail(ERR_USAGE, "`%s` is no id: give all 64 hex digits or at least the first 8", text);
	if ((e = walk(&w)) == FOUND) {
		*from = w.from;
		return OK;
	}
	reading_end(&w.from);
	return e == OK ? fail(ERR_MATTER_UNKNOWN, "%s: no agreement here, nor at a node that is followed", text) : e;
}

enum err agreeing_statement(struct cli *c, const struct reading *from, const struct agreement *a, unsigned side,
			    struct statement *out)
{
	enum ledger_id l;
	uint64_t index;
	struct span note;
	enum err e = state_find(&from->st, a->statement[side], &l, &index);

	if (e == OK && from->n != NULL)
		return act_statement(c, from->n, l, index, out, NULL);
	if (e == OK)
		e = mirror_note(from->dir, c->arena, l, index, &note);
	return e == OK ? statement_parse(c->arena, note, out) : e;
}

/* ---- filed ---- */

/* Where the depositary is reached. In the arena. */
static enum err find_url(struct cli *c, const struct state *st, struct span depositary, const char **out)
{
	const char *at = cli_option(c, "at");
	struct span url = at != NULL ? span_of(at) : SPAN("");
	struct party p;
	enum err e = OK;

	if (at == NULL) {
		e = state_party(st, depositary, &p);
		if (e == OK)
			url = p.url;
	}
	if (e == OK && url.len == 0)
		e = fail(ERR_USAGE, "--at URL: nobody says where %.*s is reached", SPAN_FORMAT(depositary));
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (e == OK && (*out = arena_print(c->arena, "%.*s/statements", SPAN_FORMAT(url))) == NULL)
		e = ERR_NO_MEMORY;
	return e;
}

/* Its refusal is ours, unless its machine failed. */
static enum err refusal_of(struct span code)
{
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (span_is(code, err_code((enum err)e)))
			return err_is_machine((enum err)e) ? ERR_PEER : (enum err)e;
	return ERR_PEER;
}

/* What the depositary says to it. */
static enum err judge(struct cli *c, const struct door_answer *a, struct hash id, struct span depositary)
{
	struct yyjson_doc *doc = NULL;
	struct span detail;
	struct hash said;
	enum err e = json_read(c->arena, a->body, &doc);

	if (e != OK)
		return fail(ERR_PEER, "%.*s answered %u", SPAN_FORMAT(depositary), a->status);
	if (a->status == 200 || a->status == 201)
		return hash_from_hex(json_string_in(yyjson_doc_get_root(doc), "id"), &said) == OK &&
				       hash_equal(said, id)
			       ? OK
			       : fail(ERR_PEER, "%.*s logged another statement", SPAN_FORMAT(depositary));
	detail = json_string_in(yyjson_doc_get_root(doc), "detail");
	return fail(refusal_of(json_string_in(yyjson_doc_get_root(doc), "code")), "%.*s says: %.*s",
		    SPAN_FORMAT(depositary), detail.len > 300 ? 300 : (int)detail.len, detail.at);
}

static void report_sent(struct cli *c, const struct filing *f, struct hash id)
{
	char hex[HASH_HEX + 1];

	hash_hex(id, hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "id", hex);
		json_text(j, "what", f->what);
		json_string(j, "depositary", f->depositary);
		cli_object_end(c);
	} else {
		printf("%s logged by %.*s, which keeps this agreement\n  id %s\n", f->what, SPAN_FORMAT(f->depositary),
		       hex);
	}
}

static enum err send_note(struct cli *c, const struct filing *f, const char *url, struct span note, struct hash id)
{
	static const char *const headers[] = { "Content-Type: text/plain" };
	struct door_limits limits;
	struct door *door = NULL;
	struct door_request r = { "POST", url, headers, 1, note };
	struct door_answer a;
	enum err e = proving_door(c, &limits);

	if (e == OK)
		e = door_open(&limits, NULL, NULL, &door);
	if (e == OK)
		e = door_ask(door, &r, &a);
	if (e == OK)
		e = judge(c, &a, id, f->depositary);
	door_close(door);
	if (e == OK)
		report_sent(c, f, id);
	return e;
}

static enum err write_statement(struct cli *c, const struct filing *f, struct node *n, const struct signer *key,
				struct statement_writer *w)
{
	char *origin = arena_print(c->arena, "%.*s/%s", SPAN_FORMAT(f->depositary), ledger_name(LEDGER_PUBLIC));

	if (origin == NULL)
		return ERR_NO_MEMORY;
	statement_begin(w, f->kind, span_of(origin), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	return f->write(f->context, c, n, span_of(signer_verifier(key)->name), w);
}

/* The node is given back before anybody is talked to. */
enum err agreeing_file(struct cli *c, const struct filing *f)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	const struct signer *key;
	const char *url = NULL;
	struct appended out;
	struct node *n = NULL;
	struct hash id;
	bool here = false;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK && !(here = span_equal(node_name(n), f->depositary)))
		e = find_url(c, node_batch_state(n), f->depositary, &url);
	if (e == OK)
		e = write_statement(c, f, n, key, &w);
	if (e == OK && here)
		e = act_add(n, &w, key, &out);
	else if (e == OK)
		e = statement_end(&w, key, &note, &id);
	statement_writer_free(&w);
	e = act_end(n, e);
	if (e == OK && here)
		act_report(c, f->what, &out);
	else if (e == OK)
		e = send_note(c, f, url, buffer_view(&note), id);
	buffer_free(&note);
	return e;
}
