#include "cli/resolving.h"

#include "base/file.h"

enum err cli_table(struct cli *c, struct table **out)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir);

	if (path == NULL)
		return ERR_NO_MEMORY;
	return table_open(path, out);
}

struct gathering {
	struct cli *c;
	struct territory_claim *claims;
	size_t count, room;
};

static enum err gather_claim(void *context, const struct claim *claim)
{
	struct gathering *g = context;

	if (g->count == g->room) {
		size_t room = g->room == 0 ? 256 : g->room * 2;
		struct territory_claim *bigger = arena_array(g->c->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		if (g->count > 0)
			memcpy(bigger, g->claims, g->count * sizeof(*bigger));
		g->claims = bigger;
		g->room = room;
	}
	g->claims[g->count++] = (struct territory_claim){
		.party = span_of(arena_copy(g->c->arena, claim->party.at, claim->party.len)),
		.type = claim->type,
		.asn = claim->asn,
		.prefix = claim->prefix,
		.country = { claim->country[0], claim->country[1], 0 },
		.approved_ms = claim->approved_ms,
		.approval = claim->approval,
	};
	return OK;
}

enum err cli_claims(struct cli *c, const struct state *st, struct territory_claim **out, size_t *count)
{
	struct gathering g = { .c = c };
	enum err e = state_claims(st, true, gather_claim, &g);

	*out = g.claims;
	*count = g.count;
	return e;
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

void resolving_end(struct resolving *r)
{
	resolver_free(r->resolver);
	table_close(r->table);
	*r = (struct resolving){ 0 };
}
