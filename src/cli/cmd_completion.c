/* Completions are made from the table of commands, so they are never behind it. */
#include "cli/cli.h"

/* The first word of a two-word command is listed once. */
static bool first_of_its_word(const struct command *cmd, struct span word)
{
	for (const struct command *before = commands; before != cmd; before++) {
		struct span rest = span_of(before->name);

		if (span_equal(span_cut(&rest, ' '), word))
			return false;
	}
	return true;
}

static void words_first(void)
{
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		struct span rest = span_of(cmd->name), word = span_cut(&rest, ' ');

		if (first_of_its_word(cmd, word))
			printf(" %.*s", SPAN_FORMAT(word));
	}
}

static void words_second(struct span word)
{
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		struct span rest = span_of(cmd->name);

		if (span_equal(span_cut(&rest, ' '), word) && rest.at != NULL)
			printf(" %.*s", SPAN_FORMAT(rest));
	}
}

static void words_options(const struct command *cmd)
{
	for (const struct option_rule *o = cmd->options; o != NULL && o->name != NULL; o++)
		printf(" --%s", o->name);
	printf(" --dir --json --help");
}

static void bash(void)
{
	printf("_comity()\n{\n\tlocal word=\"${COMP_WORDS[COMP_CWORD]}\" first=\"${COMP_WORDS[1]}\" words=\"\"\n");
	printf("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"");
	words_first();
	printf("\"\n\telse\n\t\tcase \"$first ${COMP_WORDS[2]}\" in\n");
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		bool two = strchr(cmd->name, ' ') != NULL;

		printf("\t\t\"%s%s) words=\"", cmd->name, two ? "\"*" : " \"*");
		words_options(cmd);
		printf("\" ;;\n");
	}
	printf("\t\tesac\n\t\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\t\tcase \"$first\" in\n");
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		struct span rest = span_of(cmd->name), word = span_cut(&rest, ' ');

		if (rest.at == NULL || !first_of_its_word(cmd, word))
			continue;
		printf("\t\t\t%.*s) words=\"", SPAN_FORMAT(word));
		words_second(word);
		printf("\" ;;\n");
	}
	printf("\t\t\tesac\n\t\tfi\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\t[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n}\n"
	       "complete -F _comity comity\n");
}

static void zsh(void)
{
	printf("#compdef comity\nautoload -U +X bashcompinit && bashcompinit\n");
	bash();
}

static void fish(void)
{
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		struct span rest = span_of(cmd->name), word = span_cut(&rest, ' ');

		if (rest.at == NULL)
			printf("complete -c comity -n __fish_use_subcommand -a %.*s -d '%s'\n", SPAN_FORMAT(word),
			       cmd->does);
		else if (first_of_its_word(cmd, word))
			printf("complete -c comity -n __fish_use_subcommand -a %.*s\n", SPAN_FORMAT(word));
		if (rest.at != NULL)
			printf("complete -c comity -n '__fish_seen_subcommand_from %.*s' -a %.*s -d '%s'\n",
			       SPAN_FORMAT(word), SPAN_FORMAT(rest), cmd->does);
		for (const struct option_rule *o = cmd->options; o != NULL && o->name != NULL; o++)
			printf("complete -c comity -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", SPAN_FORMAT(word),
			       o->name, o->value != NULL ? " -r" : "");
	}
}

int cmd_completion(struct cli *c)
{
	struct span shell = span_of(c->operands[0]);

	if (span_is(shell, "bash"))
		bash();
	else if (span_is(shell, "zsh"))
		zsh();
	else if (span_is(shell, "fish"))
		fish();
	else
		return cli_fail(c, fail(ERR_USAGE, "`%s`: bash, zsh or fish", c->operands[0]));
	return EXIT_OK;
}
