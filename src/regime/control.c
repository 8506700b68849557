#include "regime/control.h"

#include "regime/kinds_private.h"

#define COUNT_MAX UINT32_MAX

static enum err read_gone(const struct statement *s, const char *name, uint64_t all, uint64_t out[CONTROL_DAYS])
{
	struct span rest = statement_header(s, name)->value;
	uint64_t before = 0;

	for (int i = 0; i < CONTROL_DAYS; i++) {
		struct span one = span_cut(&rest, ' ');

		if (span_u64(one, all, &out[i]) != OK || out[i] < before || (i < CONTROL_DAYS - 1) != (rest.at != NULL))
			return fail(ERR_STATEMENT_HEADER,
				    "%s: %d numbers, gone after 1, 7, 14 and 30 days, never falling, at most all", name,
				    CONTROL_DAYS);
		before = out[i];
	}
	return OK;
}

static enum err read_period(const struct statement *s, struct control *c)
{
	enum err e = value_time(s, "first", &c->first_ms);

	if (e == OK)
		e = value_time(s, "last", &c->last_ms);
	if (e == OK && c->first_ms >= c->last_ms)
		e = fail(ERR_STATEMENT_HEADER, "last: not behind the first");
	return e;
}

static enum err read_control(const struct statement *s, struct control *c)
{
	enum err e = notice_class(s, &c->class);

	if (e == OK)
		e = read_period(s, c);
	if (e == OK)
		e = value_number(s, "notified", COUNT_MAX, &c->notified);
	if (e == OK)
		e = value_number(s, "control", COUNT_MAX, &c->control);
	if (e == OK)
		e = read_gone(s, "notified-gone", c->notified, c->notified_gone);
	if (e == OK)
		e = read_gone(s, "control-gone", c->control, c->control_gone);
	return e == OK ? value_yes(s, "demonstration", &c->demonstration) : e;
}

enum err control_check(const struct state *st, const struct statement *s)
{
	struct control c = { 0 };

	(void)st;
	return read_control(s, &c);
}

/* Controls: 32 id, u64 index, logged_ms, first_ms, notified, control, 4 x u64 of the notified that were gone, 4 x u64 of the
 * others, u8 demonstration. Party, class and last_ms stand in the key. */

static struct state_key key_controls(struct span from)
{
	struct state_key k = key_of(STATE_CONTROL);

	key_add(&k, from.at, from.len);
	key_add_u8(&k, 0);
	return k;
}

static struct state_key key_control(const struct control *c)
{
	struct state_key k = key_controls(c->from);

	key_add_u8(&k, (uint8_t)c->class);
	key_add_u64(&k, (uint64_t)c->last_ms);
	return k;
}

static enum err control_unpack(struct span key, struct span value, struct control *out)
{
	const char *end = memchr(key.at, 0, key.len);
	struct reader k, r = reader_of(value);
	struct control c = { .id = unpack_hash(&r) };

	if (end == NULL)
		return state_damaged("control");
	c.from = span_make(key.at + 1, (size_t)(end - key.at) - 1);
	k = reader_of(span_from(key, (size_t)(end - key.at) + 1));
	c.class = (enum rsit_class)read_u8(&k);
	c.last_ms = (int64_t)read_u64(&k);
	c.index = read_u64(&r);
	c.logged_ms = (int64_t)read_u64(&r);
	c.first_ms = (int64_t)read_u64(&r);
	c.notified = read_u64(&r);
	c.control = read_u64(&r);
	for (int i = 0; i < CONTROL_DAYS; i++)
		c.notified_gone[i] = read_u64(&r);
	for (int i = 0; i < CONTROL_DAYS; i++)
		c.control_gone[i] = read_u64(&r);
	c.demonstration = read_u8(&r) != 0;
	if (k.err != OK || reader_left(&k) != 0 || r.err != OK || reader_left(&r) != 0 || c.class >= CLASS_COUNT)
		return state_damaged("control");
	*out = c;
	return OK;
}

static enum err control_put(struct state *st, const struct control *c)
{
	struct state_key k = key_control(c);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_hash(&b, c->id);
	buffer_u64(&b, c->index);
	buffer_u64(&b, (uint64_t)c->logged_ms);
	buffer_u64(&b, (uint64_t)c->first_ms);
	buffer_u64(&b, c->notified);
	buffer_u64(&b, c->control);
	for (int i = 0; i < CONTROL_DAYS; i++)
		buffer_u64(&b, c->notified_gone[i]);
	for (int i = 0; i < CONTROL_DAYS; i++)
		buffer_u64(&b, c->control_gone[i]);
	buffer_byte(&b, c->demonstration);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* It is a matter too, so that it can be withdrawn. That has its class and period, which lead back here. */
enum err control_fold(struct state *st, const struct statement *s)
{
	struct control c = { .id = s->id, .index = st->index, .logged_ms = st->logged_ms, .from = s->from };
	struct matter m;
	enum err e = read_control(s, &c);

	if (e == OK)
		e = matter_make(st, s, &m);
	if (e != OK)
		return e;
	m.class = c.class;
	m.first_ms = c.first_ms;
	m.last_ms = c.last_ms;
	e = matter_add(st, &m);
	return e == OK ? control_put(st, &c) : e;
}

enum err control_withdraw(struct state *st, const struct matter *m)
{
	struct control c = { .from = m->from, .class = m->class, .last_ms = m->last_ms }, present;
	struct state_key k = key_control(&c);
	struct span value;
	enum err e = state_get(st, &k, &value);

	if (e == OK)
		e = control_unpack(key_view(&k), value, &present);
	if (e == OK && hash_equal(present.id, m->id))
		e = state_delete(st, &k);
	return e == ERR_NOT_FOUND ? OK : e;
}

struct control_walk {
	control_each *each;
	void *context;
};

static enum err show_control(void *context, struct span key, struct span value)
{
	struct control_walk *w = context;
	struct control c;
	enum err e = control_unpack(key, value, &c);

	return e == OK ? w->each(w->context, &c) : e;
}

enum err state_controls(const struct state *st, struct span from, control_each *each, void *context)
{
	struct control_walk w = { each, context };
	struct state_key prefix = from.len > 0 ? key_controls(from) : key_of(STATE_CONTROL);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_control, &w);
}
