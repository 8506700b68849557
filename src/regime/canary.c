/* Statements that are renewed by date: which stand, and which lapsed. */
#include "regime/certificate_private.h"
#include "regime/release_private.h"

struct counting {
	const struct state *st;
	int64_t now_ms;
	struct canary c; /* the one in hand; without name: none yet */
	canary_each *each;
	void *context;
};

static enum err give(struct counting *n)
{
	if (n->c.name.len == 0)
		return OK;
	n->c.lapsed = n->c.until_ms <= n->now_ms;
	return n->each(n->context, &n->c);
}

static void add(struct canary *c, const struct certificate_record *r)
{
	int64_t end_ms = r->c.end_ms;

	if (r->withdrawn_ms != 0 && r->withdrawn_ms < end_ms)
		end_ms = r->withdrawn_ms;
	if (c->since_ms == 0)
		c->since_ms = r->c.logged_ms;
	else
		c->renewals++;
	if (c->until_ms != 0 && r->c.logged_ms >= c->until_ms)
		c->gaps++;
	c->statement = r->c.id;
	c->renewed_ms = r->c.logged_ms;
	c->until_ms = end_ms;
	c->demonstration = r->c.demonstration;
}

static enum err on_canary(void *context, struct span key, struct span value)
{
	struct counting *n = context;
	struct span from, rest = span_make(key.at + 2, key.len - 2 - 1 - 8);
	struct certificate_record r;
	enum err e = certificate_get(n->st, key_index(key), &r);

	(void)value;
	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("place of no canary") : e;
	from = span_cut(&rest, '\0');
	if (rest.at == NULL)
		return state_damaged("place of a canary");
	if (!span_equal(from, n->c.from) || !span_equal(rest, n->c.name)) {
		if ((e = give(n)) != OK)
			return e;
		n->c = (struct canary){ .from = from, .name = rest };
	}
	add(&n->c, &r);
	return OK;
}

enum err state_canaries(const struct state *st, struct span from, canary_each *each, void *context)
{
	struct counting n = { .st = st, .each = each, .context = context };
	struct state_key k = key_canaries(from);
	enum err e = state_last(st, &n.now_ms);

	if (e == OK)
		e = view_walk(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""), on_canary, &n);
	return e == OK ? give(&n) : e;
}
