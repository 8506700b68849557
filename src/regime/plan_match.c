#include "regime/plans_private.h"

#include <stdlib.h>

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
 *   2. Before the search stands a bitmap over the first 16 bits of an IPv4 address: no bit, no plan. Behind it a table
 *	says between which stretches the search goes for these 16 bits. IPv6 has two bitmaps: the first 16 bits of
 *	prefixes shorter than /32, and a hash of the first 32 bits of the others. A set bit may be wrong, a clear one
 *	never is.
 *   3. A prefix lists its plans in the order in which they were filed, each with the times in which its party held the
 *	prefix. The sealed filings of a party are one in this list, for whoever holds much and seals much would fill it.
 *	With 100,000 plans nearly all the time goes in waiting for memory. So one line of the cache has what decides most
 *	questions about one plan, and says which of its other terms must be read at all.
 *   4. Targets and exclusions are sorted lists without nested prefixes: one binary search each.
 *
 * Verdicts of single plans: outside its windows, or no longer in force, a plan says nothing. Filed after the event it can
 * only be late. Without a proof it can only be expired: so nobody breaks or explains in the name of another's addresses.
 * Late and expired are said of what fits in all else. An excluded target is a breach at once. Otherwise the best counts, in
 * the order of enum finding.
 *
 * What is not known of an event breaks no term. A plan whose targets are numbers, countries or names needs them looked up
 * to fit; until then its target is unknown.
 */

#define NONE UINT32_MAX
#define ARENA_MAX ((size_t)4 << 30)
#define SLICES 65536 /* of the first 16 bits */
#define BITMAP_WORDS (SLICES / 64)
#define ICMP 1
#define TCP 6
#define UDP 17
#define ICMP_V6 58
#define OF_NONE_KNOWN 255 /* a transport that is none of tcp, udp and icmp, and that is all that is known of it */

/* Which terms a plan has beyond what `struct listed` says of it. */
#define HAS_WINDOWS 1u /* more than one */
#define HAS_SEALS 2u   /* it is the sealed filings of a party, which are judged by themselves */
#define HAS_EXCLUDES 4u
#define HAS_ANY_TARGET 8u
#define HAS_PORT 16u  /* one range, here */
#define HAS_PORTS 32u /* several */
#define HAS_TRANSPORTS 64u
#define HAS_ICMP 128u /* of these transports, so that the usual ones need no look at the list */
#define HAS_TCP 256u
#define HAS_UDP 512u
#define HAS_NO_CONSENT 1024u
#define HAS_FAR_TARGETS 2048u /* numbers, countries, names */
#define HAS_CONFIRMED 4096u
#define HAS_PAUSES 8192u

/* A plan under one of its prefixes: a line of the cache. */
#define LINE 64
struct listed {
	int64_t open_ms, shut_ms; /* outside it says nothing */
	int64_t filed_ms;
	union {
		struct plan_interval one; /* if it is one */
		const struct plan_interval *several;
	} held;
	uint32_t held_count;
	struct port_range port;
	uint16_t has;
	uint32_t number;
	const struct plan_entry *plan;
};
_Static_assert(sizeof(struct listed) == LINE, "a line of the cache each");

struct source {
	uint32_t parent, first, count; /* first and count: its part of `listed` */
};

/* Where a stretch begins, and the innermost source from there on, or NONE. */
struct stretch4 {
	uint32_t start, owner;
};

struct wide {
	uint64_t high, low;
};

struct said {
	struct hash plan;
	struct plan_confirmed what;
};

struct plans {
	struct arena *arena;
	struct plan_entry *first, **end;
	struct plan_entry **entries; /* in the order of filing */
	struct hash *ids;	     /* of these */
	size_t count, statements;
	struct said *said;
	size_t said_count, said_room;
	struct source *sources;
	struct prefix *prefixes; /* theirs */
	size_t source_count;
	struct listed *listed;
	struct stretch4 *stretch4;
	struct wide *start6;
	uint32_t *owner6;
	size_t count4, count6;
	uint32_t *
		slice4; /* of the first 16 bits: the last stretch that begins at or before them, one more than its number */
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

/* Echoes of both families are one transport. 0: another. */
static unsigned usual_transport(uint8_t t)
{
	return t == ICMP || t == ICMP_V6 ? HAS_ICMP : t == TCP ? HAS_TCP : t == UDP ? HAS_UDP : 0;
}

struct address address_unmapped(struct address a)
{
	if (a.family == FAMILY_IPV6 && a.high == 0 && a.low >> 32 == 0xffff)
		return address_ipv4((uint32_t)a.low);
	return a;
}

/* ---- making ---- */

enum err plans_new(struct plans **out)
{
	struct plans *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->arena = arena_new(ARENA_MAX)) == NULL) {
		free(p);
		return ERR_NO_MEMORY;
	}
	p->end = &p->first;
	*out = p;
	return OK;
}

void plans_free(struct plans *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p->said);
	free(p);
}

struct arena *plans_arena(struct plans *p)
{
	return p->arena;
}

size_t plans_count(const struct plans *p)
{
	return p->statements;
}

size_t plans_entry_count(const struct plans *p)
{
	return p->count;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *)a, *(const struct prefix *)b);
}

/* Sorts in place and drops what lies inside another. */
static struct prefix_set make_set(struct prefix *list, size_t count)
{
	size_t n = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), by_prefix);
	for (size_t i = 0; i < count; i++)
		if (n == 0 || !prefix_contains(list[n - 1], list[i]))
			list[n++] = list[i];
	return (struct prefix_set){ list, n };
}

void plan_entry_prepare(struct plan_entry *f)
{
	f->targets = make_set(f->terms.targets, f->terms.target_count);
	f->excludes = make_set(f->terms.excludes, f->terms.exclude_count);
}

void plans_add(struct plans *p, struct plan_entry *f)
{
	plan_entry_prepare(f);
	f->next = NULL;
	*p->end = f;
	p->end = &f->next;
	p->count++;
	for (; f != NULL; f = f->also)
		p->statements++;
}

enum err plans_add_confirmation(struct plans *p, const struct plan_confirmation *c)
{
	if (p->said_count == p->said_room) {
		size_t room = p->said_room == 0 ? 64 : 2 * p->said_room;
		struct said *bigger = realloc(p->said, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		p->said = bigger;
		p->said_room = room;
	}
	p->said[p->said_count++] = (struct said){ c->plan, { c->source, c->first_ms, c->last_ms } };
	return OK;
}

static int by_filing(const void *a, const void *b)
{
	const struct plan_entry *x = *(struct plan_entry *const *)a, *y = *(struct plan_entry *const *)b;

	if (x->filed_ms != y->filed_ms)
		return x->filed_ms < y->filed_ms ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Numbers them in the order of filing; those of one instant as they were added. */
static enum err order_entries(struct plans *p)
{
	uint32_t n = 0;

	if (p->count >= NONE || (p->entries = arena_array(p->arena, p->count, sizeof(struct plan_entry *))) == NULL ||
	    (p->ids = arena_array(p->arena, p->count, sizeof(*p->ids))) == NULL)
		return ERR_NO_MEMORY;
	for (struct plan_entry *f = p->first; f != NULL; f = f->next) {
		f->number = n;
		p->entries[n++] = f;
	}
	if (n > 1)
		qsort(p->entries, n, sizeof(struct plan_entry *), by_filing);
	for (uint32_t i = 0; i < n; i++) {
		p->ids[i] = p->entries[i]->id;
		for (struct plan_entry *f = p->entries[i]; f != NULL; f = f->also)
			f->number = i;
	}
	return OK;
}

static int by_said(const void *a, const void *b)
{
	return hash_compare(((const struct said *)a)->plan, ((const struct said *)b)->plan);
}

static int by_id(const void *a, const void *b)
{
	return hash_compare((*(struct plan_entry *const *)a)->id, (*(struct plan_entry *const *)b)->id);
}

/* Gives each plan what its party confirmed: both in the order of ids, side by side. */
static enum err share_out_said(struct plans *p)
{
	struct plan_entry **ordered = malloc((p->count + 1) * sizeof(*ordered));
	struct plan_confirmed *all = arena_array(p->arena, p->said_count, sizeof(*all));
	size_t at = 0;

	if (ordered == NULL || all == NULL) {
		free(ordered);
		return ERR_NO_MEMORY;
	}
	if (p->said_count > 1)
		qsort(p->said, p->said_count, sizeof(*p->said), by_said);
	for (size_t i = 0; i < p->said_count; i++)
		all[i] = p->said[i].what;
	if (p->count > 0)
		memcpy(ordered, p->entries, p->count * sizeof(*ordered));
	if (p->count > 1 && p->said_count > 0)
		qsort(ordered, p->count, sizeof(*ordered), by_id);
	for (size_t i = 0; i < p->count && p->said_count > 0; i++) {
		size_t from;

		while (at < p->said_count && hash_compare(p->said[at].plan, ordered[i]->id) < 0)
			at++;
		for (from = at; at < p->said_count && hash_equal(p->said[at].plan, ordered[i]->id);)
			at++;
		ordered[i]->confirmed = all + from;
		ordered[i]->confirmed_count = at - from;
	}
	free(ordered);
	free(p->said);
	p->said = NULL;
	p->said_count = p->said_room = 0;
	return OK;
}

struct pair {
	struct prefix prefix; /* the source's, here so that sorting does not look for it */
	const struct plan_source *source;
	uint32_t plan;
};

static int by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = prefix_compare(x->prefix, y->prefix);

	return order != 0 ? order : (x->plan > y->plan) - (x->plan < y->plan);
}

static size_t make_pairs(const struct plans *p, struct pair *pairs)
{
	size_t total = 0;

	for (uint32_t n = 0; n < p->count; n++) {
		const struct plan_entry *f = p->entries[n];

		for (size_t i = 0; i < f->source_count; i++)
			pairs[total++] = (struct pair){ f->sources[i].prefix, &f->sources[i], n };
	}
	if (total > 1)
		qsort(pairs, total, sizeof(*pairs), by_pair);
	return total;
}

static unsigned transports_of(const struct plan_terms *t)
{
	unsigned has = t->transport_count > 0 ? HAS_TRANSPORTS : 0;

	for (size_t i = 0; i < t->transport_count; i++)
		has |= usual_transport(t->transports[i]);
	return has;
}

/* All but the times in which its source was held. */
static struct listed listed_of(const struct plan_entry *f)
{
	const struct plan_terms *t = &f->terms;
	struct listed l = { INT64_MIN, f->until_ms, f->filed_ms, { { 0, 0 } }, 0, { 0, 0 }, 0, f->number, f };
	unsigned has = transports_of(t);

	if (t->sealed) {
		l.has = HAS_SEALS;
		return l;
	}
	if (t->end_ms != 0) {
		int64_t behind = plan_terms_last_ms(t) + PLAN_SKEW_MS + 1;

		l.open_ms = t->start_ms - PLAN_SKEW_MS;
		l.shut_ms = behind < f->until_ms ? behind : f->until_ms;
		has |= t->repeat != REPEAT_NONE ? HAS_WINDOWS : 0;
	}
	if (t->port_count > 0) {
		l.port = t->ports[0];
		has |= t->port_count == 1 ? HAS_PORT : HAS_PORTS;
	}
	has |= f->excludes.count > 0 ? HAS_EXCLUDES : 0;
	has |= t->any_target ? HAS_ANY_TARGET : 0;
	has |= f->lacks_consent ? HAS_NO_CONSENT : 0;
	has |= f->paused_ms != 0 ? HAS_PAUSES : 0;
	has |= f->confirmed_count > 0 ? HAS_CONFIRMED : 0;
	has |= t->target_as_count + t->target_country_count + t->target_domain_count > 0 ? HAS_FAR_TARGETS : 0;
	l.has = (uint16_t)has;
	return l;
}

static struct listed listed_under(const struct plan_entry *f, const struct plan_source *s)
{
	struct listed l = listed_of(f);

	l.held_count = (uint32_t)s->held_count;
	if (s->held_count == 1)
		l.held.one = s->held[0];
	else
		l.held.several = s->held;
	return l;
}

static void list_pairs(struct plans *p, const struct pair *pairs, size_t total)
{
	for (size_t i = 0; i < total; i++) {
		const struct plan_source *s = pairs[i].source;
		size_t n = p->source_count;

		if (n == 0 || prefix_compare(p->prefixes[n - 1], s->prefix) != 0) {
			p->prefixes[n] = s->prefix;
			p->sources[n] = (struct source){ .first = (uint32_t)i };
			p->source_count = ++n;
		}
		p->listed[i] = listed_under(p->entries[pairs[i].plan], s);
		p->sources[n - 1].count++;
	}
}

/* Each on a line of its own; the arena knows no lines. */
static struct listed *make_listed(struct arena *a, size_t count)
{
	char *at = arena_array(a, count + 1, LINE);

	if (at != NULL)
		at += (LINE - (uintptr_t)at % LINE) % LINE;
	return (struct listed *)(void *)at;
}

/* One source for each distinct prefix, sorted, with its plans. */
static enum err make_sources(struct plans *p)
{
	size_t total = 0;
	struct pair *pairs;

	for (size_t i = 0; i < p->count; i++)
		total += p->entries[i]->source_count;
	pairs = malloc((total + 1) * sizeof(*pairs));
	p->sources = arena_array(p->arena, total, sizeof(*p->sources));
	p->prefixes = arena_array(p->arena, total, sizeof(*p->prefixes));
	p->listed = make_listed(p->arena, total);
	if (pairs == NULL || p->sources == NULL || p->prefixes == NULL || p->listed == NULL || total >= NONE) {
		free(pairs);
		return ERR_NO_MEMORY;
	}
	list_pairs(p, pairs, make_pairs(p, pairs));
	free(pairs);
	return OK;
}

static void begin_stretch(struct plans *p, struct address a, uint32_t owner)
{
	if (a.family == FAMILY_IPV4) {
		uint32_t at = (uint32_t)a.low;

		if (p->count4 == 0 || p->stretch4[p->count4 - 1].start != at)
			p->count4++;
		p->stretch4[p->count4 - 1] = (struct stretch4){ at, owner };
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
	struct address behind = prefix_last(p->prefixes[inner]);
	uint32_t parent = p->sources[inner].parent;

	if (address_next(&behind))
		begin_stretch(p, behind, parent);
	return parent;
}

static enum err sweep(struct plans *p)
{
	size_t most = 2 * p->source_count;
	uint32_t open = NONE;

	p->stretch4 = arena_array(p->arena, most, sizeof(*p->stretch4));
	p->start6 = arena_array(p->arena, most, sizeof(*p->start6));
	p->owner6 = arena_array(p->arena, most, sizeof(*p->owner6));
	if (p->stretch4 == NULL || p->start6 == NULL || p->owner6 == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < p->source_count; i++) {
		struct prefix mine = p->prefixes[i];

		while (open != NONE && !prefix_contains(p->prefixes[open], mine))
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
		struct prefix s = p->prefixes[i];
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

static enum err cut_slices(struct plans *p)
{
	size_t at = 0;

	if ((p->slice4 = arena_array(p->arena, SLICES + 1, sizeof(*p->slice4))) == NULL)
		return ERR_NO_MEMORY;
	for (uint64_t i = 0; i < SLICES; i++) {
		while (at < p->count4 && p->stretch4[at].start <= i << 16)
			at++;
		p->slice4[i] = (uint32_t)at;
	}
	p->slice4[SLICES] = (uint32_t)p->count4;
	return OK;
}

enum err plans_compile(struct plans *p)
{
	enum err e = order_entries(p);

	if (e == OK)
		e = share_out_said(p);
	if (e == OK)
		e = make_sources(p);
	if (e == OK)
		e = sweep(p);
	if (e == OK)
		e = cut_slices(p);
	if (e == OK)
		mark_bits(p);
	return e;
}

/* ---- asking: where ---- */

/* The stretches that begin within these 16 bits, and the one before them. */
static uint32_t find4(const struct plans *p, uint32_t at)
{
	size_t low = p->slice4[at >> 16], high = p->slice4[(at >> 16) + 1], n;

	low -= low > 0;
	for (n = high - low; n > 1;) {
		size_t half = n / 2;

		if (p->stretch4[low + half].start <= at)
			low += half;
		n -= half;
	}
	return n > 0 && p->stretch4[low].start <= at ? p->stretch4[low].owner : NONE;
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
		return get_bit(p->bits4, (unsigned)(a.low >> 16)) ? find4(p, (uint32_t)a.low) : NONE;
	if (p->count6 > 0 &&
	    (get_bit(p->bits6_short, (unsigned)(a.high >> 48)) || get_bit(p->bits6_long, hash_of_32(a.high))))
		return find6(p, a);
	return NONE;
}

static bool set_covers(const struct prefix_set *s, struct address a)
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

/* ---- asking: one plan ---- */

/* In the order of what counts. */
enum finding {
	EXCLUDED,
	EXPLAINED,
	UNSHOWN,
	UNDER_SEAL,
	BROKEN,
	UNPROVEN,
	LATE,
	TARGET_UNKNOWN,
	SILENT,
	FINDING_COUNT = SILENT
};

static const struct {
	enum plan_verdict verdict;
	const char *term; /* of BROKEN: which one */
} meanings[FINDING_COUNT] = {
	[EXCLUDED] = { PLAN_BREACH, "exclusion" }, [EXPLAINED] = { PLAN_EXPLAINED, NULL },
	[UNSHOWN] = { PLAN_SPOOFABLE, "source" },  [UNDER_SEAL] = { PLAN_SEALED, NULL },
	[BROKEN] = { PLAN_BREACH, NULL },	   [UNPROVEN] = { PLAN_EXPIRED_PROOF, "proof" },
	[LATE] = { PLAN_LATE, "filed" },	   [TARGET_UNKNOWN] = { PLAN_UNDECLARED, "target-unknown" },
};

/* An observation with both its addresses folded. */
struct asked {
	const struct observation *o;
	struct address source, target;
};

static bool held_at(const struct listed *l, int64_t time_ms)
{
	const struct plan_interval *held = l->held_count == 1 ? &l->held.one : l->held.several;

	for (size_t i = 0; i < l->held_count && held[i].from_ms <= time_ms; i++)
		if (time_ms < held[i].until_ms)
			return true;
	return false;
}

static bool target_declared(const struct plan_entry *f, const struct asked *a)
{
	const struct plan_terms *t = &f->terms;

	if (t->any_target || (a->o->has_target && set_covers(&f->targets, a->target)))
		return true;
	for (size_t i = 0; a->o->target_as != 0 && i < t->target_as_count; i++)
		if (t->target_as[i] == a->o->target_as)
			return true;
	for (size_t i = 0; a->o->target_country[0] != '\0' && i < t->target_country_count; i++)
		if (memcmp(t->target_countries[i], a->o->target_country, 2) == 0)
			return true;
	return false;
}

/* All that the plan's targets are of is known, so that what is not among them is elsewhere. */
static bool target_known(const struct listed *l, const struct observation *o)
{
	const struct plan_terms *t = &l->plan->terms;

	if (o->has_target && (l->has & HAS_FAR_TARGETS) == 0)
		return true;
	return (o->has_target || t->target_count == 0) && (o->target_as != 0 || t->target_as_count == 0) &&
	       (o->target_country[0] != '\0' || t->target_country_count == 0) && t->target_domain_count == 0 &&
	       (o->has_target || o->target_as != 0 || o->target_country[0] != '\0');
}

static bool transport_fits(const struct listed *l, uint8_t transport)
{
	const struct plan_terms *t;
	unsigned usual = usual_transport(transport);

	if ((l->has & HAS_TRANSPORTS) == 0 || transport == 0)
		return true;
	if (usual != 0)
		return (l->has & usual) != 0;
	t = &l->plan->terms;
	for (size_t i = 0; i < t->transport_count; i++)
		if (t->transports[i] == transport ||
		    (transport == OF_NONE_KNOWN && usual_transport(t->transports[i]) == 0))
			return true;
	return false;
}

static bool one_of_ports(const struct plan_terms *t, uint16_t port)
{
	size_t low = 0, n = t->port_count;

	while (n > 1) {
		size_t half = n / 2;

		if (t->ports[low + half].low <= port)
			low += half;
		n -= half;
	}
	return t->ports[low].low <= port && port <= t->ports[low].high;
}

static bool port_fits(const struct listed *l, uint16_t port)
{
	if (port == 0 || (l->has & (HAS_PORT | HAS_PORTS)) == 0)
		return true;
	return (l->has & HAS_PORT) != 0 ? l->port.low <= port && port <= l->port.high
					: one_of_ports(&l->plan->terms, port);
}

/* The first term that is broken for certain; NULL: none. */
static const char *broken_term(const struct listed *l, const struct observation *o, bool declared)
{
	if (!declared && target_known(l, o))
		return "target";
	if (!transport_fits(l, o->transport))
		return "transport";
	if (!port_fits(l, o->target_port))
		return "port";
	return (l->has & HAS_NO_CONSENT) != 0 ? "consent" : NULL;
}

static bool source_shown(const struct listed *l, const struct asked *a)
{
	const struct plan_entry *f = l->plan;

	if ((a->o->seen & (SEEN_HANDSHAKE | SEEN_MARKER)) != 0)
		return true;
	for (size_t i = 0; (l->has & HAS_CONFIRMED) != 0 && i < f->confirmed_count; i++)
		if (f->confirmed[i].first_ms <= a->o->time_ms && a->o->time_ms <= f->confirmed[i].last_ms &&
		    prefix_covers(f->confirmed[i].source, a->source))
			return true;
	return false;
}

/* Who said that it stands still cannot have been at it. */
static bool is_paused(const struct plan_entry *f, int64_t time_ms)
{
	return f->paused_ms != 0 && time_ms >= f->paused_ms && (f->resumed_ms == 0 || time_ms < f->resumed_ms);
}

static enum finding judge(const struct listed *l, const struct asked *a, bool held, const char **term)
{
	const struct observation *o = a->o;
	const struct plan_entry *f = l->plan;
	bool excluded, declared;
	const char *broken;

	if (o->time_ms < l->open_ms || o->time_ms >= l->shut_ms)
		return SILENT;
	if ((l->has & HAS_WINDOWS) != 0 && !plan_terms_open(&f->terms, o->time_ms, PLAN_SKEW_MS))
		return SILENT;
	if ((l->has & HAS_PAUSES) != 0 && is_paused(f, o->time_ms))
		return SILENT;
	excluded = (l->has & HAS_EXCLUDES) != 0 && o->has_target && set_covers(&f->excludes, a->target);
	declared = (l->has & HAS_ANY_TARGET) != 0 || target_declared(f, a);
	broken = broken_term(l, o, declared);
	if (o->time_ms < l->filed_ms || !held) {
		if (excluded || broken != NULL || !declared)
			return SILENT;
		return o->time_ms < l->filed_ms ? LATE : UNPROVEN;
	}
	if (excluded)
		return EXCLUDED;
	*term = broken;
	if (broken != NULL)
		return BROKEN;
	if (!declared)
		return TARGET_UNKNOWN;
	return source_shown(l, a) ? EXPLAINED : UNSHOWN;
}

static enum finding judge_sealed(const struct plan_entry *f, int64_t time_ms, bool held)
{
	if (!held || time_ms < f->filed_ms || time_ms >= f->until_ms)
		return SILENT;
	return plan_terms_open(&f->terms, time_ms, PLAN_SKEW_MS) ? UNDER_SEAL : SILENT;
}

/* ---- asking: all ---- */

struct best {
	enum finding finding;
	uint32_t number;
	const struct hash *id; /* read at the end only */
	int64_t filed_ms;
	const char *term;
};

/* Of what counts alike the first one asked stays: the innermost prefix, there the earliest filed. */
static void consider(struct best *best, const struct listed *l, const struct hash *id, const struct asked *a, bool held)
{
	const char *term = NULL;
	enum finding found = judge(l, a, held, &term);

	if (found < best->finding)
		*best = (struct best){ found, l->number, id, l->filed_ms, term };
}

/* Sealed filings name no prefix: the earliest filed. */
static void consider_sealed(struct best *best, const struct plan_entry *f, int64_t time_ms, bool held)
{
	enum finding found = judge_sealed(f, time_ms, held);

	if (found < best->finding || (found == UNDER_SEAL && found == best->finding && f->filed_ms < best->filed_ms))
		*best = (struct best){ found, f->number, &f->id, f->filed_ms, NULL };
}

static struct plan_match match_of(const struct best *best)
{
	struct plan_match match = { .verdict = PLAN_UNDECLARED };

	if (best->finding == SILENT)
		return match;
	match.verdict = meanings[best->finding].verdict;
	match.term = best->finding == BROKEN ? best->term : meanings[best->finding].term;
	if (match.verdict != PLAN_UNDECLARED) {
		match.plan = *best->id;
		match.at = best->number;
	}
	return match;
}

struct plan_match plan_entry_match(const struct plan_entry *f, const struct observation *o, bool held)
{
	struct asked a = { o, address_unmapped(o->source), address_unmapped(o->target) };
	struct best best = { .finding = SILENT };
	struct listed l = listed_of(f);

	if (f->terms.sealed)
		consider_sealed(&best, f, o->time_ms, held);
	else
		consider(&best, &l, &f->id, &a, held);
	return match_of(&best);
}

struct plan_match plans_match(const struct plans *p, const struct observation *o)
{
	struct asked a = { o, address_unmapped(o->source), address_unmapped(o->target) };
	uint32_t at = innermost(p, a.source);
	struct best best = { .finding = SILENT };

	for (; at != NONE; at = p->sources[at].parent) {
		const struct source *s = &p->sources[at];

		for (uint32_t i = 0; i < s->count; i++) {
			const struct listed *l = &p->listed[s->first + i];
			bool held = held_at(l, o->time_ms);

			if ((l->has & HAS_SEALS) == 0) {
				consider(&best, l, &p->ids[l->number], &a, held);
				continue;
			}
			for (const struct plan_entry *f = l->plan; f != NULL; f = f->also)
				consider_sealed(&best, f, o->time_ms, held);
		}
	}
	return match_of(&best);
}

const struct plan_entry *plans_entry(const struct plans *p, const struct plan_match *m)
{
	return m->verdict == PLAN_UNDECLARED || m->at >= p->count ? NULL : p->entries[m->at];
}

unsigned plan_match_rank(const struct plan_match *m)
{
	static const unsigned ranks[PLAN_VERDICT_COUNT] = {
		[PLAN_EXPLAINED] = 1,	  [PLAN_SPOOFABLE] = 2, [PLAN_SEALED] = 3,     [PLAN_BREACH] = 4,
		[PLAN_EXPIRED_PROOF] = 5, [PLAN_LATE] = 6,	[PLAN_UNDECLARED] = 7,
	};

	if (m->verdict == PLAN_BREACH && strcmp(m->term, meanings[EXCLUDED].term) == 0)
		return 0;
	return ranks[m->verdict] + (m->verdict == PLAN_UNDECLARED && m->term == NULL);
}

const char *plan_verdict_says(enum plan_verdict v)
{
	static const char *const says[PLAN_VERDICT_COUNT] = {
		[PLAN_UNDECLARED] = "no plan covers it",
		[PLAN_EXPLAINED] = "a plan filed before explains it; it lowers priority and closes nothing",
		[PLAN_SPOOFABLE] = "a plan fits, but nothing shows that the source was not forged",
		[PLAN_SEALED] = "who holds the source has a sealed filing: ask there",
		[PLAN_BREACH] = "a plan covers the source and the time, but a term of it is broken",
		[PLAN_EXPIRED_PROOF] = "a plan fits, but its party had no proof of the source then",
		[PLAN_LATE] = "a plan fits but was filed after the event: it explains nothing",
	};

	return says[(unsigned)v < PLAN_VERDICT_COUNT ? v : PLAN_UNDECLARED];
}
