/* `comity serve`. */
#include "cli/cli.h"

#include <stdlib.h>

#include "base/file.h"
#include "exchange/server.h"

static void on_warning(void *context, unsigned line, const char *text)
{
	const char *path = context;

	if (line > 0)
		fprintf(stderr, "comity: %s line %u: %s\n", path, line, text);
	else
		fprintf(stderr, "comity: %s: %s\n", path, text);
}

/* --listen and --listen-tls stand for all addresses of the file. */
static enum err take_listens(struct cli *c, struct config *config, bool *given)
{
	static const struct {
		const char *name;
		bool tls;
	} options[] = { { "listen", false }, { "listen-tls", true } };
	struct listen *listens = arena_array(c->arena, SERVER_ADDRESSES, sizeof(*listens));
	size_t count = 0;

	if (listens == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const char *text;
		size_t at = 0;
		enum err e;

		while ((text = cli_next(c, options[i].name, &at)) != NULL) {
			if (count == SERVER_ADDRESSES)
				return fail(ERR_USAGE, "at most %d addresses can be listened on", SERVER_ADDRESSES);
			if ((e = listen_parse(c->arena, span_of(text), options[i].tls, &listens[count++])) != OK)
				return e;
		}
	}
	*given = count > 0;
	return count > 0 ? config_listen(config, listens, count) : OK;
}

static enum err take_log(const struct cli *c, struct config *config)
{
	const char *log = cli_option(c, "log");

	if (log == NULL)
		return OK;
	config->log_json = strcmp(log, "json") == 0;
	if (!config->log_json && strcmp(log, "text") != 0)
		return fail(ERR_USAGE, "--log wants text or json, not `%s`", log);
	return OK;
}

/* Whoever started us may wait for this line: it tells which port was taken for 0. */
static void on_ready(void *context, const struct server_ready *r)
{
	struct cli *c = context;

	if (c->json) {
		struct json *j = cli_object(c);

		json_string(j, "node", r->node);
		json_array(j, "listening");
		for (size_t i = 0; i < r->url_count; i++)
			json_text(j, NULL, r->urls[i]);
		json_array_end(j);
		if (r->fingerprint != NULL)
			json_text(j, "development_certificate", r->fingerprint);
		cli_object_end(c);
	} else {
		printf("%s%.*s%s serves on", cli_bold(c), SPAN_FORMAT(r->node), cli_plain(c));
		for (size_t i = 0; i < r->url_count; i++)
			printf(" %s", r->urls[i]);
		putchar('\n');
		if (r->fingerprint != NULL)
			printf("with a development certificate, SHA-256 %s\n", r->fingerprint);
	}
	fflush(stdout);
}

int cmd_serve(struct cli *c)
{
	const char *path = cli_option(c, "config");
	struct server_options o = { .dir = c->dir, .ready = on_ready, .context = c };
	struct config config;
	enum err e;

	if (path != NULL && !file_exists(path))
		return cli_fail(c, fail(ERR_NOT_FOUND, "%s", path));
	if (path == NULL && (path = arena_print(c->arena, "%s/config", c->dir)) == NULL)
		return cli_fail(c, ERR_NO_MEMORY);
	if ((e = config_read(c->arena, path, on_warning, (void *)(uintptr_t)path, &config)) != OK ||
	    (e = take_log(c, &config)) != OK || (e = take_listens(c, &config, &o.listens_given)) != OK)
		return cli_fail(c, e);
	o.config = &config;
	o.log_given = cli_option(c, "log") != NULL;
	o.config_path = path;
	e = server_run(&o);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
