/* A record: O, then for each event u8 way, addressee, u8 ledger, u64 index, u8 step, u64 at, u64 next, u8 length of the contact, the
 * contact, u16 length of the detail, the detail.
 *
 * An item's value: 32 id, 32 matter, u8 step, u32 attempts, u64 queued, next, done, since, u8 length of the contact, the contact,
 * u16 length of the detail, the detail, then the tried ones, each with u8 of its length.
 *
 * An item that waits stands under two more keys: by its receiver in the order of the ledger, and by when it is due. So what is
 * due is found without a look at what is not. */
#include "regime/outbox_private.h"

#include <assert.h>

#define ITEM_MAX 8192
#define TRIED_MAX 4096
#define SECOND INT64_C(1000)
#define BACK_OFF_MOST (6 * 3600 * SECOND)

static const char *const step_names[OUTBOX_STEP_COUNT] = { "waiting", "handed-over", "arrived",
							   "refused", "bounced",     "undeliverable" };

const char *outbox_step_name(enum outbox_step s)
{
	return (unsigned)s < OUTBOX_STEP_COUNT ? step_names[s] : "?";
}

int64_t outbox_back_off_ms(uint32_t n, uint32_t random)
{
	int64_t wait = 30 * SECOND, quarter;

	for (uint32_t i = 1; i < n && wait < BACK_OFF_MOST; i++)
		wait *= 2;
	if (wait > BACK_OFF_MOST)
		wait = BACK_OFF_MOST;
	quarter = wait / 4;
	return wait - quarter + (int64_t)((uint64_t)random % (uint64_t)(2 * quarter + 1));
}

/* ---- keys ---- */

static struct state_key key_entry_items(enum ledger_id l, uint64_t index)
{
	struct state_key k = key_of((enum state_letter)OWN_ITEM);

	key_add_u8(&k, (uint8_t)l);
	key_add_u64(&k, index);
	return k;
}

static struct state_key key_item(const struct outbox_key *o)
{
	struct state_key k = key_entry_items(o->ledger, o->index);

	key_add_u8(&k, (uint8_t)o->way);
	key_add_addressee(&k, &o->to);
	return k;
}

static struct state_key key_receiver(enum outbox_way way, const struct addressee *to)
{
	struct state_key k = key_of((enum state_letter)OWN_WAITING);

	key_add_u8(&k, (uint8_t)way);
	key_add_addressee(&k, to);
	return k;
}

static struct state_key key_waiting(const struct outbox_key *o)
{
	struct state_key k = key_receiver(o->way, &o->to);

	key_add_u8(&k, (uint8_t)o->ledger);
	key_add_u64(&k, o->index);
	return k;
}

static struct state_key key_schedule(enum outbox_way way)
{
	struct state_key k = key_of((enum state_letter)OWN_DUE);

	key_add_u8(&k, (uint8_t)way);
	return k;
}

static struct state_key key_due(const struct outbox_item *i)
{
	struct state_key k = key_schedule(i->key.way);

	key_add_u64(&k, time_known(i->next_ms));
	key_add_u8(&k, (uint8_t)i->key.ledger);
	key_add_u64(&k, i->key.index);
	key_add_addressee(&k, &i->key.to);
	return k;
}

static struct state_key key_undeliverable(const struct outbox_item *i)
{
	struct state_key k = key_of((enum state_letter)OWN_UNDELIVERABLE);

	key_add_u64(&k, time_known(i->done_ms));
	key_add_u64(&k, i->key.index);
	key_add_u8(&k, (uint8_t)i->key.ledger);
	key_add_u8(&k, (uint8_t)i->key.way);
	key_add_addressee(&k, &i->key.to);
	return k;
}

static void read_way(struct reader *r, enum outbox_way *out)
{
	uint8_t way = read_u8(r);

	if (way > OUTBOX_MAIL && r->err == OK)
		r->err = ERR_SYNTAX;
	*out = way == OUTBOX_MAIL ? OUTBOX_MAIL : OUTBOX_NODE;
}

static void read_place(struct reader *r, struct outbox_key *out)
{
	uint8_t l = read_u8(r);

	if (l >= LEDGER_COUNT && r->err == OK)
		r->err = ERR_SYNTAX;
	out->ledger = l < LEDGER_COUNT ? (enum ledger_id)l : LEDGER_PUBLIC;
	out->index = read_u64(r);
}

/* To a node one sends what is a party, to a mailbox everything but everyone. */
static bool receives(const struct outbox_key *k)
{
	return k->to.type == TO_PARTY || (k->way == OUTBOX_MAIL && k->to.type != TO_ALL);
}

/* ---- items ---- */

static void write_item(struct buffer *b, const struct outbox_item *i)
{
	assert(i->contact.len <= CONTACT_MAIL_MAX && i->detail.len <= OUTBOX_DETAIL_MAX && i->tried.len <= TRIED_MAX);
	buffer_bytes(b, i->id.bytes, HASH_SIZE);
	buffer_bytes(b, i->matter.bytes, HASH_SIZE);
	buffer_byte(b, (uint8_t)i->step);
	buffer_u32(b, i->attempts);
	buffer_u64(b, time_known(i->queued_ms));
	buffer_u64(b, time_known(i->next_ms));
	buffer_u64(b, time_known(i->done_ms));
	buffer_u64(b, time_known(i->since_ms));
	buffer_byte(b, (uint8_t)i->contact.len);
	buffer_span(b, i->contact);
	buffer_u16(b, (uint16_t)i->detail.len);
	buffer_span(b, i->detail);
	buffer_span(b, i->tried);
}

static bool tried_reads(struct span tried)
{
	struct reader r = reader_of(tried);

	while (r.err == OK && reader_left(&r) > 0)
		if (contact_mail_check(read_span(&r, read_u8(&r))) != OK)
			return false;
	return r.err == OK;
}

static enum err read_item(struct span value, struct outbox_item *i)
{
	struct reader r = reader_of(value);
	uint8_t step;

	read_bytes(&r, i->id.bytes, HASH_SIZE);
	read_bytes(&r, i->matter.bytes, HASH_SIZE);
	step = read_u8(&r);
	i->attempts = read_u32(&r);
	i->queued_ms = (int64_t)read_u64(&r);
	i->next_ms = (int64_t)read_u64(&r);
	i->done_ms = (int64_t)read_u64(&r);
	i->since_ms = (int64_t)read_u64(&r);
	i->contact = read_span(&r, read_u8(&r));
	i->detail = read_span(&r, read_u16(&r));
	i->tried = span_make(r.at, reader_left(&r));
	if (r.err != OK || step >= OUTBOX_STEP_COUNT || i->contact.len > CONTACT_MAIL_MAX ||
	    i->detail.len > OUTBOX_DETAIL_MAX || i->tried.len > TRIED_MAX || !tried_reads(i->tried))
		return state_damaged("part of the outbox");
	i->step = (enum outbox_step)step;
	return OK;
}

bool outbox_was_tried(const struct outbox_item *i, struct span mail)
{
	struct reader r = reader_of(i->tried);

	while (r.err == OK && reader_left(&r) > 0)
		if (span_equal(read_span(&r, read_u8(&r)), mail))
			return true;
	return false;
}

enum err outbox_find(const struct state *st, const struct outbox_key *key, struct outbox_item *out)
{
	struct state_key k = key_item(key);
	struct span value;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	*out = (struct outbox_item){ .key = *key };
	return e == OK ? read_item(value, out) : e;
}

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

enum err outbox_own(const struct state *st, struct outbox_item *i)
{
	enum err e = own(st->arena, &i->contact);

	if (e == OK)
		e = own(st->arena, &i->detail);
	if (e == OK)
		e = own(st->arena, &i->tried);
	if (e == OK && i->key.to.type == TO_PARTY)
		e = own(st->arena, &i->key.to.domain);
	return e;
}

static enum err schedule(struct state *st, const struct outbox_item *i)
{
	struct state_key waiting = key_waiting(&i->key), due = key_due(i);
	enum err e = view_put(st->snapshot, VIEW_OWN, key_view(&waiting), SPAN(""));

	return e == OK ? view_put(st->snapshot, VIEW_OWN, key_view(&due), SPAN("")) : e;
}

static enum err unschedule(struct state *st, const struct outbox_item *i)
{
	struct state_key waiting = key_waiting(&i->key), due = key_due(i);
	enum err e = view_delete(st->snapshot, VIEW_OWN, key_view(&waiting));

	if (e == OK)
		e = view_delete(st->snapshot, VIEW_OWN, key_view(&due));
	return e == ERR_NOT_FOUND ? state_damaged("part of the outbox") : e;
}

static enum err put(struct state *st, const struct outbox_item *i)
{
	struct state_key k = key_item(&i->key);
	struct buffer b = BUFFER(ITEM_MAX);
	enum err e;

	write_item(&b, i);
	e = b.err != OK ? b.err : view_put(st->snapshot, VIEW_OWN, key_view(&k), buffer_view(&b));
	buffer_free(&b);
	if (e == OK && i->step == OUTBOX_UNDELIVERABLE) {
		struct state_key lost = key_undeliverable(i);

		e = view_put(st->snapshot, VIEW_OWN, key_view(&lost), SPAN(""));
	}
	return e == OK && i->step == OUTBOX_WAITING ? schedule(st, i) : e;
}

enum err outbox_queue(struct state *st, const struct outbox_item *i)
{
	struct state_key k = key_item(&i->key);
	struct span value;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);

	return e == ERR_NOT_FOUND ? put(st, i) : e;
}

enum err outbox_replace(struct state *st, const struct outbox_item *old, const struct outbox_item *now)
{
	enum err e = old->step == OUTBOX_WAITING ? unschedule(st, old) : OK;

	if (old->step == OUTBOX_UNDELIVERABLE) {
		struct state_key lost = key_undeliverable(old);

		e = view_delete(st->snapshot, VIEW_OWN, key_view(&lost));
		e = e == ERR_NOT_FOUND ? state_damaged("part of the outbox") : e;
	}

	return e == OK ? put(st, now) : e;
}

/* ---- events ---- */

/* Cut, not within a character. */
static struct span fit(struct span s, size_t most)
{
	if (s.len > most) {
		s.len = most;
		while (s.len > 0 && ((uint8_t)s.at[s.len] & 0xc0) == 0x80)
			s.len--;
	}
	return s;
}

static void write_event(struct buffer *b, const struct outbox_event *e)
{
	struct span contact = contact_mail_check(e->contact) == OK ? e->contact : SPAN("");
	struct span detail = fit(e->detail, OUTBOX_DETAIL_MAX);

	assert(e->step != OUTBOX_ARRIVED && e->step < OUTBOX_STEP_COUNT && receives(&e->key));
	buffer_byte(b, (uint8_t)e->key.way);
	write_addressee(b, &e->key.to);
	buffer_byte(b, (uint8_t)e->key.ledger);
	buffer_u64(b, e->key.index);
	buffer_byte(b, (uint8_t)e->step);
	buffer_u64(b, time_known(e->at_ms));
	buffer_u64(b, time_known(e->next_ms));
	buffer_byte(b, (uint8_t)contact.len);
	buffer_span(b, contact);
	buffer_u16(b, (uint16_t)detail.len);
	buffer_span(b, detail);
}

void outbox_write(struct buffer *record, const struct outbox_event *events, size_t count)
{
	buffer_byte(record, TAG_OUTBOX);
	for (size_t i = 0; i < count; i++)
		write_event(record, &events[i]);
}

static enum err read_event(struct reader *r, struct outbox_event *out)
{
	uint8_t step;

	*out = (struct outbox_event){ 0 };
	read_way(r, &out->key.way);
	read_addressee(r, &out->key.to);
	read_place(r, &out->key);
	step = read_u8(r);
	out->at_ms = (int64_t)read_u64(r);
	out->next_ms = (int64_t)read_u64(r);
	out->contact = read_span(r, read_u8(r));
	out->detail = read_span(r, read_u16(r));
	if (r->err != OK || step >= OUTBOX_STEP_COUNT || step == OUTBOX_ARRIVED || !receives(&out->key) ||
	    out->at_ms < 0 || out->at_ms > TIME_MAX || out->next_ms < 0 || out->next_ms > TIME_MAX ||
	    out->detail.len > OUTBOX_DETAIL_MAX || (out->contact.len > 0 && contact_mail_check(out->contact) != OK))
		return private_damaged("the outbox");
	out->step = (enum outbox_step)step;
	return OK;
}

static bool gives_up(const struct outbox_item *i, const struct outbox_event *ev)
{
	return ev->step == OUTBOX_WAITING && ev->detail.len > 0 && i->step == OUTBOX_WAITING &&
	       ev->at_ms - i->since_ms >= OUTBOX_GIVE_UP_MS;
}

static bool came_back(const struct outbox_event *ev)
{
	return ev->step == OUTBOX_BOUNCED || ev->step == OUTBOX_REFUSED;
}

static enum err tell_health(struct state *st, const struct outbox_item *i, const struct outbox_event *ev)
{
	if (ev->key.way != OUTBOX_MAIL || ev->contact.len == 0)
		return OK;
	if (ev->step == OUTBOX_HANDED_OVER)
		return health_sent(st, ev->contact, ev->at_ms);
	if (came_back(ev)) /* whoever tells it twice, or of what was never sent there, tells nothing new */
		return outbox_was_tried(i, ev->contact) ? OK : health_bounced(st, ev->contact, ev->at_ms, true);
	if (ev->step == OUTBOX_WAITING && ev->detail.len > 0)
		return health_bounced(st, ev->contact, ev->at_ms, gives_up(i, ev));
	return OK;
}

static void end(struct outbox_item *i, enum outbox_step step, const struct outbox_event *ev)
{
	i->step = step;
	i->done_ms = ev->at_ms;
	i->next_ms = 0;
	if (ev->contact.len > 0)
		i->contact = ev->contact;
	if (ev->detail.len > 0 || step == OUTBOX_HANDED_OVER)
		i->detail = ev->detail;
}

static void wait_again(struct outbox_item *i, const struct outbox_event *ev, int64_t next_ms)
{
	i->step = OUTBOX_WAITING;
	i->attempts = 0;
	i->next_ms = next_ms;
	i->since_ms = ev->at_ms;
	i->done_ms = 0;
	i->detail = ev->detail;
}

/* The contact is done with: the next one's turn. */
static enum err next_contact(const struct state *st, struct outbox_item *i, const struct outbox_event *ev)
{
	struct span contact = ev->contact.len > 0 ? ev->contact : i->contact;
	char *both;

	if (i->step != OUTBOX_WAITING && (i->step != OUTBOX_HANDED_OVER || !span_equal(contact, i->contact)))
		return OK;
	if (contact.len > 0 && outbox_was_tried(i, contact))
		return OK;
	if (contact.len == 0 || i->tried.len + 1 + contact.len > TRIED_MAX) {
		end(i, OUTBOX_UNDELIVERABLE, ev);
		return OK;
	}
	if ((both = arena_alloc(st->arena, i->tried.len + 1 + contact.len)) == NULL)
		return ERR_NO_MEMORY;
	memcpy(both, i->tried.at, i->tried.len);
	both[i->tried.len] = (char)(uint8_t)contact.len;
	memcpy(both + i->tried.len + 1, contact.at, contact.len);
	i->tried = span_make(both, i->tried.len + 1 + contact.len);
	i->contact = contact;
	wait_again(i, ev, ev->at_ms);
	return OK;
}

static enum err failed_for_now(const struct state *st, struct outbox_item *i, const struct outbox_event *ev)
{
	/* A mail server that had it gave it up, for a reason that may pass. */
	if (i->step == OUTBOX_HANDED_OVER && i->key.way == OUTBOX_MAIL && ev->contact.len > 0 &&
	    span_equal(ev->contact, i->contact)) {
		i->step = OUTBOX_WAITING;
		i->done_ms = 0;
		i->next_ms = ev->next_ms;
	}
	if (i->step != OUTBOX_WAITING)
		return OK;
	if (gives_up(i, ev)) {
		if (i->key.way == OUTBOX_MAIL)
			return next_contact(st, i, ev);
		end(i, OUTBOX_UNDELIVERABLE, ev);
		return OK;
	}
	i->attempts += i->attempts < UINT32_MAX;
	i->next_ms = ev->next_ms;
	i->detail = ev->detail;
	if (ev->contact.len > 0)
		i->contact = ev->contact;
	return OK;
}

static enum err move(const struct state *st, struct outbox_item *i, const struct outbox_event *ev)
{
	switch (ev->step) {
	case OUTBOX_WAITING:
		if (ev->detail.len > 0)
			return failed_for_now(st, i, ev);
		wait_again(i, ev, ev->next_ms);
		i->tried = SPAN("");
		return OK;
	case OUTBOX_HANDED_OVER:
		end(i, OUTBOX_HANDED_OVER, ev);
		return OK;
	case OUTBOX_REFUSED:
	case OUTBOX_BOUNCED:
		if (i->key.way == OUTBOX_MAIL)
			return next_contact(st, i, ev);
		if (i->step == OUTBOX_WAITING)
			end(i, ev->step == OUTBOX_REFUSED ? OUTBOX_REFUSED : OUTBOX_UNDELIVERABLE, ev);
		return OK;
	case OUTBOX_UNDELIVERABLE:
		if (i->step == OUTBOX_WAITING)
			end(i, OUTBOX_UNDELIVERABLE, ev);
		return OK;
	case OUTBOX_ARRIVED:
	case OUTBOX_STEP_COUNT:
		break;
	}
	return OK;
}

static enum err fold_event(struct state *st, const struct outbox_event *ev)
{
	struct outbox_item old, now;
	enum err e = outbox_find(st, &ev->key, &old);

	if (e == OK)
		e = outbox_own(st, &old);
	if (e == OK)
		e = tell_health(st, &old, ev);
	if (e != OK || old.step == OUTBOX_ARRIVED)
		return e == ERR_NOT_FOUND ? OK : e; /* nothing of ours: it is kept and says nothing */
	now = old;
	e = move(st, &now, ev);
	return e == OK ? outbox_replace(st, &old, &now) : e;
}

enum err outbox_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	enum err e = OK;

	while (e == OK && reader_left(&r) > 0) {
		struct outbox_event ev;

		e = read_event(&r, &ev);
		if (e == OK)
			e = fold_event(st, &ev);
	}
	return e;
}

/* ---- readers ---- */

struct item_walk {
	const struct state *st;
	int64_t until_ms;
	outbox_each *each;
	void *context;
	bool past; /* what is behind is not due yet */
};

static enum err each_item(void *context, struct span key, struct span value)
{
	struct item_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct outbox_item i = { 0 };
	enum err e;

	read_place(&r, &i.key);
	read_way(&r, &i.key.way);
	read_addressee(&r, &i.key.to);
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("part of the outbox");
	e = read_item(value, &i);
	return e == OK ? w->each(w->context, &i) : e;
}

enum err outbox_walk(const struct state *st, const struct hash *id, outbox_each *each, void *context)
{
	struct item_walk w = { st, 0, each, context, false };
	struct state_key prefix = key_of((enum state_letter)OWN_ITEM);
	enum ledger_id l;
	uint64_t index;
	enum err e;

	if (id != NULL) {
		if ((e = state_find(st, *id, &l, &index)) != OK)
			return e == ERR_NOT_FOUND ? OK : e;
		prefix = key_entry_items(l, index);
	}
	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), each_item, &w);
}

static enum err show(struct item_walk *w, const struct outbox_key *key)
{
	struct outbox_item i;
	enum err e = outbox_find(w->st, key, &i);

	if (e == ERR_NOT_FOUND)
		e = state_damaged("part of the outbox");
	return e == OK ? w->each(w->context, &i) : e;
}

static enum err each_undeliverable(void *context, struct span key, struct span value)
{
	struct item_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct outbox_key k = { 0 };

	(void)value;
	read_u64(&r);
	k.index = read_u64(&r);
	k.ledger = read_u8(&r) == LEDGER_PUBLIC ? LEDGER_PUBLIC : LEDGER_CIRCLE;
	read_way(&r, &k.way);
	read_addressee(&r, &k.to);
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("part of the outbox");
	return show(w, &k);
}

enum err outbox_undeliverable(const struct state *st, int64_t after_ms, uint64_t after_index, outbox_each *each,
			      void *context)
{
	struct item_walk w = { st, 0, each, context, false };
	struct state_key prefix = key_of((enum state_letter)OWN_UNDELIVERABLE), from = prefix;

	key_add_u64(&from, time_known(after_ms));
	key_add_u64(&from, after_index);
	key_add_u8(&from, UINT8_MAX);
	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), key_view(&from), each_undeliverable, &w);
}

static enum err each_due(void *context, struct span key, struct span value)
{
	struct item_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct outbox_key k = { 0 };
	uint64_t next;

	(void)value;
	read_way(&r, &k.way);
	next = read_u64(&r);
	read_place(&r, &k);
	read_addressee(&r, &k.to);
	if (r.err != OK || reader_left(&r) != 0 || next > (uint64_t)TIME_MAX)
		return state_damaged("part of the outbox");
	if ((int64_t)next > w->until_ms) {
		w->until_ms = (int64_t)next;
		w->past = true;
		return ERR_EXISTS;
	}
	return show(w, &k);
}

enum err outbox_due(const struct state *st, enum outbox_way way, int64_t now_ms, outbox_each *each, void *context)
{
	struct item_walk w = { st, now_ms, each, context, false };
	struct state_key prefix = key_schedule(way);
	enum err e = view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), each_due, &w);

	return w.past ? OK : e;
}

enum err outbox_next_due(const struct state *st, enum outbox_way way, int64_t *next_ms)
{
	struct item_walk w = { st, -1, NULL, NULL, false };
	struct state_key prefix = key_schedule(way);
	enum err e = view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), each_due, &w);

	*next_ms = w.past ? w.until_ms : 0;
	return w.past ? OK : e;
}

static enum err each_waiting(void *context, struct span key, struct span value)
{
	struct item_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct outbox_key k = { 0 };

	(void)value;
	read_way(&r, &k.way);
	read_addressee(&r, &k.to);
	read_place(&r, &k);
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("part of the outbox");
	return show(w, &k);
}

enum err outbox_waiting(const struct state *st, enum outbox_way way, const struct addressee *to, outbox_each *each,
			void *context)
{
	struct item_walk w = { st, 0, each, context, false };
	struct state_key prefix = key_receiver(way, to);

	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), each_waiting, &w);
}

/* ---- for programs ---- */

void outbox_print(const struct outbox_item *i, struct json *j)
{
	json_text(j, "way", i->key.way == OUTBOX_MAIL ? "mail" : "node");
	addressee_json(j, "to", &i->key.to);
	json_hash(j, "id", i->id);
	json_hash(j, "matter", i->matter);
	json_text(j, "ledger", ledger_name(i->key.ledger));
	json_number(j, "index", (int64_t)i->key.index);
	json_text(j, "step", outbox_step_name(i->step));
	json_number(j, "attempts", i->attempts);
	json_time(j, "queued", i->queued_ms);
	json_time(j, "next", i->step == OUTBOX_WAITING ? i->next_ms : 0);
	json_time(j, "done", i->done_ms);
	if (i->contact.len > 0)
		json_string(j, "contact", i->contact);
	else
		json_null(j, "contact");
	if (i->detail.len > 0)
		json_string(j, "detail", i->detail);
	else
		json_null(j, "detail");
}
