/* What metrics count, gathered: one walk over a party's matters, whatever number of terms and windows asks. */
#include <stdlib.h>

#include "regime/metric_private.h"
#include "regime/plan_life_private.h"

/* ---- notices ---- */

struct fact fact_of(const struct matter *m)
{
	return (struct fact){
		.index = m->index,
		.other = m->from,
		.at_ms = m->logged_ms,
		.withdrawn_ms = m->withdrawn_ms,
		.closed_ms = m->closed_ms,
		.disputed_ms = m->disputed_ms,
		.settled_ms = m->settled_ms,
		.answered_ms = m->acknowledged_ms,
		.fixed_ms = m->fixed_ms,
		.again_ms = m->re_observed_ms,
		.not_ours_ms = m->not_ours_ms,
		.events = m->events,
		.explained = m->explained,
		.demonstration = m->demonstration,
		.class = m->class,
	};
}

static enum err take_to(void *context, const struct matter *m)
{
	struct metric_facts *f = context;
	struct fact one = fact_of(m);

	return span_equal(m->from, f->party) ? OK : facts_add(&f->from[FACTS_TO], &one);
}

/* The first addressee, as its bytes; empty if it goes to nobody but its author. */
static struct span first_to(const struct matter *m)
{
	struct reader r = reader_of(m->addressees);
	struct span first = SPAN("");
	struct addressee to;
	bool to_others = false;

	for (unsigned i = 0; i < m->to_count && unpack_addressee(&r, &to) == OK; i++) {
		if (i == 0)
			first = span_make(m->addressees.at, m->addressees.len - reader_left(&r));
		to_others |= to.type != TO_PARTY || !span_equal(to.domain, m->from);
	}
	return to_others ? first : SPAN("");
}

static enum err take_by(void *context, const struct matter *m)
{
	struct metric_facts *f = context;
	struct fact one = fact_of(m);

	one.other = first_to(m);
	return one.other.len == 0 ? OK : facts_add(&f->from[FACTS_BY], &one);
}

static enum err gather_notices(struct metric_facts *f, enum fact_source s)
{
	struct addressee party = { .type = TO_PARTY, .domain = f->party };
	struct view_cursor *c = NULL;
	enum err e = view_cursor_open(f->st->snapshot, VIEW_STATE, &c);

	if (e == OK && s == FACTS_TO)
		e = matters_gather_to(f->st, c, &party, take_to, f);
	else if (e == OK)
		e = matters_gather_from(f->st, c, f->party, take_by, f);
	view_cursor_close(c);
	return e;
}

/* ---- plans ---- */

static enum err plan_facts_add(struct plan_facts *p, const struct plan_fact *one)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 64 : 2 * p->room;
		struct plan_fact *at = reallocarray(p->at, room, sizeof(*at));

		if (at == NULL)
			return ERR_NO_MEMORY;
		p->at = at;
		p->room = room;
	}
	p->at[p->count++] = *one;
	return OK;
}

struct planning {
	struct state st; /* with an arena of its own, emptied for each plan */
	struct plan_facts *plans;
};

static enum err take_plan(void *context, const struct matter *m)
{
	struct planning *p = context;
	struct plan_fact one = { m->from, fact_of(m) };
	struct plan_terms t;
	struct plan_course c;
	enum err e;

	arena_reset(p->st.arena);
	if ((e = plan_terms_get(&p->st, m->index, &t)) != OK || t.sealed)
		return e;
	if ((e = plan_course_get(&p->st, m->index, &c)) != OK)
		return e;
	one.fact.at_ms = plan_terms_last_ms(&t);
	one.fact.again_ms = c.seen_ms;
	one.fact.not_ours_ms = m->passed_on_ms;
	return plan_facts_add(p->plans, &one);
}

static int by_party(const void *a, const void *b)
{
	const struct plan_fact *x = a, *y = b;
	int order = span_compare(x->party, y->party);

	return order != 0 ? order : (x->fact.index > y->fact.index) - (x->fact.index < y->fact.index);
}

#define TERMS_ROOM ((size_t)16 << 20)

static enum err read_plans(const struct state *st, struct plan_facts *out)
{
	struct planning p = { *st, out };
	enum err e;

	if ((p.st.arena = arena_new(TERMS_ROOM)) == NULL)
		return ERR_NO_MEMORY;
	e = state_matters(st, LEDGER_PUBLIC, KIND_PLAN, 0, take_plan, &p);
	arena_free(p.st.arena);
	if (e == OK && out->count > 1)
		qsort(out->at, out->count, sizeof(*out->at), by_party);
	out->known = e == OK;
	return e;
}

static enum err gather_plans(struct metric_facts *f)
{
	struct plan_facts *p = f->plans;
	size_t low = 0, high;
	enum err e = p->known ? OK : read_plans(f->st, p);

	if (e != OK)
		return e;
	for (high = p->count; low < high;) {
		size_t mid = low + (high - low) / 2;

		if (span_compare(p->at[mid].party, f->party) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; e == OK && low < p->count && span_equal(p->at[low].party, f->party); low++)
		e = facts_add(&f->from[FACTS_PLANS], &p->at[low].fact);
	return e;
}

void plan_facts_free(struct plan_facts *p)
{
	free(p->at);
	*p = (struct plan_facts){ 0 };
}

/* ---- all of them ---- */

static enum err gather(struct metric_facts *f, enum fact_source s)
{
	switch (s) {
	case FACTS_TO:
	case FACTS_BY:
		return gather_notices(f, s);
	case FACTS_HELP:
	case FACTS_PINGS:
		return facts_of_helps(f->st, f->party, s == FACTS_PINGS, &f->from[s]);
	case FACTS_PLANS:
		return gather_plans(f);
	case FACTS_RELEASES:
		return facts_of_releases(f->st, f->party, &f->from[s]);
	default:
		return OK;
	}
}

enum err metric_facts_need(struct metric_facts *f, enum fact_source s)
{
	enum err e = f->known[s] ? OK : gather(f, s);

	if (e == OK && !f->known[s] && s != FACTS_PLANS && s != FACTS_RELEASES)
		e = facts_end(&f->from[s]);
	f->known[s] |= e == OK;
	return e;
}

void metric_facts_free(struct metric_facts *f)
{
	for (int s = 0; s < FACTS_COUNT; s++) {
		free(f->from[s].at);
		f->from[s] = (struct facts){ 0 };
		f->known[s] = false;
	}
}
