#include "cli/cli.h"

#include "base/file.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "ledger/tiles.h"

#define RECEIPT_MAX (1 << 20)

/* The key named by --key; else that of the node in --dir whose origin the receipt's checkpoint names. */
static enum err trusted_key(struct cli *c, struct span checkpoint_note, struct verifier *out)
{
	const char *key = cli_option(c, "key");
	struct span rest = checkpoint_note, origin;
	struct node *n = NULL;
	enum err e;

	if (key != NULL)
		return verifier_parse(span_of(key), out);
	if (!span_line(&rest, &origin))
		return fail(ERR_CHECKPOINT, "the receipt has no checkpoint");
	if ((e = node_open(c->dir, NODE_READ, &n)) != OK)
		return fail(ERR_USAGE, "no node in %s to take the key from: give the ledger's with --key VKEY", c->dir);
	e = fail(ERR_KEY_UNKNOWN,
		 "the receipt is of %.*s, which is no ledger of the node in %s: give its key with --key VKEY",
		 SPAN_FORMAT(origin), c->dir);
	for (int l = 0; l < LEDGER_COUNT; l++)
		if (span_equal(origin, node_origin(n, (enum ledger_id)l))) {
			*out = *node_ledger_key(n, (enum ledger_id)l);
			e = OK;
		}
	node_close(n);
	return e;
}

static enum err find_entry(struct cli *c, const struct receipt *r, struct span *entry)
{
	const char *path = cli_option(c, "entry");

	if (path != NULL)
		return file_read(c->arena, path, ENTRY_MAX, entry);
	if (r->extra.len == 0)
		return fail(ERR_USAGE, "the receipt does not carry its entry: give it with --entry FILE");
	*entry = r->extra;
	return OK;
}

static void report(struct cli *c, const struct receipt *r, const struct checkpoint *cp, struct span text)
{
	struct entry entry;
	struct statement s;
	bool statement = entry_parse(text, &entry) == OK && statement_parse(c->arena, entry.note, &s) == OK;
	char logged[CLOCK_TEXT] = "";

	if (statement)
		clock_format_ms(entry.logged_ms, logged);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "result", "ok");
		json_string(j, "ledger", cp->origin);
		json_number(j, "index", (int64_t)r->index);
		json_number(j, "size", (int64_t)cp->size);
		json_text(j, "logged", statement ? logged : NULL);
		if (statement) {
			json_hash(j, "id", s.id);
			json_string(j, "kind", s.kind_name);
			json_string(j, "from", s.from);
		}
		cli_object_end(c);
		return;
	}
	printf("%sThe receipt holds.%s Entry %llu is in the ledger %.*s of %llu entries.\n", cli_bold(c), cli_plain(c),
	       (unsigned long long)r->index, SPAN_FORMAT(cp->origin), (unsigned long long)cp->size);
	if (statement)
		printf("  %.*s from %.*s, logged %s\n", SPAN_FORMAT(s.kind_name), SPAN_FORMAT(s.from), logged);
}

int cmd_verify(struct cli *c)
{
	struct span text, entry;
	struct receipt r;
	struct verifier key;
	struct checkpoint cp;
	enum err e = file_read(c->arena, c->operands[0], RECEIPT_MAX, &text);

	if (e == OK)
		e = note_self_test();
	if (e == OK)
		e = receipt_parse(c->arena, text, &r);
	if (e == OK)
		e = find_entry(c, &r, &entry);
	if (e == OK)
		e = trusted_key(c, r.checkpoint_note, &key);
	if (e == OK)
		e = receipt_verify(c->arena, &r, entry, &key, &cp);
	if (e != OK)
		return cli_fail(c, e);
	report(c, &r, &cp, entry);
	return EXIT_OK;
}
