#include "cli/acting.h"

#include "base/file.h"
#include "regime/plan.h"

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

static enum err read_sources(struct cli *c, struct sources *s)
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
	if (e == OK && s->count == 0)
		e = fail(ERR_USAGE, "a plan wants at least one --source PREFIX");
	return e;
}

static void add_optional(struct cli *c, struct statement_writer *w, const char *name)
{
	const char *value = cli_option(c, name);

	if (value != NULL)
		statement_add(w, name, span_of(value));
}

static void write_plan(struct cli *c, struct node *n, struct statement_writer *w, const struct signer *key,
		       const struct span *sources, size_t count, const int64_t window[2])
{
	const char *activity = cli_option(c, "activity"), *value;
	size_t at = 0;

	statement_begin(w, KIND_PLAN, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add(w, "to", SPAN("all"));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "activity", span_of(activity != NULL ? activity : "scan"));
	statement_add_time(w, "start", window[0]);
	statement_add_time(w, "end", window[1]);
	for (size_t i = 0; i < count; i++)
		statement_add(w, "source", sources[i]);
	if (cli_option(c, "target") == NULL)
		statement_add(w, "target", SPAN("any"));
	while ((value = cli_next(c, "target", &at)) != NULL)
		statement_add(w, "target", span_of(value));
	for (at = 0; (value = cli_next(c, "exclude", &at)) != NULL;)
		statement_add(w, "exclude", span_of(value));
	add_optional(c, w, "purpose");
	add_optional(c, w, "reference");
	if (cli_flag(c, "intrusive"))
		statement_add(w, "intrusive", SPAN("yes"));
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
}

static enum err file_plans(struct cli *c, struct node *n, const struct sources *s, const int64_t window[2],
			   struct appended *out, size_t *count)
{
	const struct signer *key;
	enum err e = act_signer(c, n, &key);

	for (size_t i = 0; e == OK && i < s->count; i += SOURCES_EACH) {
		struct statement_writer w = { 0 };
		size_t some = s->count - i < SOURCES_EACH ? s->count - i : SOURCES_EACH;

		write_plan(c, n, &w, key, s->at + i, some, window);
		e = act_add(n, &w, key, &out[(*count)++]);
	}
	return e;
}

int cmd_plan_file(struct cli *c)
{
	int64_t window[2], now = clock_now_ms() / 1000 * 1000;
	struct sources s = { 0 };
	struct appended *filed = NULL;
	size_t count = 0;
	struct node *n = NULL;
	enum err e = read_sources(c, &s);

	if (e == OK)
		e = cli_time(c, "start", now, &window[0]);
	if (e == OK)
		e = cli_time(c, "end", window[0] + 30 * DAY_MS, &window[1]);
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

struct listing {
	struct cli *c;
	struct node *n;
};

static struct span value_of(const struct statement *s, const char *name)
{
	const struct header *h = statement_header(s, name);

	return h != NULL ? h->value : (struct span){ "", 0 };
}

static size_t count_of(const struct statement *s, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < s->header_count; i++)
		count += span_is(s->headers[i].name, name);
	return count;
}

static void plan_object(struct cli *c, const struct matter *m, const struct statement *s)
{
	struct json *j = cli_object(c);

	json_hash(j, "id", m->id);
	json_string(j, "from", m->from);
	json_string(j, "activity", value_of(s, "activity"));
	json_string(j, "start", value_of(s, "start"));
	json_string(j, "end", value_of(s, "end"));
	json_time(j, "logged", m->logged_ms);
	json_string(j, "purpose", value_of(s, "purpose"));
	json_bool(j, "withdrawn", m->withdrawn);
	json_bool(j, "demonstration", span_is(value_of(s, "demonstration"), "yes"));
	json_array(j, "sources");
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "source"))
			json_string(j, NULL, s->headers[i].value);
	json_array_end(j);
	cli_object_end(c);
}

static enum err list_plan(void *context, const struct matter *m)
{
	struct listing *l = context;
	struct statement s;
	char hex[HASH_HEX + 1];
	enum err e = act_statement(l->c, l->n, m->ledger, m->index, &s, NULL);

	if (e != OK)
		return e;
	if (l->c->json) {
		plan_object(l->c, m, &s);
		return OK;
	}
	hash_hex(m->id, hex);
	printf("%.12s  ", hex);
	cli_column(m->from, 28);
	cli_column(value_of(&s, "activity"), 11);
	printf("%.10s to %.10s  %zu source%s%s%s\n", value_of(&s, "start").at, value_of(&s, "end").at,
	       count_of(&s, "source"), count_of(&s, "source") == 1 ? "" : "s", m->withdrawn ? "  withdrawn" : "",
	       span_is(value_of(&s, "demonstration"), "yes") ? "  [demonstration]" : "");
	return OK;
}

int cmd_plan_list(struct cli *c)
{
	struct state st = { 0 };
	struct listing l = { .c = c };
	enum err e = node_open(c->dir, NODE_READ, &l.n);

	if (e == OK && (e = node_read(l.n, c->arena, &st)) == OK) {
		e = state_matters(&st, LEDGER_PUBLIC, KIND_PLAN, 0, list_plan, &l);
		snapshot_end(st.snapshot);
	}
	node_close(l.n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static const char *verdict_says(enum plan_verdict v)
{
	switch (v) {
	case PLAN_EXPLAINED:
		return "a plan filed before explains it; it lowers priority and closes nothing";
	case PLAN_BREACH:
		return "a plan covers the source and the time, but a term of it is broken";
	case PLAN_LATE:
		return "a plan fits but was filed after the event: it explains nothing";
	default:
		return "no plan covers it";
	}
}

static void match_report(struct cli *c, const struct observation *o, const struct plan_match *m)
{
	char source[ADDRESS_TEXT], hex[HASH_HEX + 1];
	bool plan = m->verdict != PLAN_UNDECLARED;

	address_format(o->source, source);
	hash_hex(m->plan, hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "address", source);
		json_time(j, "time", o->time_ms);
		json_text(j, "verdict", plan_verdict_name(m->verdict));
		json_text(j, "plan", plan ? hex : NULL);
		json_text(j, "term", m->term);
		cli_object_end(c);
		return;
	}
	printf("%s %s%s%s: %s\n", source, cli_bold(c), plan_verdict_name(m->verdict), cli_plain(c),
	       verdict_says(m->verdict));
	if (plan)
		printf("  plan %s\n", hex);
	if (m->term != NULL)
		printf("  term: %s\n", m->term);
}

static enum err read_observation(struct cli *c, struct observation *o)
{
	const char *target = cli_option(c, "target");

	if (address_parse(span_of(c->operands[0]), &o->source) != OK)
		return fail(ERR_ADDRESS, "`%s`", c->operands[0]);
	o->has_target = target != NULL;
	if (target != NULL && address_parse(span_of(target), &o->target) != OK)
		return fail(ERR_ADDRESS, "--target `%s`", target);
	return cli_time(c, "time", clock_now_ms(), &o->time_ms);
}

int cmd_plan_match(struct cli *c)
{
	struct observation o = { 0 };
	struct plan_match m;
	struct state st = { 0 };
	struct plans *plans = NULL;
	struct node *n = NULL;
	enum err e = read_observation(c, &o);

	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		if ((e = plans_load(&st, &plans)) == OK) {
			m = plans_match(plans, &o);
			match_report(c, &o, &m);
		}
		snapshot_end(st.snapshot);
	}
	plans_free(plans);
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
