#include "regime/help_private.h"

/*
 * Help in the state
 *
 *	F 00 u64 index		request or ping: u8 flags, u32 offers, accepted, u64 affected, first_human_ms, recovered_ms, short
 *				critical, short who was the first
 *	F 01 u64 index domain	what that party said of it: 32 answer that offered, u64 offered_ms, accepted_ms, first_human_ms,
 *				last_ms, u8 its last outcome
 *	V domain 00 u64 index	nothing: it is to that party; without domain: to all
 *
 * All else is the matter's own. The phase follows from both.
 */

enum { HELP_REQUEST, HELP_SAID };

#define FLAGS (HELP_FLAG_PING | HELP_FLAG_ALL | HELP_FLAG_WORKING)

struct state_key key_help_requests(void)
{
	struct state_key k = key_of(STATE_HELP);

	key_add_u8(&k, HELP_REQUEST);
	return k;
}

static struct state_key key_request(uint64_t index)
{
	struct state_key k = key_help_requests();

	key_add_u64(&k, index);
	return k;
}

struct state_key key_help_said(uint64_t index)
{
	struct state_key k = key_of(STATE_HELP);

	key_add_u8(&k, HELP_SAID);
	key_add_u64(&k, index);
	return k;
}

static struct state_key key_said_by(uint64_t index, struct span who)
{
	struct state_key k = key_help_said(index);

	key_add(&k, who.at, who.len);
	return k;
}

struct state_key key_help_asked(struct span who)
{
	struct state_key k = key_of(STATE_HELP_TO);

	key_add(&k, who.at, who.len);
	key_add_u8(&k, 0);
	return k;
}

enum err help_kept_put(struct state *st, uint64_t index, const struct help_kept *h)
{
	struct state_key k = key_request(index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)h->flags);
	buffer_u32(&b, h->offers);
	buffer_u32(&b, h->accepted);
	buffer_u64(&b, h->affected);
	buffer_u64(&b, (uint64_t)h->first_human_ms);
	buffer_u64(&b, (uint64_t)h->recovered_ms);
	pack_short(&b, h->critical);
	pack_short(&b, h->first_human);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

static enum err read_kept(struct span value, struct help_kept *out)
{
	struct reader r = reader_of(value);

	out->flags = read_u8(&r);
	out->offers = read_u32(&r);
	out->accepted = read_u32(&r);
	out->affected = read_u64(&r);
	out->first_human_ms = (int64_t)read_u64(&r);
	out->recovered_ms = (int64_t)read_u64(&r);
	out->critical = unpack_short(&r);
	out->first_human = unpack_short(&r);
	return r.err == OK && reader_left(&r) == 0 && (out->flags & ~FLAGS) == 0 ? OK
										 : state_damaged("request for help");
}

enum err help_kept_get(const struct state *st, const struct matter *m, struct help_kept *out)
{
	struct state_key k = key_request(m->index);
	struct span value;
	enum err e = m->kind == KIND_REQUEST && m->ledger == LEDGER_CIRCLE ? state_get(st, &k, &value) : ERR_NOT_FOUND;

	return e == OK ? read_kept(value, out) : e;
}

enum err help_said_unpack(struct span key, struct span value, struct help_offer *out)
{
	struct state_key prefix = key_help_said(0);
	struct reader r = reader_of(value);
	unsigned last;

	out->from = span_from(key, prefix.len);
	out->answer = unpack_hash(&r);
	out->offered_ms = (int64_t)read_u64(&r);
	out->accepted_ms = (int64_t)read_u64(&r);
	out->first_human_ms = (int64_t)read_u64(&r);
	out->last_ms = (int64_t)read_u64(&r);
	last = read_u8(&r);
	out->last = (enum outcome)last;
	return r.err == OK && reader_left(&r) == 0 && last < OUTCOME_COUNT ? OK : state_damaged("answer to a request");
}

enum err help_said_get(const struct state *st, uint64_t index, struct span who, struct help_offer *out)
{
	struct state_key k = key_said_by(index, who);
	struct span value;
	enum err e = state_get(st, &k, &value);

	*out = (struct help_offer){ .from = who };
	if (e == OK)
		e = help_said_unpack(key_view(&k), value, out);
	out->from = who;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err help_said_put(struct state *st, uint64_t index, const struct help_offer *o)
{
	struct state_key k = key_said_by(index, o->from);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_hash(&b, o->answer);
	buffer_u64(&b, (uint64_t)o->offered_ms);
	buffer_u64(&b, (uint64_t)o->accepted_ms);
	buffer_u64(&b, (uint64_t)o->first_human_ms);
	buffer_u64(&b, (uint64_t)o->last_ms);
	buffer_byte(&b, (uint8_t)o->last);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}
