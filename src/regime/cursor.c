/* The record: U, 32 hash, and the value: u64 sent, u64 sent deletions, then three times u16 length and text. */
#include "regime/cursor.h"

#include "regime/private.h"

static void write_part(struct buffer *record, struct span part)
{
	if (record->err == OK && part.len > CURSOR_PART_MAX)
		record->err = ERR_TOO_LONG;
	buffer_u16(record, (uint16_t)part.len);
	buffer_span(record, part);
}

void cursor_write(struct buffer *record, struct hash of, const struct cursor *c)
{
	buffer_byte(record, TAG_CURSOR);
	buffer_bytes(record, of.bytes, HASH_SIZE);
	buffer_u64(record, c->sent);
	buffer_u64(record, c->sent_deletions);
	write_part(record, c->next);
	write_part(record, c->added_after);
	write_part(record, c->deleted_after);
}

static struct span read_part(struct reader *r)
{
	size_t n = read_u16(r);

	if (n > CURSOR_PART_MAX)
		r->err = ERR_TOO_LONG;
	return read_span(r, n);
}

static enum err read_value(struct span value, struct cursor *out)
{
	struct reader r = reader_of(value);

	out->sent = read_u64(&r);
	out->sent_deletions = read_u64(&r);
	out->next = read_part(&r);
	out->added_after = read_part(&r);
	out->deleted_after = read_part(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : ERR_SYNTAX;
}

static struct state_key key_cursor(struct hash of)
{
	struct state_key k = key_of((enum state_letter)OWN_CURSOR);

	key_add(&k, of.bytes, HASH_SIZE);
	return k;
}

enum err cursor_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	struct hash of = { { 0 } };
	struct span value;
	struct cursor c;
	struct state_key k;

	read_bytes(&r, of.bytes, HASH_SIZE);
	value = span_make(r.at, reader_left(&r));
	if (r.err != OK || read_value(value, &c) != OK)
		return private_damaged("a cursor");
	k = key_cursor(of);
	return view_put(st->snapshot, VIEW_OWN, key_view(&k), value);
}

enum err cursor_find(const struct state *st, struct hash of, struct cursor *out)
{
	struct state_key k = key_cursor(of);
	struct span value;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	*out = (struct cursor){ 0 };
	if (e == ERR_NOT_FOUND)
		return OK;
	return e == OK && read_value(value, out) != OK ? state_damaged("cursor") : e;
}
