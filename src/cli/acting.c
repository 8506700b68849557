#include "cli/acting.h"

#include <sodium.h>

#include "base/file.h"
#include "ledger/entry.h"
#include "regime/suspension.h"

enum err act_begin(struct cli *c, struct node **n)
{
	enum err e = node_open(c->dir, NODE_WRITE, n);

	if (e == OK)
		cli_mended(*n);
	if (e == OK && (e = node_begin(*n)) != OK) {
		node_close(*n);
		*n = NULL;
	}
	return e;
}

enum err act_signer(struct cli *c, struct node *n, const struct signer **out)
{
	const char *from = cli_option(c, "from");

	*out = node_signer(n);
	return from == NULL ? OK : node_party_signer(n, span_of(from), false, out);
}

enum err act_signer_of(struct node *n, struct span party, const struct signer **out)
{
	*out = node_signer(n);
	return span_is(party, signer_verifier(*out)->name) ? OK : node_party_signer(n, party, false, out);
}

enum err act_check_suspended(struct node *n, struct span note)
{
	struct suspensions *known = NULL;
	struct arena *a = NULL;
	struct statement s;
	enum err e;

	if (!span_starts(note, "comity/1 request\n"))
		return OK;
	e = (a = arena_new((size_t)1 << 20)) != NULL ? suspensions_new(node_dir(n), &known) : ERR_NO_MEMORY;
	if (e == OK)
		e = statement_parse(a, note, &s);
	if (e == OK)
		e = suspensions_check_help(known, node_batch_state(n), &s);
	suspensions_free(known);
	arena_free(a);
	return e;
}

enum err act_add(struct node *n, struct statement_writer *w, const struct signer *key, struct appended *out)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct hash id;
	enum err e = statement_end(w, key, &note, &id);

	if (e == OK)
		e = act_check_suspended(n, buffer_view(&note));
	if (e == OK)
		e = node_add_statement(n, buffer_view(&note), out);
	buffer_free(&note);
	statement_writer_free(w);
	return e;
}

enum err act_party(const char *text, struct span *out)
{
	*out = text != NULL ? span_of(text) : SPAN("");
	return text == NULL || span_is_domain(*out) ? OK : fail(ERR_USAGE, "`%.80s`: a party's domain", text);
}

enum err act_end(struct node *n, enum err e)
{
	if (n == NULL)
		return e;
	if (e == OK)
		e = node_commit(n);
	else
		node_abandon(n);
	if (e == OK)
		e = node_tick(n, false);
	if (e == OK)
		e = node_publish(n);
	node_close(n);
	return e;
}

enum err act_statement(struct cli *c, struct node *n, enum ledger_id l, uint64_t index, struct statement *out,
		       int64_t *logged_ms)
{
	struct span text;
	struct entry entry;
	enum err e = node_entry(n, c->arena, l, index, &text);

	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK && logged_ms != NULL)
		*logged_ms = entry.logged_ms;
	return e == OK ? statement_parse(c->arena, entry.note, out) : e;
}

void act_report(struct cli *c, const char *what, const struct appended *a)
{
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT];

	hash_hex(a->id, hex);
	clock_format_ms(a->logged_ms, logged);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "id", hex);
		json_text(j, "what", what);
		json_text(j, "ledger", ledger_name(a->ledger));
		json_number(j, "index", (int64_t)a->index);
		json_text(j, "logged", logged);
		cli_object_end(c);
	} else {
		printf("%s logged as entry %llu of the %s ledger at %s\n  id %s\n", what, (unsigned long long)a->index,
		       ledger_name(a->ledger), logged, hex);
	}
}

int act_say(struct cli *c, const char *what, act_write *write, void *context, struct appended *out)
{
	struct statement_writer w = { 0 };
	const struct signer *key;
	struct appended said;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK && (e = write(context, c, n, key, &w)) == OK)
		e = act_add(n, &w, key, &said);
	statement_writer_free(&w);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, what, &said);
	if (out != NULL)
		*out = said;
	return EXIT_OK;
}

static enum err write_withdrawal(void *context, struct cli *c, struct node *n, const struct signer *key,
				 struct statement_writer *w)
{
	const enum kind *only = context;
	const char *text = cli_option(c, "text");
	struct matter m;
	enum err e = cli_matter(c, node_batch_state(n), c->operands[0], &m);

	if (e == OK && *only != KIND_COUNT && m.kind != *only)
		e = fail(ERR_USAGE, "`%s` is no %s: `comity withdraw` is for other statements", c->operands[0],
			 kind_name(*only));
	if (e != OK)
		return e;
	statement_begin(w, KIND_WITHDRAW, node_origin(n, m.ledger), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add_hash(w, "re", m.id);
	if (text != NULL)
		statement_add(w, "text", span_of(text));
	return OK;
}

int act_withdraw(struct cli *c, enum kind only, struct appended *out)
{
	return act_say(c, "withdrawal", write_withdrawal, &only, out);
}

struct seeking {
	const struct state *st;
	struct span start; /* hex */
	struct matter found;
	unsigned hits;
};

/* Statements that are no matters may begin alike. */
static enum err seek_matter(void *context, struct hash id, enum kind k, enum ledger_id l, uint64_t index)
{
	struct seeking *s = context;
	struct matter m;
	char hex[HASH_HEX + 1];
	enum err e;

	(void)k;
	(void)l;
	(void)index;
	hash_hex(id, hex);
	if (memcmp(hex, s->start.at, s->start.len) != 0)
		return OK;
	e = state_matter(s->st, id, &m);
	if (e == ERR_MATTER_UNKNOWN)
		return OK;
	s->found = m;
	s->hits += e == OK;
	return e;
}

#define ID_START_MIN 8

enum err cli_matter(struct cli *c, const struct state *st, const char *text, struct matter *out)
{
	struct seeking s = { .st = st, .start = span_of(text) };
	uint8_t bytes[HASH_SIZE];
	struct hash id;
	size_t pairs = s.start.len / 2;
	enum err e;

	(void)c;
	if (hash_from_hex(s.start, &id) == OK)
		return state_matter(st, id, out);
	if (s.start.len < ID_START_MIN || s.start.len > HASH_HEX ||
	    hex_decode(span_make(text, 2 * pairs), bytes, pairs) != OK)
		return fail(ERR_USAGE, "`%s` is no id: give all 64 hex digits or at least the first 8", text);
	e = state_find_beginning(st, span_make(bytes, pairs), seek_matter, &s);
	if (e == OK && s.hits == 0)
		e = fail(ERR_MATTER_UNKNOWN, "%s", text);
	if (e == OK && s.hits > 1)
		e = fail(ERR_USAGE, "%u ids start with %s: give more digits", s.hits, text);
	if (e == OK)
		*out = s.found; /* its spans point into the snapshot */
	return e;
}

/* ---- evidence ---- */

#define EVIDENCE_MAX ((size_t)64 << 20)

/* Rows as comity packs them, JSON, or a text. */
static struct span evidence_type(struct span payload)
{
	size_t i = 0;

	if (payload.len >= 4 && memcmp(payload.at, "\x28\xb5\x2f\xfd", 4) == 0)
		return SPAN("application/vnd.comity.evidence+zstd");
	while (i < payload.len && strchr(" \t\r\n", payload.at[i]) != NULL && payload.at[i] != '\0')
		i++;
	return i < payload.len && (payload.at[i] == '{' || payload.at[i] == '[') ? SPAN("application/json")
										 : SPAN("text/plain");
}

enum err act_evidence_read(struct cli *c, struct act_evidence *out)
{
	const char *path = cli_option(c, "evidence");
	enum err e;

	*out = (struct act_evidence){ .payload = { NULL, 0 } };
	if (path == NULL)
		return OK;
	if ((e = file_read(c->arena, path, EVIDENCE_MAX, &out->payload)) != OK)
		return e;
	if (out->payload.len == 0)
		return fail(ERR_USAGE, "--evidence: %s is empty", path);
	out->body = (struct body_reference){ .media_type = evidence_type(out->payload),
					     .size = out->payload.len,
					     .sealed = true };
	return OK;
}

void act_evidence_seal(struct act_evidence *v, struct hash matter, const struct signer *key)
{
	char re[HASH_HEX + 1];

	hash_hex(matter, re);
	randombytes_buf(v->salt, sizeof(v->salt));
	v->body.hash = seal_commitment(span_of(signer_verifier(key)->name), span_of(re), v->body.media_type, v->salt,
				       v->payload);
}
