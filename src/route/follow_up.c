#include "route/follow_up.h"

#include <sodium.h>

#include "ledger/entry.h"
#include "regime/outbox.h"
#include "regime/policy.h"
#include "regime/words.h"
#include "route/evidence.h"

/*
 * Who is next
 *
 * For an address there is a chain: whoever holds its most specific prefix, then wider ones; whoever holds its AS; the AS itself;
 * the party of the country that the AS is registered in, else the address; the country itself, if no party claimed it. A matter goes up
 * this chain and never down: next is the first above all who had it already. Who had it is read from the notices before it, by
 * `re`, so it comes back to nobody; a chain of notices has at most DEPTH of them, whatever claims and answers change on the way.
 *
 * Deciding reads a state that does not change while it is read; only then are notices written. So what is to be done is gathered
 * first, bounded by `most`, and checked again by the door when it is added.
 */

#define DEPTH 8
#define HAD_MAX ((DEPTH + 1) * 16 + 2)
#define LEVELS_MAX 64
#define EVIDENCE_MAX ((size_t)4 << 30)
#define ARENA ((size_t)1 << 30)

#define ENOUGH ERR_EXISTS /* ends a walk; never leaves this file */

static enum err copied(struct arena *a, struct addressee *to)
{
	const char *copy = to->type == TO_PARTY ? arena_copy(a, to->domain.at, to->domain.len) : "";

	if (copy == NULL)
		return ERR_NO_MEMORY;
	if (to->type == TO_PARTY)
		to->domain = span_make(copy, to->domain.len);
	return OK;
}

/* ---- who had it ---- */

struct had {
	struct addressee at[HAD_MAX];
	size_t count;
};

static void add_had(struct had *h, const struct matter *m)
{
	struct addressee to;

	for (unsigned i = 0; h->count < HAD_MAX && i < m->to_count && matter_addressee(m, i, &to); i++)
		h->at[h->count++] = to;
}

static bool had_it(const struct had *h, const struct addressee *to)
{
	for (size_t i = 0; i < h->count; i++)
		if (addressee_equal(&h->at[i], to))
			return true;
	return false;
}

/* The notice, those before it, and the one that took it further already. *deep: it went on too often. */
static enum err gather_had(const struct state *st, const struct matter *m, struct had *h, bool *deep)
{
	struct matter at = *m, next;
	unsigned depth = 0;
	enum err e = OK;

	*deep = false;
	h->at[h->count++] = (struct addressee){ .type = TO_PARTY, .domain = st->node };
	h->at[h->count++] = (struct addressee){ .type = TO_PARTY, .domain = m->from };
	add_had(h, m);
	if (m->passed_on_ms != 0 && (e = state_matter(st, m->next, &next)) == OK)
		add_had(h, &next);
	while (e == OK && at.has_before && !*deep) {
		e = state_matter(st, at.before, &at);
		if (e == OK)
			add_had(h, &at);
		*deep = ++depth >= DEPTH;
	}
	return e == ERR_MATTER_UNKNOWN ? OK : e;
}

/* ---- the chain ---- */

struct level {
	struct addressee to;
	unsigned rank; /* of its rule, then of its prefix: the smaller comes first */
	bool said;     /* by an operator; what is proven comes before it */
	int64_t from_ms;
	bool passed_over; /* a party that does not take the class */
};

struct chain {
	struct prefix whole; /* the address by itself */
	uint32_t asn;
	char country[3];
	struct level at[LEVELS_MAX];
	size_t count;
	bool as_claimed, country_claimed;
};

static bool above(const struct level *a, const struct level *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->said != b->said ? b->said : a->from_ms < b->from_ms;
}

/* In its place; a chain that is full keeps its beginning. */
static void add_level(struct chain *c, const struct level *l)
{
	size_t i = c->count < LEVELS_MAX ? c->count++ : LEVELS_MAX - 1;

	for (; i > 0 && above(l, &c->at[i - 1]); i--)
		c->at[i] = c->at[i - 1];
	c->at[i] = *l;
}

enum { RANK_PREFIX = 0, RANK_AS = 200, RANK_HOLDER, RANK_COUNTRY_PARTY, RANK_COUNTRY };

static enum err add_holder(void *context, const struct holding *h)
{
	struct chain *c = context;
	struct addressee to = { .type = TO_PARTY, .domain = h->party };

	struct level l = { .to = to, .from_ms = h->from_ms };

	l.said = h->basis != BASIS_RSC && h->basis != BASIS_DNSSEC;
	if (h->resource.type == TO_PREFIX)
		l.rank = RANK_PREFIX + 128u - h->resource.prefix.length;
	else
		l.rank = h->resource.type == TO_AS ? RANK_AS : RANK_COUNTRY_PARTY;
	add_level(c, &l);
	return OK;
}

/* Who holds a prefix around the address, its AS, its country. */
static enum err add_holders(const struct state *st, struct chain *c)
{
	const int64_t now = clock_now_ms();
	struct addressee prefix = { .type = TO_PREFIX, .prefix = c->whole }, as = { .type = TO_AS, .asn = c->asn },
			 country = { .type = TO_COUNTRY };
	enum err e = policy_holders(st, POLICY_DIVERT, &prefix, now, add_holder, c);

	memcpy(country.country, c->country, sizeof(country.country));
	if (e == OK && c->asn != 0)
		e = policy_holders(st, POLICY_DIVERT, &as, now, add_holder, c);
	if (e == OK && c->country[0] != '\0')
		e = policy_holders(st, POLICY_COUNTRY, &country, now, add_holder, c);
	return e;
}

/* Parties that do not take the class are passed over; where no party takes it for the country, the country itself is next. */
static enum err pass_over(const struct state *st, enum rsit_class class, struct chain *c)
{
	enum err e = OK;

	c->country_claimed = false;
	for (size_t i = 0; e == OK && i < c->count; i++) {
		struct level *l = &c->at[i];
		bool may = true;

		if (l->to.type == TO_PARTY)
			e = codes_may_flow(st, st->node, l->to.domain, class, INT64_MAX, &may);
		l->passed_over = !may;
		c->country_claimed |= l->rank == RANK_COUNTRY_PARTY && may;
	}
	return e;
}

static struct prefix whole_of(struct address a)
{
	return prefix_of(a, a.family == FAMILY_IPV4 ? 32 : 128);
}

static enum err make_chain(const struct state *st, struct arena *a, const struct resolver *r, struct address address,
			   enum rsit_class class, struct chain *c)
{
	struct answer answer;
	enum err e = resolver_explain(r, a, address, &answer);

	if (e != OK)
		return e;
	*c = (struct chain){ .whole = whole_of(answer.looked_up), .asn = answer.record.asn };
	memcpy(c->country, answer.record.as_country[0] != '\0' ? answer.record.as_country : answer.record.country,
	       sizeof(c->country));
	if ((e = add_holders(st, c)) != OK || (e = pass_over(st, class, c)) != OK)
		return e;
	if (c->asn != 0)
		add_level(c, &(struct level){ .to = { .type = TO_AS, .asn = c->asn }, .rank = RANK_HOLDER });
	if (c->country[0] != '\0' && !c->country_claimed) {
		struct level country = { .to = { .type = TO_COUNTRY }, .rank = RANK_COUNTRY };

		memcpy(country.to.country, c->country, sizeof(country.to.country));
		add_level(c, &country);
	}
	return OK;
}

/* Rivals of one level had a copy, but were not asked: they come before the next level. */
static const struct addressee *next_level(const struct chain *c, const struct had *h)
{
	size_t reached = 0;

	for (size_t i = 0; i < c->count; i++)
		if (had_it(h, &c->at[i].to))
			reached = i;
	for (size_t i = reached; i < c->count; i++)
		if (!c->at[i].passed_over && !had_it(h, &c->at[i].to))
			return &c->at[i].to;
	return NULL;
}

/* ---- the evidence ---- */

struct looking {
	const struct resolver *r;
	struct address address;
	bool found;
};

static enum err look_at_row(void *context, const struct evidence_row *row)
{
	struct looking *l = context;

	if (row->event.source.family == 0 || resolver_find(l->r, row->event.source) == 0)
		return OK;
	l->address = row->event.source;
	l->found = true;
	return ENOUGH;
}

/* *out.found false: no address, or no evidence any more. */
static enum err first_address(struct node *n, struct arena *a, const struct matter *m, struct looking *out)
{
	const uint8_t *salt;
	struct span payload, summary;
	enum err e;

	if (!m->has_body || !span_is(m->body.media_type, EVIDENCE_TYPE))
		return OK;
	if ((e = node_body(n, a, m->body.hash, &salt, &payload)) != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = evidence_read(a, payload, EVIDENCE_MAX, &summary, look_at_row, out);
	return e == ENOUGH || !err_is_machine(e) ? OK : e;
}

enum err follow_up_whom(struct node *n, const struct state *st, struct arena *a, const struct resolver *r,
			const struct matter *m, enum follow_up reason, const struct addressee *better,
			struct addressee *out, bool *found)
{
	struct had *h = arena_alloc(a, sizeof(*h));
	struct chain *c = arena_alloc(a, sizeof(*c));
	struct looking l = { .r = r };
	const struct addressee *next = NULL;
	bool deep = false, may = true;
	enum err e;

	*found = false;
	if (h == NULL || c == NULL)
		return ERR_NO_MEMORY;
	h->count = 0;
	if ((e = gather_had(st, m, h, &deep)) != OK || deep)
		return e;
	if (better != NULL && better->type == TO_PARTY &&
	    (e = codes_may_flow(st, st->node, better->domain, m->class, INT64_MAX, &may)) != OK)
		return e;
	if (reason == FOLLOW_NOT_OURS && better != NULL && may && !had_it(h, better)) {
		next = better;
	} else {
		e = first_address(n, a, m, &l);
		if (e == OK && l.found && (e = make_chain(st, a, r, l.address, m->class, c)) == OK)
			next = next_level(c, h);
	}
	if (e != OK || next == NULL)
		return e;
	*out = *next;
	*found = true;
	return copied(a, out);
}

enum err follow_up_country(struct node *n, const struct state *st, struct arena *a, const struct resolver *r,
			   const struct matter *m, struct addressee *out, bool *found)
{
	struct chain *c = arena_alloc(a, sizeof(*c));
	struct looking l = { .r = r };
	enum err e;

	*found = false;
	if (c == NULL)
		return ERR_NO_MEMORY;
	if ((e = first_address(n, a, m, &l)) != OK || !l.found ||
	    (e = make_chain(st, a, r, l.address, m->class, c)) != OK)
		return e;
	for (size_t i = 0; !*found && i < c->count; i++)
		if (c->at[i].rank == RANK_COUNTRY_PARTY && !c->at[i].passed_over) {
			*out = c->at[i].to;
			*found = true;
		}
	return *found ? copied(a, out) : OK;
}

/* ---- the notice ---- */

/* What it says of the evidence it says again. */
static bool is_repeated(struct span name)
{
	static const char *const names[] = { "class", "tlp",  "events",	  "explained", "repeats",      "again",
					     "first", "last", "priority", "table",     "demonstration" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

static enum err original(struct node *n, struct arena *a, const struct matter *m, struct statement *out)
{
	struct span text;
	struct entry entry;
	enum err e = node_entry(n, a, m->ledger, m->index, &text);

	if (e == OK)
		e = entry_parse(text, &entry);
	return e == OK ? statement_parse(a, entry.note, out) : e;
}

static void write_notice(struct node *n, const struct statement *s, const struct matter *m, enum follow_up reason,
			 const struct addressee *to, const struct body_reference *body, struct statement_writer *w)
{
	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(w, to);
	statement_add_time(w, "date", clock_now_ms());
	statement_add_hash(w, "re", m->id);
	statement_add(w, "reason", span_of(follow_up_name(reason)));
	for (size_t i = 0; i < s->header_count; i++) {
		char name[64];

		if (!is_repeated(s->headers[i].name) || s->headers[i].name.len >= sizeof(name))
			continue;
		memcpy(name, s->headers[i].name.at, s->headers[i].name.len);
		name[s->headers[i].name.len] = '\0';
		statement_add(w, name, s->headers[i].value);
	}
	statement_add_body(w, body);
}

enum err follow_up_add(struct node *n, struct arena *a, const struct matter *m, enum follow_up reason,
		       const struct addressee *to, struct appended *out)
{
	struct statement_writer w = { 0 };
	uint8_t salt[SEAL_SALT_SIZE];
	char matter[HASH_HEX + 1];
	struct body_reference body;
	struct statement s;
	const uint8_t *old_salt;
	struct span payload;
	enum err e;

	if (!m->has_body)
		return fail(ERR_NOT_FOUND, "the notice has no body");
	if ((e = node_body(n, a, m->body.hash, &old_salt, &payload)) != OK || (e = original(n, a, m, &s)) != OK)
		return e;
	randombytes_buf(salt, sizeof(salt));
	hash_hex(m->id, matter);
	body = (struct body_reference){ .media_type = s.body.media_type, .size = payload.len, .sealed = true };
	body.hash = seal_commitment(node_name(n), span_of(matter), body.media_type, salt, payload);
	write_notice(n, &s, m, reason, to, &body, &w);
	e = w.err != OK ? w.err : node_add_own(n, &w, out);
	if (e == OK)
		e = node_add_body(n, &body, salt, &payload, 1);
	statement_writer_free(&w);
	return e;
}

/* ---- a round ---- */

struct one {
	struct hash id;
	enum follow_up reason;
	bool has_better;
	struct addressee better;
	struct one *next;
};

struct round {
	const struct state *state;
	struct arena *arena;
	struct follow_up_mark *mark;
	struct one *first, **end;
	size_t count, most;
};

static enum err gather(struct round *r, const struct matter *m, enum follow_up reason, const struct addressee *better)
{
	struct one *o;

	if (r->count == r->most)
		return ENOUGH;
	if ((o = arena_alloc(r->arena, sizeof(*o))) == NULL)
		return ERR_NO_MEMORY;
	*o = (struct one){ .id = m->id, .reason = reason, .has_better = better != NULL };
	if (better != NULL) {
		o->better = *better;
		if (copied(r->arena, &o->better) != OK)
			return ERR_NO_MEMORY;
	}
	*r->end = o;
	r->end = &o->next;
	r->count++;
	return OK;
}

static enum err gather_due(void *context, const struct matter *m)
{
	struct round *r = context;
	enum err e = gather(r, m, FOLLOW_OVERDUE, NULL);

	if (e == OK) {
		r->mark->due_ms = m->due_ms;
		r->mark->due_index = m->index;
	}
	return e;
}

static enum err gather_not_ours(void *context, const struct matter *m, const struct addressee *better)
{
	struct round *r = context;
	enum err e = gather(r, m, FOLLOW_NOT_OURS, better);

	if (e == OK) {
		r->mark->said_ms = m->moved_ms;
		r->mark->said_index = m->index;
	}
	return e;
}

/* Of a notice filed here whose own addressee no contact reaches, and that is still open. */
static enum err is_lost(const struct state *st, const struct outbox_item *i, struct matter *m, bool *yes)
{
	struct addressee to;
	enum err e = hash_equal(i->id, i->matter) ? state_matter(st, i->id, m) : ERR_MATTER_UNKNOWN;

	*yes = false;
	if (e != OK)
		return e == ERR_MATTER_UNKNOWN ? OK : e;
	if (m->kind != KIND_NOTICE || m->ended || m->answered_ms != 0 || m->passed_on_ms != 0 ||
	    !span_equal(m->home, st->node))
		return OK;
	for (unsigned n = 0; n < m->to_count && matter_addressee(m, n, &to); n++) {
		struct party p;

		*yes |= addressee_equal(&to, &i->key.to);
		if (to.type == TO_PARTY && i->key.to.type == TO_PARTY && state_party(st, to.domain, &p) == OK)
			*yes |= span_equal(p.home, i->key.to.domain); /* its node does not answer */
	}
	return OK;
}

static enum err gather_lost(void *context, const struct outbox_item *i)
{
	struct round *r = context;
	struct matter m;
	bool yes;
	enum err e = is_lost(r->state, i, &m, &yes);

	if (e == OK && yes)
		e = gather(r, &m, FOLLOW_UNDELIVERABLE, NULL);
	if (e == OK) {
		r->mark->undeliverable_ms = i->done_ms;
		r->mark->undeliverable_index = i->key.index;
	}
	return e;
}

static enum err gather_all(const struct state *st, int64_t now_ms, struct round *r)
{
	struct follow_up_mark from = *r->mark;
	enum err e;

	r->state = st;
	e = state_not_ours(st, from.said_ms, from.said_index, gather_not_ours, r);
	if (e == OK)
		e = outbox_undeliverable(st, from.undeliverable_ms, from.undeliverable_index, gather_lost, r);
	if (e == OK)
		e = state_due_after(st, from.due_ms, from.due_index, now_ms, gather_due, r);
	return e == ENOUGH ? OK : e;
}

static enum err any_matter(void *context, const struct matter *m)
{
	(void)m;
	*(bool *)context = true;
	return ENOUGH;
}

static enum err any_not_ours(void *context, const struct matter *m, const struct addressee *better)
{
	(void)better;
	return any_matter(context, m);
}

static enum err any_lost(void *context, const struct outbox_item *i)
{
	(void)i;
	*(bool *)context = true;
	return ENOUGH;
}

enum err follow_up_is_due(const struct state *st, int64_t now_ms, const struct follow_up_mark *mark, bool *yes)
{
	enum err e;

	*yes = false;
	e = state_not_ours(st, mark->said_ms, mark->said_index, any_not_ours, yes);
	if (e == OK)
		e = outbox_undeliverable(st, mark->undeliverable_ms, mark->undeliverable_index, any_lost, yes);
	if (e == OK)
		e = state_due_after(st, mark->due_ms, mark->due_index, now_ms, any_matter, yes);
	return e == ENOUGH ? OK : e;
}

static void count_one(struct follow_up_result *out, enum follow_up reason)
{
	out->overdue += reason == FOLLOW_OVERDUE;
	out->not_ours += reason == FOLLOW_NOT_OURS;
	out->undeliverable += reason == FOLLOW_UNDELIVERABLE;
}

/* Two in one round may be of one matter, and the door then refuses the second: that is the same as not finding it here. */
static enum err do_one(struct node *n, const struct resolver *r, struct arena *a, const struct one *o,
		       follow_up_each *each, void *context, struct follow_up_result *out)
{
	const struct state *st = node_batch_state(n);
	struct matter m;
	struct addressee to;
	struct appended done;
	bool found = false;
	enum err e = state_matter(st, o->id, &m);

	if (e != OK)
		return e;
	if ((e = copied(a, &m.to)) != OK)
		return e;
	if ((e = follow_up_whom(n, st, a, r, &m, o->reason, o->has_better ? &o->better : NULL, &to, &found)) != OK)
		return e;
	if (found) {
		e = follow_up_add(n, a, &m, o->reason, &to, &done);
		if (e == ERR_OUTCOME)
			return OK;
		if (err_is_machine(e) || e == ERR_DAMAGED)
			return e;
		found = e == OK; /* erased, or nothing that may go there */
	}
	if (found)
		count_one(out, o->reason);
	else
		out->nowhere++;
	if (each == NULL || (e = state_matter(node_batch_state(n), o->id, &m)) != OK)
		return each == NULL ? OK : e;
	return each(context, &m, o->reason, found ? &to : NULL, found ? &done : NULL);
}

enum err follow_up_add_due(struct node *n, const struct resolver *r, int64_t now_ms, size_t most,
			   struct follow_up_mark *mark, follow_up_each *each, void *context,
			   struct follow_up_result *out)
{
	struct follow_up_mark fresh = { 0 };
	struct round round = { .mark = mark != NULL ? mark : &fresh, .most = most };
	struct arena *work = arena_new(ARENA);
	enum err e = work != NULL && (round.arena = arena_new(ARENA)) != NULL ? OK : ERR_NO_MEMORY;

	round.end = &round.first;
	if (e == OK)
		e = gather_all(node_batch_state(n), now_ms, &round);
	for (const struct one *o = round.first; e == OK && o != NULL; o = o->next) {
		e = do_one(n, r, work, o, each, context, out);
		arena_reset(work);
	}
	out->more = round.count == most;
	arena_free(round.arena);
	arena_free(work);
	return e;
}

enum err follow_up_due(struct node *n, const struct resolver *r, int64_t now_ms, size_t most,
		       struct follow_up_mark *mark, follow_up_each *each, void *context, struct follow_up_result *out)
{
	struct follow_up_mark before = mark != NULL ? *mark : (struct follow_up_mark){ 0 };
	struct follow_up_result sum = *out;
	enum err e = node_begin(n);

	if (e != OK)
		return e;
	if ((e = follow_up_add_due(n, r, now_ms, most, mark, each, context, &sum)) != OK)
		node_abandon(n);
	else
		e = node_commit(n);
	if (e == OK)
		*out = sum;
	else if (mark != NULL)
		*mark = before;
	return e;
}
