/*
 * Who is established
 *
 * The parties that matter to a question are the one asked about, those who vouch for it, those who vouch for them, and so on: they
 * are read once, by their vouches that are in force (load). Over them two things are computed.
 *
 *	1. Who could be established at most: who holds something, and who is vouched for by two such, however related. Only vouches
 *	   of these relate their subjects. This does not depend on who is related, so it is known before 2.
 *	2. Who is established: who holds something, and who is vouched for by two such who are not related. Since relations are
 *	   fixed, more sponsors never make less of anybody, and there is a smallest set that obeys it. It is found from those who
 *	   hold something outwards, so a ring finds nobody to begin with.
 *
 * 2 goes in the order of how long each lasts: a party lasts as long as the shorter-lived of the best two sponsors, a sponsor as
 * long as itself and its vouch. Whoever lasts longest is settled first, as with shortest paths, so each party is settled once and
 * for its longest time. That relations lapse too is left out: so the time is a lower bound.
 *
 * Whether two sponsors have a parent in common is asked for pairs, and no way is known to answer that for all pairs in less than
 * their number. So these steps are counted, and where they end the pair counts as related.
 *
 * All is in the order of the ledger, so every node gets the same.
 */
#include <stdlib.h>

#include "regime/holding.h"
#include "regime/kinds_private.h"
#include "regime/party_keys.h"

#define GRAPH_ARENA ((size_t)64 << 20)
#define NONE UINT32_MAX

struct member {
	struct span name;
	uint32_t first_in, in_count; /* vouches for it, by author */
	uint32_t first_out, out_count;
	uint32_t sponsors;	/* chain of edges whose authors were found to be established, the newest first */
	unsigned able;		/* vouches by those that could be established */
	int64_t holds_until_ms; /* 0: it holds nothing */
	int64_t ends_ms;	/* established until then; 0: it is not */
	int64_t sponsored_ms;	/* sponsored until then; 0: it is not */
	uint32_t pair[2];	/* the edges that make it so */
	bool could;
};

struct edge {
	uint32_t author, subject;
	uint32_t next; /* in the chain of the subject's sponsors */
	int64_t from_ms, until_ms;
	bool mutual; /* each vouches for the other: neither counts */
};

struct graph {
	const struct state *st;
	struct arena *arena;
	int64_t at_ms;
	const struct recovery *recovery; /* of member 0 */
	struct member *members;
	size_t member_count, member_room;
	struct edge *edges;
	size_t edge_count, edge_room;
	uint32_t *out; /* edges by author */
	uint32_t *table;
	size_t table_size;
	size_t looked, compared;
	bool cut;
};

static enum err room_for(struct graph *g, void **list, size_t *room, size_t count, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : 16;
	void *bigger;

	if (count < *room)
		return OK;
	if ((bigger = arena_resize(g->arena, *list, *room * size, more * size)) == NULL)
		return ERR_NO_MEMORY;
	*list = bigger;
	*room = more;
	return OK;
}

/* ---- members by name ---- */

static size_t slot_of(const struct graph *g, struct span name)
{
	uint64_t h = UINT64_C(14695981039346656037);
	size_t i;

	for (size_t k = 0; k < name.len; k++)
		h = (h ^ (uint8_t)name.at[k]) * UINT64_C(1099511628211);
	h ^= h >> 29;
	for (i = (size_t)h & (g->table_size - 1);
	     g->table[i] != NONE && !span_equal(g->members[g->table[i]].name, name); i = (i + 1) & (g->table_size - 1))
		;
	return i;
}

static enum err grow_table(struct graph *g)
{
	size_t size = g->table_size > 0 ? 2 * g->table_size : 64;
	uint32_t *table;

	if (g->member_count < g->table_size / 2)
		return OK;
	if ((table = arena_alloc(g->arena, size * sizeof(*table))) == NULL)
		return ERR_NO_MEMORY;
	memset(table, 0xff, size * sizeof(*table));
	g->table = table;
	g->table_size = size;
	for (size_t i = 0; i < g->member_count; i++)
		table[slot_of(g, g->members[i].name)] = (uint32_t)i;
	return OK;
}

static enum err member_of(struct graph *g, struct span name, uint32_t *out)
{
	void *members = g->members;
	const char *copy;
	size_t slot;
	enum err e = grow_table(g);

	if (e != OK)
		return e;
	slot = slot_of(g, name);
	if ((*out = g->table[slot]) != NONE)
		return OK;
	e = room_for(g, &members, &g->member_room, g->member_count, sizeof(*g->members));
	g->members = members;
	if (e == OK && (copy = arena_copy(g->arena, name.at, name.len)) == NULL)
		e = ERR_NO_MEMORY;
	if (e != OK)
		return e;
	g->table[slot] = *out = (uint32_t)g->member_count;
	g->members[g->member_count++] = (struct member){ .name = span_make(copy, name.len), .sponsors = NONE };
	return OK;
}

/* ---- what is in force ---- */

struct keys {
	const struct graph *g;
	struct hash wanted;
	int64_t line_ms; /* of the key at that time; INT64_MIN: none */
	bool counts, revoked;
};

static enum err see_present(void *context, const struct key_record *r)
{
	struct keys *k = context;

	if (r->key.from_ms <= k->g->at_ms && k->g->at_ms < r->key.until_ms)
		k->line_ms = r->line_ms;
	return OK;
}

static enum err see_wanted(void *context, const struct key_record *r)
{
	struct keys *k = context;

	if (hash_equal(r->key.fingerprint, k->wanted)) {
		k->counts = r->line_ms == k->line_ms;
		k->revoked = r->key.revoked && r->key.until_ms <= k->g->at_ms;
	}
	return OK;
}

struct loading {
	struct graph *g;
	struct keys keys; /* of whom the vouches are for */
	uint32_t subject;
};

static enum err counts(const struct loading *l, const struct vouch *v, struct hash signed_by, bool *yes)
{
	const struct graph *g = l->g;
	const struct recovery *r = l->subject == 0 ? g->recovery : NULL;
	struct keys subject = l->keys, author = { .g = g, .wanted = signed_by, .line_ms = INT64_MIN };
	enum err e;

	*yes = v->from_ms <= g->at_ms && g->at_ms < v->until_ms;
	if (!*yes)
		return OK;
	if (r != NULL) {
		*yes = v->recovery && v->withdrawn_ms == 0 && v->from_ms > r->after_ms &&
		       hash_equal(v->vouched_key, r->fingerprint);
	} else {
		subject.wanted = v->vouched_key;
		e = keys_walk(g->st, v->to, see_wanted, &subject);
		*yes = subject.counts;
		if (e != OK)
			return e;
	}
	e = *yes ? keys_walk(g->st, v->from, see_wanted, &author) : OK;
	*yes = *yes && !author.revoked;
	return e;
}

#define CUT ERR_EXISTS /* ends a walk; never leaves this file */

static enum err load_one(void *context, struct span key, struct span value)
{
	struct loading *l = context;
	struct graph *g = l->g;
	void *edges = g->edges;
	struct hash signed_by;
	struct vouch v;
	uint32_t author;
	bool yes = false;
	enum err e = vouch_unpack(g->st, key, value, &v, &signed_by);

	if (e == OK && g->looked++ >= VOUCHES_LOOKED)
		return CUT;
	if (e == OK)
		e = counts(l, &v, signed_by, &yes);
	if (e != OK || !yes)
		return e;
	e = member_of(g, v.from, &author);
	if (e == OK)
		e = room_for(g, &edges, &g->edge_room, g->edge_count, sizeof(*g->edges));
	g->edges = edges;
	if (e == OK)
		g->edges[g->edge_count++] = (struct edge){ .author = author,
							   .subject = l->subject,
							   .next = NONE,
							   .from_ms = v.from_ms,
							   .until_ms = v.until_ms };
	return e;
}

static int by_author(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->author < y->author ? -1 : x->author > y->author;
}

/* An author's vouches for one subject are one: since the first of them, as long as the longest. */
static void join(struct graph *g, struct member *m)
{
	struct edge *list = g->edges + m->first_in;
	size_t n = g->edge_count - m->first_in, kept = 0;

	if (n > 1)
		qsort(list, n, sizeof(*list), by_author);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || list[kept - 1].author != list[i].author) {
			list[kept++] = list[i];
			continue;
		}
		if (list[i].until_ms > list[kept - 1].until_ms)
			list[kept - 1].until_ms = list[i].until_ms;
		if (list[i].from_ms < list[kept - 1].from_ms)
			list[kept - 1].from_ms = list[i].from_ms;
	}
	m->in_count = (uint32_t)kept;
	g->edge_count = m->first_in + kept;
}

static enum err see_holding(void *context, const struct holding *h)
{
	int64_t *until_ms = context;

	if (h->until_ms > *until_ms)
		*until_ms = h->until_ms;
	return OK;
}

/* An OpenPGP key anybody makes, and an observation is what two parties say: with these whoever has two names could make more, and
 * with two of them take the key of any party. */
#define ESTABLISHES (~(BASIS_BIT(BASIS_OPENPGP) | BASIS_BIT(BASIS_OBSERVED)))

static enum err load_holdings(struct graph *g, struct member *m)
{
	return holdings_of(g->st, m->name, ESTABLISHES, g->at_ms, see_holding, &m->holds_until_ms);
}

/* Who is gone sponsors nobody. */
static enum err load_member(struct graph *g, uint32_t i)
{
	struct loading l = { g, { .g = g, .line_ms = INT64_MIN }, i };
	struct span name = g->members[i].name;
	struct state_key k = key_vouches_for(name);
	struct party p;
	enum err e = party_get(g->st, name, &p);

	g->members[i].first_in = (uint32_t)g->edge_count;
	if (e == ERR_PARTY_UNKNOWN)
		return OK;
	if (e == OK && p.withdrawn && (i != 0 || g->recovery == NULL))
		return OK;
	if (e == OK)
		e = load_holdings(g, &g->members[i]);
	if (e == OK)
		e = keys_walk(g->st, name, see_present, &l.keys);
	if (e == OK)
		e = view_walk(g->st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), load_one, &l);
	join(g, &g->members[i]);
	return e;
}

static bool find_in(const struct graph *g, const struct member *m, uint32_t author, uint32_t *edge)
{
	uint32_t low = m->first_in, high = m->first_in + m->in_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (g->edges[middle].author < author)
			low = middle + 1;
		else
			high = middle;
	}
	*edge = low;
	return low < m->first_in + m->in_count && g->edges[low].author == author;
}

static enum err index_authors(struct graph *g)
{
	uint32_t at = 0;

	if ((g->out = arena_array(g->arena, g->edge_count + 1, sizeof(*g->out))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < g->edge_count; i++)
		g->members[g->edges[i].author].out_count++;
	for (size_t i = 0; i < g->member_count; i++) {
		g->members[i].first_out = at;
		at += g->members[i].out_count;
		g->members[i].out_count = 0;
	}
	for (uint32_t i = 0; i < g->edge_count; i++) {
		struct edge *x = &g->edges[i];
		struct member *author = &g->members[x->author];
		uint32_t back;

		g->out[author->first_out + author->out_count++] = i;
		x->mutual = find_in(g, author, x->subject, &back);
	}
	return OK;
}

static enum err load(struct graph *g)
{
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < g->member_count; i++)
		e = load_member(g, i);
	if (e == CUT) {
		g->cut = true;
		return OK;
	}
	return e == OK ? index_authors(g) : e;
}

/* ---- 1. who could be ---- */

static enum err find_able(struct graph *g)
{
	uint32_t *queue = arena_array(g->arena, g->member_count + 1, sizeof(*queue));
	size_t head = 0, tail = 0;

	if (queue == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < g->member_count; i++)
		if (g->members[i].holds_until_ms != 0) {
			g->members[i].could = true;
			queue[tail++] = i;
		}
	while (head < tail) {
		const struct member *m = &g->members[queue[head++]];

		for (uint32_t k = 0; k < m->out_count; k++) {
			const struct edge *x = &g->edges[g->out[m->first_out + k]];
			struct member *subject = &g->members[x->subject];

			if (x->mutual || ++subject->able < SPONSORS_LEAST || subject->could)
				continue;
			subject->could = true;
			queue[tail++] = x->subject;
		}
	}
	return OK;
}

/* ---- relations ---- */

static bool vouches(struct graph *g, uint32_t author, uint32_t subject)
{
	uint32_t edge;

	g->compared++;
	return g->members[author].could && find_in(g, &g->members[subject], author, &edge);
}

static bool related(struct graph *g, uint32_t a, uint32_t b)
{
	const struct member *few = &g->members[a];

	if (g->members[b].in_count < few->in_count) {
		few = &g->members[b];
		b = a;
		a = (uint32_t)(few - g->members);
	}
	if (g->compared >= VOUCHES_COMPARED) {
		g->cut = true;
		return true;
	}
	if (a == b || vouches(g, a, b) || vouches(g, b, a))
		return true;
	for (uint32_t i = 0; i < few->in_count; i++) {
		if (g->compared >= VOUCHES_COMPARED) {
			g->cut = true;
			return true;
		}
		if (vouches(g, g->edges[few->first_in + i].author, b))
			return true;
	}
	return false;
}

/* ---- 2. who is ---- */

/* What is to be settled: that a member is established, or that an established author's vouch counts. */
struct event {
	int64_t ends_ms;
	bool is_edge;
	uint32_t which;
};

struct heap {
	struct event *at;
	size_t count;
};

static bool before(const struct event *a, const struct event *b)
{
	if (a->ends_ms != b->ends_ms)
		return a->ends_ms > b->ends_ms;
	if (a->is_edge != b->is_edge)
		return b->is_edge;
	return a->which < b->which;
}

static void heap_add(struct heap *h, struct event x)
{
	size_t i = h->count++;

	while (i > 0 && before(&x, &h->at[(i - 1) / 2])) {
		h->at[i] = h->at[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->at[i] = x;
}

static struct event heap_take(struct heap *h)
{
	struct event first = h->at[0], last = h->at[--h->count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->count && before(&h->at[child + 1], &h->at[child]))
			child++;
		if (child >= h->count || !before(&h->at[child], &last))
			break;
		h->at[i] = h->at[child];
		i = child;
	}
	if (h->count > 0)
		h->at[i] = last;
	return first;
}

static void settle_member(struct graph *g, struct heap *h, const struct event *x)
{
	struct member *m = &g->members[x->which];

	if (m->ends_ms != 0)
		return;
	m->ends_ms = x->ends_ms;
	if (g->recovery != NULL && x->which == 0)
		return; /* whoever has its key gives nobody anything */
	for (uint32_t k = 0; k < m->out_count; k++) {
		uint32_t edge = g->out[m->first_out + k];
		int64_t until_ms = g->edges[edge].until_ms;

		if (!g->edges[edge].mutual)
			heap_add(h, (struct event){ until_ms < m->ends_ms ? until_ms : m->ends_ms, true, edge });
	}
}

static void settle_edge(struct graph *g, struct heap *h, const struct event *x)
{
	struct edge *own = &g->edges[x->which];
	struct member *m = &g->members[own->subject];

	for (uint32_t other = m->sponsors; other != NONE && m->sponsored_ms == 0 && !g->cut;
	     other = g->edges[other].next) {
		if (related(g, own->author, g->edges[other].author))
			continue;
		m->sponsored_ms = x->ends_ms;
		m->pair[0] = other;
		m->pair[1] = x->which;
		heap_add(h, (struct event){ x->ends_ms, false, own->subject });
	}
	own->next = m->sponsors;
	m->sponsors = x->which;
}

/* Each edge comes once, each member at most twice: for what it holds and for its sponsors. */
static enum err establish(struct graph *g)
{
	struct heap h = { arena_array(g->arena, g->edge_count + 2 * g->member_count + 1, sizeof(*h.at)), 0 };

	if (h.at == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < g->member_count; i++)
		if (g->members[i].holds_until_ms != 0)
			heap_add(&h, (struct event){ g->members[i].holds_until_ms, false, i });
	while (h.count > 0) {
		struct event x = heap_take(&h);

		if (x.is_edge)
			settle_edge(g, &h, &x);
		else
			settle_member(g, &h, &x);
	}
	return OK;
}

/* ---- what is asked ---- */

static bool is_sponsor(const struct graph *g, uint32_t edge)
{
	return !g->edges[edge].mutual && g->members[g->edges[edge].author].ends_ms != 0 &&
	       (g->recovery == NULL || g->edges[edge].author != 0);
}

static bool fits(struct graph *g, const uint32_t *chosen, unsigned count, uint32_t edge)
{
	for (unsigned i = 0; i < count; i++)
		if (related(g, g->edges[chosen[i]].author, g->edges[edge].author))
			return false;
	return true;
}

/* The pair that was found, and all others that are related to none that was taken. */
static enum err count_sponsors(struct graph *g, unsigned *out)
{
	const struct member *m = &g->members[0];
	uint32_t *chosen = arena_array(g->arena, m->in_count + 2, sizeof(*chosen));

	*out = 0;
	if (chosen == NULL)
		return ERR_NO_MEMORY;
	if (m->sponsored_ms != 0) {
		chosen[(*out)++] = m->pair[0];
		chosen[(*out)++] = m->pair[1];
	}
	for (uint32_t i = m->first_in; i < m->first_in + m->in_count; i++)
		if (is_sponsor(g, i) && fits(g, chosen, *out, i))
			chosen[(*out)++] = i;
	return OK;
}

static int by_time(const void *a, const void *b)
{
	const struct edge *x = *(const struct edge *const *)a, *y = *(const struct edge *const *)b;

	if (x->from_ms != y->from_ms)
		return x->from_ms < y->from_ms ? -1 : 1;
	return by_author(x, y);
}

/* Since when there is a pair that is not related. */
static enum err find_complete(struct graph *g, int64_t *out)
{
	const struct member *m = &g->members[0];
	const struct edge **list = arena_array(g->arena, m->in_count + 1, sizeof(const struct edge *));
	size_t count = 0;

	*out = INT64_MAX;
	if (list == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = m->first_in; m->sponsored_ms != 0 && i < m->first_in + m->in_count; i++)
		if (is_sponsor(g, i))
			list[count++] = &g->edges[i];
	if (count > 1)
		qsort(list, count, sizeof(*list), by_time);
	for (size_t i = 1; i < count && !g->cut; i++)
		for (size_t k = 0; k < i; k++)
			if (!related(g, list[i]->author, list[k]->author)) {
				*out = list[i]->from_ms;
				return OK;
			}
	return OK;
}

static enum err answer(struct graph *g, struct sponsorship *out, int64_t *complete_ms)
{
	const struct member *m = &g->members[0];
	enum err e = find_able(g);

	if (e == OK)
		e = establish(g);
	out->sponsored = m->sponsored_ms != 0;
	out->ends_ms = m->sponsored_ms;
	out->established = m->ends_ms != 0;
	if (e == OK)
		e = count_sponsors(g, &out->sponsors);
	return e == OK ? find_complete(g, complete_ms) : e;
}

static enum err begin(const struct state *st, int64_t at_ms, struct graph *g)
{
	*g = (struct graph){ .st = st, .at_ms = at_ms, .arena = arena_new(GRAPH_ARENA) };
	return g->arena != NULL ? OK : ERR_NO_MEMORY;
}

enum err sponsorship_by(const struct state *st, struct span party, const struct recovery *recovery, int64_t at_ms,
			struct sponsorship *out, int64_t *complete_ms)
{
	struct graph g;
	uint32_t self;
	enum err e = begin(st, at_ms, &g);

	*out = (struct sponsorship){ 0 };
	*complete_ms = INT64_MAX;
	g.recovery = recovery;
	if (e == OK)
		e = member_of(&g, party, &self);
	if (e == OK)
		e = load(&g);
	if (e == OK) {
		out->vouches = g.members[0].in_count;
		out->established = g.members[0].holds_until_ms != 0;
	}
	if (e == OK && !g.cut)
		e = answer(&g, out, complete_ms);
	out->cut = g.cut;
	arena_free(g.arena);
	return e;
}

enum err sponsorship_of(const struct state *st, struct span party, int64_t at_ms, struct sponsorship *out)
{
	int64_t complete_ms;

	return sponsorship_by(st, party, NULL, at_ms, out, &complete_ms);
}

enum err vouch_related(const struct state *st, struct span a, struct span b, int64_t at_ms, bool *out)
{
	struct graph g;
	uint32_t x, y;
	enum err e = begin(st, at_ms, &g);

	*out = true;
	if (e == OK)
		e = member_of(&g, a, &x);
	if (e == OK)
		e = member_of(&g, b, &y);
	if (e == OK)
		e = load(&g);
	if (e == OK && !g.cut && (e = find_able(&g)) == OK)
		*out = related(&g, x, y);
	arena_free(g.arena);
	return e;
}
