#include "regime/agreement_private.h"

#include <assert.h>

/*
 * Agreements: bytes, and the places where they are found
 *
 * A 32 agreement: u8 1, u8 phase, u8 side that offered, u8 flags, u64 offered, countersigned, start, end, exit notice, leaves,
 * ended, consult, u32 restore, u32 codes, 32 statement of each side (0: not signed), short name of each, short depositary, u8
 * number of terms, the terms by name, u16 number of assets, the assets by commitment. A 32 statement: u8 2, 32 agreement.
 *
 * Term: short name, u8 metric, u8 at most, u64 threshold, window, within, u32 least, u8 gives, u8 of (0 both, 1 or 2 one side),
 * u32 activities, short set. Asset: u8 side, 32 commitment, short set.
 *
 * L 32 agreement, u8 term: the course, u8 state, u64 since, u64 consult until, u32 good, u8 resolved, u32 met, missed, too few,
 * suspensions; then for each side u8 judged and the measure: u64 from, u64 until, u8 flags, u64 of each share numerator,
 * denominator and unknown, u64 disputed, u64 value. Intervals follow from these and are not kept.
 *
 * B domain 00 domain 00, u8 class, 32 agreement: class 0 are in force, 1 may come to it, 2 ended. So a notice asks for those of
 * class 0 of its two parties and finds nothing at once where there are none. The second domain as key_add_name has it.
 */

enum value_tag { TAG_AGREEMENT = 1, TAG_STATEMENT = 2 };
enum between_class { BETWEEN_IN_FORCE, BETWEEN_OPEN, BETWEEN_ENDED, BETWEEN_COUNT };

#define FLAG_DEMONSTRATION 1u

#define MEASURE_CLOSED 1u
#define MEASURE_HAS_VALUE 2u

static enum between_class class_of(enum agreement_phase p)
{
	return p == AGREEMENT_IN_FORCE ? BETWEEN_IN_FORCE : p == AGREEMENT_ENDED ? BETWEEN_ENDED : BETWEEN_OPEN;
}

static struct state_key key_agreement(struct hash id)
{
	struct state_key k = key_of(STATE_AGREEMENT);

	key_add(&k, id.bytes, HASH_SIZE);
	return k;
}

static struct state_key key_course(struct hash id, size_t term)
{
	struct state_key k = key_of(STATE_COURSE_OF_TERM);

	key_add(&k, id.bytes, HASH_SIZE);
	key_add_u8(&k, (uint8_t)term);
	return k;
}

static struct state_key key_with(struct span party)
{
	struct state_key k = key_of(STATE_BETWEEN);

	key_add(&k, party.at, party.len);
	key_add_u8(&k, 0);
	return k;
}

static struct state_key key_between(struct span one, struct span other)
{
	struct state_key k = key_with(one);

	key_add_name(&k, other, 1 + HASH_SIZE);
	return k;
}

/* ---- packing ---- */

static void pack_term(struct buffer *b, const struct agreement *a, const struct term *t)
{
	pack_short(b, t->name);
	buffer_byte(b, (uint8_t)t->metric);
	buffer_byte(b, t->at_most);
	buffer_u64(b, t->threshold);
	buffer_u64(b, (uint64_t)t->window_ms);
	buffer_u64(b, (uint64_t)t->within_ms);
	buffer_u32(b, t->least);
	buffer_byte(b, (uint8_t)t->gives);
	buffer_byte(b, t->of.len == 0 ? 0 : span_equal(t->of, a->party[0]) ? 1 : 2);
	buffer_u32(b, t->activities);
	pack_short(b, t->asset_set);
}

static void pack_assets(struct buffer *b, const struct agreement *a)
{
	buffer_u16(b, (uint16_t)a->asset_count);
	for (size_t i = 0; i < a->asset_count; i++) {
		buffer_byte(b, (uint8_t)a->assets[i].side);
		pack_hash(b, a->assets[i].asset.commitment);
		pack_short(b, a->assets[i].asset.set);
	}
}

static void pack_head(struct buffer *b, const struct agreement *a)
{
	buffer_byte(b, TAG_AGREEMENT);
	buffer_byte(b, (uint8_t)a->phase);
	buffer_byte(b, span_equal(a->offered_by, a->party[1]));
	buffer_byte(b, a->demonstration ? FLAG_DEMONSTRATION : 0);
	buffer_u64(b, (uint64_t)a->offered_ms);
	buffer_u64(b, (uint64_t)a->countersigned_ms);
	buffer_u64(b, (uint64_t)a->start_ms);
	buffer_u64(b, (uint64_t)a->end_ms);
	buffer_u64(b, (uint64_t)a->exit_notice_ms);
	buffer_u64(b, (uint64_t)a->leaves_ms);
	buffer_u64(b, (uint64_t)a->ended_ms);
	buffer_u64(b, (uint64_t)a->rules.consult_ms);
	buffer_u32(b, a->rules.restore);
	buffer_u32(b, a->codes);
	for (unsigned side = 0; side < 2; side++)
		pack_hash(b, a->statement[side]);
	for (unsigned side = 0; side < 2; side++)
		pack_short(b, a->party[side]);
	pack_short(b, a->depositary);
}

static enum err put_agreement(struct state *st, const struct agreement *a)
{
	struct state_key k = key_agreement(a->id);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	pack_head(&b, a);
	buffer_byte(&b, (uint8_t)a->term_count);
	for (size_t i = 0; i < a->term_count; i++)
		pack_term(&b, a, &a->terms[i].term);
	pack_assets(&b, a);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

static void pack_share(struct buffer *b, const struct proportion *p)
{
	buffer_u64(b, p->numerator);
	buffer_u64(b, p->denominator);
	buffer_u64(b, p->unknown);
}

static void pack_side(struct buffer *b, const struct term_side *s)
{
	const struct measure *m = &s->last;

	buffer_byte(b, (uint8_t)s->judged);
	buffer_u64(b, (uint64_t)m->from_ms);
	buffer_u64(b, (uint64_t)m->until_ms);
	buffer_byte(b, (uint8_t)((m->closed ? MEASURE_CLOSED : 0) | (m->has_value ? MEASURE_HAS_VALUE : 0)));
	pack_share(b, &m->share);
	pack_share(b, &m->undisputed);
	buffer_u64(b, m->disputed);
	buffer_u64(b, m->value);
}

enum err course_put(struct state *st, const struct agreement *a, size_t term)
{
	const struct agreement_term *t = &a->terms[term];
	const struct course *c = &t->course;
	struct state_key k = key_course(a->id, term);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)c->state);
	buffer_u64(&b, (uint64_t)c->since_ms);
	buffer_u64(&b, (uint64_t)c->consult_until_ms);
	buffer_u32(&b, c->good);
	buffer_byte(&b, (uint8_t)c->resolved);
	buffer_u32(&b, c->met);
	buffer_u32(&b, c->missed);
	buffer_u32(&b, c->too_few);
	buffer_u32(&b, c->suspensions);
	for (unsigned side = 0; side < 2; side++)
		pack_side(&b, &t->sides[side]);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* ---- unpacking ---- */

static void unpack_term(struct reader *r, const struct agreement *a, struct term *t)
{
	uint8_t of;

	t->name = unpack_short(r);
	t->metric = (enum metric)read_u8(r);
	t->at_most = read_u8(r) != 0;
	t->threshold = read_u64(r);
	t->window_ms = (int64_t)read_u64(r);
	t->within_ms = (int64_t)read_u64(r);
	t->least = read_u32(r);
	t->gives = (enum gives)read_u8(r);
	of = read_u8(r);
	t->of = of == 1 || of == 2 ? a->party[of - 1] : SPAN("");
	t->activities = read_u32(r);
	t->asset_set = unpack_short(r);
	if (of > 2 || t->metric >= METRIC_COUNT || t->gives >= GIVES_COUNT || t->window_ms <= 0)
		r->err = r->err != OK ? r->err : ERR_DAMAGED;
}

static void unpack_head(struct reader *r, struct agreement *a)
{
	uint8_t offered_by, flags;

	a->phase = (enum agreement_phase)read_u8(r);
	offered_by = read_u8(r);
	flags = read_u8(r);
	a->demonstration = (flags & FLAG_DEMONSTRATION) != 0;
	a->offered_ms = (int64_t)read_u64(r);
	a->countersigned_ms = (int64_t)read_u64(r);
	a->start_ms = (int64_t)read_u64(r);
	a->end_ms = (int64_t)read_u64(r);
	a->exit_notice_ms = (int64_t)read_u64(r);
	a->leaves_ms = (int64_t)read_u64(r);
	a->ended_ms = (int64_t)read_u64(r);
	a->rules.consult_ms = (int64_t)read_u64(r);
	a->rules.restore = read_u32(r);
	a->codes = read_u32(r);
	for (unsigned side = 0; side < 2; side++)
		a->statement[side] = unpack_hash(r);
	for (unsigned side = 0; side < 2; side++)
		a->party[side] = unpack_short(r);
	a->depositary = unpack_short(r);
	a->offered_by = a->party[offered_by & 1];
	if (a->phase >= AGREEMENT_PHASE_COUNT || offered_by > 1 || flags > FLAG_DEMONSTRATION ||
	    a->rules.restore == 0 || a->rules.consult_ms <= 0)
		r->err = r->err != OK ? r->err : ERR_DAMAGED;
}

static enum err unpack_assets(struct arena *arena, struct reader *r, struct agreement *a)
{
	size_t count = read_u16(r);

	if (count > ASSETS_MAX || r->err != OK)
		return state_damaged("agreement");
	if ((a->assets = arena_array(arena, count + 1, sizeof(*a->assets))) == NULL)
		return ERR_NO_MEMORY;
	for (a->asset_count = 0; a->asset_count < count; a->asset_count++) {
		struct agreed_asset *x = &a->assets[a->asset_count];

		x->side = read_u8(r) & 1;
		x->asset.commitment = unpack_hash(r);
		x->asset.set = unpack_short(r);
	}
	return r->err == OK && reader_left(r) == 0 ? OK : state_damaged("agreement");
}

static enum err unpack_agreement(struct arena *arena, struct span value, enum agreement_assets how, struct agreement *a)
{
	struct reader r = reader_of(value);
	uint8_t tag = read_u8(&r);
	size_t terms;

	unpack_head(&r, a);
	terms = read_u8(&r);
	if (tag != TAG_AGREEMENT || terms > TERMS_MAX || r.err != OK)
		return state_damaged("agreement");
	for (a->term_count = 0; a->term_count < terms; a->term_count++)
		unpack_term(&r, a, &a->terms[a->term_count].term);
	if (r.err != OK)
		return state_damaged("agreement");
	return how == ASSETS_WANTED ? unpack_assets(arena, &r, a) : OK;
}

static struct proportion unpack_share(struct reader *r)
{
	uint64_t numerator = read_u64(r), denominator = read_u64(r), unknown = read_u64(r);

	if (numerator > denominator)
		r->err = r->err != OK ? r->err : ERR_DAMAGED;
	return r->err == OK ? proportion_of(numerator, denominator, unknown) : (struct proportion){ 0 };
}

static void unpack_side(struct reader *r, struct term_side *s)
{
	struct measure *m = &s->last;
	uint8_t flags;

	s->judged = (enum window)read_u8(r);
	m->from_ms = (int64_t)read_u64(r);
	m->until_ms = (int64_t)read_u64(r);
	flags = read_u8(r);
	m->closed = (flags & MEASURE_CLOSED) != 0;
	m->has_value = (flags & MEASURE_HAS_VALUE) != 0;
	m->share = unpack_share(r);
	m->undisputed = unpack_share(r);
	m->disputed = read_u64(r);
	m->value = read_u64(r);
	if (s->judged > WINDOW_TOO_FEW || flags > (MEASURE_CLOSED | MEASURE_HAS_VALUE))
		r->err = r->err != OK ? r->err : ERR_DAMAGED;
}

static enum err unpack_course(struct span value, struct agreement_term *t)
{
	struct reader r = reader_of(value);
	struct course *c = &t->course;

	c->state = (enum course_state)read_u8(&r);
	c->since_ms = (int64_t)read_u64(&r);
	c->consult_until_ms = (int64_t)read_u64(&r);
	c->good = read_u32(&r);
	c->resolved = read_u8(&r);
	c->met = read_u32(&r);
	c->missed = read_u32(&r);
	c->too_few = read_u32(&r);
	c->suspensions = read_u32(&r);
	for (unsigned side = 0; side < 2; side++)
		unpack_side(&r, &t->sides[side]);
	return r.err == OK && reader_left(&r) == 0 && c->state < COURSE_STATE_COUNT && c->resolved <= 3
		       ? OK
		       : state_damaged("course of a term");
}

/* ---- finding ---- */

static enum err get_course(const struct state *st, struct agreement *a, size_t term)
{
	struct state_key k = key_course(a->id, term);
	struct span value;
	enum err e = state_get(st, &k, &value);

	return e == OK ? unpack_course(value, &a->terms[term]) : e == ERR_NOT_FOUND ? OK : e; /* not in force yet */
}

/* The value of an agreement, by its own id or that of a statement; *id becomes its own. */
static enum err find_value(const struct state *st, struct hash *id, struct span *value)
{
	struct state_key k = key_agreement(*id);
	enum err e = state_get(st, &k, value);

	if (e == OK && value->len == 1 + HASH_SIZE && value->at[0] == TAG_STATEMENT) {
		memcpy(id->bytes, value->at + 1, HASH_SIZE);
		k = key_agreement(*id);
		if ((e = state_get(st, &k, value)) == ERR_NOT_FOUND)
			return state_damaged("statement without its agreement");
	}
	return e == ERR_NOT_FOUND ? fail(ERR_MATTER_UNKNOWN, "no agreement in the ledgers of %.*s has that id",
					 SPAN_FORMAT(st->node))
				  : e;
}

static enum err read_value(const struct state *st, struct hash id, struct span value, enum agreement_assets how,
			   struct agreement *out)
{
	enum err e;

	*out = (struct agreement){ .id = id };
	e = unpack_agreement(st->arena, value, how, out);
	for (size_t i = 0; e == OK && i < out->term_count; i++)
		e = get_course(st, out, i);
	return e;
}

enum err agreement_get(const struct state *st, struct hash id, enum agreement_assets how, struct agreement *out)
{
	struct span value;
	enum err e = find_value(st, &id, &value);

	return e == OK ? read_value(st, id, value, how, out) : e;
}

enum err agreement_own(const struct state *st, struct hash id, struct agreement *out)
{
	struct span value;
	const char *copy;
	enum err e = find_value(st, &id, &value);

	if (e != OK)
		return e;
	if ((copy = arena_copy(st->arena, value.at, value.len)) == NULL)
		return ERR_NO_MEMORY;
	return read_value(st, id, span_make(copy, value.len), ASSETS_WANTED, out);
}

enum err state_agreement(const struct state *st, struct hash id, struct agreement *out)
{
	return agreement_get(st, id, ASSETS_WANTED, out);
}

/* ---- writing ---- */

static enum err put_between(struct state *st, const struct agreement *a)
{
	enum err e = OK;

	for (unsigned side = 0; e == OK && side < 2; side++) {
		struct state_key k = key_between(a->party[side], a->party[1 - side]);

		key_add_u8(&k, (uint8_t)class_of(a->phase));
		key_add(&k, a->id.bytes, HASH_SIZE);
		e = view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
	}
	return e;
}

static enum err drop_between(struct state *st, enum agreement_phase p, const struct agreement *a)
{
	enum err e = OK;

	for (unsigned side = 0; e == OK && side < 2; side++) {
		struct state_key k = key_between(a->party[side], a->party[1 - side]);

		key_add_u8(&k, (uint8_t)class_of(p));
		key_add(&k, a->id.bytes, HASH_SIZE);
		e = state_delete(st, &k);
	}
	return e;
}

enum err agreement_add(struct state *st, const struct agreement *a)
{
	enum err e = put_agreement(st, a);

	return e == OK ? put_between(st, a) : e;
}

enum err agreement_change(struct state *st, enum agreement_phase before, const struct agreement *a)
{
	enum err e = put_agreement(st, a);

	if (e == OK && class_of(before) != class_of(a->phase)) {
		e = drop_between(st, before, a);
		if (e == OK)
			e = put_between(st, a);
	}
	return e;
}

enum err agreement_name_statement(struct state *st, const struct agreement *a, struct hash statement)
{
	struct state_key k = key_agreement(statement);
	struct buffer b = BUFFER(1 + HASH_SIZE);
	enum err e;

	buffer_byte(&b, TAG_STATEMENT);
	pack_hash(&b, a->id);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* ---- walking ---- */

struct id_walk {
	agreement_id_each *each;
	void *context;
};

static enum err show_id(void *context, struct span key, struct span value)
{
	struct id_walk *w = context;
	struct hash id;

	(void)value;
	if (key.len < 1 + HASH_SIZE)
		return state_damaged("two who agreed");
	memcpy(id.bytes, key.at + key.len - HASH_SIZE, HASH_SIZE);
	return w->each(w->context, id);
}

static enum err walk_ids(const struct state *st, const struct state_key *prefix, agreement_id_each *each, void *context)
{
	struct id_walk w = { each, context };

	return view_walk(st->snapshot, VIEW_STATE, key_view(prefix), SPAN(""), show_id, &w);
}

enum err agreements_in_force(const struct state *st, struct span a, struct span b, agreement_id_each *each,
			     void *context)
{
	struct state_key k = key_between(a, b);

	key_add_u8(&k, BETWEEN_IN_FORCE);
	return walk_ids(st, &k, each, context);
}

enum err agreements_of(const struct state *st, struct span party, agreement_id_each *each, void *context)
{
	struct state_key k = key_with(party);

	return walk_ids(st, &k, each, context);
}

static enum err count_one(void *context, struct hash id)
{
	(void)id;
	++*(size_t *)context;
	return OK;
}

enum err agreements_count(const struct state *st, struct span a, struct span b, size_t *open)
{
	enum err e = OK;

	*open = 0;
	for (int class = BETWEEN_IN_FORCE; e == OK && class < BETWEEN_ENDED; class ++) {
		struct state_key k = key_between(a, b);

		key_add_u8(&k, (uint8_t) class);
		e = walk_ids(st, &k, count_one, open);
	}
	return e;
}

struct agreement_walk {
	const struct state *st;
	agreement_each *each;
	void *context;
};

static enum err show_of_party(void *context, struct hash id)
{
	struct agreement_walk *w = context;
	struct agreement a;
	enum err e = agreement_get(w->st, id, ASSETS_WANTED, &a);

	return e == OK ? w->each(w->context, &a) : e;
}

static enum err show_any(void *context, struct span key, struct span value)
{
	struct agreement_walk *w = context;
	struct agreement a;
	struct hash id;
	enum err e;

	if (key.len != 1 + HASH_SIZE || value.len == 0)
		return state_damaged("agreement");
	if (value.at[0] == TAG_STATEMENT)
		return OK;
	memcpy(id.bytes, key.at + 1, HASH_SIZE);
	e = read_value(w->st, id, value, ASSETS_WANTED, &a);
	return e == OK ? w->each(w->context, &a) : e;
}

enum err state_agreements(const struct state *st, struct span party, agreement_each *each, void *context)
{
	struct agreement_walk w = { st, each, context };
	struct state_key all = key_of(STATE_AGREEMENT);

	if (party.len > 0)
		return agreements_of(st, party, show_of_party, &w);
	return view_walk(st->snapshot, VIEW_STATE, key_view(&all), SPAN(""), show_any, &w);
}
