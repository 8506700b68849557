#include "regime/node_private.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "regime/kinds_private.h"
#include "regime/objects_private.h"
#include "regime/private.h"

/*
 * From the journal to the views
 *
 * A batch is durable in the journal before the views hear of it, and the views carry the position that they reflect. So
 * at a start there are three cases:
 *
 *   1. Views at the journal's end: nothing to do.
 *   2. Views behind (a crash between the two, or views that were thrown away): the records from there on are folded, in
 *	the same way as when they came.
 *   3. Views ahead: the journal once held more than it does now. It was cut or damaged, or an older copy was put back.
 *	Nothing is folded and nothing is signed, since receipts for the lost entries are in other hands; and nothing is
 *	cut off the journal (node.c).
 *
 * The published checkpoints tell the same a second time (node_publish.c): they are never longer than the journal.
 *
 * Marks have a position of their own, since what they keep in memory is lost in a crash.
 */

/* Records in one transaction, or what is as much work. Ids and hashes of bodies fall everywhere, so each record may change
 * a page of its own; LMDB holds 131,071 changed pages before it has to write some early. */
#define CHUNK 50000

struct state node_state(const struct node *n, struct snapshot *s, struct arena *a)
{
	return (struct state){ .snapshot = s, .node = n->name, .arena = a };
}

struct state_key key_entry(enum ledger_id l, uint64_t index)
{
	struct state_key k;

	k.len = 0;
	key_add_u8(&k, (uint8_t)l);
	key_add_u64(&k, index);
	return k;
}

static void u64_bytes(uint64_t v, uint8_t out[8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

enum err position_put(struct snapshot *s, enum view v, struct span key, uint64_t position)
{
	uint8_t bytes[8];

	u64_bytes(position, bytes);
	return view_put(s, v, key, span_make(bytes, sizeof(bytes)));
}

enum err position_get(struct snapshot *s, enum view v, struct span key, uint64_t *position)
{
	struct span value;
	struct reader r;
	enum err e = view_get(s, v, key, &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	*position = read_u64(&r);
	return r.err == OK ? OK : state_damaged("position");
}

uint64_t heads_stamp(struct heads *h, int64_t logged_ms)
{
	uint64_t now = logged_ms > 0 ? (uint64_t)logged_ms * 1000 : 0;

	h->stamp = now > h->stamp ? now : h->stamp + 1;
	return h->stamp;
}

/* u64 size of each ledger, u64 logged_ms, u8 ledger of the last entry, u64 stamp */
enum err heads_put(struct snapshot *s, const struct heads *h)
{
	uint8_t bytes[8 * LEDGER_COUNT + 17];

	for (int l = 0; l < LEDGER_COUNT; l++)
		u64_bytes(h->size[l], bytes + 8 * l);
	u64_bytes((uint64_t)h->logged_ms, bytes + 8 * LEDGER_COUNT);
	bytes[8 * LEDGER_COUNT + 8] = (uint8_t)h->logged_in;
	u64_bytes(h->stamp, bytes + 8 * LEDGER_COUNT + 9);
	return view_put(s, VIEW_OWN, SPAN("heads"), span_make(bytes, sizeof(bytes)));
}

enum err heads_get(struct snapshot *s, struct heads *out)
{
	struct span value;
	struct reader r;
	enum err e = view_get(s, VIEW_OWN, SPAN("heads"), &value);

	*out = (struct heads){ 0 };
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = reader_of(value);
	for (int l = 0; l < LEDGER_COUNT; l++)
		out->size[l] = read_u64(&r);
	out->logged_ms = (int64_t)read_u64(&r);
	out->logged_in = (enum ledger_id)read_u8(&r);
	out->stamp = read_u64(&r);
	return r.err == OK && out->logged_in < LEDGER_COUNT ? OK : state_damaged("length of the ledgers");
}

enum err body_unpack(struct span record, struct body_record *out)
{
	struct reader r = reader_of(record);
	uint8_t flags = read_u8(&r);

	read_bytes(&r, out->hash.bytes, HASH_SIZE);
	out->salt = (flags & BODY_SEALED) != 0 ? (const uint8_t *)read_span(&r, SEAL_SALT_SIZE).at : NULL;
	out->index = (flags & BODY_OBJECTS) != 0 ? read_span(&r, read_u32(&r)) : SPAN("");
	out->is_receipt = flags == BODY_RECEIPT;
	out->payload = read_span(&r, reader_left(&r));
	return r.err == OK && (flags <= (BODY_SEALED | BODY_OBJECTS) || out->is_receipt)
		       ? OK
		       : fail(ERR_DAMAGED, "a body's record in the journal does not read");
}

struct state_key key_body(struct hash hash, bool is_receipt)
{
	struct state_key k = { .len = 0 };

	key_add(&k, hash.bytes, HASH_SIZE);
	if (is_receipt)
		key_add_u8(&k, BODY_RECEIPT);
	return k;
}

/* The place is that of st. */
static enum err take_place(struct state *st, struct heads *heads, uint64_t position, const struct statement *s)
{
	struct state_key k = key_entry(st->ledger, st->index);
	uint8_t value[16];
	enum err e;

	heads->size[st->ledger]++;
	heads->logged_ms = st->logged_ms;
	heads->logged_in = st->ledger;
	u64_bytes(position, value);
	u64_bytes(heads_stamp(heads, st->logged_ms), value + 8);
	e = view_put(st->snapshot, VIEW_ENTRIES, key_view(&k), span_make(value, sizeof(value)));
	if (e == OK)
		e = feeds_enter(st, s, heads->stamp);
	heads->stamp += share_stamps(s);
	return e;
}

enum err entry_enter(struct state *st, struct heads *heads, uint64_t position, const struct statement *s)
{
	enum err e = take_place(st, heads, position, s);

	if (e == OK)
		e = fold_checked(st, s);
	return e == OK ? outbox_enter(st, s) : e;
}

static enum err fold_entry(struct state *st, struct heads *heads, const struct record *r)
{
	struct statement s;
	struct entry entry;
	enum err e;

	if (r->ledger >= LEDGER_COUNT)
		return fail(ERR_DAMAGED, "the journal names ledger %u at %ju", r->ledger, (uintmax_t)r->position);
	e = entry_parse(r->payload, &entry);
	if (e == OK)
		e = statement_parse(st->arena, entry.note, &s);
	if (e == ERR_NO_MEMORY)
		return e;
	if (e != OK)
		return fail(ERR_DAMAGED, "the journal's entry at %ju does not read: %s", (uintmax_t)r->position,
			    err_detail());
	st->ledger = (enum ledger_id)r->ledger;
	st->index = heads->size[r->ledger];
	st->logged_ms = entry.logged_ms;
	st->is_guest = entry.is_guest;
	st->home_ms = entry.home_ms;
	e = take_place(st, heads, r->position, &s);
	if (e == OK)
		e = state_fold(st, &s);
	return e == OK && st->effective ? outbox_enter(st, &s) : e;
}

enum err record_fold(struct state *st, struct heads *heads, const struct record *r)
{
	struct body_record body;
	struct state_key k;
	enum err e = OK;

	switch (r->kind) {
	case RECORD_ENTRY:
		return fold_entry(st, heads, r);
	case RECORD_BODY:
		if (r->erased)
			return OK;
		e = body_unpack(r->payload, &body);
		if (e == OK) {
			k = key_body(body.hash, body.is_receipt);
			e = position_put(st->snapshot, VIEW_BODIES, key_view(&k), r->position);
		}
		if (e == OK && body.index.len > 0)
			e = objects_fold(st, heads, &body);
		return e == ERR_DAMAGED ? fail(e, "journal at %ju: %s", (uintmax_t)r->position, err_detail()) : e;
	case RECORD_RAW:
	case RECORD_PRIVATE:
		if (!r->erased)
			e = private_fold(st, r->kind, r->position, r->payload);
		return e == ERR_DAMAGED ? fail(e, "journal at %ju: %s", (uintmax_t)r->position, err_detail()) : e;
	default:
		return OK;
	}
}

struct catching {
	struct node *node;
	struct state st;
	struct heads heads;
	uint64_t views_from, marks_from;
	uint64_t weight; /* of what is in the open transaction */
};

static enum err begin_chunk(struct catching *c)
{
	enum err e = views_write(c->node->views, &c->st.snapshot);

	c->weight = 0;
	return e;
}

static enum err end_chunk(struct catching *c, uint64_t position)
{
	struct snapshot *s = c->st.snapshot;
	uint64_t version;
	enum err e = heads_put(s, &c->heads);

	if (e == OK)
		e = state_rules(&c->st, &version);
	if (e == OK && version > RULES_KNOWN)
		e = fail(ERR_RULES, "the ledger runs on rules %ju; this program knows %d", (uintmax_t)version,
			 RULES_KNOWN);
	if (e == OK)
		e = views_set_position(s, position);
	if (e != OK)
		return e;
	c->st.snapshot = NULL;
	return snapshot_commit(s);
}

static enum err catch_one(void *context, const struct record *r)
{
	struct catching *c = context;
	enum err e = OK;

	if (r->kind == RECORD_MARKS && r->position >= c->marks_from)
		e = marks_add(c->node->marks, (const struct mark *)(const void *)r->payload.at,
			      r->payload.len / MARK_SIZE, r->next);
	if (e != OK || r->position < c->views_from)
		return e;
	arena_reset(c->node->arena);
	e = record_fold(&c->st, &c->heads, r);
	c->weight += record_weight(r);
	if (e == OK && c->weight >= CHUNK && (e = end_chunk(c, r->next)) == OK)
		e = begin_chunk(c);
	return e;
}

static enum err forget_marks(struct node *n)
{
	char *path = node_path(n, "views/marks");
	struct dirent *d;
	DIR *folder;
	enum err e = OK;

	if (path == NULL)
		return ERR_NO_MEMORY;
	marks_close(n->marks);
	n->marks = NULL;
	if ((folder = opendir(path)) == NULL)
		e = fail_errno("%s", path);
	while (e == OK && (d = readdir(folder)) != NULL)
		if (d->d_name[0] != '.')
			unlinkat(dirfd(folder), d->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	if (e == OK)
		e = marks_open(path, &n->marks);
	free(path);
	return e;
}

static enum err fold_rest(struct catching *c, uint64_t end)
{
	uint64_t from = c->views_from < c->marks_from ? c->views_from : c->marks_from;
	enum err e = from < end ? journal_tail(c->node->journal, from, catch_one, c) : OK;

	if (e == OK && c->views_from < end)
		e = end_chunk(c, end);
	if (e == OK)
		marks_advance(c->node->marks, end);
	return e;
}

enum err node_catch_up(struct node *n)
{
	struct catching c = { .node = n, .st = node_state(n, NULL, n->arena) };
	uint64_t end;
	enum err e = journal_end(n->journal, &end);

	if (e == OK)
		e = begin_chunk(&c);
	if (e == OK)
		e = heads_get(c.st.snapshot, &c.heads);
	if (e == OK && (c.views_from = views_position(c.st.snapshot)) > end)
		e = journal_short(n->journal, c.views_from);
	if (e == OK && marks_position(n->marks) > end)
		e = forget_marks(n);
	if (e == OK) {
		c.marks_from = marks_position(n->marks);
		e = fold_rest(&c, end);
	}
	snapshot_end(c.st.snapshot);
	n->heads = c.heads;
	return e;
}
