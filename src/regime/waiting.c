/* The record of a pack: W, addressee, u8 class, the value, then the rows. The value: u64 since, events, explained, breach,
 * repeats, again, first, last, 2 letters of the country or two zeros, u8 demonstration.
 * A release: R, addressee, u8 class, u64 through, u64 now.
 *
 * A pack stands in the view from its record to its release. One that was erased in the journal never comes back, and a
 * release behind it finds less to remove. */
#include "regime/waiting.h"

#include "regime/private.h"

#define VALUE_SIZE 67

static void write_value(struct buffer *b, const struct pack *p)
{
	buffer_u64(b, time_known(p->since_ms));
	buffer_u64(b, p->events);
	buffer_u64(b, p->explained);
	buffer_u64(b, p->breach);
	buffer_u64(b, p->repeats);
	buffer_u64(b, p->again);
	buffer_u64(b, time_known(p->first_ms));
	buffer_u64(b, time_known(p->last_ms));
	buffer_bytes(b, p->country[0] != '\0' ? p->country : "\0\0", 2);
	buffer_byte(b, p->demonstration);
}

static bool letters(const char country[2])
{
	return country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z';
}

static enum err read_value(struct span value, struct pack *p)
{
	struct reader r = reader_of(value);
	uint8_t demonstration;

	p->since_ms = (int64_t)read_u64(&r);
	p->events = read_u64(&r);
	p->explained = read_u64(&r);
	p->breach = read_u64(&r);
	p->repeats = read_u64(&r);
	p->again = read_u64(&r);
	p->first_ms = (int64_t)read_u64(&r);
	p->last_ms = (int64_t)read_u64(&r);
	read_bytes(&r, p->country, 2);
	demonstration = read_u8(&r);
	p->demonstration = demonstration != 0;
	if (demonstration > 1 || r.err != OK || reader_left(&r) != 0 || p->since_ms < 0 || p->since_ms > TIME_MAX ||
	    p->first_ms < 0 || p->first_ms > TIME_MAX || p->last_ms < 0 || p->last_ms > TIME_MAX ||
	    (memcmp(p->country, "\0", 2) != 0 && !letters(p->country)))
		return ERR_SYNTAX;
	return OK;
}

void pack_write(struct buffer *head, const struct pack *p)
{
	buffer_byte(head, TAG_PACK);
	write_addressee(head, &p->to);
	buffer_byte(head, (uint8_t)p->class);
	write_value(head, p);
}

enum err pack_read(struct span payload, struct pack *out, struct span *rows)
{
	struct reader r = reader_of(payload);
	struct pack p = { 0 };
	uint8_t tag = read_u8(&r);
	struct span value;

	read_addressee(&r, &p.to);
	read_class(&r, &p.class);
	value = read_span(&r, VALUE_SIZE);
	if (r.err != OK || tag != TAG_PACK || read_value(value, &p) != OK)
		return private_damaged("rows that wait");
	*out = p;
	*rows = span_make(r.at, reader_left(&r));
	return OK;
}

static struct state_key key_packs(const struct addressee *to)
{
	struct state_key k = key_of((enum state_letter)OWN_PACK);

	if (to != NULL)
		key_add_addressee(&k, to);
	return k;
}

enum err pack_fold(struct state *st, uint64_t position, struct span payload)
{
	struct buffer value = BUFFER(VALUE_SIZE);
	struct state_key k;
	struct pack p;
	struct span rows;
	enum err e = pack_read(payload, &p, &rows);

	if (e != OK)
		return e;
	k = key_packs(&p.to);
	key_add_u8(&k, (uint8_t)p.class);
	key_add_u64(&k, position);
	write_value(&value, &p);
	e = value.err != OK ? value.err : view_put(st->snapshot, VIEW_OWN, key_view(&k), buffer_view(&value));
	buffer_free(&value);
	return e;
}

void release_write(struct buffer *record, const struct addressee *to, enum rsit_class c, uint64_t through,
		   int64_t now_ms)
{
	buffer_byte(record, TAG_RELEASE);
	write_addressee(record, to);
	buffer_byte(record, (uint8_t)c);
	buffer_u64(record, through);
	buffer_u64(record, time_known(now_ms));
}

/* The first key of those that begin alike. */
static enum err first_key(void *context, struct span key, struct span value)
{
	struct state_key *out = context;

	(void)value;
	if (key.len > STATE_KEY_MAX)
		return state_damaged("pack");
	out->len = 0;
	key_add(out, key.at, key.len);
	return ERR_EXISTS;
}

static enum err remove_through(struct state *st, const struct state_key *prefix, uint64_t through)
{
	for (;;) {
		struct state_key k;
		struct reader r;
		enum err e = view_walk(st->snapshot, VIEW_OWN, key_view(prefix), SPAN(""), first_key, &k);

		if (e != ERR_EXISTS)
			return e;
		r = reader_of(span_from(key_view(&k), prefix->len));
		if (read_u64(&r) > through)
			return OK;
		if (r.err != OK || reader_left(&r) != 0)
			return state_damaged("pack");
		if ((e = view_delete(st->snapshot, VIEW_OWN, key_view(&k))) != OK)
			return e;
	}
}

static struct state_key key_released(const struct addressee *to)
{
	struct state_key k = key_of((enum state_letter)OWN_RELEASED);

	key_add_addressee(&k, to);
	return k;
}

enum err release_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	struct state_key prefix, k;
	struct addressee to;
	enum rsit_class class;
	struct span now;
	uint64_t through;
	enum err e;

	read_addressee(&r, &to);
	read_class(&r, &class);
	through = read_u64(&r);
	now = read_span(&r, 8);
	if (r.err != OK || reader_left(&r) != 0 || now.at[0] != 0 || now.at[1] != 0)
		return private_damaged("a release");
	prefix = key_packs(&to);
	key_add_u8(&prefix, (uint8_t) class);
	if ((e = remove_through(st, &prefix, through)) != OK)
		return e;
	k = key_released(&to);
	return view_put(st->snapshot, VIEW_OWN, key_view(&k), now);
}

enum err released_find(const struct state *st, const struct addressee *to, int64_t *last_ms)
{
	struct state_key k = key_released(to);
	struct span value;
	struct reader r;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	*last_ms = 0;
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = reader_of(value);
	*last_ms = (int64_t)read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 && *last_ms >= 0 && *last_ms <= TIME_MAX ? OK
											    : state_damaged("release");
}

struct pack_walk {
	pack_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct pack_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct pack p = { 0 };

	read_addressee(&r, &p.to);
	read_class(&r, &p.class);
	p.position = read_u64(&r);
	if (r.err != OK || reader_left(&r) != 0 || read_value(value, &p) != OK)
		return state_damaged("pack");
	return w->each(w->context, &p);
}

enum err packs_walk(const struct state *st, const struct addressee *to, pack_each *each, void *context)
{
	struct pack_walk w = { each, context };
	struct state_key prefix = key_packs(to);

	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), show, &w);
}
