/* What is accepted is printed again byte for byte; no input makes the verification of it misbehave. A guest's receipt is made whole
 * again, byte for byte, from what a node keeps of it and of the entry. */
#include <stdlib.h>

#include "regime/guest.h"

static void as_guest(struct arena *a, struct span in, const struct receipt *r)
{
	static struct buffer again = BUFFER(1 << 20), extra = BUFFER(1 << 20);
	struct guest g = { .bare = BUFFER(1 << 20) };
	struct entry at_home, here = { .is_guest = true };
	struct receipt restored;
	struct statement s;

	if (entry_parse(r->extra, &at_home) != OK || statement_parse(a, at_home.note, &s) != OK ||
	    guest_read(a, &s, in, &g) != OK) {
		buffer_free(&g.bare);
		return;
	}
	here.home_ms = g.home_ms;
	here.note = at_home.note;
	if (at_home.is_guest || guest_restore(a, &here, buffer_view(&g.bare), &extra, &restored) != OK)
		abort();
	buffer_clear(&again);
	receipt_print(&restored, &again);
	if (!span_equal(buffer_view(&again), in))
		abort();
	buffer_free(&g.bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	static struct buffer out = BUFFER(1 << 20);
	static struct verifier ledger = { .name = "l.example", .algorithm = KEY_ED25519 };
	struct span in = span_make(data, size);
	struct receipt r;

	if (a == NULL && (a = arena_new(1 << 21)) == NULL)
		abort();
	arena_reset(a);
	if (receipt_parse(a, in, &r) != OK)
		return 0;
	buffer_clear(&out);
	receipt_print(&r, &out);
	if (!span_equal(buffer_view(&out), in))
		abort();
	as_guest(a, in, &r);
	if (receipt_verify(a, &r, SPAN("entry"), &ledger, NULL) == OK)
		abort(); /* nobody has signed by the key of zeros, which is of small order */
	merkle_verify_inclusion(r.index, r.index + size, merkle_empty(), r.proof.hashes, r.proof.count, merkle_empty());
	merkle_verify_consistency(r.index, r.index + size, r.proof.hashes, r.proof.count, merkle_empty(),
				  merkle_empty());
	return 0;
}
