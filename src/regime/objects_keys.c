/* The keys of ids: which versions there are, in which lanes. */
#include "regime/objects_private.h"

static enum err lane_used(struct object_keys *k, struct object_key from, bool *used)
{
	struct span key, value;
	enum err e = view_cursor_seek(k->cursor, object_key_view(&from), &key, &value);

	*used = e == OK && span_begins(key, object_key_view(&from));
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err keys_open(struct object_keys *k, struct snapshot *s, const struct collection_id *c)
{
	enum err e;

	*k = (struct object_keys){ .collection = *c };
	e = view_cursor_open(s, VIEW_OBJECT_KEYS, &k->cursor);
	for (int l = 0; e == OK && l < TLP_COUNT; l++) {
		e = lane_used(k, key_lane(c, (enum tlp)l, KEY_ID), &k->used[l]);
		if (e == OK)
			e = lane_used(k, key_lane(c, (enum tlp)l, KEY_GONE), &k->gone[l]);
	}
	return e;
}

void keys_close(struct object_keys *k)
{
	view_cursor_close(k->cursor);
	k->cursor = NULL;
}

/* `start` is how many bytes come before the spec. */
static enum err found_read(struct span key, struct span value, enum tlp lane, size_t start, struct key_found *out)
{
	struct reader r = reader_of(value);
	struct span version;

	out->stamp = read_u64(&r);
	out->hidden = read_u8(&r) != 0;
	out->there = true;
	out->lane = lane;
	if (r.err != OK || key.len <= start || key.len - start - 1 > INSTANT_MAX ||
	    (uint8_t)key.at[start] >= SPEC_COUNT)
		return objects_damaged("a key");
	out->spec = (enum stix_spec)key.at[start];
	version = span_from(key, start + 1);
	memcpy(out->version.digits, version.at, version.len);
	out->version.length = (uint8_t)version.len;
	return OK;
}

enum err keys_known(struct object_keys *k, enum tlp lane, struct span id, bool *yes)
{
	*yes = false;
	return k->used[lane] ? lane_used(k, key_named(&k->collection, lane, KEY_ID, id), yes) : OK;
}

/* Mostly the id is not there, and one look says so: what stands at or behind the first key is of another id. */
enum err keys_exact(struct object_keys *k, enum tlp lane, struct span id, struct span version, struct key_found *out)
{
	enum err e = OK;

	out->there = false;
	for (int spec = 0; k->used[lane] && e == OK && !out->there && spec < SPEC_COUNT; spec++) {
		struct object_key want = key_version(&k->collection, lane, id, (enum stix_spec)spec, version);
		size_t start = UUID_SIZE + 2 + id.len + 1;
		struct span key, value;

		e = view_cursor_seek(k->cursor, object_key_view(&want), &key, &value);
		if (e == ERR_NOT_FOUND || (e == OK && !span_begins(key, span_make(want.bytes, start))))
			return OK;
		if (e == OK && span_equal(key, object_key_view(&want)))
			e = found_read(key, value, lane, start, out);
	}
	return e;
}

enum err keys_gone(struct object_keys *k, enum tlp lane, struct span id, struct span version, bool *yes,
		   uint64_t *stamp)
{
	struct object_key want = key_gone(&k->collection, lane, id, version);
	struct span value;
	struct reader r;
	enum err e = k->gone[lane] ? view_cursor_get(k->cursor, object_key_view(&want), &value) : ERR_NOT_FOUND;

	*yes = e == OK;
	if (e == OK) {
		r = reader_of(value);
		*stamp = read_u64(&r);
		return r.err == OK ? OK : objects_damaged("a deleted key");
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Versions of one spec stand in their order. Hidden ones are passed over. */
static enum err first_from(struct object_keys *k, const struct object_key *all, enum tlp lane, size_t start,
			   bool visible, struct key_found *out)
{
	struct span key, value;
	enum err e = view_cursor_seek(k->cursor, object_key_view(all), &key, &value);

	while (e == OK && span_begins(key, object_key_view(all))) {
		if ((e = found_read(key, value, lane, start, out)) != OK || !visible || !out->hidden)
			return e;
		e = view_cursor_next(k->cursor, &key, &value);
	}
	out->there = false;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err last_before(struct object_keys *k, const struct object_key *all, enum tlp lane, size_t start,
			    bool visible, struct key_found *out)
{
	struct object_key end = *all;
	struct span key, value;
	enum err e;

	end.bytes[end.len++] = 0xff;
	e = view_cursor_before(k->cursor, object_key_view(&end), &key, &value);
	while (e == OK && span_begins(key, object_key_view(all))) {
		if ((e = found_read(key, value, lane, start, out)) != OK || !visible || !out->hidden)
			return e;
		end.len = key.len;
		memcpy(end.bytes, key.at, key.len);
		e = view_cursor_before(k->cursor, object_key_view(&end), &key, &value);
	}
	out->there = false;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum which { NEWEST, OLDEST };

static enum err outermost(struct object_keys *k, enum which which, enum tlp lane, struct span id, unsigned specs,
			  bool visible, struct key_found *out)
{
	enum err e = OK;

	out->there = false;
	for (int spec = 0; k->used[lane] && e == OK && spec < SPEC_COUNT; spec++) {
		struct object_key all = key_version(&k->collection, lane, id, (enum stix_spec)spec, SPAN(""));
		struct key_found f;
		int order;

		if ((specs & 1u << spec) == 0)
			continue;
		e = (which == NEWEST ? last_before : first_from)(k, &all, lane, all.len - 1, visible, &f);
		if (e != OK || !f.there)
			continue;
		order = out->there ? span_compare(instant_view(&f.version), instant_view(&out->version)) : 0;
		if (!out->there || (which == NEWEST ? order > 0 : order < 0))
			*out = f;
	}
	return e;
}

enum err keys_newest(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, bool visible,
		     struct key_found *out)
{
	return outermost(k, NEWEST, lane, id, specs, visible, out);
}

enum err keys_oldest(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, bool visible,
		     struct key_found *out)
{
	return outermost(k, OLDEST, lane, id, specs, visible, out);
}

enum err keys_each(struct object_keys *k, enum tlp lane, struct span id, unsigned specs, key_each *each, void *context)
{
	struct object_key all = key_named(&k->collection, lane, KEY_ID, id);
	struct span key, value;
	enum err e;

	if (!k->used[lane])
		return OK;
	e = view_cursor_seek(k->cursor, object_key_view(&all), &key, &value);
	while (e == OK && span_begins(key, object_key_view(&all))) {
		struct key_found f;

		if ((e = found_read(key, value, lane, all.len, &f)) == OK && (specs & 1u << f.spec) != 0)
			e = each(context, &f);
		if (e == OK)
			e = view_cursor_next(k->cursor, &key, &value);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}
