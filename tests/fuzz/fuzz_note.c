/* One text, one note: what is accepted is printed again byte for byte. */
#include <stdlib.h>

#include "base/encoding.h"
#include "note/note.h"

static void print_line(const struct note_line *l, struct buffer *out)
{
	struct buffer blob = BUFFER(1 << 20);

	buffer_u32(&blob, l->key_id);
	buffer_span(&blob, l->signature);
	buffer_text(out, "\xe2\x80\x94 ");
	buffer_span(out, l->name);
	buffer_byte(out, ' ');
	base64_append(out, blob.at, blob.len);
	buffer_byte(out, '\n');
	buffer_free(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	static struct buffer out = BUFFER(1 << 20);
	struct span in = span_make(data, size);
	struct note n;

	if (a == NULL && (a = arena_new(1 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (note_parse(a, in, &n) != OK)
		return 0;
	buffer_clear(&out);
	buffer_span(&out, n.text);
	buffer_byte(&out, '\n');
	for (size_t i = 0; i < n.line_count; i++)
		print_line(&n.lines[i], &out);
	if (!span_equal(buffer_view(&out), in) || !span_equal(n.whole, in))
		abort();
	return 0;
}
