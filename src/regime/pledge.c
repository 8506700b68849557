#include "regime/pledge.h"

#include "regime/kinds_private.h"

#include <stdio.h>

#define TEXT_MAX 280
#define PLEDGE_WITHDRAWN 1u
#define PLEDGE_UNILATERAL 2u
#define PLEDGE_DEMONSTRATION 4u

/*
 * Pledges in the state
 *
 *	G domain 00 u64 index	u8 flags, u64 start_ms, u64 end_ms, u64 shortest `within` of METRIC_ACKNOWLEDGED (0: none), 32 id,
 *				short norm ("un 2015 c"), u8 count and terms (short each, as term_print has them), u16 count and
 *				assets (short set, 32 commitment), u16 length and text
 *
 * What notices ask for comes first, so that their fold reads no terms. A pledge is a matter too, which is how it is found by its
 * id and withdrawn; the matter's author and index are the key.
 */

static struct state_key key_pledges(struct span party)
{
	struct state_key k = key_of(STATE_PLEDGE);

	key_add(&k, party.at, party.len);
	key_add_u8(&k, 0);
	return k;
}

static struct state_key key_pledge(struct span party, uint64_t index)
{
	struct state_key k = key_pledges(party);

	key_add_u64(&k, index);
	return k;
}

/* ---- the statement ---- */

static bool norm_has(const struct norm *n, enum metric m)
{
	for (const enum metric *at = n->metrics; *at != METRIC_COUNT; at++)
		if (*at == m)
			return true;
	return false;
}

static enum err judge_term(const struct pledge *p, const struct term *t)
{
	if (t->gives != GIVES_NOTHING || t->of.len > 0)
		return fail(ERR_TERM, "%.*s: gives and of stand in agreements only; a pledge asks for nothing",
			    SPAN_FORMAT(t->name));
	if (!norm_has(p->norm, t->metric))
		return fail(ERR_NORM, "%.*s: %s is no metric of %s %u %s", SPAN_FORMAT(t->name),
			    metric_rule(t->metric)->name, p->set->name, p->set->version, p->norm->id);
	for (size_t i = 0; i < p->term_count; i++)
		if (terms_contradict(&p->terms[i], t))
			return fail(ERR_TERM, "%.*s: contradicts %.*s", SPAN_FORMAT(t->name),
				    SPAN_FORMAT(p->terms[i].name));
	return OK;
}

static enum err read_terms(const struct statement *s, struct pledge *p)
{
	for (size_t i = 0; i < s->header_count; i++) {
		struct term t;
		enum err e;

		if (!span_is(s->headers[i].name, "term"))
			continue;
		if (p->term_count == TERMS_MAX)
			return fail(ERR_STATEMENT_HEADER, "term: over %d", TERMS_MAX);
		e = term_parse(s->headers[i].value, &t);
		if (e == OK)
			e = judge_term(p, &t);
		if (e != OK)
			return e;
		p->terms[p->term_count++] = t;
	}
	return OK;
}

static bool is_promised(const struct pledge *p, struct span set)
{
	for (size_t i = 0; i < p->term_count; i++)
		if (span_equal(p->terms[i].asset_set, set))
			return true;
	return false;
}

static enum err read_asset(const struct pledge *p, struct span value, struct asset *out)
{
	struct span rest = value;

	out->set = span_cut(&rest, ' ');
	if (rest.at == NULL || !term_name_valid(out->set) || hash_from_hex(rest, &out->commitment) != OK)
		return fail(ERR_STATEMENT_HEADER, "asset: the name of a set, and a commitment of 64 digits of hex");
	if (!is_promised(p, out->set))
		return fail(ERR_TERM, "asset: no term is about %.*s", SPAN_FORMAT(out->set));
	for (size_t i = 0; i < p->asset_count; i++)
		if (hash_equal(p->assets[i].commitment, out->commitment))
			return fail(ERR_STATEMENT_HEADER, "asset: one commitment twice");
	return OK;
}

static enum err read_assets(const struct state *st, const struct statement *s, struct pledge *p)
{
	for (size_t i = 0; i < s->header_count; i++) {
		enum err e;

		if (!span_is(s->headers[i].name, "asset"))
			continue;
		if (p->assets == NULL && (p->assets = arena_array(st->arena, ASSETS_MAX, sizeof(*p->assets))) == NULL)
			return ERR_NO_MEMORY;
		if (p->asset_count == ASSETS_MAX)
			return fail(ERR_STATEMENT_HEADER, "asset: over %d", ASSETS_MAX);
		if ((e = read_asset(p, s->headers[i].value, &p->assets[p->asset_count])) != OK)
			return e;
		p->asset_count++;
	}
	for (size_t i = 0; i < p->term_count; i++) {
		struct span set = p->terms[i].asset_set;
		bool found = set.len == 0;

		for (size_t j = 0; !found && j < p->asset_count; j++)
			found = span_equal(p->assets[j].set, set);
		if (!found)
			return fail(ERR_TERM, "%.*s: no asset line says what is in %.*s", SPAN_FORMAT(p->terms[i].name),
				    SPAN_FORMAT(set));
	}
	return OK;
}

/* As it is written, windows must fit; that it was logged a moment later than its author thought takes nothing away. */
static enum err read_period(const struct state *st, const struct statement *s, struct pledge *p)
{
	int64_t now = state_time(st), start = now;
	enum err e = value_time(s, "start", &start);

	p->end_ms = INT64_MAX;
	if (e == OK)
		e = value_time(s, "end", &p->end_ms);
	if (e != OK)
		return e;
	p->start_ms = start > now ? start : now;
	if (p->start_ms - now > PLEDGE_MOST_MS)
		return fail(ERR_STATEMENT_HEADER, "start: over ten years away");
	if (p->end_ms == INT64_MAX)
		return OK;
	if (p->end_ms <= p->start_ms)
		return fail(ERR_STATEMENT_HEADER, "end: not after the start");
	if (p->end_ms - p->start_ms > PLEDGE_MOST_MS)
		return fail(ERR_STATEMENT_HEADER, "end: over ten years from the start; file another then");
	for (size_t i = 0; i < p->term_count; i++)
		if (p->end_ms - start < p->terms[i].window_ms)
			return fail(ERR_TERM, "%.*s: the pledge ends before its first window does",
				    SPAN_FORMAT(p->terms[i].name));
	return OK;
}

static enum err read_pledge(const struct state *st, const struct statement *s, struct pledge *p)
{
	enum err e;

	*p = (struct pledge){ .id = s->id, .index = st->index, .party = s->from };
	e = norm_parse(statement_header(s, "norm")->value, &p->set, &p->norm);
	if (e == OK)
		e = read_terms(s, p);
	if (e == OK)
		e = read_assets(st, s, p);
	if (e == OK)
		e = read_period(st, s, p);
	if (e == OK)
		e = value_yes(s, "unilateral", &p->unilateral);
	if (e == OK)
		e = value_yes(s, "demonstration", &p->demonstration);
	if (e == OK)
		e = value_text(s, "text", TEXT_MAX);
	p->text = statement_value(s, "text");
	return e;
}

static enum err count_one(void *context, struct span key, struct span value)
{
	size_t *count = context;

	(void)key;
	(void)value;
	(*count)++;
	return OK;
}

enum err pledge_check(const struct state *st, const struct statement *s)
{
	struct state_key all = key_pledges(s->from);
	struct pledge p;
	size_t count = 0;
	enum err e = read_pledge(st, s, &p);

	if (e == OK)
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&all), SPAN(""), count_one, &count);
	if (e == OK && count >= PLEDGES_MAX)
		e = fail(ERR_TOO_LONG, "%zu pledges of %.*s are known; no more", count, SPAN_FORMAT(s->from));
	return e;
}

/* ---- its bytes ---- */

static uint64_t shortest(const struct pledge *p)
{
	int64_t least = 0;

	for (size_t i = 0; i < p->term_count; i++) {
		const struct term *t = &p->terms[i];

		if (t->metric == METRIC_ACKNOWLEDGED && (least == 0 || t->within_ms < least))
			least = t->within_ms;
	}
	return (uint64_t)least;
}

static void pack_terms(struct buffer *b, const struct pledge *p)
{
	struct buffer line = BUFFER(STATEMENT_MAX);

	buffer_byte(b, (uint8_t)p->term_count);
	for (size_t i = 0; i < p->term_count; i++) {
		buffer_clear(&line);
		term_print(&p->terms[i], &line);
		if (line.err != OK)
			b->err = line.err;
		pack_short(b, buffer_view(&line));
	}
	buffer_free(&line);
}

static void pack_pledge(struct buffer *b, const struct pledge *p)
{
	char norm[64];

	snprintf(norm, sizeof(norm), "%s %u %s", p->set->name, p->set->version, p->norm->id);
	buffer_byte(b, (uint8_t)((p->withdrawn ? PLEDGE_WITHDRAWN : 0) | (p->unilateral ? PLEDGE_UNILATERAL : 0) |
				 (p->demonstration ? PLEDGE_DEMONSTRATION : 0)));
	buffer_u64(b, (uint64_t)p->start_ms);
	buffer_u64(b, (uint64_t)p->end_ms);
	buffer_u64(b, shortest(p));
	pack_hash(b, p->id);
	pack_short(b, span_of(norm));
	pack_terms(b, p);
	buffer_u16(b, (uint16_t)p->asset_count);
	for (size_t i = 0; i < p->asset_count; i++) {
		pack_short(b, p->assets[i].set);
		pack_hash(b, p->assets[i].commitment);
	}
	buffer_u16(b, (uint16_t)p->text.len);
	buffer_span(b, p->text);
}

static enum err pledge_put(struct state *st, const struct pledge *p)
{
	struct state_key k = key_pledge(p->party, p->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_pledge(&b, p);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* What notices ask for, and no more. */
struct pledge_head {
	unsigned flags;
	int64_t start_ms, end_ms, acknowledge_ms;
};

static struct pledge_head unpack_head(struct reader *r)
{
	struct pledge_head h = { .flags = read_u8(r) };

	h.start_ms = (int64_t)read_u64(r);
	h.end_ms = (int64_t)read_u64(r);
	h.acknowledge_ms = (int64_t)read_u64(r);
	return h;
}

static enum err unpack_terms(struct reader *r, struct pledge *p)
{
	size_t count = read_u8(r);

	if (count > TERMS_MAX)
		return state_damaged("pledge");
	for (; p->term_count < count; p->term_count++)
		if (term_parse(unpack_short(r), &p->terms[p->term_count]) != OK)
			return state_damaged("pledge");
	return OK;
}

static enum err unpack_assets(const struct state *st, struct reader *r, struct pledge *p)
{
	size_t count = read_u16(r);

	if (count > ASSETS_MAX)
		return state_damaged("pledge");
	if (count > 0 && (p->assets = arena_array(st->arena, count, sizeof(*p->assets))) == NULL)
		return ERR_NO_MEMORY;
	for (; p->asset_count < count; p->asset_count++) {
		p->assets[p->asset_count].set = unpack_short(r);
		p->assets[p->asset_count].commitment = unpack_hash(r);
	}
	return OK;
}

static enum err unpack_key(struct span key, struct pledge *p)
{
	const char *end = memchr(key.at, 0, key.len);
	struct reader k;

	if (end == NULL)
		return state_damaged("pledge");
	p->party = span_make(key.at + 1, (size_t)(end - key.at) - 1);
	k = reader_of(span_from(key, p->party.len + 2));
	p->index = read_u64(&k);
	return k.err == OK && reader_left(&k) == 0 ? OK : state_damaged("pledge");
}

static enum err pledge_unpack(const struct state *st, struct span key, struct span value, struct pledge *out)
{
	struct reader r = reader_of(value);
	struct pledge_head h = unpack_head(&r);
	struct pledge p = {
		.start_ms = h.start_ms,
		.end_ms = h.end_ms,
		.withdrawn = (h.flags & PLEDGE_WITHDRAWN) != 0,
		.unilateral = (h.flags & PLEDGE_UNILATERAL) != 0,
		.demonstration = (h.flags & PLEDGE_DEMONSTRATION) != 0,
		.id = unpack_hash(&r),
	};
	enum err e = unpack_key(key, &p);

	if (e == OK && norm_parse(unpack_short(&r), &p.set, &p.norm) != OK)
		e = state_damaged("pledge");
	if (e == OK)
		e = unpack_terms(&r, &p);
	if (e == OK)
		e = unpack_assets(st, &r, &p);
	if (e != OK)
		return e;
	p.text = read_span(&r, read_u16(&r));
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("pledge");
	*out = p;
	return OK;
}

/* ---- the fold ---- */

enum err pledge_fold(struct state *st, const struct statement *s)
{
	struct pledge p;
	struct matter m;
	enum err e = read_pledge(st, s, &p);

	if (e == OK)
		e = matter_make(st, s, &m);
	if (e == OK)
		e = matter_add(st, &m);
	return e == OK ? pledge_put(st, &p) : e;
}

static enum err pledge_get(const struct state *st, const struct state_key *k, struct pledge *out)
{
	struct span value;
	enum err e = state_get(st, k, &value);

	return e == OK ? pledge_unpack(st, key_view(k), value, out) : e;
}

/* Its bytes are copied first: what is read ends with the next write. */
enum err pledge_withdraw(struct state *st, const struct matter *m)
{
	struct state_key k = key_pledge(m->from, m->index);
	struct span value;
	struct pledge p;
	int64_t now = matter_time(st, m);
	const char *copy;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e;
	if ((copy = arena_copy(st->arena, value.at, value.len)) == NULL)
		return ERR_NO_MEMORY;
	e = pledge_unpack(st, key_view(&k), span_make(copy, value.len), &p);
	if (e != OK)
		return e;
	p.withdrawn = true;
	if (now < p.end_ms)
		p.end_ms = now > p.start_ms ? now : p.start_ms;
	return pledge_put(st, &p);
}

/* ---- reading ---- */

enum err state_pledge(const struct state *st, struct hash id, struct pledge *out)
{
	struct matter m;
	struct state_key k;
	enum err e = state_matter(st, id, &m);

	if (e == OK && m.kind != KIND_PLEDGE)
		e = fail(ERR_MATTER_UNKNOWN, "a %s is no pledge", kind_name(m.kind));
	if (e != OK)
		return e;
	k = key_pledge(m.from, m.index);
	e = pledge_get(st, &k, out);
	out->party = m.from; /* the key is on this stack */
	return e == ERR_NOT_FOUND ? state_damaged("matter without its pledge") : e;
}

struct pledge_walk {
	const struct state *st;
	pledge_each *each;
	void *context;
};

static enum err show_pledge(void *context, struct span key, struct span value)
{
	struct pledge_walk *w = context;
	struct pledge p;
	enum err e = pledge_unpack(w->st, key, value, &p);

	return e == OK ? w->each(w->context, &p) : e;
}

enum err state_pledges(const struct state *st, struct span party, pledge_each *each, void *context)
{
	struct pledge_walk w = { st, each, context };
	struct state_key prefix = party.len > 0 ? key_pledges(party) : key_of(STATE_PLEDGE);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_pledge, &w);
}

struct due_walk {
	int64_t at_ms, within_ms;
	bool found;
};

static enum err see_due(void *context, struct span key, struct span value)
{
	struct due_walk *w = context;
	struct reader r = reader_of(value);
	struct pledge_head h = unpack_head(&r);

	(void)key;
	if (r.err != OK)
		return state_damaged("pledge");
	if (h.acknowledge_ms == 0 || (h.flags & PLEDGE_DEMONSTRATION) != 0 || w->at_ms < h.start_ms ||
	    w->at_ms >= h.end_ms)
		return OK;
	if (!w->found || h.acknowledge_ms < w->within_ms)
		w->within_ms = h.acknowledge_ms;
	w->found = true;
	return OK;
}

enum err pledged_due(const struct state *st, struct span party, int64_t at_ms, bool *found, int64_t *within_ms)
{
	struct due_walk w = { .at_ms = at_ms };
	struct state_key prefix = key_pledges(party);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), see_due, &w);

	*found = w.found;
	*within_ms = w.within_ms;
	return e;
}
