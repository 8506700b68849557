#include "cli/cli.h"

#include <unistd.h>

#include "cli/resolving.h"
#include "territory/cover.h"

#define LINE_MAX_BYTES 1024
#define ANSWER_MAX ((size_t)1 << 20)

struct lookup {
	struct cli *c;
	struct resolving resolving;
	struct arena *arena; /* of one answer */
	uint64_t refused;
};

static void print_range(struct json *j, const struct answer *a)
{
	char first[ADDRESS_TEXT], last[ADDRESS_TEXT], prefix[PREFIX_TEXT];

	if (a->resolved.rule == RULE_NOBODY || a->resolved.rule == RULE_SPECIAL) {
		json_null(j, "prefix");
		json_null(j, "range");
		return;
	}
	prefix_format(range_cover(a->matched), prefix);
	address_format(a->matched.first, first);
	address_format(a->matched.last, last);
	json_text(j, "prefix", prefix);
	json_object(j, "range");
	json_text(j, "first", first);
	json_text(j, "last", last);
	json_object_end(j);
}

static void print_code(struct json *j, const char *key, const char *code)
{
	json_text(j, key, code[0] != '\0' ? code : NULL);
}

static void print_json(struct lookup *l, const struct answer *a)
{
	const struct table_record *r = &a->record;
	struct json *j = cli_object(l->c);
	char text[ADDRESS_TEXT];

	address_format(a->asked, text);
	json_text(j, "address", text);
	if (!address_equal(a->asked, a->looked_up)) {
		address_format(a->looked_up, text);
		json_text(j, "looked_up", text);
	}
	print_range(j, a);
	if (r->asn != 0)
		json_number(j, "asn", r->asn);
	else
		json_null(j, "asn");
	if (r->holder.len > 0)
		json_string(j, "holder", r->holder);
	else
		json_null(j, "holder");
	print_code(j, "country", r->country);
	print_code(j, "as_country", r->as_country);
	if (a->addressee != 0 && a->resolved.to.type == TO_PARTY)
		json_string(j, "party", a->resolved.to.domain);
	else
		json_null(j, "party");
	if (a->addressee != 0)
		addressee_json(j, "addressee", &a->resolved.to);
	else
		json_null(j, "addressee");
	json_array(j, "copies");
	for (size_t i = 0; i < a->resolved.cc_count; i++)
		addressee_json(j, NULL, &a->resolved.cc[i]);
	json_array_end(j);
	json_text(j, "rule", rule_name(a->resolved.rule));
	json_text(j, "rpki", route_validity_name(r->validity));
	json_array(j, "reasons");
	for (size_t i = 0; i < a->reason_count; i++)
		json_string(j, NULL, a->reasons[i]);
	json_array_end(j);
	cli_object_end(l->c);
}

static void print_text(struct lookup *l, const struct answer *a)
{
	const struct table_record *r = &a->record;
	struct buffer to = BUFFER(1024);
	const struct cli *c = l->c;
	char text[ADDRESS_TEXT];

	address_format(a->asked, text);
	printf("%s%s%s  ", cli_bold(c), text, cli_plain(c));
	if (a->addressee != 0)
		addressee_print(&a->resolved.to, &to);
	else
		buffer_text(&to, "nobody");
	cli_print(buffer_view(&to));
	buffer_free(&to);
	if (r->asn != 0 && (a->addressee == 0 || a->resolved.to.type != TO_AS))
		printf("  AS%u", r->asn);
	if (r->holder.len > 0) {
		printf("  ");
		cli_print(r->holder);
	}
	if (r->country[0] != '\0')
		printf("  %s", r->country);
	putchar('\n');
	for (size_t i = 0; i < a->reason_count; i++) {
		printf("  %s", cli_dim(c));
		cli_print(a->reasons[i]);
		printf("%s\n", cli_plain(c));
	}
}

/* A line that is no address: said where it stands, and the next one is taken. */
static void refuse(struct lookup *l, struct span text, uint64_t line, enum err e)
{
	struct json *j;

	l->refused++;
	if (!l->c->json) {
		fprintf(stderr, "comity: %s: line %llu: `%.*s`\n", err_code(e), (unsigned long long)line,
			SPAN_FORMAT(text));
		return;
	}
	j = cli_object(l->c);
	json_text(j, "error", err_code(e));
	json_number(j, "line", (int64_t)line);
	json_string(j, "text", text);
	json_text(j, "advice", err_advice(e));
	cli_object_end(l->c);
}

static enum err look_up(struct lookup *l, struct span text, uint64_t line)
{
	struct address address;
	struct answer answer;
	enum err e = address_parse(text, &address);

	if (e != OK) {
		refuse(l, text, line, e);
		return OK;
	}
	arena_reset(l->arena);
	if ((e = resolver_explain(l->resolving.resolver, l->arena, address, &answer)) != OK)
		return e;
	if (l->c->json)
		print_json(l, &answer);
	else
		print_text(l, &answer);
	return OK;
}

/* The next line of standard input, cut at LINE_MAX_BYTES + 1. False: the end. */
static bool next_line(char *line, size_t *len)
{
	int byte = EOF;

	*len = 0;
	while ((byte = getc_unlocked(stdin)) != EOF && byte != '\n')
		if (*len <= LINE_MAX_BYTES)
			line[(*len)++] = (char)byte;
	return byte != EOF || *len > 0;
}

static enum err look_up_lines(struct lookup *l)
{
	bool by_hand = isatty(STDIN_FILENO) == 1;
	char line[LINE_MAX_BYTES + 1];
	enum err e = OK;
	uint64_t number = 0;
	size_t len;

	while (e == OK && next_line(line, &len)) {
		struct span text = span_make(line, len);

		number++;
		if (text.len > 0 && text.at[text.len - 1] == '\r')
			text.len--;
		text = span_trim(text);
		if (len > LINE_MAX_BYTES)
			refuse(l, span_make(line, 64), number, ERR_TOO_LONG);
		else if (text.len > 0)
			e = look_up(l, text, number);
		if (by_hand)
			fflush(stdout);
	}
	if (e == OK && ferror(stdin))
		e = fail_errno("standard input");
	return e;
}

int cmd_lookup(struct cli *c)
{
	struct lookup l = { .c = c, .arena = arena_new(ANSWER_MAX) };
	enum err e = l.arena != NULL ? resolving_begin(c, &l.resolving) : fail(ERR_NO_MEMORY, "no room for an answer");

	for (size_t i = 0; e == OK && i < c->operand_count; i++)
		e = strcmp(c->operands[i], "-") == 0 ? look_up_lines(&l) : look_up(&l, span_of(c->operands[i]), i + 1);
	resolving_end(&l.resolving);
	arena_free(l.arena);
	if (e != OK)
		return cli_fail(c, e);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail(c, fail_errno("standard output"));
	return l.refused > 0 ? EXIT_REFUSED : EXIT_OK;
}
