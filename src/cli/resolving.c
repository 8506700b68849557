#include "cli/resolving.h"

#include "base/file.h"

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

void resolving_end(struct resolving *r)
{
	resolver_free(r->resolver);
	table_close(r->table);
	*r = (struct resolving){ 0 };
}
