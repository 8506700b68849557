#include <assert.h>

#include "regime/node_private.h"
#include "regime/objects_private.h"

/*
 * Erasing a body
 *
 * First what the views show of it, then the record. After a crash between the two nothing of it is shown any more, and the
 * body is still known, so whoever asked can ask again; views that are made anew meanwhile show it until then.
 */

static enum err forget(struct node *n, const struct body_record *body)
{
	struct snapshot *s = NULL;
	enum err e = views_write(n->views, &s);

	if (e == OK && (e = objects_forget(s, n->arena, body)) == OK)
		return snapshot_commit(s);
	snapshot_end(s);
	return e;
}

static enum err find(struct node *n, struct hash hash, uint64_t *position)
{
	struct snapshot *s = NULL;
	enum err e = views_read(n->views, &s);

	if (e == OK)
		e = position_get(s, VIEW_BODIES, span_make(hash.bytes, HASH_SIZE), position);
	snapshot_end(s);
	return e;
}

enum err node_erase_body(struct node *n, struct hash hash)
{
	struct body_record body = { .index = SPAN("") };
	struct record r;
	uint64_t position;
	struct arena *a;
	enum err e;

	assert(n->mode == NODE_WRITE && !n->batch.open);
	if ((a = arena_new(BODY_MAX + NODE_ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	arena_reset(n->arena);
	e = find(n, hash, &position);
	if (e == OK)
		e = journal_read(n->journal, a, position, &r);
	if (e == OK && !r.erased) {
		e = body_unpack(r.payload, &body);
		if (e == OK && body.index.len > 0)
			e = forget(n, &body);
		if (e == OK)
			e = journal_erase(n->journal, position);
	}
	arena_free(a);
	return e == ERR_NOT_FOUND ? fail(e, "no body of that hash") : e;
}
