#include "cli/reading.h"

enum err reading_own(struct cli *c, struct reading *out)
{
	enum err e;

	*out = (struct reading){ 0 };
	e = node_open(c->dir, NODE_READ, &out->n);
	return e == OK ? node_read(out->n, c->arena, &out->st) : e;
}

enum err reading_mirror(struct cli *c, const char *dir, struct span node, struct reading *out)
{
	enum err e;

	*out = (struct reading){ .dir = arena_print(c->arena, "%s", dir) };
	e = out->dir != NULL ? mirror_open(out->dir, node, false, &out->mirror) : ERR_NO_MEMORY;
	return e == OK ? mirror_read(out->mirror, c->arena, &out->st) : e;
}

enum err reading_begin(struct cli *c, struct reading *out)
{
	const char *whose = cli_option(c, "ledger"), *dir;

	*out = (struct reading){ 0 };
	if (whose == NULL)
		return reading_own(c, out);
	if (!span_is_domain(span_of(whose)))
		return fail(ERR_USAGE, "--ledger wants the name of a node");
	dir = arena_print(c->arena, "%s/followed/%s", c->dir, whose);
	return dir != NULL ? reading_mirror(c, dir, span_of(whose), out) : ERR_NO_MEMORY;
}

void reading_end(struct reading *r)
{
	snapshot_end(r->st.snapshot);
	node_close(r->n);
	mirror_close(r->mirror);
	*r = (struct reading){ 0 };
}
