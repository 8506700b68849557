/* The record: D, u8 cleared, addressee, and if it is not cleared the value: u64 interval, window, quiet, threshold,
 * u8 aggregation, u8 format, u8 flags. Everyone's stands under TO_ALL. */
#include "regime/directive.h"

#include "regime/private.h"

#define HOUR INT64_C(3600000)
#define FLAG_PORT 1
#define FLAG_NAT 2

static const char *const names[AGGREGATION_COUNT] = { "class", "source", "day" };

enum err aggregation_parse(struct span name, enum aggregation *out)
{
	for (int i = 0; i < AGGREGATION_COUNT; i++)
		if (span_is(name, names[i])) {
			*out = (enum aggregation)i;
			return OK;
		}
	return fail(ERR_USAGE, "`%.*s`: class, source or day", SPAN_FORMAT(name));
}

const char *aggregation_name(enum aggregation a)
{
	return (unsigned)a < AGGREGATION_COUNT ? names[a] : "?";
}

struct directive directive_default(void)
{
	return (struct directive){ .window_ms = 24 * HOUR, .quiet_ms = 7 * 24 * HOUR, .threshold = 1000 };
}

static const struct addressee everyone = { .type = TO_ALL };

static void write_value(struct buffer *b, const struct directive *d)
{
	buffer_u64(b, (uint64_t)d->interval_ms);
	buffer_u64(b, (uint64_t)d->window_ms);
	buffer_u64(b, (uint64_t)d->quiet_ms);
	buffer_u64(b, d->threshold);
	buffer_byte(b, (uint8_t)d->by);
	buffer_byte(b, d->format);
	buffer_byte(b, (uint8_t)((d->need_port ? FLAG_PORT : 0) | (d->carrier_nat ? FLAG_NAT : 0)));
}

void directive_write(struct buffer *record, const struct addressee *to, const struct directive *d, bool clear)
{
	buffer_byte(record, TAG_DIRECTIVE);
	buffer_byte(record, clear);
	write_addressee(record, to != NULL ? to : &everyone);
	if (!clear)
		write_value(record, d);
}

static enum err read_value(struct span value, struct directive *out)
{
	struct reader r = reader_of(value);
	uint8_t by, flags;

	out->interval_ms = (int64_t)read_u64(&r);
	out->window_ms = (int64_t)read_u64(&r);
	out->quiet_ms = (int64_t)read_u64(&r);
	out->threshold = read_u64(&r);
	by = read_u8(&r);
	out->format = read_u8(&r);
	flags = read_u8(&r);
	if (r.err != OK || reader_left(&r) != 0 || out->interval_ms < 0 || out->window_ms < 0 || out->quiet_ms < 0 ||
	    by >= AGGREGATION_COUNT || flags > (FLAG_PORT | FLAG_NAT))
		return ERR_SYNTAX;
	out->by = (enum aggregation)by;
	out->need_port = (flags & FLAG_PORT) != 0;
	out->carrier_nat = (flags & FLAG_NAT) != 0;
	return OK;
}

static struct state_key key_directive(const struct addressee *to)
{
	struct state_key k = key_of((enum state_letter)OWN_DIRECTIVE);

	key_add_addressee(&k, to != NULL ? to : &everyone);
	return k;
}

enum err directive_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	uint8_t cleared = read_u8(&r);
	struct addressee to;
	struct directive d;
	struct state_key k;
	struct span value;
	enum err e;

	read_addressee(&r, &to);
	value = span_make(r.at, reader_left(&r));
	if (r.err != OK || cleared > 1 || (cleared ? value.len != 0 : read_value(value, &d) != OK))
		return private_damaged("a directive");
	k = key_directive(&to);
	if (!cleared)
		return view_put(st->snapshot, VIEW_OWN, key_view(&k), value);
	e = view_delete(st->snapshot, VIEW_OWN, key_view(&k));
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err get(const struct state *st, const struct addressee *to, struct directive *out)
{
	struct state_key k = key_directive(to);
	struct span value;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	return e == OK && read_value(value, out) != OK ? state_damaged("directive") : e;
}

enum err directive_find(const struct state *st, const struct addressee *to, struct directive *out, bool *own)
{
	enum err e = to != NULL && to->type != TO_ALL ? get(st, to, out) : ERR_NOT_FOUND;

	*own = e == OK;
	if (e == ERR_NOT_FOUND)
		e = get(st, NULL, out);
	if (e == ERR_NOT_FOUND) {
		*out = directive_default();
		e = OK;
	}
	return e;
}

struct directive_walk {
	directive_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct directive_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct addressee to;
	struct directive d;

	read_addressee(&r, &to);
	if (r.err != OK || reader_left(&r) != 0 || read_value(value, &d) != OK)
		return state_damaged("directive");
	return w->each(w->context, to.type == TO_ALL ? NULL : &to, &d);
}

enum err directives_walk(const struct state *st, directive_each *each, void *context)
{
	struct directive_walk w = { each, context };
	struct state_key prefix = key_of((enum state_letter)OWN_DIRECTIVE);

	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), show, &w);
}
