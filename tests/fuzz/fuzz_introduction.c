/* A node is believed only by what it signed itself: what is accepted verifies under the key that it names, and again if read again. */
#include <stdlib.h>

#include "regime/introduction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct introduction i, again;
	struct hash print;

	if (a == NULL && (a = arena_new((size_t)16 << 20)) == NULL)
		abort();
	arena_reset(a);
	if (introduction_read(a, span_make(data, size), &i) != OK)
		return 0;
	print = verifier_fingerprint(&i.key);
	if (!hash_equal(print, i.fingerprint) || !i.has[LEDGER_PUBLIC] || note_verify(&i.s.note, &i.key, 1, NULL) != OK)
		abort();
	if (introduction_read(a, i.s.note.whole, &again) != OK || !span_equal(again.node, i.node))
		abort();
	return 0;
}
