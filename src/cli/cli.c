#include "cli/cli.h"

#include <stdlib.h>

bool cli_flag(const struct cli *c, const char *name)
{
	return cli_option(c, name) != NULL;
}

const char *cli_option(const struct cli *c, const char *name)
{
	for (size_t i = c->given_count; i-- > 0;)
		if (strcmp(c->given[i].name, name) == 0)
			return c->given[i].value;
	return NULL;
}

const char *cli_next(const struct cli *c, const char *name, size_t *at)
{
	while (*at < c->given_count) {
		const struct given *g = &c->given[(*at)++];

		if (strcmp(g->name, name) == 0)
			return g->value;
	}
	return NULL;
}

enum err cli_number(const struct cli *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
	const char *text = cli_option(c, name);

	*out = fallback;
	if (text != NULL && span_u64(span_of(text), max, out) != OK)
		return fail(ERR_USAGE, "--%s wants a number up to %llu, not `%s`", name, (unsigned long long)max, text);
	return OK;
}

enum err cli_time(const struct cli *c, const char *name, int64_t fallback, int64_t *out)
{
	const char *text = cli_option(c, name);

	*out = fallback;
	if (text != NULL && clock_parse_rfc3339(span_of(text), out) != OK)
		return fail(ERR_USAGE, "--%s wants a time such as 2026-11-22T20:45:00Z, not `%s`", name, text);
	return OK;
}

enum err cli_duration(const struct cli *c, const char *name, int64_t fallback, int64_t *out)
{
	const char *text = cli_option(c, name);

	*out = fallback;
	if (text != NULL && clock_parse_duration(span_of(text), out) != OK)
		return fail(ERR_USAGE, "--%s wants a length of time such as 90m, 24h or 7d, not `%s`", name, text);
	return OK;
}

int cli_exit_code(enum err e)
{
	if (err_is_machine(e))
		return EXIT_MACHINE;
	switch (e) {
	case OK:
		return EXIT_OK;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_UNREACHABLE:
		return EXIT_MACHINE;
	case ERR_DAMAGED:
	case ERR_NOTE_SIGNATURE:
	case ERR_NOTE_UNSIGNED:
	case ERR_CRYPTO_SELF_TEST:
	case ERR_PROOF:
	case ERR_LEDGER_DIFFERS:
	case ERR_LEDGER_FORK:
	case ERR_TABLE_DAMAGED:
		return EXIT_DIFFERS;
	case ERR_BUSY:
		return EXIT_BUSY;
	default:
		return EXIT_REFUSED;
	}
}

void cli_mended(const struct node *n)
{
	if (node_mended(n)[0] != '\0')
		fprintf(stderr, "comity: the views were made anew from the journal: %s\n", node_mended(n));
}

int cli_fail(struct cli *c, enum err e)
{
	const char *detail = err_detail();

	fflush(stdout);
	if (c->json) {
		struct buffer line = BUFFER(16384);
		struct json j = { .out = &line };

		json_object(&j, NULL);
		json_text(&j, "error", err_code(e));
		json_text(&j, "detail", detail);
		json_text(&j, "advice", err_advice(e));
		json_object_end(&j);
		if (line.err == OK)
			fprintf(stderr, "%.*s\n", SPAN_FORMAT(buffer_view(&line)));
		else /* no memory to say more */
			fprintf(stderr, "{\"error\":\"%s\",\"advice\":\"%s\"}\n", err_code(e), err_advice(e));
		buffer_free(&line);
	} else {
		fprintf(stderr, "comity: %s%s%s\n", err_code(e), detail[0] != '\0' ? ": " : "", detail);
		fprintf(stderr, "  %s\n", err_advice(e));
	}
	return cli_exit_code(e);
}
