/* JSON lines read the same in steps of any size as at once. The first byte
 * says the step, the second the longest row. */
#include "../report_law.h"
#include "report/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scratch *s;
	static struct layout *l;
	static struct arena *a; /* owns it */
	struct span text;

	if (size < 2)
		return 0;
	text = span_make(data + 2, size - 2);
	if (s == NULL) {
		const struct report_options options = { .now_ms = INT64_C(1795380000000) };

		if ((a = arena_new(1 << 20)) == NULL || scratch_new(&s) != OK ||
		    report_detect(a, SPAN("events.jsonl"), SPAN("{\"source.ip\":\"8.8.4.4\"}\n"), &options, &l) != OK)
			abort();
		l->skip = l->skip_lines = 0;
	}
	l->row_max = data[1] < 250 ? 1u + data[1] : REPORT_ROW_MAX;
	if (!law_holds(l, s, text, 1u + data[0], l->row_max))
		abort();
	return 0;
}
