#include <assert.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/file.h"
#include "regime/node_private.h"

#define TICK_MS (INT64_C(60) * 60 * 1000)

static enum err fetch_checkpoint(struct node *n, enum ledger_id l, const char *dir)
{
	struct publication *p = &n->publications[l];
	struct ledger_reader *r = NULL;
	struct span note;
	enum err e = ledger_reader_open(dir, &r);

	if (e == OK)
		e = ledger_reader_checkpoint(r, n->arena, &note);
	if (e == OK && (e = checkpoint_open(n->arena, note, &n->ledger_key[l], &p->last)) == OK)
		p->published = true;
	else if (e != OK && e != ERR_NOT_FOUND && !err_is_machine(e))
		e = fail(e, "%s/checkpoint: %s; move the folder away, and it is made anew", dir, err_detail());
	ledger_reader_close(r);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Where the entries begin that the publisher has not seen. */
static enum err find_next(struct node *n, enum ledger_id l, uint64_t fed)
{
	struct state_key k = key_entry(l, fed);
	struct snapshot *s = NULL;
	enum err e =
		fed < n->heads.size[l] ? views_read(n->views, &s) : journal_end(n->journal, &n->publications[l].next);

	if (e == OK && s != NULL)
		e = position_get(s, VIEW_ENTRIES, key_view(&k), &n->publications[l].next);
	snapshot_end(s);
	return e == ERR_NOT_FOUND ? state_damaged("ledger with a hole") : e;
}

static enum err open_one(struct node *n, enum ledger_id l)
{
	struct publication *p = &n->publications[l];
	char *dir = node_path(n, "ledger/%s", ledger_name(l));
	uint64_t fed;
	enum err e = dir == NULL ? ERR_NO_MEMORY : fetch_checkpoint(n, l, dir);

	/* A circle's entries are not for everyone on this machine. */
	if (e == OK && !file_exists(dir))
		e = folder_make(dir, l == LEDGER_CIRCLE ? 0700 : 0755);

	if (e == OK && p->published && p->last.size > n->heads.size[l])
		e = fail(ERR_LEDGER_DIFFERS,
			 "%s: %ju entries were published, the journal has %ju: it was cut or an older "
			 "copy was put back",
			 dir, (uintmax_t)p->last.size, (uintmax_t)n->heads.size[l]);
	fed = p->published ? p->last.size : 0;
	if (e == OK && (e = publisher_open(dir, fed, &p->publisher)) == ERR_TILE) {
		/* Lost or changed tiles are written again; the publisher refuses to end in another root. */
		fed = 0;
		p->published = false;
		e = publisher_open(dir, 0, &p->publisher);
	}
	free(dir);
	arena_reset(n->arena);
	return e == OK ? find_next(n, l, fed) : e;
}

void node_close_publications(struct node *n)
{
	for (int l = 0; l < LEDGER_COUNT; l++) {
		publisher_close(n->publications[l].publisher);
		n->publications[l] = (struct publication){ 0 };
	}
}

enum err node_open_publications(struct node *n)
{
	enum err e = OK;

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = open_one(n, (enum ledger_id)l);
	return e;
}

struct feeding {
	struct node *node;
	uint64_t end;
	bool reached;
};

static enum err feed_one(void *context, const struct record *r)
{
	struct feeding *f = context;
	struct node *n = f->node;

	if (r->position >= f->end) {
		f->reached = true;
		return ERR_EMPTY; /* ends the walk */
	}
	if (r->kind != RECORD_ENTRY || r->ledger >= LEDGER_COUNT || r->position < n->publications[r->ledger].next)
		return OK;
	return publisher_add(n->publications[r->ledger].publisher, r->payload);
}

/* Both ledgers in one walk over the journal. */
static enum err feed(struct node *n, uint64_t end)
{
	struct feeding f = { .node = n, .end = end };
	uint64_t from = UINT64_MAX;
	enum err e = OK;

	for (int l = 0; l < LEDGER_COUNT; l++)
		if (n->publications[l].next < from)
			from = n->publications[l].next;
	if (from < end && (e = journal_tail(n->journal, from, feed_one, &f)) == ERR_EMPTY && f.reached)
		e = OK;
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		n->publications[l].next = end;
	return e;
}

static enum err publish_note(struct node *n, enum ledger_id l, uint64_t size, struct hash root, struct span note)
{
	struct publication *p = &n->publications[l];
	const struct frontier *f = publisher_frontier(p->publisher);
	enum err e;

	if (f->size != size || !hash_equal(frontier_root(f), root))
		return fail(ERR_LEDGER_DIFFERS,
			    "%.*s: the journal's %ju entries have another root than was signed for %ju",
			    SPAN_FORMAT(n->origin[l]), (uintmax_t)f->size, (uintmax_t)size);
	e = publisher_publish(p->publisher, note);
	if (e == OK) {
		p->published = true;
		p->last = (struct checkpoint){ .origin = n->origin[l], .size = size, .root = root };
	}
	return e;
}

static bool is_published(const struct node *n, enum ledger_id l, uint64_t size, struct hash root)
{
	const struct publication *p = &n->publications[l];

	return p->published && p->last.size == size && hash_equal(p->last.root, root);
}

static enum err publish_one(struct node *n, enum ledger_id l)
{
	struct publication *p = &n->publications[l];
	const struct frontier *f = publisher_frontier(p->publisher);
	struct checkpoint c = { .origin = n->origin[l], .size = f->size, .root = frontier_root(f) };
	struct buffer note = BUFFER(4096);
	enum err e;

	if (is_published(n, l, c.size, c.root))
		return OK;
	if (c.size != n->heads.size[l])
		return fail(ERR_LEDGER_DIFFERS, "%.*s: the journal has %ju entries, the views %ju",
			    SPAN_FORMAT(c.origin), (uintmax_t)c.size, (uintmax_t)n->heads.size[l]);
	e = checkpoint_sign(&c, n->ledger_signer[l], &note);
	if (e == OK)
		e = publish_note(n, l, c.size, c.root, buffer_view(&note));
	buffer_free(&note);
	return e;
}

enum err node_publish_reached(struct node *n, const struct reached *r)
{
	enum err e = feed(n, r->end);

	for (int l = 0; e == OK && l < LEDGER_COUNT; l++) {
		const struct signed_checkpoint *c = &r->ledgers[l];

		if (c->length > 0 && !is_published(n, (enum ledger_id)l, c->size, c->root))
			e = publish_note(n, (enum ledger_id)l, c->size, c->root, span_make(c->note, c->length));
	}
	return e;
}

enum err node_publish(struct node *n)
{
	uint64_t end;
	enum err e;

	assert(n->mode == NODE_WRITE && !n->batch.open && !n->lent);
	if (n->broken != OK)
		return fail(n->broken, "%s: an earlier write failed; start again", n->dir);
	if ((e = journal_end(n->journal, &end)) == OK)
		e = feed(n, end);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = publish_one(n, (enum ledger_id)l);
	if (e != OK) /* the publishers no longer know what is on disk */
		n->broken = err_is_machine(e) ? e : ERR_IO;
	return e;
}

/* ---- ticks ---- */

enum err node_add_tick(struct node *n, const struct checkpoint published[LEDGER_COUNT], struct appended *out)
{
	struct statement_writer w = { 0 };
	enum err e;

	statement_begin(&w, KIND_TICK, n->origin[LEDGER_PUBLIC], &n->party_key);
	statement_add_time(&w, "date", clock_now_ms());
	for (int l = 0; l < LEDGER_COUNT; l++) {
		const struct checkpoint *c = &published[l];
		struct buffer value = BUFFER(1024);

		buffer_span(&value, n->origin[l]);
		buffer_byte(&value, ' ');
		buffer_decimal(&value, c->size);
		buffer_byte(&value, ' ');
		base64_append(&value, c->root.bytes, HASH_SIZE);
		statement_add_buffer(&w, "checkpoint", &value);
	}
	e = node_add_own(n, &w, out);
	statement_writer_free(&w);
	return e;
}

enum err node_tick_due(const struct state *st, bool *due)
{
	struct tick last = { 0 };
	enum err e = state_tick(st, &last);

	*due = e == ERR_NOT_FOUND || clock_now_ms() - last.logged_ms >= TICK_MS;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err tick_due(struct node *n, bool *due)
{
	struct state st;
	enum err e = node_read(n, n->arena, &st);

	if (e != OK)
		return e;
	e = node_tick_due(&st, due);
	snapshot_end(st.snapshot);
	return e;
}

enum err node_tick(struct node *n, bool force)
{
	struct checkpoint published[LEDGER_COUNT];
	struct appended tick;
	bool due = force;
	enum err e = force ? OK : tick_due(n, &due);

	if (e != OK || !due)
		return e;
	if ((e = node_publish(n)) != OK || (e = node_begin(n)) != OK)
		return e;
	for (int l = 0; l < LEDGER_COUNT; l++)
		published[l] = n->publications[l].last;
	if ((e = node_add_tick(n, published, &tick)) != OK) {
		node_abandon(n);
		return e;
	}
	e = node_commit(n);
	return e == OK ? node_publish(n) : e;
}
