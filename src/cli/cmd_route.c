#include "cli/routing.h"

#include <stdlib.h>

/* One row of "who would be told what". */
struct tally {
	char name[96];
	uint64_t events, notices;
};

struct tallies {
	struct tally *at;
	size_t count, room;
};

struct routing {
	struct cli *c;
	struct progress progress;
	struct tallies networks, parties;
	uint64_t reached;   /* events that go to a party that answers */
	uint64_t set_aside; /* files of a folder */
	struct buffer columns;
};

static enum err tally_add(struct tallies *t, const char *name, uint64_t events)
{
	if (t->count > 0 && strcmp(t->at[t->count - 1].name, name) == 0) {
		t->at[t->count - 1].events += events;
		t->at[t->count - 1].notices++;
		return OK;
	}
	if (t->count == t->room) {
		size_t room = t->room == 0 ? 1024 : t->room * 2;
		struct tally *bigger = realloc(t->at, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		t->at = bigger;
		t->room = room;
	}
	t->at[t->count] = (struct tally){ .events = events, .notices = 1 };
	snprintf(t->at[t->count++].name, sizeof(t->at->name), "%s", name);
	return OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->name, ((const struct tally *)b)->name);
}

static int by_events(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->events != y->events)
		return x->events < y->events ? 1 : -1;
	return by_name(a, b);
}

/* Rows of one name become one, the largest first. */
static void tally_order(struct tallies *t)
{
	size_t kept = 0;

	if (t->count == 0)
		return;
	qsort(t->at, t->count, sizeof(*t->at), by_name);
	for (size_t i = 1; i < t->count; i++) {
		if (strcmp(t->at[kept].name, t->at[i].name) == 0) {
			t->at[kept].events += t->at[i].events;
			t->at[kept].notices += t->at[i].notices;
		} else {
			t->at[++kept] = t->at[i];
		}
	}
	t->count = kept + 1;
	qsort(t->at, t->count, sizeof(*t->at), by_events);
}

static void notice_object(struct cli *c, const struct route_notice *n)
{
	struct json *j = cli_object(c);
	static const struct hash none;

	if (hash_equal(n->id, none))
		json_null(j, "notice");
	else
		json_hash(j, "notice", n->id);
	addressee_json(j, "to", &n->to.to);
	json_string(j, "holder", n->holder);
	json_text(j, "country", n->to.country[0] != '\0' ? n->to.country : NULL);
	json_text(j, "class", class_name(n->class));
	json_number(j, "events", (int64_t)n->events);
	json_number(j, "explained", (int64_t)n->explained);
	json_number(j, "repeats", (int64_t)n->repeats);
	json_number(j, "again", (int64_t)n->again);
	cli_object_end(c);
}

static enum err on_notice(void *context, const struct route_notice *n)
{
	struct routing *r = context;
	struct buffer name = BUFFER(1024);
	char text[96];
	enum err e;

	if (r->c->json) {
		notice_object(r->c, n);
		return OK;
	}
	addressee_print(&n->to.to, &name);
	snprintf(text, sizeof(text), "%.*s%s%.*s", SPAN_FORMAT(buffer_view(&name)), n->holder.len > 0 ? "  " : "",
		 SPAN_FORMAT(n->holder));
	buffer_free(&name);
	e = tally_add(n->to.to.type == TO_PARTY ? &r->parties : &r->networks, text, n->events);
	if (n->to.to.type == TO_PARTY)
		r->reached += n->events;
	return e;
}

static void on_progress(void *context, uint64_t done, uint64_t total, uint64_t events)
{
	struct routing *r = context;

	progress_show(&r->progress, done, total, events, "events");
}

static void print_tally(struct cli *c, const char *title, struct tallies *t, uint64_t top)
{
	char count[32];

	tally_order(t);
	if (t->count == 0)
		return;
	printf("\n%s%s%s\n", cli_bold(c), title, cli_plain(c));
	for (size_t i = 0; i < t->count && i < top; i++) {
		cli_thousands(t->at[i].events, count);
		printf("  %12s  ", count);
		cli_print(span_of(t->at[i].name));
		putchar('\n');
	}
	if (t->count > top)
		printf("  %12s  and %zu more\n", "", t->count - (size_t)top);
}

static int by_country_events(const void *a, const void *b)
{
	const struct route_country *x = a, *y = b;

	return x->events == y->events ? strcmp(x->country, y->country) : x->events < y->events ? 1 : -1;
}

static void print_countries(struct cli *c, struct route_summary *s, uint64_t top)
{
	char count[32];

	if (s->country_count == 0)
		return;
	qsort(s->countries, s->country_count, sizeof(*s->countries), by_country_events);
	printf("\n%sBy country of registration%s\n", cli_bold(c), cli_plain(c));
	for (size_t i = 0; i < s->country_count && i < top; i++) {
		cli_thousands(s->countries[i].events, count);
		printf("  %12s  %s\n", count, s->countries[i].country[0] != '\0' ? s->countries[i].country : "unknown");
	}
	if (s->country_count > top)
		printf("  %12s  and %zu more\n", "", s->country_count - (size_t)top);
}

static void print_figure(uint64_t n, const char *says)
{
	char count[32];

	cli_thousands(n, count);
	printf("  %12s  %s\n", count, says);
}

static void print_verdicts(const struct route_summary *s)
{
	static const char *const says[PLAN_VERDICT_COUNT] = {
		[PLAN_EXPLAINED] = "events explained by a plan filed before",
		[PLAN_SPOOFABLE] = "events fit a plan, but nothing shows that their source was not forged",
		[PLAN_SEALED] = "events from who has a sealed filing: ask",
		[PLAN_BREACH] = "events break a term of a plan",
		[PLAN_EXPIRED_PROOF] = "events fit a plan whose party had no proof of the source then",
		[PLAN_LATE] = "events fit a plan that was filed too late: it explains nothing",
	};

	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		if (says[v] != NULL && (s->verdicts[v] > 0 || v == PLAN_EXPLAINED))
			print_figure(s->verdicts[v], says[v]);
}

static void print_summary(struct routing *r, struct route_summary *s, bool dry_run, uint64_t top)
{
	double rate = s->seconds > 0 ? (double)s->events / s->seconds : 0;
	char count[32], per_second[32];

	cli_thousands(s->events, count);
	cli_thousands((uint64_t)rate, per_second);
	printf("%s%s events%s in %.2f s (%s/s)%s\n", cli_bold(r->c), count, cli_plain(r->c), s->seconds, per_second,
	       dry_run ? ", nothing written: a dry run" : "");
	print_figure(s->notices, dry_run ? "notices would go out" : "notices logged");
	print_figure(s->told, "events told");
	print_figure(s->held, "events repeat what was told: counted, not sent");
	if (s->again > 0)
		print_figure(s->again, "sources came back after they were quiet");
	if (s->waiting > 0)
		print_figure(s->waiting, "events wait for their addressee's next round");
	if (s->released > 0)
		print_figure(s->released, "events that had waited went out");
	if (s->thin > 0)
		print_figure(s->thin, "events say too little to be sent: without a time give --date, or no port");
	print_figure(s->unanswered, "events that nobody answers for");
	print_figure(s->duplicates, "events were counted before");
	print_figure(s->rejected, "rows rejected");
	print_verdicts(s);
	print_figure(r->reached, "events go to a party that proved its claim");
	if (s->rejects[0] != '\0')
		printf("  rejected rows: %s\n", s->rejects);
	if (s->unanswered_list[0] != '\0')
		printf("  unanswered and thin rows: %s\n", s->unanswered_list);
	routing_columns_print(&r->columns);
	print_countries(r->c, s, top);
	print_tally(r->c, "By network that no party here has claimed", &r->networks, top);
	print_tally(r->c, "By party", &r->parties, top);
}

static void summary_object(struct cli *c, const struct route_summary *s)
{
	struct json *j = cli_object(c);

	routing_summary(j, s);
	cli_object_end(c);
}

static enum err on_report(void *context, const struct route_outcome *o)
{
	struct routing *r = context;
	struct routing_file f = { .path = o->path,
				  .result = o->err == OK ? "routed" : "set aside",
				  .err = o->err,
				  .detail = o->detail,
				  .events = o->events,
				  .rejected = o->rejected };

	if (o->err != OK)
		r->set_aside++;
	if (r->c->json || o->err != OK)
		routing_file(r->c, &f);
	return OK;
}

static enum err on_columns(void *context, const struct route_columns *columns)
{
	struct routing *r = context;

	routing_columns(r->c, &r->columns, columns);
	return OK;
}

static enum err route(struct routing *r, struct route_options *o, struct route_summary *s)
{
	struct cli *c = r->c;
	struct routing_paths paths = { 0 };
	struct node *n = NULL;
	enum err e = c->operand_count > 0 ? routing_paths(c, &paths) : OK;

	r->set_aside = paths.set_aside;
	o->each_columns = on_columns;
	if (paths.folders) {
		o->files_only = true;
		o->each_report = on_report;
	}
	if (e == OK)
		e = node_open(c->dir, o->dry_run ? NODE_READ : NODE_WRITE, &n);
	if (e == OK)
		cli_mended(n);
	if (e == OK)
		e = routing_run(c, n, paths.at, paths.count, o, on_progress, on_notice, r, s);
	progress_end(&r->progress);
	node_close(n);
	return e;
}

/* Without a report there is only what waits. */
static enum err check_due(struct cli *c)
{
	if (!cli_flag(c, "due"))
		return c->operand_count > 0
			       ? OK
			       : fail(ERR_USAGE, "use: comity %s %s", c->command->name, c->command->operands);
	if (c->operand_count > 0 || cli_flag(c, "dry-run"))
		return fail(ERR_USAGE, "--due goes without reports and without --dry-run");
	return OK;
}

int cmd_route(struct cli *c)
{
	struct routing r = { .c = c, .progress = progress_begin(c, "route"), .columns = BUFFER(1 << 20) };
	struct route_options o;
	struct route_summary *s = arena_array(c->arena, 1, sizeof(*s));
	uint64_t top;
	enum err e;

	if (cli_flag(c, "watch"))
		return cmd_route_watch(c);
	e = s == NULL ? ERR_NO_MEMORY : routing_options(c, &o);
	if (e == OK && cli_flag(c, "once"))
		e = fail(ERR_USAGE, "--once goes with --watch");
	if (e == OK)
		e = check_due(c);
	if (e == OK)
		e = cli_number(c, "top", 10, 100000, &top);
	if (e == OK)
		e = route(&r, &o, s);
	if (e == OK || (s != NULL && s->events > 0)) {
		if (c->json)
			summary_object(c, s);
		else
			print_summary(&r, s, o.dry_run, top);
	}
	buffer_free(&r.columns);
	free(r.networks.at);
	free(r.parties.at);
	if (e != OK)
		return cli_fail(c, e);
	return r.set_aside == 0 ? EXIT_OK : EXIT_REFUSED;
}
