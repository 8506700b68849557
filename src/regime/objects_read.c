/*
 * Pages of objects
 *
 * Without ids a page is a merge: one cursor for each lane that the reader may see (with types, for each lane and type),
 * each at its first stamp behind `after`. What a row says about itself is enough for the usual queries (the last version;
 * all versions). For the others the versions of its id are looked at (objects_pick.c).
 *
 * With ids the versions are picked from the keys, and then put in the order of stamps.
 */
#include <assert.h>
#include <stdlib.h>

#include <yyjson.h>

#include "base/json.h"
#include "regime/objects_private.h"

struct stream {
	struct view_cursor *cursor;
	struct object_key prefix;
	enum tlp lane;
	uint64_t stamp; /* of what it stands at */
	struct span value;
};

struct walking {
	struct snapshot *snapshot;
	const struct object_query *query;
	object_each *each;
	void *context;
	struct object_keys keys; /* opened when first needed */
	struct picked picked;
	struct stream *streams, **heap;
	size_t stream_count, heap_count;
	struct view_cursor *rows[TLP_COUNT]; /* where the streams are of keys */
};

/* ---- one row ---- */

static enum err need_keys(struct walking *w)
{
	return w->keys.cursor != NULL ? OK : keys_open(&w->keys, w->snapshot, &w->query->collection);
}

static bool only_last(const struct object_query *q)
{
	return !q->all && !q->first && q->version_count == 0;
}

/* What the row itself cannot say. */
static enum err look_at_versions(struct walking *w, const struct stored_row *r, uint64_t stamp, bool *matches)
{
	enum err e = need_keys(w);

	w->picked.count = 0;
	if (e == OK)
		e = objects_pick(&w->keys, w->query, r->id, &w->picked);
	*matches = false;
	for (size_t i = 0; e == OK && i < w->picked.count; i++)
		*matches |= w->picked.at[i].stamp == stamp;
	return e;
}

/* Some row of the id is of the latest spec and may be seen: in some lane, and not only hidden ones. */
static enum err has_latest_spec(struct walking *w, struct span id, bool *yes)
{
	enum err e = need_keys(w);

	*yes = false;
	for (int l = 0; e == OK && !*yes && l <= (int)w->query->level; l++) {
		struct key_found f;

		e = keys_newest(&w->keys, (enum tlp)l, id, 1u << STIX_2_1, true, &f);
		*yes = e == OK && f.there;
	}
	return e;
}

static enum err row_matches(struct walking *w, const struct stored_row *r, uint64_t stamp, bool *matches)
{
	const struct object_query *q = w->query;
	enum err e;

	*matches = false;
	if (r->hidden || (q->specs != 0 && (q->specs & 1u << r->spec) == 0))
		return OK;
	if (only_last(q) && q->specs == 0) {
		*matches = r->superseded > q->level;
		return OK;
	}
	if (!q->all)
		return look_at_versions(w, r, stamp, matches);
	if (q->specs != 0 || r->spec == STIX_2_1) {
		*matches = true;
		return OK;
	}
	e = has_latest_spec(w, r->id, matches);
	*matches = !*matches;
	return e;
}

static enum err give(struct walking *w, const struct stored_row *r, enum tlp lane, uint64_t stamp)
{
	struct object_row row = {
		.stamp = stamp,
		.id = r->id,
		.type = r->type,
		.text = r->text,
		.version_text = r->version_text,
		.spec = r->spec,
		.tlp = lane,
		.digest = r->digest,
		.share = r->share,
		.latest = r->superseded > w->query->level,
	};

	row.version.length = (uint8_t)r->version.len;
	if (r->version.len > 0)
		memcpy(row.version.digits, r->version.at, r->version.len);
	return w->each(w->context, &row);
}

static enum err show_row(struct walking *w, enum tlp lane, uint64_t stamp, struct span value)
{
	struct stored_row r;
	bool matches;
	enum err e = row_read(value, &r);

	if (e == OK)
		e = row_matches(w, &r, stamp, &matches);
	return e == OK && matches ? give(w, &r, lane, stamp) : e;
}

/* ---- the merge ---- */

static void sink(struct stream **heap, size_t n, size_t i)
{
	for (;;) {
		size_t least = 2 * i + 1;
		struct stream *s;

		if (least >= n)
			return;
		if (least + 1 < n && heap[least + 1]->stamp < heap[least]->stamp)
			least++;
		if (heap[i]->stamp <= heap[least]->stamp)
			return;
		s = heap[i];
		heap[i] = heap[least];
		heap[least] = s;
		i = least;
	}
}

/* ERR_NOT_FOUND: it has ended. */
static enum err stream_stand(struct stream *s, enum err e, struct span key, struct span value)
{
	struct reader r;

	if (e != OK)
		return e;
	if (!span_begins(key, object_key_view(&s->prefix)))
		return ERR_NOT_FOUND;
	r = reader_of(span_from(key, s->prefix.len));
	s->stamp = read_u64(&r);
	s->value = value;
	return r.err == OK ? OK : objects_damaged("a key");
}

static enum err stream_next(struct stream *s)
{
	struct span key = SPAN(""), value = SPAN("");
	enum err e = view_cursor_next(s->cursor, &key, &value);

	return stream_stand(s, e, key, value);
}

static enum err stream_open(struct walking *w, enum view v, struct object_key prefix, enum tlp lane)
{
	struct stream *s = &w->streams[w->stream_count];
	struct span key = SPAN(""), value = SPAN("");
	struct object_key from = prefix;
	enum err e = view_cursor_open(w->snapshot, v, &s->cursor);

	if (e != OK)
		return e;
	w->stream_count++;
	s->prefix = prefix;
	s->lane = lane;
	for (int i = 56; i >= 0; i -= 8)
		from.bytes[from.len++] = (uint8_t)((w->query->after + 1) >> i);
	e = view_cursor_seek(s->cursor, object_key_view(&from), &key, &value);
	e = stream_stand(s, e, key, value);
	if (e == OK)
		w->heap[w->heap_count++] = s;
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool type_listed(const struct object_query *q, struct span type, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (span_equal(q->types[i], type))
			return true;
	return false;
}

static enum err open_streams(struct walking *w, enum object_letter letter)
{
	const struct object_query *q = w->query;
	size_t lanes = (size_t)q->level + 1, most = lanes * (q->type_count > 0 ? q->type_count : 1);
	enum err e = OK;

	w->streams = calloc(most, sizeof(*w->streams));
	w->heap = calloc(most, sizeof(*w->heap));
	if (w->streams == NULL || w->heap == NULL)
		return ERR_NO_MEMORY;
	for (size_t l = 0; e == OK && l < lanes; l++) {
		if (q->type_count == 0 || letter == ROW_DELETION) {
			e = stream_open(w, VIEW_OBJECTS, key_lane(&q->collection, (enum tlp)l, letter), (enum tlp)l);
			continue;
		}
		e = view_cursor_open(w->snapshot, VIEW_OBJECTS, &w->rows[l]);
		for (size_t t = 0; e == OK && t < q->type_count; t++)
			if (name_possible(q->types[t]) && !type_listed(q, q->types[t], t))
				e = stream_open(w, VIEW_OBJECT_KEYS,
						key_named(&q->collection, (enum tlp)l, KEY_TYPE, q->types[t]),
						(enum tlp)l);
	}
	for (size_t i = w->heap_count / 2; i > 0; i--)
		sink(w->heap, w->heap_count, i - 1);
	return e;
}

static enum err row_of(struct walking *w, enum tlp lane, uint64_t stamp, struct span *value)
{
	struct object_key k = key_stamp(&w->query->collection, lane, ROW_OBJECT, stamp);
	enum err e = w->rows[lane] != NULL ? OK : view_cursor_open(w->snapshot, VIEW_OBJECTS, &w->rows[lane]);

	if (e == OK)
		e = view_cursor_get(w->rows[lane], object_key_view(&k), value);
	return e == ERR_NOT_FOUND ? objects_damaged("a key") : e;
}

typedef enum err stream_each(struct walking *w, const struct stream *s);

static enum err merge(struct walking *w, stream_each *each)
{
	enum err e = OK;

	while (e == OK && w->heap_count > 0) {
		struct stream *s = w->heap[0];

		if ((e = each(w, s)) != OK)
			return e;
		if ((e = stream_next(s)) == ERR_NOT_FOUND) {
			w->heap[0] = w->heap[--w->heap_count];
			e = OK;
		}
		sink(w->heap, w->heap_count, 0);
	}
	return e;
}

static enum err show_stream(struct walking *w, const struct stream *s)
{
	struct span value = s->value;
	enum err e = w->query->type_count > 0 ? row_of(w, s->lane, s->stamp, &value) : OK;

	return e == OK ? show_row(w, s->lane, s->stamp, value) : e;
}

/* ---- by id ---- */

static enum err show_picked(struct walking *w)
{
	enum err e = OK;

	objects_picked_sort(&w->picked);
	for (size_t i = 0; e == OK && i < w->picked.count; i++) {
		const struct key_found *f = &w->picked.at[i];
		struct stored_row r;
		struct span value;

		if (f->stamp <= w->query->after)
			continue;
		if ((e = row_of(w, f->lane, f->stamp, &value)) == OK && (e = row_read(value, &r)) == OK &&
		    (w->query->type_count == 0 || type_listed(w->query, r.type, w->query->type_count)))
			e = give(w, &r, f->lane, f->stamp);
	}
	return e;
}

static enum err walk_ids(struct walking *w)
{
	enum err e = need_keys(w);

	for (size_t i = 0; e == OK && i < w->query->id_count; i++)
		if (name_possible(w->query->ids[i]))
			e = objects_pick(&w->keys, w->query, w->query->ids[i], &w->picked);
	return e == OK ? show_picked(w) : e;
}

/* ---- doors ---- */

static enum err walk_end(struct walking *w, enum err e)
{
	for (size_t i = 0; i < w->stream_count; i++)
		view_cursor_close(w->streams[i].cursor);
	for (int l = 0; l < TLP_COUNT; l++)
		view_cursor_close(w->rows[l]);
	keys_close(&w->keys);
	free(w->streams);
	free(w->heap);
	free(w->picked.at);
	return e;
}

enum err objects_walk(struct snapshot *s, const struct object_query *q, object_each *each, void *context)
{
	struct walking w = { .snapshot = s, .query = q, .each = each, .context = context };
	enum err e;

	assert((unsigned)q->level < TLP_COUNT);
	if (q->after == UINT64_MAX)
		return OK;
	if (q->id_count > 0)
		return walk_end(&w, walk_ids(&w));
	e = open_streams(&w, ROW_OBJECT);
	return walk_end(&w, e == OK ? merge(&w, show_stream) : e);
}

struct deletions {
	deletion_each *each;
	void *context;
};

static enum err show_deletion(struct walking *w, const struct stream *s)
{
	const struct deletions *d = w->context;
	struct object_deleted out = { .stamp = s->stamp };
	enum err e = deletion_read(s->value, &out);

	return e == OK ? d->each(d->context, &out) : e;
}

enum err objects_deleted(struct snapshot *s, const struct collection_id *c, enum tlp level, uint64_t after,
			 deletion_each *each, void *context)
{
	struct object_query q = { .collection = *c, .level = level, .after = after };
	struct deletions d = { each, context };
	struct walking w = { .snapshot = s, .query = &q, .context = &d };
	enum err e;

	assert((unsigned)level < TLP_COUNT);
	if (after == UINT64_MAX)
		return OK;
	e = open_streams(&w, ROW_DELETION);
	return walk_end(&w, e == OK ? merge(&w, show_deletion) : e);
}

/* ---- single questions ---- */

static enum err any_deleted(struct object_keys *k, enum tlp level, struct span id, bool *yes)
{
	enum err e = OK;

	*yes = false;
	for (int l = 0; e == OK && !*yes && l <= (int)level; l++) {
		struct object_key all = key_named(&k->collection, (enum tlp)l, KEY_GONE, id);
		struct span key, value;

		if (!k->gone[l])
			continue;
		e = view_cursor_seek(k->cursor, object_key_view(&all), &key, &value);
		*yes = e == OK && span_begins(key, object_key_view(&all));
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	return e;
}

enum err objects_known(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id, bool *deleted)
{
	struct object_keys k = { 0 };
	bool there = false;
	enum err e;

	assert((unsigned)level < TLP_COUNT);
	if (!name_possible(id))
		return ERR_NOT_FOUND;
	e = keys_open(&k, s, c);
	for (int l = 0; e == OK && !there && l <= (int)level; l++)
		e = keys_known(&k, (enum tlp)l, id, &there);
	*deleted = false;
	if (e == OK && !there && (e = any_deleted(&k, level, id, deleted)) == OK && !*deleted)
		e = ERR_NOT_FOUND;
	keys_close(&k);
	return e;
}

enum err objects_version_deleted(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id,
				 const struct instant *version, bool *deleted)
{
	struct object_keys k = { 0 };
	uint64_t stamp;
	enum err e;

	assert((unsigned)level < TLP_COUNT);
	*deleted = false;
	if (!name_possible(id))
		return OK;
	e = keys_open(&k, s, c);
	for (int l = 0; e == OK && !*deleted && l <= (int)level; l++)
		e = keys_gone(&k, (enum tlp)l, id, instant_view(version), deleted, &stamp);
	keys_close(&k);
	return e;
}

struct marking {
	bool found, restricts;
};

/* Of several rows the strictest word holds. */
static enum err read_marking(void *context, const struct object_row *row)
{
	struct marking *m = context;
	struct arena *a = arena_new(row->text.len * 14 + 4096);
	struct yyjson_doc *doc = NULL;
	enum err e = a == NULL ? ERR_NO_MEMORY : json_read(a, row->text, &doc);

	m->found = true;
	if (e == OK) {
		yyjson_val *type = yyjson_obj_get(yyjson_doc_get_root(doc), "definition_type");

		m->restricts |= !yyjson_equals_str(type, "statement");
	} else if (e != ERR_NO_MEMORY) {
		m->restricts = true;
		e = OK;
	}
	if (a != NULL)
		arena_free(a);
	return e;
}

enum err objects_marking(struct snapshot *s, const struct collection_id *c, enum tlp level, struct span id,
			 bool *restricts)
{
	struct object_query q = {
		.collection = *c, .level = level, .ids = &id, .id_count = 1, .all = true, .specs = SPECS_ALL
	};
	struct marking m = { 0 };
	enum err e = objects_walk(s, &q, read_marking, &m);

	*restricts = m.restricts;
	return e == OK && !m.found ? ERR_NOT_FOUND : e;
}
