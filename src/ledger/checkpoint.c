#include "ledger/checkpoint.h"

#include "base/encoding.h"
#include "ledger/merkle.h"

#define TEXT_MAX 1024

/* Lines that are not empty, each ended by its LF; also none at all. */
static bool extensions_valid(struct span s)
{
	if (s.len == 0)
		return true;
	if (s.at[0] == '\n' || s.at[s.len - 1] != '\n')
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (s.at[i] == '\n' && s.at[i - 1] == '\n')
			return false;
	return true;
}

enum err checkpoint_parse(struct span text, struct checkpoint *out)
{
	struct checkpoint c = { 0 };
	struct span rest = text, size, root;
	size_t length = 0;

	c.origin = span_cut(&rest, '\n');
	if (rest.at == NULL || c.origin.len == 0)
		return fail(ERR_CHECKPOINT, "the first line is the origin");
	size = span_cut(&rest, '\n');
	if (rest.at == NULL || span_u64(size, UINT64_MAX, &c.size) != OK)
		return fail(ERR_CHECKPOINT, "the second line is the size");
	root = span_cut(&rest, '\n');
	if (rest.at == NULL || base64_decode(root, c.root.bytes, HASH_SIZE, &length) != OK || length != HASH_SIZE)
		return fail(ERR_CHECKPOINT, "the third line is the root in base64");
	c.extensions = rest;
	if (!extensions_valid(rest))
		return fail(ERR_CHECKPOINT, "an extension line is empty or does not end");
	if (c.size == 0 && !hash_equal(c.root, merkle_empty()))
		return fail(ERR_CHECKPOINT, "an empty ledger with the root of another");
	*out = c;
	return OK;
}

void checkpoint_print(const struct checkpoint *c, struct buffer *out)
{
	buffer_span(out, c->origin);
	buffer_byte(out, '\n');
	buffer_decimal(out, c->size);
	buffer_byte(out, '\n');
	base64_append(out, c->root.bytes, HASH_SIZE);
	buffer_byte(out, '\n');
}

/* The slot for this note under this key, and what stands there if it was opened. */
static struct hash *slot_of(struct checkpoint_cache *cache, struct span note, const struct verifier *ledger,
			    struct hash *identity)
{
	const uint8_t algorithm = (uint8_t)ledger->algorithm;
	const struct span parts[] = { span_make((const char *)&algorithm, 1),
				      span_make((const char *)ledger->public_key, KEY_PUBLIC_SIZE),
				      span_make(ledger->name, strlen(ledger->name) + 1), note };

	*identity = hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
	return &cache->opened[identity->bytes[0] % CHECKPOINT_CACHE];
}

enum err checkpoint_open(struct arena *a, struct span note, const struct verifier *ledger, struct checkpoint *out)
{
	return checkpoint_open_cached(a, note, ledger, NULL, out);
}

enum err checkpoint_open_cached(struct arena *a, struct span note, const struct verifier *ledger,
				struct checkpoint_cache *cache, struct checkpoint *out)
{
	struct hash identity, *slot = cache != NULL ? slot_of(cache, note, ledger, &identity) : NULL;
	struct checkpoint c;
	struct note n;
	enum err e = note_parse(a, note, &n);

	if (e == OK && (slot == NULL || !hash_equal(*slot, identity)))
		e = note_verify(&n, ledger, 1, NULL);
	if (e == OK)
		e = checkpoint_parse(n.text, &c);
	if (e == OK && !span_is(c.origin, ledger->name))
		e = fail(ERR_CHECKPOINT, "origin %.*s, signed by %s", SPAN_FORMAT(c.origin), ledger->name);
	if (e == OK && slot != NULL)
		*slot = identity;
	if (e == OK)
		*out = c;
	return e;
}

enum err checkpoint_sign(const struct checkpoint *c, const struct signer *ledger, struct buffer *out)
{
	struct buffer text = BUFFER(TEXT_MAX);
	enum err e;

	if (!span_is(c->origin, signer_verifier(ledger)->name))
		return fail(ERR_CHECKPOINT, "origin %.*s, to be signed by %s", SPAN_FORMAT(c->origin),
			    signer_verifier(ledger)->name);
	checkpoint_print(c, &text);
	e = text.err != OK ? text.err : note_sign(out, buffer_view(&text), ledger);
	buffer_free(&text);
	return e;
}
