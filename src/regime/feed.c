#include "regime/feed.h"

#include <assert.h>
#include <stdlib.h>

#include "regime/node_private.h"
#include "regime/private.h"

/*
 * The view FEEDS
 *
 *	key									value
 *	k u8 ledger, u8 kind, u64 stamp						u64 index
 *	m u8 ledger, u8 ledger and u64 index of the matter, u64 stamp		u64 index
 *	p u8 ledger, addressee, u8 kind, u64 stamp				u64 index
 *	u u8 ledger, u64 index							u8 ledger, u64 index: what its `re` names
 *
 * The first ledger of a key is that of the entry. addressee: as in private.h. The feed of all entries needs no keys: in
 * ENTRIES they stand with their stamps, and these grow with the index, so its beginning is found by halving. The feed of a
 * party without a kind is all of its kinds together; which it has is found by jumping from one to the next.
 *
 * What refers to a matter stands under it, and under what that refers to in turn, up the chain as far as CHAIN. Kinds with
 * rules refer one step. Only what is in the ledger already can be referred to.
 *
 * Reading is a merge: each stream is a cursor that stands at its next entry, the one with the smallest stamp lies on top of
 * a heap. A stamp belongs to one entry, so what comes twice comes one behind the other.
 */

enum feed_letter { FEEDS_KIND = 'k', FEEDS_MATTER = 'm', FEEDS_PARTY = 'p', FEEDS_UP = 'u' };

#define CHAIN 16
#define STAMP_SIZE 8

/* ---- writing ---- */

static struct state_key key_feed(enum feed_letter letter, enum ledger_id l)
{
	struct state_key k;

	k.bytes[0] = (uint8_t)letter;
	k.len = 1;
	key_add_u8(&k, (uint8_t)l);
	return k;
}

static struct state_key key_kind(enum ledger_id l, enum kind kind)
{
	struct state_key k = key_feed(FEEDS_KIND, l);

	key_add_u8(&k, (uint8_t)kind);
	return k;
}

/* All kinds: a kind follows. */
static struct state_key key_of_party(enum ledger_id l, const struct addressee *party)
{
	struct state_key k = key_feed(FEEDS_PARTY, l);

	key_add_addressee(&k, party);
	return k;
}

static struct state_key key_of_matter(enum ledger_id l, enum ledger_id matter_ledger, uint64_t matter)
{
	struct state_key k = key_feed(FEEDS_MATTER, l);

	key_add_u8(&k, (uint8_t)matter_ledger);
	key_add_u64(&k, matter);
	return k;
}

static struct state_key key_up(enum ledger_id l, uint64_t index)
{
	struct state_key k = key_feed(FEEDS_UP, l);

	key_add_u64(&k, index);
	return k;
}

static enum err put(const struct state *st, struct state_key *k, uint64_t stamp)
{
	key_add_u64(k, stamp);
	return position_put(st->snapshot, VIEW_FEEDS, key_view(k), st->index);
}

static enum err put_party(const struct state *st, enum kind kind, const struct addressee *party, uint64_t stamp)
{
	struct state_key k = key_of_party(st->ledger, party);

	key_add_u8(&k, (uint8_t)kind);
	return put(st, &k, stamp);
}

/* An addressee that is written down as in `to`: cc, for. */
static enum err put_written(const struct state *st, enum kind kind, struct span value, uint64_t stamp)
{
	struct addressee party;

	return addressee_parse(value, &party) == OK ? put_party(st, kind, &party, stamp) : OK;
}

static enum err put_parties(const struct state *st, const struct statement *s, uint64_t stamp)
{
	struct addressee from = { .type = TO_PARTY, .domain = s->from };
	enum err e = put_party(st, s->kind, &from, stamp);

	for (size_t i = 0; e == OK && i < s->to_count; i++)
		e = put_party(st, s->kind, &s->to[i], stamp);
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "cc"))
			e = put_written(st, s->kind, s->headers[i].value, stamp);
	return e == OK && s->for_party.len > 0 ? put_written(st, s->kind, s->for_party, stamp) : e;
}

static enum err put_up(const struct state *st, const struct place *to)
{
	struct state_key k = key_up(st->ledger, st->index), value = { .len = 0 };

	key_add_u8(&value, (uint8_t)to->ledger);
	key_add_u64(&value, to->index);
	return view_put(st->snapshot, VIEW_FEEDS, key_view(&k), key_view(&value));
}

/* What the entry at this place refers to. ERR_NOT_FOUND: nothing. */
static enum err get_up(struct snapshot *s, struct place *at)
{
	struct state_key k = key_up(at->ledger, at->index);
	struct span value;
	struct reader r;
	enum err e = view_get(s, VIEW_FEEDS, key_view(&k), &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	at->ledger = (enum ledger_id)read_u8(&r);
	at->index = read_u64(&r);
	return r.err == OK && at->ledger < LEDGER_COUNT ? OK : state_damaged("reference");
}

static enum err put_matters(const struct state *st, const struct statement *s, uint64_t stamp)
{
	struct place at;
	enum err e = place_get(st, s->re, &at);

	if (e == OK)
		e = put_up(st, &at);
	for (int i = 0; e == OK && i < CHAIN; i++) {
		struct state_key k = key_of_matter(st->ledger, at.ledger, at.index);

		if ((e = put(st, &k, stamp)) == OK)
			e = get_up(st->snapshot, &at);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err feeds_enter(const struct state *st, const struct statement *s, uint64_t stamp)
{
	struct state_key k = key_kind(st->ledger, s->kind);
	enum err e = put(st, &k, stamp);

	if (e == OK)
		e = put_parties(st, s, stamp);
	/* Who may see a notice need not see the one that takes it further to another. */
	return e == OK && s->has_re && s->kind != KIND_NOTICE ? put_matters(st, s, stamp) : e;
}

/* ---- entries and their stamps ---- */

static enum err read_entry(struct span value, uint64_t *stamp)
{
	struct reader r = reader_of(value);

	read_u64(&r); /* its position */
	*stamp = read_u64(&r);
	return r.err == OK ? OK : state_damaged("place of an entry");
}

enum err feed_stamp(struct snapshot *s, enum ledger_id l, uint64_t index, uint64_t *stamp)
{
	struct state_key k = key_entry(l, index);
	struct span value;
	enum err e = view_get(s, VIEW_ENTRIES, key_view(&k), &value);

	return e == OK ? read_entry(value, stamp) : e;
}

enum err feed_reached(struct snapshot *s, uint64_t *stamp)
{
	struct heads h;
	enum err e = heads_get(s, &h);

	*stamp = h.stamp;
	return e;
}

/* The first entry of the ledger with a greater stamp; its size if there is none. */
static enum err first_after(struct snapshot *s, enum ledger_id l, uint64_t after, uint64_t *index)
{
	struct heads h;
	uint64_t low = 0, high, stamp;
	enum err e = heads_get(s, &h);

	high = h.size[l];
	while (e == OK && low < high) {
		uint64_t middle = low + (high - low) / 2;

		if ((e = feed_stamp(s, l, middle, &stamp)) == ERR_NOT_FOUND)
			e = state_damaged("number of entries");
		if (e == OK && stamp > after)
			high = middle;
		else if (e == OK)
			low = middle + 1;
	}
	*index = low;
	return e;
}

/* ---- streams ---- */

struct stream {
	struct view_cursor *cursor; /* NULL: it has no more than the entry in hand */
	struct span key;	    /* of the entry in hand, in the snapshot */
	bool entries;		    /* of the view ENTRIES, else of FEEDS */
	struct feed_entry entry;
};

struct merge {
	struct snapshot *snapshot;
	uint64_t after;
	struct stream *heap;
	size_t count, room;
};

static enum err read_stream(struct stream *s, struct span key, struct span value)
{
	struct reader end = reader_of(span_from(key, key.len - 8)), v = reader_of(value);

	s->key = key;
	if (s->entries) {
		s->entry.index = read_u64(&end);
		return read_entry(value, &s->entry.stamp);
	}
	s->entry.stamp = read_u64(&end);
	s->entry.index = read_u64(&v);
	return v.err == OK ? OK : state_damaged("feed");
}

/* A feed's keys differ in their last eight bytes alone. */
static bool same_feed(struct span a, struct span b)
{
	return a.len == b.len && a.len > 8 && memcmp(a.at, b.at, a.len - 8) == 0;
}

/* ERR_NOT_FOUND: the stream is at its end. */
static enum err advance(struct stream *s)
{
	struct span key, value;
	enum err e = s->cursor == NULL ? ERR_NOT_FOUND : view_cursor_next(s->cursor, &key, &value);

	if (e == OK && !same_feed(key, s->key))
		e = ERR_NOT_FOUND;
	return e == OK ? read_stream(s, key, value) : e;
}

static void swap(struct stream *a, struct stream *b)
{
	struct stream t = *a;

	*a = *b;
	*b = t;
}

static void sift_down(struct merge *m)
{
	size_t at = 0, least;

	for (;; at = least) {
		least = at;
		for (size_t child = 2 * at + 1; child < m->count && child <= 2 * at + 2; child++)
			if (m->heap[child].entry.stamp < m->heap[least].entry.stamp)
				least = child;
		if (least == at)
			return;
		swap(&m->heap[at], &m->heap[least]);
	}
}

static enum err push(struct merge *m, const struct stream *s)
{
	if (m->count == m->room) {
		size_t room = m->room == 0 ? 8 : 2 * m->room;
		struct stream *more = reallocarray(m->heap, room, sizeof(*more));

		if (more == NULL)
			return fail(ERR_NO_MEMORY, "feeds");
		m->heap = more;
		m->room = room;
	}
	m->heap[m->count] = *s;
	for (size_t at = m->count++; at > 0; at = (at - 1) / 2) {
		if (m->heap[(at - 1) / 2].entry.stamp <= m->heap[at].entry.stamp)
			break;
		swap(&m->heap[(at - 1) / 2], &m->heap[at]);
	}
	return OK;
}

/* The keys that begin as `first` up to its last eight bytes, from it on. */
static enum err open_stream(struct merge *m, enum view v, enum ledger_id l, const struct state_key *first)
{
	struct stream s = { .entries = v == VIEW_ENTRIES, .entry.ledger = l };
	struct span key, value;
	enum err e = view_cursor_open(m->snapshot, v, &s.cursor);

	if (e == OK)
		e = view_cursor_seek(s.cursor, key_view(first), &key, &value);
	if (e == OK && !same_feed(key, key_view(first)))
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = read_stream(&s, key, value);
	if (e == OK)
		e = push(m, &s);
	if (e != OK)
		view_cursor_close(s.cursor);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err open_feed(struct merge *m, enum ledger_id l, struct state_key *k)
{
	key_add_u64(k, m->after + 1);
	return open_stream(m, VIEW_FEEDS, l, k);
}

static enum err open_all(struct merge *m, enum ledger_id l)
{
	uint64_t index;
	struct state_key k;
	enum err e = first_after(m->snapshot, l, m->after, &index);

	k = key_entry(l, index);
	return e == OK ? open_stream(m, VIEW_ENTRIES, l, &k) : e;
}

static enum err open_party(struct merge *m, const struct feed *f)
{
	struct state_key party = key_of_party(f->ledger, &f->party), k = party;
	struct view_cursor *c = NULL;
	enum err e;

	if (f->kind != KIND_UNKNOWN) {
		key_add_u8(&k, (uint8_t)f->kind);
		return open_feed(m, f->ledger, &k);
	}
	e = view_cursor_open(m->snapshot, VIEW_FEEDS, &c);
	for (unsigned kind = 0; e == OK && kind < KIND_COUNT; kind++) {
		struct span key, value;

		k = party;
		key_add_u8(&k, (uint8_t)kind);
		if ((e = view_cursor_seek(c, key_view(&k), &key, &value)) != OK)
			break;
		if (key.len != party.len + 1 + STAMP_SIZE || memcmp(key.at, party.bytes, party.len) != 0)
			break;
		kind = (uint8_t)key.at[party.len];
		k.bytes[party.len] = (uint8_t)kind;
		e = open_feed(m, f->ledger, &k);
	}
	view_cursor_close(c);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err open_matter(struct merge *m, const struct feed *f)
{
	struct state st = { .snapshot = m->snapshot };
	struct stream itself = { .cursor = NULL };
	struct state_key k;
	struct place at;
	enum err e = place_get(&st, f->matter, &at);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	k = key_of_matter(f->ledger, at.ledger, at.index);
	if (at.ledger == f->ledger) {
		itself.entry = (struct feed_entry){ .ledger = at.ledger, .index = at.index };
		if ((e = feed_stamp(m->snapshot, at.ledger, at.index, &itself.entry.stamp)) == ERR_NOT_FOUND)
			e = state_damaged("place of an entry");
		if (e == OK && itself.entry.stamp > m->after)
			e = push(m, &itself);
	}
	return e == OK ? open_feed(m, f->ledger, &k) : e;
}

static enum err open_one(struct merge *m, const struct feed *f)
{
	struct state_key k;

	assert((unsigned)f->ledger < LEDGER_COUNT && (unsigned)f->kind < KIND_COUNT);
	switch (f->type) {
	case FEED_ALL:
		return open_all(m, f->ledger);
	case FEED_KIND:
		k = key_kind(f->ledger, f->kind);
		return open_feed(m, f->ledger, &k);
	case FEED_PARTY:
		return open_party(m, f);
	case FEED_MATTER:
		return open_matter(m, f);
	}
	return OK;
}

/* ---- the walk ---- */

static enum err merge(struct merge *m, feed_each *each, void *context)
{
	uint64_t last = m->after;
	enum err e = OK;

	while (e == OK && m->count > 0) {
		struct stream *top = &m->heap[0];
		enum err end;

		if (top->entry.stamp != last)
			e = each(context, &top->entry);
		last = top->entry.stamp;
		if (e != OK)
			break;
		if ((end = advance(top)) == ERR_NOT_FOUND) {
			view_cursor_close(top->cursor);
			*top = m->heap[--m->count];
		} else {
			e = end;
		}
		sift_down(m);
	}
	return e;
}

enum err feed_walk(struct snapshot *s, const struct feed *feeds, size_t count, uint64_t after, feed_each *each,
		   void *context)
{
	struct merge m = { .snapshot = s, .after = after };
	enum err e = OK;

	if (count > FEEDS_MAX)
		return fail(ERR_TOO_LONG, "%zu feeds, at most %d", count, FEEDS_MAX);
	for (size_t i = 0; e == OK && i < count && after < UINT64_MAX; i++)
		e = open_one(&m, &feeds[i]);
	if (e == OK)
		e = merge(&m, each, context);
	while (m.count > 0)
		view_cursor_close(m.heap[--m.count].cursor);
	free(m.heap);
	return e;
}
