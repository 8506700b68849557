#include "regime/plan.h"

#include <stdlib.h>

#include "regime/plan_terms.h"

/*
 * Matching what is seen against what was filed
 *
 * Millions of events are asked for a second and nearly none has a source that anybody declared, so the common answer
 * must cost next to nothing.
 *
 *   1. All source prefixes, each once, nest or are apart. A sweep in order of address cuts each family into stretches
 *	that lie in the same innermost prefix; a binary search over their first addresses finds it, and `parent` leads
 *	from there to the wider ones. So the walk is most specific first, and sees exactly the prefixes that cover the
 *	source.
 *   2. Before the search stands a bitmap over the first 16 bits of an IPv4 address: no bit, no plan. IPv6 has two: the
 *	first 16 bits of prefixes shorter than /32, and a hash of the first 32 bits of the others. A set bit may be wrong,
 *	a clear one never is.
 *   3. A prefix lists its plans in the order in which they were filed.
 *   4. Targets and exclusions are sorted lists without nested prefixes: one binary search each.
 *
 * Verdicts of single plans: outside its window, or no longer in force, a plan says nothing. Filed after the event it can
 * only be late. An excluded target is a breach at once. Otherwise the first explanation counts, else the first breach,
 * else the first late one.
 */

#define NONE UINT32_MAX
#define ARENA_MAX ((size_t)1 << 30)
#define BITMAP_WORDS 1024 /* of 64 bits: one for each value of 16 bits */

struct set {
	struct prefix *list; /* sorted, none inside another */
	size_t count;
};

struct filed {
	struct hash id;
	int64_t logged_ms, start_ms, end_ms;
	int64_t until_ms; /* withdrawn or closed: not in force from here on */
	bool any_target;
	struct set targets, excludes;
	struct prefix *sources;
	size_t source_count;
	struct filed *next;
};

struct source {
	struct prefix prefix;
	uint32_t parent, first, count; /* first and count: its part of `plans_of` */
};

struct wide {
	uint64_t high, low;
};

struct plans {
	struct arena *arena;
	struct filed *first, **end;
	const struct filed **filed; /* in the order of filing */
	size_t count;
	struct source *sources;
	size_t source_count;
	uint32_t *plans_of;
	uint32_t *start4, *owner4; /* owner: the innermost source from there on, or NONE */
	struct wide *start6;
	uint32_t *owner6;
	size_t count4, count6;
	uint64_t bits4[BITMAP_WORDS], bits6_short[BITMAP_WORDS], bits6_long[BITMAP_WORDS];
};

static void set_bit(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool get_bit(const uint64_t *bits, unsigned i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static unsigned hash_of_32(uint64_t high)
{
	return (unsigned)(((high >> 32) * 0x9E3779B97F4A7C15u) >> 48);
}

/* An IPv4 address that a log wrote as ::ffff:192.0.2.1 is the IPv4 address. */
static struct address folded(struct address a)
{
	if (a.family == FAMILY_IPV6 && a.high == 0 && a.low >> 32 == 0xffff)
		return address_ipv4((uint32_t)a.low);
	return a;
}

/* ---- loading ---- */

static int by_prefix(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *)a, *(const struct prefix *)b);
}

/* Sorts in place and drops what lies inside another. */
static struct set make_set(struct prefix *list, size_t count)
{
	size_t n = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), by_prefix);
	for (size_t i = 0; i < count; i++)
		if (n == 0 || !prefix_contains(list[n - 1], list[i]))
			list[n++] = list[i];
	return (struct set){ list, n };
}

struct loading {
	const struct state *st;
	struct plans *plans;
};

static enum err load_one(void *context, struct span key, struct span value)
{
	const struct loading *l = context;
	struct plans *p = l->plans;
	struct filed *f = arena_array(p->arena, 1, sizeof(*f));
	struct reader r = reader_of(span_from(key, 1));
	struct plan_terms t;
	struct matter m;
	enum err e = f == NULL ? ERR_NO_MEMORY : plan_terms_unpack(p->arena, value, &t);

	if (e == OK)
		e = matter_get(l->st, LEDGER_PUBLIC, read_u64(&r), &m);
	if (e != OK)
		return e;
	f->id = m.id;
	f->logged_ms = m.logged_ms;
	f->start_ms = t.start_ms;
	f->end_ms = t.end_ms;
	f->until_ms = INT64_MAX;
	if (m.withdrawn)
		f->until_ms = m.withdrawn_ms;
	if (m.ended && m.ended_ms < f->until_ms)
		f->until_ms = m.ended_ms;
	f->any_target = t.any_target;
	f->targets = make_set(t.targets, t.target_count);
	f->excludes = make_set(t.excludes, t.exclude_count);
	f->sources = t.sources;
	f->source_count = t.source_count;
	*p->end = f;
	p->end = &f->next;
	p->count++;
	return OK;
}

struct pair {
	struct prefix prefix;
	uint32_t plan;
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = prefix_compare(x->prefix, y->prefix);

	return order != 0 ? order : (x->plan > y->plan) - (x->plan < y->plan);
}

/* One source for each distinct prefix, sorted, with its plans. */
static enum err make_sources(struct plans *p)
{
	size_t total = 0, n = 0;
	struct pair *pairs;

	for (const struct filed *f = p->first; f != NULL; f = f->next)
		total += f->source_count;
	pairs = malloc((total + 1) * sizeof(*pairs));
	p->sources = arena_array(p->arena, total, sizeof(*p->sources));
	p->plans_of = arena_array(p->arena, total, sizeof(*p->plans_of));
	p->filed = arena_array(p->arena, p->count, sizeof(*p->filed));
	if (pairs == NULL || p->sources == NULL || p->plans_of == NULL || p->filed == NULL || total >= NONE) {
		free(pairs);
		return ERR_NO_MEMORY;
	}
	total = 0;
	for (const struct filed *f = p->first; f != NULL; f = f->next) {
		p->filed[n] = f;
		for (size_t i = 0; i < f->source_count; i++)
			pairs[total++] = (struct pair){ f->sources[i], (uint32_t)n };
		n++;
	}
	if (total > 1)
		qsort(pairs, total, sizeof(*pairs), by_pair);
	for (size_t i = 0; i < total; i++) {
		struct source *last = p->source_count > 0 ? &p->sources[p->source_count - 1] : NULL;

		if (last == NULL || prefix_compare(last->prefix, pairs[i].prefix) != 0) {
			last = &p->sources[p->source_count++];
			*last = (struct source){ .prefix = pairs[i].prefix, .first = (uint32_t)i };
		}
		p->plans_of[i] = pairs[i].plan;
		last->count++;
	}
	free(pairs);
	return OK;
}

static void begin_stretch(struct plans *p, struct address a, uint32_t owner)
{
	if (a.family == FAMILY_IPV4) {
		uint32_t at = (uint32_t)a.low;

		if (p->count4 == 0 || p->start4[p->count4 - 1] != at)
			p->start4[p->count4++] = at;
		p->owner4[p->count4 - 1] = owner;
	} else {
		struct wide at = { a.high, a.low }, *last = p->count6 > 0 ? &p->start6[p->count6 - 1] : NULL;

		if (last == NULL || last->high != at.high || last->low != at.low)
			p->start6[p->count6++] = at;
		p->owner6[p->count6 - 1] = owner;
	}
}

/* Behind the innermost open prefix its parent goes on. */
static uint32_t end_stretch(struct plans *p, uint32_t inner)
{
	struct address behind = prefix_last(p->sources[inner].prefix);
	uint32_t parent = p->sources[inner].parent;

	if (address_next(&behind))
		begin_stretch(p, behind, parent);
	return parent;
}

static enum err sweep(struct plans *p)
{
	size_t most = 2 * p->source_count;
	uint32_t open = NONE;

	p->start4 = arena_array(p->arena, most, sizeof(*p->start4));
	p->owner4 = arena_array(p->arena, most, sizeof(*p->owner4));
	p->start6 = arena_array(p->arena, most, sizeof(*p->start6));
	p->owner6 = arena_array(p->arena, most, sizeof(*p->owner6));
	if (p->start4 == NULL || p->owner4 == NULL || p->start6 == NULL || p->owner6 == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < p->source_count; i++) {
		struct prefix mine = p->sources[i].prefix;

		while (open != NONE && !prefix_contains(p->sources[open].prefix, mine))
			open = end_stretch(p, open);
		p->sources[i].parent = open;
		begin_stretch(p, prefix_first(mine), i);
		open = i;
	}
	while (open != NONE)
		open = end_stretch(p, open);
	return OK;
}

static void mark_bits(struct plans *p)
{
	for (size_t i = 0; i < p->source_count; i++) {
		struct prefix s = p->sources[i].prefix;
		struct address first = prefix_first(s), last = prefix_last(s);

		if (first.family == FAMILY_IPV4)
			for (uint64_t b = first.low >> 16; b <= last.low >> 16; b++)
				set_bit(p->bits4, (unsigned)b);
		else if (s.length < 32)
			for (uint64_t b = first.high >> 48; b <= last.high >> 48; b++)
				set_bit(p->bits6_short, (unsigned)b);
		else
			set_bit(p->bits6_long, hash_of_32(first.high));
	}
}

enum err plans_load(const struct state *st, struct plans **out)
{
	struct state_key prefix = key_of(STATE_FILED);
	struct plans *p = calloc(1, sizeof(*p));
	struct loading l = { st, p };
	enum err e = ERR_NO_MEMORY;

	if (p != NULL && (p->arena = arena_new(ARENA_MAX)) != NULL) {
		p->end = &p->first;
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&prefix), SPAN(""), load_one, &l);
	}
	if (e == OK)
		e = make_sources(p);
	if (e == OK)
		e = sweep(p);
	if (e != OK) {
		plans_free(p);
		return e;
	}
	mark_bits(p);
	*out = p;
	return OK;
}

void plans_free(struct plans *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p);
}

size_t plans_count(const struct plans *p)
{
	return p->count;
}

/* ---- asking ---- */

static uint32_t find4(const struct plans *p, uint32_t at)
{
	size_t low = 0, n = p->count4;

	while (n > 1) {
		size_t half = n / 2;

		if (p->start4[low + half] <= at)
			low += half;
		n -= half;
	}
	return p->start4[low] <= at ? p->owner4[low] : NONE;
}

static bool starts_before(struct wide w, struct address a)
{
	return w.high != a.high ? w.high < a.high : w.low <= a.low;
}

static uint32_t find6(const struct plans *p, struct address a)
{
	size_t low = 0, n = p->count6;

	while (n > 1) {
		size_t half = n / 2;

		if (starts_before(p->start6[low + half], a))
			low += half;
		n -= half;
	}
	return starts_before(p->start6[low], a) ? p->owner6[low] : NONE;
}

static uint32_t innermost(const struct plans *p, struct address a)
{
	if (a.family == FAMILY_IPV4)
		return p->count4 > 0 && get_bit(p->bits4, (unsigned)(a.low >> 16)) ? find4(p, (uint32_t)a.low) : NONE;
	if (p->count6 > 0 &&
	    (get_bit(p->bits6_short, (unsigned)(a.high >> 48)) || get_bit(p->bits6_long, hash_of_32(a.high))))
		return find6(p, a);
	return NONE;
}

static bool set_covers(const struct set *s, struct address a)
{
	size_t low = 0, n = s->count;

	while (n > 1) {
		size_t half = n / 2;

		if (address_compare(s->list[low + half].address, a) <= 0)
			low += half;
		n -= half;
	}
	return s->count > 0 && prefix_covers(s->list[low], a);
}

/* In the order of what counts. */
enum finding { EXCLUDED, EXPLAINED, ELSEWHERE, LATE, TARGET_UNKNOWN, SILENT, FINDING_COUNT = SILENT };

static const struct {
	enum plan_verdict verdict;
	const char *term;
} meanings[FINDING_COUNT] = {
	[EXCLUDED] = { PLAN_BREACH, "exclusion" },
	[EXPLAINED] = { PLAN_EXPLAINED, NULL },
	[ELSEWHERE] = { PLAN_BREACH, "target" },
	[LATE] = { PLAN_LATE, "filed" },
	[TARGET_UNKNOWN] = { PLAN_UNDECLARED, "target-unknown" },
};

static enum finding judge(const struct filed *f, const struct observation *o, struct address target)
{
	bool late = o->time_ms < f->logged_ms;
	bool excluded = o->has_target && set_covers(&f->excludes, target);
	bool declared = f->any_target || (o->has_target && set_covers(&f->targets, target));

	if (o->time_ms < f->start_ms - PLAN_SKEW_MS || o->time_ms > f->end_ms + PLAN_SKEW_MS)
		return SILENT;
	if (late)
		return declared && !excluded ? LATE : SILENT;
	if (o->time_ms >= f->until_ms)
		return SILENT;
	if (excluded)
		return EXCLUDED;
	if (declared)
		return EXPLAINED;
	return o->has_target ? ELSEWHERE : TARGET_UNKNOWN;
}

struct plan_match plans_match(const struct plans *p, const struct observation *o)
{
	struct plan_match match = { .verdict = PLAN_UNDECLARED };
	uint32_t at = innermost(p, folded(o->source));
	const struct filed *best_plan = NULL;
	enum finding best = SILENT;

	if (at == NONE)
		return match;
	for (struct address target = folded(o->target); at != NONE; at = p->sources[at].parent) {
		const struct source *s = &p->sources[at];

		for (uint32_t i = 0; i < s->count; i++) {
			const struct filed *f = p->filed[p->plans_of[s->first + i]];
			enum finding found = judge(f, o, target);

			if (found < best) {
				best = found;
				best_plan = f;
			}
		}
	}
	if (best == SILENT)
		return match;
	match.verdict = meanings[best].verdict;
	match.term = meanings[best].term;
	if (match.verdict != PLAN_UNDECLARED)
		match.plan = best_plan->id;
	return match;
}
