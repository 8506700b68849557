/* deconflict: before a takedown, who holds what is on the list? */
#include "cli/acting.h"

#include "base/file.h"
#include "route/deconfliction.h"

#define LIST_MAX ((size_t)4 << 20)
#define ANSWERS_AT_ONCE 64

static enum err read_list(struct cli *c, struct deconflict_item **items, size_t *count)
{
	struct span text;
	enum err e = file_read(c->arena, c->operands[1], LIST_MAX, &text);

	if (e == OK && (e = deconflict_read_list(c->arena, text, items, count)) != OK)
		e = fail(e, "%s: %s", c->operands[1], err_detail());
	return e;
}

int cmd_deconflict_ask(struct cli *c)
{
	struct deconflict_item *items = NULL;
	const struct signer *key;
	struct node *n = NULL;
	struct matter plan;
	size_t count = 0, asked = 0;
	enum err e = read_list(c, &items, &count);

	if (e == OK)
		e = act_begin(c, &n);
	if (e == OK)
		e = cli_matter(c, node_batch_state(n), c->operands[0], &plan);
	if (e == OK)
		e = act_signer(c, n, &key);
	if (e == OK)
		e = deconfliction_ask(n, c->arena, key, &plan, items, count, cli_flag(c, "again"), &asked);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_number(j, "items", (int64_t)count);
		json_number(j, "asked", (int64_t)asked);
		cli_object_end(c);
	} else {
		printf("%zu items, asked of %zu node%s; what is held comes back: comity deconflict show\n", count,
		       asked, asked == 1 ? "" : "s");
	}
	return EXIT_OK;
}

int cmd_deconflict_answer(struct cli *c)
{
	struct appended last;
	struct node *n = NULL;
	size_t answered = 0;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = deconfliction_answer(n, ANSWERS_AT_ONCE, &answered, &last);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		struct json *j = cli_object(c);

		json_number(j, "answered", (int64_t)answered);
		cli_object_end(c);
	} else {
		printf("%zu request%s answered\n", answered, answered == 1 ? "" : "s");
	}
	return EXIT_OK;
}

static void show_held(struct cli *c, const struct deconflict_item *items, const struct deconfliction *d)
{
	for (size_t i = 0; i < d->held_count; i++) {
		const struct deconfliction_held *h = &d->held[i];
		const char *text = cli_addressee(c, &items[h->item].what);

		if (c->json) {
			struct json *j = cli_object(c);

			json_text(j, "item", text);
			json_string(j, "party", h->party);
			json_string(j, "contact", h->contact);
			json_string(j, "node", h->node);
			cli_object_end(c);
			continue;
		}
		cli_column(span_of(text), 40);
		cli_column(h->party, 28);
		cli_print(h->contact);
		printf("\n");
	}
}

static size_t items_held(const struct deconfliction *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->held_count; i++)
		n += i == 0 || d->held[i].item != d->held[i - 1].item;
	return n;
}

static void show_sum(struct cli *c, const struct deconfliction *d, size_t count, enum err ready, const char *why)
{
	if (c->json) {
		struct json *j = cli_object(c);

		json_number(j, "items", (int64_t)count);
		json_number(j, "held", (int64_t)items_held(d));
		json_number(j, "asked", (int64_t)d->asked);
		json_number(j, "answered", (int64_t)d->answered);
		json_number(j, "objected", (int64_t)d->objected);
		json_number(j, "silent", (int64_t)d->silent);
		json_number(j, "unread", (int64_t)d->unread);
		json_bool(j, "ready", ready == OK);
		cli_object_end(c);
		return;
	}
	printf("%zu of %zu items are held by others. %zu nodes asked, %zu answered, %zu tell nothing, %zu silent.\n",
	       items_held(d), count, d->asked, d->answered, d->objected, d->silent);
	if (d->unread > 0)
		printf("%zu answers are not to this list, or do not read.\n", d->unread);
	if (ready == OK)
		printf("The takedown may start.\n");
	else
		printf("It may not start yet: %s.\n", why);
}

int cmd_deconflict_show(struct cli *c)
{
	struct deconflict_item *items = NULL;
	struct deconfliction d = { 0 };
	struct state st = { 0 };
	struct node *n = NULL;
	struct matter plan;
	size_t count = 0;
	enum err e = read_list(c, &items, &count), ready = OK;

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = cli_matter(c, &st, c->operands[0], &plan);
		if (e == OK)
			e = deconfliction_read(n, &st, plan.id, items, count, &d);
		if (e == OK)
			ready = deconflict_ready(&st, plan.id, clock_now_ms());
		if (e == OK && ready != OK && ready != ERR_DECONFLICTION)
			e = ready;
		if (e == OK) {
			const char *why = arena_print(c->arena, "%s", err_detail());

			show_held(c, items, &d);
			show_sum(c, &d, count, ready, why != NULL ? why : "");
		}
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
