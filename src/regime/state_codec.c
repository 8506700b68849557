#include "regime/kinds_private.h"

#include <assert.h>
#include <stdio.h>

#define PARTY_NAME_MAX 255

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

void key_add_name(struct state_key *k, struct span name, size_t behind)
{
	struct hash h;

	if (k->len + name.len + 1 + behind <= sizeof(k->bytes)) {
		key_add(k, name.at, name.len);
		key_add_u8(k, 0);
		return;
	}
	h = hash_span(name);
	key_add_u8(k, 1);
	key_add(k, h.bytes, HASH_SIZE);
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

enum err state_get_u64(const struct state *st, const struct state_key *k, const char *what, uint64_t *number)
{
	struct span value;
	struct reader r;
	enum err e = state_get(st, k, &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	*number = read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged(what);
}

enum err state_put_u64(struct state *st, const struct state_key *k, uint64_t number)
{
	struct buffer b = BUFFER(sizeof(number));
	enum err e;

	buffer_u64(&b, number);
	e = state_put(st, k, &b);
	buffer_free(&b);
	return e;
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

void pack_hash(struct buffer *b, struct hash h)
{
	buffer_bytes(b, h.bytes, HASH_SIZE);
}

struct hash unpack_hash(struct reader *r)
{
	struct hash h = { { 0 } };

	read_bytes(r, h.bytes, HASH_SIZE);
	return h;
}

void pack_short(struct buffer *b, struct span s)
{
	assert(s.len <= UINT8_MAX);
	buffer_byte(b, (uint8_t)s.len);
	buffer_span(b, s);
}

struct span unpack_short(struct reader *r)
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

/* Parties: u8 flags, u8 role, u32 roles, u64 index, u64 logged_ms, u64 stated_ms, 32 statement, u32 key id, u8 algorithm, 32 public key,
 * 32 fingerprint, short title, home, url, u8 number of contacts, u8 number of ledger keys, each contact short, each ledger
 * key u8 ledger and 32 public key. The domain stands in the key. */

#define PARTY_DEMONSTRATION 1
#define PARTY_WITHDRAWN 2
#define PARTY_REVOKED 4
#define PARTY_RECOVERING 8

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
	p.revoked = (flags & PARTY_REVOKED) != 0;
	p.recovering = (flags & PARTY_RECOVERING) != 0;
	p.role = (enum role)read_u8(&r);
	p.roles = read_u32(&r);
	p.index = read_u64(&r);
	p.logged_ms = (int64_t)read_u64(&r);
	p.stated_ms = (int64_t)read_u64(&r);
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
	struct state_key k;
	struct span value;
	enum err e;

	out->domain = domain;		 /* the key is on this stack */
	if (domain.len > PARTY_NAME_MAX) /* whoever asks: it would have no room in a key */
		return fail(ERR_PARTY_UNKNOWN, "%.*s…", 80, domain.at);
	k = key_party(domain);
	e = state_get(st, &k, &value);
	if (e == OK)
		e = party_unpack(key_view(&k), value, out);
	else if (e == ERR_NOT_FOUND)
		e = fail(ERR_PARTY_UNKNOWN, "%.*s", SPAN_FORMAT(domain));
	out->domain = domain; /* the key is on this stack */
	return e;
}

enum err state_party_known(const struct state *st, struct span domain, struct party *out)
{
	return party_get(st, domain, out);
}

enum err party_put(struct state *st, const struct party *p)
{
	struct state_key k = key_party(p->domain);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)((p->demonstration ? PARTY_DEMONSTRATION : 0) | (p->withdrawn ? PARTY_WITHDRAWN : 0) |
				  (p->revoked ? PARTY_REVOKED : 0) | (p->recovering ? PARTY_RECOVERING : 0)));
	buffer_byte(&b, (uint8_t)p->role);
	buffer_u32(&b, p->roles);
	buffer_u64(&b, p->index);
	buffer_u64(&b, (uint64_t)p->logged_ms);
	buffer_u64(&b, (uint64_t)p->stated_ms);
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

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

enum err party_own(struct arena *a, struct party *p)
{
	enum err e = own(a, &p->title);

	if (e == OK)
		e = own(a, &p->home);
	if (e == OK)
		e = own(a, &p->url);
	return e == OK ? own(a, &p->more) : e;
}

/* Asked for every statement: only the flags are looked at. */
enum err party_is_recovering(const struct state *st, struct span domain, bool *out)
{
	struct state_key k = key_party(domain);
	struct span value;
	enum err e = state_get(st, &k, &value);

	*out = e == OK && value.len > 0 && ((uint8_t)value.at[0] & PARTY_RECOVERING) != 0;
	return e == ERR_NOT_FOUND ? OK : e;
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
