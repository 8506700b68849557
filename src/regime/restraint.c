#include "regime/restraint.h"

#include <assert.h>

#include "regime/plan_life_private.h"

/*
 * Breaches in the state
 *
 *	Q 32 promise, 00, u64 index	u8 disputed, u64 alleged, u64 stands, 32 answer, 32 evidence, short term, short by,
 *					short against, addressee: a breach, by its answer in the public ledger
 *	Q 32 evidence, 01, 32 promise	u64 index: what that evidence was used for
 *
 * The promise is the agreement's id, or the statement of a pledge. The evidence is the first version of a plan, or the first notice of
 * those that follow on one another: so none of them is used twice for one act.
 *
 * When a breach stands is fixed when it is alleged, and put off for good by a dispute before then. So whoever counts those of a window that is
 * over counts the same for ever.
 */

#define BREACHES 0
#define USES 1
#define VERSIONS_MAX 64 /* so far back the first version is looked for */
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

/* ---- commitments ---- */

struct hash asset_commitment(const uint8_t salt[32], const struct addressee *resource)
{
	struct buffer b = BUFFER(512);
	struct span parts[3] = { SPAN("comity/1 asset\n"), span_make(salt, 32), SPAN("") };
	struct hash h;

	addressee_print(resource, &b);
	parts[2] = buffer_view(&b);
	h = hash_parts(parts, 3);
	buffer_free(&b);
	return h;
}

/* ---- bytes ---- */

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

static struct state_key key_uses(struct hash evidence)
{
	struct state_key k = key_of(STATE_BREACH);

	key_add(&k, evidence.bytes, HASH_SIZE);
	key_add_u8(&k, USES);
	return k;
}

static struct state_key key_use(struct hash evidence, struct hash promise)
{
	struct state_key k = key_uses(evidence);

	key_add(&k, promise.bytes, HASH_SIZE);
	return k;
}

struct kept {
	struct breach b;
	struct span against;
};

static enum err breach_unpack(struct hash promise, struct span value, struct kept *out)
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

static enum err breach_put(struct state *st, uint64_t index, const struct kept *k)
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

/* ---- headers ---- */

/* Stands there once. */
static enum err value_once(const struct statement *s, const char *name, struct span *out)
{
	size_t count = 0;

	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, name)) {
			*out = s->headers[i].value;
			count++;
		}
	return count == 1 ? OK : fail(ERR_STATEMENT_HEADER, "%s: once, beside this outcome", name);
}

static enum err value_hash(const struct statement *s, const char *name, struct hash *out)
{
	struct span value;
	enum err e = value_once(s, name, &value);

	if (e == OK && hash_from_hex(value, out) != OK)
		e = fail(ERR_STATEMENT_HEADER, "%s: 64 digits of hex", name);
	return e;
}

struct allegation {
	struct span term;
	struct hash opens, salt, evidence;
	struct addressee asset;
};

static enum err read_allegation(const struct statement *s, struct allegation *out)
{
	struct span asset;
	enum err e = value_once(s, "term", &out->term);

	if (e == OK)
		e = value_hash(s, "opens", &out->opens);
	if (e == OK)
		e = value_hash(s, "salt", &out->salt);
	if (e == OK)
		e = value_hash(s, "evidence", &out->evidence);
	if (e == OK)
		e = value_once(s, "asset", &asset);
	if (e == OK && (addressee_parse(asset, &out->asset) != OK || out->asset.type == TO_ALL))
		e = fail(ERR_STATEMENT_HEADER, "asset: a domain, an AS, a prefix or a country, written as in `to`");
	if (e == OK && !hash_equal(asset_commitment(out->salt.bytes, &out->asset), out->opens))
		e = fail(ERR_SEALED, "opens: not the commitment to that asset with that salt");
	return e;
}

/* ---- what was promised ---- */

struct promise {
	struct hash id;
	struct span party; /* who promised it to who alleges */
	int64_t from_ms, until_ms;
	bool demonstration;
	const struct term *term;
	union {
		struct agreement agreement;
		struct pledge pledge;
	} of;
};

static enum err find_term(struct promise *p, struct span name, const struct term *t)
{
	if (p->term == NULL && span_equal(t->name, name) && t->metric == METRIC_RESTRAINT)
		p->term = t;
	return OK;
}

static enum err not_bound(struct span name)
{
	return fail(ERR_TERM, "term: no restraint %.*s that binds the other", SPAN_FORMAT(name));
}

static enum err of_agreement(const struct state *st, const struct statement *s, const struct matter *m,
			     const struct allegation *a, struct promise *p)
{
	struct agreement *g = &p->of.agreement;
	enum err e = state_agreement(st, m->id, g);
	unsigned side;

	if (e != OK)
		return e;
	side = span_equal(s->from, g->party[0]) ? 0 : 1;
	if (!span_equal(s->from, g->party[side]))
		return fail(ERR_NOT_YOURS, "only the two that agreed may say that");
	p->id = g->id;
	p->party = g->party[1 - side];
	p->from_ms = g->start_ms;
	p->until_ms = g->leaves_ms != 0 && g->leaves_ms < g->end_ms ? g->leaves_ms : g->end_ms;
	p->demonstration = g->demonstration;
	if (g->countersigned_ms == 0)
		return fail(ERR_AGREEMENT, "re: it was not signed by both");
	if (a == NULL)
		return OK;
	for (size_t i = 0; i < g->term_count; i++)
		if (g->terms[i].term.of.len == 0 || span_equal(g->terms[i].term.of, p->party))
			find_term(p, a->term, &g->terms[i].term);
	if (p->term == NULL)
		return not_bound(a->term);
	for (size_t i = 0; i < g->asset_count; i++)
		if (g->assets[i].side == side && span_equal(g->assets[i].asset.set, p->term->asset_set) &&
		    hash_equal(g->assets[i].asset.commitment, a->opens))
			return OK;
	return fail(ERR_AGREEMENT, "opens: no asset of yours in %.*s", SPAN_FORMAT(p->term->asset_set));
}

static enum err of_pledge(const struct state *st, const struct statement *s, const struct matter *m,
			  const struct allegation *a, struct promise *p)
{
	struct pledge *g = &p->of.pledge;
	enum err e = state_pledge(st, m->id, g);

	if (e != OK)
		return e;
	p->id = g->id;
	p->party = g->party;
	p->from_ms = g->start_ms;
	p->until_ms = g->end_ms;
	p->demonstration = g->demonstration;
	if (a == NULL)
		return OK;
	if (span_equal(s->from, g->party))
		return fail(ERR_NOT_YOURS, "of a pledge others allege that it was broken");
	for (size_t i = 0; i < g->term_count; i++)
		find_term(p, a->term, &g->terms[i]);
	if (p->term == NULL)
		return not_bound(a->term);
	for (size_t i = 0; i < g->asset_count; i++)
		if (span_equal(g->assets[i].set, p->term->asset_set) && hash_equal(g->assets[i].commitment, a->opens))
			return OK;
	return fail(ERR_AGREEMENT, "opens: no asset in %.*s", SPAN_FORMAT(p->term->asset_set));
}

/* a NULL: only whose it is. */
static enum err read_promise(const struct state *st, const struct statement *s, const struct matter *m,
			     const struct allegation *a, struct promise *p)
{
	*p = (struct promise){ 0 };
	return m->kind == KIND_PLEDGE ? of_pledge(st, s, m, a, p) : of_agreement(st, s, m, a, p);
}

static enum err check_in_force(const struct state *st, const struct promise *p)
{
	if (st->logged_ms < p->from_ms)
		return fail(ERR_AGREEMENT, "re: it is not in force yet");
	return st->logged_ms >= p->until_ms ? fail(ERR_AGREEMENT, "re: it is over") : OK;
}

/* ---- evidence ---- */

static bool overlap(struct prefix a, struct prefix b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

static bool is_excluded(const struct plan_terms *t, struct prefix p)
{
	for (size_t i = 0; i < t->exclude_count; i++)
		if (prefix_contains(t->excludes[i], p))
			return true;
	return false;
}

static bool meets_prefix(const struct plan_terms *t, struct prefix asset)
{
	if (t->any_target && !is_excluded(t, asset))
		return true;
	for (size_t i = 0; i < t->target_count; i++) {
		struct prefix target = t->targets[i];

		if (overlap(target, asset) && !is_excluded(t, prefix_contains(asset, target) ? target : asset))
			return true;
	}
	return false;
}

static bool meets(const struct plan_terms *t, const struct addressee *asset)
{
	if (asset->type == TO_PREFIX)
		return meets_prefix(t, asset->prefix);
	if (t->any_target)
		return true;
	for (size_t i = 0; i < t->target_as_count && asset->type == TO_AS; i++)
		if (t->target_as[i] == asset->asn)
			return true;
	for (size_t i = 0; i < t->target_country_count && asset->type == TO_COUNTRY; i++)
		if (memcmp(t->target_countries[i], asset->country, 2) == 0)
			return true;
	for (size_t i = 0; i < t->target_domain_count && asset->type == TO_PARTY; i++)
		if (span_equal(t->target_domains[i], asset->domain))
			return true;
	return false;
}

/* One of its windows lies at least in part between these. */
static bool is_open_between(const struct plan_terms *t, int64_t from_ms, int64_t until_ms)
{
	int64_t period = t->repeat == REPEAT_DAILY ? DAY_MS : t->repeat == REPEAT_WEEKLY ? 7 * DAY_MS : 0;
	int64_t start = t->start_ms, end = t->end_ms;
	int64_t skip = period > 0 && from_ms >= end ? (from_ms - end) / period + 1 : 0;

	if (skip >= (int64_t)t->repeat_count && skip > 0)
		return false;
	start += skip * period;
	end += skip * period;
	return start < until_ms && end > from_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

static enum err check_begun(const struct state *st, const struct promise *p, const struct matter *m,
			    const struct plan_terms *t)
{
	int64_t until = earlier(earlier(earlier(st->logged_ms + 1, m->withdrawn_ms), m->closed_ms), m->passed_on_ms);
	struct plan_course c;
	enum err e = plan_course_get(st, m->index, &c);

	if (e == OK && (c.word == 1 + OUTCOME_DELAYED ||
			!is_open_between(t, p->from_ms, until < p->until_ms ? until : p->until_ms)))
		e = fail(ERR_BREACH, "evidence: nothing of that plan has begun while it was in force");
	return e;
}

static enum err check_plan(const struct state *st, const struct statement *s, const struct promise *p,
			   const struct allegation *a, const struct matter *m)
{
	struct plan_terms t;
	struct said said;
	enum err e;

	if (!span_equal(m->from, p->party))
		return fail(ERR_BREACH, "evidence: a plan of %.*s", SPAN_FORMAT(m->from));
	e = plan_terms_get(st, m->index, &t);
	if (e == OK && t.sealed)
		e = fail(ERR_BREACH, "evidence: it is sealed, and says nothing");
	if (e == OK && (p->term->activities & BIT(t.activity)) == 0)
		e = fail(ERR_BREACH, "evidence: %s is not what was promised to be left",
			 activity_name((enum activity)t.activity));
	if (e == OK && !meets(&t, &a->asset))
		e = fail(ERR_BREACH, "evidence: its targets do not meet the asset");
	if (e == OK)
		e = check_begun(st, p, m, &t);
	if (e == OK)
		e = plan_said_get(st, m->index, s->from, &said);
	if (e == OK && said.accepted_ms != 0 && said.objected_ms <= said.accepted_ms)
		e = fail(ERR_BREACH, "evidence: you accepted that plan");
	return e;
}

static enum err check_notice(const struct statement *s, const struct promise *p, const struct matter *m)
{
	struct addressee to;

	if (!span_equal(m->from, s->from))
		return fail(ERR_BREACH, "evidence: a notice of another; say it in your own");
	if (m->to_count != 1 || m->cc_count != 0)
		return fail(ERR_BREACH, "evidence: it fits more than one party, so it shows nothing about one");
	if (!matter_addressee(m, 0, &to) || to.type != TO_PARTY || !span_equal(to.domain, p->party))
		return fail(ERR_BREACH, "evidence: it is not to %.*s", SPAN_FORMAT(p->party));
	if (m->withdrawn)
		return fail(ERR_BREACH, "evidence: it was withdrawn");
	if (m->logged_ms < p->from_ms || m->logged_ms >= p->until_ms)
		return fail(ERR_BREACH, "evidence: it was filed while it was not in force");
	return OK;
}

/* The matter, and the first of those that it follows on. */
static enum err evidence_get(const struct state *st, struct hash id, struct matter *m, struct hash *first)
{
	struct place at;
	struct matter before;
	enum err e = place_get(st, id, &at);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "evidence: nothing of that id is known here");
	if (e == OK && at.kind != KIND_PLAN && at.kind != KIND_NOTICE)
		e = fail(ERR_BREACH, "evidence: a plan or a notice; that one is of the kind %s", kind_name(at.kind));
	if (e == OK && (e = matter_get(st, at.ledger, at.index, m)) == ERR_NOT_FOUND)
		e = fail(ERR_MATTER_UNKNOWN, "evidence: its body is all that is known");
	*first = id;
	before = *m;
	for (int i = 0; e == OK && i < VERSIONS_MAX && before.has_before; i++) {
		struct hash next = before.before;

		e = place_get(st, next, &at);
		if (e == OK && at.kind == m->kind)
			e = matter_get(st, at.ledger, at.index, &before);
		else if (e == OK)
			e = ERR_NOT_FOUND;
		if (e == OK)
			*first = next;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err check_evidence(const struct state *st, const struct statement *s, const struct promise *p,
			       const struct allegation *a)
{
	struct matter m;
	struct hash first;
	struct state_key k;
	struct span value;
	enum err e = evidence_get(st, a->evidence, &m, &first);

	if (e != OK)
		return e;
	if (m.demonstration != p->demonstration)
		return fail(ERR_BREACH, "evidence: one of the two is for a demonstration");
	k = key_use(first, p->id);
	if ((e = state_get(st, &k, &value)) == OK)
		return fail(ERR_BREACH, "evidence: it was used before");
	if (e != ERR_NOT_FOUND)
		return e;
	return m.kind == KIND_PLAN ? check_plan(st, s, p, a, &m) : check_notice(s, p, &m);
}

/* ---- disputes ---- */

/* The breach that rests on that evidence, and the index of its key. */
static enum err breach_of(const struct state *st, struct hash promise, struct hash first, struct kept *out,
			  uint64_t *index)
{
	struct state_key k = key_use(first, promise);
	struct span value;
	struct reader r;
	enum err e = state_get(st, &k, &value);

	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "evidence: nothing was alleged with it");
	if (e != OK)
		return e;
	r = reader_of(value);
	*index = read_u64(&r);
	k = key_breach(promise, *index);
	if ((e = state_get(st, &k, &value)) != OK)
		return e == ERR_NOT_FOUND ? state_damaged("evidence without its breach") : e;
	return breach_unpack(promise, value, out);
}

static enum err read_disputed(const struct state *st, const struct statement *s, const struct promise *p,
			      struct kept *out, uint64_t *index)
{
	struct matter m;
	struct hash evidence, first;
	enum err e = value_hash(s, "evidence", &evidence);

	if (e == OK)
		e = evidence_get(st, evidence, &m, &first);
	return e == OK ? breach_of(st, p->id, first, out, index) : e;
}

static enum err check_dispute(const struct state *st, const struct statement *s, const struct promise *p)
{
	struct kept k;
	uint64_t index;
	enum err e = read_disputed(st, s, p, &k, &index);

	if (e == OK && !span_equal(k.against, s->from))
		e = fail(ERR_NOT_YOURS, "only %.*s may dispute that", SPAN_FORMAT(k.against));
	if (e == OK && k.b.disputed)
		e = fail(ERR_OUTCOME, "evidence: it is disputed already");
	if (e == OK && st->logged_ms >= k.b.stands_ms)
		e = fail(ERR_OUTCOME, "evidence: the time to dispute it is over");
	return e;
}

/* Its spans point into the snapshot, so its value is copied first. */
static enum err dispute(struct state *st, struct hash promise, uint64_t index)
{
	struct state_key key = key_breach(promise, index);
	struct kept k;
	struct span value;
	const char *copy;
	enum err e = state_get(st, &key, &value);

	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("evidence without its breach") : e;
	if ((copy = arena_copy(st->arena, value.at, value.len)) == NULL)
		return ERR_NO_MEMORY;
	e = breach_unpack(promise, span_make(copy, value.len), &k);
	if (e != OK || k.b.disputed || st->logged_ms >= k.b.stands_ms)
		return e;
	k.b.disputed = true;
	k.b.stands_ms = INT64_MAX;
	return breach_put(st, index, &k);
}

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

struct next_use {
	struct state_key key; /* the last one; of no length at first */
	uint64_t index;
	bool found;
};

static enum err take_next(void *context, struct span key, struct span value)
{
	struct next_use *n = context;
	struct reader r = reader_of(value);

	if (span_equal(key, key_view(&n->key)))
		return OK;
	n->key.len = 0;
	key_add(&n->key, key.at, key.len);
	n->index = read_u64(&r);
	n->found = true;
	return ENOUGH;
}

enum err restraint_notice_disputed(struct state *st, const struct matter *notice)
{
	struct next_use n = { .key = { .len = 0 } };
	struct state_key prefix;
	struct matter m;
	struct hash first;
	enum err e = evidence_get(st, notice->id, &m, &first);

	if (e != OK)
		return e;
	prefix = key_uses(first);
	do {
		struct reader r;

		n.found = false;
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&n.key), take_next, &n);
		if (!n.found)
			return e;
		r = reader_of(span_make(n.key.bytes + prefix.len, n.key.len - prefix.len));
		e = dispute(st, unpack_hash(&r), n.index);
	} while (e == OK);
	return e;
}

/* ---- the answers ---- */

enum err restraint_answer_check(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o)
{
	struct allegation a;
	struct promise p;
	bool alleges = o == OUTCOME_BREACH_ALLEGED;
	enum err e = OK;

	assert(alleges || o == OUTCOME_DISPUTED);
	if (s->for_party.len > 0 || s->via.len > 0)
		e = fail(ERR_NOT_YOURS, "for: of a breach each speaks for itself");
	if (e == OK && alleges)
		e = read_allegation(s, &a);
	if (e == OK)
		e = read_promise(st, s, m, alleges ? &a : NULL, &p);
	if (e != OK)
		return e;
	if (!alleges)
		return check_dispute(st, s, &p);
	e = check_in_force(st, &p);
	return e == OK ? check_evidence(st, s, &p, &a) : e;
}

static enum err alleged(struct state *st, const struct statement *s, const struct matter *m)
{
	struct allegation a;
	struct promise p;
	struct matter evidence;
	struct kept k;
	struct hash first;
	struct state_key use;
	struct buffer b = BUFFER(16);
	enum err e = read_allegation(s, &a);

	if (e == OK)
		e = read_promise(st, s, m, &a, &p);
	if (e == OK)
		e = evidence_get(st, a.evidence, &evidence, &first);
	if (e != OK)
		return e;
	k = (struct kept){
		.b = {
			.agreement = p.id,
			.answer = s->id,
			.evidence = a.evidence,
			.term = a.term,
			.by = s->from,
			.asset = a.asset,
			.alleged_ms = st->logged_ms,
			.stands_ms = evidence.kind == KIND_PLAN ? st->logged_ms : st->logged_ms + BREACH_STANDS_MS,
		},
		.against = p.party,
	};
	if (evidence.kind == KIND_NOTICE && evidence.disputed_ms != 0) {
		k.b.disputed = true;
		k.b.stands_ms = INT64_MAX;
	}
	use = key_use(first, p.id);
	e = breach_put(st, st->index, &k);
	buffer_u64(&b, st->index);
	if (e == OK)
		e = state_put(st, &use, &b);
	buffer_free(&b);
	return e;
}

enum err restraint_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct promise p;
	struct kept k;
	uint64_t index;
	enum err e;

	if (o == OUTCOME_BREACH_ALLEGED)
		return alleged(st, s, m);
	e = read_promise(st, s, m, NULL, &p);
	if (e == OK)
		e = read_disputed(st, s, &p, &k, &index);
	return e == OK ? dispute(st, p.id, index) : e;
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
	struct kept k;
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
	struct kept k;
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
