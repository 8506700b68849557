/* Finds the command, reads its options, runs it. */
#include "cli/cli.h"
#include "cli/guard.h"

#include <stdlib.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)1 << 30)

/* A command is one word or two; how many words of argv it takes, 0 if it is none. */
static int match_words(const struct command *cmd, int argc, char **argv)
{
	struct span rest = span_of(cmd->name), first = span_cut(&rest, ' ');

	if (argc < 1 || !span_is(first, argv[0]))
		return 0;
	if (rest.at == NULL)
		return 1;
	return argc >= 2 && span_is(rest, argv[1]) ? 2 : 0;
}

/* Two words before one: `outbox retry` is not `outbox` with an operand. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	const struct command *found = NULL;

	*words = 0;
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		int n = match_words(cmd, argc, argv);

		if (n > *words) {
			*words = n;
			found = cmd;
		}
	}
	return found;
}

static const struct option_rule *find_rule(const struct command *cmd, struct span name)
{
	for (const struct option_rule *o = cmd->options; o != NULL && o->name != NULL; o++)
		if (span_is(name, o->name))
			return o;
	return NULL;
}

/* --json, --dir and --help stand anywhere. 0: not one of them; else how many words it took. */
static int shared_option(struct cli *c, const char *word, const char *next)
{
	if (strcmp(word, "--json") == 0) {
		c->json = true;
		return 1;
	}
	if (strncmp(word, "--dir=", 6) == 0) {
		c->dir = word + 6;
		return 1;
	}
	if (strcmp(word, "--dir") == 0 && next != NULL) {
		c->dir = next;
		return 2;
	}
	return 0;
}

static enum err own_option(struct cli *c, const char *word, const char *next, int *taken)
{
	struct span value = span_of(word + 2), name = span_cut(&value, '=');
	const struct option_rule *rule = find_rule(c->command, name);
	struct given *g = &c->given[c->given_count];

	*taken = 1;
	if (rule == NULL)
		return fail(ERR_USAGE, "`%s` does not know the option %s", c->command->name, word);
	if (c->given_count == CLI_OPTIONS_MAX)
		return fail(ERR_USAGE, "more than %d options", CLI_OPTIONS_MAX);
	*g = (struct given){ rule->name, "" };
	if (rule->value == NULL && value.at != NULL)
		return fail(ERR_USAGE, "--%s takes no value", rule->name);
	if (rule->value != NULL && value.at != NULL) {
		g->value = value.at;
	} else if (rule->value != NULL) {
		if (next == NULL)
			return fail(ERR_USAGE, "--%s wants a value: %s", rule->name, rule->value);
		g->value = next;
		*taken = 2;
	}
	c->given_count++;
	return OK;
}

static enum err read_words(struct cli *c, int argc, char **argv, bool *help)
{
	bool options = true;

	for (int i = 0, taken = 1; i < argc; i += taken) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

		taken = 1;
		if (!options || strcmp(word, "-") == 0 || strncmp(word, "-", 1) != 0) {
			c->operands[c->operand_count++] = argv[i];
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			*help = true;
		} else if ((taken = shared_option(c, word, next)) == 0) {
			enum err e = strncmp(word, "--", 2) == 0 ? own_option(c, word, next, &taken)
								 : fail(ERR_USAGE, "`%s` does not know the option %s",
									c->command->name, word);

			if (e != OK)
				return e;
		}
	}
	if (!*help && (c->operand_count < c->command->least || c->operand_count > c->command->most))
		return fail(ERR_USAGE, "use: comity %s %s", c->command->name, c->command->operands);
	return OK;
}

static int run(struct cli *c, int argc, char **argv, int words)
{
	bool help = false;
	enum err e = read_words(c, argc - words, argv + words, &help);

	if (e != OK)
		return cli_fail(c, e);
	if (help) {
		c->operands[0] = (char *)c->command->name;
		c->operand_count = 1;
		return cmd_help(c);
	}
	return c->command->run(c);
}

/* Options that all commands share may stand before the command too. */
static int skip_shared(struct cli *c, int argc, char **argv)
{
	int at = 1, taken;

	while (at < argc && (taken = shared_option(c, argv[at], at + 1 < argc ? argv[at + 1] : NULL)) != 0)
		at += taken;
	return at;
}

static int unknown(struct cli *c, int argc, char **argv)
{
	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
		return cmd_help(c) == EXIT_OK && argc != 0 ? EXIT_OK : EXIT_USAGE;
	if (strcmp(argv[0], "--version") == 0)
		return cmd_version(c);
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++)
		if (strncmp(cmd->name, argv[0], strlen(argv[0])) == 0 && cmd->name[strlen(argv[0])] == ' ')
			return cli_fail(
				c, fail(ERR_USAGE, "`%s` wants a second word; see `comity help %s`", argv[0], argv[0]));
	return cli_fail(c, fail(ERR_USAGE, "there is no command `%s`; see `comity help`", argv[0]));
}

int main(int argc, char **argv)
{
	struct cli c = { .dir = getenv("COMITY_DIR"), .line = BUFFER(64 << 20) };
	int words = 0, at, code;

	if (c.dir == NULL || c.dir[0] == '\0')
		c.dir = ".comity";
	guard();
	c.terminal = isatty(STDERR_FILENO);
	c.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	c.arena = arena_new(ARENA_MAX);
	c.operands = calloc((size_t)argc + 1, sizeof(*c.operands));
	c.given = calloc(CLI_OPTIONS_MAX, sizeof(*c.given));
	if (c.arena == NULL || c.operands == NULL || c.given == NULL) {
		code = cli_fail(&c, ERR_NO_MEMORY);
		goto out;
	}
	at = skip_shared(&c, argc, argv);
	c.command = find_command(argc - at, argv + at, &words);
	code = c.command == NULL ? unknown(&c, argc - at, argv + at) : run(&c, argc - at, argv + at, words);
	if (ferror(stdout) && code == EXIT_OK) /* of what went before: there may be nothing left to flush */
		code = cli_fail(&c, fail(ERR_IO, "standard output: not all of it could be written"));
	else if (fflush(stdout) != 0 && code == EXIT_OK)
		code = cli_fail(&c, fail_errno("standard output"));
out:
	buffer_free(&c.line);
	free(c.given);
	free(c.operands);
	arena_free(c.arena);
	return code;
}
