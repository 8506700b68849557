/*
 * A share's body into the views
 *
 * A thousand objects of one share go in as three sorted runs: rows in the order of stamps, keys of ids, keys of types. So
 * LMDB mostly stays on its page, and only the ids, which fall everywhere, cost a page each.
 *
 * Most ids are new, and one look in each lane that is in use says so. Where the id is there already, what the other rows
 * say about each other is put right:
 *
 *	superseded	only the newest of each lane can be anybody's latest. So at most one row of each lane has another
 *			value than 0, and it is set from the newest of the other lanes.
 *	hidden		the same version in a laxer lane.
 *
 * Nothing is parsed here but the index, and no index may do worse than to be refused.
 */
#include <stdlib.h>

#include "base/encoding.h"
#include "regime/objects_private.h"

struct folding {
	struct object_index index;
	struct object_keys keys;
	struct view_cursor *rows;
	struct object_item *items;
	uint64_t base; /* item i has the stamp base + 1 + i */
	struct buffer value;
	struct counts {
		uint64_t rows, deletions;
	} counts;
};

#define COUNTS_KEY SPAN("#")
#define VALUE_MAX (BODY_MAX + 4096)

/* ---- counts ---- */

static enum err counts_read(struct span value, struct counts *out)
{
	struct reader r = reader_of(value);

	out->rows = read_u64(&r);
	out->deletions = read_u64(&r);
	return r.err == OK ? OK : objects_damaged("their count");
}

static enum err counts_get(struct snapshot *s, struct counts *out)
{
	struct span value;
	enum err e = view_get(s, VIEW_OBJECT_KEYS, COUNTS_KEY, &value);

	*out = (struct counts){ 0 };
	return e == OK ? counts_read(value, out) : e == ERR_NOT_FOUND ? OK : e;
}

/* Behind the cursors: they are closed by now. */
static enum err counts_put(struct snapshot *s, struct folding *f)
{
	if (f->counts.rows == 0 && f->counts.deletions == 0) {
		enum err e = view_delete(s, VIEW_OBJECT_KEYS, COUNTS_KEY);

		return e == ERR_NOT_FOUND ? OK : e;
	}
	buffer_clear(&f->value);
	buffer_u64(&f->value, f->counts.rows);
	buffer_u64(&f->value, f->counts.deletions);
	return f->value.err != OK ? f->value.err : view_put(s, VIEW_OBJECT_KEYS, COUNTS_KEY, buffer_view(&f->value));
}

enum err objects_count(struct snapshot *s, uint64_t *rows, uint64_t *deleted)
{
	struct counts c;
	enum err e = counts_get(s, &c);

	*rows = c.rows;
	*deleted = c.deletions;
	return e;
}

/* ---- beginning and end ---- */

static enum err folding_begin(struct folding *f, struct snapshot *s, struct arena *a, const struct body_record *body)
{
	enum err e = index_open(body, &f->index);

	f->value = BUFFER(VALUE_MAX);
	if (e == OK && (f->items = arena_array(a, f->index.count, sizeof(*f->items))) == NULL)
		e = ERR_NO_MEMORY;
	for (uint32_t i = 0; e == OK && i < f->index.count; i++)
		e = index_next(&f->index, &f->items[i]);
	if (e == OK)
		e = counts_get(s, &f->counts);
	if (e == OK)
		e = keys_open(&f->keys, s, &f->index.collection);
	return e == OK ? view_cursor_open(s, VIEW_OBJECTS, &f->rows) : e;
}

static enum err folding_end(struct folding *f, struct snapshot *s, enum err e)
{
	keys_close(&f->keys);
	view_cursor_close(f->rows);
	if (e == OK)
		e = counts_put(s, f);
	buffer_free(&f->value);
	return e;
}

static enum err add_new(struct view_cursor *c, struct object_key key, struct span value)
{
	struct span old;
	enum err e = view_cursor_add(c, object_key_view(&key), value, &old);

	return e == ERR_EXISTS ? fail(ERR_DAMAGED, "a shared object stands there twice") : e;
}

static void key_value(uint64_t stamp, bool hidden, uint8_t out[9])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(stamp >> (56 - 8 * i));
	out[8] = hidden;
}

/* ---- what rows say about each other ---- */

/* One byte of a row's head. */
static enum err set_row(struct folding *f, enum tlp lane, uint64_t stamp, size_t at, uint8_t byte)
{
	struct object_key k = key_stamp(&f->index.collection, lane, ROW_OBJECT, stamp);
	struct span value;
	enum err e = view_cursor_get(f->rows, object_key_view(&k), &value);

	if (e == ERR_NOT_FOUND || (e == OK && value.len <= at))
		return fail(ERR_DAMAGED, "a shared object's row is missing");
	if (e != OK || (uint8_t)value.at[at] == byte)
		return e;
	buffer_clear(&f->value);
	buffer_span(&f->value, value);
	if (f->value.err != OK)
		return f->value.err;
	f->value.at[at] = (char)byte;
	return view_cursor_replace(f->rows, object_key_view(&k), buffer_view(&f->value));
}

/* From the newest rows of all lanes. */
static enum err settle_superseded(struct folding *f, struct span id)
{
	struct key_found newest[TLP_COUNT];
	enum err e = OK;

	for (int l = 0; e == OK && l < TLP_COUNT; l++)
		e = keys_newest(&f->keys, (enum tlp)l, id, SPECS_ALL, false, &newest[l]);
	for (int l = 0; e == OK && l < TLP_COUNT; l++) {
		uint8_t superseded = NEVER_SUPERSEDED;

		if (!newest[l].there)
			continue;
		for (int o = TLP_COUNT - 1; o >= 0; o--)
			if (newest[o].there &&
			    span_compare(instant_view(&newest[o].version), instant_view(&newest[l].version)) > 0)
				superseded = o < l ? 0 : (uint8_t)o;
		e = set_row(f, (enum tlp)l, newest[l].stamp, ROW_SUPERSEDED_AT, superseded);
	}
	return e;
}

static enum err set_hidden(struct folding *f, struct span id, struct span version, const struct key_found *k,
			   bool hidden)
{
	struct object_key key = key_version(&f->index.collection, k->lane, id, k->spec, version);
	uint8_t value[9];
	struct span old;
	enum err e;

	if (k->hidden == hidden)
		return OK;
	key_value(k->stamp, hidden, value);
	e = view_cursor_get(f->keys.cursor, object_key_view(&key), &old);
	if (e == OK)
		e = view_cursor_replace(f->keys.cursor, object_key_view(&key), span_make(value, sizeof(value)));
	return e == OK ? set_row(f, k->lane, k->stamp, ROW_HIDDEN_AT, hidden) : e;
}

/* Of the rows of one version only that in the laxest lane is seen. */
static enum err settle_hidden(struct folding *f, struct span id, struct span version)
{
	bool laxer = false;
	enum err e = OK;

	for (int l = 0; e == OK && l < TLP_COUNT; l++) {
		struct key_found k;

		e = keys_exact(&f->keys, (enum tlp)l, id, version, &k);
		if (e == OK && k.there) {
			e = set_hidden(f, id, version, &k, laxer);
			laxer = true;
		}
	}
	return e;
}

/* ---- adding ---- */

static int by_id(const void *a, const void *b)
{
	const struct object_item *x = *(const struct object_item *const *)a;
	const struct object_item *y = *(const struct object_item *const *)b;
	int order = (int)x->tlp - (int)y->tlp;

	if (order == 0)
		order = span_compare(x->id, y->id);
	if (order == 0)
		order = (int)x->spec - (int)y->spec;
	return order != 0 ? order : span_compare(x->version, y->version);
}

static int by_type(const void *a, const void *b)
{
	const struct object_item *x = *(const struct object_item *const *)a;
	const struct object_item *y = *(const struct object_item *const *)b;
	int order = (int)x->tlp - (int)y->tlp;

	if (order == 0)
		order = span_compare(x->type, y->type);
	return order != 0 ? order : (x > y) - (x < y);
}

static uint64_t stamp_of(const struct folding *f, const struct object_item *item)
{
	return f->base + 1 + (uint64_t)(item - f->items);
}

static enum err add_rows(struct folding *f, enum tlp lane)
{
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < f->index.count; i++) {
		if (f->items[i].tlp != lane || f->items[i].unseen)
			continue;
		buffer_clear(&f->value);
		row_write(&f->value, &f->items[i], &f->index.share);
		e = f->value.err;
		if (e == OK)
			e = add_new(f->rows, key_stamp(&f->index.collection, lane, ROW_OBJECT, f->base + 1 + i),
				    buffer_view(&f->value));
	}
	return e;
}

static enum err known_anywhere(struct folding *f, struct span id, bool *yes)
{
	enum err e = OK;

	*yes = false;
	for (int l = 0; e == OK && !*yes && l < TLP_COUNT; l++)
		e = keys_known(&f->keys, (enum tlp)l, id, yes);
	return e;
}

static enum err put_key(struct folding *f, const struct object_item *i)
{
	uint8_t value[9];

	f->keys.used[i->tlp] = true;
	key_value(stamp_of(f, i), false, value);
	return add_new(f->keys.cursor, key_version(&f->index.collection, i->tlp, i->id, i->spec, i->version),
		       span_make(value, sizeof(value)));
}

static enum err add_version(struct folding *f, const struct object_item *i)
{
	struct key_found before, now;
	enum err e = keys_exact(&f->keys, i->tlp, i->id, i->version, &before);

	if (e == OK && before.there)
		return fail(ERR_DAMAGED, "a shared object stands there twice");
	if (e == OK)
		e = keys_newest(&f->keys, i->tlp, i->id, SPECS_ALL, false, &before);
	if (e == OK)
		e = put_key(f, i);
	if (e == OK)
		e = keys_newest(&f->keys, i->tlp, i->id, SPECS_ALL, false, &now);
	if (e == OK && before.there) { /* one of the two is not the newest of its lane */
		uint64_t older = now.stamp == stamp_of(f, i) ? before.stamp : stamp_of(f, i);

		e = set_row(f, i->tlp, older, ROW_SUPERSEDED_AT, 0);
	}
	if (e == OK)
		e = settle_superseded(f, i->id);
	return e == OK ? settle_hidden(f, i->id, i->version) : e;
}

static enum err add_all(struct folding *f, struct object_item **order)
{
	uint32_t count = 0;
	bool known;
	enum err e = OK;

	for (int l = 0; e == OK && l < TLP_COUNT; l++)
		e = add_rows(f, (enum tlp)l);
	for (uint32_t i = 0; i < f->index.count; i++)
		if (!f->items[i].unseen)
			order[count++] = &f->items[i];
	qsort(order, count, sizeof(*order), by_id);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		e = known_anywhere(f, order[i]->id, &known);
		if (e == OK)
			e = known ? add_version(f, order[i]) : put_key(f, order[i]);
	}
	qsort(order, count, sizeof(*order), by_type);
	for (uint32_t i = 0; e == OK && i < count; i++)
		e = add_new(f->keys.cursor,
			    key_typed(&f->index.collection, order[i]->tlp, order[i]->type, stamp_of(f, order[i])),
			    SPAN(""));
	f->counts.rows += count;
	return e;
}

/* ---- taking away ---- */

static enum err drop(struct view_cursor *c, struct object_key key)
{
	struct span value;
	enum err e = view_cursor_get(c, object_key_view(&key), &value);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_DAMAGED, "a shared object's key is missing");
	return e == OK ? view_cursor_delete(c) : e;
}

/* Where it is not there (its body was erased), there is nothing to do. share: only a row of that one; NULL: of any. */
static enum err drop_row(struct folding *f, const struct object_item *i, const struct hash *share)
{
	const struct collection_id *c = &f->index.collection;
	struct key_found k;
	struct object_key row;
	struct stored_row r;
	struct span value;
	enum err e = keys_exact(&f->keys, i->tlp, i->id, i->version, &k);

	if (e != OK || !k.there)
		return e;
	row = key_stamp(c, i->tlp, ROW_OBJECT, k.stamp);
	e = view_cursor_get(f->rows, object_key_view(&row), &value);
	if (e == OK)
		e = row_read(value, &r);
	if (e != OK || (share != NULL && !hash_equal(r.share, *share)))
		return e == ERR_NOT_FOUND ? objects_damaged("a key") : e;
	e = drop(f->keys.cursor, key_typed(c, i->tlp, r.type, k.stamp));
	if (e == OK)
		e = drop(f->keys.cursor, key_version(c, i->tlp, i->id, k.spec, i->version));
	if (e == OK)
		e = drop(f->rows, row);
	f->counts.rows -= f->counts.rows > 0;
	if (e == OK)
		e = settle_superseded(f, i->id);
	return e == OK ? settle_hidden(f, i->id, i->version) : e;
}

static enum err delete_all(struct folding *f)
{
	const struct collection_id *c = &f->index.collection;
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < f->index.count; i++) {
		const struct object_item *item = &f->items[i];
		uint8_t stamp[9];

		key_value(stamp_of(f, item), false, stamp);
		e = drop_row(f, item, NULL);
		buffer_clear(&f->value);
		deletion_write(&f->value, item);
		if (e == OK)
			e = f->value.err;
		if (e == OK)
			e = add_new(f->rows, key_stamp(c, item->tlp, ROW_DELETION, stamp_of(f, item)),
				    buffer_view(&f->value));
		if (e == OK)
			e = add_new(f->keys.cursor, key_gone(c, item->tlp, item->id, item->version),
				    span_make(stamp, 8));
		f->counts.deletions++;
	}
	return e;
}

/* ---- doors ---- */

/* The entry in front of the record is the share that it belongs to. */
static enum err check_share(const struct state *st, const struct heads *h, const struct object_index *x)
{
	struct matter m;
	enum err e = state_matter(st, x->share, &m);

	if (e == ERR_MATTER_UNKNOWN || e == ERR_NOT_FOUND ||
	    (e == OK && (m.kind != KIND_SHARE || m.events != x->count || h->stamp < x->count)))
		return objects_damaged("the index");
	return e;
}

enum err objects_fold(struct state *st, const struct heads *h, const struct body_record *body)
{
	struct folding f = { 0 };
	struct object_item **order = NULL;
	enum err e = folding_begin(&f, st->snapshot, st->arena, body);

	if (e == OK)
		e = check_share(st, h, &f.index);
	if (e == OK && (order = arena_array(st->arena, f.index.count, sizeof(struct object_item *))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK) {
		f.base = h->stamp - f.index.count;
		e = f.index.action == SHARE_ADD ? add_all(&f, order) : delete_all(&f);
	}
	return folding_end(&f, st->snapshot, e);
}

enum err objects_forget(struct snapshot *s, struct arena *a, const struct body_record *body)
{
	struct folding f = { 0 };
	enum err e = folding_begin(&f, s, a, body);

	if (e == OK && f.index.action != SHARE_ADD)
		e = fail(ERR_USAGE, "what was deleted would come back");
	for (uint32_t i = 0; e == OK && i < f.index.count; i++)
		e = drop_row(&f, &f.items[i], &f.index.share);
	return folding_end(&f, s, e);
}
