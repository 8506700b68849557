/* Documents of JSON (XARF, IDEA, STIX) read the same in steps of any size as at once, and what is kept of each event is
 * JSON itself. The first byte says the step, the second the longest document, the third the format. */
#include "../report_law.h"
#include "base/json.h"
#include "report/layout.h"

static enum err each_event(void *context, const struct event *e)
{
	struct arena *a = context;
	struct yyjson_doc *doc;

	arena_reset(a);
	if (json_read(a, e->raw, &doc) != OK)
		abort();
	return OK;
}

static enum err each_reject(void *context, const struct reject *r)
{
	(void)context;
	return r->why != OK ? OK : ERR_USAGE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const heads[] = { "{\"xarf_version\":1}", "{\"Format\":\"IDEA0\"}",
					     "{\"type\":\"bundle\"}" };
	static struct layout *layouts[6];
	static struct scratch *s;
	static struct arena *a, *rows;
	struct span text;
	struct layout *l;

	if (size < 3)
		return 0;
	if (s == NULL) {
		const struct report_options options = { .now_ms = INT64_C(1795380000000) };

		if ((a = arena_new(1 << 20)) == NULL || (rows = arena_new(1 << 24)) == NULL || scratch_new(&s) != OK)
			abort();
		for (int i = 0; i < 6; i++) {
			if (report_detect(a, SPAN("x"), span_of(heads[i / 2]), &options, &layouts[i]) != OK)
				abort();
			layouts[i]->framing = i % 2 == 0 ? FRAME_LINES : FRAME_JSON;
		}
	}
	text = span_make(data + 3, size - 3);
	l = layouts[data[2] % 6];
	l->row_max = data[1] < 200 ? 1u + 4u * data[1] : REPORT_DOCUMENT_MAX;
	if (!law_holds(l, s, text, 1u + data[0], l->row_max))
		abort();
	if (report_parse(l, s, text, &(struct report_cursor){ 0, 1, false },
			 &(struct report_sink){ each_event, each_reject, rows }) != OK)
		abort();
	return 0;
}
