/*
 * How a breach is computed
 *
 * All that was said of one version is read in the order of the ledger: what its maker said, and what others saw. Nothing of
 * it is kept: whoever has the public ledger does the same sums. Time enters once, as the time of the ledger's last entry, for regions that
 * are still waiting.
 *
 * Sightings need two, because one observer may be wrong, or lie. Who they are is asked as of the later sighting, so that what is a breach
 * does not end when a vouch does.
 */
#include <stdlib.h>

#include "regime/kinds_private.h"
#include "regime/release_private.h"
#include "regime/vouch.h"

#define ARENA_MAX ((size_t)256 << 20)

/* All that was said of one maker's version. */
struct group {
	const struct state *st;
	struct span maker;
	struct saying *at;
	size_t count, room;
	bool first_only; /* ends at the maker's first */
};

static enum err take_saying(void *context, struct span key, struct span by)
{
	struct group *g = context;
	struct saying s;
	enum err e;

	if (g->first_only && !span_equal(by, g->maker))
		return OK;
	if ((e = saying_get(g->st, by, key_index(key), &s)) != OK)
		return e == ERR_NOT_FOUND ? state_damaged("place of no release") : e;
	if (g->maker.len == 0 && s.predicate == PREDICATE_RELEASE)
		g->maker = s.maker;
	if (!span_equal(s.maker, g->maker))
		return OK;
	if (g->count == g->room) {
		size_t room = g->room == 0 ? 8 : 2 * g->room;
		struct saying *more = arena_resize(g->st->arena, g->at, g->room * sizeof(*more), room * sizeof(*more));

		if (more == NULL)
			return fail(ERR_NO_MEMORY, "no room for what was said of a release");
		g->at = more;
		g->room = room;
	}
	g->at[g->count++] = s;
	return g->first_only && s.predicate == PREDICATE_RELEASE ? ERR_EXISTS : OK; /* found: the walk ends */
}

/* maker empty: the first. */
static enum err gather(const struct state *st, struct span maker, struct span product, struct span version,
		       struct group *out)
{
	struct state_key k = key_release(product, version);

	*out = (struct group){ .st = st, .maker = maker };
	return view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), take_saying, out);
}

/* ---- lines ---- */

static void copy_lines(const struct saying *s, const struct saying *first, struct release *out)
{
	for (size_t i = 0; i < s->line_count; i++) {
		struct artefact_line l = saying_line(s, i);
		struct region_line *to = &out->lines[out->line_count++];
		bool too_early = s->predicate == PREDICATE_RELEASE && s != first && l.at_ms < s->logged_ms;

		memcpy(to->region, l.region, sizeof(to->region));
		to->hash = l.hash;
		to->available_ms = too_early ? s->logged_ms : l.at_ms;
		to->said_ms = s->logged_ms;
		to->by = s->by;
		to->statement = s->id;
		to->withdrawn = s->withdrawn;
	}
}

/* first: the statement whose times are taken as they are said. */
static enum err make_lines(const struct group *g, const struct saying *first, struct release *out)
{
	size_t total = 0;

	for (size_t i = 0; i < g->count; i++)
		total += g->at[i].line_count;
	out->lines = arena_array(g->st->arena, total, sizeof(*out->lines));
	if (out->lines == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu lines of a release", total);
	for (size_t i = 0; i < g->count; i++)
		if (g->at[i].predicate == PREDICATE_RELEASE)
			copy_lines(&g->at[i], first, out);
	out->maker_count = out->line_count;
	for (size_t i = 0; i < g->count; i++)
		if (g->at[i].predicate == PREDICATE_SEEN)
			copy_lines(&g->at[i], first, out);
	return OK;
}

/* ---- regions ---- */

static int compare_regions(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

static enum err make_promised(const struct group *g, struct release *out)
{
	size_t total = 0, n = 0;

	for (size_t i = 0; i < g->count; i++)
		total += g->at[i].promised_count;
	out->promised = arena_array(g->st->arena, total, sizeof(*out->promised));
	if (out->promised == NULL)
		return fail(ERR_NO_MEMORY, "no room for the regions of a release");
	for (size_t i = 0; i < g->count; i++)
		for (size_t j = 0; !g->at[i].withdrawn && j < g->at[i].promised_count; j++)
			memcpy(out->promised[n++], g->at[i].promised.at + j * PROMISED_SIZE, PROMISED_SIZE);
	if (n > 1)
		qsort(out->promised, n, sizeof(*out->promised), compare_regions);
	for (size_t i = 0; i < n; i++)
		if (out->promised_count == 0 ||
		    compare_regions(out->promised[out->promised_count - 1], out->promised[i]) != 0)
			memmove(out->promised[out->promised_count++], out->promised[i], sizeof(*out->promised));
	return OK;
}

/* By region, then by time. */
static int compare_lines(const void *a, const void *b)
{
	const struct region_line *x = *(struct region_line *const *)a, *y = *(struct region_line *const *)b;
	int c = compare_regions(x->region, y->region);

	return c != 0 ? c : (x->available_ms > y->available_ms) - (x->available_ms < y->available_ms);
}

/* Of each region that the maker gives the earliest line that counts. */
struct earliest {
	struct region_line **at;
	size_t count;
};

static enum err make_earliest(const struct state *st, const struct release *r, struct earliest *out)
{
	size_t n = 0;

	out->count = 0;
	out->at = arena_array(st->arena, r->maker_count, sizeof(*out->at));
	if (out->at == NULL)
		return fail(ERR_NO_MEMORY, "no room for the lines of a release");
	for (size_t i = 0; i < r->maker_count; i++)
		if (!r->lines[i].withdrawn)
			out->at[n++] = &r->lines[i];
	if (n > 1)
		qsort(out->at, n, sizeof(*out->at), compare_lines);
	for (size_t i = 0; i < n; i++)
		if (out->count == 0 || compare_regions(out->at[out->count - 1]->region, out->at[i]->region) != 0)
			out->at[out->count++] = out->at[i];
	return OK;
}

static const struct region_line *earliest_of(const struct earliest *e, const char *region)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare_regions(e->at[middle]->region, region);

		if (c == 0)
			return e->at[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void judge_region(const struct earliest *e, const char region[3], int64_t now_ms, struct release *out)
{
	const struct region_line *own = earliest_of(e, region), *all = earliest_of(e, EVERYWHERE);
	const struct region_line *line = own == NULL ? all : own;
	int64_t until_ms = out->first_ms + RELEASE_GRACE_MS;
	struct left_out *l = &out->left_out[out->left_out_count];
	bool came;

	if (own != NULL && all != NULL && all->available_ms < own->available_ms)
		line = all;
	if ((line != NULL && line->available_ms <= until_ms) || now_ms <= until_ms)
		return;
	came = line != NULL && line->available_ms <= now_ms;
	memcpy(l->region, region, sizeof(l->region));
	l->came_ms = came ? line->available_ms : 0;
	l->lag_ms = (came ? line->available_ms : now_ms) - out->first_ms;
	if (out->lag_ms < l->lag_ms)
		out->lag_ms = l->lag_ms;
	out->left_out_count++;
	out->breaches |= BIT(BREACH_LEFT_OUT);
}

static enum err judge_regions(const struct state *st, int64_t now_ms, struct release *out)
{
	struct earliest first;
	enum err e = make_earliest(st, out, &first);

	out->left_out = arena_array(st->arena, out->promised_count, sizeof(*out->left_out));
	if (e == OK && out->left_out == NULL)
		e = fail(ERR_NO_MEMORY, "no room for the regions of a release");
	if (e != OK || first.count == 0)
		return e;
	out->first_ms = INT64_MAX;
	for (size_t i = 0; i < first.count; i++) {
		int64_t at = first.at[i]->available_ms;

		out->first_ms = at < out->first_ms ? at : out->first_ms;
		out->last_ms = at > out->last_ms ? at : out->last_ms;
	}
	out->lag_ms = out->last_ms - out->first_ms;
	for (size_t i = 0; i < out->promised_count; i++)
		judge_region(&first, out->promised[i], now_ms, out);
	return OK;
}

/* ---- hashes ---- */

static enum err show_lines(const struct state *st, const struct region_line *a, const struct region_line *b,
			   struct release *out)
{
	if (out->broken != NULL)
		return OK;
	out->broken = arena_array(st->arena, 2, sizeof(*out->broken));
	if (out->broken == NULL)
		return fail(ERR_NO_MEMORY, "no room for two lines");
	out->broken[0] = *a;
	out->broken[1] = *b;
	return OK;
}

static enum err judge_own(const struct state *st, struct release *out)
{
	const struct region_line *first = NULL;

	for (size_t i = 0; i < out->maker_count; i++) {
		const struct region_line *l = &out->lines[i];

		if (l->withdrawn)
			continue;
		if (first == NULL)
			first = l;
		if (hash_equal(first->hash, l->hash))
			continue;
		out->breaches |= BIT(BREACH_TWO_HASHES);
		return show_lines(st, first, l, out);
	}
	return OK;
}

static const struct region_line *own_line(const struct release *r, struct hash h)
{
	for (size_t i = 0; i < r->maker_count; i++)
		if (!r->lines[i].withdrawn && hash_equal(r->lines[i].hash, h))
			return &r->lines[i];
	return NULL;
}

static const struct region_line *any_own_line(const struct release *r)
{
	for (size_t i = 0; i < r->maker_count; i++)
		if (!r->lines[i].withdrawn)
			return &r->lines[i];
	return NULL;
}

/* Who saw one hash, each party once, in the order of the ledger. */
struct seers {
	const struct region_line *at[RELEASE_COMPARED];
	size_t count;
};

static void add_seer(struct seers *s, const struct region_line *l)
{
	for (size_t i = 0; i < s->count; i++)
		if (span_equal(s->at[i]->by, l->by))
			return;
	if (s->count < RELEASE_COMPARED)
		s->at[s->count++] = l;
}

static enum err is_established(const struct state *st, struct span party, int64_t at_ms, bool *yes)
{
	struct sponsorship s;
	enum err e = sponsorship_of(st, party, at_ms, &s);

	*yes = e == OK && s.established;
	return e;
}

/* Whether those two count, when the later of them said it. */
static enum err count_together(const struct state *st, const struct region_line *a, const struct region_line *b,
			       bool *yes)
{
	int64_t at_ms = a->said_ms > b->said_ms ? a->said_ms : b->said_ms;
	bool related = true;
	enum err e = is_established(st, a->by, at_ms, yes);

	if (e == OK && *yes)
		e = is_established(st, b->by, at_ms, yes);
	if (e == OK && *yes)
		e = vouch_related(st, a->by, b->by, at_ms, &related);
	*yes = *yes && !related;
	return e;
}

static enum err seen_by_two(const struct state *st, const struct region_line *a, const struct region_line *b,
			    struct release *out)
{
	out->breaches |= BIT(BREACH_TWO_HASHES_SEEN);
	out->seconded = arena_array(st->arena, 1, sizeof(*out->seconded));
	if (out->seconded == NULL)
		return fail(ERR_NO_MEMORY, "no room for a line");
	*out->seconded = *b;
	return show_lines(st, any_own_line(out), a, out);
}

static enum err judge_seers(const struct state *st, const struct seers *s, struct release *out)
{
	for (size_t j = 1; j < s->count; j++)
		for (size_t i = 0; i < j; i++) {
			bool yes = false;
			enum err e = count_together(st, s->at[i], s->at[j], &yes);

			if (e != OK)
				return e;
			if (yes)
				return seen_by_two(st, s->at[i], s->at[j], out);
		}
	return OK;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct region_line *x = *(struct region_line *const *)a, *y = *(struct region_line *const *)b;
	int c = hash_compare(x->hash, y->hash);

	return c != 0 ? c : (x > y) - (x < y);
}

static enum err judge_seen(const struct group *g, struct release *out)
{
	const struct state *st = g->st;
	size_t seen = out->line_count - out->maker_count, n = 0;
	const struct region_line **others = arena_array(st->arena, seen, sizeof(*others));
	enum err e = OK;

	if (others == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu sightings", seen);
	for (size_t i = out->maker_count; i < out->line_count; i++)
		if (!out->lines[i].withdrawn && own_line(out, out->lines[i].hash) == NULL)
			others[n++] = &out->lines[i];
	if (n > 1)
		qsort(others, n, sizeof(*others), compare_hashes);
	for (size_t i = 0; e == OK && i < n && (out->breaches & BIT(BREACH_TWO_HASHES_SEEN)) == 0;) {
		struct seers s = { .count = 0 };
		size_t begin = i;

		for (; i < n && hash_equal(others[begin]->hash, others[i]->hash); i++)
			add_seer(&s, others[i]);
		e = judge_seers(st, &s, out);
	}
	return e;
}

/* ---- a release ---- */

/* The maker's first statement that was not withdrawn, else its first. */
static const struct saying *leading(const struct group *g)
{
	const struct saying *first = NULL;

	for (size_t i = 0; i < g->count; i++) {
		if (g->at[i].predicate != PREDICATE_RELEASE)
			continue;
		if (!g->at[i].withdrawn)
			return &g->at[i];
		if (first == NULL)
			first = &g->at[i];
	}
	return first;
}

static enum release_breach first_breach(unsigned breaches)
{
	static const enum release_breach order[] = { BREACH_TWO_HASHES, BREACH_TWO_HASHES_SEEN, BREACH_LEFT_OUT };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if ((breaches & BIT(order[i])) != 0)
			return order[i];
	return BREACH_NONE;
}

static enum err judge(const struct group *g, int64_t now_ms, struct release *out)
{
	enum err e = judge_regions(g->st, now_ms, out);

	if (e == OK && !out->withdrawn)
		e = judge_own(g->st, out);
	if (e == OK && !out->withdrawn)
		e = judge_seen(g, out);
	out->breach = first_breach(out->breaches);
	return e;
}

static enum err make(const struct group *g, struct release *out)
{
	const struct saying *first = leading(g);
	int64_t now_ms;
	enum err e;

	if (first == NULL)
		return fail(ERR_NOT_FOUND, "no such release in the ledger");
	*out = (struct release){
		.id = first->id,
		.maker = first->by,
		.product = first->product,
		.version = first->version,
		.logged_ms = first->logged_ms,
		.demonstration = first->demonstration,
	};
	for (size_t i = 0; i < g->count; i++)
		if (g->at[i].predicate == PREDICATE_RELEASE) {
			out->statements++;
			out->taken_back += g->at[i].withdrawn;
		}
	out->withdrawn = out->statements == out->taken_back;
	if ((e = state_last(g->st, &now_ms)) == OK)
		e = make_lines(g, first, out);
	if (e == OK)
		e = make_promised(g, out);
	return e == OK ? judge(g, now_ms, out) : e;
}

enum err state_release(const struct state *st, struct span maker, struct span product, struct span version,
		       struct release *out)
{
	struct group g;
	enum err e = gather(st, maker, product, version, &g);

	return e == OK ? make(&g, out) : e;
}

/* ---- several ---- */

/* With an arena of its own, which each release begins anew. */
struct giving {
	struct state st;
	release_each *each;
	void *context;
};

static enum err is_first(const struct state *st, const struct saying *s, bool *yes)
{
	struct state_key k = key_release(s->product, s->version);
	struct group g = { .st = st, .maker = s->maker, .first_only = true };
	enum err e = view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), take_saying, &g);

	*yes = e == ERR_EXISTS && g.at[g.count - 1].index == s->index;
	return e == ERR_EXISTS ? OK : e;
}

static enum err give(struct giving *g, const struct saying *s)
{
	struct release r;
	bool first = false;
	enum err e = OK;

	arena_reset(g->st.arena);
	if (s->predicate == PREDICATE_RELEASE)
		e = is_first(&g->st, s, &first);
	if (e != OK || !first)
		return e;
	arena_reset(g->st.arena);
	e = state_release(&g->st, s->maker, s->product, s->version, &r);
	return e == OK ? g->each(g->context, &r) : e;
}

static enum err giving_begin(const struct state *st, release_each *each, void *context, struct giving *out)
{
	*out = (struct giving){ *st, each, context };
	out->st.arena = arena_new(ARENA_MAX);
	return out->st.arena == NULL ? fail(ERR_NO_MEMORY, "no room for releases") : OK;
}

static enum err on_said(void *context, struct span key, struct span value)
{
	struct giving *g = context;
	struct span by = span_make(key.at + 2, key.len - 2 - 1 - 8);
	struct saying s;
	enum err e = saying_unpack(by, key_index(key), value, &s);

	return e == OK ? give(g, &s) : e;
}

enum err state_releases(const struct state *st, struct span maker, release_each *each, void *context)
{
	struct state_key k = key_said(maker);
	struct giving g;
	enum err e = giving_begin(st, each, context, &g);

	if (e == OK)
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), on_said, &g);
	arena_free(g.st.arena);
	return e;
}

static enum err on_product(void *context, struct span key, struct span by)
{
	struct giving *g = context;
	struct saying s;
	enum err e = saying_get(&g->st, by, key_index(key), &s);

	if (e == ERR_NOT_FOUND)
		return state_damaged("place of no release");
	return e == OK ? give(g, &s) : e;
}

enum err releases_of(const struct state *st, struct span product, struct span version, release_each *each,
		     void *context)
{
	struct state_key k = version.len > 0 ? key_release(product, version) : key_product(product);
	struct giving g;
	enum err e = giving_begin(st, each, context, &g);

	if (e == OK)
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), on_product, &g);
	arena_free(g.st.arena);
	return e;
}
