#include "territory/resolve.h"

#include <stdlib.h>

#include "territory/explain.h"

/*
 * Numbers of addressees
 *
 * Who answers for an address is decided by its class in the table (AS number and country) and by the claims, so it is
 * decided once for each class, some hundred thousand, when the resolver is made; an address then costs its look-up and
 * two reads. Claimed prefixes lie over the classes: an address inside one gets the number of the claim.
 *
 * A number stands for whom to write to with whom in copy. A party that claims several things in one country is one
 * number; the same party in two countries is two, if national parties are in copy that differ.
 */

const char *rule_name(enum rule r)
{
	static const char *const names[RULE_COUNT] = {
		[RULE_NOBODY] = "nobody",
		[RULE_SPECIAL] = "special",
		[RULE_CLAIMED_PREFIX] = "claimed-prefix",
		[RULE_CLAIMED_AS] = "claimed-as",
		[RULE_HOLDER] = "holder",
		[RULE_COUNTRY_PARTY] = "country-party",
		[RULE_COUNTRY] = "country",
		[RULE_NOT_TAKEN] = "not-recognised",
	};

	return (unsigned)r < RULE_COUNT ? names[r] : "nobody";
}

const char *rule_says(enum rule r)
{
	static const char *const texts[RULE_COUNT] = {
		[RULE_NOBODY] = "No claim and no registry table knows this address: nobody answers for it.",
		[RULE_SPECIAL] = "Private or reserved space: nobody on the Internet answers for it.",
		[RULE_CLAIMED_PREFIX] = "A party has proven that it answers for this prefix.",
		[RULE_CLAIMED_AS] = "A party has proven that it answers for the AS that announces this address.",
		[RULE_HOLDER] = "No party has proven a claim to the AS, so the AS itself is addressed.",
		[RULE_COUNTRY_PARTY] = "No AS is known, so the national response team of the registry country answers.",
		[RULE_COUNTRY] =
			"No AS is known and no response team has claimed the country, so the country is addressed.",
		[RULE_NOT_TAKEN] = "Who claims it takes no notices of this class, so the resource itself is addressed.",
	};

	return (unsigned)r < RULE_COUNT ? texts[r] : texts[RULE_NOBODY];
}

/* A party's place in the sorted list of all that claim something. */
static uint32_t party_number(const struct resolver *r, struct span party)
{
	const struct span *found = bsearch(&party, r->parties, r->party_count, sizeof(*r->parties), span_order);

	return found != NULL ? (uint32_t)(found - r->parties) : 0;
}

static enum err list_parties(struct resolver *r, const struct territory_claim *claims, size_t count)
{
	size_t kept = 0;

	if ((r->parties = calloc(count + 1, sizeof(*r->parties))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu parties", count);
	for (size_t i = 0; i < count; i++)
		r->parties[i] = claims[i].party;
	qsort(r->parties, count, sizeof(*r->parties), span_order);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !span_equal(r->parties[kept - 1], r->parties[i]))
			r->parties[kept++] = r->parties[i];
	r->party_count = kept;
	return OK;
}

/* An addressee as one number: its type above, what it is below. */
static uint64_t name_party(const struct resolver *r, struct span party)
{
	return (uint64_t)(TO_PARTY + 1) << 32 | party_number(r, party);
}

static struct addressee addressee_of(const struct resolver *r, uint64_t name)
{
	struct addressee to = { .type = (enum addressee_type)((name >> 32) - 1) };

	if (to.type == TO_PARTY)
		to.domain = r->parties[(uint32_t)name];
	else if (to.type == TO_AS)
		to.asn = (uint32_t)name;
	else
		country_unpack((uint32_t)name, to.country);
	return to;
}

static void add_copy(struct copies *c, uint64_t to, uint64_t name)
{
	int i = 0;

	while (i < CC_MAX && c->to[i] != 0 && c->to[i] != name)
		i++;
	if (name != to && i < CC_MAX)
		c->to[i] = name;
}

/* To the first of the group; the others in copy. */
static uint64_t to_group(const struct resolver *r, const struct claim_group *g, struct copies *c)
{
	uint64_t to = name_party(r, g->at[0].party);

	for (size_t i = 1; i < g->count; i++)
		add_copy(c, to, name_party(r, g->at[i].party));
	return to;
}

/* The country whose response team gets a copy: that of the AS, else of the address. */
static void copy_to_country(const struct resolver *r, const struct table_class_facts *k, uint64_t to, struct copies *c)
{
	const struct claim_group *g = claims_country(&r->claims, k->as_country[0] != '\0' ? k->as_country : k->country);

	for (size_t i = 0; g != NULL && i < g->count; i++)
		add_copy(c, to, name_party(r, g->at[i].party));
}

static uint64_t target_of_class(const struct resolver *r, const struct table_class_facts *k, struct copies *c,
				enum rule *rule)
{
	const struct claim_group *g;
	uint64_t to;

	if (k->asn != 0) {
		g = claims_as(&r->claims, k->asn);
		to = g != NULL ? to_group(r, g, c) : (uint64_t)(TO_AS + 1) << 32 | k->asn;
		*rule = g != NULL ? RULE_CLAIMED_AS : RULE_HOLDER;
		copy_to_country(r, k, to, c);
		return to;
	}
	*rule = RULE_NOBODY;
	if (k->country[0] == '\0')
		return 0;
	g = claims_country(&r->claims, k->country);
	*rule = g != NULL ? RULE_COUNTRY_PARTY : RULE_COUNTRY;
	return g != NULL ? to_group(r, g, c) : (uint64_t)(TO_COUNTRY + 1) << 32 | country_pack(k->country);
}

static enum err add_summary(struct resolver *r, const struct summary *s, uint32_t *number)
{
	void *at = r->summaries;
	enum err e = grow(&at, &r->room, r->count, sizeof(*r->summaries), UINT32_MAX);

	r->summaries = at;
	if (e != OK)
		return e;
	*number = (uint32_t)r->count;
	r->summaries[r->count++] = *s;
	return OK;
}

/* An AS by itself: classes come by AS number, so the same target can only be among the last. */
static enum err number_as(struct resolver *r, const struct summary *s, uint32_t *number)
{
	for (size_t i = r->count; i-- > 0 && r->summaries[i].target.to == s->target.to;) {
		if (r->summaries[i].target.copies != s->target.copies)
			continue;
		*number = (uint32_t)i;
		return OK;
	}
	return add_summary(r, s, number);
}

/* A party or a country: reached from anywhere. */
static enum err number_shared(struct resolver *r, const struct summary *s, uint32_t *number)
{
	size_t known = r->shared.count;
	void *at = r->shared_numbers;
	uint32_t place = 0;
	enum err e = intern(&r->shared, &s->target, &place);

	if (e == OK && place < known) {
		*number = r->shared_numbers[place];
		return OK;
	}
	if (e == OK) {
		e = grow(&at, &r->shared_room, known, sizeof(*r->shared_numbers), UINT32_MAX);
		r->shared_numbers = at;
	}
	if (e == OK && (e = add_summary(r, s, number)) == OK)
		r->shared_numbers[place] = *number;
	return e;
}

/* The number of this target; what is known of all its addresses is merged. */
static enum err add_target(struct resolver *r, uint64_t to, const struct copies *c, enum rule rule, uint32_t country,
			   uint32_t *number)
{
	struct summary s = { .target = { to, 0 }, .country = country, .rule = (uint8_t)rule };
	uint32_t copies = 0;
	enum err e = c->to[0] != 0 ? intern(&r->copies, c, &copies) : OK;

	s.target.copies = copies;
	if (e == OK)
		e = to >> 32 == TO_AS + 1 ? number_as(r, &s, number) : number_shared(r, &s, number);
	if (e != OK)
		return e;
	if (rule < r->summaries[*number].rule)
		r->summaries[*number].rule = (uint8_t)rule;
	if (r->summaries[*number].country != country)
		r->summaries[*number].country = 0;
	return OK;
}

static enum err number_classes(struct resolver *r)
{
	static const struct copies without;
	uint32_t count = table_classes(r->table), number;
	enum err e = intern(&r->copies, &without, &number);

	if (e == OK)
		e = add_target(r, 0, &without, RULE_NOBODY, 0, &number);
	if (e == OK && (r->of_class = calloc(count, sizeof(*r->of_class))) == NULL)
		e = fail(ERR_NO_MEMORY, "no room for %u classes", count);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		struct copies c = without;
		struct table_class_facts k;
		enum rule rule;
		uint64_t to;

		table_class_facts(r->table, i, &k);
		to = target_of_class(r, &k, &c, &rule);
		e = add_target(r, to, &c, rule, country_pack(k.country), &r->of_class[i]);
	}
	return e;
}

/* What is addressed where no party takes the matter. Behind number_classes: of one AS the numbers lie together again. */
static enum err number_resources(struct resolver *r)
{
	uint32_t count = table_classes(r->table);
	enum err e = OK;

	if ((r->of_resource = calloc(count + (size_t)1, sizeof(*r->of_resource))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %u classes", count);
	for (uint32_t i = 0; e == OK && i < count; i++) {
		struct copies c = { { 0 } };
		struct table_class_facts k;
		uint64_t to;

		table_class_facts(r->table, i, &k);
		r->of_resource[i] = r->of_class[i];
		if (k.asn != 0 && claims_as(&r->claims, k.asn) != NULL) {
			to = (uint64_t)(TO_AS + 1) << 32 | k.asn;
			copy_to_country(r, &k, to, &c);
		} else if (k.asn == 0 && k.country[0] != '\0' && claims_country(&r->claims, k.country) != NULL) {
			to = (uint64_t)(TO_COUNTRY + 1) << 32 | country_pack(k.country);
		} else {
			continue;
		}
		e = add_target(r, to, &c, RULE_NOT_TAKEN, country_pack(k.country), &r->of_resource[i]);
	}
	return e;
}

/* The country of a claimed prefix is that of its first address. */
static enum err number_prefixes(struct resolver *r)
{
	enum err e = OK;

	if ((r->of_prefix = calloc(r->claims.prefixes + 1, sizeof(*r->of_prefix))) == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu prefixes", r->claims.prefixes);
	for (size_t i = 0; e == OK && i < r->claims.prefixes; i++) {
		const struct claim_group *g = &r->claims.groups[i];
		uint32_t record = table_find(r->table, prefix_first(g->at->prefix));
		struct table_class_facts k;
		struct copies c = { { 0 } };
		uint64_t to = to_group(r, g, &c);

		table_class_facts(r->table, table_class(r->table, record), &k);
		copy_to_country(r, &k, to, &c);
		e = add_target(r, to, &c, RULE_CLAIMED_PREFIX, country_pack(k.country), &r->of_prefix[i]);
	}
	return e;
}

/* Sets of copies are few: they are written out, so that whoever asks gets an array. */
static enum err write_copies(struct resolver *r)
{
	const struct copies *sets = (const struct copies *)(const void *)r->copies.at;

	r->in_copy = calloc(r->copies.count * CC_MAX, sizeof(*r->in_copy));
	r->in_copy_counts = calloc(r->copies.count, sizeof(*r->in_copy_counts));
	if (r->in_copy == NULL || r->in_copy_counts == NULL)
		return fail(ERR_NO_MEMORY, "no room for %zu sets of copies", r->copies.count);
	for (size_t i = 0; i < r->copies.count; i++)
		for (int k = 0; k < CC_MAX && sets[i].to[k] != 0; k++)
			r->in_copy[i * CC_MAX + r->in_copy_counts[i]++] = addressee_of(r, sets[i].to[k]);
	return OK;
}

enum err resolver_new(const struct table *t, const struct territory_claim *claims, size_t count, struct resolver **out)
{
	struct resolver *r = calloc(1, sizeof(*r));
	enum err e;

	if (r == NULL)
		return fail(ERR_NO_MEMORY, "no room for a resolver");
	r->table = t;
	r->copies = INTERN(struct copies);
	r->shared = INTERN(struct target);
	e = claims_make(claims, count, &r->claims);
	if (e == OK)
		e = list_parties(r, claims, count);
	if (e == OK)
		e = number_classes(r);
	if (e == OK)
		e = number_resources(r);
	if (e == OK)
		e = number_prefixes(r);
	if (e == OK)
		e = write_copies(r);
	if (e != OK)
		resolver_free(r);
	else
		*out = r;
	return e;
}

void resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	claims_free(&r->claims);
	intern_free(&r->copies);
	intern_free(&r->shared);
	free(r->shared_numbers);
	free(r->parties);
	free(r->summaries);
	free(r->in_copy);
	free(r->in_copy_counts);
	free(r->of_class);
	free(r->of_prefix);
	free(r->of_resource);
	free(r);
}

uint32_t resolver_find_ipv4(const struct resolver *r, uint32_t address)
{
	uint32_t claim = claims_maybe(&r->claims, address) ? claims_prefix(&r->claims, address_ipv4(address)) : NO_ROW;

	if (claim != NO_ROW)
		return r->of_prefix[claim];
	return r->of_class[table_class(r->table, table_find_one_ipv4(r->table, address))];
}

uint32_t resolver_find_ipv6(const struct resolver *r, uint64_t high, uint64_t low)
{
	struct address a = { high, low, FAMILY_IPV6 }, inner;
	uint32_t claim;

	if (address_embedded(a, &inner) != NULL)
		return resolver_find_ipv4(r, (uint32_t)inner.low);
	if ((claim = claims_prefix(&r->claims, a)) != NO_ROW)
		return r->of_prefix[claim];
	return r->of_class[table_class(r->table, table_find_one_ipv6(r->table, high, low))];
}

uint32_t resolver_next(const struct resolver *r, struct address a, uint32_t number)
{
	struct address inner = a;
	uint32_t class, claim;

	if (a.family == FAMILY_IPV6)
		address_embedded(a, &inner);
	class = table_class(r->table, table_find(r->table, inner));
	claim = claims_prefix(&r->claims, inner);
	if (claim != NO_ROW && number == r->of_prefix[claim] && number != r->of_class[class])
		return r->of_class[class];
	return number != r->of_resource[class] ? r->of_resource[class] : 0;
}

uint32_t resolver_addressees(const struct resolver *r)
{
	return (uint32_t)r->count;
}

const struct table *resolver_table(const struct resolver *r)
{
	return r->table;
}

void resolver_addressee(const struct resolver *r, uint32_t number, struct resolved *out)
{
	const struct summary *s;

	*out = (struct resolved){ .rule = RULE_NOBODY };
	if (number == 0 || number >= r->count)
		return;
	s = &r->summaries[number];
	out->rule = (enum rule)s->rule;
	out->to = addressee_of(r, s->target.to);
	out->cc_count = r->in_copy_counts[s->target.copies];
	out->cc = out->cc_count > 0 ? &r->in_copy[s->target.copies * CC_MAX] : NULL;
	country_unpack(s->country, out->country);
}
