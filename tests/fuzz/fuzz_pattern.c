/* A pattern that is taken is taken in parentheses too and names the same; what it names lies inside of it. */
#include <stdlib.h>

#include "base/buffer.h"
#include "stix/pattern.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct span text = span_make(data, size);
	struct buffer inside = BUFFER((size_t)1 << 24);
	struct pattern p, q;
	enum err e;

	if (a == NULL && (a = arena_new((size_t)1 << 26)) == NULL)
		abort();
	e = pattern_read(a, text, &p);
	check(e == OK || e == ERR_SYNTAX || e == ERR_DEPTH);
	buffer_byte(&inside, '(');
	buffer_span(&inside, text);
	buffer_text(&inside, "\n)"); /* a comment may end the text */
	if (e == OK) {
		e = pattern_read(a, buffer_view(&inside), &q);
		check(e == ERR_DEPTH ||
		      (e == OK && q.address_count == p.address_count && q.group_count == p.group_count));
		for (size_t i = 0; i < p.address_count; i++) {
			struct span s = p.addresses[i].text;

			check(s.at >= text.at && s.len <= size && s.at + s.len <= text.at + size);
			check(p.addresses[i].group < p.group_count);
			check(e != OK ||
			      (span_equal(s, q.addresses[i].text) && p.addresses[i].role == q.addresses[i].role));
		}
	}
	buffer_free(&inside);
	arena_reset(a);
	return 0;
}
