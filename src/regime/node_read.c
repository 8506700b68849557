#include <assert.h>
#include <stdlib.h>

#include "regime/guest.h"

enum err node_read(struct node *n, struct arena *a, struct state *out)
{
	struct snapshot *s = NULL;
	struct heads h;
	enum err e = views_read(n->views, &s);

	if (e == OK)
		e = heads_get(s, &h);
	if (e != OK) {
		snapshot_end(s);
		return e;
	}
	*out = node_state(n, s, a);
	out->logged_ms = h.logged_ms;
	return OK;
}

/* The record whose position stands under this key. */
static enum err read_at(struct node *n, struct arena *a, enum view v, struct span key, struct record *out)
{
	struct snapshot *s = NULL;
	uint64_t position;
	enum err e = views_read(n->views, &s);

	if (e == OK)
		e = position_get(s, v, key, &position);
	snapshot_end(s);
	if (e == OK && (e = journal_read(n->journal, a, position, out)) == ERR_NOT_FOUND)
		e = fail(ERR_DAMAGED, "%s: the views name position %ju, where the journal has no record", n->dir,
			 (uintmax_t)position);
	return e;
}

enum err node_entry(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *entry)
{
	struct state_key k = key_entry(l, index);
	struct record r;
	enum err e = read_at(n, a, VIEW_ENTRIES, key_view(&k), &r);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "no entry %ju in the %s ledger", (uintmax_t)index, ledger_name(l));
	if (e == OK)
		*entry = r.payload;
	return e;
}

enum err node_find(struct node *n, struct hash id, enum ledger_id *l, uint64_t *index)
{
	struct state st;
	enum err e = node_read(n, n->arena, &st);

	if (e != OK)
		return e;
	e = state_find(&st, id, l, index);
	snapshot_end(st.snapshot);
	return e;
}

enum err node_body(struct node *n, struct arena *a, struct hash hash, const uint8_t **salt, struct span *payload)
{
	struct body_record body;
	struct record r;
	enum err e = read_at(n, a, VIEW_BODIES, span_make(hash.bytes, HASH_SIZE), &r);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "no body of that hash");
	if (e == OK && r.erased)
		return fail(ERR_NOT_FOUND, "the body was erased");
	if (e == OK)
		e = body_unpack(r.payload, &body);
	if (e == OK && !hash_equal(body.hash, hash))
		e = fail(ERR_DAMAGED, "%s: the views name another body at %ju", n->dir, (uintmax_t)r.position);
	if (e == OK) {
		*salt = body.salt;
		*payload = body.payload;
	}
	return e;
}

enum err node_private(struct node *n, struct arena *a, uint64_t position, struct span *payload)
{
	struct record r;
	enum err e = journal_read(n->journal, a, position, &r);

	if (e == OK && ((r.kind != RECORD_PRIVATE && r.kind != RECORD_RAW) || r.erased))
		e = fail(ERR_NOT_FOUND, r.erased ? "the record was erased" : "no private record stands there");
	if (e == OK)
		*payload = r.payload;
	return e;
}

static enum err restore(struct node *n, struct arena *a, const struct entry *entry, struct span *receipt)
{
	struct buffer extra = BUFFER(STATEMENT_MAX + 256), text = BUFFER(RECEIPT_TEXT_MAX);
	struct snapshot *s = NULL;
	struct receipt r;
	struct span bare;
	const char *copy = NULL;
	enum err e = views_read(n->views, &s);

	if (e == OK)
		e = guest_bare(n, s, a, entry->receipt, &bare);
	snapshot_end(s);
	if (e == OK)
		e = guest_restore(a, entry, bare, &extra, &r);
	if (e == OK) {
		receipt_print(&r, &text);
		e = text.err;
	}
	if (e == OK && (copy = arena_copy(a, text.at, text.len)) == NULL)
		e = ERR_NO_MEMORY;
	*receipt = span_make(copy, text.len);
	buffer_free(&extra);
	buffer_free(&text);
	return e;
}

enum err node_guest_receipt(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt)
{
	struct entry entry;
	struct span text;
	enum err e = node_entry(n, a, l, index, &text);

	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK && !entry.is_guest)
		e = fail(ERR_NOT_FOUND, "entry %ju of the %s ledger is at home here", (uintmax_t)index, ledger_name(l));
	return e == OK ? restore(n, a, &entry, receipt) : e;
}

struct node_receipts {
	struct ledger_reader *reader;
	struct arena *arena; /* holds the checkpoint */
	struct span note;
	uint64_t size;
};

void node_receipts_close(struct node_receipts *r)
{
	if (r == NULL)
		return;
	ledger_reader_close(r->reader);
	if (r->arena != NULL)
		arena_free(r->arena);
	free(r);
}

enum err node_receipts_open(struct node *n, enum ledger_id l, struct node_receipts **out)
{
	struct node_receipts *r = calloc(1, sizeof(*r));
	char *dir = node_path(n, "ledger/%s", ledger_name(l));
	struct checkpoint c;
	enum err e = ERR_NO_MEMORY;

	if (r != NULL && dir != NULL && (r->arena = arena_new(RECEIPT_TEXT_MAX)) != NULL)
		e = ledger_reader_open(dir, &r->reader);
	if (e == OK)
		e = ledger_reader_checkpoint(r->reader, r->arena, &r->note);
	if (e == OK)
		e = checkpoint_open(r->arena, r->note, &n->ledger_key[l], &c);
	free(dir);
	if (e != OK) {
		node_receipts_close(r);
		return e;
	}
	r->size = c.size;
	ledger_reader_set_size(r->reader, c.size);
	*out = r;
	return OK;
}

enum err node_receipts_make(struct node_receipts *r, uint64_t index, struct receipt *out)
{
	*out = (struct receipt){ .index = index, .checkpoint_note = r->note };
	if (index >= r->size)
		return fail(ERR_NOT_FOUND, "entry %ju is not yet under the published checkpoint of %ju",
			    (uintmax_t)index, (uintmax_t)r->size);
	return merkle_inclusion(index, r->size, ledger_reader_fetch, r->reader, &out->proof);
}

enum err node_receipt(struct node *n, struct arena *a, enum ledger_id l, uint64_t index, struct span *receipt)
{
	struct buffer text = BUFFER(RECEIPT_TEXT_MAX);
	struct node_receipts *r = NULL;
	struct receipt made;
	const char *copy;
	enum err e = node_receipts_open(n, l, &r);

	if (e == OK && (e = node_receipts_make(r, index, &made)) == OK) {
		receipt_print(&made, &text);
		e = text.err;
	}
	if (e == OK) {
		copy = arena_copy(a, text.at, text.len);
		*receipt = span_make(copy, text.len);
		e = copy != NULL ? OK : ERR_NO_MEMORY;
	}
	node_receipts_close(r);
	buffer_free(&text);
	return e;
}
