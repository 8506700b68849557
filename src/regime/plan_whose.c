#include "regime/plans_private.h"

#include "regime/policy.h"

/*
 * Whose is this address?
 *
 * A node that is asked once should not read all plans. The state keeps the sources in the order of their bytes, so the plans
 * that cover an address lie under at most so many prefixes as it has bits: each is looked up, and what lies there is
 * judged as plan_match.c judges. Sealed filings name no source; they lie together, and of those in force it is asked whether
 * their party holds the address.
 */

#define SCRATCH_MAX ((size_t)256 << 20)

struct asking {
	const struct state *st;
	struct state scratch; /* the same with an arena that is emptied after each plan */
	const struct observation *o;
	unsigned bases;
	struct prefix source; /* under which it looks now; of sealed filings the address itself */
	struct plan_whose *out;
	unsigned *ranks; /* of out: the verdict's, then the prefix's */
	int64_t *filed;
	size_t most, count;
};

struct confirming {
	struct plan_entry *entry;
	struct plan_confirmed found;
	const struct observation *o;
};

/* One that helps is enough. */
static enum err on_confirmation(void *context, const struct plan_confirmation *c)
{
	struct confirming *g = context;

	if (g->entry->confirmed_count == 0 && hash_equal(c->plan, g->entry->id) &&
	    prefix_covers(c->source, address_unmapped(g->o->source)) && c->first_ms <= g->o->time_ms &&
	    g->o->time_ms <= c->last_ms) {
		g->found = (struct plan_confirmed){ c->source, c->first_ms, c->last_ms };
		g->entry->confirmed = &g->found;
		g->entry->confirmed_count = 1;
	}
	return OK;
}

static void forget(struct asking *k, size_t at)
{
	size_t behind = --k->count - at;

	memmove(k->out + at, k->out + at + 1, behind * sizeof(*k->out));
	memmove(k->ranks + at, k->ranks + at + 1, behind * sizeof(*k->ranks));
	memmove(k->filed + at, k->filed + at + 1, behind * sizeof(*k->filed));
}

/* A plan that covers the address by several of its sources stands there once. */
static void keep(struct asking *k, const struct plan_entry *f, const struct plan_whose *w)
{
	unsigned rank = plan_match_rank(&w->match) * 256 + (128 - k->source.length);
	size_t at;

	for (size_t i = 0; i < k->count; i++)
		if (hash_equal(k->out[i].match.plan, w->match.plan)) {
			if (k->ranks[i] <= rank)
				return;
			forget(k, i);
		}
	at = k->count;
	while (at > 0 && (rank < k->ranks[at - 1] || (rank == k->ranks[at - 1] && f->filed_ms < k->filed[at - 1])))
		at--;
	if (at == k->most)
		return;
	if (k->count < k->most)
		k->count++;
	memmove(k->out + at + 1, k->out + at, (k->count - at - 1) * sizeof(*k->out));
	memmove(k->ranks + at + 1, k->ranks + at, (k->count - at - 1) * sizeof(*k->ranks));
	memmove(k->filed + at + 1, k->filed + at, (k->count - at - 1) * sizeof(*k->filed));
	k->out[at] = *w;
	k->ranks[at] = rank;
	k->filed[at] = f->filed_ms;
}

/* The plan itself names the address that the packet brought. */
static bool declares(const struct plan_terms *t, struct span uri)
{
	for (size_t i = 0; uri.len > 0 && i < t->marker_count; i++)
		if ((t->markers[i].kind == MARKER_IN_BAND || t->markers[i].kind == MARKER_PROBING) &&
		    span_equal(t->markers[i].value, uri))
			return true;
	return false;
}

static enum err judge(struct asking *k, struct plan_entry *f, const struct matter *m)
{
	struct addressee source = { .type = TO_PREFIX, .prefix = k->source };
	struct observation o = *k->o;
	struct confirming confirming = { .entry = f, .o = &o };
	struct holding by;
	struct plan_whose w = { 0 };
	bool held;
	enum err e = holding_at(&k->scratch, m->from, &source, k->bases, o.time_ms, &held, &by);

	if (e != OK)
		return e;
	if (declares(&f->terms, o.uri))
		o.seen |= SEEN_MARKER;
	plan_entry_prepare(f);
	w.match = plan_entry_match(f, &o, held);
	if (w.match.verdict == PLAN_SPOOFABLE) {
		if ((e = plan_confirmations(&k->scratch, on_confirmation, &confirming)) != OK)
			return e;
		w.match = plan_entry_match(f, &o, held);
	}
	if (w.match.verdict == PLAN_UNDECLARED && w.match.term == NULL)
		return OK;
	w.match.plan = f->id;
	w.party = m->from;
	w.activity = f->terms.sealed ? (struct span){ 0 } : span_of(activity_name(f->terms.activity));
	w.contact = f->terms.contact;
	w.purpose = f->terms.purpose;
	w.start_ms = f->terms.start_ms;
	w.end_ms = plan_terms_last_ms(&f->terms);
	w.proven_by = held ? basis_name(by.basis) : NULL;
	keep(k, f, &w);
	return OK;
}

/* The key ends with the plan's place. */
static enum err on_source(void *context, struct span key, struct span unused)
{
	struct asking *k = context;
	struct reader r = reader_of(span_from(key, key.len - 8));
	struct state_key filed = key_filed(read_u64(&r));
	struct plan_entry f = { 0 };
	struct matter m;
	struct span value;
	enum err e;

	(void)unused;
	arena_reset(k->scratch.arena);
	if ((e = state_get(k->st, &filed, &value)) != OK)
		return e == ERR_NOT_FOUND ? state_damaged("source of a plan") : e;
	if ((e = plan_entry_read(&k->scratch, k->scratch.arena, key_view(&filed), value, &f, &m)) != OK)
		return e;
	return judge(k, &f, &m);
}

static enum err look_under(struct asking *k, struct span prefix)
{
	struct state_key key = key_of(STATE_SOURCE);

	key_add(&key, prefix.at, prefix.len);
	return view_walk(k->st->snapshot, VIEW_STATE, key_view(&key), SPAN(""), on_source, k);
}

static enum err look(struct asking *k, struct address a)
{
	unsigned bits = a.family == FAMILY_IPV4 ? 32 : 128;
	struct buffer b = BUFFER(STATE_KEY_MAX);
	enum err e = OK;

	for (unsigned length = bits + 1; e == OK && length-- > 0;) {
		k->source = prefix_of(a, length);
		buffer_clear(&b);
		pack_prefix(&b, k->source);
		e = b.err != OK ? b.err : look_under(k, buffer_view(&b));
	}
	if (e == OK) {
		k->source = prefix_of(a, bits);
		e = look_under(k, span_make(SOURCE_OF_SEALED, sizeof(SOURCE_OF_SEALED) - 1));
	}
	buffer_free(&b);
	return e;
}

enum err plan_whose(const struct state *st, const struct observation *o, struct plan_whose *out, size_t most,
		    size_t *count)
{
	struct asking k = { .st = st, .scratch = *st, .o = o, .out = out, .most = most };
	enum err e = state_policy(st, POLICY_SOURCES, &k.bases);

	*count = 0;
	k.ranks = arena_array(st->arena, most, sizeof(*k.ranks));
	k.filed = arena_array(st->arena, most, sizeof(*k.filed));
	if (k.ranks == NULL || k.filed == NULL || (k.scratch.arena = arena_new(SCRATCH_MAX)) == NULL)
		return ERR_NO_MEMORY;
	if (e == OK && most > 0)
		e = look(&k, address_unmapped(o->source));
	arena_free(k.scratch.arena);
	*count = k.count;
	return e;
}
