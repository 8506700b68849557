#include "cli/cli.h"
#include "cli/resolving.h"
#include "exchange/standing_view.h"
#include "regime/mirror.h"
#include "regime/standing.h"
#include "territory/exposure.h"

#define LINE_MAX ((size_t)1 << 20)

/* What is asked, and where it is read: the node's own ledgers, or those of another that it follows. */
struct asking {
	struct cli *c;
	struct standing_ask ask;
	struct addressee party;
	bool everyone, stix;
	struct node *n;
	struct mirror *mirror;
	struct state st;
	struct resolving resolving; /* --addresses */
	uint64_t *blocks;	    /* by the resolver's number */
	struct span tables;
	int64_t dated_ms;
	uint64_t shown;
};

/* ---- exposure ---- */

static enum err describe_tables(struct asking *a)
{
	struct buffer names = BUFFER(4096);
	const struct table *t = a->resolving.table;
	const char *copy;
	enum err e;

	for (size_t i = 0; i < table_sources(t); i++) {
		struct table_source s;

		table_source(t, i, &s);
		if (i > 0)
			buffer_text(&names, ", ");
		buffer_span(&names, s.name);
		if (s.dated_ms != 0 && (a->dated_ms == 0 || s.dated_ms < a->dated_ms))
			a->dated_ms = s.dated_ms;
	}
	e = names.err;
	copy = arena_copy(a->c->arena, names.at, names.len);
	a->tables = span_make(copy, names.len);
	buffer_free(&names);
	return e == OK && copy == NULL ? ERR_NO_MEMORY : e;
}

static enum err count_addresses(struct asking *a)
{
	enum err e = resolving_begin(a->c, &a->resolving);

	if (e != OK)
		return e;
	a->blocks = arena_array(a->c->arena, resolver_addressees(a->resolving.resolver), sizeof(*a->blocks));
	if (a->blocks == NULL)
		return ERR_NO_MEMORY;
	exposure_count(a->resolving.resolver, a->blocks);
	return describe_tables(a);
}

static bool same(const struct addressee *a, const struct addressee *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case TO_PARTY:
		return span_equal(a->domain, b->domain);
	case TO_AS:
		return a->asn == b->asn;
	case TO_PREFIX:
		return prefix_compare(a->prefix, b->prefix) == 0;
	case TO_COUNTRY:
		return memcmp(a->country, b->country, 2) == 0;
	case TO_ALL:
		break;
	}
	return false;
}

/* NULL: it is not asked for, or the tables give the party nothing. */
static const struct exposure *exposure_of(const struct asking *a, const struct addressee *party, struct exposure *out)
{
	if (a->blocks == NULL)
		return NULL;
	*out = (struct exposure){ .table = a->tables, .dated_ms = a->dated_ms };
	for (uint32_t i = 1; i < resolver_addressees(a->resolving.resolver); i++) {
		struct resolved r;

		resolver_addressee(a->resolving.resolver, i, &r);
		if (same(&r.to, party))
			out->blocks += a->blocks[i];
	}
	return out->blocks > 0 ? out : NULL;
}

/* ---- for people ---- */

static void show_rate(double x)
{
	printf("%.1f %%", 100 * x);
}

static void show_share(const char *what, const struct proportion *s, const char *of)
{
	char numerator[32], denominator[32];

	cli_thousands(s->numerator, numerator);
	cli_thousands(s->denominator, denominator);
	printf("  ");
	cli_column(span_of(what), 30);
	printf("%10s of %s %s", numerator, denominator, of);
	if (s->denominator == 0) {
		printf("; no data");
	} else if (s->blank) {
		printf("; too few for a rate");
	} else {
		printf(": ");
		show_rate((double)s->numerator / (double)s->denominator);
		printf(" (");
		show_rate(s->low);
		printf(" to ");
		show_rate(s->high);
		printf(")");
	}
	if (s->unknown > 0)
		printf("; not known of %llu more", (unsigned long long)s->unknown);
	putchar('\n');
}

static void show_time(const char *what, bool blank, bool has, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format_duration(ms - ms % 1000, text);
	printf("    %s: %s\n", what, blank ? "too few to say" : has ? text : "not reached yet");
}

static void show_survival(const char *what, const struct survival *s)
{
	printf("  ");
	cli_column(span_of(what), 30);
	printf("%10llu of %llu%s\n", (unsigned long long)s->ended, (unsigned long long)s->cases,
	       s->cases == 0 ? "; no data"
	       : s->blank    ? "; too few for a rate"
			     : "; open ones count for as long as they were open");
	for (int i = 0; !s->blank && i < STANDING_DAYS; i++) {
		printf("    after %2u day%s ", statistics_days[i], statistics_days[i] == 1 ? ": " : "s:");
		if (s->days[i].known)
			show_rate(s->days[i].done);
		else
			printf("not known yet");
		if (s->days[i].has_interval) {
			printf(" (");
			show_rate(s->days[i].low);
			printf(" to ");
			show_rate(s->days[i].high);
			printf(")");
		}
		printf("; %llu still open then\n", (unsigned long long)s->days[i].at_risk);
	}
}

static void show_answerer(const struct standing *s)
{
	char notices[32], events[32];

	cli_thousands(s->notices, notices);
	cli_thousands(s->events, events);
	printf("As who answers: %s notice%s of %s events; %llu withdrawn, which count nowhere below\n", notices,
	       s->notices == 1 ? "" : "s", events, (unsigned long long)s->withdrawn);
	show_share("arrived", &s->arrived, "logged a day ago");
	show_share("acknowledged", &s->acknowledged, "that are due");
	show_share("  by the party itself", &s->acknowledged_by_itself, "that are due");
	show_time("half of all within", s->acknowledge.blank, s->acknowledge.has_p50, s->acknowledge.p50_ms);
	show_time("nine of ten within", s->acknowledge.blank, s->acknowledge.has_p90, s->acknowledge.p90_ms);
	show_share("overdue", &s->overdue, "that are due");
	show_survival("fixed", &s->fixed);
	if (s->disputed.numerator > 0)
		show_survival("fixed, without the disputed", &s->fixed_undisputed);
	if (s->fixed_by_node > 0)
		printf("    of the fixed, the node said so for the party: %llu\n",
		       (unsigned long long)s->fixed_by_node);
	show_share("disputed", &s->disputed, "in all");
	if (s->disputed.numerator > 0)
		show_share("  the dispute stands", &s->disputed_standing, "older than 14 days, or closed");
	show_share("seen again", &s->reopened, "fixed");
	show_share("  within 30 days", &s->re_offence_30d, "fixed 30 days ago");
	show_share("not theirs", &s->not_ours, "in all");
	show_share("cannot, asked for help", &s->cannot, "in all");
}

static void show_uplift(const struct uplift *u)
{
	printf("  %s, beside look-alikes that were not notified:\n", class_name(u->class));
	for (int i = 0; i < STANDING_DAYS; i++) {
		printf("    gone after %2u days: %llu of %llu, without notice %llu of %llu", statistics_days[i],
		       (unsigned long long)u->notified[i].numerator, (unsigned long long)u->notified[i].denominator,
		       (unsigned long long)u->control[i].numerator, (unsigned long long)u->control[i].denominator);
		if (u->more[i].blank)
			printf("; too few for a difference\n");
		else
			printf(": %+.1f points (%+.1f to %+.1f)\n", 100 * u->more[i].value, 100 * u->more[i].low,
			       100 * u->more[i].high);
	}
}

static void show_reporter(const struct standing *s)
{
	if (s->filed == 0 && s->uplift_count == 0)
		return;
	printf("\nAs who reports: %llu notices; %llu withdrawn, %llu not the addressee's, %llu whose dispute stands\n",
	       (unsigned long long)s->filed, (unsigned long long)s->filed_withdrawn,
	       (unsigned long long)s->filed_not_ours, (unsigned long long)s->filed_disputed);
	show_share("false", &s->false_notices, "filed");
	show_share("late by more than a day", &s->late, "that say when it was seen");
	for (size_t i = 0; i < s->uplift_count; i++)
		show_uplift(&s->uplift[i]);
}

static void show_exposure(const struct standing *s, const struct exposure *x)
{
	char dated[CLOCK_TEXT];

	if (x == NULL)
		return;
	cli_date(x->dated_ms, dated);
	printf("\nIt answers for %llu blocks of 256 IPv4 addresses by tables of %.10s: %.2f notices for a million "
	       "addresses\n",
	       (unsigned long long)x->blocks, x->dated_ms != 0 ? dated : "unknown date",
	       (double)(s->notices - s->withdrawn) * 1e6 / ((double)x->blocks * 256));
}

static void show_one(const struct asking *a, const struct standing *s, const struct exposure *x)
{
	char from[CLOCK_TEXT], until[CLOCK_TEXT];

	cli_date(s->from_ms, from);
	clock_format_ms(s->until_ms, until);
	printf("%s%s%s by the ledgers of %.*s, %s%s before %s, as it was known then\n", cli_bold(a->c),
	       cli_addressee(a->c, &s->party), cli_plain(a->c), SPAN_FORMAT(s->ledger_node),
	       s->from_ms > 0 ? "from " : "what was logged", s->from_ms > 0 ? from : "", until);
	if (s->demonstration)
		printf("Only what was made for a demonstration.\n");
	putchar('\n');
	show_answerer(s);
	show_exposure(s, x);
	show_reporter(s);
	printf("\nNo data is blank, never good. Acknowledging is not admitting.\n");
}

static void show_cell(const struct proportion *s)
{
	if (s->blank)
		printf("  %5s (%llu/%llu)", "", (unsigned long long)s->numerator, (unsigned long long)s->denominator);
	else
		printf("  %5.1f (%llu/%llu)", 100 * (double)s->numerator / (double)s->denominator,
		       (unsigned long long)s->numerator, (unsigned long long)s->denominator);
}

static void show_row(const struct asking *a, const struct standing *s)
{
	if (a->shown == 0)
		printf("In the order of names: parties differ, this is no ranking. Per cent, blank below %d.\n"
		       "%-32s %8s  acknowledged of those due, overdue, disputed\n",
		       STANDING_LEAST, "", "notices");
	cli_column(span_of(cli_addressee(a->c, &s->party)), 32);
	printf("%8llu", (unsigned long long)s->notices);
	show_cell(&s->acknowledged);
	show_cell(&s->overdue);
	show_cell(&s->disputed);
	putchar('\n');
}

static enum err show(void *context, const struct standing *s)
{
	struct asking *a = context;
	struct buffer line = BUFFER(LINE_MAX);
	struct exposure room;
	const struct exposure *x = exposure_of(a, &s->party, &room);
	enum err e;

	if (a->stix)
		standing_view(s, &line);
	else if (a->c->json)
		standing_print(s, x, &line);
	else if (a->everyone)
		show_row(a, s);
	else
		show_one(a, s, x);
	if (line.len > 0)
		buffer_byte(&line, '\n');
	e = line.err;
	if (e == OK && line.len > 0)
		fwrite(line.at, 1, line.len, stdout);
	a->shown++;
	buffer_free(&line);
	return e;
}

/* ---- the command ---- */

static enum err read_party(struct asking *a)
{
	struct cli *c = a->c;
	char *text;

	a->everyone = c->operand_count == 0;
	if (a->everyone)
		return OK;
	text = c->operand_count == 1 ? c->operands[0] : arena_print(c->arena, "%s %s", c->operands[0], c->operands[1]);
	if (text == NULL)
		return ERR_NO_MEMORY;
	if (addressee_parse(span_of(text), &a->party) != OK || a->party.type == TO_ALL)
		return fail(ERR_USAGE, "`%s`: a domain, AS64500, prefix 192.0.2.0/24 or country EE", text);
	return OK;
}

static enum err read_options(struct asking *a)
{
	enum err e = read_party(a);

	if (e == OK)
		e = cli_time(a->c, "from", 0, &a->ask.from_ms);
	if (e == OK)
		e = cli_time(a->c, "to", 0, &a->ask.until_ms);
	a->ask.demonstration = cli_flag(a->c, "demonstration");
	a->stix = cli_flag(a->c, "stix");
	if (e == OK && cli_flag(a->c, "addresses"))
		e = count_addresses(a);
	return e;
}

static enum err open_ledgers(struct asking *a)
{
	const char *whose = cli_option(a->c, "ledger");
	char *path;
	enum err e;

	if (whose == NULL || !span_is_domain(span_of(whose))) {
		if (whose != NULL)
			return fail(ERR_USAGE, "--ledger wants the name of a node");
		e = node_open(a->c->dir, NODE_READ, &a->n);
		return e == OK ? node_read(a->n, a->c->arena, &a->st) : e;
	}
	path = arena_print(a->c->arena, "%s/followed/%s", a->c->dir, whose);
	e = path != NULL ? mirror_open(path, span_of(whose), false, &a->mirror) : ERR_NO_MEMORY;
	return e == OK ? mirror_read(a->mirror, a->c->arena, &a->st) : e;
}

int cmd_standing(struct cli *c)
{
	struct asking a = { .c = c };
	struct standing *s = arena_alloc(c->arena, sizeof(*s));
	enum err e = s == NULL ? ERR_NO_MEMORY : read_options(&a);

	if (e == OK)
		e = open_ledgers(&a);
	if (e == OK && a.everyone)
		e = standing_all(&a.st, &a.ask, SPAN(""), show, &a);
	else if (e == OK && (e = standing_of(&a.st, &a.party, &a.ask, s)) == OK)
		e = show(&a, s);
	snapshot_end(a.st.snapshot);
	node_close(a.n);
	mirror_close(a.mirror);
	resolving_end(&a.resolving);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
