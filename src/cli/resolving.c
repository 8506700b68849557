#include "cli/resolving.h"

#include <stdio.h>

#include "base/file.h"
#include "territory/known_claims.h"

enum err cli_table(struct cli *c, struct table **out)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir);

	if (path == NULL)
		return ERR_NO_MEMORY;
	return table_open(path, out);
}

static void say_left_out(void *context, struct span node, const char *why)
{
	(void)context;
	fprintf(stderr, "comity: claims of %.*s are left out: %s\n", SPAN_FORMAT(node), why);
}

enum err cli_claims(struct cli *c, const struct state *st, struct territory_claim **out, size_t *count)
{
	return claims_known(c->dir, st, clock_now_ms(), c->arena, say_left_out, NULL, out, count);
}

/* Copies in the command's arena: the node is closed again. */
static enum err read_claims(struct cli *c, struct territory_claim **claims, size_t *count)
{
	char *path = arena_print(c->arena, "%s/node", c->dir);
	struct state st = { 0 };
	struct node *n = NULL;
	enum err e;

	if (path == NULL)
		return fail(ERR_NO_MEMORY, "no room for a path");
	if (!file_exists(path))
		return OK;
	if ((e = node_open(c->dir, NODE_READ, &n)) != OK)
		return e;
	if ((e = node_read(n, c->arena, &st)) == OK) {
		e = cli_claims(c, &st, claims, count);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e;
}

enum err resolving_begin(struct cli *c, struct resolving *out)
{
	struct territory_claim *claims = NULL;
	size_t count = 0;
	enum err e;

	*out = (struct resolving){ 0 };
	if ((e = cli_table(c, &out->table)) != OK)
		return e;
	e = read_claims(c, &claims, &count);
	if (e == OK)
		e = resolver_new(out->table, claims, count, &out->resolver);
	if (e != OK)
		resolving_end(out);
	return e;
}

enum err resolving_with(struct cli *c, struct node *n, struct resolving *out)
{
	struct territory_claim *claims = NULL;
	struct state st = { 0 };
	size_t count = 0;
	enum err e;

	*out = (struct resolving){ 0 };
	if ((e = cli_table(c, &out->table)) != OK)
		return e;
	if ((e = node_read(n, c->arena, &st)) == OK) {
		e = cli_claims(c, &st, &claims, &count);
		snapshot_end(st.snapshot);
	}
	if (e == OK)
		e = resolver_new(out->table, claims, count, &out->resolver);
	if (e != OK)
		resolving_end(out);
	return e;
}

void resolving_end(struct resolving *r)
{
	resolver_free(r->resolver);
	table_close(r->table);
	*r = (struct resolving){ 0 };
}
