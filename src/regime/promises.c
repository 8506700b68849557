#include "regime/promises.h"

#include <stdlib.h>

#include "regime/metric_private.h"

/*
 * Windows
 *
 * A pledge is cut into windows from its start on. One that its end or its withdrawal cuts short is none. A window is closed when
 * the ledger has an entry at its end or later; the one after the last closed is open, and only shown. Nothing of it is stored:
 * the same ledger gives the same windows.
 */

struct promises_shared {
	struct plan_facts plans;
};

enum err promises_shared_new(struct promises_shared **out)
{
	return (*out = calloc(1, sizeof(**out))) != NULL ? OK : ERR_NO_MEMORY;
}

void promises_shared_free(struct promises_shared *s)
{
	if (s == NULL)
		return;
	plan_facts_free(&s->plans);
	free(s);
}

/* ---- walking ---- */

struct walking {
	const struct state *st;
	const struct promises_ask *ask;
	promise_each *promise;
	declaration_each *declaration;
	void *context;
	int64_t last_ms;
	struct promises_shared own; /* where nothing is shared */
	struct metric_facts facts;  /* of the party in hand */
	struct measure *windows;
	enum window *judged;
	size_t room;
};

/* Which windows of a term are told: from `first`, so many closed, and perhaps an open one. */
struct period {
	size_t first, closed;
	bool open;
};

static struct period period_of(const struct walking *w, const struct pledge *p, const struct term *t)
{
	const struct promises_ask *ask = w->ask;
	int64_t end = w->last_ms < p->end_ms ? w->last_ms : p->end_ms, open_end;
	struct period d = { 0 };

	if (ask->until_ms != 0 && ask->until_ms - 1 < end)
		end = ask->until_ms - 1;
	if (end >= p->start_ms)
		d.closed = (size_t)((end - p->start_ms) / t->window_ms);
	if (ask->from_ms > p->start_ms)
		d.first = (size_t)((ask->from_ms - p->start_ms + t->window_ms - 1) / t->window_ms) - 1;
	open_end = term_window_end(t, p->start_ms, d.closed);
	d.open = open_end > w->last_ms && open_end - t->window_ms <= w->last_ms && open_end <= p->end_ms &&
		 (ask->until_ms == 0 || open_end < ask->until_ms) && d.first <= d.closed;
	d.closed = d.closed > d.first ? d.closed - d.first : 0;
	return d;
}

static enum err make_room(struct walking *w, size_t count)
{
	struct measure *windows;
	enum window *judged;

	if (count <= w->room)
		return OK;
	if ((windows = reallocarray(w->windows, count, sizeof(*windows))) == NULL)
		return ERR_NO_MEMORY;
	w->windows = windows;
	if ((judged = reallocarray(w->judged, count, sizeof(*judged))) == NULL)
		return ERR_NO_MEMORY;
	w->judged = judged;
	w->room = count;
	return OK;
}

/* Over all closed windows as one. */
static enum err measure_all(struct walking *w, const struct windows *each, const struct pledge *p,
			    struct promise_term *out)
{
	struct windows one = *each;

	if (out->closed == 0) {
		out->all = (struct measure){ .from_ms = each->start_ms, .until_ms = each->start_ms };
		out->all.share = out->all.undisputed = proportion_of(0, 0, 0);
		return OK;
	}
	one.length_ms = (int64_t)out->closed * each->length_ms;
	one.count = 1;
	return metric_windows(&w->facts, &one, p->id, &out->all);
}

static enum err walk_term(struct walking *w, const struct pledge *p, const struct term *t)
{
	struct period d = period_of(w, p, t);
	struct windows each = { .t = t,
				.start_ms = p->start_ms + (int64_t)d.first * t->window_ms,
				.length_ms = t->window_ms,
				.last_ms = w->last_ms,
				.count = d.closed + d.open,
				.demonstration = w->ask->demonstration };
	struct promise_term out = { .pledge = p, .term = t, .window_count = each.count, .closed = d.closed };
	enum err e = make_room(w, each.count);

	if (e == OK && each.count > 0)
		e = metric_windows(&w->facts, &each, p->id, w->windows);
	if (e == OK)
		e = measure_all(w, &each, p, &out);
	if (e != OK)
		return e;
	for (size_t i = 0; i < each.count; i++) {
		w->judged[i] = term_judge(t, &w->windows[i], STATISTICS_LEAST);
		if (i >= d.closed)
			continue;
		out.met += w->judged[i] == WINDOW_MET;
		out.missed += w->judged[i] == WINDOW_MISSED;
		out.too_few += w->judged[i] == WINDOW_TOO_FEW;
	}
	out.windows = w->windows;
	out.judged = w->judged;
	return w->promise(w->context, &out);
}

static enum err walk_pledge(void *context, const struct pledge *p)
{
	struct walking *w = context;
	enum err e = OK;

	if (p->demonstration != w->ask->demonstration)
		return OK;
	if (p->term_count == 0)
		return w->declaration != NULL ? w->declaration(w->context, p) : OK;
	if (w->promise == NULL)
		return OK;
	if (!span_equal(w->facts.party, p->party)) {
		metric_facts_free(&w->facts);
		w->facts.party = p->party;
	}
	for (size_t i = 0; e == OK && i < p->term_count; i++)
		e = walk_term(w, p, &p->terms[i]);
	return e;
}

enum err promises_walk(const struct state *st, struct span party, const struct promises_ask *ask, promise_each *promise,
		       declaration_each *declaration, void *context)
{
	struct walking w = { .st = st,
			     .ask = ask,
			     .promise = promise,
			     .declaration = declaration,
			     .context = context,
			     .facts = { .st = st, .party = SPAN("") } };
	enum err e = metric_last(st, &w.last_ms);

	w.facts.plans = ask->shared != NULL ? &ask->shared->plans : &w.own.plans;
	if (e == OK)
		e = state_pledges(st, party, walk_pledge, &w);
	metric_facts_free(&w.facts);
	plan_facts_free(&w.own.plans);
	free(w.windows);
	free(w.judged);
	return e;
}

/* ---- whose ---- */

struct naming {
	struct span *at;
	size_t count, room;
	bool demonstration;
};

static enum err add_name(struct naming *n, struct span name)
{
	if (n->count > 0 && span_equal(n->at[n->count - 1], name))
		return OK;
	if (n->count == n->room) {
		size_t room = n->room == 0 ? 64 : 2 * n->room;
		struct span *at = reallocarray(n->at, room, sizeof(*at));

		if (at == NULL)
			return ERR_NO_MEMORY;
		n->at = at;
		n->room = room;
	}
	n->at[n->count++] = name;
	return OK;
}

static enum err name_pledge(void *context, const struct pledge *p)
{
	struct naming *n = context;

	return p->demonstration == n->demonstration ? add_name(n, p->party) : OK;
}

static enum err name_agreement(void *context, const struct agreement *a)
{
	struct naming *n = context;
	enum err e = OK;

	for (int side = 0; e == OK && side < 2 && a->demonstration == n->demonstration; side++)
		e = add_name(n, a->party[side]);
	return e;
}

enum err promises_parties(const struct state *st, bool demonstration, promises_party *each, void *context)
{
	struct naming n = { .demonstration = demonstration };
	enum err e = state_pledges(st, SPAN(""), name_pledge, &n);

	if (e == OK)
		e = state_agreements(st, SPAN(""), name_agreement, &n);
	if (e == OK && n.count > 1)
		qsort(n.at, n.count, sizeof(*n.at), span_order);
	for (size_t i = 0; e == OK && i < n.count; i++)
		if (i == 0 || !span_equal(n.at[i - 1], n.at[i]))
			e = each(context, n.at[i]);
	free(n.at);
	return e;
}
