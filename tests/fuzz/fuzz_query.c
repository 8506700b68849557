#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "net/query.h"

static void encode(struct buffer *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		buffer_print(out, "%%%02X", (unsigned)(uint8_t)s.at[i]);
}

/* What was read can be written down encoded throughout, and reads the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct query q, again;
	struct buffer text = BUFFER((size_t)1 << 20);
	struct arena *a = arena_new((size_t)1 << 20);

	if (a == NULL)
		abort();
	if (size < 32768 && query_read(a, span_make(data, size), &q) == OK) {
		for (size_t i = 0; i < q.count; i++) {
			if (i > 0)
				buffer_byte(&text, '&');
			encode(&text, q.fields[i].name);
			buffer_byte(&text, '=');
			encode(&text, q.fields[i].value);
		}
		if (text.err != OK || query_read(a, buffer_view(&text), &again) != OK || again.count != q.count)
			abort();
		for (size_t i = 0; i < q.count; i++)
			if (!span_equal(q.fields[i].name, again.fields[i].name) ||
			    !span_equal(q.fields[i].value, again.fields[i].value))
				abort();
	}
	buffer_free(&text);
	arena_free(a);
	return 0;
}
