#include <stdlib.h>

#include "regime/metric_private.h"
#include "regime/release.h"

/* ---- the list ---- */

enum err facts_add(struct facts *f, const struct fact *one)
{
	if (f->count == f->room) {
		size_t room = f->room == 0 ? 16 : 2 * f->room;
		struct fact *at = reallocarray(f->at, room, sizeof(*at));

		if (at == NULL)
			return ERR_NO_MEMORY;
		f->at = at;
		f->room = room;
	}
	f->at[f->count++] = *one;
	return OK;
}

static int by_index(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static int64_t day_of(const struct fact *f)
{
	return f->at_ms / METRIC_DAY_MS;
}

static int by_day(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;

	if (day_of(x) != day_of(y))
		return day_of(x) < day_of(y) ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->demonstration != y->demonstration ? x->demonstration - y->demonstration
						    : span_compare(x->other, y->other);
}

static int by_repeat(const void *a, const void *b)
{
	const struct fact *x = *(const struct fact *const *)a, *y = *(const struct fact *const *)b;
	int order = by_day(a, b);

	return order != 0 ? order : by_index(x, y);
}

/* Says the same, so that each but the first of a group knows how long an earlier one stood. */
static void find_repeats(struct fact **order, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct fact *before = order[i - 1];
		int64_t stood = before->withdrawn_ms != 0 ? before->withdrawn_ms : INT64_MAX;

		if (by_day(&order[i - 1], &order[i]) == 0)
			order[i]->before_ms = before->before_ms > stood ? before->before_ms : stood;
	}
}

enum err facts_end(struct facts *f)
{
	struct fact **order;

	if (f->count < 2)
		return OK;
	qsort(f->at, f->count, sizeof(*f->at), by_index);
	if ((order = calloc(f->count, sizeof(*order))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < f->count; i++)
		order[i] = &f->at[i];
	qsort(order, f->count, sizeof(*order), by_repeat);
	find_repeats(order, f->count);
	free(order);
	return OK;
}

/* ---- what falls due ---- */

/*
 * Each fact falls due once, at a time that follows from the term alone: so long after it was filed. The window in which that lies
 * counts it, and all that decides had happened by then; so a window that has ended stays as it is, and none counts what another
 * did. The other rules are those of standing: what a party says to itself counts nowhere, what its author closed in time is
 * unknown, open ones count, and a dispute that is not settled within 14 days is shown with and without.
 *
 * Only an answer that another node's ledger proves to be older than it was logged here may still come into a window that has
 * ended; it was in time, and counts.
 */

#define NEVER INT64_MIN

static bool by(int64_t ms, int64_t due_ms)
{
	return ms != 0 && ms <= due_ms;
}

static bool had(int64_t ms, int64_t until_ms)
{
	return ms != 0 && ms < until_ms;
}

enum fact_source metric_source(enum metric m)
{
	switch (m) {
	case METRIC_ACKNOWLEDGED:
	case METRIC_ACKNOWLEDGE_P50:
	case METRIC_ACKNOWLEDGE_P90:
	case METRIC_FIXED:
	case METRIC_RE_OFFENCE:
	case METRIC_PLAN_EXPLAINED:
		return FACTS_TO;
	case METRIC_FALSE_NOTICES:
		return FACTS_BY;
	case METRIC_BALANCE:
		return FACTS_BOTH;
	case METRIC_HELP_ANSWERED:
		return FACTS_HELP;
	case METRIC_CONTACT_LIVE:
		return FACTS_PINGS;
	case METRIC_PLAN_OVERDUE:
	case METRIC_PLAN_BREACH:
		return FACTS_PLANS;
	case METRIC_UPDATE_LAG:
	case METRIC_ARTEFACT_EQUAL:
		return FACTS_RELEASES;
	default:
		return FACTS_NOWHERE;
	}
}

int64_t metric_lag(const struct term *t)
{
	switch (t->metric) {
	case METRIC_ACKNOWLEDGE_P50:
	case METRIC_ACKNOWLEDGE_P90:
	case METRIC_UPDATE_LAG:
		return (int64_t)t->threshold;
	case METRIC_RE_OFFENCE: /* of its fix */
		return METRIC_RELAPSE_MS;
	case METRIC_FALSE_NOTICES:
	case METRIC_BALANCE:
		return METRIC_JUDGED_MS;
	case METRIC_PLAN_OVERDUE:
		return METRIC_OVERDUE_MS;
	case METRIC_ARTEFACT_EQUAL:
		return RELEASE_GRACE_MS;
	default:
		return t->within_ms;
	}
}

static int64_t due_of(const struct term *t, const struct fact *f)
{
	if (t->metric == METRIC_PLAN_BREACH)
		return f->again_ms != 0 ? f->again_ms : NEVER;
	if (t->metric == METRIC_RE_OFFENCE)
		return f->fixed_ms != 0 && f->fixed_ms - f->at_ms <= METRIC_FIXED_MS ? f->fixed_ms + metric_lag(t)
										     : NEVER;
	return f->at_ms + metric_lag(t);
}

/* ---- one fact in its window ---- */

struct verdict {
	uint64_t in, of, unknown;
};

static struct verdict verdict(bool in)
{
	return (struct verdict){ in, 1, 0 };
}

static const struct verdict nothing = { 0, 0, 0 }, unknown = { 0, 0, 1 };

/* Not in time, but it was not for the party any more when it fell due. */
static struct verdict unless(bool taken, bool in)
{
	return !in && taken ? unknown : verdict(in);
}

static bool is_settled(const struct fact *f)
{
	return f->settled_ms != 0 && f->settled_ms < f->disputed_ms + METRIC_DISPUTE_MS;
}

static struct verdict false_notice(const struct fact *f, int64_t due_ms)
{
	bool disputed = by(f->disputed_ms, due_ms) && !(is_settled(f) && f->settled_ms <= due_ms);

	if (by(f->withdrawn_ms, due_ms) || by(f->not_ours_ms, due_ms) ||
	    (disputed && f->disputed_ms + METRIC_DISPUTE_MS <= due_ms))
		return verdict(true);
	return disputed ? unknown : verdict(false);
}

static struct verdict judge(const struct term *t, const struct fact *f, int64_t due_ms)
{
	switch (t->metric) {
	case METRIC_ACKNOWLEDGED:
	case METRIC_ACKNOWLEDGE_P50:
	case METRIC_ACKNOWLEDGE_P90:
	case METRIC_CONTACT_LIVE:
		return unless(by(f->closed_ms, due_ms), by(f->answered_ms, due_ms));
	case METRIC_FIXED:
		return unless(by(f->closed_ms, due_ms) || by(f->not_ours_ms, due_ms), by(f->fixed_ms, due_ms));
	case METRIC_HELP_ANSWERED: /* nobody has to answer twice */
		return unless(by(f->closed_ms, due_ms) || by(f->elsewhere_ms, due_ms), by(f->answered_ms, due_ms));
	case METRIC_RE_OFFENCE:
		return verdict(by(f->again_ms, due_ms));
	case METRIC_FALSE_NOTICES:
		return false_notice(f, due_ms);
	case METRIC_PLAN_EXPLAINED:
		return (struct verdict){ f->explained, f->events, 0 };
	case METRIC_PLAN_OVERDUE: /* cancelled, or a later version took its place */
		return by(f->withdrawn_ms, due_ms) || by(f->not_ours_ms, due_ms) ? nothing
										 : verdict(!by(f->closed_ms, due_ms));
	case METRIC_PLAN_BREACH:
		return verdict(true);
	case METRIC_UPDATE_LAG:
		return verdict(!f->left_out && f->lag_ms <= t->threshold);
	case METRIC_ARTEFACT_EQUAL:
		return verdict(!f->broken);
	case METRIC_BALANCE:
		return by(f->fixed_ms, due_ms) ? verdict(f->given) : nothing;
	default:
		return nothing;
	}
}

/* Whether the window that ends then counts it at all. */
static bool counts(const struct windows *w, const struct fact *f, int64_t until_ms)
{
	enum fact_source s = metric_source(w->t->metric);

	if (f->demonstration != w->demonstration)
		return false;
	if (s == FACTS_PLANS || s == FACTS_RELEASES)
		return true;
	if (s == FACTS_BY) /* taken back is false */
		return f->before_ms == 0;
	return !had(f->withdrawn_ms, until_ms) && !fact_repeats(f, until_ms);
}

static void add(struct measure *m, struct verdict v, bool disputed)
{
	m->share.numerator += v.in;
	m->share.denominator += v.of;
	m->share.unknown += v.unknown;
	if (disputed) {
		m->disputed += v.of;
		return;
	}
	m->undisputed.numerator += v.in;
	m->undisputed.denominator += v.of;
	m->undisputed.unknown += v.unknown;
}

/* ---- times: from which on half, or nine tenths, had been acknowledged ---- */

struct timing {
	size_t window;
	int64_t ms; /* INT64_MAX: not yet */
};
struct timings {
	struct timing *at;
	size_t count;
};

static int by_window(const void *a, const void *b)
{
	const struct timing *x = a, *y = b;

	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	return (x->ms > y->ms) - (x->ms < y->ms);
}

/* The first time at which no more than half, or a tenth, are open. */
static void read_quantiles(const struct windows *w, struct timings *t, struct measure *out)
{
	size_t part = w->t->metric == METRIC_ACKNOWLEDGE_P50 ? 2 : 10, next;

	if (t->count > 1)
		qsort(t->at, t->count, sizeof(*t->at), by_window);
	for (size_t i = 0; i < t->count; i = next) {
		struct measure *m = &out[t->at[i].window];
		size_t n = 0, k;

		while (i + n < t->count && t->at[i + n].window == t->at[i].window)
			n++;
		next = i + n;
		k = n - n / part;
		m->has_value = t->at[i + k - 1].ms != INT64_MAX;
		m->value = m->has_value ? (uint64_t)t->at[i + k - 1].ms : 0;
	}
}

/* ---- all facts ---- */

void windows_begin(const struct windows *w, struct measure *out)
{
	for (size_t i = 0; i < w->count; i++) {
		int64_t from = w->start_ms + (int64_t)i * w->length_ms, until = from + w->length_ms;

		out[i] = (struct measure){ .from_ms = from, .until_ms = until, .closed = until <= w->last_ms };
	}
}

void windows_end(const struct windows *w, struct measure *out)
{
	for (size_t i = 0; i < w->count; i++) {
		struct measure *m = &out[i];

		m->share = proportion_of(m->share.numerator, m->share.denominator, m->share.unknown);
		m->undisputed =
			proportion_of(m->undisputed.numerator, m->undisputed.denominator, m->undisputed.unknown);
		if (w->t->metric != METRIC_PLAN_BREACH)
			continue;
		m->has_value = true;
		m->value = m->share.numerator;
		m->share = m->undisputed = proportion_of(0, 0, 0);
	}
}

static void count_value(const struct windows *w, const struct fact *f, struct verdict v, size_t i, struct measure *m,
			struct timings *times)
{
	bool answered = had(f->answered_ms, m->until_ms);

	if (v.of == 0)
		return;
	if (times->at != NULL)
		times->at[times->count++] = (struct timing){ i, answered ? f->answered_ms - f->at_ms : INT64_MAX };
	if (w->t->metric == METRIC_UPDATE_LAG) {
		m->value = m->has_value && m->value > f->lag_ms ? m->value : f->lag_ms;
		m->has_value = true;
	}
}

static void count_fact(const struct windows *w, const struct fact *f, struct measure *out, struct timings *times)
{
	int64_t due_ms = due_of(w->t, f);
	struct measure *m;
	struct verdict v;
	bool disputed;
	size_t i;

	if (due_ms < w->start_ms || (uint64_t)(due_ms - w->start_ms) / (uint64_t)w->length_ms >= w->count)
		return;
	i = (size_t)((due_ms - w->start_ms) / w->length_ms);
	m = &out[i];
	if (!counts(w, f, m->until_ms))
		return;
	v = due_ms < w->last_ms ? judge(w->t, f, due_ms) : unknown;
	disputed = had(f->disputed_ms, m->until_ms) && !(is_settled(f) && had(f->settled_ms, m->until_ms));
	add(m, v, disputed);
	count_value(w, f, v, i, m, times);
}

enum err windows_count(const struct windows *w, const struct facts *f, struct measure *out)
{
	enum metric metric = w->t->metric;
	struct timings times = { 0 };

	if ((metric == METRIC_ACKNOWLEDGE_P50 || metric == METRIC_ACKNOWLEDGE_P90) && f->count > 0 &&
	    (times.at = calloc(f->count, sizeof(*times.at))) == NULL)
		return ERR_NO_MEMORY;
	windows_begin(w, out);
	for (size_t i = 0; i < f->count; i++)
		count_fact(w, &f->at[i], out, &times);
	if (times.at != NULL)
		read_quantiles(w, &times, out);
	windows_end(w, out);
	free(times.at);
	return OK;
}
