/* What is printed of evidence that was read is read as the same again, in the same bytes from then on. */
#include <stdlib.h>

#include "proof/evidence.h"

static bool same(const struct evidence *a, const struct evidence *b)
{
	bool yes = a->method == b->method && a->obtained_ms == b->obtained_ms && a->count == b->count;

	for (size_t i = 0; yes && i < a->count; i++)
		yes = a->parts[i].role == b->parts[i].role && span_equal(a->parts[i].source, b->parts[i].source) &&
		      span_equal(a->parts[i].bytes, b->parts[i].bytes);
	return yes;
}

/* Each part is found once by its role. */
static size_t found(const struct evidence *e)
{
	size_t count = 0;

	for (int r = 0; r < PART_COUNT; r++)
		for (size_t at = 0; evidence_next(e, (enum part_role)r, &at) != NULL;)
			count++;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct evidence e, again;
	struct buffer text = BUFFER(2 * PROOF_BODY_MAX), twice = BUFFER(2 * PROOF_BODY_MAX);

	if (a == NULL && (a = arena_new((size_t)64 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (evidence_parse(a, span_make(data, size), &e) != OK)
		return 0;
	if (evidence_print(&e, &text) == OK) {
		if (evidence_parse(a, buffer_view(&text), &again) != OK || !same(&e, &again) || found(&e) != e.count ||
		    evidence_print(&again, &twice) != OK || !span_equal(buffer_view(&text), buffer_view(&twice)))
			abort();
	}
	buffer_free(&text);
	buffer_free(&twice);
	return 0;
}
