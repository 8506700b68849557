/* A verifier key that is accepted is printed again byte for byte; a name that is accepted makes a note. */
#include <stdlib.h>

#include "note/note.h"

static void check_name(struct span name)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	struct arena *a = arena_new(1 << 16);
	struct buffer out = BUFFER(4096);
	struct signer *s = NULL;
	struct note n;

	if (signer_from_seed(name, seed, &s) == OK) {
		if (note_sign(&out, SPAN("text\n"), s) != OK || note_parse(a, buffer_view(&out), &n) != OK ||
		    note_verify(&n, signer_verifier(s), 1, NULL) != OK)
			abort();
		signer_free(s);
	}
	buffer_free(&out);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buffer out = BUFFER(4096);
	struct span in = span_make(data, size);
	struct verifier v;

	if (verifier_parse(in, &v) == OK) {
		buffer_clear(&out);
		verifier_print(&v, &out);
		if (!span_equal(buffer_view(&out), in))
			abort();
	}
	if (size < 40) /* signing is slow */
		check_name(in);
	return 0;
}
