/* One attempt to deliver: what waits for a node, put together, sent, and what came of it. */
#include <sodium.h>
#include <stdio.h>

#include "exchange/access_private.h"
#include "exchange/delivery_private.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime/vouch.h"

/*
 * What comes along
 *
 * Our own party statement goes first where this program did not send it yet: so that our address and keys there are those of
 * today. A node that does not know us at all cannot know who signed, so it answers 401 and we introduce ourselves. If it knows a
 * former key of ours, it refuses the present one (`key`): then it gets what announced each key, one behind the other. What of
 * these it had already is refused or repeated, and the last one tells how it went.
 *
 * What others signed can only be taken where they are known. Where the receiver says `party-unknown`, all behind that may have been
 * refused for that alone. So only what stands in front of it counts, and the rest goes again at once, this time with the party
 * statements of all who signed. Where it says `key-unknown`, likewise: the key is newer than what it knows of that party.
 *
 * What of an answer is believed
 *
 * That it is one (ids, count, form), else nothing of it. A node can lie about what it took; then its `received` never comes,
 * and that is what counts as arrived.
 */

#define RECEIPT_MAX ((size_t)160 << 10)
#define RETRY_MOST_S 86400
#define ATTEMPT_MAX ((size_t)256 << 20)
#define BLOCKED_MOST_MS 30000 /* somebody may have taken away what blocks */

/* ---- putting it together ---- */

struct collecting {
	struct peer *p;
	int64_t now_ms, first_ms;
	bool first_due, by_hand, tried_due;
};

static enum err collect(void *context, const struct outbox_item *i)
{
	struct collecting *c = context;
	struct peer *p = c->p;
	bool due = i->next_ms <= c->now_ms;

	if (p->count == p->most)
		return ERR_BUSY;
	if (p->count == 0) {
		c->first_due = due;
		c->first_ms = i->next_ms;
	}
	c->tried_due |= due && i->attempts > 0;
	c->by_hand |= due && i->since_ms > i->queued_ms;
	p->parcels[p->count++] =
		(struct parcel){ .id = i->id, .ledger = i->key.ledger, .index = i->key.index, .attempts = i->attempts };
	return OK;
}

static struct outbox_key key_of_parcel(const struct peer *p, const struct parcel *c)
{
	return (struct outbox_key){ .way = OUTBOX_NODE,
				    .to = { .type = TO_PARTY, .domain = peer_name(p) },
				    .ledger = c->ledger,
				    .index = c->index };
}

/* From memory if it was logged lately, else from the files. */
static enum err make_receipt(struct delivery *d, struct peer *p, enum ledger_id l, uint64_t index, struct receipt *out)
{
	enum err e = sequencer_receipt(d->o.sequencer, p->arena, l, index, out);

	if (e != ERR_NOT_FOUND)
		return e;
	e = p->published[l] == NULL ? node_receipts_open(d->o.node, l, &p->published[l]) : OK;
	return e == OK ? node_receipts_make(p->published[l], index, out) : e;
}

/* The receipt with the entry that it is of, as its `extra`. */
static enum err complete_receipt(struct delivery *d, struct peer *p, enum ledger_id l, uint64_t index,
				 struct span entry, struct span *out)
{
	struct buffer b = BUFFER(RECEIPT_MAX);
	struct arena *a = p->arena;
	struct receipt r;
	enum err e = make_receipt(d, p, l, index, &r);
	char *copy = NULL;

	if (e == OK) {
		r.extra = entry;
		receipt_print(&r, &b);
		e = b.err;
	}
	if (e == OK && (copy = arena_copy(a, b.at, b.len)) == NULL)
		e = ERR_NO_MEMORY;
	*out = span_make(copy, b.len);
	buffer_free(&b);
	return e;
}

/* ERR_NOT_FOUND: it is not yet under a checkpoint: another process logged it, and it is not published. */
static enum err read_item(struct delivery *d, struct peer *p, enum ledger_id l, uint64_t index,
			  struct delivery_item *out)
{
	struct span text;
	struct entry entry;
	enum err e = node_entry(d->o.node, p->arena, l, index, &text);

	*out = (struct delivery_item){ 0 };
	if (e == OK)
		e = entry_parse(text, &entry);
	if (e != OK)
		return e;
	out->note = entry.note;
	if (entry.is_guest)
		return node_guest_receipt(d->o.node, p->arena, l, index, &out->receipt);
	return complete_receipt(d, p, l, index, text, &out->receipt);
}

static enum err read_body(struct node *n, struct arena *a, const struct statement *s, struct delivery_item *out)
{
	enum err e;

	if (!s->has_body)
		return OK;
	e = node_body(n, a, s->body.hash, &out->salt, &out->body);
	if (e != ERR_NOT_FOUND)
		return e;
	out->body = (struct span){ 0 }; /* it was erased: the statement goes alone */
	out->salt = NULL;
	return OK;
}

static enum err add_item(struct peer *p, const struct delivery_item *i, bool *fits)
{
	size_t before = p->text.len;

	delivery_request_add(&p->text, i, before <= sizeof("{\"statements\":["));
	if (p->text.err != OK && p->text.err != ERR_TOO_LONG)
		return p->text.err;
	*fits = p->text.err == OK;
	if (!*fits) {
		p->text.err = OK;
		p->text.len = before;
	}
	return OK;
}

/* A party statement goes in front; once. */
static enum err accompany(struct delivery *d, struct peer *p, struct hash id, uint64_t index, struct parcel *fronts,
			  size_t *count)
{
	struct delivery_item item;
	bool fits;
	enum err e;

	for (size_t i = 0; i < *count; i++)
		if (hash_equal(fronts[i].id, id))
			return OK;
	if (*count == DELIVERY_STATEMENTS_MAX / 2)
		return OK;
	e = read_item(d, p, LEDGER_PUBLIC, index, &item);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK)
		e = add_item(p, &item, &fits);
	if (e == OK && fits)
		fronts[(*count)++] = (struct parcel){ .id = id, .accompanies = true };
	return e;
}

struct leading {
	struct delivery *d;
	struct peer *p;
	struct parcel *fronts;
	size_t *count;
};

static enum err accompany_step(void *context, uint64_t index)
{
	struct leading *l = context;
	struct delivery_item item;
	struct statement s;
	enum err e = read_item(l->d, l->p, LEDGER_PUBLIC, index, &item);

	if (e == OK)
		e = statement_parse(l->p->arena, item.note, &s);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	return accompany(l->d, l->p, s.id, index, l->fronts, l->count);
}

/* The statement, and before it those that announced its key. */
static enum err accompany_party(struct leading *l, const struct state *st, const struct party *p)
{
	enum err e = party_steps(st, p->domain, NULL, accompany_step, l);

	return e == OK ? accompany(l->d, l->p, p->statement, p->index, l->fronts, l->count) : e;
}

/* The party's own, and before it that of the node that keeps it. */
static enum err accompany_author(struct delivery *d, struct peer *p, const struct state *st, struct span author,
				 struct parcel *fronts, size_t *count)
{
	struct leading l = { d, p, fronts, count };
	struct party party, home;
	enum err e = state_party(st, author, &party);

	if (e == ERR_PARTY_UNKNOWN || (e == OK && span_equal(author, st->node)))
		return OK;
	if (e == OK && !span_equal(party.home, st->node) && !span_equal(party.home, author) &&
	    state_party(st, party.home, &home) == OK)
		e = accompany_party(&l, st, &home);
	return e == OK ? accompany_party(&l, st, &party) : e;
}

static enum err statement_of(struct delivery *d, struct peer *p, const struct parcel *c, struct delivery_item *item,
			     struct statement *s)
{
	enum err e = read_item(d, p, c->ledger, c->index, item);

	return e == OK ? statement_parse(p->arena, item->note, s) : e;
}

/* Those that come along, to the front of the text and of the parcels. */
static enum err put_fronts(struct delivery *d, struct peer *p, const struct state *st, struct parcel *fronts,
			   size_t *count)
{
	struct party self;
	struct delivery_item item;
	struct statement s;
	enum err e = state_party(st, st->node, &self);

	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	if (!hash_equal(self.statement, p->told)) {
		e = accompany(d, p, self.statement, self.index, fronts, count);
		p->telling = self.statement;
	}
	for (size_t i = 0; e == OK && p->with_parties && i < p->count; i++) {
		e = statement_of(d, p, &p->parcels[i], &item, &s);
		if (e == OK)
			e = accompany_author(d, p, st, s.from, fronts, count);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* As many as fit, without a gap. */
static enum err put_parcels(struct delivery *d, struct peer *p, size_t *fitted, bool *unpublished)
{
	struct delivery_item item;
	struct statement s;
	bool fits = true;
	enum err e = OK;

	for (*fitted = 0; *fitted < p->count; ++*fitted) {
		e = statement_of(d, p, &p->parcels[*fitted], &item, &s);
		if (e == OK)
			e = read_body(d->o.node, p->arena, &s, &item);
		if (e == OK)
			e = add_item(p, &item, &fits);
		if (e != OK || !fits)
			break;
	}
	*unpublished = e == ERR_NOT_FOUND;
	d->unpublished |= *unpublished;
	return *unpublished ? OK : e;
}

/* What goes: party statements, then the parcels. *oversize: the first of these alone is too large. */
static enum err put_together(struct delivery *d, struct peer *p, const struct state *st, bool *oversize)
{
	struct parcel fronts[DELIVERY_STATEMENTS_MAX / 2];
	size_t front_count = 0, fitted = 0;
	bool unpublished = false;
	enum err e;

	delivery_request_begin(&p->text);
	if ((e = put_fronts(d, p, st, fronts, &front_count)) != OK)
		return e;
	if (p->count > DELIVERY_STATEMENTS_MAX - front_count)
		p->count = DELIVERY_STATEMENTS_MAX - front_count;
	e = put_parcels(d, p, &fitted, &unpublished);
	delivery_request_end(&p->text);
	*oversize = e == OK && fitted == 0 && p->count > 0 && !unpublished;
	if (e != OK || *oversize)
		return e;
	if (fitted == 0)
		front_count = 0; /* they come along, they do not go alone */
	memmove(p->parcels + front_count, p->parcels, fitted * sizeof(p->parcels[0]));
	memcpy(p->parcels, fronts, front_count * sizeof(fronts[0]));
	p->count = front_count + fitted;
	return p->text.err;
}

/* ---- asking ---- */

static enum err write_line(struct buffer *out, const char *name, const struct buffer *value)
{
	buffer_clear(out);
	buffer_print(out, "%s: %.*s%c", name, SPAN_FORMAT(buffer_view(value)), '\0');
	return out->err;
}

static enum err sign(struct delivery *d, struct peer *p)
{
	static const char *const names[] = { "Signature-Input", "Signature", "Content-Digest" };
	struct buffer values[3] = { BUFFER(4096), BUFFER(4096), BUFFER(4096) };
	bool secure = span_starts(span_of(p->url), "https://");
	struct span rest = span_from(span_of(p->url), secure ? 8 : 7), host = span_cut(&rest, '/'), authority;
	struct span path = span_make(rest.at - 1, rest.len + 1); /* there is one: we wrote it */
	enum err e = access_authority(p->arena, host, secure, &authority);

	if (e == OK)
		e = access_sign(node_signer(d->o.node), HTTP_POST, authority, path, buffer_view(&p->text), &values[0],
				&values[1], &values[2]);
	for (int i = 0; i < 3; i++) {
		if (e == OK)
			e = write_line(&p->lines[i], names[i], &values[i]);
		buffer_free(&values[i]);
	}
	return e;
}

static enum err ask(struct delivery *d, struct peer *p, const char *path, enum peer_step step)
{
	const char *headers[5] = { "Content-Type: application/json", "Accept: application/json" };
	struct door_request r = { .method = "POST", .url = p->url, .headers = headers, .body = buffer_view(&p->text) };
	enum err e;

	snprintf(p->url, sizeof(p->url), "%s%s", p->base, path);
	if ((e = sign(d, p)) != OK)
		return e;
	for (r.header_count = 2; r.header_count < 5; r.header_count++)
		headers[r.header_count] = p->lines[r.header_count - 2].at;
	if (step == PEER_INTRODUCING)
		r.header_count = 2; /* who is not known yet need not sign */
	if ((e = door_pool_ask(d->pool, &r, p)) == OK)
		p->step = step;
	return e;
}

/* ---- what became of it ---- */

static void set_event(struct peer *p, struct parcel *c, enum outbox_step step, struct span detail)
{
	c->has_event = true;
	c->event = (struct outbox_event){
		.key = key_of_parcel(p, c), .step = step, .at_ms = clock_now_ms(), .detail = detail
	};
}

static void tell_why(struct peer *p, const struct parcel *c, struct span detail)
{
	char hex[HASH_HEX + 1];

	hash_hex(c->id, hex);
	snprintf(p->why, sizeof(p->why), "%.16s: %.*s", hex, SPAN_FORMAT(detail));
}

static void fail_parcel(struct peer *p, struct parcel *c, struct span detail, int64_t wait_ms)
{
	int64_t back_off = outbox_back_off_ms(c->attempts + 1, randombytes_random());

	set_event(p, c, OUTBOX_WAITING, detail);
	c->event.next_ms = c->event.at_ms + (back_off > wait_ms ? back_off : wait_ms);
	p->wait_ms = c->event.next_ms - c->event.at_ms;
	p->failed++;
	tell_why(p, c, detail);
}

static void refuse_parcel(struct peer *p, struct parcel *c, struct span detail)
{
	set_event(p, c, OUTBOX_REFUSED, detail);
	p->refused++;
	tell_why(p, c, detail);
}

static struct span describe(struct peer *p, struct span code, struct span detail)
{
	char *text = arena_print(p->arena, "%.*s%s%.*s", SPAN_FORMAT(code), code.len > 0 && detail.len > 0 ? ": " : "",
				 SPAN_FORMAT(detail));

	return text != NULL && text[0] != '\0' ? span_of(text) : SPAN("?");
}

/* None of it was taken, for now. */
static void fail_all(struct peer *p, enum err e, const char *why, int64_t wait_ms)
{
	struct span detail = describe(p, span_of(err_code(e)), span_of(why));

	for (size_t i = 0; i < p->count; i++)
		if (!p->parcels[i].accompanies)
			fail_parcel(p, &p->parcels[i], detail, wait_ms);
}

static enum err write_events(struct peer *p)
{
	struct outbox_event events[PARCELS_OF_RECORD];
	size_t n = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i <= p->count; i++) {
		if (i < p->count && p->parcels[i].has_event)
			events[n++] = p->parcels[i].event;
		if (n < PARCELS_OF_RECORD && (i < p->count || n == 0))
			continue;
		outbox_write(&p->records[p->record_count], events, n);
		e = p->records[p->record_count++].err;
		n = 0;
	}
	return e;
}

/* An attempt is judged: what is there to log? */
static enum err conclude(struct peer *p)
{
	enum err e = write_events(p);

	p->step = p->record_count > 0 ? PEER_TO_LOG : PEER_IDLE;
	return e;
}

static void judge_one(struct peer *p, struct parcel *c, const struct delivery_verdict *v, bool *unknown)
{
	switch (v->status) {
	case DELIVERY_TAKEN:
	case DELIVERY_REPEATED:
		set_event(p, c, OUTBOX_HANDED_OVER, SPAN(""));
		p->handed_over++;
		break;
	case DELIVERY_LATER:
		fail_parcel(p, c, describe(p, v->code, v->detail), 0);
		break;
	case DELIVERY_REFUSED:
		*unknown |= !p->with_parties && (span_is(v->code, err_code(ERR_PARTY_UNKNOWN)) ||
						 span_is(v->code, err_code(ERR_KEY_UNKNOWN)));
		if (!*unknown)
			refuse_parcel(p, c, describe(p, v->code, v->detail));
		break;
	case DELIVERY_STATUS_COUNT:
		break;
	}
}

static enum err judge(struct peer *p, struct span answer)
{
	struct delivery_verdict *v = arena_array(p->arena, p->count, sizeof(*v));
	struct hash *ids = arena_array(p->arena, p->count, sizeof(*ids));
	bool unknown = false;
	enum err e;

	if (v == NULL || ids == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < p->count; i++)
		ids[i] = p->parcels[i].id;
	if ((e = delivery_answer_read(p->arena, answer, ids, p->count, v)) != OK)
		return e;
	for (size_t i = 0; i < p->count; i++) {
		if (!p->parcels[i].accompanies)
			judge_one(p, &p->parcels[i], &v[i], &unknown);
		else if (hash_equal(v[i].id, p->telling) && v[i].status != DELIVERY_LATER)
			p->told = p->telling;
	}
	p->with_parties = unknown;
	p->again = true; /* there may be more */
	return OK;
}

/* ---- other answers ---- */

static int64_t retry_after_ms(const struct door_answer *a)
{
	struct span value;
	uint64_t seconds = 0;

	if (door_header(a, "Retry-After", &value) && span_u64(value, RETRY_MOST_S, &seconds) != OK)
		return 0; /* a date, or too much: our own time */
	return (int64_t)seconds * 1000;
}

/* Of many the newest. */
static enum err keep_step(void *context, uint64_t index)
{
	struct peer *p = context;

	if (p->step_count == STEPS_MAX)
		memmove(p->steps, p->steps + 1, --p->step_count * sizeof(p->steps[0]));
	p->steps[p->step_count++] = index;
	return OK;
}

/* By our present statement; or, while leading, by the next one of those that led there. */
static enum err introduce(struct delivery *d, struct peer *p)
{
	struct delivery_item item;
	struct party self;
	struct state st;
	enum err e = node_read(d->o.node, p->arena, &st);

	if (e != OK)
		return e;
	if (!p->leading) {
		p->step_count = p->step_at = 0;
		e = party_steps(&st, st.node, NULL, keep_step, p);
	}
	if (e == OK)
		e = state_party(&st, st.node, &self);
	if (e == OK)
		e = read_item(d, p, LEDGER_PUBLIC,
			      p->leading && p->step_at < p->step_count ? p->steps[p->step_at] : self.index, &item);
	snapshot_end(st.snapshot);
	if (e != OK)
		return e;
	p->telling = self.statement;
	buffer_clear(&p->text);
	delivery_introduction_print(item.note, item.receipt, &p->text);
	e = p->text.err;
	return e == OK ? ask(d, p, "/introduction", PEER_INTRODUCING) : e;
}

static void fail_with_status(struct peer *p, const struct door_answer *a, const char *what)
{
	struct span code = delivery_problem_code(p->arena, a->body);
	enum err e = a->status == 429			    ? ERR_RATE
		     : a->status == 503			    ? ERR_BUSY
		     : a->status == 401 || a->status == 403 ? ERR_CREDENTIALS
							    : ERR_PEER;
	char *why = arena_print(p->arena, "%s status %u %.*s", what, a->status, SPAN_FORMAT(code));

	fail_all(p, e, why != NULL ? why : "", retry_after_ms(a));
}

/* It takes less at once than that. */
static void send_less(struct peer *p)
{
	size_t own = 0;
	struct parcel *c = NULL;

	for (size_t i = 0; i < p->count; i++)
		if (!p->parcels[i].accompanies) {
			c = &p->parcels[i];
			own++;
		}
	if (own > 1) {
		p->most = own / 2;
		p->again = true;
	} else if (c != NULL) {
		refuse_parcel(p, c, SPAN("too-long: it is more than the other node takes"));
	}
}

static enum err delivered(struct delivery *d, struct peer *p, const struct door_answer *a)
{
	enum err e;

	if (a->status == 401 && !p->introduced) {
		e = introduce(d, p);
		if (e == OK || err_is_machine(e))
			return e;
		fail_all(p, e, err_detail(), 0);
		return conclude(p);
	}
	p->introduced = false;
	if (a->status == 200) {
		e = judge(p, a->body);
		if (e == ERR_PEER)
			fail_all(p, e, err_detail(), 0);
		else if (e != OK)
			return e;
	} else if (a->status == 413) {
		send_less(p);
	} else {
		fail_with_status(p, a, "delivery:");
	}
	return conclude(p);
}

/* Whether another introduction goes before the attempt is over: what leads to the key that it would not take, then the key again. */
static bool leads_on(struct peer *p, const struct door_answer *a)
{
	bool taken = a->status == 200 || a->status == 201;
	bool later = a->status == 429 || a->status >= 500;

	if (p->leading) {
		p->step_at++;
		return p->step_at <= p->step_count && !later;
	}
	p->leading = !taken && !later && p->step_count > 0 &&
		     span_is(delivery_problem_code(p->arena, a->body), err_code(ERR_KEY));
	return p->leading;
}

static enum err introduced(struct delivery *d, struct peer *p, const struct door_answer *a)
{
	if (leads_on(p, a)) {
		enum err e = introduce(d, p);

		if (e == OK || err_is_machine(e))
			return e;
		fail_all(p, e, err_detail(), 0);
		return conclude(p);
	}
	if (a->status == 200 || a->status == 201) {
		p->introduced = p->again = true;
		p->told = p->telling;
	} else {
		fail_with_status(p, a, "introduction:");
	}
	return conclude(p);
}

enum err push_ended(struct delivery *d, struct peer *p, const struct door_done *done)
{
	if (done->err == ERR_NO_MEMORY)
		return fail(done->err, "%s", done->detail);
	if (done->err != OK) {
		fail_all(p, done->err, done->detail, 0);
		return conclude(p);
	}
	return p->step == PEER_INTRODUCING ? introduced(d, p, &done->answer) : delivered(d, p, &done->answer);
}

/* ---- the beginning ---- */

static enum err take_up(struct peer *p)
{
	p->again = p->leading = false;
	p->count = p->record_count = 0;
	p->handed_over = p->refused = p->failed = 0;
	p->why[0] = '\0';
	p->text = BUFFER(DELIVERY_BYTES_MAX);
	for (int i = 0; i < 3; i++)
		p->lines[i] = BUFFER(8192);
	for (int i = 0; i < PEER_RECORDS; i++)
		p->records[i] = BUFFER((size_t)64 << 10);
	if ((p->arena = arena_new(ATTEMPT_MAX)) == NULL ||
	    (p->parcels = arena_array(p->arena, DELIVERY_STATEMENTS_MAX, sizeof(*p->parcels))) == NULL)
		return ERR_NO_MEMORY;
	return OK;
}

void push_over(struct delivery *d, struct peer *p)
{
	(void)d;
	buffer_free(&p->text);
	for (int i = 0; i < 3; i++)
		buffer_free(&p->lines[i]);
	for (int i = 0; i < PEER_RECORDS; i++)
		buffer_free(&p->records[i]);
	if (p->arena != NULL)
		arena_free(p->arena);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		node_receipts_close(p->published[l]);
		p->published[l] = NULL;
	}
	p->arena = NULL;
	p->parcels = NULL;
	p->count = 0;
	p->step = PEER_IDLE;
}

static enum err find_address(struct peer *p, const struct state *st)
{
	struct party party;
	struct span url;
	enum err e = state_party(st, peer_name(p), &party);

	if (e != OK)
		return e;
	url = party.url;
	if (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (url.len == 0)
		return fail(ERR_UNREACHABLE, "its party statement names no `url`");
	if (!span_starts(url, "https://") && !span_starts(url, "http://"))
		return fail(ERR_REFUSED_URL, "%.*s", SPAN_FORMAT(url));
	if (url.len >= sizeof(p->base))
		return fail(ERR_TOO_LONG, "its `url`");
	snprintf(p->base, sizeof(p->base), "%.*s", SPAN_FORMAT(url));
	return OK;
}

static int64_t shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum err collect_all(struct peer *p, const struct state *st, bool *may)
{
	const struct addressee to = { .type = TO_PARTY, .domain = peer_name(p) };
	struct collecting c = { .p = p, .now_ms = clock_now_ms() };
	enum err e = outbox_waiting(st, OUTBOX_NODE, &to, collect, &c);

	/* What failed holds up what came behind it, so that nothing overtakes; until it is due itself. */
	*may = p->count > 0 && (c.first_due || c.tried_due || c.by_hand);
	p->blocked_us = 0;
	if (p->count > 0 && !*may)
		p->blocked_us = clock_monotonic_us() + shorter(c.first_ms - c.now_ms, BLOCKED_MOST_MS) * 1000;
	return e == ERR_BUSY && p->count == p->most ? OK : e;
}

static enum err send_all(struct delivery *d, struct peer *p, const struct state *st)
{
	bool oversize = false;
	enum err e = put_together(d, p, st, &oversize);

	if (e == OK && oversize && p->count > 1) { /* the parties of the others may have taken the room */
		p->count = 1;
		buffer_clear(&p->text);
		e = put_together(d, p, st, &oversize);
	}
	if (e != OK)
		return e;
	if (oversize) {
		p->count = 1;
		refuse_parcel(p, &p->parcels[0], SPAN("too-long: it is more than goes into one request"));
		return OK;
	}
	if (p->count == 0)
		return OK;
	return ask(d, p, "/delivery", PEER_DELIVERING);
}

/* A request for help that was logged before what it rests on was suspended. Those are refused first, in an attempt that sends nothing; the
 * others go in the next. */
static enum err withhold(struct delivery *d, struct peer *p, const struct state *st, size_t *withheld)
{
	struct delivery_item item;
	struct statement s;
	struct matter m;
	enum err e = OK;

	*withheld = 0;
	for (size_t i = 0; e == OK && i < p->count; i++) {
		struct parcel c = p->parcels[i];

		if (c.ledger != LEDGER_CIRCLE || state_matter(st, c.id, &m) != OK || m.kind != KIND_REQUEST ||
		    statement_of(d, p, &c, &item, &s) != OK)
			continue;
		e = suspensions_check_help(d->suspensions, st, &s);
		if (e != ERR_SUSPENDED)
			continue;
		refuse_parcel(p, &c, describe(p, span_of(err_code(e)), span_of(err_detail())));
		p->parcels[(*withheld)++] = c;
		e = OK;
	}
	if (*withheld > 0) {
		p->count = *withheld;
		p->again = true;
	}
	return e;
}

enum err push_begin(struct delivery *d, struct peer *p, const struct state *st)
{
	bool may = false;
	size_t withheld = 0;
	enum err e = take_up(p);

	if (e == OK)
		e = collect_all(p, st, &may);
	if (e == OK && may)
		e = withhold(d, p, st, &withheld);
	if (e != OK || !may)
		return e;
	if (withheld > 0)
		return conclude(p);
	if ((e = find_address(p, st)) == OK)
		e = send_all(d, p, st);
	if (p->step == PEER_DELIVERING || err_is_machine(e) || e == ERR_DAMAGED)
		return e;
	if (e != OK)
		fail_all(p, e, err_detail(), 0);
	return conclude(p);
}
