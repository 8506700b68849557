#include "base/reader.h"

struct span read_span(struct reader *r, size_t n)
{
	const uint8_t *p = reader_take(r, n);

	return p != NULL ? span_make(p, n) : (struct span){ NULL, 0 };
}

void read_bytes(struct reader *r, void *out, size_t n)
{
	const uint8_t *p = reader_take(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}
