/* How private records and their keys spell what they have in common. */
#include <assert.h>

#include "regime/private.h"

enum err private_damaged(const char *what)
{
	return fail(ERR_DAMAGED, "a record of %s in the journal does not read", what);
}

void key_add_addressee(struct state_key *k, const struct addressee *to)
{
	struct prefix p = to->prefix;

	key_add_u8(k, (uint8_t)to->type);
	switch (to->type) {
	case TO_PARTY:
		assert(to->domain.len < 254);
		key_add(k, to->domain.at, to->domain.len);
		key_add_u8(k, 0);
		break;
	case TO_AS:
		for (int i = 24; i >= 0; i -= 8)
			key_add_u8(k, (uint8_t)(to->asn >> i));
		break;
	case TO_PREFIX:
		key_add_u8(k, p.address.family);
		key_add_u8(k, p.length);
		key_add_u64(k, p.address.high);
		key_add_u64(k, p.address.low);
		break;
	case TO_COUNTRY:
		key_add(k, to->country, 2);
		break;
	case TO_ALL:
		break;
	}
}

void write_addressee(struct buffer *b, const struct addressee *to)
{
	struct state_key k = { .len = 0 };

	key_add_addressee(&k, to);
	buffer_span(b, key_view(&k));
}

static void wrong(struct reader *r)
{
	if (r->err == OK)
		r->err = ERR_SYNTAX;
}

static struct prefix read_prefix(struct reader *r)
{
	struct prefix p = { .address.family = read_u8(r) }, cut;

	p.length = read_u8(r);
	p.address.high = read_u64(r);
	p.address.low = read_u64(r);
	if (p.address.family == FAMILY_IPV4 ? p.length > 32 || p.address.high != 0 || p.address.low > UINT32_MAX
					    : p.address.family != FAMILY_IPV6 || p.length > 128) {
		wrong(r);
		return p;
	}
	cut = prefix_of(p.address, p.length);
	if (!address_equal(cut.address, p.address))
		wrong(r);
	return p;
}

static struct span read_domain(struct reader *r)
{
	const uint8_t *end = memchr(r->at, 0, reader_left(r));
	struct span domain = read_span(r, end != NULL ? (size_t)(end - r->at) : reader_left(r));

	read_u8(r);
	if (!span_is_domain(domain))
		wrong(r);
	return domain;
}

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

void read_addressee(struct reader *r, struct addressee *out)
{
	uint8_t type = read_u8(r);

	*out = (struct addressee){ .type = TO_ALL };
	if (r->err != OK)
		return;
	if (type > TO_ALL) {
		wrong(r);
		return;
	}
	out->type = (enum addressee_type)type;
	switch (out->type) {
	case TO_PARTY:
		out->domain = read_domain(r);
		break;
	case TO_AS:
		out->asn = read_u32(r);
		break;
	case TO_PREFIX:
		out->prefix = read_prefix(r);
		break;
	case TO_COUNTRY:
		read_bytes(r, out->country, 2);
		if (!upper(out->country[0]) || !upper(out->country[1]))
			wrong(r);
		break;
	case TO_ALL:
		break;
	}
}

void read_class(struct reader *r, enum rsit_class *out)
{
	uint8_t c = read_u8(r);

	if (c >= CLASS_COUNT)
		wrong(r);
	*out = c < CLASS_COUNT ? (enum rsit_class)c : CLASS_NONE;
}
