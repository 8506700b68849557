/* Counts what became of sources that were told and of look-alikes that were not, and signs it. */
#include <stdlib.h>

#include "cli/acting.h"
#include "cli/resolving.h"
#include "regime/control.h"
#include "regime/sighting.h"
#include "regime/statistics.h"
#include "territory/exposure.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define SECOND_MS 1000
#define LINES_MAX 64 /* of tables */

struct side {
	uint64_t all, gone[CONTROL_DAYS];
};
struct counting {
	int64_t from_ms, to_ms;
	enum rsit_class class; /* CLASS_NONE: all */
	struct side told[CLASS_COUNT], untold[CLASS_COUNT];
};

/* A line is gone after so many days if its last event came within them: nobody reported it to this node since. */
static enum err count_line(void *context, const struct addressee *to, enum rsit_class class,
			   const struct sighting_line *line, const struct sighting *s)
{
	struct counting *k = context;
	struct side *side = s->told > 0 ? &k->told[class] : &k->untold[class];

	(void)to;
	(void)line;
	if (s->first_ms == 0 || s->first_ms < k->from_ms || s->first_ms >= k->to_ms ||
	    (k->class != CLASS_NONE && class != k->class))
		return OK;
	side->all++;
	for (int i = 0; i < CONTROL_DAYS; i++)
		side->gone[i] += s->last_ms - s->first_ms < statistics_days[i] * DAY_MS;
	return OK;
}

/* ---- the tables that it was counted with ---- */

struct tables {
	struct span lines[LINES_MAX];
	size_t count;
};

static enum err add_line(struct tables *t, char *line)
{
	if (line == NULL)
		return ERR_NO_MEMORY;
	for (char *p = line; *p != '\0'; p++) /* names of publishers are theirs, a header is ASCII */
		*p = *p > 0x1f && *p < 0x7f ? *p : '?';
	t->lines[t->count++] = span_of(line);
	return OK;
}

/* The compiled file with its digest, then what it was compiled from, as notices name it. Without tables: nothing. */
static enum err name_tables(struct cli *c, struct tables *out)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir), hex[HASH_HEX + 1], dated[CLOCK_TEXT];
	struct table_facts facts;
	struct table *t = NULL;
	struct hash digest;
	enum err e = path == NULL ? ERR_NO_MEMORY : table_open(path, &t);

	if (e == ERR_TABLE_MISSING)
		return OK;
	if (e == OK)
		e = exposure_digest(path, &digest);
	if (e == OK) {
		table_facts(t, &facts);
		clock_format(facts.built_ms, dated);
		hash_hex(digest, hex);
		e = add_line(out, arena_print(c->arena, "territory.table %.10s sha256:%s", dated, hex));
	}
	for (size_t i = 0; e == OK && i < table_sources(t) && out->count < LINES_MAX; i++) {
		struct table_source s;

		table_source(t, i, &s);
		clock_format(s.dated_ms, dated);
		e = s.dated_ms != 0 ? add_line(out, arena_print(c->arena, "%.*s %.10s", SPAN_FORMAT(s.name), dated))
				    : add_line(out, arena_print(c->arena, "%.*s", SPAN_FORMAT(s.name)));
	}
	table_close(t);
	return e;
}

/* ---- the statement ---- */

static void add_gone(struct statement_writer *w, const char *name, const struct side *s)
{
	statement_add_print(w, name, "%ju %ju %ju %ju", (uintmax_t)s->gone[0], (uintmax_t)s->gone[1],
			    (uintmax_t)s->gone[2], (uintmax_t)s->gone[3]);
}

static enum err add_control(struct node *n, const struct counting *k, enum rsit_class class, const struct tables *t,
			    struct appended *out)
{
	const struct side *told = &k->told[class], *untold = &k->untold[class];
	struct statement_writer w = { 0 };

	statement_begin(&w, KIND_CONTROL, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_time(&w, "date", clock_now_ms());
	statement_add(&w, "class", span_of(class_name(class)));
	statement_add_time(&w, "first", k->from_ms);
	statement_add_time(&w, "last", k->to_ms);
	statement_add_print(&w, "notified", "%ju", (uintmax_t)told->all);
	add_gone(&w, "notified-gone", told);
	statement_add_print(&w, "control", "%ju", (uintmax_t)untold->all);
	add_gone(&w, "control-gone", untold);
	for (size_t i = 0; i < t->count; i++)
		statement_add(&w, "table", t->lines[i]);
	return act_add(n, &w, node_signer(n), out);
}

static void side_object(struct json *j, const char *key, const struct side *s)
{
	json_object(j, key);
	json_number(j, "all", (int64_t)s->all);
	json_array(j, "gone");
	for (int i = 0; i < CONTROL_DAYS; i++)
		json_number(j, NULL, (int64_t)s->gone[i]);
	json_array_end(j);
	json_object_end(j);
}

static void show_class(struct cli *c, const struct counting *k, enum rsit_class class, const struct appended *a)
{
	const struct side *told = &k->told[class], *untold = &k->untold[class];

	if (c->json) {
		struct json *j = cli_object(c);

		if (a != NULL)
			json_hash(j, "id", a->id);
		json_text(j, "class", class_name(class));
		json_time(j, "first", k->from_ms);
		json_time(j, "last", k->to_ms);
		side_object(j, "notified", told);
		side_object(j, "control", untold);
		cli_object_end(c);
		return;
	}
	cli_column(span_of(class_name(class)), 38);
	printf("told %llu, gone after 1, 7, 14, 30 days: %llu %llu %llu %llu; not told %llu: %llu %llu %llu %llu\n",
	       (unsigned long long)told->all, (unsigned long long)told->gone[0], (unsigned long long)told->gone[1],
	       (unsigned long long)told->gone[2], (unsigned long long)told->gone[3], (unsigned long long)untold->all,
	       (unsigned long long)untold->gone[0], (unsigned long long)untold->gone[1],
	       (unsigned long long)untold->gone[2], (unsigned long long)untold->gone[3]);
}

static bool is_worth_it(const struct counting *k, enum rsit_class class)
{
	return class != CLASS_OTHER && class != CLASS_UNDETERMINED && class != CLASS_TEST &&
	       k->told[class].all + k->untold[class].all > 0;
}

static enum err log_all(struct cli *c, struct node *n, const struct counting *k, struct appended *logged)
{
	struct tables t = { 0 };
	enum err e = name_tables(c, &t);

	for (int i = CLASS_NONE + 1; e == OK && i < CLASS_COUNT; i++)
		if (is_worth_it(k, (enum rsit_class)i))
			e = add_control(n, k, (enum rsit_class)i, &t, &logged[i]);
	return e;
}

/* ---- the command ---- */

/* What was first seen less than 30 days ago has not had its 30 days. */
static enum err read_period(struct cli *c, struct counting *k)
{
	const char *class = cli_option(c, "class");
	int64_t newest_ms = clock_now_ms() - statistics_days[CONTROL_DAYS - 1] * DAY_MS;
	enum err e = cli_time(c, "to", newest_ms, &k->to_ms);

	if (e == OK)
		e = cli_time(c, "from", k->to_ms - 90 * DAY_MS, &k->from_ms);
	if (e == OK && class != NULL)
		e = class_parse(span_of(class), &k->class);
	k->from_ms -= k->from_ms % SECOND_MS; /* as a statement can say it */
	k->to_ms -= k->to_ms % SECOND_MS;
	if (e == OK && k->to_ms > newest_ms)
		e = fail(ERR_USAGE, "--to: what was first seen then has not had its 30 days yet");
	if (e == OK && k->from_ms >= k->to_ms)
		e = fail(ERR_USAGE, "the period ends before it begins");
	return e;
}

static enum err count(struct cli *c, struct counting *k)
{
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = sightings_walk(&st, NULL, count_line, k);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e;
}

int cmd_control(struct cli *c)
{
	struct counting *k = arena_array(c->arena, 1, sizeof(*k));
	struct appended *logged = arena_array(c->arena, CLASS_COUNT, sizeof(*logged));
	bool dry = cli_flag(c, "dry-run");
	struct node *n = NULL;
	unsigned shown = 0;
	enum err e = k == NULL || logged == NULL ? ERR_NO_MEMORY : read_period(c, k);

	if (e == OK)
		e = count(c, k);
	if (e == OK && !dry) {
		e = act_begin(c, &n);
		if (e == OK)
			e = log_all(c, n, k, logged);
		e = act_end(n, e);
	}
	if (e != OK)
		return cli_fail(c, e);
	for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
		if (is_worth_it(k, (enum rsit_class)i)) {
			show_class(c, k, (enum rsit_class)i, dry ? NULL : &logged[i]);
			shown++;
		}
	if (shown == 0 && !c->json)
		printf("Nothing was first seen in that period: there is nothing to count.\n");
	else if (!dry && !c->json)
		printf("Signed and logged: `comity standing` shows the difference.\n");
	return EXIT_OK;
}
