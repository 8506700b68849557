#include "proof/der.h"

static void refuse(struct reader *r)
{
	if (r->err == OK)
		r->err = ERR_EVIDENCE;
	r->at = r->end;
}

struct span der_take(struct reader *r, unsigned tag)
{
	size_t n, octets;

	if (read_u8(r) != tag)
		refuse(r);
	n = read_u8(r);
	if (n >= 0x80) {
		octets = n & 0x7f;
		if (octets == 0 || octets > 4)
			refuse(r);
		n = 0;
		for (size_t i = 0; i < octets && r->err == OK; i++)
			n = n << 8 | read_u8(r);
		if (n < 0x80 || n >> 8 * (octets - 1) == 0)
			refuse(r);
	}
	if (r->err == OK && n > reader_left(r))
		refuse(r);
	if (r->err != OK) {
		r->err = ERR_EVIDENCE; /* also where it ends too early */
		return SPAN("");
	}
	return read_span(r, n);
}

struct reader der_into(struct reader *r, unsigned tag)
{
	struct reader inner = reader_of(der_take(r, tag));

	inner.err = r->err;
	return inner;
}

bool der_next_is(const struct reader *r, unsigned tag)
{
	return r->err == OK && reader_left(r) > 0 && *r->at == tag;
}

uint32_t der_number(struct reader *r, uint32_t min, uint32_t max)
{
	struct reader content = der_into(r, DER_INTEGER);
	size_t n = reader_left(&content);
	uint64_t value = 0;

	if (n == 0 || n > 5 || content.at[0] >= 0x80 || (n > 1 && content.at[0] == 0 && content.at[1] < 0x80))
		refuse(r); /* negative, too large, or not the shortest form */
	while (r->err == OK && reader_left(&content) > 0)
		value = value << 8 | read_u8(&content);
	if (value < min || value > max)
		refuse(r);
	return r->err == OK ? (uint32_t)value : 0;
}

void der_oid(struct reader *r, struct span content)
{
	if (!span_equal(der_take(r, DER_OID), content))
		refuse(r);
}

void der_sha256(struct reader *r)
{
	struct reader algorithm = der_into(r, DER_SEQUENCE);

	der_oid(&algorithm, SPAN("\x60\x86\x48\x01\x65\x03\x04\x02\x01"));
	if (der_next_is(&algorithm, DER_NULL) && der_take(&algorithm, DER_NULL).len > 0)
		refuse(&algorithm);
	der_end(&algorithm);
	if (algorithm.err != OK)
		refuse(r);
}

void der_end(struct reader *r)
{
	if (reader_left(r) > 0)
		refuse(r);
}
