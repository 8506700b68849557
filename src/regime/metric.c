#include "regime/metric.h"

#include <stdlib.h>

#include "regime/help.h"
#include "regime/metric_private.h"
#include "regime/restraint.h"

enum err metric_last(const struct state *st, int64_t *last_ms)
{
	enum err e = state_last(st, last_ms);

	if (e == ERR_NOT_FOUND) {
		*last_ms = 0;
		e = OK;
	}
	if (st->logged_ms > *last_ms) /* of the entry in hand */
		*last_ms = st->logged_ms;
	return e;
}

static enum err windows_restraint(const struct state *st, const struct windows *w, struct hash promise,
				  struct span party, struct measure *out)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < w->count; i++)
		e = restraint_measure(st, promise, w->t->name, party, out[i].from_ms, out[i].until_ms, &out[i]);
	return e;
}

enum err metric_windows(struct metric_facts *f, const struct windows *w, struct hash promise, struct measure *out)
{
	enum fact_source s = metric_source(w->t->metric);
	enum err e;

	if (s != FACTS_NOWHERE) {
		e = metric_facts_need(f, s);
		return e == OK ? windows_count(w, &f->from[s], out) : e;
	}
	windows_begin(w, out);
	windows_end(w, out);
	if (w->t->metric == METRIC_UPLIFT)
		return windows_uplift(f->st, w, f->party, out);
	return w->t->metric == METRIC_RESTRAINT ? windows_restraint(f->st, w, promise, f->party, out) : OK;
}

/* ---- between two ---- */

struct pairing {
	const struct state *st;
	struct span party, other;
	enum fact_source source;
	struct facts facts;
};

static bool goes_to(const struct matter *m, struct span party)
{
	struct addressee to;

	for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &to); i++)
		if (to.type == TO_PARTY && span_equal(to.domain, party))
			return true;
	return false;
}

static enum err pair_notice(struct pairing *p, const struct matter *m)
{
	struct fact one = fact_of(m);
	bool given = span_equal(m->from, p->party) && goes_to(m, p->other),
	     taken = span_equal(m->from, p->other) && goes_to(m, p->party);

	one.given = given;
	if ((given && p->source != FACTS_TO) || (taken && p->source != FACTS_BY))
		return facts_add(&p->facts, &one);
	return OK;
}

static enum err pair_help(struct pairing *p, const struct matter *m)
{
	struct help h;
	struct fact one;
	enum err e;

	if (!span_equal(m->from, p->other) || !goes_to(m, p->party))
		return OK;
	if ((e = state_help(p->st, m->id, &h)) != OK)
		return e == ERR_MATTER_UNKNOWN ? OK : e;
	if (h.to_all || h.ping != (p->source == FACTS_PINGS))
		return OK;
	e = fact_of_help(p->st, &h, p->party, &one);
	return e == OK ? facts_add(&p->facts, &one) : e;
}

static enum err take_pair(void *context, const struct matter *m)
{
	struct pairing *p = context;
	bool help = p->source == FACTS_HELP || p->source == FACTS_PINGS;

	if (m->kind == KIND_NOTICE && !help)
		return pair_notice(p, m);
	return m->kind == KIND_REQUEST && help ? pair_help(p, m) : OK;
}

/* Repeats are told by the day, so all of the first day is read. */
static int64_t read_from(const struct term *t, int64_t from_ms)
{
	int64_t ms = from_ms - metric_lag(t) - (t->metric == METRIC_RE_OFFENCE ? METRIC_FIXED_MS : 0);

	return ms > 0 ? ms - ms % METRIC_DAY_MS : 0;
}

enum err metric_pair(const struct state *st, const struct term *t, struct hash agreement, struct span party,
		     struct span other, int64_t from_ms, int64_t until_ms, bool demonstration, metric_between *matters,
		     void *context, struct measure *out)
{
	struct windows w = {
		.t = t, .start_ms = from_ms, .length_ms = until_ms - from_ms, .count = 1, .demonstration = demonstration
	};
	struct pairing p = { .st = st, .party = party, .other = other, .source = metric_source(t->metric) };
	bool is_read = p.source == FACTS_TO || p.source == FACTS_BY || p.source == FACTS_BOTH ||
		       p.source == FACTS_HELP || p.source == FACTS_PINGS;
	enum err e = metric_last(st, &w.last_ms);

	if (e == OK && is_read)
		e = matters(context, read_from(t, from_ms), until_ms - metric_lag(t), take_pair, &p);
	if (e == OK)
		e = facts_end(&p.facts);
	if (e == OK)
		e = windows_count(&w, &p.facts, out);
	if (e == OK && t->metric == METRIC_RESTRAINT)
		e = windows_restraint(st, &w, agreement, party, out);
	free(p.facts.at);
	return e;
}
