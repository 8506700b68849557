#include "cli/acting.h"

#include "regime/history.h"
#include "regime/outbox.h"

struct telling {
	struct cli *c;
	struct node *n;
	const struct state *st;
	const struct matter *m;
	struct json *j;
};

/* ---- for people ---- */

static enum err show_delivery(void *context, const struct outbox_item *i)
{
	struct telling *t = context;
	char when[CLOCK_TEXT];
	int64_t at_ms = i->done_ms != 0 ? i->done_ms : i->queued_ms;

	cli_date(at_ms, when);
	printf("  %s    to %s%s: %s", when, cli_addressee(t->c, &i->key.to),
	       i->key.way == OUTBOX_NODE ? " at its node" : " by mail", outbox_step_name(i->step));
	if (i->contact.len > 0) {
		printf(", ");
		cli_print(i->contact);
	}
	if (i->attempts > 0)
		printf(", %u attempt%s failed", i->attempts, i->attempts == 1 ? "" : "s");
	if (i->step == OUTBOX_WAITING && i->next_ms != 0) {
		cli_date(i->next_ms, when);
		printf(", next try %s", when);
	}
	if (i->detail.len > 0) {
		printf(" (");
		cli_print(i->detail);
		printf(")");
	}
	putchar('\n');
	return OK;
}

static enum err show_line(void *context, const struct history_line *l)
{
	struct telling *t = context;
	struct buffer says = BUFFER((size_t)4 * STATEMENT_MAX);
	char when[CLOCK_TEXT], hex[HASH_HEX + 1];
	enum err e;

	cli_date(l->is_guest ? l->home_ms : l->logged_ms, when);
	hash_hex(l->s.id, hex);
	history_says(t->m, l, &says);
	e = says.err;
	printf("  %s  ", when);
	cli_print(buffer_view(&says));
	printf("  %s%.12s%s\n", cli_dim(t->c), hex, cli_plain(t->c));
	buffer_free(&says);
	return e == OK ? outbox_walk(t->st, &l->s.id, show_delivery, t) : e;
}

static const char *stands(const struct matter *m)
{
	if (m->withdrawn)
		return "withdrawn";
	if (m->answered)
		return outcome_name(m->outcome);
	return "nobody has answered";
}

static void show_end(const struct matter *m)
{
	char due[CLOCK_TEXT], hex[HASH_HEX + 1];

	cli_date(m->due_ms, due);
	printf("\nIt stands: %s", stands(m));
	if (m->due_ms != 0 && m->answered_ms == 0 && !m->ended)
		printf("; an answer %s due by %s", clock_now_ms() > m->due_ms ? "was" : "is", due);
	if (m->disputed_ms != 0)
		printf("; it is disputed, so standing shows it with and without");
	if (m->passed_on_ms != 0) {
		hash_hex(m->next, hex);
		printf("; %.12s took it further", hex);
	}
	printf(".\n%s\n", HISTORY_NOTE);
}

static enum err tell(struct telling *t)
{
	char hex[HASH_HEX + 1];
	enum err e;

	hash_hex(t->m->id, hex);
	printf("%s%s %.12s%s, entry %llu of the %s ledger\n\n", cli_bold(t->c), kind_name(t->m->kind), hex,
	       cli_plain(t->c), (unsigned long long)t->m->index, ledger_name(t->m->ledger));
	e = history_walk(t->n, t->st, t->m, show_line, t);
	if (e == OK)
		show_end(t->m);
	return e;
}

/* ---- for programs ---- */

static enum err delivery_object(void *context, const struct outbox_item *i)
{
	struct json *j = ((struct telling *)context)->j;

	json_object(j, NULL);
	outbox_print(i, j);
	json_object_end(j);
	return OK;
}

static enum err deliveries_of(void *context, const struct history_line *l)
{
	struct telling *t = context;

	return outbox_walk(t->st, &l->s.id, delivery_object, t);
}

static enum err line_object(void *context, const struct history_line *l)
{
	struct telling *t = context;

	return history_print(t->m, l, t->j);
}

static enum err tell_json(struct telling *t)
{
	enum err e;

	t->j = cli_object(t->c);
	history_print_matter(t->m, t->j);
	json_array(t->j, "history");
	e = history_walk(t->n, t->st, t->m, line_object, t);
	json_array_end(t->j);
	json_array(t->j, "delivery");
	if (e == OK)
		e = history_walk(t->n, t->st, t->m, deliveries_of, t);
	json_array_end(t->j);
	json_text(t->j, "note", HISTORY_NOTE);
	if (e == OK)
		cli_object_end(t->c);
	return e;
}

int cmd_matter(struct cli *c)
{
	struct state st = { 0 };
	struct matter m;
	struct node *n = NULL;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = cli_matter(c, &st, c->operands[0], &m);
		if (e == OK) {
			struct telling t = { .c = c, .n = n, .st = &st, .m = &m };

			e = c->json ? tell_json(&t) : tell(&t);
		}
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
