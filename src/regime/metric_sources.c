/* What metrics count beside notices and plans: requests for help, pings, releases. */
#include "regime/help.h"
#include "regime/metric_private.h"
#include "regime/release.h"

/* ---- help ---- */

struct helping {
	const struct state *st;
	struct span party;
	struct facts *out;
};

enum err fact_of_help(const struct state *st, const struct help *h, struct span party, struct fact *out)
{
	struct help_offer said;
	enum err e = help_said(st, h->matter.id, party, &said);

	*out = fact_of(&h->matter);
	out->answered_ms = e == OK ? said.first_human_ms : 0;
	out->elsewhere_ms = h->first_human_ms;
	out->class = CLASS_NONE;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err take_help(void *context, const struct help *h)
{
	struct helping *g = context;
	struct fact one;
	enum err e;

	if (h->to_all || span_equal(h->matter.from, g->party))
		return OK;
	e = fact_of_help(g->st, h, g->party, &one);
	return e == OK ? facts_add(g->out, &one) : e;
}

enum err facts_of_helps(const struct state *st, struct span party, bool pings, struct facts *out)
{
	struct helping g = { st, party, out };

	return state_helps(st, party, pings, take_help, &g);
}

/* ---- releases ---- */

/* A region that never came has a lag that still grows. */
static enum err take_release(void *context, const struct release *r)
{
	struct fact one = {
		.at_ms = r->logged_ms > r->first_ms ? r->logged_ms : r->first_ms,
		.lag_ms = r->lag_ms > 0 ? (uint64_t)r->lag_ms : 0,
		.broken = r->breaches != 0,
		.demonstration = r->demonstration,
	};

	for (size_t i = 0; i < r->left_out_count; i++)
		one.left_out |= r->left_out[i].came_ms == 0;
	return r->withdrawn ? OK : facts_add(context, &one);
}

enum err facts_of_releases(const struct state *st, struct span maker, struct facts *out)
{
	return state_releases(st, maker, take_release, out);
}
