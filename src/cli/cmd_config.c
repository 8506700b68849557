/* `comity config check` and `comity config show`. */
#include "cli/cli.h"

#include <unistd.h>

#include "net/config.h"

struct found {
	struct cli *c;
	const char *path;
	size_t warnings;
};

static void on_warning(void *context, unsigned line, const char *text)
{
	struct found *f = context;

	f->warnings++;
	if (f->c->json) {
		struct json *j = cli_object(f->c);

		json_text(j, "warning", text);
		json_text(j, "file", f->path);
		if (line > 0)
			json_number(j, "line", line);
		else
			json_null(j, "line");
		cli_object_end(f->c);
	} else if (line > 0) {
		printf("warning: %s line %u: %s\n", f->path, line, text);
	} else {
		printf("warning: %s: %s\n", f->path, text);
	}
}

/* The operand, else the node's own, which may be missing. */
static enum err read_config(struct found *f, config_warn *warn, struct config *out)
{
	struct cli *c = f->c;

	f->path = c->operand_count == 1 ? c->operands[0] : arena_print(c->arena, "%s/config", c->dir);
	if (f->path == NULL)
		return ERR_NO_MEMORY;
	if (c->operand_count == 1 && access(f->path, F_OK) != 0)
		return fail_errno("%s", f->path);
	return config_read(c->arena, f->path, warn, f, out);
}

int cmd_config_check(struct cli *c)
{
	struct found f = { .c = c };
	struct config config;
	enum err e = read_config(&f, on_warning, &config);

	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "file", f.path);
		json_text(j, "result", "ok");
		json_number(j, "warnings", (int64_t)f.warnings);
		json_array(j, "listen");
		for (size_t i = 0; i < config.listen_count; i++)
			json_string(j, NULL, config.listens[i].text);
		json_array_end(j);
		json_array(j, "collections");
		for (size_t i = 0; i < config.collection_count; i++)
			json_string(j, NULL, config.collections[i].alias);
		json_array_end(j);
		cli_object_end(c);
	} else {
		printf("%s%s is good%s: %zu address%s, %zu collection%s, %zu warning%s\n", cli_bold(c), f.path,
		       cli_plain(c), config.listen_count, config.listen_count == 1 ? "" : "es", config.collection_count,
		       config.collection_count == 1 ? "" : "s", f.warnings, f.warnings == 1 ? "" : "s");
	}
	return EXIT_OK;
}

static void print_lines(struct span text)
{
	struct span line;

	while (span_line(&text, &line)) {
		cli_print(line);
		putchar('\n');
	}
}

/* In their order: what belongs to a collection stands behind it. Comments are no settings. */
static void object_of_lines(struct cli *c, struct span text)
{
	struct json *j = cli_object(c);
	struct span line;

	json_array(j, "settings");
	while (span_line(&text, &line)) {
		struct span value = line, name = span_cut(&value, ' ');

		if (span_starts(line, "#") || value.at == NULL)
			continue;
		json_object(j, NULL);
		json_string(j, "name", name);
		json_string(j, "value", value);
		json_object_end(j);
	}
	json_array_end(j);
	cli_object_end(c);
}

int cmd_config_show(struct cli *c)
{
	struct found f = { .c = c };
	struct config config;
	struct buffer text = BUFFER(16 << 20);
	enum err e = read_config(&f, NULL, &config);

	if (e != OK)
		return cli_fail(c, e);
	config_print(&config, &text);
	if (text.err != OK)
		e = text.err;
	else if (c->json)
		object_of_lines(c, buffer_view(&text));
	else
		print_lines(buffer_view(&text));
	buffer_free(&text);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
