#include "regime/restraint.h"

#include <assert.h>

#include "regime/agreement_private.h"
#include "regime/restraint_private.h"

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

static void find_term(struct restraint_promise *p, struct span name, const struct term *t)
{
	if (p->term == NULL && span_equal(t->name, name) && t->metric == METRIC_RESTRAINT)
		p->term = t;
}

static enum err not_bound(struct span name)
{
	return fail(ERR_TERM, "term: no restraint %.*s that binds the other", SPAN_FORMAT(name));
}

static enum err of_agreement(const struct state *st, const struct statement *s, const struct matter *m,
			     const struct allegation *a, struct restraint_promise *p)
{
	struct agreement *g = &p->of.agreement;
	unsigned side;
	enum err e = state_agreement(st, m->id, g);

	if (e == OK)
		e = agreement_side(g, s->from, &side);
	if (e != OK)
		return e;
	p->id = g->id;
	p->party = g->party[1 - side];
	p->from_ms = g->start_ms;
	p->until_ms = agreement_last_ms(g);
	p->demonstration = g->demonstration;
	if (g->countersigned_ms == 0)
		return fail(ERR_AGREEMENT, "re: it was not signed by both");
	if (a == NULL)
		return OK;
	for (size_t i = 0; i < g->term_count; i++)
		if (term_binds(g, &g->terms[i], 1 - side))
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
			  const struct allegation *a, struct restraint_promise *p)
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
			     const struct allegation *a, struct restraint_promise *p)
{
	*p = (struct restraint_promise){ 0 };
	return m->kind == KIND_PLEDGE ? of_pledge(st, s, m, a, p) : of_agreement(st, s, m, a, p);
}

static enum err check_in_force(const struct state *st, const struct restraint_promise *p)
{
	if (st->logged_ms < p->from_ms)
		return fail(ERR_AGREEMENT, "re: it is not in force yet");
	return st->logged_ms >= p->until_ms ? fail(ERR_AGREEMENT, "re: it is over") : OK;
}

/* ---- disputes ---- */

/* The breach that rests on the evidence which a dispute names, and its index. */
static enum err read_disputed(const struct state *st, const struct statement *s, const struct restraint_promise *p,
			      struct breach_kept *out, uint64_t *index)
{
	struct matter m;
	struct hash evidence, first;
	enum err e = value_hash(s, "evidence", &evidence);

	if (e == OK)
		e = restraint_evidence(st, evidence, &m, &first);
	if (e != OK)
		return e;
	if ((e = breach_use_get(st, first, p->id, index)) == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "evidence: nothing was alleged with it");
	return e == OK ? breach_get(st, p->id, *index, out) : e;
}

static enum err check_dispute(const struct state *st, const struct statement *s, const struct restraint_promise *p)
{
	struct breach_kept k;
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

static enum err dispute(struct state *st, uint64_t index, struct breach_kept *k)
{
	if (k->b.disputed || st->logged_ms >= k->b.stands_ms)
		return OK;
	k->b.disputed = true;
	k->b.stands_ms = INT64_MAX;
	return breach_put(st, index, k);
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
	enum err e = restraint_evidence(st, notice->id, &m, &first);

	if (e != OK)
		return e;
	prefix = key_breach_uses(first);
	do {
		struct breach_kept k;
		struct reader r;

		n.found = false;
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), key_view(&n.key), take_next, &n);
		if (!n.found)
			return e;
		r = reader_of(span_make(n.key.bytes + prefix.len, n.key.len - prefix.len));
		e = breach_get(st, unpack_hash(&r), n.index, &k);
		if (e == OK)
			e = dispute(st, n.index, &k);
	} while (e == OK);
	return e;
}

/* ---- the answers ---- */

enum err restraint_answer_check(const struct state *st, const struct statement *s, const struct matter *m,
				enum outcome o)
{
	struct allegation a;
	struct restraint_promise p;
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
	return e == OK ? restraint_evidence_check(st, s, &p, &a) : e;
}

static enum err alleged(struct state *st, const struct statement *s, const struct matter *m)
{
	struct allegation a;
	struct restraint_promise p;
	struct matter evidence;
	struct breach_kept k;
	struct hash first;
	enum err e = read_allegation(s, &a);

	if (e == OK)
		e = read_promise(st, s, m, &a, &p);
	if (e == OK)
		e = restraint_evidence(st, a.evidence, &evidence, &first);
	if (e != OK)
		return e;
	k = (struct breach_kept){
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
	e = breach_put(st, st->index, &k);
	return e == OK ? breach_use_put(st, first, p.id, st->index) : e;
}

enum err restraint_answered(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	struct restraint_promise p;
	struct breach_kept k;
	uint64_t index;
	enum err e;

	if (o == OUTCOME_BREACH_ALLEGED)
		return alleged(st, s, m);
	e = read_promise(st, s, m, NULL, &p);
	if (e == OK)
		e = read_disputed(st, s, &p, &k, &index);
	return e == OK ? dispute(st, index, &k) : e;
}
