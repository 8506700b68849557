#include "exchange/party_view.h"

struct gathering {
	struct arena *arena;
	struct party_view *view;
	size_t room;
	struct span party;
};

static enum err copy(struct arena *a, struct span *s)
{
	const char *at = arena_copy(a, s->at, s->len);

	*s = span_make(at, s->len);
	return at != NULL ? OK : ERR_NO_MEMORY;
}

static enum err add_held(void *context, const struct holding *h)
{
	struct gathering *g = context;
	struct party_view *v = g->view;
	size_t more = g->room > 0 ? 2 * g->room : 16;
	struct party_held *held = v->held, *one;
	enum err e = OK;

	if (!span_equal(h->party, g->party))
		return OK;
	if (v->count == g->room) {
		if ((held = arena_array(g->arena, more, sizeof(*held))) == NULL)
			return ERR_NO_MEMORY;
		if (v->count > 0)
			memcpy(held, v->held, v->count * sizeof(*held));
		v->held = held;
		g->room = more;
	}
	one = &v->held[v->count++];
	*one = (struct party_held){ .h = *h, .now = h->from_ms <= v->at_ms && v->at_ms < h->until_ms };
	one->h.party = g->party;
	if (h->resource.type == TO_PARTY)
		e = copy(g->arena, &one->h.resource.domain);
	return e;
}

static bool overlap(const struct addressee *a, const struct addressee *b)
{
	if (a->type == TO_PREFIX && b->type == TO_PREFIX)
		return prefix_contains(a->prefix, b->prefix) || prefix_contains(b->prefix, a->prefix);
	return addressee_equal(a, b);
}

static enum err add_rival(struct gathering *g, struct party_held *held, struct span rival)
{
	struct span *all;

	for (size_t i = 0; i < held->rival_count; i++)
		if (span_equal(held->rivals[i], rival))
			return OK;
	if ((all = arena_array(g->arena, held->rival_count + 1, sizeof(*all))) == NULL)
		return ERR_NO_MEMORY;
	if (held->rival_count > 0)
		memcpy(all, held->rivals, held->rival_count * sizeof(*all));
	all[held->rival_count] = rival;
	held->rivals = all;
	return copy(g->arena, &held->rivals[held->rival_count++]);
}

/* legal and openpgp speak of the party itself, which has no rival. */
static enum err compare(void *context, const struct holding *other)
{
	struct gathering *g = context;
	enum err e = OK;

	if (span_equal(other->party, g->party))
		return OK;
	for (size_t i = 0; e == OK && i < g->view->count; i++) {
		struct party_held *held = &g->view->held[i];

		if (held->now && overlap(&held->h.resource, &other->resource))
			e = add_rival(g, held, other->party);
	}
	return e;
}

enum err party_view(const struct state *st, struct arena *a, struct span party, int64_t at_ms, struct party_view *out)
{
	const unsigned resources = BASIS_BIT(BASIS_OPERATOR) | BASIS_BIT(BASIS_RSC) | BASIS_BIT(BASIS_DNSSEC) |
				   BASIS_BIT(BASIS_OBSERVED) | BASIS_BIT(BASIS_MANDATE);
	struct gathering g = { .arena = a, .view = out, .party = party };
	enum err e = copy(a, &g.party);

	*out = (struct party_view){ .at_ms = at_ms };
	if (e == OK)
		e = profile_of(st, g.party, at_ms, &out->profile);
	if (e == OK)
		e = holdings_walk(st, g.party, add_held, &g);
	return e == OK && out->count > 0 ? holdings_at(st, resources, at_ms, compare, &g) : e;
}

void party_view_bases(struct json *j, const char *key, unsigned bases)
{
	json_array(j, key);
	for (int b = 0; b < BASIS_COUNT; b++)
		if ((bases & BASIS_BIT(b)) != 0)
			json_text(j, NULL, basis_name((enum basis)b));
	json_array_end(j);
}

static void print_held(const struct party_held *held, struct json *j)
{
	json_object(j, NULL);
	addressee_json(j, "resource", &held->h.resource);
	json_text(j, "basis", basis_name(held->h.basis));
	json_time(j, "from", held->h.from_ms);
	json_time(j, "until", held->h.until_ms == INT64_MAX ? 0 : held->h.until_ms);
	json_bool(j, "holds", held->now);
	json_hash(j, "because", held->h.because);
	json_array(j, "rivals");
	for (size_t i = 0; i < held->rival_count; i++)
		json_string(j, NULL, held->rivals[i]);
	json_array_end(j);
	json_object_end(j);
}

void party_print(const struct party *p, struct json *j)
{
	json_string(j, "party", p->domain);
	json_string(j, "title", p->title);
	json_array(j, "roles");
	for (int i = 0; i < ROLE_COUNT; i++)
		if ((p->roles & (1u << i)) != 0)
			json_text(j, NULL, role_name((enum role)i));
	json_array_end(j);
	json_bool(j, "demonstration", p->demonstration);
	json_hash(j, "statement", p->statement);
	json_hash(j, "key", p->fingerprint);
	json_time(j, "logged", p->logged_ms);
	json_string(j, "home", p->home);
	if (p->url.len > 0)
		json_string(j, "url", p->url);
}

void party_view_print(const struct party_view *v, bool answers, struct json *j)
{
	const struct profile *p = &v->profile;

	json_object(j, "profile");
	json_time(j, "at", v->at_ms);
	party_view_bases(j, "bases", p->bases);
	party_view_bases(j, "domain", p->domain);
	json_number(j, "prefixes", p->prefixes);
	json_number(j, "numbers", p->numbers);
	json_number(j, "countries", p->countries);
	json_number(j, "vouches", p->vouches);
	json_number(j, "sponsors", p->sponsors);
	json_time(j, "next_end", p->next_end_ms);
	if (answers)
		json_time(j, "last_answered", p->last_answered_ms);
	json_object_end(j);
	json_array(j, "holdings");
	for (size_t i = 0; i < v->count; i++)
		print_held(&v->held[i], j);
	json_array_end(j);
}
