#include "regime/plans_private.h"

#include <stdlib.h>

#include "regime/mirror.h"
#include "regime/plan_life_private.h"
#include "regime/policy.h"

/*
 * From states to plans that can be asked
 *
 * One walk over the plans that a state keeps, then one over the holdings of each party that filed one. A plan's source
 * gets the times in which its party held it, or a prefix around it, on a basis that the node's own policy takes; so a
 * match needs no state. The holdings of a party are sorted by prefix, and those around a source are found by its first
 * bits, one search for each length that occurs: what one party holds may be much, and so may be what it files.
 *
 * Of a followed node count the plans of parties that are known here by the same key, with the holdings that it knows:
 * as claims do (territory/known_claims.c).
 */

#define SCRATCH_MAX ((size_t)4 << 30)
#define LENGTHS 129

struct held {
	struct prefix prefix;
	struct plan_interval times;
};

struct filer {
	struct span domain;
	bool counts;
	struct plan_entry *sealed, **sealed_end; /* its sealed filings */
	struct held *held;
	size_t held_count, held_room;
	bool lengths[2][LENGTHS]; /* of the prefixes that it holds; IPv4, IPv6 */
	struct filer *next;	  /* of one slot */
};

/* A plan whose sources are looked up when all holdings of its filer are known. */
struct draft {
	struct plan_entry *entry;
	struct filer *filer;
	struct draft *next;
};

#define SLOTS 65536

struct loading {
	const struct state *st;
	const struct state *own; /* NULL: st is our own */
	struct plans *plans;
	struct arena *scratch;
	unsigned bases; /* that suffice */
	struct filer **slots;
	struct filer *filer; /* in hand */
	struct draft *first, **end;
	struct plan_interval *times; /* of one source */
	size_t time_count, time_room;
};

/* ---- who files ---- */

/* A plan of another node's ledger counts if its party is who it is here. */
static enum err known_here(const struct loading *l, struct span domain, bool *yes)
{
	struct party theirs, ours;
	enum err e;

	*yes = true;
	if (l->own == NULL)
		return OK;
	e = state_party(l->st, domain, &theirs);
	if (e == OK)
		e = state_party(l->own, domain, &ours);
	*yes = e == OK && hash_equal(theirs.fingerprint, ours.fingerprint);
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err find_filer(struct loading *l, struct span domain, struct filer **out)
{
	struct filer **slot, *f;
	uint64_t hash = 0;
	const char *copy;
	enum err e;

	for (size_t i = 0; i < domain.len; i++)
		hash = (hash ^ (uint8_t)domain.at[i]) * 0x100000001B3u;
	slot = &l->slots[(hash ^ hash >> 32) % SLOTS];
	for (f = *slot; f != NULL; f = f->next)
		if (span_equal(f->domain, domain)) {
			*out = f;
			return OK;
		}
	if ((f = arena_array(l->scratch, 1, sizeof(*f))) == NULL ||
	    (copy = arena_copy(l->scratch, domain.at, domain.len)) == NULL)
		return ERR_NO_MEMORY;
	f->domain = span_make(copy, domain.len);
	f->sealed_end = &f->sealed;
	f->next = *slot;
	if ((e = known_here(l, domain, &f->counts)) != OK)
		return e;
	*slot = f;
	*out = f;
	return OK;
}

/* ---- plans ---- */

/* The terms' spans end with the snapshot, and nobody looks at them here. */
static void forget_texts(struct plan_terms *t)
{
	t->target_domains = NULL;
	t->markers = NULL;
	t->marker_count = 0;
	t->contact = t->purpose = (struct span){ 0 };
}

static enum err copy_sources(struct arena *a, struct plan_entry *f)
{
	struct plan_source *s = arena_array(a, f->terms.source_count, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < f->terms.source_count; i++)
		s[i].prefix = f->terms.sources[i];
	f->sources = s;
	f->source_count = f->terms.source_count;
	f->terms.sources = NULL;
	f->terms.source_count = 0;
	return OK;
}

static enum err draft_plan(struct loading *l, struct filer *filer, struct plan_entry *f)
{
	struct draft *d;

	if (f->terms.sealed) {
		*filer->sealed_end = f;
		filer->sealed_end = &f->also;
		return OK;
	}
	if ((d = arena_array(l->scratch, 1, sizeof(*d))) == NULL)
		return ERR_NO_MEMORY;
	*d = (struct draft){ f, filer, NULL };
	*l->end = d;
	l->end = &d->next;
	return OK;
}

static enum err reveal_of(const struct state *st, const struct matter *sealed, struct plan_terms *out)
{
	struct matter m;
	enum err e = state_matter(st, sealed->next, &m);

	return e == OK ? plan_terms_get(st, m.index, out) : e;
}

static void until(struct plan_entry *f, int64_t ms)
{
	if (ms != 0 && ms < f->until_ms)
		f->until_ms = ms;
}

enum err plan_entry_read(const struct state *st, struct arena *a, struct span key, struct span value,
			 struct plan_entry *f, struct matter *m)
{
	struct reader r = reader_of(span_from(key, 1));
	struct plan_terms revealed;
	struct plan_life life;
	struct plan_course course;
	enum err e = plan_terms_unpack(a, value, &f->terms);

	if (e == OK)
		e = matter_get(st, LEDGER_PUBLIC, read_u64(&r), m);
	if (e != OK)
		return e;
	if ((e = plan_course_get(st, m->index, &course)) != OK)
		return e;
	f->id = m->id;
	f->paused_ms = course.paused_ms;
	f->resumed_ms = course.resumed_ms;
	f->filed_ms = f->terms.filed_ms != 0 ? f->terms.filed_ms : m->logged_ms;
	f->until_ms = INT64_MAX;
	until(f, m->withdrawn_ms);
	until(f, m->passed_on_ms); /* changed, revealed */
	until(f, m->closed_ms);	   /* m->ended_ms goes when others see it after that */
	if (f->terms.sealed && m->passed_on_ms != 0 && (e = reveal_of(st, m, &revealed)) == OK &&
	    revealed.filed_ms != 0)
		f->until_ms = f->filed_ms; /* the plan that it was counts from then on in its place */
	if (e == OK && f->terms.intrusive && !f->terms.sealed &&
	    (e = plan_life(st, m->id, f->terms.start_ms, &life)) == OK)
		f->lacks_consent = life.needs_consent && !life.has_consent;
	return e;
}

static enum err load_one(void *context, struct span key, struct span value)
{
	struct loading *l = context;
	struct arena *a = plans_arena(l->plans);
	struct plan_entry *f = arena_array(a, 1, sizeof(*f));
	struct filer *filer;
	struct matter m;
	enum err e = f == NULL ? ERR_NO_MEMORY : plan_entry_read(l->st, a, key, value, f, &m);

	if (e == OK)
		e = find_filer(l, m.from, &filer);
	if (e != OK || !filer->counts)
		return e;
	forget_texts(&f->terms);
	if ((e = copy_sources(a, f)) != OK)
		return e;
	return draft_plan(l, filer, f);
}

/* ---- what they held ---- */

static enum err gather_holding(void *context, const struct holding *h)
{
	struct loading *l = context;
	struct filer *f = l->filer;

	if (h->resource.type != TO_PREFIX || (l->bases & BASIS_BIT(h->basis)) == 0 || h->until_ms <= h->from_ms)
		return OK;
	if (f->held_count == f->held_room) {
		size_t room = f->held_room == 0 ? 16 : 2 * f->held_room;
		struct held *bigger =
			arena_resize(l->scratch, f->held, f->held_room * sizeof(*bigger), room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		f->held = bigger;
		f->held_room = room;
	}
	f->held[f->held_count++] = (struct held){ h->resource.prefix, { h->from_ms, h->until_ms } };
	f->lengths[h->resource.prefix.address.family == FAMILY_IPV6][h->resource.prefix.length] = true;
	return OK;
}

static int by_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int order = prefix_compare(x->prefix, y->prefix);

	return order != 0 ? order : (x->times.from_ms > y->times.from_ms) - (x->times.from_ms < y->times.from_ms);
}

static enum err gather_holdings(struct loading *l)
{
	for (size_t i = 0; i < SLOTS; i++)
		for (struct filer *f = l->slots[i]; f != NULL; f = f->next) {
			enum err e;

			if (!f->counts)
				continue;
			l->filer = f;
			if ((e = holdings_walk(l->st, f->domain, gather_holding, l)) != OK)
				return e;
			if (f->held_count > 1)
				qsort(f->held, f->held_count, sizeof(*f->held), by_held);
		}
	return OK;
}

static enum err add_times(struct loading *l, struct plan_interval t)
{
	if (l->time_count == l->time_room) {
		size_t room = l->time_room == 0 ? 64 : 2 * l->time_room;
		struct plan_interval *bigger = realloc(l->times, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		l->times = bigger;
		l->time_room = room;
	}
	l->times[l->time_count++] = t;
	return OK;
}

/* The times of exactly this prefix. */
static enum err add_exact(struct loading *l, const struct filer *f, struct prefix p)
{
	size_t low = 0, n = f->held_count;
	enum err e = OK;

	while (n > 0) {
		size_t half = n / 2;

		if (prefix_compare(f->held[low + half].prefix, p) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (; e == OK && low < f->held_count && prefix_compare(f->held[low].prefix, p) == 0; low++)
		e = add_times(l, f->held[low].times);
	return e;
}

static int by_begin(const void *a, const void *b)
{
	const struct plan_interval *x = a, *y = b;

	return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

/* Sorted, and those that meet made one: few are left, whatever was proven how often. */
static enum err put_times(struct loading *l, struct plan_source *out)
{
	struct plan_interval *t = l->times, *kept;
	size_t n = 0;

	if (l->time_count > 1)
		qsort(t, l->time_count, sizeof(*t), by_begin);
	for (size_t i = 0; i < l->time_count; i++) {
		if (n > 0 && t[i].from_ms <= t[n - 1].until_ms) {
			if (t[i].until_ms > t[n - 1].until_ms)
				t[n - 1].until_ms = t[i].until_ms;
		} else {
			t[n++] = t[i];
		}
	}
	if ((kept = arena_alloc(plans_arena(l->plans), n * sizeof(*kept))) == NULL)
		return ERR_NO_MEMORY;
	if (n > 0)
		memcpy(kept, t, n * sizeof(*kept));
	out->held = kept;
	out->held_count = n;
	return OK;
}

static enum err look_up_source(struct loading *l, const struct filer *f, struct plan_source *s)
{
	const bool *lengths = f->lengths[s->prefix.address.family == FAMILY_IPV6];
	enum err e = OK;

	l->time_count = 0;
	for (unsigned length = 0; e == OK && length <= s->prefix.length; length++)
		if (lengths[length])
			e = add_exact(l, f, prefix_of(s->prefix.address, length));
	return e == OK ? put_times(l, s) : e;
}

static enum err add_drafts(struct loading *l)
{
	for (struct draft *d = l->first; d != NULL; d = d->next) {
		/* copy_sources made them */
		struct plan_source *s = (struct plan_source *)d->entry->sources;
		enum err e = OK;

		for (size_t i = 0; e == OK && i < d->entry->source_count; i++)
			e = look_up_source(l, d->filer, &s[i]);
		if (e != OK)
			return e;
		plans_add(l->plans, d->entry);
	}
	return OK;
}

/* Its sealed filings are about whatever it holds: one entry, under each of these prefixes. */
static enum err add_sealed_of(struct loading *l, struct filer *f)
{
	struct plan_source *sources;
	size_t n = 0;
	enum err e = OK;

	if (f->sealed == NULL)
		return OK;
	if ((sources = arena_array(plans_arena(l->plans), f->held_count, sizeof(*sources))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < f->held_count; i++) {
		if (i > 0 && prefix_compare(f->held[i].prefix, f->held[i - 1].prefix) == 0)
			continue;
		sources[n].prefix = f->held[i].prefix;
		e = look_up_source(l, f, &sources[n++]);
	}
	f->sealed->sources = sources;
	f->sealed->source_count = n;
	if (e == OK)
		plans_add(l->plans, f->sealed);
	return e;
}

static enum err add_sealed(struct loading *l)
{
	enum err e = OK;

	for (size_t i = 0; i < SLOTS; i++)
		for (struct filer *f = l->slots[i]; e == OK && f != NULL; f = f->next)
			e = add_sealed_of(l, f);
	return e;
}

/* ---- a state ---- */

static enum err on_confirmation(void *context, const struct plan_confirmation *c)
{
	return plans_add_confirmation(context, c);
}

static enum err add_state(struct plans *p, const struct state *st, const struct state *own)
{
	struct state_key prefix = key_of(STATE_FILED);
	struct loading l = { .st = st, .own = own, .plans = p };
	enum err e = state_policy(own != NULL ? own : st, POLICY_SOURCES, &l.bases);

	if (own != NULL && (l.bases & BASIS_BIT(BASIS_OPERATOR)) == 0)
		l.bases = 0; /* another node's verdicts are its operator's word */
	l.end = &l.first;
	if (e == OK && ((l.scratch = arena_new(SCRATCH_MAX)) == NULL ||
			(l.slots = arena_array(l.scratch, SLOTS, sizeof(*l.slots))) == NULL))
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), load_one, &l);
	if (e == OK)
		e = gather_holdings(&l);
	if (e == OK)
		e = add_drafts(&l);
	if (e == OK)
		e = add_sealed(&l);
	if (e == OK)
		e = plan_confirmations(st, on_confirmation, p);
	free(l.times);
	arena_free(l.scratch);
	return e;
}

enum err plans_load(const struct state *st, struct plans **out)
{
	return plans_load_known(NULL, st, NULL, NULL, out);
}

/* ---- followed nodes ---- */

struct gathering {
	struct plans *plans;
	const struct state *own;
	plans_left_out *left_out;
	void *context;
};

static enum err add_mirror(void *context, const char *dir, struct span node)
{
	const struct gathering *g = context;
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	if (mirror_forks(dir) > 0)
		return OK; /* nobody knows which of its histories is true */
	e = mirror_open(dir, node, false, &m);
	if (e == OK && (e = mirror_read(m, g->own->arena, &st)) == OK) {
		e = add_state(g->plans, &st, g->own);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	if (e == ERR_NOT_FOUND || e == ERR_BUSY || e == ERR_DAMAGED) {
		if (g->left_out != NULL)
			g->left_out(g->context, node, err_detail());
		e = OK;
	}
	return e;
}

enum err plans_load_known(const char *dir, const struct state *st, plans_left_out *left_out, void *context,
			  struct plans **out)
{
	struct plans *p = NULL;
	struct gathering g = { NULL, st, left_out, context };
	enum err e = plans_new(&p);

	g.plans = p;
	if (e == OK)
		e = add_state(p, st, NULL);
	if (e == OK && dir != NULL)
		e = mirrors_walk(dir, add_mirror, &g);
	if (e == OK)
		e = plans_compile(p);
	if (e == OK)
		*out = p;
	else
		plans_free(p);
	return e;
}
