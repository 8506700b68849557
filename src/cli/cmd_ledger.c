#include "cli/acting.h"
#include "cli/audit_files.h"
#include "cli/guard.h"

#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"

static enum err read_checkpoint(struct cli *c, struct node *n, enum ledger_id l, struct checkpoint *out)
{
	char *path = arena_print(c->arena, "%s/ledger/%s/checkpoint", node_dir(n), ledger_name(l));
	struct span note;
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(c->arena, path, 65536, &note);

	return e == OK ? checkpoint_open(c->arena, note, node_ledger_key(n, l), out) : e;
}

static void show_checkpoint(struct cli *c, struct node *n, enum ledger_id l, const struct checkpoint *cp)
{
	struct buffer key = BUFFER(4096), root = BUFFER(256);

	verifier_print(node_ledger_key(n, l), &key);
	base64_append(&root, cp->root.bytes, HASH_SIZE);
	if (c->json) {
		struct json *j = cli_object(c);

		json_string(j, "origin", cp->origin);
		json_number(j, "size", (int64_t)cp->size);
		json_string(j, "root", buffer_view(&root));
		json_string(j, "key", buffer_view(&key));
		cli_object_end(c);
	} else {
		printf("%s%.*s%s\n  %llu entries, root %.*s\n  key %.*s\n", cli_bold(c), SPAN_FORMAT(cp->origin),
		       cli_plain(c), (unsigned long long)cp->size, SPAN_FORMAT(buffer_view(&root)),
		       SPAN_FORMAT(buffer_view(&key)));
	}
	buffer_free(&root);
	buffer_free(&key);
}

static void entry_object(struct cli *c, uint64_t index, int64_t logged_ms, const struct statement *s)
{
	struct json *j = cli_object(c);

	json_number(j, "index", (int64_t)index);
	json_time(j, "logged", logged_ms);
	json_hash(j, "id", s->id);
	json_string(j, "kind", s->kind_name);
	for (size_t i = 0; i < s->header_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s", SPAN_FORMAT(s->headers[i].name));
		if (i > 0 && span_equal(s->headers[i].name, s->headers[i - 1].name))
			continue;
		if (i + 1 < s->header_count && span_equal(s->headers[i].name, s->headers[i + 1].name)) {
			json_array(j, name);
			for (size_t k = i; k < s->header_count && span_equal(s->headers[k].name, s->headers[i].name);
			     k++)
				json_string(j, NULL, s->headers[k].value);
			json_array_end(j);
		} else {
			json_string(j, name, s->headers[i].value);
		}
	}
	cli_object_end(c);
}

static void entry_line(struct cli *c, uint64_t index, int64_t logged_ms, const struct statement *s)
{
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT];
	const struct header *outcome = statement_header(s, "outcome"), *class = statement_header(s, "class");

	hash_hex(s->id, hex);
	clock_format(logged_ms, logged);
	printf("%8llu  %s  %.12s  ", (unsigned long long)index, logged, hex);
	cli_column(s->kind_name, 9);
	cli_column(s->from, 28);
	for (size_t i = 0; i < s->to_count && i < 1; i++)
		printf("to %s ", cli_addressee(c, &s->to[i]));
	if (class != NULL)
		cli_print(class->value);
	if (outcome != NULL)
		cli_print(outcome->value);
	putchar('\n');
}

static enum err show_entries(struct cli *c, struct node *n, enum ledger_id l, uint64_t size, bool given)
{
	uint64_t from, limit;
	enum err e = cli_number(c, "limit", 20, UINT32_MAX, &limit);

	if (e == OK)
		e = cli_number(c, "from", size > limit ? size - limit : 0, UINT64_MAX, &from);
	if (!given && !c->json)
		return e;
	for (uint64_t i = from; e == OK && i < size && i - from < limit; i++) {
		struct span text;
		struct entry entry;
		struct statement s;

		if ((e = node_entry(n, c->arena, l, i, &text)) != OK)
			break;
		if (cli_flag(c, "raw") && !c->json) {
			printf("%.*s\n", SPAN_FORMAT(text));
			continue;
		}
		if ((e = entry_parse(text, &entry)) == OK && (e = statement_parse(c->arena, entry.note, &s)) == OK)
			(c->json ? entry_object : entry_line)(c, i, entry.logged_ms, &s);
	}
	return e;
}

int cmd_ledger_show(struct cli *c)
{
	struct node *n = NULL;
	bool given = c->operand_count == 1, found = false;
	enum err e = node_open(c->dir, NODE_READ, &n);

	for (int i = 0; e == OK && i < LEDGER_COUNT; i++) {
		enum ledger_id l = (enum ledger_id)i;
		struct checkpoint cp;

		if (given && strcmp(c->operands[0], ledger_name(l)) != 0)
			continue;
		found = true;
		if ((e = read_checkpoint(c, n, l, &cp)) == OK) {
			if (!cli_flag(c, "raw"))
				show_checkpoint(c, n, l, &cp);
			e = given ? show_entries(c, n, l, cp.size, given) : OK;
		}
	}
	if (e == OK && !found)
		e = fail(ERR_USAGE, "`%s`: public or circle", c->operands[0]);
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static void audit_step(void *context, uint64_t done, uint64_t total)
{
	progress_show(context, done, total, done, "entries");
}

static void audit_report(struct cli *c, const struct audit *a, double seconds)
{
	char state[HASH_HEX + 1], views[HASH_HEX + 1], count[32];

	hash_hex(a->state, state);
	hash_hex(a->views, views);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "result", "ok");
		json_number(j, "public", (int64_t)a->entries[LEDGER_PUBLIC]);
		json_number(j, "circle", (int64_t)a->entries[LEDGER_CIRCLE]);
		json_number(j, "signatures", (int64_t)a->signatures);
		json_number(j, "guests", (int64_t)a->guests);
		json_number(j, "bodies", (int64_t)a->bodies);
		json_number(j, "marks", (int64_t)a->marks);
		json_number(j, "state_keys", (int64_t)a->state_keys);
		json_number(j, "sightings", (int64_t)a->sightings);
		json_number(j, "sighting_events", (int64_t)a->sighting_events);
		json_number(j, "waiting", (int64_t)a->waiting);
		json_number(j, "objects", (int64_t)a->objects);
		json_number(j, "objects_deleted", (int64_t)a->objects_deleted);
		json_text(j, "state", state);
		json_text(j, "views", views);
		json_fraction(j, "seconds", seconds, 3);
		cli_object_end(c);
		return;
	}
	printf("%sThe audit is clean.%s Everything was recomputed and agrees, byte for byte:\n", cli_bold(c),
	       cli_plain(c));
	for (int l = 0; l < LEDGER_COUNT; l++) {
		cli_thousands(a->entries[l], count);
		printf("  %12s entries in the %s ledger\n", count, ledger_name((enum ledger_id)l));
	}
	cli_thousands(a->signatures, count);
	printf("  %12s signatures\n", count);
	if (a->guests > 0) {
		cli_thousands(a->guests, count);
		printf("  %12s receipts of other nodes' ledgers\n", count);
	}
	cli_thousands(a->bodies, count);
	printf("  %12s bodies against their hashes\n", count);
	cli_thousands(a->marks, count);
	printf("  %12s events counted once\n", count);
	cli_thousands(a->state_keys, count);
	printf("  %12s rows of state, digest %.16s…\n", count, state);
	cli_thousands(a->sightings, count);
	printf("  %12s sources sighted\n", count);
	if (a->objects > 0) {
		cli_thousands(a->objects, count);
		printf("  %12s shared objects\n", count);
	}
	if (a->waiting > 0) {
		cli_thousands(a->waiting, count);
		printf("  %12s packs of rows that wait, all readable\n", count);
	}
	printf("All views together have the digest %.16s…\n", views);
}

int cmd_ledger_audit(struct cli *c)
{
	struct progress p = progress_begin(c, "audit");
	struct audit audit = { 0 };
	struct node *n = NULL;
	int64_t began = clock_monotonic_us();
	const char *views = arena_print(c->arena, "%s/views", c->dir);
	enum err e;

	guard_suspect(views);
	e = node_open(c->dir, NODE_READ, &n);
	/* Read as it stands, so that nothing is mended before it is judged. Only views that the machine went down with, or
	 * that are missing, have to be made anew first; a damaged journal refuses that too. */
	if (e == ERR_DAMAGED && (e = node_open(c->dir, NODE_WRITE, &n)) == OK)
		cli_mended(n);
	if (e == OK)
		e = node_audit(n, audit_step, &p, &audit);
	if (e == OK)
		e = audit_files(c, node_dir(n));
	progress_end(&p);
	if (e == OK)
		audit_report(c, &audit, (double)(clock_monotonic_us() - began) / 1e6);
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* The entry goes into the receipt as its `extra` line, so that one file is enough to check it: what it says is believed
 * only because the proof holds for it. */
static enum err self_contained(struct cli *c, struct node *n, enum ledger_id l, uint64_t index, struct buffer *out)
{
	struct span text;
	struct receipt r;
	enum err e = node_receipt(n, c->arena, l, index, &text);

	if (e == OK)
		e = receipt_parse(c->arena, text, &r);
	if (e == OK && (e = node_entry(n, c->arena, l, index, &r.extra)) == OK) {
		receipt_print(&r, out);
		e = out->err;
	}
	return e;
}

int cmd_ledger_proof(struct cli *c)
{
	const char *path = cli_option(c, "out");
	struct buffer receipt = BUFFER(1 << 20);
	struct state st = { 0 };
	struct node *n = NULL;
	struct hash id;
	enum ledger_id l;
	uint64_t index;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && hash_from_hex(span_of(c->operands[0]), &id) == OK) {
		e = node_find(n, id, &l, &index);
	} else if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		struct matter m;

		if ((e = cli_matter(c, &st, c->operands[0], &m)) == OK) {
			l = m.ledger;
			index = m.index;
		}
		snapshot_end(st.snapshot);
	}
	if (e == OK)
		e = self_contained(c, n, l, index, &receipt);
	if (e == OK && path != NULL)
		e = file_write(path, buffer_view(&receipt), 0644);
	else if (e == OK)
		fwrite(receipt.at, 1, receipt.len, stdout);
	if (e == OK && path != NULL && !c->json)
		printf("The receipt is in %s. Check it anywhere: comity verify %s --key VKEY\n", path, path);
	buffer_free(&receipt);
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
