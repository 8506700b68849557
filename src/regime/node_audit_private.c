#include "regime/node_audit.h"
#include "regime/objects.h"
#include "regime/sighting.h"
#include "regime/waiting.h"

struct counting {
	struct node *node;
	struct arena *arena;
	struct audit *out;
};

static enum err count_line(void *context, const struct addressee *to, enum rsit_class class,
			   const struct sighting_line *l, const struct sighting *s)
{
	struct audit *out = context;

	(void)to;
	(void)class;
	(void)l;
	out->sightings++;
	out->sighting_events += s->count;
	return OK;
}

static bool same_pack(const struct pack *a, const struct pack *b)
{
	return addressee_equal(&a->to, &b->to) && a->class == b->class && a->since_ms == b->since_ms &&
	       a->events == b->events && a->explained == b->explained && a->breach == b->breach &&
	       a->repeats == b->repeats && a->again == b->again && a->first_ms == b->first_ms &&
	       a->last_ms == b->last_ms && a->demonstration == b->demonstration &&
	       memcmp(a->country, b->country, sizeof(a->country)) == 0;
}

/* What waits must still be there to be sent. */
static enum err read_pack(void *context, const struct pack *p)
{
	struct counting *c = context;
	struct record r;
	struct pack stored;
	struct span rows;
	enum err e;

	arena_reset(c->arena);
	e = journal_read(c->node->journal, c->arena, p->position, &r);
	if (e == OK && r.erased)
		return OK; /* somebody wanted it gone: there is nothing left to send */
	if (e == OK)
		e = pack_read(r.payload, &stored, &rows);
	if (e == OK && !same_pack(p, &stored))
		e = fail(ERR_LEDGER_DIFFERS, "its record says something else");
	c->out->waiting += e == OK;
	if (e == OK || err_is_machine(e))
		return e;
	return fail(ERR_LEDGER_DIFFERS, "rows that wait, journal at %ju: %s", (uintmax_t)p->position, err_detail());
}

enum err audit_check_private(struct node *n, struct snapshot *fresh, struct snapshot *live, struct arena *a,
			     struct audit *out)
{
	struct state st = node_state(n, fresh, a);
	struct counting c = { n, a, out };
	enum err e = sightings_walk(&st, NULL, count_line, out);

	if (e == OK)
		e = objects_count(fresh, &out->objects, &out->objects_deleted);
	st.snapshot = live;
	return e == OK ? packs_walk(&st, NULL, read_pack, &c) : e;
}
