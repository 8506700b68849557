#include "proof/resources.h"

static struct address joined(uint64_t high, uint64_t low, enum family family)
{
	return (struct address){ high, low, (uint8_t)family };
}

/* ---- addresses ---- */

/* A BIT STRING as the first or, filled with ones, the last address that begins with it. *bits: its length. */
static struct address read_bits(struct reader *r, enum family family, bool fill, unsigned *bits)
{
	struct reader content = der_into(r, DER_BIT_STRING);
	unsigned unused = read_u8(&content), octets = (unsigned)reader_left(&content),
		 size = family == FAMILY_IPV4 ? 4 : 16;
	uint8_t all[16] = { 0 };
	struct reader whole = reader_of(span_make(all, 16));
	uint64_t high, low;

	if (content.err != OK || unused > 7 || octets > size || (octets == 0 && unused > 0)) {
		r->err = ERR_EVIDENCE;
		return joined(0, 0, family);
	}
	memset(all, fill ? 0xff : 0, size);
	read_bytes(&content, all, octets);
	if (octets > 0 && (all[octets - 1] & ((1u << unused) - 1)) != 0)
		r->err = ERR_EVIDENCE; /* DER: unused bits are zero */
	if (octets > 0 && fill)
		all[octets - 1] |= (uint8_t)((1u << unused) - 1);
	*bits = 8 * octets - unused;
	high = family == FAMILY_IPV4 ? 0 : read_u64(&whole);
	low = family == FAMILY_IPV4 ? read_u32(&whole) : read_u64(&whole);
	return joined(high, low, family);
}

static bool bit_at(struct address a, unsigned i)
{
	if (a.family == FAMILY_IPV4)
		return (a.low >> (31 - i) & 1) != 0;
	return ((i < 64 ? a.high >> (63 - i) : a.low >> (127 - i)) & 1) != 0;
}

/* The shortest prefix at this address that ends at or before `last`. */
static struct prefix widest(struct address first, struct address last)
{
	unsigned length = first.family == FAMILY_IPV4 ? 32 : 128;
	struct prefix p = prefix_of(first, length), wider;

	while (length > 0) {
		wider = prefix_of(first, length - 1);
		if (!address_equal(wider.address, first) || address_compare(prefix_last(wider), last) > 0)
			break;
		p = wider;
		length--;
	}
	return p;
}

/* RFC 3779 sections 2.2.3.7 to 2.2.3.9: a prefix; or a range that is none, zeros cut off its first end and ones off its last. */
static struct range read_range(struct reader *r, enum family family)
{
	struct range range;
	struct reader ends = *r;
	unsigned bits = 0, last_bits = 0;

	if (der_next_is(r, DER_BIT_STRING)) {
		range.first = read_bits(&ends, family, false, &bits);
		range.last = read_bits(r, family, true, &bits);
		return range;
	}
	ends = der_into(r, DER_SEQUENCE);
	range.first = read_bits(&ends, family, false, &bits);
	range.last = read_bits(&ends, family, true, &last_bits);
	der_end(&ends);
	if (ends.err != OK || address_compare(range.first, range.last) >= 0 ||
	    (bits > 0 && !bit_at(range.first, bits - 1)) || (last_bits > 0 && bit_at(range.last, last_bits - 1)) ||
	    address_equal(prefix_last(widest(range.first, range.last)), range.last))
		r->err = ERR_EVIDENCE;
	return range;
}

static enum err add_range(struct resources *out, size_t room, struct range range)
{
	struct range *before = out->address_count > 0 ? &out->addresses[out->address_count - 1] : NULL;
	struct address next;

	if (before != NULL && before->last.family == range.first.family) {
		next = before->last;
		if (!address_next(&next) || address_compare(range.first, next) < 0)
			return ERR_EVIDENCE;
		if (address_equal(range.first, next)) {
			before->last = range.last;
			return OK;
		}
	}
	if (out->address_count == room)
		return ERR_EVIDENCE;
	out->addresses[out->address_count++] = range;
	return OK;
}

enum err resources_read_addresses(struct arena *a, struct span blocks, struct resources *out)
{
	struct reader r = reader_of(blocks), family, ranges;
	size_t room = blocks.len / 4 < RESOURCES_MAX ? blocks.len / 4 : RESOURCES_MAX;
	unsigned before = 0, afi;
	struct reader afi_bytes;

	out->address_count = 0;
	if ((out->addresses = arena_array(a, room, sizeof(*out->addresses))) == NULL)
		return ERR_NO_MEMORY;
	do {
		family = der_into(&r, DER_SEQUENCE);
		afi_bytes = der_into(&family, DER_OCTET_STRING);
		afi = reader_left(&afi_bytes) == 2 ? read_u16(&afi_bytes) : 0; /* no SAFI */
		if (afi <= before || afi > 2)
			return ERR_EVIDENCE;
		before = afi;
		ranges = der_into(&family, DER_SEQUENCE); /* "inherit" would be a NULL */
		do {
			struct range range = read_range(&ranges, afi == 1 ? FAMILY_IPV4 : FAMILY_IPV6);

			if (ranges.err == OK)
				ranges.err = add_range(out, room, range);
		} while (ranges.err == OK && reader_left(&ranges) > 0);
		der_end(&family);
		if (ranges.err != OK || family.err != OK)
			return ERR_EVIDENCE;
	} while (r.err == OK && reader_left(&r) > 0);
	return r.err;
}

/* ---- AS numbers ---- */

static struct as_range read_number(struct reader *r)
{
	struct as_range range;
	struct reader ends;

	if (der_next_is(r, DER_INTEGER)) {
		range.first = range.last = der_number(r, 0, UINT32_MAX);
		return range;
	}
	ends = der_into(r, DER_SEQUENCE);
	range.first = der_number(&ends, 0, UINT32_MAX);
	range.last = der_number(&ends, 0, UINT32_MAX);
	der_end(&ends);
	if (ends.err != OK || range.first >= range.last)
		r->err = ERR_EVIDENCE;
	return range;
}

static enum err add_number(struct resources *out, size_t room, struct as_range range)
{
	struct as_range *before = out->number_count > 0 ? &out->numbers[out->number_count - 1] : NULL;

	if (before != NULL && range.first <= before->last)
		return ERR_EVIDENCE;
	if (before != NULL && range.first == before->last + 1) {
		before->last = range.last;
		return OK;
	}
	if (out->number_count == room)
		return ERR_EVIDENCE;
	out->numbers[out->number_count++] = range;
	return OK;
}

enum err resources_read_numbers(struct arena *a, struct span identifiers, struct resources *out)
{
	struct reader r = reader_of(identifiers), choice, ranges;
	size_t room = identifiers.len / 3 < RESOURCES_MAX ? identifiers.len / 3 : RESOURCES_MAX;

	out->number_count = 0;
	if ((out->numbers = arena_array(a, room, sizeof(*out->numbers))) == NULL)
		return ERR_NO_MEMORY;
	choice = der_into(&r, DER_CONTEXT + 0);
	ranges = der_into(&choice, DER_SEQUENCE); /* "inherit" would be a NULL */
	do {
		struct as_range range = read_number(&ranges);

		if (ranges.err == OK)
			ranges.err = add_number(out, room, range);
	} while (ranges.err == OK && reader_left(&ranges) > 0);
	der_end(&choice);
	der_end(&r); /* routing domain identifiers (RFC 6487 section 4.8.11: not in use) */
	return ranges.err != OK || choice.err != OK || r.err != OK ? ERR_EVIDENCE : OK;
}

/* ---- both ---- */

bool resources_contain(const struct resources *outer, const struct resources *inner)
{
	size_t at = 0;

	for (size_t i = 0; i < inner->address_count; i++) {
		const struct range *in = &inner->addresses[i];

		while (at < outer->address_count && address_compare(outer->addresses[at].last, in->last) < 0)
			at++;
		if (at == outer->address_count || !range_covers(outer->addresses[at], in->first))
			return false;
	}
	at = 0;
	for (size_t i = 0; i < inner->number_count; i++) {
		const struct as_range *in = &inner->numbers[i];

		while (at < outer->number_count && outer->numbers[at].last < in->last)
			at++;
		if (at == outer->number_count || outer->numbers[at].first > in->first)
			return false;
	}
	return true;
}

enum err resources_prefixes(struct arena *a, const struct resources *r, struct prefix **out, size_t *count)
{
	struct address first, last;
	size_t n = 0;

	*count = 0;
	*out = NULL;
	for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
		n = 0;
		for (size_t i = 0; i < r->address_count; i++) {
			first = r->addresses[i].first;
			do {
				struct prefix p = widest(first, r->addresses[i].last);

				if (n == RESOURCES_MAX)
					return ERR_EVIDENCE;
				if (pass == 1)
					(*out)[n] = p;
				n++;
				last = first = prefix_last(p);
			} while (address_compare(last, r->addresses[i].last) < 0 && address_next(&first));
		}
		if (pass == 0 && (*out = arena_array(a, n, sizeof(**out))) == NULL)
			return ERR_NO_MEMORY;
	}
	*count = n;
	return OK;
}
