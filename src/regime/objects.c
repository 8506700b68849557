/*
 * Sharing
 *
 * What is new is found out before anything is logged: objects are looked up in the order of their ids, so that LMDB mostly
 * stays on its page. Then the statement, and behind it the body's record with its index; the stamps are those that the
 * statement took for its objects. From the record on there is no way back but the whole batch's.
 */
#include "regime/objects.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/json.h"
#include "regime/objects_private.h"

#define SHARE_TYPE "application/stix+json;version=2.1"
#define INDEX_MAX ((size_t)OBJECTS_MAX * 2048)
#define SHARE_ARENA_MAX ((size_t)256 << 20)

/* One share on its way. */
struct sharing {
	struct node *node;
	struct arena *arena;
	struct object_keys keys;
	struct view_cursor *rows;
	struct buffer payload, index;
	size_t count; /* of what is logged */
	enum tlp strictest;
};

static enum err sharing_begin(struct sharing *x, struct node *n, const struct collection_id *c)
{
	struct snapshot *s = node_batch_state(n)->snapshot;
	enum err e;

	*x = (struct sharing){ .node = n, .payload = BUFFER(BODY_MAX / 2), .index = BUFFER(INDEX_MAX) };
	if ((x->arena = arena_new(SHARE_ARENA_MAX)) == NULL)
		return ERR_NO_MEMORY;
	e = keys_open(&x->keys, s, c);
	return e == OK ? view_cursor_open(s, VIEW_OBJECTS, &x->rows) : e;
}

/* Before anything is written: cursors do not outlive that. */
static void close_cursors(struct sharing *x)
{
	keys_close(&x->keys);
	view_cursor_close(x->rows);
	x->rows = NULL;
}

static enum err sharing_end(struct sharing *x, enum err e)
{
	close_cursors(x);
	buffer_free(&x->payload);
	buffer_free(&x->index);
	if (x->arena != NULL)
		arena_free(x->arena);
	return e;
}

/* ---- the statement ---- */

static void print_uuid(const struct collection_id *c, char out[37])
{
	static const char hex[] = "0123456789abcdef";
	char *at = out;

	for (int i = 0; i < UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[c->bytes[i] >> 4];
		*at++ = hex[c->bytes[i] & 15];
	}
	*at = '\0';
}

static enum err add_statement(struct sharing *x, const struct collection_id *c, struct span for_party,
			      enum share_action action, const struct body_reference *body, struct appended *out)
{
	struct statement_writer w = { 0 };
	char uuid[37];
	enum err e;

	print_uuid(c, uuid);
	statement_begin(&w, KIND_SHARE, node_origin(x->node, LEDGER_CIRCLE), signer_verifier(node_signer(x->node)));
	statement_add(&w, "collection", span_of(uuid));
	statement_add(&w, "action", action == SHARE_ADD ? SPAN("add") : SPAN("delete"));
	statement_add_print(&w, "objects", "%zu", x->count);
	statement_add(&w, "tlp", span_of(tlp_name(x->strictest)));
	if (for_party.len > 0) {
		statement_add(&w, "for", for_party);
		statement_add(&w, "via", SPAN("taxii"));
	}
	statement_add_body(&w, body);
	e = node_add_own(x->node, &w, out);
	statement_writer_free(&w);
	return e;
}

/* *first: the stamp of the first object. */
static enum err log_share(struct sharing *x, const struct collection_id *c, struct span for_party,
			  enum share_action action, struct appended *out, uint64_t *first)
{
	struct body_reference ref = { .media_type = SPAN(SHARE_TYPE), .size = x->payload.len, .sealed = true };
	uint8_t salt[SEAL_SALT_SIZE];
	enum err e = x->payload.err != OK ? x->payload.err : x->index.err;

	if (e != OK)
		return e;
	close_cursors(x);
	randombytes_buf(salt, sizeof(salt));
	ref.hash = seal_commitment(node_name(x->node), SPAN(""), ref.media_type, salt, buffer_view(&x->payload));
	e = add_statement(x, c, for_party, action, &ref, out);
	if (e != OK)
		return e;
	memcpy(x->index.at + INDEX_SHARE_AT, out->id.bytes, HASH_SIZE);
	*first = x->node->batch.heads.stamp - x->count + 1;
	return node_add_objects(x->node, &ref, salt, buffer_view(&x->index), buffer_view(&x->payload));
}

/* ---- what is new ---- */

struct wanted {
	const struct stix_object *object;
	struct object_result *result;
	size_t place; /* in the share */
};

static int by_version(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = span_compare(x->object->id, y->object->id);

	if (order == 0)
		order = instant_compare(&x->object->version, &y->object->version);
	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static bool same_version(const struct wanted *a, const struct wanted *b)
{
	return span_equal(a->object->id, b->object->id) &&
	       span_equal(instant_view(&a->object->version), instant_view(&b->object->version));
}

static bool goes_in(const struct object_result *r)
{
	return r->fate == OBJECT_ADDED || r->fate == OBJECT_UNSEEN;
}

static enum object_fate fate_beside(struct hash kept, struct hash other)
{
	return hash_equal(kept, other) ? OBJECT_REPEATED : OBJECT_CONFLICT;
}

static enum err meet(struct sharing *x, const struct wanted *w, const struct key_found *f)
{
	struct object_key k = key_stamp(&x->keys.collection, f->lane, ROW_OBJECT, f->stamp);
	struct stored_row r;
	struct span value;
	enum err e = view_cursor_get(x->rows, object_key_view(&k), &value);

	if (e == OK)
		e = row_read(value, &r);
	if (e != OK)
		return e == ERR_NOT_FOUND ? objects_damaged("a key") : e;
	*w->result = (struct object_result){ fate_beside(r.digest, w->object->digest), f->stamp, r.digest };
	return OK;
}

/* Whether it stands in this lane already, or was deleted there. */
static enum err look_in(struct sharing *x, struct wanted *w, enum tlp lane, bool gone)
{
	struct span id = w->object->id, version = instant_view(&w->object->version);
	struct key_found f;
	bool there = false;
	enum err e;

	if (!gone) {
		e = keys_exact(&x->keys, lane, id, version, &f);
		return e == OK && f.there ? meet(x, w, &f) : e;
	}
	if ((e = keys_gone(&x->keys, lane, id, version, &there, &f.stamp)) == OK && there)
		*w->result = (struct object_result){ .fate = OBJECT_DELETED, .stamp = f.stamp };
	return e;
}

/* In the lanes that the sharer may see; then in the object's own, for nothing stands there twice, but if that is hidden from
 * the sharer it is not told. */
static enum err look_up(struct sharing *x, struct wanted *w, enum tlp level)
{
	const struct object_result added = { .fate = OBJECT_ADDED, .digest = w->object->digest };
	enum tlp own = w->object->tlp;
	enum err e = OK;

	*w->result = added;
	for (int gone = 0; gone < 2; gone++)
		for (int l = 0; e == OK && w->result->fate == OBJECT_ADDED && l <= (int)level; l++)
			e = look_in(x, w, (enum tlp)l, gone != 0);
	if (own <= level)
		return e;
	for (int gone = 0; e == OK && w->result->fate == OBJECT_ADDED && gone < 2; gone++)
		if ((e = look_in(x, w, own, gone != 0)) == OK && w->result->fate != OBJECT_ADDED) {
			*w->result = added;
			w->result->fate = OBJECT_UNSEEN;
		}
	return e;
}

static enum err decide(struct sharing *x, struct wanted *all, size_t count, enum tlp level)
{
	const struct wanted *kept = NULL; /* the one of this version that goes in */
	enum err e = OK;

	qsort(all, count, sizeof(*all), by_version);
	for (size_t i = 0; e == OK && i < count; i++) {
		if (kept != NULL && same_version(kept, &all[i])) {
			*all[i].result = (struct object_result){
				.fate = fate_beside(kept->object->digest, all[i].object->digest),
				.digest = kept->object->digest,
			};
			continue;
		}
		e = look_up(x, &all[i], level);
		kept = goes_in(all[i].result) ? &all[i] : NULL;
		x->count += kept != NULL;
	}
	return e;
}

/* ---- the body ---- */

static enum err write_body(struct sharing *x, const struct share *s, const struct object_result *results)
{
	size_t done = 0;

	index_begin(&x->index, SHARE_ADD, &s->collection, x->count);
	buffer_text(&x->payload, "{\"objects\":[");
	for (size_t i = 0; i < s->count; i++) {
		const struct stix_object *o = &s->objects[i];
		struct object_item item = { o->tlp,  results[i].fate == OBJECT_UNSEEN, o->spec,		 o->id,
					    o->type, instant_view(&o->version),	       o->modified_text, o->digest,
					    o->text };

		if (!goes_in(&results[i]))
			continue;
		if (done++ > 0)
			buffer_byte(&x->payload, ',');
		index_add(&x->index, SHARE_ADD, &item, x->payload.len);
		buffer_span(&x->payload, o->text);
		if (o->tlp > x->strictest)
			x->strictest = o->tlp;
	}
	buffer_text(&x->payload, "]}");
	return x->payload.err != OK ? x->payload.err : x->index.err;
}

/* Those that meet another one of the same share have its stamp. */
static void give_stamps(struct wanted *all, size_t count, struct object_result *results, size_t places, uint64_t first)
{
	const struct wanted *kept = NULL;

	for (size_t i = 0; i < places; i++)
		if (goes_in(&results[i]))
			results[i].stamp = first++;
	for (size_t i = 0; i < count; i++) {
		if (goes_in(all[i].result))
			kept = &all[i];
		else if (kept != NULL && same_version(kept, &all[i]))
			all[i].result->stamp = kept->result->stamp;
	}
}

static enum err check_object(const struct stix_object *o)
{
	if (!name_possible(o->id) || o->type.len == 0 || o->type.len > UINT8_MAX || o->type.len > o->id.len ||
	    memcmp(o->id.at, o->type.at, o->type.len) != 0 || (unsigned)o->tlp >= TLP_COUNT ||
	    (unsigned)o->spec >= SPEC_COUNT)
		return fail(ERR_FIELD, "id, type or version of an object that cannot be kept");
	return OK;
}

enum err objects_share(struct node *n, const struct share *s, struct object_result *results, struct appended *out)
{
	struct sharing x = { 0 };
	struct wanted *all = NULL;
	uint64_t first = 0;
	enum err e = OK;

	assert((unsigned)s->level < TLP_COUNT);
	*out = (struct appended){ 0 };
	if (s->count > OBJECTS_MAX)
		return fail(ERR_TOO_LONG, "%zu objects, at most %d in one share", s->count, OBJECTS_MAX);
	for (size_t i = 0; e == OK && i < s->count; i++)
		e = check_object(&s->objects[i]);
	if (e == OK)
		e = sharing_begin(&x, n, &s->collection);
	if (e == OK && (all = arena_array(x.arena, s->count, sizeof(*all))) == NULL)
		e = ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < s->count; i++)
		all[i] = (struct wanted){ &s->objects[i], &results[i], i };
	if (e == OK)
		e = decide(&x, all, s->count, s->level);
	if (e == OK && x.count > 0 && (e = write_body(&x, s, results)) == OK)
		e = log_share(&x, &s->collection, s->for_party, SHARE_ADD, out, &first);
	if (e == OK)
		give_stamps(all, s->count, results, s->count, first);
	return sharing_end(&x, e);
}

/* ---- removing ---- */

/* Every row of these versions that may be seen, the hidden ones too: else they would come up again. */
static enum err rows_to_remove(struct sharing *x, const struct removal *r, struct picked *out)
{
	struct object_query q = r->which != NULL ? *r->which : (struct object_query){ .all = true, .specs = SPECS_ALL };
	struct picked seen = { 0 };
	enum err e;

	q.level = r->level;
	e = objects_pick(&x->keys, &q, r->id, &seen);
	for (size_t i = 0; e == OK && i < seen.count; i++)
		for (int l = 0; e == OK && l <= (int)r->level; l++) {
			struct key_found f;

			e = keys_exact(&x->keys, (enum tlp)l, r->id, instant_view(&seen.at[i].version), &f);
			if (e == OK && f.there)
				e = picked_add(out, &f);
		}
	free(seen.at);
	if (e == OK)
		objects_picked_sort(out);
	return e;
}

static void print_version(struct json *j, const struct key_found *f, struct span version_text)
{
	char text[CLOCK_TEXT], stamp[CLOCK_TEXT + 8];

	if (version_text.len > 0) {
		json_string(j, "version", version_text);
		return;
	}
	clock_format((int64_t)(f->stamp / 1000), text);
	text[strlen(text) - 1] = '\0'; /* the Z */
	snprintf(stamp, sizeof(stamp), "%s.%06uZ", text, (unsigned)(f->stamp % 1000000));
	json_text(j, "version", stamp);
}

static enum err write_removed(struct sharing *x, const struct removal *r, struct json *j, const struct key_found *f)
{
	struct object_key k = key_stamp(&r->collection, f->lane, ROW_OBJECT, f->stamp);
	struct stored_row row;
	struct span value;
	enum err e = view_cursor_get(x->rows, object_key_view(&k), &value);

	if (e == OK)
		e = row_read(value, &row);
	if (e == OK) {
		struct object_item item = { f->lane,	      false,	  f->spec, row.id, row.type, row.version,
					    row.version_text, row.digest, SPAN("") };

		index_add(&x->index, SHARE_DELETE, &item, 0);
		json_object(j, NULL);
		json_string(j, "id", row.id);
		print_version(j, f, row.version_text);
		json_object_end(j);
		if (f->lane > x->strictest)
			x->strictest = f->lane;
	}
	return e == ERR_NOT_FOUND ? objects_damaged("a key") : e;
}

static enum err write_removal(struct sharing *x, const struct removal *r, const struct picked *gone)
{
	struct json j = { .out = &x->payload };
	enum err e = OK;

	x->count = gone->count;
	index_begin(&x->index, SHARE_DELETE, &r->collection, x->count);
	json_object(&j, NULL);
	json_array(&j, "objects");
	for (size_t i = 0; e == OK && i < gone->count; i++)
		e = write_removed(x, r, &j, &gone->at[i]);
	json_array_end(&j);
	json_object_end(&j);
	return e;
}

enum err objects_remove(struct node *n, const struct removal *r, uint64_t *count, struct appended *out)
{
	struct sharing x = { 0 };
	struct picked gone = { 0 };
	uint64_t first = 0;
	enum err e;

	assert((unsigned)r->level < TLP_COUNT);
	*out = (struct appended){ 0 };
	*count = 0;
	if (!name_possible(r->id))
		return ERR_NOT_FOUND;
	e = sharing_begin(&x, n, &r->collection);
	if (e == OK)
		e = rows_to_remove(&x, r, &gone);
	if (e == OK && gone.count == 0)
		e = ERR_NOT_FOUND;
	if (e == OK && gone.count > OBJECTS_MAX)
		e = fail(ERR_TOO_LONG, "%zu versions, at most %d at once", gone.count, OBJECTS_MAX);
	if (e == OK)
		e = write_removal(&x, r, &gone);
	if (e == OK)
		e = log_share(&x, &r->collection, r->for_party, SHARE_DELETE, out, &first);
	if (e == OK)
		*count = gone.count;
	free(gone.at);
	return sharing_end(&x, e);
}
