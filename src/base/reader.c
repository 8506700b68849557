#include "base/reader.h"

struct reader reader_of(struct span s)
{
	const uint8_t *at = (const uint8_t *)(s.at != NULL ? s.at : "");

	return (struct reader){ .at = at, .end = at + s.len };
}

static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->err == OK && reader_left(r) < n)
		r->err = ERR_SHORT;
	if (r->err != OK)
		return NULL;
	r->at += n;
	return p;
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t read_integer(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);

	return p != NULL ? big_endian(p, n) : 0;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_integer(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_integer(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_integer(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_integer(r, 8);
}

struct span read_span(struct reader *r, size_t n)
{
	const uint8_t *p = take(r, n);

	return p != NULL ? span_make(p, n) : (struct span){ NULL, 0 };
}

void read_bytes(struct reader *r, void *out, size_t n)
{
	const uint8_t *p = take(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}
