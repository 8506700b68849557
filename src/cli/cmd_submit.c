#include <semaphore.h>
#include <stdlib.h>

#include "cli/acting.h"
#include "regime/certificate.h"
#include "regime/sequencer.h"

/* So many are read, offered together, and reported in the order of the files, before the next. */
#define GROUP 256
#define NOTES_MAX ((size_t)GROUP * (2 * STATEMENT_MAX + 2 * RECEIPT_TEXT_MAX))

struct group {
	struct arena *arena; /* the notes */
	struct submission submissions[GROUP];
	enum err unread[GROUP]; /* not OK: the file could not be read, nothing was offered */
	sem_t done;
};

static enum err read_file(struct arena *a, const char *path, size_t most, const char *what, struct span *out)
{
	FILE *from = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = arena_alloc(a, most + 1);
	enum err e = OK;

	if (from == NULL)
		return fail_errno("%s", path);
	if (text == NULL) {
		e = ERR_NO_MEMORY;
	} else {
		*out = span_make(text, fread(text, 1, most + 1, from));
		if (ferror(from))
			e = fail_errno("%s", path);
		else if (out->len > most)
			e = fail(ERR_TOO_LONG, "%s: a %s has at most %zu bytes", path, what, most);
		else if (out->len == 0)
			e = fail(ERR_EMPTY, "%s", path);
	}
	if (from != stdin)
		fclose(from);
	return e;
}

static void done(struct submission *s)
{
	sem_post(s->context);
}

static enum err take_request(struct node *n, struct submission *s)
{
	enum err e = act_check_suspended(n, s->note);

	return e == OK ? submission_add(n, s, &s->appended) : e;
}

/* receipt: of a guest, else NULL; body: that it binds, else NULL */
static enum err offer(struct sequencer *q, struct group *g, size_t i, const char *path, const char *receipt,
		      const char *body)
{
	struct submission *s = &g->submissions[i];
	enum err e;

	*s = (struct submission){ .done = done, .context = &g->done };
	e = read_file(g->arena, path, STATEMENT_MAX, "statement", &s->note);
	if (e == OK && receipt != NULL)
		e = read_file(g->arena, receipt, RECEIPT_TEXT_MAX, "receipt", &s->home_receipt);
	if (e == OK && body != NULL)
		e = read_file(g->arena, body, CERTIFICATE_BODY_MAX, "body", &s->body);
	if (e == OK && span_starts(s->note, "comity/1 request\n"))
		s->work = take_request;
	if (e == OK)
		e = sequencer_offer(q, s);
	if (e != OK)
		snprintf(s->detail, sizeof(s->detail), "%s", err_detail());
	return g->unread[i] = e;
}

static int report(struct cli *c, const struct group *g, size_t i, const char *path)
{
	const struct submission *s = &g->submissions[i];

	if (g->unread[i] != OK)
		return cli_fail(c, fail(g->unread[i], "%s", s->detail));
	if (s->err != OK)
		return cli_fail(c, fail(s->err, "%s%s%s", c->operand_count > 1 ? path : "",
					c->operand_count > 1 ? ": " : "", s->detail));
	act_report(c, "statement", &s->appended);
	return EXIT_OK;
}

/* The first failure's exit code; what comes behind a refusal is logged all the same. */
static int submit_group(struct cli *c, struct sequencer *q, struct group *g, char **paths, size_t count,
			size_t *receipts)
{
	size_t offered = 0;
	int code = EXIT_OK;

	arena_reset(g->arena);
	for (size_t i = 0; i < count; i++)
		offered += offer(q, g, i, paths[i], cli_next(c, "receipt", receipts), cli_option(c, "body")) == OK;
	while (offered > 0)
		if (sem_wait(&g->done) == 0)
			offered--;
	for (size_t i = 0; i < count; i++) {
		int one = report(c, g, i, paths[i]);

		if (code == EXIT_OK)
			code = one;
	}
	return code;
}

static int submit_all(struct cli *c, struct node *n, struct group *g)
{
	struct sequencer_options options = { .ticks = true };
	struct sequencer *q = NULL;
	size_t receipts = 0;
	int code = EXIT_OK;
	enum err e = sequencer_start(n, &options, &q);

	if (e != OK)
		return cli_fail(c, e);
	for (size_t i = 0; i < c->operand_count; i += GROUP) {
		size_t left = c->operand_count - i;
		int one = submit_group(c, q, g, c->operands + i, left < GROUP ? left : GROUP, &receipts);

		if (code == EXIT_OK)
			code = one;
	}
	e = sequencer_stop(q);
	return e != OK && code == EXIT_OK ? cli_fail(c, e) : code;
}

static enum err check_options(const struct cli *c)
{
	size_t count = 0, at = 0;

	while (cli_next(c, "receipt", &at) != NULL)
		count++;
	if (count != 0 && count != c->operand_count)
		return fail(ERR_USAGE, "--receipt: one for each file, in the same order");
	if (cli_option(c, "body") != NULL && c->operand_count != 1)
		return fail(ERR_USAGE, "--body: of one file");
	return OK;
}

int cmd_submit(struct cli *c)
{
	struct group *g = calloc(1, sizeof(*g));
	struct node *n = NULL;
	int code = EXIT_OK;
	enum err e = g == NULL || (g->arena = arena_new(NOTES_MAX)) == NULL ? ERR_NO_MEMORY : check_options(c);

	if (g != NULL)
		sem_init(&g->done, 0, 0);
	if (e == OK)
		e = node_open(c->dir, NODE_WRITE, &n);
	code = e == OK ? submit_all(c, n, g) : cli_fail(c, e);
	node_close(n);
	if (g != NULL) {
		sem_destroy(&g->done);
		if (g->arena != NULL)
			arena_free(g->arena);
	}
	free(g);
	return code;
}
