#include "cli/reading.h"
#include "cli/resolving.h"
#include "cli/standing_pledges.h"
#include "exchange/standing_view.h"
#include "regime/standing.h"
#include "territory/exposure.h"

#define LINE_MAX ((size_t)1 << 20)

/* What is asked, and where it is read. */
struct asking {
	struct cli *c;
	struct standing_ask ask;
	struct addressee party;
	bool everyone, stix, pledges;
	struct reading from;
	struct exposures *exposures; /* --addresses; NULL: not asked for */
	uint64_t shown;
};

/* ---- exposure ---- */

static enum err count_addresses(struct asking *a)
{
	char *path = arena_print(a->c->arena, "%s/territory.table", a->c->dir);
	struct resolving r = { 0 };
	enum err e = path == NULL ? ERR_NO_MEMORY : resolving_begin(a->c, &r);

	if (e == OK)
		e = exposures_new(r.resolver, path, &a->exposures);
	resolving_end(&r);
	return e;
}

/* ---- for people ---- */

/* A line: what, in per cent, the interval, and what was counted. */
static void show_figure(const char *what, const char *blank, double rate, double low, double high)
{
	char text[32], interval[48] = "";

	snprintf(text, sizeof(text), "%.1f %%", 100 * rate);
	if (high >= low)
		snprintf(interval, sizeof(interval), "%.1f to %.1f", 100 * low, 100 * high);
	printf("  ");
	cli_column(span_of(what), 27);
	printf("%13s  %-14s  ", blank != NULL ? blank : text, blank != NULL ? "" : interval);
}

static const char *blank_of(uint64_t denominator, bool blank)
{
	return denominator == 0 ? "no data" : blank ? "too few" : NULL;
}

static void show_count(uint64_t n, uint64_t of)
{
	char text[32];

	cli_thousands(n, text);
	printf("%s of ", text);
	cli_thousands(of, text);
	printf("%s", text);
}

/* unknown: why it is not known yet of the others. */
static void show_share(const char *what, const struct proportion *s, const char *of, const char *unknown)
{
	double rate = s->blank ? 0 : (double)s->numerator / (double)s->denominator;
	char text[32];

	show_figure(what, blank_of(s->denominator, s->blank), rate, s->low, s->high);
	show_count(s->numerator, s->denominator);
	printf(" %s", of);
	cli_thousands(s->unknown, text);
	if (s->unknown > 0)
		printf("; %s more %s", text, unknown);
}

/* As long as some are too young to count, a reader wants to see what came of all so far. */
static void show_so_far(const struct proportion *s, uint64_t so_far)
{
	if (s->unknown > 0) {
		printf("; so far ");
		show_count(so_far, s->denominator + s->unknown);
	}
	putchar('\n');
}

static void show_line(const char *what, const struct proportion *s, const char *of, const char *unknown)
{
	show_share(what, s, of, unknown);
	putchar('\n');
}

static void duration_text(int64_t ms, char *out, size_t room)
{
	if (ms >= 2 * STANDING_DAY_MS)
		snprintf(out, room, "%.1f days", (double)ms / (double)STANDING_DAY_MS);
	else if (ms >= 2 * 3600000)
		snprintf(out, room, "%.1f hours", (double)ms / 3600000);
	else
		snprintf(out, room, "%.1f minutes", (double)ms / 60000);
}

static void show_time(const char *what, const struct quantiles *q, bool has, int64_t ms)
{
	char text[32];

	duration_text(ms, text, sizeof(text));
	printf("  ");
	cli_column(span_of(what), 27);
	printf("%13s\n", q->blank ? blank_of(q->cases, true) : has ? text : "not yet");
}

static void show_survival(const char *what, const struct survival *s)
{
	printf("  ");
	cli_column(span_of(what), 27);
	printf("%13s  %-14s  ", s->blank ? blank_of(s->cases, true) : "", "");
	show_count(s->ended, s->cases);
	printf(" so far\n");
	for (int i = 0; !s->blank && i < STANDING_DAYS; i++) {
		char days[32], open[32];

		snprintf(days, sizeof(days), "  within %u day%s", statistics_days[i],
			 statistics_days[i] == 1 ? "" : "s");
		cli_thousands(s->days[i].at_risk, open);
		show_figure(days, s->days[i].known ? NULL : "not known yet", s->days[i].done,
			    s->days[i].has_interval ? s->days[i].low : 1,
			    s->days[i].has_interval ? s->days[i].high : 0);
		printf("%s still open and watched for longer\n", open);
	}
}

static void show_answerer(const struct standing *s)
{
	char notices[32], events[32];

	cli_thousands(s->notices, notices);
	cli_thousands(s->events, events);
	printf("As who answers: %s notice%s of %s event%s", notices, s->notices == 1 ? "" : "s", events,
	       s->events == 1 ? "" : "s");
	if (s->withdrawn > 0)
		printf("; %llu withdrawn, which count nowhere below", (unsigned long long)s->withdrawn);
	printf("\n  %-27s %13s  %-14s  %s\n", "", "share", "95 % interval", "counted");
	show_share("arrived", &s->arrived, "logged a day ago or longer", "younger");
	show_so_far(&s->arrived, s->arrived_so_far);
	show_share("acknowledged", &s->acknowledged, "that are due", "not due yet or taken back");
	show_so_far(&s->acknowledged, s->acknowledge.ended);
	show_line("  by the party itself", &s->acknowledged_by_itself, "that are due", "not due yet or taken back");
	show_time("  half of all after", &s->acknowledge, s->acknowledge.has_p50, s->acknowledge.p50_ms);
	show_time("  nine of ten after", &s->acknowledge, s->acknowledge.has_p90, s->acknowledge.p90_ms);
	show_line("overdue", &s->overdue, "that are due", "not due yet or taken back");
	show_survival("fixed", &s->fixed);
	if (s->disputed.numerator > 0)
		show_survival("fixed, without the disputed", &s->fixed_undisputed);
	if (s->fixed_by_node > 0)
		printf("    of the fixed, the node said so for the party: %llu\n",
		       (unsigned long long)s->fixed_by_node);
	show_line("disputed", &s->disputed, "in all", "");
	if (s->disputed.numerator > 0)
		show_line("  the dispute stands", &s->disputed_standing, "older than 14 days, or closed", "younger");
	show_line("seen again", &s->reopened, "fixed", "");
	show_line("  within 30 days", &s->re_offence_30d, "fixed 30 days ago or longer", "fixed since");
	show_line("not theirs", &s->not_ours, "in all", "");
	show_line("cannot, asked for help", &s->cannot, "in all", "");
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
	printf("\nAs who reports: %llu notice%s; %llu withdrawn, %llu not the addressee's, %llu whose dispute stands\n",
	       (unsigned long long)s->filed, s->filed == 1 ? "" : "s", (unsigned long long)s->filed_withdrawn,
	       (unsigned long long)s->filed_not_ours, (unsigned long long)s->filed_disputed);
	show_line("false", &s->false_notices, "filed", "disputed for less than 14 days");
	show_line("late by more than a day", &s->late, "that say when it was seen", "that do not");
	for (size_t i = 0; i < s->uplift_count; i++)
		show_uplift(&s->uplift[i]);
}

static void show_exposure(const struct standing *s, const struct exposure *x)
{
	char dated[CLOCK_TEXT], hex[HASH_HEX + 1], blocks[32];

	if (x == NULL)
		return;
	cli_date(x->dated_ms, dated);
	hash_hex(x->digest, hex);
	cli_thousands(x->blocks, blocks);
	printf("\nIt answers for %s block%s of 256 IPv4 addresses: %.2f notices for a million addresses.\n  By tables "
	       "of %.10s: ",
	       blocks, x->blocks == 1 ? "" : "s", (double)(s->notices - s->withdrawn) * 1e6 / ((double)x->blocks * 256),
	       x->dated_ms != 0 ? dated : "unknown date");
	cli_print(x->table);
	printf(",\n  territory.table sha256:%s, and the claims approved until now.\n", hex);
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
	printf("\nBelow %d there is no share. No data is blank, never good. Acknowledging is not admitting.\n",
	       STANDING_LEAST);
}

static void show_cell(const struct proportion *s)
{
	char rate[32] = "", counted[48];

	if (!s->blank)
		snprintf(rate, sizeof(rate), "%.1f %%", 100 * (double)s->numerator / (double)s->denominator);
	snprintf(counted, sizeof(counted), "%llu of %llu", (unsigned long long)s->numerator,
		 (unsigned long long)s->denominator);
	printf("  %7s %-15s", rate, counted);
}

static void show_row(const struct asking *a, const struct standing *s)
{
	if (a->shown == 0)
		printf("In the order of names: parties differ, this is no ranking. Below %d there is no share; no data "
		       "is "
		       "blank, never good.\n%-32s %8s  %-23s  %-23s  %s\n",
		       STANDING_LEAST, "", "notices", "acknowledged of due", "overdue of due", "disputed of all");
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
	const struct exposure *x =
		a->exposures != NULL && exposures_find(a->exposures, &s->party, &room) ? &room : NULL;
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
	a->pledges = cli_flag(a->c, "pledges");
	if (e == OK && a->pledges && (a->stix || cli_flag(a->c, "addresses")))
		e = fail(ERR_USAGE, "--pledges: without --stix and --addresses");
	if (e == OK && a->pledges && !a->everyone && a->party.type != TO_PARTY)
		e = fail(ERR_USAGE, "--pledges: only parties promise; give a domain");
	if (e == OK && cli_flag(a->c, "addresses"))
		e = count_addresses(a);
	return e;
}

static enum err show_pledges(const struct asking *a)
{
	struct promises_ask ask = { .from_ms = a->ask.from_ms,
				    .until_ms = a->ask.until_ms,
				    .demonstration = a->ask.demonstration };

	return standing_pledges(a->c, &a->from.st, a->everyone ? SPAN("") : a->party.domain, &ask);
}

int cmd_standing(struct cli *c)
{
	struct asking a = { .c = c };
	struct standing *s = arena_alloc(c->arena, sizeof(*s));
	enum err e = s == NULL ? ERR_NO_MEMORY : read_options(&a);

	if (e == OK)
		e = reading_begin(c, &a.from);
	if (e == OK && a.pledges)
		e = show_pledges(&a);
	else if (e == OK && a.everyone)
		e = standing_all(&a.from.st, &a.ask, SPAN(""), show, &a);
	else if (e == OK && (e = standing_of(&a.from.st, &a.party, &a.ask, s)) == OK)
		e = show(&a, s);
	reading_end(&a.from);
	exposures_free(a.exposures);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
