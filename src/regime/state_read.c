#include "regime/state_private.h"

enum err state_party(const struct state *st, struct span domain, struct party *out)
{
	struct party p;
	enum err e = party_get(st, domain, &p);

	if (e == OK && p.withdrawn)
		e = fail(ERR_PARTY_UNKNOWN, "%.*s withdrew its party statement", SPAN_FORMAT(domain));
	if (e == OK)
		*out = p;
	return e;
}

struct party_walk {
	party_each *each;
	void *context;
};

static enum err show_party(void *context, struct span key, struct span value)
{
	struct party_walk *w = context;
	struct party p;
	enum err e = party_unpack(key, value, &p);

	return e == OK && !p.withdrawn ? w->each(w->context, &p) : e;
}

static enum err walk(const struct state *st, const struct state_key *prefix, const struct state_key *from,
		     view_each *each, void *context)
{
	return view_walk(st->snapshot, VIEW_STATE, key_view(prefix), from != NULL ? key_view(from) : SPAN(""), each,
			 context);
}

enum err state_parties(const struct state *st, party_each *each, void *context)
{
	struct party_walk w = { each, context };
	struct state_key prefix = key_of(STATE_PARTY);

	return walk(st, &prefix, NULL, show_party, &w);
}

struct claim_walk {
	bool approved_only;
	claim_each *each;
	void *context;
};

static enum err show_claim(void *context, struct span key, struct span value)
{
	struct claim_walk *w = context;
	struct claim c;
	enum err e = claim_unpack(key, value, &c);

	return e == OK && (c.approved || !w->approved_only) ? w->each(w->context, &c) : e;
}

enum err state_claims(const struct state *st, bool approved_only, claim_each *each, void *context)
{
	struct claim_walk w = { approved_only, each, context };
	struct state_key prefix = key_of(STATE_CLAIM);

	return walk(st, &prefix, NULL, show_claim, &w);
}

enum err claims_walk(const struct state *st, struct span domain, claim_each *each, void *context)
{
	struct claim_walk w = { false, each, context };
	struct state_key prefix = key_claims(domain);

	return walk(st, &prefix, NULL, show_claim, &w);
}

enum err state_find(const struct state *st, struct hash id, enum ledger_id *l, uint64_t *index)
{
	struct place at;
	enum err e = place_get(st, id, &at);

	if (e == OK) {
		*l = at.ledger;
		*index = at.index;
	}
	return e;
}

struct place_walk {
	place_each *each;
	void *context;
};

static enum err show_place(void *context, struct span key, struct span value)
{
	struct place_walk *w = context;
	struct place at;
	struct hash id;
	enum err e = place_unpack(value, &at);

	if (e == OK && key.len != 1 + HASH_SIZE)
		e = state_damaged("place");
	if (e != OK)
		return e;
	memcpy(id.bytes, key.at + 1, HASH_SIZE);
	return w->each(w->context, id, at.kind, at.ledger, at.index);
}

enum err state_find_beginning(const struct state *st, struct span bytes, place_each *each, void *context)
{
	struct place_walk w = { each, context };
	struct state_key prefix = key_of(STATE_ID);

	if (bytes.len > HASH_SIZE)
		return OK;
	key_add(&prefix, bytes.at, bytes.len);
	return walk(st, &prefix, NULL, show_place, &w);
}

enum err state_matter(const struct state *st, struct hash id, struct matter *out)
{
	struct state_key k;
	struct span value;
	struct place at;
	char hex[HASH_HEX + 1];
	enum err e = place_get(st, id, &at);

	if (e == OK) {
		k = key_matter(at.ledger, at.index);
		e = state_get(st, &k, &value);
	}
	if (e == OK)
		e = matter_unpack(st, key_view(&k), value, out);
	if (e != ERR_NOT_FOUND)
		return e;
	hash_hex(id, hex);
	return fail(ERR_MATTER_UNKNOWN, "%s", hex);
}

struct matter_walk {
	const struct state *st;
	enum kind kind;
	matter_each *each;
	void *context;
};

static enum err show_matter(void *context, struct span key, struct span value)
{
	struct matter_walk *w = context;
	struct matter m;
	enum err e = matter_unpack(w->st, key, value, &m);

	return e == OK && (w->kind == KIND_UNKNOWN || w->kind == m.kind) ? w->each(w->context, &m) : e;
}

enum err state_matters(const struct state *st, enum ledger_id l, enum kind k, uint64_t from, matter_each *each,
		       void *context)
{
	struct matter_walk w = { st, k, each, context };
	struct state_key prefix = key_of(STATE_MATTER), start = key_matter(l, from);

	key_add_u8(&prefix, (uint8_t)l);
	return walk(st, &prefix, &start, show_matter, &w);
}

enum err state_rules(const struct state *st, uint64_t *version)
{
	struct state_key k = key_of(STATE_RULES);
	enum err e;

	*version = 0;
	e = state_get_u64(st, &k, "version of the rules", version);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err state_last(const struct state *st, int64_t *logged_ms)
{
	struct state_key k = key_of(STATE_LAST);
	uint64_t ms = 0;
	enum err e = state_get_u64(st, &k, "time of the last entry", &ms);

	if (e == OK)
		*logged_ms = (int64_t)ms;
	return e;
}

enum err state_tick(const struct state *st, struct tick *out)
{
	struct state_key k = key_of(STATE_TICK);
	struct span value;
	struct reader r;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	out->logged_ms = (int64_t)read_u64(&r);
	read_bytes(&r, out->statement.bytes, HASH_SIZE);
	return r.err == OK ? OK : state_damaged("tick");
}

static void add_with_length(struct hash_stream *h, struct span s)
{
	uint8_t length[4] = { (uint8_t)(s.len >> 24), (uint8_t)(s.len >> 16), (uint8_t)(s.len >> 8), (uint8_t)s.len };

	hash_stream_add(h, length, sizeof(length));
	hash_stream_add(h, s.at, s.len);
}

static enum err digest(void *context, struct span key, struct span value)
{
	add_with_length(context, key);
	add_with_length(context, value);
	return OK;
}

/* Each key and value has its length in front, so that no two states hash the same bytes. */
enum err state_digest(const struct state *st, struct hash *out)
{
	struct hash_stream *h = hash_stream_new();
	enum err e;

	if (h == NULL)
		return ERR_NO_MEMORY;
	e = view_walk(st->snapshot, VIEW_STATE, SPAN(""), SPAN(""), digest, h);
	if (e == OK)
		*out = hash_stream_end(h);
	hash_stream_free(h);
	return e;
}
