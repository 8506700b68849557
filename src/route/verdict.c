/* How an event stands to the plans that were filed. */
#include "route/verdict.h"

#include <stdatomic.h>
#include <stdlib.h>

#define COUNTED_SLOTS ((size_t)1 << 19)

struct verdicts {
	const struct routing *routing;
	struct plan_rates *rates;
	/* Events that a rate counts, by their marks, so that a row that is in two reports counts once. A newer one may take its
	 * place: then a repetition counts again. */
	atomic_ullong *counted;
};

enum err verdicts_new(const struct routing *r, struct verdicts **out)
{
	struct verdicts *v = calloc(1, sizeof(*v));
	enum err e = v == NULL ? ERR_NO_MEMORY : plan_rates_new(r->plans, &v->rates);

	if (e == OK && (v->counted = calloc(COUNTED_SLOTS, sizeof(*v->counted))) == NULL)
		e = ERR_NO_MEMORY;
	if (e != OK) {
		verdicts_free(v);
		return e;
	}
	v->routing = r;
	*out = v;
	return OK;
}

void verdicts_free(struct verdicts *v)
{
	if (v == NULL)
		return;
	plan_rates_free(v->rates);
	free(v->counted);
	free(v);
}

static bool counts_first(struct verdicts *v, const struct mark *m)
{
	unsigned long long key;
	uint32_t slot;
	uint8_t known = 0;

	if (v->routing->marks_before)
		marks_find(node_marks(v->routing->node), m, 1, &known);
	memcpy(&key, m->bytes, sizeof(key));
	memcpy(&slot, m->bytes + sizeof(key), sizeof(slot));
	return known == 0 && atomic_exchange(&v->counted[slot % COUNTED_SLOTS], key) != key;
}

/* Logging in and asking by TCP takes an answer first, so whoever is seen to is where it says. Of a single packet, and of UDP,
 * anybody may be the sender. */
static uint8_t seen_of(const struct section *s, const struct event *e)
{
	return e->transport == TRANSPORT_TCP && (s->spoken || e->class == CLASS_BRUTE_FORCE) ? SEEN_HANDSHAKE : 0;
}

/* Looked up only where a plan asks for it. */
static bool look_up_target(const struct routing *r, struct observation *o)
{
	struct table_class_facts facts;

	if (!o->has_target || r->table == NULL)
		return false;
	table_class_facts(r->table, table_class(r->table, table_find(r->table, o->target)), &facts);
	o->target_as = facts.asn;
	memcpy(o->target_country, facts.country, sizeof(o->target_country));
	return facts.asn != 0 || facts.country[0] != '\0';
}

enum plan_verdict verdict_of(struct verdicts *v, const struct section *s, const struct event *e, const struct mark *m)
{
	struct observation o;
	struct plan_match match;

	if (v == NULL)
		return PLAN_UNDECLARED;
	o = (struct observation){ .source = e->source,
				  .has_target = e->has_target,
				  .target = e->target,
				  .time_ms = e->time_ms,
				  .transport = e->transport,
				  .target_port = e->target_port,
				  .seen = seen_of(s, e) };
	match = plans_match(v->routing->plans, &o);
	if (match.term != NULL && match.verdict == PLAN_UNDECLARED && look_up_target(v->routing, &o))
		match = plans_match(v->routing->plans, &o);
	if (plans_rated(v->routing->plans, &match) && counts_first(v, m))
		plan_rates_add(v->rates, &o, 1, &match);
	return match.verdict;
}
