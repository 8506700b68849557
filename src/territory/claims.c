#include "territory/claims.h"

#include <stdlib.h>

static int rank_of(enum addressee_type t)
{
	return t == TO_PREFIX ? 0 : t == TO_AS ? 1 : 2;
}

static int compare_resources(const struct territory_claim *a, const struct territory_claim *b)
{
	if (a->type != b->type)
		return rank_of(a->type) - rank_of(b->type);
	if (a->type == TO_PREFIX)
		return prefix_compare(a->prefix, b->prefix);
	if (a->type == TO_AS)
		return (a->asn > b->asn) - (a->asn < b->asn);
	return memcmp(a->country, b->country, sizeof(a->country));
}

/* What is proven to us, what our operator says, what others say. */
static int nearness(const struct territory_claim *c)
{
	if (c->approved_by.len > 0)
		return 2;
	return c->basis == BASIS_RSC || c->basis == BASIS_DNSSEC ? 0 : 1;
}

static int compare(const void *x, const void *y)
{
	const struct territory_claim *a = x, *b = y;
	int order = compare_resources(a, b);

	if (order != 0)
		return order;
	if (nearness(a) != nearness(b))
		return nearness(a) - nearness(b);
	if (a->from_ms != b->from_ms)
		return a->from_ms < b->from_ms ? -1 : 1;
	return span_compare(a->party, b->party);
}

static bool is_repeated(const struct claim_group *g, const struct territory_claim *c)
{
	for (size_t i = 0; i < g->count; i++)
		if (span_equal(g->at[i].party, c->party))
			return true;
	return false;
}

/* Claims of a party that repeat an earlier one of its own are dropped. */
static size_t group(struct claims *c, size_t count)
{
	struct claim_group *g = NULL;
	size_t groups = 0, kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct territory_claim claim = c->all[i];

		if (g == NULL || compare_resources(g->at, &claim) != 0) {
			g = &c->groups[groups++];
			*g = (struct claim_group){ &c->all[kept], 0 };
		} else if (is_repeated(g, &claim)) {
			continue;
		}
		c->all[kept++] = claim;
		g->count++;
	}
	return groups;
}

static void mark(struct claims *c, struct prefix p)
{
	uint32_t first = (uint32_t)prefix_first(p).low >> 16, last = (uint32_t)prefix_last(p).low >> 16;

	for (uint32_t i = first; i <= last; i++)
		c->map4[i / 8] |= (uint8_t)(1u << i % 8);
}

static enum err flatten(struct claims *c)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < c->prefixes; i++) {
		struct prefix p = c->groups[i].at->prefix;
		struct row row = { .first = wide_of(prefix_first(p)),
				   .last = wide_of(prefix_last(p)),
				   .value = (uint32_t)i };

		if (p.address.family == FAMILY_IPV4)
			mark(c, p);
		e = rows_add(&c->rows[p.address.family == FAMILY_IPV6], &row);
	}
	for (int f = 0; e == OK && f < 2; f++)
		if ((e = sweep_sort(&c->rows[f], NULL)) == OK)
			e = sweep(&c->rows[f], f == 0 ? FAMILY_IPV4 : FAMILY_IPV6, &c->steps[f]);
	return e;
}

/* The steps of IPv4 again, small, and where those within the same first 16 bits begin: a search reads a line or two of the
 * cache. */
static enum err index_ipv4(struct claims *c)
{
	const struct steps *s = &c->steps[0];
	size_t at = 0;

	if (s->count >= UINT32_MAX || (c->near4 = calloc(s->count + 1, sizeof(*c->near4))) == NULL ||
	    (c->slices4 = calloc(CLAIMS_SLICES + 1, sizeof(*c->slices4))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < s->count; i++) {
		c->near4[i].first = (uint32_t)s->at[i].first;
		c->near4[i].group = s->at[i].row != NO_ROW ? c->rows[0].at[s->at[i].row].value : NO_ROW;
	}
	for (uint64_t i = 0; i < CLAIMS_SLICES; i++) {
		while (at < s->count && c->near4[at].first <= i << 16)
			at++;
		c->slices4[i] = (uint32_t)at;
	}
	c->slices4[CLAIMS_SLICES] = (uint32_t)s->count;
	return OK;
}

enum err claims_make(const struct territory_claim *from, size_t count, struct claims *out)
{
	size_t groups, kept = 0;

	*out = (struct claims){ .all = calloc(count + 1, sizeof(*out->all)),
				.groups = calloc(count + 1, sizeof(*out->groups)) };
	if (out->all == NULL || out->groups == NULL) {
		claims_free(out);
		return fail(ERR_NO_MEMORY, "no room for %zu claims", count);
	}
	for (size_t i = 0; i < count; i++)
		if (from[i].type == TO_PREFIX || from[i].type == TO_AS || from[i].type == TO_COUNTRY)
			out->all[kept++] = from[i];
	qsort(out->all, kept, sizeof(*out->all), compare);
	groups = group(out, kept);
	for (size_t i = 0; i < groups; i++) {
		out->prefixes += out->groups[i].at->type == TO_PREFIX;
		out->numbers += out->groups[i].at->type == TO_AS;
		out->countries += out->groups[i].at->type == TO_COUNTRY;
	}
	if (flatten(out) != OK || index_ipv4(out) != OK) {
		claims_free(out);
		return ERR_NO_MEMORY;
	}
	return OK;
}

void claims_free(struct claims *c)
{
	free(c->all);
	free(c->groups);
	free(c->near4);
	free(c->slices4);
	for (int f = 0; f < 2; f++) {
		rows_free(&c->rows[f]);
		steps_free(&c->steps[f]);
	}
	*c = (struct claims){ 0 };
}

/* Between the last step at or before the first of these 65536 addresses, and the last of theirs. */
static uint32_t find_ipv4(const struct claims *c, uint32_t address)
{
	size_t low = c->slices4[address >> 16], high = c->slices4[(address >> 16) + 1];

	low -= low > 0;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (c->near4[middle].first <= address)
			low = middle;
		else
			high = middle;
	}
	return high > low && c->near4[low].first <= address ? c->near4[low].group : NO_ROW;
}

uint32_t claims_prefix(const struct claims *c, struct address a)
{
	int f = a.family == FAMILY_IPV6;
	const struct steps *s = &c->steps[f];
	size_t low = 0, high = s->count;
	wide v = wide_of(a);

	if (c->rows[f].count == 0)
		return NO_ROW;
	if (f == 0)
		return find_ipv4(c, (uint32_t)a.low);
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->at[middle].first <= v)
			low = middle;
		else
			high = middle;
	}
	return s->at[low].row != NO_ROW ? c->rows[f].at[s->at[low].row].value : NO_ROW;
}

/* AS numbers and countries sort as these numbers do. */
static uint32_t key_of(const struct claim_group *g)
{
	return g->at->type == TO_AS ? g->at->asn : country_pack(g->at->country);
}

static const struct claim_group *seek(const struct claim_group *at, size_t count, uint32_t key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t here = key_of(&at[middle]);

		if (here == key)
			return &at[middle];
		if (here < key)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct claim_group *claims_as(const struct claims *c, uint32_t asn)
{
	return asn != 0 ? seek(c->groups + c->prefixes, c->numbers, asn) : NULL;
}

const struct claim_group *claims_country(const struct claims *c, const char country[3])
{
	uint32_t key = country_pack(country);

	return key != 0 ? seek(c->groups + c->prefixes + c->numbers, c->countries, key) : NULL;
}
