/* Whatever a report is: either it is refused with a reason, or it reads the same in steps as at once. The first line is
 * the file's name. */
#include "../report_law.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scratch *s;
	static struct arena *a;
	const struct report_options options = { .now_ms = INT64_C(1795380000000) };
	struct span text = { (const char *)data, size }, name = span_cut(&text, '\n'), head = text;
	struct layout *l;
	enum err e;

	if (s == NULL && ((a = arena_new((size_t)16 << 20)) == NULL || scratch_new(&s) != OK))
		abort();
	if (text.at == NULL)
		return 0;
	if (head.len > REPORT_HEAD)
		head.len = REPORT_HEAD;
	err_clear();
	e = report_detect(a, name, head, &options, &l);
	if (e != OK && err_detail()[0] == '\0')
		abort();
	if (e == OK) {
		if (report_start(l).offset > head.len || layout_format(l) == FORMAT_UNKNOWN || layout_type(l).len == 0)
			abort();
		if (!law_holds(l, s, text, 1 + size % 97, layout_row_max(l)))
			abort();
	}
	arena_reset(a);
	return 0;
}
