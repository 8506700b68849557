/* Pages with tables: what comes out of one is within bounds, in its place, and the same in steps of any size. */
#include "../report_law.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scratch *s;
	static struct layout *l;
	static struct arena *a; /* owns it */

	if (s == NULL) {
		const struct report_options options = { .now_ms = INT64_C(1795380000000) };

		if ((a = arena_new(1 << 20)) == NULL || scratch_new(&s) != OK ||
		    report_detect(a, SPAN("x.html"), SPAN("<html><table></table></html>"), &options, &l) != OK)
			abort();
	}
	if (!law_holds(l, s, span_make(data, size), 1 + size % 97, layout_row_max(l)))
		abort();
	return 0;
}
