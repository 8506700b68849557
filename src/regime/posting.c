/* The record: P, 16 id, u64 at, u8 length and party, then the text. In the view OWN: under the id u64 position, u64 at, party;
 * and under the time the id, so that the oldest are found. Each record takes away some that are too old, so that the view
 * holds two days of them and no fold takes long. */
#include "regime/posting.h"

#include "regime/private.h"

#define EXPIRED_AT_ONCE 4

void posting_write(struct buffer *head, const struct posting *p)
{
	if (head->err == OK && !span_is_domain(p->party))
		head->err = ERR_DOMAIN;
	buffer_byte(head, TAG_POSTING);
	buffer_bytes(head, p->id, sizeof(p->id));
	buffer_u64(head, time_known(p->at_ms));
	buffer_byte(head, (uint8_t)p->party.len);
	buffer_span(head, p->party);
}

enum err posting_read(struct span payload, struct posting *out, struct span *text)
{
	struct reader r = reader_of(payload);
	uint8_t tag = read_u8(&r);

	*out = (struct posting){ 0 };
	read_bytes(&r, out->id, sizeof(out->id));
	out->at_ms = (int64_t)read_u64(&r);
	out->party = read_span(&r, read_u8(&r));
	*text = span_make(r.at, reader_left(&r));
	if (r.err != OK || tag != TAG_POSTING || out->at_ms < 0 || out->at_ms > TIME_MAX || !span_is_domain(out->party))
		return private_damaged("what became of a post");
	return OK;
}

static struct state_key key_posting(const uint8_t id[POSTING_ID_SIZE])
{
	struct state_key k = key_of((enum state_letter)OWN_POSTING);

	key_add(&k, id, POSTING_ID_SIZE);
	return k;
}

static struct state_key key_posted(const struct posting *p)
{
	struct state_key k = key_of((enum state_letter)OWN_POSTED);

	key_add_u64(&k, (uint64_t)p->at_ms);
	key_add(&k, p->id, POSTING_ID_SIZE);
	return k;
}

struct expired {
	int64_t before_ms;
	size_t count;
	struct posting all[EXPIRED_AT_ONCE];
};

static enum err find_expired(void *context, struct span key, struct span value)
{
	struct expired *x = context;
	struct reader r = reader_of(span_from(key, 1));
	struct posting *p = &x->all[x->count];

	(void)value;
	p->at_ms = (int64_t)read_u64(&r);
	read_bytes(&r, p->id, sizeof(p->id));
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("post");
	if (p->at_ms >= x->before_ms)
		return ERR_EXISTS;
	return ++x->count < EXPIRED_AT_ONCE ? OK : ERR_EXISTS;
}

static enum err remove_key(struct state *st, struct state_key k)
{
	return view_delete(st->snapshot, VIEW_OWN, key_view(&k));
}

static enum err expire(struct state *st, int64_t now_ms)
{
	struct expired x = { .before_ms = now_ms - POSTING_KEPT_MS };
	struct state_key all = key_of((enum state_letter)OWN_POSTED);
	enum err e = view_walk(st->snapshot, VIEW_OWN, key_view(&all), SPAN(""), find_expired, &x);

	if (e == ERR_EXISTS)
		e = OK;
	for (size_t i = 0; i < x.count && e == OK; i++) {
		e = remove_key(st, key_posted(&x.all[i]));
		if (e == OK)
			e = remove_key(st, key_posting(x.all[i].id));
	}
	return e;
}

enum err posting_fold(struct state *st, uint64_t position, struct span payload)
{
	struct buffer value = BUFFER(512);
	struct state_key k, by_time;
	struct posting p;
	struct span text;
	enum err e = posting_read(payload, &p, &text);

	if (e == OK)
		e = expire(st, p.at_ms);
	if (e != OK)
		return e;
	k = key_posting(p.id);
	by_time = key_posted(&p);
	if ((e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &text)) != ERR_NOT_FOUND)
		return e; /* an id counts once */
	buffer_u64(&value, position);
	buffer_u64(&value, (uint64_t)p.at_ms);
	buffer_span(&value, p.party);
	e = value.err != OK ? value.err : view_put(st->snapshot, VIEW_OWN, key_view(&k), buffer_view(&value));
	if (e == OK)
		e = view_put(st->snapshot, VIEW_OWN, key_view(&by_time), SPAN(""));
	buffer_free(&value);
	return e;
}

enum err posting_find(const struct state *st, const uint8_t id[POSTING_ID_SIZE], struct posting *out)
{
	struct state_key k = key_posting(id);
	struct span value;
	struct reader r;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	memcpy(out->id, id, POSTING_ID_SIZE);
	out->position = read_u64(&r);
	out->at_ms = (int64_t)read_u64(&r);
	out->party = span_make(r.at, reader_left(&r));
	return r.err == OK && out->at_ms >= 0 && span_is_domain(out->party) ? OK : state_damaged("post");
}
