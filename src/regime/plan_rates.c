#include "regime/plans_private.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * How many packets of a plan in a second, over all reporters
 *
 * A report of a day has 86,400 seconds of each plan, and reports come in any order, so not every count can be kept.
 * A table of fixed size has places in sets of eight; where a set is full, the place that was counted to longest ago
 * goes. What is forgotten so makes a count too low, never too high: nobody is said to break a rate that was kept.
 *
 * Each set belongs to one of some locks, so threads seldom meet. Plans that declare no rate are not counted.
 */

#define SETS 32768
#define WAYS 8
#define LOCKS 64

struct counter {
	int64_t second;
	struct address target; /* family 0: all */
	uint32_t plan;	       /* one more than its number; 0: free */
	uint32_t used;	       /* when, by the lock's clock */
	uint64_t count;
};

struct plan_rates {
	const struct plans *plans;
	struct counter *counters;
	struct {
		pthread_mutex_t lock;
		uint32_t clock;
	} locks[LOCKS];
};

enum err plan_rates_new(const struct plans *p, struct plan_rates **out)
{
	struct plan_rates *r = calloc(1, sizeof(*r));

	/* The kernel gives pages as they are touched: where no plan declares a rate, none. */
	if (r == NULL || (r->counters = calloc((size_t)SETS * WAYS, sizeof(*r->counters))) == NULL) {
		free(r);
		return ERR_NO_MEMORY;
	}
	r->plans = p;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&r->locks[i].lock, NULL);
	*out = r;
	return OK;
}

void plan_rates_free(struct plan_rates *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&r->locks[i].lock);
	free(r->counters);
	free(r);
}

static uint64_t mixed(uint64_t x)
{
	x = (x ^ (x >> 32)) * 0x9E3779B97F4A7C15u;
	return x ^ (x >> 29);
}

static size_t set_of(const struct counter *p)
{
	uint64_t x = mixed((uint64_t)p->second ^ (uint64_t)p->plan << 36);

	return mixed(x ^ p->target.high ^ mixed(p->target.low + p->target.family)) % SETS;
}

static bool same(const struct counter *a, const struct counter *b)
{
	return a->plan == b->plan && a->second == b->second && a->target.family == b->target.family &&
	       a->target.high == b->target.high && a->target.low == b->target.low;
}

/* What was counted there, with this. */
static uint64_t add(struct plan_rates *r, const struct counter *wanted, uint64_t count)
{
	size_t set = set_of(wanted);
	struct counter *counters = r->counters + set * WAYS, *at = counters;
	uint64_t sum;
	uint32_t now;

	pthread_mutex_lock(&r->locks[set % LOCKS].lock);
	now = ++r->locks[set % LOCKS].clock;
	for (size_t i = 0; i < WAYS; i++) {
		if (same(&counters[i], wanted)) {
			at = &counters[i];
			break;
		}
		if (at->plan != 0 && (counters[i].plan == 0 || now - counters[i].used > now - at->used))
			at = &counters[i];
	}
	if (!same(at, wanted))
		*at = *wanted;
	at->count = count > UINT64_MAX - at->count ? UINT64_MAX : at->count + count;
	at->used = now;
	sum = at->count;
	pthread_mutex_unlock(&r->locks[set % LOCKS].lock);
	return sum;
}

bool plans_rated(const struct plans *p, const struct plan_match *match)
{
	const struct plan_entry *f = plans_entry(p, match);

	return f != NULL && (match->verdict == PLAN_EXPLAINED || match->verdict == PLAN_SPOOFABLE) &&
	       (f->terms.rate > 0 || f->terms.rate_each > 0);
}

void plan_rates_add(struct plan_rates *r, const struct observation *o, uint64_t count, struct plan_match *match)
{
	const struct plan_entry *f = plans_entry(r->plans, match);
	/* Times before 1970 too: the second that holds it. */
	struct counter key = { .second = o->time_ms / 1000 - (o->time_ms % 1000 < 0), .plan = match->at + 1 };
	bool over = false;

	if (!plans_rated(r->plans, match))
		return;
	if (f->terms.rate > 0)
		over = add(r, &key, count) > f->terms.rate;
	if (f->terms.rate_each > 0 && o->has_target) {
		key.target = address_unmapped(o->target);
		over |= add(r, &key, count) > f->terms.rate_each;
	}
	if (over) {
		match->verdict = PLAN_BREACH;
		match->term = "rate";
	}
}
