/*
 * Counting in large
 *
 * A batch may change a hundred thousand lines, so this is made of what is cheap:
 *
 *   1. The record has groups: u32 lines, addressee, u8 class, then the lines, some 12 bytes each:
 *
 *	u8 flags, u32 or 16 bytes of address, u8 length, u16 port, short malware, number count,
 *	6 bytes of first, number (last - first)
 *
 *	Everything but flags and address stands there only if a flag says so; a number has seven bits a byte, the low
 *	ones first, and the high bit on all but the last.
 *   2. A key of the view is addressee, u8 class, u8 family, 4 or 16 bytes of address, u8 length, u16 port, malware. A
 *	group's lines are folded in the order of keys, so that a cursor mostly stays on its page. They are put in order by
 *	as much of the key as fits in 64 bits; what is left open by that costs time only, never the result.
 *   3. A value has one size: u64 count, held, u32 told, again, 6 bytes each of first, last, told. A line that is known
 *	is overwritten in its place.
 *
 * Sums stop at their largest value, and the least and the largest time do not ask who came first: so count, first and last
 * are the same for every order of records. What was held, and how often was told, follow the order of the journal.
 */
#include "regime/sighting.h"

#include <endian.h>

#include "base/sort.h"
#include "regime/private.h"

#define VALUE_SIZE 42
#define SLICE 8192u /* lines that are put in order together */

enum flags {
	LINE_V6 = 1,
	LINE_NETWORK = 2,
	LINE_PORT = 4,
	LINE_MALWARE = 8,
	LINE_TOLD = 16,
	LINE_AGAIN = 32,
	LINE_MANY = 64,
	LINE_TIMED = 128
};

bool sighting_by_port(enum rsit_class c)
{
	switch (c) {
	case CLASS_MISCONFIGURATION:
	case CLASS_WEAK_CRYPTO:
	case CLASS_DDOS_AMPLIFIER:
	case CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE:
	case CLASS_INFORMATION_DISCLOSURE:
	case CLASS_VULNERABLE_SYSTEM:
		return true;
	default:
		return false;
	}
}

bool sighting_by_malware(enum rsit_class c)
{
	switch (c) {
	case CLASS_INFECTED_SYSTEM:
	case CLASS_C2_SERVER:
	case CLASS_MALWARE_DISTRIBUTION:
	case CLASS_MALWARE_CONFIGURATION:
		return true;
	default:
		return false;
	}
}

/* ---- one spelling ---- */

static unsigned width(const struct address *a)
{
	return a->family == FAMILY_IPV4 ? 32 : 128;
}

/* The source cut to its length; the length of a host is 0. */
static struct sighting_line plain(const struct sighting_line *l)
{
	struct sighting_line p = *l;

	if (p.length >= width(&p.source))
		p.length = 0;
	if (p.length > 0)
		p.source = prefix_of(p.source, p.length).address;
	if (p.malware.len > SIGHTING_MALWARE_MAX)
		p.malware.len = SIGHTING_MALWARE_MAX;
	return p;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_lower(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] != lower(s.at[i]))
			return false;
	return true;
}

static void lower_copy(char *to, struct span from)
{
	for (size_t i = 0; i < from.len; i++)
		to[i] = lower(from.at[i]);
}

static inline uint8_t *put_u64(uint8_t *to, uint64_t v)
{
	v = htobe64(v);
	memcpy(to, &v, 8);
	return to + 8;
}

static inline uint8_t *put_u32(uint8_t *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, 4);
	return to + 4;
}

static inline uint8_t *put_u16(uint8_t *to, uint16_t v)
{
	v = htobe16(v);
	memcpy(to, &v, 2);
	return to + 2;
}

static inline uint8_t *put_u48(uint8_t *to, uint64_t v)
{
	return put_u32(put_u16(to, (uint16_t)(v >> 32)), (uint32_t)v);
}

static uint8_t *put_address(uint8_t *to, const struct address *a)
{
	if (a->family == FAMILY_IPV4)
		return put_u32(to, (uint32_t)a->low);
	return put_u64(put_u64(to, a->high), a->low);
}

/* ---- keys ---- */

static struct state_key key_group(const struct addressee *to, enum rsit_class c)
{
	struct state_key k = { .len = 0 };

	key_add_addressee(&k, to);
	key_add_u8(&k, (uint8_t)c);
	return k;
}

/* l is plain; the bytes are the end of a key. */
static size_t line_key(const struct sighting_line *l, uint8_t *to)
{
	uint8_t *at = to;

	*at++ = l->source.family;
	at = put_address(at, &l->source);
	*at++ = l->length;
	at = put_u16(at, l->port);
	lower_copy((char *)at, l->malware);
	return (size_t)(at - to) + l->malware.len;
}

static void key_add_line(struct state_key *k, const struct sighting_line *l)
{
	k->len += line_key(l, k->bytes + k->len); /* at most 275 bytes before it, 83 of it: fits STATE_KEY_MAX */
}

_Static_assert(STATE_KEY_MAX >= 1 + 254 + 1 + 1 + 16 + 1 + 2 + SIGHTING_MALWARE_MAX, "a sighting's key");

static enum err key_read(struct span key, struct addressee *to, enum rsit_class *c, struct sighting_line *l)
{
	struct reader r = reader_of(key);

	read_addressee(&r, to);
	read_class(&r, c);
	l->source = (struct address){ .family = read_u8(&r) };
	if (l->source.family == FAMILY_IPV4) {
		l->source.low = read_u32(&r);
	} else {
		l->source.high = read_u64(&r);
		l->source.low = read_u64(&r);
	}
	l->length = read_u8(&r);
	l->port = read_u16(&r);
	l->malware = span_make(r.at, reader_left(&r));
	if (r.err != OK || (l->source.family != FAMILY_IPV4 && l->source.family != FAMILY_IPV6) ||
	    l->length >= width(&l->source) || l->malware.len > SIGHTING_MALWARE_MAX)
		return ERR_SYNTAX;
	return OK;
}

/* ---- values ---- */

static void value_write(const struct sighting *s, uint8_t out[VALUE_SIZE])
{
	out = put_u64(put_u64(out, s->count), s->held);
	out = put_u32(put_u32(out, (uint32_t)s->told), (uint32_t)s->again);
	put_u48(put_u48(put_u48(out, (uint64_t)s->first_ms), (uint64_t)s->last_ms), (uint64_t)s->told_ms);
}

static inline uint64_t get_u64(const char *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return be64toh(v);
}

static inline int64_t get_u48(const char *at) /* the two bytes before it are there too */
{
	return (int64_t)(get_u64(at - 2) & TIME_MAX);
}

static enum err value_read(struct span value, struct sighting *out)
{
	const char *at = value.at;

	if (value.len != VALUE_SIZE)
		return ERR_SYNTAX;
	out->count = get_u64(at);
	out->held = get_u64(at + 8);
	out->told = get_u64(at + 16) >> 32;
	out->again = get_u64(at + 16) & UINT32_MAX;
	out->first_ms = get_u48(at + 24);
	out->last_ms = get_u48(at + 30);
	out->told_ms = get_u48(at + 36);
	return out->count > 0 && out->held <= out->count && out->again <= out->told && out->first_ms <= out->last_ms &&
			       out->told_ms <= out->last_ms
		       ? OK
		       : ERR_SYNTAX;
}

/* ---- writing ---- */

void sightings_group(struct buffer *record, const struct addressee *to, enum rsit_class c, size_t lines)
{
	if (record->len == 0)
		buffer_byte(record, TAG_SIGHTINGS);
	if (lines > UINT32_MAX && record->err == OK)
		record->err = ERR_TOO_LONG;
	buffer_u32(record, (uint32_t)lines);
	write_addressee(record, to);
	buffer_byte(record, (uint8_t)c);
}

static uint8_t *put_number(uint8_t *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

void sightings_line(struct buffer *record, const struct sighting_line *line, const struct sighting_change *change)
{
	uint8_t bytes[1 + 16 + 1 + 2 + 1 + SIGHTING_MALWARE_MAX + 10 + 6 + 10], *at = bytes + 1;
	struct sighting_line l = plain(line);
	uint64_t first = time_known(change->first_ms), last = time_known(change->last_ms);

	first = first == 0 || (last != 0 && last < first) ? last : first;
	last = last == 0 ? first : last;
	bytes[0] = (uint8_t)((l.source.family == FAMILY_IPV6 ? LINE_V6 : 0) | (l.length > 0 ? LINE_NETWORK : 0) |
			     (l.port > 0 ? LINE_PORT : 0) | (l.malware.len > 0 ? LINE_MALWARE : 0) |
			     (change->told ? LINE_TOLD : 0) | (change->told && change->again ? LINE_AGAIN : 0) |
			     (change->count > 1 ? LINE_MANY : 0) | (first > 0 ? LINE_TIMED : 0));
	at = put_address(at, &l.source);
	if (l.length > 0)
		*at++ = l.length;
	if (l.port > 0)
		at = put_u16(at, l.port);
	if (l.malware.len > 0) {
		*at++ = (uint8_t)l.malware.len;
		lower_copy((char *)at, l.malware);
		at += l.malware.len;
	}
	if (change->count > 1)
		at = put_number(at, change->count);
	if (first > 0)
		at = put_number(put_u48(at, first), last - first);
	buffer_bytes(record, bytes, (size_t)(at - bytes));
}

/* ---- reading a record ---- */

static uint64_t read_number(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t b = read_u8(r);

		if (r->err != OK || (shift == 63 && b > 1) || (shift > 0 && b == 0)) { /* one spelling */
			r->err = r->err != OK ? r->err : ERR_NUMBER;
			return 0;
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
}

static bool is_cut(const struct sighting_line *l)
{
	return l->length < width(&l->source) && l->length > 0 &&
	       address_equal(prefix_of(l->source, l->length).address, l->source);
}

static void read_line(struct reader *r, struct sighting_line *l, struct sighting_change *c)
{
	uint8_t flags = read_u8(r);
	bool good = (flags & (LINE_TOLD | LINE_AGAIN)) != LINE_AGAIN;

	*l = (struct sighting_line){ .source.family = (flags & LINE_V6) != 0 ? FAMILY_IPV6 : FAMILY_IPV4 };
	*c = (struct sighting_change){ .count = 1 };
	if ((flags & LINE_V6) != 0) {
		l->source.high = read_u64(r);
		l->source.low = read_u64(r);
	} else {
		l->source.low = read_u32(r);
	}
	if ((flags & LINE_NETWORK) != 0) {
		l->length = read_u8(r);
		good = good && is_cut(l);
	}
	if ((flags & LINE_PORT) != 0) {
		l->port = read_u16(r);
		good = good && l->port > 0;
	}
	if ((flags & LINE_MALWARE) != 0) {
		l->malware = read_span(r, read_u8(r));
		good = good && l->malware.len > 0 && l->malware.len <= SIGHTING_MALWARE_MAX && is_lower(l->malware);
	}
	if ((flags & LINE_MANY) != 0) {
		c->count = read_number(r);
		good = good && c->count > 1;
	}
	if ((flags & LINE_TIMED) != 0) {
		uint64_t more;

		c->first_ms = (int64_t)read_u16(r) << 32;
		c->first_ms |= read_u32(r);
		more = read_number(r);
		good = good && c->first_ms > 0 && more <= (uint64_t)(TIME_MAX - c->first_ms);
		c->last_ms = good ? c->first_ms + (int64_t)more : 0;
	}
	c->told = (flags & LINE_TOLD) != 0;
	c->again = (flags & LINE_AGAIN) != 0;
	if (!good && r->err == OK)
		r->err = ERR_SYNTAX;
}

/* ---- folding ---- */

static uint64_t sum(uint64_t a, uint64_t b, uint64_t max)
{
	return a > max - b ? max : a + b;
}

static void add_change(struct sighting *s, const struct sighting_change *c)
{
	s->count = sum(s->count, c->count, UINT64_MAX);
	s->held = c->told ? 0 : sum(s->held, c->count, UINT64_MAX);
	s->told = sum(s->told, c->told, UINT32_MAX);
	s->again = sum(s->again, c->again, UINT32_MAX);
	if (c->first_ms != 0 && (s->first_ms == 0 || c->first_ms < s->first_ms))
		s->first_ms = c->first_ms;
	if (c->last_ms > s->last_ms)
		s->last_ms = c->last_ms;
	if (c->told)
		s->told_ms = s->last_ms;
}

static enum err fold_line(struct view_cursor *view, struct span key, const struct sighting_change *c)
{
	uint8_t bytes[VALUE_SIZE];
	struct sighting s = { 0 };
	struct span old;
	enum err e;

	add_change(&s, c);
	value_write(&s, bytes);
	e = view_cursor_add(view, key, span_make(bytes, sizeof(bytes)), &old);
	if (e != ERR_EXISTS)
		return e;
	if (value_read(old, &s) != OK)
		return state_damaged("sighting");
	add_change(&s, c);
	value_write(&s, bytes);
	return view_cursor_replace(view, key, span_make(bytes, sizeof(bytes)));
}

/* As much of the line's key as there is room for. */
static uint64_t head_of(const struct sighting_line *l)
{
	if (l->source.family == FAMILY_IPV6)
		return UINT64_C(1) << 63 | l->source.high >> 1;
	return l->source.low << 24 | (uint64_t)l->length << 16 | l->port;
}

struct read_line {
	struct sighting_line line;
	struct sighting_change change;
};

struct folding {
	struct view_cursor *view;
	struct reader record;
	struct read_line *lines; /* SLICE */
	struct sort_key *keys;	 /* 2 * SLICE */
	struct state_key key;
};

/* The next lines of a group, at most SLICE. */
static enum err fold_slice(struct folding *f, uint32_t count)
{
	struct sort_key *k = f->keys;
	size_t group = f->key.len;
	bool sorted = true;
	enum err e = OK;

	for (uint32_t i = 0; i < count && f->record.err == OK; i++) {
		read_line(&f->record, &f->lines[i].line, &f->lines[i].change);
		k[i] = (struct sort_key){ head_of(&f->lines[i].line), i };
		sorted = sorted && (i == 0 || k[i - 1].key <= k[i].key);
	}
	if (f->record.err != OK)
		return private_damaged("sightings");
	if (!sorted)
		k = sort_keys(f->keys, f->keys + SLICE, count);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		const struct read_line *l = &f->lines[k[i].at];

		key_add_line(&f->key, &l->line);
		e = fold_line(f->view, key_view(&f->key), &l->change);
		f->key.len = group;
	}
	return e;
}

static enum err fold_group(struct folding *f)
{
	uint32_t lines = read_u32(&f->record);
	struct addressee to;
	enum rsit_class class;
	enum err e = OK;

	read_addressee(&f->record, &to);
	read_class(&f->record, &class);
	if (f->record.err != OK)
		return private_damaged("sightings");
	f->key = key_group(&to, class);
	for (uint32_t slice; e == OK && lines > 0; lines -= slice) {
		slice = lines < SLICE ? lines : SLICE;
		e = fold_slice(f, slice);
	}
	return e;
}

enum err sightings_fold(struct state *st, struct span payload)
{
	struct folding f = { .record = reader_of(span_from(payload, 1)) };
	enum err e;

	f.keys = arena_alloc(st->arena, 2 * SLICE * sizeof(*f.keys));
	f.lines = arena_alloc(st->arena, SLICE * sizeof(*f.lines));
	if (f.keys == NULL || f.lines == NULL)
		return ERR_NO_MEMORY;
	e = view_cursor_open(st->snapshot, VIEW_SIGHTINGS, &f.view);
	while (e == OK && reader_left(&f.record) > 0)
		e = fold_group(&f);
	view_cursor_close(f.view);
	return e;
}

/* ---- readers ---- */

enum err sighting_find(const struct state *st, const struct addressee *to, enum rsit_class c,
		       const struct sighting_line *l, struct sighting *out)
{
	struct state_key k = key_group(to, c);
	struct sighting_line p = plain(l);
	struct span value;
	enum err e;

	key_add_line(&k, &p);
	e = view_get(st->snapshot, VIEW_SIGHTINGS, key_view(&k), &value);
	return e == OK && value_read(value, out) != OK ? state_damaged("sighting") : e;
}

struct sighting_walk {
	sighting_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct sighting_walk *w = context;
	struct sighting_line l;
	struct addressee to;
	enum rsit_class class;
	struct sighting s;

	if (key_read(key, &to, &class, &l) != OK || value_read(value, &s) != OK)
		return state_damaged("sighting");
	return w->each(w->context, &to, class, &l, &s);
}

enum err sightings_walk(const struct state *st, const struct addressee *to, sighting_each *each, void *context)
{
	struct sighting_walk w = { each, context };
	struct state_key prefix = { .len = 0 };

	if (to != NULL)
		key_add_addressee(&prefix, to);
	return view_walk(st->snapshot, VIEW_SIGHTINGS, key_view(&prefix), SPAN(""), show, &w);
}
