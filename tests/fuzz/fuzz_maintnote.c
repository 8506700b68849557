/* What any bytes are read as is printed as a calendar that reads the same. */
#include <stdlib.h>

#include "report/maintnote.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct buffer b = BUFFER((size_t)64 << 20);
	struct maintnote *first, *second;
	size_t n, again;

	if (a == NULL)
		return 0;
	if (maintnotes_parse(a, span_make(data, size), &first, &n) == OK) {
		check(n > 0 && maintnotes_print(first, n, &b) == OK);
		check(maintnotes_parse(a, buffer_view(&b), &second, &again) == OK && again == n);
		for (size_t i = 0; i < n; i++)
			check(first[i].start_ms == second[i].start_ms && first[i].end_ms == second[i].end_ms &&
			      first[i].start_ms < first[i].end_ms && first[i].repeat == second[i].repeat &&
			      first[i].repeat_count == second[i].repeat_count && first[i].impact == second[i].impact &&
			      first[i].status == second[i].status && first[i].object_count >= second[i].object_count);
	}
	buffer_free(&b);
	arena_free(a);
	return 0;
}
