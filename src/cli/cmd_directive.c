#include "cli/acting.h"

#include "regime/directive.h"
#include "route/render.h"
#include "store/journal.h"

/* The operands: nothing for everyone, or an addressee, perhaps in two words. */
static enum err read_whom(struct cli *c, struct addressee *to, bool *everyone)
{
	char *text;
	enum err e;

	*everyone = c->operand_count == 0;
	if (*everyone)
		return OK;
	text = c->operand_count == 1 ? c->operands[0] : arena_print(c->arena, "%s %s", c->operands[0], c->operands[1]);
	if (text == NULL)
		return ERR_NO_MEMORY;
	e = addressee_parse(span_of(text), to);
	if (e != OK)
		return fail(ERR_USAGE, "`%s`: %s", text, err_detail());
	*everyone = to->type == TO_ALL;
	return OK;
}

static enum err read_directive(struct cli *c, struct directive *d)
{
	const char *by = cli_option(c, "by"), *as = cli_option(c, "format");
	enum render_format format = RENDER_STIX;
	enum err e;

	*d = directive_default();
	e = cli_duration(c, "interval", d->interval_ms, &d->interval_ms);
	if (e == OK)
		e = cli_duration(c, "window", d->window_ms, &d->window_ms);
	if (e == OK)
		e = cli_duration(c, "quiet", d->quiet_ms, &d->quiet_ms);
	if (e == OK)
		e = cli_number(c, "threshold", d->threshold, UINT32_MAX, &d->threshold);
	if (e == OK && by != NULL)
		e = aggregation_parse(span_of(by), &d->by);
	if (e == OK && as != NULL && (e = render_format_parse(span_of(as), &format)) == OK)
		d->format = (uint8_t)format;
	d->need_port = cli_flag(c, "need-port");
	d->carrier_nat = cli_flag(c, "carrier-nat");
	return e;
}

static void directive_object(struct cli *c, const struct addressee *to, const struct directive *d)
{
	struct json *j = cli_object(c);
	char text[CLOCK_TEXT];

	if (to == NULL)
		json_null(j, "to"); /* everyone */
	else
		addressee_json(j, "to", to);
	clock_format_duration(d->interval_ms, text);
	json_text(j, "interval", text);
	clock_format_duration(d->window_ms, text);
	json_text(j, "window", text);
	clock_format_duration(d->quiet_ms, text);
	json_text(j, "quiet", text);
	json_number(j, "threshold", (int64_t)d->threshold);
	json_text(j, "by", aggregation_name(d->by));
	json_text(j, "format", render_format_name((enum render_format)d->format));
	json_bool(j, "need_port", d->need_port);
	json_bool(j, "carrier_nat", d->carrier_nat);
	cli_object_end(c);
}

static void directive_lines(struct cli *c, const struct addressee *to, const struct directive *d)
{
	char interval[CLOCK_TEXT], window[CLOCK_TEXT], quiet[CLOCK_TEXT], threshold[32];

	clock_format_duration(d->interval_ms, interval);
	clock_format_duration(d->window_ms, window);
	clock_format_duration(d->quiet_ms, quiet);
	cli_thousands(d->threshold, threshold);
	printf("%s%s%s\n", cli_bold(c), to == NULL ? "everyone else" : cli_addressee(c, to), cli_plain(c));
	printf("  %s%s, one notice for each %s, as %s\n", d->interval_ms > 0 ? "a round every " : "told at once",
	       d->interval_ms > 0 ? interval : "", aggregation_name(d->by),
	       render_format_name((enum render_format)d->format));
	if (d->carrier_nat)
		printf("  many hosts are behind one address: no event repeats another\n");
	else if (d->window_ms == 0)
		printf("  a source is told each time\n");
	else
		printf("  a source is told again after %s%s%s%s, or when it was quiet for %s\n", window,
		       d->threshold > 0 ? ", after " : "", d->threshold > 0 ? threshold : "",
		       d->threshold > 0 ? " events" : "", quiet);
	if (d->need_port)
		printf("  rows without a source port are not sent\n");
}

static void directive_show(struct cli *c, const struct addressee *to, const struct directive *d)
{
	(c->json ? directive_object : directive_lines)(c, to, d);
}

static enum err record(struct cli *c, const struct addressee *to, const struct directive *d)
{
	struct buffer b = BUFFER(4096);
	struct node *n = NULL;
	struct span part;
	enum err e = act_begin(c, &n);

	directive_write(&b, to, d, d == NULL);
	part = buffer_view(&b);
	if (e == OK && (e = b.err) == OK)
		e = node_add_private(n, RECORD_PRIVATE, &part, 1);
	e = act_end(n, e);
	buffer_free(&b);
	return e;
}

int cmd_directive_set(struct cli *c)
{
	struct addressee to;
	struct directive d;
	bool everyone = true;
	enum err e = read_whom(c, &to, &everyone);

	if (e == OK)
		e = read_directive(c, &d);
	if (e == OK)
		e = record(c, everyone ? NULL : &to, &d);
	if (e != OK)
		return cli_fail(c, e);
	directive_show(c, everyone ? NULL : &to, &d);
	return EXIT_OK;
}

int cmd_directive_clear(struct cli *c)
{
	struct addressee to;
	bool everyone = true;
	enum err e = read_whom(c, &to, &everyone);

	if (e == OK)
		e = record(c, everyone ? NULL : &to, NULL);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%s has no directive any more.\n", everyone ? "Everyone" : cli_addressee(c, &to));
	return EXIT_OK;
}

struct listing {
	struct cli *c;
	bool everyone; /* there is one for everyone */
};

static enum err list_directive(void *context, const struct addressee *to, const struct directive *d)
{
	struct listing *l = context;

	l->everyone = l->everyone || to == NULL;
	directive_show(l->c, to, d);
	return OK;
}

int cmd_directive_list(struct cli *c)
{
	struct listing l = { .c = c };
	struct state st;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = directives_walk(&st, list_directive, &l);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (!l.everyone) {
		struct directive d = directive_default();

		directive_show(c, NULL, &d);
	}
	return EXIT_OK;
}
