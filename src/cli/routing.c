#include "cli/routing.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/resolving.h"
#include "route/inbox.h"

enum err routing_options(struct cli *c, struct route_options *o)
{
	const char *from = cli_option(c, "from"), *class = cli_option(c, "class");
	uint64_t threads;
	enum err e = OK;

	*o = (struct route_options){ .dry_run = cli_flag(c, "dry-run"),
				     .demonstration = cli_flag(c, "demonstration"),
				     .rejects = cli_option(c, "rejects") };
	o->report.now_ms = clock_now_ms();
	if (from != NULL)
		e = format_parse(span_of(from), &o->report.from);
	if (e == OK && class != NULL)
		e = class_parse(span_of(class), &o->report.class);
	if (e == OK && o->report.class != CLASS_NONE && class_is_content(o->report.class))
		e = fail(ERR_CLASS_CONTENT, "reports are not read in a class that judges what is said");
	if (e == OK)
		e = cli_time(c, "date", 0, &o->report.date_ms);
	if (e == OK && (e = cli_number(c, "threads", 0, 64, &threads)) == OK)
		o->threads = (unsigned)threads;
	return e;
}

enum err routing_run(struct cli *c, struct node *n, char *const *paths, size_t count, const struct route_options *o,
		     route_progress *progress, route_each *each, void *context, struct route_summary *s)
{
	struct table *table = NULL;
	struct resolver *resolver = NULL;
	struct plans *plans = NULL;
	struct territory_claim *claims = NULL;
	struct state st = { 0 };
	size_t claim_count = 0;
	enum err e = cli_table(c, &table);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = cli_claims(c, &st, &claims, &claim_count);
		if (e == OK)
			e = plans_load_known(c->dir, &st, NULL, NULL, &plans);
		snapshot_end(st.snapshot);
	}
	if (e == OK)
		e = resolver_new(table, claims, claim_count, &resolver);
	if (e == OK)
		e = route_files(n, resolver, plans, paths, count, o, progress, each, context, s);
	plans_free(plans);
	resolver_free(resolver);
	table_close(table);
	return e;
}

/* ---- what to read ---- */

static enum err add_path(struct cli *c, struct routing_paths *p, const char *path)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 256 : 2 * p->room;
		char **bigger = arena_resize(c->arena, p->at, p->room * sizeof(*bigger), room * sizeof(*bigger));

		if (bigger == NULL)
			return fail(ERR_NO_MEMORY, "no room for %zu names", room);
		p->at = bigger;
		p->room = room;
	}
	p->at[p->count++] = (char *)path;
	return OK;
}

static enum err add_folder(struct cli *c, struct routing_paths *p, const char *folder)
{
	struct inbox found;
	enum err e = inbox_read(c->arena, folder, true, &found);

	for (size_t i = 0; e == OK && i < found.count; i++) {
		const struct inbox_file *f = &found.at[i];
		struct routing_file told = { .path = f->path, .result = "set aside", .err = f->err };

		if (f->passed_over == NULL && f->err == OK) {
			e = add_path(c, p, f->path);
			continue;
		}
		if (f->passed_over != NULL) {
			told.result = "passed over";
			told.err = OK;
			told.detail = f->passed_over;
		} else {
			p->set_aside++;
		}
		routing_file(c, &told);
	}
	return e;
}

static bool is_folder(const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* A link that was named by hand is meant; route_files must not see that it is one. */
static enum err add_operand(struct cli *c, struct routing_paths *p, const char *path)
{
	char real[PATH_MAX];

	if (strcmp(path, "-") == 0)
		return add_path(c, p, path);
	if (is_folder(path))
		return add_folder(c, p, path);
	if (p->folders && realpath(path, real) != NULL && (path = arena_copy(c->arena, real, strlen(real))) == NULL)
		return ERR_NO_MEMORY;
	return add_path(c, p, path);
}

enum err routing_paths(struct cli *c, struct routing_paths *out)
{
	enum err e = OK;

	*out = (struct routing_paths){ 0 };
	for (size_t i = 0; i < c->operand_count; i++)
		out->folders |= strcmp(c->operands[i], "-") != 0 && is_folder(c->operands[i]);
	for (size_t i = 0; e == OK && i < c->operand_count; i++)
		e = add_operand(c, out, c->operands[i]);
	if (e == OK && out->count == 0)
		e = fail(ERR_EMPTY, "%s: no report lies there", c->operands[0]);
	return e;
}

/* ---- what came of it ---- */

static void print_file(struct cli *c, const struct routing_file *f)
{
	char count[32];

	printf("%s%s%s ", cli_bold(c), f->result, cli_plain(c));
	cli_print(span_of(f->path));
	if (f->moved_to != NULL) {
		printf(" to ");
		cli_print(span_of(f->moved_to));
	}
	if (f->err != OK)
		printf(": %s", err_code(f->err));
	if (f->detail != NULL && f->detail[0] != '\0') {
		struct span rest = span_of(f->detail);

		if (!span_starts(rest, f->path))
			printf(": ");
		cli_print(span_starts(rest, f->path) ? span_from(rest, strlen(f->path)) : rest);
	}
	if (f->events > 0 || f->rejected > 0) {
		cli_thousands(f->events, count);
		printf(": %s events", count);
		cli_thousands(f->rejected, count);
		printf(", %s rejected", count);
	}
	putchar('\n');
}

void routing_file(struct cli *c, const struct routing_file *f)
{
	struct json *j;

	if (!c->json) {
		print_file(c, f);
		return;
	}
	j = cli_object(c);
	json_text(j, "file", f->path);
	json_text(j, "result", f->result);
	if (f->moved_to != NULL)
		json_text(j, "moved_to", f->moved_to);
	json_text(j, "code", err_code(f->err));
	if (f->detail != NULL && f->detail[0] != '\0')
		json_text(j, "detail", f->detail);
	if (f->err != OK)
		json_text(j, "advice", err_advice(f->err));
	json_number(j, "events", (int64_t)f->events);
	json_number(j, "rejected", (int64_t)f->rejected);
	cli_object_end(c);
}

static void names_array(struct json *j, const char *key, const struct span *names, size_t count)
{
	json_array(j, key);
	for (size_t i = 0; i < count; i++)
		json_string(j, NULL, names[i]);
	json_array_end(j);
}

static void columns_object(struct cli *c, const struct route_columns *x)
{
	const struct drift *d = &x->drift;
	struct json *j = cli_object(c);

	json_string(j, "columns_of", x->type);
	json_string(j, "format", x->format);
	json_number(j, "columns", (int64_t)x->count);
	json_number(j, "unknown", (int64_t)x->unknown);
	json_bool(j, "changed", x->changed);
	if (x->changed) {
		json_time(j, "since", x->since_ms);
		names_array(j, "added", d->added, d->added_count);
		names_array(j, "removed", d->removed, d->removed_count);
		json_array(j, "renamed");
		for (size_t i = 0; i < d->renamed_count; i++) {
			json_object(j, NULL);
			json_string(j, "from", d->renamed[i].from);
			json_string(j, "to", d->renamed[i].to);
			json_object_end(j);
		}
		json_array_end(j);
		names_array(j, "moved", d->moved, d->moved_count);
	}
	cli_object_end(c);
}

static void names_line(struct buffer *text, const char *what, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_print(text, "%s%.*s", i == 0 ? what : ", ", SPAN_FORMAT(names[i]));
}

void routing_columns(struct cli *c, struct buffer *text, const struct route_columns *x)
{
	const struct drift *d = &x->drift;

	if (c->json) {
		columns_object(c, x);
		return;
	}
	buffer_print(text, "  %.*s: ", SPAN_FORMAT(x->type));
	if (x->count > 0)
		buffer_print(text, "%zu of %zu columns are not known here", x->unknown, x->count);
	else
		buffer_print(text, "%zu keys are not known here", x->unknown);
	if (x->changed) {
		buffer_text(text, "; changed since the last report");
		names_line(text, "; added ", d->added, d->added_count);
		names_line(text, "; removed ", d->removed, d->removed_count);
		for (size_t i = 0; i < d->renamed_count; i++)
			buffer_print(text, "%s%.*s to %.*s", i == 0 ? "; renamed " : ", ",
				     SPAN_FORMAT(d->renamed[i].from), SPAN_FORMAT(d->renamed[i].to));
		names_line(text, "; moved ", d->moved, d->moved_count);
	}
	buffer_byte(text, '\n');
}

void routing_columns_print(struct buffer *text)
{
	struct span rest = buffer_view(text), line;

	while (span_line(&rest, &line)) {
		cli_print(line);
		putchar('\n');
	}
	buffer_clear(text);
}

void routing_summary(struct json *j, const struct route_summary *s)
{
	static const char *const keys[PLAN_VERDICT_COUNT] = {
		[PLAN_UNDECLARED] = "undeclared",
		[PLAN_EXPLAINED] = "explained",
		[PLAN_SPOOFABLE] = "spoofable",
		[PLAN_SEALED] = "sealed",
		[PLAN_BREACH] = "breach",
		[PLAN_EXPIRED_PROOF] = "expired_proof",
		[PLAN_LATE] = "late",
	};

	json_number(j, "events", (int64_t)s->events);
	json_number(j, "rejected", (int64_t)s->rejected);
	json_number(j, "duplicates", (int64_t)s->duplicates);
	json_number(j, "told", (int64_t)s->told);
	json_number(j, "held", (int64_t)s->held);
	json_number(j, "waiting", (int64_t)s->waiting);
	json_number(j, "thin", (int64_t)s->thin);
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		json_number(j, keys[v], (int64_t)s->verdicts[v]);
	json_number(j, "unanswered", (int64_t)s->unanswered);
	json_number(j, "again", (int64_t)s->again);
	json_number(j, "released", (int64_t)s->released);
	json_number(j, "notices", (int64_t)s->notices);
	json_number(j, "addressees", (int64_t)s->addressees);
	json_number(j, "bytes", (int64_t)s->bytes);
	json_fraction(j, "seconds", s->seconds, 3);
	json_fraction(j, "events_per_second", s->seconds > 0 ? (double)s->events / s->seconds : 0, 0);
	json_text(j, "rejects", s->rejects[0] != '\0' ? s->rejects : NULL);
	json_text(j, "unanswered_list", s->unanswered_list[0] != '\0' ? s->unanswered_list : NULL);
	json_object(j, "countries");
	for (size_t i = 0; i < s->country_count; i++)
		json_number(j, s->countries[i].country[0] != '\0' ? s->countries[i].country : "unknown",
			    (int64_t)s->countries[i].events);
	json_object_end(j);
}
