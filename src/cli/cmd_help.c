#include "cli/cli.h"

static void print_options(const struct option_rule *options)
{
	for (const struct option_rule *o = options; o != NULL && o->name != NULL; o++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s%s%s", o->name, o->value != NULL ? " " : "",
			 o->value != NULL ? o->value : "");
		printf("  %-24s %s\n", text, o->does);
	}
}

static void help_command(const struct cli *c, const struct command *cmd)
{
	printf("%scomity %s%s %s\n\n  %s.\n\n", cli_bold(c), cmd->name, cli_plain(c), cmd->operands, cmd->does);
	print_options(cmd->options);
	printf("  %-24s %s\n", "--dir DIR", "the node's directory (default: COMITY_DIR, else .comity)");
	printf("  %-24s %s\n", "--json", "one JSON object a line");
}

static void help_all(const struct cli *c)
{
	printf("%scomity%s: who answers for an attack, and what was answered\n\n"
	       "  comity [--dir DIR] [--json] COMMAND …\n\n",
	       cli_bold(c), cli_plain(c));
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		char text[64];

		snprintf(text, sizeof(text), "%s %s", cmd->name, cmd->operands);
		fputs("  ", stdout);
		cli_column(span_of(text), 32);
		printf("%s\n", cmd->does);
	}
	printf("\n`comity help COMMAND` says more. Exit codes: 0 done, 1 refused or not found, 2 wrong use,\n"
	       "3 the machine failed, 4 a check does not agree, 5 another process is writing.\n");
}

int cmd_help(struct cli *c)
{
	bool found = false;
	char *name;

	if (c->operand_count == 0) {
		help_all(c);
		return EXIT_OK;
	}
	name = c->operand_count == 1 ? c->operands[0] : arena_print(c->arena, "%s %s", c->operands[0], c->operands[1]);
	for (const struct command *cmd = commands; name != NULL && cmd->name != NULL; cmd++) {
		size_t n = strlen(name);

		if (strncmp(cmd->name, name, n) != 0 || (cmd->name[n] != '\0' && cmd->name[n] != ' '))
			continue;
		if (found)
			putchar('\n');
		help_command(c, cmd);
		found = true;
	}
	if (!found)
		return cli_fail(c, fail(ERR_USAGE, "there is no command `%s`; see `comity help`", name));
	return EXIT_OK;
}

int cmd_version(struct cli *c)
{
	if (c->json) {
		json_text(cli_object(c), "version", COMITY_VERSION);
		cli_object_end(c);
	} else {
		printf("comity %s\n", COMITY_VERSION);
	}
	return EXIT_OK;
}
