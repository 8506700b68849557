#include "regime/certificate_private.h"

#include <assert.h>
#include <stdlib.h>

#include "base/sort.h"
#include "regime/party_keys.h"

#define HAS_RE 0x1
#define HAS_BODY 0x2
#define DEMONSTRATION 0x4

/* ---- bytes ---- */

static struct state_key key_certificate(uint64_t index)
{
	struct state_key k = key_of(STATE_CERTIFICATE);

	key_add_u64(&k, index);
	return k;
}

static struct state_key key_hash(enum state_letter letter, struct hash h)
{
	struct state_key k = key_of(letter);

	key_add(&k, h.bytes, HASH_SIZE);
	return k;
}

static struct state_key key_issued(struct span from)
{
	struct state_key k = key_of(STATE_ISSUED);

	key_add(&k, from.at, from.len);
	key_add_u8(&k, 0);
	return k;
}

static void pack_head(struct buffer *b, const struct certificate_record *r)
{
	buffer_u64(b, (uint64_t)r->withdrawn_ms);
	for (int v = 0; v < VOICE_COUNT; v++) {
		buffer_byte(b, (uint8_t)r->voices[v].says);
		buffer_u64(b, (uint64_t)r->voices[v].since_ms);
		buffer_u64(b, r->voices[v].index);
	}
}

static void pack_long(struct buffer *b, struct span s)
{
	buffer_u16(b, (uint16_t)s.len); /* shorter than a statement */
	buffer_span(b, s);
}

static void pack_rest(struct buffer *b, const struct certificate *c)
{
	const struct span shorts[] = { c->from, c->scheme, c->level, c->laboratory, c->name };

	buffer_byte(b, (uint8_t)c->predicate);
	buffer_byte(b, (uint8_t)((c->has_re ? HAS_RE : 0) | (c->has_body ? HAS_BODY : 0) |
				 (c->demonstration ? DEMONSTRATION : 0)));
	buffer_byte(b, (uint8_t)c->says);
	pack_hash(b, c->id);
	pack_hash(b, c->key);
	buffer_u64(b, (uint64_t)c->logged_ms);
	buffer_u64(b, (uint64_t)c->start_ms);
	buffer_u64(b, (uint64_t)c->end_ms);
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
		pack_short(b, shorts[i]);
	pack_long(b, c->reason);
	if (c->has_re)
		pack_hash(b, c->re);
	if (c->has_body) {
		buffer_u64(b, c->body.size);
		pack_hash(b, c->body.hash);
	}
	buffer_byte(b, (uint8_t)c->cite_count);
	for (size_t i = 0; i < c->cite_count; i++)
		pack_hash(b, c->cites[i]);
	buffer_u16(b, (uint16_t)c->subject_count);
	for (size_t i = 0; i < c->subject_count; i++)
		pack_long(b, c->subjects[i]);
}

static void unpack_head(struct reader *r, struct certificate_record *out)
{
	out->withdrawn_ms = (int64_t)read_u64(r);
	for (int v = 0; v < VOICE_COUNT; v++) {
		out->voices[v].says = (enum certificate_status)read_u8(r);
		out->voices[v].since_ms = (int64_t)read_u64(r);
		out->voices[v].index = read_u64(r);
	}
}

static void unpack_rest(struct reader *r, struct certificate_record *out)
{
	struct certificate *c = &out->c;
	struct span *const shorts[] = { &c->from, &c->scheme, &c->level, &c->laboratory, &c->name };
	uint8_t flags;

	c->predicate = (enum predicate)read_u8(r);
	flags = read_u8(r);
	c->has_re = (flags & HAS_RE) != 0;
	c->has_body = (flags & HAS_BODY) != 0;
	c->demonstration = (flags & DEMONSTRATION) != 0;
	c->says = (enum certificate_status)read_u8(r);
	c->id = unpack_hash(r);
	c->key = unpack_hash(r);
	c->logged_ms = (int64_t)read_u64(r);
	c->start_ms = (int64_t)read_u64(r);
	c->end_ms = (int64_t)read_u64(r);
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
		*shorts[i] = unpack_short(r);
	c->reason = read_span(r, read_u16(r));
	if (c->has_re)
		c->re = unpack_hash(r);
	if (c->has_body) {
		c->body.media_type = SPAN(CERTIFICATE_MEDIA_TYPE);
		c->body.size = read_u64(r);
		c->body.hash = unpack_hash(r);
	}
	out->cite_count = read_u8(r);
	out->cites = read_span(r, out->cite_count * HASH_SIZE);
	out->subject_count = read_u16(r);
	out->subjects = span_make(r->at, reader_left(r));
}

/* What counts: a withdrawal, else the worse of the two voices, since it was first that bad. */
static void settle(struct certificate_record *r)
{
	const struct voice *v = &r->voices[VOICE_AUTHOR], *other = &r->voices[VOICE_LABORATORY];

	if (other->since_ms != 0 &&
	    (v->since_ms == 0 || other->says > v->says || (other->says == v->says && other->since_ms < v->since_ms)))
		v = other;
	r->c.withdrawn = r->withdrawn_ms != 0;
	r->c.status = r->c.withdrawn ? STATUS_WITHDRAWN : v->says;
	r->c.status_ms = r->c.withdrawn ? r->withdrawn_ms : v->since_ms;
}

static enum err unpack(uint64_t index, struct span value, struct certificate_record *out)
{
	struct reader r = reader_of(value);
	struct certificate_record c = { .c = { .index = index } };

	unpack_head(&r, &c);
	c.rest = span_make(r.at, reader_left(&r));
	unpack_rest(&r, &c);
	if (r.err != OK || c.c.predicate >= PREDICATE_COUNT || c.c.says >= STATUS_COUNT ||
	    c.voices[VOICE_AUTHOR].says >= STATUS_COUNT || c.voices[VOICE_LABORATORY].says >= STATUS_COUNT)
		return state_damaged("certificate");
	settle(&c);
	*out = c;
	return OK;
}

enum err certificate_get(const struct state *st, uint64_t index, struct certificate_record *out)
{
	struct state_key k = key_certificate(index);
	struct span value;
	enum err e = state_get(st, &k, &value);

	return e == OK ? unpack(index, value, out) : e;
}

enum err certificate_find(const struct state *st, struct hash id, struct certificate_record *out)
{
	struct place at;
	enum err e = place_get(st, id, &at);

	if (e == OK && at.kind != KIND_CERTIFICATE)
		e = ERR_NOT_FOUND;
	return e == OK ? certificate_get(st, at.index, out) : e; /* ERR_NOT_FOUND: it folded to nothing */
}

/* The reason that goes with the status which counts. */
static enum err find_reason(const struct state *st, const struct certificate_record *r, struct span *out)
{
	struct certificate_record said;
	enum err e = OK;

	if (r->c.predicate == PREDICATE_STATUS || r->c.withdrawn)
		return OK;
	for (int v = 0; e == OK && v < VOICE_COUNT; v++)
		if (r->voices[v].since_ms != 0 && r->voices[v].since_ms == r->c.status_ms &&
		    r->voices[v].says == r->c.status) {
			e = certificate_get(st, r->voices[v].index, &said);
			if (e == OK)
				*out = said.c.reason;
			else if (e == ERR_NOT_FOUND)
				e = state_damaged("status without its statement");
			break;
		}
	return e;
}

enum err certificate_open(const struct state *st, const struct certificate_record *r, struct certificate *out)
{
	struct reader in = reader_of(r->subjects), cites = reader_of(r->cites);
	struct certificate c = r->c;

	c.subjects = arena_array(st->arena, r->subject_count, sizeof(*c.subjects));
	c.cites = arena_array(st->arena, r->cite_count, sizeof(*c.cites));
	if (c.subjects == NULL || c.cites == NULL)
		return ERR_NO_MEMORY;
	c.subject_count = r->subject_count;
	c.cite_count = r->cite_count;
	for (size_t i = 0; i < c.subject_count; i++)
		c.subjects[i] = read_span(&in, read_u16(&in));
	for (size_t i = 0; i < c.cite_count; i++)
		c.cites[i] = unpack_hash(&cites);
	if (in.err != OK || reader_left(&in) != 0 || cites.err != OK)
		return state_damaged("certificate");
	*out = c;
	return find_reason(st, r, &out->reason);
}

enum voice_of certificate_voice(const struct certificate *c, struct span party)
{
	if (span_equal(c->from, party))
		return VOICE_AUTHOR;
	return c->laboratory.len > 0 && span_equal(c->laboratory, party) ? VOICE_LABORATORY : VOICE_COUNT;
}

enum err certificate_put_head(struct state *st, uint64_t index, const struct certificate_record *r)
{
	struct state_key k = key_certificate(index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_head(&b, r);
	buffer_span(&b, r->rest); /* copied before it is written over */
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

static enum err put_place(struct state *st, struct state_key k, uint64_t index)
{
	key_add_u64(&k, index);
	return view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
}

enum err certificate_put(struct state *st, const struct certificate *c)
{
	static const struct certificate_record untouched;
	struct state_key k = key_certificate(c->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_head(&b, &untouched);
	pack_rest(&b, c);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	if (e == OK)
		e = put_place(st, key_issued(c->from), c->index);
	if (e == OK && c->has_re)
		e = put_place(st, key_hash(STATE_CITING, c->re), c->index);
	for (size_t i = 0; e == OK && i < c->cite_count; i++)
		e = put_place(st, key_hash(STATE_CITING, c->cites[i]), c->index);
	for (size_t i = 0; e == OK && i < c->subject_count; i++)
		e = put_place(st, key_hash(STATE_SUBJECT, hash_span(c->subjects[i])), c->index);
	return e;
}

/* ---- reading ---- */

enum err state_certificate(const struct state *st, struct hash id, struct certificate *out)
{
	struct certificate_record r;
	enum err e = certificate_find(st, id, &r);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "no certificate that is known here");
	return e == OK ? certificate_open(st, &r, out) : e;
}

struct walking {
	const struct state *st;
	size_t skip; /* of the key, before the index */
	certificate_each *each;
	record_each *each_record;
	void *context;
};

static enum err give(const struct walking *w, uint64_t index)
{
	struct certificate_record r;
	struct certificate c;
	enum err e = certificate_get(w->st, index, &r);

	if (e == ERR_NOT_FOUND)
		e = state_damaged("place without its certificate");
	if (e == OK && w->each_record != NULL)
		return w->each_record(w->context, &r);
	if (e == OK)
		e = certificate_open(w->st, &r, &c);
	return e == OK ? w->each(w->context, &c) : e;
}

static enum err index_of(struct span key, size_t skip, uint64_t *out)
{
	struct reader r = reader_of(span_from(key, skip < key.len ? skip : key.len));

	*out = read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("place of a certificate");
}

static enum err on_place(void *context, struct span key, struct span value)
{
	const struct walking *w = context;
	uint64_t index;
	enum err e = index_of(key, w->skip, &index);

	(void)value;
	return e == OK ? give(w, index) : e;
}

static enum err walk(const struct state *st, struct state_key k, certificate_each *each, record_each *each_record,
		     void *context)
{
	struct walking w = { st, k.len, each, each_record, context };

	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), on_place, &w);
}

enum err state_certificates(const struct state *st, struct span from, certificate_each *each, void *context)
{
	return walk(st, from.len > 0 ? key_issued(from) : key_of(STATE_CERTIFICATE), each, NULL, context);
}

enum err state_certificates_after(const struct state *st, struct span from, uint64_t after, certificate_each *each,
				  void *context)
{
	struct state_key k = from.len > 0 ? key_issued(from) : key_of(STATE_CERTIFICATE), start = k;
	struct walking w = { st, k.len, each, NULL, context };

	if (after == UINT64_MAX)
		return OK;
	key_add_u64(&start, after + 1);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), key_view(&start), on_place, &w);
}

enum err certificates_citing(const struct state *st, struct hash id, certificate_each *each, void *context)
{
	return walk(st, key_hash(STATE_CITING, id), each, NULL, context);
}

enum err certificates_citing_records(const struct state *st, struct hash id, record_each *each, void *context)
{
	return walk(st, key_hash(STATE_CITING, id), NULL, each, context);
}

/* ---- by subject ---- */

/* One of the two lists that a package URL with a version leads to. Each is in the order of the ledger. */
struct list {
	struct view_cursor *cursor;
	struct state_key key;
	uint64_t at; /* UINT64_MAX: at its end */
};

static enum err list_take(struct list *l, enum err found, struct span key)
{
	l->at = UINT64_MAX;
	if (found == ERR_NOT_FOUND)
		return OK;
	if (found != OK || key.len < l->key.len || memcmp(key.at, l->key.bytes, l->key.len) != 0)
		return found;
	return index_of(key, l->key.len, &l->at);
}

static enum err list_begin(const struct state *st, struct span subject, struct list *l)
{
	struct span key = SPAN(""), value;
	enum err e = view_cursor_open(st->snapshot, VIEW_STATE, &l->cursor);

	l->key = key_hash(STATE_SUBJECT, hash_span(subject));
	return e == OK ? list_take(l, view_cursor_seek(l->cursor, key_view(&l->key), &key, &value), key) : e;
}

static enum err list_next(struct list *l)
{
	struct span key = SPAN(""), value;

	return list_take(l, view_cursor_next(l->cursor, &key, &value), key);
}

enum err certificates_of(const struct state *st, struct span subject, certificate_each *each, void *context)
{
	struct walking w = { .st = st, .each = each, .context = context };
	struct list lists[2] = { { .at = UINT64_MAX }, { .at = UINT64_MAX } };
	struct span exact, general;
	enum err e = subject_parse(st->arena, subject, &exact, &general);

	if (e == OK)
		e = list_begin(st, exact, &lists[0]);
	if (e == OK && general.len > 0)
		e = list_begin(st, general, &lists[1]);
	while (e == OK) {
		uint64_t next = lists[0].at < lists[1].at ? lists[0].at : lists[1].at;

		if (next == UINT64_MAX)
			break;
		e = give(&w, next);
		for (int i = 0; e == OK && i < 2; i++)
			if (lists[i].at == next)
				e = list_next(&lists[i]);
	}
	view_cursor_close(lists[0].cursor);
	view_cursor_close(lists[1].cursor);
	return e;
}

enum err certificate_at(const struct state *st, uint64_t index, struct certificate *out)
{
	struct certificate_record r;
	enum err e = certificate_get(st, index, &r);

	return e == OK ? certificate_open(st, &r, out) : e;
}

static enum err hits_of(const struct state_key *k, struct view_cursor *c, size_t which, subject_hit *each,
			void *context)
{
	struct span key, value;
	enum err e = view_cursor_seek(c, key_view(k), &key, &value);

	while (e == OK && key.len > k->len && memcmp(key.at, k->bytes, k->len) == 0) {
		uint64_t index;

		if ((e = index_of(key, k->len, &index)) == OK)
			e = each(context, which, index);
		if (e == OK)
			e = view_cursor_next(c, &key, &value);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err certificates_of_many(const struct state *st, const struct hash *subjects, size_t count, subject_hit *each,
			      void *context)
{
	struct sort_key *keys = malloc((2 * count + 1) * sizeof(*keys)), *sorted = keys;
	struct view_cursor *cursor = NULL;
	enum err e = keys == NULL ? fail(ERR_NO_MEMORY, "no room for %zu look-ups", count)
				  : view_cursor_open(st->snapshot, VIEW_STATE, &cursor);

	for (size_t i = 0; e == OK && i < count; i++) {
		struct reader first = reader_of(span_make(subjects[i].bytes, HASH_SIZE));

		keys[i] = (struct sort_key){ read_u64(&first), (uint32_t)i };
	}
	if (e == OK)
		sorted = sort_keys(keys, keys + count, count);
	for (size_t i = 0; e == OK && i < count; i++) {
		struct state_key k = key_hash(STATE_SUBJECT, subjects[sorted[i].at]);

		e = hits_of(&k, cursor, sorted[i].at, each, context);
	}
	view_cursor_close(cursor);
	free(keys);
	return e;
}

/* ---- how it stands ---- */

static bool in_force(const struct certificate *c, int64_t at_ms)
{
	return c->status < STATUS_SUSPENDED && c->start_ms <= at_ms && at_ms < c->end_ms;
}

struct counting {
	const struct certificate *about;
	int64_t at_ms;
	unsigned count;
};

static enum err on_counter(void *context, const struct certificate_record *r)
{
	struct counting *c = context;
	const struct certificate *n = &r->c;

	if (!n->has_re || !hash_equal(n->re, c->about->id) || !in_force(n, c->at_ms))
		return OK;
	if (n->predicate == PREDICATE_COUNTER)
		c->count++;
	if (n->predicate == PREDICATE_STATUS && n->says != STATUS_VALID &&
	    certificate_voice(c->about, n->from) == VOICE_COUNT)
		c->count++;
	return OK;
}

static enum err is_revoked(const struct state *st, const struct certificate *c, bool *yes)
{
	struct key_record k;
	enum err e = keys_find(st, c->from, c->key, &k);

	*yes = e == OK && k.key.revoked;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* What is to be looked at, the nearest first. Nothing is looked at twice, so a circle ends; and it is bounded, so a crowd ends. */
#define LOOKED_AT_MAX 1024
struct resting {
	struct hash ids[LOOKED_AT_MAX];
	uint8_t depth[LOOKED_AT_MAX];
	size_t count, at;
	bool beyond; /* more than is followed */
	struct hash first_beyond;
};

static void rest_add(struct resting *q, struct hash id, unsigned depth)
{
	for (size_t i = 0; i < q->count; i++)
		if (hash_equal(q->ids[i], id))
			return;
	if (q->count == LOOKED_AT_MAX || depth > CERTIFICATE_CHAIN_MAX) {
		if (!q->beyond)
			q->first_beyond = id;
		q->beyond = true;
		return;
	}
	q->ids[q->count] = id;
	q->depth[q->count++] = (uint8_t)depth;
}

static void rest_on(struct resting *q, const struct certificate_record *r, unsigned depth)
{
	struct reader cites = reader_of(r->cites);

	if (r->c.predicate == PREDICATE_VALIDATION && r->c.has_re)
		rest_add(q, r->c.re, depth);
	for (size_t i = 0; i < r->cite_count; i++)
		rest_add(q, unpack_hash(&cites), depth);
}

static enum err look_at(const struct state *st, struct resting *q, int64_t at_ms, struct certificate_standing *out)
{
	struct certificate_record r;
	struct hash id = q->ids[q->at];
	unsigned depth = q->depth[q->at++];
	enum err e = certificate_find(st, id, &r);

	out->rests_on++;
	if (e == ERR_NOT_FOUND)
		out->bad_unknown = true;
	else if (e == OK)
		e = is_revoked(st, &r.c, &out->bad_key_revoked);
	if (e == OK) {
		out->bad_status = r.c.status >= STATUS_SUSPENDED ? r.c.status : STATUS_VALID;
		out->bad_expired = at_ms >= r.c.end_ms;
		rest_on(q, &r, depth + 1);
	}
	out->rests_on_bad =
		out->bad_unknown || out->bad_key_revoked || out->bad_expired || out->bad_status != STATUS_VALID;
	if (out->rests_on_bad)
		out->bad = id;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err walk_down(const struct state *st, const struct certificate *c, int64_t at_ms,
			  struct certificate_standing *out)
{
	struct resting q;
	struct certificate_record r;
	enum err e = certificate_get(st, c->index, &r);

	if (e == ERR_NOT_FOUND)
		e = state_damaged("certificate");
	q.count = q.at = 0;
	q.beyond = false;
	rest_add(&q, c->id, 0);
	q.at = 1;
	if (e == OK)
		rest_on(&q, &r, 1);
	while (e == OK && q.at < q.count && !out->rests_on_bad)
		e = look_at(st, &q, at_ms, out);
	if (e == OK && q.beyond && !out->rests_on_bad) {
		out->rests_on_bad = out->bad_unknown = true;
		out->bad = q.first_beyond;
	}
	return e;
}

enum err certificate_standing(const struct state *st, const struct certificate *c, int64_t at_ms,
			      struct certificate_standing *out)
{
	struct counting n = { c, at_ms, 0 };
	enum err e;

	*out = (struct certificate_standing){
		.status = c->status,
		.not_yet = at_ms < c->start_ms,
		.expired = at_ms >= c->end_ms,
	};
	e = is_revoked(st, c, &out->key_revoked);
	if (e == OK)
		e = certificates_citing_records(st, c->id, on_counter, &n);
	out->counters = n.count;
	return e == OK ? walk_down(st, c, at_ms, out) : e;
}
