#include "regime/kinds_private.h"

#include <assert.h>

/*
 * Matters: bytes, and the places where they are found
 *
 * Matters: u8 kind, u32 flags, u8 outcome, u8 class, u64 logged_ms, u64 due_ms, u64 events, 32 id, short from, u8 number of `to`,
 * u8 number of `cc`, u16 length of the addressees, the addressees. Then what its flag announces, in this order:
 *
 *	body		u64 size, 32 hash, short media type
 *	home		short: the node, if it is not the ledger's own
 *	period		u64 first_ms, u64 last_ms
 *	explained	u64 explained
 *	before		u8 reason, 32 before
 *	passed on	u64 passed_on_ms, 32 next
 *	moved		u64 moved_ms, answered_ms, ended_ms, withdrawn_ms, arrived_ms, acknowledged_ms, fixed_ms, re_observed_ms,
 *			not_ours_ms, cannot_ms, disputed_ms, closed_ms, settled_ms, first_due_ms, u32 answers, u32 re_observed
 *
 * Ledger and index stand in the key. A matter that nobody has moved yet, as most have not, has none of the last two.
 *
 * Four indexes lead to notices: to whom (a), by whom (b), waited for (d), not its addressee's (n). The first two are written with
 * the notice and stay; the others follow from the matter as it is, so matter_change takes away the place where it was and writes
 * the one where it is. Keys of one addressee or author end with the index in the ledger, so new ones come last and the newest is
 * found from behind.
 */

#define MATTER_ENDED 0x1u
#define MATTER_WITHDRAWN 0x2u
#define MATTER_ANSWERED 0x4u
#define MATTER_MEDIATED 0x8u
#define MATTER_DEMONSTRATION 0x10u
#define MATTER_BODY 0x20u
#define MATTER_SEALED 0x40u
#define MATTER_ACKNOWLEDGED_MEDIATED 0x80u
#define MATTER_FIXED_MEDIATED 0x100u
#define MATTER_HOME 0x200u
#define MATTER_PERIOD 0x400u
#define MATTER_BEFORE 0x800u
#define MATTER_PASSED_ON 0x1000u
#define MATTER_MOVED 0x2000u
#define MATTER_EXPLAINED 0x4000u
#define MATTER_FOLLOWED_SHIFT 16 /* one bit for each reason that took it further */

static unsigned matter_flags(const struct state *st, const struct matter *m)
{
	return (m->ended ? MATTER_ENDED : 0) | (m->withdrawn ? MATTER_WITHDRAWN : 0) |
	       (m->answered ? MATTER_ANSWERED : 0) | (m->mediated ? MATTER_MEDIATED : 0) |
	       (m->demonstration ? MATTER_DEMONSTRATION : 0) | (m->has_body ? MATTER_BODY : 0) |
	       (m->has_body && m->body.sealed ? MATTER_SEALED : 0) |
	       (m->acknowledged_mediated ? MATTER_ACKNOWLEDGED_MEDIATED : 0) |
	       (m->fixed_mediated ? MATTER_FIXED_MEDIATED : 0) | (span_equal(m->home, st->node) ? 0 : MATTER_HOME) |
	       (m->first_ms != 0 || m->last_ms != 0 ? MATTER_PERIOD : 0) | (m->has_before ? MATTER_BEFORE : 0) |
	       (m->passed_on_ms != 0 ? MATTER_PASSED_ON : 0) | (m->moved_ms != 0 ? MATTER_MOVED : 0) |
	       (m->explained != 0 ? MATTER_EXPLAINED : 0) | m->followed << MATTER_FOLLOWED_SHIFT;
}

static void set_flags(struct matter *m, unsigned flags)
{
	m->ended = (flags & MATTER_ENDED) != 0;
	m->withdrawn = (flags & MATTER_WITHDRAWN) != 0;
	m->answered = (flags & MATTER_ANSWERED) != 0;
	m->mediated = (flags & MATTER_MEDIATED) != 0;
	m->demonstration = (flags & MATTER_DEMONSTRATION) != 0;
	m->has_body = (flags & MATTER_BODY) != 0;
	m->body.sealed = (flags & MATTER_SEALED) != 0;
	m->acknowledged_mediated = (flags & MATTER_ACKNOWLEDGED_MEDIATED) != 0;
	m->fixed_mediated = (flags & MATTER_FIXED_MEDIATED) != 0;
	m->has_before = (flags & MATTER_BEFORE) != 0;
	m->followed = flags >> MATTER_FOLLOWED_SHIFT;
}

/* The times of what was done, in the order of their bytes. */
#define MATTER_TIMES 14
static void times_of(struct matter *m, int64_t *out[MATTER_TIMES])
{
	int64_t *times[MATTER_TIMES] = { &m->moved_ms,	  &m->answered_ms,     &m->ended_ms,	&m->withdrawn_ms,
					 &m->arrived_ms,  &m->acknowledged_ms, &m->fixed_ms,	&m->re_observed_ms,
					 &m->not_ours_ms, &m->cannot_ms,       &m->disputed_ms, &m->closed_ms,
					 &m->settled_ms,  &m->first_due_ms };

	memcpy(out, times, sizeof(times));
}

static void unpack_moved(struct reader *r, struct matter *m)
{
	int64_t *times[MATTER_TIMES];

	times_of(m, times);
	for (size_t i = 0; i < MATTER_TIMES; i++)
		*times[i] = (int64_t)read_u64(r);
	m->answers = read_u32(r);
	m->re_observed = read_u32(r);
}

static void unpack_rest(struct reader *r, unsigned flags, struct matter *m)
{
	if (m->has_body) {
		m->body.size = read_u64(r);
		m->body.hash = unpack_hash(r);
		m->body.media_type = unpack_short(r);
	}
	if ((flags & MATTER_HOME) != 0)
		m->home = unpack_short(r);
	if ((flags & MATTER_PERIOD) != 0) {
		m->first_ms = (int64_t)read_u64(r);
		m->last_ms = (int64_t)read_u64(r);
	}
	if ((flags & MATTER_EXPLAINED) != 0)
		m->explained = read_u64(r);
	if (m->has_before) {
		m->reason = (enum follow_up)read_u8(r);
		m->before = unpack_hash(r);
	}
	if ((flags & MATTER_PASSED_ON) != 0) {
		m->passed_on_ms = (int64_t)read_u64(r);
		m->next = unpack_hash(r);
	}
	m->first_due_ms = m->due_ms; /* which only moves with the matter */
	if ((flags & MATTER_MOVED) != 0)
		unpack_moved(r, m);
}

enum err matter_unpack(const struct state *st, struct span key, struct span value, struct matter *out)
{
	struct reader k = reader_of(span_from(key, 1)), r = reader_of(value);
	struct matter m = { .home = st->node };
	unsigned flags;

	m.ledger = (enum ledger_id)read_u8(&k);
	m.index = read_u64(&k);
	m.kind = (enum kind)read_u8(&r);
	set_flags(&m, flags = read_u32(&r));
	m.outcome = (enum outcome)read_u8(&r);
	m.class = (enum rsit_class)read_u8(&r);
	m.logged_ms = (int64_t)read_u64(&r);
	m.due_ms = (int64_t)read_u64(&r);
	m.events = read_u64(&r);
	m.id = unpack_hash(&r);
	m.from = unpack_short(&r);
	m.to_count = read_u8(&r);
	m.cc_count = read_u8(&r);
	m.addressees = read_span(&r, read_u16(&r));
	unpack_rest(&r, flags, &m);
	if (k.err != OK || reader_left(&k) != 0 || r.err != OK || reader_left(&r) != 0 || m.ledger >= LEDGER_COUNT ||
	    m.kind >= KIND_COUNT || m.outcome >= OUTCOME_COUNT || m.class >= CLASS_COUNT || m.reason >= FOLLOW_COUNT)
		return state_damaged("matter");
	m.to.type = TO_ALL;
	if (m.to_count > 0 && !matter_addressee(&m, 0, &m.to))
		return state_damaged("matter");
	*out = m;
	return OK;
}

bool matter_addressee(const struct matter *m, unsigned i, struct addressee *out)
{
	struct reader r = reader_of(m->addressees);
	enum err e = OK;

	if (i >= m->to_count + m->cc_count)
		return false;
	for (unsigned j = 0; e == OK && j <= i; j++)
		e = unpack_addressee(&r, out);
	return e == OK;
}

enum err matter_get(const struct state *st, enum ledger_id l, uint64_t index, struct matter *out)
{
	struct state_key k = key_matter(l, index);
	struct span value;
	enum err e = state_get(st, &k, &value);

	if (e == OK)
		e = matter_unpack(st, key_view(&k), value, out);
	return e == ERR_NOT_FOUND ? state_damaged("place without its matter") : e;
}

static void pack_moved(struct buffer *b, const struct matter *m)
{
	struct matter copy = *m;
	int64_t *times[MATTER_TIMES];

	times_of(&copy, times);
	for (size_t i = 0; i < MATTER_TIMES; i++)
		buffer_u64(b, (uint64_t)*times[i]);
	buffer_u32(b, m->answers);
	buffer_u32(b, m->re_observed);
}

static void pack_rest(struct buffer *b, unsigned flags, const struct matter *m)
{
	if (m->has_body) {
		buffer_u64(b, m->body.size);
		pack_hash(b, m->body.hash);
		pack_short(b, m->body.media_type);
	}
	if ((flags & MATTER_HOME) != 0)
		pack_short(b, m->home);
	if ((flags & MATTER_PERIOD) != 0) {
		buffer_u64(b, (uint64_t)m->first_ms);
		buffer_u64(b, (uint64_t)m->last_ms);
	}
	if ((flags & MATTER_EXPLAINED) != 0)
		buffer_u64(b, m->explained);
	if (m->has_before) {
		buffer_byte(b, (uint8_t)m->reason);
		pack_hash(b, m->before);
	}
	if ((flags & MATTER_PASSED_ON) != 0) {
		buffer_u64(b, (uint64_t)m->passed_on_ms);
		pack_hash(b, m->next);
	}
	if ((flags & MATTER_MOVED) != 0)
		pack_moved(b, m);
}

static enum err matter_put(struct state *st, const struct matter *m)
{
	struct state_key k = key_matter(m->ledger, m->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	unsigned flags = matter_flags(st, m);
	enum err e;

	buffer_byte(&b, (uint8_t)m->kind);
	buffer_u32(&b, flags);
	buffer_byte(&b, (uint8_t)m->outcome);
	buffer_byte(&b, (uint8_t)m->class);
	buffer_u64(&b, (uint64_t)m->logged_ms);
	buffer_u64(&b, (uint64_t)m->due_ms);
	buffer_u64(&b, m->events);
	pack_hash(&b, m->id);
	pack_short(&b, m->from);
	buffer_byte(&b, (uint8_t)m->to_count);
	buffer_byte(&b, (uint8_t)m->cc_count);
	buffer_u16(&b, (uint16_t)m->addressees.len);
	buffer_span(&b, m->addressees);
	pack_rest(&b, flags, m);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* `cc` behind `to`, so that those who are to answer come first. Values were checked when the statement was parsed. */
static enum err pack_addressees(const struct statement *s, struct matter *m, struct buffer *b)
{
	m->to_count = (unsigned)s->to_count;
	for (unsigned i = 0; i < m->to_count; i++)
		pack_addressee(b, &s->to[i]);
	for (size_t i = 0; i < s->header_count; i++) {
		struct addressee cc;

		if (!span_is(s->headers[i].name, "cc"))
			continue;
		if (addressee_parse(s->headers[i].value, &cc) != OK)
			return ERR_STATEMENT_HEADER;
		pack_addressee(b, &cc);
		m->cc_count++;
	}
	return b->err;
}

enum err matter_make(const struct state *st, const struct statement *s, struct matter *out)
{
	struct buffer b = BUFFER(STATEMENT_MAX);
	struct span ledger = s->ledger;
	struct matter m = {
		.id = s->id,
		.kind = s->kind,
		.ledger = st->ledger,
		.index = st->index,
		.logged_ms = st->logged_ms,
		.from = s->from,
		.to = { .type = TO_ALL },
		.has_body = s->has_body,
		.body = s->body,
		.home = span_cut(&ledger, '/'),
	};
	const char *copy = NULL;
	enum err e = OK;

	/* Elsewhere `to` is a header without a meaning yet. */
	if (s->kind == KIND_NOTICE || s->kind == KIND_REQUEST || s->kind == KIND_PLAN || s->kind == KIND_VOUCH ||
	    s->kind == KIND_AGREEMENT)
		e = pack_addressees(s, &m, &b);
	if (e == OK && (copy = arena_copy(st->arena, b.at, b.len)) == NULL)
		e = ERR_NO_MEMORY;
	m.addressees = span_make(copy, b.len);
	if (m.to_count > 0)
		m.to = s->to[0];
	buffer_free(&b);
	if (e == OK)
		e = value_yes(s, "demonstration", &m.demonstration);
	*out = m;
	return e;
}

/* ---- indexes ---- */

static struct state_key key_to(const struct addressee *to)
{
	struct state_key k = key_of(STATE_TO);
	struct buffer b = BUFFER(STATE_KEY_MAX);

	pack_addressee(&b, to);
	assert(b.err == OK || b.err == ERR_NO_MEMORY);
	key_add(&k, b.at, b.len);
	buffer_free(&b);
	return k;
}

static struct state_key key_by(struct span domain)
{
	struct state_key k = key_of(STATE_BY);

	key_add(&k, domain.at, domain.len);
	key_add_u8(&k, 0);
	return k;
}

static struct state_key key_at(enum state_letter letter, int64_t ms, uint64_t index)
{
	struct state_key k = key_of(letter);

	key_add_u64(&k, (uint64_t)ms);
	key_add_u64(&k, index);
	return k;
}

static enum err put_empty(struct state *st, const struct state_key *k)
{
	return view_put(st->snapshot, VIEW_STATE, key_view(k), SPAN(""));
}

static bool is_own_notice(const struct state *st, const struct matter *m)
{
	return m->kind == KIND_NOTICE && m->ledger == LEDGER_CIRCLE && !m->withdrawn && m->passed_on_ms == 0 &&
	       span_equal(m->home, st->node);
}

static bool is_waited_for(const struct state *st, const struct matter *m)
{
	return is_own_notice(st, m) && m->due_ms != 0 && m->answered_ms == 0 && !m->ended;
}

static bool is_not_ours(const struct state *st, const struct matter *m)
{
	return is_own_notice(st, m) && m->answered && m->outcome == OUTCOME_NOT_OURS;
}

static enum err index_changed(struct state *st, bool was, const struct state_key *old, bool is,
			      const struct state_key *now, struct span value)
{
	bool same = was && is && old->len == now->len && memcmp(old->bytes, now->bytes, now->len) == 0;
	enum err e = OK;

	if (was && !same)
		e = state_delete(st, old);
	if (e == OK && is && !same)
		e = view_put(st->snapshot, VIEW_STATE, key_view(now), value);
	return e;
}

enum err matter_change(struct state *st, const struct matter *before, const struct matter *m,
		       const struct addressee *better)
{
	struct state_key due_old = key_at(STATE_DUE, before->due_ms, m->index),
			 due_now = key_at(STATE_DUE, m->due_ms, m->index),
			 old = key_at(STATE_NOT_OURS, before->moved_ms, m->index),
			 now = key_at(STATE_NOT_OURS, m->moved_ms, m->index);
	struct buffer b = BUFFER(STATE_KEY_MAX);
	enum err e = matter_put(st, m);

	if (better != NULL)
		pack_addressee(&b, better);
	if (e == OK)
		e = b.err;
	if (e == OK)
		e = index_changed(st, is_waited_for(st, before), &due_old, is_waited_for(st, m), &due_now, SPAN(""));
	if (e == OK)
		e = index_changed(st, is_not_ours(st, before), &old, is_not_ours(st, m), &now, buffer_view(&b));
	buffer_free(&b);
	return e;
}

enum err matter_add(struct state *st, const struct matter *m)
{
	struct addressee to;
	enum err e = matter_put(st, m);

	if (e == OK && (m->kind == KIND_NOTICE || m->kind == KIND_REQUEST))
		e = agreement_matter(st, m);
	if (e != OK || m->kind != KIND_NOTICE || m->ledger != LEDGER_CIRCLE)
		return e;
	for (unsigned i = 0; e == OK && i < m->to_count && matter_addressee(m, i, &to); i++) {
		struct state_key k = key_to(&to);

		key_add_u8(&k, (uint8_t)m->class);
		key_add_u64(&k, m->index);
		e = put_empty(st, &k);
	}
	if (e == OK) {
		struct state_key k = key_by(m->from);

		key_add_u64(&k, m->index);
		e = put_empty(st, &k);
	}
	if (e == OK && is_waited_for(st, m)) {
		struct state_key k = key_at(STATE_DUE, m->due_ms, m->index);

		e = put_empty(st, &k);
	}
	return e;
}

/* ---- reading them ---- */

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

struct index_walk {
	const struct state *st;
	int64_t until_ms;
	int64_t first_ms; /* what state_next_due looks for */
	matter_each *each;
	not_ours_each *each_not_ours;
	void *context;
};

static enum err at_time(struct span key, int64_t *ms, uint64_t *index)
{
	struct reader r = reader_of(span_from(key, 1));

	*ms = (int64_t)read_u64(&r);
	*index = read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("time of a matter");
}

static enum err show_due(void *context, struct span key, struct span value)
{
	struct index_walk *w = context;
	struct matter m;
	int64_t due_ms;
	uint64_t index;
	enum err e = at_time(key, &due_ms, &index);

	(void)value;
	if (e == OK && due_ms >= w->until_ms)
		e = ENOUGH;
	if (e == OK)
		e = matter_get(w->st, LEDGER_CIRCLE, index, &m);
	return e == OK ? w->each(w->context, &m) : e;
}

enum err state_due_after(const struct state *st, int64_t after_ms, uint64_t after_index, int64_t now_ms,
			 matter_each *each, void *context)
{
	struct index_walk w = { .st = st, .until_ms = now_ms, .each = each, .context = context };
	struct state_key prefix = key_of(STATE_DUE), from = key_at(STATE_DUE, after_ms, after_index);
	enum err e;

	key_add_u8(&from, 0); /* the next key behind that one */
	e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&from), show_due, &w);
	return e == ENOUGH ? OK : e;
}

enum err state_due(const struct state *st, int64_t now_ms, matter_each *each, void *context)
{
	return state_due_after(st, 0, 0, now_ms, each, context);
}

static enum err first_due(void *context, struct span key, struct span value)
{
	struct index_walk *w = context;
	uint64_t index;
	enum err e = at_time(key, &w->first_ms, &index);

	(void)value;
	return e == OK ? ENOUGH : e;
}

enum err state_next_due(const struct state *st, int64_t *due_ms)
{
	struct index_walk w = { .st = st };
	struct state_key prefix = key_of(STATE_DUE);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), first_due, &w);

	*due_ms = w.first_ms;
	return e == ENOUGH ? OK : e;
}

static enum err show_not_ours(void *context, struct span key, struct span value)
{
	struct index_walk *w = context;
	struct reader r = reader_of(value);
	struct addressee better;
	struct matter m;
	int64_t said_ms;
	uint64_t index;
	enum err e = at_time(key, &said_ms, &index);

	if (e == OK && value.len > 0 && (unpack_addressee(&r, &better) != OK || reader_left(&r) != 0))
		e = state_damaged("better addressee");
	if (e == OK)
		e = matter_get(w->st, LEDGER_CIRCLE, index, &m);
	return e == OK ? w->each_not_ours(w->context, &m, value.len > 0 ? &better : NULL) : e;
}

enum err state_not_ours(const struct state *st, int64_t after_ms, uint64_t after_index, not_ours_each *each,
			void *context)
{
	struct index_walk w = { .st = st, .each_not_ours = each, .context = context };
	struct state_key prefix = key_of(STATE_NOT_OURS), from = key_at(STATE_NOT_OURS, after_ms, after_index);

	key_add_u8(&from, 0);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&from), show_not_ours, &w);
}

static enum err index_of(struct span key, size_t prefix, uint64_t *index)
{
	struct reader r = reader_of(span_from(key, prefix));

	*index = read_u64(&r);
	return r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("index of a matter");
}

/* The last key of this prefix whose index is below `below`. *found: whether there is one. */
static enum err step_back(struct view_cursor *c, const struct state_key *prefix, uint64_t below, uint64_t *index,
			  bool *found)
{
	struct state_key end = *prefix;
	struct span key, value;
	enum err e;

	key_add_u64(&end, below);
	e = view_cursor_before(c, key_view(&end), &key, &value);
	*found = e == OK && key.len > prefix->len && memcmp(key.at, prefix->bytes, prefix->len) == 0;
	if (*found)
		e = index_of(key, prefix->len, index);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* From the newest back, over several prefixes whose keys end with an index: each step takes the newest of their heads. */
static enum err walk_back(const struct state *st, const struct state_key *prefixes, size_t count, matter_each *each,
			  void *context)
{
	struct {
		uint64_t index;
		bool found;
	} heads[CLASS_COUNT] = { { 0, false } };
	struct view_cursor *c = NULL;
	enum err e = view_cursor_open(st->snapshot, VIEW_STATE, &c);

	assert(count <= CLASS_COUNT);
	for (size_t i = 0; e == OK && i < count; i++)
		e = step_back(c, &prefixes[i], UINT64_MAX, &heads[i].index, &heads[i].found);
	while (e == OK) {
		struct matter m;
		size_t newest = count;

		for (size_t i = 0; i < count; i++)
			if (heads[i].found && (newest == count || heads[i].index > heads[newest].index))
				newest = i;
		if (newest == count)
			break;
		if ((e = matter_get(st, LEDGER_CIRCLE, heads[newest].index, &m)) == OK && (e = each(context, &m)) == OK)
			e = step_back(c, &prefixes[newest], heads[newest].index, &heads[newest].index,
				      &heads[newest].found);
	}
	view_cursor_close(c);
	return e;
}

enum err state_matters_to(const struct state *st, const struct addressee *to, enum rsit_class class, matter_each *each,
			  void *context)
{
	struct state_key prefixes[CLASS_COUNT];
	size_t count = 0;

	for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
		if (class != CLASS_NONE && class != (enum rsit_class)c)
			continue;
		prefixes[count] = key_to(to);
		key_add_u8(&prefixes[count], (uint8_t)c);
		count++;
	}
	return walk_back(st, prefixes, count, each, context);
}

enum err state_matters_from(const struct state *st, struct span from, matter_each *each, void *context)
{
	struct state_key prefix = key_by(from);

	return walk_back(st, &prefix, 1, each, context);
}

/* ---- reasons ---- */

static const char *const reasons[FOLLOW_COUNT] = { "", "overdue", "not-ours", "undeliverable" };

const char *follow_up_name(enum follow_up f)
{
	assert((unsigned)f < FOLLOW_COUNT);
	return reasons[f];
}

enum err follow_up_parse(struct span name, enum follow_up *out)
{
	for (int f = FOLLOW_NONE + 1; f < FOLLOW_COUNT; f++)
		if (span_is(name, reasons[f])) {
			*out = (enum follow_up)f;
			return OK;
		}
	return fail(ERR_STATEMENT_HEADER, "reason: overdue, not-ours or undeliverable");
}

/* ---- in any order, for who adds up ---- */

struct gathering {
	const struct state *st;
	struct view_cursor *cursor;
	size_t ahead; /* of the index in the key */
	matter_each *each;
	void *context;
};

static enum err gather(void *context, struct span key, struct span value)
{
	struct gathering *g = context;
	struct state_key k;
	struct matter m;
	uint64_t index;
	enum err e = index_of(key, g->ahead, &index);

	if (e != OK)
		return e;
	k = key_matter(LEDGER_CIRCLE, index);
	e = view_cursor_get(g->cursor, key_view(&k), &value);
	if (e == OK)
		e = matter_unpack(g->st, key_view(&k), value, &m);
	else if (e == ERR_NOT_FOUND)
		e = state_damaged("place without its matter");
	return e == OK ? g->each(g->context, &m) : e;
}

enum err matters_gather_to(const struct state *st, struct view_cursor *c, const struct addressee *to, matter_each *each,
			   void *context)
{
	struct state_key prefix = key_to(to);
	struct gathering g = { st, c, prefix.len + 1, each, context };

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), gather, &g);
}

enum err matters_gather_from(const struct state *st, struct view_cursor *c, struct span from, matter_each *each,
			     void *context)
{
	struct state_key prefix = key_by(from);
	struct gathering g = { st, c, prefix.len, each, context };

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), gather, &g);
}
