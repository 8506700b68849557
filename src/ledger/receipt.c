#include "ledger/receipt.h"

#include "base/encoding.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

static enum err parse_extra(struct arena *a, struct span base64, struct span *out)
{
	size_t room = base64.len / 4 * 3, length = 0;
	uint8_t *at = arena_alloc(a, room);

	if (at == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(base64, at, room, &length) != OK || length == 0)
		return fail(ERR_RECEIPT, "extra is base64 of at least one byte");
	*out = span_make(at, length);
	return OK;
}

/* Up to and with the empty line. */
static enum err parse_hashes(struct span *rest, struct merkle_proof *out)
{
	for (out->count = 0;; out->count++) {
		struct span line = span_cut(rest, '\n');
		size_t length = 0;

		if (rest->at == NULL)
			return fail(ERR_RECEIPT, "no empty line behind the proof");
		if (line.len == 0)
			return OK;
		if (out->count == MERKLE_PROOF_MAX)
			return fail(ERR_RECEIPT, "over %d hashes", MERKLE_PROOF_MAX);
		if (base64_decode(line, out->hashes[out->count].bytes, HASH_SIZE, &length) != OK || length != HASH_SIZE)
			return fail(ERR_RECEIPT, "hash %zu is not base64 of 32 bytes", out->count + 1);
	}
}

enum err receipt_parse(struct arena *a, struct span text, struct receipt *out)
{
	struct receipt r = { 0 };
	struct span rest = text, line = span_cut(&rest, '\n');
	enum err e;

	if (rest.at == NULL || !span_is(line, FIRST_LINE))
		return fail(ERR_RECEIPT, "the first line is " FIRST_LINE);
	line = span_cut(&rest, '\n');
	if (span_starts(line, "extra ")) {
		if ((e = parse_extra(a, span_from(line, strlen("extra ")), &r.extra)) != OK)
			return e;
		line = rest.at != NULL ? span_cut(&rest, '\n') : rest;
	}
	if (rest.at == NULL || !span_starts(line, "index ") ||
	    span_u64(span_from(line, strlen("index ")), UINT64_MAX, &r.index) != OK)
		return fail(ERR_RECEIPT, "no line \"index <number>\"");
	if ((e = parse_hashes(&rest, &r.proof)) != OK)
		return e;
	if (rest.len == 0)
		return fail(ERR_RECEIPT, "no checkpoint");
	r.checkpoint_note = rest;
	*out = r;
	return OK;
}

void receipt_print(const struct receipt *r, struct buffer *out)
{
	buffer_text(out, FIRST_LINE "\n");
	if (r->extra.len > 0) {
		buffer_text(out, "extra ");
		base64_append(out, r->extra.at, r->extra.len);
		buffer_byte(out, '\n');
	}
	buffer_text(out, "index ");
	buffer_decimal(out, r->index);
	buffer_byte(out, '\n');
	for (size_t i = 0; i < r->proof.count; i++) {
		base64_append(out, r->proof.hashes[i].bytes, HASH_SIZE);
		buffer_byte(out, '\n');
	}
	buffer_byte(out, '\n');
	buffer_span(out, r->checkpoint_note);
}

enum err receipt_verify(struct arena *a, const struct receipt *r, struct span entry, const struct verifier *ledger,
			struct checkpoint *out)
{
	return receipt_verify_cached(a, r, entry, ledger, NULL, out);
}

enum err receipt_verify_cached(struct arena *a, const struct receipt *r, struct span entry,
			       const struct verifier *ledger, struct checkpoint_cache *cache, struct checkpoint *out)
{
	struct checkpoint c;
	enum err e = checkpoint_open_cached(a, r->checkpoint_note, ledger, cache, &c);

	if (e == OK && merkle_verify_inclusion(r->index, c.size, merkle_leaf(entry), r->proof.hashes, r->proof.count,
					       c.root) != OK)
		e = fail(ERR_PROOF, "the proof does not lead from this entry to the root of %.*s at %ju",
			 SPAN_FORMAT(c.origin), (uintmax_t)c.size);
	if (e == OK && out != NULL)
		*out = c;
	return e;
}
