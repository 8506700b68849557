/* IODEF: whatever the document, what comes out of it is within bounds and in its place, and the same document says the
 * same again, in UTF-16 where it is ASCII. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/json.h"
#include "report/layout.h"
#include "report/xml.h"

struct said {
	struct buffer out;
	struct span text;
	bool places;
};

static enum err on_event(void *context, const struct event *e)
{
	static struct arena *a;
	struct said *s = context;
	struct yyjson_doc *doc;

	if (a == NULL && (a = arena_new((size_t)4 << 20)) == NULL)
		abort();
	if (e->format != FORMAT_IODEF || e->class == CLASS_NONE || class_is_content(e->class) || e->time_ms == 0 ||
	    address_special(e->source) != NULL)
		abort();
	if (e->raw.len > REPORT_ROW_MAX || memchr(e->raw.at, '\n', e->raw.len) != NULL ||
	    json_read(a, e->raw, &doc) != OK)
		abort();
	arena_reset(a);
	if (s->places && (e->offset >= s->text.len || s->text.at[e->offset] != '<'))
		abort();
	buffer_print(&s->out, "%lld %u %u %u ", (long long)e->time_ms, e->source_port, e->target_port, e->class);
	buffer_span(&s->out, e->raw);
	return OK;
}

static enum err on_reject(void *context, const struct reject *r)
{
	struct said *s = context;

	if (r->why == OK || r->raw.len > REPORT_REJECT_MAX || r->offset > s->text.len)
		abort();
	buffer_print(&s->out, "%s %s\n", err_code(r->why), r->field != NULL ? r->field : "");
	return OK;
}

static void read_all(struct scratch *scratch, struct span text, bool places, struct said *out)
{
	static const struct layout l = { .format = FORMAT_IODEF,
					 .framing = FRAME_WHOLE,
					 .class = CLASS_UNDETERMINED,
					 .latest_ms = INT64_C(1795380000000),
					 .row_max = REPORT_DOCUMENT_MAX };
	const struct report_cursor from = { 0, 1, false };
	const struct report_sink sink = { on_event, on_reject, out };

	*out = (struct said){ BUFFER((size_t)1 << 28), text, places };
	if (report_parse(&l, scratch, text, &from, &sink) != OK || out->out.err != OK)
		abort();
}

/* Of ASCII: each byte in two. */
static struct span widened(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		buffer_byte(b, (uint8_t)text.at[i]);
		buffer_byte(b, 0);
	}
	return buffer_view(b);
}

static bool is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= 0 || text.at[i] == 0x7f)
			return false;
	/* blanks at the end are not the document's, but would be in two bytes */
	return memmem(text.at, text.len, "encoding", 8) == NULL && text.len >= 2 && text.at[0] == '<' &&
	       text.at[text.len - 1] > ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scratch *scratch;
	struct span text = span_make(data, size);
	struct buffer wide = BUFFER((size_t)1 << 26);
	struct said first, second;

	if (scratch == NULL && scratch_new(&scratch) != OK)
		abort();
	read_all(scratch, text, is_plain(text), &first);
	if (is_plain(text)) {
		buffer_bytes(&wide, "\xff\xfe", 2);
		read_all(scratch, widened(&wide, text), false, &second);
	} else {
		read_all(scratch, text, false, &second);
	}
	if (!span_equal(buffer_view(&first.out), buffer_view(&second.out)))
		abort();
	xml_root_is(text, "IODEF-Document");
	buffer_free(&wide);
	buffer_free(&first.out);
	buffer_free(&second.out);
	return 0;
}
