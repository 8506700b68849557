/* The norms that can be pledged, and what can be measured of them. */
#include "cli/cli.h"
#include "regime/norms.h"

static const char *const units[] = { [UNIT_SHARE] = "share", [UNIT_TIME] = "time", [UNIT_COUNT] = "count" };

static void print_metrics(struct cli *c, const struct norm *n)
{
	if (c->json) {
		json_array(&c->object, "metrics");
		for (const enum metric *m = n->metrics; *m != METRIC_COUNT; m++)
			json_text(&c->object, NULL, metric_rule(*m)->name);
		json_array_end(&c->object);
		return;
	}
	for (const enum metric *m = n->metrics; *m != METRIC_COUNT; m++)
		printf("%s%s", m == n->metrics ? "" : ", ", metric_rule(*m)->name);
}

static void print_object(struct cli *c, const struct norm_set *set, const struct norm *n)
{
	struct json *j = cli_object(c);

	json_text(j, "set", set->name);
	json_number(j, "version", set->version);
	json_text(j, "id", n->id);
	json_text(j, "title", n->title);
	json_text(j, "text", n->text);
	json_text(j, "grade", norm_grade_name(n->grade));
	json_text(j, "document", set->document);
	print_metrics(c, n);
	cli_object_end(c);
}

static void list_norm(struct cli *c, const struct norm_set *set, const struct norm *n)
{
	char words[64];

	if (c->json) {
		print_object(c, set, n);
		return;
	}
	snprintf(words, sizeof(words), "%s %u %s", set->name, set->version, n->id);
	cli_column(span_of(words), 24);
	cli_column(span_of(norm_grade_name(n->grade)), 9);
	printf("%s", n->title);
	if (cli_flag(c, "metrics") && n->metrics[0] != METRIC_COUNT) {
		printf(": ");
		print_metrics(c, n);
	}
	printf("\n");
}

int cmd_norm_list(struct cli *c)
{
	const char *only = cli_option(c, "set");
	size_t count, listed = 0;
	const struct norm_set *sets = norm_sets(&count);

	for (size_t i = 0; i < count; i++) {
		if (only != NULL && strcmp(only, sets[i].name) != 0)
			continue;
		listed++;
		if (!c->json)
			printf("%s%s %u%s  %s\n", cli_bold(c), sets[i].name, sets[i].version, cli_plain(c),
			       sets[i].document);
		for (size_t n = 0; n < sets[i].count; n++)
			list_norm(c, &sets[i], &sets[i].norms[n]);
	}
	return listed > 0 ? EXIT_OK : cli_fail(c, fail(ERR_NORM, "no set `%s`: industry, osce, un", only));
}

int cmd_norm_show(struct cli *c)
{
	struct buffer words = BUFFER(4096);
	const struct norm_set *set;
	const struct norm *n;
	enum err e;

	for (size_t i = 0; i < c->operand_count; i++)
		buffer_print(&words, "%s%s", i > 0 ? " " : "", c->operands[i]);
	e = words.err == OK ? norm_parse(buffer_view(&words), &set, &n) : words.err;
	buffer_free(&words);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		print_object(c, set, n);
		return EXIT_OK;
	}
	printf("%s%s %u %s%s  %s\n  %s\n", cli_bold(c), set->name, set->version, n->id, cli_plain(c), n->title,
	       n->text);
	printf("  in         %s\n  grade      %s: %s\n", set->document, norm_grade_name(n->grade),
	       n->grade == GRADE_MEASURED   ? "a node's own log shows it"
	       : n->grade == GRADE_EVIDENCE ? "only what parties hand in shows it"
					    : "no program can see whether it is kept");
	if (n->metrics[0] == METRIC_COUNT)
		printf("  metrics    none: a pledge to it is a declaration\n");
	for (const enum metric *m = n->metrics; *m != METRIC_COUNT; m++) {
		printf(m == n->metrics ? "  metrics    " : "             ");
		cli_column(span_of(metric_rule(*m)->name), 16);
		printf("%s\n", metric_rule(*m)->counts);
	}
	return EXIT_OK;
}

int cmd_norm_metrics(struct cli *c)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_rule *r = metric_rule((enum metric)i);

		if (c->json) {
			struct json *j = cli_object(c);

			json_text(j, "metric", r->name);
			json_text(j, "unit", units[r->unit]);
			json_text(j, "direction", r->at_most ? "at-most" : "at-least");
			json_bool(j, "within", r->needs_within);
			json_bool(j, "in_agreements", r->in_agreements);
			json_bool(j, "later", r->later);
			json_text(j, "counts", r->counts);
			cli_object_end(c);
			continue;
		}
		cli_column(span_of(r->name), 16);
		cli_column(span_of(r->metric == METRIC_RESTRAINT ? "" : r->at_most ? "at-most" : "at-least"), 9);
		cli_column(span_of(units[r->unit]), 6);
		cli_column(span_of(r->needs_within ? "within" : ""), 7);
		printf("%s%s\n", r->counts, r->later ? " Nothing measures it yet." : "");
	}
	return EXIT_OK;
}
