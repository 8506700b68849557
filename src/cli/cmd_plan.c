#include "cli/acting.h"

#include <sodium.h>

#include "base/file.h"
#include "regime/plan_terms.h"

#define SOURCES_MAX ((size_t)1 << 20)
#define DAY_MS ((int64_t)86400 * 1000)

/* A plan's statement holds so many sources; a longer list is filed as several plans. */
#define SOURCES_EACH 1500

struct sources {
	struct span *at;
	size_t count;
};

/* A prefix as statements write it: a host gets its length. */
static enum err canonical(struct cli *c, struct span text, struct span *out)
{
	char *printed = arena_alloc(c->arena, PREFIX_TEXT);
	struct prefix p;

	if (printed == NULL)
		return ERR_NO_MEMORY;
	if (prefix_parse(text, &p) != OK)
		return fail(ERR_PREFIX, "`%.*s` is no prefix", SPAN_FORMAT(text));
	*out = span_make(printed, prefix_format(p, printed));
	return OK;
}

static enum err add_source(struct cli *c, struct sources *s, struct span text)
{
	enum err e = canonical(c, text, &s->at[s->count]);

	s->count += e == OK;
	return e;
}

static enum err read_sources(struct cli *c, struct sources *s, bool wanted)
{
	const char *path = cli_option(c, "sources"), *value;
	struct span file = { 0 }, line;
	size_t room = c->given_count, at = 0;
	enum err e = OK;

	if (path != NULL && (e = file_read(c->arena, path, SOURCES_MAX, &file)) != OK)
		return e;
	for (struct span rest = file; span_line(&rest, &line);)
		room++;
	if ((s->at = arena_array(c->arena, room, sizeof(*s->at))) == NULL)
		return ERR_NO_MEMORY;
	while (e == OK && (value = cli_next(c, "source", &at)) != NULL)
		e = add_source(c, s, span_of(value));
	while (e == OK && span_line(&file, &line)) {
		line = span_trim(line);
		if (line.len > 0 && line.at[0] != '#')
			e = add_source(c, s, line);
	}
	if (e == OK && wanted && s->count == 0)
		e = fail(ERR_USAGE, "a plan wants at least one --source PREFIX");
	return e;
}

/* Headers that take what was given, once or as often as it was. `source` is read apart, since files hold it too. */
static const char *const terms[] = { "activity",  "repeat",    "alternate", "target",	 "exclude",
				     "transport", "port",      "rate",	    "rate-each", "marker",
				     "purpose",	  "reference", "ethics",    "contact",	 "stop-within" };
#define TERMS (sizeof(terms) / sizeof(terms[0]))

static bool is_window(struct span name, struct cli *c)
{
	return (span_is(name, "start") && cli_option(c, "start") != NULL) ||
	       (span_is(name, "end") && cli_option(c, "end") != NULL);
}

/* Whether what the old version says under that name goes: it is said anew, or is no term. */
static bool goes(struct cli *c, struct span name, bool sources)
{
	static const char *const frame[] = { "ledger", "from", "key", "date", "re", "nonce" };

	for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++)
		if (span_is(name, frame[i]))
			return true;
	for (size_t i = 0; i < TERMS; i++)
		if (span_is(name, terms[i]) && cli_option(c, terms[i]) != NULL)
			return true;
	return is_window(name, c) || (span_is(name, "to") && cli_option(c, "to") != NULL) ||
	       (span_is(name, "source") && sources) || (span_is(name, "intrusive") && cli_flag(c, "intrusive"));
}

static void add_new(struct cli *c, struct statement_writer *w, const char *name)
{
	const char *value;

	for (size_t at = 0; (value = cli_next(c, name, &at)) != NULL;)
		statement_add(w, name, span_of(value));
}

static void add_defaults(struct cli *c, struct statement_writer *w, const int64_t window[2])
{
	if (cli_option(c, "to") == NULL)
		statement_add(w, "to", SPAN("all"));
	if (cli_option(c, "activity") == NULL)
		statement_add(w, "activity", SPAN("scan"));
	statement_add_time(w, "start", window[0]);
	statement_add_time(w, "end", window[1]);
	if (cli_option(c, "target") == NULL)
		statement_add(w, "target", SPAN("any"));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
}

/* All that declares something, behind what every plan begins with. old: NULL, or the version whose place it takes. */
static void add_terms(struct cli *c, struct statement_writer *w, const struct statement *old, const int64_t window[2],
		      const struct span *sources, size_t count)
{
	for (size_t i = 0; old != NULL && i < old->header_count; i++)
		if (!goes(c, old->headers[i].name, count > 0))
			statement_add(w, arena_print(c->arena, "%.*s", SPAN_FORMAT(old->headers[i].name)),
				      old->headers[i].value);
	if (old == NULL) {
		add_defaults(c, w, window);
	} else {
		if (cli_option(c, "start") != NULL)
			statement_add_time(w, "start", window[0]);
		if (cli_option(c, "end") != NULL)
			statement_add_time(w, "end", window[1]);
	}
	add_new(c, w, "to");
	for (size_t i = 0; i < TERMS; i++)
		add_new(c, w, terms[i]);
	for (size_t i = 0; i < count; i++)
		statement_add(w, "source", sources[i]);
	if (cli_flag(c, "intrusive"))
		statement_add(w, "intrusive", SPAN("yes"));
}

static void begin_plan(struct node *n, struct statement_writer *w, const struct signer *key)
{
	statement_begin(w, KIND_PLAN, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
}

static enum err file_plans(struct cli *c, struct node *n, const struct sources *s, const int64_t window[2],
			   struct appended *out, size_t *count)
{
	const struct signer *key;
	enum err e = act_signer(c, n, &key);

	for (size_t i = 0; e == OK && i < s->count; i += SOURCES_EACH) {
		struct statement_writer w = { 0 };
		size_t some = s->count - i < SOURCES_EACH ? s->count - i : SOURCES_EACH;

		begin_plan(n, &w, key);
		add_terms(c, &w, NULL, window, s->at + i, some);
		e = act_add(n, &w, key, &out[(*count)++]);
	}
	return e;
}

/* From the next second on, so that a plan is not filed after its own beginning. */
static enum err read_window(struct cli *c, int64_t window[2])
{
	enum err e = cli_time(c, "start", (clock_now_ms() / 1000 + 1) * 1000, &window[0]);

	return e == OK ? cli_time(c, "end", window[0] + 30 * DAY_MS, &window[1]) : e;
}

int cmd_plan_file(struct cli *c)
{
	int64_t window[2];
	struct sources s = { 0 };
	struct appended *filed = NULL;
	size_t count = 0;
	struct node *n = NULL;
	enum err e = read_sources(c, &s, true);

	if (e == OK)
		e = read_window(c, window);
	if (e == OK && (filed = arena_array(c->arena, s.count / SOURCES_EACH + 1, sizeof(*filed))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, file_plans(c, n, &s, window, filed, &count));
	if (e != OK)
		return cli_fail(c, e);
	for (size_t i = 0; i < count; i++)
		act_report(c, "plan", &filed[i]);
	return EXIT_OK;
}

/* ---- a later version ---- */

static enum err change_plan(struct cli *c, struct node *n, const struct sources *s, struct appended *out)
{
	struct statement_writer w = { 0 };
	const struct signer *key;
	int64_t window[2];
	struct statement old;
	struct matter m;
	enum err e = cli_matter(c, node_batch_state(n), c->operands[0], &m);

	if (e == OK && m.kind != KIND_PLAN)
		e = fail(ERR_MATTER_UNKNOWN, "a %s, no plan", kind_name(m.kind));
	if (e == OK)
		e = act_statement(c, n, m.ledger, m.index, &old, NULL);
	if (e == OK)
		e = act_signer_of(n, old.from, &key);
	if (e == OK)
		e = read_window(c, window);
	if (e != OK)
		return e;
	begin_plan(n, &w, key);
	statement_add_hash(&w, "re", old.id);
	add_terms(c, &w, &old, window, s->at, s->count);
	return act_add(n, &w, key, out);
}

int cmd_plan_change(struct cli *c)
{
	struct sources s = { 0 };
	struct appended changed;
	struct node *n = NULL;
	enum err e = read_sources(c, &s, false);

	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, change_plan(c, n, &s, &changed));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "plan", &changed);
	return EXIT_OK;
}

/* ---- sealed ----
 *
 * What opens a sealed filing lies in DIR/sealed, a file for each commitment that only the operator reads: the nonce, then the
 * terms as the statement that reveals them will have them. It is on disk before the commitment is logged; without it the filing
 * proves nothing any more. */

static const char *sealed_path(struct cli *c, struct hash commitment)
{
	char hex[HASH_HEX + 1];

	hash_hex(commitment, hex);
	return arena_print(c->arena, "%s/sealed/%s", c->dir, hex);
}

static enum err keep_sealed(struct cli *c, struct hash commitment, const uint8_t nonce[SEAL_SALT_SIZE],
			    struct span text)
{
	const char *folder = arena_print(c->arena, "%s/sealed", c->dir), *path = sealed_path(c, commitment), *whole;
	char hex[2 * SEAL_SALT_SIZE + 1] = "";
	enum err e;

	hex_encode(nonce, SEAL_SALT_SIZE, hex);
	whole = arena_print(c->arena, "nonce %.64s\n%.*s", hex, SPAN_FORMAT(text));
	if (folder == NULL || path == NULL || whole == NULL)
		return ERR_NO_MEMORY;
	e = file_exists(folder) ? OK : folder_make_durable(folder, 0700);
	return e == OK ? file_write(path, span_of(whole), 0600) : e;
}

/* The plan as it will be revealed, signed and read as any would be, but logged nowhere. */
static enum err draft(struct cli *c, struct node *n, const struct signer *key, const struct sources *s,
		      const int64_t window[2], struct span *text)
{
	struct buffer note = BUFFER(STATEMENT_MAX), lines = BUFFER(STATEMENT_MAX);
	struct statement_writer w = { 0 };
	struct plan_terms t;
	struct statement made;
	struct hash id;
	char *copy = NULL;
	enum err e;

	begin_plan(n, &w, key);
	add_terms(c, &w, NULL, window, s->at, s->count);
	if ((e = statement_end(&w, key, &note, &id)) == OK && (copy = arena_copy(c->arena, note.at, note.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = statement_parse(c->arena, span_make(copy, note.len), &made);
	if (e == OK)
		e = plan_terms_read(c->arena, &made, &t);
	if (e == OK)
		e = plan_terms_text(&made, &lines);
	if (e == OK && (copy = arena_copy(c->arena, lines.at, lines.len)) == NULL)
		e = ERR_NO_MEMORY;
	*text = span_make(copy, lines.len);
	statement_writer_free(&w);
	buffer_free(&note);
	buffer_free(&lines);
	return e;
}

static enum err seal_plan(struct cli *c, struct node *n, const struct sources *s, const int64_t window[2],
			  struct appended *out)
{
	struct statement_writer w = { 0 };
	uint8_t nonce[SEAL_SALT_SIZE];
	const struct signer *key;
	struct hash commitment;
	struct span text;
	const char *to;
	enum err e = act_signer(c, n, &key);

	if (e == OK)
		e = draft(c, n, key, s, window, &text);
	if (e != OK)
		return e;
	randombytes_buf(nonce, sizeof(nonce));
	commitment = seal_commitment(span_of(signer_verifier(key)->name), SPAN(""), SPAN("text/plain"), nonce, text);
	if ((e = keep_sealed(c, commitment, nonce, text)) != OK)
		return e;
	begin_plan(n, &w, key);
	for (size_t at = 0; (to = cli_next(c, "countersigner", &at)) != NULL;)
		statement_add(&w, "to", span_of(to));
	statement_add_hash(&w, "commitment", commitment);
	if (cli_flag(c, "window")) {
		statement_add_time(&w, "start", window[0]);
		statement_add_time(&w, "end", window[1]);
	}
	return act_add(n, &w, key, out);
}

int cmd_plan_seal(struct cli *c)
{
	int64_t window[2];
	struct sources s = { 0 };
	struct appended sealed;
	struct node *n = NULL;
	enum err e = read_sources(c, &s, true);

	if (e == OK && s.count > SOURCES_EACH)
		e = fail(ERR_USAGE, "--sources: a sealed plan has at most %d", SOURCES_EACH);
	if (e == OK)
		e = read_window(c, window);
	if (e == OK && cli_flag(c, "window") && cli_option(c, "repeat") != NULL)
		e = fail(ERR_USAGE, "--window: what repeats is sealed without one");
	if (e == OK && (e = act_begin(c, &n)) == OK)
		e = act_end(n, seal_plan(c, n, &s, window, &sealed));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "plan", &sealed);
	return EXIT_OK;
}

static enum err read_sealed(struct cli *c, const struct statement *s, struct span *out)
{
	const struct header *h = statement_header(s, "commitment");
	struct hash commitment;
	const char *path;
	enum err e;

	if (s->kind != KIND_PLAN || h == NULL || hash_from_hex(h->value, &commitment) != OK)
		return fail(ERR_SEALED, "%s: no sealed filing", c->operands[0]);
	if ((path = sealed_path(c, commitment)) == NULL)
		return ERR_NO_MEMORY;
	if ((e = file_read(c->arena, path, STATEMENT_MAX, out)) == ERR_NOT_FOUND)
		e = fail(ERR_NOT_FOUND, "%s: what opens it is not kept here", path);
	return e;
}

static enum err reveal_plan(struct cli *c, struct node *n, struct appended *out)
{
	struct statement_writer w = { 0 };
	struct span rest, line;
	const struct signer *key;
	struct statement s;
	struct matter m;
	enum err e = cli_matter(c, node_batch_state(n), c->operands[0], &m);

	if (e == OK)
		e = act_statement(c, n, m.ledger, m.index, &s, NULL);
	if (e == OK)
		e = read_sealed(c, &s, &rest);
	if (e == OK)
		e = act_signer_of(n, s.from, &key);
	if (e != OK)
		return e;
	begin_plan(n, &w, key);
	statement_add_hash(&w, "re", s.id);
	while (span_line(&rest, &line)) {
		struct span value = line, name = span_cut(&value, ' ');
		const char *copy = arena_copy(c->arena, name.at, name.len);

		if (copy == NULL)
			return ERR_NO_MEMORY;
		statement_add(&w, copy, value);
	}
	return act_add(n, &w, key, out);
}

int cmd_plan_reveal(struct cli *c)
{
	struct appended shown;
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = act_end(n, reveal_plan(c, n, &shown));
	if (e != OK)
		return cli_fail(c, e);
	act_report(c, "plan", &shown);
	return EXIT_OK;
}
