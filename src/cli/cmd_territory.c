#include "cli/cli.h"

#include "base/file.h"
#include "cli/registry.h"
#include "cli/resolving.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define REJECTS_SHOWN 5

/* The first bad rows of a run are shown, the others counted. */
static void show_reject(void *context, const char *path, uint64_t line, enum err why, struct span row)
{
	uint64_t *count = context;

	if (++*count > REJECTS_SHOWN)
		return;
	fprintf(stderr, "comity: %s, line %llu: %s: `", path, (unsigned long long)line, err_code(why));
	for (size_t i = 0; i < row.len && i < 80; i++)
		fputc((unsigned char)row.at[i] < 0x20 || row.at[i] == 0x7f ? '?' : row.at[i], stderr);
	fputs("`\n", stderr);
}

/* Files that could not be read are said; the rest is enough if there is any. */
static enum err add_files(struct build *b, const struct registry_files *files, bool strict)
{
	enum err each[REGISTRY_FILES_MAX], e = build_add_all(b, files->at, files->count, each);
	bool any = false;

	if (e == OK || strict)
		return e;
	for (size_t i = 0; i < files->count; i++) {
		if (err_is_machine(each[i]))
			return e;
		if (each[i] != OK)
			registry_note("%s: %s, left out", files->at[i].path, err_code(each[i]));
		any |= each[i] == OK;
	}
	return any ? OK : e;
}

static enum err compile(struct cli *c, const struct registry_files *files, bool strict)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir);
	struct build *b = NULL;
	uint64_t rejected = 0;
	enum err e = path != NULL ? build_new(&b) : fail(ERR_NO_MEMORY, "no room for a path");

	if (e == OK)
		e = folder_make(c->dir, 0700);
	if (e == OK) {
		build_on_reject(b, show_reject, &rejected);
		e = add_files(b, files, strict);
	}
	if (e == OK) {
		if (rejected > REJECTS_SHOWN)
			registry_note("%llu rows could not be read", (unsigned long long)rejected);
		e = build_write(b, path);
	}
	build_free(b);
	return e;
}

static int show(struct cli *c);

int cmd_territory_build(struct cli *c)
{
	struct registry_files files = { .count = 0 };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < c->operand_count; i++)
		e = registry_add(c, c->operands[i], &files);
	if (e == OK)
		e = compile(c, &files, true);
	return e == OK ? show(c) : cli_fail(c, e);
}

int cmd_territory_update(struct cli *c)
{
	const char *folder = cli_option(c, "offline"), *vrps;
	struct registry_files files = { .count = 0 };
	enum err e = folder != NULL ? registry_from_folder(c, folder, &files) : registry_fetch(c, &files);

	for (size_t at = 0; e == OK && (vrps = cli_next(c, "vrps", &at)) != NULL;) {
		if (!file_exists(vrps))
			e = fail(ERR_NOT_FOUND, "%s", vrps);
		else
			e = registry_add(c, vrps, &files);
	}
	if (e == OK)
		e = compile(c, &files, false);
	return e == OK ? show(c) : cli_fail(c, e);
}

/* -1: not known. */
static int64_t age_in_days(const struct table_source *s)
{
	int64_t age = clock_now_ms() - s->dated_ms;

	return s->dated_ms == 0 ? -1 : age > 0 ? age / DAY_MS : 0;
}

static void show_json(struct cli *c, const struct table *t)
{
	struct json *j = cli_object(c);
	struct table_facts f;
	struct table_source s;

	table_facts(t, &f);
	json_string(j, "path", span_of(arena_print(c->arena, "%s/territory.table", c->dir)));
	json_time(j, "built", f.built_ms);
	json_number(j, "bytes", (int64_t)f.bytes);
	json_number(j, "ranges_ipv4", (int64_t)f.intervals_ipv4);
	json_number(j, "ranges_ipv6", (int64_t)f.intervals_ipv6);
	json_number(j, "records", table_records(t));
	json_number(j, "as_numbers", (int64_t)f.as_numbers);
	json_number(j, "disagreements", (int64_t)f.disagreements);
	json_array(j, "sources");
	for (size_t i = 0; i < table_sources(t); i++) {
		table_source(t, i, &s);
		json_object(j, NULL);
		json_string(j, "name", s.name);
		json_time(j, "dated", s.dated_ms);
		if (s.dated_ms != 0)
			json_number(j, "age_days", age_in_days(&s));
		else
			json_null(j, "age_days");
		json_number(j, "rows", (int64_t)s.rows);
		json_number(j, "rejected", (int64_t)s.rejected);
		json_number(j, "overlaps", (int64_t)s.overlaps);
		json_string(j, "attribution", s.attribution);
		json_string(j, "caution", s.caution);
		json_object_end(j);
	}
	json_array_end(j);
	cli_object_end(c);
}

static void show_number(const char *what, uint64_t n)
{
	char text[32];

	cli_thousands(n, text);
	printf("  %-20s %14s\n", what, text);
}

static void show_source(const struct cli *c, const struct table_source *s)
{
	char date[CLOCK_TEXT] = "unknown", rows[32], rejected[32], overlaps[32];

	if (s->dated_ms != 0) {
		clock_format(s->dated_ms, date);
		date[10] = '\0';
	}
	cli_thousands(s->rows, rows);
	cli_thousands(s->rejected, rejected);
	cli_thousands(s->overlaps, overlaps);
	printf("  %s", cli_bold(c));
	cli_print(s->name);
	printf("%s\n    data of %s", cli_plain(c), date);
	if (s->dated_ms != 0)
		printf(", %lld days old", (long long)age_in_days(s));
	printf("; %s rows, %s rejected, %s overlapping\n", rows, rejected, overlaps);
	if (s->caution.len > 0) {
		printf("    ");
		cli_print(s->caution);
		putchar('\n');
	}
	if (s->attribution.len > 0) {
		printf("    ");
		cli_print(s->attribution);
		putchar('\n');
	}
}

static void show_text(const struct cli *c, const struct table *t)
{
	struct table_source s;
	struct table_facts f;
	char date[CLOCK_TEXT];

	table_facts(t, &f);
	cli_date(f.built_ms, date);
	printf("%s/territory.table, built %s\n", c->dir, date);
	show_number("bytes", f.bytes);
	show_number("IPv4 ranges", f.intervals_ipv4);
	show_number("IPv6 ranges", f.intervals_ipv6);
	show_number("AS numbers", f.as_numbers);
	show_number("disagreements", f.disagreements);
	putchar('\n');
	for (size_t i = 0; i < table_sources(t); i++) {
		table_source(t, i, &s);
		show_source(c, &s);
	}
}

static int show(struct cli *c)
{
	struct table *t = NULL;
	enum err e = cli_table(c, &t);

	if (e == OK)
		e = table_check(t);
	if (e == OK && c->json)
		show_json(c, t);
	else if (e == OK)
		show_text(c, t);
	table_close(t);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_territory_show(struct cli *c)
{
	return show(c);
}
