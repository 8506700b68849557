#include "cli/reading.h"

enum err reading_begin(struct cli *c, struct reading *out)
{
	const char *whose = cli_option(c, "ledger"), *path;
	enum err e;

	*out = (struct reading){ 0 };
	if (whose == NULL) {
		e = node_open(c->dir, NODE_READ, &out->n);
		return e == OK ? node_read(out->n, c->arena, &out->st) : e;
	}
	if (!span_is_domain(span_of(whose)))
		return fail(ERR_USAGE, "--ledger wants the name of a node");
	path = arena_print(c->arena, "%s/followed/%s", c->dir, whose);
	e = path != NULL ? mirror_open(path, span_of(whose), false, &out->mirror) : ERR_NO_MEMORY;
	return e == OK ? mirror_read(out->mirror, c->arena, &out->st) : e;
}

void reading_end(struct reading *r)
{
	snapshot_end(r->st.snapshot);
	node_close(r->n);
	mirror_close(r->mirror);
	*r = (struct reading){ 0 };
}
