#include "base/encoding.h"
#include "regime/kinds_private.h"

struct seen {
	struct span origin;
	uint64_t size;
	struct hash root;
};

/* "<origin> <size> <base64 of the root>" */
static enum err read_checkpoint(struct span value, struct seen *out)
{
	struct span rest = value, size;
	size_t length = 0;

	out->origin = span_cut(&rest, ' ');
	size = rest.at != NULL ? span_cut(&rest, ' ') : rest;
	if (rest.at == NULL || out->origin.len == 0 || out->origin.len > KEY_NAME_MAX ||
	    span_u64(size, INT64_MAX, &out->size) != OK ||
	    base64_decode(rest, out->root.bytes, HASH_SIZE, &length) != OK || length != HASH_SIZE)
		return fail(ERR_STATEMENT_HEADER, "checkpoint: origin, size and base64 of the root");
	return OK;
}

enum err tick_read_checkpoint(struct span value, struct span *origin, uint64_t *size, struct hash *root)
{
	struct seen c;
	enum err e = read_checkpoint(value, &c);

	if (e == OK) {
		*origin = c.origin;
		*size = c.size;
		*root = c.root;
	}
	return e;
}

static enum err newest(const struct state *st, struct span origin, struct seen *out)
{
	struct state_key k = key_tick(origin);
	struct span value;
	struct reader r;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	out->size = read_u64(&r);
	read_bytes(&r, out->root.bytes, HASH_SIZE);
	return r.err == OK ? OK : state_damaged("checkpoint");
}

/* A ledger only grows: a later tick never names a smaller size, nor another root for the same one. */
static enum err check_growth(const struct state *st, const struct seen *now)
{
	struct seen before;
	enum err e = newest(st, now->origin, &before);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK && (now->size < before.size || (now->size == before.size && !hash_equal(now->root, before.root))))
		e = fail(ERR_CHECKPOINT, "checkpoint: an earlier tick had another of size %ju of %.*s",
			 (uintmax_t)before.size, SPAN_FORMAT(now->origin));
	return e;
}

static bool named_before(const struct statement *s, size_t i, struct span origin)
{
	struct seen c;

	while (i-- > 0)
		if (span_is(s->headers[i].name, "checkpoint") && read_checkpoint(s->headers[i].value, &c) == OK &&
		    span_equal(c.origin, origin))
			return true;
	return false;
}

enum err tick_check(const struct state *st, const struct statement *s)
{
	if (!from_node(st, s))
		return fail(ERR_NOT_YOURS, "only the node itself logs a tick");
	for (size_t i = 0; i < s->header_count; i++) {
		struct seen c;
		enum err e;

		if (!span_is(s->headers[i].name, "checkpoint"))
			continue;
		if ((e = read_checkpoint(s->headers[i].value, &c)) != OK)
			return e;
		if (named_before(s, i, c.origin))
			return fail(ERR_STATEMENT_HEADER, "checkpoint: %.*s stands there twice", SPAN_FORMAT(c.origin));
		if ((e = check_growth(st, &c)) != OK)
			return e;
	}
	return OK;
}

static enum err put_checkpoint(struct state *st, const struct seen *c)
{
	struct state_key k = key_tick(c->origin);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_u64(&b, c->size);
	buffer_bytes(&b, c->root.bytes, HASH_SIZE);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

enum err tick_fold(struct state *st, const struct statement *s)
{
	struct state_key k = key_of(STATE_TICK);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_u64(&b, (uint64_t)st->logged_ms);
	buffer_bytes(&b, s->id.bytes, HASH_SIZE);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		struct seen c;

		if (!span_is(s->headers[i].name, "checkpoint"))
			continue;
		if ((e = read_checkpoint(s->headers[i].value, &c)) == OK)
			e = put_checkpoint(st, &c);
	}
	return e;
}
