#include "regime/holding.h"

#include <assert.h>

#include "regime/kinds_private.h"
#include "regime/vouch.h"

/*
 * Bytes and walks
 *
 *	h domain 00 resource, u64 index		u8 basis, u64 from_ms, u64 until_ms, 32 because, addressee
 *	H resource, domain 00, u64 index	nothing
 *
 * resource: u8 type, then u32 AS number | prefix | 2 letters | 32 SHA-256 of a domain, which may be long; it is of one length for
 * each type and family, so keys of one resource stand together, and prefixes of one family come by their length. index: of the
 * entry that began it, in the public ledger. A holding's end moves while it is open; once it is over it is never touched again.
 *
 * Who holds a prefix around another: for each length from the widest on there is one prefix that contains it, and a cursor
 * goes from one that is held to the next. So it costs by how many lengths the party holds, never by how much.
 */

static const char *const bases[BASIS_COUNT] = {
	[BASIS_OPERATOR] = "operator", [BASIS_RSC] = "rsc",	[BASIS_DNSSEC] = "dnssec",
	[BASIS_OBSERVED] = "observed", [BASIS_LEGAL] = "legal", [BASIS_OPENPGP] = "openpgp",
	[BASIS_MANDATE] = "mandate",
};

/* The smaller, the stronger. */
static const uint8_t ranking[BASIS_COUNT] = {
	[BASIS_RSC] = 0,      [BASIS_DNSSEC] = 1, [BASIS_OPERATOR] = 2, [BASIS_MANDATE] = 3,
	[BASIS_OBSERVED] = 4, [BASIS_LEGAL] = 5,  [BASIS_OPENPGP] = 6,
};

const char *basis_name(enum basis b)
{
	return (unsigned)b < BASIS_COUNT ? bases[b] : "unknown";
}

enum err basis_parse(struct span name, enum basis *out)
{
	for (int i = 0; i < BASIS_COUNT; i++)
		if (span_is(name, bases[i])) {
			*out = (enum basis)i;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "%.*s is no basis: operator, rsc, dnssec, observed, legal, openpgp, mandate",
		    name.len > 80 ? 80 : (int)name.len, name.len > 0 ? name.at : "");
}

/* ---- keys ---- */

static void add_resource(struct state_key *k, const struct addressee *r)
{
	struct buffer b = BUFFER(64);
	struct hash h;

	if (r->type == TO_PARTY) {
		h = hash_span(r->domain);
		key_add_u8(k, TO_PARTY);
		key_add(k, h.bytes, HASH_SIZE);
		return;
	}
	pack_addressee(&b, r);
	assert(b.err == OK || b.err == ERR_NO_MEMORY);
	key_add(k, b.at, b.len);
	buffer_free(&b);
}

static struct state_key key_party_holdings(struct span domain)
{
	struct state_key k = key_of(STATE_HOLDING);

	key_add(&k, domain.at, domain.len);
	key_add_u8(&k, 0);
	return k;
}

static struct state_key key_holding(struct span domain, const struct addressee *r)
{
	struct state_key k = key_party_holdings(domain);

	add_resource(&k, r);
	return k;
}

static struct state_key key_holder(const struct addressee *r)
{
	struct state_key k = key_of(STATE_HOLDER);

	add_resource(&k, r);
	return k;
}

/* ---- values ---- */

static enum err holding_put(struct state *st, uint64_t index, const struct holding *h)
{
	struct state_key k = key_holding(h->party, &h->resource);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	key_add_u64(&k, index);
	buffer_byte(&b, (uint8_t)h->basis);
	buffer_u64(&b, (uint64_t)h->from_ms);
	buffer_u64(&b, (uint64_t)h->until_ms);
	pack_hash(&b, h->because);
	pack_addressee(&b, &h->resource);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

static enum err holding_unpack(struct span key, struct span value, struct holding *out, uint64_t *index)
{
	struct reader r = reader_of(value), tail;
	struct holding h = { 0 };
	const char *end = memchr(key.at, 0, key.len);
	uint8_t basis = read_u8(&r);

	h.from_ms = (int64_t)read_u64(&r);
	h.until_ms = (int64_t)read_u64(&r);
	h.because = unpack_hash(&r);
	if (end == NULL || basis >= BASIS_COUNT || unpack_addressee(&r, &h.resource) != OK || r.err != OK ||
	    reader_left(&r) != 0 || key.len < 8)
		return state_damaged("holding");
	tail = reader_of(span_from(key, key.len - 8));
	*index = read_u64(&tail);
	h.basis = (enum basis)basis;
	h.party = span_make(key.at + 1, (size_t)(end - key.at) - 1);
	*out = h;
	return OK;
}

/* ---- the fold's side ---- */

struct found {
	struct holding h;
	uint64_t index;
	struct found *next;
};

struct finding {
	struct arena *arena;
	unsigned bases;
	int64_t after_ms; /* those that end later */
	struct found *first;
};

/* Copied, because the fold will write. */
static enum err keep(void *context, struct span key, struct span value)
{
	struct finding *f = context;
	struct holding h;
	struct found *one;
	uint64_t index;
	enum err e = holding_unpack(key, value, &h, &index);

	if (e != OK || h.until_ms <= f->after_ms || (f->bases & BASIS_BIT(h.basis)) == 0)
		return e;
	if ((one = arena_alloc(f->arena, sizeof(*one))) == NULL)
		return ERR_NO_MEMORY;
	h.party.at = arena_copy(f->arena, h.party.at, h.party.len);
	if (h.party.at != NULL && h.resource.type == TO_PARTY)
		h.resource.domain.at = arena_copy(f->arena, h.resource.domain.at, h.resource.domain.len);
	if (h.party.at == NULL || (h.resource.type == TO_PARTY && h.resource.domain.at == NULL))
		return ERR_NO_MEMORY;
	*one = (struct found){ h, index, f->first };
	f->first = one;
	return OK;
}

static enum err find(const struct state *st, const struct state_key *prefix, unsigned which, int64_t after_ms,
		     struct found **out)
{
	struct finding f = { st->arena, which, after_ms, NULL };
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(prefix), SPAN(""), keep, &f);

	*out = f.first;
	return e;
}

static enum err end_found(struct state *st, const struct found *f, int64_t at_ms)
{
	enum err e = OK;

	for (; e == OK && f != NULL; f = f->next) {
		struct holding h = f->h;

		h.until_ms = at_ms > h.from_ms ? at_ms : h.from_ms;
		e = holding_put(st, f->index, &h);
	}
	return e;
}

enum err holding_begin(struct state *st, const struct holding *h)
{
	struct state_key k = key_holder(&h->resource);
	enum err e = holding_put(st, st->index, h);

	key_add(&k, h->party.at, h->party.len);
	key_add_u8(&k, 0);
	key_add_u64(&k, st->index);
	return e == OK ? view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN("")) : e;
}

enum err holding_extend(struct state *st, struct span party, const struct addressee *resource, uint64_t began,
			int64_t until_ms, bool *was_open)
{
	struct state_key k = key_holding(party, resource);
	struct holding h;
	struct span value;
	uint64_t index;
	enum err e;

	*was_open = false;
	key_add_u64(&k, began);
	e = state_get(st, &k, &value);
	if (e == OK)
		e = holding_unpack(key_view(&k), value, &h, &index);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	*was_open = h.until_ms > st->logged_ms;
	if (!*was_open)
		return OK;
	h.party = party;
	h.resource = *resource;
	h.until_ms = until_ms > h.from_ms ? until_ms : h.from_ms;
	return holding_put(st, began, &h);
}

enum err holding_end(struct state *st, struct span party, const struct addressee *resource, enum basis b, int64_t at_ms)
{
	struct state_key k = key_holding(party, resource);
	struct found *f;
	enum err e = find(st, &k, BASIS_BIT(b), at_ms, &f);

	return e == OK ? end_found(st, f, at_ms) : e;
}

enum err holding_open(const struct state *st, struct span party, const struct addressee *resource, enum basis b,
		      holding_index_each *each, void *context)
{
	struct state_key k = key_holding(party, resource);
	struct found *f;
	enum err e = find(st, &k, BASIS_BIT(b), st->logged_ms, &f);

	for (; e == OK && f != NULL; f = f->next)
		e = each(context, &f->h, f->index);
	return e;
}

enum err holdings_end(struct state *st, struct span party, int64_t at_ms)
{
	struct state_key k = key_party_holdings(party);
	struct found *f;
	enum err e = find(st, &k, ~0u, at_ms, &f);

	if (e == OK)
		e = end_found(st, f, at_ms);
	return e == OK ? claims_wait(st, party) : e;
}

/* ---- asking ---- */

struct asking {
	const struct addressee *resource;
	unsigned bases;
	int64_t at_ms;
	struct holding best;
	bool held;
};

static bool holds(const struct holding *h, unsigned which, int64_t at_ms)
{
	return (which & BASIS_BIT(h->basis)) != 0 && h->from_ms <= at_ms && at_ms < h->until_ms;
}

static bool stronger(const struct holding *a, const struct holding *b)
{
	return ranking[a->basis] != ranking[b->basis] ? ranking[a->basis] < ranking[b->basis] : a->from_ms < b->from_ms;
}

static enum err consider(struct asking *q, struct span key, struct span value)
{
	struct holding h;
	uint64_t index;
	enum err e = holding_unpack(key, value, &h, &index);

	if (e == OK && holds(&h, q->bases, q->at_ms) && (!q->held || stronger(&h, &q->best))) {
		q->best = h;
		q->held = true;
	}
	return e;
}

/* All of one resource, from where the cursor stands. *key is what it stands on in the end; empty: there is no more. */
static enum err consider_all(struct view_cursor *c, const struct state_key *exact, struct asking *q, struct span *key,
			     struct span *value)
{
	enum err e = OK;

	while (e == OK && key->len == exact->len + 8 && memcmp(key->at, exact->bytes, exact->len) == 0)
		if ((e = consider(q, *key, *value)) == OK)
			e = view_cursor_next(c, key, value);
	return e;
}

/* The prefix of that length around another. */
static struct addressee wider(const struct addressee *r, unsigned length)
{
	struct addressee w = *r;

	w.prefix = prefix_of(r->prefix.address, length);
	return w;
}

/* domain 00, type, family, length */
static enum err ask_prefix(struct view_cursor *c, struct span party, struct asking *q)
{
	size_t head = 1 + party.len + 1 + 2;
	unsigned length = 0;
	struct span key, value;
	enum err e = OK;

	while (e == OK && length <= q->resource->prefix.length) {
		struct addressee r = wider(q->resource, length);
		struct state_key exact = key_holding(party, &r);
		bool here;

		e = view_cursor_seek(c, key_view(&exact), &key, &value);
		if (e == OK)
			e = consider_all(c, &exact, q, &key, &value);
		if (e != OK)
			break;
		here = key.len > head && memcmp(key.at, exact.bytes, head) == 0;
		if (!here)
			return OK; /* no longer ones of this family */
		length = (uint8_t)key.at[head] > length ? (uint8_t)key.at[head] : length + 1;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err ask_exact(struct view_cursor *c, struct span party, struct asking *q)
{
	struct state_key exact = key_holding(party, q->resource);
	struct span key, value;
	enum err e = view_cursor_seek(c, key_view(&exact), &key, &value);

	if (e == OK)
		e = consider_all(c, &exact, q, &key, &value);
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err holding_at(const struct state *st, struct span party, const struct addressee *resource, unsigned which,
		    int64_t at_ms, bool *held, struct holding *out)
{
	struct asking q = { .resource = resource, .bases = which, .at_ms = at_ms };
	struct view_cursor *c = NULL;
	enum err e;

	*held = false;
	if (resource->type == TO_ALL || party.len == 0 || party.len > KEY_NAME_MAX)
		return OK;
	if ((e = view_cursor_open(st->snapshot, VIEW_STATE, &c)) != OK)
		return e;
	e = resource->type == TO_PREFIX ? ask_prefix(c, party, &q) : ask_exact(c, party, &q);
	view_cursor_close(c);
	if (e != OK)
		return e;
	*held = q.held;
	if (q.held && out != NULL)
		*out = q.best;
	return OK;
}

struct walking {
	const struct state *st;
	unsigned bases;
	int64_t at_ms;
	bool all;
	holding_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct holding h;
	uint64_t index;
	enum err e = holding_unpack(key, value, &h, &index);

	return e == OK && (w->all || holds(&h, w->bases, w->at_ms)) ? w->each(w->context, &h) : e;
}

enum err holdings_walk(const struct state *st, struct span party, holding_each *each, void *context)
{
	struct walking w = { .all = true, .each = each, .context = context };
	struct state_key prefix = party.len > 0 ? key_party_holdings(party) : key_of(STATE_HOLDING);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show, &w);
}

enum err holdings_at(const struct state *st, unsigned which, int64_t at_ms, holding_each *each, void *context)
{
	struct walking w = { .bases = which, .at_ms = at_ms, .each = each, .context = context };
	struct state_key prefix = key_of(STATE_HOLDING);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show, &w);
}

enum err holdings_of(const struct state *st, struct span party, unsigned which, int64_t at_ms, holding_each *each,
		     void *context)
{
	struct walking w = { .bases = which, .at_ms = at_ms, .each = each, .context = context };
	struct state_key prefix = key_party_holdings(party);

	return party.len > 0 ? view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show, &w) : OK;
}

/* Of one resource, as its holders' keys name them: domain 00, index behind what they begin with. */
static enum err show_holder(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct span h_value, resource, domain;
	struct state_key k = key_of(STATE_HOLDING);
	size_t head;
	enum err e;

	(void)value;
	if (key.len < 3 + 8)
		return state_damaged("holder");
	switch (key.at[1]) {
	case TO_AS:
		head = 1 + 1 + 4;
		break;
	case TO_COUNTRY:
		head = 1 + 1 + 2;
		break;
	case TO_PARTY:
		head = 1 + 1 + HASH_SIZE;
		break;
	default:
		head = 1 + 1 + 2 + ((uint8_t)key.at[2] == FAMILY_IPV4 ? 4 : 16);
	}
	if (key.len < head + 1 + 1 + 8)
		return state_damaged("holder");
	resource = span_make(key.at + 1, head - 1);
	domain = span_make(key.at + head, key.len - head - 1 - 8);
	key_add(&k, domain.at, domain.len);
	key_add_u8(&k, 0);
	key_add(&k, resource.at, resource.len);
	key_add(&k, key.at + key.len - 8, 8);
	e = state_get(w->st, &k, &h_value);
	if (e == OK) {
		struct holding h;
		uint64_t index;

		e = holding_unpack(key_view(&k), h_value, &h, &index);
		h.party = domain; /* the key above is on this stack */
		return e == OK && holds(&h, w->bases, w->at_ms) ? w->each(w->context, &h) : e;
	}
	return e == ERR_NOT_FOUND ? state_damaged("holder without its holding") : e;
}

enum err holders_at(const struct state *st, const struct addressee *resource, unsigned which, int64_t at_ms,
		    holding_each *each, void *context)
{
	struct walking w = { .st = st, .bases = which, .at_ms = at_ms, .each = each, .context = context };
	struct state_key exact;
	enum err e = OK;

	if (resource->type == TO_ALL)
		return OK;
	if (resource->type != TO_PREFIX) {
		exact = key_holder(resource);
		return view_walk(st->snapshot, VIEW_STATE, key_view(&exact), SPAN(""), show_holder, &w);
	}
	for (unsigned length = resource->prefix.length + 1u; e == OK && length-- > 0;) {
		struct addressee r = wider(resource, length);

		exact = key_holder(&r);
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&exact), SPAN(""), show_holder, &w);
	}
	return e;
}

/* ---- a profile ---- */

struct profiling {
	struct span party;
	struct profile *out;
	struct addressee last; /* the keys come by resource */
	bool any;
};

static enum err count(void *context, const struct holding *h)
{
	struct profiling *p = context;

	p->out->bases |= BASIS_BIT(h->basis);
	if (h->until_ms != INT64_MAX && (p->out->next_end_ms == 0 || h->until_ms < p->out->next_end_ms))
		p->out->next_end_ms = h->until_ms;
	if (h->resource.type == TO_PARTY && span_equal(h->resource.domain, p->party))
		p->out->domain |= BASIS_BIT(h->basis);
	if (p->any && addressee_equal(&p->last, &h->resource))
		return OK;
	p->last = h->resource;
	p->any = true;
	p->out->prefixes += h->resource.type == TO_PREFIX;
	p->out->numbers += h->resource.type == TO_AS;
	p->out->countries += h->resource.type == TO_COUNTRY;
	return OK;
}

#define NEWEST 1000 /* of the notices to a party are looked at */

struct answers {
	int64_t last_ms;
	unsigned seen;
};

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

static enum err look_at_notice(void *context, const struct matter *m)
{
	struct answers *a = context;

	if (m->answered_ms > a->last_ms)
		a->last_ms = m->answered_ms;
	return ++a->seen < NEWEST ? OK : ENOUGH;
}

/* By a person, not by a machine that has it (`received`). */
static enum err last_answer(const struct state *st, struct span party, int64_t *out)
{
	struct addressee to = { .type = TO_PARTY, .domain = party };
	struct answers a = { 0 };
	enum err e = state_matters_to(st, &to, CLASS_NONE, look_at_notice, &a);

	*out = a.last_ms;
	return e == ENOUGH ? OK : e;
}

enum err profile_of(const struct state *st, struct span party, int64_t at_ms, struct profile *out)
{
	struct profiling p = { .party = party, .out = out };

	struct sponsorship s = { 0 };
	enum err e;

	*out = (struct profile){ 0 };
	e = holdings_of(st, party, ~0u, at_ms, count, &p);
	if (e == OK)
		e = sponsorship_of(st, party, at_ms, &s);
	out->vouches = s.vouches;
	out->sponsors = s.sponsors;
	return e == OK ? last_answer(st, party, &out->last_answered_ms) : e;
}
