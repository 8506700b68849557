#include "regime/kinds_private.h"

#include <assert.h>
#include <stdio.h>

/* Keys */

struct state_key key_of(enum state_letter letter)
{
	struct state_key k;

	k.bytes[0] = (uint8_t)letter;
	k.len = 1;
	return k;
}

void key_add(struct state_key *k, const void *from, size_t n)
{
	assert(n <= sizeof(k->bytes) - k->len); /* names are at most 255 bytes, what follows them at most 20 */
	memcpy(k->bytes + k->len, from, n);
	k->len += n;
}

void key_add_u8(struct state_key *k, uint8_t v)
{
	key_add(k, &v, 1);
}

void key_add_u64(struct state_key *k, uint64_t v)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	key_add(k, bytes, sizeof(bytes));
}

struct state_key key_id(struct hash id)
{
	struct state_key k = key_of(STATE_ID);

	key_add(&k, id.bytes, HASH_SIZE);
	return k;
}

struct state_key key_matter(enum ledger_id l, uint64_t index)
{
	struct state_key k = key_of(STATE_MATTER);

	key_add_u8(&k, (uint8_t)l);
	key_add_u64(&k, index);
	return k;
}

struct state_key key_filed(uint64_t index)
{
	struct state_key k = key_of(STATE_FILED);

	key_add_u64(&k, index);
	return k;
}

struct state_key key_party(struct span domain)
{
	struct state_key k = key_of(STATE_PARTY);

	key_add(&k, domain.at, domain.len);
	return k;
}

struct state_key key_claims(struct span domain)
{
	struct state_key k = key_of(STATE_CLAIM);

	key_add(&k, domain.at, domain.len);
	key_add_u8(&k, 0);
	return k;
}

static size_t prefix_bytes(struct prefix p, uint8_t out[18])
{
	size_t n = p.address.family == FAMILY_IPV4 ? 4 : 16;

	out[0] = p.address.family;
	out[1] = p.length;
	for (size_t i = 0; i < n; i++) {
		uint64_t half = n - i > 8 ? p.address.high : p.address.low;

		out[2 + i] = (uint8_t)(half >> (8 * ((n - i - 1) % 8)));
	}
	return 2 + n;
}

struct state_key key_claim(struct span domain, const struct addressee *resource)
{
	struct state_key k = key_claims(domain);
	uint8_t bytes[18];

	key_add_u8(&k, (uint8_t)resource->type);
	switch (resource->type) {
	case TO_AS:
		for (int i = 24; i >= 0; i -= 8)
			key_add_u8(&k, (uint8_t)(resource->asn >> i));
		break;
	case TO_PREFIX:
		key_add(&k, bytes, prefix_bytes(resource->prefix, bytes));
		break;
	case TO_COUNTRY:
		key_add(&k, resource->country, 2);
		break;
	case TO_PARTY:
	case TO_ALL:
		assert(!"no resource");
	}
	return k;
}

struct state_key key_tick(struct span origin)
{
	struct state_key k = key_of(STATE_TICK);

	key_add(&k, origin.at, origin.len);
	return k;
}

enum err state_get(const struct state *st, const struct state_key *k, struct span *value)
{
	return view_get(st->snapshot, VIEW_STATE, key_view(k), value);
}

enum err state_put(struct state *st, const struct state_key *k, const struct buffer *value)
{
	return value->err != OK ? value->err : view_put(st->snapshot, VIEW_STATE, key_view(k), buffer_view(value));
}

enum err state_delete(struct state *st, const struct state_key *k)
{
	return view_delete(st->snapshot, VIEW_STATE, key_view(k));
}

enum err state_damaged(const char *what)
{
	return fail(ERR_DAMAGED,
		    "the views hold a %s that does not read; remove the views folder and open the node again", what);
}

/* Parts of values */

static void pack_hash(struct buffer *b, struct hash h)
{
	buffer_bytes(b, h.bytes, HASH_SIZE);
}

static struct hash unpack_hash(struct reader *r)
{
	struct hash h = { { 0 } };

	read_bytes(r, h.bytes, HASH_SIZE);
	return h;
}

/* At most 255 bytes: names, titles, media types. */
static void pack_short(struct buffer *b, struct span s)
{
	assert(s.len <= UINT8_MAX);
	buffer_byte(b, (uint8_t)s.len);
	buffer_span(b, s);
}

static struct span unpack_short(struct reader *r)
{
	return read_span(r, read_u8(r));
}

void pack_prefix(struct buffer *b, struct prefix p)
{
	uint8_t bytes[18];

	buffer_bytes(b, bytes, prefix_bytes(p, bytes));
}

struct prefix unpack_prefix(struct reader *r)
{
	struct prefix p = { 0 };

	p.address.family = read_u8(r);
	p.length = read_u8(r);
	if (p.address.family == FAMILY_IPV4) {
		p.address.low = read_u32(r);
	} else {
		p.address.high = read_u64(r);
		p.address.low = read_u64(r);
	}
	if (r->err == OK &&
	    (p.address.family == FAMILY_IPV4 ? p.length > 32 : p.address.family != FAMILY_IPV6 || p.length > 128))
		r->err = ERR_SYNTAX;
	return p;
}

void pack_addressee(struct buffer *b, const struct addressee *to)
{
	buffer_byte(b, (uint8_t)to->type);
	switch (to->type) {
	case TO_PARTY:
		pack_short(b, to->domain);
		break;
	case TO_AS:
		buffer_u32(b, to->asn);
		break;
	case TO_PREFIX:
		pack_prefix(b, to->prefix);
		break;
	case TO_COUNTRY:
		buffer_bytes(b, to->country, 2);
		break;
	case TO_ALL:
		break;
	}
}

enum err unpack_addressee(struct reader *r, struct addressee *out)
{
	struct addressee to = { 0 };
	uint8_t type = read_u8(r);

	if (type > TO_ALL)
		return ERR_SYNTAX;
	to.type = (enum addressee_type)type;
	switch (to.type) {
	case TO_PARTY:
		to.domain = unpack_short(r);
		break;
	case TO_AS:
		to.asn = read_u32(r);
		break;
	case TO_PREFIX:
		to.prefix = unpack_prefix(r);
		break;
	case TO_COUNTRY:
		read_bytes(r, to.country, 2);
		break;
	case TO_ALL:
		break;
	}
	*out = to;
	return r->err;
}

/* Places */

enum err place_unpack(struct span value, struct place *out)
{
	struct reader r = reader_of(value);

	out->ledger = (enum ledger_id)read_u8(&r);
	out->index = read_u64(&r);
	out->kind = (enum kind)read_u8(&r);
	return r.err == OK && out->ledger < LEDGER_COUNT && out->kind < KIND_COUNT ? OK : state_damaged("place");
}

enum err place_get(const struct state *st, struct hash id, struct place *out)
{
	struct state_key k = key_id(id);
	struct span value;
	enum err e = state_get(st, &k, &value);

	return e == OK ? place_unpack(value, out) : e;
}

static void put_u64(uint8_t out[8], uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

enum err place_put(struct state *st, const struct statement *s)
{
	struct state_key k = key_id(s->id), last = key_of(STATE_LAST);
	uint8_t value[10] = { (uint8_t)st->ledger }, logged[8];
	enum err e;

	put_u64(value + 1, st->index);
	value[9] = (uint8_t)s->kind;
	put_u64(logged, (uint64_t)st->logged_ms);
	e = view_put(st->snapshot, VIEW_STATE, key_view(&k), span_make(value, sizeof(value)));
	return e == OK ? view_put(st->snapshot, VIEW_STATE, key_view(&last), span_make(logged, sizeof(logged))) : e;
}

/* Parties: u8 flags, u8 role, u32 roles, u64 index, u64 logged_ms, 32 statement, u32 key id, u8 algorithm, 32 public key,
 * 32 fingerprint, short title, home, url, u8 number of contacts, u8 number of ledger keys, each contact short, each ledger
 * key u8 ledger and 32 public key. The domain stands in the key. */

#define PARTY_DEMONSTRATION 1
#define PARTY_WITHDRAWN 2

/* A ledger's key is named by its origin. */
static enum err ledger_key_make(struct span node, enum ledger_id l, const uint8_t key[KEY_PUBLIC_SIZE],
				struct verifier *out)
{
	char name[KEY_NAME_MAX + 1];
	int n = snprintf(name, sizeof(name), "%.*s/%s", SPAN_FORMAT(node), ledger_name(l));

	return n < (int)sizeof(name) ? verifier_make(span_of(name), key, out) : fail(ERR_KEY, "a name too long");
}

static bool more_reads(const struct party *p)
{
	struct reader r = reader_of(p->more);

	for (unsigned i = 0; i < p->contact_count; i++)
		unpack_short(&r);
	for (unsigned i = 0; i < p->ledger_key_count; i++)
		if (read_u8(&r) >= LEDGER_COUNT || read_span(&r, KEY_PUBLIC_SIZE).len != KEY_PUBLIC_SIZE)
			return false;
	return r.err == OK && reader_left(&r) == 0;
}

bool party_contact(const struct party *p, unsigned i, struct span *mail)
{
	struct reader r = reader_of(p->more);

	if (i >= p->contact_count)
		return false;
	for (unsigned j = 0; j <= i; j++)
		*mail = unpack_short(&r);
	return r.err == OK;
}

enum err party_ledger_key(const struct party *p, enum ledger_id l, struct verifier *out)
{
	struct reader r = reader_of(p->more);

	for (unsigned i = 0; i < p->contact_count; i++)
		unpack_short(&r);
	for (unsigned i = 0; i < p->ledger_key_count; i++) {
		uint8_t which = read_u8(&r), key[KEY_PUBLIC_SIZE];

		read_bytes(&r, key, sizeof(key));
		if (r.err == OK && which == (uint8_t)l)
			return ledger_key_make(p->domain, l, key, out);
	}
	return fail(ERR_KEY_UNKNOWN, "the party statement of %.*s names no key of its %s ledger",
		    SPAN_FORMAT(p->domain), ledger_name(l));
}

void party_pack_contact(struct buffer *b, struct span mail)
{
	pack_short(b, mail);
}

void party_pack_ledger_key(struct buffer *b, enum ledger_id l, const struct verifier *key)
{
	buffer_byte(b, (uint8_t)l);
	buffer_bytes(b, key->public_key, KEY_PUBLIC_SIZE);
}

enum err party_unpack(struct span key, struct span value, struct party *out)
{
	struct reader r = reader_of(value);
	struct party p = { .domain = span_from(key, 1) };
	uint8_t flags = read_u8(&r);

	p.demonstration = (flags & PARTY_DEMONSTRATION) != 0;
	p.withdrawn = (flags & PARTY_WITHDRAWN) != 0;
	p.role = (enum role)read_u8(&r);
	p.roles = read_u32(&r);
	p.index = read_u64(&r);
	p.logged_ms = (int64_t)read_u64(&r);
	p.statement = unpack_hash(&r);
	p.key.key_id = read_u32(&r);
	p.key.algorithm = (enum key_algorithm)read_u8(&r);
	read_bytes(&r, p.key.public_key, KEY_PUBLIC_SIZE);
	p.fingerprint = unpack_hash(&r);
	p.title = unpack_short(&r);
	p.home = unpack_short(&r);
	p.url = unpack_short(&r);
	p.contact_count = read_u8(&r);
	p.ledger_key_count = read_u8(&r);
	p.more = read_span(&r, reader_left(&r));
	if (r.err != OK || !more_reads(&p) || p.role >= ROLE_COUNT || p.domain.len > KEY_NAME_MAX)
		return state_damaged("party");
	memcpy(p.key.name, p.domain.at, p.domain.len);
	*out = p;
	return OK;
}

enum err party_get(const struct state *st, struct span domain, struct party *out)
{
	struct state_key k = key_party(domain);
	struct span value;
	enum err e = state_get(st, &k, &value);

	if (e == OK)
		e = party_unpack(key_view(&k), value, out);
	else if (e == ERR_NOT_FOUND)
		e = fail(ERR_PARTY_UNKNOWN, "%.*s", SPAN_FORMAT(domain));
	out->domain = domain; /* the key is on this stack */
	return e;
}

enum err party_put(struct state *st, const struct party *p)
{
	struct state_key k = key_party(p->domain);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)((p->demonstration ? PARTY_DEMONSTRATION : 0) | (p->withdrawn ? PARTY_WITHDRAWN : 0)));
	buffer_byte(&b, (uint8_t)p->role);
	buffer_u32(&b, p->roles);
	buffer_u64(&b, p->index);
	buffer_u64(&b, (uint64_t)p->logged_ms);
	pack_hash(&b, p->statement);
	buffer_u32(&b, p->key.key_id);
	buffer_byte(&b, (uint8_t)p->key.algorithm);
	buffer_bytes(&b, p->key.public_key, KEY_PUBLIC_SIZE);
	pack_hash(&b, p->fingerprint);
	pack_short(&b, p->title);
	pack_short(&b, p->home);
	pack_short(&b, p->url);
	buffer_byte(&b, (uint8_t)p->contact_count);
	buffer_byte(&b, (uint8_t)p->ledger_key_count);
	buffer_span(&b, p->more);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* Claims */

enum err claim_unpack(struct span key, struct span value, struct claim *out)
{
	struct reader k = reader_of(span_from(key, 1)), v = reader_of(value);
	struct claim c = { 0 };
	const char *end = memchr(key.at, 0, key.len);

	if (end == NULL)
		return state_damaged("claim");
	c.party = read_span(&k, (size_t)(end - key.at) - 1);
	read_u8(&k);
	c.type = (enum addressee_type)read_u8(&k);
	if (c.type == TO_AS)
		c.asn = read_u32(&k);
	else if (c.type == TO_PREFIX)
		c.prefix = unpack_prefix(&k);
	else if (c.type == TO_COUNTRY)
		read_bytes(&k, c.country, 2);
	else
		return state_damaged("claim");
	c.approved = read_u8(&v) != 0;
	c.approved_ms = (int64_t)read_u64(&v);
	c.approval = unpack_hash(&v);
	if (k.err != OK || reader_left(&k) != 0 || v.err != OK || reader_left(&v) != 0)
		return state_damaged("claim");
	*out = c;
	return OK;
}

struct addressee claim_resource(const struct claim *c)
{
	struct addressee a = { .type = c->type, .asn = c->asn, .prefix = c->prefix };

	memcpy(a.country, c->country, sizeof(a.country));
	return a;
}

enum err claim_put(struct state *st, struct span domain, const struct addressee *resource, const struct claim *c)
{
	struct state_key k = key_claim(domain, resource);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, c->approved);
	buffer_u64(&b, (uint64_t)c->approved_ms);
	pack_hash(&b, c->approval);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* Matters: u8 kind, u16 flags, u8 outcome, u8 class, u64 logged_ms, answered_ms, due_ms, ended_ms, withdrawn_ms,
 * u32 answers, u64 events, 32 id, short from, u8 number of addressees, u16 length of the addressees, the addressees;
 * with a body: u64 size, 32 hash, short media type. Ledger and index stand in the key. */

#define MATTER_ENDED 1
#define MATTER_WITHDRAWN 2
#define MATTER_ANSWERED 4
#define MATTER_MEDIATED 8
#define MATTER_DEMONSTRATION 16
#define MATTER_BODY 32
#define MATTER_SEALED 64

static unsigned matter_flags(const struct matter *m)
{
	return (m->ended ? MATTER_ENDED : 0) | (m->withdrawn ? MATTER_WITHDRAWN : 0) |
	       (m->answered ? MATTER_ANSWERED : 0) | (m->mediated ? MATTER_MEDIATED : 0) |
	       (m->demonstration ? MATTER_DEMONSTRATION : 0) | (m->has_body ? MATTER_BODY : 0) |
	       (m->has_body && m->body.sealed ? MATTER_SEALED : 0);
}

static void set_flags(struct matter *m, unsigned flags)
{
	m->ended = (flags & MATTER_ENDED) != 0;
	m->withdrawn = (flags & MATTER_WITHDRAWN) != 0;
	m->answered = (flags & MATTER_ANSWERED) != 0;
	m->mediated = (flags & MATTER_MEDIATED) != 0;
	m->demonstration = (flags & MATTER_DEMONSTRATION) != 0;
	m->has_body = (flags & MATTER_BODY) != 0;
	m->body.sealed = (flags & MATTER_SEALED) != 0;
}

static void unpack_numbers(struct reader *r, struct matter *m)
{
	m->kind = (enum kind)read_u8(r);
	set_flags(m, read_u16(r));
	m->outcome = (enum outcome)read_u8(r);
	m->class = (enum rsit_class)read_u8(r);
	m->logged_ms = (int64_t)read_u64(r);
	m->answered_ms = (int64_t)read_u64(r);
	m->due_ms = (int64_t)read_u64(r);
	m->ended_ms = (int64_t)read_u64(r);
	m->withdrawn_ms = (int64_t)read_u64(r);
	m->answers = read_u32(r);
	m->events = read_u64(r);
}

enum err matter_unpack(struct span key, struct span value, struct matter *out)
{
	struct reader k = reader_of(span_from(key, 1)), r = reader_of(value);
	struct matter m = { 0 };

	m.ledger = (enum ledger_id)read_u8(&k);
	m.index = read_u64(&k);
	unpack_numbers(&r, &m);
	m.id = unpack_hash(&r);
	m.from = unpack_short(&r);
	m.to_count = read_u8(&r);
	m.addressees = read_span(&r, read_u16(&r));
	if (m.has_body) {
		m.body.size = read_u64(&r);
		m.body.hash = unpack_hash(&r);
		m.body.media_type = unpack_short(&r);
	}
	if (k.err != OK || reader_left(&k) != 0 || r.err != OK || reader_left(&r) != 0 || m.ledger >= LEDGER_COUNT ||
	    m.kind >= KIND_COUNT || m.outcome >= OUTCOME_COUNT || m.class >= CLASS_COUNT)
		return state_damaged("matter");
	m.to.type = TO_ALL;
	if (m.to_count > 0 && !matter_addressee(&m, 0, &m.to))
		return state_damaged("matter");
	*out = m;
	return OK;
}

bool matter_addressee(const struct matter *m, unsigned i, struct addressee *out)
{
	struct reader r = reader_of(m->addressees);
	enum err e = OK;

	if (i >= m->to_count)
		return false;
	for (unsigned j = 0; e == OK && j <= i; j++)
		e = unpack_addressee(&r, out);
	return e == OK;
}

enum err matter_get(const struct state *st, enum ledger_id l, uint64_t index, struct matter *out)
{
	struct state_key k = key_matter(l, index);
	struct span value;
	enum err e = state_get(st, &k, &value);

	if (e == OK)
		e = matter_unpack(key_view(&k), value, out);
	return e == ERR_NOT_FOUND ? state_damaged("place without its matter") : e;
}

enum err matter_put(struct state *st, const struct matter *m)
{
	struct state_key k = key_matter(m->ledger, m->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)m->kind);
	buffer_u16(&b, (uint16_t)matter_flags(m));
	buffer_byte(&b, (uint8_t)m->outcome);
	buffer_byte(&b, (uint8_t)m->class);
	buffer_u64(&b, (uint64_t)m->logged_ms);
	buffer_u64(&b, (uint64_t)m->answered_ms);
	buffer_u64(&b, (uint64_t)m->due_ms);
	buffer_u64(&b, (uint64_t)m->ended_ms);
	buffer_u64(&b, (uint64_t)m->withdrawn_ms);
	buffer_u32(&b, m->answers);
	buffer_u64(&b, m->events);
	pack_hash(&b, m->id);
	pack_short(&b, m->from);
	buffer_byte(&b, (uint8_t)m->to_count);
	buffer_u16(&b, (uint16_t)m->addressees.len);
	buffer_span(&b, m->addressees);
	if (m->has_body) {
		buffer_u64(&b, m->body.size);
		pack_hash(&b, m->body.hash);
		pack_short(&b, m->body.media_type);
	}
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

enum err matter_make(const struct state *st, const struct statement *s, struct matter *out)
{
	struct buffer b = BUFFER(STATEMENT_MAX);
	struct matter m = {
		.id = s->id,
		.kind = s->kind,
		.ledger = st->ledger,
		.index = st->index,
		.logged_ms = st->logged_ms,
		.from = s->from,
		.to = { .type = TO_ALL },
		.has_body = s->has_body,
		.body = s->body,
	};
	const char *copy = NULL;
	enum err e;

	/* Only a notice lists whom it is for; elsewhere `to` is a header without a meaning yet. */
	if (s->kind == KIND_NOTICE)
		m.to_count = (unsigned)s->to_count;
	for (unsigned i = 0; i < m.to_count; i++)
		pack_addressee(&b, &s->to[i]);
	e = b.err;
	if (e == OK && (copy = arena_copy(st->arena, b.at, b.len)) == NULL)
		e = ERR_NO_MEMORY;
	m.addressees = span_make(copy, b.len);
	if (m.to_count > 0)
		m.to = s->to[0];
	buffer_free(&b);
	if (e == OK)
		e = value_yes(s, "demonstration", &m.demonstration);
	*out = m;
	return e;
}
