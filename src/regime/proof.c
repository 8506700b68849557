#include "regime/proof.h"

#include <assert.h>

#include "regime/kinds_private.h"
#include "regime/vouch.h"

/*
 * What the fold keeps of a proof
 *
 *	o u64 index		u8 method, u8 flags, short author, short about, 32 key, u64 at_ms, u64 until_ms, 32 answer, short reason,
 *				u64 began, u16 number of resources, each addressee
 *	e u64 until_ms, index	while it is accepted, also past its end: the node is to judge it anew
 *	U u64 index		filed here and not judged, nor withdrawn
 *	O domain 00 group index	an accepted observation; group: SHA-256 of the resource's bytes and the key that was seen
 *
 * key: what the evidence binds, the author's at that time, or what was seen. It must be the party's present key when the proof is
 * accepted: evidence for a former key shows nothing of the present one. began: the entry that began the holdings that are open.
 * Accepted again while they are open they go on to the new end; when they are over, new ones begin.
 *
 * Observations make a holding together. It is open while there is a pair in force whose authors are unrelated, so its end is the
 * greatest over all such pairs of the earlier end of the two; in the order of their ends, latest first, the first that is
 * unrelated to one before it decides. It begins by an acceptance only, so that what was ended stays so.
 */

#define SUBJECT_MAX 200
#define REASON_MAX 64
#define UNTIL_MAX_MS (INT64_C(366) * 24 * 60 * 60 * 1000)
#define OBSERVERS_MAX 12 /* with the latest ends, whose pairs are tried; the node judged each of them */

#define PROOF_JUDGED 1
#define PROOF_ACCEPTED 2
#define PROOF_BEGAN 4

/* ---- the statement ---- */

static enum err bad_resource(const char *why)
{
	return fail(ERR_STATEMENT_HEADER, "resource: %s", why);
}

static enum err read_resources(struct arena *a, const struct statement *s, struct proof *p)
{
	size_t n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, "resource");
	if (n > PROOF_RESOURCES_MAX)
		return bad_resource("more than 200");
	if ((p->resources = arena_array(a, n, sizeof(*p->resources))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->header_count; i++) {
		struct addressee *r = &p->resources[p->resource_count];

		if (!span_is(s->headers[i].name, "resource"))
			continue;
		if (addressee_parse(s->headers[i].value, r) != OK || r->type == TO_ALL)
			return bad_resource("a domain, AS64500, prefix 192.0.2.0/24 or country EE");
		for (size_t j = 0; j < p->resource_count; j++)
			if (addressee_equal(&p->resources[j], r))
				return bad_resource("one stands there twice");
		p->resource_count++;
	}
	return OK;
}

/* What each method can speak of, and how often. */
static enum err check_resources(const struct proof *p)
{
	const struct addressee *r = p->resources;

	switch (p->method) {
	case BASIS_RSC:
		if (p->resource_count == 0)
			return bad_resource("an rsc proof names at least one");
		for (size_t i = 0; i < p->resource_count; i++)
			if (r[i].type != TO_AS && r[i].type != TO_PREFIX)
				return bad_resource("an rsc proof is of prefixes and AS numbers");
		return OK;
	case BASIS_DNSSEC:
		return p->resource_count == 1 && (r->type == TO_PARTY || r->type == TO_PREFIX)
			       ? OK
			       : bad_resource("a dnssec proof is of one domain or prefix");
	case BASIS_OBSERVED:
		return p->resource_count == 0 || (p->resource_count == 1 && r->type == TO_PARTY)
			       ? OK
			       : bad_resource("an observed proof is of one domain, the party's own if none is named");
	case BASIS_MANDATE:
		return p->resource_count == 1 && r->type == TO_COUNTRY ? OK
								       : bad_resource("a mandate is for one country");
	default:
		return p->resource_count == 0 ? OK : bad_resource("such a proof is of the party itself");
	}
}

static bool speaks_of_another(enum basis method)
{
	return method == BASIS_OBSERVED || method == BASIS_MANDATE;
}

static enum err read_about(const struct statement *s, struct proof *p)
{
	const struct header *seen = statement_header(s, "seen-key");

	if (!speaks_of_another(p->method)) {
		if (s->to_count > 0 || seen != NULL)
			return fail(ERR_STATEMENT_HEADER,
				    "to, seen-key: only in what is said of another party: observed, mandate");
		p->about = s->from;
		p->seen_key = s->key;
		return OK;
	}
	if (s->to_count != 1 || s->to[0].type != TO_PARTY)
		return fail(ERR_STATEMENT_HEADER, "to: the party that it is about");
	if (span_equal(s->to[0].domain, s->from))
		return fail(ERR_NOT_YOURS, "to: another than who signs; nobody is an observer of itself");
	if (seen == NULL || hash_from_hex(seen->value, &p->seen_key) != OK)
		return fail(ERR_STATEMENT_HEADER, "seen-key: the fingerprint of the party's key, 64 hex digits");
	p->about = s->to[0].domain;
	return OK;
}

static enum err read_subject(const struct statement *s, struct proof *p)
{
	const struct header *h = statement_header(s, "subject");
	bool person = p->method == BASIS_LEGAL || p->method == BASIS_OPENPGP;

	if (person != (h != NULL))
		return fail(ERR_STATEMENT_HEADER, "subject: who it is, in a legal or openpgp proof and in no other");
	if (h != NULL)
		p->subject = h->value;
	return value_text(s, "subject", SUBJECT_MAX);
}

enum err proof_read(struct arena *a, const struct statement *s, struct proof *out)
{
	const struct header *method = statement_header(s, "method");
	struct proof p = { 0 };
	enum err e;

	if (method == NULL)
		return fail(ERR_STATEMENT_HEADER, "method: missing in a proof");
	e = basis_parse(method->value, &p.method);
	if (e == OK && p.method == BASIS_OPERATOR)
		e = fail(ERR_STATEMENT_HEADER, "method: the operator's approval is an answer to the party's statement");
	if (e == OK)
		e = read_about(s, &p);
	if (e == OK)
		e = read_subject(s, &p);
	if (e == OK)
		e = read_resources(a, s, &p);
	if (e == OK)
		e = check_resources(&p);
	if (e == OK)
		*out = p;
	return e;
}

/* The author is known: its signature was looked for. */
static enum err check_government(const struct state *st, struct span author)
{
	struct party p;
	enum err e = party_get(st, author, &p);

	if (e == OK && (p.roles & BIT(ROLE_GOVERNMENT)) == 0)
		e = fail(ERR_ROLE, "method: only a party with the role government gives a mandate");
	return e;
}

enum err proof_check(const struct state *st, const struct statement *s)
{
	bool demonstration;
	struct proof p;
	enum err e = proof_read(st->arena, s, &p);

	if (e == OK)
		e = value_yes(s, "demonstration", &demonstration);
	if (e == OK && s->body.sealed)
		e = fail(ERR_STATEMENT_HEADER, "body: evidence is public, so that others can verify it");
	if (e == OK && s->body.size > PROOF_BODY_MAX)
		e = fail(ERR_TOO_LONG, "body: %ju bytes of evidence, at most %zu", (uintmax_t)s->body.size,
			 PROOF_BODY_MAX);
	return e == OK && p.method == BASIS_MANDATE ? check_government(st, s->from) : e;
}

/* ---- its bytes ---- */

struct filed {
	uint64_t index;
	enum basis method;
	bool judged, accepted;
	struct span author, about, reason;
	struct hash key, answer;
	struct hash id;	   /* not kept: of the proof that is being judged */
	bool begins;	   /* not kept: its holdings begin anew by the entry in hand */
	bool began_before; /* `began` says where */
	int64_t at_ms, until_ms;
	uint64_t began;
	unsigned count;
	struct span resources; /* packed */
};

static struct state_key key_index(enum state_letter letter, uint64_t index)
{
	struct state_key k = key_of(letter);

	key_add_u64(&k, index);
	return k;
}

static struct state_key key_ending(int64_t until_ms, uint64_t index)
{
	struct state_key k = key_index(STATE_ENDING, (uint64_t)until_ms);

	key_add_u64(&k, index);
	return k;
}

static enum err filed_put(struct state *st, const struct filed *f)
{
	struct state_key k = key_index(STATE_PROOF, f->index);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	buffer_byte(&b, (uint8_t)f->method);
	buffer_byte(&b, (uint8_t)((f->judged ? PROOF_JUDGED : 0) | (f->accepted ? PROOF_ACCEPTED : 0) |
				  (f->began_before ? PROOF_BEGAN : 0)));
	pack_short(&b, f->author);
	pack_short(&b, f->about);
	pack_hash(&b, f->key);
	buffer_u64(&b, (uint64_t)f->at_ms);
	buffer_u64(&b, (uint64_t)f->until_ms);
	pack_hash(&b, f->answer);
	pack_short(&b, f->reason);
	buffer_u64(&b, f->began);
	buffer_u16(&b, (uint16_t)f->count);
	buffer_span(&b, f->resources);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e;
}

/* ERR_NOT_FOUND: it folded to nothing. */
static enum err filed_find(const struct state *st, uint64_t index, struct filed *out)
{
	struct state_key k = key_index(STATE_PROOF, index);
	struct filed f = { .index = index };
	struct span value;
	struct reader r;
	uint8_t method, flags;
	enum err e = state_get(st, &k, &value);

	if (e != OK)
		return e;
	r = reader_of(value);
	method = read_u8(&r);
	flags = read_u8(&r);
	f.author = unpack_short(&r);
	f.about = unpack_short(&r);
	f.key = unpack_hash(&r);
	f.at_ms = (int64_t)read_u64(&r);
	f.until_ms = (int64_t)read_u64(&r);
	f.answer = unpack_hash(&r);
	f.reason = unpack_short(&r);
	f.began = read_u64(&r);
	f.count = read_u16(&r);
	f.resources = read_span(&r, reader_left(&r));
	if (r.err != OK || method >= BASIS_COUNT)
		return state_damaged("proof");
	f.method = (enum basis)method;
	f.judged = (flags & PROOF_JUDGED) != 0;
	f.accepted = (flags & PROOF_ACCEPTED) != 0;
	f.began_before = (flags & PROOF_BEGAN) != 0;
	*out = f;
	return OK;
}

static enum err filed_get(const struct state *st, uint64_t index, struct filed *out)
{
	enum err e = filed_find(st, index, out);

	return e == ERR_NOT_FOUND ? state_damaged("proof") : e;
}

static enum err own(struct arena *a, struct span *s)
{
	const char *copy = arena_copy(a, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

/* Apart from the snapshot: a fold reads, then writes. */
static enum err filed_own(const struct state *st, uint64_t index, struct filed *out)
{
	enum err e = filed_get(st, index, out);

	if (e == OK)
		e = own(st->arena, &out->author);
	if (e == OK)
		e = own(st->arena, &out->about);
	if (e == OK)
		e = own(st->arena, &out->reason);
	return e == OK ? own(st->arena, &out->resources) : e;
}

typedef enum err resource_each(struct state *st, struct filed *f, const struct addressee *resource);

static enum err each_resource(struct state *st, struct filed *f, resource_each *each)
{
	struct reader r = reader_of(f->resources);
	enum err e = OK;

	for (unsigned i = 0; e == OK && i < f->count; i++) {
		struct addressee resource;

		if (unpack_addressee(&r, &resource) != OK)
			return state_damaged("proof");
		e = each(st, f, &resource);
	}
	return e;
}

static enum err put_empty(struct state *st, struct state_key k)
{
	return view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
}

static enum err delete_if_there(struct state *st, struct state_key k)
{
	enum err e = state_delete(st, &k);

	return e == ERR_NOT_FOUND ? OK : e;
}

enum err proof_fold(struct state *st, const struct statement *s)
{
	struct filed f = { .index = st->index, .author = s->from };
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	struct addressee itself = { .type = TO_PARTY };
	struct proof p;
	struct matter m;
	enum err e = proof_read(st->arena, s, &p);

	if (e == OK)
		e = matter_make(st, s, &m);
	if (e == OK)
		e = matter_add(st, &m);
	if (e != OK)
		return e;
	f.method = p.method;
	f.about = itself.domain = p.about;
	f.key = p.seen_key;
	if (p.resource_count == 0) {
		p.resources = &itself;
		p.resource_count = 1;
	}
	for (size_t i = 0; i < p.resource_count; i++)
		pack_addressee(&b, &p.resources[i]);
	f.count = (unsigned)p.resource_count;
	f.resources = buffer_view(&b);
	e = b.err == OK ? filed_put(st, &f) : b.err;
	buffer_free(&b);
	if (e == OK && !st->is_guest)
		e = put_empty(st, key_index(STATE_UNJUDGED, st->index));
	return e;
}

/* ---- observations ---- */

struct observer {
	struct span author;
	uint64_t index;
	int64_t until_ms;
};

struct group {
	const struct state *st;
	struct hash key;
	struct observer *at; /* room for one more than OBSERVERS_MAX; the latest end first */
	size_t count;
	bool open; /* there is a holding of it */
	uint64_t began;
};

static struct state_key key_group(const struct filed *f, const struct addressee *resource)
{
	struct state_key k = key_of(STATE_OBSERVED);
	struct buffer b = BUFFER(STATE_KEY_MAX);
	struct hash h;

	pack_addressee(&b, resource);
	pack_hash(&b, f->key);
	assert(b.err == OK || b.err == ERR_NO_MEMORY);
	h = hash_span(buffer_view(&b));
	buffer_free(&b);
	key_add(&k, f->about.at, f->about.len);
	key_add_u8(&k, 0);
	key_add(&k, h.bytes, HASH_SIZE);
	return k;
}

static enum err add_observer(void *context, struct span key, struct span value)
{
	struct group *g = context;
	struct reader r = reader_of(span_from(key, key.len - 8));
	struct filed f;
	size_t i;
	enum err e = filed_get(g->st, read_u64(&r), &f);

	(void)value;
	if (e != OK || f.until_ms <= g->st->logged_ms)
		return e;
	for (i = g->count; i > 0 && g->at[i - 1].until_ms < f.until_ms; i--)
		g->at[i] = g->at[i - 1];
	g->at[i] = (struct observer){ f.author, f.index, f.until_ms };
	g->count += g->count < OBSERVERS_MAX;
	return OK;
}

/* Two parties that one other node keeps could be that node twice; who vouch for one another, or have a voucher in common, are no two
 * witnesses (vouch.h). */
static enum err unrelated(const struct state *st, struct span a, struct span b, bool *yes)
{
	struct party p, q;
	bool related = true;
	enum err e;

	*yes = false;
	if (span_equal(a, b))
		return OK;
	e = party_get(st, a, &p);
	if (e == OK)
		e = party_get(st, b, &q);
	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	if (p.withdrawn || q.withdrawn || (span_equal(p.home, q.home) && !span_equal(p.home, st->node)))
		return OK;
	e = vouch_related(st, a, b, st->logged_ms, &related);
	*yes = e == OK && !related;
	return e;
}

/* When the last unrelated pair ends; 0: there is none. */
static enum err last_pair(const struct group *g, int64_t *until_ms)
{
	enum err e = OK;
	bool yes = false;

	*until_ms = 0;
	for (size_t i = 1; e == OK && !yes && i < g->count; i++)
		for (size_t j = 0; e == OK && !yes && j < i; j++)
			if ((e = unrelated(g->st, g->at[i].author, g->at[j].author, &yes)) == OK && yes)
				*until_ms = g->at[i].until_ms;
	return e;
}

/* Holdings of one domain may be of a former key too. */
static enum err is_of_group(void *context, const struct holding *h, uint64_t began)
{
	struct group *g = context;
	struct place at;
	struct filed f;
	enum err e = place_get(g->st, h->because, &at);

	if (e == OK)
		e = filed_get(g->st, at.index, &f);
	if (e == OK && hash_equal(f.key, g->key)) {
		g->open = true;
		g->began = began;
	}
	return e;
}

static enum err gather_group(const struct state *st, const struct filed *f, const struct addressee *resource,
			     struct group *g)
{
	struct state_key k = key_group(f, resource);
	enum err e;

	*g = (struct group){ .st = st, .key = f->key };
	if ((g->at = arena_array(st->arena, OBSERVERS_MAX + 1, sizeof(*g->at))) == NULL)
		return ERR_NO_MEMORY;
	e = view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), add_observer, g);
	return e == OK ? holding_open(st, f->about, resource, BASIS_OBSERVED, is_of_group, g) : e;
}

static enum err weigh_group(struct state *st, const struct filed *f, const struct addressee *resource,
			    const struct hash *completes)
{
	struct holding h = { .party = f->about, .resource = *resource, .basis = BASIS_OBSERVED };
	struct group g;
	int64_t until_ms = 0;
	bool was_open;
	enum err e = gather_group(st, f, resource, &g);

	if (e == OK)
		e = last_pair(&g, &until_ms);
	if (e != OK)
		return e;
	if (g.open)
		return holding_extend(st, f->about, resource, g.began, until_ms != 0 ? until_ms : st->logged_ms,
				      &was_open);
	if (until_ms == 0 || completes == NULL)
		return OK;
	h.from_ms = st->logged_ms;
	h.until_ms = until_ms;
	h.because = *completes;
	return holding_begin(st, &h);
}

/* ---- the verdict ---- */

static bool is_word(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= '0' && s.at[i] <= '9') || s.at[i] == '-'))
			return false;
	return s.len > 0 && s.len <= REASON_MAX;
}

static enum err check_present(const struct state *st, struct span domain, const struct hash *key)
{
	struct party p;
	enum err e = state_party(st, domain, &p);

	if (e == OK && key != NULL && !hash_equal(p.fingerprint, *key))
		e = fail(ERR_KEY, "re: it is evidence for another key than the present one of %.*s",
			 SPAN_FORMAT(domain));
	return e;
}

static enum err check_accepted(const struct state *st, const struct statement *s, const struct matter *m)
{
	const int64_t now = st->logged_ms;
	struct filed f;
	int64_t until_ms = 0;
	enum err e = value_time(s, "until", &until_ms);

	if (e == OK && statement_header(s, "until") == NULL)
		e = fail(ERR_STATEMENT_HEADER, "until: missing beside outcome accepted, to a proof");
	if (e == OK && (until_ms <= now || until_ms > now + UNTIL_MAX_MS))
		e = fail(ERR_STATEMENT_HEADER, "until: after now, and at most 366 days");
	if (e == OK && statement_header(s, "reason") != NULL)
		e = fail(ERR_STATEMENT_HEADER, "reason: only beside outcome objected");
	if (e == OK)
		e = filed_get(st, m->index, &f);
	if (e == OK)
		e = check_present(st, f.about, &f.key);
	if (e == OK && speaks_of_another(f.method))
		e = check_present(st, f.author, NULL);
	return e == OK && f.method == BASIS_MANDATE ? check_government(st, f.author) : e;
}

enum err proof_check_answer(const struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	const struct header *reason = statement_header(s, "reason");

	if (o == OUTCOME_ACCEPTED)
		return check_accepted(st, s, m);
	if (reason == NULL || !is_word(reason->value))
		return fail(ERR_STATEMENT_HEADER,
			    "reason: why, as a code like evidence-revoked, beside outcome objected");
	if (statement_header(s, "until") != NULL)
		return fail(ERR_STATEMENT_HEADER, "until: only beside outcome accepted");
	return OK;
}

/* A holding that is open goes on to the new end; one that is over stays over, and another begins. */
static enum err hold(struct state *st, struct filed *f, const struct addressee *resource)
{
	struct holding h = { .party = f->about,
			     .resource = *resource,
			     .basis = f->method,
			     .from_ms = st->logged_ms,
			     .until_ms = f->until_ms,
			     .because = f->id };
	bool was_open = false;
	enum err e = f->began_before ? holding_extend(st, f->about, resource, f->began, f->until_ms, &was_open) : OK;

	if (e != OK || was_open)
		return e;
	f->begins = true;
	return holding_begin(st, &h);
}

static enum err let_go(struct state *st, struct filed *f, const struct addressee *resource)
{
	bool unused;

	return holding_extend(st, f->about, resource, f->began, st->logged_ms, &unused);
}

static enum err observe(struct state *st, struct filed *f, const struct addressee *resource)
{
	struct state_key k = key_group(f, resource);
	enum err e;

	key_add_u64(&k, f->index);
	e = f->accepted ? put_empty(st, k) : delete_if_there(st, k);
	return e == OK ? weigh_group(st, f, resource, f->accepted ? &f->id : NULL) : e;
}

static enum err accept(struct state *st, struct filed *f)
{
	enum err e;

	f->accepted = true;
	if ((e = put_empty(st, key_ending(f->until_ms, f->index))) != OK)
		return e;
	if (f->method == BASIS_OBSERVED) {
		/* Those of its group are weighed by what is written. */
		e = filed_put(st, f);
		return e == OK ? each_resource(st, f, observe) : e;
	}
	e = each_resource(st, f, hold);
	if (f->begins)
		f->began = st->index;
	f->began_before = true;
	return e;
}

/* It was accepted, and is no longer. */
static enum err give_up(struct state *st, struct filed *f)
{
	f->accepted = false;
	return each_resource(st, f, f->method == BASIS_OBSERVED ? observe : let_go);
}

enum err proof_decide(struct state *st, const struct statement *s, const struct matter *m, enum outcome o)
{
	const struct header *reason = statement_header(s, "reason");
	struct filed f;
	bool was_accepted;
	enum err e = filed_own(st, m->index, &f);

	if (e == OK && !f.judged)
		e = delete_if_there(st, key_index(STATE_UNJUDGED, f.index));
	if (e == OK && f.accepted)
		e = delete_if_there(st, key_ending(f.until_ms, f.index));
	if (e != OK)
		return e;
	was_accepted = f.accepted;
	f.id = m->id;
	f.judged = true;
	f.at_ms = st->logged_ms;
	f.answer = s->id;
	if (o == OUTCOME_ACCEPTED) {
		f.reason = SPAN("");
		e = value_time(s, "until", &f.until_ms);
		if (e == OK)
			e = accept(st, &f);
	} else {
		f.reason = reason->value;
		f.until_ms = st->logged_ms;
		if (was_accepted)
			e = give_up(st, &f);
	}
	return e == OK ? filed_put(st, &f) : e;
}

enum err proof_withdraw(struct state *st, const struct matter *m)
{
	struct filed f;
	enum err e = filed_own(st, m->index, &f);

	if (e == OK && !f.judged)
		e = delete_if_there(st, key_index(STATE_UNJUDGED, f.index));
	if (e != OK || !f.accepted)
		return e;
	f.id = m->id;
	e = delete_if_there(st, key_ending(f.until_ms, f.index));
	f.until_ms = st->logged_ms;
	if (e == OK)
		e = give_up(st, &f);
	return e == OK ? filed_put(st, &f) : e;
}

/* ---- asking ---- */

enum err proof_verdict(const struct state *st, struct hash proof, struct proof_verdict *out)
{
	struct place at;
	struct filed f;
	enum err e = place_get(st, proof, &at);

	if (e == OK && at.kind != KIND_PROOF)
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = filed_find(st, at.index, &f);
	if (e == OK && !f.judged)
		e = ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return fail(e, "the node has given no verdict on that proof");
	if (e == OK)
		*out = (struct proof_verdict){ .accepted = f.accepted,
					       .at_ms = f.at_ms,
					       .until_ms = f.until_ms,
					       .answer = f.answer,
					       .reason = f.reason };
	return e;
}

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

struct walking {
	const struct state *st;
	int64_t before_ms;
	matter_each *each;
	void *context;
};

static enum err show(struct walking *w, uint64_t index)
{
	struct matter m;
	enum err e = matter_get(w->st, LEDGER_PUBLIC, index, &m);

	if (e == OK && (e = w->each(w->context, &m)) == ENOUGH)
		w->each = NULL; /* the caller's own; told apart from ours */
	return e;
}

static enum err show_waiting(void *context, struct span key, struct span value)
{
	struct reader r = reader_of(span_from(key, 1));

	(void)value;
	return show(context, read_u64(&r));
}

static enum err show_ending(void *context, struct span key, struct span value)
{
	struct walking *w = context;
	struct reader r = reader_of(span_from(key, 1));
	int64_t until_ms = (int64_t)read_u64(&r);

	(void)value;
	return until_ms > w->before_ms ? ENOUGH : show(w, read_u64(&r));
}

enum err proofs_waiting(const struct state *st, matter_each *each, void *context)
{
	struct walking w = { st, 0, each, context };
	struct state_key prefix = key_of(STATE_UNJUDGED);

	return view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_waiting, &w);
}

enum err proofs_ending(const struct state *st, int64_t before_ms, matter_each *each, void *context)
{
	struct walking w = { st, before_ms, each, context };
	struct state_key prefix = key_of(STATE_ENDING);
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), show_ending, &w);

	return e == ENOUGH && w.each != NULL ? OK : e;
}
