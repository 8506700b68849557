#include "cli/resolving.h"

#include <stdio.h>

#include "base/file.h"
#include "regime/mirror.h"

enum err cli_table(struct cli *c, struct table **out)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir);

	if (path == NULL)
		return ERR_NO_MEMORY;
	return table_open(path, out);
}

struct gathering {
	struct cli *c;
	const struct state *own;
	struct span approved_by; /* a followed node; empty: our own operator */
	const struct state *of;	 /* that node's */
	struct territory_claim *claims;
	size_t count, room;
};

static enum err add_claim(struct gathering *g, const struct claim *claim)
{
	struct span party;

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
	party = span_make(arena_copy(g->c->arena, claim->party.at, claim->party.len), claim->party.len);
	if (party.at == NULL)
		return ERR_NO_MEMORY;
	g->claims[g->count++] = (struct territory_claim){
		.party = party,
		.type = claim->type,
		.asn = claim->asn,
		.prefix = claim->prefix,
		.country = { claim->country[0], claim->country[1], 0 },
		.approved_ms = claim->approved_ms,
		.approval = claim->approval,
		.approved_by = g->approved_by,
	};
	return OK;
}

static enum err gather_claim(void *context, const struct claim *claim)
{
	return add_claim(context, claim);
}

/* Of a followed node counts what its operator approved for a party that we know too, by the same key: so that a notice to it can be
 * logged here, and is for whom that node means. */
static enum err gather_followed_claim(void *context, const struct claim *claim)
{
	struct gathering *g = context;
	struct party theirs, ours;
	enum err e = state_party(g->of, claim->party, &theirs);

	if (e == OK)
		e = state_party(g->own, claim->party, &ours);
	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	return hash_equal(theirs.fingerprint, ours.fingerprint) ? add_claim(g, claim) : OK;
}

/* A mirror that cannot be read now (never folded, being made anew, damaged until the next round) is left out: what our own operator
 * approved goes on. */
static enum err gather_mirror(void *context, const char *dir, struct span node)
{
	struct gathering *g = context;
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	if (mirror_forks(dir) > 0)
		return OK; /* nobody knows which of its histories is true */
	g->approved_by = span_make(arena_copy(g->c->arena, node.at, node.len), node.len);
	if (g->approved_by.at == NULL)
		return ERR_NO_MEMORY;
	e = mirror_open(dir, node, false, &m);
	if (e == OK && (e = mirror_read(m, g->c->arena, &st)) == OK) {
		g->of = &st;
		e = state_claims(&st, true, gather_followed_claim, g);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	if (e == ERR_NOT_FOUND || e == ERR_BUSY || e == ERR_DAMAGED) {
		fprintf(stderr, "comity: claims of %.*s are left out: %s\n", SPAN_FORMAT(node), err_detail());
		e = OK;
	}
	return e;
}

enum err cli_claims(struct cli *c, const struct state *st, struct territory_claim **out, size_t *count)
{
	struct gathering g = { .c = c, .own = st };
	enum err e = state_claims(st, true, gather_claim, &g);

	if (e == OK)
		e = mirrors_walk(c->dir, gather_mirror, &g);
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
