/* anchor: whom this node believes where no ledger can tell. */
#include "cli/proving.h"

static const char *kind_of(enum anchor_kind k)
{
	static const char *const names[ANCHOR_COUNT] = {
		[ANCHOR_RPKI] = "rpki",
		[ANCHOR_LEGAL] = "legal",
		[ANCHOR_DNSSEC] = "dnssec",
	};

	return names[k];
}

static void show_anchor(struct cli *c, const struct anchor *a)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash_span(a->bytes), hex);
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "name", a->name);
		json_text(j, "kind", kind_of(a->kind));
		json_text(j, "sha256", hex);
		cli_object_end(c);
		return;
	}
	cli_column(span_of(a->name), 32);
	printf("%-7s sha256:%s\n", kind_of(a->kind), hex);
}

int cmd_anchor_list(struct cli *c)
{
	struct anchors *anchors = NULL;
	enum err e = proving_anchors(c, &anchors);
	size_t count = e == OK ? anchors_count(anchors) : 0;

	for (size_t i = 0; i < count; i++)
		show_anchor(c, anchors_at(anchors, i));
	anchors_free(anchors);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

static enum err change(struct cli *c, enum err (*what)(const char *dir, const char *name))
{
	const char *folder;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n); /* that there is one */

	if (e == OK)
		e = proving_folder(c, &folder);
	for (size_t i = 0; e == OK && i < c->operand_count; i++)
		e = what(folder, c->operands[i]);
	node_close(n);
	return e;
}

int cmd_anchor_add(struct cli *c)
{
	enum err e = change(c, anchors_add);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_anchor_remove(struct cli *c)
{
	enum err e = change(c, anchors_remove);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}
