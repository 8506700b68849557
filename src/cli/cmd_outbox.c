#include "cli/acting.h"

#include "regime/outbox.h"
#include "store/journal.h"

#define ROWS_PER_RECORD 128

/* The statement that an id, or the beginning of one, names. */
struct seeking {
	struct hash id;
	unsigned hits;
};

static enum err seek(void *context, struct hash id, enum kind k, enum ledger_id l, uint64_t index)
{
	struct seeking *s = context;

	(void)k;
	(void)l;
	(void)index;
	s->id = id;
	s->hits++;
	return OK;
}

static enum err seek_id(const struct state *st, const char *text, struct hash *out)
{
	struct seeking s = { .hits = 0 };
	uint8_t bytes[HASH_SIZE];
	size_t digits = strlen(text) / 2 * 2; /* an odd last digit would find too much, not too little */
	enum err e;

	if (hash_from_hex(span_of(text), out) == OK)
		return OK;
	if (strlen(text) < 8 || digits > HASH_HEX || hex_decode(span_make(text, digits), bytes, digits / 2) != OK)
		return fail(ERR_USAGE, "`%s` is no id: give all 64 hex digits or at least the first 8", text);
	e = state_find_beginning(st, span_make(bytes, digits / 2), seek, &s);
	if (e == OK && s.hits == 0)
		e = fail(ERR_NOT_FOUND, "no statement's id begins with %s", text);
	if (e == OK && s.hits > 1)
		e = fail(ERR_USAGE, "%u ids start with %s: give more digits", s.hits, text);
	*out = s.id;
	return e;
}

/* ---- list ---- */

struct listing {
	struct cli *c;
	bool all;
	uint64_t counts[2][OUTBOX_STEP_COUNT];
};

static void item_lines(struct cli *c, const struct outbox_item *i)
{
	char hex[HASH_HEX + 1], date[CLOCK_TEXT];

	hash_hex(i->id, hex);
	cli_date(i->step == OUTBOX_WAITING ? i->next_ms : i->done_ms, date);
	printf("%.12s  %s  ", hex, i->key.way == OUTBOX_MAIL ? "mail" : "node");
	cli_column(span_of(cli_addressee(c, &i->key.to)), 28);
	cli_column(span_of(outbox_step_name(i->step)), 13);
	printf("%s %s", i->step == OUTBOX_WAITING ? "next" : "  on", date);
	if (i->attempts > 0)
		printf(", failed %u times", i->attempts);
	putchar('\n');
	if (i->contact.len > 0) {
		printf("              %s", i->step == OUTBOX_WAITING ? "last tried: " : "at ");
		cli_print(i->contact);
		putchar('\n');
	}
	if (i->detail.len > 0) {
		printf("              ");
		cli_print(i->detail);
		putchar('\n');
	}
}

static enum err list_item(void *context, const struct outbox_item *i)
{
	struct listing *l = context;

	l->counts[i->key.way][i->step]++;
	if (!l->all && (i->step == OUTBOX_HANDED_OVER || i->step == OUTBOX_ARRIVED))
		return OK;
	if (l->c->json) {
		outbox_print(i, cli_object(l->c));
		cli_object_end(l->c);
	} else {
		item_lines(l->c, i);
	}
	return OK;
}

static void counts_lines(const struct listing *l)
{
	for (int way = 0; way < 2; way++) {
		printf("%s:", way == OUTBOX_MAIL ? "mail" : "nodes");
		for (int s = 0; s < OUTBOX_STEP_COUNT; s++) {
			char text[32];

			if (s == OUTBOX_BOUNCED)
				continue; /* no item stays so */
			cli_thousands(l->counts[way][s], text);
			printf("%s %s %s", s > 0 ? "," : "", text, outbox_step_name((enum outbox_step)s));
		}
		putchar('\n');
	}
}

static enum err list(struct cli *c, const struct state *st, struct listing *l)
{
	struct hash id;
	enum err e = OK;

	if (c->operand_count == 0)
		return outbox_walk(st, NULL, list_item, l);
	l->all = true;
	e = seek_id(st, c->operands[0], &id);
	return e == OK ? outbox_walk(st, &id, list_item, l) : e;
}

int cmd_outbox(struct cli *c)
{
	struct listing l = { .c = c, .all = cli_flag(c, "all") };
	struct node *n = NULL;
	struct state st;
	enum err e = node_open(c->dir, NODE_READ, &n);

	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = list(c, &st, &l);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json && c->operand_count == 0)
		counts_lines(&l);
	return EXIT_OK;
}

/* ---- retry ---- */

struct chosen {
	struct cli *c;
	struct outbox_event *events;
	size_t count, room;
	int64_t now_ms;
};

/* What was handed over or has arrived is not sent again. */
static enum err choose(void *context, const struct outbox_item *i)
{
	struct chosen *w = context;
	struct outbox_event *ev;
	char *domain = NULL;

	if (i->step == OUTBOX_HANDED_OVER || i->step == OUTBOX_ARRIVED)
		return OK;
	if (w->count == w->room) {
		size_t room = w->room == 0 ? 64 : 2 * w->room;
		struct outbox_event *more = arena_array(w->c->arena, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		if (w->count > 0)
			memcpy(more, w->events, w->count * sizeof(*more));
		w->events = more;
		w->room = room;
	}
	if (i->key.to.type == TO_PARTY &&
	    (domain = arena_copy(w->c->arena, i->key.to.domain.at, i->key.to.domain.len)) == NULL)
		return ERR_NO_MEMORY;
	ev = &w->events[w->count++];
	*ev = (struct outbox_event){ .key = i->key, .step = OUTBOX_WAITING, .at_ms = w->now_ms, .next_ms = w->now_ms };
	if (domain != NULL)
		ev->key.to.domain = span_make(domain, i->key.to.domain.len);
	return OK;
}

static enum err choose_all(struct cli *c, const struct state *st, struct chosen *w)
{
	struct hash id;
	enum err e;

	if (c->operand_count == 0)
		return cli_flag(c, "all") ? outbox_walk(st, NULL, choose, w)
					  : fail(ERR_USAGE, "name a statement's id, or say --all");
	e = seek_id(st, c->operands[0], &id);
	return e == OK ? outbox_walk(st, &id, choose, w) : e;
}

static enum err record(struct node *n, const struct chosen *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < w->count; i += ROWS_PER_RECORD) {
		struct buffer b = BUFFER(1 << 20);
		struct span part;

		outbox_write(&b, w->events + i, w->count - i < ROWS_PER_RECORD ? w->count - i : ROWS_PER_RECORD);
		part = buffer_view(&b);
		e = b.err != OK ? b.err : node_add_private(n, RECORD_PRIVATE, &part, 1);
		buffer_free(&b);
	}
	return e;
}

int cmd_outbox_retry(struct cli *c)
{
	struct chosen w = { .c = c, .now_ms = clock_now_ms() };
	struct node *n = NULL;
	enum err e = act_begin(c, &n);

	if (e == OK)
		e = choose_all(c, node_batch_state(n), &w);
	if (e == OK)
		e = record(n, &w);
	e = act_end(n, e);
	if (e != OK)
		return cli_fail(c, e);
	if (c->json) {
		json_number(cli_object(c), "waiting", (int64_t)w.count);
		cli_object_end(c);
	} else {
		printf("%zu set waiting; they are due now.\n", w.count);
	}
	return EXIT_OK;
}
