/* An envelope that is taken is printed, read again, and printed as the same bytes; who signed it has signed it then too. */
#include <stdlib.h>

#include "regime/dsse.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[KEY_SEED_SIZE] = { 1 };
	static struct arena *a;
	static struct signer *key;
	static struct dsse d, again;
	struct buffer first = BUFFER(4 * DSSE_MAX), second = BUFFER(4 * DSSE_MAX);
	bool signed_before;

	if (a == NULL &&
	    ((a = arena_new((size_t)256 << 20)) == NULL || signer_from_seed(SPAN("fuzz.example"), seed, &key) != OK))
		abort();
	arena_reset(a);
	if (dsse_parse(a, span_make(data, size), &d) != OK)
		return 0;
	signed_before = dsse_signed_by(&d, signer_verifier(key));
	if (d.signature_count < DSSE_SIGNATURES_MAX)
		check(dsse_sign(a, &d, key) == (signed_before ? ERR_EXISTS : OK));
	dsse_print(&d, &first);
	check(first.err == OK);
	check(dsse_parse(a, buffer_view(&first), &again) == OK);
	check(span_equal(again.payload, d.payload) && span_equal(again.payload_type, d.payload_type));
	check(again.signature_count == d.signature_count);
	for (size_t i = 0; i < d.signature_count; i++)
		check(span_equal(again.signatures[i].keyid, d.signatures[i].keyid) &&
		      span_equal(again.signatures[i].signature, d.signatures[i].signature));
	check(dsse_signed_by(&again, signer_verifier(key)) ==
	      (signed_before || d.signature_count < DSSE_SIGNATURES_MAX || dsse_signed_by(&d, signer_verifier(key))));
	dsse_print(&again, &second);
	check(span_equal(buffer_view(&first), buffer_view(&second)));
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
