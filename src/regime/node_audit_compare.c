#include <stdlib.h>

#include "base/encoding.h"
#include "regime/node_audit.h"
#include "regime/private.h"

struct comparison {
	const struct node *node;
	struct view_cursor *other;
	struct journal *journal;
	enum view view;
	uint64_t keys;
};

static enum err differs(const struct comparison *c, struct span key, const char *how)
{
	char hex[2 * 24 + 1];

	hex_encode(key.at, key.len > 24 ? 24 : key.len, hex);
	return fail(ERR_LEDGER_DIFFERS, "%s/views: view %s, key %s: %s; " AUDIT_VIEWS_ADVICE, c->node->dir,
		    view_name(c->view), hex, how);
}

static enum err must_be_live(void *context, struct span key, struct span value)
{
	struct comparison *c = context;
	struct span live;
	enum err e = view_cursor_get(c->other, key, &live);

	c->keys++;
	if (e == ERR_NOT_FOUND)
		return differs(c, key, "missing in the stored view");
	if (e == OK && !span_equal(value, live))
		return differs(c, key, "the stored value is not what the entries give");
	return e;
}

/* A body or a pack of rows that was erased gives nothing any more, but the view may still know where it was. position: the
 * eight bytes that say so. */
static enum err erased(struct comparison *c, struct span key, struct span position)
{
	struct arena *a = arena_new(BODY_MAX + 1024);
	struct reader r = reader_of(position);
	struct record record;
	enum err e = a == NULL ? ERR_NO_MEMORY : journal_read(c->journal, a, read_u64(&r), &record);

	if (e == ERR_NOT_FOUND || (e == OK && !record.erased))
		e = differs(c, key, "the journal has no such record");
	if (a != NULL)
		arena_free(a);
	return e;
}

static enum err must_be_fresh(void *context, struct span key, struct span value)
{
	struct comparison *c = context;
	struct span fresh;
	enum err e = view_cursor_get(c->other, key, &fresh);

	if (e != ERR_NOT_FOUND)
		return e;
	if (c->view == VIEW_BODIES)
		return erased(c, key, value);
	if (c->view == VIEW_OWN && key.len > 8 && key.at[0] == OWN_PACK)
		return erased(c, key, span_from(key, key.len - 8));
	return differs(c, key, "nothing in the journal gives it");
}

/* Keys come in order, so the cursor on the other side hardly ever searches. */
static enum err walk_beside(struct snapshot *s, struct snapshot *other, view_each *each, struct comparison *c)
{
	enum err e = view_cursor_open(other, c->view, &c->other);

	if (e == OK)
		e = view_walk(s, c->view, SPAN(""), SPAN(""), each, c);
	view_cursor_close(c->other);
	c->other = NULL;
	return e;
}

enum err audit_compare(const struct node *n, struct snapshot *fresh, struct snapshot *live, struct journal *j,
		       enum view v, uint64_t *keys)
{
	struct comparison c = { .node = n, .journal = j, .view = v };
	enum err e = walk_beside(fresh, live, must_be_live, &c);

	*keys = c.keys;
	return e == OK ? walk_beside(live, fresh, must_be_fresh, &c) : e;
}

static enum err open_ledger(const struct node *n, enum ledger_id l, char **dir, struct ledger_reader **out)
{
	*dir = node_path(n, "ledger/%s", ledger_name(l));
	return *dir == NULL ? ERR_NO_MEMORY : ledger_reader_open(*dir, out);
}

enum err audit_read_published(struct node *n, enum ledger_id l, struct arena *a, struct audit_published *out)
{
	struct ledger_reader *r = NULL;
	char *dir = NULL;
	struct span note;
	enum err e = open_ledger(n, l, &dir, &r);

	*out = (struct audit_published){ .root = merkle_empty() };
	if (e == OK)
		e = ledger_reader_checkpoint(r, a, &note);
	if (e == OK) {
		if ((e = checkpoint_open(a, note, &n->ledger_key[l], &out->checkpoint)) != OK && !err_is_machine(e))
			e = fail(ERR_LEDGER_DIFFERS, "%s/checkpoint: %s; move the folder away, and it is made anew",
				 dir, err_detail());
		out->there = e == OK;
		out->root_seen = out->checkpoint.size == 0;
	}
	ledger_reader_close(r);
	free(dir);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err audit_check_published(struct node *n, enum ledger_id l, struct arena *a, const struct audit_published *p)
{
	char *dir = node_path(n, "ledger/%s", ledger_name(l));
	struct span where = SPAN("");
	enum err e = dir == NULL ? ERR_NO_MEMORY : OK;

	if (e == OK && !p->root_seen)
		e = fail(ERR_LEDGER_DIFFERS, "%s/checkpoint: %ju entries, the journal has fewer", dir,
			 (uintmax_t)p->checkpoint.size);
	if (e == OK && !hash_equal(p->root, p->checkpoint.root))
		e = fail(ERR_LEDGER_DIFFERS, "%s/checkpoint: not the root of the journal's entries", dir);
	if (e == OK &&
	    (e = ledger_check(dir, p->checkpoint.size, p->root, NULL, NULL, a, &where)) == ERR_LEDGER_DIFFERS)
		e = fail(ERR_LEDGER_DIFFERS,
			 "%s/%.*s: not what the entries give; move %s away, and the next command that "
			 "writes makes it anew",
			 dir, SPAN_FORMAT(where), dir);
	free(dir);
	return e;
}
