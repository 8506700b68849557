#include "regime/node.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/file.h"
#include "regime/node_private.h"

#define NODE_FILE_MAX 4096

char *node_path(const struct node *n, const char *format, ...)
{
	char *rest = NULL, *path = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&rest, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	if (asprintf(&path, "%s/%s", n->dir, rest) < 0)
		path = NULL;
	free(rest);
	return path;
}

const char *node_dir(const struct node *n)
{
	return n->dir;
}

struct span node_name(const struct node *n)
{
	return n->name;
}

struct span node_origin(const struct node *n, enum ledger_id l)
{
	assert((unsigned)l < LEDGER_COUNT);
	return n->origin[l];
}

const struct verifier *node_ledger_key(const struct node *n, enum ledger_id l)
{
	assert((unsigned)l < LEDGER_COUNT);
	return &n->ledger_key[l];
}

const struct signer *node_signer(const struct node *n)
{
	return n->party;
}

const struct marks *node_marks(const struct node *n)
{
	return n->marks;
}

/* ---- names ---- */

static enum err set_name(struct node *n, struct span name)
{
	/* The longest origin must fit a key's name. */
	if (!span_is_domain(name) || name.len + strlen("/public") > KEY_NAME_MAX)
		return fail(ERR_DOMAIN, "%.*s: a node's name is a domain of at most %zu bytes", SPAN_FORMAT(name),
			    KEY_NAME_MAX - strlen("/public"));
	memcpy(n->name_text, name.at, name.len);
	n->name = span_make(n->name_text, name.len);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		int length = snprintf(n->origin_text[l], sizeof(n->origin_text[l]), "%s/%s", n->name_text,
				      ledger_name((enum ledger_id)l));

		n->origin[l] = span_make(n->origin_text[l], (size_t)length);
	}
	return OK;
}

static enum err node_new(const char *dir, enum node_mode mode, struct node **out)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL || (n->dir = strdup(dir)) == NULL || (n->arena = arena_new(NODE_ARENA_MAX)) == NULL) {
		node_close(n);
		return ERR_NO_MEMORY;
	}
	n->mode = mode;
	n->own = BUFFER(STATEMENT_MAX + 1024);
	*out = n;
	return OK;
}

void node_close(struct node *n)
{
	if (n == NULL)
		return;
	if (n->batch.open)
		node_abandon(n);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		publisher_close(n->publications[l].publisher);
		signer_free(n->ledger_signer[l]);
	}
	signer_free(n->party);
	while (n->held != NULL) {
		struct held_key *next = n->held->next;

		signer_free(n->held->signer);
		free(n->held);
		n->held = next;
	}
	marks_close(n->marks);
	views_close(n->views);
	if (n->journal != NULL)
		journal_close(n->journal);
	buffer_free(&n->own);
	arena_free(n->arena);
	free(n->dir);
	free(n);
}

/* ---- keys ---- */

enum key_use { LOAD, LOAD_OR_MAKE };

/* DIR/keys/<file>.key, for this name. */
static enum err load_key(const struct node *n, struct span file, struct span name, enum key_use use,
			 struct signer **out)
{
	char *path = node_path(n, "keys/%.*s.key", SPAN_FORMAT(file));
	struct signer *s = NULL;
	enum err e = path == NULL ? ERR_NO_MEMORY : signer_load(path, &s);

	if (e == ERR_NOT_FOUND && use == LOAD_OR_MAKE && (e = signer_new(name, &s)) == OK)
		e = signer_save(s, path);
	if (e == OK && !span_equal(span_of(signer_verifier(s)->name), name))
		e = fail(ERR_KEY, "%s: the key of %s, not of %.*s", path, signer_verifier(s)->name, SPAN_FORMAT(name));
	free(path);
	if (e != OK) {
		signer_free(s);
		return e;
	}
	*out = s;
	return OK;
}

static enum err load_keys(struct node *n, enum key_use use)
{
	enum err e = load_key(n, SPAN("party"), n->name, use, &n->party);

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = load_key(n, span_of(ledger_name((enum ledger_id)l)), n->origin[l], use, &n->ledger_signer[l]);
	return e;
}

enum err node_party_signer(struct node *n, struct span domain, bool make, const struct signer **out)
{
	struct held_key *k;
	enum err e;

	if (!span_is_domain(domain))
		return fail(ERR_DOMAIN, "%.*s", SPAN_FORMAT(domain));
	if (n->party != NULL && span_equal(domain, n->name)) {
		*out = n->party;
		return OK;
	}
	for (k = n->held; k != NULL; k = k->next)
		if (span_equal(span_of(signer_verifier(k->signer)->name), domain)) {
			*out = k->signer;
			return OK;
		}
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NO_MEMORY;
	e = load_key(n, span_equal(domain, n->name) ? SPAN("party") : domain, domain,
		     make && n->mode == NODE_WRITE ? LOAD_OR_MAKE : LOAD, &k->signer);
	if (e != OK) {
		free(k);
		return e == ERR_NOT_FOUND ? fail(ERR_KEY_UNKNOWN, "no key of %.*s is held here", SPAN_FORMAT(domain))
					  : e;
	}
	k->next = n->held;
	n->held = k;
	*out = k->signer;
	return OK;
}

/* ---- DIR/node ----
 *
 *	comity-node 1
 *	name cert.example
 *	party cert.example+5fe1…+AQ…
 *	public cert.example/public+…
 *	circle cert.example/circle+…
 *
 * The public halves of the keys stand here so that readers need none of the secret ones. */

static enum err write_node_file(const struct node *n)
{
	struct buffer b = BUFFER(NODE_FILE_MAX);
	char *path = node_path(n, "node");
	enum err e = ERR_NO_MEMORY;

	buffer_text(&b, "comity-node " NODE_FORMAT "\nname ");
	buffer_span(&b, n->name);
	buffer_text(&b, "\nparty ");
	verifier_print(&n->party_key, &b);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		buffer_print(&b, "\n%s ", ledger_name((enum ledger_id)l));
		verifier_print(&n->ledger_key[l], &b);
	}
	buffer_byte(&b, '\n');
	if (path != NULL)
		e = b.err != OK ? b.err : file_write(path, buffer_view(&b), 0644);
	buffer_free(&b);
	free(path);
	return e;
}

/* The value of the next line, which must begin with this word. */
static enum err node_line(struct span *rest, const char *word, struct span *value)
{
	struct span line;

	if (!span_line(rest, &line) || !span_is(span_cut(&line, ' '), word) || line.at == NULL)
		return fail(ERR_DAMAGED, "node: no line %s", word);
	*value = line;
	return OK;
}

static enum err read_key_line(struct span *rest, const char *word, struct span name, struct verifier *out)
{
	struct span value;
	enum err e = node_line(rest, word, &value);

	if (e == OK)
		e = verifier_parse(value, out);
	if (e == OK && !span_equal(span_of(out->name), name))
		e = fail(ERR_DAMAGED, "node: the line %s has the key of %s", word, out->name);
	return e;
}

static enum err read_node_file(struct node *n)
{
	char *path = node_path(n, "node");
	struct span rest = { NULL, 0 }, value;
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(n->arena, path, NODE_FILE_MAX, &rest);

	free(path);
	if (e == ERR_NOT_FOUND)
		return fail(ERR_NODE_MISSING, "%s", n->dir);
	if (e == OK)
		e = node_line(&rest, "comity-node", &value);
	if (e == OK && !span_is(value, NODE_FORMAT))
		e = fail(ERR_NODE_MISSING, "%s: format %.*s; this program knows " NODE_FORMAT, n->dir,
			 SPAN_FORMAT(value));
	if (e == OK)
		e = node_line(&rest, "name", &value);
	if (e == OK)
		e = set_name(n, value);
	if (e == OK)
		e = read_key_line(&rest, "party", n->name, &n->party_key);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = read_key_line(&rest, ledger_name((enum ledger_id)l), n->origin[l], &n->ledger_key[l]);
	arena_reset(n->arena);
	return e;
}

static enum err same_key(const struct signer *s, const struct verifier *v)
{
	const struct verifier *own = signer_verifier(s);

	if (memcmp(own->public_key, v->public_key, KEY_PUBLIC_SIZE) != 0)
		return fail(ERR_KEY, "the key of %s in keys/ is not the one that the node was made with", v->name);
	return OK;
}

static enum err check_keys(const struct node *n)
{
	enum err e = same_key(n->party, &n->party_key);

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = same_key(n->ledger_signer[l], &n->ledger_key[l]);
	return e;
}

/* ---- opening ---- */

/* A writer throws away what is damaged: the journal has it all. */
static enum err open_views(struct node *n, const char *path)
{
	bool writer = n->mode == NODE_WRITE;
	enum err e = views_open(path, writer, &n->views);

	if (e == ERR_DAMAGED && writer) {
		if ((e = views_destroy(path)) == OK)
			e = views_open(path, true, &n->views);
	} else if (e == ERR_DAMAGED || e == ERR_NOT_FOUND) {
		e = fail(ERR_DAMAGED,
			 "%s: missing, of another version of this program, or in use when the machine went down; any "
			 "command that writes makes them anew",
			 path);
	}
	return e;
}

enum err node_open_stores(struct node *n)
{
	bool writer = n->mode == NODE_WRITE;
	char *journal = node_path(n, "journal"), *views = node_path(n, "views"), *marks = node_path(n, "views/marks");
	enum err e = ERR_NO_MEMORY;

	if (journal != NULL && views != NULL && marks != NULL)
		e = writer ? journal_open_writer(journal, &n->journal) : journal_open_reader(journal, &n->journal);
	if (e == OK)
		e = open_views(n, views);
	if (e == OK && (writer || file_exists(marks)))
		e = marks_open(marks, &n->marks);
	free(journal);
	free(views);
	free(marks);
	return e == OK && writer ? node_catch_up(n) : e;
}

enum err node_open(const char *dir, enum node_mode mode, struct node **out)
{
	struct node *n = NULL;
	enum err e = note_self_test();

	if (e == OK)
		e = node_new(dir, mode, &n);
	if (e == OK)
		e = read_node_file(n);
	if (e == OK && mode == NODE_WRITE && (e = load_keys(n, LOAD)) == OK)
		e = check_keys(n);
	if (e == OK)
		e = node_open_stores(n);
	if (e == OK && mode == NODE_WRITE && (e = node_open_publications(n)) == OK)
		e = node_publish(n);
	if (e != OK) {
		node_close(n);
		return e;
	}
	*out = n;
	return OK;
}

/* ---- making ---- */

/*
 * DIR/node is written last: without it there is no node. What an interrupted init left (keys, a journal, even the first
 * entries) is taken up by the next one with the same name, so no key that signed anything is ever lost or replaced.
 */

static enum err make_folders(const struct node *n)
{
	static const struct {
		const char *name;
		unsigned mode;
	} folders[] = { { "keys", 0700 }, { "views", 0700 }, { "ledger", 0755 }, { "ledger/circle", 0700 } };
	char *journal = node_path(n, "journal");
	enum err e = folder_make(n->dir, 0755);

	for (size_t i = 0; e == OK && i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *path = node_path(n, "%s", folders[i].name);

		e = path == NULL ? ERR_NO_MEMORY : folder_make(path, folders[i].mode);
		free(path);
	}
	if (e == OK)
		e = journal == NULL ? ERR_NO_MEMORY : journal_create(journal);
	free(journal);
	return e == ERR_EXISTS ? OK : e;
}

static enum err add_party(struct node *n, struct span title, struct appended *out)
{
	struct statement_writer w = { 0 };
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
	struct buffer text = BUFFER(64);
	enum err e;

	memcpy(bytes + 1, n->party_key.public_key, KEY_PUBLIC_SIZE);
	base64_append(&text, bytes, sizeof(bytes));
	statement_begin(&w, KIND_PARTY, n->origin[LEDGER_PUBLIC], &n->party_key);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_buffer(&w, "public-key", &text);
	statement_add(&w, "role", SPAN("node"));
	if (title.len > 0)
		statement_add(&w, "title", title);
	e = node_add_own(n, &w, out);
	statement_writer_free(&w);
	return e;
}

static enum err add_rules(struct node *n, struct appended *out)
{
	struct statement_writer w = { 0 };
	enum err e;

	statement_begin(&w, KIND_RULES, n->origin[LEDGER_PUBLIC], &n->party_key);
	statement_add_time(&w, "date", clock_now_ms());
	statement_add_print(&w, "version", "%d", RULES_KNOWN);
	e = node_add_own(n, &w, out);
	statement_writer_free(&w);
	return e;
}

/* The party comes first: a statement needs a signer that is known. */
static enum err log_first(struct node *n, struct span title)
{
	struct appended out;
	enum err e = node_begin(n);

	if (e != OK)
		return e;
	e = add_party(n, title, &out);
	if (e == OK)
		e = add_rules(n, &out);
	if (e == OK)
		return node_commit(n);
	node_abandon(n);
	return e;
}

static enum err init(struct node *n, struct span name, struct span title)
{
	char *path = node_path(n, "node");
	bool there = path != NULL && file_exists(path);
	enum err e;

	if (path == NULL)
		return ERR_NO_MEMORY;
	free(path);
	if (there)
		return fail(ERR_NODE_EXISTS, "%s", n->dir);
	if ((e = set_name(n, name)) != OK || (e = make_folders(n)) != OK)
		return e;
	if ((e = load_keys(n, LOAD_OR_MAKE)) == ERR_KEY)
		return fail(ERR_NODE_EXISTS, "%s", err_detail());
	if (e != OK)
		return e;
	n->party_key = *signer_verifier(n->party);
	for (int l = 0; l < LEDGER_COUNT; l++)
		n->ledger_key[l] = *signer_verifier(n->ledger_signer[l]);
	e = node_open_stores(n);
	if (e == OK && n->heads.size[LEDGER_PUBLIC] == 0)
		e = log_first(n, title);
	if (e == OK)
		e = node_open_publications(n);
	if (e == OK)
		e = node_publish(n);
	return e == OK ? write_node_file(n) : e;
}

enum err node_init(const char *dir, struct span name, struct span title)
{
	struct node *n = NULL;
	enum err e = note_self_test();

	if (e == OK)
		e = node_new(dir, NODE_WRITE, &n);
	if (e == OK)
		e = init(n, name, title);
	node_close(n);
	return e;
}
