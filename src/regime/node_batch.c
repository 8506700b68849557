#include <assert.h>
#include <stdlib.h>

#include "regime/guest.h"
#include "regime/kinds_private.h"
#include "regime/node_private.h"
#include "regime/objects_private.h"
#include "regime/private.h"

/*
 * One batch
 *
 * While a batch is open its records gather in the journal's buffer and its folds in one transaction of the views, where
 * the next statement is checked against them. At the commit:
 *
 *   1. the journal, one fdatasync: from here on the batch happened;
 *   2. the views' transaction, with the journal's end as its position;
 *   3. the marks.
 *
 * A crash before 1 leaves nothing, one behind it is caught up at the next start. A statement that is refused has changed
 * nothing. But once the journal has taken an entry, its fold must go through: if the machine fails there, the batch can
 * only be abandoned.
 *
 * Time: `logged` never decreases, and entries of one instant are ordered public first. So an entry of the public ledger
 * behind one of the circle comes a millisecond later, and the order (logged, public first, index) is that of the journal.
 */

#define BACKWARDS_MAX_MS (INT64_C(10) * 60 * 1000)

static enum err broken(struct node *n, enum err e)
{
	if (n->broken == OK)
		n->broken = err_is_machine(e) ? e : ERR_IO;
	return e;
}

enum err node_begin(struct node *n)
{
	struct snapshot *s = NULL;
	enum err e;

	assert(n->mode == NODE_WRITE && !n->batch.open && !n->lent);
	if (n->broken != OK)
		return fail(n->broken, "%s: an earlier write failed; start again", n->dir);
	if ((e = views_write(n->views, &s)) != OK)
		return e;
	if ((e = journal_begin(n->journal)) != OK) {
		snapshot_end(s);
		return e;
	}
	n->batch = (struct batch){ .open = true, .state = node_state(n, s, n->arena), .heads = n->heads };
	n->batch.state.logged_ms = n->heads.logged_ms;
	return OK;
}

const struct state *node_batch_state(const struct node *n)
{
	assert(n->batch.open);
	return &n->batch.state;
}

static enum err next_logged(const struct heads *h, enum ledger_id l, int64_t *out)
{
	int64_t now = clock_now_ms(), least = h->logged_ms;

	if (l == LEDGER_PUBLIC && h->logged_in == LEDGER_CIRCLE && h->logged_ms > 0)
		least++;
	if (now < least - BACKWARDS_MAX_MS) {
		char last[CLOCK_TEXT];

		clock_format(h->logged_ms, last);
		return fail(ERR_LOGGED,
			    "the last entry was logged at %s, more than ten minutes ahead of the clock; set the "
			    "clock right (NTP), or wait if the entry's time was wrong",
			    last);
	}
	*out = now > least ? now : least;
	return OK;
}

static enum err journal_take(struct node *n, uint8_t kind, uint8_t ledger, const struct span *parts, size_t count,
			     uint64_t *position)
{
	for (size_t i = 0; i < count; i++)
		n->batch.bytes += parts[i].len;
	n->batch.records++;
	return journal_add(n->journal, kind, ledger, parts, count, position);
}

static enum err room_for_leaf(struct batch *b)
{
	size_t room = b->leaf_room > 0 ? 2 * b->leaf_room : 64;
	struct batch_leaf *more;

	if (b->leaf_count < b->leaf_room)
		return OK;
	if ((more = reallocarray(b->leaves, room, sizeof(*more))) == NULL)
		return ERR_NO_MEMORY;
	b->leaves = more;
	b->leaf_room = room;
	return OK;
}

/* Journal, index, fold. From the first of these on there is no way back but the whole batch's. */
static enum err enter(struct node *n, const struct statement *s, const struct guest *g, struct hash *leaf)
{
	struct batch *b = &n->batch;
	struct buffer line = BUFFER(256);
	struct span parts[2];
	uint64_t position;
	enum err e = room_for_leaf(b);

	if (e != OK)
		return e;
	if (g != NULL)
		entry_print_guest(b->state.logged_ms, g->home_ms, g->hash, SPAN(""), &line);
	else
		entry_print(b->state.logged_ms, SPAN(""), &line);
	parts[0] = buffer_view(&line);
	parts[1] = s->note.whole;
	*leaf = merkle_leaf_of(parts[0], parts[1]);
	e = line.err != OK ? line.err : journal_take(n, RECORD_ENTRY, (uint8_t)b->state.ledger, parts, 2, &position);
	buffer_free(&line);
	if (e == OK)
		e = entry_enter(&b->state, &b->heads, position, s);
	if (e == OK)
		b->leaves[b->leaf_count++] = (struct batch_leaf){ b->state.ledger, *leaf };
	b->err = e;
	return e;
}

/* Whether this note was verified by this key. */
static bool verified_holds(const struct verified *v, const struct statement *s, const struct verifier *key)
{
	const struct note_line *line = &s->note.lines[0];

	return hash_equal(v->id, s->id) && v->key.key_id == key->key_id &&
	       memcmp(v->key.public_key, key->public_key, KEY_PUBLIC_SIZE) == 0 &&
	       strcmp(v->key.name, key->name) == 0 && s->note.line_count == 1 && line->key_id == key->key_id &&
	       span_is(line->name, key->name) && line->signature.len == KEY_SIGNATURE_SIZE &&
	       memcmp(line->signature.at, v->signature, KEY_SIGNATURE_SIZE) == 0;
}

enum signature { TO_VERIFY, SIGNED_HERE };

static enum err check(const struct state *st, const struct statement *s, const struct guest *g, enum signature how,
		      const struct verified *v)
{
	struct verifier key;
	enum err e = state_check_unsigned(st, s, &key);

	if (e == OK)
		e = texts_check(s);
	if (e == OK && how == TO_VERIFY && (v == NULL || !verified_holds(v, s, &key)))
		e = note_verify(&s->note, &key, 1, NULL);
	return e == OK && g != NULL ? guest_check(st, s, g, v) : e;
}

/* g: NULL, or what proves that it is at home elsewhere. */
static enum err add(struct node *n, const struct statement *s, const struct guest *g, enum signature how,
		    const struct verified *v, struct appended *out)
{
	struct batch *b = &n->batch;
	struct hash leaf;
	struct span home;
	enum err e =
		g != NULL ? statement_home(s, &home, &b->state.ledger) : state_ledger(&b->state, s, &b->state.ledger);

	b->state.is_guest = g != NULL;
	b->state.home_ms = g != NULL ? g->home_ms : 0;
	if (e == OK)
		e = next_logged(&b->heads, b->state.ledger, &b->state.logged_ms);
	if (e != OK)
		return e;
	b->state.index = b->heads.size[b->state.ledger];
	e = check(&b->state, s, g, how, v);
	if (e == OK)
		e = enter(n, s, g, &leaf);
	if (e != OK)
		return e;
	*out = (struct appended){ b->state.ledger, b->state.index, b->state.logged_ms, s->id, leaf };
	return OK;
}

enum err node_add_statement(struct node *n, struct span note, struct appended *out)
{
	return node_add_verified(n, note, NULL, out);
}

enum err node_add_verified(struct node *n, struct span note, const struct verified *v, struct appended *out)
{
	struct statement s;
	enum err e;

	assert(n->batch.open);
	if (n->batch.err != OK)
		return n->batch.err;
	arena_reset(n->arena);
	e = statement_parse(n->arena, note, &s);
	return e == OK ? add(n, &s, NULL, TO_VERIFY, v, out) : e;
}

enum err node_add_own(struct node *n, struct statement_writer *w, struct appended *out)
{
	struct statement s;
	struct hash id;
	enum err e;

	assert(n->batch.open);
	if (n->batch.err != OK)
		return n->batch.err;
	arena_reset(n->arena);
	buffer_clear(&n->own);
	e = statement_end(w, n->party, &n->own, &id);
	if (e == OK)
		e = statement_parse(n->arena, buffer_view(&n->own), &s);
	return e == OK ? add(n, &s, NULL, SIGNED_HERE, NULL, out) : e;
}

static enum err put_body(struct node *n, const struct body_reference *ref, const struct span *parts, size_t count)
{
	struct span key = span_make(ref->hash.bytes, HASH_SIZE);
	uint64_t position;
	enum err e = ref->sealed ? ERR_NOT_FOUND : position_get(n->batch.state.snapshot, VIEW_BODIES, key, &position);

	if (e == OK)
		return OK; /* a public body may belong to several statements */
	if (e != ERR_NOT_FOUND)
		return e;
	e = journal_take(n, RECORD_BODY, 0, parts, count, &position);
	if (e == OK)
		e = position_put(n->batch.state.snapshot, VIEW_BODIES, key, position);
	n->batch.err = e;
	return e;
}

enum err node_add_body(struct node *n, const struct body_reference *ref, const uint8_t *salt, const struct span *parts,
		       size_t count)
{
	uint8_t head[1 + HASH_SIZE + SEAL_SALT_SIZE] = { salt != NULL };
	size_t head_size = salt != NULL ? sizeof(head) : 1 + HASH_SIZE;
	struct span *all;
	uint64_t size = 0;

	assert(n->batch.open && ref->sealed == (salt != NULL));
	if (n->batch.err != OK)
		return n->batch.err;
	arena_reset(n->arena);
	for (size_t i = 0; i < count; i++)
		size += parts[i].len;
	if (size != ref->size || size > BODY_MAX - sizeof(head))
		return fail(ERR_USAGE, "a body of %ju bytes, its reference says %ju", (uintmax_t)size,
			    (uintmax_t)ref->size);
	if ((all = arena_array(n->arena, count + 1, sizeof(*all))) == NULL)
		return ERR_NO_MEMORY;
	memcpy(head + 1, ref->hash.bytes, HASH_SIZE);
	if (salt != NULL)
		memcpy(head + 1 + HASH_SIZE, salt, SEAL_SALT_SIZE);
	all[0] = span_make(head, head_size);
	for (size_t i = 0; i < count; i++)
		all[i + 1] = parts[i];
	return put_body(n, ref, all, count + 1);
}

static enum err put_objects(struct node *n, const struct span *parts, size_t count, const struct body_record *body)
{
	struct batch *b = &n->batch;
	uint64_t position;
	enum err e = journal_take(n, RECORD_BODY, 0, parts, count, &position);

	if (e == OK)
		e = position_put(b->state.snapshot, VIEW_BODIES, span_make(body->hash.bytes, HASH_SIZE), position);
	return e == OK ? objects_fold(&b->state, &b->heads, body) : e;
}

enum err node_add_objects(struct node *n, const struct body_reference *ref, const uint8_t *salt, struct span index,
			  struct span payload)
{
	struct body_record body = { .hash = ref->hash, .salt = salt, .index = index, .payload = payload };
	struct buffer head = BUFFER(256);
	struct span parts[3];

	assert(n->batch.open && ref->sealed && ref->size == payload.len);
	if (n->batch.err != OK)
		return n->batch.err;
	arena_reset(n->arena);
	buffer_byte(&head, BODY_SEALED | BODY_OBJECTS);
	buffer_bytes(&head, ref->hash.bytes, HASH_SIZE);
	buffer_bytes(&head, salt, SEAL_SALT_SIZE);
	buffer_u32(&head, (uint32_t)index.len);
	parts[0] = buffer_view(&head);
	parts[1] = index;
	parts[2] = payload;
	n->batch.err = head.err != OK ? head.err : put_objects(n, parts, 3, &body);
	buffer_free(&head);
	return n->batch.err;
}

/* A pack of rows is folded by its head alone, which is the first part. */
static enum err join(struct node *n, uint8_t tag, const struct span *parts, size_t count, struct span *out)
{
	size_t size = 0, at = 0;
	char *all;

	*out = parts[0];
	if (count == 1 || tag == TAG_PACK)
		return OK;
	for (size_t i = 0; i < count; i++)
		size += parts[i].len;
	if ((all = arena_alloc(n->arena, size)) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; at += parts[i++].len)
		if (parts[i].len > 0)
			memcpy(all + at, parts[i].at, parts[i].len);
	*out = span_make(all, size);
	return OK;
}

enum err node_add_private(struct node *n, uint8_t kind, const struct span *parts, size_t count)
{
	struct batch *b = &n->batch;
	struct span payload;
	uint64_t position;
	uint8_t tag;

	assert(b->open);
	if (b->err != OK)
		return b->err;
	if (count == 0 || parts[0].len == 0 || !private_written(kind, tag = (uint8_t)parts[0].at[0]))
		return fail(ERR_USAGE, "no private record that this node writes");
	arena_reset(n->arena);
	b->err = join(n, tag, parts, count, &payload);
	if (b->err == OK)
		b->err = journal_take(n, kind, 0, parts, count, &position);
	if (b->err == OK)
		b->err = private_fold(&b->state, kind, position, payload);
	return b->err;
}

/* They become one record at the commit, so that the marks' position never stands between two of one batch. */
enum err node_add_marks(struct node *n, const struct mark *sorted, size_t count)
{
	struct batch *b = &n->batch;
	struct mark *more;

	assert(b->open);
	if (b->err != OK || count == 0)
		return b->err;
	if (count > SIZE_MAX / sizeof(*more) / 2 - b->mark_count ||
	    (more = reallocarray(b->marks, b->mark_count + count, sizeof(*more))) == NULL)
		return ERR_NO_MEMORY;
	memcpy(more + b->mark_count, sorted, count * sizeof(*more));
	b->marks = more;
	if (b->mark_count > 0)
		marks_sort(more, b->mark_count + count);
	b->mark_count += count;
	return OK;
}

static enum err put_receipt(struct node *n, const struct guest *g)
{
	uint8_t head[1 + HASH_SIZE] = { BODY_RECEIPT };
	struct span parts[2] = { span_make(head, sizeof(head)), buffer_view(&g->bare) };
	struct state_key k = key_body(g->hash, true);
	uint64_t position;
	enum err e;

	memcpy(head + 1, g->hash.bytes, HASH_SIZE);
	e = journal_take(n, RECORD_BODY, 0, parts, 2, &position);
	if (e == OK)
		e = position_put(n->batch.state.snapshot, VIEW_BODIES, key_view(&k), position);
	n->batch.err = e;
	return e;
}

enum err node_add_guest(struct node *n, struct span note, struct span receipt, struct appended *out)
{
	return node_add_guest_verified(n, note, receipt, NULL, out);
}

enum err node_add_guest_verified(struct node *n, struct span note, struct span receipt, const struct verified *v,
				 struct appended *out)
{
	struct guest g = { .bare = BUFFER(RECEIPT_TEXT_MAX) };
	struct statement s;
	enum err e;

	assert(n->batch.open);
	if (n->batch.err != OK)
		return n->batch.err;
	arena_reset(n->arena);
	e = statement_parse(n->arena, note, &s);
	if (e == OK)
		e = guest_read(n->arena, &s, receipt, &g);
	if (e == OK && (e = add(n, &s, &g, TO_VERIFY, v, out)) == OK)
		e = put_receipt(n, &g);
	buffer_free(&g.bare);
	return e;
}

static void end_batch(struct node *n)
{
	free(n->batch.leaves);
	free(n->batch.marks);
	n->batch = (struct batch){ 0 };
}

void node_abandon(struct node *n)
{
	if (!n->batch.open)
		return;
	journal_abandon(n->journal);
	snapshot_end(n->batch.state.snapshot);
	end_batch(n);
}

static enum err commit_journal(struct node *n, uint64_t *end)
{
	struct batch *b = &n->batch;
	struct span marks = span_make(b->marks, b->mark_count * sizeof(*b->marks));
	enum err e = b->err;

	if (e == OK && b->mark_count > 0)
		e = journal_add(n->journal, RECORD_MARKS, 0, &marks, 1, NULL);
	if (e == OK && (e = journal_commit(n->journal)) != OK)
		broken(n, e);
	return e == OK ? journal_end(n->journal, end) : e;
}

/* Takes the snapshot, whatever happens. */
static enum err commit_views(struct node *n, uint64_t end)
{
	struct snapshot *s = n->batch.state.snapshot;
	enum err e = heads_put(s, &n->batch.heads);

	n->batch.state.snapshot = NULL;
	if (e == OK)
		e = views_set_position(s, end);
	if (e == OK)
		return snapshot_commit(s);
	snapshot_end(s);
	return e;
}

enum err node_commit(struct node *n)
{
	struct batch *b = &n->batch;
	uint64_t end;
	enum err e;

	assert(b->open);
	if (b->err == OK && b->records == 0 && b->mark_count == 0) {
		node_abandon(n);
		return OK;
	}
	if ((e = commit_journal(n, &end)) != OK) {
		node_abandon(n);
		return e;
	}
	/* It happened. What fails from here on is made good at the next start. */
	if ((e = commit_views(n, end)) != OK) {
		end_batch(n);
		return broken(n, e);
	}
	n->heads = b->heads;
	if (b->mark_count > 0)
		e = marks_add(n->marks, b->marks, b->mark_count, end);
	else
		marks_advance(n->marks, end);
	end_batch(n);
	return e == OK ? OK : broken(n, e);
}
