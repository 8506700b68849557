/* The record: L, u8 format, u8 length of the type, the type, and the value: u64 since, header line. */
#include "regime/seen.h"

#include "regime/private.h"

void seen_write(struct buffer *record, uint8_t format, struct span type, const struct seen *s)
{
	if (record->err == OK && (type.len > SEEN_TYPE_MAX || s->header.len > SEEN_HEADER_MAX))
		record->err = ERR_TOO_LONG;
	buffer_byte(record, TAG_SEEN);
	buffer_byte(record, format);
	buffer_byte(record, (uint8_t)type.len);
	buffer_span(record, type);
	buffer_u64(record, time_known(s->since_ms));
	buffer_span(record, s->header);
}

static enum err read_value(struct span value, struct seen *out)
{
	struct reader r = reader_of(value);

	out->since_ms = (int64_t)read_u64(&r);
	out->header = span_make(r.at, reader_left(&r));
	return r.err == OK && out->since_ms >= 0 && out->since_ms <= TIME_MAX && out->header.len <= SEEN_HEADER_MAX
		       ? OK
		       : ERR_SYNTAX;
}

static struct state_key key_seen(uint8_t format, struct span type)
{
	struct state_key k = key_of((enum state_letter)OWN_SEEN);

	key_add_u8(&k, format);
	key_add(&k, type.at, type.len);
	return k;
}

enum err seen_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	uint8_t format = read_u8(&r);
	struct span type = read_span(&r, read_u8(&r)), value = span_make(r.at, reader_left(&r));
	struct state_key k;
	struct seen s;

	if (r.err != OK || read_value(value, &s) != OK)
		return private_damaged("a header line");
	k = key_seen(format, type);
	return view_put(st->snapshot, VIEW_OWN, key_view(&k), value);
}

enum err seen_find(const struct state *st, uint8_t format, struct span type, struct seen *out)
{
	struct state_key k;
	struct span value;
	enum err e;

	if (type.len > SEEN_TYPE_MAX)
		return ERR_NOT_FOUND;
	k = key_seen(format, type);
	e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);
	return e == OK && read_value(value, out) != OK ? state_damaged("header line") : e;
}
