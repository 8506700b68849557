#include "regime/restraint_private.h"

/*
 * Breaches in the state
 *
 *	Q 32 promise, 00, u64 index	u8 disputed, u64 alleged, u64 stands, 32 answer, 32 evidence, short term, short by,
 *					short against, addressee: a breach, by its answer in the public ledger
 *	Q 32 evidence, 01, 32 promise	u64 index: what that evidence was used for
 *
 * The promise is the agreement's id, or the statement of a pledge. The evidence is the first version of a plan, or the first
 * notice of those that follow on one another: so none of them is used twice for one act.
 *
 * When a breach stands is fixed when it is alleged, and put off for good by a dispute before then. So whoever counts those of a
 * window that is over counts the same for ever.
 */

#define BREACHES 0
#define USES 1

static struct state_key key_breaches(struct hash promise)
{
	struct state_key k = key_of(STATE_BREACH);

	key_add(&k, promise.bytes, HASH_SIZE);
	key_add_u8(&k, BREACHES);
	return k;
}

static struct state_key key_breach(struct hash promise, uint64_t index)
{
	struct state_key k = key_breaches(promise);

	key_add_u64(&k, index);
	return k;
}

struct state_key key_breach_uses(struct hash evidence)
{
	struct state_key k = key_of(STATE_BREACH);

	key_add(&k, evidence.bytes, HASH_SIZE);
	key_add_u8(&k, USES);
	return k;
}

static struct state_key key_use(struct hash evidence, struct hash promise)
{
	struct state_key k = key_breach_uses(evidence);

	key_add(&k, promise.bytes, HASH_SIZE);
	return k;
}

static enum err breach_unpack(struct hash promise, struct span value, struct breach_kept *out)
{
	struct reader r = reader_of(value);
	struct breach *b = &out->b;
	enum err e;

	b->agreement = promise;
	b->disputed = read_u8(&r) != 0;
	b->alleged_ms = (int64_t)read_u64(&r);
	b->stands_ms = (int64_t)read_u64(&r);
	b->answer = unpack_hash(&r);
	b->evidence = unpack_hash(&r);
	b->term = unpack_short(&r);
	b->by = unpack_short(&r);
	out->against = unpack_short(&r);
	e = unpack_addressee(&r, &b->asset);
	return e == OK && r.err == OK && reader_left(&r) == 0 ? OK : state_damaged("breach");
}

enum err breach_get(const struct state *st, struct hash promise, uint64_t index, struct breach_kept *out)
{
	struct state_key k = key_breach(promise, index);
	struct span value;
	const char *copy;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("evidence without its breach") : e;
	if ((copy = arena_copy(st->arena, value.at, value.len)) == NULL)
		return ERR_NO_MEMORY;
	return breach_unpack(promise, span_make(copy, value.len), out);
}

enum err breach_put(struct state *st, uint64_t index, const struct breach_kept *k)
{
	struct state_key key = key_breach(k->b.agreement, index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, k->b.disputed);
	buffer_u64(&b, (uint64_t)k->b.alleged_ms);
	buffer_u64(&b, (uint64_t)k->b.stands_ms);
	pack_hash(&b, k->b.answer);
	pack_hash(&b, k->b.evidence);
	pack_short(&b, k->b.term);
	pack_short(&b, k->b.by);
	pack_short(&b, k->against);
	pack_addressee(&b, &k->b.asset);
	e = state_put(st, &key, &b);
	buffer_free(&b);
	return e;
}

enum err breach_use_get(const struct state *st, struct hash evidence, struct hash promise, uint64_t *index)
{
	struct state_key k = key_use(evidence, promise);

	return state_get_u64(st, &k, "use of evidence", index);
}

enum err breach_use_put(struct state *st, struct hash evidence, struct hash promise, uint64_t index)
{
	struct state_key k = key_use(evidence, promise);

	return state_put_u64(st, &k, index);
}

/* ---- reading ---- */

struct counting {
	struct hash promise;
	struct span term, party;
	int64_t from_ms, until_ms;
	uint64_t stand, disputed;
	breach_each *each;
	void *context;
};

static enum err count_one(void *context, struct span key, struct span value)
{
	struct counting *c = context;
	struct breach_kept k;
	enum err e = breach_unpack(c->promise, value, &k);

	(void)key;
	if (e != OK || !span_equal(k.b.term, c->term) || !span_equal(k.against, c->party))
		return e;
	if (k.b.disputed)
		c->disputed += k.b.alleged_ms >= c->from_ms && k.b.alleged_ms < c->until_ms;
	else
		c->stand += k.b.stands_ms >= c->from_ms && k.b.stands_ms < c->until_ms;
	return OK;
}

static enum err show_one(void *context, struct span key, struct span value)
{
	struct counting *c = context;
	struct breach_kept k;
	enum err e = breach_unpack(c->promise, value, &k);

	(void)key;
	return e == OK ? c->each(c->context, &k.b) : e;
}

enum err restraint_measure(const struct state *st, struct hash promise, struct span term, struct span party,
			   int64_t from_ms, int64_t until_ms, struct measure *out)
{
	struct counting c = {
		.promise = promise, .term = term, .party = party, .from_ms = from_ms, .until_ms = until_ms
	};
	struct state_key prefix = key_breaches(promise);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), count_one, &c);

	if (e == OK) {
		out->has_value = true;
		out->value = c.stand;
		out->disputed = c.disputed;
	}
	return e;
}

enum err agreement_breaches(const struct state *st, struct hash agreement, breach_each *each, void *context)
{
	struct counting c = { .promise = agreement, .each = each, .context = context };
	struct state_key prefix = key_breaches(agreement);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_one, &c);
}
