#include "cli/cli.h"

#include "base/file.h"
#include "net/config.h"

/* DIR/config, with every setting and its default. */
static enum err write_config(struct cli *c, struct span name)
{
	struct buffer text = BUFFER(65536);
	char *path = arena_print(c->arena, "%s/config", c->dir);
	enum err e;

	config_template(&text, name);
	e = path == NULL ? ERR_NO_MEMORY : text.err != OK ? text.err : file_write(path, buffer_view(&text), 0600);
	buffer_free(&text);
	return e;
}

int cmd_init(struct cli *c)
{
	const char *title = cli_option(c, "title");
	struct span name = span_of(c->operands[0]);
	struct node *n = NULL;
	struct buffer key = BUFFER(4096);
	enum err e;

	if (!span_is_domain(name))
		return cli_fail(c, fail(ERR_DOMAIN, "`%s` cannot name a node", c->operands[0]));
	if ((e = node_init(c->dir, name, title != NULL ? span_of(title) : name)) != OK ||
	    (e = write_config(c, name)) != OK || (e = node_open(c->dir, NODE_READ, &n)) != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_string(j, "name", name);
		json_text(j, "dir", c->dir);
	} else {
		printf("%s%s%s is ready in %s\n", cli_bold(c), c->operands[0], cli_plain(c), c->dir);
	}
	for (int l = 0; l < LEDGER_COUNT; l++) {
		buffer_clear(&key);
		verifier_print(node_ledger_key(n, (enum ledger_id)l), &key);
		if (c->json)
			json_string(&c->object, ledger_name((enum ledger_id)l), buffer_view(&key));
		else
			printf("  %-7s %.*s\n", ledger_name((enum ledger_id)l), SPAN_FORMAT(buffer_view(&key)));
	}
	if (c->json)
		cli_object_end(c);
	else
		printf("Its keys lie in %s/keys: keep a copy where nobody else can read it.\n"
		       "How it serves stands in %s/config; comity serve begins.\n"
		       "Next: comity territory update\n",
		       c->dir, c->dir);
	buffer_free(&key);
	node_close(n);
	return EXIT_OK;
}
