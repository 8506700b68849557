/* Address lists, in each of their styles, read the same in steps of any size as at once. The first byte
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
		    report_detect(a, SPAN("list.txt"), SPAN("8.8.4.4\n"), &options, &l) != OK)
			abort();
		l->skip = l->skip_lines = 0;
	}
	l->row_max = data[1] < 250 ? 1u + data[1] : REPORT_ROW_MAX;
	l->style = (enum list_style)(data[0] % 5);
	if (l->style == LIST_NAMED) {
		list_columns_clear(&l->columns);
		list_column_name(&l->columns, SPAN("First_seen (UTC)"), 0);
		list_column_name(&l->columns, SPAN("dst_ip"), 1);
		list_column_name(&l->columns, SPAN("port"), 2);
		list_column_name(&l->columns, SPAN("last seen"), 3);
		list_column_name(&l->columns, SPAN("Malware"), 4);
	}
	if (!law_holds(l, s, text, 1u + data[0], l->row_max))
		abort();
	return 0;
}
