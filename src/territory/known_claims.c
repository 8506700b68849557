#include "territory/known_claims.h"

#include "regime/mirror.h"
#include "regime/policy.h"

struct gathering {
	struct arena *arena;
	claims_left_out *left_out;
	void *context;
	const struct state *own;
	struct span approved_by; /* a followed node; empty: our own operator */
	const struct state *of;	 /* that node's */
	int64_t at_ms;
	unsigned addresses, countries; /* what suffices here */
	struct territory_claim *claims;
	size_t count, room;
};

static enum err add_claim(struct gathering *g, const struct holding *h)
{
	struct span party;

	if (g->count == g->room) {
		size_t room = g->room == 0 ? 256 : g->room * 2;
		struct territory_claim *bigger = arena_array(g->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		if (g->count > 0)
			memcpy(bigger, g->claims, g->count * sizeof(*bigger));
		g->claims = bigger;
		g->room = room;
	}
	party = span_make(arena_copy(g->arena, h->party.at, h->party.len), h->party.len);
	if (party.at == NULL)
		return ERR_NO_MEMORY;
	g->claims[g->count++] = (struct territory_claim){
		.party = party,
		.type = h->resource.type,
		.asn = h->resource.asn,
		.prefix = h->resource.prefix,
		.country = { h->resource.country[0], h->resource.country[1], 0 },
		.basis = h->basis,
		.from_ms = h->from_ms,
		.until_ms = h->until_ms,
		.because = h->because,
		.approved_by = g->approved_by,
	};
	return OK;
}

static enum err gather_claim(void *context, const struct holding *h)
{
	return add_claim(context, h);
}

/* What a followed node says that it verified is, to us, its operator's word: who takes no operator's word takes none of theirs. */
static enum err gather_followed_claim(void *context, const struct holding *h)
{
	struct gathering *g = context;
	unsigned suffices = h->resource.type == TO_COUNTRY ? g->countries : g->addresses;
	struct party theirs, ours;
	enum err e;

	if ((suffices & BASIS_BIT(h->basis)) == 0 || (suffices & BASIS_BIT(BASIS_OPERATOR)) == 0)
		return OK;
	e = state_party(g->of, h->party, &theirs);
	if (e == OK)
		e = state_party(g->own, h->party, &ours);
	if (e != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	return hash_equal(theirs.fingerprint, ours.fingerprint) ? add_claim(g, h) : OK;
}

static enum err gather_mirror(void *context, const char *dir, struct span node)
{
	struct gathering *g = context;
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	if (mirror_forks(dir) > 0)
		return OK; /* nobody knows which of its histories is true */
	g->approved_by = span_make(arena_copy(g->arena, node.at, node.len), node.len);
	if (g->approved_by.at == NULL)
		return ERR_NO_MEMORY;
	e = mirror_open(dir, node, false, &m);
	if (e == OK && (e = mirror_read(m, g->arena, &st)) == OK) {
		g->of = &st;
		e = policy_holdings(&st, POLICY_DIVERT, SPAN(""), g->at_ms, gather_followed_claim, g);
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	if (e == ERR_NOT_FOUND || e == ERR_BUSY || e == ERR_DAMAGED) {
		if (g->left_out != NULL)
			g->left_out(g->context, node, err_detail());
		e = OK;
	}
	return e;
}

enum err claims_known(const char *dir, const struct state *st, int64_t at_ms, struct arena *a,
		      claims_left_out *left_out, void *context, struct territory_claim **out, size_t *count)
{
	struct gathering g = { .arena = a, .own = st, .left_out = left_out, .context = context, .at_ms = at_ms };
	enum err e = state_policy(st, POLICY_DIVERT, &g.addresses);

	if (e == OK)
		e = state_policy(st, POLICY_COUNTRY, &g.countries);
	if (e == OK)
		e = policy_holdings(st, POLICY_DIVERT, SPAN(""), at_ms, gather_claim, &g);
	if (e == OK)
		e = mirrors_walk(dir, gather_mirror, &g);
	*out = g.claims;
	*count = g.count;
	return e;
}
