/* How objects are spelled: keys, rows, the index in a body's record. */
#include <assert.h>

#include "base/clock.h"
#include "regime/objects_private.h"

enum err objects_damaged(const char *what)
{
	return fail(ERR_DAMAGED, "%s of shared objects does not read", what);
}

bool span_begins(struct span s, struct span with)
{
	return s.len >= with.len && memcmp(s.at, with.at, with.len) == 0;
}

/* ---- keys ---- */

static void add(struct object_key *k, const void *from, size_t n)
{
	assert(n <= sizeof(k->bytes) - k->len);
	if (n > 0)
		memcpy(k->bytes + k->len, from, n);
	k->len += n;
}

static void add_byte(struct object_key *k, uint8_t byte)
{
	add(k, &byte, 1);
}

static void add_u64(struct object_key *k, uint64_t v)
{
	for (int i = 56; i >= 0; i -= 8)
		add_byte(k, (uint8_t)(v >> i));
}

struct object_key key_lane(const struct collection_id *c, enum tlp lane, enum object_letter letter)
{
	struct object_key k;

	k.len = 0;
	add(&k, c->bytes, UUID_SIZE);
	add_byte(&k, (uint8_t)lane);
	add_byte(&k, (uint8_t)letter);
	return k;
}

struct object_key key_stamp(const struct collection_id *c, enum tlp lane, enum object_letter letter, uint64_t stamp)
{
	struct object_key k = key_lane(c, lane, letter);

	add_u64(&k, stamp);
	return k;
}

struct object_key key_named(const struct collection_id *c, enum tlp lane, enum object_letter letter, struct span name)
{
	struct object_key k = key_lane(c, lane, letter);

	add(&k, name.at, name.len);
	add_byte(&k, 0);
	return k;
}

struct object_key key_version(const struct collection_id *c, enum tlp lane, struct span id, enum stix_spec spec,
			      struct span version)
{
	struct object_key k = key_named(c, lane, KEY_ID, id);

	add_byte(&k, (uint8_t)spec);
	add(&k, version.at, version.len);
	return k;
}

struct object_key key_gone(const struct collection_id *c, enum tlp lane, struct span id, struct span version)
{
	struct object_key k = key_named(c, lane, KEY_GONE, id);

	add(&k, version.at, version.len);
	return k;
}

struct object_key key_typed(const struct collection_id *c, enum tlp lane, struct span type, uint64_t stamp)
{
	struct object_key k = key_named(c, lane, KEY_TYPE, type);

	add_u64(&k, stamp);
	return k;
}

static unsigned put_digits(char *to, unsigned at, uint64_t v, unsigned digits)
{
	for (unsigned i = digits; i > 0; i--, v /= 10)
		to[at + i - 1] = (char)('0' + v % 10);
	return at + digits;
}

struct instant instant_of_stamp(uint64_t stamp)
{
	struct instant i = { 0 };
	char text[CLOCK_TEXT];
	unsigned n = 0;

	clock_format((int64_t)(stamp / 1000), text);
	for (const char *c = text; n < 14 && *c != '\0'; c++)
		if (*c >= '0' && *c <= '9')
			i.digits[n++] = *c;
	n = put_digits(i.digits, n, stamp % 1000000, 6);
	while (n > 14 && i.digits[n - 1] == '0')
		n--;
	i.length = (uint8_t)n;
	return i;
}

/* ---- the index ---- */

void index_begin(struct buffer *b, enum share_action action, const struct collection_id *c, size_t count)
{
	static const struct hash unknown;

	buffer_byte(b, (uint8_t)action);
	buffer_bytes(b, c->bytes, UUID_SIZE);
	buffer_bytes(b, unknown.bytes, HASH_SIZE); /* filled in when the statement is made */
	buffer_u32(b, (uint32_t)count);
}

void index_add(struct buffer *b, enum share_action action, const struct object_item *item, size_t text_at)
{
	buffer_byte(b, (uint8_t)((uint8_t)item->tlp | (item->unseen ? ITEM_UNSEEN : 0)));
	buffer_byte(b, (uint8_t)item->spec);
	buffer_u16(b, (uint16_t)item->id.len);
	buffer_byte(b, (uint8_t)item->type.len);
	buffer_byte(b, (uint8_t)item->version.len);
	buffer_u32(b, (uint32_t)item->version_text.len);
	if (action == SHARE_ADD) {
		buffer_bytes(b, item->digest.bytes, HASH_SIZE);
		buffer_u32(b, (uint32_t)text_at);
		buffer_u32(b, (uint32_t)item->text.len);
	}
	buffer_span(b, item->id);
	buffer_span(b, item->version);
	buffer_span(b, item->version_text);
}

enum err index_open(const struct body_record *body, struct object_index *out)
{
	struct reader r = reader_of(body->index);
	uint8_t action = read_u8(&r);

	*out = (struct object_index){ .action = (enum share_action)action, .payload = body->payload };
	read_bytes(&r, out->collection.bytes, UUID_SIZE);
	read_bytes(&r, out->share.bytes, HASH_SIZE);
	out->count = read_u32(&r);
	out->rest = r;
	if (r.err != OK || (action != SHARE_ADD && action != SHARE_DELETE) || out->count == 0 ||
	    out->count > reader_left(&r) / 8)
		return objects_damaged("the index");
	return OK;
}

static bool has_zero(struct span s)
{
	return memchr(s.at, 0, s.len) != NULL;
}

static bool all_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return true;
}

static bool item_good(const struct object_item *i)
{
	return (unsigned)i->tlp < TLP_COUNT && (unsigned)i->spec < SPEC_COUNT && i->id.len > 0 &&
	       i->id.len <= STIX_ID_MAX && i->type.len > 0 && i->type.len <= i->id.len && !has_zero(i->id) &&
	       i->version.len <= INSTANT_MAX && all_digits(i->version);
}

enum err index_next(struct object_index *x, struct object_item *out)
{
	struct reader *r = &x->rest;
	size_t id, type, version, version_text, at = 0, length = 0;
	uint8_t lane = read_u8(r);

	*out = (struct object_item){ 0 };
	out->tlp = (enum tlp)(lane & ~ITEM_UNSEEN);
	out->unseen = (lane & ITEM_UNSEEN) != 0;
	out->spec = (enum stix_spec)read_u8(r);
	id = read_u16(r);
	type = read_u8(r);
	version = read_u8(r);
	version_text = read_u32(r);
	if (x->action == SHARE_ADD) {
		read_bytes(r, out->digest.bytes, HASH_SIZE);
		at = read_u32(r);
		length = read_u32(r);
	}
	out->id = read_span(r, id);
	out->version = read_span(r, version);
	out->version_text = read_span(r, version_text);
	if (r->err != OK || at > x->payload.len || length > x->payload.len - at)
		return objects_damaged("the index");
	out->type = span_make(out->id.at, type);
	out->text = span_make(x->payload.at + at, length);
	if (!item_good(out) || (out->unseen && x->action != SHARE_ADD) || (++x->read == x->count && reader_left(r) > 0))
		return objects_damaged("the index");
	return OK;
}

/* ---- rows ---- */

/* u8 superseded, u8 hidden, u8 spec, u16 id, u8 type, u8 version, u32 version text, 32 digest, 32 share, then id, version,
 * version text, text */
void row_write(struct buffer *b, const struct object_item *item, const struct hash *share)
{
	buffer_byte(b, NEVER_SUPERSEDED);
	buffer_byte(b, false);
	buffer_byte(b, (uint8_t)item->spec);
	buffer_u16(b, (uint16_t)item->id.len);
	buffer_byte(b, (uint8_t)item->type.len);
	buffer_byte(b, (uint8_t)item->version.len);
	buffer_u32(b, (uint32_t)item->version_text.len);
	buffer_bytes(b, item->digest.bytes, HASH_SIZE);
	buffer_bytes(b, share->bytes, HASH_SIZE);
	buffer_span(b, item->id);
	buffer_span(b, item->version);
	buffer_span(b, item->version_text);
	buffer_span(b, item->text);
}

/* Once for each object of a page, so without a reader: the numbers stand in a head of fixed size. */
#define ROW_HEAD ((size_t)11 + 2 * HASH_SIZE)

enum err row_read(struct span value, struct stored_row *out)
{
	const uint8_t *p = (const uint8_t *)value.at;
	size_t id, type, version, version_text;

	if (value.len < ROW_HEAD)
		return objects_damaged("a row");
	out->superseded = p[0];
	out->hidden = p[1] != 0;
	out->spec = (enum stix_spec)p[2];
	id = (size_t)p[3] << 8 | p[4];
	type = p[5];
	version = p[6];
	version_text = (size_t)p[7] << 24 | (size_t)p[8] << 16 | (size_t)p[9] << 8 | p[10];
	memcpy(out->digest.bytes, p + 11, HASH_SIZE);
	memcpy(out->share.bytes, p + 11 + HASH_SIZE, HASH_SIZE);
	if (id + version + version_text > value.len - ROW_HEAD || type > id || version > INSTANT_MAX ||
	    (unsigned)out->spec >= SPEC_COUNT)
		return objects_damaged("a row");
	out->id = span_make(p + ROW_HEAD, id);
	out->type = span_make(p + ROW_HEAD, type);
	out->version = span_make(p + ROW_HEAD + id, version);
	out->version_text = span_make(p + ROW_HEAD + id + version, version_text);
	out->text = span_from(value, ROW_HEAD + id + version + version_text);
	return OK;
}

void deletion_write(struct buffer *b, const struct object_item *item)
{
	buffer_u16(b, (uint16_t)item->id.len);
	buffer_byte(b, (uint8_t)item->version.len);
	buffer_span(b, item->id);
	buffer_span(b, item->version);
	buffer_span(b, item->version_text);
}

enum err deletion_read(struct span value, struct object_deleted *out)
{
	struct reader r = reader_of(value);
	size_t id = read_u16(&r), version = read_u8(&r);

	out->id = read_span(&r, id);
	if (version > INSTANT_MAX)
		return objects_damaged("a deletion");
	read_bytes(&r, out->version.digits, version);
	out->version.length = (uint8_t)version;
	out->version_text = read_span(&r, reader_left(&r));
	return r.err == OK ? OK : objects_damaged("a deletion");
}
