/* What is accepted is printed again byte for byte; no input makes the verification of it misbehave. */
#include <stdlib.h>

#include "ledger/receipt.h"

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
	if (receipt_verify(a, &r, SPAN("entry"), &ledger, NULL) == OK)
		abort(); /* nobody has signed by the key of zeros, which is of small order */
	merkle_verify_inclusion(r.index, r.index + size, merkle_empty(), r.proof.hashes, r.proof.count, merkle_empty());
	merkle_verify_consistency(r.index, r.index + size, r.proof.hashes, r.proof.count, merkle_empty(),
				  merkle_empty());
	return 0;
}
