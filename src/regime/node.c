#include "regime/node.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

const char *node_mended(const struct node *n)
{
	return n->mended;
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

bool node_settled(const struct node *n)
{
	return n->settled;
}

const struct signer *node_signer(const struct node *n)
{
	return n->party;
}

/* Ed25519 signs alike each time. */
struct hash node_secret(const struct node *n, struct span purpose)
{
	uint8_t signature[KEY_SIGNATURE_SIZE];
	struct hash h;

	signer_sign(n->ledger_signer[LEDGER_CIRCLE], purpose, signature);
	h = hash_bytes(signature, sizeof(signature));
	explicit_bzero(signature, sizeof(signature));
	return h;
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

	if (n != NULL)
		n->serving = -1;
	if (n == NULL || (n->dir = strdup(dir)) == NULL || (n->arena = arena_new(NODE_ARENA_MAX)) == NULL) {
		node_close(n);
		return ERR_NO_MEMORY;
	}
	n->mode = mode;
	n->own = BUFFER(STATEMENT_MAX + 1024);
	*out = n;
	return OK;
}

static void free_keys(struct held_key *k)
{
	while (k != NULL) {
		struct held_key *next = k->next;

		signer_free(k->signer);
		free(k);
		k = next;
	}
}

void node_close(struct node *n)
{
	if (n == NULL)
		return;
	if (n->batch.open)
		node_abandon(n);
	node_close_publications(n);
	for (int l = 0; l < LEDGER_COUNT; l++)
		signer_free(n->ledger_signer[l]);
	signer_free(n->party);
	free_keys(n->held);
	free_keys(n->former);
	marks_close(n->marks);
	if (n->lent || (n->mode == NODE_WRITE && node_is_borrowed(n)))
		views_leave(n->views);
	else
		views_close(n->views);
	if (n->journal != NULL)
		journal_close(n->journal);
	if (n->serving != -1)
		close(n->serving);
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
	if (e != OK && e != ERR_NOT_FOUND && !err_is_machine(e))
		e = fail(ERR_KEY, "%s: %s; put the copy back that you keep of it", path, err_detail());
	if (e == OK && !span_equal(span_of(signer_verifier(s)->name), name))
		e = fail(ERR_KEY,
			 "%s: the key of %s, not of %.*s; put the copy back that you keep of it, or of %s/node", path,
			 signer_verifier(s)->name, SPAN_FORMAT(name), n->dir);
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
	struct signer *party = NULL;
	enum err e = load_key(n, SPAN("party"), n->name, use, &party);

	n->party = party;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = load_key(n, span_of(ledger_name((enum ledger_id)l)), n->origin[l], use, &n->ledger_signer[l]);
	return e;
}

enum err node_party_signer(struct node *n, struct span domain, bool make, const struct signer **out)
{
	struct held_key *k;
	bool finished;
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
	/* A change that was interrupted left the key that the ledger names in another file. */
	if (n->mode == NODE_WRITE && n->views != NULL && (e = node_settle_key(n, domain, &finished)) != OK)
		return e;
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

static void print_node_file(const struct node *n, struct buffer *b)
{
	buffer_text(b, "comity-node " NODE_FORMAT "\nname ");
	buffer_span(b, n->name);
	buffer_text(b, "\nparty ");
	verifier_print(&n->party_key, b);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		buffer_print(b, "\n%s ", ledger_name((enum ledger_id)l));
		verifier_print(&n->ledger_key[l], b);
	}
	buffer_byte(b, '\n');
}

enum err node_write_file(const struct node *n)
{
	struct buffer b = BUFFER(NODE_FILE_MAX);
	char *path = node_path(n, "node");
	enum err e = ERR_NO_MEMORY;

	print_node_file(n, &b);
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
		return fail(ERR_DAMAGED, "no line %s", word);
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
		e = fail(ERR_DAMAGED, "the line %s has the key of %s", word, out->name);
	return e;
}

static enum err read_lines(struct node *n, struct span rest)
{
	struct span value;
	enum err e = node_line(&rest, "comity-node", &value);

	if (e == OK && !span_is(value, NODE_FORMAT))
		e = fail(ERR_DAMAGED, "format %.*s; this program knows " NODE_FORMAT, SPAN_FORMAT(value));
	if (e == OK)
		e = node_line(&rest, "name", &value);
	if (e == OK)
		e = set_name(n, value);
	if (e == OK)
		e = read_key_line(&rest, "party", n->name, &n->party_key);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = read_key_line(&rest, ledger_name((enum ledger_id)l), n->origin[l], &n->ledger_key[l]);
	return e;
}

/* Keys carry a sum of name and key, and all else has one spelling: so every changed byte is seen. */
static enum err check_spelling(const struct node *n, struct span text)
{
	struct buffer b = BUFFER(NODE_FILE_MAX);
	enum err e;

	print_node_file(n, &b);
	e = b.err;
	if (e == OK && !span_equal(buffer_view(&b), text))
		e = fail(ERR_DAMAGED, "not as it was written");
	buffer_free(&b);
	return e;
}

static enum err node_file_missing(const struct node *n)
{
	char *journal = node_path(n, "journal");
	bool there = journal != NULL && file_exists(journal);

	free(journal);
	if (!there)
		return fail(ERR_NODE_MISSING, "%s", n->dir);
	return fail(ERR_DAMAGED,
		    "%s/node is missing, but a journal is there: `comity init` with the node's name makes it again "
		    "from the keys",
		    n->dir);
}

static enum err read_node_file(struct node *n)
{
	char *path = node_path(n, "node");
	struct span text = { NULL, 0 };
	enum err e = path == NULL ? ERR_NO_MEMORY : file_read(n->arena, path, NODE_FILE_MAX, &text);

	if (e == ERR_NOT_FOUND)
		e = node_file_missing(n);
	else if (e == OK && ((e = read_lines(n, text)) != OK || (e = check_spelling(n, text)) != OK) &&
		 !err_is_machine(e))
		e = fail(ERR_DAMAGED,
			 "%s: %s; put a copy of it back, or remove it: `comity init` with the node's name makes it "
			 "again from the keys",
			 path, err_detail());
	free(path);
	arena_reset(n->arena);
	return e;
}

static enum err same_key(const struct signer *s, const struct verifier *v)
{
	const struct verifier *own = signer_verifier(s);

	if (memcmp(own->public_key, v->public_key, KEY_PUBLIC_SIZE) != 0)
		return fail(
			ERR_KEY,
			"the key of %s in keys/ is not the one that the node was made with; put the copy back that you "
			"keep of it",
			v->name);
	return OK;
}

static enum err check_keys(const struct node *n)
{
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = same_key(n->ledger_signer[l], &n->ledger_key[l]);
	return e;
}

/* A change that was interrupted is finished first. */
static enum err settle_own(struct node *n)
{
	enum err e = node_settle_key(n, n->name, &n->settled);

	return e == OK ? same_key(n->party, &n->party_key) : e;
}

/* An interrupted change of the key leaves DIR/node behind the files, until somebody writes. */
static enum err check_party(struct node *n, const struct signer *s)
{
	struct hash present;
	enum err e = same_key(s, &n->party_key);

	if (e == ERR_KEY && n->views != NULL && node_present_key(n, n->name, &present) == OK &&
	    hash_equal(present, verifier_fingerprint(signer_verifier(s))))
		return OK;
	return e;
}

/* Keys of parties that are held here lie beside the node's own, in files of their names. */
static enum err check_key(struct node *n, struct span file)
{
	struct signer *s = NULL;
	struct span name = file;
	const struct verifier *v = NULL;
	enum err e;

	if (span_is(file, "party")) {
		name = n->name;
		v = &n->party_key;
	}
	for (int l = 0; l < LEDGER_COUNT; l++)
		if (span_is(file, ledger_name((enum ledger_id)l))) {
			name = n->origin[l];
			v = &n->ledger_key[l];
		}
	if (v == NULL && !span_is_domain(file))
		return OK;
	if ((e = load_key(n, file, name, LOAD, &s)) == OK && v != NULL)
		e = v == &n->party_key ? check_party(n, s) : same_key(s, v);
	signer_free(s);
	return e;
}

static enum err check_own_keys(struct node *n, const char *folder)
{
	enum err e = OK;

	for (int l = -1; e == OK && l < LEDGER_COUNT; l++) {
		struct span file = l < 0 ? SPAN("party") : span_of(ledger_name((enum ledger_id)l));

		if ((e = check_key(n, file)) == ERR_NOT_FOUND)
			e = fail(ERR_DAMAGED, "%s/%.*s.key: missing; put the copy back that you keep of it", folder,
				 SPAN_FORMAT(file));
	}
	return e;
}

enum err node_check_keys(struct node *n)
{
	char *folder = node_path(n, "keys");
	const struct dirent *d;
	DIR *dir = NULL;
	enum err e = folder == NULL ? ERR_NO_MEMORY : OK;

	if (e == OK && access(folder, R_OK | X_OK) == -1 && errno == EACCES)
		goto out; /* whoever audits need not have the keys */
	if (e == OK)
		e = check_own_keys(n, folder);
	if (e == OK && (dir = opendir(folder)) == NULL)
		e = fail_errno("%s", folder);
	while (e == OK && (d = readdir(dir)) != NULL) {
		struct span file = span_of(d->d_name);

		if (!span_ends(file, ".key"))
			continue;
		file.len -= strlen(".key");
		if ((e = check_key(n, file)) == ERR_NOT_FOUND)
			e = OK;
	}
	if (dir != NULL)
		closedir(dir);
out:
	free(folder);
	return e;
}

/* ---- opening ---- */

/* A writer throws away what is damaged: the journal has it all. */
static enum err open_views(struct node *n, const char *path)
{
	bool writer = n->mode == NODE_WRITE;
	enum err e = views_open(path, writer, &n->views);

	if (e == ERR_DAMAGED && writer && node_is_borrowed(n)) {
		e = fail(ERR_BUSY, "%s; another process works with these views: stop it first", err_detail());
	} else if (e == ERR_DAMAGED && writer) {
		snprintf(n->mended, sizeof(n->mended), "%s", err_detail());
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

static enum err read_position(struct node *n, uint64_t *out)
{
	struct snapshot *s = NULL;
	enum err e = views_read(n->views, &s);

	if (e == OK) {
		*out = views_position(s);
		snapshot_end(s);
	}
	return e;
}

/* Views that were closed well, or by this boot's kernel, know what was acknowledged. Asked before the journal cuts
 * anything off; a writer has the lock by now. */
static enum err views_within(void *context, struct journal *j, uint64_t end)
{
	struct node *n = context;
	char *views = node_path(n, "views");
	uint64_t position = 0;
	enum err e = views == NULL ? ERR_NO_MEMORY : open_views(n, views);

	free(views);
	if (e == OK)
		e = read_position(n, &position);
	return e == OK && position > end ? journal_short(j, position) : e;
}

/* The views say how far the journal is good, so that opening costs the same however long it is. */
static enum err open_reader(struct node *n, const char *journal)
{
	char *views = node_path(n, "views");
	uint64_t position = 0, end = 0;
	enum err e = views == NULL ? ERR_NO_MEMORY : open_views(n, views);

	free(views);
	if (e == OK)
		e = read_position(n, &position);
	if (e == OK)
		e = journal_open_reader_from(journal, position, &n->journal);
	if (e == OK)
		e = journal_end(n->journal, &end);
	return e == OK && position > end ? journal_short(n->journal, position) : e;
}

static enum err open_writer(struct node *n, const char *journal)
{
	int lock = -1;
	enum err e = node_take_journal(n, journal, &lock);

	return e == OK ? journal_open_locked(journal, lock, views_within, n, &n->journal) : e;
}

enum err node_open_stores(struct node *n)
{
	bool writer = n->mode == NODE_WRITE;
	char *journal = node_path(n, "journal"), *marks = node_path(n, "views/marks");
	enum err e = ERR_NO_MEMORY;

	if (journal != NULL && marks != NULL)
		e = writer ? open_writer(n, journal) : open_reader(n, journal);
	if (e == OK && (writer || file_exists(marks)))
		e = marks_open(marks, &n->marks);
	free(journal);
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
		e = check_keys(n); /* the party's: behind the stores */
	if (e == OK)
		e = node_open_stores(n);
	if (e == OK && mode == NODE_WRITE)
		e = settle_own(n);
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
	enum err e = folder_make_durable(n->dir, 0755);

	for (size_t i = 0; e == OK && i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *path = node_path(n, "%s", folders[i].name);

		e = path == NULL ? ERR_NO_MEMORY : folder_make_durable(path, folders[i].mode);
		free(path);
	}
	if (e == OK)
		e = journal == NULL ? ERR_NO_MEMORY : journal_create(journal);
	free(journal);
	return e == ERR_EXISTS ? OK : e;
}

/* So that others can verify what was logged here: receipts, tiles. */
static void add_ledger_key(struct statement_writer *w, const struct verifier *key)
{
	struct buffer text = BUFFER(1024);

	verifier_print(key, &text);
	statement_add_buffer(w, "ledger-key", &text);
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
	for (int l = 0; l < LEDGER_COUNT; l++)
		add_ledger_key(&w, &n->ledger_key[l]);
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
	return e == OK ? node_write_file(n) : e;
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
