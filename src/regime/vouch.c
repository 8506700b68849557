#include "regime/vouch.h"

#include "regime/kinds_private.h"
#include "regime/party_keys.h"

#define TEXT_MAX 280

#define VOUCH_VISITED 1
#define VOUCH_RECOVERY 2

static struct state_key key_side(enum state_letter letter, struct span party)
{
	struct state_key k = key_of(letter);

	key_add(&k, party.at, party.len);
	key_add_u8(&k, 0);
	return k;
}

struct state_key key_vouches_for(struct span party)
{
	return key_side(STATE_VOUCH_FOR, party);
}

/* u8 flags, 32 id, u64 from_ms, u64 until_ms, u64 withdrawn_ms, 32 vouched key, 32 key that signed, short author. The other side
 * (w) has the short name of whom it is for. */
static enum err put(struct state *st, const struct vouch *v, uint64_t index, struct hash signed_by)
{
	struct state_key forward = key_side(STATE_VOUCH_FOR, v->to), by = key_side(STATE_VOUCH_BY, v->from);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	key_add_u64(&forward, index);
	key_add_u64(&by, index);
	buffer_byte(&b, (uint8_t)((v->visited ? VOUCH_VISITED : 0) | (v->recovery ? VOUCH_RECOVERY : 0)));
	pack_hash(&b, v->id);
	buffer_u64(&b, (uint64_t)v->from_ms);
	buffer_u64(&b, (uint64_t)v->until_ms);
	buffer_u64(&b, (uint64_t)v->withdrawn_ms);
	pack_hash(&b, v->vouched_key);
	pack_hash(&b, signed_by);
	pack_short(&b, v->from);
	e = state_put(st, &forward, &b);
	buffer_clear(&b);
	pack_short(&b, v->to);
	if (e == OK)
		e = state_put(st, &by, &b);
	buffer_free(&b);
	return e;
}

/* The name that a key is about, and the index behind it. */
static enum err side_unpack(struct span key, struct span *party, uint64_t *index)
{
	const char *end = memchr(key.at, 0, key.len);
	struct reader r;

	if (end == NULL)
		return state_damaged("vouch");
	*party = span_make(key.at + 1, (size_t)(end - key.at) - 1);
	r = reader_of(span_from(key, party->len + 2));
	*index = read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("vouch");
}

enum err vouch_unpack(const struct state *st, struct span key, struct span value, struct vouch *out,
		      struct hash *signed_by)
{
	struct reader r = reader_of(value);
	struct vouch v = { 0 };
	uint64_t index;
	uint8_t flags = read_u8(&r);
	enum err e = side_unpack(key, &v.to, &index);

	(void)st;
	v.visited = (flags & VOUCH_VISITED) != 0;
	v.recovery = (flags & VOUCH_RECOVERY) != 0;
	v.id = unpack_hash(&r);
	v.from_ms = (int64_t)read_u64(&r);
	v.until_ms = (int64_t)read_u64(&r);
	v.withdrawn_ms = (int64_t)read_u64(&r);
	v.vouched_key = unpack_hash(&r);
	*signed_by = unpack_hash(&r);
	v.from = unpack_short(&r);
	if (e == OK && (r.err != OK || reader_left(&r) != 0))
		e = state_damaged("vouch");
	if (e == OK)
		*out = v;
	return e;
}

/* ---- reading ---- */

struct walking {
	const struct state *st;
	vouch_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct hash signed_by;
	struct vouch v;
	enum err e = vouch_unpack(w->st, key, value, &v, &signed_by);

	return e == OK ? w->each(w->context, &v) : e;
}

enum err vouches_for(const struct state *st, struct span party, vouch_each *each, void *context)
{
	struct walking w = { st, each, context };
	struct state_key k = key_vouches_for(party);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), show, &w);
}

static enum err get(const struct state *st, struct span to, uint64_t index, struct vouch *out, struct hash *signed_by)
{
	struct state_key k = key_vouches_for(to);
	struct span value;
	enum err e;

	key_add_u64(&k, index);
	e = state_get(st, &k, &value);
	if (e == OK)
		e = vouch_unpack(st, key_view(&k), value, out, signed_by);
	else if (e == ERR_NOT_FOUND)
		e = state_damaged("place without its vouch");
	out->to = to; /* the key is on this stack */
	return e;
}

static enum err show_by(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct reader r = reader_of(value);
	struct span by, to = unpack_short(&r);
	struct hash signed_by;
	struct vouch v;
	uint64_t index;
	enum err e = side_unpack(key, &by, &index);

	if (e == OK && (r.err != OK || reader_left(&r) != 0))
		e = state_damaged("vouch");
	if (e == OK)
		e = get(w->st, to, index, &v, &signed_by);
	return e == OK ? w->each(w->context, &v) : e;
}

enum err vouches_by(const struct state *st, struct span party, vouch_each *each, void *context)
{
	struct walking w = { st, each, context };
	struct state_key k = key_side(STATE_VOUCH_BY, party);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), show_by, &w);
}

/* ---- the rules of the kind ---- */

static enum err read(const struct state *st, const struct statement *s, struct vouch *out)
{
	struct vouch v = { .id = s->id, .from = s->from, .from_ms = st->logged_ms };
	enum err e;

	if (s->to_count != 1 || s->to[0].type != TO_PARTY)
		return fail(ERR_STATEMENT_HEADER, "to: one party");
	v.to = s->to[0].domain;
	if (hash_from_hex(statement_header(s, "vouched-key")->value, &v.vouched_key) != OK)
		return fail(ERR_STATEMENT_HEADER, "vouched-key: the fingerprint of a key, 64 digits of lower-case hex");
	v.until_ms = v.from_ms + VOUCH_MAX_MS;
	e = value_time(s, "until", &v.until_ms);
	if (e == OK)
		e = value_yes(s, "visited", &v.visited);
	if (e == OK)
		e = value_yes(s, "recovery", &v.recovery);
	if (e == OK)
		*out = v;
	return e;
}

/* A vouch for a key that the party does not have would count for nothing. */
static enum err check_vouched(const struct state *st, const struct vouch *v)
{
	struct key_record r;
	struct party p;
	enum err e = party_get(st, v->to, &p);

	if (e != OK)
		return e;
	if (!v->recovery) {
		if (p.withdrawn)
			return fail(ERR_PARTY_UNKNOWN, "%.*s withdrew its party statement", SPAN_FORMAT(v->to));
		return hash_equal(v->vouched_key, p.fingerprint)
			       ? OK
			       : fail(ERR_KEY,
				      "vouched-key: not the present key of %.*s; `recovery yes` is for one that shall "
				      "take its place",
				      SPAN_FORMAT(v->to));
	}
	e = keys_find(st, v->to, v->vouched_key, &r);
	if (e == OK)
		return fail(ERR_KEY, "vouched-key: %.*s has it or had it; a recovery is for a new one",
			    SPAN_FORMAT(v->to));
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err vouch_check(const struct state *st, const struct statement *s)
{
	struct vouch v = { .until_ms = 0 };
	enum err e = read(st, s, &v);

	if (e == OK && span_equal(v.to, v.from))
		e = fail(ERR_STATEMENT_HEADER, "to: nobody vouches for itself");
	if (e == OK && v.until_ms <= st->logged_ms)
		e = fail(ERR_STATEMENT_HEADER, "until: it is past");
	if (e == OK && v.until_ms > st->logged_ms + VOUCH_MAX_MS)
		e = fail(ERR_STATEMENT_HEADER, "until: at most 366 days from now; vouch anew then");
	if (e == OK)
		e = value_text(s, "text", TEXT_MAX);
	return e == OK ? check_vouched(st, &v) : e;
}

enum err vouch_fold(struct state *st, const struct statement *s)
{
	struct vouch v = { .until_ms = 0 };
	struct matter m;
	enum err e = read(st, s, &v);

	if (e == OK)
		e = put(st, &v, st->index, s->key);
	if (e == OK && v.recovery)
		e = keys_recovering(st, v.to);
	if (e == OK)
		e = matter_make(st, s, &m);
	return e == OK ? matter_add(st, &m) : e;
}

enum err vouch_withdraw(struct state *st, const struct matter *m)
{
	struct hash signed_by;
	struct addressee to;
	struct vouch v;
	enum err e = matter_addressee(m, 0, &to) ? OK : state_damaged("vouch");

	if (e == OK)
		e = get(st, to.domain, m->index, &v, &signed_by);
	if (e != OK)
		return e;
	v.from = m->from; /* the value is about to be written over */
	v.withdrawn_ms = st->logged_ms;
	if (v.until_ms > st->logged_ms + VOUCH_NOTICE_MS)
		v.until_ms = st->logged_ms + VOUCH_NOTICE_MS;
	return put(st, &v, m->index, signed_by);
}
